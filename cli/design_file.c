// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/design_file.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/report_file.h"
#include "cli/run_parts.h"
#include "cli/solve_file.h"
#include "sim/core/memory.h"
#include "sim/learn/learner.h"

/* Columns of /design, one number a step. */
static const struct {
  const char *name, *units, *long_name;
} COLUMNS[] = {
    {"objective", "objective",
     "objective after the learner's iterations, or the method's estimate"},
    {"gradient_norm", "objective", "length of the direction that the method gave"},
    {"assessed_objective", "objective", "objective after the assessment's iterations"},
    {"exploitability", "reward", "exploitability with the learner's entropy, in the assessment"},
    {"plain_exploitability", "reward", "exploitability without it"},
    {"residual", "1",
     "change of probabilities left at the equilibrium of the method, if it has one"},
};
enum { COLUMN_COUNT = sizeof COLUMNS / sizeof *COLUMNS };

bool wal_design_file_is_trace(const char *path) {
  static const char *const GROUP = "/design";
  if (strncmp(path, GROUP, strlen(GROUP)) != 0) return false;
  const char *name = path + strlen(GROUP);
  if (!*name || strcmp(name, "/step") == 0) return true;
  for (int c = 0; c < COLUMN_COUNT; c++)
    if (*name == '/' && strcmp(name + 1, COLUMNS[c].name) == 0) return true;
  return false;
}

static double number_of(const wal_design_row *row, int column) {
  const double numbers[COLUMN_COUNT] = {
      row->objective,      row->gradient_norm,        row->assessed,
      row->exploitability, row->plain_exploitability, row->residual};
  return numbers[column];
}

static wal_status write_trace(wal_run_file *file, const wal_design *d, double *room,
                              int64_t *steps) {
  for (int64_t i = 0; i < d->row_count; i++) steps[i] = d->rows[i].step;
  const wal_dataset scale = {.path = "/design/step",
                             .units = "1",
                             .long_name = "steps of the design taken",
                             .rank = 1,
                             .extent = {d->row_count},
                             .is_scale = true};
  WAL_TRY(wal_run_file_integers(file, &scale, steps));
  for (int c = 0; c < COLUMN_COUNT; c++) {
    char path[64];
    snprintf(path, sizeof path, "/design/%s", COLUMNS[c].name);
    for (int64_t i = 0; i < d->row_count; i++) room[i] = number_of(&d->rows[i], c);
    const wal_dataset column = {.path = path,
                                .units = COLUMNS[c].units,
                                .long_name = COLUMNS[c].long_name,
                                .rank = 1,
                                .extent = {d->row_count},
                                .scale = {"/design/step"}};
    WAL_TRY(wal_run_file_reals(file, &column, room));
  }
  return WAL_OK;
}

/* The parts of the parameters, each an array of its own. */
static wal_status write_parameters(wal_run_file *file, const wal_design *d, const char *group,
                                   const double *theta) {
  const wal_parameters *all = wal_problem_parameters(d->problem);
  WAL_TRY(wal_run_file_group(file, group));
  for (int i = 0; i < all->parts; i++) {
    const wal_parameter_part *part = &all->part[i];
    char path[160];
    snprintf(path, sizeof path, "%s/%s", group, part->name);
    const wal_dataset values = {.path = path,
                                .units = "1",
                                .long_name = "parameters of the design",
                                .rank = part->rank,
                                .extent = {part->extent[0], part->rank > 1 ? part->extent[1] : 0}};
    WAL_TRY(wal_run_file_reals(file, &values, theta));
    theta += part->extent[0] * (part->rank > 1 ? part->extent[1] : 1);
  }
  return WAL_OK;
}

