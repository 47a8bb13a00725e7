// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_AUCTIONS_ONE_SHOT_SIMULATE_H
#define WALRAS_AUCTIONS_ONE_SHOT_SIMULATE_H

#include "auctions/one_shot.h"

/** A mean over samples and its standard error (NaN for one sample). */
typedef struct wal_estimate {
  double mean, error;
} wal_estimate;

/** What the rivals of a bidder leave to be won in one sample. */
typedef struct wal_one_shot_rival {
  double threshold; /**< k-th highest bid of the rivals; -1 if fewer than k of them bid */
  double price;     /**< what a winner pays where that is not the own bid */
  double share;     /**< probability of winning with a bid equal to the threshold */
} wal_one_shot_rival;

enum { WAL_ONE_SHOT_STRATA = 128, WAL_ONE_SHOT_RIVALS = 65536 };

/** The best deviations: one value in each of equally likely strata of the law. */
typedef struct wal_one_shot_deviations {
  int64_t rivals;     /**< samples they are found and judged in, a half each; 0: none */
  wal_estimate least; /**< utility lost; on average at most the true loss on this grid */
  wal_estimate most;  /**< ... on average at least that */
  double value[WAL_ONE_SHOT_STRATA], bid[WAL_ONE_SHOT_STRATA], best[WAL_ONE_SHOT_STRATA];
  double gain[WAL_ONE_SHOT_STRATA]; /**< what `least` is the mean of */
} wal_one_shot_deviations;

/** What samples of an auction come to; the same bits on every rank and number of ranks. */
typedef struct wal_one_shot_result {
  wal_estimate revenue, welfare, utility;
  wal_one_shot_deviations deviations;
  double seconds;
} wal_one_shot_result;

/** Called now and then while samples are drawn. */
typedef void (*wal_one_shot_watch)(void *user, int64_t done, int64_t total);

/**
 * Draws samples 0 .. samples-1, 1 <= samples <= 2^53. Sample i of bidder j depends on the context's
 * seed, i and j only. @collective ctx
 */
wal_status wal_one_shot_simulate(wal_ctx *ctx, const wal_one_shot *auction, int64_t samples,
                                 wal_one_shot_watch watch, void *user, wal_one_shot_result *out);

/** Most bytes that it takes on a rank. */
double wal_one_shot_memory(const wal_ctx *ctx, const wal_one_shot *auction, int64_t samples);

/* Of one_shot_chunk.c: some samples side by side. */

typedef struct wal_one_shot_chunk wal_one_shot_chunk;

wal_status wal_one_shot_chunk_create(wal_ctx *ctx, const wal_one_shot *auction,
                                     wal_one_shot_chunk **out);
void wal_one_shot_chunk_destroy(wal_ctx *ctx, wal_one_shot_chunk **chunk);
/** Most samples that it holds. */
int64_t wal_one_shot_chunk_size(const wal_one_shot *auction);
double wal_one_shot_chunk_memory(const wal_one_shot *auction);

/** Draws `count` samples from `first` on.
 *  @param amounts  revenue, welfare, utility of a bidder (the mean of all), of each sample
 *  @param rivals   those of the first bidder, of the first `told` samples */
wal_status wal_one_shot_chunk_draw(wal_ctx *ctx, wal_one_shot_chunk *chunk, int64_t first,
                                   int64_t count, double *const amounts[3], int64_t told,
                                   wal_one_shot_rival *rivals);

/* Of one_shot_deviation.c. */

/** Finds, among the thresholds of the rivals, what bids would have been best. Rank-local. */
wal_status wal_one_shot_find_deviations(wal_ctx *ctx, const wal_one_shot *auction, int64_t count,
                                        const wal_one_shot_rival *rivals,
                                        wal_one_shot_deviations *out);

#endif
