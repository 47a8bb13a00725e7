// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_RLHF_EXACT_H
#define WALRAS_RLHF_EXACT_H

#include "rlhf/bandit.h"

/* Quantities of policies by enumeration: no sampling anywhere. Rank-local. */

/** A policy in memory of its own. */
wal_status wal_responder_create(wal_ctx *ctx, const wal_bandit_known *known, wal_responder *out);
void wal_responder_destroy(wal_ctx *ctx, wal_responder *responder);

/** The reference policy. */
void wal_responder_reference(const wal_bandit_known *known, wal_responder *out);

/** pi proportional to pi_ref exp(r / beta), which maximizes J(.; r). O(S A).
 *  @param log_z  [S]: log E_ref exp(r / beta); NULL: not wanted
 *  @return  beta E_s log Z(s) = J(pi; r) */
double wal_responder_gibbs(const wal_bandit_known *known, const double *reward, wal_responder *out,
                           double *log_z);

/** pi proportional to `base` exp(tilt), with the divergence from pi_ref. @param tilt  [S * A] */
void wal_responder_tilt(const wal_bandit_known *known, const double *base_log_p, const double *tilt,
                        wal_responder *out);

/** The policy that log-probabilities [S * A] stand for. */
void wal_responder_of_logs(const wal_bandit_known *known, const double *log_p, wal_responder *out);

/** J(pi; r) = E r - beta E_s KL(pi || pi_ref). */
double wal_exact_value(const wal_bandit_known *known, const double *reward,
                       const wal_responder *pi);
/** E_s KL(pi || other). */
double wal_exact_divergence(const wal_bandit_known *known, const wal_responder *pi,
                            const wal_responder *other);
/** J(pi*) - J(pi), by the identity that it is beta E_s KL(pi || pi*). */
double wal_exact_gap(const wal_bandit *bandit, const wal_responder *pi);
/** Cov^{target|pi} = E_{s, a ~ target} target(a|s) / pi(a|s) = 1 + chi^2(target || pi). */
double wal_exact_coverage(const wal_bandit_known *known, const wal_responder *target,
                          const wal_responder *pi);
/** P(pi is preferred to other) = E_{s, a ~ pi, b ~ other} sigma(r*(s,a) - r*(s,b)). O(S A^2). */
double wal_exact_win_rate(const wal_bandit *bandit, const wal_responder *pi,
                          const wal_responder *other);

/** kappa(x) = (x - 1)^2 / (x - 1 - log x), which is 2 at x = 1: with x = max pi* / pi,
 *  Cov^{pi*|pi} <= 1 + kappa(x) (J(pi*) - J(pi)) / beta. */
double wal_exact_kappa(double x);
/** max over prompts and responses of target / pi. */
double wal_exact_ratio(const wal_bandit_known *known, const wal_responder *target,
                       const wal_responder *pi);
/** What the win rates p of pi and q of the target against the same opponent tell of coverage:
 *  Cov^{target|pi} >= q^2 / p + (1 - q)^2 / (1 - p), by data processing of chi^2. */
double wal_exact_coverage_bound(double win_rate, double target_win_rate);

#endif
