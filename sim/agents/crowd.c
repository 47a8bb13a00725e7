// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/agents/crowd.h"

#include <string.h>

#include "sim/core/memory.h"
#include "sim/core/random.h"

uint64_t wal_episode_seed(uint64_t seed, int64_t agents, int64_t episode) {
  const uint64_t n = (uint64_t)agents;
  const wal_random_words words =
      wal_random(seed, WAL_PURPOSE_EPISODE, (uint64_t)episode, (uint32_t)n, (uint32_t)(n >> 32));
  return (uint64_t)words.word[1] << 32 | words.word[0];
}

// ---- Guests -----------------------------------------------------------------------------------

enum { DRAW_ACTION, DRAW_OUTCOME, DRAW_TARGET, DRAW_START };

static double draw(uint64_t seed, const wal_guest *guest, int stage, uint32_t what) {
  return wal_random_uniform(seed, WAL_PURPOSE_GUEST, (uint64_t)guest->number, (uint32_t)stage,
                            what);
}

/* The first i with u < p(0) + ... + p(i); past rounding, the last that is possible. The order of
 * what is possible, and with it what a number means, is the same for every law over the same
 * things: two policies that agree let a guest do the same. */
static int64_t invert(double u, int64_t count, int64_t step, const double *p) {
  int64_t last = 0;
  for (int64_t i = 0; i < count; i++) {
    const double of_this = p[i * step];
    if (!(of_this > 0)) continue;
    last = i;
    u -= of_this;
    if (u < 0) return i;
  }
  return last;
}

static void enter(const wal_arena *arena, uint64_t seed, wal_guest *guest) {
  const wal_shape *shape = &arena->space->game->shape;
  const int64_t of_population = shape->states / shape->populations;
  const int64_t place = invert(draw(seed, guest, 0, DRAW_START), of_population, shape->populations,
                               arena->initial + guest->population);
  guest->state = (int32_t)(place * shape->populations + guest->population);
  guest->reward = 0;
}

static void choose(const wal_arena *arena, uint64_t seed, int stage, wal_guest *guest) {
  const int actions = arena->space->game->shape.actions;
  guest->action = (int)invert(draw(seed, guest, stage, DRAW_ACTION), actions, 1,
                              guest->policy[stage] + (int64_t)guest->state * actions);
}

static int64_t pair_of(const wal_arena *arena, const wal_guest *guest) {
  return (int64_t)guest->state * arena->space->game->shape.actions + guest->action;
}

/* What becomes of a guest, from the probabilities of outcomes; leaves it in its next state. */
static int go_on(const wal_arena *arena, uint64_t seed, int stage, const double *outcome,
                 wal_guest *guest) {
  const int outcomes = arena->space->game->shape.outcomes, at = wal_arena_kernel(arena, stage);
  const int64_t pair = pair_of(arena, guest);
  int k = 0;
  if (outcomes > 1) k = (int)invert(draw(seed, guest, stage, DRAW_OUTCOME), outcomes, 1, outcome);
  const int32_t post = arena->post[at][pair * outcomes + k];
  guest->state = post;
  if (arena->row) {
    const int64_t first = arena->row[at][post], count = arena->row[at][post + 1] - first;
    const int64_t e =
        invert(draw(seed, guest, stage, DRAW_TARGET), count, 1, arena->weight[at] + first);
    guest->state = arena->target[at][first + e];
  }
  return k;
}

/* A guest in a contest is one of those who drew: it gets what it gets with the probability
 * quota / played of what is left, and leaves the rest to the others. */
static void move_guest(wal_crowd *crowd, int stage, int64_t *rivals, wal_guest *guest) {
  const wal_arena *arena = crowd->plan.arena;
  const wal_shape *shape = &arena->space->game->shape;
  const int outcomes = shape->outcomes;
  const int contest = arena->contest ? arena->contest[guest->state] : -1;
  const double *outcome = outcomes > 1 ? arena->outcome + pair_of(arena, guest) * outcomes : NULL;
  if (contest < 0) {
    go_on(arena, crowd->seed, stage, outcome, guest);
    return;
  }
  double share[WAL_GUEST_OUTCOMES];
  const int64_t at = (int64_t)contest * shape->actions + guest->action;
  const int64_t layer = (int64_t)shape->contests * shape->actions;
  for (int k = 0; k < outcomes; k++)
    share[k] = (double)crowd->left[k * layer + at] / (double)rivals[at];
  const int k = go_on(arena, crowd->seed, stage, share, guest);
  crowd->left[k * layer + at]--;
  rivals[at]--;
}

