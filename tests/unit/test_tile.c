// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <string.h>

#include "sim/core/random.h"
#include "sim/core/sum.h"
#include "sim/core/vector_math.h"
#include "sim/core/vector_math_width.h"
#include "sim/game/tile_step.h"
#include "tests/support/harness.h"

enum { ACTIONS = 5, COUNT = 77, STRIDE = 80, PAIRS = ACTIONS * STRIDE };

static double q[PAIRS], pi[PAIRS], out[PAIRS], v[STRIDE], norm[STRIDE];
static const wal_tile T = {COUNT, STRIDE, ACTIONS};

static double draw(int item, uint32_t stage, double low, double high) {
  return low + (high - low) * wal_random_uniform(3, WAL_PURPOSE_TEST, (uint64_t)item, stage, 0);
}

static int fill(void **state) {
  (void)state;
  for (int i = 0; i < PAIRS; i++) q[i] = draw(i, 1, -30, 30);
  return 0;
}

static void vector_functions_agree_with_libm(void **state) {
  (void)state;
  enum { N = 10007 };
  static double x[N], y[N], z[N];
  for (int i = 0; i < N; i++) x[i] = draw(i, 2, -745, 709);
  wal_vector_exp(N, x, y);
  for (int i = 0; i < N; i++)
    WAL_ASSERT_WITHIN(y[i], exp(x[i]), 1.5 * (nextafter(exp(x[i]), HUGE_VAL) - exp(x[i])));
  for (int i = 0; i < N; i++) x[i] = exp(draw(i, 3, -700, 700));
  wal_vector_log(N, x, y);
  for (int i = 0; i < N; i++)
    WAL_ASSERT_WITHIN(y[i], log(x[i]), 3.5 * 2.3e-16 * fabs(log(x[i])) + 1e-300);
  const double edges[5] = {-HUGE_VAL, 0, HUGE_VAL, 1, -1};
  wal_vector_exp(3, edges, z);
  assert_true(z[0] == 0 && z[1] == 1 && z[2] == HUGE_VAL);
  wal_vector_log(5, edges, z);
  assert_true(isnan(z[0]) && z[1] == -HUGE_VAL && z[2] == HUGE_VAL && z[3] == 0 && isnan(z[4]));
}

/* The widths must agree in every bit, and so must every position and length. */
static void vector_functions_give_the_same_bits_at_any_width(void **state) {
  (void)state;
  enum { N = 4099 };
  static double x[N], wide[N], base[N];
  for (int i = 0; i < N; i++) x[i] = draw(i, 4, -700, 700);
  wal_vector_exp(N, x, wide);
  wal_vector_exp_base(N, x, base);
  for (int i = 0; i < N; i++) WAL_ASSERT_SAME(wide[i], base[i]);
  for (int from = 0; from < 9; from++)
    for (int n = 0; n < 9; n++) {
      double few[9];
      wal_vector_exp(n, x + from, few);
      for (int i = 0; i < n; i++) WAL_ASSERT_SAME(few[i], wide[from + i]);
    }
  wal_vector_exp(N, x, wide);
  for (int i = 0; i < N; i++) x[i] = wide[i];
  wal_vector_log(N, x, wide);
  wal_vector_log_base(N, x, base);
  for (int i = 0; i < N; i++) WAL_ASSERT_SAME(wide[i], base[i]);
}

static void rows_of_exponentials_are_the_single_ones(void **state) {
  (void)state;
  enum { ROWS = 5, WIDE = 23, GAP = 24 };
  static double x[ROWS * GAP], shift[WIDE], e[ROWS * GAP], base[ROWS * GAP], sum[WIDE], total[WIDE];
  for (int i = 0; i < ROWS * GAP; i++) x[i] = draw(i, 7, -40, 0);
  for (int i = 0; i < WIDE; i++) shift[i] = draw(i, 8, -1, 1);
  for (int n = 0; n <= WIDE; n++) {
    memset(sum, 0, sizeof sum);
    memset(total, 0, sizeof total);
    wal_vector_exp_rows(ROWS, GAP, n, 3, x, shift, e, sum);
    wal_vector_exp_rows_base(ROWS, GAP, n, 3, x, shift, base, total);
    for (int i = 0; i < n; i++) {
      double added = 0;
      for (int r = 0; r < ROWS; r++) {
        double one = 3 * (x[r * GAP + i] - shift[i]);
        wal_vector_exp(1, &one, &one);
        WAL_ASSERT_SAME(e[r * GAP + i], one);
        WAL_ASSERT_SAME(base[r * GAP + i], one);
        added += one;
      }
      WAL_ASSERT_SAME(sum[i], added);
      WAL_ASSERT_SAME(total[i], added);
    }
    memset(total, 0, sizeof total);
    wal_vector_exp_rows(ROWS, GAP, n, 3, x, shift, NULL, total);
    for (int i = 0; i < n; i++) WAL_ASSERT_SAME(sum[i], total[i]);
  }
}

