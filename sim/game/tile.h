// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_GAME_TILE_H
#define WALRAS_SIM_GAME_TILE_H

#include <stdbool.h>
#include <stdint.h>

/**
 * The arithmetic of a tile: `count` states, arrays over (state, action) [actions][stride]. Loops
 * run over states for one action after the other, so that sums over actions have one order,
 * whatever the instruction set.
 */
typedef struct wal_tile {
  int64_t count, stride; /**< states; numbers from one action to the next */
  int actions;           /**< A */
} wal_tile;

/** pi = softmax over actions of scale * y. `y` and `pi` may be the same array. If `log_norm` is not
 *  NULL it receives log sum_a exp(scale * y) for each state. An entry of y may be -inf, not all of
 *  a state's. What is less than exp(-708) of a state's largest is 0. */
void wal_tile_softmax(wal_tile t, double scale, const double *y, double *pi, double *log_norm);

/** The same with scale 1 for up to eight states whose top[s] = max_a y[a][s] are known. */
void wal_tile_softmax_below(wal_tile t, const double *y, const double *top, double *pi,
                            double *log_norm);

/** joint[a][s] = mass[s] * pi[a][s]. */
void wal_tile_joint(wal_tile t, const double *mass, const double *pi, double *joint);

/** out[a][s] = x[a][s] * y[a][s]. */
void wal_tile_multiply(wal_tile t, const double *x, const double *y, double *out);

/** v[s] = sum_a pi[a][s] q[a][s]. */
void wal_tile_expectation(wal_tile t, const double *pi, const double *q, double *v);

/** v[s] = sum_a pi[a][s] (q[a][s] - entropy * (y[a][s] - log_norm[s])): expectation plus entropy
 *  times the entropy of pi = softmax(y). */
void wal_tile_soft_expectation(wal_tile t, double entropy, const double *pi, const double *y,
                               const double *log_norm, const double *q, double *v);

/** v[s] = max_a q[a][s]; a NaN among them gives NaN. */
void wal_tile_max(wal_tile t, const double *q, double *v);

/** v[s] = entropy * log sum_a exp(q[a][s] / entropy). */
void wal_tile_log_sum_exp(wal_tile t, double entropy, const double *q, double *v);

/**
 * Numbers in *signed form* stand for probabilities of any size: p itself if it is at least 1e-300,
 * else log p (which is negative). Learners that multiply probabilities for ever need it: what has
 * almost vanished may come back.
 */

/** Room that wal_tile_tilt() needs, in numbers. */
int64_t wal_tile_tilt_room(int actions);

/** p[a][s] <- p[a][s] exp(rate * q[a][s]) / sum_b p[b][s] exp(rate * q[b][s]), p in signed form:
 *  the step of mirror descent on the simplex. What is 0 stays 0. An action's exponential costs
 * about 2 ns, one action a state costs none.
 *  @param which  what the tile may have, of the bits below */
void wal_tile_tilt(wal_tile t, double rate, unsigned which, const double *q, double *p,
                   double *room);

enum {
  WAL_TILT_ILLEGAL = 1, /**< actions that are not legal: p = 0 and q = -1e300 */
  WAL_TILT_LOGS = 2,    /**< logarithms among the p */
};

/** Whether some entry is a logarithm. */
bool wal_tile_has_logs(wal_tile t, const double *p);

/** out = p where it is a probability, 0 where it is a logarithm. */
void wal_tile_drop_logs(wal_tile t, const double *p, double *out);

/** Who plays when several actions are best. */
typedef enum wal_ties {
  WAL_TIES_SHARE, /**< all of them, equally */
  WAL_TIES_FIRST, /**< the first one */
} wal_ties;

/** b[a][s]: a best response to q. Actions within 1e-13 * |max| of the maximum are best: in
 * symmetric games, actions that are worth the same differ by the order in which sums were rounded,
 * which must not decide who plays. */
void wal_tile_best_response(wal_tile t, wal_ties ties, const double *q, double *b);

/** y = keep * y + rate * q. */
void wal_tile_blend(wal_tile t, double keep, double *y, double rate, const double *q);

/** y = factor * q. */
void wal_tile_scale(wal_tile t, double factor, const double *q, double *y);

#endif
