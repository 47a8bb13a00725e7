// SPDX-License-Identifier: GPL-3.0-or-later
/* What the engine promises for every registered game and learner, on any number of ranks: mass is
 * kept, exploitability is not negative, and every number is the same bits as on one rank, however
 * many blocks the states are cut into. A new game or learner is tested as soon as it is listed. */
#include <math.h>
#include <stdlib.h>

#include "sim/core/memory.h"
#include "sim/game/report.h"
#include "sim/learn/solve.h"
#include "tests/conformance/settings.h"

enum { STEPS = 5, SMALL_BLOCK = 8 };

/* A learner on a game in one context. */
typedef struct work {
  wal_ctx *ctx;
  wal_test_game made;
  wal_params *rule;
  wal_space *space;
  wal_learner *learner;
} work;

static void begin(work *w, wal_ctx *ctx, const wal_game_type *game, int setting,
                  const wal_learner_type *type, double entropy, int64_t block) {
  *w = (work){.ctx = ctx};
  const wal_space_options options = {.block = block};
  wal_node *rule = wal_test_component(type->component.name);
  if (entropy > 0) wal_test_set_number(rule, "entropy", entropy);
  WAL_ASSERT_OK(ctx, settings_create(ctx, game->component.name, setting, &w->made));
  WAL_ASSERT_OK(ctx, wal_params_resolve(ctx, "test.lua", &type->component, rule, NULL, &w->rule));
  wal_node_destroy(rule);
  WAL_ASSERT_OK(ctx, wal_space_create(ctx, &w->made.game, &options, &w->space));
  WAL_ASSERT_OK(ctx, wal_learner_create(w->space, type, w->rule, &w->learner));
}

static void end(work *w) {
  wal_learner_destroy(&w->learner);
  wal_space_destroy(&w->space);
  wal_params_destroy(&w->rule);
  wal_test_game_destroy(w->ctx, &w->made);
}

static bool same(const double *a, const double *b, int64_t count) {
  return count == 0 || memcmp(a, b, (size_t)count * sizeof *a) == 0;
}

/* The own states' part of a solution against that of a rank that has all states. */
static bool same_as_alone(const work *mine, const work *alone) {
  const wal_shape *shape = &mine->made.game.shape;
  const wal_partition *own = &mine->space->states;
  double *part = malloc(sizeof *part * (size_t)(own->count * shape->actions + 1));
  double *whole = malloc(sizeof *whole * (size_t)(shape->states * shape->actions));
  bool equal = true;
  for (int h = 0; h < shape->horizon; h++) {
    equal = equal && same(wal_flow_mass(&mine->learner->flow, h),
                          wal_flow_mass(&alone->learner->flow, h) + own->first, own->count);
    equal = equal && same(wal_values_kept(&mine->learner->values, h),
                          wal_values_kept(&alone->learner->values, h) + own->first, own->count);
    wal_policy_export(&mine->learner->policy, h, part);
    wal_policy_export(&alone->learner->policy, h, whole);
    equal = equal && same(part, whole + own->first * shape->actions, own->count * shape->actions);
  }
  free(part);
  free(whole);
  return equal;
}

static void check_mass(const work *w) {
  const wal_shape *shape = &w->made.game.shape;
  for (int h = 0; h < shape->horizon; h++)
    for (int p = 0; p < shape->populations; p++) {
      double total = 0;
      for (int64_t s = p; s < shape->states; s += shape->populations) {
        double mass = wal_flow_mass(&w->learner->flow, h)[s];
        assert_true(mass >= 0);
        total += mass;
      }
      WAL_ASSERT_WITHIN(total, 1, 1e-12);
    }
}

static unsigned char *find_legal(const work *w) {
  const wal_game *game = &w->made.game;
  const int64_t states = game->shape.states;
  unsigned char *legal = malloc((size_t)(states * game->shape.actions));
  assert_non_null(legal);
  memset(legal, 1, (size_t)(states * game->shape.actions));
  for (int a = 0; game->type->legal && a < game->shape.actions; a++)
    game->type->legal(game->self, a, 0, states, legal + a * states);
  return legal;
}

