// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/solve_plan.h"

#include <stdio.h>
#include <string.h>

#include "cli/machine.h"
#include "cli/played.h"
#include "cli/solve_file.h"
#include "io/run_file.h"
#include "sim/learn/learner.h"

static const double GIB = 1024.0 * 1024.0 * 1024.0;

static void print_shape(const wal_game *game, int ranks) {
  printf("%s: %lld states, %d actions, %d stages on %d rank%s\n", game->type->component.name,
         (long long)game->shape.states, game->shape.actions, game->shape.horizon, ranks,
         ranks == 1 ? "" : "s");
}

static void print_memory(const wal_job *job, double share, const char *least) {
  char own[32], all[32], there[32];
  printf("  memory         %s%s a rank, %s in all; this machine has %s\n", least,
         wal_size_text(share, own, sizeof own),
         wal_size_text(share * wal_ctx_size(job->ctx), all, sizeof all),
         wal_size_text((double)wal_machine_memory(), there, sizeof there));
}

/* Fails if `each` bytes a rank, and `leader` more of one rank of job->ctx, are more than there are.
 * The machine may have several such contexts, each with a leader. */
static wal_status refuse(wal_job *job, double each, double leader) {
  const double machine = (double)wal_machine_memory();
  const double process = (double)wal_ctx_memory_limit(job->ctx);
  const int ranks = wal_ctx_node_size(job->ctx), size = wal_ctx_size(job->ctx);
  const double share = each + leader;
  const double all = each * ranks + leader * ((ranks + size - 1) / size);
  const wal_params *of_game = wal_params_child(job->params, "game");
  if (all > machine)
    return wal_params_fail(job->ctx, of_game, NULL,
                           "expected a game that fits into memory, got one that needs about "
                           "%.3g GiB on a machine of %.3g GiB",
                           all / GIB, machine / GIB);
  if (process > 0 && share > process)
    return wal_params_fail(job->ctx, of_game, NULL,
                           "expected a game that fits into memory, got one that needs about "
                           "%.3g GiB a process, each of which may have %.3g GiB",
                           share / GIB, process / GIB);
  return WAL_OK;
}

wal_status wal_solve_plan_refuse(wal_job *job, const wal_game *game) {
  const wal_shape *shape = &game->shape;
  const double share =
      8.0 * (double)shape->states * shape->horizon * (shape->actions + 2) / wal_ctx_size(job->ctx);
  const wal_status status = refuse(job, share, 0);
  if (status != WAL_OK && job->options->dry_run && wal_ctx_rank(job->ctx) == 0) {
    print_shape(game, wal_ctx_size(job->ctx));
    print_memory(job, share, "at least ");
  }
  return wal_agree(job->ctx, status);
}

/* Of all ranks, that of the one with the most of each. */
static wal_status of_largest(wal_ctx *ctx, int64_t *value) {
  *value = -*value;
  WAL_TRY(wal_ctx_least_integer(ctx, value));
  *value = -*value;
  return WAL_OK;
}

/* Bytes that writing takes: of the array that takes most, which may be a small one, as its chunks
   are put together from more ranks. */
static double writing_buffer(const wal_job *job, const wal_space *space) {
  const wal_params *store = wal_params_child(job->params, "store");
  const wal_shape *shape = &space->game->shape;
  const bool single = strcmp(wal_params_text(store, "precision"), "single") == 0;
  const wal_stored stored = single ? WAL_STORED_SINGLE : WAL_STORED_DOUBLE;
  const wal_dataset arrays[] = {
      {.rank = 3, .extent = {shape->horizon, shape->states, shape->actions}, .stored = stored},
      {.rank = 2, .extent = {shape->horizon, shape->states}, .stored = stored}};
  const bool wanted[] = {wal_params_flag(store, "policy"),
                         wal_params_flag(store, "mean_field") || wal_params_flag(store, "value")};
  double most = 0;
  for (int i = 0; i < 2; i++) {
    const double bytes =
        wal_run_file_buffer(&arrays[i], 1, space->states.count, wal_ctx_size(job->ctx));
    if (wanted[i] && bytes > most) most = bytes;
  }
  return most;
}

/* A run of a sweep writes into memory of its group's first rank. The record is there twice while it
 * grows; what was sent of the run before, or has come to rank 0, may still be there as well. */
