// SPDX-License-Identifier: GPL-3.0-or-later
/* Agents counted by state: the law of the counts against exact enumerations, who is kept, and the
 * ends of what can be asked for. */
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <math.h>

#include "tests/support/make_crowd.h"

WAL_TEST_CTX(5)

static const char BEACH[] = "return beach_bar { states = 5, horizon = 3, bar = 2 }";

/* Counts of agents by state, as one number. */
static int64_t code_of(int64_t states, int64_t base, const int64_t *count) {
  int64_t code = 0;
  for (int64_t s = 0; s < states; s++) code = code * base + count[s];
  return code;
}

static void count_states(const wal_crowd *crowd, const int64_t *played, int64_t *count) {
  const wal_shape *shape = &crowd->plan.arena->space->game->shape;
  for (int64_t s = 0; s < shape->states; s++) {
    count[s] = 0;
    for (int a = 0; a < shape->actions; a++) count[s] += played[s * shape->actions + a];
  }
}

/* Its probability of being larger is asked for: 10^-4 would be a rare seed, smaller ones a wrong
 * law. Rare cells together make one. */
static void check_chi_square(int64_t cells, const double *expected, const int *seen,
                             int least_freedom) {
  double chi = 0, rare = 0, rare_seen = 0;
  int freedom = -1;
  for (int64_t c = 0; c < cells; c++) {
    if (expected[c] == 0) assert_int_equal(seen[c], 0);
    if (expected[c] < 8) {
      rare += expected[c];
      rare_seen += seen[c];
    } else {
      chi += pow(seen[c] - expected[c], 2) / expected[c], freedom++;
    }
  }
  if (rare > 1) chi += pow(rare_seen - rare, 2) / rare, freedom++;
  assert_true(freedom >= least_freedom && gsl_cdf_chisq_Q(chi, freedom) > 1e-4);
}

// ---- Independent agents -----------------------------------------------------------------------

/* The game's own one-agent chain under the uniform policy: next[s][s']. */
static void chain(const wal_game *game, double next[5][5]) {
  memset(next, 0, 25 * sizeof next[0][0]);
  for (int64_t s = 0; s < 5; s++)
    for (int a = 0; a < 3; a++) {
      int64_t post, target[3];
      double weight[3];
      game->type->move(game->self, 0, 0, a, s, 1, &post);
      game->type->noise(game->self, 0, post, 1, target, weight);
      for (int e = 0; e < 3; e++)
        if (weight[e] > 0) next[s][target[e]] += weight[e] / 3;
    }
}

typedef struct seen {
  int64_t base, states;
  int at;      /**< stage */
  int64_t was; /**< code of the stage before, if `joint` */
  bool joint;
  int *cells;
} seen;

static void see(void *user, const wal_crowd *crowd, int stage) {
  seen *s = user;
  int64_t count[8];
  count_states(crowd, crowd->played, count);
  const int64_t code = code_of(s->states, s->base, count);
  if (stage == s->at) s->cells[s->joint ? s->was * 1024 + code : code]++;
  s->was = code;
}

static void play_many(const wal_test_field *f, const wal_crowd_plan *plan, int episodes,
                      const wal_crowd_watch *watch) {
  wal_crowd *crowd;
  WAL_ASSERT_OK(f->ctx, wal_crowd_create(f->ctx, &wal_crowd_counts, plan, &crowd));
  for (int e = 0; e < episodes; e++) WAL_ASSERT_OK(f->ctx, wal_crowd_play(crowd, e, watch));
  wal_crowd_destroy(&crowd);
}

