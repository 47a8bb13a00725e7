// SPDX-License-Identifier: GPL-3.0-or-later
/* Steering: the identities that hold in every episode, against plain recursions written here; what
 * stabilizes a target; estimates; that mediators pay by what they see. Rates and bounds:
 * test_steer_rates.c. */
#include "incentives/steer/steering.h"

#include <stdio.h>
#include <stdlib.h>

#include "incentives/steer/equalizer.h"
#include "sim/core/power_law.h"
#include "tests/support/make_steer.h"

WAL_TEST_CTX(11)

// ---- The line, again --------------------------------------------------------------------------

/* P(.|s,a) of the line, from its definition. */
static void next_masses(const line *l, int64_t s, int a, double *p) {
  for (int64_t i = 0; i < l->states; i++) p[i] = 0;
  const int64_t middle = line_clip(l, s + a - 1);
  p[line_clip(l, middle - 1)] += 0.1;
  p[middle] += 0.8;
  p[line_clip(l, middle + 1)] += 0.1;
}

static double expected(const line *l, int64_t s, int a, const double *value) {
  double p[LINE_MOST], sum = 0;
  next_masses(l, s, a, p);
  for (int64_t i = 0; i < l->states; i++) sum += p[i] * value[i];
  return sum;
}

/* Masses of state and action [H][S * A] of a policy [H][S * A]. */
static void occupancy(const steer_bench *b, const double *policy, double *d) {
  const line *l = &b->line;
  const int horizon = b->game.shape.horizon;
  double mass[LINE_MOST], next[LINE_MOST], p[LINE_MOST];
  line_initial(l, 0, l->states, mass);
  for (int h = 0; h < horizon; h++) {
    memset(next, 0, sizeof next);
    for (int64_t s = 0; s < l->states; s++)
      for (int a = 0; a < LINE_ACTIONS; a++) {
        const int64_t at = (h * l->states + s) * LINE_ACTIONS + a;
        d[at] = mass[s] * policy[at];
        next_masses(l, s, a, p);
        for (int64_t i = 0; i < l->states; i++) next[i] += d[at] * p[i];
      }
    memcpy(mass, next, sizeof mass);
  }
}

static double reward_of(const steer_bench *b, const double *density, int64_t at) {
  const line *l = &b->line;
  const int64_t pair = at % (l->states * LINE_ACTIONS), cell = at / LINE_ACTIONS;
  if (l->free) return 0;
  return (l->reward[pair / LINE_ACTIONS][pair % LINE_ACTIONS] +
          fmax(log(density[cell] + 0.01) / log(0.01), 0)) /
         2;
}

/* A unit that is played episode by episode. */
typedef struct unit {
  steer_bench bench;
  wal_mediator *mediator;
  double *memory;
  int64_t all; /* H * S * A */
} unit;

static void open_unit(const steer_setting *setting, wal_node *mediator, unit *u) {
  *u = (unit){.all = setting->horizon * setting->states * LINE_ACTIONS};
  steer_bench_open(ctx, setting, &u->bench);
  u->mediator = steer_mediator(ctx, &u->bench, mediator);
  u->memory = calloc((size_t)wal_steering_memory(&u->bench.steering, u->mediator), sizeof(double));
  wal_steering_begin(&u->bench.steering, u->mediator, u->memory);
}

static void play_until(unit *u, int64_t until) {
  WAL_ASSERT_OK(ctx, wal_steering_run(&u->bench.steering, u->mediator, 3, until, u->memory));
}

static void close_unit(unit *u) {
  free(u->memory);
  wal_mediator_destroy(&u->mediator);
  steer_bench_close(&u->bench);
}

static wal_node *optimistic(const char *model, const char *reward) {
  wal_node *node = wal_test_component("optimistic");
  wal_test_set_text(node, "model", model);
  wal_test_set_text(node, "reward", reward);
  return node;
}

static const steer_setting SMALL = {.states = 7, .episodes = 400, .horizon = 5, .trajectories = 4};

