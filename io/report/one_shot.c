// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>

#include "io/report/contents.h"
#include "io/report/plot.h"

/* An auction among a few bidders, simulated: what it comes to, and whether anybody should bid
 * otherwise. */

static void plot_estimates(wal_page *page) {
  const wal_texts names = wal_page_texts(page, 0, "/simulation/quantity");
  wal_plot plot = {.title = "What the auction comes to",
                   .look =
                       "Estimates with two standard errors to each side, beside what theory says "
                       "where it says something: the points should lie on each other.",
                   .x_label = "quantity",
                   .y_label = "mean (value)",
                   .ticks = names.text,
                   .tick_count = names.count};
  if (names.count == 0) return;
  for (int run = 0; run < page->runs; run++) {
    const wal_array *mean = wal_page_array(page, run, "/simulation/estimate");
    const wal_array *error = wal_page_array(page, run, "/simulation/standard_error");
    const wal_array *exact = wal_page_array(page, run, "/simulation/exact");
    if (!mean || mean->items != names.count) continue;
    const double *x = wal_page_counting(page, mean->items);
    double *low = wal_page_acquire(page, mean->items, sizeof *low);
    double *high = wal_page_acquire(page, mean->items, sizeof *high);
    for (int64_t i = 0; low && high && i < mean->items; i++) {
      low[i] = mean->values[i] - 2 * wal_array_at(error, i);
      high[i] = mean->values[i] + 2 * wal_array_at(error, i);
    }
    wal_curve *curve =
        wal_plot_add(&plot, wal_page_of_run(page, run, "simulated"), mean->items, x, mean->values);
    if (curve) {
      curve->style = WAL_CURVE_DOTS;
      curve->colour = 2 * run;
      curve->low = low;
      curve->high = high;
    }
    curve = exact && exact->items == mean->items
                ? wal_plot_add_finite(page, &plot, wal_page_of_run(page, run, "in theory"),
                                      exact->items, x, exact->values)
                : NULL;
    if (!curve) continue;
    curve->style = WAL_CURVE_DOTS;
    curve->colour = 2 * run + 1;
  }
  wal_page_plot(page, &plot);
}

static void table_estimates(wal_page *page, int run) {
  static const char *const HEADS[] = {"quantity", "estimate", "standard error", "in theory",
                                      "difference, in standard errors"};
  static const char *const COLUMNS[] = {"estimate", "standard_error", "exact", "difference"};
  const wal_texts names = wal_page_texts(page, run, "/simulation/quantity");
  wal_page_table_of(page, run, wal_page_of_run(page, run, "estimates"), "/simulation", &names, 4,
                    COLUMNS, HEADS);
}

static void plot_deviations(wal_page *page, const char *const *columns, const char *const *names,
                            const char *title, const char *look, const char *y_label) {
  wal_plot plot = {.title = title, .look = look, .x_label = "value", .y_label = y_label};
  for (int run = 0; run < page->runs; run++)
    for (int c = 0; columns[c]; c++) {
      const wal_array *x = wal_page_array(page, run, "/deviation/value");
      const wal_array *y =
          wal_page_array(page, run, wal_page_print(page, "/deviation/%s", columns[c]));
      if (!x || !y || x->items != y->items) continue;
      double *bids = wal_page_acquire(page, y->items, sizeof *bids);
      // A bid of -1 is none at all.
      for (int64_t i = 0; bids && i < y->items; i++)
        bids[i] = c > 0 && y->values[i] < 0 ? NAN : y->values[i];
      wal_curve *curve =
          wal_plot_add(&plot, wal_page_of_run(page, run, names[c]), x->items, x->values, bids);
      if (!curve) continue;
      curve->style = c > 0 ? WAL_CURVE_DOTS : WAL_CURVE_LINE;
      curve->colour = 2 * run + c;
    }
  wal_page_plot(page, &plot);
}

void wal_page_one_shot(wal_page *page) {
  static const char *const BIDS[] = {"bid", "best_bid", NULL};
  static const char *const BID_NAMES[] = {"what they bid", "best reply", NULL};
  static const char *const GAIN[] = {"gain", NULL};
  static const char *const GAIN_NAMES[] = {"gain", NULL};
  bool any = false;
  for (int run = 0; run < page->runs; run++) any = any || wal_page_has(page, run, "/simulation");
  if (!any) return;
  wal_page_section(page, "The auction, simulated",
                   "Means over many auctions among a few bidders with independent values.");
  plot_estimates(page);
  for (int run = 0; run < page->runs; run++) table_estimates(page, run);
  plot_deviations(page, BIDS, BID_NAMES, "Should anybody bid otherwise?",
                  "The points are the best reply of a bidder to the others: at an equilibrium they "
                  "lie on the curve, but for the grid and chance.",
                  "bid (value)");
  plot_deviations(page, GAIN, GAIN_NAMES, "What the best reply gains",
                  "By the bidder's value: near zero everywhere at an equilibrium; a hump shows who "
                  "bids wrongly.",
                  "expected gain (value)");
  wal_page_section_end(page);
}
