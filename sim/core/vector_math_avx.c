// SPDX-License-Identifier: GPL-3.0-or-later
// Compiled with -mavx; called only on CPUs that have it.
#include "sim/core/vector_math_width.h"

#if defined(__AVX__)
#include <immintrin.h>
#include <math.h>
#include <sleef.h>
#include <string.h>

enum { WIDTH = 4 };

#define WAL_VECTOR_LOOP(name, function)                                                           \
  void name(int64_t n, const double *x, double *y) {                                              \
    int64_t i = 0;                                                                                \
    for (; i + WIDTH <= n; i += WIDTH) _mm256_storeu_pd(y + i, function(_mm256_loadu_pd(x + i))); \
    if (i == n) return;                                                                           \
    double tail[WIDTH] = {1, 1, 1, 1};                                                            \
    for (int64_t j = i; j < n; j++) tail[j - i] = x[j];                                           \
    _mm256_storeu_pd(tail, function(_mm256_loadu_pd(tail)));                                      \
    for (int64_t j = i; j < n; j++) y[j] = tail[j - i];                                           \
  }

WAL_VECTOR_LOOP(wal_vector_exp_avx, Sleef_cinz_expd4_u10avx)
WAL_VECTOR_LOOP(wal_vector_log_avx, Sleef_cinz_logd4_u35avx)

enum { ROWS = 16, COLUMNS = 2 * WIDTH };

/* Eight columns of up to ROWS rows by way of a buffer: around the calls of exp() every register is
 * lost, so that sums and shifts had better not be in one. */
static void exp_block(int64_t rows, int64_t stride, double scale, const double *x,
                      const double *shift, double *e, double *sum) {
  double power[ROWS * COLUMNS] __attribute__((aligned(64)));
  const __m256d factor = _mm256_set1_pd(scale);
  const __m256d first = _mm256_loadu_pd(shift), second = _mm256_loadu_pd(shift + WIDTH);
  for (int64_t r = 0; r < rows; r++) {
    const __m256d one = _mm256_sub_pd(_mm256_loadu_pd(x + r * stride), first);
    const __m256d two = _mm256_sub_pd(_mm256_loadu_pd(x + r * stride + WIDTH), second);
    _mm256_store_pd(power + r * COLUMNS, _mm256_mul_pd(factor, one));
    _mm256_store_pd(power + r * COLUMNS + WIDTH, _mm256_mul_pd(factor, two));
  }
  for (int64_t i = 0; i < rows * COLUMNS; i += WIDTH)
    _mm256_store_pd(power + i, Sleef_cinz_expd4_u10avx(_mm256_load_pd(power + i)));
  __m256d one = _mm256_loadu_pd(sum), two = _mm256_loadu_pd(sum + WIDTH);
  for (int64_t r = 0; r < rows; r++) {
    const __m256d left = _mm256_load_pd(power + r * COLUMNS);
    const __m256d right = _mm256_load_pd(power + r * COLUMNS + WIDTH);
    one = _mm256_add_pd(one, left);
    two = _mm256_add_pd(two, right);
    if (!e) continue;
    _mm256_storeu_pd(e + r * stride, left);
    _mm256_storeu_pd(e + r * stride + WIDTH, right);
  }
  _mm256_storeu_pd(sum, one);
  _mm256_storeu_pd(sum + WIDTH, two);
}

/* The same for the columns that are left, 1 to 7 of them. */
static void exp_few(int64_t rows, int64_t stride, int64_t columns, double scale, const double *x,
                    const double *shift, double *e, double *sum) {
  double power[ROWS * COLUMNS] __attribute__((aligned(64)));
  const int64_t width = columns > WIDTH ? COLUMNS : WIDTH;
  memset(power, 0, sizeof power);
  for (int64_t r = 0; r < rows; r++)
    for (int64_t j = 0; j < columns; j++)
      power[r * width + j] = scale * (x[r * stride + j] - shift[j]);
  for (int64_t i = 0; i < rows * width; i += WIDTH)
    _mm256_store_pd(power + i, Sleef_cinz_expd4_u10avx(_mm256_load_pd(power + i)));
  for (int64_t r = 0; r < rows; r++)
    for (int64_t j = 0; j < columns; j++) {
      sum[j] += power[r * width + j];
      if (e) e[r * stride + j] = power[r * width + j];
    }
}

