// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/run_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "io/json.h"
#include "sim/core/memory.h"

wal_status wal_run_write_scenario(wal_run_file *file, const wal_job *job) {
  wal_text resolved = {0};
  const wal_params *params = job->whole ? job->whole : job->params;
  const int64_t seed =
      job->whole ? wal_params_integer(job->whole, "seed") : (int64_t)wal_ctx_seed(job->ctx);
  wal_json_task(&resolved, params, wal_scenario_script(job->scenario));
  const char *json = resolved.bytes;
  const char *source = job->derived && !job->whole ? json : wal_job_source(job);
  const wal_dataset as_given = {
      .path = "/scenario/source", .units = "1", .long_name = "scenario as given"};
  const wal_dataset complete = {.path = "/scenario/resolved",
                                .units = "1",
                                .long_name = "scenario with all defaults, as JSON"};
  wal_status status =
      wal_run_file_attribute_text(file, "/", "task", wal_params_component(job->params)->name);
  if (status == WAL_OK) status = wal_run_file_attribute_integer(file, "/", "seed", seed);
  if (status == WAL_OK) status = wal_run_file_group(file, "/scenario");
  if (status == WAL_OK) status = wal_run_file_texts(file, &as_given, &source);
  if (status == WAL_OK) status = wal_run_file_texts(file, &complete, &json);
  wal_text_free(&resolved);
  return status;
}

/* One column over the states: the state's index (axis < 0) or one of its coordinates. */
typedef struct column {
  const wal_space *space;
  int axis;
} column;

static void fill_column(void *user, int64_t state, double *out) {
  const column *c = user;
  const wal_shape *shape = &c->space->game->shape;
  int64_t inner = 1;
  for (int i = c->axis + 1; c->axis >= 0 && i < shape->axes; i++) inner *= shape->axis[i].size;
  const int64_t place = c->axis < 0 ? state : state / inner % shape->axis[c->axis].size;
  const double *label = c->axis < 0 ? NULL : shape->axis[c->axis].label;
  *out = label ? label[place] : (double)place;
}

wal_status wal_run_write_index(wal_run_file *file, wal_ctx *ctx, const char *path,
                               const char *long_name, int64_t count) {
  int64_t *index = NULL;
  WAL_TRY_ALL(ctx, wal_acquire(ctx, "axis", count, sizeof *index, &index));
  for (int64_t i = 0; i < count; i++) index[i] = i;
  const wal_dataset d = {.path = path,
                         .units = "1",
                         .long_name = long_name,
                         .rank = 1,
                         .extent = {count},
                         .is_scale = true};
  wal_status status = wal_run_file_integers(file, &d, index);
  wal_release(ctx, &index);
  return status;
}

static wal_status write_action_names(wal_run_file *file, wal_ctx *ctx, const wal_game *game) {
  enum { NAME = 64 };
  const int count = game->shape.actions;
  char *names = NULL;
  const char **list = NULL;
  wal_status status = wal_acquire(ctx, "axis", count, NAME, &names);
  if (status == WAL_OK) status = wal_acquire(ctx, "axis", count, sizeof *list, &list);
  status = wal_agree(ctx, status);
  if (status == WAL_OK) {
    for (int a = 0; a < count; a++) {
      list[a] = names + (size_t)a * NAME;
      game->type->action_name(game->self, a, names + (size_t)a * NAME, NAME);
    }
    const wal_dataset d = {.path = "/axes/action_name",
                           .units = "1",
                           .long_name = "name of the action",
                           .rank = 1,
                           .extent = {count},
                           .scale = {"/axes/action"}};
    status = wal_run_file_texts(file, &d, list);
  }
  wal_release(ctx, &names);
  wal_release(ctx, &list);
  return status;
}

static wal_status write_action_axis(wal_run_file *file, const wal_axis *axis) {
  char path[64], long_name[64];
  snprintf(path, sizeof path, "/axes/%s", axis->name);
  snprintf(long_name, sizeof long_name, "%s of the action", axis->name);
  const wal_dataset d = {.path = path,
                         .units = axis->unit ? axis->unit : "1",
                         .long_name = long_name,
                         .rank = 1,
                         .extent = {axis->size},
                         .is_scale = true};
  return wal_run_file_reals(file, &d, axis->label);
}

