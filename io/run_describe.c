// SPDX-License-Identifier: GPL-3.0-or-later
#define _XOPEN_SOURCE 700

#include "io/run_describe.h"

#include <stdlib.h>
#include <string.h>

#include "io/hdf5_helpers.h"
#include "io/run_headline.h"
#include "sim/core/memory.h"

enum { LINE = 512, SHAPE = 160, SHORT = 60, MOST_ATTRIBUTES = 4096, NAME_LENGTH = 256 };

typedef struct description {
  wal_ctx *ctx;
  const char *path;
  hid_t file;
  wal_hdf5_tree tree;
  FILE *out;
} description;

static wal_status unreadable(description *d, const char *object) {
  char why[400];
  wal_hdf5_reason(why, sizeof why);
  return wal_fail(d->ctx, WAL_EIO, "%s: %s: cannot be read: %s", d->path, object, why);
}

/** An open attribute's value on one line; false if it cannot be read. */
static bool value_text(const description *d, hid_t attribute, char *out, size_t size) {
  char *text = NULL;
  size_t length = 0;
  FILE *stream = open_memstream(&text, &length);
  bool good = stream && wal_hdf5_attribute_value(attribute, &d->tree, stream);
  if (stream) fclose(stream);
  good = good && text;
  if (good) wal_hdf5_one_line(text, out, size);
  free(text);
  return good;
}

/** The value of an object's attribute, "" if it has none of this name. */
static bool named_value(const description *d, hid_t object, const char *name, char *out,
                        size_t size) {
  out[0] = '\0';
  htri_t exists = H5Aexists(object, name);
  if (exists <= 0) return exists == 0;
  hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
  bool good = attribute >= 0 && value_text(d, attribute, out, size);
  if (attribute >= 0) H5Aclose(attribute);
  return good;
}

static bool is_in_title(const char *name) {
  return strcmp(name, "format") == 0 || strcmp(name, "format_version") == 0 ||
         strcmp(name, "walras_version") == 0 || strcmp(name, "complete") == 0;
}

static wal_status print_title(description *d) {
  char version[SHORT], program[SHORT], complete[SHORT];
  if (!named_value(d, d->file, "format_version", version, sizeof version) ||
      !named_value(d, d->file, "walras_version", program, sizeof program) ||
      !named_value(d, d->file, "complete", complete, sizeof complete))
    return unreadable(d, "/");
  fprintf(d->out, "walras run file, format %s, written by walras %s, %s\n", version, program,
          strcmp(complete, "1") == 0 ? "complete" : "NOT complete");
  return WAL_OK;
}

/** The attributes of a group: of the root one a line, of others behind its name. */
static wal_status print_attributes(description *d, const char *path) {
  hid_t object = H5Oopen(d->file, path, H5P_DEFAULT);
  if (object < 0) return unreadable(d, path);
  bool root = strcmp(path, "/") == 0;
  H5O_info_t info;
  bool good =
      H5Oget_info2(object, &info, H5O_INFO_NUM_ATTRS) >= 0 && info.num_attrs <= MOST_ATTRIBUTES;
  for (hsize_t i = 0; good && i < info.num_attrs; i++) {
    char name[NAME_LENGTH], shown[NAME_LENGTH], value[SHORT + 20];
    hid_t id = H5Aopen_by_idx(object, ".", H5_INDEX_NAME, H5_ITER_INC, i, H5P_DEFAULT, H5P_DEFAULT);
    good = id >= 0 && H5Aget_name(id, sizeof name, name) >= 0;
    if (good && !(root && is_in_title(name))) {
      good = value_text(d, id, value, sizeof value);
      wal_hdf5_one_line(name, shown, sizeof shown);
      if (good) fprintf(d->out, root ? "%-8s %s\n" : "  %s %s", shown, value);
    }
    if (id >= 0) H5Aclose(id);
  }
  H5Oclose(object);
  return good ? WAL_OK : unreadable(d, path);
}

/** Last part of a path. */
static const char *last_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

/** Splits "[/axes/stage, /axes/state]" into last names. */
static void scale_names(char *list, int rank, const char *names[H5S_MAX_RANK]) {
  char *from = list + (list[0] == '[');
  for (int k = 0; k < rank; k++) {
    size_t length = strcspn(from, ",] ");
    bool more = from[length] == ',';
    from[length] = '\0';
    names[k] = last_name(from);
    if (!more) break;
    from += length + 2;
  }
}

