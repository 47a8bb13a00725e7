// SPDX-License-Identifier: GPL-3.0-or-later
/* Finite populations beside their limit: the limit against the engine's flow, few agents against
 * closed forms and enumeration, gaps that fall as 1/sqrt(N). */
#include "sim/agents/population.h"

#include <gsl/gsl_cdf.h>
#include <math.h>

#include "sim/agents/enumeration.h"
#include "tests/support/make_crowd.h"

WAL_TEST_CTX(11)

// ---- The limit --------------------------------------------------------------------------------

/* Groups that all play the same are one group, and their limit is the mean field. */
static void limit_is_the_mean_field(void **state) {
  (void)state;
  static const char *const GAMES[] = {
      "return beach_bar { states = 12, horizon = 6, bar = 4 }",
      "return susceptible_infected { horizon = 8 }",
      "return predator_prey { horizon = 5 }",
      "return linear_quadratic { horizon = 6 }",
      ("return batched_auction { values = 9, bids = 7, goods = 0.9, reentry = 0.3,\n"
       "  drift = gaussian { slope = 0.9, width = 0.1 } }"),
  };
  for (size_t i = 0; i < sizeof GAMES / sizeof *GAMES; i++) {
    wal_test_field f;
    wal_test_field_create(ctx, GAMES[i], 3, &f);
    const wal_shape *shape = &f.game->shape;
    const double share[3] = {0.5, 0.2, 0.3};
    const double *const *policy[3] = {f.policy, f.policy, f.policy};
    double *mass = calloc((size_t)(3 * shape->states), sizeof *mass);
    for (int groups = 1; groups <= 3; groups += 2) {
      const double one = 1;
      WAL_ASSERT_OK(
          ctx, wal_arena_limit(&f.arena, groups, groups == 1 ? &one : share, policy, mass, NULL));
      for (int h = 0; h < shape->horizon; h++) {
        for (int64_t s = 0; s < shape->states; s++)
          WAL_ASSERT_WITHIN(wal_flow_mass(&f.arena.flow, h)[s],
                            wal_flow_mass(&f.learner->flow, h)[s], 1e-14);
        for (int64_t z = 0; z < wal_game_statistics(f.game); z++)
          WAL_ASSERT_WITHIN(wal_flow_statistic(&f.arena.flow, h)[z],
                            wal_flow_statistic(&f.learner->flow, h)[z], 1e-12);
      }
    }
    free(mass);
    wal_test_field_destroy(&f);
  }
}

static wal_population open_population(const wal_test_field *f, const wal_crowd_type *mode,
                                      bool deviates, const wal_population_group *group) {
  wal_population p;
  const wal_population_plan plan = {
      .space = f->space, .groups = 1, .group = group, .mode = mode, .deviates = deviates};
  WAL_ASSERT_OK(ctx, wal_population_create(ctx, &plan, &p));
  return p;
}

/* Its value is the engine's, and what deviating gains there is exploitability. */
static void limit_is_worth_what_the_engine_says(void **state) {
  (void)state;
  static const char *const GAMES[] = {"return beach_bar { states = 12, horizon = 6, bar = 4 }",
                                      "return predator_prey { horizon = 5 }",
                                      "return batched_auction { values = 9, bids = 7 }"};
  for (size_t i = 0; i < sizeof GAMES / sizeof *GAMES; i++) {
    wal_test_field f;
    wal_measure now;
    wal_test_field_create(ctx, GAMES[i], 3, &f);
    WAL_ASSERT_OK(ctx, wal_learner_sweep(f.learner, true, false, &now));
    const wal_population_group group = {1, f.policy};
    wal_population p = open_population(&f, &wal_crowd_counts, true, &group);
    WAL_ASSERT_NEAR(p.value, now.value, 1e-12);
    WAL_ASSERT_NEAR(p.deviation_gain, now.exploitability, 1e-9);
    wal_population_destroy(&p);
    wal_test_field_destroy(&f);
  }
}

// ---- Few agents -------------------------------------------------------------------------------

/* One stage on the beach with two agents: the other stands where the one does with probability 1/S,
 * so E r = E r_alone + (1/S) (r(1) - r(1/2)), and r has -log of the mass. */
