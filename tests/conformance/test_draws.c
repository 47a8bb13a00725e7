// SPDX-License-Identifier: GPL-3.0-or-later
/* Randomized designs: what is drawn, and that a batch is the mean over its games, the same bits on
 * any number of ranks, also if the design goes on from a checkpoint on another number of them. */
#include <math.h>
#include <stdlib.h>

#include "incentives/design/gradient_check.h"
#include "io/checkpoint.h"
#include "sim/core/random.h"
#include "tests/support/make_design.h"

enum { SEED = 4, STEPS = 3, BATCH = 4, HELD_OUT = 3 };

/* Setting A3 in small (Corecco et al. 2025, appendix F). */
#define AUCTION                                                           \
  "batched_auction { rounds = 5, values = 10, bids = 10, reentry = 0.3, " \
  "prior = dirichlet { concentration = 1 }, goods = %s, "                 \
  "mechanism = neural { hidden = 8, precision = 'double' } }"
#define DRAWN "draw = { goods = {0.6, 1.2} }, "

typedef struct drawn {
  wal_test_part task;
  wal_problem *problem;
} drawn;

static wal_response response_of(const char *method) {
  return strncmp(method, "implicit", 8) == 0
             ? (wal_response){.rate = 1, .entropy = 0.2, .iterations = 30}
             : (wal_response){.rate = 10, .entropy = 1e-3, .iterations = 30};
}

/* The problem of a task "design { ... }" with draws. */
static void make(wal_ctx *ctx, const char *fields, wal_response response, drawn *out) {
  const wal_space_options layout = {.block = 4};
  char text[900];
  snprintf(text, sizeof text, "design { %s }", fields);
  *out = (drawn){0};
  WAL_ASSERT_OK(ctx, wal_test_part_make(ctx, "task", text, &out->task));
  wal_params *game = wal_params_child(out->task.params, "game");
  wal_params *objective = wal_params_child(out->task.params, "objective");
  wal_problem_parts parts = {.game = wal_game_find(wal_params_component(game)->name),
                             .game_params = game,
                             .objective = wal_objective_find(wal_params_component(objective)->name),
                             .objective_params = objective,
                             .response = response,
                             .layout = &layout,
                             .batch = wal_params_integer(out->task.params, "batch"),
                             .held_out = HELD_OUT};
  WAL_ASSERT_OK(ctx, wal_draws_create(ctx, out->task.params, "draw", game, false, &parts.draws));
  WAL_ASSERT_OK(ctx, wal_problem_create(ctx, &parts, &out->problem));
}

static void make_auction(wal_ctx *ctx, int batch, wal_response response, drawn *out) {
  char game[500], fields[800];
  snprintf(game, sizeof game, AUCTION, "0.8");
  snprintf(fields, sizeof fields, "game = %s, objective = revenue {}, " DRAWN "batch = %d", game,
           batch);
  make(ctx, fields, response, out);
}

static void drop(drawn *made) {
  wal_problem_destroy(&made->problem);
  wal_test_part_free(&made->task);
}

static bool same(const double *a, const double *b, int64_t count) {
  return count == 0 || memcmp(a, b, (size_t)count * sizeof *a) == 0;
}

// ---- A batch is the mean of its games ---------------------------------------------------------

/* The game of one draw as a scenario would write it, with the seed that the draw stands for:
 * formulas of docs/design.md. */
static void make_one(wal_ctx *ctx, uint64_t seed, wal_purpose purpose, int64_t step, int64_t draw,
                     wal_response response, wal_test_problem *out) {
  const wal_space_options layout = {.block = 4};
  const uint64_t before = wal_ctx_seed(ctx);
  const wal_random_words words = wal_random(seed, purpose, (uint64_t)draw, (uint32_t)step, 0);
  const double u = wal_random_uniform(seed, purpose, (uint64_t)draw, (uint32_t)step, 1);
  char game[500], goods[32];
  snprintf(goods, sizeof goods, "%.17g", 0.6 + u * (1.2 - 0.6));
  snprintf(game, sizeof game, AUCTION, goods);
  wal_ctx_set_seed(ctx, (uint64_t)words.word[1] << 32 | words.word[0]);
  WAL_ASSERT_OK(ctx, wal_test_problem_make(ctx, game, "revenue {}", response, &layout, out));
  wal_ctx_set_seed(ctx, before);
}

