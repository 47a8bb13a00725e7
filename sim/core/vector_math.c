// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/core/vector_math.h"

#include <math.h>
#include <sleef.h>

#include "sim/core/vector_math_width.h"

#if defined(__SSE2__)
#include <emmintrin.h>
enum { WIDTH = 2 };
#define LOAD(x) _mm_loadu_pd(x)
#define STORE(y, v) _mm_storeu_pd(y, v)
#define EXP Sleef_cinz_expd2_u10sse2
#define LOG Sleef_cinz_logd2_u35sse2
#else
enum { WIDTH = 1 };
#define LOAD(x) (*(x))
#define STORE(y, v) (*(y) = (v))
#define EXP Sleef_cinz_expd1_u10purec
#define LOG Sleef_cinz_logd1_u35purec
#endif

#define WAL_VECTOR_LOOP(name, function)                                     \
  void name(int64_t n, const double *x, double *y) {                        \
    int64_t i = 0;                                                          \
    for (; i + WIDTH <= n; i += WIDTH) STORE(y + i, function(LOAD(x + i))); \
    if (i == n) return;                                                     \
    double tail[2] = {x[i], 1};                                             \
    STORE(tail, function(LOAD(tail)));                                      \
    y[i] = tail[0];                                                         \
  }

WAL_VECTOR_LOOP(wal_vector_exp_base, EXP)
WAL_VECTOR_LOOP(wal_vector_log_base, LOG)

void wal_vector_exp_rows_base(int64_t rows, int64_t stride, int64_t n, double scale,
                              const double *x, const double *shift, double *e, double *sum) {
  for (int64_t i = 0; i < n; i += WIDTH)
    for (int64_t r = 0; r < rows; r++) {
      const int64_t part = n - i < WIDTH ? n - i : WIDTH;
      double few[2] = {1, 1};
      for (int64_t j = 0; j < part; j++) few[j] = scale * (x[r * stride + i + j] - shift[i + j]);
      STORE(few, EXP(LOAD(few)));
      for (int64_t j = 0; j < part; j++) {
        if (e) e[r * stride + i + j] = few[j];
        sum[i + j] += few[j];
      }
    }
}

void wal_vector_tilt_base(int64_t n, double rate, const double *x, const double *base,
                          const double *weight, double *out, double *sum, double range[2]) {
  for (int64_t i = 0; i < n; i += WIDTH) {
    const int64_t part = n - i < WIDTH ? n - i : WIDTH;
    double few[2] = {0, 0};
    for (int64_t j = 0; j < part; j++) {
      const double exponent = rate * (x[i + j] - base[i + j]);
      const double size = fabs(exponent);
      few[j] = exponent;
      range[1] = size > range[1] && weight[i + j] > 0 ? size : range[1];
    }
    STORE(few, EXP(LOAD(few)));
    for (int64_t j = 0; j < part; j++) {
      const double own = weight[i + j] > 0 ? weight[i + j] : 0, tilted = own * few[j];
      out[i + j] = tilted;
      sum[i + j] += tilted;
      range[0] = tilted < range[0] && own != 0 ? tilted : range[0];
    }
  }
}

static int has_avx(void) {
#if defined(__x86_64__) && defined(__GNUC__)
  return __builtin_cpu_supports("avx");
#else
  return 0;
#endif
}

void wal_vector_exp(int64_t n, const double *x, double *y) {
  if (has_avx())
    wal_vector_exp_avx(n, x, y);
  else
    wal_vector_exp_base(n, x, y);
}

void wal_vector_log(int64_t n, const double *x, double *y) {
  if (has_avx())
    wal_vector_log_avx(n, x, y);
  else
    wal_vector_log_base(n, x, y);
}

void wal_vector_exp_rows(int64_t rows, int64_t stride, int64_t n, double scale, const double *x,
                         const double *shift, double *e, double *sum) {
  if (has_avx())
    wal_vector_exp_rows_avx(rows, stride, n, scale, x, shift, e, sum);
  else
    wal_vector_exp_rows_base(rows, stride, n, scale, x, shift, e, sum);
}

void wal_vector_tilt(int64_t n, double rate, const double *x, const double *base,
                     const double *weight, double *out, double *sum, double range[2]) {
  if (has_avx())
    wal_vector_tilt_avx(n, rate, x, base, weight, out, sum, range);
  else
    wal_vector_tilt_base(n, rate, x, base, weight, out, sum, range);
}