/* A policy's rows are distributions of legal actions, in run files too. */
static void check_policy(const work *w) {
  const wal_shape *shape = &w->made.game.shape;
  double *rows = malloc(sizeof *rows * (size_t)(shape->states * shape->actions));
  unsigned char *legal = find_legal(w);
  for (int h = 0; h < shape->horizon; h++) {
    wal_policy_export(&w->learner->policy, h, rows);
    for (int64_t s = 0; s < shape->states; s++) {
      double total = 0;
      for (int a = 0; a < shape->actions; a++) {
        assert_true(rows[s * shape->actions + a] >= 0);
        if (!legal[a * shape->states + s]) WAL_ASSERT_SAME(rows[s * shape->actions + a], 0);
        total += rows[s * shape->actions + a];
      }
      WAL_ASSERT_WITHIN(total, 1, 1e-13);
    }
  }
  free(rows);
  free(legal);
}

/* What a game reports: the same on every number of ranks, finite, and totals are sums. */
static bool same_report(const work *mine, const work *alone) {
  wal_report here, there;
  WAL_ASSERT_OK(mine->ctx, wal_report_create(mine->space, &mine->learner->flow,
                                             &mine->learner->policy, &here));
  WAL_ASSERT_OK(alone->ctx, wal_report_create(alone->space, &alone->learner->flow,
                                              &alone->learner->policy, &there));
  const int columns = here.form ? here.form->columns : 0;
  bool good = same(here.values, there.values, (int64_t)here.stages * columns) &&
              same(here.total, there.total, WAL_REPORT_COLUMNS);
  for (int c = 0; c < columns; c++) {
    double sum = 0;
    for (int h = 0; h < here.stages; h++) sum += here.values[h * columns + c];
    good = good && isfinite(sum) && here.total[c] == (here.form->column[c].adds ? sum : 0);
  }
  wal_report_free(mine->ctx, &here);
  wal_report_free(alone->ctx, &there);
  return good;
}

static void compare(wal_ctx *ctx, wal_ctx *self, const wal_game_type *game, int setting,
                    const wal_learner_type *type, double entropy, int64_t block) {
  work mine, alone;
  begin(&mine, ctx, game, setting, type, entropy, block);
  begin(&alone, self, game, setting, type, entropy, block);
  for (int k = 0; k <= STEPS; k++) {
    wal_measure here, there;
    memset(&here, 0, sizeof here);
    memset(&there, 0, sizeof there);
    WAL_ASSERT_OK(ctx, wal_learner_sweep(mine.learner, true, k < STEPS, &here));
    WAL_ASSERT_OK(self, wal_learner_sweep(alone.learner, true, k < STEPS, &there));
    WAL_ASSERT_ALL(ctx, here.exploitability == there.exploitability &&
                            here.soft_exploitability == there.soft_exploitability &&
                            here.value == there.value && here.iteration == k);
    assert_true(there.exploitability >= -1e-10 && there.soft_exploitability >= -1e-10);
    for (int p = 0; p < there.populations; p++) {
      assert_true(there.exploitability_of[p] >= -1e-10);
      WAL_ASSERT_ALL(ctx, here.exploitability_of[p] == there.exploitability_of[p]);
    }
    check_mass(&alone);
    check_policy(&alone);
    WAL_ASSERT_ALL(ctx, same_as_alone(&mine, &alone));
  }
  WAL_ASSERT_ALL(ctx, same_report(&mine, &alone));
  end(&mine);
  end(&alone);
}

static void every_game_with_every_learner(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(20), *self = NULL;
  WAL_ASSERT_OK(ctx, wal_ctx_create(MPI_COMM_SELF, 20, &self));
  for (int64_t g = 0; g < wal_game_count(); g++)
    for (int64_t l = 0; l < wal_learner_count(); l++)
      for (int k = 0; k < settings_count(wal_game_at(g)->component.name); k++)
        compare(ctx, self, wal_game_at(g), k, wal_learner_at(l), 0, SMALL_BLOCK);
  wal_ctx_destroy(&self);
  wal_ctx_destroy(&ctx);
}

static void entropy_and_the_usual_blocks(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(20), *self = NULL;
  WAL_ASSERT_OK(ctx, wal_ctx_create(MPI_COMM_SELF, 20, &self));
  const wal_learner_type *descent = wal_learner_find("mirror_descent");
  for (int64_t g = 0; g < wal_game_count(); g++)
    for (int block = 0; block <= SMALL_BLOCK; block += SMALL_BLOCK)
      compare(ctx, self, wal_game_at(g), 1, descent, 0.05, block);
  wal_ctx_destroy(&self);
  wal_ctx_destroy(&ctx);
}

