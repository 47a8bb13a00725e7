// SPDX-License-Identifier: GPL-3.0-or-later
/* Objectives of a designer: against plain sums, their derivatives against central differences in
 * masses, policy and statistics, and the same bits on any number of ranks. */
#include <math.h>
#include <stdlib.h>

#include "sim/core/memory.h"
#include "sim/core/random.h"
#include "sim/game/report.h"
#include "tests/support/make_design.h"

enum { SEED = 5 };

static const char BEACH[] = "beach_bar { states = 37, bar = 11, horizon = 5 }";
static const char PREY[] = "predator_prey { horizon = 3 }";
static const char AUCTION[] =
    "batched_auction { rounds = 3, values = 23, bids = 17, goods = 0.9, reentry = 0.3,"
    "  prior = geometric { ratio = 0.9 }, drift = gaussian { slope = 1.2, width = 0.2 },"
    "  mechanism = neural { hidden = 7, seed = 3 } }";

static const struct {
  const char *game, *objective;
} PAIRS[] = {
    {BEACH, "congestion { sharpness = 37 }"},
    {BEACH, "congestion { sharpness = 0 }"},
    {BEACH, "congestion { sharpness = 1e5 }"},
    {PREY, "congestion { }"},
    {BEACH, "target_flow { flow = function(h, s) return h * s / 1000 end }"},
    {BEACH, "weights { weight = function(h, s, a) return h + s * s - 3 * a * s end }"},
    {PREY, "weights { weight = function(h, s, a) return math.sin(h + 2 * s + 5 * a) end }"},
    {AUCTION, "revenue {}"},
    {AUCTION, "efficiency {}"},
    {AUCTION, "mix { revenue = 2, efficiency = -0.5 }"},
    {AUCTION, "weights { weight = function(h, s, a) return math.cos(h + 2 * s + 5 * a) end }"},
};
enum { PAIR_COUNT = sizeof PAIRS / sizeof PAIRS[0] };

typedef struct work {
  wal_ctx *ctx;
  wal_test_part game_part, part;
  wal_game game;
  wal_space *space;
  wal_objective *objective;
  wal_policy policy;
  wal_flow flow;
} work;

static double draw(int64_t item, uint32_t stage) {
  return wal_random_uniform(SEED, WAL_PURPOSE_TEST, (uint64_t)item, stage, 0);
}

/* A policy that differs from pair to pair, with its flow. */
static void fill(work *w) {
  const wal_space *space = w->space;
  const int actions = w->game.shape.actions;
  for (int h = 0; h < w->game.shape.horizon; h++)
    for (int64_t tile = 0; tile < space->tiles; tile++) {
      const wal_slab slab = wal_space_slab(space, h, tile);
      double *pi = wal_policy_tile(&w->policy, h, tile);
      for (int a = 0; a < actions; a++)
        for (int64_t i = 0; i < slab.count; i++)
          pi[a * slab.stride + i] *= 0.1 + draw((slab.first + i) * actions + a, (uint32_t)h);
      wal_policy_forbid(&w->policy, h, tile);
      for (int64_t i = 0; i < slab.count; i++) {
        double sum = 0;
        for (int a = 0; a < actions; a++) sum += pi[a * slab.stride + i];
        for (int a = 0; a < actions; a++) pi[a * slab.stride + i] /= sum;
      }
    }
  WAL_ASSERT_OK(w->ctx, wal_flow_run(&w->flow, &w->policy));
}

static void begin(work *w, wal_ctx *ctx, const char *game, const char *objective) {
  const wal_space_options layout = {.block = 8};
  *w = (work){.ctx = ctx};
  WAL_ASSERT_OK(ctx, wal_test_part_make(ctx, "game", game, &w->game_part));
  WAL_ASSERT_OK(ctx, wal_test_part_make(ctx, "objective", objective, &w->part));
  const wal_game_type *type = wal_game_find(wal_params_component(w->game_part.params)->name);
  WAL_ASSERT_OK(ctx, wal_game_create(ctx, type, w->game_part.params, &w->game));
  WAL_ASSERT_OK(ctx, wal_space_create(ctx, &w->game, &layout, &w->space));
  const char *name = wal_params_component(w->part.params)->name;
  WAL_ASSERT_OK(
      ctx, wal_objective_create(w->space, wal_objective_find(name), w->part.params, &w->objective));
  WAL_ASSERT_OK(ctx, wal_policy_create(w->space, WAL_POLICY_PROBABILITIES, &w->policy));
  WAL_ASSERT_OK(ctx, wal_flow_create(w->space, true, &w->flow));
  fill(w);
}

