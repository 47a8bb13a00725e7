// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/task.h"

#include "io/checkpoint.h"

#include <string.h>

extern const wal_task_type wal_task_design, wal_task_simulate, wal_task_solve, wal_task_steer,
    wal_task_sweep, wal_task_transfer;

static const wal_task_type *const TASKS[] = {&wal_task_solve,    &wal_task_design,
                                             &wal_task_simulate, &wal_task_steer,
                                             &wal_task_transfer, &wal_task_sweep};

int64_t wal_task_count(void) { return (int64_t)(sizeof TASKS / sizeof TASKS[0]); }

const wal_task_type *wal_task_at(int64_t index) { return TASKS[index]; }

const wal_task_type *wal_task_find(const char *name) {
  for (int64_t i = 0; i < wal_task_count(); i++)
    if (strcmp(TASKS[i]->component.name, name) == 0) return TASKS[i];
  return NULL;
}

const char *wal_job_source(const wal_job *job) {
  return job->source ? job->source : wal_scenario_source(job->scenario);
}

const char *wal_job_scenario_file(const wal_job *job) {
  return job->scenario_file ? job->scenario_file : wal_scenario_name(job->scenario);
}

void wal_job_watch(wal_job *job, const wal_live_head *head) {
  if (job->derived || !job->live || wal_ctx_rank(job->ctx) != 0) return;
  wal_live_head all = *head;
  all.task = wal_params_component(job->params)->name;
  all.seed = (int64_t)wal_ctx_seed(job->ctx);
  all.ranks = wal_ctx_size(job->ctx);
  all.command = job->command_line;
  wal_live_begin(job->live, job->ctx, job->output, job->resumes, job->started, &all);
}

/* Whatever rank finds that the job must be ended. */
static void note_end(void *user, const char *reason) {
  wal_job *job = user;
  if (job->live && job->live->on) {
    wal_ctx_set_warning_handler(job->ctx, NULL, NULL);  // there is a failure to be told already
    wal_live_end(job->live, "failed", reason);
  } else {
    wal_live_add_event(job->output, "failed", reason);
  }
}

void wal_job_tell_end(wal_job *job, wal_ctx *ctx) { wal_ctx_set_end_handler(ctx, note_end, job); }

wal_status wal_job_run(wal_job *job, const wal_task_type *type) {
  wal_live live = {0};
  job->live = &live;
  if (!job->options->dry_run) wal_job_tell_end(job, job->ctx);
  const wal_status status = type->run(job);
  const bool good = status == WAL_OK || status == WAL_ENOCONV;
  if (good && !job->options->dry_run) wal_checkpoint_remove_all(job->ctx, job->output);
  if (good)
    wal_live_end(&live, NULL, NULL);
  else if (status == WAL_ESTOPPED)
    wal_live_end(&live, "stopped", wal_reason_text(job->stopped_by));
  else
    wal_live_end(&live, "failed", wal_ctx_error(job->ctx));
  job->live = NULL;
  wal_ctx_set_end_handler(job->ctx, NULL, NULL);
  return status;
}
