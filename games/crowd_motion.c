// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>

#include "games/game_list.h"
#include "games/grid.h"
#include "sim/core/hot.h"
#include "sim/core/memory.h"

/* s' = clip(s + a + e) on a grid; r = attraction (1 - |s - bar_h|_1 / (rows + columns))
 * - ln(mu(s) + offset). The post-decision state s + a lies on the grid with a rim of one cell. */

static const wal_grid_move MOVES[WAL_GRID_MOVES] = {
    {1, 0, "down"}, {-1, 0, "up"}, {0, 1, "right"}, {0, -1, "left"}, {0, 0, "stay"}};

typedef struct crowd_motion {
  wal_grid grid;
  double attraction, stay, log_offset;
  const double *bar_path; /**< [H][2] or NULL for the centre */
} crowd_motion;

static const wal_param PARAMS[] = {
    WAL_GAME_HORIZON(4),
    WAL_GAME_CELLS("rows", 20, "rows of the grid"),
    WAL_GAME_CELLS("columns", 20, "columns of the grid"),
    WAL_GAME_REAL("attraction", 10, 0, 0, "reward", "reward of standing at the bar"),
    WAL_GAME_REAL("stay", 0.5, 0, 1, "probability",
                  "chance that no noise moves the agent; else one of the four moves, equally"),
    WAL_GAME_LOG_OFFSET(1e-10),
    {.name = "bar_path",
     .type = WAL_ARRAY,
     .rank = 2,
     .columns = 2,
     .optional = true,
     .low = 0,
     .high = WAL_GAME_MOST_CELLS,
     .unit = "cells",
     .meaning = "row and column of the bar at each stage; always the centre if left out"},
    WAL_TOLL_PARAM,
    {.name = NULL}};

static wal_status check_path(wal_ctx *ctx, const wal_params *params, const wal_grid *grid,
                             int horizon, const double *path) {
  for (int h = 0; path && h < horizon; h++)
    if (path[2 * h] > (double)(grid->rows - 1) || path[2 * h + 1] > (double)(grid->columns - 1))
      return wal_params_fail(ctx, params, "bar_path",
                             "expected cells of the %lld x %lld grid, got (%g, %g) at stage %d",
                             (long long)grid->rows, (long long)grid->columns, path[2 * h],
                             path[2 * h + 1], h);
  return WAL_OK;
}

static wal_status create(wal_ctx *ctx, wal_params *params, wal_shape *shape, void **self) {
  crowd_motion game = {
      .grid = {wal_params_integer(params, "rows"), wal_params_integer(params, "columns")},
      .attraction = wal_params_real(params, "attraction"),
      .stay = wal_params_real(params, "stay"),
      .log_offset = wal_params_real(params, "log_offset")};
  shape->horizon = (int)wal_params_integer(params, "horizon");
  shape->states = game.grid.rows * game.grid.columns;
  shape->actions = WAL_GRID_MOVES;
  shape->state_reward = true;
  shape->post_states = (game.grid.rows + 2) * (game.grid.columns + 2);
  shape->noise_terms = WAL_GRID_MOVES;
  shape->axes = 2;
  shape->axis[0] = (wal_axis){.name = "row", .size = game.grid.rows};
  shape->axis[1] = (wal_axis){.name = "column", .size = game.grid.columns};
  WAL_TRY(wal_params_array(ctx, params, "bar_path", shape->horizon, 2, 0, &game.bar_path));
  WAL_TRY(check_path(ctx, params, &game.grid, shape->horizon, game.bar_path));
  crowd_motion *made;
  WAL_TRY(wal_acquire(ctx, "crowd_motion", 1, sizeof *made, &made));
  *made = game;
  *self = made;
  return WAL_OK;
}

static void initial_mass(const void *self, int64_t first, int64_t count, double *mass) {
  const crowd_motion *game = self;
  wal_game_start(NULL, game->grid.rows * game->grid.columns, first, count, mass);
}