/** "[4 stage, 400 state]" */
static bool shape_text(const description *d, hid_t dataset, const wal_hdf5_shape *shape,
                       char out[SHAPE]) {
  char list[LINE];
  const char *names[H5S_MAX_RANK] = {NULL};
  if (!named_value(d, dataset, "DIMENSION_LIST", list, sizeof list)) return false;
  if (list[0]) scale_names(list, shape->rank, names);
  if (shape->rank == 0) {
    snprintf(out, SHAPE, "scalar");
    return true;
  }
  size_t used = (size_t)snprintf(out, SHAPE, "[");
  for (int k = 0; k < shape->rank && used < SHAPE; k++)
    used += (size_t)snprintf(out + used, SHAPE - used, "%s%llu%s%s", k ? ", " : "",
                             (unsigned long long)shape->extent[k], names[k] && *names[k] ? " " : "",
                             names[k] ? names[k] : "");
  if (used < SHAPE) snprintf(out + used, SHAPE - used, "]");
  return true;
}

/** Prints the last number of a column. */
static bool print_last(description *d, hid_t dataset, const wal_hdf5_shape *shape) {
  hsize_t last = shape->extent[0] - 1, one = 1;
  hid_t from = H5Dget_space(dataset), to = H5Screate(H5S_SCALAR);
  uint64_t item = 0;
  bool good = from >= 0 && to >= 0 &&
              H5Sselect_hyperslab(from, H5S_SELECT_SET, &last, NULL, &one, NULL) >= 0 &&
              H5Dread(dataset, wal_hdf5_native(shape), to, from, H5P_DEFAULT, &item) >= 0;
  if (good) {
    fputs("  last ", d->out);
    wal_hdf5_print_number(d->out, shape, &item);
  }
  if (from >= 0) H5Sclose(from);
  if (to >= 0) H5Sclose(to);
  return good;
}

/** Whether a path is of a column with a row a step, in /trace or /design itself. */
static bool is_of_steps(const char *path) {
  if (strncmp(path, "/trace/", 7) == 0) return true;
  return strncmp(path, "/design/", 8) == 0 && !strchr(path + 8, '/') &&
         strcmp(path, "/design/toll") != 0;
}

/** One line a dataset; with out = NULL only the widths of its columns are measured. */
static wal_status print_dataset(description *d, const char *path, bool print, int width[2]) {
  char shape_line[SHAPE], units[SHORT], long_name[LINE], shown[WAL_HDF5_PATH];
  wal_hdf5_shape shape;
  hid_t dataset = H5Dopen2(d->file, path, H5P_DEFAULT);
  bool good = dataset >= 0 && wal_hdf5_shape_of(dataset, &shape) &&
              shape_text(d, dataset, &shape, shape_line) &&
              named_value(d, dataset, "units", units, sizeof units) &&
              named_value(d, dataset, "long_name", long_name, sizeof long_name);
  if (good && print) {
    wal_hdf5_one_line(path, shown, sizeof shown);
    fprintf(d->out, "  %-*s  %-*s  %-4s  %s  %s", width[0], shown, width[1], shape_line, shape.type,
            units[0] ? units : "-", long_name);
    bool column = is_of_steps(path) && shape.rank == 1 && shape.items > 0 &&
                  (shape.kind == WAL_HDF5_REAL || shape.kind == WAL_HDF5_INTEGER);
    good = !column || print_last(d, dataset, &shape);
    fputc('\n', d->out);
  } else if (good) {
    int path_width = (int)strlen(path), shape_width = (int)strlen(shape_line);
    if (path_width > width[0] && path_width <= 40) width[0] = path_width;
    if (shape_width > width[1] && shape_width <= 44) width[1] = shape_width;
  }
  if (dataset >= 0) H5Dclose(dataset);
  return good ? WAL_OK : unreadable(d, path);
}

/** Whether an entry lies directly in a group. */
static bool lies_in(const wal_hdf5_entry *entry, const char *group) {
  size_t length = strcmp(group, "/") == 0 ? 0 : strlen(group);
  return strncmp(entry->path, group, length) == 0 && entry->path[length] == '/' &&
         entry->path[length + 1] && !strchr(entry->path + length + 1, '/');
}

/** Whether an entry is a further name of an object listed before. */
static bool is_further_name(const description *d, const wal_hdf5_entry *entry) {
  const char *path = wal_hdf5_tree_path(&d->tree, entry->address);
  return path && strcmp(path, entry->path) != 0;
}

