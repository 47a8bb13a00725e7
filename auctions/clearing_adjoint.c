// SPDX-License-Identifier: GPL-3.0-or-later
#include "auctions/clearing_adjoint.h"

double wal_clearing_vjp(int bids, const double *bid_mass, const double *win, const double *win_bar,
                        double sold_bar, double *bid_mass_bar) {
  int a = 0;
  while (a < bids && !(win[a] > 0 && win[a] < 1)) a++;
  if (a == bids) {
    for (int b = 0; b < bids; b++) bid_mass_bar[b] += sold_bar * win[b];
    return 0;
  }
  const double change = win_bar[a] / bid_mass[a];
  bid_mass_bar[a] -= change * win[a];
  for (int b = a + 1; b < bids; b++) bid_mass_bar[b] -= change;
  return change + sold_bar;
}
