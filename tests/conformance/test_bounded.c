// SPDX-License-Identifier: GPL-3.0-or-later
/* Every registered game inside bounded{}: it is the game that it is alone, its rewards are mapped
 * as stated, pullbacks follow the chain rule, and where nothing is clipped exploitability is
 * divided by high - low, iterate by iterate. */
#include <math.h>

#include "sim/core/memory.h"
#include "sim/core/random.h"
#include "sim/game/report.h"
#include "sim/learn/solve.h"
#include "tests/conformance/settings.h"

enum { SEED = 29, STEPS = 6 };

static double *room(wal_ctx *ctx, int64_t count) {
  double *numbers = NULL;
  WAL_ASSERT_OK(ctx, wal_acquire(ctx, "test", count + 1, sizeof *numbers, &numbers));
  return numbers;
}

static double draw(int64_t i, uint32_t what) {
  return wal_random_uniform(SEED, WAL_PURPOSE_TEST, (uint64_t)i, what, 0);
}

static double *random_room(wal_ctx *ctx, int64_t count, uint32_t what) {
  double *numbers = room(ctx, count);
  for (int64_t i = 0; i < count; i++) numbers[i] = draw(i, what);
  return numbers;
}

/** Games that a node describes; those made from texts have other settings. */
static bool has_node(const char *game, int setting) {
  return strcmp(game, "custom") != 0 && strcmp(game, "bounded") != 0 &&
         (setting == 0 || strcmp(game, "batched_auction") != 0);
}

static void enclose(wal_ctx *ctx, const char *game, int setting, double low, double high,
                    wal_test_game *out) {
  wal_node *node = wal_test_component("bounded");
  wal_test_set_number(node, "low", low);
  wal_test_set_number(node, "high", high);
  wal_node_set_field(node, "game", settings_describe(game, setting > 0));
  WAL_ASSERT_OK(ctx, wal_test_game_create(ctx, node, out));
}

static void each_game(void (*check)(const char *game, int setting)) {
  for (int64_t g = 0; g < wal_game_count(); g++)
    for (int k = 0; k < 2; k++) {
      const char *name = wal_game_at(g)->component.name;
      if (!has_node(name, k)) continue;
      print_message("  %s, setting %d\n", name, k);
      check(name, k);
    }
}

/* Operations side by side, in random masses at stage 0. */

typedef struct point {
  double *mass, *policy, *statistics, *reward;
} point;

static void find_point(wal_ctx *ctx, const wal_game *game, point *p) {
  const wal_shape *shape = &game->shape;
  const int64_t states = shape->states, numbers = wal_game_statistics(game);
  const wal_slab slab = {0, 0, states, states};
  *p = (point){random_room(ctx, states, 1), random_room(ctx, states * shape->actions, 2),
               room(ctx, numbers * shape->horizon), room(ctx, states * shape->actions)};
  for (int64_t i = 0; i < states; i++) p->mass[i] /= (double)states;
  if (shape->statistic > 0)
    game->type->couple(game->self, &slab, p->mass, p->policy, p->statistics);
  if (shape->settled > 0) game->type->settle(game->self, 0, p->statistics);
  if (shape->whole)
    memcpy(p->statistics + numbers - states, p->mass, (size_t)states * sizeof *p->mass);
  wal_game_stage(game, &slab, p->mass, p->policy, p->statistics, p->reward, NULL);
}

static void free_point(wal_ctx *ctx, point *p) {
  wal_release(ctx, &p->mass);
  wal_release(ctx, &p->policy);
  wal_release(ctx, &p->statistics);
  wal_release(ctx, &p->reward);
}

