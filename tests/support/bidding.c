// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/bidding.h"

#include "sim/core/hot.h"
#include "sim/core/memory.h"
#include "sim/game/tile_step.h"

enum { TERMS = 3, OUTCOMES = 2 };  // of the drift; lose and win

static const wal_param PARAMS[] = {
    {.name = "values", .type = WAL_INTEGER, .number = 7, .low = 1, .high = 1e6},
    {.name = "bids", .type = WAL_INTEGER, .number = 5, .low = 1, .high = 1e6},
    {.name = "rounds", .type = WAL_INTEGER, .number = 4, .low = 1, .high = 1e6},
    {.name = "goods", .type = WAL_REAL, .number = 0.8, .low = 0, .high = 1},
    {.name = "populations", .type = WAL_INTEGER, .number = 1, .low = 1, .high = 2},
    {.name = "by_action", .type = WAL_INTEGER, .number = 0, .low = 0, .high = 1},
    {.name = "drift", .type = WAL_INTEGER, .number = 0, .low = 0, .high = 1},
    {.name = "climb", .type = WAL_INTEGER, .number = 0, .low = 0, .high = 1},
    {.name = "caps", .type = WAL_INTEGER, .number = 0, .low = 0, .high = 1},
    {0}};

typedef struct bidding {
  int64_t values;
  int bids, rounds, populations;
  double goods;
  bool by_action, drift, climb, caps;
} bidding;

static wal_status create(wal_ctx *ctx, wal_params *params, wal_shape *shape, void **self) {
  bidding game = {.values = wal_params_integer(params, "values"),
                  .bids = (int)wal_params_integer(params, "bids"),
                  .rounds = (int)wal_params_integer(params, "rounds"),
                  .populations = (int)wal_params_integer(params, "populations"),
                  .goods = wal_params_real(params, "goods"),
                  .by_action = wal_params_integer(params, "by_action") > 0,
                  .drift = wal_params_integer(params, "drift") > 0,
                  .climb = wal_params_integer(params, "climb") > 0,
                  .caps = wal_params_integer(params, "caps") > 0};
  shape->horizon = game.rounds;
  shape->states = (game.values + 1) * game.populations;
  shape->actions = game.bids;
  shape->outcomes = OUTCOMES;
  shape->populations = shape->group = game.populations;
  shape->statistic = game.bids;
  shape->settled = game.bids;
  shape->action_outcome = game.by_action;
  shape->varies = game.drift;
  shape->post_states = game.drift ? shape->states : 0;
  shape->noise_terms = game.drift ? TERMS : 0;
  bidding *made;
  WAL_TRY(wal_acquire(ctx, "bidding", 1, sizeof *made, &made));
  *made = game;
  *self = made;
  return WAL_OK;
}

static void destroy(wal_ctx *ctx, void *self) { wal_release(ctx, &self); }

static void initial(const void *self, int64_t first, int64_t count, double *mass) {
  const bidding *game = self;
  for (int64_t i = 0; i < count; i++)
    mass[i] = (first + i) / game->populations < game->values ? 1.0 / (double)game->values : 0;
}

static void move(const void *self, int stage, int outcome, int action, int64_t first, int64_t count,
                 int64_t *post) {
  (void)stage;
  const bidding *game = self;
  for (int64_t i = 0; i < count; i++) {
    const int64_t v = (first + i) / game->populations, p = (first + i) % game->populations;
    const int64_t up = game->climb && action % 2 == 1 && v + 1 < game->values ? 1 : 0;
    post[i] = (outcome == 1 ? game->values : v + up) * game->populations + p;
  }
}

/* Values go up or down a step, the more so the later; who has won stays. */
static void noise(const void *self, int stage, int64_t first, int64_t count, int64_t *target,
                  double *weight) {
  const bidding *game = self;
  for (int64_t i = 0; i < count; i++) {
    const int64_t p = (first + i) % game->populations, v = (first + i) / game->populations;
    const double away = v < game->values ? 0.1 * (stage + 1) : 0;
    for (int e = 0; e < TERMS; e++) {
      int64_t to = v + e - 1;
      if (to < 0) to = 0;
      if (v < game->values && to >= game->values) to = game->values - 1;
      if (v == game->values) to = v;
      target[e * count + i] = to * game->populations + p;
      weight[e * count + i] = e == 1 ? 1 - away : away / 2;
    }
  }
}

