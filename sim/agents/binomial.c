// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/agents/binomial.h"

#include <math.h>
#include <string.h>

#include "sim/agents/stirling.h"

/* With g and D of sim/agents/stirling.h and q = 1 - p,
 *
 *   log P(k) = g(n) - g(k) - g(n-k) - D(k, n p) - D(n-k, n q).
 *
 * Everywhere 0 < p <= 1/2: of larger ones 1 - p is exact, and n - k is drawn. */

static const double ONE_UNIT = 0x1p-53;  // steps of a uniform number
enum { INVERTED = 10 };                  // n p below which probabilities are summed up

typedef struct law {
  int64_t n;
  double p, q;
  double mean, mean_rest; /**< n p, in two parts: the second is what rounding took from the first */
} law;

static law law_of(int64_t n, double p) {
  const double mean = (double)n * p;
  return (law){.n = n, .p = p, .q = 1 - p, .mean = mean, .mean_rest = fma((double)n, p, -mean)};
}

/* log P(k) - g(n). */
static double log_weight(const law *l, int64_t k) {
  const double d = ((double)k - l->mean) - l->mean_rest;
  const double x = (double)k, y = (double)(l->n - k);
  return -(wal_stirling_rest(x) + wal_stirling_rest(y)) -
         (wal_stirling_deviance(x, l->mean, d) + wal_stirling_deviance(y, (double)l->n * l->q, -d));
}

// ---- Draws ------------------------------------------------------------------------------------

/* n log(1 - p): the quotient makes up for the digits that 1 - p has lost. */
static double log_none(const law *l) {
  const double lost = 1 - l->q;
  const double slope = lost > 0 ? wal_log_one(l->q) / -lost : 1;
  return -(l->mean * slope);
}

/* Takes probabilities off a uniform number until it is spent: of 0, 1, 2, ...; where n p < 1, of
 * 1, 2, ... and the rest is that of 0, so that rare counts have all their digits. */
static int64_t invert(wal_stream *stream, const law *l) {
  double left = wal_stream_uniform(stream);
  const bool rare = l->mean < 1;
  if (rare && left >= l->mean) return 0;  // P(k > 0) <= n p
  const double odds = l->p / l->q;
  double weight = wal_exp_one(log_none(l));
  if (!rare) left -= weight;
  int64_t k = 0;
  while (left >= 0) {
    if (k == l->n || ((double)k > l->mean && weight < 0x1p-70)) return 0;
    weight *= (double)(l->n - k) / (double)(k + 1) * odds;
    left -= weight;
    k++;
  }
  return k;
}

/* Hoermann 1993, "The generation of binomial random variates", algorithm BTRS: with u uniform on
 * (-1/2, 1/2), t = 1/2 - |u| and y = (2 a / t + b) u + c, floor(y) is taken with the probability
 * P(floor(y)) (a / t^2 + b) / (alpha P(mode)), which the constants keep below 1 for n p >= 10; it
 * is above `squeeze` where t >= 0.07. */
static int64_t reject(wal_stream *stream, const law *l) {
  const double deviation = sqrt(l->mean * l->q);
  const double b = 1.15 + 2.53 * deviation, a = -0.0873 + 0.0248 * b + 0.01 * l->p;
  const double alpha = (2.83 + 5.1 / b) * deviation, squeeze = 0.92 - 4.2 / b;
  const double mode = floor(((double)l->n + 1) * l->p);
  // From the mode on: what is added up has the size of the deviation, not of the mean.
  const double c = ((l->mean - mode) + l->mean_rest) + 0.5;
  double at_mode = 1;  // not yet known; it is negative
  for (;;) {
    const double u = wal_stream_uniform(stream) - 0.5, v = 1 - wal_stream_uniform(stream);
    const double t = 0.5 - fabs(u);
    if (t <= 0) continue;
    const double away = floor((2 * a / t + b) * u + c), k = mode + away;
    if (t >= 0.07 && v <= squeeze) return (int64_t)k;
    if (k < 0 || k > (double)l->n) continue;
    if (at_mode > 0) at_mode = log_weight(l, (int64_t)mode);
    if (wal_log_one(v * alpha / (a / (t * t) + b)) <= log_weight(l, (int64_t)k) - at_mode)
      return (int64_t)k;
  }
}

static int64_t draw(wal_stream *stream, int64_t n, double p) {
  if ((double)n * p < ONE_UNIT) return 0;
  if (n == 1) return wal_stream_uniform(stream) < p;
  const law l = law_of(n, p);
  return l.mean < INVERTED ? invert(stream, &l) : reject(stream, &l);
}

int64_t wal_binomial(wal_stream *stream, int64_t n, double p) {
  if (n <= 0 || !(p > 0)) return 0;
  if (p >= 1) return n;
  return p <= 0.5 ? draw(stream, n, p) : n - draw(stream, n, 1 - p);
}

double wal_binomial_log(int64_t n, double p, int64_t k) {
  if (k < 0 || k > n) return -HUGE_VAL;
  if (n == 0 || p <= 0 || p >= 1) return k == (p >= 1 ? n : 0) ? 0 : -HUGE_VAL;
  const law l = p <= 0.5 ? law_of(n, p) : law_of(n, 1 - p);
  return wal_stirling_rest((double)n) + log_weight(&l, p <= 0.5 ? k : n - k);
}

// ---- Many things ------------------------------------------------------------------------------

enum { SUMMED = 64 };  // one after the other

static double sum(const double *p, int64_t count) {
  if (count > SUMMED) return sum(p, count / 2) + sum(p + count / 2, count - count / 2);
  double total = 0;
  for (int64_t i = 0; i < count; i++) total += p[i];
  return total;
}

/* Both halves are summed up: what is left of the whole would not have the digits of a small one.
 * `out` is zero before. */
static void halve(wal_stream *stream, int64_t n, int64_t count, const double *p, int64_t *out) {
  while (count > 1 && n > 0) {
    const int64_t half = count / 2;
    const double left = sum(p, half), right = sum(p + half, count - half);
    const int64_t of_left = wal_binomial(stream, n, left / (left + right));
    if (of_left > 0) halve(stream, of_left, half, p, out);
    n -= of_left;
    p += half;
    out += half;
    count -= half;
  }
  if (n > 0) *out = n;
}

void wal_multinomial(wal_stream *stream, int64_t n, int64_t count, const double *p, int64_t *out) {
  memset(out, 0, (size_t)count * sizeof *out);
  halve(stream, n, count, p, out);
}
