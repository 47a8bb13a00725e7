// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>

#include "auctions/quadrature.h"
#include "auctions/theory.h"
#include "sim/core/random.h"
#include "tests/support/make_auction.h"

static wal_ctx *ctx;
static wal_value_law *unit; /* uniform on [0, 1] */

static int open_ctx(void **state) {
  (void)state;
  ctx = wal_test_ctx(1);
  return wal_value_law_make(ctx, WAL_LAW_UNIFORM, 0, 1, &unit) != WAL_OK;
}

static int close_ctx(void **state) {
  (void)state;
  wal_value_law_destroy(ctx, &unit);
  wal_ctx_destroy(&ctx);
  return 0;
}

/* Numbers of the textbooks: Krishna 2010, chapters 2 and 3; Riley & Samuelson 1981. */
static void published_numbers(void **state) {
  (void)state;
  static const double RESERVE[] = {0.25, 0.416667, 0.53125, 0.6125, 0.671875};
  for (int n = 1; n <= 5; n++)
    WAL_ASSERT_WITHIN(wal_theory_optimal_reserve_revenue(n), RESERVE[n - 1], 5e-7);
  WAL_ASSERT_NEAR(wal_theory_revenue(2), 1.0 / 3, 1e-15);
  WAL_ASSERT_NEAR(wal_theory_first_price_bid(2, 0.6), 0.3, 1e-15);
  WAL_ASSERT_NEAR(wal_theory_third_price_bid(3, 0.4), 0.8, 1e-15);
  WAL_ASSERT_NEAR(wal_theory_all_pay_bid(2, 0.6), 0.18, 1e-15);
  WAL_ASSERT_NEAR(wal_theory_units_revenue(5, 2), 1.0, 1e-15);
  WAL_ASSERT_NEAR(wal_theory_crra_bid(2, 0.5, 0.6), 0.4, 1e-15);
  WAL_ASSERT_NEAR(wal_theory_tullock_effort(2), 0.25, 1e-15);
  WAL_ASSERT_NEAR(wal_theory_double_auction_gains(), 0.140625, 1e-15);
  WAL_ASSERT_NEAR(wal_theory_mean_field_revenue(0.8), 0.16, 1e-15);
  WAL_ASSERT_SAME(wal_theory_second_price_bid(4, 0.3), 0.3);
  assert_true(isnan(wal_theory_third_price_bid(2, 0.5)) && isnan(wal_theory_units_revenue(2, 3)));
  assert_true(isnan(wal_theory_crra_bid(2, 0, 0.5)) && isnan(wal_theory_reserve_revenue(2, 1.5)));
}

static void closed_forms_are_the_integrals(void **state) {
  (void)state;
  wal_theory_amounts amounts;
  for (int64_t n = 1; n <= 12; n++) {
    for (int64_t k = 1; k <= n; k++) {
      WAL_ASSERT_OK(ctx, wal_theory_efficient(ctx, unit, n, k, 0, &amounts));
      WAL_ASSERT_WITHIN(amounts.revenue, wal_theory_units_revenue(n, k), 1e-11);
      double mean;  // of the k-th highest: (n - k + 1) / (n + 1)
      WAL_ASSERT_OK(ctx, wal_theory_order_statistic(ctx, unit, n, k, &mean));
      WAL_ASSERT_NEAR(mean, (double)(n - k + 1) / (double)(n + 1), 1e-12);
    }
    for (double r = 0; r <= 1; r += 0.125) {
      WAL_ASSERT_OK(ctx, wal_theory_efficient(ctx, unit, n, 1, r, &amounts));
      WAL_ASSERT_WITHIN(amounts.revenue, wal_theory_reserve_revenue(n, r), 1e-12);
      const double m = (double)n;  // welfare: E[the highest value, if it is at least r]
      WAL_ASSERT_WITHIN(amounts.welfare, m / (m + 1) * (1 - pow(r, m + 1)), 1e-12);
      WAL_ASSERT_WITHIN(amounts.utility, (amounts.welfare - amounts.revenue) / m, 1e-13);
    }
    for (double v = 0.125; v <= 1; v += 0.125) {
      double bid;
      WAL_ASSERT_OK(ctx, wal_theory_paid_bid(ctx, unit, n, 1, 0, 1, v, &bid));
      WAL_ASSERT_WITHIN(bid, wal_theory_first_price_bid(n, v), 1e-12);
      WAL_ASSERT_OK(ctx, wal_theory_paid_bid(ctx, unit, n, 1, 0, 0.4, v, &bid));
      WAL_ASSERT_WITHIN(bid, wal_theory_crra_bid(n, 0.4, v), 1e-12);
      WAL_ASSERT_OK(ctx, wal_theory_all_pay_law_bid(ctx, unit, n, 1, 0, v, &bid));
      WAL_ASSERT_WITHIN(bid, wal_theory_all_pay_bid(n, v), 1e-12);
      if (n >= 3)
        WAL_ASSERT_NEAR(wal_theory_third_price_law_bid(unit, n, v, 1 - v),
                        wal_theory_third_price_bid(n, v), 1e-13);
    }
  }
}

