// SPDX-License-Identifier: GPL-3.0-or-later
#include "auctions/one_shot_simulate.h"

#include <math.h>

#include "sim/core/block_sum.h"
#include "sim/core/memory.h"
#include "sim/core/sum.h"

/* Samples are cut into blocks that depend on the auction and the number of samples only. Of each
 * quantity a block gives the mean and the sum of squares around it, which are put together in block
 * order (Chan, Golub & LeVeque 1979): differences of means lose nothing to rounding, however many
 * samples there are. */

enum { QUANTITIES = 3, MOST_BLOCKS = 16384, BLOCK = 1024, BLOCK_DRAWS = 1 << 22 };

typedef struct cut {
  int64_t samples, block, blocks, chunk, told; /* told: rivals of so many samples of each block */
} cut;

/* Count, mean and sum of squares around the mean. */
typedef struct moments {
  double count, mean, squares;
} moments;

static cut cut_samples(const wal_one_shot *a, int64_t samples) {
  cut c = {.samples = samples, .chunk = wal_one_shot_chunk_size(a)};
  int64_t block = BLOCK_DRAWS / a->bidders;
  if (block > BLOCK) block = BLOCK;
  if (block < samples / MOST_BLOCKS + 1) block = samples / MOST_BLOCKS + 1;
  c.block = wal_round_up(block, c.chunk);
  c.blocks = (samples + c.block - 1) / c.block;
  if (a->deviations > 0) c.told = (WAL_ONE_SHOT_RIVALS + c.blocks - 1) / c.blocks;
  if (c.told > c.block) c.told = c.block;
  return c;
}

static int64_t samples_of(const cut *c, int64_t block) {
  const int64_t left = c->samples - block * c->block;
  return left < c->block ? left : c->block;
}

static wal_partition partition(const wal_ctx *ctx, int64_t blocks) {
  wal_partition p = {.size = blocks,
                     .block = 1,
                     .tile = 1,
                     .block_tiles = 1,
                     .base_size = blocks,
                     .blocks = blocks,
                     .ranks = wal_ctx_size(ctx),
                     .rank = wal_ctx_rank(ctx)};
  p.first_block = wal_partition_rank_block(&p, p.rank);
  p.end_block = wal_partition_rank_block(&p, p.rank + 1);
  p.first = p.first_block;
  p.count = p.end_block - p.first_block;
  return p;
}

static moments moments_of(int64_t count, const double *x, double *room) {
  moments m = {.count = (double)count, .mean = wal_sum(count, x) / (double)count};
  for (int64_t i = 0; i < count; i++) room[i] = x[i] - m.mean;
  m.mean += wal_sum(count, room) / (double)count;
  for (int64_t i = 0; i < count; i++) room[i] = x[i] - m.mean;
  m.squares = wal_dot(count, room, room);
  return m;
}

static void merge(moments *a, const moments *b) {
  if (b->count == 0) return;
  const double count = a->count + b->count, off = b->mean - a->mean;
  a->mean += off * b->count / count;
  a->squares += b->squares + off * off * a->count * b->count / count;
  a->count = count;
}

static wal_estimate estimate_of(const moments *m) {
  return (wal_estimate){m->mean, sqrt(m->squares / (m->count - 1) / m->count)};
}

/* What one rank works with. */
typedef struct worker {
  const wal_one_shot *a;
  wal_one_shot_chunk *chunk;
  double *amounts[QUANTITIES], *room;
  wal_one_shot_rival *rivals;
} worker;

/* Row: mean and squares of each quantity, then threshold, price and share of each rival. */
static wal_status draw_block(wal_ctx *ctx, const worker *w, const cut *c, int64_t block,
                             double *row) {
  const int64_t samples = samples_of(c, block);
  moments total[QUANTITIES] = {{0}};
  for (int64_t at = 0; at < samples; at += c->chunk) {
    const int64_t count = samples - at < c->chunk ? samples - at : c->chunk;
    int64_t told = c->told - at < 0 ? 0 : c->told - at;
    if (told > count) told = count;
    WAL_TRY(wal_one_shot_chunk_draw(ctx, w->chunk, block * c->block + at, count, w->amounts, told,
                                    w->rivals));
    for (int q = 0; q < QUANTITIES; q++) {
      const moments m = moments_of(count, w->amounts[q], w->room);
      merge(&total[q], &m);
    }
    for (int64_t i = 0; i < told; i++) {
      double *to = row + 2 * QUANTITIES + 3 * (at + i);
      to[0] = w->rivals[i].threshold;
      to[1] = w->rivals[i].price;
      to[2] = w->rivals[i].share;
    }
  }
  for (int q = 0; q < QUANTITIES; q++) {
    row[2 * q] = total[q].mean;
    row[2 * q + 1] = total[q].squares;
  }
  return WAL_OK;
}

