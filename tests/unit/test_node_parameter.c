// SPDX-License-Identifier: GPL-3.0-or-later
#define _POSIX_C_SOURCE 200809L  // fork

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/core/node.h"
#include "sim/core/parameter.h"
#include "tests/support/harness.h"

// ---- A catalogue with every type of parameter -------------------------------------------------

static const double WEIGHTS[] = {0.25, 0.75};
static const double TABLE[] = {1, 2, 3, 4, 5, 6};

static const wal_param STOP_PARAMS[] = {
    {.name = "iterations", .type = WAL_INTEGER, .low = 1, .high = HUGE_VAL, .number = 100},
    {.name = "exploitability", .type = WAL_REAL, .low = 0, .high = HUGE_VAL, .optional = true},
    {.name = NULL}};
static const wal_component STOP = {.name = "stop", .kind = "record", .params = STOP_PARAMS};

static const wal_param DESCENT_PARAMS[] = {
    {.name = "rate", .type = WAL_REAL, .low = 0, .high = 1, .number = 0.5}, {.name = NULL}};
static const wal_component DESCENT = {
    .name = "mirror_descent", .kind = "learner", .params = DESCENT_PARAMS};
static const wal_component PLAY = {.name = "fictitious_play", .kind = "learner"};

static const wal_param BEACH_PARAMS[] = {
    {.name = "states", .type = WAL_INTEGER, .required = true, .low = 1, .high = 1000},
    {.name = "seed_offset", .type = WAL_INTEGER, .number = -3},
    {.name = "chance", .type = WAL_REAL, .low = 0, .high = 1, .number = 0.5},
    {.name = "cold", .type = WAL_REAL, .low = -HUGE_VAL, .high = 5, .number = -1},
    {.name = "loud", .type = WAL_FLAG, .number = 1},
    {.name = "shape", .type = WAL_TEXT, .choices = "round|square", .text = "round"},
    {.name = "label", .type = WAL_TEXT, .optional = true},
    {.name = "weights",
     .type = WAL_ARRAY,
     .rank = 1,
     .low = 0,
     .high = 1,
     .array = WEIGHTS,
     .extent = {2}},
    {.name = "table", .type = WAL_ARRAY, .rank = 2, .array = TABLE, .extent = {2, 3}},
    {.name = "pairs", .type = WAL_ARRAY, .rank = 2, .columns = 2, .optional = true},
    {.name = "cube", .type = WAL_ARRAY, .rank = 3, .optional = true},
    {.name = NULL}};
static const wal_component BEACH = {.name = "beach_bar", .kind = "game", .params = BEACH_PARAMS};

static const wal_param SOLVE_PARAMS[] = {
    {.name = "game",
     .type = WAL_COMPONENT,
     .choices = "game",
     .required = true,
     .meaning = "what is played"},
    {.name = "learner", .type = WAL_COMPONENT, .choices = "learner", .text = "mirror_descent"},
    {.name = "second", .type = WAL_COMPONENT, .choices = "learner", .optional = true},
    {.name = "stop", .type = WAL_RECORD, .record = &STOP},
    {.name = NULL}};
static const wal_component SOLVE = {.name = "solve", .kind = "task", .params = SOLVE_PARAMS};

static const wal_component *const ALL[] = {&BEACH, &PLAY, &DESCENT, &SOLVE};
static const wal_catalogue CATALOGUE = {.components = ALL, .count = 4};

// ---- Building trees ---------------------------------------------------------------------------

static wal_node *number_node(double x) {
  wal_node *node = wal_node_create(WAL_NODE_NUMBER, 0);
  node->number = x;
  return node;
}

static wal_node *flag_node(bool x) {
  wal_node *node = wal_node_create(WAL_NODE_FLAG, 0);
  node->flag = x;
  return node;
}

static wal_node *text_node(const char *text) {
  wal_node *node = wal_node_create(WAL_NODE_TEXT, 0);
  assert_true(wal_node_set_text(node, text, strlen(text)));
  return node;
}

static wal_node *component_node(const char *name, int line) {
  wal_node *node = wal_node_create(WAL_NODE_COMPONENT, line);
  assert_true(wal_node_set_text(node, name, strlen(name)));
  return node;
}

static wal_node *list_node(int64_t count, const double *x) {
  wal_node *node = wal_node_create(WAL_NODE_NUMBERS, 0);
  for (int64_t i = 0; i < count; i++) assert_true(wal_node_add_number(node, x[i]));
  return node;
}

