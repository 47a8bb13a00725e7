// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/core/partition.h"

#include "sim/core/memory.h"

enum {
  TILE_PAIRS = 2560,
  TILE_MOST = 1024,
  BLOCK_MOST = 8192,
  BLOCK_ROWS = 8,
  BLOCKS_LEAST = 16,
  BLOCK_PAIRS_LEAST = 16384,  // less work than this is not worth a message
  LANES = 8
};

static int64_t greatest_common_divisor(int64_t a, int64_t b) {
  while (b) {
    int64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

static void take_own(wal_partition *p) {
  p->first_block = wal_partition_rank_block(p, p->rank);
  p->end_block = wal_partition_rank_block(p, p->rank + 1);
  p->first = wal_partition_cut(p, p->first_block);
  p->count = wal_partition_cut(p, p->end_block) - p->first;
}

wal_partition wal_partition_states(const wal_ctx *ctx, int64_t size, int actions, int64_t group,
                                   int64_t row, int64_t block) {
  const int64_t unit = LANES / greatest_common_divisor(LANES, group) * group;
  if (block <= 0) {
    const int64_t most = BLOCK_ROWS * row > BLOCK_MOST ? BLOCK_ROWS * row : BLOCK_MOST;
    block = size / BLOCKS_LEAST;
    if (block > most) block = most;
    if (block < BLOCK_PAIRS_LEAST / actions) block = BLOCK_PAIRS_LEAST / actions;
  }
  if (block < 1) block = 1;
  const bool rows = row > 1 && row <= block && row % group == 0;
  block = wal_round_up(block, rows ? row : unit);

  int64_t tile = TILE_PAIRS / actions;
  if (tile > TILE_MOST) tile = TILE_MOST;
  tile = wal_round_up(tile > 0 ? tile : 1, unit);
  const int64_t pieces = (block + tile - 1) / tile;  // as even as the unit lets them be
  tile = wal_round_up((block + pieces - 1) / pieces, unit);

  wal_partition p = {.size = size, .base_size = size, .block = block, .tile = tile};
  p.block_tiles = (block + tile - 1) / tile;
  p.blocks = (size + block - 1) / block;
  p.ranks = wal_ctx_size(ctx);
  p.rank = wal_ctx_rank(ctx);
  take_own(&p);
  return p;
}

wal_partition wal_partition_derive(const wal_partition *base, int64_t size) {
  wal_partition p = *base;
  p.size = size;
  p.tile = 0;
  take_own(&p);
  return p;
}

int64_t wal_partition_cut(const wal_partition *p, int64_t b) {
  int64_t base = b >= p->blocks ? p->base_size : b * p->block;
  return p->size == p->base_size ? base : base * p->size / p->base_size;
}

int64_t wal_partition_block_of(const wal_partition *p, int64_t index) {
  if (p->size == p->base_size) return index / p->block;
  int64_t b = index * p->base_size / p->size / p->block;  // the cuts are rounded down: mend by one
  while (b > 0 && wal_partition_cut(p, b) > index) b--;
  while (b + 1 < p->blocks && wal_partition_cut(p, b + 1) <= index) b++;
  return b;
}

int wal_partition_owner(const wal_partition *p, int64_t block) {
  int r = (int)((block * p->ranks + p->ranks - 1) / p->blocks);
  while (r > 0 && wal_partition_rank_block(p, r) > block) r--;
  while (r + 1 < p->ranks && wal_partition_rank_block(p, r + 1) <= block) r++;
  return r;
}
