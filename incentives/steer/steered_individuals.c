// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <string.h>

#include "incentives/steer/steered.h"
#include "sim/agents/crowd.h"
#include "sim/core/memory.h"
#include "sim/core/random.h"

/* N agents of each population, each with a policy of its own. In every episode each is drawn
 * through the game; the flow is the share of agents in the states, the policy the share of those in
 * a state that play an action, and rewards are those of this flow.
 *
 * An agent learns from the values of its own policy in the flow, or from its own trajectory: where
 * it has been, in state s at stage h with action a,
 *   q(a) = (G_h - (H - h)) / (pi_h(a|s) + gamma_t),   q = 0 of the other actions,
 * with G_h its rewards from there on and H - h what they may be at most without payments: with
 * gamma = 0 the mean of q is that of q(s,.) but for a number that all actions share. gamma_t is
 * half of the rate (Neu 2015, Explore no more).
 *
 * Memory: the mean of all policies [H][pairs], then the agents' [N P][H][pairs]; agent i is of
 * population i mod P. */

typedef struct individuals {
  int64_t agents;          /* N P */
  wal_policy own;          /* of an agent */
  int32_t *state, *action; /* [H][agents], of the episode */
  double *draw[2];         /* [agents] */
  double *initial;         /* [P][S / P]: summed up */
  int64_t *played;         /* [S * A] */
  double *shares;          /* [S * A]: where nobody is */
  double *q, *row[2];      /* tiles */
} individuals;

static int64_t numbers(const wal_steered *steered) {
  const wal_space *space = steered->world->space;
  return space->game->shape.horizon * space->pairs;
}

// ---- Made -------------------------------------------------------------------------------------

static void destroy(wal_steered *steered) {
  individuals *self = steered->self;
  wal_ctx *ctx = steered->world->space->ctx;
  if (!self) return;
  wal_policy_destroy(&self->own);
  wal_release(ctx, &self->state);
  wal_release(ctx, &self->action);
  wal_release(ctx, &self->draw[0]);
  wal_release(ctx, &self->draw[1]);
  wal_release(ctx, &self->initial);
  wal_release(ctx, &self->played);
  wal_release(ctx, &self->shares);
  wal_release(ctx, &self->q);
  wal_release(ctx, &self->row[0]);
  wal_release(ctx, &self->row[1]);
  wal_release(ctx, &self);
  steered->self = NULL;
}

static void sum_initial(const wal_steered *steered) {
  const individuals *self = steered->self;
  const wal_shape *shape = &steered->world->space->game->shape;
  const int64_t places = shape->states / shape->populations;
  for (int p = 0; p < shape->populations; p++) {
    double sum = 0;
    for (int64_t i = 0; i < places; i++)
      self->initial[p * places + i] = sum +=
          steered->world->arena.initial[i * shape->populations + p];
  }
}

static wal_status create(wal_steered *steered) {
  const wal_space *space = steered->world->space;
  const wal_shape *shape = &space->game->shape;
  const int64_t pairs = shape->states * shape->actions, tile = wal_space_tile_pairs(space);
  const char what[] = "individual agents";
  wal_ctx *ctx = space->ctx;
  individuals *self = NULL;
  WAL_TRY(wal_acquire(ctx, what, 1, sizeof *self, &self));
  steered->self = self;
  self->agents = steered->society->count * shape->populations;
  const int64_t visits = self->agents * shape->horizon;
  WAL_TRY(wal_policy_create(space, WAL_POLICY_PROBABILITIES, &self->own));
  WAL_TRY(wal_acquire(ctx, what, visits, sizeof *self->state, &self->state));
  WAL_TRY(wal_acquire(ctx, what, visits, sizeof *self->action, &self->action));
  for (int i = 0; i < 2; i++) {
    WAL_TRY(wal_acquire(ctx, what, self->agents, sizeof(double), &self->draw[i]));
    WAL_TRY(wal_acquire(ctx, what, tile, sizeof(double), &self->row[i]));
  }
  WAL_TRY(wal_acquire(ctx, what, shape->states, sizeof(double), &self->initial));
  WAL_TRY(wal_acquire(ctx, what, pairs, sizeof *self->played, &self->played));
  WAL_TRY(wal_acquire(ctx, what, pairs, sizeof(double), &self->shares));
  WAL_TRY(wal_acquire(ctx, what, tile, sizeof(double), &self->q));
  if (!wal_ctx_planning(ctx)) sum_initial(steered);
  return WAL_OK;
}

