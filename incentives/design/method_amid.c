// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include "incentives/design/method.h"

/* The gradient of G through every step of the learner (sim/learn/unrolled.h). */

static const wal_param PARAMS[] = {
    {.name = "memory",
     .type = WAL_TEXT,
     .text = "sqrt",
     .choices = "sqrt|full|reverse",
     .meaning = "what is remembered of the learner's steps: the policy every sqrt(iterations) of "
                "them; all of them; or none, they are taken back one by one"},
    {0}};

static wal_status create(const wal_params *params, wal_method *m) {
  const char *memory = wal_params_text(params, "memory");
  return wal_problem_differentiate(m->problem, strcmp(memory, "full") == 0 ? WAL_UNROLLED_FULL
                                               : strcmp(memory, "sqrt") == 0
                                                   ? WAL_UNROLLED_SQRT
                                                   : WAL_UNROLLED_REVERSE);
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
    .create = create,
    .step = step};
