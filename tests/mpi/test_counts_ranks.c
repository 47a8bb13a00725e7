// SPDX-License-Identifier: GPL-3.0-or-later
/* Counted agents on several ranks: each rank does the same as a rank alone, bit by bit. */
#include "tests/support/make_crowd.h"

/* Of all counts of all stages, after FNV-1a. */
static void add_counts(void *user, const wal_crowd *crowd, int stage) {
  uint64_t *digest = user;
  const int64_t count = crowd->plan.groups * crowd->plan.arena->pairs;
  (void)stage;
  for (int64_t i = 0; i < count; i++)
    *digest = (*digest ^ (uint64_t)crowd->played[i]) * 1099511628211u;
}

static uint64_t play(wal_ctx *ctx, wal_test_field *f, int64_t agents) {
  uint64_t digest = 14695981039346656037u;
  const wal_crowd_watch watch = {add_counts, &digest};
  const wal_crowd_group group[2] = {wal_test_group(f, agents - agents / 4 - 1),
                                    wal_test_group(f, agents / 4)};
  wal_guest guest[WAL_POPULATIONS];
  const int guests = f->game->shape.populations;
  for (int p = 0; p < guests; p++)
    guest[p] = (wal_guest){.number = p, .population = p, .policy = f->policy};
  const wal_crowd_plan plan = {
      .arena = &f->arena, .groups = 2, .group = group, .guests = guests, .guest = guest};
  wal_crowd *crowd;
  WAL_ASSERT_OK(ctx, wal_crowd_create(ctx, &wal_crowd_counts, &plan, &crowd));
  for (int e = 0; e < 3; e++) WAL_ASSERT_OK(ctx, wal_crowd_play(crowd, e, &watch));
  wal_crowd_destroy(&crowd);
  for (int p = 0; p < guests; p++) digest ^= (uint64_t)guest[p].state << (8 * p);
  return digest;
}

static void all_ranks_do_the_same(void **state) {
  (void)state;
  static const char *const GAMES[] = {
      "return beach_bar { states = 30, horizon = 6, bar = 11 }",
      "return predator_prey {}",
      "return batched_auction { values = 20, bids = 15, reentry = 0.25 }",
  };
  static const int64_t AGENTS[] = {8, 1000, INT64_C(1000000000000)};
  wal_ctx *ctx = wal_test_ctx(17), *own = NULL, *alone = NULL;
  WAL_ASSERT_OK(ctx, wal_ctx_split(ctx, wal_ctx_rank(ctx), &own));
  WAL_ASSERT_OK(ctx, wal_ctx_create(MPI_COMM_SELF, 17, &alone));
  for (int i = 0; i < 3; i++) {
    wal_test_field f;
    wal_test_field_create(own, GAMES[i], 2, &f);
    for (int k = 0; k < 3; k++) {
      const uint64_t together = play(ctx, &f, AGENTS[k]), single = play(alone, &f, AGENTS[k]);
      WAL_ASSERT_ALL(ctx, together == single);
      // The same on all ranks: differences would show in the sum.
      int64_t sum = (int64_t)(together >> 16);
      WAL_ASSERT_OK(ctx, wal_ctx_sum_integers(ctx, 1, &sum));
      WAL_ASSERT_ALL(ctx, sum == wal_ctx_size(ctx) * (int64_t)(together >> 16));
    }
    wal_test_field_destroy(&f);
  }
  wal_ctx_destroy(&alone);
  wal_ctx_destroy(&own);
  wal_ctx_destroy(&ctx);
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(all_ranks_do_the_same)};

WAL_TEST_MAIN(tests)
