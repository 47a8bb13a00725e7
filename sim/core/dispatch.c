// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/core/dispatch.h"

#include "sim/core/memory.h"

struct wal_dispatch {
  wal_ctx *ctx;
  MPI_Win window;
  int64_t *counter; /**< of rank 0, in the window */
  int64_t next;     /**< alone: the counter; else the number that was asked for */
  bool ahead, asked;
};

static wal_status failed(wal_ctx *ctx, const char *call) {
  return wal_fail(ctx, WAL_EINTERNAL, "%s failed", call);
}

static wal_status open_window(wal_dispatch *d) {
  MPI_Aint size = wal_ctx_rank(d->ctx) == 0 ? (MPI_Aint)sizeof *d->counter : 0;
  if (MPI_Win_allocate(size, (int)sizeof *d->counter, MPI_INFO_NULL, wal_ctx_comm(d->ctx),
                       &d->counter, &d->window) != MPI_SUCCESS)
    return failed(d->ctx, "MPI_Win_allocate");
  MPI_Win_set_errhandler(d->window, MPI_ERRORS_RETURN);
  if (MPI_Win_lock_all(MPI_MODE_NOCHECK, d->window) != MPI_SUCCESS)
    return failed(d->ctx, "MPI_Win_lock_all");
  const int64_t zero = 0;
  if (wal_ctx_rank(d->ctx) == 0 &&
      (MPI_Put(&zero, 1, MPI_INT64_T, 0, 0, 1, MPI_INT64_T, d->window) != MPI_SUCCESS ||
       MPI_Win_flush(0, d->window) != MPI_SUCCESS))
    return failed(d->ctx, "MPI_Put");
  return WAL_OK;
}

wal_status wal_dispatch_create(wal_ctx *ctx, wal_dispatch **out) {
  *out = NULL;
  wal_dispatch *d = NULL;
  WAL_TRY_ALL(ctx, wal_acquire(ctx, "a counter", 1, sizeof *d, &d));
  *d = (wal_dispatch){.ctx = ctx, .window = MPI_WIN_NULL};
  wal_status status = WAL_OK;
  if (wal_ctx_size(ctx) > 1) {
    int64_t on_node = wal_ctx_node_size(ctx);
    status = wal_agree(ctx, open_window(d));
    if (status == WAL_OK) status = wal_ctx_least_integer(ctx, &on_node);
    d->ahead = on_node < wal_ctx_size(ctx);
  }
  if (status == WAL_OK)
    *out = d;
  else
    wal_release(ctx, &d);
  return status;
}

static wal_status ask(wal_dispatch *d) {
  static const int64_t ONE = 1;
  if (MPI_Fetch_and_op(&ONE, &d->next, MPI_INT64_T, 0, 0, MPI_SUM, d->window) != MPI_SUCCESS)
    return failed(d->ctx, "MPI_Fetch_and_op");
  d->asked = true;
  return WAL_OK;
}

wal_status wal_dispatch_next(wal_dispatch *d, int64_t *number) {
  if (d->window == MPI_WIN_NULL) {
    *number = d->next++;
    return WAL_OK;
  }
  if (!d->asked) WAL_TRY(ask(d));
  if (MPI_Win_flush(0, d->window) != MPI_SUCCESS) return failed(d->ctx, "MPI_Win_flush");
  d->asked = false;
  *number = d->next;
  return d->ahead ? ask(d) : WAL_OK;
}

wal_status wal_dispatch_stop(wal_dispatch *d) {
  static const int64_t STOPPED = WAL_DISPATCH_STOPPED;
  bool already = false;
  WAL_TRY(wal_dispatch_stopped(d, &already));
  if (already) return WAL_OK;
  if (d->window == MPI_WIN_NULL) {
    d->next += STOPPED;
    return WAL_OK;
  }
  if (MPI_Accumulate(&STOPPED, 1, MPI_INT64_T, 0, 0, 1, MPI_INT64_T, MPI_SUM, d->window) !=
          MPI_SUCCESS ||
      MPI_Win_flush(0, d->window) != MPI_SUCCESS)
    return failed(d->ctx, "MPI_Accumulate");
  return WAL_OK;
}

wal_status wal_dispatch_stopped(wal_dispatch *d, bool *stopped) {
  const int64_t unused = 0;
  int64_t now = d->next;
  if (d->window != MPI_WIN_NULL &&
      (MPI_Fetch_and_op(&unused, &now, MPI_INT64_T, 0, 0, MPI_NO_OP, d->window) != MPI_SUCCESS ||
       MPI_Win_flush(0, d->window) != MPI_SUCCESS))
    return failed(d->ctx, "MPI_Fetch_and_op");
  *stopped = now >= WAL_DISPATCH_STOPPED;
  return WAL_OK;
}

void wal_dispatch_destroy(wal_dispatch **dispatch) {
  if (!dispatch || !*dispatch) return;
  wal_dispatch *d = *dispatch;
  if (d->window != MPI_WIN_NULL) {
    MPI_Win_unlock_all(d->window);
    MPI_Win_free(&d->window);
  }
  wal_release(d->ctx, dispatch);
}
