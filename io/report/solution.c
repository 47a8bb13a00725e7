// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>

#include "io/report/contents.h"
#include "io/report/states.h"

/* What a solution is: where the mass goes, and what the policy does there. */

enum { MAP_STAGES = 4, LINE_STAGES = 3, FEW_STATES = 4, POLICY_MOST = 1 << 26 };

static const char *stage_name(wal_page *page, int64_t stage, const char *group) {
  return wal_page_print(page, "stage %lld%s%s", (long long)stage, *group ? ", " : "", group);
}

/* Cells of a map, blank where no state lies. */
static double *blank(wal_page *page, const wal_heat *heat) {
  double *cells = wal_page_acquire(page, heat->rows * heat->columns, sizeof *cells);
  for (int64_t i = 0; cells && i < heat->rows * heat->columns; i++) cells[i] = NAN;
  return cells;
}

/* A map of more cells than are drawn shows several in one. */
static void fit_map(const wal_states *states, wal_heat *heat, int64_t *fold) {
  const int64_t most = states->rows > states->columns ? states->rows : states->columns;
  *fold = (most + WAL_HEAT_CELLS - 1) / WAL_HEAT_CELLS;
  heat->map = true;
  heat->rows = (states->rows + *fold - 1) / *fold;
  heat->columns = (states->columns + *fold - 1) / *fold;
  heat->dx = heat->dy = (double)*fold;
  heat->x_label = "column";
  heat->y_label = "row";
  heat->across = MAP_STAGES;
  heat->across_narrow = 2;
}

static int64_t cell_of(const wal_states *states, const wal_heat *heat, int64_t fold, int64_t s) {
  return (int64_t)states->row[s] / fold * heat->columns + (int64_t)states->column[s] / fold;
}

// ---- Mass -------------------------------------------------------------------------------------

static void map_mass(wal_page *page, int run, const wal_states *states) {
  int64_t stage[MAP_STAGES], fold = 1;
  const int stages = wal_states_stages(states, MAP_STAGES, stage);
  double *mass = wal_page_acquire(page, states->states, sizeof *mass);
  wal_heat heat = {.title = wal_page_of_run(page, run, "Where the players are"),
                   .look =
                       "Bright cells hold much of the population: follow where it starts, "
                       "where it gathers and what it avoids. Blank cells are no states.",
                   .z_label = "mass in the cell"};
  fit_map(states, &heat, &fold);
  heat.across = stages;
  for (int g = 0; mass && g < states->groups; g++)
    for (int h = 0; h < stages; h++) {
      double *cells = blank(page, &heat);
      if (!cells || !wal_page_read_row(page, run, states->mass, stage[h], mass)) return;
      for (int64_t i = 0; i < states->group[g].count; i++) {
        const int64_t s = states->group[g].state[i], c = cell_of(states, &heat, fold, s);
        cells[c] = (isnan(cells[c]) ? 0 : cells[c]) + mass[s];
      }
      wal_heat_add(&heat, stage_name(page, stage[h], states->group[g].name), cells);
    }
  wal_page_heat(page, &heat);
}

/* Of a handful of states a curve each. */
static void curves_of_mass(wal_page *page, int run, const wal_states *states) {
  const wal_array *mass = wal_page_array(page, run, states->mass);
  wal_plot plot = {.title = wal_page_of_run(page, run, "Where the players are"),
                   .look =
                       "Each curve is the share of the population in one state: see which of "
                       "them fill and which empty.",
                   .x_label = "stage",
                   .y_label = "mass"};
  for (int64_t s = 0; mass && s < states->states; s++) {
    double *column = wal_page_acquire(page, states->stages, sizeof *column);
    for (int64_t h = 0; column && h < states->stages; h++)
      column[h] = mass->values[h * states->states + s];
    wal_curve *curve =
        wal_plot_add(&plot, wal_page_print(page, "state %lld", (long long)s), states->stages,
                     wal_page_counting(page, states->stages), column);
    if (curve) curve->style = WAL_CURVE_POINTS;
  }
  wal_page_plot(page, &plot);
}

