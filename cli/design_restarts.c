// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/design_restarts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/design_file.h"
#include "cli/error.h"
#include "cli/run_parts.h"
#include "cli/sweep_plan.h"
#include "cli/sweep_ranking.h"
#include "sim/core/memory.h"

enum { SHOWN = 20, ERROR_SHOWN = 100 };
static const int64_t MOST_SEED = (int64_t)1 << 53;

bool wal_design_restarts_wanted(const wal_params *params) {
  return wal_params_integer(params, "restarts") > 1;
}

wal_status wal_design_restarts_check(wal_ctx *ctx, const wal_params *params) {
  const int64_t restarts = wal_params_integer(params, "restarts");
  const int64_t seed = wal_params_integer(params, "seed");
  if (seed > MOST_SEED - (restarts - 1))
    return wal_params_fail(ctx, params, "restarts",
                           "expected seeds up to 2^53, got %lld of them from %lld on",
                           (long long)restarts, (long long)seed);
  return WAL_OK;
}

double wal_design_restarts_bytes(const wal_job *job, int64_t steps) {
  enum { COLUMNS = 7, OVERHEAD = 8192 };
  if (!job->whole) return 0;
  const double restarts = (double)wal_params_integer(job->whole, "restarts");
  return restarts * (8 * COLUMNS * (double)(steps + 1) + OVERHEAD);
}

// ---- The games --------------------------------------------------------------------------------

/* Names of components that are drawn with the task's seed, other than where a design starts. */
static void note_drawn(void *user, const char *name, const wal_component *component, bool record) {
  const char **drawn = user;
  (void)name;
  if (record) return;
  if (strcmp(component->name, "dirichlet") == 0 || strcmp(component->name, "random_linear") == 0)
    *drawn = component->name;
}

static void warn_of_other_games(const wal_job *job) {
  const char *drawn = NULL;
  const wal_params_visitor visitor = {.user = &drawn, .open = note_drawn};
  wal_params_visit(wal_params_child(job->params, "game"), &visitor);
  if (drawn)
    wal_params_warn(job->ctx, job->params, "restarts",
                    "%s{} is drawn with the seed, so that the restarts are of different games, and "
                    "the best of them is that of the best game",
                    drawn);
}

// ---- The file, of rank 0 alone ----------------------------------------------------------------

typedef struct work {
  wal_job *job;
  wal_sweep sweep;
  wal_ctx *alone;
  wal_run_file *file;
  wal_run_file *seconds; /* of all steps: recorded, to be in /run when that is there */
  wal_sweep_row *rows;
  wal_sweep_ranking ranking;
  char *best; /* what the best restart so far has recorded */
  int64_t best_length;
  wal_figures best_figures;
} work;

/* Puts a failure in the writer's own context where the others can read it. */
static wal_status tell(const work *w, wal_status status) {
  if (status == WAL_OK || !w->alone) return status;
  return wal_fail(w->job->ctx, status, "%s", wal_ctx_error(w->alone));
}

static wal_status open_file(work *w) {
  wal_ctx *ctx = w->job->ctx;
  if (wal_ctx_create(MPI_COMM_SELF, wal_ctx_seed(ctx), &w->alone) != WAL_OK)
    return wal_fail(ctx, WAL_EINTERNAL, "a context of one rank could not be made");
  wal_job_tell_end(w->job, w->alone);
  WAL_TRY(wal_acquire(ctx, "rows of the restarts", w->sweep.count, sizeof *w->rows, &w->rows));
  wal_status status =
      wal_run_file_create(w->alone, w->job->output, w->job->options->force, &w->file);
  if (status == WAL_OK) status = wal_run_file_group(w->file, "/restarts");
  if (status == WAL_OK) status = wal_run_file_record(w->alone, &w->seconds);
  if (status == WAL_OK) status = wal_run_file_group(w->seconds, "/run");
  return tell(w, status);
}

