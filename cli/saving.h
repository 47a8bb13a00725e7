// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_SAVING_H
#define WALRAS_CLI_SAVING_H

#include "cli/control.h"
#include "cli/task.h"
#include "sim/core/state.h"

/**
 * What every task that iterates does between two iterations: writes a checkpoint or ends when it is
 * time to (cli/control.h). Begins with what the checkpoints before it left. A run of a sweep does
 * so apart, by checkpoints of its own; job->told says when the sweep stops.
 */
typedef struct wal_saving {
  wal_job *job;
  bool on;
  wal_control control;
} wal_saving;

/** Whether checkpoints up to that of iteration `last` can have their names beside the run file:
 *  these are longer. WAL_ECREATE. To be asked before the work starts. @collective job->ctx */
wal_status wal_saving_check(const wal_job *job, int64_t last);

/** @param iteration  where the task begins. @collective job->ctx */
wal_saving wal_saving_begin(wal_job *job, int64_t iteration);
/** To be called in any case, before the task returns. */
void wal_saving_end(wal_saving *saving);

/**
 * Before iteration `iteration`: writes `state` if it is time to, and sets *stop if the task is to
 * end with WAL_ESTOPPED. @collective
 */
wal_status wal_saving_pause(wal_saving *saving, int64_t iteration, const wal_state *state,
                            bool *stop);

/** Writes `state` in any case, as the checkpoint of job->output at `iteration`.
 *  @collective state->ctx */
wal_status wal_saving_write(wal_job *job, int64_t iteration, const wal_state *state);

/** The failure of a task that stopped at `iteration`: says why, and how it goes on. */
wal_status wal_saving_stopped(const wal_saving *saving, int64_t iteration);

/**
 * Reads back the state of the newest valid checkpoint of job->resumed, if the job goes on at all:
 * damaged ones are passed over with a warning. *restored says whether there was one.
 * @collective. WAL_EIO if none is left.
 */
wal_status wal_saving_restore(wal_job *job, wal_state *state, bool *restored);

#endif
