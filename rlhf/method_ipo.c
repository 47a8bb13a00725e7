// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>

#include "rlhf/learner.h"

/* Least squares of log-ratios, h = log pi/pi_ref (preferred) - log pi/pi_ref (other), on 1/(2 tau):
 * linear in theta / beta. With tau = beta / 4 it agrees with Bradley and Terry's model where
 * responses are almost alike. */

static const wal_param PARAMS[] = {
    {.name = "tau",
     .type = WAL_REAL,
     .optional = true,
     .low = 1e-9,
     .high = HUGE_VAL,
     .meaning = "strength of the regularization; left out: beta / 4, which fits Bradley-Terry "
                "answers between responses that are almost alike"},
    {0}};

static wal_status create(const wal_params *params, wal_transfer_method *m) {
  WAL_TRY(wal_transfer_learner_create(m, sizeof(wal_transfer_learner), 0));
  if (wal_params_given(params, "tau"))
    ((wal_transfer_learner *)m->self)->strength = wal_params_real(params, "tau");
  return WAL_OK;
}

static wal_status refit(wal_transfer_method *m) {
  const double given = ((wal_transfer_learner *)m->self)->strength;
  return wal_fit_ipo(m->setup.fit, m->fitted, given > 0 ? given : m->problem.known->beta / 4,
                     m->memory);
}

const wal_transfer_method_type wal_transfer_method_ipo = {
    .struct_size = sizeof(wal_transfer_method_type),
    .component = {.name = "ipo",
                  .kind = "transfer_method",
                  .summary = "as greedy{}, but fits by least squares of log-ratios",
                  .source = "Azar et al. 2023, arXiv 2310.12036",
                  .params = PARAMS},
    .create = create,
    .destroy = wal_transfer_learner_destroy,
    .refit = refit,
    .derive = wal_transfer_learner_derive,
    .propose = wal_transfer_learner_propose,
    .finish = wal_transfer_learner_finish};
