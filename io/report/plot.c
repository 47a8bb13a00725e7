// SPDX-License-Identifier: GPL-3.0-or-later
#include "io/report/plot.h"

#include <math.h>
#include <string.h>

#include "io/report/axes.h"
#include "io/report/gnuplot.h"

enum { HEIGHT_WIDE = 340, HEIGHT_NARROW = 270 };

/* Okabe and Ito's colours, and a grey; style.c has what the page makes of them. */
static const char *const COLOUR[WAL_PLOT_COLOURS] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                     "#e69f00", "#56b4e9", "#5b6470", "#f0e442"};

// ---- Pieces -----------------------------------------------------------------------------------

int64_t wal_thinned_count(int64_t count, int64_t most) { return count < most ? count : most; }

int64_t wal_thinned_row(int64_t count, int64_t shown, int64_t k) {
  if (shown <= 1) return 0;
  return (int64_t)llround((double)k * (double)(count - 1) / (double)(shown - 1));
}

wal_curve *wal_plot_add(wal_plot *plot, const char *name, int64_t count, const double *x,
                        const double *y) {
  if (!x || !y || count < 1 || plot->curves == WAL_PLOT_CURVES) return NULL;
  wal_curve *curve = &plot->curve[plot->curves];
  *curve = (wal_curve){.name = name,
                       .colour = plot->curves % WAL_PLOT_COLOURS,
                       .dash = plot->curves / WAL_PLOT_COLOURS % 3,
                       .count = count,
                       .x = x,
                       .y = y};
  plot->curves++;
  return curve;
}

wal_curve *wal_plot_add_finite(wal_page *page, wal_plot *plot, const char *name, int64_t count,
                               const double *x, const double *y) {
  double *pairs = wal_page_acquire(page, 2 * count, sizeof *pairs);
  int64_t kept = 0;
  for (int64_t i = 0; pairs && i < count; i++) {
    if (!isfinite(x[i]) || !isfinite(y[i])) continue;
    pairs[kept] = x[i];
    pairs[count + kept++] = y[i];
  }
  return pairs ? wal_plot_add(plot, name, kept, pairs, pairs + count) : NULL;
}

const char *wal_page_label(wal_page *page, const char *name, const char *units) {
  if (!units || !*units || strcmp(units, "1") == 0 || strcmp(units, name) == 0) return name;
  return wal_page_print(page, "%s (%s)", name, units);
}

const double *wal_page_counting(wal_page *page, int64_t count) {
  double *numbers = wal_page_acquire(page, count, sizeof *numbers);
  for (int64_t i = 0; numbers && i < count; i++) numbers[i] = (double)i;
  return numbers;
}

const char *wal_page_of_run(wal_page *page, int run, const char *name) {
  if (!*page->run[run].mark) return name;
  return wal_page_print(page, "%s: %s", page->run[run].mark, name);
}

void wal_page_figure(wal_page *page, const char *title, const char *look, wal_place place) {
  static const char *const BEGIN[] = {"<figure>\n", "<figure class=\"left\">\n",
                                      "<figure class=\"full\">\n"};
  page->figures++;
  wal_page_markup(page, BEGIN[place]);
  wal_page_markup(page, "<figcaption>\n<h3>");
  wal_page_escaped(page, title);
  wal_page_markup(page, "</h3>\n<p>");
  wal_page_escaped(page, look);
  wal_page_markup(page, "</p>\n</figcaption>\n");
}

void wal_page_figure_end(wal_page *page) { wal_page_markup(page, "</figure>\n"); }

// ---- The script -------------------------------------------------------------------------------

static void add_number(wal_text *script, double value) {
  if (isfinite(value))
    wal_text_add(script, " %.7g", value);
  else
    wal_text_add(script, " NaN");
}

static void add_data(wal_text *script, const wal_curve *curve, int number) {
  const int64_t shown = wal_thinned_count(curve->count, WAL_PLOT_POINTS);
  wal_text_add(script, "$d%d << EOD\n", number);
  for (int64_t k = 0; k < shown; k++) {
    const int64_t i = wal_thinned_row(curve->count, shown, k);
    add_number(script, curve->x[i]);
    add_number(script, curve->y[i]);
    add_number(script, curve->low ? curve->low[i] : NAN);
    add_number(script, curve->high ? curve->high[i] : NAN);
    wal_text_add(script, "\n");
  }
  wal_text_add(script, "EOD\n");
}

static bool has_range(const wal_curve *curve) { return curve->low && curve->high; }

