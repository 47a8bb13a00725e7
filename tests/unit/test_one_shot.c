// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>

#include "tests/support/make_auction.h"

enum { SAMPLES = 100000 };

WAL_TEST_CTX(20260)

/* Inside four standard errors of the exact value, which is known to be tight. */
static void near(const wal_estimate *estimate, double exact) {
  assert_true(estimate->error >= 0);
  WAL_ASSERT_WITHIN(estimate->mean, exact, 4 * estimate->error + 1e-12 * fabs(exact));
}

/* Values uniform on [0, 1]: the closed forms by themselves. */
static void simulation_agrees_with_closed_forms(void **state) {
  (void)state;
  static const char *const FORMATS[] = {"first_price", "second_price", "third_price", "all_pay"};
  wal_one_shot_result r;
  wal_theory_amounts t;
  char fields[200];
  for (int f = 0; f < 4; f++)
    for (int n = f == 2 ? 3 : 1; n <= 11; n += f == 2 ? 4 : 2) {
      snprintf(fields, sizeof fields, "format = '%s', bidders = %d, deviations = 0", FORMATS[f], n);
      wal_test_auction_simulate(ctx, fields, SAMPLES, &r, &t);
      near(&r.revenue, wal_theory_revenue(n));
      near(&r.welfare, n / (n + 1.0));
      near(&r.utility, 1.0 / n / (n + 1));
    }
  for (int n = 1; n <= 5; n++)
    for (int f = 0; f < 2; f++) {
      snprintf(fields, sizeof fields, "format = '%s', bidders = %d, reserve = 0.5, deviations = 0",
               FORMATS[f], n);
      wal_test_auction_simulate(ctx, fields, SAMPLES, &r, &t);
      near(&r.revenue, wal_theory_optimal_reserve_revenue(n));
    }
  for (int k = 1; k <= 40; k += 13) {
    snprintf(fields, sizeof fields,
             "format = 'uniform_price', bidders = 41, units = %d, deviations = 0", k);
    wal_test_auction_simulate(ctx, fields, SAMPLES / 4, &r, &t);
    near(&r.revenue, wal_theory_units_revenue(41, k));
    snprintf(fields, sizeof fields,
             "format = 'pay_as_bid', bidders = 41, units = %d, deviations = 0", k);
    wal_test_auction_simulate(ctx, fields, SAMPLES / 4, &r, &t);
    near(&r.revenue, wal_theory_units_revenue(41, k));
  }
  for (int n = 2; n <= 5; n++) {
    snprintf(fields, sizeof fields, "bidders = %d, risk = 0.5, deviations = 0", n);
    wal_test_auction_simulate(ctx, fields, SAMPLES, &r, &t);
    near(&r.revenue, wal_theory_crra_revenue(n, 0.5));
    near(&r.utility, t.utility);
  }
}

/* Ten thousand bidders are nearly a mean field. */
static void simulation_agrees_with_the_mean_field(void **state) {
  (void)state;
  wal_one_shot_result r;
  wal_theory_amounts t;
  wal_test_auction_simulate(
      ctx, "format = 'pay_as_bid', bidders = 10000, units = 8000, deviations = 0", 200, &r, &t);
  WAL_ASSERT_WITHIN(r.revenue.mean / 10000, wal_theory_mean_field_revenue(0.8), 2e-4);
  wal_test_auction_simulate(
      ctx, "format = 'uniform_price', bidders = 10000, units = 8000, deviations = 0", 200, &r, &t);
  WAL_ASSERT_WITHIN(r.revenue.mean / 10000, wal_theory_mean_field_revenue(0.8),
                    4 * r.revenue.error / 10000 + 1e-4);
}

