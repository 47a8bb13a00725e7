// SPDX-License-Identifier: GPL-3.0-or-later
/* The batched auction against published settings' numbers, a second implementation of the paper's
 * formulas, and closed forms of its limits. */
#include <math.h>
#include <stdio.h>

#include "auctions/mechanism.h"
#include "sim/game/report.h"
#include "tests/reference/plain_auction.h"
#include "tests/reference/run_game.h"

/* What a scenario's game ends at. */
typedef struct outcome {
  wal_measure measure;
  wal_report report;
  double revenue, efficiency, sold, goods;
} outcome;

static int column_of(const wal_report *report, const char *name) {
  for (int c = 0; c < report->form->columns; c++)
    if (strcmp(report->form->column[c].name, name) == 0) return c;
  print_error("the report has no column %s\n", name);
  fail();
  return 0;
}

static double total(const wal_report *report, const char *name) {
  return report->total[column_of(report, name)];
}

static double at_round(const wal_report *report, int round, const char *name) {
  return report->values[round * report->form->columns + column_of(report, name)];
}

/* Each round sells no more than there is for sale, and rounds together no more than `goods`. */
static void check_goods(const wal_report *report, double goods) {
  for (int h = 0; h < report->stages; h++) {
    const double sold = at_round(report, h, "sold"), for_sale = at_round(report, h, "goods");
    assert_true(sold >= 0 && sold <= for_sale * (1 + 1e-14));
    assert_true(at_round(report, h, "revenue") >= 0);
    WAL_ASSERT_WITHIN(at_round(report, h, "surplus"),
                      at_round(report, h, "efficiency") - at_round(report, h, "revenue"), 1e-15);
  }
  assert_true(total(report, "sold") <= goods + 1e-14);
}

static void begin_script(reference_run *run, const char *game, double rate, double entropy) {
  char text[4096];
  const wal_learner_type *type = wal_learner_find("mirror_descent");
  wal_node *rule = wal_test_component("mirror_descent");
  snprintf(text, sizeof text, "return batched_auction { %s }", game);
  memset(run, 0, sizeof *run);
  run->ctx = wal_test_ctx(1);
  wal_test_set_number(rule, "rate", rate);
  wal_test_set_number(rule, "entropy", entropy);
  WAL_ASSERT_OK(run->ctx, wal_test_game_script(run->ctx, text, &run->made));
  WAL_ASSERT_OK(run->ctx,
                wal_params_resolve(run->ctx, "test.lua", &type->component, rule, NULL, &run->rule));
  wal_node_destroy(rule);
  WAL_ASSERT_OK(run->ctx, wal_space_create(run->ctx, &run->made.game, NULL, &run->space));
  WAL_ASSERT_OK(run->ctx, wal_learner_create(run->space, type, run->rule, &run->learner));
}

/* Solves the game of these parameters; `goods` is checked to be enough for what is sold. */
static outcome solve(const char *game, double rate, double entropy, int iterations, double goods) {
  reference_run run;
  outcome out;
  begin_script(&run, game, rate, entropy);
  for (int k = 0; k < iterations; k++) {
    wal_measure unused;
    WAL_ASSERT_OK(run.ctx, wal_learner_sweep(run.learner, false, true, &unused));
  }
  out.measure = reference_look(&run);
  WAL_ASSERT_OK(
      run.ctx, wal_report_create(run.space, &run.learner->flow, &run.learner->policy, &out.report));
  for (int h = 0; h < out.report.stages; h++) {
    double mass = 0;
    for (int64_t s = 0; s < run.space->states.count; s++)
      mass += wal_flow_mass(&run.learner->flow, h)[s];
    WAL_ASSERT_WITHIN(mass, 1, 1e-13);
  }
  check_goods(&out.report, goods);
  out.revenue = total(&out.report, "revenue");
  out.efficiency = total(&out.report, "efficiency");
  out.sold = total(&out.report, "sold");
  out.goods = total(&out.report, "goods");
  wal_report_free(run.ctx, &out.report);
  reference_end(&run);
  return out;
}

/* Settings A1 and A4 with first price, equal split, 500 iterations: numbers of a separate program.
 */
