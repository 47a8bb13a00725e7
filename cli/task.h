// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_TASK_H
#define WALRAS_CLI_TASK_H

#include <stdio.h>

#include "cli/control.h"
#include "cli/options.h"
#include "io/live.h"
#include "io/run_file.h"
#include "io/scenario.h"
#include "sim/game/game.h"

/** What a task works with: how the program was called, and the scenario. */
typedef struct wal_job {
  wal_ctx *ctx; /**< its seed is the task's */
  const wal_options *options;
  wal_scenario *scenario;
  bool derived;  /**< a run of a sweep: nobody wrote it, its source is its resolved form */
  bool recorded; /**< such a run whose file is kept in memory, then sent */
  const wal_params *whole; /**< such a run that is a restart: the parameters of the job, of which
                                its own differ in the seed; else NULL */
  FILE *said;              /**< where a restart prints what it comes to; NULL: nowhere */
  wal_params *params;      /**< resolved parameters of the task */
  const char *output;      /**< path of the run file */
  const char *command_line;
  const char *source, *scenario_file; /**< of a resumed run: what it was started with; else NULL */
  bool resumes;                       /**< goes on from a checkpoint of `output` ... */
  int64_t resume_at;                  /**< ... at this iteration */
  double started;                     /**< wal_clock() of the program's start */
  wal_live *live;                     /**< its live view; that of a sweep in the runs of a sweep */
  wal_reason stopped_by;              /**< why it was stopped, if it was */
  void (*tick)(void *user); /**< called now and then while the task works, on every rank; or NULL */
  void (*stepped)(void *user,
                  int64_t step);  /**< a restart tells of its steps before tick(); or NULL */
  wal_reason (*told)(void *user); /**< of a run of a sweep: cli/control.h */
  void *user;
} wal_job;

/** The scenario's text as its author wrote it, and the name of its file. */
const char *wal_job_source(const wal_job *job);
const char *wal_job_scenario_file(const wal_job *job);

/** What a finished run comes to: a row of a table. The same on all ranks. */
typedef struct wal_figures {
  int64_t iterations;
  double first, best, last; /**< exploitability */
  double regularized;       /**< that with the learner's entropy, last; NaN without */
  double value;
  double objective;  /**< of a design: that of its best parameters; NaN without */
  int64_t best_step; /**< which those are */
  bool unsettled;    /**< it has more exploitability than was asked for */
  bool converged;    /**< a tolerance was asked for and reached */
  double seconds;
  int64_t game;                     /**< its place in the list of games, whose report has ... */
  double total[WAL_REPORT_COLUMNS]; /**< ... these totals */
} wal_figures;

/** The exploitability that a solve ended with, with or without the learner's entropy (NaN: none),
 *  whichever is less, as a share of the first; 0 if that is small beside the first and the value.
 */
double wal_exploitability_left(double first, double last, double regularized, double value);

/** A kind of task: what a scenario returns. */
typedef struct wal_task_type {
  wal_component component; /**< kind "task" */
  /** Makes what the parameters describe and throws it away: finds all mistakes, and tabulates
   *  functions so that the resolved scenario is complete. Rank-local, except for a sweep's, which
   *  all ranks call together. */
  wal_status (*check)(wal_ctx *ctx, wal_params *params);
  /** Does the work, writes the run file, prints the result on rank 0. @collective
   *  WAL_ENOCONV if it ended before convergence; the run file is there all the same. */
  wal_status (*run)(wal_job *job);

  /** Compares derivatives with differences in so many directions, prints what came of it on rank 0.
   *  NULL: the task has none. WAL_EINTERNAL if they differ. @collective */
  wal_status (*check_gradients)(wal_job *job, int64_t directions);

  /* What a sweep over such tasks needs; NULL: it cannot be swept. */

  /** Bytes of memory that a rank of job->ctx will need, and of what goes into the file. WAL_EINPUT
   * if it does not fit into memory; says nothing. @collective job->ctx */
  wal_status (*estimate)(wal_job *job, double *bytes, double *file);
  /** Does the work and puts all but /run into *file, which is made under job->output once there is
   *  something to write if it is NULL. WAL_ENOCONV as run(). @collective job->ctx */
  wal_status (*work)(wal_job *job, wal_run_file **file, wal_figures *figures);
} wal_task_type;

/** Begins the live view of a job that is not derived, which has task, seed, ranks and command of
 *  `head` from the job; wal_job_run() ends it. */
void wal_job_watch(wal_job *job, const wal_live_head *head);

/** Lets the live view tell why the job was ended if that happens in a context that was not split
 *  from the job's. */
void wal_job_tell_end(wal_job *job, wal_ctx *ctx);

/** Runs a job's task; when the task has ended its checkpoints go. @collective */
wal_status wal_job_run(wal_job *job, const wal_task_type *type);

/** The parameter `seed` of tasks. */
#define WAL_TASK_SEED_PARAM                                                     \
  {                                                                             \
    .name = "seed", .type = WAL_INTEGER, .number = 1, .low = 0, .high = 0x1p53, \
    .meaning = "seed of all random draws"                                       \
  }

int64_t wal_task_count(void);
const wal_task_type *wal_task_at(int64_t index);
const wal_task_type *wal_task_find(const char *name);

#endif
