// SPDX-License-Identifier: GPL-3.0-or-later
#include <cblas.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/control.h"
#include "cli/session.h"
#include "io/checkpoint_parts.h"
#include "io/json.h"
#include "io/run_file.h"
#include "sim/core/memory.h"

/* The newest checkpoint of the run that can be read, -1 if there is none at all. @collective */
static wal_status find_head(wal_ctx *ctx, const char *run, wal_checkpoint_head *head,
                            char **memory) {
  char path[WAL_CHECKPOINT_PATH], why[1024] = "";
  int64_t at = INT64_MAX;
  wal_status status = WAL_OK;
  for (;;) {
    WAL_TRY(wal_checkpoint_newest(ctx, run, at, &at));
    if (at < 0) break;
    if (status != WAL_OK) wal_warn(ctx, "%s; going back to iteration %lld", why, (long long)at);
    status = wal_agree(
        ctx, wal_checkpoint_head_read(ctx, wal_checkpoint_name(run, at, path), head, memory));
    if (status == WAL_OK) return WAL_OK;
    wal_release(ctx, memory);
    snprintf(why, sizeof why, "%s", wal_ctx_error(ctx));
  }
  head->iteration = -1;
  return status == WAL_OK ? WAL_OK : wal_fail(ctx, status, "%s", why);
}

/* Whether a file has other content than `text`; one that is not there has not changed. */
static bool has_changed(const char *path, const char *text) {
  FILE *file = fopen(path, "rb");
  if (!file) return false;
  bool same = true;
  const char *at = text;
  for (int c = fgetc(file); same && c != EOF; c = fgetc(file)) {
    same = *at != '\0' && (unsigned char)*at == c;
    at++;
  }
  same = same && *at == '\0' && !ferror(file);
  fclose(file);
  return !same;
}

/* @collective */
static wal_status refuse_changed(wal_ctx *ctx, const wal_options *options,
                                 const wal_checkpoint_head *head, const char *run) {
  wal_status status = WAL_OK;
  if (wal_ctx_rank(ctx) == 0 && !options->force && head->scenario_file[0] &&
      has_changed(head->scenario_file, head->source))
    status = wal_fail(ctx, WAL_EINPUT,
                      "%s: has changed since %s was begun; run it anew, or go on with the scenario "
                      "as it was: walras resume --force %s",
                      head->scenario_file, run, run);
  return wal_agree(ctx, status);
}

/* The length of the folder in front of a path, with its slash. */
static int folder_length(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? (int)(slash - path) + 1 : 0;
}

/* Of a name that is a checkpoint's and not the run's. Rank-local. */
static wal_status refuse_checkpoint(wal_ctx *ctx, const char *path) {
  char run[WAL_CHECKPOINT_PATH], name[WAL_CHECKPOINT_PATH];
  wal_checkpoint_head head;
  char *memory = NULL;
  wal_status status = WAL_OK;
  if (wal_checkpoint_head_read(ctx, path, &head, &memory) == WAL_OK) {
    snprintf(run, sizeof run, "%.*s%s", folder_length(path), path, head.run);
    const bool found = strcmp(wal_checkpoint_name(run, head.iteration, name), path) == 0;
    wal_checkpoint_part_whole(run);
    status = wal_fail(ctx, WAL_EINPUT,
                      found ? "%s: is a checkpoint; to go on: walras resume %s"
                            : "%s: is a checkpoint, under another name than it had: of %s",
                      path, run);
  }
  wal_release(ctx, &memory);
  return status;
}

/* Run files NAME and NAME.h5 have checkpoints of the same names. @collective */
static wal_status refuse_other_run(wal_ctx *ctx, const wal_checkpoint_head *head, const char *run) {
  const char *base = run + folder_length(run);
  const int stem = wal_run_stem_length(base);
  wal_status status = WAL_OK;
  if (wal_ctx_rank(ctx) == 0 && strcmp(base, head->run) != 0 &&
      stem == wal_run_stem_length(head->run) && strncmp(base, head->run, (size_t)stem) == 0)
    status =
        wal_fail(ctx, WAL_ENOTFOUND, "%s: its checkpoints are of another run: walras resume %.*s%s",
                 run, folder_length(run), run, head->run);
  return wal_agree(ctx, status);
}

/* Without checkpoints: the run has ended, or there was none. @collective */
static wal_status say_nothing_to_do(wal_ctx *ctx, const char *run) {
  wal_status status = WAL_OK;
  if (wal_ctx_rank(ctx) == 0) {
    status = refuse_checkpoint(ctx, run);
    if (status == WAL_OK) status = wal_run_file_verify(ctx, run);
    if (status == WAL_OK) printf("%s is complete: there is nothing to resume\n", run);
    if (status == WAL_ENOTFOUND)
      status = wal_fail(ctx, WAL_ENOTFOUND, "%s: no such run file, and no checkpoint of one", run);
  }
  return wal_agree(ctx, status);
}

/* @param subject  [WAL_CHECKPOINT_PATH], room for the session's */
static wal_status resume(wal_session *session, const wal_options *options, const char *command_line,
                         char *subject) {
  wal_ctx *ctx = session->ctx;
  wal_checkpoint_head head;
  char *memory = NULL;
  wal_job job = {0};
  const wal_task_type *type = NULL;
  const char *run = options->operand[0];
  session->subject = run;
  wal_options forced = *options;
  wal_status status = wal_session_claim(session, run);
  if (status == WAL_OK) status = find_head(ctx, run, &head, &memory);
  if (status == WAL_OK && head.iteration < 0) return say_nothing_to_do(ctx, run);
  if (status == WAL_OK) status = refuse_other_run(ctx, &head, run);
  if (status == WAL_OK) status = refuse_changed(ctx, options, &head, run);
  if (status == WAL_OK) status = wal_session_resume_job(session, &head, &job, &type);
  if (status == WAL_OK) {
    forced.force = true;  // an older file of the name was given up when the run began
    job.options = &forced;
    job.output = run;
    job.command_line = command_line;
    status = wal_job_run(&job, type);
  }
  wal_session_free_job(&job);
  snprintf(subject, WAL_CHECKPOINT_PATH, "%s", session->subject);  // of the head, which goes
  session->subject = subject;
  wal_release(ctx, &memory);
  return status;
}

int wal_command_resume(const wal_options *options, int argc, char **argv) {
  wal_session session;
  wal_text command_line = {0};
  char subject[WAL_CHECKPOINT_PATH];
  for (int i = 0; i < argc; i++) wal_text_add(&command_line, "%s%s", i ? " " : "", argv[i]);
  wal_control_listen();
  wal_status status = wal_session_open(&session, options, &argc, &argv);
  openblas_set_num_threads(1);  // ranks are the parallelism
  if (status == WAL_OK) status = resume(&session, options, command_line.bytes, subject);
  wal_text_free(&command_line);
  return wal_session_close(&session, status);
}
