// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/catalogue.h"
#include "cli/design_file.h"
#include "cli/report_file.h"
#include "cli/saving.h"
#include "cli/solve_file.h"
#include "cli/solve_plan.h"
#include "cli/task.h"
#include "games/game_list.h"
#include "incentives/design/design.h"
#include "incentives/design/gradient_check.h"
#include "io/progress.h"
#include "sim/learn/learner.h"

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
    {0}};

static const wal_component EVALUATE = {
    .name = "evaluate",
    .kind = "record",
    .summary = "how a design is judged on the way; the best one is kept",
    .params = EVALUATE_PARAMS};

static const wal_param PARAMS[] = {
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
     .meaning = "what makes a step out of a direction; methods that move by themselves need none"},
    {.name = "steps",
     .type = WAL_INTEGER,
     .number = 300,
     .low = 0,
     .high = 1e9,
     .meaning = "steps of the design"},
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
    WAL_TASK_SEED_PARAM,
    {0}};

static const char *name_of(const wal_params *params, const char *part) {
  return wal_params_component(wal_params_child(params, part))->name;
}

static const wal_game_type *game_of(const wal_params *params) {
  return wal_game_find(name_of(params, "game"));
}

static wal_status check(wal_ctx *ctx, wal_params *params) {
  wal_game game = {0};
  wal_response response;
  wal_parameters theta;
  WAL_TRY(wal_response_read(ctx, wal_params_child(params, "learner"), &response));
  wal_params *of_game = wal_params_child(params, "game");
  wal_status status = wal_game_create(ctx, game_of(params), of_game, &game);
  if (status == WAL_OK) {
    wal_game_parameters(&game, &theta);
    if (theta.count == 0)
      status = wal_params_fail(ctx, of_game, NULL,
                               "there is nothing to design: expected toll = toll{}%s",
                               game.type->parameters ? " or a mechanism with parameters" : "");
  }
  wal_game_destroy(ctx, &game);
  return status;
}

// ---- The run ----------------------------------------------------------------------------------

typedef struct work {
  wal_job *job;
  wal_problem *problem;
  wal_design *design;
  wal_saving *saving;
  wal_progress progress;
  wal_design_marks marks;
  wal_report report;
  bool speaks;
} work;

static wal_design_plan read_plan(const wal_params *params) {
  const wal_params *evaluate = wal_params_child(params, "evaluate");
  return (wal_design_plan){.method = wal_method_find(name_of(params, "method")),
                           .method_params = wal_params_child(params, "method"),
                           .optimizer = wal_optimizer_find(name_of(params, "optimizer")),
                           .optimizer_params = wal_params_child(params, "optimizer"),
                           .steps = wal_params_integer(params, "steps"),
                           .seconds = wal_params_real(params, "seconds"),
                           .every = wal_params_integer(evaluate, "every"),
                           .iterations = wal_params_integer(evaluate, "iterations")};
}

static wal_status create_problem(const wal_job *job, wal_params *of_game, wal_problem **out) {
  const wal_params *params = job->params;
  wal_problem_parts parts = {.game = game_of(params),
                             .game_params = of_game,
                             .objective = wal_objective_find(name_of(params, "objective")),
                             .objective_params = wal_params_child(params, "objective")};
  WAL_TRY(wal_response_read(job->ctx, wal_params_child(params, "learner"), &parts.response));
  return wal_problem_create(job->ctx, &parts, out);
}

/* Bytes of the run file: arrays of the solution and of the parameters; all else is small. */
static double file_bytes(const wal_job *job, const wal_problem *problem, int64_t steps) {
  const wal_shape *shape = &wal_problem_game(problem)->shape;
  const wal_params *store = wal_params_child(job->params, "store");
  const double states = (double)shape->states * shape->horizon;
  const double number = strcmp(wal_params_text(store, "precision"), "single") == 0 ? 4 : 8;
  const double solution =
      states * ((wal_params_flag(store, "policy") ? shape->actions : 0) +
                wal_params_flag(store, "mean_field") + wal_params_flag(store, "value"));
  const double z = (double)wal_game_statistics(wal_problem_game(problem)) * shape->horizon;
  return number * solution + 8 * (2 * (double)wal_problem_count(problem) + z) +
         56 * (double)(steps + 1) + 0x1p16;
}

