// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/core/mailbox.h"

#include "sim/core/memory.h"

enum { TAG_HEAD = 1, TAG_BYTES = 2 };
static const int64_t PIECE = (int64_t)1 << 30;  // MPI counts in an int
static const int64_t MOST_UNDER_WAY = (int64_t)256 << 20;

enum { NUMBER, LENGTH, HEAD };

/** A block under way: its head goes ahead, then its pieces. */
typedef struct parcel {
  struct parcel *next;
  char *bytes; /**< of one that is announced: NULL */
  int64_t head[HEAD];
  int source; /**< of one that comes: its rank */
  int count;
  MPI_Request *requests;
} parcel;

struct wal_mailbox {
  wal_ctx *ctx;
  parcel *first, **end; /**< oldest first */
  int64_t under_way;    /**< bytes */
  /* of rank 0 */
  parcel *announced, **announced_end; /**< that are not let come, oldest first */
  int64_t room, turn;
};

wal_status wal_mailbox_create(wal_ctx *ctx, wal_mailbox **out) {
  *out = NULL;
  wal_mailbox *box = NULL;
  WAL_TRY_ALL(ctx, wal_acquire(ctx, "a mailbox", 1, sizeof *box, &box));
  box->ctx = ctx;
  box->end = &box->first;
  box->announced_end = &box->announced;
  box->room = INT64_MAX;
  box->turn = -1;
  *out = box;
  return WAL_OK;
}

static wal_status failed(wal_mailbox *box, const char *call) {
  return wal_fail(box->ctx, WAL_EINTERNAL, "%s failed", call);
}

static int64_t pieces(int64_t length) { return (length + PIECE - 1) / PIECE; }

void wal_mailbox_limit(wal_mailbox *box, int64_t room, int64_t turn) {
  box->room = room;
  box->turn = turn;
}

/** A parcel with room for its requests. */
static wal_status make_parcel(wal_mailbox *box, const int64_t head[HEAD], parcel **out) {
  wal_ctx *ctx = box->ctx;
  parcel *p = NULL;
  wal_status status = wal_acquire(ctx, "a block of bytes", 1, sizeof *p, &p);
  if (status == WAL_OK)
    status = wal_acquire(ctx, "a block of bytes", pieces(head[LENGTH]) + 1, sizeof(MPI_Request),
                         &p->requests);
  if (status == WAL_OK) {
    for (int i = 0; i < HEAD; i++) p->head[i] = head[i];
    *out = p;
    return WAL_OK;
  }
  wal_release(ctx, &p);
  return status;
}

static void append(wal_mailbox *box, parcel *p) {
  *box->end = p;
  box->end = &p->next;
  box->under_way += p->head[LENGTH];
}

static void drop(wal_mailbox *box, parcel **place) {
  parcel *p = *place;
  *place = p->next;
  if (!*place) box->end = place;
  box->under_way -= p->head[LENGTH];
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

/** Bytes that a rank may have under way: of little memory a quarter. */
static int64_t most_under_way(const wal_mailbox *box) {
  const int64_t limit = wal_ctx_memory_limit(box->ctx);
  return limit > 0 && limit / 4 < MOST_UNDER_WAY ? limit / 4 : MOST_UNDER_WAY;
}

wal_status wal_mailbox_post(wal_mailbox *box, int64_t number, char **bytes, int64_t length) {
  const int64_t head[HEAD] = {[NUMBER] = number, [LENGTH] = length};
  MPI_Comm comm = wal_ctx_comm(box->ctx);
  parcel *p = NULL;
  wal_status status = make_parcel(box, head, &p);
  if (status != WAL_OK) {
    wal_release(box->ctx, bytes);
    return status;
  }
  p->bytes = *bytes;
  *bytes = NULL;
  append(box, p);
  if (MPI_Isend(p->head, HEAD, MPI_INT64_T, 0, TAG_HEAD, comm, &p->requests[p->count++]) !=
      MPI_SUCCESS)
    return failed(box, "MPI_Isend");
  for (int64_t at = 0; at < length; at += PIECE) {
    int64_t size = length - at < PIECE ? length - at : PIECE;
    // Synchronous: gone only when rank 0 lets it come; else MPI would heap up small ones there.
    if (MPI_Issend(p->bytes + at, (int)size, MPI_BYTE, 0, TAG_BYTES, comm,
                   &p->requests[p->count++]) != MPI_SUCCESS)
      return failed(box, "MPI_Issend");
  }
  return send_on(box, most_under_way(box));
}

/** Notes what ranks have announced. */
static wal_status note_announced(wal_mailbox *box) {
  MPI_Comm comm = wal_ctx_comm(box->ctx);
  for (;;) {
    int there = 0;
    MPI_Message message;
    MPI_Status from;
    if (MPI_Improbe(MPI_ANY_SOURCE, TAG_HEAD, comm, &there, &message, &from) != MPI_SUCCESS)
      return failed(box, "MPI_Improbe");
    if (!there) return WAL_OK;
    int64_t head[HEAD] = {0};
    if (MPI_Mrecv(head, HEAD, MPI_INT64_T, &message, MPI_STATUS_IGNORE) != MPI_SUCCESS)
      return failed(box, "MPI_Mrecv");
    parcel *p = NULL;
    WAL_TRY(make_parcel(box, head, &p));
    p->source = from.MPI_SOURCE;
    *box->announced_end = p;
    box->announced_end = &p->next;
  }
}

/** Makes room for an announced parcel, and lets it come. */
static wal_status let_come(wal_mailbox *box, parcel **place) {
  parcel *p = *place;
  const int64_t length = p->head[LENGTH];
  WAL_TRY(wal_acquire(box->ctx, "a block of bytes", length, 1, &p->bytes));
  *place = p->next;
  if (!*place) box->announced_end = place;
  p->next = NULL;
  append(box, p);
  for (int64_t at = 0; at < length; at += PIECE) {
    int64_t size = length - at < PIECE ? length - at : PIECE;
    if (MPI_Irecv(p->bytes + at, (int)size, MPI_BYTE, p->source, TAG_BYTES, wal_ctx_comm(box->ctx),
                  &p->requests[p->count++]) != MPI_SUCCESS)
      return failed(box, "MPI_Irecv");
  }
  return WAL_OK;
}

/** Lets come what there is room for, and those whose turn it is. The pieces of a rank must be
 *  received in the order of its parcels: as its numbers rise, none is passed over here for a later
 *  one. */
static wal_status receive_on(wal_mailbox *box) {
  WAL_TRY(note_announced(box));
  for (parcel **place = &box->announced; *place;) {
    if (box->under_way < box->room || (*place)->head[NUMBER] <= box->turn)
      WAL_TRY(let_come(box, place));
    else
      place = &(*place)->next;
  }
  return WAL_OK;
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
    *length = p->head[LENGTH];
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
  while ((*mailbox)->announced) {
    parcel *p = (*mailbox)->announced;
    (*mailbox)->announced = p->next;
    wal_release(ctx, &p->requests);
    wal_release(ctx, &p);
  }
  wal_release(ctx, mailbox);
}
