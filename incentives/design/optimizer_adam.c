// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>

#include "incentives/design/optimizer.h"
#include "sim/core/hot.h"

/* With direction d at step t = 1, 2, ...:
 *   m = beta1 m + (1 - beta1) d,   v = beta2 v + (1 - beta2) d^2,
 *   theta += rate * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
 * A parameter whose derivative is always 0 stays where it is. */

enum { BETA1, BETA2, EPSILON };

static const wal_param PARAMS[] = {
    WAL_OPTIMIZER_PARAMS(1e-3),
    {.name = "beta1",
     .type = WAL_REAL,
     .number = 0.9,
     .low = 0,
     .high = 0.9999999,
     .meaning = "share that a step keeps of the mean of the gradients"},
    {.name = "beta2",
     .type = WAL_REAL,
     .number = 0.999,
     .low = 0,
     .high = 0.9999999,
     .meaning = "share that a step keeps of the mean of their squares"},
    {.name = "epsilon",
     .type = WAL_REAL,
     .number = 1e-8,
     .low = 1e-300,
     .high = HUGE_VAL,
     .meaning = "added to the root of the mean square: gradients far below it count less"},
    {0}};

static void create(const wal_params *params, wal_optimizer *o) {
  o->option[BETA1] = wal_params_real(params, "beta1");
  o->option[BETA2] = wal_params_real(params, "beta2");
  o->option[EPSILON] = wal_params_real(params, "epsilon");
}

typedef struct scales {
  double rate, beta1, beta2, one, two, epsilon;
} scales;

WAL_HOT static void climb(int64_t count, const scales *s, const double *restrict d,
                          double *restrict m, double *restrict v, double *restrict theta) {
  for (int64_t i = 0; i < count; i++) {
    m[i] = s->beta1 * m[i] + (1 - s->beta1) * d[i];
    v[i] = s->beta2 * v[i] + (1 - s->beta2) * (d[i] * d[i]);
    theta[i] += s->rate * (m[i] / s->one) / (sqrt(v[i] / s->two) + s->epsilon);
  }
}

static void step(wal_optimizer *o, double rate, const double *direction, double *theta) {
  const double t = (double)o->steps, beta1 = o->option[BETA1], beta2 = o->option[BETA2];
  const scales s = {.rate = rate,
                    .beta1 = beta1,
                    .beta2 = beta2,
                    .one = 1 - wal_optimizer_power(beta1, t),
                    .two = 1 - wal_optimizer_power(beta2, t),
                    .epsilon = o->option[EPSILON]};
  climb(o->count, &s, direction, o->memory, o->memory + o->count, theta);
}

const wal_optimizer_type wal_optimizer_adam = {
    .struct_size = sizeof(wal_optimizer_type),
    .component = {.name = "adam",
                  .kind = "optimizer",
                  .summary = "steps of about the rate in every parameter, by means of gradients",
                  .source = "Kingma and Ba 2015, Adam: a method for stochastic optimization",
                  .params = PARAMS},
    .memory = 2,
    .create = create,
    .step = step};
