// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdio.h>

#include "games/common.h"
#include "games/game_list.h"
#include "sim/core/hot.h"
#include "sim/core/memory.h"
#include "sim/core/sum.h"
#include "sim/core/vector_math.h"

/* Firms hold s units of material, make q goods and order o units: s' = min(s - min(q,s) + o, top).
 * price = (demand / (E_L[q] + supply_offset))^(1/elasticity);
 * r = (price - c0) q - c1 q^2 - c2 o - (c2 + c3) max(q - s, 0) - c4 s. */

enum { COSTS = 5, SUPPLY = 0, PRICE = 1, STATISTICS = 2 };

typedef struct equilibrium_price {
  int64_t inventory;
  int quantities, orders; /**< choices of q and of o */
  double demand, supply_offset, elasticity;
  const double *costs;
} equilibrium_price;

static const double UNIT_COSTS[COSTS] = {1, 1, 1, 1, 1};

static const wal_param PARAMS[] = {
    WAL_GAME_HORIZON(5),
    WAL_GAME_INTEGER("inventory", 3, 0, WAL_GAME_MOST_CELLS, "units",
                     "most units of material that a firm can store"),
    WAL_GAME_INTEGER("quantity", 2, 0, 1000, "goods", "most goods that a firm can make in a stage"),
    WAL_GAME_INTEGER("order", 2, 0, 1000, "units", "most units that a firm can order in a stage"),
    WAL_GAME_REAL("demand", 1, 0, 1e100, "goods", "scale of the demand for goods"),
    WAL_GAME_REAL("supply_offset", 1, 0, 1e100, "goods",
                  "supply that is on the market besides the firms'"),
    WAL_GAME_REAL("elasticity", 1, 1e-3, 1e6, NULL, "elasticity of demand with respect to price"),
    {.name = "costs",
     .type = WAL_ARRAY,
     .rank = 1,
     .array = UNIT_COSTS,
     .extent = {COSTS},
     .unit = "price",
     .meaning =
         "per good, per good squared, per ordered unit, extra per unit short, per unit held"},
    WAL_TOLL_PARAM,
    {.name = NULL}};

static wal_status create(wal_ctx *ctx, wal_params *params, wal_shape *shape, void **self) {
  equilibrium_price game = {.inventory = wal_params_integer(params, "inventory"),
                            .quantities = (int)wal_params_integer(params, "quantity") + 1,
                            .orders = (int)wal_params_integer(params, "order") + 1,
                            .demand = wal_params_real(params, "demand"),
                            .supply_offset = wal_params_real(params, "supply_offset"),
                            .elasticity = wal_params_real(params, "elasticity")};
  shape->horizon = (int)wal_params_integer(params, "horizon");
  shape->states = game.inventory + 1;
  shape->actions = game.quantities * game.orders;
  shape->statistic = 1;
  shape->settled = STATISTICS - 1;
  shape->axes = 1;
  shape->axis[0] = (wal_axis){.name = "inventory", .size = shape->states};
  WAL_TRY(wal_params_array(ctx, params, "costs", COSTS, 0, 0, &game.costs));
  equilibrium_price *made;
  WAL_TRY(wal_acquire(ctx, "equilibrium_price", 1, sizeof *made, &made));
  *made = game;
  *self = made;
  return WAL_OK;
}

static void initial_mass(const void *self, int64_t first, int64_t count, double *mass) {
  const equilibrium_price *game = self;
  wal_game_start(NULL, game->inventory + 1, first, count, mass);
}

static void move(const void *self, int h, int outcome, int action, int64_t first, int64_t count,
                 int64_t *post) {
  (void)h, (void)outcome;
  const equilibrium_price *game = self;
  int64_t quantity = action / game->orders, order = action % game->orders;
  for (int64_t i = 0; i < count; i++) {
    int64_t left = first + i > quantity ? first + i - quantity : 0;
    post[i] = left + order < game->inventory ? left + order : game->inventory;
  }
}

static void couple(const void *self, const wal_slab *slab, const double *mass, const double *policy,
                   double *statistic) {
  const equilibrium_price *game = self;
  for (int q = 1; q < game->quantities; q++)
    for (int o = 0; o < game->orders; o++) {
      const double *chosen = policy + (q * game->orders + o) * slab->stride;
      statistic[SUPPLY] += q * wal_dot(slab->count, mass, chosen);
    }
}

