// SPDX-License-Identifier: GPL-3.0-or-later
/* Steering over many episodes: rates, bounds, and what mediators come to that lack a part of what
 * they need. What is asserted follows from the proofs that docs/steering.md sketches, or is what an
 * independent program, of one seed a row, measured on a line like this one before there was this
 * one: "prototype". */
#include <stdlib.h>

#include "incentives/steer/steering.h"
#include "sim/core/power_law.h"
#include "tests/support/make_steer.h"

WAL_TEST_CTX(12)

enum { STATES = 8, HORIZON = 8, SEEDS = 5, LONG = 3200, LONGER = 25600 };

// ---- Runs -------------------------------------------------------------------------------------

/* What a mediator came to with some seeds. */
typedef struct outcome {
  int64_t points, point[160];
  int seeds;
  double *sums; /* [seeds][points][WAL_STEER_SUMS] */
  double cheapest, equalizer;
  double pairs; /* of an episode */
} outcome;

/* Those that sample have five seeds, as the others always do the same. */
static outcome play_setting(const steer_setting *setting, wal_node *mediator) {
  steer_bench bench;
  steer_bench_open(ctx, setting, &bench);
  wal_steering *s = &bench.steering;
  wal_mediator *m = steer_mediator(ctx, &bench, mediator);
  outcome out = {.points = s->points,
                 .seeds = m->memory_count > 0 ? SEEDS : 1,
                 .cheapest = s->target.cheapest,
                 .equalizer = s->target.equalizer,
                 .pairs = (double)s->legal_pairs};
  assert_true(out.points <= 160);
  memcpy(out.point, s->point, (size_t)s->points * sizeof *s->point);
  out.sums = calloc((size_t)(out.seeds * out.points * WAL_STEER_SUMS), sizeof *out.sums);
  double *memory = calloc((size_t)wal_steering_memory(s, m), sizeof *memory);
  for (int k = 0; k < out.seeds; k++) {
    wal_steering_begin(s, m, memory);
    WAL_ASSERT_OK(ctx, wal_steering_run(s, m, (uint64_t)(k + 1), setting->episodes, memory));
    for (int64_t i = 0; i < out.points; i++)
      memcpy(out.sums + (k * out.points + i) * WAL_STEER_SUMS, wal_steering_sums(memory, i),
             WAL_STEER_SUMS * sizeof *memory);
    assert_true(wal_steering_now(memory)[WAL_STEER_LEAST] >= -1e-12);
  }
  free(memory);
  wal_mediator_destroy(&m);
  steer_bench_close(&bench);
  return out;
}

enum { MIXED, ONE_ACTION }; /* targets */

static outcome play(wal_node *mediator, int target, int64_t episodes) {
  const steer_setting setting = {.states = STATES,
                                 .episodes = episodes,
                                 .horizon = HORIZON,
                                 .trajectories = 10,
                                 .deterministic = target == ONE_ACTION};
  return play_setting(&setting, mediator);
}

static wal_node *named(const char *name) { return wal_test_component(name); }

static wal_node *with(wal_node *node, const char *key, const char *text) {
  wal_test_set_text(node, key, text);
  return node;
}

typedef enum figure {
  GAP,
  COST,
  EXCESS,           /* beyond the cheapest stabilizer */
  EQUALIZER_EXCESS, /* beyond 1 - r at the target */
  RUNNING_EXCESS,
  OVERPAYMENT
} figure;

static double figure_at(const outcome *o, figure which, int seed, int64_t i) {
  const double *sums = o->sums + (seed * o->points + i) * WAL_STEER_SUMS;
  const double cost = sums[WAL_STEER_COST], t = (double)o->point[i];
  const double figures[] = {sums[WAL_STEER_GAP],
                            cost,
                            cost - t * o->cheapest,
                            cost - t * o->equalizer,
                            cost - sums[WAL_STEER_EXPLOITABILITY],
                            sums[WAL_STEER_OVERPAYMENT]};
  return figures[which];
}

