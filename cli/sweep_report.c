// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/sweep_report.h"

#include <math.h>
#include <string.h>

#include "cli/run_parts.h"
#include "cli/sweep_ranking.h"
#include "cli/sweep_totals.h"
#include "sim/core/memory.h"

enum { SHOWN = 40, CELL = 40, ERROR_SHOWN = 100 };

// ---- The summary ------------------------------------------------------------------------------

typedef enum figure { FIRST, BEST, LAST, REGULARIZED, VALUE } figure;

static double figure_of(const wal_figures *f, figure which) {
  const double figures[] = {f->first, f->best, f->last, f->regularized, f->value};
  return figures[which];
}

static wal_dataset column(const char *path, const char *units, const char *long_name,
                          int64_t runs) {
  return (wal_dataset){.path = path,
                       .units = units,
                       .long_name = long_name,
                       .rank = 1,
                       .extent = {runs},
                       .scale = {"/summary/run"}};
}

static wal_status write_columns(wal_run_file *file, const wal_sweep_columns *c) {
  for (int64_t i = 0; i < c->count; i++) {
    const wal_sweep_column *one = &c->list[i];
    char path[480];
    snprintf(path, sizeof path, "/summary/%s", one->name);
    const wal_dataset d = column(path, "1", one->path, c->runs);
    WAL_TRY(one->numbers ? wal_run_file_reals(file, &d, one->numbers)
                         : wal_run_file_texts(file, &d, (const char *const *)one->texts));
  }
  return WAL_OK;
}

static wal_status write_integers(wal_run_file *file, const wal_sweep_row *rows, int64_t runs,
                                 int64_t *room) {
  wal_dataset d = {.path = "/summary/run",
                   .units = "1",
                   .long_name = "number of the run",
                   .rank = 1,
                   .extent = {runs},
                   .is_scale = true};
  for (int64_t i = 0; i < runs; i++) room[i] = i;
  WAL_TRY(wal_run_file_integers(file, &d, room));
  d = column("/summary/seed", "1", "seed of all random draws", runs);
  for (int64_t i = 0; i < runs; i++) room[i] = rows[i].seed;
  WAL_TRY(wal_run_file_integers(file, &d, room));
  d = column("/summary/status", "1",
             "0 done, 2 not converged, else the exit status that the run alone would have", runs);
  for (int64_t i = 0; i < runs; i++) room[i] = wal_status_exit(rows[i].status);
  WAL_TRY(wal_run_file_integers(file, &d, room));
  d = column("/summary/iterations", "1", "learner steps taken; -1 if the run failed", runs);
  for (int64_t i = 0; i < runs; i++) room[i] = rows[i].figures.iterations;
  WAL_TRY(wal_run_file_integers(file, &d, room));
  d = column("/summary/converged", "1", "1 if a tolerance was asked for and reached", runs);
  for (int64_t i = 0; i < runs; i++) room[i] = rows[i].figures.converged;
  return wal_run_file_integers(file, &d, room);
}

static wal_status write_reals(wal_run_file *file, const wal_sweep_row *rows, int64_t runs,
                              double *room) {
  static const struct {
    figure which;
    const char *path, *long_name;
  } FIGURES[] = {
      {FIRST, "/summary/exploitability_first", "exploitability of the start"},
      {BEST, "/summary/exploitability_best", "least exploitability"},
      {LAST, "/summary/exploitability_last", "exploitability of the policy in the file"},
      {REGULARIZED, "/summary/regularized_exploitability",
       "the same with the learner's entropy in both values; not a number without entropy"},
      {VALUE, "/summary/value", "expected total reward of the policy in its own mean field"}};
  for (size_t k = 0; k < sizeof FIGURES / sizeof FIGURES[0]; k++) {
    const wal_dataset d = column(FIGURES[k].path, "reward", FIGURES[k].long_name, runs);
    for (int64_t i = 0; i < runs; i++) room[i] = figure_of(&rows[i].figures, FIGURES[k].which);
    WAL_TRY(wal_run_file_reals(file, &d, room));
  }
  return WAL_OK;
}

static wal_status write_totals(wal_run_file *file, const wal_sweep_row *rows, int64_t runs,
                               double *room) {
  const wal_sweep_totals totals = wal_sweep_totals_of(rows, runs);
  for (int k = 0; k < totals.count; k++) {
    const wal_report_column *total = totals.column[k];
    char path[96];
    snprintf(path, sizeof path, "/summary/%s", total->name);
    for (int64_t i = 0; i < runs; i++) room[i] = wal_sweep_total(&totals, k, &rows[i]);
    const wal_dataset d = column(path, total->unit, total->meaning, runs);
    WAL_TRY(wal_run_file_reals(file, &d, room));
  }
  return WAL_OK;
}