// ---- Identities -------------------------------------------------------------------------------

/* r + payment - (V - P V') - incentive, all pairs. */
static void find_delta(const unit *u, double *delta) {
  const wal_mediator *m = u->mediator;
  const line *l = &u->bench.line;
  for (int64_t at = 0; at < u->all; at++) {
    const int64_t cell = at / LINE_ACTIONS, h = cell / l->states;
    const double next = h + 1 < u->bench.game.shape.horizon
                            ? expected(l, cell % l->states, (int)(at % LINE_ACTIONS),
                                       m->potential + (h + 1) * l->states)
                            : 0;
    delta[at] = reward_of(&u->bench, u->bench.steering.density, at) + m->payment[at] -
                (m->potential[cell] - next) - m->incentive[at];
  }
}

/* <pi_t, incentive> = 0 in every state; no payment is negative; and
 *   J(pi*; r + payment) - J(pi_t; r + payment) = eta sum E_{d*} |pi* - pi_t|^2 + <d* - d_t, delta>.
 */
static void check_episode(const unit *u, double eta) {
  const wal_steering *s = &u->bench.steering;
  const wal_mediator *m = u->mediator;
  double *d = calloc((size_t)u->all, sizeof *d), *wanted = calloc((size_t)u->all, sizeof *wanted);
  double *delta = calloc((size_t)u->all, sizeof *delta);
  double difference = 0, squares = 0, overpaid = 0;
  occupancy(&u->bench, s->policy, d);
  occupancy(&u->bench, s->target.policy, wanted);
  find_delta(u, delta);
  for (int64_t at = 0; at < u->all; at += LINE_ACTIONS) {
    double mean = 0, here = 0, off = 0;
    for (int a = 0; a < LINE_ACTIONS; a++) {
      mean += s->policy[at + a] * m->incentive[at + a];
      here += wanted[at + a];
      off += pow(s->target.policy[at + a] - s->policy[at + a], 2);
      assert_true(m->payment[at + a] >= -1e-12);
    }
    WAL_ASSERT_WITHIN(mean, 0, 1e-14);
    squares += here * off;
  }
  for (int64_t at = 0; at < u->all; at++) {
    const double total = reward_of(&u->bench, s->density, at) + m->payment[at];
    difference += (wanted[at] - d[at]) * total;
    overpaid += (wanted[at] - d[at]) * delta[at];
  }
  WAL_ASSERT_WITHIN(difference, eta * squares + overpaid, 1e-10);
  free(d);
  free(wanted);
  free(delta);
}

static void every_episode_has_the_identities(void **state) {
  (void)state;
  wal_node *half = wal_test_component("known_model");
  wal_test_set_number(half, "eta", 0.5);
  wal_node *rigorous = wal_test_component("optimistic");
  wal_test_set_text(rigorous, "bonus", "rigorous");
  struct {
    wal_node *node;
    double eta;
  } mediators[] = {{half, 0.5},
                   {optimistic("known", "known"), 1},
                   {optimistic("unknown", "unknown"), 1},
                   {optimistic("unknown", "zero"), 1},
                   {optimistic("known", "unknown"), 1},
                   {optimistic("unknown", "known"), 1},
                   {rigorous, 1},
                   {wal_test_component("equalizing"), 1},
                   {wal_test_component("greedy"), 1}};
  for (size_t i = 0; i < sizeof mediators / sizeof *mediators; i++) {
    unit u;
    open_unit(&SMALL, mediators[i].node, &u);
    for (int64_t t = 1; t <= 40; t += t < 4 ? 1 : 12) {
      play_until(&u, t);
      check_episode(&u, mediators[i].eta);
    }
    close_unit(&u);
  }
}

