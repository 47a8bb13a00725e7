// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdio.h>
#include <string.h>

#include "cli/catalogue.h"
#include "cli/sweep_columns.h"
#include "cli/sweep_execute.h"
#include "tests/support/harness.h"

WAL_TEST_CTX(1)

/* A scenario, its resolved sweep, and the runs. */
typedef struct swept {
  wal_scenario *scenario;
  wal_params *params;
  wal_sweep sweep;
} swept;

static wal_status open_sweep(const char *text, swept *s) {
  memset(s, 0, sizeof *s);
  WAL_TRY(wal_scenario_parse(ctx, "s.lua", text, strlen(text), wal_catalogue_all(), &s->scenario));
  const wal_node *root = wal_scenario_root(s->scenario);
  assert_string_equal(root->text, "sweep");
  WAL_TRY(wal_params_resolve(ctx, "s.lua", &wal_task_find("sweep")->component, root,
                             wal_catalogue_all(), &s->params));
  WAL_TRY(wal_sweep_open(ctx, s->params, &s->sweep));
  return wal_sweep_check(ctx, &s->sweep);
}

static void close_sweep(swept *s) {
  wal_params_destroy(&s->params);
  wal_scenario_destroy(&s->scenario);
}

static swept opened(const char *text) {
  swept s;
  WAL_ASSERT_OK(ctx, open_sweep(text, &s));
  return s;
}

static void refused(const char *text, const char *error) {
  swept s;
  WAL_ASSERT_STATUS(ctx, WAL_EINPUT, open_sweep(text, &s));
  assert_string_equal(wal_ctx_error(ctx), error);
  close_sweep(&s);
}

static wal_params *run_of(const swept *s, int64_t run) {
  const wal_task_type *type = NULL;
  wal_params *params = NULL;
  WAL_ASSERT_OK(ctx, wal_sweep_resolve(ctx, &s->sweep, run, &type, &params));
  assert_string_equal(type->component.name, "solve");
  return params;
}

// ---- Order and counts -------------------------------------------------------------------------

static void the_last_key_is_the_fastest_and_seeds_faster_still(void **state) {
  (void)state;
  swept s = opened(
      "return sweep { base = solve { game = beach_bar {}, seed = 7 }, seeds = 2,\n"
      "  vary = { ['learner.rate'] = {0.1, 1}, ['game.states'] = {10, 20, 30} } }");
  assert_int_equal(s.sweep.settings, 6);
  assert_int_equal(s.sweep.count, 12);
  for (int64_t run = 0; run < 12; run++) {
    wal_params *params = run_of(&s, run);
    const int64_t setting = run / 2;
    assert_int_equal(wal_params_integer(params, "seed"), 7 + run % 2);
    assert_int_equal(wal_params_integer(wal_params_child(params, "game"), "states"),
                     10 * (setting / 2 + 1));
    WAL_ASSERT_SAME(wal_params_real(wal_params_child(params, "learner"), "rate"),
                    setting % 2 ? 1.0 : 0.1);
    wal_params_destroy(&params);
  }
  close_sweep(&s);
}

static void a_component_is_set_before_what_is_in_it(void **state) {
  (void)state;
  swept s = opened(
      "return sweep { base = solve { game = beach_bar {} },\n"
      "  vary = { ['learner.rate'] = {0.25}, learner = {mirror_descent{}, boltzmann{}} } }");
  assert_int_equal(s.sweep.count, 2);
  wal_params *params = run_of(&s, 1);
  const wal_params *learner = wal_params_child(params, "learner");
  assert_string_equal(wal_params_component(learner)->name, "boltzmann");
  WAL_ASSERT_SAME(wal_params_real(learner, "rate"), 0.25);
  wal_params_destroy(&params);
  close_sweep(&s);
}

static void lists_and_functions_may_vary(void **state) {
  (void)state;
  swept s = opened(
      "return sweep { base = solve { game = beach_bar {} }, vary = { ['game.initial'] = {\n"
      "  {1, 0, 0, 0}, function(s) return s == 1 and 1 or 0 end } } }");
  for (int64_t run = 0; run < 2; run++) {
    wal_params *params = run_of(&s, run);
    const double *mass = NULL;
    WAL_ASSERT_OK(
        ctx, wal_params_distribution(ctx, wal_params_child(params, "game"), "initial", 4, &mass));
    for (int64_t i = 0; i < 4; i++) WAL_ASSERT_SAME(mass[i], i == run ? 1.0 : 0.0);
    wal_params_destroy(&params);
  }
  close_sweep(&s);
}

