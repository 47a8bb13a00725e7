// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include "cli/simulation.h"

static const wal_simulation_type *const TYPES[] = {&wal_simulation_auction};

static const wal_param PARAMS[] = {{.name = "game",
                                    .type = WAL_COMPONENT,
                                    .required = true,
                                    .choices = "auction",
                                    .meaning = "what is simulated"},
                                   {.name = "samples",
                                    .type = WAL_INTEGER,
                                    .number = 1000000,
                                    .low = 1,
                                    .high = 0x1p53,
                                    .meaning = "times that it is played, with new draws"},
                                   WAL_TASK_SEED_PARAM,
                                   {0}};

static const wal_simulation_type *type_of(const wal_params *params) {
  const char *kind = wal_params_component(wal_params_child(params, "game"))->kind;
  size_t i = 0;
  while (strcmp(TYPES[i]->kind, kind) != 0) i++;
  return TYPES[i];
}

static wal_status check(wal_ctx *ctx, wal_params *params) {
  return type_of(params)->check(ctx, params);
}

static wal_status run(wal_job *job) { return type_of(job->params)->run(job); }

const wal_task_type wal_task_simulate = {
    .component = {.name = "simulate",
                  .kind = "task",
                  .summary = "play a game many times with random draws",
                  .source = "docs/one-shot-auctions.md",
                  .params = PARAMS},
    .check = check,
    .run = run,
};