/* Of designs. */
static wal_status write_ranking(wal_run_file *file, wal_ctx *ctx, const wal_sweep_row *rows,
                                int64_t runs, double *reals, int64_t *integers) {
  wal_sweep_ranking ranking;
  wal_status status = wal_sweep_rank(ctx, rows, runs, &ranking);
  if (status != WAL_OK || ranking.count == 0) goto cleanup;
  for (int64_t i = 0; i < runs; i++) reals[i] = rows[i].figures.objective;
  wal_dataset d = column("/summary/objective", "objective",
                         "objective of the design's best parameters, in the assessment", runs);
  WAL_TRY_GOTO(wal_run_file_reals(file, &d, reals));
  for (int64_t i = 0; i < runs; i++) integers[i] = rows[i].figures.best_step;
  d = column("/summary/best_step", "1", "step of those; -1 if the run failed", runs);
  WAL_TRY_GOTO(wal_run_file_integers(file, &d, integers));
  d = column("/summary/rank", "1", "1 for the largest objective; 0 without one", runs);
  status = wal_run_file_integers(file, &d, ranking.rank);
cleanup:
  wal_sweep_ranking_free(ctx, &ranking);
  return status;
}

wal_status wal_sweep_write_summary(wal_run_file *file, wal_ctx *ctx,
                                   const wal_sweep_columns *columns, const wal_sweep_row *rows) {
  const int64_t runs = columns->runs;
  double *reals = NULL;
  int64_t *integers = NULL;
  const char **errors = NULL;
  wal_status status = wal_acquire(ctx, "a table", runs, sizeof *reals, &reals);
  if (status == WAL_OK) status = wal_acquire(ctx, "a table", runs, sizeof *integers, &integers);
  if (status == WAL_OK) status = wal_acquire(ctx, "a table", runs, sizeof *errors, &errors);
  WAL_TRY_GOTO(wal_agree(ctx, status));
  WAL_TRY_GOTO(wal_run_file_group(file, "/summary"));
  WAL_TRY_GOTO(write_integers(file, rows, runs, integers));
  WAL_TRY_GOTO(write_reals(file, rows, runs, reals));
  WAL_TRY_GOTO(write_ranking(file, ctx, rows, runs, reals, integers));
  WAL_TRY_GOTO(write_totals(file, rows, runs, reals));
  for (int64_t i = 0; i < runs; i++) errors[i] = rows[i].error ? rows[i].error : "";
  const wal_dataset d = column("/summary/error", "1", "why the run failed, else empty", runs);
  WAL_TRY_GOTO(wal_run_file_texts(file, &d, errors));
  status = write_columns(file, columns);
cleanup:
  wal_release(ctx, &reals);
  wal_release(ctx, &integers);
  wal_release(ctx, &errors);
  return status;
}

wal_status wal_sweep_write_run(wal_run_file *file, wal_ctx *ctx, const wal_job *job,
                               const wal_sweep_row *rows, int64_t runs, int groups) {
  double *seconds = NULL;
  WAL_TRY(wal_run_file_group(file, "/run"));
  WAL_TRY(wal_run_write_facts(file, job, wal_ctx_peak_memory(job->ctx)));
  WAL_TRY(wal_run_file_attribute_integer(file, "/run", "groups", groups));
  WAL_TRY_ALL(ctx, wal_acquire(ctx, "a table", runs, sizeof *seconds, &seconds));
  for (int64_t i = 0; i < runs; i++) seconds[i] = rows[i].figures.seconds;
  wal_dataset d = column("/run/seconds", "s", "seconds that the run took", runs);
  wal_status status = wal_run_file_reals(file, &d, seconds);
  wal_release(ctx, &seconds);
  return status == WAL_OK ? wal_run_file_link(file, "/summary/run", "/run/run") : status;
}

// ---- The table --------------------------------------------------------------------------------

enum {
  RANK_CELL,
  RUN_CELL,
  SEED_CELL,
  ITERATIONS_CELL,
  OBJECTIVE_CELL,
  FIRST_CELL,
  BEST_CELL,
  LAST_CELL,
  REGULARIZED_CELL,
  SECONDS_CELL,
  CELLS
};

static const char *const HEADS[CELLS] = {"rank",  "run",  "seed", "iterations",  "objective",
                                         "first", "best", "last", "regularized", "seconds"};

