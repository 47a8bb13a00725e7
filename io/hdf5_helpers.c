// SPDX-License-Identifier: GPL-3.0-or-later
#define _XOPEN_SOURCE 700

#include "io/hdf5_helpers.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "io/run_seal.h"
#include "sim/core/memory.h"

enum { MOST_NAMES = 100000, MOST_DEPTH = 32, MOST_VALUES = 65536, NAME_BYTES = 64 };

void wal_hdf5_quiet(void) { H5Eset_auto2(H5E_DEFAULT, NULL, NULL); }

void wal_hdf5_one_line(const char *text, char *out, size_t size) {
  size_t length = 0;
  for (; text[length] && length + 1 < size; length++) {
    unsigned char c = (unsigned char)text[length];
    out[length] = c < 32 || c == 127 ? ' ' : (char)c;
  }
  if (text[length] && size > 4) {
    length = size - 4;
    // Bytes 10xxxxxx continue a character of UTF-8.
    while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80) length--;
    memcpy(out + length, "...", 3);
    length += 3;
  }
  out[length] = '\0';
}

typedef struct reason {
  char first[256], mpi[256];
} reason;

static herr_t note_reason(unsigned n, const H5E_error2_t *error, void *user) {
  reason *why = user;
  if (!error->desc) return 0;
  if (n == 0) snprintf(why->first, sizeof why->first, "%s", error->desc);
  if (error->min_num == H5E_MPIERRSTR) snprintf(why->mpi, sizeof why->mpi, "%s", error->desc);
  return 0;
}

void wal_hdf5_reason(char *out, size_t size) {
  reason why = {"", ""};
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, note_reason, &why);
  H5Eclear2(H5E_DEFAULT);
  char line[768];
  // The POSIX driver tells time, file and buffer as well: what happened and why are enough.
  char *cause = strstr(why.first, "error message = '");
  char *colon = strchr(why.first, ':');
  if (cause && colon && colon < cause) {
    cause += strlen("error message = '");
    cause[strcspn(cause, "'")] = '\0';
    *colon = '\0';
    snprintf(line, sizeof line, "%s: %s", why.first, cause);
  } else if (why.mpi[0] && strcmp(why.mpi, why.first) != 0) {
    snprintf(line, sizeof line, "%s: %s", why.first, why.mpi);
  } else {
    snprintf(line, sizeof line, "%s", why.first[0] ? why.first : "unknown reason");
  }
  wal_hdf5_one_line(line, out, size);
}

wal_status wal_hdf5_grow(wal_ctx *ctx, const char *what, void *array, int64_t count,
                         int64_t *capacity, size_t size) {
  if (count < *capacity) return WAL_OK;
  int64_t room = *capacity ? 2 * *capacity : 16;
  void *old = NULL, *grown = NULL;
  memcpy(&old, array, sizeof old);
  WAL_TRY(wal_acquire(ctx, what, room, size, &grown));
  if (old) memcpy(grown, old, (size_t)count * size);
  wal_release(ctx, &old);
  memcpy(array, &grown, sizeof grown);
  *capacity = room;
  return WAL_OK;
}

static bool is_walras(hid_t file) {
  if (H5Aexists(file, "format") <= 0) return false;
  hid_t attribute = H5Aopen(file, "format", H5P_DEFAULT);
  wal_hdf5_shape shape;
  bool ours = false;
  if (attribute >= 0 && wal_hdf5_shape_of(attribute, &shape) && shape.kind == WAL_HDF5_TEXT) {
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    ours = out && wal_hdf5_attribute_value(attribute, NULL, out);
    if (out) fclose(out);
    ours = ours && text && strcmp(text, "walras") == 0;
    free(text);
  }
  if (attribute >= 0) H5Aclose(attribute);
  return ours;
}