static double writing(const wal_job *job, const wal_space *space, double file) {
  if (job->derived) return job->recorded ? 3 * file : 0;
  return writing_buffer(job, space);
}

wal_status wal_solve_plan_writing(const wal_job *job, const wal_space *space, double file,
                                  int64_t *bytes) {
  const double while_written = writing(job, space, file);
  *bytes = while_written < 0x1p62 ? (int64_t)while_written : INT64_MAX / 2;
  return of_largest(job->ctx, bytes);
}

wal_status wal_solve_plan_measure(wal_job *job, const wal_space *space, wal_solve_cost *out) {
  const wal_shape *shape = &space->game->shape;
  wal_params *of_learner = wal_params_child(job->params, "learner");
  wal_learner_cost cost;
  WAL_TRY(wal_learner_plan(space, wal_learner_find(wal_params_component(of_learner)->name),
                           of_learner, &cost));
  *out = (wal_solve_cost){.traffic = cost.traffic};
  out->bytes = cost.bytes + wal_ctx_memory(job->ctx);
  const int64_t so_far = wal_ctx_peak_memory(job->ctx);  // kernels take more while they are made
  if (out->bytes < so_far) out->bytes = so_far;
  out->work = (double)shape->states * shape->actions * shape->horizon;
  WAL_TRY(of_largest(job->ctx, &out->bytes));
  WAL_TRY(of_largest(job->ctx, &out->traffic.bytes));
  WAL_TRY(of_largest(job->ctx, &out->traffic.messages));
  WAL_TRY(of_largest(job->ctx, &out->traffic.collectives));
  WAL_TRY(wal_solve_file_plan(job, space->game, &out->file));
  WAL_TRY(wal_played_plan(job, space->game, NULL, out));
  return wal_solve_plan_writing(job, space, out->file, &out->writing);
}

wal_status wal_solve_plan_fits(wal_job *job, const wal_solve_cost *cost) {
  double each = (double)cost->bytes, leader = (double)cost->writing;
  if (!job->derived) {  // all ranks write together
    each += leader;
    leader = 0;
  }
  return wal_agree(job->ctx, refuse(job, each, leader));
}

/* Whether the solve may end before all iterations are done. */
static bool ends_early(const wal_job *job) {
  const wal_params *stop = wal_params_child(job->params, "stop");
  return wal_params_real(stop, "exploitability") > 0 || wal_params_real(stop, "relative") > 0 ||
         wal_params_real(stop, "regularized") > 0;
}

void wal_solve_plan_print(const wal_job *job, const wal_game *game, const wal_solve_cost *cost,
                          const char *noun, bool at_most) {
  char text[32];
  print_shape(game, wal_ctx_size(job->ctx));
  print_memory(job, (double)cost->bytes + (double)cost->writing, "");
  printf("  file           %s%s\n", at_most ? "at most " : "",
         wal_size_text(cost->file, text, sizeof text));
  printf("  work           %.4g values of (stage, state, action) %s %s\n", cost->work,
         strchr("aeiou", *noun) ? "an" : "a", noun);
  printf("  communication  %s in %lld message%s and %lld collective%s a rank and %s\n",
         wal_size_text((double)cost->traffic.bytes, text, sizeof text),
         (long long)cost->traffic.messages, cost->traffic.messages == 1 ? "" : "s",
         (long long)cost->traffic.collectives, cost->traffic.collectives == 1 ? "" : "s", noun);
  wal_played_print_plan(job, game);
}

wal_status wal_solve_plan(wal_job *job, const wal_space *space) {
  wal_solve_cost cost;
  WAL_TRY(wal_solve_plan_measure(job, space, &cost));
  if (job->options->dry_run && wal_ctx_rank(job->ctx) == 0)
    wal_solve_plan_print(job, space->game, &cost, "iteration", ends_early(job));
  WAL_TRY(wal_solve_plan_fits(job, &cost));
  if (job->derived || job->options->dry_run) return WAL_OK;
  // A trace that ends early may be shorter by any amount.
  if (ends_early(job)) WAL_TRY(wal_solve_file_least(job, space->game, &cost.file));
  return wal_run_file_space(job->ctx, job->output, cost.file);
}
