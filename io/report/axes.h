// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_IO_REPORT_AXES_H
#define WALRAS_IO_REPORT_AXES_H

#include "io/report/page.h"

/* Ranges and ticks of axes: few round numbers, which tell from each other. Private to io/report/.
 */

enum { WAL_AXIS_PLACES = 7 };

typedef struct wal_axis_span {
  double least, most; /**< of the data; of a logarithmic axis positive */
  bool log;
  bool whole; /**< nothing is marked between whole numbers */
  bool room;  /**< points at the ends keep some room around them */
  bool round; /**< the ends are round numbers, too */
  int about;  /**< ticks */
  int places; /**< 0, or: ticks stand at these places if they are far enough from each other */
  double place[WAL_AXIS_PLACES];
} wal_axis_span;

/** Adds a place, in order and once each; more than WAL_AXIS_PLACES become none, for good. */
void wal_axis_note(wal_axis_span *span, double place);

/** Sets range, ticks and format of the axis "x" or "y". */
void wal_gnuplot_axis(wal_text *script, const char *axis, const wal_axis_span *span);

/** Names at first, first + step, ... of the x axis, each with room for so many characters: longer
 * ones stand on two lines by turns, much longer ones are left out. */
void wal_gnuplot_names(wal_text *script, const char *const *name, int64_t count, double first,
                       double step, double room);

#endif
