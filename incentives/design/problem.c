// SPDX-License-Identifier: GPL-3.0-or-later
#include "incentives/design/problem.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "incentives/design/batch.h"
#include "sim/core/memory.h"
#include "sim/core/sum.h"
#include "sim/learn/learner.h"

struct wal_problem {
  wal_ctx *ctx;
  wal_game game;
  wal_space *space;
  wal_objective *objective;
  wal_response response;
  wal_parameters parameters;
  wal_params *learner_params;
  wal_learner *learner;    // of the last evaluation
  wal_unrolled *unrolled;  // one of these two, once derivatives are asked for
  wal_implicit *implicit;
  double *start;
  wal_draws *draws;  // NULL, as the next: one game, as it is written
  wal_batch *batch;  // the games of a step
  int64_t batch_count, held_out;
};

static const double ROUND_OFF = 1e-10;  // of exploitabilities that are compared, with their values

// ---- The learner ------------------------------------------------------------------------------

static const wal_param RESPONSE_PARAMS[] = {
    {.name = "rate",
     .type = WAL_REAL,
     .number = 10,
     .low = 0,
     .high = HUGE_VAL,
     .meaning = "step size of the logits along the action values"},
    {.name = "entropy",
     .type = WAL_REAL,
     .number = 1e-3,
     .low = 0,
     .high = HUGE_VAL,
     .meaning = "weight of the policy's entropy in the values (0: none)"},
    {.name = "iterations",
     .type = WAL_INTEGER,
     .number = 400,
     .low = 0,
     .high = 1e9,
     .meaning = "steps of the learner from the uniform policy: what the design counts on"},
    {0}};

const wal_component wal_response_component = {
    .name = "mirror_descent",
    .kind = "response",
    .summary = "a given number of steps of online mirror descent",
    .source = "Corecco et al. 2025, section 4",
    .params = RESPONSE_PARAMS};

wal_status wal_response_read(wal_ctx *ctx, const wal_params *params, wal_response *out) {
  *out = (wal_response){.rate = wal_params_real(params, "rate"),
                        .entropy = wal_params_real(params, "entropy"),
                        .iterations = wal_params_integer(params, "iterations")};
  if (out->rate * out->entropy <= 1) return WAL_OK;
  return wal_params_fail(ctx, params, "entropy", "expected rate * entropy to be at most 1, got %g",
                         out->rate * out->entropy);
}

/* The parameters of the learner mirror_descent, which is what evaluations run. */
static wal_status learner_params(wal_ctx *ctx, const wal_response *response, wal_params **out) {
  const wal_component *component = &wal_learner_find("mirror_descent")->component;
  const double numbers[] = {response->entropy, response->rate};
  static const char *const NAMES[] = {"entropy", "rate"};
  wal_node *node = wal_node_create(WAL_NODE_COMPONENT, 0);
  bool made = node && wal_node_set_text(node, component->name, strlen(component->name));
  for (int i = 0; made && i < 2; i++) {
    wal_node *number = wal_node_create(WAL_NODE_NUMBER, 0);
    if (number) number->number = numbers[i];
    made = wal_node_set_field(node, NAMES[i], number);
  }
  wal_status status = made ? wal_params_resolve(ctx, "design", component, node, NULL, out)
                           : wal_fail(ctx, WAL_EINPUT, "learner: not enough memory");
  wal_node_destroy(node);
  return status;
}

// ---- Made -------------------------------------------------------------------------------------

/* In the place of the game as it is written, whose parameters the design begins with, the first
 * held-out one. */
static wal_status draw_game(wal_problem *p, const wal_problem_parts *parts) {
  const wal_draw_key key = wal_draw_held_out(0);
  const int64_t count = p->parameters.count;
  if (!p->draws) return WAL_OK;
  wal_game_destroy(p->ctx, &p->game);
  wal_draws_begin(p->draws, p->ctx, &key);
  const wal_status status = wal_game_create(p->ctx, parts->game, parts->game_params, &p->game);
  wal_draws_end(p->draws, p->ctx);
  WAL_TRY(status);
  wal_game_parameters(&p->game, &p->parameters);
  if (p->parameters.count == count) return WAL_OK;
  return wal_fail(p->ctx, WAL_EINTERNAL, "%s: a drawn game has other parameters",
                  parts->game->component.name);
}

