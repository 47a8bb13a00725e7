// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/solve_file.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/report_file.h"
#include "cli/run_parts.h"
#include "sim/core/memory.h"

static const wal_param STORE_PARAMS[] = {
    {.name = "policy",
     .type = WAL_FLAG,
     .number = 1,
     .meaning = "the policy: stages times states times actions numbers"},
    {.name = "mean_field",
     .type = WAL_FLAG,
     .number = 1,
     .meaning = "the mass of every state: stages times states numbers"},
    {.name = "value",
     .type = WAL_FLAG,
     .number = 1,
     .meaning = "the value of every state: stages times states numbers"},
    {.name = "precision",
     .type = WAL_TEXT,
     .text = "double",
     .choices = "double|single",
     .meaning = "of these numbers in the file"},
    {0}};

const wal_component wal_solve_store = {.name = "store",
                                       .kind = "record",
                                       .summary = "what of the solution the run file has",
                                       .params = STORE_PARAMS};

static void fill_policy(void *user, int64_t stage, double *out) {
  wal_policy_export(&((const wal_learner *)user)->policy, (int)stage, out);
}

static void fill_row(const double *row, const wal_learner *l, double *out) {
  int64_t states = l->space->states.count;
  if (states > 0) memcpy(out, row, (size_t)states * sizeof *out);
}

static void fill_mass(void *user, int64_t stage, double *out) {
  const wal_learner *l = user;
  fill_row(wal_flow_mass(&l->flow, (int)stage), l, out);
}

static void fill_value(void *user, int64_t stage, double *out) {
  const wal_learner *l = user;
  fill_row(wal_values_kept(&l->values, (int)stage), l, out);
}

wal_status wal_solve_file_solution(wal_run_file *file, const wal_job *job, wal_learner *l) {
  const wal_params *store = wal_params_child(job->params, "store");
  const bool policies = wal_params_flag(store, "policy");
  const bool masses = wal_params_flag(store, "mean_field");
  const bool values = wal_params_flag(store, "value");
  const bool single = strcmp(wal_params_text(store, "precision"), "single") == 0;
  const wal_shape *shape = &l->space->game->shape;
  const wal_partition *own = &l->space->states;
  const wal_dataset policy = {.path = "/solution/policy",
                              .units = "1",
                              .long_name = "probability of the action in the state",
                              .rank = 3,
                              .extent = {shape->horizon, shape->states, shape->actions},
                              .scale = {"/axes/stage", "/axes/state", "/axes/action"},
                              .stored = single ? WAL_STORED_SINGLE : WAL_STORED_DOUBLE};
  const wal_dataset mass = {.path = "/solution/mean_field",
                            .units = "1",
                            .long_name = "mass of the state under the policy",
                            .rank = 2,
                            .extent = {shape->horizon, shape->states},
                            .scale = {"/axes/stage", "/axes/state"},
                            .stored = policy.stored};
  wal_dataset value = mass;
  value.path = "/solution/value";
  value.units = "reward";
  value.long_name = "expected reward from the stage on, playing the policy in its own mean field";
  if (!policies && !masses && !values) return WAL_OK;
  WAL_TRY(wal_run_file_group(file, "/solution"));
  if (policies)
    WAL_TRY(wal_run_file_spread(file, &policy, 1, own->first, own->count, fill_policy, l));
  if (masses) WAL_TRY(wal_run_file_spread(file, &mass, 1, own->first, own->count, fill_mass, l));
  if (values) WAL_TRY(wal_run_file_spread(file, &value, 1, own->first, own->count, fill_value, l));
  WAL_TRY(wal_run_file_link(file, "/axes/stage", "/solution/stage"));
  WAL_TRY(wal_run_file_link(file, "/axes/state", "/solution/state"));
  return policies ? wal_run_file_link(file, "/axes/action", "/solution/action") : WAL_OK;
}

