// SPDX-License-Identifier: GPL-3.0-or-later
/* What every registered mechanism must keep to, whatever is bid: with its defaults and with a
 * second setting, in several markets, on many bid masses. A new mechanism is checked as soon as it
 * is listed. */
#include <math.h>
#include <stdlib.h>

#include "auctions/clearing.h"
#include "sim/core/random.h"
#include "tests/conformance/settings.h"
#include "tests/support/make_mechanism.h"

enum { SEED = 4, MOST_BIDS = 100, MASSES = 60 };

static const double TOLERANCE = 1e-12;

static const wal_market MARKETS[] = {{.rounds = 3, .bids = 17, .goods = 1.1},
                                     {.rounds = 4, .bids = 100, .goods = 1.1, .returned = true},
                                     {.rounds = 1, .bids = 1, .goods = 1.1},
                                     {.rounds = 2, .bids = 2, .goods = 1.1}};

static double draw(int item, int i, uint32_t what) {
  return wal_random_uniform(SEED, WAL_PURPOSE_TEST, (uint64_t)(1000 * item + i), what, 0);
}

/* Bid masses of many kinds: dense, sparse, none, all on one bid, equal, hardly any; with a sum from
   0 to 1. */
static void fill_mass(int item, int bids, double *mass) {
  const int kind = item % 6;
  const double total = item % 4 == 0 ? 1 : draw(item, 999, 1);
  const int one = (int)(draw(item, 998, 1) * bids);
  double sum = 0;
  for (int a = 0; a < bids; a++) {
    const double u = draw(item, a, 2);
    mass[a] = kind == 0   ? u
              : kind == 1 ? (u < 0.1 ? u : 0)
              : kind == 2 ? a == one
              : kind == 3 ? 1
              : kind == 4 ? pow(u, 200)
                          : 0;
    sum += mass[a];
  }
  for (int a = 0; a < bids && sum > 0; a++) mass[a] *= total / sum;
}

/* The largest mass of bidders that a reserve price lets win. */
static double eligible(int bids, int reserve, const double *mass) {
  double sum = 0;
  for (int a = reserve; a < bids; a++) sum += mass[a];
  return sum;
}

static void check_payments(const wal_mechanism *m, const wal_answer *answer) {
  for (int a = 0; a < m->market.bids; a++) {
    const double p = answer->payment[a];
    assert_true(isfinite(p) && p >= 0);
    if (m->type->monotone && a > 0) assert_true(p >= answer->payment[a - 1]);
    if (m->type->within_bid) assert_true(p <= (double)a / m->market.bids);
  }
}

static void check_allocation(const wal_mechanism *m, const wal_round *round,
                             const wal_answer *answer) {
  const int bids = m->market.bids;
  double win[MOST_BIDS], sold = 0, revenue = 0, offered = 0;
  assert_true(answer->goods >= 0 && answer->goods <= round->left);
  assert_true(answer->reserve >= 0 && answer->reserve <= bids);
  const wal_clearing c =
      wal_clearing_run(bids, answer->reserve, answer->goods, round->bid_mass, win);
  for (int a = 0; a < bids; a++) {
    assert_true(win[a] >= 0 && win[a] <= 1);
    if (a < answer->reserve) assert_true(win[a] == 0);
    if (a > 0) assert_true(win[a] >= win[a - 1]);
    sold += round->bid_mass[a] * win[a];
    revenue += round->bid_mass[a] * win[a] * answer->payment[a];
    offered += round->bid_mass[a] * win[a] * a / bids;
  }
  assert_true(c.sold <= answer->goods * (1 + TOLERANCE));
  WAL_ASSERT_WITHIN(c.sold, sold, TOLERANCE);
  WAL_ASSERT_WITHIN(c.sold, fmin(answer->goods, eligible(bids, answer->reserve, round->bid_mass)),
                    TOLERANCE);
  assert_true(revenue >= 0);
  if (m->type->within_bid) assert_true(revenue <= offered + TOLERANCE);
}

