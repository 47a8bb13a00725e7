// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>

#include "games/game_list.h"
#include "games/grid.h"
#include "sim/core/memory.h"

/* Populations p on one grid, s = cell P + p: a move, clipped to the grid, then a noisy move,
 * clipped too; r_p = -ln(mu_p + 1e-25) + sum_q preference_pq mu_q at the cell. */

static const wal_grid_move MOVES[WAL_GRID_MOVES] = {
    {0, 0, "stay"}, {1, 0, "down"}, {0, 1, "right"}, {0, -1, "left"}, {-1, 0, "up"}};

#define LOG_OFFSET 1e-25

typedef struct predator_prey {
  wal_grid grid;
  int populations;
  double noise;
  const double *preference; /**< [P][P] */
  const double *starts;     /**< [P][2] */
} predator_prey;

static const double CYCLE[3 * 3] = {0, -1, 1, 1, 0, -1, -1, 1, 0};
static const double CORNERS[3 * 2] = {0, 0, 4, 0, 0, 4};

static const wal_param PARAMS[] = {
    WAL_GAME_CELLS("rows", 5, "rows of the grid"),
    WAL_GAME_CELLS("columns", 5, "columns of the grid"),
    WAL_GAME_HORIZON(10),
    WAL_GAME_REAL("noise", 0.8, 0, 1, "probability",
                  "chance of a noisy move to one of the four neighbours, equally"),
    {.name = "preference",
     .type = WAL_ARRAY,
     .rank = 2,
     .array = CYCLE,
     .extent = {3, 3},
     .unit = "reward",
     .meaning = "one population a row: what it likes (> 0) or flees (< 0) in each population"},
    {.name = "starts",
     .type = WAL_ARRAY,
     .rank = 2,
     .columns = 2,
     .array = CORNERS,
     .extent = {3, 2},
     .low = 0,
     .high = WAL_GAME_MOST_CELLS,
     .unit = "cells",
     .meaning = "row and column where each population starts"},
    WAL_TOLL_PARAM,
    {.name = NULL}};

static wal_status read_starts(wal_ctx *ctx, wal_params *params, predator_prey *game) {
  const wal_grid *grid = &game->grid;
  WAL_TRY(wal_params_array(ctx, params, "starts", game->populations, 2, 0, &game->starts));
  for (int p = 0; p < game->populations; p++) {
    double row = game->starts[2 * p], column = game->starts[2 * p + 1];
    if (row != floor(row) || column != floor(column) || row > (double)(grid->rows - 1) ||
        column > (double)(grid->columns - 1))
      return wal_params_fail(ctx, params, "starts",
                             "expected a cell of the %lld x %lld grid, got (%g, %g) for "
                             "population %d",
                             (long long)grid->rows, (long long)grid->columns, row, column, p);
  }
  return WAL_OK;
}

static wal_status create(wal_ctx *ctx, wal_params *params, wal_shape *shape, void **self) {
  predator_prey game = {
      .grid = {wal_params_integer(params, "rows"), wal_params_integer(params, "columns")},
      .noise = wal_params_real(params, "noise")};
  int64_t extent[3];
  wal_params_extent(params, "preference", extent);
  if (extent[0] < 1 || extent[0] > WAL_POPULATIONS)
    return wal_params_fail(ctx, params, "preference",
                           "expected a table of 1 to %d rows, one a population, got %s",
                           WAL_POPULATIONS, extent[0] > 0 ? "more" : "a function or no rows");
  game.populations = (int)extent[0];
  WAL_TRY(wal_params_array(ctx, params, "preference", extent[0], extent[0], 0, &game.preference));
  WAL_TRY(read_starts(ctx, params, &game));
  shape->horizon = (int)wal_params_integer(params, "horizon");
  shape->states = game.grid.rows * game.grid.columns * game.populations;
  shape->actions = WAL_GRID_MOVES;
  shape->state_reward = true;
  shape->populations = game.populations;
  shape->group = game.populations;
  shape->noise_terms = WAL_GRID_MOVES;
  shape->axes = 3;
  shape->axis[0] = (wal_axis){.name = "row", .size = game.grid.rows};
  shape->axis[1] = (wal_axis){.name = "column", .size = game.grid.columns};
  shape->axis[2] = (wal_axis){.name = "population", .size = game.populations};
  predator_prey *made;
  WAL_TRY(wal_acquire(ctx, "predator_prey", 1, sizeof *made, &made));
  *made = game;
  *self = made;
  return WAL_OK;
}

