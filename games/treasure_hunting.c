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

enum { OUTCOMES = 2 };

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

static void couple(const void *self, const wal_slab *slab, const double *mass, const double *policy,
                   double *statistic) {
  enum { CHUNK = 256 };
  const treasure_hunting *game = self;
  double joint[CHUNK];
  for (int a = 0; a < game->places; a++)
    for (int64_t i = 0; i < slab->count; i += CHUNK) {
      int64_t n = slab->count - i < CHUNK ? slab->count - i : CHUNK;
      multiply(n, mass + i, policy + a * slab->stride + i, joint);
      statistic[0] += wal_dot(n, joint, joint);
    }
}

static void fill_place(const treasure_hunting *game, const wal_slab *slab, int64_t i,
                       double crowding, double distance, double *reward, double *outcome) {
  int64_t place = slab->first + i;
  double treasure = game->rewards ? game->rewards[place] : 1;
  double crowd = game->places * crowding * distance;
  for (int a = 0; a < game->places; a++) {
    int64_t at = a * slab->stride + i;
    if (reward) reward[at] = slab->stage > 0 && a == place ? treasure * (1 - distance / 2) : 0;
    if (!outcome) continue;
    outcome[at] = 1 / (1 + crowd);
    outcome[game->places * slab->stride + at] = crowd / (1 + crowd);
  }
}

static void stage(const void *self, const wal_slab *slab, const double *mass, const double *policy,
                  const double *statistic, double *reward, double *outcome) {
  const treasure_hunting *game = self;
  double crowding = slab->stage == 0 ? 0 : game->crowding ? game->crowding[slab->stage - 1] : 1;
  for (int64_t i = 0; i < slab->count; i++) {
    double own = mass[i] * policy[(slab->first + i) * slab->stride + i];
    double others = statistic[0] - own * own;  // round-off may bring it below 0
    double distance = (1 - own) * (1 - own) + (others > 0 ? others : 0);
    fill_place(game, slab, i, crowding, distance, reward, outcome);
  }
}

const wal_game_type wal_game_treasure_hunting = {
    .struct_size = sizeof(wal_game_type),
    .component = {.name = "treasure_hunting",
                  .kind = "game",
                  .summary = "stay with a treasure; who is not with the crowd loses the way",
                  .source = "MFGLib 0.3: conservative_treasure_hunting",
                  .params = PARAMS},
    .create = create,
    .destroy = wal_game_free,
    .initial = initial_mass,
    .move = move,
    .noise = noise,
    .stage = stage,
    .couple = couple};
