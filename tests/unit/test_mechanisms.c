// SPDX-License-Identifier: GPL-3.0-or-later
/* Mechanisms one by one: payments and prices that can be worked out by hand. */
#include <math.h>
#include <stdlib.h>

#include "auctions/mechanism_neural.h"
#include "tests/support/make_mechanism.h"

enum { BIDS = 10, MOST_BIDS = 100 };

static const wal_market ONE = {.rounds = 1, .bids = BIDS, .goods = 2};
static const double EQUAL[BIDS] = {0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1};
static const double NOBODY[BIDS] = {0};
static const double GAP[BIDS] = {0.5, 0, 0, 0.2, 0, 0, 0.2, 0, 0.1, 0};

/* What a winner at the highest bid pays in a market for `left` goods. */
static double top_payment(const char *text, double left, const double *mass) {
  wal_ctx *ctx = wal_test_ctx(1);
  wal_test_mechanism m;
  double payment[BIDS];
  wal_answer answer = {.payment = payment};
  const wal_round round = {.round = 0, .left = left, .bid_mass = mass};
  WAL_ASSERT_OK(ctx, wal_test_mechanism_create(ctx, text, &ONE, &m));
  wal_mechanism_answer(&m.made, &round, &answer);
  WAL_ASSERT_SAME(answer.goods, left);
  for (int a = 0; a < BIDS; a++)  // nobody would pay more than the bid
    WAL_ASSERT_SAME(payment[a], fmin((double)a / BIDS, payment[BIDS - 1]));
  wal_test_mechanism_destroy(ctx, &m);
  wal_ctx_destroy(&ctx);
  return payment[BIDS - 1];
}

static const char LOWEST[] = "uniform_price { rule = 'lowest_winning' }";
static const char HIGHEST[] = "uniform_price { rule = 'highest_losing' }";

static void the_uniform_price_is_set_by_the_bids_at_the_margin(void **state) {
  (void)state;
  // bid 0.7 wins half of the time: it wins and loses
  WAL_ASSERT_SAME(top_payment(LOWEST, 0.25, EQUAL), 0.7);
  WAL_ASSERT_SAME(top_payment(HIGHEST, 0.25, EQUAL), 0.7);
  // goods end between 0.7 and 0.6, also where rounding leaves 1e-17 of them
  WAL_ASSERT_SAME(top_payment(LOWEST, 0.3, EQUAL), 0.7);
  WAL_ASSERT_SAME(top_payment(HIGHEST, 0.3, EQUAL), 0.6);
  // nobody bids between 0.6 and 0.3
  WAL_ASSERT_SAME(top_payment(LOWEST, 0.3, GAP), 0.6);
  WAL_ASSERT_SAME(top_payment(HIGHEST, 0.3, GAP), 0.3);
  // goods for all, for none, and nobody
  WAL_ASSERT_SAME(top_payment(LOWEST, 2, EQUAL), 0);
  WAL_ASSERT_SAME(top_payment(HIGHEST, 2, EQUAL), 0);
  WAL_ASSERT_SAME(top_payment(LOWEST, 0, EQUAL), 0);
  WAL_ASSERT_SAME(top_payment(HIGHEST, 0, EQUAL), 0.9);
  WAL_ASSERT_SAME(top_payment(LOWEST, 1, NOBODY), 0);
  WAL_ASSERT_SAME(top_payment(HIGHEST, 1, NOBODY), 0);
}

static void the_uniform_price_is_at_least_the_reserve(void **state) {
  (void)state;
  const char *lowest = "uniform_price { reserve = 0.35 }";
  const char *highest = "uniform_price { rule = 'highest_losing', reserve = 0.35 }";
  WAL_ASSERT_SAME(top_payment(lowest, 2, EQUAL), 0.4);  // the lowest bid that is taken
  WAL_ASSERT_SAME(top_payment(highest, 2, EQUAL), 0.35);
  WAL_ASSERT_SAME(top_payment(lowest, 1, NOBODY), 0.35);
  WAL_ASSERT_SAME(top_payment(highest, 0.3, GAP), 0.35);  // bid 0.3 is refused
  WAL_ASSERT_SAME(top_payment(highest, 0.25, EQUAL), 0.7);
}

