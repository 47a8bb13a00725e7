// SPDX-License-Identifier: GPL-3.0-or-later
/* Transfer of preferences: methods that must agree, units by slices, results, annotators, and what
 * is refused. */
#include "rlhf/transfer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/core/log_grid.h"
#include "tests/support/harness.h"
#include "tests/support/make_transfer.h"

WAL_TEST_CTX(3)

// ---- The loop ---------------------------------------------------------------------------------

static const char *const METHODS[] = {"tpo{}",
                                      "tpo{mode='count'}",
                                      "empirical_tpo{}",
                                      "empirical_tpo{mode='best_of'}",
                                      "greedy{}",
                                      "dpo{}",
                                      "ipo{}",
                                      "dpo{reference='previous', batch=70}",
                                      "xpo{}",
                                      "vpo{}",
                                      "ucb{}",
                                      "gshf{}",
                                      "vpo{second='reference'}",
                                      "pure_source{source=2}"};
enum { METHOD_COUNT = sizeof METHODS / sizeof *METHODS };

static const transfer_setting SMALL = {
    .bandit = "log_linear{prompts=3, responses=12, features=5, reward_bound=2}",
    .sources = "mixtures{correlations={0.9, -0.5}}",
    .rounds = 230,
    .refit = 25};

static double *run_whole(transfer_bench *b, wal_transfer_method *m, uint64_t seed) {
  double *memory = calloc((size_t)wal_transfer_memory(&b->transfer, m), sizeof *memory);
  WAL_ASSERT_OK(ctx, wal_transfer_begin(&b->transfer, m, seed, memory));
  WAL_ASSERT_OK(ctx, wal_transfer_run(&b->transfer, m, seed, b->transfer.plan.rounds, memory));
  return memory;
}

/* Two units by turns in slices of odd sizes, in another transfer, end with the memory of units that
   run through, bit by bit. */
static void slices_by_turns_leave_the_same_memory(void **state) {
  (void)state;
  static const int64_t UNTIL[] = {1, 24, 25, 26, 99, 100, 171, 230};
  transfer_bench b, other;
  transfer_setting crowd = SMALL;
  crowd.annotators = "annotators{count=50, spread=0.5, noise=0.3}";
  WAL_ASSERT_OK(ctx, transfer_bench_open(ctx, &crowd, &b));
  WAL_ASSERT_OK(ctx, transfer_bench_open(ctx, &crowd, &other));
  for (int i = 0; i < METHOD_COUNT; i++) {
    wal_transfer_method *m = NULL, *sliced = NULL;
    WAL_ASSERT_OK(ctx, transfer_bench_method(&b, METHODS[i], &m));
    WAL_ASSERT_OK(ctx, transfer_bench_method(&other, METHODS[i], &sliced));
    const size_t size = (size_t)wal_transfer_memory(&b.transfer, m) * sizeof(double);
    double *whole[2] = {run_whole(&b, m, 5), run_whole(&b, m, 6)};
    double *memory[2] = {malloc(size), malloc(size)};
    for (uint64_t u = 0; u < 2; u++)
      WAL_ASSERT_OK(ctx, wal_transfer_begin(&other.transfer, sliced, 5 + u, memory[u]));
    for (size_t k = 0; k < sizeof UNTIL / sizeof *UNTIL; k++)
      for (uint64_t u = 0; u < 2; u++)
        WAL_ASSERT_OK(ctx, wal_transfer_run(&other.transfer, sliced, 5 + u, UNTIL[k], memory[u]));
    for (int u = 0; u < 2; u++) {
      assert_memory_equal(whole[u], memory[u], size);
      assert_int_equal(wal_transfer_played(memory[u]), 230);
      free(whole[u]);
      free(memory[u]);
    }
    wal_transfer_method_destroy(&m);
    wal_transfer_method_destroy(&sliced);
  }
  transfer_bench_close(&b);
  transfer_bench_close(&other);
}

