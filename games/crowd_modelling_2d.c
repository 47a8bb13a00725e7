// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <string.h>

#include "games/game_list.h"
#include "games/map.h"
#include "sim/core/hot.h"
#include "sim/core/memory.h"

/* A torus with walls: s' = s + a + e, where a move into a wall is forbidden to the player and to
 * the noise e, which with probability `noise` is one of the allowed moves, equally, else none; r =
 * -aversion ln(mu(s) + offset)
 *       + 1 - sum_i (2 v_i/rows) |row - row_i| + 1 - sum_i (2 v_i/columns) |column - column_i|,
 * the second line unless distribution_only. Walls are states that nobody reaches: so a mean field
 * is a full rectangle. They pay nothing, and the only action there is to stay. */

static const wal_grid_move MOVES[WAL_GRID_MOVES] = {
    {-1, 0, "up"}, {0, -1, "left"}, {0, 0, "stay"}, {0, 1, "right"}, {1, 0, "down"}};

enum { STAY = 2, USUAL_SIZE = 10, USUAL_HORIZON = 10 };

static const wal_map_name MAPS[] = {{"none", NULL},
                                    {"four_rooms",
                                     "#############\n"
                                     "#S....#.....#\n"
                                     "#.....#.....#\n"
                                     "#...........#\n"
                                     "#.....#.....#\n"
                                     "#.....#.....#\n"
                                     "###.#####.###\n"
                                     "#.....#.....#\n"
                                     "#.....#.....#\n"
                                     "#...........#\n"
                                     "#.....#.....#\n"
                                     "#.....#.....#\n"
                                     "#############\n"},
                                    {NULL, NULL}};

enum { FOUR_ROOMS_HORIZON = 40 };

static const wal_map_rules RULES = {.alphabet = "#.S"};

typedef struct crowd_modelling_2d {
  wal_map map;
  double noise, aversion, log_offset;
  double *liking[2]; /**< of rows, of columns: the reward for being there; NULL: none */
  wal_map_places start;
  double total; /**< of the shares of start, or the number of cells where people start */
  bool marked;  /**< people start on the cells S */
} crowd_modelling_2d;

static const wal_param PARAMS[] = {
    {.name = "map",
     .type = WAL_TEXT,
     .text = "none",
     .meaning = "\"four_rooms\", \"none\", or a map: # wall, . free, S free and a start"},
    {.name = "rows",
     .type = WAL_INTEGER,
     .optional = true,
     .low = 1,
     .high = WAL_GAME_MOST_CELLS,
     .unit = "cells",
     .meaning = "rows of the torus; those of the map if left out, 10 without a map"},
    {.name = "columns",
     .type = WAL_INTEGER,
     .optional = true,
     .low = 1,
     .high = WAL_GAME_MOST_CELLS,
     .unit = "cells",
     .meaning = "columns of the torus; likewise"},
    {.name = "horizon",
     .type = WAL_INTEGER,
     .optional = true,
     .low = 1,
     .high = WAL_GAME_MOST_STAGES,
     .unit = "stages",
     .meaning = "decision stages, each with a move and a reward; 10 if left out, 40 in four_rooms"},
    WAL_GAME_REAL("noise", 1, 0, 1, "probability",
                  "chance that a noisy move follows, equally one of those that walls allow"),
    WAL_GAME_REAL("aversion", 1, 0, HUGE_VAL, "reward", "weight of the dislike of crowds"),
    {.name = "start",
     .type = WAL_ARRAY,
     .rank = 2,
     .optional = true,
     .low = 0,
     .high = HUGE_VAL,
     .meaning = "cells {row, column} or {row, column, share} where people start; if left out those "
                "marked S, without any all free cells"},
    {.name = "distribution_only",
     .type = WAL_FLAG,
     .number = 0,
     .meaning = "no reward for being near the bars"},
    {.name = "bars",
     .type = WAL_ARRAY,
     .rank = 2,
     .optional = true,
     .meaning = "cells {row, column} or {row, column, value} to be near; the centre if left out"},
    WAL_GAME_LOG_OFFSET(1e-25),
    WAL_TOLL_PARAM,
    {.name = NULL}};

static void destroy(wal_ctx *ctx, void *self) {
  crowd_modelling_2d *game = self;
  if (!game) return;
  wal_map_free(ctx, &game->map);
  for (int axis = 0; axis < 2; axis++) wal_release(ctx, &game->liking[axis]);
  wal_release(ctx, &game);
}

static wal_status check_size(wal_ctx *ctx, const wal_params *params, const char *name,
                             int64_t size) {
  if (wal_params_given(params, name) && wal_params_integer(params, name) != size)
    return wal_params_fail(ctx, params, name, "expected %lld as in the map, got %lld",
                           (long long)size, (long long)wal_params_integer(params, name));
  return WAL_OK;
}

static int64_t integer_or(const wal_params *params, const char *name, int64_t other) {
  return wal_params_given(params, name) ? wal_params_integer(params, name) : other;
}

