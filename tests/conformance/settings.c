// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/conformance/settings.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "auctions/mechanism.h"
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
    {"combination_lock", "length", 9},
    {"combination_lock", "actions", 4},
    {"combination_lock", "horizon", 12},
    {"combination_lock", "jam", 0.3},
    {"combination_lock", "rest", 0.5},
    {"combination_lock", "prize", 0.8},
    {"combination_lock", "seed", 3},
    {"crowd_avoidance", "horizon", 4},
    {"crowd_avoidance", "noise", 0.1},
    {"crowd_avoidance", "congestion", 1.5},
    {"crowd_modelling", "states", 23},
    {"crowd_modelling", "horizon", 4},
    {"crowd_modelling_2d", "horizon", 5},
    {"crowd_modelling_2d", "noise", 0.4},
    {"crowd_modelling_2d", "aversion", 0.7},
    {"crowd_motion", "horizon", 3},
    {"crowd_motion", "rows", 13},
    {"crowd_motion", "columns", 29},
    {"crowd_motion", "stay", 0.1},
    {"equilibrium_price", "horizon", 4},
    {"equilibrium_price", "inventory", 30},
    {"equilibrium_price", "quantity", 4},
    {"equilibrium_price", "order", 3},
    {"equilibrium_price", "elasticity", 2.5},
    {"evacuation", "horizon", 7},
    {"evacuation", "crowd_weight", 0.3},
    {"garnet", "states", 37},
    {"garnet", "actions", 3},
    {"garnet", "branching", 9},
    {"garnet", "horizon", 4},
    {"garnet", "seed", 7},
    {"garnet", "density", 0.3},
    {"garnet", "aversion", 0.2},
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
    {"crowd_modelling_2d", "bars", 2, {4, 3}, 0, 4, true},
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

static const struct {
  const char *game, *name, *text;
} TEXTS[] = {
    {"crowd_modelling_2d", "map",
     "..#......#.\n"
     "..#..##..#S\n"
     "##.S..#..#.\n"
     ".....#...#.\n"
     "..#......#.\n"},
    {"evacuation", "map",
     "E..#.....\n"
     "..U#..u..\n"
     "...#....U\n\n"
     ".#.......\n"
     "..D.##D..\n"
     "....#.U.X\n\n"
     ".........\n"
     "..##.....\n"
     "......D.D\n"},
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
  for (size_t i = 0; second && i < sizeof TEXTS / sizeof *TEXTS; i++)
    if (strcmp(TEXTS[i].game, game) == 0) wal_test_set_text(node, TEXTS[i].name, TEXTS[i].text);
  if (strcmp(game, "tabulated") == 0) settings_write_tables(node, second);
  return node;
}

/* Games of functions: rows of several lengths and rewards of the whole mass; then moves that vary
   by stage, outcomes, and a statistic of states, actions and stages. And games around games: where
   rewards are clipped on both sides; then one with two populations and a toll inside. */

typedef struct script {
  const char *game, *text[2];
} script;

static const script SCRIPTS[] = {
    {"bounded",
     {"return bounded { game = crowd_motion { rows = 5, columns = 7, horizon = 4 }, low = 1,\n"
      "  high = 3.5 }\n",
      "return bounded { low = -1, high = 2, game = bounded { low = -2, high = 3,\n"
      "  game = predator_prey { horizon = 3, toll = toll { on = 'state_action', max = 2 } } } "
      "}\n"}},
    {"custom",
     {"return custom {\n"
      "  states = 5, actions = 3, horizon = 4, initial = { 0.5, 0.5, 0, 0, 0 },\n"
      "  moves = function(h, s, a)\n"
      "    if a == 0 then return s end\n"
      "    return { { (s + a) % 5, 0.7 }, { (s + 2 * a) % 5, 0.2 }, { s, 0.1 } }\n"
      "  end,\n"
      "  reward = function(h, s, a, mass)\n"
      "    return -mass[s] - 0.5 * mass[(s + 1) % 5] - 0.1 * a\n"
      "  end,\n"
      "}\n",
      "return custom {\n"
      "  states = 37, actions = 3, horizon = 5, varies = true,\n"
      "  initial = function(s) return (s + 1) / 703 end,\n"
      "  moves = function(h, s, a, k)\n"
      "    if k == 0 then return { { s, 0.25 }, { (s + a + h) % 37, 0.75 } } end\n"
      "    if k == 1 then return (3 * s + a) % 37 end\n"
      "    local row = {}\n"
      "    for i = 1, h + 1 do row[i] = { (s * i + a) % 37, 1 / (h + 1) } end\n"
      "    return row\n"
      "  end,\n"
      "  statistic = function(h, s, a) return s / 37, a == 0 and 1 or 0, h * s * a / 100 end,\n"
      "  outcomes = function(h, s, a, z)\n"
      "    local p = 0.5 * z[1] + 0.01 * a\n"
      "    return 1 - p, 0.5 * p, 0.5 * p\n"
      "  end,\n"
      "  reward = function(h, s, a, z) return -math.abs(s / 37 - z[0]) - 0.2 * a * z[1] + z[2] "
      "end,\n"
      "}\n"}},
};

