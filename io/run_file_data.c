// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include "io/run_file_private.h"
#include "sim/core/memory.h"

enum {
  SMALL = 64 << 10,         // up to here: contiguous, without checksum
  CHUNK_LEAST = 256 << 10,  // bytes of a chunk
  CHUNK_USUAL = 1 << 20,
  CHUNK_MOST = 4 << 20,
  LATER = 256 << 10,  // in a plan larger ones have no place in memory
};

int64_t wal_run_file_items(const wal_dataset *what, int from) {
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
  if (wal_run_file_items(what, 0) * item <= SMALL) return false;
  int axis = what->rank - 1;
  int64_t inner = item;
  for (; axis > 0 && inner * what->extent[axis] < CHUNK_LEAST; axis--) inner *= what->extent[axis];
  for (int d = 0; d < what->rank; d++)
    chunk[d] =
        d < axis ? 1 : (hsize_t)(d > axis ? what->extent[d] : chunk_length(what->extent[d], inner));
  return true;
}

/** Whether a dataset can be made; notes its name if so. */
static wal_status new_dataset(wal_run_file *file, const wal_dataset *what) {
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
  WAL_TRY(wal_run_file_check_scales(file, what));
  WAL_TRY(
      wal_run_file_name(file, what->path, what->is_scale ? WAL_RUN_SCALE : WAL_RUN_DATASET, -1));
  if (what->is_scale) file->names.list[file->names.count - 1].length = what->extent[0];
  return WAL_OK;
}

/** Rank 0 remembers where large arrays are, a plan how large they are. */
static wal_status note_chunks(wal_run_file *file, const wal_dataset *what, int64_t item,
                              const hsize_t chunk[4], bool later) {
  double bytes = (double)item;
  for (int d = 0; d < what->rank; d++)
    bytes *= (double)(((hsize_t)what->extent[d] - 1) / chunk[d] + 1) * (double)chunk[d];
  if (later) file->away += bytes;
  wal_status status = WAL_OK;
  if (file->rank == 0)
    status = wal_hdf5_grow(file->ctx, "names of a run file", &file->chunked, file->chunked_count,
                           &file->chunked_capacity, sizeof *file->chunked);
  WAL_TRY(wal_run_file_agree(file, status));
  if (file->rank == 0)
    file->chunked[file->chunked_count++] = wal_run_names_find(&file->names, what->path);
  return WAL_OK;
}

/** The creation list of a large dataset of numbers; to be closed. */
static hid_t chunked_list(wal_run_file *file, int rank, const hsize_t chunk[4], bool later) {
  hid_t list = wal_run_file_must(file, H5Pcopy(file->shared.number_list));
  wal_run_file_must(file, H5Pset_chunk(list, rank, chunk));
  wal_run_file_must(file, H5Pset_fletcher32(list));
  if (later) wal_run_file_must(file, H5Pset_alloc_time(list, H5D_ALLOC_TIME_INCR));
  return list;
}

/** Makes a checked dataset with all its attributes, without its values. */
static wal_status create_dataset(wal_run_file *file, const wal_dataset *what, hid_t type, bool text,
                                 hid_t *out) {
  hsize_t extent[4] = {0}, chunk[4] = {0};
  for (int d = 0; d < what->rank; d++) extent[d] = (hsize_t)what->extent[d];
  const int64_t item = text ? 0 : (int64_t)H5Tget_size(type);
  const bool large = !text && chunk_shape(what, item, chunk);
  const bool later = file->kind == WAL_RUN_PLANNED && wal_run_file_items(what, 0) * item > LATER;
  if (large) WAL_TRY(note_chunks(file, what, item, chunk, later));
  hid_t parent = wal_run_file_group_of(file, what->path);
  hid_t list = large  ? chunked_list(file, what->rank, chunk, later)
               : text ? file->shared.text_list
                      : file->shared.number_list;
  hid_t space = what->rank ? wal_run_file_must(file, H5Screate_simple(what->rank, extent, NULL))
                           : file->shared.scalar;
  const char *name = strrchr(what->path, '/') + 1;
  hid_t dataset = wal_run_file_must(
      file, H5Dcreate2(parent, name, type, space, H5P_DEFAULT, list, H5P_DEFAULT));
  if (what->rank) wal_run_file_must(file, H5Sclose(space));
  if (large) wal_run_file_must(file, H5Pclose(list));
  wal_run_file_put_text(file, dataset, "units", what->units);
  wal_run_file_put_text(file, dataset, "long_name", what->long_name);
  if (what->is_scale) wal_run_file_make_scale(file, dataset, name);
  wal_status status = wal_run_file_attach_scales(file, dataset, what);
  if (status != WAL_OK)
    H5Dclose(dataset);
  else
    *out = dataset;
  return status;
}

