// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_AGENTS_ALIAS_H
#define WALRAS_SIM_AGENTS_ALIAS_H

#include <stdint.h>

/**
 * Draws from a distribution over n things at a cost that does not depend on n (Walker 1977, Vose
 * 1991): a cell each, which one number picks evenly; a cell holds its own thing up to a threshold
 * and another one, its alias, beyond it.
 *
 * Made in whole numbers: every probability is rounded to a multiple q of 2^-32 / n, the remainder
 * goes to the most likely thing, and the cells hold exactly these q. What has probability 0 is
 * never drawn.
 */
typedef struct wal_alias {
  uint32_t threshold; /**< the cell's own share in 2^-32; a whole cell has alias = itself */
  uint32_t alias;
} wal_alias;

/** Scratch for wal_alias_build(), for n things. */
typedef struct wal_alias_room {
  uint64_t *share; /**< [n] */
  uint32_t *order; /**< [n] */
} wal_alias_room;

/**
 * @param count  n, 1 .. 2^31 - 1
 * @param step   the probabilities are p[0], p[step], p[2 step], ...; >= 0, scaled to the sum 1
 * @param out    [n]
 */
void wal_alias_build(int64_t count, const double *p, int64_t step, const wal_alias_room *room,
                     wal_alias *out);

/** The thing that a place in 0 .. 2^32 n - 1 stands for: a cell above, a share of it below. */
static inline uint32_t wal_alias_at(const wal_alias *table, uint64_t place) {
  const uint32_t cell = (uint32_t)(place >> 32), share = (uint32_t)place;
  const uint32_t own = (uint32_t)0 - (uint32_t)(share < table[cell].threshold);
  return table[cell].alias ^ ((table[cell].alias ^ cell) & own);
}

/** Draws with one word. A cell gets its 2^32 / n words up to one, so that a probability is right up
 *  to 2^-32 for each cell that holds some of it. */
static inline uint32_t wal_alias_draw(const wal_alias *table, uint32_t count, uint32_t word) {
  return wal_alias_at(table, (uint64_t)word * count);
}

/** Draws with two words, for many things: right up to n 2^-64 a cell. */
static inline uint32_t wal_alias_draw_fine(const wal_alias *table, uint32_t count, uint32_t word,
                                           uint32_t finer) {
  return wal_alias_at(table, (uint64_t)word * count + ((uint64_t)finer * count >> 32));
}

#endif
