// SPDX-License-Identifier: GPL-3.0-or-later
/* Times episodes of agents one by one: millions of agent-stages a second of processor time of a
 * rank, the median of some episodes.
 *
 *   individual GAME AGENTS EPISODES ITERATIONS
 *
 * GAME as in a scenario, as "beach_bar { states = 100 }"; the policy is what so many steps of
 * mirror descent (rate 2, entropy 0.01) come to. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/catalogue.h"
#include "games/game_list.h"
#include "io/scenario.h"
#include "sim/agents/crowd.h"
#include "sim/core/memory.h"
#include "sim/learn/learner_list.h"

enum { MOST = 999 };

typedef struct bench {
  wal_ctx *ctx, *self;
  wal_scenario *scenario, *rule_text;
  wal_params *params, *rule;
  wal_game game;
  wal_space *space;
  wal_learner *learner;
  wal_arena arena;
  double *numbers;
  const double **policy;
} bench;

static wal_status resolve(wal_ctx *ctx, const char *text, wal_scenario **scenario,
                          const wal_component *component, wal_params **out) {
  return wal_params_resolve(ctx, "bench", component, wal_scenario_root(*scenario),
                            wal_catalogue_all(), out) == WAL_OK
             ? WAL_OK
             : wal_fail(ctx, WAL_EINPUT, "%s: %s", text, wal_ctx_error(ctx));
}

static wal_status make_game(bench *b, const char *text) {
  char whole[4096];
  snprintf(whole, sizeof whole, "return %s", text);
  WAL_TRY(wal_scenario_parse(b->self, "bench", whole, strlen(whole), wal_catalogue_all(),
                             &b->scenario));
  const wal_game_type *type = wal_game_find(wal_scenario_root(b->scenario)->text);
  if (!type) return wal_fail(b->self, WAL_EINPUT, "%s: not a game", text);
  WAL_TRY(resolve(b->self, text, &b->scenario, &type->component, &b->params));
  WAL_TRY(wal_game_create(b->self, type, b->params, &b->game));
  return wal_space_create(b->self, &b->game, NULL, &b->space);
}

static wal_status make_policy(bench *b, int iterations) {
  const wal_learner_type *type = wal_learner_find("mirror_descent");
  const char *rule = "return mirror_descent { rate = 2, entropy = 0.01 }";
  WAL_TRY(
      wal_scenario_parse(b->self, "bench", rule, strlen(rule), wal_catalogue_all(), &b->rule_text));
  WAL_TRY(resolve(b->self, rule, &b->rule_text, &type->component, &b->rule));
  WAL_TRY(wal_learner_create(b->space, type, b->rule, &b->learner));
  wal_measure unused;
  for (int i = 0; i < iterations; i++) WAL_TRY(wal_learner_sweep(b->learner, false, true, &unused));
  const int horizon = b->game.shape.horizon;
  WAL_TRY(wal_acquire(b->self, "policy", horizon * b->arena.pairs, sizeof(double), &b->numbers));
  WAL_TRY(wal_acquire(b->self, "policy", horizon, sizeof *b->policy, (void *)&b->policy));
  for (int h = 0; h < horizon; h++) {
    b->policy[h] = b->numbers + h * b->arena.pairs;
    wal_policy_export(&b->learner->policy, h, b->numbers + h * b->arena.pairs);
  }
  return WAL_OK;
}

static void undo(bench *b) {
  wal_release(b->self, &b->numbers);
  wal_release(b->self, (void *)&b->policy);
  wal_arena_destroy(&b->arena);
  wal_learner_destroy(&b->learner);
  wal_space_destroy(&b->space);
  wal_game_destroy(b->self, &b->game);
  wal_params_destroy(&b->params);
  wal_params_destroy(&b->rule);
  wal_scenario_destroy(&b->scenario);
  wal_scenario_destroy(&b->rule_text);
}

static int by_size(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double processor_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static wal_status measure(bench *b, const char *text, int64_t agents, int episodes) {
  wal_crowd_group group = {.policy = b->policy};
  const wal_shape *shape = &b->game.shape;
  for (int p = 0; p < shape->populations; p++) group.agents[p] = agents;
  const wal_crowd_plan plan = {.arena = &b->arena, .groups = 1, .group = &group};
  wal_crowd *crowd = NULL;
  double seconds[MOST];
  const int64_t before = wal_ctx_memory(b->ctx);
  wal_status status = wal_crowd_create(b->ctx, &wal_crowd_individual, &plan, &crowd);
  for (int i = 0; i < episodes && status == WAL_OK; i++) {
    const double start = processor_seconds();
    status = wal_crowd_play(crowd, i, NULL);
    seconds[i] = processor_seconds() - start;
  }
  if (status == WAL_OK && wal_ctx_rank(b->ctx) == 0) {
    qsort(seconds, (size_t)episodes, sizeof *seconds, by_size);
    const double stages = (double)agents * shape->populations * shape->horizon;
    const double middle = seconds[episodes / 2];
    printf(
        "%s, %lld agents on %d ranks: %.1f million agent-stages a second, %.1f us an episode, "
        "%.2f bytes an agent\n",
        text, (long long)agents, wal_ctx_size(b->ctx), stages / middle / 1e6, 1e6 * middle,
        (double)(wal_ctx_peak_memory(b->ctx) - before) * wal_ctx_size(b->ctx) / (double)agents);
  }
  wal_crowd_destroy(&crowd);
  return status;
}

int main(int argc, char **argv) {
  bench b = {0};
  if (wal_ctx_open(&argc, &argv, 1, &b.ctx) != WAL_OK) return 1;
  wal_status status = WAL_EUSAGE;
  const int episodes = argc == 5 ? atoi(argv[3]) : 0;
  if (episodes > 0 && episodes <= MOST) {
    status = wal_ctx_create(MPI_COMM_SELF, 1, &b.self);
    if (status == WAL_OK) status = make_game(&b, argv[1]);
    if (status == WAL_OK) status = wal_arena_create(b.space, &b.arena);
    if (status == WAL_OK) status = make_policy(&b, atoi(argv[4]));
    if (status == WAL_OK) status = measure(&b, argv[1], strtoll(argv[2], NULL, 10), episodes);
  }
  if (status != WAL_OK)
    fprintf(stderr, "individual GAME AGENTS EPISODES ITERATIONS: %s%s\n",
            b.self ? wal_ctx_error(b.self) : "", wal_ctx_error(b.ctx));
  if (b.self) undo(&b);
  wal_ctx_destroy(&b.self);
  wal_ctx_close(&b.ctx);
  return status != WAL_OK;
}
