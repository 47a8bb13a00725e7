// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <string.h>

#include "games/common.h"
#include "games/custom_moves.h"
#include "games/custom_statistic.h"
#include "games/game_list.h"
#include "sim/core/memory.h"

/* A game of the scenario's own functions. Moves and the weights of the statistic are tabulated when
 * the game is made; rewards and probabilities of outcomes are asked for in every sweep, each rank
 * for its own states. */

enum { MOST_ACTIONS = 100000, MOST_OUTCOMES = 256 };

static const wal_param PARAMS[] = {
    {.name = "states",
     .type = WAL_INTEGER,
     .required = true,
     .low = 1,
     .high = INT32_MAX,
     .unit = "states",
     .meaning = "states, counted from 0"},
    {.name = "actions",
     .type = WAL_INTEGER,
     .required = true,
     .low = 1,
     .high = MOST_ACTIONS,
     .unit = "actions",
     .meaning = "actions, counted from 0"},
    {.name = "horizon",
     .type = WAL_INTEGER,
     .required = true,
     .low = 1,
     .high = WAL_GAME_MOST_STAGES,
     .unit = "stages",
     .meaning = "decision stages, each with a move and a reward"},
    WAL_GAME_INITIAL("starting distribution over the states; uniform if left out",
                     .optional = true),
    {.name = "moves",
     .type = WAL_FUNCTION,
     .required = true,
     .meaning = "function(h, s, a, k) gives {{target, probability}, ...} or a target"},
    {.name = "reward",
     .type = WAL_FUNCTION,
     .required = true,
     .meaning = "function(h, s, a, mass) gives a number; mass[s] is the mass of state s"},
    {.name = "outcomes",
     .type = WAL_FUNCTION,
     .optional = true,
     .meaning = "function(h, s, a, mass) gives the probabilities of the outcomes k = 0, 1, ...; "
                "one outcome if left out"},
    {.name = "statistic",
     .type = WAL_FUNCTION,
     .optional = true,
     .meaning = "function(h, s, a) gives numbers; reward and outcomes get their mean over the "
                "population in place of the mass"},
    {.name = "varies", .type = WAL_FLAG, .number = 0, .meaning = "moves depend on the stage h"},
    WAL_TOLL_PARAM,
    {.name = NULL}};

/* What calls change. */
typedef struct custom_live {
  wal_custom_function reward, outcomes;
  bool stopped;             /**< no further calls in this sweep */
  wal_held_failure failure; /**< first of this sweep */
} custom_live;

typedef struct custom {
  wal_ctx *ctx;
  int horizon, actions, outcomes;
  int64_t states;
  const double *initial;
  wal_custom_moves moves;
  wal_custom_statistic statistic;
  custom_live *live;
} custom;

static void destroy(wal_ctx *ctx, void *self) {
  custom *game = self;
  wal_custom_moves_free(ctx, &game->moves);
  wal_custom_statistic_free(ctx, &game->statistic);
  wal_release(ctx, &game->live);
  wal_release(ctx, &game);
}

// ---- Calls ------------------------------------------------------------------------------------

/* Numbers of z_h that functions are given: the statistic, or the mass of every state. */
static int64_t array_count(const custom *game) {
  return game->statistic.numbers > 0 ? game->statistic.numbers : game->states;
}

static void give_array(const custom *game, const double *array) {
  wal_call *calls[] = {&game->live->reward.call, &game->live->outcomes.call};
  for (int i = 0; i < 2; i++) {
    calls[i]->array = array;
    calls[i]->array_count = array_count(game);
  }
}

static void take_array(const custom *game) {
  game->live->reward.function->release(game->live->reward.function);
}

/* The reward, WAL_ENONFINITE if it is not finite. */
static wal_status ask_reward(const custom *game, int h, int64_t s, int a, double *reward) {
  wal_custom_function *f = &game->live->reward;
  WAL_TRY(wal_custom_ask(game->ctx, f, h, s, a));
  *reward = f->call.results[0];
  return isfinite(*reward) ? WAL_OK : wal_custom_check_finite(game->ctx, f);
}

/* The probabilities, in live->outcomes.call.results. */
static wal_status ask_outcomes(const custom *game, int h, int64_t s, int a) {
  wal_custom_function *f = &game->live->outcomes;
  WAL_TRY(wal_custom_ask(game->ctx, f, h, s, a));
  WAL_TRY(wal_custom_check_finite(game->ctx, f));
  return wal_custom_check_distribution(game->ctx, f);
}

// ---- Trying the functions ---------------------------------------------------------------------

/* What functions are tried with: the initial mass and, where that gives no finite number at a later
 * stage, when the mass will be another one, the uniform mass. */
typedef struct trial {
  double *mass[2];
  double *statistic[2]; /**< of the stage, under the uniform policy */
} trial;

static const double *array_of(const custom *game, const trial *t, int which) {
  return game->statistic.numbers > 0 ? t->statistic[which] : t->mass[which];
}

