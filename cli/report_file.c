// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/report_file.h"

#include <string.h>

#include "sim/core/memory.h"

enum { PATH = 96, SHOWN = 24, LAST_SHOWN = 3, WIDTH = 10 };

// ---- The group of the run file ----------------------------------------------------------------

typedef struct table_source {
  const wal_flow *flow;
  int64_t first, count; /* numbers of z_h */
} table_source;

static void fill_table(void *user, int64_t stage, double *out) {
  const table_source *t = user;
  const double *z = wal_flow_statistic(t->flow, (int)stage) + t->first;
  if (t->count > 0) memcpy(out, z, (size_t)t->count * sizeof *out);
}

/* Every rank has all of z_h: each writes the part of the actions that falls to it. */
static wal_status write_table(wal_run_file *file, const wal_report_table *table, const char *group,
                              const wal_flow *flow, const wal_space *space) {
  const wal_shape *shape = &space->game->shape;
  const int64_t rank = wal_ctx_rank(space->ctx), ranks = wal_ctx_size(space->ctx);
  const int64_t first = shape->actions * rank / ranks;
  const int64_t count = shape->actions * (rank + 1) / ranks - first;
  table_source source = {flow, (int64_t)table->row * shape->actions + first, count};
  char path[PATH], scale[PATH];
  snprintf(path, sizeof path, "/%s/%s", group, table->name);
  snprintf(scale, sizeof scale, "/axes/%s", shape->action.name ? shape->action.name : "action");
  const wal_dataset d = {.path = path,
                         .units = table->unit,
                         .long_name = table->meaning,
                         .rank = 2,
                         .extent = {shape->horizon, shape->actions},
                         .scale = {"/axes/stage", scale}};
  return wal_run_file_spread(file, &d, 1, first, count, fill_table, &source);
}

static wal_status write_column(wal_run_file *file, const wal_report *report, int c, double *room) {
  const wal_report_form *form = report->form;
  const wal_report_column *column = &form->column[c];
  char path[PATH], name[PATH];
  snprintf(path, sizeof path, "/%s/%s", form->group, column->name);
  for (int h = 0; report->values && h < report->stages; h++)
    room[h] = report->values[(int64_t)h * form->columns + c];
  const wal_dataset d = {.path = path,
                         .units = column->unit,
                         .long_name = column->meaning,
                         .rank = 1,
                         .extent = {report->stages},
                         .scale = {"/axes/stage"}};
  WAL_TRY(wal_run_file_reals(file, &d, room));
  if (!column->adds) return WAL_OK;
  char group[PATH];
  snprintf(group, sizeof group, "/%s", form->group);
  snprintf(name, sizeof name, "total_%s", column->name);
  return wal_run_file_attribute_real(file, group, name, report->total[c]);
}

static wal_status link_axis(wal_run_file *file, const char *group, const char *axis) {
  char from[PATH], to[PATH];
  snprintf(from, sizeof from, "/axes/%s", axis);
  snprintf(to, sizeof to, "/%s/%s", group, axis);
  return wal_run_file_link(file, from, to);
}

wal_status wal_report_write(wal_run_file *file, const wal_report *report, const wal_flow *flow,
                            const wal_space *space) {
  const wal_report_form *form = report->form;
  char group[PATH];
  double *room = NULL;
  if (!form) return WAL_OK;
  snprintf(group, sizeof group, "/%s", form->group);
  WAL_TRY_ALL(space->ctx, wal_acquire(space->ctx, "report", report->stages, sizeof *room, &room));
  wal_status status = wal_run_file_group(file, group);
  for (int t = 0; status == WAL_OK && t < form->tables; t++)
    status = write_table(file, &form->table[t], form->group, flow, space);
  for (int c = 0; status == WAL_OK && c < form->columns; c++)
    status = write_column(file, report, c, room);
  if (status == WAL_OK) status = link_axis(file, form->group, "stage");
  const char *axis = space->game->shape.action.name;
  if (status == WAL_OK && form->tables > 0)
    status = link_axis(file, form->group, axis ? axis : "action");
  wal_release(space->ctx, &room);
  return status;
}

// ---- The printed table ------------------------------------------------------------------------

static int width_of(const wal_report_column *column) {
  const int length = (int)strlen(column->name);
  return length > WIDTH ? length : WIDTH;
}

void wal_report_print(FILE *out, const wal_report *report) {
  const wal_report_form *form = report->form;
  if (!form || !report->values) return;
  const bool cut = report->stages > SHOWN;
  fprintf(out, "  %7s", form->stage);
  for (int c = 0; c < form->columns; c++)
    fprintf(out, "  %*s", width_of(&form->column[c]), form->column[c].name);
  fprintf(out, "\n");
  for (int h = 0; h < report->stages; h++) {
    if (cut && h == SHOWN - LAST_SHOWN) {
      h = report->stages - LAST_SHOWN;
      fprintf(out, "  %7s  (all of them are in the file)\n", "...");
    }
    fprintf(out, "  %7d", h);
    for (int c = 0; c < form->columns; c++)
      fprintf(out, "  %*.6g", width_of(&form->column[c]),
              report->values[(int64_t)h * form->columns + c]);
    fprintf(out, "\n");
  }
  fprintf(out, "  %7s", "total");
  for (int c = 0; c < form->columns; c++)
    if (form->column[c].adds)
      fprintf(out, "  %*.6g", width_of(&form->column[c]), report->total[c]);
    else
      fprintf(out, "  %*s", width_of(&form->column[c]), "");
  fprintf(out, "\n");
}
