// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_LEARN_IMPLICIT_H
#define WALRAS_SIM_LEARN_IMPLICIT_H

#include "sim/core/state.h"
#include "sim/game/adjoint.h"

/**
 * The regularized equilibrium and its derivatives: mirror descent on logits (sim/learn/unrolled.h)
 * run until it stands still, at entropy y = q(y, theta), which does not depend on the rate: steps
 * are made as large as the residual lets them be, down to those of the learner's own rate; near to
 * the equilibrium Anderson's acceleration takes over. From there, by the implicit function theorem,
 * with J = dq/dy and the objective's derivatives,
 *
 *   (entropy I - J)^T m = dg/dy,   grad = dg/dtheta + m^T dq/dtheta
 *
 * is what the gradient through T steps tends to. The system is solved by restarted GMRES (Saad and
 * Schultz 1986) with products J^T m from adjoint sweeps; neither time nor memory of that depend on
 * the number of steps. Of what GSL has for it (gsl_splinalg) the matrix must be there, entry by
 * entry, and sums do not keep their order over ranks.
 *
 * Both the equilibrium and m are looked for from those found last, which are near if theta changed
 * little.
 */
typedef struct wal_implicit wal_implicit;

/** How the equilibrium is looked for. */
typedef struct wal_implicit_options {
  double rate, entropy; /**< of mirror descent; entropy > 0 */
  /** The run ends when no probability will change by more than about this, and the system is solved
   *  to this relative residual. */
  double tolerance;
  /** Where the steps do not suffice for that, or those of the learner's own rate do not make the
   *  residual fall, a change that is accepted all the same: a learner can go round for ever. What
   * is taken is the policy of the least residual that was seen. */
  double accepted;
  int64_t iterations; /**< most steps of mirror descent, and most products J^T m */
} wal_implicit_options;

/** Makes room for runs in a space, which must outlive it. WAL_EINPUT if the game lacks derivatives
 * or entropy is 0. @collective */
wal_status wal_implicit_create(const wal_space *space, const wal_implicit_options *options,
                               wal_implicit **out);
/** Frees it and sets *implicit to NULL; NULL is let pass. Rank-local. */
void wal_implicit_destroy(wal_implicit **implicit);

/** Runs to the equilibrium of the game as it is. @collective. WAL_ENOCONV if the steps do not
 *  suffice for what is accepted. */
wal_status wal_implicit_forward(wal_implicit *implicit);

/** The equilibrium, after wal_implicit_forward(). */
const wal_policy *wal_implicit_policy(const wal_implicit *implicit);
/** Its flow. */
const wal_flow *wal_implicit_flow(const wal_implicit *implicit);

/** The gradient of the objective that `seed` belongs to, as wal_unrolled_backward(). @collective.
 *  WAL_ENOCONV if the products do not suffice. */
wal_status wal_implicit_backward(wal_implicit *implicit, const wal_adjoint_seed *seed,
                                 double *gradient);

/** What the last run took. */
typedef struct wal_implicit_work {
  int64_t steps, products; /**< of mirror descent; J^T m of the system */
  double residual;         /**< change of probabilities that is left, to first order */
  bool found;              /**< it is within the tolerance, not just accepted */
} wal_implicit_work;
/** That work. */
wal_implicit_work wal_implicit_last(const wal_implicit *implicit);

/** Declares from where the next run begins. */
void wal_implicit_declare(wal_implicit *implicit, wal_state *state);

#endif
