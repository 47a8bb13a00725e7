// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_INCENTIVES_DESIGN_DRAWS_H
#define WALRAS_INCENTIVES_DESIGN_DRAWS_H

#include "sim/core/random.h"
#include "sim/game/game.h"

/**
 * Games drawn at random (Corecco et al. 2025, setting A3): numbers of the game's parameters,
 * uniform in ranges, and all that the game itself draws from the seed (a prior dirichlet{}, random
 * tables), which is drawn anew.
 */
typedef struct wal_draws wal_draws;

/** A number that is drawn. */
typedef struct wal_drawn_number {
  char *path;             /**< in the game, as "mechanism.cap" */
  double low, high;       /**< inclusive range */
  wal_params *owner;      /**< the part of the game's parameters that has it; NULL: none does */
  const wal_param *param; /**< whole numbers are drawn where it is an INTEGER */
  bool given;             /**< what stands in its place meanwhile: whether it was given, ... */
  double number;          /**< ... and the number */
} wal_drawn_number;

/** What is drawn. */
struct wal_draws {
  int64_t count;            /**< numbers that are drawn */
  wal_drawn_number *number; /**< [count] */
  uint64_t seed;            /**< the context's, meanwhile */
};

/** Which of the games. A draw depends on nothing else. */
typedef struct wal_draw_key {
  uint64_t seed;               /**< of the run, or a fixed one for held-out games */
  wal_purpose purpose;         /**< which stream */
  int64_t restart, step, draw; /**< restart of the design, its step, and the game of the step */
} wal_draw_key;

/** Of the games of a step of a design: of the context's seed. */
wal_draw_key wal_draw_of_step(const wal_ctx *ctx, int64_t restart, int64_t step, int64_t draw);
/** Of those that designs are assessed in: always the same ones, whatever the seed. */
wal_draw_key wal_draw_held_out(int64_t draw);

/**
 * Reads a table of ranges, { goods = {0.6, 1.2} }, whose keys are paths in the game's parameters.
 * Rank-local. WAL_EINPUT by name.
 * @param task     has the table as its parameter `name`, a WAL_ANY
 * @param game     where numbers are put while a drawn game is made; outlives the draws
 * @param lenient  paths that the game does not have are passed over (but count in the draws)
 */
wal_status wal_draws_create(wal_ctx *ctx, const wal_params *task, const char *name,
                            wal_params *game, bool lenient, wal_draws **out);
/** Frees them and sets *draws to NULL; NULL is let pass. Rank-local. */
void wal_draws_destroy(wal_ctx *ctx, wal_draws **draws);

/** WAL_EINPUT if a game at an end of a range cannot be made, or has not the sizes of the game as it
 *  is written. Rank-local. */
wal_status wal_draws_check(wal_ctx *ctx, wal_draws *draws, const wal_params *task, const char *name,
                           const wal_game_type *type, wal_params *game);

/** The number that stands at path `index` in a drawn game. */
double wal_draws_number(const wal_draws *draws, const wal_draw_key *key, int64_t index);

/** From here to wal_draws_end(), a game that is made of the parameters in the context is the drawn
 *  one. Rank-local, the same on all ranks. */
void wal_draws_begin(wal_draws *draws, wal_ctx *ctx, const wal_draw_key *key);
/** Puts back what wal_draws_begin() replaced. */
void wal_draws_end(wal_draws *draws, wal_ctx *ctx);

#endif
