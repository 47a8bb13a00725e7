// SPDX-License-Identifier: GPL-3.0-or-later
#include "auctions/dense.h"

#include <stdint.h>

#include "sim/core/hot.h"
#include "sim/core/sum.h"

int wal_dense_active(int count, const double *x, int *index) {
  int active = 0;
  for (int i = 0; i < count; i++) {
    index[active] = i;
    active += x[i] != 0;
  }
  return active;
}

/* Four columns at a time: each is read once, `out` a quarter as often. */
WAL_HOT void wal_dense_add(int rows, const double *restrict w, int count, const int *restrict index,
                           const double *restrict x, double *restrict out) {
  int k = 0;
  for (; k + 4 <= count; k += 4) {
    const int *j = index + k;
    const double *a = w + (int64_t)j[0] * rows, *b = w + (int64_t)j[1] * rows;
    const double *c = w + (int64_t)j[2] * rows, *d = w + (int64_t)j[3] * rows;
    const double s = x[j[0]], t = x[j[1]], u = x[j[2]], v = x[j[3]];
    for (int i = 0; i < rows; i++) out[i] += (s * a[i] + t * b[i]) + (u * c[i] + v * d[i]);
  }
  for (; k < count; k++) {
    const double *a = w + (int64_t)index[k] * rows, s = x[index[k]];
    for (int i = 0; i < rows; i++) out[i] += s * a[i];
  }
}

/* As above; past the end of the list its last column is taken again. The next four columns are
 * asked for ahead: they lie anywhere. */
WAL_HOT void wal_dense_add_transposed(int rows, const double *restrict w, int count,
                                      const int *restrict index, const double *restrict x,
                                      double *restrict out) {
  const int whole = rows / WAL_LANES * WAL_LANES;
  for (int k = 0; k < count; k += 4) {
    const int last = count - 1 - k;
    const int *j = index + k;
    const double *a = w + (int64_t)j[0] * rows, *b = w + (int64_t)j[last < 1 ? last : 1] * rows;
    const double *c = w + (int64_t)j[last < 2 ? last : 2] * rows;
    const double *d = w + (int64_t)j[last < 3 ? last : 3] * rows;
    const double *ahead[4];
    for (int n = 0; n < 4; n++)
      ahead[n] = w + (int64_t)index[k + 4 + n < count ? k + 4 + n : count - 1] * rows;
    double s[WAL_LANES] = {0}, t[WAL_LANES] = {0}, u[WAL_LANES] = {0}, v[WAL_LANES] = {0};
    for (int i = 0; i < whole; i += WAL_LANES) {
      for (int n = 0; n < 4; n++) __builtin_prefetch(ahead[n] + i, 0, 3);
#pragma omp simd
      for (int n = 0; n < WAL_LANES; n++) {
        const double y = x[i + n];
        s[n] += a[i + n] * y;
        t[n] += b[i + n] * y;
        u[n] += c[i + n] * y;
        v[n] += d[i + n] * y;
      }
    }
    for (int i = whole; i < rows; i++) {
      s[i - whole] += a[i] * x[i];
      t[i - whole] += b[i] * x[i];
      u[i - whole] += c[i] * x[i];
      v[i - whole] += d[i] * x[i];
    }
    const double sum[4] = {wal_lane_tree(s), wal_lane_tree(t), wal_lane_tree(u), wal_lane_tree(v)};
    for (int n = 0; n < 4 && k + n < count; n++) out[j[n]] += sum[n];
  }
}
