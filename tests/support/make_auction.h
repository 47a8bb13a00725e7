// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_TESTS_SUPPORT_MAKE_AUCTION_H
#define WALRAS_TESTS_SUPPORT_MAKE_AUCTION_H

#include <stdio.h>
#include <string.h>

#include "auctions/one_shot_simulate.h"
#include "cli/catalogue.h"
#include "io/scenario.h"
#include "tests/support/harness.h"

/** A one-shot auction as a scenario makes it. */
typedef struct wal_test_auction {
  wal_scenario *scenario;
  wal_params *params;
  wal_one_shot auction;
} wal_test_auction;

/** The auction that fields such as "bidders = 3" describe. */
static inline wal_status wal_test_auction_create(wal_ctx *ctx, const char *fields,
                                                 wal_test_auction *out) {
  char text[1024];
  snprintf(text, sizeof text, "return one_shot_auction { %s }", fields);
  memset(out, 0, sizeof *out);
  wal_status status =
      wal_scenario_parse(ctx, "test.lua", text, strlen(text), wal_catalogue_all(), &out->scenario);
  if (status == WAL_OK)
    status =
        wal_params_resolve(ctx, "test.lua", &wal_one_shot_component,
                           wal_scenario_root(out->scenario), wal_catalogue_all(), &out->params);
  return status == WAL_OK ? wal_one_shot_create(ctx, out->params, &out->auction) : status;
}

static inline void wal_test_auction_destroy(wal_ctx *ctx, wal_test_auction *made) {
  wal_one_shot_destroy(ctx, &made->auction);
  wal_params_destroy(&made->params);
  wal_scenario_destroy(&made->scenario);
}

/** Plays such an auction, and says what theory says of it. @collective on */
static inline void wal_test_auction_simulate(wal_ctx *on, const char *fields, int64_t samples,
                                             wal_one_shot_result *result,
                                             wal_theory_amounts *theory) {
  wal_test_auction made;
  WAL_ASSERT_OK(on, wal_test_auction_create(on, fields, &made));
  WAL_ASSERT_OK(on, wal_one_shot_theory(on, &made.auction, theory));
  WAL_ASSERT_OK(on, wal_one_shot_simulate(on, &made.auction, samples, NULL, NULL, result));
  wal_test_auction_destroy(on, &made);
}

#endif