/* How many take part in each contest with each action: what the quotas sum to. */
static void count_rivals(const wal_crowd *crowd, int64_t *rivals) {
  const wal_shape *shape = &crowd->plan.arena->space->game->shape;
  const int64_t layer = (int64_t)shape->contests * shape->actions;
  for (int64_t i = 0; i < layer; i++) {
    rivals[i] = 0;
    for (int k = 0; k < shape->outcomes; k++) rivals[i] += crowd->left[k * layer + i];
  }
}

wal_status wal_guest_visit(wal_arena *arena, uint64_t seed, wal_guest *guest) {
  const wal_shape *shape = &arena->space->game->shape;
  enter(arena, seed, guest);
  for (int h = 0; h < shape->horizon; h++) {
    WAL_TRY(wal_arena_recall(arena, h));
    choose(arena, seed, h, guest);
    const int64_t pair = pair_of(arena, guest);
    guest->reward += arena->reward[pair];
    if (h + 1 < shape->horizon)
      go_on(arena, seed, h, arena->outcome ? arena->outcome + pair * shape->outcomes : NULL, guest);
  }
  return WAL_OK;
}

// ---- Made -------------------------------------------------------------------------------------

static wal_status check(wal_ctx *ctx, const wal_crowd_type *type, const wal_crowd_plan *plan,
                        int64_t *agents) {
  const wal_shape *shape = &plan->arena->space->game->shape;
  int64_t sum[WAL_POPULATIONS] = {0};
  for (int p = 0; p < shape->populations; p++) {
    for (int g = 0; g < plan->groups; g++) sum[p] += plan->group[g].agents[p];
    for (int i = 0; i < plan->guests; i++) sum[p] += plan->guest[i].population == p;
    if (sum[p] != sum[0])
      return wal_fail(
          ctx, WAL_EINPUT,
          "agents: expected as many in every population, got %lld in the first and %lld "
          "in population %d",
          (long long)sum[0], (long long)sum[p], p);
  }
  if (sum[0] < 1)
    return wal_fail(ctx, WAL_EINPUT, "agents: expected at least 1, got %lld", (long long)sum[0]);
  if (sum[0] > type->most)
    return wal_fail(ctx, WAL_EINPUT, "agents: expected at most %lld in mode \"%s\", got %lld",
                    (long long)type->most, type->name, (long long)sum[0]);
  if (plan->guests > 0 && shape->outcomes > WAL_GUEST_OUTCOMES)
    return wal_fail(ctx, WAL_EINPUT, "agents: a guest's game may have %d outcomes, not %d",
                    WAL_GUEST_OUTCOMES, shape->outcomes);
  *agents = sum[0];
  return WAL_OK;
}

static wal_status acquire(wal_crowd *crowd) {
  const wal_arena *arena = crowd->plan.arena;
  const wal_shape *shape = &arena->space->game->shape;
  wal_ctx *ctx = crowd->ctx;
  const int64_t quotas = (int64_t)shape->contests * shape->actions * shape->outcomes;
  WAL_TRY(wal_acquire(ctx, "agents", arena->pairs * crowd->plan.groups, sizeof(int64_t),
                      &crowd->played));
  WAL_TRY(wal_acquire(ctx, "agents", arena->pairs, sizeof(int64_t), &crowd->total));
  if (quotas == 0) return WAL_OK;
  WAL_TRY(wal_acquire(ctx, "agents", quotas, sizeof(int64_t), &crowd->left));
  return wal_acquire(ctx, "agents", (int64_t)shape->contests * shape->actions, sizeof(int64_t),
                     &crowd->rivals);
}