static void a_list_of_tasks_is_a_sweep(void **state) {
  (void)state;
  swept s = opened(
      "return { solve { game = beach_bar { states = 5 }, seed = 3 }, solve { game = left_right {} "
      "} }");
  assert_int_equal(s.sweep.count, 2);
  wal_params *params = run_of(&s, 1);
  assert_string_equal(wal_params_component(wal_params_child(params, "game"))->name, "left_right");
  wal_params_destroy(&params);
  params = run_of(&s, 0);
  assert_int_equal(wal_params_integer(params, "seed"), 3);
  wal_params_destroy(&params);
  close_sweep(&s);
}

static void seeds_begin_where_they_are_told_to(void **state) {
  (void)state;
  swept s = opened(
      "return sweep { seeds = 3, seed = 40, base = solve { game = beach_bar {}, seed = 7 } }");
  for (int64_t run = 0; run < 3; run++) {
    wal_params *params = run_of(&s, run);
    assert_int_equal(wal_params_integer(params, "seed"), 40 + run);
    wal_params_destroy(&params);
  }
  close_sweep(&s);
  s = opened(
      "return sweep { seeds = 2, base = solve { game = beach_bar {} }, vary = { seed = {10, 20} } "
      "}");
  const int64_t seeds[] = {10, 11, 20, 21};
  for (int64_t run = 0; run < 4; run++) {
    wal_params *params = run_of(&s, run);
    assert_int_equal(wal_params_integer(params, "seed"), seeds[run]);
    wal_params_destroy(&params);
  }
  close_sweep(&s);
}

// ---- Refused ----------------------------------------------------------------------------------

#define BASE "base = solve { game = beach_bar {} }"

static void a_million_runs_and_no_more(void **state) {
  (void)state;
  refused(
      "local t = {} for i = 1, 1000 do t[i] = i end\n"
      "return sweep { " BASE
      ", seeds = 2, vary = {\n"
      "  ['stop.iterations'] = t, ['learner.rate'] = t } }",
      "s.lua:2: sweep: expected at most 10^6 runs, got 2000000");
  refused(
      "local t, v = {}, {} for i = 1, 1000 do t[i] = i end\n"
      "for i = 1, 90 do v['stop.x' .. i] = t end\n"
      "return sweep { " BASE ", vary = v }",
      "s.lua:3: sweep: expected at most 10^6 runs, got 1e+270");
}

static void wrong_forms(void **state) {
  (void)state;
  refused(
      "return sweep { vary = {} }",
      "s.lua:1: sweep: base: expected either a base that varies or a list of runs, got neither");
  refused("return sweep { " BASE ", runs = { solve { game = beach_bar {} } } }",
          "s.lua:1: sweep: runs: expected either a base that varies or a list of runs, got both");
  refused("return sweep { runs = { solve { game = beach_bar {} } }, vary = { seed = {1} } }",
          "s.lua:1: sweep: vary: expected a base to vary, got a list of runs");
  refused("return sweep { base = beach_bar {} }",
          "s.lua:1: sweep: base: expected a task such as solve{...}, got beach_bar{...}");
  refused("return sweep { base = 5 }",
          "s.lua:1: sweep: base: expected a task such as solve{...}, got 5");
  refused("return sweep { base = sweep { " BASE " } }",
          "s.lua:1: sweep: base: expected a single task, got another sweep{...}");
  refused("return { sweep { " BASE " } }",
          "s.lua:1: sweep: runs[1]: expected a single task, got another sweep{...}");
  refused("return { solve { game = beach_bar {} }, 5 }",
          "s.lua:1: sweep: runs[2]: expected a task such as solve{...}, got 5");
  refused("return sweep { runs = 5 }", "s.lua:1: sweep: runs: expected a list of tasks, got 5");
  refused("return sweep { " BASE ", vary = 5 }",
          "s.lua:1: sweep: vary: expected a table of lists, as { [\"learner.rate\"] = {0.1, 1} }, "
          "got 5");
  refused("return sweep { " BASE ", vary = { ['learner.rate'] = {} } }",
          "s.lua:1: sweep: vary[\"learner.rate\"]: expected a list of values, got an empty list");
  refused("return sweep { " BASE ", vary = { ['learner.rate'] = 0.5 } }",
          "s.lua:1: sweep: vary[\"learner.rate\"]: expected a list of values, got 0.5");
  refused("return sweep { " BASE ", seeds = 0 }",
          "s.lua:1: sweep: seeds: expected a whole number in [1, 1000000], got 0");
}

