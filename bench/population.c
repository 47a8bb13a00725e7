// SPDX-License-Identifier: GPL-3.0-or-later
/* Times episodes of a finite population that plays an equilibrium: one line on stdout.
 *
 *   population GAME MODE AGENTS [EPISODES [LEARNER ITERATIONS]]
 *
 * GAME and LEARNER are written as in a scenario; MODE is "counts" or "individual". The policy is
 * what the learner has after so many iterations. Figures are medians over the episodes, after one
 * that warms up, in processor time of rank 0. Every rank solves; in a mode that spreads agents over
 * the ranks they play together, else each plays all. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/catalogue.h"
#include "games/game_list.h"
#include "io/scenario.h"
#include "sim/agents/crowd.h"
#include "sim/core/memory.h"
#include "sim/learn/learner.h"

enum { MOST_EPISODES = 1000, MOST_COMPONENTS = 256 };

static const wal_crowd_type *const TYPES[] = {&wal_crowd_counts, &wal_crowd_individual};
static const char LEARNER[] = "mirror_descent{rate=10, entropy=1e-3}";

static int by_size(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double processor_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static const wal_param PARAMS[] = {
    {.name = "game", .type = WAL_COMPONENT, .required = true, .choices = "game"},
    {.name = "learner", .type = WAL_COMPONENT, .required = true, .choices = "learner"},
    {0}};
static const wal_component CASE = {.name = "case", .kind = "case", .params = PARAMS};

/* What a case is made of, in a context of this rank alone. */
typedef struct setting {
  wal_scenario *scenario;
  wal_params *params;
  wal_game game;
  wal_space *space;
  wal_learner *learner;
  double **policy; /**< [H]: [pairs] */
  wal_arena arena;
} setting;

static wal_status parse(wal_ctx *ctx, const char *game, const char *learner, setting *s) {
  const wal_catalogue *known = wal_catalogue_all();
  const wal_component *all[MOST_COMPONENTS] = {&CASE};
  int64_t n = 1;
  for (int64_t i = 0; i < known->count && n < MOST_COMPONENTS; i++) all[n++] = known->components[i];
  const wal_catalogue catalogue = {.components = all, .count = n};
  char text[4096];
  const int length = snprintf(text, sizeof text, "return case{game=%s, learner=%s}", game, learner);
  WAL_TRY(wal_scenario_parse(ctx, "bench", text, (size_t)length, &catalogue, &s->scenario));
  return wal_params_resolve(ctx, "bench", &CASE, wal_scenario_root(s->scenario), &catalogue,
                            &s->params);
}

static wal_status prepare(wal_ctx *ctx, char **argv, int argc, setting *s) {
  WAL_TRY(parse(ctx, argv[1], argc > 5 ? argv[5] : LEARNER, s));
  wal_params *game = wal_params_child(s->params, "game");
  wal_params *learner = wal_params_child(s->params, "learner");
  const int64_t iterations = argc > 6 ? atoll(argv[6]) : 500;
  wal_measure unused;
  WAL_TRY(wal_game_create(ctx, wal_game_find(wal_params_component(game)->name), game, &s->game));
  WAL_TRY(wal_space_create(ctx, &s->game, NULL, &s->space));
  WAL_TRY(wal_learner_create(s->space, wal_learner_find(wal_params_component(learner)->name),
                             learner, &s->learner));
  for (int64_t k = 0; k < iterations; k++)
    WAL_TRY(wal_learner_sweep(s->learner, false, true, &unused));
  WAL_TRY(wal_arena_create(s->space, &s->arena));
  const int horizon = s->game.shape.horizon;
  WAL_TRY(wal_acquire(ctx, "policy", horizon, sizeof *s->policy, &s->policy));
  for (int h = 0; h < horizon; h++) {
    WAL_TRY(wal_acquire(ctx, "policy", s->arena.pairs, sizeof(double), &s->policy[h]));
    wal_policy_export(&s->learner->policy, h, s->policy[h]);
  }
  return WAL_OK;
}

