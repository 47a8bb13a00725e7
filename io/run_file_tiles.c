// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "io/fletcher.h"
#include "io/hdf5_driver.h"
#include "io/run_file_private.h"
#include "sim/core/memory.h"

/*
 * The numbers of large arrays do not pass through HDF5: with a checksum it would write each chunk
 * twice, copy it three times, and between ranks carry all of it about. Rank 0's HDF5 gives the
 * chunks their places; every chunk has a rank that puts it together, adds the checksum and writes
 * it; the ranks that have parts of it send them. A small array is one chunk, which rank 0 gives to
 * HDF5.
 *
 * MPI_File_write_at() and nothing collective: in Open MPI 4.1.4 MPI_File_write_at_all() of three or
 * more ranks (component fcoll/vulcan) reports success when the disk is full.
 */

enum {
  SMALL = 64 << 10,         // up to here: contiguous, without checksum
  CHUNK_LEAST = 256 << 10,  // bytes of a chunk
  CHUNK_USUAL = 1 << 20,
  CHUNK_MOST = 4 << 20,
  CHECKSUM = 4,
  TAG = 7302,  // of messages with parts of chunks
};

// ---- Shapes -----------------------------------------------------------------------------------

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

/* One index of dimension 0 deep unless that is less than CHUNK_LEAST. */
wal_run_tiles wal_run_file_tiles(const wal_dataset *what, int64_t item) {
  wal_run_tiles tiles = {.rank = what->rank, .shape = {1, 1, 1, 1}, .in_line = 1, .count = 1};
  const int64_t all = wal_run_file_items(what, 0);
  tiles.large = all * item > SMALL;
  tiles.items = tiles.line = all;
  if (!tiles.large) {
    for (int d = 0; d < what->rank; d++) tiles.shape[d] = (hsize_t)what->extent[d];
    return tiles;
  }
  tiles.axis = what->rank - 1;
  int64_t inner = 1;
  for (; tiles.axis > 0 && inner * item * what->extent[tiles.axis] < CHUNK_LEAST; tiles.axis--)
    inner *= what->extent[tiles.axis];
  const int64_t extent = what->extent[tiles.axis], length = chunk_length(extent, inner * item);
  for (int d = tiles.axis + 1; d < what->rank; d++) tiles.shape[d] = (hsize_t)what->extent[d];
  tiles.shape[tiles.axis] = (hsize_t)length;
  tiles.items = length * inner;
  tiles.line = extent * inner;
  tiles.in_line = (extent - 1) / length + 1;
  tiles.count = all / tiles.line * tiles.in_line;
  return tiles;
}

double wal_run_file_buffer(const wal_dataset *what, int split, int64_t count, int ranks) {
  const int64_t item = what->stored == WAL_STORED_SINGLE ? 4 : 8;
  const wal_run_tiles tiles = wal_run_file_tiles(what, item);
  const double chunk = (double)(item * tiles.items + CHECKSUM);
  const double length = (double)wal_run_file_items(what, split == 0 ? 1 : 2);
  double rows = split == 0 ? (double)count : (double)what->extent[0];
  if (tiles.large && rows > (double)tiles.shape[0]) rows = (double)tiles.shape[0];
  // Indices of dimension 0 as they are filled in, as doubles; a chunk; parts for and from others.
  const double filled = 8 * rows * length * (split == 0 ? 1 : (double)count);
  const int parts = ranks == 1 ? 0 : split == 1 && tiles.axis == 0 ? 2 : 1;
  return filled + chunk * (1 + parts);
}

/** The numbers start..end-1 of the dataset that a chunk has. */
static void span_of(const wal_run_tiles *tiles, int64_t chunk, int64_t *start, int64_t *end) {
  const int64_t line = chunk / tiles->in_line * tiles->line;
  *start = line + chunk % tiles->in_line * tiles->items;
  *end = *start + tiles->items;
  if (*end > line + tiles->line) *end = line + tiles->line;
}

/** The chunk that a number lies in. */
static int64_t chunk_at(const wal_run_tiles *tiles, int64_t number) {
  return number / tiles->line * tiles->in_line + number % tiles->line / tiles->items;
}

// ---- Who has what -----------------------------------------------------------------------------

