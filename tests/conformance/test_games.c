// SPDX-License-Identifier: GPL-3.0-or-later
/* What every registered game must keep to, whatever it is about. Each check runs on every game,
 * with its defaults and with a second, larger setting. A new game is checked as soon as it is
 * listed. */
#include <math.h>
#include <string.h>

#include "sim/core/memory.h"
#include "sim/core/random.h"
#include "tests/conformance/settings.h"

static const double TOLERANCE = 1e-12;

enum { SEED = 20, MOST_ACTIONS = 128 };

static double draw(int64_t i, uint32_t stage) {
  return wal_random_uniform(SEED, WAL_PURPOSE_TEST, (uint64_t)i, stage, 0);
}

/* A game and arrays of its size. Everything here is rank-local and the same on all ranks. */

typedef struct bench {
  wal_ctx *ctx;
  wal_test_game made;
  const wal_game *game;
  const wal_game_type *type;
  const wal_shape *shape;
  int64_t pairs;        /**< S * A */
  double *mass;         /**< [H][S] random, of mass 1 in each population */
  unsigned char *legal; /**< [A][S] */
  double *policy;       /**< [A][S] random; 0 for actions that are not legal */
  double *statistics;   /**< [H][...] in the random masses */
} bench;

static double *room(wal_ctx *ctx, int64_t count) {
  double *numbers = NULL;
  WAL_ASSERT_OK(ctx, wal_acquire(ctx, "test", count, sizeof *numbers, &numbers));
  return numbers;
}

static void normalize(int64_t count, int64_t stride, double *x) {
  double total = 0;
  for (int64_t i = 0; i < count; i++) total += x[i * stride];
  for (int64_t i = 0; i < count; i++) x[i * stride] /= total;
}

/** Which actions may be played, and a random policy of those. */
static void make_policy(bench *b) {
  int64_t states = b->shape->states;
  WAL_ASSERT_OK(b->ctx, wal_acquire(b->ctx, "test", b->pairs, 1, &b->legal));
  b->policy = room(b->ctx, b->pairs);
  for (int a = 0; a < b->shape->actions; a++)
    if (b->type->legal)
      b->type->legal(b->game->self, a, 0, states, b->legal + a * states);
    else
      memset(b->legal + a * states, 1, (size_t)states);
  for (int64_t i = 0; i < b->pairs; i++) b->policy[i] = b->legal[i] ? draw(i, 2) : 0;
  for (int64_t s = 0; s < states; s++) normalize(b->shape->actions, states, b->policy + s);
}

static wal_slab whole(const bench *b, int stage) {
  return (wal_slab){stage, 0, b->shape->states, b->shape->states};
}

static void set_up(bench *b, const wal_game_type *type, int setting) {
  memset(b, 0, sizeof *b);
  b->ctx = wal_test_ctx(SEED);
  WAL_ASSERT_OK(b->ctx, settings_create(b->ctx, type->component.name, setting, &b->made));
  b->game = &b->made.game;
  b->type = b->game->type;
  b->shape = &b->made.game.shape;
  int64_t states = b->shape->states;
  int populations = b->shape->populations;
  b->pairs = states * b->shape->actions;
  b->mass = room(b->ctx, b->shape->horizon * states);
  make_policy(b);
  b->statistics = room(b->ctx, (int64_t)b->shape->horizon * wal_game_statistics(b->game));
  for (int64_t i = 0; i < b->shape->horizon * states; i++) b->mass[i] = draw(i, 1);
  for (int h = 0; h < b->shape->horizon; h++) {
    double *mass = b->mass + h * states;
    for (int p = 0; p < populations; p++) normalize(states / populations, populations, mass + p);
    wal_slab slab = whole(b, h);
    if (b->type->couple)
      b->type->couple(b->game->self, &slab, mass, b->policy,
                      b->statistics + (int64_t)h * wal_game_statistics(b->game));
    if (b->type->settle) b->type->settle(b->game->self, h, b->statistics);
    double *all = b->statistics + (h + 1) * wal_game_statistics(b->game) - states;
    if (b->shape->whole) memcpy(all, mass, (size_t)states * sizeof *all);
  }
}

static void tear_down(bench *b) {
  wal_release(b->ctx, &b->mass);
  wal_release(b->ctx, &b->legal);
  wal_release(b->ctx, &b->policy);
  wal_release(b->ctx, &b->statistics);
  wal_test_game_destroy(b->ctx, &b->made);
  wal_ctx_destroy(&b->ctx);
}

