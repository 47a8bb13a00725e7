// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_INCENTIVES_STEER_STEERING_H
#define WALRAS_INCENTIVES_STEER_STEERING_H

#include "incentives/steer/mediator.h"
#include "incentives/steer/steered.h"

/** What is steered, to where, and for how long. What it points to must outlive the steering. */
typedef struct wal_steering_plan {
  const wal_space *space;   /**< of wal_steer_space_create() */
  const wal_agents *agents; /**< all alike; or NULL and */
  const wal_society *society;
  const double *const *target; /**< [H] of [S * A]: pi* */
  int64_t episodes;            /**< T */
  int trajectories;            /**< that a mediator sees of an episode */
  double noise;                /**< standard deviation of the rewards in them */
} wal_steering_plan;

/** Sums over the episodes so far. */
typedef enum wal_steer_sum {
  WAL_STEER_GAP,               /**< sum_h E_{d*} |pi* - pi_t|_1, of the policies meant */
  WAL_STEER_OCCUPANCY_GAP,     /**< |d_t - d*|_1 */
  WAL_STEER_COST,              /**< <d_t, payments> */
  WAL_STEER_EXPLOITABILITY,    /**< of pi_t in its own flow, without payments */
  WAL_STEER_OVERPAYMENT,       /**< <d_t, delta_t>; NaN of mediators that do not equalize */
  WAL_STEER_VIOLATIONS,        /**< pairs with delta < 0: confidence events that did not hold */
  WAL_STEER_REWARD_VIOLATIONS, /**< pairs whose lower bound of the reward does not hold */
  WAL_STEER_MODEL_VIOLATIONS,  /**< pairs whose lower bound of P V does not hold */
  WAL_STEER_LARGEST,           /**< largest payment so far */
  WAL_STEER_LEAST,             /**< least payment so far */
  WAL_STEER_SUMS
} wal_steer_sum;

/** A target in its own mean field. */
typedef struct wal_steer_target {
  double *policy;       /**< [H][S * A] */
  double *density;      /**< [H][S]: d* */
  unsigned char *aimed; /**< [H][S]: 1 where d* > 0 */
  int64_t unreached;    /**< pairs of stage and state where d* = 0 */
  double cheapest;      /**< C*: its exploitability, which is what the cheapest stabilizer costs */
  double equalizer;     /**< what paying 1 - r costs there */
} wal_steer_target;

/**
 * Steers populations, one *unit* (a mediator with a seed) after the other or by turns: all that one
 * episode leaves behind for the next one is a unit's memory. Rank-local, in the context of the
 * plan's space.
 */
typedef struct wal_steering {
  wal_steering_plan plan;
  wal_steer_world world;
  wal_society society;
  wal_steered steered;
  wal_steer_target target;
  int64_t points, *point; /**< [points]: episodes after which sums are kept, ascending; the last
                               one is T */
  int64_t legal_pairs;    /**< pairs of stage, state and action that are legal */
  /* of the episode */
  double *density, *policy;  /**< [H][S], [H][S * A] */
  double *intended;          /**< [H][S * A]: mean of the agents' policies, of which `policy` may
                                  be a draw */
  double *expected, *reward; /**< [S * A] */
  wal_visit *visits;
} wal_steering;

/** WAL_EINPUT as wal_steer_world_create() and wal_steer_world_reward() have it. */
wal_status wal_steering_create(const wal_steering_plan *plan, wal_steering *out);
void wal_steering_destroy(wal_steering *steering);

/** What mediators of this steering are told. */
wal_mediator_setup wal_steering_setup(wal_steering *steering);

/** Numbers in the memory of a unit with this mediator. */
int64_t wal_steering_memory(const wal_steering *steering, const wal_mediator *mediator);
/** Memory before the first episode. */
void wal_steering_begin(const wal_steering *steering, wal_mediator *mediator, double *memory);

/** Plays episodes of a unit until `until` (at most T) have been played. WAL_EINPUT if the game has
 *  rewards outside [0, 1]; WAL_ENONFINITE, naming the episode. */
wal_status wal_steering_run(wal_steering *steering, wal_mediator *mediator, uint64_t seed,
                            int64_t until, double *memory);

/** Episodes of a unit that have been played. */
int64_t wal_steering_played(const double *memory);
/** Sums [WAL_STEER_SUMS] of a unit so far. */
const double *wal_steering_now(const double *memory);
/** Sums [WAL_STEER_SUMS] of a unit at a point that it has reached. */
const double *wal_steering_sums(const double *memory, int64_t point);

#endif