// rows lists of `columns` numbers start, start + 1, ...
static wal_node *rows_node(int64_t rows, int64_t columns, double start) {
  wal_node *node = wal_node_create(WAL_NODE_ITEMS, 0);
  for (int64_t i = 0; i < rows; i++) {
    wal_node *row = wal_node_create(WAL_NODE_NUMBERS, 0);
    for (int64_t j = 0; j < columns; j++)
      assert_true(wal_node_add_number(row, start + (double)(i * columns + j)));
    assert_true(wal_node_add_item(node, row));
  }
  return node;
}

// A beach_bar at line 7 with states = 4 and one more field (which it then owns).
static wal_node *beach_node(const char *key, wal_node *value) {
  wal_node *node = component_node("beach_bar", 7);
  assert_true(wal_node_set_field(node, "states", number_node(4)));
  if (key) assert_true(wal_node_set_field(node, key, value));
  return node;
}

// ---- What the tests of parameters share -------------------------------------------------------

WAL_TEST_CTX(1)

static wal_params *resolved(wal_node *node) {
  wal_params *params = NULL;
  const wal_component *component = wal_catalogue_find(&CATALOGUE, node->text);
  WAL_ASSERT_OK(ctx, wal_params_resolve(ctx, "s.lua", component, node, &CATALOGUE, &params));
  wal_node_destroy(node);
  return params;
}

// Resolving must fail with exactly this text.
static void refused(wal_node *node, const char *text) {
  wal_params *params = NULL;
  const wal_component *component = wal_catalogue_find(&CATALOGUE, node->text);
  wal_status status = wal_params_resolve(ctx, "s.lua", component, node, &CATALOGUE, &params);
  wal_node_destroy(node);
  WAL_ASSERT_STATUS(ctx, WAL_EINPUT, status);
  assert_null(params);
  assert_string_equal(wal_ctx_error(ctx), text);
}

// ---- Nodes ------------------------------------------------------------------------------------

static void fields_are_kept_in_byte_order(void **state) {
  (void)state;
  static const char *const KEYS[] = {"m", "b", "zz", "a", "z", "B", "c", "x1", "x0"};
  static const char *const SORTED[] = {"B", "a", "b", "c", "m", "x0", "x1", "z", "zz"};
  wal_node *node = wal_node_create(WAL_NODE_FIELDS, 3);
  for (int i = 0; i < 9; i++) assert_true(wal_node_set_field(node, KEYS[i], number_node(i)));
  assert_int_equal(node->count, 9);
  for (int i = 0; i < 9; i++) assert_string_equal(node->keys[i], SORTED[i]);
  for (int i = 0; i < 9; i++) WAL_ASSERT_SAME(wal_node_field(node, KEYS[i])->number, (double)i);
  assert_null(wal_node_field(node, "q"));
  assert_true(wal_node_set_field(node, "m", text_node("new")));
  assert_int_equal(node->count, 9);
  assert_string_equal(wal_node_field(node, "m")->text, "new");
  wal_node_remove_field(node, "m");
  wal_node_remove_field(node, "m");
  assert_int_equal(node->count, 8);
  assert_null(wal_node_field(node, "m"));
  assert_string_equal(node->keys[4], "x0");
  for (int i = 8; i > 0; i--) wal_node_remove_field(node, node->keys[0]);
  assert_int_equal(node->count, 0);
  assert_true(wal_node_set_field(node, "again", number_node(1)));
  assert_false(wal_node_set_field(node, "none", NULL));
  assert_false(wal_node_add_item(node, NULL));
  wal_node_destroy(node);
  wal_node_destroy(NULL);
}

static void copies_are_deep(void **state) {
  (void)state;
  static const double X[] = {1, 2, 3, 4, 5};
  wal_node *node = beach_node("weights", list_node(5, X));
  assert_true(wal_node_set_field(node, "table", rows_node(2, 3, 0)));
  assert_true(wal_node_set_field(node, "label", text_node("sea")));
  wal_node *copy = wal_node_copy(node);
  wal_node_field(node, "weights")->numbers[4] = -1;
  wal_node_field(node, "label")->text[0] = 'T';
  wal_node_destroy(node);
  assert_string_equal(copy->text, "beach_bar");
  assert_int_equal(copy->line, 7);
  assert_int_equal(copy->count, 4);
  WAL_ASSERT_SAME(wal_node_field(copy, "weights")->numbers[4], 5.0);
  WAL_ASSERT_SAME(wal_node_field(copy, "table")->items[1]->numbers[2], 5.0);
  assert_string_equal(wal_node_field(copy, "label")->text, "sea");
  wal_node_destroy(copy);
}

