// SPDX-License-Identifier: GPL-3.0-or-later
/* Who wins a round, in the mean field and among finitely many bidders, in the corner cases of both
 * and against sorting the bids. */
#include "auctions/clearing.h"

#include <math.h>
#include <stdlib.h>

#include "auctions/clearing_exact.h"
#include "sim/core/random.h"
#include "tests/support/harness.h"

enum { MOST = 8, AGENTS = 20 };

typedef struct corner {
  const char *what;
  int bids, reserve;
  int64_t goods, bidders[MOST]; /**< of 20 agents */
  int64_t winners[MOST];
  int threshold;
  double win[MOST]; /**< where nobody bids; else winners over bidders */
} corner;

static const corner CORNERS[] = {
    {"some", 4, 0, 7, {5, 6, 5, 4}, {0, 0, 3, 4}, 2, {0}},
    {"goods end with a level", 4, 0, 9, {5, 6, 5, 4}, {0, 0, 5, 4}, 2, {0}},
    {"nobody at the threshold", 4, 0, 9, {11, 0, 5, 4}, {0, 0, 5, 4}, 2, {0}},
    {"nobody at the threshold, goods left", 4, 0, 10, {11, 0, 5, 4}, {1, 0, 5, 4}, 0, {0, 1}},
    {"nobody there, goods left but a reserve", 4, 1, 10, {11, 0, 5, 4}, {0, 0, 5, 4}, 1, {0, 1}},
    {"all tied", 3, 0, 5, {0, 20, 0}, {0, 5, 0}, 1, {0, 0, 1}},
    {"all tied at the lowest", 3, 0, 5, {20, 0, 0}, {5, 0, 0}, 0, {0, 1, 1}},
    {"all tied at the highest", 3, 0, 5, {0, 0, 20}, {0, 0, 5}, 2, {0}},
    {"no goods", 3, 0, 0, {5, 5, 10}, {0}, 3, {0}},
    {"no goods, nobody", 3, 0, 0, {0}, {0}, 3, {0}},
    {"goods for more than all", 3, 0, 50, {5, 5, 10}, {5, 5, 10}, 0, {0}},
    {"goods for exactly all", 3, 0, 20, {5, 5, 10}, {5, 5, 10}, 0, {0}},
    {"goods, nobody", 3, 0, 4, {0}, {0}, 0, {1, 1, 1}},
    {"one level", 1, 0, 4, {20}, {4}, 0, {0}},
    {"one level, nobody", 1, 0, 4, {0}, {0}, 0, {1}},
    {"one level, reserve", 1, 1, 4, {20}, {0}, 1, {0}},
    {"reserve within", 4, 2, 15, {5, 6, 5, 4}, {0, 0, 5, 4}, 2, {0}},
    {"reserve above all bids", 4, 4, 15, {5, 6, 5, 4}, {0}, 4, {0}},
    {"reserve above all who bid", 4, 3, 15, {5, 6, 9, 0}, {0}, 3, {0, 0, 0, 1}},
};

static void corner_cases(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof CORNERS / sizeof *CORNERS; i++) {
    const corner *c = &CORNERS[i];
    int64_t winners[MOST], sold = 0;
    double win[MOST], share[MOST], mass[MOST], sold_mass = 0;
    print_message("  %s\n", c->what);
    for (int a = 0; a < c->bids; a++) mass[a] = (double)c->bidders[a] / AGENTS;
    const wal_clearing_count exact =
        wal_clearing_exact(c->bids, c->reserve, c->goods, c->bidders, winners, share);
    const double goods = (double)c->goods / AGENTS;
    const wal_clearing mean = wal_clearing_run(c->bids, c->reserve, goods, mass, win);
    for (int a = 0; a < c->bids; a++) {
      assert_int_equal(winners[a], c->winners[a]);
      sold += winners[a];
      const double expected =
          c->bidders[a] > 0 ? (double)c->winners[a] / (double)c->bidders[a] : c->win[a];
      WAL_ASSERT_WITHIN(share[a], expected, 0);
      WAL_ASSERT_WITHIN(win[a], expected, 1e-14);
      sold_mass += win[a] * mass[a];
    }
    assert_int_equal(exact.threshold, c->threshold);
    assert_int_equal(mean.threshold, c->threshold);
    assert_int_equal(exact.sold, sold);
    WAL_ASSERT_WITHIN(mean.sold, sold_mass, 1e-15);
    WAL_ASSERT_WITHIN(mean.sold, (double)sold / AGENTS, 1e-14);
    assert_int_equal(wal_clearing_exact(c->bids, c->reserve, c->goods, c->bidders, NULL, NULL).sold,
                     sold);
  }
}

static int descending(const void *a, const void *b) { return *(const int *)b - *(const int *)a; }

