// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/game/tile.h"

#include <math.h>
#include <stddef.h>

#include "sim/core/hot.h"
#include "sim/core/vector_math.h"

enum {
  LANES = 8,  // states whose maxima and sums stay in registers, and their actions in cache
  CHUNK = 64  // the same for loops that do little
};

static const double ROUND_OFF = 1e-13;  // relative; of a sum of a few hundred terms

WAL_INLINE int64_t chunk_size(int64_t count, int64_t at) {
  return count - at < CHUNK ? count - at : CHUNK;
}

/* top = max_a y of up to LANES states. */
WAL_INLINE void find_top(int64_t n, wal_tile t, const double *y, double *top) {
  double most[LANES];
  for (int64_t i = 0; i < n; i++) most[i] = -HUGE_VAL;
  for (int a = 0; a < t.actions; a++) {
    const double *ya = y + a * t.stride;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) most[i] = ya[i] > most[i] ? ya[i] : most[i];
  }
  for (int64_t i = 0; i < n; i++) top[i] = most[i];
}

WAL_HOT static void find_tops(wal_tile t, const double *y, double *top) {
  if (t.count == LANES)
    find_top(LANES, t, y, top);
  else
    find_top(t.count, t, y, top);
}

WAL_INLINE void divide_rows(int64_t n, wal_tile t, const double *sum, double *pi) {
  double share[LANES];
  for (int64_t i = 0; i < n; i++) share[i] = 1.0 / sum[i];
  for (int a = 0; a < t.actions; a++) {
    double *to = pi + a * t.stride;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) to[i] *= share[i];
  }
}

WAL_HOT static void divide(wal_tile t, const double *sum, double *pi) {
  if (t.count == LANES)
    divide_rows(LANES, t, sum, pi);
  else
    divide_rows(t.count, t, sum, pi);
}

/* Softmax of up to LANES states; y and pi may be the same array. */
static void softmax_chunk(wal_tile t, double scale, const double *y, const double *top, double *pi,
                          double *log_norm) {
  double sum[LANES] = {0};
  wal_vector_exp_rows(t.actions, t.stride, t.count, scale, y, top, pi, sum);
  divide(t, sum, pi);
  if (!log_norm) return;
  wal_vector_log(t.count, sum, log_norm);
  for (int64_t i = 0; i < t.count; i++) log_norm[i] += scale * top[i];
}

void wal_tile_softmax(wal_tile t, double scale, const double *y, double *pi, double *log_norm) {
  double top[LANES];
  for (int64_t at = 0; at < t.count; at += LANES) {
    const int64_t left = t.count - at;
    const wal_tile c = {left < LANES ? left : LANES, t.stride, t.actions};
    find_tops(c, y + at, top);
    softmax_chunk(c, scale, y + at, top, pi + at, log_norm ? log_norm + at : NULL);
  }
}

void wal_tile_softmax_below(wal_tile t, const double *y, const double *top, double *pi,
                            double *log_norm) {
  softmax_chunk(t, 1, y, top, pi, log_norm);
}

WAL_HOT void wal_tile_joint(wal_tile t, const double *restrict mass, const double *restrict pi,
                            double *restrict joint) {
  for (int a = 0; a < t.actions; a++)
    for (int64_t i = 0; i < t.count; i++) joint[a * t.stride + i] = mass[i] * pi[a * t.stride + i];
}

WAL_HOT void wal_tile_multiply(wal_tile t, const double *restrict x, const double *restrict y,
                               double *restrict out) {
  for (int a = 0; a < t.actions; a++)
    for (int64_t i = 0; i < t.count; i++)
      out[a * t.stride + i] = x[a * t.stride + i] * y[a * t.stride + i];
}

WAL_HOT void wal_tile_expectation(wal_tile t, const double *restrict pi, const double *restrict q,
                                  double *restrict v) {
  for (int64_t i = 0; i < t.count; i++) v[i] = pi[i] * q[i];
  for (int a = 1; a < t.actions; a++)
    for (int64_t i = 0; i < t.count; i++) v[i] += pi[a * t.stride + i] * q[a * t.stride + i];
}

