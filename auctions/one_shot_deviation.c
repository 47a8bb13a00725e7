// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <stdlib.h>

#include "auctions/one_shot_simulate.h"
#include "sim/core/hot.h"
#include "sim/core/memory.h"
#include "sim/core/sum.h"

/*
 * E over values v of [max over bids b of u(v, b) - u(v, bid(v))], u being the expected utility
 * against the rivals' bids. Rivals matter through what they leave: the threshold to beat and the
 * price. One half of the samples, sorted by threshold, tells which bid of the grid is best for each
 * value. What that bid gains in the other half is right on average for that bid, hence on average
 * at most the true loss (in equilibrium 0 or less); what it gains in the half that chose it is on
 * average at least the true loss, being a maximum over estimates. Both go to the true loss as
 * samples grow.
 *
 * Grid: just above thresholds at equally spaced ranks, so that the chance to win rises by one part
 * of their number from one to the next; the reserve; no bid; the bid itself.
 */

enum { STRATA = WAL_ONE_SHOT_STRATA, POWERS = 1 << 20 };

/* The half that chooses, sorted by threshold, and the grid. */
typedef struct grid {
  const wal_one_shot *a;
  int64_t count; /* rivals */
  const wal_one_shot_rival *rivals;
  int64_t bids;
  double *bid;     /* rising; -1: none */
  int64_t *beaten; /* thresholds below each */
  double *gain;    /* [count + 1] sums of u(v - price) over the lowest thresholds */
} grid;

static bool price_is_own(const wal_one_shot *a) {
  return a->format == WAL_FIRST_PRICE || a->format == WAL_PAY_AS_BID || a->format == WAL_ALL_PAY;
}

static double utility(const wal_one_shot *a, double x) {
  wal_one_shot_utilities(a, 1, &x, &x);
  return x;
}

static int by_threshold(const void *x, const void *y) {
  const wal_one_shot_rival *a = x, *b = y;
  if (a->threshold != b->threshold) return a->threshold < b->threshold ? -1 : 1;
  if (a->price != b->price) return a->price < b->price ? -1 : 1;
  return (a->share > b->share) - (a->share < b->share);
}

