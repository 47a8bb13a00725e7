// SPDX-License-Identifier: GPL-3.0-or-later
/* The derivatives of every registered game that has them, against central differences of the
 * operations themselves; a new game is tested as soon as it has a stage_vjp. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "auctions/mechanism.h"
#include "sim/core/memory.h"
#include "sim/core/random.h"
#include "tests/conformance/settings.h"

enum { SEED = 22, DIRECTIONS = 3, PADDING = 3 };

/* Central differences reach 1e-9 and better in all games; a forgotten term shows from 1e-8 on. */
static const double DIFFERENCE = 1e-8, ROUNDING = 1e-12;

/* Games without derivatives, or whose have tests of their own
 * (tests/unit/test_auction_derivatives.c); mechanisms that take those of their auction. */
static const char *const GAMES_WITHOUT[] = {"batched_auction", "custom"};
static const char *const MECHANISMS_WITHOUT[] = {"scripted"};

/* What operations read. */
enum { MASS, POLICY, STATISTIC, PARAMETER, BLOCKS };

/* A game, and a point where it is differentiated. Everything is rank-local, the same on all ranks.
 */
typedef struct bench {
  wal_ctx *ctx;
  wal_test_game made;
  const wal_game *game;
  const wal_game_type *type;
  const wal_shape *shape;
  wal_parameters parameters;
  int64_t pairs, numbers;    /**< S * A, and of z_h */
  int64_t start[BLOCKS + 1]; /**< of the blocks in x: [S], [A][S], [H][numbers], [count] */
  double *x;
} bench;

/* y = f(x), and the pullback of a bar of y, which is added to one of x. */
typedef struct operation {
  const char *name;
  int64_t (*outputs)(const bench *b); /**< 0: the game has no such operation */
  void (*apply)(const bench *b, int stage, const double *x, double *y);
  void (*pull)(const bench *b, int stage, const double *x, const double *y_bar, double *x_bar);
} operation;

static double draw(int64_t i, uint32_t what) {
  return wal_random_uniform(SEED, WAL_PURPOSE_TEST, (uint64_t)i, what, 0);
}

static double *room(wal_ctx *ctx, int64_t count) {
  double *numbers = NULL;
  WAL_ASSERT_OK(ctx, wal_acquire(ctx, "test", count + 1, sizeof *numbers, &numbers));
  return numbers;
}

/** Random numbers of -1 .. 1. */
static double *random_room(wal_ctx *ctx, int64_t count, uint32_t what) {
  double *numbers = room(ctx, count);
  for (int64_t i = 0; i < count; i++) numbers[i] = 2 * draw(i, what) - 1;
  return numbers;
}

static wal_slab whole(const bench *b, int stage) {
  return (wal_slab){stage, 0, b->shape->states, b->shape->states};
}

static bool is_one(const char *name, const char *const *names, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (strcmp(names[i], name) == 0) return true;
  return false;
}

#define IS_ONE(name, names) is_one((name), (names), sizeof(names) / sizeof *(names))

/* The operations as functions of x. */

static int64_t rewards(const bench *b) {
  return b->shape->state_reward ? b->shape->states : b->pairs;
}

static int64_t outcomes(const bench *b) {
  if (b->shape->outcomes == 1) return 0;
  return b->shape->outcomes * (b->shape->action_outcome ? b->shape->actions : b->pairs);
}

static int64_t stage_outputs(const bench *b) { return rewards(b) + outcomes(b); }

static void apply_stage(const bench *b, int stage, const double *x, double *y) {
  const wal_slab slab = whole(b, stage);
  b->type->stage(b->game->self, &slab, x, x + b->start[POLICY],
                 x + b->start[STATISTIC] + stage * b->numbers, y,
                 outcomes(b) > 0 ? y + rewards(b) : NULL);
}

static void pull_stage_parts(const bench *b, int stage, const double *x, const double *reward_bar,
                             const double *outcome_bar, double *x_bar) {
  const wal_slab slab = whole(b, stage);
  const int64_t z = b->start[STATISTIC] + stage * b->numbers;
  b->type->stage_vjp(b->game->self, &slab, x, x + b->start[POLICY], x + z, reward_bar, outcome_bar,
                     x_bar, x_bar + b->start[POLICY], x_bar + z);
}

static void pull_stage(const bench *b, int stage, const double *x, const double *y_bar,
                       double *x_bar) {
  pull_stage_parts(b, stage, x, y_bar, outcomes(b) > 0 ? y_bar + rewards(b) : NULL, x_bar);
}

