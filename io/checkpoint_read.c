// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/checkpoint.h"
#include "io/hdf5_helpers.h"
#include "io/run_file.h"
#include "sim/core/memory.h"

enum { FIELD_PATH = 96, TEXTS = 5 };

/* A checkpoint open on this rank. */
typedef struct reader {
  wal_ctx *ctx;
  const char *path;
  hid_t file;
} reader;

static wal_status damaged(const reader *r, const char *what) {
  char why[400];
  wal_hdf5_reason(why, sizeof why);
  return wal_fail(r->ctx, WAL_EIO, "%s: %s cannot be read: %s", r->path, what, why);
}

static wal_status differs(const reader *r, const char *what) {
  return wal_fail(r->ctx, WAL_EIO, "%s: %s has another shape than this version of walras gives it",
                  r->path, what);
}

// ---- Head -------------------------------------------------------------------------------------

static wal_status read_integer(const reader *r, const char *object, const char *name,
                               int64_t *out) {
  hid_t attribute = H5Aopen_by_name(r->file, object, name, H5P_DEFAULT, H5P_DEFAULT);
  const bool good = attribute >= 0 && H5Aread(attribute, H5T_NATIVE_INT64, out) >= 0;
  if (attribute >= 0) H5Aclose(attribute);
  return good ? WAL_OK : damaged(r, name);
}

static wal_status check_version(const reader *r) {
  int64_t version = 0;
  WAL_TRY(read_integer(r, "/", "format_version", &version));
  if (version == WAL_RUN_FILE_VERSION) return WAL_OK;
  return wal_fail(r->ctx, WAL_EIO,
                  "%s: expected format_version %d, got %lld, which another version of walras has "
                  "written",
                  r->path, WAL_RUN_FILE_VERSION, (long long)version);
}

/* A text, of malloc(); NULL if it cannot be read. */
static char *read_text(hid_t object, bool is_attribute) {
  char *text = NULL, *copy = NULL;
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, H5T_VARIABLE);
  H5Tset_cset(type, H5T_CSET_UTF8);
  wal_hdf5_shape shape;
  const bool fits =
      wal_hdf5_shape_of(object, &shape) && shape.kind == WAL_HDF5_TEXT && shape.items == 1;
  const bool good =
      fits && (is_attribute ? H5Aread(object, type, &text)
                            : H5Dread(object, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, &text)) >= 0;
  if (good) {
    const size_t size = text ? strlen(text) + 1 : 1;
    copy = malloc(size);
    if (copy) memcpy(copy, text ? text : "", size);
    H5free_memory(text);
  }
  H5Tclose(type);
  return copy;
}

static char *read_attribute_text(const reader *r, const char *object, const char *name) {
  hid_t attribute = H5Aopen_by_name(r->file, object, name, H5P_DEFAULT, H5P_DEFAULT);
  char *text = attribute >= 0 ? read_text(attribute, true) : NULL;
  if (attribute >= 0) H5Aclose(attribute);
  return text;
}

static char *read_dataset_text(const reader *r, const char *path) {
  hid_t dataset = H5Dopen2(r->file, path, H5P_DEFAULT);
  char *text = dataset >= 0 ? read_text(dataset, false) : NULL;
  if (dataset >= 0) H5Dclose(dataset);
  return text;
}

/* Joins the texts in one block of memory. */
static wal_status keep_texts(const reader *r, char *const texts[TEXTS], wal_checkpoint_head *head,
                             char **memory) {
  static const char *const WHAT[TEXTS] = {"task", "/scenario/source", "/scenario/resolved",
                                          "the scenario's file name", "the run's file name"};
  const char **const places[TEXTS] = {&head->task, &head->source, &head->resolved,
                                      &head->scenario_file, &head->run};
  int64_t size = 0;
  for (int i = 0; i < TEXTS; i++) {
    if (!texts[i]) return damaged(r, WHAT[i]);
    size += (int64_t)strlen(texts[i]) + 1;
  }
  WAL_TRY(wal_acquire(r->ctx, "a checkpoint's texts", size, 1, memory));
  char *next = *memory;
  for (int i = 0; i < TEXTS; i++) {
    const size_t bytes = strlen(texts[i]) + 1;
    memcpy(next, texts[i], bytes);
    *places[i] = next;
    next += bytes;
  }
  return WAL_OK;
}