/* Thresholds below b; with `equal`, of at most b. */
static int64_t count_below(const grid *g, double b, bool equal) {
  int64_t low = 0, high = g->count;
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    const double t = g->rivals[middle].threshold;
    if (t < b || (equal && t == b))
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static void make_grid(grid *g, int wanted) {
  g->bid[0] = -1;
  g->bid[1] = g->a->reserve;
  g->bids = 2;
  for (int64_t i = 0; i < wanted; i++) {
    const int64_t rank = (int64_t)(((double)i + 0.5) / (double)wanted * (double)g->count);
    const double b = nextafter(g->rivals[rank].threshold, HUGE_VAL);
    if (b > g->bid[g->bids - 1]) g->bid[g->bids++] = b;
  }
  for (int64_t i = 0; i < g->bids; i++)
    g->beaten[i] = g->bid[i] >= g->a->reserve ? count_below(g, g->bid[i], false) : 0;
}

static void sum_gains(grid *g, double v) {
  enum { PART = 256 };
  double part[PART];
  g->gain[0] = 0;
  for (int64_t i = 0; i < g->count; i += PART) {
    const int64_t n = g->count - i < PART ? g->count - i : PART;
    for (int64_t j = 0; j < n; j++) part[j] = v - g->rivals[i + j].price;
    wal_one_shot_utilities(g->a, n, part, part);
    for (int64_t j = 0; j < n; j++) g->gain[i + j + 1] = g->gain[i + j] + part[j];
  }
}

/* Expected utility of bidding b with value v: `below` thresholds are beaten, `tied` is what ties
 * add to the number of wins. */
static double worth(const grid *g, double v, double b, int64_t below, double tied) {
  const double n = (double)g->count;
  if (b < g->a->reserve) return 0;
  const double wins = ((double)below + tied) / n;
  if (g->a->format == WAL_ALL_PAY)
    return wins * utility(g->a, v - b) + (1 - wins) * utility(g->a, -b);
  if (price_is_own(g->a)) return wins * utility(g->a, v - b);
  return g->gain[below] / n;
}

/* Of a bid that may tie. */
static double worth_of_bid(const grid *g, double v, double b) {
  if (b < g->a->reserve) return 0;
  const int64_t below = count_below(g, b, false), most = count_below(g, b, true);
  double tied = 0, more = 0;
  for (int64_t i = below; i < most; i++) {
    tied += g->rivals[i].share;
    if (!price_is_own(g->a)) more += g->rivals[i].share * utility(g->a, v - g->rivals[i].price);
  }
  return worth(g, v, b, below, tied) + more / (double)g->count;
}

static double best_bid(grid *g, double v, double own) {
  if (!price_is_own(g->a)) sum_gains(g, v);
  double best = own, most = worth_of_bid(g, v, own);
  for (int64_t i = 0; i < g->bids; i++) {
    const double here = worth(g, v, g->bid[i], g->beaten[i], 0);
    if (here > most) {
      most = here;
      best = g->bid[i];
    }
  }
  return best;
}

/* One half of the samples, each number in an array of its own: for inner loops. */
typedef struct half {
  int64_t count;
  double *threshold, *price, *share;
  double *gain, *total; /* of one value; over all values */
} half;

WAL_HOT static void judge_own(const half *h, double own, double own_gain, double best,
                              double best_gain, double always) {
  const double *restrict t = h->threshold, *restrict share = h->share;
  double *restrict gain = h->gain;
#pragma omp simd
  for (int64_t i = 0; i < h->count; i++) {
    const double p = own > t[i] ? 1 : own == t[i] ? share[i] : 0;
    const double q = best > t[i] ? 1 : best == t[i] ? share[i] : 0;
    gain[i] = q * best_gain - p * own_gain + always;
  }
}

WAL_HOT static void judge_priced(const half *h, double v, double own, double best) {
  const double *restrict t = h->threshold, *restrict share = h->share, *restrict price = h->price;
  double *restrict gain = h->gain;
#pragma omp simd
  for (int64_t i = 0; i < h->count; i++) {
    const double p = own > t[i] ? 1 : own == t[i] ? share[i] : 0;
    const double q = best > t[i] ? 1 : best == t[i] ? share[i] : 0;
    gain[i] = (q - p) * (v - price[i]);
  }
}

/* A bid below the reserve is -2, which beats nobody and ties with nobody. */
static double effective(const wal_one_shot *a, double b) { return b >= a->reserve ? b : -2; }

/* gain[i] = what value v gains against rival i by bidding `best` and not `own`; its mean. */
static double judge(const wal_one_shot *a, double v, double own, double best, const half *h) {
  if (best == own) return 0;
  own = effective(a, own);
  best = effective(a, best);
  if (price_is_own(a)) {
    const bool all = a->format == WAL_ALL_PAY;
    const double own_lost = all && own >= 0 ? utility(a, -own) : 0;
    const double best_lost = all && best >= 0 ? utility(a, -best) : 0;
    judge_own(h, own, utility(a, v - own) - own_lost, best, utility(a, v - best) - best_lost,
              best_lost - own_lost);
  } else {
    judge_priced(h, v, own, best);
    for (int64_t i = 0; a->risk > 0 && i < h->count; i++) {
      const double gain = v - h->price[i];  // weighted by how much more often it is had
      if (h->gain[i] != 0) h->gain[i] *= utility(a, gain) / gain;
    }
  }
  for (int64_t i = 0; i < h->count; i++) h->total[i] += h->gain[i];
  return wal_sum(h->count, h->gain) / (double)h->count;
}

/* The mean over values, from the sums over values of each rival. */
static wal_estimate estimate(const half *h) {
  const double n = (double)h->count, mean = wal_sum(h->count, h->total) / n;
  for (int64_t i = 0; i < h->count; i++) h->total[i] -= mean;
  const double variance = wal_dot(h->count, h->total, h->total) / (n - 1);
  return (wal_estimate){mean / STRATA, sqrt(variance / n) / STRATA};
}

static wal_status search(wal_ctx *ctx, grid *g, const half halves[2],
                         wal_one_shot_deviations *out) {
  const wal_one_shot *a = g->a;
  double level[STRATA];
  for (int j = 0; j < STRATA; j++) level[j] = (j + 0.5) / STRATA;
  wal_value_law_values(a->law, STRATA, level, out->value);
  WAL_TRY(wal_one_shot_bids(ctx, a, STRATA, level, out->value, out->bid));
  for (int j = 0; j < STRATA; j++) {
    out->best[j] = best_bid(g, out->value[j], out->bid[j]);
    judge(a, out->value[j], out->bid[j], out->best[j], &halves[0]);
    out->gain[j] = judge(a, out->value[j], out->bid[j], out->best[j], &halves[1]);
  }
  out->most = estimate(&halves[0]);
  out->least = estimate(&halves[1]);
  out->rivals = 2 * g->count;
  return WAL_OK;
}

static wal_status make_half(wal_ctx *ctx, int64_t count, half *h) {
  h->count = count;
  double **const arrays[] = {&h->threshold, &h->price, &h->share, &h->gain, &h->total};
  for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++)
    WAL_TRY(wal_acquire(ctx, "deviations", count, sizeof(double), arrays[i]));
  return WAL_OK;
}

