// SPDX-License-Identifier: GPL-3.0-or-later
/* The neural mechanism in single precision: answers and gradients near those in double precision,
 * and all that an answer promises. */
#include <math.h>
#include <stdlib.h>

#include "auctions/mechanism_neural.h"
#include "tests/support/make_design.h"
#include "tests/support/make_mechanism.h"

WAL_TEST_CTX(9)

enum { ROUNDS = 3, BIDS = 101 };
static const wal_market MARKET = {.rounds = ROUNDS, .bids = BIDS, .goods = 0.8};

/* Spans of WAL_DENSE_SPAN rows and what is left of one. */
static const int HIDDEN[] = {1, 7, 64, 300, 513};
enum { SIZES = sizeof HIDDEN / sizeof *HIDDEN };

static wal_mechanism *make(wal_test_mechanism *out, int hidden, const char *slope,
                           const char *precision) {
  char text[128];
  snprintf(text, sizeof text, "neural { hidden = %d, slope = '%s', precision = '%s' }", hidden,
           slope, precision);
  WAL_ASSERT_OK(ctx, wal_test_mechanism_create(ctx, text, &MARKET, out));
  return &out->made;
}

static void fill_mass(int round, double *mass) {
  for (int a = 0; a < BIDS; a++) mass[a] = (1 + sin(3.0 * a + round)) / BIDS;
}

/* Numbers of the order of 1 for weights and activations: the round-off of single precision, 6e-8,
 * times a few. */
static void test_answers(void **state) {
  (void)state;
  for (int i = 0; i < 2 * SIZES; i++) {
    const char *slope = i % 2 ? "free" : "capped";
    wal_test_mechanism room[2];
    wal_mechanism *single = make(&room[0], HIDDEN[i / 2], slope, "single");
    wal_mechanism *exact = make(&room[1], HIDDEN[i / 2], slope, "double");
    double pay[2][BIDS], mass[BIDS], apart = 0;
    for (int round = 0; round < ROUNDS; round++) {
      fill_mass(round, mass);
      const wal_round now = {.round = round, .left = 0.8 - 0.2 * round, .bid_mass = mass};
      wal_answer a = {.payment = pay[0]}, b = {.payment = pay[1]};
      wal_mechanism_answer(single, &now, &a);
      wal_mechanism_answer(exact, &now, &b);
      WAL_ASSERT_WITHIN(a.goods, b.goods, 2e-7);
      assert_true(a.goods >= 0 && a.goods <= now.left);
      for (int k = 0; k < BIDS; k++) {
        WAL_ASSERT_WITHIN(pay[0][k], pay[1][k], 2e-7);
        apart = fmax(apart, fabs(pay[0][k] - pay[1][k]));
        if (i % 2 == 0) assert_true(pay[0][k] <= (double)k / BIDS);
        if (k > 0) assert_true(pay[0][k] >= pay[0][k - 1]);
      }
    }
    assert_true(apart > 0);  // it is another precision indeed
    wal_test_mechanism_destroy(ctx, &room[0]);
    wal_test_mechanism_destroy(ctx, &room[1]);
  }
}

/* New weights count once the mechanism is told. */
static void test_designed(void **state) {
  (void)state;
  wal_test_mechanism room[2];
  wal_mechanism *m[2] = {make(&room[0], 24, "capped", "single"),
                         make(&room[1], 24, "capped", "double")};
  double pay[2][BIDS], mass[BIDS];
  fill_mass(0, mass);
  const wal_round now = {.round = 0, .left = 0.8, .bid_mass = mass};
  for (int i = 0; i < 2; i++) {
    wal_neural_layout at;
    wal_answer answer = {.payment = pay[i]};
    wal_mechanism_answer(m[i], &now, &answer);
    double *p = wal_neural_parameters(m[i], &at);
    for (int64_t j = 0; j < at.count; j++) p[j] += 0.2 * cos((double)j);
    m[i]->type->designed(m[i]->self);
    const double before = pay[i][BIDS - 1];
    wal_mechanism_answer(m[i], &now, &answer);
    assert_true(fabs(pay[i][BIDS - 1] - before) > 1e-3);
  }
  for (int k = 0; k < BIDS; k++) WAL_ASSERT_WITHIN(pay[0][k], pay[1][k], 5e-7);
  wal_test_mechanism_destroy(ctx, &room[0]);
  wal_test_mechanism_destroy(ctx, &room[1]);
}

/* |a - b| / |b| */
static double gap(int64_t count, const double *a, const double *b) {
  double difference = 0, size = 0;
  for (int64_t i = 0; i < count; i++) {
    difference += (a[i] - b[i]) * (a[i] - b[i]);
    size += b[i] * b[i];
  }
  return sqrt(difference / size);
}

/* Through the learner, as in setting A1 but for the levels and units; all memory modes. */
static void test_gradients(void **state) {
  (void)state;
  enum { WAYS = 3 };
  static const wal_unrolled_memory MEMORY[WAYS] = {WAL_UNROLLED_FULL, WAL_UNROLLED_SQRT,
                                                   WAL_UNROLLED_REVERSE};
  const wal_response response = {.rate = 10, .entropy = 1e-3, .iterations = 150};
  double *g[2][WAYS] = {{NULL}}, value[2] = {0};
  int64_t count = 0;
  for (int exact = 0; exact < 2; exact++) {
    wal_test_problem made;
    char game[256];
    snprintf(game, sizeof game,
             "batched_auction { rounds = 4, values = 40, bids = 40, goods = 0.8,"
             " mechanism = neural { hidden = 64, precision = '%s' } }",
             exact ? "double" : "single");
    WAL_ASSERT_OK(ctx, wal_test_problem_make(ctx, game, "revenue {}", response, NULL, &made));
    count = wal_problem_count(made.problem);
    for (int w = 0; w < WAYS; w++) {
      g[exact][w] = malloc((size_t)count * sizeof(double));
      WAL_ASSERT_OK(ctx, wal_problem_differentiate(made.problem, MEMORY[w]));
      WAL_ASSERT_OK(ctx, wal_problem_gradient(made.problem, wal_problem_start(made.problem),
                                              &value[exact], g[exact][w]));
    }
    wal_test_problem_free(&made);
  }
  print_message("  gradients apart by %.1e, values by %.1e; ways to remember by %.1e\n",
                gap(count, g[0][0], g[1][0]), fabs(value[0] - value[1]),
                gap(count, g[0][2], g[0][0]));
  assert_true(gap(count, g[0][0], g[1][0]) < 1e-5);
  WAL_ASSERT_WITHIN(value[0], value[1], 1e-6);
  WAL_ASSERT_WITHIN(gap(count, g[0][1], g[0][0]), 0, 1e-9);
  WAL_ASSERT_WITHIN(gap(count, g[0][2], g[0][0]), 0, 1e-9);
  for (int i = 0; i < 2 * WAYS; i++) free(g[i / WAYS][i % WAYS]);
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(test_answers),
                                          cmocka_unit_test(test_designed),
                                          cmocka_unit_test(test_gradients)};

int main(int argc, char **argv) {
  wal_test_begin(&argc, &argv);
  return wal_test_end(cmocka_run_group_tests(tests, open_ctx, close_ctx));
}
