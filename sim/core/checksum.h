// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_CORE_CHECKSUM_H
#define WALRAS_SIM_CORE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* What tells tables from others in scenarios that name files: FNV-1a, 64 bits. */

#define WAL_CHECKSUM_START UINT64_C(14695981039346656037)

/** The checksum of what has the checksum `sum`, followed by `count` items of `size` bytes; NULL:
 *  followed by nothing. */
uint64_t wal_checksum(uint64_t sum, const void *bytes, int64_t count, size_t size);

#endif
