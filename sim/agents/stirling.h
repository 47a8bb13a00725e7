// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_AGENTS_STIRLING_H
#define WALRAS_SIM_AGENTS_STIRLING_H

#include "sim/core/vector_math.h"

/* What logarithms of probabilities of large counts are summed from: after Stirling's formula, with
 * the terms of the size of x log x cancelled beforehand, and the deviance in the manner of Loader
 * 2000, "Fast and accurate computation of binomial probabilities". */

/** The same bits on every machine of a kind. */
static inline double wal_log_one(double x) {
  wal_vector_log(1, &x, &x);
  return x;
}

static inline double wal_exp_one(double x) {
  wal_vector_exp(1, &x, &x);
  return x;
}

/** log x! - (x log x - x) of a whole number; 0 at 0. */
double wal_stirling_rest(double x);

/** x log(x/e) + e - x, given d = x - e, which it has no more digits than. */
double wal_stirling_deviance(double x, double e, double d);

#endif
