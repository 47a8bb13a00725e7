// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include "incentives/steer/steered.h"
#include "sim/core/memory.h"

/* Groups, each with a policy: with mu_g the masses of group g, which move by its own policy,
 *   mu = sum_g share_g mu_g,   pi = sum_g share_g mu_g pi_g / mu,
 * and mu is the flow of pi, because transitions do not depend on the density. */

typedef struct mixture {
  wal_policy own; /* of a group */
  double *mass;   /* [H][S]: mu */
  double *plain;  /* [H][pairs]: sum_g share_g pi_g, for where nobody is */
} mixture;

static int64_t numbers(const wal_steered *steered) {
  const wal_space *space = steered->world->space;
  return space->game->shape.horizon * space->pairs;
}

static void destroy(wal_steered *steered) {
  mixture *m = steered->self;
  wal_ctx *ctx = steered->world->space->ctx;
  if (!m) return;
  wal_policy_destroy(&m->own);
  wal_release(ctx, &m->mass);
  wal_release(ctx, &m->plain);
  wal_release(ctx, &m);
  steered->self = NULL;
}

static wal_status create(wal_steered *steered) {
  const wal_space *space = steered->world->space;
  const wal_shape *shape = &space->game->shape;
  mixture *m = NULL;
  WAL_TRY(wal_acquire(space->ctx, "groups of agents", 1, sizeof *m, &m));
  steered->self = m;
  WAL_TRY(wal_policy_create(space, WAL_POLICY_PROBABILITIES, &m->own));
  WAL_TRY(wal_acquire(space->ctx, "groups of agents", shape->horizon * shape->states,
                      sizeof(double), &m->mass));
  return wal_acquire(space->ctx, "groups of agents", numbers(steered), sizeof(double), &m->plain);
}

static int64_t memory_count(const wal_steered *steered) {
  return steered->society->groups * numbers(steered);
}

static void start(const wal_steered *steered, double *memory) {
  for (int g = 0; g < steered->society->groups; g++)
    wal_steered_start(steered, &steered->society->agents[g], memory + g * numbers(steered));
}

/* Adds a group, whose flow and policy are at hand. */
static void add_group(const wal_steered *steered, double share) {
  mixture *m = steered->self;
  const wal_space *space = steered->world->space;
  const wal_shape *shape = &space->game->shape;
  wal_arena *arena = &steered->world->arena;
  for (int h = 0; h < shape->horizon; h++) {
    const double *of_group = wal_flow_mass(&arena->flow, h);
    for (int64_t s = 0; s < shape->states; s++)
      m->mass[h * shape->states + s] += share * of_group[s];
    for (int64_t tile = 0; tile < space->tiles; tile++) {
      const wal_slab slab = wal_space_slab(space, h, tile);
      const double *own = wal_policy_tile(&m->own, h, tile);
      double *pi = wal_policy_tile(&arena->policy, h, tile);
      double *plain = m->plain + h * space->pairs + wal_space_pair(space, tile);
      for (int a = 0; a < shape->actions; a++)
        for (int64_t i = 0; i < slab.count; i++) {
          const int64_t at = a * slab.stride + i;
          pi[at] += share * of_group[slab.first + i] * own[at];
          plain[at] += share * own[at];
        }
    }
  }
}

static void divide(const wal_steered *steered) {
  const mixture *m = steered->self;
  const wal_space *space = steered->world->space;
  const wal_shape *shape = &space->game->shape;
  for (int h = 0; h < shape->horizon; h++)
    for (int64_t tile = 0; tile < space->tiles; tile++) {
      const wal_slab slab = wal_space_slab(space, h, tile);
      const double *mass = m->mass + h * shape->states + slab.first;
      const double *plain = m->plain + h * space->pairs + wal_space_pair(space, tile);
      double *pi = wal_policy_tile(&steered->world->arena.policy, h, tile);
      for (int a = 0; a < shape->actions; a++)
        for (int64_t i = 0; i < slab.count; i++) {
          const int64_t at = a * slab.stride + i;
          pi[at] = mass[i] > 0 ? pi[at] / mass[i] : plain[at];
        }
    }
}

static wal_status play(wal_steered *steered, uint64_t seed, int64_t episode, double *memory) {
  mixture *m = steered->self;
  const wal_shape *shape = &steered->world->space->game->shape;
  const wal_society *society = steered->society;
  wal_arena *arena = &steered->world->arena;
  (void)seed;
  (void)episode;
  memset(m->mass, 0, (size_t)(shape->horizon * shape->states) * sizeof *m->mass);
  memset(m->plain, 0, (size_t)numbers(steered) * sizeof *m->plain);
  memset(arena->policy.values, 0, (size_t)numbers(steered) * sizeof *m->plain);
  for (int g = 0; g < society->groups; g++) {
    wal_steered_read(steered, &society->agents[g], memory + g * numbers(steered), &m->own);
    WAL_TRY(wal_flow_run(&arena->flow, &m->own));
    add_group(steered, society->share[g]);
  }
  divide(steered);
  return wal_flow_run(&arena->flow, &arena->policy);
}

static wal_status learn(wal_steered *steered, int64_t episode, double *memory) {
  mixture *m = steered->self;
  const wal_society *society = steered->society;
  for (int g = 0; g < society->groups; g++) {
    double *of_group = memory + g * numbers(steered);
    wal_steered_read(steered, &society->agents[g], of_group, &m->own);
    WAL_TRY(wal_steered_teach(steered, &society->agents[g], episode, &m->own, of_group));
  }
  return WAL_OK;
}

const wal_steered_type wal_steered_mixture = {.create = create,
                                              .destroy = destroy,
                                              .memory_count = memory_count,
                                              .start = start,
                                              .play = play,
                                              .learn = learn};
