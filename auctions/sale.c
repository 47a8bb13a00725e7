// SPDX-License-Identifier: GPL-3.0-or-later
#include "auctions/sale.h"

#include <math.h>

#include "sim/core/memory.h"

/* Sums of a plan may be off by rounding. */
static const double ROUNDING = 1e-9;

wal_status wal_split_read(wal_ctx *ctx, wal_params *params, const wal_market *market,
                          double *share) {
  const double *plan;
  double sum = 0;
  WAL_TRY(wal_params_array(ctx, params, "split", market->rounds, 0, 0, &plan));
  if (!plan) {
    for (int h = 0; h < market->rounds; h++) share[h] = 1.0 / (market->rounds - h);
    return WAL_OK;
  }
  for (int h = market->rounds - 1; h >= 0; h--) {
    sum += plan[h];
    share[h] = sum > 0 ? plan[h] / sum : 0;
  }
  if (fabs(sum - market->goods) <= ROUNDING * (1 + market->goods)) return WAL_OK;
  char got[32], expected[32];
  return wal_params_fail(ctx, params, "split",
                         "expected goods with the sum %s (goods), got the sum %s",
                         wal_number_text(market->goods, expected, sizeof expected),
                         wal_number_text(sum, got, sizeof got));
}

wal_status wal_goods_shares(wal_ctx *ctx, wal_params *params, const char *name,
                            const wal_market *market, const double *goods, double *share) {
  double left = market->goods, sum = 0;
  for (int h = 0; h < market->rounds; h++) {
    share[h] = left > 0 ? fmin(1, goods[h] / left) : 0;
    left -= goods[h];
    sum += goods[h];
  }
  if (sum - market->goods <= ROUNDING * (1 + market->goods)) return WAL_OK;
  char got[32], expected[32];
  return wal_params_fail(ctx, params, name,
                         "expected goods with a sum of at most %s (goods), got the sum %s",
                         wal_number_text(market->goods, expected, sizeof expected),
                         wal_number_text(sum, got, sizeof got));
}

wal_status wal_floor_read(wal_ctx *ctx, wal_params *params, const char *name,
                          const wal_market *market, int *level, double *price) {
  const double *given;
  WAL_TRY(wal_params_array(ctx, params, name, market->rounds, 0, 0, &given));
  for (int h = 0; h < market->rounds; h++) {
    level[h] = wal_market_level(market, given[h]);
    if (price) price[h] = fmin(given[h], (double)level[h] / market->bids);
  }
  return WAL_OK;
}

wal_status wal_sale_create(wal_ctx *ctx, wal_params *params, const wal_market *market,
                           const char *floor, size_t size, void **self) {
  const size_t front = (size_t)wal_round_up((int64_t)size, 64);
  char *block;
  WAL_TRY(wal_acquire(ctx, wal_params_component(params)->name, 1,
                      front + (size_t)market->rounds * (2 * sizeof(double) + sizeof(int)), &block));
  *self = block;
  wal_sale *sale = (wal_sale *)(void *)block;
  sale->market = *market;
  sale->share = (double *)(void *)(block + front);
  sale->price = sale->share + market->rounds;
  sale->level = (int *)(void *)(sale->price + market->rounds);
  WAL_TRY(wal_floor_read(ctx, params, floor, market, sale->level, sale->price));
  return wal_split_read(ctx, params, market, sale->share);
}

void wal_sale_answer(const wal_sale *sale, const wal_round *round, wal_answer *answer) {
  answer->goods = round->left * sale->share[round->round];
  answer->reserve = sale->level[round->round];
}

void wal_sale_answer_vjp(const void *self, const wal_round *round, const wal_answer *answer,
                         const wal_answer_bar *answer_bar, wal_round_bar *round_bar,
                         double *parameters_bar) {
  const wal_sale *sale = self;
  (void)answer, (void)parameters_bar;
  round_bar->left += sale->share[round->round] * answer_bar->goods;
}
