// SPDX-License-Identifier: GPL-3.0-or-later
#define _XOPEN_SOURCE 700

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/report/contents.h"
#include "io/report/plot.h"

/* The runs of a sweep, ranked: designs by objective, auctions by revenue, others by exploitability,
   which says nothing any more if all have reached the tolerance that was asked for. */

enum { VARIED = 12, VARIED_DRAWN = 5, FIGURES = 16, NAMES = 6, RESULTS = 16 };
enum { NOT_CONVERGED = 2, GREY = 6 };

typedef enum rank_by { BY_OBJECTIVE, BY_REVENUE, BY_EXPLOITABILITY, BY_NOTHING } rank_by;

static const char *const RANKED_BY[] = {"objective", "revenue", "exploitability", ""};

typedef struct place {
  int64_t row;
  bool after; /* the runs that have reached what was asked for */
  double key; /* smaller is better */
} place;

typedef struct ranking {
  int64_t runs;
  place *place;
  rank_by by;
  const wal_array *result; /* what they are ranked by; NULL of nothing */
  const wal_array *status;
} ranking;

static int by_key(const void *a, const void *b) {
  const place *first = a, *second = b;
  if (isnan(first->key) != isnan(second->key)) return isnan(first->key) ? 1 : -1;
  if (first->after != second->after) return first->after ? 1 : -1;
  if (first->key != second->key && !isnan(first->key)) return first->key < second->key ? -1 : 1;
  return first->row < second->row ? -1 : first->row > second->row;
}

static bool has_numbers(const wal_array *column) {
  for (int64_t i = 0; column && i < column->items; i++)
    if (!isnan(column->values[i])) return true;
  return false;
}

/* Whether all runs that ended have reached a tolerance, and there are such. */
static bool all_converged(wal_page *page, int run, const wal_array *status) {
  const wal_array *converged = wal_page_array(page, run, "/summary/converged");
  int64_t reached = 0;
  for (int64_t i = 0; i < status->items; i++) {
    if (status->values[i] != 0 && status->values[i] != NOT_CONVERGED) continue;
    if (wal_array_at(converged, i) != 1) return false;
    reached++;
  }
  return reached > 0;
}

static void choose_result(wal_page *page, int run, ranking *out) {
  static const char *const COLUMN[] = {"/summary/objective", "/summary/revenue",
                                       "/summary/exploitability_last"};
  for (out->by = BY_OBJECTIVE; out->by < BY_NOTHING; out->by++) {
    out->result = wal_page_array(page, run, COLUMN[out->by]);
    if (has_numbers(out->result)) break;
    out->result = NULL;
  }
  if (out->by == BY_EXPLOITABILITY && all_converged(page, run, out->status)) {
    out->by = BY_NOTHING;
    out->result = NULL;
  }
}

static bool rank_runs(wal_page *page, int run, ranking *out) {
  *out = (ranking){.status = wal_page_array(page, run, "/summary/status")};
  if (!out->status) return false;
  out->runs = out->status->items;
  choose_result(page, run, out);
  out->place = wal_page_acquire(page, out->runs, sizeof *out->place);
  for (int64_t i = 0; out->place && i < out->runs; i++) {
    const double value = out->result ? wal_array_at(out->result, i) : 0;
    out->place[i] = (place){i, out->by != BY_OBJECTIVE && out->status->values[i] == NOT_CONVERGED,
                            out->by == BY_EXPLOITABILITY ? value : -value};
  }
  if (!out->place) return false;
  if (out->result) qsort(out->place, (size_t)out->runs, sizeof *out->place, by_key);
  return true;
}

// ---- What differs between the runs ------------------------------------------------------------

typedef struct varied {
  int count;
  const char *name[VARIED]; /* "game.states" */
  const wal_array *number[VARIED];
  wal_texts text[VARIED];
} varied;

static bool is_result(const char *name) {
  static const char *const NAME_OF[] = {"run",
                                        "seed",
                                        "status",
                                        "error",
                                        "iterations",
                                        "objective",
                                        "value",
                                        "best_step",
                                        "rank",
                                        "converged",
                                        "regularized_exploitability"};
  for (size_t i = 0; i < sizeof NAME_OF / sizeof NAME_OF[0]; i++)
    if (strcmp(name, NAME_OF[i]) == 0) return true;
  return strncmp(name, "exploitability_", 15) == 0;
}

/* Varied are those whose long_name is a path in the scenario, or a name that stands there without
   dots. */
static bool is_varied(const char *column, const char *name) {
  return !is_result(column) && name && !strchr(name, ' ') &&
         (strchr(name, '.') || strcmp(name, column) == 0);
}