/* One of 10^12 bidders is as many as none where bidders are not counted. */
static void one_bidder_of_many_sets_the_price(void **state) {
  (void)state;
  const int64_t agents = INT64_C(1000000000000);
  const int64_t bidders[BIDS] = {[2] = agents - 4, [5] = 1, [9] = 3};
  const char *const rules[] = {LOWEST, HIGHEST};
  double mass[BIDS], payment[BIDS];
  for (int a = 0; a < BIDS; a++) mass[a] = (double)bidders[a] / (double)agents;
  for (int highest = 0; highest < 2; highest++) {
    wal_ctx *ctx = wal_test_ctx(1);
    wal_test_mechanism m;
    wal_answer out = {.payment = payment};
    const double goods = (double)(highest ? 3 : 4) / (double)agents;
    const wal_market market = {.rounds = 1, .bids = BIDS, .goods = goods};
    const wal_round round = {.left = goods, .bid_mass = mass, .agents = agents, .bidders = bidders};
    WAL_ASSERT_OK(ctx, wal_test_mechanism_create(ctx, rules[highest], &market, &m));
    wal_mechanism_answer(&m.made, &round, &out);
    WAL_ASSERT_SAME(payment[BIDS - 1], 0.5);
    wal_test_mechanism_destroy(ctx, &m);
    wal_ctx_destroy(&ctx);
  }
}

static void a_posted_price_is_what_winners_pay(void **state) {
  (void)state;
  WAL_ASSERT_SAME(top_payment("posted_price { price = 0.45 }", 1, EQUAL), 0.45);
  WAL_ASSERT_SAME(top_payment("posted_price { price = 0.9 }", 1, EQUAL), 0.9);
  WAL_ASSERT_SAME(top_payment("posted_price { price = 0 }", 1, EQUAL), 0);
}

static void answer(const char *text, const wal_market *market, int round, double left,
                   const double *mass, double *payment, double *goods, int *reserve) {
  wal_ctx *ctx = wal_test_ctx(1);
  wal_test_mechanism m;
  wal_answer out = {.payment = payment};
  const wal_round at = {.round = round, .left = left, .bid_mass = mass};
  WAL_ASSERT_OK(ctx, wal_test_mechanism_create(ctx, text, market, &m));
  wal_mechanism_answer(&m.made, &at, &out);
  if (m.made.type->failure) WAL_ASSERT_OK(ctx, m.made.type->failure(ctx, m.made.self));
  *goods = out.goods;
  *reserve = out.reserve;
  wal_test_mechanism_destroy(ctx, &m);
  wal_ctx_destroy(&ctx);
}

static void a_refused_bid_does_not_pay(void **state) {
  (void)state;
  double payment[BIDS], goods;
  int reserve;
  answer("all_pay { reserve = 0.3 }", &ONE, 0, 1, EQUAL, payment, &goods, &reserve);
  assert_int_equal(reserve, 3);
  for (int a = 0; a < BIDS; a++) WAL_ASSERT_SAME(payment[a], a < 3 ? 0 : (double)a / BIDS);
}

/* One lowest price for all rounds, or one for each. */
static void lowest_prices_may_change_by_round(void **state) {
  (void)state;
  static const char *const KINDS[] = {
      "first_price {%s}",  "uniform_price {%s}",
      "all_pay {%s}",      "static {%s}",
      "posted_price {%s}", "scripted { payment = function(b) return b end, %s}"};
  static const char *const GIVEN[] = {"%s = 0.3", "%s = { 0.3, 0.55, 0 }",
                                      "%s = function(round) return 0.3 + 0.25 * round end"};
  static const int LEVEL[3][3] = {{3, 3, 3}, {3, 6, 0}, {3, 6, 8}};
  const wal_market market = {.rounds = 3, .bids = BIDS, .goods = 0.6};
  double payment[BIDS], goods;
  for (size_t k = 0; k < sizeof KINDS / sizeof *KINDS; k++)
    for (int g = 0; g < 3; g++)
      for (int h = 0; h < 3; h++) {
        char given[80], text[160];
        int reserve;
        snprintf(given, sizeof given, GIVEN[g], k == 4 ? "price" : "reserve");
        snprintf(text, sizeof text, KINDS[k], given);
        answer(text, &market, h, 0.6, EQUAL, payment, &goods, &reserve);
        assert_int_equal(reserve, LEVEL[g][h]);
        if (k == 4 && g > 0 && h == 1) WAL_ASSERT_NEAR(payment[BIDS - 1], 0.55, 1e-15);
      }
}