/* Mean objective and gradient of the games of a step, one after the other. */
static double mean_by_hand(wal_ctx *ctx, int64_t step, int batch, bool equilibrium,
                           const double *theta, int64_t count, double *gradient) {
  double *one = calloc((size_t)count, sizeof *one), sum = 0, value;
  memset(gradient, 0, (size_t)count * sizeof *gradient);
  for (int64_t i = 0; i < batch; i++) {
    wal_test_problem problem;
    make_one(ctx, SEED, WAL_PURPOSE_DESIGN_DRAW, step, i,
             response_of(equilibrium ? "implicit" : "amid"), &problem);
    WAL_ASSERT_OK(ctx, equilibrium
                           ? wal_problem_differentiate_equilibrium(problem.problem, 1e-4, 1, 2000)
                           : wal_problem_differentiate(problem.problem, WAL_UNROLLED_SQRT));
    WAL_ASSERT_OK(ctx, wal_problem_gradient(problem.problem, theta, &value, one));
    sum += value;
    for (int64_t j = 0; j < count; j++) gradient[j] += one[j];
    wal_test_problem_free(&problem);
  }
  for (int64_t j = 0; j < count; j++) gradient[j] /= batch;
  free(one);
  return sum / batch;
}

/* `alone` is of this rank only. */
static void check_mean(wal_ctx *ctx, wal_ctx *alone, int batch, bool equilibrium) {
  drawn made;
  double value, other;
  make_auction(ctx, batch, response_of(equilibrium ? "implicit" : "amid"), &made);
  const int64_t count = wal_problem_count(made.problem);
  double *theta = calloc((size_t)count, sizeof *theta);
  double *gradient = calloc((size_t)count, sizeof *gradient);
  double *expected = calloc((size_t)count, sizeof *expected);
  memcpy(theta, wal_problem_start(made.problem), (size_t)count * sizeof *theta);
  for (int64_t j = 0; j < count; j++) theta[j] += 0.01 * sin((double)j);
  WAL_ASSERT_OK(ctx, equilibrium
                         ? wal_problem_differentiate_equilibrium(made.problem, 1e-4, 1, 2000)
                         : wal_problem_differentiate(made.problem, WAL_UNROLLED_SQRT));
  for (int64_t step = 0; step < 8; step += 7) {
    const double mean = mean_by_hand(alone, step, batch, equilibrium, theta, count, expected);
    wal_problem_draw(made.problem, 0, step);
    for (int again = 0; again < 2; again++) {
      WAL_ASSERT_OK(ctx, wal_problem_gradient(made.problem, theta, &value, gradient));
      WAL_ASSERT_ALL(ctx, same(&value, &mean, 1) && same(gradient, expected, count));
    }
    WAL_ASSERT_OK(ctx, wal_problem_evaluate(made.problem, theta, &other));
    WAL_ASSERT_ALL(ctx, equilibrium || same(&other, &mean, 1));
  }
  free(theta);
  free(gradient);
  free(expected);
  drop(&made);
}

static void test_mean(void **state) {
  (void)state;
  wal_ctx *ctx = NULL, *alone = NULL;
  assert_int_equal(wal_ctx_create(MPI_COMM_WORLD, SEED, &ctx), WAL_OK);
  assert_int_equal(wal_ctx_create(MPI_COMM_SELF, SEED, &alone), WAL_OK);
  for (int batch = 1; batch <= 5; batch += 2) check_mean(ctx, alone, batch, false);
  check_mean(ctx, alone, 2, true);
  assert_true(wal_ctx_seed(ctx) == SEED);
  wal_ctx_destroy(&alone);
  wal_ctx_destroy(&ctx);
}