/* The last point of at most so many episodes. */
static int64_t point_of(const outcome *o, int64_t episodes) {
  int64_t i = 0;
  while (i + 1 < o->points && o->point[i + 1] <= episodes) i++;
  return i;
}

/* Mean of the seeds. */
static double after(const outcome *o, figure which, int64_t episodes) {
  const int64_t i = point_of(o, episodes);
  double sum = 0;
  for (int k = 0; k < o->seeds; k++) sum += figure_at(o, which, k, i) / o->seeds;
  return sum;
}

/* An episode's, of the second half. */
static double late(const outcome *o, figure which) {
  const int64_t last = o->point[o->points - 1], half = o->point[point_of(o, last / 2)];
  return (after(o, which, last) - after(o, which, half)) / (double)(last - half);
}

/* Exponent of a sum over the last 1.75 decades, which must be positive there. */
static wal_power_law exponent(const outcome *o, figure which) {
  enum { POINTS = 64 };
  double slope[SEEDS], x[POINTS], y[POINTS];
  for (int k = 0; k < o->seeds; k++) {
    int64_t n = 0;
    for (int64_t i = 0; i < o->points; i++) {
      if (o->point[i] * 56 < o->point[o->points - 1]) continue;
      x[n] = (double)o->point[i];
      y[n] = figure_at(o, which, k, i);
      assert_true(y[n++] > 0);
    }
    slope[k] = wal_power_law_fit(n, x, y).slope;
  }
  return wal_power_law_mean(o->seeds, slope);
}

/* Share of the pairs of all episodes. */
static double share(const outcome *o, wal_steer_sum which) {
  double sum = 0;
  for (int k = 0; k < o->seeds; k++)
    sum += o->sums[((k + 1) * o->points - 1) * WAL_STEER_SUMS + which] / o->seeds;
  return sum / (o->pairs * (double)o->point[o->points - 1]);
}

/* The proof has the exponent 3/4 of the gap and of the running excess, up to logarithms. */
static const double PROVED = 0.75 + 0.05;

// ---- Rates ------------------------------------------------------------------------------------

/* The gap, of all that are proved to steer: at most t^(3/4); unpaid it grows as time does. */
static void gaps_grow_slower_than_time(void **state) {
  (void)state;
  static const char *const STEER[] = {"known_model", "optimistic", "equalizing"};
  for (int target = MIXED; target <= ONE_ACTION; target++) {
    for (size_t i = 0; i < sizeof STEER / sizeof *STEER; i++) {
      outcome o = play(named(STEER[i]), target, LONG);
      const wal_power_law law = exponent(&o, GAP);
      assert_true(law.slope <= PROVED);
      if (o.seeds > 1) assert_true(law.high < 0.9);
      free(o.sums);
    }
    outcome none = play(named("none"), target, LONGER);
    WAL_ASSERT_WITHIN(exponent(&none, GAP).slope, 1, 0.1);
    assert_true(after(&none, COST, LONGER) == 0);
    free(none.sums);
  }
}

/* Costs. With one target action all of it is there to be seen: the running excess is positive and
 * grows as t^(3/4) at most, so that the excess of an episode falls as t^(-1/4) at least: to a half
 * in 16 times as many (prototype: t^0.52 of the excess with the game known, t^0.49 of the running
 * excess without). The overpayment is a sum of bonuses at what is visited, which is at most of the
 * order of t^(1/2) up to logarithms; it begins slower, as bonuses of transitions have terms in 1/n,
 * too, whose sum is but a logarithm. */
