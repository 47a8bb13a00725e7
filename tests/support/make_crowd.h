// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_TESTS_SUPPORT_MAKE_CROWD_H
#define WALRAS_TESTS_SUPPORT_MAKE_CROWD_H

#include <stdlib.h>

#include "sim/agents/crowd.h"
#include "sim/learn/learner.h"
#include "tests/support/make_game.h"

enum { WAL_TEST_STAGES = 16 };

/** A game, a policy of it and its mean field, and an arena for crowds to play in. */
typedef struct wal_test_field {
  wal_ctx *ctx;
  wal_test_game made;
  const wal_game *game;
  wal_params *rule;
  wal_space *space;
  wal_learner *learner; /**< its policy, and the flow of this policy */
  wal_arena arena;
  const double *policy[WAL_TEST_STAGES]; /**< as groups and guests take it */
} wal_test_field;

/** Makes the game that a Lua text gives, with the policy after so many steps of mirror_descent{rate
 *  = 1}: 0 is the uniform one. @param ctx  of this rank alone */
static inline void wal_test_field_create(wal_ctx *ctx, const char *text, int steps,
                                         wal_test_field *f) {
  memset(f, 0, sizeof *f);
  f->ctx = ctx;
  const wal_learner_type *type = wal_learner_find("mirror_descent");
  wal_node *rule = wal_test_component("mirror_descent");
  wal_test_set_number(rule, "rate", 1);
  WAL_ASSERT_OK(ctx, wal_test_game_script(ctx, text, &f->made));
  WAL_ASSERT_OK(ctx, wal_params_resolve(ctx, "test.lua", &type->component, rule, NULL, &f->rule));
  wal_node_destroy(rule);
  f->game = &f->made.game;
  WAL_ASSERT_OK(ctx, wal_space_create(ctx, f->game, NULL, &f->space));
  WAL_ASSERT_OK(ctx, wal_learner_create(f->space, type, f->rule, &f->learner));
  wal_measure unused;
  for (int k = 0; k < steps; k++)
    WAL_ASSERT_OK(ctx, wal_learner_sweep(f->learner, false, true, &unused));
  WAL_ASSERT_OK(ctx, wal_flow_run(&f->learner->flow, &f->learner->policy));
  WAL_ASSERT_OK(ctx, wal_arena_create(f->space, &f->arena));
  assert_true(f->game->shape.horizon <= WAL_TEST_STAGES);
  for (int h = 0; h < f->game->shape.horizon; h++) {
    double *row = malloc((size_t)f->arena.pairs * sizeof *row);
    assert_non_null(row);
    wal_policy_export(&f->learner->policy, h, row);
    f->policy[h] = row;
  }
}

static inline void wal_test_field_destroy(wal_test_field *f) {
  for (int h = 0; h < f->game->shape.horizon; h++) free((void *)(uintptr_t)f->policy[h]);
  wal_arena_destroy(&f->arena);
  wal_learner_destroy(&f->learner);
  wal_space_destroy(&f->space);
  wal_params_destroy(&f->rule);
  wal_test_game_destroy(f->ctx, &f->made);
}

/** As many agents in each population, who play the policy. */
static inline wal_crowd_group wal_test_group(const wal_test_field *f, int64_t agents) {
  wal_crowd_group group = {.policy = f->policy};
  for (int p = 0; p < f->game->shape.populations; p++) group.agents[p] = agents;
  return group;
}

#endif
