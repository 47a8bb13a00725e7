// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_IO_LIVE_H
#define WALRAS_IO_LIVE_H

#include <stdio.h>

#include "io/json.h"
#include "sim/core/context.h"

/*
 * The live view of a run: RUN.progress.jsonl beside RUN.h5, lines of JSON that rank 0 appends while
 * the run goes on, each with one write(2), so that they stay when it is killed. docs/run-file.md
 * has the format. The file is made when the run has lasted a second, and removed when it ends well.
 */

enum { WAL_LIVE_PATH = 4352, WAL_LIVE_VERSION = 1 };

/** What the first line says; the texts must outlive the run. */
typedef struct wal_live_head {
  const char *task, *game, *learner; /**< NULL: none */
  const char *noun;                  /**< what is counted: "iteration" */
  const char *figure;                /**< what is watched: "exploitability"; NULL: nothing */
  int64_t from, total;               /**< where it begins, and how many there will be at most */
  int64_t seed;
  int ranks;
  const char *command;
} wal_live_head;

/** Where a run stands. */
typedef struct wal_live_row {
  int64_t done;
  double figure, regularized, value; /**< NaN: left out */
  double seconds;
} wal_live_row;

/** Zero: off, all calls do nothing. Of rank 0. */
typedef struct wal_live {
  bool on, resumed, opened, failed, held;
  wal_ctx *ctx;
  char path[WAL_LIVE_PATH];
  wal_live_head head;
  double started; /**< wal_clock() of the program's start */
  int file;
  wal_live_row row[2]; /**< the first, the last */
  int64_t rows;        /**< reported */
  double written;      /**< seconds of the last row in the file */
} wal_live;

/** Name of a run's live view into out[WAL_LIVE_PATH]. */
const char *wal_live_name(const char *run, char *out);

/** Begins; a file of an earlier run goes unless `resumed`. A file that cannot be written is one
 *  warning, and no failure. */
void wal_live_begin(wal_live *live, wal_ctx *ctx, const char *run, bool resumed, double started,
                    const wal_live_head *head);
/** Writes ten lines a second at most, and fewer the longer the run takes. NULL is let pass: a job
 *  without a live view. */
void wal_live_report(wal_live *live, const wal_live_row *row);
/** Ends: with `event` NULL the file goes, else its last lines are the last row and the event, as
 *  "stopped" or "failed", with a reason. */
void wal_live_end(wal_live *live, const char *event, const char *reason);
/** From another rank, when the job is about to be ended: adds the event to the run's live view if
 *  there is one and it can be written. */
void wal_live_add_event(const char *run, const char *event, const char *reason);

/** Ticks from the machine's start to that of a process, which tell it from a later one of the same
 *  number; -1 if there is none such, or the system does not say. */
int64_t wal_live_process_start(int64_t process);

/** The process of this machine that, as the live view has it, is writing the run file just now; -1
 *  if there is none, or that is not known. Rank-local. */
int64_t wal_live_owner(wal_ctx *ctx, const char *run);

/**
 * Prints what is known of a run that has not written its run file: from its live view and its
 * checkpoint of iteration `newest` (-1: none). Rank-local. WAL_ENOTFOUND if there is neither,
 * WAL_EIO if the live view is none and there is no checkpoint.
 */
wal_status wal_live_describe(wal_ctx *ctx, const char *run, int64_t newest, FILE *out);

#endif
