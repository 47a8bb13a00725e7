// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_AUCTIONS_DRIFT_H
#define WALRAS_AUCTIONS_DRIFT_H

#include "sim/core/parameter.h"

/* How a bidder's value changes from one round to the next; components of the kind "drift". */

extern const wal_component wal_drift_none, wal_drift_gaussian, wal_drift_transition;

/**
 * The probabilities of going from value s/n to value t/n, row-major [count][count], each row a
 * distribution. *out is NULL if values stay as they are.
 * @param out  owned by the caller (wal_release()). Rank-local, same on all ranks.
 */
wal_status wal_drift_rows(wal_ctx *ctx, wal_params *params, int count, double **out);

#endif
