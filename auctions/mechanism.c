// SPDX-License-Identifier: GPL-3.0-or-later
#include "auctions/mechanism.h"

#include <math.h>
#include <string.h>

#include "auctions/clearing_exact.h"
#include "sim/core/memory.h"

static const wal_mechanism_type *const MECHANISMS[] = {
#define WAL_MECHANISM_ENTRY(name) &wal_mechanism_##name,
    WAL_MECHANISM_LIST(WAL_MECHANISM_ENTRY)
#undef WAL_MECHANISM_ENTRY
};

int64_t wal_mechanism_count(void) { return (int64_t)(sizeof MECHANISMS / sizeof MECHANISMS[0]); }

const wal_mechanism_type *wal_mechanism_at(int64_t index) { return MECHANISMS[index]; }

const wal_mechanism_type *wal_mechanism_find(const char *name) {
  for (int64_t i = 0; i < wal_mechanism_count(); i++)
    if (strcmp(MECHANISMS[i]->component.name, name) == 0) return MECHANISMS[i];
  return NULL;
}

wal_status wal_mechanism_create(wal_ctx *ctx, wal_params *params, const wal_market *market,
                                wal_mechanism *out) {
  const wal_mechanism_type *type = wal_mechanism_find(wal_params_component(params)->name);
  *out = (wal_mechanism){.type = type, .market = *market};
  return type->create(ctx, params, market, &out->self);
}

void wal_mechanism_destroy(wal_ctx *ctx, wal_mechanism *mechanism) {
  if (!mechanism->type) return;
  if (mechanism->type->destroy)
    mechanism->type->destroy(ctx, mechanism->self);
  else
    wal_release(ctx, &mechanism->self);
}

void wal_mechanism_answer(const wal_mechanism *mechanism, const wal_round *round,
                          wal_answer *answer) {
  mechanism->type->answer(mechanism->self, round, answer);
  if (answer->goods > round->left) answer->goods = round->left;  // by rounding only
}

wal_clearing wal_round_clear(const wal_market *market, const wal_round *round, int reserve,
                             double goods, double *win, int64_t *winners) {
  if (!round->bidders) return wal_clearing_run(market->bids, reserve, goods, round->bid_mass, win);
  const wal_clearing_count c =
      wal_clearing_exact(market->bids, reserve, wal_clearing_goods(goods, round->agents),
                         round->bidders, winners, win);
  return (wal_clearing){.sold = (double)c.sold / (double)round->agents, .threshold = c.threshold};
}

int wal_market_level(const wal_market *market, double price) {
  const double level = ceil(price * market->bids - 1e-9);  // 0.29 is level 29 of 100
  return level < 0 ? 0 : level > market->bids ? market->bids : (int)level;
}
