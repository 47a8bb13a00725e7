// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_CORE_MEMORY_H
#define WALRAS_SIM_CORE_MEMORY_H

#include "sim/core/context.h"

/**
 * Allocates count * size zeroed bytes, aligned to 64, and counts them in the context.
 * A product that overflows, more than the context's limit, or memory that is not to be had, fails
 * with WAL_EINPUT and a text that names `what` and the size. Zero bytes give a valid pointer.
 * Rank-local.
 * @param out  address of the pointer that receives the memory; released with wal_release()
 */
wal_status wal_acquire(wal_ctx *ctx, const char *what, int64_t count, size_t size, void *out);

/** Frees what wal_acquire() gave and sets the pointer at `pointer` to NULL; NULL is let pass. */
void wal_release(wal_ctx *ctx, void *pointer);

/** a * b into *out; false if either is negative or the product exceeds int64_t. */
bool wal_multiply(int64_t a, int64_t b, int64_t *out);

/** Smallest multiple of `unit` that is not below `n`. */
static inline int64_t wal_round_up(int64_t n, int64_t unit) { return (n + unit - 1) / unit * unit; }

/**
 * Makes room for `needed` items in an array from wal_acquire() (or NULL), keeping the first `used`.
 * @param array  pointer to the array's pointer, which may change
 * @param room   items that it has room for; grows at least twofold
 * Rank-local. After a failure array and room are as they were.
 */
wal_status wal_grow(wal_ctx *ctx, const char *what, void *array, int64_t used, int64_t needed,
                    int64_t *room, size_t size);

#endif