static void tables_are_taken_as_they_are(void **state) {
  (void)state;
  const wal_market market = {.rounds = 2, .bids = 4, .goods = 0.8};
  const char *text =
      "static { payment = { { 0, 0.1, 0.3, 0.7 }, { 0, 0.25, 0.1, 0.2 } }, "
      "goods = { 0.3, 0.4 } }";
  const double expected[2][4] = {{0, 0.1, 0.3, 0.7}, {0, 0.25, 0.1, 0.2}};
  double payment[4], goods;
  int reserve;
  for (int h = 0; h < 2; h++) {
    answer(text, &market, h, h == 0 ? 0.8 : 0.5, EQUAL, payment, &goods, &reserve);
    for (int a = 0; a < 4; a++) WAL_ASSERT_SAME(payment[a], expected[h][a]);
    WAL_ASSERT_NEAR(goods, h == 0 ? 0.3 : 0.4, 1e-15);
  }
  answer(text, &market, 1, 0.25, EQUAL, payment, &goods, &reserve);
  WAL_ASSERT_NEAR(goods, 0.2, 1e-15);  // of less, the same share
  answer("static {}", &market, 1, 0.6, EQUAL, payment, &goods, &reserve);
  WAL_ASSERT_SAME(goods, 0.3);
  for (int a = 0; a < 4; a++) WAL_ASSERT_SAME(payment[a], a / 8.0);
  answer("static { payment = function(h, bid) return h * bid / 2 end }", &market, 1, 0.6, EQUAL,
         payment, &goods, &reserve);
  for (int a = 0; a < 4; a++) WAL_ASSERT_SAME(payment[a], a / 8.0);
}

static void functions_are_asked_with_bid_round_and_goods(void **state) {
  (void)state;
  const wal_market market = {.rounds = 3, .bids = 4, .goods = 0.8};
  double payment[4], goods;
  int reserve;
  const char *text =
      "scripted { payment = function(bid, round) return bid * bid + round end, "
      "goods = function(round, left) return left / (1 + round) end }";
  answer(text, &market, 2, 0.6, EQUAL, payment, &goods, &reserve);
  WAL_ASSERT_NEAR(goods, 0.2, 1e-15);
  for (int a = 0; a < 4; a++) WAL_ASSERT_SAME(payment[a], a * a / 16.0 + 2);
  answer("scripted { payment = function(bid) return bid end, split = { 0.2, 0.2, 0.4 } }", &market,
         1, 0.6, EQUAL, payment, &goods, &reserve);
  WAL_ASSERT_NEAR(goods, 0.2, 1e-15);
}

static void refuse(const char *text, const char *part) {
  wal_ctx *ctx = wal_test_ctx(1);
  wal_test_mechanism m;
  WAL_ASSERT_STATUS(ctx, WAL_EINPUT, wal_test_mechanism_create(ctx, text, &ONE, &m));
  WAL_ASSERT_CONTAINS(wal_ctx_error(ctx), part);
  wal_ctx_destroy(&ctx);
}

static void nonsense_is_refused(void **state) {
  (void)state;
  refuse("first_price { split = { 1 } }", "sum 2 (goods), got the sum 1");
  refuse("static { goods = { 2.5 } }", "at most 2 (goods), got the sum 2.5");
  refuse("static { payment = function(h, bid) return bid + 0.01 end }",
         "payment: round 0, bid 0: expected at most the bid, got 0.01");
  refuse("scripted { payment = function(bid) return bid - 0.5 end }",
         "payment(bid=0, round=0): expected a finite payment of at least 0, got -0.5");
  refuse(
      "scripted { payment = function(bid) return bid end, split = { 2 }, "
      "goods = function(h, left) return left end }",
      "split");
}

