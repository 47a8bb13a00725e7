// SPDX-License-Identifier: GPL-3.0-or-later
#include "games/common.h"
#include "games/game_list.h"
#include "sim/core/hot.h"
#include "sim/core/memory.h"

/* s' = clip(s + a + e); r = -ring(s, bar) - |a|/n - ln(mu(s) + offset). */

enum { ACTIONS = 3, NOISE_TERMS = 3 };

typedef struct beach_bar {
  int64_t states, bar;
  double stay, log_offset;
  const double *initial;
} beach_bar;

static const wal_param PARAMS[] = {
    WAL_GAME_HORIZON(3),
    WAL_GAME_INTEGER("states", 4, 1, INT32_MAX - 2, "places", "places along the beach"),
    WAL_GAME_INTEGER("bar", 2, 0, INT32_MAX, NULL, "place of the bar, counted from 0"),
    WAL_GAME_REAL("stay", 0.5, 0, 1, "probability",
                  "chance that no noise moves the agent; else one place left or right, equally"),
    WAL_GAME_LOG_OFFSET(1e-20),
    WAL_GAME_INITIAL("starting distribution over the places; uniform if left out",
                     .optional = true),
    WAL_TOLL_PARAM,
    {.name = NULL}};

static wal_status create(wal_ctx *ctx, wal_params *params, wal_shape *shape, void **self) {
  int64_t states = wal_params_integer(params, "states");
  int64_t bar = wal_params_integer(params, "bar");
  const double *initial = NULL;
  if (bar >= states)
    return wal_params_fail(ctx, params, "bar", "expected a place from 0 to %lld, got %lld",
                           (long long)states - 1, (long long)bar);
  WAL_TRY(wal_params_distribution(ctx, params, "initial", states, &initial));
  shape->horizon = (int)wal_params_integer(params, "horizon");
  shape->states = states;
  shape->actions = ACTIONS;
  shape->post_states = states + 2;  // places before noise: one beyond either end is possible
  shape->noise_terms = NOISE_TERMS;
  shape->axes = 1;
  shape->axis[0] = (wal_axis){.name = "place", .size = states};
  beach_bar *game;
  WAL_TRY(wal_acquire(ctx, "beach_bar", 1, sizeof *game, &game));
  *game = (beach_bar){.states = states,
                      .bar = bar,
                      .stay = wal_params_real(params, "stay"),
                      .log_offset = wal_params_real(params, "log_offset"),
                      .initial = initial};
  *self = game;
  return WAL_OK;
}

static void initial_mass(const void *self, int64_t first, int64_t count, double *mass) {
  const beach_bar *game = self;
  wal_game_start(game->initial, game->states, first, count, mass);
}

static void move(const void *self, int h, int outcome, int action, int64_t first, int64_t count,
                 int64_t *post) {
  (void)self, (void)h, (void)outcome;
  for (int64_t i = 0; i < count; i++) post[i] = first + i + action;  // s + a + 1, a from -1
}

static void noise(const void *self, int h, int64_t first, int64_t count, int64_t *target,
                  double *weight) {
  (void)h;
  const beach_bar *game = self;
  double step = (1 - game->stay) / 2;
  for (int e = 0; e < NOISE_TERMS; e++)
    for (int64_t i = 0; i < count; i++) {
      target[e * count + i] = wal_game_clip(first + i - 1 + e - 1, 0, game->states - 1);
      weight[e * count + i] = e == 1 ? game->stay : step;
    }
}

/** reward[i] -= distance on the ring of n places between first + i and the bar. */
WAL_HOT static void approach(int64_t first, int64_t count, double n, double bar,
                             double *restrict reward) {
  for (int64_t i = 0; i < count; i++) {
    double gap = (double)(int32_t)(first + i) - bar;
    gap = gap < 0 ? -gap : gap;
    reward[i] -= gap < n - gap ? gap : n - gap;
  }
}

WAL_HOT static void charge(int64_t count, double cost, const double *restrict from,
                           double *restrict to) {
  for (int64_t i = 0; i < count; i++) to[i] = from[i] - cost;
}

static void stage(const void *self, const wal_slab *slab, const double *mass, const double *policy,
                  const double *statistic, double *reward, double *outcome) {
  (void)policy, (void)statistic, (void)outcome;
  if (!reward) return;
  const beach_bar *game = self;
  double n = (double)game->states;
  double *stand = reward + slab->stride;
  wal_game_aversion(slab->count, mass, game->log_offset, stand);
  approach(slab->first, slab->count, n, (double)game->bar, stand);
  charge(slab->count, 1 / n, stand, reward);
  charge(slab->count, 1 / n, stand, reward + 2 * slab->stride);
}

static void stage_vjp(const void *self, const wal_slab *slab, const double *mass,
                      const double *policy, const double *statistic, const double *reward_bar,
                      const double *outcome_bar, double *mass_bar, double *policy_bar,
                      double *statistic_bar) {
  (void)policy, (void)statistic, (void)outcome_bar, (void)policy_bar, (void)statistic_bar;
  if (!reward_bar) return;
  const beach_bar *game = self;
  wal_game_aversion_vjp(ACTIONS, slab->stride, slab->count, 1, mass, game->log_offset, reward_bar,
                        mass_bar);
}

static void action_name(const void *self, int action, char *buffer, size_t size) {
  static const char *const NAMES[ACTIONS] = {"left", "stay", "right"};
  (void)self;
  wal_game_label(NAMES, action, buffer, size);
}

const wal_game_type wal_game_beach_bar = {
    .struct_size = sizeof(wal_game_type),
    .component = {.name = "beach_bar",
                  .kind = "game",
                  .summary = "get close to a bar on the beach, but away from the crowd",
                  .source = "MFGLib 0.3: beach_bar",
                  .params = PARAMS},
    .create = create,
    .destroy = wal_game_free,
    .initial = initial_mass,
    .move = move,
    .noise = noise,
    .stage = stage,
    .stage_vjp = stage_vjp,
    .action_name = action_name};
