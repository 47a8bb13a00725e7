// SPDX-License-Identifier: GPL-3.0-or-later
#include "rlhf/preferences.h"

#include "sim/core/memory.h"

/* A comparison is the whole number (((s A + first) A + second) arms + arm) 2 + won. */

int64_t wal_preferences_size(int64_t room) { return 1 + room; }

bool wal_preferences_fit(int64_t prompts, int64_t responses, int64_t arms) {
  const int64_t most = (int64_t)1 << 53; /* whole numbers of a double */
  int64_t codes = 0;
  return wal_multiply(prompts, responses, &codes) && wal_multiply(codes, responses, &codes) &&
         wal_multiply(codes, arms, &codes) && codes <= most / 2;
}

int64_t wal_preferences_count(const wal_preferences *p) { return (int64_t)p->memory[0]; }

void wal_preferences_add(wal_preferences *p, const wal_preference *preference) {
  const int64_t pair = preference->prompt * p->responses + preference->first;
  const int64_t code = (pair * p->responses + preference->second) * p->arms + preference->arm;
  p->memory[1 + wal_preferences_count(p)] = (double)(2 * code + preference->won);
  p->memory[0]++;
}

wal_preference wal_preferences_at(const wal_preferences *p, int64_t index) {
  int64_t code = (int64_t)p->memory[1 + index];
  wal_preference out = {.won = code & 1};
  code >>= 1;
  out.arm = (int)(code % p->arms);
  code /= p->arms;
  out.second = code % p->responses;
  code /= p->responses;
  out.first = code % p->responses;
  out.prompt = code / p->responses;
  return out;
}
