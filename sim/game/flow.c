// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/game/flow.h"

#include <string.h>

#include "sim/core/block_sum.h"
#include "sim/core/gather.h"
#include "sim/core/memory.h"
#include "sim/game/tile_step.h"

struct wal_flow_scratch {
  double *post;              // halo array; NULL without noise
  double *target;            // where the current stage's mass is moved to
  double *pi, *joint;        // a tile each
  double *outcome;           // [K] tiles; or [K][A]
  bool late;                 // outcomes need the settled statistic
  double *stage_policy;      // all tiles of a stage, for outcomes that need the settled statistic
  wal_block_sum *statistic;  // NULL without one
  wal_gather *whole;         // NULL unless z_h holds all masses
};

static wal_status create_outcomes(const wal_space *space, bool rereads,
                                  struct wal_flow_scratch *s) {
  wal_ctx *ctx = space->ctx;
  const wal_shape *shape = &space->game->shape;
  if (shape->outcomes == 1) return WAL_OK;
  const int64_t tile = wal_space_tile_pairs(space);
  const int64_t shares = shape->action_outcome ? shape->outcomes * space->states.tile : 0;
  const int64_t row = shape->action_outcome ? shape->actions : tile;
  s->late = shape->statistic + shape->settled > 0;
  WAL_TRY(wal_acquire(ctx, "flow", shares > tile ? shares : tile, sizeof(double), &s->joint));
  WAL_TRY(wal_acquire(ctx, "flow", row * shape->outcomes, sizeof(double), &s->outcome));
  return s->late && !rereads
             ? wal_acquire(ctx, "flow", space->pairs, sizeof(double), &s->stage_policy)
             : WAL_OK;
}

wal_status wal_flow_create(const wal_space *space, bool rereads, wal_flow *out) {
  wal_ctx *ctx = space->ctx;
  const wal_shape *shape = &space->game->shape;
  const int64_t tile = wal_space_tile_pairs(space);
  const int64_t statistics = wal_game_statistics(space->game);
  struct wal_flow_scratch *s = NULL;
  *out = (wal_flow){.space = space};
  wal_status status = WAL_OK;
  WAL_TRY_GOTO(wal_acquire(ctx, "flow", 1, sizeof *s, &s));
  out->scratch = s;
  WAL_TRY_GOTO(
      wal_acquire(ctx, "mean field", space->row * shape->horizon, sizeof(double), &out->mass));
  WAL_TRY_GOTO(wal_acquire(ctx, "statistics", statistics * shape->horizon, sizeof(double),
                           &out->statistics));
  if (space->noise) WAL_TRY_GOTO(wal_acquire(ctx, "flow", space->halo, sizeof(double), &s->post));
  WAL_TRY_GOTO(wal_acquire(ctx, "flow", tile, sizeof(double), &s->pi));
  WAL_TRY_GOTO(create_outcomes(space, rereads, s));
cleanup:
  status = wal_agree(ctx, status);
  if (status == WAL_OK && shape->statistic > 0)
    status = wal_block_sum_create(ctx, &space->states, shape->statistic, &s->statistic);
  if (status == WAL_OK && shape->whole) status = wal_gather_create(ctx, &space->states, &s->whole);
  if (status != WAL_OK) {
    wal_flow_destroy(out);
    return status;
  }
  for (int64_t t = 0; t < space->tiles && !wal_ctx_planning(ctx); t++) {
    wal_slab slab = wal_space_slab(space, 0, t);
    space->game->type->initial(space->game->self, slab.first, slab.count,
                               out->mass + slab.first - space->states.first);
  }
  return WAL_OK;
}

void wal_flow_destroy(wal_flow *flow) {
  if (!flow->space) return;
  wal_ctx *ctx = flow->space->ctx;
  struct wal_flow_scratch *s = flow->scratch;
  if (s) {
    wal_release(ctx, &s->post);
    wal_release(ctx, &s->pi);
    wal_release(ctx, &s->joint);
    wal_release(ctx, &s->outcome);
    wal_release(ctx, &s->stage_policy);
    wal_block_sum_destroy(&s->statistic);
    wal_gather_destroy(&s->whole);
  }
  wal_release(ctx, &flow->scratch);
  wal_release(ctx, &flow->mass);
  wal_release(ctx, &flow->statistics);
}

