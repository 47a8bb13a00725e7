// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/catalogue.h"
#include "cli/design_check.h"
#include "cli/design_file.h"
#include "cli/design_parts.h"
#include "cli/design_restarts.h"
#include "cli/error.h"
#include "cli/played.h"
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

static const char *name_of(const wal_params *params, const char *part) {
  return wal_params_component(wal_params_child(params, part))->name;
}

// ---- The run ----------------------------------------------------------------------------------

typedef struct work {
  wal_job *job;
  wal_problem *problem;
  wal_design *design;
  wal_saving *saving;
  wal_progress progress;
  wal_design_ending ending;
  wal_design_marks marks;
  wal_report report;
  wal_played *played;
  bool solved; /* there is a finite solution at the best parameters, with its report */
  bool speaks;
} work;

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
  const wal_draws *draws = wal_problem_draws(problem);
  const double games = (double)(steps + 1) * (double)wal_problem_batch(problem) +
                       (double)wal_problem_held_out(problem);
  const double drawn = draws ? games * (double)draws->count : 0;
  // The game's report stands there for each of the rules compared, too.
  return number * solution + 8 * (2 * (double)wal_problem_count(problem) + 4 * z + drawn) +
         56 * (double)(steps + 1) + 0x1p16 + wal_design_restarts_bytes(job, steps);
}