/* Regret is the sum of gaps, counts add up, and what is handed over is a policy. */
static void results_are_consistent(void **state) {
  (void)state;
  transfer_bench b;
  WAL_ASSERT_OK(ctx, transfer_bench_open(ctx, &SMALL, &b));
  const wal_transfer *t = &b.transfer;
  double gaps[3];
  WAL_ASSERT_OK(ctx, wal_transfer_source_gaps(&b.transfer, 5, gaps));
  for (int i = 0; i < METHOD_COUNT; i++) {
    wal_transfer_method *m = NULL;
    WAL_ASSERT_OK(ctx, transfer_bench_method(&b, METHODS[i], &m));
    double *memory = run_whole(&b, m, 5);
    double before = 0;
    for (int64_t point = 0; point < t->points; point++) {
      const double *sums = wal_transfer_sums(t, memory, point);
      double uses = 0;
      for (int64_t a = 0; a < t->arms; a++) uses += sums[WAL_TRANSFER_SUMS + a];
      assert_true(uses == (double)t->point[point]);
      assert_true(sums[WAL_TRANSFER_REGRET] >= before && sums[WAL_TRANSFER_GAP] >= 0);
      assert_true(sums[WAL_TRANSFER_COVERAGE] >= 1);
      before = sums[WAL_TRANSFER_REGRET];
    }
    WAL_ASSERT_SAME(before, wal_transfer_now(memory)[WAL_TRANSFER_REGRET]);
    const double *final = wal_transfer_final(t, memory);
    for (int s = 0; s < 3; s++) {
      double sum = 0;
      for (int a = 0; a < 12; a++) sum += exp(final[s * 12 + a]);
      WAL_ASSERT_NEAR(sum, 1, 1e-12);
    }
    /* a pure source's regret is a line */
    if (strncmp(METHODS[i], "pure", 4) == 0)
      for (int64_t point = 0; point < t->points; point++)
        WAL_ASSERT_NEAR(wal_transfer_sums(t, memory, point)[WAL_TRANSFER_REGRET],
                        gaps[1] * (double)t->point[point], 1e-10);
    free(memory);
    wal_transfer_method_destroy(&m);
  }
  transfer_bench_close(&b);
}

/* One-hot features: the same losses, policies and choices as of tables. */
static void one_hot_features_are_tables(void **state) {
  (void)state;
  enum { S = 3, A = 6 };
  char one_hot[1024], table[512];
  snprintf(one_hot, sizeof one_hot,
           "log_linear{prompts=3, responses=6, features=18, reward_bound=2, phi=function(s, a, k) "
           "return s * 6 + a == k and 1 or 0 end, reward=function(s, a) return (7 * s + 5 * a) %% "
           "11 / 5.5 end, reference=function(s, a) return 1 + (s + 2 * a) %% 5 end}");
  snprintf(table, sizeof table,
           "tabular{prompts=3, responses=6, reward_bound=2, reward=function(s, a) return (7 * s + "
           "5 * a) %% 11 / 5.5 end, reference=function(s, a) return 1 + (s + 2 * a) %% 5 end}");
  transfer_setting setting = SMALL;
  transfer_bench b[2];
  for (int k = 0; k < 2; k++) {
    setting.bandit = k ? table : one_hot;
    WAL_ASSERT_OK(ctx, transfer_bench_open(ctx, &setting, &b[k]));
  }
  WAL_ASSERT_NEAR(b[0].transfer.bandit.known.ridge, b[1].transfer.bandit.known.ridge, 1e-12);
  for (int i = 0; i < METHOD_COUNT; i++) {
    wal_transfer_method *m[2];
    double *memory[2];
    for (int k = 0; k < 2; k++) {
      WAL_ASSERT_OK(ctx, transfer_bench_method(&b[k], METHODS[i], &m[k]));
      memory[k] = run_whole(&b[k], m[k], 5);
    }
    WAL_ASSERT_NEAR(wal_transfer_now(memory[0])[WAL_TRANSFER_REGRET],
                    wal_transfer_now(memory[1])[WAL_TRANSFER_REGRET], 1e-6);
    const double *final[2] = {wal_transfer_final(&b[0].transfer, memory[0]),
                              wal_transfer_final(&b[1].transfer, memory[1])};
    for (int p = 0; p < S * A; p++) WAL_ASSERT_WITHIN(final[0][p], final[1][p], 1e-5);
    for (int k = 0; k < 2; k++) {
      free(memory[k]);
      wal_transfer_method_destroy(&m[k]);
    }
  }
  for (int k = 0; k < 2; k++) transfer_bench_close(&b[k]);
}