/** The further names that a group holds, as "  with stage, state". */
static void print_further_names(description *d, const char *group) {
  const char *before = "  with ";
  char shown[WAL_HDF5_PATH];
  for (int64_t i = 0; i < d->tree.count; i++) {
    const wal_hdf5_entry *entry = &d->tree.entries[i];
    if (!lies_in(entry, group) || !is_further_name(d, entry)) continue;
    wal_hdf5_one_line(last_name(entry->path), shown, sizeof shown);
    fprintf(d->out, "%s%s", before, shown);
    before = ", ";
  }
}

static wal_status print_group(description *d, const char *group, int width[2]) {
  if (strcmp(group, "/") != 0) {
    char shown[WAL_HDF5_PATH];
    wal_hdf5_one_line(group, shown, sizeof shown);
    fprintf(d->out, "%s", shown);
    print_further_names(d, group);
    WAL_TRY(print_attributes(d, group));
    fputc('\n', d->out);
  }
  for (int64_t i = 0; i < d->tree.count; i++) {
    const wal_hdf5_entry *entry = &d->tree.entries[i];
    if (entry->dataset && lies_in(entry, group) && !is_further_name(d, entry))
      WAL_TRY(print_dataset(d, entry->path, true, width));
  }
  return WAL_OK;
}

/** What names the run of a sweep, or the restart of a design, that an entry is or lies in: the part
 *  from "run_" on; NULL if it belongs to none. */
static const char *run_of(const char *path) {
  static const char *const PLACES[] = {"/runs/run_", "/restarts/run_", "/run/run_"};
  for (size_t i = 0; i < sizeof PLACES / sizeof *PLACES; i++)
    if (strncmp(path, PLACES[i], strlen(PLACES[i])) == 0)
      return path + strlen(PLACES[i]) - strlen("run_");
  return NULL;
}

/** Whether an entry belongs to a run behind the first: they are all alike. */
static bool is_further_run(const description *d, const wal_hdf5_entry *entry, int64_t first) {
  const char *run = run_of(entry->path);
  if (first < 0 || !run) return false;
  const char *shown = run_of(d->tree.entries[first].path);
  const size_t name = strlen(shown);
  return strncmp(run, shown, name) != 0 || (run[name] && run[name] != '/');
}

/** The group of the first run of a sweep or restart, -1 if there is none; how many there are. */
static int64_t first_run(const description *d, int64_t *runs) {
  int64_t first = -1;
  *runs = 0;
  for (int64_t i = 0; i < d->tree.count; i++) {
    const wal_hdf5_entry *entry = &d->tree.entries[i];
    if (!entry->group || !run_of(entry->path) ||
        !(lies_in(entry, "/runs") || lies_in(entry, "/restarts")))
      continue;
    if (first < 0) first = i;
    ++*runs;
  }
  return first;
}

static wal_status print_all(description *d) {
  WAL_TRY(print_title(d));
  wal_run_headline_print(d->file, d->out);
  WAL_TRY(print_attributes(d, "/"));
  int width[2] = {0, 0};
  int64_t runs = 0;
  const int64_t first = first_run(d, &runs);
  for (int64_t i = 0; i < d->tree.count; i++)
    if (d->tree.entries[i].dataset && !is_further_run(d, &d->tree.entries[i], first))
      WAL_TRY(print_dataset(d, d->tree.entries[i].path, false, width));
  for (int64_t i = 0; i < d->tree.count; i++) {
    const wal_hdf5_entry *entry = &d->tree.entries[i];
    if (!entry->group || is_further_run(d, entry, first)) continue;
    WAL_TRY(print_group(d, entry->path, width));
    const bool restarts = strcmp(entry->path, "/restarts") == 0;
    if (runs > 1 && (restarts || strcmp(entry->path, "/runs") == 0))
      fprintf(d->out, "  %lld %s, of which this is the first:\n", (long long)runs,
              restarts ? "restarts" : "runs");
  }
  return WAL_OK;
}

wal_status wal_run_describe(wal_ctx *ctx, const char *path, FILE *out) {
  description d = {.ctx = ctx, .path = path, .file = -1, .out = out};
  wal_status status = WAL_OK;
  WAL_TRY_GOTO(wal_hdf5_open(ctx, path, &d.file));
  WAL_TRY_GOTO(wal_hdf5_tree_read(ctx, path, d.file, true, &d.tree));
  WAL_TRY_GOTO(print_all(&d));
cleanup:
  wal_hdf5_tree_free(ctx, &d.tree);
  if (d.file >= 0) H5Fclose(d.file);
  return status;
}
