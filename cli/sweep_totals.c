// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/sweep_totals.h"

#include <math.h>
#include <string.h>

#include "games/game_list.h"

/* What a run's game reports, NULL if nothing is known of it. */
static const wal_report_form *form_of(const wal_sweep_row *row) {
  if (row->error || row->figures.game < 0 || row->figures.game >= wal_game_count()) return NULL;
  return wal_game_at(row->figures.game)->report;
}

static void add_form(wal_sweep_totals *t, const wal_report_form *form) {
  for (int c = 0; c < form->columns; c++) {
    int k = 0;
    while (k < t->count && strcmp(t->column[k]->name, form->column[c].name) != 0) k++;
    if (form->column[c].adds && k == t->count && k < WAL_SWEEP_TOTALS)
      t->column[t->count++] = &form->column[c];
  }
}

wal_sweep_totals wal_sweep_totals_of(const wal_sweep_row *rows, int64_t runs) {
  wal_sweep_totals t = {.count = 0};
  const wal_report_form *last = NULL;
  for (int64_t i = 0; i < runs; i++) {
    const wal_report_form *form = form_of(&rows[i]);
    if (form && form != last) add_form(&t, form);
    if (form) last = form;
  }
  return t;
}

double wal_sweep_total(const wal_sweep_totals *totals, int k, const wal_sweep_row *row) {
  const wal_report_form *form = form_of(row);
  for (int c = 0; form && c < form->columns; c++)
    if (form->column[c].adds && strcmp(form->column[c].name, totals->column[k]->name) == 0)
      return row->figures.total[c];
  return NAN;
}
