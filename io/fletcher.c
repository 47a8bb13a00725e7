// SPDX-License-Identifier: GPL-3.0-or-later
#include "io/fletcher.h"

#include <stdbool.h>
#include <string.h>

/*
 * Of the n 16-bit words w_i, high byte first (an odd last byte is a high byte), the checksum has
 *   A = sum_i w_i,   B = sum_i (n - i) w_i   (i = 0 .. n-1)
 * modulo 2^16 - 1, where 0 stands for sums that are 0 and 2^16 - 1 for other multiples of it.
 * Modulo 2^16 - 1 a word with its bytes exchanged is 256 times the word, and so are the sums: words
 * are taken as they lie in memory, low byte first.
 *
 * A block is a matrix of ROWS times LANES pairs of words, taken as 32-bit numbers: with the sums
 * s of a column and t of its partial sums, word h of the pair in column l and row k has
 * weight 2 LANES (ROWS - k) - 2 l - h in the block, so that
 *   B of the block = sum over columns and h of 2 LANES t - (2 l + h) s.
 */
enum { LANES = 8, ROWS = 256, MODULUS = 65535 };

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "run files are written from memory as it is: low byte first"
#endif

/* Whether any of its words is not 0. t grows to ROWS (ROWS + 1) / 2 * 65535, below 2^32. */
static bool add_block(const unsigned char *bytes, uint64_t *a, uint64_t *b) {
  uint32_t s[2][LANES] = {{0}}, t[2][LANES] = {{0}};
  for (int k = 0; k < ROWS; k++) {
    uint32_t pair[LANES];
    memcpy(pair, bytes + (size_t)k * sizeof pair, sizeof pair);
#pragma omp simd
    for (int l = 0; l < LANES; l++) {
      s[0][l] += pair[l] & 0xFFFF;
      s[1][l] += pair[l] >> 16;
      t[0][l] += s[0][l];
      t[1][l] += s[1][l];
    }
  }
  uint64_t sum = 0, weighted = 0, back = 0;
  for (int h = 0; h < 2; h++) {
    for (int l = 0; l < LANES; l++) {
      sum += s[h][l];
      weighted += t[h][l];
      back += (uint64_t)(2 * l + h) * s[h][l];
    }
  }
  *b = (*b + (uint64_t)(2 * LANES * ROWS) * *a + 2 * LANES * weighted - back) % MODULUS;
  *a = (*a + sum) % MODULUS;
  return sum != 0;
}

uint32_t wal_fletcher32(const void *bytes, size_t count) {
  const size_t block = (size_t)ROWS * LANES * sizeof(uint32_t);
  const unsigned char *at = bytes;
  uint64_t a = 0, b = 0;
  size_t left = count;
  bool any = false;
  for (; left >= block; left -= block, at += block) any = add_block(at, &a, &b) || any;
  for (; left > 0; left -= left > 1 ? 2 : 1, at += 2) {
    const uint64_t word = at[0] + (left > 1 ? (uint64_t)at[1] << 8 : 0);
    any = any || word != 0;
    a = (a + word) % MODULUS;
    b = (b + a) % MODULUS;
  }
  if (!any) return 0;
  a = a * 256 % MODULUS;
  b = b * 256 % MODULUS;
  return (uint32_t)((b ? b : MODULUS) << 16 | (a ? a : MODULUS));
}
