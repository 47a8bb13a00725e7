// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_ERROR_H
#define WALRAS_CLI_ERROR_H

#include <stdbool.h>

#include "sim/core/status.h"

/** The one line on stderr that says why the program fails: the text, or a JSON object with it. */
void wal_error_print(bool json, wal_status status, const char *text);

/** A line on stderr that begins with `walras: warning: `, or a JSON object. */
void wal_warning_print(bool json, const char *text);

/** Flushes stdout; if that, or a write before, failed (a full disk, a closed pipe), says so once if
 *  `report` and returns true: the results have not reached whoever asked for them. */
bool wal_output_lost(bool report);

#endif
