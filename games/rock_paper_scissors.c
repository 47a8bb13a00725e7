// SPDX-License-Identifier: GPL-3.0-or-later
#include "games/common.h"
#include "games/game_list.h"
#include "sim/core/memory.h"

/* s' = 1 + a; every hand is paid by how many show each hand; the table is lopsided. The payments
 * need the masses of all hands, which are the statistic. */

enum { START, ROCK, PAPER, SCISSORS, STATES, ACTIONS = 3 };

/* By own hand and the other's. */
static const double PAYMENT[STATES][STATES] = {
    [ROCK] = {[SCISSORS] = 2, [PAPER] = -1},
    [PAPER] = {[ROCK] = 4, [SCISSORS] = -2},
    [SCISSORS] = {[PAPER] = 6, [ROCK] = -3},
};

static const double ALL_AT_START[STATES] = {1, 0, 0, 0};

static const wal_param PARAMS[] = {
    WAL_GAME_HORIZON(2),
    WAL_GAME_INITIAL("starting distribution over start, rock, paper, scissors",
                     .array = ALL_AT_START, .extent = {STATES}),
    WAL_TOLL_PARAM,
    {.name = NULL}};

typedef struct rock_paper_scissors {
  const double *initial;
} rock_paper_scissors;

static wal_status create(wal_ctx *ctx, wal_params *params, wal_shape *shape, void **self) {
  const double *initial;
  WAL_TRY(wal_params_distribution(ctx, params, "initial", STATES, &initial));
  shape->horizon = (int)wal_params_integer(params, "horizon");
  shape->states = STATES;
  shape->actions = ACTIONS;
  shape->state_reward = true;
  shape->statistic = STATES;
  shape->axes = 1;
  shape->axis[0] = (wal_axis){.name = "hand", .size = STATES};
  rock_paper_scissors *game;
  WAL_TRY(wal_acquire(ctx, "rock_paper_scissors", 1, sizeof *game, &game));
  game->initial = initial;
  *self = game;
  return WAL_OK;
}

static void initial_mass(const void *self, int64_t first, int64_t count, double *mass) {
  const rock_paper_scissors *game = self;
  wal_game_start(game->initial, STATES, first, count, mass);
}

static void move(const void *self, int h, int outcome, int action, int64_t first, int64_t count,
                 int64_t *post) {
  (void)self, (void)h, (void)outcome, (void)first;
  for (int64_t i = 0; i < count; i++) post[i] = ROCK + action;
}

static void couple(const void *self, const wal_slab *slab, const double *mass, const double *policy,
                   double *statistic) {
  (void)self, (void)policy;
  for (int64_t i = 0; i < slab->count; i++) statistic[slab->first + i] += mass[i];
}

static void stage(const void *self, const wal_slab *slab, const double *mass, const double *policy,
                  const double *statistic, double *reward, double *outcome) {
  (void)self, (void)mass, (void)policy, (void)outcome;
  if (!reward) return;
  for (int64_t i = 0; i < slab->count; i++) {
    const double *payment = PAYMENT[slab->first + i];
    reward[i] = payment[ROCK] * statistic[ROCK] + payment[PAPER] * statistic[PAPER] +
                payment[SCISSORS] * statistic[SCISSORS];
  }
}

static void couple_vjp(const void *self, const wal_slab *slab, const double *mass,
                       const double *policy, const double *statistic_bar, double *mass_bar,
                       double *policy_bar) {
  (void)self, (void)mass, (void)policy, (void)policy_bar;
  for (int64_t i = 0; i < slab->count; i++) mass_bar[i] += statistic_bar[slab->first + i];
}

static void stage_vjp(const void *self, const wal_slab *slab, const double *mass,
                      const double *policy, const double *statistic, const double *reward_bar,
                      const double *outcome_bar, double *mass_bar, double *policy_bar,
                      double *statistic_bar) {
  (void)mass, (void)policy, (void)statistic, (void)outcome_bar, (void)mass_bar, (void)policy_bar,
      (void)self;
  if (!reward_bar) return;
  for (int64_t i = 0; i < slab->count; i++)
    for (int hand = ROCK; hand < STATES; hand++)
      statistic_bar[hand] += PAYMENT[slab->first + i][hand] * reward_bar[i];
}

static void action_name(const void *self, int action, char *buffer, size_t size) {
  static const char *const NAMES[ACTIONS] = {"rock", "paper", "scissors"};
  (void)self;
  wal_game_label(NAMES, action, buffer, size);
}

const wal_game_type wal_game_rock_paper_scissors = {
    .struct_size = sizeof(wal_game_type),
    .component = {.name = "rock_paper_scissors",
                  .kind = "game",
                  .summary = "play lopsided rock, paper, scissors against the crowd",
                  .source = "MFGLib 0.3: rock_paper_scissors",
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
