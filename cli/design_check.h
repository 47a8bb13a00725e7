// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_DESIGN_CHECK_H
#define WALRAS_CLI_DESIGN_CHECK_H

#include "cli/task.h"

/** Compares a design's gradient with differences: wal_task_type.check_gradients. */
wal_status wal_design_check_gradients(wal_job *job, int64_t directions);

#endif
