// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <string.h>

#include "incentives/design/method.h"

/* theta <- the best of theta, theta + sigma n, theta - sigma n by G, n normal; on a tie the first
 * of them. G(theta) is known from the step before. */

enum { SIGMA };
enum { KNOWN, VALUE, MEMORY };

static const wal_param PARAMS[] = {
    {.name = "sigma",
     .type = WAL_REAL,
     .number = 1e-2,
     .low = 1e-300,
     .high = HUGE_VAL,
     .unit = "parameter",
     .meaning = "standard deviation of what is tried in every parameter"},
    {0}};

static wal_status create(const wal_params *params, wal_method *m) {
  m->option[SIGMA] = wal_params_real(params, "sigma");
  return WAL_OK;
}

static wal_status step(wal_method *m, int64_t k, const double *theta, double *out,
                       wal_method_result *result) {
  const int64_t count = wal_problem_count(m->problem);
  const bool drawn = wal_problem_draws(m->problem) != NULL;  // other games than the step before
  if (m->memory[KNOWN] == 0 || drawn)
    WAL_TRY(wal_problem_evaluate(m->problem, theta, &m->memory[VALUE]));
  m->memory[KNOWN] = 1;
  result->objective = m->memory[VALUE];
  result->exact = true;
  wal_method_draw(m, WAL_PURPOSE_ANNEAL, k, 0, m->drawn);
  for (int side = 1; side >= -1; side -= 2) {
    double value;
    for (int64_t i = 0; i < count; i++)
      m->tried[i] = theta[i] + side * m->option[SIGMA] * m->drawn[i];
    WAL_TRY(wal_problem_evaluate(m->problem, m->tried, &value));
    if (value <= m->memory[VALUE]) continue;
    m->memory[VALUE] = value;
    memcpy(out, m->tried, (size_t)count * sizeof *out);
  }
  return WAL_OK;
}

const wal_method_type wal_method_anneal = {
    .struct_size = sizeof(wal_method_type),
    .component = {.name = "anneal",
                  .kind = "method",
                  .summary = "random steps, taken only where they lead higher",
                  .source = "Corecco et al. 2025, appendix F",
                  .params = PARAMS},
    .moves = true,
    .memory = MEMORY,
    .create = create,
    .step = step};
