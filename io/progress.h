// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_IO_PROGRESS_H
#define WALRAS_IO_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/** How a run says on stderr where it stands. */
typedef enum wal_progress_style {
  WAL_PROGRESS_NONE,
  WAL_PROGRESS_BAR,   /**< one line drawn over: for terminals */
  WAL_PROGRESS_LINES, /**< a line every few seconds */
  WAL_PROGRESS_JSON,  /**< a JSON object a line every few seconds, and the end */
} wal_progress_style;

/** Bar if `out` is a terminal and NO_COLOR is not set, else lines; `quiet` and `json` go first. */
wal_progress_style wal_progress_choose(FILE *out, bool quiet, bool json);

typedef struct wal_progress {
  FILE *out;
  wal_progress_style style;
  const char *task;
  const char *noun; /**< what is counted: "iteration", unless changed */
  double last; /**< seconds of the last report */
  bool drawn;  /**< a bar stands on the line */
} wal_progress;

wal_progress wal_progress_start(FILE *out, wal_progress_style style, const char *task);

/**
 * Where the run stands. Writes at most some times a second (bar) or every five seconds.
 * @param done,total  iterations
 * @param figure      what is watched, as exploitability, named `name`
 * @param seconds     since the start
 */
void wal_progress_report(wal_progress *progress, int64_t done, int64_t total, const char *name,
                         double figure, double seconds);

/** Removes the bar; in JSON writes the end with the last figure. */
void wal_progress_end(wal_progress *progress, int64_t done, const char *name, double figure,
                      double seconds);

#endif