static void costs_exceed_what_they_must_by_less_and_less(void **state) {
  (void)state;
  static const char *const LEARN[] = {"known_model", "optimistic"};
  for (int target = MIXED; target <= ONE_ACTION; target++)
    for (size_t i = 0; i < sizeof LEARN / sizeof *LEARN; i++) {
      outcome o = play(named(LEARN[i]), target, LONG);
      const double early = after(&o, EXCESS, LONG / 16) / (double)o.point[point_of(&o, LONG / 16)];
      const double end = after(&o, EXCESS, LONG) / LONG;
      assert_true(end <= 0.5 * fmax(early, 0));
      if (target == ONE_ACTION) assert_true(exponent(&o, RUNNING_EXCESS).slope <= PROVED);
      if (target == MIXED)
        assert_true(after(&o, RUNNING_EXCESS, LONG) < 0.05 * after(&o, COST, LONG));
      if (i == 1) assert_true(exponent(&o, OVERPAYMENT).slope <= 0.6);
      if (i == 1 && target == MIXED) WAL_ASSERT_WITHIN(exponent(&o, OVERPAYMENT).slope, 0.5, 0.1);
      free(o.sums);
    }
}

/* Runs of their own with steps 1/sqrt(T), which is what the proof is about: gap, excess and
 * overpayment after T episodes against T (prototype, T = 400 .. 25600, nothing known: 308 -> 2946,
 * T^0.54; 77 -> 696, T^0.53; 195, 378, 740, 1472, 2947, T^0.49). */
static void runs_of_many_lengths_have_the_rates(void **state) {
  (void)state;
  enum { LENGTHS = 3 };
  static const char *const STEER[] = {"known_model", "optimistic"};
  for (size_t i = 0; i < sizeof STEER / sizeof *STEER; i++) {
    double length[LENGTHS], gap[LENGTHS], excess[LENGTHS], paid[LENGTHS];
    for (int n = 0; n < LENGTHS; n++) {
      const int64_t episodes = 400 << (2 * n);
      const steer_setting setting = {.states = STATES,
                                     .episodes = episodes,
                                     .horizon = HORIZON,
                                     .trajectories = 10,
                                     .by_horizon = true};
      outcome o = play_setting(&setting, named(STEER[i]));
      length[n] = (double)episodes;
      gap[n] = after(&o, GAP, episodes);
      excess[n] = fmax(after(&o, EXCESS, episodes), 1);
      paid[n] = after(&o, OVERPAYMENT, episodes);
      free(o.sums);
    }
    const double of_gap = wal_power_law_fit(LENGTHS, length, gap).slope;
    assert_true(of_gap <= PROVED);
    WAL_ASSERT_WITHIN(of_gap, 0.54, 0.12);
    assert_true(wal_power_law_fit(LENGTHS, length, excess).slope <= PROVED);
    if (i == 1) WAL_ASSERT_WITHIN(wal_power_law_fit(LENGTHS, length, paid).slope, 0.49, 0.1);
  }
}

// ---- Bounds -----------------------------------------------------------------------------------

/* Rigorous bounds are wrong less often than they may be. Estimates that are taken for the truth are
 * on either side of it, half of them above. Upper bounds of the rewards in the place of lower ones
 * are above wherever they hold: with the transitions known delta is that difference, so that it is
 * negative there and those who play what is not known are paid too little. */
static void bounds_hold(void **state) {
  (void)state;
  const double confidence = 0.05;
  outcome rigorous = play(with(named("optimistic"), "bonus", "rigorous"), MIXED, 1000);
  outcome practical = play(named("optimistic"), MIXED, 1000);
  outcome greedy = play(named("greedy"), MIXED, 500);
  assert_true(share(&rigorous, WAL_STEER_VIOLATIONS) <= confidence);
  assert_true(share(&practical, WAL_STEER_VIOLATIONS) <= confidence);
  assert_true(share(&greedy, WAL_STEER_VIOLATIONS) > 0.2);
  assert_true(share(&greedy, WAL_STEER_REWARD_VIOLATIONS) > 0.2);
  assert_true(share(&greedy, WAL_STEER_MODEL_VIOLATIONS) > 0.2);
  outcome upper = play(with(named("optimistic"), "reward_side", "upper"), MIXED, 500);
  assert_true(share(&upper, WAL_STEER_REWARD_VIOLATIONS) >= 1 - confidence);
  wal_node *node = with(with(named("optimistic"), "reward_side", "upper"), "model", "known");
  outcome alone = play(node, MIXED, 500);
  assert_true(share(&alone, WAL_STEER_VIOLATIONS) >= 1 - confidence);
  assert_true(after(&alone, OVERPAYMENT, 500) < 0);
  assert_true(after(&practical, OVERPAYMENT, 500) > 0);
  outcome *const all[] = {&rigorous, &practical, &greedy, &upper, &alone};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]->sums);
}