/* A reserve price in the parameters is the answer's. */
static void check_reserve(wal_ctx *ctx, const wal_test_mechanism *m, int round,
                          const wal_answer *answer) {
  const wal_param *p = m->made.type->component.params;
  for (; p && p->name; p++) {
    if (strcmp(p->name, "reserve") != 0 && strcmp(p->name, "price") != 0) continue;
    const double *price = NULL;
    WAL_ASSERT_OK(ctx,
                  wal_params_array(ctx, m->params, p->name, m->made.market.rounds, 0, 0, &price));
    for (int a = 0; a < m->made.market.bids; a++)
      assert_int_equal(a < answer->reserve, (double)a / m->made.market.bids < price[round] - 1e-9);
  }
}

/* The same question has the same answer, whatever was asked in between. */
static void check_again(const wal_test_mechanism *m, const wal_round *round,
                        const wal_answer *first) {
  const int bids = m->made.market.bids;
  double payment[MOST_BIDS], other[MOST_BIDS] = {0};
  wal_answer again = {.payment = payment};
  const wal_round between = {
      .round = m->made.market.rounds - 1, .left = 0.5 * round->left, .bid_mass = other};
  for (int turn = 0; turn < 2; turn++) {
    if (turn == 1) wal_mechanism_answer(&m->made, &between, &again);
    for (int a = 0; a < bids; a++) payment[a] = -7;
    again.goods = -7, again.reserve = -7;
    wal_mechanism_answer(&m->made, round, &again);
    WAL_ASSERT_SAME(again.goods, first->goods);
    assert_int_equal(again.reserve, first->reserve);
    for (int a = 0; a < bids; a++) WAL_ASSERT_SAME(payment[a], first->payment[a]);
  }
}

static void check_market(wal_ctx *ctx, const char *text, const wal_market *market) {
  wal_test_mechanism m;
  double mass[MOST_BIDS], payment[MOST_BIDS];
  WAL_ASSERT_OK(ctx, wal_test_mechanism_create(ctx, text, market, &m));
  for (int item = 0; item < MASSES; item++) {
    fill_mass(item, market->bids, mass);
    double left = market->goods;
    if (item % 5 == 3) left = 0;
    if (item % 5 == 4) left *= draw(item, 997, 1);
    for (int h = 0; h < market->rounds; h++) {
      const wal_round round = {.round = h, .left = left, .bid_mass = mass};
      wal_answer answer = {.payment = payment};
      m.made.type->answer(m.made.self, &round, &answer);  // before it is kept within what is left
      assert_true(answer.goods <= left * (1 + TOLERANCE));
      wal_mechanism_answer(&m.made, &round, &answer);
      check_payments(&m.made, &answer);
      check_allocation(&m.made, &round, &answer);
      check_reserve(ctx, &m, h, &answer);
      check_again(&m, &round, &answer);
    }
  }
  if (m.made.type->failure) WAL_ASSERT_OK(ctx, m.made.type->failure(ctx, m.made.self));
  wal_test_mechanism_destroy(ctx, &m);
}

static void answers_are_feasible(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(SEED);
  char text[400];
  for (int64_t i = 0; i < wal_mechanism_count(); i++)
    for (int second = 0; second < 2; second++)
      for (size_t k = 0; k < sizeof MARKETS / sizeof *MARKETS; k++)
        check_market(
            ctx, settings_mechanism(wal_mechanism_at(i)->component.name, second, text, sizeof text),
            &MARKETS[k]);
  wal_ctx_destroy(&ctx);
}

/* Nothing to sell is a market, too. */
static void no_goods_are_a_market(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(SEED);
  char text[400];
  const wal_market market = {.rounds = 3, .bids = 17};
  for (int64_t i = 0; i < wal_mechanism_count(); i++)
    check_market(ctx,
                 settings_mechanism(wal_mechanism_at(i)->component.name, false, text, sizeof text),
                 &market);
  wal_ctx_destroy(&ctx);
}

