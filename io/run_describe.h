// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_IO_RUN_DESCRIBE_H
#define WALRAS_IO_RUN_DESCRIBE_H

#include <stdio.h>

#include "sim/core/context.h"

/** Prints what a run file holds: what it comes to, the file's attributes, then group by group one dataset a line with
 *  name, shape and dimension scales, type, units, long name; of the columns of /trace the last
 *  entry, too. Rank-local. WAL_ENOTFOUND if the file is missing, WAL_EIO (naming the dataset) if
 *  it is unreadable or not a walras run file; then some lines may have been printed. */
wal_status wal_run_describe(wal_ctx *ctx, const char *path, FILE *out);

#endif