WAL_HOT void wal_tile_soft_expectation(wal_tile t, double entropy, const double *restrict pi,
                                       const double *restrict y, const double *restrict log_norm,
                                       const double *restrict q, double *restrict v) {
  for (int64_t i = 0; i < t.count; i++) v[i] = 0;
  for (int a = 0; a < t.actions; a++)
    for (int64_t i = 0; i < t.count; i++) {
      int64_t at = a * t.stride + i;
      const double term = pi[at] * (q[at] - entropy * (y[at] - log_norm[i]));
      v[i] += pi[at] == 0 ? 0 : term;  // 0 log 0 = 0, however far the logit is
    }
}

WAL_HOT void wal_tile_max(wal_tile t, const double *restrict q, double *restrict v) {
  for (int64_t i = 0; i < t.count; i++) v[i] = q[i];
  for (int a = 1; a < t.actions; a++)
    for (int64_t i = 0; i < t.count; i++) {
      double x = q[a * t.stride + i];
      v[i] = ((x > v[i]) | (x != x)) ? x : v[i];  // a NaN in v stays: nothing compares above it
    }
}

void wal_tile_log_sum_exp(wal_tile t, double entropy, const double *q, double *v) {
  for (int64_t at = 0; at < t.count; at += LANES) {
    double top[LANES], sum[LANES] = {0};
    const int64_t left = t.count - at;
    const wal_tile c = {left < LANES ? left : LANES, t.stride, t.actions};
    wal_tile_max(c, q + at, top);
    wal_vector_exp_rows(c.actions, c.stride, c.count, 1 / entropy, q + at, top, NULL, sum);
    wal_vector_log(c.count, sum, sum);
    for (int64_t i = 0; i < c.count; i++) v[at + i] = top[i] + entropy * sum[i];
  }
}

/* Shares of the best actions of up to CHUNK states; `least` is the least value that counts as best.
 */
WAL_HOT static void share_ties(wal_tile t, const double *restrict q, const double *restrict least,
                               double *restrict b) {
  double ties[CHUNK] = {0};
  for (int a = 0; a < t.actions; a++)
    for (int64_t i = 0; i < t.count; i++) ties[i] += q[a * t.stride + i] >= least[i] ? 1.0 : 0.0;
  for (int a = 0; a < t.actions; a++)
    for (int64_t i = 0; i < t.count; i++)
      b[a * t.stride + i] = q[a * t.stride + i] >= least[i] ? 1.0 / ties[i] : 0.0;
}

WAL_HOT static void first_of_ties(wal_tile t, const double *restrict q,
                                  const double *restrict least, double *restrict b) {
  double open[CHUNK];
  for (int64_t i = 0; i < t.count; i++) open[i] = 1;
  for (int a = 0; a < t.actions; a++)
    for (int64_t i = 0; i < t.count; i++) {
      double taken = q[a * t.stride + i] >= least[i] ? open[i] : 0.0;
      b[a * t.stride + i] = taken;
      open[i] -= taken;
    }
}

void wal_tile_best_response(wal_tile t, wal_ties ties, const double *q, double *b) {
  double least[CHUNK];
  for (int64_t at = 0; at < t.count; at += CHUNK) {
    wal_tile c = {chunk_size(t.count, at), t.stride, t.actions};
    wal_tile_max(c, q + at, least);
    for (int64_t i = 0; i < c.count; i++) least[i] -= ROUND_OFF * fabs(least[i]);
    if (ties == WAL_TIES_FIRST)
      first_of_ties(c, q + at, least, b + at);
    else
      share_ties(c, q + at, least, b + at);
  }
}

WAL_HOT void wal_tile_blend(wal_tile t, double keep, double *restrict y, double rate,
                            const double *restrict q) {
  for (int a = 0; a < t.actions; a++)
    for (int64_t i = 0; i < t.count; i++)
      y[a * t.stride + i] = keep * y[a * t.stride + i] + rate * q[a * t.stride + i];
}

WAL_HOT void wal_tile_scale(wal_tile t, double factor, const double *restrict q,
                            double *restrict y) {
  for (int a = 0; a < t.actions; a++)
    for (int64_t i = 0; i < t.count; i++) y[a * t.stride + i] = factor * q[a * t.stride + i];
}
