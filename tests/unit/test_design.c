// SPDX-License-Identifier: GPL-3.0-or-later
/* Design problems, methods and the outer loop: what they find, and how they refuse. */
#include <math.h>
#include <stdlib.h>

#include "sim/core/sum.h"
#include "tests/support/make_design.h"

WAL_TEST_CTX(9)

static const char BEACH[] =
    "beach_bar { states = 20, bar = 10, horizon = 8, log_offset = 1e-3, toll = toll{ max = 4 } }";
static const wal_response RESPONSE = {.rate = 0.3, .entropy = 0.1, .iterations = 60};

static void make(const char *game, const char *objective, wal_response response,
                 wal_test_problem *out) {
  WAL_ASSERT_OK(ctx, wal_test_problem_make(ctx, game, objective, response, NULL, out));
}

/* Runs a design and returns it. */
static void design(const wal_test_problem *problem, const char *method, const char *optimizer,
                   wal_design_plan plan, wal_test_design *out) {
  WAL_ASSERT_OK(ctx, wal_test_design_make(ctx, problem, method, optimizer, plan, out));
  WAL_ASSERT_OK(ctx, wal_design_run(out->design, NULL));
}

/* What is found by gradients, and by moving, beats the start; the best is what is said of it. */
static void test_beach(void **state) {
  (void)state;
  static const struct {
    const char *method, *optimizer;
    int64_t steps;
    double gain;
  } ROWS[] = {{"amid {}", "adam { rate = 0.3, decay = 0.1 }", 30, 0.05},
              {"zeroth_order { directions = 2 }", "adam { rate = 0.1 }", 40, 0.01},
              {"anneal { sigma = 0.3 }", NULL, 40, 0.01}};
  for (int i = 0; i < 3; i++) {
    wal_test_problem problem;
    wal_test_design made;
    double value;
    const wal_design_plan plan = {.steps = ROWS[i].steps, .every = 5, .iterations = 100};
    make(BEACH, "congestion {}", RESPONSE, &problem);
    design(&problem, ROWS[i].method, ROWS[i].optimizer, plan, &made);
    const wal_design *d = made.design;
    const double best = wal_design_best_objective(d);
    print_message("  %s: %.4f -> %.4f in %.2f s, exploitability %.1e\n", ROWS[i].method,
                  d->rows[0].assessed, best, d->rows[d->row_count - 1].seconds,
                  d->rows[d->best].exploitability);
    assert_true(best > d->rows[0].assessed + ROWS[i].gain * fabs(d->rows[0].assessed));
    wal_assessment again;
    WAL_ASSERT_OK(ctx, wal_problem_assess(problem.problem, d->best_theta, 100, &again));
    WAL_ASSERT_SAME(again.objective, best);
    WAL_ASSERT_SAME(again.exploitability, d->rows[d->best].exploitability);
    WAL_ASSERT_SAME(again.plain_exploitability, d->rows[d->best].plain_exploitability);
    assert_true(again.exploitability < 0.02 && again.exploitability >= 0);
    assert_true(again.start_exploitability > 10 * again.exploitability);
    WAL_ASSERT_OK(ctx, wal_problem_evaluate(problem.problem, d->theta, &value));
    WAL_ASSERT_SAME(d->rows[d->row_count - 1].objective, value);
    wal_test_design_free(&made);
    wal_test_problem_free(&problem);
  }
}

/* Annealing never goes down. */
static void test_anneal(void **state) {
  (void)state;
  wal_test_problem problem;
  wal_test_design made;
  const wal_design_plan plan = {.steps = 25};
  make(BEACH, "congestion {}", RESPONSE, &problem);
  design(&problem, "anneal { sigma = 0.2 }", NULL, plan, &made);
  const wal_design *d = made.design;
  int higher = 0;
  for (int64_t k = 1; k < d->row_count; k++) {
    assert_true(d->rows[k].objective >= d->rows[k - 1].objective);
    higher += d->rows[k].objective > d->rows[k - 1].objective;
  }
  assert_true(higher > 3 && higher < 25);
  wal_test_design_free(&made);
  wal_test_problem_free(&problem);
}

/* The value that comes with a gradient is G; a step of another restart draws other numbers; and the
 * mean of many estimates is the gradient. */
