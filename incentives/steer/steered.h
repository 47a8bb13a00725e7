// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_INCENTIVES_STEER_STEERED_H
#define WALRAS_INCENTIVES_STEER_STEERED_H

#include "incentives/steer/society.h"
#include "incentives/steer/world.h"

typedef struct wal_steered wal_steered;

/**
 * Those who are steered: they play an episode, are told what their actions were worth with
 * payments, and learn. All that they remember stands in memory that is given to them. Rank-local.
 */
typedef struct wal_steered_type {
  /** Makes `self`; NULL: there is none. destroy() follows if it fails, too. */
  wal_status (*create)(wal_steered *steered);
  void (*destroy)(wal_steered *steered);
  /** Numbers of memory that they need. */
  int64_t (*memory_count)(const wal_steered *steered);
  /** Memory before the first episode. */
  void (*start)(const wal_steered *steered, double *memory);
  /** Plays an episode: the world's arena receives flow and policy. What the seed decides about
   *  memory is drawn before the first one. */
  wal_status (*play)(wal_steered *steered, uint64_t seed, int64_t episode, double *memory);
  /** Learns from the world's total rewards, in the flow of the episode. */
  wal_status (*learn)(wal_steered *steered, int64_t episode, double *memory);
  /** Policies by which the episode is to be played, their mean: policy [H][S * A]. NULL: what is
   *  played is no draw. */
  void (*intend)(const wal_steered *steered, const double *memory, double *policy);
  /** As wal_steer_world_sample(), agents that have played. NULL: that. */
  void (*sample)(const wal_steered *steered, uint64_t seed, int64_t episode, int trajectories,
                 double noise, wal_visit *visits);
} wal_steered_type;

struct wal_steered {
  const wal_steered_type *type;
  wal_steer_world *world;
  const wal_society *society;
  void *self;
};

/** Infinitely many agents, all with one policy: they are told the values of all actions in the mean
 *  field. */
extern const wal_steered_type wal_steered_mean_field;
/** Groups of infinitely many agents, each group with one policy, in one mean field. */
extern const wal_steered_type wal_steered_mixture;
/** So many agents, each with a policy of its own, that are drawn through the game. */
extern const wal_steered_type wal_steered_individuals;

/** The one that fits a society. */
const wal_steered_type *wal_steered_type_of(const wal_society *society);

/* Parts of them. A policy is remembered in [H][space->pairs] numbers, as a policy's: */

/** Memory of a policy that plays all legal actions alike. */
void wal_steered_start(const wal_steered *steered, const wal_agents *agents, double *memory);
/** The policy, probabilities, that memory stands for. */
void wal_steered_read(const wal_steered *steered, const wal_agents *agents, const double *memory,
                      wal_policy *policy);
/** A step of memory by the values of its policy, in the flow of the episode. */
wal_status wal_steered_teach(wal_steered *steered, const wal_agents *agents, int64_t episode,
                             wal_policy *policy, double *memory);

#endif
