// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_GAMES_CUSTOM_STATISTIC_H
#define WALRAS_GAMES_CUSTOM_STATISTIC_H

#include "games/custom_function.h"
#include "sim/game/game.h"

enum { WAL_CUSTOM_MOST_STATISTICS = 4096 };

typedef struct wal_custom_weights wal_custom_weights;

/** For custom*.c only: z_i = sum_{s,a} L_h(s,a) w_i(h,s,a), the weights w as sparse tables. Stages
 *  that follow each other with the same weights share them. */
typedef struct wal_custom_statistic {
  int numbers; /**< d */
  int horizon, actions;
  int64_t states;
  wal_custom_weights **of_stage; /**< [H] */
} wal_custom_statistic;

/** Calls `f` for all (h, s, a). `z` has horizon, actions, states; what it holds is freed with
 *  wal_custom_statistic_free(), also after a failure. */
wal_status wal_custom_statistic_tabulate(wal_ctx *ctx, const wal_custom_clock *clock,
                                         wal_custom_function *f, wal_custom_statistic *z);
void wal_custom_statistic_free(wal_ctx *ctx, wal_custom_statistic *z);

/** wal_game_type.couple. With policy NULL: of the uniform policy. */
void wal_custom_statistic_add(const wal_custom_statistic *z, const wal_slab *slab,
                              const double *mass, const double *policy, double *sum);

#endif
