// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_CORE_VECTOR_MATH_H
#define WALRAS_SIM_CORE_VECTOR_MATH_H

#include <stdint.h>

/**
 * y[i] = exp(x[i]) for i < n, within 1 ulp. SLEEF's deterministic variants without fused
 * multiply-add: the same bits on every x86 CPU and for every position of an element in the array.
 * x and y may be the same array. About 2 ns an element with AVX.
 */
void wal_vector_exp(int64_t n, const double *x, double *y);

/** y[i] = log(x[i]), as wal_vector_exp() but within 3.5 ulp, which is twice as fast as 1 ulp and
 *  makes no difference to rewards; log(0) = -inf, of a negative number NaN. */
void wal_vector_log(int64_t n, const double *x, double *y);

/** e[r][i] = exp(scale * (x[r][i] - shift[i])) and sum[i] += e[r][i] for n columns i of all rows r,
 *  which lie `stride` apart: a softmax's inner loop, as wal_vector_exp(). e may be x, or NULL if
 *  only the sums are wanted. */
void wal_vector_exp_rows(int64_t rows, int64_t stride, int64_t n, double scale, const double *x,
                         const double *shift, double *e, double *sum);

/**
 * out[i] = max(weight[i], 0) * exp(rate * (x[i] - base[i])) and sum[i] += out[i]: the inner loop of
 * a multiplicative update, as wal_vector_exp().
 * @param range  range[0] becomes the least of itself and the out[i], range[1] the largest of itself
 *               and the |rate * (x[i] - base[i])|, both over the i with weight[i] > 0
 */
void wal_vector_tilt(int64_t n, double rate, const double *x, const double *base,
                     const double *weight, double *out, double *sum, double range[2]);

#endif
