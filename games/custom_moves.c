// SPDX-License-Identifier: GPL-3.0-or-later
#include "games/custom_moves.h"

#include <math.h>
#include <string.h>

#include "sim/core/memory.h"

static const double SUM_TOLERANCE = 1e-9;
static const int64_t MOST_ENTRIES = INT64_C(1) << 28;

/* Rows of the kernel that is being read, found by what they hold. */
typedef struct row_index {
  int32_t *slot; /**< row + 1, 0: free */
  int64_t slots; /**< a power of 2 */
} row_index;

// FNV-1a over words of 64 bits, its high bits folded into the low ones.
static uint64_t mix(uint64_t hash, uint64_t word) {
  hash = (hash ^ word) * UINT64_C(1099511628211);
  return hash ^ hash >> 29;
}

static uint64_t hash_row(const wal_custom_moves *m, int64_t row) {
  uint64_t hash = UINT64_C(14695981039346656037);
  for (int64_t e = m->start[row]; e < m->start[row + 1]; e++) {
    uint64_t bits = 0;
    memcpy(&bits, &m->weight[e], sizeof bits);
    hash = mix(mix(hash, (uint64_t)m->target[e]), bits);
  }
  return hash;
}

static bool same_rows(const wal_custom_moves *m, int64_t a, int64_t b) {
  int64_t count = m->start[a + 1] - m->start[a];
  return m->start[b + 1] - m->start[b] == count &&
         memcmp(m->target + m->start[a], m->target + m->start[b],
                (size_t)count * sizeof *m->target) == 0 &&
         memcmp(m->weight + m->start[a], m->weight + m->start[b],
                (size_t)count * sizeof *m->weight) == 0;
}

// The slot of a row's equal, or the free one where it belongs.
static int32_t *find_slot(const wal_custom_moves *m, const row_index *x, int64_t row) {
  uint64_t mask = (uint64_t)x->slots - 1;
  uint64_t at = hash_row(m, row) & mask;
  while (x->slot[at] > 0 && !same_rows(m, x->slot[at] - 1, row)) at = (at + 1) & mask;
  return &x->slot[at];
}

// Room for another row, at most half of the slots in use.
static wal_status widen(wal_ctx *ctx, const wal_custom_moves *m, int kernel, int64_t rows,
                        row_index *x) {
  if (2 * (rows - m->first[kernel] + 1) <= x->slots) return WAL_OK;
  row_index wider = {.slots = x->slots > 0 ? 2 * x->slots : 1024};
  WAL_TRY(wal_acquire(ctx, "scripted game", wider.slots, sizeof *wider.slot, &wider.slot));
  for (int64_t r = m->first[kernel]; r < rows; r++) *find_slot(m, &wider, r) = (int32_t)(r + 1);
  wal_release(ctx, &x->slot);
  *x = wider;
  return WAL_OK;
}

static wal_status refuse_entry(wal_ctx *ctx, const wal_custom_function *f, double target, double p,
                               int64_t states) {
  char got[32];
  if (!(target >= 0 && target < (double)states) || target != trunc(target))
    return wal_custom_refuse(ctx, f, WAL_EINPUT, "expected whole targets from 0 to %lld, got %s",
                             (long long)states - 1, wal_number_text(target, got, sizeof got));
  return wal_custom_refuse(ctx, f, WAL_EINPUT, "expected probabilities from 0 to 1, got %s",
                           wal_number_text(p, got, sizeof got));
}

/* The results of the last call behind all rows: row `row`, entries from start[row] on. Entries of
   probability 0 lead nowhere. */
