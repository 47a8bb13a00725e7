// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_ROWS_H
#define WALRAS_CLI_ROWS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/**
 * Whether a printed table shows this row: all do if there are at most `most`, else only the first
 * ones and the last three. In place of the first row that is left out it prints how many are, and
 * where they stand.
 * @param most   at least 4
 * @param where  a path in the run file, or a text as "in the scenario"
 */
bool wal_row_shown(FILE *out, int64_t row, int64_t rows, int64_t most, const char *where);

/** Prints a text, from the column that the cursor is in, broken into lines of at most 100 columns
 *  (but of at least 44 bytes), and ends the line. */
void wal_print_wrapped(const char *text, int column);

#endif
