// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_GAMES_CUSTOM_MOVES_H
#define WALRAS_GAMES_CUSTOM_MOVES_H

#include "games/custom_function.h"

/** For custom*.c only: where moves lead, as tables. Rows {target, probability} that are the same
 *  are kept once, as a post-decision state; numbered as (s, a, k) meet them first, so that moves
 *  along a grid are runs. If every row has one target there are no rows, only targets. */
typedef struct wal_custom_moves {
  int64_t states;
  int actions, outcomes;
  int kernels;     /**< 1, or one a move */
  int stages;      /**< that move: H - 1 */
  int terms;       /**< entries of the longest row; 0 without rows */
  int64_t post;    /**< post-decision states: most rows of a kernel; 0 without rows */
  int32_t *row;    /**< [kernels][K][A][S]: row in its kernel, or target */
  int64_t *first;  /**< [kernels + 1]: rows of each kernel */
  int64_t *start;  /**< [rows + 1]: entries of each row */
  int32_t *target; /**< of each entry */
  double *weight;  /**< of each entry, > 0 */
  int64_t row_room, entry_room;
} wal_custom_moves;

/** Calls `f` for all (h, s, a, k). `moves` has states, actions, outcomes and kernels; what it holds
 *  is freed with wal_custom_moves_free(), also after a failure. */
wal_status wal_custom_moves_tabulate(wal_ctx *ctx, const wal_custom_clock *clock,
                                     wal_custom_function *f, wal_custom_moves *moves);
void wal_custom_moves_free(wal_ctx *ctx, wal_custom_moves *moves);

/** wal_game_type.row_length and .noise of a kernel. */
int wal_custom_moves_length(const wal_custom_moves *moves, int kernel, int64_t first,
                            int64_t count);
void wal_custom_moves_noise(const wal_custom_moves *moves, int kernel, int64_t first, int64_t count,
                            int64_t *target, double *weight);

#endif
