// SPDX-License-Identifier: GPL-3.0-or-later
/* Scripted games against the built-in ones of the same formulas, on any number of ranks, and
 * functions that fail while the game runs. (That scripted games give the same bits on every number
 * of ranks is a conformance test.) */
#include <math.h>
#include <string.h>

#include "sim/learn/learner.h"
#include "tests/support/make_game.h"

enum { STEPS = 12, SMALL_BLOCK = 8 };

typedef struct work {
  wal_test_game made;
  wal_params *rule;
  wal_space *space;
  wal_learner *learner;
} work;

WAL_TEST_CTX(1)

/* A learner on w->made. */
static void begin(work *w, const char *learner, double rate) {
  const wal_learner_type *type = wal_learner_find(learner);
  const wal_space_options options = {.block = SMALL_BLOCK};
  wal_node *rule = wal_test_component(learner);
  wal_test_set_number(rule, "rate", rate);
  WAL_ASSERT_OK(ctx, wal_params_resolve(ctx, "test.lua", &type->component, rule, NULL, &w->rule));
  wal_node_destroy(rule);
  WAL_ASSERT_OK(ctx, wal_space_create(ctx, &w->made.game, &options, &w->space));
  WAL_ASSERT_OK(ctx, wal_learner_create(w->space, type, w->rule, &w->learner));
}

static void end(work *w) {
  wal_learner_destroy(&w->learner);
  wal_space_destroy(&w->space);
  wal_params_destroy(&w->rule);
  wal_test_game_destroy(ctx, &w->made);
}

static void begin_script(work *w, const char *text) {
  memset(w, 0, sizeof *w);
  WAL_ASSERT_OK(ctx, wal_test_game_script(ctx, text, &w->made));
  begin(w, "mirror_descent", 1);
}

static bool near(double a, double b, double tolerance) {
  return a == b || fabs(a - b) <= tolerance * fmax(1, fmax(fabs(a), fabs(b)));
}

static bool all_near(int64_t count, const double *a, const double *b, double tolerance) {
  for (int64_t i = 0; i < count; i++)
    if (!near(a[i], b[i], tolerance)) return false;
  return true;
}

/* Both games' traces, masses and values agree; with tolerance 0, to the last bit. */
static void compare(const char *script, wal_node *(*built_in)(void), const char *learner,
                    double rate, double tolerance) {
  work one = {.rule = NULL}, other = {.rule = NULL};
  WAL_ASSERT_OK(ctx, wal_test_game_script(ctx, script, &one.made));
  WAL_ASSERT_OK(ctx, wal_test_game_create(ctx, built_in(), &other.made));
  begin(&one, learner, rate);
  begin(&other, learner, rate);
  int64_t count = one.space->states.count * one.made.game.shape.horizon;
  for (int k = 0; k <= STEPS; k++) {
    wal_measure a, b;
    WAL_ASSERT_OK(ctx, wal_learner_sweep(one.learner, true, k < STEPS, &a));
    WAL_ASSERT_OK(ctx, wal_learner_sweep(other.learner, true, k < STEPS, &b));
    assert_true(near(a.exploitability, b.exploitability, tolerance));
    assert_true(near(a.value, b.value, tolerance));
    WAL_ASSERT_ALL(ctx,
                   all_near(count, one.learner->flow.mass, other.learner->flow.mass, tolerance));
    WAL_ASSERT_ALL(
        ctx, all_near(count, one.learner->values.kept, other.learner->values.kept, tolerance));
  }
  end(&one);
  end(&other);
}

static const char BEACH[] =
    "local n, bar, stay = 37, 11, 0.3\n"
    "return custom {\n"
    "  states = n, actions = 3, horizon = 5,\n"
    "  moves = function(h, s, a)\n"
    "    local row = {}\n"
    "    for e = -1, 1 do\n"
    "      local to = math.max(0, math.min(n - 1, s + (a - 1) + e))\n"
    "      row[e + 2] = { to, e == 0 and stay or (1 - stay) / 2 }\n"
    "    end\n"
    "    return row\n"
    "  end,\n"
    "  reward = function(h, s, a, mass)\n"
    "    local gap = math.abs(s - bar)\n"
    "    local stand = -math.log(mass[s] + 1e-20) - math.min(gap, n - gap)\n"
    "    return a == 1 and stand or stand - 1 / n\n"
    "  end,\n"
    "}\n";

