// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/agents/hypergeometric.h"

#include <math.h>

#include "sim/agents/stirling.h"

/* The four numbers of a draw: x_0 = k good ones drawn, x_1 = good ones left, x_2 bad ones drawn,
 * x_3 bad ones left, with the means e_i. By Stirling's formula, with g(x) = log x! - (x log x - x)
 * and D(x,e) = x log(x/e) + e - x,
 *
 *   log P(k) = g(good) + g(bad) + g(draws) + g(total - draws) - g(total)
 *              - sum_i (g(x_i) + D(x_i,e_i)),
 *
 * where the terms of the size of total * log(total) have cancelled beforehand; summed up, they
 * would leave no digit of a probability at 10^12. */

typedef struct law {
  int64_t good, bad, draws;
  int64_t low, high, mode;
  double mean, mean_rest; /**< E k, in two parts: the second is what rounding took from the first */
  double part[4];         /**< means of the four numbers */
  double constant;        /**< the terms that k is not in */
} law;

static double log_probability(const law *p, int64_t k) {
  const double d = ((double)k - p->mean) - p->mean_rest;
  const double x[4] = {(double)k, (double)(p->good - k), (double)(p->draws - k),
                       (double)(p->bad - p->draws + k)};
  double sum = 0;
  for (int i = 0; i < 4; i++)
    sum += wal_stirling_rest(x[i]) +
           wal_stirling_deviance(x[i], p->part[i], i == 0 || i == 3 ? d : -d);
  return p->constant - sum;
}

/* P(k+1) / P(k). */
static double step_up(const law *p, int64_t k) {
  return ((double)(p->good - k) / (double)(k + 1)) *
         ((double)(p->draws - k) / (double)(p->bad - p->draws + k + 1));
}

/* For laws with more than one possible number: all of these are positive then. */
static void find_law(int64_t good, int64_t bad, int64_t draws, law *p) {
  const double r = (double)good, b = (double)bad, n = (double)draws, total = r + b;
  *p = (law){.good = good, .bad = bad, .draws = draws};
  p->low = draws > bad ? draws - bad : 0;
  p->high = draws < good ? draws : good;
  if (p->low == p->high) return;
  // r n = product + error and mean * total = r n - remainder, both exact.
  const double product = r * n, error = fma(r, n, -product);
  p->mean = product / total;
  p->mean_rest = (fma(-p->mean, total, product) + error) / total;
  p->part[0] = p->mean;
  p->part[1] = r * ((total - n) / total);
  p->part[2] = n * (b / total);
  p->part[3] = b * ((total - n) / total);
  p->constant = wal_stirling_rest(r) + wal_stirling_rest(b) + wal_stirling_rest(n) +
                wal_stirling_rest(total - n) - wal_stirling_rest(total);
  const double near = floor((n + 1) * ((r + 1) / (total + 2)));
  p->mode = near < (double)p->low ? p->low : near > (double)p->high ? p->high : (int64_t)near;
  while (p->mode < p->high && step_up(p, p->mode) > 1) p->mode++;
  while (p->mode > p->low && step_up(p, p->mode - 1) < 1) p->mode--;
}

/* Takes probabilities off a uniform number until it is spent: of the mode, one above, one below,
 * two above, ... */
static int64_t invert(wal_stream *stream, const law *p) {
  const double most = wal_exp_one(log_probability(p, p->mode));
  double left = wal_stream_uniform(stream) - most;
  double up = most, down = most;
  int64_t above = p->mode, below = p->mode;
  while (left >= 0 && up + down > 0x1p-70) {
    up = above < p->high ? up * step_up(p, above) : 0;
    above++;
    left -= up;
    if (left < 0) return above;
    down = below > p->low ? down / step_up(p, below - 1) : 0;
    below--;
    left -= down;
    if (left < 0) return below;
  }
  return p->mode;  // with what rounding has left of the uniform number, too
}

/* For every log-concave P with its largest probability M at the mode m,
 *   P(m + k) <= M min(1, exp(1 - M |k|))
 * (Devroye 1987, "A simple generator for discrete log-concave distributions"); around integers,
 * with w = 1 + M/2, the hat min(1, exp(w - M |y|)) of the area 4 + M, in units of M. */
static int64_t reject(wal_stream *stream, const law *p) {
  const double at_mode = log_probability(p, p->mode);
  const double most = wal_exp_one(at_mode), w = 1 + most / 2;
  for (;;) {
    const double side = wal_stream_uniform(stream) * 2, u = wal_stream_uniform(stream) * (1 + w);
    double y = u / most, hat = 0;
    if (u > w) {
      hat = wal_log_one(1 - wal_stream_uniform(stream));  // minus an exponential variate
      y = (w - hat) / most;
    }
    const double away = floor(y + 0.5);
    const double least = 1 - wal_stream_uniform(stream);  // > 0
    if (away > (double)(side < 1 ? p->high - p->mode : p->mode - p->low)) continue;
    const int64_t k = p->mode + (side < 1 ? (int64_t)away : -(int64_t)away);
    if (wal_log_one(least) + hat <= log_probability(p, k) - at_mode) return k;
  }
}

int64_t wal_hypergeometric(wal_stream *stream, int64_t good, int64_t bad, int64_t draws) {
  law p;
  find_law(good, bad, draws, &p);
  if (p.low == p.high) return p.low;
  const double total = (double)good + (double)bad;
  const double variance = p.mean * (p.part[3] / total) * (total / (total - 1));
  return variance <= 256 ? invert(stream, &p) : reject(stream, &p);
}

double wal_hypergeometric_log(int64_t good, int64_t bad, int64_t draws, int64_t k) {
  law p;
  find_law(good, bad, draws, &p);
  if (k < p.low || k > p.high) return -HUGE_VAL;
  return p.low == p.high ? 0 : log_probability(&p, k);
}