static void same_shape(const wal_game *a, const wal_game *b) {
  const wal_shape *x = &a->shape, *y = &b->shape;
#define SAME(name) assert_true(x->name == y->name)
  SAME(horizon);
  SAME(states);
  SAME(actions);
  SAME(outcomes);
  SAME(populations);
  SAME(post_states);
  SAME(noise_terms);
  SAME(group);
  SAME(statistic);
  SAME(settled);
  SAME(whole);
  SAME(state_reward);
  SAME(action_outcome);
  SAME(reads_policy);
  SAME(varies);
  SAME(contests);
  SAME(axes);
#undef SAME
  for (int i = 0; i < x->axes; i++) {
    assert_string_equal(x->axis[i].name, y->axis[i].name);
    assert_true(x->axis[i].size == y->axis[i].size && !x->axis[i].label == !y->axis[i].label);
  }
#define BOTH(name) assert_true(!a->type->name == !b->type->name)
  BOTH(noise);
  BOTH(row_length);
  BOTH(legal);
  BOTH(couple);
  BOTH(settle);
  BOTH(action_name);
  BOTH(contest);
  BOTH(quota);
  BOTH(stage_vjp);
  BOTH(couple_vjp);
  BOTH(settle_vjp);
  BOTH(flush_vjp);
  BOTH(parameters);
  BOTH(designed);
#undef BOTH
}

static void same_moves(wal_ctx *ctx, const wal_game *a, const wal_game *b) {
  const int64_t states = a->shape.states;
  int64_t *to[2] = {NULL, NULL};
  for (int i = 0; i < 2; i++)
    WAL_ASSERT_OK(ctx, wal_acquire(ctx, "test", states, sizeof **to, &to[i]));
  for (int k = 0; k < a->shape.outcomes; k++)
    for (int action = 0; action < a->shape.actions; action++) {
      a->type->move(a->self, 0, k, action, 0, states, to[0]);
      b->type->move(b->self, 0, k, action, 0, states, to[1]);
      assert_memory_equal(to[0], to[1], (size_t)states * sizeof **to);
    }
  for (int i = 0; i < 2; i++) wal_release(ctx, &to[i]);
}

/* Rewards as stated, and the report's count of what was clipped. */
static void check_map(wal_ctx *ctx, const wal_game *game, const point *alone, double low,
                      double high) {
  const int64_t states = game->shape.states;
  const wal_slab slab = {0, 0, states, states};
  point inside;
  double below = 0, above = 0, sums[2] = {0, 0}, column[2];
  find_point(ctx, game, &inside);
  for (int64_t i = 0; i < states * game->shape.actions; i++) {
    const double x = alone->reward[i], weight = alone->mass[i % states] * alone->policy[i];
    WAL_ASSERT_WITHIN(inside.reward[i], fmin(fmax((x - low) / (high - low), 0), 1), 1e-15);
    below += x < low ? weight : 0;
    above += x > high ? weight : 0;
  }
  game->type->measure(game->self, &slab, inside.mass, inside.policy, inside.statistics, sums);
  game->type->conclude(game->self, 0, inside.statistics, sums, column);
  WAL_ASSERT_WITHIN(column[0], below, 1e-12);
  WAL_ASSERT_WITHIN(column[1], above, 1e-12);
  free_point(ctx, &inside);
}

/* The pullback of the map by hand, then that of the game alone. */
static void check_chain(wal_ctx *ctx, const wal_game *alone, const wal_game *inside, const point *p,
                        double low, double high) {
  const wal_shape *shape = &alone->shape;
  const int64_t states = shape->states, pairs = states * shape->actions;
  const int64_t rewards = shape->state_reward ? states : pairs,
                numbers = wal_game_statistics(alone);
  const wal_slab slab = {0, 0, states, states};
  double *bar = random_room(ctx, rewards, 3), *pulled = room(ctx, rewards);
  double *x[2] = {room(ctx, states + pairs + numbers), room(ctx, states + pairs + numbers)};
  for (int64_t i = 0; i < rewards; i++)
    pulled[i] = p->reward[i] > low && p->reward[i] < high ? bar[i] / (high - low) : 0;
  for (int k = 0; k < 2; k++) {
    const wal_game *game = k ? inside : alone;
    game->type->stage_vjp(game->self, &slab, p->mass, p->policy, p->statistics, k ? bar : pulled,
                          NULL, x[k], x[k] + states, x[k] + states + pairs);
  }
  for (int64_t i = 0; i < states + pairs + numbers; i++)
    WAL_ASSERT_WITHIN(x[0][i], x[1][i], 1e-13 * fmax(1, fabs(x[0][i])));
  for (int k = 0; k < 2; k++) wal_release(ctx, &x[k]);
  wal_release(ctx, &bar);
  wal_release(ctx, &pulled);
}

