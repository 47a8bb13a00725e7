// SPDX-License-Identifier: GPL-3.0-or-later
#include "library/study.h"

#include <string.h>

#include "games/common.h"
#include "tests/support/harness.h"

WAL_TEST_CTX(1)

/* Two roads (Pigou 1920): from state 0, action a leads to state 1 + a; state 1 costs 1, state 2 its
 * mass. Without charges all take the latter, half of them at best; the charge that makes them is
 * the marginal cost x dc/dx = 1/2 at x = 1/2, whatever the entropy and the number of iterations:
 * roads that cost the same from the start are taken equally. */

enum { FORK, WIDE, NARROW, STATES };

static wal_status create(wal_ctx *c, wal_params *params, wal_shape *shape, void **self) {
  (void)c, (void)params, (void)self;
  shape->horizon = 2;
  shape->states = STATES;
  shape->actions = 2;
  return WAL_OK;
}

static void initial(const void *self, int64_t first, int64_t count, double *mass) {
  (void)self;
  for (int64_t i = 0; i < count; i++) mass[i] = first + i == FORK;
}

static void move(const void *self, int stage, int outcome, int action, int64_t first, int64_t count,
                 int64_t *post) {
  (void)self, (void)stage, (void)outcome;
  for (int64_t i = 0; i < count; i++) post[i] = first + i == FORK ? WIDE + action : first + i;
}

static void play_stage(const void *self, const wal_slab *slab, const double *mass,
                       const double *policy, const double *statistic, double *reward,
                       double *outcome) {
  (void)self, (void)policy, (void)statistic, (void)outcome;
  for (int a = 0; a < 2 && reward; a++)
    for (int64_t i = 0; i < slab->count; i++) {
      const int64_t s = slab->first + i;
      reward[a * slab->stride + i] = s == NARROW ? -mass[i] : s == WIDE ? -1 : 0;
    }
}

static void stage_vjp(const void *self, const wal_slab *slab, const double *mass,
                      const double *policy, const double *statistic, const double *reward_bar,
                      const double *outcome_bar, double *mass_bar, double *policy_bar,
                      double *statistic_bar) {
  (void)self, (void)mass, (void)policy, (void)statistic, (void)outcome_bar, (void)policy_bar;
  (void)statistic_bar;
  for (int a = 0; a < 2 && reward_bar; a++)
    for (int64_t i = 0; i < slab->count; i++)
      if (slab->first + i == NARROW) mass_bar[i] -= reward_bar[a * slab->stride + i];
}

static const wal_param PARAMS[] = {WAL_TOLL_PARAM, {0}};

static wal_game_type roads(void) {
  return (wal_game_type){.struct_size = sizeof(wal_game_type),
                         .component = {.name = "roads", .kind = "game", .params = PARAMS},
                         .create = create,
                         .destroy = wal_game_free,
                         .initial = initial,
                         .move = move,
                         .stage = play_stage,
                         .stage_vjp = stage_vjp};
}

#define PIGOU                                                                                  \
  "return design { game = roads { toll = toll { max = 1 } }, steps = 25,"                      \
  " objective = congestion { sharpness = 20 }, optimizer = adam { rate = 0.2, decay = 0.05 }," \
  " learner = mirror_descent { rate = 2, entropy = 0.05, iterations = 3 },"                    \
  " evaluate = { iterations = 40, every = 0 } }"

