// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_RUN_PARTS_H
#define WALRAS_CLI_RUN_PARTS_H

#include "cli/task.h"
#include "io/run_file.h"
#include "sim/game/space.h"

/* Parts of a run file that every task writes alike. All are collective. */

/** /scenario and the attributes task and seed of the file. */
wal_status wal_run_write_scenario(wal_run_file *file, const wal_job *job);

/** A dimension scale that counts from 0 to count - 1. */
wal_status wal_run_write_index(wal_run_file *file, wal_ctx *ctx, const char *path,
                               const char *long_name, int64_t count);

/** /axes: stage, state, action; coordinates of the states and names of the actions. Of `space` only
 *  the game and the partition of the states are needed. */
wal_status wal_run_write_axes(wal_run_file *file, wal_ctx *ctx, const wal_space *space);

/** The attributes of /run, which is there: where and when; part of wal_run_write_run().
 *  @param peak  the most bytes that a rank has held */
wal_status wal_run_write_facts(wal_run_file *file, const wal_job *job, int64_t peak);

/**
 * /run: where, when, how fast: the only part that may differ between two equal runs.
 * @param seconds  since the start, one number a row of the scale at path `scale`
 */
wal_status wal_run_write_run(wal_run_file *file, const wal_job *job, int64_t rows,
                             const double *seconds, const char *scale);

/** /run of a task that tells only the seconds that all of it took. */
wal_status wal_run_write_whole(wal_run_file *file, const wal_job *job, double seconds);

/** Seconds and their scale in /run, which is there; part of wal_run_write_run(). */
wal_status wal_run_write_seconds(wal_run_file *file, int64_t rows, const double *seconds,
                                 const char *scale);

/** In /run: what an iteration exchanges, for each figure that of the rank with most of it.
 *  @param traffic     of this rank
 *  @param iterations  in which that was exchanged */
wal_status wal_run_write_traffic(wal_run_file *file, wal_ctx *ctx, const wal_traffic *traffic,
                                 double iterations);

#endif
