// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/report/bands.h"
#include "io/report/contents.h"
#include "io/report/heat.h"
#include "io/run_scenario.h"

/* How methods learned from preferences with imperfect reward models at hand. */

enum { SELECTIONS = 4, FEW_METHODS = 6 };

/* What entry m of the scenario's list of methods has of parameters that another entry of the same
   kind has otherwise: "mode=count"; "" if there is nothing. A default is not written there. */
static const char *parameters_of(wal_page *page, json_t *methods, size_t m) {
  json_t *mine = json_array_get(methods, m), *value;
  const char *kind = wal_run_scenario_component(mine), *name, *all = "";
  json_object_foreach(json_object_get(mine, kind), name, value) {
    bool same = true;
    for (size_t i = 0; i < json_array_size(methods); i++) {
      json_t *other = json_array_get(methods, i);
      const char *its = wal_run_scenario_component(other);
      if (its && strcmp(its, kind) == 0)
        same = same && json_equal(value, json_object_get(json_object_get(other, its), name));
    }
    if (same || json_is_object(value) || json_is_array(value)) continue;
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
    const char *shown = json_is_string(value) ? json_string_value(value) : text ? text : "?";
    all = wal_page_print(page, "%s%s%s=%s", all, *all ? ", " : "", name, shown);
    free(text);
  }
  return all;
}

wal_texts wal_page_methods(wal_page *page, int run) {
  const wal_texts names = wal_page_texts(page, run, "/transfer/method");
  json_t *methods = json_object_get(page->run[run].parameters, "methods");
  wal_texts shown = {names.count, wal_page_acquire(page, names.count, sizeof *shown.text)};
  if ((int64_t)json_array_size(methods) != names.count || !shown.text) return names;
  for (int64_t m = 0; m < names.count; m++) {
    const char *kind = wal_run_scenario_component(json_array_get(methods, (size_t)m));
    const char *what = kind ? parameters_of(page, methods, (size_t)m) : "";
    if (!kind) return names;
    shown.text[m] = *what ? wal_page_print(page, "%s (%s)", kind, what) : kind;
  }
  for (int64_t m = 0; m < names.count; m++)  // those that are still alike are numbered
    for (int64_t i = 0; i < names.count; i++)
      if (i != m && strcmp(shown.text[i], shown.text[m]) == 0) return names;
  return shown;
}

const char *wal_page_method(wal_page *page, int run, const char *name) {
  const wal_texts names = wal_page_texts(page, run, "/transfer/method");
  const wal_texts shown = wal_page_methods(page, run);
  for (int64_t m = 0; name && m < names.count && m < shown.count; m++)
    if (strcmp(names.text[m], name) == 0) return shown.text[m];
  return name;
}

static const char *method_of(const wal_texts *names, int64_t m) {
  return m < names->count ? names->text[m] : "?";
}

// ---- Curves -----------------------------------------------------------------------------------

static void style_method(const wal_page *page, int run, int64_t m, wal_curve *curve) {
  if (!curve) return;
  curve->colour = (int)(m % WAL_PLOT_COLOURS);
  curve->dash = page->runs > 1 ? run : (int)(m / WAL_PLOT_COLOURS % 3);
}

static void plot_seeds(wal_page *page, const char *path, const char *title, const char *look,
                       const char *y_label, bool log_x, bool log_y) {
  wal_plot plot = {.title = title,
                   .look = look,
                   .x_label = "round",
                   .y_label = y_label,
                   .log_x = log_x,
                   .log_y = log_y};
  for (int run = 0; run < page->runs; run++) {
    const wal_texts names = wal_page_methods(page, run);
    const wal_array *round = wal_page_array(page, run, "/transfer/round");
    const wal_array *table = wal_page_array(page, run, path);
    if (!round || !table || table->rank != 3) continue;
    for (int64_t m = 0; m < table->extent[0]; m++)
      style_method(page, run, m,
                   wal_plot_add_seeds(page, &plot, wal_page_of_run(page, run, method_of(&names, m)),
                                      round, table, m));
  }
  wal_page_plot(page, &plot);
}

