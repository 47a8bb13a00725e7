// SPDX-License-Identifier: GPL-3.0-or-later
#include "games/common.h"
#include "games/game_list.h"
#include "sim/core/memory.h"
#include "sim/core/random.h"
#include "sim/core/vector_math.h"

/* With as many actions as states and L[x][a] the mass of (state, action):
 *   P(s'|s,a) = softmax over s' of sum_x P1[s'][s][x] L[x][a] + P2[s'][s][a],
 *   r(s,a)    = sum_x R1[s][x] L[x][a] + R2[s][a].
 * The statistic is L itself; outcome k is "move to state k". */

enum { TRANSITION_SLOPE, TRANSITION_OFFSET, REWARD_SLOPE, REWARD_OFFSET, TABLES };

enum { FIRST_TABLE = 2 };  // in the list of parameters

enum { MOST_STATES = 256 };

typedef struct random_linear {
  int states;
  const double *table[TABLES];
  double *drawn[TABLES]; /**< those tables that the game made itself */
} random_linear;

#define TABLE(name_, rank_, meaning_) \
  { .name = (name_), .type = WAL_ARRAY, .rank = (rank_), .optional = true, .meaning = meaning_ }

static const wal_param PARAMS[] = {
    WAL_GAME_HORIZON(4),
    WAL_GAME_INTEGER("states", 5, 1, MOST_STATES, "states", "number of states, and of actions"),
    TABLE("transition_slope", 3,
          "effect of mass at x on the logit of moving s -> t: [t][s][x]; drawn from -10..10 if "
          "left out"),
    TABLE("transition_offset", 3, "logit of moving s -> t by action a: [t][s][a]; likewise"),
    TABLE("reward_slope", 2, "effect of mass at x on the reward in s: [s][x]; likewise"),
    TABLE("reward_offset", 2, "reward of action a in s: [s][a]; likewise"),
    WAL_TOLL_PARAM,
    {.name = NULL}};

static void destroy(wal_ctx *ctx, void *self) {
  random_linear *game = self;
  for (int t = 0; game && t < TABLES; t++) wal_release(ctx, &game->drawn[t]);
  wal_release(ctx, &game);
}

static wal_status read_table(wal_ctx *ctx, wal_params *params, random_linear *game, int which) {
  const wal_param *param = &PARAMS[FIRST_TABLE + which];
  int64_t n = game->states, layers = param->rank == 3 ? n : 0;
  WAL_TRY(wal_params_array(ctx, params, param->name, n, n, layers, &game->table[which]));
  if (game->table[which]) return WAL_OK;
  int64_t numbers = param->rank == 3 ? n * n * n : n * n;
  WAL_TRY(wal_acquire(ctx, param->name, numbers, sizeof(double), &game->drawn[which]));
  for (int64_t i = 0; i < numbers; i++)
    game->drawn[which][i] = 20 * wal_random_uniform(wal_ctx_seed(ctx), WAL_PURPOSE_GAME_TABLES,
                                                    (uint64_t)i, (uint32_t)which, 0) -
                            10;
  game->table[which] = game->drawn[which];
  return WAL_OK;
}

static wal_status create(wal_ctx *ctx, wal_params *params, wal_shape *shape, void **self) {
  random_linear *game;
  wal_status status = WAL_OK;
  WAL_TRY(wal_acquire(ctx, "random_linear", 1, sizeof *game, &game));
  game->states = (int)wal_params_integer(params, "states");
  for (int t = 0; t < TABLES; t++) WAL_TRY_GOTO(read_table(ctx, params, game, t));
  shape->horizon = (int)wal_params_integer(params, "horizon");
  shape->states = game->states;
  shape->actions = game->states;
  shape->outcomes = game->states;
  shape->statistic = game->states * game->states;
  *self = game;
  return WAL_OK;
cleanup:
  destroy(ctx, game);
  return status;
}

static void initial_mass(const void *self, int64_t first, int64_t count, double *mass) {
  const random_linear *game = self;
  wal_game_start(NULL, game->states, first, count, mass);
}

static void move(const void *self, int h, int outcome, int action, int64_t first, int64_t count,
                 int64_t *post) {
  (void)self, (void)h, (void)action, (void)first;
  for (int64_t i = 0; i < count; i++) post[i] = outcome;
}

static void couple(const void *self, const wal_slab *slab, const double *mass, const double *policy,
                   double *statistic) {
  int n = ((const random_linear *)self)->states;
  for (int a = 0; a < n; a++)
    for (int64_t i = 0; i < slab->count; i++)
      statistic[(slab->first + i) * n + a] += mass[i] * policy[a * slab->stride + i];
}

/** sum_x slope[x] L[x][action]. */
static double effect(int n, const double *slope, const double *joint, int action) {
  double total = 0;
  for (int x = 0; x < n; x++) total += slope[x] * joint[x * n + action];
  return total;
}

enum { CHUNK = 64 };

/** Probabilities outcome[k * pairs + i] of moving from state first + i to k by one action; count is
 * at most CHUNK. */