/* The first failure while the game runs is told once, and names round and goods. */
static void goods_beyond_what_is_left_are_told(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(1);
  wal_test_mechanism m;
  double payment[BIDS];
  wal_answer out = {.payment = payment};
  const wal_round round = {.round = 0, .left = 0.5, .bid_mass = EQUAL};
  WAL_ASSERT_OK(ctx, wal_test_mechanism_create(ctx,
                                               "scripted { payment = function(bid) return bid end, "
                                               "goods = function(h, left) return left + 1 end }",
                                               &ONE, &m));
  wal_mechanism_answer(&m.made, &round, &out);
  assert_true(out.goods >= 0 && out.goods <= 0.5);
  wal_fail(ctx, WAL_EINPUT, "something else");
  WAL_ASSERT_STATUS(ctx, WAL_EINPUT, m.made.type->failure(ctx, m.made.self));
  WAL_ASSERT_CONTAINS(wal_ctx_error(ctx),
                      "test.lua:1: scripted: goods(round=0, left=0.5): expected goods from 0 to "
                      "the 0.5 left, got 1.5");
  WAL_ASSERT_OK(ctx, m.made.type->failure(ctx, m.made.self));
  wal_test_mechanism_destroy(ctx, &m);
  wal_ctx_destroy(&ctx);
}

// ---- The network ------------------------------------------------------------------------------

static double relu(double x) { return x > 0 ? x : 0; }
static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

/* W x of a column-major matrix, in the plainest way. */
static double row(const double *w, int rows, int columns, int i, const double *x) {
  double sum = 0;
  for (int j = 0; j < columns; j++) sum += w[(int64_t)j * rows + i] * x[j];
  return sum;
}

/* The network's equations as they are written, with the whole one-hot input. */
static void plain_network(const wal_neural_layout *at, const double *p, bool free,
                          const wal_round *round, double *payment, double *goods) {
  double x[200] = {0}, x1[64], f[64], y[64], out = p[at->bg];
  const int d = at->hidden;
  x[round->round] = 1;
  for (int a = 0; a < at->bids; a++) x[at->rounds + a] = round->bid_mass[a];
  x[at->rounds + at->bids] = round->left;
  for (int i = 0; i < d; i++) x1[i] = relu(row(p + at->w1, d, at->inputs, i, x) + p[at->b1 + i]);
  for (int i = 0; i < d; i++)
    f[i] = relu(row(p + at->w2, d, d, i, x1) + p[at->b2 + i] +
                row(p + at->v2, d, at->inputs, i, x) + p[at->c2 + i]);
  for (int i = 0; i < d; i++) y[i] = relu(row(p + at->w3, d, d, i, f) + p[at->b3 + i]);
  for (int i = 0; i < d; i++) out += p[at->wg + i] * f[i];
  *goods = round->left * sigmoid(out);
  payment[0] = 0;
  for (int a = 1; a < at->bids; a++) {
    const double z = row(p + at->w4, at->bids - 1, d, a - 1, y) + p[at->b4 + a - 1];
    payment[a] = payment[a - 1] + (free ? log1p(exp(z)) : sigmoid(z)) / at->bids;
  }
}

static void the_network_is_as_written(void **state) {
  (void)state;
  const wal_market market = {.rounds = 3, .bids = 23, .goods = 0.8};
  for (int free = 0; free < 2; free++) {
    wal_ctx *ctx = wal_test_ctx(5);
    wal_test_mechanism m;
    wal_neural_layout at;
    double payment[23], expected[23], goods, mass[23];
    WAL_ASSERT_OK(ctx, wal_test_mechanism_create(
                           ctx,
                           free ? "neural { hidden = 37, slope = 'free', precision = 'double' }"
                                : "neural { hidden = 37, precision = 'double' }",
                           &market, &m));
    double *p = wal_neural_parameters(&m.made, &at);
    for (int64_t i = 0; i < at.count; i++) p[i] = 1.5 * p[i] + 0.02 * sin((double)i);
    for (int a = 0; a < 23; a++) mass[a] = (1 + sin(3.0 * a)) / 23;
    for (int h = 0; h < 3; h++) {
      const wal_round round = {.round = h, .left = 0.8 - 0.3 * h, .bid_mass = mass};
      wal_answer out = {.payment = payment};
      wal_mechanism_answer(&m.made, &round, &out);
      plain_network(&at, p, free, &round, expected, &goods);
      WAL_ASSERT_NEAR(out.goods, goods, 1e-12);
      for (int a = 0; a < 23; a++) {
        WAL_ASSERT_NEAR(payment[a], expected[a], 1e-12);
        if (!free) assert_true(payment[a] <= a / 23.0);
      }
    }
    wal_test_mechanism_destroy(ctx, &m);
    wal_ctx_destroy(&ctx);
  }
}

