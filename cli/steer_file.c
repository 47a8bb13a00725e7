// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/steer_file.h"

#include <math.h>
#include <stdio.h>

#include "cli/run_parts.h"
#include "sim/core/memory.h"

static const char MEDIATOR[] = "/steering/mediator", SEED[] = "/steering/seed",
                  EPISODE[] = "/steering/episode";

/* Columns of /steering: sums over the episodes so far. */
static const struct {
  const char *name, *units, *meaning;
} COLUMNS[] = {
    {"gap", "1",
     "distances of the policy from the target, summed over actions, in the target's states; "
     "summed over stages and episodes"},
    {"occupancy_gap", "1",
     "distances of state-action masses from those of the target, summed over stages and episodes"},
    {"cost", "reward", "payments, summed over episodes"},
    {"excess", "reward",
     "payments beyond those of the cheapest stabilizer of the target, summed over episodes"},
    {"running_excess", "reward",
     "payments beyond the exploitability of what is played, summed over episodes"},
    {"overpayment", "reward",
     "payments for what the mediator does not know, summed over episodes; NaN: it does not "
     "equalize"},
    {"largest_payment", "reward", "largest payment so far"},
    {"violations", "1",
     "share of stages, states and actions that were paid less than what is known to equalize, so "
     "far"},
    {"reward_violations", "1",
     "share of stages, states and actions with less reward than the mediator was sure of, so far"},
    {"model_violations", "1",
     "share of stages, states and actions after which there was less value than the mediator was "
     "sure of, so far"},
};
enum { COLUMN_COUNT = sizeof COLUMNS / sizeof *COLUMNS };

static const double *sums_of(const wal_steer_results *r, int64_t mediator, int64_t seed,
                             int64_t point) {
  return r->sums + ((mediator * r->seeds + seed) * r->points + point) * WAL_STEER_SUMS;
}

static double number_of(const wal_steer_results *r, int column, int64_t point, const double *sums) {
  const double episodes = (double)r->episode[point], events = episodes * (double)r->legal_pairs;
  const double numbers[COLUMN_COUNT] = {sums[WAL_STEER_GAP],
                                        sums[WAL_STEER_OCCUPANCY_GAP],
                                        sums[WAL_STEER_COST],
                                        sums[WAL_STEER_COST] - episodes * r->target->cheapest,
                                        sums[WAL_STEER_COST] - sums[WAL_STEER_EXPLOITABILITY],
                                        sums[WAL_STEER_OVERPAYMENT],
                                        sums[WAL_STEER_LARGEST],
                                        sums[WAL_STEER_VIOLATIONS] / events,
                                        sums[WAL_STEER_REWARD_VIOLATIONS] / events,
                                        sums[WAL_STEER_MODEL_VIOLATIONS] / events};
  return numbers[column];
}

enum { GAP, OCCUPANCY_GAP, COST, EXCESS, RUNNING_EXCESS, OVERPAYMENT };

// ---- Summary ----------------------------------------------------------------------------------

/* Exponents are fitted to the last 1.75 decades, but not to the first few episodes. */
static const double DECADES = 56.234132519034908;  // 10^1.75
enum { FIRST = 10 };

static double first_fitted(const wal_steer_results *r) {
  return (double)r->episode[r->points - 1] / DECADES;
}

bool wal_steer_too_short(const wal_steer_results *r) { return first_fitted(r) < FIRST; }

enum { MOST = 64 };

/* Sums up to this are rounding, of differences between values of the size of what is paid or, as
   rewards are in [0, 1], of an episode's. A sum of 10 that no longer grows is above it for 10^10
   episodes. */
static double rounding(const wal_steer_results *r, int64_t point, const double *sums) {
  return 1e-10 * ((double)r->episode[point] + sums[WAL_STEER_COST]);
}

/* Of every seed by itself, then their mean; none if the sum of a seed is somewhere not positive,
   or only rounding: the others would be a choice of those that suit. */
static wal_power_law exponent(const wal_steer_results *r, int64_t mediator, int column,
                              double *slope) {
  double x[MOST], y[MOST];
  for (int64_t k = 0; k < r->seeds; k++) {
    int64_t n = 0;
    for (int64_t i = 0; i < r->points && n < MOST && !wal_steer_too_short(r); i++) {
      if ((double)r->episode[i] < first_fitted(r)) continue;
      const double *sums = sums_of(r, mediator, k, i);
      x[n] = (double)r->episode[i];
      y[n] = number_of(r, column, i, sums);
      if (!(y[n++] > rounding(r, i, sums))) return (wal_power_law){NAN, NAN, NAN};
    }
    slope[k] = wal_power_law_fit(n, x, y).slope;
  }
  return wal_power_law_mean(r->seeds, slope);
}

