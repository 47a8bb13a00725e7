// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/core/halo.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "sim/core/hot.h"
#include "sim/core/memory.h"

// A run of entries between this rank and another: local index, or position in the away part.
typedef struct segment {
  int64_t at, count;
} segment;

typedef struct neighbour {
  int rank;
  segment *mine, *theirs;  // away runs I asked of it; own runs it asked of me
  int64_t mine_count, theirs_count;
  int64_t mine_size, theirs_size;  // entries
  double *mine_buffer, *theirs_buffer;
} neighbour;

struct wal_halo {
  wal_ctx *ctx;
  wal_partition space;
  int64_t away;
  int neighbours;  // in ascending order of rank, this rank among them if it has local runs
  neighbour *neighbour;
  MPI_Request *requests;
};

enum { TAG = 17 };

static wal_status mpi_check(wal_ctx *ctx, int code, const char *call) {
  return code == MPI_SUCCESS ? WAL_OK : wal_fail(ctx, WAL_EINTERNAL, "%s failed", call);
}

static int owner_of(const wal_partition *space, int64_t index) {
  return wal_partition_owner(space, wal_partition_block_of(space, index));
}

/* How many runs this rank asks of each rank, and the runs sorted by rank (stable). */
static wal_status sort_by_owner(wal_ctx *ctx, const wal_partition *space, int64_t run_count,
                                const wal_away *runs, int *counts, wal_away **sorted,
                                int64_t **positions) {
  int64_t *start = NULL;
  wal_status status = wal_acquire(ctx, "exchange plan", space->ranks + 1, sizeof *start, &start);
  if (status == WAL_OK)
    status = wal_acquire(ctx, "exchange plan", run_count, sizeof **sorted, sorted);
  if (status == WAL_OK)
    status = wal_acquire(ctx, "exchange plan", run_count, sizeof **positions, positions);
  if (status == WAL_OK) {
    for (int64_t i = 0; i < run_count; i++) counts[owner_of(space, runs[i].first)]++;
    for (int r = 0; r < space->ranks; r++) start[r + 1] = start[r] + counts[r];
    int64_t position = space->count;
    for (int64_t i = 0; i < run_count; i++) {
      int64_t slot = start[owner_of(space, runs[i].first)]++;
      (*sorted)[slot] = runs[i];
      (*positions)[slot] = position;
      position += runs[i].count;
    }
  }
  wal_release(ctx, &start);
  return status;
}

static wal_status add_neighbour(wal_halo *h, int rank, const wal_away *asked,
                                const int64_t *positions, int asked_count, const wal_away *wanted,
                                int wanted_count) {
  neighbour *n = &h->neighbour[h->neighbours++];
  n->rank = rank;
  n->mine_count = asked_count;
  n->theirs_count = wanted_count;
  WAL_TRY(wal_acquire(h->ctx, "exchange plan", asked_count, sizeof *n->mine, &n->mine));
  WAL_TRY(wal_acquire(h->ctx, "exchange plan", wanted_count, sizeof *n->theirs, &n->theirs));
  for (int i = 0; i < asked_count; i++) {
    n->mine[i] = (segment){positions[i], asked[i].count};
    n->mine_size += asked[i].count;
  }
  for (int i = 0; i < wanted_count; i++) {
    n->theirs[i] = (segment){wanted[i].first - h->space.first, wanted[i].count};
    n->theirs_size += wanted[i].count;
  }
  if (rank == h->space.rank) return WAL_OK;  // nothing is sent to oneself
  if (n->mine_size > INT_MAX || n->theirs_size > INT_MAX)
    return wal_fail(h->ctx, WAL_EINPUT, "an exchange of more than 2^31 numbers between two ranks");
  WAL_TRY(wal_acquire(h->ctx, "exchange", n->mine_size, sizeof(double), &n->mine_buffer));
  return wal_acquire(h->ctx, "exchange", n->theirs_size, sizeof(double), &n->theirs_buffer);
}

