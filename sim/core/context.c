// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/core/context.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SHARED = 1 << 27 };  // numbers in one message

struct wal_ctx {
  wal_ctx *parent; /**< that this one was split from, or NULL */
  MPI_Comm comm;
  int rank, size, node_size;
  uint64_t seed;
  int64_t memory, peak_memory;
  int64_t memory_limit;  // 0: none
  bool planning;
  int64_t real_memory, real_peak;  // while a plan is made: as they were before
  wal_traffic traffic;
  wal_warning_handler warning_handler;
  void *warning_user;
  wal_end_handler end_handler;
  void *end_user;
  uint64_t *warned;  // hashes of the warnings handed on
  int64_t warned_count, warned_room;
  bool silent;
  char error[WAL_ERROR_LENGTH];
};

wal_status wal_ctx_create(MPI_Comm comm, uint64_t seed, wal_ctx **out) {
  *out = NULL;
  wal_ctx *ctx = calloc(1, sizeof *ctx);
  if (!ctx) return WAL_EINTERNAL;
  if (MPI_Comm_dup(comm, &ctx->comm) != MPI_SUCCESS) {
    free(ctx);
    return WAL_EINTERNAL;
  }
  MPI_Comm_set_errhandler(ctx->comm, MPI_ERRORS_RETURN);
  MPI_Comm_rank(ctx->comm, &ctx->rank);
  MPI_Comm_size(ctx->comm, &ctx->size);
  MPI_Comm node;
  ctx->node_size = 1;
  if (MPI_Comm_split_type(ctx->comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node) ==
      MPI_SUCCESS) {
    MPI_Comm_size(node, &ctx->node_size);
    MPI_Comm_free(&node);
  }
  ctx->seed = seed;
  *out = ctx;
  return WAL_OK;
}

wal_status wal_ctx_split(wal_ctx *ctx, int group, wal_ctx **out) {
  *out = NULL;
  MPI_Comm part = MPI_COMM_NULL;
  wal_status status = WAL_OK;
  if (MPI_Comm_split(ctx->comm, group, ctx->rank, &part) != MPI_SUCCESS)
    status = wal_fail(ctx, WAL_EINTERNAL, "MPI_Comm_split failed");
  if (status == WAL_OK && wal_ctx_create(part, ctx->seed, out) != WAL_OK)
    status = wal_fail(ctx, WAL_EINTERNAL, "a group of ranks could not be made");
  if (part != MPI_COMM_NULL) MPI_Comm_free(&part);
  if (*out) {
    (*out)->parent = ctx;
    (*out)->node_size = ctx->node_size;
    (*out)->memory_limit = ctx->memory_limit;
  }
  return wal_agree(ctx, status);
}

void wal_ctx_destroy(wal_ctx **ctx) {
  if (!ctx || !*ctx) return;
  MPI_Comm_free(&(*ctx)->comm);
  free((*ctx)->warned);
  free(*ctx);
  *ctx = NULL;
}

wal_status wal_ctx_open(int *argc, char ***argv, uint64_t seed, wal_ctx **out) {
  *out = NULL;
  if (MPI_Init(argc, argv) != MPI_SUCCESS) return WAL_EINTERNAL;
  return wal_ctx_create(MPI_COMM_WORLD, seed, out);
}

void wal_ctx_close(wal_ctx **ctx) {
  if (*ctx) MPI_Barrier((*ctx)->comm);
  wal_ctx_destroy(ctx);
  MPI_Finalize();
}

int wal_ctx_rank(const wal_ctx *ctx) { return ctx->rank; }
int wal_ctx_size(const wal_ctx *ctx) { return ctx->size; }
int wal_ctx_node_size(const wal_ctx *ctx) { return ctx->node_size; }
uint64_t wal_ctx_seed(const wal_ctx *ctx) { return ctx->seed; }
void wal_ctx_set_seed(wal_ctx *ctx, uint64_t seed) { ctx->seed = seed; }
MPI_Comm wal_ctx_comm(const wal_ctx *ctx) { return ctx->comm; }
const char *wal_ctx_error(const wal_ctx *ctx) { return ctx->error; }

