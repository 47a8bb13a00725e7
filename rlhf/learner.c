// SPDX-License-Identifier: GPL-3.0-or-later
#include "rlhf/learner.h"

#include <string.h>

#include "sim/core/memory.h"

// ---- Models -----------------------------------------------------------------------------------

wal_status wal_model_create(const wal_transfer_method_setup *setup, wal_model *out) {
  const int64_t pairs = setup->known->prompts * setup->known->responses;
  WAL_TRY(wal_acquire(setup->ctx, "model", pairs, sizeof(double), &out->reward));
  return wal_responder_create(setup->ctx, setup->known, &out->policy);
}

void wal_model_destroy(wal_ctx *ctx, wal_model *model) {
  wal_release(ctx, &model->reward);
  wal_responder_destroy(ctx, &model->policy);
}

void wal_model_derive(const wal_transfer_method *m, const double *theta, wal_model *model) {
  wal_fit_reward(m->setup.fit, theta, model->reward);
  wal_responder_gibbs(m->problem.known, model->reward, &model->policy, NULL);
}

// ---- Learners ---------------------------------------------------------------------------------

wal_status wal_transfer_learner_create(wal_transfer_method *m, size_t size, int64_t extra) {
  wal_ctx *ctx = m->setup.ctx;
  wal_transfer_learner *self = NULL;
  const int64_t dimension = wal_fit_dimension(m->setup.fit);
  WAL_TRY(wal_acquire(ctx, "method", 1, size, &m->self));
  self = m->self;
  m->memory_count = dimension + extra;
  WAL_TRY(wal_model_create(&m->setup, &self->model));
  WAL_TRY(wal_acquire(ctx, "method", m->setup.known->prompts, sizeof(double), &self->partition));
  return wal_acquire(ctx, "method", dimension, sizeof(double), &self->linear);
}

void wal_transfer_learner_destroy(wal_transfer_method *m) {
  wal_transfer_learner *self = m->self;
  wal_model_destroy(m->setup.ctx, &self->model);
  wal_release(m->setup.ctx, &self->partition);
  wal_release(m->setup.ctx, &self->linear);
}

wal_status wal_transfer_learner_refit(wal_transfer_method *m) {
  const wal_loss loss = wal_fit_logistic(m->setup.fit, m->fitted);
  return wal_fit_minimize(m->setup.fit, &loss, m->memory);
}

wal_status wal_transfer_learner_derive(wal_transfer_method *m) {
  wal_transfer_learner *self = m->self;
  wal_model_derive(m, m->memory, &self->model);
  return WAL_OK;
}

void wal_transfer_learner_propose(wal_transfer_method *m, int64_t round, wal_proposal *out) {
  const wal_transfer_learner *self = m->self;
  (void)round;
  *out = (wal_proposal){.arm = (int)m->setup.sources,
                        .first = &self->model.policy,
                        .second = self->against_other ? &m->reference : &self->model.policy};
}

const wal_responder *wal_transfer_learner_finish(wal_transfer_method *m) {
  return &((const wal_transfer_learner *)m->self)->model.policy;
}

// ---- Losses -----------------------------------------------------------------------------------

void wal_loss_tilt(wal_transfer_method *m, double tilt, double *partition, double *linear,
                   wal_loss *loss) {
  const wal_bandit_known *known = m->problem.known;
  wal_fit_mean(m->setup.fit, known->reference, linear);
  for (int64_t k = 0; k < wal_fit_dimension(m->setup.fit); k++) linear[k] *= tilt;
  for (int64_t s = 0; s < known->prompts; s++) partition[s] = tilt * known->beta * known->weight[s];
  loss->partition = partition;
  loss->linear = linear;
}

void wal_loss_exploration(wal_transfer_method *m, double alpha, double *partition, double *linear,
                          wal_loss *loss) {
  const wal_bandit_known *known = m->problem.known;
  memset(partition, 0, (size_t)known->prompts * sizeof *partition);
  memset(linear, 0, (size_t)wal_fit_dimension(m->setup.fit) * sizeof *linear);
  for (int64_t i = loss->first; i < loss->end; i++) {
    const wal_preference seen = wal_preferences_at(&m->problem.data, i);
    partition[seen.prompt] -= alpha;
    wal_fit_add_feature(m->setup.fit, seen.prompt * known->responses + seen.second,
                        -alpha / known->beta, linear);
  }
  loss->partition = partition;
  loss->linear = linear;
}