/* A step has the learner's iterations forwards, and about twice that backwards. */
static wal_status measure_cost(wal_job *job, wal_problem *problem, wal_solve_cost *out) {
  enum { BACKWARDS = 3 };
  const wal_design_plan plan = read_plan(job->params);
  const wal_space *space = wal_problem_space(problem);
  const wal_shape *shape = &space->game->shape;
  const int64_t iterations = wal_problem_response(problem)->iterations;
  wal_learner_cost learner;
  *out = (wal_solve_cost){.file = file_bytes(job, problem, plan.steps)};
  WAL_TRY(wal_design_cost(problem, &plan, &out->bytes));
  WAL_TRY(wal_problem_plan(problem, &learner));
  out->bytes += wal_ctx_memory(job->ctx);
  const int64_t so_far = wal_ctx_peak_memory(job->ctx);
  if (out->bytes < so_far) out->bytes = so_far;
  int64_t negative = -out->bytes;
  WAL_TRY(wal_ctx_least_integer(job->ctx, &negative));
  out->bytes = -negative;
  const int64_t sweeps = BACKWARDS * iterations;
  out->work = (double)sweeps * (double)shape->states * shape->actions * shape->horizon;
  out->traffic = (wal_traffic){.bytes = sweeps * learner.traffic.bytes,
                               .messages = sweeps * learner.traffic.messages,
                               .collectives = sweeps * learner.traffic.collectives};
  return wal_solve_plan_writing(job, space, out->file, &out->writing);
}

static wal_status plan_run(wal_job *job, wal_problem *problem) {
  wal_solve_cost cost;
  WAL_TRY(measure_cost(job, problem, &cost));
  if (job->options->dry_run && wal_ctx_rank(job->ctx) == 0)
    wal_solve_plan_print(job, wal_problem_game(problem), &cost, "step", false);
  WAL_TRY(wal_solve_plan_fits(job, &cost));
  if (job->derived || job->options->dry_run) return WAL_OK;
  return wal_run_file_space(job->ctx, job->output, cost.file);
}

static wal_status estimate(wal_job *job, double *bytes, double *file) {
  wal_problem *problem = NULL;
  wal_solve_cost cost = {0};
  wal_status status = create_problem(job, wal_params_child(job->params, "game"), &problem);
  if (status == WAL_OK) status = measure_cost(job, problem, &cost);
  if (status == WAL_OK) status = wal_solve_plan_fits(job, &cost);
  *bytes = (double)cost.bytes + (double)cost.writing;
  *file = cost.file;
  wal_problem_destroy(&problem);
  return status;
}

static void report(void *user, const wal_design *d) {
  work *w = user;
  const wal_design_row *row = &d->rows[d->row_count - 1];
  const wal_live_row live = {.done = row->step,
                             .figure = row->objective,
                             .regularized = row->exploitability,
                             .value = row->assessed,
                             .seconds = row->seconds};
  if (w->speaks)
    wal_progress_report(&w->progress, row->step, d->plan.steps, "objective", row->objective,
                        row->seconds);
  wal_live_report(w->job->live, &live);
  if (w->job->tick) w->job->tick(w->job->user);
}

static wal_status pause_design(void *user, bool *stop) {
  work *w = user;
  wal_state state = wal_state_start(w->job->ctx);
  wal_design_declare(w->design, &state);
  return wal_saving_pause(w->saving, w->design->step, &state, stop);
}

static wal_status restore(wal_job *job, wal_design *design) {
  wal_state state = wal_state_start(job->ctx);
  bool restored = false;
  wal_design_declare(design, &state);
  return wal_saving_restore(job, &state, &restored);
}