/* With the game known nothing is overpaid: C_t = E V_1 - J(pi_t; r). */
static void known_game_costs_what_it_must(void **state) {
  (void)state;
  unit u;
  open_unit(&SMALL, wal_test_component("known_model"), &u);
  double before = 0, *d = calloc((size_t)u.all, sizeof *d);
  for (int64_t t = 1; t <= 30; t++) {
    double value = 0, earned = 0;
    play_until(&u, t);
    const wal_steering *s = &u.bench.steering;
    occupancy(&u.bench, s->policy, d);
    for (int64_t at = 0; at < u.all; at++) earned += d[at] * reward_of(&u.bench, s->density, at);
    for (int64_t i = 0; i < SMALL.states; i++)
      value += u.mediator->potential[i] / (double)SMALL.states;
    const double sum = wal_steering_now(u.memory)[WAL_STEER_COST];
    WAL_ASSERT_WITHIN(sum - before, value - earned, 1e-12);
    WAL_ASSERT_WITHIN(wal_steering_now(u.memory)[WAL_STEER_OVERPAYMENT], 0, 1e-10);
    assert_true(wal_steering_now(u.memory)[WAL_STEER_VIOLATIONS] == 0);
    before = sum;
  }
  free(d);
  close_unit(&u);
}

/* Values of a policy, or the best ones, by recursion: E V_0 of r + payment at the density. */
static double value_of(const unit *u, const double *density, const double *policy,
                       const double *payment) {
  const line *l = &u->bench.line;
  double value[LINE_MOST] = {0}, now[LINE_MOST], sum = 0;
  for (int h = u->bench.game.shape.horizon - 1; h >= 0; h--) {
    for (int64_t s = 0; s < l->states; s++) {
      double best = -INFINITY, mean = 0;
      for (int a = 0; a < LINE_ACTIONS; a++) {
        const int64_t at = (h * l->states + s) * LINE_ACTIONS + a;
        const double q = reward_of(&u->bench, density, at) + (payment ? payment[at] : 0) +
                         expected(l, s, a, value);
        best = fmax(best, q);
        mean += policy ? policy[at] * q : 0;
      }
      now[s] = policy ? mean : best;
    }
    memcpy(value, now, sizeof value);
  }
  for (int64_t s = 0; s < l->states; s++) sum += value[s] / (double)l->states;
  return sum;
}

/* At the target the cheapest stabilizer costs the target's exploitability and leaves none; the
 * equalizer leaves none, either, and costs more. */
static void stabilizers_stabilize(void **state) {
  (void)state;
  for (int deterministic = 0; deterministic < 2; deterministic++)
    for (int equalizer = 0; equalizer < 2; equalizer++) {
      steer_setting setting = SMALL;
      unit u;
      setting.deterministic = deterministic;
      wal_node *node = wal_test_component("stabilizing");
      wal_test_set_text(node, "by", equalizer ? "equalizer" : "cheapest");
      open_unit(&setting, node, &u);
      const wal_steer_target *target = &u.bench.steering.target;
      // The world holds the target's own flow as long as nothing has been played.
      const wal_observation seen = {
          .episode = 1, .density = target->density, .policy = target->policy};
      u.mediator->type->pay(u.mediator, &seen);
      double cost = 0, *d = calloc((size_t)u.all, sizeof *d);
      occupancy(&u.bench, target->policy, d);
      for (int64_t at = 0; at < u.all; at++) cost += d[at] * u.mediator->payment[at];
      const double best = value_of(&u, target->density, NULL, u.mediator->payment);
      const double own = value_of(&u, target->density, target->policy, u.mediator->payment);
      const double gain = value_of(&u, target->density, NULL, NULL) -
                          value_of(&u, target->density, target->policy, NULL);
      assert_true(best - own < 1e-10);
      WAL_ASSERT_WITHIN(target->cheapest, gain, 1e-12);
      WAL_ASSERT_WITHIN(cost, equalizer ? target->equalizer : gain, 1e-12);
      assert_true(gain > 0.1 && target->equalizer > gain);
      free(d);
      close_unit(&u);
    }
}

// ---- What a mediator sees ---------------------------------------------------------------------

