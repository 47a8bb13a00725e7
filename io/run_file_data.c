// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include "io/run_file_private.h"
#include "sim/core/memory.h"

enum {
  SMALL = 64 << 10,         // up to here: contiguous, without checksum
  CHUNK_LEAST = 256 << 10,  // bytes of a chunk
  CHUNK_USUAL = 1 << 20,
  CHUNK_MOST = 4 << 20,
  TOGETHER = 16 << 20,  // indices of dimension 0 are written together up to this many bytes
};

/* Most bytes that a rank gives to one write: MPI-IO counts bytes in an int. */
#ifndef WAL_RUN_FILE_TRANSFER
#define WAL_RUN_FILE_TRANSFER ((int64_t)1 << 30)
#endif

/** Where the numbers of a dataset come from: this rank's range of dimension `split`. */
typedef struct source {
  hid_t memory_type; /**< of what is written */
  wal_stored stored;
  int64_t item; /**< its bytes, in the file as well */
  int split;
  int64_t first, count, most;                       /**< most: largest count of any rank */
  void (*fill)(void *user, int64_t i, double *out); /**< or: */
  const char *values;                               /**< all of them, 8 bytes each */
  void *user;
} source;

/** Product of the extents from dimension `from` on, in items. */
static int64_t items_from(const wal_dataset *what, int from) {
  int64_t items = 1;
  for (int d = from; d < what->rank; d++) items *= what->extent[d];
  return items;
}

/** Least divisor of n that is not below `least` and not above `most`, else 0. */
static int64_t divisor(int64_t n, int64_t least, int64_t most) {
  for (int64_t d = least > 1 ? least : 1; d <= most && d <= n; d++)
    if (n % d == 0) return d;
  return 0;
}

/** How much of dimension `n` goes into a chunk, where one index has `inner` bytes: about 1 MiB, of
 *  equal parts if that is possible (then no chunk sticks out of the dataset). */
static int64_t chunk_length(int64_t n, int64_t inner) {
  if (n * inner <= CHUNK_USUAL) return n;
  int64_t usual = (CHUNK_USUAL + inner - 1) / inner;
  int64_t length = divisor(n, usual, CHUNK_MOST / inner);
  if (!length) length = divisor(n, (CHUNK_LEAST + inner - 1) / inner, usual);
  if (!length) length = usual;
  return length < n ? length : n;
}

/** Shape of the chunks of a large dataset, which depends on its shape alone: one index of dimension
 *  0 deep unless that is less than CHUNK_LEAST. False for small ones. */
static bool chunk_shape(const wal_dataset *what, int64_t item, hsize_t chunk[4]) {
  if (items_from(what, 0) * item <= SMALL) return false;
  int axis = what->rank - 1;
  int64_t inner = item;
  for (; axis > 0 && inner * what->extent[axis] < CHUNK_LEAST; axis--) inner *= what->extent[axis];
  for (int d = 0; d < what->rank; d++)
    chunk[d] =
        d < axis ? 1 : (hsize_t)(d > axis ? what->extent[d] : chunk_length(what->extent[d], inner));
  return true;
}

static wal_status check_dataset(wal_run_file *file, const wal_dataset *what) {
  WAL_TRY(wal_run_file_new_path(file, what->path));
  int64_t items = 1, bytes = 0;
  bool good = what->units && what->long_name && what->rank >= 0 && what->rank <= 4 &&
              (!what->is_scale || what->rank == 1);
  for (int d = 0; good && d < what->rank; d++)
    good = what->extent[d] >= 0 && wal_multiply(items, what->extent[d], &items);
  if (!good || !wal_multiply(items, 8, &bytes))
    return wal_fail(file->ctx, WAL_EINTERNAL,
                    "%s: %s: expected units, a long name, and 0 to 4 dimensions (a scale: 1) whose "
                    "size does not overflow",
                    file->path, what->path);
  return wal_run_file_check_scales(file, what);
}

