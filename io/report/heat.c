// SPDX-License-Identifier: GPL-3.0-or-later
#include "io/report/heat.h"

#include <math.h>
#include <string.h>

#include "io/report/axes.h"
#include "io/report/gnuplot.h"

enum { TABLE_ROWS = 200, TABLE_COLUMNS = 24, LOWEST = 130, HIGHEST = 400 };

/* Nine steps of viridis (Smith and van der Walt 2015), told apart with every kind of colour vision
   and in grey; style.c has them as --ramp. */
static const char VIRIDIS[] =
    "set palette defined (0 '#440154', 1 '#472d7b', 2 '#3b528b', 3 '#2c728e', 4 '#21918c', "
    "5 '#28ae80', 6 '#5ec962', 7 '#addc30', 8 '#fde725')\n";
static const char *const CATEGORY[WAL_HEAT_CATEGORIES] = {
    "#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#5b6470", "#f0e442"};

void wal_heat_add(wal_heat *heat, const char *name, const double *cells) {
  if (!cells || heat->panels == WAL_HEAT_PANELS) return;
  heat->panel[heat->panels++] = (wal_heat_panel){name, cells};
}

// ---- The script -------------------------------------------------------------------------------

/* The ends of the scale: 0, or the least if that is negative, and the largest. */
static void scale_of(const wal_heat *heat, double *least, double *most) {
  *least = *most = 0;
  for (int p = 0; p < heat->panels; p++)
    for (int64_t i = 0; i < heat->rows * heat->columns; i++) {
      const double cell = heat->panel[p].cells[i];
      if (isfinite(cell) && cell > *most) *most = cell;
      if (isfinite(cell) && cell < *least) *least = cell;
    }
  if (heat->most > 0) *most = heat->most;
  if (heat->least > 0) *least = heat->least;
  if (*most <= *least) *most = *least + 1;
}

/* gnuplot wants at least two cells each way: a single row or column is given twice, half as wide.
 */
static int64_t twice(int64_t count) { return count == 1 ? 2 : 1; }

static void add_cells(wal_text *script, const wal_heat *heat, int p) {
  wal_text_add(script, "$p%d << EOD\n", p);
  for (int64_t r = 0; r < heat->rows * twice(heat->rows); r++) {
    for (int64_t c = 0; c < heat->columns * twice(heat->columns); c++) {
      const double cell =
          heat->panel[p].cells[r / twice(heat->rows) * heat->columns + c / twice(heat->columns)];
      if (isfinite(cell))
        wal_text_add(script, " %.6g", cell);
      else
        wal_text_add(script, " NaN");
    }
    wal_text_add(script, "\n");
  }
  wal_text_add(script, "EOD\n");
}

static void add_colours(wal_text *script, const wal_heat *heat) {
  if (!heat->category) {
    double least, most;
    scale_of(heat, &least, &most);
    wal_text_add(script, "%sset cbrange [%.9g:%.9g]\n", VIRIDIS, least, most);
    return;
  }
  wal_text_add(script, "set palette maxcolors %d\nset palette defined (", heat->categories);
  for (int i = 0; i < heat->categories; i++)
    wal_text_add(script, "%s%d '%s'", i ? ", " : "", i, CATEGORY[i]);
  if (heat->categories == 1) wal_text_add(script, ", 1 '%s'", CATEGORY[0]);
  wal_text_add(script, ")\nset cbrange [-0.5:%d.5]\n", heat->categories - 1);
}

/* Room for the names of the rows. */
static double left_margin(const wal_heat *heat) {
  size_t longest = 4;
  for (int64_t r = 0; heat->ticks && r < heat->rows; r++)
    if (strlen(heat->ticks[r]) > longest) longest = strlen(heat->ticks[r]);
  return 34 + 8.5 * (double)(longest > 24 ? 24 : longest);
}

static void add_names(wal_text *script, const char *const *name, int64_t count, double first,
                      double step) {
  wal_text_add(script, "set ytics (");
  for (int64_t i = 0; i < count; i++) {
    wal_text_add(script, "%s", i ? ", " : "");
    wal_gnuplot_quoted(script, name[i]);
    wal_text_add(script, " %.9g", first + step * (double)i);
  }
  wal_text_add(script, ")\n");
}

/* Round numbers among what rows or columns stand for. */
static void add_numbers(wal_text *script, const char *axis, int64_t count, double first,
                        double step, int about) {
  const wal_axis_span span = {.least = first,
                              .most = first + step * (double)(count - 1),
                              .whole = step == floor(step),
                              .about = about,
                              .places = -1};
  wal_gnuplot_axis(script, axis, &span);
}

static void add_range(wal_text *script, const char *axis, double from, double to) {
  wal_text_add(script, "set %srange [%.9g:%.9g]\n", axis, from, to);
}

