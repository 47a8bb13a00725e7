// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_INCENTIVES_STEER_SOCIETY_H
#define WALRAS_INCENTIVES_STEER_SOCIETY_H

#include "incentives/steer/agents.h"

enum { WAL_SOCIETY_GROUPS = 16 };

/** Who learns: groups of agents with rules of their own, infinitely many agents or so many. */
typedef struct wal_society {
  int groups;
  wal_agents agents[WAL_SOCIETY_GROUPS];
  double share[WAL_SOCIETY_GROUPS]; /**< of the agents, > 0; sum 1 */
  int64_t count;                    /**< N of each population, each with a policy of its own; 0: a
                                         policy a group, in the mean field */
  double spread;                    /**< standard deviation of the N agents' first logits */
  bool own_trajectory;              /**< agents learn from what they met with themselves, and not
                                         from what every action was worth */
} wal_society;

/** Kinds of components that a society is made of. */
#define WAL_SOCIETY_KINDS "agent|mixture|crowd"
extern const wal_component wal_mixture_component, wal_individuals_component;

/** One group of all. */
wal_society wal_society_of(const wal_agents *agents);

/** WAL_EINPUT by wal_params_fail().
 *  @param params    resolved parameters of one of WAL_SOCIETY_KINDS
 *  @param episodes  T */
wal_status wal_society_create(wal_ctx *ctx, const wal_params *params,
                              const wal_catalogue *catalogue, int64_t episodes, wal_society *out);

/** Of agents 0 .. N - 1 the first one of a group; that of group `groups` is N. */
int64_t wal_society_first(const wal_society *society, int group);

#endif
