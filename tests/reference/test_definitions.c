// SPDX-License-Identifier: GPL-3.0-or-later
/* Rewards and transition probabilities against their definitions, written down a second time and
 * summed without any cleverness, in settings that the traces of other programs do not reach: those
 * start from symmetric masses, where much cancels. */
#include <math.h>
#include <stdlib.h>

#include "sim/core/random.h"
#include "tests/support/make_game.h"

static const double TOLERANCE = 1e-13;

/** A game at one stage, with a lopsided mass and policy. */
typedef struct view {
  wal_ctx *ctx;
  wal_test_game made;
  const wal_shape *shape;
  int stage;
  double *mass, *policy; /**< [S], [A][S] */
  double *reward;        /**< [A][S] */
  double *transition;    /**< [S'][A][S] */
} view;

static double *room(int64_t count) {
  double *numbers = calloc((size_t)count, sizeof *numbers);
  assert_non_null(numbers);
  return numbers;
}

/** transition[s'][a][s] = sum_k c_k(s,a) N(s' | t_k(s,a)). */
static void find_transition(view *v, const double *outcome) {
  const wal_game *game = &v->made.game;
  int64_t states = v->shape->states, post = v->shape->post_states,
          pairs = states * v->shape->actions;
  int terms = v->shape->noise_terms;
  int64_t *map = calloc((size_t)states, sizeof *map);
  int64_t *target = calloc((size_t)(terms * post + 1), sizeof *target);
  double *weight = room(terms * post + 1);
  assert_true(map && target);
  if (terms > 0) game->type->noise(game->self, 0, 0, post, target, weight);
  for (int k = 0; k < v->shape->outcomes; k++)
    for (int a = 0; a < v->shape->actions; a++) {
      game->type->move(game->self, 0, k, a, 0, states, map);
      for (int64_t s = 0; s < states; s++) {
        int64_t at = a * states + s;
        double chance = v->shape->outcomes > 1 ? outcome[k * pairs + at] : 1;
        if (terms == 0) v->transition[map[s] * pairs + at] += chance;
        for (int e = 0; e < terms; e++)
          if (weight[e * post + map[s]] > 0)
            v->transition[target[e * post + map[s]] * pairs + at] +=
                chance * weight[e * post + map[s]];
      }
    }
  free(map);
  free(target);
  free(weight);
}

static void open_view(view *v, wal_node *component, int stage) {
  memset(v, 0, sizeof *v);
  v->ctx = wal_test_ctx(3);
  WAL_ASSERT_OK(v->ctx, wal_test_game_create(v->ctx, component, &v->made));
  const wal_game *game = &v->made.game;
  const wal_shape *shape = v->shape = &game->shape;
  int64_t states = shape->states, pairs = states * shape->actions;
  int populations = shape->populations, numbers = (int)wal_game_statistics(game);
  v->stage = stage;
  v->mass = room(states);
  v->policy = room(pairs);
  v->reward = room(pairs);
  v->transition = room(states * pairs);
  double *statistics = room((int64_t)shape->horizon * numbers + 1);
  double *outcome = room(shape->outcomes * pairs);
  for (int64_t s = 0; s < states; s++) {
    int64_t cell = s / populations, cells = states / populations;
    v->mass[s] = 2.0 * (double)(cell + 1) / (double)(cells * (cells + 1));
    double total = 0;
    for (int a = 0; a < shape->actions; a++) total += 1 + (double)((3 * a + s) % 5);
    for (int a = 0; a < shape->actions; a++)
      v->policy[a * states + s] = (1 + (double)((3 * a + s) % 5)) / total;
  }
  wal_slab slab = {stage, 0, states, states};
  double *statistic = statistics + (int64_t)stage * numbers;
  if (game->type->couple) game->type->couple(game->self, &slab, v->mass, v->policy, statistic);
  if (game->type->settle) game->type->settle(game->self, stage, statistics);
  wal_game_stage(game, &slab, v->mass, v->policy, statistic, v->reward,
                 shape->outcomes > 1 ? outcome : NULL);
  find_transition(v, outcome);
  free(statistics);
  free(outcome);
}

