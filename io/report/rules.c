// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <string.h>

#include "io/report/contents.h"
#include "io/report/states.h"
#include "io/run_scenario.h"

/* What a design has designed, before and after: a toll, or an auction. */

enum { CURVES_OF_ACTIONS = 7, POINTS_UP_TO = 12, STATES_OF_CURVES = 60, MARKS = 4 };

// ---- Tolls ------------------------------------------------------------------------------------

static const char *action_name(wal_page *page, const wal_texts *names, int64_t action) {
  if (action < names->count) return names->text[action];
  return wal_page_print(page, "action %lld", (long long)action);
}

/* A panel of what it costs to be in a cell, or to take one action there. NULL: nothing. */
static void add_map(wal_page *page, const wal_states *states, int group, const double *toll,
                    const char *name, wal_heat *heat) {
  double *cells = wal_page_acquire(page, heat->rows * heat->columns, sizeof *cells);
  const wal_states_group *in = &states->group[group];
  for (int64_t i = 0; cells && i < heat->rows * heat->columns; i++) cells[i] = NAN;
  for (int64_t i = 0; cells && i < in->count; i++) {
    const int64_t s = in->state[i];
    cells[(int64_t)states->row[s] * heat->columns + (int64_t)states->column[s]] =
        toll ? toll[s] : 0;
  }
  if (*in->name) name = wal_page_print(page, "%s, %s", name, in->name);
  wal_heat_add(heat, name, cells);
}

static void map_toll(wal_page *page, int run, const wal_states *states, const wal_array *toll) {
  const int64_t actions = toll->items / states->states;
  const wal_texts names = wal_page_texts(page, run, "/axes/action_name");
  wal_heat heat = {
      .title = wal_page_of_run(page, run, "The toll before and after"),
      .look = actions > 1
                  ? "What it costs to take an action in a cell under the best design: expect it "
                    "where the crowd was, on what leads there. Before there was no toll."
                  : "What it costs to be in a cell at a stage: expect it where the crowd was.",
      .rows = states->rows,
      .columns = states->columns,
      .dx = 1,
      .dy = 1,
      .map = true,
      .x_label = "column",
      .y_label = "row",
      .z_label = wal_page_label(page, "toll", toll->units),
      .across = actions > 1 ? 3 : 2,
      .across_narrow = 2};
  if (heat.rows > WAL_HEAT_CELLS || heat.columns > WAL_HEAT_CELLS) {
    wal_page_paragraph(page, "The toll has more cells than are drawn: /design/toll has them.");
    return;
  }
  for (int g = 0; g < states->groups; g++) {
    add_map(page, states, g, NULL, "before: no toll", &heat);
    for (int64_t a = 0; a < actions; a++)
      add_map(page, states, g, toll->values + a * states->states,
              actions > 1 ? action_name(page, &names, a) : "best design", &heat);
  }
  wal_page_heat(page, &heat);
}

static void curves_of_toll(wal_page *page, int run, const wal_array *toll) {
  wal_plot plot = {.title = wal_page_of_run(page, run, "The toll before and after"),
                   .look =
                       "What each state costs at every stage under the best design, against no "
                       "toll before: expect it where the crowd was.",
                   .x_label = "state",
                   .y_label = wal_page_label(page, "toll", toll->units)};
  const int64_t states = toll->extent[toll->rank - 1], actions = toll->items / states;
  const wal_texts names = wal_page_texts(page, run, "/axes/action_name");
  double *none = wal_page_acquire(page, states, sizeof *none);
  for (int64_t a = 0; a < actions; a++) {
    wal_curve *curve =
        wal_plot_add(&plot, toll->rank == 1 ? "best design" : action_name(page, &names, a), states,
                     wal_page_counting(page, states), toll->values + a * states);
    if (curve && states <= POINTS_UP_TO) curve->style = WAL_CURVE_POINTS;
  }
  wal_curve *curve = wal_plot_add(&plot, "before: no toll", states, plot.curve[0].x, none);
  if (curve) {
    curve->style = WAL_CURVE_RULE;
    curve->colour = 6;
    curve->dash = 1;
  }
  wal_page_plot(page, &plot);
}

/* Of many states and actions. */
static void cells_of_toll(wal_page *page, int run, const wal_array *toll) {
  const wal_texts names = wal_page_texts(page, run, "/axes/action_name");
  wal_heat heat = {.title = wal_page_of_run(page, run, "The toll before and after"),
                   .look =
                       "What each action costs in each state, at every stage under the best "
                       "design: expect it where the crowd was. Before there was no toll.",
                   .x_label = "state",
                   .y_label = "action",
                   .z_label = wal_page_label(page, "toll", toll->units),
                   .rows = toll->extent[0],
                   .columns = toll->extent[1],
                   .dx = 1,
                   .dy = 1,
                   .ticks = names.count == toll->extent[0] ? names.text : NULL,
                   .across = 1,
                   .across_narrow = 1};
  if (heat.rows > WAL_HEAT_CELLS || heat.columns > WAL_HEAT_CELLS) {
    wal_page_paragraph(page, "The toll has more cells than are drawn: /design/toll has them.");
    return;
  }
  wal_heat_add(&heat, "", toll->values);
  wal_page_heat(page, &heat);
}

