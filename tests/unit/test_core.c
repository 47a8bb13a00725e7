// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/core/memory.h"
#include "sim/core/partition.h"
#include "sim/core/random.h"
#include "sim/core/sum.h"
#include "tests/support/harness.h"

static void status_codes_are_unique(void **state) {
  (void)state;
  for (int i = 0; i < WAL_STATUS_COUNT; i++) {
    assert_true(strncmp(wal_status_name((wal_status)i), "WAL_", 4) == 0);
    assert_true(strlen(wal_status_text((wal_status)i)) > 0);
    for (int j = 0; j < i; j++)
      assert_int_not_equal(wal_status_exit((wal_status)i), wal_status_exit((wal_status)j));
  }
  assert_int_equal(wal_status_exit((wal_status)99), wal_status_exit(WAL_EINTERNAL));
}

static void failures_leave_their_text(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(7);
  assert_string_equal(wal_ctx_error(ctx), "");
  assert_int_equal(wal_fail(ctx, WAL_EINPUT, "%s: %d", "x", 3), WAL_EINPUT);
  assert_string_equal(wal_ctx_error(ctx), "x: 3");
  wal_fail(ctx, WAL_EINPUT, "again %s", wal_ctx_error(ctx));
  assert_string_equal(wal_ctx_error(ctx), "again x: 3");
  assert_int_equal(wal_ctx_seed(ctx), 7);
  wal_ctx_destroy(&ctx);
  assert_null(ctx);
  wal_ctx_destroy(&ctx);
}

static void failures_are_held_until_raised(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(7);
  wal_held_failure held = {0};
  wal_failure_hold(ctx, WAL_OK, &held);
  WAL_ASSERT_OK(ctx, wal_failure_raise(ctx, &held));
  assert_string_equal(wal_ctx_error(ctx), "");
  wal_failure_hold(ctx, wal_fail(ctx, WAL_EINPUT, "first, 100 %%"), &held);
  wal_failure_hold(ctx, wal_fail(ctx, WAL_EIO, "second"), &held);
  wal_failure_hold(ctx, WAL_OK, &held);
  assert_string_equal(wal_ctx_error(ctx), "second");
  WAL_ASSERT_STATUS(ctx, WAL_EINPUT, wal_failure_raise(ctx, &held));
  assert_string_equal(wal_ctx_error(ctx), "first, 100 %");
  WAL_ASSERT_OK(ctx, wal_failure_raise(ctx, &held));
  wal_ctx_destroy(&ctx);
}

static void memory_is_aligned_zeroed_counted(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(1);
  double *x = NULL, *y = NULL;
  WAL_ASSERT_OK(ctx, wal_acquire(ctx, "x", 1000, sizeof *x, &x));
  WAL_ASSERT_OK(ctx, wal_acquire(ctx, "y", 0, sizeof *y, &y));
  assert_non_null(y);
  assert_int_equal((uintptr_t)x % 64, 0);
  for (int i = 0; i < 1000; i++) WAL_ASSERT_SAME(x[i], 0.0);
  assert_int_equal(wal_ctx_peak_memory(ctx), 8000);
  wal_release(ctx, &x);
  assert_null(x);
  wal_release(ctx, &x);
  WAL_ASSERT_OK(ctx, wal_acquire(ctx, "x", 500, sizeof *x, &x));
  assert_int_equal(wal_ctx_peak_memory(ctx), 8000);
  wal_release(ctx, &x);
  wal_release(ctx, &y);
  WAL_ASSERT_STATUS(ctx, WAL_EINPUT, wal_acquire(ctx, "huge", INT64_MAX / 4, 8, &x));
  WAL_ASSERT_CONTAINS(wal_ctx_error(ctx), "huge");
  WAL_ASSERT_STATUS(ctx, WAL_EINPUT, wal_acquire(ctx, "negative", -1, 8, &x));
  WAL_ASSERT_STATUS(ctx, WAL_EINPUT, wal_acquire(ctx, "too much", (int64_t)1 << 50, 8, &x));
  assert_null(x);
  int64_t product = 0;
  assert_true(wal_multiply(3, 4, &product));
  assert_int_equal(product, 12);
  assert_false(wal_multiply(INT64_MAX / 2, 3, &product));
  assert_false(wal_multiply(-1, 3, &product));
  wal_ctx_destroy(&ctx);
}

