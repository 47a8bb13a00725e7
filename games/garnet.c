// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <string.h>

#include "games/common.h"
#include "games/game_list.h"
#include "sim/core/memory.h"
#include "sim/core/random.h"

/* A random game: (s,a) leads to `branching` different states, drawn uniformly, with the lengths of
 * the pieces into which branching - 1 uniform points cut [0,1] as probabilities;
 * r = r(s,a) - aversion ln(mu(s) + offset), r(s,a) uniform on [0,1] with probability `density`,
 * else 0. Archibald, McKinnon, Thomas, J. Oper. Res. Soc. 46 (1995) 354; with the mean-field term
 * Perolat et al., arXiv:2103.00623. The term is monotone, so that the equilibrium value is one.
 *
 * Every number is drawn where it is wanted: Philox with the key (seed, garnet) and the counter
 * ((s,a), kind, number of the draw), whatever the rank. */

enum { REWARD, SUCCESSOR, CUT };  // kinds of draws; append, never reorder

enum { MOST_BRANCHES = 1024, MOST_ACTIONS = 65536 };

typedef struct garnet {
  int64_t states;
  int actions, branching;
  uint64_t seed;
  double density, aversion, log_offset;
} garnet;

static const wal_param PARAMS[] = {
    WAL_GAME_INTEGER("states", 100, 1, INT32_MAX, "states", "number of states"),
    WAL_GAME_INTEGER("actions", 4, 1, MOST_ACTIONS, "actions", "number of actions"),
    WAL_GAME_INTEGER("branching", 4, 1, MOST_BRANCHES, "states",
                     "different states that an action may lead to"),
    WAL_GAME_HORIZON(10),
    WAL_GAME_INTEGER("seed", 0, 0, 0x1p53, NULL,
                     "which game of the family; the seed of the task does not matter"),
    WAL_GAME_REAL("density", 1, 0, 1, "probability",
                  "chance that (state, action) has a reward of its own; else it is 0"),
    WAL_GAME_REAL("aversion", 1, 0, HUGE_VAL, "reward", "weight of the dislike of crowds"),
    WAL_GAME_LOG_OFFSET(1e-25),
    WAL_TOLL_PARAM,
    {.name = NULL}};

static wal_status create(wal_ctx *ctx, wal_params *params, wal_shape *shape, void **self) {
  garnet made = {.states = wal_params_integer(params, "states"),
                 .actions = (int)wal_params_integer(params, "actions"),
                 .branching = (int)wal_params_integer(params, "branching"),
                 .seed = (uint64_t)wal_params_integer(params, "seed"),
                 .density = wal_params_real(params, "density"),
                 .aversion = wal_params_real(params, "aversion"),
                 .log_offset = wal_params_real(params, "log_offset")};
  if (made.branching > made.states)
    return wal_params_fail(ctx, params, "branching",
                           "expected at most as many as there are states, %lld, got %d",
                           (long long)made.states, made.branching);
  shape->horizon = (int)wal_params_integer(params, "horizon");
  shape->states = made.states;
  shape->actions = made.actions;
  shape->post_states = made.states * made.actions;
  shape->noise_terms = made.branching;
  garnet *game;
  WAL_TRY(wal_acquire(ctx, "garnet", 1, sizeof *game, &game));
  *game = made;
  *self = game;
  return WAL_OK;
}

static void initial_mass(const void *self, int64_t first, int64_t count, double *mass) {
  wal_game_start(NULL, ((const garnet *)self)->states, first, count, mass);
}

static void move(const void *self, int h, int outcome, int action, int64_t first, int64_t count,
                 int64_t *post) {
  (void)h, (void)outcome;
  int actions = ((const garnet *)self)->actions;
  for (int64_t i = 0; i < count; i++) post[i] = (first + i) * actions + action;
}

