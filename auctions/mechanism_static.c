// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <string.h>

#include "auctions/sale.h"
#include "sim/core/memory.h"
#include "sim/core/vector_math.h"

/* Payments and goods that do not depend on the bids: in round h
 *   payment of bid a = (a/bids) f_h(a),   goods = left * share_h,   f and share in [0, 1].
 * With f_h(a) = sigmoid(theta1) and share_h = sigmoid(theta2) it is the mechanism of setting A10;
 * theta = 0, half of the bid and half of what is left, is the default.
 *
 * A designer is handed these logits. A round whose logits stand as they were made from the tables
 * answers from the tables, to the last bit. */

typedef struct static_mechanism {
  wal_market market;
  double *payment; /**< [rounds][bids], as given */
  double *share;   /**< [rounds] */
  double *logit;   /**< of the payments [rounds][bids], then of the shares [rounds] */
  double *origin;  /**< the logits that the tables stand for */
  int *reserve;    /**< [rounds]: level */
} static_mechanism;

static const wal_param PARAMS[] = {
    {.name = "payment",
     .type = WAL_ARRAY,
     .rank = 2,
     .optional = true,
     .low = 0,
     .high = HUGE_VAL,
     .unit = "value",
     .meaning = "payment of a winner, payment[round][bid], at most the bid; or a function(round, "
                "bid); without it half of the bid"},
    {.name = "goods",
     .type = WAL_ARRAY,
     .rank = 1,
     .optional = true,
     .low = 0,
     .high = HUGE_VAL,
     .unit = "goods per bidder",
     .meaning = "goods for sale in each round, with a sum of at most `goods`; without it half of "
                "what is left"},
    WAL_RESERVE_PARAM,
    {0}};

/* Beyond the bid by this much is rounding. */
static const double ROUNDING = 1e-12;

/* Logits of 0 and 1, which have none: 9e-14 away from them. */
static const double STEEPEST = 30;

static wal_status read_payments(wal_ctx *ctx, wal_params *params, static_mechanism *m) {
  const int bids = m->market.bids;
  const double *given;
  wal_params_scale(params, "payment", 1, bids, 1);
  WAL_TRY(wal_params_array(ctx, params, "payment", m->market.rounds, bids, 0, &given));
  for (int h = 0; h < m->market.rounds; h++)
    for (int a = 0; a < bids; a++) {
      const int64_t at = (int64_t)h * bids + a;
      const double bid = (double)a / bids, p = given ? given[at] : bid / 2;
      char number[2][32];
      if (p > bid + ROUNDING)
        return wal_params_fail(ctx, params, "payment",
                               "round %d, bid %s: expected at most the bid, got %s", h,
                               wal_number_text(bid, number[0], sizeof number[0]),
                               wal_number_text(p, number[1], sizeof number[1]));
      m->payment[at] = p < bid ? p : bid;
    }
  return WAL_OK;
}

static wal_status read_goods(wal_ctx *ctx, wal_params *params, static_mechanism *m) {
  const double *goods;
  WAL_TRY(wal_params_array(ctx, params, "goods", m->market.rounds, 0, 0, &goods));
  if (goods) return wal_goods_shares(ctx, params, "goods", &m->market, goods, m->share);
  for (int h = 0; h < m->market.rounds; h++) m->share[h] = 0.5;
  return WAL_OK;
}

static int64_t cells(const static_mechanism *m) {
  return (int64_t)m->market.rounds * m->market.bids;
}

/* x[i] becomes log(x[i] / (1 - x[i])). */
static void take_logits(int64_t count, double *x, double *scratch) {
  for (int64_t i = 0; i < count; i++) scratch[i] = x[i] / (1 - x[i]);
  wal_vector_log(count, scratch, x);
  for (int64_t i = 0; i < count; i++) x[i] = fmax(-STEEPEST, fmin(STEEPEST, x[i]));
}

/* The bid 0 pays 0 whatever its logit is. */
static void make_logits(static_mechanism *m) {
  const int64_t count = cells(m) + m->market.rounds;
  const int bids = m->market.bids;
  for (int64_t i = 0; i < cells(m); i++)
    m->logit[i] = i % bids > 0 ? m->payment[i] * bids / (double)(i % bids) : 0.5;
  memcpy(m->logit + cells(m), m->share, (size_t)m->market.rounds * sizeof *m->share);
  take_logits(count, m->logit, m->origin);
  memcpy(m->origin, m->logit, (size_t)count * sizeof *m->origin);
}