/* The highest of n exponential values has the mean 1 + 1/2 + .. + 1/n (Renyi 1953), the second
 * highest that less 1; with a reserve r, memorylessness gives revenue by hand for n = 1. */
static void exponential_values(void **state) {
  (void)state;
  wal_value_law *law;
  WAL_ASSERT_OK(ctx, wal_value_law_make(ctx, WAL_LAW_EXPONENTIAL, 2, 0, &law));
  double harmonic = 0;
  for (int64_t n = 1; n <= 1000; n++) {
    harmonic += 1 / (double)n;
    if (n > 5 && n != 50 && n != 1000) continue;
    double mean;
    wal_theory_amounts amounts;
    WAL_ASSERT_OK(ctx, wal_theory_order_statistic(ctx, law, n, 1, &mean));
    WAL_ASSERT_NEAR(mean, 2 * harmonic, 1e-10);
    WAL_ASSERT_OK(ctx, wal_theory_efficient(ctx, law, n, 1, 0, &amounts));
    WAL_ASSERT_WITHIN(amounts.revenue, 2 * (harmonic - 1), 1e-9);
    WAL_ASSERT_NEAR(amounts.welfare, 2 * harmonic, 1e-10);
  }
  wal_theory_amounts amounts;
  WAL_ASSERT_OK(ctx, wal_theory_efficient(ctx, law, 1, 1, 3, &amounts));
  WAL_ASSERT_NEAR(amounts.revenue, 3 * exp(-1.5), 1e-12);
  WAL_ASSERT_NEAR(amounts.welfare, 5 * exp(-1.5), 1e-12);
  // F/f = mean (e^(v/mean) - 1)
  WAL_ASSERT_NEAR(wal_theory_third_price_law_bid(law, 4, 0.5, 0.5), 2 * log(2) + 2 * 1 / 2.0,
                  1e-13);
  wal_value_law_destroy(ctx, &law);
}

static double choose(int n, int k) { return k == 0 ? 1 : choose(n - 1, k - 1) * n / k; }

static void winning_is_binomial(void **state) {
  (void)state;
  for (int n = 1; n <= 20; n++)
    for (int k = 1; k <= n + 1; k++)
      for (double u = 0.05; u < 1; u += 0.09) {
        double sum = 0, slope;
        for (int j = 0; j < k && j < n; j++)
          sum += choose(n - 1, j) * pow(1 - u, j) * pow(u, n - 1 - j);
        WAL_ASSERT_NEAR(wal_theory_win(n, k, u, 1 - u), sum, 1e-12);
        WAL_ASSERT_WITHIN(wal_theory_log_win(n, k, u, 1 - u), log(sum), 1e-11);
        slope = (wal_theory_win(n, k, u + 1e-5, 1 - u - 1e-5) -
                 wal_theory_win(n, k, u - 1e-5, 1 - u + 1e-5)) /
                2e-5;
        WAL_ASSERT_WITHIN(wal_theory_win_slope(n, k, u, 1 - u), slope, 1e-7);
      }
  // Where G is no double: ln G by its leading term, C(n-1, k-1) u^(n-k), and continuous there.
  WAL_ASSERT_NEAR(wal_theory_log_win(500, 3, 1e-6, 1 - 1e-6), log(choose(499, 2)) + 497 * log(1e-6),
                  1e-6);
  for (double u = 0.2; u < 0.35; u += 0.01) {
    const double step =
        wal_theory_log_win(500, 20, u + 1e-4, 1 - u - 1e-4) - wal_theory_log_win(500, 20, u, 1 - u);
    const double slope =
        exp(wal_theory_log_slope(500, 20, u, 1 - u) - wal_theory_log_win(500, 20, u, 1 - u));
    WAL_ASSERT_NEAR(step, slope * 1e-4, 1e-3);
  }
}

