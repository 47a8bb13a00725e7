// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_SOLVE_FILE_H
#define WALRAS_CLI_SOLVE_FILE_H

#include "cli/task.h"
#include "sim/learn/solve.h"

/** Writes the run file of a solve (docs/run-file.md): scenario, axes, solution, trace, run.
 *  @collective */
wal_status wal_solve_file_write(const wal_job *job, const wal_learner *learner,
                                const wal_trace *trace);

#endif