/* Moves on the beach do not depend on the others: counts are multinomial at every stage. */
static void counts_of_the_last_stage(void **state) {
  (void)state;
  enum { CELLS = 7 * 7 * 7 * 7 * 7, EPISODES = 30000 };
  static int cells[CELLS];
  static double expected[CELLS];
  wal_test_field f;
  wal_test_field_create(ctx, BEACH, 0, &f);
  double next[5][5], law[3][5] = {{0.2, 0.2, 0.2, 0.2, 0.2}};
  chain(f.game, next);
  for (int h = 0; h < 2; h++)
    for (int s = 0; s < 5; s++)
      for (int t = 0; t < 5; t++) law[h + 1][t] += law[h][s] * next[s][t];
  for (unsigned agents = 3; agents <= 6; agents++) {
    const int64_t base = agents + 1;
    seen s = {.base = base, .states = 5, .at = 2, .cells = cells};
    const wal_crowd_watch watch = {see, &s};
    const wal_crowd_group group = wal_test_group(&f, agents);
    const wal_crowd_plan plan = {.arena = &f.arena, .groups = 1, .group = &group};
    memset(cells, 0, sizeof cells);
    memset(expected, 0, sizeof expected);
    play_many(&f, &plan, EPISODES, &watch);
    double total = 0;
    for (int64_t code = 0; code < base * base * base * base * base; code++) {
      unsigned count[5], sum = 0;
      int64_t rest = code;
      for (int i = 4; i >= 0; i--) sum += count[i] = (unsigned)(rest % base), rest /= base;
      if (sum != agents) continue;
      const double p = gsl_ran_multinomial_pdf(5, law[2], count);
      expected[code] = EPISODES * p;
      total += p;
    }
    WAL_ASSERT_WITHIN(total, 1, 1e-12);
    check_chi_square(CELLS, expected, cells, 30);
  }
  wal_test_field_destroy(&f);
}

/* Two agents, where they are at the first stage and at the second: all of their ways. */
static void counts_of_two_stages(void **state) {
  (void)state;
  enum { CELLS = 1024 * 1024, EPISODES = 60000 };
  int *cells = calloc(CELLS, sizeof *cells);
  double *expected = calloc(CELLS, sizeof *expected), next[5][5];
  assert_true(cells && expected);
  wal_test_field f;
  wal_test_field_create(ctx, BEACH, 0, &f);
  chain(f.game, next);
  seen s = {.base = 3, .states = 5, .at = 1, .joint = true, .cells = cells};
  const wal_crowd_watch watch = {see, &s};
  const wal_crowd_group group = wal_test_group(&f, 2);
  const wal_crowd_plan plan = {.arena = &f.arena, .groups = 1, .group = &group};
  play_many(&f, &plan, EPISODES, &watch);
  for (int way = 0; way < 625; way++) {
    const int from[2] = {way % 5, way / 5 % 5}, to[2] = {way / 25 % 5, way / 125};
    int64_t first[5] = {0}, second[5] = {0};
    for (int i = 0; i < 2; i++) first[from[i]]++, second[to[i]]++;
    expected[code_of(5, 3, first) * 1024 + code_of(5, 3, second)] +=
        EPISODES * 0.04 * next[from[0]][to[0]] * next[from[1]][to[1]];
  }
  check_chi_square(CELLS, expected, cells, 60);
  free(cells), free(expected);
  wal_test_field_destroy(&f);
}

/* Two agents at different places draw outcomes of their own: all of their ways. */
static void counts_after_outcomes(void **state) {
  (void)state;
  enum { EPISODES = 30000 };
  static const char TEXT[] =
      "return custom {\n"
      "  states = 3, actions = 2, horizon = 2, initial = { 0.5, 0.5, 0 },\n"
      "  moves = function(h, s, a, k) return (s + k) % 3 end,\n"
      "  outcomes = function(h, s, a)\n"
      "    if a == 0 then return 0.5, 0.3, 0.2 end\n"
      "    return 0.1, 0.1, 0.8\n"
      "  end,\n"
      "  reward = function(h, s, a) return 0 end,\n"
      "}";
  static const double OUTCOME[3] = {0.3, 0.2, 0.5};  // the mean of both actions
  int cells[27] = {0};
  double expected[27] = {0};
  wal_test_field f;
  wal_test_field_create(ctx, TEXT, 0, &f);
  seen s = {.base = 3, .states = 3, .at = 1, .cells = cells};
  const wal_crowd_watch watch = {see, &s};
  const wal_crowd_group group = wal_test_group(&f, 2);
  const wal_crowd_plan plan = {.arena = &f.arena, .groups = 1, .group = &group};
  play_many(&f, &plan, EPISODES, &watch);
  for (int way = 0; way < 36; way++) {
    const int k[2] = {way / 2 % 3, way / 12}, from[2] = {way % 2, way / 6 % 2};
    int64_t count[3] = {0};
    for (int i = 0; i < 2; i++) count[(from[i] + k[i]) % 3]++;
    expected[code_of(3, 3, count)] += EPISODES * OUTCOME[k[0]] * OUTCOME[k[1]] / 4;
  }
  check_chi_square(27, expected, cells, 5);
  wal_test_field_destroy(&f);
}