/* Finite auctions go to the mean field's price: k = g n goods, at (k+1)-st price and pay as bid. */
static void the_mean_field_is_the_limit(void **state) {
  (void)state;
  static const double SHARES[] = {0.2, 0.5, 0.8};
  for (int i = 0; i < 3; i++)
    for (int64_t n = 10; n <= 100000; n *= 100) {
      const int64_t k = (int64_t)(SHARES[i] * (double)n + 0.5);
      wal_theory_amounts amounts;
      double bid;
      const double revenue = wal_theory_units_revenue(n, k) / (double)n;
      WAL_ASSERT_WITHIN(revenue, wal_theory_mean_field_revenue(SHARES[i]), 1 / (double)n);
      WAL_ASSERT_OK(ctx, wal_theory_efficient(ctx, unit, n, k, 0, &amounts));
      WAL_ASSERT_NEAR(amounts.revenue / (double)n, revenue, 1e-7);
      // the highest value's bid is the expected k-th highest of n - 1: (n - k) / n
      WAL_ASSERT_OK(ctx, wal_theory_paid_bid(ctx, unit, n, k, 0, 1, 1, &bid));
      WAL_ASSERT_NEAR(bid, (double)(n - k) / (double)n, 1e-7);
      WAL_ASSERT_WITHIN(bid, wal_theory_mean_field_price(SHARES[i]), 1e-7);
    }
}

/* A bidder with value v gains most by his equilibrium bid, over all bids of other levels. */
static void nobody_gains_by_another_bid(void **state) {
  (void)state;
  static const char *const AUCTIONS[] = {
      "format = 'first_price', bidders = 4, risk = 0.4, values = beta { a = 2, b = 3 }",
      "format = 'first_price', bidders = 2, reserve = 0.3, values = exponential { mean = 0.5 }",
      "format = 'pay_as_bid', bidders = 7, units = 3, risk = 0.3, reserve = 0.2",
      "format = 'pay_as_bid', bidders = 200, units = 120",
      "format = 'first_price', bidders = 5, values = { 0, 1, 1.5, 4 }",
  };
  enum { GRID = 199 };
  for (int k = 0; k < 5; k++) {
    wal_test_auction made;
    WAL_ASSERT_OK(ctx, wal_test_auction_create(ctx, AUCTIONS[k], &made));
    const wal_one_shot *a = &made.auction;
    double u[GRID], v[GRID], b[GRID];
    for (int i = 0; i < GRID; i++) u[i] = (i + 1.0) / (GRID + 1);
    wal_value_law_values(a->law, GRID, u, v);
    WAL_ASSERT_OK(ctx, wal_one_shot_bids(ctx, a, GRID, u, v, b));
    for (int i = 0; i < GRID; i++) {
      if (b[i] < 0) continue;
      assert_true(b[i] <= v[i] + 1e-9 && b[i] >= a->reserve);
      assert_true(i == 0 || b[i] >= b[i - 1] - 1e-10);
      double own = v[i] - b[i];
      wal_one_shot_utilities(a, 1, &own, &own);
      own *= wal_theory_win(a->bidders, a->units, u[i], 1 - u[i]);
      for (int j = 0; j < GRID; j++) {
        if (b[j] < 0) continue;
        double other = v[i] - b[j];
        wal_one_shot_utilities(a, 1, &other, &other);
        other *= wal_theory_win(a->bidders, a->units, u[j], 1 - u[j]);
        assert_true(other <= own + 1e-9);
      }
    }
    wal_test_auction_destroy(ctx, &made);
  }
}

