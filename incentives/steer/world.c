// SPDX-License-Identifier: GPL-3.0-or-later
#include "incentives/steer/world.h"

#include <string.h>

#include "sim/core/memory.h"
#include "sim/core/random.h"

// ---- What may be known ------------------------------------------------------------------------

static void expect(void *user, int stage, const double *value, double *out) {
  wal_steer_world *w = user;
  const wal_space *space = w->space;
  const double *reached = NULL;
  memcpy(w->room[0], value, (size_t)space->game->shape.states * sizeof *value);
  const wal_status status = wal_space_pull(space, stage, w->room[0], w->room[1], &reached);
  if (status != WAL_OK) {
    w->failed = status;
    return;
  }
  const int actions = space->game->shape.actions;
  for (int64_t tile = 0; tile < space->tiles; tile++) {
    const wal_slab slab = wal_space_slab(space, stage, tile);
    wal_moves_pull(wal_space_moves(space, stage), tile, 0, slab.stride, NULL, reached, 0, w->zero,
                   w->tile);
    for (int64_t i = 0; i < slab.count; i++)
      for (int a = 0; a < actions; a++)
        out[(slab.first + i) * actions + a] = w->tile[a * slab.stride + i];
  }
}

static void tell_reward(void *user, int stage, double *out) {
  const wal_steer_world *w = user;
  wal_steer_world_collect(w, stage, w->reward, out);
}

// ---- Made -------------------------------------------------------------------------------------

wal_status wal_steer_space_create(wal_ctx *alone, const wal_game *game, wal_space **out) {
  enum { SMALL = 4096 };  // pairs that make one block, without the padding of larger ones
  const wal_shape *shape = &game->shape;
  const wal_space_options one = {.block = shape->states};
  const bool small = shape->states * shape->actions <= SMALL;
  return wal_space_create(alone, game, small ? &one : NULL, out);
}

wal_status wal_steer_check(wal_ctx *ctx, const wal_game *game) {
  if (game->shape.outcomes == 1) return WAL_OK;
  while (game->type->inside) game = game->type->inside(game->self);
  return wal_fail(ctx, WAL_EINPUT,
                  "%s: expected a game whose transitions do not depend on the density, got one "
                  "whose outcomes may",
                  game->type->component.name);
}

static wal_status create_parts(wal_steer_world *w) {
  const wal_space *space = w->space;
  const wal_shape *shape = &space->game->shape;
  wal_ctx *ctx = space->ctx;
  const unsigned which = 1u << WAL_VALUE_POLICY | 1u << WAL_VALUE_BEST;
  WAL_TRY(wal_steer_check(ctx, space->game));
  WAL_TRY(wal_arena_create(space, &w->arena));
  WAL_TRY(wal_values_create(space, which, WAL_VALUE_POLICY, &w->values));
  const int64_t all = shape->horizon * space->pairs;
  WAL_TRY(wal_acquire(ctx, "rewards", all, sizeof(double), &w->reward));
  WAL_TRY(wal_acquire(ctx, "rewards", all, sizeof(double), &w->total));
  WAL_TRY(wal_acquire(ctx, "masses", shape->states, sizeof(double), &w->initial));
  for (int i = 0; i < 2; i++)
    WAL_TRY(wal_acquire(ctx, "values", space->row, sizeof(double), &w->room[i]));
  WAL_TRY(wal_acquire(ctx, "values", space->states.tile, sizeof(double), &w->zero));
  WAL_TRY(wal_acquire(ctx, "values", wal_space_tile_pairs(space), sizeof(double), &w->tile));
  if (space->legal)
    WAL_TRY(wal_acquire(ctx, "legal actions", shape->states * shape->actions, 1, &w->legal));
  return WAL_OK;
}

wal_status wal_steer_world_create(const wal_space *space, wal_steer_world *out) {
  const wal_shape *shape = &space->game->shape;
  *out = (wal_steer_world){.space = space};
  const wal_status status = create_parts(out);
  if (status != WAL_OK) {
    wal_steer_world_destroy(out);
    return status;
  }
  if (wal_ctx_planning(space->ctx)) return WAL_OK;
  double sum = 0;
  for (int64_t s = 0; s < shape->states; s++) out->initial[s] = sum += out->arena.initial[s];
  for (int64_t tile = 0; tile < space->tiles && space->legal; tile++) {
    const wal_slab slab = wal_space_slab(space, 0, tile);
    for (int64_t i = 0; i < slab.count; i++)
      for (int a = 0; a < shape->actions; a++)
        out->legal[(slab.first + i) * shape->actions + a] =
            wal_space_legal(space, tile)[a * slab.stride + i];
  }
  out->known = (wal_known_game){expect, tell_reward, out};
  return WAL_OK;
}

void wal_steer_world_destroy(wal_steer_world *w) {
  if (!w->space) return;
  wal_ctx *ctx = w->space->ctx;
  wal_arena_destroy(&w->arena);
  wal_values_destroy(&w->values);
  wal_release(ctx, &w->reward);
  wal_release(ctx, &w->total);
  wal_release(ctx, &w->initial);
  wal_release(ctx, &w->room[0]);
  wal_release(ctx, &w->room[1]);
  wal_release(ctx, &w->zero);
  wal_release(ctx, &w->tile);
  wal_release(ctx, &w->legal);
  *w = (wal_steer_world){0};
}

// ---- Rewards and payments ---------------------------------------------------------------------