// ---- A contest --------------------------------------------------------------------------------

/* Four bidders for two goods: every way that values, bids and draws can fall, for the counts of the
 * second round. */
static const char AUCTION[] =
    "return batched_auction { rounds = 2, values = 3, bids = 2, goods = 1, mechanism = static {\n"
    "  goods = function(h) return h == 0 and 0.5 or 0.05 end } }";
enum { BIDDERS = 4, VALUES = 3, PAIRS = 2 * VALUES, WAYS = PAIRS * PAIRS * PAIRS * PAIRS };

/* Adds the probability of a way times what its draws make of it. */
static void expect_draws(const int *value, const int *bid, const int64_t *quota, double probability,
                         double *expected) {
  int fitting = 0;
  for (int pass = 0; pass < 2; pass++)
    for (int winners = 0; winners < 1 << BIDDERS; winners++) {
      int64_t won[2] = {0}, count[VALUES + 1] = {0};
      for (int i = 0; i < BIDDERS; i++) {
        const bool wins = winners >> i & 1;
        won[bid[i]] += wins;
        count[wins ? VALUES : value[i]]++;
      }
      if (won[0] != quota[2] || won[1] != quota[3]) continue;
      if (pass == 0) fitting++;
      if (pass == 1) expected[code_of(VALUES + 1, BIDDERS + 1, count)] += probability / fitting;
    }
}

static void expect_auction(const wal_test_field *f, double *expected) {
  const wal_game *game = f->game;
  assert_true(2 * wal_game_statistics(game) <= 128);
  for (int way = 0; way < WAYS; way++) {
    int value[BIDDERS], bid[BIDDERS], rest = way;
    int64_t played[2] = {0}, quota[4], agents = BIDDERS;
    double statistics[128] = {0}, probability = 1;
    for (int i = 0; i < BIDDERS; i++, rest /= PAIRS) {
      value[i] = rest % PAIRS / 2;
      bid[i] = rest % 2;
      played[bid[i]]++;
      probability *= f->policy[0][rest % PAIRS] / VALUES;
    }
    game->type->quota(game->self, 0, &agents, played, statistics, quota);
    expect_draws(value, bid, quota, probability, expected);
  }
}

static void counts_after_a_contest(void **state) {
  (void)state;
  enum { EPISODES = 30000, CELLS = 625 };
  static double expected[CELLS];
  static int cells[CELLS];
  double total = 0;
  wal_test_field f;
  wal_test_field_create(ctx, AUCTION, 2, &f);
  assert_true(f.policy[0][1] < f.policy[0][5] - 0.02);  // bids tell of values
  expect_auction(&f, expected);
  for (int c = 0; c < CELLS; c++) total += expected[c], expected[c] *= EPISODES;
  WAL_ASSERT_WITHIN(total, 1, 1e-12);
  // All of one group; one of them another group; one of them a guest.
  for (int kind = 0; kind < 3; kind++) {
    const wal_crowd_group group[2] = {wal_test_group(&f, kind == 0 ? BIDDERS : BIDDERS - 1),
                                      wal_test_group(&f, 1)};
    wal_guest guest = {.policy = f.policy};
    const wal_crowd_plan plan = {.arena = &f.arena,
                                 .groups = kind == 1 ? 2 : 1,
                                 .group = group,
                                 .guests = kind == 2,
                                 .guest = &guest};
    wal_crowd *crowd;
    memset(cells, 0, sizeof cells);
    WAL_ASSERT_OK(ctx, wal_crowd_create(ctx, &wal_crowd_counts, &plan, &crowd));
    for (int e = 0; e < EPISODES; e++) {
      int64_t count[VALUES + 1];
      WAL_ASSERT_OK(ctx, wal_crowd_play(crowd, e, NULL));
      count_states(crowd, crowd->total, count);
      cells[code_of(VALUES + 1, BIDDERS + 1, count)]++;
    }
    wal_crowd_destroy(&crowd);
    check_chi_square(CELLS, expected, cells, 5);
  }
  wal_test_field_destroy(&f);
}

