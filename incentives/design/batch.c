// SPDX-License-Identifier: GPL-3.0-or-later
#include "incentives/design/batch.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "incentives/design/draws.h"
#include "sim/core/memory.h"

enum { FIGURES = 4 };  // of an assessment

struct wal_batch {
  wal_ctx *ctx, *group;
  wal_problem_parts parts;  /* of one game */
  wal_space_options layout; /* parts has it, if one is given */
  wal_draws *draws;
  int64_t count;           /* parameters */
  int64_t games, held_out; /* of a step; of an assessment */
  int groups, own;
  int64_t restart, step;
  wal_batch_derivatives how;
  wal_problem *problem;   /* of the game made last; NULL: none */
  wal_draw_key key;       /* which that is */
  bool ready;             /* it has been made ready for gradients */
  double *found;          /* [games] objectives, or [held_out][FIGURES] */
  double *equilibria;     /* [games][EQUILIBRIUM]: how the last gradients' were found */
  wal_implicit_work work; /* of these */
  double *gradients;      /* [own games][count] */
  double *scratch;        /* [count] */
};

/* Group g has the games first(n, g) .. first(n, g + 1) - 1 of n. */
static int64_t first(const wal_batch *b, int64_t n, int64_t group) { return n * group / b->groups; }

/* The first rank of a group: the least r with r * groups / ranks = group. */
static int leader(const wal_batch *b, int64_t group) {
  const int64_t ranks = wal_ctx_size(b->ctx);
  return (int)((group * ranks + b->groups - 1) / b->groups);
}

static int64_t own_first(const wal_batch *b, int64_t n) { return first(b, n, b->own); }
static int64_t own_end(const wal_batch *b, int64_t n) { return first(b, n, b->own + 1); }

int64_t wal_batch_turns(const wal_batch *b) { return (b->games + b->groups - 1) / b->groups; }

// ---- Made -------------------------------------------------------------------------------------

enum { STEPS, PRODUCTS, RESIDUAL, FOUND, EQUILIBRIUM };

static wal_status acquire(wal_batch *b) {
  WAL_TRY(wal_acquire(b->ctx, "batch", b->games * EQUILIBRIUM, sizeof(double), &b->equilibria));
  const int64_t own = own_end(b, b->games) - own_first(b, b->games);
  const int64_t figures = b->held_out * FIGURES;
  WAL_TRY(wal_acquire(b->ctx, "batch", b->games > figures ? b->games : figures, sizeof(double),
                      &b->found));
  WAL_TRY(wal_acquire(b->ctx, "batch", b->count, sizeof(double), &b->scratch));
  int64_t numbers = 0;
  if (!wal_multiply(own, b->count, &numbers)) numbers = INT64_MAX;
  return wal_acquire(b->ctx, "batch", numbers, sizeof(double), &b->gradients);
}

wal_status wal_batch_create(wal_ctx *ctx, const wal_problem_parts *parts, int64_t count,
                            wal_batch **out) {
  wal_batch *b = NULL;
  *out = NULL;
  wal_status status = wal_acquire(ctx, "batch", 1, sizeof *b, &b);
  if (status == WAL_OK) {
    const int64_t ranks = wal_ctx_size(ctx);
    *b = (wal_batch){.ctx = ctx,
                     .parts = *parts,
                     .draws = parts->draws,
                     .count = count,
                     .games = parts->batch,
                     .held_out = parts->held_out,
                     .groups = (int)(ranks < parts->batch ? ranks : parts->batch)};
    b->own = (int)(wal_ctx_rank(ctx) * (int64_t)b->groups / ranks);
    b->parts.draws = NULL;
    if (parts->layout) {
      b->layout = *parts->layout;
      b->parts.layout = &b->layout;
    }
    status = acquire(b);
  }
  status = wal_agree(ctx, status);
  if (status == WAL_OK) status = wal_ctx_split(ctx, b->own, &b->group);
  if (status == WAL_OK)
    *out = b;
  else
    wal_batch_destroy(&b);
  return status;
}

void wal_batch_destroy(wal_batch **batch) {
  if (!batch || !*batch) return;
  wal_batch *b = *batch;
  wal_ctx *ctx = b->ctx;
  wal_problem_destroy(&b->problem);
  wal_ctx_destroy(&b->group);
  wal_release(ctx, &b->found);
  wal_release(ctx, &b->equilibria);
  wal_release(ctx, &b->scratch);
  wal_release(ctx, &b->gradients);
  wal_release(ctx, batch);
}

void wal_batch_draw(wal_batch *b, int64_t restart, int64_t step) {
  b->restart = restart;
  b->step = step;
}

// ---- One game ---------------------------------------------------------------------------------

static wal_draw_key key_of(const wal_batch *b, int64_t game) {
  return wal_draw_of_step(b->ctx, b->restart, b->step, game);
}

static bool same_key(const wal_draw_key *a, const wal_draw_key *b) {
  return a->seed == b->seed && a->purpose == b->purpose && a->restart == b->restart &&
         a->step == b->step && a->draw == b->draw;
}

