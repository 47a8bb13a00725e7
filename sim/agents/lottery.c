// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/agents/lottery.h"

#include <string.h>

#include "sim/agents/hypergeometric.h"
#include "sim/core/memory.h"

/* Tables of counts have about 2^15 places; 1 to 12 bits of the keys are read at a time. */
enum { TABLE_BITS = 15, MOST_BITS = 12, MOST_LOTS = 1 << 24, WORDS = 3, UNDECIDED = 2 };

/* A seed of the lot's own. */
static uint64_t lot_seed(const wal_lot *lot, wal_purpose purpose) {
  const wal_random_words w = wal_random(lot->seed, purpose, lot->number, lot->stage, lot->draw);
  return (uint64_t)w.word[0] << 32 | w.word[1];
}

// ---- Agents one by one ------------------------------------------------------------------------

typedef struct lottery {
  wal_ctx *ctx;
  int lots, bits;
  uint64_t *seed; /**< [lots] */
  int64_t *want;  /**< [lots]: winners still to be found among the undecided */
  int *limit;     /**< [lots]: undecided agents with a digit below win; -1: nobody is undecided */
  bool *all;      /**< [lots]: those with this digit win, too; else they remain undecided */
  int64_t *table; /**< [lots][2^bits] */
  int64_t count;
  const int64_t *agent;
  const int32_t *lot_of;
  uint64_t *word; /**< [count]: what digits are read from */
  unsigned char *won;
} lottery;

/* The 192 bits that agents are in order of: two words at random, then the agent's number. */
static void read_words(lottery *l, int which) {
  for (int64_t i = 0; i < l->count; i++) {
    if (l->won[i] != UNDECIDED) continue;
    const uint64_t agent = (uint64_t)l->agent[i];
    if (which == 2) {
      l->word[i] = agent;
      continue;
    }
    const uint64_t seed = l->seed[l->lot_of[i]];
    const wal_random_words w = wal_random(seed, WAL_PURPOSE_LOTTERY_KEY, agent, 0, 0);
    l->word[i] = (uint64_t)w.word[2 * which] << 32 | w.word[2 * which + 1];
  }
}

static int digit(const lottery *l, int64_t i, int done) {
  const int shift = 64 - done - l->bits;
  const uint64_t mask = (UINT64_C(1) << l->bits) - 1;
  return (int)((shift >= 0 ? l->word[i] >> shift : l->word[i] << -shift) & mask);
}

/* Finds where the winners of a lot end. */
static void find_limit(lottery *l, int lot) {
  const int64_t *row = l->table + ((int64_t)lot << l->bits);
  int d = 0;
  while (l->want[lot] > row[d]) l->want[lot] -= row[d++];
  l->limit[lot] = d;
  l->all[lot] = l->want[lot] == row[d];
}

/* One digit of the keys; *left: whether some lot is still undecided. @collective */
static wal_status sift(lottery *l, int done, bool *left) {
  const int64_t places = (int64_t)l->lots << l->bits;
  memset(l->table, 0, (size_t)places * sizeof *l->table);
  for (int64_t i = 0; i < l->count; i++)
    if (l->won[i] == UNDECIDED) l->table[((int64_t)l->lot_of[i] << l->bits) + digit(l, i, done)]++;
  WAL_TRY(wal_ctx_sum_integers(l->ctx, (int)places, l->table));
  for (int lot = 0; lot < l->lots; lot++)
    if (l->limit[lot] >= 0) find_limit(l, lot);
  for (int64_t i = 0; i < l->count; i++) {
    if (l->won[i] != UNDECIDED) continue;
    const int lot = l->lot_of[i], d = digit(l, i, done), limit = l->limit[lot];
    if (d < limit || (d == limit && l->all[lot])) l->won[i] = 1;
    if (d > limit) l->won[i] = 0;
  }
  *left = false;
  for (int lot = 0; lot < l->lots; lot++) {
    if (l->limit[lot] >= 0 && l->all[lot]) l->limit[lot] = -1;
    *left = *left || l->limit[lot] >= 0;
  }
  return WAL_OK;
}

/* Lots that all, or none, of the agents win need no draw. @collective */
static wal_status sort_out(lottery *l, const int64_t *winners, bool *left) {
  int64_t *members = l->table;
  memset(members, 0, (size_t)l->lots * sizeof *members);
  for (int64_t i = 0; i < l->count; i++) members[l->lot_of[i]]++;
  WAL_TRY(wal_ctx_sum_integers(l->ctx, l->lots, members));
  *left = false;
  for (int lot = 0; lot < l->lots; lot++) {
    if (winners[lot] < 0 || winners[lot] > members[lot])
      return wal_fail(l->ctx, WAL_EINTERNAL, "a lottery of %lld agents has %lld winners",
                      (long long)members[lot], (long long)winners[lot]);
    const bool open = winners[lot] > 0 && winners[lot] < members[lot];
    l->want[lot] = winners[lot];
    l->limit[lot] = open ? 0 : -1;
    *left = *left || open;
  }
  for (int64_t i = 0; i < l->count; i++) {
    const int lot = l->lot_of[i];
    l->won[i] = l->limit[lot] >= 0 ? UNDECIDED : winners[lot] > 0;
  }
  return WAL_OK;
}

