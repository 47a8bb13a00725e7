// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/catalogue.h"
#include "cli/machine.h"
#include "cli/policy_source.h"
#include "cli/population_series.h"
#include "cli/run_parts.h"
#include "cli/saving.h"
#include "cli/simulation.h"
#include "games/game_list.h"
#include "incentives/design/objective.h"
#include "io/progress.h"
#include "sim/core/memory.h"

static const wal_param GROUP_PARAMS[] = {{.name = "share",
                                          .type = WAL_REAL,
                                          .required = true,
                                          .low = 0,
                                          .high = 1,
                                          .meaning = "share of the agents"},
                                         {.name = "policy",
                                          .type = WAL_COMPONENT,
                                          .text = "uniform",
                                          .choices = "policy",
                                          .named = true,
                                          .meaning = "what they play"},
                                         {0}};

static const wal_component GROUP = {.name = "groups",
                                    .kind = "record",
                                    .summary = "agents with one policy",
                                    .params = GROUP_PARAMS};

/* A simulation at work. */
typedef struct work {
  wal_job *job;
  wal_game game;
  wal_ctx *alone; /* of this rank */
  wal_space *space, *whole;
  int groups;
  wal_params **of_group;       /* [groups]; NULL: one group, of the parameter `policy` */
  wal_policy_table *table;     /* [groups] */
  wal_population_group *group; /* [groups] */
  wal_objective *objective;
  int64_t followed; /* agents */
  wal_population_series series;
  /* told */
  wal_saving *saving;
  wal_progress progress;
  bool speaks;
} work;

// ---- Reading ----------------------------------------------------------------------------------

static wal_status read_groups(wal_ctx *ctx, const wal_params *params, int *count,
                              wal_params ***out) {
  const wal_node *list = wal_params_node(params, "groups");
  const double sum_off = 1e-9;
  double sum = 0;
  *count = 1;
  *out = NULL;
  if (!list) return WAL_OK;
  if (list->kind != WAL_NODE_ITEMS || list->count == 0)
    return wal_params_fail(ctx, params, "groups",
                           "expected a list of tables, as {{share=0.9, policy=\"uniform\"}, ...}");
  WAL_TRY(wal_acquire(ctx, "groups", list->count, sizeof **out, out));
  *count = (int)list->count;
  for (int64_t g = 0; g < list->count; g++) {
    if (list->items[g]->kind != WAL_NODE_FIELDS)
      return wal_params_fail(
          ctx, params, "groups",
          "element %lld (counted from 0): expected a table with share and policy", (long long)g);
    WAL_TRY(wal_params_resolve(ctx, wal_params_file(params), &GROUP, list->items[g],
                               wal_catalogue_all(), &(*out)[g]));
    const double share = wal_params_real((*out)[g], "share");
    if (!(share > 0))
      return wal_params_fail(ctx, (*out)[g], "share", "expected more than 0, got %g", share);
    WAL_TRY(wal_policy_source_check(ctx, wal_params_child((*out)[g], "policy")));
    sum += share;
  }
  if (!(fabs(sum - 1) <= sum_off))
    return wal_params_fail(ctx, params, "groups", "expected shares that sum to 1, got %.12g", sum);
  return WAL_OK;
}

static void free_groups(wal_ctx *ctx, int count, wal_params ***groups) {
  for (int g = 0; *groups && g < count; g++) wal_params_destroy(&(*groups)[g]);
  wal_release(ctx, groups);
}

static wal_status make_game(wal_ctx *ctx, const wal_params *params, wal_game *game) {
  wal_params *of_game = wal_params_child(params, "game");
  return wal_game_create(ctx, wal_game_find(wal_params_component(of_game)->name), of_game, game);
}

