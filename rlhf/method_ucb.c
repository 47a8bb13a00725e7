// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>

#include "rlhf/learner.h"
#include "sim/core/memory.h"

/* The Gibbs policy of r(s,a) + bonus |phi(s,a) - E_ref phi(s,.)| in the norm of the inverse of
 * H = ridge I + sum sigma (1 - sigma) x x', against the reference policy. */

typedef struct ucb {
  wal_transfer_learner learner; /* without the bonus: what is handed over */
  double *raised;               /* [S * A] */
  wal_responder bold;
} ucb;

static const wal_param PARAMS[] = {{.name = "bonus",
                                    .type = WAL_REAL,
                                    .number = 0.5,
                                    .low = 0,
                                    .high = HUGE_VAL,
                                    .meaning = "standard deviations that are added to a reward"},
                                   {0}};

static wal_status create(const wal_params *params, wal_transfer_method *m) {
  const int64_t pairs = m->setup.known->prompts * m->setup.known->responses;
  WAL_TRY(wal_transfer_learner_create(m, sizeof(ucb), 0));
  ucb *self = m->self;
  self->learner.strength = wal_params_real(params, "bonus");
  WAL_TRY(wal_acquire(m->setup.ctx, "method", pairs, sizeof(double), &self->raised));
  return wal_responder_create(m->setup.ctx, m->setup.known, &self->bold);
}

static void destroy(wal_transfer_method *m) {
  ucb *self = m->self;
  wal_release(m->setup.ctx, &self->raised);
  wal_responder_destroy(m->setup.ctx, &self->bold);
  wal_transfer_learner_destroy(m);
}

static wal_status derive(wal_transfer_method *m) {
  ucb *self = m->self;
  const wal_bandit_known *known = m->problem.known;
  const wal_loss loss = wal_fit_logistic(m->setup.fit, m->fitted);
  WAL_TRY(wal_transfer_learner_derive(m));
  WAL_TRY(wal_fit_factor(m->setup.fit, &loss, m->memory));
  wal_fit_bonus(m->setup.fit, self->raised);
  for (int64_t i = 0; i < known->prompts * known->responses; i++)
    self->raised[i] = self->learner.model.reward[i] + self->learner.strength * self->raised[i];
  wal_responder_gibbs(known, self->raised, &self->bold, NULL);
  return WAL_OK;
}

static void propose(wal_transfer_method *m, int64_t round, wal_proposal *out) {
  (void)round;
  *out = (wal_proposal){
      .arm = (int)m->setup.sources, .first = &((ucb *)m->self)->bold, .second = &m->reference};
}

const wal_transfer_method_type wal_transfer_method_ucb = {
    .struct_size = sizeof(wal_transfer_method_type),
    .component = {.name = "ucb",
                  .kind = "transfer_method",
                  .summary =
                      "is optimistic: plays the policy that is best for upper bounds of rewards",
                  .source = "elliptical widths, Abbasi-Yadkori et al. 2011; docs/transfer.md",
                  .params = PARAMS},
    .create = create,
    .destroy = destroy,
    .refit = wal_transfer_learner_refit,
    .derive = derive,
    .propose = propose,
    .finish = wal_transfer_learner_finish};
