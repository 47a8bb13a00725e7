// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/game/tile_adjoint.h"

#include <stddef.h>

#include "sim/core/hot.h"

enum { LANES = 8 };

/* States at .. at+n-1 of all actions; `outcomes` is 2 or 0. */
WAL_INLINE void worth_rows(int64_t n, int outcomes, wal_tile t, const wal_tile_value *q, int64_t at,
                           const wal_tile_worth *w) {
  const double scale = w->scale, entropy = w->entropy;
  double v[LANES], norm[LANES], one[LANES], two[LANES];
  for (int64_t i = 0; i < n; i++) {
    v[i] = w->v_bar ? w->v_bar[at + i] : 0;
    norm[i] = w->log_norm[at + i];
    one[i] = outcomes ? q->reached[at + i] : 0;
    two[i] = outcomes ? q->reached[t.stride + at + i] : 0;
  }
  for (int a = 0; a < t.actions; a++) {
    const int64_t row = a * t.stride + at;
    const double c = outcomes ? q->weight[a] : 0, d = outcomes ? q->weight[t.actions + a] : 0;
    const double *base = q->base + a * q->base_stride + at;
    const double *pi = w->pi + row, *y = w->y + row, *q_bar = w->q_bar + row;
    double *x = w->x + row, *pi_bar = w->pi_bar + row;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
      const double value = outcomes ? (base[i] + c * one[i]) + d * two[i] : base[i];
      const double p = pi[i], bar = v[i] * (value - entropy * (y[i] - norm[i]));
      x[i] = scale * q_bar[i] + v[i] * p;
      pi_bar[i] = p == 0 ? 0 : bar;
    }
  }
}

WAL_HOT static void worth_eight(wal_tile t, const wal_tile_value *q, int64_t at,
                                const wal_tile_worth *w) {
  if (q->outcomes == 2)
    worth_rows(LANES, 2, t, q, at, w);
  else
    worth_rows(LANES, 0, t, q, at, w);
}

WAL_HOT static void worth_few(int64_t n, wal_tile t, const wal_tile_value *q, int64_t at,
                              const wal_tile_worth *w) {
  if (q->outcomes == 2)
    worth_rows(n, 2, t, q, at, w);
  else
    worth_rows(n, 0, t, q, at, w);
}

void wal_tile_worth_bar(wal_tile t, const wal_tile_value *q, const wal_tile_worth *w) {
  for (int64_t at = 0; at < t.count; at += LANES)
    if (t.count - at >= LANES)
      worth_eight(t, q, at, w);
    else
      worth_few(t.count - at, t, q, at, w);
}

WAL_HOT void wal_tile_move_bar(wal_tile t, int outcomes, const double *restrict weight,
                               const double *restrict bar, const double *restrict mass,
                               double *restrict pi_bar) {
  for (int k = 0; k < outcomes; k += 2) {
    const bool pair = k + 1 < outcomes;
    const double *one = bar + k * t.stride, *two = bar + (pair ? k + 1 : k) * t.stride;
    for (int a = 0; a < t.actions; a++) {
      const double c = weight[k * t.actions + a];
      const double d = pair ? weight[(k + 1) * t.actions + a] : 0;
      double *to = pi_bar + a * t.stride;
      for (int64_t i = 0; i < t.count; i++) to[i] += mass[i] * (c * one[i] + d * two[i]);
    }
  }
}

WAL_HOT static void reach_weighted(wal_tile t, const double *restrict c,
                                   const double *restrict mass, const double *restrict pi,
                                   double *restrict b, double *restrict pi_bar,
                                   double *restrict mass_bar) {
  for (int64_t at = 0; at < t.actions * t.stride; at += t.stride)
    for (int64_t i = 0; i < t.count; i++) {
      const double worth = c[at + i] * b[at + i];
      pi_bar[at + i] += mass[i] * worth;
      mass_bar[i] += pi[at + i] * worth;
      b[at + i] *= mass[i] * pi[at + i];
    }
}

WAL_HOT static void reach_sure(wal_tile t, const double *restrict mass, const double *restrict pi,
                               double *restrict b, double *restrict pi_bar,
                               double *restrict mass_bar) {
  for (int64_t at = 0; at < t.actions * t.stride; at += t.stride)
    for (int64_t i = 0; i < t.count; i++) {
      pi_bar[at + i] += mass[i] * b[at + i];
      mass_bar[i] += pi[at + i] * b[at + i];
      b[at + i] *= mass[i] * pi[at + i];
    }
}

void wal_tile_reach_bar(wal_tile t, const double *c, const double *mass, const double *pi,
                        double *b, double *pi_bar, double *mass_bar) {
  if (c)
    reach_weighted(t, c, mass, pi, b, pi_bar, mass_bar);
  else
    reach_sure(t, mass, pi, b, pi_bar, mass_bar);
}

WAL_INLINE void softmax_rows(int64_t n, bool kept, wal_tile t, const double *pi,
                             const double *pi_bar, double keep, double *out) {
  double mean[LANES] = {0};
  for (int64_t at = 0; at < t.actions * t.stride; at += t.stride) {
#pragma omp simd
    for (int64_t i = 0; i < n; i++) mean[i] += pi[at + i] * pi_bar[at + i];
  }
  for (int64_t at = 0; at < t.actions * t.stride; at += t.stride) {
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
      const double bar = pi[at + i] * (pi_bar[at + i] - mean[i]);
      out[at + i] = kept ? keep * out[at + i] + bar : bar;
    }
  }
}

WAL_HOT static void softmax_eight(bool kept, wal_tile t, const double *pi, const double *pi_bar,
                                  double keep, double *out) {
  if (kept)
    softmax_rows(LANES, true, t, pi, pi_bar, keep, out);
  else
    softmax_rows(LANES, false, t, pi, pi_bar, keep, out);
}

WAL_HOT static void softmax_few(int64_t n, bool kept, wal_tile t, const double *pi,
                                const double *pi_bar, double keep, double *out) {
  if (kept)
    softmax_rows(n, true, t, pi, pi_bar, keep, out);
  else
    softmax_rows(n, false, t, pi, pi_bar, keep, out);
}

void wal_tile_softmax_bar(wal_tile t, const double *pi, const double *pi_bar, double keep,
                          double *out) {
  for (int64_t at = 0; at < t.count; at += LANES)
    if (t.count - at >= LANES)
      softmax_eight(keep != 0, t, pi + at, pi_bar + at, keep, out + at);
    else
      softmax_few(t.count - at, keep != 0, t, pi + at, pi_bar + at, keep, out + at);
}
