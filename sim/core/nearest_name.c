// SPDX-License-Identifier: GPL-3.0-or-later
#include <ctype.h>
#include <string.h>

#include "sim/core/parameter.h"

enum { LONGEST_NAME = 63 };

static int least(int a, int b) { return a < b ? a : b; }

static bool same_letter(char a, char b) {
  return tolower((unsigned char)a) == tolower((unsigned char)b);
}

// Damerau-Levenshtein distance (optimal string alignment): insertions, deletions, substitutions,
// and swaps of neighbours each cost one. Three rows of the table are kept.
static int edit_distance(const char *a, int a_length, const char *b, int b_length) {
  int table[3][LONGEST_NAME + 1];
  for (int j = 0; j <= b_length; j++) table[0][j] = j;
  for (int i = 1; i <= a_length; i++) {
    int *row = table[i % 3];
    const int *above = table[(i + 2) % 3];
    const int *two_above = table[(i + 1) % 3];
    row[0] = i;
    for (int j = 1; j <= b_length; j++) {
      int cost = same_letter(a[i - 1], b[j - 1]) ? 0 : 1;
      row[j] = least(above[j - 1] + cost, least(above[j], row[j - 1]) + 1);
      if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) && same_letter(a[i - 2], b[j - 1]))
        row[j] = least(row[j], two_above[j - 2] + 1);
    }
  }
  return table[a_length % 3][b_length];
}

const char *wal_nearest_name(const char *name, int64_t count,
                             const char *(*name_at)(const void *user, int64_t i),
                             const void *user) {
  size_t length = strlen(name);
  if (length > LONGEST_NAME) return NULL;
  const char *nearest = NULL;
  int best = 2 + (int)length / 3;  // one more than is allowed
  for (int64_t i = 0; i < count; i++) {
    const char *candidate = name_at(user, i);
    size_t candidate_length = strlen(candidate);
    if (candidate_length > LONGEST_NAME) continue;
    int distance = edit_distance(name, (int)length, candidate, (int)candidate_length);
    if (distance < best) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}
