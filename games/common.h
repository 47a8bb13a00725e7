// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_GAMES_COMMON_H
#define WALRAS_GAMES_COMMON_H

#include "sim/game/game.h"

/* What several games declare and do in the same way. */

enum { WAL_GAME_MOST_STAGES = 1000000, WAL_GAME_MOST_CELLS = 1000000 };

/** A parameter that is a whole number in an inclusive range; `unit_` NULL: none. */
#define WAL_GAME_INTEGER(name_, default_, low_, high_, unit_, meaning_)                         \
  {                                                                                             \
    .name = (name_), .type = WAL_INTEGER, .number = (default_), .low = (low_), .high = (high_), \
    .unit = (unit_), .meaning = (meaning_)                                                      \
  }

/** The same of a number. */
#define WAL_GAME_REAL(name_, default_, low_, high_, unit_, meaning_)                         \
  {                                                                                          \
    .name = (name_), .type = WAL_REAL, .number = (default_), .low = (low_), .high = (high_), \
    .unit = (unit_), .meaning = (meaning_)                                                   \
  }

/** The parameter `horizon`: decision stages. */
#define WAL_GAME_HORIZON(default_)                                         \
  WAL_GAME_INTEGER("horizon", default_, 1, WAL_GAME_MOST_STAGES, "stages", \
                   "decision stages, each with a move and a reward")

/** A parameter that counts rows, columns or places of a grid. */
#define WAL_GAME_CELLS(name_, default_, meaning_) \
  WAL_GAME_INTEGER(name_, default_, 1, WAL_GAME_MOST_CELLS, "cells", meaning_)

/** The parameter `log_offset` of wal_game_aversion(). */
#define WAL_GAME_LOG_OFFSET(default_)                 \
  WAL_GAME_REAL("log_offset", default_, 0, 1, "mass", \
                "added to the mass under the logarithm, so that an empty state stays finite")

/** A starting distribution; behind its meaning what else it has: .optional, or .array and .extent.
 */
#define WAL_GAME_INITIAL(meaning_, ...)                                                   \
  {                                                                                       \
    .name = "initial", .type = WAL_ARRAY, .rank = 1, .low = 0, .high = 1, .unit = "mass", \
    .meaning = (meaning_), __VA_ARGS__                                                    \
  }

/** destroy() of games that own nothing but their struct, from wal_acquire(), or nothing at all. */
void wal_game_free(wal_ctx *ctx, void *self);

/** Part [first, first + count) of a starting distribution; NULL: uniform over `states`. */
void wal_game_start(const double *distribution, int64_t states, int64_t first, int64_t count,
                    double *mass);

/** reward[i] = -ln(mass[i] + offset): the dislike of crowds. */
void wal_game_aversion(int64_t count, const double *mass, double offset, double *reward);

/** Of weight * wal_game_aversion(), paid in each of `rows` rows that lie `stride` apart:
 *  mass_bar[i] -= weight / (mass[i] + offset) * (sum over the rows of reward_bar[row][i]). */
void wal_game_aversion_vjp(int rows, int64_t stride, int64_t count, double weight,
                           const double *mass, double offset, const double *reward_bar,
                           double *mass_bar);

/** Of -weight ln(max(mass[i], low)), which is flat up to `low`. */
void wal_game_raised_aversion_vjp(int64_t count, double weight, const double *mass, double low,
                                  const double *reward_bar, double *mass_bar);

/** sum[i] = x[0][i] + ... + x[rows - 1][i] of rows that lie `stride` apart. */
void wal_game_sum_rows(int rows, int64_t stride, int64_t count, const double *x, double *sum);

/** y[i] += factor * x[i]. */
void wal_game_add_scaled(int64_t count, double factor, const double *x, double *y);

/** x[i] *= factor. */
void wal_game_scale(int64_t count, double factor, double *x);

/** Writes one of `names` as an action's name. */
void wal_game_label(const char *const *names, int action, char *buffer, size_t size);

/** The number of low .. high that is nearest to x. */
static inline int64_t wal_game_clip(int64_t x, int64_t low, int64_t high) {
  return x < low ? low : x > high ? high : x;
}

#endif
