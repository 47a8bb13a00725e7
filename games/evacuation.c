// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <string.h>

#include "games/building.h"
#include "games/game_list.h"
#include "games/map.h"
#include "sim/core/memory.h"

/* Deterministic walks through a building drawn as a map, the ground floor first. A move into a wall
 * or off the map stays: who cannot get on has to wait. Stairs lead to the same place on the next
 * floor. r = exit_reward [s is an exit] - crowd_weight ln(max(mu(s), offset)), as in
 * building_evacuation, which is the building without walls. Walls are states that nobody reaches.
 */

#define EXITS "Eudx"
#define STAIRS_UP "UuXx"
#define STAIRS_DOWN "DdXx"

static const wal_map_rules RULES = {.alphabet = "#.SEUDXudx", .floors = true};

static const wal_map_name MAPS[] = {{"office",
                                     "###############\n"
                                     "#......#......#\n"
                                     "#......#......#\n"
                                     "E.............#\n"
                                     "#......#......#\n"
                                     "#U.....#.....U#\n"
                                     "########E######\n"
                                     "\n"
                                     "###############\n"
                                     "#...#..S#..S..#\n"
                                     "#.S.#...#.....#\n"
                                     "#.............#\n"
                                     "###.#######.###\n"
                                     "#X...........X#\n"
                                     "###############\n"
                                     "\n"
                                     "###############\n"
                                     "#.S...#..S...S#\n"
                                     "#.....#.......#\n"
                                     "#.S...#..###..#\n"
                                     "#........#....#\n"
                                     "#D....#..#...D#\n"
                                     "###############\n"},
                                    {NULL, NULL}};

typedef struct evacuation {
  wal_map map;
  double crowd_weight, exit_reward, log_offset;
  double share; /**< 1 / the number of cells where people start */
  bool marked;  /**< people start on the cells S */
} evacuation;

static const wal_param PARAMS[] = {
    {.name = "map",
     .type = WAL_TEXT,
     .text = "office",
     .meaning =
         "\"office\", or floors apart by an empty line, the ground floor first: # wall, . "
         "free, S free and a start, E exit, U D X stairs up, down, both (u d x: on an exit)"},
    WAL_GAME_HORIZON(30),
    WAL_GAME_REAL("crowd_weight", 1, 0, HUGE_VAL, "reward", "weight of the dislike of crowds"),
    WAL_GAME_REAL("exit_reward", 10, 0, 0, "reward", "reward of each stage spent on an exit"),
    WAL_BUILDING_LOG_OFFSET,
    WAL_TOLL_PARAM,
    {.name = NULL}};

static void destroy(wal_ctx *ctx, void *self) {
  evacuation *game = self;
  if (game) wal_map_free(ctx, &game->map);
  wal_release(ctx, &game);
}

static bool is_one(const evacuation *game, int64_t cell, const char *set) {
  return strchr(set, game->map.cells[cell]) != NULL;
}

static int64_t cells_of_floor(const evacuation *game) {
  return game->map.grid.rows * game->map.grid.columns;
}

static wal_status check_stairs(wal_ctx *ctx, const wal_params *params, const evacuation *game,
                               int64_t cell, int step) {
  int64_t to = cell + step * cells_of_floor(game);
  const char *way = step > 0 ? "up" : "down";
  if (to < 0 || to >= wal_map_cells(&game->map))
    return wal_map_fail(ctx, params, "map", &game->map, cell,
                        "expected a floor to which the stairs \"%c\" lead %s, got none",
                        game->map.cells[cell], way);
  if (wal_map_is_wall(&game->map, to))
    return wal_map_fail(ctx, params, "map", &game->map, cell,
                        "expected a free cell to which the stairs \"%c\" lead %s, got a wall (line "
                        "%d)",
                        game->map.cells[cell], way, game->map.line[to / game->map.grid.columns]);
  return WAL_OK;
}

static wal_status read_map(wal_ctx *ctx, const wal_params *params, evacuation *game) {
  const wal_map_name *name;
  wal_map *map = &game->map;
  WAL_TRY(wal_map_find(ctx, params, "map", MAPS, &name));
  WAL_TRY(wal_map_read(ctx, params, "map", &RULES,
                       name ? name->text : wal_params_text(params, "map"), map));
  for (int64_t cell = 0; cell < wal_map_cells(map); cell++) {
    if (is_one(game, cell, STAIRS_UP)) WAL_TRY(check_stairs(ctx, params, game, cell, 1));
    if (is_one(game, cell, STAIRS_DOWN)) WAL_TRY(check_stairs(ctx, params, game, cell, -1));
  }
  if (wal_map_count(map, EXITS) == 0)
    return wal_params_fail(ctx, params, "map",
                           "expected at least one exit (E, or u, d, x), got none");
  int64_t marked = wal_map_count(map, "S");
  game->marked = marked > 0;
  game->share = 1 / (double)(marked > 0 ? marked : wal_map_cells(map) - wal_map_count(map, "#"));
  return WAL_OK;
}

