// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/agents/stirling.h"

#include <math.h>

double wal_stirling_rest(double x) {
  static const double TAU = 6.283185307179586476925286766559;
  if (x == 0) return 0;
  if (x < 16) {
    double product = 1;
    for (double i = 2; i <= x; i++) product *= i;
    return wal_log_one(product) - x * wal_log_one(x) + x;
  }
  const double y = 1 / x, y2 = y * y;
  const double rest = y * (1.0 / 12 - y2 * (1.0 / 360 - y2 * (1.0 / 1260 - y2 / 1680)));
  return wal_log_one(TAU * x) / 2 + rest;
}

double wal_stirling_deviance(double x, double e, double d) {
  const double v = d / (x + e);
  if (fabs(v) >= 0.1) return x > 0 ? x * wal_log_one(x / e) - d : e;
  double sum = d * v, term = 2 * x * v, before;
  int odd = 1;
  do {
    before = sum;
    term *= v * v;
    odd += 2;
    sum += term / odd;
  } while (sum != before);
  return sum;
}