static wal_status acquire(lottery *l, const wal_lot *lot) {
  const int64_t lots = l->lots;
  while (l->bits < MOST_BITS && lots << (l->bits + 1) <= 1 << TABLE_BITS) l->bits++;
  WAL_TRY(wal_acquire(l->ctx, "lottery", lots, sizeof *l->seed, &l->seed));
  WAL_TRY(wal_acquire(l->ctx, "lottery", lots, sizeof *l->want, &l->want));
  WAL_TRY(wal_acquire(l->ctx, "lottery", lots, sizeof *l->limit, &l->limit));
  WAL_TRY(wal_acquire(l->ctx, "lottery", lots, sizeof *l->all, &l->all));
  WAL_TRY(wal_acquire(l->ctx, "lottery", lots << l->bits, sizeof *l->table, &l->table));
  WAL_TRY(wal_acquire(l->ctx, "lottery", l->count, sizeof *l->word, &l->word));
  for (int i = 0; i < l->lots; i++) l->seed[i] = lot_seed(&lot[i], WAL_PURPOSE_LOTTERY_KEY);
  return WAL_OK;
}

static void release(lottery *l) {
  wal_release(l->ctx, &l->seed);
  wal_release(l->ctx, &l->want);
  wal_release(l->ctx, &l->limit);
  wal_release(l->ctx, &l->all);
  wal_release(l->ctx, &l->table);
  wal_release(l->ctx, &l->word);
}

wal_status wal_lottery_hold(wal_ctx *ctx, int lots, const wal_lot *lot, const int64_t *winners,
                            int64_t count, const int64_t *agent, const int32_t *lot_of,
                            unsigned char *won) {
  lottery l = {.ctx = ctx,
               .lots = lots,
               .bits = 1,
               .count = count,
               .agent = agent,
               .lot_of = lot_of,
               .won = won};
  bool left = false;
  if (lots == 0) return WAL_OK;
  if (lots < 0 || lots > MOST_LOTS)
    return wal_fail(ctx, WAL_EINTERNAL, "expected at most %d lotteries at once, got %d", MOST_LOTS,
                    lots);
  wal_status status = acquire(&l, lot);
  WAL_TRY_GOTO(wal_agree(ctx, status));
  WAL_TRY_GOTO(sort_out(&l, winners, &left));
  for (int which = 0; which < WORDS && left; which++) {
    read_words(&l, which);
    for (int done = 0; done < 64 && left; done += l.bits) WAL_TRY_GOTO(sift(&l, done, &left));
  }
  if (left) status = wal_fail(ctx, WAL_EINTERNAL, "an agent is in the same lottery twice");
cleanup:
  release(&l);
  return status;
}

// ---- Agents counted by class ------------------------------------------------------------------

typedef struct sharing {
  uint64_t seed, set;
  const int64_t *members;
  int64_t *drawn;
} sharing;

static int64_t sum(const int64_t *members, int64_t count) {
  int64_t total = 0;
  for (int64_t i = 0; i < count; i++) total += members[i];
  return total;
}

/* Node 1 is all classes, 2n and 2n + 1 the halves of node n. */
static void halve(const sharing *s, uint64_t node, int64_t first, int64_t count, int64_t total,
                  int64_t winners) {
  if (count == 1) {
    s->drawn[first] = winners;
  } else if (winners == 0 || winners == total) {
    for (int64_t i = first; i < first + count; i++) s->drawn[i] = winners ? s->members[i] : 0;
  } else {
    const int64_t half = count / 2, left = sum(s->members + first, half);
    wal_stream stream = {
        .seed = s->seed, .purpose = WAL_PURPOSE_LOTTERY_SHARE, .item = s->set << 32 | node};
    const int64_t won = wal_hypergeometric(&stream, left, total - left, winners);
    halve(s, 2 * node, first, half, left, won);
    halve(s, 2 * node + 1, first + half, count - half, total - left, winners - won);
  }
}

void wal_lottery_share(const wal_lot *lot, uint32_t set, int64_t count, const int64_t *members,
                       int64_t winners, int64_t *drawn) {
  const sharing s = {.seed = lot_seed(lot, WAL_PURPOSE_LOTTERY_SHARE),
                     .set = set,
                     .members = members,
                     .drawn = drawn};
  halve(&s, 1, 0, count, sum(members, count), winners);
}
