// SPDX-License-Identifier: GPL-3.0-or-later
/* Twenty steps of a design in setting A1 of Corecco et al. 2025 (with a smaller network and fewer
 * steps of the learner): the objective of every step as it was when this was written. What it
 * begins with is found a second way, and first price by the figure of the paper. */
#include <math.h>
#include <stdlib.h>

#include "sim/game/report.h"
#include "tests/support/make_design.h"

WAL_TEST_CTX(1)

#define A1 "batched_auction { rounds = 4, values = 100, bids = 100, goods = 0.8, mechanism = "

enum { STEPS = 20 };
static const wal_response RESPONSE = {.rate = 10, .entropy = 1e-3, .iterations = 200};

static const double OBJECTIVE[STEPS + 1] = {
    0.17989553148254006, 0.18016769038268637, 0.18041329104647533, 0.1805578400824516,
    0.18082648442721386, 0.18101492442310008, 0.18122378975335002, 0.18142309885312716,
    0.18163574078383918, 0.18187281426740476, 0.18214353111776901, 0.18245590363109712,
    0.18274494321682744, 0.18306975263530786, 0.18338213036437492, 0.1836824128182174,
    0.18391797376102212, 0.18415285447277344, 0.18445033056011487, 0.18473734976598566,
    0.18502157636174496,
};

static double total_revenue(const wal_learner *l) {
  wal_report report = {0};
  double total = NAN;
  WAL_ASSERT_OK(ctx, wal_report_create(l->space, &l->flow, &l->policy, &report));
  for (int c = 0; c < report.form->columns; c++)
    if (strcmp(report.form->column[c].name, "revenue") == 0) total = report.total[c];
  wal_report_free(ctx, &report);
  return total;
}

static void test_twenty_steps(void **state) {
  (void)state;
  wal_test_problem problem;
  wal_test_design made;
  wal_assessment start;
  const wal_design_plan plan = {.steps = STEPS};
  WAL_ASSERT_OK(ctx, wal_test_problem_make(ctx, A1 "neural { hidden = 32, precision = 'double' } }",
                                           "revenue {}", RESPONSE, NULL, &problem));
  WAL_ASSERT_OK(
      ctx, wal_test_design_make(ctx, &problem, "amid {}", "adam { rate = 1e-3 }", plan, &made));
  WAL_ASSERT_OK(ctx, wal_design_run(made.design, NULL));
  const wal_design *d = made.design;
  assert_int_equal(d->row_count, STEPS + 1);
  for (int k = 0; k <= STEPS; k++) WAL_ASSERT_NEAR(d->rows[k].objective, OBJECTIVE[k], 1e-9);
  for (int k = 1; k <= STEPS; k++) assert_true(d->rows[k].objective > d->rows[k - 1].objective);

  /* The game's own report after the learner's steps. */
  WAL_ASSERT_OK(ctx, wal_problem_assess(problem.problem, wal_problem_start(problem.problem),
                                        RESPONSE.iterations, &start));
  WAL_ASSERT_NEAR(total_revenue(wal_problem_learner(problem.problem)), d->rows[0].objective, 1e-12);
  wal_test_design_free(&made);
  wal_test_problem_free(&problem);
}

/* Revenue of an independent program: 0.15209 after 500 steps of this learner, a fifth sold a round.
 */
static void test_first_price(void **state) {
  (void)state;
  wal_test_problem problem;
  wal_assessment found;
  WAL_ASSERT_OK(ctx, wal_test_problem_make(ctx, A1 "first_price {} }", "revenue {}", RESPONSE, NULL,
                                           &problem));
  WAL_ASSERT_OK(
      ctx, wal_problem_assess(problem.problem, wal_problem_start(problem.problem), 500, &found));
  print_message("  first price: %g\n", found.objective);
  WAL_ASSERT_WITHIN(found.objective, 0.15209, 6e-6);
  wal_test_problem_free(&problem);
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(test_twenty_steps),
                                          cmocka_unit_test(test_first_price)};

int main(int argc, char **argv) {
  wal_test_begin(&argc, &argv);
  return wal_test_end(cmocka_run_group_tests(tests, open_ctx, close_ctx));
}