static void test_zeroth_order(void **state) {
  (void)state;
  enum { COUNT = 5, DIRECTIONS = 3000 };
  wal_test_problem problem;
  wal_test_part part, gradient_part;
  wal_method *method[2] = {NULL, NULL}, *amid = NULL;
  wal_method_result found;
  double exact[COUNT], estimate[2][COUNT], value, apart = 0;
  const wal_response response = {.rate = 0.5, .entropy = 0.1, .iterations = 10};
  make("beach_bar { states = 5, bar = 2, horizon = 3, log_offset = 1e-3, toll = toll{} }",
       "congestion {}", response, &problem);
  const double *theta = wal_problem_start(problem.problem);
  assert_int_equal(wal_problem_count(problem.problem), COUNT);
  WAL_ASSERT_OK(ctx, wal_test_part_make(ctx, "method", "amid {}", &gradient_part));
  WAL_ASSERT_OK(
      ctx, wal_method_create(problem.problem, &wal_method_amid, gradient_part.params, 0, &amid));
  WAL_ASSERT_OK(ctx, wal_method_step(amid, 0, theta, exact, &found));
  WAL_ASSERT_OK(ctx, wal_problem_evaluate(problem.problem, theta, &value));
  WAL_ASSERT_SAME(found.objective, value);
  assert_true(found.exact);
  WAL_ASSERT_NEAR(found.gradient_norm, sqrt(wal_dot(COUNT, exact, exact)), 1e-15);

  WAL_ASSERT_OK(
      ctx, wal_test_part_make(ctx, "method", "zeroth_order { radius = 1e-3, directions = 3000 }",
                              &part));
  for (int i = 0; i < 2; i++) {
    WAL_ASSERT_OK(ctx, wal_method_create(problem.problem, &wal_method_zeroth_order, part.params, i,
                                         &method[i]));
    WAL_ASSERT_OK(ctx, wal_method_step(method[i], 7, theta, estimate[i], &found));
    assert_false(found.exact);
    WAL_ASSERT_WITHIN(found.objective, value, 1e-5);
    double gap = 0;
    for (int j = 0; j < COUNT; j++) gap += pow(estimate[i][j] - exact[j], 2);
    /* One estimate is off by about sqrt(D) times the gradient, their mean by 1/sqrt(n) of that. */
    const double expected = sqrt((double)COUNT / DIRECTIONS * wal_dot(COUNT, exact, exact));
    print_message("  error %g, expected about %g\n", sqrt(gap), expected);
    assert_true(sqrt(gap) < 2.5 * expected);
    wal_method_destroy(&method[i]);
  }
  for (int j = 0; j < COUNT; j++) apart += fabs(estimate[0][j] - estimate[1][j]);
  assert_true(apart > 0);
  wal_method_destroy(&amid);
  wal_test_part_free(&part);
  wal_test_part_free(&gradient_part);
  wal_test_problem_free(&problem);
}

/* Drawn numbers are normal: their moments; and differ from draw to draw. */
static void test_draws(void **state) {
  (void)state;
  enum { COUNT = 20001 };
  wal_test_problem problem;
  wal_test_part part;
  wal_method *method = NULL;
  make("beach_bar { states = 20001, horizon = 1, toll = toll{} }", "congestion {}", RESPONSE,
       &problem);
  WAL_ASSERT_OK(ctx, wal_test_part_make(ctx, "method", "anneal {}", &part));
  WAL_ASSERT_OK(ctx,
                wal_method_create(problem.problem, &wal_method_anneal, part.params, 0, &method));
  double *x = malloc(COUNT * sizeof *x), *y = malloc(COUNT * sizeof *y);
  wal_method_draw(method, WAL_PURPOSE_ANNEAL, 3, 0, x);
  wal_method_draw(method, WAL_PURPOSE_ANNEAL, 4, 0, y);
  WAL_ASSERT_WITHIN(wal_sum(COUNT, x) / COUNT, 0, 0.03);
  WAL_ASSERT_WITHIN(wal_dot(COUNT, x, x) / COUNT, 1, 0.05);
  WAL_ASSERT_WITHIN(wal_dot(COUNT, x, y) / COUNT, 0, 0.03);
  free(x);
  free(y);
  wal_method_destroy(&method);
  wal_test_part_free(&part);
  wal_test_problem_free(&problem);
}