static void find_varied(wal_page *page, int run, varied *out) {
  const wal_texts all = wal_page_children(page, run, "/summary");
  *out = (varied){0};
  for (int64_t i = 0; i < all.count && out->count < VARIED; i++) {
    const char *path = wal_page_print(page, "/summary/%s", all.text[i]);
    const char *name = wal_page_attribute_text(page, run, path, "long_name");
    if (!is_varied(all.text[i], name)) continue;
    out->name[out->count] = name;
    out->number[out->count] = wal_page_array(page, run, path);
    out->text[out->count] = wal_page_texts(page, run, path);
    out->count++;
  }
}

// ---- What the runs came to --------------------------------------------------------------------

/* Columns of results that have a number somewhere. */
typedef struct results {
  int count;
  const char *head[RESULTS];
  const wal_array *column[RESULTS];
} results;

static void add_result(wal_page *page, int run, results *r, const char *name, const char *head) {
  const wal_array *column =
      wal_page_array(page, run, *name == '/' ? name : wal_page_print(page, "/summary/%s", name));
  if (r->count == RESULTS || !has_numbers(column)) return;
  r->head[r->count] = head;
  r->column[r->count++] = column;
}

/* What the game itself reports, in the order of the table: of auctions the revenue first. */
static void add_totals(wal_page *page, int run, results *r) {
  static const char *const FIRST[] = {"revenue", "efficiency", "surplus", "sold"};
  enum { COUNT = sizeof FIRST / sizeof FIRST[0] };
  const wal_texts all = wal_page_children(page, run, "/summary");
  for (int k = 0; k < COUNT; k++) add_result(page, run, r, FIRST[k], FIRST[k]);
  for (int64_t i = 0; i < all.count && r->count < RESULTS - 4; i++) {
    const char *path = wal_page_print(page, "/summary/%s", all.text[i]);
    const char *name = wal_page_attribute_text(page, run, path, "long_name");
    bool there = is_result(all.text[i]) || is_varied(all.text[i], name);
    for (int k = 0; k < COUNT; k++) there = there || strcmp(FIRST[k], all.text[i]) == 0;
    if (!there) add_result(page, run, r, path, all.text[i]);
  }
}

// ---- The table --------------------------------------------------------------------------------

static void add_row(wal_page *page, const ranking *r, const varied *v, const results *columns,
                    const wal_texts *errors, int64_t k) {
  const int64_t i = r->place[k].row;
  wal_page_row(page);
  wal_page_cell_number(page, (double)(k + 1));
  wal_page_cell_number(page, (double)i);
  for (int c = 0; c < v->count; c++)
    if (i < v->text[c].count)
      wal_page_cell(page, v->text[c].text[i]);
    else
      wal_page_cell_number(page, wal_array_at(v->number[c], i));
  for (int c = 0; c < columns->count; c++)
    wal_page_cell_number(page, wal_array_at(columns->column[c], i));
  wal_page_cell(page, i < errors->count && *errors->text[i]   ? errors->text[i]
                      : r->status->values[i] == NOT_CONVERGED ? "not converged"
                                                              : "done");
  wal_page_row_end(page);
}

static void table(wal_page *page, int run, const ranking *r, const varied *v) {
  static const char *const ORDER[] = {
      "ranked by objective, the largest first",
      "ranked by revenue, the largest first, and those that have not converged last",
      "ranked by exploitability, the least first, and those that have not converged last",
      "all have reached the tolerance: in the order of the scenario"};
  const char *heads[VARIED + RESULTS + 3];
  const wal_texts errors = wal_page_texts(page, run, "/summary/error");
  results columns = {0};
  int count = 0;
  heads[count++] = "place";
  heads[count++] = "run";
  for (int i = 0; i < v->count; i++) heads[count++] = v->name[i];
  add_result(page, run, &columns, "objective", "objective");
  add_totals(page, run, &columns);
  add_result(page, run, &columns, "exploitability_last", "exploitability");
  add_result(page, run, &columns, "value", "value");
  add_result(page, run, &columns, "iterations", "iterations");
  add_result(page, run, &columns, "seed", "seed");
  add_result(page, run, &columns, "/run/seconds", "seconds");
  for (int c = 0; c < columns.count; c++) heads[count++] = columns.head[c];
  heads[count++] = "ended with";
  const int64_t shown = wal_thinned_count(r->runs, WAL_PLOT_TABLE);
  const char *less = shown < r->runs ? wal_page_print(page, "; the first %lld of %lld",
                                                      (long long)shown, (long long)r->runs)
                                     : "";
  wal_page_table(page, wal_page_of_run(page, run, wal_page_print(page, "%s%s", ORDER[r->by], less)),
                 count, heads);
  for (int64_t k = 0; k < shown; k++) add_row(page, r, v, &columns, &errors, k);
  wal_page_table_end(page);
}

