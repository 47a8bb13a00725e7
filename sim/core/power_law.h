// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_CORE_POWER_LAW_H
#define WALRAS_SIM_CORE_POWER_LAW_H

#include <stdint.h>

/** The exponent of y = constant * x^slope, with a 95 % interval (Student's t). */
typedef struct wal_power_law {
  double slope, low, high;
} wal_power_law;

/** Fitted to the logarithms of the first 64 points whose y is positive. NaN without at least 2 of
 *  different x (interval: 3). */
wal_power_law wal_power_law_fit(int64_t count, const double *x, const double *y);

/** Of several exponents that were found independently: their mean, with the interval that they
 *  themselves give; those that are NaN are left out. NaN without any (interval: 2). */
wal_power_law wal_power_law_mean(int64_t count, const double *slope);

#endif
