// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_PLAYED_H
#define WALRAS_CLI_PLAYED_H

#include <stdio.h>

#include "cli/solve_plan.h"
#include "sim/game/policy.h"

/*
 * What a solve or a design found, played by so many agents when it has ended: what `simulate` would
 * say of it (cli/population_series.h) in the same run file. Nothing of it goes into a checkpoint: a
 * run that goes on plays anew.
 */

/** Parameters of the tasks that can play their result. */
#define WAL_PLAYED_PARAMS                                                                  \
  {.name = "agents",                                                                       \
   .type = WAL_ARRAY,                                                                      \
   .rank = 1,                                                                              \
   .spreads = true,                                                                        \
   .optional = true,                                                                       \
   .low = 1,                                                                               \
   .high = 0x1p53,                                                                         \
   .meaning =                                                                              \
       "play the result with so many agents in each population, or with each number of a " \
       "list; left out: it is not played"},                                                \
      {.name = "episodes",                                                                 \
       .type = WAL_INTEGER,                                                                \
       .optional = true,                                                                   \
       .low = 1,                                                                           \
       .high = 1e9,                                                                        \
       .meaning = "with agents: times that it is played with each number; left out 100"},  \
  {                                                                                        \
    .name = "mode", .type = WAL_TEXT, .optional = true, .choices = "individual|counts",    \
    .meaning =                                                                             \
        "with agents: one by one, or counted by state, which takes any number of them; "   \
        "left out \"individual\""                                                          \
  }

/** Whether the parameters of a task ask for it. Rank-local. */
bool wal_played_wanted(const wal_params *params);

/** Fills what was left out and finds mistakes. Rank-local. */
wal_status wal_played_check(wal_ctx *ctx, wal_params *params);

/** Adds what playing takes to the cost of a job, if that plays: refuses what cannot be played with
 *  this memory, or at all. @param objective  of the task; NULL: none. @collective job->ctx */
wal_status wal_played_plan(wal_job *job, const wal_game *game, wal_params *objective,
                           wal_solve_cost *cost);
/** Prints what it will play, if anything: a line of the plan. Rank 0. */
void wal_played_print_plan(const wal_job *job, const wal_game *game);

/** What came of it. */
typedef struct wal_played wal_played;

/**
 * Plays a policy in its game as this stands, if the job asks for it, and puts /population into a
 * file that has /axes. What is not finite is not there then, with a warning.
 * @param objective  measured, too; NULL: none
 * @param out        to be destroyed before the game; NULL: nothing was played
 * @collective job->ctx
 */
wal_status wal_played_run(wal_job *job, const wal_policy *policy, wal_params *objective,
                          wal_run_file *file, wal_played **out);
/** Prints the table; NULL: nothing. */
void wal_played_print(const wal_played *played, FILE *out);
/** Frees it and sets *played to NULL; NULL is let pass. */
void wal_played_destroy(wal_played **played);

#endif