static int64_t memory_count(const wal_steered *steered) {
  const int populations = steered->world->space->game->shape.populations;
  return (1 + steered->society->count * populations) * numbers(steered);
}

static double *memory_of(const wal_steered *steered, double *memory, int64_t agent) {
  return memory + (1 + agent) * numbers(steered);
}

/* The rules of agents, in ascending order of them. */
static const wal_agents *rule_of(const wal_steered *steered, int64_t agent, int *group) {
  const wal_society *society = steered->society;
  const int64_t n = agent / steered->world->space->game->shape.populations;
  while (n >= wal_society_first(society, *group + 1)) ++*group;
  return &society->agents[*group];
}

// ---- The mean of all policies -----------------------------------------------------------------

/* Adds an agent's policy in the states of its population. */
static void add_policy(const wal_steered *steered, int64_t agent, double *mean) {
  const individuals *self = steered->self;
  const wal_space *space = steered->world->space;
  const wal_shape *shape = &space->game->shape;
  const double share = 1 / (double)steered->society->count;
  const int populations = shape->populations;
  for (int h = 0; h < shape->horizon; h++)
    for (int64_t tile = 0; tile < space->tiles; tile++) {
      const wal_slab slab = wal_space_slab(space, h, tile);
      const double *pi = wal_policy_tile(&self->own, h, tile);
      double *sum = mean + h * space->pairs + wal_space_pair(space, tile);
      for (int a = 0; a < shape->actions; a++)
        for (int64_t i = 0; i < slab.count; i++)
          if (populations == 1 || (slab.first + i) % populations == agent % populations)
            sum[a * slab.stride + i] += share * pi[a * slab.stride + i];
    }
}

static void find_mean(const wal_steered *steered, double *memory) {
  individuals *self = steered->self;
  int group = 0;
  memset(memory, 0, (size_t)numbers(steered) * sizeof *memory);
  for (int64_t i = 0; i < self->agents; i++) {
    const wal_agents *rule = rule_of(steered, i, &group);
    wal_steered_read(steered, rule, memory_of(steered, memory, i), &self->own);
    add_policy(steered, i, memory);
  }
}

static void start(const wal_steered *steered, double *memory) {
  const individuals *self = steered->self;
  int group = 0;
  for (int64_t i = 0; i < self->agents; i++) {
    const wal_agents *rule = rule_of(steered, i, &group);
    wal_steered_start(steered, rule, memory_of(steered, memory, i));
  }
  find_mean(steered, memory);
}

static void intend(const wal_steered *steered, const double *memory, double *policy) {
  const wal_shape *shape = &steered->world->space->game->shape;
  for (int h = 0; h < shape->horizon; h++)
    wal_steer_world_collect(steered->world, h, memory, policy + h * shape->states * shape->actions);
}

// ---- The first policies -----------------------------------------------------------------------

/* Normal logits in a state, by the draws of its pairs. */
static void spread_row(const wal_steered *steered, const wal_agents *rule, uint64_t seed,
                       int64_t agent, int stage, int64_t state, double *row) {
  const wal_steer_world *w = steered->world;
  const int64_t stride = w->space->states.tile;
  const int actions = w->space->game->shape.actions;
  double sum = 0;
  for (int a = 0; a < actions; a++) {
    const int64_t pair = state * actions + a;
    if (w->legal && !w->legal[pair]) continue;
    const double logit = steered->society->spread * wal_random_normal(wal_random_uniform(
                                                        seed, WAL_PURPOSE_AGENT, (uint64_t)agent,
                                                        (uint32_t)stage, (uint32_t)pair));
    row[a * stride] = rule->type->remembers_policy ? exp(logit) : logit;
    sum += row[a * stride];
  }
  for (int a = 0; a < actions && rule->type->remembers_policy; a++) row[a * stride] /= sum;
}

