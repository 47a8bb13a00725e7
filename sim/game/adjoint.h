// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_GAME_ADJOINT_H
#define WALRAS_SIM_GAME_ADJOINT_H

#include "sim/game/value.h"

/**
 * The reverse of a forward and a backward sweep. Both together take logits y and the game's
 * parameters theta to the soft action values q of the policy softmax(y) in its own flow, and to an
 * objective g of that flow. Given the bar of q (the derivative of one number by it) and what g
 * adds, the adjoint sweep gives the bars of y and of theta (Corecco et al. 2025, Algorithm 1: the
 * two vector-Jacobian products of a learner's step).
 *
 *   first pass, h = 0 .. H-1:   the value recursion reversed; bars of V travel as mass does
 *   second pass, h = H-1 .. 0:  the flow reversed; bars of mass travel as values do
 *
 * Distributed as the sweeps are, with the same bits on every number of ranks.
 */
typedef struct wal_adjoint wal_adjoint;

/** What a seed has at hand for one tile of one stage; bars are added to. */
typedef struct wal_adjoint_tile {
  wal_slab slab;             /**< its stage and states */
  int64_t tile;              /**< its number on this rank */
  const double *mass;        /**< [count] */
  const double *pi;          /**< [A][stride] */
  const double *statistic;   /**< z_h, completed */
  double *mass_bar, *pi_bar; /**< [count]; [A][stride] */
  double *statistic_bar;     /**< this tile's share */
} wal_adjoint_tile;

/** The objective's own derivatives by the flow: what it reads of masses, policy and statistics. */
typedef struct wal_adjoint_seed {
  /** Once a stage, descending, before its tiles; every rank with the same numbers. May be NULL. */
  void (*stage)(void *user, int stage, const double *statistic, double *statistic_bar);
  /** Once a tile; rank-local. May be NULL. */
  void (*tile)(void *user, const wal_adjoint_tile *tile);
  void *user; /**< handed to both */
} wal_adjoint_seed;

/** What an adjoint sweep is asked for. */
typedef struct wal_adjoint_request {
  double entropy;      /**< of the soft values, >= 0 */
  const double *q_bar; /**< as the policy's values [H][space->pairs], times `scale`; NULL: 0 */
  double scale;        /**< what q_bar is multiplied by */
  const wal_adjoint_seed *seed; /**< NULL: 0 */
  /** NULL, or: the policy's logits are those after this step. It is taken back first, tile by tile,
   *  with the flow and values that were before it: y <- (y - rate * q) / keep. Not for games that
   *  read their policy. */
  const wal_logit_step *undo;
  double *logits_bar;     /**< [H][space->pairs]: receives keep * itself + bar; may be q_bar */
  double keep;            /**< what logits_bar is multiplied by before the bar is added */
  double *parameters_bar; /**< [parameters of the game]: added to, the same on all ranks; NULL:
                             not wanted, and none may be put off from runs before */
} wal_adjoint_request;

/** WAL_EINPUT, naming the game, if it lacks a derivative that adjoint sweeps need. Rank-local. */
wal_status wal_adjoint_check(wal_ctx *ctx, const wal_game *game);

/** Makes room for adjoint sweeps of a space, which must outlive it. @collective
 *  Cost: memory for an array of policy size, one of mean-field size, and some of a stage. */
wal_status wal_adjoint_create(const wal_space *space, wal_adjoint **out);
/** Frees it and sets *adjoint to NULL; NULL is let pass. Rank-local. */
void wal_adjoint_destroy(wal_adjoint **adjoint);

/**
 * Both passes of an adjoint sweep.
 * @param flow    that of the policy (with undo: of the one before the step)
 * @param values  have kept its WAL_VALUE_SOFT_POLICY; not read without q_bar
 * @param policy  logits
 * @collective. Cost: about twice that of the two sweeps. That bars are finite is not
 * looked at.
 */
wal_status wal_adjoint_run(wal_adjoint *adjoint, const wal_flow *flow, wal_values *values,
                           const wal_policy *policy, const wal_adjoint_request *request);

/** Adds to the parameters' bars what the runs so far have put off. To be called after the last of
 *  them. @collective */
wal_status wal_adjoint_flush(wal_adjoint *adjoint, double *parameters_bar);

#endif