/* DPO's own gradient at the policy handed over, by log-ratios of policies, is that of a minimum;
   and its regret is greedy's. */
static void dpo_with_a_fixed_reference_is_greedy(void **state) {
  (void)state;
  enum { A = 8, P = 16 };
  transfer_setting setting = SMALL;
  setting.bandit = "tabular{prompts=2, responses=8, reward_bound=2}";
  transfer_bench b;
  WAL_ASSERT_OK(ctx, transfer_bench_open(ctx, &setting, &b));
  wal_transfer_method *greedy = NULL, *dpo = NULL;
  WAL_ASSERT_OK(ctx, transfer_bench_method(&b, "greedy{}", &greedy));
  WAL_ASSERT_OK(ctx, transfer_bench_method(&b, "dpo{}", &dpo));
  double *one = run_whole(&b, greedy, 5), *other = run_whole(&b, dpo, 5);
  const wal_bandit_known *known = &b.transfer.bandit.known;
  const double *final = wal_transfer_final(&b.transfer, other);
  WAL_ASSERT_NEAR(wal_transfer_now(one)[WAL_TRANSFER_REGRET],
                  wal_transfer_now(other)[WAL_TRANSFER_REGRET], 1e-7);
  double gradient[P] = {0}, psi[P];
  for (int p = 0; p < P; p++) {
    psi[p] = final[p] - known->log_reference[p];
    WAL_ASSERT_WITHIN(final[p], wal_transfer_final(&b.transfer, one)[p], 1e-6);
  }
  const wal_preferences data = dpo->problem.data;
  assert_int_equal(wal_preferences_count(&data), setting.rounds);
  for (int64_t i = 0; i < setting.rounds; i++) {
    const wal_preference seen = wal_preferences_at(&data, i);
    const int64_t better = seen.prompt * A + (seen.won ? seen.first : seen.second);
    const int64_t worse = seen.prompt * A + (seen.won ? seen.second : seen.first);
    const double h = known->beta * (psi[better] - psi[worse]);
    gradient[better] -= known->beta / (1 + exp(h));
    gradient[worse] += known->beta / (1 + exp(h));
  }
  /* log-ratios are those up to a shift in a prompt, which the ridge settles: sum psi = 0 */
  for (int s = 0; s < 2; s++) {
    double mean = 0;
    for (int a = 0; a < A; a++) mean += psi[s * A + a] / A;
    for (int a = 0; a < A; a++) {
      const int p = s * A + a;
      const double pull = known->ridge * known->beta * known->beta * (psi[p] - mean);
      WAL_ASSERT_WITHIN(gradient[p] + pull, 0, 1e-6);
    }
  }
  free(one);
  free(other);
  wal_transfer_method_destroy(&greedy);
  wal_transfer_method_destroy(&dpo);
  transfer_bench_close(&b);
}

/* The enhancer spends what it may, and is more uncertain than the policy it started from. */
static void the_enhancer_keeps_its_constraint(void **state) {
  (void)state;
  transfer_bench b;
  WAL_ASSERT_OK(ctx, transfer_bench_open(ctx, &SMALL, &b));
  wal_transfer_method *m = NULL;
  WAL_ASSERT_OK(ctx, transfer_bench_method(&b, "gshf{eta=0.7}", &m));
  double *memory = run_whole(&b, m, 5), lead[5], first[5];
  wal_proposal p;
  m->type->propose(m, 1, &p);
  const wal_bandit_known *known = &b.transfer.bandit.known;
  const wal_loss loss = wal_fit_logistic(b.transfer.fit, 230);
  WAL_ASSERT_OK(ctx, wal_fit_factor(b.transfer.fit, &loss, m->memory));
  wal_fit_mean(b.transfer.fit, p.second->p, lead);
  wal_fit_mean(b.transfer.fit, p.first->p, first);
  for (int k = 0; k < 5; k++) lead[k] -= first[k];
  const double gamma = wal_fit_width(b.transfer.fit, lead);
  const double spent = 0.7 * wal_exact_divergence(known, p.second, p.first);
  assert_true(spent > 0);
  assert_true(spent <= gamma * (1 + 1e-9));
  WAL_ASSERT_NEAR(spent, gamma, 1e-4);
  free(memory);
  wal_transfer_method_destroy(&m);
  transfer_bench_close(&b);
}

