// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_SWEEP_PLAN_H
#define WALRAS_CLI_SWEEP_PLAN_H

#include "cli/sweep.h"

/** --dry-run: prints on rank 0 how many runs are done at once, the memory that one takes and the
 *  bytes of the file and which will fail because they do not
 * fit. @collective job->ctx */
wal_status wal_sweep_plan_print(wal_job *job, const wal_sweep *sweep);

#endif
