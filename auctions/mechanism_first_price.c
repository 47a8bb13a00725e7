// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>

#include "auctions/sale.h"

/* Winners pay what they bid. */

static const wal_param PARAMS[] = {WAL_SPLIT_PARAM, WAL_RESERVE_PARAM, {0}};

static wal_status create(wal_ctx *ctx, wal_params *params, const wal_market *market, void **self) {
  return wal_sale_create(ctx, params, market, "reserve", sizeof(wal_sale), self);
}

static void answer(const void *self, const wal_round *round, wal_answer *out) {
  const wal_sale *sale = self;
  wal_sale_answer(sale, round, out);
  for (int a = 0; a < sale->market.bids; a++) out->payment[a] = (double)a / sale->market.bids;
}

const wal_mechanism_type wal_mechanism_first_price = {
    .struct_size = sizeof(wal_mechanism_type),
    .component = {.name = "first_price",
                  .kind = "mechanism",
                  .summary = "winners pay what they bid",
                  .source = "Corecco et al. 2025, section 5: the baseline",
                  .params = PARAMS},
    .monotone = true,
    .within_bid = true,
    .create = create,
    .answer = answer,
    .answer_vjp = wal_sale_answer_vjp};
