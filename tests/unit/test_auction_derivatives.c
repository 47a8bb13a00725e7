// SPDX-License-Identifier: GPL-3.0-or-later
/* Derivatives of auctions and mechanisms against central differences of fourth order, with a sweep
 * over steps: the smallest difference counts, which no kink near the point disturbs. */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "auctions/clearing.h"
#include "auctions/clearing_adjoint.h"
#include "auctions/mechanism_neural.h"
#include "sim/core/random.h"
#include "tests/support/make_mechanism.h"

enum { SEED = 5, DIRECTIONS = 3 };

/* A number of (-1, 1), the next one of a stream. */
static double next(uint64_t *stream) {
  const wal_random_words words = wal_random(SEED, WAL_PURPOSE_NETWORK, (*stream)++, 0, 0);
  return 2 * wal_random_real(&words, 0) - 1;
}

static double *fill(int64_t count, uint64_t *stream) {
  double *x = malloc((size_t)(count > 0 ? count : 1) * sizeof *x);
  for (int64_t i = 0; i < count; i++) x[i] = next(stream);
  return x;
}

static double *zeros(int64_t count) {
  return calloc((size_t)(count > 0 ? count : 1), sizeof(double));
}

/* A function of x = (parts one after the other), evaluated at x + step * direction. */
typedef double (*along)(void *of, double step);

static double difference(along f, void *of, double h) {
  return (8 * (f(of, h) - f(of, -h)) - (f(of, 2 * h) - f(of, -2 * h))) / (12 * h);
}

/* The smallest relative difference between the derivative and central differences. Functions and
 * moves are of order 1: a derivative below 0.001 is one whose parts happen to cancel. */
static double compare(along f, void *of, double derivative) {
  double best = HUGE_VAL;
  for (double h = 1e-2; h > 1e-6; h /= 4) {
    const double d = difference(f, of, h), size = fmax(1e-3, fmax(fabs(d), fabs(derivative)));
    const double error = fabs(d - derivative) / size;
    if (error < best) best = error;
  }
  return best;
}

// ---- Mechanisms -------------------------------------------------------------------------------

enum { ROUNDS = 3, BIDS = 13 };
static const wal_market MARKET = {.rounds = ROUNDS, .bids = BIDS, .goods = 0.9};

static const char *const MECHANISMS[] = {
    "first_price { split = { 0.2, 0.3, 0.4 } }",
    "first_price { reserve = 0.3 }",
    "uniform_price {}",
    "uniform_price { rule = 'highest_losing', reserve = 0.2 }",
    "all_pay { reserve = 0.1 }",
    "posted_price { price = 0.45 }",
    "static {}",
    "static { payment = function(h, b) return b ^ (2 + h) end, goods = { 0.3, 0.2, 0.1 } }",
    "static { reserve = 0.2 }",
    "neural { hidden = 24, precision = 'double' }",
    "neural { hidden = 11, slope = 'free', seed = 3, precision = 'double' }"};
enum { KINDS = sizeof MECHANISMS / sizeof *MECHANISMS };

/* J = goods' bar * goods + sum of the payments' bars times the payments. */
typedef struct answered {
  wal_mechanism *mechanism;
  wal_parameters theta;
  int round;
  double left, goods_bar, left_move;
  double mass[BIDS], payment_bar[BIDS], mass_move[BIDS];
  double *start, *move; /* of the parameters */
} answered;

static double answer_along(void *of, double step) {
  answered *a = of;
  double mass[BIDS], payment[BIDS], sum = 0;
  for (int b = 0; b < BIDS; b++) mass[b] = a->mass[b] + step * a->mass_move[b];
  for (int64_t i = 0; i < a->theta.count; i++) a->theta.values[i] = a->start[i] + step * a->move[i];
  const wal_round round = {
      .round = a->round, .left = a->left + step * a->left_move, .bid_mass = mass};
  wal_answer out = {.payment = payment};
  wal_mechanism_answer(a->mechanism, &round, &out);
  for (int b = 0; b < BIDS; b++) sum += a->payment_bar[b] * payment[b];
  for (int64_t i = 0; i < a->theta.count; i++) a->theta.values[i] = a->start[i];
  return sum + a->goods_bar * out.goods;
}