/* Writes the trace, and remembers all of the best restart so far. */
static wal_status take(void *user, int64_t restart, const wal_sweep_row *row) {
  work *w = user;
  const char *recorded = row->packet + row->recorded_at;
  char group[48];
  snprintf(group, sizeof group, "/restarts/run_%06lld", (long long)restart);
  WAL_TRY(wal_run_file_replay_part(w->file, "/design", group, wal_design_file_is_trace, recorded,
                                   row->recorded));
  snprintf(group, sizeof group, "/run/run_%06lld", (long long)restart);
  WAL_TRY(wal_run_file_replay_part(w->seconds, "/run", group, NULL, recorded, row->recorded));
  if (!wal_sweep_is_better(&row->figures, &w->best_figures)) return WAL_OK;
  wal_release(w->alone, &w->best);
  WAL_TRY(wal_acquire(w->alone, "the best restart", row->recorded, 1, &w->best));
  memcpy(w->best, recorded, (size_t)row->recorded);
  w->best_length = row->recorded;
  w->best_figures = row->figures;
  return WAL_OK;
}

static bool is_below_run(const char *path) { return strcmp(path, "/run") != 0; }

static wal_dataset column(const char *path, const char *units, const char *long_name,
                          int64_t restarts) {
  return (wal_dataset){.path = path,
                       .units = units,
                       .long_name = long_name,
                       .rank = 1,
                       .extent = {restarts},
                       .scale = {"/restarts/restart"}};
}

static wal_status write_integers(const work *w, int64_t *room) {
  static const struct {
    const char *path, *long_name;
  } COLUMNS[] = {
      {"/restarts/seed", "seed of all random draws"},
      {"/restarts/rank", "1 for the largest objective; 0 if the restart failed"},
      {"/restarts/status", "0 done, else the exit status that the design alone would have"},
      {"/restarts/best_step", "step of the best parameters; -1 if the restart failed"},
      {"/restarts/steps", "steps of the design taken; -1 if the restart failed"},
  };
  const int64_t n = w->sweep.count;
  for (size_t k = 0; k < sizeof COLUMNS / sizeof *COLUMNS; k++) {
    for (int64_t i = 0; i < n; i++) {
      const wal_sweep_row *row = &w->rows[i];
      const bool open = row->status == WAL_OK && row->figures.unsettled;
      const int64_t numbers[] = {row->seed, w->ranking.rank[i],
                                 wal_status_exit(open ? WAL_ENOCONV : row->status),
                                 row->figures.best_step, row->figures.iterations};
      room[i] = numbers[k];
    }
    const wal_dataset d = column(COLUMNS[k].path, "1", COLUMNS[k].long_name, n);
    WAL_TRY(wal_run_file_integers(w->file, &d, room));
  }
  return WAL_OK;
}

static wal_status write_reals(const work *w, double *room) {
  static const struct {
    const char *path, *units, *long_name;
  } COLUMNS[] = {
      {"/restarts/objective", "objective", "objective of the best parameters, in the assessment"},
      {"/restarts/exploitability", "reward", "exploitability there, with the learner's entropy"},
      {"/restarts/plain_exploitability", "reward", "exploitability there, without it"},
      {"/run/restart_seconds", "s", "seconds that the restart took"},
  };
  const int64_t n = w->sweep.count;
  for (size_t k = 0; k < sizeof COLUMNS / sizeof *COLUMNS; k++) {
    for (int64_t i = 0; i < n; i++) {
      const wal_figures *f = &w->rows[i].figures;
      const double numbers[] = {f->objective, f->regularized, f->last, f->seconds};
      room[i] = numbers[k];
    }
    const wal_dataset d = column(COLUMNS[k].path, COLUMNS[k].units, COLUMNS[k].long_name, n);
    WAL_TRY(wal_run_file_reals(w->file, &d, room));
  }
  return WAL_OK;
}

