// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/json.h"
#include "io/scenario.h"
#include "tests/support/harness.h"

static const double WEIGHTS[] = {0.25, 0.75};

static const wal_param STOP_PARAMS[] = {
    {.name = "iterations", .type = WAL_INTEGER, .low = 1, .high = HUGE_VAL, .number = 100},
    {.name = "exploitability", .type = WAL_REAL, .low = 0, .high = HUGE_VAL, .optional = true},
    {.name = NULL}};
static const wal_component STOP = {.name = "stop", .kind = "record", .params = STOP_PARAMS};
static const wal_component PLAY = {.name = "fictitious_play", .kind = "learner"};
static const wal_param BEACH_PARAMS[] = {
    {.name = "states", .type = WAL_INTEGER, .required = true, .low = 1, .high = 1000},
    {.name = "chance", .type = WAL_REAL, .low = 0, .high = 1, .number = 0.5},
    {.name = "loud", .type = WAL_FLAG, .number = 1},
    {.name = "label", .type = WAL_TEXT, .optional = true},
    {.name = "weights", .type = WAL_ARRAY, .rank = 1, .array = WEIGHTS, .extent = {2}},
    {.name = "table", .type = WAL_ARRAY, .rank = 2, .optional = true},
    {.name = "cube", .type = WAL_ARRAY, .rank = 3, .optional = true},
    {.name = NULL}};
static const wal_component BEACH = {.name = "beach_bar", .kind = "game", .params = BEACH_PARAMS};
static const wal_param SOLVE_PARAMS[] = {
    {.name = "game", .type = WAL_COMPONENT, .choices = "game", .required = true},
    {.name = "learner", .type = WAL_COMPONENT, .choices = "learner", .text = "fictitious_play"},
    {.name = "stop", .type = WAL_RECORD, .record = &STOP},
    {.name = NULL}};
static const wal_component SOLVE = {.name = "solve", .kind = "task", .params = SOLVE_PARAMS};
static const wal_component *const ALL[] = {&BEACH, &PLAY, &SOLVE};
static const wal_catalogue CATALOGUE = {.components = ALL, .count = 3};

WAL_TEST_CTX(1)

// ---- Writing ----------------------------------------------------------------------------------

static void texts_grow(void **state) {
  (void)state;
  wal_text text = {0};
  for (int i = 0; i < 10000; i++) wal_text_add(&text, "%05d", i);
  assert_int_equal(text.length, 50000);
  assert_int_equal(strlen(text.bytes), 50000);
  assert_memory_equal(text.bytes + 49995, "09999", 6);
  assert_false(text.failed);
  wal_text_free(&text);
  assert_null(text.bytes);
  assert_int_equal(text.length, 0);
}

static void string_is(const char *value, const char *expected) {
  wal_text text = {0};
  wal_json_string(&text, value);
  assert_string_equal(text.bytes, expected);
  wal_text_free(&text);
}

