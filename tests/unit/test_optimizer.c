// SPDX-License-Identifier: GPL-3.0-or-later
/* Optimizers: traces worked out by hand, a hill, and what a checkpoint holds. */
#include <math.h>

#include "tests/support/make_design.h"

WAL_TEST_CTX(1)

static wal_optimizer *make(const char *text, int64_t count, int64_t steps, wal_test_part *part) {
  wal_optimizer *o = NULL;
  WAL_ASSERT_OK(ctx, wal_test_part_make(ctx, "optimizer", text, part));
  const wal_optimizer_type *type = wal_optimizer_find(wal_params_component(part->params)->name);
  WAL_ASSERT_OK(ctx, wal_optimizer_create(ctx, type, part->params, count, steps, &o));
  return o;
}

static void end(wal_optimizer *o, wal_test_part *part) {
  wal_optimizer_destroy(&o);
  wal_test_part_free(part);
}

/* With rate 0.1, beta1 = 0.5, beta2 = 0.75 and directions 2, -4:
 *   m = 1, v = 1:    m^ = 2, v^ = 4,         a step of 0.1 * 2 / 2
 *   m = -1.5, v = 4.75: m^ = -2, v^ = 4.75 / 0.4375,  a step of -0.1 * 2 / sqrt(v^) */
static void test_adam(void **state) {
  (void)state;
  wal_test_part part;
  wal_optimizer *o =
      make("adam { rate = 0.1, beta1 = 0.5, beta2 = 0.75, epsilon = 1e-300 }", 2, 9, &part);
  double theta[] = {1, 7};
  const double first[] = {2, 0}, second[] = {-4, 0};
  wal_optimizer_step(o, first, theta);
  WAL_ASSERT_NEAR(theta[0], 1.1, 1e-15);
  wal_optimizer_step(o, second, theta);
  WAL_ASSERT_NEAR(theta[0], 1.1 - 0.2 / sqrt(4.75 / 0.4375), 1e-14);
  end(o, &part);
  o = make("adam { }", 2, 9, &part);
  theta[1] = 7;
  for (int i = 0; i < 5; i++) wal_optimizer_step(o, first, theta);
  WAL_ASSERT_SAME(theta[1], 7.0); /* a derivative that is always 0 moves nothing */
  end(o, &part);
}

static void test_sgd_decay(void **state) {
  (void)state;
  wal_test_part part;
  wal_optimizer *o = make("sgd { rate = 0.8, decay = 0.25 }", 1, 4, &part);
  double theta = 0, expected = 0;
  const double one = 1;
  for (int k = 0; k < 4; k++) {
    wal_optimizer_step(o, &one, &theta);
    expected += 0.8 * pow(0.25, k / 4.0);
  }
  WAL_ASSERT_NEAR(theta, expected, 1e-14);
  WAL_ASSERT_NEAR(expected, 0.8 * (1 + 0.5 + sqrt(0.5) + 0.5 * sqrt(0.5)), 1e-14);
  end(o, &part);
}

/* g = -(x - 3)^2 - 10 (y + 1)^2 */
static void climb(const char *text, int64_t steps, double tolerance) {
  wal_test_part part;
  wal_optimizer *o = make(text, 2, steps, &part);
  double theta[2] = {0, 0};
  for (int64_t k = 0; k < steps; k++) {
    const double d[] = {-2 * (theta[0] - 3), -20 * (theta[1] + 1)};
    wal_optimizer_step(o, d, theta);
  }
  WAL_ASSERT_WITHIN(theta[0], 3, tolerance);
  WAL_ASSERT_WITHIN(theta[1], -1, tolerance);
  end(o, &part);
}

static void test_hill(void **state) {
  (void)state;
  climb("adam { rate = 0.1, decay = 1e-3 }", 2000, 1e-4);
  climb("sgd { rate = 0.04 }", 400, 1e-12);
}

/* Read back into another optimizer, a state goes on with the same bits. */
static void test_state(void **state) {
  (void)state;
  wal_test_part part[2];
  const char *text = "adam { rate = 0.1, decay = 0.1 }";
  wal_optimizer *a = make(text, 3, 9, &part[0]), *b = make(text, 3, 9, &part[1]);
  double x[] = {1, 2, 3}, y[3];
  for (int k = 0; k < 4; k++) wal_optimizer_step(a, x, x);
  wal_state from = wal_state_start(ctx), to = wal_state_start(ctx);
  wal_optimizer_declare(a, &from);
  wal_optimizer_declare(b, &to);
  assert_int_equal(from.count, 2);
  *to.field[0].integer = *from.field[0].integer;
  memcpy(*(double **)to.field[1].array, *(double **)from.field[1].array,
         (size_t)*from.field[1].integer * from.field[1].item);
  memcpy(y, x, sizeof y);
  for (int k = 0; k < 3; k++) {
    wal_optimizer_step(a, x, x);
    wal_optimizer_step(b, y, y);
  }
  assert_memory_equal(x, y, sizeof x);
  end(a, &part[0]);
  end(b, &part[1]);
}

static void test_bad(void **state) {
  (void)state;
  wal_test_part part;
  WAL_ASSERT_STATUS(ctx, WAL_EINPUT, wal_test_part_make(ctx, "optimizer", "adam{beta1=1}", &part));
  assert_string_equal(wal_ctx_error(ctx),
                      "test.lua:1: adam: beta1: expected a number in [0, 0.9999999], got 1");
  wal_test_part_free(&part);
  WAL_ASSERT_STATUS(ctx, WAL_EINPUT, wal_test_part_make(ctx, "optimizer", "sgd{decay=0}", &part));
  WAL_ASSERT_CONTAINS(wal_ctx_error(ctx), "test.lua:1: sgd: decay: expected a number in [");
  wal_test_part_free(&part);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_adam), cmocka_unit_test(test_sgd_decay), cmocka_unit_test(test_hill),
    cmocka_unit_test(test_state), cmocka_unit_test(test_bad)};

int main(int argc, char **argv) {
  wal_test_begin(&argc, &argv);
  return wal_test_end(cmocka_run_group_tests(tests, open_ctx, close_ctx));
}
