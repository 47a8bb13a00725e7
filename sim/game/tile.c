// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/game/tile.h"

#include <math.h>

#include "sim/core/hot.h"
#include "sim/core/vector_math.h"

enum { CHUNK = 64 };  // states whose maxima and sums are kept in registers and first-level cache

static const double ROUND_OFF = 1e-13;  // relative; of a sum of a few hundred terms

WAL_INLINE int64_t chunk_size(int64_t count, int64_t at) {
  return count - at < CHUNK ? count - at : CHUNK;
}

/* top = max_a scale * y. */
WAL_HOT static void scaled_max(wal_tile t, double scale, const double *restrict y,
                               double *restrict top) {
  for (int64_t i = 0; i < t.count; i++) top[i] = scale * y[i];
  for (int a = 1; a < t.actions; a++) {
    const double *ya = y + a * t.stride;
    for (int64_t i = 0; i < t.count; i++) {
      double x = scale * ya[i];
      top[i] = x > top[i] ? x : top[i];
    }
  }
}

WAL_HOT static void divide(wal_tile t, const double *restrict sum, double *restrict pi) {
  double share[CHUNK];
  for (int64_t i = 0; i < t.count; i++) share[i] = 1.0 / sum[i];
  for (int a = 0; a < t.actions; a++) {
    double *to = pi + a * t.stride;
    for (int64_t i = 0; i < t.count; i++) to[i] *= share[i];
  }
}

void wal_tile_softmax(wal_tile t, double scale, const double *y, double *pi, double *log_norm) {
  double top[CHUNK], sum[CHUNK];
  for (int64_t at = 0; at < t.count; at += CHUNK) {
    wal_tile c = {chunk_size(t.count, at), t.stride, t.actions};
    scaled_max(c, scale, y + at, top);
    for (int64_t i = 0; i < c.count; i++) sum[i] = 0;
    for (int a = 0; a < t.actions; a++)
      wal_vector_exp_shifted(c.count, scale, y + at + a * t.stride, top, pi + at + a * t.stride,
                             sum);
    divide(c, sum, pi + at);
    if (log_norm) {
      wal_vector_log(c.count, sum, log_norm + at);
      for (int64_t i = 0; i < c.count; i++) log_norm[at + i] += top[i];
    }
  }
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
  double top[CHUNK], sum[CHUNK], term[CHUNK];
  for (int64_t at = 0; at < t.count; at += CHUNK) {
    int64_t n = chunk_size(t.count, at);
    wal_tile_max((wal_tile){n, t.stride, t.actions}, q + at, top);
    for (int64_t i = 0; i < n; i++) sum[i] = 0;
    for (int a = 0; a < t.actions; a++) {
      for (int64_t i = 0; i < n; i++) term[i] = (q[a * t.stride + at + i] - top[i]) / entropy;
      wal_vector_exp(n, term, term);
      for (int64_t i = 0; i < n; i++) sum[i] += term[i];
    }
    wal_vector_log(n, sum, sum);
    for (int64_t i = 0; i < n; i++) v[at + i] = top[i] + entropy * sum[i];
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