/* The known-answer vectors of Random123 1.14 (tests/kat_vectors), philox4x32 10. */
static void philox_gives_its_known_answers(void **state) {
  (void)state;
  static const struct {
    uint64_t seed, item;
    uint32_t stage, draw, expected[4];
  } KNOWN[] = {
      {0, 0, 0, 0, {0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u}},
      {UINT64_MAX,
       UINT64_MAX,
       UINT32_MAX,
       UINT32_MAX,
       {0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu}},
      {0x299f31d0a4093822u,
       0x85a308d3243f6a88u,
       0x13198a2eu,
       0x03707344u,
       {0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u}},
  };
  for (size_t k = 0; k < sizeof KNOWN / sizeof KNOWN[0]; k++) {
    wal_random_words w =
        wal_random(KNOWN[k].seed, WAL_PURPOSE_TEST, KNOWN[k].item, KNOWN[k].stage, KNOWN[k].draw);
    for (int i = 0; i < 4; i++) assert_int_equal(w.word[i], KNOWN[k].expected[i]);
  }
}

static void draws_are_uniform_and_apart(void **state) {
  (void)state;
  enum { N = 100000, BINS = 20 };
  int64_t count[BINS] = {0};
  for (uint64_t i = 0; i < N; i++) {
    double u = wal_random_uniform(5, WAL_PURPOSE_TEST, i, 0, 0);
    assert_true(u >= 0 && u < 1);
    count[(int)(u * BINS)]++;
    assert_true(u != wal_random_uniform(5, WAL_PURPOSE_GAME_TABLES, i, 0, 0));
    assert_true(u != wal_random_uniform(6, WAL_PURPOSE_TEST, i, 0, 0));
  }
  double chi2 = 0;
  for (int b = 0; b < BINS; b++) {
    double d = (double)count[b] - N / (double)BINS;
    chi2 += d * d / (N / (double)BINS);
  }
  assert_true(chi2 < 43.8);  // 19 degrees of freedom, 0.999
}

/* Quantiles of the tables (Abramowitz & Stegun 1964, 26.1), and the distribution function. */
static void normal_deviates_are_quantiles(void **state) {
  (void)state;
  WAL_ASSERT_SAME(wal_random_normal(0.5), 0.0);
  WAL_ASSERT_NEAR(wal_random_normal(0.975), 1.959963984540054, 1e-15);
  WAL_ASSERT_NEAR(wal_random_normal(0.005), -2.575829303548901, 1e-15);
  WAL_ASSERT_SAME(wal_random_normal(0), wal_random_normal(0x1p-54));
  for (double u = 0x1p-54; u < 1; u += u < 0.01 ? u / 2 : 0.01) {
    const double x = wal_random_normal(u);  // off by a share e, the tail is by x^2 e
    WAL_ASSERT_NEAR(0.5 * erfc(-x / sqrt(2)), u, (1 + x * x) * 0x1p-50);
  }
  assert_true(isfinite(wal_random_normal(1 - 0x1p-53)));
}

static void sums_have_a_fixed_shape(void **state) {
  (void)state;
  enum { N = 1003 };
  static double x[N], y[N];
  double exact = 0;
  for (int i = 0; i < N; i++) {
    x[i] = ldexp(wal_random_uniform(1, WAL_PURPOSE_TEST, (uint64_t)i, 1, 0) - 0.5, i % 40);
    y[i] = 1;
    exact += x[i];
  }
  // eight lanes by hand
  double lane[8] = {0};
  for (int i = 0; i < N; i++) lane[i % 8] += x[i];
  double expected =
      ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
  WAL_ASSERT_SAME(wal_sum(N, x), expected);
  WAL_ASSERT_SAME(wal_dot(N, x, y), expected);
  WAL_ASSERT_NEAR(expected, exact, 1e-12);
  WAL_ASSERT_SAME(wal_sum(0, x), 0.0);
  WAL_ASSERT_SAME(wal_sum(1, x), x[0]);
  const double few[5] = {1e16, 1, -1e16, 1, 1};
  WAL_ASSERT_SAME(wal_tree_sum(5, 1, few), ((1e16 + 1) + (-1e16 + 1)) + 1);
  WAL_ASSERT_SAME(wal_tree_sum(3, 2, few), (1e16 + -1e16) + 1);
  WAL_ASSERT_SAME(wal_tree_sum(0, 1, few), 0.0);
}

