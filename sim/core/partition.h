// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_CORE_PARTITION_H
#define WALRAS_SIM_CORE_PARTITION_H

#include "sim/core/context.h"

/**
 * An index space 0..size-1 cut into blocks that do not depend on the number of ranks; rank r owns
 * the run of blocks [r * blocks / ranks, (r+1) * blocks / ranks), possibly none. Every sum that
 * crosses blocks is done block by block, which is what makes results the same bits on any number
 * of ranks.
 *
 * A block consists of tiles, the pieces that inner loops work on; its last tile may be short. A
 * *derived* space (of post-decision states) is cut in proportion to its base and has no tiles.
 */
typedef struct wal_partition {
  int64_t size;                   /**< indices */
  int64_t block, tile;            /**< of the base space, in states */
  int64_t block_tiles;            /**< tiles of a whole block */
  int64_t base_size;              /**< equals size unless derived */
  int64_t blocks;                 /**< in total */
  int ranks, rank;                /**< how many share them, and which one this is */
  int64_t first_block, end_block; /**< own blocks */
  int64_t first, count;           /**< own indices */
} wal_partition;

/**
 * Cuts a state space.
 * @param size     number of states, 1 .. 2^40
 * @param actions  pairs of (state, action) in a tile are kept near 2560, so that a few arrays of
 *                 them lie in a second-level cache
 * @param group    states g*group .. (g+1)*group-1 stay in one tile
 * @param row      states of a row of a grid, 1 if there is none: blocks are whole rows, and of at
 *                 least 8 where there are many, so that few of a block's neighbours are in others
 * @param block    states a block, 0 for the usual choice (the size over 16, at most 8192 states or
 *                 8 rows, and at least 16384 pairs)
 */
wal_partition wal_partition_states(const wal_ctx *ctx, int64_t size, int actions, int64_t group,
                                   int64_t row, int64_t block);

/** Cuts a space of `size` in proportion to `base`: same blocks, same owners. size * base < 2^62. */
wal_partition wal_partition_derive(const wal_partition *base, int64_t size);

/** First index of block b; of b = blocks, the size. */
int64_t wal_partition_cut(const wal_partition *p, int64_t b);

/** First block of rank r; of r = ranks, the number of blocks. */
static inline int64_t wal_partition_rank_block(const wal_partition *p, int rank) {
  return p->blocks * rank / p->ranks;
}

/** Block that holds an index. */
int64_t wal_partition_block_of(const wal_partition *p, int64_t index);

/** Rank that owns a block. */
int wal_partition_owner(const wal_partition *p, int64_t block);

/** Number of own tiles (base space only). */
static inline int64_t wal_partition_tiles(const wal_partition *p) {
  if (p->count == 0) return 0;
  const int64_t before = p->end_block - p->first_block - 1;  // whole blocks before the last one
  return before * p->block_tiles + (p->count - before * p->block + p->tile - 1) / p->tile;
}

#endif