/* The published number of parameters is "about 2e5"; its exact count follows from the shapes. */
static void the_network_has_the_published_size(void **state) {
  (void)state;
  assert_int_equal(wal_neural_layout_make(4, 100, 256).count, 211556);
}

/* Without weights all sigmoids are 1/2; saturated, payments reach the bid and no more. */
static void weights_of_zero_halve(void **state) {
  (void)state;
  const wal_market market = {.rounds = 2, .bids = 100, .goods = 0.8};
  wal_ctx *ctx = wal_test_ctx(5);
  wal_test_mechanism m;
  wal_neural_layout at;
  double payment[100], mass[100];
  for (int a = 0; a < 100; a++) mass[a] = 0.01;
  WAL_ASSERT_OK(ctx, wal_test_mechanism_create(ctx, "neural { hidden = 8, precision = 'double' }",
                                               &market, &m));
  double *p = wal_neural_parameters(&m.made, &at);
  for (int64_t i = 0; i < at.count; i++) p[i] = 0;
  const wal_round round = {.round = 1, .left = 0.6, .bid_mass = mass};
  wal_answer out = {.payment = payment};
  wal_mechanism_answer(&m.made, &round, &out);
  WAL_ASSERT_SAME(out.goods, 0.3);
  for (int a = 0; a < 100; a++) WAL_ASSERT_SAME(payment[a], a / 2.0 / 100);
  for (int a = 0; a < 99; a++) p[at.b4 + a] = 800;
  p[at.bg] = -800;
  wal_mechanism_answer(&m.made, &round, &out);
  WAL_ASSERT_SAME(out.goods, 0);
  for (int a = 0; a < 100; a++) WAL_ASSERT_SAME(payment[a], a / 100.0);
  wal_test_mechanism_destroy(ctx, &m);
  wal_ctx_destroy(&ctx);
}

/* Of n draws of variance v: the mean is 0 within 5 sqrt(v/n), the variance v within
   5 v sqrt(2/n) (He et al. 2015: v = 2/inputs). */
static void check_draws(const double *p, int64_t n, double v) {
  double sum = 0, square = 0;
  for (int64_t i = 0; i < n; i++) sum += p[i], square += p[i] * p[i];
  WAL_ASSERT_WITHIN(sum / (double)n, 0, 5 * sqrt(v / (double)n));
  WAL_ASSERT_WITHIN(square / (double)n, v, 5 * v * sqrt(2 / (double)n));
}

static void weights_are_drawn_from_the_seed(void **state) {
  (void)state;
  const wal_market market = {.rounds = 4, .bids = 100, .goods = 0.8};
  static const char *const TEXT[4] = {"neural {}", "neural {}", "neural { seed = 1 }", "neural {}"};
  double first[4] = {0};
  for (int run = 0; run < 4; run++) {
    wal_ctx *ctx = wal_test_ctx(run < 3 ? 5 : 6);
    wal_test_mechanism m;
    wal_neural_layout at;
    WAL_ASSERT_OK(ctx, wal_test_mechanism_create(ctx, TEXT[run], &market, &m));
    const double *p = wal_neural_parameters(&m.made, &at);
    first[run] = p[at.w2 + 17];
    const int64_t d = at.hidden;
    check_draws(p + at.w1, d * at.inputs, 2.0 / at.inputs);
    check_draws(p + at.v2, d * at.inputs, 2.0 / at.inputs);
    check_draws(p + at.w2, d * d, 2.0 / 256);
    check_draws(p + at.w3, d * d, 2.0 / 256);
    check_draws(p + at.w4, d * 99, 0.01 * 2.0 / 256);
    check_draws(p + at.wg, d, 0.01 * 2.0 / 256);
    for (int i = 0; i < 256; i++)
      assert_true(p[at.b1 + i] == 0 && p[at.b2 + i] == 0 && p[at.c2 + i] == 0 && p[at.b3 + i] == 0);
    for (int i = 0; i < 99; i++) assert_true(p[at.b4 + i] == 0);
    assert_true(p[at.bg] == 0);
    wal_test_mechanism_destroy(ctx, &m);
    wal_ctx_destroy(&ctx);
  }
  WAL_ASSERT_SAME(first[0], first[1]);
  assert_true(first[2] != first[0] && first[3] != first[0] && first[2] != first[3]);
}

