// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/core/random.h"

/* Philox4x32-10 (Salmon et al. 2011, section 3.3) on several counters side by side: the same words
 * as wal_random(), which a test checks. All operations are on whole numbers, or exact. */

static void draw_one_by_one(uint64_t seed, wal_purpose purpose, uint64_t item, int64_t count,
                            uint32_t stage, uint32_t draw, double *first, double *second) {
  for (int64_t i = 0; i < count; i++) {
    const wal_random_words words = wal_random(seed, purpose, item + (uint64_t)i, stage, draw);
    first[i] = wal_random_real(&words, 0);
    second[i] = wal_random_real(&words, 1);
  }
}

static void draw_words_one_by_one(uint64_t seed, wal_purpose purpose, uint64_t item,
                                  const uint32_t *offset, int64_t first, int64_t count,
                                  uint32_t stage, uint32_t draw, uint32_t *const word[4]) {
  for (int64_t i = first; i < count; i++) {
    const uint64_t at = item + (offset ? offset[i] : (uint64_t)i);
    const wal_random_words words = wal_random(seed, purpose, at, stage, draw);
    for (int w = 0; w < 4; w++)
      if (word[w]) word[w][i] = words.word[w];
  }
}

#if defined(WAL_MULTIVERSION) && defined(__x86_64__)

#include <immintrin.h>

#define WAL_AVX2 __attribute__((target("avx2")))

/* Compilers do not find the one instruction for a product of 32-bit words in 64-bit lanes. A lane
 * holds a word in its lower half; what the upper half holds is of no account. */
enum { LANES = 8, ROUNDS = 10 };

typedef struct pair {
  __m256i low, high; /* counters 0 to 3, 4 to 7 */
} pair;

WAL_AVX2 static inline pair times(pair x, __m256i factor) {
  return (pair){_mm256_mul_epu32(x.low, factor), _mm256_mul_epu32(x.high, factor)};
}

/* The upper half of the product, with another word and the key. */
WAL_AVX2 static inline pair mixed(pair product, pair word, __m256i key) {
  return (pair){
      _mm256_xor_si256(_mm256_srli_epi64(product.low, 32), _mm256_xor_si256(word.low, key)),
      _mm256_xor_si256(_mm256_srli_epi64(product.high, 32), _mm256_xor_si256(word.high, key))};
}

/* A whole number below 2^32 as the lower bits of 2^52 + it. */
WAL_AVX2 static inline __m256d real(__m256i whole) {
  const __m256d big = _mm256_set1_pd(0x1p52);
  return _mm256_sub_pd(_mm256_castsi256_pd(_mm256_or_si256(whole, _mm256_castpd_si256(big))), big);
}

WAL_AVX2 static inline void store(__m256i high, __m256i low, double *out) {
  const __m256i lower = _mm256_set1_epi64x(0xFFFFFFFF);
  high = _mm256_srli_epi64(_mm256_and_si256(high, lower), 5);
  low = _mm256_srli_epi64(_mm256_and_si256(low, lower), 6);
  _mm256_storeu_pd(out, _mm256_add_pd(_mm256_mul_pd(real(high), _mm256_set1_pd(0x1p-27)),
                                      _mm256_mul_pd(real(low), _mm256_set1_pd(0x1p-53))));
}

/* The rounds of Philox4x32-10 on the four words of eight counters. */
WAL_AVX2 static inline void turn(const uint32_t key[2], pair w[4]) {
  const __m256i factor0 = _mm256_set1_epi64x(0xD2511F53), factor1 = _mm256_set1_epi64x(0xCD9E8D57);
  const __m256i weyl0 = _mm256_set1_epi64x(0x9E3779B9), weyl1 = _mm256_set1_epi64x(0xBB67AE85);
  __m256i key0 = _mm256_set1_epi64x(key[0]), key1 = _mm256_set1_epi64x(key[1]);
  for (int round = 0; round < ROUNDS; round++) {
    const pair a = times(w[0], factor0), b = times(w[2], factor1);
    w[0] = mixed(b, w[1], key0);
    w[2] = mixed(a, w[3], key1);
    w[1] = b;
    w[3] = a;
    key0 = _mm256_add_epi32(key0, weyl0);
    key1 = _mm256_add_epi32(key1, weyl1);
  }
}

