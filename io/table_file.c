// SPDX-License-Identifier: GPL-3.0-or-later
#define _XOPEN_SOURCE 700

#include "io/table_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "io/hdf5_helpers.h"
#include "sim/core/memory.h"
#include "sim/core/parameter.h"

enum { NAME = 64, MOST_NAMES = 256, WIDEST = 16, MOST_TEXT = 1024, PATH_SHOWN = 300 };

/* deflate makes at most 1032 bytes of one. */
enum { MOST_EXPANSION = 1100, SMALL = 1 << 16 };

struct wal_table_file {
  wal_ctx *ctx;
  char path[PATH_SHOWN + 4]; /**< for error texts */
  hid_t file;
  int64_t most_bytes; /**< that a dataset of such a file can have */
};

wal_status wal_table_file_fail(wal_table_file *file, const char *name, const char *format, ...) {
  char text[600];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  return wal_fail(file->ctx, WAL_EINPUT, "%s: %s: %s", file->path, name, text);
}

/** What the file says may be anything: shown as ASCII. */
static void plain_text(char *text) {
  for (; *text; text++)
    if (*text < ' ' || *text > '~') *text = '?';
}

static wal_status unreadable(wal_table_file *file, const char *name) {
  char why[400];
  wal_hdf5_reason(why, sizeof why);
  plain_text(why);
  return wal_fail(file->ctx, WAL_EIO, "%s: %s: cannot be read: %s", file->path, name, why);
}

static wal_status open_file(wal_table_file *file, const char *path) {
  wal_ctx *ctx = file->ctx;
  struct stat about;
  char signature[8] = "";
  FILE *probe = fopen(path, "rb");
  if (!probe && (errno == ENOENT || errno == ENOTDIR))
    return wal_fail(ctx, WAL_ENOTFOUND, "%s: no such file", file->path);
  if (!probe)
    return wal_fail(ctx, WAL_ENOTFOUND, "%s: cannot be read: %s", file->path, strerror(errno));
  const bool regular = fstat(fileno(probe), &about) == 0 && S_ISREG(about.st_mode);
  const size_t got = regular ? fread(signature, 1, sizeof signature, probe) : 0;
  fclose(probe);
  if (!regular) return wal_fail(ctx, WAL_ENOTFOUND, "%s: not a regular file", file->path);
  if (got < sizeof signature || memcmp(signature, "\211HDF\r\n\032\n", sizeof signature) != 0)
    return wal_fail(ctx, WAL_EINPUT, "%s: not an HDF5 file", file->path);
  if (!wal_multiply((int64_t)about.st_size, MOST_EXPANSION, &file->most_bytes))
    file->most_bytes = INT64_MAX - SMALL;
  file->most_bytes += SMALL;

  // Read only, by all ranks at once: it needs no lock, which some file systems refuse.
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_file_locking(access, false, true);
  file->file = H5Fopen(path, H5F_ACC_RDONLY, access);
  char why[400] = "";
  if (file->file < 0) wal_hdf5_reason(why, sizeof why);  // before the next call, which forgets it
  H5Pclose(access);
  if (file->file >= 0) return WAL_OK;
  plain_text(why);
  return wal_fail(ctx, WAL_EIO, "%s: cannot be read: %s", file->path, why);
}

wal_status wal_table_file_open(wal_ctx *ctx, const char *path, wal_table_file **out) {
  wal_table_file *file = NULL;
  *out = NULL;
  wal_hdf5_quiet();
  WAL_TRY(wal_acquire(ctx, "a table file", 1, sizeof *file, &file));
  file->ctx = ctx;
  file->file = -1;
  // The end of a very long path says more than its beginning.
  const size_t length = strlen(path);
  snprintf(file->path, sizeof file->path, "%s%s", length > PATH_SHOWN ? "..." : "",
           length > PATH_SHOWN ? path + length - PATH_SHOWN : path);
  wal_status status = open_file(file, path);
  if (status != WAL_OK)
    wal_table_file_close(&file);
  else
    *out = file;
  return status;
}

