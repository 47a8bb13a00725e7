// SPDX-License-Identifier: GPL-3.0-or-later
/* The derivative of every objective through the learner, on auctions and congestion games: against
 * central differences with everything that can be remembered on the way, after no, one and several
 * steps of the learner, the same bits on any number of ranks; and exactly 0 where there is no
 * effect. */
#include <math.h>
#include <stdlib.h>

#include "incentives/design/gradient_check.h"
#include "tests/support/make_design.h"

enum { SEED = 8, DIRECTIONS = 3, TIMES = 3 };

#define MARKET "rounds = 2, values = 11, bids = 9, goods = 0.7, "
#define BEACH "beach_bar { states = 13, bar = 5, horizon = 4, log_offset = 1e-3, toll = toll{} }"
#define CROWD \
  "crowd_motion { rows = 5, columns = 4, horizon = 3, toll = toll{ on = 'state_action' } }"
#define NEURAL                                                                                     \
  "batched_auction { " MARKET "mechanism = neural { hidden = 5, seed = 2, precision = 'double' } " \
                              "}"
#define STATIC "batched_auction { " MARKET "reentry = 0.2, mechanism = static {} }"
#define TOLL "batched_auction { " MARKET "mechanism = first_price {}, toll = toll{} }"

static const wal_response CROWDS = {.rate = 0.5, .entropy = 0.1, .iterations = 12};
static const wal_response BIDDERS = {.rate = 5, .entropy = 0.01, .iterations = 15};

static const struct {
  const char *game, *objective;
  const wal_response *response;
} PAIRS[] = {
    {BEACH, "congestion { sharpness = 7 }", &CROWDS},
    {BEACH, "target_flow { flow = function(h, s) return s == h + 6 and 0.5 or 0.02 end }", &CROWDS},
    {BEACH, "weights { weight = function(h, s, a) return math.cos(h + 2 * s + 5 * a) end }",
     &CROWDS},
    {CROWD, "congestion {}", &CROWDS},
    {CROWD, "target_flow { flow = function(h, s) return s / 190 end }", &CROWDS},
    {NEURAL, "revenue {}", &BIDDERS},
    {NEURAL, "efficiency {}", &BIDDERS},
    {NEURAL, "mix { revenue = 0.3, efficiency = 1 }", &BIDDERS},
    {NEURAL, "congestion {}", &BIDDERS},
    {NEURAL, "target_flow { flow = function(h, s) return 1 / (s + 2) end }", &BIDDERS},
    {NEURAL, "weights { weight = function(h, s, a) return math.sin(h + s + 3 * a) end }", &BIDDERS},
    {STATIC, "revenue {}", &BIDDERS},
    {STATIC, "mix {}", &BIDDERS},
    {TOLL, "revenue {}", &BIDDERS},
};
enum { PAIR_COUNT = sizeof PAIRS / sizeof PAIRS[0] };

static const char *const MEMORY[] = {"amid { memory = 'full' }", "amid { memory = 'sqrt' }",
                                     "amid { memory = 'reverse' }"};
enum { FULL, SQRT, REVERSE, MEMORIES };

static const wal_space_options LAYOUT = {.block = 8};

typedef struct work {
  wal_test_problem problem;
  int64_t count;
  double *theta;
} work;

static void begin(wal_ctx *ctx, const char *game, const char *objective, wal_response response,
                  work *w) {
  WAL_ASSERT_OK(ctx, wal_test_problem_make(ctx, game, objective, response, &LAYOUT, &w->problem));
  w->count = wal_problem_count(w->problem.problem);
  w->theta = malloc(sizeof *w->theta * (size_t)w->count);
  for (int64_t i = 0; i < w->count; i++)  // away from the start, which can be at a kink
    w->theta[i] = wal_problem_start(w->problem.problem)[i] + 0.2 * sin(1 + 3 * (double)i);
}

