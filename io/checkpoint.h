// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_IO_CHECKPOINT_H
#define WALRAS_IO_CHECKPOINT_H

#include "sim/core/state.h"

/*
 * Checkpoints of a run: run files (io/run_file.h) that hold a state instead of results, beside the
 * run file of the run. That of RUN.h5 at iteration 120 is RUN.checkpoint-120.h5.
 */

enum { WAL_CHECKPOINT_PATH = 4352 };

/** What a checkpoint says of itself, besides the state. */
typedef struct wal_checkpoint_head {
  const char *task;
  const char *source, *resolved; /**< the scenario as written, and as JSON with all defaults */
  const char *scenario_file;     /**< whose text the source is; "" if it must not be compared */
  const char *run; /**< name of the run file, without folder; of one that is read only */
  int64_t seed;
  int64_t iteration;
} wal_checkpoint_head;

/** Bytes of a run's path without its ending .h5: what the names of the files beside it begin with.
 */
int wal_run_stem_length(const char *run);

/** Name of a run's checkpoint into out[WAL_CHECKPOINT_PATH]. */
const char *wal_checkpoint_name(const char *run, int64_t iteration, char *out);

/**
 * Writes a run's checkpoint: under a temporary name, verified, synced, renamed; then removes all
 * but the last two of the run. @collective state->ctx
 * WAL_ECREATE if it cannot be made; a failure to write ends the job (io/run_file.h), and leaves the
 * checkpoints before it.
 */
wal_status wal_checkpoint_write(const char *run, const wal_checkpoint_head *head,
                                const wal_state *state);

/**
 * Iteration of the newest checkpoint of a run that is older than `before` (INT64_MAX: the newest of
 * all), by name only, or -1. @collective ctx
 */
wal_status wal_checkpoint_newest(wal_ctx *ctx, const char *run, int64_t before, int64_t *out);

/** What a checkpoint says of itself, with its texts in `memory` (wal_release()). WAL_EIO, naming
 * the file, if it is damaged, of another format version or none of walras. Rank-local. */
wal_status wal_checkpoint_head_read(wal_ctx *ctx, const char *path, wal_checkpoint_head *head,
                                    char **memory);

/**
 * Reads a state back, on any number of ranks; lists get new arrays.
 * @param state  as it was declared when the checkpoint was written
 * WAL_EIO, naming file and field, if one is damaged, missing or of another shape: the fields are
 * then of no use. @collective state->ctx
 */
wal_status wal_checkpoint_read(const char *path, wal_state *state);

/** Bytes of a checkpoint, about. */
double wal_checkpoint_bytes(const wal_checkpoint_head *head, const wal_state *state);

/** Removes what was left of checkpoints by jobs that were killed while they wrote one. @collective
 *  ctx */
void wal_checkpoint_sweep(wal_ctx *ctx, const char *run);

/** Removes all checkpoints of a run, those of its parts (io/checkpoint_parts.h) and unfinished
 * ones, too. @collective ctx */
void wal_checkpoint_remove_all(wal_ctx *ctx, const char *run);

#endif
