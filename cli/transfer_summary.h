// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_TRANSFER_SUMMARY_H
#define WALRAS_CLI_TRANSFER_SUMMARY_H

#include "rlhf/transfer.h"
#include "sim/core/power_law.h"

/** What is told of a policy: final ones, those of sources, the reference. */
typedef enum wal_transfer_about {
  WAL_ABOUT_GAP,      /**< J(pi*) - J(pi) */
  WAL_ABOUT_COVERAGE, /**< Cov^{pi*|pi} */
  WAL_ABOUT_BOUND,    /**< that by the gap and the largest pi* / pi (docs/transfer.md, lemma 3.1) */
  WAL_ABOUTS
} wal_transfer_about;

/** All that methods came to. */
typedef struct wal_transfer_results {
  int64_t methods, seeds, points, arms; /**< arms: sources, online, distilled */
  const char *const *method;            /**< [methods]: names */
  const char *const *arm;               /**< [arms] */
  const int64_t *round;                 /**< [points] */
  const double *sums;                   /**< [methods][seeds][points][WAL_TRANSFER_SUMS + arms] */
  const double *last;                   /**< [methods][seeds][WAL_ABOUTS]: of final policies */
  const double *source;   /**< [seeds][arms - 1][WAL_ABOUTS]: of sources and the reference */
  const double *win_rate; /**< [seeds][methods][methods]: of final policies */
  double beta, reward_bound;
  int64_t baseline; /**< the method that all are compared with, seed by seed */
} wal_transfer_results;

/** Of the arms' names, and of the places of wal_transfer_results.source. */
int64_t wal_transfer_candidates(const wal_transfer_results *results);

const double *wal_transfer_sums_of(const wal_transfer_results *results, int64_t method,
                                   int64_t seed, int64_t point);

/** Median, and the quantiles of 5 % and 95 %, of some numbers, which are sorted. */
typedef struct wal_transfer_range {
  double median, low, high;
} wal_transfer_range;
wal_transfer_range wal_transfer_range_of(int64_t count, double *numbers);

/** The regret at a point, over the seeds. */
wal_transfer_range wal_transfer_regret(const wal_transfer_results *results, int64_t method,
                                       int64_t point);
/** Regret over that of the baseline with the same seed: the geometric mean, with a 95 % interval of
 *  Student's t. */
wal_power_law wal_transfer_ratio(const wal_transfer_results *results, int64_t method,
                                 int64_t point);
/** Regret less that of the baseline with the same seed: the mean, likewise. */
wal_power_law wal_transfer_difference(const wal_transfer_results *results, int64_t method,
                                      int64_t point);
/** The slope of log regret over log rounds in the last two octaves, fitted to each seed. NaN: too
 *  few rounds. */
wal_power_law wal_transfer_exponent(const wal_transfer_results *results, int64_t method);
/** Whether there are too few rounds for that. */
bool wal_transfer_too_short(const wal_transfer_results *results);

/** Of final policies or candidates: the median over the seeds. */
double wal_transfer_last(const wal_transfer_results *results, int64_t method,
                         wal_transfer_about what);
double wal_transfer_candidate(const wal_transfer_results *results, int64_t candidate,
                              wal_transfer_about what);

/** The rate at which a final policy is preferred to another one: mean over the seeds, and its
 *  standard error (NaN of one seed). */
double wal_transfer_win(const wal_transfer_results *results, int64_t method, int64_t other,
                        double *error);

/** The share of rounds, of all seeds, in which an arm proposed. */
double wal_transfer_share(const wal_transfer_results *results, int64_t method, int64_t arm);

/** The method with the least median regret at the end. */
int64_t wal_transfer_best(const wal_transfer_results *results);

#endif
