// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/transfer_summary.h"

#include <math.h>
#include <stdlib.h>

enum { SEEDS = 4096, MOST = 64 };

int64_t wal_transfer_candidates(const wal_transfer_results *r) { return r->arms - 1; }

const double *wal_transfer_sums_of(const wal_transfer_results *r, int64_t method, int64_t seed,
                                   int64_t point) {
  return r->sums + ((method * r->seeds + seed) * r->points + point) * (WAL_TRANSFER_SUMS + r->arms);
}

static double regret(const wal_transfer_results *r, int64_t method, int64_t seed, int64_t point) {
  return wal_transfer_sums_of(r, method, seed, point)[WAL_TRANSFER_REGRET];
}

// ---- Over the seeds ---------------------------------------------------------------------------

static int compare(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Between the order statistics beside it, linearly. */
static double quantile(int64_t count, const double *sorted, double share) {
  const double place = share * (double)(count - 1);
  const int64_t below = (int64_t)place;
  const int64_t above = below + 1 < count ? below + 1 : below;
  return sorted[below] + (place - (double)below) * (sorted[above] - sorted[below]);
}

wal_transfer_range wal_transfer_range_of(int64_t count, double *numbers) {
  qsort(numbers, (size_t)count, sizeof *numbers, compare);
  return (wal_transfer_range){.median = quantile(count, numbers, 0.5),
                              .low = quantile(count, numbers, 0.05),
                              .high = quantile(count, numbers, 0.95)};
}

wal_transfer_range wal_transfer_regret(const wal_transfer_results *r, int64_t method,
                                       int64_t point) {
  double of_seed[SEEDS];
  for (int64_t k = 0; k < r->seeds; k++) of_seed[k] = regret(r, method, k, point);
  return wal_transfer_range_of(r->seeds, of_seed);
}

wal_power_law wal_transfer_difference(const wal_transfer_results *r, int64_t method,
                                      int64_t point) {
  double of_seed[SEEDS];
  for (int64_t k = 0; k < r->seeds; k++)
    of_seed[k] = regret(r, method, k, point) - regret(r, r->baseline, k, point);
  return wal_power_law_mean(r->seeds, of_seed);
}

wal_power_law wal_transfer_ratio(const wal_transfer_results *r, int64_t method, int64_t point) {
  double of_seed[SEEDS];
  for (int64_t k = 0; k < r->seeds; k++)
    of_seed[k] = log(regret(r, method, k, point) / regret(r, r->baseline, k, point));
  const wal_power_law logs = wal_power_law_mean(r->seeds, of_seed);
  return (wal_power_law){exp(logs.slope), exp(logs.low), exp(logs.high)};
}

/* The first of the last two octaves; rounds before the tenth are no law's. */
static double first_fitted(const wal_transfer_results *r) {
  return (double)r->round[r->points - 1] / 4;
}

bool wal_transfer_too_short(const wal_transfer_results *r) { return first_fitted(r) < 10; }

wal_power_law wal_transfer_exponent(const wal_transfer_results *r, int64_t method) {
  double x[MOST], y[MOST], slope[SEEDS];
  for (int64_t k = 0; k < r->seeds; k++) {
    int64_t n = 0;
    for (int64_t i = 0; i < r->points && n < MOST && !wal_transfer_too_short(r); i++) {
      if ((double)r->round[i] < first_fitted(r)) continue;
      x[n] = (double)r->round[i];
      y[n++] = regret(r, method, k, i);
    }
    slope[k] = wal_power_law_fit(n, x, y).slope;
  }
  return wal_power_law_mean(r->seeds, slope);
}

// ---- Of policies ------------------------------------------------------------------------------

double wal_transfer_last(const wal_transfer_results *r, int64_t method, wal_transfer_about what) {
  double of_seed[SEEDS];
  for (int64_t k = 0; k < r->seeds; k++)
    of_seed[k] = r->last[(method * r->seeds + k) * WAL_ABOUTS + what];
  return wal_transfer_range_of(r->seeds, of_seed).median;
}

double wal_transfer_candidate(const wal_transfer_results *r, int64_t candidate,
                              wal_transfer_about what) {
  double of_seed[SEEDS];
  for (int64_t k = 0; k < r->seeds; k++)
    of_seed[k] = r->source[(k * wal_transfer_candidates(r) + candidate) * WAL_ABOUTS + what];
  return wal_transfer_range_of(r->seeds, of_seed).median;
}

double wal_transfer_win(const wal_transfer_results *r, int64_t method, int64_t other,
                        double *error) {
  const int64_t square = r->methods * r->methods, at = method * r->methods + other;
  const double n = (double)r->seeds;
  double sum = 0, squares = 0;
  for (int64_t k = 0; k < r->seeds; k++) sum += r->win_rate[k * square + at];
  const double mean = sum / n;
  for (int64_t k = 0; k < r->seeds; k++)
    squares += (r->win_rate[k * square + at] - mean) * (r->win_rate[k * square + at] - mean);
  if (error) *error = r->seeds > 1 ? sqrt(squares / (n - 1) / n) : NAN;
  return mean;
}

double wal_transfer_share(const wal_transfer_results *r, int64_t method, int64_t arm) {
  const int64_t last = r->points - 1;
  double sum = 0;
  for (int64_t k = 0; k < r->seeds; k++)
    sum += wal_transfer_sums_of(r, method, k, last)[WAL_TRANSFER_SUMS + arm];
  return sum / ((double)r->seeds * (double)r->round[last]);
}

int64_t wal_transfer_best(const wal_transfer_results *r) {
  int64_t best = 0;
  for (int64_t m = 1; m < r->methods; m++)
    if (wal_transfer_regret(r, m, r->points - 1).median <
        wal_transfer_regret(r, best, r->points - 1).median)
      best = m;
  return best;
}
