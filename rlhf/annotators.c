// SPDX-License-Identifier: GPL-3.0-or-later
#include "rlhf/annotators.h"

#include <math.h>

#include "sim/core/random.h"

enum { STAGE_WHO, STAGE_REWARD, STAGE_TEMPERATURE };

static const wal_param PARAMS[] = {
    {.name = "count",
     .type = WAL_INTEGER,
     .number = 0,
     .low = 0,
     .high = 1e9,
     .meaning = "annotators, of whom one answers in a round; 0: one who has the true reward"},
    {.name = "spread",
     .type = WAL_REAL,
     .number = 0,
     .low = 0,
     .high = HUGE_VAL,
     .meaning = "standard deviation of an annotator's own reward around the true one"},
    {.name = "noise",
     .type = WAL_REAL,
     .number = 0,
     .low = 0,
     .high = 10,
     .meaning = "standard deviation of the logarithm of an annotator's temperature"},
    {0}};

const wal_component wal_annotators_component = {
    .name = "annotators",
    .kind = "annotator",
    .summary = "a population that answers, with rewards and attention of their own",
    .source = "docs/transfer.md",
    .params = PARAMS};

wal_annotators wal_annotators_of(const wal_params *params) {
  if (!params) return (wal_annotators){0};
  return (wal_annotators){.count = wal_params_integer(params, "count"),
                          .spread = wal_params_real(params, "spread"),
                          .noise = wal_params_real(params, "noise")};
}

int64_t wal_annotators_pick(const wal_annotators *annotators, uint64_t seed, int64_t round) {
  const double u = wal_random_uniform(seed, WAL_PURPOSE_ANNOTATOR, (uint64_t)round, STAGE_WHO, 0);
  const int64_t who = (int64_t)(u * (double)annotators->count);
  return who < annotators->count ? who : annotators->count - 1;
}

double wal_annotators_reward(const wal_annotators *annotators, const wal_bandit *bandit,
                             uint64_t seed, int64_t annotator, int64_t pair) {
  if (annotators->count == 0 || !(annotators->spread > 0)) return bandit->reward[pair];
  const double u = wal_random_uniform(seed, WAL_PURPOSE_ANNOTATOR, (uint64_t)pair, STAGE_REWARD,
                                      (uint32_t)annotator);
  return bandit->reward[pair] + annotators->spread * wal_random_normal(u);
}

double wal_annotators_temperature(const wal_annotators *annotators, uint64_t seed,
                                  int64_t annotator) {
  if (annotators->count == 0 || !(annotators->noise > 0)) return 1;
  const double u =
      wal_random_uniform(seed, WAL_PURPOSE_ANNOTATOR, (uint64_t)annotator, STAGE_TEMPERATURE, 0);
  return exp(annotators->noise * wal_random_normal(u));
}
