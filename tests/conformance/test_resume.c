// SPDX-License-Identifier: GPL-3.0-or-later
/* Nothing that a solve needs to go on is forgotten by its checkpoints: stopped after every
 * iteration, written, everything thrown away and made anew with its arrays full of NaN, read back
 * (on another number of ranks, too) and gone on, it ends with the bits of an undisturbed solve on
 * one rank. A new learner is tested as soon as it is listed. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/checkpoint.h"
#include "sim/core/memory.h"
#include "sim/learn/solve.h"
#include "tests/conformance/settings.h"

enum { STEPS = 4, SEED = 3 };

/* Parameters with which a learner uses all of its state; one of no row has its defaults. */
static const struct {
  const char *name, *fields;
} RULES[] = {
    {"mirror_descent", ""},
    {"mirror_descent", "rate = 0.3, entropy = 0.05"},
    {"fictitious_play", ""},
    {"fictitious_play", "rate = 0.2, temperature = 0.1, ties = 'first'"},
    {"prior_descent", "inner = 3"},
    {"prior_descent", "inner = 0, rate = 0.3"},
    {"fixed_point", "temperature = 0.5"},
    {"fixed_point", "ties = 'first'"},
    {"boltzmann", "rate = 0.7"},
};
enum { RULE_COUNT = sizeof RULES / sizeof RULES[0] };

/* One block; several, with other ranks' states in moves; illegal actions; populations; functions;
 * an auction with drift and re-entry and a learnt mechanism; logits that remember. */
static const struct {
  const char *text;
  int64_t block;
} GAMES[] = {
    {"return left_right {}", 0},
    {"return crowd_motion { rows = 6, columns = 7, horizon = 4 }", 8},
    {"return evacuation {}", 8},
    {"return predator_prey { horizon = 3 }", 8},
    {"return batched_auction { rounds = 3, values = 23, bids = 17, goods = 1.1,"
     "  prior = geometric { ratio = 0.9 }, drift = gaussian { slope = 1.2, width = 0.2 },"
     "  reentry = 0.3, unsold = 'returned', mechanism = neural { hidden = 7, seed = 3 } }",
     8},
};
enum { GAME_COUNT = sizeof GAMES / sizeof GAMES[0] };

/* A solve with what it is made from. */
typedef struct work {
  wal_ctx *ctx;
  wal_test_game made;
  wal_scenario *rule;
  wal_params *params;
  wal_space *space;
  wal_learner *learner;
  wal_trace trace;
  int64_t stop_at; /* iteration before which to stop; -1: none */
} work;

static void begin(work *w, MPI_Comm comm, int game, const char *name, const char *fields) {
  char text[256];
  const wal_space_options options = {.block = GAMES[game].block};
  *w = (work){.stop_at = -1};
  assert_int_equal(wal_ctx_create(comm, SEED, &w->ctx), WAL_OK);
  wal_ctx *ctx = w->ctx;
  snprintf(text, sizeof text, "return %s { %s }", name, fields);
  WAL_ASSERT_OK(ctx, wal_test_game_script(ctx, GAMES[game].text, &w->made));
  WAL_ASSERT_OK(
      ctx, wal_scenario_parse(ctx, "test.lua", text, strlen(text), wal_catalogue_all(), &w->rule));
  const wal_learner_type *type = wal_learner_find(name);
  WAL_ASSERT_OK(ctx, wal_params_resolve(ctx, "test.lua", &type->component,
                                        wal_scenario_root(w->rule), NULL, &w->params));
  WAL_ASSERT_OK(ctx, wal_space_create(ctx, &w->made.game, &options, &w->space));
  WAL_ASSERT_OK(ctx, wal_learner_create(w->space, type, w->params, &w->learner));
}

static void end(work *w) {
  wal_trace_free(w->ctx, &w->trace);
  wal_learner_destroy(&w->learner);
  wal_space_destroy(&w->space);
  wal_params_destroy(&w->params);
  wal_scenario_destroy(&w->rule);
  wal_test_game_destroy(w->ctx, &w->made);
  wal_ctx_destroy(&w->ctx);
}

static wal_status stop_there(void *user, bool *stop) {
  const work *w = user;
  *stop = w->trace.next == w->stop_at;
  return WAL_OK;
}

static wal_status go(work *w, const wal_stop *stop) {
  const wal_solve_watch watch = {.pause = stop_there, .user = w};
  return wal_solve(w->learner, stop, &watch, &w->trace);
}

static void fill(double *values, int64_t count) {
  for (int64_t i = 0; values && i < count; i++) values[i] = NAN;
}

