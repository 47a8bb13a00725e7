// SPDX-License-Identifier: GPL-3.0-or-later
#include "io/run_record.h"

#include <string.h>

#include "io/run_file_private.h"
#include "sim/core/memory.h"

enum { TAG = 7301 };  // of messages that bring spread arrays to rank 0

/* ---- the buffer of rank 0 ---- */

/** Room for more bytes, which are zero. */
static wal_status make_room(wal_run_file *file, int64_t more) {
  const int64_t needed = file->record_used + more;
  char *grown = NULL;
  if (needed <= file->record_room) return WAL_OK;
  // Twice the room, but no more than 16 MiB that may stay empty.
  int64_t spare = needed < WAL_RUN_FILE_TOGETHER ? needed + 4096 : WAL_RUN_FILE_TOGETHER;
  WAL_TRY(wal_acquire(file->ctx, "a recorded run", needed + spare, 1, &grown));
  if (file->record_used) memcpy(grown, file->record, (size_t)file->record_used);
  wal_release(file->ctx, &file->record);
  file->record = grown;
  file->record_room = needed + spare;
  return WAL_OK;
}

static void put_bytes(wal_run_file *file, const void *bytes, int64_t count) {
  if (count > 0) memcpy(file->record + file->record_used, bytes, (size_t)count);
  file->record_used += wal_round_up(count, 8);
}

static void put_number(wal_run_file *file, int64_t number) {
  put_bytes(file, &number, sizeof number);
}

static int64_t text_size(const char *text) {
  return 8 + wal_round_up((int64_t)strlen(text) + 1, 8);
}

static void put_text(wal_run_file *file, const char *text) {
  int64_t length = (int64_t)strlen(text) + 1;
  put_number(file, length);
  put_bytes(file, text, length);
}

/** Begins a call whose items have `size` bytes. */
static wal_status begin(wal_run_file *file, wal_run_call call, int64_t size) {
  WAL_TRY(make_room(file, WAL_RUN_RECORD_HEAD + 8 + size));
  if (file->record_used == 0) {
    put_bytes(file, WAL_RUN_RECORD_MAGIC, 8);
    put_number(file, 0);
  }
  put_number(file, call);
  return WAL_OK;
}

/** A call with up to three texts and a number. */
static wal_status put_call(wal_run_file *file, wal_run_call call, const char *a, const char *b,
                           const char *c, const void *number) {
  const char *texts[3] = {a, b, c};
  wal_status status = WAL_OK;
  if (file->rank == 0) {
    int64_t size = 8;
    for (int i = 0; i < 3; i++) size += texts[i] ? text_size(texts[i]) : 0;
    status = begin(file, call, size);
    for (int i = 0; status == WAL_OK && i < 3; i++)
      if (texts[i]) put_text(file, texts[i]);
    if (status == WAL_OK && number) put_bytes(file, number, 8);
  }
  return wal_agree(file->ctx, status);
}

wal_status wal_run_record_group(wal_run_file *file, const char *path) {
  return put_call(file, WAL_RUN_CALL_GROUP, path, NULL, NULL, NULL);
}

wal_status wal_run_record_link(wal_run_file *file, const char *existing, const char *path) {
  return put_call(file, WAL_RUN_CALL_LINK, existing, path, NULL, NULL);
}

wal_status wal_run_record_attribute_text(wal_run_file *file, const char *object, const char *name,
                                         const char *value) {
  return put_call(file, WAL_RUN_CALL_TEXT, object, name, value, NULL);
}

wal_status wal_run_record_attribute_integer(wal_run_file *file, const char *object,
                                            const char *name, int64_t value) {
  return put_call(file, WAL_RUN_CALL_INTEGER, object, name, NULL, &value);
}

wal_status wal_run_record_attribute_real(wal_run_file *file, const char *object, const char *name,
                                         double value) {
  return put_call(file, WAL_RUN_CALL_REAL, object, name, NULL, &value);
}

