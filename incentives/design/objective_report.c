// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <string.h>

#include "incentives/design/objective.h"
#include "sim/core/memory.h"

/* Sums over the stages of columns of the game's report (sim/game/report.h), weighed. */

typedef struct report_sum {
  double weight[WAL_REPORT_COLUMNS];
} report_sum;

static wal_status create(wal_ctx *ctx, wal_params *params, wal_objective *o) {
  const wal_report_form *form = o->space->game->type->report;
  const bool mixed = o->type->component.params != NULL;
  report_sum *self;
  WAL_TRY(wal_acquire(ctx, "objective", 1, sizeof *self, &self));
  for (const char *const *name = o->type->columns; *name; name++)
    for (int c = 0; c < form->columns; c++)
      if (strcmp(form->column[c].name, *name) == 0)
        self->weight[c] = mixed ? wal_params_real(params, *name) : 1;
  o->sums = form->sums;
  o->self = self;
  return WAL_OK;
}

static void add(const wal_objective *o, const wal_objective_tile *tile, double *sums) {
  const wal_game *game = o->space->game;
  game->type->measure(game->self, &tile->slab, tile->mass, tile->pi, tile->statistic, sums);
}

static double conclude(const wal_objective *o, int stage, const double *statistic,
                       const double *sums) {
  const wal_game *game = o->space->game;
  const report_sum *self = o->self;
  double column[WAL_REPORT_COLUMNS] = {0}, value = 0;
  game->type->conclude(game->self, stage, statistic, sums, column);
  for (int c = 0; c < game->type->report->columns; c++)
    if (self->weight[c] != 0) value += self->weight[c] * column[c];
  return value;
}

static void conclude_vjp(const wal_objective *o, int stage, const double *statistic,
                         const double *sums, double *statistic_bar, double *sums_bar) {
  const wal_game *game = o->space->game;
  const report_sum *self = o->self;
  game->type->conclude_vjp(game->self, stage, statistic, sums, self->weight, statistic_bar,
                           sums_bar);
}

static void add_vjp(const wal_objective *o, const double *sums_bar, const wal_adjoint_tile *tile) {
  const wal_game *game = o->space->game;
  if (o->sums == 0) return;
  game->type->measure_vjp(game->self, &tile->slab, tile->mass, tile->pi, tile->statistic, sums_bar,
                          tile->mass_bar, tile->pi_bar, tile->statistic_bar);
}

#define REPORT_OBJECTIVE(name_, columns_, params_, summary_)    \
  const wal_objective_type wal_objective_##name_ = {            \
      .struct_size = sizeof(wal_objective_type),                \
      .component = {.name = #name_,                             \
                    .kind = "objective",                        \
                    .summary = (summary_),                      \
                    .source = "Corecco et al. 2025, section 5", \
                    .params = (params_)},                       \
      .columns = (columns_),                                    \
      .create = create,                                         \
      .add = add,                                               \
      .conclude = conclude,                                     \
      .conclude_vjp = conclude_vjp,                             \
      .add_vjp = add_vjp}

static const char *const REVENUE[] = {"revenue", NULL};
static const char *const EFFICIENCY[] = {"efficiency", NULL};
static const char *const BOTH[] = {"revenue", "efficiency", NULL};

static const wal_param MIX_PARAMS[] = {{.name = "revenue",
                                        .type = WAL_REAL,
                                        .number = 1,
                                        .low = -HUGE_VAL,
                                        .high = HUGE_VAL,
                                        .meaning = "weight of the revenue"},
                                       {.name = "efficiency",
                                        .type = WAL_REAL,
                                        .number = 1,
                                        .low = -HUGE_VAL,
                                        .high = HUGE_VAL,
                                        .meaning = "weight of the efficiency"},
                                       {0}};

REPORT_OBJECTIVE(revenue, REVENUE, NULL, "what all rounds of an auction fetch");
REPORT_OBJECTIVE(efficiency, EFFICIENCY, NULL, "what the goods are worth to those who get them");
REPORT_OBJECTIVE(mix, BOTH, MIX_PARAMS, "weighted sum of an auction's revenue and efficiency");