// ---- Annotators -------------------------------------------------------------------------------

static void annotators_differ_as_they_are_said_to(void **state) {
  (void)state;
  enum { COUNT = 4000 };
  transfer_bench one;
  WAL_ASSERT_OK(ctx, transfer_bench_open(ctx, &SMALL, &one));
  const wal_bandit *bandit = &one.transfer.bandit;
  const wal_annotators all = {.count = COUNT, .spread = 0.7, .noise = 0.4};
  double sums[4] = {0};
  for (int64_t i = 0; i < COUNT; i++) {
    const double off = wal_annotators_reward(&all, bandit, 9, i, 3) - bandit->reward[3];
    const double log_t = log(wal_annotators_temperature(&all, 9, i));
    sums[0] += off / COUNT;
    sums[1] += off * off / COUNT;
    sums[2] += log_t / COUNT;
    sums[3] += log_t * log_t / COUNT;
    const int64_t who = wal_annotators_pick(&all, 9, i);
    assert_true(who >= 0 && who < COUNT);
  }
  /* four standard errors */
  WAL_ASSERT_WITHIN(sums[0], 0, 4 * 0.7 / sqrt(COUNT));
  WAL_ASSERT_NEAR(sums[1], 0.49, 4 * sqrt(2.0 / COUNT));
  WAL_ASSERT_WITHIN(sums[2], 0, 4 * 0.4 / sqrt(COUNT));
  WAL_ASSERT_NEAR(sums[3], 0.16, 4 * sqrt(2.0 / COUNT));
  transfer_bench_close(&one);
  /* a crowd without differences answers as one annotator does */
  transfer_bench b[2];
  transfer_setting setting = SMALL;
  double *memory[2];
  for (int k = 0; k < 2; k++) {
    wal_transfer_method *m = NULL;
    setting.annotators = k ? "annotators{count=7}" : NULL;
    WAL_ASSERT_OK(ctx, transfer_bench_open(ctx, &setting, &b[k]));
    WAL_ASSERT_OK(ctx, transfer_bench_method(&b[k], "greedy{}", &m));
    memory[k] = run_whole(&b[k], m, 5);
    wal_transfer_method_destroy(&m);
  }
  WAL_ASSERT_SAME(wal_transfer_now(memory[0])[WAL_TRANSFER_REGRET],
                  wal_transfer_now(memory[1])[WAL_TRANSFER_REGRET]);
  for (int k = 0; k < 2; k++) {
    free(memory[k]);
    transfer_bench_close(&b[k]);
  }
}

// ---- Small things -----------------------------------------------------------------------------

static void comparisons_are_read_as_they_were_noted(void **state) {
  (void)state;
  double memory[4] = {0};
  wal_preferences p = {.responses = 1000, .arms = 7, .memory = memory};
  const wal_preference given[] = {
      {999999, 999, 0, true, 6}, {0, 0, 999, false, 0}, {12, 34, 56, true, 3}};
  assert_true(wal_preferences_fit(1000000, 1000, 7));
  assert_false(wal_preferences_fit(1000000, 100000, 7));
  for (int i = 0; i < 3; i++) wal_preferences_add(&p, &given[i]);
  assert_int_equal(wal_preferences_count(&p), 3);
  for (int i = 0; i < 3; i++) {
    const wal_preference seen = wal_preferences_at(&p, i);
    assert_int_equal(seen.prompt, given[i].prompt);
    assert_int_equal(seen.first, given[i].first);
    assert_int_equal(seen.second, given[i].second);
    assert_int_equal(seen.arm, given[i].arm);
    assert_int_equal(seen.won, given[i].won);
  }
}

