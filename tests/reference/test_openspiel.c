// SPDX-License-Identifier: GPL-3.0-or-later
/* NashConv (exploitability summed over the populations) against values of OpenSpiel
 * (data/README.md). */
#include <math.h>
#include <stdlib.h>

#include "tests/reference/run_game.h"

enum { STAGES = 10, PLACES = 10 };

/** Fictitious play with OpenSpiel's rule for ties. */
static wal_node *first_best(void) {
  wal_node *learner = reference_learner("fictitious_play", NULL, 0);
  wal_node *first = wal_node_create(WAL_NODE_TEXT, 1);
  wal_node_set_text(first, "first", 5);
  wal_node_set_field(learner, "ties", first);
  return learner;
}

/** The ring game, whose move costs are those of the first path visited: see data/README.md. */
static wal_node *crowd_modelling(void) {
  static const char *const LAST_MOVE[STAGES] = {
      "0000000000", "L0RRRRRRLL", "RRRRRRLLL0", "RRRRLLL0RR", "RRLLL0RRRR",
      "LLL0RRRRRR", "L0RRRRRRLL", "RRRRRRLLL0", "RRRRLLL0RR", "RRLLL0RRRR"};
  double numbers[STAGES * PLACES];
  for (int h = 0; h < STAGES; h++)
    for (int s = 0; s < PLACES; s++)
      numbers[h * PLACES + s] = LAST_MOVE[h][s] == 'L' ? -1 : LAST_MOVE[h][s] == 'R' ? 1 : 0;
  wal_node *game = wal_test_component("crowd_modelling");
  wal_node_set_field(game, "last_move",
                     wal_test_array(2, (const int64_t[]){STAGES, PLACES}, numbers));
  return game;
}

static wal_node *predator_prey(void) { return wal_test_component("predator_prey"); }

/** NashConv after `steps` steps. */
static double after(wal_node *game, wal_node *learner, int steps) {
  reference_run run;
  reference_begin(&run, game, learner);
  for (int k = 0; k < steps; k++) reference_step(&run);
  double nash_conv = reference_look(&run).exploitability;
  reference_end(&run);
  return nash_conv;
}

static void crowd_modelling_values_the_uniform_policy(void **state) {
  (void)state;
  reference_run run;
  reference_begin(&run, crowd_modelling(), reference_learner("mirror_descent", NULL, 0));
  wal_measure measure = reference_look(&run);
  WAL_ASSERT_NEAR(measure.exploitability, 2.8135365543870385, 1e-13);
  WAL_ASSERT_NEAR(measure.value + measure.exploitability, 30.029387484327486, 1e-13);
  WAL_ASSERT_NEAR(measure.value, 27.215850929940448, 1e-13);
  reference_end(&run);
  WAL_ASSERT_NEAR(
      after(wal_test_component("crowd_modelling"), reference_learner("mirror_descent", NULL, 0), 0),
      2.8240969364426114, 1e-13);
}

static void crowd_modelling_follows_every_learner(void **state) {
  (void)state;
  WAL_ASSERT_NEAR(after(crowd_modelling(), reference_learner("mirror_descent", "rate", 0.01), 10),
                  2.27366334635125, 1e-12);
  WAL_ASSERT_NEAR(after(crowd_modelling(), reference_learner("boltzmann", "rate", 0.01), 10),
                  2.75428450179718, 1e-12);
  WAL_ASSERT_NEAR(after(crowd_modelling(), first_best(), 10), 0.990803262691138, 1e-12);
  WAL_ASSERT_NEAR(after(crowd_modelling(), reference_learner("fixed_point", NULL, 0), 10),
                  55.7451018147526, 1e-12);
  WAL_ASSERT_NEAR(after(crowd_modelling(), reference_learner("fixed_point", "temperature", 10), 10),
                  2.42104681525084, 1e-12);
  WAL_ASSERT_NEAR(
      after(crowd_modelling(), reference_learner("fictitious_play", "temperature", 1), 10),
      1.06158822038147, 1e-12);
}

