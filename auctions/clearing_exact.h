// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_AUCTIONS_CLEARING_EXACT_H
#define WALRAS_AUCTIONS_CLEARING_EXACT_H

#include <stdint.h>

/** What the clearing of a round among finitely many bidders comes to. */
typedef struct wal_clearing_count {
  int64_t sold;  /**< goods that somebody gets */
  int threshold; /**< lowest bid that gets a good, or would if somebody made it; `bids` if none */
} wal_clearing_count;

/**
 * Goods for sale among `agents` of a population, of whom a share of `goods` can be served:
 * floor(goods * agents). A product that falls short of a whole number by at most 10^-11 of itself
 * and at most 1/16 counts as that number: shares such as 0.29, and what is left of 0.8 after rounds
 * of 0.2, are not what they seem to the last bit, and 0.29 of 100 is 29.
 * @param goods   >= 0, at most 10^6
 * @param agents  0 .. 10^12
 */
int64_t wal_clearing_goods(double goods, int64_t agents);

/**
 * Clears a round among finitely many bidders: every bid above the threshold wins, and of those at
 * it as many as goods are left, whom a draw without replacement chooses (Corecco et al. 2025,
 * section 2). All numbers are exact.
 * @param bids     levels of bids, >= 1; bidders and winners have as many numbers
 * @param reserve  bids below this level never win
 * @param goods    >= 0
 * @param bidders  number of those who make each bid, with a sum below 2^63
 * @param winners  number of them who win; NULL: not wanted
 * @param win      their share of the bidders; where nobody bids 1 if goods are left for such a bid,
 *                 else 0; NULL: not wanted
 */
wal_clearing_count wal_clearing_exact(int bids, int reserve, int64_t goods, const int64_t *bidders,
                                      int64_t *winners, double *win);

#endif
