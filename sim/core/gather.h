// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_CORE_GATHER_H
#define WALRAS_SIM_CORE_GATHER_H

#include "sim/core/partition.h"

/** Collects an array that is spread over the ranks on all of them: the same bits everywhere. */
typedef struct wal_gather wal_gather;

/** @param partition  copied; at most 2^31 - 1 indices. @collective ctx */
wal_status wal_gather_create(wal_ctx *ctx, const wal_partition *partition, wal_gather **out);
void wal_gather_destroy(wal_gather **gather);

/** whole[0..size) from every rank's own[0..count). @collective; size numbers reach every rank. */
wal_status wal_gather_run(wal_gather *gather, const double *own, double *whole);

#endif
