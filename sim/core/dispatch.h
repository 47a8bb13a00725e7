// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_CORE_DISPATCH_H
#define WALRAS_SIM_CORE_DISPATCH_H

#include "sim/core/context.h"

/**
 * Hands out the numbers 0, 1, 2, ..., each to one rank: to whoever asks first. The counter lies in
 * memory of rank 0 that the others reach by themselves, so that nobody waits for a busy rank 0. (On
 * several machines whose network cannot do that, a rank's next number is asked for one number
 * ahead, and is there by the time it is wanted.)
 */
typedef struct wal_dispatch wal_dispatch;

#define WAL_DISPATCH_STOPPED ((int64_t)1 << 40)

/** @collective ctx, which must outlive it */
wal_status wal_dispatch_create(wal_ctx *ctx, wal_dispatch **out);
/** The next number for this rank. Rank-local. */
wal_status wal_dispatch_next(wal_dispatch *dispatch, int64_t *number);
/** Says that the work ends early: from now on all numbers handed out are WAL_DISPATCH_STOPPED or
 *  more. Rank-local; any rank may say so, more than once. */
wal_status wal_dispatch_stop(wal_dispatch *dispatch);
/** Whether a rank has said so. Takes a microsecond or so where nobody is busy. Rank-local. */
wal_status wal_dispatch_stopped(wal_dispatch *dispatch, bool *stopped);
/** @collective */
void wal_dispatch_destroy(wal_dispatch **dispatch);

#endif
