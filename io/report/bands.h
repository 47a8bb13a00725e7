// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_IO_REPORT_BANDS_H
#define WALRAS_IO_REPORT_BANDS_H

#include "io/report/plot.h"

/** A curve of table[who, seed, time] over `time`: the mean of the seeds, and a band from the least
 *  to the largest if there are several. Of a table [who, time] the curve alone. Private to
 *  io/report/. */
wal_curve *wal_plot_add_seeds(wal_page *page, wal_plot *plot, const char *name,
                              const wal_array *time, const wal_array *table, int64_t who);

#endif
