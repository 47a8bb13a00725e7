// SPDX-License-Identifier: GPL-3.0-or-later
#include "incentives/steer/steering.h"

#include <math.h>
#include <string.h>

#include "sim/core/log_grid.h"
#include "sim/core/memory.h"

// ---- Memory -----------------------------------------------------------------------------------

/* Episodes played, sums so far, sums at the points, then agents and mediator. */
enum { PLAYED, SO_FAR, POINTS = SO_FAR + WAL_STEER_SUMS };

static double *sums_at(double *memory, int64_t point) {
  return memory + POINTS + point * WAL_STEER_SUMS;
}

static double *agents_memory(const wal_steering *s, double *memory) {
  return memory + POINTS + s->points * WAL_STEER_SUMS;
}

static double *mediator_memory(const wal_steering *s, double *memory) {
  return agents_memory(s, memory) + s->steered.type->memory_count(&s->steered);
}

int64_t wal_steering_memory(const wal_steering *s, const wal_mediator *mediator) {
  return POINTS + s->points * WAL_STEER_SUMS + s->steered.type->memory_count(&s->steered) +
         mediator->memory_count;
}

int64_t wal_steering_played(const double *memory) { return (int64_t)memory[PLAYED]; }

const double *wal_steering_now(const double *memory) { return memory + SO_FAR; }

const double *wal_steering_sums(const double *memory, int64_t point) {
  return sums_at((double *)memory, point);
}

void wal_steering_begin(const wal_steering *s, wal_mediator *mediator, double *memory) {
  memset(memory, 0, (size_t)wal_steering_memory(s, mediator) * sizeof *memory);
  memory[SO_FAR + WAL_STEER_LARGEST] = -INFINITY;
  memory[SO_FAR + WAL_STEER_LEAST] = INFINITY;
  s->steered.type->start(&s->steered, agents_memory(s, memory));
  wal_mediator_attach(mediator, mediator_memory(s, memory), true);
}

// ---- Made -------------------------------------------------------------------------------------

/* Masses and shares of actions of the episode, by pairs. */
static void observe(wal_steering *s, double *density, double *policy) {
  const wal_shape *shape = &s->plan.space->game->shape;
  const wal_arena *arena = &s->world.arena;
  for (int h = 0; h < shape->horizon; h++) {
    memcpy(density + h * shape->states, wal_flow_mass(&arena->flow, h),
           (size_t)shape->states * sizeof *density);
    wal_steer_world_collect(&s->world, h, arena->policy.values,
                            policy + h * shape->states * shape->actions);
  }
}

/* What a policy's values and the best ones come to, with the game's own rewards. */
static wal_status find_exploitability(wal_steering *s, double *out) {
  wal_steer_world *w = &s->world;
  wal_value_totals totals;
  const wal_value_request request = {.which = 1u << WAL_VALUE_POLICY | 1u << WAL_VALUE_BEST,
                                     .keep = WAL_VALUE_POLICY,
                                     .reward = w->reward};
  WAL_TRY(wal_values_run(&w->values, &w->arena.flow, &w->arena.policy, &request, &totals));
  *out = 0;
  for (int p = 0; p < w->space->game->shape.populations; p++) *out += totals.exploitability[p];
  return WAL_OK;
}

static wal_status measure_target(wal_steering *s) {
  const wal_space *space = s->plan.space;
  const wal_shape *shape = &space->game->shape;
  const int64_t pairs = shape->states * shape->actions;
  wal_arena *arena = &s->world.arena;
  wal_steer_target *target = &s->target;
  for (int h = 0; h < shape->horizon; h++)
    for (int64_t tile = 0; tile < space->tiles; tile++) {
      const wal_slab slab = wal_space_slab(space, h, tile);
      double *pi = wal_policy_tile(&arena->policy, h, tile);
      for (int64_t i = 0; i < slab.count; i++)
        for (int a = 0; a < shape->actions; a++)
          pi[a * slab.stride + i] = s->plan.target[h][(slab.first + i) * shape->actions + a];
    }
  WAL_TRY(wal_flow_run(&arena->flow, &arena->policy));
  WAL_TRY(wal_steer_world_reward(&s->world));
  observe(s, target->density, target->policy);
  WAL_TRY(find_exploitability(s, &target->cheapest));
  for (int h = 0; h < shape->horizon; h++) {
    s->world.known.reward(&s->world, h, s->expected);
    for (int64_t i = 0; i < pairs; i++) {
      const double mass = target->density[h * shape->states + i / shape->actions];
      target->equalizer += mass * target->policy[h * pairs + i] * (1 - s->expected[i]);
    }
  }
  for (int64_t i = 0; i < shape->horizon * shape->states; i++) {
    target->aimed[i] = target->density[i] > 0;
    target->unreached += !target->aimed[i];
  }
  return WAL_OK;
}

