// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/learn/unrolled.h"

#include <math.h>
#include <string.h>

#include "sim/core/memory.h"

struct wal_unrolled {
  const wal_space *space;
  wal_unrolled_options options;
  wal_policy policy;
  wal_flow flow;
  wal_values values;
  wal_adjoint *adjoint;
  double *lam;  // [H][pairs]
  /* what is remembered */
  int64_t segment;      // steps that are remembered whole at a time
  int64_t policy_size;  // numbers of a policy
  int64_t light_size;   // numbers of a step without its logits
  double *light;        // [segment][light_size]: masses, statistics not settled, values
  double *logits;       // [segment][policy_size]; NULL with REVERSE
  double *checkpoints;  // [segments][policy_size]: logits at their beginnings; NULL but with SQRT
};

static wal_status check(wal_ctx *ctx, const wal_space *space, const wal_unrolled_options *o) {
  WAL_TRY(wal_adjoint_check(ctx, space->game));
  if (o->memory != WAL_UNROLLED_REVERSE) return WAL_OK;
  const char *name = space->game->type->component.name;
  if (space->game->shape.reads_policy)
    return wal_fail(ctx, WAL_EINPUT,
                    "the rewards of the game %s depend on its policy: its learner cannot be "
                    "reversed (memory = \"sqrt\" can be used)",
                    name);
  if (o->rate * o->entropy < 1) return WAL_OK;
  return wal_fail(ctx, WAL_EINPUT,
                  "a learner with rate * entropy = 1 forgets its policy: it cannot be reversed "
                  "(memory = \"sqrt\" can be used)");
}

static wal_status acquire(wal_unrolled *u) {
  const wal_space *space = u->space;
  const wal_unrolled_options *o = &u->options;
  const int64_t horizon = space->game->shape.horizon, one = sizeof(double);
  const int64_t steps = o->iterations > 0 ? o->iterations : 1;
  const int64_t root = (int64_t)ceil(sqrt((double)steps));
  u->policy_size = horizon * space->pairs;
  const int64_t kept = wal_game_statistics(space->game) - space->game->shape.settled;
  u->light_size = horizon * (2 * space->states.count + kept);
  u->segment = o->memory == WAL_UNROLLED_SQRT ? root : steps;
  wal_ctx *ctx = space->ctx;
  // The larger ones first: what does not fit is refused before memory is touched.
  if (o->memory != WAL_UNROLLED_REVERSE)
    WAL_TRY(wal_acquire(ctx, "steps of the learner", u->segment * u->policy_size, one, &u->logits));
  if (o->memory == WAL_UNROLLED_SQRT)
    WAL_TRY(wal_acquire(ctx, "steps of the learner",
                        (steps + u->segment - 1) / u->segment * u->policy_size, one,
                        &u->checkpoints));
  WAL_TRY(wal_acquire(ctx, "steps of the learner", u->segment * u->light_size, one, &u->light));
  WAL_TRY(wal_acquire(ctx, "adjoint", u->policy_size, one, &u->lam));
  return wal_policy_create(space, WAL_POLICY_LOGITS, &u->policy);
}

wal_status wal_unrolled_create(const wal_space *space, const wal_unrolled_options *options,
                               wal_unrolled **out) {
  wal_ctx *ctx = space->ctx;
  wal_unrolled *u = NULL;
  *out = NULL;
  wal_status status = check(ctx, space, options);
  if (status == WAL_OK) status = wal_acquire(ctx, "learner", 1, sizeof *u, &u);
  if (status == WAL_OK) {
    u->space = space;
    u->options = *options;
    status = acquire(u);
  }
  status = wal_agree(ctx, status);
  if (status == WAL_OK) status = wal_flow_create(space, wal_policy_rereads(&u->policy), &u->flow);
  if (status == WAL_OK)
    status =
        wal_values_create(space, 1u << WAL_VALUE_SOFT_POLICY, WAL_VALUE_SOFT_POLICY, &u->values);
  if (status == WAL_OK) status = wal_adjoint_create(space, &u->adjoint);
  if (status == WAL_OK)
    *out = u;
  else
    wal_unrolled_destroy(&u);
  return status;
}

void wal_unrolled_destroy(wal_unrolled **unrolled) {
  if (!unrolled || !*unrolled) return;
  wal_unrolled *u = *unrolled;
  wal_ctx *ctx = u->space->ctx;
  wal_policy_destroy(&u->policy);
  wal_flow_destroy(&u->flow);
  wal_values_destroy(&u->values);
  wal_adjoint_destroy(&u->adjoint);
  wal_release(ctx, &u->lam);
  wal_release(ctx, &u->light);
  wal_release(ctx, &u->logits);
  wal_release(ctx, &u->checkpoints);
  wal_release(ctx, unrolled);
}

const wal_policy *wal_unrolled_policy(const wal_unrolled *u) { return &u->policy; }
const wal_flow *wal_unrolled_flow(const wal_unrolled *u) { return &u->flow; }

// ---- Forwards ---------------------------------------------------------------------------------

static void set_logits(wal_unrolled *u, const double *logits) {
  if (logits)
    memcpy(u->policy.values, logits, (size_t)u->policy_size * sizeof *logits);
  else
    memset(u->policy.values, 0, (size_t)u->policy_size * sizeof *u->policy.values);
  for (int h = 0; !logits && h < u->space->game->shape.horizon; h++)
    for (int64_t tile = 0; tile < u->space->tiles; tile++) wal_policy_forbid(&u->policy, h, tile);
  wal_policy_restored(&u->policy);
}