/* The second settings of mechanisms, and defaults of those that have none. */

static const struct {
  const char *name, *text[2];
} MECHANISMS[] = {
    {"first_price", {NULL, "reserve = 0.3"}},
    {"uniform_price", {NULL, "rule = 'highest_losing', reserve = function(h) return 0.11 * h end"}},
    {"all_pay", {NULL, "reserve = 0.25"}},
    {"posted_price", {NULL, "price = function(h) return 0.5 - 0.07 * h end"}},
    {"static",
     {NULL,
      "payment = function(h, bid) return bid ^ (2 + h) end, goods = function(h) return 0.5 ^ "
      "(h + 1) end, reserve = 0.07"}},
    {"neural", {"hidden = 16", "hidden = 7, slope = 'free', seed = 3, precision = 'double'"}},
    {"scripted",
     {"payment = function(bid, round) return 0.9 * bid end",
      "payment = function(bid, round) return bid * (1 + round) end, goods = function(round, left) "
      "return 0.4 * left + 0.1 * left * left / 1.1 end, reserve = 0.2"}},
};

const char *settings_mechanism(const char *name, bool second, char *buffer, size_t size) {
  const char *text = NULL;
  for (size_t i = 0; i < sizeof MECHANISMS / sizeof *MECHANISMS; i++)
    if (strcmp(MECHANISMS[i].name, name) == 0) text = MECHANISMS[i].text[second];
  snprintf(buffer, size, "%s { %s }", name, text ? text : "");
  return buffer;
}

/* A small auction with all that moves, and a mechanism in its second setting. */
static wal_status create_auction(wal_ctx *ctx, int64_t mechanism, wal_test_game *out) {
  char text[640], of_mechanism[400];
  const char *name = wal_mechanism_at(mechanism)->component.name;
  snprintf(text, sizeof text,
           "return batched_auction { rounds = 3, values = 23, bids = 17, goods = 1.1,\n"
           "  prior = geometric { ratio = 0.9 }, drift = gaussian { slope = 1.2, width = 0.2 },\n"
           "  reentry = 0.3, unsold = '%s', mechanism = %s }\n",
           mechanism % 2 ? "returned" : "lost",
           settings_mechanism(name, true, of_mechanism, sizeof of_mechanism));
  return wal_test_game_script(ctx, text, out);
}

int settings_count(const char *game) {
  return strcmp(game, "batched_auction") == 0 ? 1 + (int)wal_mechanism_count() : 2;
}

wal_status settings_create(wal_ctx *ctx, const char *game, int setting, wal_test_game *out) {
  if (setting > 0 && strcmp(game, "batched_auction") == 0)
    return create_auction(ctx, setting - 1, out);
  for (size_t i = 0; i < sizeof SCRIPTS / sizeof *SCRIPTS; i++)
    if (strcmp(SCRIPTS[i].game, game) == 0)
      return wal_test_game_script(ctx, SCRIPTS[i].text[setting], out);
  return wal_test_game_create(ctx, settings_describe(game, setting > 0), out);
}
