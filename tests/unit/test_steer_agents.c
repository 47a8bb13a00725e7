// SPDX-License-Identifier: GPL-3.0-or-later
/* Who is steered: groups of learners against one group, individual agents against the mean field
 * and against what a count of their trajectories says. */
#include "incentives/steer/steering.h"

#include <stdlib.h>

#include "tests/support/make_steer.h"

WAL_TEST_CTX(13)

static const steer_setting SMALL = {.states = 7, .episodes = 50, .horizon = 5, .trajectories = 4};

/* A steering of the bench with another society, and a unit of it. */
typedef struct unit {
  steer_bench bench;
  wal_mediator *mediator;
  double *memory;
} unit;

static void open_unit(const steer_setting *setting, const wal_society *society, const char *name,
                      unit *u) {
  steer_bench_open(ctx, setting, &u->bench);
  if (society) {
    wal_steering_plan plan = u->bench.steering.plan;
    plan.society = society;
    wal_steering_destroy(&u->bench.steering);
    WAL_ASSERT_OK(ctx, wal_steering_create(&plan, &u->bench.steering));
  }
  u->mediator = steer_mediator(ctx, &u->bench, wal_test_component(name));
  u->memory = calloc((size_t)wal_steering_memory(&u->bench.steering, u->mediator), sizeof(double));
  wal_steering_begin(&u->bench.steering, u->mediator, u->memory);
}

static void play(unit *u, uint64_t seed, int64_t until) {
  WAL_ASSERT_OK(ctx, wal_steering_run(&u->bench.steering, u->mediator, seed, until, u->memory));
}

static double sum_of(const unit *u, wal_steer_sum which) {
  return wal_steering_now(u->memory)[which];
}

static void close_unit(unit *u) {
  free(u->memory);
  wal_mediator_destroy(&u->mediator);
  steer_bench_close(&u->bench);
}

static wal_agents hedge(double rate) {
  return (wal_agents){.type = &wal_agents_hedge, .rate = rate};
}

// ---- Groups -----------------------------------------------------------------------------------

static void groups_that_are_alike_are_one(void **state) {
  (void)state;
  const wal_society twins = {.groups = 2, .agents = {hedge(1), hedge(1)}, .share = {0.3, 0.7}};
  unit one, two;
  open_unit(&SMALL, NULL, "optimistic", &one);
  open_unit(&SMALL, &twins, "optimistic", &two);
  assert_ptr_equal(one.bench.steering.steered.type, &wal_steered_mean_field);
  assert_ptr_equal(two.bench.steering.steered.type, &wal_steered_mixture);
  play(&one, 3, 50);
  play(&two, 3, 50);
  for (int i = 0; i < WAL_STEER_SUMS; i++)
    WAL_ASSERT_WITHIN(wal_steering_now(two.memory)[i], wal_steering_now(one.memory)[i], 1e-11);
  close_unit(&two);
  close_unit(&one);
}

/* One group does not learn, the other one does: after one step, taken in the same flow, each is
 * what it would be by itself. */
static void groups_play_their_own_policies(void **state) {
  (void)state;
  steer_setting setting = SMALL;
  setting.rate = 2;
  setting.corner = true;
  const wal_society idle = {.groups = 2, .agents = {hedge(0), hedge(0)}, .share = {0.5, 0.5}};
  const wal_society mixed = {.groups = 2, .agents = {hedge(0), hedge(2)}, .share = {0.25, 0.75}};
  unit u[3];
  open_unit(&setting, &idle, "none", &u[0]);
  open_unit(&setting, NULL, "none", &u[1]);
  open_unit(&setting, &mixed, "none", &u[2]);
  for (int i = 0; i < 3; i++) play(&u[i], 3, 2);
  // After one step from the same flow: masses of the second episode mix.
  const int64_t all = setting.horizon * setting.states;
  double moved = 0;
  for (int64_t i = 0; i < all; i++) {
    const double *d[3];
    for (int k = 0; k < 3; k++) d[k] = u[k].bench.steering.density + i;
    WAL_ASSERT_WITHIN(*d[2], 0.25 * *d[0] + 0.75 * *d[1], 1e-14);
    moved = fmax(moved, fabs(*d[0] - *d[1]));
    for (int a = 0; a < LINE_ACTIONS; a++) {
      const double *p[3];
      for (int k = 0; k < 3; k++) p[k] = u[k].bench.steering.policy + i * LINE_ACTIONS + a;
      const double joint = 0.25 * *d[0] * *p[0] + 0.75 * *d[1] * *p[1];
      if (*d[2] > 0)
        WAL_ASSERT_WITHIN(*d[2] * *p[2], joint, 1e-14);
      else
        WAL_ASSERT_WITHIN(*p[2], 0.25 * *p[0] + 0.75 * *p[1], 1e-14);
    }
  }
  assert_true(moved > 0.01);
  for (int i = 0; i < 3; i++) close_unit(&u[i]);
}

// ---- Individuals ------------------------------------------------------------------------------

