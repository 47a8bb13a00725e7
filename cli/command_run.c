// SPDX-License-Identifier: GPL-3.0-or-later
#include <cblas.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/commands.h"
#include "cli/control.h"
#include "cli/session.h"
#include "io/checkpoint_parts.h"
#include "io/json.h"
#include "io/run_file.h"

/* The scenario's base name, its ending replaced by .h5, in the current folder. */
static wal_status default_output(wal_ctx *ctx, const char *scenario, char *path, size_t size) {
  const char *slash = strrchr(scenario, '/');
  const char *base = slash ? slash + 1 : scenario;
  const char *dot = strrchr(base, '.');
  int length = dot && dot > base ? (int)(dot - base) : (int)strlen(base);
  if (snprintf(path, size, "%.*s.h5", length, base) >= (int)size)
    return wal_fail(ctx, WAL_ECREATE, "%s: the name is too long for a run file", scenario);
  return WAL_OK;
}

/* A run file in place of its own scenario is never meant. @collective */
static wal_status spare_scenario(wal_ctx *ctx, const char *scenario, const char *output) {
  struct stat in, out;
  wal_status status = WAL_OK;
  if (wal_ctx_rank(ctx) == 0 && stat(scenario, &in) == 0 && stat(output, &out) == 0 &&
      in.st_dev == out.st_dev && in.st_ino == out.st_ino)
    status = wal_fail(ctx, WAL_ECREATE, "walras: cannot create %s: it is the scenario", output);
  return wal_agree(ctx, status);
}

/* Checkpoints are of a run that did not end: only on request are they given up. @collective */
static wal_status spare_checkpoints(wal_ctx *ctx, const char *output) {
  int64_t newest = -1;
  bool parts = false;
  char path[WAL_CHECKPOINT_PATH] = "";
  WAL_TRY(wal_checkpoint_newest(ctx, output, INT64_MAX, &newest));
  if (newest >= 0)
    return wal_fail(ctx, WAL_ECREATE,
                    "walras: cannot create %s: there is %s of a run that did not end; go on with "
                    "walras resume %s, or begin anew with --force",
                    output, wal_checkpoint_name(output, newest, path), output);
  WAL_TRY(wal_checkpoint_parts_exist(ctx, output, &parts, path));
  if (!parts) return WAL_OK;
  wal_status status = WAL_OK;
  if (wal_ctx_rank(ctx) == 0)
    status = wal_fail(ctx, WAL_ECREATE,
                      "walras: cannot create %s: there is %s of a sweep that did not end; begin "
                      "anew with --force",
                      output, path);
  return wal_agree(ctx, status);
}

/* Makes sure of the place of a run file before any work. @collective */
static wal_status prepare(wal_session *session, const wal_options *options, const char *output) {
  wal_ctx *ctx = session->ctx;
  WAL_TRY(spare_scenario(ctx, options->operand[0], output));
  if (options->dry_run) return WAL_OK;
  WAL_TRY(wal_session_claim(session, output));
  if (!options->force) WAL_TRY(spare_checkpoints(ctx, output));
  WAL_TRY(wal_run_file_check(ctx, output, options->force));
  if (options->force) wal_checkpoint_remove_all(ctx, output);
  return WAL_OK;
}

static void join_arguments(wal_text *text, int argc, char **argv) {
  for (int i = 0; i < argc; i++) wal_text_add(text, "%s%s", i ? " " : "", argv[i]);
}

int wal_command_run(const wal_options *options, int argc, char **argv) {
  wal_session session;
  const wal_task_type *type = NULL;
  wal_job job = {0};
  wal_text command_line = {0};
  char path[4096] = "";
  join_arguments(&command_line, argc, argv);
  wal_control_listen();
  wal_status status = wal_session_open(&session, options, &argc, &argv);
  openblas_set_num_threads(1);  // ranks are the parallelism
  if (status == WAL_OK) status = wal_session_load_job(&session, &job, &type);
  if (status == WAL_OK && !options->output)
    status = default_output(session.ctx, options->operand[0], path, sizeof path);
  if (status == WAL_OK) {
    job.output = options->output ? options->output : path;
    job.command_line = command_line.bytes;
    status = prepare(&session, options, job.output);
  }
  if (status == WAL_OK) status = wal_job_run(&job, type);
  wal_session_free_job(&job);
  wal_text_free(&command_line);
  return wal_session_close(&session, status);
}
