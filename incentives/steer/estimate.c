// SPDX-License-Identifier: GPL-3.0-or-later
#include "incentives/steer/estimate.h"

#include <math.h>

#include "sim/core/memory.h"
#include "sim/core/vector_math.h"

// ---- Transitions ------------------------------------------------------------------------------

wal_status wal_counts_create(wal_ctx *ctx, int64_t states, int actions, int kernels,
                             wal_counts *out) {
  *out = (wal_counts){.states = states, .pairs = states * actions, .kernels = kernels};
  WAL_TRY(wal_acquire(ctx, "counts", kernels * out->pairs, sizeof(int32_t), &out->low));
  return wal_acquire(ctx, "counts", kernels * out->pairs, sizeof(int32_t), &out->end);
}

void wal_counts_destroy(wal_ctx *ctx, wal_counts *counts) {
  wal_release(ctx, &counts->low);
  wal_release(ctx, &counts->end);
}

int64_t wal_counts_size(const wal_counts *c) { return c->kernels * c->pairs * (c->states + 1); }

void wal_counts_attach(wal_counts *c, double *memory) {
  c->made = memory;
  c->led = memory + c->kernels * c->pairs;
  for (int64_t i = 0; i < c->kernels * c->pairs; i++) {
    const double *row = c->led + i * c->states;
    int64_t low = 0, end = c->states;
    if (!(c->made[i] > 0)) end = 0;
    while (low < end && !(row[low] > 0)) low++;
    while (end > low && !(row[end - 1] > 0)) end--;
    c->low[i] = (int32_t)low;
    c->end[i] = (int32_t)end;
  }
}

static int64_t row_of(const wal_counts *c, int stage, int64_t pair) {
  return (c->kernels > 1 ? stage : 0) * c->pairs + pair;
}

void wal_counts_add(wal_counts *c, int stage, int64_t pair, int64_t next) {
  const int64_t row = row_of(c, stage, pair);
  const int32_t at = (int32_t)next;
  const bool first = c->end[row] == 0;
  if (first || at < c->low[row]) c->low[row] = at;
  if (first || at >= c->end[row]) c->end[row] = at + 1;
  c->made[row] += 1;
  c->led[row * c->states + next] += 1;
}

double wal_counts_expect(const wal_counts *c, int stage, int64_t pair, const double *value,
                         double *mean, double *variance) {
  const int64_t row = row_of(c, stage, pair);
  const double n = c->made[row], *led = c->led + row * c->states;
  double sum = 0, squares = 0;
  if (!(n > 0)) return 0;
  for (int32_t s = c->low[row]; s < c->end[row]; s++) sum += led[s] * value[s];
  *mean = sum / n;
  for (int32_t s = c->low[row]; s < c->end[row]; s++)
    squares += led[s] * (value[s] - *mean) * (value[s] - *mean);
  *variance = squares / n;
  return n;
}

// ---- Rewards ----------------------------------------------------------------------------------

wal_status wal_regression_create(const wal_mediator_setup *setup, wal_density_feature feature,
                                 double ridge, double floor, bool pooled, wal_regression *out) {
  wal_ctx *ctx = setup->ctx;
  *out = (wal_regression){.feature = feature,
                          .ridge = ridge,
                          .floor = floor,
                          .states = setup->states,
                          .cells = setup->states * (pooled ? 1 : setup->horizon),
                          .actions = setup->actions,
                          .horizon = setup->horizon,
                          .extras = feature == WAL_DENSITY_NONE  ? 0
                                    : feature == WAL_DENSITY_ALL ? setup->states
                                                                 : 1};
  out->width = out->actions + out->extras;
  WAL_TRY(wal_acquire(ctx, "regression", 2 * out->width, sizeof(double), &out->room));
  return wal_acquire(ctx, "regression", setup->horizon * setup->states, sizeof(double), &out->g);
}

void wal_regression_destroy(wal_ctx *ctx, wal_regression *regression) {
  wal_release(ctx, &regression->g);
  wal_release(ctx, &regression->room);
}

int64_t wal_regression_size(const wal_regression *r) {
  return r->cells * (r->width * r->width + 2 * r->width + 1);
}