static void free_worker(wal_ctx *ctx, worker *w) {
  wal_one_shot_chunk_destroy(ctx, &w->chunk);
  for (int q = 0; q < QUANTITIES; q++) wal_release(ctx, &w->amounts[q]);
  wal_release(ctx, &w->room);
  wal_release(ctx, &w->rivals);
}

static wal_status make_worker(wal_ctx *ctx, const wal_one_shot *a, const cut *c, worker *w) {
  w->a = a;
  for (int q = 0; q < QUANTITIES; q++)
    WAL_TRY(wal_acquire(ctx, "samples", c->chunk, sizeof(double), &w->amounts[q]));
  WAL_TRY(wal_acquire(ctx, "samples", c->chunk, sizeof *w->room, &w->room));
  WAL_TRY(wal_acquire(ctx, "samples", c->chunk, sizeof *w->rivals, &w->rivals));
  return wal_one_shot_chunk_create(ctx, a, &w->chunk);
}

static wal_status draw_all(wal_ctx *ctx, const worker *w, const cut *c, const wal_partition *p,
                           wal_block_sum *rows, wal_one_shot_watch watch, void *user) {
  for (int64_t block = p->first_block; block < p->end_block; block++) {
    WAL_TRY(draw_block(ctx, w, c, block, wal_block_sum_row(rows, block)));
    if (watch) watch(user, block + 1 - p->first_block, p->count);
  }
  return WAL_OK;
}

static wal_status put_together(wal_ctx *ctx, const wal_one_shot *a, const cut *c,
                               wal_block_sum *rows, wal_one_shot_result *out) {
  moments total[QUANTITIES] = {{0}};
  wal_one_shot_rival *rivals = NULL;
  int64_t told = 0;
  WAL_TRY(wal_acquire(ctx, "rivals", c->told * c->blocks, sizeof *rivals, &rivals));
  for (int64_t block = 0; block < c->blocks; block++) {
    const double *row = wal_block_sum_row(rows, block);
    const int64_t samples = samples_of(c, block);
    for (int q = 0; q < QUANTITIES; q++) {
      const moments m = {(double)samples, row[2 * q], row[2 * q + 1]};
      merge(&total[q], &m);
    }
    for (int64_t i = 0; i < c->told && i < samples; i++) {
      const double *from = row + 2 * QUANTITIES + 3 * i;
      rivals[told++] = (wal_one_shot_rival){from[0], from[1], from[2]};
    }
  }
  out->revenue = estimate_of(&total[0]);
  out->welfare = estimate_of(&total[1]);
  out->utility = estimate_of(&total[2]);
  wal_status status = wal_one_shot_find_deviations(ctx, a, told, rivals, &out->deviations);
  wal_release(ctx, &rivals);
  if (status == WAL_OK && !isfinite(out->revenue.mean + out->welfare.mean + out->utility.mean))
    status = wal_fail(ctx, WAL_ENONFINITE,
                      "the mean of revenue (%g), welfare (%g) or utility (%g) is not finite",
                      out->revenue.mean, out->welfare.mean, out->utility.mean);
  return status;
}

wal_status wal_one_shot_simulate(wal_ctx *ctx, const wal_one_shot *auction, int64_t samples,
                                 wal_one_shot_watch watch, void *user, wal_one_shot_result *out) {
  const double start = wal_clock();
  const cut c = cut_samples(auction, samples);
  const wal_partition p = partition(ctx, c.blocks);
  const int64_t width = 2 * QUANTITIES + 3 * c.told;
  wal_block_sum *rows = NULL;
  double *sums = NULL;
  worker w = {0};
  *out = (wal_one_shot_result){0};
  WAL_TRY(wal_block_sum_create(ctx, &p, width, &rows));
  wal_status status = make_worker(ctx, auction, &c, &w);
  if (status == WAL_OK) status = wal_acquire(ctx, "sums", width, sizeof *sums, &sums);
  WAL_TRY_GOTO(wal_agree(ctx, status));
  wal_block_sum_start(rows);
  WAL_TRY_GOTO(wal_agree(ctx, draw_all(ctx, &w, &c, &p, rows, watch, user)));
  WAL_TRY_GOTO(wal_block_sum_finish(rows, sums));
  status = wal_agree(ctx, put_together(ctx, auction, &c, rows, out));
  out->seconds = wal_clock() - start;

cleanup:
  free_worker(ctx, &w);
  wal_release(ctx, &sums);
  wal_block_sum_destroy(&rows);
  return status;
}

double wal_one_shot_memory(const wal_ctx *ctx, const wal_one_shot *auction, int64_t samples) {
  const cut c = cut_samples(auction, samples);
  const double told = (double)c.told * (double)c.blocks;
  return 8 * (double)c.blocks * (2 * QUANTITIES + 3 * (double)c.told) +
         wal_one_shot_chunk_memory(auction) + told * (3 + 7) * 8 + (double)wal_ctx_memory(ctx);
}