void wal_table_file_close(wal_table_file **file) {
  if (!*file) return;
  if ((*file)->file >= 0) H5Fclose((*file)->file);
  wal_release((*file)->ctx, file);
}

/* ---- names ---- */

typedef struct name_list {
  char names[MOST_NAMES][NAME];
  int64_t count;
} name_list;

static herr_t add_link(hid_t group, const char *name, const H5L_info_t *info, void *user) {
  (void)group, (void)info;
  name_list *list = user;
  // A longer name is no slip of ours.
  if (strlen(name) < NAME) snprintf(list->names[list->count++], NAME, "%s", name);
  return list->count == MOST_NAMES;
}

static herr_t add_attribute(hid_t object, const char *name, const H5A_info_t *info, void *user) {
  (void)object, (void)info;
  return add_link(-1, name, NULL, user);
}

static const char *known_name(const void *user, int64_t i) {
  return ((const char *const *)user)[i];
}

wal_status wal_table_file_refuse_slips(wal_table_file *file, const char *group, int64_t count,
                                       const char *const *known) {
  const bool root = strcmp(group, "/") == 0;
  name_list *list = NULL;
  WAL_TRY(wal_acquire(file->ctx, "names of a table file", 1, sizeof *list, &list));
  hsize_t next = 0;
  bool good = H5Literate_by_name(file->file, group, H5_INDEX_NAME, H5_ITER_INC, &next, add_link,
                                 list, H5P_DEFAULT) >= 0;
  next = 0;
  if (good && root && list->count < MOST_NAMES)
    good = H5Aiterate2(file->file, H5_INDEX_NAME, H5_ITER_INC, &next, add_attribute, list) >= 0;
  wal_status status = good ? WAL_OK : unreadable(file, group);
  for (int64_t i = 0; i < list->count && status == WAL_OK; i++) {
    const char *name = list->names[i];
    bool right = false;
    for (int64_t j = 0; j < count && !right; j++) right = strcmp(name, known[j]) == 0;
    const char *nearest = right ? NULL : wal_nearest_name(name, count, known_name, known);
    if (!nearest) continue;
    char shown[NAME];
    snprintf(shown, sizeof shown, "%s", name);
    plain_text(shown);
    status = wal_fail(file->ctx, WAL_EINPUT, "%s: unknown name \"%s%s%s\"; did you mean \"%s\"?",
                      file->path, root ? "" : group, root ? "" : "/", shown, nearest);
  }
  wal_release(file->ctx, &list);
  return status;
}

/** Looks `name`, or the group before its slash, up: hard and soft links only, so that everything
 *  lies in this file. */
static wal_status look_up(wal_table_file *file, const char *name, bool *there) {
  H5L_info_t link;
  const htri_t exists = H5Lexists(file->file, name, H5P_DEFAULT);
  *there = exists > 0;
  if (exists < 0 || (exists && H5Lget_info(file->file, name, &link, H5P_DEFAULT) < 0))
    return unreadable(file, name);
  if (exists && link.type != H5L_TYPE_HARD && link.type != H5L_TYPE_SOFT)
    return wal_table_file_fail(file, name,
                               "expected a dataset of this file, got a link to another");
  return WAL_OK;
}

wal_status wal_table_file_kind(wal_table_file *file, const char *name, wal_table_kind *out) {
  bool there = false;
  *out = WAL_TABLE_NOTHING;
  WAL_TRY(look_up(file, name, &there));
  if (!there) return WAL_OK;
  H5O_info_t info;
  if (H5Oget_info_by_name2(file->file, name, &info, H5O_INFO_BASIC, H5P_DEFAULT) < 0)
    return unreadable(file, name);
  if (info.type != H5O_TYPE_GROUP && info.type != H5O_TYPE_DATASET)
    return wal_table_file_fail(file, name, "expected a dataset, got a named type");
  *out = info.type == H5O_TYPE_GROUP ? WAL_TABLE_GROUP : WAL_TABLE_DATASET;
  return WAL_OK;
}

