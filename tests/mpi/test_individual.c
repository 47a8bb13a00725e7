// SPDX-License-Identifier: GPL-3.0-or-later
/* Agents one by one play the same on any number of ranks, nobody is lost, and what is impossible
 * does not happen. */
#include <stdlib.h>
#include <string.h>

#include "tests/support/individuals.h"
#include "tests/support/raffle.h"

static const char *const GAMES[] = {
    "beach_bar { states = 40, horizon = 6, bar = 20 }",
    "susceptible_infected { horizon = 8 }",
    "crowd_motion { horizon = 5 }",
    "predator_prey { horizon = 5 }",
    "linear_quadratic { horizon = 4 }",
    "random_linear { horizon = 4 }",
    "treasure_hunting { horizon = 4 }",
    "batched_auction { values = 12, bids = 9, rounds = 5, goods = 0.3 }",
    "batched_auction { values = 12, bids = 9, reentry = 0.4, drift = gaussian { width = 0.1 } }",
    "batched_auction { values = 9, bids = 4, rounds = 4, goods = 0.1 }",
};
enum { KINDS = sizeof GAMES / sizeof *GAMES };

// ---- Every stage ------------------------------------------------------------------------------

typedef struct record {
  wal_test_world *w;
  int64_t *played; /* [H][groups][pairs] */
  bool right;
} record;

static int64_t agents_of(const wal_test_world *w) {
  int64_t total = 0;
  for (int g = 0; g < WAL_TEST_GROUPS; g++)
    for (int p = 0; p < wal_test_world_shape(w)->populations; p++) total += w->group[g].agents[p];
  return total;
}

/* Counted one by one, the agents are those that the crowd counted. */
static void see_all(void *user, const wal_crowd *crowd, int stage) {
  record *r = user;
  const wal_test_world *w = r->w;
  const int64_t pairs = w->arena.pairs, total = agents_of(w);
  const int groups = crowd->plan.groups, actions = wal_test_world_shape(w)->actions;
  const int populations = wal_test_world_shape(w)->populations;
  int64_t *found = calloc((size_t)(groups * pairs), sizeof *found), seen = 0;
  for (int g = 0; g < groups; g++)
    for (int p = 0; p < populations; p++)
      for (int64_t i = 0; i < w->group[g].agents[p]; i++) {
        int32_t state;
        int action;
        if (!wal_individual_look(crowd, wal_individual_first(crowd, g, p) + i, &state, &action))
          continue;
        seen++;
        const int64_t pair = (int64_t)state * actions + action;
        r->right = r->right && state % populations == p && action >= 0 && action < actions;
        r->right = r->right && w->group[g].policy[stage][pair] > 0;
        found[g * pairs + pair]++;
      }
  WAL_ASSERT_OK(crowd->ctx, wal_ctx_sum_integers(crowd->ctx, (int)(groups * pairs), found));
  WAL_ASSERT_OK(crowd->ctx, wal_ctx_sum_integers(crowd->ctx, 1, &seen));
  r->right = r->right && seen == total &&
             memcmp(found, crowd->played, (size_t)(groups * pairs) * sizeof *found) == 0;
  memcpy(r->played + stage * groups * pairs, found, (size_t)(groups * pairs) * sizeof *found);
  free(found);
}

/* Plays an episode; what was played at all stages, for the caller to free. */
static int64_t *play(wal_test_world *w, int64_t episode) {
  const int64_t numbers = wal_test_world_shape(w)->horizon * w->crowd->plan.groups * w->arena.pairs;
  record r = {.w = w, .right = true, .played = calloc((size_t)numbers, sizeof(int64_t))};
  const wal_crowd_watch watch = {see_all, &r};
  WAL_ASSERT_OK(w->crowd->ctx, wal_crowd_play(w->crowd, episode, &watch));
  WAL_ASSERT_ALL(w->crowd->ctx, r.right);
  return r.played;
}

/* Spread over the ranks, and on each rank alone. */
static void compare(const char *text, const wal_game *game, const int64_t *sizes) {
  wal_test_world spread, alone;
  wal_test_world_create(&spread, text, game, WAL_TEST_GROUPS, sizes, false);
  wal_test_world_create(&alone, text, game, WAL_TEST_GROUPS, sizes, true);
  const int64_t numbers =
      wal_test_world_shape(&spread)->horizon * WAL_TEST_GROUPS * spread.arena.pairs;
  for (int episode = 0; episode < 2; episode++) {
    int64_t *one = play(&spread, episode), *other = play(&alone, episode);
    WAL_ASSERT_ALL(spread.ctx, memcmp(one, other, (size_t)numbers * sizeof *one) == 0);
    free(one), free(other);
  }
  wal_test_world_destroy(&alone);
  wal_test_world_destroy(&spread);
}

static const int64_t SIZES[][WAL_TEST_GROUPS] = {
    {1, 0, 0}, {0, 5, 0}, {1500, 0, 700}, {30000, 2000, 1}};

static void the_same_on_all_ranks(void **state) {
  (void)state;
  for (int kind = 0; kind < KINDS; kind++)
    for (int size = 0; size < 4; size++) compare(GAMES[kind], NULL, SIZES[size]);
}

static void contests_of_four_outcomes(void **state) {
  (void)state;
  for (int kind = 0; kind < 6; kind++)
    for (int size = 0; size < 4; size++) {
      raffle self = {kind, kind % 2 > 0};
      const wal_game game = raffle_game(&self);
      compare(NULL, &game, SIZES[size]);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_same_on_all_ranks),
    cmocka_unit_test(contests_of_four_outcomes),
};

WAL_TEST_MAIN(tests)