static void poisoned_expect(void *user, int stage, const double *value, double *out) {
  (void)user, (void)stage, (void)value, (void)out;
  fail_msg("a mediator asked for transitions that it does not know");
}
static void poisoned_reward(void *user, int stage, double *out) {
  (void)user, (void)stage, (void)out;
  fail_msg("a mediator asked for rewards that it does not know");
}

/* A mediator that is shown what happened to another one pays the same, though it stands in no game
 * at all: what it could ask ends the test. */
static void mediators_pay_by_what_they_see(void **state) {
  (void)state;
  static const char *const NAMES[] = {"optimistic", "equalizing", "greedy"};
  for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
    unit u;
    open_unit(&SMALL, wal_test_component(NAMES[i]), &u);
    const wal_known_game poison = {poisoned_expect, poisoned_reward, NULL};
    wal_mediator_setup setup = wal_steering_setup(&u.bench.steering);
    setup.known = &poison;
    const wal_mediator_type *type = u.mediator->type;
    wal_params *params =
        steer_params(ctx, &type->component, wal_test_component(type->component.name));
    wal_mediator *other = NULL;
    WAL_ASSERT_OK(ctx, wal_mediator_create(&setup, type, params, &other));
    assert_null(other->known.expect);
    assert_null(other->known.reward);
    double *memory = calloc((size_t)other->memory_count, sizeof *memory);
    wal_mediator_attach(other, memory, true);
    for (int64_t t = 1; t <= 30; t++) {
      const wal_steering *s = &u.bench.steering;
      play_until(&u, t);
      const wal_observation seen = {t, s->density, s->policy, s->visits, SMALL.trajectories};
      type->pay(other, &seen);
      assert_memory_equal(other->payment, u.mediator->payment,
                          (size_t)u.all * sizeof *other->payment);
      type->learn(other, &seen);
    }
    free(memory);
    wal_mediator_destroy(&other);
    wal_params_destroy(&params);
    close_unit(&u);
  }
}

/* Units that take turns, in slices of any length, do what each does alone. */
static void units_take_turns(void **state) {
  (void)state;
  enum { UNITS = 3, EPISODES = 60 };
  unit u;
  open_unit(&SMALL, wal_test_component("optimistic"), &u);
  wal_steering *s = &u.bench.steering;
  wal_mediator *m[UNITS] = {u.mediator, u.mediator,
                            steer_mediator(ctx, &u.bench, wal_test_component("greedy"))};
  const size_t size = (size_t)wal_steering_memory(s, u.mediator);
  double *alone[UNITS], *turns[UNITS];
  for (int i = 0; i < UNITS; i++) {
    alone[i] = calloc(size, sizeof(double));
    turns[i] = calloc(size, sizeof(double));
    wal_steering_begin(s, m[i], alone[i]);
    wal_steering_begin(s, m[i], turns[i]);
    WAL_ASSERT_OK(ctx, wal_steering_run(s, m[i], (uint64_t)i, EPISODES, alone[i]));
  }
  for (int64_t until = 7; until < EPISODES + 7; until += 7)
    for (int i = 0; i < UNITS; i++)
      WAL_ASSERT_OK(ctx, wal_steering_run(s, m[i], (uint64_t)i, until < EPISODES ? until : EPISODES,
                                          turns[i]));
  for (int i = 0; i < UNITS; i++) {
    assert_memory_equal(alone[i], turns[i], size * sizeof(double));
    free(alone[i]);
    free(turns[i]);
  }
  wal_mediator_destroy(&m[2]);
  close_unit(&u);
}

/* Where the target does not lead there is no incentive. */
static void nothing_is_aimed_at_where_nobody_gets(void **state) {
  (void)state;
  steer_setting setting = SMALL;
  unit u;
  setting.states = 12;
  setting.corner = true;
  open_unit(&setting, wal_test_component("optimistic"), &u);
  play_until(&u, 5);
  // From state 0 two states further at most, a stage.
  int64_t unreached = 0;
  for (int h = 0; h < setting.horizon; h++)
    for (int64_t s = 0; s < setting.states; s++) {
      const bool reached = s <= 2 * h;
      const int64_t at = h * setting.states + s;
      unreached += !reached;
      assert_true(u.bench.steering.target.aimed[at] == reached);
      for (int a = 0; a < LINE_ACTIONS && !reached; a++)
        assert_true(u.mediator->incentive[at * LINE_ACTIONS + a] == 0);
    }
  assert_true(u.bench.steering.target.unreached == unreached);
  close_unit(&u);
}

