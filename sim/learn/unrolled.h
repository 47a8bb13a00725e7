// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_LEARN_UNROLLED_H
#define WALRAS_SIM_LEARN_UNROLLED_H

#include "sim/game/adjoint.h"

/**
 * Mirror descent on logits, y_{t+1} = (1 - rate * entropy) y_t + rate * q_t from y_0 = 0, run
 * forwards T steps and differentiated backwards (AMID: Corecco et al. 2025, Algorithm 1; the
 * indices as in Lemma 2):
 *
 *   lam_T = dg/dy (y_T),   grad = dg/dtheta (y_T),   then for t = T-1 .. 0, with c = rate * lam:
 *   grad += c^T dq/dtheta (y_t),   lam <- (1 - rate * entropy) lam + c^T dq/dy (y_t)
 *
 * grad is then the derivative of g(theta, flow of y_T(theta)). The step is that of the learner
 * mirror_descent, whose policy after as many iterations is the same.
 */
typedef struct wal_unrolled wal_unrolled;

/** What the run remembers for the way back. All give the same gradient, up to rounding. */
typedef enum wal_unrolled_memory {
  WAL_UNROLLED_FULL,    /**< all of every step: T (H S A) numbers */
  WAL_UNROLLED_SQRT,    /**< logits every ceil(sqrt T) steps, what is between being run again:
                             2 sqrt(T) (H S A) numbers, one more run forwards */
  WAL_UNROLLED_REVERSE, /**< masses, values and statistics of every step, but for settled ones,
                             which are settled again: T H (2 S + |z|) numbers; logits are recovered
                             by taking the step back, y_t = (y_{t+1} - rate q_t) / (1 - rate *
                             entropy): rounding grows by that factor a step */
} wal_unrolled_memory;

/** How the run goes. */
typedef struct wal_unrolled_options {
  double rate, entropy;       /**< of the learner's step; rate * entropy <= 1 */
  int64_t iterations;         /**< T >= 0 */
  wal_unrolled_memory memory; /**< what the way back needs */
} wal_unrolled_options;

/** Makes room for runs in a space, which must outlive it. WAL_EINPUT if the game lacks derivatives,
 * or if REVERSE cannot work: the game reads its policy, or rate * entropy = 1. @collective */
wal_status wal_unrolled_create(const wal_space *space, const wal_unrolled_options *options,
                               wal_unrolled **out);
/** Frees it and sets *unrolled to NULL; NULL is let pass. Rank-local. */
void wal_unrolled_destroy(wal_unrolled **unrolled);

/** Runs forwards from the uniform policy with the game's parameters as they are. @collective.
 *  @param record  whether a wal_unrolled_backward() follows. Cost: T steps of the learner */
wal_status wal_unrolled_forward(wal_unrolled *unrolled, bool record);

/** y_T, after wal_unrolled_forward(). */
const wal_policy *wal_unrolled_policy(const wal_unrolled *unrolled);
/** Its flow. */
const wal_flow *wal_unrolled_flow(const wal_unrolled *unrolled);

/**
 * The gradient of the objective that `seed` belongs to.
 * @param gradient  [parameters of the game], on entry the objective's explicit derivative by them
 * (0 as a rule); added to. The same on all ranks
 * @collective. Uses up the record. Cost: about two to three times wal_unrolled_forward()
 */
wal_status wal_unrolled_backward(wal_unrolled *unrolled, const wal_adjoint_seed *seed,
                                 double *gradient);

#endif