// ---- Who is kept ------------------------------------------------------------------------------

typedef struct kept {
  const wal_crowd_group *group;
  int64_t won;  /**< in "won" at the stage that comes, in an auction where it is the last state */
  bool auction; /**< one contest, nobody re-enters */
} kept;

static void check_kept(void *user, const wal_crowd *crowd, int stage) {
  kept *k = user;
  const wal_arena *arena = crowd->plan.arena;
  const wal_shape *shape = &arena->space->game->shape;
  int64_t all[WAL_POPULATIONS] = {0}, won = 0;
  for (int g = 0; g < crowd->plan.groups; g++) {
    int64_t of_group[WAL_POPULATIONS] = {0};
    for (int64_t i = 0; i < arena->pairs; i++) {
      const int64_t played = crowd->played[g * arena->pairs + i];
      assert_true(played >= 0);
      // Nobody does what has no probability.
      if (k->group[g].policy[stage][i] == 0) assert_true(played == 0);
      of_group[i / shape->actions % shape->populations] += played;
    }
    for (int p = 0; p < shape->populations; p++) assert_true(of_group[p] == k->group[g].agents[p]);
  }
  for (int64_t i = 0; i < arena->pairs; i++)
    all[i / shape->actions % shape->populations] += crowd->total[i];
  for (int p = 0; p < shape->populations; p++) assert_true(all[p] == crowd->agents);
  if (!k->auction) return;
  // Quotas are what is played, and those of winners are who is then in "won".
  for (int a = 0; a < shape->actions; a++) {
    int64_t rivals = 0;
    won += crowd->total[(shape->states - 1) * shape->actions + a];
    for (int64_t s = 0; s + 1 < shape->states; s++) rivals += crowd->total[s * shape->actions + a];
    assert_true(arena->quota[a] + arena->quota[shape->actions + a] == rivals);
  }
  if (stage > 0) assert_true(won == k->won);
  k->won = won;
  for (int a = 0; a < shape->actions; a++) k->won += arena->quota[shape->actions + a];
}

static void check_game(const char *text, int steps, bool auction, int64_t agents, int guests) {
  wal_test_field f;
  wal_test_field_create(ctx, text, steps, &f);
  wal_guest guest[2] = {{.number = 4, .policy = f.policy}, {.number = 9, .policy = f.policy}};
  wal_crowd_group group[3];
  for (int g = 0; g < 3; g++) group[g] = wal_test_group(&f, g == 0 ? agents - agents / 3 : 0);
  for (int p = 0; p < f.game->shape.populations; p++) {
    group[2].agents[p] = agents / 3;
    if (p == 0) group[0].agents[p] -= guests;
  }
  kept k = {.group = group, .auction = auction};
  const wal_crowd_watch watch = {check_kept, &k};
  const wal_crowd_plan plan = {
      .arena = &f.arena, .groups = 3, .group = group, .guests = guests, .guest = guest};
  play_many(&f, &plan, 20, &watch);
  wal_test_field_destroy(&f);
}

static void nobody_is_lost(void **state) {
  (void)state;
  static const int64_t AGENTS[] = {3, 4, 100, 12345678, INT64_C(1000000000000), INT64_C(1) << 53};
  for (size_t i = 0; i < sizeof AGENTS / sizeof *AGENTS; i++) {
    check_game(BEACH, 2, false, AGENTS[i], i % 3 == 1 ? 2 : 0);
    check_game("return predator_prey { horizon = 4 }", 2, false, AGENTS[i], 0);
    check_game("return batched_auction { values = 9, bids = 7 }", 3, true, AGENTS[i],
               i % 3 == 1 ? 2 : 0);
    check_game("return batched_auction { values = 9, bids = 7, reentry = 0.2 }", 0, false,
               AGENTS[i], 0);
  }
}

// ---- The ends ---------------------------------------------------------------------------------

