// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/agents/cuts.h"

#include <string.h>

#include "sim/agents/lottery.h"
#include "sim/core/memory.h"
#include "sim/core/random.h"

/* The table of lots has at most 2^16 places, or 16 a class, so that at most every 16th agent is set
 * aside; so few agents a place are not worth a finer one. */
enum { TABLE = 1 << 16, LEAST = 16, MOST_BITS = 12, FEW = 64, CHUNK = 512 };

struct wal_cuts_scratch {
  int64_t classes;
  int actions, outcomes;
  int32_t *slot_of; /**< [pairs]: the class's place among those that draw, or -1 */
  unsigned char
      *draws;        /**< [pairs]: slot_of is not -1; small enough to be looked at by everybody */
  int32_t *slot;     /**< [C * A]: likewise */
  int64_t *class_of; /**< [slots] */
  int slots, bits;   /**< lots are told apart by their upper bits */
  int64_t places;    /**< the most that the table has */
  int64_t *table;    /**< [slots][2^bits]: members; then the boundary's number + 1, or 0 */
  /* boundaries: places of the table that a cut runs through */
  int boundaries;
  wal_lot *lot;    /**< [boundaries] */
  int64_t *quota;  /**< [boundaries][K]: outcomes of its members */
  int64_t *winner; /**< [boundaries] */
  /* their members, of this rank */
  int64_t room_members;
  int32_t *boundary; /**< of each exception */
  int64_t *left;     /**< exceptions without an outcome yet */
  int64_t *left_agent;
  int32_t *left_lot;
  unsigned char *won;
};

wal_status wal_cuts_create(const wal_crowd *crowd, wal_cuts *out) {
  const wal_arena *arena = crowd->plan.arena;
  const wal_shape *shape = &arena->space->game->shape;
  wal_ctx *ctx = crowd->ctx;
  *out = (wal_cuts){0};
  if (shape->contests == 0) return WAL_OK;
  WAL_TRY(wal_acquire(ctx, "contests of agents", 1, sizeof *out->scratch, &out->scratch));
  struct wal_cuts_scratch *s = out->scratch;
  s->classes = (int64_t)shape->contests * shape->actions;
  s->actions = shape->actions;
  s->outcomes = shape->outcomes;
  const int inner = shape->outcomes > 1 ? shape->outcomes - 1 : 1;
  WAL_TRY(wal_acquire(ctx, "contests of agents", s->classes * inner, sizeof *out->cut, &out->cut));
  WAL_TRY(wal_acquire(ctx, "contests of agents", arena->pairs, sizeof *s->slot_of, &s->slot_of));
  WAL_TRY(wal_acquire(ctx, "contests of agents", arena->pairs, 1, &s->draws));
  WAL_TRY(wal_acquire(ctx, "contests of agents", s->classes, sizeof *s->slot, &s->slot));
  WAL_TRY(wal_acquire(ctx, "contests of agents", s->classes, sizeof *s->class_of, &s->class_of));
  s->places = s->classes * LEAST > TABLE ? s->classes * LEAST : TABLE;
  const int64_t boundaries = s->classes * inner < s->places ? s->classes * inner : s->places;
  WAL_TRY(wal_acquire(ctx, "contests of agents", boundaries, sizeof *s->lot, &s->lot));
  WAL_TRY(wal_acquire(ctx, "contests of agents", boundaries, sizeof *s->winner, &s->winner));
  WAL_TRY(wal_acquire(ctx, "contests of agents", boundaries * s->outcomes, sizeof *s->quota,
                      &s->quota));
  return wal_acquire(ctx, "contests of agents", s->places, sizeof *s->table, &s->table);
}

void wal_cuts_destroy(const wal_crowd *crowd, wal_cuts *cuts) {
  wal_ctx *ctx = crowd->ctx;
  struct wal_cuts_scratch *s = cuts->scratch;
  if (!s) return;
  wal_release(ctx, &cuts->cut);
  wal_release(ctx, &cuts->agent);
  wal_release(ctx, &cuts->pair);
  wal_release(ctx, &cuts->outcome);
  wal_release(ctx, &s->slot_of);
  wal_release(ctx, &s->draws);
  wal_release(ctx, &s->slot);
  wal_release(ctx, &s->class_of);
  wal_release(ctx, &s->table);
  wal_release(ctx, &s->lot);
  wal_release(ctx, &s->quota);
  wal_release(ctx, &s->winner);
  wal_release(ctx, &s->boundary);
  wal_release(ctx, &s->left);
  wal_release(ctx, &s->left_agent);
  wal_release(ctx, &s->left_lot);
  wal_release(ctx, &s->won);
  wal_release(ctx, &cuts->scratch);
}

