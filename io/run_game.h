// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_IO_RUN_GAME_H
#define WALRAS_IO_RUN_GAME_H

#include "sim/core/context.h"

/** The name of the game that a run file is of, cut to size - 1 bytes. WAL_ENOTFOUND; WAL_EIO if it
 *  cannot be read or is no run file; WAL_EINPUT if it is of no game, as a sweep's. Rank-local. */
wal_status wal_run_game_name(wal_ctx *ctx, const char *path, char *out, size_t size);

#endif
