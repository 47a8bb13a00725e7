// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/core/mailbox.h"

#include "sim/core/memory.h"

enum { TAG_LENGTH = 1, TAG_BYTES = 2 };
static const int64_t PIECE = (int64_t)1 << 30;  // MPI counts in an int
static const int64_t MOST_UNDER_WAY = (int64_t)256 << 20;

/** A block under way: its length goes ahead, then its pieces. */
typedef struct parcel {
  struct parcel *next;
  char *bytes;
  int64_t length;
  int count;
  MPI_Request *requests;
} parcel;

struct wal_mailbox {
  wal_ctx *ctx;
  parcel *first, **end; /**< oldest first */
  int64_t under_way;    /**< bytes */
};

wal_status wal_mailbox_create(wal_ctx *ctx, wal_mailbox **out) {
  *out = NULL;
  wal_mailbox *box = NULL;
  WAL_TRY_ALL(ctx, wal_acquire(ctx, "a mailbox", 1, sizeof *box, &box));
  box->ctx = ctx;
  box->end = &box->first;
  *out = box;
  return WAL_OK;
}

static wal_status failed(wal_mailbox *box, const char *call) {
  return wal_fail(box->ctx, WAL_EINTERNAL, "%s failed", call);
}

static int64_t pieces(int64_t length) { return (length + PIECE - 1) / PIECE; }

/** A parcel with room for its requests; the bytes are given, or (for those that come) made here. */
static wal_status make_parcel(wal_mailbox *box, char *bytes, int64_t length, parcel **out) {
  wal_ctx *ctx = box->ctx;
  parcel *p = NULL;
  wal_status status = wal_acquire(ctx, "a block of bytes", 1, sizeof *p, &p);
  if (status == WAL_OK)
    status =
        wal_acquire(ctx, "a block of bytes", pieces(length) + 1, sizeof(MPI_Request), &p->requests);
  if (status == WAL_OK && !bytes) status = wal_acquire(ctx, "a block of bytes", length, 1, &bytes);
  if (status == WAL_OK) {
    p->bytes = bytes;
    p->length = length;
    *out = p;
    return WAL_OK;
  }
  if (p) wal_release(ctx, &p->requests);
  wal_release(ctx, &p);
  return status;
}

static void append(wal_mailbox *box, parcel *p) {
  *box->end = p;
  box->end = &p->next;
  box->under_way += p->length;
}

static void drop(wal_mailbox *box, parcel **place) {
  parcel *p = *place;
  *place = p->next;
  if (!*place) box->end = place;
  box->under_way -= p->length;
  wal_release(box->ctx, &p->bytes);
  wal_release(box->ctx, &p->requests);
  wal_release(box->ctx, &p);
}

/** Removes what has gone from the front; waits until at most `most` bytes are under way (0: nothing
 *  at all; below 0: waits for nothing). */
static wal_status send_on(wal_mailbox *box, int64_t most) {
  while (box->first) {
    parcel *p = box->first;
    int done = 0;
    int error = MPI_SUCCESS;
    if (most == 0 || (most > 0 && box->under_way > most)) {
      error = MPI_Waitall(p->count, p->requests, MPI_STATUSES_IGNORE);
      done = 1;
    } else {
      error = MPI_Testall(p->count, p->requests, &done, MPI_STATUSES_IGNORE);
    }
    if (error != MPI_SUCCESS) return failed(box, "MPI_Testall");
    if (!done) return WAL_OK;
    drop(box, &box->first);
  }
  return WAL_OK;
}

wal_status wal_mailbox_post(wal_mailbox *box, char **bytes, int64_t length) {
  MPI_Comm comm = wal_ctx_comm(box->ctx);
  parcel *p = NULL;
  wal_status status = make_parcel(box, *bytes, length, &p);
  if (status != WAL_OK) wal_release(box->ctx, bytes);
  *bytes = NULL;
  if (status != WAL_OK) return status;
  append(box, p);
  if (MPI_Isend(&p->length, 1, MPI_INT64_T, 0, TAG_LENGTH, comm, &p->requests[p->count++]) !=
      MPI_SUCCESS)
    return failed(box, "MPI_Isend");
  for (int64_t at = 0; at < length; at += PIECE) {
    int64_t size = length - at < PIECE ? length - at : PIECE;
    if (MPI_Isend(p->bytes + at, (int)size, MPI_BYTE, 0, TAG_BYTES, comm,
                  &p->requests[p->count++]) != MPI_SUCCESS)
      return failed(box, "MPI_Isend");
  }
  return send_on(box, MOST_UNDER_WAY);
}

/** Makes room for what ranks have announced, and lets it come. */
static wal_status receive_on(wal_mailbox *box) {
  MPI_Comm comm = wal_ctx_comm(box->ctx);
  for (;;) {
    int there = 0;
    MPI_Message message;
    MPI_Status from;
    if (MPI_Improbe(MPI_ANY_SOURCE, TAG_LENGTH, comm, &there, &message, &from) != MPI_SUCCESS)
      return failed(box, "MPI_Improbe");
    if (!there) return WAL_OK;
    int64_t length = 0;
    if (MPI_Mrecv(&length, 1, MPI_INT64_T, &message, MPI_STATUS_IGNORE) != MPI_SUCCESS)
      return failed(box, "MPI_Mrecv");
    parcel *p = NULL;
    WAL_TRY(make_parcel(box, NULL, length, &p));
    append(box, p);
    for (int64_t at = 0; at < length; at += PIECE) {
      int64_t size = length - at < PIECE ? length - at : PIECE;
      if (MPI_Irecv(p->bytes + at, (int)size, MPI_BYTE, from.MPI_SOURCE, TAG_BYTES, comm,
                    &p->requests[p->count++]) != MPI_SUCCESS)
        return failed(box, "MPI_Irecv");
    }
  }
}

wal_status wal_mailbox_take(wal_mailbox *box, char **bytes, int64_t *length) {
  *bytes = NULL;
  *length = 0;
  WAL_TRY(receive_on(box));
  for (parcel **place = &box->first; *place; place = &(*place)->next) {
    parcel *p = *place;
    int done = 0;
    if (MPI_Testall(p->count, p->requests, &done, MPI_STATUSES_IGNORE) != MPI_SUCCESS)
      return failed(box, "MPI_Testall");
    if (!done) continue;
    *bytes = p->bytes;
    *length = p->length;
    p->bytes = NULL;
    drop(box, place);
    return WAL_OK;
  }
  return WAL_OK;
}

wal_status wal_mailbox_progress(wal_mailbox *box) {
  return wal_ctx_rank(box->ctx) == 0 ? receive_on(box) : send_on(box, -1);
}

wal_status wal_mailbox_flush(wal_mailbox *box) {
  return wal_ctx_rank(box->ctx) == 0 ? WAL_OK : send_on(box, 0);
}

void wal_mailbox_destroy(wal_mailbox **mailbox) {
  if (!mailbox || !*mailbox) return;
  while ((*mailbox)->first) drop(*mailbox, &(*mailbox)->first);
  wal_ctx *ctx = (*mailbox)->ctx;
  wal_release(ctx, mailbox);
}
