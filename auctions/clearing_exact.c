// SPDX-License-Identifier: GPL-3.0-or-later
#include "auctions/clearing_exact.h"

#include <math.h>

int64_t wal_clearing_goods(double goods, int64_t agents) {
  const double number = goods * (double)agents;
  return (int64_t)floor(number + fmin(1e-11 * number, 1.0 / 16));
}

wal_exact_clearing wal_clearing_exact(int bids, int reserve, int64_t goods, const int64_t *bidders,
                                      int64_t *winners) {
  wal_exact_clearing c = {.threshold = bids};
  int64_t left = goods;
  for (int a = bids - 1; a >= 0; a--) {
    winners[a] = 0;
    if (a < reserve || left == 0) continue;
    winners[a] = bidders[a] < left ? bidders[a] : left;
    c.threshold = a;
    c.sold += winners[a];
    left -= winners[a];
  }
  return c;
}
