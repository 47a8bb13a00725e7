// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_AUCTIONS_SPLIT_H
#define WALRAS_AUCTIONS_SPLIT_H

#include "auctions/mechanism.h"

/** The parameter `split` of mechanisms that sell the goods by a plan. */
#define WAL_SPLIT_PARAM                                                                           \
  {                                                                                               \
    .name = "split", .type = WAL_ARRAY, .rank = 1, .optional = true, .low = 0, .high = HUGE_VAL,  \
    .unit = "mass", .meaning = "goods for sale in each round, with the sum `goods`; without it " \
                               "equally many in all rounds"                                       \
  }

/**
 * Reads it as shares: in round h the share[h] of the goods that are left is for sale. With goods
 * that are lost if not sold that is the plan itself; else what was not sold is spread over the
 * later rounds in its proportions.
 * @param share  [rounds], filled
 */
wal_status wal_split_read(wal_ctx *ctx, wal_params *params, const wal_market *market,
                          double *share);

#endif
