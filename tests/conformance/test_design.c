// SPDX-License-Identifier: GPL-3.0-or-later
/* A design is the same bits on any number of ranks, and with every method: stopped after any step,
 * written, made anew with its arrays full of NaN, read back on other ranks and gone on, it ends as
 * an undisturbed one. A new method is tested as soon as it is listed. */
#include <math.h>
#include <stdlib.h>

#include "io/checkpoint.h"
#include "tests/support/make_design.h"

enum { SEED = 4, STEPS = 4 };

static const char BEACH[] = "beach_bar { states = 21, bar = 7, horizon = 4, toll = toll{} }";

static const struct {
  const char *game, *objective, *method, *optimizer;
} CASES[] = {
    {BEACH, "congestion {}", "amid {}", "adam { rate = 0.1, decay = 0.5 }"},
    {BEACH, "congestion {}", "amid { memory = 'reverse' }", "sgd { rate = 3 }"},
    {BEACH, "congestion {}", "implicit { tolerance = 1e-6 }", "adam { rate = 0.1 }"},
    {BEACH, "congestion {}", "zeroth_order { directions = 2 }", "adam { rate = 0.1 }"},
    {BEACH, "congestion {}", "anneal { sigma = 0.1 }", NULL},
    {"batched_auction { rounds = 2, values = 19, bids = 13, goods = 0.8,"
     "  mechanism = neural { hidden = 6, seed = 3, precision = 'double' } }",
     "revenue {}", "amid { memory = 'full' }", "adam { rate = 0.01 }"},
};
enum { CASE_COUNT = sizeof CASES / sizeof CASES[0] };

typedef struct work {
  wal_ctx *ctx;
  wal_test_problem problem;
  wal_test_design made;
  int64_t stop_at; /* step before which to stop; -1: none */
} work;

static void begin(work *w, MPI_Comm comm, int index, int64_t every) {
  const wal_space_options layout = {.block = 8};
  const wal_response response = {.rate = 0.5, .entropy = 0.1, .iterations = 12};
  const wal_design_plan plan = {.steps = STEPS, .every = every, .iterations = 15, .restart = 2};
  *w = (work){.stop_at = -1};
  assert_int_equal(wal_ctx_create(comm, SEED, &w->ctx), WAL_OK);
  WAL_ASSERT_OK(w->ctx, wal_test_problem_make(w->ctx, CASES[index].game, CASES[index].objective,
                                              response, &layout, &w->problem));
  WAL_ASSERT_OK(w->ctx, wal_test_design_make(w->ctx, &w->problem, CASES[index].method,
                                             CASES[index].optimizer, plan, &w->made));
}

static void end(work *w) {
  wal_test_design_free(&w->made);
  wal_test_problem_free(&w->problem);
  wal_ctx_destroy(&w->ctx);
}

static wal_status stop_there(void *user, bool *stop) {
  const work *w = user;
  *stop = w->made.design->step == w->stop_at;
  return WAL_OK;
}

static wal_status go(work *w) {
  const wal_design_watch watch = {.pause = stop_there, .user = w};
  return wal_design_run(w->made.design, &watch);
}

static bool same(const double *a, const double *b, int64_t count) {
  return count == 0 || memcmp(a, b, (size_t)count * sizeof *a) == 0;
}

static bool same_design(const wal_design *a, const wal_design *b) {
  bool equal = a->count == b->count && a->row_count == b->row_count && a->best == b->best &&
               a->step == b->step && same(a->theta, b->theta, a->count) &&
               same(a->good_theta, b->good_theta, a->count) &&
               same(a->best_theta, b->best_theta, a->count);
  for (int64_t i = 0; equal && i < a->row_count; i++) {
    wal_design_row x = a->rows[i], y = b->rows[i];
    x.seconds = y.seconds = 0;
    equal = memcmp(&x, &y, sizeof x) == 0;
  }
  return equal;
}