static const double *statistic(const bench *b, int stage) {
  return b->statistics + (int64_t)stage * wal_game_statistics(b->game);
}

/** Runs a check on every game and setting, naming the one that fails. */
static void each_game(void (*check)(bench *)) {
  for (int64_t g = 0; g < wal_game_count(); g++)
    for (int k = 0; k < settings_count(wal_game_at(g)->component.name); k++) {
      bench b;
      print_message("  %s, setting %d\n", wal_game_at(g)->component.name, k);
      set_up(&b, wal_game_at(g), k);
      check(&b);
      tear_down(&b);
    }
}

/** Length of the next part of a run of `left` numbers: 1, 2, 4, 8, 16, 1, ... units. */
static int64_t part(int turn, int64_t unit, int64_t left) {
  int64_t count = unit * (INT64_C(1) << (turn % 5));
  return count < left ? count : left;
}

/* The checks. */

static void check_description(bench *b) {
  const wal_component *component = &b->type->component;
  assert_string_equal(component->kind, "game");
  assert_true(b->type->struct_size == sizeof(wal_game_type));
  assert_true(strlen(component->summary) > 10 && strlen(component->source) > 5);
  for (const wal_param *param = component->params; param->name; param++)
    assert_true(param->meaning && strlen(param->meaning) > 5);
  int64_t product = 1;
  for (int i = 0; i < b->shape->axes; i++) {
    assert_non_null(b->shape->axis[i].name);
    product *= b->shape->axis[i].size;
  }
  assert_true(b->shape->axes >= 1 && product == b->shape->states);
}

static void check_action_names(bench *b) {
  char names[MOST_ACTIONS][32];
  if (!b->type->action_name) return;
  assert_true(b->shape->actions <= MOST_ACTIONS);
  for (int a = 0; a < b->shape->actions; a++) {
    b->type->action_name(b->game->self, a, names[a], sizeof names[a]);
    assert_true(names[a][0] != '\0' && strlen(names[a]) < sizeof names[a] - 1);
    for (int other = 0; other < a; other++) assert_string_not_equal(names[a], names[other]);
    char narrow[4] = "xyz";
    b->type->action_name(b->game->self, a, narrow, 3);
    assert_true(narrow[3] == '\0' && strlen(narrow) <= 2);
  }
}

static void check_initial(bench *b) {
  int64_t states = b->shape->states;
  double *all = room(b->ctx, states), *pieces = room(b->ctx, states);
  b->type->initial(b->game->self, 0, states, all);
  int turn = 0;
  for (int64_t first = 0; first < states;) {
    int64_t count = part(turn++, b->shape->group, states - first);
    b->type->initial(b->game->self, first, count, pieces + first);
    first += count;
  }
  double total[WAL_POPULATIONS] = {0};
  for (int64_t s = 0; s < states; s++) {
    WAL_ASSERT_SAME(pieces[s], all[s]);
    assert_true(all[s] >= 0);
    total[s % b->shape->populations] += all[s];
  }
  for (int p = 0; p < b->shape->populations; p++) WAL_ASSERT_WITHIN(total[p], 1, TOLERANCE);
  wal_release(b->ctx, &all);
  wal_release(b->ctx, &pieces);
}

static void check_moves(bench *b) {
  int64_t states = b->shape->states;
  int64_t *all = NULL, *pieces = NULL;
  WAL_ASSERT_OK(b->ctx, wal_acquire(b->ctx, "test", states, sizeof *all, &all));
  WAL_ASSERT_OK(b->ctx, wal_acquire(b->ctx, "test", states, sizeof *pieces, &pieces));
  for (int k = 0; k < b->shape->outcomes; k++)
    for (int a = 0; a < b->shape->actions; a++) {
      b->type->move(b->game->self, 0, k, a, 0, states, all);
      int turn = a;
      for (int64_t first = 0; first < states;) {
        int64_t count = part(turn++, 1, states - first);
        b->type->move(b->game->self, 0, k, a, first, count, pieces + first);
        first += count;
      }
      for (int64_t s = 0; s < states; s++) {
        assert_true(all[s] >= 0 && all[s] < b->shape->post_states);
        assert_true(all[s] == pieces[s]);
      }
    }
  wal_release(b->ctx, &all);
  wal_release(b->ctx, &pieces);
}