/* The step in one go gives the bits of its parts, for values told in either way. */
static void a_step_on_logits_is_the_sum_of_its_parts(void **state) {
  (void)state;
  enum { OUTCOMES = 2 };
  static double y[PAIRS], old[PAIRS], value[PAIRS], next[PAIRS], expected[PAIRS];
  double weight[OUTCOMES * ACTIONS], reached[OUTCOMES * STRIDE], soft[STRIDE], log_next[STRIDE];
  for (int i = 0; i < OUTCOMES * ACTIONS; i++) weight[i] = draw(i, 8, 0, 1);
  for (int i = 0; i < OUTCOMES * STRIDE; i++) reached[i] = draw(i, 9, -2, 2);
  for (int outcomes = 0; outcomes <= OUTCOMES; outcomes += OUTCOMES)
    for (int row = 0; row < 2; row++) {
      const wal_tile_value told = {q, row ? 0 : STRIDE, outcomes, weight, reached};
      for (int a = 0; a < ACTIONS; a++)
        for (int s = 0; s < COUNT; s++) {
          const int at = a * STRIDE + s;
          value[at] = q[row ? s : at];
          for (int k = 0; k < outcomes; k++)
            value[at] += weight[k * ACTIONS + a] * reached[k * STRIDE + s];
          y[at] = old[at] = draw(at, 10, -500, 0);
        }
      wal_tile_softmax(T, 1, y, pi, norm);
      const wal_tile_step step = {0.9, 3, 0.03, pi, norm, y, v, next, log_next};
      wal_tile_step_run(T, &told, &step);
      wal_tile_soft_expectation(T, 0.03, pi, old, norm, value, soft);
      wal_tile_blend(T, 0.9, old, 3, value);
      wal_tile_softmax(T, 1, old, expected, norm);
      for (int s = 0; s < COUNT; s++) {
        WAL_ASSERT_SAME(v[s], soft[s]);
        WAL_ASSERT_SAME(log_next[s], norm[s]);
        for (int a = 0; a < ACTIONS; a++) {
          WAL_ASSERT_SAME(y[a * STRIDE + s], old[a * STRIDE + s]);
          WAL_ASSERT_SAME(next[a * STRIDE + s], expected[a * STRIDE + s]);
        }
      }
      if (outcomes == 0) continue;
      wal_tile_value_store(T, &told, out);
      for (int a = 0; a < ACTIONS; a++)
        for (int s = 0; s < COUNT; s++) WAL_ASSERT_SAME(out[a * STRIDE + s], value[a * STRIDE + s]);
    }
}

static void outcomes_by_action_are_summed_as_told(void **state) {
  (void)state;
  enum { OUTCOMES = 3 };
  double weight[OUTCOMES * ACTIONS], share[OUTCOMES * STRIDE], sum[ACTIONS], mass[STRIDE];
  for (int i = 0; i < OUTCOMES * ACTIONS; i++) weight[i] = draw(i, 11, 0, 1);
  for (int s = 0; s < COUNT; s++) mass[s] = draw(s, 12, 0, 1);
  wal_tile_softmax(T, 0.1, q, pi, NULL);
  for (int outcomes = 1; outcomes <= OUTCOMES; outcomes++) {
    wal_tile_outcome_shares(T, outcomes, weight, pi, share);
    for (int k = 0; k < outcomes; k++)
      for (int s = 0; s < COUNT; s++) {
        double exact = 0;
        for (int a = 0; a < ACTIONS; a++) exact += weight[k * ACTIONS + a] * pi[a * STRIDE + s];
        WAL_ASSERT_SAME(share[k * STRIDE + s], exact);
      }
  }
  for (int a = 0; a < ACTIONS; a++) sum[a] = a;
  wal_tile_action_mass(T, mass, pi, sum);
  for (int a = 0; a < ACTIONS; a++)
    WAL_ASSERT_SAME(sum[a], a + wal_dot(COUNT, mass, pi + a * STRIDE));
}

