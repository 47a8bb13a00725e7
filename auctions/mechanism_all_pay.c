// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>

#include "auctions/sale.h"

/* All bidders pay what they bid, whether they win or not; a bid below the reserve price is not
 * taken: it neither wins nor pays. */

static const wal_param PARAMS[] = {WAL_SPLIT_PARAM, WAL_RESERVE_PARAM, {0}};

static wal_status create(wal_ctx *ctx, wal_params *params, const wal_market *market, void **self) {
  return wal_sale_create(ctx, params, market, "reserve", sizeof(wal_sale), self);
}

static void answer(const void *self, const wal_round *round, wal_answer *out) {
  const wal_sale *sale = self;
  wal_sale_answer(sale, round, out);
  for (int a = 0; a < sale->market.bids; a++)
    out->payment[a] = a < out->reserve ? 0 : (double)a / sale->market.bids;
}

const wal_mechanism_type wal_mechanism_all_pay = {
    .struct_size = sizeof(wal_mechanism_type),
    .component = {.name = "all_pay",
                  .kind = "mechanism",
                  .summary = "all bidders pay what they bid, the highest bids get the goods",
                  .source = "Krishna 2010, Auction Theory, chapter 3",
                  .params = PARAMS},
    .losers_pay = true,
    .monotone = true,
    .within_bid = true,
    .create = create,
    .answer = answer,
    .answer_vjp = wal_sale_answer_vjp};
