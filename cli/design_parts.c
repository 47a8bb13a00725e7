// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/design_parts.h"

#include <math.h>
#include <string.h>

#include "cli/design_restarts.h"
#include "cli/played.h"
#include "cli/solve_file.h"
#include "games/game_list.h"

static const wal_param EVALUATE_PARAMS[] = {
    {.name = "iterations",
     .type = WAL_INTEGER,
     .number = 500,
     .low = 0,
     .high = 1e9,
     .meaning = "steps of the learner, after which the design is judged"},
    {.name = "every",
     .type = WAL_INTEGER,
     .number = 10,
     .low = 0,
     .high = 1e9,
     .unit = "steps",
     .meaning = "judge every so many steps of the design, and the last; 0: never"},
    {.name = "exploitability",
     .type = WAL_REAL,
     .number = 0,
     .low = 0,
     .high = HUGE_VAL,
     .meaning = "prefer designs that have at most this, with entropy, when judged (0: any)"},
    {.name = "draws",
     .type = WAL_INTEGER,
     .optional = true,
     .low = 1,
     .high = 1e6,
     .meaning = "with draw: how many games are drawn once for all to judge in; 8 if left out"},
    {0}};

static const wal_component EVALUATE = {
    .name = "evaluate",
    .kind = "record",
    .summary = "how a design is judged on the way; the best one is kept",
    .params = EVALUATE_PARAMS};

const wal_param wal_design_params[] = {
    {.name = "game",
     .type = WAL_COMPONENT,
     .required = true,
     .choices = "game",
     .meaning = "the game whose toll, or whose mechanism, is designed"},
    {.name = "objective",
     .type = WAL_COMPONENT,
     .required = true,
     .choices = "objective",
     .named = true,
     .meaning = "what the designer wants more of"},
    {.name = "learner",
     .type = WAL_COMPONENT,
     .text = "mirror_descent",
     .choices = "response",
     .meaning = "how the population answers a design"},
    {.name = "method",
     .type = WAL_COMPONENT,
     .text = "amid",
     .choices = "method",
     .named = true,
     .meaning = "how the next design is found"},
    {.name = "optimizer",
     .type = WAL_COMPONENT,
     .text = "adam",
     .choices = "optimizer",
     .named = true,
     .meaning = "how a gradient becomes a step; methods without gradients (anneal) do not use it"},
    {.name = "steps",
     .type = WAL_INTEGER,
     .number = 300,
     .low = 0,
     .high = 1e9,
     .meaning = "steps of the design"},
    {.name = "draw",
     .type = WAL_ANY,
     .optional = true,
     .choices = "a table of ranges",
     .meaning = "numbers of the game that every step draws anew, as { goods = {0.6, 1.2} }, with "
                "all that the game draws itself; {}: only that"},
    {.name = "batch",
     .type = WAL_INTEGER,
     .number = 1,
     .low = 1,
     .high = 1e6,
     .meaning = "with draw: how many games every step draws and averages over"},
    {.name = "seconds",
     .type = WAL_REAL,
     .number = 0,
     .low = 0,
     .high = HUGE_VAL,
     .unit = "s",
     .meaning = "end with the first step after so long; results then depend on the machine (0: no "
                "limit)"},
    {.name = "evaluate",
     .type = WAL_RECORD,
     .record = &EVALUATE,
     .meaning = "how designs are judged on the way"},
    {.name = "store",
     .type = WAL_RECORD,
     .record = &wal_solve_store,
     .meaning = "what of the solution at the best design the run file has"},
    WAL_PLAYED_PARAMS,
    WAL_DESIGN_RESTARTS_PARAMS,
    WAL_TASK_SEED_PARAM,
    {0}};

static const char *name_of(const wal_params *params, const char *part) {
  return wal_params_component(wal_params_child(params, part))->name;
}

static const wal_game_type *game_of(const wal_params *params) {
  return wal_game_of(wal_params_child(params, "game"));
}

enum { HELD_OUT = 8 };

static int64_t held_out(const wal_params *evaluate) {
  return wal_params_given(evaluate, "draws") ? wal_params_integer(evaluate, "draws") : HELD_OUT;
}