static void move(const void *self, int h, int outcome, int action, int64_t first, int64_t count,
                 int64_t *post) {
  (void)h, (void)outcome;
  const wal_grid *grid = &((const crowd_motion *)self)->grid;
  int64_t width = grid->columns + 2;
  for (int64_t i = 0; i < count; i++) {
    int64_t row = (first + i) / grid->columns, column = (first + i) % grid->columns;
    post[i] = (row + 1 + MOVES[action].row) * width + column + 1 + MOVES[action].column;
  }
}

static void noise(const void *self, int h, int64_t first, int64_t count, int64_t *target,
                  double *weight) {
  (void)h;
  const crowd_motion *game = self;
  int64_t width = game->grid.columns + 2;
  double step = (1 - game->stay) / 4;
  for (int64_t i = 0; i < count; i++) {
    int64_t row = (first + i) / width - 1, column = (first + i) % width - 1;
    for (int e = 0; e < WAL_GRID_MOVES; e++) {
      target[e * count + i] =
          wal_grid_clip(&game->grid, row + MOVES[e].row, column + MOVES[e].column);
      weight[e * count + i] = e == WAL_GRID_MOVES - 1 ? game->stay : step;
    }
  }
}

/** reward[i] += base - slope |column + i - bar| along one row. */
WAL_HOT static void attract(int64_t column, int64_t count, double bar, double base, double slope,
                            double *restrict reward) {
  for (int64_t i = 0; i < count; i++) {
    double gap = (double)(int32_t)(column + i) - bar;
    reward[i] += base - slope * (gap < 0 ? -gap : gap);
  }
}

static void stage(const void *self, const wal_slab *slab, const double *mass, const double *policy,
                  const double *statistic, double *reward, double *outcome) {
  (void)policy, (void)statistic, (void)outcome;
  if (!reward) return;
  const crowd_motion *game = self;
  const wal_grid *grid = &game->grid;
  double bar_row = (double)(grid->rows / 2), bar_column = (double)(grid->columns / 2);
  if (game->bar_path) {
    bar_row = game->bar_path[2 * slab->stage];
    bar_column = game->bar_path[2 * slab->stage + 1];
  }
  double slope = game->attraction / (double)(grid->rows + grid->columns);
  wal_game_aversion(slab->count, mass, game->log_offset, reward);
  int64_t row = slab->first / grid->columns, column = slab->first % grid->columns;
  for (int64_t i = 0; i < slab->count; row++, column = 0) {
    int64_t left = slab->count - i, run = grid->columns - column;
    if (run > left) run = left;
    double base = game->attraction - slope * fabs((double)row - bar_row);
    attract(column, run, bar_column, base, slope, reward + i);
    i += run;
  }
}

static void stage_vjp(const void *self, const wal_slab *slab, const double *mass,
                      const double *policy, const double *statistic, const double *reward_bar,
                      const double *outcome_bar, double *mass_bar, double *policy_bar,
                      double *statistic_bar) {
  (void)policy, (void)statistic, (void)outcome_bar, (void)policy_bar, (void)statistic_bar;
  if (!reward_bar) return;
  const crowd_motion *game = self;
  wal_game_aversion_vjp(1, slab->stride, slab->count, 1, mass, game->log_offset, reward_bar,
                        mass_bar);
}

static void action_name(const void *self, int action, char *buffer, size_t size) {
  (void)self;
  wal_game_label(&MOVES[action].name, 0, buffer, size);
}

const wal_game_type wal_game_crowd_motion = {
    .struct_size = sizeof(wal_game_type),
    .component = {.name = "crowd_motion",
                  .kind = "game",
                  .summary = "follow a bar that may wander over a grid, but away from the crowd",
                  .source = "MFGLib 0.3: crowd_motion",
                  .params = PARAMS},
    .create = create,
    .destroy = wal_game_free,
    .initial = initial_mass,
    .move = move,
    .noise = noise,
    .stage = stage,
    .stage_vjp = stage_vjp,
    .action_name = action_name};
