// SPDX-License-Identifier: GPL-3.0-or-later
/* The gradient of an objective through the learner (sim/learn/unrolled.h), for every registered
 * game with derivatives: against central differences over the charges of a toll, the same for what
 * the way back remembers, and the same bits on any number of ranks. */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "sim/core/memory.h"
#include "sim/core/random.h"
#include "sim/learn/unrolled.h"
#include "tests/conformance/settings.h"

enum { SEED = 11, DIRECTIONS = 2 };

typedef struct work {
  wal_ctx *ctx;
  wal_test_game made;
  wal_space *space;
  wal_parameters parameters;
} work;

static double weight(int64_t item, uint32_t stage) {
  return wal_random_uniform(SEED, WAL_PURPOSE_TEST, (uint64_t)item, stage, 0) - 0.5;
}

/* g = sum over stages of <W_h, L_h> + <u_h, z_h>. */
static void seed_stage(void *user, int stage, const double *statistic, double *bar) {
  const work *w = user;
  const wal_shape *shape = &w->made.game.shape;
  (void)statistic;
  for (int k = 0; k < shape->statistic + shape->settled; k++)
    bar[k] += weight(k, 1000 + (uint32_t)stage);
}

static double pair_weight(const work *w, const wal_slab *slab, int a, int64_t i) {
  return weight((slab->first + i) * w->made.game.shape.actions + a, (uint32_t)slab->stage);
}

static void seed_tile(void *user, const wal_adjoint_tile *tile) {
  const work *w = user;
  const wal_slab *slab = &tile->slab;
  for (int a = 0; a < w->made.game.shape.actions; a++)
    for (int64_t i = 0; i < slab->count; i++) {
      const int64_t at = a * slab->stride + i;
      const double x = pair_weight(w, slab, a, i);
      tile->mass_bar[i] += x * tile->pi[at];
      tile->pi_bar[at] += x * tile->mass[i];
    }
}

/* @param size  gets the sum of the sizes of its terms */
static double objective(const work *w, const wal_unrolled *u, double *size) {
  const wal_shape *shape = &w->made.game.shape;
  const wal_flow *flow = wal_unrolled_flow(u);
  double *room = malloc(sizeof *room * (size_t)wal_space_tile_pairs(w->space)), g = 0;
  *size = 0;
  for (int h = 0; h < shape->horizon; h++) {
    for (int k = 0; k < shape->statistic + shape->settled; k++) {
      const double x = weight(k, 1000 + (uint32_t)h) * wal_flow_statistic(flow, h)[k];
      g += x;
      *size += fabs(x);
    }
    for (int64_t tile = 0; tile < w->space->tiles; tile++) {
      const wal_slab slab = wal_space_slab(w->space, h, tile);
      const double *pi = wal_policy_read(wal_unrolled_policy(u), &slab, tile, room, NULL);
      for (int a = 0; a < shape->actions; a++)
        for (int64_t i = 0; i < slab.count; i++) {
          const double x = pair_weight(w, &slab, a, i) * wal_flow_mass(flow, h)[slab.first + i] *
                           pi[a * slab.stride + i];
          g += x;
          *size += fabs(x);
        }
    }
  }
  free(room);
  return g;
}

static void begin(work *w, wal_ctx *ctx, const char *game, int setting, const char *on) {
  *w = (work){.ctx = ctx};
  wal_params *params = NULL;
  wal_node *node = wal_test_component("toll");
  wal_test_set_text(node, "on", on);
  WAL_ASSERT_OK(ctx, wal_params_resolve(ctx, "test.lua", &wal_toll_component, node, NULL, &params));
  WAL_ASSERT_OK(ctx, settings_create(ctx, game, setting, &w->made));
  const wal_shape *shape = &w->made.game.shape;
  WAL_ASSERT_OK(ctx,
                wal_toll_create(ctx, params, shape->states, shape->actions, &w->made.game.toll));
  const wal_space_options options = {.block = 8};
  WAL_ASSERT_OK(ctx, wal_space_create(ctx, &w->made.game, &options, &w->space));
  wal_game_parameters(&w->made.game, &w->parameters);
  assert_true(w->parameters.count > 0);
  for (int64_t i = 0; i < w->parameters.count; i++) w->parameters.values[i] = 2 * weight(i, 77);
  wal_game_designed(&w->made.game);
  wal_params_destroy(&params);
  wal_node_destroy(node);
}

static void end(work *w) {
  wal_space_destroy(&w->space);
  wal_test_game_destroy(w->ctx, &w->made);
}

static wal_unrolled *unroll(const work *w, int64_t steps, wal_unrolled_memory memory) {
  const wal_unrolled_options options = {
      .rate = 0.3, .entropy = 0.05, .iterations = steps, .memory = memory};
  wal_unrolled *u = NULL;
  WAL_ASSERT_OK(w->ctx, wal_unrolled_create(w->space, &options, &u));
  return u;
}

static double *gradient(const work *w, int64_t steps, wal_unrolled_memory memory) {
  const wal_adjoint_seed seed = {seed_stage, seed_tile, (void *)(uintptr_t)w};
  double *g = calloc((size_t)w->parameters.count, sizeof *g);
  wal_unrolled *u = unroll(w, steps, memory);
  WAL_ASSERT_OK(w->ctx, wal_unrolled_forward(u, true));
  WAL_ASSERT_OK(w->ctx, wal_unrolled_backward(u, &seed, g));
  wal_unrolled_destroy(&u);
  return g;
}