static double answer_adjoint(answered *a) {
  const wal_mechanism *m = a->mechanism;
  double payment[BIDS], mass_bar[BIDS] = {0}, *theta_bar = zeros(a->theta.count);
  const wal_round round = {.round = a->round, .left = a->left, .bid_mass = a->mass};
  wal_answer out = {.payment = payment};
  wal_mechanism_answer(m, &round, &out);
  const wal_answer_bar answer_bar = {.goods = a->goods_bar, .payment = a->payment_bar};
  wal_round_bar round_bar = {.bid_mass = mass_bar};
  m->type->answer_vjp(m->self, &round, &out, &answer_bar, &round_bar, theta_bar);
  if (m->type->flush_vjp) m->type->flush_vjp(m->self, theta_bar);
  double plain_mass[BIDS] = {0};  // and without bars of the parameters
  wal_round_bar plain = {.bid_mass = plain_mass};
  m->type->answer_vjp(m->self, &round, &out, &answer_bar, &plain, NULL);
  WAL_ASSERT_SAME(plain.left, round_bar.left);
  for (int b = 0; b < BIDS; b++) WAL_ASSERT_SAME(plain_mass[b], mass_bar[b]);
  double sum = round_bar.left * a->left_move;
  for (int b = 0; b < BIDS; b++) sum += mass_bar[b] * a->mass_move[b];
  for (int64_t i = 0; i < a->theta.count; i++) sum += theta_bar[i] * a->move[i];
  free(theta_bar);
  return sum;
}

static void set_round(answered *a, uint64_t *stream) {
  a->left = 0.5 + 0.3 * next(stream);
  a->left_move = next(stream);
  a->goods_bar = next(stream);
  for (int b = 0; b < BIDS; b++) {
    a->mass[b] = b % 5 == 3 ? 0 : (1.1 + next(stream)) / BIDS;
    a->mass_move[b] = a->mass[b] > 0 ? next(stream) / BIDS : 0;
    a->payment_bar[b] = next(stream);
  }
  a->start = fill(a->theta.count, stream);
  a->move = fill(a->theta.count, stream);
  for (int64_t i = 0; i < a->theta.count; i++) a->start[i] = a->theta.values[i];
}

static void answers_have_derivatives(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(1);
  for (int k = 0; k < KINDS; k++) {
    wal_test_mechanism m;
    uint64_t stream = (uint64_t)k << 32;
    WAL_ASSERT_OK(ctx, wal_test_mechanism_create(ctx, MECHANISMS[k], &MARKET, &m));
    for (int i = 0; i < DIRECTIONS * ROUNDS; i++) {
      answered a = {.mechanism = &m.made, .round = i % ROUNDS};
      if (m.made.type->parameters) m.made.type->parameters(m.made.self, &a.theta);
      set_round(&a, &stream);
      WAL_ASSERT_WITHIN(compare(answer_along, &a, answer_adjoint(&a)), 0, 1e-8);
      free(a.start);
      free(a.move);
    }
    wal_test_mechanism_destroy(ctx, &m);
  }
  wal_ctx_destroy(&ctx);
}

/* Gradients of many answers at once are the sums of theirs, whatever was put off: more than a
 * buffer holds. */