/** The numbers of a dataset while they are written. */
typedef struct writing {
  wal_run_file *file;
  const wal_run_source *from;
  const wal_run_tiles *tiles;
  int64_t row;      /**< numbers of an index of dimension 0 */
  int64_t inner;    /**< of an index of the dimension that is spread */
  bool whole;       /**< chunks have whole indices of dimension 0 */
  int64_t outer[4]; /**< the dataset's extents */
  hid_t dataset;    /**< of rank 0 */
  wal_run_gaps places;
  int64_t run, before; /**< the place where chunk `before` begins */
  char *rows;          /**< own indices of dimension 0, as stored */
  char *chunk;         /**< is put together here */
  char *out, *in;      /**< parts for and from other ranks */
  MPI_Request sending;
} writing;

/** What a rank has of a chunk: lines of consecutive numbers. */
typedef struct part {
  int64_t lines, length;
  int64_t offset, apart; /**< in the chunk: of the first, from one to the next */
  int64_t row, column;   /**< where the first begins: index of dimension 0, number of the rank's own
                              ones of it */
} part;

static part part_of(const writing *w, int rank, int64_t start, int64_t end) {
  const wal_run_source *from = w->from;
  const int64_t all =
      from->split == 0 ? w->tiles->count / w->tiles->in_line * w->tiles->line : w->row;
  int64_t first = 0, last = rank == 0 ? all : 0;
  if (from->ranges) {
    first = from->ranges[2 * rank] * w->inner;
    last = first + from->ranges[2 * rank + 1] * w->inner;
  }
  if (last <= first) return (part){0};
  if (from->split == 1 && w->whole)
    return (part){.lines = (end - start) / w->row,
                  .length = last - first,
                  .offset = first,
                  .apart = w->row,
                  .row = start / w->row};
  const int64_t base = from->split == 1 ? start / w->row * w->row : 0;
  const int64_t low = base + first > start ? base + first : start;
  const int64_t high = base + last < end ? base + last : end;
  if (high <= low) return (part){0};
  return (part){.lines = 1,
                .length = high - low,
                .offset = low - start,
                .row = low / w->row,
                .column = from->split == 1 ? low - base - first : low % w->row};
}

/** The rank that writes a chunk: that which has its first number, unless all have parts of it. */
static int owner_of(const writing *w, int64_t chunk) {
  const int ranks = w->file->ranks;
  if (!w->tiles->large || !w->from->ranges) return 0;
  if (w->from->split == 1 && w->whole) return (int)(chunk % ranks);
  int64_t start = 0, end = 0;
  span_of(w->tiles, chunk, &start, &end);
  const int64_t index = (w->from->split == 1 ? start % w->row : start) / w->inner;
  int rank = 0;
  while (rank < ranks - 1 && index >= w->from->ranges[2 * rank] + w->from->ranges[2 * rank + 1])
    rank++;
  return rank;
}

// ---- Putting chunks together ------------------------------------------------------------------

_Noreturn static void give_up(const writing *w, const char *call, int error) {
  char why[MPI_MAX_ERROR_STRING + 64], text[MPI_MAX_ERROR_STRING] = "";
  const int cause = errno;
  int length = 0;
  if (error == MPI_SUCCESS)
    snprintf(text, sizeof text, "nothing was written");
  else
    MPI_Error_string(error, text, &length);
  snprintf(why, sizeof why, "%s failed: %s", call, cause ? strerror(cause) : text);
  wal_run_file_abort_since(w->file, why);
}

static void must_send(const writing *w, const char *call, int error) {
  if (error == MPI_SUCCESS) return;
  errno = 0;
  give_up(w, call, error);
}

/** Copies the lines of an own part; `rows` begin with index `at` of dimension 0. */
static void copy_part(const writing *w, const part *p, const char *rows, int64_t at, int64_t stride,
                      char *out, int64_t apart) {
  const int64_t item = w->from->item;
  for (int64_t l = 0; l < p->lines; l++)
    memcpy(out + item * l * apart, rows + item * ((p->row - at + l) * stride + p->column),
           (size_t)(item * p->length));
}

static void send_part(writing *w, const part *p, int owner, const char *rows, int64_t at,
                      int64_t stride) {
  must_send(w, "MPI_Wait", MPI_Wait(&w->sending, MPI_STATUS_IGNORE));
  copy_part(w, p, rows, at, stride, w->out, p->length);
  must_send(w, "MPI_Isend",
            MPI_Isend(w->out, (int)(w->from->item * p->lines * p->length), MPI_BYTE, owner, TAG,
                      wal_ctx_comm(w->file->ctx), &w->sending));
}

