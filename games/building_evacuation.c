// SPDX-License-Identifier: GPL-3.0-or-later
#include <stddef.h>

#include "games/building.h"
#include "games/game_list.h"
#include "sim/core/memory.h"

/* Deterministic walks through a building; stairs lead down from corner (0, 0) and up from the
 * opposite one. r = exit_reward [floor = 0] - crowd_weight ln(max(mu(s), offset)). */

typedef struct building_evacuation {
  int64_t floors;
  wal_grid floor;
  double crowd_weight, exit_reward, log_offset;
} building_evacuation;

static const wal_param PARAMS[] = {
    WAL_GAME_HORIZON(4),
    WAL_GAME_CELLS("floors", 5, "floors of the building; the exit is floor 0"),
    WAL_GAME_CELLS("rows", 10, "rows of cells on a floor"),
    WAL_GAME_CELLS("columns", 10, "columns of cells on a floor"),
    WAL_GAME_REAL("crowd_weight", 1, 0, 0, "reward", "weight of the dislike of crowds"),
    WAL_GAME_REAL("exit_reward", 10, 0, 0, "reward", "reward of each stage spent on floor 0"),
    WAL_BUILDING_LOG_OFFSET,
    WAL_TOLL_PARAM,
    {.name = NULL}};

static wal_status create(wal_ctx *ctx, wal_params *params, wal_shape *shape, void **self) {
  building_evacuation game = {
      .floors = wal_params_integer(params, "floors"),
      .floor = {wal_params_integer(params, "rows"), wal_params_integer(params, "columns")},
      .crowd_weight = wal_params_real(params, "crowd_weight"),
      .exit_reward = wal_params_real(params, "exit_reward"),
      .log_offset = wal_params_real(params, "log_offset")};
  shape->horizon = (int)wal_params_integer(params, "horizon");
  shape->states = game.floors * game.floor.rows * game.floor.columns;
  shape->actions = WAL_BUILDING_ACTIONS;
  shape->state_reward = true;
  shape->axes = 3;
  shape->axis[0] = (wal_axis){.name = "floor", .size = game.floors};
  shape->axis[1] = (wal_axis){.name = "row", .size = game.floor.rows};
  shape->axis[2] = (wal_axis){.name = "column", .size = game.floor.columns};
  building_evacuation *made;
  WAL_TRY(wal_acquire(ctx, "building_evacuation", 1, sizeof *made, &made));
  *made = game;
  *self = made;
  return WAL_OK;
}

static void initial_mass(const void *self, int64_t first, int64_t count, double *mass) {
  const building_evacuation *game = self;
  wal_game_start(NULL, game->floors * game->floor.rows * game->floor.columns, first, count, mass);
}

static int64_t target(const building_evacuation *game, int action, int64_t state) {
  const wal_grid *floor = &game->floor;
  int64_t cells = floor->rows * floor->columns;
  int64_t level = state / cells, cell = state % cells;
  if (action < WAL_BUILDING_DOWNSTAIRS) {
    const wal_grid_move *step = &wal_building_moves[action];
    return level * cells + wal_grid_clip(floor, cell / floor->columns + step->row,
                                         cell % floor->columns + step->column);
  }
  if (action == WAL_BUILDING_DOWNSTAIRS) return cell == 0 && level > 0 ? state - cells : state;
  return cell == cells - 1 && level < game->floors - 1 ? state + cells : state;
}

static void move(const void *self, int h, int outcome, int action, int64_t first, int64_t count,
                 int64_t *post) {
  (void)h, (void)outcome;
  for (int64_t i = 0; i < count; i++) post[i] = target(self, action, first + i);
}

static void stage(const void *self, const wal_slab *slab, const double *mass, const double *policy,
                  const double *statistic, double *reward, double *outcome) {
  (void)policy, (void)statistic, (void)outcome;
  if (!reward) return;
  const building_evacuation *game = self;
  wal_building_aversion(slab->count, mass, game->log_offset, game->crowd_weight, reward);
  int64_t cells = game->floor.rows * game->floor.columns;
  for (int64_t i = 0; i < slab->count && slab->first + i < cells; i++)
    reward[i] += game->exit_reward;
}

static void stage_vjp(const void *self, const wal_slab *slab, const double *mass,
                      const double *policy, const double *statistic, const double *reward_bar,
                      const double *outcome_bar, double *mass_bar, double *policy_bar,
                      double *statistic_bar) {
  (void)policy, (void)statistic, (void)outcome_bar, (void)policy_bar, (void)statistic_bar;
  if (!reward_bar) return;
  const building_evacuation *game = self;
  wal_game_raised_aversion_vjp(slab->count, game->crowd_weight, mass, game->log_offset, reward_bar,
                               mass_bar);
}

const wal_game_type wal_game_building_evacuation = {
    .struct_size = sizeof(wal_game_type),
    .component = {.name = "building_evacuation",
                  .kind = "game",
                  .summary = "leave a building of many floors by its stairs, avoiding the crowd",
                  .source = "MFGLib 0.3: building_evacuation",
                  .params = PARAMS},
    .create = create,
    .destroy = wal_game_free,
    .initial = initial_mass,
    .move = move,
    .stage = stage,
    .stage_vjp = stage_vjp,
    .action_name = wal_building_action_name};