/** Makes a checked dataset with all its attributes, without its values. */
static wal_status create_dataset(wal_run_file *file, const wal_dataset *what, hid_t type, bool text,
                                 hid_t *out) {
  hid_t list = wal_run_file_timeless(file, H5P_DATASET_CREATE);
  wal_run_file_must(file, H5Pset_alloc_time(list, H5D_ALLOC_TIME_EARLY));
  hsize_t extent[4] = {0}, chunk[4] = {0};
  for (int d = 0; d < what->rank; d++) extent[d] = (hsize_t)what->extent[d];
  // Texts need the empty ones that HDF5 fills in: they are opened before they are written.
  if (!text) {
    wal_run_file_must(file, H5Pset_fill_time(list, H5D_FILL_TIME_NEVER));
    if (chunk_shape(what, (int64_t)H5Tget_size(type), chunk)) {
      wal_run_file_must(file, H5Pset_chunk(list, what->rank, chunk));
      wal_run_file_must(file, H5Pset_fletcher32(list));
    }
  }
  hid_t space = wal_run_file_must(
      file, what->rank ? H5Screate_simple(what->rank, extent, NULL) : H5Screate(H5S_SCALAR));
  hid_t dataset = wal_run_file_must(
      file, H5Dcreate2(file->file, what->path, type, space, H5P_DEFAULT, list, H5P_DEFAULT));
  wal_run_file_must(file, H5Sclose(space));
  wal_run_file_must(file, H5Pclose(list));
  wal_run_file_put_text(file, dataset, "units", what->units);
  wal_run_file_put_text(file, dataset, "long_name", what->long_name);
  if (what->is_scale) wal_run_file_make_scale(file, dataset, strrchr(what->path, '/') + 1);
  wal_status status = wal_run_file_attach_scales(file, dataset, what);
  if (status != WAL_OK)
    H5Dclose(dataset);
  else
    *out = dataset;
  return status;
}

/** One collective write of a block; a rank without any (`items` = 0) takes part with nothing. */
static void write_once(wal_run_file *file, hid_t dataset, hid_t memory_type, int rank,
                       int64_t items, const hsize_t start[4], const hsize_t count[4],
                       const void *data) {
  // In memory a block of the same shape: HDF5 goes through other shapes item by item.
  const hsize_t one[4] = {1, 1, 1, 1};
  hid_t memory = wal_run_file_must(
      file, rank ? H5Screate_simple(rank, items ? count : one, NULL) : H5Screate(H5S_SCALAR));
  hid_t space = wal_run_file_must(file, H5Dget_space(dataset));
  if (items == 0) {
    wal_run_file_must(file, H5Sselect_none(memory));
    wal_run_file_must(file, H5Sselect_none(space));
  } else if (rank > 0) {
    wal_run_file_must(file, H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL));
  }
  wal_run_file_must(file, H5Dwrite(dataset, memory_type, memory, space, file->transfer, data));
  wal_run_file_must(file, H5Sclose(space));
  wal_run_file_must(file, H5Sclose(memory));
}

static int64_t block_items(int rank, const hsize_t count[4]) {
  hsize_t items = 1;
  for (int d = 0; d < rank; d++) items *= count[d];
  return (int64_t)items;
}

/** Writes a block, in pieces along dimension 1 if one index of dimension 0 is too large for one
 *  write. `most` is the largest extent of the block along dimension 1 on any rank. */
static void write_block(wal_run_file *file, hid_t dataset, const source *from,
                        const wal_dataset *what, const hsize_t start[4], const hsize_t count[4],
                        int64_t most, const char *data) {
  int64_t line = what->rank > 1 ? items_from(what, 2) * from->item : 0;
  int64_t step = line > 0 ? WAL_RUN_FILE_TRANSFER / line : most;
  if (step < 1) step = 1;
  if (what->rank < 2 || count[0] > 1 || most <= step) {
    write_once(file, dataset, from->memory_type, what->rank, block_items(what->rank, count), start,
               count, data);
    return;
  }
  for (int64_t done = 0; done < most; done += step) {
    int64_t left = (int64_t)count[1] - done;
    int64_t now = left < 0 ? 0 : left < step ? left : step;
    hsize_t at[4], size[4];
    memcpy(at, start, sizeof at);
    memcpy(size, count, sizeof size);
    at[1] += (hsize_t)(now ? done : 0);
    size[1] = (hsize_t)now;
    write_once(file, dataset, from->memory_type, what->rank, block_items(what->rank, size), at,
               size, now ? data + done * line : data);
  }
}

/** Doubles to what is stored, in their own place. */
static void convert(wal_stored stored, char *data, int64_t count) {
  for (int64_t i = 0; stored != WAL_STORED_DOUBLE && i < count; i++) {
    double value = 0;
    memcpy(&value, data + 8 * i, sizeof value);
    const float single = (float)value;
    const int64_t whole = stored == WAL_STORED_WHOLE ? (int64_t)value : 0;
    if (stored == WAL_STORED_SINGLE)
      memcpy(data + 4 * i, &single, sizeof single);
    else
      memcpy(data + 8 * i, &whole, sizeof whole);
  }
}

double wal_run_file_buffer(double rows, double whole, double own) {
  double together = whole > 0 ? TOGETHER / whole : 1;
  if (together < 1) together = 1;
  return own * (rows < together ? rows : together);
}

