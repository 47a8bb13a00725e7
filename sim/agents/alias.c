// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/agents/alias.h"

static const uint64_t WHOLE = UINT64_C(1) << 32;

/* Compensated (Kahan): with millions of things, plain rounding could exceed the largest share. */
static double sum(int64_t count, const double *p, int64_t step) {
  double total = 0, lost = 0;
  for (int64_t i = 0; i < count; i++) {
    const double term = p[i * step] - lost, next = total + term;
    lost = (next - total) - term;
    total = next;
  }
  return total;
}

/* Shares in 2^-32 of a cell, with the sum 2^32 * count. */
static void round_shares(int64_t count, const double *p, int64_t step, uint64_t *share) {
  const double total = sum(count, p, step);
  const double scale = total > 0 ? (double)count / total * 0x1p32 : 0;
  uint64_t given = 0;
  int64_t most = 0;
  for (int64_t i = 0; i < count; i++) {
    share[i] = (uint64_t)(p[i * step] * scale + 0.5);
    given += share[i];
    if (p[i * step] > p[most * step]) most = i;
  }
  share[most] += WHOLE * (uint64_t)count - given;
}

void wal_alias_build(int64_t count, const double *p, int64_t step, const wal_alias_room *room,
                     wal_alias *out) {
  uint64_t *share = room->share;
  int64_t small = 0,
          large = count;  // order[0 .. small) have less than a cell, [large .. count) not
  round_shares(count, p, step, share);
  for (int64_t i = 0; i < count; i++) {
    out[i] = (wal_alias){0, (uint32_t)i};
    if (share[i] < WHOLE)
      room->order[small++] = (uint32_t)i;
    else
      room->order[--large] = (uint32_t)i;
  }
  // The shares of the m things that are left always have the sum 2^32 m: those left at the end have
  // a cell each.
  while (small > 0 && large < count) {
    const uint32_t least = room->order[--small], giver = room->order[large];
    out[least] = (wal_alias){(uint32_t)share[least], giver};
    share[giver] -= WHOLE - share[least];
    if (share[giver] < WHOLE) {
      large++;
      room->order[small++] = giver;
    }
  }
}
