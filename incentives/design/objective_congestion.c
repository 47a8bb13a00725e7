// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>

#include "incentives/design/objective.h"
#include "sim/core/hot.h"
#include "sim/core/memory.h"
#include "sim/core/sum.h"
#include "sim/core/vector_math.h"

/* The negative soft maximum of the flow (Corecco et al. 2025, section 5: the softmax of the
 * population flow; its sharpness is ours). With k the sharpness and top = max_s mu_h(s), which
 * cancels and keeps exponents at or below 0,
 *
 *   w(s) = exp(k (mu_h(s) - top)),   Z = sum_s w(s),   N = sum_s mu_h(s) w(s),   g = -sum_h N / Z
 *
 * It lies between minus the largest mass of a state (k to infinity) and minus the mean mass (k to
 * 0). With several populations, states of all of them count alike. */

enum { WEIGHT, WEIGHED, SUMS };

typedef struct congestion {
  double sharpness;
  double *top;     // [H]
  double *weight;  // a tile's w
  double room[];
} congestion;

static const wal_param PARAMS[] = {
    {.name = "sharpness",
     .type = WAL_REAL,
     .optional = true,
     .low = 0,
     .high = HUGE_VAL,
     .unit = "1/mass",
     .meaning = "how far the fullest places count more; the number of states if left out"},
    {0}};

static wal_status create(wal_ctx *ctx, wal_params *params, wal_objective *o) {
  const wal_shape *shape = &o->space->game->shape;
  const int64_t numbers = shape->horizon + o->space->states.tile;
  congestion *self;
  WAL_TRY(wal_acquire(ctx, "objective", 1, sizeof *self + (size_t)numbers * sizeof(double), &self));
  self->sharpness = wal_params_given(params, "sharpness") ? wal_params_real(params, "sharpness")
                                                          : (double)shape->states;
  self->top = self->room;
  self->weight = self->room + shape->horizon;
  o->sums = SUMS;
  o->self = self;
  return WAL_OK;
}

static wal_status begin(wal_objective *o, const wal_flow *flow, int stage) {
  congestion *self = o->self;
  const double *mass = wal_flow_mass(flow, stage);
  double top = 0;
  for (int64_t i = 0; i < o->space->states.count; i++) top = mass[i] > top ? mass[i] : top;
  self->top[stage] = top;
  return wal_ctx_largest_real(o->space->ctx, &self->top[stage]);
}

WAL_HOT static void exponents(int64_t count, double sharpness, double top,
                              const double *restrict mass, double *restrict out) {
  for (int64_t i = 0; i < count; i++) out[i] = sharpness * (mass[i] - top);
}

static void weigh(const congestion *self, const wal_slab *slab, const double *mass) {
  exponents(slab->count, self->sharpness, self->top[slab->stage], mass, self->weight);
  wal_vector_exp(slab->count, self->weight, self->weight);
}

static void add(const wal_objective *o, const wal_objective_tile *tile, double *sums) {
  const congestion *self = o->self;
  weigh(self, &tile->slab, tile->mass);
  sums[WEIGHT] += wal_sum(tile->slab.count, self->weight);
  sums[WEIGHED] += wal_dot(tile->slab.count, tile->mass, self->weight);
}

static double conclude(const wal_objective *o, int stage, const double *statistic,
                       const double *sums) {
  (void)o, (void)stage, (void)statistic;
  return -sums[WEIGHED] / sums[WEIGHT];
}

static void conclude_vjp(const wal_objective *o, int stage, const double *statistic,
                         const double *sums, double *statistic_bar, double *sums_bar) {
  (void)o, (void)stage, (void)statistic, (void)statistic_bar;
  sums_bar[WEIGHED] -= 1 / sums[WEIGHT];
  sums_bar[WEIGHT] += sums[WEIGHED] / (sums[WEIGHT] * sums[WEIGHT]);
}

/* `top` cancels: it has no derivative. */
WAL_HOT static void add_bars(int64_t count, double sharpness, const double *restrict sums_bar,
                             const double *restrict mass, const double *restrict weight,
                             double *restrict mass_bar) {
  const double one = sums_bar[WEIGHED], each = sharpness * sums_bar[WEIGHED],
               all = sharpness * sums_bar[WEIGHT];
  for (int64_t i = 0; i < count; i++) mass_bar[i] += weight[i] * (one + each * mass[i] + all);
}

static void add_vjp(const wal_objective *o, const double *sums_bar, const wal_adjoint_tile *tile) {
  const congestion *self = o->self;
  weigh(self, &tile->slab, tile->mass);
  add_bars(tile->slab.count, self->sharpness, sums_bar, tile->mass, self->weight, tile->mass_bar);
}

const wal_objective_type wal_objective_congestion = {
    .struct_size = sizeof(wal_objective_type),
    .component = {.name = "congestion",
                  .kind = "objective",
                  .summary = "no crowds: minus the soft maximum of the masses of the states",
                  .source = "Corecco et al. 2025, section 5",
                  .params = PARAMS},
    .create = create,
    .begin = begin,
    .add = add,
    .conclude = conclude,
    .conclude_vjp = conclude_vjp,
    .add_vjp = add_vjp};