/* Outcomes by action: if all actions lead to the same places, the mass of a state is shared out
   among the outcomes' targets, and the joint is needed nowhere. */
static void move_outcomes(wal_flow *flow, const wal_slab *slab, int64_t tile, const double *mass,
                          const double *pi) {
  const wal_space *space = flow->space;
  struct wal_flow_scratch *s = flow->scratch;
  const wal_moves *moves = wal_space_moves(space, slab->stage);
  const wal_tile t = wal_tile_of(space, slab);
  const int outcomes = space->game->shape.outcomes;
  if (!wal_moves_by_state(moves, tile)) {
    for (int k = 0; k < outcomes; k++) {
      wal_tile_joint(t, mass, pi, s->joint);
      for (int a = 0; a < t.actions; a++)
        wal_tile_scale((wal_tile){t.count, t.stride, 1}, s->outcome[k * t.actions + a],
                       s->joint + a * t.stride, s->joint + a * t.stride);
      wal_moves_push(moves, tile, k, slab->stride, s->joint, s->target);
    }
    return;
  }
  wal_tile_outcome_shares(t, outcomes, s->outcome, pi, s->joint);
  for (int k = 0; k < outcomes; k++) {
    double *share = s->joint + k * t.stride;
    wal_tile_joint((wal_tile){t.count, t.stride, 1}, mass, share, share);
    wal_moves_push_states(moves, tile, k, share, s->target);
  }
}

/* L = mu pi of a tile into post-decision states; with one outcome nothing else is needed. */
static void move_tile(wal_flow *flow, const wal_slab *slab, int64_t tile, const double *mass,
                      const double *pi) {
  const wal_space *space = flow->space;
  const wal_game *game = space->game;
  struct wal_flow_scratch *s = flow->scratch;
  const wal_moves *moves = wal_space_moves(space, slab->stage);
  const wal_tile t = wal_tile_of(space, slab);
  const int64_t block = wal_space_block(space, tile);
  if (slab->first == wal_partition_cut(&space->states, block))
    wal_space_clear_block(space, block, s->target);
  if (game->shape.outcomes == 1) {
    wal_moves_push_mass(moves, tile, slab->stride, mass, pi, s->target);
    return;
  }
  if (tile == 0 || !game->shape.action_outcome)
    game->type->stage(game->self, slab, mass, pi, wal_flow_statistic(flow, slab->stage), NULL,
                      s->outcome);
  if (game->shape.action_outcome) {
    move_outcomes(flow, slab, tile, mass, pi);
    return;
  }
  wal_tile_joint(t, mass, pi, s->joint);
  const int64_t pairs = wal_space_tile_pairs(space);
  for (int k = 0; k < game->shape.outcomes; k++) {
    double *weighted = s->outcome + k * pairs;
    wal_tile_multiply(t, s->joint, weighted, weighted);
    wal_moves_push(moves, tile, k, slab->stride, weighted, s->target);
  }
}

/* One pass over the tiles of a stage: adds up the statistic, moves the mass, or both at once. The
   second pass finds the policy of the first in stage_policy, or reads it again. */
static void pass(wal_flow *flow, const wal_flow_source *source, int stage, bool again, bool couple,
                 bool move) {
  const wal_space *space = flow->space;
  const wal_game *game = space->game;
  struct wal_flow_scratch *s = flow->scratch;
  for (int64_t tile = 0; tile < space->tiles; tile++) {
    wal_slab slab = wal_space_slab(space, stage, tile);
    const double *mass = wal_flow_mass(flow, stage) + (slab.first - space->states.first);
    double *room = s->stage_policy ? s->stage_policy + wal_space_pair(space, tile) : s->pi;
    const double *pi = room;
    if (!again || !s->stage_policy) {
      pi = source->read(source->user, &slab, tile, room);
      if (s->stage_policy && pi != room)
        memcpy(room, pi, (size_t)wal_space_tile_pairs(space) * sizeof *room);
    }
    if (couple)
      game->type->couple(game->self, &slab, mass, pi,
                         wal_block_sum_row(s->statistic, wal_space_block(space, tile)));
    if (move) move_tile(flow, &slab, tile, mass, pi);
  }
}

