// SPDX-License-Identifier: GPL-3.0-or-later
/* Times the gradient of an auction's revenue by its neural mechanism through the learner, on one
 * core: setting A1 of Corecco et al. 2025 (100 values and bids, rate 10, entropy 1e-3), for each
 * way to remember the learner's steps, and at the equilibrium: from the uniform policy, and after
 * steps of the parameters as Adam takes them. Seconds of the process; memory above that before.
 *
 *   gradient [ROUNDS [HIDDEN [ITERATIONS [PRECISION [MEMORY [TOLERANCE]]]]]]
 *
 * with the network's precision, and one of full, sqrt, reverse, implicit to time no other; of
 * implicit the tolerance. */
#define _POSIX_C_SOURCE 200809L

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/catalogue.h"
#include "games/game_list.h"
#include "incentives/design/method.h"
#include "io/scenario.h"
#include "sim/core/memory.h"

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static wal_status resolve(wal_ctx *ctx, const char *text, wal_scenario **scenario,
                          wal_params **out) {
  const wal_catalogue *all = wal_catalogue_all();
  WAL_TRY(wal_scenario_parse(ctx, "bench", text, strlen(text), all, scenario));
  const wal_node *root = wal_scenario_root(*scenario);
  return wal_params_resolve(ctx, "bench", wal_catalogue_find(all, root->text), root, all, out);
}

/* |a - b| / |b| */
static double distance(int64_t count, const double *a, const double *b) {
  double error = 0, norm = 0;
  for (int64_t i = 0; i < count; i++) {
    error += (a[i] - b[i]) * (a[i] - b[i]);
    norm += b[i] * b[i];
  }
  return sqrt(error / norm);
}

static wal_status measure(wal_problem *problem, const char *name, wal_unrolled_memory memory,
                          int64_t before, double *first) {
  wal_ctx *ctx = wal_problem_space(problem)->ctx;
  const int64_t count = wal_problem_count(problem);
  double *gradient, value, best = HUGE_VAL;
  WAL_TRY(wal_acquire(ctx, "bench", count, sizeof *gradient, &gradient));
  WAL_TRY(wal_problem_differentiate(problem, memory));
  for (int i = 0; i < 3; i++) {
    const double start = seconds();
    WAL_TRY(wal_problem_gradient(problem, wal_problem_start(problem), &value, gradient));
    best = fmin(best, seconds() - start);
  }
  if (first[0] == 0) memcpy(first, gradient, (size_t)count * sizeof *first);
  printf("  %-8s %8.3f s   %7.1f MiB   value %.10f   error %.1e\n", name, best,
         (double)(wal_ctx_memory(ctx) - before) / 1048576, value, distance(count, gradient, first));
  wal_release(ctx, &gradient);
  return WAL_OK;
}

enum { WARM = 4 };  // steps of the parameters of each size

/* The gradient at the equilibrium, to `tolerance` and for its error to TIGHT: from the uniform
 * policy, then after steps by `rate` upwards in every parameter, as Adam's first ones are. */
static wal_status measure_equilibrium(wal_problem *problem, wal_problem *tight, double tolerance,
                                      double rate) {
  static const double TIGHT = 1e-10, ACCEPTED = 2.5;
  wal_ctx *ctx = wal_problem_space(problem)->ctx;
  const int64_t count = wal_problem_count(problem);
  double *gradient, *exact, *theta, value;
  WAL_TRY(wal_acquire(ctx, "bench", count, sizeof *gradient, &gradient));
  WAL_TRY(wal_acquire(ctx, "bench", count, sizeof *exact, &exact));
  WAL_TRY(wal_acquire(ctx, "bench", count, sizeof *theta, &theta));
  memcpy(theta, wal_problem_start(problem), (size_t)count * sizeof *theta);
  WAL_TRY(wal_problem_differentiate_equilibrium(problem, tolerance, ACCEPTED, 2000));
  WAL_TRY(wal_problem_differentiate_equilibrium(tight, TIGHT, ACCEPTED, 20000));
  for (int i = 0; i <= WARM; i++) {
    const double start = seconds();
    WAL_TRY(wal_problem_gradient(problem, theta, &value, gradient));
    const double took = seconds() - start;
    const wal_implicit_work work = wal_problem_equilibrium(problem);
    printf("  implicit %8.3f s   value %.10f   %4lld steps, %lld products, ", took, value,
           (long long)work.steps, (long long)work.products);
    WAL_TRY(wal_problem_gradient(tight, theta, &value, exact));
    if (work.found && wal_problem_equilibrium(tight).found)
      printf("error %.1e", distance(count, gradient, exact));
    else
      printf("no equilibrium: residual %.1e", work.residual);
    printf(i == 0 ? "   cold\n" : "   %g further\n", rate);
    for (int64_t j = 0; j < count; j++) theta[j] += gradient[j] > 0 ? rate : -rate;
  }
  wal_release(ctx, &gradient);
  wal_release(ctx, &exact);
  wal_release(ctx, &theta);
  return WAL_OK;
}