static wal_status create(wal_ctx *ctx, wal_params *params, wal_shape *shape, void **self) {
  wal_status status = WAL_OK;
  evacuation *game;
  WAL_TRY(wal_acquire(ctx, "evacuation", 1, sizeof *game, &game));
  game->crowd_weight = wal_params_real(params, "crowd_weight");
  game->exit_reward = wal_params_real(params, "exit_reward");
  game->log_offset = wal_params_real(params, "log_offset");
  WAL_TRY_GOTO(read_map(ctx, params, game));
  shape->horizon = (int)wal_params_integer(params, "horizon");
  shape->states = wal_map_cells(&game->map);
  shape->actions = WAL_BUILDING_ACTIONS;
  shape->state_reward = true;
  shape->axes = 3;
  shape->axis[0] = (wal_axis){.name = "floor", .size = game->map.floors};
  shape->axis[1] = (wal_axis){.name = "row", .size = game->map.grid.rows};
  shape->axis[2] = (wal_axis){.name = "column", .size = game->map.grid.columns};
  *self = game;
  return WAL_OK;
cleanup:
  destroy(ctx, game);
  return status;
}

static void initial_mass(const void *self, int64_t first, int64_t count, double *mass) {
  const evacuation *game = self;
  for (int64_t i = 0; i < count; i++) {
    char cell = game->map.cells[first + i];
    mass[i] = (game->marked ? cell == 'S' : cell != WAL_MAP_WALL) ? game->share : 0;
  }
}

static int64_t target(const evacuation *game, int action, int64_t state) {
  const wal_grid *grid = &game->map.grid;
  int64_t cells = cells_of_floor(game);
  if (wal_map_is_wall(&game->map, state)) return state;
  if (action == WAL_BUILDING_DOWNSTAIRS)
    return is_one(game, state, STAIRS_DOWN) ? state - cells : state;
  if (action == WAL_BUILDING_UPSTAIRS)
    return is_one(game, state, STAIRS_UP) ? state + cells : state;
  int64_t level = state / cells, cell = state % cells;
  int64_t to =
      level * cells + wal_grid_clip(grid, cell / grid->columns + wal_building_moves[action].row,
                                    cell % grid->columns + wal_building_moves[action].column);
  return wal_map_is_wall(&game->map, to) ? state : to;
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
  const evacuation *game = self;
  wal_building_aversion(slab->count, mass, game->log_offset, game->crowd_weight, reward);
  for (int64_t i = 0; i < slab->count; i++) {
    char cell = game->map.cells[slab->first + i];
    if (cell == 'E' || cell == 'u' || cell == 'd' || cell == 'x') reward[i] += game->exit_reward;
    if (cell == WAL_MAP_WALL) reward[i] = 0;
  }
}

static void stage_vjp(const void *self, const wal_slab *slab, const double *mass,
                      const double *policy, const double *statistic, const double *reward_bar,
                      const double *outcome_bar, double *mass_bar, double *policy_bar,
                      double *statistic_bar) {
  (void)policy, (void)statistic, (void)outcome_bar, (void)policy_bar, (void)statistic_bar;
  if (!reward_bar) return;
  const evacuation *game = self;
  const int64_t end = slab->first + slab->count;
  int64_t cell = slab->first, run;
  for (; (run = wal_map_run(&game->map, end, &cell)) > 0; cell += run) {
    const int64_t i = cell - slab->first;
    wal_game_raised_aversion_vjp(run, game->crowd_weight, mass + i, game->log_offset,
                                 reward_bar + i, mass_bar + i);
  }
}

const wal_game_type wal_game_evacuation = {
    .struct_size = sizeof(wal_game_type),
    .component = {.name = "evacuation",
                  .kind = "game",
                  .summary =
                      "leave a building drawn as a map, by stairs and exits, avoiding the crowd",
                  .source = "MFGLib 0.3: building_evacuation, on maps",
                  .params = PARAMS},
    .create = create,
    .destroy = destroy,
    .initial = initial_mass,
    .move = move,
    .stage = stage,
    .stage_vjp = stage_vjp,
    .action_name = wal_building_action_name};
