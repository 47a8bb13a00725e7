// SPDX-License-Identifier: GPL-3.0-or-later
#include "auctions/utility.h"

#include <math.h>

#include "sim/core/memory.h"
#include "sim/core/vector_math.h"

/* Below this (1 - exp(-beta x)) / beta loses digits, and differs little from x. */
#define RISK_PARAM                                                            \
  {                                                                           \
    .name = "beta", .type = WAL_REAL, .number = 1, .low = 1e-3, .high = 100,  \
    .meaning = "curvature of the utility; the smaller, the closer to neutral" \
  }

static const wal_param RISK[] = {RISK_PARAM, {0}};

static const wal_param HYPERBOLIC[] = {
    {.name = "lambda",
     .type = WAL_REAL,
     .number = 1,
     .low = 0,
     .high = 1e6,
     .meaning = "impatience: in round h the surplus is worth 1/(1 + lambda h) of itself"},
    {0}};

static const wal_param CUSTOM[] = {
    {.name = "payoff",
     .type = WAL_FUNCTION,
     .required = true,
     .meaning = "function(value, payment, round), rounds counted from 0"},
    {0}};

static const char SOURCE[] = "Corecco et al. 2025, settings A4 to A6; formulas: docs/auctions.md";

const wal_component wal_utility_neutral = {.name = "neutral",
                                           .kind = "utility",
                                           .summary = "risk neutral: value minus payment",
                                           .source = "docs/auctions.md"};
const wal_component wal_utility_risk_averse = {
    .name = "risk_averse",
    .kind = "utility",
    .summary = "risk averse: (1 - exp(-beta (value - payment))) / beta",
    .source = SOURCE,
    .params = RISK};
const wal_component wal_utility_risk_seeking = {
    .name = "risk_seeking",
    .kind = "utility",
    .summary = "risk seeking: (exp(beta (value - payment)) - 1) / beta",
    .source = SOURCE,
    .params = RISK};
const wal_component wal_utility_hyperbolic = {
    .name = "hyperbolic",
    .kind = "utility",
    .summary = "impatient: (value - payment) / (1 + lambda round)",
    .source = SOURCE,
    .params = HYPERBOLIC};
const wal_component wal_utility_custom = {
    .name = "custom_utility",
    .kind = "utility",
    .summary = "any function of value, payment and round; may be written without its name",
    .source = "docs/auctions.md",
    .params = CUSTOM};

/* offset and slope at value v. */
static void weigh(const wal_utility *u, double v, double *offset, double *slope) {
  *offset = v;
  *slope = -1;
  const bool averse = u->kind == &wal_utility_risk_averse;
  if (!averse && u->kind != &wal_utility_risk_seeking) return;
  double e = averse ? -u->beta * v : u->beta * v;
  wal_vector_exp(1, &e, &e);
  *offset = (averse ? 1 : -1) / u->beta;
  *slope = (averse ? -1 : 1) * e / u->beta;
}

wal_status wal_utility_create(wal_ctx *ctx, wal_params *params, int values, wal_utility *out) {
  *out = (wal_utility){.kind = wal_params_component(params), .values = values};
  if (out->kind == &wal_utility_custom) {
    out->function = wal_params_function(params, "payoff");
    return WAL_OK;
  }
  if (out->kind == &wal_utility_hyperbolic) out->lambda = wal_params_real(params, "lambda");
  if (out->kind == &wal_utility_risk_averse || out->kind == &wal_utility_risk_seeking)
    out->beta = wal_params_real(params, "beta");
  WAL_TRY(wal_acquire(ctx, "utility", values, sizeof(double), &out->offset));
  WAL_TRY(wal_acquire(ctx, "utility", values, sizeof(double), &out->slope));
  for (int k = 0; k < values; k++) weigh(out, (double)k / values, &out->offset[k], &out->slope[k]);
  weigh(out, 0, &out->zero_offset, &out->zero_slope);
  return WAL_OK;
}

void wal_utility_destroy(wal_ctx *ctx, wal_utility *utility) {
  wal_release(ctx, &utility->offset);
  wal_release(ctx, &utility->slope);
}

void wal_utility_gain(const wal_utility *u, int64_t count, const double *payment, double *gain) {
  const bool averse = u->kind == &wal_utility_risk_averse;
  const bool curved = averse || u->kind == &wal_utility_risk_seeking;
  const double scale = averse ? u->beta : -u->beta;
  for (int64_t i = 0; i < count; i++) gain[i] = curved ? scale * payment[i] : payment[i];
  if (curved) wal_vector_exp(count, gain, gain);
}

void wal_utility_gain_vjp(const wal_utility *u, int64_t count, const double *gain,
                          const double *gain_bar, double *payment_bar) {
  const bool averse = u->kind == &wal_utility_risk_averse;
  const bool curved = averse || u->kind == &wal_utility_risk_seeking;
  const double scale = averse ? u->beta : -u->beta;
  for (int64_t i = 0; i < count; i++)
    payment_bar[i] += (curved ? scale * gain[i] : 1) * gain_bar[i];
}

double wal_utility_factor(const wal_utility *u, int round) { return 1 / (1 + u->lambda * round); }

wal_status wal_utility_ask(wal_ctx *ctx, const wal_utility *u, int round, double payment,
                           double *out) {
  static const char *const ARGUMENTS[] = {"value", "payment", "round"};
  wal_call call = {.owner = "batched_auction",
                   .name = "utility",
                   .argument_name = ARGUMENTS,
                   .expected = "a number",
                   .argument_count = 3,
                   .arguments = {0, payment, round},
                   .least = 1,
                   .most = 1};
  char where[640], got[32];
  for (int k = 0; k <= u->values; k++) {
    call.arguments[0] = k < u->values ? (double)k / u->values : 0;
    WAL_TRY(u->function->invoke(ctx, u->function, &call));
    out[k] = call.results[0];
    if (!isfinite(out[k]))
      return wal_fail(ctx, WAL_ENONFINITE, "%sexpected a finite number, got %s",
                      u->function->place(u->function, &call, where, sizeof where),
                      wal_number_text(out[k], got, sizeof got));
  }
  return WAL_OK;
}