/* Whether a toll is drawn as maps or cells, which need a line of their own, or as curves. */
static void add_toll(wal_page *page, int run, bool curves) {
  wal_states states;
  const wal_array *toll = wal_page_array(page, run, "/design/toll");
  if (!toll || toll->rank > 2) return;
  const int64_t count = toll->extent[toll->rank - 1], actions = toll->items / count;
  const bool map = wal_page_states(page, run, &states) && states.map && count == states.states;
  const bool many = actions > CURVES_OF_ACTIONS || (actions > 1 && count > STATES_OF_CURVES);
  if (curves != (!map && !many)) return;
  if (map)
    map_toll(page, run, &states, toll);
  else if (many)
    cells_of_toll(page, run, toll);
  else
    curves_of_toll(page, run, toll);
}

// ---- Auctions ---------------------------------------------------------------------------------

/* A table of /design/reference/auction with its rows: first price, start, best design. */
typedef struct before_after {
  wal_texts names;
  const wal_array *table; /* [row, stage] or [row, stage, bid]; NULL: not there */
} before_after;

static bool find(wal_page *page, int run, const char *name, int rank, before_after *out) {
  out->names = wal_page_texts(page, run, "/design/reference/name");
  out->table =
      wal_page_array(page, run, wal_page_print(page, "/design/reference/auction/%s", name));
  return out->table && out->table->rank == rank && out->table->extent[0] == out->names.count &&
         out->names.count <= MARKS;
}

/* The usual rules are a thin dashed line, the start blue, the best design orange. */
static void style_rules(const wal_page *page, int run, const before_after *b, int64_t row,
                        wal_curve *curve) {
  if (!curve) return;
  const bool usual = strcmp(b->names.text[row], "start") != 0 && row + 1 < b->names.count;
  curve->colour = usual ? 6 : row + 1 < b->names.count ? 0 : 1;
  curve->dash = page->runs > 1 ? run : usual ? 1 : 0;
}

static void plot_payments(wal_page *page, int64_t round, const char *look) {
  wal_plot plot = {
      .title = wal_page_print(page, "Payments of round %lld, before and after", (long long)round),
      .look = look,
      .x_label = "bid",
      .y_label = "payment"};
  for (int run = 0; run < page->runs; run++) {
    before_after b;
    const wal_array *bid = wal_page_array(page, run, "/axes/bid");
    if (!find(page, run, "payment", 3, &b) || !bid || bid->items != b.table->extent[2] ||
        round >= b.table->extent[1])
      continue;
    plot.x_label = wal_page_label(page, "bid", bid->units);
    plot.y_label = wal_page_label(page, "payment", b.table->units);
    for (int64_t row = 0; row < b.names.count; row++)
      style_rules(
          page, run, &b, row,
          wal_plot_add_finite(page, &plot, wal_page_of_run(page, run, b.names.text[row]),
                              bid->items, bid->values,
                              b.table->values + (row * b.table->extent[1] + round) * bid->items));
  }
  wal_page_plot(page, &plot);
}

static void plot_rounds(wal_page *page, const char *name, const char *title, const char *look) {
  wal_plot plot = {.title = title, .look = look, .x_label = "round", .y_label = name};
  for (int run = 0; run < page->runs; run++) {
    before_after b;
    if (!find(page, run, name, 2, &b)) continue;
    const int64_t rounds = b.table->extent[1];
    plot.y_label = wal_page_label(page, name, b.table->units);
    for (int64_t row = 0; row < b.names.count; row++) {
      wal_curve *curve =
          wal_plot_add_finite(page, &plot, wal_page_of_run(page, run, b.names.text[row]), rounds,
                              wal_page_counting(page, rounds), b.table->values + row * rounds);
      style_rules(page, run, &b, row, curve);
      if (curve) curve->style = WAL_CURVE_POINTS;
    }
  }
  wal_page_plot(page, &plot);
}

/* Sums over the rounds as bars; of two runs as points. */
static void plot_totals(wal_page *page, const char *name, const char *title, const char *look) {
  wal_plot plot = {.title = title, .look = look, .x_label = "rules", .y_label = name};
  for (int run = 0; run < page->runs; run++) {
    before_after b;
    if (!find(page, run, name, 2, &b)) continue;
    const int64_t rounds = b.table->extent[1];
    double *sums = wal_page_acquire(page, b.names.count, sizeof *sums);
    for (int64_t i = 0; sums && i < b.table->items; i++) sums[i / rounds] += b.table->values[i];
    if (plot.ticks && plot.tick_count != b.names.count) continue;
    plot.y_label = wal_page_label(page, name, b.table->units);
    plot.ticks = b.names.text;
    plot.tick_count = b.names.count;
    wal_curve *curve = wal_plot_add(&plot, wal_page_of_run(page, run, name), b.names.count,
                                    wal_page_counting(page, b.names.count), sums);
    if (!curve) continue;
    curve->style = page->runs > 1 ? WAL_CURVE_DOTS : WAL_CURVE_BARS;
    curve->colour = run;
  }
  wal_page_plot(page, &plot);
}