static void check_rows(const wal_design *d, int64_t every) {
  assert_int_equal(d->row_count, STEPS + 1);
  assert_int_equal(d->done, 1);
  for (int64_t k = 0; k <= STEPS; k++) {
    const wal_design_row *row = &d->rows[k];
    const bool assessed = every > 0 && (k % every == 0 || k == STEPS);
    assert_int_equal(row->step, k);
    assert_true(isfinite(row->objective));
    assert_true(isnan(row->assessed) == !assessed);
    assert_true(isnan(row->exploitability) == !assessed);
    assert_true(isnan(row->plain_exploitability) == !assessed);
    assert_true(isnan(row->gradient_norm) == (k == STEPS || d->plan.method->moves));
    if (assessed) assert_true(row->assessed <= wal_design_best_objective(d));
  }
}

static void fill(double *values, int64_t count) {
  for (int64_t i = 0; i < count; i++) values[i] = NAN;
}

/* What a design begins with is nothing that one going on may use. */
static void poison(work *w) {
  wal_design *d = w->made.design;
  fill(d->theta, d->count);
  fill(d->good_theta, d->count);
  fill(d->best_theta, d->count);
  fill(d->next_theta, d->count);
  fill(d->direction, d->count);
  fill(d->method->memory, d->method->memory_count);
  if (d->optimizer) fill(d->optimizer->memory, d->optimizer->memory_count);
  if (d->optimizer) d->optimizer->steps = -77;
  d->step = d->best = d->done = -77;
}

static void save(work *w, const char *run) {
  wal_state state = wal_state_start(w->ctx);
  const wal_checkpoint_head head = {.task = "design",
                                    .source = "",
                                    .resolved = "{}",
                                    .scenario_file = "",
                                    .seed = SEED,
                                    .iteration = w->made.design->step};
  wal_design_declare(w->made.design, &state);
  WAL_ASSERT_OK(w->ctx, wal_checkpoint_write(run, &head, &state));
}

static void load(work *w, const char *run, int64_t step) {
  char path[WAL_CHECKPOINT_PATH];
  wal_state state = wal_state_start(w->ctx);
  poison(w);
  wal_design_declare(w->made.design, &state);
  WAL_ASSERT_OK(w->ctx, wal_checkpoint_read(wal_checkpoint_name(run, step, path), &state));
  assert_int_equal(w->made.design->step, step);
}

static void check_case(int index, int64_t every) {
  char run[64];
  work alone, now;
  begin(&alone, MPI_COMM_SELF, index, every);
  WAL_ASSERT_OK(alone.ctx, go(&alone));
  check_rows(alone.made.design, every);
  for (int64_t stop = 1; stop <= STEPS; stop++) {
    begin(&now, MPI_COMM_WORLD, index, every);
    snprintf(run, sizeof run, "design_%d_%d.h5", index, wal_ctx_size(now.ctx));
    now.stop_at = stop;
    WAL_ASSERT_STATUS(now.ctx, WAL_ESTOPPED, go(&now));
    save(&now, run);
    end(&now);
    begin(&now, MPI_COMM_WORLD, index, every);
    load(&now, run, stop);
    WAL_ASSERT_OK(now.ctx, go(&now));
    WAL_ASSERT_ALL(now.ctx, same_design(now.made.design, alone.made.design));
    wal_checkpoint_remove_all(now.ctx, run);
    end(&now);
  }
  end(&alone);
}

static void test_every_method(void **state) {
  (void)state;
  for (int64_t i = 0; i < wal_method_count(); i++) {
    bool tried = false;
    for (int j = 0; j < CASE_COUNT; j++)
      tried = tried || strncmp(CASES[j].method, wal_method_at(i)->component.name,
                               strlen(wal_method_at(i)->component.name)) == 0;
    assert_true(tried);
  }
  for (int i = 0; i < CASE_COUNT; i++) {
    print_message("  %s\n", CASES[i].method);
    check_case(i, 2);
  }
  check_case(0, 0);
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_method)};
WAL_TEST_MAIN(tests)
