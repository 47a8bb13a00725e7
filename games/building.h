// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_GAMES_BUILDING_H
#define WALRAS_GAMES_BUILDING_H

#include "games/grid.h"

/* What the games of buildings have in common: their actions, and the dislike of crowds. */

enum { WAL_BUILDING_DOWNSTAIRS = 4, WAL_BUILDING_UPSTAIRS, WAL_BUILDING_ACTIONS };

/** The actions before the stairs. */
extern const wal_grid_move wal_building_moves[WAL_BUILDING_DOWNSTAIRS];

#define WAL_BUILDING_LOG_OFFSET                    \
  WAL_GAME_REAL("log_offset", 1e-20, 0, 1, "mass", \
                "smallest mass under the logarithm, so that an empty state stays finite")

/** reward[i] = -weight ln(max(mass[i], least)). */
void wal_building_aversion(int64_t count, const double *mass, double least, double weight,
                           double *reward);

/** action_name() of these games. */
void wal_building_action_name(const void *self, int action, char *buffer, size_t size);

#endif