/* A step has the learner's iterations forwards, and about twice that backwards. */
static wal_status measure_cost(wal_job *job, wal_problem *problem, wal_solve_cost *out) {
  enum { BACKWARDS = 3 };
  const wal_design_plan plan = wal_design_parts_plan(job->params);
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
  const int64_t sweeps = BACKWARDS * iterations * wal_problem_turns(problem);
  out->work = (double)sweeps * (double)shape->states * shape->actions * shape->horizon;
  out->traffic = (wal_traffic){.bytes = sweeps * learner.traffic.bytes,
                               .messages = sweeps * learner.traffic.messages,
                               .collectives = sweeps * learner.traffic.collectives};
  WAL_TRY(wal_played_plan(job, space->game, wal_params_child(job->params, "objective"), out));
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
  wal_status status =
      wal_design_parts_problem(job, wal_params_child(job->params, "game"), &problem);
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
  if (!w->job->derived) wal_live_report(w->job->live, &live);
  if (w->job->stepped) w->job->stepped(w->job->user, row->step);
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

/* What cannot be assessed costs no results: exploitability tells of a learner that diverges, NaN of
   what is not finite. */
static wal_status add_mark(work *w, wal_problem *problem, const char *name, const double *theta) {
  wal_design_mark *mark = &w->marks.row[w->marks.count++];
  mark->name = name;
  const wal_status status =
      wal_problem_assess(problem, theta, w->design->plan.iterations, &mark->found);
  w->solved = status == WAL_OK || status == WAL_ENOCONV;
  if (status == WAL_ENONFINITE) mark->found = (wal_assessment){NAN, NAN, NAN, NAN};
  if (w->solved) WAL_TRY(wal_design_mark_note(mark, wal_problem_learner(problem)));
  return w->solved || status == WAL_ENONFINITE ? WAL_OK : status;
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
  wal_status status = node ? WAL_OK : wal_fail(job->ctx, WAL_EINPUT, "not enough memory");
  if (status == WAL_OK && auction) {
    wal_node *first_price = wal_node_create(WAL_NODE_COMPONENT, 0);
    if (!first_price || !wal_node_set_text(first_price, "first_price", 11) ||
        !wal_node_set_field(node, "mechanism", first_price))
      status = wal_fail(job->ctx, WAL_EINPUT, "not enough memory");
  }
  if (status == WAL_OK && toll) wal_node_remove_field(node, "toll");
  if (status == WAL_OK)
    status = wal_params_resolve(job->ctx, wal_params_file(of_game), wal_params_component(of_game),
                                node, wal_catalogue_all(), &params);
  status = wal_agree(job->ctx, status);
  if (status == WAL_OK) status = wal_design_parts_problem(job, params, &usual);
  if (status == WAL_OK)
    status = add_mark(w, usual, auction ? "first price" : "no toll", wal_problem_start(usual));
  wal_problem_destroy(&usual);
  wal_params_destroy(&params);
  wal_node_destroy(node);
  return status;
}

static wal_status compare(work *w) {
  if (!w->job->derived || w->job->whole) WAL_TRY(compare_usual(w));
  WAL_TRY(add_mark(w, w->problem, "start", wal_problem_start(w->problem)));
  WAL_TRY(add_mark(w, w->problem, "best design", w->design->best_theta));
  if (!w->solved) return WAL_OK;
  const wal_learner *learner = wal_problem_learner(w->problem);
  return wal_report_create(learner->space, &learner->flow, &learner->policy, &w->report);
}

/* Whether the best design has more exploitability than was asked for: the population has not
   answered it yet. A design that ended early tells of that in its place. */
static bool is_unsettled(const work *w) {
  const double asked = w->design->plan.settled;
  if (asked == 0 || w->ending.status != WAL_OK) return false;
  return !(w->marks.row[w->marks.count - 1].found.exploitability <= asked);
}

/* Of a search that has found nothing; the usual rules are only there beside start and best. */
static void print_hint(const work *w, FILE *out) {
  const wal_design *d = w->design;
  const wal_design_mark *usual = &w->marks.row[0], *best = &w->marks.row[w->marks.count - 1];
  const bool tried = d->row_count > 1 && d->best >= 0 && w->ending.status == WAL_OK;
  const bool start = tried && d->rows[d->best].step == 0;
  const bool compared = tried && w->marks.count > 2;
  if (!start && !(compared && best->found.objective <= usual->found.objective)) return;
  fprintf(out, "  note: no step%s was better than %s; another %slearner.rate may help\n",
          d->plan.settled > 0 ? " that has settled" : "", start ? "the start" : usual->name,
          d->plan.method->moves ? "" : "optimizer.rate or ");
}

/* What the figures mean for whoever reads no further. */
static void print_notes(const work *w, FILE *out) {
  if (is_unsettled(w))
    fprintf(out,
            "  note: the population has not settled: exploitability with entropy %.3g, asked for "
            "%.3g\n",
            w->marks.row[w->marks.count - 1].found.exploitability, w->design->plan.settled);
  print_hint(w, out);
}

/* All but seconds and the name of the file. */
static void print_result(const work *w, FILE *out) {
  const wal_params *params = w->job->params;
  const wal_design *d = w->design;
  const wal_design_row *last = &d->rows[d->row_count - 1];
  fprintf(out, "%s, %s by %s: %lld steps over %lld parameters", name_of(params, "game"),
          name_of(params, "objective"), name_of(params, "method"), (long long)last->step,
          (long long)d->count);
  if (wal_problem_draws(w->problem))
    fprintf(out, ", %lld game%s a step, judged in %lld others",
            (long long)wal_problem_batch(w->problem), wal_problem_batch(w->problem) == 1 ? "" : "s",
            (long long)wal_problem_held_out(w->problem));
  if (is_unsettled(w)) fprintf(out, ", NOT converged");
  fprintf(out, "\n  %-22s  %12s  %14s  %14s\n", "", "objective", "exploitability", "with entropy");
  for (int i = 0; i < w->marks.count; i++) {
    const wal_design_mark *mark = &w->marks.row[i];
    char name[64];
    if (i + 1 == w->marks.count && d->best >= 0)
      snprintf(name, sizeof name, "%s (step %lld)", mark->name, (long long)d->rows[d->best].step);
    else
      snprintf(name, sizeof name, "%s", mark->name);
    fprintf(out, "  %-22s  %12.6g  %14.3g  %14.3g\n", name, mark->found.objective,
            mark->found.plain_exploitability, mark->found.exploitability);
  }
  print_notes(w, out);
  if (w->solved && w->report.form && wal_problem_draws(w->problem))
    fprintf(out, "  of the first of the %lld others alone:\n",
            (long long)wal_problem_held_out(w->problem));
  if (w->solved) wal_report_print(out, &w->report);
  wal_played_print(w->played, out);
}

/* What was found before a design had to end is kept, if there is anything: the status is WAL_OK
   then. Of a run of a sweep it is kept if the run does not count as failed. */
static wal_status note_ending(work *w, wal_status status) {
  const bool ended = status == WAL_ENOCONV || (status == WAL_ENONFINITE && !w->job->derived);
  if (!ended || w->design->row_count == 0) return status;
  w->ending.status = status;
  snprintf(w->ending.reason, sizeof w->ending.reason, "%s", wal_ctx_error(w->job->ctx));
  return WAL_OK;
}

/* Tells why it ended. That a run has not converged is else known from what it prints. */
static wal_status tell_ending(const work *w) {
  char line[sizeof w->ending.reason + 16];
  if (w->ending.status == WAL_OK) return is_unsettled(w) ? WAL_ENOCONV : WAL_OK;
  snprintf(line, sizeof line, "walras: %s", w->ending.reason);
  if (w->speaks && w->ending.status == WAL_ENOCONV)
    wal_error_print(w->job->options->json, WAL_ENOCONV,
                    w->job->options->json ? w->ending.reason : line);
  return wal_fail(w->job->ctx, w->ending.status, "%s", w->ending.reason);
}

/* All but /run. */
static wal_status do_design(work *w, wal_run_file **file) {
  wal_job *job = w->job;
  const wal_design_plan plan = wal_design_parts_plan(job->params);
  w->speaks = wal_ctx_rank(job->ctx) == 0;
  WAL_TRY(wal_design_parts_problem(job, wal_params_child(job->params, "game"), &w->problem));
  WAL_TRY(plan_run(job, w->problem));
  if (job->options->dry_run) return WAL_OK;
  WAL_TRY(wal_design_create(w->problem, &plan, &w->design));
  WAL_TRY(note_ending(w, take_steps(w)));
  WAL_TRY(compare(w));
  if (!*file) WAL_TRY(wal_run_file_create(job->ctx, job->output, job->options->force, file));
  WAL_TRY(wal_design_file_write(*file, job, w->design, &w->ending, &w->marks,
                                w->solved ? &w->report : NULL));
  if (!w->solved) return WAL_OK;
  return wal_played_run(job, &wal_problem_learner(w->problem)->policy,
                        wal_params_child(job->params, "objective"), *file, &w->played);
}

static void free_work(work *w) {
  wal_played_destroy(&w->played);
  wal_design_marks_free(w->job->ctx, &w->marks);
  wal_report_free(w->job->ctx, &w->report);
  wal_design_destroy(&w->design);
  wal_problem_destroy(&w->problem);
}

static wal_status run(wal_job *job) {
  if (wal_design_restarts_wanted(job->params)) return wal_design_restarts_run(job);
  work w = {.job = job};
  wal_run_file *file = NULL;
  wal_status status = do_design(&w, &file);
  if (status == WAL_OK && file) {
    status = wal_design_file_write_run(file, job, w.design);
    if (status == WAL_OK) status = wal_run_file_commit(&file);
    if (status == WAL_OK && w.speaks) {
      print_result(&w, stdout);
      printf("  seconds               %.3f\n", w.design->rows[w.design->row_count - 1].seconds);
      printf("  file                  %s\n", job->output);
    }
    if (status == WAL_OK) status = tell_ending(&w);
  }
  wal_run_file_discard(&file);
  free_work(&w);
  return status;
}

/* Place of the task's game in the list of games. */
static int64_t game_index(const wal_params *params) {
  int64_t i = 0;
  while (i < wal_game_count() && wal_game_at(i) != wal_game_find(name_of(params, "game"))) i++;
  return i;
}

/* One of a sweep's designs, or a restart: exploitabilities are those of the start and the best. */
static wal_status work_of_sweep(wal_job *job, wal_run_file **file, wal_figures *figures) {
  work w = {.job = job};
  wal_status status = do_design(&w, file);
  if (status == WAL_OK && job->whole) status = wal_design_file_write_run(*file, job, w.design);
  if (status == WAL_OK) {
    const wal_design_row *last = &w.design->rows[w.design->row_count - 1];
    const wal_assessment *start = &w.marks.row[w.marks.count - 2].found;
    const wal_assessment *best = &w.marks.row[w.marks.count - 1].found;
    *figures = (wal_figures){
        .iterations = last->step,
        .first = start->plain_exploitability,
        .best = best->plain_exploitability,
        .last = best->plain_exploitability,
        .regularized = best->exploitability,
        .value = NAN,
        .objective = best->objective,
        .best_step = w.design->best < 0 ? -1 : w.design->rows[w.design->best].step,
        .unsettled = is_unsettled(&w),
        .converged = w.design->plan.settled > 0 && w.ending.status == WAL_OK && !is_unsettled(&w),
        .seconds = last->seconds,
        .game = game_index(job->params)};
    for (int c = 0; c < WAL_REPORT_COLUMNS; c++)
      figures->total[c] = w.solved ? w.report.total[c] : NAN;
    if (w.speaks && job->said) print_result(&w, job->said);
    if (is_unsettled(&w) && !job->whole) status = WAL_ENOCONV;  // a restart is ranked by it
  }
  if (status == WAL_OK && w.ending.status != WAL_OK)
    status = wal_fail(job->ctx, w.ending.status, "%s", w.ending.reason);
  free_work(&w);
  return status;
}

const wal_task_type wal_task_design = {
    .component = {.name = "design",
                  .kind = "task",
                  .summary = "find the rules under which a population does what a designer wants",
                  .source = "Corecco et al. 2025, Scalable Neural Incentive Design with "
                            "Parameterized Mean-Field Approximation",
                  .params = wal_design_params},
    .check = wal_design_parts_check,
    .run = run,
    .check_gradients = wal_design_check_gradients,
    .estimate = estimate,
    .work = work_of_sweep,
};
