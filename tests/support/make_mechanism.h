// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_TESTS_SUPPORT_MAKE_MECHANISM_H
#define WALRAS_TESTS_SUPPORT_MAKE_MECHANISM_H

#include <stdio.h>

#include "auctions/mechanism.h"
#include "tests/support/make_game.h"

/** A mechanism with what it is made from. */
typedef struct wal_test_mechanism {
  wal_scenario *scenario;
  wal_params *params;
  wal_mechanism made;
} wal_test_mechanism;

static inline void wal_test_mechanism_destroy(wal_ctx *ctx, wal_test_mechanism *m) {
  wal_mechanism_destroy(ctx, &m->made);
  wal_params_destroy(&m->params);
  wal_scenario_destroy(&m->scenario);
}

/** Makes the mechanism that a Lua text gives, as "first_price { reserve = 0.2 }"; nothing is left
 *  if that fails. */
static inline wal_status wal_test_mechanism_create(wal_ctx *ctx, const char *text,
                                                   const wal_market *market,
                                                   wal_test_mechanism *out) {
  char source[1024];
  memset(out, 0, sizeof *out);
  snprintf(source, sizeof source, "return %s", text);
  wal_status status = wal_scenario_parse(ctx, "test.lua", source, strlen(source),
                                         wal_catalogue_all(), &out->scenario);
  if (status == WAL_OK) {
    const wal_node *root = wal_scenario_root(out->scenario);
    const wal_mechanism_type *type = wal_mechanism_find(root->text);
    assert_non_null(type);
    status = wal_params_resolve(ctx, "test.lua", &type->component, root, wal_catalogue_all(),
                                &out->params);
  }
  if (status == WAL_OK) status = wal_mechanism_create(ctx, out->params, market, &out->made);
  if (status != WAL_OK) wal_test_mechanism_destroy(ctx, out);
  return status;
}

#endif
