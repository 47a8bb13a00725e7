// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/solve_stop.h"

#include <math.h>
#include <string.h>

static const wal_param STOP_PARAMS[] = {
    {.name = "iterations",
     .type = WAL_INTEGER,
     .number = 1000,
     .low = 0,
     .high = 0x1p53,
     .meaning = "learner steps at most"},
    {.name = "exploitability",
     .type = WAL_REAL,
     .number = 0,
     .low = 0,
     .high = HUGE_VAL,
     .meaning = "end when exploitability is at most this plus `relative` times that of the start "
                "(both 0: not asked for)"},
    {.name = "relative",
     .type = WAL_REAL,
     .number = 0,
     .low = 0,
     .high = HUGE_VAL,
     .meaning = "share of the start's exploitability that may be left; see exploitability"},
    {.name = "regularized",
     .type = WAL_REAL,
     .number = 0,
     .low = 0,
     .high = HUGE_VAL,
     .meaning = "end when exploitability with the learner's entropy is at most this (0: not asked "
                "for)"},
    {.name = "every",
     .type = WAL_INTEGER,
     .number = 1,
     .low = 1,
     .high = 0x1p53,
     .unit = "iterations",
     .meaning = "measure exploitability every so many iterations"},
    {0}};

const wal_component wal_solve_stop = {
    .name = "stop", .kind = "record", .summary = "when a solve ends", .params = STOP_PARAMS};

wal_stop wal_solve_stop_read(const wal_params *params) {
  const wal_params *stop = wal_params_child(params, "stop");
  return (wal_stop){.iterations = wal_params_integer(stop, "iterations"),
                    .absolute = wal_params_real(stop, "exploitability"),
                    .relative = wal_params_real(stop, "relative"),
                    .every = wal_params_integer(stop, "every"),
                    .regularized = wal_params_real(stop, "regularized")};
}

/* The weight of the entropy that a learner is given, 0 if it has none. */
static double entropy_of(const wal_params *learner) {
  for (const wal_param *p = wal_params_component(learner)->params; p && p->name; p++)
    if (strcmp(p->name, "entropy") == 0) return wal_params_real(learner, "entropy");
  return 0;
}

wal_status wal_solve_stop_check(wal_ctx *ctx, const wal_params *params) {
  const wal_params *learner = wal_params_child(params, "learner");
  const wal_params *stop = wal_params_child(params, "stop");
  if (wal_params_real(stop, "regularized") == 0 || entropy_of(learner) > 0) return WAL_OK;
  return wal_params_fail(ctx, stop, "regularized",
                         "expected a learner with entropy, as mirror_descent{entropy=1e-3}, got "
                         "%s without",
                         wal_params_component(learner)->name);
}