wal_status wal_hdf5_open(wal_ctx *ctx, const char *path, hid_t *out) {
  *out = -1;
  wal_hdf5_quiet();
  FILE *probe = fopen(path, "rb");
  if (!probe && (errno == ENOENT || errno == ENOTDIR))
    return wal_fail(ctx, WAL_ENOTFOUND, "%s: no such file", path);
  if (!probe) return wal_fail(ctx, WAL_EIO, "%s: cannot be read: %s", path, strerror(errno));
  struct stat about;
  if (fstat(fileno(probe), &about) == 0 && S_ISDIR(about.st_mode)) {
    fclose(probe);
    return wal_fail(ctx, WAL_EIO, "%s: cannot be read: it is a folder", path);
  }
  char signature[8] = "";
  wal_status status = WAL_OK;
  size_t got = fread(signature, 1, sizeof signature, probe);
  if (got < sizeof signature || memcmp(signature, "\211HDF\r\n\032\n", sizeof signature) != 0)
    status = wal_fail(ctx, WAL_EIO, "%s: not a walras run file (not HDF5)", path);
  else
    status = wal_run_seal_check(ctx, path, probe);
  fclose(probe);
  WAL_TRY(status);

  // A finished run file never changes: reading it needs no lock, which some file systems refuse.
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_file_locking(access, false, true);
  hid_t file = H5Fopen(path, H5F_ACC_RDONLY, access);
  if (file < 0) {
    char why[400];
    wal_hdf5_reason(why, sizeof why);  // before the next call, which forgets it
    status = wal_fail(ctx, WAL_EIO, "%s: cannot be read: %s", path, why);
  }
  H5Pclose(access);
  WAL_TRY(status);
  if (!is_walras(file)) {
    H5Fclose(file);
    return wal_fail(ctx, WAL_EIO,
                    "%s: not a walras run file (its attribute `format` is not "
                    "\"walras\")",
                    path);
  }
  *out = file;
  return WAL_OK;
}

/** Kind and short name of a type; false for sizes that do not exist in a run file. */
static bool kind_of(hid_t type, wal_hdf5_shape *out) {
  H5T_class_t class = H5Tget_class(type);
  size_t size = H5Tget_size(type);
  if (class == H5T_NO_CLASS || size == 0) return false;
  out->item = size;
  out->kind = WAL_HDF5_OTHER;
  const char *letter = "other";
  if (class == H5T_FLOAT && (size == 4 || size == 8)) {
    out->kind = WAL_HDF5_REAL;
    letter = "f";
  } else if (class == H5T_INTEGER && (size == 1 || size == 2 || size == 4 || size == 8)) {
    out->kind = WAL_HDF5_INTEGER;
    letter = H5Tget_sign(type) == H5T_SGN_NONE ? "u" : "i";
  } else if (class == H5T_STRING) {
    htri_t variable = H5Tis_variable_str(type);
    if (variable < 0 || size > MOST_VALUES) return false;
    out->kind = variable ? WAL_HDF5_TEXT : WAL_HDF5_CHARACTERS;
    letter = variable ? "text" : "c";
  } else if (class == H5T_VLEN) {
    hid_t base = H5Tget_super(type);
    if (base < 0) return false;
    if (H5Tequal(base, H5T_STD_REF_OBJ) > 0) {
      out->kind = WAL_HDF5_REFERENCES;
      letter = "references";
    }
    H5Tclose(base);
  }
  if (letter[1])
    snprintf(out->type, sizeof out->type, "%s", letter);
  else
    snprintf(out->type, sizeof out->type, "%s%zu", letter, letter[0] == 'c' ? size : 8 * size);
  return true;
}

bool wal_hdf5_shape_of(hid_t object, wal_hdf5_shape *out) {
  memset(out, 0, sizeof *out);
  bool attribute = H5Iget_type(object) == H5I_ATTR;
  hid_t type = attribute ? H5Aget_type(object) : H5Dget_type(object);
  hid_t space = attribute ? H5Aget_space(object) : H5Dget_space(object);
  bool good = type >= 0 && space >= 0 && kind_of(type, out);
  if (good) {
    out->rank = H5Sget_simple_extent_ndims(space);
    good = out->rank >= 0 && out->rank <= H5S_MAX_RANK &&
           H5Sget_simple_extent_dims(space, out->extent, NULL) >= 0;
  }
  out->items = 1;
  for (int d = 0; good && d < out->rank; d++)
    good = out->extent[d] <= INT64_MAX &&
           wal_multiply(out->items, (int64_t)out->extent[d], &out->items);
  int64_t bytes = 0;
  good = good && wal_multiply(out->items, (int64_t)out->item, &bytes);
  if (type >= 0) H5Tclose(type);
  if (space >= 0) H5Sclose(space);
  return good;
}