// ---- Samples and estimates --------------------------------------------------------------------

/* Visits as often as masses and probabilities say; noise of the right mean and width. */
static void trajectories_follow_the_game(void **state) {
  (void)state;
  enum { MANY = 40000 };
  steer_setting setting = SMALL;
  unit u;
  setting.trajectories = MANY;
  open_unit(&setting, wal_test_component("greedy"), &u);
  play_until(&u, 2);
  const wal_steering *s = &u.bench.steering;
  double *d = calloc((size_t)u.all, sizeof *d), *seen = calloc((size_t)u.all, sizeof *seen);
  double noise = 0, squares = 0;
  occupancy(&u.bench, s->policy, d);
  for (int n = 0; n < MANY; n++)
    for (int h = 0; h < setting.horizon; h++) {
      const wal_visit *v = &s->visits[n * setting.horizon + h];
      const int64_t at = (h * setting.states + v->state) * LINE_ACTIONS + v->action;
      const double off = v->reward - reward_of(&u.bench, s->density, at);
      seen[at] += 1.0 / MANY;
      noise += off / (MANY * setting.horizon);
      squares += off * off / (MANY * setting.horizon);
    }
  for (int64_t at = 0; at < u.all; at++)
    WAL_ASSERT_WITHIN(seen[at], d[at], 5 * sqrt(d[at] / MANY) + 1e-4);
  WAL_ASSERT_WITHIN(noise, 0, 5 * 0.1 / sqrt(MANY * 5.0));
  WAL_ASSERT_WITHIN(sqrt(squares), 0.1, 0.001);
  free(d);
  free(seen);
  close_unit(&u);
}

/* The regression is (ridge + sum phi phi')^-1 sum phi r, solved here by elimination. */
static void regression_is_that_of_the_normal_equations(void **state) {
  (void)state;
  enum { STATES = 3, ACTIONS = 2, WIDTH = ACTIONS + STATES, ADDED = 40 };
  const wal_mediator_setup setup = {.ctx = ctx, .horizon = 1, .states = STATES, .actions = ACTIONS};
  wal_regression r;
  WAL_ASSERT_OK(ctx, wal_regression_create(&setup, WAL_DENSITY_ALL, 0.7, 0.01, true, &r));
  double *memory = calloc((size_t)wal_regression_size(&r), sizeof *memory);
  r.keeps_det = true;
  wal_regression_attach(&r, memory);
  wal_regression_start(&r);
  double a[WIDTH][2 * WIDTH] = {{0}}, sum[WIDTH] = {0}, density[STATES];
  for (int i = 0; i < WIDTH; i++) {
    a[i][i] = 0.7;
    a[i][WIDTH + i] = 1;
  }
  for (uint32_t n = 0; n < ADDED; n++) {
    double phi[WIDTH] = {0}, reward = wal_random_uniform(1, WAL_PURPOSE_TEST, 0, n, 0);
    for (uint32_t i = 0; i < STATES; i++)
      phi[ACTIONS + i] = density[i] = wal_random_uniform(1, WAL_PURPOSE_TEST, 1 + i, n, 0);
    phi[n % ACTIONS] = 1;
    wal_regression_density(&r, density);
    wal_regression_add(&r, density, 0, 1, (int)(n % ACTIONS), reward);
    for (int i = 0; i < WIDTH; i++) {
      sum[i] += phi[i] * reward;
      for (int j = 0; j < WIDTH; j++) a[i][j] += phi[i] * phi[j];
    }
  }
  double log_det = -WIDTH * log(0.7);
  for (int p = 0; p < WIDTH; p++) {
    const double pivot = a[p][p];
    log_det += log(pivot);
    for (int j = 0; j < 2 * WIDTH; j++) a[p][j] /= pivot;
    for (int i = 0; i < WIDTH; i++) {
      const double factor = a[i][p];
      for (int j = 0; j < 2 * WIDTH && i != p; j++) a[i][j] -= factor * a[p][j];
    }
  }
  double estimate[ACTIONS], width[ACTIONS];
  wal_regression_predict(&r, density, 0, 1, estimate, width);
  for (int b = 0; b < ACTIONS; b++) {
    double phi[WIDTH] = {0}, value = 0, norm = 0;
    phi[b] = 1;
    memcpy(phi + ACTIONS, density, sizeof density);
    for (int i = 0; i < WIDTH; i++)
      for (int j = 0; j < WIDTH; j++) {
        value += phi[i] * a[i][WIDTH + j] * sum[j];
        norm += phi[i] * a[i][WIDTH + j] * phi[j];
      }
    WAL_ASSERT_WITHIN(estimate[b], value, 1e-12);
    WAL_ASSERT_WITHIN(width[b], sqrt(norm), 1e-12);
  }
  WAL_ASSERT_WITHIN(wal_regression_log_det(&r, 0, 1), log_det, 1e-10);
  free(memory);
  wal_regression_destroy(ctx, &r);
}

