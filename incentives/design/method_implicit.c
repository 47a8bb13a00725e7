// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>

#include "incentives/design/method.h"

/* The gradient at the equilibrium itself (sim/learn/implicit.h). The objective in the trace is that
 * of the equilibrium, and not that after the learner's iterations, which assessments show. */

static const wal_param PARAMS[] = {
    {.name = "tolerance",
     .type = WAL_REAL,
     .number = 1e-8,
     .low = 1e-14,
     .high = 1,
     .meaning = "change of probabilities below which the learner stands at its equilibrium, and "
                "relative error to which the derivatives are found there"},
    {.name = "iterations",
     .type = WAL_INTEGER,
     .number = 2000,
     .low = 1,
     .high = 1e9,
     .meaning = "most steps of the learner to the equilibrium, from that of the step before"},
    {.name = "accepted",
     .type = WAL_REAL,
     .number = 1,
     .low = 0,
     .high = HUGE_VAL,
     .meaning = "change of probabilities that is accepted when the iterations are over, or the "
                "residual falls no further: a learner can go round for ever; more ends the design"},
    {0}};

static wal_status create(const wal_params *params, wal_method *m) {
  if (!(wal_problem_response(m->problem)->entropy > 0))
    return wal_params_fail(wal_problem_space(m->problem)->ctx, params, NULL,
                           "expected a learner with entropy > 0, got 0 (amid{} can be used)");
  return wal_problem_differentiate_equilibrium(m->problem, wal_params_real(params, "tolerance"),
                                               wal_params_real(params, "accepted"),
                                               wal_params_integer(params, "iterations"));
}

static wal_status step(wal_method *m, int64_t k, const double *theta, double *out,
                       wal_method_result *result) {
  (void)k;
  WAL_TRY(wal_problem_gradient(m->problem, theta, &result->objective, out));
  const wal_implicit_work work = wal_problem_equilibrium(m->problem);
  result->exact = work.found;
  result->residual = work.residual;
  return WAL_OK;
}

const wal_method_type wal_method_implicit = {
    .struct_size = sizeof(wal_method_type),
    .component = {.name = "implicit",
                  .kind = "method",
                  .summary = "exact gradients at the equilibrium, by the implicit function theorem",
                  .source = "Corecco et al. 2025, lemma 1; Saad and Schultz 1986, GMRES",
                  .params = PARAMS},
    .exact = true,
    .create = create,
    .step = step};
