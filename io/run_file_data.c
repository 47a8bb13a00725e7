// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include "io/run_file_private.h"
#include "sim/core/memory.h"

enum { LATER = 256 << 10 };  // in a plan larger ones have no place in memory

int64_t wal_run_file_items(const wal_dataset *what, int from) {
  int64_t items = 1;
  for (int d = from; d < what->rank; d++) items *= what->extent[d];
  return items;
}

/** Whether a dataset can be made; notes its name if so. */
static wal_status new_dataset(wal_run_file *file, const wal_dataset *what) {
  WAL_TRY(wal_run_file_new_path(file, what->path));
  int64_t items = 1, bytes = 0;
  bool good = what->units && what->long_name && what->rank >= 0 && what->rank <= 4 &&
              (!what->is_scale || what->rank == 1);
  for (int d = 0; good && d < what->rank; d++)
    // Parts of the shape are multiplied, too: a 0 hides nothing.
    good =
        what->extent[d] >= 0 && wal_multiply(items, what->extent[d] ? what->extent[d] : 1, &items);
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

/** What a plan needs to know of a large array. */
static void note_chunks(wal_run_file *file, const wal_run_tiles *tiles, int64_t item, bool later) {
  if (later) file->away += (double)tiles->count * ((double)item * (double)tiles->items + 4);
  file->chunked_count++;
}

/** The creation list of a large dataset of numbers; to be closed. */
static hid_t chunked_list(wal_run_file *file, const wal_run_tiles *tiles, bool later) {
  hid_t list = wal_run_file_must(file, H5Pcopy(file->shared.number_list));
  wal_run_file_must(file, H5Pset_chunk(list, tiles->rank, tiles->shape));
  wal_run_file_must(file, H5Pset_fletcher32(list));
  if (later) wal_run_file_must(file, H5Pset_alloc_time(list, H5D_ALLOC_TIME_INCR));
  return list;
}

/** Makes a checked dataset with all its attributes, without its values, on a rank that builds.
 *  @param tiles  of numbers; NULL: texts */
static wal_status create_dataset(wal_run_file *file, const wal_dataset *what, hid_t type,
                                 const wal_run_tiles *tiles, hid_t *out) {
  hsize_t extent[4] = {0};
  for (int d = 0; d < what->rank; d++) extent[d] = (hsize_t)what->extent[d];
  const int64_t item = tiles ? (int64_t)H5Tget_size(type) : 0;
  const bool large = tiles && tiles->large;
  const bool later = large && wal_run_file_items(what, 0) * item > LATER;
  if (large) note_chunks(file, tiles, item, later);
  hid_t parent = wal_run_file_group_of(file, what->path);
  // Chunks of a file that is written get their places when their numbers are.
  hid_t list = large   ? chunked_list(file, tiles, later || file->kind == WAL_RUN_WRITTEN)
               : tiles ? file->shared.number_list
                       : file->shared.text_list;
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

static hid_t file_type(wal_stored stored) {
  return stored == WAL_STORED_DOUBLE   ? H5T_IEEE_F64LE
         : stored == WAL_STORED_SINGLE ? H5T_IEEE_F32LE
                                       : H5T_STD_I64LE;
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

/** The common way of all numbers. Collective; `from` has this rank's range. */
static wal_status write_numbers(wal_run_file *file, const wal_dataset *what,
                                const wal_run_source *from) {
  hid_t dataset = -1;
  wal_status status = WAL_OK;
  if (file->kind == WAL_RUN_RECORDED) return wal_run_record_numbers(file, what, from);
  const wal_run_tiles tiles = wal_run_file_tiles(what, from->item);
  if (wal_run_file_builds(file))
    status = create_dataset(file, what, file_type(from->stored), &tiles, &dataset);
  WAL_TRY(wal_run_file_agree(file, status));
  if (file->kind == WAL_RUN_WRITTEN)
    status = wal_run_file_put_tiles(file, what, &tiles, from, dataset);
  if (wal_run_file_builds(file)) wal_run_file_must(file, H5Dclose(dataset));
  return status == WAL_OK ? wal_run_file_outcome(file) : status;
}

/** A dataset whose values rank 0 has. */
static wal_run_source whole(const wal_run_file *file, const wal_dataset *what, wal_stored stored,
                            bool ready, const void *values) {
  int64_t rows = what->rank ? what->extent[0] : 1;
  return (wal_run_source){.stored = stored,
                          .ready = ready,
                          .item = stored == WAL_STORED_SINGLE ? 4 : 8,
                          .count = file->rank == 0 ? rows : 0,
                          .values = values,
                          .stride = wal_run_file_items(what, 1)};
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

/** The ranges of all ranks, to be released, which must follow each other and cover 0..extent-1. */
static wal_status gather_ranges(wal_run_file *file, const wal_dataset *what, int split,
                                int64_t first, int64_t count, int64_t **out) {
  wal_ctx *ctx = file->ctx;
  int ranks = wal_ctx_size(ctx);
  // An empty rank may say any place.
  int64_t own[2] = {count ? first : 0, count}, *all = NULL;
  WAL_TRY_ALL(ctx, wal_acquire(ctx, "ranges of the ranks", 2 * (int64_t)ranks, sizeof *all, &all));
  int error = MPI_Allgather(own, 2, MPI_INT64_T, all, 2, MPI_INT64_T, wal_ctx_comm(ctx));
  int64_t end = 0;
  bool good = error == MPI_SUCCESS;
  for (int r = 0; good && r < ranks; r++) {
    int64_t size = all[2 * r + 1];
    good = size >= 0 && (size == 0 || all[2 * r] == end) && size <= what->extent[split] - end;
    end += size;
  }
  *out = all;
  if (good && end == what->extent[split]) return WAL_OK;
  wal_release(ctx, out);
  if (error != MPI_SUCCESS) return wal_fail(ctx, WAL_EINTERNAL, "MPI_Allgather failed");
  return wal_fail(ctx, WAL_EINTERNAL,
                  "%s: %s: expected ranges of dimension %d in rank order that cover its %lld items",
                  file->path, what->path, split, (long long)what->extent[split]);
}

/** `own`: where this rank's numbers are to be had. */
static wal_status spread(wal_run_file *file, const wal_dataset *what, int split, int64_t first,
                         int64_t count, const wal_run_source *own) {
  if (split < 0 || split > 1 || split >= what->rank)
    return wal_fail(file->ctx, WAL_EINTERNAL, "%s: %s: dimension %d cannot be spread", file->path,
                    what->path, split);
  WAL_TRY(new_dataset(file, what));
  int64_t *ranges = NULL;
  wal_run_source from = *own;
  from.stored = what->stored;
  from.ready = what->stored == WAL_STORED_DOUBLE;
  from.item = what->stored == WAL_STORED_SINGLE ? 4 : 8;
  from.split = split;
  from.first = count ? first : 0;
  from.count = count;
  if (file->kind != WAL_RUN_PLANNED)
    WAL_TRY(gather_ranges(file, what, split, first, count, &ranges));
  from.ranges = ranges;
  const wal_status status = write_numbers(file, what, &from);
  wal_release(file->ctx, &ranges);
  return status;
}

wal_status wal_run_file_spread(wal_run_file *file, const wal_dataset *what, int split,
                               int64_t first, int64_t count,
                               void (*fill)(void *user, int64_t i, double *out), void *user) {
  const wal_run_source own = {.fill = fill, .user = user};
  return spread(file, what, split, first, count, &own);
}

/** An array that is there, for those who ask for it index by index. */
typedef struct there {
  const double *values;
  int64_t stride, length, first;
} there;

static void fill_there(void *user, int64_t i, double *out) {
  const there *t = user;
  memcpy(out, t->values + (i - t->first) * t->stride, (size_t)t->length * sizeof *out);
}

wal_status wal_run_file_spread_array(wal_run_file *file, const wal_dataset *what, int split,
                                     int64_t first, int64_t count, const double *values,
                                     int64_t stride) {
  there t = {.values = values, .stride = stride, .first = split == 0 && count ? first : 0};
  t.length = wal_run_file_items(what, split + 1) * (split == 0 ? 1 : count);
  const wal_run_source own = {
      .fill = fill_there, .user = &t, .values = (const char *)values, .stride = stride};
  return spread(file, what, split, first, count, &own);
}

/** Writes the texts of an open dataset. */
static void put_texts(wal_run_file *file, hid_t dataset, int64_t count, const char *const *values) {
  // HDF5 clears buffers of 1 MiB for every conversion of texts unless told that less will do.
  const size_t usual = (size_t)1 << 20, item = sizeof(hvl_t);
  const size_t buffer = (size_t)count < usual / item ? (size_t)count * item : usual;
  hid_t transfer = wal_run_file_must(file, H5Pcreate(H5P_DATASET_XFER));
  wal_run_file_must(file, H5Pset_buffer(transfer, buffer, NULL, NULL));
  wal_run_file_must(file, H5Dwrite(dataset, file->shared.text, H5S_ALL, H5S_ALL, transfer, values));
  wal_run_file_must(file, H5Pclose(transfer));
}

wal_status wal_run_file_texts(wal_run_file *file, const wal_dataset *what,
                              const char *const *values) {
  WAL_TRY(new_dataset(file, what));
  if (file->kind == WAL_RUN_RECORDED) return wal_run_record_texts(file, what, values);
  wal_status status = WAL_OK;
  hid_t dataset = -1;
  if (wal_run_file_builds(file))
    status = create_dataset(file, what, file->shared.text, NULL, &dataset);
  if (status == WAL_OK && wal_run_file_builds(file)) {
    const int64_t count = wal_run_file_items(what, 0);
    if (count > 0) put_texts(file, dataset, count, values);
    wal_run_file_must(file, H5Dclose(dataset));
  }
  WAL_TRY(wal_run_file_agree(file, status));
  return wal_run_file_outcome(file);
}
