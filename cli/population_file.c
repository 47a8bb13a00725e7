// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/population_file.h"

#include <stdio.h>

#include "cli/run_parts.h"
#include "sim/core/memory.h"

static const char SCALE[] = "/population/agents";

/* Columns of /population: means, and their standard errors where these have a name. */
static const struct {
  int quantity;
  const char *mean, *error, *slope, *units, *meaning;
} COLUMNS[] = {
    {WAL_POPULATION_RETURN, "return_mean", "return_error", NULL, "reward",
     "return of an agent, summed over the stages"},
    {WAL_POPULATION_RETURN_GAP, "return_gap", "return_gap_error", "return_slope", "reward",
     "size of the difference between an episode's return and the value in the limit"},
    {WAL_POPULATION_OBJECTIVE, "objective_mean", "objective_error", NULL, "objective",
     "the designer's objective"},
    {WAL_POPULATION_OBJECTIVE_GAP, "objective_gap", "objective_gap_error", "objective_slope",
     "objective", "size of the difference between an episode's objective and that in the limit"},
    {WAL_POPULATION_DISTANCE, "mean_field_distance", "mean_field_distance_error",
     "mean_field_distance_slope", "1",
     "sum over the states of the differences from the mean field, mean of the stages"},
    {WAL_POPULATION_GAIN, "deviation_gain", "deviation_gain_error", NULL, "reward",
     "what an agent gains by the best response to the limit, all others staying"},
};
enum { COLUMN_COUNT = sizeof COLUMNS / sizeof *COLUMNS };

static bool has(const wal_population_plan *plan, int quantity) {
  switch (quantity) {
    case WAL_POPULATION_OBJECTIVE:
    case WAL_POPULATION_OBJECTIVE_GAP:
      return plan->objective.measure != NULL;
    case WAL_POPULATION_GAIN:
      return plan->deviates;
    default:
      return true;
  }
}

wal_population_slope wal_population_results_slope(const wal_population_results *results,
                                                  int quantity) {
  enum { MOST = 64 };
  double agents[MOST], gap[MOST];
  const int64_t count = results->count < MOST ? results->count : MOST;
  for (int64_t i = 0; i < count; i++) {
    agents[i] = (double)results->row[i].agents;
    gap[i] = results->row[i].estimate[quantity].mean;
  }
  return wal_population_slope_of(count, agents, gap);
}

static wal_status write_column(wal_run_file *file, const wal_population_results *r, int place,
                               bool error, const char *name, const char *units, const char *meaning,
                               double *room) {
  char path[96], long_name[200];
  snprintf(path, sizeof path, "/population/%s", name);
  snprintf(long_name, sizeof long_name, "%s%s%s", meaning,
           error ? ": standard error of the mean" : "", error ? "" : ", mean over the episodes");
  for (int64_t i = 0; i < r->count; i++) {
    const wal_population_estimate *e = &r->row[i].estimate[place];
    room[i] = error ? e->error : e->mean;
  }
  const wal_dataset d = {.path = path,
                         .units = units,
                         .long_name = long_name,
                         .rank = 1,
                         .extent = {r->count},
                         .scale = {SCALE}};
  return wal_run_file_reals(file, &d, room);
}

static wal_status write_slope(wal_run_file *file, const wal_population_results *r, int quantity,
                              const char *name) {
  const wal_population_slope slope = wal_population_results_slope(r, quantity);
  char text[96];
  WAL_TRY(wal_run_file_attribute_real(file, "/population", name, slope.slope));
  snprintf(text, sizeof text, "%s_low", name);
  WAL_TRY(wal_run_file_attribute_real(file, "/population", text, slope.low));
  snprintf(text, sizeof text, "%s_high", name);
  return wal_run_file_attribute_real(file, "/population", text, slope.high);
}