static void add_band(wal_text *script, const wal_curve *curve, int number, const char **before) {
  if (!has_range(curve)) return;
  if (curve->style == WAL_CURVE_LINE)
    wal_text_add(script,
                 "%s$d%d using 1:3:4 with filledcurves fs transparent solid 0.16 noborder lc rgb "
                 "'%s' title ",
                 *before, number, COLOUR[curve->colour]);
  else
    wal_text_add(script, "%s$d%d using 1:2:3:4 with yerrorbars lc rgb '%s' lw 1.5 pt -1 title ",
                 *before, number, COLOUR[curve->colour]);
  wal_gnuplot_quoted(script, curve->name);
  *before = ",\\\n ";
}

static void add_curve(wal_text *script, const wal_curve *curve, int number, const char **before) {
  static const char *const HOW[] = {
      "lines lw 2", "linespoints lw 1.5 pt 7 ps 0.5", "points pt 7 ps 0.7",
      "steps lw 2", "boxes fs solid 0.85 noborder",   "lines lw 1.2"};
  wal_text_add(script, "%s$d%d using 1:2 with %s lc rgb '%s' dt %d title ", *before, number,
               HOW[curve->style], COLOUR[curve->colour], curve->dash + 1);
  wal_gnuplot_quoted(script, curve->name);
  *before = ",\\\n ";
}

/* Of the finite numbers of an axis: how many there are, and how many of them a logarithm has. */
static void count_numbers(const wal_plot *plot, bool x, int64_t *finite, int64_t *positive) {
  *finite = *positive = 0;
  for (int c = 0; c < plot->curves; c++)
    for (int64_t i = 0; i < plot->curve[c].count; i++) {
      const double value = x ? plot->curve[c].x[i] : plot->curve[c].y[i];
      *finite += isfinite(value);
      *positive += isfinite(value) && value > 0;
    }
}

/* Whether an axis is logarithmic: if that is asked for, and most of its numbers allow it. */
static bool is_log(const wal_plot *plot, bool x) {
  int64_t finite, positive;
  count_numbers(plot, x, &finite, &positive);
  return (x ? plot->log_x : plot->log_y) && positive > 0 && positive >= finite - finite / 4;
}

static int64_t left_out(const wal_plot *plot, bool x) {
  int64_t finite, positive;
  count_numbers(plot, x, &finite, &positive);
  return is_log(plot, x) ? finite - positive : 0;
}

static bool has_numbers(const wal_plot *plot) {
  for (int c = 0; c < plot->curves; c++)
    for (int64_t i = 0; i < plot->curve[c].count; i++)
      if (isfinite(plot->curve[c].y[i]) && isfinite(plot->curve[c].x[i])) return true;
  return false;
}

static bool has_bars(const wal_plot *plot) {
  return plot->curves > 0 && plot->curve[0].style == WAL_CURVE_BARS;
}

/* Points alone, and those with bars, keep some room around them. */
static bool has_dots(const wal_plot *plot) {
  for (int c = 0; c < plot->curves; c++) {
    const wal_curve *curve = &plot->curve[c];
    if (curve->style == WAL_CURVE_DOTS || curve->style == WAL_CURVE_BARS) return true;
    if (has_range(curve) && curve->style != WAL_CURVE_LINE) return true;
  }
  return false;
}

static void stretch(wal_axis_span *span, double value) {
  if (!isfinite(value) || (span->log && value <= 0)) return;
  span->least = fmin(span->least, value);
  span->most = fmax(span->most, value);
}

static wal_axis_span span_of_x(const wal_plot *plot, bool wide) {
  wal_axis_span span = {.least = INFINITY,
                        .most = -INFINITY,
                        .log = is_log(plot, true),
                        .whole = true,
                        .room = has_dots(plot),
                        .about = wide ? 6 : 3};
  for (int c = 0; c < plot->curves; c++)
    for (int64_t i = 0; i < plot->curve[c].count; i++) {
      const double x = plot->curve[c].x[i];
      stretch(&span, x);
      if (isfinite(x) && x != floor(x)) span.whole = false;
      wal_axis_note(&span, x);
    }
  return span;
}

static double largest_y(const wal_plot *plot) {
  double most = -INFINITY;
  for (int c = 0; c < plot->curves; c++)
    for (int64_t i = 0; i < plot->curve[c].count; i++)
      if (isfinite(plot->curve[c].y[i])) most = fmax(most, plot->curve[c].y[i]);
  return most;
}

/* Where a logarithmic axis of sums ends below: what is less is mostly rounding; else -inf. */
static double floor_of_y(const wal_plot *plot) {
  return plot->sums && is_log(plot, false) ? 1e-6 * largest_y(plot) : -INFINITY;
}

