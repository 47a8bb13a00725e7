// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_AUCTIONS_QUADRATURE_H
#define WALRAS_AUCTIONS_QUADRATURE_H

#include "sim/core/context.h"

/** A function of one number. */
typedef double (*wal_integrand)(double x, void *user);

/**
 * The integral of `f` from `low` to `high` (which may be HUGE_VAL), cut at those of the sorted
 * `cuts` that lie between: where f has kinks or is steep. Adaptive (GSL: QUADPACK's QAGS and QAGI),
 * to about 1e-11 of the integral of |f|; WAL_EINTERNAL where that cannot be had. Rank-local.
 */
wal_status wal_integrate(wal_ctx *ctx, wal_integrand f, void *user, double low, double high,
                         int64_t count, const double *cuts, double *out);

#endif
