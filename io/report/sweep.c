// SPDX-License-Identifier: GPL-3.0-or-later
#define _XOPEN_SOURCE 700

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/report/contents.h"
#include "io/report/plot.h"

/* The runs of a sweep, ranked: by objective if they are designs, else by exploitability. */

enum { VARIED = 12, FIGURES = 5, NAMES = 6 };

typedef struct place {
  int64_t row;
  double key; /* smaller is better */
} place;

typedef struct ranking {
  int64_t runs;
  place *place;
  bool designs;
  const wal_array *result; /* what they are ranked by */
  const wal_array *status;
} ranking;

static int by_key(const void *a, const void *b) {
  const place *first = a, *second = b;
  if (isnan(first->key) != isnan(second->key)) return isnan(first->key) ? 1 : -1;
  if (first->key != second->key && !isnan(first->key)) return first->key < second->key ? -1 : 1;
  return first->row < second->row ? -1 : first->row > second->row;
}

static bool rank_runs(wal_page *page, int run, ranking *out) {
  *out = (ranking){.status = wal_page_array(page, run, "/summary/status")};
  if (!out->status) return false;
  out->runs = out->status->items;
  out->result = wal_page_array(page, run, "/summary/objective");
  for (int64_t i = 0; out->result && i < out->result->items; i++)
    out->designs = out->designs || !isnan(out->result->values[i]);
  if (!out->designs) out->result = wal_page_array(page, run, "/summary/exploitability_last");
  out->place = wal_page_acquire(page, out->runs, sizeof *out->place);
  for (int64_t i = 0; out->place && i < out->runs; i++) {
    const double value = wal_array_at(out->result, i);
    out->place[i] = (place){i, out->designs ? -value : value};
  }
  if (!out->place) return false;
  qsort(out->place, (size_t)out->runs, sizeof *out->place, by_key);
  return out->result != NULL;
}

// ---- What differs between the runs ------------------------------------------------------------

typedef struct varied {
  int count;
  const char *name[VARIED]; /* "game.states" */
  const wal_array *number[VARIED];
  wal_texts text[VARIED];
} varied;

static bool is_result(const char *name) {
  static const char *const RESULTS[] = {"run",
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
  for (size_t i = 0; i < sizeof RESULTS / sizeof RESULTS[0]; i++)
    if (strcmp(name, RESULTS[i]) == 0) return true;
  return strncmp(name, "exploitability_", 15) == 0;
}

/* Their long_name is a path in the scenario, or a name that stands there without dots. */
static void find_varied(wal_page *page, int run, varied *out) {
  const wal_texts all = wal_page_children(page, run, "/summary");
  *out = (varied){0};
  for (int64_t i = 0; i < all.count && out->count < VARIED; i++) {
    const char *path = wal_page_print(page, "/summary/%s", all.text[i]);
    const char *name = wal_page_attribute_text(page, run, path, "long_name");
    if (is_result(all.text[i]) || !name || strchr(name, ' ') ||
        (!strchr(name, '.') && strcmp(name, all.text[i]) != 0))
      continue;
    out->name[out->count] = name;
    out->number[out->count] = wal_page_array(page, run, path);
    out->text[out->count] = wal_page_texts(page, run, path);
    out->count++;
  }
}

// ---- Table and figures ------------------------------------------------------------------------

/* What the table has behind the varied values: columns of results that have a number somewhere. */
typedef struct results {
  int count;
  const char *head[8];
  const wal_array *column[8];
} results;

static void add_result(wal_page *page, int run, results *r, const char *path, const char *head) {
  const wal_array *column = wal_page_array(page, run, path);
  bool any = false;
  for (int64_t i = 0; column && i < column->items; i++) any = any || !isnan(column->values[i]);
  if (!any) return;
  r->head[r->count] = head;
  r->column[r->count++] = column;
}

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
  wal_page_cell(page, i < errors->count && *errors->text[i] ? errors->text[i]
                      : r->status->values[i] == 2           ? "not converged"
                                                            : "done");
  wal_page_row_end(page);
}

