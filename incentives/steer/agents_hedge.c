// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <string.h>

#include "incentives/steer/agents.h"
#include "sim/core/hot.h"
#include "sim/game/policy.h"

/* Hedge in every state: pi <- pi exp(lr q), normalized, kept as logits. */

static const wal_param PARAMS[] = {WAL_AGENTS_RATE_PARAM, WAL_AGENTS_SCHEDULE_PARAM, {0}};

static wal_status create(wal_ctx *ctx, const wal_params *params, wal_agents *agents) {
  (void)ctx;
  agents->horizon_rate = strcmp(wal_params_text(params, "schedule"), "horizon") == 0;
  return WAL_OK;
}

static void step(const wal_agents *agents, int64_t t, wal_tile tile, const double *q, double *y) {
  const double rate = wal_agents_rate(agents, t);
  for (int a = 0; a < tile.actions; a++)
    for (int64_t i = a * tile.stride; i < a * tile.stride + tile.count; i++) {
      const double next = y[i] + rate * q[i];
      y[i] = next > WAL_FORBIDDEN ? next : WAL_FORBIDDEN;
    }
}

static void read(const wal_agents *agents, wal_tile tile, const double *y, double *pi) {
  (void)agents;
  wal_tile_softmax(tile, 1, y, pi, NULL);
}

const wal_agents_type wal_agents_hedge = {
    .struct_size = sizeof(wal_agents_type),
    .component = {.name = "hedge",
                  .kind = "agent",
                  .summary = "multiplicative weights in every state: no regret",
                  .source = "Freund and Schapire 1997, A decision-theoretic generalization of "
                            "on-line learning",
                  .params = PARAMS},
    .create = create,
    .step = step,
    .read = read};
