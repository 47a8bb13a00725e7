// SPDX-License-Identifier: GPL-3.0-or-later
#include "incentives/steer/steered.h"

const wal_steered_type *wal_steered_type_of(const wal_society *society) {
  if (society->count > 0) return &wal_steered_individuals;
  return society->groups > 1 ? &wal_steered_mixture : &wal_steered_mean_field;
}

static double *tile_memory(const wal_space *space, double *memory, int stage, int64_t tile) {
  return memory + stage * space->pairs + wal_space_pair(space, tile);
}

void wal_steered_start(const wal_steered *steered, const wal_agents *agents, double *memory) {
  const wal_space *space = steered->world->space;
  const int actions = space->game->shape.actions;
  const bool policy = agents->type->remembers_policy;
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

void wal_steered_read(const wal_steered *steered, const wal_agents *agents, const double *memory,
                      wal_policy *policy) {
  const wal_space *space = steered->world->space;
  for (int h = 0; h < space->game->shape.horizon; h++)
    for (int64_t tile = 0; tile < space->tiles; tile++) {
      const wal_slab slab = wal_space_slab(space, h, tile);
      agents->type->read(agents, wal_tile_of(space, &slab),
                         tile_memory(space, (double *)memory, h, tile),
                         wal_policy_tile(policy, h, tile));
    }
}

typedef struct lesson {
  const wal_agents *agents;
  int64_t episode;
  wal_policy *policy;
  double *memory;
} lesson;

static void visit(void *user, const wal_value_tile *now) {
  const lesson *l = user;
  const wal_space *space = l->policy->space;
  const wal_tile tile = wal_tile_of(space, &now->slab);
  double *memory = tile_memory(space, l->memory, now->slab.stage, now->tile);
  l->agents->type->step(l->agents, l->episode, tile, now->q[WAL_VALUE_POLICY], memory);
}

wal_status wal_steered_teach(wal_steered *steered, const wal_agents *agents, int64_t episode,
                             wal_policy *policy, double *memory) {
  wal_steer_world *w = steered->world;
  lesson l = {agents, episode, policy, memory};
  wal_value_totals totals;
  const unsigned own = 1u << WAL_VALUE_POLICY;
  const wal_value_request request = {.which = own,
                                     .visits = own,
                                     .keep = WAL_VALUE_POLICY,
                                     .visit = visit,
                                     .user = &l,
                                     .reward = w->total};
  return wal_values_run(&w->values, &w->arena.flow, policy, &request, &totals);
}
