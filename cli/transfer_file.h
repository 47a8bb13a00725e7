// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_TRANSFER_FILE_H
#define WALRAS_CLI_TRANSFER_FILE_H

#include "cli/task.h"
#include "cli/transfer_summary.h"

/** Puts the scenario and /transfer (docs/run-file.md) into a run file. Every rank holds the same
 *  results. @collective job->ctx */
wal_status wal_transfer_file_write(wal_run_file *file, const wal_job *job,
                                   const wal_transfer_results *results);

#endif
