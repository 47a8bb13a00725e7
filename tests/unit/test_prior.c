// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "auctions/prior.h"
#include "cli/catalogue.h"
#include "io/scenario.h"
#include "tests/support/harness.h"

/* Moments of the symmetric Dirichlet distribution of `count` shares and concentration a: each has
 * the mean 1/count and the second moment (a + 1) / (count (count a + 1)). */

static void fill(wal_ctx *ctx, double concentration, int count, double *mass) {
  char text[64];
  wal_scenario *scenario;
  wal_params *params;
  snprintf(text, sizeof text, "return dirichlet { concentration = %.17g }", concentration);
  WAL_ASSERT_OK(
      ctx, wal_scenario_parse(ctx, "test.lua", text, strlen(text), wal_catalogue_all(), &scenario));
  WAL_ASSERT_OK(ctx, wal_params_resolve(ctx, "test.lua", &wal_prior_dirichlet,
                                        wal_scenario_root(scenario), wal_catalogue_all(), &params));
  WAL_ASSERT_OK(ctx, wal_prior_fill(ctx, params, count, mass));
  wal_params_destroy(&params);
  wal_scenario_destroy(&scenario);
}

static void dirichlet_has_its_moments(void **state) {
  (void)state;
  enum { COUNT = 1000, DRAWS = 100 };
  static const double A[] = {0.01, 0.05, 0.5, 1, 3, 1000, 1e6};
  wal_ctx *ctx = wal_test_ctx(1);
  for (size_t k = 0; k < sizeof A / sizeof *A; k++) {
    double mass[COUNT], sum = 0, square = 0, of_first = 0;
    for (int draw = 0; draw < DRAWS; draw++) {
      double total = 0, second = 0;
      wal_ctx_set_seed(ctx, (uint64_t)(1000 * k + (size_t)draw));
      fill(ctx, A[k], COUNT, mass);
      for (int i = 0; i < COUNT; i++) {
        assert_true(mass[i] >= 0);
        total += mass[i];
        second += mass[i] * mass[i];
      }
      WAL_ASSERT_NEAR(total, 1, 1e-12);
      sum += second;
      square += second * second;
      for (int i = 0; i < COUNT / 2; i++) of_first += mass[i];
    }
    const double mean = sum / DRAWS, expected = (A[k] + 1) / (COUNT * A[k] + 1);
    const double error = sqrt((square / DRAWS - mean * mean) / DRAWS);
    WAL_ASSERT_WITHIN(mean, expected, 4 * error + 1e-12);
    WAL_ASSERT_WITHIN(of_first / DRAWS, 0.5, 4 * 0.5 / sqrt((COUNT * A[k] + 1) * DRAWS));
  }
  wal_ctx_destroy(&ctx);
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(dirichlet_has_its_moments)};
WAL_TEST_MAIN(tests)