void wal_regression_attach(wal_regression *r, double *memory) {
  r->inverse = memory;
  r->sum = r->inverse + r->cells * r->width * r->width;
  r->theta = r->sum + r->cells * r->width;
  r->log_det = r->theta + r->cells * r->width;
}

void wal_regression_start(wal_regression *r) {
  for (int64_t c = 0; c < r->cells; c++)
    for (int64_t i = 0; i < r->width; i++)
      r->inverse[(c * r->width + i) * r->width + i] = 1 / r->ridge;
}

void wal_regression_density(wal_regression *r, const double *density) {
  const int64_t count = r->horizon * r->states;
  if (r->feature == WAL_DENSITY_LINEAR)
    for (int64_t i = 0; i < count; i++) r->g[i] = density[i];
  if (r->feature != WAL_DENSITY_LOG) return;
  double scale;
  wal_vector_log(1, &r->floor, &scale);
  for (int64_t i = 0; i < count; i++) r->g[i] = density[i] + r->floor;
  wal_vector_log(count, r->g, r->g);
  for (int64_t i = 0; i < count; i++) r->g[i] /= scale;
}

static const double *features_of(const wal_regression *r, const double *density, int stage,
                                 int64_t state) {
  return r->feature == WAL_DENSITY_ALL ? density + stage * r->states
                                       : r->g + stage * r->states + state;
}

static int64_t cell_of(const wal_regression *r, int stage, int64_t state) {
  return r->cells > r->states ? stage * r->states + state : state;
}

double wal_regression_log_det(const wal_regression *r, int stage, int64_t state) {
  return r->log_det[cell_of(r, stage, state)];
}

/* Lambda^-1 - (u u') / (1 + phi' u) with u = Lambda^-1 phi. */
void wal_regression_add(wal_regression *r, const double *density, int stage, int64_t state,
                        int action, double reward) {
  const int64_t d = r->width, cell = cell_of(r, stage, state);
  const int actions = r->actions;
  const double *g = features_of(r, density, stage, state);
  double *inverse = r->inverse + cell * d * d, *sum = r->sum + cell * d;
  double *u = r->room, norm = 0, grown;
  for (int64_t i = 0; i < d; i++) {
    double x = inverse[i * d + action];
    for (int64_t e = 0; e < r->extras; e++) x += inverse[i * d + actions + e] * g[e];
    u[i] = x;
  }
  norm = u[action];
  for (int64_t e = 0; e < r->extras; e++) norm += u[actions + e] * g[e];
  const double scale = 1 / (1 + norm);
  for (int64_t i = 0; i < d; i++)
    for (int64_t j = 0; j < d; j++) inverse[i * d + j] -= scale * u[i] * u[j];
  sum[action] += reward;
  for (int64_t e = 0; e < r->extras; e++) sum[actions + e] += g[e] * reward;
  for (int64_t i = 0; i < d; i++) {
    double x = 0;
    for (int64_t j = 0; j < d; j++) x += inverse[i * d + j] * sum[j];
    r->theta[cell * d + i] = x;
  }
  if (!r->keeps_det) return;
  norm += 1;
  wal_vector_log(1, &norm, &grown);
  r->log_det[cell] += grown;
}

/* phi' Lambda^-1 phi = L_aa + 2 (L g)_a + g' L g: what has g in it is the same for all actions. */
void wal_regression_predict(const wal_regression *r, const double *density, int stage,
                            int64_t state, double *estimate, double *width) {
  const int64_t d = r->width, cell = cell_of(r, stage, state);
  const int actions = r->actions;
  const double *g = features_of(r, density, stage, state);
  const double *inverse = r->inverse + cell * d * d, *theta = r->theta + cell * d;
  double common = 0, square = 0;
  for (int64_t e = 0; e < r->extras; e++) {
    double x = 0;
    for (int64_t f = 0; f < r->extras; f++) x += inverse[(actions + e) * d + actions + f] * g[f];
    square += g[e] * x;
    common += theta[actions + e] * g[e];
  }
  for (int a = 0; a < actions; a++) {
    double cross = 0;
    for (int64_t e = 0; e < r->extras; e++) cross += inverse[a * d + actions + e] * g[e];
    estimate[a] = theta[a] + common;
    width[a] = sqrt(fmax(inverse[a * d + a] + 2 * cross + square, 0));
  }
}