static void close_view(view *v) {
  free(v->mass);
  free(v->policy);
  free(v->reward);
  free(v->transition);
  wal_test_game_destroy(v->ctx, &v->made);
  wal_ctx_destroy(&v->ctx);
}

static double joint(const view *v, int64_t s, int a) {
  return v->mass[s] * v->policy[a * v->shape->states + s];
}

static void expect_reward(const view *v, int64_t s, int a, double expected) {
  double got = v->reward[a * v->shape->states + s];
  WAL_ASSERT_WITHIN(got, expected, TOLERANCE * fmax(1, fabs(expected)));
}

static void expect_chance(const view *v, int64_t s, int a, int64_t next, double expected) {
  double got = v->transition[(next * v->shape->actions + a) * v->shape->states + s];
  WAL_ASSERT_WITHIN(got, expected, TOLERANCE);
}

static void set_list(wal_node *component, const char *name, int64_t count, const double *numbers) {
  wal_node_set_field(component, name, wal_test_array(1, &count, numbers));
}

static int64_t clip(int64_t x, int64_t low, int64_t high) {
  return x < low ? low : x > high ? high : x;
}

static void beach_bar(void **state) {
  (void)state;
  enum { N = 7, BAR = 1 };
  static const double RING[N] = {1, 0, 1, 2, 3, 3, 2};
  view v;
  wal_node *node = wal_test_component("beach_bar");
  wal_test_set_number(node, "states", N);
  wal_test_set_number(node, "bar", BAR);
  wal_test_set_number(node, "stay", 0.6);
  wal_test_set_number(node, "log_offset", 1e-3);
  open_view(&v, node, 1);
  for (int s = 0; s < N; s++)
    for (int a = -1; a <= 1; a++) {
      expect_reward(&v, s, a + 1, -RING[s] - abs(a) / 7.0 - log(v.mass[s] + 1e-3));
      double chance[N] = {0};
      for (int e = -1; e <= 1; e++) chance[clip(s + a + e, 0, N - 1)] += e == 0 ? 0.6 : 0.2;
      for (int next = 0; next < N; next++) expect_chance(&v, s, a + 1, next, chance[next]);
    }
  close_view(&v);
}

static void building_evacuation(void **state) {
  (void)state;
  view v;
  wal_node *node = wal_test_component("building_evacuation");
  wal_test_set_number(node, "floors", 3);
  wal_test_set_number(node, "rows", 2);
  wal_test_set_number(node, "columns", 4);
  wal_test_set_number(node, "crowd_weight", 0.7);
  wal_test_set_number(node, "exit_reward", 3);
  wal_test_set_number(node, "log_offset", 0.02);
  open_view(&v, node, 2);
  for (int s = 0; s < 24; s++) {
    int floor = s / 8, row = s / 4 % 2, column = s % 4;
    double crowd = v.mass[s] > 0.02 ? v.mass[s] : 0.02;
    int next[6] = {floor * 8 + 4 + column,
                   floor * 8 + column,
                   floor * 8 + row * 4 + (column > 0 ? column - 1 : 0),
                   floor * 8 + row * 4 + (column < 3 ? column + 1 : 3),
                   s % 8 == 0 && floor > 0 ? s - 8 : s,
                   s % 8 == 7 && floor < 2 ? s + 8 : s};
    for (int a = 0; a < 6; a++) {
      expect_reward(&v, s, a, (floor == 0 ? 3 : 0) - 0.7 * log(crowd));
      for (int to = 0; to < 24; to++) expect_chance(&v, s, a, to, to == next[a] ? 1 : 0);
    }
  }
  close_view(&v);
}

