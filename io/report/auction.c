// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <string.h>

#include "io/report/contents.h"
#include "io/report/plot.h"

/* What a batched auction comes to: by bid and round, and round by round. */

enum { ROUNDS = 6, ROUNDS_OF_TWO = 2 };

typedef struct by_bid {
  const char *path, *title, *look, *y_label;
  bool first_price; /* what a winner would pay there is drawn, too */
} by_bid;

static const by_bid BY_BID[] = {
    {"/auction/payment", "What a winner pays for each bid",
     "The grey line is first price, where winners pay their bid: a curve below it leaves winners "
     "some of it, and where it is flat bidding more costs nothing.",
     "payment", true},
    {"/auction/win_probability", "How likely each bid wins",
     "Each round has a threshold: bids above it win, those below do not, and those at it are "
     "drawn by lot.",
     "probability to win", false},
    {"/auction/bid_mass", "How many bid what",
     "Peaks are bids that many make; what moves from round to round shows whether bidders wait.",
     "bidders", false},
};

static void add_first_price(wal_plot *plot, const wal_array *bid) {
  wal_curve *curve = wal_plot_add(plot, "first price", bid->items, bid->values, bid->values);
  if (!curve) return;
  curve->style = WAL_CURVE_RULE;
  curve->colour = 6;
  curve->dash = 1;
}

static void add_rounds(wal_page *page, int run, const by_bid *what, wal_plot *plot) {
  const wal_array *bid = wal_page_array(page, run, "/auction/bid");
  const wal_array *table = wal_page_array(page, run, what->path);
  if (!bid) bid = wal_page_array(page, run, "/axes/bid");
  if (!bid || !table || table->rank != 2 || table->extent[1] != bid->items) return;
  plot->x_label = wal_page_label(page, "bid", bid->units);
  plot->y_label = wal_page_label(page, what->y_label, table->units);
  const int64_t shown =
      wal_thinned_count(table->extent[0], page->runs > 1 ? ROUNDS_OF_TWO : ROUNDS);
  for (int64_t k = 0; k < shown; k++) {
    const int64_t h = wal_thinned_row(table->extent[0], shown, k);
    wal_curve *curve = wal_plot_add(
        plot, wal_page_of_run(page, run, wal_page_print(page, "round %lld", (long long)h)),
        bid->items, bid->values, table->values + h * bid->items);
    if (!curve) continue;
    curve->colour = (int)k;
    curve->dash = run;
  }
  if (what->first_price && run == page->runs - 1) add_first_price(plot, bid);
}

/* Whether winners pay what they bid, in all runs and rounds: then there is nothing to be drawn. */
static bool pays_bids(wal_page *page) {
  for (int run = 0; run < page->runs; run++) {
    const wal_array *bid = wal_page_array(page, run, "/axes/bid");
    const wal_array *payment = wal_page_array(page, run, "/auction/payment");
    if (!bid || !payment) continue;
    for (int64_t i = 0; i < payment->items; i++)
      if (fabs(payment->values[i] - bid->values[i % bid->items]) > 1e-12) return false;
  }
  return true;
}

static void plot_by_bid(wal_page *page, const by_bid *what) {
  if (what->first_price && pays_bids(page)) {
    wal_page_paragraph(page, "Winners pay their bids (first price).");
    return;
  }

  wal_plot plot = {.title = what->title, .look = what->look, .x_label = "bid", .y_label = ""};
  for (int run = 0; run < page->runs; run++) add_rounds(page, run, what, &plot);
  wal_page_plot(page, &plot);
}

/* Columns of /auction over the rounds, of the same unit. */
static void plot_by_round(wal_page *page, const char *title, const char *look,
                          const char *const *columns) {
  wal_plot plot = {.title = title, .look = look, .x_label = "round", .y_label = ""};
  for (int run = 0; run < page->runs; run++)
    for (int c = 0; columns[c]; c++) {
      const wal_array *y =
          wal_page_array(page, run, wal_page_print(page, "/auction/%s", columns[c]));
      if (!y || y->rank != 1) continue;
      plot.y_label = y->units;
      wal_curve *curve = wal_plot_add(&plot, wal_page_of_run(page, run, columns[c]), y->items,
                                      wal_page_counting(page, y->items), y->values);
      if (!curve) continue;
      curve->style =
          page->runs == 1 && strcmp(columns[c], "goods") == 0 ? WAL_CURVE_BARS : WAL_CURVE_POINTS;
      curve->colour = c;
      curve->dash = run;
    }
  wal_page_plot(page, &plot);
}

void wal_page_auction(wal_page *page) {
  static const char *const MONEY[] = {"revenue", "efficiency", "surplus", NULL};
  static const char *const PRICES[] = {"threshold", "mean_payment", NULL};
  static const char *const GOODS[] = {"goods", "sold", NULL};
  bool any = false;
  for (int run = 0; run < page->runs; run++) any = any || wal_page_has(page, run, "/auction");
  if (!any) return;
  wal_page_section(page, "The auction",
                   "Rounds are numbered from 0. Efficiency is the value of the goods to those who "
                   "get them: the revenue goes to the seller, the surplus stays with the bidders.");
  for (size_t i = 0; i < sizeof BY_BID / sizeof BY_BID[0]; i++) plot_by_bid(page, &BY_BID[i]);
  plot_by_round(page, "Revenue and welfare by round",
                "Revenue and surplus add up to efficiency: see who gains in which round.", MONEY);
  plot_by_round(page, "Prices by round",
                "The least bid that wins, and what winners pay on average: where the second lies "
                "below the first, winners keep the difference.",
                PRICES);
  plot_by_round(
      page, "Goods by round",
      "Goods on sale, and goods sold: where fewer are sold than there are, the rules hold "
      "some back.",
      GOODS);
  wal_page_section_end(page);
}
