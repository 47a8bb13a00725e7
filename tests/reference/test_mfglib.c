// SPDX-License-Identifier: GPL-3.0-or-later
/* Exploitability, iteration by iteration, against traces of MFGLib (data/README.md). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/reference/run_game.h"

enum { EARLY = 10, LAST_UNMARKED = 100 };

static const double EARLY_TOLERANCE = 1e-9, LATE_TOLERANCE = 1e-7;
/** Of the start: by this much two programs may differ, say the data, where exploitability falls to
 *  nothing. */
static const double ROUND_OFF = 1e-10;

/* The settings of the file; left_right has no horizon. */

static const char *const SETTINGS[] = {
    "beach_bar_default",
    "beach_bar_n100_T15_bar50",
    "building_evacuation_3x5x5",
    "building_evacuation_default",
    "conservative_treasure_hunting_default",
    "crowd_motion_5x5_T10",
    "crowd_motion_default_20x20",
    "equilibrium_price_default",
    "left_right_default",
    "linear_quadratic_default",
    "random_linear_default",
    "rock_paper_scissors_default",
    "rock_paper_scissors_T5",
    "susceptible_infected_default",
};

enum { SETTING_COUNT = sizeof SETTINGS / sizeof SETTINGS[0] };

static json_t *traces;

/** Names of ours for names of theirs. */
static const char *const NAMES[][2] = {
    {"n", "states"},        {"bar_loc", "bar"},         {"n_floor", "floors"},
    {"floor_l", "rows"},    {"floor_w", "columns"},     {"torus_l", "rows"},
    {"torus_w", "columns"}, {"p1", "transition_slope"}, {"p2", "transition_offset"},
    {"r1", "reward_slope"}, {"r2", "reward_offset"},    {"bar_locs", "bar_path"},
};

static const char *own_name(const char *theirs) {
  for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
    if (strcmp(NAMES[i][0], theirs) == 0) return NAMES[i][1];
  return NULL;
}

static wal_node *game_of(json_t *setting) {
  const char *name = json_string_value(json_object_get(setting, "game"));
  if (strcmp(name, "conservative_treasure_hunting") == 0) name = "treasure_hunting";
  wal_node *game = wal_test_component(name);
  const char *key = NULL;
  json_t *value = NULL;
  // T is the last stage, ours counts stages; "T" among the arguments says the same again.
  double last = json_number_value(json_object_get(setting, "T"));
  if (strcmp(name, "left_right") != 0) wal_test_set_number(game, "horizon", last + 1);
  json_object_foreach(json_object_get(setting, "kwargs"), key, value) {
    if (strcmp(key, "T") == 0) continue;
    assert_non_null(own_name(key));
    wal_test_set_number(game, own_name(key), json_number_value(value));
  }
  json_object_foreach(setting, key, value) {
    if (!own_name(key) || !json_is_array(value)) continue;
    int64_t count = 0, extent[3];
    double *numbers = reference_numbers(value, &count, extent);
    int rank = extent[2] > 0 ? 3 : extent[1] > 0 ? 2 : 1;
    wal_node_set_field(game, own_name(key), wal_test_array(rank, extent, numbers));
    free(numbers);
  }
  return game;
}

/** "OMD(alpha=0.1)", "FP(alpha=0)", "PD(eta=2,n_inner=10)"; their eta is a temperature. */
static wal_node *learner_of(const char *label) {
  double number = 0;
  char inner[16] = "";
  if (sscanf(label, "OMD(alpha=%lf)", &number) == 1)
    return reference_learner("mirror_descent", "rate", number);
  if (sscanf(label, "FP(alpha=%lf)", &number) == 1)
    return reference_learner("fictitious_play", "rate", number);
  assert_int_equal(sscanf(label, "PD(eta=%lf,n_inner=%15[^)])", &number, inner), 2);
  wal_node *learner = reference_learner("prior_descent", "rate", 1 / number);
  if (strcmp(inner, "None") != 0) wal_test_set_number(learner, "inner", atof(inner));
  return learner;
}