static wal_status create_parts(wal_problem *p, const wal_problem_parts *parts) {
  wal_ctx *ctx = p->ctx;
  WAL_TRY(wal_game_create(ctx, parts->game, parts->game_params, &p->game));
  wal_game_parameters(&p->game, &p->parameters);
  WAL_TRY(learner_params(ctx, &p->response, &p->learner_params));
  WAL_TRY(wal_acquire(ctx, "parameters", p->parameters.count, sizeof(double), &p->start));
  if (p->parameters.count > 0)  // a game without any can be assessed
    memcpy(p->start, p->parameters.values, (size_t)p->parameters.count * sizeof *p->start);
  return draw_game(p, parts);
}

wal_status wal_problem_create(wal_ctx *ctx, const wal_problem_parts *parts, wal_problem **out) {
  wal_problem *p = NULL;
  wal_draws *draws = parts->draws;
  *out = NULL;
  wal_status status = wal_acquire(ctx, "design problem", 1, sizeof *p, &p);
  if (status == WAL_OK) {
    p->ctx = ctx;
    p->response = parts->response;
    p->draws = draws;
    p->batch_count = draws ? parts->batch : 1;
    p->held_out = draws ? parts->held_out : 1;
    status = create_parts(p, parts);
  } else {
    wal_draws_destroy(ctx, &draws);
  }
  status = wal_agree(ctx, status);
  if (status == WAL_OK) status = wal_space_create(ctx, &p->game, parts->layout, &p->space);
  if (status == WAL_OK)
    status =
        wal_objective_create(p->space, parts->objective, parts->objective_params, &p->objective);
  if (status == WAL_OK && draws)
    status = wal_batch_create(ctx, parts, p->parameters.count, &p->batch);
  if (status == WAL_OK)
    *out = p;
  else
    wal_problem_destroy(&p);
  return status;
}

void wal_problem_destroy(wal_problem **problem) {
  if (!problem || !*problem) return;
  wal_problem *p = *problem;
  wal_ctx *ctx = p->ctx;
  wal_batch_destroy(&p->batch);
  wal_draws_destroy(ctx, &p->draws);
  wal_learner_destroy(&p->learner);
  wal_problem_forget_derivatives(p);
  wal_objective_destroy(&p->objective);
  wal_space_destroy(&p->space);
  wal_params_destroy(&p->learner_params);
  wal_game_destroy(ctx, &p->game);
  wal_release(ctx, &p->start);
  wal_release(ctx, problem);
}

const wal_game *wal_problem_game(const wal_problem *p) { return &p->game; }
const wal_space *wal_problem_space(const wal_problem *p) { return p->space; }
const wal_parameters *wal_problem_parameters(const wal_problem *p) { return &p->parameters; }
int64_t wal_problem_count(const wal_problem *p) { return p->parameters.count; }
const wal_response *wal_problem_response(const wal_problem *p) { return &p->response; }
const double *wal_problem_start(const wal_problem *p) { return p->start; }
const wal_learner *wal_problem_learner(const wal_problem *p) { return p->learner; }

void wal_problem_draw(wal_problem *p, int64_t restart, int64_t step) {
  if (p->batch) wal_batch_draw(p->batch, restart, step);
}

const wal_draws *wal_problem_draws(const wal_problem *p) { return p->draws; }
int64_t wal_problem_batch(const wal_problem *p) { return p->batch_count; }
int64_t wal_problem_held_out(const wal_problem *p) { return p->held_out; }
int64_t wal_problem_turns(const wal_problem *p) { return p->batch ? wal_batch_turns(p->batch) : 1; }