/* The table against adaptive quadrature of the closed form, at levels that it was not made from. */
static void tabulated_bids_are_the_integrals(void **state) {
  (void)state;
  static const struct {
    const char *auction;
    double alpha;
  } CASES[] = {
      {"bidders = 2, values = exponential { mean = 3 }", 1},
      {"bidders = 5, values = beta { a = 0.5, b = 0.5 }", 1},
      {"bidders = 5, values = beta { a = 2, b = 5 }, reserve = 0.3", 1},
      {"bidders = 1000, values = beta { a = 2, b = 5 }, reserve = 0.1", 1},
      {"bidders = 4, risk = 0.9, values = exponential {}", 0.1},
      {"bidders = 30, risk = 0.99, reserve = 0.2", 0.01},
      {"bidders = 5, values = { 0, 0.1, 3, 3.5, 9 }", 1},
      {"bidders = 5, values = quantiles { values = { 1, 2, 6, 7 }, levels = { 0, 0.6, 0.6, 1 } }",
       1},
      {"bidders = 8, units = 3, format = 'pay_as_bid', values = exponential {}", 1},
      {"bidders = 1000, units = 400, format = 'pay_as_bid', reserve = 0.25", 1},
      {"bidders = 1000, units = 990, format = 'pay_as_bid'", 1},
      {"bidders = 5, format = 'all_pay', values = exponential { mean = 2 }", 0},
      {"bidders = 9, units = 4, format = 'all_pay', reserve = 0.2, values = beta { a = 2, b = 2 }",
       0},
      {"bidders = 500, format = 'all_pay', reserve = 0.05", 0},
      {"bidders = 300, units = 100, format = 'all_pay'", 0},
  };
  for (size_t k = 0; k < sizeof CASES / sizeof CASES[0]; k++) {
    wal_test_auction made;
    WAL_ASSERT_OK(ctx, wal_test_auction_create(ctx, CASES[k].auction, &made));
    const wal_one_shot *a = &made.auction;
    assert_true(a->rule == WAL_BID_TABLE);
    const double entry = wal_theory_all_pay_entry(a->law, a->bidders, a->units, a->reserve);
    for (int i = 0; i < 60; i++) {
      const double x = (i + 0.37) / 60, near = i % 3 == 1 ? x * x * x * x : x;
      const double u =
          i % 3 == 2 ? 1 - (1 - a->start) * x * x * x * x * x : a->start + (1 - a->start) * near;
      if (u < 1e-6) continue;
      double v = u, b, exact;
      wal_value_law_values(a->law, 1, &v, &v);
      WAL_ASSERT_OK(ctx, wal_one_shot_bids(ctx, a, 1, &u, &v, &b));
      if (CASES[k].alpha > 0)
        WAL_ASSERT_OK(ctx, wal_theory_paid_bid(ctx, a->law, a->bidders, a->units, a->reserve,
                                               CASES[k].alpha, v, &exact));
      else
        WAL_ASSERT_OK(
            ctx, wal_theory_all_pay_law_bid(ctx, a->law, a->bidders, a->units, entry, v, &exact));
      WAL_ASSERT_WITHIN(b, exact, 1e-9 * (1 + wal_value_law_mean(a->law)));
    }
    wal_test_auction_destroy(ctx, &made);
  }
}

