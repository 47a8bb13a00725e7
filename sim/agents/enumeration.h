// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_AGENTS_ENUMERATION_H
#define WALRAS_SIM_AGENTS_ENUMERATION_H

#include "sim/agents/arena.h"

/**
 * A game among a few agents, exactly: every way in which the others may stand, act and move is gone
 * through. With (s, n) where an agent is and how many others are in each state,
 *
 *   Q_h(s,n,a) = E [r_h(s,a) + V_{h+1}(s',n')],   V_h = sum_a own(a|s) Q_h  or  max_a Q_h,
 *
 * the expectation over the others' actions by pi and over all moves. The second is the best
 * response of an agent who sees the counts, which is at least what one does who does not.
 */
typedef struct wal_enumeration {
  double value; /**< return of the agent who plays `own` */
  double best;  /**< that of an agent who answers it best */
} wal_enumeration;

enum { WAL_ENUMERATION_AGENTS = 8 };

/** Whether so many agents can be gone through: at most WAL_ENUMERATION_AGENTS in one population, in
 *  a game that forgets (nothing settled from earlier stages, or one stage), with at most about 10^8
 *  steps. Rank-local. */
bool wal_enumeration_possible(const wal_space *space, int64_t agents);

/**
 * @param own     [H] of [pairs]: policy of the one agent, at [s * A + a]
 * @param policy  [H] of [pairs]: pi_h(a|s), of the others
 * Rank-local. Overwrites the episode that the arena holds.
 */
wal_status wal_enumeration_run(wal_arena *arena, int64_t agents, const double *const *own,
                               const double *const *policy, wal_enumeration *out);

#endif
