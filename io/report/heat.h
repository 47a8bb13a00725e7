// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_IO_REPORT_HEAT_H
#define WALRAS_IO_REPORT_HEAT_H

#include "io/report/plot.h"

/* Figures of coloured cells: heat maps and maps of grids, in one or several panels of one colour
 * scale. Private to io/report/. */

enum { WAL_HEAT_PANELS = 16, WAL_HEAT_CELLS = 240, WAL_HEAT_CATEGORIES = 8 };

/** Row 0 is drawn at the bottom, of maps on top. Cells that are NaN stay blank. */
typedef struct wal_heat_panel {
  const char *name;
  const double *cells; /**< [row, column] */
} wal_heat_panel;

typedef struct wal_heat {
  const char *title, *look;
  const char *x_label, *y_label, *z_label;
  int64_t rows, columns; /**< of every panel; at most WAL_HEAT_CELLS each */
  double x0, dx, y0, dy; /**< what column 0 and row 0 stand for, and the step to the next */
  bool map;              /**< cells are squares */
  double least, most;    /**< ends of the scale; 0: the least cell if it is negative; the largest */
  const char *const *ticks; /**< names of the rows; NULL: numbers */
  const char *const *column_ticks;
  bool full;    /**< takes all of a line of the page */
  bool written; /**< numbers stand in the cells, too */
  /** NULL: cells are numbers from 0 on; else they are places in this list of at most
   *  WAL_HEAT_CATEGORIES names */
  const char *const *category;
  int categories;
  int across, across_narrow; /**< panels beside each other, on wide and narrow screens */
  int panels;
  wal_heat_panel panel[WAL_HEAT_PANELS];
} wal_heat;

/** A further panel; nothing beyond WAL_HEAT_PANELS. */
void wal_heat_add(wal_heat *heat, const char *name, const double *cells);

/** The figure with its sentence, scale and table; nothing if it has no panels. */
void wal_page_heat(wal_page *page, const wal_heat *heat);

#endif
