// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>

#include "sim/core/memory.h"
#include "sim/learn/learner_list.h"

/* Boltzmann policy iteration: pi <- softmax(rate * q), q the current policy's own values
   (Cui and Koeppl 2021). */

static const wal_param PARAMS[] = {{.name = "rate",
                                    .type = WAL_REAL,
                                    .number = 1,
                                    .low = 0,
                                    .high = HUGE_VAL,
                                    .meaning = "inverse temperature of the softmax"},
                                   {0}};

typedef struct boltzmann {
  double rate;
} boltzmann;

static wal_status create(wal_ctx *ctx, wal_params *params, wal_learner *l) {
  l->kind = WAL_POLICY_PROBABILITIES;
  l->needs = WAL_VALUE_POLICY;
  WAL_TRY(wal_acquire(ctx, "learner", 1, sizeof(boltzmann), &l->self));
  *(boltzmann *)l->self = (boltzmann){wal_params_real(params, "rate")};
  return WAL_OK;
}

static void visit(void *learner, const wal_value_tile *tile) {
  const wal_learner *l = learner;
  double *pi = wal_policy_tile(&l->policy, tile->slab.stage, tile->tile);
  wal_tile_softmax(wal_tile_of(l->space, &tile->slab), ((const boltzmann *)l->self)->rate,
                   tile->q[WAL_VALUE_POLICY], pi, NULL);
}

const wal_learner_type wal_learner_boltzmann = {
    .struct_size = sizeof(wal_learner_type),
    .component = {.name = "boltzmann",
                  .kind = "learner",
                  .summary =
                      "Boltzmann iteration: softmax of the action values under the current policy",
                  .source = "Cui and Koeppl 2021, Approximately solving mean field games via "
                            "entropy-regularized deep reinforcement learning",
                  .params = PARAMS},
    .create = create,
    .visit = visit,
};