static wal_status write_table(const work *w) {
  const int64_t n = w->sweep.count;
  double *reals = NULL;
  int64_t *integers = NULL;
  const char **errors = NULL;
  wal_status status = WAL_OK;
  WAL_TRY_GOTO(wal_acquire(w->alone, "a table", n, sizeof *reals, &reals));
  WAL_TRY_GOTO(wal_acquire(w->alone, "a table", n, sizeof *integers, &integers));
  WAL_TRY_GOTO(wal_acquire(w->alone, "a table", n, sizeof *errors, &errors));
  WAL_TRY_GOTO(wal_run_file_attribute_integer(w->file, "/restarts", "best", w->ranking.order[0]));
  WAL_TRY_GOTO(
      wal_run_write_index(w->file, w->alone, "/restarts/restart", "number of the restart", n));
  WAL_TRY_GOTO(write_integers(w, integers));
  WAL_TRY_GOTO(write_reals(w, reals));
  for (int64_t i = 0; i < n; i++) errors[i] = w->rows[i].error ? w->rows[i].error : "";
  const wal_dataset d = column("/restarts/error", "1", "why the restart failed, else empty", n);
  status = wal_run_file_texts(w->file, &d, errors);
cleanup:
  wal_release(w->alone, &reals);
  wal_release(w->alone, &integers);
  wal_release(w->alone, &errors);
  return status;
}

static wal_status close_file(work *w, int groups) {
  const wal_job *job = w->job;
  const void *seconds = NULL;
  int64_t length = 0;
  wal_status status = wal_run_file_replay(w->file, "/", w->best, w->best_length);
  if (status == WAL_OK) status = wal_run_file_recorded(w->seconds, &seconds, &length);
  if (status == WAL_OK)
    status = wal_run_file_replay_part(w->file, "/run", "/run", is_below_run, seconds, length);
  if (status == WAL_OK) status = write_table(w);
  if (status == WAL_OK) status = wal_run_write_facts(w->file, job, wal_ctx_peak_memory(job->ctx));
  if (status == WAL_OK) status = wal_run_file_attribute_integer(w->file, "/run", "groups", groups);
  if (status == WAL_OK) status = wal_run_file_commit(&w->file);
  return tell(w, status);
}

// ---- The result -------------------------------------------------------------------------------

static void print_row(const work *w, int64_t restart) {
  const wal_sweep_row *row = &w->rows[restart];
  const wal_figures *f = &row->figures;
  if (w->ranking.rank[restart] == 0) {
    printf("  %6s  %7lld  %8lld  failed: %.*s%s\n", "-", (long long)restart, (long long)row->seed,
           ERROR_SHOWN, row->error ? row->error : "",
           row->error && strlen(row->error) > ERROR_SHOWN ? "..." : "");
    return;
  }
  printf("  %6lld  %7lld  %8lld  %12.6g  %14.3g  %14.3g  %9lld  %7lld  %9.3f\n",
         (long long)w->ranking.rank[restart], (long long)restart, (long long)row->seed,
         f->objective, f->last, f->regularized, (long long)f->best_step, (long long)f->iterations,
         f->seconds);
}

static void print_result(const work *w) {
  const int64_t n = w->sweep.count;
  const int64_t failed = n - w->ranking.count;
  printf("%lld restarts", (long long)n);
  if (failed > 0) printf(", %lld failed", (long long)failed);
  printf("\n  %6s  %7s  %8s  %12s  %14s  %14s  %9s  %7s  %9s\n", "rank", "restart", "seed",
         "objective", "exploitability", "with entropy", "best step", "steps", "seconds");
  for (int64_t i = 0; i < n && i < SHOWN; i++) print_row(w, w->ranking.order[i]);
  if (n > SHOWN) printf("  %6s  (%lld more are in the file)\n", "...", (long long)(n - SHOWN));
  const int64_t best = w->ranking.order[0];
  printf("restart %lld, the best: %s", (long long)best,
         w->rows[best].said ? w->rows[best].said : "\n");
  printf("  seconds               %.3f\n", wal_clock() - w->job->started);
  printf("  file                  %s\n", w->job->output);
}

/* Restarts of which nothing is drawn only cost time. */
static void warn_of_equal_restarts(const work *w) {
  const wal_sweep_ranking *r = &w->ranking;
  const double most = w->rows[r->order[0]].figures.objective;
  const double least = w->rows[r->order[r->count - 1]].figures.objective;
  if (r->count > 1 && most == least)
    wal_params_warn(w->job->ctx, w->job->params, "restarts",
                    "all came to the same: nothing in this design seems to be drawn");
}