static wal_status check_record(wal_ctx *ctx, wal_params *params) {
  const double *numbers;
  int64_t extent[3];
  if (!wal_params_given(params, "record")) return WAL_OK;
  const int64_t record = wal_params_integer(params, "record");
  wal_params_extent(params, "agents", extent);
  const int64_t count = extent[0] > 0 ? extent[0] : 1;
  WAL_TRY(wal_params_array(ctx, params, "agents", count, 0, 0, &numbers));
  if (wal_population_series_mode(params) != &wal_crowd_individual)
    return wal_params_fail(ctx, params, "record",
                           "expected mode \"individual\" beside it: agents who are counted cannot "
                           "be followed");
  if ((double)record > numbers[0])
    return wal_params_fail(ctx, params, "record",
                           "expected at most as many as there are agents, %.17g, got %lld",
                           numbers[0], (long long)record);
  return WAL_OK;
}

static wal_status check(wal_ctx *ctx, wal_params *params) {
  wal_game game = {0};
  wal_params **groups = NULL;
  int group_count = 1;
  if (wal_params_given(params, "samples"))
    return wal_params_fail(ctx, params, "samples",
                           "expected nothing in a game, which takes agents and episodes");
  WAL_TRY(wal_population_series_check(ctx, params));
  if (wal_params_node(params, "groups") && wal_params_given(params, "policy"))
    return wal_params_fail(ctx, params, "groups", "expected no policy beside it, got both");
  WAL_TRY(check_record(ctx, params));
  wal_status status = read_groups(ctx, params, &group_count, &groups);
  wal_params *objective = wal_params_child(params, "objective");
  const wal_params *policy = wal_params_child(params, "policy");
  if (status == WAL_OK && policy) status = wal_policy_source_check(ctx, policy);
  if (status == WAL_OK) status = make_game(ctx, params, &game);
  if (status == WAL_OK && objective)
    status = wal_objective_check(
        ctx, &game, wal_objective_find(wal_params_component(objective)->name), objective);
  wal_game_destroy(ctx, &game);
  free_groups(ctx, group_count, &groups);
  return status;
}

// ---- Making -----------------------------------------------------------------------------------

static wal_status measure_objective(void *user, const wal_arena *arena, double *out) {
  return wal_objective_measure(user, &arena->flow, &arena->policy, out);
}

static wal_status from_alone(work *w, wal_status status) {
  return wal_population_series_agree(w->job->ctx, w->alone, status);
}

/* Game, spaces, objective: what is there before policies are. */
static wal_status make_world(work *w) {
  wal_job *job = w->job;
  wal_ctx *ctx = job->ctx;
  const wal_params *params = job->params;
  if (wal_params_given(params, "record")) w->followed = wal_params_integer(params, "record");
  wal_status status = wal_population_series_read(ctx, job->params, &w->series);
  if (status == WAL_OK) status = read_groups(ctx, params, &w->groups, &w->of_group);
  if (status == WAL_OK) status = make_game(ctx, params, &w->game);
  if (status == WAL_OK) status = wal_acquire(ctx, "groups", w->groups, sizeof *w->table, &w->table);
  if (status == WAL_OK) status = wal_acquire(ctx, "groups", w->groups, sizeof *w->group, &w->group);
  for (int g = 0; g < w->groups && status == WAL_OK; g++)
    w->group[g].share = w->of_group ? wal_params_real(w->of_group[g], "share") : 1;
  WAL_TRY(wal_agree(ctx, status));
  WAL_TRY(wal_ctx_split(ctx, wal_ctx_rank(ctx), &w->alone));
  WAL_TRY(wal_space_create(ctx, &w->game, NULL, &w->space));
  WAL_TRY(from_alone(w, wal_space_create(w->alone, &w->game, NULL, &w->whole)));
  wal_params *of_objective = wal_params_child(params, "objective");
  if (!of_objective) return WAL_OK;
  return from_alone(w, wal_objective_create(
                           w->whole, wal_objective_find(wal_params_component(of_objective)->name),
                           of_objective, &w->objective));
}

/* Policies that are there, or those that are yet to be found. Files come first: they may be wrong,
 * and a design's changes the game. */
static wal_status make_policies(work *w, bool solved) {
  wal_job *job = w->job;
  for (int g = 0; g < w->groups; g++) {
    const wal_params *of_group = w->of_group ? w->of_group[g] : job->params;
    wal_params *source = wal_params_child(of_group, "policy");
    if (wal_policy_source_solves(source) != solved) continue;
    WAL_TRY(wal_policy_source_make(job, source, &w->game, w->space, w->whole, &w->table[g]));
    w->group[g].policy = (const double *const *)w->table[g].stage;
  }
  return WAL_OK;
}