static void settle(const void *self, int stage, double *statistics) {
  const equilibrium_price *game = self;
  double *statistic = statistics + (int64_t)stage * STATISTICS;
  double price = game->demand / (statistic[SUPPLY] + game->supply_offset);
  if (game->elasticity != 1) {  // pow() of the C library may differ between processors
    wal_vector_log(1, &price, &price);
    price /= game->elasticity;
    wal_vector_exp(1, &price, &price);
  }
  statistic[PRICE] = price;
}

/** reward[i] = gain - short_cost max(quantity - s, 0) - hold_cost s for s = first + i. */
WAL_HOT static void pay(int64_t first, int64_t count, double quantity, double gain,
                        double short_cost, double hold_cost, double *restrict reward) {
  for (int64_t i = 0; i < count; i++) {
    double held = (double)(int32_t)(first + i), missing = quantity - held;
    reward[i] = gain - short_cost * (missing > 0 ? missing : 0) - hold_cost * held;
  }
}

static void stage(const void *self, const wal_slab *slab, const double *mass, const double *policy,
                  const double *statistic, double *reward, double *outcome) {
  (void)mass, (void)policy, (void)outcome;
  if (!reward) return;
  const equilibrium_price *game = self;
  const double *c = game->costs;
  for (int action = 0; action < game->quantities * game->orders; action++) {
    double q = action / game->orders, o = action % game->orders;
    double gain = (statistic[PRICE] - c[0]) * q - c[1] * q * q - c[2] * o;
    pay(slab->first, slab->count, q, gain, c[2] + c[3], c[4], reward + action * slab->stride);
  }
}

static void couple_vjp(const void *self, const wal_slab *slab, const double *mass,
                       const double *policy, const double *statistic_bar, double *mass_bar,
                       double *policy_bar) {
  const equilibrium_price *game = self;
  for (int q = 1; q < game->quantities; q++)
    for (int o = 0; o < game->orders; o++) {
      const int64_t row = (q * game->orders + o) * slab->stride;
      wal_game_add_scaled(slab->count, q * statistic_bar[SUPPLY], policy + row, mass_bar);
      wal_game_add_scaled(slab->count, q * statistic_bar[SUPPLY], mass, policy_bar + row);
    }
}

/** The price's derivative by the supply is -price / (elasticity (supply + offset)). */
static void settle_vjp(const void *self, int stage, const double *statistics, double *bars,
                       double *parameters_bar) {
  (void)parameters_bar;
  const equilibrium_price *game = self;
  const double *statistic = statistics + (int64_t)stage * STATISTICS;
  double *bar = bars + (int64_t)stage * STATISTICS;
  const double supply = statistic[SUPPLY] + game->supply_offset;
  bar[SUPPLY] -= bar[PRICE] * statistic[PRICE] / (game->elasticity * supply);
}

static void stage_vjp(const void *self, const wal_slab *slab, const double *mass,
                      const double *policy, const double *statistic, const double *reward_bar,
                      const double *outcome_bar, double *mass_bar, double *policy_bar,
                      double *statistic_bar) {
  (void)mass, (void)policy, (void)statistic, (void)outcome_bar, (void)mass_bar, (void)policy_bar;
  if (!reward_bar) return;
  const equilibrium_price *game = self;
  for (int action = game->orders; action < game->quantities * game->orders; action++) {
    const double q = action / game->orders;
    statistic_bar[PRICE] += q * wal_sum(slab->count, reward_bar + action * slab->stride);
  }
}

static void action_name(const void *self, int action, char *buffer, size_t size) {
  const equilibrium_price *game = self;
  snprintf(buffer, size, "make %d order %d", action / game->orders, action % game->orders);
}

const wal_game_type wal_game_equilibrium_price = {
    .struct_size = sizeof(wal_game_type),
    .component = {.name = "equilibrium_price",
                  .kind = "game",
                  .summary =
                      "make goods from stored material; what all firms supply sets the price",
                  .source = "MFGLib 0.3: equilibrium_price",
                  .params = PARAMS},
    .create = create,
    .destroy = wal_game_free,
    .initial = initial_mass,
    .move = move,
    .stage = stage,
    .stage_vjp = stage_vjp,
    .couple = couple,
    .couple_vjp = couple_vjp,
    .settle = settle,
    .settle_vjp = settle_vjp,
    .action_name = action_name};