/* What is designed for stands in the figure of the objective already. */
static bool is_objective(const wal_page *page, const char *name) {
  const char *of =
      wal_run_scenario_component(json_object_get(page->run[0].parameters, "objective"));
  return of && strcmp(of, name) == 0;
}

static bool has_auction(wal_page *page, int64_t *rounds) {
  for (int run = 0; run < page->runs; run++) {
    before_after b;
    if (!find(page, run, "payment", 3, &b)) continue;
    *rounds = b.table->extent[1];
    return true;
  }
  return false;
}

static void total_revenue(wal_page *page) {
  plot_totals(page, "revenue", "Revenue before and after",
              "What the seller gets in all rounds together, per bidder.");
}

static void total_efficiency(wal_page *page) {
  plot_totals(page, "efficiency", "Efficiency before and after",
              "What the goods are worth to those who get them, in all rounds together: what a "
              "design gains in revenue, it may lose here.");
}

bool wal_page_rules_beside(wal_page *page) {
  int64_t rounds = 0;
  const int before = page->figures;
  const bool auction = has_auction(page, &rounds);
  for (int run = 0; run < page->runs; run++) add_toll(page, run, true);
  if (auction && is_objective(page, "revenue")) total_efficiency(page);
  if (auction && is_objective(page, "efficiency")) total_revenue(page);
  return page->figures > before;
}

static void add_auction(wal_page *page, int64_t rounds) {
  if (!is_objective(page, "revenue") && !is_objective(page, "efficiency")) {
    total_revenue(page);
    total_efficiency(page);
  }
  plot_payments(page, 0,
                "What a winner pays for each bid: where the best design lies below first price, a "
                "winner keeps the difference, and where it lies above the start it has become "
                "dearer. It has learned only about bids that somebody makes.");
  if (rounds > 1)
    plot_payments(page, rounds - 1,
                  "The same in the last round, where there is nothing left to wait for.");
  plot_rounds(page, "revenue", "Revenue by round, before and after",
              "In which rounds the design earns more, or less, than the rules before.");
  plot_rounds(page, "sold", "Goods sold by round, before and after",
              "A design may hold goods back: in one round for the next, or for good.");
  plot_rounds(
      page, "threshold", "Threshold by round, before and after",
      "The least bid that wins, whatever it pays: it works as a reserve where goods are left "
      "over.");
  plot_rounds(page, "mean_payment", "Mean payment by round, before and after",
              "What winners pay on average: it may fall although the seller gets more, if more "
              "goods are sold.");
}

void wal_page_rules(wal_page *page) {
  int64_t rounds = 0;
  for (int run = 0; run < page->runs; run++) add_toll(page, run, false);
  if (has_auction(page, &rounds)) add_auction(page, rounds);
}

// ---- In the head ------------------------------------------------------------------------------

const char *wal_page_designed(wal_page *page, int run, const char **more) {
  const wal_array *toll = wal_page_shape(page, run, "/design/toll");
  const wal_texts parts = wal_page_children(page, run, "/design/best/parameters");
  int64_t numbers = 0;
  for (int64_t i = 0; i < parts.count; i++) {
    const wal_array *part = wal_page_shape(
        page, run, wal_page_print(page, "/design/best/parameters/%s", parts.text[i]));
    numbers += part ? part->items : 0;
  }
  *more = wal_page_print(page, "%lld parameter%s", (long long)numbers, numbers == 1 ? "" : "s");
  if (toll) {
    const int64_t states = toll->extent[toll->rank - 1];
    *more = toll->rank == 2 ? wal_page_print(page, "on %lld actions in %lld states",
                                             (long long)(toll->items / states), (long long)states)
                            : wal_page_print(page, "on %lld states", (long long)states);
    return "a toll";
  }
  json_t *game = json_object_get(page->run[run].parameters, "game");
  const char *name = game ? wal_run_scenario_component(game) : NULL;
  json_t *mechanism = name ? json_object_get(json_object_get(game, name), "mechanism") : NULL;
  const char *kind = mechanism ? wal_run_scenario_component(mechanism) : NULL;
  if (!kind) return "a mechanism";
  *more = wal_page_print(page, "mechanism %s, %s", kind, *more);
  static const char *const BOTH[] = {"neural", "static"};  // the others design payments alone
  for (size_t i = 0; i < sizeof BOTH / sizeof BOTH[0]; i++)
    if (strcmp(kind, BOTH[i]) == 0) return "payments and goods";
  return "payments";
}
