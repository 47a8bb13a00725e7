// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/catalogue.h"
#include "cli/component_list.h"
#include "cli/machine.h"
#include "cli/policy_source.h"
#include "cli/rows.h"
#include "cli/run_parts.h"
#include "cli/steer_file.h"
#include "cli/units.h"
#include "games/game_list.h"
#include "sim/core/memory.h"

enum { ROWS = 24 };  // of a printed table

static const wal_param PARAMS[] = {
    {.name = "game",
     .type = WAL_COMPONENT,
     .required = true,
     .choices = "game",
     .named = true,
     .meaning = "the game, with rewards in [0, 1]; its transitions must not depend on the density"},
    {.name = "target",
     .type = WAL_COMPONENT,
     .required = true,
     .choices = "policy",
     .named = true,
     .meaning = "the policy to steer to"},
    {.name = "agents",
     .type = WAL_COMPONENT,
     .text = "hedge",
     .choices = WAL_SOCIETY_KINDS,
     .named = true,
     .wraps = "mixture",
     .meaning = "how agents learn; a list of groups: each with a rule and a policy of its own"},
    {.name = "mediator",
     .type = WAL_ANY,
     .optional = true,
     .choices = "a mediator or a list of them",
     .meaning = "who pays; several are compared, each with agents of its own and the same seeds; "
                "optimistic{} if left out"},
    {.name = "episodes",
     .type = WAL_INTEGER,
     .number = 10000,
     .low = 1,
     .high = 1e12,
     .meaning = "times that the game is played"},
    {.name = "trajectories",
     .type = WAL_INTEGER,
     .number = 10,
     .low = 1,
     .high = 1e6,
     .meaning = "agents that a mediator follows through an episode: states, actions, rewards"},
    {.name = "noise",
     .type = WAL_REAL,
     .number = 0.1,
     .low = 0,
     .high = HUGE_VAL,
     .meaning = "standard deviation of what is added to the rewards that it sees"},
    {.name = "seeds",
     .type = WAL_INTEGER,
     .number = 5,
     .low = 1,
     .high = 4096,
     .meaning = "repetitions of all, with the seed of the task and those that follow it"},
    WAL_TASK_SEED_PARAM,
    {0}};

/* A steering at work: units are mediators, with every seed. */
typedef struct work {
  wal_job *job;
  wal_game game;
  wal_ctx *alone; /* of this rank */
  wal_space *space, *whole;
  wal_policy_table target;
  wal_society society;
  wal_steering steering;
  wal_component_list list; /* of mediators */
  wal_mediator *mediator[WAL_COMPONENT_LIST_MOST];
  wal_units units;
  double *sums; /* [mediators][seeds][points][WAL_STEER_SUMS], when all is done */
  bool speaks;
} work;

// ---- Reading ----------------------------------------------------------------------------------

static wal_status read_mediators(wal_ctx *ctx, const wal_params *params, work *w) {
  static const char *const usual[] = {"optimistic"};
  return wal_component_list_read(ctx, params, "mediator", "mediator", "a mediator", 1, usual,
                                 &w->list);
}

/* What is wrong with the game, as context `where` has it, is a mistake in the parameter. */
static wal_status of_game_fails(wal_ctx *ctx, const wal_params *params, const wal_ctx *where) {
  char text[WAL_ERROR_LENGTH];
  snprintf(text, sizeof text, "%s", wal_ctx_error(where));
  return wal_params_fail(ctx, params, "game", "%s", text);
}

static wal_status make_game(wal_ctx *ctx, const wal_params *params, wal_game *game) {
  wal_params *of_game = wal_params_child(params, "game");
  WAL_TRY(wal_game_create(ctx, wal_game_find(wal_params_component(of_game)->name), of_game, game));
  const wal_status status = wal_steer_check(ctx, game);
  return status == WAL_OK ? WAL_OK : of_game_fails(ctx, params, ctx);
}

static wal_status make_agents(wal_ctx *ctx, const wal_params *params, wal_society *out) {
  WAL_TRY(wal_society_create(ctx, wal_params_child(params, "agents"), wal_catalogue_all(),
                             wal_params_integer(params, "episodes"), out));
  const int64_t seen = wal_params_integer(params, "trajectories");
  if (out->count == 0 || seen <= out->count) return WAL_OK;
  return wal_params_fail(ctx, params, "trajectories",
                         "expected at most as many as there are agents, which are %lld, got %lld",
                         (long long)out->count, (long long)seen);
}

static void free_mediators(work *w) {
  for (int64_t i = 0; i < w->list.count; i++) wal_mediator_destroy(&w->mediator[i]);
  wal_component_list_free(&w->list);
}

static wal_status check(wal_ctx *ctx, wal_params *params) {
  work w = {0};
  wal_status status = wal_policy_source_check(ctx, wal_params_child(params, "target"));
  if (status == WAL_OK) status = make_agents(ctx, params, &w.society);
  if (status == WAL_OK) status = read_mediators(ctx, params, &w);
  if (status == WAL_OK) status = make_game(ctx, params, &w.game);
  wal_game_destroy(ctx, &w.game);
  free_mediators(&w);
  return status;
}

