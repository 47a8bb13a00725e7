// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_INCENTIVES_STEER_STEERED_H
#define WALRAS_INCENTIVES_STEER_STEERED_H

#include "incentives/steer/agents.h"
#include "incentives/steer/world.h"

typedef struct wal_steered wal_steered;

/**
 * Those who are steered: they play an episode, are told what their actions were worth with
 * payments, and learn. All that they remember stands in memory that is given to them. Rank-local.
 */
typedef struct wal_steered_type {
  /** Numbers of memory that they need. */
  int64_t (*memory_count)(const wal_steered *steered);
  /** Memory before the first episode. */
  void (*start)(const wal_steered *steered, double *memory);
  /** Plays an episode: the world's arena receives flow and policy. */
  wal_status (*play)(wal_steered *steered, uint64_t seed, int64_t episode, const double *memory);
  /** Learns from the world's total rewards, in the flow of the episode. */
  wal_status (*learn)(wal_steered *steered, int64_t episode, double *memory);
} wal_steered_type;

struct wal_steered {
  const wal_steered_type *type;
  wal_steer_world *world;
  const wal_agents *agents;
};

/** Infinitely many agents, all with one policy: they are told the values of all actions in the mean
 *  field. */
extern const wal_steered_type wal_steered_mean_field;

#endif