static void table(wal_page *page, int run, const ranking *r, const varied *v) {
  const char *heads[VARIED + 12];
  const wal_texts errors = wal_page_texts(page, run, "/summary/error");
  results columns = {0};
  int count = 0;
  heads[count++] = "place";
  heads[count++] = "run";
  for (int i = 0; i < v->count; i++) heads[count++] = v->name[i];
  add_result(page, run, &columns, "/summary/objective", "objective");
  add_result(page, run, &columns, "/summary/exploitability_last", "exploitability");
  add_result(page, run, &columns, "/summary/value", "value");
  add_result(page, run, &columns, "/summary/revenue", "revenue");
  add_result(page, run, &columns, "/summary/iterations", "iterations");
  add_result(page, run, &columns, "/summary/seed", "seed");
  add_result(page, run, &columns, "/run/seconds", "seconds");
  for (int c = 0; c < columns.count; c++) heads[count++] = columns.head[c];
  heads[count++] = "ended with";
  const int64_t shown = wal_thinned_count(r->runs, WAL_PLOT_TABLE);
  const char *less = shown < r->runs ? wal_page_print(page, "; the first %lld of %lld",
                                                      (long long)shown, (long long)r->runs)
                                     : "";
  wal_page_table(page,
                 wal_page_of_run(page, run,
                                 wal_page_print(page, "ranked by %s%s",
                                                r->designs ? "objective, the largest first"
                                                           : "exploitability, the least first",
                                                less)),
                 count, heads);
  for (int64_t k = 0; k < shown; k++) add_row(page, r, v, &columns, &errors, k);
  wal_page_table_end(page);
}

static void plot_ranked(wal_page *page, int run, const ranking *r) {
  wal_plot plot = {.title = wal_page_of_run(page, run, "The runs in order of rank"),
                   .look =
                       "A step in the curve parts runs that went well from those that did not; "
                       "a flat curve means that the varied values matter little.",
                   .x_label = "place in the ranking",
                   .y_label = wal_page_label(page, r->designs ? "objective" : "exploitability",
                                             r->result->units),
                   .log_y = !r->designs};
  double *x = wal_page_acquire(page, r->runs, sizeof *x);
  double *y = wal_page_acquire(page, r->runs, sizeof *y);
  for (int64_t k = 0; x && y && k < r->runs; k++) {
    x[k] = (double)(k + 1);
    y[k] = wal_array_at(r->result, r->place[k].row);
  }
  wal_curve *curve = wal_plot_add_finite(page, &plot, "runs", r->runs, x, y);
  if (curve) curve->style = WAL_CURVE_POINTS;
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

static void plot_varied(wal_page *page, int run, const ranking *r, const varied *v, int which) {
  const wal_array *x = v->number[which];
  wal_array places = {0};
  wal_texts names = {0};
  if (!x && v->text[which].count == r->runs) x = places_of(page, &v->text[which], &names, &places);
  if (!x || x->items != r->runs) return;
  wal_plot plot = {.title = wal_page_of_run(
                       page, run, wal_page_print(page, "Result against %s", v->name[which])),
                   .look =
                       "A point a run: where the points of one value lie together and move with "
                       "it, it is this value that matters.",
                   .x_label = v->name[which],
                   .y_label = wal_page_label(page, r->designs ? "objective" : "exploitability",
                                             r->result->units),
                   .log_x = names.count == 0 && spreads(x),
                   .ticks = names.text,
                   .tick_count = names.count,
                   .log_y = !r->designs};
  wal_curve *curve =
      wal_plot_add_finite(page, &plot, "runs", r->runs, x->values, r->result->values);
  if (curve) curve->style = WAL_CURVE_DOTS;
  wal_page_plot(page, &plot);
}

const char *wal_page_sweep_best(wal_page *page, int run, const char **more) {
  ranking r;
  varied v;
  char number[32];
  *more = "";
  if (!rank_runs(page, run, &r) || r.runs == 0 || isnan(r.place[0].key)) return NULL;
  const int64_t best = r.place[0].row;
  find_varied(page, run, &v);
  for (int c = 0; c < v.count; c++) {
    const char *value = best < v.text[c].count
                            ? v.text[c].text[best]
                            : wal_page_number(wal_array_at(v.number[c], best), number);
    *more = wal_page_print(page, "%s%s%s = %s", *more, **more ? ", " : "", v.name[c], value);
  }
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
    plot_ranked(page, run, &r);
    for (int i = 0; i < v.count && i < FIGURES; i++) plot_varied(page, run, &r, &v, i);
    table(page, run, &r, &v);
    wal_page_section_end(page);
  }
}