static wal_status create(wal_ctx *ctx, wal_params *params, const wal_market *market, void **self) {
  const int64_t prices = (int64_t)market->rounds * market->bids;
  const int64_t front = wal_round_up((int64_t)sizeof(static_mechanism), 64);
  char *block;
  const int64_t bytes = 3 * (prices + market->rounds) * (int64_t)sizeof(double) +
                        market->rounds * (int64_t)sizeof(int);
  WAL_TRY(wal_acquire(ctx, "static", front + bytes, 1, &block));
  *self = block;
  static_mechanism *m = (static_mechanism *)(void *)block;
  m->market = *market;
  m->payment = (double *)(void *)(block + front);
  m->share = m->payment + prices;
  m->logit = m->share + market->rounds;
  m->origin = m->logit + prices + market->rounds;
  m->reserve = (int *)(void *)(m->origin + prices + market->rounds);
  WAL_TRY(wal_floor_read(ctx, params, "reserve", market, m->reserve, NULL));
  WAL_TRY(read_goods(ctx, params, m));
  WAL_TRY(read_payments(ctx, params, m));
  make_logits(m);
  return WAL_OK;
}

/* out[i] = sigmoid(x[i]). */
static void squash(int64_t count, const double *x, double *out) {
  for (int64_t i = 0; i < count; i++) out[i] = -x[i];
  wal_vector_exp(count, out, out);
  for (int64_t i = 0; i < count; i++) out[i] = 1 / (1 + out[i]);
}

static bool is_moved(const static_mechanism *m, int64_t first, int64_t count) {
  return memcmp(m->logit + first, m->origin + first, (size_t)count * sizeof *m->logit) != 0;
}

static double share_of(const static_mechanism *m, int round) {
  const int64_t at = cells(m) + round;
  double share = m->share[round];
  if (is_moved(m, at, 1)) squash(1, m->logit + at, &share);
  return share;
}

static void answer(const void *self, const wal_round *round, wal_answer *out) {
  const static_mechanism *m = self;
  const int bids = m->market.bids;
  const int64_t first = (int64_t)round->round * bids;
  out->goods = round->left * share_of(m, round->round);
  out->reserve = m->reserve[round->round];
  if (!is_moved(m, first, bids)) {
    memcpy(out->payment, m->payment + first, (size_t)bids * sizeof *out->payment);
    return;
  }
  squash(bids, m->logit + first, out->payment);
  for (int a = 0; a < bids; a++) out->payment[a] *= (double)a / bids;
}

/* A sigmoid f has the derivative f (1 - f). */
static void answer_vjp(const void *self, const wal_round *round, const wal_answer *answer,
                       const wal_answer_bar *answer_bar, wal_round_bar *round_bar,
                       double *parameters_bar) {
  const static_mechanism *m = self;
  const int bids = m->market.bids;
  const double share = share_of(m, round->round);
  round_bar->left += answer_bar->goods * share;
  if (!parameters_bar) return;
  double *bar = parameters_bar + (int64_t)round->round * bids;
  for (int a = 1; a < bids; a++) {
    const double bid = (double)a / bids, f = answer->payment[a] / bid;
    bar[a] += answer_bar->payment[a] * bid * f * (1 - f);
  }
  parameters_bar[cells(m) + round->round] += answer_bar->goods * round->left * share * (1 - share);
}

static void parameters(const void *self, wal_parameters *out) {
  const static_mechanism *m = self;
  const int64_t rounds = m->market.rounds;
  *out = (wal_parameters){
      .values = m->logit,
      .count = cells(m) + rounds,
      .parts = 2,
      .part = {{"payment_logit", 2, {rounds, m->market.bids}}, {"goods_logit", 1, {rounds}}}};
}

const wal_mechanism_type wal_mechanism_static = {
    .struct_size = sizeof(wal_mechanism_type),
    .component = {.name = "static",
                  .kind = "mechanism",
                  .summary = "tables set payments and goods, whatever is bid",
                  .source = "Corecco et al. 2025, setting A10",
                  .params = PARAMS},
    .within_bid = true,
    .create = create,
    .answer = answer,
    .answer_vjp = answer_vjp,
    .parameters = parameters};
