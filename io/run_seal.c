// SPDX-License-Identifier: GPL-3.0-or-later
#define _XOPEN_SOURCE 700

#include "io/run_seal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "sim/core/memory.h"

/* The superblock of version 2 or 3 has the end of the file as HDF5 knows it in bytes 28..35. */
enum { SUPERBLOCK = 48, SUPERBLOCK_VERSION = 8, SUPERBLOCK_END = 28, BLOCK = 1 << 16 };

static const char MAGIC[8] = {'W', 'A', 'L', 'S', 'E', 'A', 'L', '1'};

/** CRC-64 of ECMA-182 (polynomial 42F0E1EBA9EA3693), eight bytes at a time: entry [k][b] is what
 *  byte b does to the checksum when k bytes follow it (slicing, Kounavis and Berry 2005). */
typedef struct crc_table {
  uint64_t of[8][256];
} crc_table;

static void make_table(crc_table *table) {
  for (uint64_t b = 0; b < 256; b++) {
    uint64_t crc = b << 56;
    for (int bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc >> 63 ? 0x42F0E1EBA9EA3693u : 0);
    table->of[0][b] = crc;
  }
  for (int k = 1; k < 8; k++)
    for (int b = 0; b < 256; b++)
      table->of[k][b] = (table->of[k - 1][b] << 8) ^ table->of[0][table->of[k - 1][b] >> 56];
}

static uint64_t crc64(const crc_table *table, uint64_t crc, const unsigned char *bytes,
                      size_t count) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    uint64_t next = 0;
    for (int k = 0; k < 8; k++)
      next ^= table->of[7 - k][((crc >> (56 - 8 * k)) & 255) ^ bytes[i + (size_t)k]];
    crc = next;
  }
  for (; i < count; i++) crc = (crc << 8) ^ table->of[0][(crc >> 56) ^ bytes[i]];
  return crc;
}

static void put64(unsigned char out[8], uint64_t value) {
  for (int i = 0; i < 8; i++) out[i] = (unsigned char)(value >> (8 * i));
}

static uint64_t get64(const unsigned char in[8]) {
  uint64_t value = 0;
  for (int i = 0; i < 8; i++) value |= (uint64_t)in[i] << (8 * i);
  return value;
}

/** Feeds bytes start..end-1 into the checksum; false if they cannot be read. */
static bool add_range(const crc_table *table, FILE *file, uint64_t start, uint64_t end,
                      uint64_t *crc) {
  unsigned char block[BLOCK];
  if (start > INT64_MAX || fseeko(file, (off_t)start, SEEK_SET) != 0) return false;
  while (start < end) {
    size_t now = end - start < BLOCK ? (size_t)(end - start) : BLOCK;
    if (fread(block, 1, now, file) != now) return false;
    *crc = crc64(table, *crc, block, now);
    start += now;
  }
  return true;
}

/** Checksum of bytes 0..end-1 outside the gaps. */
static bool checksum(const crc_table *table, FILE *file, uint64_t end, const wal_run_gap *gaps,
                     int64_t count, uint64_t *crc) {
  uint64_t at = 0;
  *crc = 0;
  for (int64_t i = 0; i < count; i++) {
    if (gaps[i].start < at || gaps[i].end < gaps[i].start || gaps[i].end > end) return false;
    if (!add_range(table, file, at, gaps[i].start, crc)) return false;
    at = gaps[i].end;
  }
  return add_range(table, file, at, end, crc);
}

/** Size of the file, and where HDF5 says that it ends; that is 0 in files of another make. */
static bool ends(FILE *file, uint64_t *size, uint64_t *end) {
  unsigned char head[SUPERBLOCK];
  if (fseeko(file, 0, SEEK_END) != 0) return false;
  *size = (uint64_t)ftello(file);
  *end = 0;
  rewind(file);
  if (*size < SUPERBLOCK || fread(head, 1, SUPERBLOCK, file) != SUPERBLOCK) return false;
  if (head[SUPERBLOCK_VERSION] == 2 || head[SUPERBLOCK_VERSION] == 3)
    *end = get64(head + SUPERBLOCK_END);
  return true;
}

static int by_start(const void *a, const void *b) {
  uint64_t x = ((const wal_run_gap *)a)->start, y = ((const wal_run_gap *)b)->start;
  return (x > y) - (x < y);
}

wal_status wal_run_gaps_add(wal_ctx *ctx, wal_run_gaps *gaps, uint64_t start, uint64_t end) {
  if (gaps->count && gaps->list[gaps->count - 1].end == start) {
    gaps->list[gaps->count - 1].end = end;
    return WAL_OK;
  }
  WAL_TRY(wal_hdf5_grow(ctx, "places of large arrays", &gaps->list, gaps->count, &gaps->capacity,
                        sizeof *gaps->list));
  gaps->list[gaps->count++] = (wal_run_gap){start, end};
  return WAL_OK;
}