static wal_status write_columns(wal_run_file *file, const wal_population_results *r, double *room) {
  for (int c = 0; c < COLUMN_COUNT; c++) {
    if (!has(&r->population->plan, COLUMNS[c].quantity)) continue;
    const int place = COLUMNS[c].quantity;
    WAL_TRY(write_column(file, r, place, false, COLUMNS[c].mean, COLUMNS[c].units,
                         COLUMNS[c].meaning, room));
    WAL_TRY(write_column(file, r, place, true, COLUMNS[c].error, COLUMNS[c].units,
                         COLUMNS[c].meaning, room));
    if (COLUMNS[c].slope) WAL_TRY(write_slope(file, r, place, COLUMNS[c].slope));
  }
  return WAL_OK;
}

/* A table of numbers that stand one behind the other in a row: [agents, columns]. */
static wal_status write_table(wal_run_file *file, const wal_population_results *r, int first,
                              int columns, const char *path, const char *units,
                              const char *long_name, const char *scale, double *room) {
  for (int64_t i = 0; i < r->count; i++)
    for (int c = 0; c < columns; c++) room[i * columns + c] = r->row[i].estimate[first + c].mean;
  const wal_dataset d = {.path = path,
                         .units = units,
                         .long_name = long_name,
                         .rank = 2,
                         .extent = {r->count, columns},
                         .scale = {SCALE, scale}};
  return wal_run_file_reals(file, &d, room);
}

static wal_status write_groups(wal_run_file *file, wal_ctx *ctx, const wal_population_results *r,
                               double *room) {
  static const char GROUP[] = "/population/group";
  const wal_population *p = r->population;
  const int groups = p->plan.groups;
  for (int g = 0; g < groups; g++) room[g] = p->plan.group[g].share;
  WAL_TRY(
      wal_run_write_index(file, ctx, GROUP, "group of agents with a policy of its own", groups));
  const wal_dataset share = {.path = "/population/group_share",
                             .units = "1",
                             .long_name = "share of the agents that are in the group",
                             .rank = 1,
                             .extent = {groups},
                             .scale = {GROUP}};
  WAL_TRY(wal_run_file_reals(file, &share, room));
  wal_dataset value = share;
  value.path = "/population/group_value";
  value.units = "reward";
  value.long_name = "return of the group's agents in the limit";
  WAL_TRY(wal_run_file_reals(file, &value, p->group_value));
  WAL_TRY(write_table(file, r, wal_population_group_return(p, 0), groups,
                      "/population/group_return", "reward",
                      "return of the group's agents, mean over the episodes", GROUP, room));
  if (!p->plan.deviates) return WAL_OK;
  return write_table(
      file, r, wal_population_group_gain(p, 0), groups, "/population/group_deviation_gain",
      "reward", "what an agent of the group gains by the best response to the limit", GROUP, room);
}

static wal_status write_exact(wal_run_file *file, const wal_population_results *r, double *room) {
  static const struct {
    const char *path, *long_name;
  } TABLES[] = {
      {"/population/exact_return", "return of an agent, by enumeration; NaN: too many agents"},
      {"/population/exact_deviation_gain", "what deviation_gain estimates, by enumeration"},
      {"/population/exact_exploitability",
       "what the best response gains of an agent who sees where all others are"}};
  for (int t = 0; t < 3; t++) {
    for (int64_t i = 0; i < r->count; i++) {
      const wal_population_result *row = &r->row[i];
      room[i] = t == 0 ? row->exact_return : t == 1 ? row->exact_gain : row->exact_best;
    }
    const wal_dataset d = {.path = TABLES[t].path,
                           .units = "reward",
                           .long_name = TABLES[t].long_name,
                           .rank = 1,
                           .extent = {r->count},
                           .scale = {SCALE}};
    WAL_TRY(wal_run_file_reals(file, &d, room));
  }
  return WAL_OK;
}

static wal_status write_limit(wal_run_file *file, const wal_population *p) {
  const wal_shape *shape = &p->plan.space->game->shape;
  WAL_TRY(wal_run_file_attribute_real(file, "/population", "value", p->value));
  if (p->plan.objective.measure)
    WAL_TRY(wal_run_file_attribute_real(file, "/population", "objective", p->objective));
  if (p->plan.deviates)
    WAL_TRY(wal_run_file_attribute_real(file, "/population", "limit_deviation_gain",
                                        p->deviation_gain));
  const wal_dataset mass = {.path = "/population/mean_field",
                            .units = "1",
                            .long_name = "mass of the state in the limit of many agents",
                            .rank = 2,
                            .extent = {shape->horizon, shape->states},
                            .scale = {"/axes/stage", "/axes/state"}};
  return wal_run_file_reals(file, &mass, p->mass);
}

