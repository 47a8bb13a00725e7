// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_AUCTIONS_CLEARING_ADJOINT_H
#define WALRAS_AUCTIONS_CLEARING_ADJOINT_H

/**
 * The derivatives of wal_clearing_run() (Corecco et al. 2025, lemma 3): at most one bid a* has a
 * probability between 0 and 1, (goods - mass above a*) / bid_mass[a*]; all others are constant
 * around almost every point. Then all goods are sold; if there is no such bid, as many as there are
 * winners.
 * @param win           what the run gave
 * @param win_bar       bars of win [bids]
 * @param sold_bar      bar of the mass of winners
 * @param bid_mass_bar  [bids], added to
 * @return the bar of `goods`
 */
double wal_clearing_vjp(int bids, const double *bid_mass, const double *win, const double *win_bar,
                        double sold_bar, double *bid_mass_bar);

#endif