hid_t wal_hdf5_native(const wal_hdf5_shape *shape) {
  bool plain = shape->type[0] == 'u';
  if (shape->kind == WAL_HDF5_REAL) return shape->item == 4 ? H5T_NATIVE_FLOAT : H5T_NATIVE_DOUBLE;
  switch (shape->item) {
    case 1:
      return plain ? H5T_NATIVE_UINT8 : H5T_NATIVE_INT8;
    case 2:
      return plain ? H5T_NATIVE_UINT16 : H5T_NATIVE_INT16;
    case 4:
      return plain ? H5T_NATIVE_UINT32 : H5T_NATIVE_INT32;
    default:
      return plain ? H5T_NATIVE_UINT64 : H5T_NATIVE_INT64;
  }
}

/** An integer in 64 bits; of unsigned type, to be read as uint64_t. */
static int64_t integer(const wal_hdf5_shape *shape, const void *item) {
  uint64_t bits = 0;
  bool plain = shape->type[0] == 'u';
  if (shape->item == 1) {
    uint8_t v = 0;
    memcpy(&v, item, sizeof v);
    return plain ? (int64_t)v : (int64_t)(int8_t)v;
  }
  if (shape->item == 2) {
    uint16_t v = 0;
    memcpy(&v, item, sizeof v);
    return plain ? (int64_t)v : (int64_t)(int16_t)v;
  }
  if (shape->item == 4) {
    uint32_t v = 0;
    memcpy(&v, item, sizeof v);
    return plain ? (int64_t)v : (int64_t)(int32_t)v;
  }
  memcpy(&bits, item, sizeof bits);
  return (int64_t)bits;
}

double wal_hdf5_number(const wal_hdf5_shape *shape, const void *item) {
  if (shape->kind == WAL_HDF5_INTEGER) {
    int64_t v = integer(shape, item);
    return shape->type[0] == 'u' ? (double)(uint64_t)v : (double)v;
  }
  if (shape->item == 4) {
    float single = 0;
    memcpy(&single, item, sizeof single);
    return (double)single;
  }
  double value = 0;
  memcpy(&value, item, sizeof value);
  return value;
}

void wal_hdf5_print_number(FILE *out, const wal_hdf5_shape *shape, const void *item) {
  if (shape->kind == WAL_HDF5_INTEGER && shape->type[0] == 'u') {
    fprintf(out, "%" PRIu64, (uint64_t)integer(shape, item));
  } else if (shape->kind == WAL_HDF5_INTEGER) {
    fprintf(out, "%" PRId64, integer(shape, item));
  } else {
    double value = wal_hdf5_number(shape, item);
    // As few digits as give back the same number, but six if they are there.
    char text[64];
    bool exact = isnan(value);
    int digits = 6;
    do {
      snprintf(text, sizeof text, "%.*g", digits, value);
      double back = strtod(text, NULL);
      exact = exact || (shape->item == 4 ? (double)(float)back : back) == value;
    } while (!exact && ++digits <= 17);
    fputs(text, out);
  }
}

static bool print_numbers(hid_t attribute, const wal_hdf5_shape *shape, FILE *out) {
  char *values = calloc((size_t)shape->items + 1, shape->item);
  if (!values) return false;
  bool good = H5Aread(attribute, wal_hdf5_native(shape), values) >= 0;
  for (int64_t i = 0; good && i < shape->items; i++) {
    if (i) fputs(", ", out);
    const char *item = values + (size_t)i * shape->item;
    wal_hdf5_print_number(out, shape, item);
    uint64_t bits = 0;
    memcpy(&bits, item, shape->item);
    if (isnan(wal_hdf5_number(shape, item))) fprintf(out, "(0x%" PRIx64 ")", bits);
  }
  free(values);
  return good;
}

static bool print_texts(hid_t attribute, const wal_hdf5_shape *shape, FILE *out) {
  char **values = calloc((size_t)shape->items + 1, sizeof *values);
  hid_t type = H5Aget_type(attribute);
  hid_t space = H5Aget_space(attribute);
  bool good = values && type >= 0 && space >= 0 && H5Aread(attribute, type, values) >= 0;
  for (int64_t i = 0; good && i < shape->items; i++)
    fprintf(out, "%s%s", i ? ", " : "", values[i] ? values[i] : "");
  if (good) H5Dvlen_reclaim(type, space, H5P_DEFAULT, values);
  if (type >= 0) H5Tclose(type);
  if (space >= 0) H5Sclose(space);
  free(values);
  return good;
}

