// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/design_file.h"
#include "sim/core/memory.h"

/* What the game reports under each of the rules that a design is compared with, so that what the
 * design changed can be seen: /design/reference/GROUP, along the rows of /design/reference. */

enum { PATH = 160 };

/* Every rank has all of the flow's statistics, and keeps the same. */
wal_status wal_design_mark_note(wal_design_mark *mark, const wal_learner *learner) {
  const wal_space *space = learner->space;
  const wal_shape *shape = &space->game->shape;
  const wal_report_form *form = space->game->type->report;
  wal_report report = {0};
  if (!form) return WAL_OK;
  const int64_t stages = shape->horizon, row = stages * shape->actions;
  WAL_TRY_ALL(space->ctx, wal_acquire(space->ctx, "report", form->tables * row,
                                      sizeof *mark->tables, &mark->tables));
  WAL_TRY(wal_report_create(space, &learner->flow, &learner->policy, &report));
  mark->form = form;
  mark->columns = report.values;
  for (int t = 0; t < form->tables; t++)
    for (int64_t h = 0; h < stages; h++)
      memcpy(mark->tables + t * row + h * shape->actions,
             wal_flow_statistic(&learner->flow, (int)h) + form->table[t].row * shape->actions,
             (size_t)shape->actions * sizeof *mark->tables);
  return WAL_OK;
}

void wal_design_marks_free(wal_ctx *ctx, wal_design_marks *marks) {
  for (int i = 0; i < marks->count; i++) {
    wal_release(ctx, &marks->row[i].columns);
    wal_release(ctx, &marks->row[i].tables);
  }
}

/* `extent` numbers of each row, `step` apart from each other, from the place `first` on; NaN of
 * rows that have no report. */
static void gather(const wal_design_marks *marks, const wal_report_form *form, bool tables,
                   int64_t first, int64_t step, int64_t extent, double *room) {
  for (int i = 0; i < marks->count; i++) {
    const bool there = marks->row[i].form == form;
    const double *from = tables ? marks->row[i].tables : marks->row[i].columns;
    for (int64_t k = 0; k < extent; k++) *room++ = there ? from[first + k * step] : NAN;
  }
}

static wal_status write_all(wal_run_file *file, const wal_design_marks *marks, const wal_game *game,
                            double *room) {
  const wal_report_form *form = game->type->report;
  const wal_shape *shape = &game->shape;
  const int64_t row = shape->horizon * shape->actions;
  char path[PATH], scale[PATH];
  snprintf(path, sizeof path, "/design/reference/%s", form->group);
  snprintf(scale, sizeof scale, "/axes/%s", shape->action.name ? shape->action.name : "action");
  WAL_TRY(wal_run_file_group(file, path));
  for (int c = 0; c < form->columns; c++) {
    snprintf(path, sizeof path, "/design/reference/%s/%s", form->group, form->column[c].name);
    gather(marks, form, false, c, form->columns, shape->horizon, room);
    const wal_dataset d = {.path = path,
                           .units = form->column[c].unit,
                           .long_name = form->column[c].meaning,
                           .rank = 2,
                           .extent = {marks->count, shape->horizon},
                           .scale = {"/design/reference/row", "/axes/stage"}};
    WAL_TRY(wal_run_file_reals(file, &d, room));
  }
  for (int t = 0; t < form->tables; t++) {
    snprintf(path, sizeof path, "/design/reference/%s/%s", form->group, form->table[t].name);
    gather(marks, form, true, t * row, 1, row, room);
    const wal_dataset d = {.path = path,
                           .units = form->table[t].unit,
                           .long_name = form->table[t].meaning,
                           .rank = 3,
                           .extent = {marks->count, shape->horizon, shape->actions},
                           .scale = {"/design/reference/row", "/axes/stage", scale}};
    WAL_TRY(wal_run_file_reals(file, &d, room));
  }
  return WAL_OK;
}

wal_status wal_design_marks_write_reports(wal_run_file *file, wal_ctx *ctx, const wal_game *game,
                                          const wal_design_marks *marks) {
  double *room = NULL;
  if (!game->type->report || marks->count == 0) return WAL_OK;
  const int64_t numbers = (int64_t)marks->count * game->shape.horizon *
                          (game->shape.actions > 1 ? game->shape.actions : 1);
  WAL_TRY_ALL(ctx, wal_acquire(ctx, "report", numbers, sizeof *room, &room));
  const wal_status status = write_all(file, marks, game, room);
  wal_release(ctx, &room);
  return status;
}
