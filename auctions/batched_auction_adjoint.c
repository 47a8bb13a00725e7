// SPDX-License-Identifier: GPL-3.0-or-later
#include "auctions/batched_auction.h"

#include <string.h>

#include "auctions/clearing_adjoint.h"
#include "sim/core/hot.h"
#include "sim/core/sum.h"

/* The derivatives of the batched auction, operation by operation: of
 *
 *   r(s,a) = factor w(a) (offset(s) + slope(s) gain(a)) + loss(a),   c_WIN(a) = 1 - c_LOSE(a) =
 * w(a) nu(a) = sum_s L(s,a) (goods, p) = mechanism(left, nu),   w = clearing(goods, nu),   gain =
 * gain(p),   revenue, ...
 */

// ---- Who has derivatives ----------------------------------------------------------------------

wal_status batched_auction_differentiable(wal_ctx *ctx, const void *self) {
  const batched_auction *game = self;
  const wal_mechanism_type *mechanism = game->mechanism.type;
  if (!mechanism->answer_vjp)
    return wal_params_fail(ctx, game->params, "mechanism",
                           "expected a mechanism with derivatives, got %s",
                           mechanism->component.name);
  if (game->asked)
    return wal_params_fail(ctx, game->params, "utility",
                           "expected a utility with derivatives, got a function");
  return WAL_OK;
}

void batched_auction_parameters(const void *self, wal_parameters *out) {
  const batched_auction *game = self;
  const wal_mechanism *m = &game->mechanism;
  if (m->type->parameters) m->type->parameters(m->self, out);
}

void batched_auction_designed(void *self) {
  const wal_mechanism *m = &((const batched_auction *)self)->mechanism;
  if (m->type->designed) m->type->designed(m->self);
}

// ---- Rewards, outcomes, bid masses ------------------------------------------------------------

/* The bars of a bid, from the sums over states of bar * offset and bar * slope, in lanes as
 * wal_dot(). */
WAL_INLINE void weigh_bar(int64_t count, const double *bar, const double *offset,
                          const double *slope, double *fixed, double *sloped) {
  const int64_t whole = count / WAL_LANES * WAL_LANES;
  double one[WAL_LANES] = {0}, two[WAL_LANES] = {0};
  for (int64_t i = 0; i < whole; i += WAL_LANES) {
#pragma omp simd
    for (int j = 0; j < WAL_LANES; j++) {
      one[j] += bar[i + j] * offset[i + j];
      two[j] += bar[i + j] * slope[i + j];
    }
  }
  for (int64_t i = whole; i < count; i++) {
    one[i - whole] += bar[i] * offset[i];
    two[i - whole] += bar[i] * slope[i];
  }
  *fixed = wal_lane_tree(one);
  *sloped = wal_lane_tree(two);
}

/* Eight states are one chunk, of which the compiler makes no loop. */
WAL_HOT static void weigh_bars(wal_tile t, double factor, const double *restrict win,
                               const double *restrict gain, const double *restrict offset,
                               const double *restrict slope, const double *restrict reward_bar,
                               double *restrict win_bar, double *restrict gain_bar) {
  for (int a = 0; a < t.actions; a++) {
    const double *bar = reward_bar + a * t.stride;
    double fixed, sloped;
    if (t.count == WAL_LANES)
      weigh_bar(WAL_LANES, bar, offset, slope, &fixed, &sloped);
    else
      weigh_bar(t.count, bar, offset, slope, &fixed, &sloped);
    win_bar[a] += factor * (fixed + gain[a] * sloped);
    gain_bar[a] += factor * win[a] * sloped;
  }
}

static void add_row_sums(wal_tile t, const double *x, double *sum) {
  for (int a = 0; a < t.actions; a++) sum[a] += wal_sum(t.count, x + a * t.stride);
}