/* One agent, of a group or a guest: its masses are 0 or 1, and its own statistics. */
static void one_agent(void **state) {
  (void)state;
  wal_test_field f;
  wal_test_field_create(ctx, "return batched_auction { values = 5, bids = 4, goods = 1 }", 0, &f);
  const wal_crowd_group group = wal_test_group(&f, 1);
  wal_guest guest = {.policy = f.policy};
  for (int kind = 0; kind < 2; kind++) {
    wal_crowd *crowd;
    const wal_crowd_plan plan = {.arena = &f.arena,
                                 .groups = kind == 0,
                                 .group = &group,
                                 .guests = kind == 1,
                                 .guest = &guest};
    WAL_ASSERT_OK(ctx, wal_crowd_create(ctx, &wal_crowd_counts, &plan, &crowd));
    for (int e = 0; e < 50; e++) {
      WAL_ASSERT_OK(ctx, wal_crowd_play(crowd, e, NULL));
      for (int h = 0; h < f.game->shape.horizon; h++) {
        double sum = 0;
        for (int64_t s = 0; s < f.game->shape.states; s++) {
          const double mass = wal_flow_mass(&f.arena.flow, h)[s];
          assert_true(mass == 0 || mass == 1);
          sum += mass;
        }
        assert_true(sum == 1);
      }
      // Whoever is alone gets a whole good in one of four rounds.
      const double *last = wal_flow_mass(&f.arena.flow, 3);
      assert_true(last[5] == 0 || last[5] == 1);
    }
    wal_crowd_destroy(&crowd);
  }
  wal_test_field_destroy(&f);
}

static void all_agents_in_one_state(void **state) {
  (void)state;
  const int64_t agents = INT64_C(1000000000000);
  wal_test_field f;
  wal_test_field_create(ctx,
                        "return beach_bar { states = 5, horizon = 3, bar = 2, stay = 1,\n"
                        "  initial = { 0, 0, 1, 0, 0 } }",
                        0, &f);
  const wal_crowd_group group = wal_test_group(&f, agents);
  const wal_crowd_plan plan = {.arena = &f.arena, .groups = 1, .group = &group};
  wal_crowd *crowd;
  WAL_ASSERT_OK(ctx, wal_crowd_create(ctx, &wal_crowd_counts, &plan, &crowd));
  WAL_ASSERT_OK(ctx, wal_crowd_play(crowd, 0, NULL));
  for (int s = 0; s < 5; s++) {
    assert_true(wal_flow_mass(&f.arena.flow, 0)[s] == (s == 2));
    const double deviation = sqrt(2.0 / 9 / (double)agents);
    WAL_ASSERT_WITHIN(wal_flow_mass(&f.arena.flow, 1)[s], s >= 1 && s <= 3 ? 1.0 / 3 : 0,
                      4.5 * deviation * (s >= 1 && s <= 3));
  }
  wal_crowd_destroy(&crowd);
  wal_test_field_destroy(&f);
}

/* Two groups do what each of them would: one only walks right, the other stays at home. */
static void groups_keep_to_their_policies(void **state) {
  (void)state;
  static const double right[2] = {1, 0}, left[2] = {0, 1};
  wal_test_field f;
  wal_test_field_create(ctx, "return left_right {}", 0, &f);
  const int horizon = f.game->shape.horizon;
  const int64_t states = f.game->shape.states;
  assert_int_equal(f.game->shape.actions, 2);
  double rows[2][64];
  const double *policy[2][WAL_TEST_STAGES];
  for (int64_t s = 0; s < states; s++) {
    memcpy(rows[0] + 2 * s, right, sizeof right);
    memcpy(rows[1] + 2 * s, left, sizeof left);
  }
  for (int h = 0; h < horizon; h++) policy[0][h] = rows[0], policy[1][h] = rows[1];
  const wal_crowd_group group[2] = {{{900}, policy[0]}, {{100}, policy[1]}};
  const wal_crowd_plan plan = {.arena = &f.arena, .groups = 2, .group = group};
  wal_crowd *crowd;
  WAL_ASSERT_OK(ctx, wal_crowd_create(ctx, &wal_crowd_counts, &plan, &crowd));
  WAL_ASSERT_OK(ctx, wal_crowd_play(crowd, 3, NULL));
  int64_t by_action[2] = {0};
  for (int64_t i = 0; i < f.arena.pairs; i++) by_action[i % 2] += crowd->total[i];
  assert_true(by_action[0] == 900 && by_action[1] == 100);
  wal_crowd_destroy(&crowd);
  wal_test_field_destroy(&f);
}