static void free_half(wal_ctx *ctx, half *h) {
  double **const arrays[] = {&h->threshold, &h->price, &h->share, &h->gain, &h->total};
  for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) wal_release(ctx, arrays[i]);
}

static void fill_half(half *h, int64_t stride, const wal_one_shot_rival *rivals) {
  for (int64_t i = 0; i < h->count; i++) {
    h->threshold[i] = rivals[i * stride].threshold;
    h->price[i] = rivals[i * stride].price;
    h->share[i] = rivals[i * stride].share;
  }
}

wal_status wal_one_shot_find_deviations(wal_ctx *ctx, const wal_one_shot *auction, int64_t count,
                                        const wal_one_shot_rival *rivals,
                                        wal_one_shot_deviations *out) {
  *out = (wal_one_shot_deviations){.least = {NAN, NAN}, .most = {NAN, NAN}};
  // Utilities that are powers of v less the price take a power for each value and rival.
  if (auction->risk > 0 && !price_is_own(auction) && count > POWERS / STRATA * 4)
    count = POWERS / STRATA * 4;
  const int64_t each = count / 2, bids = auction->deviations + 2;
  if (each < 1) return WAL_OK;
  grid g = {.a = auction, .count = each};
  half halves[2] = {{0}, {0}};
  wal_one_shot_rival *chooses = NULL;
  wal_status status = WAL_OK;
  WAL_TRY_GOTO(make_half(ctx, each, &halves[0]));
  WAL_TRY_GOTO(make_half(ctx, each, &halves[1]));
  WAL_TRY_GOTO(wal_acquire(ctx, "deviations", each, sizeof *chooses, &chooses));
  WAL_TRY_GOTO(wal_acquire(ctx, "deviations", bids, sizeof *g.bid, &g.bid));
  WAL_TRY_GOTO(wal_acquire(ctx, "deviations", bids, sizeof *g.beaten, &g.beaten));
  WAL_TRY_GOTO(wal_acquire(ctx, "deviations", each + 1, sizeof *g.gain, &g.gain));
  for (int64_t i = 0; i < each; i++) chooses[i] = rivals[2 * i];
  qsort(chooses, (size_t)each, sizeof *chooses, by_threshold);
  g.rivals = chooses;
  fill_half(&halves[0], 1, chooses);
  fill_half(&halves[1], 2, rivals + 1);
  make_grid(&g, auction->deviations);
  status = search(ctx, &g, halves, out);

cleanup:
  free_half(ctx, &halves[0]);
  free_half(ctx, &halves[1]);
  wal_release(ctx, &chooses);
  wal_release(ctx, &g.bid);
  wal_release(ctx, &g.beaten);
  wal_release(ctx, &g.gain);
  return status;
}