/* Tells every rank which of its runs are wanted, and takes down what the others want. */
static wal_status trade_runs(wal_halo *h, int64_t run_count, const wal_away *runs) {
  wal_ctx *ctx = h->ctx;
  const int ranks = h->space.ranks;
  int *table = NULL;  // asked, wanted, then byte counts and displacements of both
  wal_away *asked = NULL, *wanted = NULL;
  int64_t *positions = NULL;
  wal_status status = wal_acquire(ctx, "exchange plan", 6 * (int64_t)ranks, sizeof *table, &table);
  int *asks = table, *wants = table + ranks;
  if (status == WAL_OK)
    status = sort_by_owner(ctx, &h->space, run_count, runs, asks, &asked, &positions);
  WAL_TRY_GOTO(wal_agree(ctx, status));
  WAL_TRY_GOTO(mpi_check(ctx, MPI_Alltoall(asks, 1, MPI_INT, wants, 1, MPI_INT, wal_ctx_comm(ctx)),
                         "MPI_Alltoall"));
  int *asked_size = table + 2 * ranks, *asked_at = table + 3 * ranks;
  int *wanted_size = table + 4 * ranks, *wanted_at = table + 5 * ranks;
  int64_t total = 0, asked_total = 0;
  for (int r = 0; r < ranks; r++) {
    asked_total += asks[r];
    total += wants[r];
  }
  if (total > INT_MAX / 2 || asked_total > INT_MAX / 2)
    status = wal_fail(ctx, WAL_EINPUT, "an exchange of more than 2^30 runs");
  else
    status = wal_acquire(ctx, "exchange plan", total, sizeof *wanted, &wanted);
  WAL_TRY_GOTO(wal_agree(ctx, status));
  for (int r = 0, asked_end = 0, wanted_end = 0; r < ranks; r++) {
    asked_at[r] = asked_end;
    wanted_at[r] = wanted_end;
    asked_size[r] = asks[r] * 2;
    wanted_size[r] = wants[r] * 2;
    asked_end += asked_size[r];
    wanted_end += wanted_size[r];
  }
  WAL_TRY_GOTO(mpi_check(ctx,
                         MPI_Alltoallv(asked, asked_size, asked_at, MPI_INT64_T, wanted,
                                       wanted_size, wanted_at, MPI_INT64_T, wal_ctx_comm(ctx)),
                         "MPI_Alltoallv"));
  int needed = 0;
  for (int r = 0; r < ranks; r++) needed += asks[r] || wants[r];
  status = wal_acquire(ctx, "exchange plan", needed, sizeof *h->neighbour, &h->neighbour);
  if (status == WAL_OK)
    status =
        wal_acquire(ctx, "exchange plan", 2 * (int64_t)needed, sizeof *h->requests, &h->requests);
  for (int r = 0; r < ranks && status == WAL_OK; r++)
    if (asks[r] || wants[r])
      status = add_neighbour(h, r, asked + asked_at[r] / 2, positions + asked_at[r] / 2, asks[r],
                             wanted + wanted_at[r] / 2, wants[r]);
  status = wal_agree(ctx, status);
cleanup:
  wal_release(ctx, &asked);
  wal_release(ctx, &wanted);
  wal_release(ctx, &positions);
  wal_release(ctx, &table);
  return status;
}

wal_status wal_halo_create(wal_ctx *ctx, const wal_partition *space, int64_t run_count,
                           const wal_away *runs, wal_halo **out) {
  *out = NULL;
  wal_halo *h = NULL;
  WAL_TRY_ALL(ctx, wal_acquire(ctx, "exchange plan", 1, sizeof *h, &h));
  h->ctx = ctx;
  h->space = *space;
  for (int64_t i = 0; i < run_count; i++) h->away += runs[i].count;
  wal_status status = trade_runs(h, run_count, runs);
  if (status == WAL_OK)
    *out = h;
  else
    wal_halo_destroy(&h);
  return status;
}

void wal_halo_destroy(wal_halo **halo) {
  if (!halo || !*halo) return;
  wal_halo *h = *halo;
  wal_ctx *ctx = h->ctx;
  for (int i = 0; i < h->neighbours; i++) {
    neighbour *n = &h->neighbour[i];
    wal_release(ctx, &n->mine);
    wal_release(ctx, &n->theirs);
    wal_release(ctx, &n->mine_buffer);
    wal_release(ctx, &n->theirs_buffer);
  }
  wal_release(ctx, &h->neighbour);
  wal_release(ctx, &h->requests);
  wal_release(ctx, halo);
}

int64_t wal_halo_own(const wal_halo *halo) { return halo->space.count; }
int64_t wal_halo_away(const wal_halo *halo) { return halo->away; }