static wal_status create_parts(wal_steering *s) {
  wal_ctx *ctx = s->plan.space->ctx;
  const wal_shape *shape = &s->plan.space->game->shape;
  const int64_t pairs = shape->states * shape->actions, states = shape->horizon * shape->states;
  const int64_t all = shape->horizon * pairs;
  wal_steer_target *t = &s->target;
  WAL_TRY(wal_steer_world_create(s->plan.space, &s->world));
  if (s->steered.type->create) WAL_TRY(s->steered.type->create(&s->steered));
  WAL_TRY(wal_acquire(ctx, "target", all, sizeof(double), &t->policy));
  WAL_TRY(wal_acquire(ctx, "target", states, sizeof(double), &t->density));
  WAL_TRY(wal_acquire(ctx, "target", states, 1, &t->aimed));
  WAL_TRY(wal_acquire(ctx, "episode", states, sizeof(double), &s->density));
  WAL_TRY(wal_acquire(ctx, "episode", all, sizeof(double), &s->policy));
  if (s->steered.type->intend)
    WAL_TRY(wal_acquire(ctx, "episode", all, sizeof(double), &s->intended));
  WAL_TRY(wal_acquire(ctx, "episode", pairs, sizeof(double), &s->expected));
  WAL_TRY(wal_acquire(ctx, "episode", pairs, sizeof(double), &s->reward));
  WAL_TRY(wal_acquire(ctx, "episode", (int64_t)s->plan.trajectories * shape->horizon,
                      sizeof *s->visits, &s->visits));
  s->points = wal_log_grid(s->plan.episodes, NULL);
  WAL_TRY(wal_acquire(ctx, "episodes", s->points, sizeof *s->point, &s->point));
  wal_log_grid(s->plan.episodes, s->point);
  for (int64_t i = 0; i < pairs; i++) s->legal_pairs += !s->world.legal || s->world.legal[i];
  s->legal_pairs *= shape->horizon;
  return WAL_OK;
}

wal_status wal_steering_create(const wal_steering_plan *plan, wal_steering *out) {
  *out = (wal_steering){.plan = *plan};
  out->society = plan->society ? *plan->society : wal_society_of(plan->agents);
  out->steered = (wal_steered){
      .type = wal_steered_type_of(&out->society), .world = &out->world, .society = &out->society};
  wal_status status = create_parts(out);
  if (status == WAL_OK && !wal_ctx_planning(plan->space->ctx)) status = measure_target(out);
  if (status != WAL_OK) wal_steering_destroy(out);
  return status;
}

void wal_steering_destroy(wal_steering *s) {
  if (!s->plan.space) return;
  wal_ctx *ctx = s->plan.space->ctx;
  if (s->steered.type->destroy && s->world.space) s->steered.type->destroy(&s->steered);
  wal_steer_world_destroy(&s->world);
  wal_release(ctx, &s->target.policy);
  wal_release(ctx, &s->target.density);
  wal_release(ctx, &s->target.aimed);
  wal_release(ctx, &s->density);
  wal_release(ctx, &s->policy);
  wal_release(ctx, &s->intended);
  wal_release(ctx, &s->expected);
  wal_release(ctx, &s->reward);
  wal_release(ctx, &s->visits);
  wal_release(ctx, &s->point);
  *s = (wal_steering){0};
}

wal_mediator_setup wal_steering_setup(wal_steering *s) {
  const wal_game *game = s->plan.space->game;
  return (wal_mediator_setup){.ctx = s->plan.space->ctx,
                              .horizon = game->shape.horizon,
                              .actions = game->shape.actions,
                              .states = game->shape.states,
                              .legal = s->world.legal,
                              .varies = wal_game_kernels(game) > 1,
                              .target = s->target.policy,
                              .aimed = s->target.aimed,
                              .episodes = s->plan.episodes,
                              .trajectories = s->plan.trajectories,
                              .noise = s->plan.noise,
                              .known = &s->world.known};
}

// ---- Measures ---------------------------------------------------------------------------------

/* Gaps of both kinds, cost, and the range of the payments. */
static void add_gaps(const wal_steering *s, const wal_mediator *m, double *sums) {
  const wal_shape *shape = &s->plan.space->game->shape;
  const wal_steer_target *target = &s->target;
  const int actions = shape->actions;
  const double *meant = s->intended ? s->intended : s->policy;
  double gap = 0, occupancy = 0, cost = 0, largest = -INFINITY, least = INFINITY;
  for (int64_t i = 0; i < shape->horizon * shape->states; i++) {
    const double here = s->density[i], there = target->density[i];
    const double *played = s->policy + i * actions, *wanted = target->policy + i * actions;
    const double *payment = m->payment + i * actions;
    double off = 0, paid = 0;
    for (int a = 0; a < actions; a++) {
      off += fabs(wanted[a] - meant[i * actions + a]);
      occupancy += fabs(here * played[a] - there * wanted[a]);
      paid += played[a] * payment[a];
      largest = payment[a] > largest ? payment[a] : largest;
      least = payment[a] < least ? payment[a] : least;
    }
    gap += there * off;
    cost += here * paid;
  }
  sums[WAL_STEER_GAP] += gap;
  sums[WAL_STEER_OCCUPANCY_GAP] += occupancy;
  sums[WAL_STEER_COST] += cost;
  if (largest > sums[WAL_STEER_LARGEST]) sums[WAL_STEER_LARGEST] = largest;
  if (least < sums[WAL_STEER_LEAST]) sums[WAL_STEER_LEAST] = least;
}