/** Indices of dimension 0 that are written together: whole chunks, if several. */
static int64_t rows_together(const wal_dataset *what, int64_t item) {
  hsize_t chunk[4] = {1, 1, 1, 1};
  int64_t row = 8 * items_from(what, 1);
  int64_t rows = row > 0 ? TOGETHER / row : 1;
  if (rows < 1) rows = 1;
  if (!chunk_shape(what, item, chunk)) return what->extent[0] > 0 ? what->extent[0] : 1;
  int64_t depth = (int64_t)chunk[0];
  int64_t together = rows > depth ? rows / depth * depth : depth;
  return together < what->extent[0] ? together : what->extent[0];
}

static void write_rows(wal_run_file *file, hid_t dataset, const source *from,
                       const wal_dataset *what, int64_t together, char *buffer) {
  bool spread_rows = from->split == 0;
  int64_t rows = spread_rows ? from->most : what->extent[0];
  int64_t own_rows = spread_rows ? from->count : what->extent[0];
  int64_t length = spread_rows ? items_from(what, 1) : from->count * items_from(what, 2);
  int64_t most = what->rank < 2 ? 1 : spread_rows ? what->extent[1] : from->most;
  for (int64_t row = 0; row < rows; row += together) {
    int64_t left = own_rows - row;
    int64_t now = left < 0 ? 0 : left < together ? left : together;
    hsize_t start[4] = {0}, count[4] = {0};
    for (int d = 1; d < what->rank; d++) count[d] = (hsize_t)what->extent[d];
    start[0] = (hsize_t)(now ? row + (spread_rows ? from->first : 0) : 0);
    count[0] = (hsize_t)now;
    if (!spread_rows) {
      start[1] = (hsize_t)from->first;
      count[1] = (hsize_t)from->count;
    }
    for (int64_t i = 0; i < now && length > 0; i++) {
      char *out = buffer + 8 * i * length;
      if (from->values)
        memcpy(out, from->values + 8 * length * (row + i), (size_t)(8 * length));
      else
        from->fill(from->user, (int64_t)start[0] + i, (double *)(void *)out);
    }
    convert(from->stored, buffer, now * length);
    write_block(file, dataset, from, what, start, count, most, buffer);
  }
}

/** A scalar, of rank 0. */
static void write_scalar(wal_run_file *file, hid_t dataset, const source *from) {
  char value[8];
  memcpy(value, from->values, sizeof value);
  convert(from->stored, value, 1);
  const hsize_t unused[4] = {0};
  write_once(file, dataset, from->memory_type, 0, from->count, unused, unused, value);
}

/** The common way of all numbers. Collective; `from` has this rank's range. */
static wal_status write_numbers(wal_run_file *file, const wal_dataset *what, hid_t file_type,
                                const source *from) {
  hid_t dataset = -1;
  char *buffer = NULL;
  wal_status status = WAL_OK;
  int64_t together = what->rank ? rows_together(what, from->item) : 1;
  int64_t own =
      from->split == 0 ? (from->count < together ? from->count : together) : together * from->count;
  int64_t row = items_from(what, from->split == 0 ? 1 : 2);
  if (what->rank) WAL_TRY_ALL(file->ctx, wal_acquire(file->ctx, what->path, own * row, 8, &buffer));
  WAL_TRY_GOTO(create_dataset(file, what, file_type, false, &dataset));
  if (what->rank)
    write_rows(file, dataset, from, what, together, buffer);
  else
    write_scalar(file, dataset, from);
  wal_run_file_must(file, H5Dclose(dataset));
cleanup:
  wal_release(file->ctx, &buffer);
  return status;
}

/** A dataset whose values rank 0 has. */
static source whole(const wal_run_file *file, const wal_dataset *what, const void *values) {
  int64_t rows = what->rank ? what->extent[0] : 1;
  return (source){.split = 0,
                  .first = 0,
                  .count = wal_ctx_rank(file->ctx) == 0 ? rows : 0,
                  .most = rows,
                  .item = 8,
                  .values = values};
}

static wal_status write_reals(wal_run_file *file, const wal_dataset *what, source *from) {
  const hid_t memory[] = {H5T_NATIVE_DOUBLE, H5T_NATIVE_FLOAT, H5T_NATIVE_INT64};
  const hid_t stored[] = {H5T_IEEE_F64LE, H5T_IEEE_F32LE, H5T_STD_I64LE};
  from->stored = what->stored;
  from->item = what->stored == WAL_STORED_SINGLE ? 4 : 8;
  from->memory_type = memory[what->stored];
  return write_numbers(file, what, stored[what->stored], from);
}