static void softmax_is_the_textbook_one(void **state) {
  (void)state;
  static const double SCALES[] = {1, 0.1, 25};
  for (int k = 0; k < 3; k++) {
    const double scale = SCALES[k];
    wal_tile_softmax(T, scale, q, pi, norm);
    for (int s = 0; s < COUNT; s++) {
      double top = -HUGE_VAL, total = 0;
      long double sum = 0;
      for (int a = 0; a < ACTIONS; a++) top = fmax(top, q[a * STRIDE + s]);
      for (int a = 0; a < ACTIONS; a++)
        sum += expl((long double)scale * ((long double)q[a * STRIDE + s] - top));
      for (int a = 0; a < ACTIONS; a++) {
        // An exponent x is rounded twice, by a share of x: so much is in its exponential.
        const long double x = (long double)scale * ((long double)q[a * STRIDE + s] - top);
        const double exact = (double)(expl(x) / sum);
        WAL_ASSERT_WITHIN(pi[a * STRIDE + s], exact, (4e-15 + 2.3e-16 * fabs((double)x)) * exact);
        total += pi[a * STRIDE + s];
      }
      WAL_ASSERT_WITHIN(total, 1, 1e-15);
      WAL_ASSERT_NEAR(norm[s], scale * top + (double)logl(sum), 1e-14);
    }
  }
}

static void softmax_stands_extremes(void **state) {
  (void)state;
  double y[3] = {-HUGE_VAL, 1e308, 1e308}, p[3];
  wal_tile_softmax((wal_tile){1, 1, 3}, 1, y, p, NULL);
  assert_true(p[0] == 0 && p[1] == 0.5 && p[2] == 0.5);
  double far[3] = {0, -1e6, -2e6};
  wal_tile_softmax((wal_tile){1, 1, 3}, 1, far, far, NULL);
  assert_true(far[0] == 1 && far[1] == 0 && far[2] == 0);
}

static void values_are_the_textbook_ones(void **state) {
  (void)state;
  const double entropy = 0.7;
  wal_tile_softmax(T, 1, q, pi, norm);
  for (int i = 0; i < PAIRS; i++) out[i] = draw(i, 5, -3, 3);
  double soft[STRIDE], best[STRIDE], soft_best[STRIDE];
  wal_tile_expectation(T, pi, out, v);
  wal_tile_soft_expectation(T, entropy, pi, q, norm, out, soft);
  wal_tile_max(T, out, best);
  wal_tile_log_sum_exp(T, entropy, out, soft_best);
  for (int s = 0; s < COUNT; s++) {
    double mean = 0, ent = 0, top = -HUGE_VAL, sum = 0;
    for (int a = 0; a < ACTIONS; a++) {
      double p = pi[a * STRIDE + s], x = out[a * STRIDE + s];
      mean += p * x;
      ent -= p > 0 ? p * log(p) : 0;
      top = fmax(top, x);
      sum += exp(x / entropy);
    }
    WAL_ASSERT_WITHIN(v[s], mean, 1e-14);
    WAL_ASSERT_WITHIN(soft[s], mean + entropy * ent, 1e-13);
    WAL_ASSERT_SAME(best[s], top);
    WAL_ASSERT_WITHIN(soft_best[s], entropy * log(sum), 1e-13);
  }
}

static void a_nan_is_not_lost_in_a_maximum(void **state) {
  (void)state;
  for (int bad = 0; bad < 3; bad++) {
    double x[3] = {1, 2, 3}, top = 0;
    x[bad] = NAN;
    wal_tile_max((wal_tile){1, 1, 3}, x, &top);
    assert_true(isnan(top));
  }
}

static void ties_share_the_best_response(void **state) {
  (void)state;
  const double x[8] = {1, 5, 3, 2, 3 - 1e-15, 5, 3 - 1e-9, 2};  // two states, four actions
  double b[8];
  wal_tile_best_response((wal_tile){2, 2, 4}, WAL_TIES_SHARE, x, b);
  const double shared[8] = {0, 0.5, 0.5, 0, 0.5, 0.5, 0, 0};
  for (int i = 0; i < 8; i++) WAL_ASSERT_SAME(b[i], shared[i]);
  wal_tile_best_response((wal_tile){2, 2, 4}, WAL_TIES_FIRST, x, b);
  const double first[8] = {0, 1, 1, 0, 0, 0, 0, 0};
  for (int i = 0; i < 8; i++) WAL_ASSERT_SAME(b[i], first[i]);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(vector_functions_agree_with_libm),
    cmocka_unit_test(vector_functions_give_the_same_bits_at_any_width),
    cmocka_unit_test(rows_of_exponentials_are_the_single_ones),
    cmocka_unit_test_setup(a_step_on_logits_is_the_sum_of_its_parts, fill),
    cmocka_unit_test_setup(outcomes_by_action_are_summed_as_told, fill),
    cmocka_unit_test_setup(softmax_is_the_textbook_one, fill),
    cmocka_unit_test(softmax_stands_extremes),
    cmocka_unit_test_setup(values_are_the_textbook_ones, fill),
    cmocka_unit_test(a_nan_is_not_lost_in_a_maximum),
    cmocka_unit_test(ties_share_the_best_response),
};
WAL_TEST_MAIN(tests)
