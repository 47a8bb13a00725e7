// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/game/reach.h"

#include <stdlib.h>
#include <string.h>

#include "sim/core/memory.h"

struct wal_reach {
  wal_ctx *ctx;
  wal_partition space;
  int64_t block, home_first, home_end;
  wal_run *runs;
  int64_t *targets;  // global targets of the current block's runs
  int64_t count, capacity, block_start, target_capacity;
  wal_away *away;  // of all blocks so far, merged
  int64_t away_count, away_capacity, away_size;
};

wal_status wal_reach_create(wal_ctx *ctx, const wal_partition *space, wal_reach **out) {
  wal_reach *r = NULL;
  *out = NULL;
  WAL_TRY(wal_acquire(ctx, "kernel", 1, sizeof *r, &r));
  r->ctx = ctx;
  r->space = *space;
  r->block = -1;
  *out = r;
  return WAL_OK;
}

void wal_reach_destroy(wal_reach **reach) {
  if (!reach || !*reach) return;
  wal_ctx *ctx = (*reach)->ctx;
  wal_release(ctx, &(*reach)->runs);
  wal_release(ctx, &(*reach)->targets);
  wal_release(ctx, &(*reach)->away);
  wal_release(ctx, reach);
}

static bool at_home(const wal_reach *r, int64_t target) {
  return target >= r->home_first && target < r->home_end;
}

static wal_status push_run(wal_reach *r, int64_t source, int64_t count, int64_t target,
                           int64_t step) {
  WAL_TRY(
      wal_grow(r->ctx, "kernel", &r->runs, r->count, r->count + 1, &r->capacity, sizeof *r->runs));
  int64_t in_block = r->count - r->block_start;
  WAL_TRY(wal_grow(r->ctx, "kernel", &r->targets, in_block, in_block + 1, &r->target_capacity,
                   sizeof *r->targets));
  r->runs[r->count++] = (wal_run){(int32_t)source, (int32_t)count, 0, (int32_t)step};
  r->targets[in_block] = target;
  return WAL_OK;
}

/* Splits a run so that each part lies in the range of one block of the space. */
static wal_status add_run(wal_reach *r, int64_t source, int64_t count, int64_t target,
                          int64_t step) {
  int64_t last = target + step * (count - 1);
  if (step == 0 || (at_home(r, target) && at_home(r, last)))
    return push_run(r, source, count, target, step);
  if (step != 1) {
    for (int64_t i = 0; i < count; i++) WAL_TRY(push_run(r, source + i, 1, target + i * step, 1));
    return WAL_OK;
  }
  while (count > 0) {
    int64_t end = wal_partition_cut(&r->space, wal_partition_block_of(&r->space, target) + 1);
    int64_t part = end - target < count ? end - target : count;
    WAL_TRY(push_run(r, source, part, target, 1));
    source += part;
    target += part;
    count -= part;
  }
  return WAL_OK;
}

wal_status wal_reach_add(wal_reach *r, int64_t source, int64_t count, const int64_t *targets) {
  int64_t i = 0;
  while (i < count) {
    if (targets[i] < 0) {
      i++;
      continue;
    }
    int64_t n = 1, step = 1;
    if (i + 1 < count && targets[i + 1] >= 0) {
      step = targets[i + 1] - targets[i];
      while (i + n < count && targets[i + n] == targets[i] + n * step && targets[i + n] >= 0) n++;
      if (step > INT32_MAX || step < INT32_MIN || (n == 2 && step != 1 && step != 0)) n = step = 1;
    }
    WAL_TRY(add_run(r, source + i, n, targets[i], step));
    i += n;
  }
  return WAL_OK;
}

static int by_first(const void *a, const void *b) {
  const wal_away *x = a, *y = b;
  return (x->first > y->first) - (x->first < y->first);
}

/* The away ranges of the current block, sorted and merged, appended to those of earlier blocks. */
static wal_status collect_away(wal_reach *r, int64_t start) {
  for (int64_t i = r->block_start; i < r->count; i++) {
    int64_t target = r->targets[i - r->block_start];
    if (at_home(r, target)) continue;
    WAL_TRY(wal_grow(r->ctx, "kernel", &r->away, r->away_count, r->away_count + 1,
                     &r->away_capacity, sizeof *r->away));
    r->away[r->away_count++] = (wal_away){target, r->runs[i].step == 1 ? r->runs[i].count : 1};
  }
  if (r->away_count == start) return WAL_OK;
  qsort(r->away + start, (size_t)(r->away_count - start), sizeof *r->away, by_first);
  int64_t kept = start;
  int64_t limit =
      wal_partition_cut(&r->space, wal_partition_block_of(&r->space, r->away[start].first) + 1);
  for (int64_t i = start + 1; i < r->away_count; i++) {
    wal_away *last = &r->away[kept], next = r->away[i];
    int64_t end = last->first + last->count, next_end = next.first + next.count;
    if (next.first <= end && next.first < limit) {
      if (next_end > end) last->count = next_end - last->first;
    } else {
      if (next.first >= limit)
        limit = wal_partition_cut(&r->space, wal_partition_block_of(&r->space, next.first) + 1);
      r->away[++kept] = next;
    }
  }
  r->away_count = kept + 1;
  return WAL_OK;
}

wal_status wal_reach_block(wal_reach *r, int64_t block) {
  if (r->block >= 0) {
    int64_t start = r->away_count;
    WAL_TRY(collect_away(r, start));
    int64_t *position = NULL;
    WAL_TRY(wal_acquire(r->ctx, "kernel", r->away_count - start, sizeof *position, &position));
    int64_t size = r->space.count + r->away_size;
    for (int64_t i = start; i < r->away_count; i++) {
      position[i - start] = size;
      size += r->away[i].count;
    }
    r->away_size = size - r->space.count;
    for (int64_t i = r->block_start; i < r->count && size <= INT32_MAX; i++) {
      int64_t target = r->targets[i - r->block_start];
      if (at_home(r, target)) {
        r->runs[i].target = (int32_t)(target - r->space.first);
        continue;
      }
      int64_t low = start, high = r->away_count - 1;  // the last range that begins at or before it
      while (low < high) {
        int64_t middle = (low + high + 1) / 2;
        if (r->away[middle].first <= target)
          low = middle;
        else
          high = middle - 1;
      }
      r->runs[i].target = (int32_t)(position[low - start] + target - r->away[low].first);
    }
    wal_release(r->ctx, &position);
    if (size > INT32_MAX)
      return wal_fail(r->ctx, WAL_EINPUT, "more than 2^31 states and neighbours on one rank");
  }
  r->block = block;
  r->block_start = r->count;
  if (block >= 0) {
    r->home_first = wal_partition_cut(&r->space, block);
    r->home_end = wal_partition_cut(&r->space, block + 1);
  }
  return WAL_OK;
}

int64_t wal_reach_mark(const wal_reach *reach) { return reach->count; }

wal_status wal_reach_finish(wal_reach *r, wal_run **runs, wal_halo **halo) {
  WAL_TRY(wal_halo_create(r->ctx, &r->space, r->away_count, r->away, halo));
  *runs = r->runs;
  r->runs = NULL;
  return WAL_OK;
}