static void add_axes(wal_text *script, const wal_heat *heat, int width, int across) {
  const double left = heat->x0 - heat->dx / 2, low = heat->y0 - heat->dy / 2;
  const double right = left + heat->dx * (double)heat->columns;
  const double high = low + heat->dy * (double)heat->rows;
  if (heat->map) {
    add_range(script, "x", left, right);
    add_range(script, "y", high, low);
    wal_text_add(script,
                 "set size ratio -1\nunset xtics\nunset ytics\nset border 15 lc rgb '#dddddd'\n"
                 "set lmargin 1\nset rmargin 1\nset bmargin 0.5\nset tmargin 1.8\n");
    return;
  }
  if (heat->panels > 1) wal_text_add(script, "set tmargin 1.8\nset bmargin 3.6\n");
  if (heat->column_ticks)
    wal_gnuplot_names(script, heat->column_ticks, heat->columns, heat->x0, heat->dx,
                      (width - left_margin(heat)) / (7.5 * (double)heat->columns));
  else
    add_numbers(script, "x", heat->columns, heat->x0, heat->dx,
                across > 1 || width < WAL_DRAWING_WIDE ? 4 : 8);
  add_range(script, "x", left, right);
  wal_text_add(script, "set xlabel ");
  wal_gnuplot_quoted(script, heat->x_label);
  wal_text_add(script, "\n");
}

/* The rows are named beside the leftmost panel only, and the panels fill what is left of the
   width. */
static void add_rows(wal_text *script, const wal_heat *heat, int width, int across, int column) {
  const double low = heat->y0 - heat->dy / 2, gap = 14, left = left_margin(heat);
  if (heat->map) return;
  const double panel = (width - left - 12 - gap * (across - 1)) / across;
  const double from = left + (panel + gap) * column;
  wal_text_add(script, "set lmargin at screen %.6f\nset rmargin at screen %.6f\n", from / width,
               (from + panel) / width);
  if (column > 0) {
    wal_text_add(script, "unset ytics\nunset ylabel\n");
  } else {
    if (heat->ticks)
      add_names(script, heat->ticks, heat->rows, heat->y0, heat->dy);
    else
      add_numbers(script, "y", heat->rows, heat->y0, heat->dy, 5);
    wal_text_add(script, "set ylabel ");
    wal_gnuplot_quoted(script, heat->y_label);
    wal_text_add(script, " offset 1,0\n");
  }
  add_range(script, "y", low, low + heat->dy * (double)heat->rows);
}

static int height_of(const wal_heat *heat, int width, int across) {
  const int down = (heat->panels + across - 1) / across;
  double panel = heat->panels > 1 ? 250 : 320;
  if (heat->map) panel = 34 + (double)width / across * (double)heat->rows / (double)heat->columns;
  if (panel < LOWEST) panel = LOWEST;
  if (panel > HIGHEST) panel = HIGHEST;
  return (int)(panel * down);
}

/* Numbers in the cells, dark on bright ones. */
static void add_written(wal_text *script, const wal_heat *heat, int p) {
  double least, most;
  scale_of(heat, &least, &most);
  wal_text_add(script,
               ", $p%d matrix using (%.9g+%.9g*$1):(%.9g+%.9g*$2):(sprintf('%%.3f', $3)):"
               "($3 > %.9g ? 0x1b1f24 : 0xffffff) with labels tc rgb variable notitle",
               p, heat->x0, heat->dx, heat->y0, heat->dy, least + 0.6 * (most - least));
}

static void add_panels(wal_text *script, const wal_heat *heat, int width, int across) {
  const double ty = (double)twice(heat->rows), tx = (double)twice(heat->columns);
  for (int p = 0; p < heat->panels; p++) {
    add_rows(script, heat, width, across, p % across);
    wal_text_add(script, "set title ");
    wal_gnuplot_quoted(script, heat->panel[p].name);
    wal_text_add(script,
                 "\nplot $p%d matrix using (%.9g+%.9g*$1):(%.9g+%.9g*$2):3 with image title ", p,
                 heat->x0 - (tx > 1 ? heat->dx / 4 : 0), heat->dx / tx,
                 heat->y0 - (ty > 1 ? heat->dy / 4 : 0), heat->dy / ty);
    wal_gnuplot_quoted(script, heat->panel[p].name);
    if (heat->written && tx + ty == 2) add_written(script, heat, p);
    wal_text_add(script, "\n");
  }
}

/* Many panels beside each other need all of the line, too. */
static bool is_wide(const wal_heat *heat) {
  return heat->full || (heat->panels > 1 && heat->across > 2);
}

