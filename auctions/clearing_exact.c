// SPDX-License-Identifier: GPL-3.0-or-later
#include "auctions/clearing_exact.h"

#include <math.h>
#include <stdbool.h>

int64_t wal_clearing_goods(double goods, int64_t agents) {
  const double number = goods * (double)agents;
  return (int64_t)floor(number + fmin(1e-11 * number, 1.0 / 16));
}

wal_clearing_count wal_clearing_exact(int bids, int reserve, int64_t goods, const int64_t *bidders,
                                      int64_t *winners, double *win) {
  wal_clearing_count c = {.threshold = bids};
  for (int a = bids - 1; a >= 0; a--) {
    const int64_t left = goods - c.sold;
    const bool served = a >= reserve && left > 0;
    const int64_t won = served ? (bidders[a] < left ? bidders[a] : left) : 0;
    if (winners) winners[a] = won;
    if (win) win[a] = bidders[a] > 0 ? (double)won / (double)bidders[a] : served;
    if (served) c.threshold = a;
    c.sold += won;
  }
  return c;
}
