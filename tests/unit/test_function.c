// SPDX-License-Identifier: GPL-3.0-or-later
/* Functions of a scenario that are called while a game runs: arguments, arrays, results, errors,
 * and how a resolved scenario keeps them. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "io/json.h"
#include "io/scenario.h"
#include "tests/support/harness.h"

static const wal_param GAME_PARAMS[] = {
    {.name = "reward", .type = WAL_FUNCTION, .required = true, .meaning = "what is paid"},
    {.name = "moves", .type = WAL_FUNCTION, .optional = true},
    {.name = "start", .type = WAL_ARRAY, .rank = 1, .optional = true},
    {.name = "states", .type = WAL_INTEGER, .number = 4, .low = 1, .high = 1000},
    {.name = NULL}};
static const wal_component GAME = {.name = "game", .kind = "game", .params = GAME_PARAMS};
static const wal_param SOLVE_PARAMS[] = {
    {.name = "play", .type = WAL_COMPONENT, .choices = "game", .required = true}, {.name = NULL}};
static const wal_component SOLVE = {.name = "solve", .kind = "task", .params = SOLVE_PARAMS};
static const wal_component *const ALL[] = {&GAME, &SOLVE};
static const wal_catalogue CATALOGUE = {.components = ALL, .count = 2};

WAL_TEST_CTX(1)

static const char *const ARGUMENTS[] = {"h", "s", "a"};
static const double NUMBERS[] = {0.5, 0.25, 0.125, 0.0625};

/* A scenario whose game has this reward. */
typedef struct script {
  wal_scenario *scenario;
  wal_params *params;
  const wal_function *reward;
  wal_call call;
} script;

static wal_status resolve(wal_scenario *scenario, wal_params **params) {
  const wal_node *root = wal_scenario_root(scenario);
  const wal_component *component = wal_catalogue_find(&CATALOGUE, root->text);
  return wal_params_resolve(ctx, wal_scenario_name(scenario), component, root, &CATALOGUE, params);
}

static void begin(script *s, const char *text) {
  memset(s, 0, sizeof *s);
  WAL_ASSERT_OK(ctx,
                wal_scenario_parse(ctx, "s.lua", text, strlen(text), &CATALOGUE, &s->scenario));
  WAL_ASSERT_OK(ctx, resolve(s->scenario, &s->params));
  s->reward = wal_params_function(s->params, "reward");
  assert_non_null(s->reward);
  assert_null(wal_params_function(s->params, "moves"));
  s->call = (wal_call){.owner = "game",
                       .name = "reward",
                       .argument_name = ARGUMENTS,
                       .expected = "a number",
                       .argument_count = 3,
                       .arguments = {0, 2, 1},
                       .array = NUMBERS,
                       .array_count = 4,
                       .least = 1,
                       .most = 1};
}

static void end(script *s) {
  wal_params_destroy(&s->params);
  wal_scenario_destroy(&s->scenario);
}

static void begin_body(script *s, const char *setup, const char *body) {
  char text[1024];
  snprintf(text, sizeof text, "%s\nreturn game { reward = function(h, s, a, x)\n%s\nend }", setup,
           body);
  begin(s, text);
}

static double gives(const char *body) {
  script s;
  begin_body(&s, "", body);
  WAL_ASSERT_OK(ctx, s.reward->invoke(ctx, s.reward, &s.call));
  assert_int_equal(s.call.count, 1);
  double result = s.call.results[0];
  end(&s);
  return result;
}

static void arguments_are_what_a_script_expects(void **state) {
  (void)state;
  assert_true(gives("return h + 10 * s + 100 * a") == 120);
  assert_true(gives("return s % 4 + s // 2") == 3);
  assert_true(gives("local t = { 7, 8, 9 } return t[s] + t[s + 1]") == 17);
  assert_true(gives("local t = { [0] = 1, [2] = 5 } return s == 2 and t[s] or t[0]") == 5);
  assert_true(gives("local n = 0 for i = 0, s do n = n + i end return n") == 3);
  assert_true(gives("return (s | 1) + (s << 1)") == 7);
  assert_true(gives("local t = { ['2,1'] = 9 } return t[s .. ',' .. a]") == 9);
  assert_true(gives("return math.type(h) == 'integer' and s / 4 == 0.5 and 1 or 0") == 1);
}

