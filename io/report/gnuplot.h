// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_IO_REPORT_GNUPLOT_H
#define WALRAS_IO_REPORT_GNUPLOT_H

#include "io/report/page.h"

/* Figures drawn by gnuplot, a program of its own that is started for each. Private to io/report/.
 */

enum { WAL_DRAWING_FULL = 960, WAL_DRAWING_WIDE = 720, WAL_DRAWING_NARROW = 336 };

/** Script that sets terminal and looks of one of the two widths that a figure is drawn in, `wide`
 * (a width of at least WAL_DRAWING_WIDE) or not; the page shows the one that fits the screen. */
void wal_gnuplot_begin(wal_text *script, int figure, bool wide, int width, int height);

/** Adds a text in quotes. */
void wal_gnuplot_quoted(wal_text *script, const char *text);

/** Runs the script and adds the drawings that come of it to the page. `title` is what readers of
 * the page hear who do not see it. */
void wal_gnuplot_draw(wal_page *page, const wal_text *script, const char *title);

/** Whether gnuplot can be started: WAL_EUNAVAILABLE if not. */
wal_status wal_gnuplot_probe(wal_ctx *ctx);

#endif