static wal_node *beach(void) {
  wal_node *node = wal_test_component("beach_bar");
  wal_test_set_number(node, "states", 37);
  wal_test_set_number(node, "bar", 11);
  wal_test_set_number(node, "stay", 0.3);
  wal_test_set_number(node, "horizon", 5);
  return node;
}

/* Lua's logarithm is the C library's, the built-in game's is SLEEF's: a last bit may differ. The
   moves are the same bits, as rows that are the same are kept once. */
static void beach_bar(void **state) {
  (void)state;
  compare(BEACH, beach, "mirror_descent", 1, 1e-13);
  compare(BEACH, beach, "fictitious_play", 0.1, 1e-13);
}

static const char CHOICE[] =
    "return custom {\n"
    "  states = 3, actions = 2, horizon = 2, initial = { 1, 0, 0 },\n"
    "  moves = function(h, s, a) return 1 + a end,\n"
    "  reward = function(h, s, a, mass) return -s * mass[s] end,\n"
    "}\n";

static wal_node *choice(void) { return wal_test_component("left_right"); }

static void left_right(void **state) {
  (void)state;
  compare(CHOICE, choice, "mirror_descent", 0.3, 0);
  compare(CHOICE, choice, "fictitious_play", 0.1, 0);
}

#define EPIDEMIC_OF(share, more)                                          \
  "return custom {\n"                                                     \
  "  states = 2, actions = 2, horizon = 51, initial = { 0.4, 0.6 },\n"    \
  "  moves = function(h, s, a, k) return k == 0 and s or 1 - s end,\n"    \
  "  outcomes = function(h, s, a, mass)\n"                                \
  "    local change = s == 1 and 0.3 or a == 0 and 0.81 * " share         \
  " or 0\n"                                                               \
  "    return 1 - change, change\n"                                       \
  "  end,\n" more                                                         \
  "  reward = function(h, s, a) return -(a == 1 and 0.5 or 0) - s end,\n" \
  "}\n"

static const char EPIDEMIC[] = EPIDEMIC_OF("mass[1]", "");
static const char COUNTED[] =
    EPIDEMIC_OF("mass[0]", "  statistic = function(h, s, a) return s end,\n");
static const char COUNTED_BY_ACTION[] = EPIDEMIC_OF(
    "(mass[0] + mass[1])", "  statistic = function(h, s, a) return { s * (1 - a), s * a } end,\n");

static wal_node *epidemic(void) { return wal_test_component("susceptible_infected"); }

static void susceptible_infected(void **state) {
  (void)state;
  compare(EPIDEMIC, epidemic, "mirror_descent", 0.1, 0);
  compare(COUNTED, epidemic, "mirror_descent", 0.1, 0);
  compare(COUNTED_BY_ACTION, epidemic, "mirror_descent", 0.1, 1e-13);
  compare(EPIDEMIC, epidemic, "fictitious_play", 0.1, 0);
}

/* Moves that vary by stage are not those of another stage. */
static void moves_vary_by_stage(void **state) {
  (void)state;
  work w;
  begin_script(&w,
               "return custom {\n"
               "  states = 20, actions = 1, horizon = 4, varies = true,\n"
               "  initial = function(s) return s == 0 and 1 or 0 end,\n"
               "  moves = function(h, s, a)\n"
               "    return h == 1 and { { s, 0.25 }, { s + 10 < 20 and s + 10 or s, 0.75 } }\n"
               "      or (s + 3) % 20\n"
               "  end,\n"
               "  reward = function(h, s, a, mass) return h * mass[s] end,\n"
               "}\n");
  wal_measure m;
  WAL_ASSERT_OK(ctx, wal_learner_sweep(w.learner, true, false, &m));
  const double expected[4][20] = {
      {[0] = 1}, {[3] = 1}, {[3] = 0.25, [13] = 0.75}, {[6] = 0.25, [16] = 0.75}};
  for (int h = 0; h < 4; h++) {
    bool right = true;
    for (int64_t i = 0; i < w.space->states.count; i++)
      right =
          right && wal_flow_mass(&w.learner->flow, h)[i] == expected[h][w.space->states.first + i];
    WAL_ASSERT_ALL(ctx, right);
  }
  assert_true(near(m.value, 1 + (2 + 3) * (0.0625 + 0.5625), 1e-15));
  end(&w);
}