void wal_vector_exp_rows_avx(int64_t rows, int64_t stride, int64_t n, double scale, const double *x,
                             const double *shift, double *e, double *sum) {
  int64_t i = 0;
  for (; i + COLUMNS <= n; i += COLUMNS)
    for (int64_t r = 0; r < rows; r += ROWS)
      exp_block(rows - r < ROWS ? rows - r : ROWS, stride, scale, x + r * stride + i, shift + i,
                e ? e + r * stride + i : NULL, sum + i);
  for (int64_t r = 0; i < n && r < rows; r += ROWS)
    exp_few(rows - r < ROWS ? rows - r : ROWS, stride, n - i, scale, x + r * stride + i, shift + i,
            e ? e + r * stride + i : NULL, sum + i);
}

void wal_vector_tilt_avx(int64_t n, double rate, const double *x, const double *base,
                         const double *weight, double *out, double *sum, double range[2]) {
  const __m256d factor = _mm256_set1_pd(rate);
  const __m256d sign = _mm256_set1_pd(-0.0), none = _mm256_set1_pd(HUGE_VAL);
  __m256d least = _mm256_set1_pd(range[0]), most = _mm256_set1_pd(range[1]);
  int64_t i = 0;
  for (; i + WIDTH <= n; i += WIDTH) {
    __m256d gap = _mm256_sub_pd(_mm256_loadu_pd(x + i), _mm256_loadu_pd(base + i));
    __m256d exponent = _mm256_mul_pd(factor, gap);
    __m256d own = _mm256_loadu_pd(weight + i);
    __m256d counts = _mm256_cmp_pd(own, _mm256_setzero_pd(), _CMP_GT_OQ);
    own = _mm256_and_pd(own, counts);
    most = _mm256_max_pd(_mm256_and_pd(_mm256_andnot_pd(sign, exponent), counts), most);
    __m256d power = Sleef_cinz_expd4_u10avx(exponent);
    __m256d tilted = _mm256_mul_pd(own, power);
    least = _mm256_min_pd(_mm256_blendv_pd(none, tilted, counts), least);
    _mm256_storeu_pd(out + i, tilted);
    _mm256_storeu_pd(sum + i, _mm256_add_pd(_mm256_loadu_pd(sum + i), tilted));
  }
  double low[WIDTH], high[WIDTH];
  _mm256_storeu_pd(low, least);
  _mm256_storeu_pd(high, most);
  for (int j = 0; j < WIDTH; j++) {
    range[0] = low[j] < range[0] ? low[j] : range[0];
    range[1] = high[j] > range[1] ? high[j] : range[1];
  }
  wal_vector_tilt_base(n - i, rate, x + i, base + i, weight + i, out + i, sum + i, range);
}
#else
void wal_vector_tilt_avx(int64_t n, double rate, const double *x, const double *base,
                         const double *weight, double *out, double *sum, double range[2]) {
  wal_vector_tilt_base(n, rate, x, base, weight, out, sum, range);
}
void wal_vector_exp_rows_avx(int64_t rows, int64_t stride, int64_t n, double scale, const double *x,
                             const double *shift, double *e, double *sum) {
  wal_vector_exp_rows_base(rows, stride, n, scale, x, shift, e, sum);
}
void wal_vector_exp_avx(int64_t n, const double *x, double *y) { wal_vector_exp_base(n, x, y); }
void wal_vector_log_avx(int64_t n, const double *x, double *y) { wal_vector_log_base(n, x, y); }
#endif
