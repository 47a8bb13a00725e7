// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_AUCTIONS_COMPONENTS_H
#define WALRAS_AUCTIONS_COMPONENTS_H

#include "sim/core/parameter.h"

/** Everything that scenarios construct to describe an auction, besides the games themselves:
 *  mechanisms, priors, utilities, drifts. Grouped by kind. */
int64_t wal_auction_component_count(void);
const wal_component *wal_auction_component_at(int64_t index);

#endif
