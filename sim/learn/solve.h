// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_LEARN_SOLVE_H
#define WALRAS_SIM_LEARN_SOLVE_H

#include "sim/learn/learner.h"

/** When a solve ends: at `iterations`, or when exploitability <= absolute + relative * initial and,
 * if `regularized` is not 0, that with the learner's entropy <= regularized. With a tolerance, what
 * rounding leaves of the difference of two values (1e-14 of them) counts as 0. */
typedef struct wal_stop {
  int64_t iterations;        /**< most of them, >= 0 */
  double absolute, relative; /**< both 0: not asked for */
  int64_t every;             /**< measure exploitability every so many iterations, >= 1 */
  double regularized;        /**< for learners with entropy; 0: not asked for */
} wal_stop;

/** What was measured, one entry a measured iteration; entry 0 is the start. */
typedef struct wal_trace {
  wal_measure *rows;       /**< [count] */
  double *seconds;         /**< since the solve began */
  int64_t count, capacity; /**< entries, and for how many there is room */
  int64_t best;            /**< entry with the least exploitability */
  bool converged;          /**< a tolerance was asked for and reached */
  bool tolerance;          /**< a tolerance was asked for */
  wal_traffic traffic;     /**< of this rank, from the start of the solve to its end */
  /* where the solve stands between two iterations */
  int64_t next;    /**< iteration that comes next */
  int64_t careful; /**< 1: the last measurement met the tolerance, but its policy is gone */
} wal_trace;

/** Declares what a solve needs to go on: the learner's state and the trace so far. */
void wal_solve_declare(wal_learner *learner, wal_trace *trace, wal_state *state);

/** Told of every iteration, on all ranks, and whether it was measured (it is then the trace's last
 *  entry); must not fail and must not communicate in the learner's context. */
typedef void (*wal_solve_report)(void *user, const wal_trace *trace, bool measured);

/** Asked between two iterations, when a solve could go on later from what wal_solve_declare()
 *  declares; *stop to end it there. @collective */
typedef wal_status (*wal_solve_pause)(void *user, bool *stop);

/** Who is told and asked during a solve; either may be NULL. */
typedef struct wal_solve_watch {
  wal_solve_report report; /**< told of iterations */
  wal_solve_pause pause;   /**< asked between them */
  void *user;              /**< handed to both */
} wal_solve_watch;

/**
 * Runs a learner until the stop rule holds. Afterwards the learner's policy, flow and kept values
 * (of the policy) belong together and to the trace's last entry.
 *
 * A learner updates the policy within the sweep that measures it. When such a measurement meets the
 * tolerance, the next policy is measured before anything is changed, and the solve ends if that
 * meets it too: the entry that ends a trace always meets the rule.
 * @param watch  NULL: nobody
 * @param trace  zeroed by the caller, or that of a solve that goes on, its state having been read
 *               back; freed with wal_trace_free()
 * @collective. WAL_ENONFINITE as wal_learner_sweep(); WAL_ESTOPPED if pause() said so; not
 * converging is no error here.
 */
wal_status wal_solve(wal_learner *learner, const wal_stop *stop, const wal_solve_watch *watch,
                     wal_trace *trace);
/** Frees what a trace holds; a zeroed one is let pass. Rank-local. */
void wal_trace_free(wal_ctx *ctx, wal_trace *trace);

#endif