// ---- Making -----------------------------------------------------------------------------------

/* A failure in the context of this rank alone, told to all. */
static wal_status from_alone(void *user, wal_status status) {
  const work *w = user;
  wal_ctx *ctx = w->job->ctx;
  if (status == WAL_EINPUT)
    of_game_fails(ctx, w->job->params, w->alone);
  else if (status != WAL_OK)
    wal_fail(ctx, status, "%s", wal_ctx_error(w->alone));
  return wal_agree(ctx, status);
}

static wal_status make_world(work *w) {
  wal_ctx *ctx = w->job->ctx;
  const wal_params *params = w->job->params;
  wal_status status = read_mediators(ctx, params, w);
  if (status == WAL_OK) status = make_game(ctx, params, &w->game);
  if (status == WAL_OK) status = make_agents(ctx, params, &w->society);
  WAL_TRY(wal_agree(ctx, status));
  WAL_TRY(wal_ctx_split(ctx, wal_ctx_rank(ctx), &w->alone));
  WAL_TRY(wal_space_create(ctx, &w->game, NULL, &w->space));
  WAL_TRY(from_alone(w, wal_steer_space_create(w->alone, &w->game, &w->whole)));
  return wal_policy_source_make(w->job, wal_params_child(params, "target"), &w->game, w->space,
                                w->whole, &w->target);
}

static wal_status make_mediators(work *w) {
  const wal_mediator_setup setup = wal_steering_setup(&w->steering);
  for (int64_t i = 0; i < w->list.count; i++) {
    const wal_params *params = w->list.params[i];
    WAL_TRY(wal_mediator_create(&setup, wal_mediator_find(wal_params_component(params)->name),
                                params, &w->mediator[i]));
    w->units.start[i + 1] = w->units.start[i] + wal_steering_memory(&w->steering, w->mediator[i]);
  }
  return WAL_OK;
}

static wal_status make_steering(work *w) {
  const wal_params *params = w->job->params;
  const wal_steering_plan plan = {.space = w->whole,
                                  .society = &w->society,
                                  .target = (const double *const *)w->target.stage,
                                  .episodes = wal_params_integer(params, "episodes"),
                                  .trajectories = (int)wal_params_integer(params, "trajectories"),
                                  .noise = wal_params_real(params, "noise")};
  WAL_TRY(wal_steering_create(&plan, &w->steering));
  return make_mediators(w);
}

static void free_work(work *w) {
  wal_ctx *ctx = w->job->ctx;
  free_mediators(w);
  wal_release(ctx, &w->sums);
  wal_units_free(&w->units);
  wal_steering_destroy(&w->steering);
  wal_policy_table_free(ctx, &w->target);
  wal_space_destroy(&w->whole);
  wal_space_destroy(&w->space);
  wal_game_destroy(ctx, &w->game);
  wal_ctx_destroy(&w->alone);
}

// ---- The work ---------------------------------------------------------------------------------

static wal_status begin_unit(void *user, int64_t mediator, uint64_t seed, double *memory) {
  const work *w = user;
  (void)seed;
  wal_steering_begin(&w->steering, w->mediator[mediator], memory);
  return WAL_OK;
}

static wal_status run_unit(void *user, int64_t mediator, uint64_t seed, int64_t until,
                           double *memory) {
  work *w = user;
  return wal_steering_run(&w->steering, w->mediator[mediator], seed, until, memory);
}

static double gap_now(void *user, int64_t played, const double *memory) {
  (void)user;
  return wal_steering_now(memory)[WAL_STEER_GAP] / (double)played;
}

static void read_sums(void *user, const double *memory, double *out) {
  const work *w = user;
  memcpy(out, wal_steering_sums(memory, 0),
         (size_t)(w->steering.points * WAL_STEER_SUMS) * sizeof *out);
}

/* Episodes between two pauses: about as many numbers are worked on, whatever the game. */
static int64_t slice_of(const work *w) {
  const double numbers = 2e7;
  const wal_shape *shape = &w->game.shape;
  const double policies = (double)(w->society.count > 0 ? w->society.count : w->society.groups);
  const double pairs = (double)shape->states * shape->actions * shape->horizon * policies;
  const double slice = numbers / (pairs * (double)wal_units_most(&w->units));
  return slice < 1 ? 1 : slice > 1e9 ? 1000000000 : (int64_t)slice;
}

static wal_status make_units(work *w) {
  wal_units *u = &w->units;
  u->job = w->job;
  u->alone = w->alone;
  u->task = "steer";
  u->subject = w->game.type->component.name;
  u->noun = "episode";
  u->figure = "gap";
  u->steps = w->steering.plan.episodes;
  u->components = w->list.count;
  u->seeds = wal_params_integer(w->job->params, "seeds");
  u->user = w;
  u->begin = begin_unit;
  u->run = run_unit;
  u->now = gap_now;
  u->agree = from_alone;
  WAL_TRY(wal_units_deal(u));
  u->slice = slice_of(w);
  return WAL_OK;
}