static void end(work *w) {
  wal_policy_destroy(&w->policy);
  wal_flow_destroy(&w->flow);
  wal_objective_destroy(&w->objective);
  wal_space_destroy(&w->space);
  wal_game_destroy(w->ctx, &w->game);
  wal_test_part_free(&w->part);
  wal_test_part_free(&w->game_part);
}

static double measure(work *w) {
  double g = NAN;
  WAL_ASSERT_OK(w->ctx, wal_objective_measure(w->objective, &w->flow, &w->policy, &g));
  return g;
}

// ---- Against plain sums (one rank holds all) --------------------------------------------------

static double plain_congestion(const work *w, double sharpness) {
  double g = 0;
  for (int h = 0; h < w->game.shape.horizon; h++) {
    long double top = 0, all = 0, weighed = 0;
    const double *mu = wal_flow_mass(&w->flow, h);
    for (int64_t s = 0; s < w->game.shape.states; s++) top = fmaxl(top, mu[s]);
    for (int64_t s = 0; s < w->game.shape.states; s++) {
      const long double e = expl(sharpness * (mu[s] - top));
      all += e;
      weighed += e * mu[s];
    }
    g -= (double)(weighed / all);
  }
  return g;
}

static double plain_target(const work *w) {
  long double g = 0;
  for (int h = 0; h < w->game.shape.horizon; h++)
    for (int64_t s = 0; s < w->game.shape.states; s++) {
      const long double gap = wal_flow_mass(&w->flow, h)[s] - (double)(h * s) / 1000;
      g -= gap * gap / 2;
    }
  return (double)g;
}

static double plain_weights(const work *w) {
  long double g = 0;
  for (int h = 0; h < w->game.shape.horizon; h++)
    for (int64_t tile = 0; tile < w->space->tiles; tile++) {
      const wal_slab slab = wal_space_slab(w->space, h, tile);
      const double *pi = wal_policy_tile(&w->policy, h, tile);
      for (int64_t i = 0; i < slab.count; i++)
        for (int a = 0; a < w->game.shape.actions; a++) {
          const double s = (double)(slab.first + i);
          g += (h + s * s - 3 * a * s) * wal_flow_mass(&w->flow, h)[slab.first + i] *
               pi[a * slab.stride + i];
        }
    }
  return (double)g;
}

static double total(const work *w, const char *column) {
  wal_report report;
  double sum = NAN;
  WAL_ASSERT_OK(w->ctx, wal_report_create(w->space, &w->flow, &w->policy, &report));
  for (int c = 0; c < report.form->columns; c++)
    if (strcmp(report.form->column[c].name, column) == 0) sum = report.total[c];
  wal_report_free(w->ctx, &report);
  return sum;
}

static void check_plain(work *w, int pair, double g) {
  static const double SHARPNESS[] = {37, 0, 1e5};
  if (pair < 3) WAL_ASSERT_NEAR(g, plain_congestion(w, SHARPNESS[pair]), 1e-13);
  if (pair == 1) WAL_ASSERT_NEAR(g, -5.0 / 37, 1e-13);
  if (pair == 3) WAL_ASSERT_NEAR(g, plain_congestion(w, (double)w->game.shape.states), 1e-13);
  if (pair == 4) WAL_ASSERT_NEAR(g, plain_target(w), 1e-13);
  if (pair == 5) WAL_ASSERT_NEAR(g, plain_weights(w), 1e-12);
  if (pair == 7) WAL_ASSERT_NEAR(g, total(w, "revenue"), 1e-14);
  if (pair == 8) WAL_ASSERT_NEAR(g, total(w, "efficiency"), 1e-14);
  if (pair == 9) WAL_ASSERT_NEAR(g, 2 * total(w, "revenue") - 0.5 * total(w, "efficiency"), 1e-13);
}

// ---- Derivatives ------------------------------------------------------------------------------

/* All that an objective reads, one after the other: stage by stage masses, policy, statistics. */
static int64_t numbers(const work *w, int stage, double **mass, double **pi, double **statistic) {
  *mass = wal_flow_mass(&w->flow, stage);
  *pi = w->policy.values + stage * w->space->pairs;
  *statistic = wal_flow_statistic(&w->flow, stage);
  return wal_game_statistics(&w->game);
}

