// SPDX-License-Identifier: GPL-3.0-or-later
/* Times learner iterations with exploitability, as `solve` does them: one line a case on stdout.
 *
 *   iteration NAME GAME LEARNER ITERATIONS REPEATS [EVERY]
 *
 * Exploitability is measured every EVERY iterations, 0: never; 1 if left out.
 *
 * GAME and LEARNER are written as in a scenario: 'crowd_motion{rows=20}' 'mirror_descent{}'. The
 * figure is the median over REPEATS runs of ITERATIONS iterations each. Beside it stands the time
 * that the unavoidable traffic takes (the policy read twice and written once, masses and values
 * written and read once) at the bandwidth of a STREAM triad measured in the same process. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/catalogue.h"
#include "games/game_list.h"
#include "io/scenario.h"
#include "sim/learn/solve.h"

enum { MOST_REPEATS = 100, MOST_COMPONENTS = 256 };

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *x, int n) {
  qsort(x, (size_t)n, sizeof *x, by_size);
  return n % 2 ? x[n / 2] : 0.5 * (x[n / 2 - 1] + x[n / 2]);
}

/* Bytes per second of a[i] = b[i] + s * c[i] over arrays far larger than the caches; the write
   counts once, as STREAM does, and memory is what malloc() gives. All ranks at once. */
static double triad(wal_ctx *ctx) {
  const int64_t n = 8 << 20;
  double *a = malloc(8 * (size_t)n), *b = malloc(8 * (size_t)n), *c = malloc(8 * (size_t)n);
  double seconds[9], result = NAN;
  const bool there = a && b && c;
  for (int64_t i = 0; there && i < n; i++) a[i] = 0, b[i] = 1, c[i] = 2;
  for (int k = 0; there && k < 9; k++) {
    wal_agree(ctx, WAL_OK);
    double start = wal_clock();
    for (int64_t i = 0; i < n; i++) a[i] = b[i] + 3.0 * c[i];
    seconds[k] = wal_clock() - start;
    b[k] += a[n - 1 - k];
  }
  if (there) result = 24.0 * (double)n / median(seconds, 9);
  free(a);
  free(b);
  free(c);
  return result;
}

static const wal_param PARAMS[] = {
    {.name = "game", .type = WAL_COMPONENT, .required = true, .choices = "game"},
    {.name = "learner", .type = WAL_COMPONENT, .required = true, .choices = "learner"},
    {0}};
static const wal_component CASE = {.name = "case", .kind = "case", .params = PARAMS};

static wal_status parse(wal_ctx *ctx, const char *game, const char *learner,
                        wal_scenario **scenario, wal_params **params) {
  const wal_catalogue *known = wal_catalogue_all();
  const wal_component *all[MOST_COMPONENTS] = {&CASE};
  int64_t n = 1;
  for (int64_t i = 0; i < known->count && n < MOST_COMPONENTS; i++) all[n++] = known->components[i];
  const wal_catalogue catalogue = {.components = all, .count = n};
  char text[4096];
  int length = snprintf(text, sizeof text, "return case{game=%s, learner=%s}", game, learner);
  WAL_TRY(wal_scenario_parse(ctx, "bench", text, (size_t)length, &catalogue, scenario));
  return wal_params_resolve(ctx, "bench", &CASE, wal_scenario_root(*scenario), &catalogue, params);
}

static wal_status run(wal_ctx *ctx, char **argv, const char *every_text) {
  wal_scenario *scenario = NULL;
  wal_params *params = NULL;
  wal_game game = {0};
  wal_space *space = NULL;
  wal_learner *learner = NULL;
  WAL_TRY(parse(ctx, argv[2], argv[3], &scenario, &params));
  wal_params *of_game = wal_params_child(params, "game");
  wal_params *of_learner = wal_params_child(params, "learner");
  const int64_t iterations = atoll(argv[4]);
  const int64_t every = every_text ? atoll(every_text) : 1;
  const int repeats = atoi(argv[5]) < MOST_REPEATS ? atoi(argv[5]) : MOST_REPEATS;
  WAL_TRY(wal_game_create(ctx, wal_game_find(wal_params_component(of_game)->name), of_game, &game));
  double start = wal_clock();
  WAL_TRY(wal_space_create(ctx, &game, NULL, &space));
  WAL_TRY(wal_learner_create(space, wal_learner_find(wal_params_component(of_learner)->name),
                             of_learner, &learner));
  const double setup = wal_clock() - start;
  wal_measure measure;
  double seconds[MOST_REPEATS];
  for (int r = -1; r < repeats; r++) {  // the first one warms up
    WAL_TRY(wal_agree(ctx, WAL_OK));
    start = wal_clock();
    for (int64_t k = 0; k < iterations; k++)
      WAL_TRY(wal_learner_sweep(learner, every > 0 && k % every == 0, true, &measure));
    if (r >= 0) seconds[r] = (wal_clock() - start) / (double)iterations;
  }
  const double mebibytes = (double)wal_ctx_peak_memory(ctx) / 1048576.0;
  const double bandwidth = triad(ctx);
  const wal_shape *s = &game.shape;
  const double states = (double)s->states * s->horizon;
  const double bytes = 8 * (3 * states * s->actions + 4 * states);
  const double least = bytes / (bandwidth * wal_ctx_size(ctx)), typical = median(seconds, repeats);
  if (wal_ctx_rank(ctx) == 0)
    printf("%-38s %5d %12.4f %12.4f %10.2f %8.2f %10.1f %9.3f\n", argv[1], wal_ctx_size(ctx),
           typical * 1e3, least * 1e3, typical / least, bandwidth * 1e-9, mebibytes, setup);
  wal_learner_destroy(&learner);
  wal_space_destroy(&space);
  wal_game_destroy(ctx, &game);
  wal_params_destroy(&params);
  wal_scenario_destroy(&scenario);
  return WAL_OK;
}

int main(int argc, char **argv) {
  wal_ctx *ctx = NULL;
  if (wal_ctx_open(&argc, &argv, 1, &ctx) != WAL_OK) return 70;
  if (argc == 2 && strcmp(argv[1], "--header") == 0) {
    printf("%-38s %5s %12s %12s %10s %8s %10s %9s\n", "case", "ranks", "ms/iteration", "ms traffic",
           "ratio", "GB/s", "MiB/rank", "setup s");
    wal_ctx_close(&ctx);
    return 0;
  }
  wal_status status = WAL_OK;
  if (argc != 6 && argc != 7)
    status = wal_fail(ctx, WAL_EUSAGE, "usage: NAME GAME LEARNER ITERATIONS REPEATS [EVERY]");
  if (status == WAL_OK) status = run(ctx, argv, argc > 6 ? argv[6] : NULL);
  if (status != WAL_OK) fprintf(stderr, "bench: %s\n", wal_ctx_error(ctx));
  wal_ctx_close(&ctx);
  return wal_status_exit(status);
}