/** A quarter of the range of rewards is clipped at either end. */
static void check_operations(const char *name, int setting) {
  wal_ctx *ctx = wal_test_ctx(SEED);
  wal_test_game alone, inside;
  point p;
  WAL_ASSERT_OK(ctx, settings_create(ctx, name, setting, &alone));
  find_point(ctx, &alone.game, &p);
  double least = HUGE_VAL, most = -HUGE_VAL;
  for (int64_t i = 0; i < alone.game.shape.states * alone.game.shape.actions; i++) {
    least = fmin(least, p.reward[i]);
    most = fmax(most, p.reward[i]);
  }
  const double width = most > least ? most - least : 1;
  const double low = least + width / 4, high = least + 3 * width / 4;
  enclose(ctx, name, setting, low, high, &inside);
  same_shape(&alone.game, &inside.game);
  same_moves(ctx, &alone.game, &inside.game);
  check_map(ctx, &inside.game, &p, low, high);
  if (alone.game.type->stage_vjp) check_chain(ctx, &alone.game, &inside.game, &p, low, high);
  free_point(ctx, &p);
  wal_test_game_destroy(ctx, &alone);
  wal_test_game_destroy(ctx, &inside);
  wal_ctx_destroy(&ctx);
}

static void it_is_the_game_inside_with_its_rewards_mapped(void **state) {
  (void)state;
  each_game(check_operations);
}

/* Learners side by side. */

typedef struct work {
  wal_params *rule;
  wal_space *space;
  wal_learner *learner;
} work;

static void begin(wal_ctx *ctx, const wal_game *game, const char *learner, double rate, work *w) {
  const wal_learner_type *type = wal_learner_find(learner);
  wal_node *rule = wal_test_component(learner);
  if (rate > 0) wal_test_set_number(rule, "rate", rate);
  WAL_ASSERT_OK(ctx, wal_params_resolve(ctx, "test.lua", &type->component, rule, NULL, &w->rule));
  wal_node_destroy(rule);
  WAL_ASSERT_OK(ctx, wal_space_create(ctx, game, NULL, &w->space));
  WAL_ASSERT_OK(ctx, wal_learner_create(w->space, type, w->rule, &w->learner));
}

static void end(work *w) {
  wal_learner_destroy(&w->learner);
  wal_space_destroy(&w->space);
  wal_params_destroy(&w->rule);
}

static void check_unclipped(wal_ctx *ctx, const work *w) {
  wal_report report;
  WAL_ASSERT_OK(ctx, wal_report_create(w->space, &w->learner->flow, &w->learner->policy, &report));
  for (int i = 0; i < 2 * report.stages; i++) WAL_ASSERT_SAME(report.values[i], 0);
  wal_report_free(ctx, &report);
}

/** With its rate times the width the step on logits is the same. What rounding of r leaves of x is
 *  1e-16 widths. */
static void check_exploitability(const char *name, int setting) {
  // its places are rounded, by default about a mean that is 0 but for rounding: which way is chance
  if (strcmp(name, "linear_quadratic") == 0 && setting == 0) return;
  static const double LOW = -12000, HIGH = 4384;
  wal_ctx *ctx = wal_test_ctx(SEED);
  wal_test_game alone, inside;
  work w[2];
  WAL_ASSERT_OK(ctx, settings_create(ctx, name, setting, &alone));
  enclose(ctx, name, setting, LOW, HIGH, &inside);
  begin(ctx, &alone.game, "mirror_descent", 0.1, &w[0]);
  begin(ctx, &inside.game, "mirror_descent", 0.1 * (HIGH - LOW), &w[1]);
  for (int k = 0; k <= STEPS; k++) {
    wal_measure m[2];
    for (int i = 0; i < 2; i++) {
      memset(&m[i], 0, sizeof m[i]);
      WAL_ASSERT_OK(ctx, wal_learner_sweep(w[i].learner, true, k < STEPS, &m[i]));
    }
    const double shift = LOW * alone.game.shape.horizon * alone.game.shape.populations;
    const double scale = 1e-8 * fmax(1, fabs(m[0].value));
    WAL_ASSERT_WITHIN((HIGH - LOW) * m[1].exploitability, m[0].exploitability, scale);
    WAL_ASSERT_WITHIN((HIGH - LOW) * m[1].value + shift, m[0].value, scale);
    check_unclipped(ctx, &w[1]);
  }
  for (int i = 0; i < 2; i++) end(&w[i]);
  wal_test_game_destroy(ctx, &alone);
  wal_test_game_destroy(ctx, &inside);
  wal_ctx_destroy(&ctx);
}