/** Where a trace is a check for fewer iterations than the file says. */
static const struct {
  const char *setting, *label;
  int64_t last;
} SHORTER[] = {
    // At k = 4 actions whose values differ by round-off only part ways: no order of summation that
    // was tried, nor sharing among them, gives the file's number.
    {"building_evacuation_3x5x5", "FP(alpha=0.1)", 3},
    // Round-off grows tenfold in ten iterations.
    {"building_evacuation_3x5x5", "PD(eta=1,n_inner=None)", 90},
};

/** The last iteration up to which a trace is a check. */
static int64_t last_exact(const char *setting, const char *label, const json_t *trace,
                          int64_t count) {
  for (size_t i = 0; i < sizeof SHORTER / sizeof *SHORTER; i++)
    if (strcmp(SHORTER[i].setting, setting) == 0 && strcmp(SHORTER[i].label, label) == 0)
      return SHORTER[i].last;
  const json_t *marked = json_object_get(trace, "exact_through");
  if (json_is_integer(marked)) return (int64_t)json_integer_value(marked);
  if (strncmp(label, "FP", 2) == 0) return 0;  // ties are decided by round-off
  return count - 1 < LAST_UNMARKED ? count - 1 : LAST_UNMARKED;
}

static int compare_trace(const char *setting, json_t *data, const char *label, json_t *trace) {
  int64_t count = 0;
  double *expected = reference_numbers(json_object_get(trace, "exploitability"), &count, NULL);
  int64_t last = last_exact(setting, label, trace, count);
  double scale = fmax(1, expected[0]);
  int wrong = 0;
  reference_run run;
  reference_begin(&run, game_of(data), learner_of(label));
  for (int64_t k = 0; k <= last; k++) {
    double got = reference_step(&run).exploitability;
    double tolerance = k <= EARLY ? EARLY_TOLERANCE : LATE_TOLERANCE;
    if (fabs(got - expected[k]) <= tolerance * fabs(expected[k]) + ROUND_OFF * scale) continue;
    if (wrong++ == 0)
      print_error("%s, %s: k = %d: expected %.16g, got %.16g\n", setting, label, (int)k,
                  expected[k], got);
  }
  reference_end(&run);
  free(expected);
  return wrong;
}

static void follows_the_traces(void **state) {
  const char *setting = *state;
  json_t *data = json_object_get(traces, setting);
  assert_non_null(data);
  int wrong = 0, compared = 0;
  const char *label = NULL;
  json_t *trace = NULL;
  json_object_foreach(json_object_get(data, "traces"), label, trace) {
    wrong += compare_trace(setting, data, label, trace) > 0;
    compared++;
  }
  assert_true(compared >= 2);
  assert_int_equal(wrong, 0);
}

static void values_the_uniform_policy(void **state) {
  (void)state;
  for (int i = 0; i < SETTING_COUNT; i++) {
    json_t *data = json_object_get(traces, SETTINGS[i]);
    json_t *uniform = json_object_get(data, "uniform_policy");
    double own = json_number_value(json_object_get(uniform, "policy_value"));
    double best = json_number_value(json_object_get(uniform, "best_response_value"));
    reference_run run;
    reference_begin(&run, game_of(data), reference_learner("mirror_descent", NULL, 0));
    wal_measure measure = reference_look(&run);
    WAL_ASSERT_WITHIN(measure.value, own, 1e-12 * fmax(1, fabs(own)));
    WAL_ASSERT_WITHIN(measure.value + measure.exploitability, best, 1e-12 * fmax(1, fabs(best)));
    reference_end(&run);
  }
}

