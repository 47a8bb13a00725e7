// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_IO_CHECKPOINT_PARTS_H
#define WALRAS_IO_CHECKPOINT_PARTS_H

#include <dirent.h>

#include "io/checkpoint.h"

/*
 * A run made of parts, as a sweep is of runs, has checkpoints of its parts, too: those of part 12
 * of the kind "run" of SWEEP.h5 are those of a run file SWEEP.run-000012.h5. Kinds are "run" and
 * "part".
 */

/** Name of the run file that a part's checkpoints seem to be of, into out[WAL_CHECKPOINT_PATH]. */
const char *wal_checkpoint_part_name(const char *run, const char *kind, int64_t number, char *out);

/** Makes the name of a part's run file that of the run; leaves other names. */
void wal_checkpoint_part_whole(char *run);

/** Opens the folder that a run's files are in; NULL if it cannot be opened. Of closedir(). */
DIR *wal_checkpoint_folder(const char *run);

/** Removes the checkpoints of the parts of one kind of which gone(user, number) is true, and what
 *  was left half-written of them. Rank-local. */
void wal_checkpoint_parts_remove(const char *run, const char *kind,
                                 bool (*gone)(void *user, int64_t number), void *user);

/** Whether there is a checkpoint of a part, whose file's name is then in
 *  name[WAL_CHECKPOINT_PATH] on rank 0. @collective ctx */
wal_status wal_checkpoint_parts_exist(wal_ctx *ctx, const char *run, bool *exist, char *name);

#endif