/* Between the arrays of a step that do not need its logits, and a place where they are kept.
 * Settled statistics are not: they follow from the others. */
static void copy_light(wal_unrolled *u, double *light, bool keep) {
  const wal_space *space = u->space;
  const wal_game *game = space->game;
  const wal_shape *shape = &game->shape;
  const int64_t states = space->states.count, numbers = wal_game_statistics(game);
  const int64_t settled_end = shape->statistic + shape->settled;
  for (int h = 0; h < shape->horizon; h++) {
    double *z = wal_flow_statistic(&u->flow, h);
    double *const arrays[] = {wal_flow_mass(&u->flow, h), wal_values_kept(&u->values, h), z,
                              z + settled_end};
    const int64_t sizes[] = {states, states, shape->statistic, numbers - settled_end};
    for (int i = 0; i < 4; light += sizes[i++])
      memcpy(keep ? light : arrays[i], keep ? arrays[i] : light, (size_t)sizes[i] * sizeof *light);
    if (!keep && shape->settled > 0) game->type->settle(game->self, h, u->flow.statistics);
  }
}

/* The sweeps at y_t; with `step` the policy is then y_{t+1}. */
static wal_status sweep(wal_unrolled *u, bool step) {
  const wal_unrolled_options *o = &u->options;
  const wal_logit_step go = {1 - o->rate * o->entropy, o->rate};
  const wal_value_request request = {.which = 1u << WAL_VALUE_SOFT_POLICY,
                                     .keep = WAL_VALUE_SOFT_POLICY,
                                     .entropy = o->entropy,
                                     .step = step ? &go : NULL};
  wal_value_totals totals;
  WAL_TRY(wal_flow_run(&u->flow, &u->policy));
  WAL_TRY(wal_values_run(&u->values, &u->flow, &u->policy, &request, &totals));
  double all = 0;
  for (int p = 0; p < u->space->game->shape.populations; p++)
    all += totals.value[WAL_VALUE_SOFT_POLICY][p];
  if (isfinite(all)) return WAL_OK;
  return wal_fail(u->space->ctx, WAL_ENONFINITE, "%s: the learner's value is not finite",
                  u->space->game->type->component.name);
}

/* Steps first .. end-1, remembered in slots 0 .. end-first-1. */
static wal_status run_steps(wal_unrolled *u, int64_t first, int64_t end, bool record) {
  for (int64_t t = first; t < end; t++) {
    const int64_t slot = t - first;
    if (record && u->logits)
      memcpy(u->logits + slot * u->policy_size, u->policy.values,
             (size_t)u->policy_size * sizeof *u->logits);
    WAL_TRY(sweep(u, true));
    if (record) copy_light(u, u->light + slot * u->light_size, true);
  }
  return WAL_OK;
}

wal_status wal_unrolled_forward(wal_unrolled *u, bool record) {
  const int64_t steps = u->options.iterations;
  set_logits(u, NULL);
  for (int64_t t = 0; t < steps; t += u->segment) {
    const int64_t end = t + u->segment < steps ? t + u->segment : steps;
    if (u->checkpoints)
      memcpy(u->checkpoints + t / u->segment * u->policy_size, u->policy.values,
             (size_t)u->policy_size * sizeof *u->checkpoints);
    WAL_TRY(run_steps(u, t, end, record && (!u->checkpoints || end == steps)));
  }
  return wal_flow_run(&u->flow, &u->policy);
}

// ---- Backwards --------------------------------------------------------------------------------

/* Reverses the steps first .. end-1, which are remembered. */
static wal_status reverse_steps(wal_unrolled *u, int64_t first, int64_t end, double *gradient) {
  const wal_unrolled_options *o = &u->options;
  const wal_logit_step step = {1 - o->rate * o->entropy, o->rate};
  const wal_adjoint_request request = {.entropy = o->entropy,
                                       .q_bar = u->lam,
                                       .scale = o->rate,
                                       .undo = u->logits ? NULL : &step,
                                       .logits_bar = u->lam,
                                       .keep = step.keep,
                                       .parameters_bar = gradient};
  for (int64_t t = end - 1; t >= first; t--) {
    copy_light(u, u->light + (t - first) * u->light_size, false);
    if (u->logits) set_logits(u, u->logits + (t - first) * u->policy_size);
    WAL_TRY(wal_adjoint_run(u->adjoint, &u->flow, &u->values, &u->policy, &request));
  }
  return WAL_OK;
}

wal_status wal_unrolled_backward(wal_unrolled *u, const wal_adjoint_seed *seed, double *gradient) {
  const int64_t steps = u->options.iterations, segments = (steps + u->segment - 1) / u->segment;
  const wal_adjoint_request start = {.entropy = u->options.entropy,
                                     .seed = seed,
                                     .logits_bar = u->lam,
                                     .parameters_bar = gradient};
  WAL_TRY(wal_adjoint_run(u->adjoint, &u->flow, &u->values, &u->policy, &start));
  for (int64_t s = segments - 1; s >= 0; s--) {
    const int64_t first = s * u->segment, end = s == segments - 1 ? steps : first + u->segment;
    if (s < segments - 1) {
      set_logits(u, u->checkpoints + s * u->policy_size);
      WAL_TRY(run_steps(u, first, end, true));
    }
    WAL_TRY(reverse_steps(u, first, end, gradient));
  }
  WAL_TRY(wal_adjoint_flush(u->adjoint, gradient));
  const wal_game *game = u->space->game;
  return game->type->failure
             ? wal_agree(u->space->ctx, game->type->failure(u->space->ctx, game->self))
             : WAL_OK;
}