// ---- Warnings ---------------------------------------------------------------------------------

typedef struct heard {
  int count;
  char text[1024];
} heard;

static void hear(void *user, const char *text) {
  heard *h = user;
  h->count++;
  snprintf(h->text, sizeof h->text, "%s", text);
}

static void warnings_reach_the_program_once(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(1), *part = NULL;
  heard h = {0};
  wal_warn(ctx, "nobody listens");
  wal_ctx_set_warning_handler(ctx, hear, &h);
  WAL_ASSERT_OK(ctx, wal_ctx_split(ctx, 0, &part));
  for (int i = 0; i < 40; i++) wal_warn(part, "twenty\n%d", i % 20);
  assert_int_equal(h.count, 20);
  wal_warn(ctx, "twenty\n%d", 7);
  assert_int_equal(h.count, 20);
  wal_warn(ctx, "nobody listens");
  assert_int_equal(h.count, 21);
  wal_warn(part, "one\nline");
  assert_string_equal(h.text, "one line");
  wal_ctx_destroy(&part);
  wal_ctx_set_warning_handler(ctx, NULL, NULL);
  wal_warn(ctx, "not heard");
  assert_int_equal(h.count, 22);
  wal_ctx_destroy(&ctx);
}

static void falling_payments_are_warned_of(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(1);
  heard h = {0};
  wal_test_mechanism m;
  wal_ctx_set_warning_handler(ctx, hear, &h);
  for (int turn = 0; turn < 2; turn++) {
    WAL_ASSERT_OK(
        ctx, wal_test_mechanism_create(
                 ctx, "scripted { payment = function(bid) return bid == 0.3 and 0.1 or bid end }",
                 &ONE, &m));
    wal_test_mechanism_destroy(ctx, &m);
  }
  assert_int_equal(h.count, 1);
  assert_string_equal(h.text,
                      "test.lua:1: scripted: payment(bid=0.3, round=0): bid 0.3 pays 0.1, "
                      "less than bid 0.2, which pays 0.2");
  WAL_ASSERT_OK(ctx, wal_test_mechanism_create(
                         ctx, "scripted { payment = function(bid) return bid end }", &ONE, &m));
  wal_test_mechanism_destroy(ctx, &m);
  assert_int_equal(h.count, 1);
  wal_ctx_destroy(&ctx);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_uniform_price_is_set_by_the_bids_at_the_margin),
    cmocka_unit_test(the_uniform_price_is_at_least_the_reserve),
    cmocka_unit_test(one_bidder_of_many_sets_the_price),
    cmocka_unit_test(a_posted_price_is_what_winners_pay),
    cmocka_unit_test(a_refused_bid_does_not_pay),
    cmocka_unit_test(lowest_prices_may_change_by_round),
    cmocka_unit_test(tables_are_taken_as_they_are),
    cmocka_unit_test(functions_are_asked_with_bid_round_and_goods),
    cmocka_unit_test(nonsense_is_refused),
    cmocka_unit_test(goods_beyond_what_is_left_are_told),
    cmocka_unit_test(the_network_is_as_written),
    cmocka_unit_test(the_network_has_the_published_size),
    cmocka_unit_test(weights_of_zero_halve),
    cmocka_unit_test(weights_are_drawn_from_the_seed),
    cmocka_unit_test(warnings_reach_the_program_once),
    cmocka_unit_test(falling_payments_are_warned_of),
};
WAL_TEST_MAIN(tests)