static void free_trial(wal_ctx *ctx, trial *t) {
  for (int i = 0; i < 2; i++) {
    wal_release(ctx, &t->mass[i]);
    wal_release(ctx, &t->statistic[i]);
  }
}

static wal_status make_trial(const custom *game, trial *t) {
  for (int i = 0; i < 2; i++) {
    WAL_TRY(wal_acquire(game->ctx, "scripted game", game->states, sizeof(double), &t->mass[i]));
    WAL_TRY(wal_acquire(game->ctx, "scripted game", game->statistic.numbers, sizeof(double),
                        &t->statistic[i]));
    wal_game_start(i == 0 ? game->initial : NULL, game->states, 0, game->states, t->mass[i]);
  }
  return WAL_OK;
}

static void settle_trial(const custom *game, trial *t, int h) {
  const wal_slab all = {h, 0, game->states, game->states};
  for (int i = 0; i < 2 && game->statistic.numbers > 0; i++) {
    memset(t->statistic[i], 0, (size_t)game->statistic.numbers * sizeof(double));
    wal_custom_statistic_add(&game->statistic, &all, t->mass[i], NULL, t->statistic[i]);
  }
}

static wal_status try_pair(const custom *game, int h, int64_t s, int a) {
  double reward = 0;
  WAL_TRY(ask_reward(game, h, s, a, &reward));
  return game->live->outcomes.function && h + 1 < game->horizon ? ask_outcomes(game, h, s, a)
                                                                : WAL_OK;
}

static wal_status try_stage(const custom *game, const wal_custom_clock *clock, trial *t, int h) {
  settle_trial(game, t, h);
  give_array(game, array_of(game, t, 0));
  for (int64_t s = 0; s < game->states; s++) {
    WAL_TRY(wal_custom_check_clock(game->ctx, clock));
    for (int a = 0; a < game->actions; a++) {
      wal_status status = try_pair(game, h, s, a);
      if (status == WAL_ENONFINITE && h > 0) {
        give_array(game, array_of(game, t, 1));
        status = try_pair(game, h, s, a);
        give_array(game, array_of(game, t, 0));
      }
      if (status != WAL_OK) return wal_fail(game->ctx, WAL_EINPUT, "%s", wal_ctx_error(game->ctx));
    }
  }
  return WAL_OK;
}

/* Finds the number of outcomes from the first call. */
static wal_status count_outcomes(custom *game, trial *t) {
  wal_custom_function *f = &game->live->outcomes;
  game->outcomes = 1;
  if (!f->function) return WAL_OK;
  settle_trial(game, t, 0);
  give_array(game, array_of(game, t, 0));
  WAL_TRY(wal_custom_ask(game->ctx, f, 0, 0, 0));
  game->outcomes = (int)f->call.count;
  wal_custom_expect(f, game->outcomes);
  return WAL_OK;
}

// ---- Creation ---------------------------------------------------------------------------------

static wal_status read_functions(wal_ctx *ctx, wal_params *params, custom *game) {
  const wal_custom_clock clock = {params, wal_clock()};
  wal_custom_function statistic = wal_custom_function_of(
      params, "statistic", 1, WAL_CUSTOM_MOST_STATISTICS, "1 to 4096 numbers");
  wal_custom_function moves =
      wal_custom_function_of(params, "moves", 1, INT32_MAX, "a list of {target, probability}");
  custom_live *live = game->live;
  trial t = {{NULL}, {NULL}};
  wal_status status = WAL_OK;
  live->reward = wal_custom_function_of(params, "reward", 1, 1, "a finite number");
  live->outcomes =
      wal_custom_function_of(params, "outcomes", 1, MOST_OUTCOMES, "1 to 256 probabilities");
  moves.call.argument_count = 4;
  moves.call.row = 2;
  moves.call.alone = true;
  WAL_TRY(
      wal_custom_check_calls(ctx, params, "reward", game->horizon, game->states, game->actions));
  if (statistic.function)
    WAL_TRY(wal_custom_statistic_tabulate(ctx, &clock, &statistic, &game->statistic));
  WAL_TRY_GOTO(make_trial(game, &t));
  WAL_TRY_GOTO(count_outcomes(game, &t));
  game->moves.outcomes = game->outcomes;
  WAL_TRY_GOTO(wal_custom_moves_tabulate(ctx, &clock, &moves, &game->moves));
  for (int h = 0; h < game->horizon; h++) WAL_TRY_GOTO(try_stage(game, &clock, &t, h));

cleanup:
  take_array(game);
  free_trial(ctx, &t);
  return status;
}

