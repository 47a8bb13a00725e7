// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/sweep_ranking.h"

#include <math.h>
#include <stdlib.h>

#include "sim/core/memory.h"

typedef struct entry {
  double objective;
  int64_t run;
} entry;

bool wal_sweep_is_better(double objective, double than) {
  return objective > than || (!isnan(objective) && isnan(than));
}

static int compare(const void *a, const void *b) {
  const entry *x = a, *y = b;
  if (wal_sweep_is_better(x->objective, y->objective)) return -1;
  if (wal_sweep_is_better(y->objective, x->objective)) return 1;
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
      const double objective = rows[i].figures.objective;
      entries[i] = (entry){rows[i].status == WAL_OK ? objective : NAN, i};
    }
    qsort(entries, (size_t)runs, sizeof *entries, compare);
    for (int64_t i = 0; i < runs; i++) {
      const bool ranked = !isnan(entries[i].objective);
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