WAL_AVX2 static int64_t draw_lanes(const uint32_t key[2], uint64_t item, int64_t count,
                                   uint32_t stage, uint32_t draw, double *first, double *second) {
  int64_t i = 0;
  for (; i + LANES <= count; i += LANES) {
    const __m256i start = _mm256_set1_epi64x((int64_t)(item + (uint64_t)i));
    pair w[4] = {{_mm256_add_epi64(start, _mm256_setr_epi64x(0, 1, 2, 3)),
                  _mm256_add_epi64(start, _mm256_setr_epi64x(4, 5, 6, 7))}};
    w[1] = (pair){_mm256_srli_epi64(w[0].low, 32), _mm256_srli_epi64(w[0].high, 32)};
    w[2] = (pair){_mm256_set1_epi64x(stage), _mm256_set1_epi64x(stage)};
    w[3] = (pair){_mm256_set1_epi64x(draw), _mm256_set1_epi64x(draw)};
    turn(key, w);
    store(w[0].low, w[1].low, first + i);
    store(w[0].high, w[1].high, first + i + 4);
    store(w[2].low, w[3].low, second + i);
    store(w[2].high, w[3].high, second + i + 4);
  }
  return i;
}

/* Lower halves of eight lanes that hold counters 0, 1, 4, 5 and 2, 3, 6, 7. */
WAL_AVX2 static inline void store_words(pair word, uint32_t *out) {
  const __m256 halves =
      _mm256_shuffle_ps(_mm256_castsi256_ps(word.low), _mm256_castsi256_ps(word.high), 0x88);
  _mm256_storeu_ps((float *)(void *)out, halves);
}

WAL_AVX2 static int64_t draw_words(const uint32_t key[2], uint64_t item, const uint32_t *offset,
                                   int64_t count, uint32_t stage, uint32_t draw,
                                   uint32_t *const word[4]) {
  const __m256i start = _mm256_set1_epi64x((int64_t)item);
  const pair consecutive = {_mm256_setr_epi64x(0, 1, 4, 5), _mm256_setr_epi64x(2, 3, 6, 7)};
  int64_t i = 0;
  for (; i + LANES <= count; i += LANES) {
    pair at = consecutive, w[4];
    if (offset) {
      const __m256i given = _mm256_loadu_si256((const __m256i *)(const void *)(offset + i));
      at.low = _mm256_unpacklo_epi32(given, _mm256_setzero_si256());
      at.high = _mm256_unpackhi_epi32(given, _mm256_setzero_si256());
    } else {
      at.low = _mm256_add_epi64(at.low, _mm256_set1_epi64x(i));
      at.high = _mm256_add_epi64(at.high, _mm256_set1_epi64x(i));
    }
    w[0] = (pair){_mm256_add_epi64(start, at.low), _mm256_add_epi64(start, at.high)};
    w[1] = (pair){_mm256_srli_epi64(w[0].low, 32), _mm256_srli_epi64(w[0].high, 32)};
    w[2] = (pair){_mm256_set1_epi64x(stage), _mm256_set1_epi64x(stage)};
    w[3] = (pair){_mm256_set1_epi64x(draw), _mm256_set1_epi64x(draw)};
    turn(key, w);
    if (word[0]) store_words(w[0], word[0] + i);
    if (word[1]) store_words(w[1], word[1] + i);
    if (word[2]) store_words(w[2], word[2] + i);
    if (word[3]) store_words(w[3], word[3] + i);
  }
  return i;
}

void wal_random_arrays(uint64_t seed, wal_purpose purpose, uint64_t item, const uint32_t *offset,
                       int64_t count, uint32_t stage, uint32_t draw, uint32_t *const word[4]) {
  const uint32_t key[2] = {(uint32_t)seed,
                           (uint32_t)(seed >> 32) + 0x9E3779B9u * (uint32_t)purpose};
  int64_t done = 0;
  if (__builtin_cpu_supports("avx2"))
    done = draw_words(key, item, offset, count, stage, draw, word);
  draw_words_one_by_one(seed, purpose, item, offset, done, count, stage, draw, word);
}

void wal_random_reals(uint64_t seed, wal_purpose purpose, uint64_t item, int64_t count,
                      uint32_t stage, uint32_t draw, double *first, double *second) {
  // The key of wal_random().
  const uint32_t key[2] = {(uint32_t)seed,
                           (uint32_t)(seed >> 32) + 0x9E3779B9u * (uint32_t)purpose};
  int64_t done = 0;
  if (__builtin_cpu_supports("avx2"))
    done = draw_lanes(key, item, count, stage, draw, first, second);
  draw_one_by_one(seed, purpose, item + (uint64_t)done, count - done, stage, draw, first + done,
                  second + done);
}

#else

void wal_random_reals(uint64_t seed, wal_purpose purpose, uint64_t item, int64_t count,
                      uint32_t stage, uint32_t draw, double *first, double *second) {
  draw_one_by_one(seed, purpose, item, count, stage, draw, first, second);
}

void wal_random_arrays(uint64_t seed, wal_purpose purpose, uint64_t item, const uint32_t *offset,
                       int64_t count, uint32_t stage, uint32_t draw, uint32_t *const word[4]) {
  draw_words_one_by_one(seed, purpose, item, offset, 0, count, stage, draw, word);
}

#endif