static void parameter_cell(const wal_sweep_column *column, int64_t run, char out[CELL]) {
  char number[32];
  const char *text = column->texts ? column->texts[run] : "";
  if (column->numbers && !isnan(column->numbers[run]))
    text = wal_number_text(column->numbers[run], number, sizeof number);
  const bool cut = strlen(text) >= CELL;
  snprintf(out, CELL, "%.*s%s", cut ? CELL - 4 : CELL - 1, text, cut ? "..." : "");
}

static void number_cell(double number, char out[CELL]) {
  snprintf(out, CELL, isnan(number) ? "-" : "%.6g", number);
}

/* @param rank  0: none */
static void fixed_cell(const wal_sweep_row *row, int64_t run, int64_t rank, int cell,
                       char out[CELL]) {
  const wal_figures *f = &row->figures;
  if (cell == RANK_CELL && rank == 0)
    snprintf(out, CELL, "-");
  else if (cell == RANK_CELL)
    snprintf(out, CELL, "%lld", (long long)rank);
  else if (cell == OBJECTIVE_CELL)
    number_cell(f->objective, out);
  else if (cell == RUN_CELL)
    snprintf(out, CELL, "%lld", (long long)run);
  else if (cell == SEED_CELL)
    snprintf(out, CELL, "%lld", (long long)row->seed);
  else if (cell == ITERATIONS_CELL)
    snprintf(out, CELL, "%lld", (long long)f->iterations);
  else if (cell == SECONDS_CELL)
    snprintf(out, CELL, "%.3f", f->seconds);
  else
    snprintf(out, CELL, "%.6g",
             cell == FIRST_CELL  ? f->first
             : cell == BEST_CELL ? f->best
             : cell == LAST_CELL ? f->last
                                 : f->regularized);
}

typedef struct table {
  FILE *out;
  const wal_sweep_columns *columns;
  const wal_sweep_row *rows;
  wal_sweep_totals totals;
  int fixed[CELLS], total[WAL_SWEEP_TOTALS]; /* widths */
  int *varied;
  bool seeds, entropy;       /* seeds differ, some learner has entropy: these are shown */
  wal_sweep_ranking ranking; /* if there are designs: rows are in its order */
} table;

static bool is_hidden(const table *t, int cell) {
  if (cell == SEED_CELL) return !t->seeds;
  if (cell == REGULARIZED_CELL) return !t->entropy;
  return t->ranking.count == 0 && (cell == RANK_CELL || cell == OBJECTIVE_CELL);
}

static void total_cell(const table *t, const wal_sweep_row *row, int k, char out[CELL]) {
  number_cell(wal_sweep_total(&t->totals, k, row), out);
}

/* Which rows are shown: all, or those before and behind a gap. */
static bool is_shown(int64_t run, int64_t runs) {
  return runs <= SHOWN || run < SHOWN - 3 || run >= runs - 3;
}

static int wider(int width, const char *text) {
  const int length = (int)strlen(text);
  return length > width ? length : width;
}

static double left_of(const wal_sweep_row *row) {
  const wal_figures *f = &row->figures;
  if (row->error || row->status == WAL_ENOCONV || f->converged) return 0;
  if (!isnan(f->objective)) return 0;
  return wal_exploitability_left(f->first, f->last, f->regularized, f->value);
}

/* What the heads do not say. */
static void print_legend(const table *t) {
  bool left = false;
  for (int64_t run = 0; run < t->columns->runs; run++) left = left || left_of(&t->rows[run]) > 0;
  fprintf(t->out, "%s%s%s\n",
          t->ranking.count > 0
              ? "ranked by the objective of the best design; exploitability of the "
                "start (first) and of the best design (best, last)"
              : "first, best, last: exploitability",
          t->entropy ? "; regularized: last with entropy" : "",
          left ? "; left: of the first, more iterations or another learner.rate may help" : "");
}

