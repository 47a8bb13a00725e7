// SPDX-License-Identifier: GPL-3.0-or-later
#define _XOPEN_SOURCE 700

#include "io/report/read.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/run_scenario.h"

static void unreadable(wal_page *page, int run, const char *object) {
  char why[400];
  wal_hdf5_reason(why, sizeof why);
  if (page->status == WAL_OK)
    page->status = wal_fail(page->ctx, WAL_EIO, "%s: %s: cannot be read: %s", page->run[run].path,
                            object, why);
}

// ---- Files ------------------------------------------------------------------------------------

void wal_page_open_run(wal_page *page, const char *path) {
  if (page->status != WAL_OK) return;
  wal_page_run *run = &page->run[page->runs];
  const char *slash = strrchr(path, '/');
  *run = (wal_page_run){.path = path, .mark = "", .file = -1, .task = ""};
  wal_hdf5_one_line(slash ? slash + 1 : path, run->name, sizeof run->name);
  page->status = wal_hdf5_open(page->ctx, path, &run->file);
  if (page->status != WAL_OK) return;
  const int number = page->runs++;
  if (wal_page_attribute(page, number, "/", "complete") != 1 ||
      wal_page_has(page, number, "/checkpoint")) {
    page->status = wal_fail(
        page->ctx, WAL_EINPUT, "%s: expected the file of a run that has ended, got %s", path,
        wal_page_has(page, number, "/checkpoint") ? "a checkpoint" : "an incomplete file");
    return;
  }
  run->scenario = wal_run_scenario_read(run->file);
  const char *task = run->scenario ? wal_run_scenario_component(run->scenario) : NULL;
  if (task) run->task = task;
  if (task) run->parameters = json_object_get(run->scenario, task);
}

void wal_page_close_runs(wal_page *page) {
  for (int i = 0; i < page->runs; i++) {
    if (page->run[i].scenario) json_decref(page->run[i].scenario);
    if (page->run[i].file >= 0) H5Fclose(page->run[i].file);
  }
  page->runs = 0;
}

/* Every group on the way must be there: HDF5 fails on "/a/b" without "/a". */
bool wal_page_has(const wal_page *page, int run, const char *path) {
  char part[WAL_HDF5_PATH];
  if (strcmp(path, "/") == 0) return true;
  for (const char *end = strchr(path + 1, '/');; end = strchr(end + 1, '/')) {
    const size_t length = end ? (size_t)(end - path) : strlen(path);
    if (length >= sizeof part) return false;
    memcpy(part, path, length);
    part[length] = '\0';
    if (H5Lexists(page->run[run].file, part, H5P_DEFAULT) <= 0) return false;
    if (!end) return true;
  }
}

static hid_t open_dataset(const wal_page *page, int run, const char *path, wal_hdf5_shape *shape) {
  H5O_info_t info;
  const hid_t file = page->run[run].file;
  if (!wal_page_has(page, run, path)) return -1;
  if (H5Oget_info_by_name2(file, path, &info, H5O_INFO_BASIC, H5P_DEFAULT) < 0 ||
      info.type != H5O_TYPE_DATASET)
    return -1;
  hid_t dataset = H5Dopen2(file, path, H5P_DEFAULT);
  if (dataset >= 0 && !wal_hdf5_shape_of(dataset, shape)) {
    H5Dclose(dataset);
    return -1;
  }
  return dataset;
}

// ---- Attributes -------------------------------------------------------------------------------

static hid_t open_attribute(const wal_page *page, int run, const char *object, const char *name,
                            wal_hdf5_shape *shape) {
  const hid_t file = page->run[run].file;
  if (!wal_page_has(page, run, object) || H5Aexists_by_name(file, object, name, H5P_DEFAULT) <= 0)
    return -1;
  hid_t id = H5Aopen_by_name(file, object, name, H5P_DEFAULT, H5P_DEFAULT);
  if (id >= 0 && !wal_hdf5_shape_of(id, shape)) {
    H5Aclose(id);
    return -1;
  }
  return id;
}

