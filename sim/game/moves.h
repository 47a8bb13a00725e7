// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_GAME_MOVES_H
#define WALRAS_SIM_GAME_MOVES_H

#include "sim/game/game.h"
#include "sim/game/reach.h"

/** The maps t_k(s,a) of a game to post-decision states, as runs, for the tiles of this rank. */
typedef struct wal_moves wal_moves;

/**
 * Asks the game for its maps at a stage and plans the exchange.
 * @param states,post  partitions of the states and of the post-decision states
 * @collective ctx. WAL_EINTERNAL if the game gives a target outside the post-decision states.
 */
wal_status wal_moves_create(wal_ctx *ctx, const wal_game *game, int stage,
                            const wal_partition *states, const wal_partition *post,
                            wal_moves **out);
/** Frees them and sets *moves to NULL; NULL is let pass. Rank-local. */
void wal_moves_destroy(wal_moves **moves);

/** Exchange of arrays over post-decision states. */
wal_halo *wal_moves_halo(const wal_moves *moves);

/** post[t_k(s,a)] += joint[a][s] for the states of a tile. joint is [A][stride]. */
void wal_moves_push(const wal_moves *moves, int64_t tile, int outcome, int64_t stride,
                    const double *joint, double *post);

/** post[t_0(s,a)] += mass[s] * pi[a][s]: the same for games of one outcome, without the joint. */
void wal_moves_push_mass(const wal_moves *moves, int64_t tile, int64_t stride, const double *mass,
                         const double *pi, double *post);

/** value[a][s] = base[a][s] + weight[a][s] * post[t_k(s,a)]; weight NULL counts as 1; base may be
 *  value itself.
 *  @param base_stride  from one action to the next in base: `stride`, or 0 for one row for all */
void wal_moves_pull(const wal_moves *moves, int64_t tile, int outcome, int64_t stride,
                    const double *weight, const double *post, int64_t base_stride,
                    const double *base, double *value);

/* Where all actions lead to the same places (and games say that their outcomes' probabilities
   depend on the action only), there is one target a state and outcome: */

/** Whether that is so for the states of a tile; false for games without that property. */
bool wal_moves_by_state(const wal_moves *moves, int64_t tile);
/** post[t_k(s)] += mass[s]. */
void wal_moves_push_states(const wal_moves *moves, int64_t tile, int outcome, const double *mass,
                           double *post);
/** reached[s] = post[t_k(s)]. */
void wal_moves_pull_states(const wal_moves *moves, int64_t tile, int outcome, const double *post,
                           double *reached);

/** best[s] = max_a (base[a][s] + post[t_0(s,a)]), a NaN staying one: for games of one outcome. */
void wal_moves_pull_max(const wal_moves *moves, int64_t tile, const double *post,
                        int64_t base_stride, const double *base, double *best);

#endif