static void draw(wal_page *page, const wal_heat *heat) {
  wal_text script = {0};
  for (int p = 0; p < heat->panels; p++) add_cells(&script, heat, p);
  for (int wide = 1; wide >= 0; wide--) {
    int across = wide ? heat->across : heat->across_narrow;
    const int width = !wide           ? WAL_DRAWING_NARROW
                      : is_wide(heat) ? WAL_DRAWING_FULL
                                      : WAL_DRAWING_WIDE;
    if (across > heat->panels) across = heat->panels;
    wal_gnuplot_begin(&script, page->figures, wide, width, height_of(heat, width, across));
    add_colours(&script, heat);
    if (heat->panels > 1)
      wal_text_add(&script, "set multiplot layout %d,%d\n", (heat->panels + across - 1) / across,
                   across);
    add_axes(&script, heat, width, across);
    add_panels(&script, heat, width, across);
    if (heat->panels > 1) wal_text_add(&script, "unset multiplot\n");
  }
  wal_gnuplot_draw(page, &script, heat->title);
  wal_text_free(&script);
}

// ---- Scale and table --------------------------------------------------------------------------

static void add_scale(wal_page *page, const wal_heat *heat) {
  char text[32];
  double least, most;
  if (!heat->category) {
    scale_of(heat, &least, &most);
    wal_page_markup(page, "<p class=\"ramp\"><span>");
    wal_page_escaped(page, wal_page_number(least, text));
    wal_page_markup(page, "</span><i></i><span>");
    wal_page_escaped(page, wal_page_number(most, text));
    wal_page_markup(page, "</span><span>");
    wal_page_escaped(page, heat->z_label);
    wal_page_markup(page, "</span></p>\n");
    return;
  }
  wal_page_markup(page, "<ul class=\"key\">\n");
  for (int i = 0; i < heat->categories; i++) {
    wal_text_add(&page->html, "<li class=\"box\" style=\"color:%s\"><i></i><b>", CATEGORY[i]);
    wal_page_escaped(page, heat->category[i]);
    wal_page_markup(page, "</b></li>\n");
  }
  wal_page_markup(page, "</ul>\n");
}

static const char *row_name(wal_page *page, const wal_heat *heat, int64_t r) {
  char number[32];
  if (heat->ticks) return heat->ticks[r];
  return wal_page_print(page, "%s", wal_page_number(heat->y0 + heat->dy * (double)r, number));
}

static void add_table(wal_page *page, const wal_heat *heat, int p, int64_t rows, int64_t columns) {
  const char *heads[TABLE_COLUMNS + 1];
  char number[32];
  const char *less =
      rows < heat->rows || columns < heat->columns
          ? wal_page_print(page, "; %lld of %lld rows, %lld of %lld columns, evenly chosen",
                           (long long)rows, (long long)heat->rows, (long long)columns,
                           (long long)heat->columns)
          : "";
  heads[0] = wal_page_print(page, "%s \\ %s", heat->y_label, heat->x_label);
  for (int64_t c = 0; c < columns; c++) {
    const int64_t at = wal_thinned_row(heat->columns, columns, c);
    const double x = heat->x0 + heat->dx * (double)at;
    heads[1 + c] = heat->column_ticks ? heat->column_ticks[at]
                                      : wal_page_print(page, "%s", wal_page_number(x, number));
  }
  wal_page_table(page,
                 wal_page_print(page, "%s%s%s%s", heat->panel[p].name,
                                *heat->panel[p].name ? ": " : "", heat->z_label, less),
                 (int)columns + 1, heads);
  for (int64_t k = 0; k < rows; k++) {
    const int64_t r = wal_thinned_row(heat->rows, rows, k);
    wal_page_row(page);
    wal_page_cell(page, row_name(page, heat, r));
    for (int64_t c = 0; c < columns; c++) {
      const double cell =
          heat->panel[p].cells[r * heat->columns + wal_thinned_row(heat->columns, columns, c)];
      if (heat->category && cell >= 0 && cell < heat->categories)
        wal_page_cell(page, heat->category[(int)cell]);
      else
        wal_page_cell_number(page, cell);
    }
    wal_page_row_end(page);
  }
  wal_page_table_end(page);
}

void wal_page_heat(wal_page *page, const wal_heat *heat) {
  if (page->status != WAL_OK || heat->panels == 0) return;
  const int64_t rows = wal_thinned_count(heat->rows, TABLE_ROWS / heat->panels);
  const int64_t columns = wal_thinned_count(heat->columns, TABLE_COLUMNS);
  wal_page_figure(page, heat->title, heat->look, is_wide(heat) ? WAL_PLACE_FULL : WAL_PLACE_NEXT);
  draw(page, heat);
  add_scale(page, heat);
  wal_page_details(page, "The numbers");
  for (int p = 0; p < heat->panels; p++) add_table(page, heat, p, rows, columns);
  wal_page_details_end(page);
  wal_page_figure_end(page);
}
