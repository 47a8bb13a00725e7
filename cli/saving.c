// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/saving.h"

#include <string.h>

#include "io/checkpoint.h"
#include "io/json.h"

wal_status wal_saving_check(const wal_job *job, int64_t last) {
  char path[WAL_CHECKPOINT_PATH];
  if (job->derived) return WAL_OK;
  return wal_run_file_check(job->ctx, wal_checkpoint_name(job->output, last, path), true);
}

wal_saving wal_saving_begin(wal_job *job, int64_t iteration) {
  const wal_options *options = job->options;
  wal_saving s = {.job = job, .on = true};
  s.control = (job->derived ? wal_control_nested : wal_control_start)(
      job->ctx, job->output, options->checkpoint_every, options->max_walltime.seconds, job->started,
      iteration);
  s.control.told = job->told;
  s.control.user = job->user;
  return s;
}

void wal_saving_end(wal_saving *saving) {
  if (saving->on) wal_control_end(&saving->control);
  saving->on = false;
}

wal_status wal_saving_write(wal_job *job, int64_t iteration, const wal_state *state) {
  wal_text resolved = {0};
  wal_json_task(&resolved, job->params, wal_scenario_script(job->scenario));
  wal_ctx *ctx = state->ctx;
  const wal_checkpoint_head head = {.task = wal_params_component(job->params)->name,
                                    .source = wal_job_source(job),
                                    .resolved = resolved.bytes,
                                    .scenario_file = wal_job_scenario_file(job),
                                    .seed = (int64_t)wal_ctx_seed(ctx),
                                    .iteration = iteration};
  wal_status status = resolved.failed ? wal_fail(ctx, WAL_EINPUT, "not enough memory") : WAL_OK;
  status = wal_agree(ctx, status);
  if (status == WAL_OK) status = wal_checkpoint_write(job->output, &head, state);
  wal_text_free(&resolved);
  return status;
}

/* A run of a sweep that cannot be saved goes on: it would be a failed run without any need. */
static wal_status save(wal_saving *s, int64_t iteration, const wal_state *state) {
  const double start = wal_clock();
  const wal_status status = wal_saving_write(s->job, iteration, state);
  if (status != WAL_OK && !s->job->derived) return status;
  if (status != WAL_OK) wal_warn(s->job->ctx, "%s", wal_ctx_error(s->job->ctx));
  wal_control_saved(&s->control, iteration, wal_clock() - start);
  return WAL_OK;
}

wal_status wal_saving_pause(wal_saving *s, int64_t iteration, const wal_state *state, bool *stop) {
  wal_order order = WAL_ORDER_GO_ON;
  *stop = false;
  if (!s->on) return WAL_OK;
  wal_control_expect(&s->control, wal_state_bytes(state));
  WAL_TRY(wal_control_ask(&s->control, iteration, &order));
  if (order != WAL_ORDER_GO_ON) WAL_TRY(save(s, iteration, state));
  *stop = order == WAL_ORDER_STOP;
  return WAL_OK;
}

wal_status wal_saving_stopped(const wal_saving *s, int64_t iteration) {
  s->job->stopped_by = s->control.reason;
  return wal_fail(s->job->ctx, WAL_ESTOPPED,
                  "stopped by %s at iteration %lld; to go on: walras resume %s",
                  wal_reason_text(s->control.reason), (long long)iteration, s->job->output);
}

wal_status wal_saving_restore(wal_job *job, wal_state *state, bool *restored) {
  char path[WAL_CHECKPOINT_PATH];
  int64_t at = job->resume_at;
  *restored = false;
  if (!job->resumes) return WAL_OK;
  for (;;) {
    wal_checkpoint_name(job->output, at, path);
    const wal_status status = wal_checkpoint_read(path, state);
    if (status == WAL_OK) break;
    char why[1024];
    snprintf(why, sizeof why, "%s", wal_ctx_error(job->ctx));
    WAL_TRY(wal_checkpoint_newest(job->ctx, job->output, at, &at));
    if (at < 0) return wal_fail(job->ctx, status, "%s", why);
    wal_warn(job->ctx, "%s; going back to iteration %lld", why, (long long)at);
  }
  *restored = true;
  return WAL_OK;
}
