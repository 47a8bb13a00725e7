// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_AGENTS_POPULATION_H
#define WALRAS_SIM_AGENTS_POPULATION_H

#include "sim/agents/crowd.h"
#include "sim/core/state.h"
#include "sim/game/value.h"

/** A share of every population, with a policy of its own. */
typedef struct wal_population_group {
  double share;                /**< > 0; those of all groups sum to 1 */
  const double *const *policy; /**< [H] of [pairs], as wal_crowd_group */
} wal_population_group;

/** A number that a designer cares about, of the flow and policy that the arena holds. Rank-local.
 */
typedef struct wal_population_objective {
  wal_status (*measure)(void *user, const wal_arena *arena, double *out); /**< NULL: none */
  void *user;                                                             /**< handed to it */
} wal_population_objective;

/** What is asked of a population. Everything must outlive it. */
typedef struct wal_population_plan {
  const wal_space *space;             /**< of this rank alone, as an arena wants it */
  int groups;                         /**< >= 1 */
  const wal_population_group *group;  /**< [groups] */
  const wal_crowd_type *mode;         /**< how agents are kept */
  wal_population_objective objective; /**< measured in every episode */
  bool deviates; /**< agents who try the best response to the limit are measured, too */
} wal_population_plan;

/**
 * How N agents do, measured over many episodes, beside the limit of infinitely many. Returns are
 * sums over the stages of an agent's rewards, its mean over the agents of a population summed over
 * the populations, as values are.
 */
typedef struct wal_population {
  wal_ctx *ctx;             /**< not its own */
  wal_population_plan plan; /**< as it was given */
  wal_arena arena;          /**< where episodes are played */
  /* the limit */
  double value, objective; /**< of the mean field; the objective is NaN without one */
  double *group_value;     /**< [groups] */
  double *mass;            /**< [H][S]: mean field */
  double deviation_gain;   /**< what the best response to the limit gains there, of all groups */
  double **best;           /**< [H] of [pairs]: that best response; NULL unless it deviates */
  struct wal_population_scratch *scratch; /**< the population's own */
} wal_population;

/** Quantities of which wal_population_run() estimates means. Then the returns of the groups, their
 *  gains by deviating if these are measured, then distances of the stages. */
enum {
  WAL_POPULATION_RETURN,        /**< return of an agent */
  WAL_POPULATION_RETURN_GAP,    /**< how far it is from the value in the limit, its size */
  WAL_POPULATION_OBJECTIVE,     /**< NaN without */
  WAL_POPULATION_OBJECTIVE_GAP, /**< how far it is from that in the limit, its size */
  WAL_POPULATION_DISTANCE, /**< L1 distance of the masses from the mean field, mean of stages */
  /** What an agent gains by playing the best response to the limit, all others staying; of the
   *  groups by their shares; NaN without. */
  WAL_POPULATION_GAIN,
  WAL_POPULATION_CONTROL, /**< varies with the gain, and is 0 in the mean */
  WAL_POPULATION_QUANTITIES
};

/** Place of a group's return among the numbers of an episode. */
int wal_population_group_return(const wal_population *population, int group);
/** Place of what a group's agents gain by deviating; there only if the plan says `deviates`. */
int wal_population_group_gain(const wal_population *population, int group);
/** Place of that gain's control. */
int wal_population_group_control(const wal_population *population, int group);
/** Place of a stage's distance from the mean field. */
int wal_population_stage_distance(const wal_population *population, int stage);
/** How many numbers an episode has. */
int wal_population_width(const wal_population *population);

/** Computes the limit. WAL_EINPUT for a game in which what deviating gains is not defined
 *  (shape.reads_policy) if that is asked for. @collective ctx; every rank does the same. */
wal_status wal_population_create(wal_ctx *ctx, const wal_population_plan *plan,
                                 wal_population *out);
/** Frees what it holds; a zeroed one is let pass. Rank-local. */
void wal_population_destroy(wal_population *population);

/** Bytes of this rank's memory that it will take with so many agents, beyond the space and the
 *  policies: it is made on addresses without memory. @collective ctx */
wal_status wal_population_cost(wal_ctx *ctx, const wal_population_plan *plan, int64_t agents,
                               int64_t *bytes);

/** What episodes of N agents came to: one row each, in their order. Zeroed, it is empty. */
typedef struct wal_population_rows {
  double *values;      /**< [count][width] */
  int64_t count, room; /**< rows */
} wal_population_rows;

/** Asked between two batches of episodes; *stop ends the run there. @collective */
typedef struct wal_population_watch {
  wal_status (*pause)(void *user, const wal_population_rows *rows, bool *stop); /**< NULL: nobody */
  void *user;                                                                   /**< handed to it */
} wal_population_watch;

/**
 * Plays episodes of N agents until there are `episodes` rows: large populations are shared by the
 * ranks, of small ones every rank plays other episodes. Groups have round(share * N) agents (by
 * largest remainders), so that some may be empty.
 * @param rows  those already there are kept. Freed with wal_population_rows_free()
 * @collective. The same bits on every number of ranks. WAL_ESTOPPED if the watch said so;
 * WAL_ENONFINITE, naming the episode.
 */
wal_status wal_population_run(wal_population *population, int64_t agents, int64_t episodes,
                              const wal_population_watch *watch, wal_population_rows *rows);
/** Frees rows, which are then empty. Rank-local. */
void wal_population_rows_free(wal_ctx *ctx, wal_population_rows *rows);
/** Declares rows for a checkpoint. */
void wal_population_rows_declare(const wal_population *population, wal_population_rows *rows,
                                 wal_state *state);

/** Mean over the episodes of one number, and its standard error (NaN of a single one). Of gains
 * with what their control explains taken away (regression, as control variates are used). */
typedef struct wal_population_estimate {
  double mean, error; /**< the mean, and its standard error */
} wal_population_estimate;
/** Of the number at `place` of every row. Rank-local. */
wal_population_estimate wal_population_estimate_of(const wal_population *population,
                                                   const wal_population_rows *rows, int place);

/** Agents of a group of N, in each population. */
int64_t wal_population_group_size(const wal_population *population, int64_t agents, int group);

/** y = constant * N^slope, fitted to logarithms, with a 95 % interval of the slope (Student's t).
 */
typedef struct wal_population_slope {
  double slope, low, high; /**< the slope, and the ends of its interval */
} wal_population_slope;
/** @param count  points; NaN without at least 2 positive ones (interval: 3). Rank-local. */
wal_population_slope wal_population_slope_of(int64_t count, const double *agents,
                                             const double *gap);

#endif