static wal_status read_row(wal_ctx *ctx, const wal_custom_function *f, wal_custom_moves *m,
                           int64_t row) {
  const double certain[2] = {f->call.results[0], 1};
  const double *entries = f->call.count == 0 ? certain : f->call.results;
  int64_t count = f->call.count == 0 ? 1 : f->call.count;
  int64_t end = m->start[row];
  if (end + count > MOST_ENTRIES)
    return wal_custom_refuse(ctx, f, WAL_EINPUT,
                             "expected at most %lld targets in all moves together, got more",
                             (long long)MOST_ENTRIES);
  int64_t room = m->entry_room;
  WAL_TRY(wal_grow(ctx, "scripted game", &m->target, end, end + count, &room, sizeof *m->target));
  WAL_TRY(wal_grow(ctx, "scripted game", &m->weight, end, end + count, &m->entry_room,
                   sizeof *m->weight));
  double sum = 0;
  for (int64_t i = 0; i < count; i++) {
    double target = entries[2 * i], p = entries[2 * i + 1];
    bool sound = target >= 0 && target < (double)m->states && target == trunc(target) && p >= 0 &&
                 p <= 1 + SUM_TOLERANCE;
    if (!sound) return refuse_entry(ctx, f, target, p, m->states);
    sum += p;
    if (p == 0) continue;
    m->target[end] = (int32_t)target;
    m->weight[end++] = p;
  }
  char got[32];
  if (!(fabs(sum - 1) <= SUM_TOLERANCE))
    return wal_custom_refuse(ctx, f, WAL_EINPUT,
                             "expected probabilities with sum 1, got the sum %s",
                             wal_number_text(sum, got, sizeof got));
  m->start[row + 1] = end;
  if (end - m->start[row] > m->terms) m->terms = (int)(end - m->start[row]);
  return WAL_OK;
}

static wal_status read_kernel(wal_ctx *ctx, const wal_custom_clock *clock, wal_custom_function *f,
                              wal_custom_moves *m, int kernel, row_index *x) {
  int64_t rows = m->first[kernel];
  if (x->slots > 0) memset(x->slot, 0, (size_t)x->slots * sizeof *x->slot);
  int32_t *to = m->row + (int64_t)kernel * m->outcomes * m->actions * m->states;
  for (int64_t s = 0; s < m->states; s++) {
    WAL_TRY(wal_custom_check_clock(ctx, clock));
    for (int a = 0; a < m->actions; a++)
      for (int k = 0; k < m->outcomes; k++) {
        f->call.arguments[3] = k;
        WAL_TRY(wal_custom_ask(ctx, f, kernel, s, a));
        WAL_TRY(wal_grow(ctx, "scripted game", &m->start, rows + 1, rows + 2, &m->row_room,
                         sizeof *m->start));
        WAL_TRY(read_row(ctx, f, m, rows));
        WAL_TRY(widen(ctx, m, kernel, rows, x));
        int32_t *slot = find_slot(m, x, rows);
        if (*slot == 0) *slot = (int32_t)++rows;
        to[((int64_t)k * m->actions + a) * m->states + s] = *slot - 1 - (int32_t)m->first[kernel];
      }
  }
  m->first[kernel + 1] = rows;
  if (rows - m->first[kernel] > m->post) m->post = rows - m->first[kernel];
  return WAL_OK;
}

/* Without `varies` the moves of stage 0 stand for all: refused if others are found to differ. A
   sample of stages, states, actions and outcomes is asked, the last stage among them. */
static wal_status check_stages(wal_ctx *ctx, wal_custom_function *f, wal_custom_moves *m,
                               const row_index *x) {
  enum { MOST_STAGES = 24, MOST_PAIRS = 100 };
  const int64_t pairs = (int64_t)m->outcomes * m->actions * m->states;
  const int64_t rows = m->first[1];
  WAL_TRY(wal_grow(ctx, "scripted game", &m->start, rows + 1, rows + 2, &m->row_room,
                   sizeof *m->start));
  const int64_t skip_stages = 1 + (m->stages - 1) / MOST_STAGES, skip = 1 + pairs / MOST_PAIRS;
  for (int64_t h = m->stages - 1; h > 0; h -= skip_stages)
    for (int64_t i = h % skip; i < pairs; i += skip) {
      const int64_t s = i % m->states, a = i / m->states % m->actions;
      f->call.arguments[3] = (double)(i / m->states / m->actions);
      WAL_TRY(wal_custom_ask(ctx, f, (int)h, s, (int)a));
      WAL_TRY(read_row(ctx, f, m, rows));
      if (*find_slot(m, x, rows) != m->row[i] + 1)
        return wal_custom_refuse(
            ctx, f, WAL_EINPUT,
            "expected the same as at h=0, got something else; moves that depend "
            "on the stage need varies = true");
    }
  return WAL_OK;
}

