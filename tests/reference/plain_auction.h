// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_TESTS_REFERENCE_PLAIN_AUCTION_H
#define WALRAS_TESTS_REFERENCE_PLAIN_AUCTION_H

#include <stdbool.h>

/* The first-price batched auction with mirror descent, written down a second time from the paper's
 * formulas (Corecco et al. 2025, Def. 3 and 5, Lemmas 1 and 6 to 8): one state after the other,
 * with nothing taken from the game, the engine or the learner. */

enum { PLAIN_MOST = 64, PLAIN_ROUNDS = 8 };

typedef struct plain_auction {
  int rounds, values, bids;
  double goods;
  double share[PLAIN_ROUNDS]; /**< of `goods` in each round */
  double prior[PLAIN_MOST];
  double drift[PLAIN_MOST][PLAIN_MOST]; /**< from one value to the next */
  double reentry;
  bool stay;     /**< winners bid on */
  bool returned; /**< what is not sold in a round is sold in the later ones, in their proportions */
  double reserve;
  double (*utility)(double value, double payment, int round);
  double rate, entropy;
} plain_auction;

typedef struct plain_result {
  double revenue[PLAIN_ROUNDS], efficiency[PLAIN_ROUNDS], sold[PLAIN_ROUNDS], goods[PLAIN_ROUNDS];
  double mass[PLAIN_ROUNDS][PLAIN_MOST + 1];
  double total_revenue, total_efficiency;
  double exploitability, soft_exploitability, value;
} plain_result;

/** The policy after `iterations` steps from the uniform one, in its own mean field. */
void plain_auction_run(const plain_auction *auction, int iterations, plain_result *result);

/** A row of exp(-(slope s - t)^2 / (2 width^2)) for every value s, normalized over the values t. */
void plain_auction_gaussian(plain_auction *auction, double slope, double width);
/** No drift. */
void plain_auction_still(plain_auction *auction);
/** Mass ratio^k, normalized. */
void plain_auction_geometric(plain_auction *auction, double ratio);

#endif
