// SPDX-License-Identifier: GPL-3.0-or-later
#include "auctions/one_shot.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sim/core/hot.h"
#include "sim/core/memory.h"
#include "sim/core/vector_math.h"

static const wal_param BID_FUNCTION[] = {{.name = "bid",
                                          .type = WAL_FUNCTION,
                                          .required = true,
                                          .meaning = "function(v): the bid of a bidder whose "
                                                     "value is v, at least 0"},
                                         {0}};

static const wal_component EQUILIBRIUM = {
    .name = "equilibrium",
    .kind = "bid_rule",
    .summary = "the symmetric equilibrium, by closed form or quadrature",
    .source = "Krishna, Auction Theory, 2nd edition 2010, chapters 2, 3, 4, 12, 13"};

static const wal_component SCRIPTED = {
    .name = "bid_function",
    .kind = "bid_rule",
    .summary = "any function of the value; may be written without its name",
    .source = "docs/one-shot-auctions.md",
    .params = BID_FUNCTION};

static const wal_param PARAMS[] = {
    {.name = "format",
     .type = WAL_TEXT,
     .text = "first_price",
     .choices = "first_price|second_price|third_price|all_pay|uniform_price|pay_as_bid",
     .meaning = "who pays what"},
    {.name = "bidders",
     .type = WAL_INTEGER,
     .number = 5,
     .low = 1,
     .high = 1e6,
     .meaning = "bidders, each of whom wants one good"},
    {.name = "units",
     .type = WAL_INTEGER,
     .number = 1,
     .low = 1,
     .high = 1e6,
     .meaning = "goods (uniform_price, pay_as_bid, all_pay)"},
    {.name = "reserve",
     .type = WAL_REAL,
     .number = 0,
     .low = 0,
     .high = 1e9,
     .meaning = "lower bids are no bids, and pay nothing"},
    {.name = "values",
     .type = WAL_COMPONENT,
     .text = "uniform",
     .choices = "value_law",
     .wraps = "quantiles",
     .meaning = "law of the values, or a list of its quantiles"},
    {.name = "risk",
     .type = WAL_REAL,
     .number = 0,
     .low = 0,
     .high = 0.99,
     .meaning = "relative risk aversion r: a gain x is worth x^(1-r)/(1-r); 0: neutral"},
    {.name = "bids",
     .type = WAL_COMPONENT,
     .text = "equilibrium",
     .choices = "bid_rule",
     .named = true,
     .wraps = "bid_function",
     .meaning = "\"equilibrium\", or a function of the value"},
    {.name = "deviations",
     .type = WAL_INTEGER,
     .number = 1000,
     .low = 0,
     .high = 100000,
     .meaning = "bids among which the best deviation is looked for; 0: none"},
    {0}};

const wal_component wal_one_shot_component = {
    .name = "one_shot_auction",
    .kind = "auction",
    .summary = "n bidders with private values bid once for k goods",
    .source = "Krishna, Auction Theory, 2nd edition 2010",
    .params = PARAMS};

int64_t wal_one_shot_part_count(void) { return wal_value_law_count() + 2; }

const wal_component *wal_one_shot_part_at(int64_t index) {
  const int64_t laws = wal_value_law_count();
  return index < laws ? wal_value_law_at(index) : index == laws ? &EQUILIBRIUM : &SCRIPTED;
}

static wal_one_shot_format read_format(const wal_params *params) {
  static const char *const NAMES[] = {"first_price", "second_price",  "third_price",
                                      "all_pay",     "uniform_price", "pay_as_bid"};
  const char *name = wal_params_text(params, "format");
  int format = 0;
  while (strcmp(NAMES[format], name) != 0) format++;
  return (wal_one_shot_format)format;
}

static wal_status check(wal_ctx *ctx, const wal_params *params, const wal_one_shot *a) {
  const bool one =
      a->format == WAL_FIRST_PRICE || a->format == WAL_SECOND_PRICE || a->format == WAL_THIRD_PRICE;
  if (one && a->units != 1)
    return wal_params_fail(ctx, params, "units",
                           "expected 1 good in a %s auction, got %lld; %s sells several",
                           wal_params_text(params, "format"), (long long)a->units,
                           a->format == WAL_FIRST_PRICE ? "pay_as_bid" : "uniform_price");
  if (a->format == WAL_THIRD_PRICE && a->bidders < 3)
    return wal_params_fail(ctx, params, "bidders",
                           "expected at least 3, or there is no third price, got %lld",
                           (long long)a->bidders);
  return WAL_OK;
}