static int64_t couple_outputs(const bench *b) { return b->shape->statistic; }

static void apply_couple(const bench *b, int stage, const double *x, double *y) {
  const wal_slab slab = whole(b, stage);
  memset(y, 0, (size_t)b->shape->statistic * sizeof *y);
  b->type->couple(b->game->self, &slab, x, x + b->start[POLICY], y);
}

static void pull_couple(const bench *b, int stage, const double *x, const double *y_bar,
                        double *x_bar) {
  const wal_slab slab = whole(b, stage);
  b->type->couple_vjp(b->game->self, &slab, x, x + b->start[POLICY], y_bar, x_bar,
                      x_bar + b->start[POLICY]);
}

static int64_t settle_outputs(const bench *b) { return b->shape->settled; }

/* Statistics of x, those of `stage` settled anew, from the parameters in x. */
static double *settled(const bench *b, int stage, const double *x) {
  const int64_t count = b->start[PARAMETER] - b->start[STATISTIC];
  double *z = room(b->ctx, count);
  memcpy(z, x + b->start[STATISTIC], (size_t)count * sizeof *z);
  if (b->parameters.count > 0)
    memcpy(b->parameters.values, x + b->start[PARAMETER], (size_t)b->parameters.count * sizeof *x);
  b->type->settle(b->game->self, stage, z);
  return z;
}

static void apply_settle(const bench *b, int stage, const double *x, double *y) {
  double *z = settled(b, stage, x);
  memcpy(y, z + stage * b->numbers + b->shape->statistic, (size_t)b->shape->settled * sizeof *y);
  wal_release(b->ctx, &z);
}

/* The bars of what is settled stay as they are. */
static void pull_settle(const bench *b, int stage, const double *x, const double *y_bar,
                        double *x_bar) {
  double *z = settled(b, stage, x);
  const int64_t count = b->start[PARAMETER] - b->start[STATISTIC];
  const size_t length = (size_t)b->shape->settled * sizeof *y_bar;
  double *bars = room(b->ctx, count), *own = bars + stage * b->numbers + b->shape->statistic;
  double *before = x_bar + b->start[STATISTIC] + stage * b->numbers + b->shape->statistic;
  memcpy(bars, x_bar + b->start[STATISTIC], (size_t)count * sizeof *bars);
  memcpy(own, y_bar, length);
  b->type->settle_vjp(b->game->self, stage, z, bars, x_bar + b->start[PARAMETER]);
  if (b->type->flush_vjp) b->type->flush_vjp(b->game->self, x_bar + b->start[PARAMETER]);
  assert_memory_equal(own, y_bar, length);
  memcpy(own, before, length);
  memcpy(x_bar + b->start[STATISTIC], bars, (size_t)count * sizeof *bars);
  wal_release(b->ctx, &bars);
  wal_release(b->ctx, &z);
}

static const operation OPERATIONS[] = {{"stage", stage_outputs, apply_stage, pull_stage},
                                       {"couple", couple_outputs, apply_couple, pull_couple},
                                       {"settle", settle_outputs, apply_settle, pull_settle}};

/* Points. */

/** Masses that add up to 1.7 in each population, policies that add up to nothing in particular, and
 * what follows from them. */
static void fill_point(bench *b) {
  const int64_t states = b->shape->states;
  double *mass = b->x, *policy = b->x + b->start[POLICY], *z = b->x + b->start[STATISTIC];
  const double scale = 1.7 * b->shape->populations / (double)states;
  for (int64_t i = 0; i < states; i++) mass[i] = scale * (0.5 + draw(i, 1));
  for (int64_t i = 0; i < b->pairs; i++) policy[i] = (0.1 + 1.9 * draw(i, 2)) / b->shape->actions;
  if (b->parameters.count > 0)
    memcpy(b->x + b->start[PARAMETER], b->parameters.values,
           (size_t)b->parameters.count * sizeof *mass);
  for (int h = 0; h < b->shape->horizon; h++) {
    double *row = z + h * b->numbers;
    if (b->shape->statistic > 0) apply_couple(b, h, b->x, row);
    if (b->shape->settled > 0) b->type->settle(b->game->self, h, z);
    if (b->shape->whole)
      memcpy(row + b->shape->statistic + b->shape->settled, mass, (size_t)states * sizeof *mass);
  }
}

