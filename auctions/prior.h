// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_AUCTIONS_PRIOR_H
#define WALRAS_AUCTIONS_PRIOR_H

#include "sim/core/parameter.h"

/* Distributions of the bidders' values over the grid 0, 1/n, .., (n-1)/n: components of the kind
 * "prior", and value laws (auctions/value_law.h). */

extern const wal_component wal_prior_geometric, wal_prior_dirichlet, wal_prior_weights;

/** Fills mass[0..count) with the prior that `params` (of such a component) describe;
 *  sums to 1. Depends on the context's seed only for `dirichlet`. Rank-local, same on all ranks. */
wal_status wal_prior_fill(wal_ctx *ctx, wal_params *params, int count, double *mass);

#endif
