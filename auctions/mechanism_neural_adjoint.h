// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_AUCTIONS_MECHANISM_NEURAL_ADJOINT_H
#define WALRAS_AUCTIONS_MECHANISM_NEURAL_ADJOINT_H

#include "auctions/mechanism_neural.h"

/* What the sources of the neural mechanism share; nobody else includes it. */

/* A run of the layers: arrays in one row of numbers. */
typedef struct wal_neural_run {
  double *round;      /**< [1]: its number plus one; 0: there was no run yet */
  double *x;          /**< [bids + 1]: the dense part of the input */
  double *x1, *f, *y; /**< [hidden] */
  double *s;          /**< [bids]: the rises of the payments, and the share of the goods */
  double *answer;     /**< [bids + 1]: the payments, and the goods */
} wal_neural_run;

/* Layer inputs and deltas of runs whose weights' gradients are put off. */
typedef struct wal_neural_held {
  int room, count;    /**< rows; the last one is only worked in */
  int *round;         /**< [room] */
  double *x;          /**< [room][bids + 1] */
  double *x1, *f, *y; /**< [room][hidden] */
  double *d1, *df;    /**< [room][hidden]: deltas, the bars of what the rectifiers are given */
  double *dy;         /**< [room][hidden] */
  double *ds;         /**< [room][bids - 1] */
  double *dg;         /**< [room] */
  float *narrow;      /**< of a network in single precision: room for wal_neural_flush_vjp() */
} wal_neural_held;

typedef struct wal_neural {
  wal_neural_layout at;
  bool free;         /**< softplus increments */
  double *parameter; /**< [at.count] */
  float *single;     /**< [at.count]: rounded; NULL: in double precision */
  int runs;          /**< of different rounds, that are kept for answer_vjp() */
  int64_t run_size;
  double *run;           /**< [runs][run_size] */
  int *index;            /**< [max(hidden, bids + 1)] */
  double *x_bar;         /**< [bids + 1] */
  wal_neural_held *held; /**< in the block of this, as all else */
} wal_neural;

/* How large the runs and what is held may get, in bytes, if that is more than the least. */
enum { WAL_NEURAL_ROOM = 1 << 21 };

/* Numbers of the largest product of deltas and inputs in single precision; or of one column. */
enum { WAL_NEURAL_PRODUCT = 1 << 16 };

/* out += W x and out += W^T x of the columns listed in m->index, as the functions of
 * auctions/dense.h, in the network's precision; `weights` is the place of W. */
void wal_neural_add(const wal_neural *m, int64_t weights, int rows, int count, const double *x,
                    double *out);
void wal_neural_add_transposed(const wal_neural *m, int64_t weights, int rows, int count,
                               const double *x, double *out);

/* Where the run of a round is kept. */
wal_neural_run wal_neural_run_at(const wal_neural *m, int round);

/* Runs the layers for a round. */
void wal_neural_run_layers(const wal_neural *m, const wal_round *round, wal_neural_run *run);

/* Operations of wal_mechanism_type. */
void wal_neural_answer_vjp(const void *self, const wal_round *round, const wal_answer *answer,
                           const wal_answer_bar *answer_bar, wal_round_bar *round_bar,
                           double *parameters_bar);
void wal_neural_flush_vjp(const void *self, double *parameters_bar);
void wal_neural_list_parameters(const void *self, wal_parameters *out);

#endif
