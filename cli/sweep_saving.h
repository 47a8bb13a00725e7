// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_SWEEP_SAVING_H
#define WALRAS_CLI_SWEEP_SAVING_H

#include "cli/sweep_execute.h"

/**
 * What rank 0 does for a sweep to go on later: it keeps the results of finished runs in checkpoints
 * of the sweep. So that these need not be written again and again, nor be held in memory, results
 * beyond some MiB go to files of their own (parts), which the checkpoint counts. Of rank 0 alone.
 */
typedef struct wal_sweep_saving {
  wal_job job;  /**< the sweep's, in a context of rank 0 alone */
  wal_ctx *ctx; /**< of the sweep: memory, warnings */
  wal_sweep_row *rows;
  int64_t runs;
  wal_control control;
  int64_t parts, saved; /**< saved: finished runs in the newest checkpoint, -1 if there is none */
  int64_t *tail;        /**< finished runs that are in no part */
  int64_t tail_count, tail_room, tail_bytes, most;
} wal_sweep_saving;

wal_sweep_saving wal_sweep_saving_begin(wal_job *job, wal_ctx *alone, wal_sweep_row *rows,
                                        int64_t runs);
/** To be called in any case; on other ranks of one that has its control only. */
void wal_sweep_saving_end(wal_sweep_saving *saving);

/** Notes that rows[run] has its packet. */
wal_status wal_sweep_saving_note(wal_sweep_saving *saving, int64_t run);

/** Whether to write a checkpoint or to stop, with `done` runs finished; to be asked often. */
wal_status wal_sweep_saving_ask(wal_sweep_saving *saving, int64_t done, wal_order *out);

/** Whether so much is in no part that a part should be written. */
bool wal_sweep_saving_is_full(const wal_sweep_saving *saving);

/** Writes the checkpoint; before it a part if `part` or if there is much; removes the checkpoints
 *  of runs that have finished. */
wal_status wal_sweep_saving_write(wal_sweep_saving *saving, int64_t done, bool part);

/**
 * Hands the results in the newest valid checkpoint to `accept`, which takes the packet over
 * (wal_release() in the sweep's context) and gives the run it is of, or -1 if it is none.
 * Results that cannot be read are passed over with a warning: those runs are done again.
 */
wal_status wal_sweep_saving_restore(wal_sweep_saving *saving, void *user,
                                    wal_status (*accept)(void *user, char **packet, int64_t length,
                                                         int64_t *run));

#endif
