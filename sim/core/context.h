// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_CORE_CONTEXT_H
#define WALRAS_SIM_CORE_CONTEXT_H

#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/core/status.h"

/**
 * What every call of the library works in: a communicator, the text of the last error, the seed.
 * There are no globals. The library never prints and never exits.
 */
typedef struct wal_ctx wal_ctx;

/**
 * Makes a context on a private duplicate of `comm`, whose error handler returns.
 * @collective comm
 * @param seed  the run's seed, from which every random stream is keyed
 * @param out   receives the context; owned by the caller, destroyed with wal_ctx_destroy()
 * @return WAL_EINTERNAL, with no text, if the communicator cannot be duplicated or memory is short
 */
wal_status wal_ctx_create(MPI_Comm comm, uint64_t seed, wal_ctx **out);

/**
 * Makes a context on those of ctx's ranks that give the same `group` (0, 1, ...), in their order.
 * What is held and exchanged in it counts in `ctx` too, which must outlive it. Its node size is
 * that of `ctx`: whatever is done in the groups, they share the machine.
 * @param out  receives it; owned by the caller, destroyed with wal_ctx_destroy()
 * @collective ctx. WAL_EINTERNAL if MPI cannot split it.
 */
wal_status wal_ctx_split(wal_ctx *ctx, int group, wal_ctx **out);

/** For programs: starts MPI and makes a context on all its ranks. WAL_EINTERNAL if that fails.
 *  @collective all processes of the job */
wal_status wal_ctx_open(int *argc, char ***argv, uint64_t seed, wal_ctx **out);
/** Undoes wal_ctx_open(), after a barrier; sets *ctx to NULL. @collective */
void wal_ctx_close(wal_ctx **ctx);

/** Frees the context and sets *ctx to NULL. @collective its communicator */
void wal_ctx_destroy(wal_ctx **ctx);

/** This rank, 0 .. wal_ctx_size() - 1. */
int wal_ctx_rank(const wal_ctx *ctx);
/** Number of ranks. */
int wal_ctx_size(const wal_ctx *ctx);
/** Number of this context's ranks on this rank's machine. */
int wal_ctx_node_size(const wal_ctx *ctx);
/** The run's seed. */
uint64_t wal_ctx_seed(const wal_ctx *ctx);
/** Changes it; the same on all ranks. Rank-local. */
void wal_ctx_set_seed(wal_ctx *ctx, uint64_t seed);
/** The communicator: the context's own, whose error handler returns. */
MPI_Comm wal_ctx_comm(const wal_ctx *ctx);

/** Text of the last failure in this context, "" if there was none. Valid until the next failure. */
const char *wal_ctx_error(const wal_ctx *ctx);

/** Records a failure's text (printf style; up to about 1000 bytes are kept; control characters
 *  become spaces, so that it is one line) and returns `status`. */