wal_status wal_one_shot_create(wal_ctx *ctx, wal_params *params, wal_one_shot *out) {
  wal_params *bids = wal_params_child(params, "bids");
  *out = (wal_one_shot){.format = read_format(params),
                        .bidders = wal_params_integer(params, "bidders"),
                        .units = wal_params_integer(params, "units"),
                        .reserve = wal_params_real(params, "reserve"),
                        .risk = wal_params_real(params, "risk"),
                        .deviations = (int)wal_params_integer(params, "deviations"),
                        .params = params};
  WAL_TRY(check(ctx, params, out));
  WAL_TRY(wal_value_law_create(ctx, wal_params_child(params, "values"), &out->law));
  if (wal_params_component(bids) == &SCRIPTED) {
    out->rule = WAL_BID_SCRIPT;
    out->script = wal_params_function(bids, "bid");
    double tried[3] = {out->law->low, wal_value_law_quantile(out->law, 0.5, 0.5),
                       wal_value_law_quantile(out->law, 1 - 0x1p-10, 0x1p-10)};
    return wal_one_shot_bids(ctx, out, 3, tried, tried, tried);
  }
  return wal_one_shot_find_equilibrium(ctx, out);
}

void wal_one_shot_destroy(wal_ctx *ctx, wal_one_shot *auction) {
  wal_quantile_table_destroy(ctx, &auction->table);
  wal_value_law_destroy(ctx, &auction->law);
}

static wal_status ask_script(wal_ctx *ctx, const wal_one_shot *a, int64_t count, const double *v,
                             double *b) {
  static const char *const ARGUMENT[] = {"v"};
  wal_call call = {.owner = "one_shot_auction",
                   .name = "bids",
                   .argument_name = ARGUMENT,
                   .expected = "a number",
                   .argument_count = 1,
                   .least = 1,
                   .most = 1};
  for (int64_t i = 0; i < count; i++) {
    call.arguments[0] = v[i];
    WAL_TRY(a->script->invoke(ctx, a->script, &call));
    b[i] = call.results[0];
    if (b[i] >= 0 && isfinite(b[i])) continue;
    char where[640], got[32];
    return wal_fail(ctx, WAL_EINPUT, "%sexpected a finite bid of at least 0, got %s",
                    a->script->place(a->script, &call, where, sizeof where),
                    wal_number_text(b[i], got, sizeof got));
  }
  return WAL_OK;
}

WAL_HOT static void power_bids(const wal_one_shot *a, int64_t count, const double *u, double *b) {
  enum { PART = 256 };
  const double offset = a->offset, factor = a->factor;
  double square[PART], power[PART];
  for (int64_t i = 0; i < count; i += PART) {
    const int64_t n = count - i < PART ? count - i : PART;
    for (int64_t j = 0; j < n; j++) square[j] = u[i + j];
    for (int64_t j = 0; j < n; j++) power[j] = 1;
    for (int64_t bits = a->bidders - 1; bits > 0; bits >>= 1) {
      if (bits & 1)
        for (int64_t j = 0; j < n; j++) power[j] *= square[j];
      for (int64_t j = 0; j < n; j++) square[j] *= square[j];
    }
    for (int64_t j = 0; j < n; j++) b[i + j] = power[j] * (offset + factor * u[i + j]);
  }
}

wal_status wal_one_shot_bids(wal_ctx *ctx, const wal_one_shot *a, int64_t count, const double *u,
                             const double *v, double *b) {
  const double start = a->start, reserve = a->reserve;
  switch (a->rule) {
    case WAL_BID_VALUE:
      for (int64_t i = 0; i < count; i++) b[i] = v[i] >= reserve ? v[i] : -1;
      return WAL_OK;
    case WAL_BID_STRAIGHT:
      for (int64_t i = 0; i < count; i++) b[i] = u[i] >= start ? a->offset + a->factor * v[i] : -1;
      return WAL_OK;
    case WAL_BID_POWER:
      power_bids(a, count, u, b);
      return WAL_OK;
    case WAL_BID_TABLE:
      if (b == u) return wal_fail(ctx, WAL_EINTERNAL, "bids in place of levels");
      wal_quantile_table_look_up(a->table, count, u, b);
      for (int64_t i = 0; i < count; i++)
        b[i] = u[i] < start ? -1 : b[i] < reserve ? reserve : b[i];
      return WAL_OK;
    case WAL_BID_SCRIPT:
      break;
  }
  return ask_script(ctx, a, count, v, b);
}

void wal_one_shot_utilities(const wal_one_shot *a, int64_t count, const double *x, double *y) {
  enum { PART = 256 };
  const double power = 1 - a->risk;
  double size[PART];
  for (int64_t i = 0; i < count; i += PART) {
    const int64_t n = count - i < PART ? count - i : PART;
    if (a->risk == 0) {
      memmove(y + i, x + i, (size_t)n * sizeof *y);
      continue;
    }
    for (int64_t j = 0; j < n; j++) size[j] = fabs(x[i + j]);
    wal_vector_log(n, size, size);
    for (int64_t j = 0; j < n; j++) size[j] *= power;
    wal_vector_exp(n, size, size);
    for (int64_t j = 0; j < n; j++) y[i + j] = copysign(size[j] / power, x[i + j]);
  }
}