static void settings_of_the_paper(void **state) {
  (void)state;
  const outcome a1 = solve("", 10, 1e-3, 500, 0.8);
  WAL_ASSERT_NEAR(a1.revenue, 0.15209324116978, 1e-9);
  WAL_ASSERT_NEAR(a1.measure.soft_exploitability, 2.9434831e-5, 2e-8);
  const outcome a4 = solve("utility = risk_averse { beta = 1 }", 10, 1e-3, 500, 0.8);
  WAL_ASSERT_NEAR(a4.revenue, 0.15366519819727, 1e-9);
  WAL_ASSERT_NEAR(a4.measure.soft_exploitability, 7.5476500e-5, 2e-8);
}

// ---- A second implementation ------------------------------------------------------------------

static double neutral(double v, double p, int h) { return (void)h, v - p; }
static double averse(double v, double p, int h) { return (void)h, 1 - exp(-(v - p)); }
static double seeking(double v, double p, int h) { return (void)h, (exp(0.5 * (v - p)) - 1) / 0.5; }
static double hyperbolic(double v, double p, int h) { return (v - p) / (1 + 0.7 * h); }
static double curious(double v, double p, int h) { return sqrt(v) - p * p - 0.1 * h * v; }

static plain_auction plain(int rounds, int values, int bids, double goods) {
  plain_auction g = {.rounds = rounds, .values = values, .bids = bids, .goods = goods};
  for (int h = 0; h < rounds; h++) g.share[h] = 1.0 / rounds;
  for (int s = 0; s < values; s++) g.prior[s] = 1.0 / values;
  plain_auction_still(&g);
  g.utility = neutral;
  g.rate = 10;
  g.entropy = 1e-3;
  return g;
}

static void agree(const char *what, const plain_auction *g, const char *text, int iterations) {
  static const double TOLERANCE = 1e-12;
  plain_result r;
  reference_run run;
  print_message("  %s\n", what);
  plain_auction_run(g, iterations, &r);
  begin_script(&run, text, g->rate, g->entropy);
  for (int k = 0; k < iterations; k++) reference_step(&run);
  const wal_measure m = reference_look(&run);
  wal_report report;
  WAL_ASSERT_OK(run.ctx,
                wal_report_create(run.space, &run.learner->flow, &run.learner->policy, &report));
  for (int h = 0; h < g->rounds; h++) {
    WAL_ASSERT_WITHIN(at_round(&report, h, "revenue"), r.revenue[h], TOLERANCE);
    WAL_ASSERT_WITHIN(at_round(&report, h, "efficiency"), r.efficiency[h], TOLERANCE);
    WAL_ASSERT_WITHIN(at_round(&report, h, "sold"), r.sold[h], TOLERANCE);
    WAL_ASSERT_WITHIN(at_round(&report, h, "goods"), r.goods[h], TOLERANCE);
    for (int s = 0; s < g->values + !g->stay; s++)
      WAL_ASSERT_WITHIN(wal_flow_mass(&run.learner->flow, h)[s], r.mass[h][s], TOLERANCE);
  }
  WAL_ASSERT_NEAR(total(&report, "revenue"), r.total_revenue, TOLERANCE);
  WAL_ASSERT_NEAR(total(&report, "efficiency"), r.total_efficiency, TOLERANCE);
  WAL_ASSERT_WITHIN(m.exploitability, r.exploitability, TOLERANCE);
  WAL_ASSERT_WITHIN(m.soft_exploitability, r.soft_exploitability, TOLERANCE);
  WAL_ASSERT_NEAR(m.value, r.value, TOLERANCE);
  assert_true(r.total_revenue > 1e-3 && r.soft_exploitability > 1e-9);  // something happens
  check_goods(&report, g->goods);
  wal_report_free(run.ctx, &report);
  reference_end(&run);
}

static void drift_and_prior_as_in_a2(void **state) {
  (void)state;
  plain_auction g = plain(4, 30, 24, 0.8);
  plain_auction_geometric(&g, 0.9);
  plain_auction_gaussian(&g, 3, 0.2);
  agree("A2", &g,
        "rounds = 4, values = 30, bids = 24, goods = 0.8, prior = geometric { ratio = 0.9 },"
        "drift = gaussian { slope = 3, width = 0.2 }",
        60);
}