static void put_off_gradients_add_up(void **state) {
  (void)state;
  enum { ANSWERS = 600 };
  wal_ctx *ctx = wal_test_ctx(1);
  wal_test_mechanism m;
  wal_parameters theta;
  uint64_t stream = 77;
  WAL_ASSERT_OK(ctx, wal_test_mechanism_create(ctx, "neural { hidden = 8, precision = 'double' }", &MARKET, &m));
  const wal_mechanism_type *type = m.made.type;
  type->parameters(m.made.self, &theta);
  double *once = zeros(theta.count), *each = zeros(theta.count);
  for (int pass = 0; pass < 2; pass++) {
    stream = 77;
    for (int i = 0; i < ANSWERS; i++) {
      double mass[BIDS], payment[BIDS], bar[BIDS], mass_bar[BIDS] = {0};
      for (int b = 0; b < BIDS; b++) mass[b] = 1 + next(&stream), bar[b] = next(&stream);
      const wal_round round = {.round = i % ROUNDS, .left = 0.5, .bid_mass = mass};
      wal_answer out = {.payment = payment};
      wal_round_bar round_bar = {.bid_mass = mass_bar};
      const wal_answer_bar answer_bar = {.goods = 1, .payment = bar};
      wal_mechanism_answer(&m.made, &round, &out);
      type->answer_vjp(m.made.self, &round, &out, &answer_bar, &round_bar, pass ? each : once);
      if (pass) type->flush_vjp(m.made.self, each);
    }
    type->flush_vjp(m.made.self, pass ? each : once);
  }
  for (int64_t i = 0; i < theta.count; i++) WAL_ASSERT_WITHIN(once[i], each[i], 1e-12);
  free(once);
  free(each);
  wal_test_mechanism_destroy(ctx, &m);
  wal_ctx_destroy(&ctx);
}

/* Derivatives of an answer are those of the weights it was given with, whatever was asked before or
 * since. */
static void derivatives_are_of_the_answer_given(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(1);
  wal_test_mechanism m;
  answered a = {.mechanism = &m.made}, other;
  uint64_t stream = 5;
  WAL_ASSERT_OK(ctx, wal_test_mechanism_create(ctx, "neural { hidden = 8, precision = 'double' }", &MARKET, &m));
  const wal_mechanism_type *type = m.made.type;
  type->parameters(m.made.self, &a.theta);
  set_round(&a, &stream);
  const double expected = answer_adjoint(&a);
  for (int other_weights = 0; other_weights < 2; other_weights++) {
    double payment[BIDS], mass_bar[BIDS] = {0}, *theta_bar = zeros(a.theta.count);
    const wal_round round = {.round = a.round, .left = a.left, .bid_mass = a.mass};
    wal_answer out = {.payment = payment};
    wal_mechanism_answer(&m.made, &round, &out);
    other = a;  // the same round with other bids, or with other weights
    if (!other_weights) other.mass[2] *= 1.5;
    if (other_weights) memset(other.mass_move, 0, sizeof other.mass_move), other.left_move = 0;
    answer_along(&other, other_weights ? 0.3 : 0);
    const wal_answer_bar answer_bar = {.goods = a.goods_bar, .payment = a.payment_bar};
    wal_round_bar round_bar = {.bid_mass = mass_bar};
    type->answer_vjp(m.made.self, &round, &out, &answer_bar, &round_bar, theta_bar);
    type->flush_vjp(m.made.self, theta_bar);
    double sum = round_bar.left * a.left_move;
    for (int b = 0; b < BIDS; b++) sum += mass_bar[b] * a.mass_move[b];
    for (int64_t i = 0; i < a.theta.count; i++) sum += theta_bar[i] * a.move[i];
    WAL_ASSERT_SAME(sum, expected);
    free(theta_bar);
  }
  free(a.start);
  free(a.move);
  wal_test_mechanism_destroy(ctx, &m);
  wal_ctx_destroy(&ctx);
}

/* The logits of tables: the table itself to the last bit until they are moved, also where there is
 * no finite logit. */