wal_status wal_fail(wal_ctx *ctx, wal_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

enum { WAL_ERROR_LENGTH = 1024 }; /**< of a failure's text, with its end */

/** A failure of work that cannot pass it up, such as an operation of a game that calls a script:
 *  held until somebody asks. Zeroed: none. */
typedef struct wal_held_failure {
  wal_status status;           /**< WAL_OK: none is held */
  char text[WAL_ERROR_LENGTH]; /**< its line */
} wal_held_failure;

/** Holds a failure that the context has just recorded, unless one is held already; WAL_OK is let
 *  pass. Rank-local. */
void wal_failure_hold(const wal_ctx *ctx, wal_status status, wal_held_failure *held);
/** Records the failure that is held, if any, in `ctx`, returns its status and holds it no more.
 *  Rank-local. */
wal_status wal_failure_raise(wal_ctx *ctx, wal_held_failure *held);

/** Receives a warning: one line, without a place where it comes from in front. */
typedef void (*wal_warning_handler)(void *user, const char *text);

/** Sets who receives the warnings of this context and of those split from it; NULL (as at the
 *  start): nobody. Rank-local. */
void wal_ctx_set_warning_handler(wal_ctx *ctx, wal_warning_handler handler, void *user);

/** Hands a warning (text as that of wal_fail()) to the handler, at once; the same text only once
 *  in a context and those split from it. Rank-local: where all ranks warn, the handler of every
 *  rank is called. */
void wal_warn(wal_ctx *ctx, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Whether warnings in this context, and in those split from it, are kept from all handlers: of
 *  work that is done again with other numbers, and would warn of each. Rank-local. */
void wal_ctx_silence(wal_ctx *ctx, bool silent);

/** Hears why the whole job is about to be ended. It may not call anything collective. */
typedef void (*wal_end_handler)(void *user, const char *reason);
/** Sets who hears, on this rank, why the whole job is about to be ended from within the library
 *  (io/run_file.h), in this context or one split from it; NULL (as at the start): nobody.
 *  Rank-local. */
void wal_ctx_set_end_handler(wal_ctx *ctx, wal_end_handler handler, void *user);

/** Tells the handler; to be called by one rank before it ends the job. */
void wal_ctx_tell_end(wal_ctx *ctx, const char *reason);

/**
 * Turns a local outcome into a common one: every rank returns the status of the lowest failing rank
 * and holds its text. @collective ctx; costs one allreduce of an int when all is well.
 */
wal_status wal_agree(wal_ctx *ctx, wal_status status);

/** Replaces each of `count` integers by its sum over the ranks (exact, so in any order).
 *  @collective ctx; one allreduce, as each of the next two */
wal_status wal_ctx_sum_integers(wal_ctx *ctx, int count, int64_t *values);

/** Replaces *value by the least over the ranks. @collective ctx */
wal_status wal_ctx_least_integer(wal_ctx *ctx, int64_t *value);

/** Replaces *value, which is not negative, by the largest over the ranks; NaN is larger than all.
 *  @collective ctx */
wal_status wal_ctx_largest_real(wal_ctx *ctx, double *value);

/** Replaces `count` numbers by those of rank `root`, the same bits. @collective ctx */
wal_status wal_ctx_share_reals(wal_ctx *ctx, int root, int64_t count, double *values);

/** Ends all processes of the job with the status' exit status: for programs, where a rank can
 *  neither carry on nor tell the others. */
_Noreturn void wal_ctx_abort(wal_ctx *ctx, wal_status status);

/** Seconds of a steady clock. */
double wal_clock(void);

/** In rank-local code: pass a failure up. */
#define WAL_TRY(expr)                                      \
  do {                                                     \
    wal_status wal_try_status_ = (expr);                   \
    if (wal_try_status_ != WAL_OK) return wal_try_status_; \
  } while (0)

/** Before a collective region: all ranks pass the same failure up, or none does. */
#define WAL_TRY_ALL(ctx, expr) WAL_TRY(wal_agree((ctx), (expr)))

/** In functions that own memory: note the failure in `status` and leave by the one exit label. */
#define WAL_TRY_GOTO(expr)              \
  do {                                  \
    status = (expr);                    \
    if (status != WAL_OK) goto cleanup; \
  } while (0)

/** What a rank has exchanged with others in this context. */
typedef struct wal_traffic {
  int64_t bytes;       /**< sent to neighbours, received from collectives */
  int64_t messages;    /**< to neighbours */
  int64_t collectives; /**< gatherings and reductions */
} wal_traffic;

/** Notes an exchange; called by what exchanges. */
void wal_ctx_count_traffic(wal_ctx *ctx, int64_t bytes, int64_t messages, int64_t collectives);
/** This rank's traffic so far. */
wal_traffic wal_ctx_traffic(const wal_ctx *ctx);

/** Notes `bytes` more (or, negative, fewer) held in this context. */
void wal_ctx_count_memory(wal_ctx *ctx, int64_t bytes);

/** Bytes that this context may hold on this rank; beyond them wal_acquire() fails. 0: no limit. */
void wal_ctx_set_memory_limit(wal_ctx *ctx, int64_t bytes);
/** The limit, in bytes; 0: none. */
int64_t wal_ctx_memory_limit(const wal_ctx *ctx);

/**
 * Until wal_ctx_plan_end(), wal_acquire() gives addresses without memory behind them (pages appear
 * where something is written) and the limit does not hold: what creates large things can be run to
 * know their size. All of them must be released again before the end.
 */
void wal_ctx_plan_begin(wal_ctx *ctx);
/** The largest number of bytes that were held at once since wal_ctx_plan_begin(), beyond those held
 *  then. */
int64_t wal_ctx_plan_end(wal_ctx *ctx);
/** Whether a plan is being made: large arrays are then not to be filled. */
bool wal_ctx_planning(const wal_ctx *ctx);
/** Bytes held now in this context on this rank. */
int64_t wal_ctx_memory(const wal_ctx *ctx);
/** Largest number of bytes held at once in this context on this rank. */
int64_t wal_ctx_peak_memory(const wal_ctx *ctx);

#endif
