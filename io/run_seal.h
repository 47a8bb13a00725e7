// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_IO_RUN_SEAL_H
#define WALRAS_IO_RUN_SEAL_H

#include "io/hdf5_helpers.h"

/*
 * The seal of a run file. HDF5 checks its object headers, and the chunks of large arrays carry
 * checksums; the heaps that hold texts, the index of the chunks and the small arrays have none, and
 * HDF5 crashes on a damaged heap. So a finished run file ends, behind the last byte that HDF5 knows
 * of (which it ignores), with a checksum of all bytes but those of the large arrays:
 *
 *   "WALSEAL1"
 *   number of gaps, then of each the first byte and the one after the last   u64, in rising order
 *   CRC-64 of all bytes of the file outside the gaps                         u64
 *   CRC-64 of the seal up to here                                            u64
 *
 * Numbers are little-endian. CRC-64 is that of ECMA-182, from 0, high bit first. A program that
 * changes the file with HDF5 cuts the seal off; such a file is read unchecked.
 */

/** Bytes of a large array: a run of its chunks. */
typedef struct wal_run_gap {
  uint64_t start, end;
} wal_run_gap;

typedef struct wal_run_gaps {
  wal_run_gap *list;
  int64_t count, capacity;
} wal_run_gaps;

/** Adds bytes start..end-1; what follows the gap that was added last becomes part of it. */
wal_status wal_run_gaps_add(wal_ctx *ctx, wal_run_gaps *gaps, uint64_t start, uint64_t end);
/** Sorts the gaps, as a seal has them. */
void wal_run_seal_sort(wal_run_gaps *gaps);

/** Bytes of a seal. */
double wal_run_seal_size(int64_t gaps);

/** Seals a closed file. `name` stands in error texts. */
wal_status wal_run_seal_write(wal_ctx *ctx, const char *name, const char *path,
                              const wal_run_gaps *gaps);

/** Whether a file has a seal, broken or not. */
bool wal_run_seal_there(const char *path);

/** Checks the seal of a file that is open for reading: WAL_EIO if it is damaged or cut short. */
wal_status wal_run_seal_check(wal_ctx *ctx, const char *path, FILE *file);

#endif