double wal_page_attribute(const wal_page *page, int run, const char *object, const char *name) {
  wal_hdf5_shape shape;
  double value = NAN;
  hid_t id = open_attribute(page, run, object, name, &shape);
  if (id < 0) return NAN;
  const bool number =
      shape.items == 1 && (shape.kind == WAL_HDF5_REAL || shape.kind == WAL_HDF5_INTEGER);
  if (!number || H5Aread(id, H5T_NATIVE_DOUBLE, &value) < 0) value = NAN;
  H5Aclose(id);
  return value;
}

const char *wal_page_attribute_text(wal_page *page, int run, const char *object, const char *name) {
  wal_hdf5_shape shape;
  char *text = NULL;
  size_t length = 0;
  hid_t id = open_attribute(page, run, object, name, &shape);
  if (id < 0) return NULL;
  FILE *out = open_memstream(&text, &length);
  const bool good = out && wal_hdf5_attribute_value(id, NULL, out);
  if (out) fclose(out);
  H5Aclose(id);
  const char *kept = good && text ? wal_page_print(page, "%s", text) : NULL;
  free(text);
  return kept;
}

// ---- Numbers ----------------------------------------------------------------------------------

static const char *dataset_text(wal_page *page, int run, const char *path, const char *name) {
  const char *text = wal_page_attribute_text(page, run, path, name);
  return text ? text : "";
}

/* The dataset's shape as an array without values; *dataset is open if it is not NULL. */
static wal_array *open_array(wal_page *page, int run, const char *path, hid_t *dataset) {
  wal_hdf5_shape shape;
  *dataset = page->status == WAL_OK ? open_dataset(page, run, path, &shape) : -1;
  if (*dataset < 0) return NULL;
  wal_array *array = NULL;
  if ((shape.kind == WAL_HDF5_REAL || shape.kind == WAL_HDF5_INTEGER) &&
      shape.rank <= WAL_ARRAY_RANK && shape.items > 0)
    array = wal_page_acquire(page, 1, sizeof *array);
  if (!array) {
    H5Dclose(*dataset);
    return NULL;
  }
  array->rank = shape.rank;
  array->items = shape.items;
  for (int d = 0; d < WAL_ARRAY_RANK; d++)
    array->extent[d] = d < shape.rank ? (int64_t)shape.extent[d] : 1;
  array->units = dataset_text(page, run, path, "units");
  array->meaning = dataset_text(page, run, path, "long_name");
  return array;
}

const wal_array *wal_page_shape(wal_page *page, int run, const char *path) {
  hid_t dataset = -1;
  wal_array *array = open_array(page, run, path, &dataset);
  if (array) H5Dclose(dataset);
  return array;
}

const wal_array *wal_page_array(wal_page *page, int run, const char *path) {
  hid_t dataset = -1;
  wal_array *array = open_array(page, run, path, &dataset);
  if (!array) return NULL;
  array->values = wal_page_acquire(page, array->items, sizeof *array->values);
  if (array->values &&
      H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, array->values) < 0)
    unreadable(page, run, path);
  H5Dclose(dataset);
  return page->status == WAL_OK ? array : NULL;
}

bool wal_page_read_row(wal_page *page, int run, const char *path, int64_t row, double *out) {
  hid_t dataset = -1;
  wal_array *array = open_array(page, run, path, &dataset);
  if (!array) return false;
  hsize_t start[WAL_ARRAY_RANK] = {(hsize_t)row}, count[WAL_ARRAY_RANK] = {1};
  for (int d = 1; d < array->rank; d++) count[d] = (hsize_t)array->extent[d];
  const hsize_t length = (hsize_t)(array->items / array->extent[0]);
  hid_t from = H5Dget_space(dataset), to = H5Screate_simple(1, &length, NULL);
  const bool good = from >= 0 && to >= 0 &&
                    H5Sselect_hyperslab(from, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 &&
                    H5Dread(dataset, H5T_NATIVE_DOUBLE, to, from, H5P_DEFAULT, out) >= 0;
  if (!good) unreadable(page, run, path);
  if (from >= 0) H5Sclose(from);
  if (to >= 0) H5Sclose(to);
  H5Dclose(dataset);
  return good;
}

double wal_array_at(const wal_array *array, int64_t i) {
  return array && array->values && i >= 0 && i < array->items ? array->values[i] : NAN;
}

double wal_array_last(const wal_array *array) {
  return array ? wal_array_at(array, array->items - 1) : NAN;
}

// ---- Texts ------------------------------------------------------------------------------------

wal_texts wal_page_texts(wal_page *page, int run, const char *path) {
  wal_hdf5_shape shape;
  wal_texts all = {0, NULL};
  hid_t dataset = page->status == WAL_OK ? open_dataset(page, run, path, &shape) : -1;
  if (dataset < 0) return all;
  char **raw = NULL;
  hid_t type = H5Dget_type(dataset), space = H5Dget_space(dataset);
  if (shape.kind == WAL_HDF5_TEXT && shape.items > 0) {
    raw = wal_page_acquire(page, shape.items, sizeof *raw);
    all.text = wal_page_acquire(page, shape.items, sizeof *all.text);
  }
  if (raw && all.text) {
    if (H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, raw) < 0) {
      unreadable(page, run, path);
    } else {
      all.count = shape.items;
      for (int64_t i = 0; i < shape.items; i++)
        all.text[i] = wal_page_print(page, "%s", raw[i] ? raw[i] : "");
      H5Dvlen_reclaim(type, space, H5P_DEFAULT, raw);
    }
  }
  H5Tclose(type);
  H5Sclose(space);
  H5Dclose(dataset);
  return all;
}

