// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/reference/plain_auction.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef double row[PLAIN_MOST];
typedef double table[PLAIN_MOST + 1][PLAIN_MOST]; /* [state][bid]; state `values` is bot */

typedef struct fields {
  table logit[PLAIN_ROUNDS], pi[PLAIN_ROUNDS], q[PLAIN_ROUNDS];
  double mu[PLAIN_ROUNDS + 1][PLAIN_MOST + 1];
  row nu[PLAIN_ROUNDS], win[PLAIN_ROUNDS];
  double alpha[PLAIN_ROUNDS], sold[PLAIN_ROUNDS];
} fields;

static double kernel(const plain_auction *g, int from, int to) {
  const int bot = g->values;
  if (from < bot) return to < bot ? g->drift[from][to] : 0;
  return to < bot ? g->reentry * g->prior[to] : 1 - g->reentry;
}

static void softmax(int n, const double *y, double *p) {
  double most = y[0], sum = 0;
  for (int a = 1; a < n; a++) most = fmax(most, y[a]);
  for (int a = 0; a < n; a++) sum += p[a] = exp(y[a] - most);
  for (int a = 0; a < n; a++) p[a] /= sum;
}

static void clear(const plain_auction *g, int h, double left, fields *f) {
  double planned = 0;
  for (int k = h; k < g->rounds; k++) planned += g->share[k];
  f->alpha[h] = g->returned ? left * g->share[h] / planned : g->goods * g->share[h];
  f->sold[h] = 0;
  for (int a = 0; a < g->bids; a++) {
    double above = 0;
    for (int b = a + 1; b < g->bids; b++) above += f->nu[h][b];
    double w = f->alpha[h] - above;
    w = f->nu[h][a] > 0 ? w / f->nu[h][a] : w > 0 ? 1 : 0;
    w = fmin(1, fmax(0, w));
    if (a < g->reserve * g->bids - 1e-9) w = 0;
    f->win[h][a] = w;
    f->sold[h] += w * f->nu[h][a];
  }
}

static void flow(const plain_auction *g, fields *f) {
  const int bot = g->values;
  double left = g->goods;
  for (int s = 0; s < bot; s++) f->mu[0][s] = g->prior[s];
  f->mu[0][bot] = 0;
  for (int h = 0; h < g->rounds; h++) {
    double xi[PLAIN_MOST + 1] = {0};
    for (int s = 0; s <= bot; s++) softmax(g->bids, f->logit[h][s], f->pi[h][s]);
    for (int a = 0; a < g->bids; a++) {
      f->nu[h][a] = 0;
      for (int s = 0; s < bot; s++) f->nu[h][a] += f->mu[h][s] * f->pi[h][s][a];
    }
    clear(g, h, left, f);
    left -= g->returned ? f->sold[h] : f->alpha[h];
    xi[bot] = f->mu[h][bot];
    for (int s = 0; s < bot; s++)
      for (int a = 0; a < g->bids; a++) {
        const double mass = f->mu[h][s] * f->pi[h][s][a];
        const double gone = g->stay ? 0 : f->win[h][a];
        xi[s] += mass * (1 - gone);
        xi[bot] += mass * gone;
      }
    for (int t = 0; t <= bot; t++) {
      f->mu[h + 1][t] = 0;
      for (int z = 0; z <= bot; z++) f->mu[h + 1][t] += xi[z] * kernel(g, z, t);
    }
  }
}

/* q_h(s,a) for values V_{h+1} of the next round. */
static double action_value(const plain_auction *g, const fields *f, int h, int s, int a,
                           const double *next) {
  const int bot = g->values;
  double there = 0, gone = 0;
  for (int t = 0; t <= bot; t++) {
    there += kernel(g, s, t) * next[t];
    gone += kernel(g, g->stay ? s : bot, t) * next[t];
  }
  if (s == bot) return there;
  const double w = f->win[h][a];
  return w * (g->utility((double)s / bot, (double)a / g->bids, h) + gone) + (1 - w) * there;
}

