// SPDX-License-Identifier: GPL-3.0-or-later
/* Draws without replacement against the exact distribution: probabilities against GSL's (a separate
 * implementation), samples of a fixed seed by chi-square. */
#include "sim/agents/hypergeometric.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <math.h>
#include <stdlib.h>

#include "sim/agents/lottery.h"
#include "tests/support/harness.h"

static const int64_t HUGE_COUNT = INT64_C(1000000000000);

static wal_stream stream(uint64_t item) {
  return (wal_stream){.seed = 77, .purpose = WAL_PURPOSE_TEST, .item = item};
}

static int64_t least(int64_t bad, int64_t draws) { return draws > bad ? draws - bad : 0; }
static int64_t most(int64_t good, int64_t draws) { return draws < good ? draws : good; }

static const int64_t LAWS[][3] = {
    {1, 1, 1},          {5, 7, 4},      {5, 7, 12},           {0, 9, 3},
    {9, 0, 3},          {30, 20, 25},   {1, 100000, 50},      {700, 300, 999},
    {1000, 2000, 1500}, {4000, 90, 60}, {20000, 30000, 9000}, {100000, 400000, 200000}};
enum { LAW_COUNT = sizeof LAWS / sizeof LAWS[0] };

static void probabilities_are_those_of_gsl(void **state) {
  (void)state;
  for (int i = 0; i < LAW_COUNT; i++) {
    const int64_t *law = LAWS[i];
    const int64_t low = least(law[1], law[2]), high = most(law[0], law[2]);
    assert_true(wal_hypergeometric_log(law[0], law[1], law[2], low - 1) == -HUGE_VAL);
    assert_true(wal_hypergeometric_log(law[0], law[1], law[2], high + 1) == -HUGE_VAL);
    double total = 0;
    for (int64_t k = low; k <= high; k++) {
      const double p = exp(wal_hypergeometric_log(law[0], law[1], law[2], k));
      const double other = gsl_ran_hypergeometric_pdf((unsigned)k, (unsigned)law[0],
                                                      (unsigned)law[1], (unsigned)law[2]);
      // GSL's loses digits to factorials of large numbers.
      if (other > 1e-200) WAL_ASSERT_NEAR(p, other, 1e-13 * (double)(law[0] + law[1] + 100));
      total += p;
    }
    WAL_ASSERT_WITHIN(total, 1, 1e-12);
  }
}

/* P(k+1)/P(k) is a quotient of whole numbers; the mean over a window around it gives the scale. */
static void probabilities_of_huge_numbers_hold_together(void **state) {
  (void)state;
  const int64_t good = HUGE_COUNT / 3, bad = HUGE_COUNT - good, draws = HUGE_COUNT / 5;
  const int64_t mean = good / 5, steps = 1500000;
  double total = 0, mean_away = 0, square = 0;
  for (int64_t k = mean - steps; k <= mean + steps; k++) {
    const double p = exp(wal_hypergeometric_log(good, bad, draws, k)), away = (double)(k - mean);
    total += p;
    mean_away += p * away;
    square += p * away * away;
  }
  const double n = (double)HUGE_COUNT, r = (double)good, m = (double)draws;
  const double variance = m * (r / n) * (1 - r / n) * (n - m) / (n - 1);
  WAL_ASSERT_WITHIN(total, 1, 1e-11);
  WAL_ASSERT_WITHIN(mean_away, r * m / n - (double)mean, 1e-4);
  WAL_ASSERT_NEAR(square - mean_away * mean_away, variance, 1e-9);
  for (int64_t away = -1000000; away <= 1000000; away += 99991) {
    const int64_t k = mean + away;
    const double ratio = (double)(good - k) / (double)(k + 1) *
                         ((double)(draws - k) / (double)(bad - draws + k + 1));
    const double up = wal_hypergeometric_log(good, bad, draws, k + 1);
    WAL_ASSERT_WITHIN(up - wal_hypergeometric_log(good, bad, draws, k), log(ratio), 1e-12);
  }
}

/* Chi-square of samples in cells of at least `least_expected` draws; its probability of being
 * larger is asked for: 10^-4 would be a rare seed, smaller ones a wrong sampler. */
