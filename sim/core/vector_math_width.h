// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_CORE_VECTOR_MATH_WIDTH_H
#define WALRAS_SIM_CORE_VECTOR_MATH_WIDTH_H

#include <stdint.h>

/** The loops of vector_math.h for one register width each; vector_math.c chooses among them. */
void wal_vector_exp_avx(int64_t n, const double *x, double *y);
void wal_vector_log_avx(int64_t n, const double *x, double *y);
void wal_vector_exp_base(int64_t n, const double *x, double *y);
void wal_vector_log_base(int64_t n, const double *x, double *y);
void wal_vector_exp_rows_avx(int64_t rows, int64_t stride, int64_t n, double scale,
                              const double *x, const double *shift, double *e, double *sum);
void wal_vector_exp_rows_base(int64_t rows, int64_t stride, int64_t n, double scale,
                              const double *x, const double *shift, double *e, double *sum);
void wal_vector_tilt_avx(int64_t n, double rate, const double *x, const double *base,
                         const double *weight, double *out, double *sum, double range[2]);
void wal_vector_tilt_base(int64_t n, double rate, const double *x, const double *base,
                          const double *weight, double *out, double *sum, double range[2]);

#endif
