// SPDX-License-Identifier: GPL-3.0-or-later
#include "rlhf/learner.h"

/* Both responses from the Gibbs policy of the maximum-likelihood reward: no exploration, which is
 * enough for logarithmic regret under a KL penalty (arXiv 2510.24700). */

static wal_status create(const wal_params *params, wal_transfer_method *m) {
  (void)params;
  return wal_transfer_learner_create(m, sizeof(wal_transfer_learner), 0);
}

const wal_transfer_method_type wal_transfer_method_greedy = {
    .struct_size = sizeof(wal_transfer_method_type),
    .component = {.name = "greedy",
                  .kind = "transfer_method",
                  .summary =
                      "draws both responses from the policy that is best for the reward learnt",
                  .source = "arXiv 2510.24700: greedy sampling under a KL penalty"},
    .create = create,
    .destroy = wal_transfer_learner_destroy,
    .refit = wal_transfer_learner_refit,
    .derive = wal_transfer_learner_derive,
    .propose = wal_transfer_learner_propose,
    .finish = wal_transfer_learner_finish};
