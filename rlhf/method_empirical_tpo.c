// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <string.h>

#include "rlhf/learner.h"

/*
 * In blocks: pi_OL stays as it is, and in every round the arm, a source or pi_OL itself, with the
 * largest upper bound of its rate of wins against pi_OL proposes, where pi_OL counts as winning
 * with rate `bar`. At the end of a block pi_OL is fitted to all comparisons and counting begins
 * anew.
 */

typedef struct empirical {
  wal_transfer_learner learner; /* pi_OL */
  bool best_of;
  double bar, coefficient;
  int64_t block;
} empirical;

enum { CANDIDATES = 8, REPLACED = 4 };

static const wal_param PARAMS[] = {
    {.name = "mode",
     .type = WAL_TEXT,
     .text = "pairwise",
     .choices = "pairwise|best_of",
     .meaning = "a win is a comparison with a response of the online policy that is won, or the "
                "best of 8 responses being one of the 4 that the source put in their place"},
    {.name = "bar",
     .type = WAL_REAL,
     .number = 0.55,
     .low = 0,
     .high = 1,
     .meaning = "rate of wins that the online policy is taken to have"},
    {.name = "coefficient",
     .type = WAL_REAL,
     .number = 1,
     .low = 0,
     .high = HUGE_VAL,
     .meaning = "factor of the bonus 1 / sqrt(uses in the block)"},
    {.name = "block",
     .type = WAL_INTEGER,
     .number = 50,
     .low = 1,
     .high = 1e12,
     .meaning = "rounds of the first block; each is twice as long as the one before"},
    {0}};

/* Memory after theta: end of the block, its length, then uses and wins of sources and pi_OL. */
enum { END, LENGTH, USES };

static double *tally(const wal_transfer_method *m) {
  return m->memory + wal_fit_dimension(m->setup.fit);
}

static double *wins(const wal_transfer_method *m) { return tally(m) + USES + m->setup.sources + 1; }

static wal_status create(const wal_params *params, wal_transfer_method *m) {
  WAL_TRY(wal_transfer_learner_create(m, sizeof(empirical), USES + 2 * (m->setup.sources + 1)));
  empirical *self = m->self;
  self->best_of = wal_params_text(params, "mode")[0] == 'b';
  self->bar = wal_params_real(params, "bar");
  self->coefficient = wal_params_real(params, "coefficient");
  self->block = wal_params_integer(params, "block");
  return WAL_OK;
}

static void start(wal_transfer_method *m) {
  tally(m)[END] = tally(m)[LENGTH] = (double)((empirical *)m->self)->block;
}

static wal_status refit(wal_transfer_method *m) {
  double *t = tally(m);
  if ((double)m->fitted < t[END] && m->fitted < m->setup.rounds) return WAL_OK;
  t[LENGTH] *= 2;
  t[END] = (double)m->fitted + t[LENGTH];
  memset(t + USES, 0, (size_t)(2 * (m->setup.sources + 1)) * sizeof *t);
  return wal_transfer_learner_refit(m);
}

static void propose(wal_transfer_method *m, int64_t round, wal_proposal *out) {
  const empirical *self = m->self;
  const int64_t online = m->setup.sources;
  const double *uses = tally(m) + USES, *won = wins(m), unused = 1e-6;
  double most = -INFINITY;
  int64_t arm = online;
  for (int64_t w = 0; w <= online; w++) {
    const double rate = w == online ? self->bar : uses[w] > 0 ? won[w] / uses[w] : 0;
    const double bound = rate + self->coefficient / sqrt(uses[w] + unused);
    if (bound > most) arm = w;
    most = bound > most ? bound : most;
  }
  wal_transfer_learner_propose(m, round, out);
  out->arm = (int)arm;
  if (arm < online) out->first = &m->problem.source[arm];
  if (!self->best_of) return;
  out->candidates = CANDIDATES;
  out->replaced = REPLACED;
}

static void observe(wal_transfer_method *m, int64_t round, const wal_proposal *proposal,
                    const wal_outcome *seen) {
  (void)round;
  tally(m)[USES + proposal->arm]++;
  wins(m)[proposal->arm] += proposal->candidates > 0 ? seen->hit : seen->preference.won;
}

const wal_transfer_method_type wal_transfer_method_empirical_tpo = {
    .struct_size = sizeof(wal_transfer_method_type),
    .component = {.name = "empirical_tpo",
                  .kind = "transfer_method",
                  .summary = "transfers from the source that wins most against the online policy",
                  .source = "Huang et al. 2025, arXiv 2502.19255, section 5",
                  .params = PARAMS},
    .create = create,
    .destroy = wal_transfer_learner_destroy,
    .start = start,
    .refit = refit,
    .derive = wal_transfer_learner_derive,
    .propose = propose,
    .observe = observe,
    .finish = wal_transfer_learner_finish};
