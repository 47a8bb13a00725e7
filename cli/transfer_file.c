// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/transfer_file.h"

#include <math.h>
#include <stdio.h>

#include "cli/run_parts.h"
#include "rlhf/exact.h"
#include "sim/core/memory.h"

static const char METHOD[] = "/transfer/method", SEED[] = "/transfer/seed",
                  ROUND[] = "/transfer/round", ARM[] = "/transfer/arm",
                  CANDIDATE[] = "/transfer/candidate";

typedef struct writer {
  wal_run_file *file;
  const wal_transfer_results *r;
  double *room; /* for the largest dataset */
} writer;

// ---- Scales -----------------------------------------------------------------------------------

static wal_status write_names(writer *w, const char *path, const char *long_name, int64_t count,
                              const char *const *names) {
  const wal_dataset what = {.path = path,
                            .units = "1",
                            .long_name = long_name,
                            .rank = 1,
                            .extent = {count},
                            .is_scale = true};
  return wal_run_file_texts(w->file, &what, names);
}

static wal_status write_candidates(writer *w, wal_ctx *ctx) {
  const int64_t count = wal_transfer_candidates(w->r);
  const char **names = NULL;
  WAL_TRY_ALL(ctx, wal_acquire(ctx, "names", count, sizeof *names, &names));
  for (int64_t i = 0; i < count - 1; i++) names[i] = w->r->arm[i];
  names[count - 1] = "reference";
  const wal_status status =
      write_names(w, CANDIDATE, "policies that are there before the first round", count, names);
  wal_release(ctx, &names);
  return status;
}

static wal_status write_scales(writer *w, wal_ctx *ctx) {
  const wal_transfer_results *r = w->r;
  WAL_TRY(wal_run_file_group(w->file, "/transfer"));
  WAL_TRY(wal_run_file_attribute_real(w->file, "/transfer", "beta", r->beta));
  WAL_TRY(wal_run_file_attribute_real(w->file, "/transfer", "reward_bound", r->reward_bound));
  WAL_TRY(wal_run_file_attribute_real(w->file, "/transfer", "kappa",
                                      wal_exact_kappa(exp(2 * r->reward_bound / r->beta))));
  WAL_TRY(write_names(w, METHOD, "who learns", r->methods, r->method));
  WAL_TRY(wal_run_write_index(w->file, ctx, SEED, "seed, counted from that of the task", r->seeds));
  WAL_TRY(write_names(w, ARM, "who proposes the first response of a round", r->arms, r->arm));
  WAL_TRY(write_candidates(w, ctx));
  const wal_dataset rounds = {.path = ROUND,
                              .units = "1",
                              .long_name = "rounds played",
                              .rank = 1,
                              .extent = {r->points},
                              .is_scale = true};
  return wal_run_file_integers(w->file, &rounds, r->round);
}

// ---- By rounds --------------------------------------------------------------------------------

static const struct {
  const char *name, *units, *meaning;
  wal_transfer_sum sum;
} COLUMNS[] = {
    {"regret", "reward", "gaps of the policies of the first responses, summed over rounds",
     WAL_TRANSFER_REGRET},
    {"gap", "reward", "gap of the policy of the first response in that round", WAL_TRANSFER_GAP},
    {"coverage", "1", "coverage of the best policy by the policy of the first response there",
     WAL_TRANSFER_COVERAGE},
};
enum { COLUMN_COUNT = sizeof COLUMNS / sizeof *COLUMNS };

static wal_status write_columns(writer *w) {
  const wal_transfer_results *r = w->r;
  for (int c = 0; c < COLUMN_COUNT; c++) {
    char path[64];
    int64_t n = 0;
    snprintf(path, sizeof path, "/transfer/%s", COLUMNS[c].name);
    for (int64_t m = 0; m < r->methods; m++)
      for (int64_t k = 0; k < r->seeds; k++)
        for (int64_t i = 0; i < r->points; i++)
          w->room[n++] = wal_transfer_sums_of(r, m, k, i)[COLUMNS[c].sum];
    const wal_dataset column = {.path = path,
                                .units = COLUMNS[c].units,
                                .long_name = COLUMNS[c].meaning,
                                .rank = 3,
                                .extent = {r->methods, r->seeds, r->points},
                                .scale = {METHOD, SEED, ROUND}};
    WAL_TRY(wal_run_file_reals(w->file, &column, w->room));
  }
  return WAL_OK;
}

