// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_AGENTS_INDIVIDUAL_H
#define WALRAS_SIM_AGENTS_INDIVIDUAL_H

#include "sim/agents/crowd.h"

/* Looking at the agents of a crowd of type wal_crowd_individual, while it is watched. Agents are
 * numbered through: those of group 0 by population, then those of group 1, ... */

/** Number of the first agent of a population of a group. */
int64_t wal_individual_first(const wal_crowd *crowd, int group, int population);

/** Where an agent is and what it plays at the stage that is being seen. Rank-local; false on ranks
 *  that do not have this agent. */
bool wal_individual_look(const wal_crowd *crowd, int64_t agent, int32_t *state, int *action);

#endif
