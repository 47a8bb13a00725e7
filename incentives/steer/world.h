// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_INCENTIVES_STEER_WORLD_H
#define WALRAS_INCENTIVES_STEER_WORLD_H

#include "incentives/steer/observation.h"
#include "sim/agents/arena.h"
#include "sim/game/value.h"

/**
 * The true game, all states on this rank, and the episode that is being played in it: what agents
 * get, what those who watch may know, and what is sampled. Rank-local.
 */
typedef struct wal_steer_world {
  const wal_space *space;
  wal_arena arena; /**< flow and policy of the episode, kernels */
  wal_values values;
  double *reward;  /**< [H][space->pairs]: r_h(s,a,mu_t), without payments, as a policy's numbers */
  double *total;   /**< [H][space->pairs]: with payments */
  double *initial; /**< [S]: initial masses, summed up */
  unsigned char *legal; /**< [S * A]; NULL: all pairs are */
  double *room[2];      /**< halo arrays */
  double *zero, *tile;
  wal_known_game known; /**< of the episode */
  wal_status failed;    /**< of what known was asked */
} wal_steer_world;

/** WAL_EINPUT for games in which what happens may depend on the density: they have outcomes. Names
 *  the innermost game, as those around it leave moves alone. */
wal_status wal_steer_check(wal_ctx *ctx, const wal_game *game);

/** Lays a game out for a world. @param alone  a context of this rank alone */
wal_status wal_steer_space_create(wal_ctx *alone, const wal_game *game, wal_space **out);

/** WAL_EINPUT as wal_steer_check() has it. @param space  of this rank alone; must outlive the world
 */
wal_status wal_steer_world_create(const wal_space *space, wal_steer_world *out);
void wal_steer_world_destroy(wal_steer_world *world);

/** Asks the game for the rewards of the episode that the arena holds. WAL_EINPUT if one is outside
 *  [0, 1], naming it. */
wal_status wal_steer_world_reward(wal_steer_world *world);

/** total = reward + payment [H][S * A]. */
void wal_steer_world_pay(wal_steer_world *world, const double *payment);

/** From an array as a policy's numbers to those of a stage, numbered s * A + a. */
void wal_steer_world_collect(const wal_steer_world *world, int stage, const double *tiles,
                             double *pairs);

/** Where a pair s * A + a stands in an array over (state, action). */
static inline int64_t wal_steer_world_place(const wal_steer_world *world, int64_t pair) {
  const wal_partition *p = &world->space->states;
  const int actions = world->space->game->shape.actions;
  const int64_t state = pair / actions, in_block = state % p->block;
  const int64_t tile = state / p->block * p->block_tiles + in_block / p->tile;
  return wal_space_pair(world->space, tile) + pair % actions * p->tile + in_block % p->tile;
}

/** The first of `count` places at which sums, ascending, exceed u times all; 0 <= u < 1. */
int64_t wal_steer_world_pick(int64_t count, const double *sums, double u);
/** The state after a pair of a stage before the last one. @param u  uniform on [0,1) */
int64_t wal_steer_world_next(const wal_steer_world *world, int stage, int64_t pair, double u);

/**
 * Draws trajectories of the episode that the arena holds.
 * @param policy  [H][S * A], of the episode
 * @param visits  [trajectories][H]
 * A draw depends on seed, episode, stage and trajectory only.
 */
void wal_steer_world_sample(const wal_steer_world *world, uint64_t seed, int64_t episode,
                            const double *policy, int trajectories, double noise,
                            wal_visit *visits);

#endif