static wal_status create(wal_ctx *ctx, wal_params *params, wal_shape *shape, void **self) {
  const double *initial = NULL;
  int64_t states = wal_params_integer(params, "states");
  WAL_TRY(wal_params_distribution(ctx, params, "initial", states, &initial));
  shape->horizon = (int)wal_params_integer(params, "horizon");
  shape->states = states;
  shape->actions = (int)wal_params_integer(params, "actions");
  shape->varies = wal_params_flag(params, "varies");
  int kernels = wal_game_kernels(&(wal_game){.shape = *shape});
  custom *game = NULL;
  wal_status status = WAL_OK;
  WAL_TRY_GOTO(wal_acquire(ctx, "custom", 1, sizeof *game, &game));
  *game = (custom){
      .ctx = ctx,
      .horizon = shape->horizon,
      .actions = shape->actions,
      .states = states,
      .initial = initial,
      .moves = {.states = states,
                .actions = shape->actions,
                .kernels = kernels,
                .stages = shape->horizon - 1},
      .statistic = {.states = states, .actions = shape->actions, .horizon = shape->horizon}};
  WAL_TRY_GOTO(wal_acquire(ctx, "custom", 1, sizeof *game->live, &game->live));
  WAL_TRY_GOTO(read_functions(ctx, params, game));
  shape->outcomes = game->outcomes;
  shape->post_states = game->moves.post;
  shape->noise_terms = game->moves.terms;
  shape->statistic = game->statistic.numbers;
  shape->whole = game->statistic.numbers == 0;
  *self = game;
  return WAL_OK;

cleanup:
  if (game) destroy(ctx, game);
  return status;
}

// ---- Operations -------------------------------------------------------------------------------

static void initial_mass(const void *self, int64_t first, int64_t count, double *mass) {
  const custom *game = self;
  wal_game_start(game->initial, game->states, first, count, mass);
}

static int kernel_of(const custom *game, int stage) { return game->moves.kernels > 1 ? stage : 0; }

static void move(const void *self, int stage, int outcome, int action, int64_t first, int64_t count,
                 int64_t *post) {
  const custom *game = self;
  int64_t map = ((int64_t)kernel_of(game, stage) * game->outcomes + outcome) * game->actions;
  const int32_t *row = game->moves.row + (map + action) * game->states + first;
  for (int64_t i = 0; i < count; i++) post[i] = row[i];
}

static int row_length(const void *self, int stage, int64_t first, int64_t count) {
  const custom *game = self;
  return wal_custom_moves_length(&game->moves, kernel_of(game, stage), first, count);
}

static void noise(const void *self, int stage, int64_t first, int64_t count, int64_t *target,
                  double *weight) {
  const custom *game = self;
  wal_custom_moves_noise(&game->moves, kernel_of(game, stage), first, count, target, weight);
}

static void couple(const void *self, const wal_slab *slab, const double *mass, const double *policy,
                   double *statistic) {
  const custom *game = self;
  if (game->statistic.numbers > 0)
    wal_custom_statistic_add(&game->statistic, slab, mass, policy, statistic);
}

/* Notes a failed call. With numbers that are not finite among its arguments it is not to blame:
 * they come from another rank's failure, or the learner diverged and is told so by the engine. */
static void note(const custom *game, wal_status status) {
  custom_live *live = game->live;
  const wal_call *call = &live->reward.call;
  live->stopped = true;
  for (int64_t i = 0; i < call->array_count; i++)
    if (!isfinite(call->array[i])) return;
  wal_failure_hold(game->ctx, status, &live->failure);
}

static void stage(const void *self, const wal_slab *slab, const double *mass, const double *policy,
                  const double *statistic, double *reward, double *outcome) {
  (void)mass, (void)policy;
  const custom *game = self;
  custom_live *live = game->live;
  const int64_t pairs = game->actions * slab->stride;
  if (game->outcomes == 1) outcome = NULL;
  give_array(game, statistic);
  for (int a = 0; a < game->actions; a++)
    for (int64_t i = 0; i < slab->count; i++) {
      int64_t at = a * slab->stride + i;
      wal_status status = WAL_OK;
      if (reward && !live->stopped)
        status = ask_reward(game, slab->stage, slab->first + i, a, &reward[at]);
      if (outcome && !live->stopped && status == WAL_OK) {
        status = ask_outcomes(game, slab->stage, slab->first + i, a);
        for (int k = 0; status == WAL_OK && k < game->outcomes; k++)
          outcome[k * pairs + at] = live->outcomes.call.results[k];
      }
      if (status != WAL_OK) note(game, status);
      if (!live->stopped) continue;
      if (reward) reward[at] = NAN;
      for (int k = 0; outcome && k < game->outcomes; k++) outcome[k * pairs + at] = NAN;
    }
  take_array(game);
}

static wal_status failure(wal_ctx *ctx, const void *self) {
  custom_live *live = ((const custom *)self)->live;
  live->stopped = false;
  return wal_failure_raise(ctx, &live->failure);
}

const wal_game_type wal_game_custom = {
    .struct_size = sizeof(wal_game_type),
    .component = {.name = "custom",
                  .kind = "game",
                  .summary = "play a game of your own, written as functions in the scenario",
                  .source = "the scenario; see docs/scenarios.md",
                  .params = PARAMS},
    .create = create,
    .destroy = destroy,
    .initial = initial_mass,
    .move = move,
    .stage = stage,
    .noise = noise,
    .row_length = row_length,
    .couple = couple,
    .failure = failure};