/* All laws and formats, against quadrature. */
static void simulation_agrees_with_quadrature(void **state) {
  (void)state;
  static const char *const AUCTIONS[] = {
      "format = 'first_price', values = exponential { mean = 2 }, reserve = 1",
      "format = 'first_price', values = beta { a = 2, b = 3 }, risk = 0.7, reserve = 0.3",
      "format = 'first_price', values = { 0, 1, 1.5, 4 }, bidders = 3",
      "format = 'second_price', values = beta { a = 0.5, b = 0.5 }, reserve = 0.5, bidders = 2",
      "format = 'second_price', values = quantiles { values = { 1, 1, 2, 2 }, "
      "levels = { 0, 0.6, 0.6, 1 } }, reserve = 1.5",
      "format = 'third_price', values = exponential {}, bidders = 4",
      "format = 'third_price', values = uniform { low = 1, high = 3 }, bidders = 6",
      "format = 'all_pay', values = exponential { mean = 2 }, reserve = 0.7, units = 2",
      "format = 'all_pay', values = uniform { low = 1, high = 2 }, bidders = 4",
      "format = 'uniform_price', values = beta { a = 3, b = 1 }, units = 30, bidders = 60, "
      "reserve = 0.8",
      "format = 'pay_as_bid', values = exponential {}, units = 7, bidders = 12, reserve = 0.2, "
      "risk = 0.25",
      "format = 'pay_as_bid', values = uniform { low = 1, high = 2 }, units = 30, bidders = 50",
      "format = 'uniform_price', units = 9, bidders = 4, reserve = 0.25",
      "format = 'pay_as_bid', units = 4, bidders = 4, reserve = 0.25",
      "format = 'all_pay', units = 4, bidders = 3, reserve = 0.25",
      "format = 'first_price', bidders = 1, reserve = 0.5",
      "format = 'first_price', values = uniform { low = 2, high = 2 + 1e-9 }, bidders = 3",
  };
  for (size_t k = 0; k < sizeof AUCTIONS / sizeof AUCTIONS[0]; k++) {
    wal_one_shot_result r;
    wal_theory_amounts t;
    wal_test_auction_simulate(ctx, AUCTIONS[k], SAMPLES / 2, &r, &t);
    near(&r.revenue, t.revenue);
    near(&r.welfare, t.welfare);
    near(&r.utility, t.utility);
    // Nobody gains by deviating; what is named as best gains nothing against new samples.
    const wal_one_shot_deviations *d = &r.deviations;
    assert_true(d->rivals > 40000);
    assert_true(d->least.mean <= 4 * d->least.error && d->most.mean >= -4 * d->most.error);
    assert_true(d->most.mean <= 0.003 * (1 + t.welfare));
  }
}

/* What bidders lose by other bids: closed forms for two bidders and uniform values. With bids c v
 * against c v, 1/2 <= c <= 1, the best bid is v/2 and wins with probability v/(2c): the loss is
 * E[v^2/(4c) - v^2 (1-c)]. */
static void losses_are_found(void **state) {
  (void)state;
  for (int i = 0; i <= 4; i++) {
    const double c = 0.6 + 0.1 * i;
    char fields[120];
    wal_one_shot_result r;
    wal_theory_amounts t;
    snprintf(fields, sizeof fields, "bidders = 2, bids = function(v) return %.17g * v end", c);
    wal_test_auction_simulate(ctx, fields, SAMPLES, &r, &t);
    assert_true(isnan(t.revenue));
    const double loss = (1 / (4 * c) - (1 - c)) / 3;
    WAL_ASSERT_WITHIN(r.deviations.least.mean, loss, 4 * r.deviations.least.error + 2e-5);
    WAL_ASSERT_WITHIN(r.deviations.most.mean, loss, 4 * r.deviations.most.error + 2e-5);
    near(&r.revenue, c * 2 / 3);
    near(&r.utility, (1 - c) / 3);
  }
  // All pay, bids v/2: the best bid b wins with probability 2 b, worth 2 b v - b: 1/2 for v > 1/2.
  wal_one_shot_result r;
  wal_theory_amounts t;
  wal_test_auction_simulate(
      ctx, "bidders = 2, format = 'all_pay', bids = function(v) return v / 2 end", SAMPLES, &r, &t);
  near(&r.revenue, 0.5);
  WAL_ASSERT_WITHIN(r.deviations.least.mean, 0.125 - (1.0 / 3 - 0.25),
                    4 * r.deviations.least.error + 1e-4);
  // Second price, bids v/2 with the price of the other's: bidding v instead gains
  // E[(v - w/2) 1(v < w < 2v)] = E over v of the integral.
  wal_test_auction_simulate(
      ctx, "bidders = 2, format = 'second_price', bids = function(v) return v / 2 end", SAMPLES, &r,
      &t);
  near(&r.revenue, 1.0 / 6);
  double loss = 0;
  for (int i = 0; i < 10000; i++) {
    const double v = (i + 0.5) / 10000, top = v < 0.5 ? 2 * v : 1;
    loss += (v * (top - v) - (top * top - v * v) / 4) / 10000;
  }
  WAL_ASSERT_WITHIN(r.deviations.least.mean, loss, 4 * r.deviations.least.error + 1e-4);
}

