// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/core/power_law.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_fit.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>

enum { MOST = 64 };

wal_power_law wal_power_law_fit(int64_t count, const double *x, const double *y) {
  wal_power_law out = {NAN, NAN, NAN};
  double log_x[MOST], log_y[MOST], constant, slope, cov00, cov01, cov11, squares;
  size_t n = 0;
  for (int64_t i = 0; i < count && n < MOST; i++) {
    if (!(y[i] > 0)) continue;
    log_x[n] = log(x[i]);
    log_y[n++] = log(y[i]);
  }
  bool varies = false;
  for (size_t i = 1; i < n; i++) varies = varies || log_x[i] != log_x[0];
  if (!varies) return out;
  gsl_fit_linear(log_x, 1, log_y, 1, n, &constant, &slope, &cov00, &cov01, &cov11, &squares);
  out.slope = slope;
  if (n < 3) return out;
  const double reach = gsl_cdf_tdist_Pinv(0.975, (double)(n - 2)) * sqrt(cov11);
  out.low = slope - reach;
  out.high = slope + reach;
  return out;
}

wal_power_law wal_power_law_mean(int64_t count, const double *slope) {
  wal_power_law out = {NAN, NAN, NAN};
  double sum = 0, squares = 0, n = 0;
  for (int64_t i = 0; i < count; i++)
    if (isfinite(slope[i])) {
      sum += slope[i];
      n += 1;
    }
  if (!(n > 0)) return out;
  out.slope = sum / n;
  if (n < 2) return out;
  for (int64_t i = 0; i < count; i++)
    if (isfinite(slope[i])) squares += (slope[i] - out.slope) * (slope[i] - out.slope);
  const double reach = gsl_cdf_tdist_Pinv(0.975, n - 1) * sqrt(squares / (n - 1) / n);
  out.low = out.slope - reach;
  out.high = out.slope + reach;
  return out;
}
