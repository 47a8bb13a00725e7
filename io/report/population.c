// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>

#include "io/report/contents.h"
#include "io/report/plot.h"

/* Finite populations beside the limit of infinitely many. */

enum { FITTED = 64 };

typedef struct gap {
  const char *column, *error, *slope, *name;
} gap;

static const gap GAPS[] = {
    {"return_gap", "return_gap_error", "return_slope", "return"},
    {"mean_field_distance", "mean_field_distance_error", "mean_field_distance_slope", "mean field"},
    {"objective_gap", "objective_gap_error", "objective_slope", "objective"},
};

static const wal_array *column(wal_page *page, int run, const char *name) {
  return wal_page_array(page, run, wal_page_print(page, "/population/%s", name));
}

/* One standard error to each side. */
static void add_error(wal_page *page, wal_curve *curve, const wal_array *error) {
  if (!curve || !error || error->items != curve->count) return;
  double *low = wal_page_acquire(page, curve->count, sizeof *low);
  double *high = wal_page_acquire(page, curve->count, sizeof *high);
  for (int64_t i = 0; low && high && i < curve->count; i++) {
    low[i] = curve->y[i] - error->values[i];
    high[i] = curve->y[i] + error->values[i];
  }
  curve->low = low;
  curve->high = high;
}

/* The line of the fitted slope through the means of both logarithms: where least squares have it.
 */
static void add_fit(wal_page *page, wal_plot *plot, const char *name, const wal_array *n,
                    const wal_array *y, double slope, int colour) {
  double mean_n = 0, mean_y = 0;
  int64_t count = 0;
  double *line = wal_page_acquire(page, n->items, sizeof *line);
  for (int64_t i = 0; i < n->items && i < FITTED; i++) {
    if (!(n->values[i] > 0 && y->values[i] > 0)) continue;
    mean_n += log(n->values[i]);
    mean_y += log(y->values[i]);
    count++;
  }
  if (!line || count < 2 || isnan(slope)) return;
  for (int64_t i = 0; i < n->items; i++)
    line[i] = exp(mean_y / (double)count + slope * (log(n->values[i]) - mean_n / (double)count));
  wal_curve *curve = wal_plot_add(plot, wal_page_print(page, "%s: N^%.2f", name, slope), n->items,
                                  n->values, line);
  if (!curve) return;
  curve->style = WAL_CURVE_RULE;
  curve->colour = colour;
  curve->dash = 2;
}

static void plot_gaps(wal_page *page) {
  wal_plot plot = {.title = "Gaps to the limit against the number of agents",
                   .look =
                       "On these axes a law of the kind N^-1/2 is a straight line: the dotted "
                       "lines are the fitted ones, and points that leave them at the right say "
                       "that something else than chance remains.",
                   .x_label = "agents of each population (N)",
                   .y_label = "gap",
                   .log_x = true,
                   .log_y = true};
  for (int run = 0; run < page->runs; run++) {
    const wal_array *n = column(page, run, "agents");
    for (int i = 0; n && i < (int)(sizeof GAPS / sizeof GAPS[0]); i++) {
      const wal_array *y = column(page, run, GAPS[i].column);
      if (!y || y->items != n->items) continue;
      const char *name = wal_page_of_run(page, run, GAPS[i].name);
      wal_curve *curve = wal_plot_add(&plot, name, n->items, n->values, y->values);
      if (!curve) continue;
      curve->style = run ? WAL_CURVE_POINTS : WAL_CURVE_DOTS;
      curve->colour = i;
      curve->dash = run;
      add_error(page, curve, column(page, run, GAPS[i].error));
      add_fit(page, &plot, name, n, y, wal_page_attribute(page, run, "/population", GAPS[i].slope),
              i);
    }
  }
  wal_page_plot(page, &plot);
}