static hid_t memory_type(wal_stored stored) {
  return stored == WAL_STORED_DOUBLE   ? H5T_NATIVE_DOUBLE
         : stored == WAL_STORED_SINGLE ? H5T_NATIVE_FLOAT
                                       : H5T_NATIVE_INT64;
}

static hid_t file_type(wal_stored stored) {
  return stored == WAL_STORED_DOUBLE   ? H5T_IEEE_F64LE
         : stored == WAL_STORED_SINGLE ? H5T_IEEE_F32LE
                                       : H5T_STD_I64LE;
}

/** One collective write of a block; a rank without any (`items` = 0) takes part with nothing. */
static void write_once(wal_run_file *file, hid_t dataset, wal_stored stored, int rank,
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
  wal_run_file_must(file,
                    H5Dwrite(dataset, memory_type(stored), memory, space, file->transfer, data));
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
static void write_block(wal_run_file *file, hid_t dataset, const wal_run_source *from,
                        const wal_dataset *what, const hsize_t start[4], const hsize_t count[4],
                        int64_t most, const char *data) {
  int64_t line = what->rank > 1 ? wal_run_file_items(what, 2) * from->item : 0;
  int64_t step = line > 0 ? WAL_RUN_FILE_TRANSFER / line : most;
  if (step < 1) step = 1;
  if (what->rank < 2 || count[0] > 1 || most <= step) {
    write_once(file, dataset, from->stored, what->rank, block_items(what->rank, count), start,
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
    write_once(file, dataset, from->stored, what->rank, block_items(what->rank, size), at, size,
               now ? data + done * line : data);
  }
}

void wal_run_file_convert(wal_stored stored, char *data, int64_t count) {
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
  double together = whole > 0 ? WAL_RUN_FILE_TOGETHER / whole : 1;
  if (together < 1) together = 1;
  return own * (rows < together ? rows : together);
}

/** Indices of dimension 0 that are written together: whole chunks, if several. */
static int64_t rows_together(const wal_dataset *what, int64_t item) {
  hsize_t chunk[4] = {1, 1, 1, 1};
  int64_t row = 8 * wal_run_file_items(what, 1);
  int64_t rows = row > 0 ? WAL_RUN_FILE_TOGETHER / row : 1;
  if (rows < 1) rows = 1;
  if (!chunk_shape(what, item, chunk)) return what->extent[0] > 0 ? what->extent[0] : 1;
  int64_t depth = (int64_t)chunk[0];
  int64_t together = rows > depth ? rows / depth * depth : depth;
  return together < what->extent[0] ? together : what->extent[0];
}

/** Fills `count` indices of dimension 0 from index `at` on (of `values`: from the own index `row`),
 *  `length` numbers each, as they are stored. */
static void fill_rows(const wal_run_source *from, int64_t at, int64_t row, int64_t count,
                      int64_t length, char *out) {
  if (count <= 0 || length <= 0) return;
  if (from->values) {
    const int64_t size = from->ready ? from->item : 8;
    memcpy(out, from->values + size * length * row, (size_t)(size * length * count));
  } else {
    for (int64_t i = 0; i < count; i++)
      from->fill(from->user, at + i, (double *)(void *)(out + 8 * i * length));
  }
  if (!from->ready) wal_run_file_convert(from->stored, out, count * length);
}

static void write_rows(wal_run_file *file, hid_t dataset, const wal_run_source *from,
                       const wal_dataset *what, int64_t together, char *buffer) {
  bool spread_rows = from->split == 0;
  int64_t rows = spread_rows ? from->most : what->extent[0];
  int64_t own_rows = spread_rows ? from->count : what->extent[0];
  int64_t length =
      spread_rows ? wal_run_file_items(what, 1) : from->count * wal_run_file_items(what, 2);
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
    fill_rows(from, (int64_t)start[0], row, now, length, buffer);
    write_block(file, dataset, from, what, start, count, most, buffer);
  }
}

/** A scalar, of rank 0. */
static void write_scalar(wal_run_file *file, hid_t dataset, const wal_run_source *from) {
  char value[8] = {0};
  fill_rows(from, 0, 0, from->count, 1, value);
  const hsize_t unused[4] = {0};
  write_once(file, dataset, from->stored, 0, from->count, unused, unused, value);
}

/** The numbers of a dataset that one rank writes alone and at once. */
static void write_whole(wal_run_file *file, hid_t dataset, const wal_run_source *from,
                        const wal_dataset *what, char *buffer) {
  const int64_t rows = what->extent[0], length = wal_run_file_items(what, 1);
  if (rows * length == 0) return;
  fill_rows(from, 0, 0, rows, length, buffer);
  // Collective is what checksums of chunks need; for the small it only costs time.
  hid_t transfer = rows * length * from->item <= SMALL ? H5P_DEFAULT : file->transfer;
  wal_run_file_must(
      file, H5Dwrite(dataset, memory_type(from->stored), H5S_ALL, H5S_ALL, transfer, buffer));
}

/** The common way of all numbers. Collective; `from` has this rank's range. */
static wal_status write_numbers(wal_run_file *file, const wal_dataset *what,
                                const wal_run_source *from) {
  hid_t dataset = -1;
  char *buffer = NULL;
  wal_status status = WAL_OK;
  if (file->kind == WAL_RUN_RECORDED) return wal_run_record_numbers(file, what, from);
  const bool write = file->kind == WAL_RUN_WRITTEN;
  int64_t together = what->rank ? rows_together(what, from->item) : 1;
  int64_t own =
      from->split == 0 ? (from->count < together ? from->count : together) : together * from->count;
  int64_t row = wal_run_file_items(what, from->split == 0 ? 1 : 2);
  if (what->rank && write)
    WAL_TRY_ALL(file->ctx, wal_acquire(file->ctx, what->path, own * row, 8, &buffer));
  WAL_TRY_GOTO(create_dataset(file, what, file_type(from->stored), false, &dataset));
  if (write && what->rank == 0)
    write_scalar(file, dataset, from);
  else if (write && file->ranks == 1 && together >= what->extent[0] &&
           own * row * from->item <= WAL_RUN_FILE_TRANSFER)
    write_whole(file, dataset, from, what, buffer);
  else if (write)
    write_rows(file, dataset, from, what, together, buffer);
  wal_run_file_must(file, H5Dclose(dataset));
  status = wal_run_file_outcome(file);
cleanup:
  wal_release(file->ctx, &buffer);
  return status;
}

/** A dataset whose values rank 0 has. */
static wal_run_source whole(const wal_run_file *file, const wal_dataset *what, wal_stored stored,
                            bool ready, const void *values) {
  int64_t rows = what->rank ? what->extent[0] : 1;
  return (wal_run_source){.stored = stored,
                          .ready = ready,
                          .item = stored == WAL_STORED_SINGLE ? 4 : 8,
                          .count = file->rank == 0 ? rows : 0,
                          .most = rows,
                          .values = values};
}

wal_status wal_run_file_reals(wal_run_file *file, const wal_dataset *what, const double *values) {
  WAL_TRY(new_dataset(file, what));
  wal_run_source from = whole(file, what, what->stored, what->stored == WAL_STORED_DOUBLE, values);
  return write_numbers(file, what, &from);
}

wal_status wal_run_file_numbers(wal_run_file *file, const wal_dataset *what, wal_stored stored,
                                const void *values) {
  WAL_TRY(new_dataset(file, what));
  wal_run_source from = whole(file, what, stored, true, values);
  return write_numbers(file, what, &from);
}

wal_status wal_run_file_integers(wal_run_file *file, const wal_dataset *what,
                                 const int64_t *values) {
  return wal_run_file_numbers(file, what, WAL_STORED_WHOLE, values);
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
  if (split < 0 || split > 1 || split >= what->rank)
    return wal_fail(file->ctx, WAL_EINTERNAL, "%s: %s: dimension %d cannot be spread", file->path,
                    what->path, split);
  WAL_TRY(new_dataset(file, what));
  wal_run_source from = {.stored = what->stored,
                         .ready = what->stored == WAL_STORED_DOUBLE,
                         .item = what->stored == WAL_STORED_SINGLE ? 4 : 8,
                         .split = split,
                         .first = count ? first : 0,
                         .count = count,
                         .fill = fill,
                         .user = user};
  if (file->kind != WAL_RUN_PLANNED)
    WAL_TRY(check_ranges(file, what, split, first, count, &from.most));
  return write_numbers(file, what, &from);
}

/** Copies texts for the time after the collective close. */
static wal_status keep_texts(wal_run_file *file, const wal_dataset *what,
                             const char *const *values) {
  wal_ctx *ctx = file->ctx;
  WAL_TRY(wal_hdf5_grow(ctx, "texts", &file->texts, file->texts_count, &file->texts_capacity,
                        sizeof *file->texts));
  wal_run_texts *texts = &file->texts[file->texts_count];
  *texts = (wal_run_texts){.count = wal_run_file_items(what, 0)};
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
  WAL_TRY(new_dataset(file, what));
  if (file->kind == WAL_RUN_RECORDED) return wal_run_record_texts(file, what, values);
  wal_status status = WAL_OK;
  if (file->rank == 0) status = keep_texts(file, what, values);
  WAL_TRY(wal_run_file_agree(file, status));
  hid_t dataset = -1;
  WAL_TRY(create_dataset(file, what, file->shared.text, true, &dataset));
  wal_run_file_must(file, H5Dclose(dataset));
  return wal_run_file_outcome(file);
}
