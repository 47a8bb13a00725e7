// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_INCENTIVES_STEER_ESTIMATE_H
#define WALRAS_INCENTIVES_STEER_ESTIMATE_H

#include "incentives/steer/mediator.h"

/* What a mediator makes of sampled trajectories. Estimators work in memory that is given to them:
 * all that they have learnt is in there. Rank-local. */

/** Transitions counted: n(s,a) and n(s,a,s'), of all stages together or of each one. */
typedef struct wal_counts {
  int64_t states, pairs;
  int kernels;        /**< 1, or H - 1 */
  double *made;       /**< [kernels][pairs] */
  double *led;        /**< [kernels][pairs][S] */
  int32_t *low, *end; /**< [kernels][pairs]: the next states seen lie in [low, end); follows led */
} wal_counts;

wal_status wal_counts_create(wal_ctx *ctx, int64_t states, int actions, int kernels,
                             wal_counts *out);
void wal_counts_destroy(wal_ctx *ctx, wal_counts *counts);
/** Numbers of memory that it needs. */
int64_t wal_counts_size(const wal_counts *counts);
/** Works in this memory from now on, as it stands; zeroed, nothing has been seen. */
void wal_counts_attach(wal_counts *counts, double *memory);
void wal_counts_add(wal_counts *counts, int stage, int64_t pair, int64_t next);
/** Mean and variance of values of the next state under the frequencies seen.
 *  @return  n(s,a); with 0 both are left alone */
double wal_counts_expect(const wal_counts *counts, int stage, int64_t pair, const double *value,
                         double *mean, double *variance);

/** What of the density rewards are taken to depend on. */
typedef enum wal_density_feature {
  WAL_DENSITY_NONE,
  WAL_DENSITY_LINEAR, /**< mu(s) */
  WAL_DENSITY_LOG,    /**< log(mu(s) + floor) / log(floor) */
  WAL_DENSITY_ALL,    /**< mu(s') of all states */
} wal_density_feature;

/**
 * Ridge regression of rewards, one for each cell (a state, or a stage and state), on features
 * phi = (e_a, g(mu)), with the elliptical widths |phi| in the norm of the inverse of
 * Lambda = ridge + sum phi phi' (Abbasi-Yadkori et al. 2011), kept by Sherman and Morrison.
 */
typedef struct wal_regression {
  wal_density_feature feature;
  double ridge, floor;
  bool keeps_det; /**< log_det is kept, too */
  int64_t states, cells;
  int actions, horizon;
  int64_t extras, width; /**< numbers in g; in phi: A + extras */
  double *inverse;       /**< [cells][width][width] */
  double *sum;           /**< [cells][width]: sum of phi times the reward */
  double *theta;         /**< [cells][width]: inverse * sum */
  double *log_det;       /**< [cells]: log(det Lambda / det ridge) */
  double *g;             /**< [H][S], or with WAL_DENSITY_ALL none: of the density last given */
  double *room;          /**< [2 * width] */
} wal_regression;

/** @param pooled  one cell for all stages of a state */
wal_status wal_regression_create(const wal_mediator_setup *setup, wal_density_feature feature,
                                 double ridge, double floor, bool pooled, wal_regression *out);
void wal_regression_destroy(wal_ctx *ctx, wal_regression *regression);
int64_t wal_regression_size(const wal_regression *regression);
void wal_regression_attach(wal_regression *regression, double *memory);
/** Memory before anything has been seen. */
void wal_regression_start(wal_regression *regression);
/** Takes the density of an episode: what follows is about it. */
void wal_regression_density(wal_regression *regression, const double *density);
void wal_regression_add(wal_regression *regression, const double *density, int stage, int64_t state,
                        int action, double reward);
/** Estimates and widths of a state's actions, both [A]. */
void wal_regression_predict(const wal_regression *regression, const double *density, int stage,
                            int64_t state, double *estimate, double *width);
/** log(det Lambda / det ridge) of the cell. */
double wal_regression_log_det(const wal_regression *regression, int stage, int64_t state);

#endif