static wal_status write_marks(wal_run_file *file, wal_ctx *ctx, const wal_design_marks *marks) {
  const char *names[WAL_DESIGN_MARKS];
  double numbers[3][WAL_DESIGN_MARKS];
  static const struct {
    const char *path, *units, *long_name;
  } TABLES[] = {
      {"/design/reference/objective", "objective", "objective in the assessment"},
      {"/design/reference/exploitability", "reward", "exploitability with the learner's entropy"},
      {"/design/reference/plain_exploitability", "reward", "exploitability without it"}};
  for (int i = 0; i < marks->count; i++) {
    names[i] = marks->row[i].name;
    numbers[0][i] = marks->row[i].found.objective;
    numbers[1][i] = marks->row[i].found.exploitability;
    numbers[2][i] = marks->row[i].found.plain_exploitability;
  }
  WAL_TRY(wal_run_file_group(file, "/design/reference"));
  WAL_TRY(wal_run_write_index(file, ctx, "/design/reference/row", "row", marks->count));
  const wal_dataset name = {.path = "/design/reference/name",
                            .units = "1",
                            .long_name = "what the design is compared with, and the design",
                            .rank = 1,
                            .extent = {marks->count},
                            .scale = {"/design/reference/row"}};
  WAL_TRY(wal_run_file_texts(file, &name, names));
  for (int t = 0; t < 3; t++) {
    const wal_dataset table = {.path = TABLES[t].path,
                               .units = TABLES[t].units,
                               .long_name = TABLES[t].long_name,
                               .rank = 1,
                               .extent = {marks->count},
                               .scale = {"/design/reference/row"}};
    WAL_TRY(wal_run_file_reals(file, &table, numbers[t]));
  }
  return WAL_OK;
}

/* The charges of a toll, which are what its parameters mean. */
static wal_status write_toll(wal_run_file *file, const wal_design *d) {
  const wal_toll *toll = &wal_problem_game(d->problem)->toll;
  if (toll->count == 0) return WAL_OK;
  wal_dataset charge = {.path = "/design/toll",
                        .units = "reward",
                        .long_name = "charge at every stage, at the best parameters",
                        .rank = 1,
                        .extent = {toll->states},
                        .scale = {"/axes/state"}};
  if (toll->by_action) {
    charge.rank = 2;
    charge.extent[0] = toll->actions;
    charge.extent[1] = toll->states;
    charge.scale[0] = "/axes/action";
    charge.scale[1] = "/axes/state";
  }
  return wal_run_file_reals(file, &charge, toll->charge);
}

/* Whether it was done to its end: an exit status, and the line that goes with it. */
static wal_status write_ending(wal_run_file *file, const wal_design_ending *ending) {
  WAL_TRY(
      wal_run_file_attribute_integer(file, "/design", "status", wal_status_exit(ending->status)));
  return wal_run_file_attribute_text(file, "/design", "error", ending->reason);
}

/* The numbers that were drawn for row k (of the games that step k works on) or, k < 0, of held-out
 * games. [games][numbers] */
static void fill_draws(const wal_design *d, int64_t k, int64_t games, double *out) {
  const wal_draws *draws = wal_problem_draws(d->problem);
  const wal_ctx *ctx = wal_problem_space(d->problem)->ctx;
  for (int64_t i = 0; i < games; i++)
    for (int64_t j = 0; j < draws->count; j++) {
      const wal_draw_key key =
          k < 0 ? wal_draw_held_out(i) : wal_draw_of_step(ctx, d->plan.restart, d->rows[k].step, i);
      *out++ = wal_draws_number(draws, &key, j);
    }
}

static wal_status write_draw_tables(wal_run_file *file, const wal_design *d, const char **names,
                                    double *room) {
  const wal_draws *draws = wal_problem_draws(d->problem);
  const int64_t batch = wal_problem_batch(d->problem), held_out = wal_problem_held_out(d->problem);
  const wal_dataset name = {.path = "/design/draws/name",
                            .units = "1",
                            .long_name = "paths of the numbers that are drawn",
                            .rank = 1,
                            .extent = {draws->count}};
  const wal_dataset value = {.path = "/design/draws/value",
                             .units = "parameter",
                             .long_name = "what was drawn for each game of a step",
                             .rank = 3,
                             .extent = {d->row_count, batch, draws->count},
                             .scale = {"/design/step"}};
  const wal_dataset others = {.path = "/design/draws/held_out",
                              .units = "parameter",
                              .long_name = "what was drawn for each game of assessments",
                              .rank = 2,
                              .extent = {held_out, draws->count}};
  for (int64_t i = 0; i < draws->count; i++) names[i] = draws->number[i].path;
  WAL_TRY(wal_run_file_group(file, "/design/draws"));
  WAL_TRY(wal_run_file_texts(file, &name, names));
  for (int64_t k = 0; k < d->row_count; k++)
    fill_draws(d, k, batch, room + k * batch * draws->count);
  WAL_TRY(wal_run_file_reals(file, &value, room));
  fill_draws(d, -1, held_out, room);
  return wal_run_file_reals(file, &others, room);
}

