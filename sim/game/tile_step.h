// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_GAME_TILE_STEP_H
#define WALRAS_SIM_GAME_TILE_STEP_H

#include "sim/game/tile.h"

/**
 * Arithmetic of tiles for games whose probabilities of outcomes depend on the action only, and the
 * step of regularized mirror descent in one go. What is worked on at a time are eight states with
 * all their actions, so that it stays in first-level cache from one pass over it to the next.
 */

/**
 * q[a][s] = base[a][s] + sum_k weight[k][a] reached[k][s], not stored but told how to make it.
 * With `outcomes` 0 it is `base` itself.
 */
typedef struct wal_tile_value {
  const double *base;
  int64_t base_stride; /**< from one action to the next: the tile's stride, or 0 for one row */
  int outcomes;
  const double *weight;  /**< [K][A] */
  const double *reached; /**< [K][stride] */
} wal_tile_value;

/** Stores it. `base` may be `out`. */
void wal_tile_value_store(wal_tile t, const wal_tile_value *q, double *out);

/** share[k][s] = sum_a weight[k][a] pi[a][s]: how probable the outcomes are in each state. */
void wal_tile_outcome_shares(wal_tile t, int outcomes, const double *weight, const double *pi,
                             double *share);

/** sum[a] += sum_s mass[s] pi[a][s], each sum over states as wal_dot(): what couple() of a game
 *  whose statistic is the mass of each action needs. */
void wal_tile_action_mass(wal_tile t, const double *mass, const double *pi, double *sum);

/** y <- keep * y + rate * q on the logits y, and the values of the policy before. */
typedef struct wal_tile_step {
  double keep, rate, entropy;
  const double *pi, *log_norm; /**< before: softmax of y, and log sum_a exp(y); unused without v */
  double *y;
  double *v;        /**< receives what wal_tile_soft_expectation() gives for pi, y and q; NULL: not
                         wanted */
  double *next_pi;  /**< receives softmax of the new y, may be pi; NULL: not wanted */
  double *next_log; /**< then also its log sum_a exp(y), may be log_norm */
} wal_tile_step;

void wal_tile_step_run(wal_tile t, const wal_tile_value *q, const wal_tile_step *step);

#endif
