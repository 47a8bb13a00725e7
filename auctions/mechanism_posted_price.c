// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>

#include "auctions/sale.h"

/* Whoever bids at least the price may buy at the price, the highest bids first while goods last. */

static const wal_param PARAMS[] = {
    {.name = "price",
     .type = WAL_ARRAY,
     .rank = 1,
     .spreads = true,
     .number = 0.5,
     .low = 0,
     .high = 1,
     .unit = "value",
     .meaning = "what a good costs, in all rounds or in each; only bids of at "
                "least this win"},
    WAL_SPLIT_PARAM,
    {0}};

static wal_status create(wal_ctx *ctx, wal_params *params, const wal_market *market, void **self) {
  return wal_sale_create(ctx, params, market, "price", sizeof(wal_sale), self);
}

static void answer(const void *self, const wal_round *round, wal_answer *out) {
  const wal_sale *sale = self;
  wal_sale_answer(sale, round, out);
  const double price = sale->price[round->round];
  for (int a = 0; a < sale->market.bids; a++)
    out->payment[a] = a < out->reserve ? (double)a / sale->market.bids : price;
}

const wal_mechanism_type wal_mechanism_posted_price = {
    .struct_size = sizeof(wal_mechanism_type),
    .component = {.name = "posted_price",
                  .kind = "mechanism",
                  .summary = "bids of at least the price win, and pay the price",
                  .source = "Riley and Zeckhauser 1983, Optimal selling strategies",
                  .params = PARAMS},
    .monotone = true,
    .within_bid = true,
    .create = create,
    .answer = answer,
    .answer_vjp = wal_sale_answer_vjp};
