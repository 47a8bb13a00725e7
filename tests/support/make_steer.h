// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_TESTS_SUPPORT_MAKE_STEER_H
#define WALRAS_TESTS_SUPPORT_MAKE_STEER_H

#include <math.h>

#include "cli/catalogue.h"
#include "incentives/steer/steering.h"
#include "sim/core/random.h"
#include "tests/support/make_game.h"

/* A line of states: actions -1, 0, +1, and a step of -1 or +1 on top with probability 0.1 each, all
 * within the line. With random r_0 in [0, 1],
 *   r = r_0(s,a) / 2 + log(mu(s) + 0.01) / (2 log 0.01), the density's part clipped to [0, 1/2],
 * or 0 if it is free. */

enum { LINE_ACTIONS = 3, LINE_MOST = 256 };

typedef struct line {
  int64_t states;
  bool free, corner; /**< no rewards; all begin in state 0 */
  double reward[LINE_MOST][LINE_ACTIONS];
} line;

static inline void line_destroy(wal_ctx *c, void *self) { (void)c, (void)self; }

static inline int64_t line_clip(const line *l, int64_t s) {
  return s < 0 ? 0 : s >= l->states ? l->states - 1 : s;
}

static inline void line_initial(const void *self, int64_t first, int64_t count, double *mass) {
  const line *l = self;
  for (int64_t i = 0; i < count; i++)
    mass[i] = l->corner ? (double)(first + i == 0) : 1.0 / (double)l->states;
}

static inline void line_move(const void *self, int stage, int outcome, int action, int64_t first,
                             int64_t count, int64_t *post) {
  (void)stage, (void)outcome;
  for (int64_t i = 0; i < count; i++) post[i] = line_clip(self, first + i + action - 1);
}

static inline void line_noise(const void *self, int stage, int64_t first, int64_t count,
                              int64_t *target, double *weight) {
  static const double WEIGHT[] = {0.1, 0.8, 0.1};
  (void)stage;
  for (int e = 0; e < 3; e++)
    for (int64_t i = 0; i < count; i++) {
      target[e * count + i] = line_clip(self, first + i + e - 1);
      weight[e * count + i] = WEIGHT[e];
    }
}

static inline void line_stage(const void *self, const wal_slab *slab, const double *mass,
                              const double *policy, const double *statistic, double *reward,
                              double *outcome) {
  const line *l = self;
  (void)policy, (void)statistic, (void)outcome;
  for (int64_t i = 0; i < slab->count && reward; i++) {
    const double crowd = fmax(log(mass[i] + 0.01) / log(0.01), 0);
    for (int a = 0; a < LINE_ACTIONS; a++)
      reward[a * slab->stride + i] = l->free ? 0 : (l->reward[slab->first + i][a] + crowd) / 2;
  }
}

static const wal_game_type line_type = {.struct_size = sizeof(wal_game_type),
                                        .component = {.name = "line"},
                                        .destroy = line_destroy,
                                        .initial = line_initial,
                                        .move = line_move,
                                        .noise = line_noise,
                                        .stage = line_stage};

static inline wal_game line_game(line *self, int64_t states, int horizon) {
  self->states = states;
  for (int64_t s = 0; s < states; s++)
    for (int a = 0; a < LINE_ACTIONS; a++)
      self->reward[s][a] = wal_random_uniform(7, WAL_PURPOSE_TEST, (uint64_t)s, (uint32_t)a, 0);
  return (wal_game){.type = &line_type,
                    .self = self,
                    .shape = {.horizon = horizon,
                              .states = states,
                              .actions = LINE_ACTIONS,
                              .outcomes = 1,
                              .populations = 1,
                              .group = 1,
                              .post_states = states,
                              .noise_terms = 3,
                              .axes = 1,
                              .axis = {{.name = "state", .size = states}}}};
}

/** A steering of a line: with a target of random logits, or of random actions. */
typedef struct steer_bench {
  line line;
  wal_game game;
  wal_space *space;
  wal_agents agents;
  wal_params *of_agents;
  double **target;
  wal_steering steering;
} steer_bench;

typedef struct steer_setting {
  int64_t states, episodes;
  int horizon, trajectories;
  bool free, corner, deterministic, by_horizon; /**< the last: steps of agents are 1 / sqrt(T) */
  double rate;
  uint64_t draw; /**< of the target */
} steer_setting;

static inline wal_params *steer_params(wal_ctx *c, const wal_component *component, wal_node *node) {
  wal_params *params = NULL;
  WAL_ASSERT_OK(c,
                wal_params_resolve(c, "test.lua", component, node, wal_catalogue_all(), &params));
  wal_node_destroy(node);
  return params;
}

static inline void steer_bench_open(wal_ctx *c, const steer_setting *setting, steer_bench *b) {
  memset(b, 0, sizeof *b);
  b->line = (line){.free = setting->free, .corner = setting->corner};
  b->game = line_game(&b->line, setting->states, setting->horizon);
  WAL_ASSERT_OK(c, wal_steer_space_create(c, &b->game, &b->space));
  wal_node *node = wal_test_component("hedge");
  wal_test_set_number(node, "rate", setting->rate > 0 ? setting->rate : 1);
  if (setting->by_horizon) wal_test_set_text(node, "schedule", "horizon");
  b->of_agents = steer_params(c, &wal_agents_hedge.component, node);
  WAL_ASSERT_OK(
      c, wal_agents_create(c, &wal_agents_hedge, b->of_agents, setting->episodes, &b->agents));
  b->target = calloc((size_t)setting->horizon, sizeof *b->target);
  for (int h = 0; h < setting->horizon; h++) {
    b->target[h] = calloc((size_t)setting->states * LINE_ACTIONS, sizeof(double));
    for (int64_t s = 0; s < setting->states; s++) {
      double sum = 0, *row = b->target[h] + s * LINE_ACTIONS;
      for (int a = 0; a < LINE_ACTIONS; a++) {
        const double u = wal_random_uniform(5 + setting->draw, WAL_PURPOSE_TEST,
                                            (uint64_t)(s * LINE_ACTIONS + a), (uint32_t)h, 1);
        sum += row[a] = setting->deterministic ? (a == (s + h) % LINE_ACTIONS) : exp(2 * u - 1);
      }
      for (int a = 0; a < LINE_ACTIONS; a++) row[a] /= sum;
    }
  }
  const wal_steering_plan plan = {.space = b->space,
                                  .agents = &b->agents,
                                  .target = (const double *const *)b->target,
                                  .episodes = setting->episodes,
                                  .trajectories = setting->trajectories,
                                  .noise = 0.1};
  WAL_ASSERT_OK(c, wal_steering_create(&plan, &b->steering));
}

static inline void steer_bench_close(steer_bench *b) {
  const int horizon = b->game.shape.horizon;
  wal_steering_destroy(&b->steering);
  for (int h = 0; h < horizon; h++) free(b->target[h]);
  free(b->target);
  wal_params_destroy(&b->of_agents);
  wal_space_destroy(&b->space);
}

/** A mediator of a steering, from a component that is freed. */
static inline wal_mediator *steer_mediator(wal_ctx *c, steer_bench *b, wal_node *node) {
  const wal_mediator_type *type = wal_mediator_find(node->text);
  wal_mediator *m = NULL;
  const wal_mediator_setup setup = wal_steering_setup(&b->steering);
  wal_params *params = steer_params(c, &type->component, node);
  WAL_ASSERT_OK(c, wal_mediator_create(&setup, type, params, &m));
  wal_params_destroy(&params);
  return m;
}

#endif
