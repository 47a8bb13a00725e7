// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>

#include "sim/agents/population.h"
#include "sim/core/power_law.h"

/* Where the control of a number stands; -1: it has none. */
static int control_of(const wal_population *p, int place) {
  if (place == WAL_POPULATION_GAIN) return p->plan.deviates ? WAL_POPULATION_CONTROL : -1;
  const int group = place - wal_population_group_gain(p, 0);
  const bool is_gain = p->plan.deviates && group >= 0 && group < p->plan.groups;
  return is_gain ? wal_population_group_control(p, group) : -1;
}

static double mean_of(const wal_population_rows *rows, int width, int place) {
  double sum = 0;
  for (int64_t e = 0; e < rows->count; e++) sum += rows->values[e * width + place];
  return sum / (double)rows->count;
}

/* Sum over the episodes of the products of what two numbers are off their means. */
static double product_of(const wal_population_rows *rows, int width, int a, double mean_a, int b,
                         double mean_b) {
  double sum = 0;
  for (int64_t e = 0; e < rows->count; e++) {
    const double *row = rows->values + e * width;
    sum += (row[a] - mean_a) * (row[b] - mean_b);
  }
  return sum;
}

wal_population_estimate wal_population_estimate_of(const wal_population *population,
                                                   const wal_population_rows *rows, int place) {
  enum { FEW = 10 };  // episodes too few for a regression
  const int width = wal_population_width(population), control = control_of(population, place);
  const double count = (double)rows->count;
  double mean = mean_of(rows, width, place);
  double squares = product_of(rows, width, place, mean, place, mean), freedom = count - 1;
  if (control >= 0 && rows->count >= FEW) {
    const double off = mean_of(rows, width, control);
    const double spread = product_of(rows, width, control, off, control, off);
    const double joint = product_of(rows, width, place, mean, control, off);
    if (spread > 0) {
      mean -= joint / spread * off;
      squares = fmax(squares - joint * joint / spread, 0);
      freedom -= 1;
    }
  }
  return (wal_population_estimate){
      .mean = mean, .error = rows->count > 1 ? sqrt(squares / freedom / count) : NAN};
}

wal_population_slope wal_population_slope_of(int64_t count, const double *agents,
                                             const double *gap) {
  const wal_power_law law = wal_power_law_fit(count, agents, gap);
  return (wal_population_slope){law.slope, law.low, law.high};
}