static void receive_part(const writing *w, const part *p, int rank) {
  const int64_t item = w->from->item;
  char *to = w->chunk + item * p->offset;
  must_send(w, "MPI_Recv",
            MPI_Recv(p->lines > 1 ? w->in : to, (int)(item * p->lines * p->length), MPI_BYTE, rank,
                     TAG, wal_ctx_comm(w->file->ctx), MPI_STATUS_IGNORE));
  for (int64_t l = 0; p->lines > 1 && l < p->lines; l++)
    memcpy(to + item * l * p->apart, w->in + item * l * p->length, (size_t)(item * p->length));
}

static void write_at(const writing *w, uint64_t place, const char *bytes, int64_t count) {
  while (count > 0) {
    MPI_Status status;
    int written = 0;
    errno = 0;
    const int error =
        MPI_File_write_at(w->file->data, (MPI_Offset)place, bytes, (int)count, MPI_BYTE, &status);
    if (error == MPI_SUCCESS) MPI_Get_count(&status, MPI_BYTE, &written);
    // On a full disk less may be written than asked for, and nothing at the next time.
    if (written <= 0 || written > count) give_up(w, "MPI_File_write_at", error);
    place += (uint64_t)written;
    bytes += written;
    count -= written;
  }
}

/** Where a chunk lies; to be asked for in rising order. */
static uint64_t place_of(writing *w, int64_t chunk) {
  const uint64_t size = (uint64_t)(w->from->item * w->tiles->items + CHECKSUM);
  for (; w->run < w->places.count; w->run++) {
    const wal_run_gap *gap = &w->places.list[w->run];
    const int64_t here = (int64_t)((gap->end - gap->start) / size);
    if (chunk < w->before + here) return gap->start + (uint64_t)(chunk - w->before) * size;
    w->before += here;
  }
  wal_run_file_abort_since(w->file, "a chunk has no place");
}

/** Writes a chunk with its checksum; in `w->chunk` there is room for that behind it. */
static void write_chunk(writing *w, int64_t chunk, const char *data) {
  const int64_t bytes = w->from->item * w->tiles->items;
  const uint64_t place = place_of(w, chunk);
  const uint32_t sum = wal_fletcher32(data, (size_t)bytes);
  unsigned char check[CHECKSUM];
  for (int i = 0; i < CHECKSUM; i++) check[i] = (unsigned char)(sum >> (8 * i));
  if (data == w->chunk) {
    memcpy(w->chunk + bytes, check, CHECKSUM);
    write_at(w, place, data, bytes + CHECKSUM);
  } else {
    write_at(w, place, data, bytes);
    write_at(w, place + (uint64_t)bytes, (const char *)check, CHECKSUM);
  }
}

static hid_t memory_type(wal_stored stored) {
  return stored == WAL_STORED_DOUBLE   ? H5T_NATIVE_DOUBLE
         : stored == WAL_STORED_SINGLE ? H5T_NATIVE_FLOAT
                                       : H5T_NATIVE_INT64;
}

/** An own chunk. */
static void put_chunk(writing *w, int64_t chunk, const part *own, const char *rows, int64_t at,
                      int64_t stride) {
  const int64_t item = w->from->item;
  int64_t start = 0, end = 0;
  span_of(w->tiles, chunk, &start, &end);
  const bool one_piece = own->lines == 1 || (stride == own->length && own->apart == own->length);
  if (w->tiles->large && one_piece && own->lines * own->length == w->tiles->items) {
    write_chunk(w, chunk, rows + item * ((own->row - at) * stride + own->column));
    return;
  }
  copy_part(w, own, rows, at, stride, w->chunk + item * own->offset, own->apart);
  for (int r = 0; w->from->ranges && r < w->file->ranks; r++) {
    const part p = part_of(w, r, start, end);
    if (r != w->file->rank && p.lines > 0) receive_part(w, &p, r);
  }
  memset(w->chunk + item * (end - start), 0, (size_t)(item * (w->tiles->items - (end - start))));
  if (w->tiles->large)
    write_chunk(w, chunk, w->chunk);
  else
    wal_run_file_must(w->file, H5Dwrite(w->dataset, memory_type(w->from->stored), H5S_ALL, H5S_ALL,
                                        H5P_DEFAULT, w->chunk));
}

// ---- The way through a dataset ----------------------------------------------------------------

/** Whether chunks can be written from where the numbers are. */
static bool in_place(const writing *w) {
  const wal_run_source *from = w->from;
  return from->values && from->ready && (from->split == 1 || from->stride == w->row);
}

/** Own numbers of an index of dimension 0. */
static int64_t own_length(const writing *w) {
  return w->from->split == 0 ? w->row : w->from->count * w->inner;
}

