// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "auctions/sale.h"
#include "sim/core/memory.h"

/* Payments and goods from functions of the scenario. The payments are tabulated when it is loaded;
 * goods are asked for in every round. */

typedef struct scripted {
  wal_ctx *ctx;
  wal_market market;
  const wal_function *goods; /**< NULL: by the plan */
  double *payment;           /**< [rounds][bids] */
  double *share;             /**< [rounds]: of the plan */
  int *reserve;              /**< [rounds]: level */
  wal_held_failure *failure; /**< first of a call while the game runs */
} scripted;

static const wal_param PARAMS[] = {
    {.name = "payment",
     .type = WAL_FUNCTION,
     .required = true,
     .unit = "value",
     .meaning = "function(bid, round): payment of a winner, >= 0; rounds are counted from 0"},
    {.name = "goods",
     .type = WAL_FUNCTION,
     .optional = true,
     .unit = "goods per bidder",
     .meaning = "function(round, left): goods for sale in the round, 0 .. left; without it those "
                "of `split`"},
    WAL_SPLIT_PARAM,
    WAL_RESERVE_PARAM,
    {0}};

/* Goods beyond what is left by this share of it are rounding. */
static const double ROUNDING = 1e-9;

static wal_call payment_call(double bid, int round) {
  static const char *const ARGUMENTS[] = {"bid", "round"};
  return (wal_call){.owner = "scripted",
                    .name = "payment",
                    .argument_name = ARGUMENTS,
                    .expected = "a number",
                    .argument_count = 2,
                    .arguments = {bid, round},
                    .least = 1,
                    .most = 1};
}

static wal_status tabulate(wal_ctx *ctx, const wal_function *payment, scripted *m) {
  const int bids = m->market.bids;
  char where[640], got[32];
  for (int64_t i = 0; i < (int64_t)m->market.rounds * bids; i++) {
    wal_call call = payment_call((double)(i % bids) / bids, (int)(i / bids));
    WAL_TRY(payment->invoke(ctx, payment, &call));
    m->payment[i] = call.results[0];
    if (!isfinite(m->payment[i]) || m->payment[i] < 0)
      return wal_fail(ctx, WAL_EINPUT, "%sexpected a finite payment of at least 0, got %s",
                      payment->place(payment, &call, where, sizeof where),
                      wal_number_text(m->payment[i], got, sizeof got));
  }
  return WAL_OK;
}

/* Bids that pay less than the next lower one are allowed, but rarely meant. */
static void warn_of_falls(wal_ctx *ctx, const wal_function *payment, const scripted *m) {
  const int bids = m->market.bids;
  int64_t falls = 0, first = 0;
  for (int64_t i = 0; i < (int64_t)m->market.rounds * bids; i++)
    if (i % bids > 0 && m->payment[i] < m->payment[i - 1] && falls++ == 0) first = i;
  if (falls == 0) return;
  const int round = (int)(first / bids), level = (int)(first % bids);
  const wal_call call = payment_call((double)level / bids, round);
  char where[640], number[4][32], more[64] = "";
  if (falls > 1) snprintf(more, sizeof more, " (and %lld more of this kind)", (long long)falls - 1);
  const double lower = (double)(level - 1) / bids;
  wal_warn(ctx, "%sbid %s pays %s, less than bid %s, which pays %s%s",
           payment->place(payment, &call, where, sizeof where),
           wal_number_text(call.arguments[0], number[0], sizeof number[0]),
           wal_number_text(m->payment[first], number[1], sizeof number[1]),
           wal_number_text(lower, number[2], sizeof number[2]),
           wal_number_text(m->payment[first - 1], number[3], sizeof number[3]), more);
}

static wal_status create(wal_ctx *ctx, wal_params *params, const wal_market *market, void **self) {
  const wal_function *payment = wal_params_function(params, "payment");
  const int64_t cells = (int64_t)market->rounds * market->bids;
  const int64_t state = wal_round_up((int64_t)sizeof(scripted), 64);
  const int64_t front = state + wal_round_up((int64_t)sizeof(wal_held_failure), 64);
  char *block;
  const int64_t bytes =
      (cells + market->rounds) * (int64_t)sizeof(double) + market->rounds * (int64_t)sizeof(int);
  WAL_TRY(wal_acquire(ctx, "scripted", front + bytes, 1, &block));
  *self = block;
  scripted *m = (scripted *)(void *)block;
  m->ctx = ctx;
  m->market = *market;
  m->goods = wal_params_function(params, "goods");
  m->failure = (wal_held_failure *)(void *)(block + state);
  m->payment = (double *)(void *)(block + front);
  m->share = m->payment + cells;
  m->reserve = (int *)(void *)(m->share + market->rounds);
  WAL_TRY(wal_floor_read(ctx, params, "reserve", market, m->reserve, NULL));
  if (m->goods && wal_params_given(params, "split"))
    return wal_params_fail(ctx, params, "split",
                           "expected nothing beside the function `goods`, which says what is sold");
  WAL_TRY(wal_split_read(ctx, params, market, m->share));
  WAL_TRY(tabulate(ctx, payment, m));
  warn_of_falls(ctx, payment, m);
  return WAL_OK;
}

static wal_status ask_goods(const scripted *m, const wal_round *round, double *goods) {
  static const char *const ARGUMENTS[] = {"round", "left"};
  wal_call call = {.owner = "scripted",
                   .name = "goods",
                   .argument_name = ARGUMENTS,
                   .expected = "a number",
                   .argument_count = 2,
                   .arguments = {round->round, round->left},
                   .least = 1,
                   .most = 1};
  char where[640], number[2][32];
  WAL_TRY(m->goods->invoke(m->ctx, m->goods, &call));
  const double g = call.results[0], slack = ROUNDING * (1 + round->left);
  if (!(g >= -slack && g <= round->left + slack))
    return wal_fail(m->ctx, WAL_EINPUT, "%sexpected goods from 0 to the %s left, got %s",
                    m->goods->place(m->goods, &call, where, sizeof where),
                    wal_number_text(round->left, number[0], sizeof number[0]),
                    wal_number_text(g, number[1], sizeof number[1]));
  *goods = g > 0 ? fmin(g, round->left) : 0;
  return WAL_OK;
}

static void answer(const void *self, const wal_round *round, wal_answer *out) {
  const scripted *m = self;
  out->reserve = m->reserve[round->round];
  out->goods = round->left * m->share[round->round];
  if (m->goods) wal_failure_hold(m->ctx, ask_goods(m, round, &out->goods), m->failure);
  memcpy(out->payment, m->payment + (int64_t)round->round * m->market.bids,
         (size_t)m->market.bids * sizeof *out->payment);
}

static wal_status failure(wal_ctx *ctx, const void *self) {
  const scripted *m = self;
  return wal_failure_raise(ctx, m->failure);
}

const wal_mechanism_type wal_mechanism_scripted = {
    .struct_size = sizeof(wal_mechanism_type),
    .component = {.name = "scripted",
                  .kind = "mechanism",
                  .summary = "functions of the scenario set payments and goods",
                  .source = "docs/mechanisms.md",
                  .params = PARAMS},
    .create = create,
    .answer = answer,
    .failure = failure};
