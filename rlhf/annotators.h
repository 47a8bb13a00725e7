// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_RLHF_ANNOTATORS_H
#define WALRAS_RLHF_ANNOTATORS_H

#include "rlhf/bandit.h"

/**
 * Who answers. Of `count` annotators one is drawn in each round; annotator i prefers a to b with
 * probability sigma((r_i(a) - r_i(b)) / tau_i), r_i = r* + spread N(0,1) of its own for each prompt
 * and response, tau_i = exp(noise N(0,1)). Count 0: one with r* and tau = 1. Everything follows
 * from the seed, nothing is stored.
 */
typedef struct wal_annotators {
  int64_t count;
  double spread, noise;
} wal_annotators;

extern const wal_component wal_annotators_component;

/** @param params  NULL: one annotator with r* */
wal_annotators wal_annotators_of(const wal_params *params);

/** Who answers in a round: 0 .. count - 1. */
int64_t wal_annotators_pick(const wal_annotators *annotators, uint64_t seed, int64_t round);
/** r_i(s,a), of pair s A + a. */
double wal_annotators_reward(const wal_annotators *annotators, const wal_bandit *bandit,
                             uint64_t seed, int64_t annotator, int64_t pair);
/** tau_i. */
double wal_annotators_temperature(const wal_annotators *annotators, uint64_t seed,
                                  int64_t annotator);

#endif