static void put_away(wal_ctx *ctx, setting *s) {
  for (int h = 0; s->policy && h < s->game.shape.horizon; h++) wal_release(ctx, &s->policy[h]);
  wal_release(ctx, &s->policy);
  wal_arena_destroy(&s->arena);
  wal_learner_destroy(&s->learner);
  wal_space_destroy(&s->space);
  wal_game_destroy(ctx, &s->game);
  wal_params_destroy(&s->params);
  wal_scenario_destroy(&s->scenario);
}

static wal_status play(wal_ctx *ctx, char **argv, int argc, setting *s) {
  const wal_crowd_type *type = NULL;
  for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++)
    if (strcmp(TYPES[i]->name, argv[2]) == 0) type = TYPES[i];
  if (!type) return wal_fail(ctx, WAL_EUSAGE, "there is no mode \"%s\"", argv[2]);
  const int64_t agents = (int64_t)atof(argv[3]);  // as 1e12
  int episodes = argc > 4 ? atoi(argv[4]) : 5;
  episodes = episodes < 1 ? 1 : episodes < MOST_EPISODES ? episodes : MOST_EPISODES;
  wal_crowd_group group = {.policy = (const double *const *)s->policy};
  for (int p = 0; p < s->game.shape.populations; p++) group.agents[p] = agents;
  const wal_crowd_plan plan = {.arena = &s->arena, .groups = 1, .group = &group};
  wal_crowd *crowd;
  double seconds[MOST_EPISODES];
  const int64_t before = wal_ctx_memory(ctx);
  WAL_TRY(wal_crowd_create(ctx, type, &plan, &crowd));
  for (int e = -1; e < episodes; e++) {
    WAL_TRY(wal_agree(ctx, WAL_OK));
    const double start = processor_seconds();
    WAL_TRY(wal_crowd_play(crowd, e + 1, NULL));
    if (e >= 0) seconds[e] = processor_seconds() - start;
  }
  qsort(seconds, (size_t)episodes, sizeof *seconds, by_size);
  const double typical = seconds[episodes / 2];
  const double stages = (double)agents * s->game.shape.populations * s->game.shape.horizon;
  const double bytes = (double)(wal_ctx_peak_memory(ctx) - before);
  if (wal_ctx_rank(ctx) == 0)
    printf(
        "%s, %s, %g agents, %d ranks: %.3f ms an episode, %.4g million agent-stages a second, "
        "%.1f MiB a rank\n",
        argv[1], argv[2], (double)agents, wal_ctx_size(ctx), typical * 1e3, stages / typical / 1e6,
        bytes / 1048576);
  wal_crowd_destroy(&crowd);
  return WAL_OK;
}

int main(int argc, char **argv) {
  wal_ctx *ctx = NULL, *own = NULL;
  setting s = {0};
  if (wal_ctx_open(&argc, &argv, 1, &ctx) != WAL_OK) return 70;
  wal_status status = WAL_OK;
  if (argc < 4 || argc == 6 || argc > 7)
    status = wal_fail(ctx, WAL_EUSAGE,
                      "usage: population GAME MODE AGENTS [EPISODES [LEARNER ITERATIONS]]");
  if (status == WAL_OK) status = wal_ctx_split(ctx, wal_ctx_rank(ctx), &own);
  if (status == WAL_OK && prepare(own, argv, argc, &s) != WAL_OK)
    status = wal_fail(ctx, WAL_EINPUT, "%s", wal_ctx_error(own));
  status = wal_agree(ctx, status);
  if (status == WAL_OK) status = play(ctx, argv, argc, &s);
  if (status != WAL_OK && wal_ctx_rank(ctx) == 0)
    fprintf(stderr, "bench: %s\n", wal_ctx_error(ctx));
  if (own) put_away(own, &s);
  wal_ctx_destroy(&own);
  wal_ctx_close(&ctx);
  return wal_status_exit(status);
}
