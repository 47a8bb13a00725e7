// SPDX-License-Identifier: GPL-3.0-or-later
#define _XOPEN_SOURCE 700

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/played.h"
#include "cli/report_file.h"
#include "cli/saving.h"
#include "cli/solve_file.h"
#include "cli/solve_plan.h"
#include "cli/solve_stop.h"
#include "cli/task.h"
#include "games/game_list.h"
#include "io/progress.h"
#include "io/run_file.h"
#include "sim/core/memory.h"

static const wal_param PARAMS[] = {
    {.name = "game",
     .type = WAL_COMPONENT,
     .required = true,
     .choices = "game",
     .meaning = "the mean-field game to solve"},
    {.name = "learner",
     .type = WAL_COMPONENT,
     .text = "mirror_descent",
     .choices = "learner",
     .meaning = "the learning rule that finds the equilibrium"},
    {.name = "stop", .type = WAL_RECORD, .record = &wal_solve_stop, .meaning = "when to end"},
    {.name = "store",
     .type = WAL_RECORD,
     .record = &wal_solve_store,
     .meaning = "what of the solution the run file has"},
    WAL_PLAYED_PARAMS,
    WAL_TASK_SEED_PARAM,
    {0}};

static wal_status make_game(wal_ctx *ctx, wal_params *params, wal_game *game) {
  wal_params *of_game = wal_params_child(params, "game");
  return wal_game_create(ctx, wal_game_of(of_game), of_game, game);
}

static wal_status check(wal_ctx *ctx, wal_params *params) {
  wal_game game = {0};
  WAL_TRY(wal_solve_stop_check(ctx, params));
  WAL_TRY(wal_played_check(ctx, params));
  wal_status status = make_game(ctx, params, &game);
  wal_game_destroy(ctx, &game);
  return status;
}

/* What wal_solve_plan() would find, for one run of a sweep. */
static wal_status estimate(wal_job *job, double *bytes, double *file) {
  wal_game game = {0};
  wal_space *space = NULL;
  wal_solve_cost cost = {0};
  wal_status status = wal_agree(job->ctx, make_game(job->ctx, job->params, &game));
  if (status == WAL_OK) status = wal_solve_plan_refuse(job, &game);
  if (status == WAL_OK) status = wal_space_create(job->ctx, &game, NULL, &space);
  if (status == WAL_OK) status = wal_solve_plan_measure(job, space, &cost);
  if (status == WAL_OK) status = wal_solve_plan_fits(job, &cost);
  *bytes = (double)cost.bytes + (double)cost.writing;
  *file = cost.file;
  wal_space_destroy(&space);
  wal_game_destroy(job->ctx, &game);
  return status;
}

/* What the solve leaves behind when its learner is gone. */
typedef struct outcome {
  wal_trace trace;
  wal_report report;
  char *played; /**< how agents who played it did, in lines; NULL: none have. Of malloc() */
  bool entropy; /**< the learner's exploitability has an entropic kind, too */
} outcome;

static void free_outcome(wal_ctx *ctx, outcome *o) {
  wal_trace_free(ctx, &o->trace);
  wal_report_free(ctx, &o->report);
  free(o->played);
}

/* Place of the task's game in the list of games. */
static int64_t game_index(const wal_params *params) {
  const char *name = wal_params_component(wal_params_child(params, "game"))->name;
  int64_t i = 0;
  while (i < wal_game_count() && wal_game_at(i) != wal_game_find(name)) i++;
  return i;
}

typedef struct watch {
  wal_job *job;
  wal_saving *saving;
  wal_learner *learner;
  wal_trace *trace;
  wal_progress progress;
  int64_t iterations;
  bool speaks;
} watch;

static void report_live(const watch *w, const wal_measure *now, double seconds) {
  const wal_live_row row = {.done = now->iteration,
                            .figure = now->exploitability,
                            .regularized = w->learner->entropy > 0 ? now->soft_exploitability : NAN,
                            .value = now->value,
                            .seconds = seconds};
  if (!w->job->derived) wal_live_report(w->job->live, &row);
}

static void watch_live(wal_job *job, int64_t from, int64_t total) {
  const wal_live_head head = {
      .game = wal_params_component(wal_params_child(job->params, "game"))->name,
      .learner = wal_params_component(wal_params_child(job->params, "learner"))->name,
      .noun = "iteration",
      .figure = "exploitability",
      .from = from,
      .total = total};
  wal_job_watch(job, &head);
}

static void report(void *user, const wal_trace *trace, bool measured) {
  watch *w = user;
  const wal_measure *now = &trace->rows[trace->count - 1];
  if (w->speaks && measured)
    wal_progress_report(&w->progress, now->iteration, w->iterations, "exploitability",
                        now->exploitability, trace->seconds[trace->count - 1]);
  if (measured) report_live(w, now, trace->seconds[trace->count - 1]);
  if (w->job->tick) w->job->tick(w->job->user);
}