/* Those of held-out games are the same whatever the seed, and the start is the seed's. */
static void test_held_out(void **state) {
  (void)state;
  double first_start[2];
  wal_assessment found[2], one;
  const wal_response response = response_of("amid");
  double *theta = NULL;
  for (int i = 0; i < 2; i++) {
    wal_ctx *ctx = NULL, *alone = NULL;
    drawn made;
    assert_int_equal(wal_ctx_create(MPI_COMM_WORLD, (uint64_t)(SEED + i), &ctx), WAL_OK);
    assert_int_equal(wal_ctx_create(MPI_COMM_SELF, SEED, &alone), WAL_OK);
    make_auction(ctx, 2, response, &made);
    const size_t bytes = (size_t)wal_problem_count(made.problem) * sizeof *theta;
    first_start[i] = wal_problem_start(made.problem)[0];
    if (i == 0) memcpy(theta = malloc(bytes), wal_problem_start(made.problem), bytes);
    WAL_ASSERT_OK(ctx, wal_problem_assess(made.problem, theta, 20, &found[i]));
    double sum = 0, most = 0, plain = 0, first_flow = NAN;
    for (int draw = 0; draw < HELD_OUT; draw++) {
      wal_test_problem problem;
      make_one(alone, 0, WAL_PURPOSE_DESIGN_HELD_OUT, 0, draw, response, &problem);
      WAL_ASSERT_OK(alone, wal_problem_assess(problem.problem, theta, 20, &one));
      sum += one.objective;
      most = fmax(most, one.exploitability);
      plain = fmax(plain, one.plain_exploitability);
      if (draw == 0) first_flow = one.objective;
      wal_test_problem_free(&problem);
    }
    sum /= HELD_OUT;
    WAL_ASSERT_ALL(ctx, same(&found[i].objective, &sum, 1));
    WAL_ASSERT_ALL(ctx, same(&found[i].exploitability, &most, 1));
    WAL_ASSERT_ALL(ctx, same(&found[i].plain_exploitability, &plain, 1));
    WAL_ASSERT_ALL(ctx, sum != first_flow && wal_problem_learner(made.problem));
    drop(&made);
    wal_ctx_destroy(&alone);
    wal_ctx_destroy(&ctx);
  }
  assert_true(same(&found[0].objective, &found[1].objective, 1));
  assert_true(first_start[0] != first_start[1]);
  free(theta);
}

static void test_gradient(void **state) {
  (void)state;
  static const char *const METHODS[] = {"amid {}", "amid { memory = 'reverse' }",
                                        "implicit { tolerance = 1e-11 }"};
  wal_ctx *ctx = NULL;
  assert_int_equal(wal_ctx_create(MPI_COMM_SELF, SEED, &ctx), WAL_OK);
  for (int i = 0; i < 3; i++) {
    drawn made;
    wal_test_part part;
    wal_method *method = NULL;
    wal_gradient_check found;
    make_auction(ctx, 3, response_of(METHODS[i]), &made);
    WAL_ASSERT_OK(ctx, wal_test_part_make(ctx, "method", METHODS[i], &part));
    WAL_ASSERT_OK(ctx, wal_method_create(made.problem,
                                         wal_method_find(wal_params_component(part.params)->name),
                                         part.params, 0, &method));
    WAL_ASSERT_OK(
        ctx, wal_gradient_check_run(method, method, wal_problem_start(made.problem), 4, &found));
    print_message("  %s: %.1e\n", METHODS[i], found.error);
    assert_true(found.error < 1e-6 && found.norm > 0.01);
    wal_method_destroy(&method);
    wal_test_part_free(&part);
    drop(&made);
  }
  wal_ctx_destroy(&ctx);
}

// ---- Ranks and checkpoints --------------------------------------------------------------------

static const struct {
  const char *method, *optimizer;
} CASES[] = {{"amid {}", "adam { rate = 0.02 }"},
             {"implicit { tolerance = 1e-3 }", "adam { rate = 0.02 }"},
             {"zeroth_order { directions = 2 }", "adam { rate = 0.02 }"},
             {"anneal { sigma = 0.1 }", NULL}};
enum { CASE_COUNT = sizeof CASES / sizeof CASES[0], STOP = 2 };

