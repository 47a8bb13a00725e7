// SPDX-License-Identifier: GPL-3.0-or-later
/* The multiplicative step on probabilities in signed form against softmax of the logits that it
   stands for, kept in long double. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/core/random.h"
#include "sim/game/tile.h"
#include "tests/support/harness.h"

enum { ACTIONS = 4, COUNT = 150, STRIDE = 152, PAIRS = ACTIONS * STRIDE };

static const wal_tile T = {COUNT, STRIDE, ACTIONS};

static double draw(int item, uint32_t step) {
  return 2 * wal_random_uniform(5, WAL_PURPOSE_TEST, (uint64_t)item, step, 0) - 1;
}

/* Log probabilities of one state from its logits. */
static void log_softmax(const long double *y, int64_t i, long double *log_p) {
  long double top = -HUGE_VALL, sum = 0;
  for (int a = 0; a < ACTIONS; a++) top = fmaxl(top, y[a * STRIDE + i]);
  for (int a = 0; a < ACTIONS; a++) sum += expl(y[a * STRIDE + i] - top);
  for (int a = 0; a < ACTIONS; a++) log_p[a] = y[a * STRIDE + i] - top - logl(sum);
}

static void compare(const long double *y, const double *p, double tolerance) {
  for (int64_t i = 0; i < COUNT; i++) {
    long double log_p[ACTIONS];
    double sum = 0;
    log_softmax(y, i, log_p);
    for (int a = 0; a < ACTIONS; a++) {
      const double x = p[a * STRIDE + i];
      assert_true((x == 0) == (y[a * STRIDE + i] == -HUGE_VALL));
      if (x == 0) continue;
      sum += x > 0 ? x : 0;
      assert_true(x >= 1e-300 || x < -690.7);
      const double got = x > 0 ? log(x) : x;
      WAL_ASSERT_WITHIN(got, (double)log_p[a], tolerance * (1 + fabs((double)log_p[a])));
    }
    WAL_ASSERT_WITHIN(sum, 1, 1e-14);
  }
}

/* Which actions are not legal where some are not: never all of a state, sometimes the last one. */
static bool is_illegal(int i) { return i % STRIDE % 5 != 0 && (i / STRIDE + i % STRIDE) % 3 == 0; }

static unsigned which(wal_tile t, bool illegal, const double *p) {
  return (illegal ? WAL_TILT_ILLEGAL : 0) | (wal_tile_has_logs(t, p) ? WAL_TILT_LOGS : 0);
}

static void start(bool illegal, double *p) {
  for (int i = 0; i < PAIRS; i++) p[i] = illegal && is_illegal(i) ? 0 : 1.0 / ACTIONS;
}

/* A hundred steps one way and the same back: actions vanish beyond all numbers and return. */
static void check_return(bool illegal) {
  static const double RATES[] = {0.001, 1, 40, 1000};
  double p[PAIRS], q[PAIRS], *room = malloc(sizeof *room * (size_t)wal_tile_tilt_room(ACTIONS));
  long double *y = malloc(sizeof *y * PAIRS);
  assert_true(room && y);
  for (size_t r = 0; r < sizeof RATES / sizeof RATES[0]; r++) {
    bool vanished = false;
    start(illegal, p);
    for (int i = 0; i < PAIRS; i++) y[i] = p[i] == 0 ? -HUGE_VALL : 0;
    for (int step = 0; step < 200; step++) {
      const double sign = step < 100 ? 1 : -1;
      for (int i = 0; i < PAIRS; i++)  // some states hardly move, others are thrown about
        q[i] = sign * (draw(i, 0) + 0.1 * draw(i, (uint32_t)step)) * (i % STRIDE % 3);
      for (int i = 0; i < PAIRS; i++)
        if (illegal && is_illegal(i)) q[i] = -1e300;
      wal_tile_tilt(T, RATES[r], which(T, illegal, p), q, p, room);
      for (int i = 0; i < PAIRS; i++) y[i] += (long double)RATES[r] * q[i];
      vanished = vanished || wal_tile_has_logs(T, p);
      // logits of up to 400 * rate are passed: half an ulp of them a step adds up
      if (step % 20 == 19) compare(y, p, 1e-12 + 5e-12 * RATES[r]);
    }
    assert_true(vanished == (RATES[r] > 1));
  }
  free(room);
  free(y);
}

static void probabilities_vanish_and_return(void **state) {
  (void)state;
  check_return(false);
  check_return(true);
}

/* What becomes of a state does not depend on the states beside it. */
static void check_states(bool illegal) {
  double p[PAIRS], q[PAIRS], one[ACTIONS], q_one[ACTIONS];
  double *room = malloc(sizeof *room * (size_t)wal_tile_tilt_room(ACTIONS));
  assert_non_null(room);
  for (int i = 0; i < PAIRS; i++) {
    q[i] = draw(i, 7) * (i % STRIDE % 5 == 0 ? 900 : 1);
    if (illegal && is_illegal(i)) q[i] = -1e300;
  }
  start(illegal, p);
  double before[PAIRS];
  for (int step = 0; step < 5; step++) {
    memcpy(before, p, sizeof p);
    wal_tile_tilt(T, 1, which(T, illegal, p), q, p, room);
    for (int64_t i = 0; i < COUNT; i++) {
      for (int a = 0; a < ACTIONS; a++)
        one[a] = before[a * STRIDE + i], q_one[a] = q[a * STRIDE + i];
      const wal_tile alone = {1, 1, ACTIONS};
      wal_tile_tilt(alone, 1, which(alone, illegal, one), q_one, one, room);
      for (int a = 0; a < ACTIONS; a++) WAL_ASSERT_SAME(one[a], p[a * STRIDE + i]);
    }
  }
  free(room);
}

static void states_do_not_touch_each_other(void **state) {
  (void)state;
  check_states(false);
  check_states(true);
}

static void logarithms_are_dropped(void **state) {
  (void)state;
  const double p[4] = {0.25, -700, 0.75, -HUGE_VAL};
  double out[4];
  assert_true(wal_tile_has_logs((wal_tile){2, 2, 2}, p));
  assert_false(wal_tile_has_logs((wal_tile){1, 2, 2}, p));
  wal_tile_drop_logs((wal_tile){2, 2, 2}, p, out);
  assert_true(out[0] == 0.25 && out[1] == 0 && out[2] == 0.75 && out[3] == 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(probabilities_vanish_and_return),
    cmocka_unit_test(states_do_not_touch_each_other),
    cmocka_unit_test(logarithms_are_dropped),
};
WAL_TEST_MAIN(tests)