static void nodes_are_described(void **state) {
  (void)state;
  static const double X[] = {1, 2, 3};
  char text[64];
  wal_node *nodes[] = {flag_node(true),
                       number_node(0.1),
                       text_node("te\nn"),
                       list_node(3, X),
                       list_node(1, X),
                       list_node(0, X),
                       rows_node(2, 1, 0),
                       component_node("a", 1),
                       wal_node_create(WAL_NODE_FIELDS, 0),
                       wal_node_create(WAL_NODE_FUNCTION, 0)};
  static const char *const TEXTS[] = {"true",
                                      "0.1",
                                      "\"te?n\"",
                                      "a list of 3 numbers",
                                      "a list of 1 number",
                                      "an empty list",
                                      "a list of 2 items",
                                      "a{...}",
                                      "a table with names",
                                      "a function"};
  for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++) {
    assert_string_equal(wal_node_describe(nodes[i], text, sizeof text), TEXTS[i]);
    wal_node_destroy(nodes[i]);
  }
}

static void texts_are_cut_at_characters(void **state) {
  (void)state;
  char text[12];
  assert_string_equal(wal_quoted_text("123456789", text, sizeof text), "\"123456789\"");
  assert_string_equal(wal_quoted_text("1234567890", text, sizeof text), "\"123456...\"");
  // The sixth and seventh byte are one letter.
  assert_string_equal(wal_quoted_text("12345\xC3\xA9 890", text, sizeof text), "\"12345...\"");
}

static void numbers_read_back(void **state) {
  (void)state;
  static const double NUMBERS[] = {0.1,  1.0 / 3,       5e-324, 1.7976931348623157e308,
                                   1e22, 123456789.125, -2e-7,  0x1p53,
                                   0.3,  2.0 / 3};
  char text[32];
  for (size_t i = 0; i < sizeof NUMBERS / sizeof *NUMBERS; i++)
    WAL_ASSERT_SAME(strtod(wal_number_text(NUMBERS[i], text, sizeof text), NULL), NUMBERS[i]);
  assert_string_equal(wal_number_text(0.1, text, sizeof text), "0.1");
  assert_string_equal(wal_number_text(1e15, text, sizeof text), "1000000000000000");
  assert_string_equal(wal_number_text(-9007199254740991.0, text, sizeof text), "-9007199254740991");
  assert_string_equal(wal_number_text(0.0, text, sizeof text), "0");
  WAL_ASSERT_SAME(strtod(wal_number_text(-0.0, text, sizeof text), NULL), -0.0);
  assert_string_equal(wal_number_text(-NAN, text, sizeof text), "nan");
  assert_string_equal(wal_number_text(-INFINITY, text, sizeof text), "-inf");
}

// ---- Nearest names ----------------------------------------------------------------------------

static const char *name_at(const void *user, int64_t i) { return ((const char *const *)user)[i]; }

static void nearest_names(void **state) {
  (void)state;
  static const char *const NAMES[] = {"states", "horizon", "bar", "barn", "x"};
  struct {
    const char *name, *nearest;
  } cases[] = {
      {"stats", "states"}, {"STATES", "states"}, {"sttaes", "states"}, {"horizn", "horizon"},
      {"bra", "bar"},      {"barns", "barn"},    {"zzz", NULL},        {"", "x"},
      {"completely", NULL}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const char *nearest = wal_nearest_name(cases[i].name, 5, name_at, NAMES);
    if (cases[i].nearest)
      assert_string_equal(nearest, cases[i].nearest);
    else
      assert_null(nearest);
  }
  char longer[200];
  memset(longer, 'a', sizeof longer - 1);
  longer[sizeof longer - 1] = '\0';
  assert_null(wal_nearest_name(longer, 5, name_at, NAMES));
}

// ---- Defaults and values ----------------------------------------------------------------------

static void defaults_are_filled(void **state) {
  (void)state;
  wal_node *node = component_node("solve", 2);
  assert_true(wal_node_set_field(node, "game", beach_node(NULL, NULL)));
  wal_params *params = resolved(node);
  wal_params *game = wal_params_child(params, "game");
  assert_ptr_equal(wal_params_component(game), &BEACH);
  assert_int_equal(wal_params_integer(game, "states"), 4);
  assert_int_equal(wal_params_integer(game, "seed_offset"), -3);
  WAL_ASSERT_SAME(wal_params_real(game, "chance"), 0.5);
  assert_true(wal_params_flag(game, "loud"));
  assert_string_equal(wal_params_text(game, "shape"), "round");
  assert_null(wal_params_text(game, "label"));
  assert_false(wal_params_given(game, "label"));
  assert_true(wal_params_given(game, "shape"));
  const double *numbers = NULL;
  WAL_ASSERT_OK(ctx, wal_params_array(ctx, game, "table", 2, 3, 0, &numbers));
  WAL_ASSERT_ALL_NEAR(6, numbers, TABLE, 0);
  assert_true((uintptr_t)numbers % 64 == 0);
  WAL_ASSERT_OK(ctx, wal_params_distribution(ctx, game, "weights", 2, &numbers));
  WAL_ASSERT_SAME(numbers[1], 0.75);
  WAL_ASSERT_OK(ctx, wal_params_array(ctx, game, "pairs", 9, 2, 0, &numbers));
  assert_null(numbers);
  assert_ptr_equal(wal_params_component(wal_params_child(params, "learner")), &DESCENT);
  WAL_ASSERT_SAME(wal_params_real(wal_params_child(params, "learner"), "rate"), 0.5);
  assert_null(wal_params_child(params, "second"));
  assert_int_equal(wal_params_integer(wal_params_child(params, "stop"), "iterations"), 100);
  assert_false(wal_params_given(wal_params_child(params, "stop"), "exploitability"));
  wal_params_destroy(&params);
  assert_null(params);
  wal_params_destroy(&params);
}