typedef struct work {
  wal_ctx *ctx;
  drawn drawn;
  wal_test_problem view; /* the same, for wal_test_design_make() */
  wal_test_design made;
  bool stops;
} work;

static void begin(work *w, MPI_Comm comm, int index) {
  const wal_design_plan plan = {.steps = STEPS, .every = 2, .iterations = 10};
  *w = (work){0};
  assert_int_equal(wal_ctx_create(comm, SEED, &w->ctx), WAL_OK);
  make_auction(w->ctx, BATCH, response_of(CASES[index].method), &w->drawn);
  w->view.problem = w->drawn.problem;
  WAL_ASSERT_OK(w->ctx, wal_test_design_make(w->ctx, &w->view, CASES[index].method,
                                             CASES[index].optimizer, plan, &w->made));
}

static void end(work *w) {
  wal_test_design_free(&w->made);
  drop(&w->drawn);
  wal_ctx_destroy(&w->ctx);
}

static wal_status stop_there(void *user, bool *stop) {
  const work *w = user;
  *stop = w->stops && w->made.design->step == STOP;
  return WAL_OK;
}

static wal_status go(work *w) {
  const wal_design_watch watch = {.pause = stop_there, .user = w};
  return wal_design_run(w->made.design, &watch);
}

static bool same_design(const wal_design *a, const wal_design *b) {
  bool equal = a->row_count == b->row_count && a->best == b->best &&
               same(a->theta, b->theta, a->count) && same(a->best_theta, b->best_theta, a->count);
  for (int64_t i = 0; equal && i < a->row_count; i++) {
    wal_design_row x = a->rows[i], y = b->rows[i];
    x.seconds = y.seconds = 0;
    equal = memcmp(&x, &y, sizeof x) == 0;
  }
  return equal;
}

static void save(work *w, const char *run) {
  wal_state state = wal_state_start(w->ctx);
  const wal_checkpoint_head head = {.task = "design",
                                    .source = "",
                                    .resolved = "{}",
                                    .scenario_file = "",
                                    .seed = SEED,
                                    .iteration = STOP};
  w->stops = true;
  WAL_ASSERT_STATUS(w->ctx, WAL_ESTOPPED, go(w));
  wal_design_declare(w->made.design, &state);
  WAL_ASSERT_OK(w->ctx, wal_checkpoint_write(run, &head, &state));
}

static void load(work *w, const char *run) {
  char path[WAL_CHECKPOINT_PATH];
  wal_state state = wal_state_start(w->ctx);
  wal_design_declare(w->made.design, &state);
  WAL_ASSERT_OK(w->ctx, wal_checkpoint_read(wal_checkpoint_name(run, STOP, path), &state));
  assert_int_equal(w->made.design->step, STOP);
}

/* Begun by one set of ranks, ended by another. */
static void hand_over(wal_ctx *world, MPI_Comm from, MPI_Comm to, int index,
                      const wal_design *expected) {
  char run[64];
  work now;
  const bool alone_from = from == MPI_COMM_SELF, alone_to = to == MPI_COMM_SELF;
  snprintf(run, sizeof run, "draws_%d_%d_%d.h5", index, wal_ctx_size(world), alone_from);
  bool equal = true;
  if (!alone_from || wal_ctx_rank(world) == 0) {
    begin(&now, from, index);
    save(&now, run);
    end(&now);
  }
  WAL_ASSERT_OK(world, wal_agree(world, WAL_OK));  // it is written
  if (!alone_to || wal_ctx_rank(world) == 0) {
    begin(&now, to, index);
    load(&now, run);
    WAL_ASSERT_OK(now.ctx, go(&now));
    equal = same_design(now.made.design, expected);
    end(&now);
  }
  WAL_ASSERT_ALL(world, equal);
  wal_checkpoint_remove_all(world, run);
}

