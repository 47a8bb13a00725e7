// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_RLHF_PREFERENCES_H
#define WALRAS_RLHF_PREFERENCES_H

#include "rlhf/bandit.h"

/** A comparison: of two responses to a prompt, which was preferred, and who proposed the first. */
typedef struct wal_preference {
  int64_t prompt, first, second;
  bool won; /**< the first was preferred */
  int arm;
} wal_preference;

/** Comparisons in memory that is given, which grow at their end: a number each. */
typedef struct wal_preferences {
  int64_t responses, arms;
  double *memory; /**< how many there are, then the comparisons */
} wal_preferences;

/** Numbers of memory for so many comparisons. */
int64_t wal_preferences_size(int64_t room);
/** Whether comparisons of this shape fit into a number each. */
bool wal_preferences_fit(int64_t prompts, int64_t responses, int64_t arms);
int64_t wal_preferences_count(const wal_preferences *preferences);
void wal_preferences_add(wal_preferences *preferences, const wal_preference *preference);
wal_preference wal_preferences_at(const wal_preferences *preferences, int64_t index);

#endif
