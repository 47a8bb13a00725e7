// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/agents/arena.h"

#include <string.h>

#include "sim/core/block_sum.h"
#include "sim/core/memory.h"

enum { ROWS = 4096 };  // rows of a kernel that are asked for at a time

struct wal_arena_scratch {
  wal_block_sum *statistic; /**< NULL without one */
  int64_t *contestants;     /**< [C * A] */
  double *reward, *outcome; /**< a tile; K tiles */
};

// ---- Made -------------------------------------------------------------------------------------

static wal_status ask_maps(wal_arena *arena, int kernel, int64_t *room) {
  const wal_game *game = arena->space->game;
  const wal_shape *shape = &game->shape;
  const int outcomes = shape->outcomes;
  WAL_TRY(wal_acquire(arena->space->ctx, "maps of agents", arena->pairs * outcomes, sizeof(int32_t),
                      &arena->post[kernel]));
  if (wal_ctx_planning(arena->space->ctx)) return WAL_OK;
  for (int k = 0; k < outcomes; k++)
    for (int a = 0; a < shape->actions; a++)
      for (int64_t first = 0; first < shape->states; first += ROWS) {
        const int64_t left = shape->states - first, count = left < ROWS ? left : ROWS;
        game->type->move(game->self, kernel, k, a, first, count, room);
        for (int64_t i = 0; i < count; i++)
          arena->post[kernel][((first + i) * shape->actions + a) * outcomes + k] = (int32_t)room[i];
      }
  return WAL_OK;
}

static int row_length(const wal_game *game, int kernel, int64_t first, int64_t count) {
  return game->type->row_length ? game->type->row_length(game->self, kernel, first, count)
                                : game->shape.noise_terms;
}

/* Entries of weight 0 are left out. */
static wal_status ask_rows(wal_arena *arena, int kernel, int64_t *target, double *weight) {
  const wal_game *game = arena->space->game;
  wal_ctx *ctx = arena->space->ctx;
  const int64_t rows = game->shape.post_states > 0 ? game->shape.post_states : game->shape.states;
  int64_t used = 0, room = 0;
  WAL_TRY(wal_acquire(ctx, "noise of agents", rows + 1, sizeof(int64_t), &arena->row[kernel]));
  for (int64_t m = 0; m < rows; m++) {
    const int terms = row_length(game, kernel, m, 1);
    if (wal_ctx_planning(ctx)) {
      used += terms;
      continue;
    }
    game->type->noise(game->self, kernel, m, 1, target, weight);
    if (used + terms > room) {
      int64_t same = room;
      WAL_TRY(wal_grow(ctx, "noise of agents", &arena->target[kernel], used, used + terms, &same,
                       sizeof(int32_t)));
      WAL_TRY(wal_grow(ctx, "noise of agents", &arena->weight[kernel], used, used + terms, &room,
                       sizeof(double)));
    }
    for (int e = 0; e < terms; e++) {
      if (!(weight[e] > 0)) continue;
      arena->target[kernel][used] = (int32_t)target[e];
      arena->weight[kernel][used++] = weight[e];
    }
    arena->row[kernel][m + 1] = used;
  }
  if (!wal_ctx_planning(ctx)) return WAL_OK;
  arena->row[kernel][rows] = used;  // for those who plan what depends on it
  WAL_TRY(wal_acquire(ctx, "noise of agents", used, sizeof(int32_t), &arena->target[kernel]));
  return wal_acquire(ctx, "noise of agents", used, sizeof(double), &arena->weight[kernel]);
}

static wal_status make_kernels(wal_arena *arena) {
  const wal_space *space = arena->space;
  wal_ctx *ctx = space->ctx;
  const int kernels = space->kernels;
  const int64_t terms = space->game->shape.noise_terms;
  int64_t *index = NULL;
  double *weight = NULL;
  wal_status status = WAL_OK;
  WAL_TRY_GOTO(wal_acquire(ctx, "maps of agents", kernels, sizeof(int32_t *), &arena->post));
  WAL_TRY_GOTO(wal_acquire(ctx, "maps of agents", ROWS + terms, sizeof *index, &index));
  if (space->noise) {
    WAL_TRY_GOTO(wal_acquire(ctx, "noise of agents", kernels, sizeof(int64_t *), &arena->row));
    WAL_TRY_GOTO(wal_acquire(ctx, "noise of agents", kernels, sizeof(int32_t *), &arena->target));
    WAL_TRY_GOTO(wal_acquire(ctx, "noise of agents", kernels, sizeof(double *), &arena->weight));
    WAL_TRY_GOTO(wal_acquire(ctx, "noise of agents", terms, sizeof *weight, &weight));
  }
  for (int k = 0; k < kernels; k++) {
    WAL_TRY_GOTO(ask_maps(arena, k, index));
    if (space->noise) WAL_TRY_GOTO(ask_rows(arena, k, index, weight));
  }
cleanup:
  wal_release(ctx, &index);
  wal_release(ctx, &weight);
  return status;
}

