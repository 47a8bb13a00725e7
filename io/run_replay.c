// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdio.h>
#include <string.h>

#include "io/run_file_private.h"
#include "io/run_record.h"
#include "sim/core/memory.h"

/** The rest of a record, and where its calls go. */
typedef struct reading {
  wal_run_file *into;
  const char *prefix; /**< of paths: the group's, "" for the root */
  const char *from;   /**< calls on what lies elsewhere are passed over; "" for the root */
  bool (*takes)(const char *path);
  const char *at;
  int64_t left;
  bool passes; /**< the call is passed over */
} reading;

static wal_status damaged(const reading *r) {
  return wal_fail(r->into->ctx, WAL_EINTERNAL, "%s: %s: a recorded run is damaged", r->into->path,
                  r->prefix);
}

/** The next `count` bytes and what pads them; NULL if there are not as many. */
static const char *take(reading *r, int64_t count) {
  const char *bytes = r->at;
  if (count < 0 || count > r->left || wal_round_up(count, 8) > r->left) return NULL;
  r->at += wal_round_up(count, 8);
  r->left -= wal_round_up(count, 8);
  return bytes;
}

static bool take_number(reading *r, int64_t *out) {
  const char *bytes = take(r, 8);
  if (bytes) memcpy(out, bytes, sizeof *out);
  return bytes != NULL;
}

/** Texts lie in the record with their ends. */
static bool take_text(reading *r, const char **out) {
  int64_t length = 0;
  *out = take_number(r, &length) && length > 0 ? take(r, length) : NULL;
  return *out && memchr(*out, '\0', (size_t)length) == *out + length - 1;
}

/** Whether a path in the record lies at or below `from`. */
static bool is_inside(const reading *r, const char *path) {
  const size_t n = strlen(r->from);
  return strncmp(path, r->from, n) == 0 && (n == 0 || path[n] == '\0' || path[n] == '/');
}

/** The path in the file of one in the record that lies inside; "/" is the group itself. False if it
 *  is too long. */
static bool place(const reading *r, const char *path, char out[WAL_HDF5_PATH]) {
  const char *below = path + strlen(r->from);
  const bool itself = strcmp(path, "/") == 0 && r->prefix[0];
  int length = snprintf(out, WAL_HDF5_PATH, "%s%s", r->prefix, itself ? "" : below);
  return length < WAL_HDF5_PATH;
}

/** The path of an object; if it is not taken, the call is passed over. */
static bool take_path(reading *r, char out[WAL_HDF5_PATH]) {
  const char *path = NULL;
  out[0] = '\0';
  if (!take_text(r, &path) || path[0] != '/') return false;
  if (!is_inside(r, path) || (r->takes && !r->takes(path))) r->passes = true;
  return r->passes || place(r, path, out);
}

/** The path of a scale: empty if there is none, or if it is elsewhere. */
static bool take_scale(reading *r, char out[WAL_HDF5_PATH]) {
  const char *path = NULL;
  out[0] = '\0';
  if (!take_text(r, &path)) return false;
  if (!path[0] || (path[0] == '/' && !is_inside(r, path))) return true;
  return path[0] == '/' && place(r, path, out);
}

static wal_status replay_group(reading *r) {
  char path[WAL_HDF5_PATH];
  if (!take_path(r, path)) return damaged(r);
  return r->passes ? WAL_OK : wal_run_file_group(r->into, path);
}

static wal_status replay_link(reading *r) {
  char existing[WAL_HDF5_PATH], path[WAL_HDF5_PATH];
  if (!take_path(r, existing) || !take_path(r, path)) return damaged(r);
  return r->passes ? WAL_OK : wal_run_file_link(r->into, existing, path);
}

static wal_status replay_attribute(reading *r, int64_t call) {
  char object[WAL_HDF5_PATH];
  const char *name = NULL, *text = NULL;
  int64_t number = 0;
  double real = 0;
  if (!take_path(r, object) || !take_text(r, &name)) return damaged(r);
  if (call == WAL_RUN_CALL_TEXT ? !take_text(r, &text) : !take_number(r, &number))
    return damaged(r);
  memcpy(&real, &number, sizeof real);
  if (r->passes) return WAL_OK;
  return call == WAL_RUN_CALL_TEXT ? wal_run_file_attribute_text(r->into, object, name, text)
         : call == WAL_RUN_CALL_INTEGER
             ? wal_run_file_attribute_integer(r->into, object, name, number)
             : wal_run_file_attribute_real(r->into, object, name, real);
}

/** A dataset with the paths that it has in the file. */
typedef struct placed {
  wal_dataset what;
  int64_t items;
  char path[WAL_HDF5_PATH], scale[4][WAL_HDF5_PATH];
} placed;