static void two_on_the_beach(void **state) {
  (void)state;
  enum { STATES = 5 };
  wal_test_field f;
  wal_test_field_create(ctx, "return beach_bar { states = 5, horizon = 1, bar = 2 }", 0, &f);
  wal_enumeration one, two;
  WAL_ASSERT_OK(ctx, wal_enumeration_run(&f.arena, 1, f.policy, f.policy, &one));
  WAL_ASSERT_OK(ctx, wal_enumeration_run(&f.arena, 2, f.policy, f.policy, &two));
  const double crowded = 0, spread = -log(0.5 + 1e-20);  // -log mu
  WAL_ASSERT_NEAR(two.value, one.value + (1.0 / STATES) * crowded + (1 - 1.0 / STATES) * spread,
                  1e-12);
  wal_test_field_destroy(&f);
}

/* Two bidders for one good, with one value each and two bids, 0 and 1/2: whoever bids more wins and
 * pays the bid, ties are drawn. With bids drawn alike, by hand: values 0 and 1/2 alike likely. */
static void two_bidders(void **state) {
  (void)state;
  wal_test_field f;
  wal_test_field_create(ctx,
                        "return batched_auction { rounds = 1, values = 2, bids = 2, goods = 0.5,\n"
                        "  mechanism = first_price {} }",
                        0, &f);
  wal_enumeration e;
  WAL_ASSERT_OK(ctx, wal_enumeration_run(&f.arena, 2, f.policy, f.policy, &e));
  // Bid 0: wins a tie half the time, at no payment; bid 1/2: wins 3/4 of the time and pays 1/2.
  // Values 0, 1/2 have the mean 1/4.
  const double low = 0.5 * 0.5 * 0.25, high = 0.75 * (0.25 - 0.5);
  WAL_ASSERT_NEAR(e.value, 0.5 * low + 0.5 * high, 1e-13);
  WAL_ASSERT_NEAR(e.best, low, 1e-13);  // value 1/2 gains nothing by bidding 1/2
  wal_test_field_destroy(&f);
}

static double student(const wal_population_estimate *e, double exact) {
  if (fabs(e->mean - exact) <= 1e-12) return 0;
  return fabs(e->mean - exact) / e->error;
}

/* Returns and gains of few agents, played very often, against enumeration. */
static void played_and_enumerated(void **state) {
  (void)state;
  static const char *const GAMES[] = {
      "return beach_bar { states = 3, horizon = 2, bar = 1 }",
      "return susceptible_infected { horizon = 3 }",
      "return batched_auction { rounds = 1, values = 3, bids = 3, goods = 0.5 }"};
  const wal_crowd_type *const modes[] = {&wal_crowd_individual, &wal_crowd_counts};
  for (size_t i = 0; i < sizeof GAMES / sizeof *GAMES; i++)
    for (int mode = 0; mode < 2; mode++)
      for (int agents = 1; agents <= 3; agents++) {
        wal_test_field f;
        wal_test_field_create(ctx, GAMES[i], 0, &f);
        const wal_population_group group = {1, f.policy};
        wal_population p = open_population(&f, modes[mode], true, &group);
        wal_population_rows rows = {0};
        wal_enumeration all, deviating;
        assert_true(wal_enumeration_possible(f.space, agents));
        WAL_ASSERT_OK(ctx, wal_population_run(&p, agents, 4000, NULL, &rows));
        const double *const *best = (const double *const *)p.best;
        WAL_ASSERT_OK(ctx, wal_enumeration_run(&p.arena, agents, f.policy, f.policy, &all));
        WAL_ASSERT_OK(ctx, wal_enumeration_run(&p.arena, agents, best, f.policy, &deviating));
        const wal_population_estimate value =
            wal_population_estimate_of(&p, &rows, WAL_POPULATION_RETURN);
        const wal_population_estimate gain =
            wal_population_estimate_of(&p, &rows, WAL_POPULATION_GAIN);
        assert_true(student(&value, all.value) < 4);
        assert_true(student(&gain, deviating.value - all.value) < 4);
        assert_true(all.best >= deviating.value - 1e-12 && all.best >= all.value - 1e-12);
        wal_population_rows_free(ctx, &rows);
        wal_population_destroy(&p);
        wal_test_field_destroy(&f);
      }
}

// ---- Modes ------------------------------------------------------------------------------------

enum { CELLS = 4096 };

typedef struct histogram {
  int64_t base, code, *cells;
} histogram;

