// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/sweep_plan.h"

#include <stdio.h>

#include "cli/machine.h"
#include "cli/sweep_execute.h"

typedef struct needs {
  double memory, file; /* bytes, of the run that takes most */
  double files;        /* bytes of all runs */
  int64_t refused;     /* runs that do not fit */
  int64_t first;       /* of them; if there is none, the number of runs */
} needs;

static wal_status estimate_run(wal_job *job, const wal_sweep *sweep, wal_ctx *group, int64_t run,
                               needs *out) {
  const wal_task_type *type = NULL;
  wal_params *params = NULL;
  wal_status status = wal_agree(group, wal_sweep_resolve(group, sweep, run, &type, &params));
  if (status == WAL_OK) {
    wal_options options = *job->options;
    options.dry_run = false;  // what a single run would print is not wanted
    wal_job one = *job;
    one.ctx = group;
    one.options = &options;
    one.params = params;
    one.derived = true;
    one.recorded = sweep->keeps;
    one.whole = sweep->restarts ? job->params : NULL;
    wal_ctx_set_seed(group, (uint64_t)wal_params_integer(params, "seed"));
    status = type->estimate(&one, &out->memory, &out->file);
  }
  wal_params_destroy(&params);
  if (status != WAL_OK) wal_fail(job->ctx, status, "%s", wal_ctx_error(group));
  return status;
}

/* The most memory of a run, and the sum of what they write; every group looks at its share. Runs
 * that do not fit are counted apart, since a sweep carries on without them. */
static wal_status estimate_all(wal_job *job, const wal_sweep *sweep, int groups, int own,
                               needs *out) {
  wal_ctx *group = NULL;
  WAL_TRY(wal_ctx_split(job->ctx, own, &group));
  const bool leads = wal_ctx_rank(group) == 0;
  int64_t least = 0;         // of -memory; in bytes, which doubles hold exactly up to 2^53
  int64_t shortest = 0;      // of -file
  int64_t sums[2] = {0, 0};  // of bytes of the file, of runs that do not fit
  int64_t first = sweep->count;
  wal_status status = WAL_OK;
  for (int64_t run = own; run < sweep->count && status == WAL_OK; run += groups) {
    needs one = {0};
    status = estimate_run(job, sweep, group, run, &one);
    if (status == WAL_EINPUT) {
      status = WAL_OK;
      if (leads) sums[1]++;
      if (run < first) first = run;
      continue;
    }
    if (-one.memory < (double)least && one.memory < 0x1p62) least = -(int64_t)one.memory;
    if (-one.file < (double)shortest && one.file < 0x1p62) shortest = -(int64_t)one.file;
    if (leads && one.file < 0x1p62 / WAL_SWEEP_RUNS) sums[0] += (int64_t)one.file;
  }
  wal_ctx_destroy(&group);
  WAL_TRY_ALL(job->ctx, status);
  WAL_TRY(wal_ctx_least_integer(job->ctx, &least));
  WAL_TRY(wal_ctx_least_integer(job->ctx, &shortest));
  WAL_TRY(wal_ctx_least_integer(job->ctx, &first));
  WAL_TRY(wal_ctx_sum_integers(job->ctx, 2, sums));
  *out = (needs){.memory = -(double)least,
                 .file = -(double)shortest,
                 .files = (double)sums[0],
                 .refused = sums[1],
                 .first = first};
  return WAL_OK;
}

static void say_what_fails(const wal_sweep *sweep, const needs *all) {
  const bool one = all->refused == 1;
  wal_text text = {0};
  wal_sweep_run_text(&text, sweep, all->first);
  printf("%lld %s%s not fit into memory and will fail: %s%s %lld", (long long)all->refused,
         sweep->noun, one ? " does" : "s do", one ? "" : "the first is ", sweep->noun,
         (long long)all->first);
  if (text.length > 0) printf(" (%s)", text.bytes);
  printf("\n");
  wal_text_free(&text);
}

wal_status wal_sweep_plan_print(wal_job *job, const wal_sweep *sweep) {
  int own = 0;
  const int groups = wal_sweep_groups(job->ctx, sweep->count, sweep->ranks_per_run, &own);
  needs all = {0};
  WAL_TRY(estimate_all(job, sweep, groups, own, &all));
  char memory[32], file[32];
  if (wal_ctx_rank(job->ctx) == 0) {
    printf("%lld %ss, %d at once", (long long)sweep->count, sweep->noun, groups);
    if (all.refused < sweep->count) {
      printf(": a %s takes at most about %s of memory a rank", sweep->noun,
             wal_size_text(all.memory, memory, sizeof memory));
      if (sweep->keeps)
        printf("; the file has at most about %s",
               wal_size_text(sweep->restarts ? all.file : all.files, file, sizeof file));
    }
    printf("\n");
    if (all.refused > 0) say_what_fails(sweep, &all);
  }
  return WAL_OK;
}