static wal_population_plan plan_of(const work *w) {
  return (wal_population_plan){.space = w->whole,
                               .groups = w->groups,
                               .group = w->group,
                               .mode = wal_population_series_mode(w->job->params),
                               .objective = {w->objective ? measure_objective : NULL, w->objective},
                               .deviates = wal_params_flag(w->job->params, "deviation")};
}

static void free_work(work *w) {
  wal_ctx *ctx = w->job->ctx;
  wal_population_series_free(ctx, &w->series);
  wal_objective_destroy(&w->objective);
  for (int g = 0; w->table && g < w->groups; g++) wal_policy_table_free(ctx, &w->table[g]);
  wal_release(ctx, &w->table);
  wal_release(ctx, &w->group);
  wal_space_destroy(&w->whole);
  wal_space_destroy(&w->space);
  free_groups(ctx, w->groups, &w->of_group);
  wal_game_destroy(ctx, &w->game);
  wal_ctx_destroy(&w->alone);
}

// ---- Before the work --------------------------------------------------------------------------

static wal_status plan_run(work *w) {
  wal_job *job = w->job;
  const wal_population_plan plan = plan_of(w);
  const int64_t most = wal_population_series_most(&w->series);
  const wal_shape *shape = &w->game.shape;
  char text[3][32];
  int64_t bytes = 0;
  WAL_TRY(wal_population_cost(job->ctx, &plan, most, &bytes));
  int64_t tables = 0;
  for (int g = 0; g < w->groups; g++) tables += !w->group[g].policy;
  bytes += wal_ctx_memory(job->ctx) +
           tables * shape->horizon * shape->states * shape->actions * (int64_t)sizeof(double);
  if (w->followed > 0) bytes += wal_record_cost(w->whole, w->followed);
  int64_t negative = -bytes;
  WAL_TRY(wal_ctx_least_integer(job->ctx, &negative));
  bytes = -negative;
  if (job->options->dry_run && wal_ctx_rank(job->ctx) == 0) {
    printf("simulate, %s: %lld numbers of agents up to %lld, %lld episodes each\n",
           w->game.type->component.name, (long long)w->series.count, (long long)most,
           (long long)w->series.episodes);
    printf("  memory         %s a rank, %s in all; this machine has %s\n",
           wal_size_text((double)bytes, text[0], 32),
           wal_size_text((double)bytes * wal_ctx_size(job->ctx), text[1], 32),
           wal_size_text((double)wal_machine_memory(), text[2], 32));
    if (plan.mode == &wal_crowd_individual)
      printf("  work           %.4g stages of an agent%s\n",
             wal_population_series_stages(&w->series, shape),
             plan.deviates ? ", and twice that for deviations" : "");
  }
  return wal_population_series_fits(job->ctx, job->params, (double)bytes);
}

// ---- The work ---------------------------------------------------------------------------------

static wal_status pause_run(void *user, const wal_population_rows *rows, bool *stop) {
  work *w = user;
  (void)rows;
  wal_job *job = w->job;
  const wal_live_row row = {.done = wal_population_series_done(&w->series),
                            .figure = (double)w->series.agents[w->series.row],
                            .regularized = NAN,
                            .value = NAN,
                            .seconds = wal_clock() - job->started};
  wal_live_report(job->live, &row);
  if (w->speaks)
    wal_progress_report(&w->progress, row.done, w->series.count * w->series.episodes, "agents",
                        row.figure, row.seconds);
  if (job->tick) job->tick(job->user);
  wal_state state = wal_state_start(job->ctx);
  wal_population_series_declare(&w->series, &state);
  return wal_saving_pause(w->saving, wal_population_series_done(&w->series), &state, stop);
}