static bool wanted(const char *only, const char *name) { return !only || strcmp(only, name) == 0; }

static wal_status measure_all(wal_problem *problem, const char *only, wal_problem *tight,
                              double tolerance) {
  static const struct {
    const char *name;
    wal_unrolled_memory memory;
  } WAYS[] = {
      {"full", WAL_UNROLLED_FULL}, {"sqrt", WAL_UNROLLED_SQRT}, {"reverse", WAL_UNROLLED_REVERSE}};
  wal_ctx *ctx = wal_problem_space(problem)->ctx;
  double *first, value;
  WAL_TRY(wal_acquire(ctx, "bench", wal_problem_count(problem), sizeof *first, &first));
  const int64_t before = wal_ctx_memory(ctx);
  const double start = seconds();
  WAL_TRY(wal_problem_evaluate(problem, wal_problem_start(problem), &value));
  printf("  %-8s %8.3f s\n", "value", seconds() - start);
  for (int i = 0; i < 3; i++)
    if (wanted(only, WAYS[i].name))
      WAL_TRY(measure(problem, WAYS[i].name, WAYS[i].memory, before, first));
  if (wanted(only, "implicit")) {
    WAL_TRY(measure_equilibrium(problem, tight, tolerance, 1e-3));
    WAL_TRY(measure_equilibrium(problem, tight, tolerance, 1e-4));
  }
  wal_release(ctx, &first);
  return WAL_OK;
}

static wal_status make(wal_ctx *ctx, int rounds, int hidden, int iterations, const char *precision,
                       wal_scenario *scenario[2], wal_params *params[2], wal_problem **out) {
  char text[512];
  snprintf(text, sizeof text,
           "return batched_auction { rounds = %d, values = 100, bids = 100, goods = 0.8,"
           " mechanism = neural { hidden = %d, precision = '%s' } }",
           rounds, hidden, precision);
  WAL_TRY(resolve(ctx, text, &scenario[0], &params[0]));
  WAL_TRY(resolve(ctx, "return revenue {}", &scenario[1], &params[1]));
  const wal_problem_parts parts = {.game = wal_game_find("batched_auction"),
                                   .game_params = params[0],
                                   .objective = wal_objective_find("revenue"),
                                   .objective_params = params[1],
                                   .response = {10, 1e-3, iterations}};
  return wal_problem_create(ctx, &parts, out);
}

static wal_status run(wal_ctx *ctx, int rounds, int hidden, int iterations, const char *precision,
                      const char *only, double tolerance) {
  wal_scenario *scenario[4] = {NULL};
  wal_params *params[4] = {NULL};
  wal_problem *problem = NULL, *tight = NULL;
  WAL_TRY(make(ctx, rounds, hidden, iterations, precision, scenario, params, &problem));
  WAL_TRY(make(ctx, rounds, hidden, iterations, "double", scenario + 2, params + 2, &tight));
  printf("%d rounds, %d hidden, %d iterations, %lld parameters, %s precision\n", rounds, hidden,
         iterations, (long long)wal_problem_count(problem), precision);
  WAL_TRY(measure_all(problem, only, tight, tolerance));
  wal_problem_destroy(&problem);
  wal_problem_destroy(&tight);
  for (int i = 0; i < 4; i++) {
    wal_params_destroy(&params[i]);
    wal_scenario_destroy(&scenario[i]);
  }
  return WAL_OK;
}

int main(int argc, char **argv) {
  wal_ctx *ctx = NULL;
  if (wal_ctx_open(&argc, &argv, 1, &ctx) != WAL_OK) return 1;
  const wal_status status = run(ctx, argc > 1 ? atoi(argv[1]) : 5, argc > 2 ? atoi(argv[2]) : 256,
                                argc > 3 ? atoi(argv[3]) : 400, argc > 4 ? argv[4] : "single",
                                argc > 5 && strcmp(argv[5], "all") != 0 ? argv[5] : NULL,
                                argc > 6 ? atof(argv[6]) : 1e-5);
  if (status != WAL_OK) fprintf(stderr, "gradient: %s\n", wal_ctx_error(ctx));
  wal_ctx_close(&ctx);
  return wal_status_exit(status);
}
