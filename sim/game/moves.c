// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/game/moves.h"

#include <string.h>

#include "sim/core/hot.h"
#include "sim/core/memory.h"
#include "sim/core/sum.h"

struct wal_moves {
  wal_ctx *ctx;
  int outcomes, actions;
  int64_t *offset;  // [tiles][outcomes][actions], and the end: where the runs of each begin
  wal_run *runs;
  wal_halo *halo;
  bool *by_state;  // [tiles]: all actions lead to the same places; NULL unless worth knowing
};

static wal_status add_tile(wal_moves *m, const wal_game *game, int stage, wal_reach *reach,
                           int64_t tile, int64_t first, int64_t count, int64_t *room[2]) {
  const int64_t most = game->shape.post_states;
  bool by_state = true;
  for (int k = 0; k < m->outcomes; k++)
    for (int a = 0; a < m->actions; a++) {
      int64_t *targets = room[a > 0];
      game->type->move(game->self, stage, k, a, first, count, targets);
      for (int64_t i = 0; i < count; i++)
        if (targets[i] < 0 || targets[i] >= most)
          return wal_fail(m->ctx, WAL_EINTERNAL,
                          "game %s: outcome %d of action %d in state %lld leads to %lld, which is "
                          "not among its %lld post-decision states",
                          game->type->component.name, k, a, (long long)(first + i),
                          (long long)targets[i], (long long)most);
      m->offset[(tile * m->outcomes + k) * m->actions + a] = wal_reach_mark(reach);
      WAL_TRY(wal_reach_add(reach, 0, count, targets));
      by_state = by_state && memcmp(targets, room[0], (size_t)count * sizeof *targets) == 0;
    }
  if (m->by_state) m->by_state[tile] = by_state;
  return WAL_OK;
}

static wal_status add_all(wal_moves *m, const wal_game *game, int stage,
                          const wal_partition *states, wal_reach *reach) {
  int64_t *targets[2] = {NULL, NULL}, tile = 0;
  wal_status status = WAL_OK;
  int64_t tiles = wal_partition_tiles(states);
  WAL_TRY_GOTO(wal_acquire(m->ctx, "kernel", tiles * m->outcomes * m->actions + 1,
                           sizeof *m->offset, &m->offset));
  for (int i = 0; i < 2; i++)
    WAL_TRY_GOTO(wal_acquire(m->ctx, "kernel", states->tile, sizeof(int64_t), &targets[i]));
  if (game->shape.action_outcome)
    WAL_TRY_GOTO(wal_acquire(m->ctx, "kernel", tiles, sizeof *m->by_state, &m->by_state));
  for (int64_t b = states->first_block; b < states->end_block; b++) {
    WAL_TRY_GOTO(wal_reach_block(reach, b));
    int64_t end = wal_partition_cut(states, b + 1);
    for (int64_t s = wal_partition_cut(states, b); s < end; s += states->tile, tile++) {
      int64_t count = end - s < states->tile ? end - s : states->tile;
      WAL_TRY_GOTO(add_tile(m, game, stage, reach, tile, s, count, targets));
    }
  }
  WAL_TRY_GOTO(wal_reach_block(reach, -1));
  m->offset[tiles * m->outcomes * m->actions] = wal_reach_mark(reach);
cleanup:
  wal_release(m->ctx, &targets[0]);
  wal_release(m->ctx, &targets[1]);
  return status;
}

wal_status wal_moves_create(wal_ctx *ctx, const wal_game *game, int stage,
                            const wal_partition *states, const wal_partition *post,
                            wal_moves **out) {
  wal_moves *m = NULL;
  wal_reach *reach = NULL;
  *out = NULL;
  wal_status status = wal_acquire(ctx, "kernel", 1, sizeof *m, &m);
  if (status == WAL_OK) {
    m->ctx = ctx;
    m->outcomes = game->shape.outcomes;
    m->actions = game->shape.actions;
    status = wal_reach_create(ctx, post, &reach);
  }
  if (status == WAL_OK) status = add_all(m, game, stage, states, reach);
  status = wal_agree(ctx, status);
  if (status == WAL_OK) status = wal_reach_finish(reach, &m->runs, &m->halo);
  wal_reach_destroy(&reach);
  if (status == WAL_OK)
    *out = m;
  else
    wal_moves_destroy(&m);
  return status;
}

void wal_moves_destroy(wal_moves **moves) {
  if (!moves || !*moves) return;
  wal_ctx *ctx = (*moves)->ctx;
  wal_release(ctx, &(*moves)->offset);
  wal_release(ctx, &(*moves)->runs);
  wal_release(ctx, &(*moves)->by_state);
  wal_halo_destroy(&(*moves)->halo);
  wal_release(ctx, moves);
}

wal_halo *wal_moves_halo(const wal_moves *moves) { return moves->halo; }

WAL_INLINE void push_run(const wal_run run, const double *restrict joint, double *restrict post) {
  const double *from = joint + run.source;
  double *to = post + run.target;
  if (run.step == 1)
    for (int32_t i = 0; i < run.count; i++) to[i] += from[i];
  else if (run.step == 0)
    to[0] += wal_sum(run.count, from);
  else
    for (int32_t i = 0; i < run.count; i++) to[(int64_t)i * run.step] += from[i];
}

