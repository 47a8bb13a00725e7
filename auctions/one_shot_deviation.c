// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <stdlib.h>

#include "auctions/one_shot_simulate.h"
#include "sim/core/memory.h"
#include "sim/core/sum.h"

/*
 * E over values v of [max over bids b of u(v, b) - u(v, bid(v))], u being the expected utility
 * against the rivals' bids. Rivals matter through what they leave: the threshold to beat and the
 * price. One half of the samples, sorted by threshold, tells which bid of the grid is best for each
 * value; the other half what it gains. A maximum over estimates would be too high on average; this
 * is right on average for the deviations that are named, hence at most the true loss on average,
 * and around 0, also below, in equilibrium.
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
  double *bid;      /* rising; -1: none */
  int64_t *beaten;  /* thresholds below each */
  double *gain;     /* [count + 1] sums of u(v - price) over the lowest thresholds */
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
    if (!price_is_own(g->a))
      more += g->rivals[i].share * utility(g->a, v - g->rivals[i].price);
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

static double chance(const wal_one_shot *a, double b, const wal_one_shot_rival *r) {
  if (b < a->reserve) return 0;
  return b > r->threshold ? 1 : b == r->threshold ? r->share : 0;
}

/* Adds to total[i] what value v gains against rival i by bidding `best` and not `own`. */
static void judge(const wal_one_shot *a, double v, double own, double best, int64_t count,
                  const wal_one_shot_rival *rivals, double *gain, double *total) {
  const bool all = a->format == WAL_ALL_PAY;
  const double own_won = utility(a, v - own), best_won = utility(a, v - best);
  const double own_lost = all && own >= a->reserve ? utility(a, -own) : 0;
  const double best_lost = all && best >= a->reserve ? utility(a, -best) : 0;
  if (price_is_own(a)) {
    for (int64_t i = 0; i < count; i++) {
      const double p = chance(a, own, &rivals[i]), q = chance(a, best, &rivals[i]);
      gain[i] = q * best_won + (1 - q) * best_lost - p * own_won - (1 - p) * own_lost;
    }
  } else {
    for (int64_t i = 0; i < count; i++) {
      const double more = chance(a, best, &rivals[i]) - chance(a, own, &rivals[i]);
      gain[i] = more != 0 ? more * utility(a, v - rivals[i].price) : 0;
    }
  }
  for (int64_t i = 0; i < count; i++) total[i] += gain[i];
}

static wal_status search(wal_ctx *ctx, grid *g, int64_t judges, const wal_one_shot_rival *judge_of,
                         wal_one_shot_deviations *out) {
  double *gain = NULL, *total = NULL, level[STRATA];
  const wal_one_shot *a = g->a;
  wal_status status = wal_acquire(ctx, "deviations", judges, sizeof *gain, &gain);
  if (status == WAL_OK) status = wal_acquire(ctx, "deviations", judges, sizeof *total, &total);
  for (int j = 0; j < STRATA; j++) level[j] = (j + 0.5) / STRATA;
  wal_value_law_values(a->law, STRATA, level, out->value);
  if (status == WAL_OK)
    status = wal_one_shot_bids(ctx, a, STRATA, level, out->value, out->bid);
  for (int j = 0; j < STRATA && status == WAL_OK; j++) {
    out->best[j] = best_bid(g, out->value[j], out->bid[j]);
    judge(a, out->value[j], out->bid[j], out->best[j], judges, judge_of, gain, total);
    out->gain[j] = wal_sum(judges, gain) / (double)judges;
  }
  if (status == WAL_OK) {
    const double mean = wal_sum(judges, total) / (double)judges;
    for (int64_t i = 0; i < judges; i++) total[i] -= mean;
    const double n = (double)judges, variance = wal_dot(judges, total, total) / (n - 1);
    out->loss = (wal_estimate){mean / STRATA, sqrt(variance / n) / STRATA};
  }
  wal_release(ctx, &gain);
  wal_release(ctx, &total);
  return status;
}

wal_status wal_one_shot_find_deviations(wal_ctx *ctx, const wal_one_shot *auction, int64_t count,
                                        const wal_one_shot_rival *rivals,
                                        wal_one_shot_deviations *out) {
  *out = (wal_one_shot_deviations){.loss = {NAN, NAN}};
  // Utilities that are powers of v less the price take a power for each value and rival.
  if (auction->risk > 0 && !price_is_own(auction) && count > POWERS / STRATA * 4)
    count = POWERS / STRATA * 4;
  const int64_t half = count / 2;
  if (half < 1) return WAL_OK;
  grid g = {.a = auction, .count = half};
  wal_one_shot_rival *chooses = NULL, *judges = NULL;
  const int64_t bids = auction->deviations + 2;
  wal_status status = WAL_OK;
  WAL_TRY_GOTO(wal_acquire(ctx, "deviations", half, sizeof *chooses, &chooses));
  WAL_TRY_GOTO(wal_acquire(ctx, "deviations", half, sizeof *judges, &judges));
  WAL_TRY_GOTO(wal_acquire(ctx, "deviations", bids, sizeof *g.bid, &g.bid));
  WAL_TRY_GOTO(wal_acquire(ctx, "deviations", bids, sizeof *g.beaten, &g.beaten));
  WAL_TRY_GOTO(wal_acquire(ctx, "deviations", half + 1, sizeof *g.gain, &g.gain));
  for (int64_t i = 0; i < half; i++) {
    chooses[i] = rivals[2 * i];
    judges[i] = rivals[2 * i + 1];
  }
  qsort(chooses, (size_t)half, sizeof *chooses, by_threshold);
  g.rivals = chooses;
  make_grid(&g, auction->deviations);
  out->rivals = 2 * half;
  status = search(ctx, &g, half, judges, out);

cleanup:
  wal_release(ctx, &chooses);
  wal_release(ctx, &judges);
  wal_release(ctx, &g.bid);
  wal_release(ctx, &g.beaten);
  wal_release(ctx, &g.gain);
  return status;
}