/* The bars of a stage times a direction. */
static double slope(work *w, int stage) {
  const wal_adjoint_seed *seed = wal_objective_seed(w->objective);
  double *mass, *pi, *z, sum = 0;
  const int64_t count = numbers(w, stage, &mass, &pi, &z), states = w->game.shape.states;
  double *bars = calloc((size_t)(count + states + w->space->pairs), sizeof *bars);
  double *mass_bar = bars + count, *pi_bar = mass_bar + states;
  seed->stage(seed->user, stage, z, bars);
  for (int64_t tile = 0; tile < w->space->tiles; tile++) {
    const wal_slab slab = wal_space_slab(w->space, stage, tile);
    const int64_t at = wal_space_pair(w->space, tile);
    const wal_adjoint_tile now = {.slab = slab,
                                  .tile = tile,
                                  .mass = mass + slab.first,
                                  .pi = pi + at,
                                  .statistic = z,
                                  .mass_bar = mass_bar + slab.first,
                                  .pi_bar = pi_bar + at,
                                  .statistic_bar = bars};
    seed->tile(seed->user, &now);
  }
  for (int64_t k = 0; k < count; k++) sum += bars[k] * draw(k, 100 + (uint32_t)stage);
  for (int64_t s = 0; s < states; s++) sum += mass_bar[s] * draw(s, 200 + (uint32_t)stage);
  for (int64_t i = 0; i < w->space->pairs; i++) sum += pi_bar[i] * draw(i, 300 + (uint32_t)stage);
  free(bars);
  return sum;
}

static void shift(work *w, double by) {
  for (int h = 0; h < w->game.shape.horizon; h++) {
    double *mass, *pi, *z;
    const int64_t count = numbers(w, h, &mass, &pi, &z);
    for (int64_t k = 0; k < count; k++) z[k] += by * draw(k, 100 + (uint32_t)h);
    for (int64_t s = 0; s < w->game.shape.states; s++) mass[s] += by * draw(s, 200 + (uint32_t)h);
    for (int64_t i = 0; i < w->space->pairs; i++) pi[i] += by * draw(i, 300 + (uint32_t)h);
  }
}

static double value_at(work *w, double by) {
  shift(w, by);
  const double g = measure(w);
  shift(w, -by);
  return g;
}

static void check_derivative(work *w) {
  static const double STEPS[] = {1e-3, 1e-4, 1e-5, 1e-6, 1e-7};
  double exact = 0, least = HUGE_VAL;
  measure(w);
  for (int h = w->game.shape.horizon - 1; h >= 0; h--) exact += slope(w, h);
  for (size_t i = 0; i < sizeof STEPS / sizeof *STEPS; i++) {
    const double h = STEPS[i];
    const double near = value_at(w, h) - value_at(w, -h);
    const double far = value_at(w, 2 * h) - value_at(w, -2 * h);
    least = fmin(least, fabs((8 * near - far) / (12 * h) - exact));
  }
  assert_true(fabs(exact) > 1e-3);
  if (!(least <= 1e-8 * fabs(exact))) print_message("    error %g of %g\n", least, exact);
  assert_true(least <= 1e-8 * fabs(exact));
}

static void test_all(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(SEED), *self = NULL;
  WAL_ASSERT_OK(ctx, wal_ctx_create(MPI_COMM_SELF, SEED, &self));
  for (int i = 0; i < PAIR_COUNT; i++) {
    work all, alone;
    print_message("  %.15s: %s\n", PAIRS[i].game, PAIRS[i].objective);
    begin(&all, ctx, PAIRS[i].game, PAIRS[i].objective);
    begin(&alone, self, PAIRS[i].game, PAIRS[i].objective);
    const double g = measure(&alone);
    WAL_ASSERT_ALL(ctx, isfinite(g));
    const double same = measure(&all);
    WAL_ASSERT_ALL(ctx, memcmp(&g, &same, sizeof g) == 0);
    check_plain(&alone, i, g);
    if (wal_ctx_size(ctx) == 1) check_derivative(&alone);
    end(&all);
    end(&alone);
  }
  wal_ctx_destroy(&self);
  wal_ctx_destroy(&ctx);
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(test_all)};
WAL_TEST_MAIN(tests)
