// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_TESTS_SUPPORT_MAKE_DESIGN_H
#define WALRAS_TESTS_SUPPORT_MAKE_DESIGN_H

#include <stdio.h>

#include "incentives/design/design.h"
#include "tests/support/make_game.h"

/** Resolved parameters of a component that stands in a Lua text. */
typedef struct wal_test_part {
  wal_scenario *scenario;
  wal_params *params;
} wal_test_part;

/** Of "congestion { sharpness = 7 }" and the like; `kind` tells apart components of one name. */
static inline wal_status wal_test_part_make(wal_ctx *ctx, const char *kind, const char *text,
                                            wal_test_part *out) {
  char whole[1024];
  snprintf(whole, sizeof whole, "return %s", text);
  *out = (wal_test_part){0};
  wal_status status = wal_scenario_parse(ctx, "test.lua", whole, strlen(whole), wal_catalogue_all(),
                                         &out->scenario);
  if (status != WAL_OK) return status;
  const wal_node *root = wal_scenario_root(out->scenario);
  const wal_component *component = wal_catalogue_find_kind(wal_catalogue_all(), root->text, kind);
  assert_non_null(component);
  return wal_params_resolve(ctx, "test.lua", component, root, wal_catalogue_all(), &out->params);
}

static inline void wal_test_part_free(wal_test_part *part) {
  wal_params_destroy(&part->params);
  wal_scenario_destroy(&part->scenario);
}

/** A design problem from Lua texts. */
typedef struct wal_test_problem {
  wal_test_part game, objective;
  wal_problem *problem;
} wal_test_problem;

static inline wal_status wal_test_problem_make(wal_ctx *ctx, const char *game,
                                               const char *objective, wal_response response,
                                               const wal_space_options *layout,
                                               wal_test_problem *out) {
  *out = (wal_test_problem){0};
  WAL_ASSERT_OK(ctx, wal_test_part_make(ctx, "game", game, &out->game));
  WAL_ASSERT_OK(ctx, wal_test_part_make(ctx, "objective", objective, &out->objective));
  const wal_problem_parts parts = {
      .game = wal_game_find(wal_params_component(out->game.params)->name),
      .game_params = out->game.params,
      .objective = wal_objective_find(wal_params_component(out->objective.params)->name),
      .objective_params = out->objective.params,
      .response = response,
      .layout = layout};
  return wal_problem_create(ctx, &parts, &out->problem);
}

static inline void wal_test_problem_free(wal_test_problem *made) {
  wal_problem_destroy(&made->problem);
  wal_test_part_free(&made->objective);
  wal_test_part_free(&made->game);
}

/** A design of a problem from Lua texts; `optimizer` may be NULL. */
typedef struct wal_test_design {
  wal_test_part method, optimizer;
  wal_design *design;
} wal_test_design;

static inline wal_status wal_test_design_make(wal_ctx *ctx, const wal_test_problem *problem,
                                              const char *method, const char *optimizer,
                                              wal_design_plan plan, wal_test_design *out) {
  *out = (wal_test_design){0};
  WAL_ASSERT_OK(ctx, wal_test_part_make(ctx, "method", method, &out->method));
  plan.method = wal_method_find(wal_params_component(out->method.params)->name);
  plan.method_params = out->method.params;
  if (optimizer) {
    WAL_ASSERT_OK(ctx, wal_test_part_make(ctx, "optimizer", optimizer, &out->optimizer));
    plan.optimizer = wal_optimizer_find(wal_params_component(out->optimizer.params)->name);
    plan.optimizer_params = out->optimizer.params;
  }
  return wal_design_create(problem->problem, &plan, &out->design);
}

static inline void wal_test_design_free(wal_test_design *made) {
  wal_design_destroy(&made->design);
  wal_test_part_free(&made->method);
  wal_test_part_free(&made->optimizer);
}

#endif