static void the_toll_is_that_of_pigou(void **state) {
  (void)state;
  // Thousands of exchanges; that other numbers of ranks give the same bits is conformance's
  // business.
  if (wal_ctx_size(ctx) > 2) skip();
  const wal_game_type game = roads();
  const wal_game_type *const games[] = {&game, NULL};
  wal_study *study = NULL;
  wal_assessment start, best;
  WAL_ASSERT_OK(ctx, wal_study_create(ctx, "roads.lua", PIGOU, games, &study));
  WAL_ASSERT_OK(ctx, wal_study_run(study, &start, &best));
  const double *charge = wal_problem_game(study->problem)->toll.charge;
  WAL_ASSERT_WITHIN(charge[NARROW] - charge[WIDE], 0.5, 1e-3);
  // Half on each road: 1 at the fork, then 1/2. Without, x = 0.89360: log(x / (1 - x)) = (1 - x) /
  // 0.05.
  WAL_ASSERT_WITHIN(start.objective, -1.89360, 1e-4);
  WAL_ASSERT_WITHIN(best.objective, -1.5, 1e-3);
  // The designed game is left as it is played.
  const wal_learner *learner = wal_problem_learner(study->problem);
  const wal_partition *states = &learner->space->states;
  const double *mass = wal_flow_mass(&learner->flow, 1);
  for (int64_t s = WIDE; s <= NARROW; s++) {
    const int64_t i = s - states->first;
    const bool here = i >= 0 && i < states->count;
    WAL_ASSERT_ALL(ctx, !here || (mass[i] > 0.499 && mass[i] < 0.501));
  }
  double whole[STATES];
  WAL_ASSERT_OK(ctx, wal_study_mass(study, 1, whole));
  WAL_ASSERT_WITHIN(whole[WIDE], 0.5, 1e-3);
  WAL_ASSERT_STATUS(ctx, WAL_EINPUT, wal_study_solve(study));
  WAL_ASSERT_CONTAINS(wal_ctx_error(ctx), "wal_study_run()");
  wal_study_destroy(&study);
  assert_null(study);
  wal_study_destroy(&study);
}

static void refused(wal_status status, const char *text, const wal_game_type *game,
                    const char *said) {
  const wal_game_type *const games[] = {game, NULL};
  wal_study *study = NULL;
  const int64_t held = wal_ctx_memory(ctx);
  WAL_ASSERT_STATUS(ctx, status, wal_study_create(ctx, "roads.lua", text, games, &study));
  assert_null(study);
  WAL_ASSERT_CONTAINS(wal_ctx_error(ctx), said);
  assert_int_equal(wal_ctx_memory(ctx), held);
}

static void mistakes_are_named(void **state) {
  (void)state;
  const wal_game_type game = roads();
  wal_game_type other = roads();
  refused(WAL_EINPUT,
          "return design { game = raods { toll = toll {} }, objective = congestion {} }", &game,
          "roads");
  refused(WAL_EINPUT, "return design { game = roads {}, objective = congestion {} }", &game,
          "there is nothing to design");
  refused(WAL_EINPUT, "return simulate { game = one_shot_auction {} }", &game,
          "roads.lua:1: expected design{...} or solve{...}, got simulate{...}");
  refused(WAL_EINPUT, "return solve { game = roads {}, stop = { iteration = 2 } }", &game,
          "iterations");
  refused(WAL_EINPUT,
          "return solve { game = roads {}, learner = fictitious_play {},"
          " stop = { regularized = 1e-3 } }",
          &game, "expected a learner with entropy");
  refused(WAL_EINPUT,
          "return design { game = roads { toll = toll {} }, objective = congestion {},"
          " restarts = 2 }",
          &game, "restarts: expected none");
  refused(WAL_EINPUT, PIGOU, NULL, "roads");
  other.stage_vjp = NULL;
  refused(WAL_EINPUT, PIGOU, &other, "derivative");
  other = roads();
  other.component.name = "beach_bar";
  refused(WAL_EINPUT, PIGOU, &other, "beach_bar: expected a name that nothing else has");
  other = roads();
  other.component.kind = "games";
  refused(WAL_EINPUT, PIGOU, &other,
          "roads: expected a component of the kind \"game\", got \"games\"");
  other = roads();
  other.struct_size--;
  refused(WAL_EINTERNAL, PIGOU, &other, "another version");
}

/* What a text has beside the game counts: the seed, and games of the library; NULL for no own. */
static void texts_are_scenarios(void **state) {
  (void)state;
  wal_study *study = NULL;
  WAL_ASSERT_OK(
      ctx, wal_study_create(ctx, "beach.lua",
                            "return design { game = beach_bar { toll = toll {} }, seed = 7,"
                            " objective = congestion {}, steps = 0, evaluate = { iterations = 9 },"
                            " learner = mirror_descent { rate = 0.1, iterations = 9 } }",
                            NULL, &study));
  assert_int_equal(wal_ctx_seed(ctx), 7);
  assert_int_equal(study->design->plan.iterations, 9);
  assert_int_equal(wal_problem_count(study->problem), 4);
  wal_assessment start, best;
  WAL_ASSERT_OK(ctx, wal_study_run(study, &start, &best));
  WAL_ASSERT_SAME(best.objective, start.objective);
  wal_study_destroy(&study);
}