/* All agents are seen: flow, policy and rewards are those of a count of what they did. */
static void flows_are_counts_of_agents(void **state) {
  (void)state;
  enum { AGENTS = 37 };
  steer_setting setting = SMALL;
  setting.trajectories = AGENTS;
  wal_society society = {
      .groups = 2,
      .agents = {hedge(1), {.type = &wal_agents_fixed_share, .rate = 1, .share = 0.01}},
      .share = {0.3, 0.7},
      .count = AGENTS,
      .spread = 1};
  assert_int_equal(wal_society_first(&society, 1), 11);
  for (int own = 0; own < 2; own++) {
    unit u;
    society.own_trajectory = own;
    open_unit(&setting, &society, "optimistic", &u);
    u.bench.steering.plan.noise = 0;
    play(&u, 3, 5);
    const wal_steering *s = &u.bench.steering;
    for (int h = 0; h < setting.horizon; h++) {
      int count[LINE_MOST][LINE_ACTIONS] = {{0}};
      for (int n = 0; n < AGENTS; n++) {
        const wal_visit *v = &s->visits[n * setting.horizon + h];
        count[v->state][v->action]++;
        const double mass = s->density[h * setting.states + v->state];
        const double crowd = fmax(log(mass + 0.01) / log(0.01), 0);
        WAL_ASSERT_WITHIN(v->reward, (u.bench.line.reward[v->state][v->action] + crowd) / 2, 1e-14);
      }
      for (int64_t i = 0; i < setting.states; i++) {
        const int here = count[i][0] + count[i][1] + count[i][2];
        const int64_t at = h * setting.states + i;
        assert_true(s->density[at] == (double)here / AGENTS);
        for (int a = 0; a < LINE_ACTIONS && here > 0; a++)
          assert_true(s->policy[at * LINE_ACTIONS + a] == (double)count[i][a] / here);
        double sum = 0;
        for (int a = 0; a < LINE_ACTIONS; a++) sum += s->intended[at * LINE_ACTIONS + a];
        WAL_ASSERT_WITHIN(sum, 1, 1e-12);
      }
    }
    close_unit(&u);
  }
}

/* How far individuals that begin alike are from the mean field: their gap, over some seeds. */
static double distance(int64_t count, double limit) {
  const wal_society society = {.groups = 1, .agents = {hedge(1)}, .share = {1}, .count = count};
  double sum = 0;
  for (uint64_t seed = 1; seed <= 3; seed++) {
    unit u;
    open_unit(&SMALL, &society, "known_model", &u);
    play(&u, seed, 20);
    sum += fabs(sum_of(&u, WAL_STEER_GAP) - limit) / 3;
    close_unit(&u);
  }
  return sum;
}

static void many_individuals_are_a_mean_field(void **state) {
  (void)state;
  unit u;
  open_unit(&SMALL, NULL, "known_model", &u);
  play(&u, 1, 20);
  const double limit = sum_of(&u, WAL_STEER_GAP);
  close_unit(&u);
  const double few = distance(8, limit), many = distance(512, limit);
  assert_true(many < few / 3);
  assert_true(many < 0.15 * limit);
}

/* Agents that see nothing but what they meet with come to the target all the same. */
static void own_trajectories_suffice(void **state) {
  (void)state;
  steer_setting setting = SMALL;
  setting.episodes = 3000;
  const wal_society society = {.groups = 1,
                               .agents = {hedge(1)},
                               .share = {1},
                               .count = 16,
                               .spread = 1,
                               .own_trajectory = true};
  double gap[2];
  for (int paid = 0; paid < 2; paid++) {
    unit u;
    open_unit(&setting, &society, paid ? "known_model" : "none", &u);
    play(&u, 5, 1500);
    const double before = sum_of(&u, WAL_STEER_GAP);
    play(&u, 5, 3000);
    gap[paid] = (sum_of(&u, WAL_STEER_GAP) - before) / 1500;
    close_unit(&u);
  }
  assert_true(gap[1] < 0.6 * gap[0]);
}

/* A unit that is left and taken up again is what it is in one go; another seed is not. */
static void individuals_take_turns(void **state) {
  (void)state;
  for (int own = 0; own < 2; own++) {
    const wal_society society = {.groups = 1,
                                 .agents = {hedge(1)},
                                 .share = {1},
                                 .count = 9,
                                 .spread = 1,
                                 .own_trajectory = own};
    unit a, b;
    open_unit(&SMALL, &society, "optimistic", &a);
    open_unit(&SMALL, &society, "optimistic", &b);
    const size_t size = (size_t)wal_steering_memory(&a.bench.steering, a.mediator);
    double *other = calloc(size, sizeof *other);
    play(&a, 3, 12);
    play(&b, 3, 5);
    wal_steering_begin(&b.bench.steering, b.mediator, other);
    WAL_ASSERT_OK(ctx, wal_steering_run(&b.bench.steering, b.mediator, 4, 12, other));
    play(&b, 3, 12);
    assert_memory_equal(a.memory, b.memory, size * sizeof *other);
    assert_memory_not_equal(a.memory, other, size * sizeof *other);
    free(other);
    close_unit(&b);
    close_unit(&a);
  }
}

int main(int argc, char **argv) {
  static const struct CMUnitTest TESTS[] = {cmocka_unit_test(groups_that_are_alike_are_one),
                                            cmocka_unit_test(groups_play_their_own_policies),
                                            cmocka_unit_test(flows_are_counts_of_agents),
                                            cmocka_unit_test(many_individuals_are_a_mean_field),
                                            cmocka_unit_test(own_trajectories_suffice),
                                            cmocka_unit_test(individuals_take_turns)};
  wal_test_begin(&argc, &argv);
  return wal_test_end(cmocka_run_group_tests(TESTS, open_ctx, close_ctx));
}