/** Every state has an action that may be played; parts of the states agree with the whole. */
static void check_legal(bench *b) {
  int64_t states = b->shape->states;
  unsigned char pieces[16];
  if (!b->type->legal) return;
  for (int64_t s = 0; s < states; s++) {
    int some = 0;
    for (int a = 0; a < b->shape->actions; a++) {
      assert_true(b->legal[a * states + s] <= 1);
      some += b->legal[a * states + s];
    }
    assert_true(some > 0);
  }
  for (int a = 0; a < b->shape->actions; a++) {
    int turn = a;
    for (int64_t first = 0; first < states;) {
      int64_t count = part(turn++, 1, states - first);
      b->type->legal(b->game->self, a, first, count, pieces);
      assert_memory_equal(pieces, b->legal + a * states + first, (size_t)count);
      first += count;
    }
  }
}

static void check_noise_rows(bench *b, int64_t first, int64_t count, double *total) {
  int terms = b->shape->noise_terms;
  int64_t *target = NULL;
  double *weight = room(b->ctx, terms * count);
  WAL_ASSERT_OK(b->ctx, wal_acquire(b->ctx, "test", terms * count, sizeof *target, &target));
  b->type->noise(b->game->self, 0, first, count, target, weight);
  int populations = b->shape->populations;
  for (int64_t i = 0; i < count; i++) {
    double sum = 0, moment = 0;
    for (int e = 0; e < terms; e++) {
      double w = weight[e * count + i];
      int64_t to = target[e * count + i];
      assert_true(w >= 0 && w <= 1);
      if (w == 0) continue;
      assert_true(to >= 0 && to < b->shape->states);
      if (b->shape->post_states == b->shape->states)
        assert_true(to % populations == (first + i) % populations);
      sum += w;
      moment += w * (double)(to + 1);
    }
    WAL_ASSERT_WITHIN(sum, 1, TOLERANCE);
    total[first + i] = moment;
  }
  wal_release(b->ctx, &target);
  wal_release(b->ctx, &weight);
}

static void check_noise(bench *b) {
  if (b->shape->noise_terms == 0) {
    assert_true(b->shape->post_states == b->shape->states);
    return;
  }
  int64_t rows = b->shape->post_states;
  double *all = room(b->ctx, rows), *pieces = room(b->ctx, rows);
  check_noise_rows(b, 0, rows, all);
  int turn = 0;
  for (int64_t first = 0; first < rows;) {
    int64_t count = part(turn++, 1, rows - first);
    check_noise_rows(b, first, count, pieces);
    first += count;
  }
  for (int64_t m = 0; m < rows; m++) WAL_ASSERT_SAME(pieces[m], all[m]);
  wal_release(b->ctx, &all);
  wal_release(b->ctx, &pieces);
}

static void check_stage(bench *b) {
  int64_t pairs = b->pairs;
  int outcomes = b->shape->outcomes;
  double *reward = room(b->ctx, pairs), *alone = room(b->ctx, pairs);
  double *outcome = room(b->ctx, outcomes * pairs), *other = room(b->ctx, outcomes * pairs);
  for (int h = 0; h < b->shape->horizon; h++) {
    wal_slab slab = whole(b, h);
    const double *mass = b->mass + h * b->shape->states;
    double *chances = outcomes > 1 ? outcome : NULL;
    wal_game_stage(b->game, &slab, mass, b->policy, statistic(b, h), reward, chances);
    wal_game_stage(b->game, &slab, mass, b->policy, statistic(b, h), alone, NULL);
    wal_game_stage(b->game, &slab, mass, b->policy, statistic(b, h), NULL,
                   outcomes > 1 ? other : NULL);
    for (int64_t i = 0; i < pairs; i++) {
      assert_true(isfinite(reward[i]));
      WAL_ASSERT_SAME(alone[i], reward[i]);
      double total = 0;
      for (int k = 0; outcomes > 1 && k < outcomes; k++) {
        double chance = outcome[k * pairs + i];
        assert_true(chance >= 0 && chance <= 1 + TOLERANCE);
        WAL_ASSERT_SAME(other[k * pairs + i], chance);
        total += chance;
      }
      if (outcomes > 1) WAL_ASSERT_WITHIN(total, 1, TOLERANCE);
    }
  }
  wal_release(b->ctx, &reward);
  wal_release(b->ctx, &alone);
  wal_release(b->ctx, &outcome);
  wal_release(b->ctx, &other);
}