static void logits_stand_for_tables(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(1);
  wal_test_mechanism m;
  wal_parameters theta;
  const wal_market market = {.rounds = 2, .bids = 4, .goods = 0.75};
  double payment[4], mass[4] = {0.1, 0.2, 0.3, 0.4};
  wal_answer out = {.payment = payment};
  const wal_round round = {.round = 1, .left = 0.25, .bid_mass = mass};
  WAL_ASSERT_OK(ctx, wal_test_mechanism_create(
                         ctx,
                         "static { payment = { { 0, 0.1, 0.2, 0.3 }, { 0, 0.25, 0, 0.3 } },"
                         " goods = { 0.5, 0.25 } }",
                         &market, &m));
  m.made.type->parameters(m.made.self, &theta);
  assert_int_equal(theta.count, 2 * 4 + 2);
  assert_int_equal(theta.parts, 2);
  assert_string_equal(theta.part[0].name, "payment_logit");
  assert_string_equal(theta.part[1].name, "goods_logit");
  wal_mechanism_answer(&m.made, &round, &out);
  WAL_ASSERT_SAME(payment[1], 0.25);
  WAL_ASSERT_SAME(payment[2], 0);
  WAL_ASSERT_SAME(payment[3], 0.3);
  WAL_ASSERT_SAME(out.goods, 0.25);
  WAL_ASSERT_SAME(theta.values[4], 0);
  WAL_ASSERT_SAME(theta.values[5], 30);
  WAL_ASSERT_SAME(theta.values[6], -30);
  WAL_ASSERT_NEAR(theta.values[7], log(0.4 / 0.6), 1e-14);
  WAL_ASSERT_SAME(theta.values[9], 30);
  theta.values[7] = 1;
  theta.values[9] = -2;
  wal_mechanism_answer(&m.made, &round, &out);
  WAL_ASSERT_SAME(payment[0], 0);
  WAL_ASSERT_WITHIN(payment[2], 0, 1e-13);
  WAL_ASSERT_NEAR(payment[3], 0.75 / (1 + exp(-1)), 1e-15);
  WAL_ASSERT_NEAR(out.goods, 0.25 / (1 + exp(2)), 1e-15);
  wal_test_mechanism_destroy(ctx, &m);
  wal_ctx_destroy(&ctx);
}

// ---- The clearing -----------------------------------------------------------------------------

/* 0.5 goods: bid 3 wins, bid 2 in part, below nobody does. */
static void only_the_threshold_has_a_derivative(void **state) {
  (void)state;
  const double mass[4] = {0.3, 0, 0.4, 0.3}, win_bar[4] = {5, 7, 2, 11};
  double win[4], bar[4] = {0};
  wal_clearing_run(4, 0, 0.5, mass, win);
  WAL_ASSERT_NEAR(win[2], 0.5, 1e-15);
  WAL_ASSERT_NEAR(wal_clearing_vjp(4, mass, win, win_bar, 0, bar), 2 / 0.4, 1e-15);
  WAL_ASSERT_SAME(bar[0], 0);
  WAL_ASSERT_SAME(bar[1], 0);
  WAL_ASSERT_NEAR(bar[2], -2 / 0.4 * win[2], 1e-15);
  WAL_ASSERT_NEAR(bar[3], -2 / 0.4, 1e-15);
}

/* Where nobody bids there is nothing to divide by; all that is sold is what is there. */
static void empty_levels_have_no_derivative(void **state) {
  (void)state;
  const double mass[4] = {0.3, 0, 0, 0.3}, win_bar[4] = {5, 7, 2, 11};
  static const double GOODS[] = {0, 0.3, 0.7};  // none, all of bid 3, more than anyone wants
  for (int g = 0; g < 3; g++) {
    double win[4], bar[4] = {0};
    wal_clearing_run(4, 0, GOODS[g], mass, win);
    WAL_ASSERT_SAME(wal_clearing_vjp(4, mass, win, win_bar, 1, bar), 0);
    for (int a = 0; a < 4; a++) WAL_ASSERT_SAME(bar[a], win[a]);
  }
}