wal_status wal_run_write_axes(wal_run_file *file, wal_ctx *ctx, const wal_space *space) {
  const wal_shape *shape = &space->game->shape;
  WAL_TRY(wal_run_file_group(file, "/axes"));
  WAL_TRY(wal_run_write_index(file, ctx, "/axes/stage", "decision stage", shape->horizon));
  WAL_TRY(wal_run_write_index(file, ctx, "/axes/action", "action", shape->actions));
  column c = {space, -1};
  wal_dataset state = {.path = "/axes/state",
                       .units = "1",
                       .long_name = "state",
                       .rank = 1,
                       .extent = {shape->states},
                       .is_scale = true,
                       .stored = WAL_STORED_WHOLE};
  WAL_TRY(wal_run_file_spread(file, &state, 0, space->states.first, space->states.count,
                              fill_column, &c));
  state.is_scale = false;
  state.scale[0] = "/axes/state";
  for (c.axis = 0; c.axis < shape->axes; c.axis++) {
    const wal_axis *axis = &shape->axis[c.axis];
    char path[64], long_name[64];
    if (shape->axes == 1 && !axis->label) continue;  // the state itself
    snprintf(path, sizeof path, "/axes/%s", axis->name);
    snprintf(long_name, sizeof long_name, "%s of the state", axis->name);
    state.path = path;
    state.long_name = long_name;
    state.units = axis->unit ? axis->unit : "1";
    state.stored = axis->label ? WAL_STORED_DOUBLE : WAL_STORED_WHOLE;
    WAL_TRY(wal_run_file_spread(file, &state, 0, space->states.first, space->states.count,
                                fill_column, &c));
  }
  if (shape->action.name) WAL_TRY(write_action_axis(file, &shape->action));
  return space->game->type->action_name ? write_action_names(file, ctx, space->game) : WAL_OK;
}

wal_status wal_run_write_facts(wal_run_file *file, const wal_job *job, int64_t peak) {
  char host[256] = "", clock[64] = "";
  time_t now = time(NULL);
  struct tm utc;
  gethostname(host, sizeof host - 1);
  if (gmtime_r(&now, &utc)) strftime(clock, sizeof clock, "%Y-%m-%dT%H:%M:%SZ", &utc);
  WAL_TRY(wal_run_file_attribute_text(file, "/run", "host", host));
  WAL_TRY(wal_run_file_attribute_text(file, "/run", "finished", clock));
  WAL_TRY(wal_run_file_attribute_text(file, "/run", "command", job->command_line));
  WAL_TRY(wal_run_file_attribute_text(file, "/run", "scenario_file", wal_job_scenario_file(job)));
  WAL_TRY(wal_run_file_attribute_integer(file, "/run", "ranks", wal_ctx_size(job->ctx)));
  return wal_run_file_attribute_integer(file, "/run", "peak_bytes", peak);
}

wal_status wal_run_write_seconds(wal_run_file *file, int64_t rows, const double *seconds,
                                 const char *scale) {
  const wal_dataset elapsed = {.path = "/run/seconds",
                               .units = "s",
                               .long_name = "seconds since the start of the solve",
                               .rank = 1,
                               .extent = {rows},
                               .scale = {scale}};
  WAL_TRY(wal_run_file_reals(file, &elapsed, seconds));
  return wal_run_file_link(file, scale, "/run/iteration");
}

static wal_status begin_run(wal_run_file *file, const wal_job *job) {
  int64_t peak = -wal_ctx_peak_memory(job->ctx);
  WAL_TRY(wal_ctx_least_integer(job->ctx, &peak));
  WAL_TRY(wal_run_file_group(file, "/run"));
  return wal_run_write_facts(file, job, -peak);
}

wal_status wal_run_write_run(wal_run_file *file, const wal_job *job, int64_t rows,
                             const double *seconds, const char *scale) {
  WAL_TRY(begin_run(file, job));
  return wal_run_write_seconds(file, rows, seconds, scale);
}

wal_status wal_run_write_whole(wal_run_file *file, const wal_job *job, double seconds) {
  WAL_TRY(begin_run(file, job));
  return wal_run_file_attribute_real(file, "/run", "seconds", seconds);
}

wal_status wal_run_write_traffic(wal_run_file *file, wal_ctx *ctx, const wal_traffic *traffic,
                                 double iterations) {
  const char *const names[] = {"bytes_per_iteration", "messages_per_iteration",
                               "collectives_per_iteration"};
  const int64_t own[] = {traffic->bytes, traffic->messages, traffic->collectives};
  for (int i = 0; i < 3; i++) {
    int64_t negative = -own[i];
    WAL_TRY(wal_ctx_least_integer(ctx, &negative));
    WAL_TRY(wal_run_file_attribute_real(file, "/run", names[i],
                                        (double)-negative / (iterations > 0 ? iterations : 1)));
  }
  return WAL_OK;
}