// Every row has one target: the rows' numbers give way to these.
static void keep_targets(wal_ctx *ctx, wal_custom_moves *m) {
  int64_t count = (int64_t)m->outcomes * m->actions * m->states;
  for (int kernel = 0; kernel < m->kernels; kernel++)
    for (int64_t i = kernel * count; i < (kernel + 1) * count; i++)
      m->row[i] = m->target[m->first[kernel] + m->row[i]];
  m->terms = 0;
  m->post = 0;
  wal_release(ctx, &m->first);
  wal_release(ctx, &m->start);
  wal_release(ctx, &m->target);
  wal_release(ctx, &m->weight);
}

wal_status wal_custom_moves_tabulate(wal_ctx *ctx, const wal_custom_clock *clock,
                                     wal_custom_function *f, wal_custom_moves *m) {
  int64_t others = (int64_t)m->outcomes * m->actions;
  row_index x = {.slots = 0};
  WAL_TRY(wal_custom_check_calls(ctx, clock->params, "moves", m->kernels, m->states, others));
  WAL_TRY(
      wal_acquire(ctx, "scripted game", m->kernels * m->states * others, sizeof *m->row, &m->row));
  WAL_TRY(wal_acquire(ctx, "scripted game", m->kernels + 1, sizeof *m->first, &m->first));
  WAL_TRY(wal_grow(ctx, "scripted game", &m->start, 0, 1, &m->row_room, sizeof *m->start));
  wal_status status = WAL_OK;
  for (int kernel = 0; status == WAL_OK && kernel < m->kernels; kernel++)
    status = read_kernel(ctx, clock, f, m, kernel, &x);
  if (status == WAL_OK && m->kernels == 1) status = check_stages(ctx, f, m, &x);
  wal_release(ctx, &x.slot);
  if (status == WAL_OK && m->terms == 1) keep_targets(ctx, m);
  return status;
}

void wal_custom_moves_free(wal_ctx *ctx, wal_custom_moves *m) {
  wal_release(ctx, &m->row);
  wal_release(ctx, &m->first);
  wal_release(ctx, &m->start);
  wal_release(ctx, &m->target);
  wal_release(ctx, &m->weight);
}

int wal_custom_moves_length(const wal_custom_moves *m, int kernel, int64_t first, int64_t count) {
  const int64_t rows = m->first[kernel + 1] - m->first[kernel];
  int64_t longest = 1;
  for (int64_t i = first; i < first + count && i < rows; i++) {
    const int64_t row = m->first[kernel] + i, entries = m->start[row + 1] - m->start[row];
    longest = entries > longest ? entries : longest;
  }
  return (int)longest;
}

void wal_custom_moves_noise(const wal_custom_moves *m, int kernel, int64_t first, int64_t count,
                            int64_t *target, double *weight) {
  int64_t rows = m->first[kernel + 1] - m->first[kernel];
  const int64_t terms = wal_custom_moves_length(m, kernel, first, count);
  memset(target, 0, (size_t)(terms * count) * sizeof *target);
  memset(weight, 0, (size_t)(terms * count) * sizeof *weight);
  for (int64_t i = 0; i < count; i++) {
    if (first + i >= rows) {  // another kernel has more rows: nothing ever comes here
      target[i] = (first + i) * m->states / m->post;
      weight[i] = 1;
      continue;
    }
    int64_t row = m->first[kernel] + first + i;
    for (int64_t e = m->start[row]; e < m->start[row + 1]; e++) {
      target[(e - m->start[row]) * count + i] = m->target[e];
      weight[(e - m->start[row]) * count + i] = m->weight[e];
    }
  }
}
