// SPDX-License-Identifier: GPL-3.0-or-later
/* Every form of a kernel against the dense matrix it stands for, and against itself on one rank. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/core/memory.h"
#include "sim/core/random.h"
#include "sim/game/space.h"
#include "tests/support/harness.h"

enum { STATES = 67, POST = 91, ACTIONS = 3, OUTCOMES = 2, BLOCK = 8 };

static double draw(int64_t item, uint32_t stage) {
  return wal_random_uniform(11, WAL_PURPOSE_TEST, (uint64_t)item, stage, 0);
}

/* Maps of every sort: a shift, a constant, a stride, a mirror, anything. */
static int64_t map(int outcome, int action, int64_t s) {
  switch (outcome * ACTIONS + action) {
    case 0:
      return s + 1;
    case 1:
      return 5;
    case 2:
      return s < 22 ? 4 * s : POST - 1;
    case 3:
      return POST - 1 - s;
    case 4:
      return (int64_t)(draw(s, 1) * POST);
    default:
      return s / 3;
  }
}

static void move(const void *self, int h, int outcome, int action, int64_t first, int64_t count,
                 int64_t *post) {
  (void)self, (void)h;
  for (int64_t i = 0; i < count; i++) post[i] = map(outcome, action, first + i);
}

/* Noise of three sorts, chosen by *self: a stencil, a few random entries, full rows. */
typedef struct sort {
  int terms;
} sort;
enum { STENCIL = 3, SPARSE = 5, FULL = STATES };

static void noise(const void *self, int h, int64_t first, int64_t count, int64_t *target,
                  double *weight) {
  (void)h;
  const int terms = ((const sort *)self)->terms;
  for (int64_t i = 0; i < count; i++) {
    int64_t m = first + i;
    double sum = 0;
    for (int e = 0; e < terms; e++) {
      double w = terms == STENCIL ? 0.25 * (e == 1 ? 2 : 1) : draw(m * FULL + e, 2);
      if (terms != STENCIL && w < 0.2) w = 0;
      int64_t t = (m * STATES / POST + e - 1 + STATES) % STATES;
      if (terms == SPARSE) t = (int64_t)(draw(m * FULL + e, 3) * STATES);
      if (terms == FULL) t = e;
      target[e * count + i] = t;
      weight[e * count + i] = w;
      sum += w;
    }
    for (int e = 0; e < terms; e++) weight[e * count + i] /= sum;
  }
}

static void initial(const void *self, int64_t first, int64_t count, double *mass) {
  (void)self;
  for (int64_t i = 0; i < count; i++) mass[i] = (double)(first + i >= 0) / STATES;
}

static void stage(const void *self, const wal_slab *slab, const double *mass, const double *policy,
                  const double *statistic, double *reward, double *outcome) {
  (void)self;
  (void)mass;
  (void)policy;
  (void)statistic;
  for (int64_t i = 0; i < ACTIONS * slab->stride; i++) {
    if (reward) reward[i] = 0;
    for (int k = 0; outcome && k < OUTCOMES; k++)
      outcome[k * ACTIONS * slab->stride + i] = 1.0 / OUTCOMES;
  }
}

static const wal_game_type TYPE = {
    .struct_size = sizeof(wal_game_type),
    .component = {.name = "maps", .kind = "game"},
    .initial = initial,
    .move = move,
    .stage = stage,
    .noise = noise,
};

static wal_game make_game(sort *kind) {
  wal_shape shape = {.horizon = 2,
                     .states = STATES,
                     .actions = ACTIONS,
                     .outcomes = OUTCOMES,
                     .populations = 1,
                     .group = 1,
                     .post_states = POST,
                     .noise_terms = kind->terms,
                     .axes = 1,
                     .axis = {{.name = "state", .size = STATES}}};
  return (wal_game){.type = &TYPE, .self = kind, .shape = shape};
}