/* Makes the group's problem that of a game. @collective in the group */
static wal_status make(wal_batch *b, const wal_draw_key *key) {
  if (b->problem && same_key(&b->key, key)) return WAL_OK;
  wal_problem_destroy(&b->problem);
  b->ready = false;
  wal_draws_begin(b->draws, b->group, key);
  const wal_status status = wal_problem_create(b->group, &b->parts, &b->problem);
  wal_draws_end(b->draws, b->group);
  b->key = *key;
  return status;
}

/* What an equilibrium is looked for from must not depend on which game a rank had before: each one
 * is begun anew. */
static wal_status make_ready(wal_batch *b) {
  const wal_batch_derivatives *how = &b->how;
  if (b->ready && !how->equilibrium) return WAL_OK;
  WAL_TRY(how->equilibrium ? wal_problem_differentiate_equilibrium(b->problem, how->tolerance,
                                                                   how->accepted, how->iterations)
                           : wal_problem_differentiate(b->problem, how->memory));
  b->ready = true;
  return WAL_OK;
}

/* Has the group's failure told in the batch's context, with the game that it is of. */
static wal_status blame(wal_batch *b, wal_status status, const wal_draw_key *key) {
  char game[80];
  if (status == WAL_OK) return WAL_OK;
  if (key->purpose == WAL_PURPOSE_DESIGN_HELD_OUT)
    snprintf(game, sizeof game, "held-out draw %" PRId64, key->draw);
  else
    snprintf(game, sizeof game, "draw %" PRId64 " of step %" PRId64, key->draw, key->step);
  return wal_fail(b->ctx, status, "%s (%s)", wal_ctx_error(b->group), game);
}

wal_status wal_batch_differentiate(wal_batch *b, const wal_batch_derivatives *how) {
  const bool planning = wal_ctx_planning(b->ctx);
  const wal_draw_key key = key_of(b, own_first(b, b->games));
  int64_t bytes = 0;
  b->how = *how;
  b->ready = false;
  wal_status status = make(b, &key);
  if (planning) wal_ctx_plan_begin(b->group);
  if (status == WAL_OK) status = make_ready(b);
  if (planning) {
    if (b->problem) wal_problem_forget_derivatives(b->problem);
    b->ready = false;
    bytes = wal_ctx_plan_end(b->group);
    wal_ctx_count_memory(b->ctx, bytes);  // the group's plans count in the group only
    wal_ctx_count_memory(b->ctx, -bytes);
  }
  if (status != WAL_OK) wal_fail(b->ctx, status, "%s", wal_ctx_error(b->group));
  return wal_agree(b->ctx, status);
}

wal_status wal_batch_plan(wal_batch *b, wal_learner_cost *out) {
  const wal_draw_key key = key_of(b, own_first(b, b->games));
  wal_status status = make(b, &key);
  if (status == WAL_OK) status = wal_problem_plan(b->problem, out);
  return wal_agree(b->ctx, blame(b, status, &key));
}

// ---- All games --------------------------------------------------------------------------------

/* Brings `width` numbers of each of n games from its group to all ranks. @collective */
static wal_status share(wal_batch *b, int64_t n, int64_t width, double *values) {
  for (int64_t g = 0; g < b->groups; g++) {
    const int64_t from = first(b, n, g), end = first(b, n, g + 1);
    WAL_TRY(wal_ctx_share_reals(b->ctx, leader(b, g), (end - from) * width, values + from * width));
  }
  return WAL_OK;
}

static double mean(const double *values, int64_t stride, int64_t count) {
  double sum = 0;
  for (int64_t i = 0; i < count; i++) sum += values[i * stride];
  return sum / (double)count;
}

wal_status wal_batch_evaluate(wal_batch *b, const double *theta, double *out) {
  const int64_t end = own_end(b, b->games);
  wal_status status = WAL_OK;
  for (int64_t i = own_first(b, b->games); i < end && status == WAL_OK; i++) {
    const wal_draw_key key = key_of(b, i);
    status = make(b, &key);
    if (status == WAL_OK) status = wal_problem_evaluate(b->problem, theta, &b->found[i]);
    status = blame(b, status, &key);
  }
  // Games are dealt in their order: the lowest failing rank has the first game that failed.
  WAL_TRY_ALL(b->ctx, status);
  WAL_TRY(share(b, b->games, 1, b->found));
  *out = mean(b->found, 1, b->games);
  return WAL_OK;
}

/* The mean of all games' gradients, one after the other in their order. */
static wal_status add_gradients(wal_batch *b, double *gradient) {
  const int64_t from = own_first(b, b->games), end = own_end(b, b->games);
  memset(gradient, 0, (size_t)b->count * sizeof *gradient);
  for (int64_t g = 0; g < b->groups; g++)
    for (int64_t i = first(b, b->games, g); i < first(b, b->games, g + 1); i++) {
      double *one = i >= from && i < end ? b->gradients + (i - from) * b->count : b->scratch;
      WAL_TRY(wal_ctx_share_reals(b->ctx, leader(b, g), b->count, one));
      for (int64_t j = 0; j < b->count; j++) gradient[j] += one[j];
    }
  for (int64_t j = 0; j < b->count; j++) gradient[j] /= (double)b->games;
  return WAL_OK;
}

