// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_SWEEP_TOTALS_H
#define WALRAS_CLI_SWEEP_TOTALS_H

#include "cli/sweep_execute.h"
#include "sim/game/game.h"

enum { WAL_SWEEP_TOTALS = 24 };

/** The totals that the games of a sweep's runs report (revenue, ...), each named once. */
typedef struct wal_sweep_totals {
  const wal_report_column *column[WAL_SWEEP_TOTALS]; /**< of the first game that has it */
  int count;
} wal_sweep_totals;

/** Finds them in the rows of the runs. */
wal_sweep_totals wal_sweep_totals_of(const wal_sweep_row *rows, int64_t runs);

/** A run's total; NaN if it failed or its game has none of this name. */
double wal_sweep_total(const wal_sweep_totals *totals, int k, const wal_sweep_row *row);

#endif