static void crowd_modelling(void **state) {
  (void)state;
  enum { N = 7 };
  view v;
  wal_node *node = wal_test_component("crowd_modelling");
  wal_test_set_number(node, "states", N);
  wal_test_set_number(node, "log_offset", 1e-3);
  open_view(&v, node, 9);
  for (int s = 0; s < N; s++)
    for (int a = -1; a <= 1; a++) {
      expect_reward(&v, s, a + 1, 1 - abs(s - 3) / 3.0 - log(v.mass[s] + 1e-3));
      for (int next = 0; next < N; next++) {
        int gap = (next - s - a + 2 * N) % N;
        expect_chance(&v, s, a + 1, next, gap <= 1 || gap == N - 1 ? 1 / 3.0 : 0);
      }
    }
  close_view(&v);
}

static void crowd_motion(void **state) {
  (void)state;
  enum { ROWS = 3, COLUMNS = 5, CELLS = ROWS * COLUMNS };
  static const int MOVES[5][2] = {{1, 0}, {-1, 0}, {0, 1}, {0, -1}, {0, 0}};
  view v;
  wal_node *node = wal_test_component("crowd_motion");
  wal_test_set_number(node, "rows", ROWS);
  wal_test_set_number(node, "columns", COLUMNS);
  wal_test_set_number(node, "attraction", 4);
  wal_test_set_number(node, "stay", 0.2);
  wal_test_set_number(node, "log_offset", 1e-3);
  open_view(&v, node, 0);
  for (int s = 0; s < CELLS; s++)
    for (int a = 0; a < 5; a++) {
      int row = s / COLUMNS, column = s % COLUMNS;
      double distance = abs(row - 1) + abs(column - 2);
      expect_reward(&v, s, a, 4 * (1 - distance / 8) - log(v.mass[s] + 1e-3));
      double chance[CELLS] = {0};
      for (int e = 0; e < 5; e++) {
        int64_t to_row = clip(row + MOVES[a][0] + MOVES[e][0], 0, ROWS - 1);
        int64_t to_column = clip(column + MOVES[a][1] + MOVES[e][1], 0, COLUMNS - 1);
        chance[to_row * COLUMNS + to_column] += 0.2;
      }
      for (int next = 0; next < CELLS; next++) expect_chance(&v, s, a, next, chance[next]);
    }
  close_view(&v);
}

static void equilibrium_price(void **state) {
  (void)state;
  static const double COSTS[5] = {0.5, 0.2, 0.3, 0.7, 0.1};
  view v;
  wal_node *node = wal_test_component("equilibrium_price");
  wal_test_set_number(node, "inventory", 4);
  wal_test_set_number(node, "quantity", 3);
  wal_test_set_number(node, "order", 1);
  wal_test_set_number(node, "demand", 5);
  wal_test_set_number(node, "supply_offset", 0.4);
  wal_test_set_number(node, "elasticity", 2.5);
  set_list(node, "costs", 5, COSTS);
  open_view(&v, node, 3);
  double supply = 0;
  for (int s = 0; s < 5; s++)
    for (int a = 0; a < 8; a++) supply += a / 2 * joint(&v, s, a);
  double price = pow(5 / (supply + 0.4), 1 / 2.5);
  for (int s = 0; s < 5; s++)
    for (int a = 0; a < 8; a++) {
      int q = a / 2, o = a % 2, left = s - (q < s ? q : s) + o;
      expect_reward(
          &v, s, a,
          (price - 0.5) * q - 0.2 * q * q - 0.3 * o - 1.0 * (q > s ? q - s : 0) - 0.1 * s);
      for (int next = 0; next < 5; next++)
        expect_chance(&v, s, a, next, next == (left < 4 ? left : 4) ? 1 : 0);
    }
  close_view(&v);
}

