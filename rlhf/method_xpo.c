// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>

#include "rlhf/learner.h"

/* The likelihood of comparisons with responses b_i of the reference policy, and
 *   + alpha sum_i log pi_theta(b_i | s_i),
 * which makes what the reference policy says less likely: optimism. */

static const wal_param PARAMS[] = {{.name = "alpha",
                                    .type = WAL_REAL,
                                    .number = 0.002,
                                    .low = 0,
                                    .high = HUGE_VAL,
                                    .meaning = "weight of the exploration term"},
                                   {0}};

static wal_status create(const wal_params *params, wal_transfer_method *m) {
  WAL_TRY(wal_transfer_learner_create(m, sizeof(wal_transfer_learner), 0));
  wal_transfer_learner *self = m->self;
  self->strength = wal_params_real(params, "alpha");
  self->against_other = true;
  return WAL_OK;
}

static wal_status refit(wal_transfer_method *m) {
  wal_transfer_learner *self = m->self;
  wal_loss loss = wal_fit_logistic(m->setup.fit, m->fitted);
  wal_loss_exploration(m, self->strength, self->partition, self->linear, &loss);
  return wal_fit_minimize(m->setup.fit, &loss, m->memory);
}

const wal_transfer_method_type wal_transfer_method_xpo = {
    .struct_size = sizeof(wal_transfer_method_type),
    .component = {.name = "xpo",
                  .kind = "transfer_method",
                  .summary =
                      "is optimistic: makes the reference policy's own responses less likely",
                  .source = "Xie et al. 2024, arXiv 2405.21046",
                  .params = PARAMS},
    .create = create,
    .destroy = wal_transfer_learner_destroy,
    .refit = refit,
    .derive = wal_transfer_learner_derive,
    .propose = wal_transfer_learner_propose,
    .finish = wal_transfer_learner_finish};
