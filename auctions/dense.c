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

// ---- Single precision -------------------------------------------------------------------------

/* Eight columns at a time, of n rows; `w` begins at the first of these in the first column. */
WAL_INLINE void add_span(int n, int rows, const float *restrict w, int count,
                         const int *restrict index, const double *restrict x,
                         double *restrict out) {
  float sum[WAL_DENSE_SPAN];
  int k = 0;
  for (int i = 0; i < n; i++) sum[i] = 0;
  for (; k + 8 <= count; k += 8) {
    const float *c[8];
    float s[8];
    for (int j = 0; j < 8; j++) {
      c[j] = w + (int64_t)index[k + j] * rows;
      s[j] = (float)x[index[k + j]];
    }
    for (int i = 0; i < n; i++)
      sum[i] += ((s[0] * c[0][i] + s[1] * c[1][i]) + (s[2] * c[2][i] + s[3] * c[3][i])) +
                ((s[4] * c[4][i] + s[5] * c[5][i]) + (s[6] * c[6][i] + s[7] * c[7][i]));
  }
  for (; k < count; k++) {
    const float *a = w + (int64_t)index[k] * rows, s = (float)x[index[k]];
    for (int i = 0; i < n; i++) sum[i] += s * a[i];
  }
  for (int i = 0; i < n; i++) out[i] += (double)sum[i];
}

WAL_HOT void wal_dense_add_single(int rows, const float *restrict w, int count,
                                  const int *restrict index, const double *restrict x,
                                  double *restrict out) {
  int at = 0;
  for (; at + WAL_DENSE_SPAN <= rows; at += WAL_DENSE_SPAN)
    add_span(WAL_DENSE_SPAN, rows, w + at, count, index, x, out + at);
  if (at < rows) add_span(rows - at, rows, w + at, count, index, x, out + at);
}

WAL_INLINE float tree_of(const float *lane) {
  float four[4];
  for (int j = 0; j < 4; j++) four[j] = lane[j] + lane[j + 4];
  return (four[0] + four[2]) + (four[1] + four[3]);
}

/* As wal_dense_add_transposed(), of n rows. */
WAL_INLINE void dot_span(int n, int rows, const float *restrict w, int count,
                         const int *restrict index, const double *restrict x,
                         double *restrict out) {
  const int whole = n / WAL_LANES * WAL_LANES;
  float y[WAL_DENSE_SPAN];
  for (int i = 0; i < n; i++) y[i] = (float)x[i];
  for (int k = 0; k < count; k += 4) {
    const int last = count - 1 - k;
    const int *j = index + k;
    const float *a = w + (int64_t)j[0] * rows, *b = w + (int64_t)j[last < 1 ? last : 1] * rows;
    const float *c = w + (int64_t)j[last < 2 ? last : 2] * rows;
    const float *d = w + (int64_t)j[last < 3 ? last : 3] * rows;
    float s[WAL_LANES] = {0}, t[WAL_LANES] = {0}, u[WAL_LANES] = {0}, v[WAL_LANES] = {0};
    for (int i = 0; i < whole; i += WAL_LANES) {
#pragma omp simd
      for (int l = 0; l < WAL_LANES; l++) {
        s[l] += a[i + l] * y[i + l];
        t[l] += b[i + l] * y[i + l];
        u[l] += c[i + l] * y[i + l];
        v[l] += d[i + l] * y[i + l];
      }
    }
    for (int i = whole; i < n; i++) {
      s[i - whole] += a[i] * y[i];
      t[i - whole] += b[i] * y[i];
      u[i - whole] += c[i] * y[i];
      v[i - whole] += d[i] * y[i];
    }
    const float sum[4] = {tree_of(s), tree_of(t), tree_of(u), tree_of(v)};
    for (int l = 0; l < 4 && k + l < count; l++) out[j[l]] += (double)sum[l];
  }
}

WAL_HOT void wal_dense_add_transposed_single(int rows, const float *restrict w, int count,
                                             const int *restrict index, const double *restrict x,
                                             double *restrict out) {
  int at = 0;
  for (; at + WAL_DENSE_SPAN <= rows; at += WAL_DENSE_SPAN)
    dot_span(WAL_DENSE_SPAN, rows, w + at, count, index, x + at, out);
  if (at < rows) dot_span(rows - at, rows, w + at, count, index, x + at, out);
}
