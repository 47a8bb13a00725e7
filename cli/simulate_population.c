// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/catalogue.h"
#include "cli/machine.h"
#include "cli/policy_source.h"
#include "cli/population_file.h"
#include "cli/rows.h"
#include "cli/run_parts.h"
#include "cli/saving.h"
#include "cli/simulation.h"
#include "games/game_list.h"
#include "incentives/design/objective.h"
#include "io/progress.h"
#include "sim/agents/enumeration.h"
#include "sim/core/memory.h"

enum { ROWS = 24 };  // of a printed table

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
  int64_t count, *agents; /* [count] */
  int64_t episodes;
  int64_t followed; /* agents */
  wal_population population;
  /* state */
  int64_t row; /* of agents[], at which it stands */
  wal_population_rows rows;
  int64_t done; /* estimates that are complete: row * width */
  int64_t room;
  wal_population_estimate *estimate;
  /* told */
  wal_saving *saving;
  wal_progress progress;
  bool speaks;
} work;

// ---- Reading ----------------------------------------------------------------------------------

static const wal_crowd_type *mode_of(const wal_params *params) {
  const bool counts = strcmp(wal_params_text(params, "mode"), "counts") == 0;
  return counts ? &wal_crowd_counts : &wal_crowd_individual;
}

static wal_status read_agents(wal_ctx *ctx, wal_params *params, int64_t *count,
                              const double **numbers) {
  int64_t extent[3];
  const wal_crowd_type *mode = mode_of(params);
  if (!wal_params_given(params, "agents"))
    return wal_params_fail(ctx, params, "agents", "expected how many agents play, got nothing");
  wal_params_extent(params, "agents", extent);
  *count = extent[0] > 0 ? extent[0] : 1;
  WAL_TRY(wal_params_array(ctx, params, "agents", *count, 0, 0, numbers));
  for (int64_t i = 0; i < *count; i++) {
    const double n = (*numbers)[i];
    if (!(n >= 1) || n != floor(n) || n > (double)mode->most)
      return wal_params_fail(ctx, params, "agents",
                             "expected whole numbers in [1, %lld] in mode \"%s\", got %.17g",
                             (long long)mode->most, mode->name, n);
  }
  return WAL_OK;
}

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

static wal_status check_record(wal_ctx *ctx, const wal_params *params, double agents) {
  if (!wal_params_given(params, "record")) return WAL_OK;
  const int64_t record = wal_params_integer(params, "record");
  if (mode_of(params) != &wal_crowd_individual)
    return wal_params_fail(ctx, params, "record",
                           "expected mode \"individual\" beside it: agents who are counted cannot "
                           "be followed");
  if ((double)record > agents)
    return wal_params_fail(ctx, params, "record",
                           "expected at most as many as there are agents, %.17g, got %lld", agents,
                           (long long)record);
  return WAL_OK;
}

static wal_status check(wal_ctx *ctx, wal_params *params) {
  wal_game game = {0};
  wal_params **groups = NULL;
  const double *agents;
  int64_t count;
  int group_count = 1;
  if (wal_params_given(params, "samples"))
    return wal_params_fail(ctx, params, "samples",
                           "expected nothing in a game, which takes agents and episodes");
  if (!wal_params_given(params, "mode"))
    WAL_TRY(wal_params_fill_text(ctx, params, "mode", "individual"));
  if (!wal_params_given(params, "episodes")) wal_params_fill_integer(params, "episodes", 100);
  WAL_TRY(read_agents(ctx, params, &count, &agents));
  if (wal_params_node(params, "groups") && wal_params_given(params, "policy"))
    return wal_params_fail(ctx, params, "groups", "expected no policy beside it, got both");
  WAL_TRY(check_record(ctx, params, agents[0]));
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

/* A failure in the context of this rank alone, told to all. */
static wal_status from_alone(work *w, wal_status status) {
  if (status != WAL_OK) status = wal_fail(w->job->ctx, status, "%s", wal_ctx_error(w->alone));
  return wal_agree(w->job->ctx, status);
}

/* Game, spaces, objective: what is there before policies are. */
static wal_status make_world(work *w) {
  wal_job *job = w->job;
  wal_ctx *ctx = job->ctx;
  const wal_params *params = job->params;
  const double *agents = NULL;
  w->episodes = wal_params_integer(params, "episodes");
  if (wal_params_given(params, "record")) w->followed = wal_params_integer(params, "record");
  wal_status status = read_agents(ctx, job->params, &w->count, &agents);
  if (status == WAL_OK) status = wal_acquire(ctx, "agents", w->count, sizeof(int64_t), &w->agents);
  for (int64_t i = 0; i < w->count && status == WAL_OK; i++) w->agents[i] = (int64_t)agents[i];
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
                               .mode = mode_of(w->job->params),
                               .objective = {w->objective ? measure_objective : NULL, w->objective},
                               .deviates = wal_params_flag(w->job->params, "deviation")};
}

