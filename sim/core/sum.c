// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/core/sum.h"

enum { LANES = WAL_LANES };

WAL_HOT double wal_sum(int64_t n, const double *restrict x) {
  double lane[LANES] = {0};
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (int j = 0; j < LANES; j++) lane[j] += x[i + j];
  for (int j = 0; i < n; i++, j++) lane[j] += x[i];
  return wal_lane_tree(lane);
}

WAL_HOT double wal_dot(int64_t n, const double *restrict x, const double *restrict y) {
  double lane[LANES] = {0};
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (int j = 0; j < LANES; j++) lane[j] += x[i + j] * y[i + j];
  for (int j = 0; i < n; i++, j++) lane[j] += x[i] * y[i];
  return wal_lane_tree(lane);
}

double wal_tree_sum(int64_t n, int64_t stride, const double *x) {
  if (n <= 0) return 0;
  if (n == 1) return x[0];
  int64_t half = 1;  // the largest power of two below n: the tree of the first part is complete
  while (half * 2 < n) half *= 2;
  return wal_tree_sum(half, stride, x) + wal_tree_sum(n - half, stride, x + half * stride);
}
