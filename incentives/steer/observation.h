// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_INCENTIVES_STEER_OBSERVATION_H
#define WALRAS_INCENTIVES_STEER_OBSERVATION_H

#include <stdbool.h>
#include <stdint.h>

/* What a mediator can know. This header and those of mediators include nothing of sim/game: a
 * mediator never has a game in its hands. Pairs of state and action are numbered s * A + a. */

/** A stage of a sampled trajectory. */
typedef struct wal_visit {
  int32_t state, action;
  double reward; /**< the game's, without payments, with noise */
} wal_visit;

/** What everybody sees of an episode. */
typedef struct wal_observation {
  int64_t episode;         /**< 1, 2, ... */
  const double *density;   /**< [H][S]: mu_t */
  const double *policy;    /**< [H][S * A]: pi_t */
  const wal_visit *visits; /**< [trajectories][H]; NULL until the episode has been played */
  int trajectories;
} wal_observation;

/**
 * What a mediator that knows the game may ask about it, of the episode at hand. One that does not
 * know transitions or rewards is given NULL in their place.
 */
typedef struct wal_known_game {
  /** out[s * A + a] = sum_s' P_h(s'|s,a) value[s']; 0 <= stage < H - 1. */
  void (*expect)(void *user, int stage, const double *value, double *out);
  /** out[s * A + a] = r_h(s,a,mu_t). */
  void (*reward)(void *user, int stage, double *out);
  void *user;
} wal_known_game;

#endif