/** The own part of the indices at..end-1 of dimension 0, as stored. */
static const char *own_rows(writing *w, int64_t at, int64_t end, int64_t *stride) {
  const wal_run_source *from = w->from;
  const int64_t skipped = at - (from->split == 0 ? from->first : 0), length = own_length(w);
  const int64_t size = from->ready ? from->item : 8;
  const char *values = from->values ? from->values + size * skipped * from->stride : NULL;
  *stride = from->stride;
  if (in_place(w)) return values;
  *stride = length;
  for (int64_t i = at; length > 0 && i < end; i++) {
    char *out = w->rows + size * (i - at) * length;
    if (from->values)
      memcpy(out, values + size * (i - at) * from->stride, (size_t)(size * length));
    else
      from->fill(from->user, i, (double *)(void *)out);
  }
  if (!from->ready) wal_run_file_convert(from->stored, w->rows, (end - at) * length);
  return w->rows;
}

/** Goes through the indices at..end-1 of dimension 0, of which no chunk has more at once. The rank
 *  sends a part of one chunk at most, the first, and does that before it waits for others. */
static void step(writing *w, int64_t at, int64_t end) {
  int64_t stride = 0, low = at * w->row, high = end * w->row;
  const char *rows = own_rows(w, at, end, &stride);
  if (w->from->split == 1 && !w->whole) {
    low += w->from->first * w->inner;
    high = low + w->from->count * w->inner;
  }
  // Of an array in one piece rank 0 writes what others may have.
  const int64_t last = w->tiles->large ? (high > low ? chunk_at(w->tiles, high - 1) : -1) : 0;
  for (int64_t c = w->tiles->large && high > low ? chunk_at(w->tiles, low) : 0; c <= last; c++) {
    int64_t first = 0, behind = 0;
    span_of(w->tiles, c, &first, &behind);
    const part own = part_of(w, w->file->rank, first, behind);
    const int owner = owner_of(w, c);
    if (owner == w->file->rank)
      put_chunk(w, c, &own, rows, at, stride);
    else if (own.lines > 0)
      send_part(w, &own, owner, rows, at, stride);
  }
}

/** Indices of dimension 0 from `at` on that go together: to the end of a chunk. */
static int64_t step_end(const writing *w, int64_t at, int64_t end) {
  const int64_t deep = w->tiles->rank ? (int64_t)w->tiles->shape[0] : 1;
  const int64_t next = w->tiles->large ? at / deep * deep + deep : end;
  return next < end ? next : end;
}

static void go_through(writing *w, int64_t rows) {
  const wal_run_source *from = w->from;
  const int64_t first = from->split == 0 ? from->first : 0;
  const int64_t end = from->split == 0 ? from->first + from->count : rows;
  if (!w->tiles->large)
    step(w, first, end);
  else
    for (int64_t at = first; at < end; at = step_end(w, at, end)) step(w, at, step_end(w, at, end));
  must_send(w, "MPI_Wait", MPI_Wait(&w->sending, MPI_STATUS_IGNORE));
}

// ---- Places -----------------------------------------------------------------------------------

/** Rank 0: has HDF5 give all chunks their places. */
static wal_status find_places(writing *w) {
  wal_run_file *file = w->file;
  const wal_run_tiles *tiles = w->tiles;
  const size_t size = (size_t)(w->from->item * tiles->items + CHECKSUM);
  wal_hdf5_aside *aside = wal_hdf5_driver_aside(file->file);
  wal_run_file_must(file, aside ? 0 : -1);
  aside->on = true;
  wal_status status = WAL_OK;
  for (int64_t c = 0; status == WAL_OK && c < tiles->count; c++) {
    hsize_t at[4] = {0};
    int64_t line = c / tiles->in_line;
    at[tiles->axis] = (hsize_t)(c % tiles->in_line) * tiles->shape[tiles->axis];
    for (int d = tiles->axis - 1; d >= 0; d--) {
      at[d] = (hsize_t)(line % w->outer[d]);
      line /= w->outer[d];
    }
    aside->writes = 0;
    wal_run_file_must(file, H5Dwrite_chunk(w->dataset, H5P_DEFAULT, 0, at, size, w->chunk));
    if (aside->writes != 1 || aside->size != size)
      wal_run_file_abort_since(file, "a chunk was given no place");
    status = wal_run_gaps_add(file->ctx, &w->places, aside->at, aside->at + size);
  }
  aside->on = false;
  for (int64_t i = 0; status == WAL_OK && i < w->places.count; i++)
    status =
        wal_run_gaps_add(file->ctx, &file->gaps, w->places.list[i].start, w->places.list[i].end);
  return status;
}