// ---- Agents -----------------------------------------------------------------------------------

/* A step of each rule on one state of three actions, the last of which is not legal. */
static void agents_learn_by_their_rules(void **state) {
  (void)state;
  const wal_tile tile = {1, 1, 3};
  const double q[3] = {0.3, 1.1, -1e300};
  wal_node *node = wal_test_component("fixed_share");
  wal_test_set_number(node, "rate", 2);
  wal_test_set_number(node, "share", 0.2);
  wal_test_set_text(node, "schedule", "horizon");
  wal_params *params = steer_params(ctx, &wal_agents_fixed_share.component, node);
  wal_agents agents;
  WAL_ASSERT_OK(ctx, wal_agents_create(ctx, &wal_agents_fixed_share, params, 16, &agents));
  double p[3] = {0.25, 0.75, 0};
  agents.type->step(&agents, 5, tile, q, p);  // rate 2 / sqrt(16)
  const double up = 0.75 * exp(0.5 * 1.1), down = 0.25 * exp(0.5 * 0.3);
  WAL_ASSERT_WITHIN(p[0], 0.8 * down / (up + down) + 0.1, 1e-14);
  WAL_ASSERT_WITHIN(p[1], 0.8 * up / (up + down) + 0.1, 1e-14);
  assert_true(p[2] == 0);
  wal_params_destroy(&params);

  node = wal_test_component("hedge");
  wal_test_set_number(node, "rate", 3);
  params = steer_params(ctx, &wal_agents_hedge.component, node);
  WAL_ASSERT_OK(ctx, wal_agents_create(ctx, &wal_agents_hedge, params, 16, &agents));
  double y[3] = {0, 0, -1e300}, pi[3];
  agents.type->step(&agents, 4, tile, q, y);  // rate 3 / sqrt(4)
  agents.type->read(&agents, tile, y, pi);
  WAL_ASSERT_WITHIN(pi[1] / pi[0], exp(1.5 * 0.8), 1e-14);
  assert_true(pi[2] == 0);
  wal_params_destroy(&params);

  node = wal_test_component("mirror_descent");
  wal_test_set_number(node, "rate", 0.5);
  wal_test_set_number(node, "entropy", 0.4);
  params = steer_params(ctx, &wal_agents_mirror_descent.component, node);
  WAL_ASSERT_OK(ctx, wal_agents_create(ctx, &wal_agents_mirror_descent, params, 16, &agents));
  double z[3] = {1, -1, -1e300};
  agents.type->step(&agents, 4, tile, q, z);
  WAL_ASSERT_WITHIN(z[0], 0.8 + 0.15, 1e-15);
  WAL_ASSERT_WITHIN(z[1], -0.8 + 0.55, 1e-15);
  wal_params_destroy(&params);
}