static void given_values_are_taken(void **state) {
  (void)state;
  static const double X[] = {0.125, 0.875};
  wal_node *game = beach_node("chance", number_node(1));
  assert_true(wal_node_set_field(game, "loud", flag_node(false)));
  assert_true(wal_node_set_field(game, "shape", text_node("square")));
  assert_true(wal_node_set_field(game, "label", text_node("sea")));
  assert_true(wal_node_set_field(game, "weights", list_node(2, X)));
  assert_true(wal_node_set_field(game, "pairs", rows_node(3, 2, 10)));
  wal_node *cube = wal_node_create(WAL_NODE_ITEMS, 0);
  assert_true(wal_node_add_item(cube, rows_node(1, 2, 0)));
  assert_true(wal_node_add_item(cube, rows_node(1, 2, 2)));
  assert_true(wal_node_set_field(game, "cube", cube));
  wal_params *params = resolved(game);
  WAL_ASSERT_SAME(wal_params_real(params, "chance"), 1.0);
  assert_false(wal_params_flag(params, "loud"));
  assert_string_equal(wal_params_text(params, "shape"), "square");
  assert_string_equal(wal_params_text(params, "label"), "sea");
  int64_t extent[3];
  wal_params_extent(params, "pairs", extent);
  assert_int_equal(extent[0], 3);
  assert_int_equal(extent[1], 2);
  assert_int_equal(extent[2], 0);
  const double *numbers = NULL;
  WAL_ASSERT_OK(ctx, wal_params_array(ctx, params, "pairs", 3, 2, 0, &numbers));
  WAL_ASSERT_SAME(numbers[5], 15.0);
  WAL_ASSERT_OK(ctx, wal_params_array(ctx, params, "cube", 2, 1, 2, &numbers));
  WAL_ASSERT_SAME(numbers[3], 3.0);
  WAL_ASSERT_OK(ctx, wal_params_array(ctx, params, "weights", 2, 0, 0, &numbers));
  WAL_ASSERT_SAME(numbers[0], 0.125);
  wal_params_destroy(&params);
}

static void an_empty_list_is_an_empty_record(void **state) {
  (void)state;
  wal_node *node = component_node("solve", 2);
  assert_true(wal_node_set_field(node, "game", beach_node(NULL, NULL)));
  assert_true(wal_node_set_field(node, "stop", list_node(0, NULL)));
  wal_params *params = resolved(node);
  assert_int_equal(wal_params_integer(wal_params_child(params, "stop"), "iterations"), 100);
  wal_params_destroy(&params);
}

// ---- Errors -----------------------------------------------------------------------------------

static void unknown_names_are_refused(void **state) {
  (void)state;
  refused(beach_node("stats", number_node(1)),
          "s.lua:7: beach_bar: unknown parameter \"stats\"; did you mean \"states\"?");
  wal_node *node = component_node("mirror_descent", 0);
  assert_true(wal_node_set_field(node, "speed", number_node(1)));
  refused(node, "s.lua: mirror_descent: unknown parameter \"speed\"; it takes rate");
  node = component_node("fictitious_play", 3);
  assert_true(wal_node_set_field(node, "speed", number_node(1)));
  refused(node, "s.lua:3: fictitious_play: unknown parameter \"speed\"; it takes no parameters");
  // In a record, and on a line of its own.
  node = component_node("solve", 2);
  assert_true(wal_node_set_field(node, "game", beach_node(NULL, NULL)));
  wal_node *stop = wal_node_create(WAL_NODE_FIELDS, 5);
  assert_true(wal_node_set_field(stop, "iteration", number_node(1)));
  assert_true(wal_node_set_field(node, "stop", stop));
  refused(node,
          "s.lua:5: solve: stop: unknown parameter \"iteration\"; did you mean \"iterations\"?");
}

