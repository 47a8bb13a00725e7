// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <string.h>

#include "incentives/design/method.h"
#include "sim/core/sum.h"

/* The two-point estimate of the gradient of G, smoothed over a ball of radius u,
 *   D / (2 u) (G(theta + u z) - G(theta - u z)) z,   z uniform on the unit sphere of R^D,
 * averaged over several z. The objective is the mean of the values of G on the way: it is not
 * evaluated at theta itself, which would cost half as much again. */

enum { RADIUS, DIRECTIONS };

static const wal_param PARAMS[] = {
    {.name = "radius",
     .type = WAL_REAL,
     .number = 1e-2,
     .low = 1e-300,
     .high = HUGE_VAL,
     .unit = "parameter",
     .meaning = "distance of the two points from the parameters"},
    {.name = "directions",
     .type = WAL_INTEGER,
     .number = 1,
     .low = 1,
     .high = 1e6,
     .meaning = "random directions a step, each with two evaluations, over which is averaged"},
    {0}};

static wal_status create(const wal_params *params, wal_method *m) {
  m->option[RADIUS] = wal_params_real(params, "radius");
  m->option[DIRECTIONS] = (double)wal_params_integer(params, "directions");
  return WAL_OK;
}

/* G(theta + u z) */
static wal_status value_at(wal_method *m, const double *theta, double u, double *out) {
  const int64_t count = wal_problem_count(m->problem);
  for (int64_t i = 0; i < count; i++) m->tried[i] = theta[i] + u * m->drawn[i];
  return wal_problem_evaluate(m->problem, m->tried, out);
}

static wal_status step(wal_method *m, int64_t k, const double *theta, double *out,
                       wal_method_result *result) {
  const int64_t count = wal_problem_count(m->problem);
  const double u = m->option[RADIUS], directions = m->option[DIRECTIONS];
  memset(out, 0, (size_t)count * sizeof *out);
  for (int64_t j = 0; j < (int64_t)directions; j++) {
    double up, down;
    wal_method_draw(m, WAL_PURPOSE_ZEROTH_ORDER, k, j, m->drawn);
    const double length = sqrt(wal_dot(count, m->drawn, m->drawn));
    for (int64_t i = 0; i < count; i++) m->drawn[i] /= length;
    WAL_TRY(value_at(m, theta, u, &up));
    WAL_TRY(value_at(m, theta, -u, &down));
    const double slope = (double)count / (2 * u) * (up - down) / directions;
    for (int64_t i = 0; i < count; i++) out[i] += slope * m->drawn[i];
    result->objective += (up + down) / (2 * directions);
  }
  return WAL_OK;
}

const wal_method_type wal_method_zeroth_order = {
    .struct_size = sizeof(wal_method_type),
    .component = {.name = "zeroth_order",
                  .kind = "method",
                  .summary = "gradients estimated from values at random points around",
                  .source = "Corecco et al. 2025, appendix F; Flaxman, Kalai and McMahan 2005",
                  .params = PARAMS},
    .create = create,
    .step = step};