static void format_line(char text[WAL_ERROR_LENGTH], const char *format, va_list args) {
  vsnprintf(text, WAL_ERROR_LENGTH, format, args);
  for (char *c = text; *c; c++)  // names in a scenario or file may have any bytes
    if ((unsigned char)*c < ' ' || *c == 127) *c = ' ';
}

wal_status wal_fail(wal_ctx *ctx, wal_status status, const char *format, ...) {
  char text[WAL_ERROR_LENGTH];  // the arguments may point into ctx->error
  va_list args;
  va_start(args, format);
  format_line(text, format, args);
  va_end(args);
  memcpy(ctx->error, text, sizeof text);
  return status;
}

void wal_failure_hold(const wal_ctx *ctx, wal_status status, wal_held_failure *held) {
  if (status == WAL_OK || held->status != WAL_OK) return;
  held->status = status;
  memcpy(held->text, ctx->error, sizeof held->text);
}

wal_status wal_failure_raise(wal_ctx *ctx, wal_held_failure *held) {
  const wal_status status = held->status;
  held->status = WAL_OK;
  return status == WAL_OK ? WAL_OK : wal_fail(ctx, status, "%s", held->text);
}

void wal_ctx_set_warning_handler(wal_ctx *ctx, wal_warning_handler handler, void *user) {
  ctx->warning_handler = handler;
  ctx->warning_user = user;
}

/* Whether a text is new, by its hash (FNV-1a of 64 bits). Without memory to note it, it stays so. */
static bool note_warning(wal_ctx *ctx, const char *text) {
  uint64_t hash = UINT64_C(14695981039346656037);
  for (const char *c = text; *c; c++)
    hash = (hash ^ (unsigned char)*c) * UINT64_C(1099511628211);
  for (int64_t i = 0; i < ctx->warned_count; i++)
    if (ctx->warned[i] == hash) return false;
  if (ctx->warned_count == ctx->warned_room) {
    const int64_t room = 2 * ctx->warned_room + 8;
    uint64_t *grown = realloc(ctx->warned, (size_t)room * sizeof *grown);
    if (!grown) return true;
    ctx->warned = grown;
    ctx->warned_room = room;
  }
  ctx->warned[ctx->warned_count++] = hash;
  return true;
}

void wal_warn(wal_ctx *ctx, const char *format, ...) {
  char text[WAL_ERROR_LENGTH];
  va_list args;
  va_start(args, format);
  format_line(text, format, args);
  va_end(args);
  for (; ctx->parent; ctx = ctx->parent)
    if (ctx->silent) return;
  if (ctx->warning_handler && !ctx->silent && note_warning(ctx, text))
    ctx->warning_handler(ctx->warning_user, text);
}

void wal_ctx_silence(wal_ctx *ctx, bool silent) { ctx->silent = silent; }

void wal_ctx_set_end_handler(wal_ctx *ctx, wal_end_handler handler, void *user) {
  ctx->end_handler = handler;
  ctx->end_user = user;
}

void wal_ctx_tell_end(wal_ctx *ctx, const char *reason) {
  while (ctx->parent && !ctx->end_handler) ctx = ctx->parent;
  if (ctx->end_handler) ctx->end_handler(ctx->end_user, reason);
}

wal_status wal_agree(wal_ctx *ctx, wal_status status) {
  if (ctx->size == 1) return status;
  int mine = status == WAL_OK ? ctx->size : ctx->rank;
  int lowest = ctx->size;
  if (MPI_Allreduce(&mine, &lowest, 1, MPI_INT, MPI_MIN, ctx->comm) != MPI_SUCCESS)
    return wal_fail(ctx, WAL_EINTERNAL, "MPI_Allreduce failed");
  if (lowest == ctx->size) return WAL_OK;
  struct {
    int status;
    char text[WAL_ERROR_LENGTH];
  } shared;
  memset(&shared, 0, sizeof shared);
  if (ctx->rank == lowest) {
    shared.status = (int)status;
    memcpy(shared.text, ctx->error, sizeof shared.text);
  }
  if (MPI_Bcast(&shared, (int)sizeof shared, MPI_BYTE, lowest, ctx->comm) != MPI_SUCCESS)
    return wal_fail(ctx, WAL_EINTERNAL, "MPI_Bcast failed");
  memcpy(ctx->error, shared.text, sizeof shared.text);
  return (wal_status)shared.status;
}

