// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/core/status.h"

#include <stddef.h>

static const struct {
  const char *name, *text;
  int exit_status;
} STATUS[] = {
#define WAL_STATUS_ROW(code, exit_status, text) {#code, text, exit_status},
    WAL_STATUS_LIST(WAL_STATUS_ROW)
#undef WAL_STATUS_ROW
};

static size_t status_index(wal_status status) {
  return (unsigned)status < WAL_STATUS_COUNT ? (size_t)status : (size_t)WAL_EINTERNAL;
}

const char *wal_status_name(wal_status status) { return STATUS[status_index(status)].name; }
const char *wal_status_text(wal_status status) { return STATUS[status_index(status)].text; }
int wal_status_exit(wal_status status) { return STATUS[status_index(status)].exit_status; }
