// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_SWEEP_REPORT_H
#define WALRAS_CLI_SWEEP_REPORT_H

#include <stdio.h>

#include "cli/sweep_columns.h"
#include "cli/sweep_execute.h"

/** Writes /summary: a row a run. @collective the file's context; every rank has all rows */
wal_status wal_sweep_write_summary(wal_run_file *file, wal_ctx *ctx,
                                   const wal_sweep_columns *columns, const wal_sweep_row *rows);

/** Writes /run: the seconds of each run, on how many groups of ranks. */
wal_status wal_sweep_write_run(wal_run_file *file, wal_ctx *ctx, const wal_job *job,
                               const wal_sweep_row *rows, int64_t runs, int groups);

/** Prints the rows as a table, a middle part left out if there are many. Rank-local. */
wal_status wal_sweep_print(wal_ctx *ctx, FILE *out, const wal_sweep_columns *columns,
                           const wal_sweep_row *rows);

#endif
