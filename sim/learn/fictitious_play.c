// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>

#include "sim/core/hot.h"
#include "sim/core/memory.h"
#include "sim/learn/learner_list.h"

/* Fictitious play: the policy whose flow is the average of the flows so far and of the best
   response's own flow mu_b (Perrin et al. 2020). For step k = 0, 1, ...: w = rate or 1 / (k + 2),
     pi <- [(1-w) mu pi + w mu_b b] / [(1-w) mu + w mu_b],  0/0 -> 1/A.
   The best response is not stored: it is made again, stage by stage, while its flow runs forwards,
   and the policy's stage is mixed right there, where it has been used for the last time. */

static const wal_param PARAMS[] = {
    {.name = "rate",
     .type = WAL_REAL,
     .number = 0,
     .low = 0,
     .high = 1,
     .meaning = "weight of the new best response (0: 1/(k+2), the plain average)"},
    {.name = "temperature",
     .type = WAL_REAL,
     .number = 0,
     .low = 0,
     .high = 1e200,
     .meaning = "softness of the best response (0: exact)"},
    WAL_TIES_PARAM,
    {0}};

typedef struct fictitious_play {
  double rate, temperature;
  wal_ties ties;
} fictitious_play;

static wal_status create(wal_ctx *ctx, wal_params *params, wal_learner *l) {
  l->kind = WAL_POLICY_PROBABILITIES;
  l->needs = WAL_VALUE_BEST;
  l->follows_response = true;
  WAL_TRY(wal_acquire(ctx, "learner", 1, sizeof(fictitious_play), &l->self));
  *(fictitious_play *)l->self =
      (fictitious_play){wal_params_real(params, "rate"), wal_params_real(params, "temperature"),
                        wal_ties_read(params)};
  return WAL_OK;
}

WAL_HOT static void mix(wal_tile t, double weight, const double *restrict mass,
                        const double *restrict response_mass, const double *restrict response,
                        double *restrict pi) {
  for (int a = 0; a < t.actions; a++)
    for (int64_t i = 0; i < t.count; i++) {
      int64_t at = a * t.stride + i;
      double old = (1 - weight) * mass[i], fresh = weight * response_mass[i];
      double sum = old + fresh;
      double mixed = (old * pi[at] + fresh * response[at]) / sum;
      pi[at] = sum == 0 ? 1.0 / t.actions : mixed;
    }
}

static wal_status begin(void *learner, int stage) {
  wal_learner *l = learner;
  return wal_values_open(&l->values, stage);
}

/* The best response of a tile into `room`; then the policy's tile, no longer needed, is mixed. */
static const double *respond(void *learner, const wal_slab *slab, int64_t tile, double *room) {
  wal_learner *l = learner;
  const fictitious_play *self = l->self;
  const wal_tile t = wal_tile_of(l->space, slab);
  const int64_t at = slab->first - l->space->states.first;
  const double *pi = NULL;
  const double *q = wal_values_best(&l->values, &l->flow, &l->policy, slab, tile, &pi);
  if (self->temperature > 0)
    wal_tile_softmax(t, 1 / self->temperature, q, room, NULL);
  else
    wal_tile_best_response(t, self->ties, q, room);
  double weight = self->rate > 0 ? self->rate : 1.0 / (double)(l->steps + 2);
  mix(t, weight, wal_flow_mass(&l->flow, slab->stage) + at,
      wal_flow_mass(&l->response, slab->stage) + at, room,
      wal_policy_tile(&l->policy, slab->stage, tile));
  wal_policy_forbid(&l->policy, slab->stage, tile);  // what mix() gave actions of empty states
  return room;
}

static wal_status finish(wal_learner *l) {
  const wal_flow_source source = {begin, respond, l};
  return wal_flow_run_source(&l->response, &source);
}

const wal_learner_type wal_learner_fictitious_play = {
    .struct_size = sizeof(wal_learner_type),
    .component = {.name = "fictitious_play",
                  .kind = "learner",
                  .summary = "fictitious play: average of the flows of all best responses",
                  .source = "Perrin et al. 2020, Fictitious play for mean field games",
                  .params = PARAMS},
    .create = create,
    .finish = finish,
};
