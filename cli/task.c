// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/task.h"

#include <string.h>

extern const wal_task_type wal_task_simulate, wal_task_solve, wal_task_sweep;

static const wal_task_type *const TASKS[] = {&wal_task_solve, &wal_task_simulate, &wal_task_sweep};

int64_t wal_task_count(void) { return (int64_t)(sizeof TASKS / sizeof TASKS[0]); }

const wal_task_type *wal_task_at(int64_t index) { return TASKS[index]; }

const wal_task_type *wal_task_find(const char *name) {
  for (int64_t i = 0; i < wal_task_count(); i++)
    if (strcmp(TASKS[i]->component.name, name) == 0) return TASKS[i];
  return NULL;
}