static void initial_mass(const void *self, int64_t first, int64_t count, double *mass) {
  const predator_prey *game = self;
  for (int64_t i = 0; i < count; i++) mass[i] = 0;
  for (int p = 0; p < game->populations; p++) {
    int64_t row = (int64_t)game->starts[2 * p], column = (int64_t)game->starts[2 * p + 1];
    int64_t at = (row * game->grid.columns + column) * game->populations + p - first;
    if (at >= 0 && at < count) mass[at] = 1;
  }
}

static int64_t walk(const predator_prey *game, int64_t state, int action) {
  int64_t cell = state / game->populations, population = state % game->populations;
  int64_t row = cell / game->grid.columns + MOVES[action].row;
  int64_t column = cell % game->grid.columns + MOVES[action].column;
  return wal_grid_clip(&game->grid, row, column) * game->populations + population;
}

static void move(const void *self, int h, int outcome, int action, int64_t first, int64_t count,
                 int64_t *post) {
  (void)h, (void)outcome;
  for (int64_t i = 0; i < count; i++) post[i] = walk(self, first + i, action);
}

static void noise(const void *self, int h, int64_t first, int64_t count, int64_t *target,
                  double *weight) {
  (void)h;
  const predator_prey *game = self;
  for (int e = 0; e < WAL_GRID_MOVES; e++)
    for (int64_t i = 0; i < count; i++) {
      target[e * count + i] = walk(game, first + i, e);
      weight[e * count + i] = e == 0 ? 1 - game->noise : game->noise / 4;
    }
}

static void stage(const void *self, const wal_slab *slab, const double *mass, const double *policy,
                  const double *statistic, double *reward, double *outcome) {
  (void)policy, (void)statistic, (void)outcome;
  if (!reward) return;
  const predator_prey *game = self;
  int populations = game->populations;
  wal_game_aversion(slab->count, mass, LOG_OFFSET, reward);
  for (int64_t i = 0; i < slab->count; i += populations)
    for (int p = 0; p < populations; p++) {
      const double *preference = game->preference + p * populations;
      double liking = 0;
      for (int q = 0; q < populations; q++) liking += preference[q] * mass[i + q];
      reward[i + p] += liking;
    }
}

static void stage_vjp(const void *self, const wal_slab *slab, const double *mass,
                      const double *policy, const double *statistic, const double *reward_bar,
                      const double *outcome_bar, double *mass_bar, double *policy_bar,
                      double *statistic_bar) {
  (void)policy, (void)statistic, (void)outcome_bar, (void)policy_bar, (void)statistic_bar;
  if (!reward_bar) return;
  const predator_prey *game = self;
  const int populations = game->populations;
  wal_game_aversion_vjp(1, slab->stride, slab->count, 1, mass, LOG_OFFSET, reward_bar, mass_bar);
  for (int64_t i = 0; i < slab->count; i += populations)
    for (int p = 0; p < populations; p++) {
      const double *preference = game->preference + p * populations;
      for (int q = 0; q < populations; q++) mass_bar[i + q] += preference[q] * reward_bar[i + p];
    }
}

static void action_name(const void *self, int action, char *buffer, size_t size) {
  (void)self;
  wal_game_label(&MOVES[action].name, 0, buffer, size);
}

const wal_game_type wal_game_predator_prey = {
    .struct_size = sizeof(wal_game_type),
    .component = {.name = "predator_prey",
                  .kind = "game",
                  .summary = "chase one population on a grid and flee from another",
                  .source = "OpenSpiel: mfg_predator_prey",
                  .params = PARAMS},
    .create = create,
    .destroy = wal_game_free,
    .initial = initial_mass,
    .move = move,
    .noise = noise,
    .stage = stage,
    .stage_vjp = stage_vjp,
    .action_name = action_name};