/* What is said of draws, which must be there for it. */
static wal_status check_draws(wal_ctx *ctx, wal_params *params) {
  wal_params *evaluate = wal_params_child(params, "evaluate");
  const bool drawn = wal_params_given(params, "draw");
  wal_draws *draws = NULL;
  if (!drawn && wal_params_integer(params, "batch") > 1)
    return wal_params_fail(ctx, params, "batch",
                           "expected 1 without draw, all games being the same, got %lld; draw = {} "
                           "draws what the game has from the seed",
                           (long long)wal_params_integer(params, "batch"));
  if (!drawn && wal_params_given(evaluate, "draws"))
    return wal_params_fail(ctx, evaluate, "draws", "expected none without draw, got %lld",
                           (long long)wal_params_integer(evaluate, "draws"));
  if (!drawn) return WAL_OK;
  wal_params_fill_integer(evaluate, "draws", held_out(evaluate));
  wal_params *game = wal_params_child(params, "game");
  WAL_TRY(wal_draws_create(ctx, params, "draw", game, false, &draws));
  const wal_status status = wal_draws_check(ctx, draws, params, "draw", game_of(params), game);
  wal_draws_destroy(ctx, &draws);
  return status;
}

/* Beside a toll nothing else is designed. */
static void warn_of_toll(wal_ctx *ctx, const wal_params *of_game, const wal_game *game) {
  wal_parameters own = {0};
  if (game->toll.count > 0 && game->type->parameters) game->type->parameters(game->self, &own);
  if (own.count > 0)
    wal_params_warn(ctx, of_game, "toll",
                    "only the toll is designed: the mechanism, with its %lld parameters, stays as "
                    "it starts",
                    (long long)own.count);
}

wal_status wal_design_parts_check(wal_ctx *ctx, wal_params *params) {
  wal_game game = {0};
  wal_response response;
  wal_parameters theta;
  WAL_TRY(wal_response_read(ctx, wal_params_child(params, "learner"), &response));
  WAL_TRY(wal_design_restarts_check(ctx, params));
  WAL_TRY(wal_played_check(ctx, params));
  if (wal_played_wanted(params) && wal_params_given(params, "draw"))
    return wal_params_fail(ctx, params, "agents",
                           "expected none with draw: there are many games then, and not one to "
                           "play; simulate{policy = from{file = }} plays a game of your choice");
  wal_params *of_game = wal_params_child(params, "game");
  wal_status status = wal_game_create(ctx, game_of(params), of_game, &game);
  if (status == WAL_OK) {
    wal_game_parameters(&game, &theta);
    if (theta.count == 0)
      status = wal_params_fail(
          ctx, of_game, NULL, "there is nothing to design: expected toll = toll{}%s",
          game.type->parameters ? ", or an auction with mechanism = neural{} or static{}; reserves "
                                  "and prices are not designed, but can be swept"
                                : "");
    else
      warn_of_toll(ctx, of_game, &game);
  }
  if (status == WAL_OK)
    status = wal_objective_check(ctx, &game, wal_objective_find(name_of(params, "objective")),
                                 wal_params_child(params, "objective"));
  if (status == WAL_OK)
    status = wal_method_check(ctx, wal_method_find(name_of(params, "method")),
                              wal_params_child(params, "method"), &game);
  wal_game_destroy(ctx, &game);
  if (status == WAL_OK) status = check_draws(ctx, params);
  return status;
}

wal_design_plan wal_design_parts_plan(const wal_params *params) {
  const wal_params *evaluate = wal_params_child(params, "evaluate");
  return (wal_design_plan){.method = wal_method_find(name_of(params, "method")),
                           .method_params = wal_params_child(params, "method"),
                           .optimizer = wal_optimizer_find(name_of(params, "optimizer")),
                           .optimizer_params = wal_params_child(params, "optimizer"),
                           .steps = wal_params_integer(params, "steps"),
                           .seconds = wal_params_real(params, "seconds"),
                           .every = wal_params_integer(evaluate, "every"),
                           .iterations = wal_params_integer(evaluate, "iterations"),
                           .settled = wal_params_real(evaluate, "exploitability")};
}

wal_status wal_design_parts_problem(const wal_job *job, wal_params *of_game, wal_problem **out) {
  const wal_params *params = job->params;
  const bool other = of_game != wal_params_child(params, "game");
  wal_problem_parts parts = {.game = game_of(params),
                             .game_params = of_game,
                             .objective = wal_objective_find(name_of(params, "objective")),
                             .objective_params = wal_params_child(params, "objective")};
  WAL_TRY(wal_response_read(job->ctx, wal_params_child(params, "learner"), &parts.response));
  if (wal_params_given(params, "draw")) {
    parts.batch = wal_params_integer(params, "batch");
    parts.held_out = held_out(wal_params_child(params, "evaluate"));
    WAL_TRY_ALL(job->ctx, wal_draws_create(job->ctx, params, "draw", of_game, other, &parts.draws));
  }
  return wal_problem_create(job->ctx, &parts, out);
}