static void arrays_are_read_from_0(void **state) {
  (void)state;
  assert_true(gives("return x[0] + x[3]") == 0.5625);
  assert_true(gives("return x[s]") == 0.125 && gives("return x[s // 1 | 0]") == 0.125);
  assert_true(gives("return #x") == 4);
  assert_true(gives("local n = 0 for i = 0, #x - 1 do n = n + x[i] end return n") == 0.9375);
  assert_true(gives("return tostring(x) == 'array of 4 numbers' and type(x) == 'userdata' and "
                    "getmetatable(x) == false and 1 or 0") == 1);
  assert_true(gives("return pcall(function() return x[9] end) and 1 or 2") == 2);
}

static void refused(const char *setup, const char *body, const char *error) {
  script s;
  begin_body(&s, setup, body);
  WAL_ASSERT_STATUS(ctx, WAL_EINPUT, s.reward->invoke(ctx, s.reward, &s.call));
  assert_string_equal(wal_ctx_error(ctx), error);
  // the script goes on as if nothing had happened
  WAL_ASSERT_STATUS(ctx, WAL_EINPUT, s.reward->invoke(ctx, s.reward, &s.call));
  end(&s);
}

static void misuse_of_arrays_is_refused(void **state) {
  (void)state;
  static const char *const CASES[][2] = {
      {"return x[4]", "expected an index from 0 to 3, got 4"},
      {"return x[-1]", "expected an index from 0 to 3, got -1"},
      {"return x[0.5]", "expected an index from 0 to 3, got 0.5"},
      {"return x[0/0]", "expected an index from 0 to 3, got nan"},
      {"return x[1e300]", "expected an index from 0 to 3, got 1e+300"},
      {"return x['1']", "expected an index from 0 to 3, got \"1\""},
      {"return x.total", "expected an index from 0 to 3, got \"total\""},
      {"return x[nil]", "expected an index from 0 to 3, got nil"},
      {"x[0] = 1 return 1", "an array that a function is given cannot be changed"},
  };
  for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
    char error[256];
    snprintf(error, sizeof error, "s.lua:3: game: reward(h=0, s=2, a=1): %s", CASES[i][1]);
    refused("", CASES[i][0], error);
  }
}

static void arrays_do_not_outlive_their_call(void **state) {
  (void)state;
  static const char SETUP[] = "local kept";
  static const char BODY[] = "if s == 2 then kept = x end return kept[0]";
  static const double OTHERS[] = {7, 8};
  script s;
  begin_body(&s, SETUP, BODY);
  WAL_ASSERT_OK(ctx, s.reward->invoke(ctx, s.reward, &s.call));
  assert_true(s.call.results[0] == 0.5);
  s.call.arguments[1] = 3;
  WAL_ASSERT_OK(ctx, s.reward->invoke(ctx, s.reward, &s.call));  // the same array is given again
  s.call.array = OTHERS;
  s.call.array_count = 2;
  for (int i = 0; i < 3; i++) {
    WAL_ASSERT_STATUS(ctx, WAL_EINPUT, s.reward->invoke(ctx, s.reward, &s.call));
    assert_string_equal(wal_ctx_error(ctx),
                        "s.lua:3: game: reward(h=0, s=3, a=1): an array can be read only while the "
                        "function that it was given to runs");
    s.reward->release(s.reward);
  }
  s.call.arguments[1] = 2;
  WAL_ASSERT_OK(ctx, s.reward->invoke(ctx, s.reward, &s.call));
  assert_true(s.call.results[0] == 7);
  s.reward->release(s.reward);
  s.reward->release(s.reward);
  s.call.array = NULL;
  s.call.arguments[1] = 1;
  WAL_ASSERT_STATUS(ctx, WAL_EINPUT, s.reward->invoke(ctx, s.reward, &s.call));
  end(&s);
}

