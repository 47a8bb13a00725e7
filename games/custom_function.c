// SPDX-License-Identifier: GPL-3.0-or-later
#include "games/custom_function.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sim/core/memory.h"

static const double SUM_TOLERANCE = 1e-9;

wal_custom_function wal_custom_function_of(const wal_params *params, const char *name,
                                           int64_t least, int64_t most, const char *expected) {
  static const char *const ARGUMENTS[] = {"h", "s", "a", "k"};
  wal_custom_function f = {.function = wal_params_function(params, name)};
  snprintf(f.expected, sizeof f.expected, "%s", expected);
  f.call = (wal_call){.owner = "custom",
                      .name = name,
                      .argument_name = ARGUMENTS,
                      .argument_count = 3,
                      .least = least,
                      .most = most};
  return f;
}

void wal_custom_expect(wal_custom_function *f, int64_t count) {
  f->call.least = f->call.most = count;
  snprintf(f->expected, sizeof f->expected, "%lld number%s as at h=0, s=0, a=0", (long long)count,
           count == 1 ? "" : "s");
}

wal_status wal_custom_refuse(wal_ctx *ctx, const wal_custom_function *f, wal_status status,
                             const char *format, ...) {
  char text[256], where[640];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  return wal_fail(ctx, status, "%s%s",
                  f->function->place(f->function, &f->call, where, sizeof where), text);
}

wal_status wal_custom_check_finite(wal_ctx *ctx, const wal_custom_function *f) {
  char got[32];
  for (int64_t i = 0; i < f->call.count; i++)
    if (!isfinite(f->call.results[i]))
      return wal_custom_refuse(ctx, f, WAL_ENONFINITE, "expected %s, got %s",
                               f->call.count == 1 ? "a finite number" : "finite numbers",
                               wal_number_text(f->call.results[i], got, sizeof got));
  return WAL_OK;
}

wal_status wal_custom_check_distribution(wal_ctx *ctx, const wal_custom_function *f) {
  const double *p = f->call.results;
  char got[32];
  double sum = 0;
  for (int64_t i = 0; i < f->call.count; i++) {
    if (p[i] < 0)
      return wal_custom_refuse(ctx, f, WAL_EINPUT, "expected no negative probability, got %s",
                               wal_number_text(p[i], got, sizeof got));
    sum += p[i];
  }
  if (fabs(sum - 1) <= SUM_TOLERANCE) return WAL_OK;
  return wal_custom_refuse(ctx, f, WAL_EINPUT, "expected probabilities with sum 1, got the sum %s",
                           wal_number_text(sum, got, sizeof got));
}

wal_status wal_custom_check_calls(wal_ctx *ctx, const wal_params *params, const char *name,
                                  int64_t stages, int64_t states, int64_t others) {
  int64_t calls = 0;
  if (wal_multiply(stages, states, &calls) && wal_multiply(calls, others, &calls) &&
      calls <= WAL_CUSTOM_MOST_CALLS)
    return WAL_OK;
  return wal_params_fail(ctx, params, name,
                         "expected at most %d calls for one table, got %lld stages x %lld states x "
                         "%lld; a game of this size is written in C (docs/extending.md)",
                         WAL_CUSTOM_MOST_CALLS, (long long)stages, (long long)states,
                         (long long)others);
}

wal_status wal_custom_check_clock(wal_ctx *ctx, const wal_custom_clock *clock) {
  if (wal_clock() - clock->start <= WAL_CUSTOM_MOST_SECONDS) return WAL_OK;
  return wal_params_fail(ctx, clock->params, NULL,
                         "expected functions that can be tried on all states, actions and stages "
                         "within %d s",
                         WAL_CUSTOM_MOST_SECONDS);
}
