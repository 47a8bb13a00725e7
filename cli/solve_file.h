// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_SOLVE_FILE_H
#define WALRAS_CLI_SOLVE_FILE_H

#include "cli/task.h"
#include "io/run_file.h"
#include "sim/learn/solve.h"

/** The record `store` of a solve: what of the solution its run file has. */
extern const wal_component wal_solve_store;

/** Writes the run file of a solve (docs/run-file.md). @collective */
wal_status wal_solve_file_write(const wal_job *job, const wal_learner *learner,
                                const wal_trace *trace);

/** What is in it: scenario, axes, solution, trace, run. For any kind of run file (io/run_file.h)
 *  made on the job's context: a sweep records it. @collective */
wal_status wal_solve_file_content(wal_run_file *file, const wal_job *job,
                                  const wal_learner *learner, const wal_trace *trace);

/** The bytes that the run file of a solve will have if all iterations are done, before anything but
 *  the game is made. @collective */
wal_status wal_solve_file_plan(const wal_job *job, const wal_game *game, double *bytes);

#endif
