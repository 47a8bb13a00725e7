// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_AUCTIONS_CLEARING_H
#define WALRAS_AUCTIONS_CLEARING_H

#include <stdint.h>

/** What the clearing of a round comes to. */
typedef struct wal_clearing {
  double sold;   /**< mass of bidders who win */
  int threshold; /**< lowest bid that wins with some probability; `bids` if none does */
} wal_clearing;

/**
 * Clears a round among infinitely many bidders: the highest bids win until the goods are gone,
 * those at the threshold with equal probability (Corecco et al. 2025, section 3): win[a] = min(1,
 * max(0, (goods - mass above a) / bid_mass[a])), where nobody bids: 1 if goods are left for such a
 * bid, else 0.
 * @param bids      levels of bids, >= 1; bid_mass and win have as many numbers
 * @param reserve   bids below this level never win
 * @param goods     mass of bidders who can be served, >= 0
 */
wal_clearing wal_clearing_run(int bids, int reserve, double goods, const double *bid_mass,
                              double *win);

#endif
