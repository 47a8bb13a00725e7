// SPDX-License-Identifier: GPL-3.0-or-later
#define _DEFAULT_SOURCE  // madvise

#include "sim/core/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { ALIGNMENT = 64, HUGE_PAGE = 1 << 21 };

// The size stands in front of the block, so that releasing it can be counted.
typedef struct block_header {
  int64_t bytes;
  int64_t mapped;  // bytes of address space of a block that was only planned, else 0
} block_header;

bool wal_multiply(int64_t a, int64_t b, int64_t *out) {
  return a >= 0 && b >= 0 && !__builtin_mul_overflow(a, b, out);
}

static const double GIB = 1024.0 * 1024.0 * 1024.0;

/* Zeroed memory, NULL if there is none. */
static char *take(size_t alignment, size_t total) {
  char *base = aligned_alloc(alignment, total);
  if (!base) return NULL;
#ifdef MADV_HUGEPAGE
  if (alignment == HUGE_PAGE) (void)madvise(base, total, MADV_HUGEPAGE);
#endif
  memset(base, 0, total);
  return base;
}

/* Zeroed addresses whose pages appear when they are written. */
static char *plan(size_t total) {
  void *base =
      mmap(NULL, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return base == MAP_FAILED ? NULL : base;
}

wal_status wal_acquire(wal_ctx *ctx, const char *what, int64_t count, size_t size, void *out) {
  void *none = NULL;
  memcpy(out, &none, sizeof none);
  int64_t bytes = 0;
  if (!wal_multiply(count, (int64_t)size, &bytes) || bytes > INT64_MAX / 2)
    return wal_fail(ctx, WAL_EINPUT, "%s: a size of %lld items of %zu bytes overflows", what,
                    (long long)count, size);
  const int64_t limit = wal_ctx_memory_limit(ctx);
  if (limit > 0 && wal_ctx_memory(ctx) + bytes > limit)
    return wal_fail(ctx, WAL_EINPUT,
                    "%s: expected at most %.3g GiB of memory a process, got %.3g GiB more than the "
                    "%.3g GiB held",
                    what, (double)limit / GIB, (double)bytes / GIB,
                    (double)wal_ctx_memory(ctx) / GIB);
  // Sweeps walk through several large arrays at once: with large pages, address translation does
  // not slow them down. The advice is free to be ignored.
  const bool large = bytes >= HUGE_PAGE;
  const size_t alignment = large ? HUGE_PAGE : ALIGNMENT;
  const size_t total = (size_t)wal_round_up(bytes + ALIGNMENT, (int64_t)alignment);
  const bool planned = large && wal_ctx_planning(ctx);
  char *base = planned ? plan(total) : take(alignment, total);
  if (!base)
    return wal_fail(ctx, WAL_EINPUT, "%s: %.3f GiB do not fit into memory", what,
                    (double)bytes / GIB);
  *(block_header *)(void *)base = (block_header){bytes, planned ? (int64_t)total : 0};
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
  const block_header header = *(block_header *)(void *)base;
  wal_ctx_count_memory(ctx, -header.bytes);
  if (header.mapped > 0)
    munmap(base, (size_t)header.mapped);
  else
    free(base);
  void *none = NULL;
  memcpy(pointer, &none, sizeof none);
}

wal_status wal_grow(wal_ctx *ctx, const char *what, void *array, int64_t used, int64_t needed,
                    int64_t *room, size_t size) {
  if (needed <= *room) return WAL_OK;
  void *old = NULL, *fresh = NULL;
  memcpy(&old, array, sizeof old);
  int64_t more = *room * 2 > needed ? *room * 2 : needed + 64;
  WAL_TRY(wal_acquire(ctx, what, more, size, &fresh));
  if (used > 0) memcpy(fresh, old, (size_t)used * size);
  wal_release(ctx, array);
  memcpy(array, &fresh, sizeof fresh);
  *room = more;
  return WAL_OK;
}