// ---- The game ---------------------------------------------------------------------------------

/* J = weights . (all rewards, outcomes and columns), of masses and policies of every stage. */
typedef struct played {
  const wal_game *game;
  wal_parameters theta;
  int64_t pairs, numbers; /* states * actions; in z_h */
  double *mass, *policy;  /* [H][S], [H][A][S] */
  double *mass_move, *policy_move, *start, *move;
  double *reward_bar, *outcome_bar, *column_bar; /* [H][A][S], [H][K][A], [H][columns] */
  double *z, *mass_now, *policy_now, *reward, *outcome;
} played;

enum { SLAB = 9 };

/* What couple() and the like are given: a slab of at most SLAB states. */
static wal_slab slab_at(const played *p, int stage, int64_t first) {
  const int64_t left = p->game->shape.states - first;
  return (wal_slab){stage, first, left < SLAB ? left : SLAB, p->game->shape.states};
}

/* In the first round there are more goods than bidders. */
static void set_game(const wal_game *game, played *p, uint64_t *stream) {
  const wal_shape *shape = &game->shape;
  const int64_t h = shape->horizon, pairs = shape->states * shape->actions;
  *p = (played){.game = game, .pairs = pairs, .numbers = wal_game_statistics(game)};
  if (game->type->parameters) game->type->parameters(game->self, &p->theta);
  p->mass = fill(h * shape->states, stream);
  p->policy = fill(h * pairs, stream);
  p->mass_move = fill(h * shape->states, stream);
  p->policy_move = fill(h * pairs, stream);
  p->reward_bar = fill(h * pairs, stream);
  p->outcome_bar = fill(h * 2 * shape->actions, stream);
  p->column_bar = fill(h * game->type->report->columns, stream);
  p->start = fill(p->theta.count, stream);
  p->move = fill(p->theta.count, stream);
  for (int64_t i = 0; i < p->theta.count; i++) p->start[i] = p->theta.values[i];
  p->z = zeros(h * p->numbers);
  p->mass_now = zeros(h * shape->states);
  p->policy_now = zeros(h * pairs);
  p->reward = zeros(pairs);
  p->outcome = zeros(2 * shape->actions);
  for (int64_t i = 0; i < h * shape->states; i++)
    p->mass[i] = (i < shape->states ? 0.1 : 1) * (1.2 + p->mass[i]) / (double)shape->states;
  for (int64_t i = 0; i < h * shape->states; i++) p->mass_move[i] *= p->mass[i];
  for (int64_t i = 0; i < h * pairs; i++) p->policy[i] = (1.2 + p->policy[i]) / shape->actions;
  for (int64_t i = 0; i < h * pairs; i++) p->policy_move[i] *= p->policy[i];
}

