// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/solve_file.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/run_parts.h"
#include "io/run_file.h"
#include "sim/core/memory.h"

static void fill_policy(void *user, int64_t stage, double *out) {
  wal_policy_export(&((const wal_learner *)user)->policy, (int)stage, out);
}

static void fill_rows(const double *rows, const wal_learner *l, int64_t stage, double *out) {
  int64_t states = l->space->states.count;
  if (states > 0) memcpy(out, rows + stage * states, (size_t)states * sizeof *out);
}

static void fill_mass(void *user, int64_t stage, double *out) {
  const wal_learner *l = user;
  fill_rows(l->flow.mass, l, stage, out);
}

static void fill_value(void *user, int64_t stage, double *out) {
  const wal_learner *l = user;
  fill_rows(l->values.kept, l, stage, out);
}

static wal_status write_solution(wal_run_file *file, wal_learner *l) {
  const wal_shape *shape = &l->space->game->shape;
  const wal_partition *own = &l->space->states;
  const wal_dataset policy = {.path = "/solution/policy",
                              .units = "1",
                              .long_name = "probability of the action in the state",
                              .rank = 3,
                              .extent = {shape->horizon, shape->states, shape->actions},
                              .scale = {"/axes/stage", "/axes/state", "/axes/action"}};
  const wal_dataset mass = {.path = "/solution/mean_field",
                            .units = "1",
                            .long_name = "mass of the state under the policy",
                            .rank = 2,
                            .extent = {shape->horizon, shape->states},
                            .scale = {"/axes/stage", "/axes/state"}};
  wal_dataset value = mass;
  value.path = "/solution/value";
  value.units = "reward";
  value.long_name = "expected reward from the stage on, playing the policy in its own mean field";
  WAL_TRY(wal_run_file_group(file, "/solution"));
  WAL_TRY(wal_run_file_spread(file, &policy, 1, own->first, own->count, fill_policy, l));
  WAL_TRY(wal_run_file_spread(file, &mass, 1, own->first, own->count, fill_mass, l));
  WAL_TRY(wal_run_file_spread(file, &value, 1, own->first, own->count, fill_value, l));
  WAL_TRY(wal_run_file_link(file, "/axes/stage", "/solution/stage"));
  WAL_TRY(wal_run_file_link(file, "/axes/state", "/solution/state"));
  return wal_run_file_link(file, "/axes/action", "/solution/action");
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
  double best = trace->rows[0].exploitability;
  for (int64_t i = 0; i < trace->count; i++) {
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

static wal_status write_populations(wal_run_file *file, const wal_trace *trace, double *room) {
  const int populations = trace->rows[0].populations;
  static const struct {
    const char *path, *long_name;
  } TABLES[] = {{"/trace/exploitability_by_population", "exploitability of each population"},
                {"/trace/value_by_population", "value of the policy for each population"}};
  for (int table = 0; table < 2; table++) {
    for (int64_t i = 0; i < trace->count; i++)
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
  const int populations = trace->rows[0].populations;
  double *room = NULL;
  int64_t *iteration = NULL;
  wal_status status = wal_acquire(ctx, "trace", trace->count * populations, sizeof *room, &room);
  if (status == WAL_OK)
    status = wal_acquire(ctx, "trace", trace->count, sizeof *iteration, &iteration);
  WAL_TRY_GOTO(wal_agree(ctx, status));
  WAL_TRY_GOTO(wal_run_file_group(file, "/trace"));
  for (int64_t i = 0; i < trace->count; i++) iteration[i] = trace->rows[i].iteration;
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
    WAL_TRY_GOTO(write_populations(file, trace, room));
  }
  status = wal_run_file_attribute_integer(file, "/trace", "converged", trace->converged);
cleanup:
  wal_release(ctx, &room);
  wal_release(ctx, &iteration);
  return status;
}

wal_status wal_solve_file_write(wal_run_file *file, const wal_job *job, const wal_learner *learner,
                                const wal_trace *trace) {
  wal_learner view = *learner;
  WAL_TRY(wal_run_write_scenario(file, job));
  WAL_TRY(wal_run_write_axes(file, job->ctx, view.space));
  WAL_TRY(write_solution(file, &view));
  return write_trace(file, job->ctx, &view, trace);
}
