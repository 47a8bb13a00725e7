// SPDX-License-Identifier: GPL-3.0-or-later
/* Transfer pays: paired over 20 seeds that nothing was tuned on, with the reference bandit of
 * docs/transfer.md. Intervals are of 95 % (Student's t, 19 degrees of freedom). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "rlhf/transfer.h"
#include "tests/support/harness.h"
#include "tests/support/make_transfer.h"

WAL_TEST_CTX(4)

enum { SEEDS = 20, FIRST = 4001, ROUNDS = 1000, STOPS = 3, ARMS = 8 };
static const int64_t STOP[STOPS] = {250, 500, 1000};

typedef struct course {
  double regret[STOPS][SEEDS], uses[STOPS][SEEDS][ARMS];
} course;

/* Methods inside, so that a seed's bandit is drawn once. */
static void run(transfer_bench *b, int count, const char *const *text, course *const *out) {
  wal_transfer *t = &b->transfer;
  wal_transfer_method *method[2] = {NULL};
  for (int k = 0; k < count; k++) WAL_ASSERT_OK(ctx, transfer_bench_method(b, text[k], &method[k]));
  for (int i = 0; i < SEEDS * count; i++) {
    const uint64_t seed = FIRST + (uint64_t)(i / count);
    wal_transfer_method *m = method[i % count];
    double *memory = calloc((size_t)wal_transfer_memory(t, m), sizeof *memory);
    WAL_ASSERT_OK(ctx, wal_transfer_begin(t, m, seed, memory));
    for (int stop = 0; stop < STOPS; stop++) {
      course *of = out[i % count];
      WAL_ASSERT_OK(ctx, wal_transfer_run(t, m, seed, STOP[stop], memory));
      of->regret[stop][i / count] = wal_transfer_now(memory)[WAL_TRANSFER_REGRET];
      for (int64_t a = 0; a < t->arms; a++)
        of->uses[stop][i / count][a] = wal_transfer_now(memory)[WAL_TRANSFER_SUMS + a];
    }
    free(memory);
  }
  for (int k = 0; k < count; k++) wal_transfer_method_destroy(&method[k]);
}

/* Ratio of mean regrets, and half its interval. */
static double ratio(const char *what, const course *x, const course *base, int stop) {
  double mean = 0, of_base = 0, square = 0;
  for (int i = 0; i < SEEDS; i++) {
    mean += x->regret[stop][i] / SEEDS;
    of_base += base->regret[stop][i] / SEEDS;
  }
  for (int i = 0; i < SEEDS; i++) {
    const double off = x->regret[stop][i] - mean / of_base * base->regret[stop][i];
    square += off * off;
  }
  printf("%s: %.1f against %.1f at round %d: %.3f +- %.3f\n", what, mean, of_base, (int)STOP[stop],
         mean / of_base, 2.093 * sqrt(square / (SEEDS - 1) / SEEDS) / of_base);
  return mean / of_base;
}

static void transfer_pays_with_good_sources_and_costs_little_with_bad_ones(void **state) {
  (void)state;
  static course greedy, good, bad;
  transfer_bench b;
  transfer_setting setting = {.bandit = "log_linear{}",
                              .sources = "mixtures{correlations={0.9, 0.75, 0.4, -0.5}}",
                              .rounds = ROUNDS,
                              .refit = 50};
  WAL_ASSERT_OK(ctx, transfer_bench_open(ctx, &setting, &b));
  run(&b, 2, (const char *const[]){"greedy{}", "tpo{}"}, (course *const[]){&greedy, &good});
  transfer_bench_close(&b);
  setting.sources = "mixtures{correlations={0.4, -0.5}}";
  WAL_ASSERT_OK(ctx, transfer_bench_open(ctx, &setting, &b));
  run(&b, 1, (const char *const[]){"tpo{}"}, (course *const[]){&bad});
  transfer_bench_close(&b);
  assert_true(ratio("good sources", &good, &greedy, 1) <= 0.85);
  assert_true(ratio("good sources", &good, &greedy, 2) <= 0.8);
  assert_true(ratio("bad sources", &bad, &greedy, 1) <= 1.15);
  assert_true(ratio("bad sources", &bad, &greedy, 2) <= 1.15);
  /* rounds 251 to 500 that are not the online learner's: most go to the best source */
  double best = 0, all = 0;
  for (int i = 0; i < SEEDS; i++)
    for (int a = 0; a < 6; a++) {
      const double uses = good.uses[1][i][a] - good.uses[0][i][a];
      best += a == 0 ? uses : 0;
      all += a == 4 ? 0 : uses;
    }
  printf("best source: %.0f of %.0f\n", best, all);
  assert_true(best >= 0.7 * all);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(transfer_pays_with_good_sources_and_costs_little_with_bad_ones),
};

int main(int argc, char **argv) {
  wal_test_begin(&argc, &argv);
  return wal_test_end(cmocka_run_group_tests(tests, open_ctx, close_ctx));
}