static void the_grid_ends_where_it_should(void **state) {
  (void)state;
  int64_t point[256];
  const int64_t count = wal_log_grid(4000, point);
  assert_int_equal(count, wal_log_grid(4000, NULL));
  assert_int_equal(point[0], 1);
  assert_int_equal(point[count - 1], 4000);
  for (int64_t i = 1; i < count; i++) {
    assert_true(point[i] > point[i - 1]);
    assert_true(point[i] - point[i - 1] == 1 || (double)point[i] < 1.2 * (double)point[i - 1]);
  }
  assert_int_equal(wal_log_grid(1, point), 1);
  assert_int_equal(point[0], 1);
}

static void refuses(const char *bandit, const char *sources, const char *method,
                    const char *expected) {
  const transfer_setting setting = {.bandit = bandit, .sources = sources, .rounds = 10, .refit = 5};
  transfer_bench b;
  wal_transfer_method *m = NULL;
  wal_status status = transfer_bench_open(ctx, &setting, &b);
  if (status == WAL_OK && method) status = transfer_bench_method(&b, method, &m);
  assert_int_equal(status, WAL_EINPUT);
  WAL_ASSERT_CONTAINS(wal_ctx_error(ctx), expected);
  wal_transfer_method_destroy(&m);
  transfer_bench_close(&b);
}

static void bad_input_is_named(void **state) {
  (void)state;
  refuses("tabular{beta=0}", NULL, NULL, "test.lua:1: tabular: beta: expected more than 0, got 0");
  refuses("log_linear{reward_bound=12}", NULL, NULL,
          "test.lua:1: log_linear: reward_bound: expected 2 * reward_bound / beta below 60");
  refuses("tabular{prompts=1, responses=2, reference={{1, 0}}}", NULL, NULL,
          "tabular: reference: expected positive probabilities, got 0 for response 1 of prompt 0");
  refuses("tabular{prompts=1, responses=2, reference={{0.5, 0.4}}}", NULL, NULL, "reference");
  refuses("tabular{prompts=1, responses=2, reward={{1, 5}}}", NULL, NULL,
          "reward: expected numbers from 0 to reward_bound, which is 4, got 5 for prompt 0");
  refuses("tabular{prompts=1, responses=3, reward={{1, 2}}}", NULL, NULL, "reward");
  refuses("log_linear{prompts=1, responses=2, features=1, reward={{1, 2}}}", NULL, NULL,
          "reward: expected features \"phi\" together with it");
  refuses("tabular{prompts=1, responses=2}", "tables{rewards={{{0, 9}}}}", NULL,
          "tables: rewards: expected those of a prompt to be at most 4 apart");
  refuses("tabular{prompts=1, responses=2}", "mixtures{correlations={0.5}}",
          "pure_source{source=2}", "pure_source: source: expected the number of a source");
  refuses("tabular{prompts=100000, responses=100000}", NULL, NULL, "");
  const double phi[4] = {1, NAN, 0, 1}, reward[2] = {0, 1};
  const wal_bandit_arrays arrays = {.prompts = 1,
                                    .responses = 2,
                                    .features = 2,
                                    .phi = phi,
                                    .reward = reward,
                                    .beta = 1,
                                    .reward_bound = 1};
  wal_bandit bandit;
  WAL_ASSERT_STATUS(ctx, WAL_EINPUT, wal_bandit_of_arrays(ctx, &arrays, &bandit));
  WAL_ASSERT_CONTAINS(wal_ctx_error(ctx),
                      "features: expected finite numbers, got nan for prompt 0, response 0, "
                      "feature 1");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(slices_by_turns_leave_the_same_memory),
    cmocka_unit_test(results_are_consistent),
    cmocka_unit_test(one_hot_features_are_tables),
    cmocka_unit_test(dpo_with_a_fixed_reference_is_greedy),
    cmocka_unit_test(the_enhancer_keeps_its_constraint),
    cmocka_unit_test(annotators_differ_as_they_are_said_to),
    cmocka_unit_test(comparisons_are_read_as_they_were_noted),
    cmocka_unit_test(the_grid_ends_where_it_should),
    cmocka_unit_test(bad_input_is_named),
};

int main(int argc, char **argv) {
  wal_test_begin(&argc, &argv);
  return wal_test_end(cmocka_run_group_tests(tests, open_ctx, close_ctx));
}