static wal_status missing(wal_table_file *file, const char *name) {
  return wal_table_file_fail(file, name, "expected a dataset of this name, got none");
}

/* ---- datasets ---- */

typedef enum item { REALS, INTEGERS, TEXTS, OTHER } item;

/** An open dataset that may be read. */
typedef struct table {
  hid_t dataset;
  item item;
  size_t width; /**< bytes an item in the file */
  char type[24];
  int rank;
  int64_t extent[WAL_TABLE_RANK];
  int64_t items; /**< the product of the extents */
} table;

static void close_table(table *t) {
  if (t->dataset >= 0) H5Dclose(t->dataset);
  t->dataset = -1;
}

/** What items of this type are, and a short name of it; false if HDF5 cannot tell. */
static bool describe_type(hid_t type, table *out) {
  const H5T_class_t class = H5Tget_class(type);
  out->width = H5Tget_size(type);
  out->item = OTHER;
  snprintf(out->type, sizeof out->type, "items of another kind");
  if (class == H5T_NO_CLASS || out->width == 0) return false;
  if (class == H5T_FLOAT && out->width <= WIDEST) {
    out->item = REALS;
    snprintf(out->type, sizeof out->type, "real numbers");
  } else if (class == H5T_INTEGER && out->width <= 8) {
    out->item = INTEGERS;
    snprintf(out->type, sizeof out->type, "whole numbers");
  } else if (class == H5T_ENUM && out->width <= 8) {
    // h5py keeps truth values as an enumeration of 0 and 1.
    out->item = INTEGERS;
    snprintf(out->type, sizeof out->type, "truth values");
  } else if (class == H5T_STRING) {
    const htri_t variable = H5Tis_variable_str(type);
    if (variable < 0) return false;
    out->item = variable || out->width > MOST_TEXT ? OTHER : TEXTS;
    snprintf(out->type, sizeof out->type, variable ? "texts of any length" : "texts");
  }
  return true;
}

/** Storage that this file alone holds, in a way that cannot grow without bound when read. */
static wal_status check_storage(wal_table_file *file, const char *name, const table *t) {
  const hid_t list = H5Dget_create_plist(t->dataset);
  if (list < 0) return unreadable(file, name);
  wal_status status = WAL_OK;
  const H5D_layout_t layout = H5Pget_layout(list);
  const int filters = H5Pget_nfilters(list);
  if (layout < 0 || filters < 0) {
    status = unreadable(file, name);
  } else if (layout == H5D_VIRTUAL || H5Pget_external_count(list) != 0) {
    status = wal_table_file_fail(file, name,
                                 "expected numbers kept in this file, got a reference "
                                 "to other files");
  }
  for (int i = 0; i < filters && status == WAL_OK; i++) {
    unsigned flags = 0, config = 0;
    size_t values = 0;
    const H5Z_filter_t filter =
        H5Pget_filter2(list, (unsigned)i, &flags, &values, NULL, 0, NULL, &config);
    if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE &&
        filter != H5Z_FILTER_FLETCHER32)
      status = wal_table_file_fail(file, name,
                                   "expected no filters but gzip, shuffle and fletcher32, got "
                                   "filter number %d",
                                   (int)filter);
  }
  if (status == WAL_OK && t->items > 0 && H5Dget_storage_size(t->dataset) == 0)
    status = wal_table_file_fail(file, name, "expected numbers, got none: they were never written");
  hsize_t chunk[H5S_MAX_RANK] = {0};
  if (status == WAL_OK && layout == H5D_CHUNKED) {
    int64_t bytes = (int64_t)t->width;
    bool good = H5Pget_chunk(list, H5S_MAX_RANK, chunk) == t->rank;
    for (int d = 0; d < t->rank && good; d++)
      good = chunk[d] <= INT64_MAX && wal_multiply(bytes, (int64_t)chunk[d], &bytes);
    if (!good || bytes > file->most_bytes)
      status = wal_table_file_fail(file, name,
                                   "expected chunks that fit into the file, got larger "
                                   "ones");
  }
  H5Pclose(list);
  return status;
}