void wal_steer_world_collect(const wal_steer_world *w, int stage, const double *tiles,
                             double *pairs) {
  const wal_space *space = w->space;
  const int actions = space->game->shape.actions;
  for (int64_t tile = 0; tile < space->tiles; tile++) {
    const wal_slab slab = wal_space_slab(space, stage, tile);
    const double *in = tiles + stage * space->pairs + wal_space_pair(space, tile);
    for (int64_t i = 0; i < slab.count; i++)
      for (int a = 0; a < actions; a++)
        pairs[(slab.first + i) * actions + a] = in[a * slab.stride + i];
  }
}

/* Rounding may leave [0, 1] by a little. */
static wal_status check_rewards(const wal_steer_world *w, const wal_slab *slab, int64_t tile,
                                const double *reward) {
  const double off = 1e-9;
  const wal_game *game = w->space->game;
  const unsigned char *legal = wal_space_legal(w->space, tile);
  for (int a = 0; a < game->shape.actions; a++)
    for (int64_t i = 0; i < slab->count; i++) {
      const double r = reward[a * slab->stride + i];
      if (r >= -off && r <= 1 + off) continue;
      if (legal && !legal[a * slab->stride + i]) continue;
      return wal_fail(w->space->ctx, WAL_EINPUT,
                      "%s: expected rewards in [0, 1], got %g at stage %d, state %lld, action %d; "
                      "bounded{game=...} maps them there",
                      game->type->component.name, r, slab->stage, (long long)(slab->first + i), a);
    }
  return WAL_OK;
}

wal_status wal_steer_world_reward(wal_steer_world *w) {
  const wal_space *space = w->space;
  const wal_game *game = space->game;
  for (int h = 0; h < game->shape.horizon; h++)
    for (int64_t tile = 0; tile < space->tiles; tile++) {
      const wal_slab slab = wal_space_slab(space, h, tile);
      double *reward = w->reward + h * space->pairs + wal_space_pair(space, tile);
      wal_game_stage(game, &slab, wal_flow_mass(&w->arena.flow, h) + slab.first,
                     wal_policy_tile(&w->arena.policy, h, tile),
                     wal_flow_statistic(&w->arena.flow, h), reward, NULL);
      WAL_TRY(check_rewards(w, &slab, tile, reward));
    }
  return game->type->failure ? game->type->failure(space->ctx, game->self) : WAL_OK;
}

void wal_steer_world_pay(wal_steer_world *w, const double *payment) {
  const wal_shape *shape = &w->space->game->shape;
  const int64_t pairs = shape->states * shape->actions;
  const wal_space *space = w->space;
  for (int h = 0; h < shape->horizon; h++)
    for (int64_t tile = 0; tile < space->tiles; tile++) {
      const wal_slab slab = wal_space_slab(space, h, tile);
      const int64_t at = h * space->pairs + wal_space_pair(space, tile);
      const double *reward = w->reward + at;
      const double *paid = payment + h * pairs + slab.first * shape->actions;
      double *total = w->total + at;
      for (int64_t i = 0; i < slab.count; i++)
        for (int a = 0; a < shape->actions; a++)
          total[a * slab.stride + i] = reward[a * slab.stride + i] + paid[i * shape->actions + a];
    }
}

// ---- Trajectories -----------------------------------------------------------------------------

/* Rounding and places of weight 0 are considered. */
int64_t wal_steer_world_pick(int64_t count, const double *sums, double u) {
  const double wanted = u * sums[count - 1];
  int64_t low = 0, high = count - 1;
  while (low < high) {
    const int64_t middle = (low + high) / 2;
    if (sums[middle] > wanted)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

/* The same of weights that are not summed up. */
static int64_t draw_of(int64_t count, const double *weights, double u) {
  int64_t last = 0;
  double sum = 0;
  for (int64_t i = 0; i < count; i++) {
    if (!(weights[i] > 0)) continue;
    sum += weights[i];
    last = i;
    if (u < sum) return i;
  }
  return last;
}

int64_t wal_steer_world_next(const wal_steer_world *w, int stage, int64_t pair, double u) {
  const wal_arena *arena = &w->arena;
  const int kernel = wal_arena_kernel(arena, stage);
  const int64_t post = arena->post[kernel][pair];
  if (!arena->row) return post;
  const int64_t first = arena->row[kernel][post], end = arena->row[kernel][post + 1];
  return arena->target[kernel][first + draw_of(end - first, arena->weight[kernel] + first, u)];
}

void wal_steer_world_sample(const wal_steer_world *w, uint64_t seed, int64_t episode,
                            const double *policy, int trajectories, double noise,
                            wal_visit *visits) {
  const wal_space *space = w->space;
  const wal_shape *shape = &space->game->shape;
  const int actions = shape->actions;
  for (int n = 0; n < trajectories; n++) {
    int64_t state = 0;
    for (int h = 0; h < shape->horizon; h++) {
      const wal_random_words move =
          wal_random(seed, WAL_PURPOSE_TRAJECTORY, (uint64_t)episode, (uint32_t)h, (uint32_t)n);
      const wal_random_words error = wal_random(seed, WAL_PURPOSE_TRAJECTORY_NOISE,
                                                (uint64_t)episode, (uint32_t)h, (uint32_t)n);
      if (h == 0)
        state = wal_steer_world_pick(shape->states, w->initial, wal_random_real(&error, 1));
      const double *of_state = policy + (h * shape->states + state) * actions;
      const int64_t action = draw_of(actions, of_state, wal_random_real(&move, 0));
      const double reward =
          w->reward[h * space->pairs + wal_steer_world_place(w, state * actions + action)];
      visits[(int64_t)n * shape->horizon + h] = (wal_visit){
          (int32_t)state, (int32_t)action,
          noise > 0 ? reward + noise * wal_random_normal(wal_random_real(&error, 0)) : reward};
      if (h + 1 < shape->horizon)
        state = wal_steer_world_next(w, h, state * actions + action, wal_random_real(&move, 1));
    }
  }
}