/** Rewards and outcomes of one stage, worked slab by slab with a stride of its own. */
static void stage_in_parts(const bench *b, int stage, int turn, double *reward, double *outcome) {
  int64_t states = b->shape->states, longest = 16 * b->shape->group + 3;
  int actions = b->shape->actions, outcomes = b->shape->outcomes;
  double *policy = room(b->ctx, actions * longest);
  double *part_reward = room(b->ctx, actions * longest);
  double *part_outcome = room(b->ctx, (int64_t)outcomes * actions * longest);
  for (int64_t first = 0; first < states;) {
    int64_t count = part(turn++, b->shape->group, states - first);
    wal_slab slab = {stage, first, count, longest};
    for (int a = 0; a < actions; a++)
      memcpy(policy + a * longest, b->policy + a * states + first, (size_t)count * sizeof *policy);
    wal_game_stage(b->game, &slab, b->mass + stage * states + first, policy, statistic(b, stage),
                   part_reward, outcomes > 1 ? part_outcome : NULL);
    for (int row = 0; row < actions; row++)
      memcpy(reward + row * states + first, part_reward + row * longest,
             (size_t)count * sizeof *reward);
    for (int row = 0; outcomes > 1 && row < actions * outcomes; row++)
      memcpy(outcome + row * states + first, part_outcome + row * longest,
             (size_t)count * sizeof *outcome);
    first += count;
  }
  wal_release(b->ctx, &policy);
  wal_release(b->ctx, &part_reward);
  wal_release(b->ctx, &part_outcome);
}

static void check_slabs(bench *b) {
  int64_t pairs = b->pairs;
  int outcomes = b->shape->outcomes;
  double *reward = room(b->ctx, pairs), *in_parts = room(b->ctx, pairs);
  double *outcome = room(b->ctx, outcomes * pairs), *other = room(b->ctx, outcomes * pairs);
  for (int h = 0; h < b->shape->horizon; h++) {
    wal_slab slab = whole(b, h);
    wal_game_stage(b->game, &slab, b->mass + h * b->shape->states, b->policy, statistic(b, h),
                   reward, outcomes > 1 ? outcome : NULL);
    stage_in_parts(b, h, h, in_parts, other);
    for (int64_t i = 0; i < pairs; i++) WAL_ASSERT_SAME(in_parts[i], reward[i]);
    for (int64_t i = 0; outcomes > 1 && i < outcomes * pairs; i++)
      WAL_ASSERT_SAME(other[i], outcome[i]);
  }
  wal_release(b->ctx, &reward);
  wal_release(b->ctx, &in_parts);
  wal_release(b->ctx, &outcome);
  wal_release(b->ctx, &other);
}

/** The statistic is a sum over states: parts of the states give parts of it, added to what is
 * there. */
static void check_coupling(bench *b) {
  int numbers = b->shape->statistic, actions = b->shape->actions;
  int64_t states = b->shape->states, longest = 16 * b->shape->group + 3;
  if (numbers == 0) return;
  double *sum = room(b->ctx, numbers), *policy = room(b->ctx, actions * longest);
  for (int h = 0; h < b->shape->horizon; h++) {
    for (int i = 0; i < numbers; i++) sum[i] = 1;
    int turn = h;
    for (int64_t first = 0; first < states;) {
      int64_t count = part(turn++, b->shape->group, states - first);
      wal_slab slab = {h, first, count, longest};
      for (int a = 0; a < actions; a++)
        memcpy(policy + a * longest, b->policy + a * states + first,
               (size_t)count * sizeof *policy);
      b->type->couple(b->game->self, &slab, b->mass + h * states + first, policy, sum);
      first += count;
    }
    for (int i = 0; i < numbers; i++) WAL_ASSERT_WITHIN(sum[i] - 1, statistic(b, h)[i], TOLERANCE);
  }
  wal_release(b->ctx, &sum);
  wal_release(b->ctx, &policy);
}