/** Of a game that was made in `made`. */
static void set_up(bench *b) {
  b->game = &b->made.game;
  b->type = b->game->type;
  b->shape = &b->made.game.shape;
  b->pairs = b->shape->states * b->shape->actions;
  b->numbers = wal_game_statistics(b->game);
  if (b->type->parameters) b->type->parameters(b->game->self, &b->parameters);
  b->start[POLICY] = b->shape->states;
  b->start[STATISTIC] = b->start[POLICY] + b->pairs;
  b->start[PARAMETER] = b->start[STATISTIC] + b->shape->horizon * b->numbers;
  b->start[BLOCKS] = b->start[PARAMETER] + b->parameters.count;
  b->x = room(b->ctx, b->start[BLOCKS]);
  fill_point(b);
}

static void tear_down(bench *b) {
  wal_release(b->ctx, &b->x);
  wal_test_game_destroy(b->ctx, &b->made);
  wal_ctx_destroy(&b->ctx);
}

static bool without(const char *game, int setting) {
  if (IS_ONE(game, GAMES_WITHOUT)) return true;
  return setting > 0 && strcmp(game, "batched_auction") == 0 &&
         IS_ONE(wal_mechanism_at(setting - 1)->component.name, MECHANISMS_WITHOUT);
}

/** Runs a check on every game with derivatives in every setting. */
static void each_game(void (*check)(const bench *)) {
  for (int64_t g = 0; g < wal_game_count(); g++)
    for (int k = 0; k < settings_count(wal_game_at(g)->component.name); k++) {
      const char *name = wal_game_at(g)->component.name;
      if (without(name, k)) continue;
      bench b = {.ctx = wal_test_ctx(SEED)};
      print_message("  %s, setting %d\n", name, k);
      WAL_ASSERT_OK(b.ctx, settings_create(b.ctx, name, k, &b.made));
      set_up(&b);
      check(&b);
      tear_down(&b);
    }
}

/** Runs a check on every operation at the first stages and the last one. */
static void each_operation(const bench *b,
                           void (*check)(const bench *b, const operation *op, int stage)) {
  for (size_t i = 0; i < sizeof OPERATIONS / sizeof *OPERATIONS; i++)
    for (int h = 0; OPERATIONS[i].outputs(b) > 0 && h < b->shape->horizon; h++)
      if (h < 2 || h + 1 == b->shape->horizon) check(b, &OPERATIONS[i], h);
}

/* The checks. */

/** <y_bar, f(x + step d) - f(x - step d)> / (2 step). */
static double difference(const bench *b, const operation *op, int stage, const double *y_bar,
                         const double *d, double step) {
  const int64_t outputs = op->outputs(b);
  double *x = room(b->ctx, b->start[BLOCKS]), total = 0;
  double *y[2] = {room(b->ctx, outputs), room(b->ctx, outputs)};
  for (int side = 0; side < 2; side++) {
    for (int64_t i = 0; i < b->start[BLOCKS]; i++) x[i] = b->x[i] + (side ? step : -step) * d[i];
    op->apply(b, stage, x, y[side]);
  }
  for (int64_t i = 0; i < outputs; i++) total += y_bar[i] * (y[1][i] - y[0][i]);
  wal_release(b->ctx, &x);
  wal_release(b->ctx, &y[0]);
  wal_release(b->ctx, &y[1]);
  return total / (2 * step);
}

/** Error of the derivative along d relative to what its terms add up to at random: the least of
 * several steps, as large ones reach a kink and small ones are lost in rounding. */
static double least_error(const bench *b, const operation *op, int stage, const double *y_bar,
                          const double *x_bar, const double *d) {
  double exact = 0, squares = 0, least = HUGE_VAL;
  for (int64_t i = 0; i < b->start[BLOCKS]; i++) {
    exact += x_bar[i] * d[i];
    squares += x_bar[i] * d[i] * x_bar[i] * d[i];
  }
  assert_true(isfinite(exact));
  for (double step = 1e-3; step > 0.9e-7; step /= 10) {
    const double other = difference(b, op, stage, y_bar, d, step);
    const double scale = fmax(sqrt(squares), fmax(fabs(exact), fabs(other)));
    least = fmin(least, scale > 0 ? fabs(other - exact) / scale : 0);
  }
  return least;
}