static void spread(const wal_steered *steered, uint64_t seed, double *memory) {
  const individuals *self = steered->self;
  const wal_space *space = steered->world->space;
  const wal_shape *shape = &space->game->shape;
  int group = 0;
  for (int64_t i = 0; i < self->agents; i++) {
    const wal_agents *rule = rule_of(steered, i, &group);
    for (int h = 0; h < shape->horizon; h++)
      for (int64_t s = 0; s < shape->states; s++)
        spread_row(steered, rule, seed, i, h, s,
                   memory_of(steered, memory, i) + h * space->pairs +
                       wal_steer_world_place(steered->world, s * shape->actions));
  }
  find_mean(steered, memory);
}

// ---- Playing ----------------------------------------------------------------------------------

/* An agent's policy in a state: a tile of that state alone. */
static wal_tile one_state(const wal_space *space) {
  return (wal_tile){1, space->states.tile, space->game->shape.actions};
}

static int draw_action(wal_tile tile, const double *pi, double u) {
  int last = 0;
  double sum = 0;
  for (int a = 0; a < tile.actions; a++) {
    const double p = pi[a * tile.stride];
    if (!(p > 0)) continue;
    sum += p;
    last = a;
    if (u < sum) break;
  }
  return last;
}

static void enter(const wal_steered *steered, uint64_t seed) {
  const individuals *self = steered->self;
  const int populations = steered->world->space->game->shape.populations;
  const int64_t places = steered->world->space->game->shape.states / populations;
  wal_random_reals(seed, WAL_PURPOSE_AGENT, 0, self->agents, 0, 1, self->draw[0], self->draw[1]);
  for (int64_t i = 0; i < self->agents; i++) {
    const int64_t p = i % populations;
    const int64_t place =
        wal_steer_world_pick(places, self->initial + p * places, self->draw[0][i]);
    self->state[i] = (int32_t)(place * populations + p);
  }
}

/* Everybody plays an action and moves on. */
static wal_status play_stage(wal_steered *steered, uint64_t seed, int stage, double *memory) {
  individuals *self = steered->self;
  const wal_steer_world *w = steered->world;
  const wal_space *space = w->space;
  const wal_shape *shape = &space->game->shape;
  const wal_tile tile = one_state(space);
  const int32_t *state = self->state + stage * self->agents;
  int32_t *action = self->action + stage * self->agents;
  int group = 0;
  wal_random_reals(seed, WAL_PURPOSE_AGENT, 0, self->agents, (uint32_t)stage, 0, self->draw[0],
                   self->draw[1]);
  memset(self->played, 0, (size_t)(shape->states * shape->actions) * sizeof *self->played);
  for (int64_t i = 0; i < self->agents; i++) {
    const wal_agents *rule = rule_of(steered, i, &group);
    const int64_t pair = (int64_t)state[i] * shape->actions;
    double *own = memory_of(steered, memory, i) + stage * space->pairs;
    rule->type->read(rule, tile, own + wal_steer_world_place(w, pair), self->row[0]);
    action[i] = draw_action(tile, self->row[0], self->draw[0][i]);
    self->played[pair + action[i]]++;
  }
  wal_steer_world_collect(w, stage, memory, self->shares);
  WAL_TRY(wal_arena_stage(&steered->world->arena, stage, self->played, self->shares));
  if (stage + 1 == shape->horizon) return WAL_OK;
  for (int64_t i = 0; i < self->agents; i++)
    self->state[(stage + 1) * self->agents + i] = (int32_t)wal_steer_world_next(
        w, stage, (int64_t)state[i] * shape->actions + action[i], self->draw[1][i]);
  return WAL_OK;
}

static wal_status play(wal_steered *steered, uint64_t seed, int64_t episode, double *memory) {
  const wal_society *society = steered->society;
  if (episode == 1 && society->spread > 0)
    spread(steered, wal_episode_seed(seed, society->count, 0), memory);
  const uint64_t of_episode = wal_episode_seed(seed, society->count, episode);
  wal_arena_begin(&steered->world->arena, society->count);
  enter(steered, of_episode);
  for (int h = 0; h < steered->world->space->game->shape.horizon; h++)
    WAL_TRY(play_stage(steered, of_episode, h, memory));
  return WAL_OK;
}