static wal_status read_extent(wal_table_file *file, const char *name, table *t) {
  hsize_t extent[H5S_MAX_RANK] = {0};
  const hid_t space = H5Dget_space(t->dataset);
  t->rank = space < 0 ? -1 : H5Sget_simple_extent_ndims(space);
  bool good = t->rank >= 0 && t->rank <= H5S_MAX_RANK && H5Sget_simple_extent_type(space) >= 0;
  const bool null = good && H5Sget_simple_extent_type(space) == H5S_NULL;
  good = good && H5Sget_simple_extent_dims(space, extent, NULL) >= 0;
  if (space >= 0) H5Sclose(space);
  if (!good) return unreadable(file, name);
  if (null || t->rank == 0)
    return wal_table_file_fail(file, name, "expected an array, got %s",
                               null ? "nothing" : "a single value");
  if (t->rank > WAL_TABLE_RANK)
    return wal_table_file_fail(file, name, "expected at most %d dimensions, got %d", WAL_TABLE_RANK,
                               t->rank);
  t->items = 1;
  // Eight bytes an item are what reading takes.
  int64_t bytes = t->width > 8 ? (int64_t)t->width : 8;
  for (int d = 0; d < t->rank && good; d++) {
    good = extent[d] <= INT64_MAX && wal_multiply(bytes, (int64_t)extent[d], &bytes);
    if (!good) break;
    t->extent[d] = (int64_t)extent[d];
    t->items *= t->extent[d];
  }
  if (!good || bytes > file->most_bytes)
    return wal_table_file_fail(file, name,
                               "expected no more numbers than a file of this length can hold");
  return WAL_OK;
}

static wal_status open_table(wal_table_file *file, const char *name, table *out) {
  wal_table_kind kind;
  const char *slash = strrchr(name, '/');
  *out = (table){.dataset = -1};
  if (slash) {
    char group[NAME];
    snprintf(group, sizeof group, "%.*s", (int)(slash - name), name);
    WAL_TRY(wal_table_file_kind(file, group, &kind));
    if (kind != WAL_TABLE_GROUP) return missing(file, group);
  }
  WAL_TRY(wal_table_file_kind(file, name, &kind));
  if (kind == WAL_TABLE_NOTHING) return missing(file, name);
  if (kind == WAL_TABLE_GROUP)
    return wal_table_file_fail(file, name, "expected a dataset, got a group");
  out->dataset = H5Dopen2(file->file, name, H5P_DEFAULT);
  const hid_t type = out->dataset < 0 ? -1 : H5Dget_type(out->dataset);
  wal_status status = WAL_OK;
  if (type < 0 || !describe_type(type, out)) status = unreadable(file, name);
  if (type >= 0) H5Tclose(type);
  if (status == WAL_OK && out->item == OTHER)
    status = wal_table_file_fail(file, name, "expected numbers%s, got %s",
                                 strstr(out->type, "texts") ? " or texts of fixed length" : "",
                                 out->type);
  if (status == WAL_OK) status = read_extent(file, name, out);
  if (status == WAL_OK) status = check_storage(file, name, out);
  if (status != WAL_OK) close_table(out);
  return status;
}

static wal_status open_numbers(wal_table_file *file, const char *name, bool whole, table *out) {
  WAL_TRY(open_table(file, name, out));
  if (out->item == INTEGERS || (out->item == REALS && !whole)) return WAL_OK;
  wal_status status = wal_table_file_fail(file, name, "expected %s, got %s",
                                          whole ? "whole numbers" : "numbers", out->type);
  close_table(out);
  return status;
}