/* The lower side is the one that is taken if none is named. */
static void bounds_are_lower_ones(void **state) {
  (void)state;
  outcome left_out = play(named("optimistic"), MIXED, 60);
  outcome lower = play(with(named("optimistic"), "reward_side", "lower"), MIXED, 60);
  outcome upper = play(with(named("optimistic"), "reward_side", "upper"), MIXED, 60);
  const size_t size = (size_t)(lower.seeds * lower.points * WAL_STEER_SUMS) * sizeof *lower.sums;
  assert_memory_equal(left_out.sums, lower.sums, size);
  assert_memory_not_equal(lower.sums, upper.sums, size);
  free(left_out.sums);
  free(lower.sums);
  free(upper.sums);
}

// ---- Ablations --------------------------------------------------------------------------------

/* Payments on top of what equalizes the optimal values cost what is on top, no less: the bracket
 * telescopes to the best value, of which what is earned lacks the exploitability,
 *   C_t = Expl(pi_t) + <d_t, incentive>,
 * nothing on top of the cheapest stabilizer. */
static void what_is_on_top_is_what_it_costs(void **state) {
  (void)state;
  static const char *const ON_TOP[] = {"stabilizing", "uncentred", "constant_bribe"};
  const steer_setting setting = {.states = 7, .episodes = 30, .horizon = 5, .trajectories = 1};
  for (size_t i = 0; i < sizeof ON_TOP / sizeof *ON_TOP; i++) {
    steer_bench bench;
    steer_bench_open(ctx, &setting, &bench);
    wal_steering *s = &bench.steering;
    wal_mediator *m = steer_mediator(ctx, &bench, named(ON_TOP[i]));
    double *memory = calloc((size_t)wal_steering_memory(s, m), sizeof *memory), top = 0;
    wal_steering_begin(s, m, memory);
    for (int64_t t = 1; t <= setting.episodes; t++) {
      WAL_ASSERT_OK(ctx, wal_steering_run(s, m, 1, t, memory));
      const double *sums = wal_steering_now(memory);
      for (int64_t at = 0; at < setting.horizon * setting.states * LINE_ACTIONS; at++)
        top += s->density[at / LINE_ACTIONS] * s->policy[at] * m->incentive[at];
      WAL_ASSERT_WITHIN(sums[WAL_STEER_COST] - sums[WAL_STEER_EXPLOITABILITY], top, 1e-10);
    }
    assert_true(i == 0 ? top == 0 : top > 0.1);
    free(memory);
    wal_mediator_destroy(&m);
    steer_bench_close(&bench);
  }
}

/* A bribe T^(-1/4) brings agents to a target of one action a state, and goes on being paid in every
 * stage: H T^(-1/4) an episode beyond the cheapest stabilizer, for ever (prototype: 0.63 with
 * T = 25600 and H = 8). What mixes actions it cannot hold, as all weight goes to the likeliest. */
static void bribes_are_paid_for_ever(void **state) {
  (void)state;
  outcome one = play(named("constant_bribe"), ONE_ACTION, LONGER);
  WAL_ASSERT_WITHIN(late(&one, EXCESS), HORIZON * pow(LONGER, -0.25), 0.01);
  WAL_ASSERT_WITHIN(exponent(&one, RUNNING_EXCESS).slope, 1, 0.1);
  assert_true(late(&one, GAP) < 0.01);
  free(one.sums);
  outcome mixed = play(named("constant_bribe"), MIXED, LONG);
  assert_true(exponent(&mixed, GAP).slope > 0.9);
  free(mixed.sums);
}