/* The units' sums, to every rank. */
static wal_status collect(work *w) {
  const int64_t size = w->steering.points * WAL_STEER_SUMS;
  WAL_TRY_ALL(w->job->ctx,
              wal_acquire(w->job->ctx, "sums", w->units.count * size, sizeof(double), &w->sums));
  return wal_units_share(&w->units, size, read_sums, w->sums);
}

// ---- The result -------------------------------------------------------------------------------

static void print_interval(const wal_power_law *law) {
  char text[48] = "-";
  if (!isnan(law->slope) && isnan(law->low)) snprintf(text, sizeof text, "%.3f", law->slope);
  if (!isnan(law->low))
    snprintf(text, sizeof text, "%.3f (%.3f .. %.3f)", law->slope, law->low, law->high);
  printf("  %-23s", text);
}

static void print_result(const work *w, const wal_steer_results *r) {
  const wal_steering_plan *plan = &w->steering.plan;
  const wal_steer_target *target = r->target;
  printf("steer, %s to %s: %lld episodes, %lld seed%s, agents by %s\n",
         w->game.type->component.name,
         wal_params_component(wal_params_child(w->job->params, "target"))->name,
         (long long)plan->episodes, (long long)r->seeds, r->seeds == 1 ? "" : "s",
         wal_params_component(wal_params_child(w->job->params, "agents"))->name);
  printf("  target              cheapest stabilizer %.6g an episode, equalizer %.6g\n",
         target->cheapest, target->equalizer);
  if (target->unreached > 0)
    printf("  not reached         %lld of %lld states and stages, without incentive\n",
           (long long)target->unreached, (long long)(w->game.shape.states * w->game.shape.horizon));
  printf("  %-18s  %-23s  %11s  %11s  %11s  %-23s  %11s  %11s\n", "mediator", "gap exponent",
         "gap/episode", "cost/ep.", "excess", "running excess exponent", "largest", "violations");
  for (int64_t m = 0; m < r->mediators; m++) {
    if (!wal_row_shown(stdout, m, r->mediators, ROWS, "/steering/summary")) continue;
    const wal_steer_summary s = wal_steer_summarize(r, m);
    printf("  %-18s", r->name[m]);
    print_interval(&s.gap);
    printf("  %11.4g  %11.5g  %11.5g", s.last_gap, s.last_cost, s.total_excess);
    print_interval(&s.excess);
    printf("  %11.4g  %11.3g\n", s.largest, s.violations);
  }
  if (wal_steer_too_short(r))
    printf("  exponents           omitted: they want at least 563 episodes\n");
  printf("  seconds             %.3f\n", wal_clock() - w->job->started);
  printf("  file                %s\n", w->job->output);
}

static wal_status write_all(work *w) {
  wal_job *job = w->job;
  const char *names[WAL_COMPONENT_LIST_MOST];
  wal_run_file *file = NULL;
  WAL_TRY(collect(w));
  for (int64_t i = 0; i < w->list.count; i++) names[i] = w->list.name[i];
  const wal_steer_results results = {.mediators = w->list.count,
                                     .seeds = w->units.seeds,
                                     .points = w->steering.points,
                                     .name = names,
                                     .episode = w->steering.point,
                                     .sums = w->sums,
                                     .target = &w->steering.target,
                                     .legal_pairs = w->steering.legal_pairs};
  wal_status status = wal_run_file_create(job->ctx, job->output, job->options->force, &file);
  if (status == WAL_OK) status = wal_steer_file_write(file, job, w->space, &results);
  if (status == WAL_OK) status = wal_run_write_whole(file, job, wal_clock() - job->started);
  if (status == WAL_OK) status = wal_run_file_commit(&file);
  if (status == WAL_OK && w->speaks) print_result(w, &results);
  wal_run_file_discard(&file);
  return status;
}

static void print_plan(const work *w) {
  char text[32];
  const double bytes = (double)wal_ctx_memory(w->job->ctx);
  printf("steer, %s: %lld mediators, %lld seeds, %lld episodes each\n",
         w->game.type->component.name, (long long)w->list.count, (long long)w->units.seeds,
         (long long)w->steering.plan.episodes);
  printf("  memory         %s a rank\n", wal_size_text(bytes, text, sizeof text));
}

static wal_status run(wal_job *job) {
  work w = {.job = job, .speaks = wal_ctx_rank(job->ctx) == 0};
  wal_status status = make_world(&w);
  if (status == WAL_OK) status = from_alone(&w, make_steering(&w));
  if (status == WAL_OK) status = from_alone(&w, make_units(&w));
  if (status == WAL_OK && job->options->dry_run) {
    if (w.speaks) print_plan(&w);
  } else if (status == WAL_OK) {
    status = wal_units_run(&w.units);
    if (status == WAL_OK) status = write_all(&w);
  }
  free_work(&w);
  return status;
}

const wal_task_type wal_task_steer = {
    .component = {.name = "steer",
                  .kind = "task",
                  .summary = "pay learning agents so that they come to play a target policy",
                  .source = "docs/steering.md",
                  .params = PARAMS},
    .check = check,
    .run = run,
};
