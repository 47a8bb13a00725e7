// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>

#include "auctions/quadrature.h"
#include "auctions/quantile_table.h"
#include "auctions/value_law.h"
#include "sim/core/random.h"
#include "tests/support/harness.h"

static const struct {
  wal_law_kind kind;
  double a, b;
} LAWS[] = {{WAL_LAW_UNIFORM, 0, 1}, {WAL_LAW_UNIFORM, 2, 5}, {WAL_LAW_EXPONENTIAL, 3, 0},
            {WAL_LAW_BETA, 1, 1},    {WAL_LAW_BETA, 2, 3},    {WAL_LAW_BETA, 0.5, 0.5},
            {WAL_LAW_BETA, 0.35, 7}, {WAL_LAW_BETA, 40, 1.5}, {WAL_LAW_BETA, 900, 800}};
enum { COUNT = sizeof LAWS / sizeof LAWS[0] };

static double density(double v, void *law) { return wal_value_law_density(law, v); }
static double above(double v, void *law) { return wal_value_law_above(law, v); }

static void laws_hang_together(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(1);
  for (int k = 0; k < COUNT; k++) {
    wal_value_law *law;
    WAL_ASSERT_OK(ctx, wal_value_law_make(ctx, LAWS[k].kind, LAWS[k].a, LAWS[k].b, &law));
    double mean;
    WAL_ASSERT_OK(ctx, wal_integrate(ctx, above, law, law->low, law->high, 0, NULL, &mean));
    WAL_ASSERT_NEAR(law->low + mean, wal_value_law_mean(law), 1e-10);
    for (int i = 1; i < 40; i++) {
      const double u = i / 40.0, v = wal_value_law_quantile(law, u, 1 - u);
      WAL_ASSERT_NEAR(wal_value_law_cdf(law, v), u, 1e-11);
      WAL_ASSERT_NEAR(wal_value_law_above(law, v), 1 - u, 1e-11);
      WAL_ASSERT_SAME(wal_value_law_below(law, v), wal_value_law_cdf(law, v));
      double mass;
      const double from = wal_value_law_quantile(law, u / 2, 1 - u / 2);
      WAL_ASSERT_OK(ctx, wal_integrate(ctx, density, law, from, v, 0, NULL, &mass));
      WAL_ASSERT_NEAR(mass, u / 2, 1e-9);
      const double h = 1e-5;
      const double rise = wal_value_law_quantile(law, u + h, 1 - u - h) -
                          wal_value_law_quantile(law, u - h, 1 - u + h);
      WAL_ASSERT_NEAR(wal_value_law_slope(law, u, 1 - u), rise / (2 * h), 1e-5);
    }
    assert_true(wal_value_law_cdf(law, law->low - 1) == 0);
    assert_true(wal_value_law_above(law, law->low - 1) == 1);
    wal_value_law_destroy(ctx, &law);
  }
  wal_ctx_destroy(&ctx);
}

/* Also at levels that only one draw in 2^50 has. */
static void quick_values_are_the_quantiles(void **state) {
  (void)state;
  enum { N = 4000 };
  wal_ctx *ctx = wal_test_ctx(1);
  for (int k = 0; k < COUNT; k++) {
    wal_value_law *law;
    double u[N], v[N];
    WAL_ASSERT_OK(ctx, wal_value_law_make(ctx, LAWS[k].kind, LAWS[k].a, LAWS[k].b, &law));
    for (int i = 0; i < N; i++) {
      const double x = wal_random_uniform(1, WAL_PURPOSE_TEST, (uint64_t)i, 0, 0);
      u[i] = i % 4 == 0   ? x * ldexp(1, -(i / 4) % 50)
             : i % 4 == 1 ? 1 - ldexp(x, -(i / 4) % 50)
                          : x;
      u[i] = ceil(u[i] * 0x1p53) * 0x1p-53;  // as draws are
      if (u[i] >= 1) u[i] = 1 - 0x1p-53;
    }
    wal_value_law_values(law, N, u, v);
    for (int i = 0; i < N; i++)
      WAL_ASSERT_NEAR(v[i], wal_value_law_quantile(law, u[i], 1 - u[i]), 1e-10);
    wal_value_law_destroy(ctx, &law);
  }
  wal_ctx_destroy(&ctx);
}

/* Beta with b = 1: v = u^(1/a); with a = 1: 1 - (1-u)^(1/b). */
static void beta_has_its_closed_forms(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(1);
  static const double SHAPE[] = {0.1, 0.4, 2, 30, 1000};
  for (int k = 0; k < 5; k++) {
    wal_value_law *one, *other;
    WAL_ASSERT_OK(ctx, wal_value_law_make(ctx, WAL_LAW_BETA, SHAPE[k], 1, &one));
    WAL_ASSERT_OK(ctx, wal_value_law_make(ctx, WAL_LAW_BETA, 1, SHAPE[k], &other));
    for (int i = 1; i < 400; i++) {
      const double u = i / 400.0;
      double v = u;
      WAL_ASSERT_NEAR(wal_value_law_quantile(one, u, 1 - u), pow(u, 1 / SHAPE[k]), 1e-12);
      wal_value_law_values(one, 1, &v, &v);
      WAL_ASSERT_NEAR(v, pow(u, 1 / SHAPE[k]), 1e-8);
      v = u;
      wal_value_law_values(other, 1, &v, &v);
      WAL_ASSERT_WITHIN(v, 1 - pow(1 - u, 1 / SHAPE[k]), 1e-8);
    }
    wal_value_law_destroy(ctx, &one);
    wal_value_law_destroy(ctx, &other);
  }
  wal_ctx_destroy(&ctx);
}