/* Columns of /trace, taken out of the measures one at a time. */
typedef enum trace_column { EXPLOITABILITY, RATIO, BEST, VALUE, SOFT } trace_column;

static double trace_number(const wal_trace *trace, trace_column column, int64_t row, double best) {
  const wal_measure *m = &trace->rows[row];
  const double first = trace->rows[0].exploitability;
  switch (column) {
    case EXPLOITABILITY:
      return m->exploitability;
    case RATIO:
      return first > 0 ? m->exploitability / first : 1;
    case BEST:
      return best < m->exploitability ? best : m->exploitability;
    case VALUE:
      return m->value;
    case SOFT:
      break;
  }
  return m->soft_exploitability;
}

static wal_status write_column(wal_run_file *file, const wal_trace *trace, trace_column column,
                               const char *path, const char *long_name, double *room) {
  double best = trace->rows ? trace->rows[0].exploitability : 0;
  for (int64_t i = 0; trace->rows && i < trace->count; i++) {
    room[i] = trace_number(trace, column, i, best);
    if (trace->rows[i].exploitability < best) best = trace->rows[i].exploitability;
  }
  const wal_dataset d = {.path = path,
                         .units = column == RATIO ? "1" : "reward",
                         .long_name = long_name,
                         .rank = 1,
                         .extent = {trace->count},
                         .scale = {"/trace/iteration"}};
  return wal_run_file_reals(file, &d, room);
}

static wal_status write_populations(wal_run_file *file, const wal_trace *trace, int populations,
                                    double *room) {
  static const struct {
    const char *path, *long_name;
  } TABLES[] = {{"/trace/exploitability_by_population", "exploitability of each population"},
                {"/trace/value_by_population", "value of the policy for each population"}};
  for (int table = 0; table < 2; table++) {
    for (int64_t i = 0; trace->rows && i < trace->count; i++)
      for (int p = 0; p < populations; p++)
        room[i * populations + p] =
            table == 0 ? trace->rows[i].exploitability_of[p] : trace->rows[i].value_of[p];
    const wal_dataset d = {.path = TABLES[table].path,
                           .units = "reward",
                           .long_name = TABLES[table].long_name,
                           .rank = 2,
                           .extent = {trace->count, populations},
                           .scale = {"/trace/iteration", "/trace/population"}};
    WAL_TRY(wal_run_file_reals(file, &d, room));
  }
  return WAL_OK;
}

static wal_status write_trace(wal_run_file *file, wal_ctx *ctx, const wal_learner *l,
                              const wal_trace *trace) {
  const int populations = l->space->game->shape.populations;
  const int64_t rows = trace->rows ? trace->count : 0;  // a plan has none
  double *room = NULL;
  int64_t *iteration = NULL;
  wal_status status = wal_acquire(ctx, "trace", rows * populations, sizeof *room, &room);
  if (status == WAL_OK) status = wal_acquire(ctx, "trace", rows, sizeof *iteration, &iteration);
  WAL_TRY_GOTO(wal_agree(ctx, status));
  WAL_TRY_GOTO(wal_run_file_group(file, "/trace"));
  for (int64_t i = 0; i < rows; i++) iteration[i] = trace->rows[i].iteration;
  const wal_dataset scale = {.path = "/trace/iteration",
                             .units = "1",
                             .long_name = "learner steps taken",
                             .rank = 1,
                             .extent = {trace->count},
                             .is_scale = true};
  WAL_TRY_GOTO(wal_run_file_integers(file, &scale, iteration));
  WAL_TRY_GOTO(write_column(
      file, trace, EXPLOITABILITY, "/trace/exploitability",
      populations > 1 ? "exploitability, summed over the populations (NashConv)" : "exploitability",
      room));
  WAL_TRY_GOTO(write_column(file, trace, RATIO, "/trace/ratio",
                            "exploitability over that of the start", room));
  WAL_TRY_GOTO(write_column(file, trace, BEST, "/trace/best", "least exploitability so far", room));
  WAL_TRY_GOTO(write_column(file, trace, VALUE, "/trace/value",
                            "expected total reward of the policy in its own mean field", room));
  if (l->entropy > 0)
    WAL_TRY_GOTO(write_column(file, trace, SOFT, "/trace/regularized_exploitability",
                              "exploitability with the learner's entropy in both values", room));
  if (populations > 1) {
    const int64_t index[WAL_POPULATIONS] = {0, 1, 2, 3, 4, 5, 6, 7};
    const wal_dataset d = {.path = "/trace/population",
                           .units = "1",
                           .long_name = "population",
                           .rank = 1,
                           .extent = {populations},
                           .is_scale = true};
    WAL_TRY_GOTO(wal_run_file_integers(file, &d, index));
    WAL_TRY_GOTO(write_populations(file, trace, populations, room));
  }
  status = wal_run_file_attribute_integer(file, "/trace", "converged", trace->converged);
cleanup:
  wal_release(ctx, &room);
  wal_release(ctx, &iteration);
  return status;
}

