// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_ERROR_H
#define WALRAS_CLI_ERROR_H

#include <stdbool.h>

#include "sim/core/status.h"

/** The one line on stderr that says why the program fails: the text, or a JSON object with it. */
void wal_error_print(bool json, wal_status status, const char *text);

#endif
