// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/session.h"
#include "io/report/write.h"

enum { NAME = 1024 };

/* Base name of a run file and its length without ".h5". */
static const char *base_of(const char *path, int *length) {
  const char *slash = strrchr(path, '/');
  const char *base = slash ? slash + 1 : path;
  const char *dot = strrchr(base, '.');
  *length = dot && dot > base ? (int)(dot - base) : (int)strlen(base);
  return base;
}

/* RUN.report.html in the current folder; of two runs A-B.report.html. */
static wal_status default_output(wal_ctx *ctx, const wal_options *options, char *out) {
  int first_length = 0, second_length = 0;
  const char *first = base_of(options->operand[0], &first_length);
  const char *second = options->operands > 1 ? base_of(options->operand[1], &second_length) : "";
  const int length = snprintf(out, NAME, "%.*s%s%.*s.report.html", first_length, first,
                              options->operands > 1 ? "-" : "", second_length, second);
  if (length < 0 || length >= NAME)
    return wal_fail(ctx, WAL_ECREATE, "%s: the name is too long for a report", options->operand[0]);
  return WAL_OK;
}

static wal_status write_page(wal_ctx *ctx, const wal_options *options, char *name) {
  if (!options->output) WAL_TRY(default_output(ctx, options, name));
  const char *output = options->output ? options->output : name;
  WAL_TRY(wal_report_page(ctx, options->operands, options->operand, output, options->force));
  printf("report  %s\n", output);
  return WAL_OK;
}

int wal_command_report(const wal_options *options, int argc, char **argv) {
  wal_session session;
  char name[NAME] = "";
  wal_status status = wal_session_open(&session, options, &argc, &argv);
  if (status == WAL_OK && wal_ctx_rank(session.ctx) == 0)
    status = write_page(session.ctx, options, name);
  if (session.ctx) status = wal_agree(session.ctx, status);
  return wal_session_close(&session, status);
}