static void test_ranks(void **state) {
  (void)state;
  wal_ctx *world = NULL;
  assert_int_equal(wal_ctx_create(MPI_COMM_WORLD, SEED, &world), WAL_OK);
  for (int i = 0; i < CASE_COUNT; i++) {
    work alone, all;
    print_message("  %s\n", CASES[i].method);
    begin(&alone, MPI_COMM_SELF, i);
    WAL_ASSERT_OK(alone.ctx, go(&alone));
    const wal_design *d = alone.made.design;
    assert_int_equal(d->row_count, STEPS + 1);
    assert_true(d->best % 2 == 0 || d->best == STEPS);
    begin(&all, MPI_COMM_WORLD, i);
    WAL_ASSERT_OK(all.ctx, go(&all));
    WAL_ASSERT_ALL(all.ctx, same_design(all.made.design, d));
    end(&all);
    hand_over(world, MPI_COMM_SELF, MPI_COMM_WORLD, i, d);
    hand_over(world, MPI_COMM_WORLD, MPI_COMM_SELF, i, d);
    end(&alone);
  }
  wal_ctx_destroy(&world);
}

/* With nothing assessed, rows of different games say little of what is best: the last one is. */
static void test_unassessed(void **state) {
  (void)state;
  wal_ctx *ctx = NULL;
  drawn made;
  wal_test_design design;
  const wal_design_plan plan = {.steps = STEPS};
  assert_int_equal(wal_ctx_create(MPI_COMM_WORLD, SEED, &ctx), WAL_OK);
  make_auction(ctx, 2, response_of("amid"), &made);
  const wal_test_problem view = {.problem = made.problem};
  WAL_ASSERT_OK(ctx,
                wal_test_design_make(ctx, &view, "amid {}", "sgd { rate = 0.1 }", plan, &design));
  WAL_ASSERT_OK(ctx, wal_design_run(design.design, NULL));
  assert_int_equal(design.design->best, STEPS);
  wal_test_design_free(&design);
  drop(&made);
  wal_ctx_destroy(&ctx);
}

// ---- Failures ---------------------------------------------------------------------------------

/* Tells of the first game that failed, in the same words on all ranks and numbers of ranks. */
static void check_failure(bool in_assessment, wal_status expected, const char *game) {
  wal_ctx *ctx[2] = {NULL, NULL};
  const wal_response wild = {.rate = 30, .entropy = 0.01, .iterations = 10};
  assert_int_equal(wal_ctx_create(MPI_COMM_SELF, SEED, &ctx[0]), WAL_OK);
  assert_int_equal(wal_ctx_create(MPI_COMM_WORLD, SEED, &ctx[1]), WAL_OK);
  for (int i = 0; i < 2; i++) {
    drawn made;
    wal_assessment found = {.objective = NAN};
    double value;
    make(ctx[i],
         "game = predator_prey { toll = toll{} }, objective = congestion {}, "
         "draw = { ['toll.max'] = {0.1, 1} }, batch = 3",
         wild, &made);
    const double *theta = wal_problem_start(made.problem);
    double *gradient = calloc((size_t)wal_problem_count(made.problem), sizeof *gradient);
    wal_problem_draw(made.problem, 0, 7);
    WAL_ASSERT_OK(ctx[i], wal_problem_differentiate_equilibrium(made.problem, 1e-12, 0, 3));
    WAL_ASSERT_STATUS(ctx[i], expected,
                      in_assessment ? wal_problem_assess(made.problem, theta, 30, &found)
                                    : wal_problem_gradient(made.problem, theta, &value, gradient));
    WAL_ASSERT_CONTAINS(wal_ctx_error(ctx[i]), game);
    assert_true(isfinite(found.objective) == in_assessment);
    free(gradient);
    drop(&made);
  }
  print_message("  %s\n", wal_ctx_error(ctx[1]));
  WAL_ASSERT_ALL(ctx[1], strcmp(wal_ctx_error(ctx[0]), wal_ctx_error(ctx[1])) == 0);
  for (int i = 0; i < 2; i++) wal_ctx_destroy(&ctx[i]);
}

static void test_failures(void **state) {
  (void)state;
  check_failure(false, WAL_ENOCONV, "(draw 0 of step 7)");
  check_failure(true, WAL_ENOCONV, "the learner diverges: exploitability ");
  check_failure(true, WAL_ENOCONV, "(held-out draw 0)");
}

// ---- What is drawn ----------------------------------------------------------------------------

