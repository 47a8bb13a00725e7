// SPDX-License-Identifier: GPL-3.0-or-later
/* Games that say that their outcomes' probabilities depend on the action only must be solved as
 * without saying so: the small auction of tests/support in both forms, on any number of ranks. And
 * what is remembered of a policy must be what it is. */
#include <math.h>
#include <stdlib.h>

#include "sim/learn/learner.h"
#include "tests/support/bidding.h"
#include "tests/support/make_game.h"

enum { STEPS = 4, SMALL_BLOCK = 8 };

static const double TOLERANCE = 2e-14;

typedef struct work {
  wal_ctx *ctx;
  wal_params *params, *rule;
  wal_game game;
  wal_space *space;
  wal_learner *learner;
} work;

/** Bits of a case. */
enum { BY_ACTION = 1, DRIFT = 2, CLIMB = 4, CAPS = 8, TWO = 16, CASES = 32 };

static void begin(work *w, wal_ctx *ctx, int bits, double values, const wal_learner_type *type,
                  double entropy, int64_t block) {
  *w = (work){.ctx = ctx};
  wal_node *game = wal_test_component("bidding"), *rule = wal_test_component(type->component.name);
  wal_test_set_number(game, "values", values);
  wal_test_set_number(game, "by_action", (bits & BY_ACTION) != 0);
  wal_test_set_number(game, "drift", (bits & DRIFT) != 0);
  wal_test_set_number(game, "climb", (bits & CLIMB) != 0);
  wal_test_set_number(game, "caps", (bits & CAPS) != 0);
  wal_test_set_number(game, "populations", bits & TWO ? 2 : 1);
  if (entropy > 0) wal_test_set_number(rule, "entropy", entropy);
  WAL_ASSERT_OK(ctx, wal_params_resolve(ctx, "test.lua", &wal_test_bidding.component, game, NULL,
                                        &w->params));
  WAL_ASSERT_OK(ctx, wal_params_resolve(ctx, "test.lua", &type->component, rule, NULL, &w->rule));
  wal_node_destroy(game);
  wal_node_destroy(rule);
  WAL_ASSERT_OK(ctx, wal_game_create(ctx, &wal_test_bidding, w->params, &w->game));
  const wal_space_options options = {.block = block};
  WAL_ASSERT_OK(ctx, wal_space_create(ctx, &w->game, &options, &w->space));
  WAL_ASSERT_OK(ctx, wal_learner_create(w->space, type, w->rule, &w->learner));
}

static void end(work *w) {
  wal_learner_destroy(&w->learner);
  wal_space_destroy(&w->space);
  wal_game_destroy(w->ctx, &w->game);
  wal_params_destroy(&w->params);
  wal_params_destroy(&w->rule);
}

/** Largest difference between the own states' parts of two solutions; `b` may hold all states. */
static double distance(const work *a, const work *b) {
  const wal_shape *shape = &a->game.shape;
  const wal_partition *own = &a->space->states;
  const int64_t from = own->first - b->space->states.first, pairs = own->count * shape->actions;
  double *part = malloc(sizeof *part * (size_t)(pairs + 1)), most = 0;
  double *whole = malloc(sizeof *whole * (size_t)(shape->states * shape->actions));
  assert_non_null(part);
  assert_non_null(whole);
  for (int h = 0; h < shape->horizon; h++) {
    const double *mass[2] = {wal_flow_mass(&a->learner->flow, h),
                             wal_flow_mass(&b->learner->flow, h) + from};
    const double *value[2] = {wal_values_kept(&a->learner->values, h),
                              wal_values_kept(&b->learner->values, h) + from};
    for (int64_t i = 0; i < own->count; i++) {
      most = fmax(most, fabs(mass[0][i] - mass[1][i]));
      most = fmax(most, fabs(value[0][i] - value[1][i]));
      if (!(isfinite(mass[0][i]) && isfinite(value[0][i]))) most = HUGE_VAL;
    }
    wal_policy_export(&a->learner->policy, h, part);
    wal_policy_export(&b->learner->policy, h, whole);
    for (int64_t i = 0; i < pairs; i++)
      most = fmax(most, fabs(part[i] - whole[from * shape->actions + i]));
  }
  free(part);
  free(whole);
  return most;
}

