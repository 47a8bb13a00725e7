// SPDX-License-Identifier: GPL-3.0-or-later
/* Derivatives of the equilibrium itself: what gradients through the learner tend to, the same bits
 * on any number of ranks, whatever it starts from. */
#include <math.h>
#include <stdlib.h>

#include "tests/support/make_design.h"

enum { SEED = 6 };

static const struct {
  const char *game, *objective;
  wal_response response;
} CASES[] = {
    {"beach_bar { states = 21, bar = 7, horizon = 5, log_offset = 1e-3, toll = toll{} }",
     "congestion {}",
     {.rate = 1, .entropy = 0.1, .iterations = 300}},
    {"crowd_motion { rows = 6, columns = 5, horizon = 4, toll = toll{ on = 'state_action' } }",
     "congestion {}",
     {.rate = 0.5, .entropy = 0.1, .iterations = 500}},
    {"susceptible_infected { toll = toll{} }",
     "weights { weight = function(h, s, a) return math.cos(h + 2 * s + 5 * a) end }",
     {.rate = 0.2, .entropy = 0.3, .iterations = 500}},
    {"batched_auction { rounds = 3, values = 19, bids = 13, goods = 0.8, reentry = 0.2,"
     "  mechanism = neural { hidden = 6, seed = 3, precision = 'double' } }",
     "mix {}",
     {.rate = 10, .entropy = 0.01, .iterations = 400}},
};
enum { CASE_COUNT = sizeof CASES / sizeof CASES[0] };

static void begin(wal_ctx *ctx, int index, wal_test_problem *out) {
  const wal_space_options layout = {.block = 8};
  WAL_ASSERT_OK(ctx, wal_test_problem_make(ctx, CASES[index].game, CASES[index].objective,
                                           CASES[index].response, &layout, out));
}

static double gap(int64_t count, const double *a, const double *b) {
  double difference = 0, size = 0;
  for (int64_t i = 0; i < count; i++) {
    difference += (a[i] - b[i]) * (a[i] - b[i]);
    size += b[i] * b[i];
  }
  assert_true(size > 0);
  return sqrt(difference / size);
}

static void check_case(wal_ctx *ctx, wal_ctx *self, int index) {
  wal_test_problem all, alone;
  begin(ctx, index, &all);
  begin(self, index, &alone);
  const int64_t count = wal_problem_count(all.problem);
  double *g[3], *theta = malloc(sizeof *theta * (size_t)count), value[3];
  for (int i = 0; i < 3; i++) g[i] = malloc(sizeof *g[i] * (size_t)count);
  for (int64_t i = 0; i < count; i++)
    theta[i] = wal_problem_start(all.problem)[i] + 0.3 * sin((double)i);

  WAL_ASSERT_OK(ctx, wal_problem_differentiate_equilibrium(all.problem, 1e-10, 0, 10000));
  WAL_ASSERT_OK(self, wal_problem_differentiate_equilibrium(alone.problem, 1e-10, 0, 10000));
  WAL_ASSERT_OK(ctx, wal_problem_gradient(all.problem, theta, &value[0], g[0]));
  WAL_ASSERT_OK(self, wal_problem_gradient(alone.problem, theta, &value[1], g[1]));
  WAL_ASSERT_ALL(ctx, memcmp(&value[0], &value[1], sizeof value[0]) == 0);
  WAL_ASSERT_ALL(ctx, memcmp(g[0], g[1], sizeof(double) * (size_t)count) == 0);

  /* From another equilibrium to this one. */
  WAL_ASSERT_OK(
      self, wal_problem_gradient(alone.problem, wal_problem_start(alone.problem), &value[2], g[2]));
  WAL_ASSERT_OK(self, wal_problem_gradient(alone.problem, theta, &value[2], g[2]));
  assert_true(gap(count, g[2], g[0]) < 1e-7);

  if (wal_ctx_size(ctx) == 1) {
    WAL_ASSERT_OK(self, wal_problem_differentiate(alone.problem, WAL_UNROLLED_SQRT));
    WAL_ASSERT_OK(self, wal_problem_gradient(alone.problem, theta, &value[1], g[1]));
    print_message("  %.20s: apart by %.1e, values by %.1e\n", CASES[index].game,
                  gap(count, g[0], g[1]), fabs(value[0] - value[1]));
    assert_true(gap(count, g[0], g[1]) < 1e-7);
    WAL_ASSERT_NEAR(value[0], value[1], 1e-9);
  }
  for (int i = 0; i < 3; i++) free(g[i]);
  free(theta);
  wal_test_problem_free(&all);
  wal_test_problem_free(&alone);
}

static void test_large_times(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(SEED), *self = NULL;
  WAL_ASSERT_OK(ctx, wal_ctx_create(MPI_COMM_SELF, SEED, &self));
  for (int i = 0; i < CASE_COUNT; i++) check_case(ctx, self, i);
  wal_ctx_destroy(&self);
  wal_ctx_destroy(&ctx);
}

static wal_implicit_work last(const wal_test_problem *problem) {
  return wal_problem_equilibrium(problem->problem);
}

/* After a small step of the parameters: fewer steps than from the uniform policy, to the same
   gradient; as many on any number of ranks. */
