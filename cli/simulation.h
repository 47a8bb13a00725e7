// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_SIMULATION_H
#define WALRAS_CLI_SIMULATION_H

#include "cli/task.h"

/** What the task `simulate` does with one kind of component: what can be simulated is its `game`.
 *  Operations are those of wal_task_type. */
typedef struct wal_simulation_type {
  const char *kind; /**< of the component */
  wal_status (*check)(wal_ctx *ctx, wal_params *params);
  wal_status (*run)(wal_job *job);
} wal_simulation_type;

/** Kind "auction": auctions/one_shot.h. */
extern const wal_simulation_type wal_simulation_auction;
/** Kind "game": N agents play it, sim/agents/population.h. */
extern const wal_simulation_type wal_simulation_population;

#endif
