// SPDX-License-Identifier: GPL-3.0-or-later
/* The mean of many episodes of very many agents against the mean field, at every stage and state;
 * and guests, who play as the others do, against the others. Seeds are fixed: of the hundreds of
 * means that a game has, none is off by more than 4 standard errors. */
#include <math.h>

#include "tests/support/make_crowd.h"

WAL_TEST_CTX(11)

/* What is off the mean field by 1/N, where agents meet each other, is far below the errors, which
 * are about 1/sqrt(N). */
static const int64_t AGENTS = 1000000000;
enum { EPISODES = 100 };

static const char OUTCOMES[] =
    "return custom {\n"
    "  states = 7, actions = 3, horizon = 4, varies = true,\n"
    "  initial = function(s) return (s + 1) / 28 end,\n"
    "  moves = function(h, s, a, k)\n"
    "    if k == 0 then return { { s, 0.25 }, { (s + a + h) % 7, 0.75 } } end\n"
    "    if k == 1 then return (3 * s + a) % 7 end\n"
    "    return { { (s * h + a) % 7, 0.5 }, { (s + 2) % 7, 0.3 }, { 0, 0.2 } }\n"
    "  end,\n"
    "  statistic = function(h, s, a) return s / 7, a == 0 and 1 or 0 end,\n"
    "  outcomes = function(h, s, a, z)\n"
    "    local p = 0.5 * z[1] + 0.1 * a\n"
    "    return 1 - p, 0.4 * p, 0.6 * p\n"
    "  end,\n"
    "  reward = function(h, s, a, z) return -math.abs(s / 7 - z[0]) - 0.2 * a * z[1] end,\n"
    "}";

static const struct {
  const char *text;
  int steps;
} GAMES[] = {
    {"return beach_bar { states = 12, horizon = 6, bar = 5 }", 3},
    {"return susceptible_infected { horizon = 8 }", 3},
    {"return predator_prey { horizon = 5 }", 3},
    {"return crowd_motion { rows = 6, columns = 5, horizon = 5 }", 2},
    {"return rock_paper_scissors { horizon = 4 }", 2},
    {"return random_linear { states = 6 }", 1},
    {"return treasure_hunting { horizon = 4 }", 2},
    {"return equilibrium_price { horizon = 4, inventory = 12 }", 2},
    {OUTCOMES, 2},
    {"return batched_auction { values = 20, bids = 15 }", 3},
    {"return batched_auction { values = 12, bids = 10, goods = 1.25, reentry = 0.3,\n"
     "  prior = function(v) return 1 + v * v end, drift = gaussian { slope = 0.9, width = 0.1 },\n"
     "  unsold = 'returned', mechanism = first_price { reserve = 0.3 } }",
     3},
};

typedef struct sums {
  double *first, *second; /**< [H][S]: of masses less the mean field's, and of their squares */
  const wal_flow *mean;
} sums;

static void add_masses(void *user, const wal_crowd *crowd, int stage) {
  const sums *sum = user;
  const int64_t states = sum->mean->space->game->shape.states;
  for (int64_t s = 0; s < states; s++) {
    const double off =
        wal_flow_mass(&crowd->plan.arena->flow, stage)[s] - wal_flow_mass(sum->mean, stage)[s];
    sum->first[stage * states + s] += off;
    sum->second[stage * states + s] += off * off;
  }
}

/* The largest number of standard errors that a mean is off. */
static double check_means(const wal_test_field *f, const sums *sum) {
  const int64_t states = f->game->shape.states;
  double worst = 0;
  int64_t checked = 0;
  for (int h = 0; h < f->game->shape.horizon; h++)
    for (int64_t s = 0; s < states; s++) {
      const int64_t i = h * states + s;
      const double mass = wal_flow_mass(&f->learner->flow, h)[s], mean = sum->first[i] / EPISODES;
      // Too few agents for a standard error: hardly anybody is there.
      if (mass * (double)AGENTS * EPISODES < 30) {
        assert_true(fabs(mean) * (double)AGENTS * EPISODES < 70);
        continue;
      }
      // Rounding of the mean field itself; where mass is 1 nothing varies.
      const double variance = (sum->second[i] / EPISODES - mean * mean) / (EPISODES - 1);
      worst = fmax(worst, (fabs(mean) - 1e-13) / sqrt(fmax(variance, 1e-30)));
      checked++;
    }
  assert_true(checked > f->game->shape.horizon);
  return worst;
}