static double draw(const garnet *game, int64_t pair, int kind, int number) {
  return wal_random_uniform(game->seed, WAL_PURPOSE_GARNET, (uint64_t)pair, (uint32_t)kind,
                            (uint32_t)number);
}

/** A uniform subset of the states, ascending, in target[0], target[stride], ...: of the states up
 * to j, take a drawn one, or j itself if that is taken (Floyd's sampling). */
static void draw_successors(const garnet *game, int64_t pair, int64_t stride, int64_t *target) {
  for (int k = 0; k < game->branching; k++) {
    int64_t j = game->states - game->branching + k;
    int64_t chosen = (int64_t)(draw(game, pair, SUCCESSOR, k) * (double)(j + 1));
    for (int e = 0; e < k; e++)
      if (target[e * stride] == chosen) {
        chosen = j;
        break;
      }
    int at = k;
    for (; at > 0 && target[(at - 1) * stride] > chosen; at--)
      target[at * stride] = target[(at - 1) * stride];
    target[at * stride] = chosen;
  }
}

/** The pieces of [0,1], in weight[0], weight[stride], ... */
static void draw_weights(const garnet *game, int64_t pair, int64_t stride, double *weight) {
  int last = game->branching - 1;
  for (int k = 0; k < last; k++) {
    double cut = draw(game, pair, CUT, k);
    int at = k;
    for (; at > 0 && weight[(at - 1) * stride] > cut; at--)
      weight[at * stride] = weight[(at - 1) * stride];
    weight[at * stride] = cut;
  }
  weight[last * stride] = 1;
  for (int k = last; k > 0; k--) weight[k * stride] -= weight[(k - 1) * stride];
}

static void noise(const void *self, int h, int64_t first, int64_t count, int64_t *target,
                  double *weight) {
  (void)h;
  for (int64_t i = 0; i < count; i++) {
    draw_successors(self, first + i, count, target + i);
    draw_weights(self, first + i, count, weight + i);
  }
}

static void stage(const void *self, const wal_slab *slab, const double *mass, const double *policy,
                  const double *statistic, double *reward, double *outcome) {
  (void)policy, (void)statistic, (void)outcome;
  if (!reward) return;
  const garnet *game = self;
  wal_game_aversion(slab->count, mass, game->log_offset, reward);
  if (game->aversion != 1) wal_game_scale(slab->count, game->aversion, reward);
  for (int a = 1; a < game->actions; a++)
    memcpy(reward + a * slab->stride, reward, (size_t)slab->count * sizeof *reward);
  for (int a = 0; game->density > 0 && a < game->actions; a++)
    for (int64_t i = 0; i < slab->count; i++) {
      double u = draw(game, (slab->first + i) * game->actions + a, REWARD, 0);
      if (u < game->density) reward[a * slab->stride + i] += u / game->density;
    }
}

static void stage_vjp(const void *self, const wal_slab *slab, const double *mass,
                      const double *policy, const double *statistic, const double *reward_bar,
                      const double *outcome_bar, double *mass_bar, double *policy_bar,
                      double *statistic_bar) {
  (void)policy, (void)statistic, (void)outcome_bar, (void)policy_bar, (void)statistic_bar;
  if (!reward_bar) return;
  const garnet *game = self;
  wal_game_aversion_vjp(game->actions, slab->stride, slab->count, game->aversion, mass,
                        game->log_offset, reward_bar, mass_bar);
}

const wal_game_type wal_game_garnet = {
    .struct_size = sizeof(wal_game_type),
    .component = {.name = "garnet",
                  .kind = "game",
                  .summary = "move by transitions and rewards drawn from a seed, avoiding crowds",
                  .source = "Archibald, McKinnon, Thomas 1995; Perolat et al., arXiv:2103.00623",
                  .params = PARAMS},
    .create = create,
    .destroy = wal_game_free,
    .initial = initial_mass,
    .move = move,
    .noise = noise,
    .stage = stage,
    .stage_vjp = stage_vjp};