static void linear_quadratic(void **state) {
  (void)state;
  enum { W = 4, N = 2 * W + 1 };
  for (int last = 0; last < 2; last++) {
    view v;
    wal_node *node = wal_test_component("linear_quadratic");
    wal_test_set_number(node, "horizon", 3);
    wal_test_set_number(node, "half_width", W);
    wal_test_set_number(node, "noise", 0.8);
    wal_test_set_number(node, "step", 0.5);
    wal_test_set_number(node, "drift", 0.9);
    wal_test_set_number(node, "coupling", 0.3);
    wal_test_set_number(node, "terminal_cost", 2);
    open_view(&v, node, last ? 2 : 1);
    double mean = 0, total = 0;
    for (int s = 0; s < N; s++) mean += v.mass[s] * (s - W);
    for (int i = -3; i <= 3; i++) total += exp(-0.64 * i * i / 2);
    assert_true(mean > 0.5);
    for (int s = 0; s < N; s++)
      for (int a = -2; a <= 2; a++) {
        double x = s - W, gap = mean - x, chance[N] = {0};
        expect_reward(
            &v, s, a + 2,
            last ? -2 * gap * gap / 2 : 0.5 * (-a * a / 2.0 + 0.3 * a * gap - 0.5 * gap * gap / 2));
        for (int i = -3; i <= 3; i++) {
          double to = rint(x + (0.9 * gap + a) * 0.5 + 0.8 * (0.8 * i) * sqrt(0.5));
          chance[clip((int64_t)to, -W, W) + W] += exp(-0.64 * i * i / 2) / total;
        }
        for (int next = 0; next < N; next++) expect_chance(&v, s, a + 2, next, chance[next]);
      }
    close_view(&v);
  }
}

static void predator_prey(void **state) {
  (void)state;
  enum { ROWS = 2, COLUMNS = 4, CELLS = ROWS * COLUMNS };
  static const int MOVES[5][2] = {{0, 0}, {1, 0}, {0, 1}, {0, -1}, {-1, 0}};
  static const double LIKES[2][2] = {{0.5, 3}, {-2, 0.25}}, STARTS[2][2] = {{1, 3}, {0, 2}};
  view v;
  wal_node *node = wal_test_component("predator_prey");
  wal_test_set_number(node, "rows", ROWS);
  wal_test_set_number(node, "columns", COLUMNS);
  wal_test_set_number(node, "noise", 0.4);
  wal_node_set_field(node, "preference", wal_test_array(2, (const int64_t[]){2, 2}, LIKES[0]));
  wal_node_set_field(node, "starts", wal_test_array(2, (const int64_t[]){2, 2}, STARTS[0]));
  open_view(&v, node, 0);
  double start[2 * CELLS];
  v.made.game.type->initial(v.made.game.self, 0, 2L * CELLS, start);
  for (int s = 0; s < 2 * CELLS; s++) {
    int cell = s / 2, p = s % 2, row = cell / COLUMNS, column = cell % COLUMNS;
    WAL_ASSERT_SAME(start[s], row == STARTS[p][0] && column == STARTS[p][1] ? 1 : 0);
    for (int a = 0; a < 5; a++) {
      expect_reward(&v, s, a,
                    -log(v.mass[s] + 1e-25) + LIKES[p][0] * v.mass[2 * cell] +
                        LIKES[p][1] * v.mass[2 * cell + 1]);
      double chance[2 * CELLS] = {0};
      int64_t at_row = clip(row + MOVES[a][0], 0, ROWS - 1);
      int64_t at_column = clip(column + MOVES[a][1], 0, COLUMNS - 1);
      for (int e = 0; e < 5; e++) {
        int64_t to_row = clip(at_row + MOVES[e][0], 0, ROWS - 1);
        int64_t to_column = clip(at_column + MOVES[e][1], 0, COLUMNS - 1);
        chance[2 * (to_row * COLUMNS + to_column) + p] += e == 0 ? 0.6 : 0.1;
      }
      for (int next = 0; next < 2 * CELLS; next++) expect_chance(&v, s, a, next, chance[next]);
    }
  }
  close_view(&v);
}

