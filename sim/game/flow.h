// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_GAME_FLOW_H
#define WALRAS_SIM_GAME_FLOW_H

#include "sim/game/policy.h"

/** The mean field that a policy induces: masses of all stages and the stages' statistics. */
typedef struct wal_flow {
  const wal_space *space;           /**< not its own */
  double *mass;                     /**< [H][space->row]: mu_h of own states, see wal_flow_mass() */
  double *statistics;               /**< [H][wal_game_statistics()]: z_h, the same on all ranks */
  struct wal_flow_scratch *scratch; /**< the flow's own */
} wal_flow;

/** Makes a flow whose stage 0 is the game's initial distribution.
 *  @param rereads  its sources can be read twice a tile for little: a stage's policy is not kept
 *                  where it is needed again
 *  @collective */
wal_status wal_flow_create(const wal_space *space, bool rereads, wal_flow *out);
/** Frees what it holds; a zeroed flow is let pass. Rank-local. */
void wal_flow_destroy(wal_flow *flow);

/**
 * Forward sweep: couple, settle, stage, move for h = 0 .. H-1.
 * Per stage: one read of the policy, one or two exchanges with neighbours, one gathering of block
 * sums if the game has a statistic. @collective. What the game's failure() says, if it has one
 * (WAL_EINPUT of a script). That masses are finite is not looked at.
 */
wal_status wal_flow_run(wal_flow *flow, const wal_policy *policy);

/**
 * Where a flow's policy comes from when it is not stored: begin() is called at each stage
 * (@collective), then read() once per tile (or, if the flow `rereads`, twice), with room for a
 * tile; it returns probabilities [A][stride], in `room` or elsewhere. The flow's masses of that
 * stage are complete by then.
 */
typedef struct wal_flow_source {
  wal_status (*begin)(void *user, int stage); /**< a stage begins */
  const double *(*read)(void *user, const wal_slab *slab, int64_t tile,
                        double *room); /**< the policy of a tile */
  void *user;                          /**< handed to both */
} wal_flow_source;

/** As wal_flow_run(), for a policy made on the way, all stages of it. @collective */
wal_status wal_flow_run_source(wal_flow *flow, const wal_flow_source *source);

/** What this rank exchanges in a run. */
wal_traffic wal_flow_traffic(const wal_space *space);

/** Own states' masses at a stage. */
static inline double *wal_flow_mass(const wal_flow *flow, int stage) {
  return flow->mass + stage * flow->space->row;
}

/** The statistic z_h of a stage. */
static inline double *wal_flow_statistic(const wal_flow *flow, int stage) {
  return flow->statistics + stage * wal_game_statistics(flow->space->game);
}

#endif
