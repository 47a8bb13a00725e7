// SPDX-License-Identifier: GPL-3.0-or-later
#define _POSIX_C_SOURCE 200809L  // mkfifo, clock_gettime

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "io/scenario.h"
#include "tests/support/harness.h"

static const wal_param STOP_PARAMS[] = {
    {.name = "iterations", .type = WAL_INTEGER, .low = 1, .high = HUGE_VAL, .number = 100},
    {.name = NULL}};
static const wal_component STOP = {.name = "stop", .kind = "record", .params = STOP_PARAMS};
static const wal_param DESCENT_PARAMS[] = {
    {.name = "rate", .type = WAL_REAL, .low = 0, .high = 1, .number = 0.5}, {.name = NULL}};
static const wal_component DESCENT = {
    .name = "mirror_descent", .kind = "learner", .params = DESCENT_PARAMS};
static const wal_component PLAY = {.name = "fictitious_play", .kind = "learner"};
static const wal_param BEACH_PARAMS[] = {
    {.name = "states", .type = WAL_INTEGER, .number = 4, .low = 1, .high = 1000},
    {.name = "label", .type = WAL_TEXT, .optional = true},
    {.name = "loud", .type = WAL_FLAG},
    {.name = "bar", .type = WAL_ARRAY, .rank = 1, .optional = true},
    {.name = "map", .type = WAL_ARRAY, .rank = 2, .columns = 2, .optional = true},
    {.name = NULL}};
static const wal_component BEACH = {.name = "beach_bar", .kind = "game", .params = BEACH_PARAMS};
static const wal_param SOLVE_PARAMS[] = {
    {.name = "game", .type = WAL_COMPONENT, .choices = "game", .optional = true},
    {.name = "learner", .type = WAL_COMPONENT, .choices = "learner", .text = "mirror_descent"},
    {.name = "stop", .type = WAL_RECORD, .record = &STOP},
    {.name = NULL}};
static const wal_component SOLVE = {.name = "solve", .kind = "task", .params = SOLVE_PARAMS};
static const wal_component *const ALL[] = {&BEACH, &PLAY, &DESCENT, &SOLVE};
static const wal_catalogue CATALOGUE = {.components = ALL, .count = 4};

WAL_TEST_CTX(1)

static wal_scenario *parsed(const char *text) {
  wal_scenario *scenario = NULL;
  WAL_ASSERT_OK(ctx, wal_scenario_parse(ctx, "s.lua", text, strlen(text), &CATALOGUE, &scenario));
  return scenario;
}

static void refused_bytes(const char *text, size_t length, const char *error) {
  wal_scenario *scenario = NULL;
  WAL_ASSERT_STATUS(ctx, WAL_EINPUT,
                    wal_scenario_parse(ctx, "s.lua", text, length, &CATALOGUE, &scenario));
  assert_null(scenario);
  assert_string_equal(wal_ctx_error(ctx), error);
}

static void refused(const char *text, const char *error) {
  refused_bytes(text, strlen(text), error);
}

static const wal_node *field(const wal_node *node, const char *name) {
  const wal_node *found = wal_node_field(node, name);
  assert_non_null(found);
  return found;
}

// The text that a scenario's expression gives.
static void gives(const char *setup, const char *expression, const char *expected) {
  char source[2000];
  snprintf(source, sizeof source, "%s\nreturn beach_bar { label = %s }", setup, expression);
  wal_scenario *scenario = parsed(source);
  assert_string_equal(field(wal_scenario_root(scenario), "label")->text, expected);
  wal_scenario_destroy(&scenario);
}

// ---- What a scenario gives --------------------------------------------------------------------