static bool take_dataset(reading *r, placed *out) {
  int64_t rank = 0, is_scale = 0;
  memset(&out->what, 0, sizeof out->what);
  if (!take_path(r, out->path) || !take_text(r, &out->what.units) ||
      !take_text(r, &out->what.long_name) || !take_number(r, &rank) || rank < 0 || rank > 4)
    return false;
  out->items = 1;
  for (int d = 0; d < 4; d++) {
    int64_t *extent = &out->what.extent[d];
    if (!take_number(r, extent) || *extent < 0) return false;
    if (d < rank && !wal_multiply(out->items, *extent, &out->items)) return false;
  }
  for (int d = 0; d < 4; d++) {
    if (!take_scale(r, out->scale[d])) return false;
    if (d < rank && out->scale[d][0]) out->what.scale[d] = out->scale[d];
  }
  if (!take_number(r, &is_scale)) return false;
  out->what.path = out->path;
  out->what.rank = (int)rank;
  out->what.is_scale = is_scale != 0;
  return true;
}

static wal_status replay_numbers(reading *r) {
  placed d;
  int64_t stored = 0, bytes = 0, expected = 0;
  const char *values = NULL;
  if (!take_dataset(r, &d) || !take_number(r, &stored) || stored < WAL_STORED_DOUBLE ||
      stored > WAL_STORED_WHOLE || !take_number(r, &bytes) ||
      !wal_multiply(d.items, stored == WAL_STORED_SINGLE ? 4 : 8, &expected) || bytes != expected)
    return damaged(r);
  values = take(r, bytes);
  if (values && r->passes) return WAL_OK;
  return values ? wal_run_file_numbers(r->into, &d.what, (wal_stored)stored, values) : damaged(r);
}

static wal_status replay_texts(reading *r) {
  placed d;
  int64_t bytes = 0;
  const char *text = NULL, **texts = NULL;
  if (!take_dataset(r, &d) || !take_number(r, &bytes) || d.items > bytes) return damaged(r);
  text = take(r, bytes);
  if (!text) return damaged(r);
  if (r->passes) return WAL_OK;
  const char *end = text + bytes;
  WAL_TRY(wal_acquire(r->into->ctx, d.path, d.items, sizeof *texts, &texts));
  int64_t i = 0;
  for (; i < d.items && text < end && memchr(text, '\0', (size_t)(end - text)); i++) {
    texts[i] = text;
    text += strlen(text) + 1;
  }
  wal_status status =
      i == d.items && text == end ? wal_run_file_texts(r->into, &d.what, texts) : damaged(r);
  wal_release(r->into->ctx, &texts);
  return status;
}

static wal_status replay_call(reading *r) {
  int64_t call = 0;
  r->passes = false;
  if (!take_number(r, &call)) return damaged(r);
  switch (call) {
    case WAL_RUN_CALL_GROUP:
      return replay_group(r);
    case WAL_RUN_CALL_LINK:
      return replay_link(r);
    case WAL_RUN_CALL_TEXT:
    case WAL_RUN_CALL_INTEGER:
    case WAL_RUN_CALL_REAL:
      return replay_attribute(r, call);
    case WAL_RUN_CALL_NUMBERS:
      return replay_numbers(r);
    case WAL_RUN_CALL_TEXTS:
      return replay_texts(r);
    default:
      return damaged(r);
  }
}

/** @param make  whether the group is made first */
static wal_status replay(reading r, bool make, int64_t length) {
  wal_run_file *into = r.into;
  const char *magic = length >= 0 ? take(&r, 8) : NULL;
  int64_t whole = 0;
  if (into->ranks != 1)
    return wal_fail(into->ctx, WAL_EINTERNAL,
                    "%s: expected a run file of one rank to replay into, it has %d", into->path,
                    into->ranks);
  if (!magic || memcmp(magic, WAL_RUN_RECORD_MAGIC, 8) != 0 || !take_number(&r, &whole) ||
      whole != length)
    return damaged(&r);
  if (make) WAL_TRY(wal_run_file_group(into, r.prefix));
  while (r.left > 0) WAL_TRY(replay_call(&r));
  return WAL_OK;
}

/** The root has no name in front of the others. */
static const char *prefix_of(const char *group) { return strcmp(group, "/") == 0 ? "" : group; }

wal_status wal_run_file_replay(wal_run_file *into, const char *group, const void *bytes,
                               int64_t length) {
  const reading r = {
      .into = into, .prefix = prefix_of(group), .from = "", .at = bytes, .left = length};
  return replay(r, r.prefix[0] != '\0', length);
}

wal_status wal_run_file_replay_part(wal_run_file *into, const char *from, const char *group,
                                    bool (*takes)(const char *path), const void *bytes,
                                    int64_t length) {
  const reading r = {.into = into,
                     .prefix = prefix_of(group),
                     .from = prefix_of(from),
                     .takes = takes,
                     .at = bytes,
                     .left = length};
  return replay(r, false, length);
}