/* Theory's amounts of risk-averse bidders, by closed form: revenue (n-1)/(n-1+rho) n/(n+1). */
static void risk_aversion(void **state) {
  (void)state;
  for (int n = 2; n <= 6; n++) {
    char fields[64];
    snprintf(fields, sizeof fields, "bidders = %d, risk = 0.35", n);
    wal_test_auction made;
    wal_theory_amounts amounts;
    WAL_ASSERT_OK(ctx, wal_test_auction_create(ctx, fields, &made));
    WAL_ASSERT_OK(ctx, wal_one_shot_theory(ctx, &made.auction, &amounts));
    WAL_ASSERT_NEAR(amounts.revenue, wal_theory_crra_revenue(n, 0.65), 1e-10);
    WAL_ASSERT_NEAR(amounts.welfare, n / (n + 1.0), 1e-10);
    // E[v^(n-1) (v - b)^0.65 / 0.65], v - b = c v
    const double c = 0.65 / (n - 0.35);
    WAL_ASSERT_NEAR(amounts.utility, pow(c, 0.65) / 0.65 / (n + 0.65), 1e-9);
    wal_test_auction_destroy(ctx, &made);
  }
}

/* Each is the best answer to the other, over a grid: E[(v - (b+s)/2); b >= s] and the like, with
 * values uniform on [0, 1]; and the gains are those of the trades v >= c + 1/4. */
static void double_auctions_are_in_equilibrium(void **state) {
  (void)state;
  enum { GRID = 400 };
  for (double v = 0.3; v < 1; v += 0.1) {
    double best = -1, at = 0, worst = -1, ask = 0;
    const double cost = 1 - v;
    for (int i = 0; i <= GRID; i++) {
      const double p = i / (double)GRID;
      const double c = fmin(1, fmax(0, (p - 0.25) * 1.5));  // costs that ask for at most p
      const double buyer = c * (v - p / 2) - (c * c / 3 + c / 4) / 2;
      const double w = fmin(1, fmax(0, (p - 1.0 / 12) * 1.5));  // values that offer at least p
      const double seller = (1 - w) * (p / 2 - cost) + ((1 - w * w) / 3 + (1 - w) / 12) / 2;
      if (buyer > best) best = buyer, at = p;
      if (seller > worst) worst = seller, ask = p;
    }
    WAL_ASSERT_WITHIN(at, wal_theory_double_auction_buyer(v), 1.0 / GRID);
    if (cost < 0.7) WAL_ASSERT_WITHIN(ask, wal_theory_double_auction_seller(cost), 1.0 / GRID);
  }
  double gains = 0;
  for (int i = 0; i < GRID; i++) {  // over d = v - c, whose density is 1 - d
    const double d = 0.25 + 0.75 * (i + 0.5) / GRID;
    gains += d * (1 - d) * 0.75 / GRID;
  }
  WAL_ASSERT_NEAR(gains, wal_theory_double_auction_gains(), 1e-5);
}

/* x / (x + (n-1) y) - x is largest at x = y = (n-1)/n^2. */
static void contests_are_in_equilibrium(void **state) {
  (void)state;
  for (int n = 2; n <= 6; n++) {
    const double y = wal_theory_tullock_effort(n), own = y / (n * y) - y;
    for (double x = 0.001; x < 1; x += 0.001) assert_true(x / (x + (n - 1) * y) - x <= own + 1e-15);
  }
}

// ---- Play at random ---------------------------------------------------------------------------

enum { PLAYS = 400000 };

/* Sum and sum of squares of what is drawn. */
typedef struct tally {
  double sum, squares;
} tally;

static void count(tally *t, double x) {
  t->sum += x;
  t->squares += x * x;
}

static double mean_of(const tally *t) { return t->sum / PLAYS; }

static double error_of(const tally *t) {
  return sqrt((t->squares - t->sum * t->sum / PLAYS) / ((double)PLAYS * (PLAYS - 1)));
}

/* Inside four standard errors, which are small beside what is looked for. */
static void near(const tally *t, double exact) {
  assert_true(error_of(t) > 0 && error_of(t) < 0.002);
  WAL_ASSERT_WITHIN(mean_of(t), exact, 4 * error_of(t));
}

static double draw(uint64_t play, uint32_t player) {
  return wal_random_uniform(20260, WAL_PURPOSE_TEST, play, player, 0);
}

/* Whoever of n finishes first wins, times being exponential with efforts as rates: so x / (x + y
 * ..) is not put in. Player 0 makes `own` times the equilibrium's effort. */