/* Entropy leaves 1 - x on the wide road, log(x / (1 - x)) = (1 - x) / entropy. */
static void an_own_game_is_solved(void **state) {
  (void)state;
  const wal_game_type game = roads();
  const wal_game_type *const games[] = {&game, NULL};
  wal_study *study = NULL;
  double mass[STATES];
  wal_assessment none;
  WAL_ASSERT_OK(ctx, wal_study_create(ctx, "roads.lua",
                                      "return solve { game = roads {}, stop = { iterations = 400,"
                                      " regularized = 1e-9 }, learner = mirror_descent {"
                                      " rate = 2, entropy = 0.05 } }",
                                      games, &study));
  assert_null(study->problem);
  assert_null(study->design);
  WAL_ASSERT_STATUS(ctx, WAL_EINPUT, wal_study_mass(study, 1, mass));
  WAL_ASSERT_STATUS(ctx, WAL_EINPUT, wal_study_run(study, &none, &none));
  WAL_ASSERT_CONTAINS(wal_ctx_error(ctx), "wal_study_solve()");
  WAL_ASSERT_OK(ctx, wal_study_solve(study));
  assert_true(study->trace.converged);
  WAL_ASSERT_OK(ctx, wal_study_mass(study, 1, mass));
  WAL_ASSERT_WITHIN(mass[FORK], 0, 0);
  WAL_ASSERT_WITHIN(mass[WIDE], 1 - 0.8935983, 1e-4);
  WAL_ASSERT_WITHIN(mass[WIDE] + mass[NARROW], 1, 1e-15);
  WAL_ASSERT_STATUS(ctx, WAL_EINPUT, wal_study_mass(study, 2, mass));
  WAL_ASSERT_CONTAINS(wal_ctx_error(ctx), "expected a stage from 0 to 1, got 2");
  const int64_t rows = study->trace.count;
  WAL_ASSERT_OK(ctx, wal_study_solve(study));  // it has ended
  assert_int_equal(study->trace.count, rows);
  wal_study_destroy(&study);
}

/* left_right of MFGLib: mu pays on the left, 2 mu on the right, so that two thirds go left. */
static void a_game_of_the_library_is_solved(void **state) {
  (void)state;
  wal_study *study = NULL;
  double mass[3];
  WAL_ASSERT_OK(ctx,
                wal_study_create(ctx, "home.lua",
                                 "return solve { game = left_right {}, seed = 5,"
                                 " learner = fictitious_play {}, stop = { iterations = 300 } }",
                                 NULL, &study));
  assert_int_equal(wal_ctx_seed(ctx), 5);
  WAL_ASSERT_OK(ctx, wal_study_solve(study));
  WAL_ASSERT_OK(ctx, wal_study_mass(study, 1, mass));
  WAL_ASSERT_WITHIN(mass[1], 2.0 / 3, 5e-3);
  assert_int_equal(study->trace.rows[study->trace.count - 1].iteration, 300);
  assert_false(study->trace.tolerance);
  wal_study_destroy(&study);
}

static void the_version_is_that_of_the_project(void **state) {
  (void)state;
  assert_string_equal(wal_version(), WAL_VERSION);
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(the_toll_is_that_of_pigou),
                                          cmocka_unit_test(mistakes_are_named),
                                          cmocka_unit_test(texts_are_scenarios),
                                          cmocka_unit_test(an_own_game_is_solved),
                                          cmocka_unit_test(a_game_of_the_library_is_solved),
                                          cmocka_unit_test(the_version_is_that_of_the_project)};

int main(int argc, char **argv) {
  wal_test_begin(&argc, &argv);
  return wal_test_end(cmocka_run_group_tests(tests, open_ctx, close_ctx));
}
