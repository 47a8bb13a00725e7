// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_AUCTIONS_THEORY_H
#define WALRAS_AUCTIONS_THEORY_H

#include "auctions/value_law.h"

/*
 * What theory knows of auctions with independent private values (Krishna, Auction Theory, 2nd
 * edition 2010; Vickrey 1961; Myerson 1981). n bidders want one good each; there are k. Outside the
 * stated ranges closed forms are NaN.
 */

// ---- Closed forms: values uniform on [0, 1] ---------------------------------------------------

/** Equilibrium bids of n >= 1 risk-neutral bidders for one good (third price: n >= 3). */
double wal_theory_first_price_bid(int64_t n, double v);
double wal_theory_second_price_bid(int64_t n, double v);
double wal_theory_third_price_bid(int64_t n, double v);
double wal_theory_all_pay_bid(int64_t n, double v);
/** The seller's revenue (n-1)/(n+1) in all four. */
double wal_theory_revenue(int64_t n);
/** First price, utility x^rho of a gain x, 0 < rho (1: risk-neutral): (n-1) v / (n-1+rho). */
double wal_theory_crra_bid(int64_t n, double rho, double v);
double wal_theory_crra_revenue(int64_t n, double rho);
/** Revenue of the first and second price with the reserve r, 0 <= r <= 1. */
double wal_theory_reserve_revenue(int64_t n, double r);
/** The reserve that is best for the seller, 1/2 whatever n, and its revenue. */
double wal_theory_optimal_reserve(void);
double wal_theory_optimal_reserve_revenue(int64_t n);
/** k goods at the (k+1)-st highest bid, 1 <= k <= n: k (n-k) / (n+1). */
double wal_theory_units_revenue(int64_t n, int64_t k);

/** Tullock's contest for a prize 1: each of n >= 1 spends (n-1)/n^2. */
double wal_theory_tullock_effort(int64_t n);

/** Half double auction of one buyer and one seller (Chatterjee & Samuelson 1983): bids in the
 * linear equilibrium where trade is possible, and the expected gains from trade, 9/64. */
double wal_theory_double_auction_buyer(double v);
double wal_theory_double_auction_seller(double c);
double wal_theory_double_auction_gains(void);

/** A continuum of bidders, goods for the share g of them, 0 <= g <= 1: first price, one round, or
 *  several rounds with lasting values, however the goods are split among them. Every winner pays
 * the value 1 - g of the best who gets nothing (the law of one price), so that the revenue is g (1
 * - g). */
double wal_theory_mean_field_price(double g);
double wal_theory_mean_field_revenue(double g);

// ---- Any law of values ------------------------------------------------------------------------

/** Probability that fewer than k of n - 1 rivals have levels above u = 1 - w. */
double wal_theory_win(int64_t n, int64_t k, double u, double w);
/** Its logarithm, also where it is too small for a double; -inf at u = 0 < n - k. */
double wal_theory_log_win(int64_t n, int64_t k, double u, double w);
/** Its derivative by u, and the logarithm of that. */
double wal_theory_win_slope(int64_t n, int64_t k, double u, double w);
double wal_theory_log_slope(int64_t n, int64_t k, double u, double w);

/** Levels at which wal_theory_win() is steep, sorted; in (0, 1). */
enum { WAL_THEORY_CUTS = 161 };
int wal_theory_cuts(int64_t n, int64_t k, double cuts[WAL_THEORY_CUTS]);

/** E[the j-th highest of n values], 1 <= j <= n. */
wal_status wal_theory_order_statistic(wal_ctx *ctx, const wal_value_law *law, int64_t n, int64_t j,
                                      double *out);

/** Expected amounts of one auction. */
typedef struct wal_theory_amounts {
  double revenue; /**< of the seller */
  double welfare; /**< value of the goods to those who get them */
  double utility; /**< of a bidder, before the value is known */
} wal_theory_amounts;

/** The auction that gives the goods to the k highest values of at least `least`, where one of
 *  exactly that value gains nothing; risk-neutral bidders. Any equilibrium of any format that does
 *  so has these amounts (revenue equivalence). */
wal_status wal_theory_efficient(wal_ctx *ctx, const wal_value_law *law, int64_t n, int64_t k,
                                double least, wal_theory_amounts *out);

/** First price for each of k goods with the reserve r, utility x^alpha: the equilibrium bid of
 * value v >= r, v - integral over x from r to v of (G(x)/G(v))^(1/alpha), G(x) = wal_theory_win()
 * at the level of x (Krishna, 4.1 and 13.5; with alpha = 1 E[k-th highest rival value | it is below
 * v]). */
wal_status wal_theory_paid_bid(wal_ctx *ctx, const wal_value_law *law, int64_t n, int64_t k,
                               double r, double alpha, double v, double *out);

/** All pay for k goods, least bid r: v G(v) - integral of G from the value `entry` to v, where
 *  entry G(entry) = r. */
wal_status wal_theory_all_pay_law_bid(wal_ctx *ctx, const wal_value_law *law, int64_t n, int64_t k,
                                      double entry, double v, double *out);
/** That entry value; HUGE_VAL if nobody enters. */
double wal_theory_all_pay_entry(const wal_value_law *law, int64_t n, int64_t k, double r);

/** Third price, no reserve, n >= 3: v + F(v) / ((n-2) f(v)) (Kagel & Levin 1993), at a level. */
double wal_theory_third_price_law_bid(const wal_value_law *law, int64_t n, double u, double w);

#endif
