// SPDX-License-Identifier: GPL-3.0-or-later
#include "auctions/clearing.h"

wal_clearing wal_clearing_run(int bids, int reserve, double goods, const double *bid_mass,
                              double *win) {
  wal_clearing c = {.threshold = bids};
  double above = 0;
  for (int a = bids - 1; a >= 0; a--) {
    const double left = goods - above;
    double w = 0;
    if (a >= reserve && left > 0) w = bid_mass[a] > left ? left / bid_mass[a] : 1;
    win[a] = w;
    c.sold += bid_mass[a] * w;
    if (w > 0) c.threshold = a;
    above += bid_mass[a];
  }
  return c;
}
