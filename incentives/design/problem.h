// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_INCENTIVES_DESIGN_PROBLEM_H
#define WALRAS_INCENTIVES_DESIGN_PROBLEM_H

#include "incentives/design/draws.h"
#include "incentives/design/objective.h"
#include "sim/learn/implicit.h"
#include "sim/learn/learner.h"
#include "sim/learn/unrolled.h"

/**
 * A design problem: a game with parameters theta, what the designer wants of its flow, and how the
 * population answers: by T steps of mirror descent from the uniform policy (Corecco et al. 2025,
 * section 4),
 *
 *   G(theta) = g(flow of softmax(y_T(theta))).
 *
 * Parameters are given to every call: the problem remembers none. All ranks give the same.
 *
 * With draws the game is another one in every step of the design: G is then the mean over the
 * `batch` games of the step, and assessments are about `held_out` games that are always the same.
 * The problem's own game, space and learner are those of the first of these.
 */
typedef struct wal_problem wal_problem;

/** The population's learner: mirror descent on logits. */
typedef struct wal_response {
  double rate, entropy; /**< step size of the logits; weight of the policy's entropy */
  int64_t iterations;   /**< T */
} wal_response;

/** What a problem is made of; parameters are resolved and must outlive it. */
typedef struct wal_problem_parts {
  const wal_game_type *game;           /**< the kind of game */
  wal_params *game_params;             /**< resolved, of that kind */
  const wal_objective_type *objective; /**< what is wanted */
  wal_params *objective_params;        /**< resolved, of that objective */
  wal_response response;               /**< how the population answers */
  const wal_space_options *layout;     /**< NULL for the usual */
  wal_draws *draws;                    /**< NULL: one game, as it is written. Taken over */
  int64_t batch, held_out; /**< with draws: games of a step, and of an assessment; >= 1 */
} wal_problem_parts;

/** As scenarios write the learner: mirror_descent{rate=, entropy=, iterations=}. */
extern const wal_component wal_response_component;
/** WAL_EINPUT if rate * entropy > 1. Rank-local. */
wal_status wal_response_read(wal_ctx *ctx, const wal_params *params, wal_response *out);

/** @param out  owned by the caller, freed with wal_problem_destroy()
 *  WAL_EINPUT if the game lacks the objective; a game that has nothing to design can be assessed.
 *  The draws are taken over, whatever happens. @collective */
wal_status wal_problem_create(wal_ctx *ctx, const wal_problem_parts *parts, wal_problem **out);
/** Frees it and sets *problem to NULL; NULL is let pass. @collective if games are drawn. */
void wal_problem_destroy(wal_problem **problem);

/** The game, with the parameters last set; the problem's own. */
const wal_game *wal_problem_game(const wal_problem *problem);
/** Its layout over the ranks; the problem's own. */
const wal_space *wal_problem_space(const wal_problem *problem);
/** What may be designed in it: the values last set, and which parts they make up. */
const wal_parameters *wal_problem_parameters(const wal_problem *problem);
/** Number of parameters. */
int64_t wal_problem_count(const wal_problem *problem);
/** How the population answers, as it was given. */
const wal_response *wal_problem_response(const wal_problem *problem);

/** The parameters that the game began with. [count] */
const double *wal_problem_start(const wal_problem *problem);

/** Makes the game's parameters theta, as the calls below do. */
void wal_problem_set(wal_problem *problem, const double *theta);

/** Which games the calls below are about, if games are drawn: those of a step of a design of the
 *  context's seed; at first step 0 of restart 0. Rank-local, the same on all ranks. */
void wal_problem_draw(wal_problem *problem, int64_t restart, int64_t step);
/** NULL: games are not drawn. */
const wal_draws *wal_problem_draws(const wal_problem *problem);
/** Games of a step; 1 if games are not drawn. */
int64_t wal_problem_batch(const wal_problem *problem);
/** Games of an assessment; 1 if games are not drawn. */
int64_t wal_problem_held_out(const wal_problem *problem);
/** How many games this rank has to do with in a step, one after the other. */
int64_t wal_problem_turns(const wal_problem *problem);

/** What is known of a design: from the learner's policy after some iterations. */
typedef struct wal_assessment {
  double objective;            /**< g after those iterations */
  double exploitability;       /**< with the learner's entropy; without one as the next */
  double plain_exploitability; /**< of the game itself */
  double start_exploitability; /**< `exploitability` of the uniform policy */
} wal_assessment;

/** G(theta). @collective. Cost: T steps of the learner. WAL_ENONFINITE if it is not finite. */
wal_status wal_problem_evaluate(wal_problem *problem, const double *theta, double *out);

/**
 * The objective after `iterations` of the learner, and how near to an equilibrium that is.
 * @collective. WAL_ENOCONV if the learner diverges: exploitability above that of the uniform
 * policy (with `out` filled).
 */
wal_status wal_problem_assess(wal_problem *problem, const double *theta, int64_t iterations,
                              wal_assessment *out);

/** What the learner of evaluations will take. @collective */
wal_status wal_problem_plan(wal_problem *problem, wal_learner_cost *out);

/** Lets go of what the two below made. Rank-local. */
void wal_problem_forget_derivatives(wal_problem *problem);

/** The policy of the design that was assessed (with its flow), for run files: the learner is kept
 *  until the next evaluation. NULL: none. */
const wal_learner *wal_problem_learner(const wal_problem *problem);

/** WAL_EINPUT, by name, if game or objective lack derivatives, or if the game or the learner cannot
 *  be used with this memory. To be asked before wal_problem_gradient(). @collective */
wal_status wal_problem_differentiate(wal_problem *problem, wal_unrolled_memory memory);

/** The same for derivatives of the equilibrium itself (sim/learn/implicit.h), which stands for G
 *  then: to this tolerance or, after so many steps of the learner, what is accepted. @collective */
wal_status wal_problem_differentiate_equilibrium(wal_problem *problem, double tolerance,
                                                 double accepted, int64_t iterations);

/** How the equilibrium of the last gradient was found; of a batch all together, and the worst. Not
 *  `found`, with a residual that is NaN: there is none. */
wal_implicit_work wal_problem_equilibrium(const wal_problem *problem);

/** G(theta) and its derivatives [count]. @collective. Cost: about four times that of
 *  wal_problem_evaluate(); at the equilibrium, less the nearer it is to the last one.
 *  WAL_ENONFINITE if one is not finite, WAL_ENOCONV if the equilibrium is not found. */
wal_status wal_problem_gradient(wal_problem *problem, const double *theta, double *out,
                                double *gradient);

/** Declares what gradients leave behind for the next one: the equilibrium found last, if that is
 *  what is differentiated. */
void wal_problem_declare(wal_problem *problem, wal_state *state);

/** WAL_ENONFINITE, naming it, if one of `count` numbers is not finite; else its length through
 *  `norm` (NULL: not wanted). Rank-local. */
wal_status wal_problem_check_finite(const wal_problem *problem, const char *what, int64_t count,
                                    const double *values, double *norm);

#endif