/** Begins the call of a dataset with `bytes` of values, for which there is room afterwards. */
static wal_status begin_dataset(wal_run_file *file, wal_run_call call, const wal_dataset *what,
                                int64_t bytes) {
  int64_t size = text_size(what->path) + text_size(what->units) + text_size(what->long_name) +
                 8 * 8 + wal_round_up(bytes, 8);
  const char *scale[4];
  for (int d = 0; d < 4; d++) {
    scale[d] = d < what->rank && what->scale[d] ? what->scale[d] : "";
    size += text_size(scale[d]);
  }
  WAL_TRY(begin(file, call, size));
  put_text(file, what->path);
  put_text(file, what->units);
  put_text(file, what->long_name);
  put_number(file, what->rank);
  for (int d = 0; d < 4; d++) put_number(file, d < what->rank ? what->extent[d] : 0);
  for (int d = 0; d < 4; d++) put_text(file, scale[d]);
  put_number(file, what->is_scale);
  return WAL_OK;
}

wal_status wal_run_record_texts(wal_run_file *file, const wal_dataset *what,
                                const char *const *values) {
  wal_status status = WAL_OK;
  if (file->rank == 0) {
    const int64_t count = wal_run_file_items(what, 0);
    int64_t bytes = 0;
    for (int64_t i = 0; i < count; i++) bytes += (int64_t)strlen(values[i]) + 1;
    status = begin_dataset(file, WAL_RUN_CALL_TEXTS, what, bytes);
    if (status == WAL_OK) {
      put_number(file, bytes);
      char *out = file->record + file->record_used;
      for (int64_t i = 0; i < count; i++) {
        size_t length = strlen(values[i]) + 1;
        memcpy(out, values[i], length);
        out += length;
      }
      file->record_used += wal_round_up(bytes, 8);
    }
  }
  return wal_agree(file->ctx, status);
}

/* ---- arrays of numbers ---- */

/** What a rank has of an array: lines that lie `apart` numbers from each other, from `offset` on.
 */
typedef struct lines {
  int64_t count, length, offset, apart;
} lines;

static lines lines_of(const wal_dataset *what, int split, int64_t first, int64_t count) {
  const int64_t inner = wal_run_file_items(what, split + 1);
  if (split == 0) return (lines){count, inner, first * inner, inner};
  return (lines){what->extent[0], count * inner, first * inner, what->extent[1] * inner};
}

/** Lines that go together. */
static int64_t together(const lines *l) {
  int64_t some = l->length > 0 ? WAL_RUN_FILE_TOGETHER / 8 / l->length : l->count;
  return some < 1 ? 1 : some < l->count ? some : l->count;
}

/** Fills own lines from `line` on as they are stored. */
static void fill_lines(const wal_run_source *from, const lines *own, int64_t line, int64_t count,
                       char *out) {
  const int64_t first = from->split == 0 ? from->first : 0;
  for (int64_t i = 0; i < count && own->length > 0; i++)
    from->fill(from->user, first + line + i, (double *)(void *)(out + 8 * i * own->length));
  wal_run_file_convert(from->stored, out, count * own->length);
}

/** Sends bytes to rank 0, or receives them there, in pieces that MPI can count. */
static bool carry(wal_run_file *file, int other, char *bytes, int64_t count) {
  MPI_Comm comm = wal_ctx_comm(file->ctx);
  for (int64_t done = 0; done < count; done += WAL_RUN_FILE_TRANSFER) {
    int64_t left = count - done;
    int now = (int)(left < WAL_RUN_FILE_TRANSFER ? left : WAL_RUN_FILE_TRANSFER);
    int error = file->rank == 0
                    ? MPI_Recv(bytes + done, now, MPI_BYTE, other, TAG, comm, MPI_STATUS_IGNORE)
                    : MPI_Send(bytes + done, now, MPI_BYTE, 0, TAG, comm);
    if (error != MPI_SUCCESS) return false;
  }
  return true;
}

/** The lines of one rank, on that rank and on rank 0, where they go to `out`. */
static bool bring_lines(wal_run_file *file, const wal_run_source *from, int rank, const lines *l,
                        char *buffer, char *out) {
  const int64_t step = together(l);
  bool good = true;
  for (int64_t line = 0; good && line < l->count; line += step) {
    int64_t now = l->count - line < step ? l->count - line : step;
    if (file->rank == rank) fill_lines(from, l, line, now, buffer);
    if (rank != 0) good = carry(file, rank, buffer, now * l->length * from->item);
    for (int64_t i = 0; file->rank == 0 && good && i < now; i++)
      memcpy(out + from->item * (l->offset + (line + i) * l->apart),
             buffer + from->item * i * l->length, (size_t)(from->item * l->length));
  }
  return good;
}

