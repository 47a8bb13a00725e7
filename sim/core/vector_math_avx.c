// SPDX-License-Identifier: GPL-3.0-or-later
// Compiled with -mavx; called only on CPUs that have it.
#include "sim/core/vector_math_width.h"

#if defined(__AVX__)
#include <immintrin.h>
#include <math.h>
#include <sleef.h>

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

/* A row's vector: its exponential, added to the sum. */
static inline __m256d exp_vector(__m256d factor, const double *x, __m256d shift, double *e,
                                 __m256d sum) {
  __m256d v =
      Sleef_cinz_expd4_u10avx(_mm256_mul_pd(factor, _mm256_sub_pd(_mm256_loadu_pd(x), shift)));
  if (e) _mm256_storeu_pd(e, v);
  return _mm256_add_pd(sum, v);
}

void wal_vector_exp_rows_avx(int64_t rows, int64_t stride, int64_t n, double scale,
                             const double *x, const double *shift, double *e, double *sum) {
  const __m256d factor = _mm256_set1_pd(scale);
  int64_t i = 0;
  for (; i + 2 * WIDTH <= n; i += 2 * WIDTH) {  // two sums: one need not wait for the other
    const __m256d first = _mm256_loadu_pd(shift + i), second = _mm256_loadu_pd(shift + i + WIDTH);
    __m256d one = _mm256_loadu_pd(sum + i), two = _mm256_loadu_pd(sum + i + WIDTH);
    for (int64_t r = 0; r < rows; r++) {
      const int64_t at = r * stride + i;
      one = exp_vector(factor, x + at, first, e ? e + at : NULL, one);
      two = exp_vector(factor, x + at + WIDTH, second, e ? e + at + WIDTH : NULL, two);
    }
    _mm256_storeu_pd(sum + i, one);
    _mm256_storeu_pd(sum + i + WIDTH, two);
  }
  wal_vector_exp_rows_base(rows, stride, n - i, scale, x + i, shift + i, e ? e + i : NULL, sum + i);
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
void wal_vector_exp_rows_avx(int64_t rows, int64_t stride, int64_t n, double scale,
                             const double *x, const double *shift, double *e, double *sum) {
  wal_vector_exp_rows_base(rows, stride, n, scale, x, shift, e, sum);
}
void wal_vector_exp_avx(int64_t n, const double *x, double *y) { wal_vector_exp_base(n, x, y); }
void wal_vector_log_avx(int64_t n, const double *x, double *y) { wal_vector_log_base(n, x, y); }
#endif