static void check_sample(int64_t good, int64_t bad, int64_t draws, int samples, uint64_t item) {
  enum { CELLS = 4000 };
  const double n = (double)good + (double)bad, mean = (double)good * ((double)draws / n);
  const double deviation =
      sqrt(mean * ((double)bad / n) * ((n - (double)draws) / fmax(n - 1, 1))) + 1;
  const int64_t width = deviation > 200 ? (int64_t)(deviation / 20) : 1;
  const int64_t first = (int64_t)mean - CELLS / 2 * width;
  static double expected[CELLS];
  static int seen[CELLS];
  wal_stream s = stream(item);
  double sum = 0;
  for (int c = 0; c < CELLS; c++) expected[c] = seen[c] = 0;
  for (int i = 0; i < samples; i++) {
    const int64_t k = wal_hypergeometric(&s, good, bad, draws);
    assert_true(k >= least(bad, draws) && k <= most(good, draws));
    const int64_t cell = (k - first) / width;
    assert_true(k >= first && cell < CELLS);
    seen[cell]++;
    sum += (double)k - mean;
  }
  for (int c = 0; c < CELLS; c++) {
    const double middle = (double)(first + c * width) + (double)width / 2;
    if (fabs(middle - mean) > 9 * deviation + (double)width) continue;
    for (int64_t k = first + c * width; k < first + (c + 1) * width; k++)
      expected[c] += samples * exp(wal_hypergeometric_log(good, bad, draws, k));
  }
  double chi = 0, e = 0, o = 0;
  int freedom = -1;
  for (int c = 0; c < CELLS; c++) {
    e += expected[c];
    o += seen[c];
    if (e < 8 && c < CELLS - 1) continue;
    if (e > 0) chi += (o - e) * (o - e) / e, freedom++;
    e = o = 0;
  }
  if (freedom > 0) assert_true(gsl_cdf_chisq_Q(chi, freedom) > 1e-4);
  assert_true(fabs(sum / samples) < 4.5 * deviation / sqrt(samples));
}

static void samples_have_the_distribution(void **state) {
  (void)state;
  for (int i = 0; i < LAW_COUNT; i++)
    check_sample(LAWS[i][0], LAWS[i][1], LAWS[i][2], 40000, (uint64_t)i);
}

static void samples_of_huge_numbers_have_the_distribution(void **state) {
  (void)state;
  check_sample(HUGE_COUNT / 2, HUGE_COUNT / 2, HUGE_COUNT / 2, 400000, 100);
  check_sample(HUGE_COUNT / 3, HUGE_COUNT, HUGE_COUNT / 7, 400000, 101);
  check_sample(HUGE_COUNT - 2000, 2000, HUGE_COUNT / 2, 20000, 102);
  check_sample(3, HUGE_COUNT, HUGE_COUNT / 4, 20000, 103);
  check_sample(1000000, HUGE_COUNT, 1000000, 20000, 104);
  check_sample(HUGE_COUNT, HUGE_COUNT, 100000, 20000, 105);
  check_sample(INT64_C(1) << 52, INT64_C(1) << 52, 3000, 20000, 106);
}

/* On both sides of the change of method, and where the mode is at an end. */
static void samples_at_the_edges(void **state) {
  (void)state;
  check_sample(2000, 2000, 1000, 30000, 200);
  check_sample(2100, 2100, 1060, 30000, 201);
  check_sample(1, HUGE_COUNT, 1, 1000, 202);
  check_sample(100000, 3, 50000, 30000, 203);
  check_sample(1500, 1, 1500, 30000, 204);
  check_sample(INT64_C(3000000), INT64_C(30), INT64_C(2999990), 30000, 205);
}

