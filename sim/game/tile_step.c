// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/game/tile_step.h"

#include <math.h>

#include "sim/core/hot.h"
#include "sim/core/sum.h"
#include "sim/core/vector_math.h"

enum { LANES = WAL_LANES };

/* Asks for the same place in the tile that follows in memory, which is about to be worked on. */
WAL_INLINE void fetch(const double *next) { __builtin_prefetch(next, 0, 2); }

/* Loops over the states of a chunk are written with `n`, which is the constant LANES in one copy of
   them: two vectors of four, no loop at all. */

WAL_INLINE void store_rows(int64_t n, wal_tile t, const wal_tile_value *q, int k, int pair,
                           const double *base, int64_t base_stride, double *out) {
  const double *one = q->reached + k * t.stride, *two = q->reached + (k + pair) * t.stride;
  for (int a = 0; a < t.actions; a++) {
    const double c = q->weight[k * t.actions + a], d = q->weight[(k + pair) * t.actions + a];
    const double *from = base + a * base_stride;
    double *to = out + a * t.stride;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
      const double x = from[i] + c * one[i];
      to[i] = pair ? x + d * two[i] : x;
    }
  }
}

/* Two outcomes at a time. */
WAL_HOT void wal_tile_value_store(wal_tile t, const wal_tile_value *q, double *out) {
  const double *base = q->base;
  int64_t stride = q->base_stride;
  for (int k = 0; k < q->outcomes; k += 2, base = out, stride = t.stride) {
    const bool pair = k + 1 < q->outcomes;
    if (pair && t.count == LANES)
      store_rows(LANES, t, q, k, 1, base, stride, out);
    else if (pair)
      store_rows(t.count, t, q, k, 1, base, stride, out);
    else
      store_rows(t.count, t, q, k, 0, base, stride, out);
  }
}

WAL_INLINE void add_shares(int64_t n, wal_tile t, const double *weight, int second,
                           const double *pi, double *share) {
  double one[LANES] = {0}, two[LANES] = {0};
  for (int a = 0; a < t.actions; a++) {
    const double c = weight[a], d = weight[second * t.actions + a];
    const double *from = pi + a * t.stride;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
      one[i] += c * from[i];
      two[i] += d * from[i];
    }
  }
  for (int64_t i = 0; i < n; i++) share[i] = one[i];
  for (int64_t i = 0; i < n; i++) share[second * t.stride + i] = two[i];
}

WAL_HOT void wal_tile_outcome_shares(wal_tile t, int outcomes, const double *restrict weight,
                                     const double *restrict pi, double *restrict share) {
  for (int k = 0; k < outcomes; k += 2) {
    const int second = k + 1 < outcomes ? 1 : 0;
    const double *w = weight + (int64_t)k * t.actions;
    for (int64_t at = 0; at < t.count; at += LANES)
      if (t.count - at >= LANES)
        add_shares(LANES, t, w, second, pi + at, share + k * t.stride + at);
      else
        add_shares(t.count - at, t, w, second, pi + at, share + k * t.stride + at);
  }
}

WAL_HOT void wal_tile_action_mass(wal_tile t, const double *restrict mass,
                                  const double *restrict pi, double *restrict sum) {
  const int64_t whole = t.count / LANES * LANES;
  for (int a = 0; a < t.actions; a++) {
    const double *from = pi + a * t.stride;
    for (int64_t i = 0; i < t.count; i += LANES) fetch(from + t.actions * t.stride + i);
    double lane[LANES];
    for (int j = 0; j < LANES; j++) lane[j] = 0;
    for (int64_t i = 0; i < whole; i += LANES)
      for (int j = 0; j < LANES; j++) lane[j] += mass[i + j] * from[i + j];
    for (int64_t i = whole; i < t.count; i++) lane[i - whole] += mass[i] * from[i];
    sum[a] += wal_lane_tree(lane);
  }
}

/* Values and the new logits of up to LANES states, and the largest logit of each; `valued` says
   whether values are wanted. */
WAL_INLINE void descend(int64_t n, int outcomes, bool valued, wal_tile t, const wal_tile_value *q,
                        int64_t at, const wal_tile_step *step, double *top) {
  const double keep = step->keep, rate = step->rate, entropy = step->entropy;
  const double *all = q->base + at;
  const int64_t stride = q->base_stride;
  double v[LANES], norm[LANES], most[LANES], one[LANES], two[LANES];
  for (int64_t i = 0; i < n; i++) {
    v[i] = 0;
    most[i] = -HUGE_VAL;
    norm[i] = valued ? step->log_norm[at + i] : 0;
    one[i] = outcomes ? q->reached[at + i] : 0;
    two[i] = outcomes ? q->reached[t.stride + at + i] : 0;
  }
  for (int a = 0; a < t.actions; a++) {
    const double *base = all + a * stride;
    double *y = step->y + a * t.stride + at;
    const double *pi = valued ? step->pi + a * t.stride + at : y;
    fetch(y + t.actions * t.stride);
    if (valued) fetch(pi + t.actions * t.stride);
    const double c = outcomes ? q->weight[a] : 0, d = outcomes ? q->weight[t.actions + a] : 0;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
      const double value = outcomes ? (base[i] + c * one[i]) + d * two[i] : base[i];
      const double old = y[i], p = pi[i];
      const double term = p * (value - entropy * (old - norm[i]));
      const double next = keep * old + rate * value;
      if (valued) v[i] += p == 0 ? 0 : term;  // 0 log 0 = 0, however far the logit is
      y[i] = next;
      most[i] = next > most[i] ? next : most[i];
    }
  }
  for (int64_t i = 0; i < n; i++) {
    if (valued) step->v[at + i] = v[i];
    top[i] = most[i];
  }
}

WAL_HOT static void descend_eight(wal_tile t, const wal_tile_value *q, int64_t at,
                                  const wal_tile_step *step, double *top) {
  if (step->v && q->outcomes == 2)
    descend(LANES, 2, true, t, q, at, step, top);
  else if (step->v)
    descend(LANES, 0, true, t, q, at, step, top);
  else if (q->outcomes == 2)
    descend(LANES, 2, false, t, q, at, step, top);
  else
    descend(LANES, 0, false, t, q, at, step, top);
}

WAL_HOT static void descend_few(int64_t n, wal_tile t, const wal_tile_value *q, int64_t at,
                                const wal_tile_step *step, double *top) {
  const int outcomes = q->outcomes == 2 ? 2 : 0;
  if (step->v)
    descend(n, outcomes, true, t, q, at, step, top);
  else
    descend(n, outcomes, false, t, q, at, step, top);
}

void wal_tile_step_run(wal_tile t, const wal_tile_value *q, const wal_tile_step *step) {
  double top[LANES];
  for (int64_t at = 0; at < t.count; at += LANES) {
    const int64_t n = t.count - at < LANES ? t.count - at : LANES;
    if (n == LANES)
      descend_eight(t, q, at, step, top);
    else
      descend_few(n, t, q, at, step, top);
    if (step->next_pi)
      wal_tile_softmax_below((wal_tile){n, t.stride, t.actions}, step->y + at, top,
                             step->next_pi + at, step->next_log + at);
  }
}
