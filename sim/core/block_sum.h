// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_CORE_BLOCK_SUM_H
#define WALRAS_SIM_CORE_BLOCK_SUM_H

#include "sim/core/partition.h"

/**
 * Sum over all blocks of a few numbers a block, the same bits on every rank and on every number of
 * ranks: the block values are gathered to all ranks, and every rank adds them in the same tree.
 */
typedef struct wal_block_sum wal_block_sum;

/** @param width  numbers a block. @collective ctx */
wal_status wal_block_sum_create(wal_ctx *ctx, const wal_partition *partition, int64_t width,
                                wal_block_sum **out);
void wal_block_sum_destroy(wal_block_sum **sum);

/** Zeroes the own blocks' numbers. */
void wal_block_sum_start(wal_block_sum *sum);
/** The `width` numbers of an own block, to be added to. */
double *wal_block_sum_row(wal_block_sum *sum, int64_t block);
/** Sums into total[0..width). @collective; blocks * width numbers are exchanged. */
wal_status wal_block_sum_finish(wal_block_sum *sum, double *total);

#endif