static wal_status make_contests(wal_arena *arena) {
  const wal_game *game = arena->space->game;
  const wal_shape *shape = &game->shape;
  wal_ctx *ctx = arena->space->ctx;
  if (shape->contests == 0) return WAL_OK;
  const int64_t classes = (int64_t)shape->contests * shape->actions;
  WAL_TRY(wal_acquire(ctx, "contests", shape->states, sizeof *arena->contest, &arena->contest));
  WAL_TRY(wal_acquire(ctx, "contests", classes * shape->outcomes, sizeof(int64_t), &arena->quota));
  WAL_TRY(wal_acquire(ctx, "contests", classes, sizeof(int64_t), &arena->scratch->contestants));
  if (!wal_ctx_planning(ctx)) game->type->contest(game->self, 0, shape->states, arena->contest);
  return WAL_OK;
}

static wal_status make_stage(wal_arena *arena) {
  const wal_space *space = arena->space;
  const wal_shape *shape = &space->game->shape;
  wal_ctx *ctx = space->ctx;
  const int64_t tile = wal_space_tile_pairs(space);
  struct wal_arena_scratch *s = arena->scratch;
  WAL_TRY(wal_acquire(ctx, "agents", arena->pairs, sizeof(double), &arena->reward));
  WAL_TRY(wal_acquire(ctx, "agents", tile, sizeof(double), &s->reward));
  WAL_TRY(wal_acquire(ctx, "agents", shape->states, sizeof(double), &arena->initial));
  if (!wal_ctx_planning(ctx))
    space->game->type->initial(space->game->self, 0, shape->states, arena->initial);
  if (shape->statistic > 0)
    WAL_TRY(wal_block_sum_create(ctx, &space->states, shape->statistic, &s->statistic));
  if (shape->outcomes == 1) return WAL_OK;
  const int64_t outcomes = arena->pairs * shape->outcomes;
  WAL_TRY(wal_acquire(ctx, "agents", outcomes, sizeof(double), &arena->outcome));
  return wal_acquire(ctx, "agents", tile * shape->outcomes, sizeof(double), &s->outcome);
}

wal_status wal_arena_create(const wal_space *space, wal_arena *out) {
  wal_ctx *ctx = space->ctx;
  const wal_shape *shape = &space->game->shape;
  *out = (wal_arena){.space = space, .pairs = shape->states * shape->actions};
  wal_status status = wal_acquire(ctx, "agents", 1, sizeof *out->scratch, &out->scratch);
  if (status == WAL_OK) status = wal_flow_create(space, true, &out->flow);
  if (status == WAL_OK) status = wal_policy_create(space, WAL_POLICY_PROBABILITIES, &out->policy);
  if (status == WAL_OK) status = make_kernels(out);
  if (status == WAL_OK) status = make_contests(out);
  if (status == WAL_OK) status = make_stage(out);
  if (status != WAL_OK) wal_arena_destroy(out);
  return status;
}

void wal_arena_destroy(wal_arena *arena) {
  if (!arena->space) return;
  wal_ctx *ctx = arena->space->ctx;
  for (int k = 0; k < arena->space->kernels; k++) {
    if (arena->post) wal_release(ctx, &arena->post[k]);
    if (arena->row) wal_release(ctx, &arena->row[k]);
    if (arena->target) wal_release(ctx, &arena->target[k]);
    if (arena->weight) wal_release(ctx, &arena->weight[k]);
  }
  wal_release(ctx, &arena->post);
  wal_release(ctx, &arena->row);
  wal_release(ctx, &arena->target);
  wal_release(ctx, &arena->weight);
  wal_release(ctx, &arena->contest);
  wal_release(ctx, &arena->initial);
  wal_release(ctx, &arena->reward);
  wal_release(ctx, &arena->outcome);
  wal_release(ctx, &arena->quota);
  if (arena->scratch) {
    wal_block_sum_destroy(&arena->scratch->statistic);
    wal_release(ctx, &arena->scratch->contestants);
    wal_release(ctx, &arena->scratch->reward);
    wal_release(ctx, &arena->scratch->outcome);
  }
  wal_release(ctx, &arena->scratch);
  wal_policy_destroy(&arena->policy);
  wal_flow_destroy(&arena->flow);
  *arena = (wal_arena){0};
}

