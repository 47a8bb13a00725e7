// SPDX-License-Identifier: GPL-3.0-or-later
#include "auctions/split.h"

#include <math.h>

wal_status wal_split_read(wal_ctx *ctx, wal_params *params, const wal_market *market,
                          double *share) {
  const double *plan;
  double sum = 0;
  WAL_TRY(wal_params_array(ctx, params, "split", market->rounds, 0, 0, &plan));
  if (!plan) {
    for (int h = 0; h < market->rounds; h++) share[h] = 1.0 / (market->rounds - h);
    return WAL_OK;
  }
  for (int h = market->rounds - 1; h >= 0; h--) {
    sum += plan[h];
    share[h] = sum > 0 ? plan[h] / sum : 0;
  }
  if (fabs(sum - market->goods) <= 1e-9 * (1 + market->goods)) return WAL_OK;
  char got[32], expected[32];
  return wal_params_fail(ctx, params, "split", "expected goods with the sum %s (goods), got the sum %s",
                         wal_number_text(market->goods, expected, sizeof expected),
                         wal_number_text(sum, got, sizeof got));
}