void wal_problem_set(wal_problem *p, const double *theta) {
  if (p->parameters.count > 0)
    memcpy(p->parameters.values, theta, (size_t)p->parameters.count * sizeof *theta);
  wal_game_designed(&p->game);
}

wal_status wal_problem_check_finite(const wal_problem *p, const char *what, int64_t count,
                                    const double *values, double *norm) {
  const double square = wal_dot(count, values, values);
  if (norm) *norm = sqrt(square);
  for (int64_t i = 0; !isfinite(square) && i < count; i++)
    if (!isfinite(values[i]))
      return wal_fail(p->ctx, WAL_ENONFINITE, "%s: the %s of parameter %" PRId64 " is not finite",
                      p->game.type->component.name, what, i);
  if (isfinite(square)) return WAL_OK;
  return wal_fail(p->ctx, WAL_ENONFINITE, "%s: the %s is too large", p->game.type->component.name,
                  what);
}

static wal_status check_objective(const wal_problem *p, double value) {
  if (isfinite(value)) return WAL_OK;
  return wal_fail(p->ctx, WAL_ENONFINITE, "%s: the objective is not finite",
                  p->game.type->component.name);
}

// ---- Values -----------------------------------------------------------------------------------

/* A learner from the uniform policy, in the game that theta makes. */
static wal_status start_learner(wal_problem *p, const double *theta) {
  wal_learner_destroy(&p->learner);
  wal_problem_set(p, theta);
  return wal_learner_create(p->space, wal_learner_find("mirror_descent"), p->learner_params,
                            &p->learner);
}

wal_status wal_problem_plan(wal_problem *p, wal_learner_cost *out) {
  wal_learner_cost of_batch = {0};
  WAL_TRY(wal_learner_plan(p->space, wal_learner_find("mirror_descent"), p->learner_params, out));
  if (!p->batch) return WAL_OK;
  WAL_TRY(wal_batch_plan(p->batch, &of_batch));
  out->bytes += of_batch.bytes;  // both at once in assessments
  out->traffic = of_batch.traffic;
  return WAL_OK;
}

wal_status wal_problem_evaluate(wal_problem *p, const double *theta, double *out) {
  wal_measure measure;
  if (p->batch) {
    wal_learner_destroy(&p->learner);
    wal_problem_set(p, theta);
    return wal_batch_evaluate(p->batch, theta, out);
  }
  WAL_TRY(start_learner(p, theta));
  for (int64_t t = 0; t < p->response.iterations; t++)
    WAL_TRY(wal_learner_sweep(p->learner, false, true, &measure));
  WAL_TRY(wal_flow_run(&p->learner->flow, &p->learner->policy));
  WAL_TRY(wal_objective_measure(p->objective, &p->learner->flow, &p->learner->policy, out));
  return check_objective(p, *out);
}

static double exploitability(const wal_problem *p, const wal_measure *measure) {
  return p->response.entropy > 0 ? measure->soft_exploitability : measure->exploitability;
}

/* Of the problem's own game. */
static wal_status assess(wal_problem *p, const double *theta, int64_t iterations,
                         wal_assessment *out) {
  wal_measure start, now;
  WAL_TRY(start_learner(p, theta));
  WAL_TRY(wal_learner_sweep(p->learner, true, iterations > 0, &start));
  now = start;
  for (int64_t t = 1; t < iterations; t++)
    WAL_TRY(wal_learner_sweep(p->learner, false, true, &now));
  if (iterations > 0) WAL_TRY(wal_learner_sweep(p->learner, true, false, &now));
  *out = (wal_assessment){.exploitability = exploitability(p, &now),
                          .plain_exploitability = now.exploitability,
                          .start_exploitability = exploitability(p, &start)};
  WAL_TRY(
      wal_objective_measure(p->objective, &p->learner->flow, &p->learner->policy, &out->objective));
  WAL_TRY(check_objective(p, out->objective));
  const double slack = ROUND_OFF * (1 + fabs(now.value) + fabs(start.value));
  if (out->exploitability <= out->start_exploitability + slack) return WAL_OK;
  return wal_fail(p->ctx, WAL_ENOCONV,
                  "%s: the learner diverges: exploitability %g after %" PRId64
                  " iterations, %g at the uniform policy; a smaller rate may help",
                  p->game.type->component.name, out->exploitability, iterations,
                  out->start_exploitability);
}