/* An episode's share of a sum, from the last point that has at most half of the episodes on. */
static double late(const wal_steer_results *r, int64_t mediator, int64_t seed, int column) {
  const int64_t last = r->points - 1;
  int64_t from = last;
  while (from > 0 && 2 * r->episode[from] > r->episode[last]) from--;
  if (from == last || 2 * r->episode[from] > r->episode[last])
    return number_of(r, column, last, sums_of(r, mediator, seed, last)) / (double)r->episode[last];
  return (number_of(r, column, last, sums_of(r, mediator, seed, last)) -
          number_of(r, column, from, sums_of(r, mediator, seed, from))) /
         (double)(r->episode[last] - r->episode[from]);
}

wal_steer_summary wal_steer_summarize(const wal_steer_results *r, int64_t mediator) {
  enum { SEEDS = 4096 };
  double slope[SEEDS];
  wal_steer_summary out = {.largest = -INFINITY, .least = INFINITY};
  const int64_t last = r->points - 1;
  if (r->seeds <= SEEDS) {
    out.gap = exponent(r, mediator, GAP, slope);
    out.excess = exponent(r, mediator, RUNNING_EXCESS, slope);
    out.overpayment = exponent(r, mediator, OVERPAYMENT, slope);
  }
  for (int64_t k = 0; k < r->seeds; k++) {
    const double *sums = sums_of(r, mediator, k, last);
    const double share = 1 / (double)r->seeds;
    out.last_gap += share * late(r, mediator, k, GAP);
    out.last_cost += share * late(r, mediator, k, COST);
    out.total_excess += share * number_of(r, EXCESS, last, sums);
    out.running_excess += share * number_of(r, RUNNING_EXCESS, last, sums);
    out.largest = fmax(out.largest, sums[WAL_STEER_LARGEST]);
    out.least = fmin(out.least, sums[WAL_STEER_LEAST]);
    out.violations += share * number_of(r, COLUMN_COUNT - 3, last, sums);
    out.reward_violations += share * number_of(r, COLUMN_COUNT - 2, last, sums);
    out.model_violations += share * number_of(r, COLUMN_COUNT - 1, last, sums);
  }
  return out;
}

// ---- Writing ----------------------------------------------------------------------------------

static wal_status write_scales(wal_run_file *file, wal_ctx *ctx, const wal_steer_results *r) {
  WAL_TRY(wal_run_file_group(file, "/steering"));
  const wal_dataset names = {.path = MEDIATOR,
                             .units = "1",
                             .long_name = "who pays",
                             .rank = 1,
                             .extent = {r->mediators},
                             .is_scale = true};
  WAL_TRY(wal_run_file_texts(file, &names, r->name));
  WAL_TRY(wal_run_write_index(file, ctx, SEED, "seed, counted from that of the task", r->seeds));
  const wal_dataset episodes = {.path = EPISODE,
                                .units = "1",
                                .long_name = "episodes played",
                                .rank = 1,
                                .extent = {r->points},
                                .is_scale = true};
  return wal_run_file_integers(file, &episodes, r->episode);
}

static wal_status write_columns(wal_run_file *file, const wal_steer_results *r, double *room) {
  for (int c = 0; c < COLUMN_COUNT; c++) {
    char path[64];
    int64_t n = 0;
    snprintf(path, sizeof path, "/steering/%s", COLUMNS[c].name);
    for (int64_t m = 0; m < r->mediators; m++)
      for (int64_t k = 0; k < r->seeds; k++)
        for (int64_t i = 0; i < r->points; i++) room[n++] = number_of(r, c, i, sums_of(r, m, k, i));
    const wal_dataset column = {.path = path,
                                .units = COLUMNS[c].units,
                                .long_name = COLUMNS[c].meaning,
                                .rank = 3,
                                .extent = {r->mediators, r->seeds, r->points},
                                .scale = {MEDIATOR, SEED, EPISODE}};
    WAL_TRY(wal_run_file_reals(file, &column, room));
  }
  return WAL_OK;
}

