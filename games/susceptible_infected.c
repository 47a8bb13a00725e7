// SPDX-License-Identifier: GPL-3.0-or-later
#include "games/common.h"
#include "games/game_list.h"
#include "sim/core/memory.h"

/* Outcome 0 keeps the health, outcome 1 changes it: I -> S with 0.3; S -> I with 0.81 mu(I) for
 * those who go out, never for those at home. r = -0.5 [home] - [infected]. */

enum { SUSCEPTIBLE, INFECTED, STATES, OUT = 0, HOME, ACTIONS };

static const double RECOVERY = 0.3, CONTAGION = 0.81, HOME_COST = 0.5, ILLNESS_COST = 1;

static const double OUTBREAK[STATES] = {0.4, 0.6};

static const wal_param PARAMS[] = {
    WAL_GAME_HORIZON(51),
    WAL_GAME_INITIAL("starting shares of susceptible and infected agents", .array = OUTBREAK,
                     .extent = {STATES}),
    WAL_TOLL_PARAM,
    {.name = NULL}};

typedef struct susceptible_infected {
  const double *initial;
} susceptible_infected;

static wal_status create(wal_ctx *ctx, wal_params *params, wal_shape *shape, void **self) {
  const double *initial;
  WAL_TRY(wal_params_distribution(ctx, params, "initial", STATES, &initial));
  shape->horizon = (int)wal_params_integer(params, "horizon");
  shape->states = STATES;
  shape->actions = ACTIONS;
  shape->outcomes = 2;
  shape->statistic = 1;
  shape->axes = 1;
  shape->axis[0] = (wal_axis){.name = "health", .size = STATES};
  susceptible_infected *game;
  WAL_TRY(wal_acquire(ctx, "susceptible_infected", 1, sizeof *game, &game));
  game->initial = initial;
  *self = game;
  return WAL_OK;
}

static void initial_mass(const void *self, int64_t first, int64_t count, double *mass) {
  const susceptible_infected *game = self;
  wal_game_start(game->initial, STATES, first, count, mass);
}

static void move(const void *self, int h, int outcome, int action, int64_t first, int64_t count,
                 int64_t *post) {
  (void)self, (void)h, (void)action;
  for (int64_t i = 0; i < count; i++) post[i] = outcome ? STATES - 1 - (first + i) : first + i;
}

static void couple(const void *self, const wal_slab *slab, const double *mass, const double *policy,
                   double *statistic) {
  (void)self, (void)policy;
  for (int64_t i = 0; i < slab->count; i++)
    if (slab->first + i == INFECTED) statistic[0] += mass[i];
}

static void stage(const void *self, const wal_slab *slab, const double *mass, const double *policy,
                  const double *statistic, double *reward, double *outcome) {
  (void)self, (void)mass, (void)policy;
  for (int a = 0; a < ACTIONS; a++)
    for (int64_t i = 0; i < slab->count; i++) {
      int64_t at = a * slab->stride + i;
      bool infected = slab->first + i == INFECTED;
      if (reward) reward[at] = -(a == HOME ? HOME_COST : 0) - (infected ? ILLNESS_COST : 0);
      if (!outcome) continue;
      double change = infected ? RECOVERY : a == OUT ? CONTAGION * statistic[0] : 0;
      outcome[at] = 1 - change;
      outcome[ACTIONS * slab->stride + at] = change;
    }
}

static void couple_vjp(const void *self, const wal_slab *slab, const double *mass,
                       const double *policy, const double *statistic_bar, double *mass_bar,
                       double *policy_bar) {
  (void)self, (void)mass, (void)policy, (void)policy_bar;
  for (int64_t i = 0; i < slab->count; i++)
    if (slab->first + i == INFECTED) mass_bar[i] += statistic_bar[0];
}

static void stage_vjp(const void *self, const wal_slab *slab, const double *mass,
                      const double *policy, const double *statistic, const double *reward_bar,
                      const double *outcome_bar, double *mass_bar, double *policy_bar,
                      double *statistic_bar) {
  (void)mass, (void)policy, (void)statistic, (void)reward_bar, (void)mass_bar, (void)policy_bar,
      (void)self;
  if (!outcome_bar) return;
  const double *keep = outcome_bar + OUT * slab->stride, *change = keep + ACTIONS * slab->stride;
  for (int64_t i = 0; i < slab->count; i++)
    if (slab->first + i == SUSCEPTIBLE) statistic_bar[0] += CONTAGION * (change[i] - keep[i]);
}

static void action_name(const void *self, int action, char *buffer, size_t size) {
  static const char *const NAMES[ACTIONS] = {"out", "home"};
  (void)self;
  wal_game_label(NAMES, action, buffer, size);
}

const wal_game_type wal_game_susceptible_infected = {
    .struct_size = sizeof(wal_game_type),
    .component = {.name = "susceptible_infected",
                  .kind = "game",
                  .summary = "go out at the risk of infection, or stay at home at a cost",
                  .source = "MFGLib 0.3: susceptible_infected",
                  .params = PARAMS},
    .create = create,
    .destroy = wal_game_free,
    .initial = initial_mass,
    .move = move,
    .stage = stage,
    .stage_vjp = stage_vjp,
    .couple = couple,
    .couple_vjp = couple_vjp,
    .action_name = action_name};
