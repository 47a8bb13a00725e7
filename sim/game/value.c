// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/game/value.h"

#include <string.h>

#include "sim/core/block_sum.h"
#include "sim/core/memory.h"
#include "sim/core/sum.h"
#include "sim/game/prospect.h"

/* One value function on its way backwards. */
typedef struct channel {
  double *room[2];        // halo arrays: scratch, and V_h unless it is kept
  const double *reached;  // values of post-decision states, NULL at the last stage
  double *q;              // a tile
} channel;

struct wal_values_scratch {
  channel channel[WAL_VALUES];
  double *pi, *log_norm;  // tiles
  wal_prospect prospect;
  wal_block_sum *totals;  // [WAL_VALUES + 2][populations]
};

enum { GAP = WAL_VALUES, SOFT_GAP, TOTALS };

wal_status wal_values_create(const wal_space *space, unsigned which, wal_value kept,
                             wal_values *out) {
  wal_ctx *ctx = space->ctx;
  const wal_shape *shape = &space->game->shape;
  const int64_t tile = wal_space_tile_pairs(space);
  struct wal_values_scratch *s = NULL;
  *out = (wal_values){.space = space};
  wal_status status = WAL_OK;
  WAL_TRY_GOTO(wal_acquire(ctx, "values", 1, sizeof *s, &s));
  out->scratch = s;
  WAL_TRY_GOTO(wal_acquire(ctx, "values", shape->horizon * space->row, sizeof(double), &out->kept));
  for (int c = 0; c < WAL_VALUES; c++) {
    if (!(which >> c & 1u)) continue;
    for (int i = 0; i < 2; i++)  // a value that is always kept needs only what noise is pulled to
      if ((wal_value)c != kept || (i == 1 && space->noise))
        WAL_TRY_GOTO(
            wal_acquire(ctx, "values", space->halo, sizeof(double), &s->channel[c].room[i]));
    WAL_TRY_GOTO(wal_acquire(ctx, "values", tile, sizeof(double), &s->channel[c].q));
  }
  WAL_TRY_GOTO(wal_acquire(ctx, "values", tile, sizeof(double), &s->pi));
  WAL_TRY_GOTO(wal_acquire(ctx, "values", space->states.tile, sizeof(double), &s->log_norm));
  WAL_TRY_GOTO(wal_prospect_create(space, &s->prospect));
cleanup:
  status = wal_agree(ctx, status);
  if (status == WAL_OK)
    status = wal_block_sum_create(ctx, &space->states, TOTALS * shape->populations, &s->totals);
  if (status != WAL_OK) wal_values_destroy(out);
  return status;
}

void wal_values_destroy(wal_values *values) {
  if (!values->space) return;
  wal_ctx *ctx = values->space->ctx;
  struct wal_values_scratch *s = values->scratch;
  if (s) {
    for (int c = 0; c < WAL_VALUES; c++) {
      wal_release(ctx, &s->channel[c].room[0]);
      wal_release(ctx, &s->channel[c].room[1]);
      wal_release(ctx, &s->channel[c].q);
    }
    wal_release(ctx, &s->pi);
    wal_release(ctx, &s->log_norm);
    wal_prospect_destroy(&s->prospect);
    wal_block_sum_destroy(&s->totals);
  }
  wal_release(ctx, &values->scratch);
  wal_release(ctx, &values->kept);
}

/* Where V_h of a value stands, with room for the away part. Without noise V_{h+1} is read where it
   stands while V_h is written, so that they take turns. */
static double *place(const wal_values *values, const wal_value_request *request, int c, int stage) {
  if ((wal_value)c == request->keep) return wal_values_kept(values, stage);
  return values->scratch->channel[c].room[values->space->noise ? 0 : stage % 2];
}

static void state_values(wal_value which, wal_tile t, double entropy, const double *pi,
                         const double *logits, const double *log_norm, const double *q, double *v) {
  switch (which) {
    case WAL_VALUE_POLICY:
      wal_tile_expectation(t, pi, q, v);
      break;
    case WAL_VALUE_BEST:
      wal_tile_max(t, q, v);
      break;
    case WAL_VALUE_SOFT_POLICY:
      wal_tile_soft_expectation(t, entropy, pi, logits, log_norm, q, v);
      break;
    case WAL_VALUE_SOFT_BEST:
    case WAL_VALUES:
      wal_tile_log_sum_exp(t, entropy, q, v);
      break;
  }
}