#define EVERY_GAME(name)           \
  static void name(void **state) { \
    (void)state;                   \
    each_game(check_##name);       \
  }
EVERY_GAME(description)
EVERY_GAME(action_names)
EVERY_GAME(initial)
EVERY_GAME(moves)
EVERY_GAME(legal)
EVERY_GAME(noise)
EVERY_GAME(stage)
EVERY_GAME(slabs)
EVERY_GAME(coupling)

/* Settings that the games must refuse, by the name of the parameter. */

typedef struct table {
  const char *name;
  int rank;
  int64_t extent[2];
} table;

static void refuse(const char *game, const char *number, double value, const table *t,
                   const double *numbers, const char *text) {
  wal_ctx *ctx = wal_test_ctx(SEED);
  wal_test_game made;
  wal_node *node = wal_test_component(game);
  if (number) wal_test_set_number(node, number, value);
  if (t) wal_node_set_field(node, t->name, wal_test_array(t->rank, t->extent, numbers));
  WAL_ASSERT_STATUS(ctx, WAL_EINPUT, wal_test_game_create(ctx, node, &made));
  WAL_ASSERT_CONTAINS(wal_ctx_error(ctx), text);
  WAL_ASSERT_CONTAINS(wal_ctx_error(ctx), "test.lua:1: ");
  wal_ctx_destroy(&ctx);
}

static void misfits_are_refused(void **state) {
  (void)state;
  const double zeros[16] = {0};
  const double far[16] = {0, 20, 0, 0, 0, 0, 0, 0};
  refuse("beach_bar", "bar", 4, NULL, NULL, "bar: expected a place from 0 to 3, got 4");
  refuse("beach_bar", "log_offset", -1e-20, NULL, NULL, "log_offset");
  refuse("beach_bar", NULL, 0, &(table){.name = "initial", .rank = 1, .extent = {4, 0}}, zeros,
         "initial");
  refuse("crowd_modelling", "states", 1, NULL, NULL, "states");
  refuse("crowd_motion", NULL, 0, &(table){.name = "bar_path", .rank = 2, .extent = {4, 2}}, far,
         "bar_path: expected cells of the 20 x 20 grid");
  refuse("crowd_motion", NULL, 0, &(table){.name = "bar_path", .rank = 2, .extent = {3, 2}}, zeros,
         "bar_path");
  refuse("predator_prey", NULL, 0, &(table){.name = "preference", .rank = 2, .extent = {2, 3}},
         zeros, "preference");
  refuse("predator_prey", NULL, 0, &(table){.name = "starts", .rank = 2, .extent = {3, 2}}, far,
         "starts: expected a cell of the 5 x 5 grid");
  refuse("predator_prey", "rows", 4, NULL, NULL, "starts");
  refuse("treasure_hunting", NULL, 0, &(table){.name = "crowding", .rank = 1, .extent = {6, 0}},
         zeros, "crowding");
  refuse("linear_quadratic", "step", -0.1, NULL, NULL, "step");
  refuse("combination_lock", "jam", 1.5, NULL, NULL, "jam: expected");
  refuse("combination_lock", "length", 1, NULL, NULL, "length: expected");
  refuse("garnet", "branching", 101, NULL, NULL, "branching: expected at most");
  refuse("crowd_modelling_2d", NULL, 0, &(table){.name = "start", .rank = 2, .extent = {4, 2}}, far,
         "start: expected cells of the 10 x 10 map");
  refuse("crowd_modelling_2d", NULL, 0, &(table){.name = "start", .rank = 2, .extent = {4, 3}},
         zeros, "start: expected shares with a positive sum");
}

/** Games with drawn tables depend on the seed, and on nothing else. */
static void drawn_tables_follow_the_seed(void **state) {
  (void)state;
  double reward[3][25];
  for (int run = 0; run < 3; run++) {
    wal_ctx *ctx = wal_test_ctx(run < 2 ? 1 : 2);
    wal_test_game made;
    const double mass[5] = {0.2, 0.2, 0.2, 0.2, 0.2}, joint[25] = {0};
    WAL_ASSERT_OK(ctx, wal_test_game_create(ctx, wal_test_component("random_linear"), &made));
    wal_game_stage(&made.game, &(wal_slab){0, 0, 5, 5}, mass, joint, joint, reward[run], NULL);
    wal_test_game_destroy(ctx, &made);
    wal_ctx_destroy(&ctx);
  }
  int different = 0;
  for (int i = 0; i < 25; i++) {
    WAL_ASSERT_SAME(reward[0][i], reward[1][i]);
    assert_true(fabs(reward[0][i]) <= 10);
    different += reward[0][i] != reward[2][i];
  }
  assert_int_equal(different, 25);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(description),
    cmocka_unit_test(action_names),
    cmocka_unit_test(initial),
    cmocka_unit_test(moves),
    cmocka_unit_test(legal),
    cmocka_unit_test(noise),
    cmocka_unit_test(stage),
    cmocka_unit_test(slabs),
    cmocka_unit_test(coupling),
    cmocka_unit_test(misfits_are_refused),
    cmocka_unit_test(drawn_tables_follow_the_seed),
};

WAL_TEST_MAIN(tests)