wal_status wal_ctx_sum_integers(wal_ctx *ctx, int count, int64_t *values) {
  if (ctx->size > 1 &&
      MPI_Allreduce(MPI_IN_PLACE, values, count, MPI_INT64_T, MPI_SUM, ctx->comm) != MPI_SUCCESS)
    return wal_fail(ctx, WAL_EINTERNAL, "MPI_Allreduce failed");
  return WAL_OK;
}

wal_status wal_ctx_least_integer(wal_ctx *ctx, int64_t *value) {
  if (ctx->size > 1 &&
      MPI_Allreduce(MPI_IN_PLACE, value, 1, MPI_INT64_T, MPI_MIN, ctx->comm) != MPI_SUCCESS)
    return wal_fail(ctx, WAL_EINTERNAL, "MPI_Allreduce failed");
  return WAL_OK;
}

/* Numbers that are not negative compare as their bits do. */
wal_status wal_ctx_largest_real(wal_ctx *ctx, double *value) {
  const double size = fabs(*value);
  int64_t bits;
  memcpy(&bits, &size, sizeof bits);
  bits = -bits;
  WAL_TRY(wal_ctx_least_integer(ctx, &bits));
  bits = -bits;
  memcpy(value, &bits, sizeof bits);
  return WAL_OK;
}

wal_status wal_ctx_share_reals(wal_ctx *ctx, int root, int64_t count, double *values) {
  if (ctx->size == 1) return WAL_OK;
  for (int64_t from = 0; from < count; from += MOST_SHARED) {
    const int64_t n = count - from < MOST_SHARED ? count - from : MOST_SHARED;
    if (MPI_Bcast(values + from, (int)n, MPI_DOUBLE, root, ctx->comm) != MPI_SUCCESS)
      return wal_fail(ctx, WAL_EINTERNAL, "MPI_Bcast failed");
    wal_ctx_count_traffic(ctx, ctx->rank == root ? 0 : n * (int64_t)sizeof *values, 0, 1);
  }
  return WAL_OK;
}

_Noreturn void wal_ctx_abort(wal_ctx *ctx, wal_status status) {
  MPI_Abort(ctx->comm, wal_status_exit(status));
  _Exit(wal_status_exit(status));
}

double wal_clock(void) { return MPI_Wtime(); }

void wal_ctx_count_memory(wal_ctx *ctx, int64_t bytes) {
  for (; ctx; ctx = ctx->parent) {
    ctx->memory += bytes;
    if (ctx->memory > ctx->peak_memory) ctx->peak_memory = ctx->memory;
    if (ctx->planning) return;  // a plan takes nothing from the parent
  }
}

int64_t wal_ctx_memory(const wal_ctx *ctx) { return ctx->memory; }
int64_t wal_ctx_peak_memory(const wal_ctx *ctx) { return ctx->peak_memory; }

void wal_ctx_count_traffic(wal_ctx *ctx, int64_t bytes, int64_t messages, int64_t collectives) {
  for (; ctx; ctx = ctx->parent) {
    ctx->traffic.bytes += bytes;
    ctx->traffic.messages += messages;
    ctx->traffic.collectives += collectives;
  }
}

wal_traffic wal_ctx_traffic(const wal_ctx *ctx) { return ctx->traffic; }

void wal_ctx_set_memory_limit(wal_ctx *ctx, int64_t bytes) { ctx->memory_limit = bytes; }
int64_t wal_ctx_memory_limit(const wal_ctx *ctx) { return ctx->planning ? 0 : ctx->memory_limit; }

void wal_ctx_plan_begin(wal_ctx *ctx) {
  ctx->planning = true;
  ctx->real_memory = ctx->memory;
  ctx->real_peak = ctx->peak_memory;
  ctx->peak_memory = ctx->memory;
}

int64_t wal_ctx_plan_end(wal_ctx *ctx) {
  const int64_t planned = ctx->peak_memory - ctx->real_memory;
  ctx->planning = false;
  ctx->peak_memory = ctx->real_peak;
  return planned;
}

bool wal_ctx_planning(const wal_ctx *ctx) { return ctx->planning; }