static void line_mass(wal_page *page, int run, const wal_states *states) {
  wal_heat heat = {.title = wal_page_of_run(page, run, "Where the players are"),
                   .look =
                       "A column is a stage, bright where many players are: see where they "
                       "start, where they gather, and whether they stay.",
                   .x_label = "stage",
                   .y_label = states->label,
                   .z_label = "mass in the state",
                   .full = true,
                   .across = 2,
                   .across_narrow = 1};
  heat.columns = wal_thinned_count(states->stages, WAL_HEAT_CELLS);
  heat.dx = heat.columns > 1 ? (double)(states->stages - 1) / (double)(heat.columns - 1) : 1;
  double *mass = wal_page_acquire(page, states->states, sizeof *mass);
  for (int g = 0; mass && g < states->groups; g++) {
    const wal_states_group *group = &states->group[g];
    const int64_t fold = (group->count + WAL_HEAT_CELLS - 1) / WAL_HEAT_CELLS;
    const int64_t rows = fold ? (group->count + fold - 1) / fold : 0;
    if (rows < 1 || (g > 0 && rows != heat.rows)) continue;
    heat.rows = rows;
    heat.dy = states->step * (double)fold;
    heat.y0 = states->first + states->step * (double)(fold - 1) / 2;
    if (fold > 1)
      heat.z_label = wal_page_print(page, "mass in %lld states beside each other", (long long)fold);
    double *cells = wal_page_acquire(page, rows * heat.columns, sizeof *cells);
    for (int64_t c = 0; cells && c < heat.columns; c++) {
      const int64_t stage = wal_thinned_row(states->stages, heat.columns, c);
      if (!wal_page_read_row(page, run, states->mass, stage, mass)) return;
      for (int64_t i = 0; i < group->count; i++)
        cells[i / fold * heat.columns + c] += mass[group->state[i]];
    }
    wal_heat_add(&heat, group->name, cells);
  }
  wal_page_heat(page, &heat);
}

// ---- Policy -----------------------------------------------------------------------------------

/* The likeliest action of a state; NaN if all are about as likely. */
static double likeliest(const double *probability, int64_t actions) {
  int64_t best = 0, worst = 0;
  for (int64_t a = 1; a < actions; a++) {
    if (probability[a] > probability[best]) best = a;
    if (probability[a] < probability[worst]) worst = a;
  }
  const bool clear = probability[best] - probability[worst] > 1e-3 / (double)actions;
  return clear || actions == 1 ? (double)best : NAN;
}

/* Stages that are shown: the last one only if something is to be chosen there. */
static int stages_with_choice(wal_page *page, int run, const wal_states *states,
                              const wal_actions *actions, double *policy, int64_t *stage) {
  wal_states shown = *states;
  bool any = false;
  if (policy && wal_page_read_row(page, run, states->policy, states->stages - 1, policy))
    for (int64_t s = 0; s < states->states && !any; s++)
      any = !isnan(likeliest(policy + s * actions->count, actions->count));
  if (!any && shown.stages > 1) shown.stages--;
  return wal_states_stages(&shown, MAP_STAGES, stage);
}

static void map_policy(wal_page *page, int run, const wal_states *states,
                       const wal_actions *actions) {
  int64_t stage[MAP_STAGES], fold = 1;
  double *policy = wal_page_acquire(page, states->states * actions->count, sizeof *policy);
  const int stages = stages_with_choice(page, run, states, actions, policy, stage);
  wal_heat heat = {.title = wal_page_of_run(page, run, "What the policy does"),
                   .look =
                       "The colour of a cell is the likeliest action there: cells of one "
                       "colour move alike, blank ones do anything as gladly. Where nobody is, "
                       "it matters little.",
                   .z_label = "likeliest action"};
  fit_map(states, &heat, &fold);
  heat.across = stages;
  if (actions->names.count) {
    heat.category = actions->names.text;
    heat.categories = (int)actions->names.count;
  }
  for (int g = 0; policy && g < states->groups; g++)
    for (int h = 0; h < stages; h++) {
      double *cells = blank(page, &heat);
      if (!cells || !wal_page_read_row(page, run, states->policy, stage[h], policy)) return;
      for (int64_t i = 0; i < states->group[g].count; i++) {
        const int64_t s = states->group[g].state[i];
        cells[cell_of(states, &heat, fold, s)] =
            likeliest(policy + s * actions->count, actions->count);
      }
      wal_heat_add(&heat, stage_name(page, stage[h], states->group[g].name), cells);
    }
  wal_page_heat(page, &heat);
}

