// SPDX-License-Identifier: GPL-3.0-or-later
#include "auctions/value_law.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <math.h>
#include <string.h>

#include "auctions/quantile_table.h"
#include "sim/core/hot.h"
#include "sim/core/memory.h"
#include "sim/core/vector_math.h"

enum { MOST_KNOTS = 100000 };

static const wal_param UNIFORM[] = {
    {.name = "low", .type = WAL_REAL, .number = 0, .high = 1e9, .meaning = "least value"},
    {.name = "high", .type = WAL_REAL, .number = 1, .high = 1e9, .meaning = "largest value"},
    {0}};

static const wal_param EXPONENTIAL[] = {{.name = "mean",
                                         .type = WAL_REAL,
                                         .number = 1,
                                         .low = 1e-9,
                                         .high = 1e9,
                                         .meaning = "mean value"},
                                        {0}};

static const wal_param BETA[] = {
    {.name = "a",
     .type = WAL_REAL,
     .required = true,
     .low = 0.1,
     .high = 1000,
     .meaning = "the density is proportional to v^(a-1) (1-v)^(b-1) on [0, 1]"},
    {.name = "b",
     .type = WAL_REAL,
     .required = true,
     .low = 0.1,
     .high = 1000,
     .meaning = "the other exponent, as in the meaning of a"},
    {0}};

static const wal_param QUANTILES[] = {
    {.name = "values",
     .type = WAL_ARRAY,
     .rank = 1,
     .required = true,
     .low = 0,
     .high = 1e9,
     .meaning = "values at the levels, nondecreasing; straight between them"},
    {.name = "levels",
     .type = WAL_ARRAY,
     .rank = 1,
     .optional = true,
     .low = 0,
     .high = 1,
     .meaning = "probability of a value of at most that much, from 0 to 1 (left out: equally "
                "spaced)"},
    {0}};

static const wal_component LAWS[] = {
    [WAL_LAW_UNIFORM] = {.name = "uniform",
                         .kind = "value_law",
                         .source = "docs/one-shot-auctions.md",
                         .summary = "values equally likely between two bounds",
                         .params = UNIFORM},
    [WAL_LAW_EXPONENTIAL] = {.name = "exponential",
                             .kind = "value_law",
                             .source = "docs/one-shot-auctions.md",
                             .summary = "values v with the density exp(-v/mean)/mean",
                             .params = EXPONENTIAL},
    [WAL_LAW_BETA] = {.name = "beta",
                      .kind = "value_law",
                      .source = "docs/one-shot-auctions.md",
                      .summary = "values in [0, 1] with a beta distribution",
                      .params = BETA},
    [WAL_LAW_QUANTILES] = {.name = "quantiles",
                           .kind = "value_law",
                           .source = "docs/one-shot-auctions.md",
                           .summary =
                               "values by a table of their quantiles; a list may stand for it",
                           .params = QUANTILES},
};

int64_t wal_value_law_count(void) { return (int64_t)(sizeof LAWS / sizeof LAWS[0]); }
const wal_component *wal_value_law_at(int64_t index) { return &LAWS[index]; }

// ---- Making -----------------------------------------------------------------------------------

/* The value below which a beta law has probability p: Newton's method for ln F(e^t) = ln p, whose
 * left side is increasing and concave in t, so that from its left it converges without leaving it;
 * halving an interval where rounding disturbs that. */
static double beta_lower(double a, double b, double p) {
  if (p <= 0) return 0;
  const double log_beta = lgamma(a) + lgamma(b) - lgamma(a + b);
  // F(x) >= x^a min(1, (1-x)^(b-1)) / (a B): the first term alone is close for small p.
  double low = -745, high = 0, t = fmin((log(p) + log(a) + log_beta) / a, -1e-17);
  if (t < low) return 0;
  for (int i = 0; i < 200; i++) {
    const double x = exp(t), f = gsl_cdf_beta_P(x, a, b);
    if (f < p)
      low = t;
    else
      high = t;
    const double slope = gsl_ran_beta_pdf(x, a, b) * x / f;
    double next = t - log(f / p) / slope;
    if (!(next > low && next < high)) next = 0.5 * (low + high);
    if (fabs(next - t) <= 1e-16 * (1 + fabs(t)) || next == t) return exp(next);
    t = next;
  }
  return exp(t);
}

