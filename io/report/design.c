// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>

#include "io/report/contents.h"
#include "io/report/plot.h"

/* What a design found, and the way there. */

enum { RESTARTS = 8 };

// ---- Usual rules, start and best design -------------------------------------------------------

static void plot_reference(wal_page *page) {
  wal_plot plot = {.title = "How much better is it?",
                   .look =
                       "The objective under the usual rules, at the design's start and at its "
                       "best, all judged in the same way: the higher a bar ends, the better the "
                       "rules.",
                   .x_label = "rules",
                   .y_label = "objective"};
  const wal_texts names = wal_page_texts(page, 0, "/design/reference/name");
  if (names.count == 0) return;
  plot.ticks = names.text;
  plot.tick_count = names.count;
  for (int run = 0; run < page->runs; run++) {
    const wal_array *y = wal_page_array(page, run, "/design/reference/objective");
    if (!y || y->items != names.count) continue;
    const double *counting = wal_page_counting(page, y->items);
    wal_curve *curve =
        wal_plot_add(&plot, wal_page_of_run(page, run, "objective"), y->items, counting, y->values);
    if (!curve) continue;
    curve->style = page->runs > 1 ? WAL_CURVE_DOTS : WAL_CURVE_BARS;
    curve->colour = run;
  }
  wal_page_plot(page, &plot);
}

static void table_reference(wal_page *page, int run, bool half) {
  static const char *const HEADS[] = {"rules", "objective", "exploitability with entropy",
                                      "exploitability"};
  static const char *const COLUMNS[] = {"objective", "exploitability", "plain_exploitability"};
  const wal_texts names = wal_page_texts(page, run, "/design/reference/name");
  if (names.count == 0) return;
  wal_page_markup(page, half ? "<div class=\"half\">\n" : "<div>\n");
  wal_page_table_of(page, run, wal_page_of_run(page, run, "rules compared"), "/design/reference",
                    &names, 3, COLUMNS, HEADS);
  wal_page_markup(page, "</div>\n");
}

// ---- The way ----------------------------------------------------------------------------------

static void add_way(wal_page *page, int run, wal_plot *plot, const char *axis, const char *column,
                    const char *name, int colour, int dash, wal_curve_style style) {
  const wal_array *x = wal_page_array(page, run, axis);
  const wal_array *y = wal_page_array(page, run, wal_page_print(page, "/design/%s", column));
  if (!x || !y || x->items != y->items) return;
  wal_curve *curve = wal_plot_add_finite(page, plot, wal_page_of_run(page, run, name), x->items,
                                         x->values, y->values);
  if (!curve) return;
  curve->colour = colour;
  curve->dash = dash;
  curve->style = style;
}

static void plot_objective(wal_page *page, const char *axis, const char *label, const char *title,
                           const char *look, bool again) {
  wal_plot plot = {.title = title,
                   .look = look,
                   .x_label = label,
                   .y_label = "objective",
                   .place = again ? WAL_PLACE_NEXT : WAL_PLACE_LEFT,
                   .again = again};
  for (int run = 0; run < page->runs; run++) {
    add_way(page, run, &plot, axis, "objective", "while learning", 2 * run, 0, WAL_CURVE_LINE);
    add_way(page, run, &plot, axis, "assessed_objective", "assessed", 2 * run + 1, 0,
            WAL_CURVE_POINTS);
  }
  wal_page_plot(page, &plot);
}

static void plot_exploitability(wal_page *page, const char *axis, const char *label,
                                const char *title, const char *look, bool again) {
  wal_plot plot = {.title = title,
                   .look = look,
                   .x_label = label,
                   .y_label = "exploitability (reward)",
                   .again = again,
                   .place = again ? WAL_PLACE_NEXT : WAL_PLACE_LEFT,
                   .log_y = true};
  for (int run = 0; run < page->runs; run++) {
    add_way(page, run, &plot, axis, "plain_exploitability", "exploitability", 2 * run, 0,
            WAL_CURVE_POINTS);
    add_way(page, run, &plot, axis, "exploitability", "with the learner's entropy", 2 * run + 1, 1,
            WAL_CURVE_POINTS);
  }
  wal_page_plot(page, &plot);
}

static void plot_direction(wal_page *page) {
  wal_plot plot = {.title = "Length of the direction",
                   .look =
                       "How strongly the objective still changes with the parameters: it "
                       "should become small as the design settles; noise keeps it up.",
                   .x_label = "step",
                   .y_label = "length (objective)",
                   .log_y = true};
  for (int run = 0; run < page->runs; run++) {
    add_way(page, run, &plot, "/design/step", "gradient_norm", "direction", 2 * run, 0,
            WAL_CURVE_LINE);
    add_way(page, run, &plot, "/design/step", "residual", "left of the equilibrium (1)",
            2 * run + 1, 1, WAL_CURVE_LINE);
  }
  wal_page_plot(page, &plot);
}