/* Cuts of classes of which all members get the same; the others get a slot. */
static void sort_out(const wal_crowd *crowd, wal_cuts *cuts) {
  struct wal_cuts_scratch *s = cuts->scratch;
  const uint32_t end = UINT32_C(1) << WAL_LOT_BITS;
  s->slots = 0;
  for (int64_t c = 0; c < s->classes; c++) {
    int with = 0, last = 0;
    for (int k = 0; k < s->outcomes; k++)
      if (crowd->left[k * s->classes + c] > 0) {
        with++;
        last = k;
      }
    s->slot[c] = -1;
    for (int k = 0; k + 1 < s->outcomes; k++)
      cuts->cut[c * (s->outcomes - 1) + k] = k < last ? 0 : end;
    if (with < 2) continue;
    s->class_of[s->slots] = c;
    s->slot[c] = s->slots++;
  }
}

/* Not by who ties: in a coarse table, too many others would be looked at who only might. */
static void choose_bits(struct wal_cuts_scratch *s, int64_t agents) {
  s->bits = 0;
  while (s->bits < MOST_BITS && (int64_t)s->slots << (s->bits + 1) <= s->places &&
         agents >> (s->bits + 1) >= FEW)
    s->bits++;
}

static void mark_pairs(const wal_arena *arena, struct wal_cuts_scratch *s) {
  const int64_t states = arena->space->game->shape.states;
  for (int64_t at = 0; at < states; at++) {
    const int contest = arena->contest[at];
    for (int a = 0; a < s->actions; a++) {
      const int32_t slot = contest >= 0 ? s->slot[(int64_t)contest * s->actions + a] : -1;
      s->slot_of[at * s->actions + a] = slot;
      s->draws[at * s->actions + a] = slot >= 0;
    }
  }
}

/* Those of a chunk of agents who draw, as offsets from its first, and their lots. */
static int64_t read_lots(const wal_crowd *crowd, const wal_cut_members *m, int64_t from,
                         int64_t count, const unsigned char *draws, uint32_t *offset,
                         uint32_t *lot) {
  const uint32_t *pair = m->pair + from;
  uint32_t *const word[4] = {NULL, lot, NULL, NULL};
  int64_t found = 0;
  for (int64_t i = 0; i < count; i++) {
    offset[found] = (uint32_t)i;
    found += draws[pair[i]];
  }
  wal_random_arrays(crowd->seed, WAL_PURPOSE_AGENT, (uint64_t)(m->first + from), offset, found,
                    m->stage, 0, word);
  for (int64_t i = 0; i < found; i++) lot[i] = wal_lot_of(lot[i]);
  return found;
}

static void count_lots(const wal_crowd *crowd, const wal_cut_members *m,
                       struct wal_cuts_scratch *s) {
  uint32_t offset[CHUNK], lot[CHUNK];
  memset(s->table, 0, ((size_t)s->slots << s->bits) * sizeof *s->table);
  if (s->bits == 0) return;
  for (int64_t from = 0; from < m->count; from += CHUNK) {
    const int64_t here = m->count - from < CHUNK ? m->count - from : CHUNK;
    const int64_t found = read_lots(crowd, m, from, here, s->draws, offset, lot);
    for (int64_t i = 0; i < found; i++) {
      const int64_t slot = s->slot_of[m->pair[from + offset[i]]];
      s->table[(slot << s->bits) + (lot[i] >> (WAL_LOT_BITS - s->bits))]++;
    }
  }
}

static int64_t *add_boundary(const wal_crowd *crowd, struct wal_cuts_scratch *s, int stage,
                             int64_t class, int64_t place) {
  int64_t *quota = s->quota + (int64_t)s->boundaries * s->outcomes;
  s->lot[s->boundaries++] = (wal_lot){.seed = crowd->seed,
                                      .stage = (uint32_t)stage,
                                      .number = (uint64_t) class << MOST_BITS | (uint64_t)place};
  memset(quota, 0, (size_t)s->outcomes * sizeof *quota);
  return quota;
}

/* Lets the outcomes run over a class's places in the order of lots. */
static void find_cuts(const wal_crowd *crowd, int stage, int slot, wal_cuts *cuts) {
  struct wal_cuts_scratch *s = cuts->scratch;
  const int64_t class = s->class_of[slot], places = INT64_C(1) << s->bits;
  int64_t *row = s->table + ((int64_t)slot << s->bits);
  uint32_t *cut = cuts->cut + class * (s->outcomes - 1);
  const int shift = WAL_LOT_BITS - s->bits;
  int k = 0;
  int64_t rest = crowd->left[class];
  if (s->bits == 0) row[0] = crowd->rivals[class];
  for (int64_t d = 0; d < places; d++) {
    int64_t members = row[d];
    row[d] = 0;
    // Outcomes that are spent at the beginning of a place are cut off there.
    while (k + 1 < s->outcomes && rest == 0) {
      cut[k++] = (uint32_t)(d << shift);
      rest = crowd->left[k * s->classes + class];
    }
    if (members > rest) {
      int64_t *quota = add_boundary(crowd, s, stage, class, d);
      row[d] = s->boundaries;
      while (members > rest && k + 1 < s->outcomes) {
        quota[k] = rest;
        members -= rest;
        cut[k++] = (uint32_t)(d << shift);
        rest = crowd->left[k * s->classes + class];
      }
      quota[k] = members;
    }
    rest -= members;
  }
  while (k + 1 < s->outcomes) cut[k++] = UINT32_C(1) << WAL_LOT_BITS;
}