static double beta_quantile(void *user, double u, double w) {
  const wal_value_law *law = user;
  return u < 0.5 ? beta_lower(law->a, law->b, u) : 1 - beta_lower(law->b, law->a, w);
}

static wal_status allocate(wal_ctx *ctx, wal_law_kind kind, wal_value_law **out) {
  WAL_TRY(wal_acquire(ctx, "value law", 1, sizeof **out, out));
  (*out)->kind = kind;
  return WAL_OK;
}

wal_status wal_value_law_make(wal_ctx *ctx, wal_law_kind kind, double a, double b,
                              wal_value_law **out) {
  *out = NULL;
  WAL_TRY(allocate(ctx, kind, out));
  wal_value_law *law = *out;
  law->a = a;
  law->b = b;
  law->low = kind == WAL_LAW_UNIFORM ? a : 0;
  law->high = kind == WAL_LAW_UNIFORM ? b : kind == WAL_LAW_EXPONENTIAL ? HUGE_VAL : 1;
  law->atoms = law->low == law->high;
  if (kind != WAL_LAW_BETA) return WAL_OK;
  wal_status status = wal_quantile_table_create(ctx, 0, 0, NULL, beta_quantile, law, &law->table);
  if (status != WAL_OK) wal_value_law_destroy(ctx, out);
  return status;
}

wal_status wal_value_law_from_knots(wal_ctx *ctx, int64_t count, const double *values,
                                    const double *levels, wal_value_law **out) {
  *out = NULL;
  WAL_TRY(allocate(ctx, WAL_LAW_QUANTILES, out));
  wal_value_law *law = *out;
  wal_status status = wal_acquire(ctx, "value law", count, sizeof(double), &law->knot);
  if (status == WAL_OK) status = wal_acquire(ctx, "value law", count, sizeof(double), &law->level);
  if (status != WAL_OK) {
    wal_value_law_destroy(ctx, out);
    return status;
  }
  for (int64_t i = 0; i < count; i++) {
    law->knot[i] = values[i];
    law->level[i] = levels ? levels[i] : (double)i / (double)(count - 1);
    if (i > 0 && law->knot[i] == law->knot[i - 1] && law->level[i] > law->level[i - 1])
      law->atoms = true;
  }
  law->knots = count;
  law->low = values[0];
  law->high = values[count - 1];
  return WAL_OK;
}

void wal_value_law_destroy(wal_ctx *ctx, wal_value_law **law) {
  if (!*law) return;
  wal_quantile_table_destroy(ctx, &(*law)->table);
  wal_release(ctx, &(*law)->knot);
  wal_release(ctx, &(*law)->level);
  wal_release(ctx, law);
}

static wal_status check_rising(wal_ctx *ctx, const wal_params *params, const char *name,
                               int64_t count, const double *x) {
  for (int64_t i = 1; i < count; i++)
    if (x[i] < x[i - 1])
      return wal_params_fail(ctx, params, name,
                             "expected no number below the one before it, got %g after %g (element "
                             "%lld, counted from 0)",
                             x[i], x[i - 1], (long long)i);
  return WAL_OK;
}

