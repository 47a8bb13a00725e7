// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_DESIGN_PARTS_H
#define WALRAS_CLI_DESIGN_PARTS_H

#include "cli/task.h"
#include "incentives/design/design.h"

/* What a scenario says of a design, and what is made of it. */

/** The parameters of the task `design`; ends with a NULL name. */
extern const wal_param wal_design_params[];

/** Finds all mistakes: wal_task_type.check. Rank-local. */
wal_status wal_design_parts_check(wal_ctx *ctx, wal_params *params);

/** How the design goes on, by the parameters of the task. */
wal_design_plan wal_design_parts_plan(const wal_params *params);

/** The design's problem or, with another game than the scenario's, one to compare it with, which
 *  need not have all of the numbers that are drawn.
 *  @param of_game  the parameters of the game. @collective job->ctx */
wal_status wal_design_parts_problem(const wal_job *job, wal_params *of_game, wal_problem **out);

#endif
