// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_CORE_STATUS_H
#define WALRAS_SIM_CORE_STATUS_H

/** The one list of outcomes: code, exit status of the program (sysexits.h where it has one), text.
 */
#define WAL_STATUS_LIST(X)                                         \
  X(WAL_OK, 0, "success")                                          \
  X(WAL_ENOCONV, 2, "stopped before convergence was reached")      \
  X(WAL_ENONFINITE, 3, "a non-finite value appeared")              \
  X(WAL_EUSAGE, 64, "wrong usage of the command line")             \
  X(WAL_EINPUT, 65, "invalid input")                               \
  X(WAL_ENOTFOUND, 66, "no such input file")                       \
  X(WAL_EUNAVAILABLE, 69, "a program that is needed is not there") \
  X(WAL_EINTERNAL, 70, "internal error")                           \
  X(WAL_ECREATE, 73, "cannot create the output")                   \
  X(WAL_EIO, 74, "input/output error")                             \
  X(WAL_ESTOPPED, 75, "stopped on request; resume continues it")

/** What a call came to: WAL_OK, or why it failed. */
typedef enum wal_status {
#define WAL_STATUS_ENUM(code, exit_status, text) code,
  WAL_STATUS_LIST(WAL_STATUS_ENUM)
#undef WAL_STATUS_ENUM
      WAL_STATUS_COUNT
} wal_status;

/** Name of the code, as "WAL_EINPUT". Never NULL. */
const char *wal_status_name(wal_status status);
/** One line of English. Never NULL. */
const char *wal_status_text(wal_status status);
/** Exit status a program ends with. */
int wal_status_exit(wal_status status);

#endif
