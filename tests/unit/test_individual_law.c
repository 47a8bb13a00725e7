// SPDX-License-Identifier: GPL-3.0-or-later
/* The law of agents one by one: many episodes average to the mean field; in contests exactly as
 * many get an outcome as there is of it, everybody as likely as the others. */
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <string.h>

#include "sim/game/flow.h"

#include "tests/support/individuals.h"
#include "tests/support/raffle.h"

// ---- The mean field ---------------------------------------------------------------------------

typedef struct sums {
  const wal_test_world *w;
  int64_t states, episodes;
  double *mass, *square; /* [H][S]: over episodes */
} sums;

static void add_masses(void *user, const wal_crowd *crowd, int stage) {
  sums *s = user;
  const double *mass = wal_flow_mass(&crowd->plan.arena->flow, stage);
  for (int64_t i = 0; i < s->states; i++) {
    s->mass[stage * s->states + i] += mass[i];
    s->square[stage * s->states + i] += mass[i] * mass[i];
  }
}

static void run_mean_field(const wal_test_world *w, wal_policy *policy, wal_flow *flow) {
  const wal_shape *shape = wal_test_world_shape(w);
  WAL_ASSERT_OK(w->self, wal_flow_create(w->space, true, flow));
  WAL_ASSERT_OK(w->self, wal_policy_create(w->space, WAL_POLICY_PROBABILITIES, policy));
  for (int h = 0; h < shape->horizon; h++)
    for (int64_t tile = 0; tile < w->space->tiles; tile++) {
      const wal_slab slab = wal_space_slab(w->space, h, tile);
      double *pi = wal_policy_tile(policy, h, tile);
      for (int64_t i = 0; i < slab.count; i++)
        for (int a = 0; a < shape->actions; a++)
          pi[a * slab.stride + i] = w->policy[h][(slab.first + i) * shape->actions + a];
    }
  WAL_ASSERT_OK(w->self, wal_flow_run(flow, policy));
}

/* Every mass within some 4.5 standard errors, or so many of what single agents amount to where few
 * are. */
static void compare(const char *text, int64_t agents, int episodes) {
  wal_test_world w;
  wal_flow flow;
  wal_policy policy;
  wal_test_world_create(&w, text, NULL, 1, &agents, true);
  const int64_t states = wal_test_world_shape(&w)->states;
  const int64_t numbers = wal_test_world_shape(&w)->horizon * states;
  sums s = {&w, states, episodes, calloc((size_t)numbers, sizeof(double)),
            calloc((size_t)numbers, sizeof(double))};
  const wal_crowd_watch watch = {add_masses, &s};
  for (int e = 0; e < episodes; e++) WAL_ASSERT_OK(w.self, wal_crowd_play(w.crowd, e, &watch));
  run_mean_field(&w, &policy, &flow);
  double worst = 0;
  int64_t counted = 0;
  for (int64_t i = 0; i < numbers; i++) {
    const double right = wal_flow_mass(&flow, (int)(i / states))[i % states];
    const double mean = s.mass[i] / episodes;
    const double variance = (s.square[i] / episodes - mean * mean) / (episodes - 1);
    const double single = right * (1 - right) / ((double)agents * episodes);
    if (right == 0) {
      assert_true(mean == 0);
      continue;
    }
    const double error = sqrt(fmax(variance, single)) + 1.0 / ((double)agents * episodes);
    worst = fmax(worst, fabs(mean - right) / error);
    counted++;
  }
  // Bonferroni's bound for estimated errors: right numbers, however they depend on each other, stay
  // below it together with probability 0.999.
  const double most = gsl_cdf_tdist_Qinv(5e-4 / (double)counted, episodes - 1);
  assert_true(counted > 10 && worst < most);
  free(s.mass), free(s.square);
  wal_flow_destroy(&flow);
  wal_policy_destroy(&policy);
  wal_test_world_destroy(&w);
}

static void episodes_average_to_the_mean_field(void **state) {
  (void)state;
  compare("beach_bar { states = 40, horizon = 8, bar = 20 }", 20000, 100);
  compare("susceptible_infected { horizon = 20 }", 100000, 100);
  compare("crowd_motion { horizon = 8 }", 20000, 100);
  compare("predator_prey { horizon = 6 }", 20000, 100);
  compare("random_linear { horizon = 6 }", 20000, 100);
  compare("random_linear { states = 30, horizon = 4 }", 20000, 100);
  compare("treasure_hunting { horizon = 5 }", 20000, 100);
  compare("batched_auction { values = 12, bids = 9, rounds = 5, goods = 0.6 }", 50000, 100);
  compare(
      "batched_auction { values = 12, bids = 9, rounds = 5, goods = 0.6, reentry = 0.4, "
      "drift = gaussian { width = 0.1 } }",
      50000, 100);
}