/* Sweeps until one fails, with the same text on every rank; at most `most`. */
static void fails_in_a_sweep(const char *script, wal_status expected, const char *part, int most) {
  work w;
  begin_script(&w, script);
  wal_status status = WAL_OK;
  wal_measure m;
  for (int k = 0; status == WAL_OK && k < most; k++)
    status = wal_learner_sweep(w.learner, true, true, &m);
  assert_int_equal(status, expected);
  WAL_ASSERT_CONTAINS(wal_ctx_error(ctx), part);
  end(&w);
}

#define FAILING(what)                                       \
  "return custom {\n"                                       \
  "  states = 30, actions = 2, horizon = 4,\n"              \
  "  moves = function(h, s, a) return (s + a) % 30 end,\n"  \
  "  reward = function(h, s, a, mass)\n"                    \
  "    if s == 23 and h == 2 and mass[23] ~= 1 / 30 then\n" \
  "      " what                                             \
  "\n"                                                      \
  "    end\n"                                               \
  "    return -mass[s] * s\n"                               \
  "  end,\n"                                                \
  "}\n"

static void failures_while_running_reach_all_ranks(void **state) {
  (void)state;
  static const struct {
    const char *script;
    wal_status status;
    const char *part;
  } CASES[] = {
      {FAILING("return 0 / 0"), WAL_ENONFINITE,
       "test.lua:4: custom: reward(h=2, s=23, a=0): expected a finite number, got nan"},
      {FAILING("return nil"), WAL_EINPUT,
       "test.lua:4: custom: reward(h=2, s=23, a=0): expected a finite number, got nil"},
      {FAILING("error('no more')"), WAL_EINPUT,
       "test.lua:6: custom: reward(h=2, s=23, a=0): no more"},
      {FAILING("return mass[30]"), WAL_EINPUT,
       "test.lua:6: custom: reward(h=2, s=23, a=0): expected an index from 0 to 29, got 30"},
  };
  for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
    fails_in_a_sweep(CASES[i].script, CASES[i].status, CASES[i].part, 5);
}

/* Outcomes that fail spoil the masses behind them: the rewards that see those are not blamed. */
static void failed_outcomes_are_told_not_what_follows(void **state) {
  (void)state;
  static const char SCRIPT[] =
      "return custom {\n"
      "  states = 30, actions = 2, horizon = 4,\n"
      "  moves = function(h, s, a, k) return (s + a + k) % 30 end,\n"
      "  outcomes = function(h, s, a, mass)\n"
      "    local p = s == 17 and h == 1 and mass[17] ~= 1 / 30 and 0.6 or 0.5\n"
      "    return p, 0.5\n"
      "  end,\n"
      "  reward = function(h, s, a, mass)\n"
      "    if mass[0] ~= mass[0] then error('not a number') end\n"
      "    return -mass[s] * s\n"
      "  end,\n"
      "}\n";
  fails_in_a_sweep(SCRIPT, WAL_EINPUT,
                   "test.lua:4: custom: outcomes(h=1, s=17, a=0): expected probabilities with sum "
                   "1, got the sum 1.1",
                   5);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(beach_bar),
    cmocka_unit_test(left_right),
    cmocka_unit_test(susceptible_infected),
    cmocka_unit_test(moves_vary_by_stage),
    cmocka_unit_test(failures_while_running_reach_all_ranks),
    cmocka_unit_test(failed_outcomes_are_told_not_what_follows),
};

int main(int argc, char **argv) {
  wal_test_begin(&argc, &argv);
  return wal_test_end(cmocka_run_group_tests(tests, open_ctx, close_ctx));
}
