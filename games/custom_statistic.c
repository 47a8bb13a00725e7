// SPDX-License-Identifier: GPL-3.0-or-later
#include "games/custom_statistic.h"

#include <string.h>

#include "games/custom_moves.h"
#include "sim/core/memory.h"

static const int64_t MOST_ENTRIES = INT64_C(1) << 28;

struct wal_custom_weights {
  int64_t *start;      /**< [S * A + 1]: entries of (s, a) */
  unsigned char *same; /**< [S]: the weights are those of action 0 for all, who has the entries */
  int32_t *number;     /**< of each entry: i of w_i */
  double *weight;      /**< of each entry, not 0 */
  int64_t room;
};

static void free_weights(wal_ctx *ctx, wal_custom_weights **weights) {
  if (!*weights) return;
  wal_release(ctx, &(*weights)->start);
  wal_release(ctx, &(*weights)->same);
  wal_release(ctx, &(*weights)->number);
  wal_release(ctx, &(*weights)->weight);
  wal_release(ctx, weights);
}

// The results of the last call as entries from `end` on; gives their end.
static wal_status add_entries(wal_ctx *ctx, const wal_custom_function *f, wal_custom_weights *w,
                              int64_t *end) {
  if (*end + f->call.count > MOST_ENTRIES)
    return wal_custom_refuse(ctx, f, WAL_EINPUT,
                             "expected at most %lld numbers other than 0 in all, got more",
                             (long long)MOST_ENTRIES);
  int64_t room = w->room;
  WAL_TRY(wal_grow(ctx, "scripted game", &w->number, *end, *end + f->call.count, &room,
                   sizeof *w->number));
  WAL_TRY(wal_grow(ctx, "scripted game", &w->weight, *end, *end + f->call.count, &w->room,
                   sizeof *w->weight));
  for (int64_t i = 0; i < f->call.count; i++) {
    if (f->call.results[i] == 0) continue;
    w->number[*end] = (int32_t)i;
    w->weight[(*end)++] = f->call.results[i];
  }
  return WAL_OK;
}

static bool same_entries(const wal_custom_weights *w, int64_t a, int64_t b, int64_t end) {
  int64_t count = w->start[a + 1] - w->start[a];
  return end - w->start[b] == count &&
         memcmp(w->number + w->start[a], w->number + w->start[b],
                (size_t)count * sizeof *w->number) == 0 &&
         memcmp(w->weight + w->start[a], w->weight + w->start[b],
                (size_t)count * sizeof *w->weight) == 0;
}

static wal_status read_state(wal_ctx *ctx, wal_custom_function *f, const wal_custom_statistic *z,
                             wal_custom_weights *w, int h, int64_t s) {
  int64_t pair = s * z->actions, end = w->start[pair];
  bool same = true;
  for (int a = 0; a < z->actions; a++) {
    WAL_TRY(wal_custom_ask(ctx, f, h, s, a));
    wal_status status = wal_custom_check_finite(ctx, f);
    if (status != WAL_OK) return wal_fail(ctx, WAL_EINPUT, "%s", wal_ctx_error(ctx));
    WAL_TRY(add_entries(ctx, f, w, &end));
    same = same && (a == 0 || same_entries(w, pair, pair + a, end));
    w->start[pair + a + 1] = end;
  }
  w->same[s] = same;
  for (int a = 1; same && a < z->actions; a++) w->start[pair + a + 1] = w->start[pair + 1];
  return WAL_OK;
}

static wal_status read_stage(wal_ctx *ctx, const wal_custom_clock *clock, wal_custom_function *f,
                             const wal_custom_statistic *z, int h, wal_custom_weights *w) {
  WAL_TRY(
      wal_acquire(ctx, "scripted game", z->states * z->actions + 1, sizeof *w->start, &w->start));
  WAL_TRY(wal_acquire(ctx, "scripted game", z->states, sizeof *w->same, &w->same));
  for (int64_t s = 0; s < z->states; s++) {
    WAL_TRY(wal_custom_check_clock(ctx, clock));
    WAL_TRY(read_state(ctx, f, z, w, h, s));
  }
  return WAL_OK;
}

static bool same_weights(const wal_custom_statistic *z, const wal_custom_weights *a,
                         const wal_custom_weights *b) {
  int64_t pairs = z->states * z->actions;
  if (memcmp(a->start, b->start, (size_t)(pairs + 1) * sizeof *a->start) != 0) return false;
  size_t entries = (size_t)a->start[pairs];
  return memcmp(a->same, b->same, (size_t)z->states) == 0 &&
         memcmp(a->number, b->number, entries * sizeof *a->number) == 0 &&
         memcmp(a->weight, b->weight, entries * sizeof *a->weight) == 0;
}

wal_status wal_custom_statistic_tabulate(wal_ctx *ctx, const wal_custom_clock *clock,
                                         wal_custom_function *f, wal_custom_statistic *z) {
  WAL_TRY(
      wal_custom_check_calls(ctx, clock->params, "statistic", z->horizon, z->states, z->actions));
  WAL_TRY(wal_custom_ask(ctx, f, 0, 0, 0));
  z->numbers = (int)f->call.count;
  wal_custom_expect(f, z->numbers);
  WAL_TRY(
      wal_acquire(ctx, "scripted game", z->horizon, sizeof(wal_custom_weights *), &z->of_stage));
  for (int h = 0; h < z->horizon; h++) {
    WAL_TRY(wal_acquire(ctx, "scripted game", 1, sizeof **z->of_stage, &z->of_stage[h]));
    WAL_TRY(read_stage(ctx, clock, f, z, h, z->of_stage[h]));
    if (h == 0 || !same_weights(z, z->of_stage[h - 1], z->of_stage[h])) continue;
    free_weights(ctx, &z->of_stage[h]);
    z->of_stage[h] = z->of_stage[h - 1];
  }
  return WAL_OK;
}

void wal_custom_statistic_free(wal_ctx *ctx, wal_custom_statistic *z) {
  for (int h = z->horizon - 1; z->of_stage && h >= 0; h--)
    if (h == 0 || z->of_stage[h] != z->of_stage[h - 1]) free_weights(ctx, &z->of_stage[h]);
  wal_release(ctx, &z->of_stage);
}

static void add(const wal_custom_weights *w, int64_t pair, double share, double *sum) {
  for (int64_t e = w->start[pair]; e < w->start[pair + 1]; e++)
    sum[w->number[e]] += share * w->weight[e];
}

void wal_custom_statistic_add(const wal_custom_statistic *z, const wal_slab *slab,
                              const double *mass, const double *policy, double *sum) {
  const wal_custom_weights *w = z->of_stage[slab->stage];
  const double uniform = 1 / (double)z->actions;
  for (int64_t i = 0; i < slab->count; i++) {
    int64_t pair = (slab->first + i) * z->actions;
    if (w->same[slab->first + i]) {
      add(w, pair, mass[i], sum);
      continue;
    }
    for (int a = 0; a < z->actions; a++)
      add(w, pair + a, mass[i] * (policy ? policy[a * slab->stride + i] : uniform), sum);
  }
}