static void fill_outcome(const random_linear *game, int64_t first, int64_t count, int action,
                         const double *joint, int64_t pairs, double *outcome) {
  int n = game->states;
  double top[CHUNK], total[CHUNK];
  for (int64_t i = 0; i < count; i++) {
    for (int k = 0; k < n; k++) {
      int64_t row = (int64_t)k * n + first + i;
      double logit = effect(n, game->table[TRANSITION_SLOPE] + row * n, joint, action) +
                     game->table[TRANSITION_OFFSET][row * n + action];
      top[i] = k == 0 || logit > top[i] ? logit : top[i];
      outcome[k * pairs + i] = logit;
    }
    total[i] = 0;
  }
  for (int k = 0; k < n; k++) {
    double *likely = outcome + k * pairs;
    for (int64_t i = 0; i < count; i++) likely[i] -= top[i];
    wal_vector_exp(count, likely, likely);
    for (int64_t i = 0; i < count; i++) total[i] += likely[i];
  }
  for (int k = 0; k < n; k++)
    for (int64_t i = 0; i < count; i++) outcome[k * pairs + i] /= total[i];
}

static void stage(const void *self, const wal_slab *slab, const double *mass, const double *policy,
                  const double *statistic, double *reward, double *outcome) {
  (void)mass, (void)policy;
  const random_linear *game = self;
  int n = game->states;
  for (int a = 0; a < n; a++) {
    for (int64_t i = 0; reward && i < slab->count; i++) {
      int64_t s = slab->first + i;
      reward[a * slab->stride + i] = effect(n, game->table[REWARD_SLOPE] + s * n, statistic, a) +
                                     game->table[REWARD_OFFSET][s * n + a];
    }
    for (int64_t i = 0; outcome && i < slab->count; i += CHUNK) {
      int64_t count = slab->count - i < CHUNK ? slab->count - i : CHUNK;
      fill_outcome(game, slab->first + i, count, a, statistic, n * slab->stride,
                   outcome + a * slab->stride + i);
    }
  }
}

static void couple_vjp(const void *self, const wal_slab *slab, const double *mass,
                       const double *policy, const double *statistic_bar, double *mass_bar,
                       double *policy_bar) {
  int n = ((const random_linear *)self)->states;
  for (int a = 0; a < n; a++)
    for (int64_t i = 0; i < slab->count; i++) {
      const double bar = statistic_bar[(slab->first + i) * n + a];
      mass_bar[i] += bar * policy[a * slab->stride + i];
      policy_bar[a * slab->stride + i] += bar * mass[i];
    }
}

enum { FEW = 16 };  // states worked on at once: their probabilities fit into the first cache

/** Adds to joint_bar[x], of the masses of one action: the softmax's logit k has the bar
 * p_k (outcome_bar_k - sum_j p_j outcome_bar_j). At most FEW states. */
static void pull_outcome(const random_linear *game, int64_t first, int64_t count, int action,
                         const double *joint, int64_t pairs, const double *outcome_bar,
                         double *joint_bar) {
  const int n = game->states;
  double likely[MOST_STATES * FEW], mean[FEW] = {0};
  fill_outcome(game, first, count, action, joint, FEW, likely);
  for (int k = 0; k < n; k++)
    for (int64_t i = 0; i < count; i++) mean[i] += likely[k * FEW + i] * outcome_bar[k * pairs + i];
  for (int k = 0; k < n; k++)
    for (int64_t i = 0; i < count; i++)
      wal_game_add_scaled(n, likely[k * FEW + i] * (outcome_bar[k * pairs + i] - mean[i]),
                          game->table[TRANSITION_SLOPE] + ((int64_t)k * n + first + i) * n,
                          joint_bar);
}

static void stage_vjp(const void *self, const wal_slab *slab, const double *mass,
                      const double *policy, const double *statistic, const double *reward_bar,
                      const double *outcome_bar, double *mass_bar, double *policy_bar,
                      double *statistic_bar) {
  (void)mass, (void)policy, (void)mass_bar, (void)policy_bar;
  const random_linear *game = self;
  const int n = game->states;
  for (int a = 0; a < n; a++) {
    double joint_bar[MOST_STATES] = {0};
    for (int64_t i = 0; reward_bar && i < slab->count; i++)
      wal_game_add_scaled(n, reward_bar[a * slab->stride + i],
                          game->table[REWARD_SLOPE] + (slab->first + i) * n, joint_bar);
    for (int64_t i = 0; outcome_bar && i < slab->count; i += FEW) {
      const int64_t count = slab->count - i < FEW ? slab->count - i : FEW;
      pull_outcome(game, slab->first + i, count, a, statistic, n * slab->stride,
                   outcome_bar + a * slab->stride + i, joint_bar);
    }
    for (int x = 0; x < n; x++) statistic_bar[x * n + a] += joint_bar[x];
  }
}

const wal_game_type wal_game_random_linear = {
    .struct_size = sizeof(wal_game_type),
    .component = {.name = "random_linear",
                  .kind = "game",
                  .summary =
                      "play a random game: rewards and logits of the moves are linear in the mass",
                  .source = "MFGLib 0.3: random_linear",
                  .params = PARAMS},
    .create = create,
    .destroy = destroy,
    .initial = initial_mass,
    .move = move,
    .stage = stage,
    .stage_vjp = stage_vjp,
    .couple = couple,
    .couple_vjp = couple_vjp};
