// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/transfer_print.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/component_list.h"
#include "cli/rows.h"

enum { SHOWN = 5, CELL = 48, WIN_COLUMNS = WAL_COMPONENT_LIST_SHOWN };

/* The points nearest to T/16, T/8, ..., T, without those that are the same. */
typedef struct columns {
  int count;
  int64_t point[SHOWN];
} columns;

static int64_t nearest(const wal_transfer_results *r, double round) {
  int64_t best = 0;
  for (int64_t i = 1; i < r->points; i++)
    if (fabs(log((double)r->round[i] / round)) < fabs(log((double)r->round[best] / round)))
      best = i;
  return best;
}

static columns choose(const wal_transfer_results *r) {
  const double last = (double)r->round[r->points - 1];
  columns out = {0};
  for (int i = SHOWN - 1; i >= 0; i--) {
    const double round = last / (double)(1 << i);
    const int64_t point = nearest(r, round < 1 ? 1 : round);
    if (out.count == 0 || out.point[out.count - 1] != point) out.point[out.count++] = point;
  }
  return out;
}

/* The width of a column that holds these. */
static int wider(int width, const char *text) {
  const int length = (int)strlen(text);
  return length > width ? length : width;
}

static int name_width(const wal_transfer_results *r) {
  int width = 6;
  for (int64_t m = 0; m < r->methods; m++) width = wider(width, r->method[m]);
  return width;
}

// ---- Regrets ----------------------------------------------------------------------------------

/* Three figures, or more where a number has more digits before the point. */
static const char *three(double x, char out[CELL]) {
  const double size = fabs(x);
  if (isnan(x))
    snprintf(out, CELL, "-");
  else if (size >= 100 && size < 1e7)
    snprintf(out, CELL, "%.0f", x);
  else
    snprintf(out, CELL, "%.3g", x);
  return out;
}

static void regret_cell(const wal_transfer_results *r, int64_t method, int64_t point,
                        char out[CELL]) {
  const wal_transfer_range range = wal_transfer_regret(r, method, point);
  char a[CELL], b[CELL], c[CELL];
  if (r->seeds == 1)
    snprintf(out, CELL, "%s", three(range.median, a));
  else
    snprintf(out, CELL, "%.12s (%.12s-%.12s)", three(range.median, a), three(range.low, b),
             three(range.high, c));
}

static void interval_cell(const wal_power_law *law, char out[CELL]) {
  if (isnan(law->slope))
    snprintf(out, CELL, "-");
  else if (isnan(law->low))
    snprintf(out, CELL, "%.2f", law->slope);
  else
    snprintf(out, CELL, "%.2f (%.2f-%.2f)", law->slope, law->low, law->high);
}

static void ratio_cell(const wal_transfer_results *r, int64_t method, int64_t point,
                       char out[CELL]) {
  const wal_power_law ratio = wal_transfer_ratio(r, method, point);
  if (method == r->baseline)
    snprintf(out, CELL, "1");
  else
    interval_cell(&ratio, out);
}

static bool is_shown(const wal_transfer_results *r, int64_t method) {
  return wal_row_shown(stdout, method, r->methods, WAL_COMPONENT_LIST_SHOWN, "/transfer/summary");
}

typedef void (*cell)(const wal_transfer_results *r, int64_t method, int64_t point, char out[CELL]);

/* A row a method, a column a point. */
static void print_points(const wal_transfer_results *r, const char *title, cell fill) {
  const columns shown = choose(r);
  const int names = name_width(r);
  int width[SHOWN];
  char text[CELL];
  for (int i = 0; i < shown.count; i++) {
    snprintf(text, CELL, "%lld", (long long)r->round[shown.point[i]]);
    width[i] = wider(0, text);
    for (int64_t m = 0; m < r->methods; m++) {
      fill(r, m, shown.point[i], text);
      width[i] = wider(width[i], text);
    }
  }
  printf("  %s\n  %-*s", title, names, "rounds");
  for (int i = 0; i < shown.count; i++)
    printf("  %*lld", width[i], (long long)r->round[shown.point[i]]);
  printf("\n");
  for (int64_t m = 0; m < r->methods; m++) {
    if (!is_shown(r, m)) continue;
    printf("  %-*s", names, r->method[m]);
    for (int i = 0; i < shown.count; i++) {
      fill(r, m, shown.point[i], text);
      printf("  %*s", width[i], text);
    }
    printf("\n");
  }
}