/* What a solve begins with is nothing that one going on may use. */
static void poison(work *w) {
  wal_learner *l = w->learner;
  const int64_t stages = w->made.game.shape.horizon;
  wal_learner_restored(l); /* no memo of the policy is right any more */
  fill(l->policy.values, stages * w->space->pairs);
  fill(l->prior, stages * w->space->pairs);
  for (int h = 0; h < stages; h++) {
    const int64_t own = w->space->states.count;
    fill(wal_values_kept(&l->values, h), own);
    if (h > 0) fill(wal_flow_mass(&l->flow, h), own); /* stage 0 is the game's, for good */
    if (h > 0 && l->response.space) fill(wal_flow_mass(&l->response, h), own);
  }
  l->steps = -77;
  w->trace.next = w->trace.careful = w->trace.best = -77;
}

static void save(work *w, const char *run) {
  wal_state state = wal_state_start(w->ctx);
  const wal_checkpoint_head head = {.task = "solve",
                                    .source = "",
                                    .resolved = "{}",
                                    .scenario_file = "",
                                    .seed = SEED,
                                    .iteration = w->trace.next};
  wal_solve_declare(w->learner, &w->trace, &state);
  assert_true(wal_state_bytes(&state) > 0);
  WAL_ASSERT_OK(w->ctx, wal_checkpoint_write(run, &head, &state));
}

static void load(work *w, const char *run, int64_t iteration) {
  char path[WAL_CHECKPOINT_PATH];
  wal_state state = wal_state_start(w->ctx);
  poison(w);
  wal_solve_declare(w->learner, &w->trace, &state);
  WAL_ASSERT_OK(w->ctx, wal_checkpoint_read(wal_checkpoint_name(run, iteration, path), &state));
  wal_learner_restored(w->learner);
  assert_int_equal(w->trace.next, iteration);
}

static bool same(const double *a, const double *b, int64_t count) {
  return count == 0 || memcmp(a, b, (size_t)count * sizeof *a) == 0;
}

static bool same_row(const wal_measure *a, const wal_measure *b) {
  return a->iteration == b->iteration && a->populations == b->populations &&
         same(&a->exploitability, &b->exploitability, 1) &&
         same(&a->soft_exploitability, &b->soft_exploitability, 1) &&
         same(&a->value, &b->value, 1) &&
         same(a->exploitability_of, b->exploitability_of, a->populations) &&
         same(a->value_of, b->value_of, a->populations);
}

static bool same_trace(const wal_trace *a, const wal_trace *b) {
  bool equal = a->count == b->count && a->best == b->best && a->converged == b->converged &&
               a->next == b->next && a->careful == b->careful;
  for (int64_t i = 0; equal && i < a->count; i++) equal = same_row(&a->rows[i], &b->rows[i]);
  for (int64_t i = 1; equal && i < a->count; i++) equal = a->seconds[i] >= a->seconds[i - 1];
  return equal;
}

/* The own states' part of a solution against that of a rank that has all states. */
static bool same_solution(const work *mine, const work *alone) {
  const wal_shape *shape = &mine->made.game.shape;
  const wal_partition *own = &mine->space->states;
  double *part = malloc(sizeof *part * (size_t)(own->count * shape->actions + 1));
  double *whole = malloc(sizeof *whole * (size_t)(shape->states * shape->actions));
  bool equal = part && whole && mine->learner->steps == alone->learner->steps;
  for (int h = 0; equal && h < shape->horizon; h++) {
    wal_policy_export(&mine->learner->policy, h, part);
    wal_policy_export(&alone->learner->policy, h, whole);
    equal = same(part, whole + own->first * shape->actions, own->count * shape->actions) &&
            same(wal_flow_mass(&mine->learner->flow, h),
                 wal_flow_mass(&alone->learner->flow, h) + own->first, own->count) &&
            same(wal_values_kept(&mine->learner->values, h),
                 wal_values_kept(&alone->learner->values, h) + own->first, own->count);
  }
  free(part);
  free(whole);
  return equal;
}

/* Who writes, and who reads: all ranks, or each rank alone (rank 0's files are then used). */
typedef enum way { ALL_TO_ALL, ONE_TO_ALL, ALL_TO_ONE, WAYS } way;