static void gather(const segment *segments, int64_t count, const double *values, double *buffer) {
  for (int64_t i = 0; i < count; i++) {
    memcpy(buffer, values + segments[i].at, (size_t)segments[i].count * sizeof(double));
    buffer += segments[i].count;
  }
}

static void scatter(const segment *segments, int64_t count, const double *buffer, double *values) {
  for (int64_t i = 0; i < count; i++) {
    memcpy(values + segments[i].at, buffer, (size_t)segments[i].count * sizeof(double));
    buffer += segments[i].count;
  }
}

WAL_HOT static void scatter_add(const segment *segments, int64_t count,
                                const double *restrict buffer, double *restrict values) {
  for (int64_t i = 0; i < count; i++) {
    double *to = values + segments[i].at;
    for (int64_t j = 0; j < segments[i].count; j++) to[j] += buffer[j];
    buffer += segments[i].count;
  }
}

/* Posts all receives and sends: of the away side's values (push) or of the owners' (pull). */
static wal_status trade_values(wal_halo *h, const double *values, bool push) {
  int posted = 0, code = MPI_SUCCESS;
  MPI_Comm comm = wal_ctx_comm(h->ctx);
  for (int i = 0; i < h->neighbours && code == MPI_SUCCESS; i++) {
    neighbour *n = &h->neighbour[i];
    if (n->rank == h->space.rank) continue;
    double *into = push ? n->theirs_buffer : n->mine_buffer;
    int64_t size = push ? n->theirs_size : n->mine_size;
    if (size > 0)
      code = MPI_Irecv(into, (int)size, MPI_DOUBLE, n->rank, TAG, comm, &h->requests[posted++]);
  }
  for (int i = 0; i < h->neighbours && code == MPI_SUCCESS; i++) {
    neighbour *n = &h->neighbour[i];
    if (n->rank == h->space.rank) continue;
    double *from = push ? n->mine_buffer : n->theirs_buffer;
    int64_t size = push ? n->mine_size : n->theirs_size;
    if (push)
      gather(n->mine, n->mine_count, values, from);
    else
      gather(n->theirs, n->theirs_count, values, from);
    if (size == 0) continue;
    code = MPI_Isend(from, (int)size, MPI_DOUBLE, n->rank, TAG, comm, &h->requests[posted++]);
    wal_ctx_count_traffic(h->ctx, size * (int64_t)sizeof *from, 1, 0);
  }
  if (code == MPI_SUCCESS) code = MPI_Waitall(posted, h->requests, MPI_STATUSES_IGNORE);
  return mpi_check(h->ctx, code, "neighbour exchange");
}

wal_status wal_halo_pull(wal_halo *halo, double *values) {
  if (halo->space.ranks > 1) WAL_TRY(trade_values(halo, values, false));
  for (int i = 0; i < halo->neighbours; i++) {
    neighbour *n = &halo->neighbour[i];
    if (n->rank != halo->space.rank) {
      scatter(n->mine, n->mine_count, n->mine_buffer, values);
      continue;
    }
    for (int64_t j = 0; j < n->mine_count; j++)  // asked of and given by the same rank, in step
      memcpy(values + n->mine[j].at, values + n->theirs[j].at,
             (size_t)n->mine[j].count * sizeof(double));
  }
  return WAL_OK;
}

wal_status wal_halo_push(wal_halo *halo, double *values) {
  if (halo->space.ranks > 1) WAL_TRY(trade_values(halo, values, true));
  for (int i = 0; i < halo->neighbours; i++) {  // ranks ascend, and with them the source blocks
    neighbour *n = &halo->neighbour[i];
    if (n->rank != halo->space.rank) {
      scatter_add(n->theirs, n->theirs_count, n->theirs_buffer, values);
      continue;
    }
    for (int64_t j = 0; j < n->theirs_count; j++)
      scatter_add(&n->theirs[j], 1, values + n->mine[j].at, values);
  }
  return WAL_OK;
}

wal_traffic wal_halo_traffic(const wal_halo *halo, bool push) {
  wal_traffic sum = {0};
  for (int i = 0; i < halo->neighbours; i++) {
    const neighbour *n = &halo->neighbour[i];
    const int64_t size = push ? n->mine_size : n->theirs_size;
    if (n->rank == halo->space.rank || size == 0) continue;
    sum.bytes += size * (int64_t)sizeof(double);
    sum.messages++;
  }
  return sum;
}