wal_status wal_solve_file_write(wal_run_file *file, const wal_job *job, const wal_learner *learner,
                                const wal_trace *trace, const wal_report *report) {
  wal_learner view = *learner;
  WAL_TRY(wal_run_write_scenario(file, job));
  WAL_TRY(wal_run_write_axes(file, job->ctx, learner->space));
  WAL_TRY(wal_solve_file_solution(file, job, &view));
  WAL_TRY(wal_report_write(file, report, &learner->flow, learner->space));
  return write_trace(file, job->ctx, learner, trace);
}

wal_status wal_solve_file_write_run(wal_run_file *file, const wal_job *job,
                                    const wal_trace *trace) {
  const int64_t steps = trace->rows ? trace->rows[trace->count - 1].iteration : 0;
  WAL_TRY(wal_run_write_run(file, job, trace->count, trace->seconds, "/trace/iteration"));
  // The measurement of the end exchanges as much as a step does.
  return wal_run_write_traffic(file, job->ctx, &trace->traffic, (double)steps + 1);
}

/* The content is written to a plan, for a learner and a space that have no arrays. */
static wal_status plan(const wal_job *job, const wal_game *game, int64_t iterations,
                       double *bytes) {
  wal_ctx *ctx = job->ctx;
  wal_params *of_learner = wal_params_child(job->params, "learner");
  const wal_params *stop = wal_params_child(job->params, "stop");
  const int64_t every = wal_params_integer(stop, "every");
  const wal_space space = {.ctx = ctx, .game = game};
  wal_learner learner = {.type = wal_learner_find(wal_params_component(of_learner)->name),
                         .space = &space};
  // Row 0, one every so many iterations, and the end.
  const wal_trace trace = {.count = 1 + iterations / every + (iterations % every != 0)};
  wal_run_file *file = NULL;
  *bytes = 0;
  wal_report report = {0};
  wal_status status = wal_report_create(&space, NULL, NULL, &report);
  if (status == WAL_OK) status = learner.type->create(ctx, of_learner, &learner);
  if (status == WAL_OK) status = wal_run_file_plan(ctx, &file);
  status = wal_agree(ctx, status);
  if (status == WAL_OK) status = wal_solve_file_write(file, job, &learner, &trace, &report);
  if (status == WAL_OK && !job->derived) status = wal_solve_file_write_run(file, job, &trace);
  if (status == WAL_OK) status = wal_run_file_planned(file, bytes);
  wal_run_file_discard(&file);
  wal_release(ctx, &learner.self);
  return wal_agree(ctx, status);
}

wal_status wal_solve_file_plan(const wal_job *job, const wal_game *game, double *bytes) {
  const wal_params *stop = wal_params_child(job->params, "stop");
  return plan(job, game, wal_params_integer(stop, "iterations"), bytes);
}

wal_status wal_solve_file_least(const wal_job *job, const wal_game *game, double *bytes) {
  return plan(job, game, 0, bytes);
}
