// SPDX-License-Identifier: GPL-3.0-or-later
#include "rlhf/learner.h"

/* All first responses from one source; what is handed over is learnt from their comparisons with
 * the reference policy's. */

typedef struct pure {
  wal_transfer_learner learner;
  int64_t source; /* counted from 0 */
} pure;

static const wal_param PARAMS[] = {{.name = "source",
                                    .type = WAL_INTEGER,
                                    .number = 1,
                                    .low = 1,
                                    .high = 1e4,
                                    .meaning = "number of the source, counted from 1"},
                                   {0}};

static wal_status create(const wal_params *params, wal_transfer_method *m) {
  const int64_t source = wal_params_integer(params, "source");
  if (source > m->setup.sources)
    return wal_params_fail(m->setup.ctx, params, "source",
                           "expected the number of a source, of which there are %lld, got %lld",
                           (long long)m->setup.sources, (long long)source);
  WAL_TRY(wal_transfer_learner_create(m, sizeof(pure), 0));
  ((pure *)m->self)->source = source - 1;
  return WAL_OK;
}

static wal_status refit(wal_transfer_method *m) {
  return m->fitted < m->setup.rounds ? WAL_OK : wal_transfer_learner_refit(m);
}

static void propose(wal_transfer_method *m, int64_t round, wal_proposal *out) {
  const int64_t source = ((pure *)m->self)->source;
  (void)round;
  *out = (wal_proposal){
      .arm = (int)source, .first = &m->problem.source[source], .second = &m->reference};
}

const wal_transfer_method_type wal_transfer_method_pure_source = {
    .struct_size = sizeof(wal_transfer_method_type),
    .component = {.name = "pure_source",
                  .kind = "transfer_method",
                  .summary = "collects with one source only, and learns from that at the end",
                  .source = "Huang et al. 2025, arXiv 2502.19255, whose baselines these are",
                  .params = PARAMS},
    .create = create,
    .destroy = wal_transfer_learner_destroy,
    .refit = refit,
    .derive = wal_transfer_learner_derive,
    .propose = propose,
    .finish = wal_transfer_learner_finish};