/* Regularized mirror descent ends at the regularized equilibrium: its exploitability with entropy
   falls to round-off (Corecco et al. 2025, section 4), which the plain one does not. */
static void entropy_leads_to_the_regularized_equilibrium(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(1);
  work w;
  begin(&w, ctx, wal_game_find("left_right"), 0, wal_learner_find("mirror_descent"), 0.3, 0);
  wal_measure m;
  for (int k = 0; k < 400; k++) WAL_ASSERT_OK(ctx, wal_learner_sweep(w.learner, true, true, &m));
  assert_true(m.soft_exploitability >= -1e-14 && m.soft_exploitability < 1e-12);
  assert_true(m.exploitability > 1e-3);
  end(&w);
  wal_ctx_destroy(&ctx);
}

/* One-stage-ahead closed form: in left_right the first stage pays nothing, and the equilibrium puts
   twice the mass on the left: -mu_1 = -2 mu_2. */
static void left_right_ends_at_two_to_one(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(1);
  work w;
  begin(&w, ctx, wal_game_find("left_right"), 0, wal_learner_find("mirror_descent"), 0, 0);
  wal_measure m;
  for (int k = 0; k < 200; k++) WAL_ASSERT_OK(ctx, wal_learner_sweep(w.learner, true, true, &m));
  double left = 0, right = 0;
  for (int64_t i = 0; i < w.space->states.count; i++) {
    if (w.space->states.first + i == 1) left = wal_flow_mass(&w.learner->flow, 1)[i];
    if (w.space->states.first + i == 2) right = wal_flow_mass(&w.learner->flow, 1)[i];
  }
  bool mine = w.space->states.count > 0;
  WAL_ASSERT_ALL(ctx, !mine || (fabs(left - 2.0 / 3) < 1e-12 && fabs(right - 1.0 / 3) < 1e-12));
  end(&w);
  wal_ctx_destroy(&ctx);
}

/* The stop rule: the last row always meets it, `every` thins the rows, and a run without a
   tolerance does all its iterations. */
static void solving_ends_as_the_rule_says(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(1);
  static const wal_stop RULES[] = {{100, 0, 0, 1, 0},    {100, 0, 0, 30, 0},   {100, 0.3, 0, 1, 0},
                                   {100, 0, 0.25, 1, 0}, {100, 0.3, 0, 7, 0},  {3, 1e-12, 0, 1, 0},
                                   {0, 1e-12, 0, 1, 0},  {1000, 0.1, 0, 3, 0}, {50, 1e9, 0, 1, 0}};
  for (size_t r = 0; r < sizeof RULES / sizeof RULES[0]; r++) {
    const wal_stop *rule = &RULES[r];
    work w;
    wal_trace trace = {0};
    begin(&w, ctx, wal_game_find("beach_bar"), 1, wal_learner_find("mirror_descent"), 0, 0);
    WAL_ASSERT_OK(ctx, wal_solve(w.learner, rule, NULL, &trace));
    const wal_measure *last = &trace.rows[trace.count - 1];
    const double goal = rule->absolute + rule->relative * trace.rows[0].exploitability;
    assert_int_equal(trace.rows[0].iteration, 0);
    if (trace.converged)
      assert_true(last->exploitability <= goal);
    else
      assert_int_equal(last->iteration, rule->iterations);
    if (goal == 0)
      assert_int_equal(trace.count, (rule->iterations + rule->every - 1) / rule->every + 1);
    // the policy in hand is that of the last row
    wal_measure again;
    WAL_ASSERT_OK(ctx, wal_learner_sweep(w.learner, true, false, &again));
    WAL_ASSERT_SAME(again.exploitability, last->exploitability);
    assert_int_equal(again.iteration, last->iteration);
    for (int64_t i = 0; i < trace.count; i++)
      assert_true(trace.rows[i].exploitability >= trace.rows[trace.best].exploitability);
    wal_trace_free(ctx, &trace);
    end(&w);
  }
  wal_ctx_destroy(&ctx);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_game_with_every_learner),
    cmocka_unit_test(entropy_and_the_usual_blocks),
    cmocka_unit_test(entropy_leads_to_the_regularized_equilibrium),
    cmocka_unit_test(left_right_ends_at_two_to_one),
    cmocka_unit_test(solving_ends_as_the_rule_says),
};
WAL_TEST_MAIN(tests)
