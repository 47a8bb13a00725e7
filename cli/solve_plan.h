// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_SOLVE_PLAN_H
#define WALRAS_CLI_SOLVE_PLAN_H

#include "cli/task.h"
#include "sim/learn/learner.h"

/** Refuses a game whose policy, masses and values alone are larger than memory, before its kernels
 *  are made. @collective */
wal_status wal_solve_plan_refuse(wal_job *job, const wal_game *game);

/**
 * What the solve will take, all of it known before anything large is allocated: refuses what does
 * not fit into memory, and in a dry run prints memory, file size, work and communication.
 * @param space   the game laid out, which the figures include
 * @param params  of the learner
 * @collective
 */
wal_status wal_solve_plan(wal_job *job, const wal_space *space, const wal_learner_type *type,
                          wal_params *params);

#endif
