// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_CORE_SUM_H
#define WALRAS_SIM_CORE_SUM_H

#include <stdint.h>

#include "sim/core/hot.h"

/* Sums of a fixed shape: the result depends on the numbers and their order only, never on the
 * instruction set or the number of ranks. Eight lanes (element i goes to lane i mod 8), then a tree
 * over the lanes. */

enum { WAL_LANES = 8 };

/** The sum of the lanes, for loops that sum like these. */
WAL_INLINE double wal_lane_tree(const double *lane) {
  double four[4];
  for (int j = 0; j < 4; j++) four[j] = lane[j] + lane[j + 4];
  return (four[0] + four[2]) + (four[1] + four[3]);
}

/** The sum of x. */
double wal_sum(int64_t n, const double *x);

/** Sum of x[i] * y[i], as wal_sum(). */
double wal_dot(int64_t n, const double *x, const double *y);

/** Sum of x[i * stride] over i < n in a balanced tree that depends on n only. For block sums. */
double wal_tree_sum(int64_t n, int64_t stride, const double *x);

#endif
