// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_IO_REPORT_PLOT_H
#define WALRAS_IO_REPORT_PLOT_H

#include "io/report/read.h"

/* Figures of curves, points and bars, with the numbers behind them. Private to io/report/. */

enum { WAL_PLOT_CURVES = 32, WAL_PLOT_TABLE = 200, WAL_PLOT_POINTS = 1200, WAL_PLOT_COLOURS = 8 };

typedef enum wal_curve_style {
  WAL_CURVE_LINE,
  WAL_CURVE_POINTS, /**< joined by a thin line */
  WAL_CURVE_DOTS,   /**< points alone */
  WAL_CURVE_STEPS,
  WAL_CURVE_BARS,
  WAL_CURVE_RULE /**< a thin line to compare with */
} wal_curve_style;

typedef struct wal_curve {
  const char *name;
  wal_curve_style style;
  int colour; /**< 0 to 7 */
  int dash;   /**< 0 solid, 1 dashed, 2 dotted */
  int64_t count;
  const double *x, *y;
  const double *low, *high; /**< NULL: none. Of lines a band, of points bars. */
} wal_curve;

/** How a figure stands on wide screens. */
typedef enum wal_place {
  WAL_PLACE_NEXT, /**< beside another one */
  WAL_PLACE_LEFT, /**< begins a line: the one behind belongs to it */
  WAL_PLACE_FULL  /**< alone in its line */
} wal_place;

typedef struct wal_plot {
  const char *title, *look;      /**< what to look for, in a sentence */
  const char *x_label, *y_label; /**< with units */
  bool log_x, log_y;             /**< where most numbers allow it */
  bool sums;                     /**< a logarithmic y axis ends a million below the largest */
  bool again;                    /**< the figure before, against something else */
  wal_place place;
  const char *const *ticks; /**< names of x = 0, 1, ...; NULL: numbers */
  int64_t tick_count;
  int curves;
  wal_curve curve[WAL_PLOT_CURVES];
} wal_plot;

/** Adds a curve in the next colour; NULL (and nothing is drawn of it) if there is no room, no x or
 *  no y. Returned so that style and colour can be changed. */
wal_curve *wal_plot_add(wal_plot *plot, const char *name, int64_t count, const double *x,
                        const double *y);

/** The figure with its sentence, key and table; nothing if it has no curves. */
void wal_page_plot(wal_page *page, const wal_plot *plot);

/** As wal_plot_add(), of the rows in which both numbers are finite. */
wal_curve *wal_plot_add_finite(wal_page *page, wal_plot *plot, const char *name, int64_t count,
                               const double *x, const double *y);

/** "exploitability (reward)": units "1" are none. */
const char *wal_page_label(wal_page *page, const char *name, const char *units);

/** 0, 1, 2, ... */
const double *wal_page_counting(wal_page *page, int64_t count);

/** "name", or "name, A" of runs that are compared. */
const char *wal_page_of_run(wal_page *page, int run, const char *name);

/** Begin and end of a figure, for those that draw themselves. */
void wal_page_figure(wal_page *page, const char *title, const char *look, wal_place place);
void wal_page_figure_end(wal_page *page);

/** How many of `count` rows are shown, at most `most`; and which one stands in place k of them. */
int64_t wal_thinned_count(int64_t count, int64_t most);
int64_t wal_thinned_row(int64_t count, int64_t shown, int64_t k);

#endif
