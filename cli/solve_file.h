// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_SOLVE_FILE_H
#define WALRAS_CLI_SOLVE_FILE_H

#include "cli/task.h"
#include "sim/learn/solve.h"

/** Puts the results of a solve (docs/run-file.md) into a run file: scenario, axes, solution, trace.
 *  @collective */
wal_status wal_solve_file_write(wal_run_file *file, const wal_job *job, const wal_learner *learner,
                                const wal_trace *trace);

#endif