/** A direction in one block, or in all (BLOCKS). Masses and policies stay positive. */
static void choose_direction(const bench *b, int block, uint32_t what, double *d) {
  for (int k = 0; k < BLOCKS; k++)
    for (int64_t i = b->start[k]; i < b->start[k + 1]; i++) {
      const double size = fmax(fabs(b->x[i]), k < STATISTIC ? 0 : 0.1);
      d[i] = block == k || block == BLOCKS ? size * (2 * draw(i, what) - 1) : 0;
    }
}

static void differ(const bench *b, const operation *op, int stage) {
  double *y_bar = random_room(b->ctx, op->outputs(b), 3);
  double *x_bar = room(b->ctx, b->start[BLOCKS]), *d = room(b->ctx, b->start[BLOCKS]);
  double worst = 0;
  op->pull(b, stage, b->x, y_bar, x_bar);
  for (int block = 0; block <= BLOCKS; block++)
    for (int k = 0; k < DIRECTIONS; k++) {
      choose_direction(b, block, (uint32_t)(10 + block * DIRECTIONS + k), d);
      worst = fmax(worst, least_error(b, op, stage, y_bar, x_bar, d));
    }
  print_message("    %s at stage %d: %.0e\n", op->name, stage, worst);
  assert_true(worst <= DIFFERENCE);
  wal_release(b->ctx, &y_bar);
  wal_release(b->ctx, &x_bar);
  wal_release(b->ctx, &d);
}

static void check_differences(const bench *b) { each_operation(b, differ); }

static void each_derivative_is_the_limit_of_differences(void **state) {
  (void)state;
  each_game(check_differences);
}

/** |a - b| small against the largest number of both. */
static void assert_close(int64_t count, const double *a, const double *b) {
  double scale = 1;
  for (int64_t i = 0; i < count; i++) scale = fmax(scale, fmax(fabs(a[i]), fabs(b[i])));
  for (int64_t i = 0; i < count; i++) WAL_ASSERT_WITHIN(a[i] / scale, b[i] / scale, ROUNDING);
}

static void add_up(const bench *b, const operation *op, int stage) {
  const int64_t inputs = b->start[BLOCKS];
  double *y_bar = random_room(b->ctx, op->outputs(b), 3), *sum = random_room(b->ctx, inputs, 4);
  double *alone = room(b->ctx, inputs), *before = random_room(b->ctx, inputs, 4);
  op->pull(b, stage, b->x, y_bar, alone);
  op->pull(b, stage, b->x, y_bar, sum);
  for (int64_t i = 0; i < inputs; i++) alone[i] += before[i];
  assert_close(inputs, sum, alone);
  wal_release(b->ctx, &y_bar);
  wal_release(b->ctx, &sum);
  wal_release(b->ctx, &alone);
  wal_release(b->ctx, &before);
}

static void check_adding(const bench *b) { each_operation(b, add_up); }

static void bars_are_added_to(void **state) {
  (void)state;
  each_game(check_adding);
}

static void check_absent(const bench *b) {
  const int64_t inputs = b->start[BLOCKS];
  const int stage = b->shape->horizon - 1;
  double *y_bar = random_room(b->ctx, stage_outputs(b), 3), *both = room(b->ctx, inputs);
  double *one_by_one = random_room(b->ctx, inputs, 4), *before = random_room(b->ctx, inputs, 4);
  pull_stage_parts(b, stage, b->x, NULL, NULL, one_by_one);
  for (int64_t i = 0; i < inputs; i++) WAL_ASSERT_SAME(one_by_one[i], before[i]);
  memset(one_by_one, 0, (size_t)inputs * sizeof *one_by_one);
  pull_stage(b, stage, b->x, y_bar, both);
  pull_stage_parts(b, stage, b->x, y_bar, NULL, one_by_one);
  if (outcomes(b) > 0) pull_stage_parts(b, stage, b->x, NULL, y_bar + rewards(b), one_by_one);
  assert_close(inputs, one_by_one, both);
  wal_release(b->ctx, &y_bar);
  wal_release(b->ctx, &both);
  wal_release(b->ctx, &one_by_one);
  wal_release(b->ctx, &before);
}

static void absent_bars_are_zero(void **state) {
  (void)state;
  each_game(check_absent);
}

/** Rows of a slab, between arrays [rows][S] and [rows][stride]. */
static double *cut(const bench *b, const wal_slab *slab, int64_t rows, const double *all) {
  double *part = room(b->ctx, rows * slab->stride);
  for (int64_t i = 0; i < rows * slab->stride; i++) part[i] = NAN;
  for (int64_t row = 0; row < rows; row++)
    memcpy(part + row * slab->stride, all + row * b->shape->states + slab->first,
           (size_t)slab->count * sizeof *part);
  return part;
}