/** The policy at the end of a trace, where the file has it and the trace is exact to its end. */
static int compare_policy(json_t *data, const char *label, json_t *trace) {
  int64_t count = 0, steps = (int64_t)json_array_size(json_object_get(trace, "exploitability")) - 1;
  const json_t *policy = json_object_get(trace, "final_policy");
  if (!policy || json_integer_value(json_object_get(trace, "exact_through")) < steps) return 0;
  double *expected = reference_numbers(policy, &count, NULL);
  reference_run run;
  reference_begin(&run, game_of(data), learner_of(label));
  for (int64_t k = 0; k < steps; k++) reference_step(&run);
  const wal_shape *shape = &run.made.game.shape;
  int64_t pairs = shape->states * shape->actions;
  double *got = calloc((size_t)pairs, sizeof *got);
  assert_non_null(got);
  assert_true(count == shape->horizon * pairs);
  for (int h = 0; h < shape->horizon; h++) {
    wal_policy_export(&run.learner->policy, h, got);
    for (int64_t i = 0; i < pairs; i++)
      WAL_ASSERT_WITHIN(got[i], expected[h * pairs + i], LATE_TOLERANCE);
  }
  reference_end(&run);
  free(got);
  free(expected);
  return 1;
}

static void ends_at_the_same_policies(void **state) {
  (void)state;
  int compared = 0;
  for (int i = 0; i < SETTING_COUNT; i++) {
    json_t *data = json_object_get(traces, SETTINGS[i]);
    const char *label = NULL;
    json_t *trace = NULL;
    json_object_foreach(json_object_get(data, "traces"), label, trace) compared +=
        compare_policy(data, label, trace);
  }
  assert_true(compared >= 20);
}

static void knows_every_setting(void **state) {
  (void)state;
  const char *key = NULL;
  json_t *value = NULL;
  json_object_foreach(traces, key, value) {
    int known = !json_is_object(value);
    for (int i = 0; i < SETTING_COUNT; i++) known += strcmp(SETTINGS[i], key) == 0;
    if (known != 1) print_error("no test for %s\n", key);
    assert_int_equal(known, 1);
  }
}

/** A building drawn without walls is building_evacuation, to the last bit. */
static void follows_a_drawn_building(void **state) {
  (void)state;
  static const char *const LEARNERS[] = {"mirror_descent", "fictitious_play", "prior_descent"};
  for (int l = 0; l < 3; l++) {
    wal_node *building = wal_test_component("building_evacuation");
    wal_node *drawn = wal_test_component("evacuation");
    wal_test_set_number(building, "floors", 3);
    wal_test_set_number(building, "rows", 3);
    wal_test_set_number(building, "columns", 4);
    wal_test_set_number(drawn, "horizon", 4);
    wal_test_set_text(drawn, "map", "EEEE\nEEEE\nEEEu\n\nD...\n....\n...U\n\nD...\n....\n....\n");
    reference_run expected, got;
    reference_begin(&expected, building, reference_learner(LEARNERS[l], NULL, 0));
    reference_begin(&got, drawn, reference_learner(LEARNERS[l], NULL, 0));
    for (int k = 0; k <= 20; k++) {
      wal_measure want = reference_step(&expected), have = reference_step(&got);
      WAL_ASSERT_SAME(have.exploitability, want.exploitability);
      WAL_ASSERT_SAME(have.value, want.value);
    }
    reference_end(&expected);
    reference_end(&got);
  }
}

int main(int argc, char **argv) {
  enum { OTHERS = 4 };
  struct CMUnitTest tests[SETTING_COUNT + OTHERS] = {
      cmocka_unit_test(knows_every_setting),
      cmocka_unit_test(values_the_uniform_policy),
      cmocka_unit_test(ends_at_the_same_policies),
      cmocka_unit_test(follows_a_drawn_building),
  };
  for (int i = 0; i < SETTING_COUNT; i++)
    tests[OTHERS + i] = (struct CMUnitTest){.name = SETTINGS[i],
                                            .test_func = follows_the_traces,
                                            .initial_state = (void *)(uintptr_t)SETTINGS[i]};
  wal_test_begin(&argc, &argv);
  traces = reference_data("mfglib_traces.json");
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  json_decref(traces);
  return wal_test_end(failures);
}
