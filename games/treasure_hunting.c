// SPDX-License-Identifier: GPL-3.0-or-later
#include "games/common.h"
#include "games/game_list.h"
#include "sim/core/hot.h"
#include "sim/core/memory.h"
#include "sim/core/sum.h"

/* D_s = sum_{x,y} (L(x,y) - [x = s, y = s])^2 = (1 - L(s,s))^2 + sum_{(x,y) != (s,s)} L(x,y)^2.
 * Stage 0: s' = a, no reward. Later, with c = crowding of stage h - 1 and n places,
 *   P(s'|s,a) = (c D_s + [s' = a]) / (1 + n c D_s),   r(s,a) = [a = s] rewards_s (1 - D_s / 2).
 * Outcome 0 is s' = a; outcome 1 goes to the post-decision state n, whose noise is uniform. The
 * statistic is the sum of L^2. */

enum { OUTCOMES = 2, CHUNK = 256 };

typedef struct treasure_hunting {
  int places;
  const double *rewards;  /**< [places], NULL: all 1 */
  const double *crowding; /**< [H-1], NULL: all 1 */
} treasure_hunting;

static const wal_param PARAMS[] = {
    WAL_GAME_INTEGER("places", 3, 1, 10000, "places", "places with a treasure, one action each"),
    WAL_GAME_HORIZON(6),
    {.name = "rewards",
     .type = WAL_ARRAY,
     .rank = 1,
     .optional = true,
     .unit = "reward",
     .meaning = "treasure of each place; 1 everywhere if left out"},
    {.name = "crowding",
     .type = WAL_ARRAY,
     .rank = 1,
     .optional = true,
     .low = 0,
     .high = 1e100,
     .meaning = "how much the crowd disturbs moves, for each stage after the first; 1 if left out"},
    WAL_TOLL_PARAM,
    {.name = NULL}};

static wal_status create(wal_ctx *ctx, wal_params *params, wal_shape *shape, void **self) {
  treasure_hunting game = {.places = (int)wal_params_integer(params, "places")};
  shape->horizon = (int)wal_params_integer(params, "horizon");
  shape->states = game.places;
  shape->actions = game.places;
  shape->outcomes = OUTCOMES;
  shape->post_states = game.places + 1;
  shape->noise_terms = game.places;
  shape->statistic = 1;
  shape->reads_policy = true;
  shape->axes = 1;
  shape->axis[0] = (wal_axis){.name = "place", .size = game.places};
  WAL_TRY(wal_params_array(ctx, params, "rewards", game.places, 0, 0, &game.rewards));
  WAL_TRY(wal_params_array(ctx, params, "crowding", shape->horizon - 1, 0, 0, &game.crowding));
  treasure_hunting *made;
  WAL_TRY(wal_acquire(ctx, "treasure_hunting", 1, sizeof *made, &made));
  *made = game;
  *self = made;
  return WAL_OK;
}

static void initial_mass(const void *self, int64_t first, int64_t count, double *mass) {
  const treasure_hunting *game = self;
  wal_game_start(NULL, game->places, first, count, mass);
}

static void move(const void *self, int h, int outcome, int action, int64_t first, int64_t count,
                 int64_t *post) {
  (void)h, (void)first;
  const treasure_hunting *game = self;
  for (int64_t i = 0; i < count; i++) post[i] = outcome ? game->places : action;
}

static void noise(const void *self, int h, int64_t first, int64_t count, int64_t *target,
                  double *weight) {
  (void)h;
  const treasure_hunting *game = self;
  for (int e = 0; e < game->places; e++)
    for (int64_t i = 0; i < count; i++) {
      bool anywhere = first + i == game->places;
      target[e * count + i] = anywhere ? e : first + i;
      weight[e * count + i] = anywhere ? 1.0 / game->places : e == 0 ? 1 : 0;
    }
}

WAL_HOT static void multiply(int64_t n, const double *restrict x, const double *restrict y,
                             double *restrict z) {
  for (int64_t i = 0; i < n; i++) z[i] = x[i] * y[i];
}

WAL_HOT static void pull_square(int64_t n, double bar, const double *restrict mass,
                                const double *restrict policy, double *restrict mass_bar,
                                double *restrict policy_bar) {
  for (int64_t i = 0; i < n; i++) {
    const double joint_bar = bar * mass[i] * policy[i];
    mass_bar[i] += joint_bar * policy[i];
    policy_bar[i] += joint_bar * mass[i];
  }
}

static void couple(const void *self, const wal_slab *slab, const double *mass, const double *policy,
                   double *statistic) {
  const treasure_hunting *game = self;
  double joint[CHUNK];
  for (int a = 0; a < game->places; a++)
    for (int64_t i = 0; i < slab->count; i += CHUNK) {
      int64_t n = slab->count - i < CHUNK ? slab->count - i : CHUNK;
      multiply(n, mass + i, policy + a * slab->stride + i, joint);
      statistic[0] += wal_dot(n, joint, joint);
    }
}

static double crowding_of(const treasure_hunting *game, int stage) {
  return stage == 0 ? 0 : game->crowding ? game->crowding[stage - 1] : 1;
}