/* With the intervals that the file has. */
static void plot_ratio(wal_page *page) {
  const char *base =
      wal_page_method(page, 0, wal_page_attribute_text(page, 0, "/transfer/summary", "baseline"));
  wal_plot plot = {.title = "Regret over that of the baseline",
                   .look = wal_page_print(page,
                                          "Below 1 a method does better than %s with the same "
                                          "seed; bands are 95 %% intervals of the geometric mean.",
                                          base ? base : "the baseline"),
                   .x_label = "round",
                   .y_label = "ratio (1)",
                   .log_x = true,
                   .log_y = true};
  for (int run = 0; run < page->runs; run++) {
    const wal_texts names = wal_page_methods(page, run);
    const wal_array *round = wal_page_array(page, run, "/transfer/round");
    const wal_array *ratio = wal_page_array(page, run, "/transfer/ratio");
    const wal_array *low = wal_page_array(page, run, "/transfer/ratio_low");
    const wal_array *high = wal_page_array(page, run, "/transfer/ratio_high");
    if (!round || !ratio || ratio->rank != 2 || ratio->extent[1] != round->items) continue;
    const bool banded = low && high && low->items == ratio->items && high->items == ratio->items;
    for (int64_t m = 0; m < ratio->extent[0]; m++) {
      const int64_t at = m * round->items;
      wal_curve *curve = wal_plot_add(&plot, wal_page_of_run(page, run, method_of(&names, m)),
                                      round->items, round->values, ratio->values + at);
      style_method(page, run, m, curve);
      if (!curve || !banded) continue;
      curve->low = low->values + at;
      curve->high = high->values + at;
    }
  }
  wal_page_plot(page, &plot);
}

// ---- Selection --------------------------------------------------------------------------------

/* Share of the rounds up to number t in which an arm of a method proposed, mean of the seeds; the
   table is [method, seed, round, arm]. */
static double share(const wal_array *selection, int64_t m, int64_t t, int64_t arm) {
  const int64_t seeds = selection->extent[1], rounds = selection->extent[2];
  const int64_t arms = selection->extent[3];
  double sum = 0;
  for (int64_t s = 0; s < seeds; s++) {
    const double *row = selection->values + ((m * seeds + s) * rounds + t) * arms;
    double all = 0;
    for (int64_t a = 0; a < arms; a++) all += row[a];
    sum += all > 0 ? row[arm] / all : 0;
  }
  return sum / (double)seeds;
}

/* Whether a method ever asks more than one arm. */
static bool chooses(const wal_array *selection, int64_t m) {
  int64_t asked = 0;
  for (int64_t a = 0; a < selection->extent[3]; a++)
    asked += share(selection, m, selection->extent[2] - 1, a) > 0;
  return asked > 1;
}

static void plot_selection(wal_page *page, int run, const wal_array *selection, int64_t m) {
  const wal_texts names = wal_page_methods(page, run);
  const wal_texts arms = wal_page_texts(page, run, "/transfer/arm");
  const wal_array *round = wal_page_array(page, run, "/transfer/round");
  if (!round || round->items != selection->extent[2]) return;
  wal_plot plot = {.title = wal_page_of_run(
                       page, run, wal_page_print(page, "Whom %s asks", method_of(&names, m))),
                   .look =
                       "Share of the rounds so far in which each arm proposed the response: a "
                       "method that transfers well soon leaves the sources that mislead.",
                   .x_label = "round",
                   .y_label = "share of the rounds (1)",
                   .log_x = true};
  for (int64_t a = 0; a < selection->extent[3]; a++) {
    double *y = wal_page_acquire(page, round->items, sizeof *y);
    for (int64_t t = 0; y && t < round->items; t++) y[t] = share(selection, m, t, a);
    wal_plot_add(&plot, a < arms.count ? arms.text[a] : "?", round->items, round->values, y);
  }
  wal_page_plot(page, &plot);
}

