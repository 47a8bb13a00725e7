// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_AGENTS_CROWD_H
#define WALRAS_SIM_AGENTS_CROWD_H

#include "sim/agents/arena.h"

/** Agents who play. */
typedef struct wal_crowd wal_crowd;

enum { WAL_GUEST_OUTCOMES = 64 }; /**< of a game that guests play */

/** Agents with one policy. In each population p, agents[p] of them. */
typedef struct wal_crowd_group {
  int64_t agents[WAL_POPULATIONS]; /**< of each population */
  const double *const *policy;     /**< [H] of [pairs]: pi_h(a|s) at [s * A + a]; rows sum to 1. Not
                                        to be changed while there is a crowd: it may have been read */
} wal_crowd_group;

/** An agent that is followed beside the groups, whatever the mode: one who tries another policy.
 *  What it draws depends on the episode's seed and its number only. */
typedef struct wal_guest {
  int64_t number;              /**< different ones draw differently; >= 0 */
  int population;              /**< that it belongs to */
  const double *const *policy; /**< as that of a group */
  /* of the episode */
  int32_t state; /**< where it is */
  int action;    /**< that it played last */
  double reward; /**< summed over the stages so far */
} wal_guest;

/** Who plays. `agents` of every population, guests counted, must be the same in each. */
typedef struct wal_crowd_plan {
  wal_arena *arena;             /**< of this rank; must outlive the crowd */
  int groups;                   /**< >= 1 */
  const wal_crowd_group *group; /**< [groups]; must outlive the crowd */
  int guests;                   /**< >= 0 */
  wal_guest *guest;             /**< [guests]; must outlive the crowd */
} wal_crowd_plan;

/** How agents of groups are kept. `ctx` is that of the crowd: its ranks share the agents, or do the
 *  same. Operations are collective in it; counts are the same on all ranks afterwards. */
typedef struct wal_crowd_type {
  const char *name; /**< "individual", "counts" */
  int64_t most;     /**< agents a population */
  /** Makes `self`. Few large things: they are planned. */
  wal_status (*create)(wal_crowd *crowd);
  void (*destroy)(wal_crowd *crowd); /**< frees `self` */
  /** Puts all agents into their first states, from crowd->seed. */
  wal_status (*begin)(wal_crowd *crowd);
  /** All agents choose actions: played[g * pairs + (s * A + a)] are those of group g in s who play
   *  a, of all ranks. */
  wal_status (*act)(wal_crowd *crowd, int stage, int64_t *played);
  /** All agents draw their outcomes and move. Of those in a contest, whatever their group, exactly
   *  as many as crowd->left says get an outcome. */
  wal_status (*move)(wal_crowd *crowd, int stage);
} wal_crowd_type;

/** N agents playing a game's stages, over and over: an episode each. */
struct wal_crowd {
  wal_ctx *ctx;               /**< not its own */
  const wal_crowd_type *type; /**< its operations */
  wal_crowd_plan plan;        /**< as it was given */
  int64_t agents;             /**< N, of each population */
  void *self;                 /**< the type's own */
  /* of the episode */
  uint64_t seed;   /**< of all that is drawn */
  int64_t *played; /**< [groups][pairs], of the stage last played */
  int64_t *total;  /**< [pairs]: with guests */
  int64_t *left; /**< [K][C][A]: the arena's quota without what guests got; NULL without contests */
  int64_t *rivals; /**< [C][A]: agents of groups in each contest, by action */
};

/** Who sees the stages of an episode as they are played: crowd->played and the arena are complete,
 *  nobody has moved yet. The same on all ranks. May be NULL. Must not fail. */
typedef struct wal_crowd_watch {
  void (*see)(void *user, const wal_crowd *crowd, int stage); /**< called once a stage */
  void *user;                                                 /**< handed to it */
} wal_crowd_watch;

/** WAL_EINPUT, naming numbers, if there are no agents, too many for the type, or not as many in one
 *  population as in another, or if not enough memory. @collective ctx */
wal_status wal_crowd_create(wal_ctx *ctx, const wal_crowd_type *type, const wal_crowd_plan *plan,
                            wal_crowd **out);
/** Frees it and sets *crowd to NULL; NULL is let pass. Rank-local. */
void wal_crowd_destroy(wal_crowd **crowd);

/**
 * Plays episode number `episode` of a context's seed: the arena then holds its flow and policy.
 * @param watch  NULL: nobody
 * @collective ctx. The same bits on every number of ranks.
 */
wal_status wal_crowd_play(wal_crowd *crowd, int64_t episode, const wal_crowd_watch *watch);

/** Lets a guest (alone, without the others noticing) go through what the last episode was like,
 * with the very draws that it would have had there. The arena's flow and policy are of that
 * episode; its rewards and outcomes are found again. Rank-local. */
wal_status wal_guest_visit(wal_arena *arena, uint64_t seed, wal_guest *guest);

/** The seed of an episode of N agents: 64 bits of Philox. */
uint64_t wal_episode_seed(uint64_t seed, int64_t agents, int64_t episode);

/** Agents one by one, spread over the ranks of ctx: 4 bytes each for where they are and what they
 *  do. sim/agents/individual.h looks at them. */
extern const wal_crowd_type wal_crowd_individual;
/** Agents counted by group and state: the same law at a cost that does not depend on N. */
extern const wal_crowd_type wal_crowd_counts;

#endif
