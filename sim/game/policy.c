// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/game/policy.h"

#include <string.h>

#include "sim/core/memory.h"

enum { MEMO_MOST = 1 << 27 };  // numbers of a policy that are remembered: 1 GiB

/* Scales the positive numbers of each state of a tile to the sum 1. */
static void normalize(wal_tile t, double *values) {
  for (int64_t i = 0; i < t.count; i++) {
    double sum = 0;
    for (int a = 0; a < t.actions; a++) {
      double x = values[a * t.stride + i];
      sum += x > 0 ? x : 0;
    }
    for (int a = 0; a < t.actions; a++) {
      double *x = values + a * t.stride + i;
      *x = *x > 0 ? *x / sum : *x;
    }
  }
}

void wal_policy_forbid(const wal_policy *policy, int stage, int64_t tile) {
  const unsigned char *legal = wal_space_legal(policy->space, tile);
  if (!legal) return;
  const wal_slab slab = wal_space_slab(policy->space, stage, tile);
  double *values = wal_policy_tile(policy, stage, tile);
  const double none = policy->kind == WAL_POLICY_LOGITS ? WAL_FORBIDDEN : 0;
  const int64_t pairs = wal_space_tile_pairs(policy->space);
  for (int64_t i = 0; i < pairs; i++) values[i] = legal[i] ? values[i] : none;
  if (policy->kind != WAL_POLICY_LOGITS) normalize(wal_tile_of(policy->space, &slab), values);
}

static wal_status create_memo(wal_policy *policy) {
  const wal_space *space = policy->space;
  const int64_t horizon = space->game->shape.horizon;
  if (horizon * space->pairs > MEMO_MOST) return WAL_OK;
  WAL_TRY(wal_acquire(space->ctx, "policy", horizon * space->pairs, sizeof(double),
                      &policy->probabilities));
  WAL_TRY(wal_acquire(space->ctx, "policy", horizon * space->tiles * space->states.tile,
                      sizeof(double), &policy->log_norms));
  return wal_acquire(space->ctx, "policy", horizon * space->tiles, 1, &policy->known);
}

wal_status wal_policy_create(const wal_space *space, wal_policy_kind kind, wal_policy *out) {
  const wal_shape *shape = &space->game->shape;
  *out = (wal_policy){.space = space, .kind = kind};
  int64_t size = 0;
  if (!wal_multiply(space->pairs, shape->horizon, &size))
    return wal_fail(space->ctx, WAL_EINPUT, "policy: its size overflows");
  WAL_TRY(wal_acquire(space->ctx, "policy", size, sizeof(double), &out->values));
  if (kind == WAL_POLICY_LOGITS) WAL_TRY(create_memo(out));
  if (wal_ctx_planning(space->ctx)) return WAL_OK;
  if (kind != WAL_POLICY_LOGITS)
    for (int64_t i = 0; i < size; i++) out->values[i] = 1.0 / shape->actions;
  for (int h = 0; space->legal && h < shape->horizon; h++)
    for (int64_t tile = 0; tile < space->tiles; tile++) wal_policy_forbid(out, h, tile);
  return WAL_OK;
}

void wal_policy_declare(const wal_space *space, double *values, const char *name,
                        wal_state *state) {
  const wal_partition *p = &space->states;
  const int64_t tile = wal_space_tile_pairs(space);
  const int64_t last = p->size - (p->blocks - 1) * p->block;  // states of the last block
  const int64_t all = (p->blocks - 1) * p->block_tiles + (last + p->tile - 1) / p->tile;
  wal_state_add_spread(state, name, values, space->game->shape.horizon, space->pairs, all * tile,
                       p->first_block * p->block_tiles * tile, space->pairs);
}

void wal_policy_restored(wal_policy *policy) {
  for (int h = 0; h < policy->space->game->shape.horizon; h++)
    for (int64_t tile = 0; tile < policy->space->tiles; tile++)
      wal_policy_changed(policy, h, tile);
}

void wal_space_forbid(const wal_space *space, int64_t tile, double *reward) {
  const unsigned char *legal = wal_space_legal(space, tile);
  const int64_t pairs = wal_space_tile_pairs(space);
  for (int64_t i = 0; legal && i < pairs; i++) reward[i] = legal[i] ? reward[i] : WAL_FORBIDDEN;
}

void wal_policy_destroy(wal_policy *policy) {
  if (!policy->space) return;
  wal_ctx *ctx = policy->space->ctx;
  wal_release(ctx, &policy->values);
  wal_release(ctx, &policy->probabilities);
  wal_release(ctx, &policy->log_norms);
  wal_release(ctx, &policy->known);
}

wal_policy_memo wal_policy_memo_of(const wal_policy *policy, int stage, int64_t tile) {
  const wal_space *space = policy->space;
  if (!policy->probabilities) return (wal_policy_memo){0};
  const int64_t at = stage * space->tiles + tile;
  return (wal_policy_memo){
      policy->probabilities + stage * space->pairs + wal_space_pair(space, tile),
      policy->log_norms + at * space->states.tile, policy->known + at};
}

/* Softmax of a tile's logits, made now or remembered. */
static const double *read_logits(const wal_policy *policy, const wal_slab *slab, int64_t tile,
                                 double *scratch, double *log_norm) {
  const wal_tile t = wal_tile_of(policy->space, slab);
  const double *logits = wal_policy_tile(policy, slab->stage, tile);
  const wal_policy_memo memo = wal_policy_memo_of(policy, slab->stage, tile);
  if (!memo.known) {
    wal_tile_softmax(t, 1, logits, scratch, log_norm);
    return scratch;
  }
  if (!*memo.known) wal_tile_softmax(t, 1, logits, memo.probabilities, memo.log_norm);
  *memo.known = 1;
  if (log_norm) memcpy(log_norm, memo.log_norm, (size_t)t.count * sizeof *log_norm);
  return memo.probabilities;
}

const double *wal_policy_read(const wal_policy *policy, const wal_slab *slab, int64_t tile,
                              double *scratch, double *log_norm) {
  const double *stored = wal_policy_tile(policy, slab->stage, tile);
  const wal_tile t = wal_tile_of(policy->space, slab);
  switch (policy->kind) {
    case WAL_POLICY_PROBABILITIES:
      return stored;
    case WAL_POLICY_SIGNED:
      if (!wal_tile_has_logs(t, stored)) return stored;
      wal_tile_drop_logs(t, stored, scratch);
      break;
    case WAL_POLICY_LOGITS:
      return read_logits(policy, slab, tile, scratch, log_norm);
  }
  return scratch;
}

void wal_policy_export(const wal_policy *policy, int stage, double *out) {
  const wal_space *space = policy->space;
  const int actions = space->game->shape.actions;
  for (int64_t tile = 0; tile < space->tiles; tile++) {
    wal_slab slab = wal_space_slab(space, stage, tile);
    const double *y = wal_policy_tile(policy, stage, tile);
    double *rows = out + (slab.first - space->states.first) * actions;
    for (int64_t i = 0; i < slab.count; i++)
      for (int a = 0; a < actions; a++) rows[i * actions + a] = y[a * slab.stride + i];
    const wal_tile all = {slab.count * actions, 0, 1};
    if (policy->kind == WAL_POLICY_SIGNED) wal_tile_drop_logs(all, rows, rows);
    if (policy->kind == WAL_POLICY_LOGITS)
      for (int64_t i = 0; i < slab.count; i++)  // a state's row is a tile of one state
        wal_tile_softmax((wal_tile){1, 1, actions}, 1, rows + i * actions, rows + i * actions,
                         NULL);
  }
}
