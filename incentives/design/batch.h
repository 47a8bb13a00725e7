// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_INCENTIVES_DESIGN_BATCH_H
#define WALRAS_INCENTIVES_DESIGN_BATCH_H

#include "incentives/design/problem.h"

/**
 * Drawn games (incentives/design/draws.h), spread over groups of ranks: each group makes one of its
 * games after the other, as a problem of its own context, and what is found is brought to all ranks
 * and put together in the order of the draws. Results do not depend on the number of ranks.
 */
typedef struct wal_batch wal_batch;

/** @param parts  with draws, which must outlive the batch, as the parameters
 *  @param count  number of the game's parameters. @collective */
wal_status wal_batch_create(wal_ctx *ctx, const wal_problem_parts *parts, int64_t count,
                            wal_batch **out);
void wal_batch_destroy(wal_batch **batch);

/** Which games the calls below are about. Rank-local, the same on all ranks. */
void wal_batch_draw(wal_batch *batch, int64_t restart, int64_t step);

/** Games that a group has to do with one after the other. */
int64_t wal_batch_turns(const wal_batch *batch);

/** How gradients are found: by wal_problem_differentiate() or
 *  wal_problem_differentiate_equilibrium(). */
typedef struct wal_batch_derivatives {
  bool equilibrium;
  wal_unrolled_memory memory;
  double tolerance, accepted;
  int64_t iterations;
} wal_batch_derivatives;

/** To be called before wal_batch_gradient(). @collective */
wal_status wal_batch_differentiate(wal_batch *batch, const wal_batch_derivatives *how);

/** What the learner of an evaluation takes on this rank. @collective */
wal_status wal_batch_plan(wal_batch *batch, wal_learner_cost *out);

/** Mean of G over the games of the step. @collective; failures as wal_problem_evaluate(). */
wal_status wal_batch_evaluate(wal_batch *batch, const double *theta, double *out);

/** The same of the gradient. @collective */
wal_status wal_batch_gradient(wal_batch *batch, const double *theta, double *out, double *gradient);

/** What the equilibria of the last gradient took, and the worst of how they were found. */
wal_implicit_work wal_batch_equilibria(const wal_batch *batch);

/** Adds the assessments of the other held-out games to that of the first, which `found` is of, with
 *  this outcome: the mean of the objectives, the largest exploitabilities. @collective */
wal_status wal_batch_assess(wal_batch *batch, const double *theta, int64_t iterations,
                            wal_status first, wal_assessment *found);

#endif
