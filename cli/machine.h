// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_MACHINE_H
#define WALRAS_CLI_MACHINE_H

#include <stdint.h>

/** Bytes of memory that all processes of this container, or machine, may hold together: the least
 *  of the physical memory and the limits of the control groups that this process is in. */
int64_t wal_machine_memory(void);

/** Bytes that this process alone may hold (RLIMIT_AS), INT64_MAX without a limit. */
int64_t wal_machine_process_memory(void);

#endif