static void wrong_paths(void **state) {
  (void)state;
  refused(
      "\nreturn sweep { " BASE ", vary = { ['gmae.states'] = {5} } }",
      "s.lua:2: sweep: vary[\"gmae.states\"]: nothing is named \"gmae\"; did you mean \"game\"?");
  refused("\nreturn sweep { " BASE ", vary = { ['game.sates'] = {5} } }",
          "s.lua:2: beach_bar: unknown parameter \"sates\"; did you mean \"states\"? (run 0: "
          "game.sates=5)");
  refused("\nreturn sweep { " BASE ", vary = { ['game..states'] = {5} } }",
          "s.lua:2: sweep: vary[\"game..states\"]: expected names with dots between them, as "
          "game.states");
}

static void the_first_wrong_run_is_named_with_its_values(void **state) {
  (void)state;
  refused("return sweep { " BASE
          ", seeds = 2,\n"
          "  vary = { ['learner.rate'] = {1, -1, -2}, ['game.states'] = {5, 6} } }",
          "s.lua:1: mirror_descent: rate: expected a number of at least 0, got -1 (run 2: "
          "game.states=5, learner.rate=-1)");
  // found when the game is made
  refused("return sweep { " BASE ", vary = { ['game.bar'] = {1, 9} } }",
          "s.lua:1: beach_bar: bar: expected a place from 0 to 3, got 9 (run 1: game.bar=9)");
}

// ---- Columns ----------------------------------------------------------------------------------

static void columns_of_varied_values(void **state) {
  (void)state;
  swept s = opened(
      "return sweep { base = solve { game = beach_bar {} }, seeds = 2, vary = {\n"
      "  ['game.states'] = {10, 20}, seed = {5},\n"
      "  learner = {mirror_descent{rate = 0.5}, fictitious_play{}} } }");
  wal_sweep_columns columns;
  WAL_ASSERT_OK(ctx, wal_sweep_columns_create(ctx, &s.sweep, &columns));
  assert_int_equal(columns.count, 2);
  assert_int_equal(columns.runs, 8);
  assert_string_equal(columns.list[0].path, "game.states");
  assert_string_equal(columns.list[0].name, "game_states");
  assert_null(columns.list[0].texts);
  WAL_ASSERT_SAME(columns.list[0].numbers[0], 10.0);
  WAL_ASSERT_SAME(columns.list[0].numbers[7], 20.0);
  assert_null(columns.list[1].numbers);
  assert_string_equal(columns.list[1].texts[1], "mirror_descent{rate=0.5}");
  assert_string_equal(columns.list[1].texts[2], "fictitious_play{}");
  wal_sweep_columns_free(ctx, &columns);
  close_sweep(&s);
}

static void columns_of_a_list_hold_resolved_values(void **state) {
  (void)state;
  swept s = opened(
      "return { solve { game = beach_bar { states = 5 } },\n"
      "  solve { game = beach_bar {}, learner = mirror_descent { rate = 0.5 }, seed = 4 },\n"
      "  solve { game = left_right {}, stop = { every = 1 } } }");
  wal_sweep_columns columns;
  WAL_ASSERT_OK(ctx, wal_sweep_columns_create(ctx, &s.sweep, &columns));
  static const char *const PATHS[] = {"game", "game.states", "learner", "learner.rate",
                                      "stop.every"};
  assert_int_equal(columns.count, 5);
  for (int i = 0; i < 5; i++) assert_string_equal(columns.list[i].path, PATHS[i]);
  assert_string_equal(columns.list[0].texts[2], "left_right");
  WAL_ASSERT_SAME(columns.list[1].numbers[0], 5.0);
  WAL_ASSERT_SAME(columns.list[1].numbers[1], 4.0);                       // the default
  assert_true(columns.list[1].numbers[2] != columns.list[1].numbers[2]);  // has none
  assert_string_equal(columns.list[2].texts[0], "mirror_descent");
  WAL_ASSERT_SAME(columns.list[3].numbers[1], 0.5);
  wal_sweep_columns_free(ctx, &columns);
  close_sweep(&s);
}

