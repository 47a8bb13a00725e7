// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>

#include "incentives/steer/equalizer.h"

/* As known_model{}, with max(pi* - pi, 0) in place of the centred incentive: an ablation. Its mean
   differs from state to state, so that it bribes agents to be where the wrong thing is played. */

static const wal_param PARAMS[] = {WAL_EQUALIZER_ETA_PARAM, {0}};

static unsigned knows(const wal_params *params) {
  (void)params;
  return WAL_KNOWS_MODEL | WAL_KNOWS_REWARD;
}

static wal_status create(const wal_params *params, wal_mediator *m) {
  const wal_equalizer like = {.model = WAL_KNOWLEDGE_EXACT,
                              .reward = WAL_KNOWLEDGE_EXACT,
                              .incentive = WAL_INCENTIVE_UNCENTRED,
                              .eta = wal_params_real(params, "eta")};
  return wal_equalizer_create(params, m, &like);
}

const wal_mediator_type wal_mediator_uncentred = {
    .struct_size = sizeof(wal_mediator_type),
    .component = {.name = "uncentred",
                  .kind = "mediator",
                  .summary =
                      "as known_model{}, but its incentive is not centred, and so costs more",
                  .source = "docs/steering.md",
                  .params = PARAMS},
    .knows = knows,
    .create = create,
    .destroy = wal_equalizer_destroy,
    .pay = wal_equalizer_pay};