wal_status wal_checkpoint_head_read(wal_ctx *ctx, const char *path, wal_checkpoint_head *head,
                                    char **memory) {
  reader r = {.ctx = ctx, .path = path, .file = -1};
  char *texts[TEXTS] = {NULL};
  *head = (wal_checkpoint_head){0};
  *memory = NULL;
  wal_status status = WAL_OK;
  WAL_TRY_GOTO(wal_hdf5_open(ctx, path, &r.file));
  WAL_TRY_GOTO(check_version(&r));
  WAL_TRY_GOTO(read_integer(&r, "/", "seed", &head->seed));
  WAL_TRY_GOTO(read_integer(&r, "/checkpoint", "at", &head->iteration));
  texts[0] = read_attribute_text(&r, "/", "task");
  texts[1] = read_dataset_text(&r, "/scenario/source");
  texts[2] = read_dataset_text(&r, "/scenario/resolved");
  texts[3] = read_attribute_text(&r, "/scenario", "file");
  texts[4] = read_attribute_text(&r, "/checkpoint", "run");
  status = keep_texts(&r, texts, head, memory);
cleanup:
  for (int i = 0; i < TEXTS; i++) free(texts[i]);
  if (r.file >= 0) H5Fclose(r.file);
  return status;
}

// ---- State ------------------------------------------------------------------------------------

/* Reads columns first .. first+count-1 of all rows of a dataset into `out`, rows `stride` apart. */
static wal_status read_columns(const reader *r, const char *path, hid_t dataset,
                               const wal_field *f) {
  wal_status status = WAL_OK;
  const hid_t from = H5Dget_space(dataset);
  const hsize_t here = (hsize_t)(f->count > 0 ? f->count : 1);
  const hid_t to = H5Screate_simple(1, &here, NULL);
  for (int64_t row = 0; row < f->rows && f->count > 0 && status == WAL_OK; row++) {
    const hsize_t start[2] = {(hsize_t)row, (hsize_t)f->first}, size[2] = {1, (hsize_t)f->count};
    if (H5Sselect_hyperslab(from, H5S_SELECT_SET, start, NULL, size, NULL) < 0 ||
        H5Dread(dataset, H5T_NATIVE_DOUBLE, to, from, H5P_DEFAULT, f->values + row * f->stride) < 0)
      status = damaged(r, path);
  }
  H5Sclose(from);
  H5Sclose(to);
  return status;
}

static wal_status read_items(const reader *r, const char *path, hid_t dataset, wal_field *f,
                             int64_t count) {
  void **array = f->array;
  wal_release(r->ctx, array);
  *f->integer = *f->room = 0;
  WAL_TRY(wal_acquire(r->ctx, f->name, count, f->item, array));
  if (count > 0 && H5Dread(dataset, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, *array) < 0)
    return damaged(r, path);
  *f->integer = *f->room = count;
  return WAL_OK;
}

static wal_status read_field(const reader *r, wal_field *f) {
  if (f->kind == WAL_FIELD_INTEGER) return read_integer(r, "/checkpoint", f->name, f->integer);
  char path[FIELD_PATH];
  wal_hdf5_shape shape;
  snprintf(path, sizeof path, "/checkpoint/%s", f->name);
  const hid_t dataset = H5Dopen2(r->file, path, H5P_DEFAULT);
  if (dataset < 0) return damaged(r, path);
  const bool spread = f->kind == WAL_FIELD_SPREAD;
  const hsize_t width = spread ? (hsize_t)f->whole : (hsize_t)(f->item / sizeof(int64_t));
  wal_status status = WAL_OK;
  if (!wal_hdf5_shape_of(dataset, &shape) || shape.rank != 2 || shape.extent[1] != width ||
      shape.kind != (spread ? WAL_HDF5_REAL : WAL_HDF5_INTEGER) ||
      (spread && shape.extent[0] != (hsize_t)f->rows))
    status = differs(r, path);
  else if (spread)
    status = read_columns(r, path, dataset, f);
  else
    status = read_items(r, path, dataset, f, (int64_t)shape.extent[0]);
  H5Dclose(dataset);
  return status;
}

/* Reads a field; lists that share their count must have the same. */
static wal_status read_one(const reader *r, wal_state *state, int at) {
  wal_field *field = &state->field[at];
  const bool list = field->kind == WAL_FIELD_ITEMS;
  const int64_t count = list ? *field->integer : 0;
  WAL_TRY(read_field(r, field));
  for (int i = 0; list && i < at; i++) {
    const wal_field *before = &state->field[i];
    if (before->kind == WAL_FIELD_ITEMS && before->integer == field->integer &&
        count != *field->integer)
      return differs(r, field->name);
  }
  return WAL_OK;
}

wal_status wal_checkpoint_read(const char *path, wal_state *state) {
  reader r = {.ctx = state->ctx, .path = path, .file = -1};
  wal_status status = wal_hdf5_open(state->ctx, path, &r.file);
  if (status == WAL_OK) status = check_version(&r);
  for (int i = 0; status == WAL_OK && i < state->count; i++) status = read_one(&r, state, i);
  if (r.file >= 0) H5Fclose(r.file);
  return wal_agree(state->ctx, status);
}
