// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>

#include "incentives/design/optimizer.h"
#include "sim/core/hot.h"

static const wal_param PARAMS[] = {WAL_OPTIMIZER_PARAMS(1e-2), {0}};

WAL_HOT static void climb(int64_t count, double rate, const double *restrict direction,
                          double *restrict theta) {
  for (int64_t i = 0; i < count; i++) theta[i] += rate * direction[i];
}

static void step(wal_optimizer *o, double rate, const double *direction, double *theta) {
  climb(o->count, rate, direction, theta);
}

const wal_optimizer_type wal_optimizer_sgd = {
    .struct_size = sizeof(wal_optimizer_type),
    .component = {.name = "sgd",
                  .kind = "optimizer",
                  .summary = "steps along the gradient, rate times its length",
                  .source = "Robbins and Monro 1951, A stochastic approximation method",
                  .params = PARAMS},
    .step = step};