static void check_near(wal_ctx *ctx, wal_ctx *self, int index) {
  wal_test_problem all, alone;
  begin(ctx, index, &all);
  begin(self, index, &alone);
  const int64_t count = wal_problem_count(all.problem);
  double *g[2], *theta = malloc(sizeof *theta * (size_t)count), value[2];
  for (int i = 0; i < 2; i++) g[i] = malloc(sizeof *g[i] * (size_t)count);
  for (int64_t i = 0; i < count; i++)
    theta[i] = wal_problem_start(all.problem)[i] + 1e-4 * cos((double)i);

  WAL_ASSERT_OK(self, wal_problem_differentiate_equilibrium(alone.problem, 1e-8, 0, 10000));
  WAL_ASSERT_OK(self, wal_problem_gradient(alone.problem, theta, &value[0], g[0]));
  const wal_implicit_work cold = last(&alone);
  WAL_ASSERT_OK(ctx, wal_problem_differentiate_equilibrium(all.problem, 1e-8, 0, 10000));
  WAL_ASSERT_OK(ctx,
                wal_problem_gradient(all.problem, wal_problem_start(all.problem), &value[1], g[1]));
  WAL_ASSERT_OK(ctx, wal_problem_gradient(all.problem, theta, &value[1], g[1]));
  const wal_implicit_work warm = last(&all);
  print_message("  %.20s: cold %d steps and %d products, warm %d and %d\n", CASES[index].game,
                (int)cold.steps, (int)cold.products, (int)warm.steps, (int)warm.products);
  assert_true(cold.found && warm.found && warm.residual <= 1e-8);
  assert_true(warm.steps < cold.steps && warm.products <= cold.products);
  assert_true(gap(count, g[1], g[0]) < 1e-5);
  WAL_ASSERT_NEAR(value[0], value[1], 1e-6);

  WAL_ASSERT_OK(ctx, wal_problem_differentiate_equilibrium(all.problem, 1e-8, 0, 10000));
  WAL_ASSERT_OK(ctx, wal_problem_gradient(all.problem, theta, &value[1], g[1]));
  assert_int_equal(last(&all).steps, cold.steps);
  assert_int_equal(last(&all).products, cold.products);
  WAL_ASSERT_ALL(ctx, memcmp(g[0], g[1], sizeof(double) * (size_t)count) == 0);
  for (int i = 0; i < 2; i++) free(g[i]);
  free(theta);
  wal_test_problem_free(&all);
  wal_test_problem_free(&alone);
}

static void test_from_near(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(SEED), *self = NULL;
  WAL_ASSERT_OK(ctx, wal_ctx_create(MPI_COMM_SELF, SEED, &self));
  for (int i = 0; i < CASE_COUNT; i++) check_near(ctx, self, i);
  wal_ctx_destroy(&self);
  wal_ctx_destroy(&ctx);
}

/* Where the steps do not suffice, what is accepted is said not to be the equilibrium. */
static void test_accepted(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(SEED);
  wal_test_problem problem;
  double value, gradient[21];
  begin(ctx, 0, &problem);
  WAL_ASSERT_OK(ctx, wal_problem_differentiate_equilibrium(problem.problem, 1e-10, 1, 12));
  WAL_ASSERT_OK(ctx, wal_problem_gradient(problem.problem, wal_problem_start(problem.problem),
                                          &value, gradient));
  const wal_implicit_work work = last(&problem);
  assert_false(work.found);
  assert_true(work.residual > 1e-10 && work.residual <= 1);
  assert_int_equal(work.steps, 12);
  wal_test_problem_free(&problem);
  wal_ctx_destroy(&ctx);
}

static void test_refused(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(SEED);
  const wal_response sharp = {.rate = 1, .entropy = 0, .iterations = 5};
  wal_test_problem problem;
  double value, gradient[21];
  WAL_ASSERT_OK(
      ctx, wal_test_problem_make(ctx, CASES[0].game, CASES[0].objective, sharp, NULL, &problem));
  WAL_ASSERT_STATUS(ctx, WAL_EINPUT,
                    wal_problem_differentiate_equilibrium(problem.problem, 1e-8, 0, 100));
  assert_string_equal(wal_ctx_error(ctx),
                      "expected entropy > 0 for derivatives of the equilibrium, got 0");
  wal_test_problem_free(&problem);
  begin(ctx, 0, &problem);
  WAL_ASSERT_OK(ctx, wal_problem_differentiate_equilibrium(problem.problem, 1e-10, 0, 12));
  WAL_ASSERT_STATUS(
      ctx, WAL_ENOCONV,
      wal_problem_gradient(problem.problem, wal_problem_start(problem.problem), &value, gradient));
  WAL_ASSERT_CONTAINS(wal_ctx_error(ctx),
                      "beach_bar: the learner has not found its equilibrium "
                      "after 12 iterations: a residual of ");
  wal_test_problem_free(&problem);
  wal_ctx_destroy(&ctx);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_large_times), cmocka_unit_test(test_from_near),
    cmocka_unit_test(test_accepted), cmocka_unit_test(test_refused)};
WAL_TEST_MAIN(tests)
