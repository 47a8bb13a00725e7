// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <stdio.h>

#include "games/common.h"
#include "games/game_list.h"
#include "sim/core/memory.h"
#include "sim/core/sum.h"
#include "sim/core/vector_math.h"

/* x in -w..w, m the mean position, rint to even:
 *   x' = clip(rint(x + (drift (m - x) + a) step + noise e sqrt(step))),
 *   e in noise {-3..3} with weights exp(-e^2 / 2), normalized;
 *   r = step (-a^2/2 + coupling a (m - x) - crowd_cost (m - x)^2 / 2),
 *   at the last stage -terminal_cost (m - x)^2 / 2.
 * The next position depends on m, so that outcome k is "move to position k - w". */

enum { NOISE_TERMS = 7 };

typedef struct linear_quadratic {
  int horizon, half_width, max_action;
  double step, drift, coupling, crowd_cost, terminal_cost;
  double shift[NOISE_TERMS], weight[NOISE_TERMS]; /**< noise e sqrt(step), and its probability */
  double *position;                               /**< -w..w */
} linear_quadratic;

static const wal_param PARAMS[] = {
    WAL_GAME_HORIZON(4),
    WAL_GAME_INTEGER("half_width", 5, 1, 10000, "places", "positions run from minus this to this"),
    WAL_GAME_INTEGER("max_action", 2, 0, 1000, "places", "actions run from minus this to this"),
    WAL_GAME_REAL("noise", 3, 0, 1e6, NULL, "scale of the noise"),
    WAL_GAME_REAL("step", 0.1, 0, 1e6, "time", "time between two stages"),
    WAL_GAME_REAL("drift", 1, 0, 0, "1/time", "pull towards the mean position"),
    WAL_GAME_REAL("coupling", 0.01, 0, 0, "reward", "reward of moving towards the mean position"),
    WAL_GAME_REAL("crowd_cost", 0.5, 0, 0, "reward",
                  "cost of the squared distance from the mean position, doubled"),
    WAL_GAME_REAL("terminal_cost", 1, 0, 0, "reward", "the same at the last stage"),
    WAL_TOLL_PARAM,
    {.name = NULL}};

static void spread_noise(linear_quadratic *game, double noise) {
  double total = 0;
  for (int e = 0; e < NOISE_TERMS; e++) {
    double draw = noise * (e - NOISE_TERMS / 2);
    game->shift[e] = noise * draw * sqrt(game->step);
    game->weight[e] = -draw * draw / 2;
  }
  wal_vector_exp(NOISE_TERMS, game->weight, game->weight);
  for (int e = 0; e < NOISE_TERMS; e++) total += game->weight[e];
  for (int e = 0; e < NOISE_TERMS; e++) game->weight[e] /= total;
}

static void destroy(wal_ctx *ctx, void *self) {
  linear_quadratic *game = self;
  if (game) wal_release(ctx, &game->position);
  wal_release(ctx, &game);
}

static wal_status create(wal_ctx *ctx, wal_params *params, wal_shape *shape, void **self) {
  linear_quadratic *game;
  WAL_TRY(wal_acquire(ctx, "linear_quadratic", 1, sizeof *game, &game));
  *game = (linear_quadratic){.horizon = (int)wal_params_integer(params, "horizon"),
                             .half_width = (int)wal_params_integer(params, "half_width"),
                             .max_action = (int)wal_params_integer(params, "max_action"),
                             .step = wal_params_real(params, "step"),
                             .drift = wal_params_real(params, "drift"),
                             .coupling = wal_params_real(params, "coupling"),
                             .crowd_cost = wal_params_real(params, "crowd_cost"),
                             .terminal_cost = wal_params_real(params, "terminal_cost")};
  spread_noise(game, wal_params_real(params, "noise"));
  shape->horizon = game->horizon;
  shape->states = 2 * game->half_width + 1;
  shape->actions = 2 * game->max_action + 1;
  shape->outcomes = (int)shape->states;
  shape->statistic = 1;
  shape->axes = 1;
  shape->axis[0] = (wal_axis){.name = "position", .size = shape->states};
  wal_status status = wal_acquire(ctx, "positions of linear_quadratic", shape->states,
                                  sizeof *game->position, &game->position);
  if (status != WAL_OK) {
    destroy(ctx, game);
    return status;
  }
  for (int s = 0; s < shape->states; s++) game->position[s] = s - game->half_width;
  *self = game;
  return WAL_OK;
}

static void initial_mass(const void *self, int64_t first, int64_t count, double *mass) {
  const linear_quadratic *game = self;
  wal_game_start(NULL, 2 * game->half_width + 1, first, count, mass);
}

static void move(const void *self, int h, int outcome, int action, int64_t first, int64_t count,
                 int64_t *post) {
  (void)self, (void)h, (void)action, (void)first;
  for (int64_t i = 0; i < count; i++) post[i] = outcome;
}

