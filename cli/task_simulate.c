// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include "cli/simulation.h"

static const wal_simulation_type *const TYPES[] = {&wal_simulation_auction,
                                                   &wal_simulation_population};

static const wal_param PARAMS[] = {
    {.name = "game",
     .type = WAL_COMPONENT,
     .required = true,
     .choices = "game|auction",
     .meaning = "what is simulated"},
    {.name = "agents",
     .type = WAL_ARRAY,
     .rank = 1,
     .spreads = true,
     .optional = true,
     .low = 1,
     .high = 0x1p53,
     .meaning = "of a game: how many agents each population has, or a list of such numbers"},
    {.name = "policy",
     .type = WAL_COMPONENT,
     .optional = true,
     .choices = "policy",
     .named = true,
     .meaning = "of a game: what agents play; uniform{} if left out"},
    {.name = "groups",
     .type = WAL_ANY,
     .optional = true,
     .choices = "a list of tables",
     .meaning = "of a game, in place of policy: groups of agents with policies of their own, as "
                "{{share=0.9, policy=...}, ...}"},
    {.name = "mode",
     .type = WAL_TEXT,
     .optional = true,
     .choices = "individual|counts",
     .meaning = "of a game: agents one by one, or counted by state, which takes any number of "
                "them; \"individual\" if left out"},
    {.name = "episodes",
     .type = WAL_INTEGER,
     .optional = true,
     .low = 1,
     .high = 1e9,
     .meaning = "of a game: times that it is played with each number of agents; 100 if left out"},
    {.name = "objective",
     .type = WAL_COMPONENT,
     .optional = true,
     .choices = "objective",
     .named = true,
     .meaning = "of a game: a designer's objective to compare with its limit"},
    {.name = "deviation",
     .type = WAL_FLAG,
     .number = 1,
     .meaning = "of a game: find what an agent gains by another policy (three times the work)"},
    {.name = "record",
     .type = WAL_INTEGER,
     .optional = true,
     .low = 1,
     .high = 1e6,
     .meaning = "of a game, agents one by one: how many of them are followed through the first "
                "episode of the first number of agents"},
    {.name = "samples",
     .type = WAL_INTEGER,
     .optional = true,
     .low = 1,
     .high = 0x1p53,
     .meaning = "of one_shot_auction: times that it is played; 1000000 if left out"},
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
                  .summary =
                      "play a game with finitely many agents, or an auction, with random draws",
                  .source = "docs/population.md, docs/one-shot-auctions.md",
                  .params = PARAMS},
    .check = check,
    .run = run,
};
