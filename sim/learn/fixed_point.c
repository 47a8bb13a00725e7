// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <string.h>

#include "sim/learn/learner_list.h"

/* Fixed point iteration: pi <- best response to its own flow (ties share equally), or with a
   temperature softmax(q* / temperature). */

static const wal_param PARAMS[] = {
    {.name = "temperature",
     .type = WAL_REAL,
     .number = 0,
     .low = 0,
     .high = HUGE_VAL,
     .meaning = "softness of the best response (0: exact)"},
    {.name = "ties",
     .type = WAL_TEXT,
     .text = "share",
     .choices = "share|first",
     .meaning = "who plays when actions are equally good: all equally, or the first"},
    {0}};

static wal_status create(wal_ctx *ctx, wal_params *params, wal_learner *l) {
  (void)ctx;
  l->temperature = wal_params_real(params, "temperature");
  l->kind = l->temperature > 0 ? WAL_POLICY_LOGITS : WAL_POLICY_PROBABILITIES;
  l->needs = WAL_VALUE_BEST;
  if (strcmp(wal_params_text(params, "ties"), "first") == 0) l->ties = WAL_TIES_FIRST;
  return WAL_OK;
}

static void visit(void *learner, const wal_value_tile *tile) {
  const wal_learner *l = learner;
  const wal_tile t = wal_tile_of(l->space, &tile->slab);
  double *stored = wal_policy_tile(&l->policy, tile->slab.stage, tile->tile);
  if (l->temperature > 0)
    wal_tile_scale(t, 1 / l->temperature, tile->q[WAL_VALUE_BEST], stored);
  else
    wal_tile_best_response(t, l->ties, tile->q[WAL_VALUE_BEST], stored);
}

const wal_learner_type wal_learner_fixed_point = {
    .struct_size = sizeof(wal_learner_type),
    .component = {.name = "fixed_point",
                  .kind = "learner",
                  .summary = "best response to the policy's own flow, again and again",
                  .source = "Huang, Malhame, Caines 2006; OpenSpiel's fixed_point and "
                            "softmax_policy",
                  .params = PARAMS},
    .create = create,
    .visit = visit,
};
