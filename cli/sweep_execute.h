// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_SWEEP_EXECUTE_H
#define WALRAS_CLI_SWEEP_EXECUTE_H

#include "cli/sweep.h"

/** How a run of a sweep ended: a row of its table. */
typedef struct wal_sweep_row {
  bool done;
  wal_status status; /**< WAL_OK, WAL_ENOCONV, or why there are no figures */
  int64_t seed;
  wal_figures figures;
  char *error;  /**< NULL unless it failed; of wal_acquire() */
  char *said;   /**< what a restart printed; NULL otherwise; of wal_acquire() */
  char *packet; /**< the result as it came, until it is in the run file and in a checkpoint */
  int64_t length, recorded_at, recorded; /**< bytes of it; what goes into the run file, in it */
  bool written;                          /**< into the run file */
  bool stored;                           /**< in a file of its own beside it, as a part */
} wal_sweep_row;

/** Groups of ranks that do one run each at a time: as many as there are ranks or runs; with
 *  `ranks_per_run` > 0 of at least so many ranks each. The group of this rank into *own. */
int wal_sweep_groups(const wal_ctx *ctx, int64_t runs, int64_t ranks_per_run, int *own);

/** Who takes what a run that did not fail has recorded, in the order of the runs; on rank 0. */
typedef struct wal_sweep_taker {
  wal_status (*take)(void *user, int64_t run, const wal_sweep_row *row); /**< in context `alone` */
  void *user;
} wal_sweep_taker;

/**
 * Does all runs of a sweep, the next one always in the group that is free first. The rank that
 * leads a group sends what a run wrote to rank 0, which puts it into the file in the order of the
 * runs.
 * @param file  on rank 0 the file, in a context of rank 0 alone; NULL if runs are not kept, and on
 *              the other ranks
 * @param alone that context; NULL on the other ranks
 * @param taker what is done in place of a group of the file a run; NULL: that
 * @param rows  on rank 0 an array of sweep->count rows, zeroed; their texts are the caller's
 * @collective job->ctx. A run that fails is a row, no failure.
 */
wal_status wal_sweep_execute(wal_job *job, const wal_sweep *sweep, wal_run_file *file,
                             wal_ctx *alone, const wal_sweep_taker *taker, wal_sweep_row *rows);

#endif