static void end(work *w) {
  free(w->theta);
  wal_test_problem_free(&w->problem);
}

/* G and its gradient with a memory. To be freed. */
static double *gradient(wal_ctx *ctx, work *w, const char *memory, double *value,
                        wal_gradient_check *check) {
  wal_test_part part;
  wal_method *method = NULL;
  wal_method_result found;
  double *g = malloc(sizeof *g * (size_t)w->count);
  WAL_ASSERT_OK(ctx, wal_test_part_make(ctx, "method", memory, &part));
  WAL_ASSERT_OK(ctx,
                wal_method_create(w->problem.problem, &wal_method_amid, part.params, 0, &method));
  WAL_ASSERT_OK(ctx, wal_method_step(method, 0, w->theta, g, &found));
  if (check)
    WAL_ASSERT_OK(ctx, wal_gradient_check_run(method, method, w->theta, DIRECTIONS, check));
  *value = found.objective;
  wal_method_destroy(&method);
  wal_test_part_free(&part);
  return g;
}

static double norm(int64_t count, const double *x) {
  double sum = 0;
  for (int64_t i = 0; i < count; i++) sum += x[i] * x[i];
  return sqrt(sum);
}

/* Returns how many comparisons with differences there were. */
static int check_pair(wal_ctx *ctx, wal_ctx *self, int index, int64_t iterations) {
  wal_response response = *PAIRS[index].response;
  response.iterations = iterations < 0 ? response.iterations : iterations;
  double *g[MEMORIES], value[MEMORIES], alone_value, evaluated;
  work all, alone;
  int checked = 0;
  begin(ctx, PAIRS[index].game, PAIRS[index].objective, response, &all);
  begin(self, PAIRS[index].game, PAIRS[index].objective, response, &alone);
  const size_t bytes = (size_t)all.count * sizeof(double);
  WAL_ASSERT_OK(self, wal_problem_evaluate(alone.problem.problem, alone.theta, &evaluated));
  for (int m = 0; m < MEMORIES; m++) {
    wal_gradient_check check = {.directions = 0};
    g[m] = gradient(ctx, &all, MEMORY[m], &value[m], wal_ctx_size(ctx) == 1 ? &check : NULL);
    WAL_ASSERT_SAME(value[m], evaluated);
    if (check.directions == DIRECTIONS && check.norm > 0) checked++;
    if (check.error > 1e-6) print_message("    %s: error %g\n", MEMORY[m], check.error);
    assert_true(check.error <= 1e-6 && !check.beside);
  }
  assert_memory_equal(g[FULL], g[SQRT], bytes);
  const double size = norm(all.count, g[FULL]);
  for (int64_t i = 0; i < all.count; i++)
    assert_true(fabs(g[REVERSE][i] - g[FULL][i]) <= 1e-9 * size);
  double *lone = gradient(self, &alone, MEMORY[REVERSE], &alone_value, NULL);
  WAL_ASSERT_ALL(ctx, memcmp(lone, g[REVERSE], bytes) == 0);
  WAL_ASSERT_SAME(alone_value, value[REVERSE]);
  const bool toll = strstr(PAIRS[index].game, "toll") != NULL;
  /* Without a step of the learner a toll changes nothing; a mechanism changes what is paid. */
  if (iterations == 0 && toll) WAL_ASSERT_SAME(size, 0.0);
  if (iterations != 0) assert_true(size > 0);
  free(lone);
  for (int m = 0; m < MEMORIES; m++) free(g[m]);
  end(&all);
  end(&alone);
  return checked;
}