static void missing_parameters_are_named(void **state) {
  (void)state;
  refused(component_node("beach_bar", 7),
          "s.lua:7: beach_bar: states: expected a whole number, got nothing (it has no default)");
  refused(component_node("solve", 1),
          "s.lua:1: solve: game: expected a game, got nothing (what is played)");
}

static void wrong_types_are_refused(void **state) {
  (void)state;
  static const double X[] = {1};
  struct {
    const char *key;
    wal_node *value;
    const char *text;
  } cases[] = {
      {"states", text_node("ten"), "states: expected a whole number, got \"ten\""},
      {"states", list_node(1, X), "states: expected a whole number, got a list of 1 number"},
      {"chance", flag_node(true), "chance: expected a number, got true"},
      {"loud", number_node(1), "loud: expected true or false, got 1"},
      {"label", number_node(1), "label: expected a text, got 1"},
      {"shape", flag_node(false), "shape: expected a word, got false"},
      {"weights", number_node(0.5), "weights: expected a list of numbers or a function, got 0.5"},
      {"table", wal_node_create(WAL_NODE_FIELDS, 0),
       "table: expected a list of lists of numbers or a function, got a table with names"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char text[200];
    snprintf(text, sizeof text, "s.lua:7: beach_bar: %s", cases[i].text);
    refused(beach_node(cases[i].key, cases[i].value), text);
  }
}

static void numbers_out_of_range_are_refused(void **state) {
  (void)state;
  struct {
    const char *key;
    double value;
    const char *text;
  } cases[] = {
      {"chance", 1.5, "chance: expected a number in [0, 1], got 1.5"},
      {"chance", -1e-300, "chance: expected a number in [0, 1], got -1e-300"},
      {"chance", NAN, "chance: expected a finite number, got nan"},
      {"chance", INFINITY, "chance: expected a finite number, got inf"},
      {"cold", 6, "cold: expected a number of at most 5, got 6"},
      {"states", 0, "states: expected a whole number in [1, 1000], got 0"},
      {"states", 2.5, "states: expected a whole number, got 2.5"},
      {"states", 1e300, "states: expected a whole number in [1, 1000], got 1e+300"},
      {"seed_offset", 0x1p53 + 2,
       "seed_offset: expected a whole number within 2^53 of 0, got 9007199254740994"},
      {"seed_offset", -INFINITY, "seed_offset: expected a finite number, got -inf"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char text[200];
    snprintf(text, sizeof text, "s.lua:7: beach_bar: %s", cases[i].text);
    refused(beach_node(cases[i].key, number_node(cases[i].value)), text);
  }
  wal_node *node = component_node("solve", 2);
  wal_node *stop = wal_node_create(WAL_NODE_FIELDS, 0);
  assert_true(wal_node_set_field(stop, "iterations", number_node(0)));
  assert_true(wal_node_set_field(node, "game", beach_node(NULL, NULL)));
  assert_true(wal_node_set_field(node, "stop", stop));
  refused(node, "s.lua:2: solve: stop.iterations: expected a whole number of at least 1, got 0");
  wal_params *params = resolved(beach_node("seed_offset", number_node(-0x1p53)));
  assert_int_equal(wal_params_integer(params, "seed_offset"), -9007199254740992);
  wal_params_destroy(&params);
}

static void wrong_words_are_refused(void **state) {
  (void)state;
  refused(beach_node("shape", text_node("squair")),
          "s.lua:7: beach_bar: shape: expected one of round, square, got \"squair\"; did you mean "
          "\"square\"?");
  refused(beach_node("shape", text_node("hexagonal")),
          "s.lua:7: beach_bar: shape: expected one of round, square, got \"hexagonal\"");
}

static void wrong_components_are_refused(void **state) {
  (void)state;
  struct {
    wal_node *value;
    const char *text;
  } cases[] = {
      {beach_node(NULL, NULL),
       "s.lua:7: solve: learner: expected a learner (fictitious_play, mirror_descent), got game "
       "beach_bar{...}"},
      {component_node("mirror_decent", 4),
       "s.lua:4: solve: learner: unknown learner \"mirror_decent\"; did you mean "
       "\"mirror_descent\"?"},
      {component_node("something", 4),
       "s.lua:4: solve: learner: expected a learner (fictitious_play, mirror_descent), got "
       "something{...}"},
      {number_node(3),
       "s.lua:2: solve: learner: expected a learner (fictitious_play, mirror_descent), got 3"},
      {text_node("mirror_decent"),
       "s.lua:2: solve: learner: unknown learner \"mirror_decent\"; did you mean "
       "\"mirror_descent\"?"},
      {text_node("beach_bar"),
       "s.lua:2: solve: learner: expected a learner (fictitious_play, mirror_descent), got game "
       "\"beach_bar\""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    wal_node *node = component_node("solve", 2);
    assert_true(wal_node_set_field(node, "game", beach_node(NULL, NULL)));
    assert_true(wal_node_set_field(node, "learner", cases[i].value));
    refused(node, cases[i].text);
  }
  wal_node *game = component_node("solve", 2);
  assert_true(wal_node_set_field(game, "game", component_node("beach_bar", 9)));
  refused(game,
          "s.lua:9: beach_bar: states: expected a whole number, got nothing (it has no default)");
}

static void wrong_arrays_are_refused(void **state) {
  (void)state;
  static const double X[] = {0.5, 0.5, 0.25, 1.5};
  static const double Y[] = {0.5, NAN};
  struct {
    const char *key;
    wal_node *value;
    const char *text;
  } cases[] = {
      {"weights", list_node(4, X),
       "weights: element 3 (counted from 0): expected a number in [0, 1], got 1.5"},
      {"weights", list_node(2, Y),
       "weights: element 1 (counted from 0): expected a finite number, got nan"},
      {"weights", rows_node(2, 2, 0),
       "weights: element 0 (counted from 0): expected a number, got a list of 2 numbers"},
      {"table", list_node(4, X),
       "table: row 0 (counted from 0): expected a list of numbers, got 0.5"},
      {"pairs", rows_node(2, 3, 0), "pairs: row 0 (counted from 0): expected 2 numbers, got 3"},
      {"cube", rows_node(2, 3, 4),
       "cube: row [0][0] (counted from 0): expected a list of numbers, got 4"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char text[200];
    snprintf(text, sizeof text, "s.lua:7: beach_bar: %s", cases[i].text);
    refused(beach_node(cases[i].key, cases[i].value), text);
  }
}

static void ragged_rows_are_named(void **state) {
  (void)state;
  wal_node *rows = rows_node(3, 2, 0);
  assert_true(wal_node_add_number(rows->items[2], 9));
  refused(beach_node("table", rows),
          "s.lua:7: beach_bar: table: row 2 (counted from 0): expected 2 numbers, got 3");
  rows = rows_node(2, 2, 0);
  assert_true(wal_node_add_item(rows, text_node("row")));
  refused(beach_node("table", rows),
          "s.lua:7: beach_bar: table: row 2 (counted from 0): expected a list of numbers, got "
          "\"row\"");
  wal_node *cube = wal_node_create(WAL_NODE_ITEMS, 0);
  assert_true(wal_node_add_item(cube, rows_node(2, 2, 0)));
  assert_true(wal_node_add_item(cube, rows_node(3, 2, 0)));
  refused(beach_node("cube", cube),
          "s.lua:7: beach_bar: cube: row 1 (counted from 0): expected 2 rows, got 3");
}

static void arrays_of_another_shape_are_refused(void **state) {
  (void)state;
  wal_node *node = beach_node("table", rows_node(3, 2, 0));
  node->items[1]->line = 11;  // states, table
  wal_params *params = resolved(node);
  const double *numbers = NULL;
  WAL_ASSERT_STATUS(ctx, WAL_EINPUT, wal_params_array(ctx, params, "table", 2, 3, 0, &numbers));
  assert_null(numbers);
  assert_string_equal(wal_ctx_error(ctx),
                      "s.lua:11: beach_bar: table: expected 2 x 3 numbers, got 3 x 2");
  WAL_ASSERT_STATUS(ctx, WAL_EINPUT, wal_params_distribution(ctx, params, "weights", 3, &numbers));
  assert_string_equal(wal_ctx_error(ctx), "s.lua:7: beach_bar: weights: expected 3 numbers, got 2");
  wal_params_destroy(&params);
}

static void distributions_are_checked(void **state) {
  (void)state;
  static const double SHORT[] = {0.5, 0.4};
  const double *numbers = NULL;
  wal_params *params = resolved(beach_node("weights", list_node(2, SHORT)));
  WAL_ASSERT_STATUS(ctx, WAL_EINPUT, wal_params_distribution(ctx, params, "weights", 2, &numbers));
  assert_string_equal(
      wal_ctx_error(ctx),
      "s.lua:7: beach_bar: weights: expected a distribution with sum 1, got the sum 0.9");
  wal_params_destroy(&params);

  int64_t count = 1000000;
  wal_node *many = wal_node_create(WAL_NODE_NUMBERS, 0);
  for (int64_t i = 0; i < count; i++) assert_true(wal_node_add_number(many, 1e-6));
  params = resolved(beach_node("weights", many));
  WAL_ASSERT_OK(ctx, wal_params_distribution(ctx, params, "weights", count, &numbers));
  WAL_ASSERT_SAME(numbers[count - 1], 1e-6);
  wal_params_destroy(&params);
}

static void failures_name_the_value_s_line(void **state) {
  (void)state;
  wal_node *node = beach_node("chance", number_node(0.5));
  wal_node_field(node, "chance")->line = 9;
  wal_params *params = resolved(node);
  WAL_ASSERT_STATUS(ctx, WAL_EINPUT, wal_params_fail(ctx, params, "chance", "is %d", 1));
  assert_string_equal(wal_ctx_error(ctx), "s.lua:9: beach_bar: chance: is 1");
  WAL_ASSERT_STATUS(ctx, WAL_EINPUT, wal_params_fail(ctx, params, NULL, "is %d", 2));
  assert_string_equal(wal_ctx_error(ctx), "s.lua:7: beach_bar: is 2");
  wal_params_destroy(&params);
}

// ---- Functions --------------------------------------------------------------------------------

// Result k of a call is the decimal number of its indices and k, times owner's number.
static wal_status digits(wal_ctx *context, const wal_function *function, const char *what,
                         int argument_count, const double *arguments, int result_count,
                         double *results) {
  const double *scale = function->owner;
  if (*scale == 0.0) return wal_fail(context, WAL_EINPUT, "s.lua:3: %s: no", what);
  for (int k = 0; k < result_count; k++) {
    double x = 0.0;
    for (int i = 0; i < argument_count; i++) x = 10.0 * x + arguments[i];
    results[k] = *scale * (result_count > 1 ? 10.0 * x + (double)k : x);
  }
  return WAL_OK;
}

static wal_node *function_node(double *scale) {
  wal_node *node = wal_node_create(WAL_NODE_FUNCTION, 3);
  node->function = (wal_function){.owner = scale, .call = digits};
  return node;
}

static void functions_are_tabulated(void **state) {
  (void)state;
  double scale = 1;
  const double *numbers = NULL;
  int64_t extent[3];
  wal_node *node = beach_node("table", function_node(&scale));
  assert_true(wal_node_set_field(node, "pairs", function_node(&scale)));
  assert_true(wal_node_set_field(node, "cube", function_node(&scale)));
  wal_params *params = resolved(node);
  wal_params_extent(params, "table", extent);
  assert_int_equal(extent[0], 0);
  WAL_ASSERT_OK(ctx, wal_params_array(ctx, params, "table", 2, 3, 0, &numbers));
  WAL_ASSERT_ALL_NEAR(6, numbers, ((const double[]){0, 1, 2, 10, 11, 12}), 0);
  wal_params_extent(params, "table", extent);
  assert_int_equal(extent[0], 2);
  assert_int_equal(extent[1], 3);
  scale = 7;  // is not called again
  WAL_ASSERT_OK(ctx, wal_params_array(ctx, params, "table", 2, 3, 0, &numbers));
  WAL_ASSERT_SAME(numbers[5], 12.0);
  scale = 1;
  WAL_ASSERT_OK(ctx, wal_params_array(ctx, params, "pairs", 3, 2, 0, &numbers));
  WAL_ASSERT_ALL_NEAR(6, numbers, ((const double[]){0, 1, 10, 11, 20, 21}), 0);
  WAL_ASSERT_OK(ctx, wal_params_array(ctx, params, "cube", 2, 1, 2, &numbers));
  WAL_ASSERT_ALL_NEAR(4, numbers, ((const double[]){0, 1, 100, 101}), 0);
  wal_params_destroy(&params);
}

static void wrong_functions_are_refused(void **state) {
  (void)state;
  double scale = 0;
  const double *numbers = NULL;
  wal_params *params = resolved(beach_node("weights", function_node(&scale)));
  WAL_ASSERT_STATUS(ctx, WAL_EINPUT, wal_params_array(ctx, params, "weights", 4, 0, 0, &numbers));
  assert_string_equal(wal_ctx_error(ctx), "s.lua:3: beach_bar: weights: no");
  scale = 0.5;
  WAL_ASSERT_STATUS(ctx, WAL_EINPUT, wal_params_array(ctx, params, "weights", 4, 0, 0, &numbers));
  assert_null(numbers);
  assert_string_equal(wal_ctx_error(ctx),
                      "s.lua:3: beach_bar: weights: element 3 (counted from 0): expected a number "
                      "in [0, 1], got 1.5");
  scale = 0.25;
  WAL_ASSERT_OK(ctx, wal_params_array(ctx, params, "weights", 4, 0, 0, &numbers));
  WAL_ASSERT_SAME(numbers[3], 0.75);
  wal_params_destroy(&params);
}

// ---- Visiting, and asking wrongly -------------------------------------------------------------

typedef struct trace {
  char text[1024];
} trace;

static void note(void *user, const char *text, const char *name) {
  trace *t = user;
  size_t length = strlen(t->text);
  snprintf(t->text + length, sizeof t->text - length, "%s%s ", text, name ? name : "");
}

static void visit_open(void *user, const char *name, const wal_component *component, bool record) {
  note(user, name ? name : "", record ? "{" : "=");
  if (!record) note(user, component->name, "{");
}
static void visit_close(void *user, bool record) { note(user, "}", record ? "r" : NULL); }
static void visit_flag(void *user, const char *name, bool value) {
  note(user, value ? "+" : "-", name);
}
static void visit_number(void *user, const char *name, double value, bool whole) {
  char text[64];
  snprintf(text, sizeof text, "%s=%g:", whole ? "i" : "x", value);
  note(user, text, name);
}
static void visit_text(void *user, const char *name, const char *value) { note(user, value, name); }
static void visit_array(void *user, const char *name, int rank, const int64_t extent[3],
                        const double *values) {
  char text[64];
  snprintf(text, sizeof text, "%d[%d,%d,%d]%s", rank, (int)extent[0], (int)extent[1],
           (int)extent[2], values ? "" : "?");
  note(user, text, name);
}

static void parameters_are_visited_in_order(void **state) {
  (void)state;
  double scale = 1;
  wal_node *node = component_node("solve", 2);
  assert_true(wal_node_set_field(node, "game", beach_node("pairs", function_node(&scale))));
  wal_params *params = resolved(node);
  trace seen = {""};
  wal_params_visitor visitor = {&seen,      visit_open,  visit_close, visit_flag, visit_number,
                                visit_text, visit_array, NULL,        NULL};
  wal_params_visit(params, &visitor);
  assert_string_equal(seen.text,
                      "= solve{ game= beach_bar{ i=4:states i=-3:seed_offset x=0.5:chance "
                      "x=-1:cold +loud roundshape 1[2,0,0]weights 2[2,3,0]table 2[0,0,0]?pairs } "
                      "learner= mirror_descent{ x=0.5:rate } stop{ i=100:iterations }r } ");
  wal_params_destroy(&params);
}

static void ask_for_a_wrong_type(const wal_params *params) { wal_params_real(params, "states"); }
static void ask_for_a_wrong_name(const wal_params *params) { wal_params_given(params, "stats"); }

static void undeclared_names_abort(void **state) {
  (void)state;
  void (*const asks[])(const wal_params *) = {ask_for_a_wrong_type, ask_for_a_wrong_name};
  wal_params *params = resolved(beach_node(NULL, NULL));
  for (int i = 0; i < 2; i++) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
      signal(SIGABRT, SIG_DFL);
      asks[i](params);
      _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
  }
  wal_params_destroy(&params);
}

int main(int argc, char **argv) {
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(fields_are_kept_in_byte_order),
      cmocka_unit_test(copies_are_deep),
      cmocka_unit_test(nodes_are_described),
      cmocka_unit_test(texts_are_cut_at_characters),
      cmocka_unit_test(numbers_read_back),
      cmocka_unit_test(nearest_names),
      cmocka_unit_test(defaults_are_filled),
      cmocka_unit_test(given_values_are_taken),
      cmocka_unit_test(an_empty_list_is_an_empty_record),
      cmocka_unit_test(unknown_names_are_refused),
      cmocka_unit_test(missing_parameters_are_named),
      cmocka_unit_test(wrong_types_are_refused),
      cmocka_unit_test(numbers_out_of_range_are_refused),
      cmocka_unit_test(wrong_words_are_refused),
      cmocka_unit_test(wrong_components_are_refused),
      cmocka_unit_test(wrong_arrays_are_refused),
      cmocka_unit_test(ragged_rows_are_named),
      cmocka_unit_test(arrays_of_another_shape_are_refused),
      cmocka_unit_test(distributions_are_checked),
      cmocka_unit_test(failures_name_the_value_s_line),
      cmocka_unit_test(functions_are_tabulated),
      cmocka_unit_test(wrong_functions_are_refused),
      cmocka_unit_test(parameters_are_visited_in_order),
      cmocka_unit_test(undeclared_names_abort),
  };
  wal_test_begin(&argc, &argv);
  return wal_test_end(cmocka_run_group_tests(tests, open_ctx, close_ctx));
}
