// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_STEER_FILE_H
#define WALRAS_CLI_STEER_FILE_H

#include "cli/task.h"
#include "incentives/steer/steering.h"
#include "sim/core/power_law.h"

/** All that steerings came to. */
typedef struct wal_steer_results {
  int64_t mediators, seeds, points;
  const char *const *name; /**< [mediators] */
  const int64_t *episode;  /**< [points] */
  const double *sums;      /**< [mediators][seeds][points][WAL_STEER_SUMS] */
  const wal_steer_target *target;
  int64_t legal_pairs; /**< pairs of stage, state and action: events an episode */
} wal_steer_results;

/** A row of the summary: means over the seeds. */
typedef struct wal_steer_summary {
  wal_power_law gap;          /**< exponent of the gap summed over episodes; of the last decades */
  wal_power_law excess;       /**< of the cost beyond the running exploitability */
  wal_power_law overpayment;  /**< of the overpayment */
  double last_gap, last_cost; /**< an episode, over the second half of the points' episodes */
  double total_excess, running_excess;
  double largest, least;                                  /**< payments, over all seeds */
  double violations, reward_violations, model_violations; /**< shares of the events */
} wal_steer_summary;

/** Episodes too few for an exponent to be fitted. */
bool wal_steer_too_short(const wal_steer_results *results);

wal_steer_summary wal_steer_summarize(const wal_steer_results *results, int64_t mediator);

/** Puts scenario, axes and /steering (docs/run-file.md) into a run file. Every rank holds the same
 *  results. @collective job->ctx */
wal_status wal_steer_file_write(wal_run_file *file, const wal_job *job, const wal_space *space,
                                const wal_steer_results *results);

#endif
