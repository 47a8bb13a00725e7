// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_GAME_SPACE_H
#define WALRAS_SIM_GAME_SPACE_H

#include "sim/game/moves.h"
#include "sim/game/noise.h"

/**
 * A game laid out over the ranks: partitions, kernels, exchange plans. Made once; sweeps of any
 * number of policies share it.
 *
 * Arrays over the states of this rank hold states.count numbers. Arrays over (state, action) of one
 * stage are tile by tile [action][tile size], so that a tile lies together in memory and loops over
 * its states are contiguous for every action; the last tile is padded.
 */
typedef struct wal_space {
  wal_ctx *ctx;               /**< not its own */
  const wal_game *game;       /**< not its own */
  wal_partition states, post; /**< of the states, and of the post-decision states */
  int kernels;                /**< 1, or H - 1 if they vary */
  wal_moves **moves;          /**< [kernels] */
  wal_noise **noise;          /**< [kernels]; NULL: post-decision states are the next states */
  unsigned char
      *legal;    /**< array over (state, action) of one stage; NULL: all are, on every rank */
  int64_t tiles; /**< of this rank */
  int64_t pairs; /**< numbers in an array over (state, action) of one stage */
  int64_t halo;  /**< numbers in an array for wal_space_push() and wal_space_pull(): own states or
                      post-decision states, and away entries */
  int64_t row;   /**< from one stage to the next in arrays over (stage, state): such a row is itself
                      an array for wal_space_push() and wal_space_pull() */
} wal_space;

/** How to lay out; zero for the usual. For tests of what must not matter. */
typedef struct wal_space_options {
  int64_t block;       /**< states a block */
  wal_noise_form form; /**< of noise kernels */
} wal_space_options;

/**
 * Lays a game out. @collective ctx; asks the game for all maps and noise rows of own states.
 * @param game     must outlive the space
 * @param options  NULL for the usual
 * @return WAL_EINTERNAL, naming the place, if a map leads outside, a row of noise is no
 * distribution or a state has no legal action; WAL_EINPUT if the kernels do not fit into memory
 * Cost: every map and row once; memory as wal_moves_create() and wal_noise_create() need.
 */
wal_status wal_space_create(wal_ctx *ctx, const wal_game *game, const wal_space_options *options,
                            wal_space **out);
/** Frees it and sets *space to NULL; NULL is let pass. Rank-local. */
void wal_space_destroy(wal_space **space);

/** Where mass is moved to, given the row of the next stage's masses and scratch of halo size: one
 * of the two. */
static inline double *wal_space_target(const wal_space *space, double *next, double *scratch) {
  return space->noise ? scratch : next;
}

/** Empties what the maps of a stage reach in other blocks; with wal_space_clear_block() for every
 *  own block, all of `post`. */
void wal_space_clear_away(const wal_space *space, int stage, double *post);

/** Empties an own block's post-decision states: just before its first tile is moved, when they are
 *  about to be needed in cache. */
void wal_space_clear_block(const wal_space *space, int64_t block, double *post);

/**
 * Last part of the move step of a stage: from the mass on post-decision states to that on next
 * states.
 * @param post  wal_space_target() of `next`, which wal_moves_push() added to; overwritten
 * @param next  halo array that receives the own states' masses. @collective
 */
wal_status wal_space_push(const wal_space *space, int stage, double *post, double *next);

/**
 * Its transpose: from values of next states to values of post-decision states, ready for
 * wal_moves_pull().
 * @param next  halo array with the own states' values in front; its away part is overwritten
 * @param post  scratch halo array
 * @return through `value` one of the two. @collective
 */
wal_status wal_space_pull(const wal_space *space, int stage, double *next, double *post,
                          const double **value);

/** Adds what this rank sends in the wal_space_push() (or else the wal_space_pull()) of a stage. */
void wal_space_add_traffic(const wal_space *space, int stage, bool push, wal_traffic *sum);

/** The states of a tile of this rank as a slab. */
wal_slab wal_space_slab(const wal_space *space, int stage, int64_t tile);

/** The maps after a stage. */
static inline const wal_moves *wal_space_moves(const wal_space *space, int stage) {
  return space->moves[space->kernels > 1 ? stage : 0];
}

/** Where a tile's numbers begin in an array over (state, action). */
static inline int64_t wal_space_pair(const wal_space *space, int64_t tile) {
  return tile * space->game->shape.actions * space->states.tile;
}

/** Block that a tile of this rank belongs to. */
static inline int64_t wal_space_block(const wal_space *space, int64_t tile) {
  return space->states.first_block + tile / space->states.block_tiles;
}

/** Which pairs of a tile are legal, [A][tile]; NULL: all. */
static inline const unsigned char *wal_space_legal(const wal_space *space, int64_t tile) {
  return space->legal ? space->legal + wal_space_pair(space, tile) : NULL;
}

/** Numbers in a tile of an array over (state, action). */
static inline int64_t wal_space_tile_pairs(const wal_space *space) {
  return space->game->shape.actions * space->states.tile;
}

#endif