static bool print_characters(hid_t attribute, const wal_hdf5_shape *shape, FILE *out) {
  char *values = calloc((size_t)shape->items + 1, shape->item);
  hid_t type = H5Aget_type(attribute);
  bool good = values && type >= 0 && H5Aread(attribute, type, values) >= 0;
  for (int64_t i = 0; good && i < shape->items; i++)
    fprintf(out, "%s%.*s", i ? ", " : "", (int)shape->item, values + (size_t)i * shape->item);
  if (type >= 0) H5Tclose(type);
  free(values);
  return good;
}

static bool print_references(hid_t attribute, const wal_hdf5_shape *shape,
                             const wal_hdf5_tree *tree, FILE *out) {
  hvl_t *lists = calloc((size_t)shape->items + 1, sizeof *lists);
  hid_t type = H5Aget_type(attribute);
  hid_t space = H5Aget_space(attribute);
  bool good = lists && type >= 0 && space >= 0 && H5Aread(attribute, type, lists) >= 0;
  for (int64_t i = 0; good && i < shape->items; i++) {
    if (i) fputs(", ", out);
    for (size_t k = 0; k < lists[i].len; k++) {
      hobj_ref_t target = 0;
      memcpy(&target, (const char *)lists[i].p + k * sizeof target, sizeof target);
      const char *path = tree ? wal_hdf5_tree_path(tree, (haddr_t)target) : NULL;
      fprintf(out, "%s%s", k ? " " : "", path ? path : "elsewhere");
    }
  }
  if (good) H5Dvlen_reclaim(type, space, H5P_DEFAULT, lists);
  if (type >= 0) H5Tclose(type);
  if (space >= 0) H5Sclose(space);
  free(lists);
  return good;
}

bool wal_hdf5_attribute_value(hid_t attribute, const wal_hdf5_tree *tree, FILE *out) {
  wal_hdf5_shape shape;
  if (!wal_hdf5_shape_of(attribute, &shape) || shape.items > MOST_VALUES) return false;
  bool list = shape.rank > 0, good = true;
  if (list) fputc('[', out);
  if (shape.kind == WAL_HDF5_REAL || shape.kind == WAL_HDF5_INTEGER)
    good = print_numbers(attribute, &shape, out);
  else if (shape.kind == WAL_HDF5_TEXT)
    good = print_texts(attribute, &shape, out);
  else if (shape.kind == WAL_HDF5_CHARACTERS)
    good = print_characters(attribute, &shape, out);
  else if (shape.kind == WAL_HDF5_REFERENCES)
    good = print_references(attribute, &shape, tree, out);
  if (list) fputc(']', out);
  return good;
}

static wal_status unreadable(wal_ctx *ctx, const char *path, const char *object) {
  char why[400];
  wal_hdf5_reason(why, sizeof why);
  return wal_fail(ctx, WAL_EIO, "%s: %s: cannot be read: %s", path, object, why);
}

static wal_status add_entry(wal_ctx *ctx, wal_hdf5_tree *tree, const char *path, bool hard,
                            const H5O_info_t *info) {
  WAL_TRY(wal_hdf5_grow(ctx, "names of a run file", &tree->entries, tree->count, &tree->capacity,
                        sizeof *tree->entries));
  wal_hdf5_entry *entry = &tree->entries[tree->count];
  memset(entry, 0, sizeof *entry);
  WAL_TRY(wal_acquire(ctx, "a path", (int64_t)strlen(path) + 1, 1, &entry->path));
  memcpy(entry->path, path, strlen(path));
  entry->group = hard && info->type == H5O_TYPE_GROUP;
  entry->dataset = hard && info->type == H5O_TYPE_DATASET;
  entry->address = hard ? info->addr : HADDR_UNDEF;
  tree->count++;
  return WAL_OK;
}

/** A walk through the names of a file. */
typedef struct walker {
  wal_ctx *ctx;
  const char *path, *group;
  int depth;
  int64_t most; /**< names */
  bool all;
  wal_hdf5_tree *tree;
  wal_status status;
} walker;