/* Columns of /steering/summary, one number a mediator. */
static const struct {
  const char *name, *units, *meaning;
} SUMMARY[] = {
    {"gap_exponent", "1",
     "slope of log gap over log episodes in the last 1.75 decades, mean of "
     "the seeds; NaN: too few episodes, or a sum that is not positive beyond rounding"},
    {"gap_exponent_low", "1", "lower end of its 95 % interval; NaN: too few seeds"},
    {"gap_exponent_high", "1", "upper end"},
    {"excess_exponent", "1", "the same slope of the running excess"},
    {"excess_exponent_low", "1", "lower end of its 95 % interval"},
    {"excess_exponent_high", "1", "upper end"},
    {"overpayment_exponent", "1", "the same slope of the overpayment"},
    {"gap_per_episode", "1", "gap of an episode in the second half, mean of the seeds"},
    {"cost_per_episode", "reward", "payments of an episode there"},
    {"excess", "reward", "excess after all episodes, mean of the seeds"},
    {"running_excess", "reward", "running excess after all episodes, mean of the seeds"},
    {"largest_payment", "reward", "largest payment of all seeds"},
    {"least_payment", "reward", "least payment of all seeds"},
    {"violations", "1", "as the columns of that name, after all episodes, mean of the seeds"},
    {"reward_violations", "1", "the same"},
    {"model_violations", "1", "the same"},
};
enum { SUMMARY_COUNT = sizeof SUMMARY / sizeof *SUMMARY };

static double summary_number(const wal_steer_summary *s, int column) {
  const double numbers[SUMMARY_COUNT] = {
      s->gap.slope,  s->gap.low,      s->gap.high,          s->excess.slope,
      s->excess.low, s->excess.high,  s->overpayment.slope, s->last_gap,
      s->last_cost,  s->total_excess, s->running_excess,    s->largest,
      s->least,      s->violations,   s->reward_violations, s->model_violations};
  return numbers[column];
}

static wal_status write_summary(wal_run_file *file, const wal_steer_results *r, double *room) {
  WAL_TRY(wal_run_file_group(file, "/steering/summary"));
  for (int c = 0; c < SUMMARY_COUNT; c++) {
    char path[64];
    snprintf(path, sizeof path, "/steering/summary/%s", SUMMARY[c].name);
    for (int64_t m = 0; m < r->mediators; m++) {
      const wal_steer_summary summary = wal_steer_summarize(r, m);
      room[m] = summary_number(&summary, c);
    }
    const wal_dataset column = {.path = path,
                                .units = SUMMARY[c].units,
                                .long_name = SUMMARY[c].meaning,
                                .rank = 1,
                                .extent = {r->mediators},
                                .scale = {MEDIATOR}};
    WAL_TRY(wal_run_file_reals(file, &column, room));
  }
  return WAL_OK;
}

static wal_status write_target(wal_run_file *file, const wal_shape *shape,
                               const wal_steer_target *target) {
  WAL_TRY(wal_run_file_group(file, "/steering/target"));
  WAL_TRY(wal_run_file_attribute_real(file, "/steering/target", "cheapest_cost", target->cheapest));
  WAL_TRY(
      wal_run_file_attribute_real(file, "/steering/target", "equalizer_cost", target->equalizer));
  WAL_TRY(wal_run_file_attribute_integer(file, "/steering/target", "unreached_states",
                                         target->unreached));
  const wal_dataset policy = {.path = "/steering/target/policy",
                              .units = "1",
                              .long_name = "probability of the action in the target",
                              .rank = 3,
                              .extent = {shape->horizon, shape->states, shape->actions},
                              .scale = {"/axes/stage", "/axes/state", "/axes/action"}};
  WAL_TRY(wal_run_file_reals(file, &policy, target->policy));
  const wal_dataset mass = {.path = "/steering/target/mean_field",
                            .units = "1",
                            .long_name = "mass of the state if the target is played",
                            .rank = 2,
                            .extent = {shape->horizon, shape->states},
                            .scale = {"/axes/stage", "/axes/state"}};
  return wal_run_file_reals(file, &mass, target->density);
}

wal_status wal_steer_file_write(wal_run_file *file, const wal_job *job, const wal_space *space,
                                const wal_steer_results *r) {
  wal_ctx *ctx = job->ctx;
  double *room = NULL;
  wal_status status = WAL_OK;
  WAL_TRY_ALL(ctx,
              wal_acquire(ctx, "table", r->mediators * r->seeds * r->points, sizeof *room, &room));
  WAL_TRY_GOTO(wal_run_write_scenario(file, job));
  WAL_TRY_GOTO(wal_run_write_axes(file, ctx, space));
  WAL_TRY_GOTO(write_scales(file, ctx, r));
  WAL_TRY_GOTO(write_columns(file, r, room));
  WAL_TRY_GOTO(write_summary(file, r, room));
  status = write_target(file, &space->game->shape, r->target);
cleanup:
  wal_release(ctx, &room);
  return status;
}