wal_status wal_table_file_shape(wal_table_file *file, const char *name, int *rank,
                                int64_t extent[WAL_TABLE_RANK]) {
  table t;
  WAL_TRY(open_table(file, name, &t));
  *rank = t.rank;
  memcpy(extent, t.extent, sizeof t.extent);
  close_table(&t);
  return WAL_OK;
}

const char *wal_table_shape_text(int rank, const int64_t *extent, char out[WAL_TABLE_SHAPE]) {
  size_t used = 0;
  for (int d = 0; d < rank; d++)
    used += (size_t)snprintf(out + used, WAL_TABLE_SHAPE - used, "%s%" PRId64, d ? " x " : "",
                             extent[d]);
  return out;
}

wal_status wal_table_file_expect(wal_table_file *file, const char *name, int rank,
                                 const int64_t *extent) {
  int got_rank = 0;
  int64_t got[WAL_TABLE_RANK];
  char wanted_text[WAL_TABLE_SHAPE], got_text[WAL_TABLE_SHAPE];
  WAL_TRY(wal_table_file_shape(file, name, &got_rank, got));
  bool same = got_rank == rank;
  for (int d = 0; d < rank && same; d++) same = got[d] == extent[d];
  if (same) return WAL_OK;
  return wal_table_file_fail(file, name, "expected %s numbers, got %s",
                             wal_table_shape_text(rank, extent, wanted_text),
                             wal_table_shape_text(got_rank, got, got_text));
}

/** Reads a part of dimension 0 into memory of this type. */
static wal_status read_part(wal_table_file *file, const char *name, const table *t, int64_t first,
                            int64_t count, hid_t memory_type, void *out) {
  if (first < 0 || count < 0 || count > t->extent[0] || first > t->extent[0] - count)
    return wal_fail(file->ctx, WAL_EINTERNAL, "%s: %s: a part outside it is asked for", file->path,
                    name);
  hsize_t start[WAL_TABLE_RANK] = {(hsize_t)first}, many[WAL_TABLE_RANK];
  int64_t items = count;
  many[0] = (hsize_t)count;
  for (int d = 1; d < t->rank; d++) {
    many[d] = (hsize_t)t->extent[d];
    items *= t->extent[d];
  }
  if (items == 0) return WAL_OK;
  const hid_t from = H5Dget_space(t->dataset);
  const hid_t to = H5Screate_simple(t->rank, many, NULL);
  const bool good = from >= 0 && to >= 0 &&
                    H5Sselect_hyperslab(from, H5S_SELECT_SET, start, NULL, many, NULL) >= 0 &&
                    H5Dread(t->dataset, memory_type, to, from, H5P_DEFAULT, out) >= 0;
  wal_status status = good ? WAL_OK : unreadable(file, name);
  if (from >= 0) H5Sclose(from);
  if (to >= 0) H5Sclose(to);
  return status;
}

/** Numbers in one index of dimension 0. */
static int64_t row_of(const table *t) { return t->items > 0 ? t->items / t->extent[0] : 0; }

wal_status wal_table_file_reals(wal_table_file *file, const char *name, int64_t first,
                                int64_t count, double *out) {
  table t;
  WAL_TRY(open_numbers(file, name, false, &t));
  wal_status status = read_part(file, name, &t, first, count, H5T_NATIVE_DOUBLE, out);
  close_table(&t);
  return status;
}

wal_status wal_table_file_integers(wal_table_file *file, const char *name, int64_t first,
                                   int64_t count, int64_t low, int64_t high, int64_t *out) {
  table t;
  WAL_TRY(open_numbers(file, name, true, &t));
  const int64_t row = row_of(&t);
  wal_status status = read_part(file, name, &t, first, count, H5T_NATIVE_INT64, out);
  close_table(&t);
  for (int64_t i = 0; i < count * row && status == WAL_OK; i++)
    if (out[i] < low || out[i] > high)
      status = wal_table_file_fail(file, name,
                                   "expected whole numbers from %" PRId64 " to %" PRId64
                                   ", got %" PRId64 " (element %" PRId64 ", counted from 0)",
                                   low, high, out[i], first * row + i);
  return status;
}

