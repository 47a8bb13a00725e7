// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_CONTROL_H
#define WALRAS_CLI_CONTROL_H

#include "sim/core/context.h"

/** How often, as the command line has it: "10m", "90s", "2h", "500it". Zeros: never. */
typedef struct wal_cadence {
  double seconds;
  int64_t iterations;
} wal_cadence;

/** Reads "10m|500it" (with `times_only` no iterations); false if it is neither. */
bool wal_cadence_read(const char *text, bool times_only, wal_cadence *out);

/** What a run does between two iterations. */
typedef enum wal_order {
  WAL_ORDER_GO_ON,
  WAL_ORDER_SAVE, /**< write a checkpoint */
  WAL_ORDER_STOP, /**< write one and end */
} wal_order;

/** Why it stops; the text is for people. */
typedef enum wal_reason {
  WAL_REASON_NONE,
  WAL_REASON_SIGNAL,
  WAL_REASON_FILE,
  WAL_REASON_WALLTIME,
} wal_reason;

/**
 * Decides when a run writes checkpoints and when it stops: by its cadence; at SIGUSR1, SIGUSR2,
 * SIGTERM or SIGINT on any rank; when a file STOP, or NAME.STOP for the run file NAME.h5, appears
 * in the run file's folder; early enough before `walltime`. All ranks decide alike.
 */
typedef struct wal_control {
  wal_ctx *ctx;
  const char *run; /**< path of the run file */
  wal_cadence every;
  double walltime; /**< seconds since `started` that the job may take; 0: any */
  double started, saved_at;
  double save_seconds, save_guess;                /**< of a checkpoint: measured; before that */
  int64_t saved_iteration, asked_iteration, next; /**< next: iteration to ask at again */
  double asked_at, looked_at;
  wal_reason reason;
  bool nested;                    /**< a part of a job that has a control of its own */
  wal_reason (*told)(void *user); /**< on rank 0: whether another part of the job stops; or NULL */
  void *user;
} wal_control;

/** From now on SIGUSR1 and SIGUSR2 are noted and obeyed by the run that begins later: a job may be
 *  warned while it still sets up. */
void wal_control_listen(void);

/** Sets the signals' handlers. @param started  wal_clock() of the program's start */
wal_control wal_control_start(wal_ctx *ctx, const char *run, wal_cadence every, double walltime,
                              double started, int64_t iteration);
/** That of a part of a job, as a run of a sweep: leaves signals and STOP file to the job's own. */
wal_control wal_control_nested(wal_ctx *ctx, const char *run, wal_cadence every, double walltime,
                               double started, int64_t iteration);
/** SIGTERM and SIGINT end the program again, SIGUSR1 and SIGUSR2 are ignored: what is left is to
 *  write results. Removes the STOP file that was obeyed. */
void wal_control_end(wal_control *control);

/** What to do before iteration `iteration`. The ranks talk about it some fifty times a second at
 *  most. @collective */
wal_status wal_control_ask(wal_control *control, int64_t iteration, wal_order *out);

/** To be told how many bytes a checkpoint has before the first one was timed. */
void wal_control_expect(wal_control *control, double bytes);

/** To be told of a checkpoint: what it took decides how early before `walltime` the run stops. */
void wal_control_saved(wal_control *control, int64_t iteration, double seconds);

/** "a signal", "the file STOP", "--max-walltime". */
const char *wal_reason_text(wal_reason reason);

#endif
