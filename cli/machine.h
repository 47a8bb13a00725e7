// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_MACHINE_H
#define WALRAS_CLI_MACHINE_H

#include <stddef.h>
#include <stdint.h>

/** Bytes of memory that all processes of this container, or machine, may hold together: the least
 *  of the physical memory and the limits of the control groups that this process is in. */
int64_t wal_machine_memory(void);

/** Bytes that this process alone may hold (RLIMIT_AS), INT64_MAX without a limit. */
int64_t wal_machine_process_memory(void);

/** "12.3 MiB", with the unit that fits, into buffer, which is returned. 32 bytes are enough. */
const char *wal_size_text(double bytes, char *buffer, size_t size);

#endif