static wal_status take_steps(work *w) {
  wal_job *job = w->job;
  const wal_design *d = w->design;
  WAL_TRY(wal_saving_check(job, d->plan.steps));
  WAL_TRY(restore(job, w->design));
  wal_saving saving = wal_saving_begin(job, d->step);
  w->saving = &saving;
  w->progress = wal_progress_start(
      stderr, wal_progress_choose(stderr, job->options->quiet, job->options->json), "design");
  w->progress.noun = "step";
  wal_job_watch(job, &(wal_live_head){.game = name_of(job->params, "game"),
                                      .learner = name_of(job->params, "method"),
                                      .noun = "step",
                                      .figure = "objective",
                                      .from = d->step,
                                      .total = d->plan.steps});
  const wal_design_watch watch = {report, pause_design, w};
  wal_status status = wal_design_run(w->design, &watch);
  if (w->speaks && d->row_count > 0)
    wal_progress_end(&w->progress, d->rows[d->row_count - 1].step, "objective",
                     d->rows[d->row_count - 1].objective, d->rows[d->row_count - 1].seconds);
  if (status == WAL_ESTOPPED) status = wal_saving_stopped(&saving, d->step);
  wal_saving_end(&saving);
  return status;
}

// ---- What it is compared with -----------------------------------------------------------------

static wal_status add_mark(work *w, wal_problem *problem, const char *name, const double *theta) {
  wal_design_mark *mark = &w->marks.row[w->marks.count++];
  mark->name = name;
  const wal_status status =
      wal_problem_assess(problem, theta, w->design->plan.iterations, &mark->found);
  if (status == WAL_ENOCONV) return WAL_OK;  // its exploitability says so
  return status;
}

/* The same game under the usual rules: a first-price auction, or no toll. */
static wal_status compare_usual(work *w) {
  wal_job *job = w->job;
  const wal_params *of_game = wal_params_child(job->params, "game");
  const wal_node *root = wal_scenario_root(job->scenario);
  const bool toll = wal_problem_game(w->problem)->toll.count > 0;
  const bool auction = !toll && strcmp(name_of(job->params, "game"), "batched_auction") == 0;
  wal_node *node = wal_node_copy(wal_node_field(root, "game"));
  wal_params *params = NULL;
  wal_problem *usual = NULL;
  wal_status status = node ? WAL_OK : wal_fail(job->ctx, WAL_EINPUT, "the memory does not suffice");
  if (status == WAL_OK && auction) {
    wal_node *first_price = wal_node_create(WAL_NODE_COMPONENT, 0);
    if (!first_price || !wal_node_set_text(first_price, "first_price", 11) ||
        !wal_node_set_field(node, "mechanism", first_price))
      status = wal_fail(job->ctx, WAL_EINPUT, "the memory does not suffice");
  }
  if (status == WAL_OK && toll) wal_node_remove_field(node, "toll");
  if (status == WAL_OK)
    status = wal_params_resolve(job->ctx, wal_params_file(of_game), wal_params_component(of_game),
                                node, wal_catalogue_all(), &params);
  status = wal_agree(job->ctx, status);
  if (status == WAL_OK) status = create_problem(job, params, &usual);
  if (status == WAL_OK)
    status = add_mark(w, usual, auction ? "first price" : "no toll", wal_problem_start(usual));
  wal_problem_destroy(&usual);
  wal_params_destroy(&params);
  wal_node_destroy(node);
  return status;
}

static wal_status compare(work *w) {
  if (!w->job->derived) WAL_TRY(compare_usual(w));
  WAL_TRY(add_mark(w, w->problem, "start", wal_problem_start(w->problem)));
  WAL_TRY(add_mark(w, w->problem, "best design", w->design->best_theta));
  const wal_learner *learner = wal_problem_learner(w->problem);
  return wal_report_create(learner->space, &learner->flow, &learner->policy, &w->report);
}