static void compare(work *a, work *b, double tolerance) {
  for (int k = 0; k <= STEPS; k++) {
    wal_measure one, two;
    WAL_ASSERT_OK(a->ctx, wal_learner_sweep(a->learner, k % 2 == 0, k < STEPS, &one));
    WAL_ASSERT_OK(b->ctx, wal_learner_sweep(b->learner, k % 2 == 0, k < STEPS, &two));
    WAL_ASSERT_ALL(a->ctx, fabs(one.exploitability - two.exploitability) <= tolerance);
    WAL_ASSERT_ALL(a->ctx, fabs(one.soft_exploitability - two.soft_exploitability) <= tolerance);
    WAL_ASSERT_ALL(a->ctx, distance(a, b) <= tolerance);
  }
}

static void said_or_not_the_game_is_the_same(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(4);
  for (int bits = 0; bits < CASES; bits += 2)
    for (int64_t l = 0; l <= wal_learner_count(); l++) {
      const bool entropy = l == wal_learner_count();
      const wal_learner_type *type =
          entropy ? wal_learner_find("mirror_descent") : wal_learner_at(l);
      for (int64_t block = 0; block <= SMALL_BLOCK; block += SMALL_BLOCK) {
        work said, unsaid;
        begin(&said, ctx, bits | BY_ACTION, 21, type, entropy ? 0.05 : 0, block);
        begin(&unsaid, ctx, bits, 21, type, entropy ? 0.05 : 0, block);
        compare(&said, &unsaid, TOLERANCE);
        end(&said);
        end(&unsaid);
      }
    }
  wal_ctx_destroy(&ctx);
}

static void ranks_do_not_matter(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(4), *self = NULL;
  WAL_ASSERT_OK(ctx, wal_ctx_create(MPI_COMM_SELF, 4, &self));
  for (int bits = 0; bits < CASES; bits += 2)
    for (int entropy = 0; entropy < 2; entropy++) {
      work mine, alone;
      const wal_learner_type *type = wal_learner_find("mirror_descent");
      begin(&mine, ctx, bits | BY_ACTION, 53, type, 0.01 * entropy, SMALL_BLOCK);
      begin(&alone, self, bits | BY_ACTION, 53, type, 0.01 * entropy, SMALL_BLOCK);
      compare(&mine, &alone, 0);
      end(&mine);
      end(&alone);
    }
  wal_ctx_destroy(&self);
  wal_ctx_destroy(&ctx);
}

/* The step writes down the probabilities of the logits it makes: those that softmax() gives. */
static void what_is_remembered_is_the_softmax_of_the_logits(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(4);
  for (int bits = 0; bits < CASES; bits++) {
    work w;
    begin(&w, ctx, bits, 53, wal_learner_find("mirror_descent"), 0.01, SMALL_BLOCK);
    wal_measure m;
    bool same = true;
    for (int k = 0; k < STEPS; k++) {
      WAL_ASSERT_OK(ctx, wal_learner_sweep(w.learner, k == 0, true, &m));
      for (int h = 0; h < w.game.shape.horizon; h++)
        for (int64_t tile = 0; tile < w.space->tiles; tile++) {
          const wal_slab slab = wal_space_slab(w.space, h, tile);
          const wal_tile t = wal_tile_of(w.space, &slab);
          const wal_policy_memo memo = wal_policy_memo_of(&w.learner->policy, h, tile);
          double pi[512], norm[64];
          same = same && memo.known && *memo.known && t.stride <= 64 && t.stride * t.actions <= 512;
          if (!same) continue;
          wal_tile_softmax(t, 1, wal_policy_tile(&w.learner->policy, h, tile), pi, norm);
          same = same && memcmp(norm, memo.log_norm, sizeof *norm * (size_t)t.count) == 0;
          for (int a = 0; a < t.actions; a++)
            same = same && memcmp(pi + a * t.stride, memo.probabilities + a * t.stride,
                                  sizeof *pi * (size_t)t.count) == 0;
        }
    }
    WAL_ASSERT_ALL(ctx, same);
    end(&w);
  }
  wal_ctx_destroy(&ctx);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(said_or_not_the_game_is_the_same),
    cmocka_unit_test(ranks_do_not_matter),
    cmocka_unit_test(what_is_remembered_is_the_softmax_of_the_logits),
};
WAL_TEST_MAIN(tests)
