// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <string.h>

#include "auctions/sale.h"
#include "sim/core/memory.h"

/* Payments and goods that do not depend on the bids: in round h
 *   payment of bid a = (a/bids) f_h(a),   goods = left * share_h,   f and share in [0, 1].
 * With f_h(a) = sigmoid(theta1) and share_h = sigmoid(theta2) it is the mechanism of setting A10;
 * theta = 0, half of the bid and half of what is left, is the default. */

typedef struct static_mechanism {
  wal_market market;
  double *payment; /**< [rounds][bids], as given */
  double *share;   /**< [rounds] */
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

static wal_status create(wal_ctx *ctx, wal_params *params, const wal_market *market, void **self) {
  const int64_t cells = (int64_t)market->rounds * market->bids;
  const int64_t front = wal_round_up((int64_t)sizeof(static_mechanism), 64);
  char *block;
  const int64_t bytes =
      (cells + market->rounds) * (int64_t)sizeof(double) + market->rounds * (int64_t)sizeof(int);
  WAL_TRY(wal_acquire(ctx, "static", front + bytes, 1, &block));
  *self = block;
  static_mechanism *m = (static_mechanism *)(void *)block;
  m->market = *market;
  m->payment = (double *)(void *)(block + front);
  m->share = m->payment + cells;
  m->reserve = (int *)(void *)(m->share + market->rounds);
  WAL_TRY(wal_floor_read(ctx, params, "reserve", market, m->reserve, NULL));
  WAL_TRY(read_goods(ctx, params, m));
  return read_payments(ctx, params, m);
}

static void answer(const void *self, const wal_round *round, wal_answer *out) {
  const static_mechanism *m = self;
  out->goods = round->left * m->share[round->round];
  out->reserve = m->reserve[round->round];
  memcpy(out->payment, m->payment + (int64_t)round->round * m->market.bids,
         (size_t)m->market.bids * sizeof *out->payment);
}

const wal_mechanism_type wal_mechanism_static = {
    .struct_size = sizeof(wal_mechanism_type),
    .component = {.name = "static",
                  .kind = "mechanism",
                  .summary = "payments and goods from tables, whatever is bid",
                  .source = "Corecco et al. 2025, setting A10",
                  .params = PARAMS},
    .within_bid = true,
    .create = create,
    .answer = answer};
