// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/core/memory.h"

#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64 };

// The size stands in front of the block, so that releasing it can be counted.
typedef struct block_header {
  int64_t bytes;
} block_header;

bool wal_multiply(int64_t a, int64_t b, int64_t *out) {
  return a >= 0 && b >= 0 && !__builtin_mul_overflow(a, b, out);
}

wal_status wal_acquire(wal_ctx *ctx, const char *what, int64_t count, size_t size, void *out) {
  void *none = NULL;
  memcpy(out, &none, sizeof none);
  int64_t bytes = 0;
  if (!wal_multiply(count, (int64_t)size, &bytes) || bytes > INT64_MAX / 2)
    return wal_fail(ctx, WAL_EINPUT, "%s: a size of %lld items of %zu bytes overflows", what,
                    (long long)count, size);
  size_t total = (size_t)wal_round_up(bytes, ALIGNMENT) + ALIGNMENT;
  char *base = aligned_alloc(ALIGNMENT, total);
  if (!base)
    return wal_fail(ctx, WAL_EINPUT, "%s: %.3f GiB do not fit in memory", what,
                    (double)bytes / (1024.0 * 1024.0 * 1024.0));
  memset(base, 0, total);
  ((block_header *)(void *)base)->bytes = bytes;
  wal_ctx_count_memory(ctx, bytes);
  void *block = base + ALIGNMENT;
  memcpy(out, &block, sizeof block);
  return WAL_OK;
}

void wal_release(wal_ctx *ctx, void *pointer) {
  char *block = NULL;
  memcpy(&block, pointer, sizeof block);
  if (!block) return;
  char *base = block - ALIGNMENT;
  wal_ctx_count_memory(ctx, -((block_header *)(void *)base)->bytes);
  free(base);
  void *none = NULL;
  memcpy(pointer, &none, sizeof none);
}