/* delta = r + payment - (V - P V') - incentive by the true game, which the mediator need not know.
   What is known exactly is off by rounding. */
static void add_overpayment(wal_steering *s, const wal_mediator *m, double *sums) {
  const wal_shape *shape = &s->plan.space->game->shape;
  const int64_t states = shape->states, pairs = states * shape->actions;
  const double off = 1e-9;
  wal_steer_world *w = &s->world;
  double *next = s->expected, sum = 0;
  int64_t below = 0, rewards = 0, models = 0;
  for (int h = 0; h < shape->horizon; h++) {
    const bool last = h + 1 == shape->horizon;
    if (!last) w->known.expect(w, h, m->potential + (h + 1) * states, next);
    w->known.reward(w, h, s->reward);
    for (int64_t i = 0; i < pairs; i++) {
      const int64_t at = h * pairs + i, state = h * states + i / shape->actions;
      if (w->legal && !w->legal[i]) continue;
      const double reward = s->reward[i], there = last ? 0 : next[i];
      const double delta =
          reward + m->payment[at] - (m->potential[state] - there) - m->incentive[at];
      sum += s->density[state] * s->policy[at] * delta;
      below += delta < -off;
      rewards += m->reward_bound && m->reward_bound[at] > reward + off;
      models += m->expected_bound && !last && m->expected_bound[at] > there + off;
    }
  }
  sums[WAL_STEER_OVERPAYMENT] += sum;
  sums[WAL_STEER_VIOLATIONS] += (double)below;
  sums[WAL_STEER_REWARD_VIOLATIONS] += (double)rewards;
  sums[WAL_STEER_MODEL_VIOLATIONS] += (double)models;
}

static wal_status measure(wal_steering *s, const wal_mediator *m, double *sums) {
  double exploitability = 0;
  add_gaps(s, m, sums);
  WAL_TRY(find_exploitability(s, &exploitability));
  sums[WAL_STEER_EXPLOITABILITY] += exploitability;
  if (m->equalizes)
    add_overpayment(s, m, sums);
  else
    sums[WAL_STEER_OVERPAYMENT] = NAN;
  return s->world.failed;
}

// ---- Episodes ---------------------------------------------------------------------------------

static wal_status play_episode(wal_steering *s, wal_mediator *m, uint64_t seed, int64_t t,
                               double *memory) {
  wal_steered *steered = &s->steered;
  double *of_agents = agents_memory(s, memory);
  wal_observation seen = {.episode = t, .density = s->density, .policy = s->policy};
  WAL_TRY(steered->type->play(steered, seed, t, of_agents));
  WAL_TRY(wal_steer_world_reward(&s->world));
  observe(s, s->density, s->policy);
  if (s->intended) steered->type->intend(steered, of_agents, s->intended);
  m->type->pay(m, &seen);
  WAL_TRY(s->world.failed);
  wal_steer_world_pay(&s->world, m->payment);
  WAL_TRY(measure(s, m, memory + SO_FAR));
  WAL_TRY(steered->type->learn(steered, t, of_agents));
  if (!m->type->learn || m->memory_count == 0) return WAL_OK;
  if (steered->type->sample)
    steered->type->sample(steered, seed, t, s->plan.trajectories, s->plan.noise, s->visits);
  else
    wal_steer_world_sample(&s->world, seed, t, s->policy, s->plan.trajectories, s->plan.noise,
                           s->visits);
  seen.visits = s->visits;
  seen.trajectories = s->plan.trajectories;
  m->type->learn(m, &seen);
  return WAL_OK;
}

wal_status wal_steering_run(wal_steering *s, wal_mediator *m, uint64_t seed, int64_t until,
                            double *memory) {
  int64_t point = 0;
  wal_mediator_attach(m, mediator_memory(s, memory), false);
  while (point < s->points && s->point[point] <= wal_steering_played(memory)) point++;
  while (wal_steering_played(memory) < until) {
    const int64_t t = wal_steering_played(memory) + 1;
    WAL_TRY(play_episode(s, m, seed, t, memory));
    memory[PLAYED] = (double)t;
    if (t != s->point[point]) continue;
    memcpy(sums_at(memory, point++), memory + SO_FAR, WAL_STEER_SUMS * sizeof *memory);
    if (!isfinite(memory[SO_FAR + WAL_STEER_COST] + memory[SO_FAR + WAL_STEER_GAP]))
      return wal_fail(s->plan.space->ctx, WAL_ENONFINITE,
                      "%s: payments or policies are not finite in episode %lld",
                      m->type->component.name, (long long)t);
  }
  return WAL_OK;
}