/* How many are in each state, at the last stage, as one number. */
static void see_last(void *user, const wal_crowd *crowd, int stage) {
  histogram *h = user;
  const wal_shape *shape = &crowd->plan.arena->space->game->shape;
  if (stage + 1 < shape->horizon) return;
  h->code = 0;
  for (int64_t s = 0; s < shape->states; s++) {
    int64_t here = 0;
    for (int a = 0; a < shape->actions; a++) here += crowd->played[s * shape->actions + a];
    h->code = h->code * h->base + here;
  }
  h->cells[h->code]++;
}

static void fill(const wal_test_field *f, const wal_crowd_type *mode, int64_t agents, int episodes,
                 int64_t *cells) {
  wal_crowd *crowd = NULL;
  wal_crowd_group group = wal_test_group(f, agents);
  const wal_crowd_plan plan = {
      .arena = (wal_arena *)(uintptr_t)&f->arena, .groups = 1, .group = &group};
  histogram h = {.base = agents + 1, .cells = cells};
  const wal_crowd_watch watch = {see_last, &h};
  WAL_ASSERT_OK(ctx, wal_crowd_create(ctx, mode, &plan, &crowd));
  for (int e = 0; e < episodes; e++) WAL_ASSERT_OK(ctx, wal_crowd_play(crowd, e, &watch));
  wal_crowd_destroy(&crowd);
}

/* Agents one by one and counted agents have the same law: of the counts of the last stage, by the
 * chi-square of two samples of the same size, sum (a - b)^2 / (a + b). */
static void both_modes_have_one_law(void **state) {
  (void)state;
  static const char *const GAMES[] = {
      "return beach_bar { states = 4, horizon = 3, bar = 1 }",
      "return susceptible_infected { horizon = 4 }",
      "return batched_auction { rounds = 3, values = 3, bids = 3, goods = 1.2, reentry = 0.4 }"};
  enum { EPISODES = 20000, FEW = 10 };
  for (size_t i = 0; i < sizeof GAMES / sizeof *GAMES; i++) {
    static int64_t one[CELLS], counted[CELLS];
    wal_test_field f;
    wal_test_field_create(ctx, GAMES[i], 2, &f);
    memset(one, 0, sizeof one);
    memset(counted, 0, sizeof counted);
    fill(&f, &wal_crowd_individual, 5, EPISODES, one);
    fill(&f, &wal_crowd_counts, 5, EPISODES, counted);
    double chi = 0;
    int freedom = -1;
    for (int c = 0; c < CELLS; c++) {
      const double sum = (double)(one[c] + counted[c]), off = (double)(one[c] - counted[c]);
      if (sum < FEW) continue;
      chi += off * off / sum;
      freedom++;
    }
    assert_true(freedom >= 4 && gsl_cdf_chisq_Q(chi, freedom) > 1e-4);
    wal_test_field_destroy(&f);
  }
}

// ---- Gaps -------------------------------------------------------------------------------------

static wal_status first_masses(void *user, const wal_arena *arena, double *out) {
  (void)user;
  *out = 0;  // of the last stage, where the game has been
  const wal_shape *shape = &arena->space->game->shape;
  for (int64_t s = 0; s < shape->states / 2; s++)
    *out += wal_flow_mass(&arena->flow, shape->horizon - 1)[s];
  return WAL_OK;
}

/* The size of the differences from the limit falls as N^(-1/2), in both modes. */
static void gaps_fall(void **state) {
  (void)state;
  static const char *const GAMES[] = {"return beach_bar { states = 10, horizon = 6, bar = 5 }",
                                      "return susceptible_infected { horizon = 10 }",
                                      "return batched_auction { values = 20, bids = 20 }"};
  const wal_crowd_type *const modes[] = {&wal_crowd_individual, &wal_crowd_counts};
  for (size_t i = 0; i < sizeof GAMES / sizeof *GAMES; i++)
    for (int mode = 0; mode < 2; mode++) {
      double agents[4], gap[3][4];
      wal_test_field f;
      wal_test_field_create(ctx, GAMES[i], 5, &f);
      const wal_population_group group = {1, f.policy};
      wal_population p;
      const wal_population_plan plan = {.space = f.space,
                                        .groups = 1,
                                        .group = &group,
                                        .mode = modes[mode],
                                        .objective = {first_masses, NULL}};
      WAL_ASSERT_OK(ctx, wal_population_create(ctx, &plan, &p));
      for (int n = 0; n < 4; n++) {
        wal_population_rows rows = {0};
        agents[n] = 300 * pow(6, n);
        WAL_ASSERT_OK(ctx, wal_population_run(&p, (int64_t)agents[n], 200, NULL, &rows));
        static const int PLACES[] = {WAL_POPULATION_RETURN_GAP, WAL_POPULATION_OBJECTIVE_GAP,
                                     WAL_POPULATION_DISTANCE};
        for (int k = 0; k < 3; k++)
          gap[k][n] = wal_population_estimate_of(&p, &rows, PLACES[k]).mean;
        wal_population_rows_free(ctx, &rows);
      }
      for (int k = 0; k < 3; k++) {
        const wal_population_slope s = wal_population_slope_of(4, agents, gap[k]);
        assert_true(s.slope > -0.6 && s.slope < -0.4);
      }
      wal_population_destroy(&p);
      wal_test_field_destroy(&f);
    }
}