static void free_work(work *w) {
  wal_ctx *ctx = w->job->ctx;
  wal_population_rows_free(ctx, &w->rows);
  wal_population_destroy(&w->population);
  wal_objective_destroy(&w->objective);
  for (int g = 0; w->table && g < w->groups; g++) wal_policy_table_free(ctx, &w->table[g]);
  wal_release(ctx, &w->table);
  wal_release(ctx, &w->group);
  wal_release(ctx, &w->agents);
  wal_release(ctx, &w->estimate);
  wal_space_destroy(&w->whole);
  wal_space_destroy(&w->space);
  free_groups(ctx, w->groups, &w->of_group);
  wal_game_destroy(ctx, &w->game);
  wal_ctx_destroy(&w->alone);
}

// ---- Before the work --------------------------------------------------------------------------

static int64_t most_agents(const work *w) {
  int64_t most = 0;
  for (int64_t i = 0; i < w->count; i++) most = w->agents[i] > most ? w->agents[i] : most;
  return most;
}

static wal_status plan_run(work *w) {
  wal_job *job = w->job;
  const wal_population_plan plan = plan_of(w);
  const wal_shape *shape = &w->game.shape;
  char text[3][32];
  int64_t bytes = 0;
  WAL_TRY(wal_population_cost(job->ctx, &plan, most_agents(w), &bytes));
  int64_t tables = 0;
  for (int g = 0; g < w->groups; g++) tables += !w->group[g].policy;
  bytes += wal_ctx_memory(job->ctx) +
           tables * shape->horizon * shape->states * shape->actions * (int64_t)sizeof(double);
  if (w->followed > 0) bytes += wal_record_cost(w->whole, w->followed);
  int64_t negative = -bytes;
  WAL_TRY(wal_ctx_least_integer(job->ctx, &negative));
  bytes = -negative;
  double stages = 0;
  for (int64_t i = 0; i < w->count; i++)
    stages += (double)w->agents[i] * (double)w->episodes * shape->horizon * shape->populations;
  if (job->options->dry_run && wal_ctx_rank(job->ctx) == 0) {
    printf("simulate, %s: %lld numbers of agents up to %lld, %lld episodes each\n",
           w->game.type->component.name, (long long)w->count, (long long)most_agents(w),
           (long long)w->episodes);
    printf("  memory         %s a rank, %s in all; this machine has %s\n",
           wal_size_text((double)bytes, text[0], 32),
           wal_size_text((double)bytes * wal_ctx_size(job->ctx), text[1], 32),
           wal_size_text((double)wal_machine_memory(), text[2], 32));
    if (plan.mode == &wal_crowd_individual)
      printf("  work           %.4g stages of an agent%s\n", stages,
             plan.deviates ? ", and twice that for deviations" : "");
  }
  const int64_t limit = wal_ctx_memory_limit(job->ctx);
  if (limit > 0 && bytes > limit)
    return wal_params_fail(
        job->ctx, job->params, "agents",
        "expected a population that fits into memory, got one that needs about "
        "%s a process, each of which may have %s%s",
        wal_size_text((double)bytes, text[0], 32), wal_size_text((double)limit, text[1], 32),
        plan.mode == &wal_crowd_individual ? "; mode = \"counts\" needs less" : "");
  return WAL_OK;
}

// ---- The work ---------------------------------------------------------------------------------

static void declare(work *w, wal_state *state) {
  wal_state_add_integer(state, "row", &w->row);
  wal_state_add_items(state, "estimates", &w->estimate, &w->done, &w->room, sizeof *w->estimate);
  wal_population_rows_declare(&w->population, &w->rows, state);
}