static void legal(const void *self, int action, int64_t first, int64_t count,
                  unsigned char *allowed) {
  const bidding *game = self;
  for (int64_t i = 0; i < count; i++)
    allowed[i] = !game->caps || action == 0 ||
                 (first + i) / game->populations * game->bids >= action * game->values;
}

/* States of a slab that stand for values. */
static int64_t bidders(const bidding *game, const wal_slab *slab) {
  const int64_t left = game->values * game->populations - slab->first;
  return left < 0 ? 0 : left < slab->count ? left : slab->count;
}

static void couple(const void *self, const wal_slab *slab, const double *mass, const double *policy,
                   double *statistic) {
  const bidding *game = self;
  wal_tile_action_mass((wal_tile){bidders(game, slab), slab->stride, game->bids}, mass, policy,
                       statistic);
}

/* The highest bids win, as long as there are goods. */
static void settle(const void *self, int stage, double *statistics) {
  const bidding *game = self;
  const double *bid_mass = statistics + (int64_t)stage * OUTCOMES * game->bids;
  double *win = statistics + (int64_t)stage * OUTCOMES * game->bids + game->bids;
  double left = game->goods * game->populations / game->rounds;
  for (int a = game->bids - 1; a >= 0; a--) {
    const double sold = bid_mass[a] < left ? bid_mass[a] : left;
    win[a] = left <= 0 ? 0 : sold < left ? 1 : left / bid_mass[a];
    left -= sold;
  }
}

/** reward[a][i] = win[a] * (value[i] - a / bids). */
WAL_HOT static void pay(wal_tile t, const double *restrict win, const double *restrict value,
                        double *restrict reward) {
  for (int a = 0; a < t.actions; a++) {
    const double price = (double)a / (double)t.actions;
    double *to = reward + a * t.stride;
    for (int64_t i = 0; i < t.count; i++) to[i] = win[a] * (value[i] - price);
  }
}

static void stage(const void *self, const wal_slab *slab, const double *mass, const double *policy,
                  const double *statistic, double *reward, double *outcome) {
  (void)mass, (void)policy;
  enum { PART = 64 };
  const bidding *game = self;
  const double *win = statistic + game->bids;
  const int64_t count = bidders(game, slab);
  for (int64_t at = 0; reward && at < slab->count; at += PART) {
    double value[PART];
    const int64_t part = slab->count - at < PART ? slab->count - at : PART;
    for (int64_t i = 0; i < part; i++)
      value[i] = (double)((slab->first + at + i) / game->populations) / (double)game->values;
    pay((wal_tile){part, slab->stride, game->bids}, win, value, reward + at);
  }
  for (int a = 0; reward && a < game->bids; a++)
    for (int64_t i = count; i < slab->count; i++) reward[a * slab->stride + i] = 0;
  const int64_t step = game->by_action ? 1 : slab->stride,
                numbers = game->by_action ? 1 : slab->count;
  for (int a = 0; outcome && a < game->bids; a++)
    for (int64_t i = 0; i < numbers; i++) {
      outcome[a * step + i] = 1 - win[a];
      outcome[(game->bids + a) * step + i] = win[a];
    }
}

const wal_game_type wal_test_bidding = {.struct_size = sizeof(wal_game_type),
                                        .component = {.name = "bidding",
                                                      .kind = "game",
                                                      .summary = "a small auction",
                                                      .source = "a test",
                                                      .params = PARAMS},
                                        .create = create,
                                        .destroy = destroy,
                                        .initial = initial,
                                        .move = move,
                                        .noise = noise,
                                        .legal = legal,
                                        .stage = stage,
                                        .couple = couple,
                                        .settle = settle};