static void reentry_as_in_a3(void **state) {
  (void)state;
  plain_auction g = plain(5, 21, 33, 1.1);
  double sum = 0;
  for (int s = 0; s < 21; s++) sum += g.prior[s] = 1 + (s * s) % 5 + (s == 3 ? 8 : 0);
  for (int s = 0; s < 21; s++) g.prior[s] /= sum;
  g.reentry = 0.3;
  static const char TEXT[] =
      "rounds = 5, values = 21, bids = 33, goods = 1.1, reentry = 0.3,"
      "prior = function(v) local s = math.floor(21 * v + 0.5)"
      " return 1 + (s * s) % 5 + (s == 3 and 8 or 0) end";
  agree("A3", &g, TEXT, 60);
  // More goods than bidders: all bids win.
  plain_auction_gaussian(&g, 0.8, 0.3);
  g.goods = 6;
  g.rate = 1;
  agree("A3 with more goods than bidders, and drift", &g,
        "rounds = 5, values = 21, bids = 33, goods = 6, reentry = 0.3,"
        "drift = gaussian { slope = 0.8, width = 0.3 },"
        "prior = function(v) local s = math.floor(21 * v + 0.5)"
        " return 1 + (s * s) % 5 + (s == 3 and 8 or 0) end",
        4);
}

static void utilities_as_in_a4_to_a6(void **state) {
  (void)state;
  static const struct {
    const char *text;
    double (*utility)(double, double, int);
  } CASES[] = {
      {"risk_averse { beta = 1 }", averse},
      {"risk_seeking { beta = 0.5 }", seeking},
      {"hyperbolic { lambda = 0.7 }", hyperbolic},
      {"function(v, p, h) return math.sqrt(v) - p * p - 0.1 * h * v end", curious},
      {"function(v, p, h) return (v - p) / (1 + 0.7 * h) end", hyperbolic},
  };
  for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
    char text[512];
    plain_auction g = plain(4, 25, 20, 0.8);
    g.utility = CASES[i].utility;
    snprintf(text, sizeof text, "rounds = 4, values = 25, bids = 20, utility = %s", CASES[i].text);
    agree(CASES[i].text, &g, text, 60);
  }
}

static void winners_who_stay_as_in_a7(void **state) {
  (void)state;
  plain_auction g = plain(6, 28, 28, 0.8);
  plain_auction_geometric(&g, 0.9);
  plain_auction_gaussian(&g, 1.2, 0.2);
  g.stay = true;
  agree("A7", &g,
        "rounds = 6, values = 28, bids = 28, prior = geometric {}, winners = \"stay\","
        "drift = gaussian { slope = 1.2, width = 0.2 }",
        60);
  plain_auction_still(&g);
  agree("A7 without drift", &g,
        "rounds = 6, values = 28, bids = 28, prior = geometric {}, winners = \"stay\"", 60);
}

/* What finds no buyer: everybody has won, or bids below the reserve. */
static void goods_that_come_back(void **state) {
  (void)state;
  plain_auction g = plain(4, 20, 25, 1.3);
  static const double SPLIT[4] = {0.1, 0.7, 0, 0.5};
  for (int h = 0; h < 4; h++) g.share[h] = SPLIT[h] / 1.3;
  g.reserve = 0.3;
  agree("goods lost", &g,
        "rounds = 4, values = 20, bids = 25, goods = 1.3,"
        "mechanism = first_price { split = { 0.1, 0.7, 0, 0.5 }, reserve = 0.3 }",
        50);
  g.returned = true;
  agree("goods returned", &g,
        "rounds = 4, values = 20, bids = 25, goods = 1.3, unsold = \"returned\","
        "mechanism = first_price { split = { 0.1, 0.7, 0, 0.5 }, reserve = 0.3 }",
        50);
  g.reentry = 0.5;
  plain_auction_gaussian(&g, 1, 0.1);
  agree("goods returned, bidders too", &g,
        "rounds = 4, values = 20, bids = 25, goods = 1.3, unsold = \"returned\", reentry = 0.5,"
        "drift = function(v, w) return math.exp(-(v - w) ^ 2 / 0.02) end,"
        "mechanism = first_price { split = { 0.1, 0.7, 0, 0.5 }, reserve = 0.3 }",
        50);
}

