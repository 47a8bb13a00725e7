// SPDX-License-Identifier: GPL-3.0-or-later
/* Binomial and multinomial draws against the exact distribution: probabilities against GSL's (a
 * separate implementation), samples of a fixed seed by chi-square. */
#include "sim/agents/binomial.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <math.h>
#include <stdlib.h>

#include "tests/support/harness.h"

static const int64_t MOST = INT64_C(1) << 53;
static const int64_t LARGE = INT64_C(1000000000000000);

static wal_stream stream(uint64_t item) {
  return (wal_stream){.seed = 78, .purpose = WAL_PURPOSE_TEST, .item = item};
}

// ---- Probabilities ----------------------------------------------------------------------------

static void probabilities_are_those_of_gsl(void **state) {
  (void)state;
  static const struct {
    int64_t n;
    double p;
  } LAWS[] = {{1, 0.5},   {1, 0.01},     {2, 0.999},  {7, 0.3},      {40, 0.5},
              {41, 0.75}, {1000, 0.001}, {1000, 0.4}, {30000, 0.97}, {1000000, 2e-5}};
  for (size_t i = 0; i < sizeof LAWS / sizeof *LAWS; i++) {
    const int64_t n = LAWS[i].n;
    assert_true(wal_binomial_log(n, LAWS[i].p, -1) == -HUGE_VAL);
    assert_true(wal_binomial_log(n, LAWS[i].p, n + 1) == -HUGE_VAL);
    double total = 0;
    for (int64_t k = 0; k <= n; k++) {
      const double p = exp(wal_binomial_log(n, LAWS[i].p, k));
      const double other = gsl_ran_binomial_pdf((unsigned)k, LAWS[i].p, (unsigned)n);
      // GSL's loses digits to factorials of large numbers.
      if (other > 1e-200) WAL_ASSERT_NEAR(p, other, 1e-14 * (double)(n + 100));
      total += p;
    }
    WAL_ASSERT_WITHIN(total, 1, 1e-12);
  }
  for (int64_t k = 0; k <= 3; k++) {
    assert_true(wal_binomial_log(3, 0, k) == (k == 0 ? 0 : -HUGE_VAL));
    assert_true(wal_binomial_log(3, 1, k) == (k == 3 ? 0 : -HUGE_VAL));
  }
}

/* P(k+1)/P(k) = (n-k)/(k+1) p/(1-p); the sums over a window give scale, mean and variance. */
static void probabilities_of_huge_numbers_hold_together(void **state) {
  (void)state;
  const int64_t n = LARGE, mean = 1000000000;
  const double p = 1e-6;
  double total = 0, mean_away = 0, square = 0;
  for (int64_t k = mean - 400000; k <= mean + 400000; k++) {
    const double of_k = exp(wal_binomial_log(n, p, k)), away = (double)(k - mean);
    total += of_k;
    mean_away += of_k * away;
    square += of_k * away * away;
  }
  WAL_ASSERT_WITHIN(total, 1, 1e-11);
  WAL_ASSERT_WITHIN(mean_away, 0, 1e-5);
  WAL_ASSERT_NEAR(square, 1e9 * (1 - 1e-6), 1e-9);
  for (int64_t away = -200000; away <= 200000; away += 9991) {
    const int64_t k = mean + away;
    const double ratio = (double)(n - k) / (double)(k + 1) * (p / (1 - p));
    WAL_ASSERT_WITHIN(wal_binomial_log(n, p, k + 1) - wal_binomial_log(n, p, k), log(ratio), 1e-12);
  }
}

/* What algorithm BTRS rests on, with the constants of the paper: the hat is above the probabilities
 * everywhere, the squeeze below them where it is used. */