static void free_game(played *p) {
  double *all[] = {p->mass,        p->policy,     p->mass_move, p->policy_move, p->reward_bar,
                   p->outcome_bar, p->column_bar, p->start,     p->move,        p->z,
                   p->mass_now,    p->policy_now, p->reward,    p->outcome};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

/* Sums of measure() and the columns of a stage. */
static void conclude(const played *p, int stage, double *sums, double *column) {
  const wal_game *g = p->game;
  const double *z = p->z + stage * p->numbers;
  for (int64_t s = 0; s < g->shape.states; s += SLAB) {
    const wal_slab slab = slab_at(p, stage, s);
    g->type->measure(g->self, &slab, p->mass_now + stage * g->shape.states + s,
                     p->policy_now + stage * p->pairs + s, z, sums);
  }
  g->type->conclude(g->self, stage, z, sums, column);
}

static double play_stage(played *p, int h) {
  const wal_game *g = p->game;
  const wal_shape *shape = &g->shape;
  const int columns = g->type->report->columns;
  double sum = 0, sums[4] = {0}, column[WAL_REPORT_COLUMNS];
  const double *z = p->z + h * p->numbers;
  for (int64_t s = 0; s < shape->states; s += SLAB) {
    const wal_slab slab = slab_at(p, h, s);
    g->type->couple(g->self, &slab, p->mass_now + h * shape->states + s,
                    p->policy_now + h * p->pairs + s, p->z + h * p->numbers);
  }
  g->type->settle(g->self, h, p->z);
  for (int64_t s = 0; s < shape->states; s += SLAB) {
    const wal_slab slab = slab_at(p, h, s);
    g->type->stage(g->self, &slab, NULL, NULL, z, p->reward + s, s == 0 ? p->outcome : NULL);
  }
  conclude(p, h, sums, column);
  for (int64_t i = 0; i < p->pairs; i++) sum += p->reward_bar[h * p->pairs + i] * p->reward[i];
  for (int i = 0; i < 2 * shape->actions; i++)
    sum += p->outcome_bar[h * 2 * shape->actions + i] * p->outcome[i];
  for (int c = 0; c < columns; c++) sum += p->column_bar[h * columns + c] * column[c];
  return sum;
}

static double play_along(void *of, double step) {
  played *p = of;
  const wal_shape *shape = &p->game->shape;
  const int64_t h = shape->horizon;
  double sum = 0;
  memset(p->z, 0, (size_t)(h * p->numbers) * sizeof *p->z);
  for (int64_t i = 0; i < h * shape->states; i++)
    p->mass_now[i] = p->mass[i] + step * p->mass_move[i];
  for (int64_t i = 0; i < h * p->pairs; i++)
    p->policy_now[i] = p->policy[i] + step * p->policy_move[i];
  for (int64_t i = 0; i < p->theta.count; i++) p->theta.values[i] = p->start[i] + step * p->move[i];
  for (int stage = 0; stage < h; stage++) sum += play_stage(p, stage);
  for (int64_t i = 0; i < p->theta.count; i++) p->theta.values[i] = p->start[i];
  return sum;
}

/* The bars that stage(), measure() and conclude() leave. */
static void adjoin_stage(const played *p, int h, double *bars, double *mass_bar,
                         double *policy_bar) {
  const wal_game *g = p->game;
  const wal_shape *shape = &g->shape;
  const double *z = p->z + h * p->numbers;
  double sums[4] = {0}, sums_bar[4] = {0}, column[WAL_REPORT_COLUMNS], *bar = bars + h * p->numbers;
  conclude(p, h, sums, column);
  g->type->conclude_vjp(g->self, h, z, sums, p->column_bar + h * g->type->report->columns, bar,
                        sums_bar);
  for (int64_t s = 0; s < shape->states; s += SLAB) {
    const wal_slab slab = slab_at(p, h, s);
    const int64_t state = h * shape->states + s, pair = h * p->pairs + s;
    g->type->stage_vjp(g->self, &slab, p->mass + state, p->policy + pair, z, p->reward_bar + pair,
                       s == 0 ? p->outcome_bar + h * 2 * shape->actions : NULL, mass_bar + state,
                       policy_bar + pair, bar);
    g->type->measure_vjp(g->self, &slab, p->mass + state, p->policy + pair, z, sums_bar,
                         mass_bar + state, policy_bar + pair, bar);
  }
}

static double play_adjoint(played *p) {
  const wal_game *g = p->game;
  const wal_shape *shape = &g->shape;
  const int64_t stages = shape->horizon;
  double *bars = zeros(stages * p->numbers), *mass_bar = zeros(stages * shape->states);
  double *policy_bar = zeros(stages * p->pairs), *theta_bar = zeros(p->theta.count), sum = 0;
  play_along(p, 0);
  for (int h = 0; h < stages; h++) adjoin_stage(p, h, bars, mass_bar, policy_bar);
  for (int h = (int)stages - 1; h >= 0; h--) g->type->settle_vjp(g->self, h, p->z, bars, theta_bar);
  g->type->flush_vjp(g->self, theta_bar);
  for (int h = 0; h < stages; h++)
    for (int64_t s = 0; s < shape->states; s += SLAB) {
      const wal_slab slab = slab_at(p, h, s);
      const int64_t state = h * shape->states + s, pair = h * p->pairs + s;
      g->type->couple_vjp(g->self, &slab, p->mass + state, p->policy + pair, bars + h * p->numbers,
                          mass_bar + state, policy_bar + pair);
    }
  for (int64_t i = 0; i < stages * shape->states; i++) sum += mass_bar[i] * p->mass_move[i];
  for (int64_t i = 0; i < stages * p->pairs; i++) sum += policy_bar[i] * p->policy_move[i];
  for (int64_t i = 0; i < p->theta.count; i++) sum += theta_bar[i] * p->move[i];
  free(bars);
  free(mass_bar);
  free(policy_bar);
  free(theta_bar);
  return sum;
}

static void make_game(wal_ctx *ctx, const char *fields, const char *mechanism, wal_test_game *out) {
  char text[800];
  snprintf(text, sizeof text,
           "return batched_auction { rounds = 3, values = 20, bids = 13, %s, mechanism = %s }",
           fields, mechanism);
  WAL_ASSERT_OK(ctx, wal_test_game_script(ctx, text, out));
  WAL_ASSERT_OK(ctx, out->game.type->differentiable(ctx, out->game.self));
}

static void auctions_have_derivatives(void **state) {
  (void)state;
  static const char *const FIELDS[] = {
      "goods = 0.9", "goods = 0.9, unsold = 'returned', utility = risk_averse { beta = 2 }",
      "goods = 0.9, utility = risk_seeking {}, reentry = 0.3",
      "goods = 0.9, unsold = 'returned', utility = hyperbolic {}, winners = 'stay'"};
  wal_ctx *ctx = wal_test_ctx(1);
  for (int k = 0; k < KINDS; k++)
    for (int f = 0; f < 4; f++) {
      wal_test_game made;
      uint64_t stream = (uint64_t)(4 * k + f) << 40;
      make_game(ctx, FIELDS[f], MECHANISMS[k], &made);
      for (int i = 0; i < DIRECTIONS; i++) {
        played p;
        set_game(&made.game, &p, &stream);
        WAL_ASSERT_WITHIN(compare(play_along, &p, play_adjoint(&p)), 0, 1e-8);
        free_game(&p);
      }
      wal_test_game_destroy(ctx, &made);
    }
  wal_ctx_destroy(&ctx);
}

/* Without goods nobody wins, whatever is asked; what depends on the population is 0, not NaN. */
static void without_goods_nothing_depends_on_bids(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(1);
  for (int k = 0; k < KINDS; k++) {
    if (strstr(MECHANISMS[k], "split") || strstr(MECHANISMS[k], "goods =")) continue;
    wal_test_game made;
    uint64_t stream = 9;
    played p;
    make_game(ctx, "goods = 0", MECHANISMS[k], &made);
    set_game(&made.game, &p, &stream);
    WAL_ASSERT_WITHIN(compare(play_along, &p, play_adjoint(&p)), 0, 1e-8);
    free_game(&p);
    wal_test_game_destroy(ctx, &made);
  }
  wal_ctx_destroy(&ctx);
}

/* Nobody makes the highest bid in round 1: what it would pay is worth exactly nothing to revenue.
 */
static void what_has_no_effect_has_derivative_zero(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(1);
  static const char *const KIND[2] = {"static {}", "neural { hidden = 24 }"};
  for (int k = 0; k < 2; k++) {
    wal_test_game made;
    wal_parameters theta;
    uint64_t stream = 3;
    make_game(ctx, "goods = 0.9", KIND[k], &made);
    const wal_game *g = &made.game;
    const int bids = g->shape.actions, top = bids - 1;
    const int64_t numbers = wal_game_statistics(g);
    g->type->parameters(g->self, &theta);
    double *z = zeros(3 * numbers), *bars = zeros(3 * numbers), *bar = zeros(theta.count);
    for (int h = 0; h < 3; h++) {
      double sums[4] = {0}, sums_bar[4] = {0}, column_bar[WAL_REPORT_COLUMNS] = {0};
      for (int a = 0; a < bids; a++) z[h * numbers + a] = (1.1 + next(&stream)) / bids;
      z[h * numbers + top] = 0;
      g->type->settle(g->self, h, z);
      column_bar[4] = 1;
      assert_string_equal(g->type->report->column[4].name, "revenue");
      g->type->conclude_vjp(g->self, h, z + h * numbers, sums, column_bar, bars + h * numbers,
                            sums_bar);
    }
    for (int h = 2; h >= 0; h--) g->type->settle_vjp(g->self, h, z, bars, bar);
    g->type->flush_vjp(g->self, bar);
    int64_t at = 0, silent = 0, loud = 0;
    for (int i = 0; i < theta.parts; i++) {
      const wal_parameter_part *part = &theta.part[i];
      const int64_t row = part->rank == 2 ? part->extent[1] : part->extent[0];
      const int64_t count = part->rank == 2 ? part->extent[0] * row : row;
      const bool pays = strcmp(part->name, "payment_logit") == 0 || strcmp(part->name, "w4") == 0 ||
                        strcmp(part->name, "b4") == 0;
      for (int64_t j = 0; j < count; j++, at++) {
        if (pays && j % row == row - 1) {
          WAL_ASSERT_SAME(fabs(bar[at]), 0);
          silent++;
        } else if (bar[at] != 0) {
          loud++;
        }
      }
    }
    assert_int_equal(at, theta.count);
    assert_true(silent == (k == 0 ? 3 : 25) && loud > theta.count / 4);
    free(z);
    free(bars);
    free(bar);
    wal_test_game_destroy(ctx, &made);
  }
  wal_ctx_destroy(&ctx);
}

static void parts_without_derivatives_are_named(void **state) {
  (void)state;
  static const char *const TEXT[2] = {
      "return batched_auction {\n"
      "  mechanism = scripted { payment = function(bid, round) return bid end } }",
      "return batched_auction {"
      "  utility = function(value, payment, round) return value - payment end }"};
  static const char *const ERROR[2] = {
      "test.lua:2: batched_auction: mechanism: expected a mechanism with derivatives, got scripted",
      "test.lua:1: batched_auction: utility: expected a utility with derivatives, got a function"};
  wal_ctx *ctx = wal_test_ctx(1);
  for (int i = 0; i < 2; i++) {
    wal_test_game made;
    WAL_ASSERT_OK(ctx, wal_test_game_script(ctx, TEXT[i], &made));
    WAL_ASSERT_STATUS(ctx, WAL_EINPUT, made.game.type->differentiable(ctx, made.game.self));
    assert_string_equal(wal_ctx_error(ctx), ERROR[i]);
    wal_test_game_destroy(ctx, &made);
  }
  wal_ctx_destroy(&ctx);
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test(answers_have_derivatives),
    cmocka_unit_test(put_off_gradients_add_up),
    cmocka_unit_test(derivatives_are_of_the_answer_given),
    cmocka_unit_test(logits_stand_for_tables),
    cmocka_unit_test(only_the_threshold_has_a_derivative),
    cmocka_unit_test(empty_levels_have_no_derivative),
    cmocka_unit_test(auctions_have_derivatives),
    cmocka_unit_test(without_goods_nothing_depends_on_bids),
    cmocka_unit_test(what_has_no_effect_has_derivative_zero),
    cmocka_unit_test(parts_without_derivatives_are_named),
};

WAL_TEST_MAIN(TESTS)
