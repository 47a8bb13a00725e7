// SPDX-License-Identifier: GPL-3.0-or-later
#include <unistd.h>

#include "cli/commands.h"
#include "cli/pager.h"
#include "cli/session.h"
#include "io/checkpoint.h"
#include "io/live.h"
#include "io/run_compare.h"
#include "io/run_describe.h"
#include "io/run_schema.h"

/* Of a run file that is there, or of the run that has not written it yet. @collective */
static wal_status describe(wal_ctx *ctx, const char *run) {
  char live[WAL_LIVE_PATH];
  int64_t newest = -1;
  WAL_TRY(wal_checkpoint_newest(ctx, run, INT64_MAX, &newest));
  wal_status status = WAL_OK;
  if (wal_ctx_rank(ctx) == 0) {
    status = wal_run_describe(ctx, run, stdout);
    if (status == WAL_ENOTFOUND)
      status = wal_live_describe(ctx, run, newest, stdout);
    else if (status == WAL_OK && access(wal_live_name(run, live), F_OK) == 0 &&
             wal_live_describe(ctx, run, newest, stdout) != WAL_OK)
      wal_warn(ctx, "%s", wal_ctx_error(ctx));
  }
  return wal_agree(ctx, status);
}

/* @collective */
static wal_status check_schema(wal_ctx *ctx, const char *run) {
  wal_status status = WAL_OK;
  if (wal_ctx_rank(ctx) == 0) {
    if (run)
      status = wal_run_schema_check(ctx, run, stdout);
    else
      wal_run_schema_print(stdout);
  }
  return wal_agree(ctx, status);
}

/* On a terminal through a pager. @collective */
static wal_status show(wal_ctx *ctx, const wal_options *options, bool alone) {
  wal_pager pager = {NULL, -1};
  if (alone) wal_pager_open(&pager);
  const char *run = options->operands > 0 ? options->operand[0] : NULL;
  const wal_status status = options->schema ? check_schema(ctx, run) : describe(ctx, run);
  wal_pager_close(&pager);
  return status;
}

int wal_command_info(const wal_options *options, int argc, char **argv) {
  wal_session session;
  const bool alone = !wal_options_launched();  // MPI makes it look otherwise
  wal_status status = wal_session_open(&session, options, &argc, &argv);
  if (status == WAL_OK && options->operands == 0 && !options->schema)
    status = wal_fail(session.ctx, WAL_EUSAGE,
                      "walras info: expected RUN.h5, got nothing; see walras info --help");
  if (status == WAL_OK) status = show(session.ctx, options, alone);
  return wal_session_close(&session, status);
}

int wal_command_diff(const wal_options *options, int argc, char **argv) {
  wal_session session;
  wal_run_comparison found = {0};
  wal_status status = wal_session_open(&session, options, &argc, &argv);
  if (status == WAL_OK && wal_ctx_rank(session.ctx) == 0)
    status = wal_run_compare(session.ctx, options->operand[0], options->operand[1], &found);
  if (session.ctx) status = wal_agree(session.ctx, status);
  if (status == WAL_OK && wal_ctx_rank(session.ctx) == 0) {
    if (found.differing == 0) {
      printf("equal: %lld datasets, outside /run\n", (long long)found.datasets);
    } else {
      printf("first difference: %s\n", found.first);
      if (found.largest[0]) printf("largest difference: %s\n", found.largest);
      printf("%lld objects differ\n", (long long)found.differing);
    }
  }
  int64_t differ = found.differing > 0 ? -1 : 0;  // the least over the ranks
  if (status == WAL_OK) status = wal_ctx_least_integer(session.ctx, &differ);
  int exit_status = wal_session_close(&session, status);
  return exit_status != 0 ? exit_status : differ != 0;
}