static void test_every_objective(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(SEED), *self = NULL;
  WAL_ASSERT_OK(ctx, wal_ctx_create(MPI_COMM_SELF, SEED, &self));
  int checked[TIMES] = {0};
  for (int64_t i = 0; i < wal_objective_count(); i++) {
    bool tried = false;
    const char *name = wal_objective_at(i)->component.name;
    for (int j = 0; j < PAIR_COUNT; j++)
      tried = tried || strncmp(PAIRS[j].objective, name, strlen(name)) == 0;
    assert_true(tried);
  }
  for (int i = 0; i < PAIR_COUNT; i++) {
    static const int64_t ITERATIONS[TIMES] = {-1, 0, 1};
    print_message("  %.22s, %.20s\n", PAIRS[i].game, PAIRS[i].objective);
    for (int t = 0; t < TIMES; t++) checked[t] += check_pair(ctx, self, i, ITERATIONS[t]);
  }
  if (wal_ctx_size(ctx) == 1) {
    print_message("  %d, %d and %d comparisons with differences\n", checked[0], checked[1],
                  checked[2]);
    assert_int_equal(checked[0], PAIR_COUNT * MEMORIES);
    assert_true(checked[0] >= 12);
    assert_int_equal(checked[2], PAIR_COUNT * MEMORIES);
  }
  wal_ctx_destroy(&self);
  wal_ctx_destroy(&ctx);
}

/* Nothing is for sale: whatever the rules, nobody wins or pays. */
static void test_zero_goods(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(SEED);
  static const char *const GAMES[] = {
      "batched_auction { rounds = 2, values = 9, bids = 7, goods = 0, mechanism = neural { hidden "
      "= "
      "4 } }",
      "batched_auction { rounds = 2, values = 9, bids = 7, goods = 0, mechanism = static {} }"};
  static const char *const OBJECTIVES[] = {"revenue {}", "efficiency {}", "mix {}"};
  for (int i = 0; i < 2; i++)
    for (int k = 0; k < 3; k++)
      for (int m = 0; m < MEMORIES; m++) {
        work w;
        double value;
        begin(ctx, GAMES[i], OBJECTIVES[k], BIDDERS, &w);
        double *g = gradient(ctx, &w, MEMORY[m], &value, NULL);
        assert_true(value == 0);
        for (int64_t j = 0; j < w.count; j++) assert_true(g[j] == 0);
        free(g);
        end(&w);
      }
  wal_ctx_destroy(&ctx);
}

/* A derivative is exactly 0 where there can be no effect, and only there. */
static void test_no_effect(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(SEED);
  double value;
  work w;
  for (int m = 0; m < MEMORIES; m++) {
    /* From place 0, two stages: a move of 1 and noise of 1 lead to places 0, 1 and 2. */
    begin(ctx,
          "beach_bar { states = 11, bar = 5, horizon = 2, log_offset = 1e-3, toll = toll{},"
          "  initial = function(s) return s == 0 and 1 or 0 end }",
          "congestion {}", CROWDS, &w);
    double *g = gradient(ctx, &w, MEMORY[m], &value, NULL);
    for (int64_t s = 0; s < w.count; s++) assert_true((g[s] == 0) == (s > 2));
    free(g);
    end(&w);

    /* The payment of bid 0 is a share of 0. Payments [round][bid], then goods [round]. */
    enum { ROUNDS = 3, BIDS = 8 };
    begin(
        ctx,
        "batched_auction { rounds = 3, values = 9, bids = 8, goods = 0.8, mechanism = static {} }",
        "revenue {}", BIDDERS, &w);
    assert_int_equal(w.count, ROUNDS * BIDS + ROUNDS);
    g = gradient(ctx, &w, MEMORY[m], &value, NULL);
    for (int h = 0; h < ROUNDS; h++) {
      assert_true(g[h * BIDS] == 0);
      assert_true(g[h * BIDS + BIDS - 2] != 0 && g[ROUNDS * BIDS + h] != 0);
    }
    free(g);
    end(&w);
  }
  wal_ctx_destroy(&ctx);
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_objective),
                                          cmocka_unit_test(test_zero_goods),
                                          cmocka_unit_test(test_no_effect)};
WAL_TEST_MAIN(tests)