/** What is behind the slab's states must still be NaN. */
static void put_back(const bench *b, const wal_slab *slab, int64_t rows, double **part,
                     double *all) {
  for (int64_t row = 0; row < rows; row++) {
    const double *from = *part + row * slab->stride;
    for (int64_t i = slab->count; i < slab->stride; i++) assert_true(isnan(from[i]));
    memcpy(all + row * b->shape->states + slab->first, from, (size_t)slab->count * sizeof *from);
  }
  wal_release(b->ctx, part);
}

/** One slab's share of stage_vjp() or couple_vjp(), added to x_bar. */
static void pull_slab(const bench *b, const wal_slab *slab, bool couple, const double *y_bar,
                      double *x_bar) {
  const int64_t actions = b->shape->actions, z = b->start[STATISTIC] + slab->stage * b->numbers;
  const bool shared = b->shape->action_outcome;
  double *mass = cut(b, slab, 1, b->x), *mass_bar = cut(b, slab, 1, x_bar);
  double *policy = cut(b, slab, actions, b->x + b->start[POLICY]);
  double *policy_bar = cut(b, slab, actions, x_bar + b->start[POLICY]);
  if (couple) {
    b->type->couple_vjp(b->game->self, slab, mass, policy, y_bar, mass_bar, policy_bar);
  } else {
    const double share = (double)slab->count / (double)b->shape->states;
    double *reward_bar = cut(b, slab, rewards(b) / b->shape->states, y_bar);
    double *outcome_bar = shared ? room(b->ctx, outcomes(b))
                                 : cut(b, slab, outcomes(b) / b->shape->states, y_bar + rewards(b));
    for (int64_t i = 0; shared && i < outcomes(b); i++)
      outcome_bar[i] = share * y_bar[rewards(b) + i];
    b->type->stage_vjp(b->game->self, slab, mass, policy, b->x + z, reward_bar,
                       outcomes(b) > 0 ? outcome_bar : NULL, mass_bar, policy_bar, x_bar + z);
    wal_release(b->ctx, &reward_bar);
    wal_release(b->ctx, &outcome_bar);
  }
  put_back(b, slab, 1, &mass_bar, x_bar);
  put_back(b, slab, actions, &policy_bar, x_bar + b->start[POLICY]);
  wal_release(b->ctx, &mass);
  wal_release(b->ctx, &policy);
}

/** Slabs of 1, 2, 4, 8, 16, 1, ... groups. */
static void cut_up(const bench *b, const operation *op, int stage) {
  const int64_t inputs = b->start[BLOCKS], states = b->shape->states, group = b->shape->group;
  const bool couple = op->pull == pull_couple;
  double *y_bar = random_room(b->ctx, op->outputs(b), 3);
  double *parts = room(b->ctx, inputs), *at_once = room(b->ctx, inputs);
  if (op->pull == pull_settle) goto done;
  op->pull(b, stage, b->x, y_bar, at_once);
  int turn = stage;
  for (int64_t first = 0; first < states; turn++) {
    int64_t count = group << turn % 5;
    if (count > states - first) count = states - first;
    const wal_slab slab = {stage, first, count, 16 * group + PADDING};
    pull_slab(b, &slab, couple, y_bar, parts);
    first += count;
  }
  assert_close(inputs, parts, at_once);
done:
  wal_release(b->ctx, &y_bar);
  wal_release(b->ctx, &parts);
  wal_release(b->ctx, &at_once);
}

static void check_slabs(const bench *b) { each_operation(b, cut_up); }

static void slabs_give_the_same_sums(void **state) {
  (void)state;
  each_game(check_slabs);
}

/** Derivatives are there as a whole, or not at all; and who has none is known. */
static void games_without_derivatives_are_known(void **state) {
  (void)state;
  for (int64_t g = 0; g < wal_game_count(); g++) {
    const wal_game_type *type = wal_game_at(g);
    const bool none = strcmp(type->component.name, "custom") == 0;
    print_message("  %s\n", type->component.name);
    assert_true(none == !type->stage_vjp);
    assert_true(!type->couple || none == !type->couple_vjp);
    assert_true(!type->settle || none == !type->settle_vjp);
    assert_true(type->settle_vjp || !type->flush_vjp);
  }
  for (size_t i = 0; i < sizeof GAMES_WITHOUT / sizeof *GAMES_WITHOUT; i++)
    assert_non_null(wal_game_find(GAMES_WITHOUT[i]));
}