/* All bid the same: the winners are drawn, so that each of n gets k goods' share. */
static void ties_are_drawn(void **state) {
  (void)state;
  wal_one_shot_result r;
  wal_theory_amounts t;
  wal_test_auction_simulate(ctx, "bidders = 4, bids = function(v) return 0.25 end", SAMPLES, &r,
                            &t);
  WAL_ASSERT_NEAR(r.revenue.mean, 0.25, 1e-14);
  assert_true(r.revenue.error == 0);
  near(&r.welfare, 0.5);  // of whoever it is
  near(&r.utility, 0.25 / 4);
  // a bid just above wins for certain: 3/4 of (v - 1/4) more, if that is positive; else no bid
  const double loss = 0.75 * (0.75 * 0.75 / 2) + 0.25 * (0.25 * 0.25 / 2);
  WAL_ASSERT_WITHIN(r.deviations.least.mean, loss, 4 * r.deviations.least.error + 1e-4);
  wal_test_auction_simulate(ctx,
                            "bidders = 5, units = 3, format = 'pay_as_bid', "
                            "bids = function(v) return v < 0.5 and 0.1 or 0.2 end",
                            SAMPLES, &r, &t);
  double revenue = 0, welfare = 0;  // by the number of high bids
  static const double BINOMIAL[] = {1, 5, 10, 10, 5, 1};
  for (int high = 0; high <= 5; high++) {
    const int won = high < 3 ? high : 3;
    revenue += BINOMIAL[high] / 32 * (0.2 * won + 0.1 * (3 - won));
    welfare += BINOMIAL[high] / 32 * (0.75 * won + 0.25 * (3 - won));
  }
  near(&r.revenue, revenue);
  near(&r.welfare, welfare);
}

/* A script that bids what the equilibrium is gives its bits, or nearly: two ways of one thing. */
static void scripts_agree_with_equilibria(void **state) {
  (void)state;
  static const char *const PAIRS[][2] = {
      {"bidders = 3", "bidders = 3, bids = function(v) return 2 / 3 * v end"},
      {"bidders = 5, format = 'third_price'",
       "bidders = 5, format = 'third_price', bids = function(v) return 4 / 3 * v end"},
      {"bidders = 4, format = 'all_pay'",
       "bidders = 4, format = 'all_pay', bids = function(v) return 3 / 4 * v^4 end"},
      {"bidders = 40, units = 30, format = 'uniform_price', reserve = 0.3",
       "bidders = 40, units = 30, format = 'uniform_price', reserve = 0.3, "
       "bids = function(v) return v end"},
      {"bidders = 4, format = 'second_price', reserve = 0.3, risk = 0.5",
       "bidders = 4, format = 'second_price', reserve = 0.3, risk = 0.5, "
       "bids = function(v) return v end"},
  };
  for (size_t k = 0; k < sizeof PAIRS / sizeof PAIRS[0]; k++) {
    wal_one_shot_result a, b;
    wal_theory_amounts t;
    wal_test_auction_simulate(ctx, PAIRS[k][0], 20000, &a, &t);
    wal_test_auction_simulate(ctx, PAIRS[k][1], 20000, &b, &t);
    WAL_ASSERT_NEAR(a.revenue.mean, b.revenue.mean, 1e-12);
    WAL_ASSERT_NEAR(a.welfare.mean, b.welfare.mean, 1e-12);
    WAL_ASSERT_NEAR(a.utility.mean, b.utility.mean, 1e-12);
    WAL_ASSERT_NEAR(a.welfare.error, b.welfare.error, 1e-9);
    WAL_ASSERT_WITHIN(a.deviations.most.mean, b.deviations.most.mean, 1e-9);
  }
}

static void reserves_above_all_values_sell_nothing(void **state) {
  (void)state;
  static const char *const FORMATS[] = {"first_price", "second_price", "all_pay", "uniform_price",
                                        "pay_as_bid"};
  for (int f = 0; f < 5; f++) {
    char fields[120];
    wal_one_shot_result r;
    wal_theory_amounts t;
    snprintf(fields, sizeof fields, "format = '%s', reserve = 1.5", FORMATS[f]);
    wal_test_auction_simulate(ctx, fields, 1000, &r, &t);
    assert_true(r.revenue.mean == 0 && r.welfare.mean == 0 && r.utility.mean == 0);
    assert_true(t.revenue == 0 && t.welfare == 0 && t.utility == 0);
    assert_true(r.deviations.least.mean == 0 && r.deviations.most.mean == 0);
  }
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(simulation_agrees_with_closed_forms),
                                          cmocka_unit_test(simulation_agrees_with_the_mean_field),
                                          cmocka_unit_test(simulation_agrees_with_quadrature),
                                          cmocka_unit_test(losses_are_found),
                                          cmocka_unit_test(ties_are_drawn),
                                          cmocka_unit_test(scripts_agree_with_equilibria),
                                          cmocka_unit_test(reserves_above_all_values_sell_nothing)};

int main(int argc, char **argv) {
  wal_test_begin(&argc, &argv);
  return wal_test_end(cmocka_run_group_tests(tests, open_ctx, close_ctx));
}
