// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_AUCTIONS_SALE_H
#define WALRAS_AUCTIONS_SALE_H

#include "auctions/mechanism.h"

/* What the simple mechanisms have in common: goods by a plan, and a lowest price. */

/** The parameter `split` of mechanisms that sell the goods by a plan. */
#define WAL_SPLIT_PARAM                                                                          \
  {                                                                                              \
    .name = "split", .type = WAL_ARRAY, .rank = 1, .optional = true, .low = 0, .high = HUGE_VAL, \
    .unit = "goods per bidder",                                                                  \
    .meaning =                                                                                   \
        "goods for sale in each round, with the sum `goods`; without it "                        \
        "equally many in all rounds"                                                             \
  }

/** The parameter `reserve` of mechanisms with a reserve price. */
#define WAL_RESERVE_PARAM                                                                      \
  {                                                                                            \
    .name = "reserve", .type = WAL_ARRAY, .rank = 1, .spreads = true, .low = 0, .high = 1,     \
    .unit = "value", .meaning = "lowest bid that may win: one for all rounds, or one for each" \
  }

/**
 * Reads `split` as shares: in round h the share[h] of the goods that are left is for sale. With
 * goods that are lost if not sold that is the plan itself; else what was not sold is spread over
 * the later rounds in its proportions.
 * @param share  [rounds], filled
 */
wal_status wal_split_read(wal_ctx *ctx, wal_params *params, const wal_market *market,
                          double *share);

/**
 * Turns goods planned for each round, of which there may be fewer than the market has, into shares
 * of what is left. Fails if they are more.
 * @param name  of the parameter that they are from, for error texts
 */
wal_status wal_goods_shares(wal_ctx *ctx, wal_params *params, const char *name,
                            const wal_market *market, const double *goods, double *share);

/** Reads a lowest price of each round: the lowest bid that is at least it, `bids` if there is none.
 * @param level  [rounds], filled
 * @param price  [rounds], the price, never above that bid; or NULL */
wal_status wal_floor_read(wal_ctx *ctx, wal_params *params, const char *name,
                          const wal_market *market, int *level, double *price);

/** A plan of goods and a lowest price. */
typedef struct wal_sale {
  wal_market market;
  double *share; /**< [rounds], of the goods left */
  double *price; /**< [rounds]: lowest price, never above the bid at `level` */
  int *level;    /**< [rounds]: lowest bid that is at least the price; `bids` if there is none */
} wal_sale;

/**
 * Makes one block of `size` bytes that begins with a wal_sale, from the parameters `split` and
 * `floor` (the name of that of the lowest price).
 */
wal_status wal_sale_create(wal_ctx *ctx, wal_params *params, const wal_market *market,
                           const char *floor, size_t size, void **self);

/** Fills the goods for sale and the reserve level of an answer. */
void wal_sale_answer(const wal_sale *sale, const wal_round *round, wal_answer *answer);

/** answer_vjp() of mechanisms whose data begins with a wal_sale and whose payments are piecewise
 *  constant: the goods are a share of what is left. */
void wal_sale_answer_vjp(const void *sale, const wal_round *round, const wal_answer *answer,
                         const wal_answer_bar *answer_bar, wal_round_bar *round_bar,
                         double *parameters_bar);

#endif
