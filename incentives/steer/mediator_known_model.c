// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>

#include "incentives/steer/equalizer.h"

static const wal_param PARAMS[] = {WAL_EQUALIZER_ETA_PARAM, {0}};

static unsigned knows(const wal_params *params) {
  (void)params;
  return WAL_KNOWS_MODEL | WAL_KNOWS_REWARD;
}

static wal_status create(const wal_params *params, wal_mediator *m) {
  const wal_equalizer like = {.model = WAL_KNOWLEDGE_EXACT,
                              .reward = WAL_KNOWLEDGE_EXACT,
                              .incentive = WAL_INCENTIVE_CENTRED,
                              .eta = wal_params_real(params, "eta")};
  return wal_equalizer_create(params, m, &like);
}

const wal_mediator_type wal_mediator_known_model = {
    .struct_size = sizeof(wal_mediator_type),
    .component = {.name = "known_model",
                  .kind = "mediator",
                  .summary = "knows the game: makes all actions worth the same, and then leads",
                  .source = "docs/steering.md",
                  .params = PARAMS},
    .knows = knows,
    .create = create,
    .destroy = wal_equalizer_destroy,
    .pay = wal_equalizer_pay};