static void print_result(const work *w) {
  const wal_params *params = w->job->params;
  const wal_design *d = w->design;
  const wal_design_row *last = &d->rows[d->row_count - 1];
  printf("%s, %s by %s: %lld steps over %lld parameters\n", name_of(params, "game"),
         name_of(params, "objective"), name_of(params, "method"), (long long)last->step,
         (long long)d->count);
  printf("  %-22s  %12s  %14s  %14s\n", "", "objective", "exploitability", "with entropy");
  for (int i = 0; i < w->marks.count; i++) {
    const wal_design_mark *mark = &w->marks.row[i];
    char name[64];
    if (i + 1 == w->marks.count && d->best >= 0)
      snprintf(name, sizeof name, "%s (step %lld)", mark->name, (long long)d->rows[d->best].step);
    else
      snprintf(name, sizeof name, "%s", mark->name);
    printf("  %-22s  %12.6g  %14.3g  %14.3g\n", name, mark->found.objective,
           mark->found.plain_exploitability, mark->found.exploitability);
  }
  wal_report_print(stdout, &w->report);
  printf("  seconds               %.3f\n", last->seconds);
  printf("  file                  %s\n", w->job->output);
}

/* All but /run. */
static wal_status do_design(work *w, wal_run_file **file) {
  wal_job *job = w->job;
  const wal_design_plan plan = read_plan(job->params);
  w->speaks = wal_ctx_rank(job->ctx) == 0;
  WAL_TRY(create_problem(job, wal_params_child(job->params, "game"), &w->problem));
  WAL_TRY(plan_run(job, w->problem));
  if (job->options->dry_run) return WAL_OK;
  WAL_TRY(wal_design_create(w->problem, &plan, &w->design));
  WAL_TRY(take_steps(w));
  WAL_TRY(compare(w));
  if (!*file) WAL_TRY(wal_run_file_create(job->ctx, job->output, job->options->force, file));
  return wal_design_file_write(*file, job, w->design, &w->marks, &w->report);
}

static void free_work(work *w) {
  wal_report_free(w->job->ctx, &w->report);
  wal_design_destroy(&w->design);
  wal_problem_destroy(&w->problem);
}

static wal_status run(wal_job *job) {
  work w = {.job = job};
  wal_run_file *file = NULL;
  wal_status status = do_design(&w, &file);
  if (status == WAL_OK && file) {
    status = wal_design_file_write_run(file, job, w.design);
    if (status == WAL_OK) status = wal_run_file_commit(&file);
    if (status == WAL_OK && w.speaks) print_result(&w);
  }
  wal_run_file_discard(&file);
  free_work(&w);
  return status;
}

/* Place of the task's game in the list of games. */
static int64_t game_index(const wal_params *params) {
  int64_t i = 0;
  while (i < wal_game_count() && wal_game_at(i) != game_of(params)) i++;
  return i;
}

/* One of a sweep's designs: its value is the objective of the best one, and exploitabilities are
   those of the start and the best. */
static wal_status work_of_sweep(wal_job *job, wal_run_file **file, wal_figures *figures) {
  work w = {.job = job};
  const wal_status status = do_design(&w, file);
  if (status == WAL_OK) {
    const wal_design_row *last = &w.design->rows[w.design->row_count - 1];
    const wal_assessment *start = &w.marks.row[w.marks.count - 2].found;
    const wal_assessment *best = &w.marks.row[w.marks.count - 1].found;
    *figures = (wal_figures){.iterations = last->step,
                             .first = start->plain_exploitability,
                             .best = best->plain_exploitability,
                             .last = best->plain_exploitability,
                             .regularized = best->exploitability,
                             .value = best->objective,
                             .seconds = last->seconds,
                             .game = game_index(job->params)};
    memcpy(figures->total, w.report.total, sizeof figures->total);
  }
  free_work(&w);
  return status;
}

/* What rounding, and kinks that a step crosses, may leave. */
static const double GRADIENT_TOLERANCE = 1e-5;

/* Components that are given by name only get a node of their own. */
static bool be_precise(const wal_params *of_game, wal_node *game) {
  wal_node *old = wal_node_field(game, "mechanism");
  wal_node *precision = wal_node_create(WAL_NODE_TEXT, old ? old->line : 0);
  if (!precision || !wal_node_set_text(precision, "double", 6)) return false;
  if (old && old->kind == WAL_NODE_COMPONENT)
    return wal_node_set_field(old, "precision", precision);
  const char *name = name_of(of_game, "mechanism");
  wal_node *made = wal_node_create(WAL_NODE_COMPONENT, 0);
  return made && wal_node_set_text(made, name, strlen(name)) &&
         wal_node_set_field(made, "precision", precision) &&
         wal_node_set_field(game, "mechanism", made);
}