static void play_contest(int n, double own, tally *first, tally *last) {
  const double effort = wal_theory_tullock_effort(n);
  *first = *last = (tally){0, 0};
  for (uint64_t play = 0; play < PLAYS; play++) {
    int winner = 0;
    double least = HUGE_VAL;
    for (int i = 0; i < n; i++) {
      const double time = -log1p(-draw(play, (uint32_t)i)) / (effort * (i == 0 ? own : 1));
      if (time < least) least = time, winner = i;
    }
    count(first, (winner == 0) - own * effort);
    count(last, (winner == n - 1) - effort);
  }
}

/* Everybody's payoff is 1/n^2; who makes z times the effort has z/(z + n - 1) - z (n-1)/n^2, less.
 */
static void contests_pay_what_they_should(void **state) {
  (void)state;
  for (int n = 2; n <= 5; n++) {
    const double m = n;
    tally first, last, other;
    play_contest(n, 1, &first, &last);
    near(&first, 1 / (m * m));
    near(&last, 1 / (m * m));
    for (double z = 0.5; z <= 2; z *= 4) {
      play_contest(n, z, &other, &last);
      near(&other, z / (z + m - 1) - z * (m - 1) / (m * m));
      assert_true(mean_of(&other) < mean_of(&first) - 8 * error_of(&first));
    }
  }
}

/* Payoffs of buyer and seller, and how often they trade, with values and costs drawn; they offer
 * and ask so much of the equilibrium's more. */
static void play_double_auction(double more_offer, double more_ask, tally *buyer, tally *seller,
                                tally *both, tally *trades) {
  *buyer = *seller = *both = *trades = (tally){0, 0};
  for (uint64_t play = 0; play < PLAYS; play++) {
    const double value = draw(play, 0), cost = draw(play, 1);
    const double offer = wal_theory_double_auction_buyer(value) + more_offer;
    const double ask = wal_theory_double_auction_seller(cost) + more_ask, price = (offer + ask) / 2;
    const bool trade = offer >= ask;
    count(buyer, trade ? value - price : 0);
    count(seller, trade ? price - cost : 0);
    count(both, trade ? value - cost : 0);
    count(trades, trade);
  }
}

/* Gains of 9/64, half for each, from trades with probability 9/32 (Chatterjee & Samuelson 1983): of
 * the 1/6 that is there 27/32. Who offers 1/10 more or less has less, and so has who asks it. */
static void double_auctions_pay_what_they_should(void **state) {
  (void)state;
  tally buyer, seller, both, trades, other, dull;
  play_double_auction(0, 0, &buyer, &seller, &both, &trades);
  near(&both, wal_theory_double_auction_gains());
  near(&both, 27.0 / 32 / 6);
  near(&buyer, wal_theory_double_auction_gains() / 2);
  near(&seller, wal_theory_double_auction_gains() / 2);
  near(&trades, 9.0 / 32);
  for (double more = -0.1; more < 0.2; more += 0.2) {
    play_double_auction(more, 0, &other, &dull, &both, &trades);
    assert_true(mean_of(&other) < mean_of(&buyer) - 8 * error_of(&buyer));
    play_double_auction(0, more, &dull, &other, &both, &trades);
    assert_true(mean_of(&other) < mean_of(&seller) - 8 * error_of(&seller));
  }
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(published_numbers),
                                          cmocka_unit_test(closed_forms_are_the_integrals),
                                          cmocka_unit_test(exponential_values),
                                          cmocka_unit_test(winning_is_binomial),
                                          cmocka_unit_test(the_mean_field_is_the_limit),
                                          cmocka_unit_test(nobody_gains_by_another_bid),
                                          cmocka_unit_test(tabulated_bids_are_the_integrals),
                                          cmocka_unit_test(risk_aversion),
                                          cmocka_unit_test(double_auctions_are_in_equilibrium),
                                          cmocka_unit_test(contests_are_in_equilibrium),
                                          cmocka_unit_test(contests_pay_what_they_should),
                                          cmocka_unit_test(double_auctions_pay_what_they_should)};

int main(int argc, char **argv) {
  wal_test_begin(&argc, &argv);
  return wal_test_end(cmocka_run_group_tests(tests, open_ctx, close_ctx));
}
