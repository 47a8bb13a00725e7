// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/core/block_sum.h"

#include <limits.h>
#include <string.h>

#include "sim/core/memory.h"
#include "sim/core/sum.h"

struct wal_block_sum {
  wal_ctx *ctx;
  wal_partition partition;
  int64_t width;
  double *values;         // [blocks][width]
  int *counts, *offsets;  // of ranks, in doubles
};

wal_status wal_block_sum_create(wal_ctx *ctx, const wal_partition *partition, int64_t width,
                                wal_block_sum **out) {
  *out = NULL;
  wal_block_sum *s = NULL;
  wal_status status = wal_acquire(ctx, "block sums", 1, sizeof *s, &s);
  if (status == WAL_OK) {
    s->ctx = ctx;
    s->partition = *partition;
    s->width = width;
    int64_t size = 0;
    if (!wal_multiply(partition->blocks, width, &size) || size > INT_MAX)
      status = wal_fail(ctx, WAL_EINPUT, "a statistic of %lld numbers in %lld blocks is too large",
                        (long long)width, (long long)partition->blocks);
    if (status == WAL_OK) status = wal_acquire(ctx, "block sums", size, sizeof(double), &s->values);
  }
  if (status == WAL_OK)
    status = wal_acquire(ctx, "block sums", partition->ranks, sizeof(int), &s->counts);
  if (status == WAL_OK)
    status = wal_acquire(ctx, "block sums", partition->ranks, sizeof(int), &s->offsets);
  status = wal_agree(ctx, status);
  if (status != WAL_OK) {
    wal_block_sum_destroy(&s);
    return status;
  }
  for (int r = 0; r < partition->ranks; r++) {
    int64_t first = wal_partition_rank_block(partition, r);
    int64_t end = wal_partition_rank_block(partition, r + 1);
    s->offsets[r] = (int)(first * width);
    s->counts[r] = (int)((end - first) * width);
  }
  *out = s;
  return WAL_OK;
}

void wal_block_sum_destroy(wal_block_sum **sum) {
  if (!sum || !*sum) return;
  wal_ctx *ctx = (*sum)->ctx;
  if (ctx) {
    wal_release(ctx, &(*sum)->values);
    wal_release(ctx, &(*sum)->counts);
    wal_release(ctx, &(*sum)->offsets);
    wal_release(ctx, sum);
  }
}

void wal_block_sum_start(wal_block_sum *sum) {
  int64_t blocks = sum->partition.end_block - sum->partition.first_block;
  memset(sum->values + sum->partition.first_block * sum->width, 0,
         (size_t)(blocks * sum->width) * sizeof(double));
}

double *wal_block_sum_row(wal_block_sum *sum, int64_t block) {
  return sum->values + block * sum->width;
}

wal_status wal_block_sum_finish(wal_block_sum *sum, double *total) {
  if (sum->partition.ranks > 1 &&
      MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, sum->values, sum->counts, sum->offsets,
                     MPI_DOUBLE, wal_ctx_comm(sum->ctx)) != MPI_SUCCESS)
    return wal_fail(sum->ctx, WAL_EINTERNAL, "MPI_Allgatherv failed");
  if (sum->partition.ranks > 1) {
    const wal_partition *p = &sum->partition;
    int64_t others = p->blocks - (p->end_block - p->first_block);
    wal_ctx_count_traffic(sum->ctx, others * sum->width * (int64_t)sizeof(double), 0, 1);
  }
  for (int64_t j = 0; j < sum->width; j++)
    total[j] = wal_tree_sum(sum->partition.blocks, sum->width, sum->values + j);
  return WAL_OK;
}
