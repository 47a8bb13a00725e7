// SPDX-License-Identifier: GPL-3.0-or-later
#include "incentives/steer/steered.h"

static int64_t memory_count(const wal_steered *steered) {
  const wal_space *space = steered->world->space;
  return space->game->shape.horizon * space->pairs;
}

static void start(const wal_steered *steered, double *memory) {
  wal_steered_start(steered, &steered->society->agents[0], memory);
}

static wal_status play(wal_steered *steered, uint64_t seed, int64_t episode, double *memory) {
  wal_arena *arena = &steered->world->arena;
  (void)seed;
  (void)episode;
  wal_steered_read(steered, &steered->society->agents[0], memory, &arena->policy);
  return wal_flow_run(&arena->flow, &arena->policy);
}

static wal_status learn(wal_steered *steered, int64_t episode, double *memory) {
  return wal_steered_teach(steered, &steered->society->agents[0], episode,
                           &steered->world->arena.policy, memory);
}

const wal_steered_type wal_steered_mean_field = {
    .memory_count = memory_count, .start = start, .play = play, .learn = learn};