static void a_task_is_read(void **state) {
  (void)state;
  wal_scenario *scenario = parsed(
      "local n = 3\n"
      "return solve {\n"
      "  game = beach_bar {\n"
      "    states = n + 1, loud = true, label = 'sea', bar = { 1, 2.5, -3 },\n"
      "    map = { { 1, 2 }, { 3, 4 } } },\n"
      "  learner =\n"
      "    fictitious_play {},\n"
      "  stop = { iterations = 2^10 },\n"
      "  more = {}, mixed = { 'a', 1, false } }\n");
  const wal_node *root = wal_scenario_root(scenario);
  assert_int_equal(root->kind, WAL_NODE_COMPONENT);
  assert_string_equal(root->text, "solve");
  assert_int_equal(root->line, 2);
  const wal_node *game = field(root, "game");
  assert_int_equal(game->kind, WAL_NODE_COMPONENT);
  assert_string_equal(game->text, "beach_bar");
  assert_int_equal(game->line, 3);
  WAL_ASSERT_SAME(field(game, "states")->number, 4.0);
  assert_int_equal(field(game, "states")->line, 3);
  assert_true(field(game, "loud")->flag);
  assert_string_equal(field(game, "label")->text, "sea");
  assert_int_equal(field(game, "bar")->kind, WAL_NODE_NUMBERS);
  assert_int_equal(field(game, "bar")->count, 3);
  WAL_ASSERT_SAME(field(game, "bar")->numbers[2], -3.0);
  assert_int_equal(field(game, "map")->kind, WAL_NODE_ITEMS);
  WAL_ASSERT_SAME(field(game, "map")->items[1]->numbers[0], 3.0);
  assert_int_equal(field(root, "learner")->line, 7);
  assert_int_equal(field(root, "learner")->count, 0);
  assert_int_equal(field(root, "stop")->kind, WAL_NODE_FIELDS);
  WAL_ASSERT_SAME(field(field(root, "stop"), "iterations")->number, 1024.0);
  assert_int_equal(field(root, "more")->kind, WAL_NODE_NUMBERS);
  assert_int_equal(field(root, "more")->count, 0);
  assert_int_equal(field(root, "mixed")->kind, WAL_NODE_ITEMS);
  assert_string_equal(wal_scenario_name(scenario), "s.lua");
  assert_int_equal(strncmp(wal_scenario_source(scenario), "local n = 3\n", 12), 0);
  wal_scenario_destroy(&scenario);
  assert_null(scenario);
  wal_scenario_destroy(&scenario);
}

static void marks_and_line_ends_are_let_pass(void **state) {
  (void)state;
  static const char *const TEXTS[] = {
      "\xEF\xBB\xBFreturn\nbeach_bar{}",
      "local x = 1\r\nreturn beach_bar{}\r\n",
      "#!/usr/bin/env walras run\nreturn beach_bar{}",
      "\xEF\xBB\xBF#!walras\r\nreturn beach_bar{}",
      "-- caf\xE9\nreturn beach_bar{}",
  };
  for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
    wal_scenario *scenario = parsed(TEXTS[i]);
    assert_int_equal(wal_scenario_root(scenario)->line, 2);
    assert_string_equal(wal_scenario_source(scenario), TEXTS[i]);
    wal_scenario_destroy(&scenario);
  }
}

static void tables_are_copied_by_constructors(void **state) {
  (void)state;
  wal_scenario *scenario = parsed(
      "local common = { states = 1 }\n"
      "local first = beach_bar(common)\n"
      "common.states = 2\n"
      "return solve { game = first, other = beach_bar(common) }");
  const wal_node *root = wal_scenario_root(scenario);
  WAL_ASSERT_SAME(field(field(root, "game"), "states")->number, 1.0);
  WAL_ASSERT_SAME(field(field(root, "other"), "states")->number, 2.0);
  wal_scenario_destroy(&scenario);
}