static wal_status read_knots(wal_ctx *ctx, wal_params *params, wal_value_law **out) {
  const double *values = NULL, *levels = NULL;
  int64_t extent[3];
  if (wal_params_is_function(params, "values"))
    return wal_params_fail(ctx, params, "values",
                           "expected a list of 2 to %d quantiles, got a function; laws are %s",
                           MOST_KNOTS, "uniform{}, exponential{}, beta{}, quantiles{}");
  wal_params_extent(params, "values", extent);
  const int64_t count = extent[0];
  if (count < 2 || count > MOST_KNOTS)
    return wal_params_fail(ctx, params, "values",
                           "expected a list of 2 to %d values, got %lld of them", MOST_KNOTS,
                           (long long)count);
  WAL_TRY(wal_params_array(ctx, params, "values", count, 0, 0, &values));
  WAL_TRY(wal_params_array(ctx, params, "levels", count, 0, 0, &levels));
  WAL_TRY(check_rising(ctx, params, "values", count, values));
  if (levels) {
    WAL_TRY(check_rising(ctx, params, "levels", count, levels));
    if (levels[0] != 0 || levels[count - 1] != 1)
      return wal_params_fail(ctx, params, "levels", "expected levels from 0 to 1, got %g to %g",
                             levels[0], levels[count - 1]);
  }
  return wal_value_law_from_knots(ctx, count, values, levels, out);
}

wal_status wal_value_law_create(wal_ctx *ctx, wal_params *params, wal_value_law **out) {
  const wal_law_kind kind = (wal_law_kind)(wal_params_component(params) - LAWS);
  *out = NULL;
  if (kind == WAL_LAW_QUANTILES) return read_knots(ctx, params, out);
  if (kind == WAL_LAW_EXPONENTIAL)
    return wal_value_law_make(ctx, kind, wal_params_real(params, "mean"), 0, out);
  if (kind == WAL_LAW_BETA)
    return wal_value_law_make(ctx, kind, wal_params_real(params, "a"), wal_params_real(params, "b"),
                              out);
  const double low = wal_params_real(params, "low"), high = wal_params_real(params, "high");
  if (high < low)
    return wal_params_fail(ctx, params, "high", "expected at least low (%g), got %g", low, high);
  return wal_value_law_make(ctx, kind, low, high, out);
}

// ---- Probabilities and values -----------------------------------------------------------------

/* The last knot whose value is below v (or, with `same`, at most v); -1 if there is none. */
static int64_t knot_before(const wal_value_law *law, double v, bool same) {
  int64_t low = -1, high = law->knots;
  while (high - low > 1) {
    const int64_t middle = low + (high - low) / 2;
    if (law->knot[middle] < v || (same && law->knot[middle] == v))
      low = middle;
    else
      high = middle;
  }
  return low;
}

static double knots_cdf(const wal_value_law *law, double v, bool same) {
  const int64_t i = knot_before(law, v, same);
  if (i < 0) return 0;
  if (i + 1 == law->knots) return 1;
  const double width = law->knot[i + 1] - law->knot[i];
  return law->level[i] + (law->level[i + 1] - law->level[i]) * (v - law->knot[i]) / width;
}

double wal_value_law_cdf(const wal_value_law *law, double v) {
  if (v < law->low) return 0;
  if (v >= law->high) return 1;
  switch (law->kind) {
    case WAL_LAW_UNIFORM:
      return (v - law->low) / (law->high - law->low);
    case WAL_LAW_EXPONENTIAL:
      return -expm1(-v / law->a);
    case WAL_LAW_BETA:
      return gsl_cdf_beta_P(v, law->a, law->b);
    case WAL_LAW_QUANTILES:
      break;
  }
  return knots_cdf(law, v, true);
}

double wal_value_law_below(const wal_value_law *law, double v) {
  if (v <= law->low) return 0;
  return law->kind == WAL_LAW_QUANTILES ? knots_cdf(law, v, false) : wal_value_law_cdf(law, v);
}

double wal_value_law_above(const wal_value_law *law, double v) {
  if (v >= law->high) return 0;
  if (v < law->low) return 1;
  if (law->kind == WAL_LAW_EXPONENTIAL) return exp(-v / law->a);
  if (law->kind == WAL_LAW_BETA) return gsl_cdf_beta_Q(v, law->a, law->b);
  return 1 - wal_value_law_cdf(law, v);
}