static wal_status read_map(wal_ctx *ctx, const wal_params *params, int *horizon, wal_map *map) {
  const wal_map_name *name;
  WAL_TRY(wal_map_find(ctx, params, "map", MAPS, &name));
  bool known = name && name->text;
  *horizon = (int)integer_or(params, "horizon", known ? FOUR_ROOMS_HORIZON : USUAL_HORIZON);
  if (name && !known) {
    *map = (wal_map){.floors = 1,
                     .grid = {integer_or(params, "rows", USUAL_SIZE),
                              integer_or(params, "columns", USUAL_SIZE)}};
    return WAL_OK;
  }
  WAL_TRY(wal_map_read(ctx, params, "map", &RULES,
                       known ? name->text : wal_params_text(params, "map"), map));
  WAL_TRY(check_size(ctx, params, "rows", map->grid.rows));
  return check_size(ctx, params, "columns", map->grid.columns);
}

static wal_status read_start(wal_ctx *ctx, wal_params *params, crowd_modelling_2d *game) {
  const wal_map *map = &game->map;
  wal_map_places *start = &game->start;
  WAL_TRY(wal_map_read_places(ctx, params, "start", map, start));
  if (start->count == 0) {
    int64_t marked = map->cells ? wal_map_count(map, "S") : 0;
    game->marked = marked > 0;
    game->total = (double)(game->marked ? marked
                           : map->cells ? wal_map_count(map, ".")
                                        : wal_map_cells(map));
    return WAL_OK;
  }
  game->total = 0;
  for (int64_t i = 0; i < start->count; i++) {
    int64_t cell = wal_map_place(start, i, map);
    if (wal_map_is_wall(map, cell))
      return wal_params_fail(
          ctx, params, "start",
          "expected free cells, got (%lld, %lld), a wall (line %d, column %lld "
          "of the map)",
          (long long)(cell / map->grid.columns), (long long)(cell % map->grid.columns),
          map->line[cell / map->grid.columns], (long long)(cell % map->grid.columns) + 1);
    game->total += wal_map_value(start, i);
  }
  if (!(game->total > 0) || !isfinite(game->total))
    return wal_params_fail(ctx, params, "start", "expected shares with a positive sum, got %g",
                           game->total);
  return WAL_OK;
}

/** liking[x] = 1 - sum_i (2 v_i/n) |x - x_i| along one axis. */
static void like(int64_t n, const wal_map_places *bars, int axis, double *liking) {
  for (int64_t x = 0; x < n; x++) {
    liking[x] = 1;
    for (int64_t i = 0; i < bars->count; i++)
      liking[x] -= 2 * wal_map_value(bars, i) / (double)n *
                   fabs((double)x - bars->row[i * bars->width + axis]);
  }
}

static wal_status read_bars(wal_ctx *ctx, wal_params *params, crowd_modelling_2d *game) {
  wal_map_places bars;
  const wal_grid *grid = &game->map.grid;
  const double centre[2] = {(double)(grid->rows / 2), (double)(grid->columns / 2)};
  WAL_TRY(wal_map_read_places(ctx, params, "bars", &game->map, &bars));
  if (wal_params_flag(params, "distribution_only")) return WAL_OK;
  if (bars.count == 0) bars = (wal_map_places){.count = 1, .row = centre, .width = 2};
  for (int axis = 0; axis < 2; axis++) {
    int64_t n = axis == 0 ? grid->rows : grid->columns;
    WAL_TRY(wal_acquire(ctx, "bars", n, sizeof(double), &game->liking[axis]));
    like(n, &bars, axis, game->liking[axis]);
  }
  return WAL_OK;
}

static wal_status create(wal_ctx *ctx, wal_params *params, wal_shape *shape, void **self) {
  wal_status status = WAL_OK;
  crowd_modelling_2d *game;
  WAL_TRY(wal_acquire(ctx, "crowd_modelling_2d", 1, sizeof *game, &game));
  game->noise = wal_params_real(params, "noise");
  game->aversion = wal_params_real(params, "aversion");
  game->log_offset = wal_params_real(params, "log_offset");
  WAL_TRY_GOTO(read_map(ctx, params, &shape->horizon, &game->map));
  WAL_TRY_GOTO(read_start(ctx, params, game));
  WAL_TRY_GOTO(read_bars(ctx, params, game));
  shape->states = wal_map_cells(&game->map);
  shape->actions = WAL_GRID_MOVES;
  shape->state_reward = true;
  shape->noise_terms = WAL_GRID_MOVES;
  shape->axes = 2;
  shape->axis[0] = (wal_axis){.name = "row", .size = game->map.grid.rows};
  shape->axis[1] = (wal_axis){.name = "column", .size = game->map.grid.columns};
  *self = game;
  return WAL_OK;
cleanup:
  destroy(ctx, game);
  return status;
}