/* On either side of kinks. */

static void begin(bench *b, const char *game, const char *name, double number) {
  *b = (bench){.ctx = wal_test_ctx(SEED)};
  wal_node *node = settings_describe(game, true);
  if (name) wal_test_set_number(node, name, number);
  WAL_ASSERT_OK(b->ctx, wal_test_game_create(b->ctx, node, &b->made));
  set_up(b);
}

/** Where fewer than log_offset are, nobody dislikes the crowd more for one more in it. */
static void the_aversion_is_flat_in_empty_states(void **state) {
  (void)state;
  static const char *const NAMES[] = {"building_evacuation", "evacuation"};
  for (int k = 0; k < 2; k++) {
    bench b;
    begin(&b, NAMES[k], "log_offset", 0);
    const double usual = 1.7 / (double)b.shape->states;
    tear_down(&b);
    begin(&b, NAMES[k], "log_offset", usual);
    check_differences(&b);
    double *y_bar = random_room(b.ctx, stage_outputs(&b), 3), *x_bar = room(b.ctx, b.start[BLOCKS]);
    pull_stage(&b, 0, b.x, y_bar, x_bar);
    int flat = 0;
    for (int64_t s = 0; s < b.shape->states; s++) {
      if (b.x[s] < usual) WAL_ASSERT_SAME(x_bar[s], 0);
      flat += b.x[s] < usual;
    }
    assert_true(flat > 10 && flat < b.shape->states - 10);
    wal_release(b.ctx, &y_bar);
    wal_release(b.ctx, &x_bar);
    tear_down(&b);
  }
}

/** If the sum of all L^2 is less than the own one, the others are taken to be at 0. */
static void clamped_distances_are_flat(void **state) {
  (void)state;
  bench b;
  begin(&b, "treasure_hunting", NULL, 0);
  double *z = b.x + b.start[STATISTIC];
  for (int h = 0; h < b.shape->horizon; h++) z[h] = -1;
  check_differences(&b);
  double *y_bar = random_room(b.ctx, stage_outputs(&b), 3), *x_bar = room(b.ctx, b.start[BLOCKS]);
  pull_stage(&b, 1, b.x, y_bar, x_bar);
  WAL_ASSERT_SAME(x_bar[b.start[STATISTIC] + 1], 0);
  assert_true(x_bar[0] != 0 && x_bar[b.start[POLICY]] != 0);
  wal_release(b.ctx, &y_bar);
  wal_release(b.ctx, &x_bar);
  tear_down(&b);
}

/** Walls pay nothing, whatever their mass: also 0, of which the logarithm has no derivative. */
static void walls_have_no_derivative(void **state) {
  (void)state;
  static const char *const NAMES[] = {"crowd_modelling_2d", "evacuation"};
  for (int k = 0; k < 2; k++) {
    bench b;
    begin(&b, NAMES[k], "log_offset", 0);
    double *y = room(b.ctx, stage_outputs(&b)), *x_bar = room(b.ctx, b.start[BLOCKS]);
    double *y_bar = random_room(b.ctx, stage_outputs(&b), 3);
    apply_stage(&b, 0, b.x, y);
    int walls = 0;
    for (int64_t s = 0; s < b.shape->states; s++) b.x[s] = y[s] == 0 ? 0 : b.x[s];
    pull_stage(&b, 0, b.x, y_bar, x_bar);
    for (int64_t s = 0; s < b.shape->states; s++) {
      assert_true((x_bar[s] == 0) == (y[s] == 0));
      walls += y[s] == 0;
    }
    assert_true(walls > 3);
    wal_release(b.ctx, &y);
    wal_release(b.ctx, &x_bar);
    wal_release(b.ctx, &y_bar);
    tear_down(&b);
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(games_without_derivatives_are_known),
    cmocka_unit_test(each_derivative_is_the_limit_of_differences),
    cmocka_unit_test(bars_are_added_to),
    cmocka_unit_test(absent_bars_are_zero),
    cmocka_unit_test(slabs_give_the_same_sums),
    cmocka_unit_test(the_aversion_is_flat_in_empty_states),
    cmocka_unit_test(clamped_distances_are_flat),
    cmocka_unit_test(walls_have_no_derivative),
};

WAL_TEST_MAIN(tests)
