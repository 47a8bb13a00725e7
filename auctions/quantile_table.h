// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_AUCTIONS_QUANTILE_TABLE_H
#define WALRAS_AUCTIONS_QUANTILE_TABLE_H

#include "sim/core/context.h"

/**
 * A function of a probability level u in [start, 1), tabulated so that it is had in some
 * nanoseconds: polynomials of degree 5 through Chebyshev points of cells that shrink with the
 * distance to 0, to 1 and to `start` (16 cells an octave), where functions of quantiles have
 * singular derivatives. For f(u) = c u^p or c (1-u)^p, p in [0, 10], the relative error is below
 * 1e-8 (p <= 3: 2e-11); for analytic functions that do not vary faster than the cells it is below
 * 1e-10 of their size.
 */
typedef struct wal_quantile_table wal_quantile_table;

/** Asked for f at level u = 1 - w (both given, for what is lost in their difference), in ascending
 *  order; also where cells meet, where the result is not used. */
typedef double (*wal_quantile_function)(void *user, double u, double w);

/** @param cuts  further levels where cells shall meet: kinks and jumps; any order */
wal_status wal_quantile_table_create(wal_ctx *ctx, double start, int64_t count, const double *cuts,
                                     wal_quantile_function f, void *user, wal_quantile_table **out);
void wal_quantile_table_destroy(wal_ctx *ctx, wal_quantile_table **table);

/** f[i] at level u[i], start <= u[i] < 1 (below start: about f(start)); f may be u. */
void wal_quantile_table_look_up(const wal_quantile_table *table, int64_t count, const double *u,
                                double *f);

/** The integral of g(user, u, w, f(u)) over [start, 1): Gauss-Legendre with 8 points in each cell.
 */
double wal_quantile_table_integrate(const wal_quantile_table *table,
                                    double (*g)(void *user, double u, double w, double f),
                                    void *user);

#endif
