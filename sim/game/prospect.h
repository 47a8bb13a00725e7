// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_GAME_PROSPECT_H
#define WALRAS_SIM_GAME_PROSPECT_H

#include "sim/game/flow.h"
#include "sim/game/tile_step.h"

/**
 * What the actions of a tile's states promise at a stage: rewards, probabilities of outcomes and,
 * with the values of what is reached, action values
 *   q_h(s,a) = r_h(s,a) + sum_k c_{h,k}(s,a) (N V_{h+1})(t_k(s,a)).
 * Sweeps backwards and their adjoints both read it. Rank-local.
 */
typedef struct wal_prospect {
  const wal_space *space;
  double *reward;      /**< a tile, or one row if by_state */
  double *outcome;     /**< [K] tiles, or with action_outcome [K][A]; NULL with one outcome */
  bool by_state;       /**< `reward` holds one number a state */
  double *reached;     /**< with action_outcome, [K][tile size]: values of the targets */
  double *spread;      /**< and a tile: one outcome's probabilities */
  int outcome_stage;   /**< that `outcome` by action is of; -1: none */
  const double *given; /**< [H][space->pairs]: rewards in place of the game's; NULL: the game's */
} wal_prospect;

wal_status wal_prospect_create(const wal_space *space, wal_prospect *out);
void wal_prospect_destroy(wal_prospect *prospect);

/** To be said when statistics have changed: outcomes by action are asked for anew. */
static inline void wal_prospect_renew(wal_prospect *prospect) { prospect->outcome_stage = -1; }

/** Asks the game for rewards and, but at the last stage, outcomes of a tile, the population being
 *  that of `flow`, whose policy's probabilities are `pi`. */
void wal_prospect_stage(wal_prospect *prospect, const wal_flow *flow, const wal_slab *slab,
                        int64_t tile, const double *pi);

/* Of the tile that wal_prospect_stage() was called for; `post` holds values of post-decision
   states, ready for wal_moves_pull(), NULL at the last stage: */

/** Whether its action values can be told by what all actions of a state reach; then how. */
bool wal_prospect_tell(const wal_prospect *prospect, const double *post, const wal_slab *slab,
                       int64_t tile, wal_tile_value *out);
/** Its action values [A][stride], in `room` or elsewhere. */
const double *wal_prospect_values(const wal_prospect *prospect, const double *post,
                                  const wal_slab *slab, int64_t tile, double *room);

#endif