/* Every so many agents, so that all groups are seen, from one on that is drawn. */
static void sample(const wal_steered *steered, uint64_t seed, int64_t episode, int trajectories,
                   double noise, wal_visit *visits) {
  const individuals *self = steered->self;
  const wal_steer_world *w = steered->world;
  const int horizon = w->space->game->shape.horizon, actions = w->space->game->shape.actions;
  const double from = wal_random_uniform(seed, WAL_PURPOSE_TRAJECTORY, (uint64_t)episode, 0, 0);
  for (int n = 0; n < trajectories; n++) {
    const double place = (n + from) / trajectories;
    int64_t agent = (int64_t)(place * (double)self->agents);
    agent = agent < self->agents ? agent : self->agents - 1;
    for (int h = 0; h < horizon; h++) {
      const int32_t state = self->state[h * self->agents + agent];
      const int32_t action = self->action[h * self->agents + agent];
      const int64_t pair = (int64_t)state * actions + action;
      const double error = noise > 0 ? noise * wal_random_normal(wal_random_uniform(
                                                   seed, WAL_PURPOSE_TRAJECTORY_NOISE,
                                                   (uint64_t)episode, (uint32_t)h, (uint32_t)n))
                                     : 0;
      const double reward = w->reward[h * w->space->pairs + wal_steer_world_place(w, pair)];
      visits[(int64_t)n * horizon + h] = (wal_visit){state, action, reward + error};
    }
  }
}

// ---- Learning ---------------------------------------------------------------------------------

static wal_status learn_values(wal_steered *steered, int64_t episode, double *memory) {
  individuals *self = steered->self;
  int group = 0;
  for (int64_t i = 0; i < self->agents; i++) {
    const wal_agents *rule = rule_of(steered, i, &group);
    double *own = memory_of(steered, memory, i);
    wal_steered_read(steered, rule, own, &self->own);
    WAL_TRY(wal_steered_teach(steered, rule, episode, &self->own, own));
  }
  find_mean(steered, memory);
  return WAL_OK;
}

/* One step at one state where an agent has been. */
static void step_at(const wal_steered *steered, const wal_agents *rule, int64_t t, int64_t pair,
                    double advantage, double *own, double *mean) {
  const individuals *self = steered->self;
  const wal_steer_world *w = steered->world;
  const wal_tile tile = one_state(w->space);
  const int64_t first = pair - pair % tile.actions, place = wal_steer_world_place(w, first);
  double *before = self->row[0], *after = self->row[1];
  const double share = 1 / (double)steered->society->count;
  rule->type->read(rule, tile, own + place, before);
  for (int a = 0; a < tile.actions; a++)
    self->q[a * tile.stride] = w->legal && !w->legal[first + a] ? WAL_FORBIDDEN : 0;
  const int64_t chosen = pair % tile.actions * tile.stride;
  self->q[chosen] = advantage / (before[chosen] + wal_agents_rate(rule, t) / 2);
  rule->type->step(rule, t, tile, self->q, own + place);
  rule->type->read(rule, tile, own + place, after);
  for (int64_t at = 0; at < tile.actions * tile.stride; at += tile.stride)
    mean[place + at] += share * (after[at] - before[at]);
}

static void learn_trajectory(wal_steered *steered, int64_t episode, double *memory) {
  const individuals *self = steered->self;
  const wal_steer_world *w = steered->world;
  const int64_t pairs = w->space->pairs;
  const int horizon = w->space->game->shape.horizon, actions = w->space->game->shape.actions;
  int group = 0;
  for (int64_t i = 0; i < self->agents; i++) {
    const wal_agents *rule = rule_of(steered, i, &group);
    double *own = memory_of(steered, memory, i), sum = 0;
    for (int h = horizon - 1; h >= 0; h--) {
      const int64_t at = h * self->agents + i;
      const int64_t pair = (int64_t)self->state[at] * actions + self->action[at];
      sum += w->total[h * pairs + wal_steer_world_place(w, pair)];
      step_at(steered, rule, episode, pair, sum - (horizon - h), own + h * pairs,
              memory + h * pairs);
    }
  }
}

static wal_status learn(wal_steered *steered, int64_t episode, double *memory) {
  if (!steered->society->own_trajectory) return learn_values(steered, episode, memory);
  learn_trajectory(steered, episode, memory);
  return WAL_OK;
}

const wal_steered_type wal_steered_individuals = {.create = create,
                                                  .destroy = destroy,
                                                  .memory_count = memory_count,
                                                  .start = start,
                                                  .play = play,
                                                  .learn = learn,
                                                  .intend = intend,
                                                  .sample = sample};
