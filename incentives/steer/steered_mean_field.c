// SPDX-License-Identifier: GPL-3.0-or-later
#include "incentives/steer/steered.h"

static int64_t memory_count(const wal_steered *steered) {
  const wal_space *space = steered->world->space;
  return space->game->shape.horizon * space->pairs;
}

static double *tile_memory(const wal_space *space, double *memory, int stage, int64_t tile) {
  return memory + stage * space->pairs + wal_space_pair(space, tile);
}

/* All legal actions alike. */
static void start(const wal_steered *steered, double *memory) {
  const wal_space *space = steered->world->space;
  const int actions = space->game->shape.actions;
  const bool policy = steered->agents->type->remembers_policy;
  for (int h = 0; h < space->game->shape.horizon; h++)
    for (int64_t tile = 0; tile < space->tiles; tile++) {
      const wal_slab slab = wal_space_slab(space, h, tile);
      const unsigned char *legal = wal_space_legal(space, tile);
      double *numbers = tile_memory(space, memory, h, tile);
      for (int64_t i = 0; i < slab.count; i++) {
        int count = 0;
        for (int a = 0; a < actions; a++) count += !legal || legal[a * slab.stride + i];
        for (int a = 0; a < actions; a++) {
          const bool may = !legal || legal[a * slab.stride + i];
          numbers[a * slab.stride + i] = policy ? (may ? 1.0 / count : 0) : may ? 0 : WAL_FORBIDDEN;
        }
      }
    }
}

static wal_status play(wal_steered *steered, uint64_t seed, int64_t episode, const double *memory) {
  const wal_space *space = steered->world->space;
  wal_arena *arena = &steered->world->arena;
  (void)seed;
  (void)episode;
  for (int h = 0; h < space->game->shape.horizon; h++)
    for (int64_t tile = 0; tile < space->tiles; tile++) {
      const wal_slab slab = wal_space_slab(space, h, tile);
      steered->agents->type->read(steered->agents, wal_tile_of(space, &slab),
                                  tile_memory(space, (double *)memory, h, tile),
                                  wal_policy_tile(&arena->policy, h, tile));
    }
  return wal_flow_run(&arena->flow, &arena->policy);
}

typedef struct lesson {
  const wal_steered *steered;
  int64_t episode;
  double *memory;
} lesson;

static void visit(void *user, const wal_value_tile *now) {
  const lesson *l = user;
  const wal_space *space = l->steered->world->space;
  l->steered->agents->type->step(l->steered->agents, l->episode, wal_tile_of(space, &now->slab),
                                 now->q[WAL_VALUE_POLICY],
                                 tile_memory(space, l->memory, now->slab.stage, now->tile));
}

static wal_status learn(wal_steered *steered, int64_t episode, double *memory) {
  wal_steer_world *w = steered->world;
  lesson l = {steered, episode, memory};
  wal_value_totals totals;
  const unsigned own = 1u << WAL_VALUE_POLICY;
  const wal_value_request request = {.which = own,
                                     .visits = own,
                                     .keep = WAL_VALUE_POLICY,
                                     .visit = visit,
                                     .user = &l,
                                     .reward = w->total};
  return wal_values_run(&w->values, &w->arena.flow, &w->arena.policy, &request, &totals);
}

const wal_steered_type wal_steered_mean_field = {memory_count, start, play, learn};