/* Episodes so far, of all rows. */
static int64_t episodes_done(const work *w) { return w->row * w->episodes + w->rows.count; }

static wal_status pause_run(void *user, const wal_population_rows *rows, bool *stop) {
  work *w = user;
  (void)rows;
  wal_job *job = w->job;
  const wal_live_row row = {.done = episodes_done(w),
                            .figure = (double)w->agents[w->row],
                            .regularized = NAN,
                            .value = NAN,
                            .seconds = wal_clock() - job->started};
  wal_live_report(job->live, &row);
  if (w->speaks)
    wal_progress_report(&w->progress, row.done, w->count * w->episodes, "agents", row.figure,
                        row.seconds);
  if (job->tick) job->tick(job->user);
  wal_state state = wal_state_start(job->ctx);
  declare(w, &state);
  return wal_saving_pause(w->saving, episodes_done(w), &state, stop);
}

static wal_status play_rows(work *w) {
  wal_population *p = &w->population;
  const int width = wal_population_width(p);
  const wal_population_watch watch = {pause_run, w};
  while (w->row < w->count) {
    WAL_TRY(wal_population_run(p, w->agents[w->row], w->episodes, &watch, &w->rows));
    WAL_TRY_ALL(w->job->ctx, wal_grow(w->job->ctx, "estimates", &w->estimate, w->done,
                                      w->done + width, &w->room, sizeof *w->estimate));
    for (int i = 0; i < width; i++)
      w->estimate[w->done++] = wal_population_estimate_of(p, &w->rows, i);
    wal_population_rows_free(w->job->ctx, &w->rows);
    w->row++;
  }
  return WAL_OK;
}

static wal_status simulate(work *w) {
  wal_job *job = w->job;
  const int64_t total = w->count * w->episodes;
  bool restored = false;
  wal_state state = wal_state_start(job->ctx);
  WAL_TRY(wal_saving_check(job, total));
  declare(w, &state);
  WAL_TRY(wal_saving_restore(job, &state, &restored));
  wal_saving saving = wal_saving_begin(job, episodes_done(w));
  w->saving = &saving;
  w->progress = wal_progress_start(
      stderr, wal_progress_choose(stderr, job->options->quiet, job->options->json), "simulate");
  w->progress.noun = "episode";
  wal_job_watch(job, &(wal_live_head){.game = w->game.type->component.name,
                                      .noun = "episode",
                                      .figure = "agents",
                                      .from = episodes_done(w),
                                      .total = total});
  wal_status status = play_rows(w);
  if (w->speaks && status == WAL_OK)
    wal_progress_end(&w->progress, total, "agents", (double)w->agents[w->count - 1],
                     wal_clock() - job->started);
  if (status == WAL_ESTOPPED) status = wal_saving_stopped(&saving, episodes_done(w));
  wal_saving_end(&saving);
  return status;
}

// ---- The result -------------------------------------------------------------------------------

static void print_number(const wal_population_estimate *e) {
  printf("  %11.6g %9.2g", e->mean, e->error);
}

static void print_slope(const wal_population_results *r, int quantity, const char *name) {
  const wal_population_slope s = wal_population_results_slope(r, quantity);
  if (isnan(s.slope)) return;
  printf("  %-20s N^%.3f", name, s.slope);
  if (!isnan(s.low)) printf("  (95 %%: %.3f to %.3f)", s.low, s.high);
  printf("\n");
}