static void exploitability_is_divided_by_the_width(void **state) {
  (void)state;
  each_game(check_exploitability);
}

/* Tolls: that of the game inside is mapped with its rewards, that of bounded is taken from r. */
static void tolls_inside_are_mapped_and_tolls_outside_are_not(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(SEED);
  static const char TEXT[] =
      "return bounded { low = -4, high = 0, toll = toll { max = 0.5 },\n"
      "  game = left_right { toll = toll { on = 'state_action', max = 2 } } }";
  const double mass[3] = {0, 0.75, 0.25}, policy[6] = {0.5, 0.5, 0.5, 0.5, 0.5, 0.5};
  const wal_slab slab = {1, 0, 3, 3};
  double reward[6];
  wal_test_game made;
  WAL_ASSERT_OK(ctx, wal_test_game_script(ctx, TEXT, &made));
  assert_false(made.game.shape.state_reward);
  wal_game_stage(&made.game, &slab, mass, policy, NULL, reward, NULL);
  // x = -mu or -2 mu, less half of 2; r = (x + 4) / 4, less half of 0.5
  static const double EXPECTED[3] = {0.75 - 0.25, 2.25 / 4 - 0.25, 2.5 / 4 - 0.25};
  for (int i = 0; i < 6; i++) WAL_ASSERT_WITHIN(reward[i], EXPECTED[i % 3], 1e-15);
  wal_parameters offered;
  wal_game_parameters(&made.game, &offered);
  assert_int_equal(offered.count, 3);
  wal_test_game_destroy(ctx, &made);
  wal_ctx_destroy(&ctx);
}

/* What goes wrong in a function of the game inside is told as if it stood alone. */
static void failures_inside_come_out(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(SEED);
  static const char TEXT[] =
      "return bounded { low = 0, high = 1, game = custom { states = 3, actions = 2, horizon = 2,\n"
      "  initial = { 1, 0, 0 }, moves = function(h, s, a) return a end,\n"
      "  reward = function(h, s, a, mass)\n"
      "    return mass[1] > 0.4 and mass[2] == 0 and 'much' or 0 end } }";
  wal_test_game made;
  work w;
  wal_measure m;
  WAL_ASSERT_OK(ctx, wal_test_game_script(ctx, TEXT, &made));
  assert_null(made.game.type->stage_vjp);
  begin(ctx, &made.game, "mirror_descent", 0, &w);
  WAL_ASSERT_STATUS(ctx, WAL_EINPUT, wal_learner_sweep(w.learner, true, true, &m));
  WAL_ASSERT_CONTAINS(wal_ctx_error(ctx), "custom: reward");
  end(&w);
  wal_test_game_destroy(ctx, &made);
  wal_ctx_destroy(&ctx);
}

static void refuse(const char *text, const char *error) {
  wal_ctx *ctx = wal_test_ctx(SEED);
  wal_test_game made;
  WAL_ASSERT_STATUS(ctx, WAL_EINPUT, wal_test_game_script(ctx, text, &made));
  WAL_ASSERT_CONTAINS(wal_ctx_error(ctx), error);
  wal_ctx_destroy(&ctx);
}

static void misfits_are_refused(void **state) {
  (void)state;
  refuse("return bounded { low = 0, high = 1 }", "test.lua:1: bounded: game: ");
  refuse("return bounded { game = left_right{}, high = 1 }", "test.lua:1: bounded: low: ");
  refuse("return bounded {\n game = left_right{}, low = 2, high = 2 }",
         "bounded: high: expected more than low, 2, got 2");
  refuse("return bounded { low = 0, high = 1,\n game = beach_bar { bar = 9 } }",
         "test.lua:2: beach_bar: bar: expected a place from 0 to 3, got 9");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(it_is_the_game_inside_with_its_rewards_mapped),
    cmocka_unit_test(exploitability_is_divided_by_the_width),
    cmocka_unit_test(tolls_inside_are_mapped_and_tolls_outside_are_not),
    cmocka_unit_test(failures_inside_come_out),
    cmocka_unit_test(misfits_are_refused),
};

WAL_TEST_MAIN(tests)