static wal_status settle(wal_flow *flow, int stage) {
  const wal_game *game = flow->space->game;
  if (game->shape.statistic > 0)
    WAL_TRY(wal_block_sum_finish(flow->scratch->statistic, wal_flow_statistic(flow, stage)));
  if (game->shape.settled > 0) game->type->settle(game->self, stage, flow->statistics);
  return WAL_OK;
}

wal_status wal_flow_run_source(wal_flow *flow, const wal_flow_source *source) {
  const wal_space *space = flow->space;
  const wal_shape *shape = &space->game->shape;
  struct wal_flow_scratch *s = flow->scratch;
  const bool couple = shape->statistic > 0;
  for (int h = 0; h < shape->horizon; h++) {
    const bool move = h + 1 < shape->horizon;
    WAL_TRY(source->begin(source->user, h));
    if (s->whole)
      WAL_TRY(wal_gather_run(s->whole, wal_flow_mass(flow, h),
                             wal_flow_statistic(flow, h) + shape->statistic + shape->settled));
    if (couple) wal_block_sum_start(s->statistic);
    if (move) {
      s->target = wal_space_target(space, wal_flow_mass(flow, h + 1), s->post);
      wal_space_clear_away(space, h, s->target);
    }
    if (s->late) {
      pass(flow, source, h, false, couple, false);
      WAL_TRY(settle(flow, h));
      if (move) pass(flow, source, h, true, false, true);
    } else {
      pass(flow, source, h, false, couple, move);
      WAL_TRY(settle(flow, h));
    }
    if (!move) break;
    WAL_TRY(wal_space_push(space, h, s->target, wal_flow_mass(flow, h + 1)));
  }
  const wal_game *game = space->game;
  if (game->type->failure) WAL_TRY_ALL(space->ctx, game->type->failure(space->ctx, game->self));
  return WAL_OK;
}

wal_traffic wal_flow_traffic(const wal_space *space) {
  const wal_shape *shape = &space->game->shape;
  const wal_partition *p = &space->states;
  wal_traffic sum = {0};
  if (p->ranks > 1 && shape->statistic > 0) {
    sum.collectives += shape->horizon;
    sum.bytes += shape->horizon * (p->blocks - (p->end_block - p->first_block)) * shape->statistic *
                 (int64_t)sizeof(double);
  }
  if (p->ranks > 1 && shape->whole) {
    sum.collectives += shape->horizon;
    sum.bytes += shape->horizon * (p->size - p->count) * (int64_t)sizeof(double);
  }
  for (int h = 0; h + 1 < shape->horizon; h++) wal_space_add_traffic(space, h, true, &sum);
  return sum;
}

static wal_status begin_stored(void *user, int stage) {
  (void)user;
  (void)stage;
  return WAL_OK;
}

/* The last stage's policy moves nothing: it is read only if it is coupled. */
static const double *read_stored(void *user, const wal_slab *slab, int64_t tile, double *room) {
  const wal_policy *policy = user;
  const wal_shape *shape = &policy->space->game->shape;
  if (slab->stage + 1 == shape->horizon && shape->statistic == 0) return room;
  return wal_policy_read(policy, slab, tile, room, NULL);
}

wal_status wal_flow_run(wal_flow *flow, const wal_policy *policy) {
  wal_policy stored = *policy;
  const wal_flow_source source = {begin_stored, read_stored, &stored};
  return wal_flow_run_source(flow, &source);
}
