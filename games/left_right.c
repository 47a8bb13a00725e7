// SPDX-License-Identifier: GPL-3.0-or-later
#include "games/common.h"
#include "games/game_list.h"
#include "sim/core/memory.h"

/* One choice, s' = 1 + a; then r(left) = -mu(left), r(right) = -2 mu(right). */

enum { STATES = 3, ACTIONS = 2, STAGES = 2 };

static const double CENTRE[STATES] = {1, 0, 0};

static const wal_param PARAMS[] = {
    WAL_GAME_INITIAL("starting distribution over centre, left, right", .array = CENTRE,
                     .extent = {STATES}),
    WAL_TOLL_PARAM,
    {.name = NULL}};

static const double WEIGHT[STATES] = {0, -1, -2};

typedef struct left_right {
  const double *initial;
} left_right;

static wal_status create(wal_ctx *ctx, wal_params *params, wal_shape *shape, void **self) {
  const double *initial;
  WAL_TRY(wal_params_distribution(ctx, params, "initial", STATES, &initial));
  shape->horizon = STAGES;
  shape->states = STATES;
  shape->actions = ACTIONS;
  shape->state_reward = true;
  shape->axes = 1;
  shape->axis[0] = (wal_axis){.name = "place", .size = STATES};
  left_right *game;
  WAL_TRY(wal_acquire(ctx, "left_right", 1, sizeof *game, &game));
  game->initial = initial;
  *self = game;
  return WAL_OK;
}

static void initial_mass(const void *self, int64_t first, int64_t count, double *mass) {
  const left_right *game = self;
  wal_game_start(game->initial, STATES, first, count, mass);
}

static void move(const void *self, int h, int outcome, int action, int64_t first, int64_t count,
                 int64_t *post) {
  (void)self, (void)h, (void)outcome, (void)first;
  for (int64_t i = 0; i < count; i++) post[i] = 1 + action;
}

static void stage(const void *self, const wal_slab *slab, const double *mass, const double *policy,
                  const double *statistic, double *reward, double *outcome) {
  (void)self, (void)policy, (void)statistic, (void)outcome;
  if (!reward) return;
  for (int64_t i = 0; i < slab->count; i++) reward[i] = WEIGHT[slab->first + i] * mass[i];
}

static void stage_vjp(const void *self, const wal_slab *slab, const double *mass,
                      const double *policy, const double *statistic, const double *reward_bar,
                      const double *outcome_bar, double *mass_bar, double *policy_bar,
                      double *statistic_bar) {
  (void)mass, (void)policy, (void)statistic, (void)outcome_bar, (void)policy_bar,
      (void)statistic_bar, (void)self;
  if (!reward_bar) return;
  for (int64_t i = 0; i < slab->count; i++) mass_bar[i] += WEIGHT[slab->first + i] * reward_bar[i];
}

static void action_name(const void *self, int action, char *buffer, size_t size) {
  static const char *const NAMES[ACTIONS] = {"left", "right"};
  (void)self;
  wal_game_label(NAMES, action, buffer, size);
}

const wal_game_type wal_game_left_right = {
    .struct_size = sizeof(wal_game_type),
    .component = {.name = "left_right",
                  .kind = "game",
                  .summary = "go left or right once; company costs twice as much on the right",
                  .source = "MFGLib 0.3: left_right",
                  .params = PARAMS},
    .create = create,
    .destroy = wal_game_free,
    .initial = initial_mass,
    .move = move,
    .stage = stage,
    .stage_vjp = stage_vjp,
    .action_name = action_name};