static void results_other_than_one_task_are_refused(void **state) {
  (void)state;
  static const char START[] = "s.lua: expected one task, as return solve { ... }, got ";
  struct {
    const char *text, *got;
  } cases[] = {{"", "nothing"},
               {"\xEF\xBB\xBF", "nothing"},
               {"local x = 1", "nothing"},
               {"return 3", "3"},
               {"return 'solve'", "\"solve\""},
               {"return {}", "a table"},
               {"return nil", "nil"},
               {"return solve", "solve without its table"},
               {"return solve{}, solve{}", "2 values"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char error[200];
    snprintf(error, sizeof error, "%s%s", START, cases[i].got);
    refused(cases[i].text, error);
  }
}

static void constructors_take_one_table(void **state) {
  (void)state;
  refused("return\nbeach_bar()", "s.lua:2: beach_bar: expected one table, got nothing");
  refused("return beach_bar(3)", "s.lua:1: beach_bar: expected one table, got 3");
  refused("return beach_bar 'x'", "s.lua:1: beach_bar: expected one table, got \"x\"");
  refused("return beach_bar(solve{})", "s.lua:1: beach_bar: expected one table, got solve{...}");
  refused("return beach_bar({}, {})", "s.lua:1: beach_bar: expected one table, got 2 values");
  refused("return beach_bar { 7 }",
          "s.lua:1: beach_bar: expected names (name = value), got a value without one (7)");
}

static void values_that_fit_no_tree_are_refused(void **state) {
  (void)state;
  struct {
    const char *value, *error;
  } cases[] = {
      {"{ 1, 2, nil, 4 }", "game: expected a list without gaps, got one with nil between"},
      {"{ 1, x = 2 }", "game: expected either names or a list, got both"},
      {"{ [0] = 1 }", "game: expected names, or a list counted from 1, got the key 0"},
      {"{ a = { { b = { [true] = 1 } } } }",
       "game.a[1].b: expected names, or a list counted from 1, got the key true"},
      {"'\\xff'", "game: expected a text in UTF-8, got other bytes"},
      {"{ ['a\\0'] = 1 }", "game: expected names in UTF-8, got other bytes"},
      {"9007199254740993", "game: expected a whole number within 2^53 of 0, got a larger one"},
      {"beach_bar", "game: expected a value, got a constructor; write beach_bar{}"},
      {"itself", "game.t: expected a value, got a table that contains itself"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char text[300];
    char error[300];
    snprintf(text, sizeof text, "itself = {}; itself.t = itself\nreturn solve { game = %s }",
             cases[i].value);
    snprintf(error, sizeof error, "s.lua:2: %s", cases[i].error);
    refused(text, error);
  }
}

static void deep_and_vast_values_are_refused(void **state) {
  (void)state;
  wal_scenario *scenario =
      parsed("local t = { 1 } for i = 1, 60 do t = { t } end return solve { game = t }");
  wal_scenario_destroy(&scenario);
  wal_scenario *none = NULL;
  static const char DEEP[] =
      "local t = {} for i = 1, 70 do t = { t } end return solve { game = t }";
  static const char VAST[] =
      "local t = {} for i = 1, 1000 do t[i] = i end\n"
      "for i = 1, 40 do t = { t, t } end return solve { game = t }";
  static const char BRACKETS[] = "return solve { game = ";
  WAL_ASSERT_STATUS(ctx, WAL_EINPUT,
                    wal_scenario_parse(ctx, "s.lua", DEEP, sizeof DEEP - 1, &CATALOGUE, &none));
  WAL_ASSERT_CONTAINS(wal_ctx_error(ctx), "...: expected at most 64 levels of tables, got more");
  WAL_ASSERT_STATUS(ctx, WAL_EINPUT,
                    wal_scenario_parse(ctx, "s.lua", VAST, sizeof VAST - 1, &CATALOGUE, &none));
  WAL_ASSERT_CONTAINS(wal_ctx_error(ctx), "expected at most 10^7 values, got more");
  size_t depth = 1000000;
  char *text = malloc(depth + sizeof BRACKETS);
  assert_non_null(text);
  memcpy(text, BRACKETS, sizeof BRACKETS - 1);
  memset(text + sizeof BRACKETS - 1, '{', depth);
  WAL_ASSERT_STATUS(
      ctx, WAL_EINPUT,
      wal_scenario_parse(ctx, "s.lua", text, depth + sizeof BRACKETS - 1, &CATALOGUE, &none));
  assert_string_equal(wal_ctx_error(ctx), "s.lua: C stack overflow");
  free(text);
}

// ---- Errors in the text -----------------------------------------------------------------------

static void errors_name_file_and_line_once(void **state) {
  (void)state;
  struct {
    const char *text, *error;
  } cases[] = {
      {"\nx = = 3", "s.lua:2: unexpected symbol near '='"},
      {"\n\nerror('a\\nb')", "s.lua:3: a b"},
      {"error('a', 0)", "s.lua: a"},
      {"error({})", "s.lua: an error was raised with a table, not with a text"},
      {"local f = function()\n error('deep') end\nlocal ok, e = pcall(f)\nerror(e)",
       "s.lua:2: deep"},
      {"\nassert(1 > 2, 'must be')", "s.lua:2: must be"},
      {"assert(false)", "s.lua:1: assertion failed"},
      {"return solve { game = beach_baar {} }",
       "s.lua:1: unknown name \"beach_baar\"; did you mean \"beach_bar\"?"},
      {"\nlocal n = quite_another_thing", "s.lua:2: unknown name \"quite_another_thing\""},
      {"local speed = 1 speeed = speeed + 1 return speed", "s.lua:1: unknown name \"speeed\""},
      {"local function f() return 1 + f() end f()", "s.lua:1: stack overflow"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    wal_scenario *scenario = NULL;
    WAL_ASSERT_STATUS(ctx, WAL_EINPUT,
                      wal_scenario_parse(ctx, "s.lua", cases[i].text, strlen(cases[i].text),
                                         &CATALOGUE, &scenario));
    assert_string_equal(wal_ctx_error(ctx), cases[i].error);
  }
}

static void long_names_are_whole_in_errors(void **state) {
  (void)state;
  char name[200];
  char error[300];
  wal_scenario *scenario = NULL;
  memset(name, 'd', sizeof name);
  memcpy(name + sizeof name - 7, "/s.lua", 7);
  WAL_ASSERT_STATUS(ctx, WAL_EINPUT,
                    wal_scenario_parse(ctx, name, "x()", 3, &CATALOGUE, &scenario));
  snprintf(error, sizeof error, "%s:1: unknown name \"x\"", name);
  assert_string_equal(wal_ctx_error(ctx), error);
}

static void binaries_are_refused(void **state) {
  (void)state;
  refused_bytes("\x1BLua\x54\x00", 6, "s.lua:1: expected a text, got compiled Lua");
  refused_bytes("return 1 \0 x", 12, "s.lua:1: expected a text, got a binary file");
  wal_scenario *scenario = NULL;
  char bytes[256];
  for (int i = 0; i < 255; i++) bytes[i] = (char)(255 - i);
  WAL_ASSERT_STATUS(ctx, WAL_EINPUT,
                    wal_scenario_parse(ctx, "s.lua", bytes, 255, &CATALOGUE, &scenario));
  for (const char *c = wal_ctx_error(ctx); *c; c++) assert_true((unsigned char)*c >= 0x20U);
  size_t length = ((size_t)16 << 20) + 1;
  char *text = malloc(length);
  assert_non_null(text);
  memset(text, ' ', length);
  refused_bytes(text, length, "s.lua: expected at most 16 MiB, got 16.0");
  refused_bytes(text, length - 1, "s.lua: expected one task, as return solve { ... }, got nothing");
  free(text);
}

// ---- The sandbox ------------------------------------------------------------------------------

static void nothing_else_is_let_in(void **state) {
  (void)state;
  static const char *const NAMES[] = {"load",           "loadfile",  "loadstring", "dofile",
                                      "require",        "print",     "warn",       "next",
                                      "collectgarbage", "os",        "io",         "debug",
                                      "package",        "coroutine", "utf8",       "_VERSION"};
  for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
    char text[100];
    snprintf(text, sizeof text, "tostring(rawget(_G, '%s'))", NAMES[i]);
    gives("", text, "nil");
  }
  gives("", "tostring(math.random) .. tostring(math.randomseed)", "nilnil");
  gives("",
        "tostring(string.find or string.match or string.gmatch or string.gsub or string.dump or "
        "string.pack or ('').find)",
        "nil");
  // Ways around: the strings' metatable, that of the globals, that of components.
  gives("", "tostring(getmetatable(''))", "false");
  gives("", "tostring(getmetatable(_G)) .. tostring(getmetatable(solve{}))", "falsefalse");
  gives("", "tostring(pcall(setmetatable, _G, {}))", "false");
  gives("", "tostring(pcall(rawset, '', 'x', 1))", "false");
  gives("", "tostring(pcall(function() return (''):gsub('', '') end))", "false");
  gives("", "tostring(select('#', pcall(function() return solve{}.game end)))", "2");
}

static void addresses_are_hidden(void **state) {
  (void)state;
  gives("", "tostring({}) .. tostring(tostring) .. tostring(solve{})", "tablefunctionsolve{...}");
  gives("", "string.format('%s %d%% %5.1f %q', {}, 3, 2.25, 'x')", "table 3%   2.2 \"x\"");
  gives("", "tostring(pcall(string.format, '%p', {}))", "false");
  gives("", "tostring(pcall(string.format, '%%%-20p', {}))", "false");
  gives("", "string.format('%%p')", "%p");
  gives("local t = setmetatable({}, { __tostring = function() return 'own' end })",
        "tostring(t) .. string.format('%s', t)", "ownown");
}

static void pairs_walks_in_order(void **state) {
  (void)state;
  gives(
      "local t = { z = 1, a = 1, ['2'] = 1, [10] = 1, [9] = 1, [-1] = 1, [2.5] = 1, [true] = 1,\n"
      "  B = 1, aa = 1, [false] = 1, [1e300] = 1, [math.mininteger] = 1 }\n"
      "local s = ''\n"
      "for k in pairs(t) do s = s .. tostring(k) .. ' ' end",
      "s", "-9223372036854775808 -1 2.5 9 10 1e+300 2 B a aa z false true ");
  gives(
      "local t, s = { a = 1, b = 2, c = 3, d = 4 }, ''\n"
      "for k, v in pairs(t) do t[k] = v * 10; t.c = nil; s = s .. k .. v end",
      "s .. t.b", "a1b2d420");
  gives("", "tostring(pcall(pairs, { [{}] = 1 }))", "false");
  gives("local s = '' for i, v in ipairs { 'x', 'y' } do s = s .. i .. v end", "s", "1x2y");
}

static void sorting_is_stable(void **state) {
  (void)state;
  gives(
      "local t = {}\n"
      "for i = 1, 1000 do t[i] = { key = (i * 7919) % 13, at = i } end\n"
      "table.sort(t, function(a, b) return a.key < b.key end)\n"
      "local good = #t == 1000\n"
      "for i = 2, 1000 do local a, b = t[i - 1], t[i]\n"
      "  good = good and (a.key < b.key or a.key == b.key and a.at < b.at) end",
      "tostring(good)", "true");
  gives("local t = { 'b', 'c', 'a' } table.sort(t)", "table.concat(t)", "abc");
  gives("local t = {} table.sort(t)", "tostring(#t)", "0");
  gives("", "tostring(pcall(table.sort, { 1, 'x' }))", "false");
}

static void the_library_works(void **state) {
  (void)state;
  gives("local t = { 1, 2 } table.insert(t, 3) table.insert(t, 1, 0) table.remove(t, 2)",
        "table.concat(t, ',')", "0,2,3");
  gives("", "table.concat(table.move({ 1, 2, 3 }, 2, 3, 1), ',', 1, 2)", "2,3");
  gives("local a, b = table.unpack({ 4, 5, 6 }, 2, 3)", "a .. b .. table.pack(1, 2).n", "562");
  gives("", "('ab'):rep(3, '-') .. ('x'):rep(0) .. ('abc'):upper():sub(2, 3)", "ab-ab-abBC");
  gives("local ok, a, b = pcall(function(x) return x, 2 end, 1)", "tostring(ok) .. a .. b",
        "true12");
  gives(
      "local ok, e = xpcall(function(x) error(x) end, function(m) return '<' .. m .. '>' end, 'q')",
      "tostring(ok) .. e", "false<s.lua:1: q>");
  gives("local ok, a = xpcall(function(x) return x end, function() end, 5)", "tostring(ok) .. a",
        "true5");
  gives("", "tostring(select(2, pcall(error, { 1 }))[1]) .. type(assert(1, 2))", "1number");
  gives("", "tostring(math.floor(2.5) + math.tointeger(2.0)) .. math.type(1)", "4integer");
}

static double seconds(void) {
  struct timespec now = {0, 0};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void endless_loops_are_stopped(void **state) {
  (void)state;
  static const char *const TEXTS[] = {
      "\nwhile true do end",
      "\nwhile true do pcall(function() while true do end end) end",
      "\nxpcall(function() while true do end end, function() while true do end end)",
      "\ntable.move({}, 1, 2^53, 2)",
  };
  for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
    double start = seconds();
    refused(TEXTS[i], "s.lua:2: stopped after 10^9 steps; does a loop never end?");
    assert_true(seconds() - start < 60);
  }
  refused("while true do pcall(table.move, {}, 1, 2^53, 2) end",
          "s.lua: stopped after 10^9 steps; does a loop never end?");
}

static void memory_bombs_are_stopped(void **state) {
  (void)state;
  static const char MEMORY[] = "s.lua: more than 256 MiB of memory would be needed";
  static const char TEXT[] = "s.lua: a text longer than 1 MiB is not possible here";
  static const char REPEAT[] =
      "s.lua:1: string.rep: expected a result of at most 1 MiB, got a longer one";
  refused("local t = {} for i = 1, 1e9 do t[i] = i end", MEMORY);
  refused("while true do pcall(function() local t = {} for i = 1, 1e9 do t[i] = i end end) end",
          MEMORY);
  refused("local s = 'x' while true do s = s .. s end", TEXT);
  refused("while true do pcall(function() local s = 'x' while true do s = s .. s end end) end",
          TEXT);
  refused(
      "local s, t = ('x'):rep(1e6), {} for i = 1, 200 do t[i] = s end\n"
      "string.format(('%s'):rep(200), table.unpack(t))",
      TEXT);
  refused("return ('x'):rep(1e9)", REPEAT);
  refused("return ('x'):rep(2, ('y'):rep(1e6))", REPEAT);
  gives("local s = ''", "s:rep(2^53)", "");
  gives("", "tostring(#('x'):rep(1000000))", "1000000");
}

static void what_no_hook_can_stop_is_refused(void **state) {
  (void)state;
  refused("setmetatable({}, { __gc = function() while true do end end })",
          "s.lua:1: __gc is not possible here");
  refused("table.insert(setmetatable({}, { __len = function() return 2^53 end }), 1, 1)",
          "s.lua:1: a table with __len is not possible here");
  gives("local t = setmetatable({}, { __index = { a = 'found' } })", "t.a", "found");
}

// ---- Functions --------------------------------------------------------------------------------

static wal_params *resolved(const wal_scenario *scenario) {
  wal_params *params = NULL;
  WAL_ASSERT_OK(ctx, wal_params_resolve(ctx, "s.lua", &BEACH, wal_scenario_root(scenario),
                                        &CATALOGUE, &params));
  return params;
}

static void functions_become_tables(void **state) {
  (void)state;
  const double *numbers = NULL;
  wal_scenario *scenario = parsed(
      "local scale = 2\n"
      "return beach_bar { bar = function(i) return scale * i end,\n"
      "  map = function(i) if i % 2 == 0 then return i, 1 end return { i, -1 } end }");
  wal_params *params = resolved(scenario);
  WAL_ASSERT_OK(ctx, wal_params_array(ctx, params, "bar", 4, 0, 0, &numbers));
  WAL_ASSERT_ALL_NEAR(4, numbers, ((const double[]){0, 2, 4, 6}), 0);
  WAL_ASSERT_OK(ctx, wal_params_array(ctx, params, "map", 3, 2, 0, &numbers));
  WAL_ASSERT_ALL_NEAR(6, numbers, ((const double[]){0, 1, 1, -1, 2, 1}), 0);
  wal_params_destroy(&params);
  wal_scenario_destroy(&scenario);
}

static void wrong_functions_are_told(void **state) {
  (void)state;
  struct {
    const char *function, *error;
  } cases[] = {
      {"function(i) end", "s.lua:2: beach_bar: bar(0): expected 1 number, got nothing"},
      {"function(i) return 1, 2 end",
       "s.lua:2: beach_bar: bar(0): expected 1 number, got 2 values"},
      {"function(i) return i < 2 and i or 'x' end",
       "s.lua:2: beach_bar: bar(2): expected 1 number, got \"x\""},
      {"function(i) return {} end",
       "s.lua:2: beach_bar: bar(0): expected 1 number, got an empty list"},
      {"function(i)\n return i.x.y end",
       "s.lua:3: beach_bar: bar(0): attempt to index a number value (local 'i')"},
      {"function(i) while true do end end",
       "s.lua:2: beach_bar: bar(0): stopped after 10^9 steps; does a loop never end?"},
      {"function(i) return #('x'):rep(1e9) end",
       "s.lua:2: beach_bar: bar(0): string.rep: expected a result of at most 1 MiB, got a longer "
       "one"},
      {"function(i) return i / 0 end",
       "s.lua:2: beach_bar: bar: element 0 (counted from 0): expected a finite number, got nan"},
      {"function(i) local t = {} for k = 1, 1e9 do t[k] = k end end",
       "s.lua: beach_bar: bar(0): more than 256 MiB of memory would be needed"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char text[300];
    const double *numbers = NULL;
    snprintf(text, sizeof text, "return\nbeach_bar { bar = %s }", cases[i].function);
    wal_scenario *scenario = parsed(text);
    wal_params *params = resolved(scenario);
    WAL_ASSERT_STATUS(ctx, WAL_EINPUT, wal_params_array(ctx, params, "bar", 3, 0, 0, &numbers));
    assert_string_equal(wal_ctx_error(ctx), cases[i].error);
    wal_params_destroy(&params);
    wal_scenario_destroy(&scenario);
  }
}

// ---- Overrides --------------------------------------------------------------------------------

static const char PLAIN[] =
    "factor = 3\n"
    "return solve { game = beach_bar { states = 10, label = 'sea' } }";

static void overridden(wal_scenario *scenario, const char *assignment) {
  WAL_ASSERT_OK(ctx, wal_scenario_override(ctx, scenario, assignment));
}

static void overrides_set_values(void **state) {
  (void)state;
  wal_scenario *scenario = parsed(PLAIN);
  const wal_node *root = wal_scenario_root(scenario);
  overridden(scenario, "game.states=37");
  WAL_ASSERT_SAME(field(field(root, "game"), "states")->number, 37.0);
  overridden(scenario, "game.states = factor * 4 ");
  WAL_ASSERT_SAME(field(field(root, "game"), "states")->number, 12.0);
  overridden(scenario, "game.label=harbour");
  assert_string_equal(field(field(root, "game"), "label")->text, "harbour");
  overridden(scenario, "game.label='a=b'");
  assert_string_equal(field(field(root, "game"), "label")->text, "a=b");
  overridden(scenario, "game.loud=true");
  assert_true(field(field(root, "game"), "loud")->flag);
  overridden(scenario, "game.bar={1, 2}");
  assert_int_equal(field(field(root, "game"), "bar")->count, 2);
  overridden(scenario, "game.label=nil");
  assert_null(wal_node_field(field(root, "game"), "label"));
  overridden(scenario, "learner=fictitious_play");
  assert_int_equal(field(root, "learner")->kind, WAL_NODE_COMPONENT);
  overridden(scenario, "learner=mirror_descent{rate=0.1}");
  WAL_ASSERT_SAME(field(field(root, "learner"), "rate")->number, 0.1);
  assert_int_equal(field(root, "learner")->line, 0);
  overridden(scenario, "stop.iterations=5");  // an omitted record
  WAL_ASSERT_SAME(field(field(root, "stop"), "iterations")->number, 5.0);
  overridden(scenario, "learner=nil");
  overridden(scenario, "learner.rate=0.25");  // an omitted component with a default
  assert_string_equal(field(root, "learner")->text, "mirror_descent");
  overridden(scenario, "game.bar=function(i) return factor * i end");
  wal_params *params = NULL;
  const double *numbers = NULL;
  WAL_ASSERT_OK(ctx, wal_params_resolve(ctx, "s.lua", &SOLVE, root, &CATALOGUE, &params));
  WAL_ASSERT_OK(ctx,
                wal_params_array(ctx, wal_params_child(params, "game"), "bar", 2, 0, 0, &numbers));
  WAL_ASSERT_SAME(numbers[1], 3.0);
  WAL_ASSERT_SAME(wal_params_real(wal_params_child(params, "learner"), "rate"), 0.25);
  wal_params_destroy(&params);
  wal_scenario_destroy(&scenario);
}

static void overrides_work_on_json(void **state) {
  (void)state;
  static const char TEXT[] = "{\"solve\": {\"game\": {\"beach_bar\": {}}, \"stop\": {}}}";
  wal_scenario *scenario = NULL;
  WAL_ASSERT_OK(ctx,
                wal_scenario_parse(ctx, "s.json", TEXT, sizeof TEXT - 1, &CATALOGUE, &scenario));
  overridden(scenario, "game.states=2 * 3");
  overridden(scenario, "stop.iterations=7");
  const wal_node *root = wal_scenario_root(scenario);
  WAL_ASSERT_SAME(field(field(root, "game"), "states")->number, 6.0);
  WAL_ASSERT_SAME(field(field(root, "stop"), "iterations")->number, 7.0);
  wal_scenario_destroy(&scenario);
}

static void wrong_overrides_are_told(void **state) {
  (void)state;
  struct {
    const char *assignment, *error;
    wal_status status;
  } cases[] = {
      {"game.states", "-P: expected path=value, as game.states=37, got \"game.states\"",
       WAL_EUSAGE},
      {"=3", "-P : expected names with dots between them, as game.states", WAL_EUSAGE},
      {"game..states=3", "-P game..states: expected names with dots between them, as game.states",
       WAL_EUSAGE},
      {"game.states=", "-P game.states: expected one value, got nothing", WAL_EINPUT},
      {"game.states=1, 2", "-P game.states: expected one value, got 2 values", WAL_EINPUT},
      {"game.states=1 +", "-P game.states: unexpected symbol near <eof>", WAL_EINPUT},
      {"game.states=facter * 2",
       "-P game.states: unknown name \"facter\"; did you mean \"factor\"?", WAL_EINPUT},
      {"game.states={1, x = 2}", "-P game.states: expected either names or a list, got both",
       WAL_EINPUT},
      {"gane.states=3", "-P gane.states: nothing is named \"gane\"; did you mean \"game\"?",
       WAL_EINPUT},
      {"something.states=3", "-P something.states: nothing is named \"something\"; there is game",
       WAL_EINPUT},
      {"game.states.x=3", "-P game.states.x: expected a table as \"states\", got 10", WAL_EINPUT},
      {"game.states=(function() while true do end end)()",
       "-P game.states: stopped after 10^9 steps; does a loop never end?", WAL_EINPUT},
  };
  wal_scenario *scenario = parsed(PLAIN);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    WAL_ASSERT_STATUS(ctx, cases[i].status,
                      wal_scenario_override(ctx, scenario, cases[i].assignment));
    assert_string_equal(wal_ctx_error(ctx), cases[i].error);
  }
  WAL_ASSERT_SAME(field(field(wal_scenario_root(scenario), "game"), "states")->number, 10.0);
  wal_scenario_destroy(&scenario);
}

// ---- Files ------------------------------------------------------------------------------------

static void write_file(const char *path, const char *text) {
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
  assert_int_equal(fclose(file), 0);
}

static void not_found(const char *path, const char *error) {
  wal_scenario *scenario = NULL;
  WAL_ASSERT_STATUS(ctx, WAL_ENOTFOUND, wal_scenario_load(ctx, path, &CATALOGUE, &scenario));
  assert_null(scenario);
  assert_string_equal(wal_ctx_error(ctx), error);
}

static void files_are_loaded(void **state) {
  (void)state;
  char folder[] = "/tmp/walras_scenario_XXXXXX";
  char path[100];
  wal_scenario *scenario = NULL;
  assert_non_null(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/s.lua", folder);
  write_file(path, PLAIN);
  WAL_ASSERT_OK(ctx, wal_scenario_load(ctx, path, &CATALOGUE, &scenario));
  assert_string_equal(wal_scenario_source(scenario), PLAIN);
  assert_string_equal(wal_scenario_name(scenario), path);
  wal_scenario_destroy(&scenario);
  write_file(path, "");
  WAL_ASSERT_STATUS(ctx, WAL_EINPUT, wal_scenario_load(ctx, path, &CATALOGUE, &scenario));
  assert_int_equal(truncate(path, (off_t)(16 << 20) + 1), 0);
  WAL_ASSERT_STATUS(ctx, WAL_EINPUT, wal_scenario_load(ctx, path, &CATALOGUE, &scenario));
  WAL_ASSERT_CONTAINS(wal_ctx_error(ctx), "s.lua: expected at most 16 MiB, got more");
  if (geteuid() != 0) {  // root may read everything
    assert_int_equal(chmod(path, 0), 0);
    WAL_ASSERT_STATUS(ctx, WAL_ENOTFOUND, wal_scenario_load(ctx, path, &CATALOGUE, &scenario));
  }
  assert_int_equal(unlink(path), 0);
  snprintf(path, sizeof path, "%s/s.json", folder);
  write_file(path, "{\"solve\": {}}\n");
  WAL_ASSERT_OK(ctx, wal_scenario_load(ctx, path, &CATALOGUE, &scenario));
  assert_string_equal(wal_scenario_root(scenario)->text, "solve");
  wal_scenario_destroy(&scenario);
  assert_int_equal(unlink(path), 0);
  assert_int_equal(rmdir(folder), 0);
}

static void what_is_no_file_is_not_found(void **state) {
  (void)state;
  char folder[] = "/tmp/walras_scenario_XXXXXX";
  char path[100];
  char error[200];
  assert_non_null(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/missing.lua", folder);
  snprintf(error, sizeof error, "%s: no such file", path);
  not_found(path, error);
  snprintf(error, sizeof error, "%s: cannot be read: it is a folder", folder);
  not_found(folder, error);
  snprintf(path, sizeof path, "%s/fifo.lua", folder);
  snprintf(error, sizeof error, "%s: cannot be read: it is not a regular file", path);
  assert_int_equal(mkfifo(path, 0600), 0);
  not_found(path, error);  // and does not wait for a writer
  assert_int_equal(unlink(path), 0);
  assert_int_equal(rmdir(folder), 0);
  not_found("/dev/zero", "/dev/zero: cannot be read: it is not a regular file");
  not_found("", ": no such file");
}

int main(int argc, char **argv) {
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_task_is_read),
      cmocka_unit_test(marks_and_line_ends_are_let_pass),
      cmocka_unit_test(tables_are_copied_by_constructors),
      cmocka_unit_test(results_other_than_one_task_are_refused),
      cmocka_unit_test(constructors_take_one_table),
      cmocka_unit_test(values_that_fit_no_tree_are_refused),
      cmocka_unit_test(deep_and_vast_values_are_refused),
      cmocka_unit_test(errors_name_file_and_line_once),
      cmocka_unit_test(long_names_are_whole_in_errors),
      cmocka_unit_test(binaries_are_refused),
      cmocka_unit_test(nothing_else_is_let_in),
      cmocka_unit_test(addresses_are_hidden),
      cmocka_unit_test(pairs_walks_in_order),
      cmocka_unit_test(sorting_is_stable),
      cmocka_unit_test(the_library_works),
      cmocka_unit_test(endless_loops_are_stopped),
      cmocka_unit_test(memory_bombs_are_stopped),
      cmocka_unit_test(what_no_hook_can_stop_is_refused),
      cmocka_unit_test(functions_become_tables),
      cmocka_unit_test(wrong_functions_are_told),
      cmocka_unit_test(overrides_set_values),
      cmocka_unit_test(overrides_work_on_json),
      cmocka_unit_test(wrong_overrides_are_told),
      cmocka_unit_test(files_are_loaded),
      cmocka_unit_test(what_is_no_file_is_not_found),
  };
  wal_test_begin(&argc, &argv);
  return wal_test_end(cmocka_run_group_tests(tests, open_ctx, close_ctx));
}
