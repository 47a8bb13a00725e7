// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <string.h>

#include "rlhf/learner.h"
#include "sim/core/memory.h"

/* Policies pi = base exp(psi' phi) / Z are fitted themselves:
 *   sum -log sigma(beta (log pi/base (preferred) - log pi/base (other))) + ridge |beta psi|^2 / 2.
 * With the reference policy as base and all comparisons this is greedy{} in other coordinates. With
 * the previous iterate as base and the comparisons since then, which is what iterated training of
 * language models does, it leaves the reference policy behind. */

typedef struct dpo {
  wal_transfer_learner learner;
  bool moves; /* the base is the previous iterate */
  int64_t batch;
  double *scaled; /* [dimension]: beta psi */
  double *change; /* [dimension] */
} dpo;

static const wal_param PARAMS[] = {
    {.name = "reference",
     .type = WAL_TEXT,
     .text = "fixed",
     .choices = "fixed|previous",
     .meaning = "the loss's reference: the reference policy, with all comparisons, or the previous "
                "iterate, with those since then"},
    {.name = "batch",
     .type = WAL_INTEGER,
     .number = 500,
     .low = 1,
     .high = 1e12,
     .meaning = "with reference=\"previous\": the least number of comparisons of an iterate"},
    {0}};

static wal_status create(const wal_params *params, wal_transfer_method *m) {
  WAL_TRY(wal_transfer_learner_create(m, sizeof(dpo), 1));
  dpo *self = m->self;
  const int64_t dimension = wal_fit_dimension(m->setup.fit);
  self->moves = wal_params_text(params, "reference")[0] == 'p';
  self->batch = wal_params_integer(params, "batch");
  WAL_TRY(wal_acquire(m->setup.ctx, "method", dimension, sizeof(double), &self->scaled));
  return wal_acquire(m->setup.ctx, "method", dimension, sizeof(double), &self->change);
}

static void destroy(wal_transfer_method *m) {
  dpo *self = m->self;
  wal_release(m->setup.ctx, &self->scaled);
  wal_release(m->setup.ctx, &self->change);
  wal_transfer_learner_destroy(m);
}

static wal_status refit(wal_transfer_method *m) {
  dpo *self = m->self;
  const int64_t dimension = wal_fit_dimension(m->setup.fit);
  const double beta = m->problem.known->beta;
  double *psi = m->memory, *begun = m->memory + dimension; /* begun: comparisons used before */
  wal_loss loss = wal_fit_logistic(m->setup.fit, m->fitted);
  loss.scale = beta;
  loss.ridge *= beta * beta;
  if (!self->moves) return wal_fit_minimize(m->setup.fit, &loss, psi);
  loss.first = (int64_t)*begun;
  if (loss.end - loss.first < self->batch && loss.end < m->setup.rounds) return WAL_OK;
  memset(self->change, 0, (size_t)dimension * sizeof *psi);
  WAL_TRY(wal_fit_minimize(m->setup.fit, &loss, self->change));
  for (int64_t k = 0; k < dimension; k++) psi[k] += self->change[k];
  *begun = (double)m->fitted;
  return WAL_OK;
}

static wal_status derive(wal_transfer_method *m) {
  dpo *self = m->self;
  for (int64_t k = 0; k < wal_fit_dimension(m->setup.fit); k++)
    self->scaled[k] = m->problem.known->beta * m->memory[k];
  wal_model_derive(m, self->scaled, &self->learner.model);
  return WAL_OK;
}

const wal_transfer_method_type wal_transfer_method_dpo = {
    .struct_size = sizeof(wal_transfer_method_type),
    .component = {.name = "dpo",
                  .kind = "transfer_method",
                  .summary = "fits policies directly; draws both responses from the present one",
                  .source = "Rafailov et al. 2023, arXiv 2305.18290; iterated: arXiv 2312.11456",
                  .params = PARAMS},
    .create = create,
    .destroy = destroy,
    .refit = refit,
    .derive = derive,
    .propose = wal_transfer_learner_propose,
    .finish = wal_transfer_learner_finish};
