// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>

#include "rlhf/learner.h"

/* The likelihood less kappa times the value that its reward promises,
 *   u(theta) = beta E_s log Z_theta(s) - E_ref theta' phi, kappa = coefficient sqrt(n). */

static const wal_param PARAMS[] = {{.name = "coefficient",
                                    .type = WAL_REAL,
                                    .number = 0.2,
                                    .low = 0,
                                    .high = HUGE_VAL,
                                    .meaning = "optimism after n comparisons, over sqrt(n)"},
                                   {.name = "second",
                                    .type = WAL_TEXT,
                                    .text = "policy",
                                    .choices = "policy|reference",
                                    .meaning = "where the second response comes from"},
                                   {0}};

static wal_status create(const wal_params *params, wal_transfer_method *m) {
  WAL_TRY(wal_transfer_learner_create(m, sizeof(wal_transfer_learner), 0));
  wal_transfer_learner *self = m->self;
  self->strength = wal_params_real(params, "coefficient");
  self->against_other = wal_params_text(params, "second")[0] == 'r';
  return WAL_OK;
}

static wal_status refit(wal_transfer_method *m) {
  wal_transfer_learner *self = m->self;
  wal_loss loss = wal_fit_logistic(m->setup.fit, m->fitted);
  wal_loss_tilt(m, -self->strength * sqrt((double)m->fitted), self->partition, self->linear, &loss);
  return wal_fit_minimize(m->setup.fit, &loss, m->memory);
}

const wal_transfer_method_type wal_transfer_method_vpo = {
    .struct_size = sizeof(wal_transfer_method_type),
    .component = {.name = "vpo",
                  .kind = "transfer_method",
                  .summary =
                      "is optimistic: fits rewards to the answers and to a large value as well",
                  .source = "Cen et al. 2024, arXiv 2405.19320",
                  .params = PARAMS},
    .create = create,
    .destroy = wal_transfer_learner_destroy,
    .refit = refit,
    .derive = wal_transfer_learner_derive,
    .propose = wal_transfer_learner_propose,
    .finish = wal_transfer_learner_finish};
