// SPDX-License-Identifier: GPL-3.0-or-later
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_fit.h>
#include <math.h>

#include "sim/agents/population.h"

/* Two passes, in the order of the episodes. */
wal_population_estimate wal_population_estimate_of(const wal_population *population,
                                                   const wal_population_rows *rows, int place) {
  const int width = wal_population_width(population);
  const double count = (double)rows->count;
  double sum = 0, squares = 0;
  for (int64_t e = 0; e < rows->count; e++) sum += rows->values[e * width + place];
  const double mean = sum / count;
  for (int64_t e = 0; e < rows->count; e++) {
    const double off = rows->values[e * width + place] - mean;
    squares += off * off;
  }
  return (wal_population_estimate){
      .mean = mean, .error = rows->count > 1 ? sqrt(squares / (count - 1) / count) : NAN};
}

enum { MOST = 64 };

wal_population_slope wal_population_slope_of(int64_t count, const double *agents,
                                             const double *gap) {
  wal_population_slope out = {NAN, NAN, NAN};
  double x[MOST], y[MOST], constant, slope, cov00, cov01, cov11, squares;
  size_t n = 0;
  for (int64_t i = 0; i < count && n < MOST; i++) {
    if (!(gap[i] > 0)) continue;
    x[n] = log(agents[i]);
    y[n++] = log(gap[i]);
  }
  bool varies = false;
  for (size_t i = 1; i < n; i++) varies = varies || x[i] != x[0];
  if (!varies) return out;
  gsl_fit_linear(x, 1, y, 1, n, &constant, &slope, &cov00, &cov01, &cov11, &squares);
  out.slope = slope;
  if (n < 3) return out;
  const double reach = gsl_cdf_tdist_Pinv(0.975, (double)(n - 2)) * sqrt(cov11);
  out.low = slope - reach;
  out.high = slope + reach;
  return out;
}
