// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_TASK_H
#define WALRAS_CLI_TASK_H

#include "cli/options.h"
#include "io/scenario.h"
#include "sim/core/parameter.h"

/** What a task works with: how the program was called, and the scenario. */
typedef struct wal_job {
  wal_ctx *ctx;
  const wal_options *options;
  wal_scenario *scenario;
  wal_params *params; /**< resolved parameters of the task */
  const char *output; /**< path of the run file */
  const char *command_line;
} wal_job;

/** A kind of task: what a scenario returns. */
typedef struct wal_task_type {
  wal_component component; /**< kind "task" */
  /** Makes what the parameters describe and throws it away: finds all mistakes, and tabulates
   *  functions so that the resolved scenario is complete. Rank-local. */
  wal_status (*check)(wal_ctx *ctx, wal_params *params);
  /** Does the work, writes the run file, prints the result on rank 0. @collective
   *  WAL_ENOCONV if it ended before convergence; the run file is there all the same. */
  wal_status (*run)(wal_job *job);
} wal_task_type;

int64_t wal_task_count(void);
const wal_task_type *wal_task_at(int64_t index);
const wal_task_type *wal_task_find(const char *name);

#endif