static void means_are_the_mean_field(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof GAMES / sizeof *GAMES; i++) {
    wal_test_field f;
    wal_test_field_create(ctx, GAMES[i].text, GAMES[i].steps, &f);
    const size_t count = (size_t)(f.game->shape.states * f.game->shape.horizon);
    sums sum = {calloc(count, sizeof(double)), calloc(count, sizeof(double)), &f.learner->flow};
    assert_true(sum.first && sum.second);
    const wal_crowd_watch watch = {add_masses, &sum};
    const wal_crowd_group group = wal_test_group(&f, AGENTS);
    const wal_crowd_plan plan = {.arena = &f.arena, .groups = 1, .group = &group};
    wal_crowd *crowd;
    WAL_ASSERT_OK(ctx, wal_crowd_create(ctx, &wal_crowd_counts, &plan, &crowd));
    for (int e = 0; e < EPISODES; e++) WAL_ASSERT_OK(ctx, wal_crowd_play(crowd, e, &watch));
    wal_crowd_destroy(&crowd);
    const double worst = check_means(&f, &sum);
    print_message("  %.45s: at most %.2f standard errors\n", GAMES[i].text, worst);
    assert_true(worst < 4);
    free(sum.first), free(sum.second);
    wal_test_field_destroy(&f);
  }
}

// ---- Guests -----------------------------------------------------------------------------------

static void add_rewards(void *user, const wal_crowd *crowd, int stage) {
  double *sum = user;
  (void)stage;
  for (int64_t i = 0; i < crowd->plan.arena->pairs; i++)
    if (crowd->played[i] > 0) *sum += (double)crowd->played[i] * crowd->plan.arena->reward[i];
}

/* Agents are alike: the mean reward of a guest is that of an agent of the group. */
static void check_guests(const char *text, int steps, int64_t agents) {
  enum { GUESTS = 3, PLAYS = 3000 };
  wal_test_field f;
  wal_test_field_create(ctx, text, steps, &f);
  assert_int_equal(f.game->shape.populations, 1);
  const wal_crowd_group group = wal_test_group(&f, agents - GUESTS);
  wal_guest guest[GUESTS];
  for (int i = 0; i < GUESTS; i++) guest[i] = (wal_guest){.number = i, .policy = f.policy};
  const wal_crowd_plan plan = {
      .arena = &f.arena, .groups = 1, .group = &group, .guests = GUESTS, .guest = guest};
  wal_crowd *crowd;
  WAL_ASSERT_OK(ctx, wal_crowd_create(ctx, &wal_crowd_counts, &plan, &crowd));
  double first[GUESTS] = {0}, second[GUESTS] = {0}, others = 0;
  for (int e = 0; e < PLAYS; e++) {
    double sum = 0;
    const wal_crowd_watch watch = {add_rewards, &sum};
    WAL_ASSERT_OK(ctx, wal_crowd_play(crowd, e, &watch));
    others += sum / (double)group.agents[0] / PLAYS;
    for (int i = 0; i < GUESTS; i++) {
      const double more = guest[i].reward - sum / (double)group.agents[0];
      first[i] += more / PLAYS;
      second[i] += more * more / PLAYS;
    }
  }
  for (int i = 0; i < GUESTS; i++) {
    const double error = sqrt((second[i] - first[i] * first[i]) / (PLAYS - 1));
    print_message("  %.35s: others %.4f, guest %+.4f +- %.4f\n", text, others, first[i], error);
    assert_true(error > 0 && fabs(first[i]) < 4 * error);
  }
  wal_crowd_destroy(&crowd);
  wal_test_field_destroy(&f);
}

static void guests_fare_as_the_others(void **state) {
  (void)state;
  check_guests("return beach_bar { states = 5, horizon = 4, bar = 2 }", 2, 9);
  check_guests("return susceptible_infected { horizon = 6 }", 2, 12);
  check_guests(OUTCOMES, 2, 10);
  check_guests("return batched_auction { values = 8, bids = 6 }", 3, 11);
  check_guests(
      "return batched_auction { values = 8, bids = 6, reentry = 0.3, goods = 1.1,\n"
      "  mechanism = all_pay {} }",
      1, 1000000000000);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(means_are_the_mean_field),
    cmocka_unit_test(guests_fare_as_the_others),
};

int main(int argc, char **argv) {
  wal_test_begin(&argc, &argv);
  return wal_test_end(cmocka_run_group_tests(tests, open_ctx, close_ctx));
}
