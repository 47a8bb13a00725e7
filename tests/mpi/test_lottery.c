// SPDX-License-Identifier: GPL-3.0-or-later
/* Lotteries among agents that are spread over the ranks: the right number of winners, the same ones
 * on any number of ranks and in any order, all sets equally likely. */
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/agents/lottery.h"
#include "sim/core/random.h"

#include "tests/support/harness.h"

enum { AGENTS = 5000, LOTS = 7, MOST = 1 << 20 };

/* Agents are far apart, beyond 32 bits. */
static int64_t name_of(int64_t i) { return (i * 7919) << 12 | 5; }
static int32_t lot_of_agent(int64_t i) { return (int32_t)(i * i % LOTS); }

/* Those of a list that `rank` of `ranks` has, from the end if `turned`. */
static int64_t deal(int64_t all, int rank, int ranks, bool turned, int64_t *agent, int32_t *lot,
                    int64_t *index) {
  int64_t count = 0;
  for (int64_t j = 0; j < all; j++) {
    const int64_t i = turned ? all - 1 - j : j;
    if ((i * 31 / 7) % ranks != rank) continue;
    agent[count] = name_of(i);
    lot[count] = lot_of_agent(i);
    index[count++] = i;
  }
  return count;
}

/* Who of all agents wins, on every rank. */
static void hold(wal_ctx *ctx, uint64_t seed, const int64_t *winners, bool turned, int64_t *won) {
  static int64_t agent[AGENTS], index[AGENTS];
  static int32_t lot_of[AGENTS];
  static unsigned char own[AGENTS];
  wal_lot lot[LOTS];
  for (int l = 0; l < LOTS; l++)
    lot[l] = (wal_lot){.seed = seed, .stage = 3, .number = (uint64_t)l};
  const int64_t count =
      deal(AGENTS, wal_ctx_rank(ctx), wal_ctx_size(ctx), turned, agent, lot_of, index);
  WAL_ASSERT_OK(ctx, wal_lottery_hold(ctx, LOTS, lot, winners, count, agent, lot_of, own));
  memset(won, 0, AGENTS * sizeof *won);
  for (int64_t i = 0; i < count; i++) won[index[i]] = own[i];
  WAL_ASSERT_OK(ctx, wal_ctx_sum_integers(ctx, AGENTS, won));
}

static void winners_do_not_depend_on_ranks_or_order(void **state) {
  (void)state;
  static int64_t spread[AGENTS], turned[AGENTS], alone[AGENTS];
  wal_ctx *ctx = wal_test_ctx(1), *self = NULL;
  WAL_ASSERT_OK(ctx, wal_ctx_create(MPI_COMM_SELF, 1, &self));
  int64_t members[LOTS] = {0};
  for (int64_t i = 0; i < AGENTS; i++) members[lot_of_agent(i)]++;
  // All lots but those of squares are empty: 3, 5, 6.
  const int64_t winners[LOTS] = {1, members[1], members[2] / 2, 0, members[4] - 1, 0, 0};
  assert_true(members[3] == 0 && members[2] > 1000);
  hold(ctx, 9, winners, false, spread);
  hold(ctx, 9, winners, true, turned);
  hold(self, 9, winners, false, alone);
  assert_memory_equal(spread, turned, sizeof spread);
  WAL_ASSERT_ALL(ctx, memcmp(spread, alone, sizeof spread) == 0);
  int64_t found[LOTS] = {0};
  for (int64_t i = 0; i < AGENTS; i++) found[lot_of_agent(i)] += spread[i];
  assert_memory_equal(found, winners, sizeof found);
  hold(ctx, 10, winners, false, turned);
  assert_memory_not_equal(spread, turned, sizeof spread);
  wal_ctx_destroy(&self);
  wal_ctx_destroy(&ctx);
}

/* One more winner takes nobody out. */
static void winners_grow_by_one(void **state) {
  (void)state;
  static int64_t before[AGENTS], after[AGENTS];
  wal_ctx *ctx = wal_test_ctx(1);
  int64_t winners[LOTS] = {0};
  hold(ctx, 9, winners, false, before);
  for (int step = 0; step < 20; step++) {
    winners[1]++;
    hold(ctx, 9, winners, step % 2, after);
    int added = 0;
    for (int64_t i = 0; i < AGENTS; i++) {
      assert_true(after[i] >= before[i]);
      added += after[i] > before[i];
    }
    assert_int_equal(added, 1);
    memcpy(before, after, sizeof before);
  }
  wal_ctx_destroy(&ctx);
}

