// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_SOLVE_FILE_H
#define WALRAS_CLI_SOLVE_FILE_H

#include "cli/task.h"
#include "io/run_file.h"
#include "sim/game/report.h"
#include "sim/learn/solve.h"

/** The record `store` of a solve: what of the solution its run file has. */
extern const wal_component wal_solve_store;

/** Puts the results of a solve (docs/run-file.md) into a run file of any kind (io/run_file.h) made
 *  on the job's context: scenario, axes, solution, trace, and what the
 *  game reports. @collective */
wal_status wal_solve_file_write(wal_run_file *file, const wal_job *job, const wal_learner *learner,
                                const wal_trace *trace, const wal_report *report);

/** Puts /solution alone: what the record `store` of the job asks for. @collective */
wal_status wal_solve_file_solution(wal_run_file *file, const wal_job *job, wal_learner *learner);

/** Puts /run into it, which only the file of a single solve has. @collective */
wal_status wal_solve_file_write_run(wal_run_file *file, const wal_job *job, const wal_trace *trace);

/** The bytes that the run file of a solve will have if all iterations are done, before anything but
 *  the game is made. @collective */
wal_status wal_solve_file_plan(const wal_job *job, const wal_game *game, double *bytes);
/** As wal_solve_file_plan(), if it ends as early as can be. @collective */
wal_status wal_solve_file_least(const wal_job *job, const wal_game *game, double *bytes);

#endif