void wal_arena_begin(wal_arena *arena, int64_t agents) { arena->agents = agents; }

// ---- A stage ----------------------------------------------------------------------------------

static const double *tile_policy(const wal_arena *arena, int stage, int64_t tile) {
  return wal_policy_tile(&arena->policy, stage, tile);
}

/* n(s) / N and n(s,a) / n(s). */
static void read_counts(wal_arena *arena, int stage, const int64_t *played, const double *policy) {
  const wal_space *space = arena->space;
  const int actions = space->game->shape.actions;
  double *mass = wal_flow_mass(&arena->flow, stage);
  for (int64_t tile = 0; tile < space->tiles; tile++) {
    const wal_slab slab = wal_space_slab(space, stage, tile);
    double *pi = wal_policy_tile(&arena->policy, stage, tile);
    for (int64_t i = 0; i < slab.count; i++) {
      const int64_t s = slab.first + i, *of_state = played + s * actions;
      int64_t here = 0;
      for (int a = 0; a < actions; a++) here += of_state[a];
      mass[s] = (double)here / (double)arena->agents;
      for (int a = 0; a < actions; a++)
        pi[a * slab.stride + i] =
            here > 0 ? (double)of_state[a] / (double)here : policy[s * actions + a];
    }
  }
}

static wal_status couple(wal_arena *arena, int stage) {
  const wal_space *space = arena->space;
  const wal_game *game = space->game;
  wal_block_sum *sum = arena->scratch->statistic;
  const double *mass = wal_flow_mass(&arena->flow, stage);
  wal_block_sum_start(sum);
  for (int64_t tile = 0; tile < space->tiles; tile++) {
    const wal_slab slab = wal_space_slab(space, stage, tile);
    game->type->couple(game->self, &slab, mass + slab.first, tile_policy(arena, stage, tile),
                       wal_block_sum_row(sum, wal_space_block(space, tile)));
  }
  return wal_block_sum_finish(sum, wal_flow_statistic(&arena->flow, stage));
}

static void hold_contests(wal_arena *arena, int stage, const int64_t *played) {
  const wal_game *game = arena->space->game;
  const wal_shape *shape = &game->shape;
  int64_t *contestants = arena->scratch->contestants, agents[WAL_POPULATIONS];
  const int actions = shape->actions;
  for (int p = 0; p < shape->populations; p++) agents[p] = arena->agents;
  memset(contestants, 0, (size_t)(shape->contests * actions) * sizeof *contestants);
  for (int64_t s = 0; s < shape->states; s++) {
    if (arena->contest[s] < 0) continue;
    for (int a = 0; a < actions; a++)
      contestants[arena->contest[s] * actions + a] += played[s * actions + a];
  }
  game->type->quota(game->self, stage, agents, contestants, arena->flow.statistics, arena->quota);
}

/* Rewards and outcomes, from tiles to pairs. */
static void ask_stage(wal_arena *arena, int stage) {
  const wal_space *space = arena->space;
  const wal_game *game = space->game;
  const int actions = game->shape.actions, outcomes = game->shape.outcomes;
  struct wal_arena_scratch *s = arena->scratch;
  const double *mass = wal_flow_mass(&arena->flow, stage);
  for (int64_t tile = 0; tile < space->tiles; tile++) {
    const wal_slab slab = wal_space_slab(space, stage, tile);
    const int64_t layer = actions * slab.stride;
    wal_game_stage(game, &slab, mass + slab.first, tile_policy(arena, stage, tile),
                   wal_flow_statistic(&arena->flow, stage), s->reward, s->outcome);
    for (int64_t i = 0; i < slab.count; i++)
      for (int a = 0; a < actions; a++) {
        const int64_t pair = (slab.first + i) * actions + a, at = a * slab.stride + i;
        arena->reward[pair] = s->reward[at];
        for (int k = 0; k < outcomes && outcomes > 1; k++)
          arena->outcome[pair * outcomes + k] = s->outcome[k * layer + at];
      }
  }
}

/* What the stage's masses and shares of actions lead to. `played` is NULL in the limit of many
 * agents, where nobody contests anything. */
static wal_status complete(wal_arena *arena, int stage, const int64_t *played) {
  const wal_space *space = arena->space;
  const wal_game *game = space->game;
  const wal_shape *shape = &game->shape;
  double *z = wal_flow_statistic(&arena->flow, stage);
  if (shape->whole)
    memcpy(z + shape->statistic + shape->settled, wal_flow_mass(&arena->flow, stage),
           (size_t)shape->states * sizeof *z);
  if (shape->statistic > 0) WAL_TRY(couple(arena, stage));
  if (shape->contests > 0 && played)
    hold_contests(arena, stage, played);
  else if (shape->settled > 0)
    game->type->settle(game->self, stage, arena->flow.statistics);
  return wal_arena_recall(arena, stage);
}

