// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/rows.h"

enum { LAST = 3 };

bool wal_row_shown(FILE *out, int64_t row, int64_t rows, int64_t most, const char *where) {
  if (rows <= most || row < most - LAST || row >= rows - LAST) return true;
  if (row == most - LAST)
    fprintf(out, "  ...  (%lld more are %s%s)\n", (long long)(rows - most),
            where[0] == '/' ? "in the file: " : "", where);
  return false;
}
