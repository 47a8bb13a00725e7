// SPDX-License-Identifier: GPL-3.0-or-later
#include "incentives/design/objective.h"
#include "sim/core/memory.h"

/* g = sum_h sum_{s,a} W_h(s,a) mu_h(s) pi_h(a|s): linear in the flow of pairs. */

typedef struct weights {
  const double *weight;  // [H][S][A]
} weights;

static const wal_param PARAMS[] = {
    {.name = "weight",
     .type = WAL_ARRAY,
     .rank = 3,
     .required = true,
     .unit = "objective",
     .meaning = "what a unit of mass gives, by stage, state and action: a function of them, as a "
                "rule, which is tabulated"},
    {0}};

static wal_status create(wal_ctx *ctx, wal_params *params, wal_objective *o) {
  const wal_shape *shape = &o->space->game->shape;
  weights *self;
  WAL_TRY(wal_acquire(ctx, "objective", 1, sizeof *self, &self));
  o->self = self;
  o->sums = 1;
  return wal_params_array(ctx, params, "weight", shape->horizon, shape->states, shape->actions,
                          &self->weight);
}

/* Those of the slab's first state. */
static const double *of_slab(const wal_objective *o, const wal_slab *slab) {
  const weights *self = o->self;
  const wal_shape *shape = &o->space->game->shape;
  return self->weight + (slab->stage * shape->states + slab->first) * shape->actions;
}

static void add(const wal_objective *o, const wal_objective_tile *tile, double *sums) {
  const double *w = of_slab(o, &tile->slab);
  const int actions = o->space->game->shape.actions;
  double sum = 0;
  for (int64_t i = 0; i < tile->slab.count; i++) {
    double mean = 0;
    for (int a = 0; a < actions; a++)
      mean += w[i * actions + a] * tile->pi[a * tile->slab.stride + i];
    sum += tile->mass[i] * mean;
  }
  sums[0] += sum;
}

static double conclude(const wal_objective *o, int stage, const double *statistic,
                       const double *sums) {
  (void)o, (void)stage, (void)statistic;
  return sums[0];
}

static void conclude_vjp(const wal_objective *o, int stage, const double *statistic,
                         const double *sums, double *statistic_bar, double *sums_bar) {
  (void)o, (void)stage, (void)statistic, (void)sums, (void)statistic_bar;
  sums_bar[0] += 1;
}

static void add_vjp(const wal_objective *o, const double *sums_bar, const wal_adjoint_tile *tile) {
  const double *w = of_slab(o, &tile->slab);
  const int actions = o->space->game->shape.actions;
  for (int64_t i = 0; i < tile->slab.count; i++)
    for (int a = 0; a < actions; a++) {
      const int64_t at = a * tile->slab.stride + i;
      const double x = sums_bar[0] * w[i * actions + a];
      tile->mass_bar[i] += x * tile->pi[at];
      tile->pi_bar[at] += x * tile->mass[i];
    }
}

const wal_objective_type wal_objective_weights = {
    .struct_size = sizeof(wal_objective_type),
    .component = {.name = "weights",
                  .kind = "objective",
                  .summary = "weighted sum of the mass of every action, in every state and stage",
                  .source = "docs/design.md",
                  .params = PARAMS},
    .create = create,
    .add = add,
    .conclude = conclude,
    .conclude_vjp = conclude_vjp,
    .add_vjp = add_vjp};
