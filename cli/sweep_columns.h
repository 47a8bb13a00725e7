// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_SWEEP_COLUMNS_H
#define WALRAS_CLI_SWEEP_COLUMNS_H

#include "cli/sweep.h"

/** What differs between the runs of a sweep: one parameter, and its value in every run. */
typedef struct wal_sweep_column {
  char *path;      /**< as "game.states" */
  char *name;      /**< as "game_states"; no two are the same */
  double *numbers; /**< [runs]; NULL unless all values are numbers; NaN where a run has none */
  char **texts;    /**< [runs]; NULL if all are numbers */
} wal_sweep_column;

typedef struct wal_sweep_columns {
  wal_sweep_column *list;
  int64_t count, runs;
} wal_sweep_columns;

/** Whether two values were written alike, all that is in them included. Rank-local. */
bool wal_sweep_same_value(const wal_node *a, const wal_node *b);

/** The varied keys of a sweep; of a list of tasks what they wrote differently. Seeds are left out.
 *  Rank-local. */
wal_status wal_sweep_columns_create(wal_ctx *ctx, const wal_sweep *sweep, wal_sweep_columns *out);
void wal_sweep_columns_free(wal_ctx *ctx, wal_sweep_columns *columns);

#endif