wal_status wal_crowd_create(wal_ctx *ctx, const wal_crowd_type *type, const wal_crowd_plan *plan,
                            wal_crowd **out) {
  int64_t agents = 0;
  wal_crowd *crowd = NULL;
  *out = NULL;
  wal_status status = check(ctx, type, plan, &agents);
  if (status == WAL_OK) status = wal_acquire(ctx, "agents", 1, sizeof *crowd, &crowd);
  if (status == WAL_OK) {
    *crowd = (wal_crowd){.ctx = ctx, .type = type, .plan = *plan, .agents = agents};
    status = acquire(crowd);
  }
  status = wal_agree(ctx, status);
  if (status == WAL_OK) status = type->create(crowd);
  if (status == WAL_OK)
    *out = crowd;
  else
    wal_crowd_destroy(&crowd);
  return status;
}

void wal_crowd_destroy(wal_crowd **crowd) {
  if (!crowd || !*crowd) return;
  wal_crowd *c = *crowd;
  wal_ctx *ctx = c->ctx;
  c->type->destroy(c);
  wal_release(ctx, &c->played);
  wal_release(ctx, &c->total);
  wal_release(ctx, &c->left);
  wal_release(ctx, &c->rivals);
  wal_release(ctx, crowd);
}

// ---- An episode -------------------------------------------------------------------------------

static void add_up(wal_crowd *crowd) {
  const wal_crowd_plan *plan = &crowd->plan;
  const int64_t pairs = plan->arena->pairs;
  memset(crowd->total, 0, (size_t)pairs * sizeof *crowd->total);
  for (int g = 0; g < plan->groups; g++)
    for (int64_t i = 0; i < pairs; i++) crowd->total[i] += crowd->played[g * pairs + i];
  for (int i = 0; i < plan->guests; i++) crowd->total[pair_of(plan->arena, &plan->guest[i])]++;
}

/* A failure in the arena's context, which is this rank's alone, told in the crowd's. */
static wal_status pass_up(const wal_crowd *crowd, wal_status status) {
  wal_ctx *from = crowd->plan.arena->space->ctx;
  if (status == WAL_OK || from == crowd->ctx) return status;
  return wal_fail(crowd->ctx, status, "%s", wal_ctx_error(from));
}

static wal_status play_stage(wal_crowd *crowd, int stage, const wal_crowd_watch *watch) {
  const wal_crowd_plan *plan = &crowd->plan;
  wal_arena *arena = plan->arena;
  const wal_shape *shape = &arena->space->game->shape;
  WAL_TRY(crowd->type->act(crowd, stage, crowd->played));
  for (int i = 0; i < plan->guests; i++) choose(arena, crowd->seed, stage, &plan->guest[i]);
  add_up(crowd);
  const double *policy =
      plan->groups > 0 ? plan->group[0].policy[stage] : plan->guest[0].policy[stage];
  WAL_TRY_ALL(crowd->ctx, pass_up(crowd, wal_arena_stage(arena, stage, crowd->total, policy)));
  for (int i = 0; i < plan->guests; i++)
    plan->guest[i].reward += arena->reward[pair_of(arena, &plan->guest[i])];
  if (watch && watch->see) watch->see(watch->user, crowd, stage);
  if (stage + 1 == shape->horizon) return WAL_OK;
  if (crowd->left) {
    const int64_t quotas = (int64_t)shape->contests * shape->actions * shape->outcomes;
    memcpy(crowd->left, arena->quota, (size_t)quotas * sizeof *crowd->left);
    count_rivals(crowd, crowd->rivals);
  }
  for (int i = 0; i < plan->guests; i++) move_guest(crowd, stage, crowd->rivals, &plan->guest[i]);
  return crowd->type->move(crowd, stage);
}

wal_status wal_crowd_play(wal_crowd *crowd, int64_t episode, const wal_crowd_watch *watch) {
  const wal_crowd_plan *plan = &crowd->plan;
  wal_arena *arena = plan->arena;
  crowd->seed = wal_episode_seed(wal_ctx_seed(crowd->ctx), crowd->agents, episode);
  wal_arena_begin(arena, crowd->agents);
  for (int i = 0; i < plan->guests; i++) enter(arena, crowd->seed, &plan->guest[i]);
  WAL_TRY(crowd->type->begin(crowd));
  for (int h = 0; h < arena->space->game->shape.horizon; h++) WAL_TRY(play_stage(crowd, h, watch));
  return WAL_OK;
}