static void test_numbers(void **state) {
  (void)state;
  enum { COUNT = 20000, BARS = 5 };
  wal_ctx *ctx = NULL;
  drawn made;
  const wal_response response = response_of("implicit");
  assert_int_equal(wal_ctx_create(MPI_COMM_SELF, SEED, &ctx), WAL_OK);
  make_auction(ctx, 1, response, &made);
  const wal_draws *draws = wal_problem_draws(made.problem);
  assert_int_equal(draws->count, 1);
  double sum = 0, square = 0, products = 0, last = 0.9;
  for (int64_t step = 0; step < COUNT; step++) {
    const wal_draw_key key = wal_draw_of_step(ctx, 0, step, 0);
    const double x = wal_draws_number(draws, &key, 0);
    assert_true(x >= 0.6 && x <= 1.2);
    assert_true(x == wal_draws_number(draws, &key, 0));
    const wal_draw_key other[] = {wal_draw_of_step(ctx, 0, step, 1),
                                  wal_draw_of_step(ctx, 0, step + 1, 0),
                                  wal_draw_of_step(ctx, 1, step, 0),
                                  {.seed = SEED + 1, .purpose = key.purpose, .step = step},
                                  wal_draw_held_out(step)};
    for (int i = 0; i < 5; i++) assert_true(wal_draws_number(draws, &other[i], 0) != x);
    sum += x;
    square += (x - 0.9) * (x - 0.9);
    products += (x - 0.9) * (last - 0.9);
    last = x;
  }
  // Uniform on an interval of length 0.6: variance 0.03. Five standard errors.
  WAL_ASSERT_WITHIN(sum / COUNT, 0.9, 5 * sqrt(0.03 / COUNT));
  WAL_ASSERT_WITHIN(square / COUNT, 0.03, 5 * sqrt(pow(0.6, 4) / 180 / COUNT));
  WAL_ASSERT_WITHIN(products / COUNT, 0, 5 * 0.03 / sqrt(COUNT));
  drop(&made);

  make(ctx,
       "game = batched_auction { rounds = 1, values = 4, bids = 4, mechanism = neural { hidden = 2 "
       "} }, objective = revenue {}, draw = { [\"mechanism.seed\"] = {3, 7}, goods = {0.5, 0.5} }",
       response, &made);
  draws = wal_problem_draws(made.problem);
  int64_t seen[BARS] = {0};
  for (int64_t step = 0; step < COUNT; step++) {
    const wal_draw_key key = wal_draw_of_step(ctx, 0, step, 0);
    const double whole = wal_draws_number(draws, &key, 1);
    assert_true(wal_draws_number(draws, &key, 0) == 0.5);
    assert_true(whole >= 3 && whole <= 7 && whole == floor(whole));
    seen[(int)whole - 3]++;
  }
  for (int i = 0; i < BARS; i++)
    WAL_ASSERT_WITHIN((double)seen[i] / COUNT, 0.2, 5 * sqrt(0.16 / COUNT));
  drop(&made);
  wal_ctx_destroy(&ctx);
}

/* The parameters stand as they were written when nothing is being drawn. */
static void test_restored(void **state) {
  (void)state;
  wal_ctx *ctx = NULL;
  drawn made;
  double value;
  assert_int_equal(wal_ctx_create(MPI_COMM_SELF, SEED, &ctx), WAL_OK);
  make_auction(ctx, 2, response_of("amid"), &made);
  WAL_ASSERT_OK(ctx, wal_problem_evaluate(made.problem, wal_problem_start(made.problem), &value));
  const wal_params *game = wal_params_child(made.task.params, "game");
  assert_true(wal_params_real(game, "goods") == 0.8);
  assert_true(wal_ctx_seed(ctx) == SEED);
  drop(&made);
  wal_ctx_destroy(&ctx);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_mean),       cmocka_unit_test(test_held_out),
    cmocka_unit_test(test_gradient),   cmocka_unit_test(test_ranks),
    cmocka_unit_test(test_unassessed), cmocka_unit_test(test_numbers),
    cmocka_unit_test(test_restored),   cmocka_unit_test(test_failures)};
WAL_TEST_MAIN(tests)
