// SPDX-License-Identifier: GPL-3.0-or-later
#include "auctions/components.h"

#include "auctions/drift.h"
#include "auctions/mechanism.h"
#include "auctions/prior.h"
#include "auctions/utility.h"

/* Besides the mechanisms. */
static const wal_component *const PARTS[] = {
    &wal_prior_geometric,    &wal_prior_dirichlet,     &wal_prior_weights,
    &wal_utility_neutral,    &wal_utility_risk_averse, &wal_utility_risk_seeking,
    &wal_utility_hyperbolic, &wal_utility_custom,      &wal_drift_none,
    &wal_drift_gaussian,     &wal_drift_transition,
};

static const int64_t PART_COUNT = sizeof PARTS / sizeof PARTS[0];

int64_t wal_auction_component_count(void) { return wal_mechanism_count() + PART_COUNT; }

const wal_component *wal_auction_component_at(int64_t index) {
  const int64_t mechanisms = wal_mechanism_count();
  return index < mechanisms ? &wal_mechanism_at(index)->component : PARTS[index - mechanisms];
}