void batched_auction_stage_vjp(const void *self, const wal_slab *slab, const double *mass,
                               const double *policy, const double *statistic,
                               const double *reward_bar, const double *outcome_bar,
                               double *mass_bar, double *policy_bar, double *statistic_bar) {
  const batched_auction *game = self;
  const wal_tile t = batched_auction_tile(game, slab);
  const wal_utility *u = &game->utility;
  const int64_t bids = t.actions, first = slab->first;
  double *win_bar = statistic_bar + WIN_PROBABILITY * bids;
  (void)mass, (void)policy, (void)mass_bar, (void)policy_bar;
  if (reward_bar && t.count > 0)
    weigh_bars(t, wal_utility_factor(u, slab->stage), statistic + WIN_PROBABILITY * bids,
               statistic + GAIN * bids, u->offset + first, u->slope + first, reward_bar, win_bar,
               statistic_bar + GAIN * bids);
  if (reward_bar && game->mechanism.type->losers_pay)
    add_row_sums(t, reward_bar, statistic_bar + LOSS * bids);
  for (int64_t a = 0; outcome_bar && a < bids; a++)
    win_bar[a] += outcome_bar[WIN * bids + a] - outcome_bar[LOSE * bids + a];
}

/* mass_bar[i] += sum_a row[a] pi[a][i],  policy_bar[a][i] += mass[i] row[a]. */
WAL_HOT static void spread_row(wal_tile t, const double *restrict row, const double *restrict mass,
                               const double *restrict policy, double *restrict mass_bar,
                               double *restrict policy_bar) {
  enum { CHUNK = 64 };
  for (int64_t at = 0; at < t.count; at += CHUNK) {
    const int64_t n = t.count - at < CHUNK ? t.count - at : CHUNK;
    double sum[CHUNK] = {0};
    for (int a = 0; a < t.actions; a++) {
      const double x = row[a];
      const double *pi = policy + a * t.stride + at;
      double *to = policy_bar + a * t.stride + at;
      for (int64_t i = 0; i < n; i++) {
        sum[i] += x * pi[i];
        to[i] += x * mass[at + i];
      }
    }
    for (int64_t i = 0; i < n; i++) mass_bar[at + i] += sum[i];
  }
}

void batched_auction_couple_vjp(const void *self, const wal_slab *slab, const double *mass,
                                const double *policy, const double *statistic_bar, double *mass_bar,
                                double *policy_bar) {
  const wal_tile t = batched_auction_tile(self, slab);
  spread_row(t, statistic_bar, mass, policy, mass_bar, policy_bar);
}

// ---- A round ----------------------------------------------------------------------------------

/* From revenue = sum nu w p, or sum nu p if all pay. */
static void settle_revenue(const batched_auction *game, const double *z, double *bars) {
  const int64_t bids = game->market.bids;
  const double revenue = bars[ROWS * bids + REVENUE];
  const double *win = z + WIN_PROBABILITY * bids, *payment = z + PAYMENT * bids;
  const bool all = game->mechanism.type->losers_pay;
  for (int64_t a = 0; a < bids; a++) {
    const double pays = all ? 1 : win[a];
    bars[BID_MASS * bids + a] += revenue * pays * payment[a];
    bars[PAYMENT * bids + a] += revenue * z[a] * pays;
    if (!all) bars[WIN_PROBABILITY * bids + a] += revenue * z[a] * payment[a];
  }
}

/* From loss = (1 - w) factor (zero_offset + zero_slope gain). */
static void settle_losses(const batched_auction *game, int stage, const double *z, double *bars) {
  const int64_t bids = game->market.bids;
  const wal_utility *u = &game->utility;
  const double factor = wal_utility_factor(u, stage);
  const double *win = z + WIN_PROBABILITY * bids, *gain = z + GAIN * bids;
  const double *loss_bar = bars + LOSS * bids;
  for (int64_t a = 0; a < bids; a++) {
    const double worth = factor * (u->zero_offset + u->zero_slope * gain[a]);
    bars[WIN_PROBABILITY * bids + a] -= loss_bar[a] * worth;
    bars[GAIN * bids + a] += loss_bar[a] * (1 - win[a]) * factor * u->zero_slope;
  }
}

/* What settle() computes is gone through from its end to its beginning; in a copy of the bars those
 * of its own numbers that others of them depend on grow on the way. */
