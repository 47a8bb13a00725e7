// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/learn/solve.h"

#include <math.h>
#include <string.h>

#include "sim/core/memory.h"

static const double ROUND_OFF = 1e-14;  // of a difference of two values, relative to them

/* All ranks grow the trace at the same row, and agree on it there. */
static wal_status grow(wal_ctx *ctx, wal_trace *trace) {
  wal_measure *rows = NULL;
  double *times = NULL;
  const int64_t more = trace->capacity * 2 + 64;
  wal_status status = wal_acquire(ctx, "trace", more, sizeof *rows, &rows);
  if (status == WAL_OK) status = wal_acquire(ctx, "trace", more, sizeof *times, &times);
  status = wal_agree(ctx, status);
  if (status != WAL_OK) {
    wal_release(ctx, &rows);
    wal_release(ctx, &times);
    return status;
  }
  if (trace->count > 0) {
    memcpy(rows, trace->rows, (size_t)trace->count * sizeof *rows);
    memcpy(times, trace->seconds, (size_t)trace->count * sizeof *times);
  }
  wal_trace_free(ctx, trace);
  trace->rows = rows;
  trace->seconds = times;
  trace->capacity = more;
  return WAL_OK;
}

static wal_status add_row(wal_ctx *ctx, wal_trace *trace, const wal_measure *measure,
                          double seconds) {
  if (trace->count == trace->capacity) WAL_TRY(grow(ctx, trace));
  trace->rows[trace->count] = *measure;
  trace->seconds[trace->count] = seconds;
  if (measure->exploitability < trace->rows[trace->best].exploitability) trace->best = trace->count;
  trace->count++;
  return WAL_OK;
}

void wal_trace_free(wal_ctx *ctx, wal_trace *trace) {
  wal_release(ctx, &trace->rows);
  wal_release(ctx, &trace->seconds);
}

/* Whether a measurement meets all that was asked for, and something was. */
static bool meets(const wal_stop *stop, const wal_measure *start, const wal_measure *now) {
  const double slack = ROUND_OFF * fabs(now->value);
  const bool plain = stop->absolute > 0 || stop->relative > 0, soft = stop->regularized > 0;
  if (plain &&
      !(now->exploitability <= stop->absolute + stop->relative * start->exploitability + slack))
    return false;
  if (soft && !(now->soft_exploitability <= stop->regularized + slack)) return false;
  return plain || soft;
}

wal_status wal_solve(wal_learner *learner, const wal_stop *stop, wal_solve_report report,
                     void *user, wal_trace *trace) {
  wal_ctx *ctx = learner->space->ctx;
  const double start = wal_clock();
  const wal_traffic before = wal_ctx_traffic(ctx);
  bool careful = false;  // the last measurement met the tolerance, but its policy is gone
  trace->tolerance = stop->absolute > 0 || stop->relative > 0 || stop->regularized > 0;
  for (int64_t k = 0;; k++) {
    const bool last = k == stop->iterations;
    const bool measure = last || careful || k % stop->every == 0;
    const bool update = !last && !careful;
    bool met = false;
    wal_measure now;
    WAL_TRY(wal_learner_sweep(learner, measure, update, &now));
    if (measure) {
      now.iteration = k;
      WAL_TRY(add_row(ctx, trace, &now, wal_clock() - start));
      met = meets(stop, &trace->rows[0], &now);
    }
    if (report) report(user, trace, measure);
    trace->converged = met && !update;
    const wal_traffic after = wal_ctx_traffic(ctx);
    trace->traffic = (wal_traffic){.bytes = after.bytes - before.bytes,
                                   .messages = after.messages - before.messages,
                                   .collectives = after.collectives - before.collectives};
    if (trace->converged || last) return WAL_OK;
    if (!update) WAL_TRY(wal_learner_sweep(learner, false, true, &now));
    careful = met;
  }
}
