// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>

#include "sim/core/memory.h"
#include "sim/learn/learner_list.h"

/* Online mirror descent: y <- (1 - rate * entropy) y + rate * q, pi = softmax(y), with q the
   policy's values in its own flow, entropy-regularized if entropy > 0 (Perolat et al. 2021; for the
   regularized form Corecco et al. 2025, Lemma 1: its fixed point is the regularized equilibrium).
   Without entropy the same step is pi <- pi exp(rate * q), normalized, and probabilities are what
   is kept. With entropy it is logits, which the sweep steps by itself, and their probabilities are
   remembered: either way one exponential an action and iteration. */

static const wal_param PARAMS[] = {
    {.name = "rate",
     .type = WAL_REAL,
     .number = 1,
     .low = 0,
     .high = HUGE_VAL,
     .meaning = "step size of the logits along the action values"},
    {.name = "entropy",
     .type = WAL_REAL,
     .number = 0,
     .low = 0,
     .high = HUGE_VAL,
     .meaning = "weight of the policy's entropy in the values (0: none)"},
    {0}};

typedef struct descent {
  double rate;
  double room[]; /**< for wal_tile_tilt() */
} descent;

static wal_status create(wal_ctx *ctx, wal_params *params, wal_learner *l) {
  const double rate = wal_params_real(params, "rate");
  l->entropy = wal_params_real(params, "entropy");
  l->kind = l->entropy > 0 ? WAL_POLICY_LOGITS : WAL_POLICY_SIGNED;
  l->needs = l->entropy > 0 ? WAL_VALUE_SOFT_POLICY : WAL_VALUE_POLICY;
  if (rate * l->entropy > 1)
    return wal_params_fail(ctx, params, "entropy",
                           "expected rate * entropy to be at most 1, got %g", rate * l->entropy);
  l->steps_logits = l->entropy > 0;
  l->step = (wal_logit_step){1 - rate * l->entropy, rate};
  if (l->steps_logits) return WAL_OK;
  const int64_t room = wal_tile_tilt_room(l->space->game->shape.actions);
  WAL_TRY(
      wal_acquire(ctx, "learner", 1, sizeof(descent) + (size_t)room * sizeof(double), &l->self));
  ((descent *)l->self)->rate = rate;
  return WAL_OK;
}

/* The step without entropy. */
static void visit(void *learner, const wal_value_tile *tile) {
  const wal_learner *l = learner;
  descent *self = l->self;
  const wal_tile t = wal_tile_of(l->space, &tile->slab);
  double *stored = wal_policy_tile(&l->policy, tile->slab.stage, tile->tile);
  const double *q = tile->q[l->needs];
  const unsigned which =
      (l->space->legal ? WAL_TILT_ILLEGAL : 0) | (tile->pi != stored ? WAL_TILT_LOGS : 0);
  wal_tile_tilt(t, self->rate, which, q, stored, self->room);
}

const wal_learner_type wal_learner_mirror_descent = {
    .struct_size = sizeof(wal_learner_type),
    .component = {.name = "mirror_descent",
                  .kind = "learner",
                  .summary = "online mirror descent: logits of the policy add up action values",
                  .source = "Perolat et al. 2021, Scaling up mean field games with online mirror "
                            "descent",
                  .params = PARAMS},
    .create = create,
    .visit = visit,
};