void batched_auction_settle_vjp(const void *self, int stage, const double *statistics, double *bars,
                                double *parameters_bar) {
  const batched_auction *game = self;
  const wal_mechanism *m = &game->mechanism;
  const int64_t bids = game->market.bids, numbers = batched_auction_numbers(game);
  const double *z = statistics + stage * numbers, *scalar = z + ROWS * bids;
  double *given = bars + stage * numbers, *bar = game->bars, *scalar_bar = bar + ROWS * bids;
  double *payment = (double *)z + PAYMENT * bids;  // an answer's, which is only read here
  memcpy(bar, given, (size_t)numbers * sizeof *bar);
  settle_revenue(game, z, bar);
  if (m->type->losers_pay) settle_losses(game, stage, z, bar);
  wal_utility_gain_vjp(&game->utility, bids, z + GAIN * bids, bar + GAIN * bids,
                       bar + PAYMENT * bids);
  const double goods =
      wal_clearing_vjp(game->market.bids, z, z + WIN_PROBABILITY * bids,
                       bar + WIN_PROBABILITY * bids, scalar_bar[SOLD], bar + BID_MASS * bids);
  const wal_round round = {.round = stage, .left = scalar[LEFT], .bid_mass = z};
  const wal_answer answer = {.goods = scalar[GOODS], .payment = payment};
  const wal_answer_bar answer_bar = {.goods = scalar_bar[GOODS] + goods,
                                     .payment = bar + PAYMENT * bids};
  wal_round_bar round_bar = {.left = scalar_bar[LEFT], .bid_mass = bar + BID_MASS * bids};
  m->type->answer_vjp(m->self, &round, &answer, &answer_bar, &round_bar, parameters_bar);
  memcpy(given + BID_MASS * bids, bar + BID_MASS * bids, (size_t)bids * sizeof *bar);
  if (stage == 0) return;
  double *before = given - numbers + ROWS * bids;
  before[LEFT] += round_bar.left;
  before[game->market.returned ? SOLD : GOODS] -= round_bar.left;
}

void batched_auction_flush_vjp(const void *self, double *parameters_bar) {
  const wal_mechanism *m = &((const batched_auction *)self)->mechanism;
  if (m->type->flush_vjp) m->type->flush_vjp(m->self, parameters_bar);
}

// ---- Report -----------------------------------------------------------------------------------

/* Of sum_s mass(s) value(s) sum_a pi(a|s) w(a). */
void batched_auction_measure_vjp(const void *self, const wal_slab *slab, const double *mass,
                                 const double *policy, const double *statistic,
                                 const double *sums_bar, double *mass_bar, double *policy_bar,
                                 double *statistic_bar) {
  const batched_auction *game = self;
  const wal_tile t = batched_auction_tile(game, slab);
  const double bar = sums_bar[EFFICIENCY_SUM];
  const double *win = statistic + (int64_t)WIN_PROBABILITY * t.actions;
  double *win_bar = statistic_bar + (int64_t)WIN_PROBABILITY * t.actions;
  if (bar == 0) return;
  for (int64_t i = 0; i < t.count; i++) {
    const double value = game->value[slab->first + i];
    double won = 0;
    for (int a = 0; a < t.actions; a++) {
      const int64_t at = a * t.stride + i;
      won += policy[at] * win[a];
      policy_bar[at] += bar * mass[i] * win[a] * value;
      win_bar[a] += bar * mass[i] * policy[at] * value;
    }
    mass_bar[i] += bar * won * value;
  }
}

void batched_auction_conclude_vjp(const void *self, int stage, const double *statistic,
                                  const double *sums, const double *column_bar,
                                  double *statistic_bar, double *sums_bar) {
  const batched_auction *game = self;
  const double *scalar = statistic + (int64_t)ROWS * game->market.bids;
  double *bar = statistic_bar + (int64_t)ROWS * game->market.bids;
  (void)stage, (void)sums;
  bar[GOODS] += column_bar[COLUMN_GOODS];
  bar[SOLD] += column_bar[COLUMN_SOLD];
  bar[THRESHOLD] += column_bar[COLUMN_THRESHOLD];
  bar[REVENUE] += column_bar[COLUMN_REVENUE] - column_bar[COLUMN_SURPLUS];
  sums_bar[EFFICIENCY_SUM] += column_bar[COLUMN_EFFICIENCY] + column_bar[COLUMN_SURPLUS];
  if (scalar[SOLD] > 0) {
    const double mean = column_bar[COLUMN_MEAN_PAYMENT] / scalar[SOLD];
    bar[REVENUE] += mean;
    bar[SOLD] -= mean * (scalar[REVENUE] / scalar[SOLD]);
  }
}
