// SPDX-License-Identifier: GPL-3.0-or-later
/* Alias tables, by what their cells hold and how many words fall to each thing, not by drawing; and
 * words drawn side by side. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/agents/alias.h"
#include "sim/core/random.h"

#include "tests/support/harness.h"

enum { MOST = 5000 };

static wal_alias table[MOST];
static double p[2 * MOST], held[MOST], words[MOST];
static int cells[MOST]; /* that hold some of a thing */

static void build(int64_t count, int64_t step) {
  static uint64_t share[MOST];
  static uint32_t order[MOST];
  const wal_alias_room room = {share, order};
  wal_alias_build(count, p, step, &room, table);
}

/* Words w with cell j and a share below t: ceil((2^32 j + t) / n) - ceil(2^32 j / n). */
static uint64_t words_below(uint64_t place, uint64_t count) { return (place + count - 1) / count; }

/* Reads the table back: the probability that its cells hold, and the share of words. */
static void read_back(int64_t count) {
  const uint64_t n = (uint64_t)count;
  for (int64_t i = 0; i < count; i++) held[i] = words[i] = cells[i] = 0;
  for (uint64_t j = 0; j < n; j++) {
    const uint64_t own = table[j].threshold, first = j << 32;
    const uint64_t of_own = words_below(first + own, n) - words_below(first, n);
    const uint64_t of_both = words_below(first + (UINT64_C(1) << 32), n) - words_below(first, n);
    assert_true(table[j].alias < n);
    held[j] += (double)own * 0x1p-32 / (double)count;
    words[j] += (double)of_own * 0x1p-32;
    held[table[j].alias] += (1 - (double)own * 0x1p-32) / (double)count;
    words[table[j].alias] += (double)(of_both - of_own) * 0x1p-32;
    cells[j]++;
    cells[table[j].alias] += table[j].alias != j;
    assert_true(wal_alias_at(table, first + own) == table[j].alias);
    if (own > 0) assert_true(wal_alias_at(table, first + own - 1) == j);
  }
}

static void check(int64_t count, int64_t step) {
  double sum = 0;
  for (int64_t i = 0; i < count; i++) sum += p[i * step];
  build(count, step);
  read_back(count);
  for (int64_t i = 0; i < count; i++) {
    const double right = p[i * step] / sum;
    WAL_ASSERT_WITHIN(held[i], right, 0x1p-32);
    WAL_ASSERT_WITHIN(words[i], right, (1 + cells[i]) * 0x1p-32);
    if (p[i * step] == 0) assert_true(held[i] == 0 && words[i] == 0);
  }
}

static void tables_hold_the_probabilities(void **state) {
  (void)state;
  const int64_t counts[] = {1, 2, 3, 7, 100, 101, 1000, MOST};
  for (int c = 0; c < 8; c++)
    for (int kind = 0; kind < 6; kind++) {
      const int64_t n = counts[c], step = 1 + kind % 2;
      for (int64_t i = 0; i < n; i++) {
        const double u = wal_random_uniform(3, WAL_PURPOSE_TEST, (uint64_t)i, (uint32_t)kind, 0);
        const double kinds[] = {
            1, u, u * u * u * u, exp(-60 * u), u < 0.7 ? 0 : u, i == n / 2 ? 1 : 0};
        p[i * step] = kinds[kind] / (double)n;
      }
      if (kind == 4) p[0] = 0.25;
      check(n, step);
    }
}

/* Sums that are not quite 1 are scaled; a power of two is held to the last bit. */
static void sums_are_scaled(void **state) {
  (void)state;
  for (int i = 0; i < 4; i++) p[i] = (double)(i + 1) * 0.7;
  check(4, 1);
  const double exact[4] = {0.5, 0.125, 0.375, 0};
  memcpy(p, exact, sizeof exact);
  build(4, 1);
  read_back(4);
  for (int i = 0; i < 4; i++) assert_true(held[i] == exact[i] && words[i] == exact[i]);
}

static void finer_words(void **state) {
  (void)state;
  for (int i = 0; i < 3; i++) p[i] = 1;
  build(3, 1);
  // The cell of 2^64 x is that of 3 x: 1/3 and 2/3 lie between these.
  assert_int_equal(wal_alias_draw_fine(table, 3, 0x55555555u, 0x55555555u), 0);
  assert_int_equal(wal_alias_draw_fine(table, 3, 0x55555555u, 0x55555556u), 1);
  assert_int_equal(wal_alias_draw_fine(table, 3, 0xAAAAAAAAu, 0xAAAAAAAAu), 1);
  assert_int_equal(wal_alias_draw_fine(table, 3, 0xAAAAAAAAu, 0xAAAAAAABu), 2);
}

static void words_side_by_side(void **state) {
  (void)state;
  static uint32_t drawn[4][100], offset[100];
  const uint64_t items[] = {0, UINT64_C(0xFFFFFFFA), UINT64_C(0x123456789ABC)};
  for (uint32_t i = 0; i < 100; i++) offset[i] = i * i * 429496u;
  for (int k = 0; k < 3; k++)
    for (int given = 0; given < 2; given++)
      for (int count = 0; count <= 100; count += 1 + count / 3)
        for (int missing = 0; missing <= 4; missing++) {
          uint32_t *word[4] = {drawn[0], drawn[1], drawn[2], drawn[3]};
          if (missing < 4) word[missing] = NULL;
          memset(drawn, 0xA5, sizeof drawn);
          wal_random_arrays(0xABCDEF0123456789u, WAL_PURPOSE_TEST, items[k], given ? offset : NULL,
                            count, 5, 6, word);
          for (int i = 0; i < 100; i++) {
            const uint64_t item = items[k] + (given ? offset[i] : (uint32_t)i);
            const wal_random_words one =
                wal_random(0xABCDEF0123456789u, WAL_PURPOSE_TEST, item, 5, 6);
            for (int w = 0; w < 4; w++)
              assert_int_equal(drawn[w][i], i < count && w != missing ? one.word[w] : 0xA5A5A5A5u);
          }
        }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(tables_hold_the_probabilities),
    cmocka_unit_test(sums_are_scaled),
    cmocka_unit_test(finer_words),
    cmocka_unit_test(words_side_by_side),
};

WAL_TEST_MAIN(tests)