static wal_status walk(walker *w, hid_t from, const char *name);

/** Adds one name of the group at hand, and those below it. */
static wal_status visit(walker *w, hid_t group, const char *name, bool hard) {
  char full[WAL_HDF5_PATH];
  int length = snprintf(full, sizeof full, "%s/%s", w->group[1] ? w->group : "", name);
  if (length < 0 || length >= WAL_HDF5_PATH || w->depth >= MOST_DEPTH || w->tree->count >= w->most)
    return wal_fail(w->ctx, WAL_EIO, "%s: %s: more names than a run file has", w->path, w->group);
  // How a run was made and how its scenario was spelled may differ between equal runs.
  if (!w->all && (strcmp(full, "/run") == 0 || strcmp(full, "/scenario/source") == 0))
    return WAL_OK;
  H5O_info_t object;
  memset(&object, 0, sizeof object);
  if (hard && H5Oget_info_by_name2(group, name, &object, H5O_INFO_BASIC, H5P_DEFAULT) < 0)
    return unreadable(w->ctx, w->path, full);
  WAL_TRY(add_entry(w->ctx, w->tree, full, hard, &object));
  if (!hard || object.type != H5O_TYPE_GROUP) return WAL_OK;
  walker below = *w;
  below.group = full;
  below.depth++;
  return walk(&below, group, name);
}

static herr_t visit_link(hid_t group, const char *name, const H5L_info_t *link, void *user) {
  walker *w = user;
  w->status = visit(w, group, name, link->type == H5L_TYPE_HARD);
  return w->status == WAL_OK ? 0 : -1;
}

static wal_status walk(walker *w, hid_t from, const char *name) {
  hsize_t start = 0;
  if (H5Literate_by_name(from, name, H5_INDEX_NAME, H5_ITER_INC, &start, visit_link, w,
                         H5P_DEFAULT) < 0 &&
      w->status == WAL_OK)
    return unreadable(w->ctx, w->path, w->group);
  return w->status;
}

static int by_path(const void *a, const void *b) {
  return strcmp(((const wal_hdf5_entry *)a)->path, ((const wal_hdf5_entry *)b)->path);
}

static int by_address(const void *a, const void *b) {
  const wal_hdf5_place *x = a, *y = b;
  if (x->address != y->address) return x->address < y->address ? -1 : 1;
  return strcmp(x->path, y->path);
}

wal_status wal_hdf5_tree_read(wal_ctx *ctx, const char *path, hid_t file, bool all,
                              wal_hdf5_tree *out) {
  H5O_info_t object;
  hsize_t size = 0;
  if (H5Oget_info2(file, &object, H5O_INFO_BASIC) < 0 || H5Fget_filesize(file, &size) < 0)
    return unreadable(ctx, path, "/");
  walker w = {.ctx = ctx, .path = path, .group = "/", .all = all, .tree = out};
  // Every name takes a few bytes of the file; but groups may contain each other in a damaged one.
  w.most = MOST_NAMES + (int64_t)(size / NAME_BYTES);
  WAL_TRY(add_entry(ctx, out, "/", true, &object));
  WAL_TRY(walk(&w, file, "/"));
  qsort(out->entries, (size_t)out->count, sizeof *out->entries, by_path);
  WAL_TRY(wal_acquire(ctx, "names of a run file", out->count, sizeof *out->places, &out->places));
  for (int64_t i = 0; i < out->count; i++)
    out->places[i] = (wal_hdf5_place){out->entries[i].address, out->entries[i].path};
  qsort(out->places, (size_t)out->count, sizeof *out->places, by_address);
  return WAL_OK;
}

void wal_hdf5_tree_free(wal_ctx *ctx, wal_hdf5_tree *tree) {
  for (int64_t i = 0; i < tree->count; i++) wal_release(ctx, &tree->entries[i].path);
  wal_release(ctx, &tree->entries);
  wal_release(ctx, &tree->places);
  memset(tree, 0, sizeof *tree);
}

const char *wal_hdf5_tree_path(const wal_hdf5_tree *tree, haddr_t address) {
  int64_t low = 0, high = tree->count;
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    if (tree->places[middle].address < address)
      low = middle + 1;
    else
      high = middle;
  }
  return low < tree->count && tree->places[low].address == address ? tree->places[low].path : NULL;
}