static void wrong_numbers_are_refused(void **state) {
  (void)state;
  static const char *const CASES[][2] = {
      {"", "expected a number, got nothing"},
      {"return nil", "expected a number, got nil"},
      {"return 1, 2", "expected a number, got 2 values"},
      {"return '1'", "expected a number, got \"1\""},
      {"return { 1 }", "expected a number, got a table"},
      {"return true", "expected a number, got true"},
      {"return x", "expected a number, got an array"},
      {"return function() end", "expected a number, got a function"},
      {"return game", "expected a number, got game without its table"},
  };
  for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
    char error[256];
    snprintf(error, sizeof error, "s.lua:2: game: reward(h=0, s=2, a=1): %s", CASES[i][1]);
    refused("", CASES[i][0], error);
  }
  refused("", "return s.x.y",
          "s.lua:3: game: reward(h=0, s=2, a=1): attempt to index a number value (local 's')");
  refused("", "error('so not')", "s.lua:3: game: reward(h=0, s=2, a=1): so not");
  refused("", "error({})",
          "s.lua: game: reward(h=0, s=2, a=1): an error was raised with a table, not with a text");
}

static void several_numbers(void **state) {
  (void)state;
  static const char *const BODIES[] = {"return s, x[0], 0/0", "return { s, x[0], 0/0 }"};
  for (int i = 0; i < 2; i++) {
    script s;
    begin_body(&s, "", BODIES[i]);
    s.call.most = 8;
    WAL_ASSERT_OK(ctx, s.reward->invoke(ctx, s.reward, &s.call));
    assert_int_equal(s.call.count, 3);
    assert_true(s.call.results[0] == 2 && s.call.results[1] == 0.5 && isnan(s.call.results[2]));
    s.call.most = 2;
    s.call.expected = "1 or 2 numbers";
    WAL_ASSERT_STATUS(ctx, WAL_EINPUT, s.reward->invoke(ctx, s.reward, &s.call));
    WAL_ASSERT_CONTAINS(wal_ctx_error(ctx), i == 0 ? "expected 1 or 2 numbers, got 3 values"
                                                   : "expected 1 or 2 numbers, got a list of 3");
    s.call.least = s.call.most = 3;
    WAL_ASSERT_OK(ctx, s.reward->invoke(ctx, s.reward, &s.call));
    end(&s);
  }
}

static void begin_rows(script *s, const char *body) {
  begin_body(s, "", body);
  s->call.row = 2;
  s->call.alone = true;
  s->call.most = 100;
  s->call.expected = "a list of {target, probability}";
}

static void rows(void **state) {
  (void)state;
  script s;
  begin_rows(&s, "local t = {} for i = 1, 50 do t[i] = { i, i / 8 } end return t");
  WAL_ASSERT_OK(ctx, s.reward->invoke(ctx, s.reward, &s.call));
  assert_int_equal(s.call.count, 50);
  for (int i = 0; i < 50; i++)
    assert_true(s.call.results[2 * i] == i + 1 && s.call.results[2 * i + 1] == (i + 1) / 8.0);
  end(&s);
  begin_rows(&s, "return s + 1");
  WAL_ASSERT_OK(ctx, s.reward->invoke(ctx, s.reward, &s.call));
  assert_true(s.call.count == 0 && s.call.results[0] == 3);
  end(&s);
  static const char *const CASES[][2] = {
      {"", "nothing"},
      {"return", "nothing"},
      {"return 1, 1", "2 values"},
      {"return {}", "an empty list"},
      {"return { target = 1 }", "an empty list"},
      {"return { 1, 1 }", "1 as element 1"},
      {"return { { 1, 1 }, { 1 } }", "a list of 1 as element 2"},
      {"return { { 1, 1, 1 } }", "a list of 3 as element 1"},
      {"return { { 1, '1' } }", "\"1\" inside as element 1"},
      {"return { { 1, 1 }, nil, { 2, 1 } }", "nil as element 2"},
      {"return 'home'", "\"home\""},
  };
  for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
    char error[256];
    begin_rows(&s, CASES[i][0]);
    WAL_ASSERT_STATUS(ctx, WAL_EINPUT, s.reward->invoke(ctx, s.reward, &s.call));
    snprintf(error, sizeof error,
             "s.lua:2: game: reward(h=0, s=2, a=1): expected a list of {target, probability}, got "
             "%s",
             CASES[i][1]);
    assert_string_equal(wal_ctx_error(ctx), error);
    end(&s);
  }
}