static void check_hat(int64_t n, double p) {
  const double mean = (double)n * p, deviation = sqrt(mean * (1 - p));
  const double b = 1.15 + 2.53 * deviation, a = -0.0873 + 0.0248 * b + 0.01 * p;
  const double alpha = (2.83 + 5.1 / b) * deviation, squeeze = 0.92 - 4.2 / b;
  const double mode = floor(((double)n + 1) * p), c = mean - mode + 0.5;
  const double at_mode = wal_binomial_log(n, p, (int64_t)mode);
  enum { STEPS = 4000 };
  for (int i = 0; i < 2 * STEPS; i++) {
    const double z = (i % STEPS + 0.5) / STEPS, t = i < STEPS ? z / 2 : exp(-25 * z) / 2;
    for (int side = -1; side <= 1; side += 2) {
      const double u = side * (0.5 - t), k = mode + floor((2 * a / t + b) * u + c);
      const double is = wal_binomial_log(n, p, k < 0 || k > (double)n ? -1 : (int64_t)k) - at_mode;
      const double taken = exp(is) * (a / (t * t) + b) / alpha;
      assert_true(taken < 1);
      if (t >= 0.07) assert_true(taken > squeeze);
    }
  }
}

static void the_hat_is_above_and_the_squeeze_below(void **state) {
  (void)state;
  static const double P[] = {1e-9, 1e-3, 0.05, 0.2, 0.35, 0.5};
  static const double MEAN[] = {10, 10.3, 10.6, 11, 12.5, 14, 17, 20.5, 26, 40, 75, 200, 1e3, 1e6};
  for (size_t i = 0; i < sizeof P / sizeof *P; i++)
    for (size_t j = 0; j < sizeof MEAN / sizeof *MEAN; j++)
      check_hat((int64_t)ceil(MEAN[j] / P[i]), P[i]);
  check_hat(MOST, 0.5);
  check_hat(MOST, 1e-8);
}

// ---- Samples ----------------------------------------------------------------------------------

/* Probability of first .. first + width - 1: summed up, or for wide cells by the normal
 * distribution with its first correction, for the skewness; the next one is of the order 1 /
 * variance. */
static double cell_probability(int64_t n, double p, double mean, int64_t first, int64_t width) {
  if (width <= 1000) {
    double total = 0;
    for (int64_t k = first; k < first + width; k++) total += exp(wal_binomial_log(n, p, k));
    return total;
  }
  const double deviation = sqrt((double)n * p * (1 - p)), skewness = (1 - 2 * p) / deviation;
  double below[2];
  for (int i = 0; i < 2; i++) {
    const double x = ((double)(first + i * width) - 0.5 - mean) / deviation;
    below[i] = gsl_cdf_ugaussian_P(x) - skewness / 6 * (x * x - 1) * gsl_ran_ugaussian_pdf(x);
  }
  return below[1] - below[0];
}

/* Its probability of being larger is asked for: 10^-4 would be a rare seed, smaller ones a wrong
 * sampler. */
static void check_chi_square(int cells, const double *expected, const int *seen) {
  double chi = 0, e = 0, o = 0;
  int freedom = -1;
  for (int c = 0; c < cells; c++) {
    e += expected[c];
    o += seen[c];
    if (e < 8 && c < cells - 1) continue;
    if (e > 0) chi += (o - e) * (o - e) / e, freedom++;
    e = o = 0;
  }
  if (freedom > 0) assert_true(gsl_cdf_chisq_Q(chi, freedom) > 1e-4);
}

static void check_sample(int64_t n, double p, int samples, uint64_t item) {
  enum { CELLS = 1000 };
  static double expected[CELLS];
  static int seen[CELLS];
  const double mean = (double)n * p, deviation = sqrt(mean * (1 - p));
  const int64_t width = deviation > 50 ? (int64_t)(deviation / 20) : 1;
  const int64_t first = (int64_t)mean - CELLS / 2 * width;
  wal_stream s = stream(item);
  double sum = 0, square = 0;
  for (int c = 0; c < CELLS; c++) expected[c] = seen[c] = 0;
  for (int i = 0; i < samples; i++) {
    const int64_t k = wal_binomial(&s, n, p);
    assert_true(k >= 0 && k <= n);
    const int64_t cell = (k - first) / width;
    assert_true(k >= first && cell < CELLS);
    seen[cell]++;
    const double away = (double)(k - (int64_t)mean) - (mean - floor(mean));
    sum += away;
    square += away * away;
  }
  for (int c = 0; c < CELLS; c++) {
    const int64_t at = first + c * width;
    if (fabs((double)(at - (int64_t)mean)) < 9 * (deviation + 1) + (double)width)
      expected[c] = samples * cell_probability(n, p, mean, at, width);
  }
  check_chi_square(CELLS, expected, seen);
  assert_true(fabs(sum / samples) < 4 * deviation / sqrt(samples));
  if (deviation > 10)
    WAL_ASSERT_WITHIN(square / samples / (deviation * deviation), 1, 4 * sqrt(2.0 / samples));
}