static double value_at(work *w, wal_unrolled *u, const double *at, const double *d, double step,
                       double *size) {
  for (int64_t i = 0; i < w->parameters.count; i++) w->parameters.values[i] = at[i] + step * d[i];
  wal_game_designed(&w->made.game);
  WAL_ASSERT_OK(w->ctx, wal_unrolled_forward(u, false));
  return objective(w, u, size);
}

static double norm(int64_t count, const double *x) {
  double sum = 0;
  for (int64_t i = 0; i < count; i++) sum += x[i] * x[i];
  return sqrt(sum);
}

/* The least error over the steps: large ones cross kinks and have curvature, small ones round. What
 * rounding leaves at the largest step is let pass: the formula below takes 18 values, each of which
 * is off by a unit in the last place of its terms, through 12 times the step. Elsewhere that
 * is far below a millionth of the gradient; it shows where nearly nothing hangs on a toll, as in a
 * lock, whose few charges that matter are at places where hardly anybody is. */
static void check_differences(work *w, int64_t steps, const double *g) {
  static const double STEPS[] = {1e-2, 1e-3, 1e-4, 1e-5, 1e-6};
  const int64_t count = w->parameters.count;
  double *at = malloc(sizeof *at * (size_t)count), *d = malloc(sizeof *d * (size_t)count);
  memcpy(at, w->parameters.values, sizeof *at * (size_t)count);
  wal_unrolled *u = unroll(w, steps, WAL_UNROLLED_SQRT);
  for (int k = 0; k < DIRECTIONS; k++) {
    double exact = 0, least = HUGE_VAL, terms = 0;
    for (int64_t i = 0; i < count; i++) {
      d[i] = weight(i, 500 + (uint32_t)k);
      exact += g[i] * d[i];
    }
    for (size_t s = 0; s < sizeof STEPS / sizeof *STEPS; s++) {
      const double h = STEPS[s];
      const double near = value_at(w, u, at, d, h, &terms) - value_at(w, u, at, d, -h, &terms);
      const double far =
          value_at(w, u, at, d, 2 * h, &terms) - value_at(w, u, at, d, -2 * h, &terms);
      const double x = (8 * near - far) / (12 * h);  // of fourth order
      least = fmin(least, fabs(x - exact));
    }
    const double size = norm(count, g) * norm(count, d) / sqrt((double)count);
    const double allowed = 1e-6 * size + 18 * DBL_EPSILON * terms / (12 * STEPS[0]);
    if (!(least <= allowed))
      print_message("    error %g of %g, derivative %g\n", least, size, exact);
    assert_true(least <= allowed);
    if (steps == 0) WAL_ASSERT_SAME(norm(count, g), 0);
  }
  for (int64_t i = 0; i < count; i++) w->parameters.values[i] = at[i];
  wal_game_designed(&w->made.game);
  wal_unrolled_destroy(&u);
  free(at);
  free(d);
}

static void check_game(wal_ctx *ctx, wal_ctx *self, const char *game, int setting, const char *on) {
  static const int64_t STEPS[] = {0, 1, 10};
  work all, alone;
  begin(&all, ctx, game, setting, on);
  begin(&alone, self, game, setting, on);
  const int64_t count = all.parameters.count;
  for (int i = 0; i < 3; i++) {
    double *g[4];
    const bool reverses = !all.made.game.shape.reads_policy;
    for (int m = 0; m < 3; m++)
      g[m] = gradient(&all, STEPS[i],
                      m == 2 && !reverses ? WAL_UNROLLED_FULL : (wal_unrolled_memory)m);
    g[3] = gradient(&alone, STEPS[i], WAL_UNROLLED_FULL);
    assert_memory_equal(g[0], g[1], sizeof(double) * (size_t)count);
    assert_memory_equal(g[0], g[3], sizeof(double) * (size_t)count);
    const double size = norm(count, g[0]);
    for (int64_t j = 0; j < count; j++) assert_true(fabs(g[2][j] - g[0][j]) <= 1e-9 * size);
    if (wal_ctx_size(ctx) == 1) check_differences(&alone, STEPS[i], g[0]);
    for (int m = 0; m < 4; m++) free(g[m]);
  }
  end(&all);
  end(&alone);
}

static void test_every_game(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(SEED), *self = NULL;
  WAL_ASSERT_OK(ctx, wal_ctx_create(MPI_COMM_SELF, SEED, &self));
  int designed = 0;
  for (int64_t i = 0; i < wal_game_count(); i++) {
    const char *name = wal_game_at(i)->component.name;
    for (int setting = 0; setting < settings_count(name); setting++) {
      wal_test_game made;
      WAL_ASSERT_OK(ctx, settings_create(ctx, name, setting, &made));
      const bool has = wal_adjoint_check(ctx, &made.game) == WAL_OK;
      wal_test_game_destroy(ctx, &made);
      if (!has) continue;
      designed++;
      print_message("  %s, setting %d\n", name, setting);
      check_game(ctx, self, name, setting, setting % 2 ? "state_action" : "state");
    }
  }
  assert_true(designed >= 30);
  wal_ctx_destroy(&self);
  wal_ctx_destroy(&ctx);
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_game)};
WAL_TEST_MAIN(tests)