/* A limit of time ends a design with a last, assessed row; no steps leave the start. */
static void test_ends(void **state) {
  (void)state;
  wal_test_problem problem;
  wal_test_design made;
  wal_design_plan plan = {.steps = 1000000, .seconds = 0.2, .every = 1000000, .iterations = 10};
  make(BEACH, "congestion {}", RESPONSE, &problem);
  design(&problem, "amid {}", "adam {}", plan, &made);
  const wal_design *d = made.design;
  assert_true(d->row_count >= 2 && d->row_count < 100000);
  assert_true(isfinite(d->rows[d->row_count - 1].assessed));
  assert_true(isnan(d->rows[d->row_count - 1].gradient_norm));
  wal_test_design_free(&made);
  plan = (wal_design_plan){.steps = 0, .every = 1, .iterations = 10};
  design(&problem, "amid {}", "adam {}", plan, &made);
  assert_int_equal(made.design->row_count, 1);
  assert_memory_equal(made.design->theta, wal_problem_start(problem.problem), 20 * sizeof(double));
  wal_test_design_free(&made);
  wal_test_problem_free(&problem);
}

/* Without an effect there is no gradient: of the toll after no step of the learner. */
static void test_no_effect(void **state) {
  (void)state;
  wal_test_problem problem;
  wal_test_design made;
  const wal_design_plan plan = {.steps = 2};
  wal_response response = RESPONSE;
  response.iterations = 0;
  make(BEACH, "congestion {}", response, &problem);
  design(&problem, "amid {}", "adam {}", plan, &made);
  WAL_ASSERT_SAME(made.design->rows[1].gradient_norm, 0.0);
  assert_memory_equal(made.design->theta, wal_problem_start(problem.problem), 20 * sizeof(double));
  wal_test_design_free(&made);
  wal_test_problem_free(&problem);
}

static void refuse(const char *game, const char *objective, const char *text) {
  wal_test_problem problem;
  WAL_ASSERT_STATUS(ctx, WAL_EINPUT,
                    wal_test_problem_make(ctx, game, objective, RESPONSE, NULL, &problem));
  assert_string_equal(wal_ctx_error(ctx), text);
  wal_test_problem_free(&problem);
}

static void test_refused(void **state) {
  (void)state;
  refuse(BEACH, "revenue {}",
         "test.lua:1: revenue: expected an objective that the game beach_bar has (congestion, "
         "target_flow, weights): it reports no revenue");
  refuse(BEACH, "target_flow { flow = {{1, 2}} }",
         "test.lua:1: target_flow: flow: expected 8 x 20 numbers, got 1 x 2");
}

/* What has no parameters can be assessed, and not designed. */
static void test_nothing_to_design(void **state) {
  (void)state;
  static const char *const ROWS[][3] = {
      {"beach_bar {}", "congestion {}",
       "beach_bar: there is nothing to design: expected toll = toll{}"},
      {"batched_auction { mechanism = first_price{} }", "revenue {}",
       "batched_auction: there is nothing to design: expected toll = toll{} or a mechanism with "
       "parameters"}};
  for (int i = 0; i < 2; i++) {
    wal_test_problem problem;
    wal_test_design made;
    make(ROWS[i][0], ROWS[i][1], RESPONSE, &problem);
    assert_int_equal(wal_problem_count(problem.problem), 0);
    WAL_ASSERT_STATUS(ctx, WAL_EINPUT,
                      wal_test_design_make(ctx, &problem, "amid {}", "adam {}",
                                           (wal_design_plan){.steps = 1}, &made));
    assert_string_equal(wal_ctx_error(ctx), ROWS[i][2]);
    wal_test_design_free(&made);
    wal_test_problem_free(&problem);
  }
}

static void refuse_method(const char *game, const char *method, wal_response response,
                          const char *text) {
  wal_test_problem problem;
  wal_test_design made;
  make(game, "congestion {}", response, &problem);
  WAL_ASSERT_STATUS(
      ctx, WAL_EINPUT,
      wal_test_design_make(ctx, &problem, method, "adam {}", (wal_design_plan){.steps = 1}, &made));
  assert_string_equal(wal_ctx_error(ctx), text);
  wal_test_design_free(&made);
  wal_test_problem_free(&problem);
}

