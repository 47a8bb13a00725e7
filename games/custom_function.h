// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_GAMES_CUSTOM_FUNCTION_H
#define WALRAS_GAMES_CUSTOM_FUNCTION_H

#include "sim/core/parameter.h"

/* For custom*.c only: the functions of a scripted game, called and checked. */

enum { WAL_CUSTOM_MOST_CALLS = 100000000, WAL_CUSTOM_MOST_SECONDS = 300 };

/** One of the game's functions, and its call. */
typedef struct wal_custom_function {
  const wal_function *function; /**< NULL: left out */
  char expected[64];            /**< for error texts */
  wal_call call;
} wal_custom_function;

/** The parameter `name`: a function of (h, s, a) that gives numbers. */
wal_custom_function wal_custom_function_of(const wal_params *params, const char *name,
                                           int64_t least, int64_t most, const char *expected);
/** From now on exactly so many numbers are expected. */
void wal_custom_expect(wal_custom_function *f, int64_t count);

/** Calls f with (h, s, a), also k if it takes four numbers, and the array if it has one. Results
 *  are in f->call. */
static inline wal_status wal_custom_ask(wal_ctx *ctx, wal_custom_function *f, int h, int64_t s,
                                        int a) {
  f->call.expected = f->expected;
  f->call.arguments[0] = h;
  f->call.arguments[1] = (double)s;
  f->call.arguments[2] = a;
  return f->function->invoke(ctx, f->function, &f->call);
}

/** Fails with `FILE:LINE: custom: NAME(h=0, s=3, a=1): ` before the text. */
wal_status wal_custom_refuse(wal_ctx *ctx, const wal_custom_function *f, wal_status status,
                             const char *format, ...) __attribute__((format(printf, 4, 5)));

/** Refuses results of the last call that are not finite (WAL_ENONFINITE). */
wal_status wal_custom_check_finite(wal_ctx *ctx, const wal_custom_function *f);
/** ... that are no distribution: negative, or their sum off 1 by more than 1e-9 (WAL_EINPUT). */
wal_status wal_custom_check_distribution(wal_ctx *ctx, const wal_custom_function *f);

/** Calls that are made before the game starts: how many, and since when. */
typedef struct wal_custom_clock {
  const wal_params *params;
  double start;
} wal_custom_clock;

/** Refuses more than WAL_CUSTOM_MOST_CALLS calls of one function. */
wal_status wal_custom_check_calls(wal_ctx *ctx, const wal_params *params, const char *name,
                                  int64_t stages, int64_t states, int64_t others);
/** Refuses to go on after WAL_CUSTOM_MOST_SECONDS. */
wal_status wal_custom_check_clock(wal_ctx *ctx, const wal_custom_clock *clock);

#endif