/* sum of mass * x per population; with several of them state i belongs to i mod P. */
static void add_totals(int populations, int64_t count, const double *mass, const double *x,
                       double *totals) {
  if (populations == 1) {
    totals[0] += wal_dot(count, mass, x);
    return;
  }
  for (int64_t i = 0; i < count; i++) totals[i % populations] += mass[i] * x[i];
}

static void add_tile_totals(wal_values *values, const wal_value_request *request,
                            const wal_value_tile *now) {
  const wal_space *space = values->space;
  struct wal_values_scratch *s = values->scratch;
  const int populations = space->game->shape.populations;
  const int64_t count = now->slab.count;
  double *row = wal_block_sum_row(s->totals, wal_space_block(space, now->tile));
  for (int c = 0; c < WAL_VALUES; c++)
    if (request->which >> c & 1u)
      add_totals(populations, count, now->mass, now->v[c], row + c * populations);
  static const struct {
    int best, own, total;
  } GAPS[] = {{WAL_VALUE_BEST, WAL_VALUE_POLICY, GAP},
              {WAL_VALUE_SOFT_BEST, WAL_VALUE_SOFT_POLICY, SOFT_GAP}};
  for (int g = 0; g < 2; g++) {
    const double *best = now->v[GAPS[g].best], *own = now->v[GAPS[g].own];
    if (!best || !own) continue;
    double *gap = s->log_norm;  // of this tile no longer needed
    for (int64_t i = 0; i < count; i++) gap[i] = best[i] - own[i];
    add_totals(populations, count, now->mass, gap, row + GAPS[g].total * populations);
  }
}

/* V_h of one value, and its q if the visit reads it. */
static void value_tile(wal_values *values, const wal_value_request *request, int c,
                       wal_value_tile *now, const double *logits) {
  const wal_space *space = values->space;
  struct wal_values_scratch *s = values->scratch;
  const channel *ch = &s->channel[c];
  const wal_tile t = wal_tile_of(space, &now->slab);
  double *v = place(values, request, c, now->slab.stage) + (now->slab.first - space->states.first);
  now->v[c] = v;
  if (c == WAL_VALUE_BEST && ch->reached && space->game->shape.outcomes == 1 &&
      !(request->visits >> c & 1u)) {
    wal_moves_pull_max(wal_space_moves(space, now->slab.stage), now->tile, ch->reached,
                       s->prospect.by_state ? 0 : now->slab.stride, s->prospect.reward, v);
    return;
  }
  now->q[c] = wal_prospect_values(&s->prospect, ch->reached, &now->slab, now->tile, ch->q);
  state_values((wal_value)c, t, request->entropy, now->pi, logits, s->log_norm, now->q[c], v);
}

/* The soft values of the policy and a step on its logits. */
static void step_tile(wal_values *values, const wal_policy *policy,
                      const wal_value_request *request, wal_value_tile *now) {
  enum { SOFT = WAL_VALUE_SOFT_POLICY };
  const wal_space *space = values->space;
  struct wal_values_scratch *s = values->scratch;
  const channel *ch = &s->channel[SOFT];
  const int stage = now->slab.stage;
  const wal_policy_memo memo = wal_policy_memo_of(policy, stage, now->tile);
  double *v = place(values, request, SOFT, stage) + (now->slab.first - space->states.first);
  wal_tile_value q;
  if (!wal_prospect_tell(&s->prospect, ch->reached, &now->slab, now->tile, &q) ||
      (q.outcomes && q.outcomes != 2))
    q = (wal_tile_value){
        .base = wal_prospect_values(&s->prospect, ch->reached, &now->slab, now->tile, ch->q),
        .base_stride = now->slab.stride};
  const wal_tile_step step = {.keep = request->step->keep,
                              .rate = request->step->rate,
                              .entropy = request->entropy,
                              .pi = now->pi,
                              .log_norm = s->log_norm,
                              .y = wal_policy_tile(policy, stage, now->tile),
                              .v = v,
                              .next_pi = memo.probabilities,
                              .next_log = memo.log_norm};
  wal_tile_step_run(wal_tile_of(space, &now->slab), &q, &step);
  now->v[SOFT] = v;
}

