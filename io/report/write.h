// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_IO_REPORT_WRITE_H
#define WALRAS_IO_REPORT_WRITE_H

#include "sim/core/context.h"

/**
 * Writes a page of HTML that needs nothing else: figures, tables and where they come from, of one
 * run file or of two that are compared. The figures are drawn by gnuplot. The page appears under
 * its name only when it is complete.
 *
 * Rank-local. WAL_ENOTFOUND, WAL_EIO (a run file cannot be read), WAL_EINPUT (it is of a run that
 * has not ended), WAL_ECREATE, WAL_EUNAVAILABLE (no gnuplot).
 *
 * @param runs    1 or 2
 * @param path    of the run files
 * @param output  of the page
 * @param force   whether a page that is there is overwritten
 */
wal_status wal_report_page(wal_ctx *ctx, int runs, const char *const *path, const char *output,
                           bool force);

#endif