/* The limits hold for each call, and one that is stopped leaves the others alone. */
static void endless_calls_are_stopped(void **state) {
  (void)state;
  script s;
  begin_body(&s, "local text = string.rep('x', 2^18)",
             "while s == 2 do local t = text .. text end return 5");
  WAL_ASSERT_STATUS(ctx, WAL_EINPUT, s.reward->invoke(ctx, s.reward, &s.call));
  WAL_ASSERT_CONTAINS(wal_ctx_error(ctx), "s.lua: game: reward(h=0, s=2, a=1): stopped after");
  s.call.arguments[1] = 3;
  for (int i = 0; i < 100000; i++) WAL_ASSERT_OK(ctx, s.reward->invoke(ctx, s.reward, &s.call));
  assert_true(s.call.results[0] == 5);
  end(&s);
}

// ---- Resolved scenarios -----------------------------------------------------------------------

static const char TASK[] =
    "#!/usr/bin/env walras\n"
    "local pay = 3 -- \"paid\"\n"
    "return solve { play = game {\n"
    "  start = function(i) return i / 2 end,\n"
    "  reward = function(h, s, a) return pay * s end } }\n";

static const char RESOLVED[] =
    "{\n"
    "  \"solve\": {\n"
    "    \"play\": {\n"
    "      \"game\": {\n"
    "        \"reward\": {\"function\": \"play.reward\"},\n"
    "        \"start\": [0, 0.5, 1],\n"
    "        \"states\": 4\n"
    "      }\n"
    "    }\n"
    "  },\n"
    "  \"script\": \"#!/usr/bin/env walras\\nlocal pay = 3 -- \\\"paid\\\"\\nreturn solve { play = "
    "game {\\n  start = function(i) return i / 2 end,\\n  reward = function(h, s, a) return pay * "
    "s end } }\\n\"\n"
    "}";

static wal_scenario *parsed(const char *name, const char *text) {
  wal_scenario *scenario = NULL;
  WAL_ASSERT_OK(ctx, wal_scenario_parse(ctx, name, text, strlen(text), &CATALOGUE, &scenario));
  return scenario;
}

static void resolved_is(const char *name, const char *text, const char *expected) {
  wal_scenario *scenario = parsed(name, text);
  wal_params *params = NULL;
  const double *start = NULL;
  wal_text json = {0};
  WAL_ASSERT_OK(ctx, resolve(scenario, &params));
  wal_params *game = wal_params_child(params, "play");
  WAL_ASSERT_OK(ctx, wal_params_array(ctx, game, "start", 3, 0, 0, &start));
  wal_json_task(&json, params, wal_scenario_script(scenario));
  assert_string_equal(json.bytes, expected);
  const wal_function *reward = wal_params_function(game, "reward");
  wal_call call = {.owner = "game",
                   .name = "reward",
                   .argument_name = ARGUMENTS,
                   .expected = "a number",
                   .argument_count = 3,
                   .arguments = {0, 2, 1},
                   .least = 1,
                   .most = 1};
  WAL_ASSERT_OK(ctx, reward->invoke(ctx, reward, &call));
  assert_true(call.results[0] == 6);
  wal_text_free(&json);
  wal_params_destroy(&params);
  wal_scenario_destroy(&scenario);
}

static void a_resolved_scenario_keeps_its_functions(void **state) {
  (void)state;
  resolved_is("s.lua", TASK, RESOLVED);
  resolved_is("s.json", RESOLVED, RESOLVED);
}

