// SPDX-License-Identifier: GPL-3.0-or-later
#include "incentives/design/design.h"

#include <math.h>
#include <string.h>

#include "sim/core/memory.h"

static wal_ctx *ctx_of(const wal_design *d) { return wal_problem_space(d->problem)->ctx; }

// ---- Made -------------------------------------------------------------------------------------

static wal_status acquire(wal_ctx *ctx, wal_design *d) {
  double **const arrays[] = {&d->theta, &d->good_theta, &d->best_theta, &d->direction,
                             &d->next_theta};
  for (int i = 0; i < 5; i++)
    WAL_TRY(wal_acquire(ctx, "parameters", d->count, sizeof(double), arrays[i]));
  if (!wal_ctx_planning(ctx)) {
    memcpy(d->theta, wal_problem_start(d->problem), (size_t)d->count * sizeof *d->theta);
    memcpy(d->good_theta, d->theta, (size_t)d->count * sizeof *d->theta);
    memcpy(d->best_theta, d->theta, (size_t)d->count * sizeof *d->theta);
  }
  if (d->plan.method->moves) return WAL_OK;
  return wal_optimizer_create(ctx, d->plan.optimizer, d->plan.optimizer_params, d->count,
                              d->plan.steps, &d->optimizer);
}

wal_status wal_design_create(wal_problem *problem, const wal_design_plan *plan, wal_design **out) {
  wal_ctx *ctx = wal_problem_space(problem)->ctx;
  wal_design *d = NULL;
  *out = NULL;
  const wal_game_type *game = wal_problem_game(problem)->type;
  if (wal_problem_count(problem) == 0)
    return wal_fail(ctx, WAL_EINPUT, "%s: there is nothing to design: expected toll = toll{}%s",
                    game->component.name,
                    game->parameters ? " or a mechanism with parameters" : "");
  wal_status status = wal_acquire(ctx, "design", 1, sizeof *d, &d);
  if (status == WAL_OK) {
    *d = (wal_design){.problem = problem, .plan = *plan, .best = -1};
    d->count = d->room = wal_problem_count(problem);
    status = acquire(ctx, d);
  }
  status = wal_agree(ctx, status);
  if (status == WAL_OK)
    status =
        wal_method_create(problem, plan->method, plan->method_params, plan->restart, &d->method);
  if (status == WAL_OK)
    *out = d;
  else
    wal_design_destroy(&d);
  return status;
}

void wal_design_destroy(wal_design **design) {
  if (!design || !*design) return;
  wal_design *d = *design;
  wal_ctx *ctx = ctx_of(d);
  wal_method_destroy(&d->method);
  wal_optimizer_destroy(&d->optimizer);
  wal_release(ctx, &d->theta);
  wal_release(ctx, &d->good_theta);
  wal_release(ctx, &d->best_theta);
  wal_release(ctx, &d->direction);
  wal_release(ctx, &d->next_theta);
  wal_release(ctx, &d->rows);
  wal_release(ctx, design);
}

wal_status wal_design_cost(wal_problem *problem, const wal_design_plan *plan, int64_t *bytes) {
  wal_ctx *ctx = wal_problem_space(problem)->ctx;
  wal_design *d = NULL;
  wal_learner_cost learner;
  wal_ctx_plan_begin(ctx);
  const wal_status status = wal_design_create(problem, plan, &d);
  wal_design_destroy(&d);
  wal_problem_forget_derivatives(problem);
  *bytes = wal_ctx_plan_end(ctx);
  WAL_TRY(status);
  WAL_TRY(wal_problem_plan(problem, &learner));
  *bytes += learner.bytes;
  return WAL_OK;
}

void wal_design_declare(wal_design *d, wal_state *state) {
  wal_state_add_integer(state, "step", &d->step);
  wal_state_add_integer(state, "done", &d->done);
  wal_state_add_integer(state, "best", &d->best);
  wal_state_add_items(state, "parameters", &d->theta, &d->count, &d->room, sizeof *d->theta);
  wal_state_add_items(state, "good_parameters", &d->good_theta, &d->count, &d->room,
                      sizeof *d->good_theta);
  wal_state_add_items(state, "best_parameters", &d->best_theta, &d->count, &d->room,
                      sizeof *d->best_theta);
  wal_state_add_items(state, "trace", &d->rows, &d->row_count, &d->row_room, sizeof *d->rows);
  wal_method_declare(d->method, state);
  if (d->optimizer) wal_optimizer_declare(d->optimizer, state);
}

bool wal_design_settled(const wal_design *d, int64_t row) {
  return d->plan.settled == 0 || d->rows[row].exploitability <= d->plan.settled;
}

double wal_design_best_objective(const wal_design *d) {
  if (d->best < 0) return NAN;
  return d->plan.every > 0 ? d->rows[d->best].assessed : d->rows[d->best].objective;
}

// ---- Steps ------------------------------------------------------------------------------------