static void mechanisms_are_described(void **state) {
  (void)state;
  for (int64_t i = 0; i < wal_mechanism_count(); i++) {
    const wal_mechanism_type *type = wal_mechanism_at(i);
    assert_true(type->struct_size == sizeof *type && type->create && type->answer);
    assert_string_equal(type->component.kind, "mechanism");
    assert_ptr_equal(wal_mechanism_find(type->component.name), type);
    assert_true(strlen(type->component.summary) > 10 && strlen(type->component.source) > 5);
    for (const wal_param *p = type->component.params; p->name; p++)
      assert_true(p->meaning && strlen(p->meaning) > 5);
  }
  assert_null(wal_mechanism_find("no_such"));
}

/* In the game: who does not win does not pay, unless losers pay; the report's revenue is the
   payments of those who pay; goods are never sold twice. */

enum { VALUES = 23, BIDS = 17, ROUNDS = 3 };

static void check_rewards(const wal_game *game, bool losers_pay, int round, const double *z,
                          const wal_report_form *form) {
  const double *win = z + form->table[1].row * BIDS, *payment = z + form->table[2].row * BIDS;
  double reward[BIDS * (VALUES + 1)], chance[2 * BIDS * (VALUES + 1)];
  const wal_slab all = {round, 0, VALUES + 1, VALUES + 1};
  wal_game_stage(game, &all, NULL, NULL, z, reward, chance);
  for (int a = 0; a < BIDS; a++)
    for (int s = 0; s < VALUES; s++) {
      const double v = (double)s / VALUES, pays = losers_pay ? 1 : win[a];
      WAL_ASSERT_WITHIN(reward[a * (VALUES + 1) + s], win[a] * v - pays * payment[a], TOLERANCE);
      WAL_ASSERT_SAME(chance[(BIDS + a) * (VALUES + 1) + s], win[a]);
    }
}

static void check_game(wal_ctx *ctx, int setting) {
  wal_test_game made;
  WAL_ASSERT_OK(ctx, settings_create(ctx, "batched_auction", setting, &made));
  const wal_game *game = &made.game;
  const bool losers_pay = wal_mechanism_at(setting - 1)->losers_pay;
  const int64_t numbers = wal_game_statistics(game);
  const wal_report_form *form = game->type->report;
  double *z = calloc((size_t)(ROUNDS * numbers), sizeof *z);
  for (int item = 0; item < MASSES; item++) {
    double total = 0;
    for (int h = 0; h < ROUNDS; h++) {
      double *now = z + h * numbers, column[WAL_REPORT_COLUMNS], revenue = 0;
      const double *mass = now + form->table[0].row * BIDS, *win = now + form->table[1].row * BIDS;
      const double *payment = now + form->table[2].row * BIDS, sums[1] = {0};
      fill_mass(item + 100 * h, BIDS, now);
      game->type->settle(game->self, h, z);
      game->type->conclude(game->self, h, now, sums, column);
      for (int a = 0; a < BIDS; a++) revenue += mass[a] * (losers_pay ? 1 : win[a]) * payment[a];
      WAL_ASSERT_WITHIN(column[4], revenue, TOLERANCE);
      assert_true(column[1] <= column[0] * (1 + TOLERANCE));
      total += column[1];
      check_rewards(game, losers_pay, h, now, form);
    }
    assert_true(total <= 1.1 * (1 + TOLERANCE));
  }
  free(z);
  wal_test_game_destroy(ctx, &made);
}

static void only_winners_pay(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(SEED);
  for (int k = 1; k < settings_count("batched_auction"); k++) check_game(ctx, k);
  wal_ctx_destroy(&ctx);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(mechanisms_are_described),
    cmocka_unit_test(answers_are_feasible),
    cmocka_unit_test(no_goods_are_a_market),
    cmocka_unit_test(only_winners_pay),
};
WAL_TEST_MAIN(tests)
