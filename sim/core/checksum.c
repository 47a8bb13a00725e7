// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/core/checksum.h"

uint64_t wal_checksum(uint64_t sum, const void *bytes, int64_t count, size_t size) {
  const unsigned char *b = bytes;
  for (size_t i = 0; bytes && i < (size_t)count * size; i++)
    sum = (sum ^ b[i]) * UINT64_C(1099511628211);
  return sum;
}
