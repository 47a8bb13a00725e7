// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>

#include "sim/core/memory.h"
#include "sim/learn/learner_list.h"

/* Fixed point iteration: pi <- best response to its own flow (ties share equally), or with a
   temperature softmax(q* / temperature). */

static const wal_param PARAMS[] = {{.name = "temperature",
                                    .type = WAL_REAL,
                                    .number = 0,
                                    .low = 0,
                                    .high = 1e200,
                                    .meaning = "softness of the best response (0: exact)"},
                                   WAL_TIES_PARAM,
                                   {0}};

typedef struct fixed_point {
  double temperature;
  wal_ties ties;
} fixed_point;

static wal_status create(wal_ctx *ctx, wal_params *params, wal_learner *l) {
  const fixed_point self = {wal_params_real(params, "temperature"), wal_ties_read(params)};
  l->kind = WAL_POLICY_PROBABILITIES;
  l->needs = WAL_VALUE_BEST;
  WAL_TRY(wal_acquire(ctx, "learner", 1, sizeof self, &l->self));
  *(fixed_point *)l->self = self;
  return WAL_OK;
}

static void visit(void *learner, const wal_value_tile *tile) {
  const wal_learner *l = learner;
  const fixed_point *self = l->self;
  const wal_tile t = wal_tile_of(l->space, &tile->slab);
  double *stored = wal_policy_tile(&l->policy, tile->slab.stage, tile->tile);
  if (self->temperature > 0)
    wal_tile_softmax(t, 1 / self->temperature, tile->q[WAL_VALUE_BEST], stored, NULL);
  else
    wal_tile_best_response(t, self->ties, tile->q[WAL_VALUE_BEST], stored);
}

const wal_learner_type wal_learner_fixed_point = {
    .struct_size = sizeof(wal_learner_type),
    .component = {.name = "fixed_point",
                  .kind = "learner",
                  .summary =
                      "fixed-point iteration: best response to the flow of the policy before",
                  .source = "Huang, Malhame, Caines 2006; OpenSpiel's fixed_point and "
                            "softmax_policy",
                  .params = PARAMS},
    .create = create,
    .visit = visit,
};