static wal_status write_selection(writer *w) {
  const wal_transfer_results *r = w->r;
  int64_t n = 0;
  for (int64_t m = 0; m < r->methods; m++)
    for (int64_t k = 0; k < r->seeds; k++)
      for (int64_t i = 0; i < r->points; i++)
        for (int64_t a = 0; a < r->arms; a++)
          w->room[n++] = wal_transfer_sums_of(r, m, k, i)[WAL_TRANSFER_SUMS + a];
  const wal_dataset what = {
      .path = "/transfer/selection",
      .units = "1",
      .long_name = "rounds so far in which the arm proposed the first response",
      .rank = 4,
      .extent = {r->methods, r->seeds, r->points, r->arms},
      .scale = {METHOD, SEED, ROUND, ARM},
      .stored = WAL_STORED_WHOLE};
  return wal_run_file_reals(w->file, &what, w->room);
}

/* Compared with the baseline, seed by seed. */
static const struct {
  const char *name, *meaning;
} RATIOS[] = {
    {"ratio",
     "regret over that of the baseline with the same seed, geometric mean of the seeds; NaN: there "
     "is none"},
    {"ratio_low", "lower end of its 95 % interval; NaN: too few seeds"},
    {"ratio_high", "upper end"},
};

static wal_status write_ratios(writer *w) {
  const wal_transfer_results *r = w->r;
  for (int c = 0; c < 3; c++) {
    char path[64];
    int64_t n = 0;
    snprintf(path, sizeof path, "/transfer/%s", RATIOS[c].name);
    for (int64_t m = 0; m < r->methods; m++)
      for (int64_t i = 0; i < r->points; i++) {
        const wal_power_law ratio = wal_transfer_ratio(r, m, i);
        const double numbers[] = {ratio.slope, ratio.low, ratio.high};
        w->room[n++] = numbers[c];
      }
    const wal_dataset what = {.path = path,
                              .units = "1",
                              .long_name = RATIOS[c].meaning,
                              .rank = 2,
                              .extent = {r->methods, r->points},
                              .scale = {METHOD, ROUND}};
    WAL_TRY(wal_run_file_reals(w->file, &what, w->room));
  }
  return WAL_OK;
}

// ---- Of policies ------------------------------------------------------------------------------

static const struct {
  const char *name, *units, *meaning;
} ABOUTS[WAL_ABOUTS] = {
    [WAL_ABOUT_GAP] = {"gap", "reward", "value of the best policy less that of the policy"},
    [WAL_ABOUT_COVERAGE] = {"coverage", "1", "coverage of the best policy by the policy"},
    [WAL_ABOUT_BOUND] = {"coverage_bound", "1",
                         "what the gap and the largest ratio of the two policies allow it to be"},
};

static wal_status write_policies(writer *w) {
  const wal_transfer_results *r = w->r;
  const int64_t candidates = wal_transfer_candidates(r), of_methods = r->methods * r->seeds;
  for (int c = 0; c < WAL_ABOUTS; c++) {
    char path[64];
    snprintf(path, sizeof path, "/transfer/final_%s", ABOUTS[c].name);
    for (int64_t i = 0; i < of_methods; i++) w->room[i] = r->last[i * WAL_ABOUTS + c];
    const wal_dataset last = {.path = path,
                              .units = ABOUTS[c].units,
                              .long_name = ABOUTS[c].meaning,
                              .rank = 2,
                              .extent = {r->methods, r->seeds},
                              .scale = {METHOD, SEED}};
    WAL_TRY(wal_run_file_reals(w->file, &last, w->room));
    snprintf(path, sizeof path, "/transfer/source_%s", ABOUTS[c].name);
    for (int64_t i = 0; i < r->seeds * candidates; i++) w->room[i] = r->source[i * WAL_ABOUTS + c];
    const wal_dataset source = {.path = path,
                                .units = ABOUTS[c].units,
                                .long_name = ABOUTS[c].meaning,
                                .rank = 2,
                                .extent = {r->seeds, candidates},
                                .scale = {SEED, CANDIDATE}};
    WAL_TRY(wal_run_file_reals(w->file, &source, w->room));
  }
  const wal_dataset rates = {.path = "/transfer/win_rate",
                             .units = "1",
                             .long_name =
                                 "rate at which a response of the final policy of the "
                                 "method before is preferred to one of the method behind",
                             .rank = 3,
                             .extent = {r->seeds, r->methods, r->methods},
                             .scale = {SEED, METHOD, METHOD}};
  return wal_run_file_reals(w->file, &rates, r->win_rate);
}

// ---- Summary ----------------------------------------------------------------------------------