static wal_status make_room(const wal_crowd *crowd, wal_cuts *cuts) {
  struct wal_cuts_scratch *s = cuts->scratch;
  wal_ctx *ctx = crowd->ctx;
  const char *what = "contests of agents";
  const int64_t n = cuts->exceptions, now = s->room_members, more = now < CHUNK ? CHUNK : 2 * now;
  int64_t room[8] = {now, now, now, now, now, now, now, now};
  WAL_TRY(wal_grow(ctx, what, &cuts->agent, n, more, &room[0], sizeof *cuts->agent));
  WAL_TRY(wal_grow(ctx, what, &cuts->pair, n, more, &room[1], sizeof *cuts->pair));
  WAL_TRY(wal_grow(ctx, what, &cuts->outcome, 0, more, &room[2], sizeof *cuts->outcome));
  WAL_TRY(wal_grow(ctx, what, &s->boundary, n, more, &room[3], sizeof *s->boundary));
  WAL_TRY(wal_grow(ctx, what, &s->left, 0, more, &room[4], sizeof *s->left));
  WAL_TRY(wal_grow(ctx, what, &s->left_agent, 0, more, &room[5], sizeof *s->left_agent));
  WAL_TRY(wal_grow(ctx, what, &s->left_lot, 0, more, &room[6], sizeof *s->left_lot));
  WAL_TRY(wal_grow(ctx, what, &s->won, 0, more, &room[7], sizeof *s->won));
  s->room_members = more;
  return WAL_OK;
}

wal_status wal_cuts_set_aside(const wal_crowd *crowd, int64_t agent, uint32_t pair, uint32_t lot,
                              wal_cuts *cuts) {
  struct wal_cuts_scratch *s = cuts->scratch;
  const int64_t slot = s->slot_of[pair];
  if (slot < 0) return WAL_OK;
  const int64_t mark = s->table[(slot << s->bits) + (lot >> (WAL_LOT_BITS - s->bits))];
  if (mark == 0) return WAL_OK;
  if (cuts->exceptions == s->room_members) WAL_TRY(make_room(crowd, cuts));
  cuts->agent[cuts->exceptions] = agent;
  cuts->pair[cuts->exceptions] = pair;
  s->boundary[cuts->exceptions++] = (int32_t)(mark - 1);
  return WAL_OK;
}

/* Outcome by outcome, among those who have none yet. */
wal_status wal_cuts_deal_out(const wal_crowd *crowd, wal_cuts *cuts) {
  struct wal_cuts_scratch *s = cuts->scratch;
  int64_t left = cuts->exceptions;
  if (cuts->width == 0) return WAL_OK;
  for (int64_t i = 0; i < left; i++) {
    s->left[i] = i;
    s->left_agent[i] = cuts->agent[i];
    s->left_lot[i] = s->boundary[i];
    cuts->outcome[i] = s->outcomes - 1;
  }
  for (int k = 0; k + 1 < s->outcomes; k++) {
    for (int b = 0; b < s->boundaries; b++) {
      s->winner[b] = s->quota[b * s->outcomes + k];
      s->lot[b].draw = (uint32_t)k;
    }
    WAL_TRY(wal_lottery_hold(crowd->ctx, s->boundaries, s->lot, s->winner, left, s->left_agent,
                             s->left_lot, s->won));
    int64_t kept = 0;
    for (int64_t i = 0; i < left; i++) {
      if (s->won[i]) cuts->outcome[s->left[i]] = k;
      if (s->won[i]) continue;
      s->left[kept] = s->left[i];
      s->left_agent[kept] = s->left_agent[i];
      s->left_lot[kept++] = s->left_lot[i];
    }
    left = kept;
  }
  return WAL_OK;
}

wal_status wal_cuts_find(const wal_crowd *crowd, const wal_cut_members *members, wal_cuts *cuts) {
  struct wal_cuts_scratch *s = cuts->scratch;
  cuts->exceptions = 0;
  cuts->width = 0;
  if (!s) return WAL_OK;
  sort_out(crowd, cuts);
  if (s->slots == 0) return WAL_OK;
  choose_bits(s, members->total);
  mark_pairs(crowd->plan.arena, s);
  count_lots(crowd, members, s);
  if (s->bits > 0)
    WAL_TRY(wal_ctx_sum_integers(crowd->ctx, (int)((int64_t)s->slots << s->bits), s->table));
  s->boundaries = 0;
  for (int i = 0; i < s->slots; i++) find_cuts(crowd, (int)members->stage, i, cuts);
  if (s->boundaries > 0) cuts->width = UINT32_C(1) << (WAL_LOT_BITS - s->bits);
  return WAL_OK;
}