// ---- Figures ----------------------------------------------------------------------------------

/* Runs that have not converged, marked in grey over their points in all curves. */
static void mark_open(wal_page *page, wal_plot *plot, const wal_array *status,
                      const int64_t *row_of) {
  const int curves = plot->curves;
  int64_t count = 0, open = 0;
  for (int c = 0; c < curves; c++) count += plot->curve[c].count;
  double *x = wal_page_acquire(page, count, sizeof *x);
  double *y = wal_page_acquire(page, count, sizeof *y);
  for (int c = 0; x && y && c < curves; c++)
    for (int64_t i = 0; i < plot->curve[c].count; i++) {
      if (wal_array_at(status, row_of ? row_of[i] : i) != NOT_CONVERGED) continue;
      x[open] = plot->curve[c].x[i];
      y[open++] = plot->curve[c].y[i];
    }
  wal_curve *curve = open > 0 ? wal_plot_add_finite(page, plot, "not converged", open, x, y) : NULL;
  if (!curve) return;
  curve->style = WAL_CURVE_DOTS;
  curve->colour = GREY;
}

static void plot_ranked(wal_page *page, int run, const ranking *r) {
  wal_plot plot = {.title = wal_page_of_run(page, run, "The runs in order of rank"),
                   .look =
                       "A step in the curve parts runs that went well from those that did not; "
                       "a flat curve means that the varied values matter little.",
                   .x_label = "place in the ranking",
                   .y_label = wal_page_label(page, RANKED_BY[r->by], r->result->units),
                   .log_y = r->by == BY_EXPLOITABILITY};
  double *x = wal_page_acquire(page, r->runs, sizeof *x);
  double *y = wal_page_acquire(page, r->runs, sizeof *y);
  int64_t *row = wal_page_acquire(page, r->runs, sizeof *row);
  int64_t count = 0;
  for (int64_t k = 0; x && y && row && k < r->runs; k++) {
    if (!isfinite(wal_array_at(r->result, r->place[k].row))) continue;
    x[count] = (double)(k + 1);
    row[count] = r->place[k].row;
    y[count] = r->result->values[row[count]];
    count++;
  }
  wal_curve *curve = count > 0 ? wal_plot_add(&plot, "runs", count, x, y) : NULL;
  if (curve) curve->style = WAL_CURVE_POINTS;
  if (curve) mark_open(page, &plot, r->status, row);
  wal_page_plot(page, &plot);
}

/* Whether numbers spread over more than a decade, so that a logarithmic axis shows them better. */
static bool spreads(const wal_array *numbers) {
  double least = INFINITY, most = -INFINITY;
  for (int64_t i = 0; i < numbers->items; i++) {
    least = fmin(least, numbers->values[i]);
    most = fmax(most, numbers->values[i]);
  }
  return least > 0 && most > 10 * least;
}

/* Texts as places on an axis, in the order in which they come: NULL if there are too many. */
static const wal_array *places_of(wal_page *page, const wal_texts *texts, wal_texts *names,
                                  wal_array *out) {
  *names = (wal_texts){.text = wal_page_acquire(page, NAMES, sizeof *names->text)};
  *out = (wal_array){.rank = 1, .items = texts->count, .units = "1"};
  out->values = wal_page_acquire(page, texts->count, sizeof *out->values);
  for (int64_t i = 0; names->text && out->values && i < texts->count; i++) {
    int64_t k = 0;
    while (k < names->count && strcmp(names->text[k], texts->text[i]) != 0) k++;
    if (k == NAMES) return NULL;
    if (k == names->count) names->text[names->count++] = texts->text[i];
    out->values[i] = (double)k;
  }
  return out->values && names->text ? out : NULL;
}

/* Results that stand in one figure: those of one unit that is not "1", which can be compared. */
static int group_end(const results *r, int first) {
  int end = first + 1;
  const char *units = r->column[first]->units;
  while (end < r->count && strcmp(units, "1") != 0 && strcmp(units, r->column[end]->units) == 0 &&
         strcmp(r->head[end], "exploitability") != 0)
    end++;
  return end;
}

static const char *names_of(wal_page *page, const results *r, int first, int end) {
  const char *all =
      wal_page_print(page, "%c%s", toupper((unsigned char)*r->head[first]), r->head[first] + 1);
  for (int i = first + 1; i < end; i++)
    all = wal_page_print(page, "%s%s%s", all, i + 1 < end ? ", " : " and ", r->head[i]);
  return all;
}

