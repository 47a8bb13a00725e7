// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/rows.h"

#include <string.h>

enum { LAST = 3, LINE = 100, LEAST = 44 };

bool wal_row_shown(FILE *out, int64_t row, int64_t rows, int64_t most, const char *where) {
  if (rows <= most || row < most - LAST || row >= rows - LAST) return true;
  if (row == most - LAST)
    fprintf(out, "  ...  (%lld more are %s%s)\n", (long long)(rows - most),
            where[0] == '/' ? "in the file: " : "", where);
  return false;
}

void wal_print_wrapped(const char *text, int column) {
  const size_t room = column + LEAST < LINE ? (size_t)(LINE - column) : LEAST;
  while (strlen(text) > room) {
    size_t cut = room;
    while (cut > 0 && text[cut] != ' ') cut--;
    if (cut == 0) cut = strcspn(text, " ");
    printf("%.*s", (int)cut, text);
    text += cut + strspn(text + cut, " ");
    if (*text) printf("\n%*s", column, "");
  }
  printf("%s\n", text);
}
