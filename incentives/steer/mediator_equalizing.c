// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <string.h>

#include "incentives/steer/equalizer.h"

/* Knows no transitions and needs none: r + payment is 1, the incentive, and what rewards are
   overpaid for not being known. */

static const wal_param PARAMS[] = {
    WAL_EQUALIZER_ETA_PARAM,
    {.name = "reward",
     .type = WAL_TEXT,
     .text = "unknown",
     .choices = "zero|known|unknown",
     .meaning = "whether it takes rewards for 0, knows them, or estimates them"},
    WAL_EQUALIZER_BONUS_PARAMS,
    WAL_EQUALIZER_REWARD_BONUS_PARAM,
    WAL_EQUALIZER_REGRESSION_PARAMS,
    {0}};

static wal_knowledge reward_of(const wal_params *params) {
  const char *text = wal_params_text(params, "reward");
  if (strcmp(text, "known") == 0) return WAL_KNOWLEDGE_EXACT;
  return strcmp(text, "zero") == 0 ? WAL_KNOWLEDGE_ZERO : WAL_KNOWLEDGE_ESTIMATED;
}

static unsigned knows(const wal_params *params) {
  return reward_of(params) == WAL_KNOWLEDGE_EXACT ? WAL_KNOWS_REWARD : 0;
}

static wal_status create(const wal_params *params, wal_mediator *m) {
  const wal_equalizer like = {.model = WAL_KNOWLEDGE_ZERO,
                              .reward = reward_of(params),
                              .incentive = WAL_INCENTIVE_CENTRED,
                              .eta = wal_params_real(params, "eta"),
                              .reward_bonus = wal_params_real(params, "reward_bonus"),
                              .rigorous = strcmp(wal_params_text(params, "bonus"), "rigorous") == 0,
                              .failure = wal_params_real(params, "failure")};
  return wal_equalizer_create(params, m, &like);
}

/* A stage's payments are raised together until none is negative, which changes no choice. */
static void pay(wal_mediator *m, const wal_observation *seen) {
  const wal_equalizer *e = m->self;
  const int64_t states = m->setup.states, pairs = states * m->setup.actions;
  const double top = e->reward == WAL_KNOWLEDGE_ZERO ? 0 : 1;
  wal_equalizer_incentives(m, seen);
  wal_equalizer_rewards(m, seen);
  for (int h = m->setup.horizon - 1; h >= 0; h--) {
    double *payment = m->payment + h * pairs, least = 0;
    for (int64_t i = 0; i < pairs; i++) {
      payment[i] = top - e->reward_bound[h * pairs + i] + m->incentive[h * pairs + i];
      if (wal_mediator_legal(m, i) && payment[i] < least) least = payment[i];
    }
    for (int64_t i = 0; i < pairs; i++)
      payment[i] = wal_mediator_legal(m, i) ? payment[i] - least : 0;
    for (int64_t s = 0; s < states; s++)
      m->potential[h * states + s] = top - least + m->potential[(h + 1) * states + s];
  }
}

const wal_mediator_type wal_mediator_equalizing = {
    .struct_size = sizeof(wal_mediator_type),
    .component = {.name = "equalizing",
                  .kind = "mediator",
                  .summary = "knows no transitions: pays what rewards lack to 1, then leads",
                  .source = "docs/steering.md",
                  .params = PARAMS},
    .knows = knows,
    .create = create,
    .destroy = wal_equalizer_destroy,
    .start = wal_equalizer_start,
    .restored = wal_equalizer_restored,
    .pay = pay,
    .learn = wal_equalizer_learn};