static void sweep_tile(wal_values *values, const wal_flow *flow, const wal_policy *policy,
                       const wal_value_request *request, int stage, int64_t tile) {
  const wal_space *space = values->space;
  struct wal_values_scratch *s = values->scratch;
  const wal_slab slab = wal_space_slab(space, stage, tile);
  const bool soft = request->which >> WAL_VALUE_SOFT_POLICY & 1u;
  const double *mass = wal_flow_mass(flow, stage) + (slab.first - space->states.first);
  const double *pi = wal_policy_read(policy, &slab, tile, s->pi, soft ? s->log_norm : NULL);
  wal_prospect_stage(&s->prospect, flow, &slab, tile, pi);
  wal_value_tile now = {.slab = slab, .tile = tile, .mass = mass, .pi = pi};
  for (int c = 0; c < WAL_VALUES; c++)
    if (request->which >> c & 1u && !(request->step && c == WAL_VALUE_SOFT_POLICY))
      value_tile(values, request, c, &now, wal_policy_tile(policy, stage, tile));
  if (request->step) step_tile(values, policy, request, &now);
  if (stage == 0) add_tile_totals(values, request, &now);
  if (request->visit) {
    request->visit(request->user, &now);
    wal_policy_changed(policy, stage, tile);
  }
  if (request->visit || request->step) wal_policy_forbid(policy, stage, tile);
}

wal_status wal_values_run(wal_values *values, const wal_flow *flow, const wal_policy *policy,
                          const wal_value_request *request, wal_value_totals *totals) {
  const wal_space *space = values->space;
  const wal_shape *shape = &space->game->shape;
  struct wal_values_scratch *s = values->scratch;
  wal_block_sum_start(s->totals);
  wal_prospect_renew(&s->prospect);
  s->prospect.given = request->reward;
  for (int h = shape->horizon - 1; h >= 0; h--) {
    for (int c = 0; c < WAL_VALUES; c++) {
      channel *ch = &s->channel[c];
      ch->reached = NULL;
      if (h + 1 < shape->horizon && request->which >> c & 1u)
        WAL_TRY(
            wal_space_pull(space, h, place(values, request, c, h + 1), ch->room[1], &ch->reached));
    }
    for (int64_t tile = 0; tile < space->tiles; tile++)
      sweep_tile(values, flow, policy, request, h, tile);
  }
  const wal_game *game = space->game;
  if (game->type->failure) WAL_TRY_ALL(space->ctx, game->type->failure(space->ctx, game->self));
  double sums[TOTALS * WAL_POPULATIONS];
  WAL_TRY(wal_block_sum_finish(s->totals, sums));
  memset(totals, 0, sizeof *totals);
  for (int p = 0; p < shape->populations; p++) {
    for (int c = 0; c < WAL_VALUES; c++) totals->value[c][p] = sums[c * shape->populations + p];
    totals->exploitability[p] = sums[GAP * shape->populations + p];
    totals->soft_exploitability[p] = sums[SOFT_GAP * shape->populations + p];
  }
  return WAL_OK;
}

wal_traffic wal_values_traffic(const wal_space *space, unsigned which) {
  const wal_shape *shape = &space->game->shape;
  const wal_partition *p = &space->states;
  wal_traffic sum = {0};
  for (int c = 0; c < WAL_VALUES; c++)
    for (int h = 0; which >> c & 1u && h + 1 < shape->horizon; h++)
      wal_space_add_traffic(space, h, false, &sum);
  if (p->ranks == 1) return sum;
  const int64_t others = p->blocks - (p->end_block - p->first_block);
  sum.bytes += others * TOTALS * shape->populations * (int64_t)sizeof(double);
  sum.collectives++;
  return sum;
}

wal_status wal_values_open(wal_values *values, int stage) {
  const wal_space *space = values->space;
  channel *ch = &values->scratch->channel[WAL_VALUE_BEST];
  ch->reached = NULL;
  wal_prospect_renew(&values->scratch->prospect);
  if (stage + 1 == space->game->shape.horizon) return WAL_OK;
  return wal_space_pull(space, stage, wal_values_kept(values, stage + 1), ch->room[1],
                        &ch->reached);
}

const double *wal_values_best(wal_values *values, const wal_flow *flow, const wal_policy *policy,
                              const wal_slab *slab, int64_t tile, const double **pi) {
  struct wal_values_scratch *s = values->scratch;
  *pi = wal_policy_read(policy, slab, tile, s->pi, NULL);
  wal_prospect_stage(&s->prospect, flow, slab, tile, *pi);
  const channel *ch = &s->channel[WAL_VALUE_BEST];
  return wal_prospect_values(&s->prospect, ch->reached, slab, tile, ch->q);
}
