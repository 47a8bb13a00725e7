// SPDX-License-Identifier: GPL-3.0-or-later
#define _XOPEN_SOURCE 700

#include "io/run_compare.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "io/hdf5_helpers.h"
#include "sim/core/memory.h"

enum { PIECE = 16 << 20, SNIPPET = 60, MOST_ATTRIBUTES = 4096, NAME_LENGTH = 256 };

typedef struct side {
  const char *path;
  hid_t file;
  wal_hdf5_tree tree;
} side;

typedef struct comparison {
  wal_ctx *ctx;
  side a, b;
  wal_run_comparison *out;
} comparison;

/** Notes a difference of the object at hand: a line "object: what". */
static void note(comparison *c, const char *object, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void note(comparison *c, const char *object, const char *format, ...) {
  if (c->out->first[0]) return;
  char what[400];
  va_list args;
  va_start(args, format);
  vsnprintf(what, sizeof what, format, args);
  va_end(args);
  char line[WAL_HDF5_PATH + sizeof what];
  snprintf(line, sizeof line, "%s%s", object, what);
  wal_hdf5_one_line(line, c->out->first, sizeof c->out->first);
}

static wal_status unreadable(comparison *c, const side *s, const char *object) {
  char why[400];
  wal_hdf5_reason(why, sizeof why);
  return wal_fail(c->ctx, WAL_EIO, "%s: %s: cannot be read: %s", s->path, object, why);
}

/** Two texts that differ, each from shortly before the first difference on. */
static void snippets(const char *a, const char *b, char out_a[SNIPPET], char out_b[SNIPPET]) {
  size_t same = 0;
  while (a[same] && a[same] == b[same]) same++;
  size_t from = same > 12 ? same - 12 : 0;
  while (from > 0 && ((unsigned char)a[from] & 0xC0) == 0x80) from--;
  if (strlen(a) < SNIPPET && strlen(b) < SNIPPET) from = 0;
  char line[SNIPPET - 4];
  wal_hdf5_one_line(a + from, line, sizeof line);
  snprintf(out_a, SNIPPET, "%s%s", from ? "..." : "", line);
  wal_hdf5_one_line(b + from, line, sizeof line);
  snprintf(out_b, SNIPPET, "%s%s", from ? "..." : "", line);
}

/* ---- attributes ---- */

typedef struct attribute {
  char name[NAME_LENGTH];
  char type[16];
  char *value;  // of open_memstream()
} attribute;

typedef struct attributes {
  attribute *list;
  int64_t count, capacity;
} attributes;

static void free_attributes(wal_ctx *ctx, attributes *all) {
  for (int64_t i = 0; i < all->count; i++) free(all->list[i].value);
  wal_release(ctx, &all->list);
  all->count = all->capacity = 0;
}

/** Reads one attribute; those that list the users of a scale are told by `*skip`. */
static bool read_attribute(hid_t object, hsize_t i, const wal_hdf5_tree *tree, attribute *out,
                           bool *skip) {
  hid_t id = H5Aopen_by_idx(object, ".", H5_INDEX_NAME, H5_ITER_INC, i, H5P_DEFAULT, H5P_DEFAULT);
  if (id < 0) return false;
  wal_hdf5_shape shape;
  bool good = H5Aget_name(id, sizeof out->name, out->name) >= 0;
  // Who uses a scale is told by the users' DIMENSION_LIST already, and may lie in /run.
  *skip = good && strcmp(out->name, "REFERENCE_LIST") == 0;
  if (good && !*skip) {
    size_t length = 0;
    good = wal_hdf5_shape_of(id, &shape);
    if (good) memcpy(out->type, shape.type, sizeof out->type);
    FILE *text = good ? open_memstream(&out->value, &length) : NULL;
    good = text && wal_hdf5_attribute_value(id, tree, text);
    if (text) fclose(text);
    good = good && out->value;
  }
  H5Aclose(id);
  return good;
}

static int by_name(const void *a, const void *b) {
  return strcmp(((const attribute *)a)->name, ((const attribute *)b)->name);
}

static wal_status read_attributes(comparison *c, const side *s, const char *path, attributes *all) {
  hid_t object = H5Oopen(s->file, path, H5P_DEFAULT);
  H5O_info_t info;
  wal_status status = WAL_OK;
  if (object < 0) return unreadable(c, s, path);
  if (H5Oget_info2(object, &info, H5O_INFO_NUM_ATTRS) < 0 || info.num_attrs > MOST_ATTRIBUTES)
    WAL_TRY_GOTO(unreadable(c, s, path));
  for (hsize_t i = 0; i < info.num_attrs; i++) {
    WAL_TRY_GOTO(wal_hdf5_grow(c->ctx, "attributes", &all->list, all->count, &all->capacity,
                               sizeof *all->list));
    attribute *one = &all->list[all->count];
    memset(one, 0, sizeof *one);
    bool skip = false;
    if (!read_attribute(object, i, &s->tree, one, &skip)) {
      free(one->value);
      WAL_TRY_GOTO(unreadable(c, s, path));
    }
    if (!skip) all->count++;
  }
  if (all->count) qsort(all->list, (size_t)all->count, sizeof *all->list, by_name);
cleanup:
  H5Oclose(object);
  return status;
}

/** Notes a difference of two attributes of the same name. */
static bool same_attribute(comparison *c, const char *path, const attribute *a,
                           const attribute *b) {
  if (strcmp(a->type, b->type) != 0) {
    note(c, path, ": attribute %s: type %s against %s", a->name, a->type, b->type);
    return false;
  }
  if (strcmp(a->value, b->value) == 0) return true;
  char short_a[SNIPPET], short_b[SNIPPET];
  snippets(a->value, b->value, short_a, short_b);
  note(c, path, ": attribute %s: %s against %s", a->name, short_a, short_b);
  return false;
}

static wal_status compare_attributes(comparison *c, const char *path, bool *same) {
  attributes a = {0}, b = {0};
  wal_status status = WAL_OK;
  WAL_TRY_GOTO(read_attributes(c, &c->a, path, &a));
  WAL_TRY_GOTO(read_attributes(c, &c->b, path, &b));
  for (int64_t i = 0, k = 0; i < a.count || k < b.count;) {
    int order = i == a.count ? 1 : k == b.count ? -1 : by_name(&a.list[i], &b.list[k]);
    if (order == 0) {
      if (!same_attribute(c, path, &a.list[i++], &b.list[k++])) *same = false;
    } else {
      bool first = order < 0;
      note(c, path, ": attribute %s: only in %s", first ? a.list[i].name : b.list[k].name,
           first ? "A" : "B");
      *same = false;
      if (first)
        i++;
      else
        k++;
    }
  }
cleanup:
  free_attributes(c->ctx, &a);
  free_attributes(c->ctx, &b);
  return status;
}

/* ---- values ---- */

/** "PATH[0,3,1]" of the item with this number in row-major order. */
static void name_item(const char *path, const wal_hdf5_shape *shape, int64_t item, char *out,
                      size_t size) {
  int64_t index[H5S_MAX_RANK];
  for (int d = shape->rank - 1; d >= 0; d--) {
    index[d] = item % (int64_t)shape->extent[d];
    item /= (int64_t)shape->extent[d];
  }
  size_t used = (size_t)snprintf(out, size, "%s", path);
  for (int d = 0; d < shape->rank && used < size; d++)
    used += (size_t)snprintf(out + used, size - used, "%s%lld", d ? "," : "[", (long long)index[d]);
  if (shape->rank && used < size) snprintf(out + used, size - used, "]");
}

static void number_text(const wal_hdf5_shape *shape, const void *item, char out[64]) {
  memset(out, 0, 64);
  FILE *text = fmemopen(out, 63, "w");
  if (!text) return;
  wal_hdf5_print_number(text, shape, item);
  fclose(text);
}

static void differing_number(comparison *c, const char *path, const wal_hdf5_shape *shape,
                             int64_t item, const void *a, const void *b) {
  double gap = fabs(wal_hdf5_number(shape, a) - wal_hdf5_number(shape, b));
  if (isnan(gap)) gap = INFINITY;
  bool larger = !c->out->largest[0] || gap > c->out->largest_difference;
  if (c->out->first[0] && !larger) return;
  char name[WAL_HDF5_PATH + 200], text_a[64], text_b[64], line[WAL_HDF5_PATH + 400];
  name_item(path, shape, item, name, sizeof name);
  number_text(shape, a, text_a);
  number_text(shape, b, text_b);
  // Two zeros or two NaNs of different bits look the same.
  const char *bits = strcmp(text_a, text_b) == 0 ? " (other bits)" : "";
  note(c, name, ": %s against %s%s", text_a, text_b, bits);
  if (!larger) return;
  snprintf(line, sizeof line, "%s: %s against %s%s", name, text_a, text_b, bits);
  wal_hdf5_one_line(line, c->out->largest, sizeof c->out->largest);
  c->out->largest_difference = gap;
}

static void compare_numbers(comparison *c, const char *path, const wal_hdf5_shape *shape,
                            int64_t first, int64_t items, const char *a, const char *b,
                            bool *same) {
  if (memcmp(a, b, (size_t)items * shape->item) == 0) return;
  *same = false;
  for (int64_t i = 0; i < items; i++) {
    const char *item_a = a + (size_t)i * shape->item, *item_b = b + (size_t)i * shape->item;
    if (memcmp(item_a, item_b, shape->item) != 0)
      differing_number(c, path, shape, first + i, item_a, item_b);
  }
}

static void compare_texts(comparison *c, const char *path, const wal_hdf5_shape *shape,
                          int64_t first, int64_t items, char *const *a, char *const *b,
                          bool *same) {
  for (int64_t i = 0; i < items; i++) {
    const char *text_a = a[i] ? a[i] : "", *text_b = b[i] ? b[i] : "";
    if (strcmp(text_a, text_b) == 0) continue;
    *same = false;
    char name[WAL_HDF5_PATH + 200], short_a[SNIPPET], short_b[SNIPPET];
    name_item(path, shape, first + i, name, sizeof name);
    snippets(text_a, text_b, short_a, short_b);
    note(c, name, ": \"%s\" against \"%s\"", short_a, short_b);
    return;
  }
}

/** A run of items in row-major order that is also a block: rows of dimension `axis` under one index
 *  of the dimensions before. */
typedef struct piece {
  hsize_t start[H5S_MAX_RANK], count[H5S_MAX_RANK];
  int64_t first, items;
} piece;

/** The piece that begins at item `first`, of at most `most` items. */
static piece cut_piece(const wal_hdf5_shape *shape, int64_t first, int64_t most) {
  piece p = {.first = first, .items = 1};
  int64_t inner = 1, rest = first;
  int axis = shape->rank - 1;
  for (; axis > 0 && inner * (int64_t)shape->extent[axis] <= most; axis--)
    inner *= (int64_t)shape->extent[axis];
  for (int d = shape->rank - 1; d >= 0; d--) {
    p.start[d] = (hsize_t)rest % shape->extent[d];
    rest /= (int64_t)shape->extent[d];
    p.count[d] = d < axis ? 1 : shape->extent[d];
  }
  if (shape->rank == 0) return p;
  int64_t rows = most / inner, left = (int64_t)(shape->extent[axis] - p.start[axis]);
  if (rows > left) rows = left;
  p.count[axis] = (hsize_t)rows;
  p.items = rows * inner;
  return p;
}

static bool read_piece(hid_t dataset, hid_t type, const wal_hdf5_shape *shape, const piece *p,
                       void *out) {
  hsize_t length = (hsize_t)p->items;
  hid_t from = H5Dget_space(dataset), to = H5Screate_simple(1, &length, NULL);
  bool good = from >= 0 && to >= 0;
  if (good && shape->rank)
    good = H5Sselect_hyperslab(from, H5S_SELECT_SET, p->start, NULL, p->count, NULL) >= 0;
  good = good && H5Dread(dataset, type, to, from, H5P_DEFAULT, out) >= 0;
  if (from >= 0) H5Sclose(from);
  if (to >= 0) H5Sclose(to);
  return good;
}

static void reclaim(hid_t type, int64_t items, void *texts) {
  hsize_t length = (hsize_t)items;
  hid_t space = H5Screate_simple(1, &length, NULL);
  if (space >= 0) {
    H5Dvlen_reclaim(type, space, H5P_DEFAULT, texts);
    H5Sclose(space);
  }
}

/** Compares the values of two datasets of the same shape and type, piece by piece. */
static wal_status compare_values(comparison *c, const char *path, const wal_hdf5_shape *shape,
                                 hid_t a, hid_t b, bool *same) {
  bool text = shape->kind == WAL_HDF5_TEXT;
  size_t item = text ? sizeof(char *) : shape->item;
  int64_t most = PIECE / (int64_t)item, length = shape->items < most ? shape->items : most;
  char *buffers[2] = {NULL, NULL};
  hid_t type = -1;
  wal_status status = WAL_OK;
  WAL_TRY_GOTO(wal_acquire(c->ctx, path, length, item, &buffers[0]));
  WAL_TRY_GOTO(wal_acquire(c->ctx, path, length, item, &buffers[1]));
  bool numbers = shape->kind == WAL_HDF5_REAL || shape->kind == WAL_HDF5_INTEGER;
  type = numbers ? H5Tcopy(wal_hdf5_native(shape)) : H5Dget_type(a);
  if (type < 0) WAL_TRY_GOTO(unreadable(c, &c->a, path));
  for (int64_t first = 0; first < shape->items;) {
    piece p = cut_piece(shape, first, most);
    if (!read_piece(a, type, shape, &p, buffers[0])) WAL_TRY_GOTO(unreadable(c, &c->a, path));
    if (!read_piece(b, type, shape, &p, buffers[1])) {
      if (text) reclaim(type, p.items, buffers[0]);
      WAL_TRY_GOTO(unreadable(c, &c->b, path));
    }
    if (text) {
      compare_texts(c, path, shape, first, p.items, (char *const *)(void *)buffers[0],
                    (char *const *)(void *)buffers[1], same);
      reclaim(type, p.items, buffers[0]);
      reclaim(type, p.items, buffers[1]);
    } else {
      compare_numbers(c, path, shape, first, p.items, buffers[0], buffers[1], same);
    }
    first += p.items;
  }
cleanup:
  if (type >= 0) H5Tclose(type);
  wal_release(c->ctx, &buffers[0]);
  wal_release(c->ctx, &buffers[1]);
  return status;
}

/* ---- objects ---- */

static void print_shape(const wal_hdf5_shape *shape, char *out, size_t size) {
  size_t used = (size_t)snprintf(out, size, "[");
  for (int d = 0; d < shape->rank && used < size; d++)
    used += (size_t)snprintf(out + used, size - used, "%s%llu", d ? "," : "",
                             (unsigned long long)shape->extent[d]);
  if (used < size) snprintf(out + used, size - used, "]");
}

static bool same_shape(comparison *c, const char *path, const wal_hdf5_shape *a,
                       const wal_hdf5_shape *b) {
  if (strcmp(a->type, b->type) != 0) {
    note(c, path, ": type %s against %s", a->type, b->type);
    return false;
  }
  if (a->rank == b->rank &&
      memcmp(a->extent, b->extent, (size_t)a->rank * sizeof a->extent[0]) == 0)
    return true;
  char text_a[128], text_b[128];
  print_shape(a, text_a, sizeof text_a);
  print_shape(b, text_b, sizeof text_b);
  note(c, path, ": shape %s against %s", text_a, text_b);
  return false;
}

/** Opens a dataset whose type is known and whose bytes are there. */
static wal_status open_dataset(comparison *c, const side *s, const char *path,
                               wal_hdf5_shape *shape, hid_t *out) {
  *out = H5Dopen2(s->file, path, H5P_DEFAULT);
  if (*out < 0 || !wal_hdf5_shape_of(*out, shape)) return unreadable(c, s, path);
  if (shape->kind == WAL_HDF5_OTHER || shape->kind == WAL_HDF5_REFERENCES)
    return wal_fail(c->ctx, WAL_EIO, "%s: %s: of a type that run files do not have", s->path, path);
  // Otherwise a damaged extent would have us read fill values for ages.
  hsize_t stored = H5Dget_storage_size(*out), size = 0;
  if (H5Fget_filesize(s->file, &size) < 0) return unreadable(c, s, path);
  if (stored > size || (hsize_t)shape->items > stored / shape->item)
    return wal_fail(c->ctx, WAL_EIO, "%s: %s: damaged: fewer bytes than its shape needs", s->path,
                    path);
  return WAL_OK;
}

static wal_status compare_datasets(comparison *c, const char *path, bool *same) {
  wal_hdf5_shape shape_a, shape_b;
  hid_t a = -1, b = -1;
  wal_status status = WAL_OK;
  c->out->datasets++;
  WAL_TRY_GOTO(open_dataset(c, &c->a, path, &shape_a, &a));
  WAL_TRY_GOTO(open_dataset(c, &c->b, path, &shape_b, &b));
  if (same_shape(c, path, &shape_a, &shape_b))
    WAL_TRY_GOTO(compare_values(c, path, &shape_a, a, b, same));
  else
    *same = false;
cleanup:
  if (a >= 0) H5Dclose(a);
  if (b >= 0) H5Dclose(b);
  return status;
}

static const char *what_is(const wal_hdf5_entry *entry) {
  return entry->group ? "group" : entry->dataset ? "dataset" : "link";
}

static wal_status compare_objects(comparison *c, const wal_hdf5_entry *a, const wal_hdf5_entry *b) {
  bool same = true;
  if (a->group != b->group || a->dataset != b->dataset) {
    note(c, a->path, ": %s against %s", what_is(a), what_is(b));
    same = false;
  } else if (a->group || a->dataset) {
    if (a->dataset) WAL_TRY(compare_datasets(c, a->path, &same));
    WAL_TRY(compare_attributes(c, a->path, &same));
  }
  if (!same) c->out->differing++;
  return WAL_OK;
}

static wal_status compare_trees(comparison *c) {
  const wal_hdf5_tree *a = &c->a.tree, *b = &c->b.tree;
  for (int64_t i = 0, k = 0; i < a->count || k < b->count;) {
    int order = i == a->count   ? 1
                : k == b->count ? -1
                                : strcmp(a->entries[i].path, b->entries[k].path);
    if (order == 0) {
      WAL_TRY(compare_objects(c, &a->entries[i++], &b->entries[k++]));
      continue;
    }
    note(c, order < 0 ? "only in A: " : "only in B: ", "%s",
         order < 0 ? a->entries[i].path : b->entries[k].path);
    c->out->differing++;
    if (order < 0)
      i++;
    else
      k++;
  }
  return WAL_OK;
}

wal_status wal_run_compare(wal_ctx *ctx, const char *a, const char *b, wal_run_comparison *out) {
  memset(out, 0, sizeof *out);
  comparison c = {
      .ctx = ctx, .a = {.path = a, .file = -1}, .b = {.path = b, .file = -1}, .out = out};
  wal_status status = WAL_OK;
  WAL_TRY_GOTO(wal_hdf5_open(ctx, a, &c.a.file));
  WAL_TRY_GOTO(wal_hdf5_open(ctx, b, &c.b.file));
  WAL_TRY_GOTO(wal_hdf5_tree_read(ctx, a, c.a.file, false, &c.a.tree));
  WAL_TRY_GOTO(wal_hdf5_tree_read(ctx, b, c.b.file, false, &c.b.tree));
  WAL_TRY_GOTO(compare_trees(&c));
cleanup:
  wal_hdf5_tree_free(ctx, &c.a.tree);
  wal_hdf5_tree_free(ctx, &c.b.tree);
  if (c.a.file >= 0) H5Fclose(c.a.file);
  if (c.b.file >= 0) H5Fclose(c.b.file);
  return status;
}
