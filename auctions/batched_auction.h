// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_AUCTIONS_BATCHED_AUCTION_H
#define WALRAS_AUCTIONS_BATCHED_AUCTION_H

#include "auctions/mechanism.h"
#include "auctions/utility.h"
#include "sim/game/tile.h"

/* What the sources of the batched auction share; nobody else includes it. */

extern const wal_game_type wal_game_batched_auction;

/* Outcomes. */
enum { LOSE, WIN, OUTCOMES };

/* z_h: rows of `bids` numbers, then these. Masses are summed, the rest is settled. */
enum { BID_MASS, WIN_PROBABILITY, PAYMENT, GAIN, LOSS, ROWS };
enum { GOODS, LEFT, SOLD, THRESHOLD, REVENUE, SCALARS };

/* What measure() sums. */
enum { EFFICIENCY_SUM, SUMS };

/* Columns of the report. */
enum {
  COLUMN_GOODS,
  COLUMN_SOLD,
  COLUMN_THRESHOLD,
  COLUMN_MEAN_PAYMENT,
  COLUMN_REVENUE,
  COLUMN_EFFICIENCY,
  COLUMN_SURPLUS,
  COLUMNS
};

typedef struct batched_auction {
  wal_ctx *ctx;
  const wal_params *params;
  wal_market market;
  wal_mechanism mechanism;
  wal_utility utility;
  int values;
  bool stay;           /**< winners keep bidding */
  double reentry;      /**< probability that a winner comes back each round */
  double *prior;       /**< [values] */
  double *drift;       /**< [values][values] or NULL */
  double *value, *bid; /**< grids; value[values] is NaN: "won" */
  double *bars;        /**< [numbers in z_h]: room for settle_vjp() */
  struct asked *asked; /**< of a script's utility, else NULL */
} batched_auction;

/* Numbers in z_h. */
static inline int64_t batched_auction_numbers(const batched_auction *game) {
  return (int64_t)ROWS * game->market.bids + SCALARS;
}

/* The states of a slab that are values (all but "won"), by all bids. */
static inline wal_tile batched_auction_tile(const batched_auction *game, const wal_slab *slab) {
  const int64_t count = game->values - slab->first;
  const int64_t within = count < slab->count ? count : slab->count;
  return (wal_tile){within > 0 ? within : 0, slab->stride, game->market.bids};
}

/* Operations of batched_auction_adjoint.c; sim/game/game.h says what they do. */
wal_status batched_auction_differentiable(wal_ctx *ctx, const void *self);
void batched_auction_parameters(const void *self, wal_parameters *out);
void batched_auction_designed(void *self);
void batched_auction_stage_vjp(const void *self, const wal_slab *slab, const double *mass,
                               const double *policy, const double *statistic,
                               const double *reward_bar, const double *outcome_bar,
                               double *mass_bar, double *policy_bar, double *statistic_bar);
void batched_auction_couple_vjp(const void *self, const wal_slab *slab, const double *mass,
                                const double *policy, const double *statistic_bar, double *mass_bar,
                                double *policy_bar);
void batched_auction_settle_vjp(const void *self, int stage, const double *statistics, double *bars,
                                double *parameters_bar);
void batched_auction_flush_vjp(const void *self, double *parameters_bar);
void batched_auction_measure_vjp(const void *self, const wal_slab *slab, const double *mass,
                                 const double *policy, const double *statistic,
                                 const double *sums_bar, double *mass_bar, double *policy_bar,
                                 double *statistic_bar);
void batched_auction_conclude_vjp(const void *self, int stage, const double *statistic,
                                  const double *sums, const double *column_bar,
                                  double *statistic_bar, double *sums_bar);

#endif
