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

/** CRC-64 of ECMA-182 (polynomial 42F0E1EBA9EA3693), four bits at a time. */
static uint64_t crc64(uint64_t crc, const unsigned char *bytes, size_t count) {
  static const uint64_t TABLE[16] = {
      0x0000000000000000, 0x42F0E1EBA9EA3693, 0x85E1C3D753D46D26, 0xC711223CFA3E5BB5,
      0x493366450E42ECDF, 0x0BC387AEA7A8DA4C, 0xCCD2A5925D9681F9, 0x8E224479F47CB76A,
      0x9266CC8A1C85D9BE, 0xD0962D61B56FEF2D, 0x17870F5D4F51B498, 0x5577EEB6E6BB820B,
      0xDB55AACF12C73561, 0x99A54B24BB2D03F2, 0x5EB4691841135847, 0x1C4488F3E8F96ED4};
  for (size_t i = 0; i < count; i++) {
    crc = (crc << 4) ^ TABLE[((crc >> 60) ^ (bytes[i] >> 4)) & 15];
    crc = (crc << 4) ^ TABLE[((crc >> 60) ^ bytes[i]) & 15];
  }
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
static bool add_range(FILE *file, uint64_t start, uint64_t end, uint64_t *crc) {
  unsigned char block[BLOCK];
  if (start > INT64_MAX || fseeko(file, (off_t)start, SEEK_SET) != 0) return false;
  while (start < end) {
    size_t now = end - start < BLOCK ? (size_t)(end - start) : BLOCK;
    if (fread(block, 1, now, file) != now) return false;
    *crc = crc64(*crc, block, now);
    start += now;
  }
  return true;
}

/** Checksum of bytes 0..end-1 outside the gaps. */
static bool checksum(FILE *file, uint64_t end, const wal_run_gap *gaps, int64_t count,
                     uint64_t *crc) {
  uint64_t at = 0;
  *crc = 0;
  for (int64_t i = 0; i < count; i++) {
    if (gaps[i].start < at || gaps[i].end < gaps[i].start || gaps[i].end > end) return false;
    if (!add_range(file, at, gaps[i].start, crc)) return false;
    at = gaps[i].end;
  }
  return add_range(file, at, end, crc);
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

/** Bytes from the first chunk of a dataset to the end of the last; false if HDF5 fails. */
static bool find_gap(hid_t file, const char *path, wal_run_gap *gap, bool *chunked) {
  hid_t dataset = H5Dopen2(file, path, H5P_DEFAULT);
  hid_t list = dataset < 0 ? -1 : H5Dget_create_plist(dataset);
  wal_hdf5_shape shape;
  bool good = list >= 0 && wal_hdf5_shape_of(dataset, &shape);
  *chunked = good && H5Pget_layout(list) == H5D_CHUNKED && shape.items > 0;
  if (*chunked) {
    hsize_t chunk[H5S_MAX_RANK], first[H5S_MAX_RANK] = {0}, last[H5S_MAX_RANK], size = 0;
    haddr_t start = 0, end = 0;
    unsigned mask = 0;
    good = H5Pget_chunk(list, shape.rank, chunk) == shape.rank;
    for (int d = 0; good && d < shape.rank; d++)
      last[d] = (shape.extent[d] - 1) / chunk[d] * chunk[d];
    good = good && H5Dget_chunk_info_by_coord(dataset, first, &mask, &start, &size) >= 0 &&
           H5Dget_chunk_info_by_coord(dataset, last, &mask, &end, &size) >= 0;
    // Chunks were given their places in order when the dataset was made. Were it otherwise, the
    // seal would only cover more.
    *chunked = good && start < end + size;
    *gap = (wal_run_gap){.start = start, .end = end + size};
  }
  if (list >= 0) H5Pclose(list);
  if (dataset >= 0) H5Dclose(dataset);
  return good;
}

wal_status wal_run_seal_gaps(wal_ctx *ctx, const char *path, hid_t file, wal_run_gaps *out) {
  wal_hdf5_tree tree = {0};
  wal_status status = WAL_OK;
  WAL_TRY_GOTO(wal_hdf5_tree_read(ctx, path, file, true, &tree));
  for (int64_t i = 0; i < tree.count; i++) {
    const wal_hdf5_entry *entry = &tree.entries[i];
    wal_run_gap gap = {0, 0};
    bool chunked = false;
    if (!entry->dataset || wal_hdf5_tree_path(&tree, entry->address) != entry->path) continue;
    if (!find_gap(file, entry->path, &gap, &chunked))
      WAL_TRY_GOTO(wal_fail(ctx, WAL_EIO, "%s: %s: its chunks cannot be found", path, entry->path));
    if (!chunked) continue;
    WAL_TRY_GOTO(wal_hdf5_grow(ctx, "places of large arrays", &out->list, out->count,
                               &out->capacity, sizeof *out->list));
    out->list[out->count++] = gap;
  }
  if (out->count) qsort(out->list, (size_t)out->count, sizeof *out->list, by_start);
cleanup:
  wal_hdf5_tree_free(ctx, &tree);
  return status;
}

wal_status wal_run_seal_write(wal_ctx *ctx, const char *name, const char *path,
                              const wal_run_gaps *gaps) {
  FILE *file = NULL;
  unsigned char *seal = NULL;
  wal_status status = WAL_OK;
  size_t numbers = 8 * (size_t)(1 + 2 * gaps->count), length = sizeof MAGIC + numbers + 16;
  WAL_TRY_GOTO(wal_acquire(ctx, "a seal", (int64_t)length, 1, &seal));
  file = fopen(path, "r+b");
  uint64_t size = 0, end = 0, crc = 0;
  bool good = file && ends(file, &size, &end) && size == end &&
              checksum(file, end, gaps->list, gaps->count, &crc);
  if (good) {
    memcpy(seal, MAGIC, sizeof MAGIC);
    unsigned char *out = seal + sizeof MAGIC;
    put64(out, (uint64_t)gaps->count);
    for (int64_t i = 0; i < gaps->count; i++) {
      put64(out + 8 + 16 * i, gaps->list[i].start);
      put64(out + 16 + 16 * i, gaps->list[i].end);
    }
    put64(out + numbers, crc);
    put64(out + numbers + 8, crc64(0, seal, length - 8));
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
  wal_run_gap *gaps = NULL;
  wal_status status = WAL_OK;
  int64_t count = (int64_t)((length - least) / 16);
  WAL_TRY_GOTO(wal_acquire(ctx, "a seal", (int64_t)length, 1, &seal));
  WAL_TRY_GOTO(wal_acquire(ctx, "a seal", count, sizeof *gaps, &gaps));
  if (fseeko(file, (off_t)end, SEEK_SET) != 0 || fread(seal, 1, length, file) != length)
    WAL_TRY_GOTO(damaged(ctx, path, "its seal cannot be read"));
  const unsigned char *numbers = seal + sizeof MAGIC;
  if (memcmp(seal, MAGIC, sizeof MAGIC) != 0 || get64(numbers) != (uint64_t)count ||
      get64(seal + length - 8) != crc64(0, seal, length - 8))
    WAL_TRY_GOTO(damaged(ctx, path, "its seal is broken"));
  for (int64_t i = 0; i < count; i++)
    gaps[i] = (wal_run_gap){get64(numbers + 8 + 16 * i), get64(numbers + 16 + 16 * i)};
  if (!checksum(file, end, gaps, count, &crc) || crc != get64(seal + length - 16))
    WAL_TRY_GOTO(damaged(ctx, path, "the bytes outside its large arrays are not those written"));
cleanup:
  wal_release(ctx, &seal);
  wal_release(ctx, &gaps);
  return status;
}
