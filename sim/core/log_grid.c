// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/core/log_grid.h"

#include <stddef.h>

int64_t wal_log_grid(int64_t last, int64_t *point) {
  const double factor = 1.0905077326652577;  // 2^(1/8)
  int64_t count = 0, before = 0;
  for (double at = 1; at < (double)last; at *= factor) {
    const int64_t whole = (int64_t)at;
    if (whole == before) continue;
    if (point) point[count] = whole;
    before = whole;
    count++;
  }
  if (point) point[count] = last;
  return count + 1;
}
