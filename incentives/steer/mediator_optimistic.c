// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <string.h>

#include "incentives/steer/equalizer.h"

/* Pessimistic equalizing value iteration: what is not known is taken for as bad as it may be, and
   so overpaid, which makes agents try it. */

static const wal_param PARAMS[] = {
    WAL_EQUALIZER_ETA_PARAM,
    {.name = "model",
     .type = WAL_TEXT,
     .text = "unknown",
     .choices = "known|unknown",
     .meaning = "whether it knows transitions, or estimates them"},
    {.name = "reward",
     .type = WAL_TEXT,
     .text = "unknown",
     .choices = "zero|known|unknown",
     .meaning = "whether it takes rewards for 0, knows them, or estimates them"},
    WAL_EQUALIZER_BONUS_PARAMS,
    WAL_EQUALIZER_MODEL_BONUS_PARAM,
    WAL_EQUALIZER_REWARD_BONUS_PARAM,
    {.name = "reward_side",
     .type = WAL_TEXT,
     .text = "lower",
     .choices = "lower|upper",
     .meaning = "bound of estimated rewards that it takes for them: estimate - width or, an "
                "ablation, estimate + width, so that what is not known is underpaid"},
    WAL_EQUALIZER_REGRESSION_PARAMS,
    WAL_EQUALIZER_POOLED_PARAM,
    {0}};

static wal_knowledge model_of(const wal_params *params) {
  return strcmp(wal_params_text(params, "model"), "known") == 0 ? WAL_KNOWLEDGE_EXACT
                                                                : WAL_KNOWLEDGE_ESTIMATED;
}

static wal_knowledge reward_of(const wal_params *params) {
  const char *text = wal_params_text(params, "reward");
  if (strcmp(text, "known") == 0) return WAL_KNOWLEDGE_EXACT;
  return strcmp(text, "zero") == 0 ? WAL_KNOWLEDGE_ZERO : WAL_KNOWLEDGE_ESTIMATED;
}

static unsigned knows(const wal_params *params) {
  unsigned known = 0;
  if (model_of(params) == WAL_KNOWLEDGE_EXACT) known |= WAL_KNOWS_MODEL;
  if (reward_of(params) == WAL_KNOWLEDGE_EXACT) known |= WAL_KNOWS_REWARD;
  return known;
}

static wal_status create(const wal_params *params, wal_mediator *m) {
  const wal_equalizer like = {.model = model_of(params),
                              .reward = reward_of(params),
                              .incentive = WAL_INCENTIVE_CENTRED,
                              .eta = wal_params_real(params, "eta"),
                              .model_bonus = wal_params_real(params, "model_bonus"),
                              .reward_bonus = wal_params_real(params, "reward_bonus"),
                              .rigorous = strcmp(wal_params_text(params, "bonus"), "rigorous") == 0,
                              .upper = strcmp(wal_params_text(params, "reward_side"), "upper") == 0,
                              .failure = wal_params_real(params, "failure")};
  return wal_equalizer_create(params, m, &like);
}

const wal_mediator_type wal_mediator_optimistic = {
    .struct_size = sizeof(wal_mediator_type),
    .component = {.name = "optimistic",
                  .kind = "mediator",
                  .summary = "learns the game as it pays: as known_model{}, but on the safe side",
                  .source = "docs/steering.md",
                  .params = PARAMS},
    .knows = knows,
    .create = create,
    .destroy = wal_equalizer_destroy,
    .start = wal_equalizer_start,
    .restored = wal_equalizer_restored,
    .pay = wal_equalizer_pay,
    .learn = wal_equalizer_learn};