/* Whether the game's mechanism computes in single precision. */
static bool is_single(const wal_job *job) {
  const wal_params *of_game = wal_params_child(job->params, "game");
  return strcmp(name_of(job->params, "game"), "batched_auction") == 0 &&
         strcmp(name_of(of_game, "mechanism"), "neural") == 0 &&
         strcmp(wal_params_text(wal_params_child(of_game, "mechanism"), "precision"), "single") ==
             0;
}

/* The same problem, all of it in double precision; `params` hold its game's. */
static wal_status create_precise(const wal_job *job, wal_params **params, wal_problem **out) {
  const wal_params *of_game = wal_params_child(job->params, "game");
  wal_node *node = wal_node_copy(wal_node_field(wal_scenario_root(job->scenario), "game"));
  wal_status status =
      node && be_precise(of_game, node)
          ? wal_params_resolve(job->ctx, wal_params_file(of_game), wal_params_component(of_game),
                               node, wal_catalogue_all(), params)
          : wal_fail(job->ctx, WAL_EINPUT, "the memory does not suffice");
  status = wal_agree(job->ctx, status);
  if (status == WAL_OK) status = create_problem(job, *params, out);
  wal_node_destroy(node);
  return status;
}

/* Values that differences are taken of are in double precision, also where gradients are not. */
static wal_status compare_with_differences(const wal_job *job, wal_problem *problem,
                                           int64_t directions, wal_gradient_check *found) {
  const wal_design_plan plan = read_plan(job->params);
  wal_params *params = NULL;
  wal_problem *precise = NULL;
  wal_method *method = NULL, *reference = NULL;
  wal_status status = wal_method_create(problem, plan.method, plan.method_params, 0, &method);
  if (status == WAL_OK && is_single(job)) {
    status = create_precise(job, &params, &precise);
    if (status == WAL_OK)
      status = wal_method_create(precise, plan.method, plan.method_params, 0, &reference);
  }
  if (status == WAL_OK)
    status = wal_gradient_check_run(method, reference ? reference : method,
                                    wal_problem_start(problem), directions, found);
  wal_method_destroy(&reference);
  wal_method_destroy(&method);
  wal_problem_destroy(&precise);
  wal_params_destroy(&params);
  return status;
}

static wal_status check_gradients(wal_job *job, int64_t directions) {
  wal_problem *problem = NULL;
  wal_gradient_check found;
  wal_status status = create_problem(job, wal_params_child(job->params, "game"), &problem);
  if (status == WAL_OK) status = compare_with_differences(job, problem, directions, &found);
  if (status == WAL_OK && wal_ctx_rank(job->ctx) == 0)
    printf(
        "gradient over %lld parameters, of length %.6g: largest relative error %.2g in %lld "
        "directions (step %g)\n",
        (long long)wal_problem_count(problem), found.norm, found.error, (long long)directions,
        found.step);
  if (status == WAL_OK && !(found.error <= GRADIENT_TOLERANCE))
    status = wal_fail(job->ctx, WAL_EINTERNAL,
                      "the gradient differs from central differences by %.2g, more than %g",
                      found.error, GRADIENT_TOLERANCE);
  wal_problem_destroy(&problem);
  return status;
}

const wal_task_type wal_task_design = {
    .component = {.name = "design",
                  .kind = "task",
                  .summary = "find the rules under which a population does what a designer wants",
                  .source = "Corecco et al. 2025, Scalable Neural Incentive Design with "
                            "Parameterized Mean-Field Approximation",
                  .params = PARAMS},
    .check = check,
    .run = run,
    .check_gradients = check_gradients,
    .estimate = estimate,
    .work = work_of_sweep,
};
