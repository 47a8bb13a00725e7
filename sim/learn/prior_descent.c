// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>

#include "sim/core/memory.h"
#include "sim/learn/learner_list.h"

/* Prior descent: pi = prior * exp(rate * q*), normalized; every `inner` steps the prior becomes the
   policy. The prior is kept as logits. */

static const wal_param PARAMS[] = {{.name = "rate",
                                    .type = WAL_REAL,
                                    .number = 1,
                                    .low = 0,
                                    .high = HUGE_VAL,
                                    .meaning = "inverse temperature of the response to the prior"},
                                   {.name = "inner",
                                    .type = WAL_INTEGER,
                                    .number = 0,
                                    .low = 0,
                                    .high = 0x1p53,
                                    .unit = "steps",
                                    .meaning = "steps between updates of the prior (0: never)"},
                                   {0}};

typedef struct prior_descent {
  double rate;
  int64_t inner;
} prior_descent;

static wal_status create(wal_ctx *ctx, wal_params *params, wal_learner *l) {
  const prior_descent self = {wal_params_real(params, "rate"), wal_params_integer(params, "inner")};
  l->kind = WAL_POLICY_PROBABILITIES;
  l->needs = WAL_VALUE_BEST;
  l->keeps_prior = self.inner > 0;
  WAL_TRY(wal_acquire(ctx, "learner", 1, sizeof self, &l->self));
  *(prior_descent *)l->self = self;
  return WAL_OK;
}

static void visit(void *learner, const wal_value_tile *tile) {
  const wal_learner *l = learner;
  const prior_descent *self = l->self;
  const wal_tile t = wal_tile_of(l->space, &tile->slab);
  double *pi = wal_policy_tile(&l->policy, tile->slab.stage, tile->tile);
  const double *q = tile->q[WAL_VALUE_BEST];
  if (!l->prior) {
    wal_tile_softmax(t, self->rate, q, pi, NULL);
    return;
  }
  double *prior = l->prior + (pi - l->policy.values);
  wal_tile_scale(t, self->rate, q, pi);
  wal_tile_blend(t, 1, pi, 1, prior);
  if ((l->steps + 2) % self->inner == 0) wal_tile_scale(t, 1, pi, prior);
  wal_tile_softmax(t, 1, pi, pi, NULL);
}

const wal_learner_type wal_learner_prior_descent = {
    .struct_size = sizeof(wal_learner_type),
    .component = {.name = "prior_descent",
                  .kind = "learner",
                  .summary =
                      "prior descent: regularized best response to a prior that follows slowly",
                  .source = "Cui and Koeppl 2021; MFGLib's prior descent",
                  .params = PARAMS},
    .create = create,
    .visit = visit,
};