/** Room for the lines that are carried at once. */
static int64_t room_for(const lines *l) { return together(l) * l->length; }

static wal_status gather(wal_run_file *file, const wal_dataset *what, const wal_run_source *from,
                         char *out) {
  wal_ctx *ctx = file->ctx;
  const int64_t own_range[2] = {from->first, from->count};
  const lines own = lines_of(what, from->split, from->first, from->count);
  int64_t *ranges = NULL, room = room_for(&own);
  char *buffer = NULL;
  wal_status status = wal_agree(
      ctx,
      wal_acquire(ctx, "ranges of the ranks", 2 * (int64_t)file->ranks, sizeof *ranges, &ranges));
  if (status == WAL_OK && MPI_Gather(own_range, 2, MPI_INT64_T, ranges, 2, MPI_INT64_T, 0,
                                     wal_ctx_comm(ctx)) != MPI_SUCCESS)
    status = wal_fail(ctx, WAL_EINTERNAL, "MPI_Gather failed");
  for (int r = 0; status == WAL_OK && file->rank == 0 && r < file->ranks; r++) {
    lines l = lines_of(what, from->split, ranges[2 * r], ranges[2 * r + 1]);
    if (room_for(&l) > room) room = room_for(&l);
  }
  if (status == WAL_OK) status = wal_acquire(ctx, what->path, room, 8, &buffer);
  status = wal_agree(ctx, status);
  bool good = true;
  if (status == WAL_OK && file->rank != 0)
    good = bring_lines(file, from, file->rank, &own, buffer, out);
  for (int r = 0; status == WAL_OK && good && file->rank == 0 && r < file->ranks; r++) {
    lines l = lines_of(what, from->split, ranges[2 * r], ranges[2 * r + 1]);
    good = bring_lines(file, from, r, &l, buffer, out);
  }
  if (!good) status = wal_fail(ctx, WAL_EINTERNAL, "%s: cannot be brought together", what->path);
  wal_release(ctx, &ranges);
  wal_release(ctx, &buffer);
  return wal_agree(ctx, status);
}

wal_status wal_run_record_numbers(wal_run_file *file, const wal_dataset *what,
                                  const wal_run_source *from) {
  const int64_t items = wal_run_file_items(what, 0), bytes = items * from->item;
  wal_status status = WAL_OK;
  char *out = NULL;
  // Doubles that are still to be converted need their room first.
  if (file->rank == 0) {
    status = begin_dataset(file, WAL_RUN_CALL_NUMBERS, what, 8 * items);
    if (status == WAL_OK) {
      put_number(file, from->stored);
      put_number(file, bytes);
      out = file->record + file->record_used;
    }
  }
  WAL_TRY_ALL(file->ctx, status);
  if (from->fill) {
    WAL_TRY(gather(file, what, from, out));
  } else if (file->rank == 0 && items > 0) {
    memcpy(out, from->values, (size_t)((from->ready ? from->item : 8) * items));
    if (!from->ready) wal_run_file_convert(from->stored, out, items);
    // What padding is left over is zero.
    memset(out + bytes, 0, (size_t)(8 * items - bytes));
  }
  if (file->rank == 0) file->record_used += wal_round_up(bytes, 8);
  return WAL_OK;
}

wal_status wal_run_file_recorded(wal_run_file *file, const void **bytes, int64_t *length) {
  *bytes = NULL;
  *length = 0;
  if (file->kind != WAL_RUN_RECORDED)
    return wal_fail(file->ctx, WAL_EINTERNAL, "%s: is not a record", file->path);
  if (file->rank != 0) return WAL_OK;
  if (file->record_used == 0) {
    WAL_TRY(make_room(file, WAL_RUN_RECORD_HEAD));
    put_bytes(file, WAL_RUN_RECORD_MAGIC, 8);
    put_number(file, 0);
  }
  memcpy(file->record + 8, &file->record_used, 8);
  *bytes = file->record;
  *length = file->record_used;
  return WAL_OK;
}
