// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/sweep_ranking.h"

#include <math.h>
#include <stdlib.h>

#include "sim/core/memory.h"

enum { SHOWN = 20 };

typedef struct entry {
  wal_figures figures;
  int64_t run;
} entry;

static bool is_larger(double objective, double than) {
  return objective > than || (!isnan(objective) && isnan(than));
}

bool wal_sweep_is_better(const wal_figures *figures, const wal_figures *than) {
  if (isnan(figures->objective) || isnan(than->objective) || figures->unsettled == than->unsettled)
    return is_larger(figures->objective, than->objective);
  return than->unsettled;
}

/* Of designs that did not fail; one whose population has not settled has a rank, too. */
static bool is_good(const wal_sweep_row *row) {
  const bool open = row->status == WAL_ENOCONV && row->figures.unsettled;
  return (row->status == WAL_OK || open) && !isnan(row->figures.objective);
}

static int compare(const void *a, const void *b) {
  const entry *x = a, *y = b;
  if (wal_sweep_is_better(&x->figures, &y->figures)) return -1;
  if (wal_sweep_is_better(&y->figures, &x->figures)) return 1;
  return (x->run > y->run) - (x->run < y->run);
}

wal_status wal_sweep_rank(wal_ctx *ctx, const wal_sweep_row *rows, int64_t runs,
                          wal_sweep_ranking *out) {
  entry *entries = NULL;
  *out = (wal_sweep_ranking){.count = 0};
  wal_status status = wal_acquire(ctx, "a table", runs, sizeof *entries, &entries);
  if (status == WAL_OK) status = wal_acquire(ctx, "a table", runs, sizeof *out->order, &out->order);
  if (status == WAL_OK) status = wal_acquire(ctx, "a table", runs, sizeof *out->rank, &out->rank);
  if (status == WAL_OK) {
    for (int64_t i = 0; i < runs; i++) {
      entries[i] = (entry){rows[i].figures, i};
      if (!is_good(&rows[i])) entries[i].figures.objective = NAN;
    }
    qsort(entries, (size_t)runs, sizeof *entries, compare);
    for (int64_t i = 0; i < runs; i++) {
      const bool ranked = !isnan(entries[i].figures.objective);
      out->order[i] = entries[i].run;
      out->rank[entries[i].run] = ranked ? ++out->count : 0;
    }
  }
  wal_release(ctx, &entries);
  return status;
}

void wal_sweep_ranking_free(wal_ctx *ctx, wal_sweep_ranking *ranking) {
  wal_release(ctx, &ranking->order);
  wal_release(ctx, &ranking->rank);
}

// ---- Settings ---------------------------------------------------------------------------------

/* What the seeds of a setting came to. */
typedef struct setting {
  int64_t number, good, open; /* good: runs that have an objective; open: not settled, of those */
  double mean, least, most;
} setting;

static int compare_settings(const void *a, const void *b) {
  const setting *x = a, *y = b;
  if (x->good != y->good) return x->good > y->good ? -1 : 1;
  if (is_larger(x->mean, y->mean)) return -1;
  if (is_larger(y->mean, x->mean)) return 1;
  return (x->number > y->number) - (x->number < y->number);
}

static setting sum_up(const wal_sweep *sweep, const wal_sweep_row *rows, int64_t number) {
  setting s = {.number = number, .mean = NAN, .least = NAN, .most = NAN};
  double sum = 0;
  for (int64_t run = number * sweep->seeds; run < (number + 1) * sweep->seeds; run++) {
    const double objective = rows[run].figures.objective;
    if (!is_good(&rows[run])) continue;
    s.good++;
    s.open += rows[run].status != WAL_OK;
    sum += objective;
    s.least = fmin(s.least, objective);
    s.most = fmax(s.most, objective);
  }
  if (s.good > 0) s.mean = sum / (double)s.good;
  return s;
}

static void print_setting(FILE *out, const wal_sweep *sweep, const setting *s) {
  wal_text label = {0};
  wal_sweep_run_text(&label, sweep, s->number * sweep->seeds);
  fprintf(out, "  %12.6g  (%.6g to %.6g)  ", s->mean, s->least, s->most);
  if (label.bytes && *label.bytes)
    fputs(label.bytes, out);
  else
    fprintf(out, "task %lld", (long long)s->number + 1);
  if (s->good < sweep->seeds) fprintf(out, ", %lld failed", (long long)(sweep->seeds - s->good));
  if (s->open > 0) fprintf(out, ", %lld NOT converged", (long long)s->open);
  fprintf(out, "\n");
  wal_text_free(&label);
}

wal_status wal_sweep_print_settings(wal_ctx *ctx, FILE *out, const wal_sweep *sweep,
                                    const wal_sweep_row *rows) {
  setting *all = NULL;
  if (sweep->settings < 2 || sweep->seeds < 2) return WAL_OK;
  WAL_TRY(wal_acquire(ctx, "a table", sweep->settings, sizeof *all, &all));
  for (int64_t i = 0; i < sweep->settings; i++) all[i] = sum_up(sweep, rows, i);
  qsort(all, (size_t)sweep->settings, sizeof *all, compare_settings);
  if (all[0].good > 0)
    fprintf(out, "mean objective of the %lld seeds (least to most):\n", (long long)sweep->seeds);
  for (int64_t i = 0; i < sweep->settings && i < SHOWN && all[i].good > 0; i++)
    print_setting(out, sweep, &all[i]);
  wal_release(ctx, &all);
  return WAL_OK;
}