// ---- Restarts ---------------------------------------------------------------------------------

static void table_restarts(wal_page *page, int run) {
  static const char *const HEADS[] = {"restart",        "rank",  "seed",    "objective",
                                      "exploitability", "steps", "seconds", "ended with"};
  static const char *const COLUMNS[] = {
      "restart", "rank", "seed", "objective", "plain_exploitability", "steps"};
  const wal_array *column[6];
  const wal_texts errors = wal_page_texts(page, run, "/restarts/error");
  const wal_array *seconds = wal_page_array(page, run, "/run/restart_seconds");
  for (int c = 0; c < 6; c++)
    column[c] = wal_page_array(page, run, wal_page_print(page, "/restarts/%s", COLUMNS[c]));
  if (!column[0]) return;
  wal_page_markup(page, "<div class=\"half\">\n");
  wal_page_table(page, wal_page_of_run(page, run, "restarts"), 8, HEADS);
  for (int64_t i = 0; i < column[0]->items && i < WAL_PLOT_TABLE; i++) {
    wal_page_row(page);
    for (int c = 0; c < 6; c++) wal_page_cell_number(page, wal_array_at(column[c], i));
    wal_page_cell_number(page, wal_array_at(seconds, i));
    wal_page_cell(page, i < errors.count && *errors.text[i] ? errors.text[i] : "done");
    wal_page_row_end(page);
  }
  wal_page_table_end(page);
  wal_page_markup(page, "</div>\n");
}

static void plot_restarts(wal_page *page, int run) {
  wal_plot plot = {.title = wal_page_of_run(page, run, "Restarts"),
                   .look =
                       "Each curve begins anew with other draws: if they end alike the result "
                       "does not hang on luck.",
                   .x_label = "step",
                   .y_label = "objective"};
  const wal_array *restarts = wal_page_array(page, run, "/restarts/restart");
  for (int64_t i = 0; restarts && i < restarts->items && i < RESTARTS; i++) {
    const char *group = wal_page_print(page, "/restarts/run_%06lld", (long long)i);
    const wal_array *x = wal_page_array(page, run, wal_page_print(page, "%s/step", group));
    const wal_array *y = wal_page_array(page, run, wal_page_print(page, "%s/objective", group));
    if (x && y && x->items == y->items)
      wal_plot_add_finite(page, &plot, wal_page_print(page, "restart %lld", (long long)i), x->items,
                          x->values, y->values);
  }
  wal_page_plot(page, &plot);
  table_restarts(page, run);
}

// ---- All --------------------------------------------------------------------------------------

static void add_ending(wal_page *page, int run) {
  const char *error = wal_page_attribute_text(page, run, "/design", "error");
  if (wal_page_attribute(page, run, "/design", "status") == 0 || !error) return;
  wal_page_paragraph(
      page, wal_page_of_run(page, run, wal_page_print(page, "The design ended early: %s", error)));
}

void wal_page_design(wal_page *page) {
  bool any = false;
  for (int run = 0; run < page->runs; run++) any = any || wal_page_has(page, run, "/design");
  if (!any) return;
  wal_page_section(page, "The design",
                   "The objective is what the rules are designed for. A design is only worth what "
                   "the population's equilibrium under it is: assessed rows are those in which it "
                   "was given more time to settle.");
  for (int run = 0; run < page->runs; run++) add_ending(page, run);
  plot_reference(page);
  const bool beside = wal_page_rules_beside(page);
  for (int run = 0; run < page->runs; run++) table_reference(page, run, !beside);
  wal_page_rules(page);
  plot_objective(page, "/design/step", "step", "Objective against steps",
                 "It should rise and settle; where the assessed curve lies below the other, the "
                 "population had not yet adapted to the rules.",
                 false);
  plot_objective(page, "/run/seconds", "seconds (s)", "Objective against time",
                 "The same against the clock of the machine that ran it.", true);
  plot_exploitability(page, "/design/step", "step", "Exploitability against steps",
                      "How far the population was from equilibrium when a design was judged: a "
                      "rise means that the rules have become hard to learn, and their objective "
                      "less to be trusted.",
                      false);
  plot_exploitability(page, "/run/seconds", "seconds (s)", "Exploitability against time",
                      "The same against the clock of the machine that ran it.", true);
  plot_direction(page);
  for (int run = 0; run < page->runs; run++) {
    if (wal_page_has(page, run, "/restarts")) plot_restarts(page, run);
  }
  wal_page_section_end(page);
}