/* All splits of 7 winners over 4 classes, against the multivariate distribution. */
static void shares_have_the_multivariate_distribution(void **state) {
  (void)state;
  enum { CLASSES = 4, WINNERS = 7, SAMPLES = 60000, SIDE = WINNERS + 1 };
  static const int64_t MEMBERS[CLASSES] = {3, 6, 1, 5};
  static int seen[SIDE * SIDE * SIDE];
  for (int i = 0; i < SAMPLES; i++) {
    const wal_lot lot = {.seed = 3, .stage = 2, .number = (uint64_t)i};
    int64_t drawn[CLASSES], total = 0;
    wal_lottery_share(&lot, 0, CLASSES, MEMBERS, WINNERS, drawn);
    for (int c = 0; c < CLASSES; c++) {
      assert_true(drawn[c] >= 0 && drawn[c] <= MEMBERS[c]);
      total += drawn[c];
    }
    assert_int_equal(total, WINNERS);
    seen[(drawn[0] * SIDE + drawn[1]) * SIDE + drawn[2]]++;
  }
  double chi = 0, total = 0, rare = 0, rare_seen = 0;
  int freedom = -1;
  for (int at = 0; at < SIDE * SIDE * SIDE; at++) {
    const unsigned drawn[CLASSES] = {
        (unsigned)(at / SIDE / SIDE), (unsigned)(at / SIDE % SIDE), (unsigned)(at % SIDE),
        (unsigned)(WINNERS - at / SIDE / SIDE - at / SIDE % SIDE - at % SIDE)};
    double p = 1 / 6435.0;  // 15 over 7
    for (int c = 0; c < CLASSES; c++) {
      double ways = 1;
      for (unsigned j = 0; j < drawn[c] && drawn[c] <= 1000; j++)
        ways *= ((double)MEMBERS[c] - j) / (j + 1);
      p *= drawn[c] <= MEMBERS[c] ? ways : 0;
    }
    total += p;
    if (p == 0) {
      assert_int_equal(seen[at], 0);
    } else if (p * SAMPLES < 8) {
      rare += p * SAMPLES;
      rare_seen += seen[at];
    } else {
      chi += pow(seen[at] - p * SAMPLES, 2) / (p * SAMPLES), freedom++;
    }
  }
  WAL_ASSERT_WITHIN(total, 1, 1e-12);
  if (rare > 0) chi += pow(rare_seen - rare, 2) / rare, freedom++;
  assert_true(freedom > 20 && gsl_cdf_chisq_Q(chi, freedom) > 1e-4);
}

/* Shares of 10^12 agents: each class near its mean, in units of the exact deviation. */
static void shares_of_huge_numbers(void **state) {
  (void)state;
  enum { CLASSES = 101, SAMPLES = 400 };
  int64_t members[CLASSES], drawn[CLASSES], all = 0;
  double square[CLASSES] = {0};
  for (int c = 0; c < CLASSES; c++)
    all += members[c] = HUGE_COUNT / CLASSES * (c % 7) / 3 + (c % 5 == 0);
  const int64_t winners = all / 3 + 1;
  const double n = (double)all, m = (double)winners;
  for (int i = 0; i < SAMPLES; i++) {
    const wal_lot lot = {.seed = 5, .number = (uint64_t)i};
    int64_t total = 0;
    wal_lottery_share(&lot, 1, CLASSES, members, winners, drawn);
    for (int c = 0; c < CLASSES; c++) {
      const double r = (double)members[c], mean = r * m / n;
      const double variance = mean * (1 - r / n) * (n - m) / (n - 1);
      if (variance == 0) assert_true((double)drawn[c] == mean);
      if (variance > 0.1) square[c] += pow((double)drawn[c] - mean, 2) / variance / SAMPLES;
      total += drawn[c];
    }
    assert_true(total == winners);
  }
  double mean_square = 0;
  int counted = 0;
  for (int c = 0; c < CLASSES; c++)
    if (square[c] > 0) mean_square += square[c], counted++;
  // Each square has the mean 1 and, over the samples, a deviation of sqrt(2 / SAMPLES).
  assert_true(counted > 70);
  WAL_ASSERT_WITHIN(mean_square / counted, 1, 4.5 * sqrt(2.0 / SAMPLES / counted));
  for (int c = 0; c < CLASSES; c++) assert_true(square[c] < 1 + 5 * sqrt(2.0 / SAMPLES));
}

static void shares_of_all_and_of_none(void **state) {
  (void)state;
  const int64_t members[5] = {0, 4, 0, 7, 1};
  int64_t drawn[5];
  const wal_lot lot = {.seed = 1};
  wal_lottery_share(&lot, 0, 5, members, 12, drawn);
  for (int c = 0; c < 5; c++) assert_true(drawn[c] == members[c]);
  wal_lottery_share(&lot, 0, 5, members, 0, drawn);
  for (int c = 0; c < 5; c++) assert_true(drawn[c] == 0);
  wal_lottery_share(&lot, 0, 1, members + 3, 3, drawn);
  assert_true(drawn[0] == 3);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(probabilities_are_those_of_gsl),
    cmocka_unit_test(probabilities_of_huge_numbers_hold_together),
    cmocka_unit_test(samples_have_the_distribution),
    cmocka_unit_test(samples_of_huge_numbers_have_the_distribution),
    cmocka_unit_test(samples_at_the_edges),
    cmocka_unit_test(shares_have_the_multivariate_distribution),
    cmocka_unit_test(shares_of_huge_numbers),
    cmocka_unit_test(shares_of_all_and_of_none),
};

WAL_TEST_MAIN(tests)