/* All 20 sets of 3 out of 6 agents are equally likely, by chi-square; 4000 lots at once. */
static void all_sets_are_equally_likely(void **state) {
  (void)state;
  enum { DRAWS = 4000, OF = 6 };
  wal_ctx *ctx = wal_test_ctx(1);
  wal_lot *lot = calloc(DRAWS, sizeof *lot);
  int64_t *winners = calloc(DRAWS, sizeof *winners), *agent = calloc(DRAWS * OF, sizeof *agent);
  int64_t *sets = calloc(DRAWS, sizeof *sets);
  int32_t *lot_of = calloc(DRAWS * OF, sizeof *lot_of);
  unsigned char *won = calloc(DRAWS * OF, 1);
  assert_true(lot && winners && agent && sets && lot_of && won);
  int64_t count = 0;
  for (int l = 0; l < DRAWS; l++) {
    lot[l] = (wal_lot){.seed = 4, .stage = 1, .number = (uint64_t)l};
    winners[l] = 3;
    for (int i = 0; i < OF; i++)
      if ((l + i) % wal_ctx_size(ctx) == wal_ctx_rank(ctx)) agent[count] = i, lot_of[count++] = l;
  }
  WAL_ASSERT_OK(ctx, wal_lottery_hold(ctx, DRAWS, lot, winners, count, agent, lot_of, won));
  for (int64_t i = 0; i < count; i++) sets[lot_of[i]] += (int64_t)won[i] << agent[i];
  WAL_ASSERT_OK(ctx, wal_ctx_sum_integers(ctx, DRAWS, sets));
  int seen[1 << OF] = {0}, kinds = 0;
  double chi = 0;
  for (int l = 0; l < DRAWS; l++) seen[sets[l]]++;
  for (int set = 0; set < 1 << OF; set++) {
    kinds += seen[set] > 0;
    if (seen[set] > 0) chi += pow(seen[set] - DRAWS / 20.0, 2) / (DRAWS / 20.0);
  }
  assert_int_equal(kinds, 20);
  assert_true(gsl_cdf_chisq_Q(chi, 19) > 1e-4);
  free(lot), free(winners), free(agent), free(sets), free(lot_of), free(won);
  wal_ctx_destroy(&ctx);
}

/* A large lottery: so many winners, and about as many of either half. */
static void a_million_agents(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(1);
  const int ranks = wal_ctx_size(ctx), rank = wal_ctx_rank(ctx);
  const int64_t first = (int64_t)MOST * rank / ranks, end = (int64_t)MOST * (rank + 1) / ranks;
  const int64_t count = end - first, winners = MOST / 3;
  const wal_lot lot = {.seed = 8};
  int64_t *agent = calloc((size_t)count, sizeof *agent), half[2] = {0};
  int32_t *lot_of = calloc((size_t)count, sizeof *lot_of);
  unsigned char *won = calloc((size_t)count, 1);
  for (int64_t i = 0; i < count; i++) agent[i] = first + i;
  WAL_ASSERT_OK(ctx, wal_lottery_hold(ctx, 1, &lot, &winners, count, agent, lot_of, won));
  for (int64_t i = 0; i < count; i++) half[agent[i] % 2] += won[i];
  WAL_ASSERT_OK(ctx, wal_ctx_sum_integers(ctx, 2, half));
  assert_int_equal(half[0] + half[1], winners);
  // The deviation of half[0] is sqrt(winners/4 * 2/3).
  WAL_ASSERT_WITHIN((double)half[0], (double)winners / 2, 4 * sqrt((double)winners / 6));
  free(agent), free(lot_of), free(won);
  wal_ctx_destroy(&ctx);
}

static void nonsense_is_refused(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(1);
  const wal_lot lot = {.seed = 8};
  const int64_t agent[3] = {4, 4, 5}, too_many = 4, none = -1, one = 1;
  const int32_t lot_of[3] = {0, 0, 0};
  unsigned char won[3];
  const int64_t count = wal_ctx_rank(ctx) == 0 ? 3 : 0;
  WAL_ASSERT_STATUS(ctx, WAL_EINTERNAL,
                    wal_lottery_hold(ctx, 1, &lot, &too_many, count, agent, lot_of, won));
  WAL_ASSERT_CONTAINS(wal_ctx_error(ctx), "a lottery of 3 agents has 4 winners");
  WAL_ASSERT_STATUS(ctx, WAL_EINTERNAL,
                    wal_lottery_hold(ctx, 1, &lot, &none, count, agent, lot_of, won));
  const int64_t twins = wal_ctx_rank(ctx) == 0 ? 2 : 0;
  WAL_ASSERT_STATUS(ctx, WAL_EINTERNAL,
                    wal_lottery_hold(ctx, 1, &lot, &one, twins, agent, lot_of, won));
  WAL_ASSERT_CONTAINS(wal_ctx_error(ctx), "twice");
  WAL_ASSERT_OK(ctx, wal_lottery_hold(ctx, 0, NULL, NULL, 0, NULL, NULL, NULL));
  wal_ctx_destroy(&ctx);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(winners_do_not_depend_on_ranks_or_order),
    cmocka_unit_test(winners_grow_by_one),
    cmocka_unit_test(all_sets_are_equally_likely),
    cmocka_unit_test(a_million_agents),
    cmocka_unit_test(nonsense_is_refused),
};

WAL_TEST_MAIN(tests)