// ---- Limits -----------------------------------------------------------------------------------

/* Bidders give up at most entropy * log(bids) a round for the entropy of their bids: by so much may
 * they pay more than exact ones, who never pay more than the monopoly price brings. */
static outcome solve_uniform(int rounds, int levels, double goods, const char *mechanism,
                             double entropy, int iterations) {
  char text[512];
  snprintf(text, sizeof text, "rounds = %d, values = %d, bids = %d, goods = %.17g, mechanism = %s",
           rounds, levels, levels, goods, mechanism);
  const outcome o = solve(text, 10, entropy, iterations, goods);
  assert_true(o.revenue <= 0.25 + entropy * rounds * log(levels));
  return o;
}

/* One round on the grid k/n, entropy -> 0: the goods g go to the values from 1 - g on, at the
 * highest bid that the highest losing value, 1 - g - 1/n, makes: revenue g (1 - g - 1/n), which
 * tends to g (1 - g) as 1/n. Entropy smaller than about 2/n^2 does not show. */
static void one_round_tends_to_the_continuum(void **state) {
  (void)state;
  static const double GOODS[] = {0.5, 0.3, 0.8};
  for (int i = 0; i < 3; i++) {
    const double g = GOODS[i];
    for (int n = 10; n <= 40; n *= 2) {
      const outcome o = solve_uniform(1, n, g, "first_price {}", 1e-3, 4000);
      WAL_ASSERT_WITHIN(o.revenue, g * (1 - g - 1.0 / n), 1e-6);
      WAL_ASSERT_WITHIN(o.sold, g, 1e-12);
      // That loser, k = n (1 - g) - 1, gains nothing by any of its k + 1 bids and makes all equally
      // often: some get a good in the place of higher values, whose mean is 1 - g/2 - 1/(2n).
      const double loser = 1 - g - 1.0 / n, tied = 1 / (n * (n * (1 - g))), share = g / (g + tied);
      WAL_ASSERT_WITHIN(o.efficiency, share * (g * (1 - g / 2 - 0.5 / n) + tied * loser), 1e-6);
      assert_true(o.measure.soft_exploitability < 1e-9);
    }
    const outcome fine = solve_uniform(1, 160, g, "first_price {}", 1e-3, 4000);
    WAL_ASSERT_WITHIN(fine.revenue, g * (1 - g), 1.5 / 160);
  }
}

/* Setting A1: four rounds in which 0.8 are sold bring the revenue of one, 0.16, within 1/n. */
static void four_rounds_tend_to_the_continuum(void **state) {
  (void)state;
  for (int n = 20; n <= 80; n *= 2) {
    const outcome o = solve_uniform(4, n, 0.8, "first_price {}", 1e-3, 2500);
    WAL_ASSERT_WITHIN(o.revenue, 0.16, 1.0 / n);
    assert_true(o.measure.soft_exploitability < 1e-7);
  }
}

/* Nor has any reserve. With that of 1/2 on the grid k/20 the values above it, 9/20 of all, pay 1/2;
 * the value 1/2 gains nothing by any of the 11 bids up to it and makes all equally often. */
static void no_revenue_beyond_the_monopoly(void **state) {
  (void)state;
  for (int rounds = 1; rounds <= 4; rounds += 3)
    for (int k = 0; k <= 9; k += 3) {
      char mechanism[64];
      snprintf(mechanism, sizeof mechanism, "first_price { reserve = 0.%d }", k);
      for (double goods = 0; goods < 2; goods += 0.5)
        solve_uniform(rounds, 20, goods, mechanism, 1e-3, 600);
    }
  const outcome best = solve_uniform(1, 20, 1, "first_price { reserve = 0.5 }", 1e-3, 3000);
  WAL_ASSERT_WITHIN(best.revenue, (9.0 / 20 + 1.0 / 20 / 11) / 2, 1e-6);
}

/* Revenue equivalence: what the lowest winner bids, or the highest loser, is in the limit what all
 * winners of a first-price auction bid. Within 2/n of each other on the grid. */
