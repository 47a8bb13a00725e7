// SPDX-License-Identifier: GPL-3.0-or-later
/* Auctions of many blocks of values, with drift and re-entry, are the same bits on every number of
 * ranks: trace, masses, policies, what they report. */
#include <math.h>
#include <stdlib.h>

#include "sim/game/report.h"
#include "sim/learn/learner.h"
#include "tests/support/make_game.h"

typedef struct work {
  wal_ctx *ctx;
  wal_test_game made;
  wal_params *rule;
  wal_space *space;
  wal_learner *learner;
  wal_report report;
} work;

static void begin(work *w, wal_ctx *ctx, const char *text, double entropy, int64_t block) {
  *w = (work){.ctx = ctx};
  const wal_learner_type *type = wal_learner_find("mirror_descent");
  const wal_space_options options = {.block = block};
  wal_node *rule = wal_test_component("mirror_descent");
  wal_test_set_number(rule, "rate", 10);
  wal_test_set_number(rule, "entropy", entropy);
  WAL_ASSERT_OK(ctx, wal_test_game_script(ctx, text, &w->made));
  WAL_ASSERT_OK(ctx, wal_params_resolve(ctx, "test.lua", &type->component, rule, NULL, &w->rule));
  wal_node_destroy(rule);
  WAL_ASSERT_OK(ctx, wal_space_create(ctx, &w->made.game, &options, &w->space));
  WAL_ASSERT_OK(ctx, wal_learner_create(w->space, type, w->rule, &w->learner));
}

static void end(work *w) {
  wal_report_free(w->ctx, &w->report);
  wal_learner_destroy(&w->learner);
  wal_space_destroy(&w->space);
  wal_params_destroy(&w->rule);
  wal_test_game_destroy(w->ctx, &w->made);
}

static wal_measure run(work *w, int steps) {
  wal_measure m;
  memset(&m, 0, sizeof m);
  for (int k = 0; k <= steps; k++)
    WAL_ASSERT_OK(w->ctx, wal_learner_sweep(w->learner, k == steps, k < steps, &m));
  WAL_ASSERT_OK(w->ctx,
                wal_report_create(w->space, &w->learner->flow, &w->learner->policy, &w->report));
  return m;
}

static bool same(const double *a, const double *b, int64_t count) {
  return count == 0 || memcmp(a, b, (size_t)count * sizeof *a) == 0;
}

static bool same_fields(const work *mine, const work *alone) {
  const wal_shape *shape = &mine->made.game.shape;
  const wal_partition *own = &mine->space->states;
  const int64_t pairs = own->count * shape->actions,
                numbers = wal_game_statistics(&mine->made.game);
  double *part = malloc(sizeof *part * (size_t)(pairs + 1));
  double *whole = malloc(sizeof *whole * (size_t)(shape->states * shape->actions));
  bool equal = same(mine->learner->flow.statistics, alone->learner->flow.statistics,
                    shape->horizon * numbers);
  for (int h = 0; h < shape->horizon; h++) {
    equal = equal && same(wal_flow_mass(&mine->learner->flow, h),
                          wal_flow_mass(&alone->learner->flow, h) + own->first, own->count);
    wal_policy_export(&mine->learner->policy, h, part);
    wal_policy_export(&alone->learner->policy, h, whole);
    equal = equal && same(part, whole + own->first * shape->actions, pairs);
  }
  free(part);
  free(whole);
  return equal && same(mine->report.values, alone->report.values,
                       (int64_t)mine->report.stages * mine->report.form->columns);
}

/* Mass, and goods, are kept; with the column numbers of the report. */
static void check_kept(const work *w, double goods) {
  double sold = 0;
  int columns = w->report.form->columns;
  assert_string_equal(w->report.form->column[0].name, "goods");
  assert_string_equal(w->report.form->column[1].name, "sold");
  for (int h = 0; h < w->report.stages; h++) {
    double mass = 0;
    for (int64_t s = 0; s < w->space->states.count; s++)
      mass += wal_flow_mass(&w->learner->flow, h)[s];
    WAL_ASSERT_WITHIN(mass, 1, 1e-13);
    const double *row = w->report.values + h * columns;
    assert_true(row[1] >= 0 && row[1] <= row[0] + 1e-15);
    sold += row[1];
  }
  assert_true(sold <= goods + 1e-14 && sold > 0.1);
}

static void compare(const char *text, double entropy, int64_t block, double goods, int steps) {
  wal_ctx *ctx = wal_test_ctx(20), *self = NULL;
  work mine, alone;
  WAL_ASSERT_OK(ctx, wal_ctx_create(MPI_COMM_SELF, 20, &self));
  begin(&mine, ctx, text, entropy, block);
  begin(&alone, self, text, entropy, block);
  assert_true(mine.space->states.blocks >= 3);
  const wal_measure here = run(&mine, steps), there = run(&alone, steps);
  WAL_ASSERT_ALL(ctx, same(&here.exploitability, &there.exploitability, 1) &&
                          same(&here.soft_exploitability, &there.soft_exploitability, 1) &&
                          same(&here.value, &there.value, 1));
  WAL_ASSERT_ALL(ctx, same_fields(&mine, &alone));
  assert_true(there.exploitability > -1e-12);
  check_kept(&alone, goods);
  end(&mine);
  end(&alone);
  wal_ctx_destroy(&self);
  wal_ctx_destroy(&ctx);
}

static void drift_and_reentry(void **state) {
  (void)state;
  static const char TEXT[] =
      "return batched_auction { rounds = 3, values = 600, bids = 60, goods = 1.1, reentry = 0.3,\n"
      "  prior = geometric { ratio = 0.995 }, drift = gaussian { slope = 1.1, width = 0.1 } }";
  compare(TEXT, 1e-3, 32, 1.1, 4);
  compare(TEXT, 0, 100, 1.1, 4);
}

static void winners_who_stay(void **state) {
  (void)state;
  compare(
      "return batched_auction { rounds = 3, values = 600, bids = 60, winners = 'stay',\n"
      "  utility = risk_averse { beta = 2 }, unsold = 'returned',\n"
      "  mechanism = first_price { reserve = 0.21 } }",
      1e-3, 64, 0.8, 4);
}

static void functions(void **state) {
  (void)state;
  compare(
      "return batched_auction { rounds = 2, values = 600, bids = 30, reentry = 1,\n"
      "  prior = function(v) return 1 + v end,\n"
      "  utility = function(v, p, h) return (v - p) / (1 + h) - p * p end }",
      1e-3, 128, 0.8, 2);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(drift_and_reentry),
    cmocka_unit_test(winners_who_stay),
    cmocka_unit_test(functions),
};

WAL_TEST_MAIN(tests)