/* Of a learner that diverges, too, there are numbers. */
static wal_status assess(wal_design *d, bool last, wal_design_row *row) {
  wal_assessment found;
  if (d->plan.every == 0 || (row->step % d->plan.every != 0 && !last)) return WAL_OK;
  const wal_status status = wal_problem_assess(d->problem, d->theta, d->plan.iterations, &found);
  if (status != WAL_OK && status != WAL_ENOCONV) return status;
  row->assessed = found.objective;
  row->exploitability = found.exploitability;
  row->plain_exploitability = found.plain_exploitability;
  return status;
}

/* What the method finds at theta; the parameters that follow stand in next_theta then. */
static wal_status look_ahead(wal_design *d, bool last, wal_method_result *found) {
  const size_t bytes = (size_t)d->count * sizeof *d->theta;
  memcpy(d->next_theta, d->theta, bytes);
  if (last) {
    *found = (wal_method_result){.gradient_norm = NAN, .residual = NAN, .exact = true};
    wal_problem_draw(d->problem, d->plan.restart, d->step);
    return wal_problem_evaluate(d->problem, d->theta, &found->objective);
  }
  if (d->plan.method->moves) {
    WAL_TRY(wal_method_step(d->method, d->step, d->theta, d->next_theta, found));
  } else {
    WAL_TRY(wal_method_step(d->method, d->step, d->theta, d->direction, found));
    wal_optimizer_step(d->optimizer, d->direction, d->next_theta);
  }
  return WAL_OK;
}

/* @param value  by which the row can become the best one; NaN: it cannot */
static wal_status add_row(wal_design *d, const wal_design_row *row, double value) {
  wal_ctx *ctx = ctx_of(d);
  WAL_TRY_ALL(ctx, wal_grow(ctx, "trace", &d->rows, d->row_count, d->row_count + 1, &d->row_room,
                            sizeof *d->rows));
  d->rows[d->row_count] = *row;
  const double best = wal_design_best_objective(d);
  bool better = !isnan(value) && !(value <= best);
  if (!isnan(value) && d->best >= 0 &&
      wal_design_settled(d, d->row_count) != wal_design_settled(d, d->best))
    better = wal_design_settled(d, d->row_count);
  if (better) {
    d->best = d->row_count;
    memcpy(d->best_theta, d->theta, (size_t)d->count * sizeof *d->theta);
  }
  d->row_count++;
  return WAL_OK;
}

/* Whether the steps are done, or the time is over on any rank. @collective */
static wal_status check_end(wal_design *d, double start, bool *last) {
  int64_t left = d->plan.seconds > 0 ? wal_clock() - start < d->plan.seconds : 1;
  if (d->plan.seconds > 0) WAL_TRY(wal_ctx_least_integer(ctx_of(d), &left));
  *last = d->step >= d->plan.steps || !left;
  return WAL_OK;
}

/* Where the step fails, theta goes back to the last one that was good, but for a next value alone
   that is not finite: theta itself is good then. */
static wal_status take_step(wal_design *d, double start, bool last) {
  const size_t bytes = (size_t)d->count * sizeof *d->theta;
  wal_design_row row = {d->step, NAN, NAN, 0, NAN, NAN, NAN, NAN};
  wal_method_result found = {.objective = NAN, .gradient_norm = NAN, .residual = NAN};
  wal_status status = assess(d, last, &row);
  double value = status == WAL_OK ? row.assessed : NAN;
  if (status == WAL_OK) status = look_ahead(d, last, &found);
  if (status == WAL_OK) {
    row.objective = found.objective;
    row.gradient_norm = found.gradient_norm;
    row.residual = found.residual;
    if (d->plan.every == 0) value = found.exact ? found.objective : NAN;
  }
  row.seconds = wal_clock() - start;
  if (status == WAL_OK || status == WAL_ENOCONV) WAL_TRY(add_row(d, &row, value));
  if (status != WAL_OK) memcpy(d->theta, d->good_theta, bytes);
  WAL_TRY(status);
  WAL_TRY(wal_problem_check_finite(d->problem, "next value", d->count, d->next_theta, NULL));
  memcpy(d->good_theta, d->theta, bytes);
  memcpy(d->theta, d->next_theta, bytes);
  d->step++;
  d->done = last;
  return WAL_OK;
}

wal_status wal_design_run(wal_design *d, const wal_design_watch *watch) {
  static const wal_design_watch NOBODY = {0};
  const double before = d->row_count > 0 ? d->rows[d->row_count - 1].seconds : 0;
  const double start = wal_clock() - before;
  if (!watch) watch = &NOBODY;
  while (!d->done) {
    bool stop = false, last = false;
    WAL_TRY(check_end(d, start, &last));
    WAL_TRY(take_step(d, start, last));
    if (watch->report) watch->report(watch->user, d);
    if (!d->done && watch->pause) WAL_TRY(watch->pause(watch->user, &stop));
    if (stop) return wal_fail(ctx_of(d), WAL_ESTOPPED, "stopped on request");
  }
  wal_problem_set(d->problem, d->theta);
  return WAL_OK;
}
