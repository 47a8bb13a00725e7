// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_REPORT_FILE_H
#define WALRAS_CLI_REPORT_FILE_H

#include <stdio.h>

#include "io/run_file.h"
#include "sim/game/report.h"

/** Puts a game's report into its group of the run file, as /auction: tables [stage, action axis],
 *  columns [stage], and attributes total_<column> of those that add. Nothing if there is none.
 *  @param report  without values if a file is planned
 *  @collective */
wal_status wal_report_write(wal_run_file *file, const wal_report *report, const wal_flow *flow,
                            const wal_space *space);

/** Prints it as a table, a line a stage (those in the middle left out if they are many), and the
 *  totals. Nothing if there is none. */
void wal_report_print(FILE *out, const wal_report *report);

#endif
