// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_AGENTS_STREAM_H
#define WALRAS_SIM_AGENTS_STREAM_H

#include <stdbool.h>

#include "sim/core/random.h"

/**
 * Random numbers one after the other, for draws that take as many as it happens: the draws 0, 1,
 * 2, ... of an item at a stage. Another item is another stream.
 */
typedef struct wal_stream {
  uint64_t seed;
  wal_purpose purpose;
  uint64_t item;
  uint32_t stage;
  uint32_t draw; /**< the next one */
  bool half;     /**< the second number of `words` has not been used */
  wal_random_words words;
} wal_stream;

/** The next number, uniform on [0,1) with 53 bits. */
static inline double wal_stream_uniform(wal_stream *s) {
  if (!s->half) s->words = wal_random(s->seed, s->purpose, s->item, s->stage, s->draw++);
  s->half = !s->half;
  return wal_random_real(&s->words, !s->half);
}

#endif
