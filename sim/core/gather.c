// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/core/gather.h"

#include <string.h>

#include "sim/core/memory.h"

struct wal_gather {
  wal_ctx *ctx;
  wal_partition partition;
  int *counts, *offsets;  // of ranks
};

wal_status wal_gather_create(wal_ctx *ctx, const wal_partition *partition, wal_gather **out) {
  wal_gather *g = NULL;
  *out = NULL;
  wal_status status = wal_acquire(ctx, "gathering", 1, sizeof *g, &g);
  if (status == WAL_OK) {
    g->ctx = ctx;
    g->partition = *partition;
    status = wal_acquire(ctx, "gathering", partition->ranks, sizeof(int), &g->counts);
  }
  if (status == WAL_OK)
    status = wal_acquire(ctx, "gathering", partition->ranks, sizeof(int), &g->offsets);
  status = wal_agree(ctx, status);
  if (status != WAL_OK) {
    wal_gather_destroy(&g);
    return status;
  }
  for (int r = 0; r < partition->ranks; r++) {
    int64_t first = wal_partition_cut(partition, wal_partition_rank_block(partition, r));
    int64_t end = wal_partition_cut(partition, wal_partition_rank_block(partition, r + 1));
    g->offsets[r] = (int)first;
    g->counts[r] = (int)(end - first);
  }
  *out = g;
  return WAL_OK;
}

void wal_gather_destroy(wal_gather **gather) {
  if (!gather || !*gather) return;
  wal_ctx *ctx = (*gather)->ctx;
  if (!ctx) return;
  wal_release(ctx, &(*gather)->counts);
  wal_release(ctx, &(*gather)->offsets);
  wal_release(ctx, gather);
}

wal_status wal_gather_run(wal_gather *gather, const double *own, double *whole) {
  const wal_partition *p = &gather->partition;
  if (p->ranks == 1) {
    memcpy(whole, own, (size_t)p->count * sizeof *own);
    return WAL_OK;
  }
  if (MPI_Allgatherv(own, (int)p->count, MPI_DOUBLE, whole, gather->counts, gather->offsets,
                     MPI_DOUBLE, wal_ctx_comm(gather->ctx)) != MPI_SUCCESS)
    return wal_fail(gather->ctx, WAL_EINTERNAL, "MPI_Allgatherv failed");
  wal_ctx_count_traffic(gather->ctx, (p->size - p->count) * (int64_t)sizeof *own, 0, 1);
  return WAL_OK;
}