// ---- Bad input --------------------------------------------------------------------------------

static void games_must_fit(void **state) {
  (void)state;
  static const char *const SCRIPTS[][2] = {
      {"return left_right {}",
       "left_right: expected rewards in [0, 1], got -0.5 at stage 1, state 1, action 0; "
       "bounded{game=...} maps them there"},
      {"return susceptible_infected { horizon = 3 }",
       "susceptible_infected: expected a game whose transitions do not depend on the density, got "
       "one whose outcomes may"}};
  for (size_t i = 0; i < sizeof SCRIPTS / sizeof *SCRIPTS; i++) {
    wal_test_game made;
    wal_space *space = NULL;
    wal_steering steering;
    WAL_ASSERT_OK(ctx, wal_test_game_script(ctx, SCRIPTS[i][0], &made));
    WAL_ASSERT_OK(ctx, wal_steer_space_create(ctx, &made.game, &space));
    const wal_shape *shape = &made.game.shape;
    double **target = calloc((size_t)shape->horizon, sizeof *target);
    for (int h = 0; h < shape->horizon; h++) {
      target[h] = calloc((size_t)(shape->states * shape->actions), sizeof(double));
      for (int64_t p = 0; p < shape->states * shape->actions; p++)
        target[h][p] = 1.0 / shape->actions;
    }
    const wal_agents agents = {.type = &wal_agents_hedge, .rate = 1};
    const wal_steering_plan plan = {
        .space = space, .agents = &agents, .target = (const double *const *)target, .episodes = 1};
    assert_int_equal(wal_steering_create(&plan, &steering), WAL_EINPUT);
    assert_string_equal(wal_ctx_error(ctx), SCRIPTS[i][1]);
    for (int h = 0; h < shape->horizon; h++) free(target[h]);
    free(target);
    wal_space_destroy(&space);
    wal_test_game_destroy(ctx, &made);
  }
}

static void exponents_of_powers(void **state) {
  (void)state;
  const double x[] = {1, 10, 100, 1000}, y[] = {3, 3 * sqrt(10), 30, 30 * sqrt(10)};
  const wal_power_law law = wal_power_law_fit(4, x, y);
  WAL_ASSERT_WITHIN(law.slope, 0.5, 1e-14);
  WAL_ASSERT_WITHIN(law.high - law.low, 0, 1e-6);
  assert_true(isnan(wal_power_law_fit(1, x, y).slope));
  // 0.4 and 0.6: the standard error is 0.1, and Student's t of one degree of freedom 12.706.
  const double slopes[] = {0.4, NAN, 0.6};
  const wal_power_law mean = wal_power_law_mean(3, slopes);
  WAL_ASSERT_WITHIN(mean.slope, 0.5, 1e-14);
  WAL_ASSERT_WITHIN(mean.high, 0.5 + 1.2706, 1e-4);
}

int main(int argc, char **argv) {
  static const struct CMUnitTest TESTS[] = {
      cmocka_unit_test(every_episode_has_the_identities),
      cmocka_unit_test(known_game_costs_what_it_must),
      cmocka_unit_test(stabilizers_stabilize),
      cmocka_unit_test(mediators_pay_by_what_they_see),
      cmocka_unit_test(units_take_turns),
      cmocka_unit_test(nothing_is_aimed_at_where_nobody_gets),
      cmocka_unit_test(trajectories_follow_the_game),
      cmocka_unit_test(regression_is_that_of_the_normal_equations),
      cmocka_unit_test(agents_learn_by_their_rules),
      cmocka_unit_test(games_must_fit),
      cmocka_unit_test(exponents_of_powers)};
  wal_test_begin(&argc, &argv);
  return wal_test_end(cmocka_run_group_tests(TESTS, open_ctx, close_ctx));
}
