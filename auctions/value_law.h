// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_AUCTIONS_VALUE_LAW_H
#define WALRAS_AUCTIONS_VALUE_LAW_H

#include "sim/core/parameter.h"

/* Laws that bidders' values are drawn from, independently: components of the kind "value_law". None
 * gives negative values. */

typedef enum wal_law_kind {
  WAL_LAW_UNIFORM,
  WAL_LAW_EXPONENTIAL,
  WAL_LAW_BETA,
  WAL_LAW_QUANTILES,
} wal_law_kind;

/** A law. Its members are for reading. */
typedef struct wal_value_law {
  wal_law_kind kind;
  double low, high; /**< of its values; high may be HUGE_VAL */
  double a, b;      /**< of beta; a is the mean of exponential */
  bool atoms;       /**< some value has positive probability */
  /** Quantiles: a value and its level at each knot, straight between knots; else NULL. */
  int64_t knots;
  double *knot, *level;
  struct wal_quantile_table *table; /**< of beta */
} wal_value_law;

/** All laws as components. */
int64_t wal_value_law_count(void);
const wal_component *wal_value_law_at(int64_t index);

/** The law that parameters of such a component describe. Rank-local, as are all calls here. */
wal_status wal_value_law_create(wal_ctx *ctx, wal_params *params, wal_value_law **out);
/** Uniform: a = low, b = high. Exponential: a = mean. Beta: a and b. */
wal_status wal_value_law_make(wal_ctx *ctx, wal_law_kind kind, double a, double b,
                              wal_value_law **out);
/** Quantiles: values and levels nondecreasing, levels from 0 to 1; NULL: equally spaced. */
wal_status wal_value_law_from_knots(wal_ctx *ctx, int64_t count, const double *values,
                                    const double *levels, wal_value_law **out);
void wal_value_law_destroy(wal_ctx *ctx, wal_value_law **law);

/** Probability of a value of at most v, of less than v, of more than v. */
double wal_value_law_cdf(const wal_value_law *law, double v);
double wal_value_law_below(const wal_value_law *law, double v);
double wal_value_law_above(const wal_value_law *law, double v);
/** The density, where there is one. */
double wal_value_law_density(const wal_value_law *law, double v);
/** The value at level u = 1 - w, to about 1e-14 of it. */
double wal_value_law_quantile(const wal_value_law *law, double u, double w);
/** v[i] = the value at level u[i], 0 <= u[i] < 1: the inner loop of simulations. Of beta within
 * 1e-8 of it (within 1e-10 where a and b are at least 1/3). v may be u. */
void wal_value_law_values(const wal_value_law *law, int64_t count, const double *u, double *v);
/** The derivative of the value by the level. */
double wal_value_law_slope(const wal_value_law *law, double u, double w);
double wal_value_law_mean(const wal_value_law *law);

#endif
