// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_SWEEP_H
#define WALRAS_CLI_SWEEP_H

#include "cli/task.h"
#include "io/json.h"

enum { WAL_SWEEP_RUNS = 1000000 };

/**
 * The runs that a sweep describes: every combination of the varied values (or every task of its
 * list), each with every seed. Keys are in byte order, the last one changes fastest, and seeds
 * change faster still.
 */
typedef struct wal_sweep {
  const wal_params *params;
  const wal_node *base; /**< NULL if there is a list of tasks */
  const wal_node *vary; /**< NULL if nothing varies */
  const wal_node *list; /**< NULL if there is a base */
  int64_t settings, seeds, count;
  int64_t ranks_per_run; /**< least ranks that do a run together; 0: as few as keep all busy */
  bool keeps;            /**< of runs not only a row is wanted */
  bool restarts;         /**< the runs are restarts of the job's own task (cli/design_restarts.h) */
  const char *noun;      /**< what a run is called */
} wal_sweep;

/** Reads what `params` (of a sweep) describe and checks its form, not yet the runs. Rank-local.
 *  @param out  points into params */
wal_status wal_sweep_open(wal_ctx *ctx, const wal_params *params, wal_sweep *out);

/** The tree of run `run`: a task, as if the scenario had written it. */
wal_status wal_sweep_tree(wal_ctx *ctx, const wal_sweep *sweep, int64_t run, wal_node **out);

/** The resolved parameters of a run, and its kind of task. Errors end with what the run varies. */
wal_status wal_sweep_resolve(wal_ctx *ctx, const wal_sweep *sweep, int64_t run,
                             const wal_task_type **type, wal_params **out);

/** Adds what a run varies, cut short where it is long: "game.states=10, learner.rate=0.1". */
void wal_sweep_run_text(wal_text *text, const wal_sweep *sweep, int64_t run);

/** Adds to an error's text which run it is of: "... (run 3: learner.rate=0.1)". */
wal_status wal_sweep_blame(wal_ctx *ctx, const wal_sweep *sweep, int64_t run, wal_status status);

/** Place in its list (from 0) of the value of key `key` in a run. */
int64_t wal_sweep_choice(const wal_sweep *sweep, int64_t key, int64_t run);

/** Resolves and checks all runs, spread over the ranks; the failure of the first wrong one.
 *  @collective ctx */
wal_status wal_sweep_check(wal_ctx *ctx, const wal_sweep *sweep);

/** Adds a value on one line, as a scenario would write it, cut short where it is long.
 *  @param choice  its place in its list, which stands for what has no text: a function */
void wal_sweep_value_text(wal_text *text, const wal_node *value, int64_t choice);

#endif
