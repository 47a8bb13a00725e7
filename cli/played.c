// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/played.h"

#include <math.h>

#include "cli/policy_source.h"
#include "cli/population_series.h"
#include "cli/run_parts.h"
#include "incentives/design/objective.h"
#include "io/progress.h"
#include "sim/core/memory.h"

struct wal_played {
  wal_job *job;
  wal_ctx *alone; /* of this rank */
  wal_space *whole;
  wal_objective *objective;
  wal_policy_table table;
  wal_population_group group;
  wal_population_series series;
  wal_population_results results;
  wal_progress progress;
  double started;
};

bool wal_played_wanted(const wal_params *params) { return wal_params_given(params, "agents"); }

wal_status wal_played_check(wal_ctx *ctx, wal_params *params) {
  static const char *const NEED_AGENTS[] = {"episodes", "mode"};
  if (wal_played_wanted(params)) return wal_population_series_check(ctx, params);
  for (int i = 0; i < 2; i++)
    if (wal_params_given(params, NEED_AGENTS[i]))
      return wal_params_fail(ctx, params, NEED_AGENTS[i],
                             "expected agents beside it: how many play the result");
  return WAL_OK;
}

// ---- Made -------------------------------------------------------------------------------------

static wal_status measure_objective(void *user, const wal_arena *arena, double *out) {
  return wal_objective_measure(user, &arena->flow, &arena->policy, out);
}

/* All that is there before the policy is. */
static wal_status create(wal_job *job, const wal_game *game, wal_params *of_objective,
                         wal_played **out) {
  wal_ctx *ctx = job->ctx;
  wal_played *p = NULL;
  wal_status status = wal_acquire(ctx, "population", 1, sizeof *p, &p);
  *out = p;
  if (status == WAL_OK) {
    *p = (wal_played){.job = job, .group.share = 1};
    status = wal_population_series_read(ctx, job->params, &p->series);
  }
  WAL_TRY(wal_agree(ctx, status));
  WAL_TRY(wal_ctx_split(ctx, wal_ctx_rank(ctx), &p->alone));
  status = wal_space_create(p->alone, game, NULL, &p->whole);
  if (status == WAL_OK && of_objective)
    status =
        wal_objective_create(p->whole, wal_objective_find(wal_params_component(of_objective)->name),
                             of_objective, &p->objective);
  return wal_population_series_agree(ctx, p->alone, status);
}

void wal_played_destroy(wal_played **played) {
  wal_played *p = *played;
  if (!p) return;
  wal_ctx *ctx = p->job->ctx;
  wal_release(ctx, &p->results.row);
  wal_population_series_free(ctx, &p->series);
  wal_objective_destroy(&p->objective);
  wal_policy_table_free(ctx, &p->table);
  wal_space_destroy(&p->whole);
  wal_ctx_destroy(&p->alone);
  wal_release(ctx, played);
}

/* Where rewards depend on the policy itself it is not defined what deviating gains. */
static wal_population_plan plan_of(const wal_played *p) {
  return (wal_population_plan){.space = p->whole,
                               .groups = 1,
                               .group = &p->group,
                               .mode = wal_population_series_mode(p->job->params),
                               .objective = {p->objective ? measure_objective : NULL, p->objective},
                               .deviates = !p->whole->game->shape.reads_policy};
}

// ---- Before the work --------------------------------------------------------------------------

/* Bytes of the file: the group is written to a plan. Of the numbers only how many there are
 * matters. */
static wal_status plan_file(wal_played *p, double *bytes) {
  wal_ctx *ctx = p->job->ctx;
  wal_population population = {.plan = plan_of(p)};
  wal_population_results results = {.population = &population,
                                    .count = p->series.count,
                                    .episodes = p->series.episodes,
                                    .exact = true};
  const int64_t shapes = p->whole->game->shape.horizon * p->whole->game->shape.states;
  const int64_t width = wal_population_width(&population);
  wal_population_estimate *estimate = NULL;
  wal_run_file *file = NULL;
  *bytes = 0;
  wal_status status = wal_acquire(ctx, "rows", results.count, sizeof *results.row, &results.row);
  if (status == WAL_OK) status = wal_acquire(ctx, "rows", width, sizeof *estimate, &estimate);
  if (status == WAL_OK) status = wal_acquire(ctx, "masses", shapes, 8, &population.mass);
  if (status == WAL_OK) status = wal_acquire(ctx, "values", 1, 8, &population.group_value);
  for (int64_t i = 0; i < results.count && status == WAL_OK; i++)
    results.row[i] = (wal_population_result){.agents = p->series.agents[i], .estimate = estimate};
  if (status == WAL_OK) status = wal_run_file_plan(ctx, &file);
  status = wal_agree(ctx, status);
  if (status == WAL_OK) status = wal_run_write_axes(file, ctx, p->whole);
  if (status == WAL_OK) status = wal_population_file_group(file, ctx, &results);
  if (status == WAL_OK) status = wal_run_file_planned(file, bytes);
  wal_run_file_discard(&file);
  wal_release(ctx, &results.row);
  wal_release(ctx, &estimate);
  wal_release(ctx, &population.mass);
  wal_release(ctx, &population.group_value);
  return wal_agree(ctx, status);
}