static wal_status read_texts(wal_table_file *file, const char *name, const table *t, int64_t count,
                             size_t width, char *out) {
  char *all = NULL;
  const hid_t type = H5Dget_type(t->dataset);
  wal_status status = wal_acquire(file->ctx, name, count, t->width, &all);
  if (status == WAL_OK && type < 0) status = unreadable(file, name);
  if (status == WAL_OK) status = read_part(file, name, t, 0, count, type, all);
  if (type >= 0) H5Tclose(type);
  const size_t longest = t->width < width - 1 ? t->width : width - 1;
  for (int64_t i = 0; i < count && status == WAL_OK; i++) {
    // Padded with NUL or, from Fortran, with spaces.
    const char *text = all + (size_t)i * t->width;
    size_t length = strnlen(text, longest);
    while (length > 0 && text[length - 1] == ' ') length--;
    memset(out + (size_t)i * width, 0, width);
    memcpy(out + (size_t)i * width, text, length);
  }
  wal_release(file->ctx, &all);
  return status;
}

wal_status wal_table_file_texts(wal_table_file *file, const char *name, int64_t count, size_t width,
                                char *out) {
  table t;
  WAL_TRY(open_table(file, name, &t));
  wal_status status = WAL_OK;
  char got[WAL_TABLE_SHAPE];
  if (t.item != TEXTS)
    status = wal_table_file_fail(file, name, "expected texts of fixed length, got %s", t.type);
  else if (t.rank != 1 || t.extent[0] != count)
    status = wal_table_file_fail(file, name, "expected %" PRId64 " texts, got %s", count,
                                 wal_table_shape_text(t.rank, t.extent, got));
  else
    status = read_texts(file, name, &t, count, width, out);
  close_table(&t);
  return status;
}

/** One number among the attributes, in the memory of this type; `out` is left as it is if there is
 *  none. */
static wal_status read_attribute(wal_table_file *file, const char *name, bool whole, void *out) {
  const htri_t exists = H5Aexists(file->file, name);
  if (exists == 0) return WAL_OK;
  const hid_t attribute = exists < 0 ? -1 : H5Aopen(file->file, name, H5P_DEFAULT);
  const hid_t type = attribute < 0 ? -1 : H5Aget_type(attribute);
  const hid_t space = attribute < 0 ? -1 : H5Aget_space(attribute);
  table t = {.dataset = -1};
  wal_status status = WAL_OK;
  const bool good = type >= 0 && space >= 0 && describe_type(type, &t);
  const bool number = t.item == INTEGERS || (t.item == REALS && !whole);
  if (!good)
    status = unreadable(file, name);
  else if (!number || H5Sget_simple_extent_npoints(space) != 1)
    status = wal_table_file_fail(file, name, "expected one %s, got %s",
                                 whole ? "whole number" : "number",
                                 number ? "another count of them" : t.type);
  else if (H5Aread(attribute, whole ? H5T_NATIVE_INT64 : H5T_NATIVE_DOUBLE, out) < 0)
    status = unreadable(file, name);
  if (type >= 0) H5Tclose(type);
  if (space >= 0) H5Sclose(space);
  if (attribute >= 0) H5Aclose(attribute);
  return status;
}

wal_status wal_table_file_attribute(wal_table_file *file, const char *name, int64_t low,
                                    int64_t high, int64_t *out) {
  int64_t value = *out;
  const bool there = H5Aexists(file->file, name) > 0;
  WAL_TRY(read_attribute(file, name, true, &value));
  if (there && (value < low || value > high))
    return wal_table_file_fail(
        file, name, "expected a whole number from %" PRId64 " to %" PRId64 ", got %" PRId64, low,
        high, value);
  *out = value;
  return WAL_OK;
}

wal_status wal_table_file_real_attribute(wal_table_file *file, const char *name, double *out) {
  return read_attribute(file, name, false, out);
}