// ---- Policies ---------------------------------------------------------------------------------

static void print_policies(const wal_transfer_results *r) {
  const int names = name_width(r);
  char text[CELL];
  int law = 8;
  for (int64_t m = 0; m < r->methods; m++) {
    const wal_power_law exponent = wal_transfer_exponent(r, m);
    interval_cell(&exponent, text);
    law = wider(law, text);
  }
  printf(
      "  exponent of regret in the last two octaves, gap of the final policy, %% of rounds by who "
      "proposed\n");
  printf("  %-*s  %*s  %9s", names, "method", law, "exponent", "final gap");
  for (int64_t a = 0; a < r->arms; a++) printf("  %*s", wider(5, r->arm[a]), r->arm[a]);
  printf("\n");
  for (int64_t m = 0; m < r->methods; m++) {
    if (!is_shown(r, m)) continue;
    const wal_power_law exponent = wal_transfer_exponent(r, m);
    interval_cell(&exponent, text);
    printf("  %-*s  %*s  %9.3g", names, r->method[m], law, text,
           wal_transfer_last(r, m, WAL_ABOUT_GAP));
    for (int64_t a = 0; a < r->arms; a++) {
      const double share = wal_transfer_share(r, m, a);
      if (share > 0)
        snprintf(text, CELL, "%.1f", 100 * share);
      else
        snprintf(text, CELL, "-");
      printf("  %*s", wider(5, r->arm[a]), text);
    }
    printf("\n");
  }
}

/* Of the reference and the first few sources. */
static void print_sources(const wal_transfer_results *r) {
  enum { TOLD = 6 };
  const int64_t sources = r->arms - 2;
  printf("  gaps                reference %.3g", wal_transfer_candidate(r, sources, WAL_ABOUT_GAP));
  for (int64_t a = 0; a < sources && a < TOLD; a++)
    printf(", %s %.3g", r->arm[a], wal_transfer_candidate(r, a, WAL_ABOUT_GAP));
  printf(sources > TOLD ? ", ...\n" : "\n");
}

static void print_wins(const wal_transfer_results *r) {
  const int names = name_width(r);
  if (r->methods == 1) return;
  if (r->methods > WIN_COLUMNS) {
    printf("  win rates           of %lld methods: /transfer/summary/win_rate in the file\n",
           (long long)r->methods);
    return;
  }
  printf("  win rates of final policies in %%: row against column\n  %-*s", names + 4, "method");
  for (int64_t m = 0; m < r->methods; m++) printf("  %4lld", (long long)m + 1);
  for (int64_t m = 0; m < r->methods; m++) {
    printf("\n  %2lld  %-*s", (long long)m + 1, names, r->method[m]);
    for (int64_t k = 0; k < r->methods; k++)
      if (k == m)
        printf("  %4s", "-");
      else
        printf("  %4.1f", 100 * wal_transfer_win(r, m, k, NULL));
  }
  printf("\n");
}

void wal_transfer_print(const wal_transfer_results *r) {
  char title[160];
  print_points(
      r, r->seeds == 1 ? "regret" : "regret: median of the seeds (and quantiles of 5 % and 95 %)",
      regret_cell);
  if (r->methods > 1) {
    snprintf(title, sizeof title, "regret over that of %s with the same seed%s",
             r->method[r->baseline],
             r->seeds == 1 ? "" : ": geometric mean (and 95 % interval of the mean)");
    print_points(r, title, ratio_cell);
  }
  print_policies(r);
  print_wins(r);
  print_sources(r);
  if (wal_transfer_too_short(r))
    printf("  exponents           omitted: they want at least 40 rounds\n");
}
