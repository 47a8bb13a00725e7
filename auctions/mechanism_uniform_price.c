// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <string.h>

#include "auctions/sale.h"

/* All winners of a round pay the same:
 *   lowest_winning    the lowest bid that wins
 *   highest_losing    the highest bid that does not win with certainty, at least the reserve price
 * of the bids that somebody makes. If there is none, they pay the reserve price. */

typedef struct uniform_price {
  wal_sale sale;
  bool losing; /**< the highest losing bid is the price */
} uniform_price;

static const wal_param PARAMS[] = {{.name = "rule",
                                    .type = WAL_TEXT,
                                    .text = "lowest_winning",
                                    .choices = "lowest_winning|highest_losing",
                                    .meaning = "which bid is the price that all winners pay"},
                                   WAL_SPLIT_PARAM,
                                   WAL_RESERVE_PARAM,
                                   {0}};

/* A smaller mass of infinitely many bidders is nobody: it comes from rounding, or from policies
 * that are positive everywhere. Who is counted is somebody. */
static const double SOMEBODY = 1e-12;

static wal_status create(wal_ctx *ctx, wal_params *params, const wal_market *market, void **self) {
  WAL_TRY(wal_sale_create(ctx, params, market, "reserve", sizeof(uniform_price), self));
  uniform_price *m = *self;
  m->losing = strcmp(wal_params_text(params, "rule"), "highest_losing") == 0;
  return WAL_OK;
}

static double find_price(const uniform_price *m, const wal_round *round, const double *win) {
  const int bids = m->sale.market.bids, level = m->sale.level[round->round];
  const double *bid_mass = round->bid_mass, least = round->bidders ? 0 : SOMEBODY;
  if (m->losing) {
    for (int a = bids - 1; a >= level; a--)
      if (bid_mass[a] * (1 - win[a]) > least) return (double)a / bids;
  } else {
    for (int a = level; a < bids; a++)
      if (bid_mass[a] * win[a] > least) return (double)a / bids;
  }
  return m->sale.price[round->round];
}

static void answer(const void *self, const wal_round *round, wal_answer *out) {
  const uniform_price *m = self;
  const int bids = m->sale.market.bids;
  wal_sale_answer(&m->sale, round, out);
  double *win = out->payment;  // until the price is known
  wal_round_clear(&m->sale.market, round, out->reserve, out->goods, win, NULL);
  const double price = find_price(m, round, win);
  for (int a = 0; a < bids; a++) {
    const double bid = (double)a / bids;
    out->payment[a] = bid < price ? bid : price;
  }
}

const wal_mechanism_type wal_mechanism_uniform_price = {
    .struct_size = sizeof(wal_mechanism_type),
    .component = {.name = "uniform_price",
                  .kind = "mechanism",
                  .summary = "all winners of a round pay the same price, set by the bids",
                  .source = "Krishna 2010, Auction Theory, chapter 12",
                  .params = PARAMS},
    .monotone = true,
    .within_bid = true,
    .create = create,
    .answer = answer,
    .answer_vjp = wal_sale_answer_vjp};