static void crowd_avoidance(void **state) {
  (void)state;
  // as (x, y): the walls inside, the targets, and the moves
  static const int MOVES[5][2] = {{0, 0}, {1, 0}, {0, 1}, {0, -1}, {-1, 0}};
  static const int TARGET[2][2] = {{5, 3}, {1, 3}};
  view v;
  wal_node *node = wal_test_component("crowd_avoidance");
  wal_test_set_number(node, "noise", 0.3);
  wal_test_set_number(node, "congestion", 1.5);
  open_view(&v, node, 0);
  double start[98];
  v.made.game.type->initial(v.made.game.self, 0, 98, start);
  WAL_ASSERT_SAME(start[2 * (2 * 7 + 1)] + start[2 * (2 * 7 + 2)], 0.8);
  WAL_ASSERT_SAME(start[2 * (4 * 7 + 1)], 0.2);
  WAL_ASSERT_SAME(start[2 * (4 * 7 + 4) + 1] + start[2 * (4 * 7 + 5) + 1], 0.8);
  WAL_ASSERT_SAME(start[2 * (2 * 7 + 5) + 1], 0.2);
  for (int s = 0; s < 98; s++) {
    int x = s / 2 % 7, y = s / 14, p = s % 2;
    bool target = x == TARGET[p][0] && y == TARGET[p][1];
    for (int a = 0; a < 5; a++) {
      double chance[98] = {0};
      expect_reward(&v, s, a, (target ? 1 : 0) - 1.5 * v.mass[s + 1 - 2 * p]);
      if (x % 6 == 0 || y % 6 == 0 || (x == 3 && y % 2 == 1)) continue;
      for (int e = 0; e < 5; e++) {
        int at[2] = {x, y};
        for (int half = 0; half < 2; half++) {
          int to_x = at[0] + MOVES[half ? e : a][0], to_y = at[1] + MOVES[half ? e : a][1];
          bool wall = to_x % 6 == 0 || to_y % 6 == 0 || (to_x == 3 && to_y % 2 == 1);
          if (!wall) at[0] = to_x, at[1] = to_y;
        }
        chance[2 * (at[1] * 7 + at[0]) + p] += e == 0 ? 0.7 : 0.075;
      }
      for (int next = 0; next < 98; next++) expect_chance(&v, s, a, next, chance[next]);
    }
  }
  close_view(&v);
}

static int wrap(int x, int n) { return (x + n) % n; }

static void crowd_modelling_2d(void **state) {
  (void)state;
  enum { ROWS = 3, COLUMNS = 5, CELLS = ROWS * COLUMNS };
  static const int MOVES[5][2] = {{-1, 0}, {0, -1}, {0, 0}, {0, 1}, {1, 0}};
  static const char MAP[] = "..#..S.......##";
  static const double BARS[2][3] = {{0, 4, 2}, {2, 1, -0.5}};
  view v;
  wal_node *node = wal_test_component("crowd_modelling_2d");
  wal_test_set_text(node, "map", "\r\n   ..#..\r\n   S....  \n   ...##\n  ");
  wal_test_set_number(node, "noise", 0.6);
  wal_test_set_number(node, "aversion", 0.5);
  wal_test_set_number(node, "log_offset", 1e-3);
  wal_node_set_field(node, "bars", wal_test_array(2, (const int64_t[]){2, 3}, BARS[0]));
  open_view(&v, node, 0);
  assert_int_equal(v.shape->states, CELLS);
  double start[CELLS];
  v.made.game.type->initial(v.made.game.self, 0, CELLS, start);
  for (int s = 0; s < CELLS; s++) {
    int row = s / COLUMNS, column = s % COLUMNS;
    double liking = 2 - 2 * 2 / 3.0 * row - 2 * 2 / 5.0 * abs(column - 4) +
                    2 * 0.5 / 3 * abs(row - 2) + 2 * 0.5 / 5 * abs(column - 1);
    WAL_ASSERT_SAME(start[s], MAP[s] == 'S' ? 1 : 0);
    for (int a = 0; a < 5; a++) {
      unsigned char legal;
      double chance[CELLS] = {0};
      int at_row = wrap(row + MOVES[a][0], ROWS), at_column = wrap(column + MOVES[a][1], COLUMNS);
      bool wall = MAP[s] == '#', may = wall ? a == 2 : MAP[at_row * COLUMNS + at_column] != '#';
      v.made.game.type->legal(v.made.game.self, a, s, 1, &legal);
      assert_int_equal(legal, may);
      expect_reward(&v, s, a, wall ? 0 : liking - 0.5 * log(v.mass[s] + 1e-3));
      if (wall || !may) continue;
      int to[5], allowed = 0;
      for (int e = 0; e < 5; e++) {
        to[e] = wrap(at_row + MOVES[e][0], ROWS) * COLUMNS + wrap(at_column + MOVES[e][1], COLUMNS);
        if (MAP[to[e]] == '#') to[e] = -1;
        allowed += to[e] >= 0;
      }
      chance[at_row * COLUMNS + at_column] += 0.4;
      for (int e = 0; e < 5; e++)
        if (to[e] >= 0) chance[to[e]] += 0.6 / allowed;
      for (int next = 0; next < CELLS; next++) expect_chance(&v, s, a, next, chance[next]);
    }
  }
  close_view(&v);
}

