// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>

#include "auctions/split.h"
#include "sim/core/memory.h"

/* Winners pay what they bid. */

static const wal_param PARAMS[] = {WAL_SPLIT_PARAM,
                                   {.name = "reserve",
                                    .type = WAL_REAL,
                                    .low = 0,
                                    .high = 1,
                                    .unit = "value",
                                    .meaning = "lowest bid that may win"},
                                   {0}};

typedef struct first_price {
  wal_market market;
  int reserve;
  double share[];
} first_price;

static wal_status create(wal_ctx *ctx, wal_params *params, const wal_market *market, void **self) {
  first_price *m;
  WAL_TRY(wal_acquire(ctx, "first_price", 1,
                      sizeof *m + (size_t)market->rounds * sizeof m->share[0], &m));
  *self = m;
  m->market = *market;
  m->reserve = wal_market_level(market, wal_params_real(params, "reserve"));
  return wal_split_read(ctx, params, market, m->share);
}

static void answer(const void *self, const wal_round *round, wal_answer *out) {
  const first_price *m = self;
  out->goods = round->left * m->share[round->round];
  out->reserve = m->reserve;
  for (int a = 0; a < m->market.bids; a++) out->payment[a] = (double)a / m->market.bids;
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
    .answer = answer};
