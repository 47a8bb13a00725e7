// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/core/random.h"

#include <Random123/philox.h>
#include <gsl/gsl_cdf.h>

wal_random_words wal_random(uint64_t seed, wal_purpose purpose, uint64_t item, uint32_t stage,
                            uint32_t draw) {
  // The purpose is spread over the upper key word by an odd constant (2^32 / golden ratio).
  philox4x32_key_t key = {
      {(uint32_t)seed, (uint32_t)(seed >> 32) + 0x9E3779B9u * (uint32_t)purpose}};
  philox4x32_ctr_t counter = {{(uint32_t)item, (uint32_t)(item >> 32), stage, draw}};
  philox4x32_ctr_t drawn = philox4x32(counter, key);
  return (wal_random_words){{drawn.v[0], drawn.v[1], drawn.v[2], drawn.v[3]}};
}

double wal_random_normal(double uniform) {
  return gsl_cdf_ugaussian_Pinv(uniform > 0 ? uniform : 0x1p-54);
}
