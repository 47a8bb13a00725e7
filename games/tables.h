// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_GAMES_TABLES_H
#define WALRAS_GAMES_TABLES_H

#include "io/table_file.h"
#include "sim/game/game.h"

/* The tables of a game that another program wrote (docs/tabulated.md). */

enum { WAL_TABLES_NAME = 32 };

/**
 * Sparse rows, one for every (stage if there are several, state, action), in this order. Entries of
 * weight 0 are left out.
 */
typedef struct wal_sparse {
  int stages;     /**< 0: there is no such matrix */
  int64_t rows;   /**< stages * S * A */
  int64_t *start; /**< [rows + 1] */
  int32_t *column;
  double *weight;
} wal_sparse;

typedef struct wal_tables {
  int horizon;
  int64_t states;
  int actions;
  double *initial;
  wal_sparse kernel;      /**< of 1 or H - 1 stages; rows of illegal pairs are empty */
  int reward_stages;      /**< 1 or H */
  double *reward;         /**< [stages][A][S]; 0 where the action is illegal */
  wal_sparse mass_reward; /**< of no, 1 or H stages */
  unsigned char *legal;   /**< [A][S]; NULL: all actions are legal */
  int axes;               /**< 0: not told */
  int64_t size[WAL_AXES]; /**< of the axes */
  char axis[WAL_AXES][WAL_TABLES_NAME];
  char (*action)[WAL_TABLES_NAME]; /**< [A]; NULL: the actions have no names */
} wal_tables;

/**
 * Reads and checks all tables of a game. Rank-local.
 * @param horizon  decision stages; 0: as many as the file says
 */
wal_status wal_tables_read(wal_ctx *ctx, wal_table_file *file, int horizon, wal_tables *out);
void wal_tables_free(wal_ctx *ctx, wal_tables *tables);

/** Sixteen digits that change when any number or name in the tables does (not with the horizon). */
void wal_tables_checksum(const wal_tables *tables, char out[17]);

/** Row of (stage, state, action). */
static inline int64_t wal_tables_row(const wal_tables *tables, const wal_sparse *matrix, int stage,
                                     int64_t state, int action) {
  const int64_t layer = matrix->stages > 1 ? stage : 0;
  return (layer * tables->states + state) * tables->actions + action;
}

#endif