void wal_run_seal_sort(wal_run_gaps *gaps) {
  if (gaps->count) qsort(gaps->list, (size_t)gaps->count, sizeof *gaps->list, by_start);
}

double wal_run_seal_size(int64_t gaps) { return (double)sizeof MAGIC + 8 + 16 * (double)gaps + 16; }

wal_status wal_run_seal_write(wal_ctx *ctx, const char *name, const char *path,
                              const wal_run_gaps *gaps) {
  FILE *file = NULL;
  unsigned char *seal = NULL;
  crc_table table;
  make_table(&table);
  wal_status status = WAL_OK;
  size_t numbers = 8 * (size_t)(1 + 2 * gaps->count), length = sizeof MAGIC + numbers + 16;
  WAL_TRY_GOTO(wal_acquire(ctx, "a seal", (int64_t)length, 1, &seal));
  file = fopen(path, "r+b");
  uint64_t size = 0, end = 0, crc = 0;
  bool good = file && ends(file, &size, &end) && size == end &&
              checksum(&table, file, end, gaps->list, gaps->count, &crc);
  if (good) {
    memcpy(seal, MAGIC, sizeof MAGIC);
    unsigned char *out = seal + sizeof MAGIC;
    put64(out, (uint64_t)gaps->count);
    for (int64_t i = 0; i < gaps->count; i++) {
      put64(out + 8 + 16 * i, gaps->list[i].start);
      put64(out + 16 + 16 * i, gaps->list[i].end);
    }
    put64(out + numbers, crc);
    put64(out + numbers + 8, crc64(&table, 0, seal, length - 8));
    good = fseeko(file, 0, SEEK_END) == 0 && fwrite(seal, 1, length, file) == length;
  }
  int error = errno;
  if (file && fclose(file) != 0) {
    error = errno;
    good = false;
  }
  if (!good)
    WAL_TRY_GOTO(wal_fail(ctx, WAL_EIO, "%s: cannot be sealed: %s", name, strerror(error)));
cleanup:
  wal_release(ctx, &seal);
  return status;
}

static wal_status damaged(wal_ctx *ctx, const char *path, const char *what) {
  return wal_fail(ctx, WAL_EIO, "%s: damaged: %s", path, what);
}

bool wal_run_seal_there(const char *path) {
  uint64_t size = 0, end = 0;
  FILE *file = fopen(path, "rb");
  const bool there = file && ends(file, &size, &end) && end > 0 && size > end;
  if (file) fclose(file);
  return there;
}

wal_status wal_run_seal_check(wal_ctx *ctx, const char *path, FILE *file) {
  uint64_t size = 0, end = 0, crc = 0;
  if (!ends(file, &size, &end)) return damaged(ctx, path, "too short for a run file");
  if (end == 0 || size == end) return WAL_OK;
  if (size < end) return damaged(ctx, path, "cut short");
  const uint64_t least = sizeof MAGIC + 8 + 16;
  uint64_t length = size - end;
  // A seal is a few bytes for each large array.
  if (length < least || length > ((uint64_t)1 << 26) || (length - least) % 16 != 0)
    return damaged(ctx, path, "its seal is cut short");
  unsigned char *seal = NULL;
  crc_table table;
  make_table(&table);
  wal_run_gap *gaps = NULL;
  wal_status status = WAL_OK;
  int64_t count = (int64_t)((length - least) / 16);
  WAL_TRY_GOTO(wal_acquire(ctx, "a seal", (int64_t)length, 1, &seal));
  WAL_TRY_GOTO(wal_acquire(ctx, "a seal", count, sizeof *gaps, &gaps));
  if (fseeko(file, (off_t)end, SEEK_SET) != 0 || fread(seal, 1, length, file) != length)
    WAL_TRY_GOTO(damaged(ctx, path, "its seal cannot be read"));
  const unsigned char *numbers = seal + sizeof MAGIC;
  if (memcmp(seal, MAGIC, sizeof MAGIC) != 0 || get64(numbers) != (uint64_t)count ||
      get64(seal + length - 8) != crc64(&table, 0, seal, length - 8))
    WAL_TRY_GOTO(damaged(ctx, path, "its seal is broken"));
  for (int64_t i = 0; i < count; i++)
    gaps[i] = (wal_run_gap){get64(numbers + 8 + 16 * i), get64(numbers + 16 + 16 * i)};
  if (!checksum(&table, file, end, gaps, count, &crc) || crc != get64(seal + length - 16))
    WAL_TRY_GOTO(damaged(ctx, path, "the bytes outside its large arrays are not those written"));
cleanup:
  wal_release(ctx, &seal);
  wal_release(ctx, &gaps);
  return status;
}