/* A third at 1, a gap, values from 2 to 4 denser below 3. */
static void knots_may_be_steps_and_slopes(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(1);
  static const double VALUES[] = {1, 1, 2, 3, 4}, LEVELS[] = {0, 0.25, 0.25, 0.75, 1};
  wal_value_law *law;
  WAL_ASSERT_OK(ctx, wal_value_law_from_knots(ctx, 5, VALUES, LEVELS, &law));
  assert_true(law->atoms);
  WAL_ASSERT_SAME(wal_value_law_below(law, 1), 0.0);
  WAL_ASSERT_SAME(wal_value_law_cdf(law, 1), 0.25);
  WAL_ASSERT_SAME(wal_value_law_cdf(law, 1.5), 0.25);
  WAL_ASSERT_SAME(wal_value_law_below(law, 2.5), 0.5);
  WAL_ASSERT_SAME(wal_value_law_density(law, 3.5), 0.25);
  WAL_ASSERT_SAME(wal_value_law_density(law, 4), 0.25);
  WAL_ASSERT_NEAR(wal_value_law_mean(law), 0.25 * 1 + 0.5 * 2.5 + 0.25 * 3.5, 1e-15);
  double u[] = {0, 0.2, 0.25, 0.5, 0.875}, v[5];
  static const double EXPECTED[] = {1, 1, 2, 2.5, 3.5};
  wal_value_law_values(law, 5, u, v);
  for (int i = 0; i < 5; i++) WAL_ASSERT_SAME(v[i], EXPECTED[i]);
  wal_value_law_destroy(ctx, &law);
  WAL_ASSERT_OK(ctx, wal_value_law_from_knots(ctx, 5, VALUES + 0, NULL, &law));
  WAL_ASSERT_SAME(wal_value_law_cdf(law, 1.5), 0.375);  // levels 0, 1/4, 1/2, 3/4, 1
  wal_value_law_destroy(ctx, &law);
  wal_ctx_destroy(&ctx);
}

static double kinked(void *user, double u, double w) {
  const double *start = user;
  return u < 0.3 ? sqrt(u - *start) + u : 5 - pow(w, 0.3);
}

static double whole(void *user, double u, double w, double f) {
  (void)user, (void)u, (void)w;
  return f;
}

static void tables_hold_what_they_say(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(1);
  static const double STARTS[] = {0, 0.01, 0.6}, CUT = 0.3;
  for (int k = 0; k < 3; k++) {
    double start = STARTS[k];
    wal_quantile_table *table;
    WAL_ASSERT_OK(ctx, wal_quantile_table_create(ctx, start, 1, &CUT, kinked, &start, &table));
    for (int i = 1; i < 3000; i++) {
      const double x = i / 3000.0,
                   u = i % 2 ? start + (1 - start) * x : 1 - (1 - start) * x * x * x;
      double f;
      wal_quantile_table_look_up(table, 1, &u, &f);
      WAL_ASSERT_NEAR(f, kinked(&start, u, 1 - u), 1e-9);
    }
    const double split = start < CUT ? CUT : start, low = split - start;
    const double exact =
        (start < CUT ? pow(low, 1.5) / 1.5 + (split * split - start * start) / 2 : 0) +
        5 * (1 - split) - pow(1 - split, 1.3) / 1.3;
    WAL_ASSERT_NEAR(wal_quantile_table_integrate(table, whole, NULL), exact, 1e-9);
    wal_quantile_table_destroy(ctx, &table);
  }
  wal_ctx_destroy(&ctx);
}

/* The lanes give what the single draws give, at any place and count. */
static void many_draws_are_the_single_ones(void **state) {
  (void)state;
  enum { MOST = 70 };
  static const uint64_t FIRST[] = {0, 5, 0xFFFFFFFFu - 3, UINT64_MAX - 100};
  for (int k = 0; k < 4; k++)
    for (int count = 0; count <= MOST; count += 7) {
      double one[MOST], two[MOST];
      wal_random_reals(0xABCDEF0123456789u, WAL_PURPOSE_TEST, FIRST[k], count, 7, 9, one, two);
      for (int i = 0; i < count; i++) {
        const wal_random_words w =
            wal_random(0xABCDEF0123456789u, WAL_PURPOSE_TEST, FIRST[k] + (uint64_t)i, 7, 9);
        WAL_ASSERT_SAME(one[i], wal_random_real(&w, 0));
        WAL_ASSERT_SAME(two[i], wal_random_real(&w, 1));
      }
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(laws_hang_together),        cmocka_unit_test(quick_values_are_the_quantiles),
    cmocka_unit_test(beta_has_its_closed_forms), cmocka_unit_test(knots_may_be_steps_and_slopes),
    cmocka_unit_test(tables_hold_what_they_say), cmocka_unit_test(many_draws_are_the_single_ones)};
WAL_TEST_MAIN(tests)