wal_status wal_arena_stage(wal_arena *arena, int stage, const int64_t *played,
                           const double *policy) {
  read_counts(arena, stage, played, policy);
  return complete(arena, stage, played);
}

wal_status wal_arena_recall(wal_arena *arena, int stage) {
  const wal_game *game = arena->space->game;
  ask_stage(arena, stage);
  return game->type->failure ? game->type->failure(arena->space->ctx, game->self) : WAL_OK;
}

// ---- The limit --------------------------------------------------------------------------------

/* mu = sum_g share_g mu_g and pi = sum_g share_g mu_g pi_g / mu. */
static void blend(wal_arena *arena, int stage, int groups, const double *share,
                  const double *const *const *policy, const double *mass) {
  const wal_space *space = arena->space;
  const int64_t states = space->game->shape.states;
  const int actions = space->game->shape.actions;
  double *total = wal_flow_mass(&arena->flow, stage);
  for (int64_t tile = 0; tile < space->tiles; tile++) {
    const wal_slab slab = wal_space_slab(space, stage, tile);
    double *pi = wal_policy_tile(&arena->policy, stage, tile);
    for (int64_t i = 0; i < slab.count; i++) {
      const int64_t s = slab.first + i;
      double here = 0;
      for (int g = 0; g < groups; g++) here += share[g] * mass[g * states + s];
      total[s] = here;
      for (int a = 0; a < actions; a++) {
        double sum = 0;
        for (int g = 0; g < groups; g++)
          sum += share[g] * mass[g * states + s] * policy[g][stage][s * actions + a];
        pi[a * slab.stride + i] =
            groups > 1 && here > 0 ? sum / here : policy[0][stage][s * actions + a];
      }
    }
  }
}

/* Where a group's mass goes, into `next`. */
static void move_group(const wal_arena *arena, int stage, const double *policy, const double *mass,
                       double *post, double *next) {
  const wal_shape *shape = &arena->space->game->shape;
  const int at = wal_arena_kernel(arena, stage), outcomes = shape->outcomes;
  const int64_t rows = shape->post_states > 0 ? shape->post_states : shape->states;
  double *reached = arena->row ? post : next;
  memset(reached, 0, (size_t)(arena->row ? rows : shape->states) * sizeof *reached);
  for (int64_t pair = 0; pair < arena->pairs; pair++) {
    const double joint = mass[pair / shape->actions] * policy[pair];
    for (int k = 0; k < outcomes; k++)
      reached[arena->post[at][pair * outcomes + k]] +=
          outcomes > 1 ? joint * arena->outcome[pair * outcomes + k] : joint;
  }
  if (!arena->row) return;
  memset(next, 0, (size_t)shape->states * sizeof *next);
  for (int64_t m = 0; m < rows; m++)
    for (int64_t e = arena->row[at][m]; e < arena->row[at][m + 1]; e++)
      next[arena->target[at][e]] += post[m] * arena->weight[at][e];
}

wal_status wal_arena_limit(wal_arena *arena, int groups, const double *share,
                           const double *const *const *policy, double *mass,
                           const wal_arena_watch *watch) {
  const wal_shape *shape = &arena->space->game->shape;
  wal_ctx *ctx = arena->space->ctx;
  const int64_t rows = shape->post_states > 0 ? shape->post_states : shape->states;
  double *post = NULL, *next = NULL;
  wal_status status = wal_acquire(ctx, "agents", rows, sizeof *post, &post);
  if (status == WAL_OK) status = wal_acquire(ctx, "agents", shape->states, sizeof *next, &next);
  for (int g = 0; g < groups && status == WAL_OK; g++)
    memcpy(mass + g * shape->states, arena->initial, (size_t)shape->states * sizeof *mass);
  for (int h = 0; h < shape->horizon && status == WAL_OK; h++) {
    blend(arena, h, groups, share, policy, mass);
    status = complete(arena, h, NULL);
    if (status == WAL_OK && watch) watch->see(watch->user, arena, h, mass);
    for (int g = 0; g < groups && h + 1 < shape->horizon && status == WAL_OK; g++) {
      double *own = mass + g * shape->states;
      move_group(arena, h, policy[g][h], own, post, next);
      memcpy(own, next, (size_t)shape->states * sizeof *own);
    }
  }
  wal_release(ctx, &post);
  wal_release(ctx, &next);
  return status;
}
