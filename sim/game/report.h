// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_GAME_REPORT_H
#define WALRAS_SIM_GAME_REPORT_H

#include "sim/game/flow.h"

/** A game's report of a policy in its own mean field: what it sold, what that fetched, ... The same
 *  on all ranks. */
typedef struct wal_report {
  const wal_report_form *form; /**< NULL if the game reports nothing */
  int stages;
  double *values;                   /**< [H][form->columns] */
  double total[WAL_REPORT_COLUMNS]; /**< over the stages, of the columns that add */
} wal_report;

/**
 * Makes the report of a policy: one read of it.
 * @param flow  of that policy; NULL: only the form is set, values stay NULL
 * @param out   freed with wal_report_free()
 * @collective
 */
wal_status wal_report_create(const wal_space *space, const wal_flow *flow, const wal_policy *policy,
                             wal_report *out);
void wal_report_free(wal_ctx *ctx, wal_report *report);

#endif
