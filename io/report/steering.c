// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>

#include "io/report/bands.h"
#include "io/report/contents.h"

/* How mediators steered a crowd to a target, and what it cost. */

typedef struct measure {
  const char *name, *title, *look, *y_label;
  bool stabilizer; /**< what the cheapest stabilizer would have paid is drawn, too */
} measure;

static const measure MEASURES[] = {
    {"gap", "Distance from the target",
     "Summed over the episodes: a mediator that succeeds bends away from the straight line of "
     "those "
     "that do not, and a flat curve has arrived.",
     "gap, summed (1)", false},
    {"occupancy_gap", "Distance of where they are from where they should be",
     "As above for the masses of states and actions: it can be small although the policy differs "
     "where nobody goes.",
     "gap of masses, summed (1)", false},
    {"cost", "Payments",
     "Summed over the episodes. The grey line is what the cheapest stabilizer of the target would "
     "have paid: the price of staying there, which nobody who stays there can undercut for long.",
     "payments, summed (reward)", true},
    {"running_excess", "Payments beyond the exploitability of what is played",
     "The running excess, summed over the episodes: the price of learning. Its exponent (\"excess "
     "sum grows as t^\" in the table) is the slope of this curve: 1/2 means that four times the "
     "episodes cost twice as much, and anything below 1 that it becomes negligible an episode.",
     "excess, summed (reward)", false},
    {"excess", "Payments beyond those of the cheapest stabilizer",
     "Summed over the episodes: negative at first if little is paid while the crowd is still far "
     "away.",
     "excess, summed (reward)", false},
};

static void add_stabilizer(wal_page *page, int run, wal_plot *plot, const wal_array *episode) {
  const double cost = wal_page_attribute(page, run, "/steering/target", "cheapest_cost");
  double *line = isnan(cost) ? NULL : wal_page_acquire(page, episode->items, sizeof *line);
  for (int64_t i = 0; line && i < episode->items; i++) line[i] = cost * episode->values[i];
  wal_curve *curve = wal_plot_add(plot, wal_page_of_run(page, run, "cheapest stabilizer (C*)"),
                                  episode->items, episode->values, line);
  if (!curve) return;
  curve->style = WAL_CURVE_RULE;
  curve->colour = 6;
  curve->dash = 1 + run;
}

static void plot_measure(wal_page *page, const measure *what) {
  wal_plot plot = {.title = what->title,
                   .look = what->look,
                   .x_label = "episode",
                   .y_label = what->y_label,
                   .log_x = true,
                   .log_y = true,
                   .sums = true};
  for (int run = 0; run < page->runs; run++) {
    const wal_texts names = wal_page_texts(page, run, "/steering/mediator");
    const wal_array *episode = wal_page_array(page, run, "/steering/episode");
    const wal_array *table =
        wal_page_array(page, run, wal_page_print(page, "/steering/%s", what->name));
    if (!episode || !table || table->rank != 3) continue;
    for (int64_t m = 0; m < names.count; m++) {
      wal_curve *curve = wal_plot_add_seeds(page, &plot, wal_page_of_run(page, run, names.text[m]),
                                            episode, table, m);
      if (!curve) continue;
      curve->colour = (int)(m % WAL_PLOT_COLOURS);
      curve->dash = page->runs > 1 ? run : (int)(m / WAL_PLOT_COLOURS % 3);
    }
    if (what->stabilizer) add_stabilizer(page, run, &plot, episode);
  }
  wal_page_plot(page, &plot);
}

static void table_summary(wal_page *page, int run) {
  static const char *const COLUMNS[] = {
      "gap_per_episode",   "cost_per_episode", "gap_exponent",        "gap_exponent_low",
      "gap_exponent_high", "excess_exponent",  "excess_exponent_low", "excess_exponent_high",
      "largest_payment",   "violations"};
  static const char *const HEADS[] = {"mediator",
                                      "gap an episode",
                                      "cost an episode",
                                      "gap sum grows as t^",
                                      "from",
                                      "to",
                                      "excess sum grows as t^",
                                      "from",
                                      "to",
                                      "largest payment",
                                      "paid too little"};
  enum { COUNT = sizeof COLUMNS / sizeof COLUMNS[0] };
  const wal_texts names = wal_page_texts(page, run, "/steering/mediator");
  wal_page_table_of(
      page, run,
      wal_page_of_run(page, run,
                      "mediators: an episode of the second half; exponents of the sums "
                      "of gaps and of the running excess (payments beyond the "
                      "exploitability of what is played), with 95 % intervals; share "
                      "of payments below what equalizes"),
      "/steering/summary", &names, COUNT, COLUMNS, HEADS);
}

void wal_page_steering(wal_page *page) {
  bool any = false;
  for (int run = 0; run < page->runs; run++) any = any || wal_page_has(page, run, "/steering");
  if (!any) return;
  wal_page_section(
      page, "The steering",
      "Mediators pay learning agents so that they play the target. Curves are means of "
      "the seeds, bands reach from the least seed to the largest.");
  for (int run = 0; run < page->runs; run++) table_summary(page, run);
  for (size_t i = 0; i < sizeof MEASURES / sizeof MEASURES[0]; i++)
    plot_measure(page, &MEASURES[i]);
  wal_page_section_end(page);
}
