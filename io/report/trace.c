// SPDX-License-Identifier: GPL-3.0-or-later
#include "io/report/contents.h"
#include "io/report/plot.h"

/* How a solve went: /trace against iterations and seconds. */

/* Exploitability over `axis`, a dataset of as many rows. */
static void plot_over(wal_page *page, const char *axis, const char *label, const char *title,
                      const char *look) {
  wal_plot plot = {.title = title, .look = look, .x_label = label, .log_y = true};
  plot.y_label = "exploitability";
  for (int run = 0; run < page->runs; run++) {
    const wal_array *x = wal_page_array(page, run, axis);
    const wal_array *y = wal_page_array(page, run, "/trace/exploitability");
    const wal_array *entropy = wal_page_array(page, run, "/trace/regularized_exploitability");
    if (!x || !y || x->items != y->items) continue;
    plot.y_label = wal_page_label(page, "exploitability", y->units);
    wal_curve *curve = wal_plot_add(&plot, wal_page_of_run(page, run, "exploitability"), x->items,
                                    x->values, y->values);
    if (curve) curve->colour = run;
    if (!entropy || entropy->items != x->items) continue;
    curve = wal_plot_add(&plot, wal_page_of_run(page, run, "with the learner's entropy"), x->items,
                         x->values, entropy->values);
    if (curve) {
      curve->colour = run;
      curve->dash = 1;
    }
  }
  wal_page_plot(page, &plot);
}

static void plot_value(wal_page *page) {
  wal_plot plot = {.title = "Expected reward of the policy",
                   .look =
                       "It should settle. At an equilibrium nobody can get more than this by "
                       "playing otherwise, which does not mean that it is large.",
                   .x_label = "iteration"};
  plot.y_label = "value";
  for (int run = 0; run < page->runs; run++) {
    const wal_array *x = wal_page_array(page, run, "/trace/iteration");
    const wal_array *y = wal_page_array(page, run, "/trace/value");
    if (!x || !y || x->items != y->items) continue;
    plot.y_label = wal_page_label(page, "value", y->units);
    wal_curve *curve =
        wal_plot_add(&plot, wal_page_of_run(page, run, "value"), x->items, x->values, y->values);
    if (curve) curve->colour = run;
  }
  wal_page_plot(page, &plot);
}

/* Column `c` of a table [iteration, population]. */
static const double *column(wal_page *page, const wal_array *table, int64_t c) {
  double *out = wal_page_acquire(page, table->extent[0], sizeof *out);
  for (int64_t i = 0; out && i < table->extent[0]; i++)
    out[i] = table->values[i * table->extent[1] + c];
  return out;
}

static void plot_populations(wal_page *page, int run) {
  const wal_array *x = wal_page_array(page, run, "/trace/iteration");
  const wal_array *y = wal_page_array(page, run, "/trace/exploitability_by_population");
  if (!x || !y || y->rank != 2 || y->extent[0] != x->items) return;
  wal_plot plot = {.title = wal_page_of_run(page, run, "Exploitability by population"),
                   .look =
                       "All curves should fall: one that stays up is a population that is not "
                       "at rest. Their sum is the exploitability above.",
                   .x_label = "iteration",
                   .log_y = true};
  plot.y_label = wal_page_label(page, "exploitability", y->units);
  for (int64_t p = 0; p < y->extent[1]; p++)
    wal_plot_add(&plot, wal_page_print(page, "population %lld", (long long)p), x->items, x->values,
                 column(page, y, p));
  wal_page_plot(page, &plot);
}

void wal_page_trace(wal_page *page) {
  bool any = false;
  for (int run = 0; run < page->runs; run++)
    any = any || wal_page_has(page, run, "/trace/exploitability");
  if (!any) return;
  wal_page_section(page, "Did it converge?",
                   "Exploitability is what a single player could gain by leaving the policy while "
                   "everybody else keeps to it: zero at an equilibrium.");
  plot_over(page, "/trace/iteration", "iteration", "Exploitability against iterations",
            "It should fall and stay down; a flat tail means that more iterations alone will not "
            "help, and with an entropy only the curve that counts it can reach zero.");
  plot_over(page, "/run/seconds", "seconds (s)", "Exploitability against time",
            "The same against the clock of the machine that ran it: how long a given closeness to "
            "equilibrium takes.");
  plot_value(page);
  for (int run = 0; run < page->runs; run++) plot_populations(page, run);
  wal_page_section_end(page);
}