/* Dense truth: masses and values of the joint distribution draw(.,4) and next values draw(.,5). */
static void dense(sort *kind, double *mass, double *value) {
  double *matrix = calloc(POST * STATES, sizeof *matrix);
  int64_t *target = calloc((size_t)(POST * kind->terms), sizeof *target);
  double *weight = calloc((size_t)(POST * kind->terms), sizeof *weight);
  noise(kind, 0, 0, POST, target, weight);
  for (int64_t m = 0; m < POST; m++)
    for (int e = 0; e < kind->terms; e++)
      matrix[m * STATES + target[e * POST + m]] += weight[e * POST + m];
  memset(mass, 0, STATES * sizeof *mass);
  memset(value, 0, STATES * ACTIONS * sizeof *value);
  for (int64_t s = 0; s < STATES; s++)
    for (int a = 0; a < ACTIONS; a++)
      for (int k = 0; k < OUTCOMES; k++)
        for (int64_t t = 0; t < STATES; t++) {
          double p = matrix[map(k, a, s) * STATES + t];
          mass[t] += draw((s * ACTIONS + a) * OUTCOMES + k, 4) * p;
          value[s * ACTIONS + a] += draw((s * ACTIONS + a) * OUTCOMES + k, 4) * p * draw(t, 5);
        }
  free(matrix);
  free(target);
  free(weight);
}

/* The same through the engine; own parts of mass and value, the rest zero. */
static void through_engine(wal_ctx *ctx, sort *kind, wal_noise_form form, int64_t block,
                           double *mass, double *value) {
  wal_game game = make_game(kind);
  wal_space *space = NULL;
  const wal_space_options options = {.block = block, .form = form};
  WAL_ASSERT_OK(ctx, wal_space_create(ctx, &game, &options, &space));
  const int64_t pairs = wal_space_tile_pairs(space), tile = space->states.tile;
  double *post = calloc((size_t)space->halo + 1, sizeof *post);
  double *next = calloc((size_t)space->halo + 1, sizeof *next);
  double *joint = calloc((size_t)pairs, sizeof *joint), *q = calloc((size_t)pairs, sizeof *q);
  const double *result = NULL;
  double *target = wal_space_target(space, next, post);
  memset(mass, 0, STATES * sizeof *mass);
  memset(value, 0, STATES * ACTIONS * sizeof *value);
  for (int back = 0; back < 2; back++) {
    if (back) {
      for (int64_t i = 0; i < space->states.count; i++) next[i] = draw(space->states.first + i, 5);
      WAL_ASSERT_OK(ctx, wal_space_pull(space, 0, next, post, &result));
    }
    for (int64_t t = 0; t < space->tiles; t++) {
      wal_slab slab = wal_space_slab(space, 0, t);
      memset(q, 0, (size_t)pairs * sizeof *q);
      for (int k = 0; k < OUTCOMES; k++) {
        for (int a = 0; a < ACTIONS; a++)
          for (int64_t i = 0; i < slab.count; i++)
            joint[a * tile + i] = draw(((slab.first + i) * ACTIONS + a) * OUTCOMES + k, 4);
        if (back)
          wal_moves_pull(space->moves[0], t, k, tile, joint, result, tile, q, q);
        else
          wal_moves_push(space->moves[0], t, k, tile, joint, target);
      }
      for (int a = 0; back && a < ACTIONS; a++)
        for (int64_t i = 0; i < slab.count; i++)
          value[(slab.first + i) * ACTIONS + a] = q[a * tile + i];
    }
    if (!back) {
      WAL_ASSERT_OK(ctx, wal_space_push(space, 0, target, next));
      if (space->states.count > 0)
        memcpy(mass + space->states.first, next, (size_t)space->states.count * sizeof *mass);
    }
  }
  free(post);
  free(next);
  free(joint);
  free(q);
  wal_space_destroy(&space);
}

