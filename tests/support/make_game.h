// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_TESTS_SUPPORT_MAKE_GAME_H
#define WALRAS_TESTS_SUPPORT_MAKE_GAME_H

#include <string.h>

#include "cli/catalogue.h"
#include "games/game_list.h"
#include "io/scenario.h"
#include "sim/core/parameter.h"
#include "tests/support/harness.h"

/* Components made from nodes, as a scenario would make them. */

static inline wal_node *wal_test_component(const char *name) {
  wal_node *node = wal_node_create(WAL_NODE_COMPONENT, 1);
  wal_node_set_text(node, name, strlen(name));
  return node;
}

static inline void wal_test_set_number(wal_node *component, const char *name, double number) {
  wal_node *node = wal_node_create(WAL_NODE_NUMBER, 1);
  node->number = number;
  wal_node_set_field(component, name, node);
}

static inline void wal_test_set_text(wal_node *component, const char *name, const char *text) {
  wal_node *node = wal_node_create(WAL_NODE_TEXT, 1);
  wal_node_set_text(node, text, strlen(text));
  wal_node_set_field(component, name, node);
}

/** Nested lists of `rank` levels from numbers in row-major order. */
static inline wal_node *wal_test_array(int rank, const int64_t *extent, const double *numbers) {
  wal_node *node = wal_node_create(rank == 1 ? WAL_NODE_NUMBERS : WAL_NODE_ITEMS, 1);
  int64_t below = 1;
  for (int i = 1; i < rank; i++) below *= extent[i];
  for (int64_t i = 0; i < extent[0]; i++) {
    if (rank == 1)
      wal_node_add_number(node, numbers[i]);
    else
      wal_node_add_item(node, wal_test_array(rank - 1, extent + 1, numbers + i * below));
  }
  return node;
}

/** A game with its parameters; both are left empty if `status` is not WAL_OK. */
typedef struct wal_test_game {
  wal_params *params;
  wal_game game;
  wal_scenario *scenario; /**< that its functions are part of, or NULL */
} wal_test_game;

/** Makes the game that `component`, which is freed, describes. */
static inline wal_status wal_test_game_create(wal_ctx *ctx, wal_node *component,
                                              wal_test_game *out) {
  memset(out, 0, sizeof *out);
  const wal_game_type *type = wal_game_find(component->text);
  assert_non_null(type);
  wal_status status = wal_params_resolve(ctx, "test.lua", &type->component, component,
                                         wal_catalogue_all(), &out->params);
  wal_node_destroy(component);
  if (status == WAL_OK) status = wal_game_create(ctx, type, out->params, &out->game);
  if (status != WAL_OK) wal_params_destroy(&out->params);
  return status;
}

static inline void wal_test_game_destroy(wal_ctx *ctx, wal_test_game *made) {
  wal_game_destroy(ctx, &made->game);
  wal_params_destroy(&made->params);
  wal_scenario_destroy(&made->scenario);
}

/** Makes the game that a Lua text gives, as "return custom { ... }". */
static inline wal_status wal_test_game_script(wal_ctx *ctx, const char *text, wal_test_game *out) {
  wal_scenario *scenario = NULL;
  memset(out, 0, sizeof *out);
  wal_status status =
      wal_scenario_parse(ctx, "test.lua", text, strlen(text), wal_catalogue_all(), &scenario);
  if (status == WAL_OK)
    status = wal_test_game_create(ctx, wal_node_copy(wal_scenario_root(scenario)), out);
  out->scenario = scenario;
  if (status != WAL_OK) wal_scenario_destroy(&out->scenario);
  return status;
}

#endif