static void add_line_policy(wal_page *page, const wal_states *states, const wal_actions *actions,
                            int64_t stage, const double *policy, wal_heat *heat) {
  const wal_states_group *group = &states->group[0];
  const int64_t fold = (group->count + WAL_HEAT_CELLS - 1) / WAL_HEAT_CELLS;
  const int64_t fold_actions = (actions->count + WAL_HEAT_CELLS - 1) / WAL_HEAT_CELLS;
  heat->columns = (group->count + fold - 1) / fold;
  heat->rows = (actions->count + fold_actions - 1) / fold_actions;
  heat->dx = states->step * (double)fold;
  heat->x0 = states->first + states->step * (double)(fold - 1) / 2;
  heat->dy = actions->step * (double)fold_actions;
  heat->y0 = actions->first + actions->step * (double)(fold_actions - 1) / 2;
  double *cells = wal_page_acquire(page, heat->rows * heat->columns, sizeof *cells);
  for (int64_t i = 0; cells && i < group->count; i++) {
    // The last of the folded states may be fewer.
    const int64_t column = i / fold, left = group->count - column * fold;
    const double share = 1 / (double)(left < fold ? left : fold);
    for (int64_t a = 0; a < actions->count; a++)
      cells[a / fold_actions * heat->columns + column] +=
          share * policy[group->state[i] * actions->count + a];
  }
  wal_heat_add(heat, stage_name(page, stage, group->name), cells);
}

static void line_policy(wal_page *page, int run, const wal_states *states,
                        const wal_actions *actions) {
  int64_t stage[LINE_STAGES];
  const int stages = wal_states_stages(states, LINE_STAGES, stage);
  double *policy = wal_page_acquire(page, states->states * actions->count, sizeof *policy);
  wal_heat heat = {.title = wal_page_of_run(page, run, "What the policy does"),
                   .look =
                       "For each state, across, how likely each action is: one bright cell in a "
                       "column is a clear choice, an even column is indifference.",
                   .x_label = states->label,
                   .y_label = actions->label,
                   .z_label = "probability of the action",
                   .full = true,
                   .most = 1,
                   .across = stages,
                   .across_narrow = 1};
  if (actions->names.count) heat.ticks = actions->names.text;
  for (int h = 0; policy && h < stages; h++) {
    if (!wal_page_read_row(page, run, states->policy, stage[h], policy)) return;
    add_line_policy(page, states, actions, stage[h], policy, &heat);
  }
  wal_page_heat(page, &heat);
}

// ---- Both -------------------------------------------------------------------------------------

static void add_solution(wal_page *page, int run) {
  wal_states states;
  if (!wal_page_states(page, run, &states)) return;
  const wal_array *policy = states.policy ? wal_page_shape(page, run, states.policy) : NULL;
  if (states.more_groups > 0)
    wal_page_paragraph(page, "There are more populations than are drawn.");
  if (states.mass) {
    if (states.map)
      map_mass(page, run, &states);
    else if (states.states <= FEW_STATES)
      curves_of_mass(page, run, &states);
    else
      line_mass(page, run, &states);
  }
  if (!policy) return;
  if (policy->extent[1] > POLICY_MOST / policy->extent[2]) {
    wal_page_paragraph(page, "The policy is too large to be drawn.");
    return;
  }
  wal_actions actions;
  wal_page_actions(page, run, policy->extent[2], &actions);
  (states.map ? map_policy : line_policy)(page, run, &states, &actions);
}

void wal_page_solution(wal_page *page) {
  bool any = false, solved = false, steered = false;
  for (int run = 0; run < page->runs; run++) {
    wal_states states;
    any = wal_page_states(page, run, &states) || any;
    solved = solved || wal_page_has(page, run, "/solution");
    steered = steered || wal_page_has(page, run, "/steering");
  }
  if (!any) return;
  wal_page_section(page, steered ? "The target" : "How they play",
                   solved    ? "The mean field is the share of the population in each state, the "
                               "policy what a player does there. Both are of the policy that the "
                               "run ended with (of a design: under the best one)."
                   : steered ? "Where the crowd is to be, and what it is paid to do there."
                             : "The share of infinitely many players in each state, which the "
                               "simulated populations are compared with.");
  for (int run = 0; run < page->runs; run++) add_solution(page, run);
  wal_page_section_end(page);
}
