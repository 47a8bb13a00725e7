// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_AUCTIONS_MECHANISM_NEURAL_H
#define WALRAS_AUCTIONS_MECHANISM_NEURAL_H

#include "auctions/mechanism.h"

/**
 * Where the parameters of the neural mechanism stand in their one array. Matrices are column-major:
 * W(i, j) = parameter[w + j * rows + i]. With d hidden units the input has `inputs` = rounds + bids
 * + 1 numbers: the round one-hot, the bid mass, the goods left.
 */
typedef struct wal_neural_layout {
  int rounds, bids, hidden, inputs;
  int64_t w1, b1; /**< d x inputs, d */
  int64_t w2, b2; /**< d x d, d */
  int64_t v2, c2; /**< d x inputs, d: the shortcut */
  int64_t w3, b3; /**< d x d, d */
  int64_t w4, b4; /**< (bids - 1) x d, bids - 1: payments */
  int64_t wg, bg; /**< d, 1: goods */
  int64_t count;
} wal_neural_layout;

wal_neural_layout wal_neural_layout_make(int rounds, int bids, int hidden);

/** The parameters of a mechanism of this type, which may be changed between answers (designed()
 *  of its type is then to be called), and their layout. */
double *wal_neural_parameters(const wal_mechanism *mechanism, wal_neural_layout *layout);

#endif