/* A plan knows what a crowd takes; too many agents, or none, are refused. */
static void plans_and_refusals(void **state) {
  (void)state;
  wal_test_field f;
  wal_test_field_create(ctx, "return batched_auction {}", 0, &f);
  wal_crowd_group group = wal_test_group(&f, 1000);
  const wal_crowd_plan plan = {.arena = &f.arena, .groups = 1, .group = &group};
  wal_crowd *crowd;
  const int64_t before = wal_ctx_memory(ctx);
  wal_ctx_plan_begin(ctx);
  WAL_ASSERT_OK(ctx, wal_crowd_create(ctx, &wal_crowd_counts, &plan, &crowd));
  wal_crowd_destroy(&crowd);
  const int64_t planned = wal_ctx_plan_end(ctx);
  WAL_ASSERT_OK(ctx, wal_crowd_create(ctx, &wal_crowd_counts, &plan, &crowd));
  assert_true(wal_ctx_memory(ctx) - before == planned);
  wal_crowd_destroy(&crowd);
  assert_true(wal_ctx_memory(ctx) == before);
  group.agents[0] = (INT64_C(1) << 53) + 1;
  WAL_ASSERT_STATUS(ctx, WAL_EINPUT, wal_crowd_create(ctx, &wal_crowd_counts, &plan, &crowd));
  WAL_ASSERT_CONTAINS(wal_ctx_error(ctx), "at most 9007199254740992 in mode \"counts\"");
  group.agents[0] = 0;
  WAL_ASSERT_STATUS(ctx, WAL_EINPUT, wal_crowd_create(ctx, &wal_crowd_counts, &plan, &crowd));
  WAL_ASSERT_CONTAINS(wal_ctx_error(ctx), "expected at least 1");
  wal_test_field_destroy(&f);
}

/* Another episode, or another seed, is another draw; the same ones are the same. */
static void episodes_are_draws_of_their_own(void **state) {
  (void)state;
  wal_test_field f;
  wal_test_field_create(ctx, BEACH, 0, &f);
  const wal_crowd_group group = wal_test_group(&f, 1000000);
  const wal_crowd_plan plan = {.arena = &f.arena, .groups = 1, .group = &group};
  wal_crowd *crowd;
  double mass[4];
  WAL_ASSERT_OK(ctx, wal_crowd_create(ctx, &wal_crowd_counts, &plan, &crowd));
  for (int i = 0; i < 4; i++) {
    wal_ctx_set_seed(ctx, i < 3 ? 5 : 6);
    WAL_ASSERT_OK(ctx, wal_crowd_play(crowd, i == 1 ? 8 : 7, NULL));
    mass[i] = wal_flow_mass(&f.arena.flow, 2)[1];
  }
  wal_ctx_set_seed(ctx, 5);
  WAL_ASSERT_SAME(mass[0], mass[2]);
  assert_true(mass[0] != mass[1] && mass[0] != mass[3] && mass[1] != mass[3]);
  wal_crowd_destroy(&crowd);
  wal_test_field_destroy(&f);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(counts_of_the_last_stage), cmocka_unit_test(counts_of_two_stages),
    cmocka_unit_test(counts_after_outcomes),    cmocka_unit_test(counts_after_a_contest),
    cmocka_unit_test(nobody_is_lost),           cmocka_unit_test(one_agent),
    cmocka_unit_test(all_agents_in_one_state),  cmocka_unit_test(groups_keep_to_their_policies),
    cmocka_unit_test(plans_and_refusals),       cmocka_unit_test(episodes_are_draws_of_their_own),
};

int main(int argc, char **argv) {
  wal_test_begin(&argc, &argv);
  return wal_test_end(cmocka_run_group_tests(tests, open_ctx, close_ctx));
}