/* How many positive numbers lie below. */
static int64_t below_axis(const wal_plot *plot) {
  const double least = floor_of_y(plot);
  int64_t below = 0;
  for (int c = 0; c < plot->curves; c++)
    for (int64_t i = 0; i < plot->curve[c].count; i++)
      below += plot->curve[c].y[i] > 0 && plot->curve[c].y[i] < least;
  return below;
}

static wal_axis_span span_of_y(const wal_plot *plot) {
  const double least = floor_of_y(plot);
  wal_axis_span span = {
      .least = INFINITY, .most = -INFINITY, .log = is_log(plot, false), .round = true, .about = 5};
  for (int c = 0; c < plot->curves; c++) {
    const wal_curve *curve = &plot->curve[c];
    for (int64_t i = 0; i < curve->count; i++) {
      const double at[] = {curve->y[i], has_range(curve) ? curve->low[i] : NAN,
                           has_range(curve) ? curve->high[i] : NAN};
      for (int k = 0; k < 3; k++)
        if (!(at[k] < least)) stretch(&span, at[k]);
    }
  }
  span.places = -1;
  if (!has_bars(plot)) return span;
  // Bars stand on zero, or hang from it, with the value at their end if they have names.
  stretch(&span, 0);
  const double room = (plot->ticks ? 0.14 : 0) * (span.most - span.least);
  if (span.most > 0) span.most += room;
  if (span.least < 0) span.least -= room;
  return span;
}

static void add_axes(wal_text *script, const wal_plot *plot, bool wide) {
  wal_text_add(script, "set grid ytics lc rgb '#dddddd' lw 1 dt solid\nset xlabel ");
  wal_gnuplot_quoted(script, plot->x_label);
  wal_text_add(script, "\nset ylabel ");
  wal_gnuplot_quoted(script, plot->y_label);
  wal_text_add(script, " offset 1,0\n");
  wal_axis_span x = span_of_x(plot, wide);
  const wal_axis_span y = span_of_y(plot);
  if (has_bars(plot)) {
    x.least -= 0.5;
    x.most += 0.5;
    x.room = false;
  }
  if (!plot->ticks) wal_gnuplot_axis(script, "x", &x);
  wal_gnuplot_axis(script, "y", &y);
  if (has_bars(plot))
    wal_text_add(script, "set boxwidth 0.6\nset xzeroaxis lc rgb '#777777' dt 1\n");
  if (!plot->ticks) return;
  wal_gnuplot_names(script, plot->ticks, plot->tick_count, 0, 1,
                    (wide ? 66.0 : 36.0) / (double)plot->tick_count);
  wal_text_add(script, "set xrange [-0.6:%lld.6]\n", (long long)(plot->tick_count - 1));
}

static void draw(wal_page *page, const wal_plot *plot) {
  wal_text script = {0};
  for (int c = 0; c < plot->curves; c++) add_data(&script, &plot->curve[c], c);
  for (int wide = 1; wide >= 0; wide--) {
    const char *before = "plot ";
    wal_gnuplot_begin(&script, page->figures, wide, wide ? WAL_DRAWING_WIDE : WAL_DRAWING_NARROW,
                      wide ? HEIGHT_WIDE : HEIGHT_NARROW);
    add_axes(&script, plot, wide);
    for (int c = 0; c < plot->curves; c++) add_band(&script, &plot->curve[c], c, &before);
    for (int c = 0; c < plot->curves; c++) add_curve(&script, &plot->curve[c], c, &before);
    if (has_bars(plot) && plot->ticks && plot->tick_count <= 8)
      wal_text_add(&script,
                   "%s$d0 using 1:2:(sprintf('%%.4g', $2)) with labels textcolor rgb '#555555' "
                   "offset 0,%s",
                   before, span_of_y(plot).most > 0 ? "0.7" : "-0.7");
    wal_text_add(&script, "\n");
  }
  wal_gnuplot_draw(page, &script, plot->title);
  wal_text_free(&script);
}

// ---- Key and table ----------------------------------------------------------------------------

static void add_key(wal_page *page, const wal_plot *plot) {
  if (plot->curves < 2) return;
  wal_page_markup(page, "<ul class=\"key\">\n");
  for (int c = 0; c < plot->curves; c++) {
    const wal_curve *curve = &plot->curve[c];
    wal_text_add(&page->html, "<li class=\"c%d d%d%s\"><i></i><b>", curve->colour + 1,
                 curve->dash + 1,
                 curve->style == WAL_CURVE_BARS   ? " box"
                 : curve->style == WAL_CURVE_DOTS ? " dot"
                                                  : "");
    wal_page_escaped(page, curve->name);
    wal_page_markup(page, "</b></li>\n");
  }
  wal_page_markup(page, "</ul>\n");
}