static void print_result(const work *w, const wal_population_results *r) {
  const wal_population *p = &w->population;
  const bool objective = p->plan.objective.measure != NULL, deviates = p->plan.deviates;
  printf("simulate, %s, %s: %lld episodes each\n", w->game.type->component.name, p->plan.mode->name,
         (long long)w->episodes);
  printf("  %16s  %21s  %21s", "agents", "return  +-", "gap  +-");
  if (objective) printf("  %21s  %21s", "objective  +-", "gap  +-");
  if (deviates) printf("  %21s", "deviation gain  +-");
  printf("\n");
  for (int64_t i = 0; i < r->count; i++) {
    const wal_population_estimate *e = r->row[i].estimate;
    if (!wal_row_shown(stdout, i, r->count, ROWS, "/population")) continue;
    printf("  %16lld", (long long)r->row[i].agents);
    print_number(&e[WAL_POPULATION_RETURN]);
    print_number(&e[WAL_POPULATION_RETURN_GAP]);
    if (objective) print_number(&e[WAL_POPULATION_OBJECTIVE]);
    if (objective) print_number(&e[WAL_POPULATION_OBJECTIVE_GAP]);
    if (deviates) print_number(&e[WAL_POPULATION_GAIN]);
    printf("\n");
  }
  printf("  %16s  %11.6g %9s  %11s %9s", "infinitely many", p->value, "", "", "");
  if (objective) printf("  %11.6g %9s  %11s %9s", p->objective, "", "", "");
  if (deviates) printf("  %11.6g", p->deviation_gain);
  printf("\n");
  for (int64_t i = 0; i < r->count && r->exact; i++)
    if (!isnan(r->row[i].exact_return)) {
      printf("  %lld agents exactly: return %.6g", (long long)r->row[i].agents,
             r->row[i].exact_return);
      if (!isnan(r->row[i].exact_gain)) printf(", deviation gain %.6g", r->row[i].exact_gain);
      printf(", exploitability %.6g\n", r->row[i].exact_best);
    }
  print_slope(r, WAL_POPULATION_RETURN_GAP, "return gap");
  if (objective) print_slope(r, WAL_POPULATION_OBJECTIVE_GAP, "objective gap");
  print_slope(r, WAL_POPULATION_DISTANCE, "mean field distance");
  for (int g = 0; p->plan.groups > 1 && g < p->plan.groups; g++)
    printf("  group %d, share %.4g: return %.6g of %lld agents, %.6g in the limit\n", g,
           p->plan.group[g].share,
           r->row[r->count - 1].estimate[wal_population_group_return(p, g)].mean,
           (long long)r->row[r->count - 1].agents, p->group_value[g]);
  printf("  seconds             %.3f\n", wal_clock() - w->job->started);
  printf("  file                %s\n", w->job->output);
}

/* Of a few agents all is known exactly. Every rank finds the same. */
static wal_status find_exact(work *w, wal_population_results *r) {
  wal_population *p = &w->population;
  for (int64_t i = 0; i < r->count; i++) {
    wal_population_result *row = &r->row[i];
    wal_enumeration all, deviating = {NAN, NAN};
    row->exact_return = row->exact_gain = row->exact_best = NAN;
    if (w->groups > 1 || !wal_enumeration_possible(w->whole, row->agents)) continue;
    const double *const *policy = w->group[0].policy, *const *best = NULL;
    if (p->best) best = (const double *const *)p->best;
    WAL_TRY(wal_enumeration_run(&p->arena, row->agents, policy, policy, &all));
    if (best) WAL_TRY(wal_enumeration_run(&p->arena, row->agents, best, policy, &deviating));
    row->exact_return = all.value;
    row->exact_gain = deviating.value - all.value;
    row->exact_best = all.best - all.value;
    r->exact = true;
  }
  return WAL_OK;
}

static wal_status write_all(work *w) {
  wal_job *job = w->job;
  wal_run_file *file = NULL;
  wal_population_results results = {
      .population = &w->population, .count = w->count, .episodes = w->episodes};
  WAL_TRY_ALL(job->ctx, wal_acquire(job->ctx, "rows", w->count, sizeof *results.row, &results.row));
  for (int64_t i = 0; i < w->count; i++)
    results.row[i] = (wal_population_result){
        .agents = w->agents[i], .estimate = w->estimate + i * wal_population_width(&w->population)};
  wal_status status = from_alone(w, find_exact(w, &results));
  if (status == WAL_OK && w->followed > 0)
    status = wal_record_play(&w->population, w->agents[0], w->followed, &results.record);
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
    if (status == WAL_OK) status = wal_population_create(job->ctx, &plan, &w.population);
    if (status == WAL_OK) status = simulate(&w);
    if (status == WAL_OK) status = write_all(&w);
  }
  free_work(&w);
  return status;
}

const wal_simulation_type wal_simulation_population = {.kind = "game", .check = check, .run = run};
