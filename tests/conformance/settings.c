// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/conformance/settings.h"

#include <math.h>
#include <string.h>

#include "sim/core/random.h"

enum { SEED = 20 };

/* The second settings. */

typedef struct change {
  const char *game, *name;
  double number;
} change;

static const change CHANGES[] = {
    {"beach_bar", "horizon", 5},
    {"beach_bar", "states", 37},
    {"beach_bar", "bar", 11},
    {"beach_bar", "stay", 0.3},
    {"beach_bar", "log_offset", 1e-6},
    {"building_evacuation", "floors", 7},
    {"building_evacuation", "rows", 3},
    {"building_evacuation", "columns", 11},
    {"building_evacuation", "crowd_weight", 0.5},
    {"building_evacuation", "exit_reward", 4},
    {"crowd_modelling", "states", 23},
    {"crowd_modelling", "horizon", 4},
    {"crowd_motion", "horizon", 3},
    {"crowd_motion", "rows", 13},
    {"crowd_motion", "columns", 29},
    {"crowd_motion", "stay", 0.1},
    {"equilibrium_price", "horizon", 4},
    {"equilibrium_price", "inventory", 30},
    {"equilibrium_price", "quantity", 4},
    {"equilibrium_price", "order", 3},
    {"equilibrium_price", "elasticity", 2.5},
    {"linear_quadratic", "half_width", 20},
    {"linear_quadratic", "max_action", 3},
    {"linear_quadratic", "noise", 0.7},
    {"linear_quadratic", "step", 1},
    {"predator_prey", "rows", 6},
    {"predator_prey", "columns", 9},
    {"predator_prey", "horizon", 3},
    {"random_linear", "states", 9},
    {"rock_paper_scissors", "horizon", 6},
    {"susceptible_infected", "horizon", 3},
    {"treasure_hunting", "places", 11},
    {"treasure_hunting", "horizon", 4},
};

typedef struct table {
  const char *game, *name;
  int rank;
  int64_t extent[2];
  double low, high; /**< drawn from here; both 0: a random distribution */
  bool whole;
} table;

static const table TABLES[] = {
    {"beach_bar", "initial", 1, {37, 0}, 0, 0, false},
    {"crowd_modelling", "last_move", 2, {4, 23}, -1, 1, true},
    {"crowd_motion", "bar_path", 2, {3, 2}, 0, 12, true},
    {"equilibrium_price", "costs", 1, {5, 0}, 0, 2, false},
    {"left_right", "initial", 1, {3, 0}, 0, 0, false},
    {"predator_prey", "preference", 2, {4, 4}, -2, 2, false},
    {"predator_prey", "starts", 2, {4, 2}, 0, 5, true},
    {"random_linear", "reward_slope", 2, {9, 9}, -3, 3, false},
    {"rock_paper_scissors", "initial", 1, {4, 0}, 0, 0, false},
    {"susceptible_infected", "initial", 1, {2, 0}, 0, 0, false},
    {"treasure_hunting", "rewards", 1, {11, 0}, 0, 3, false},
    {"treasure_hunting", "crowding", 1, {3, 0}, 0, 3, false},
};

static double draw(int64_t i, uint32_t stage) {
  return wal_random_uniform(SEED, WAL_PURPOSE_TEST, (uint64_t)i, stage, 0);
}

static wal_node *random_table(const table *t) {
  double numbers[128], total = 0;
  int64_t count = t->extent[0] * (t->rank > 1 ? t->extent[1] : 1);
  bool distribution = t->low == 0 && t->high == 0;
  assert_true(count <= 128);
  for (int64_t i = 0; i < count; i++) {
    double x = draw(i, 99);
    numbers[i] = distribution ? x : t->low + x * (t->high - t->low);
    if (t->whole) numbers[i] = rint(numbers[i]);
    total += numbers[i];
  }
  for (int64_t i = 0; distribution && i < count; i++) numbers[i] /= total;
  return wal_test_array(t->rank, t->extent, numbers);
}

wal_node *settings_describe(const char *game, bool second) {
  wal_node *node = wal_test_component(game);
  for (size_t i = 0; second && i < sizeof CHANGES / sizeof *CHANGES; i++)
    if (strcmp(CHANGES[i].game, game) == 0)
      wal_test_set_number(node, CHANGES[i].name, CHANGES[i].number);
  for (size_t i = 0; second && i < sizeof TABLES / sizeof *TABLES; i++)
    if (strcmp(TABLES[i].game, game) == 0)
      wal_node_set_field(node, TABLES[i].name, random_table(&TABLES[i]));
  if (strcmp(game, "tabulated") == 0) settings_write_tables(node, second);
  return node;
}
