// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_RLHF_FIT_H
#define WALRAS_RLHF_FIT_H

#include "rlhf/exact.h"
#include "rlhf/preferences.h"

/**
 * Where models r = theta' phi are fitted to comparisons: rows x = phi(s,first) - phi(s,second), the
 * matrix of second derivatives and its Cholesky factor. Log-linear models have one matrix d x d,
 * tabular ones a matrix A x A for each prompt. All of it follows from the comparisons: nothing has
 * to be remembered. Rank-local; one fit serves many units, which attach it by turns.
 */
typedef struct wal_fit wal_fit;

/** @param known  for its shape only @param room  most comparisons */
wal_status wal_fit_create(wal_ctx *ctx, const wal_bandit_known *known, int64_t room, wal_fit **out);
void wal_fit_destroy(wal_fit **fit);

/** Works on these comparisons in this bandit from now on; both must outlive that. */
void wal_fit_attach(wal_fit *fit, const wal_bandit_known *known,
                    const wal_preferences *preferences);

/** Numbers in theta: d, or S A. */
int64_t wal_fit_dimension(const wal_fit *fit);

/**
 * loss(theta) = sum_{first <= i < end} -log sigma(+- scale x_i' theta) + ridge |theta|^2 / 2
 *             + sum_s partition[s] log Z_theta(s) - linear' theta,
 *   log Z_theta(s) = log E_ref exp(theta' phi / divisor), + where the first response was preferred.
 * With all partition[s] >= 0 it is convex.
 */
typedef struct wal_loss {
  int64_t first, end;
  double scale, ridge;
  const double *partition; /**< [S]; NULL: 0 */
  const double *linear;    /**< [dimension]; NULL: 0 */
  double divisor;          /**< of the partition functions: beta */
} wal_loss;

/** The plain logistic loss of the first `count` comparisons, with the bandit's ridge. */
wal_loss wal_fit_logistic(const wal_fit *fit, int64_t count);

/** loss(theta). @param gradient  [dimension], or NULL */
double wal_fit_loss(wal_fit *fit, const wal_loss *loss, const double *theta, double *gradient);

/** Damped Newton's method with Armijo's rule from theta as it stands (a warm start); where the
 *  matrix is not positive definite the terms that are not convex are left out. WAL_ENONFINITE. */
wal_status wal_fit_minimize(wal_fit *fit, const wal_loss *loss, double *theta);

/** IPO: theta that minimizes (w/2) sum (+- x' theta - beta / (2 tau))^2 + ridge |theta|^2 / 2 with
 *  the weight w = 1/4 that comparisons have in the logistic loss at 0. One Cholesky factor. */
wal_status wal_fit_ipo(wal_fit *fit, int64_t count, double tau, double *theta);

/** Takes the factor of the matrix of second derivatives of a loss at theta, without the terms that
 *  are not convex: of the logistic loss it is H = ridge I + sum sigma (1 - sigma) x x'. It is held
 *  until the next fit. */
wal_status wal_fit_factor(wal_fit *fit, const wal_loss *loss, const double *theta);
/** |v| in the norm of the inverse of the matrix held. @param v  [dimension] */
double wal_fit_width(wal_fit *fit, const double *v);
/** out = H^{-1} v. */
void wal_fit_solve(wal_fit *fit, const double *v, double *out);
/** out[s,a] = |phi(s,a) - E_ref phi(s,.)| in that norm. */
void wal_fit_bonus(wal_fit *fit, double *out);
/** out[i][j] of block b (log-linear: b = 0) of the whole matrix of second derivatives, of which the
 *  lower triangle is there, not factorized;
 *  the number of rows is returned. For tests. */
int64_t wal_fit_matrix(wal_fit *fit, const wal_loss *loss, const double *theta, int64_t block,
                       const double **out);

/** r(s,a) = theta' phi(s,a). @param reward  [S * A] */
void wal_fit_reward(wal_fit *fit, const double *theta, double *reward);
/** E_{s ~ rho, a ~ p} phi, of probabilities [S * A]. @param out [dimension] */
void wal_fit_mean(wal_fit *fit, const double *p, double *out);
/** wal_fit_mean() of p less that of pi_ref. */
void wal_fit_lead(wal_fit *fit, const double *p, double *out);
/** out += factor * phi(s,a). */
void wal_fit_add_feature(const wal_fit *fit, int64_t pair, double factor, double *out);

#endif
