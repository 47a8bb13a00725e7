// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_LIBRARY_STUDY_H
#define WALRAS_LIBRARY_STUDY_H

#include "incentives/design/design.h"
#include "io/scenario.h"
#include "sim/learn/solve.h"

/**
 * A design, or a solve, in a program of one's own, told as scenarios tell it (docs/scenarios.md),
 * in games of the library and in own ones:
 *
 *   return design { game = ferry { toll = toll { max = 2 } }, objective = congestion {} }
 *   return solve { game = ferry {}, stop = { iterations = 200 } }
 *
 * All parts may be used; they live as long as the study. Those of the other task are NULL or
 * zeroed.
 */
typedef struct wal_study {
  wal_ctx *ctx;           /**< not its own */
  wal_params *params;     /**< of the task, resolved: all defaults are filled in */
  wal_problem *problem;   /**< of a design: the game, what is wanted of it, and how the population
                               answers */
  wal_design *design;     /**< of a design: its trace, and its parameters */
  wal_game game;          /**< of a solve: the game */
  wal_space *space;       /**< of a solve: the game's states, spread over the ranks */
  wal_learner *learner;   /**< of a solve: policy, mean field (`flow`) and values */
  wal_trace trace;        /**< of a solve: exploitability, iteration by iteration */
  wal_catalogue *known;   /**< what the text may name */
  wal_scenario *scenario; /**< the text, whose functions the game may call */
} wal_study;

/**
 * Makes the design or the solve that a text asks for. Rank-local checks first; the ranks agree on
 * what is wrong. The seed is the text's, or else stays the context's. Nothing is written or
 * printed.
 * @collective ctx
 * @param ctx    must outlive the study
 * @param name   what error texts begin with, as "ferry.lua"
 * @param text   Lua, or the JSON of a resolved scenario if `name` ends in .json; copied
 * @param games  own games, ended by NULL, or NULL for none: each with its `struct_size`, a
 *               component of the kind "game", and a name that nothing else has; they must outlive
 *               the study. Own games take `toll = toll{}` if WAL_TOLL_PARAM is among their
 *               parameters
 * @param out    owned by the caller, freed by wal_study_destroy(); NULL after a failure
 * @return WAL_EINPUT, as `name:line: what: expected ... got ...`, for all that is wrong in the text
 *         or between its parts (no derivatives for a method that needs them), for another task than
 *         `design` and `solve`, for `restarts`, which only the program walras has, and where memory
 *         is short; WAL_EINTERNAL for a game whose table is of another version.
 */
wal_status wal_study_create(wal_ctx *ctx, const char *name, const char *text,
                            const wal_game_type *const *games, wal_study **out);

/** Frees the study and sets *study to NULL; NULL is let pass. @collective ctx */
void wal_study_destroy(wal_study **study);

/**
 * Takes the design's steps, and judges it where it began and at its best, each after as many
 * iterations of the learner as `evaluate` says. The game has the best parameters then (its toll the
 * best charges), and wal_problem_learner() how it is played.
 * @collective. Cost: a step forwards and backwards is about four times the learner's iterations.
 * @param start  receives the judgement of the parameters it began with
 * @param best   receives that of the best ones
 * @return as wal_design_run() and, of the best parameters, as wal_problem_assess(). That the
 * learner diverges where the design began is no failure: `start` tells of it. WAL_EINPUT for the
 * study of a solve.
 */
wal_status wal_study_run(wal_study *study, wal_assessment *start, wal_assessment *best);

/**
 * Learns until the solve's `stop` holds. study->trace has what was measured then; its last row is
 * about the policy, the mean field and the values that study->learner has: those of this rank's
 * states, which wal_policy_export() and wal_flow_mass() give. A solve that has ended stays as it
 * is.
 * @collective. Cost: an iteration is a sweep forwards and one backwards over all stages, states,
 * actions and outcomes.
 * @return WAL_OK also where a tolerance was asked for and not reached, which study->trace.converged
 * tells; WAL_ENONFINITE, naming iteration, stage and state, if a mass or value is not finite;
 * WAL_EINPUT for the study of a design.
 */
wal_status wal_study_solve(wal_study *study);

/**
 * The mean field at a stage, as it was last played: after wal_study_solve() that of the equilibrium
 * found, after wal_study_run() that of the best design.
 * @collective. Cost: every mass goes to every rank.
 * @param stage  0 <= stage < horizon of the game
 * @param mass   [states of the game], receives the masses of all states on every rank; they sum to
 *               1 in each population. The caller's
 * @return WAL_EINPUT for another stage and before anything was played.
 */
wal_status wal_study_mass(const wal_study *study, int stage, double *mass);

/** The version of the library, as "0.1.0". A static string. */
const char *wal_version(void);

#endif
