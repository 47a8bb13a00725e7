// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <string.h>

#include "incentives/steer/agents.h"
#include "sim/core/vector_math.h"
#include "sim/game/policy.h"

/* Hedge, after which each action gets a share of all: what has been given up is soon taken up
   again, so that there is little regret in every run of episodes. The share must fall as 1 / T, or
   agents stay away from every policy that is not mixed. */

static const wal_param PARAMS[] = {
    WAL_AGENTS_RATE_PARAM,
    WAL_AGENTS_SCHEDULE_PARAM,
    {.name = "share",
     .type = WAL_REAL,
     .optional = true,
     .low = 0,
     .high = 1,
     .meaning =
         "what is shared out among the actions after a step; 1 / T with T episodes if left out"},
    {0}};

static wal_status create(wal_ctx *ctx, const wal_params *params, wal_agents *agents) {
  (void)ctx;
  agents->horizon_rate = strcmp(wal_params_text(params, "schedule"), "horizon") == 0;
  agents->share = wal_params_given(params, "share") ? wal_params_real(params, "share") : -1;
  return WAL_OK;
}

static void mix(double share, wal_tile tile, const double *q, double *p) {
  for (int64_t i = 0; i < tile.count; i++) {
    int legal = 0;
    for (int a = 0; a < tile.actions; a++) legal += q[a * tile.stride + i] > WAL_FORBIDDEN / 2;
    for (int a = 0; a < tile.actions; a++) {
      const int64_t at = a * tile.stride + i;
      p[at] = q[at] > WAL_FORBIDDEN / 2 ? (1 - share) * p[at] + share / legal : 0;
    }
  }
}

static void step(const wal_agents *agents, int64_t t, wal_tile tile, const double *q, double *p) {
  const double rate = wal_agents_rate(agents, t);
  for (int a = 0; a < tile.actions; a++) {
    double *row = p + a * tile.stride;
    const double *of_row = q + a * tile.stride;
    wal_vector_log(tile.count, row, row);
    for (int64_t i = 0; i < tile.count; i++) row[i] += rate * of_row[i];
  }
  wal_tile_softmax(tile, 1, p, p, NULL);
  mix(agents->share, tile, q, p);
}

static void read(const wal_agents *agents, wal_tile tile, const double *p, double *pi) {
  (void)agents;
  for (int a = 0; a < tile.actions; a++)
    memcpy(pi + a * tile.stride, p + a * tile.stride, (size_t)tile.count * sizeof *pi);
}

const wal_agents_type wal_agents_fixed_share = {
    .struct_size = sizeof(wal_agents_type),
    .component = {.name = "fixed_share",
                  .kind = "agent",
                  .summary = "hedge with a share for every action: no regret in any interval",
                  .source = "Herbster and Warmuth 1998, Tracking the best expert",
                  .params = PARAMS},
    .create = create,
    .step = step,
    .read = read,
    .remembers_policy = true};