static void evacuation(void **state) {
  (void)state;
  enum { ROWS = 2, COLUMNS = 4, FLOOR = ROWS * COLUMNS, CELLS = 3 * FLOOR };
  static const int MOVES[4][2] = {{1, 0}, {-1, 0}, {0, -1}, {0, 1}};
  static const char MAP[] =
      "E#u..SU."
      ".#X.#.DE"
      "..D#SS..";
  view v;
  wal_node *node = wal_test_component("evacuation");
  wal_test_set_text(node, "map", "E#u.\n.SU.\n\n\n.#X.\n#.DE\n  \n..D#\nSS..");
  wal_test_set_number(node, "crowd_weight", 0.7);
  wal_test_set_number(node, "exit_reward", 3);
  wal_test_set_number(node, "log_offset", 0.02);
  open_view(&v, node, 0);
  assert_int_equal(v.shape->states, CELLS);
  double start[CELLS];
  v.made.game.type->initial(v.made.game.self, 0, CELLS, start);
  for (int s = 0; s < CELLS; s++) {
    char c = MAP[s];
    int row = s / COLUMNS % ROWS, column = s % COLUMNS;
    WAL_ASSERT_SAME(start[s], c == 'S' ? 1 / 3.0 : 0);
    for (int a = 0; a < 6; a++) {
      int next = s;
      if (a < 4) {
        int to_row = row + MOVES[a][0], to_column = column + MOVES[a][1];
        bool on = to_row >= 0 && to_row < ROWS && to_column >= 0 && to_column < COLUMNS;
        int there = s / FLOOR * FLOOR + to_row * COLUMNS + to_column;
        if (c != '#' && on && MAP[there] != '#') next = there;
      } else if (a == 4) {
        next = c == 'D' || c == 'X' ? s - FLOOR : s;
      } else {
        next = c == 'U' || c == 'X' || c == 'u' ? s + FLOOR : s;
      }
      for (int to = 0; to < CELLS; to++) expect_chance(&v, s, a, to, to == next ? 1 : 0);
      double crowd = v.mass[s] > 0.02 ? v.mass[s] : 0.02;
      expect_reward(&v, s, a, c == '#' ? 0 : (c == 'E' || c == 'u' ? 3 : 0) - 0.7 * log(crowd));
    }
  }
  close_view(&v);
}

enum { GARNET_STATES = 12, GARNET_ACTIONS = 500, GARNET_BRANCHING = 4 };

static wal_node *garnet_of(double seed, double density) {
  wal_node *node = wal_test_component("garnet");
  wal_test_set_number(node, "states", GARNET_STATES);
  wal_test_set_number(node, "actions", GARNET_ACTIONS);
  wal_test_set_number(node, "branching", GARNET_BRANCHING);
  wal_test_set_number(node, "seed", seed);
  wal_test_set_number(node, "density", density);
  wal_test_set_number(node, "aversion", 0.5);
  wal_test_set_number(node, "log_offset", 1e-3);
  return node;
}

/** The law: every state is as likely a successor, the weights are the pieces of a cut interval
 * (mean 1/b, variance (b-1)/(b^2 (b+1))), rewards are uniform where there is one. Bounds are five
 * standard deviations of a sample of 6000 rows. */
