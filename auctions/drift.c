// SPDX-License-Identifier: GPL-3.0-or-later
#include "auctions/drift.h"

#include <math.h>
#include <string.h>

#include "sim/core/memory.h"
#include "sim/core/sum.h"
#include "sim/core/vector_math.h"

static const wal_param GAUSSIAN[] = {
    {.name = "slope",
     .type = WAL_REAL,
     .number = 1,
     .low = 0,
     .high = 1e6,
     .meaning = "the next value lies around slope times the value"},
    {.name = "width",
     .type = WAL_REAL,
     .number = 0.1,
     .low = 1e-6,
     .high = 1e6,
     .unit = "value",
     .meaning = "standard deviation around it, before what lies off the grid is cut away"},
    {0}};

static const wal_param TRANSITION[] = {
    {.name = "rows",
     .type = WAL_ARRAY,
     .rank = 2,
     .required = true,
     .low = 0,
     .high = HUGE_VAL,
     .meaning = "row s: the distribution of the value that follows the s-th lowest one; or a "
                "function of (value, next value), whose rows are normalized"},
    {0}};

const wal_component wal_drift_none = {.name = "none",
                                      .kind = "drift",
                                      .summary = "values stay as they are",
                                      .source = "docs/auctions.md"};
const wal_component wal_drift_gaussian = {
    .name = "gaussian",
    .kind = "drift",
    .summary = "values move from s to t with weight exp(-(slope s - t)^2 / (2 width^2))",
    .source = "Corecco et al. 2025, settings A2, A7, A8",
    .params = GAUSSIAN};
const wal_component wal_drift_transition = {
    .name = "transition",
    .kind = "drift",
    .summary = "values move by any matrix or function; may be written without its name",
    .source = "docs/auctions.md",
    .params = TRANSITION};

/* The largest weight of a row is 1: far from the grid all of them would vanish. */
static void fill_gaussian(int count, double slope, double width, double *rows) {
  for (int s = 0; s < count; s++) {
    double *row = rows + (int64_t)s * count;
    double most = -HUGE_VAL;
    for (int t = 0; t < count; t++) {
      const double far = (slope * s - t) / count / width;
      row[t] = -far * far / 2;
      most = row[t] > most ? row[t] : most;
    }
    for (int t = 0; t < count; t++) row[t] -= most;
    wal_vector_exp(count, row, row);
    const double sum = wal_sum(count, row);
    for (int t = 0; t < count; t++) row[t] /= sum;
  }
}

/* A function that was thought to give the next value, not the weight of a next value. */
static bool is_flat(int count, const double *rows) {
  for (int64_t i = 0; i < (int64_t)count * count; i++)
    if (rows[i] != rows[i / count * count]) return false;
  return count > 1;
}

wal_status wal_drift_rows(wal_ctx *ctx, wal_params *params, int count, double **out) {
  const wal_component *kind = wal_params_component(params);
  const double *given = NULL;
  *out = NULL;
  if (kind == &wal_drift_none) return WAL_OK;
  if (kind == &wal_drift_transition) {
    wal_params_scale(params, "rows", count, count, 1);
    const bool function = wal_params_is_function(params, "rows");
    WAL_TRY(wal_params_weights(ctx, params, "rows", count, count, &given));
    if (function && is_flat(count, given))
      wal_params_warn(ctx, params, "rows",
                      "all next values are equally likely; the function is of (value, next), and "
                      "gives the weight of that step");
  }
  const int64_t size = (int64_t)count * count;
  WAL_TRY(wal_acquire(ctx, "drift", size, sizeof **out, out));
  if (given)
    memcpy(*out, given, (size_t)size * sizeof **out);
  else
    fill_gaussian(count, wal_params_real(params, "slope"), wal_params_real(params, "width"), *out);
  return WAL_OK;
}
