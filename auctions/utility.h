// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_AUCTIONS_UTILITY_H
#define WALRAS_AUCTIONS_UTILITY_H

#include "sim/core/parameter.h"

/* What a payment is worth to a bidder; components of the kind "utility". */

extern const wal_component wal_utility_neutral, wal_utility_risk_averse, wal_utility_risk_seeking,
    wal_utility_hyperbolic, wal_utility_custom;

/**
 * u_h(v, p), the utility of a good of value v at the price p in round h:
 *   factor_h * (offset(v) + slope(v) * gain(p)),
 * which all but a script's utility are:
 *   neutral       v - p
 *   risk_averse   (1 - exp(-beta (v - p))) / beta
 *   risk_seeking  (exp(beta (v - p)) - 1) / beta
 *   hyperbolic    (v - p) / (1 + lambda h)
 */
typedef struct wal_utility {
  const wal_component *kind;
  int values;
  double beta, lambda;
  double *offset, *slope;         /**< [values], at v = k / values */
  double zero_offset, zero_slope; /**< those of v = 0 */
  const wal_function *function;   /**< of a script: all of the above is then unused */
} wal_utility;

/** @param params  of one of the components above; must outlive the utility. Rank-local. */
wal_status wal_utility_create(wal_ctx *ctx, wal_params *params, int values, wal_utility *out);
void wal_utility_destroy(wal_ctx *ctx, wal_utility *utility);

/** gain[i] = gain(payment[i]). */
void wal_utility_gain(const wal_utility *utility, int64_t count, const double *payment,
                      double *gain);
/** payment_bar[i] += gain'(payment[i]) gain_bar[i], from gain[i] = gain(payment[i]). */
void wal_utility_gain_vjp(const wal_utility *utility, int64_t count, const double *gain,
                          const double *gain_bar, double *payment_bar);
double wal_utility_factor(const wal_utility *utility, int round);

/** out[k] = u_h(k / values, payment) from the script, for all values; a further out[values], what
 *  the payment is worth to those who get nothing, is that of value 0. WAL_EINPUT or WAL_ENONFINITE
 *  with the arguments in the text. About 0.1 microseconds a value. */
wal_status wal_utility_ask(wal_ctx *ctx, const wal_utility *utility, int round, double payment,
                           double *out);

#endif