enum { POLICY, BEST, SOFT_POLICY, SOFT_BEST, KINDS };

static double state_value(const plain_auction *g, int kind, const double *pi, const double *q) {
  double value = 0, most = q[0];
  for (int a = 1; a < g->bids; a++) most = fmax(most, q[a]);
  if (kind == BEST) return most;
  for (int a = 0; a < g->bids; a++) {
    if (kind == SOFT_BEST) value += exp((q[a] - most) / g->entropy);
    if (kind == POLICY) value += pi[a] * q[a];
    if (kind == SOFT_POLICY && pi[a] > 0) value += pi[a] * (q[a] - g->entropy * log(pi[a]));
  }
  return kind == SOFT_BEST ? most + g->entropy * log(value) : value;
}

/* <mu_0, V_0> of a kind; f->q of the last one. */
static double back(const plain_auction *g, int kind, fields *f) {
  double next[PLAIN_MOST + 1] = {0}, total = 0;
  for (int h = g->rounds - 1; h >= 0; h--) {
    double now[PLAIN_MOST + 1] = {0};
    for (int s = 0; s <= g->values; s++) {
      for (int a = 0; a < g->bids; a++) f->q[h][s][a] = action_value(g, f, h, s, a, next);
      now[s] = state_value(g, kind, f->pi[h][s], f->q[h][s]);
    }
    memcpy(next, now, sizeof next);
  }
  for (int s = 0; s < g->values; s++) total += g->prior[s] * next[s];
  return total;
}

static void measure(const plain_auction *g, fields *f, plain_result *r) {
  memset(r, 0, sizeof *r);
  for (int h = 0; h < g->rounds; h++) {
    for (int a = 0; a < g->bids; a++) {
      r->revenue[h] += f->nu[h][a] * f->win[h][a] * a / g->bids;
      for (int s = 0; s < g->values; s++)
        r->efficiency[h] += f->mu[h][s] * f->pi[h][s][a] * f->win[h][a] * s / g->values;
    }
    for (int s = 0; s <= g->values; s++) r->mass[h][s] = f->mu[h][s];
    r->sold[h] = f->sold[h];
    r->goods[h] = f->alpha[h];
    r->total_revenue += r->revenue[h];
    r->total_efficiency += r->efficiency[h];
  }
  r->value = back(g, POLICY, f);
  r->exploitability = back(g, BEST, f) - r->value;
  r->soft_exploitability = back(g, SOFT_BEST, f) - back(g, SOFT_POLICY, f);
}

void plain_auction_run(const plain_auction *g, int iterations, plain_result *result) {
  fields *f = calloc(1, sizeof *f);
  if (!f) abort();
  for (int k = 0; k < iterations; k++) {
    flow(g, f);
    back(g, SOFT_POLICY, f);
    for (int h = 0; h < g->rounds; h++)
      for (int s = 0; s <= g->values; s++)
        for (int a = 0; a < g->bids; a++)
          f->logit[h][s][a] =
              (1 - g->rate * g->entropy) * f->logit[h][s][a] + g->rate * f->q[h][s][a];
  }
  flow(g, f);
  measure(g, f, result);
  free(f);
}

void plain_auction_gaussian(plain_auction *g, double slope, double width) {
  for (int s = 0; s < g->values; s++) {
    double sum = 0;
    for (int t = 0; t < g->values; t++) {
      const double gap = slope * s / g->values - (double)t / g->values;
      sum += g->drift[s][t] = exp(-gap * gap / (2 * width * width));
    }
    for (int t = 0; t < g->values; t++) g->drift[s][t] /= sum;
  }
}

void plain_auction_still(plain_auction *g) {
  for (int s = 0; s < g->values; s++)
    for (int t = 0; t < g->values; t++) g->drift[s][t] = s == t;
}

void plain_auction_geometric(plain_auction *g, double ratio) {
  double sum = 0;
  for (int s = 0; s < g->values; s++) sum += g->prior[s] = pow(ratio, s);
  for (int s = 0; s < g->values; s++) g->prior[s] /= sum;
}
