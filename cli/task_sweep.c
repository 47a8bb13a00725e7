// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdio.h>

#include "cli/run_parts.h"
#include "cli/sweep_plan.h"
#include "cli/sweep_ranking.h"
#include "cli/sweep_report.h"
#include "cli/task.h"
#include "io/run_file.h"
#include "sim/core/memory.h"

static const wal_param PARAMS[] = {
    {.name = "base",
     .type = WAL_ANY,
     .optional = true,
     .choices = "a task",
     .meaning = "the task that every run starts from"},
    {.name = "vary",
     .type = WAL_ANY,
     .optional = true,
     .choices = "a table of lists",
     .meaning = "values by path: every combination is a run, as { [\"game.states\"] = {10, 20} }"},
    {.name = "runs",
     .type = WAL_ANY,
     .optional = true,
     .choices = "a list of tasks",
     .meaning = "the runs one by one, instead of base and vary"},
    {.name = "seeds",
     .type = WAL_INTEGER,
     .number = 1,
     .low = 1,
     .high = WAL_SWEEP_RUNS,
     .meaning = "every run with so many seeds: its own, and those that follow"},
    {.name = "seed",
     .type = WAL_INTEGER,
     .optional = true,
     .low = 0,
     .high = 0x1p53,
     .meaning = "first seed of all runs (left out: that of the task)"},
    {.name = "ranks_per_run",
     .type = WAL_INTEGER,
     .number = 0,
     .low = 0,
     .high = 0x1p31,
     .meaning = "least number of ranks that do a run together (0: as few as keep all busy)"},
    {.name = "keep",
     .type = WAL_TEXT,
     .text = "all",
     .choices = "all|summary",
     .meaning = "what the run file keeps: all of every run, or the table alone"},
    {0}};

static wal_status check(wal_ctx *ctx, wal_params *params) {
  wal_sweep sweep;
  WAL_TRY_ALL(ctx, wal_sweep_open(ctx, params, &sweep));
  return wal_sweep_check(ctx, &sweep);
}

// ---- The sweep --------------------------------------------------------------------------------

/* What rank 0 alone has: it writes the file while the others work. */
typedef struct writer {
  wal_ctx *alone;
  wal_run_file *file;
  wal_sweep_row *rows;
  wal_sweep_columns columns;
} writer;

/* Puts a failure in the writer's own context where the others can read it. */
static wal_status tell(const wal_job *job, const writer *w, wal_status status) {
  if (status == WAL_OK || !w->alone) return status;
  return wal_fail(job->ctx, status, "%s", wal_ctx_error(w->alone));
}

static wal_status open_file(wal_job *job, const wal_sweep *sweep, writer *w) {
  wal_ctx *ctx = job->ctx;
  if (wal_ctx_create(MPI_COMM_SELF, wal_ctx_seed(ctx), &w->alone) != WAL_OK)
    return wal_fail(ctx, WAL_EINTERNAL, "a context of one rank could not be made");
  wal_job_tell_end(job, w->alone);
  WAL_TRY(wal_acquire(ctx, "rows of the runs", sweep->count, sizeof *w->rows, &w->rows));
  wal_status status = wal_sweep_columns_create(w->alone, sweep, &w->columns);
  if (status == WAL_OK)
    status = wal_run_file_create(w->alone, job->output, job->options->force, &w->file);
  if (status == WAL_OK) status = wal_run_write_scenario(w->file, job);
  if (status == WAL_OK && sweep->keeps) status = wal_run_file_group(w->file, "/runs");
  return tell(job, w, status);
}

static wal_status close_file(const wal_job *job, const wal_sweep *sweep, int groups, writer *w) {
  wal_status status = wal_sweep_write_summary(w->file, w->alone, &w->columns, w->rows);
  if (status == WAL_OK)
    status = wal_sweep_write_run(w->file, w->alone, job, w->rows, sweep->count, groups);
  if (status == WAL_OK) status = wal_run_file_commit(&w->file);
  return tell(job, w, status);
}

static wal_status print_result(const wal_job *job, const wal_sweep *sweep, const writer *w) {
  int64_t failed = 0, open = 0;
  for (int64_t i = 0; i < sweep->count; i++) {
    open += w->rows[i].status == WAL_ENOCONV && !w->rows[i].error;
    failed += w->rows[i].error != NULL;
  }
  WAL_TRY(tell(job, w, wal_sweep_print(w->alone, stdout, &w->columns, w->rows)));
  WAL_TRY(tell(job, w, wal_sweep_print_settings(w->alone, stdout, sweep, w->rows)));
  printf("%lld run%s", (long long)sweep->count, sweep->count == 1 ? "" : "s");
  if (failed > 0) printf(", %lld failed", (long long)failed);
  if (open > 0) printf(", %lld NOT converged", (long long)open);
  printf("; file %s\n", job->output);
  return failed + open > 0 ? WAL_ENOCONV : WAL_OK;
}

static void free_writer(const wal_job *job, const wal_sweep *sweep, writer *w) {
  wal_run_file_discard(&w->file);
  for (int64_t i = 0; w->rows && i < sweep->count; i++) wal_release(job->ctx, &w->rows[i].error);
  wal_release(job->ctx, &w->rows);
  if (w->alone) wal_sweep_columns_free(w->alone, &w->columns);
  wal_ctx_destroy(&w->alone);
}

/* The file's seed is that of run 0. */
static wal_status take_seed(wal_job *job, const wal_sweep *sweep) {
  const wal_task_type *type = NULL;
  wal_params *params = NULL;
  WAL_TRY(wal_sweep_resolve(job->ctx, sweep, 0, &type, &params));
  wal_ctx_set_seed(job->ctx, (uint64_t)wal_params_integer(params, "seed"));
  wal_params_destroy(&params);
  return WAL_OK;
}

static wal_status run(wal_job *job) {
  wal_sweep sweep;
  wal_status status = wal_sweep_open(job->ctx, job->params, &sweep);
  if (status == WAL_OK) status = take_seed(job, &sweep);
  WAL_TRY_ALL(job->ctx, status);
  if (job->options->dry_run) return wal_sweep_plan_print(job, &sweep);
  const bool first = wal_ctx_rank(job->ctx) == 0;
  int own = 0;
  const int groups = wal_sweep_groups(job->ctx, sweep.count, sweep.ranks_per_run, &own);
  writer w = {0};
  if (first) status = open_file(job, &sweep, &w);
  status = wal_agree(job->ctx, status);
  if (status == WAL_OK) status = wal_sweep_execute(job, &sweep, w.file, w.alone, NULL, w.rows);
  if (status == WAL_OK && first) status = close_file(job, &sweep, groups, &w);
  if (status == WAL_OK && first) status = print_result(job, &sweep, &w);
  free_writer(job, &sweep, &w);
  return wal_agree(job->ctx, status);
}

const wal_task_type wal_task_sweep = {
    .component = {.name = "sweep",
                  .kind = "task",
                  .summary = "many runs of a task, spread over the ranks, and a table of them",
                  .source = "docs/scenarios.md",
                  .params = PARAMS},
    .check = check,
    .run = run,
};
