// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_POPULATION_FILE_H
#define WALRAS_CLI_POPULATION_FILE_H

#include "cli/task.h"
#include "sim/agents/record.h"

/** What is known of one number of agents. */
typedef struct wal_population_result {
  int64_t agents;
  wal_population_estimate *estimate; /**< [width] */
  double exact_return, exact_gain;   /**< of a few agents: what return and gain by deviating are
                                          exactly; NaN where that was not found */
  double exact_best; /**< what the best response of an agent gains who sees where all
                          others are: N-player exploitability */
} wal_population_result;

/** All of a simulation. */
typedef struct wal_population_results {
  const wal_population *population;
  int64_t count, episodes;
  bool exact;                 /**< some rows have it */
  wal_population_result *row; /**< [count] */
  wal_record record;          /**< of the first row; empty if no agents are followed */
} wal_population_results;

/** Slope of a quantity (enum of sim/agents/population.h) over the numbers of agents. Rank-local. */
wal_population_slope wal_population_results_slope(const wal_population_results *results,
                                                  int quantity);

/** Puts scenario, axes and /population (docs/run-file.md) into a run file. Of the population only
 *  plan and sizes are needed for a file that is planned. @collective job->ctx */
wal_status wal_population_file_write(wal_run_file *file, const wal_job *job, const wal_space *space,
                                     const wal_population_results *results);

/** Puts /population alone into a run file that has /axes. @collective ctx */
wal_status wal_population_file_group(wal_run_file *file, wal_ctx *ctx,
                                     const wal_population_results *results);

#endif