static void samples_have_the_distribution(void **state) {
  (void)state;
  static const double P[] = {0.5, 1e-3, 1e-14, 1 - 1e-9, 0.3, 0.9};
  static const int64_t N[] = {1, 20, 1000, 1000000, INT64_C(1000000000000)};
  for (int i = 0; i < 5; i++)
    for (int j = 0; j < 6; j++) check_sample(N[i], P[j], 60000, (uint64_t)(10 * i + j));
}

static void samples_of_huge_numbers_have_the_distribution(void **state) {
  (void)state;
  static const double P[] = {0.5, 1e-3, 1e-14, 1 - 1e-9, 3e-15, 1e-12};
  for (int j = 0; j < 6; j++) check_sample(LARGE, P[j], 300000, (uint64_t)(100 + j));
  check_sample(MOST, 0.5, 300000, 110);
  check_sample(MOST, 1.0 / 3, 300000, 111);
  check_sample(MOST, 0.999, 300000, 112);
  check_sample(MOST, 0x1p-53, 300000, 113);
}

/* On both sides of the change of method, with more samples. */
static void samples_at_the_change_of_method(void **state) {
  (void)state;
  check_sample(20, 0.49999, 500000, 200);
  check_sample(20, 0.5, 500000, 201);
  check_sample(99, 0.1, 500000, 202);
  check_sample(101, 0.1, 500000, 203);
  check_sample(LARGE, 9.99e-15, 500000, 204);
  check_sample(LARGE, 1.001e-14, 500000, 205);
  check_sample(LARGE, 0.999e-15, 500000, 206);
  check_sample(LARGE, 1.001e-15, 500000, 207);
}

/* A count that is rare has its probability, not that of rounded logarithms. */
static void rare_counts(void **state) {
  (void)state;
  wal_stream s = stream(300);
  int64_t seen = 0;
  for (int i = 0; i < 4000000; i++) seen += wal_binomial(&s, LARGE, 1e-20);
  const double expected = 4e6 * 1e-5;
  assert_true(fabs((double)seen - expected) < 4 * sqrt(expected));
}

static void ends_are_exact(void **state) {
  (void)state;
  wal_stream s = stream(301);
  for (int i = 0; i < 100; i++) {
    assert_true(wal_binomial(&s, MOST, 0) == 0);
    assert_true(wal_binomial(&s, MOST, 1) == MOST);
    assert_true(wal_binomial(&s, 0, 0.5) == 0);
    assert_true(wal_binomial(&s, 1000000000000, 1e-30) == 0);
    assert_true(wal_binomial(&s, 1, 1 - 0x1p-53) >= 0);
  }
  assert_int_equal(s.draw, 50);  // the last ones only; two numbers a draw
}

// ---- Multinomial ------------------------------------------------------------------------------

