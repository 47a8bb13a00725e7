// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>

#include "incentives/steer/equalizer.h"

/* The optimistic mediator without bonuses: an ablation. */

static const wal_param PARAMS[] = {
    WAL_EQUALIZER_ETA_PARAM, WAL_EQUALIZER_REGRESSION_PARAMS, WAL_EQUALIZER_POOLED_PARAM, {0}};

static wal_status create(const wal_params *params, wal_mediator *m) {
  const wal_equalizer like = {.model = WAL_KNOWLEDGE_ESTIMATED,
                              .reward = WAL_KNOWLEDGE_ESTIMATED,
                              .incentive = WAL_INCENTIVE_CENTRED,
                              .eta = wal_params_real(params, "eta")};
  return wal_equalizer_create(params, m, &like);
}

const wal_mediator_type wal_mediator_greedy = {
    .struct_size = sizeof(wal_mediator_type),
    .component = {.name = "greedy",
                  .kind = "mediator",
                  .summary = "as optimistic{} without bonuses: takes its estimates for the truth",
                  .source = "docs/steering.md",
                  .params = PARAMS},
    .create = create,
    .destroy = wal_equalizer_destroy,
    .start = wal_equalizer_start,
    .restored = wal_equalizer_restored,
    .pay = wal_equalizer_pay,
    .learn = wal_equalizer_learn};
