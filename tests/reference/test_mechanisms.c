// SPDX-License-Identifier: GPL-3.0-or-later
/* Mechanisms in equilibrium against theory: one round, values uniform on [0,1], goods for a share g
 * of very many bidders. Who gets a good is the same in all standard auctions, the g highest values,
 * and so is the revenue, g (1 - g): all of them come to the competitive price 1 - g (revenue
 * equivalence: Myerson 1981; Krishna 2010, chapter 3). A posted price p sells to the 1 - p who
 * value the good more. */
#include <math.h>
#include <stdio.h>

#include "sim/game/report.h"
#include "sim/learn/solve.h"
#include "tests/support/make_game.h"

enum { ITERATIONS = 3000 };

/* Revenue of the regularized equilibrium that mirror descent finds, and its exploitability there.
 */
static double revenue(const char *mechanism, double goods, int levels, double *exploitability) {
  char text[400];
  wal_ctx *ctx = wal_test_ctx(1);
  wal_test_game made;
  wal_space *space = NULL;
  wal_learner *learner = NULL;
  wal_params *rule = NULL;
  wal_trace trace = {0};
  wal_report report = {0};
  const wal_space_options options = {0};
  const wal_stop stop = {.iterations = ITERATIONS, .every = ITERATIONS};
  snprintf(text, sizeof text,
           "return batched_auction { rounds = 1, values = %d, bids = %d, goods = %g, mechanism = "
           "%s }",
           levels, levels, goods, mechanism);
  WAL_ASSERT_OK(ctx, wal_test_game_script(ctx, text, &made));
  const wal_learner_type *type = wal_learner_find("mirror_descent");
  wal_node *node = wal_test_component("mirror_descent");
  wal_test_set_number(node, "rate", 1);
  wal_test_set_number(node, "entropy", 1e-3);
  WAL_ASSERT_OK(ctx, wal_params_resolve(ctx, "test.lua", &type->component, node, NULL, &rule));
  wal_node_destroy(node);
  WAL_ASSERT_OK(ctx, wal_space_create(ctx, &made.game, &options, &space));
  WAL_ASSERT_OK(ctx, wal_learner_create(space, type, rule, &learner));
  WAL_ASSERT_OK(ctx, wal_solve(learner, &stop, NULL, &trace));
  WAL_ASSERT_OK(ctx, wal_report_create(space, &learner->flow, &learner->policy, &report));
  *exploitability = trace.rows[trace.count - 1].exploitability;
  double found = NAN;
  for (int c = 0; c < report.form->columns; c++)
    if (strcmp(report.form->column[c].name, "revenue") == 0) found = report.total[c];
  wal_report_free(ctx, &report);
  wal_trace_free(ctx, &trace);
  wal_learner_destroy(&learner);
  wal_space_destroy(&space);
  wal_params_destroy(&rule);
  wal_test_game_destroy(ctx, &made);
  wal_ctx_destroy(&ctx);
  return found;
}

enum { LEVELS = 100 };

/* The price is one level of the grid or less from 1 - g. Entropy lets bidders of the first price
   auction shade their bids further below it, where winning is not certain: by some of its weight
   times the logarithm of the levels over the slope of the rewards. */
static void standard_auctions_earn_the_same(void **state) {
  (void)state;
  static const struct {
    const char *mechanism;
    double levels, exploitability;
  } STANDARD[] = {{"first_price {}", 4, 3e-3},
                  {"uniform_price {}", 1, 1e-5},
                  {"uniform_price { rule = 'highest_losing' }", 1, 1e-5},
                  {"all_pay {}", 1, 1e-5}};
  for (size_t k = 0; k < sizeof STANDARD / sizeof *STANDARD; k++)
    for (double g = 0.25; g < 1; g += 0.25) {
      double e;
      const double r = revenue(STANDARD[k].mechanism, g, LEVELS, &e);
      WAL_ASSERT_WITHIN(r, g * (1 - g), g * STANDARD[k].levels * 1.01 / LEVELS);
      assert_true(e < STANDARD[k].exploitability);
    }
}

/* Of the values that equal the price, half of the level buys. */
static void posted_prices_earn_their_demand(void **state) {
  (void)state;
  for (double p = 0.3; p < 1; p += 0.2) {
    char text[64];
    double e;
    snprintf(text, sizeof text, "posted_price { price = %g }", p);
    WAL_ASSERT_WITHIN(revenue(text, 1, LEVELS, &e), p * (1 - p), p * 1.01 / LEVELS);
    assert_true(e < 1e-6);
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(standard_auctions_earn_the_same),
    cmocka_unit_test(posted_prices_earn_their_demand),
};
WAL_TEST_MAIN(tests)