/* Where all policies are worth the same and nothing leads to the target, nobody goes there: neither
 * baseline steers. Without any bonus agents get there all the same, on this line: its steps are
 * noisy, so that all is seen whatever is paid (prototype: 420 against 933); where it is not so is
 * for the lock to show (tests/cli/test_steerings.py). The uncentred incentive steers as well and
 * costs more than the centred one, which is worth nothing to those who stay as they are. */
static void ablations_lack_what_they_lack(void **state) {
  (void)state;
  static const char *const BY[] = {"cheapest", "equalizer"};
  for (int target = MIXED; target <= ONE_ACTION; target++) {
    outcome known = play(named("known_model"), target, LONG);
    outcome none = play(named("none"), target, LONG);
    for (int b = 0; b < 2; b++) {
      outcome o = play(with(named("stabilizing"), "by", BY[b]), target, LONG);
      assert_true(exponent(&o, GAP).slope > 0.9);
      assert_true(after(&o, GAP, LONG) > 20 * after(&known, GAP, LONG));
      free(o.sums);
    }
    outcome greedy = play(named("greedy"), target, LONG);
    assert_true(exponent(&greedy, GAP).slope <= PROVED);
    outcome uncentred = play(named("uncentred"), target, LONG);
    assert_true(exponent(&uncentred, GAP).slope <= PROVED);
    assert_true(after(&uncentred, RUNNING_EXCESS, LONG) > after(&known, RUNNING_EXCESS, LONG));
    assert_true(after(&none, GAP, LONG) > 20 * after(&known, GAP, LONG));
    free(known.sums);
    free(none.sums);
    free(greedy.sums);
    free(uncentred.sums);
  }
}

/* Two ways to learn the game and steer: towards payments of 1 - r, for which no transitions need be
 * known, and towards the cheapest. Each exceeds its own baseline by less than t^(3/4) (prototype,
 * 1 - r: t^0.51); that of the first is the dearer one by a constant, so that it exceeds the second
 * one's as time grows. */
static void baselines_differ_by_what_they_pay(void **state) {
  (void)state;
  outcome equalizing = play(named("equalizing"), MIXED, LONG);
  outcome optimistic = play(named("optimistic"), MIXED, LONG);
  assert_true(equalizing.equalizer > equalizing.cheapest + 1e-3);
  assert_true(exponent(&equalizing, EQUALIZER_EXCESS).slope <= PROVED);
  assert_true(exponent(&equalizing, EXCESS).slope > 0.9);
  assert_true(late(&optimistic, EXCESS) < 0.1 * (optimistic.equalizer - optimistic.cheapest));
  assert_true(after(&optimistic, COST, LONG) < after(&equalizing, COST, LONG));
  free(equalizing.sums);
  free(optimistic.sums);
}

int main(int argc, char **argv) {
  static const struct CMUnitTest TESTS[] = {
      cmocka_unit_test(gaps_grow_slower_than_time),
      cmocka_unit_test(costs_exceed_what_they_must_by_less_and_less),
      cmocka_unit_test(runs_of_many_lengths_have_the_rates),
      cmocka_unit_test(bounds_hold),
      cmocka_unit_test(bounds_are_lower_ones),
      cmocka_unit_test(what_is_on_top_is_what_it_costs),
      cmocka_unit_test(bribes_are_paid_for_ever),
      cmocka_unit_test(ablations_lack_what_they_lack),
      cmocka_unit_test(baselines_differ_by_what_they_pay)};
  wal_test_begin(&argc, &argv);
  return wal_test_end(cmocka_run_group_tests(TESTS, open_ctx, close_ctx));
}