static wal_status write_draws(wal_run_file *file, wal_ctx *ctx, const wal_design *d) {
  const wal_draws *draws = wal_problem_draws(d->problem);
  const char **names = NULL;
  double *room = NULL;
  if (!draws || draws->count == 0) return WAL_OK;
  const int64_t games = d->row_count * wal_problem_batch(d->problem);
  const int64_t held_out = wal_problem_held_out(d->problem);
  const int64_t numbers = draws->count * (games > held_out ? games : held_out);
  wal_status status = wal_acquire(ctx, "draws", draws->count, sizeof *names, &names);
  if (status == WAL_OK) status = wal_acquire(ctx, "draws", numbers, sizeof *room, &room);
  status = wal_agree(ctx, status);
  if (status == WAL_OK) status = write_draw_tables(file, d, names, room);
  wal_release(ctx, &names);
  wal_release(ctx, &room);
  return status;
}

static wal_status write_design(wal_run_file *file, const wal_job *job, const wal_design *d,
                               const wal_design_ending *ending, const wal_design_marks *marks) {
  double *room = NULL;
  int64_t *steps = NULL;
  wal_status status = wal_acquire(job->ctx, "trace", d->row_count, sizeof *room, &room);
  if (status == WAL_OK)
    status = wal_acquire(job->ctx, "trace", d->row_count, sizeof *steps, &steps);
  WAL_TRY_GOTO(wal_agree(job->ctx, status));
  WAL_TRY_GOTO(wal_run_file_group(file, "/design"));
  WAL_TRY_GOTO(write_ending(file, ending));
  WAL_TRY_GOTO(write_trace(file, d, room, steps));
  WAL_TRY_GOTO(write_parameters(file, d, "/design/parameters", d->theta));
  WAL_TRY_GOTO(wal_run_file_group(file, "/design/best"));
  if (d->best >= 0)
    WAL_TRY_GOTO(
        wal_run_file_attribute_integer(file, "/design/best", "step", d->rows[d->best].step));
  const double best = wal_design_best_objective(d);
  const wal_dataset objective = {.path = "/design/best/objective",
                                 .units = "objective",
                                 .long_name = "largest objective of a step"};
  WAL_TRY_GOTO(wal_run_file_reals(file, &objective, &best));
  WAL_TRY_GOTO(write_parameters(file, d, "/design/best/parameters", d->best_theta));
  WAL_TRY_GOTO(write_toll(file, d));
  WAL_TRY_GOTO(write_draws(file, job->ctx, d));
  WAL_TRY_GOTO(write_marks(file, job->ctx, marks));
  status = wal_design_marks_write_reports(file, job->ctx, wal_problem_game(d->problem), marks);
cleanup:
  wal_release(job->ctx, &room);
  wal_release(job->ctx, &steps);
  return status;
}

wal_status wal_design_file_write(wal_run_file *file, const wal_job *job, const wal_design *design,
                                 const wal_design_ending *ending, const wal_design_marks *marks,
                                 const wal_report *report) {
  WAL_TRY(wal_run_write_scenario(file, job));
  WAL_TRY(wal_run_write_axes(file, job->ctx, wal_problem_space(design->problem)));
  if (report) {
    wal_learner view = *wal_problem_learner(design->problem);
    WAL_TRY(wal_solve_file_solution(file, job, &view));
    WAL_TRY(wal_report_write(file, report, &view.flow, view.space));
  }
  return write_design(file, job, design, ending, marks);
}

wal_status wal_design_file_write_run(wal_run_file *file, const wal_job *job,
                                     const wal_design *design) {
  double *seconds = NULL;
  WAL_TRY_ALL(job->ctx,
              wal_acquire(job->ctx, "trace", design->row_count, sizeof *seconds, &seconds));
  for (int64_t i = 0; i < design->row_count; i++) seconds[i] = design->rows[i].seconds;
  wal_status status = WAL_OK;
  if (job->whole) {
    status = wal_run_file_group(file, "/run");
    if (status == WAL_OK)
      status = wal_run_write_seconds(file, design->row_count, seconds, "/design/step");
  } else {
    status = wal_run_write_run(file, job, design->row_count, seconds, "/design/step");
  }
  wal_release(job->ctx, &seconds);
  return status;
}
