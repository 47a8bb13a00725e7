// SPDX-License-Identifier: GPL-3.0-or-later
/* The batched auction among N bidders: goods and bidders are kept at every step, and what N bidders
 * do tends to the mean field as 1/sqrt(N) (Corecco et al. 2025, Theorem 2). Bidders are followed
 * one by one through the game's own operations, or counted. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "auctions/clearing_exact.h"
#include "sim/agents/lottery.h"
#include "sim/core/random.h"
#include "sim/game/report.h"
#include "sim/learn/learner.h"
#include "tests/support/make_game.h"

static const char GAME[] =
    "return batched_auction { rounds = 4, values = 12, bids = 10, goods = 1.25, reentry = 0.3,\n"
    "  prior = function(v) return 1 + v * v end, drift = gaussian { slope = 0.9, width = 0.1 },\n"
    "  unsold = 'returned', mechanism = first_price { reserve = 0.3 } }\n";

enum { LOSE, WIN, COLUMN_GOODS = 0, COLUMN_SOLD = 1, COLUMN_REVENUE = 4, COLUMN_EFFICIENCY = 5 };

typedef struct bench {
  wal_ctx *ctx;
  wal_test_game made;
  const wal_game *game;
  wal_params *rule;
  wal_space *space;
  wal_learner *learner;
  wal_report mean; /**< of the policy in the mean field */
  int rounds, bids;
  int64_t states, terms, numbers;
  double **policy; /**< [rounds]: [state][bid] */
  int *contest;    /**< [states] */
  int64_t *target;
  double *weight; /**< the noise kernel */
} bench;

static void *room(int64_t count, size_t size) {
  void *memory = calloc((size_t)count + 1, size);
  assert_non_null(memory);
  return memory;
}

static void set_up(bench *b, const char *text) {
  memset(b, 0, sizeof *b);
  b->ctx = wal_test_ctx(1);
  const wal_learner_type *type = wal_learner_find("mirror_descent");
  wal_node *rule = wal_test_component("mirror_descent");
  wal_test_set_number(rule, "rate", 2);
  wal_test_set_number(rule, "entropy", 0.1);
  WAL_ASSERT_OK(b->ctx, wal_test_game_script(b->ctx, text, &b->made));
  WAL_ASSERT_OK(b->ctx,
                wal_params_resolve(b->ctx, "test.lua", &type->component, rule, NULL, &b->rule));
  wal_node_destroy(rule);
  b->game = &b->made.game;
  WAL_ASSERT_OK(b->ctx, wal_space_create(b->ctx, b->game, NULL, &b->space));
  WAL_ASSERT_OK(b->ctx, wal_learner_create(b->space, type, b->rule, &b->learner));
  wal_measure unused;
  for (int k = 0; k <= 4; k++)
    WAL_ASSERT_OK(b->ctx, wal_learner_sweep(b->learner, true, k < 4, &unused));
  WAL_ASSERT_OK(b->ctx,
                wal_report_create(b->space, &b->learner->flow, &b->learner->policy, &b->mean));
  const wal_shape *shape = &b->game->shape;
  b->rounds = shape->horizon;
  b->bids = shape->actions;
  b->states = shape->states;
  b->terms = shape->noise_terms;
  b->numbers = wal_game_statistics(b->game);
  b->policy = room(b->rounds, sizeof *b->policy);
  for (int h = 0; h < b->rounds; h++) {
    b->policy[h] = room(b->states * b->bids, sizeof(double));
    wal_policy_export(&b->learner->policy, h, b->policy[h]);
  }
  b->contest = room(b->states, sizeof *b->contest);
  b->game->type->contest(b->game->self, 0, b->states, b->contest);
  b->target = room(b->states * b->terms, sizeof *b->target);
  b->weight = room(b->states * b->terms, sizeof *b->weight);
  if (b->terms > 0)  // else games need not answer
    b->game->type->noise(b->game->self, 0, 0, b->states, b->target, b->weight);
}

static void tear_down(bench *b) {
  for (int h = 0; h < b->rounds; h++) free(b->policy[h]);
  free(b->policy), free(b->contest), free(b->target), free(b->weight);
  wal_report_free(b->ctx, &b->mean);
  wal_learner_destroy(&b->learner);
  wal_space_destroy(&b->space);
  wal_params_destroy(&b->rule);
  wal_test_game_destroy(b->ctx, &b->made);
  wal_ctx_destroy(&b->ctx);
}

