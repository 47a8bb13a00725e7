// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/game/stencil.h"

#include <stdlib.h>
#include <string.h>

#include "sim/core/hot.h"
#include "sim/core/memory.h"

/* Outputs to .. to+count-1, all with the same terms. */
typedef struct segment {
  int64_t to, count;
  int64_t first_term;  // those of the next segment follow
} segment;

typedef struct term {
  int64_t from;
  double weight;
} term;

struct wal_stencil {
  wal_ctx *ctx;
  segment *segments;
  term *terms;
  int64_t *parts;  // first segment of each part, and the end
  int64_t segment_count, term_count, part_count;
  int64_t segment_room, term_room, part_room;
};

wal_status wal_stencil_create(wal_ctx *ctx, wal_stencil **out) {
  wal_stencil *s = NULL;
  *out = NULL;
  WAL_TRY(wal_acquire(ctx, "kernel", 1, sizeof *s, &s));
  s->ctx = ctx;
  *out = s;
  return WAL_OK;
}

void wal_stencil_destroy(wal_stencil **stencil) {
  if (!stencil || !*stencil) return;
  wal_ctx *ctx = (*stencil)->ctx;
  wal_release(ctx, &(*stencil)->segments);
  wal_release(ctx, &(*stencil)->terms);
  wal_release(ctx, &(*stencil)->parts);
  wal_release(ctx, stencil);
}

static wal_status add_term(wal_stencil *s, int64_t from, double weight) {
  WAL_TRY(wal_grow(s->ctx, "kernel", &s->terms, s->term_count, s->term_count + 1, &s->term_room,
                   sizeof *s->terms));
  s->terms[s->term_count++] = (term){from, weight};
  return WAL_OK;
}

/* A segment is followed by a mark where the terms of the next one begin. */
static wal_status add_segment(wal_stencil *s, int64_t to, int64_t count) {
  WAL_TRY(wal_grow(s->ctx, "kernel", &s->segments, s->segment_count, s->segment_count + 2,
                   &s->segment_room, sizeof *s->segments));
  s->segments[s->segment_count++] = (segment){to, count, s->term_count};
  return WAL_OK;
}

static int by_start(const void *a, const void *b) {
  const wal_stretch *x = *(const wal_stretch *const *)a, *y = *(const wal_stretch *const *)b;
  if (x->to != y->to) return x->to < y->to ? -1 : 1;
  return x < y ? -1 : x > y;
}

/* The stretches over the outputs that the sweep stands at, in their given order. */
typedef struct active {
  const wal_stretch **list;
  int64_t count;
} active;

static void enter(active *a, const wal_stretch *stretch) {
  int64_t i = a->count++;
  for (; i > 0 && a->list[i - 1] > stretch; i--) a->list[i] = a->list[i - 1];
  a->list[i] = stretch;
}

/* Drops the stretches that end at `at`; gives the next place where the set changes. */
static int64_t leave(active *a, int64_t at, int64_t end) {
  int64_t kept = 0;
  for (int64_t i = 0; i < a->count; i++) {
    const int64_t last = a->list[i]->to + a->list[i]->count;
    if (last <= at) continue;
    if (last < end) end = last;
    a->list[kept++] = a->list[i];
  }
  a->count = kept;
  return end;
}

static wal_status sweep(wal_stencil *s, int64_t first, int64_t end, int64_t count,
                        const wal_stretch *const *sorted, active *a) {
  int64_t next = 0;
  for (int64_t at = first; at < end;) {
    while (next < count && sorted[next]->to <= at) enter(a, sorted[next++]);
    int64_t stop = leave(a, at, end);
    if (next < count && sorted[next]->to < stop) stop = sorted[next]->to;
    WAL_TRY(add_segment(s, at, stop - at));
    for (int64_t i = 0; i < a->count; i++)
      WAL_TRY(add_term(s, a->list[i]->from + (at - a->list[i]->to), a->list[i]->weight));
    at = stop;
  }
  return WAL_OK;
}

wal_status wal_stencil_add(wal_stencil *s, int64_t first, int64_t end, int64_t count,
                           const wal_stretch *stretches) {
  const wal_stretch **sorted = NULL;
  active a = {0};
  wal_status status = WAL_OK;
  WAL_TRY_GOTO(wal_grow(s->ctx, "kernel", &s->parts, s->part_count, s->part_count + 2,
                        &s->part_room, sizeof *s->parts));
  WAL_TRY_GOTO(wal_acquire(s->ctx, "kernel", count, sizeof(wal_stretch *), &sorted));
  WAL_TRY_GOTO(wal_acquire(s->ctx, "kernel", count, sizeof(wal_stretch *), &a.list));
  for (int64_t i = 0; i < count; i++) sorted[i] = stretches + i;
  if (count > 0) qsort(sorted, (size_t)count, sizeof *sorted, by_start);
  s->parts[s->part_count++] = s->segment_count;
  WAL_TRY_GOTO(sweep(s, first, end, count, sorted, &a));
  WAL_TRY_GOTO(add_segment(s, end, 0));  // the mark
  s->parts[s->part_count] = --s->segment_count;
cleanup:
  wal_release(s->ctx, &sorted);
  wal_release(s->ctx, &a.list);
  return status;
}

/* Up to FEW terms in one pass over the outputs; further ones are added one by one. */
enum { FEW = 6 };

WAL_INLINE void sum_few(int64_t n, int terms, const double *const *from, const double *weight,
                        double *restrict to) {
#pragma omp simd
  for (int64_t i = 0; i < n; i++) {
    double sum = weight[0] * from[0][i];
    for (int e = 1; e < terms; e++) sum += weight[e] * from[e][i];
    to[i] = sum;
  }
}

WAL_HOT static void apply_segment(const segment *s, const term *terms, int64_t count,
                                  const double *in, double *to) {
  const double *from[FEW];
  double weight[FEW];
  const int few = count < FEW ? (int)count : FEW;
  for (int e = 0; e < few; e++) {
    from[e] = in + terms[e].from;
    weight[e] = terms[e].weight;
  }
  switch (few) {
    case 0:
      memset(to, 0, (size_t)s->count * sizeof *to);
      return;
    case 1:
      sum_few(s->count, 1, from, weight, to);
      return;
    case 2:
      sum_few(s->count, 2, from, weight, to);
      return;
    case 3:
      sum_few(s->count, 3, from, weight, to);
      return;
    case 4:
      sum_few(s->count, 4, from, weight, to);
      return;
    case 5:
      sum_few(s->count, 5, from, weight, to);
      return;
    default:
      break;
  }
  sum_few(s->count, FEW, from, weight, to);
  for (int64_t e = FEW; e < count; e++) {
    const double *next = in + terms[e].from;
    for (int64_t i = 0; i < s->count; i++) to[i] += terms[e].weight * next[i];
  }
}

void wal_stencil_apply(const wal_stencil *s, int64_t part, const double *in, double *out) {
  for (int64_t i = s->parts[part]; i < s->parts[part + 1]; i++) {
    const segment *now = &s->segments[i];
    const int64_t count = now[1].first_term - now->first_term;
    apply_segment(now, count > 0 ? s->terms + now->first_term : NULL, count, in, out + now->to);
  }
}