/* Points on a line have its slope, with no width; too few have none. */
static void slopes(void **state) {
  (void)state;
  const double agents[3] = {10, 100, 1000}, gap[3] = {0.3, 0.03, 0.003};
  wal_population_slope s = wal_population_slope_of(3, agents, gap);
  WAL_ASSERT_NEAR(s.slope, -1, 1e-12);
  WAL_ASSERT_NEAR(s.low, -1, 1e-6);
  s = wal_population_slope_of(2, agents, gap);
  WAL_ASSERT_NEAR(s.slope, -1, 1e-12);
  assert_true(isnan(s.low));
  assert_true(isnan(wal_population_slope_of(1, agents, gap).slope));
}

// ---- Groups -----------------------------------------------------------------------------------

/* Sizes sum to N whatever the shares; a group's return is its own, and the population's is made of
 * the groups'. */
static void groups(void **state) {
  (void)state;
  wal_test_field f;
  wal_test_field_create(ctx, "return beach_bar { states = 8, horizon = 4, bar = 3 }", 6, &f);
  double *stay = calloc((size_t)f.arena.pairs, sizeof *stay);
  const double *staying[WAL_TEST_STAGES];
  const int actions = f.game->shape.actions;
  for (int64_t s = 0; s < f.game->shape.states; s++) stay[s * actions + 1] = 1;
  for (int h = 0; h < f.game->shape.horizon; h++) staying[h] = stay;
  const wal_population_group group[3] = {{0.6, f.policy}, {0.1, staying}, {0.3, f.policy}};
  const wal_population_plan plan = {
      .space = f.space, .groups = 3, .group = group, .mode = &wal_crowd_counts};
  wal_population p;
  WAL_ASSERT_OK(ctx, wal_population_create(ctx, &plan, &p));
  for (int64_t n = 1; n < 40; n++) {
    int64_t sum = 0;
    for (int g = 0; g < 3; g++) {
      const int64_t size = wal_population_group_size(&p, n, g);
      assert_true(fabs((double)size - group[g].share * (double)n) <= 1);
      sum += size;
    }
    assert_true(sum == n);
  }
  wal_population_rows rows = {0};
  WAL_ASSERT_OK(ctx, wal_population_run(&p, 100000, 30, NULL, &rows));
  double sum = 0;
  for (int g = 0; g < 3; g++) {
    const wal_population_estimate e =
        wal_population_estimate_of(&p, &rows, wal_population_group_return(&p, g));
    assert_true(student(&e, p.group_value[g]) < 5);  // a bias of 1/N is there, too
    sum += group[g].share * e.mean;
  }
  WAL_ASSERT_NEAR(wal_population_estimate_of(&p, &rows, WAL_POPULATION_RETURN).mean, sum, 1e-9);
  WAL_ASSERT_NEAR(p.group_value[0], p.group_value[2], 1e-12);
  assert_true(fabs(p.group_value[0] - p.group_value[1]) > 1e-3);
  wal_population_rows_free(ctx, &rows);
  wal_population_destroy(&p);
  free(stay);
  wal_test_field_destroy(&f);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(limit_is_the_mean_field),
    cmocka_unit_test(limit_is_worth_what_the_engine_says),
    cmocka_unit_test(two_on_the_beach),
    cmocka_unit_test(two_bidders),
    cmocka_unit_test(played_and_enumerated),
    cmocka_unit_test(both_modes_have_one_law),
    cmocka_unit_test(gaps_fall),
    cmocka_unit_test(slopes),
    cmocka_unit_test(groups),
};

int main(int argc, char **argv) {
  wal_test_begin(&argc, &argv);
  return wal_test_end(cmocka_run_group_tests(tests, open_ctx, close_ctx));
}