/** Compares a trace of the file up to iteration `most`. */
static void compare(wal_node *game, const char *setting, wal_node *learner, const char *label,
                    int64_t most, double tolerance) {
  json_t *data = reference_data("openspiel_traces.json");
  const json_t *runs = json_object_get(json_object_get(data, setting), "runs");
  const json_t *list = json_object_get(json_object_get(runs, label), "nash_conv");
  int64_t count = 0;
  double *expected = reference_numbers(list, &count, NULL);
  reference_run run;
  assert_true(most < count);
  reference_begin(&run, game, learner);
  for (int64_t k = 0; k <= most; k++)
    WAL_ASSERT_NEAR(reference_step(&run).exploitability, expected[k], tolerance);
  reference_end(&run);
  free(expected);
  json_decref(data);
}

static void crowd_modelling_follows_the_traces(void **state) {
  (void)state;
  const char *setting = "crowd_modelling_10x10h";
  compare(crowd_modelling(), setting, reference_learner("mirror_descent", "rate", 0.01),
          "OMD_clean(lr=0.01)", 30, 1e-12);
  compare(crowd_modelling(), setting, reference_learner("mirror_descent", "rate", 1),
          "OMD_clean(lr=1)", 30, 1e-10);
  compare(crowd_modelling(), setting, first_best(), "FP", 30, 1e-10);
}

static void predator_prey_values_the_uniform_policy(void **state) {
  (void)state;
  static const double BEST[3] = {35.990324944080946, 93.26827554775869, 93.44810110142372};
  static const double OWN[3] = {23.536354339445072, 81.22635443854861, 80.97560889004382};
  reference_run run;
  reference_begin(&run, predator_prey(), reference_learner("mirror_descent", NULL, 0));
  wal_measure measure = reference_look(&run);
  assert_int_equal(measure.populations, 3);
  WAL_ASSERT_NEAR(measure.exploitability, 36.9683839252259, 1e-13);
  // Their values of populations 1 and 2 count one stage at a start without mass, -ln(1e-25) more
  // whatever the policy.
  for (int p = 0; p < 3; p++) {
    double own = OWN[p] - (p > 0 ? 25 * log(10) : 0);
    WAL_ASSERT_NEAR(measure.value_of[p], own, 1e-13);
    WAL_ASSERT_NEAR(measure.exploitability_of[p], BEST[p] - OWN[p], 1e-12);
  }
  reference_end(&run);
}

static void predator_prey_follows_the_traces(void **state) {
  (void)state;
  const char *setting = "predator_prey_5x5x3";
  compare(predator_prey(), setting, reference_learner("mirror_descent", "rate", 0.01),
          "OMD_clean(lr=0.01)", 10, 1e-12);
  compare(predator_prey(), setting, reference_learner("mirror_descent", "rate", 1),
          "OMD_clean(lr=1)", 10, 1e-10);
  compare(predator_prey(), setting, first_best(), "FP", 10, 1e-10);
}

static void crowd_avoidance_follows_mirror_descent(void **state) {
  (void)state;
  static const double CONGESTION[2] = {0, 1}, UNIFORM[2] = {6.27654345237879, 5.42326814394274};
  static const double TENTH[2] = {0.0637423596015142, 0.0846002799386};
  for (int i = 0; i < 2; i++)
    for (int steps = 0; steps <= 10; steps += 10) {
      wal_node *game = wal_test_component("crowd_avoidance");
      wal_test_set_number(game, "congestion", CONGESTION[i]);
      double got = after(game, reference_learner("mirror_descent", NULL, 0), steps);
      WAL_ASSERT_WITHIN(got, steps == 0 ? UNIFORM[i] : TENTH[i], 1e-13);
    }
}

static wal_node *crowd_modelling_2d(bool rooms, bool distribution_only) {
  wal_node *game = wal_test_component("crowd_modelling_2d");
  wal_node *flag = wal_node_create(WAL_NODE_FLAG, 1);
  flag->flag = distribution_only;
  wal_node_set_field(game, "distribution_only", flag);
  if (rooms) wal_test_set_text(game, "map", "four_rooms");
  return game;
}