static void every_form_is_the_dense_one(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(1), *alone = NULL;
  WAL_ASSERT_OK(ctx, wal_ctx_create(MPI_COMM_SELF, 1, &alone));
  static double mass[3][STATES], value[3][STATES * ACTIONS];
  static const int TERMS[] = {STENCIL, SPARSE, FULL};
  for (int n = 0; n < 3; n++)
    for (int form = WAL_NOISE_AUTO; form <= WAL_NOISE_DENSE; form++)
      for (int64_t block = BLOCK; block <= 4 * BLOCK; block *= 4) {
        sort kind = {TERMS[n]};
        dense(&kind, mass[0], value[0]);
        through_engine(alone, &kind, (wal_noise_form)form, block, mass[1], value[1]);
        through_engine(ctx, &kind, (wal_noise_form)form, block, mass[2], value[2]);
        WAL_ASSERT_ALL_NEAR(STATES, mass[1], mass[0], 1e-13);
        WAL_ASSERT_ALL_NEAR(STATES * ACTIONS, value[1], value[0], 1e-13);
        wal_partition p = wal_partition_states(ctx, STATES, ACTIONS, 1, 1, block);
        if (p.count == 0) {
          WAL_ASSERT_ALL(ctx, true);
          continue;
        }
        bool same =
            memcmp(mass[1] + p.first, mass[2] + p.first, (size_t)p.count * sizeof **mass) == 0 &&
            memcmp(value[1] + p.first * ACTIONS, value[2] + p.first * ACTIONS,
                   (size_t)p.count * ACTIONS * sizeof **value) == 0;
        WAL_ASSERT_ALL(ctx, same);
      }
  wal_ctx_destroy(&alone);
  wal_ctx_destroy(&ctx);
}

/* Kernels that fit a form are kept in it. */
static void the_form_fits_the_kernel(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(1);
  static const struct {
    int terms;
    wal_noise_form form;
  } EXPECTED[] = {{SPARSE, WAL_NOISE_ROWS}, {FULL, WAL_NOISE_DENSE}};
  for (int n = 0; n < 2; n++) {
    sort kind = {EXPECTED[n].terms};
    wal_game game = make_game(&kind);
    wal_space *space = NULL;
    WAL_ASSERT_OK(ctx, wal_space_create(ctx, &game, NULL, &space));
    assert_int_equal(wal_noise_form_of(space->noise[0]), EXPECTED[n].form);
    wal_space_destroy(&space);
  }
  wal_ctx_destroy(&ctx);
}

static void bad_noise(const void *self, int h, int64_t first, int64_t count, int64_t *target,
                      double *weight) {
  noise(self, h, first, count, target, weight);
  for (int64_t i = 0; i < count; i++)
    if (first + i == POST - 1) weight[i] *= 1.01;
}

static void bad_move(const void *self, int h, int outcome, int action, int64_t first, int64_t count,
                     int64_t *post) {
  move(self, h, outcome, action, first, count, post);
  for (int64_t i = 0; i < count; i++)
    if (first + i == STATES - 1) post[i] = POST;
}

static void kernels_that_are_none_are_refused(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(1);
  sort kind = {SPARSE};
  for (int n = 0; n < 2; n++) {
    wal_game_type type = TYPE;
    if (n == 0)
      type.noise = bad_noise;
    else
      type.move = bad_move;
    wal_game game = make_game(&kind);
    game.type = &type;
    wal_space *space = NULL;
    WAL_ASSERT_STATUS(ctx, WAL_EINTERNAL, wal_space_create(ctx, &game, NULL, &space));
    WAL_ASSERT_CONTAINS(wal_ctx_error(ctx), n == 0 ? "state 90" : "state 66");
    assert_null(space);
  }
  wal_ctx_destroy(&ctx);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_form_is_the_dense_one),
    cmocka_unit_test(the_form_fits_the_kernel),
    cmocka_unit_test(kernels_that_are_none_are_refused),
};
WAL_TEST_MAIN(tests)