WAL_HOT void wal_moves_push(const wal_moves *moves, int64_t tile, int outcome, int64_t stride,
                            const double *restrict joint, double *restrict post) {
  const int64_t *offset = moves->offset + (tile * moves->outcomes + outcome) * moves->actions;
  for (int a = 0; a < moves->actions; a++, joint += stride)
    for (int64_t r = offset[a]; r < offset[a + 1]; r++) push_run(moves->runs[r], joint, post);
}

bool wal_moves_by_state(const wal_moves *moves, int64_t tile) {
  return moves->by_state && moves->by_state[tile];
}

WAL_HOT void wal_moves_push_states(const wal_moves *moves, int64_t tile, int outcome,
                                   const double *restrict mass, double *restrict post) {
  const int64_t *offset = moves->offset + (tile * moves->outcomes + outcome) * moves->actions;
  for (int64_t r = offset[0]; r < offset[1]; r++) push_run(moves->runs[r], mass, post);
}

WAL_HOT void wal_moves_pull_states(const wal_moves *moves, int64_t tile, int outcome,
                                   const double *restrict post, double *restrict reached) {
  const int64_t *offset = moves->offset + (tile * moves->outcomes + outcome) * moves->actions;
  for (int64_t r = offset[0]; r < offset[1]; r++) {
    const wal_run run = moves->runs[r];
    for (int32_t i = 0; i < run.count; i++)
      reached[run.source + i] = post[run.target + (int64_t)i * run.step];
  }
}

WAL_HOT void wal_moves_push_mass(const wal_moves *moves, int64_t tile, int64_t stride,
                                 const double *restrict mass, const double *restrict pi,
                                 double *restrict post) {
  const int64_t *offset = moves->offset + tile * moves->outcomes * moves->actions;
  for (int a = 0; a < moves->actions; a++, pi += stride)
    for (int64_t r = offset[a]; r < offset[a + 1]; r++) {
      const wal_run run = moves->runs[r];
      const double *from = mass + run.source, *share = pi + run.source;
      double *to = post + run.target;
      if (run.step == 1)
        for (int32_t i = 0; i < run.count; i++) to[i] += from[i] * share[i];
      else if (run.step == 0)
        to[0] += wal_dot(run.count, from, share);
      else
        for (int32_t i = 0; i < run.count; i++) to[(int64_t)i * run.step] += from[i] * share[i];
    }
}

WAL_INLINE void pull_run(const wal_run run, const double *weight, const double *from,
                         const double *base, double *to) {
  if (run.step == 1 && !weight) {
#pragma omp simd
    for (int32_t i = 0; i < run.count; i++) to[i] = base[i] + from[i];
  } else if (run.step == 1) {
#pragma omp simd
    for (int32_t i = 0; i < run.count; i++) to[i] = base[i] + weight[i] * from[i];
  } else {
    for (int32_t i = 0; i < run.count; i++)
      to[i] = base[i] + (weight ? weight[i] : 1.0) * from[(int64_t)i * run.step];
  }
}

WAL_HOT void wal_moves_pull(const wal_moves *moves, int64_t tile, int outcome, int64_t stride,
                            const double *weight, const double *post, int64_t base_stride,
                            const double *base, double *value) {
  const int64_t *offset = moves->offset + (tile * moves->outcomes + outcome) * moves->actions;
  for (int a = 0; a < moves->actions; a++)
    for (int64_t r = offset[a]; r < offset[a + 1]; r++) {
      const wal_run run = moves->runs[r];
      int64_t at = a * stride + run.source;
      pull_run(run, weight ? weight + at : NULL, post + run.target,
               base + a * base_stride + run.source, value + at);
    }
}

WAL_INLINE void raise_run(const wal_run run, const double *restrict from,
                          const double *restrict base, double *restrict best) {
  for (int32_t i = 0; i < run.count; i++) {
    double x = base[i] + from[(int64_t)i * run.step];
    best[i] = ((x > best[i]) | (x != x)) ? x : best[i];
  }
}

WAL_HOT void wal_moves_pull_max(const wal_moves *moves, int64_t tile, const double *post,
                                int64_t base_stride, const double *base, double *best) {
  const int64_t *offset = moves->offset + tile * moves->outcomes * moves->actions;
  for (int64_t r = offset[0]; r < offset[1]; r++) {
    const wal_run run = moves->runs[r];
    pull_run(run, NULL, post + run.target, base + run.source, best + run.source);
  }
  for (int a = 1; a < moves->actions; a++)
    for (int64_t r = offset[a]; r < offset[a + 1]; r++) {
      const wal_run run = moves->runs[r];
      const double *from = post + run.target, *row = base + a * base_stride + run.source;
      if (run.step == 1)  // known to the compiler in this copy of the loop
        raise_run((wal_run){.count = run.count, .step = 1}, from, row, best + run.source);
      else
        raise_run(run, from, row, best + run.source);
    }
}