/** A small torus with everything that can be set. */
static wal_node *small_torus(void) {
  static const double START[2][3] = {{0, 0, 1}, {1, 5, 3}}, BARS[2][3] = {{0, 1, 1}, {2, 5, 0.5}};
  wal_node *game = wal_test_component("crowd_modelling_2d");
  wal_test_set_text(game, "map", "......\n..##..\n......\n#.....\n");
  wal_test_set_number(game, "horizon", 6);
  wal_test_set_number(game, "noise", 0.3);
  wal_test_set_number(game, "aversion", 0.7);
  wal_node_set_field(game, "start", wal_test_array(2, (const int64_t[]){2, 3}, START[0]));
  wal_node_set_field(game, "bars", wal_test_array(2, (const int64_t[]){2, 3}, BARS[0]));
  return game;
}

/* The values are those of data/crowd_modelling_2d.py, which shares no code with walras. */
static void crowd_modelling_2d_follows_mirror_descent(void **state) {
  (void)state;
  static const struct {
    bool small, rooms, distribution_only;
    double rate, uniform;
    int steps;
    double later;
  } RUNS[] = {{false, true, true, 0.01, 167.66044647142792, 10, 47.87594658699783},
              // from cell to cell: round-off grows twentyfold a step; from long double arithmetic
              {false, true, true, 1, 167.66044647142796, 5, 176.87926894255243},
              {false, true, false, 0.01, 162.3177173496222, 10, 46.98869362464896},
              {false, false, false, 0.01, 5.440783924223989, 10, 4.329644047927077},
              {true, false, false, 0.3, 4.664115129089865, 10, 0.18357791357507436}};
  for (size_t i = 0; i < sizeof RUNS / sizeof RUNS[0]; i++)
    for (int steps = 0; steps <= RUNS[i].steps; steps += RUNS[i].steps) {
      wal_node *game = RUNS[i].small ? small_torus()
                                     : crowd_modelling_2d(RUNS[i].rooms, RUNS[i].distribution_only);
      double got = after(game, reference_learner("mirror_descent", "rate", RUNS[i].rate), steps);
      WAL_ASSERT_NEAR(got, steps == 0 ? RUNS[i].uniform : RUNS[i].later, 1e-12);
    }
}

/** Reward and legal actions that OpenSpiel's playthrough prints on 10 x 10 cells under the uniform
 * distribution; its fee for the last move, 1/10, is not part of our game. */
static void crowd_modelling_2d_pays_as_the_playthrough(void **state) {
  (void)state;
  static const struct {
    int x, y;
    double reward, fee;
  } SEEN[] = {{8, 7, 5.605170185988091, 0}, {8, 9, 5.105170185988091, 0.1}};
  double mass[100], policy[500], reward[500];
  unsigned char legal[100];
  for (int i = 0; i < 500; i++) mass[i % 100] = 0.01, policy[i] = 0.2;
  reference_run run;
  reference_begin(&run, crowd_modelling_2d(false, false),
                  reference_learner("mirror_descent", NULL, 0));
  const wal_game *game = &run.made.game;
  assert_int_equal(game->shape.horizon, 10);
  wal_game_stage(game, &(wal_slab){1, 0, 100, 100}, mass, policy, NULL, reward, NULL);
  for (int i = 0; i < 2; i++)
    WAL_ASSERT_WITHIN(reward[SEEN[i].y * 10 + SEEN[i].x], SEEN[i].reward + SEEN[i].fee, 1e-13);
  for (int a = 0; a < 5; a++) {
    game->type->legal(game->self, a, 0, 100, legal);
    for (int s = 0; s < 100; s++) assert_int_equal(legal[s], 1);
  }
  reference_end(&run);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(crowd_modelling_values_the_uniform_policy),
    cmocka_unit_test(crowd_modelling_follows_every_learner),
    cmocka_unit_test(crowd_modelling_follows_the_traces),
    cmocka_unit_test(crowd_avoidance_follows_mirror_descent),
    cmocka_unit_test(crowd_modelling_2d_follows_mirror_descent),
    cmocka_unit_test(crowd_modelling_2d_pays_as_the_playthrough),
    cmocka_unit_test(predator_prey_values_the_uniform_policy),
    cmocka_unit_test(predator_prey_follows_the_traces),
};

WAL_TEST_MAIN(tests)