// ---- Contests ---------------------------------------------------------------------------------

/* Members of a class are told apart by their state and whether their number is odd. */
enum { SORTS = 2 * PLAYERS * ACTIONS };

typedef struct winners {
  int64_t agents;
  int32_t *state;
  int *action;                     /* of each agent at the stage before */
  int64_t quota[OUTCOMES * LAYER]; /* of that stage */
  bool right;
  /* over all stages and episodes */
  int64_t got[SORTS][OUTCOMES];
  double fair[SORTS][OUTCOMES], variance[SORTS][OUTCOMES];
  int64_t freely[OUTCOMES]; /* outcomes of those in no contest */
} winners;

static int class_of(int32_t state, int action) { return state % CONTESTS * ACTIONS + action; }

/* Of `here` among the members of a class: a multivariate hypergeometric law. */
static void expect(winners *v, int sort, int class, double here, double members) {
  if (members < 2) return;
  for (int k = 0; k < OUTCOMES; k++) {
    const double share = (double)v->quota[k * LAYER + class] / members;
    v->fair[sort][k] += here * share;
    v->variance[sort][k] += here * share * (1 - share) * (members - here) / (members - 1);
  }
}

static int sort_of(const winners *v, int64_t agent) {
  return (v->state[agent] * ACTIONS + v->action[agent]) * 2 + (int)(agent % 2);
}

static void look_ahead(winners *v) {
  double here[SORTS] = {0}, members[LAYER] = {0};
  for (int64_t i = 0; i < v->agents; i++) {
    if (v->state[i] >= PLAYERS) continue;
    here[sort_of(v, i)]++;
    members[class_of(v->state[i], v->action[i])]++;
  }
  for (int sort = 0; sort < SORTS; sort++) {
    const int class = class_of(sort / 2 / ACTIONS, sort / 2 % ACTIONS);
    expect(v, sort, class, here[sort], members[class]);
  }
}

static void see(void *user, const wal_crowd *crowd, int stage) {
  winners *v = user;
  int64_t got[OUTCOMES * LAYER] = {0};
  for (int64_t i = 0; i < v->agents; i++) {
    const int32_t before = v->state[i];
    const int sort = before < PLAYERS ? sort_of(v, i) : -1;
    const int class = class_of(before, v->action[i]);
    assert_true(wal_individual_look(crowd, i, &v->state[i], &v->action[i]));
    if (stage == 0) continue;
    const int k = v->state[i] % PLAYERS;
    if (sort < 0) {
      v->freely[k]++;
      continue;
    }
    got[k * LAYER + class]++;
    int64_t members = 0;
    for (int j = 0; j < OUTCOMES; j++) members += v->quota[j * LAYER + class];
    if (members >= 2) v->got[sort][k]++;
  }
  if (stage > 0) v->right = v->right && memcmp(got, v->quota, sizeof got) == 0;
  memcpy(v->quota, crowd->plan.arena->quota, sizeof v->quota);
  if (stage + 1 < HORIZON) look_ahead(v);
}

static void play_raffles(int64_t agents, raffle self, int episodes, winners *v) {
  const wal_game game = raffle_game(&self);
  wal_test_world w;
  wal_test_world_create(&w, NULL, &game, 1, &agents, true);
  *v = (winners){.agents = agents,
                 .right = true,
                 .state = calloc((size_t)agents, sizeof(int32_t)),
                 .action = calloc((size_t)agents, sizeof(int))};
  const wal_crowd_watch watch = {see, v};
  for (int e = 0; e < episodes; e++) WAL_ASSERT_OK(w.self, wal_crowd_play(w.crowd, e, &watch));
  assert_true(v->right);
  free(v->state), free(v->action);
  wal_test_world_destroy(&w);
}

/* Deviations of all sorts and outcomes, in their standard deviations; of their squares the same
 * holds as above. */
static void check_fairness(const winners *v) {
  double squares = 0;
  int64_t counted = 0;
  for (int sort = 0; sort < SORTS; sort++)
    for (int k = 0; k < OUTCOMES; k++) {
      if (v->variance[sort][k] < 5) continue;
      const double z = ((double)v->got[sort][k] - v->fair[sort][k]) / sqrt(v->variance[sort][k]);
      assert_true(fabs(z) < 4);
      squares += z * z;
      counted++;
    }
  assert_true(counted >= 20 && squares < 2.5 * (double)counted);
  double total = 0, chi = 0;
  for (int k = 0; k < OUTCOMES; k++) total += (double)v->freely[k];
  assert_true(total > 1000 && v->freely[0] == 0);
  for (int k = 1; k < OUTCOMES; k++)
    chi += pow((double)v->freely[k] - total * k / 6, 2) / (total * k / 6);
  assert_true(gsl_cdf_chisq_Q(chi, OUTCOMES - 2) > 1e-4);
}

