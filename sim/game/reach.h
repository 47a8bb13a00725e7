// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_GAME_REACH_H
#define WALRAS_SIM_GAME_REACH_H

#include "sim/core/halo.h"

/**
 * Consecutive sources whose targets stand `step` apart: target + i * step for i < count. On grids a
 * move is a handful of runs, whatever the size, so that maps cost almost no memory and their loops
 * are contiguous.
 */
typedef struct wal_run {
  int32_t source; /**< counted from where the owner of the run says */
  int32_t count;  /**< sources */
  int32_t target; /**< index into a halo array: own indices, then away entries */
  int32_t step;   /**< from one target to the next */
} wal_run;

/**
 * Builds the runs of a map into a partitioned space, block by block of the sources, and finds the
 * away entries on the way. Rank-local but for wal_reach_finish().
 */
typedef struct wal_reach wal_reach;

/** Begins a map into `space`, which is copied. */
wal_status wal_reach_create(wal_ctx *ctx, const wal_partition *space, wal_reach **out);
/** Frees it and sets *reach to NULL; NULL is let pass. */
void wal_reach_destroy(wal_reach **reach);

/** Sources of block `block` follow, in ascending order of blocks; with -1 the last one ends. */
wal_status wal_reach_block(wal_reach *reach, int64_t block);

/** Adds targets[i] of sources source..source+count-1, as few runs as they make. A target of -1
 *  is none. */
wal_status wal_reach_add(wal_reach *reach, int64_t source, int64_t count, const int64_t *targets);

/** Number of runs so far: a mark for where a group of them begins. */
int64_t wal_reach_mark(const wal_reach *reach);

/** Plans the exchange and hands over the runs (released with wal_release()). @collective */
wal_status wal_reach_finish(wal_reach *reach, wal_run **runs, wal_halo **halo);

#endif