/* Without any good restart there is nothing to write. */
static wal_status rank_restarts(work *w) {
  const wal_sweep_row *first = &w->rows[0];
  wal_ctx *ctx = w->job->ctx;
  char line[1200];
  WAL_TRY(wal_sweep_rank(ctx, w->rows, w->sweep.count, &w->ranking));
  if (w->ranking.count > 0) {
    warn_of_equal_restarts(w);
    return WAL_OK;
  }
  const wal_status status = first->status == WAL_OK ? WAL_ENONFINITE : first->status;
  snprintf(line, sizeof line, "walras: %s (all %lld restarts failed)",
           first->error ? first->error : "the objective is not a number",
           (long long)w->sweep.count);
  // That something has not converged is else known from what it prints.
  const char *text = line + strlen("walras: ");
  const bool json = w->job->options->json;
  if (status == WAL_ENOCONV) wal_error_print(json, status, json ? text : line);
  return wal_fail(ctx, status, "%s", text);
}

// ---- The whole --------------------------------------------------------------------------------

/* The restarts as the runs of a sweep, whose base is the task without them. */
static wal_status describe(wal_job *job, wal_node **base, wal_sweep *out) {
  const wal_params *params = job->params;
  const int64_t restarts = wal_params_integer(params, "restarts");
  *base = wal_node_copy(wal_scenario_root(job->scenario));
  if (!*base) return wal_fail(job->ctx, WAL_EINPUT, "not enough memory");
  wal_node_remove_field(*base, "restarts");
  wal_node_remove_field(*base, "ranks_per_restart");
  *out = (wal_sweep){.params = params,
                     .base = *base,
                     .settings = 1,
                     .seeds = restarts,
                     .count = restarts,
                     .ranks_per_run = wal_params_integer(params, "ranks_per_restart"),
                     .keeps = true,
                     .restarts = true,
                     .noun = "restart"};
  return WAL_OK;
}

static void free_work(work *w) {
  wal_ctx *ctx = w->job->ctx;
  wal_run_file_discard(&w->file);
  wal_run_file_discard(&w->seconds);
  for (int64_t i = 0; w->rows && i < w->sweep.count; i++) {
    wal_release(ctx, &w->rows[i].error);
    wal_release(ctx, &w->rows[i].said);
  }
  wal_sweep_ranking_free(ctx, &w->ranking);
  wal_release(ctx, &w->rows);
  if (w->alone) wal_release(w->alone, &w->best);
  wal_ctx_destroy(&w->alone);
}

static wal_status do_restarts(work *w) {
  wal_job *job = w->job;
  const bool first = wal_ctx_rank(job->ctx) == 0;
  const wal_sweep_taker taker = {take, w};
  int own = 0;
  const int groups = wal_sweep_groups(job->ctx, w->sweep.count, w->sweep.ranks_per_run, &own);
  wal_status status = first ? open_file(w) : WAL_OK;
  WAL_TRY_ALL(job->ctx, status);
  WAL_TRY(wal_sweep_execute(job, &w->sweep, w->file, w->alone, &taker, w->rows));
  if (first) status = rank_restarts(w);
  if (first && status == WAL_OK) status = close_file(w, groups);
  if (first && status == WAL_OK) {
    print_result(w);
    if (w->best_figures.unsettled) status = WAL_ENOCONV;
  }
  return wal_agree(job->ctx, status);
}

wal_status wal_design_restarts_run(wal_job *job) {
  work w = {.job = job, .best_figures = {.objective = NAN}};
  wal_node *base = NULL;
  wal_status status = wal_agree(job->ctx, describe(job, &base, &w.sweep));
  if (status == WAL_OK) {
    warn_of_other_games(job);
    status = job->options->dry_run ? wal_sweep_plan_print(job, &w.sweep) : do_restarts(&w);
  }
  free_work(&w);
  wal_node_destroy(base);
  return status;
}
