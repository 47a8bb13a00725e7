// SPDX-License-Identifier: GPL-3.0-or-later
#include "games/common.h"
#include "games/game_list.h"
#include "sim/core/hot.h"
#include "sim/core/memory.h"

/* s' = s + a + e mod n, e uniform on {-1, 0, 1};
 * r = 1 - |s - c|/c - |m_h(s)|/n - ln(mu(s) + offset) with c = n/2 rounded down. */

enum { ACTIONS = 3, NOISE_TERMS = 3 };

typedef struct crowd_modelling {
  int64_t states;
  double log_offset;
  const double *last_move; /**< [H][S] or NULL */
} crowd_modelling;

static const wal_param PARAMS[] = {
    WAL_GAME_INTEGER("states", 10, 2, INT32_MAX, "places", "places on the ring"),
    WAL_GAME_HORIZON(10),
    {.name = "last_move",
     .type = WAL_ARRAY,
     .rank = 2,
     .optional = true,
     .low = -1,
     .high = 1,
     .unit = "places",
     .meaning = "move charged for at each stage (row) and place (column); 0 if left out"},
    WAL_GAME_LOG_OFFSET(1e-25),
    WAL_TOLL_PARAM,
    {.name = NULL}};

static wal_status create(wal_ctx *ctx, wal_params *params, wal_shape *shape, void **self) {
  shape->states = wal_params_integer(params, "states");
  shape->horizon = (int)wal_params_integer(params, "horizon");
  shape->actions = ACTIONS;
  shape->state_reward = true;
  shape->noise_terms = NOISE_TERMS;
  shape->axes = 1;
  shape->axis[0] = (wal_axis){.name = "place", .size = shape->states};
  const double *last_move = NULL;
  WAL_TRY(wal_params_array(ctx, params, "last_move", shape->horizon, shape->states, 0, &last_move));
  crowd_modelling *game;
  WAL_TRY(wal_acquire(ctx, "crowd_modelling", 1, sizeof *game, &game));
  *game = (crowd_modelling){.states = shape->states,
                            .log_offset = wal_params_real(params, "log_offset"),
                            .last_move = last_move};
  *self = game;
  return WAL_OK;
}

static void initial_mass(const void *self, int64_t first, int64_t count, double *mass) {
  const crowd_modelling *game = self;
  wal_game_start(NULL, game->states, first, count, mass);
}

static int64_t turn(const crowd_modelling *game, int64_t place, int step) {
  return (place + step + game->states) % game->states;
}

static void move(const void *self, int h, int outcome, int action, int64_t first, int64_t count,
                 int64_t *post) {
  (void)h, (void)outcome;
  for (int64_t i = 0; i < count; i++) post[i] = turn(self, first + i, action - 1);
}

static void noise(const void *self, int h, int64_t first, int64_t count, int64_t *target,
                  double *weight) {
  (void)h;
  for (int e = 0; e < NOISE_TERMS; e++)
    for (int64_t i = 0; i < count; i++) {
      target[e * count + i] = turn(self, first + i, e - 1);
      weight[e * count + i] = 1.0 / NOISE_TERMS;
    }
}

/** reward[i] += 1 - |first + i - centre| / centre. */
WAL_HOT static void attract(int64_t first, int64_t count, double centre, double *restrict reward) {
  double scale = 1 / centre;
  for (int64_t i = 0; i < count; i++) {
    double gap = (double)(int32_t)(first + i) - centre;
    reward[i] += 1 - (gap < 0 ? -gap : gap) * scale;
  }
}

WAL_HOT static void charge(int64_t count, double scale, const double *restrict last,
                           double *restrict reward) {
  for (int64_t i = 0; i < count; i++) reward[i] -= (last[i] < 0 ? -last[i] : last[i]) * scale;
}

static void stage(const void *self, const wal_slab *slab, const double *mass, const double *policy,
                  const double *statistic, double *reward, double *outcome) {
  (void)policy, (void)statistic, (void)outcome;
  if (!reward) return;
  const crowd_modelling *game = self;
  wal_game_aversion(slab->count, mass, game->log_offset, reward);
  attract(slab->first, slab->count, (double)(game->states / 2), reward);
  if (game->last_move)
    charge(slab->count, 1 / (double)game->states,
           game->last_move + slab->stage * game->states + slab->first, reward);
}

static void stage_vjp(const void *self, const wal_slab *slab, const double *mass,
                      const double *policy, const double *statistic, const double *reward_bar,
                      const double *outcome_bar, double *mass_bar, double *policy_bar,
                      double *statistic_bar) {
  (void)policy, (void)statistic, (void)outcome_bar, (void)policy_bar, (void)statistic_bar;
  if (!reward_bar) return;
  const crowd_modelling *game = self;
  wal_game_aversion_vjp(1, slab->stride, slab->count, 1, mass, game->log_offset, reward_bar,
                        mass_bar);
}

static void action_name(const void *self, int action, char *buffer, size_t size) {
  static const char *const NAMES[ACTIONS] = {"left", "stay", "right"};
  (void)self;
  wal_game_label(NAMES, action, buffer, size);
}

const wal_game_type wal_game_crowd_modelling = {
    .struct_size = sizeof(wal_game_type),
    .component = {.name = "crowd_modelling",
                  .kind = "game",
                  .summary = "gather around the middle of a ring without crowding",
                  .source = "OpenSpiel: mfg_crowd_modelling",
                  .params = PARAMS},
    .create = create,
    .destroy = wal_game_free,
    .initial = initial_mass,
    .move = move,
    .noise = noise,
    .stage = stage,
    .stage_vjp = stage_vjp,
    .action_name = action_name};
