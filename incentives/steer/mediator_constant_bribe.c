// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>

#include "incentives/steer/equalizer.h"

/* The cheapest stabilizer, and a bribe that never ends. */

static const wal_param PARAMS[] = {{.name = "bribe",
                                    .type = WAL_REAL,
                                    .optional = true,
                                    .low = 0,
                                    .high = HUGE_VAL,
                                    .meaning = "paid for an action, times its probability in the "
                                               "target; T^(-1/4) with T episodes if left out"},
                                   {0}};

static unsigned knows(const wal_params *params) {
  (void)params;
  return WAL_KNOWS_MODEL | WAL_KNOWS_REWARD;
}

static wal_status create(const wal_params *params, wal_mediator *m) {
  const wal_equalizer like = {.model = WAL_KNOWLEDGE_EXACT,
                              .reward = WAL_KNOWLEDGE_EXACT,
                              .incentive = WAL_INCENTIVE_BRIBE,
                              .eta = wal_params_given(params, "bribe")
                                         ? wal_params_real(params, "bribe")
                                         : 1 / sqrt(sqrt((double)m->setup.episodes))};
  return wal_equalizer_create(params, m, &like);
}

const wal_mediator_type wal_mediator_constant_bribe = {
    .struct_size = sizeof(wal_mediator_type),
    .component = {.name = "constant_bribe",
                  .kind = "mediator",
                  .summary = "as known_model{}, but pays the same bribe for ever",
                  .source = "docs/steering.md",
                  .params = PARAMS},
    .knows = knows,
    .create = create,
    .destroy = wal_equalizer_destroy,
    .pay = wal_equalizer_pay};