static void garnet_draws_from_its_law(void **state) {
  (void)state;
  enum { B = GARNET_BRANCHING, ROWS = GARNET_STATES * GARNET_ACTIONS };
  view v;
  open_view(&v, garnet_of(5, 0.25), 0);
  double visits[GARNET_STATES] = {0}, squares = 0, pay = 0, paid = 0;
  for (int s = 0; s < GARNET_STATES; s++)
    for (int a = 0; a < GARNET_ACTIONS; a++) {
      int ways = 0;
      double total = 0;
      for (int to = 0; to < GARNET_STATES; to++) {
        double chance = v.transition[(to * GARNET_ACTIONS + a) * GARNET_STATES + s];
        ways += chance > 0;
        visits[to] += chance > 0;
        total += chance;
        squares += pow(chance > 0 ? chance - 1.0 / B : 0, 2);
      }
      assert_int_equal(ways, B);
      WAL_ASSERT_WITHIN(total, 1, TOLERANCE);
      double own = v.reward[a * GARNET_STATES + s] + 0.5 * log(v.mass[s] + 1e-3);
      assert_true(own > -1e-12 && own < 1 + 1e-12);
      if (own > 1e-12) pay += own, paid++;
    }
  double share = (double)B / GARNET_STATES, variance = (B - 1.0) / (B * B * (B + 1));
  for (int to = 0; to < GARNET_STATES; to++)
    WAL_ASSERT_WITHIN(visits[to] / ROWS, share, 5 * sqrt(share * (1 - share) / ROWS));
  WAL_ASSERT_WITHIN(squares / (ROWS * B), variance, 0.02 * variance);
  WAL_ASSERT_WITHIN(paid / ROWS, 0.25, 5 * sqrt(0.25 * 0.75 / ROWS));
  WAL_ASSERT_WITHIN(pay / paid, 0.5, 5 * sqrt(1 / 12.0 / paid));
  close_view(&v);
}

/** The draws themselves, so that a seed names the same game for ever: successors by Floyd's
 * sampling from draws of kind 1, weights from cuts of kind 2, rewards of kind 0, counted by (s,a).
 */
static void garnet_keeps_its_draws(void **state) {
  (void)state;
  enum { B = GARNET_BRANCHING };
  view v;
  open_view(&v, garnet_of(5, 0.25), 0);
  for (int s = 0; s < GARNET_STATES; s++)
    for (int a = 0; a < GARNET_ACTIONS; a++) {
      uint64_t pair = (uint64_t)(s * GARNET_ACTIONS + a);
      bool taken[GARNET_STATES] = {false};
      double cut[B + 1] = {0, 1, 1, 1, 1}, chance[GARNET_STATES] = {0};
      for (int k = 0; k < B; k++) {
        int top = GARNET_STATES - B + k;
        int to = (int)((top + 1) * wal_random_uniform(5, WAL_PURPOSE_GARNET, pair, 1, (uint32_t)k));
        taken[taken[to] ? top : to] = true;
      }
      for (int k = 0; k < B - 1; k++) {
        double u = wal_random_uniform(5, WAL_PURPOSE_GARNET, pair, 2, (uint32_t)k);
        int at = k + 1;
        for (; cut[at - 1] > u; at--) cut[at] = cut[at - 1];
        cut[at] = u;
      }
      for (int to = 0, k = 0; to < GARNET_STATES; to++)
        if (taken[to]) chance[to] = cut[k + 1] - cut[k], k++;
      for (int to = 0; to < GARNET_STATES; to++) expect_chance(&v, s, a, to, chance[to]);
      double u = wal_random_uniform(5, WAL_PURPOSE_GARNET, pair, 0, 0);
      expect_reward(&v, s, a, (u < 0.25 ? u / 0.25 : 0) - 0.5 * log(v.mass[s] + 1e-3));
    }
  // frozen: draws of a seed beyond 32 bits
  WAL_ASSERT_SAME(wal_random_uniform(UINT64_C(1) << 40, WAL_PURPOSE_GARNET, 7, 1, 2),
                  0.61356094103261183);
  close_view(&v);
}

