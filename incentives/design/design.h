// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_INCENTIVES_DESIGN_DESIGN_H
#define WALRAS_INCENTIVES_DESIGN_DESIGN_H

#include "incentives/design/method.h"
#include "incentives/design/optimizer.h"

/** How a design goes on, and when it ends: after `steps`, or at the first step after `seconds`. */
typedef struct wal_design_plan {
  const wal_method_type *method;       /**< how the next parameters are found */
  wal_params *method_params;           /**< resolved, of that method */
  const wal_optimizer_type *optimizer; /**< NULL only with a method that moves by itself */
  wal_params *optimizer_params;        /**< resolved, of that optimizer */
  int64_t steps;                       /**< most steps, >= 0 */
  double seconds;                      /**< 0: no limit. With one, results depend on the machine */
  int64_t every;                       /**< assess every so many steps, and at the end; 0: never */
  int64_t iterations;                  /**< of the learner in assessments */
  double settled;  /**< exploitability with entropy in assessments, up to which a design can be
                        the best while there is such a one; 0: no limit */
  int64_t restart; /**< 0, 1, ...: designs that differ in it draw other numbers */
} wal_design_plan;

/** What is known of theta_k, the parameters before step k. Where the learner diverges there is a
 * last row with what was found until then, NaN otherwise. */
typedef struct wal_design_row {
  int64_t step;          /**< k */
  double objective;      /**< G, or the method's estimate of it */
  double gradient_norm;  /**< length of the direction; NaN without one, and in the last row */
  double seconds;        /**< since the design began */
  double assessed;       /**< objective of the assessment; NaN, as the next, where there is none */
  double exploitability; /**< of the assessment, with the learner's entropy */
  double plain_exploitability; /**< of the assessment, of the game itself */
  double residual;             /**< of the method's equilibrium; NaN if it has none */
} wal_design_row;

/** A design at work on a problem. */
typedef struct wal_design {
  wal_problem *problem;           /**< not its own */
  wal_design_plan plan;           /**< as it was given */
  wal_method *method;             /**< at work on the problem */
  wal_optimizer *optimizer;       /**< NULL with a method that moves by itself */
  double *direction, *next_theta; /**< [count] each: scratch */
  /* state */
  double *theta, *best_theta;  /**< [count]: now, and of the best row */
  double *good_theta;          /**< of the last row that was followed by a step; first the start */
  int64_t count, room;         /**< parameters, and room for them */
  wal_design_row *rows;        /**< [row_count]: the trace */
  int64_t row_count, row_room; /**< rows, and for how many there is room */
  int64_t best;                /**< row with the largest value; -1: none yet */
  int64_t step;                /**< that comes next */
  int64_t done;                /**< 1: the last row is written */
} wal_design;

/**
 * A design that begins at the problem's own parameters.
 * @param problem  must outlive the design, as the parameters in `plan`
 * @collective. WAL_EINPUT if the method cannot be used on the problem.
 */
wal_status wal_design_create(wal_problem *problem, const wal_design_plan *plan, wal_design **out);
/** Frees the design and sets *design to NULL; NULL is let pass. Rank-local. */
void wal_design_destroy(wal_design **design);

/** What a design will take of this rank's memory, beyond what the problem has: it is made on
 *  addresses without memory. @collective */
wal_status wal_design_cost(wal_problem *problem, const wal_design_plan *plan, int64_t *bytes);

/** Declares what a design needs to go on later as if it had never stopped. */
void wal_design_declare(wal_design *design, wal_state *state);

/** Who is told of every row, on all ranks (must not fail and must not communicate in the problem's
 *  context), and asked between two steps, when the design could go on later from what
 *  wal_design_declare() declares; *stop to end it there (@collective). Either may be NULL. */
typedef struct wal_design_watch {
  void (*report)(void *user,
                 const wal_design *design);    /**< told of the row written last; NULL: nobody */
  wal_status (*pause)(void *user, bool *stop); /**< asked between steps; NULL: nobody */
  void *user;                                  /**< handed to both */
} wal_design_watch;

/**
 * Takes the steps that are left. The best parameters are those of the assessed row with the largest
 * objective or, without assessments, of the row with the largest G that is no estimate.
 * @param watch  NULL: nobody
 * @collective. WAL_ENONFINITE: theta is then the last one for which all was finite, and the best so
 * far is kept; WAL_ENOCONV if the learner diverges in an assessment or finds no equilibrium: theta
 * is that of the step before; WAL_ESTOPPED if pause() said so.
 */
wal_status wal_design_run(wal_design *design, const wal_design_watch *watch);

/** Whether a row's exploitability is what the plan asks for. */
bool wal_design_settled(const wal_design *design, int64_t row);

/** Of the best row: the objective by which it is the best one. NaN: there is none. */
double wal_design_best_objective(const wal_design *design);

#endif
