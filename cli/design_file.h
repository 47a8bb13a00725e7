// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_DESIGN_FILE_H
#define WALRAS_CLI_DESIGN_FILE_H

#include "cli/task.h"
#include "incentives/design/design.h"
#include "sim/game/report.h"

/** A row to compare a design with, and the design's own. */
typedef struct wal_design_mark {
  const char *name;
  wal_assessment found;        /**< NaN where it was not assessed */
  const wal_report_form *form; /**< of what the game reports then; NULL if nothing */
  double *columns;             /**< [H][form->columns] */
  double *tables;              /**< [form->tables][H][A] */
} wal_design_mark;

enum { WAL_DESIGN_MARKS = 4 };

typedef struct wal_design_marks {
  int count;
  wal_design_mark row[WAL_DESIGN_MARKS];
} wal_design_marks;

/** Keeps what the game reports of the policy that a learner has. @collective */
wal_status wal_design_mark_note(wal_design_mark *mark, const wal_learner *learner);

/** Puts the reports of all rows into the file, beside /design/reference/row. @collective */
wal_status wal_design_marks_write_reports(wal_run_file *file, wal_ctx *ctx, const wal_game *game,
                                          const wal_design_marks *marks);

void wal_design_marks_free(wal_ctx *ctx, wal_design_marks *marks);

/** How a design ended. */
typedef struct wal_design_ending {
  wal_status status; /**< WAL_OK, or WAL_ENOCONV or WAL_ENONFINITE: before its last step */
  char reason[1024]; /**< then: in one line */
} wal_design_ending;

/** Puts the results of a design into a run file: scenario, axes, the solution and the game's report
 *  at the best parameters, and /design (docs/run-file.md).
 *  @param report  of the best parameters, whose policy wal_problem_learner() has; NULL: there is no
 *                 solution that is finite. @collective */
wal_status wal_design_file_write(wal_run_file *file, const wal_job *job, const wal_design *design,
                                 const wal_design_ending *ending, const wal_design_marks *marks,
                                 const wal_report *report);

/** Whether a path of such a file is that of a column of /design, a number a step, or what these
 *  need. */
bool wal_design_file_is_trace(const char *path);

/** Puts /run into it; of a restart only the seconds. @collective */
wal_status wal_design_file_write_run(wal_run_file *file, const wal_job *job,
                                     const wal_design *design);

#endif
