// SPDX-License-Identifier: GPL-3.0-or-later
#include "games/game_list.h"
#include "games/grid.h"
#include "sim/core/memory.h"

/* Two populations in a small building, s = cell P + p, each with a target on the other's side and a
 * dislike of the other: a move, then a noisy move; a move into a wall stays;
 * r_p = [s is the target of p] - congestion mu_{1-p}(cell). Walls are states that nobody reaches.
 */

enum { SIZE = 7, CELLS = SIZE * SIZE, POPULATIONS = 2, STARTS = 3 };

static const char BUILDING[CELLS + 1] =
    "#######"
    "#..#..#"
    "#.....#"
    "#..#..#"
    "#.....#"
    "#..#..#"
    "#######";

static const int TARGET[POPULATIONS] = {3 * SIZE + 5, 3 * SIZE + 1};

static const struct {
  int cell;
  double mass;
} START[POPULATIONS][STARTS] = {
    {{2 * SIZE + 1, 0.4}, {2 * SIZE + 2, 0.4}, {4 * SIZE + 1, 0.2}},
    {{2 * SIZE + 5, 0.2}, {4 * SIZE + 4, 0.4}, {4 * SIZE + 5, 0.4}},
};

static const wal_grid_move MOVES[WAL_GRID_MOVES] = {
    {0, 0, "stay"}, {0, 1, "right"}, {1, 0, "down"}, {-1, 0, "up"}, {0, -1, "left"}};

typedef struct crowd_avoidance {
  double noise, congestion;
} crowd_avoidance;

static const wal_param PARAMS[] = {
    WAL_GAME_HORIZON(10),
    WAL_GAME_REAL("noise", 0.5, 0, 1, "probability",
                  "chance of a noisy move to one of the four neighbours, equally"),
    WAL_GAME_REAL("congestion", 0, 0, 0, "reward",
                  "cost of meeting all of the other population in a cell"),
    WAL_TOLL_PARAM,
    {.name = NULL}};

static wal_status create(wal_ctx *ctx, wal_params *params, wal_shape *shape, void **self) {
  crowd_avoidance *game;
  WAL_TRY(wal_acquire(ctx, "crowd_avoidance", 1, sizeof *game, &game));
  *game = (crowd_avoidance){.noise = wal_params_real(params, "noise"),
                            .congestion = wal_params_real(params, "congestion")};
  shape->horizon = (int)wal_params_integer(params, "horizon");
  shape->states = CELLS * POPULATIONS;
  shape->actions = WAL_GRID_MOVES;
  shape->state_reward = true;
  shape->populations = POPULATIONS;
  shape->group = POPULATIONS;
  shape->noise_terms = WAL_GRID_MOVES;
  shape->axes = 3;
  shape->axis[0] = (wal_axis){.name = "row", .size = SIZE};
  shape->axis[1] = (wal_axis){.name = "column", .size = SIZE};
  shape->axis[2] = (wal_axis){.name = "population", .size = POPULATIONS};
  *self = game;
  return WAL_OK;
}

static void initial_mass(const void *self, int64_t first, int64_t count, double *mass) {
  (void)self;
  for (int64_t i = 0; i < count; i++) mass[i] = 0;
  for (int p = 0; p < POPULATIONS; p++)
    for (int j = 0; j < STARTS; j++) {
      int64_t at = START[p][j].cell * POPULATIONS + p - first;
      if (at >= 0 && at < count) mass[at] = START[p][j].mass;
    }
}

static int64_t walk(int64_t state, int action) {
  // The border is wall, so that no step from a free cell leaves the building.
  int64_t cell = state / POPULATIONS;
  int64_t target = cell + MOVES[action].row * SIZE + MOVES[action].column;
  bool stays = BUILDING[cell] == '#' || BUILDING[target] == '#';
  return stays ? state : target * POPULATIONS + state % POPULATIONS;
}

static void move(const void *self, int h, int outcome, int action, int64_t first, int64_t count,
                 int64_t *post) {
  (void)self, (void)h, (void)outcome;
  for (int64_t i = 0; i < count; i++) post[i] = walk(first + i, action);
}

static void noise(const void *self, int h, int64_t first, int64_t count, int64_t *target,
                  double *weight) {
  (void)h;
  const crowd_avoidance *game = self;
  for (int e = 0; e < WAL_GRID_MOVES; e++)
    for (int64_t i = 0; i < count; i++) {
      target[e * count + i] = walk(first + i, e);
      weight[e * count + i] = e == 0 ? 1 - game->noise : game->noise / 4;
    }
}

static void stage(const void *self, const wal_slab *slab, const double *mass, const double *policy,
                  const double *statistic, double *reward, double *outcome) {
  (void)policy, (void)statistic, (void)outcome;
  if (!reward) return;
  const crowd_avoidance *game = self;
  for (int64_t i = 0; i < slab->count; i += POPULATIONS)
    for (int p = 0; p < POPULATIONS; p++) {
      bool there = (slab->first + i) / POPULATIONS == TARGET[p];
      reward[i + p] = (there ? 1 : 0) - game->congestion * mass[i + 1 - p];
    }
}

static void stage_vjp(const void *self, const wal_slab *slab, const double *mass,
                      const double *policy, const double *statistic, const double *reward_bar,
                      const double *outcome_bar, double *mass_bar, double *policy_bar,
                      double *statistic_bar) {
  (void)mass, (void)policy, (void)statistic, (void)outcome_bar, (void)policy_bar,
      (void)statistic_bar;
  if (!reward_bar) return;
  const crowd_avoidance *game = self;
  for (int64_t i = 0; i < slab->count; i += POPULATIONS)
    for (int p = 0; p < POPULATIONS; p++)
      mass_bar[i + 1 - p] -= game->congestion * reward_bar[i + p];
}

static void action_name(const void *self, int action, char *buffer, size_t size) {
  (void)self;
  wal_game_label(&MOVES[action].name, 0, buffer, size);
}

const wal_game_type wal_game_crowd_avoidance = {
    .struct_size = sizeof(wal_game_type),
    .component = {.name = "crowd_avoidance",
                  .kind = "game",
                  .summary = "cross a small building and avoid the other population",
                  .source = "OpenSpiel: python_mfg_crowd_avoidance",
                  .params = PARAMS},
    .create = create,
    .destroy = wal_game_free,
    .initial = initial_mass,
    .move = move,
    .noise = noise,
    .stage = stage,
    .stage_vjp = stage_vjp,
    .action_name = action_name};