static double mean_column(const bench *b, int round, int column) {
  return b->mean.values[round * b->mean.form->columns + column];
}

/* A population that is followed one by one. */
typedef struct crowd {
  uint64_t seed;
  int64_t agents;
  int64_t *state;
  int *bid;
  double *statistics; /**< [rounds][numbers] */
  int64_t *played, *quota;
  double revenue[8], sold[8], efficiency[8];
} crowd;

static double uniform(const crowd *c, int64_t agent, int stage, uint32_t draw) {
  return wal_random_uniform(c->seed, WAL_PURPOSE_TEST, (uint64_t)agent, (uint32_t)stage, draw);
}

static void check_quota(const bench *b, const crowd *c, int h) {
  const double *z = c->statistics + h * b->numbers;
  double column[WAL_REPORT_COLUMNS], sums[1] = {0};
  int64_t sold = 0, bidders = 0;
  for (int a = 0; a < b->bids; a++) {
    const int64_t lose = c->quota[LOSE * b->bids + a], win = c->quota[WIN * b->bids + a];
    assert_true(lose >= 0 && win >= 0 && lose + win == c->played[a]);
    assert_true(z[a] == (double)c->played[a] / (double)c->agents);
    sold += win;
    bidders += c->played[a];
  }
  b->game->type->conclude(b->game->self, h, z, sums, column);
  assert_true(sold <= wal_clearing_goods(column[COLUMN_GOODS], c->agents));
  WAL_ASSERT_NEAR(column[COLUMN_SOLD], (double)sold / (double)c->agents, 1e-15);
  // All goods go if enough bidders meet the reserve: bids from 3 on, of 10.
  int64_t serious = 0;
  for (int a = 3; a < b->bids; a++) serious += c->played[a];
  const int64_t goods = wal_clearing_goods(column[COLUMN_GOODS], c->agents);
  assert_true(sold == (goods < serious ? goods : serious) && bidders <= c->agents);
}

/* After quota(), stage() tells of these agents: its probabilities are shares of winners. */
static void check_stage(const bench *b, const crowd *c, int h) {
  const int64_t pairs = b->states * b->bids;
  const wal_slab slab = {h, 0, b->states, b->states};
  double *mass = room(b->states, sizeof *mass), *outcome = room(2 * pairs, sizeof *outcome);
  double *policy = room(pairs, sizeof *policy);
  wal_game_stage(b->game, &slab, mass, policy, c->statistics + h * b->numbers, NULL, outcome);
  for (int a = 0; a < b->bids; a++)
    for (int64_t s = 0; s < b->states && c->played[a] > 0; s++) {
      const double share = (double)c->quota[WIN * b->bids + a] / (double)c->played[a];
      if (b->contest[s] >= 0) WAL_ASSERT_WITHIN(outcome[pairs + a * b->states + s], share, 0);
    }
  free(mass), free(outcome), free(policy);
}

static void choose_bids(const bench *b, crowd *c, int h) {
  memset(c->played, 0, (size_t)b->bids * sizeof *c->played);
  for (int64_t i = 0; i < c->agents; i++) {
    double u = uniform(c, i, h, 1);
    const double *row = b->policy[h] + c->state[i] * b->bids;
    int a = 0;
    while (a < b->bids - 1 && (u -= row[a]) >= 0) a++;
    c->bid[i] = a;
    if (b->contest[c->state[i]] >= 0) c->played[a]++;
  }
}

/* Whether each agent wins, by one lottery a bid. */
static unsigned char *draw_winners(const bench *b, const crowd *c, int h) {
  wal_lot lot[16];
  int64_t *agent = room(c->agents, sizeof *agent), count = 0;
  int32_t *lot_of = room(c->agents, sizeof *lot_of);
  unsigned char *won = room(c->agents, 1), *all = room(c->agents, 1);
  for (int a = 0; a < b->bids; a++)
    lot[a] = (wal_lot){.seed = c->seed, .stage = (uint32_t)h, .number = (uint64_t)a};
  for (int64_t i = 0; i < c->agents; i++)
    if (b->contest[c->state[i]] >= 0) agent[count] = i, lot_of[count++] = c->bid[i];
  WAL_ASSERT_OK(b->ctx, wal_lottery_hold(b->ctx, b->bids, lot, c->quota + WIN * b->bids, count,
                                         agent, lot_of, won));
  for (int64_t i = 0; i < count; i++) all[agent[i]] = won[i];
  free(agent), free(lot_of), free(won);
  return all;
}