/* Whether two values of a Lua scenario are the same to a table of runs. */
static bool same(const char *a, const char *b) {
  char text[400];
  swept s;
  snprintf(text, sizeof text,
           "return sweep { base = solve { game = beach_bar { initial = {%s, %s} } } }", a, b);
  memset(&s, 0, sizeof s);
  WAL_ASSERT_OK(
      ctx, wal_scenario_parse(ctx, "s.lua", text, strlen(text), wal_catalogue_all(), &s.scenario));
  const wal_node *base = wal_node_field(wal_scenario_root(s.scenario), "base");
  const wal_node *list = wal_node_field(wal_node_field(base, "game"), "initial");
  assert_int_equal(list->count, 2);
  assert_int_equal(list->kind, WAL_NODE_ITEMS);
  const bool yes = wal_sweep_same_value(list->items[0], list->items[1]);
  close_sweep(&s);
  return yes;
}

static void values_are_compared_with_all_that_is_in_them(void **state) {
  (void)state;
  assert_true(same("{{a = 1, b = 2}}", "{{b = 2, a = 1}}"));
  assert_false(same("{{a = 1}}", "{{b = 1}}"));
  assert_false(same("{{a = 1}}", "{{a = 2}}"));
  assert_false(same("{{a = {c = 1}}}", "{{a = {d = 1}}}"));
  assert_false(same("{{a = 1}}", "{{a = 1, b = 1}}"));
  assert_true(same("{boltzmann {rate = 1}}", "{boltzmann {rate = 1}}"));
  assert_false(same("{boltzmann {rate = 1}}", "{boltzmann {rate = 2}}"));
  assert_false(same("{boltzmann {}}", "{mirror_descent {}}"));
  assert_true(same("{'x', true, {1, 2}}", "{'x', true, {1, 2}}"));
  assert_false(same("{'x', {1, 2}}", "{'x', {1, 3}}"));
  assert_false(same("{'x'}", "{'y'}"));
}

static void names_of_columns_are_their_own(void **state) {
  (void)state;
  swept s = opened(
      "return { solve { game = left_right {} }, solve { game = left_right {}, stop = { every = 2 } "
      "} }");
  wal_sweep_columns columns;
  WAL_ASSERT_OK(ctx, wal_sweep_columns_create(ctx, &s.sweep, &columns));
  assert_int_equal(columns.count, 1);
  assert_string_equal(columns.list[0].name, "stop_every");
  wal_sweep_columns_free(ctx, &columns);
  close_sweep(&s);
}

// ---- Groups -----------------------------------------------------------------------------------

static void groups_of_one_rank(void **state) {
  (void)state;
  int own = -1;
  assert_int_equal(wal_sweep_groups(ctx, 5, 0, &own), 1);
  assert_int_equal(own, 0);
  assert_int_equal(wal_sweep_groups(ctx, 5, 3, &own), 1);
}

int main(int argc, char **argv) {
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_last_key_is_the_fastest_and_seeds_faster_still),
      cmocka_unit_test(a_component_is_set_before_what_is_in_it),
      cmocka_unit_test(lists_and_functions_may_vary),
      cmocka_unit_test(a_list_of_tasks_is_a_sweep),
      cmocka_unit_test(seeds_begin_where_they_are_told_to),
      cmocka_unit_test(a_million_runs_and_no_more),
      cmocka_unit_test(wrong_forms),
      cmocka_unit_test(wrong_paths),
      cmocka_unit_test(the_first_wrong_run_is_named_with_its_values),
      cmocka_unit_test(columns_of_varied_values),
      cmocka_unit_test(columns_of_a_list_hold_resolved_values),
      cmocka_unit_test(values_are_compared_with_all_that_is_in_them),
      cmocka_unit_test(names_of_columns_are_their_own),
      cmocka_unit_test(groups_of_one_rank),
  };
  wal_test_begin(&argc, &argv);
  return wal_test_end(cmocka_run_group_tests(tests, open_ctx, close_ctx));
}