double wal_exploitability_left(double first, double last, double regularized, double value) {
  static const double SMALL = 1e-3;
  const double left = fmin(last, regularized);  // of which NaN is no number
  return left > SMALL * fmax(first, fabs(value)) ? left / fmax(first, left) : 0;
}

/* What the figures mean for whoever reads no further. */
static void print_notes(const wal_trace *trace, bool entropy, const wal_stop *stop) {
  static const double SETTLED = 1e-3, ENTROPIC = 0.02;
  const wal_measure *first = &trace->rows[0], *last = &trace->rows[trace->count - 1];
  const double start = first->exploitability, plain = last->exploitability;
  const double soft = entropy ? last->soft_exploitability : plain;
  const double left = wal_exploitability_left(start, plain, soft, last->value);
  if (plain > start)
    printf("  note: exploitability grew; a smaller learner.rate may help\n");
  else if (trace->tolerance && !trace->converged && stop->regularized == 0 && soft < 0.1 * plain)
    printf(
        "  note: all but settled with the learner's entropy, of which stop.regularized is the "
        "tolerance\n");
  else if (!trace->tolerance && left > 0)
    printf(
        "  note: exploitability is still %.2g %% of the first; more iterations or another "
        "learner.rate may help\n",
        100 * left);
  else if (plain > ENTROPIC * start && soft < SETTLED * start)
    printf(
        "  note: settled, but far from an equilibrium without entropy; a smaller "
        "learner.entropy may help\n");
}

static void print_result(const wal_job *job, const outcome *result) {
  const wal_trace *trace = &result->trace;
  const wal_measure *first = &trace->rows[0], *last = &trace->rows[trace->count - 1];
  const wal_measure *best = &trace->rows[trace->best];
  const char *end = "all iterations done";
  if (trace->tolerance) end = trace->converged ? "converged" : "NOT converged";
  printf("%s, %s: %s\n", wal_params_component(wal_params_child(job->params, "game"))->name,
         wal_params_component(wal_params_child(job->params, "learner"))->name, end);
  printf("  iterations            %lld\n", (long long)last->iteration);
  printf("  exploitability first  %.6g\n", first->exploitability);
  printf("                 best   %.6g (iteration %lld)\n", best->exploitability,
         (long long)best->iteration);
  printf("                 last   %.6g\n", last->exploitability);
  if (result->entropy) printf("    with entropy last   %.6g\n", last->soft_exploitability);
  if (last->populations > 1) {
    printf("    by population last ");
    for (int p = 0; p < last->populations; p++) printf(" %.6g", last->exploitability_of[p]);
    printf("  (their sum is NashConv)\n");
  }
  printf("  value                 %.10g\n", last->value);
  wal_report_print(stdout, &result->report);
  if (result->played) fputs(result->played, stdout);
  printf("  seconds               %.3f\n", trace->seconds[trace->count - 1]);
  printf("  file                  %s\n", job->output);
  const wal_stop stop = wal_solve_stop_read(job->params);
  print_notes(trace, result->entropy, &stop);
}

static wal_status pause_solve(void *user, bool *stop) {
  watch *w = user;
  wal_state state = wal_state_start(w->job->ctx);
  wal_solve_declare(w->learner, w->trace, &state);
  return wal_saving_pause(w->saving, w->trace->next, &state, stop);
}

/* Where the solve goes on if it was stopped before. */
static wal_status restore(wal_job *job, wal_learner *learner, wal_trace *trace) {
  wal_state state = wal_state_start(job->ctx);
  bool restored = false;
  wal_solve_declare(learner, trace, &state);
  WAL_TRY(wal_saving_restore(job, &state, &restored));
  if (restored) wal_learner_restored(learner);
  return WAL_OK;
}

static wal_status learn(wal_job *job, wal_learner *learner, wal_trace *trace) {
  const wal_stop stop = wal_solve_stop_read(job->params);
  WAL_TRY(wal_saving_check(job, stop.iterations));
  WAL_TRY(restore(job, learner, trace));
  wal_saving saving = wal_saving_begin(job, trace->next);
  watch w = {.job = job,
             .saving = &saving,
             .learner = learner,
             .trace = trace,
             .iterations = stop.iterations,
             .speaks = wal_ctx_rank(job->ctx) == 0};
  const wal_solve_watch callbacks = {report, pause_solve, &w};
  w.progress = wal_progress_start(
      stderr, wal_progress_choose(stderr, job->options->quiet, job->options->json), "solve");
  watch_live(job, trace->next, stop.iterations);
  wal_status status = wal_solve(learner, &stop, &callbacks, trace);
  if (w.speaks && trace->count > 0)
    wal_progress_end(&w.progress, trace->rows[trace->count - 1].iteration, "exploitability",
                     trace->rows[trace->count - 1].exploitability,
                     trace->seconds[trace->count - 1]);
  if (status == WAL_ESTOPPED) status = wal_saving_stopped(&saving, trace->next);
  wal_saving_end(&saving);
  return status == WAL_OK ? wal_learner_check_finite(learner) : status;
}

