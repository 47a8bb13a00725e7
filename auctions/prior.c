// SPDX-License-Identifier: GPL-3.0-or-later
#include "auctions/prior.h"

#include <math.h>
#include <string.h>

#include "auctions/value_law.h"
#include "sim/agents/stream.h"
#include "sim/core/random.h"
#include "sim/core/sum.h"

static const wal_param GEOMETRIC[] = {
    {.name = "ratio",
     .type = WAL_REAL,
     .number = 0.9,
     .low = 1e-3,
     .high = 1e3,
     .meaning = "mass of a value over that of the next lower one"},
    {0}};

static const wal_param DIRICHLET[] = {
    {.name = "concentration",
     .type = WAL_REAL,
     .number = 1,
     .low = 1e-2,
     .high = 1e6,
     .meaning = "1: all priors are equally likely; larger: closer to uniform"},
    {0}};

static const wal_param WEIGHTS[] = {
    {.name = "mass",
     .type = WAL_ARRAY,
     .rank = 1,
     .required = true,
     .low = 0,
     .high = HUGE_VAL,
     .meaning = "mass of each value, with the sum 1; or a function of the value, which is "
                "normalized"},
    {0}};

const wal_component wal_prior_geometric = {
    .name = "geometric",
    .kind = "prior",
    .summary = "mass ratio^k on the k-th lowest value, normalized",
    .source = "Corecco et al. 2025, settings A2, A7, A8 (0.9^s)",
    .params = GEOMETRIC};
const wal_component wal_prior_dirichlet = {
    .name = "dirichlet",
    .kind = "prior",
    .summary = "a prior drawn at random from the simplex, with the run's seed",
    .source = "Corecco et al. 2025, setting A3",
    .params = DIRICHLET};
const wal_component wal_prior_weights = {
    .name = "weights",
    .kind = "prior",
    .summary = "any prior, a list or function of the value; may be written without its name",
    .source = "docs/auctions.md",
    .params = WEIGHTS};

/* A share of a law that is cut off without a word. */
static const double MOST_CUT = 0.25;

/* Logarithm of a gamma variate: by inversion where that is a formula, else by rejection from a cube
 * of a normal variate (Marsaglia & Tsang 2000); shapes below 1 from one more, G(a) = G(a+1)
 * U^(1/a), whose logarithm is not lost where it would itself be 0. */
static double draw_log_gamma(wal_stream *stream, double shape) {
  if (shape == 1) return log(-log1p(-wal_stream_uniform(stream)));
  const double more = shape < 1 ? log(1 - wal_stream_uniform(stream)) / shape : 0;
  const double d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3, c = 1 / sqrt(9 * d);
  for (;;) {
    const double x = wal_random_normal(wal_stream_uniform(stream)), cube = 1 + c * x;
    const double least = 1 - wal_stream_uniform(stream);
    if (cube <= 0) continue;
    const double v = cube * cube * cube, log_v = 3 * log(cube);
    if (log(least) <= 0.5 * x * x + d * (1 - v + log_v)) return log(d) + log_v + more;
  }
}

/* Independent gamma variates, normalized (Devroye 1986, XI.4). The largest is 1: small shapes give
 * numbers that no double holds. */
static void draw_dirichlet(uint64_t seed, double concentration, int count, double *mass) {
  double most = -HUGE_VAL;
  for (int k = 0; k < count; k++) {
    wal_stream stream = {.seed = seed, .purpose = WAL_PURPOSE_PRIOR, .item = (uint64_t)k};
    mass[k] = draw_log_gamma(&stream, concentration);
    most = fmax(most, mass[k]);
  }
  for (int k = 0; k < count; k++) mass[k] = exp(mass[k] - most);
}

/* The largest is 1, so that nothing overflows. */
static void fill_geometric(double ratio, int count, double *mass) {
  double next = 1;
  for (int k = 0; k < count; k++) {
    mass[ratio > 1 ? count - 1 - k : k] = next;
    next *= ratio > 1 ? 1 / ratio : ratio;
  }
}

/* Value k/n stands for the values from there to the next one; what the law has beyond 1 is cut off.
 */
static wal_status discretize(wal_ctx *ctx, wal_params *params, int count, double *mass) {
  wal_value_law *law = NULL;
  WAL_TRY(wal_value_law_create(ctx, params, &law));
  double below = wal_value_law_below(law, 0);
  for (int k = 0; k < count; k++) {
    const double next = wal_value_law_below(law, (k + 1.0) / count);
    mass[k] = next - below;
    below = next;
  }
  wal_value_law_destroy(ctx, &law);
  return WAL_OK;
}

wal_status wal_prior_fill(wal_ctx *ctx, wal_params *params, int count, double *mass) {
  const wal_component *kind = wal_params_component(params);
  if (kind == &wal_prior_weights) {
    const double *given;
    wal_params_scale(params, "mass", count, 1, 1);
    WAL_TRY(wal_params_weights(ctx, params, "mass", 0, count, &given));
    memcpy(mass, given, (size_t)count * sizeof *mass);
    return WAL_OK;
  }
  if (kind == &wal_prior_dirichlet) {
    draw_dirichlet(wal_ctx_seed(ctx), wal_params_real(params, "concentration"), count, mass);
  } else if (kind == &wal_prior_geometric) {
    fill_geometric(wal_params_real(params, "ratio"), count, mass);
  } else {
    WAL_TRY(discretize(ctx, params, count, mass));
  }
  const double sum = wal_sum(count, mass);
  if (!(sum > 0))
    return wal_params_fail(ctx, params, NULL,
                           "expected a prior with values below 1, got one without");
  if (strcmp(kind->kind, "value_law") == 0 && sum < 1 - MOST_CUT)
    wal_params_warn(ctx, params, NULL,
                    "%.3g %% of this law is not between 0 and 1, and is cut off; values are shares "
                    "of a greatest value",
                    100 * (1 - sum));
  for (int k = 0; k < count; k++) mass[k] /= sum;
  return WAL_OK;
}