/* A column beside its limit, which is one number, and exact values where there are some. */
static void plot_beside_limit(wal_page *page, const char *title, const char *look,
                              const char *y_label, const char *name, const char *limit,
                              const char *exact) {
  wal_plot plot = {.title = title,
                   .look = look,
                   .x_label = "agents of each population (N)",
                   .y_label = y_label,
                   .log_x = true};
  for (int run = 0; run < page->runs; run++) {
    const wal_array *n = column(page, run, "agents"), *exactly = column(page, run, exact);
    const wal_array *y = column(page, run, name);
    if (!y) y = column(page, run, wal_page_print(page, "%s_mean", name));
    if (!n || !y || y->items != n->items) continue;
    wal_curve *curve =
        wal_plot_add(&plot, wal_page_of_run(page, run, "N agents"), n->items, n->values, y->values);
    if (curve) {
      curve->style = WAL_CURVE_POINTS;
      curve->colour = 2 * run;
      add_error(page, curve, column(page, run, wal_page_print(page, "%s_error", name)));
    }
    if (exactly && exactly->items == n->items)
      curve = wal_plot_add_finite(page, &plot, wal_page_of_run(page, run, "exact"), n->items,
                                  n->values, exactly->values);
    else
      curve = NULL;
    if (curve) {
      curve->style = WAL_CURVE_DOTS;
      curve->colour = 2 * run + 1;
    }
    const double value = wal_page_attribute(page, run, "/population", limit);
    double *line = isnan(value) ? NULL : wal_page_acquire(page, n->items, sizeof *line);
    for (int64_t i = 0; line && i < n->items; i++) line[i] = value;
    curve = wal_plot_add(&plot, wal_page_of_run(page, run, "infinitely many"), n->items, n->values,
                         line);
    if (curve) {
      curve->style = WAL_CURVE_RULE;
      curve->colour = 6;
      curve->dash = 1 + run;
    }
  }
  wal_page_plot(page, &plot);
}

static void plot_groups(wal_page *page, int run, const char *name, const char *title,
                        const char *look) {
  const wal_array *n = column(page, run, "agents"), *y = column(page, run, name);
  if (!n || !y || y->rank != 2 || y->extent[1] < 2 || y->extent[0] != n->items) return;
  wal_plot plot = {.title = wal_page_of_run(page, run, title),
                   .look = look,
                   .x_label = "agents of each population (N)",
                   .y_label = wal_page_label(page, "mean", y->units),
                   .log_x = true};
  for (int64_t g = 0; g < y->extent[1]; g++) {
    double *values = wal_page_acquire(page, n->items, sizeof *values);
    for (int64_t i = 0; values && i < n->items; i++) values[i] = y->values[i * y->extent[1] + g];
    wal_curve *curve = wal_plot_add(&plot, wal_page_print(page, "group %lld", (long long)g),
                                    n->items, n->values, values);
    if (curve) curve->style = WAL_CURVE_POINTS;
  }
  wal_page_plot(page, &plot);
}

void wal_page_population(wal_page *page) {
  bool any = false;
  for (int run = 0; run < page->runs; run++) any = any || wal_page_has(page, run, "/population");
  if (!any) return;
  wal_page_section(page, "Can it be believed for N agents?",
                   "The same policy played by finitely many agents, drawn at random, beside the "
                   "limit of infinitely many. Bars are one standard error to each side.");
  plot_gaps(page);
  plot_beside_limit(
      page, "Return of an agent",
      "It should come close to the dashed line, the limit, as the agents become many.",
      "return (reward)", "return", "value", "exact_return");
  plot_beside_limit(page, "What an agent gains by deviating",
                    "Small gains mean that the limit's equilibrium is nearly one of N agents, too; "
                    "the dashed line is what deviating gains in the limit.",
                    "gain (reward)", "deviation_gain", "limit_deviation_gain",
                    "exact_deviation_gain");
  plot_beside_limit(
      page, "The designer's objective",
      "It should come close to the dashed line, the limit, as the agents become many.", "objective",
      "objective", "objective", "exact_objective");
  for (int run = 0; run < page->runs; run++) {
    plot_groups(page, run, "group_return", "Return by group",
                "Groups that play other policies get other returns: see who does better.");
    plot_groups(page, run, "group_deviation_gain", "Gain by deviating, by group",
                "The group with the most to gain is the one that does not play a best response.");
  }
  wal_page_section_end(page);
}