/* Blocks do not depend on ranks, ranks own whole runs of them, and everything is owned once. */
static void partitions_cover_everything_once(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(1);
  static const int64_t SIZES[] = {1, 2, 7, 8, 9, 100, 400, 999, 5000, 100000, 1000003};
  static const int ACTIONS[] = {1, 2, 5, 100, 3000};
  static const int64_t GROUPS[] = {1, 3, 8}, ROWS[] = {1, 1, 48, 312};
  for (size_t i = 0; i < sizeof SIZES / sizeof SIZES[0]; i++)
    for (size_t a = 0; a < sizeof ACTIONS / sizeof ACTIONS[0]; a++)
      for (size_t g = 0; g < sizeof GROUPS / sizeof GROUPS[0]; g++) {
        const int64_t row = ROWS[(i + a) % 4];
        wal_partition p = wal_partition_states(ctx, SIZES[i], ACTIONS[a], GROUPS[g], row, 0);
        assert_true(p.tile % 8 == 0 && p.tile % GROUPS[g] == 0 && p.block % GROUPS[g] == 0);
        assert_true(p.block > (p.block_tiles - 1) * p.tile && p.block <= p.block_tiles * p.tile);
        if (p.block >= 2 * row) assert_true(p.block % row == 0);
        assert_int_equal(wal_partition_cut(&p, 0), 0);
        assert_int_equal(wal_partition_cut(&p, p.blocks), SIZES[i]);
        static const int64_t FACTORS[] = {1, 3, 17};
        for (int f = 0; f < 3; f++) {
          wal_partition q = wal_partition_derive(&p, SIZES[i] * FACTORS[f] + f);
          for (int ranks = 1; ranks < 9; ranks++) {
            q.ranks = ranks;
            int64_t next = 0;
            for (int r = 0; r < ranks; r++)
              for (int64_t b = wal_partition_rank_block(&q, r);
                   b < wal_partition_rank_block(&q, r + 1); b++) {
                assert_int_equal(wal_partition_owner(&q, b), r);
                assert_int_equal(wal_partition_cut(&q, b), next);
                next = wal_partition_cut(&q, b + 1);
                if (next > wal_partition_cut(&q, b)) {
                  assert_int_equal(wal_partition_block_of(&q, wal_partition_cut(&q, b)), b);
                  assert_int_equal(wal_partition_block_of(&q, next - 1), b);
                }
              }
            assert_int_equal(next, q.size);
          }
        }
      }
  wal_ctx_destroy(&ctx);
}

static void plans_take_no_memory(void **state) {
  (void)state;
  const int64_t large = (int64_t)1 << 40;
  wal_ctx *ctx = wal_test_ctx(1);
  double *held = NULL, *x = NULL;
  char *y = NULL;
  WAL_ASSERT_OK(ctx, wal_acquire(ctx, "x", 100, sizeof *held, &held));
  const int64_t before = wal_ctx_memory(ctx), peak = wal_ctx_peak_memory(ctx);
  wal_ctx_set_memory_limit(ctx, before + 1000);
  wal_ctx_plan_begin(ctx);
  assert_true(wal_ctx_planning(ctx));
  WAL_ASSERT_OK(ctx, wal_acquire(ctx, "x", large / 8, sizeof *x, &x));
  WAL_ASSERT_OK(ctx, wal_acquire(ctx, "y", 5, 1, &y));
  assert_true(x[0] == 0 && x[large / 16] == 0 && y[4] == 0);
  wal_release(ctx, &x);
  WAL_ASSERT_OK(ctx, wal_acquire(ctx, "x", 7, sizeof *x, &x));
  wal_release(ctx, &x);
  wal_release(ctx, &y);
  assert_true(wal_ctx_plan_end(ctx) == large + 5);
  assert_true(wal_ctx_memory(ctx) == before && wal_ctx_peak_memory(ctx) == peak);
  assert_int_equal(wal_acquire(ctx, "x", 126, sizeof *x, &x), WAL_EINPUT);  // beyond the limit
  assert_non_null(strstr(wal_ctx_error(ctx), "x: expected at most "));
  WAL_ASSERT_OK(ctx, wal_acquire(ctx, "x", 125, sizeof *x, &x));
  wal_release(ctx, &x);
  wal_release(ctx, &held);
  wal_ctx_destroy(&ctx);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(status_codes_are_unique),
    cmocka_unit_test(failures_leave_their_text),
    cmocka_unit_test(failures_are_held_until_raised),
    cmocka_unit_test(memory_is_aligned_zeroed_counted),
    cmocka_unit_test(plans_take_no_memory),
    cmocka_unit_test(philox_gives_its_known_answers),
    cmocka_unit_test(draws_are_uniform_and_apart),
    cmocka_unit_test(normal_deviates_are_quantiles),
    cmocka_unit_test(sums_have_a_fixed_shape),
    cmocka_unit_test(partitions_cover_everything_once),
};
WAL_TEST_MAIN(tests)
