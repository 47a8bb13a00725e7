// SPDX-License-Identifier: GPL-3.0-or-later
#include "games/common.h"
#include "games/game_list.h"
#include "sim/core/memory.h"
#include "sim/core/random.h"

/* A lock of `length` positions 0 .. length-1; behind them the states `length`, outside, and
 * `length` + 1, jammed. At a position but the last, one of the actions, drawn from the seed, is
 * right:
 *
 *   right      pays 0; on to the next position, or with probability `jam` to jammed
 *   wrong      pays `rest`; outside
 *   last       the lock is open: pays `prize`, whatever the action, for ever
 *   outside    pays `rest`, whatever the action, for ever
 *   jammed     pays 0, whatever the action, for ever
 *
 * Nobody minds the others. Of those who play at random one in actions^(length-1) has dialled all of
 * it right. A right action stakes all that is left of the episode on the lock not jamming: who has
 * seen it a few times only may be far off in what it is worth. */

enum { MOST_POSITIONS = 65536, MOST_ACTIONS = 65536 };

typedef struct combination_lock {
  int64_t length;
  int actions;
  uint64_t seed;
  double jam, rest, prize;
} combination_lock;

static const wal_param PARAMS[] = {
    WAL_GAME_INTEGER("length", 5, 2, MOST_POSITIONS, "states",
                     "positions, the open one among them"),
    WAL_GAME_INTEGER("actions", 5, 1, MOST_ACTIONS, "actions", "number of actions"),
    WAL_GAME_HORIZON(20),
    WAL_GAME_REAL("jam", 0.4, 0, 1, "probability", "chance that a right action jams the lock"),
    WAL_GAME_REAL("rest", 1, 0, 1, "reward",
                  "reward of a wrong action, and of every stage outside"),
    WAL_GAME_REAL("prize", 1, 0, 1, "reward", "reward of every stage in the open lock"),
    WAL_GAME_INTEGER("seed", 0, 0, 0x1p53, NULL,
                     "which actions are right; the seed of the task does not matter"),
    WAL_TOLL_PARAM,
    {.name = NULL}};

static wal_status create(wal_ctx *ctx, wal_params *params, wal_shape *shape, void **self) {
  combination_lock *game;
  WAL_TRY(wal_acquire(ctx, "combination_lock", 1, sizeof *game, &game));
  *game = (combination_lock){.length = wal_params_integer(params, "length"),
                             .actions = (int)wal_params_integer(params, "actions"),
                             .seed = (uint64_t)wal_params_integer(params, "seed"),
                             .jam = wal_params_real(params, "jam"),
                             .rest = wal_params_real(params, "rest"),
                             .prize = wal_params_real(params, "prize")};
  shape->horizon = (int)wal_params_integer(params, "horizon");
  shape->states = game->length + 2;
  shape->actions = game->actions;
  shape->post_states = 2 * game->length + 1;  // states, and the right actions of all but the last
  shape->noise_terms = 2;
  shape->axes = 1;
  shape->axis[0] = (wal_axis){.name = "position", .size = shape->states};
  *self = game;
  return WAL_OK;
}

static void initial_mass(const void *self, int64_t first, int64_t count, double *mass) {
  (void)self;
  for (int64_t i = 0; i < count; i++) mass[i] = first + i == 0 ? 1 : 0;
}

static bool is_shut(const combination_lock *game, int64_t state) {
  return state < game->length - 1;
}

static int right_action(const combination_lock *game, int64_t position) {
  const double u =
      wal_random_uniform(game->seed, WAL_PURPOSE_GAME_TABLES, (uint64_t)position, 0, 0);
  return (int)(u * game->actions);
}

static void move(const void *self, int h, int outcome, int action, int64_t first, int64_t count,
                 int64_t *post) {
  (void)h, (void)outcome;
  const combination_lock *game = self;
  for (int64_t i = 0; i < count; i++) {
    const int64_t s = first + i;
    if (!is_shut(game, s))
      post[i] = s;
    else
      post[i] = action == right_action(game, s) ? game->length + 2 + s : game->length;
  }
}

static void noise(const void *self, int h, int64_t first, int64_t count, int64_t *target,
                  double *weight) {
  (void)h;
  const combination_lock *game = self;
  for (int64_t i = 0; i < count; i++) {
    const int64_t m = first + i, dialled = m - (game->length + 2);
    target[i] = dialled < 0 ? m : dialled + 1;
    target[count + i] = game->length + 1;
    weight[i] = dialled < 0 ? 1 : 1 - game->jam;
    weight[count + i] = dialled < 0 ? 0 : game->jam;
  }
}

static void stage(const void *self, const wal_slab *slab, const double *mass, const double *policy,
                  const double *statistic, double *reward, double *outcome) {
  (void)mass, (void)policy, (void)statistic, (void)outcome;
  if (!reward) return;
  const combination_lock *game = self;
  for (int64_t i = 0; i < slab->count; i++) {
    const int64_t s = slab->first + i;
    const bool open = s == game->length - 1, jammed = s == game->length + 1;
    const double usual = jammed ? 0 : open ? game->prize : game->rest;
    for (int a = 0; a < game->actions; a++) reward[a * slab->stride + i] = usual;
    if (is_shut(game, s)) reward[right_action(game, s) * slab->stride + i] = 0;
  }
}

static void stage_vjp(const void *self, const wal_slab *slab, const double *mass,
                      const double *policy, const double *statistic, const double *reward_bar,
                      const double *outcome_bar, double *mass_bar, double *policy_bar,
                      double *statistic_bar) {
  (void)self, (void)slab, (void)mass, (void)policy, (void)statistic, (void)reward_bar;
  (void)outcome_bar, (void)mass_bar, (void)policy_bar, (void)statistic_bar;
}

const wal_game_type wal_game_combination_lock = {
    .struct_size = sizeof(wal_game_type),
    .component = {.name = "combination_lock",
                  .kind = "game",
                  .summary = "dial what is right and risk to jam the lock, or stay outside",
                  .source = "after the locks of Kakade 2003 and Koenig, Simmons 1993",
                  .params = PARAMS},
    .create = create,
    .destroy = wal_game_free,
    .initial = initial_mass,
    .move = move,
    .noise = noise,
    .stage = stage,
    .stage_vjp = stage_vjp};
