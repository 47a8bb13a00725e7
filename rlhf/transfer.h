// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_RLHF_TRANSFER_H
#define WALRAS_RLHF_TRANSFER_H

#include "rlhf/annotators.h"
#include "rlhf/method.h"

/** What is learnt, from whom, for how long. What it points to must outlive the transfer. */
typedef struct wal_transfer_plan {
  wal_ctx *ctx;
  void *user; /**< of the two that follow */
  /** The bandit of a seed; all of them have the same shape. As wal_bandit_draw(). */
  wal_status (*bandit)(void *user, wal_ctx *ctx, uint64_t seed, wal_bandit *out);
  /** The sources for it; NULL: there are none. As wal_sources_draw(). */
  wal_status (*sources)(void *user, wal_ctx *ctx, const wal_bandit *bandit, uint64_t seed,
                        wal_sources *out);
  wal_annotators annotators;
  int64_t rounds; /**< T */
  int64_t refit;  /**< rounds from one fit to the next */
  uint64_t seed;  /**< one of the seeds: its bandit is made at once, for the shape, and to be told
                       what is wrong with it */
} wal_transfer_plan;

/** Sums and states at a grid point, followed by selection counts of the arms. */
typedef enum wal_transfer_sum {
  WAL_TRANSFER_REGRET,   /**< sum of J(pi*) - J(pi_t), pi_t the policy of the first response */
  WAL_TRANSFER_GAP,      /**< J(pi*) - J(pi_t) in that round */
  WAL_TRANSFER_COVERAGE, /**< Cov^{pi*|pi_t} in that round */
  WAL_TRANSFER_SUMS
} wal_transfer_sum;

typedef struct wal_transfer_gap wal_transfer_gap;

/**
 * Preferences are asked for round by round, one *unit* (a method with a seed) after the other or by
 * turns: all that one round leaves behind for the next one is a unit's memory. Rank-local. The
 * bandit, its sources, and the uniform numbers that choose prompts, responses and labels depend on
 * the seed and the round only, never on the method: differences between methods are paired.
 */
typedef struct wal_transfer {
  wal_transfer_plan plan;
  wal_bandit bandit;   /**< of `seed` */
  wal_sources sources; /**< for it */
  uint64_t seed;
  wal_fit *fit;
  int64_t arms;            /**< W + 2: sources, online, distilled */
  int64_t points, *point;  /**< [points]: rounds after which sums are kept, ascending; the last one
                                is T */
  wal_transfer_gap *known; /**< gaps of policies that have been proposed */
  int64_t known_count;
} wal_transfer;

/** WAL_EINPUT as the plan's makers have it, or if the shape is too large. */
wal_status wal_transfer_create(const wal_transfer_plan *plan, wal_transfer *out);
void wal_transfer_destroy(wal_transfer *transfer);

/** What methods of this transfer are told. */
wal_transfer_method_setup wal_transfer_setup(const wal_transfer *transfer);

/** Makes the bandit and the sources of a seed those at work; at once if they are already. */
wal_status wal_transfer_seed(wal_transfer *transfer, uint64_t seed);

/** Numbers in the memory of a unit with this method. */
int64_t wal_transfer_memory(const wal_transfer *transfer, const wal_transfer_method *method);
/** Memory before the first round. */
wal_status wal_transfer_begin(wal_transfer *transfer, wal_transfer_method *method, uint64_t seed,
                              double *memory);
/** Goes on with a unit until `until` (at most T) rounds have been played. WAL_ENONFINITE, naming
 *  the method and the round. */
wal_status wal_transfer_run(wal_transfer *transfer, wal_transfer_method *method, uint64_t seed,
                            int64_t until, double *memory);

/* Results, read from a unit's memory. */

/** Rounds that have been played. */
int64_t wal_transfer_played(const double *memory);
/** Sums [WAL_TRANSFER_SUMS] and, following them, selection counts [arms] so far. */
const double *wal_transfer_now(const double *memory);
/** The same at a grid point that has been reached. */
const double *wal_transfer_sums(const wal_transfer *transfer, const double *memory, int64_t point);
/** log-probabilities [S * A] of the policy that is handed over after T rounds; they are 0 before.
 */
const double *wal_transfer_final(const wal_transfer *transfer, const double *memory);

/** J(pi*) - J(pi) of each source and, last, of the reference policy, in the bandit of a seed.
 *  @param out  [W + 1] */
wal_status wal_transfer_source_gaps(wal_transfer *transfer, uint64_t seed, double *out);
/** Rates out[i][j] at which policy i is preferred to policy j in the bandit of a seed, by r*; and
 *  J(pi*) - J(pi_i). @param final  log-probabilities [count] of [S * A]
 *  @param gap  [count], or NULL */
wal_status wal_transfer_win_rates(wal_transfer *transfer, uint64_t seed, int64_t count,
                                  const double *const *final, double *out, double *gap);

#endif
