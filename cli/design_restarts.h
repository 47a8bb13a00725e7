// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_DESIGN_RESTARTS_H
#define WALRAS_CLI_DESIGN_RESTARTS_H

#include "cli/sweep.h"

/*
 * design{restarts = R}: restart r is the design with the seed seed + r. They are done as the runs
 * of a sweep are, with its groups of ranks, checkpoints and messages; of the best one the run file
 * has all that it would have alone, of the others a row of /restarts and a trace.
 */

/** Parameters of a design. */
#define WAL_DESIGN_RESTARTS_PARAMS                                                             \
  {.name = "restarts",                                                                         \
   .type = WAL_INTEGER,                                                                        \
   .number = 1,                                                                                \
   .low = 1,                                                                                   \
   .high = WAL_SWEEP_RUNS,                                                                     \
   .meaning = "how many designs, with this seed and those that follow; the best is kept"},     \
  {                                                                                            \
    .name = "ranks_per_restart", .type = WAL_INTEGER, .number = 0, .low = 0, .high = 0x1p31,   \
    .meaning = "least number of ranks that do a restart together (0: as few as keep all busy)" \
  }

/** Whether the parameters of a design ask for more than one. */
bool wal_design_restarts_wanted(const wal_params *params);

/** Refuses seeds that are too large. Rank-local. */
wal_status wal_design_restarts_check(wal_ctx *ctx, const wal_params *params);

/** Bytes that the file has more if the job is a restart: the traces and the table. */
double wal_design_restarts_bytes(const wal_job *job, int64_t steps);

/** The work of a design with restarts: wal_task_type.run. WAL_OK if one of them is well, else the
 *  status of the first. @collective */
wal_status wal_design_restarts_run(wal_job *job);

#endif