/* Stops before iteration k, goes on in new objects, compares. */
static void interrupt(const work *alone, int game, const char *name, const char *fields,
                      const wal_stop *stop, int64_t k, way how) {
  work first, second;
  char run[64] = "resume.h5";
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  if (how == ONE_TO_ALL && rank > 0) snprintf(run, sizeof run, "other-%d.h5", rank);
  begin(&first, how == ONE_TO_ALL ? MPI_COMM_SELF : MPI_COMM_WORLD, game, name, fields);
  first.stop_at = k;
  WAL_ASSERT_STATUS(first.ctx, WAL_ESTOPPED, go(&first, stop));
  save(&first, run);
  end(&first);
  MPI_Barrier(MPI_COMM_WORLD);
  begin(&second, how == ALL_TO_ONE ? MPI_COMM_SELF : MPI_COMM_WORLD, game, name, fields);
  load(&second, "resume.h5", k);
  WAL_ASSERT_OK(second.ctx, go(&second, stop));
  const bool equal = same_trace(&second.trace, &alone->trace) && same_solution(&second, alone);
  if (!equal)
    fprintf(stderr, "%s { %s }, game %d: differs if stopped before iteration %lld (way %d)\n", name,
            fields, game, (long long)k, (int)how);
  WAL_ASSERT_ALL(second.ctx, equal);
  MPI_Barrier(MPI_COMM_WORLD);
  wal_checkpoint_remove_all(alone->ctx, run);
  end(&second);
  MPI_Barrier(MPI_COMM_WORLD);
}

/* Of how many iterations one is stopped at. All on one rank; on 2 and 3 ranks it is the
 * one half and the other. Every checkpoint waits for the disk. */
static int stride(void) {
  enum { FEW = 4 };
  int ranks = 0;
  const char *sanitized = getenv("WALRAS_SANITIZED");
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  if (ranks > FEW || (sanitized && strcmp(sanitized, "1") == 0)) return STEPS;
  return ranks > 1 ? 2 : 1;
}

/* Stops at every iteration, or some. */
static void check(int game, const char *name, const char *fields, const wal_stop *stop) {
  const int each = stride();
  int ranks = 0;
  work alone;
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  begin(&alone, MPI_COMM_SELF, game, name, fields);
  WAL_ASSERT_OK(alone.ctx, go(&alone, stop));
  const int64_t last = alone.trace.rows[alone.trace.count - 1].iteration;
  for (int64_t k = 1; k <= last; k++) {
    if ((k + game + ranks) % each != 0) continue;
    interrupt(&alone, game, name, fields, stop, k, (way)((k + game) % WAYS));
  }
  end(&alone);
}

static void every_learner_goes_on(void **state) {
  (void)state;
  const wal_stop stop = {.iterations = STEPS, .every = 2};
  for (int64_t i = 0; i < wal_learner_count(); i++) {
    const char *name = wal_learner_at(i)->component.name;
    bool listed = false;
    for (int r = 0; r < RULE_COUNT; r++) {
      if (strcmp(RULES[r].name, name) != 0) continue;
      listed = true;
      for (int g = 0; g < GAME_COUNT; g++) check(g, name, RULES[r].fields, &stop);
    }
    for (int g = 0; !listed && g < GAME_COUNT; g++) check(g, name, "", &stop);
  }
}

/* A tolerance that is met by an iterate and lost by the next: the solve is careful in between. */
static void a_tolerance_that_is_lost_again(void **state) {
  (void)state;
  const char *name = "fixed_point", *fields = "temperature = 0.02";
  const wal_stop all = {.iterations = 9, .every = 1};
  int found = 0;
  for (int g = 0; g < GAME_COUNT; g++) {
    work w;
    double tolerance = 0;
    begin(&w, MPI_COMM_SELF, g, name, fields);
    WAL_ASSERT_OK(w.ctx, go(&w, &all));
    for (int64_t k = 1; k + 1 < w.trace.count && tolerance == 0; k++) {
      const double now = w.trace.rows[k].exploitability;
      if (now < 0.999 * w.trace.rows[k - 1].exploitability &&
          w.trace.rows[k + 1].exploitability > 1.001 * now)
        tolerance = now * 1.0001;
    }
    end(&w);
    if (tolerance == 0) continue;
    found++;
    const wal_stop lost = {.iterations = 9, .absolute = tolerance, .every = 1};
    const wal_stop seldom = {.iterations = 9, .absolute = tolerance, .every = 3};
    check(g, name, fields, &lost);
    check(g, name, fields, &seldom);
  }
  assert_true(found > 0);
}

int main(int argc, char **argv) {
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_learner_goes_on),
      cmocka_unit_test(a_tolerance_that_is_lost_again),
  };
  wal_test_begin(&argc, &argv);
  return wal_test_end(cmocka_run_group_tests(tests, NULL, NULL));
}
