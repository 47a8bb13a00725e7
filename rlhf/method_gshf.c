// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <string.h>

#include "rlhf/learner.h"
#include "sim/core/memory.h"

/*
 * The first response from the greedy policy pi1, the second from an enhancer pi2 that is as
 * uncertain against it as it may be:
 *   Gamma = |E_pi2 phi - E_pi1 phi| in the norm of H^{-1}, largest s.t. eta KL(pi2 || pi1) <=
 * Gamma. At its best pi2 is proportional to pi1 exp(c v' phi) with v = H^{-1} (E_pi2 phi - E_pi1
 * phi): a few steps of that fixed point, and c by bisection on the constraint.
 */

enum { FIXED_POINT_STEPS = 4, BISECTIONS = 24 };

typedef struct gshf {
  wal_transfer_learner learner; /* strength: eta */
  wal_responder enhancer;
  double *of_first, *difference, *direction; /* [dimension] */
  double *tilt, *scaled;                     /* [S * A] */
} gshf;

static const wal_param PARAMS[] = {{.name = "eta",
                                    .type = WAL_REAL,
                                    .number = 1,
                                    .low = 1e-9,
                                    .high = HUGE_VAL,
                                    .meaning = "price of the enhancer's divergence from the main "
                                               "policy, in standard deviations"},
                                   {0}};

static wal_status create(const wal_params *params, wal_transfer_method *m) {
  wal_ctx *ctx = m->setup.ctx;
  const int64_t pairs = m->setup.known->prompts * m->setup.known->responses;
  const int64_t dimension = wal_fit_dimension(m->setup.fit);
  WAL_TRY(wal_transfer_learner_create(m, sizeof(gshf), 0));
  gshf *self = m->self;
  self->learner.strength = wal_params_real(params, "eta");
  WAL_TRY(wal_acquire(ctx, "method", dimension, sizeof(double), &self->of_first));
  WAL_TRY(wal_acquire(ctx, "method", dimension, sizeof(double), &self->difference));
  WAL_TRY(wal_acquire(ctx, "method", dimension, sizeof(double), &self->direction));
  WAL_TRY(wal_acquire(ctx, "method", pairs, sizeof(double), &self->tilt));
  WAL_TRY(wal_acquire(ctx, "method", pairs, sizeof(double), &self->scaled));
  return wal_responder_create(ctx, m->setup.known, &self->enhancer);
}

static void destroy(wal_transfer_method *m) {
  gshf *self = m->self;
  wal_ctx *ctx = m->setup.ctx;
  wal_release(ctx, &self->of_first);
  wal_release(ctx, &self->difference);
  wal_release(ctx, &self->direction);
  wal_release(ctx, &self->tilt);
  wal_release(ctx, &self->scaled);
  wal_responder_destroy(ctx, &self->enhancer);
  wal_transfer_learner_destroy(m);
}

/* The enhancer of c and the direction; whether it is allowed. */
static bool try_tilt(wal_transfer_method *m, double c) {
  gshf *self = m->self;
  const wal_bandit_known *known = m->problem.known;
  const wal_responder *first = &self->learner.model.policy;
  for (int64_t i = 0; i < known->prompts * known->responses; i++)
    self->scaled[i] = c * self->tilt[i];
  wal_responder_tilt(known, first->log_p, self->scaled, &self->enhancer);
  wal_fit_mean(m->setup.fit, self->enhancer.p, self->difference);
  for (int64_t k = 0; k < wal_fit_dimension(m->setup.fit); k++)
    self->difference[k] -= self->of_first[k];
  const double gamma = wal_fit_width(m->setup.fit, self->difference);
  return self->learner.strength * wal_exact_divergence(known, &self->enhancer, first) <= gamma;
}

/* The largest c that is allowed: small ones are, since Gamma grows with c and the divergence with
   c^2. */
static void find_enhancer(wal_transfer_method *m, double largest_tilt) {
  const double most = 50 / largest_tilt; /* beyond it policies are almost deterministic */
  double low = 0, high = most;
  if (try_tilt(m, most)) return;
  for (int i = 0; i < BISECTIONS; i++) {
    const double middle = (low + high) / 2;
    if (try_tilt(m, middle))
      low = middle;
    else
      high = middle;
  }
  try_tilt(m, low);
}

static wal_status derive(wal_transfer_method *m) {
  gshf *self = m->self;
  wal_fit *fit = m->setup.fit;
  const wal_bandit_known *known = m->problem.known;
  const int64_t dimension = wal_fit_dimension(fit);
  const wal_responder *first = &self->learner.model.policy;
  const wal_loss loss = wal_fit_logistic(fit, m->fitted);
  WAL_TRY(wal_transfer_learner_derive(m));
  WAL_TRY(wal_fit_factor(fit, &loss, m->memory));
  wal_fit_mean(fit, first->p, self->of_first);
  wal_responder_of_logs(known, first->log_p, &self->enhancer);
  /* from somewhere that is not pi1: uniform over responses */
  for (int64_t i = 0; i < known->prompts * known->responses; i++)
    self->tilt[i] = 1 / (double)known->responses;
  wal_fit_mean(fit, self->tilt, self->difference);
  for (int64_t k = 0; k < dimension; k++) self->difference[k] -= self->of_first[k];
  for (int step = 0; step < FIXED_POINT_STEPS; step++) {
    double largest = 0;
    wal_fit_solve(fit, self->difference, self->direction);
    wal_fit_reward(fit, self->direction, self->tilt);
    for (int64_t i = 0; i < known->prompts * known->responses; i++)
      largest = fmax(largest, fabs(self->tilt[i]));
    if (!(largest > 0)) break;
    find_enhancer(m, largest);
  }
  return WAL_OK;
}

static void propose(wal_transfer_method *m, int64_t round, wal_proposal *out) {
  wal_transfer_learner_propose(m, round, out);
  out->second = &((gshf *)m->self)->enhancer;
}

const wal_transfer_method_type wal_transfer_method_gshf = {
    .struct_size = sizeof(wal_transfer_method_type),
    .component = {.name = "gshf",
                  .kind = "transfer_method",
                  .summary =
                      "compares the greedy policy with an enhancer that is as uncertain as allowed",
                  .source = "Xiong et al. 2023, arXiv 2312.11456; docs/transfer.md",
                  .params = PARAMS},
    .create = create,
    .destroy = destroy,
    .refit = wal_transfer_learner_refit,
    .derive = derive,
    .propose = propose,
    .finish = wal_transfer_learner_finish};
