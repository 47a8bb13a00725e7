// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_AGENTS_ARENA_H
#define WALRAS_SIM_AGENTS_ARENA_H

#include "sim/game/flow.h"

/**
 * A game as a finite number of agents meet it. N agents of every population stand in states and
 * play actions; what the game makes of that depends on how many do what where:
 *
 *   mu(s) = n(s) / N,   pi(a|s) = n(s,a) / n(s),   z = couple(mu, pi), settled, or by quota()
 *
 * which is an engine's flow and policy like any other: reports, objectives and sweeps backwards
 * take it as they take a mean field. All states are on every rank: an arena stands in a context of
 * this rank alone, and every rank computes the same. Pairs of state and action are numbered s * A +
 * a.
 */
typedef struct wal_arena {
  const wal_space *space; /**< of one rank, all states */
  int64_t pairs;          /**< S * A */
  int64_t agents;         /**< N, of each population */
  int *contest;           /**< [S]: contest of agents in this state, -1: none; NULL without */
  double *initial;        /**< [S]: mu_0; sums to 1 in each population */
  /* where agents go, one each of space->kernels: */
  int32_t **post;   /**< [pairs * K]: t_k(s,a) at [(s * A + a) * K + k] */
  int64_t **row;    /**< [M + 1]: where the row of a post-decision state begins; NULL: no noise */
  int32_t **target; /**< [row[M]]: next states ... */
  double **weight;  /**< ... and their probabilities, > 0, in the order of the game */
  /* the episode so far */
  wal_flow flow;     /**< masses and statistics of its stages; not to be run */
  wal_policy policy; /**< shares of the actions, as probabilities */
  /* the stage last seen */
  double *reward;  /**< [pairs] */
  double *outcome; /**< [pairs * K]: c_k(s,a) at [(s * A + a) * K + k]; NULL if K = 1 */
  int64_t *quota;  /**< [K * C * A]: agents of contest c who play a and get outcome k at
                        [(k * C + c) * A + a]; NULL without contests */
  struct wal_arena_scratch *scratch; /**< the arena's own */
} wal_arena;

/** @param space  laid out in a context of this rank alone; must outlive the arena. Rank-local.
 *  WAL_EINPUT if not enough memory. Cost: asks the game for all maps and noise rows. */
wal_status wal_arena_create(const wal_space *space, wal_arena *out);
/** A zeroed arena is let pass. */
void wal_arena_destroy(wal_arena *arena);

/** Begins an episode of N agents in each population, 1 .. 2^53. Rank-local. */
void wal_arena_begin(wal_arena *arena, int64_t agents);

/**
 * What becomes of a stage: fills the stage's masses, statistics and shares of actions, and rewards,
 * probabilities of outcomes and quotas. Stages in ascending order.
 * @param played  [pairs]: agents in s who play a, over all ranks; sums to N in each population
 * @param policy  [pairs]: shares of the actions where nobody is
 * Rank-local. Cost: a few passes over the pairs. WAL_EINPUT etc. of a game whose operations fail.
 */
wal_status wal_arena_stage(wal_arena *arena, int stage, const int64_t *played,
                           const double *policy);

/** Who sees the stages of the limit: the masses of each group, [groups][S]. */
typedef struct wal_arena_watch {
  void (*see)(void *user, const wal_arena *arena, int stage,
              const double *mass); /**< called once a stage; `mass` is [groups][S] */
  void *user;                      /**< handed to it */
} wal_arena_watch;

/**
 * The limit of many agents: fills the arena's flow and policy with the mean field of a population
 * of which shares play several policies, each group g with masses of its own that move by the
 * common z. With one group this is wal_flow_run().
 * @param share   [groups], > 0, sum 1
 * @param policy  [groups][H]: [pairs]
 * @param mass    [groups][S]: scratch
 * @param watch   sees every stage as it is complete; NULL: nobody
 * Rank-local.
 */
wal_status wal_arena_limit(wal_arena *arena, int groups, const double *share,
                           const double *const *const *policy, double *mass,
                           const wal_arena_watch *watch);

/** Rewards and probabilities of outcomes of a stage again, of the episode that the arena holds; not
 *  its quotas. Rank-local. */
wal_status wal_arena_recall(wal_arena *arena, int stage);

/** Index of the kernel (post, row, target, weight) after a stage. */
static inline int wal_arena_kernel(const wal_arena *arena, int stage) {
  return arena->space->kernels > 1 ? stage : 0;
}

#endif
