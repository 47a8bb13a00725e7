// SPDX-License-Identifier: GPL-3.0-or-later
#include "incentives/design/gradient_check.h"

#include <math.h>
#include <string.h>

#include "sim/core/memory.h"
#include "sim/core/sum.h"

static const double STEPS[] = {1e-2, 1e-3, 1e-4, 1e-5};
static const double GOOD = 1e-8;  // no smaller step is tried
static const double LEAST = 1e-12;

/* A start is often at a kink: half of the goods for half of the bids. No derivative is right there.
   What is off by more than this is looked at beside it, by so much in each parameter. */
static const double OFF = 1e-6, BESIDE = 1e-3;

typedef struct checking {
  wal_method *method, *reference;
  const double *theta;
  int64_t count;
  double *gradient, *unit, *moved, *scratch, *beside;
  bool by_value; /* wal_problem_evaluate() gives the method's objective, for less */
} checking;

static wal_status value_at(checking *c, double step, double *out) {
  wal_method_result found;
  for (int64_t i = 0; i < c->count; i++) c->moved[i] = c->theta[i] + step * c->unit[i];
  if (c->by_value) return wal_problem_evaluate(c->reference->problem, c->moved, out);
  WAL_TRY(wal_method_step(c->reference, 0, c->moved, c->scratch, &found));
  *out = found.objective;
  return WAL_OK;
}

static wal_status difference(checking *c, double step, double *out) {
  double g[4];
  const double at[4] = {step, -step, 2 * step, -2 * step};
  for (int i = 0; i < 4; i++) WAL_TRY(value_at(c, at[i], &g[i]));
  *out = (8 * (g[0] - g[1]) - (g[2] - g[3])) / (12 * step);
  return WAL_OK;
}

/* A unit vector, the same for every method. */
static void draw(checking *c, int64_t direction) {
  wal_method_draw(c->method, WAL_PURPOSE_GRADIENT_CHECK, 0, direction, c->unit);
  const double length = sqrt(wal_dot(c->count, c->unit, c->unit));
  for (int64_t i = 0; i < c->count; i++) c->unit[i] /= length;
}

/* The least error along the direction over the steps. */
static wal_status compare(checking *c, double norm, double *error, double *step) {
  const double exact = wal_dot(c->count, c->gradient, c->unit);
  const double scale = fmax(norm / sqrt((double)c->count), LEAST);
  *error = HUGE_VAL;
  for (size_t s = 0; s<sizeof STEPS / sizeof *STEPS && * error> GOOD; s++) {
    double found = 0;
    WAL_TRY(difference(c, STEPS[s], &found));
    const double now = fabs(found - exact) / scale;
    if (now < *error) *step = STEPS[s];
    *error = fmin(*error, now);
  }
  return WAL_OK;
}

static wal_status run(checking *c, int64_t directions, wal_gradient_check *out) {
  wal_method_result at;
  double value = 0;
  WAL_TRY(wal_method_step(c->method, 0, c->theta, c->gradient, &at));
  WAL_TRY(wal_problem_evaluate(c->method->problem, c->theta, &value));
  c->by_value = memcmp(&value, &at.objective, sizeof value) == 0;
  out->directions = directions;
  out->norm = at.gradient_norm;
  out->error = 0;
  for (int64_t d = 0; d < directions; d++) {
    double error = 0, step = 0;
    draw(c, d);
    WAL_TRY(compare(c, at.gradient_norm, &error, &step));
    if (error < out->error) continue;
    out->error = error;
    out->step = step;
  }
  return WAL_OK;
}

wal_status wal_gradient_check_run(wal_method *method, wal_method *reference, const double *theta,
                                  int64_t directions, wal_gradient_check *out) {
  wal_ctx *ctx = wal_problem_space(method->problem)->ctx;
  checking c = {.method = method,
                .reference = reference,
                .theta = theta,
                .count = wal_problem_count(method->problem)};
  if (!method->type->exact)
    return wal_fail(ctx, WAL_EINPUT, "the method %s has no exact gradients to check",
                    method->type->component.name);
  double **const arrays[] = {&c.gradient, &c.unit, &c.moved, &c.scratch, &c.beside};
  wal_status status = WAL_OK;
  *out = (wal_gradient_check){0};
  for (int i = 0; status == WAL_OK && i < 5; i++)
    status = wal_acquire(ctx, "parameters", c.count, sizeof(double), arrays[i]);
  status = wal_agree(ctx, status);
  if (status == WAL_OK) status = run(&c, directions, out);
  if (status == WAL_OK && out->error > OFF) {
    out->beside = true;
    wal_method_draw(method, WAL_PURPOSE_GRADIENT_CHECK, 1, 0, c.beside);
    for (int64_t i = 0; i < c.count; i++) c.beside[i] = theta[i] + BESIDE * c.beside[i];
    c.theta = c.beside;
    status = run(&c, directions, out);
  }
  for (int i = 0; i < 5; i++) wal_release(ctx, arrays[i]);
  return status;
}
