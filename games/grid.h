// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_GAMES_GRID_H
#define WALRAS_GAMES_GRID_H

#include "games/common.h"

/** A rectangle of cells, numbered row by row. */
typedef struct wal_grid {
  int64_t rows, columns;
} wal_grid;

/** A move to one of the four neighbours, or none. */
typedef struct wal_grid_move {
  int row, column;
  const char *name;
} wal_grid_move;

enum { WAL_GRID_MOVES = 5 };

/** The cell of the grid nearest to (row, column), which may lie outside. */
static inline int64_t wal_grid_clip(const wal_grid *grid, int64_t row, int64_t column) {
  return wal_game_clip(row, 0, grid->rows - 1) * grid->columns +
         wal_game_clip(column, 0, grid->columns - 1);
}

#endif