double wal_value_law_density(const wal_value_law *law, double v) {
  if (v < law->low || v > law->high) return 0;
  switch (law->kind) {
    case WAL_LAW_UNIFORM:
      return 1 / (law->high - law->low);
    case WAL_LAW_EXPONENTIAL:
      return exp(-v / law->a) / law->a;
    case WAL_LAW_BETA:
      return gsl_ran_beta_pdf(v, law->a, law->b);
    case WAL_LAW_QUANTILES:
      break;
  }
  int64_t i = knot_before(law, v, true);
  if (i + 1 == law->knots) i = knot_before(law, v, false);
  return (law->level[i + 1] - law->level[i]) / (law->knot[i + 1] - law->knot[i]);
}

/* The last knot but one whose level is at most u. */
static int64_t knot_at(const wal_value_law *law, double u) {
  int64_t low = 0, high = law->knots - 1;
  while (high - low > 1) {
    const int64_t middle = low + (high - low) / 2;
    if (law->level[middle] <= u)
      low = middle;
    else
      high = middle;
  }
  return low;
}

static double knots_value(const wal_value_law *law, double u) {
  const int64_t i = knot_at(law, u);
  const double width = law->level[i + 1] - law->level[i];
  if (width <= 0) return law->knot[i + 1];
  return law->knot[i] + (law->knot[i + 1] - law->knot[i]) * (u - law->level[i]) / width;
}

double wal_value_law_quantile(const wal_value_law *law, double u, double w) {
  switch (law->kind) {
    case WAL_LAW_UNIFORM:
      return law->low + (law->high - law->low) * u;
    case WAL_LAW_EXPONENTIAL:
      return u < 0.5 ? -law->a * log1p(-u) : -law->a * log(w);
    case WAL_LAW_BETA: {
      wal_value_law copy = *law;
      return beta_quantile(&copy, u, w);
    }
    case WAL_LAW_QUANTILES:
      break;
  }
  return knots_value(law, u);
}

double wal_value_law_slope(const wal_value_law *law, double u, double w) {
  if (law->kind == WAL_LAW_UNIFORM) return law->high - law->low;
  if (law->kind == WAL_LAW_EXPONENTIAL) return law->a / w;
  if (law->kind == WAL_LAW_BETA)
    return 1 / wal_value_law_density(law, wal_value_law_quantile(law, u, w));
  const int64_t i = knot_at(law, u);
  return (law->knot[i + 1] - law->knot[i]) / (law->level[i + 1] - law->level[i]);
}

WAL_HOT static void straight(int64_t count, double at_0, double slope, const double *u, double *v) {
  for (int64_t i = 0; i < count; i++) v[i] = at_0 + slope * u[i];
}

WAL_HOT static void scale(int64_t count, double factor, double *v) {
  for (int64_t i = 0; i < count; i++) v[i] *= factor;
}

void wal_value_law_values(const wal_value_law *law, int64_t count, const double *u, double *v) {
  switch (law->kind) {
    case WAL_LAW_UNIFORM:
      straight(count, law->low, law->high - law->low, u, v);
      return;
    case WAL_LAW_EXPONENTIAL:
      straight(count, 1, -1, u, v);
      wal_vector_log(count, v, v);
      scale(count, -law->a, v);
      return;
    case WAL_LAW_BETA:
      wal_quantile_table_look_up(law->table, count, u, v);
      return;
    case WAL_LAW_QUANTILES:
      break;
  }
  for (int64_t i = 0; i < count; i++) v[i] = knots_value(law, u[i]);
}

double wal_value_law_mean(const wal_value_law *law) {
  if (law->kind == WAL_LAW_UNIFORM) return 0.5 * (law->low + law->high);
  if (law->kind == WAL_LAW_EXPONENTIAL) return law->a;
  if (law->kind == WAL_LAW_BETA) return law->a / (law->a + law->b);
  double sum = 0;
  for (int64_t i = 0; i + 1 < law->knots; i++)
    sum += 0.5 * (law->level[i + 1] - law->level[i]) * (law->knot[i] + law->knot[i + 1]);
  return sum;
}