static void initial_mass(const void *self, int64_t first, int64_t count, double *mass) {
  const crowd_modelling_2d *game = self;
  for (int64_t i = 0; i < count; i++) {
    char cell = wal_map_at(&game->map, first + i);
    bool starts = game->start.count == 0 && cell == (game->marked ? 'S' : WAL_MAP_FREE);
    mass[i] = starts ? 1 / game->total : 0;
  }
  for (int64_t j = 0; j < game->start.count; j++) {
    int64_t at = wal_map_place(&game->start, j, &game->map) - first;
    if (at >= 0 && at < count) mass[at] += wal_map_value(&game->start, j) / game->total;
  }
}

/** Where a move leads, -1 if walls forbid it; from a wall only the stay is allowed. */
static int64_t walk(const crowd_modelling_2d *game, int64_t cell, int action) {
  const wal_grid *grid = &game->map.grid;
  if (wal_map_is_wall(&game->map, cell)) return action == STAY ? cell : -1;
  int64_t row = (cell / grid->columns + MOVES[action].row + grid->rows) % grid->rows;
  int64_t column = (cell % grid->columns + MOVES[action].column + grid->columns) % grid->columns;
  int64_t target = row * grid->columns + column;
  return wal_map_is_wall(&game->map, target) ? -1 : target;
}

static void move(const void *self, int h, int outcome, int action, int64_t first, int64_t count,
                 int64_t *post) {
  (void)h, (void)outcome;
  for (int64_t i = 0; i < count; i++) {
    int64_t target = walk(self, first + i, action);
    post[i] = target < 0 ? first + i : target;
  }
}

static void legal_moves(const void *self, int action, int64_t first, int64_t count,
                        unsigned char *legal) {
  for (int64_t i = 0; i < count; i++) legal[i] = walk(self, first + i, action) >= 0;
}

static void noise(const void *self, int h, int64_t first, int64_t count, int64_t *target,
                  double *weight) {
  (void)h;
  const crowd_modelling_2d *game = self;
  for (int64_t i = 0; i < count; i++) {
    int64_t to[WAL_GRID_MOVES];
    int allowed = 0;
    for (int e = 0; e < WAL_GRID_MOVES; e++) {
      to[e] = walk(game, first + i, e);
      allowed += to[e] >= 0;
    }
    double step = game->noise / allowed;
    for (int e = 0; e < WAL_GRID_MOVES; e++) {
      target[e * count + i] = to[e] < 0 ? first + i : to[e];
      weight[e * count + i] = to[e] < 0 ? 0 : e == STAY ? 1 - game->noise + step : step;
    }
  }
}

WAL_HOT static void add(int64_t n, double base, const double *restrict x, double *restrict y) {
  for (int64_t i = 0; i < n; i++) y[i] += base + x[i];
}

static void stage(const void *self, const wal_slab *slab, const double *mass, const double *policy,
                  const double *statistic, double *reward, double *outcome) {
  (void)policy, (void)statistic, (void)outcome;
  if (!reward) return;
  const crowd_modelling_2d *game = self;
  const wal_grid *grid = &game->map.grid;
  wal_game_aversion(slab->count, mass, game->log_offset, reward);
  if (game->aversion != 1) wal_game_scale(slab->count, game->aversion, reward);
  int64_t row = slab->first / grid->columns, column = slab->first % grid->columns;
  for (int64_t i = 0; game->liking[0] && i < slab->count; row++, column = 0) {
    int64_t left = slab->count - i, run = grid->columns - column;
    if (run > left) run = left;
    add(run, game->liking[0][row], game->liking[1] + column, reward + i);
    i += run;
  }
  for (int64_t i = 0; game->map.cells && i < slab->count; i++)
    if (wal_map_is_wall(&game->map, slab->first + i)) reward[i] = 0;
}

static void stage_vjp(const void *self, const wal_slab *slab, const double *mass,
                      const double *policy, const double *statistic, const double *reward_bar,
                      const double *outcome_bar, double *mass_bar, double *policy_bar,
                      double *statistic_bar) {
  (void)policy, (void)statistic, (void)outcome_bar, (void)policy_bar, (void)statistic_bar;
  if (!reward_bar) return;
  const crowd_modelling_2d *game = self;
  const int64_t end = slab->first + slab->count;
  int64_t cell = slab->first, run;
  for (; (run = wal_map_run(&game->map, end, &cell)) > 0; cell += run) {
    const int64_t i = cell - slab->first;
    wal_game_aversion_vjp(1, slab->stride, run, game->aversion, mass + i, game->log_offset,
                          reward_bar + i, mass_bar + i);
  }
}

static void action_name(const void *self, int action, char *buffer, size_t size) {
  (void)self;
  wal_game_label(&MOVES[action].name, 0, buffer, size);
}

const wal_game_type wal_game_crowd_modelling_2d = {
    .struct_size = sizeof(wal_game_type),
    .component = {.name = "crowd_modelling_2d",
                  .kind = "game",
                  .summary = "spread over a torus with walls, or gather around bars in it",
                  .source = "OpenSpiel: mfg_crowd_modelling_2d",
                  .params = PARAMS},
    .create = create,
    .destroy = destroy,
    .initial = initial_mass,
    .move = move,
    .noise = noise,
    .legal = legal_moves,
    .stage = stage,
    .stage_vjp = stage_vjp,
    .action_name = action_name};