/* Lets agents play what was found, and keeps what is to be said of that. */
static wal_status play(wal_job *job, const wal_learner *learner, wal_run_file *file,
                       outcome *result) {
  wal_played *played = NULL;
  size_t length;
  const wal_status status = wal_played_run(job, &learner->policy, NULL, file, &played);
  FILE *out = status == WAL_OK && played ? open_memstream(&result->played, &length) : NULL;
  if (out) {
    wal_played_print(played, out);
    fclose(out);
  }
  wal_played_destroy(&played);
  return status;
}

/* All but /run, which a single run's file has and that of a run in a sweep does not. */
static wal_status solve(wal_job *job, wal_run_file **file, outcome *result) {
  wal_game game = {0};
  wal_space *space = NULL;
  wal_learner *learner = NULL;
  wal_params *of_learner = wal_params_child(job->params, "learner");
  const wal_learner_type *type = wal_learner_find(wal_params_component(of_learner)->name);
  wal_status status = wal_agree(job->ctx, make_game(job->ctx, job->params, &game));
  if (status == WAL_OK) status = wal_solve_plan_refuse(job, &game);
  if (status == WAL_OK) status = wal_space_create(job->ctx, &game, NULL, &space);
  if (status == WAL_OK) status = wal_solve_plan(job, space);
  if (status == WAL_OK && !job->options->dry_run) {
    status = wal_learner_create(space, type, of_learner, &learner);
    if (status == WAL_OK) status = learn(job, learner, &result->trace);
    if (status == WAL_OK && !*file)
      status = wal_run_file_create(job->ctx, job->output, job->options->force, file);
    if (status == WAL_OK) {
      result->entropy = learner->entropy > 0;
      status = wal_report_create(space, &learner->flow, &learner->policy, &result->report);
      if (status == WAL_OK)
        status = wal_solve_file_write(*file, job, learner, &result->trace, &result->report);
      if (status == WAL_OK) status = play(job, learner, *file, result);
    }
  }
  wal_learner_destroy(&learner);
  wal_space_destroy(&space);
  wal_game_destroy(job->ctx, &game);
  return status;
}

static wal_status ending(const wal_trace *trace) {
  return trace->tolerance && !trace->converged ? WAL_ENOCONV : WAL_OK;
}

static wal_status work(wal_job *job, wal_run_file **file, wal_figures *figures) {
  outcome result = {0};
  wal_status status = solve(job, file, &result);
  const wal_trace *trace = &result.trace;
  if (status == WAL_OK) {
    const wal_measure *last = &trace->rows[trace->count - 1];
    *figures = (wal_figures){.iterations = last->iteration,
                             .first = trace->rows[0].exploitability,
                             .best = trace->rows[trace->best].exploitability,
                             .last = last->exploitability,
                             .regularized = result.entropy ? last->soft_exploitability : NAN,
                             .value = last->value,
                             .objective = NAN,
                             .converged = trace->converged,
                             .seconds = trace->seconds[trace->count - 1],
                             .game = game_index(job->params)};
    memcpy(figures->total, result.report.total, sizeof figures->total);
    status = ending(trace);
  }
  free_outcome(job->ctx, &result);
  return status;
}

static wal_status run(wal_job *job) {
  outcome result = {0};
  wal_run_file *file = NULL;
  const wal_trace *trace = &result.trace;
  wal_status status = solve(job, &file, &result);
  if (status == WAL_OK && file) status = wal_solve_file_write_run(file, job, trace);
  if (status == WAL_OK && file) {
    status = wal_run_file_commit(&file);
    if (status == WAL_OK && wal_ctx_rank(job->ctx) == 0) print_result(job, &result);
    if (status == WAL_OK) status = ending(trace);
  }
  wal_run_file_discard(&file);
  free_outcome(job->ctx, &result);
  return status;
}

const wal_task_type wal_task_solve = {
    .component = {.name = "solve",
                  .kind = "task",
                  .summary = "find an equilibrium of a mean-field game",
                  .source = "exploitability: Perrin et al. 2020, equation 2; with several "
                            "populations their sum (NashConv)",
                  .params = PARAMS},
    .check = check,
    .run = run,
    .estimate = estimate,
    .work = work,
};