static void refused_json(const char *text, const char *error) {
  wal_scenario *scenario = NULL;
  wal_params *params = NULL;
  wal_status status = wal_scenario_parse(ctx, "s.json", text, strlen(text), &CATALOGUE, &scenario);
  if (status == WAL_OK) status = resolve(scenario, &params);
  assert_int_equal(status, WAL_EINPUT);
  assert_string_equal(wal_ctx_error(ctx), error);
  wal_scenario_destroy(&scenario);
}

static void damaged_scripts_are_refused(void **state) {
  (void)state;
  refused_json(
      "{\"solve\": {\"play\": {\"game\": {\"reward\": {\"function\": \"play.pay\"}}}}, "
      "\"script\": \"return solve { play = game { reward = function() end } }\"}",
      "s.json: its script has no function \"play.pay\"");
  refused_json(
      "{\"solve\": {\"play\": {\"game\": {\"reward\": {\"function\": \"play.states\"}}}}, "
      "\"script\": \"return solve { play = game { states = 3 } }\"}",
      "s.json: its script has no function \"play.states\"");
  refused_json(
      "{\"solve\": {\"play\": {\"game\": {\"reward\": {\"function\": \"play.reward\"}}}}, "
      "\"script\": \"return solve {\"}",
      "s.json:1: unexpected symbol near <eof>");
  refused_json("{\"solve\": {\"play\": {\"game\": {\"reward\": {\"function\": \"play.reward\"}}}}}",
               "s.json: game: reward: expected a function, got a table with names");
  refused_json("{\"solve\": {\"play\": {\"game\": {}}}}",
               "s.json: game: reward: expected a function, got nothing (what is paid)");
}

static void overrides_leave_functions_alone(void **state) {
  (void)state;
  static const char *const NAMES[] = {"s.lua", "s.json"};
  static const char *const TEXTS[] = {TASK, RESOLVED};
  for (int i = 0; i < 2; i++) {
    wal_scenario *scenario = parsed(NAMES[i], TEXTS[i]);
    wal_params *params = NULL;
    WAL_ASSERT_OK(ctx, wal_scenario_override(ctx, scenario, "play.states=7"));
    WAL_ASSERT_STATUS(ctx, WAL_EINPUT,
                      wal_scenario_override(ctx, scenario, "play.reward=function() return 1 end"));
    assert_string_equal(wal_ctx_error(ctx),
                        "-P play.reward: a function that is called while the game runs is set in "
                        "the scenario only");
    WAL_ASSERT_OK(ctx, resolve(scenario, &params));
    assert_int_equal(wal_params_integer(wal_params_child(params, "play"), "states"), 7);
    wal_params_destroy(&params);
    WAL_ASSERT_OK(
        ctx, wal_scenario_override(ctx, scenario, "play=game{reward=function() return 1 end}"));
    WAL_ASSERT_STATUS(ctx, WAL_EINPUT, resolve(scenario, &params));
    WAL_ASSERT_CONTAINS(wal_ctx_error(ctx),
                        "game: reward: expected a function written in the scenario, got one from "
                        "elsewhere (-P)");
    wal_scenario_destroy(&scenario);
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(arguments_are_what_a_script_expects),
    cmocka_unit_test(arrays_are_read_from_0),
    cmocka_unit_test(misuse_of_arrays_is_refused),
    cmocka_unit_test(arrays_do_not_outlive_their_call),
    cmocka_unit_test(wrong_numbers_are_refused),
    cmocka_unit_test(several_numbers),
    cmocka_unit_test(rows),
    cmocka_unit_test(endless_calls_are_stopped),
    cmocka_unit_test(a_resolved_scenario_keeps_its_functions),
    cmocka_unit_test(damaged_scripts_are_refused),
    cmocka_unit_test(overrides_leave_functions_alone),
};

int main(int argc, char **argv) {
  wal_test_begin(&argc, &argv);
  return wal_test_end(cmocka_run_group_tests(tests, open_ctx, close_ctx));
}
