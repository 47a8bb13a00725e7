// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/game/prospect.h"

#include <string.h>

#include "sim/core/memory.h"

wal_status wal_prospect_create(const wal_space *space, wal_prospect *out) {
  wal_ctx *ctx = space->ctx;
  const wal_shape *shape = &space->game->shape;
  const int64_t tile = wal_space_tile_pairs(space);
  *out = (wal_prospect){.space = space, .outcome_stage = -1};
  WAL_TRY(wal_acquire(ctx, "values", tile, sizeof(double), &out->reward));
  if (shape->outcomes == 1) return WAL_OK;
  const int64_t row = shape->action_outcome ? shape->actions : tile;
  WAL_TRY(wal_acquire(ctx, "values", row * shape->outcomes, sizeof(double), &out->outcome));
  if (!shape->action_outcome) return WAL_OK;
  WAL_TRY(wal_acquire(ctx, "values", shape->outcomes * space->states.tile, sizeof(double),
                      &out->reached));
  return wal_acquire(ctx, "values", tile, sizeof(double), &out->spread);
}

void wal_prospect_destroy(wal_prospect *prospect) {
  if (!prospect->space) return;
  wal_ctx *ctx = prospect->space->ctx;
  wal_release(ctx, &prospect->reward);
  wal_release(ctx, &prospect->outcome);
  wal_release(ctx, &prospect->reached);
  wal_release(ctx, &prospect->spread);
}

void wal_prospect_stage(wal_prospect *p, const wal_flow *flow, const wal_slab *slab, int64_t tile,
                        const double *pi) {
  const wal_space *space = p->space;
  const wal_game *game = space->game;
  const bool last = slab->stage + 1 == game->shape.horizon;
  const double *mass = wal_flow_mass(flow, slab->stage) + (slab->first - space->states.first);
  const double *statistic = wal_flow_statistic(flow, slab->stage);
  double *outcome = last ? NULL : p->outcome;
  if (game->shape.action_outcome && slab->stage == p->outcome_stage) outcome = NULL;
  p->outcome_stage = slab->stage;
  if (p->given) {
    if (outcome) game->type->stage(game->self, slab, mass, pi, statistic, NULL, outcome);
    const double *given = p->given + slab->stage * space->pairs + wal_space_pair(space, tile);
    for (int a = 0; a < game->shape.actions; a++)
      memcpy(p->reward + a * slab->stride, given + a * slab->stride,
             (size_t)slab->count * sizeof *given);
    p->by_state = false;
    wal_space_forbid(space, tile, p->reward);
    return;
  }
  p->by_state = game->shape.state_reward && !last && !space->legal && !game->toll.by_action;
  game->type->stage(game->self, slab, mass, pi, statistic, p->reward, outcome);
  if (game->shape.state_reward && !p->by_state) wal_game_spread_reward(game, slab, p->reward);
  wal_toll_take(&game->toll, p->by_state ? 1 : game->shape.actions, slab->first, slab->count,
                slab->stride, p->reward);
  wal_space_forbid(space, tile, p->reward);
}

bool wal_prospect_tell(const wal_prospect *p, const double *post, const wal_slab *slab,
                       int64_t tile, wal_tile_value *out) {
  const wal_shape *shape = &p->space->game->shape;
  const wal_moves *moves = wal_space_moves(p->space, post ? slab->stage : 0);
  *out = (wal_tile_value){.base = p->reward, .base_stride = p->by_state ? 0 : slab->stride};
  if (!post) return true;
  if (shape->outcomes == 1 || !shape->action_outcome || !wal_moves_by_state(moves, tile))
    return false;
  for (int k = 0; k < shape->outcomes; k++)
    wal_moves_pull_states(moves, tile, k, post, p->reached + k * slab->stride);
  out->outcomes = shape->outcomes;
  out->weight = p->outcome;
  out->reached = p->reached;
  return true;
}

/* One outcome with its probability by action. */
static void pull_actions(const wal_prospect *p, const double *post, const wal_slab *slab,
                         int64_t tile, double *q) {
  const wal_tile t = wal_tile_of(p->space, slab);
  double *weight = p->spread;
  for (int k = 0; k < p->space->game->shape.outcomes; k++) {
    for (int a = 0; a < t.actions; a++)
      for (int64_t i = 0; i < t.count; i++)
        weight[a * t.stride + i] = p->outcome[k * t.actions + a];
    wal_moves_pull(wal_space_moves(p->space, slab->stage), tile, k, slab->stride, weight, post,
                   k == 0 && p->by_state ? 0 : slab->stride, k == 0 ? p->reward : q, q);
  }
}

const double *wal_prospect_values(const wal_prospect *p, const double *post, const wal_slab *slab,
                                  int64_t tile, double *room) {
  const wal_space *space = p->space;
  const int64_t pairs = wal_space_tile_pairs(space);
  const int outcomes = space->game->shape.outcomes;
  wal_tile_value told;
  if (wal_prospect_tell(p, post, slab, tile, &told)) {
    if (!post) return p->reward;
    wal_tile_value_store(wal_tile_of(space, slab), &told, room);
    return room;
  }
  if (space->game->shape.action_outcome) {
    pull_actions(p, post, slab, tile, room);
    return room;
  }
  for (int k = 0; k < outcomes; k++)
    wal_moves_pull(wal_space_moves(space, slab->stage), tile, k, slab->stride,
                   outcomes == 1 ? NULL : p->outcome + k * pairs, post,
                   k == 0 && p->by_state ? 0 : slab->stride, k == 0 ? p->reward : room, room);
  return room;
}