static int64_t next_state(const bench *b, const crowd *c, int h, int64_t i, bool won) {
  int64_t post;
  double u = uniform(c, i, h, 2);
  b->game->type->move(b->game->self, 0, won ? WIN : LOSE, c->bid[i], c->state[i], 1, &post);
  for (int64_t e = 0; e < b->terms; e++)
    if ((u -= b->weight[e * b->states + post]) < 0) return b->target[e * b->states + post];
  return post;
}

static void play_round(const bench *b, crowd *c, int h) {
  choose_bids(b, c, h);
  b->game->type->quota(b->game->self, h, &c->agents, c->played, c->statistics, c->quota);
  check_quota(b, c, h);
  check_stage(b, c, h);
  unsigned char *won = draw_winners(b, c, h);
  c->efficiency[h] = c->sold[h] = c->revenue[h] = 0;
  for (int64_t i = 0; i < c->agents; i++) {
    if (won[i]) {
      c->sold[h] += 1 / (double)c->agents;
      c->revenue[h] += (double)c->bid[i] / b->bids / (double)c->agents;
      c->efficiency[h] += (double)c->state[i] / 12 / (double)c->agents;
    }
    c->state[i] = next_state(b, c, h, i, won[i]);
    assert_true(c->state[i] >= 0 && c->state[i] < b->states);
  }
  free(won);
}

/* Squares of what N bidders' totals are off the mean field's. */
static void play(const bench *b, int64_t agents, uint64_t seed, double square[3]) {
  crowd c = {.seed = seed, .agents = agents};
  double off[3] = {0};
  c.state = room(agents, sizeof *c.state);
  c.bid = room(agents, sizeof *c.bid);
  c.statistics = room(b->rounds * b->numbers, sizeof *c.statistics);
  c.played = room(b->bids, sizeof *c.played);
  c.quota = room(2 * b->bids, sizeof *c.quota);
  double *initial = room(b->states, sizeof *initial);
  b->game->type->initial(b->game->self, 0, b->states, initial);
  for (int64_t i = 0; i < agents; i++) {
    double u = uniform(&c, i, 0, 0);
    while (c.state[i] < b->states - 2 && (u -= initial[c.state[i]]) >= 0) c.state[i]++;
  }
  for (int h = 0; h < b->rounds; h++) {
    play_round(b, &c, h);
    off[0] += c.revenue[h] - mean_column(b, h, COLUMN_REVENUE);
    off[1] += c.sold[h] - mean_column(b, h, COLUMN_SOLD);
    off[2] += c.efficiency[h] - mean_column(b, h, COLUMN_EFFICIENCY);
  }
  for (int k = 0; k < 3; k++) square[k] += off[k] * off[k];
  free(c.state), free(c.bid), free(c.statistics), free(c.played), free(c.quota), free(initial);
}

/* The root of the mean square, times sqrt(N), is about the same number for N = 100, 3200, 102400:
 * 0.3 for revenue, 0.4 for goods sold and for efficiency. */
static void bidders_tend_to_the_mean_field(void **state) {
  (void)state;
  static const int64_t AGENTS[] = {100, 3200, 102400};
  static const int RUNS[] = {200, 60, 12};
  bench b;
  set_up(&b, GAME);
  for (int k = 0; k < 3; k++) {
    double square[3] = {0};
    for (int run = 0; run < RUNS[k]; run++) play(&b, AGENTS[k], (uint64_t)run, square);
    double scaled[3];
    for (int i = 0; i < 3; i++) scaled[i] = sqrt(square[i] / RUNS[k] * (double)AGENTS[k]);
    print_message("  N = %lld: sqrt(N) rms of revenue %.3f, sold %.3f, efficiency %.3f\n",
                  (long long)AGENTS[k], scaled[0], scaled[1], scaled[2]);
    for (int i = 0; i < 3; i++) assert_true(scaled[i] > 0.15 && scaled[i] < 0.7);
  }
  tear_down(&b);
}