static void put_equilibrium(const wal_implicit_work *from, double figure[EQUILIBRIUM]) {
  figure[STEPS] = (double)from->steps;
  figure[PRODUCTS] = (double)from->products;
  figure[RESIDUAL] = from->residual;
  figure[FOUND] = from->found;
}

/* All steps together, and the worst of the games. */
static wal_status share_equilibria(wal_batch *b) {
  wal_implicit_work *work = &b->work;
  *work = (wal_implicit_work){.found = true};
  if (!b->how.equilibrium) return WAL_OK;
  WAL_TRY(share(b, b->games, EQUILIBRIUM, b->equilibria));
  for (int64_t i = 0; i < b->games; i++) {
    const double *figure = b->equilibria + i * EQUILIBRIUM;
    work->steps += (int64_t)figure[STEPS];
    work->products += (int64_t)figure[PRODUCTS];
    work->residual = fmax(work->residual, figure[RESIDUAL]);
    work->found = work->found && figure[FOUND] != 0;
  }
  return WAL_OK;
}

wal_implicit_work wal_batch_equilibria(const wal_batch *b) { return b->work; }

wal_status wal_batch_gradient(wal_batch *b, const double *theta, double *out, double *gradient) {
  const int64_t from = own_first(b, b->games), end = own_end(b, b->games);
  wal_status status = WAL_OK;
  for (int64_t i = from; i < end && status == WAL_OK; i++) {
    const wal_draw_key key = key_of(b, i);
    status = make(b, &key);
    if (status == WAL_OK) status = make_ready(b);
    if (status == WAL_OK)
      status = wal_problem_gradient(b->problem, theta, &b->found[i],
                                    b->gradients + (i - from) * b->count);
    if (status == WAL_OK && b->how.equilibrium) {
      const wal_implicit_work work = wal_problem_equilibrium(b->problem);
      put_equilibrium(&work, b->equilibria + i * EQUILIBRIUM);
    }
    status = blame(b, status, &key);
  }
  WAL_TRY_ALL(b->ctx, status);
  WAL_TRY(share(b, b->games, 1, b->found));
  WAL_TRY(share_equilibria(b));
  WAL_TRY(add_gradients(b, gradient));
  *out = mean(b->found, 1, b->games);
  return WAL_OK;
}

// ---- Held-out games ---------------------------------------------------------------------------

static void put(const wal_assessment *from, double figure[FIGURES]) {
  figure[0] = from->objective;
  figure[1] = from->exploitability;
  figure[2] = from->plain_exploitability;
  figure[3] = from->start_exploitability;
}

static double largest(const double *values, int64_t stride, int64_t count) {
  double most = values[0];
  for (int64_t i = 1; i < count; i++) {
    const double value = values[i * stride];
    if (isnan(value) || value > most) most = value;
    if (isnan(most)) return most;
  }
  return most;
}

wal_status wal_batch_assess(wal_batch *b, const double *theta, int64_t iterations,
                            wal_status outcome, wal_assessment *found) {
  const int64_t n = b->held_out;
  double *const figure = b->found;
  wal_held_failure diverged = {0};
  wal_assessment one;
  wal_status status = WAL_OK;
  const wal_draw_key known = wal_draw_held_out(0);
  if (outcome != WAL_OK) {
    wal_fail(b->ctx, outcome, "%s (held-out draw %" PRId64 ")", wal_ctx_error(b->ctx), known.draw);
    wal_failure_hold(b->ctx, outcome, &diverged);
  }
  for (int64_t i = own_first(b, n); i < own_end(b, n) && status == WAL_OK; i++) {
    const wal_draw_key key = wal_draw_held_out(i);
    put(found, figure + i * FIGURES);
    if (i == 0) continue;
    status = make(b, &key);
    if (status == WAL_OK) status = wal_problem_assess(b->problem, theta, iterations, &one);
    put(&one, figure + i * FIGURES);
    status = blame(b, status, &key);
    if (status != WAL_ENOCONV) continue;
    wal_failure_hold(b->ctx, status, &diverged);  // its figures count all the same
    status = WAL_OK;
  }
  WAL_TRY_ALL(b->ctx, status);
  WAL_TRY(share(b, n, FIGURES, figure));
  *found = (wal_assessment){.objective = mean(figure, FIGURES, n),
                            .exploitability = largest(figure + 1, FIGURES, n),
                            .plain_exploitability = largest(figure + 2, FIGURES, n),
                            .start_exploitability = largest(figure + 3, FIGURES, n)};
  return wal_agree(b->ctx, wal_failure_raise(b->ctx, &diverged));
}