/* Columns of /transfer/summary, one number a method. */
static const struct {
  const char *name, *units, *meaning;
} SUMMARY[] = {
    {"regret", "reward", "regret after all rounds, median of the seeds"},
    {"regret_low", "reward", "its quantile of 5 %"},
    {"regret_high", "reward", "its quantile of 95 %"},
    {"difference", "reward",
     "regret less that of the baseline with the same seed, after all rounds, mean of the seeds"},
    {"difference_low", "reward", "lower end of its 95 % interval; NaN: too few seeds"},
    {"difference_high", "reward", "upper end"},
    {"ratio", "1", "ratio after all rounds"},
    {"ratio_low", "1", "lower end of its 95 % interval"},
    {"ratio_high", "1", "upper end"},
    {"exponent", "1",
     "slope of log regret over log rounds in the last two octaves, mean of the seeds; NaN: too few "
     "rounds"},
    {"exponent_low", "1", "lower end of its 95 % interval; NaN: too few seeds"},
    {"exponent_high", "1", "upper end"},
    {"final_gap", "reward", "final_gap, median of the seeds"},
    {"final_coverage", "1", "final_coverage, median of the seeds"},
};
enum { SUMMARY_COUNT = sizeof SUMMARY / sizeof *SUMMARY };

static double summary_number(const wal_transfer_results *r, int64_t method, int column) {
  const int64_t last = r->points - 1;
  const wal_transfer_range regret = wal_transfer_regret(r, method, last);
  const wal_power_law difference = wal_transfer_difference(r, method, last);
  const wal_power_law ratio = wal_transfer_ratio(r, method, last);
  const wal_power_law exponent = wal_transfer_exponent(r, method);
  const double numbers[SUMMARY_COUNT] = {regret.median,
                                         regret.low,
                                         regret.high,
                                         difference.slope,
                                         difference.low,
                                         difference.high,
                                         ratio.slope,
                                         ratio.low,
                                         ratio.high,
                                         exponent.slope,
                                         exponent.low,
                                         exponent.high,
                                         wal_transfer_last(r, method, WAL_ABOUT_GAP),
                                         wal_transfer_last(r, method, WAL_ABOUT_COVERAGE)};
  return numbers[column];
}

static wal_status write_wins(writer *w, const char *path, const char *meaning, bool errors) {
  const wal_transfer_results *r = w->r;
  for (int64_t i = 0; i < r->methods; i++)
    for (int64_t j = 0; j < r->methods; j++) {
      double error = NAN;
      const double mean = wal_transfer_win(r, i, j, &error);
      w->room[i * r->methods + j] = errors ? error : mean;
    }
  const wal_dataset what = {.path = path,
                            .units = "1",
                            .long_name = meaning,
                            .rank = 2,
                            .extent = {r->methods, r->methods},
                            .scale = {METHOD, METHOD}};
  return wal_run_file_reals(w->file, &what, w->room);
}

static wal_status write_summary(writer *w) {
  const wal_transfer_results *r = w->r;
  WAL_TRY(wal_run_file_group(w->file, "/transfer/summary"));
  WAL_TRY(wal_run_file_attribute_text(w->file, "/transfer/summary", "baseline",
                                      r->method[r->baseline]));
  WAL_TRY(wal_run_file_attribute_text(w->file, "/transfer/summary", "least_regret",
                                      r->method[wal_transfer_best(r)]));
  for (int c = 0; c < SUMMARY_COUNT; c++) {
    char path[64];
    snprintf(path, sizeof path, "/transfer/summary/%s", SUMMARY[c].name);
    for (int64_t m = 0; m < r->methods; m++) w->room[m] = summary_number(r, m, c);
    const wal_dataset column = {.path = path,
                                .units = SUMMARY[c].units,
                                .long_name = SUMMARY[c].meaning,
                                .rank = 1,
                                .extent = {r->methods},
                                .scale = {METHOD}};
    WAL_TRY(wal_run_file_reals(w->file, &column, w->room));
  }
  WAL_TRY(write_wins(w, "/transfer/summary/win_rate", "win_rate, mean of the seeds", false));
  return write_wins(w, "/transfer/summary/win_rate_error", "its standard error; NaN: of one seed",
                    true);
}

wal_status wal_transfer_file_write(wal_run_file *file, const wal_job *job,
                                   const wal_transfer_results *r) {
  wal_ctx *ctx = job->ctx;
  writer w = {.file = file, .r = r};
  wal_status status = WAL_OK;
  const int64_t widest = r->methods > r->arms ? r->methods : r->arms;
  const int64_t longest = r->methods * r->seeds * r->points * r->arms;
  const int64_t room = longest > widest * widest ? longest : widest * widest;
  WAL_TRY_ALL(ctx, wal_acquire(ctx, "table", room, sizeof *w.room, &w.room));
  WAL_TRY_GOTO(wal_run_write_scenario(file, job));
  WAL_TRY_GOTO(write_scales(&w, ctx));
  WAL_TRY_GOTO(write_columns(&w));
  WAL_TRY_GOTO(write_selection(&w));
  WAL_TRY_GOTO(write_ratios(&w));
  WAL_TRY_GOTO(write_policies(&w));
  status = write_summary(&w);
cleanup:
  wal_release(ctx, &w.room);
  return status;
}