static int64_t pick(int64_t item, uint32_t stage, int64_t below) {
  return (int64_t)(wal_random_uniform(6, WAL_PURPOSE_TEST, (uint64_t)item, stage, 0) *
                   (double)below);
}

/* Bidders one by one, sorted: the first ones win. */
static void exact_clearing_is_sorting(void **state) {
  (void)state;
  enum { ROUNDS = 3000, CROWD = 60 };
  for (int64_t k = 0; k < ROUNDS; k++) {
    const int bids = 1 + (int)pick(k, 0, MOST), crowd = (int)pick(k, 1, CROWD);
    const int reserve = k % 3 ? 0 : (int)pick(k, 2, bids + 1);
    const int64_t goods = pick(k, 3, CROWD + 5);
    int bid[CROWD];
    int64_t bidders[MOST] = {0}, winners[MOST], expected[MOST] = {0};
    for (int i = 0; i < crowd; i++) {
      bid[i] = (int)pick(k * CROWD + i, 4, bids);
      bidders[bid[i]]++;
    }
    qsort(bid, (size_t)crowd, sizeof *bid, descending);
    int64_t sold = 0;
    for (int i = 0; i < crowd && sold < goods; i++)
      if (bid[i] >= reserve) expected[bid[i]]++, sold++;
    const wal_clearing_count c = wal_clearing_exact(bids, reserve, goods, bidders, winners, NULL);
    assert_int_equal(c.sold, sold);
    for (int a = 0; a < bids; a++) assert_int_equal(winners[a], expected[a]);
  }
}

/* Numbers that no double holds exactly stay exact. */
static void exact_clearing_of_huge_numbers(void **state) {
  (void)state;
  const int64_t huge = INT64_C(1) << 61;
  const int64_t bidders[3] = {huge + 1, huge + 3, 1};
  int64_t winners[3];
  const wal_clearing_count c = wal_clearing_exact(3, 0, 2 * huge + 3, bidders, winners, NULL);
  assert_true(c.sold == 2 * huge + 3 && winners[2] == 1 && winners[1] == huge + 3 &&
              winners[0] == huge - 1);
}

static void goods_are_rounded_down(void **state) {
  (void)state;
  static const struct {
    double goods;
    int64_t agents, expected;
  } CASES[] = {
      {0.29, 100, 29},
      {0.57, 100, 57},
      {0.58, 100, 58},
      {1.15, 100, 115},
      {0.299999, 100, 29},
      {0.2, 101, 20},
      {0.2, 104, 20},
      {0.2, 105, 21},
      {0, 100, 0},
      {5, 0, 0},
      {0.999999999, 10, 9},
      {1.0 / 3, 3, 1},
      {2.0 / 3, 2, 1},
      {1e-13, 1, 0},
      {0.1 + 0.2, 10, 3},
      {0.3 - 0.2, 10, 1},
      {1e6, INT64_C(1000000000000), INT64_C(1000000000000000000)},
      {0.29, INT64_C(1000000000000), INT64_C(290000000000)},
      {0.123456789012, INT64_C(1000000000000), INT64_C(123456789012)},
      {0.1234567890125, INT64_C(1000000000000), INT64_C(123456789012)},
  };
  for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
    assert_true(wal_clearing_goods(CASES[i].goods, CASES[i].agents) == CASES[i].expected);
  for (int64_t n = 1; n <= 700; n++)
    for (int64_t k = 0; k <= 2 * n; k++) {
      assert_true(wal_clearing_goods((double)k / (double)n, n) == k);
      assert_true(wal_clearing_goods(((double)k + 0.9999) / (double)n, n) == k);
    }
  for (int64_t k = 1; k < INT64_C(1000000000000); k = k * 7 + 3)
    assert_true(wal_clearing_goods((double)k / 1e12, INT64_C(1000000000000)) == k);
}

/* Equal shares of 0.8 over the rounds, as mechanisms compute them: no good is lost on the way. */
static void rounds_of_equal_shares(void **state) {
  (void)state;
  static const int64_t AGENTS_OF[] = {100, 1000, 100000, INT64_C(1000000000000)};
  static const int ROUNDS[] = {4, 5, 8, 10, 20, 40, 80};
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 7; j++) {
      double left = 0.8;
      for (int h = 0; h < ROUNDS[j]; h++) {
        const double goods = left / (ROUNDS[j] - h);
        assert_true(wal_clearing_goods(goods, AGENTS_OF[i]) == AGENTS_OF[i] * 4 / 5 / ROUNDS[j]);
        left -= goods;
      }
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(corner_cases),
    cmocka_unit_test(exact_clearing_is_sorting),
    cmocka_unit_test(exact_clearing_of_huge_numbers),
    cmocka_unit_test(goods_are_rounded_down),
    cmocka_unit_test(rounds_of_equal_shares),
};

WAL_TEST_MAIN(tests)
