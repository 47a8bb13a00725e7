// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>

#include "incentives/design/objective.h"
#include "sim/core/hot.h"
#include "sim/core/memory.h"

/* g = -1/2 sum_h sum_s (mu_h(s) - f_h(s))^2 for a flow f that is wanted. Squares, and not the
 * distance that adds absolute values: that has a kink wherever the wanted flow is reached. */

typedef struct target_flow {
  const double *wanted;  // [H][S]
} target_flow;

static const wal_param PARAMS[] = {
    {.name = "flow",
     .type = WAL_ARRAY,
     .rank = 2,
     .required = true,
     .low = 0,
     .high = HUGE_VAL,
     .unit = "mass",
     .meaning = "mass that is wanted, by stage and state: a table, or a function of both"},
    {0}};

static wal_status create(wal_ctx *ctx, wal_params *params, wal_objective *o) {
  const wal_shape *shape = &o->space->game->shape;
  target_flow *self;
  WAL_TRY(wal_acquire(ctx, "objective", 1, sizeof *self, &self));
  o->self = self;
  o->sums = 1;
  return wal_params_array(ctx, params, "flow", shape->horizon, shape->states, 0, &self->wanted);
}

static const double *wanted(const wal_objective *o, const wal_slab *slab) {
  const target_flow *self = o->self;
  return self->wanted + slab->stage * o->space->game->shape.states + slab->first;
}

static void add(const wal_objective *o, const wal_objective_tile *tile, double *sums) {
  const double *f = wanted(o, &tile->slab);
  double sum = 0;
  for (int64_t i = 0; i < tile->slab.count; i++) {
    const double gap = tile->mass[i] - f[i];
    sum += gap * gap;
  }
  sums[0] += sum;
}

static double conclude(const wal_objective *o, int stage, const double *statistic,
                       const double *sums) {
  (void)o, (void)stage, (void)statistic;
  return -0.5 * sums[0];
}

static void conclude_vjp(const wal_objective *o, int stage, const double *statistic,
                         const double *sums, double *statistic_bar, double *sums_bar) {
  (void)o, (void)stage, (void)statistic, (void)sums, (void)statistic_bar;
  sums_bar[0] -= 0.5;
}

WAL_HOT static void add_gaps(int64_t count, double factor, const double *restrict mass,
                             const double *restrict f, double *restrict mass_bar) {
  for (int64_t i = 0; i < count; i++) mass_bar[i] += factor * (mass[i] - f[i]);
}

static void add_vjp(const wal_objective *o, const double *sums_bar, const wal_adjoint_tile *tile) {
  add_gaps(tile->slab.count, 2 * sums_bar[0], tile->mass, wanted(o, &tile->slab), tile->mass_bar);
}

const wal_objective_type wal_objective_target_flow = {
    .struct_size = sizeof(wal_objective_type),
    .component = {.name = "target_flow",
                  .kind = "objective",
                  .summary = "a mean-field flow near a given one: minus half the squared distance",
                  .source = "docs/design.md",
                  .params = PARAMS},
    .create = create,
    .add = add,
    .conclude = conclude,
    .conclude_vjp = conclude_vjp,
    .add_vjp = add_vjp};
