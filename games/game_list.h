// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_GAMES_GAME_LIST_H
#define WALRAS_GAMES_GAME_LIST_H

#include "sim/game/game.h"

/** Every game, in the order of `walras list games`: wal_game_NAME of games/NAME.c, of
 *  batched_auction in auctions/. */
#define WAL_GAME_LIST(X)  \
  X(batched_auction)      \
  X(beach_bar)            \
  X(bounded)              \
  X(building_evacuation)  \
  X(combination_lock)     \
  X(crowd_avoidance)      \
  X(crowd_modelling)      \
  X(crowd_modelling_2d)   \
  X(crowd_motion)         \
  X(custom)               \
  X(equilibrium_price)    \
  X(evacuation)           \
  X(garnet)               \
  X(left_right)           \
  X(linear_quadratic)     \
  X(predator_prey)        \
  X(random_linear)        \
  X(rock_paper_scissors)  \
  X(susceptible_infected) \
  X(tabulated)            \
  X(treasure_hunting)

#define WAL_GAME_DECLARE(name) extern const wal_game_type wal_game_##name;
WAL_GAME_LIST(WAL_GAME_DECLARE)
#undef WAL_GAME_DECLARE

/** Number of games of the library. */
int64_t wal_game_count(void);
/** One of them, 0 <= index < wal_game_count(). */
const wal_game_type *wal_game_at(int64_t index);
/** Game by name, NULL if there is none. */
const wal_game_type *wal_game_find(const char *name);

#endif