wal_status wal_run_file_reals(wal_run_file *file, const wal_dataset *what, const double *values) {
  WAL_TRY(check_dataset(file, what));
  source from = whole(file, what, values);
  return write_reals(file, what, &from);
}

wal_status wal_run_file_integers(wal_run_file *file, const wal_dataset *what,
                                 const int64_t *values) {
  WAL_TRY(check_dataset(file, what));
  source from = whole(file, what, values);
  from.memory_type = H5T_NATIVE_INT64;
  return write_numbers(file, what, H5T_STD_I64LE, &from);
}

/** Whether the ranges of the ranks follow each other and cover 0..extent-1; the largest count. */
static wal_status check_ranges(wal_run_file *file, const wal_dataset *what, int split,
                               int64_t first, int64_t count, int64_t *most) {
  wal_ctx *ctx = file->ctx;
  int ranks = wal_ctx_size(ctx);
  int64_t own[2] = {first, count}, *all = NULL;
  *most = 0;
  WAL_TRY_ALL(ctx, wal_acquire(ctx, "ranges of the ranks", 2 * (int64_t)ranks, sizeof *all, &all));
  int error = MPI_Allgather(own, 2, MPI_INT64_T, all, 2, MPI_INT64_T, wal_ctx_comm(ctx));
  int64_t end = 0;
  bool good = error == MPI_SUCCESS;
  for (int r = 0; good && r < ranks; r++) {
    int64_t size = all[2 * r + 1];
    // An empty rank may say any place.
    good = size >= 0 && (size == 0 || all[2 * r] == end) && size <= what->extent[split] - end;
    end += size;
    if (size > *most) *most = size;
  }
  wal_release(ctx, &all);
  if (error != MPI_SUCCESS) return wal_fail(ctx, WAL_EINTERNAL, "MPI_Allgather failed");
  if (good && end == what->extent[split]) return WAL_OK;
  return wal_fail(ctx, WAL_EINTERNAL,
                  "%s: %s: expected ranges of dimension %d in rank order that cover its %lld items",
                  file->path, what->path, split, (long long)what->extent[split]);
}

wal_status wal_run_file_spread(wal_run_file *file, const wal_dataset *what, int split,
                               int64_t first, int64_t count,
                               void (*fill)(void *user, int64_t i, double *out), void *user) {
  WAL_TRY(check_dataset(file, what));
  if (split < 0 || split > 1 || split >= what->rank)
    return wal_fail(file->ctx, WAL_EINTERNAL, "%s: %s: dimension %d cannot be spread", file->path,
                    what->path, split);
  source from = {
      .split = split, .first = count ? first : 0, .count = count, .fill = fill, .user = user};
  WAL_TRY(check_ranges(file, what, split, first, count, &from.most));
  return write_reals(file, what, &from);
}

/** Copies texts for the time after the collective close. */
static wal_status keep_texts(wal_run_file *file, const wal_dataset *what,
                             const char *const *values) {
  wal_ctx *ctx = file->ctx;
  WAL_TRY(wal_hdf5_grow(ctx, "texts", &file->texts, file->texts_count, &file->texts_capacity,
                        sizeof *file->texts));
  wal_run_texts *texts = &file->texts[file->texts_count];
  *texts = (wal_run_texts){.count = items_from(what, 0)};
  int64_t bytes = 0;
  for (int64_t i = 0; i < texts->count; i++) bytes += (int64_t)strlen(values[i]) + 1;
  int64_t length = (int64_t)strlen(what->path);
  WAL_TRY(wal_acquire(ctx, "texts", length + 1, 1, &texts->path));
  memcpy(texts->path, what->path, (size_t)length);
  file->texts_count++;
  WAL_TRY(wal_acquire(ctx, "texts", bytes, 1, &texts->bytes));
  char *out = texts->bytes;
  for (int64_t i = 0; i < texts->count; i++) {
    size_t size = strlen(values[i]) + 1;
    memcpy(out, values[i], size);
    out += size;
  }
  return WAL_OK;
}

wal_status wal_run_file_texts(wal_run_file *file, const wal_dataset *what,
                              const char *const *values) {
  WAL_TRY(check_dataset(file, what));
  wal_status status = WAL_OK;
  if (wal_ctx_rank(file->ctx) == 0) status = keep_texts(file, what, values);
  WAL_TRY_ALL(file->ctx, status);
  hid_t dataset = -1, type = wal_run_file_text_type(file);
  status = create_dataset(file, what, type, true, &dataset);
  wal_run_file_must(file, H5Tclose(type));
  if (status == WAL_OK) wal_run_file_must(file, H5Dclose(dataset));
  return status;
}
