// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_SOLVE_PLAN_H
#define WALRAS_CLI_SOLVE_PLAN_H

#include "cli/task.h"
#include "sim/game/space.h"

/** Refuses a game whose policy, masses and values alone are larger than memory, before its kernels
 *  are made. @collective */
wal_status wal_solve_plan_refuse(wal_job *job, const wal_game *game);

/** What a solve will take; of the rank that takes most. */
typedef struct wal_solve_cost {
  int64_t bytes;       /**< of memory, without what writing takes */
  int64_t writing;     /**< bytes more while the run is written */
  double file;         /**< bytes of the run file, if all iterations are done */
  double work;         /**< values of (stage, state, action) an iteration, all ranks together */
  wal_traffic traffic; /**< an iteration */
} wal_solve_cost;

/** Finds out what the solve of a job will take on this space, without taking it. @collective */
wal_status wal_solve_plan_measure(wal_job *job, const wal_space *space, wal_solve_cost *out);

/** Bytes more that writing the solution takes. @collective */
wal_status wal_solve_plan_writing(const wal_job *job, const wal_space *space, double file,
                                  int64_t *bytes);

/** Fails if that is more memory than there is. @collective */
wal_status wal_solve_plan_fits(wal_job *job, const wal_solve_cost *cost);

/** Prints what a job will take, a line each. Rank 0.
 *  @param noun  what `work` and `traffic` are of: "iteration", "step" */
void wal_solve_plan_print(const wal_job *job, const wal_game *game, const wal_solve_cost *cost,
                          const char *noun, bool at_most);

/** Refuses what does not fit into memory or on the disk, before anything but the space is
 *  allocated, and in a dry run prints memory, file size, work and communication. @collective */
wal_status wal_solve_plan(wal_job *job, const wal_space *space);

#endif