static wal_status write_record(wal_run_file *file, wal_ctx *ctx, const wal_record *record) {
  static const char ROW[] = "/population/record/row";
  const struct {
    const char *path, *long_name;
    const int64_t *values;
  } columns[] = {
      {"/population/record/agent", "number of the agent, by group and population", record->agent},
      {"/population/record/stage", "decision stage", record->stage},
      {"/population/record/state", "state of the agent", record->state},
      {"/population/record/action", "what it plays", record->action}};
  WAL_TRY(wal_run_file_group(file, "/population/record"));
  WAL_TRY(wal_run_write_index(file, ctx, ROW, "an agent at a stage", record->rows));
  wal_dataset d = {.units = "1", .rank = 1, .extent = {record->rows}, .scale = {ROW}};
  for (int c = 0; c < 4; c++) {
    d.path = columns[c].path;
    d.long_name = columns[c].long_name;
    WAL_TRY(wal_run_file_integers(file, &d, columns[c].values));
  }
  d.path = "/population/record/reward";
  d.long_name = "what it gets for that";
  d.units = "reward";
  return wal_run_file_reals(file, &d, record->reward);
}

static wal_status write_agents(wal_run_file *file, const wal_population_results *r,
                               int64_t *agents) {
  for (int64_t i = 0; i < r->count; i++) agents[i] = r->row[i].agents;
  const wal_dataset d = {.path = SCALE,
                         .units = "1",
                         .long_name = "agents of each population",
                         .rank = 1,
                         .extent = {r->count},
                         .is_scale = true};
  return wal_run_file_integers(file, &d, agents);
}

wal_status wal_population_file_group(wal_run_file *file, wal_ctx *ctx,
                                     const wal_population_results *results) {
  const wal_population *p = results->population;
  const int horizon = p->plan.space->game->shape.horizon;
  const int64_t most = results->count * (wal_population_width(p) + 1) + p->plan.groups;
  double *room = NULL;
  int64_t *agents = NULL;
  wal_status status = wal_acquire(ctx, "table", most, sizeof *room, &room);
  if (status == WAL_OK) status = wal_acquire(ctx, "table", results->count, sizeof *agents, &agents);
  WAL_TRY_GOTO(wal_agree(ctx, status));
  WAL_TRY_GOTO(wal_run_file_group(file, "/population"));
  WAL_TRY_GOTO(wal_run_file_attribute_text(file, "/population", "mode", p->plan.mode->name));
  WAL_TRY_GOTO(wal_run_file_attribute_integer(file, "/population", "episodes", results->episodes));
  WAL_TRY_GOTO(write_agents(file, results, agents));
  WAL_TRY_GOTO(write_columns(file, results, room));
  WAL_TRY_GOTO(write_table(
      file, results, wal_population_stage_distance(p, 0), horizon, "/population/stage_distance",
      "1", "sum over the states of the differences from the mean field", "/axes/stage", room));
  WAL_TRY_GOTO(write_groups(file, ctx, results, room));
  if (results->exact) WAL_TRY_GOTO(write_exact(file, results, room));
  if (results->record.rows > 0) WAL_TRY_GOTO(write_record(file, ctx, &results->record));
  status = write_limit(file, p);
cleanup:
  wal_release(ctx, &room);
  wal_release(ctx, &agents);
  return status;
}

wal_status wal_population_file_write(wal_run_file *file, const wal_job *job, const wal_space *space,
                                     const wal_population_results *results) {
  WAL_TRY(wal_run_write_scenario(file, job));
  WAL_TRY(wal_run_write_axes(file, job->ctx, space));
  return wal_population_file_group(file, job->ctx, results);
}