static void test_methods_refused(void **state) {
  (void)state;
  static const char NO_VJP[] =
      "custom { states = 2, actions = 2, horizon = 2, toll = toll{},"
      " moves = function(h, s, a) return a end,"
      " reward = function(h, s, a, mass) return s - mass[s] end }";
  wal_response forgets = RESPONSE;
  forgets.rate = 10;
  wal_test_problem problem;
  wal_test_design made;
  refuse_method(NO_VJP, "amid {}", RESPONSE,
                "test.lua:1: amid: the game custom has no derivatives of its rewards: it cannot be "
                "designed by gradients; method = zeroth_order{} or anneal{} can be used");
  refuse_method(
      "batched_auction { toll = toll{}, mechanism = scripted {"
      " payment = function(bid, round) return bid end } }",
      "amid {}", RESPONSE,
      "test.lua:1: batched_auction: mechanism: expected a mechanism with derivatives, "
      "got scripted; method = zeroth_order{} or anneal{} can be used");
  refuse_method(BEACH, "amid { memory = 'reverse' }", forgets,
                "test.lua:1: amid: memory: "
                "a learner with rate * entropy = 1 forgets its policy: it cannot be reversed "
                "(memory = \"sqrt\" can be used)");
  /* What needs no derivatives works on any game. */
  make(NO_VJP, "congestion {}", RESPONSE, &problem);
  design(&problem, "anneal {}", NULL, (wal_design_plan){.steps = 2}, &made);
  wal_test_design_free(&made);
  wal_test_problem_free(&problem);
}

/* A learner that oscillates: its exploitability is above that of the uniform policy. */
static void test_divergence(void **state) {
  (void)state;
  wal_test_problem problem;
  wal_test_design made;
  const wal_response wild = {.rate = 30, .entropy = 0.01, .iterations = 10};
  make("predator_prey { toll = toll{} }", "congestion {}", wild, &problem);
  WAL_ASSERT_OK(ctx, wal_test_design_make(
                         ctx, &problem, "amid {}", "adam {}",
                         (wal_design_plan){.steps = 3, .every = 1, .iterations = 30}, &made));
  const wal_status status = wal_design_run(made.design, NULL);
  print_message("  %s\n", wal_ctx_error(ctx));
  assert_int_equal(status, WAL_ENOCONV);
  WAL_ASSERT_CONTAINS(wal_ctx_error(ctx), "predator_prey: the learner diverges: exploitability ");
  const wal_design *d = made.design;
  assert_int_equal(d->row_count, 1);
  assert_int_equal(d->best, -1);
  assert_true(isnan(d->rows[0].objective) && d->rows[0].exploitability > 100);
  wal_test_design_free(&made);
  wal_test_problem_free(&problem);
}

/* What is not finite ends a design, with the last good parameters. */
static void test_nonfinite(void **state) {
  (void)state;
  wal_test_problem problem;
  wal_test_design made;
  make(BEACH, "congestion {}", RESPONSE, &problem);
  WAL_ASSERT_OK(ctx, wal_test_design_make(ctx, &problem, "amid {}", "sgd { rate = 1e308 }",
                                          (wal_design_plan){.steps = 9}, &made));
  WAL_ASSERT_STATUS(ctx, WAL_ENONFINITE, wal_design_run(made.design, NULL));
  print_message("  %s\n", wal_ctx_error(ctx));
  const wal_design *d = made.design;
  /* The first step was already too far: its row is there, and theta is where it began. */
  assert_int_equal(d->row_count, 1);
  assert_true(isfinite(d->rows[0].objective) && d->best == 0);
  assert_memory_equal(d->theta, wal_problem_start(problem.problem), 20 * sizeof(double));
  assert_memory_equal(d->best_theta, d->theta, 20 * sizeof(double));
  wal_test_design_free(&made);
  wal_test_problem_free(&problem);
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(test_beach),
                                          cmocka_unit_test(test_anneal),
                                          cmocka_unit_test(test_zeroth_order),
                                          cmocka_unit_test(test_draws),
                                          cmocka_unit_test(test_ends),
                                          cmocka_unit_test(test_no_effect),
                                          cmocka_unit_test(test_refused),
                                          cmocka_unit_test(test_methods_refused),
                                          cmocka_unit_test(test_nothing_to_design),
                                          cmocka_unit_test(test_divergence),
                                          cmocka_unit_test(test_nonfinite)};

int main(int argc, char **argv) {
  wal_test_begin(&argc, &argv);
  return wal_test_end(cmocka_run_group_tests(tests, open_ctx, close_ctx));
}