static void print_row(const table *t, int64_t run) {
  char cell[CELL];
  const wal_sweep_row *row = &t->rows[run];
  const char *before = "";
  for (int k = RANK_CELL; k <= SEED_CELL; k++) {
    if (is_hidden(t, k)) continue;
    fixed_cell(row, run, t->ranking.rank[run], k, cell);
    fprintf(t->out, "%s%*s", before, t->fixed[k], cell);
    before = "  ";
  }
  for (int64_t i = 0; i < t->columns->count; i++) {
    parameter_cell(&t->columns->list[i], run, cell);
    fprintf(t->out, "  %*s", t->columns->list[i].numbers ? t->varied[i] : -t->varied[i], cell);
  }
  if (row->error) {
    fprintf(t->out, "  failed: %.*s%s\n", ERROR_SHOWN, row->error,
            strlen(row->error) > ERROR_SHOWN ? "..." : "");
    return;
  }
  for (int k = ITERATIONS_CELL; k < CELLS; k++) {
    if (is_hidden(t, k)) continue;
    for (int i = 0; k == SECONDS_CELL && i < t->totals.count; i++) {
      total_cell(t, row, i, cell);
      fprintf(t->out, "  %*s", t->total[i], cell);
    }
    fixed_cell(row, run, 0, k, cell);
    fprintf(t->out, "  %*s", t->fixed[k], cell);
  }
  const double left = left_of(row);
  if (row->status == WAL_ENOCONV)
    fprintf(t->out, "  NOT converged\n");
  else if (left > 0)
    fprintf(t->out, "  %.2g %% left\n", 100 * left);
  else
    fprintf(t->out, "\n");
}

static void print_heads(const table *t) {
  if (!is_hidden(t, RANK_CELL)) fprintf(t->out, "%*s  ", t->fixed[RANK_CELL], HEADS[RANK_CELL]);
  fprintf(t->out, "%*s", t->fixed[RUN_CELL], HEADS[RUN_CELL]);
  if (t->seeds) fprintf(t->out, "  %*s", t->fixed[SEED_CELL], HEADS[SEED_CELL]);
  for (int64_t i = 0; i < t->columns->count; i++)
    fprintf(t->out, "  %*s", t->columns->list[i].numbers ? t->varied[i] : -t->varied[i],
            t->columns->list[i].path);
  for (int k = ITERATIONS_CELL; k < SECONDS_CELL; k++)
    if (!is_hidden(t, k)) fprintf(t->out, "  %*s", t->fixed[k], HEADS[k]);
  for (int k = 0; k < t->totals.count; k++)
    fprintf(t->out, "  %*s", t->total[k], t->totals.column[k]->name);
  fprintf(t->out, "  %*s", t->fixed[SECONDS_CELL], HEADS[SECONDS_CELL]);
  fprintf(t->out, "\n");
}

static void measure(table *t) {
  char cell[CELL];
  const wal_sweep_columns *c = t->columns;
  for (int k = 0; k < CELLS; k++) t->fixed[k] = wider(0, HEADS[k]);
  for (int64_t i = 0; i < c->count; i++) t->varied[i] = wider(0, c->list[i].path);
  t->totals = wal_sweep_totals_of(t->rows, c->runs);
  for (int k = 0; k < t->totals.count; k++) t->total[k] = wider(0, t->totals.column[k]->name);
  for (int64_t i = 0; i < c->runs; i++) {
    const int64_t run = t->ranking.order[i];
    if (t->rows[run].seed != t->rows[0].seed) t->seeds = true;
    if (!isnan(t->rows[run].figures.regularized)) t->entropy = true;
    if (!is_shown(i, c->runs)) continue;
    for (int k = 0; k < CELLS; k++) {
      fixed_cell(&t->rows[run], run, t->ranking.rank[run], k, cell);
      t->fixed[k] = wider(t->fixed[k], cell);
    }
    for (int k = 0; k < t->totals.count; k++) {
      total_cell(t, &t->rows[run], k, cell);
      t->total[k] = wider(t->total[k], cell);
    }
    for (int64_t k = 0; k < c->count; k++) {
      parameter_cell(&c->list[k], run, cell);
      t->varied[k] = wider(t->varied[k], cell);
    }
  }
}

wal_status wal_sweep_print(wal_ctx *ctx, FILE *out, const wal_sweep_columns *columns,
                           const wal_sweep_row *rows) {
  table t = {.out = out, .columns = columns, .rows = rows};
  wal_status status = wal_sweep_rank(ctx, rows, columns->runs, &t.ranking);
  if (status == WAL_OK)
    status = wal_acquire(ctx, "a table", columns->count, sizeof *t.varied, &t.varied);
  if (status != WAL_OK) goto cleanup;
  measure(&t);
  print_heads(&t);
  for (int64_t i = 0; i < columns->runs; i++) {
    if (is_shown(i, columns->runs))
      print_row(&t, t.ranking.order[i]);
    else if (is_shown(i - 1, columns->runs))
      fprintf(out, "%*s  (%lld more runs are in the file: /summary)\n", t.fixed[RUN_CELL], "...",
              (long long)columns->runs - SHOWN);
  }
  print_legend(&t);
cleanup:
  wal_sweep_ranking_free(ctx, &t.ranking);
  wal_release(ctx, &t.varied);
  return status;
}