static void everybody_as_likely(void **state) {
  (void)state;
  static winners v;
  for (int kind = 0; kind < 6; kind++) {
    play_raffles(30, (raffle){kind, false}, 2000, &v);
    check_fairness(&v);
    play_raffles(30000, (raffle){kind, false}, 4, &v);
    check_fairness(&v);
  }
}

static void exactly_the_quotas(void **state) {
  (void)state;
  static winners v;
  const int64_t sizes[] = {1, 2, 5, 40, 3000, 100000};
  for (int size = 0; size < 6; size++)
    for (int kind = 0; kind < 12; kind++)
      play_raffles(sizes[size], (raffle){kind / 2, kind % 2 > 0}, size < 4 ? 20 : 1, &v);
}

// ---- Large games ------------------------------------------------------------------------------

typedef struct looker {
  const wal_test_world *w;
  int64_t wrong;
} looker;

static void look(void *user, const wal_crowd *crowd, int stage) {
  looker *l = user;
  const int64_t actions = wal_test_world_shape(l->w)->actions;
  int32_t state;
  int action;
  for (int64_t i = 0; i < crowd->agents; i++) {
    assert_true(wal_individual_look(crowd, i, &state, &action));
    l->wrong += !(l->w->policy[stage][state * actions + action] > 0);
  }
  assert_false(wal_individual_look(crowd, crowd->agents, &state, &action));
  assert_false(wal_individual_look(crowd, -1, &state, &action));
}

/* Tables of actions that would take too much for all stages are made stage by stage: what is played
 * is then still what this very stage's policy plays. */
static void tables_stage_by_stage(void **state) {
  (void)state;
  const int64_t agents = 20000;
  wal_test_world w;
  wal_test_world_create(&w, "beach_bar { states = 400000, horizon = 8 }", NULL, 1, &agents, true);
  looker l = {&w, 0};
  const wal_crowd_watch watch = {look, &l};
  WAL_ASSERT_OK(w.self, wal_crowd_play(w.crowd, 0, &watch));
  assert_int_equal(l.wrong, 0);
  wal_test_world_destroy(&w);
}

static void planned_and_forgotten(void **state) {
  (void)state;
  const int64_t agents = 1000;
  wal_test_world w;
  wal_test_world_create(&w, "batched_auction { values = 12, bids = 9 }", NULL, 1, &agents, true);
  const int64_t before = wal_ctx_memory(w.self);
  wal_crowd_group group = {.agents = {INT64_C(1) << 36}, .policy = w.policy};
  const wal_crowd_plan plan = {.arena = &w.arena, .groups = 1, .group = &group};
  wal_crowd *crowd = NULL;
  wal_ctx_plan_begin(w.self);
  WAL_ASSERT_OK(w.self, wal_crowd_create(w.self, &wal_crowd_individual, &plan, &crowd));
  wal_crowd_destroy(&crowd);
  // Four bytes an agent, and little else.
  WAL_ASSERT_NEAR((double)wal_ctx_plan_end(w.self), 0x1p38, 1e-4);
  assert_true(wal_ctx_memory(w.self) == before);
  wal_ctx_set_memory_limit(w.self, before + (INT64_C(1) << 30));
  WAL_ASSERT_STATUS(w.self, WAL_EINPUT,
                    wal_crowd_create(w.self, &wal_crowd_individual, &plan, &crowd));
  assert_null(crowd);
  group.agents[0] = (INT64_C(1) << 40) + 1;
  WAL_ASSERT_STATUS(w.self, WAL_EINPUT,
                    wal_crowd_create(w.self, &wal_crowd_individual, &plan, &crowd));
  WAL_ASSERT_CONTAINS(wal_ctx_error(w.self), "at most 1099511627776 in mode \"individual\"");
  assert_true(wal_ctx_memory(w.self) == before);
  wal_test_world_destroy(&w);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(episodes_average_to_the_mean_field),
    cmocka_unit_test(exactly_the_quotas),
    cmocka_unit_test(everybody_as_likely),
    cmocka_unit_test(tables_stage_by_stage),
    cmocka_unit_test(planned_and_forgotten),
};

WAL_TEST_MAIN(tests)