static void couple(const void *self, const wal_slab *slab, const double *mass, const double *policy,
                   double *statistic) {
  (void)policy;
  const linear_quadratic *game = self;
  statistic[0] += wal_dot(slab->count, mass, game->position + slab->first);
}

static void fill_reward(const linear_quadratic *game, const wal_slab *slab, double mean, double a,
                        double *reward) {
  for (int64_t i = 0; i < slab->count; i++) {
    double gap = mean - game->position[slab->first + i];
    if (slab->stage == game->horizon - 1)
      reward[i] = -game->terminal_cost * gap * gap / 2;
    else
      reward[i] =
          game->step * (-a * a / 2 + game->coupling * a * gap - game->crowd_cost * gap * gap / 2);
  }
}

/** outcome[k * pairs + i]: probability of moving from the slab's state i to state k. */
static void fill_outcome(const linear_quadratic *game, const wal_slab *slab, double mean, double a,
                         int64_t pairs, double *outcome) {
  int states = 2 * game->half_width + 1;
  for (int k = 0; k < states; k++)
    for (int64_t i = 0; i < slab->count; i++) outcome[k * pairs + i] = 0;
  for (int64_t i = 0; i < slab->count; i++) {
    double x = game->position[slab->first + i];
    double drifted = x + (game->drift * (mean - x) + a) * game->step;
    for (int e = 0; e < NOISE_TERMS; e++) {
      double next = rint(drifted + game->shift[e]);
      double inside = fmin(fmax(next, -game->half_width), game->half_width);
      int64_t k = (int64_t)inside + game->half_width;
      outcome[k * pairs + i] += game->weight[e];
    }
  }
}

static void stage(const void *self, const wal_slab *slab, const double *mass, const double *policy,
                  const double *statistic, double *reward, double *outcome) {
  (void)mass, (void)policy;
  const linear_quadratic *game = self;
  int actions = 2 * game->max_action + 1;
  for (int b = 0; b < actions; b++) {
    double a = b - game->max_action;
    if (reward) fill_reward(game, slab, statistic[0], a, reward + b * slab->stride);
    if (outcome)
      fill_outcome(game, slab, statistic[0], a, actions * slab->stride, outcome + b * slab->stride);
  }
}

static void couple_vjp(const void *self, const wal_slab *slab, const double *mass,
                       const double *policy, const double *statistic_bar, double *mass_bar,
                       double *policy_bar) {
  (void)mass, (void)policy, (void)policy_bar;
  const linear_quadratic *game = self;
  wal_game_add_scaled(slab->count, statistic_bar[0], game->position + slab->first, mass_bar);
}

/** The positions to which moves are rounded do not change with the mean, but where they jump. */
static void stage_vjp(const void *self, const wal_slab *slab, const double *mass,
                      const double *policy, const double *statistic, const double *reward_bar,
                      const double *outcome_bar, double *mass_bar, double *policy_bar,
                      double *statistic_bar) {
  (void)mass, (void)policy, (void)outcome_bar, (void)mass_bar, (void)policy_bar;
  if (!reward_bar) return;
  enum { CHUNK = 256 };
  const linear_quadratic *game = self;
  const bool last = slab->stage == game->horizon - 1;
  const int actions = 2 * game->max_action + 1;
  double plain[CHUNK], by_action[CHUNK];  // sums of the bars, and of action times bar
  for (int64_t first = 0; first < slab->count; first += CHUNK) {
    const int64_t n = slab->count - first < CHUNK ? slab->count - first : CHUNK;
    wal_game_sum_rows(actions, slab->stride, n, reward_bar + first, plain);
    for (int64_t i = 0; i < n; i++) by_action[i] = 0;
    for (int b = 0; b < actions && !last; b++)
      wal_game_add_scaled(n, b - game->max_action, reward_bar + b * slab->stride + first,
                          by_action);
    for (int64_t i = 0; i < n; i++) {
      const double gap = statistic[0] - game->position[slab->first + first + i];
      plain[i] *= -(last ? game->terminal_cost : game->step * game->crowd_cost) * gap;
    }
    statistic_bar[0] += wal_sum(n, plain);
    statistic_bar[0] += game->step * game->coupling * wal_sum(n, by_action);
  }
}

static void action_name(const void *self, int action, char *buffer, size_t size) {
  const linear_quadratic *game = self;
  snprintf(buffer, size, "%+d", action - game->max_action);
}

const wal_game_type wal_game_linear_quadratic = {
    .struct_size = sizeof(wal_game_type),
    .component = {.name = "linear_quadratic",
                  .kind = "game",
                  .summary = "stay near the mean position on a line, at the cost of moving",
                  .source = "MFGLib 0.3: linear_quadratic",
                  .params = PARAMS},
    .create = create,
    .destroy = destroy,
    .initial = initial_mass,
    .move = move,
    .stage = stage,
    .stage_vjp = stage_vjp,
    .couple = couple,
    .couple_vjp = couple_vjp,
    .action_name = action_name};