static bool same_x(const wal_curve *a, const wal_curve *b) {
  return a->count == b->count &&
         (a->x == b->x || memcmp(a->x, b->x, (size_t)a->count * sizeof *a->x) == 0);
}

/* Curves from `first` on that stand in one table with it: those at the same places. */
static int group_end(const wal_plot *plot, int first) {
  int end = first + 1;
  while (end < plot->curves && same_x(&plot->curve[first], &plot->curve[end])) end++;
  return end;
}

static void add_heads(wal_page *page, const wal_plot *plot, int first, int end) {
  const char *heads[1 + 3 * WAL_PLOT_CURVES];
  const wal_curve *at = &plot->curve[first];
  int columns = 0;
  heads[columns++] = *plot->x_label ? plot->x_label : "what";
  for (int c = first; c < end; c++) {
    const wal_curve *curve = &plot->curve[c];
    heads[columns++] = curve->name;
    if (!has_range(curve)) continue;
    heads[columns++] = "low";
    heads[columns++] = "high";
  }
  const int64_t shown = wal_thinned_count(at->count, WAL_PLOT_TABLE);
  const char *which = shown < at->count ? wal_page_print(page, "%lld of %lld rows, evenly chosen",
                                                         (long long)shown, (long long)at->count)
                                        : "";
  wal_page_table(page,
                 *which ? wal_page_print(page, "%s; %s", plot->y_label, which) : plot->y_label,
                 columns, heads);
}

static void add_rows(wal_page *page, const wal_plot *plot, int first, int end) {
  const wal_curve *at = &plot->curve[first];
  const int64_t shown = wal_thinned_count(at->count, WAL_PLOT_TABLE);
  for (int64_t k = 0; k < shown; k++) {
    const int64_t i = wal_thinned_row(at->count, shown, k);
    const bool named = plot->ticks && at->x[i] >= 0 && at->x[i] < (double)plot->tick_count;
    wal_page_row(page);
    if (named)
      wal_page_cell(page, plot->ticks[(int64_t)llround(at->x[i])]);
    else
      wal_page_cell_number(page, at->x[i]);
    for (int c = first; c < end; c++) {
      const wal_curve *curve = &plot->curve[c];
      wal_page_cell_number(page, curve->y[i]);
      if (!has_range(curve)) continue;
      wal_page_cell_number(page, curve->low[i]);
      wal_page_cell_number(page, curve->high[i]);
    }
    wal_page_row_end(page);
  }
}

static void add_tables(wal_page *page, const wal_plot *plot) {
  wal_page_details(page, "The numbers");
  for (int c = 0; c < plot->curves;) {
    const int end = group_end(plot, c);
    add_heads(page, plot, c, end);
    add_rows(page, plot, c, end);
    wal_page_table_end(page);
    c = end;
  }
  wal_page_details_end(page);
}

/* Curves of a single place are no figure: they are told in a line. */
static bool has_one_place(const wal_plot *plot) {
  for (int c = 0; c < plot->curves; c++) {
    const wal_curve *curve = &plot->curve[c];
    if (plot->ticks || curve->style == WAL_CURVE_BARS || curve->style == WAL_CURVE_DOTS)
      return false;
    for (int64_t i = 0; i < curve->count; i++)
      if (curve->x[i] != plot->curve[0].x[0]) return false;
  }
  return true;
}

static void tell(wal_page *page, const wal_plot *plot) {
  char x[32], y[32];
  const char *line = wal_page_print(page, "%s: there is one place only, %s %s.", plot->title,
                                    plot->x_label, wal_page_number(plot->curve[0].x[0], x));
  for (int c = 0; c < plot->curves; c++)
    line = wal_page_print(page, "%s%s %s is %s", line, c ? "," : "", plot->curve[c].name,
                          wal_page_number(plot->curve[c].y[0], y));
  wal_page_paragraph(page, wal_page_print(page, "%s.", line));
}

void wal_page_plot(wal_page *page, const wal_plot *plot) {
  if (page->status != WAL_OK || plot->curves == 0) return;
  if (has_one_place(plot)) {
    if (!plot->again) tell(page, plot);
    return;
  }
  wal_page_figure(page, plot->title, plot->look, plot->place);
  if (has_numbers(plot)) {
    draw(page, plot);
    add_key(page, plot);
    if (left_out(plot, true) + left_out(plot, false) > 0)
      wal_page_note(page,
                    "What is not positive has no place on a logarithmic axis: it stands "
                    "in the table only.");
    if (below_axis(plot) > 0)
      wal_page_note(page,
                    "What is less than a millionth of the largest lies below the axis: it "
                    "stands in the table only.");
  } else {
    wal_page_note(page, "There is nothing finite to draw.");
  }
  add_tables(page, plot);
  wal_page_figure_end(page);
}