static void uniform_price_is_worth_first_price(void **state) {
  (void)state;
  if (!wal_mechanism_find("uniform_price")) {
    print_message("  SKIPPED: there is no mechanism uniform_price\n");
    skip();
  }
  for (int n = 20; n <= 40; n *= 2)
    for (int rounds = 1; rounds <= 4; rounds += 3) {
      const double first = solve_uniform(rounds, n, 0.5, "first_price {}", 1e-3, 2500).revenue;
      const double low =
          solve_uniform(rounds, n, 0.5, "uniform_price { rule = \"lowest_winning\" }", 1e-3, 2500)
              .revenue;
      const double high =
          solve_uniform(rounds, n, 0.5, "uniform_price { rule = \"highest_losing\" }", 1e-3, 2500)
              .revenue;
      WAL_ASSERT_WITHIN(low, first, 2.0 / n);
      WAL_ASSERT_WITHIN(high, first, 2.0 / n);
    }
}

// ---- Corners ----------------------------------------------------------------------------------

/* Grids of one level, nothing to sell, more than anybody wants, and reserves that nobody meets. */
static void corner_cases_run(void **state) {
  (void)state;
  static const struct {
    const char *text;
    double goods, sold, revenue, efficiency; /**< revenue < 0: not known */
  } CASES[] = {
      {"values = 1, bids = 1, rounds = 2", 0.8, 0.8, 0, 0},
      {"values = 1, bids = 5, rounds = 2", 0.8, 0.8, -1, 0},
      {"values = 4, bids = 1, rounds = 1, goods = 0.6", 0.6, 0.6, 0, 0.6 * 0.375},
      {"values = 4, bids = 3, goods = 0", 0, 0, 0, 0},
      {"values = 4, bids = 1, rounds = 1, goods = 7", 7, 1, 0, 0.375},
      {"values = 4, bids = 1, rounds = 3, goods = 30", 30, 1, 0, 0.375},
      {"values = 4, bids = 1, rounds = 3, goods = 30, winners = \"stay\"", 30, 3, 0, 3 * 0.375},
      {"values = 4, bids = 1, rounds = 3, goods = 30, reentry = 1", 30, 3, 0, 3 * 0.375},
      {"values = 4, bids = 3, mechanism = first_price { reserve = 0.7 }", 0.8, 0, 0, 0},
      {"values = 4, bids = 3, mechanism = first_price { reserve = 1 }, unsold = \"returned\"", 0.8,
       0, 0, 0},
      {"values = 4, bids = 1, rounds = 2, goods = 0.5, prior = { 0, 0, 0, 1 }", 0.5, 0.5, 0, 0.375},
      {"values = 4, bids = 1, rounds = 1, goods = 0.5, prior = { 1, 0, 0, 0 }", 0.5, 0.5, 0, 0},
  };
  for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
    const outcome o = solve(CASES[i].text, 1, 0.01, 30, CASES[i].goods);
    WAL_ASSERT_WITHIN(o.sold, CASES[i].sold, 1e-14);
    WAL_ASSERT_WITHIN(o.efficiency, CASES[i].efficiency, 1e-14);
    if (CASES[i].revenue >= 0) WAL_ASSERT_WITHIN(o.revenue, CASES[i].revenue, 1e-14);
    assert_true(o.measure.soft_exploitability >= -1e-14);
    assert_true(isfinite(o.measure.exploitability));
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(settings_of_the_paper),
    cmocka_unit_test(drift_and_prior_as_in_a2),
    cmocka_unit_test(reentry_as_in_a3),
    cmocka_unit_test(utilities_as_in_a4_to_a6),
    cmocka_unit_test(winners_who_stay_as_in_a7),
    cmocka_unit_test(goods_that_come_back),
    cmocka_unit_test(one_round_tends_to_the_continuum),
    cmocka_unit_test(four_rounds_tend_to_the_continuum),
    cmocka_unit_test(no_revenue_beyond_the_monopoly),
    cmocka_unit_test(uniform_price_is_worth_first_price),
    cmocka_unit_test(corner_cases_run),
};

WAL_TEST_MAIN(tests)
