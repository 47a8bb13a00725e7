// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_GAME_TILE_ADJOINT_H
#define WALRAS_SIM_GAME_TILE_ADJOINT_H

#include "sim/game/tile_step.h"

/**
 * Arithmetic of tiles for adjoint sweeps (sim/game/adjoint.h). The bar of x is the derivative of
 * one number by x. Sums over states keep eight lanes, as wal_dot().
 */

/** Of the value recursion of a tile: with x the bar of what an action is worth in all,
 *    x[a][s]      = scale * q_bar[a][s] + v_bar[s] * pi[a][s]
 *    pi_bar[a][s] = v_bar[s] * (q[a][s] - entropy * (y[a][s] - log_norm[s])),  0 where pi is 0. */
typedef struct wal_tile_worth {
  double scale, entropy;
  const double *q_bar, *v_bar; /**< v_bar NULL: 0 */
  const double *pi, *y, *log_norm;
  double *x, *pi_bar;
} wal_tile_worth;
void wal_tile_worth_bar(wal_tile t, const wal_tile_value *q, const wal_tile_worth *w);

/** Of the move of a tile where probabilities of outcomes depend on the action only:
 *    pi_bar[a][s] += mass[s] * sum_k weight[k][a] bar[k][s],
 *  bar[k][s] being that of mass that gets to outcome k's target. */
void wal_tile_move_bar(wal_tile t, int outcomes, const double *weight, const double *bar,
                       const double *mass, double *pi_bar);

/** Of one outcome: with c[a][s] its probability (NULL: 1) and b[a][s] the bar of mass at its
 * target, pi_bar += mass * c * b,   mass_bar[s] += sum_a pi * c * b,   and b becomes mass * pi * b.
 */
void wal_tile_reach_bar(wal_tile t, const double *c, const double *mass, const double *pi,
                        double *b, double *pi_bar, double *mass_bar);

/** Of the softmax: out[a][s] = keep * out[a][s] + pi[a][s] (pi_bar[a][s] - sum_b pi pi_bar). With
 *  keep 0 the old numbers are not read. */
void wal_tile_softmax_bar(wal_tile t, const double *pi, const double *pi_bar, double keep,
                          double *out);

#endif
