// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_SOLVE_STOP_H
#define WALRAS_CLI_SOLVE_STOP_H

#include "sim/core/parameter.h"
#include "sim/learn/solve.h"

/** The record `stop`: when learning ends. */
extern const wal_component wal_solve_stop;

/** Reads it from what has the parameters `learner` and `stop`. */
wal_stop wal_solve_stop_read(const wal_params *params);

/** WAL_EINPUT if it asks for what the learner does not have. Rank-local. */
wal_status wal_solve_stop_check(wal_ctx *ctx, const wal_params *params);

#endif
