// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_CORE_HALO_H
#define WALRAS_SIM_CORE_HALO_H

#include "sim/core/partition.h"

/**
 * Neighbour exchange over a partitioned index space, planned once. A block reaches, besides the
 * indices of its own ("home") range, a few of other blocks: its *away* entries. An array for an
 * exchange holds the rank's own indices in front and the away entries of all its blocks behind
 * them:
 *
 *   values[0 .. count)             own indices of the space
 *   values[count .. count + away)  away entries, block by block
 *
 * pull() copies the owners' values to the away entries; push() is its transpose: it adds the away
 * entries to their owners' values, for every index in ascending order of the block that they come
 * from. Entries whose owner is the same rank go the same way, which is why sums do not depend on
 * the number of ranks.
 */
typedef struct wal_halo wal_halo;

/** A run of consecutive indices that one block reaches outside its home range. */
typedef struct wal_away {
  int64_t first, count; /**< global indices */
} wal_away;

/**
 * Plans the exchange.
 * @param space  partition of the index space; copied
 * @param runs   away runs of this rank's blocks in ascending order of block; a block's runs do not
 *               overlap and do not cross the range of one block of the space
 * @collective ctx
 */
wal_status wal_halo_create(wal_ctx *ctx, const wal_partition *space, int64_t run_count,
                           const wal_away *runs, wal_halo **out);
/** Frees it and sets *halo to NULL; NULL is let pass. Rank-local. */
void wal_halo_destroy(wal_halo **halo);

/** Number of own indices on this rank. */
int64_t wal_halo_own(const wal_halo *halo);
/** Number of away entries on this rank. */
int64_t wal_halo_away(const wal_halo *halo);

/** Fills the away entries of `values` from their owners. @collective */
wal_status wal_halo_pull(wal_halo *halo, double *values);
/** Adds the away entries of `values` to their owners' values. @collective */
wal_status wal_halo_push(wal_halo *halo, double *values);

/** What this rank sends in a push (or else in a pull). */
wal_traffic wal_halo_traffic(const wal_halo *halo, bool push);

#endif
