// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <stdio.h>

#include "auctions/one_shot_simulate.h"
#include "cli/machine.h"
#include "cli/run_parts.h"
#include "cli/simulation.h"
#include "io/progress.h"

enum { QUANTITIES = 5, LOSSES = 3 };

/* A row of the table: what was estimated, and what theory says. */
typedef struct quantity {
  const char *name, *long_name;
  wal_estimate estimate;
  double exact; /* NaN: unknown */
} quantity;

static double difference(const quantity *q) {
  const double off = q->estimate.mean - q->exact;
  if (fabs(off) <= 1e-12 * fabs(q->exact)) return 0;  // what rounding leaves where nothing varies
  return off / q->estimate.error;
}

static void fill_quantities(const wal_one_shot_result *result, const wal_theory_amounts *theory,
                            quantity rows[QUANTITIES]) {
  rows[0] = (quantity){"revenue", "paid to the seller", result->revenue, theory->revenue};
  rows[1] = (quantity){"welfare", "value of the goods to those who get them", result->welfare,
                       theory->welfare};
  rows[2] = (quantity){"utility", "utility of a bidder", result->utility, theory->utility};
  // What bidders could gain by other bids, in theory, is only known to be 0 in equilibrium, where
  // the least is below and the most above it.
  rows[LOSSES] = (quantity){"loss_least", "utility lost by not deviating, on average at most",
                            result->deviations.least, NAN};
  rows[LOSSES + 1] = (quantity){"loss_most", "utility lost by not deviating, on average at least",
                                result->deviations.most, NAN};
}

// ---- Run file ---------------------------------------------------------------------------------

static wal_status write_column(wal_run_file *file, const char *path, const char *long_name,
                               const char *scale, int64_t rows, const double *values) {
  const wal_dataset d = {.path = path,
                         .units = "1",
                         .long_name = long_name,
                         .rank = 1,
                         .extent = {rows},
                         .scale = {scale}};
  return wal_run_file_reals(file, &d, values);
}

static wal_status write_quantities(wal_run_file *file, wal_ctx *ctx,
                                   const quantity rows[QUANTITIES]) {
  static const char SCALE[] = "/simulation/row";
  const char *names[QUANTITIES];
  double column[4][QUANTITIES];
  for (int q = 0; q < QUANTITIES; q++) {
    names[q] = rows[q].name;
    column[0][q] = rows[q].estimate.mean;
    column[1][q] = rows[q].estimate.error;
    column[2][q] = rows[q].exact;
    column[3][q] = difference(&rows[q]);
  }
  const wal_dataset name = {.path = "/simulation/quantity",
                            .units = "1",
                            .long_name = "what is estimated",
                            .rank = 1,
                            .extent = {QUANTITIES},
                            .scale = {SCALE}};
  WAL_TRY(wal_run_write_index(file, ctx, SCALE, "row", QUANTITIES));
  WAL_TRY(wal_run_file_texts(file, &name, names));
  WAL_TRY(write_column(file, "/simulation/estimate", "mean over the samples", SCALE, QUANTITIES,
                       column[0]));
  WAL_TRY(write_column(file, "/simulation/standard_error", "standard error of the mean", SCALE,
                       QUANTITIES, column[1]));
  WAL_TRY(write_column(file, "/simulation/exact", "value in theory, NaN where it is not known",
                       SCALE, QUANTITIES, column[2]));
  return write_column(file, "/simulation/difference", "estimate less exact, in standard errors",
                      SCALE, QUANTITIES, column[3]);
}

static wal_status write_deviations(wal_run_file *file, wal_ctx *ctx,
                                   const wal_one_shot_deviations *d) {
  static const char SCALE[] = "/deviation/stratum";
  const int64_t rows = WAL_ONE_SHOT_STRATA;
  WAL_TRY(wal_run_file_group(file, "/deviation"));
  WAL_TRY(wal_run_file_attribute_integer(file, "/deviation", "samples", d->rivals));
  WAL_TRY(wal_run_write_index(file, ctx, SCALE, "stratum of the value's law", rows));
  WAL_TRY(write_column(file, "/deviation/value", "value in the middle of the stratum", SCALE, rows,
                       d->value));
  WAL_TRY(
      write_column(file, "/deviation/bid", "its bid, -1 if it does not bid", SCALE, rows, d->bid));
  WAL_TRY(write_column(file, "/deviation/best_bid", "best bid of the grid, -1 if none", SCALE, rows,
                       d->best));
  return write_column(file, "/deviation/gain",
                      "expected utility of the best bid less that of the "
                      "bid",
                      SCALE, rows, d->gain);
}

