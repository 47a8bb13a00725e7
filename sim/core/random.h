// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_CORE_RANDOM_H
#define WALRAS_SIM_CORE_RANDOM_H

#include <stdint.h>

/** What a draw is for. Each purpose is a stream of its own under one seed; append, never reorder.
 */
typedef enum wal_purpose {
  WAL_PURPOSE_TEST = 0,
  WAL_PURPOSE_GAME_TABLES = 1,
  WAL_PURPOSE_GARNET = 2,
  WAL_PURPOSE_PRIOR = 3,
  WAL_PURPOSE_LOTTERY_KEY = 4,
  WAL_PURPOSE_LOTTERY_SHARE = 5,
  WAL_PURPOSE_NETWORK = 6,
  WAL_PURPOSE_ONE_SHOT_VALUES = 7,
  WAL_PURPOSE_ONE_SHOT_TIES = 8,
  WAL_PURPOSE_ZEROTH_ORDER = 9,
  WAL_PURPOSE_ANNEAL = 10,
  WAL_PURPOSE_GRADIENT_CHECK = 11,
  WAL_PURPOSE_DESIGN_DRAW = 12,
  WAL_PURPOSE_DESIGN_HELD_OUT = 13,
  WAL_PURPOSE_EPISODE = 14,
  WAL_PURPOSE_AGENT = 15,
  WAL_PURPOSE_GUEST = 16,
  WAL_PURPOSE_COUNTS = 17,
  WAL_PURPOSE_TRAJECTORY = 18,
  WAL_PURPOSE_TRAJECTORY_NOISE = 19,
  WAL_PURPOSE_TARGET = 20,
  WAL_PURPOSE_BANDIT = 21,
  WAL_PURPOSE_SOURCE = 22,
  WAL_PURPOSE_PREFERENCE = 23,
  WAL_PURPOSE_ANNOTATOR = 24,
} wal_purpose;

/** Four words of Philox4x32-10 (Random123). */
typedef struct wal_random_words {
  uint32_t word[4]; /**< 32 random bits each */
} wal_random_words;

/**
 * The words of one draw. Key: (seed mod 2^32, the seed's upper half mixed with the purpose).
 * Counter: (item, stage, draw). A draw depends on nothing else: not on the rank that asks, nor on
 * the order of asking.
 * @param item   agent or other index, any 64-bit number
 */
wal_random_words wal_random(uint64_t seed, wal_purpose purpose, uint64_t item, uint32_t stage,
                            uint32_t draw);

/** Two numbers uniform on [0,1) with 53 bits each, from the words of one draw. */
static inline double wal_random_real(const wal_random_words *words, int which) {
  uint64_t high = words->word[2 * which] >> 5, low = words->word[2 * which + 1] >> 6;
  return (double)((high << 26) | low) * 0x1p-53;
}

/** A number uniform on [0,1). */
static inline double wal_random_uniform(uint64_t seed, wal_purpose purpose, uint64_t item,
                                        uint32_t stage, uint32_t draw) {
  wal_random_words words = wal_random(seed, purpose, item, stage, draw);
  return wal_random_real(&words, 0);
}

/** A normal deviate (mean 0, variance 1) from a number uniform on [0,1), by the inverse of the
 *  distribution function; 0, which has none, stands for 2^-54. */
double wal_random_normal(double uniform);

/**
 * The two numbers of one draw for each of `count` items from `item` on: first[i] and second[i] are
 * wal_random_real(wal_random(seed, purpose, item + i, stage, draw), 0 and 1), the same bits. About
 * 1.5 ns a number with AVX2.
 */
void wal_random_reals(uint64_t seed, wal_purpose purpose, uint64_t item, int64_t count,
                      uint32_t stage, uint32_t draw, double *first, double *second);

/**
 * The words of many draws: word[w][i] is word w of wal_random(seed, purpose, item + offset[i],
 * stage, draw), the same bits; a word that is NULL is not wanted.
 * @param offset  [count]; NULL: 0, 1, 2, ...
 * @param word    [count] each. About 0.7 ns a word with AVX2.
 */
void wal_random_arrays(uint64_t seed, wal_purpose purpose, uint64_t item, const uint32_t *offset,
                       int64_t count, uint32_t stage, uint32_t draw, uint32_t *const word[4]);

#endif