static const char *look_for(const results *r, int first, int end) {
  if (strcmp(r->head[first], "exploitability") == 0)
    return "How far each run is from equilibrium, a point a run: it should be small everywhere, or "
           "the runs cannot be compared.";
  return end > first + 1
             ? "A point of each kind a run: see what rises while another falls, and where."
             : "A point a run: where the points of one value lie together and move with it, it is "
               "this value that matters.";
}

static bool rises(const double *x, int64_t count) {
  for (int64_t i = 1; i < count; i++)
    if (!(x[i] > x[i - 1])) return false;
  return count > 1;
}

/* Results first to end - 1 against a varied value. */
static void plot_varied(wal_page *page, int run, const ranking *r, const varied *v, int which,
                        const results *all, int first, int end) {
  const wal_array *x = v->number[which];
  wal_array places = {0};
  wal_texts names = {0};
  if (!x && v->text[which].count == r->runs) x = places_of(page, &v->text[which], &names, &places);
  if (!x || x->items != r->runs) return;
  const char *units = all->column[first]->units;
  wal_plot plot = {
      .title = wal_page_of_run(
          page, run,
          wal_page_print(page, "%s against %s", names_of(page, all, first, end), v->name[which])),
      .look = look_for(all, first, end),
      .x_label = v->name[which],
      .y_label = end > first + 1 ? units : wal_page_label(page, all->head[first], units),
      .log_x = names.count == 0 && spreads(x),
      .ticks = names.text,
      .tick_count = names.count,
      .log_y = strcmp(all->head[first], "exploitability") == 0};
  // Curves of all rows, so that the marks find theirs: what failed is not finite, and not drawn.
  for (int c = first; c < end; c++) {
    if (all->column[c]->items != r->runs) continue;
    wal_curve *curve =
        wal_plot_add(&plot, all->head[c], r->runs, x->values, all->column[c]->values);
    if (!curve) continue;
    const bool line = v->count == 1 && !names.count && rises(x->values, r->runs);
    curve->style = line ? WAL_CURVE_POINTS : WAL_CURVE_DOTS;
  }
  mark_open(page, &plot, r->status, NULL);
  wal_page_plot(page, &plot);
}

static void plot_results(wal_page *page, int run, const ranking *r, const varied *v) {
  results all = {0};
  int figures = 0;
  add_result(page, run, &all, "objective", "objective");
  add_totals(page, run, &all);
  if (all.count == 0) add_result(page, run, &all, "value", "value");
  add_result(page, run, &all, "exploitability_last", "exploitability");
  for (int i = 0; i < v->count && i < VARIED_DRAWN; i++)
    for (int c = 0; c < all.count && figures < FIGURES; figures++) {
      const int end = group_end(&all, c);
      plot_varied(page, run, r, v, i, &all, c, end);
      c = end;
    }
}

const char *wal_page_sweep_best(wal_page *page, int run, const char **name, const char **more) {
  static const char *const BEST[] = {"Best objective", "Most revenue", "Least exploitability", ""};
  ranking r;
  varied v;
  char number[32];
  *more = "";
  if (!rank_runs(page, run, &r) || !r.result || r.runs == 0 || isnan(r.place[0].key)) return NULL;
  *name = BEST[r.by];
  const int64_t best = r.place[0].row;
  find_varied(page, run, &v);
  for (int c = 0; c < v.count; c++) {
    const char *value = best < v.text[c].count
                            ? v.text[c].text[best]
                            : wal_page_number(wal_array_at(v.number[c], best), number);
    *more = wal_page_print(page, "%s%s%s = %s", *more, **more ? ", " : "", v.name[c], value);
  }
  if (r.status->values[best] == NOT_CONVERGED)
    *more = wal_page_print(page, "%s%snot converged", *more, **more ? ", " : "");
  snprintf(number, sizeof number, "%.4g", wal_array_at(r.result, best));
  return wal_page_print(page, "%s", number);
}

void wal_page_sweep(wal_page *page) {
  for (int run = 0; run < page->runs; run++) {
    ranking r;
    varied v;
    if (!wal_page_has(page, run, "/summary") || !rank_runs(page, run, &r)) continue;
    wal_page_section(page, wal_page_of_run(page, run, "The sweep"),
                     "Runs with everything equal but what is varied, and the seed if it is.");
    find_varied(page, run, &v);
    if (r.result) plot_ranked(page, run, &r);
    plot_results(page, run, &r, &v);
    table(page, run, &r, &v);
    wal_page_section_end(page);
  }
}
