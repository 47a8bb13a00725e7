// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/game/report.h"

#include "sim/core/block_sum.h"
#include "sim/core/memory.h"

/* What the states give to the stage's sums. @collective */
static wal_status add_stage(const wal_flow *flow, const wal_policy *policy, int stage, double *room,
                            wal_block_sum *sums, double *total) {
  const wal_space *space = flow->space;
  const wal_game *game = space->game;
  wal_block_sum_start(sums);
  for (int64_t tile = 0; tile < space->tiles; tile++) {
    const wal_slab slab = wal_space_slab(space, stage, tile);
    const double *mass = wal_flow_mass(flow, stage) + (slab.first - space->states.first);
    const double *pi = wal_policy_read(policy, &slab, tile, room, NULL);
    game->type->measure(game->self, &slab, mass, pi, wal_flow_statistic(flow, stage),
                        wal_block_sum_row(sums, wal_space_block(space, tile)));
  }
  return wal_block_sum_finish(sums, total);
}

wal_status wal_report_create(const wal_space *space, const wal_flow *flow, const wal_policy *policy,
                             wal_report *out) {
  wal_ctx *ctx = space->ctx;
  const wal_game *game = space->game;
  const int horizon = game->shape.horizon;
  wal_block_sum *sums = NULL;
  double *room = NULL, *total = NULL;
  *out = (wal_report){.form = game->type->report, .stages = horizon};
  if (!out->form || !flow) return WAL_OK;
  const int columns = out->form->columns, width = out->form->sums;
  wal_status status =
      wal_acquire(ctx, "report", (int64_t)horizon * columns, sizeof(double), &out->values);
  if (status == WAL_OK)
    status = wal_acquire(ctx, "report", wal_space_tile_pairs(space), sizeof(double), &room);
  if (status == WAL_OK) status = wal_acquire(ctx, "report", width, sizeof(double), &total);
  WAL_TRY_GOTO(wal_agree(ctx, status));
  if (width > 0) WAL_TRY_GOTO(wal_block_sum_create(ctx, &space->states, width, &sums));
  for (int h = 0; h < horizon; h++) {
    double *row = out->values + (int64_t)h * columns;
    if (width > 0) WAL_TRY_GOTO(add_stage(flow, policy, h, room, sums, total));
    game->type->conclude(game->self, h, wal_flow_statistic(flow, h), total, row);
    for (int c = 0; c < columns; c++)
      if (out->form->column[c].adds) out->total[c] += row[c];
  }
cleanup:
  wal_block_sum_destroy(&sums);
  wal_release(ctx, &room);
  wal_release(ctx, &total);
  if (status != WAL_OK) wal_report_free(ctx, out);
  return status;
}

void wal_report_free(wal_ctx *ctx, wal_report *report) { wal_release(ctx, &report->values); }
