// SPDX-License-Identifier: GPL-3.0-or-later
#define _XOPEN_SOURCE 700

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/report/contents.h"

/* What is different between two runs: results that are one number, and the scenarios. */

enum { MOST_ROWS = 200, DEEPEST = 24 };

// ---- Results ----------------------------------------------------------------------------------

static void add_difference(wal_page *page, const char *name, double a, double b) {
  if (isnan(a) || isnan(b)) return;
  char text[32];
  wal_page_row(page);
  wal_page_cell(page, name);
  wal_page_cell_number(page, a);
  wal_page_cell_number(page, b);
  wal_page_cell_number(page, b - a);
  if (a != 0 && isfinite((b - a) / a)) {
    snprintf(text, sizeof text, "%+.3g %%", 100 * (b - a) / fabs(a));
    wal_text_add(&page->html, "<td>%s</td>", text);
  } else {
    wal_page_markup(page, "<td>-</td>");
  }
  wal_page_row_end(page);
}

static void add_attributes(wal_page *page, const char *group) {
  const wal_texts names = wal_page_attributes(page, 0, group);
  for (int64_t i = 0; i < names.count; i++)
    add_difference(page, wal_page_print(page, "%s: %s", group + 1, names.text[i]),
                   wal_page_attribute(page, 0, group, names.text[i]),
                   wal_page_attribute(page, 1, group, names.text[i]));
}

static void add_last(wal_page *page, const char *path, const char *name) {
  add_difference(page, name, wal_array_last(wal_page_array(page, 0, path)),
                 wal_array_last(wal_page_array(page, 1, path)));
}

/* Rows of a table that have a name each, where both files have the name. */
static void add_named(wal_page *page, const char *group, const char *names, const char *column) {
  const wal_texts a = wal_page_texts(page, 0, wal_page_print(page, "%s/%s", group, names));
  const wal_texts b = wal_page_texts(page, 1, wal_page_print(page, "%s/%s", group, names));
  const char *path = wal_page_print(page, "%s/%s", group, column);
  if (!wal_page_has(page, 0, path)) path = wal_page_print(page, "%s/summary/%s", group, column);
  const wal_array *first = wal_page_array(page, 0, path), *second = wal_page_array(page, 1, path);
  for (int64_t i = 0; first && second && i < a.count; i++)
    for (int64_t k = 0; k < b.count; k++)
      if (strcmp(a.text[i], b.text[k]) == 0)
        add_difference(page, wal_page_print(page, "%s: %s", column, a.text[i]),
                       wal_array_at(first, i), wal_array_at(second, k));
}

static void add_results(wal_page *page) {
  static const char *const GROUPS[] = {"/auction", "/population", "/steering/target"};
  static const char *const HEADS[] = {"result", "A", "B", "B - A", "of A"};
  const size_t before = page->html.length;
  wal_page_table(page, "results that are one number, where both runs have them", 5, HEADS);
  const size_t empty = page->html.length;
  add_last(page, "/trace/iteration", "iterations");
  add_last(page, "/trace/exploitability", "exploitability at the end");
  add_last(page, "/trace/best", "least exploitability");
  add_last(page, "/trace/value", "value at the end");
  add_last(page, "/design/step", "design: steps");
  add_last(page, "/design/best/objective", "design: best objective");
  add_last(page, "/run/seconds", "seconds");
  for (size_t i = 0; i < sizeof GROUPS / sizeof GROUPS[0]; i++) add_attributes(page, GROUPS[i]);
  add_named(page, "/design/reference", "name", "objective");
  add_named(page, "/design/reference", "name", "plain_exploitability");
  add_named(page, "/simulation", "quantity", "estimate");
  add_named(page, "/steering", "mediator", "gap_per_episode");
  add_named(page, "/steering", "mediator", "cost_per_episode");
  add_named(page, "/transfer", "method", "regret");
  add_last(page, "/population/return_gap", "population: return gap at the most agents");
  if (page->html.length > empty || page->html.failed) {
    wal_page_table_end(page);
    return;
  }
  page->html.length = before;
  page->html.bytes[before] = '\0';
  wal_page_paragraph(page, "There is no result that both runs have.");
}

// ---- Scenarios --------------------------------------------------------------------------------

typedef struct walk {
  wal_page *page;
  int64_t rows;
} walk;

static const char *value_text(wal_page *page, json_t *value) {
  if (!value) return "not there";
  char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(10));
  char line[200];
  wal_hdf5_one_line(text ? text : "?", line, sizeof line);
  free(text);
  return wal_page_print(page, "%s", line);
}

static void add_parameter(walk *w, const char *path, json_t *a, json_t *b) {
  if (w->rows++ >= MOST_ROWS) return;
  wal_page_row(w->page);
  wal_page_cell(w->page, path);
  wal_page_cell(w->page, value_text(w->page, a));
  wal_page_cell(w->page, value_text(w->page, b));
  wal_page_row_end(w->page);
}

/* Objects are compared key by key, everything else as a whole. */
static void compare(walk *w, const char *path, json_t *a, json_t *b, int depth) {
  if (a && b && json_equal(a, b)) return;
  if (!json_is_object(a) || !json_is_object(b) || depth > DEEPEST) {
    add_parameter(w, path, a, b);
    return;
  }
  const char *key;
  json_t *value;
  json_object_foreach(a, key, value)
      compare(w, wal_page_print(w->page, "%s%s%s", path, *path ? "." : "", key), value,
              json_object_get(b, key), depth + 1);
  json_object_foreach(b, key, value) if (!json_object_get(a, key)) compare(
      w, wal_page_print(w->page, "%s%s%s", path, *path ? "." : "", key), NULL, value, depth + 1);
}

void wal_page_differences(wal_page *page) {
  static const char *const HEADS[] = {"parameter", "A", "B"};
  if (page->runs < 2) return;
  wal_page_section(page, "What is different", NULL);
  json_t *a = page->run[0].scenario, *b = page->run[1].scenario;
  if (a && b && json_equal(a, b)) {
    wal_page_paragraph(page, "The scenarios are the same, with all defaults filled in.");
  } else {
    walk w = {page, 0};
    wal_page_table(page, "parameters that differ, with all defaults filled in", 3, HEADS);
    compare(&w, "", a, b, 0);
    wal_page_table_end(page);
    if (w.rows > MOST_ROWS)
      wal_page_paragraph(page, wal_page_print(page, "%lld more parameters differ.",
                                              (long long)(w.rows - MOST_ROWS)));
  }
  add_results(page);
  wal_page_section_end(page);
}