/* All ways of 6 agents over 4 things, one of them impossible, against the exact probabilities. */
static void ways_have_the_multinomial_distribution(void **state) {
  (void)state;
  enum { AGENTS = 6, THINGS = 4, SAMPLES = 60000, SIDE = AGENTS + 1 };
  static const double P[THINGS] = {0.2, 0, 1.2, 0.6};  // over their sum
  static int seen[SIDE * SIDE];
  static double expected[SIDE * SIDE];
  for (int i = 0; i < SAMPLES; i++) {
    int64_t out[THINGS];
    wal_stream s = stream(1000 + (uint64_t)i);
    wal_multinomial(&s, AGENTS, THINGS, P, out);
    assert_true(out[1] == 0 && out[0] + out[2] + out[3] == AGENTS);
    seen[out[0] * SIDE + out[2]]++;
  }
  double total = 0;
  for (unsigned i = 0; i <= AGENTS; i++)
    for (unsigned j = 0; i + j <= AGENTS; j++) {
      const unsigned out[3] = {i, j, AGENTS - i - j};
      const double share[3] = {0.1, 0.6, 0.3};
      const double p = gsl_ran_multinomial_pdf(3, share, out);
      expected[i * SIDE + j] = SAMPLES * p;
      total += p;
    }
  WAL_ASSERT_WITHIN(total, 1, 1e-12);
  check_chi_square(SIDE * SIDE, expected, seen);
}

/* 10^12 agents over 1001 things of very different probabilities: each thing near its mean, in units
 * of the exact deviation; nobody is lost. */
static void marginals_of_huge_numbers(void **state) {
  (void)state;
  enum { THINGS = 1001, SAMPLES = 400 };
  const int64_t n = INT64_C(1000000000000);
  static double p[THINGS], mean[THINGS], square[THINGS];
  static int64_t out[THINGS];
  double total = 0;
  for (int i = 0; i < THINGS; i++) total += p[i] = i % 7 == 3 ? 0 : pow(10, -(double)(i % 23));
  for (int sample = 0; sample < SAMPLES; sample++) {
    wal_stream s = stream(100000 + (uint64_t)sample);
    int64_t all = 0;
    wal_multinomial(&s, n, THINGS, p, out);
    for (int i = 0; i < THINGS; i++) {
      const double q = p[i] / total, variance = (double)n * q * (1 - q);
      const double away = (double)out[i] - (double)n * q;
      assert_true(out[i] >= 0 && (p[i] > 0 || out[i] == 0));
      all += out[i];
      mean[i] += away / sqrt(variance + 1e-300) / SAMPLES;
      square[i] += away * away / (variance + 1e-300) / SAMPLES;
    }
    assert_true(all == n);
  }
  int checked = 0;
  for (int i = 0; i < THINGS; i++) {
    if (p[i] / total * (double)n < 20) continue;
    assert_true(fabs(mean[i]) < 4.5 / sqrt(SAMPLES));
    WAL_ASSERT_WITHIN(square[i], 1, 5 * sqrt(2.0 / SAMPLES));
    checked++;
  }
  assert_true(checked > 300);
}

static void multinomials_of_one_thing_or_nobody(void **state) {
  (void)state;
  const double one = 0.7, sure[5] = {0, 0, 1, 0, 0}, tiny[3] = {0, 1e-310, 0};
  int64_t out[5];
  wal_stream s = stream(400);
  wal_multinomial(&s, MOST, 1, &one, out);
  assert_true(out[0] == MOST);
  wal_multinomial(&s, MOST, 5, sure, out);
  for (int i = 0; i < 5; i++) assert_true(out[i] == (i == 2 ? MOST : 0));
  wal_multinomial(&s, 9, 3, tiny, out);
  for (int i = 0; i < 3; i++) assert_true(out[i] == (i == 1 ? 9 : 0));
  wal_multinomial(&s, 0, 5, sure, out);
  for (int i = 0; i < 5; i++) assert_true(out[i] == 0);
  assert_int_equal(s.draw, 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(probabilities_are_those_of_gsl),
    cmocka_unit_test(probabilities_of_huge_numbers_hold_together),
    cmocka_unit_test(the_hat_is_above_and_the_squeeze_below),
    cmocka_unit_test(samples_have_the_distribution),
    cmocka_unit_test(samples_of_huge_numbers_have_the_distribution),
    cmocka_unit_test(samples_at_the_change_of_method),
    cmocka_unit_test(rare_counts),
    cmocka_unit_test(ends_are_exact),
    cmocka_unit_test(ways_have_the_multinomial_distribution),
    cmocka_unit_test(marginals_of_huge_numbers),
    cmocka_unit_test(multinomials_of_one_thing_or_nobody),
};

WAL_TEST_MAIN(tests)