static void strings_are_escaped(void **state) {
  (void)state;
  string_is("", "\"\"");
  string_is("plain", "\"plain\"");
  string_is("a\"b\\c/d", "\"a\\\"b\\\\c/d\"");
  string_is("\b\f\n\r\t\x01\x1f\x7f", "\"\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f\"");
  string_is("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"");
  // Overlong, surrogate, beyond U+10FFFF, cut short, lone continuation.
  string_is("\xC0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
  string_is("\xED\xA0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
  string_is("\xF4\x90\x80\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
  string_is("a\xE2\x82", "\"a\xEF\xBF\xBD\xEF\xBF\xBD\"");
  string_is("\x80z",
            "\"\xEF\xBF\xBD"
            "z\"");
}

static void utf8_is_told(void **state) {
  (void)state;
  assert_true(wal_text_is_utf8("", 0));
  assert_true(wal_text_is_utf8("a\xC3\xA9", 3));
  assert_false(wal_text_is_utf8("a\xC3\xA9", 2));
  assert_false(wal_text_is_utf8("a\0b", 3));
  assert_false(wal_text_is_utf8("\xFF", 1));
}

static void numbers_are_short(void **state) {
  (void)state;
  struct {
    double value;
    const char *text;
  } cases[] = {{0, "0"},
               {0.1, "0.1"},
               {-3, "-3"},
               {1e15, "1000000000000000"},
               {NAN, "null"},
               {INFINITY, "null"},
               {1.0 / 3, "0.3333333333333333"},
               {1e-300, "1e-300"},
               {5e-324, "4.94065645841247e-324"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    wal_text text = {0};
    wal_json_number(&text, cases[i].value);
    assert_string_equal(text.bytes, cases[i].text);
    wal_text_free(&text);
  }
}

// Resolves a scenario's text; the JSON of it.
static wal_text canonical(const char *name, const char *source) {
  wal_scenario *scenario = NULL;
  wal_params *params = NULL;
  const double *numbers = NULL;
  WAL_ASSERT_OK(ctx, wal_scenario_parse(ctx, name, source, strlen(source), &CATALOGUE, &scenario));
  WAL_ASSERT_OK(
      ctx, wal_params_resolve(ctx, name, &SOLVE, wal_scenario_root(scenario), &CATALOGUE, &params));
  wal_params *game = wal_params_child(params, "game");
  WAL_ASSERT_OK(ctx, wal_params_array(ctx, game, "cube", 2, 1, 2, &numbers));
  wal_text text = {0};
  wal_json_params(&text, params);
  wal_params_destroy(&params);
  wal_scenario_destroy(&scenario);
  return text;
}

static const char SOURCE[] =
    "return solve {\n"
    "  game = beach_bar {\n"
    "    states = 4, chance = 1/3, label = 'sea \\\"side\\\" \\u{e9}',\n"
    "    weights = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16.5},\n"
    "    table = {{1, 2}, {3, 4}}, cube = function(i, j, k) return i + j + k / 8 end },\n"
    "  stop = { exploitability = 1e-9 },\n"
    "}\n";

static const char CANONICAL[] =
    "{\n"
    "  \"solve\": {\n"
    "    \"game\": {\n"
    "      \"beach_bar\": {\n"
    "        \"states\": 4,\n"
    "        \"chance\": 0.3333333333333333,\n"
    "        \"loud\": true,\n"
    "        \"label\": \"sea \\\"side\\\" \xC3\xA9\",\n"
    "        \"weights\": [\n"
    "          0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,\n"
    "          16.5\n"
    "        ],\n"
    "        \"table\": [\n"
    "          [1, 2],\n"
    "          [3, 4]\n"
    "        ],\n"
    "        \"cube\": [\n"
    "          [\n"
    "            [0, 0.125]\n"
    "          ],\n"
    "          [\n"
    "            [1, 1.125]\n"
    "          ]\n"
    "        ]\n"
    "      }\n"
    "    },\n"
    "    \"learner\": {\n"
    "      \"fictitious_play\": {}\n"
    "    },\n"
    "    \"stop\": {\n"
    "      \"iterations\": 100,\n"
    "      \"exploitability\": 1e-09\n"
    "    }\n"
    "  }\n"
    "}";

static void canonical_text_is_a_fixed_point(void **state) {
  (void)state;
  wal_text first = canonical("s.lua", SOURCE);
  assert_string_equal(first.bytes, CANONICAL);
  wal_text second = canonical("s.json", first.bytes);
  assert_string_equal(second.bytes, first.bytes);
  wal_text_free(&first);
  wal_text_free(&second);
}

static void untabulated_functions_are_null(void **state) {
  (void)state;
  static const char TEXT[] =
      "return solve { game = beach_bar { states = 1, "
      "table = function(i, j) return 0 end } }";
  wal_text first = canonical("s.lua", TEXT);
  WAL_ASSERT_CONTAINS(first.bytes, "\"table\": null\n");
  wal_text second = canonical("s.json", first.bytes);  // reads as left out
  assert_null(strstr(second.bytes, "table"));
  wal_text_free(&first);
  wal_text_free(&second);
}

// ---- Reading ----------------------------------------------------------------------------------

static wal_node *read_text(const char *text) {
  wal_node *node = NULL;
  WAL_ASSERT_OK(ctx, wal_json_read(ctx, "s.json", text, strlen(text), &CATALOGUE, &node));
  return node;
}

static void refused(const char *text, size_t length, const char *error) {
  wal_node *node = NULL;
  WAL_ASSERT_STATUS(ctx, WAL_EINPUT, wal_json_read(ctx, "s.json", text, length, &CATALOGUE, &node));
  assert_null(node);
  WAL_ASSERT_CONTAINS(wal_ctx_error(ctx), error);
}

static void kinds_are_told(void **state) {
  (void)state;
  wal_node *node = read_text(
      "\xEF\xBB\xBF{\"z\": 100000000000000000000, \"a\": [1, 2.5, -0], \"b\": [1, \"x\"],\r\n"
      "\"c\": {\"beach_bar\": {\"states\": 3}}, \"d\": {\"beach_bar\": 3}, \"e\": null,"
      "\"f\": false, \"g\": [], \"h\": \"\\u00e9\", \"k\": {}}");
  assert_int_equal(node->kind, WAL_NODE_FIELDS);
  assert_int_equal(node->count, 9);  // null is left out
  assert_string_equal(node->keys[0], "a");
  WAL_ASSERT_SAME(wal_node_field(node, "z")->number, 1e20);
  const wal_node *a = wal_node_field(node, "a");
  assert_int_equal(a->kind, WAL_NODE_NUMBERS);
  WAL_ASSERT_SAME(a->numbers[1], 2.5);
  WAL_ASSERT_SAME(a->numbers[2], -0.0);
  assert_int_equal(wal_node_field(node, "b")->kind, WAL_NODE_ITEMS);
  assert_string_equal(wal_node_field(node, "b")->items[1]->text, "x");
  assert_int_equal(wal_node_field(node, "c")->kind, WAL_NODE_COMPONENT);
  WAL_ASSERT_SAME(wal_node_field(wal_node_field(node, "c"), "states")->number, 3.0);
  assert_int_equal(wal_node_field(node, "d")->kind, WAL_NODE_FIELDS);
  assert_null(wal_node_field(node, "e"));
  assert_int_equal(wal_node_field(node, "f")->kind, WAL_NODE_FLAG);
  assert_int_equal(wal_node_field(node, "g")->kind, WAL_NODE_NUMBERS);
  assert_string_equal(wal_node_field(node, "h")->text, "\xC3\xA9");
  assert_int_equal(wal_node_field(node, "k")->kind, WAL_NODE_FIELDS);
  wal_node_destroy(node);
}

static void broken_texts_are_refused(void **state) {
  (void)state;
  struct {
    const char *text, *error;
  } cases[] = {
      {"", "s.json:1: "},
      {"{\n\"a\": 1,\n}", "s.json:3: "},
      {"{\"a\": 1, \"a\": 2}", "duplicate"},
      {"{\"a\": 1} x", "s.json:1: "},
      {"{\"a\": NaN}", "s.json:1: "},
      {"{\"a\": 1e999}", "s.json:1: "},
      {"{\"a\": \"\\u0000\"}", "s.json:1: "},
      {"{\"a\": \"\xFF\"}", "s.json:1: "},
      {"{\"a\": [null]}", "s.json: \"a\": expected a value, got null"},
      {"null", "s.json: \"the text\": expected a value, got null"},
      {"\x7F\x45LF\x01\x02", "s.json:1: "},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    refused(cases[i].text, strlen(cases[i].text), cases[i].error);
  refused("{\"a\0\": 1}", 9, "s.json:1: ");
  for (const char *c = wal_ctx_error(ctx); *c; c++) assert_true((unsigned char)*c >= 0x20U);
}

static void deep_nesting_is_refused(void **state) {
  (void)state;
  static const int DEPTHS[] = {100, 1000000};
  for (int i = 0; i < 2; i++) {
    size_t depth = (size_t)DEPTHS[i];
    char *text = malloc(2 * depth);
    assert_non_null(text);
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    refused(text, 2 * depth, i == 0 ? "s.json: expected at most 64 levels" : "s.json:1: ");
    free(text);
  }
}

// In the worst order: a way that moves all earlier fields for each would take minutes.
static void many_fields_are_read(void **state) {
  (void)state;
  wal_text text = {0};
  int count = 300000;
  for (int i = 0; i < count; i++)
    wal_text_add(&text, "%s\"k%06d\": %d", i == 0 ? "{" : ", ", count - i, i);
  wal_text_add(&text, "}");
  wal_node *node = read_text(text.bytes);
  assert_int_equal(node->count, count);
  WAL_ASSERT_SAME(wal_node_field(node, "k000001")->number, (double)(count - 1));
  wal_node_destroy(node);
  wal_text_free(&text);
}

static void scenarios_must_hold_one_task(void **state) {
  (void)state;
  wal_scenario *scenario = NULL;
  static const char TEXT[] = "{\"solve\": {}, \"more\": 1}";
  WAL_ASSERT_STATUS(
      ctx, WAL_EINPUT,
      wal_scenario_parse(ctx, "s.json", TEXT, sizeof TEXT - 1, &CATALOGUE, &scenario));
  assert_string_equal(wal_ctx_error(ctx),
                      "s.json: expected one task, as {\"solve\": {...}}, got a table with names");
}

int main(int argc, char **argv) {
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(texts_grow),
      cmocka_unit_test(strings_are_escaped),
      cmocka_unit_test(utf8_is_told),
      cmocka_unit_test(numbers_are_short),
      cmocka_unit_test(canonical_text_is_a_fixed_point),
      cmocka_unit_test(untabulated_functions_are_null),
      cmocka_unit_test(kinds_are_told),
      cmocka_unit_test(broken_texts_are_refused),
      cmocka_unit_test(deep_nesting_is_refused),
      cmocka_unit_test(many_fields_are_read),
      cmocka_unit_test(scenarios_must_hold_one_task),
  };
  wal_test_begin(&argc, &argv);
  return wal_test_end(cmocka_run_group_tests(tests, open_ctx, close_ctx));
}