static void add_selections(wal_page *page, int run) {
  const wal_array *selection = wal_page_array(page, run, "/transfer/selection");
  if (!selection || selection->rank != 4) return;
  int shown = 0;
  for (int64_t m = 0; m < selection->extent[0] && shown < SELECTIONS; m++) {
    if (!chooses(selection, m)) continue;
    plot_selection(page, run, selection, m);
    shown++;
  }
}

// ---- The end ----------------------------------------------------------------------------------

static void table_summary(wal_page *page, int run) {
  static const char *const COLUMNS[] = {"regret",   "regret_low", "regret_high",
                                        "ratio",    "ratio_low",  "ratio_high",
                                        "exponent", "final_gap",  "final_coverage"};
  static const char *const HEADS[] = {"method",    "regret",        "5 %", "95 %",
                                      "ratio",     "from",          "to",  "grows as t^",
                                      "final gap", "final coverage"};
  enum { COUNT = sizeof COLUMNS / sizeof COLUMNS[0] };
  const wal_texts names = wal_page_methods(page, run);
  wal_page_table_of(page, run,
                    wal_page_of_run(page, run,
                                    "after all rounds: median of the seeds; ratio to the baseline "
                                    "with its 95 % interval"),
                    "/transfer/summary", &names, COUNT, COLUMNS, HEADS);
}

static void map_wins(wal_page *page, int run) {
  const wal_texts names = wal_page_methods(page, run);
  const wal_array *wins = wal_page_array(page, run, "/transfer/summary/win_rate");
  if (!wins || wins->rank != 2 || names.count < 2 || wins->extent[0] != names.count ||
      wins->extent[1] != names.count || names.count > WAL_HEAT_CELLS)
    return;
  double reach = 0.01;
  for (int64_t i = 0; i < wins->items; i++)
    if (isfinite(wins->values[i])) reach = fmax(reach, fabs(wins->values[i] - 0.5));
  wal_heat heat = {
      .title = wal_page_of_run(page, run, "Who is preferred to whom"),
      .look =
          "How often a response of the method at the left is preferred to one of "
          "the method below (in the same order): a bright row is a good method, and one "
          "half is a tie. "
          "Colours reach as far from one half as the cells do.",
      .x_label = "against method",
      .y_label = "method",
      .z_label = "win rate",
      .rows = names.count,
      .columns = names.count,
      .dx = 1,
      .dy = 1,
      .ticks = names.text,
      .column_ticks = names.count <= FEW_METHODS ? names.text : NULL,
      .least = 0.5 - reach,
      .most = 0.5 + reach,
      .written = names.count <= FEW_METHODS,
      .across = 1,
      .across_narrow = 1};
  wal_heat_add(&heat, "", wins->values);
  wal_page_heat(page, &heat);
}

void wal_page_transfer(wal_page *page) {
  bool any = false;
  for (int run = 0; run < page->runs; run++) any = any || wal_page_has(page, run, "/transfer");
  if (!any) return;
  wal_page_section(
      page, "The transfer",
      "Methods learn what is preferred, some with the help of imperfect reward models. "
      "Curves are means of the seeds, bands reach from the least seed to the largest.");
  for (int run = 0; run < page->runs; run++) table_summary(page, run);
  plot_seeds(page, "/transfer/regret", "Regret",
             "What was lost to the best policy, summed over the rounds: lower is better, and a "
             "curve that flattens has learned.",
             "regret, summed (reward)", true, true);
  plot_ratio(page);
  plot_seeds(page, "/transfer/gap", "Gap of the policy that is played",
             "How far the first response's policy is from the best one in each round: it should "
             "fall.",
             "gap (reward)", true, true);
  for (int run = 0; run < page->runs; run++) {
    add_selections(page, run);
    map_wins(page, run);
  }
  wal_page_section_end(page);
}
