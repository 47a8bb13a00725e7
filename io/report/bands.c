// SPDX-License-Identifier: GPL-3.0-or-later
#include "io/report/bands.h"

wal_curve *wal_plot_add_seeds(wal_page *page, wal_plot *plot, const char *name,
                              const wal_array *time, const wal_array *table, int64_t who) {
  const int64_t times = time->items, seeds = table->rank == 3 ? table->extent[1] : 1;
  if (table->extent[table->rank - 1] != times || who >= table->extent[0]) return NULL;
  double *band = wal_page_acquire(page, 3 * times, sizeof *band);
  for (int64_t t = 0; band && t < times; t++) {
    double sum = 0, least = 0, most = 0;
    for (int64_t s = 0; s < seeds; s++) {
      const double value = table->values[(who * seeds + s) * times + t];
      sum += value;
      if (s == 0 || value < least) least = value;
      if (s == 0 || value > most) most = value;
    }
    band[t] = sum / (double)seeds;
    band[times + t] = least;
    band[2 * times + t] = most;
  }
  wal_curve *curve = band ? wal_plot_add(plot, name, times, time->values, band) : NULL;
  if (curve && seeds > 1) {
    curve->low = band + times;
    curve->high = band + 2 * times;
  }
  return curve;
}