/** The law of the lock, and the draws that say which actions are right. */
static void combination_lock(void **state) {
  (void)state;
  enum { LENGTH = 6, ACTIONS = 5, OUTSIDE = LENGTH, JAMMED };
  static const double JAM = 0.15, REST = 0.5, PRIZE = 0.75;
  view v;
  wal_node *node = wal_test_component("combination_lock");
  wal_test_set_number(node, "length", LENGTH);
  wal_test_set_number(node, "actions", ACTIONS);
  wal_test_set_number(node, "jam", JAM);
  wal_test_set_number(node, "rest", REST);
  wal_test_set_number(node, "prize", PRIZE);
  wal_test_set_number(node, "seed", 11);
  open_view(&v, node, 3);
  for (int s = 0; s <= JAMMED; s++) {
    const double u = wal_random_uniform(11, WAL_PURPOSE_GAME_TABLES, (uint64_t)s, 0, 0);
    const int right = s < LENGTH - 1 ? (int)(u * ACTIONS) : -1;
    for (int a = 0; a < ACTIONS; a++) {
      const int usual = s < LENGTH - 1 ? OUTSIDE : s;
      for (int to = 0; to <= JAMMED; to++)
        expect_chance(&v, s, a, to,
                      a != right     ? to == usual
                      : to == s + 1  ? 1 - JAM
                      : to == JAMMED ? JAM
                                     : 0);
      expect_reward(&v, s, a, a == right || s == JAMMED ? 0 : s == LENGTH - 1 ? PRIZE : REST);
    }
  }
  // frozen: the combination of seed 0
  static const int COMBINATION[] = {4, 3, 0, 4, 1};
  for (int s = 0; s < LENGTH - 1; s++)
    assert_int_equal(
        (int)(wal_random_uniform(0, WAL_PURPOSE_GAME_TABLES, (uint64_t)s, 0, 0) * ACTIONS),
        COMBINATION[s]);
  close_view(&v);
}

static void treasure_hunting(void **state) {
  (void)state;
  enum { N = 4 };
  static const double REWARDS[N] = {1, 2, 3, 5}, CROWDING[2] = {0.5, 2};
  for (int stage = 0; stage < 3; stage++) {
    view v;
    wal_node *node = wal_test_component("treasure_hunting");
    wal_test_set_number(node, "places", N);
    wal_test_set_number(node, "horizon", 3);
    set_list(node, "rewards", N, REWARDS);
    set_list(node, "crowding", 2, CROWDING);
    open_view(&v, node, stage);
    for (int s = 0; s < N; s++) {
      double distance = 0, c = stage == 0 ? 0 : CROWDING[stage - 1];
      for (int x = 0; x < N; x++)
        for (int y = 0; y < N; y++)
          distance += pow(joint(&v, x, y) - (x == s && y == s ? 1 : 0), 2);
      for (int a = 0; a < N; a++) {
        expect_reward(&v, s, a, stage > 0 && a == s ? REWARDS[s] * (1 - distance / 2) : 0);
        for (int next = 0; next < N; next++)
          expect_chance(&v, s, a, next,
                        (c * distance + (next == a ? 1 : 0)) / (1 + N * c * distance));
      }
    }
    close_view(&v);
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(beach_bar),
    cmocka_unit_test(building_evacuation),
    cmocka_unit_test(crowd_modelling),
    cmocka_unit_test(crowd_motion),
    cmocka_unit_test(equilibrium_price),
    cmocka_unit_test(linear_quadratic),
    cmocka_unit_test(predator_prey),
    cmocka_unit_test(treasure_hunting),
    cmocka_unit_test(crowd_avoidance),
    cmocka_unit_test(crowd_modelling_2d),
    cmocka_unit_test(evacuation),
    cmocka_unit_test(combination_lock),
    cmocka_unit_test(garnet_draws_from_its_law),
    cmocka_unit_test(garnet_keeps_its_draws),
};

WAL_TEST_MAIN(tests)
