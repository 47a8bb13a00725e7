// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_GAME_VALUE_H
#define WALRAS_SIM_GAME_VALUE_H

#include "sim/game/flow.h"

/** Value functions in a fixed flow; a sweep computes any set of them side by side. */
typedef enum wal_value {
  WAL_VALUE_POLICY,      /**< of the policy itself */
  WAL_VALUE_BEST,        /**< of a best response */
  WAL_VALUE_SOFT_POLICY, /**< of the policy, plus entropy * Ent(pi(.|s)) at every stage */
  WAL_VALUE_SOFT_BEST,   /**< of the best response to that: entropy * log sum exp(q / entropy) */
  WAL_VALUES
} wal_value;

/** What the sweep has at hand for one tile of one stage; valid during the call. */
typedef struct wal_value_tile {
  wal_slab slab;               /**< its stage and states */
  int64_t tile;                /**< its number on this rank */
  const double *mass;          /**< [count] */
  const double *pi;            /**< [A][stride]; may be the policy's own array */
  const double *q[WAL_VALUES]; /**< [A][stride] of the values that visits asked for */
  const double *v[WAL_VALUES]; /**< [count], their V_h */
} wal_value_tile;

/**
 * A step on logits that a sweep takes by itself, tile by tile: y <- keep * y + rate * q with q of
 * the soft value of the policy. Making q, its values, the new logits and their probabilities in one
 * go spares the passes that a visit would take.
 */
typedef struct wal_logit_step {
  double keep, rate; /**< factors of the logits and of q */
} wal_logit_step;

/**
 * A backward sweep's request. `visit` (may be NULL) is called once per tile, stages descending,
 * after the tile's values are complete: the place where a learner updates the policy, whose numbers
 * for this tile are not read again. It may change the policy's own tile only.
 */
typedef struct wal_value_request {
  unsigned which;  /**< bits 1 << wal_value */
  unsigned visits; /**< of these, those whose q the visit reads */
  double entropy;  /**< of the soft values, > 0 if they are asked for */
  wal_value keep;  /**< whose V_h(s) of all stages is kept */
  void (*visit)(void *user, const wal_value_tile *tile); /**< called once a tile; NULL: nobody */
  void *user;                                            /**< handed to it */
  const wal_logit_step
      *step; /**< instead of a visit, or NULL; WAL_VALUE_SOFT_POLICY is asked for */
  /** [H][space->pairs], as a policy's numbers: rewards in place of the game's own, with its toll;
   *  NULL: the game's. Also what wal_values_best() goes by until the next sweep. */
  const double *reward;
} wal_value_request;

/** Totals of a sweep, the same on all ranks: per population, weighted by the initial mass. */
typedef struct wal_value_totals {
  double value[WAL_VALUES][WAL_POPULATIONS];   /**< <mu_0, V_0> */
  double exploitability[WAL_POPULATIONS];      /**< <mu_0, best V_0 - V_0>, if both were asked */
  double soft_exploitability[WAL_POPULATIONS]; /**< the same with entropy */
} wal_value_totals;

/** Room for backward sweeps of one space. */
typedef struct wal_values {
  const wal_space *space; /**< not its own */
  double *kept;           /**< [H][space->row]: V_h(s) of the value that the last sweep kept, see
                               wal_values_kept() */
  struct wal_values_scratch *scratch; /**< the values' own */
} wal_values;

/** V_h(s) of own states of the value that the last sweep kept. */
static inline double *wal_values_kept(const wal_values *values, int stage) {
  return values->kept + stage * values->space->row;
}

/** Makes room for sweeps.
 *  @param which  the values that sweeps will ask for
 *  @param kept   the one that all of them will keep, which saves memory; WAL_VALUES if that changes
 *  @collective */
wal_status wal_values_create(const wal_space *space, unsigned which, wal_value kept,
                             wal_values *out);
/** Frees what it holds; zeroed values are let pass. Rank-local. */
void wal_values_destroy(wal_values *values);

/**
 * Backward sweep in the flow of `flow`:
 *   q_h(s,a) = r_h(s,a) + sum_k c_{h,k}(s,a) (N V_{h+1})(t_k(s,a)),   V_H = 0.
 * Per stage: one read of the policy and, per value, one or two exchanges with neighbours.
 * @param policy  the policy whose flow it is
 * @param totals  receives the totals of what was asked for; not NULL
 * @collective. What the game's failure() says, if it has one. That values are finite is not looked
 * at.
 */
wal_status wal_values_run(wal_values *values, const wal_flow *flow, const wal_policy *policy,
                          const wal_value_request *request, wal_value_totals *totals);

/** What this rank exchanges in a run for these values. */
wal_traffic wal_values_traffic(const wal_space *space, unsigned which);

/* Best responses on the way forwards, from the values of a sweep that kept WAL_VALUE_BEST: */

/** Brings in the values of stage + 1. @collective */
wal_status wal_values_open(wal_values *values, int stage);
/** q*_h of a tile, [A][stride]; through `pi` the policy's probabilities. Valid until the next call.
 *  The flow must be that of the policy, and the policy's tile unchanged since. Rank-local. */
const double *wal_values_best(wal_values *values, const wal_flow *flow, const wal_policy *policy,
                              const wal_slab *slab, int64_t tile, const double **pi);

#endif