/** The other ranks learn the places. */
static wal_status tell_places(writing *w) {
  wal_ctx *ctx = w->file->ctx;
  int64_t count = w->places.count;
  if (MPI_Bcast(&count, 1, MPI_INT64_T, 0, wal_ctx_comm(ctx)) != MPI_SUCCESS)
    return wal_fail(ctx, WAL_EINTERNAL, "MPI_Bcast failed");
  wal_status status = WAL_OK;
  if (w->file->rank != 0) {
    w->places.count = w->places.capacity = count;
    status =
        wal_acquire(ctx, "places of large arrays", count, sizeof *w->places.list, &w->places.list);
  }
  WAL_TRY_ALL(ctx, status);
  if (MPI_Bcast(w->places.list, (int)(2 * count), MPI_UINT64_T, 0, wal_ctx_comm(ctx)) !=
      MPI_SUCCESS)
    return wal_fail(ctx, WAL_EINTERNAL, "MPI_Bcast failed");
  return WAL_OK;
}

static void open_data(writing *w) {
  if (w->file->data != MPI_FILE_NULL) return;
  errno = 0;
  const int error = MPI_File_open(wal_ctx_comm(w->file->ctx), w->file->partial, MPI_MODE_WRONLY,
                                  MPI_INFO_NULL, &w->file->data);
  if (error != MPI_SUCCESS) give_up(w, "MPI_File_open", error);
}

void wal_run_file_close_data(wal_run_file *file) {
  if (file->data == MPI_FILE_NULL) return;
  const writing w = {.file = file};
  errno = 0;
  int error = MPI_File_sync(file->data);
  if (error != MPI_SUCCESS) give_up(&w, "MPI_File_sync", error);
  errno = 0;
  error = MPI_File_close(&file->data);
  if (error != MPI_SUCCESS) give_up(&w, "MPI_File_close", error);
}

static wal_status acquire_buffers(writing *w, const wal_dataset *what) {
  wal_ctx *ctx = w->file->ctx;
  const int64_t rows = what->rank ? what->extent[0] : 1;
  const int64_t chunk = w->from->item * w->tiles->items;
  int64_t own = w->from->split == 0 ? w->from->count : rows;
  const int64_t deep = what->rank ? (int64_t)w->tiles->shape[0] : 1;
  if (w->tiles->large && own > deep) own = deep;
  if (!in_place(w)) WAL_TRY(wal_acquire(ctx, what->path, own * own_length(w), 8, &w->rows));
  WAL_TRY(wal_acquire(ctx, what->path, chunk + CHECKSUM, 1, &w->chunk));
  if (!w->from->ranges || w->file->ranks == 1) return WAL_OK;
  WAL_TRY(wal_acquire(ctx, what->path, chunk, 1, &w->out));
  if (w->from->split == 1 && w->whole) WAL_TRY(wal_acquire(ctx, what->path, chunk, 1, &w->in));
  return WAL_OK;
}

wal_status wal_run_file_put_tiles(wal_run_file *file, const wal_dataset *what,
                                  const wal_run_tiles *tiles, const wal_run_source *from,
                                  hid_t dataset) {
  wal_ctx *ctx = file->ctx;
  writing w = {.file = file,
               .from = from,
               .tiles = tiles,
               .row = wal_run_file_items(what, 1),
               .inner = wal_run_file_items(what, from->split + 1),
               .whole = tiles->axis == 0,
               .dataset = dataset,
               .sending = MPI_REQUEST_NULL};
  for (int d = 0; d < what->rank; d++) w.outer[d] = what->extent[d];
  if (tiles->items == 0) return WAL_OK;
  wal_status status = acquire_buffers(&w, what);
  if (status == WAL_OK && tiles->large && file->rank == 0) status = find_places(&w);
  WAL_TRY_GOTO(wal_agree(ctx, status));
  if (tiles->large) {
    if (file->ranks > 1) WAL_TRY_GOTO(tell_places(&w));
    open_data(&w);
  }
  go_through(&w, what->rank ? what->extent[0] : 1);
cleanup:
  wal_release(ctx, &w.places.list);
  wal_release(ctx, &w.rows);
  wal_release(ctx, &w.chunk);
  wal_release(ctx, &w.out);
  wal_release(ctx, &w.in);
  return status;
}