const char *wal_page_text(wal_page *page, int run, const char *path) {
  const wal_texts all = wal_page_texts(page, run, path);
  return all.count == 1 ? all.text[0] : NULL;
}

wal_texts wal_page_children(wal_page *page, int run, const char *group) {
  wal_texts all = {0, NULL};
  H5G_info_t info;
  if (page->status != WAL_OK || !wal_page_has(page, run, group)) return all;
  hid_t id = H5Gopen2(page->run[run].file, group, H5P_DEFAULT);
  if (id < 0) return all;
  if (H5Gget_info(id, &info) >= 0 && info.nlinks > 0)
    all.text = wal_page_acquire(page, (int64_t)info.nlinks, sizeof *all.text);
  for (hsize_t i = 0; all.text && i < info.nlinks; i++) {
    char name[WAL_HDF5_PATH];
    if (H5Lget_name_by_idx(id, ".", H5_INDEX_NAME, H5_ITER_INC, i, name, sizeof name, H5P_DEFAULT) <
        0)
      continue;
    all.text[all.count++] = wal_page_print(page, "%s", name);
  }
  H5Gclose(id);
  return all;
}

wal_texts wal_page_attributes(wal_page *page, int run, const char *object) {
  enum { MOST = 256 };
  wal_texts all = {0, NULL};
  H5O_info_t info;
  if (page->status != WAL_OK || !wal_page_has(page, run, object)) return all;
  hid_t id = H5Oopen(page->run[run].file, object, H5P_DEFAULT);
  if (id < 0) return all;
  if (H5Oget_info2(id, &info, H5O_INFO_NUM_ATTRS) < 0 || info.num_attrs > MOST) info.num_attrs = 0;
  if (info.num_attrs > 0)
    all.text = wal_page_acquire(page, (int64_t)info.num_attrs, sizeof *all.text);
  for (hsize_t i = 0; all.text && i < info.num_attrs; i++) {
    char name[WAL_HDF5_PATH];
    if (H5Aget_name_by_idx(id, ".", H5_INDEX_NAME, H5_ITER_INC, i, name, sizeof name,
                           H5P_DEFAULT) >= 0)
      all.text[all.count++] = wal_page_print(page, "%s", name);
  }
  H5Oclose(id);
  return all;
}

void wal_page_table_of(wal_page *page, int run, const char *caption, const char *group,
                       const wal_texts *names, int columns, const char *const *column,
                       const char *const *heads) {
  const wal_array **array = wal_page_acquire(page, columns, sizeof *array);
  if (!array || names->count == 0) return;
  for (int c = 0; c < columns; c++)
    array[c] = wal_page_array(page, run, wal_page_print(page, "%s/%s", group, column[c]));
  wal_page_table(page, caption, columns + 1, heads);
  for (int64_t i = 0; i < names->count; i++) {
    wal_page_row(page);
    wal_page_cell(page, names->text[i]);
    for (int c = 0; c < columns; c++) wal_page_cell_number(page, wal_array_at(array[c], i));
    wal_page_row_end(page);
  }
  wal_page_table_end(page);
}