static wal_status simulate(work *w) {
  wal_job *job = w->job;
  const int64_t total = w->series.count * w->series.episodes;
  bool restored = false;
  wal_state state = wal_state_start(job->ctx);
  WAL_TRY(wal_saving_check(job, total));
  wal_population_series_declare(&w->series, &state);
  WAL_TRY(wal_saving_restore(job, &state, &restored));
  wal_saving saving = wal_saving_begin(job, wal_population_series_done(&w->series));
  w->saving = &saving;
  w->progress = wal_progress_start(
      stderr, wal_progress_choose(stderr, job->options->quiet, job->options->json), "simulate");
  w->progress.noun = "episode";
  wal_job_watch(job, &(wal_live_head){.game = w->game.type->component.name,
                                      .noun = "episode",
                                      .figure = "agents",
                                      .from = wal_population_series_done(&w->series),
                                      .total = total});
  const wal_population_watch watch = {pause_run, w};
  wal_status status = wal_population_series_play(&w->series, &watch);
  if (w->speaks && status == WAL_OK)
    wal_progress_end(&w->progress, total, "agents", (double)w->series.agents[w->series.count - 1],
                     wal_clock() - job->started);
  if (status == WAL_ESTOPPED)
    status = wal_saving_stopped(&saving, wal_population_series_done(&w->series));
  wal_saving_end(&saving);
  return status;
}

// ---- The result -------------------------------------------------------------------------------

/* What is played, also where the scenario does not say it; of groups with their shares. */
static void print_policies(const work *w) {
  enum { TOLD = 6 };
  printf(", polic%s ", w->of_group ? "ies" : "y");
  for (int g = 0; g < w->groups && g < TOLD; g++) {
    const wal_params *source =
        wal_params_child(w->of_group ? w->of_group[g] : w->job->params, "policy");
    printf("%s%s", g > 0 ? ", " : "", source ? wal_params_component(source)->name : "uniform");
    if (w->of_group) printf(" %.4g", w->group[g].share);
  }
  printf(w->groups > TOLD ? ", ...\n" : "\n");
}

static void print_result(const work *w, const wal_population_results *r) {
  printf("simulate, %s, %s: %lld episode%s each", w->game.type->component.name,
         r->population->plan.mode->name, (long long)r->episodes, r->episodes == 1 ? "" : "s");
  print_policies(w);
  wal_population_series_print(r, stdout);
  printf("  seconds             %.3f\n", wal_clock() - w->job->started);
  printf("  file                %s\n", w->job->output);
}

static wal_status write_all(work *w) {
  wal_job *job = w->job;
  wal_run_file *file = NULL;
  wal_population_results results;
  wal_status status = wal_population_series_results(job->ctx, &w->series, &results);
  if (status == WAL_OK && w->followed > 0)
    status =
        wal_record_play(&w->series.population, w->series.agents[0], w->followed, &results.record);
  if (status == WAL_OK)
    status = wal_run_file_create(job->ctx, job->output, job->options->force, &file);
  if (status == WAL_OK) status = wal_population_file_write(file, job, w->space, &results);
  if (status == WAL_OK) status = wal_run_write_whole(file, job, wal_clock() - job->started);
  if (status == WAL_OK) status = wal_run_file_commit(&file);
  if (status == WAL_OK && w->speaks) print_result(w, &results);
  wal_run_file_discard(&file);
  wal_record_free(job->ctx, &results.record);
  wal_release(job->ctx, &results.row);
  return status;
}

static wal_status run(wal_job *job) {
  work w = {.job = job, .speaks = wal_ctx_rank(job->ctx) == 0};
  wal_status status = make_world(&w);
  if (status == WAL_OK) status = make_policies(&w, false);
  if (status == WAL_OK) status = plan_run(&w);
  if (status == WAL_OK && !job->options->dry_run) {
    status = make_policies(&w, true);
    const wal_population_plan plan = plan_of(&w);
    if (status == WAL_OK) status = wal_population_create(job->ctx, &plan, &w.series.population);
    if (status == WAL_OK) status = simulate(&w);
    if (status == WAL_OK) status = write_all(&w);
  }
  free_work(&w);
  return status;
}

const wal_simulation_type wal_simulation_population = {.kind = "game", .check = check, .run = run};