wal_status wal_played_plan(wal_job *job, const wal_game *game, wal_params *objective,
                           wal_solve_cost *cost) {
  wal_ctx *ctx = job->ctx;
  const wal_shape *shape = &game->shape;
  wal_played *p = NULL;
  int64_t bytes = 0;
  double file = 0;
  if (!wal_played_wanted(job->params)) return WAL_OK;
  WAL_TRY(wal_played_check(ctx, job->params));  // which runs of a sweep have not been asked for
  const int64_t before = wal_ctx_memory(ctx);
  wal_status status = create(job, game, objective, &p);
  if (status == WAL_OK) {
    const wal_population_plan plan = plan_of(p);
    status = wal_population_cost(ctx, &plan, wal_population_series_most(&p->series), &bytes);
    bytes += wal_ctx_memory(ctx) - before +
             shape->horizon * shape->states * shape->actions * (int64_t)sizeof(double);
  }
  if (status == WAL_OK) status = plan_file(p, &file);
  wal_played_destroy(&p);
  WAL_TRY(status);
  int64_t negative = -bytes;
  WAL_TRY(wal_ctx_least_integer(ctx, &negative));
  cost->bytes -= negative;
  cost->file += file;
  return wal_population_series_fits(ctx, job->params, (double)cost->bytes);
}

void wal_played_print_plan(const wal_job *job, const wal_game *game) {
  wal_population_series series = {0};
  if (!wal_played_wanted(job->params)) return;
  if (wal_population_series_read(job->ctx, job->params, &series) == WAL_OK) {
    printf("  played         %lld number%s of agents up to %lld, %lld episode%s each",
           (long long)series.count, series.count == 1 ? "" : "s",
           (long long)wal_population_series_most(&series), (long long)series.episodes,
           series.episodes == 1 ? "" : "s");
    if (wal_population_series_mode(job->params) == &wal_crowd_individual)
      printf(": %.4g stages of an agent%s", wal_population_series_stages(&series, &game->shape),
             game->shape.reads_policy ? "" : ", and twice that for deviations");
    printf("\n");
  }
  wal_population_series_free(job->ctx, &series);
}

// ---- The work ---------------------------------------------------------------------------------

static wal_status look(void *user, const wal_population_rows *rows, bool *stop) {
  wal_played *p = user;
  (void)rows;
  *stop = false;
  if (wal_ctx_rank(p->job->ctx) == 0)
    wal_progress_report(&p->progress, wal_population_series_done(&p->series),
                        p->series.count * p->series.episodes, "agents",
                        (double)p->series.agents[p->series.row], wal_clock() - p->started);
  if (p->job->tick) p->job->tick(p->job->user);
  return WAL_OK;
}

static wal_status play(wal_played *p, const wal_policy *policy) {
  wal_ctx *ctx = p->job->ctx;
  const wal_options *options = p->job->options;
  const wal_population_watch watch = {look, p};
  WAL_TRY(wal_policy_table_gather(ctx, policy, &p->table));
  p->group.policy = (const double *const *)p->table.stage;
  const wal_population_plan plan = plan_of(p);
  p->started = wal_clock();
  p->progress = wal_progress_start(
      stderr, wal_progress_choose(stderr, options->quiet || options->json, false), "play");
  p->progress.noun = "episode";
  WAL_TRY(wal_population_create(ctx, &plan, &p->series.population));
  const wal_status status = wal_population_series_play(&p->series, &watch);
  if (wal_ctx_rank(ctx) == 0)
    wal_progress_end(&p->progress, wal_population_series_done(&p->series), "agents", NAN,
                     wal_clock() - p->started);
  WAL_TRY(status);
  return wal_population_series_results(ctx, &p->series, &p->results);
}

wal_status wal_played_run(wal_job *job, const wal_policy *policy, wal_params *objective,
                          wal_run_file *file, wal_played **out) {
  *out = NULL;
  if (!wal_played_wanted(job->params)) return WAL_OK;
  wal_status status = create(job, policy->space->game, objective, out);
  if (status == WAL_OK) status = play(*out, policy);
  if (status == WAL_ENONFINITE) {
    wal_params_warn(job->ctx, job->params, "agents", "not played: %s", wal_ctx_error(job->ctx));
    wal_played_destroy(out);
    return WAL_OK;
  }
  return status == WAL_OK ? wal_population_file_group(file, job->ctx, &(*out)->results) : status;
}

void wal_played_print(const wal_played *played, FILE *out) {
  if (!played) return;
  fprintf(out, "  played by finitely many agents, %s: %lld episodes each\n",
          played->series.population.plan.mode->name, (long long)played->series.episodes);
  wal_population_series_print(&played->results, out);
}