static wal_status write_file(wal_run_file *file, const wal_job *job, int64_t samples,
                             const quantity rows[QUANTITIES], const wal_one_shot_deviations *d) {
  WAL_TRY(wal_run_write_scenario(file, job));
  WAL_TRY(wal_run_file_group(file, "/simulation"));
  WAL_TRY(wal_run_file_attribute_integer(file, "/simulation", "samples", samples));
  WAL_TRY(write_quantities(file, job->ctx, rows));
  return d->rivals > 0 ? write_deviations(file, job->ctx, d) : WAL_OK;
}

// ---- Before the work --------------------------------------------------------------------------

static wal_status plan_file(wal_job *job, int64_t samples, const wal_one_shot *a, double *bytes) {
  const wal_one_shot_result none = {.deviations = {.rivals = a->deviations > 0}};
  const wal_theory_amounts unknown = {0};
  quantity rows[QUANTITIES];
  wal_run_file *file = NULL;
  fill_quantities(&none, &unknown, rows);
  wal_status status = wal_agree(job->ctx, wal_run_file_plan(job->ctx, &file));
  if (status == WAL_OK) status = write_file(file, job, samples, rows, &none.deviations);
  if (status == WAL_OK) status = wal_run_write_whole(file, job, 0);
  if (status == WAL_OK) status = wal_run_file_planned(file, bytes);
  wal_run_file_discard(&file);
  return wal_agree(job->ctx, status);
}

static void print_heading(const wal_job *job, const wal_one_shot *a, int64_t samples) {
  printf("one_shot_auction, %s: %lld bidder%s, %lld good%s, %lld sample%s on %d rank%s\n",
         wal_params_text(a->params, "format"), (long long)a->bidders, a->bidders == 1 ? "" : "s",
         (long long)a->units, a->units == 1 ? "" : "s", (long long)samples, samples == 1 ? "" : "s",
         wal_ctx_size(job->ctx), wal_ctx_size(job->ctx) == 1 ? "" : "s");
}

static wal_status plan(wal_job *job, const wal_one_shot *a, int64_t samples) {
  const double share = wal_one_shot_memory(job->ctx, a, samples);
  const double limit = (double)wal_ctx_memory_limit(job->ctx);
  double bytes = 0;
  char text[3][32];
  WAL_TRY(plan_file(job, samples, a, &bytes));
  if (job->options->dry_run && wal_ctx_rank(job->ctx) == 0) {
    print_heading(job, a, samples);
    printf("  memory         %s a rank, %s in all; this machine has %s\n",
           wal_size_text(share, text[0], 32),
           wal_size_text(share * wal_ctx_size(job->ctx), text[1], 32),
           wal_size_text((double)wal_machine_memory(), text[2], 32));
    printf("  file           %s\n", wal_size_text(bytes, text[0], 32));
    printf("  work           %.4g draws of a value and a bid\n",
           (double)samples * (double)a->bidders);
  }
  if (limit > 0 && share > limit)
    return wal_params_fail(job->ctx, a->params, NULL,
                           "expected an auction that fits into memory, got one that needs about %s "
                           "a process, each of which may have %s",
                           wal_size_text(share, text[0], 32), wal_size_text(limit, text[1], 32));
  return WAL_OK;
}

// ---- The work ---------------------------------------------------------------------------------

static wal_status check(wal_ctx *ctx, wal_params *params) {
  static const char *const OTHERS[] = {"agents",   "policy",    "groups", "mode",
                                       "episodes", "objective", "record"};
  for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++)
    if (wal_params_given(params, OTHERS[i]))
      return wal_params_fail(ctx, params, OTHERS[i],
                             "expected nothing in an auction, which takes samples");
  if (!wal_params_given(params, "samples")) wal_params_fill_integer(params, "samples", 1000000);
  wal_one_shot auction = {0};
  wal_theory_amounts theory;
  wal_status status = wal_one_shot_create(ctx, wal_params_child(params, "game"), &auction);
  if (status == WAL_OK) status = wal_one_shot_theory(ctx, &auction, &theory);
  wal_one_shot_destroy(ctx, &auction);
  return status;
}

