// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_CORE_HASH_H
#define WALRAS_SIM_CORE_HASH_H

#include <stddef.h>
#include <stdint.h>

/** 64-bit FNV-1a of `size` bytes: to tell texts apart, not to secure them. */
static inline uint64_t wal_hash(const void *bytes, size_t size) {
  const unsigned char *b = bytes;
  uint64_t hash = 0xcbf29ce484222325u;
  for (size_t i = 0; i < size; i++) hash = (hash ^ b[i]) * 0x100000001b3u;
  return hash;
}

#endif
