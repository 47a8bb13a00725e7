// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "incentives/design/method.h"

/* The gradient of G through every step of the learner (sim/learn/unrolled.h). */

/* Taking a step back multiplies what rounding has left by 1 / (1 - rate * entropy): so far it goes
   without harm, gradients then being good to about 1e-10. */
static const double MOST_GROWTH = 1e5;

static const wal_param PARAMS[] = {
    {.name = "memory",
     .type = WAL_TEXT,
     .text = "auto",
     .choices = "auto|sqrt|full|reverse",
     .meaning = "what is remembered of the learner's steps: the policy every sqrt(iterations) of "
                "them; all of it; or none, they are taken back one by one, which auto chooses "
                "where it is exact, else sqrt"},
    {0}};

/* By how much taking all steps back magnifies what rounding has left. */
static double growth(const wal_response *r) {
  return pow(1 - r->rate * r->entropy, -(double)r->iterations);
}

static wal_status create(const wal_params *params, wal_method *m) {
  wal_ctx *ctx = wal_problem_space(m->problem)->ctx;
  const char *memory = wal_params_text(params, "memory");
  const double grown = growth(wal_problem_response(m->problem));
  const bool reverse = strcmp(memory, "reverse") == 0;
  const bool reverses = grown <= MOST_GROWTH && !wal_problem_game(m->problem)->shape.reads_policy;
  const wal_unrolled_memory choice = strcmp(memory, "full") == 0 ? WAL_UNROLLED_FULL
                                     : reverse || (strcmp(memory, "auto") == 0 && reverses)
                                         ? WAL_UNROLLED_REVERSE
                                         : WAL_UNROLLED_SQRT;
  const wal_status status = wal_problem_differentiate(m->problem, choice);
  if (status == WAL_EINPUT && reverse) {
    char why[512];
    snprintf(why, sizeof why, "%s", wal_ctx_error(ctx));
    return wal_params_fail(ctx, params, "memory", "%s", why);
  }
  if (status == WAL_OK && reverse && grown > MOST_GROWTH)
    wal_params_warn(ctx, params, "memory",
                    "taking the learner's steps back magnifies rounding by %.1g; sqrt is exact",
                    grown);
  return status;
}

static wal_status step(wal_method *m, int64_t k, const double *theta, double *out,
                       wal_method_result *result) {
  (void)k;
  result->exact = true;
  return wal_problem_gradient(m->problem, theta, &result->objective, out);
}

const wal_method_type wal_method_amid = {
    .struct_size = sizeof(wal_method_type),
    .component = {.name = "amid",
                  .kind = "method",
                  .summary = "exact gradients through the learner, by its adjoint",
                  .source = "Corecco et al. 2025, algorithm 1",
                  .params = PARAMS},
    .exact = true,
    .create = create,
    .step = step};