/** D of a place from L of its state and action, and the sum of all L^2. */
static double distance(double own, double squares) {
  const double others = squares - own * own;  // round-off may bring it below 0
  return (1 - own) * (1 - own) + (others > 0 ? others : 0);
}

static void fill_place(const treasure_hunting *game, const wal_slab *slab, int64_t i,
                       double crowding, double far, double *reward, double *outcome) {
  int64_t place = slab->first + i;
  double treasure = game->rewards ? game->rewards[place] : 1;
  double crowd = game->places * crowding * far;
  for (int a = 0; a < game->places; a++) {
    int64_t at = a * slab->stride + i;
    if (reward) reward[at] = slab->stage > 0 && a == place ? treasure * (1 - far / 2) : 0;
    if (!outcome) continue;
    outcome[at] = 1 / (1 + crowd);
    outcome[game->places * slab->stride + at] = crowd / (1 + crowd);
  }
}

static void stage(const void *self, const wal_slab *slab, const double *mass, const double *policy,
                  const double *statistic, double *reward, double *outcome) {
  const treasure_hunting *game = self;
  double crowding = crowding_of(game, slab->stage);
  for (int64_t i = 0; i < slab->count; i++) {
    double own = mass[i] * policy[(slab->first + i) * slab->stride + i];
    fill_place(game, slab, i, crowding, distance(own, statistic[0]), reward, outcome);
  }
}

static void couple_vjp(const void *self, const wal_slab *slab, const double *mass,
                       const double *policy, const double *statistic_bar, double *mass_bar,
                       double *policy_bar) {
  const treasure_hunting *game = self;
  for (int a = 0; a < game->places; a++) {
    const int64_t row = a * slab->stride;
    pull_square(slab->count, 2 * statistic_bar[0], mass, policy + row, mass_bar, policy_bar + row);
  }
}

/** Bars of D at n places from place first + i on: of the treasure where action and place are the
 * same, and of the chance c D n / (1 + c D n) to get lost and of the other one. */
static void pull_distance(const treasure_hunting *game, const wal_slab *slab, int64_t i, int64_t n,
                          double crowding, const double *reward_bar, const double *outcome_bar,
                          const double *far, double *bar) {
  const double crowd = game->places * crowding;
  const int64_t lost = game->places * slab->stride;
  double kept[CHUNK];
  for (int64_t j = 0; j < n; j++) bar[j] = 0;
  if (outcome_bar) {
    wal_game_sum_rows(game->places, slab->stride, n, outcome_bar + lost + i, bar);
    wal_game_sum_rows(game->places, slab->stride, n, outcome_bar + i, kept);
    for (int64_t j = 0; j < n; j++) {
      const double whole = 1 + crowd * far[j];
      bar[j] = (bar[j] - kept[j]) * crowd / (whole * whole);
    }
  }
  for (int64_t j = 0; reward_bar && slab->stage > 0 && j < n; j++) {
    const int64_t place = slab->first + i + j;
    const double treasure = game->rewards ? game->rewards[place] : 1;
    bar[j] -= treasure / 2 * reward_bar[place * slab->stride + i + j];
  }
}

static void stage_vjp(const void *self, const wal_slab *slab, const double *mass,
                      const double *policy, const double *statistic, const double *reward_bar,
                      const double *outcome_bar, double *mass_bar, double *policy_bar,
                      double *statistic_bar) {
  const treasure_hunting *game = self;
  const double crowding = crowding_of(game, slab->stage);
  double far[CHUNK], bar[CHUNK];
  if (!reward_bar && !outcome_bar) return;
  for (int64_t i = 0; i < slab->count; i += CHUNK) {
    const int64_t n = slab->count - i < CHUNK ? slab->count - i : CHUNK;
    for (int64_t j = i; j < i + n; j++)
      far[j - i] = distance(mass[j] * policy[(slab->first + j) * slab->stride + j], statistic[0]);
    pull_distance(game, slab, i, n, crowding, reward_bar, outcome_bar, far, bar);
    for (int64_t j = i; j < i + n; j++) {
      const int64_t at = (slab->first + j) * slab->stride + j;
      const double own = mass[j] * policy[at];
      const bool others = statistic[0] - own * own > 0;
      const double own_bar = -2 * (1 - own + (others ? own : 0)) * bar[j - i];
      mass_bar[j] += own_bar * policy[at];
      policy_bar[at] += own_bar * mass[j];
      statistic_bar[0] += others ? bar[j - i] : 0;
    }
  }
}

const wal_game_type wal_game_treasure_hunting = {
    .struct_size = sizeof(wal_game_type),
    .component = {.name = "treasure_hunting",
                  .kind = "game",
                  .summary =
                      "stay with a treasure; those who are not with the crowd lose their way",
                  .source = "MFGLib 0.3: conservative_treasure_hunting",
                  .params = PARAMS},
    .create = create,
    .destroy = wal_game_free,
    .initial = initial_mass,
    .move = move,
    .noise = noise,
    .stage = stage,
    .stage_vjp = stage_vjp,
    .couple = couple,
    .couple_vjp = couple_vjp};
