// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>

#include "incentives/steer/agents.h"
#include "sim/game/policy.h"

/* y <- (1 - rate entropy) y + rate q, pi = softmax(y), with steps of one size: the learner of the
   same name, without entropy in the values themselves. */

static const wal_param PARAMS[] = {{.name = "rate",
                                    .type = WAL_REAL,
                                    .number = 1,
                                    .low = 0,
                                    .high = HUGE_VAL,
                                    .meaning = "size of every step"},
                                   {.name = "entropy",
                                    .type = WAL_REAL,
                                    .low = 0,
                                    .high = HUGE_VAL,
                                    .meaning = "how strongly logits are pulled back to 0"},
                                   {0}};

static wal_status create(wal_ctx *ctx, const wal_params *params, wal_agents *agents) {
  agents->entropy = wal_params_real(params, "entropy");
  if (agents->rate * agents->entropy > 1)
    return wal_params_fail(ctx, params, "entropy",
                           "expected rate * entropy to be at most 1, got %g",
                           agents->rate * agents->entropy);
  return WAL_OK;
}

static void step(const wal_agents *agents, int64_t t, wal_tile tile, const double *q, double *y) {
  const double rate = agents->rate, keep = 1 - rate * agents->entropy;
  (void)t;
  for (int a = 0; a < tile.actions; a++)
    for (int64_t i = a * tile.stride; i < a * tile.stride + tile.count; i++) {
      const double next = keep * y[i] + rate * q[i];
      y[i] = q[i] > WAL_FORBIDDEN / 2 ? next : WAL_FORBIDDEN;
    }
}

static void read(const wal_agents *agents, wal_tile tile, const double *y, double *pi) {
  (void)agents;
  wal_tile_softmax(tile, 1, y, pi, NULL);
}

const wal_agents_type wal_agents_mirror_descent = {
    .struct_size = sizeof(wal_agents_type),
    .component = {.name = "mirror_descent",
                  .kind = "agent",
                  .summary = "mirror descent with steps of one size: may have regret",
                  .source = "Perolat et al. 2021, Scaling up mean field games with online mirror "
                            "descent",
                  .params = PARAMS},
    .create = create,
    .step = step,
    .read = read};