typedef struct watcher {
  wal_live *live;
  wal_progress progress;
  double start, samples;
} watcher;

static void report(void *user, int64_t done, int64_t total) {
  watcher *w = user;
  const double share = (double)done / (double)total;
  const wal_live_row row = {.done = (int64_t)(share * w->samples),
                            .figure = NAN,
                            .regularized = NAN,
                            .value = NAN,
                            .seconds = wal_clock() - w->start};
  wal_progress_report(&w->progress, row.done, (int64_t)w->samples, "share", share, row.seconds);
  wal_live_report(w->live, &row);
}

static wal_status simulate(wal_job *job, const wal_one_shot *a, int64_t samples,
                           wal_one_shot_result *result) {
  const bool speaks = wal_ctx_rank(job->ctx) == 0;
  watcher w = {.live = job->live, .start = wal_clock(), .samples = (double)samples};
  w.progress = wal_progress_start(
      stderr, wal_progress_choose(stderr, job->options->quiet, job->options->json), "simulate");
  w.progress.noun = "sample";
  wal_job_watch(job,
                &(wal_live_head){.game = "one_shot_auction", .noun = "sample", .total = samples});
  wal_status status =
      wal_one_shot_simulate(job->ctx, a, samples, speaks ? report : NULL, &w, result);
  if (speaks && status == WAL_OK)
    wal_progress_end(&w.progress, samples, "revenue", result->revenue.mean, result->seconds);
  return status;
}

static void add_number(double x, int width, int digits) {
  if (isfinite(x))
    printf("  %*.*g", width, digits, x);
  else
    printf("  %*s", width, "-");
}

static void print_result(const wal_job *job, const wal_one_shot *a, int64_t samples,
                         const quantity rows[QUANTITIES], const wal_one_shot_result *result) {
  const double draws = (double)samples * (double)a->bidders;
  print_heading(job, a, samples);
  printf("  %-13s  %14s  %14s  %14s  %10s\n", "quantity", "estimate", "standard error", "exact",
         "difference");
  for (int q = 0; q < QUANTITIES; q++) {
    if (q >= LOSSES && result->deviations.rivals == 0) continue;
    printf("  %-13s", rows[q].name);
    add_number(rows[q].estimate.mean, 14, 8);
    add_number(rows[q].estimate.error, 14, 3);
    add_number(rows[q].exact, 14, 8);
    add_number(difference(&rows[q]), 10, 3);
    printf("\n");
  }
  if (result->deviations.rivals > 0)
    printf("  losses: by not bidding the best of %d bids, for %d values, in %lld samples\n",
           a->deviations, WAL_ONE_SHOT_STRATA, (long long)result->deviations.rivals);
  printf("  seconds        %.3f (%.3g draws a second)\n", result->seconds, draws / result->seconds);
  printf("  file           %s\n", job->output);
}

static wal_status run(wal_job *job) {
  wal_one_shot auction = {0};
  wal_one_shot_result result;
  wal_theory_amounts theory;
  wal_run_file *file = NULL;
  quantity rows[QUANTITIES];
  const int64_t samples = wal_params_integer(job->params, "samples");
  wal_status status =
      wal_one_shot_create(job->ctx, wal_params_child(job->params, "game"), &auction);
  if (status == WAL_OK) status = wal_one_shot_theory(job->ctx, &auction, &theory);
  WAL_TRY_GOTO(wal_agree(job->ctx, status));
  WAL_TRY_GOTO(plan(job, &auction, samples));
  if (job->options->dry_run) goto cleanup;
  WAL_TRY_GOTO(simulate(job, &auction, samples, &result));
  fill_quantities(&result, &theory, rows);
  WAL_TRY_GOTO(wal_run_file_create(job->ctx, job->output, job->options->force, &file));
  WAL_TRY_GOTO(write_file(file, job, samples, rows, &result.deviations));
  WAL_TRY_GOTO(wal_run_write_whole(file, job, result.seconds));
  WAL_TRY_GOTO(wal_run_file_commit(&file));
  if (wal_ctx_rank(job->ctx) == 0) print_result(job, &auction, samples, rows, &result);

cleanup:
  wal_run_file_discard(&file);
  wal_one_shot_destroy(job->ctx, &auction);
  return status;
}

const wal_simulation_type wal_simulation_auction = {.kind = "auction", .check = check, .run = run};
