// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_SWEEP_RANKING_H
#define WALRAS_CLI_SWEEP_RANKING_H

#include <stdio.h>

#include "cli/sweep_execute.h"

/** Runs by their objectives, which only designs have; of those that went well. */
typedef struct wal_sweep_ranking {
  int64_t count;  /**< runs that have one */
  int64_t *order; /**< [runs] the best run first, of equal ones the earlier; then those without */
  int64_t *rank;  /**< [runs] 1 for the best run; 0 for one without */
} wal_sweep_ranking;

/** @param out  freed with wal_sweep_ranking_free() in any case. Rank-local. */
wal_status wal_sweep_rank(wal_ctx *ctx, const wal_sweep_row *rows, int64_t runs,
                          wal_sweep_ranking *out);
void wal_sweep_ranking_free(wal_ctx *ctx, wal_sweep_ranking *ranking);

/** Prints settings by the mean objective of their seeds, those first of which no run failed;
 * nothing if there is only one setting or seed, or no design. Rank-local. */
wal_status wal_sweep_print_settings(wal_ctx *ctx, FILE *out, const wal_sweep *sweep,
                                    const wal_sweep_row *rows);

/** Whether a run with these figures goes before one with the others: what is settled before what is
 *  not, then the larger objective. NaN goes before nothing. */
bool wal_sweep_is_better(const wal_figures *figures, const wal_figures *than);

#endif