wal_status wal_problem_assess(wal_problem *p, const double *theta, int64_t iterations,
                              wal_assessment *out) {
  const wal_status status = assess(p, theta, iterations, out);
  if (!p->batch || (status != WAL_OK && status != WAL_ENOCONV)) return status;
  return wal_batch_assess(p->batch, theta, iterations, status, out);
}

// ---- Derivatives ------------------------------------------------------------------------------

void wal_problem_forget_derivatives(wal_problem *p) {
  wal_unrolled_destroy(&p->unrolled);
  wal_implicit_destroy(&p->implicit);
}

static wal_status check_derivatives(wal_problem *p) {
  wal_problem_forget_derivatives(p);
  WAL_TRY(wal_adjoint_check(p->ctx, &p->game));
  return wal_objective_check_derivatives(p->objective);
}

wal_status wal_problem_differentiate(wal_problem *p, wal_unrolled_memory memory) {
  const wal_unrolled_options options = {.rate = p->response.rate,
                                        .entropy = p->response.entropy,
                                        .iterations = p->response.iterations,
                                        .memory = memory};
  const wal_batch_derivatives drawn = {.memory = memory};
  WAL_TRY(check_derivatives(p));
  if (p->batch) return wal_batch_differentiate(p->batch, &drawn);
  return wal_unrolled_create(p->space, &options, &p->unrolled);
}

wal_status wal_problem_differentiate_equilibrium(wal_problem *p, double tolerance, double accepted,
                                                 int64_t iterations) {
  const wal_implicit_options options = {.rate = p->response.rate,
                                        .entropy = p->response.entropy,
                                        .tolerance = tolerance,
                                        .accepted = accepted,
                                        .iterations = iterations};
  const wal_batch_derivatives drawn = {
      .equilibrium = true, .tolerance = tolerance, .accepted = accepted, .iterations = iterations};
  WAL_TRY(check_derivatives(p));
  if (p->batch) return wal_batch_differentiate(p->batch, &drawn);
  return wal_implicit_create(p->space, &options, &p->implicit);
}

wal_implicit_work wal_problem_equilibrium(const wal_problem *p) {
  if (p->batch) return wal_batch_equilibria(p->batch);
  return p->implicit ? wal_implicit_last(p->implicit) : (wal_implicit_work){.residual = NAN};
}

void wal_problem_declare(wal_problem *p, wal_state *state) {
  if (p->implicit) wal_implicit_declare(p->implicit, state);
}

wal_status wal_problem_gradient(wal_problem *p, const double *theta, double *out,
                                double *gradient) {
  wal_unrolled *u = p->unrolled;
  wal_implicit *i = p->implicit;
  const int64_t count = p->parameters.count;
  wal_learner_destroy(&p->learner);
  wal_problem_set(p, theta);
  if (p->batch) return wal_batch_gradient(p->batch, theta, out, gradient);
  memset(gradient, 0, (size_t)count * sizeof *gradient);
  WAL_TRY(i ? wal_implicit_forward(i) : wal_unrolled_forward(u, true));
  WAL_TRY(wal_objective_measure(p->objective, i ? wal_implicit_flow(i) : wal_unrolled_flow(u),
                                i ? wal_implicit_policy(i) : wal_unrolled_policy(u), out));
  WAL_TRY(check_objective(p, *out));
  const wal_adjoint_seed *seed = wal_objective_seed(p->objective);
  WAL_TRY(i ? wal_implicit_backward(i, seed, gradient) : wal_unrolled_backward(u, seed, gradient));
  return wal_problem_check_finite(p, "derivative", count, gradient, NULL);
}