/* 10^12 bidders, counted: N times the mean field, rounded. Nothing but rounding is left of the
 * difference to it, and the winners at the threshold are shared out among the states. */
static void counted_bidders(void **state) {
  (void)state;
  const int64_t agents = INT64_C(1000000000000);
  bench b;
  set_up(&b, GAME);
  double *statistics = room(b.rounds * b.numbers, sizeof *statistics);
  int64_t *count = room(b.states * b.bids, sizeof *count);
  int64_t *played = room(b.bids, sizeof *played), *quota = room(2 * b.bids, sizeof *quota);
  for (int h = 0; h < b.rounds; h++) {
    memset(played, 0, (size_t)b.bids * sizeof *played);
    for (int64_t s = 0; s < b.states; s++)
      for (int a = 0; a < b.bids; a++) {
        const double mass = wal_flow_mass(&b.learner->flow, h)[s] * b.policy[h][s * b.bids + a];
        count[a * b.states + s] = b.contest[s] >= 0 ? llrint(mass * (double)agents) : 0;
        played[a] += count[a * b.states + s];
      }
    b.game->type->quota(b.game->self, h, &agents, played, statistics, quota);
    const double *z = statistics + h * b.numbers, *mean = wal_flow_statistic(&b.learner->flow, h);
    for (int64_t i = 0; i < b.numbers; i++) WAL_ASSERT_WITHIN(z[i], mean[i], 1e-8);
    for (int a = 0; a < b.bids; a++) {
      const wal_lot lot = {.seed = 3, .stage = (uint32_t)h, .number = (uint64_t)a};
      const int64_t *members = count + a * b.states;
      int64_t drawn[16], sum = 0;
      const int64_t winners = quota[WIN * b.bids + a];
      const double share = played[a] > 0 ? (double)winners / (double)played[a] : 0;
      wal_lottery_share(&lot, 0, b.states, members, winners, drawn);
      for (int64_t s = 0; s < b.states; s++) {
        assert_true(drawn[s] >= 0 && drawn[s] <= members[s]);
        const double deviation = sqrt((double)members[s] * share * (1 - share));
        WAL_ASSERT_WITHIN((double)drawn[s], (double)members[s] * share, 6 * deviation + 1e-3);
        sum += drawn[s];
      }
      assert_true(sum == winners);
    }
  }
  free(statistics), free(count), free(played), free(quota);
  tear_down(&b);
}

/* One bidder, and as few goods, levels and values as there can be. */
static void the_smallest_auctions(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int64_t agents, played, won;
  } CASES[] = {
      {"values = 1, bids = 1, rounds = 1, goods = 1", 1, 1, 1},
      {"values = 1, bids = 1, rounds = 1, goods = 0.99", 1, 1, 0},
      {"values = 1, bids = 1, rounds = 1, goods = 0", 1, 1, 0},
      {"values = 1, bids = 1, rounds = 1, goods = 3", 1, 1, 1},
      {"values = 1, bids = 1, rounds = 1, goods = 3", 7, 0, 0},
      {"values = 1, bids = 1, rounds = 1, goods = 0.29", 100, 100, 29},
      {"values = 3, bids = 1, rounds = 1, winners = 'stay', goods = 0.29", 100, 100, 29},
      {"values = 1, bids = 1, rounds = 1, mechanism = first_price { reserve = 1 }", 9, 9, 0},
  };
  for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
    char text[256];
    bench b;
    snprintf(text, sizeof text, "return batched_auction { %s }", CASES[i].text);
    set_up(&b, text);
    double statistics[64] = {0};
    int64_t quota[2];
    assert_true(b.numbers <= 64);
    b.game->type->quota(b.game->self, 0, &CASES[i].agents, &CASES[i].played, statistics, quota);
    assert_int_equal(quota[WIN], CASES[i].won);
    assert_int_equal(quota[LOSE], CASES[i].played - CASES[i].won);
    for (int64_t k = 0; k < b.numbers; k++) assert_true(isfinite(statistics[k]));
    tear_down(&b);
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(bidders_tend_to_the_mean_field),
    cmocka_unit_test(counted_bidders),
    cmocka_unit_test(the_smallest_auctions),
};

WAL_TEST_MAIN(tests)
