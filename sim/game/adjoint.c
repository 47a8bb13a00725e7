// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/game/adjoint.h"

#include <string.h>

#include "sim/core/block_sum.h"
#include "sim/core/gather.h"
#include "sim/core/memory.h"
#include "sim/game/prospect.h"
#include "sim/game/tile_adjoint.h"

struct wal_adjoint {
  const wal_space *space;
  wal_prospect prospect;
  double *pi_bar;                   // [H][pairs]
  double *mass_bar;                 // [H][row]
  double *statistic_bar, *more;     // [H][numbers in z_h]; [numbers]
  double *value_bar[2];             // [row]: of V_h and V_{h+1}
  double *post, *target;            // halo arrays: what is pulled, and what is pushed
  double *pi, *log_norm, *x, *got;  // tiles
  double *share;                    // [K][tile size]
  double *outcome_bar;              // [K] tiles; or [K][A]
  double *zeros;                    // [tile size]
  wal_block_sum *sums;              // of statistic_bar; NULL without one
  double *charge_bar;               // [charges a state][own states]: of the toll; NULL without one
};

wal_status wal_adjoint_check(wal_ctx *ctx, const wal_game *game) {
  const wal_game_type *type = game->type;
  const wal_shape *shape = &game->shape;
  const char *lacks = !type->stage_vjp                            ? "rewards"
                      : shape->statistic > 0 && !type->couple_vjp ? "statistics"
                      : shape->settled > 0 && !type->settle_vjp   ? "settled statistics"
                                                                  : NULL;
  if (!lacks) return type->differentiable ? type->differentiable(ctx, game->self) : WAL_OK;
  return wal_fail(ctx, WAL_EINPUT,
                  "the game %s has no derivatives of its %s: it cannot be designed by gradients",
                  type->component.name, lacks);
}

static wal_status acquire(wal_adjoint *a) {
  const wal_space *space = a->space;
  const wal_shape *shape = &space->game->shape;
  wal_ctx *ctx = space->ctx;
  const int64_t tile = wal_space_tile_pairs(space), one = sizeof(double);
  const int64_t numbers = wal_game_statistics(space->game), horizon = shape->horizon;
  WAL_TRY(wal_acquire(ctx, "adjoint", horizon * space->pairs, one, &a->pi_bar));
  WAL_TRY(wal_acquire(ctx, "adjoint", horizon * space->row, one, &a->mass_bar));
  WAL_TRY(wal_acquire(ctx, "adjoint", horizon * numbers, one, &a->statistic_bar));
  WAL_TRY(wal_acquire(ctx, "adjoint", numbers, one, &a->more));
  for (int i = 0; i < 2; i++)
    WAL_TRY(wal_acquire(ctx, "adjoint", space->row, one, &a->value_bar[i]));
  WAL_TRY(wal_acquire(ctx, "adjoint", space->row, one, &a->post));
  WAL_TRY(wal_acquire(ctx, "adjoint", space->row, one, &a->target));
  WAL_TRY(wal_acquire(ctx, "adjoint", tile, one, &a->pi));
  WAL_TRY(wal_acquire(ctx, "adjoint", space->states.tile, one, &a->log_norm));
  WAL_TRY(wal_acquire(ctx, "adjoint", tile, one, &a->x));
  WAL_TRY(wal_acquire(ctx, "adjoint", tile, one, &a->got));
  WAL_TRY(wal_acquire(ctx, "adjoint", space->states.tile, one, &a->zeros));
  const wal_toll *toll = &space->game->toll;
  if (toll->count > 0)
    WAL_TRY(wal_acquire(ctx, "adjoint", toll->count / toll->states * space->states.count, one,
                        &a->charge_bar));
  if (shape->outcomes == 1) return WAL_OK;
  const int64_t row = shape->action_outcome ? shape->actions : tile;
  WAL_TRY(wal_acquire(ctx, "adjoint", row * shape->outcomes, one, &a->outcome_bar));
  return wal_acquire(ctx, "adjoint", (shape->outcomes + 1) * space->states.tile, one, &a->share);
}

wal_status wal_adjoint_create(const wal_space *space, wal_adjoint **out) {
  wal_ctx *ctx = space->ctx;
  wal_adjoint *a = NULL;
  *out = NULL;
  wal_status status = wal_acquire(ctx, "adjoint", 1, sizeof *a, &a);
  if (status == WAL_OK) {
    a->space = space;
    status = wal_prospect_create(space, &a->prospect);
  }
  if (status == WAL_OK) status = acquire(a);
  status = wal_agree(ctx, status);
  const int64_t numbers = wal_game_statistics(space->game);
  if (status == WAL_OK && numbers > 0)
    status = wal_block_sum_create(ctx, &space->states, numbers, &a->sums);
  if (status == WAL_OK)
    *out = a;
  else
    wal_adjoint_destroy(&a);
  return status;
}

void wal_adjoint_destroy(wal_adjoint **adjoint) {
  if (!adjoint || !*adjoint) return;
  wal_adjoint *a = *adjoint;
  wal_ctx *ctx = a->space->ctx;
  double **const arrays[] = {&a->pi_bar,      &a->mass_bar,     &a->statistic_bar,
                             &a->more,        &a->value_bar[0], &a->value_bar[1],
                             &a->post,        &a->pi,           &a->log_norm,
                             &a->x,           &a->got,          &a->share,
                             &a->outcome_bar, &a->zeros,        &a->target,
                             &a->charge_bar};
  for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) wal_release(ctx, arrays[i]);
  wal_prospect_destroy(&a->prospect);
  wal_block_sum_destroy(&a->sums);
  wal_release(ctx, adjoint);
}

static double *bars_of(const wal_adjoint *a, int stage) {
  return a->statistic_bar + stage * wal_game_statistics(a->space->game);
}

/* The tile's share of the statistic's bar; what is written without one is not read. */
static double *share_of(const wal_adjoint *a, int64_t tile) {
  return a->sums ? wal_block_sum_row(a->sums, wal_space_block(a->space, tile)) : a->more;
}

/* Adds what the tiles have given to the bars of a stage. */
static wal_status add_shares(wal_adjoint *a, int stage) {
  if (!a->sums) return WAL_OK;
  double *bars = bars_of(a, stage);
  WAL_TRY(wal_block_sum_finish(a->sums, a->more));
  for (int64_t i = 0; i < wal_game_statistics(a->space->game); i++) bars[i] += a->more[i];
  return WAL_OK;
}

/* Adds to a state's bar of mass what stage() and couple() give. */
static double *mass_bar_of(const wal_adjoint *a, const wal_slab *slab) {
  return a->mass_bar + slab->stage * a->space->row + (slab->first - a->space->states.first);
}

/* sum[a] += sum_s weight[s] x[a][s], for both passes' bars of outcomes by action. */
static void add_outcome_bars(const wal_adjoint *a, wal_tile t, const double *weight,
                             const double *x) {
  const int outcomes = a->space->game->shape.outcomes;
  memset(a->outcome_bar, 0, (size_t)(outcomes * t.actions) * sizeof *a->outcome_bar);
  for (int k = 0; k < outcomes; k++)
    wal_tile_action_mass(t, weight + k * t.stride, x, a->outcome_bar + (int64_t)k * t.actions);
}

/* got[a][s] = post[t_k(s,a)] */
static void reach(const wal_adjoint *a, const wal_slab *slab, int64_t tile, int outcome,
                  const double *post, double *got) {
  wal_moves_pull(wal_space_moves(a->space, slab->stage), tile, outcome, slab->stride, NULL, post, 0,
                 a->zeros, got);
}

/* The probabilities of outcome k, [A][stride]; NULL: 1. */
static const double *chance(const wal_adjoint *a, const wal_slab *slab, int outcome) {
  const wal_shape *shape = &a->space->game->shape;
  if (shape->outcomes == 1) return NULL;
  if (!shape->action_outcome) return a->prospect.outcome + outcome * wal_space_tile_pairs(a->space);
  for (int b = 0; b < shape->actions; b++)
    for (int64_t i = 0; i < slab->count; i++)
      a->prospect.spread[b * slab->stride + i] = a->prospect.outcome[outcome * shape->actions + b];
  return a->prospect.spread;
}

static bool moves_by_state(const wal_adjoint *a, const wal_slab *slab, int64_t tile) {
  const wal_shape *shape = &a->space->game->shape;
  return shape->outcomes > 1 && shape->action_outcome &&
         wal_moves_by_state(wal_space_moves(a->space, slab->stage), tile);
}

// ---- First pass: the value recursion ----------------------------------------------------------

/* y <- (y - rate * q) / keep, and its probabilities. */
static void undo_tile(wal_adjoint *a, const wal_policy *policy, const wal_logit_step *undo,
                      const wal_tile_value *q, const wal_slab *slab, int64_t tile) {
  const wal_policy_memo memo = wal_policy_memo_of(policy, slab->stage, tile);
  const wal_tile_step back = {.keep = 1 / undo->keep,
                              .rate = -undo->rate / undo->keep,
                              .y = wal_policy_tile(policy, slab->stage, tile),
                              .next_pi = memo.probabilities,
                              .next_log = memo.log_norm};
  wal_tile_step_run(wal_tile_of(a->space, slab), q, &back);
  if (memo.known) *memo.known = 1;
  wal_policy_forbid(policy, slab->stage, tile);
}

/* The bars of values that the tile's actions reach, on their way to the next stage; and those of
   the outcomes' probabilities. */
static void pass_on(wal_adjoint *a, const wal_slab *slab, int64_t tile, const double *reached,
                    double *target) {
  const wal_space *space = a->space;
  const wal_shape *shape = &space->game->shape;
  const wal_moves *moves = wal_space_moves(space, slab->stage);
  const wal_tile t = wal_tile_of(space, slab);
  const int64_t pairs = wal_space_tile_pairs(space);
  if (shape->outcomes == 1) {
    wal_moves_push(moves, tile, 0, slab->stride, a->x, target);
    return;
  }
  if (moves_by_state(a, slab, tile)) {
    add_outcome_bars(a, t, a->prospect.reached, a->x);
    wal_tile_outcome_shares(t, shape->outcomes, a->prospect.outcome, a->x, a->share);
    for (int k = 0; k < shape->outcomes; k++)
      wal_moves_push_states(moves, tile, k, a->share + k * t.stride, target);
    return;
  }
  if (shape->action_outcome)
    memset(a->outcome_bar, 0, (size_t)(shape->outcomes * t.actions) * sizeof *a->outcome_bar);
  for (int k = 0; k < shape->outcomes; k++) {
    reach(a, slab, tile, k, reached, a->got);
    wal_tile_multiply(t, a->x, a->got, a->got);
    if (shape->action_outcome)
      for (int b = 0; b < t.actions; b++)
        for (int64_t i = 0; i < t.count; i++)
          a->outcome_bar[k * t.actions + b] += a->got[b * t.stride + i];
    else
      memcpy(a->outcome_bar + k * pairs, a->got, (size_t)pairs * sizeof *a->got);
    wal_tile_multiply(t, a->x, chance(a, slab, k), a->got);
    wal_moves_push(moves, tile, k, slab->stride, a->got, target);
  }
}

static void value_tile(wal_adjoint *a, const wal_flow *flow, const wal_policy *policy,
                       const wal_adjoint_request *request, int stage, int64_t tile,
                       const double *reached, double *target) {
  const wal_space *space = a->space;
  const wal_game *game = space->game;
  const wal_slab slab = wal_space_slab(space, stage, tile);
  const wal_tile t = wal_tile_of(space, &slab);
  const int64_t own = slab.first - space->states.first;
  const int64_t at = stage * space->pairs + wal_space_pair(space, tile);
  const double *pi = a->pi;
  if (!request->undo) pi = wal_policy_read(policy, &slab, tile, a->pi, a->log_norm);
  wal_prospect_stage(&a->prospect, flow, &slab, tile, pi);
  wal_tile_value q;
  if (!wal_prospect_tell(&a->prospect, reached, &slab, tile, &q) || (q.outcomes && q.outcomes != 2))
    q = (wal_tile_value){.base = wal_prospect_values(&a->prospect, reached, &slab, tile, a->got),
                         .base_stride = slab.stride};
  if (request->undo) {
    undo_tile(a, policy, request->undo, &q, &slab, tile);
    pi = wal_policy_read(policy, &slab, tile, a->pi, a->log_norm);
  }
  const wal_tile_worth worth = {.scale = request->scale,
                                .entropy = request->entropy,
                                .q_bar = request->q_bar + at,
                                .v_bar = a->value_bar[0] + own,
                                .pi = pi,
                                .y = wal_policy_tile(policy, stage, tile),
                                .log_norm = a->log_norm,
                                .x = a->x,
                                .pi_bar = a->pi_bar + at};
  wal_tile_worth_bar(t, &q, &worth);
  if (reached) {
    const int64_t block = wal_space_block(space, tile);
    if (slab.first == wal_partition_cut(&space->states, block))
      wal_space_clear_block(space, block, target);
    pass_on(a, &slab, tile, reached, target);
  }
  if (a->charge_bar && request->parameters_bar)
    wal_toll_charge_bar(&game->toll, slab.first, slab.count, slab.stride, a->x, space->states.first,
                        space->states.count, a->charge_bar);
  if (game->shape.state_reward)
    for (int b = 1; b < t.actions; b++)
      for (int64_t i = 0; i < t.count; i++) a->x[i] += a->x[b * t.stride + i];
  game->type->stage_vjp(game->self, &slab, wal_flow_mass(flow, stage) + own, pi,
                        wal_flow_statistic(flow, stage), a->x, reached ? a->outcome_bar : NULL,
                        mass_bar_of(a, &slab), worth.pi_bar, share_of(a, tile));
}

static wal_status reverse_values(wal_adjoint *a, const wal_flow *flow, wal_values *values,
                                 const wal_policy *policy, const wal_adjoint_request *request) {
  const wal_space *space = a->space;
  const int horizon = space->game->shape.horizon;
  memset(a->value_bar[0], 0, (size_t)space->row * sizeof *a->value_bar[0]);
  wal_prospect_renew(&a->prospect);
  for (int h = 0; h < horizon; h++) {
    const double *reached = NULL;
    double *next = a->value_bar[1], *target = NULL;
    if (h + 1 < horizon) {
      WAL_TRY(wal_space_pull(space, h, wal_values_kept(values, h + 1), a->post, &reached));
      target = wal_space_target(space, next, a->target);
      wal_space_clear_away(space, h, target);
    }
    if (a->sums) wal_block_sum_start(a->sums);
    for (int64_t tile = 0; tile < space->tiles; tile++)
      value_tile(a, flow, policy, request, h, tile, reached, target);
    WAL_TRY(add_shares(a, h));
    if (!target) break;
    WAL_TRY(wal_space_push(space, h, target, next));
    a->value_bar[1] = a->value_bar[0];
    a->value_bar[0] = next;
  }
  return WAL_OK;
}

// ---- Second pass: the flow --------------------------------------------------------------------

/* The bars of mass that is moved, from those at its targets. */
static void move_tile(wal_adjoint *a, const wal_flow *flow, const wal_slab *slab, int64_t tile,
                      const double *pi, const double *reached) {
  const wal_space *space = a->space;
  const wal_game *game = space->game;
  const wal_shape *shape = &game->shape;
  const wal_tile t = wal_tile_of(space, slab);
  const int64_t pairs = wal_space_tile_pairs(space);
  const double *mass = wal_flow_mass(flow, slab->stage) + (slab->first - space->states.first);
  double *mass_bar = mass_bar_of(a, slab);
  double *pi_bar = a->pi_bar + slab->stage * space->pairs + wal_space_pair(space, tile);
  if (shape->outcomes == 1) {
    reach(a, slab, tile, 0, reached, a->got);
    wal_tile_reach_bar(t, NULL, mass, pi, a->got, pi_bar, mass_bar);
    return;
  }
  wal_prospect_stage(&a->prospect, flow, slab, tile, pi);
  if (moves_by_state(a, slab, tile)) {
    const wal_moves *moves = wal_space_moves(space, slab->stage);
    double *bar = a->prospect.reached, *row = a->share + shape->outcomes * t.stride;
    wal_tile_outcome_shares(t, shape->outcomes, a->prospect.outcome, pi, a->share);
    for (int k = 0; k < shape->outcomes; k++) {
      double *at = bar + k * t.stride, *share = a->share + k * t.stride;
      wal_moves_pull_states(moves, tile, k, reached, at);
      for (int64_t i = 0; i < t.count; i++) mass_bar[i] += share[i] * at[i];
      for (int64_t i = 0; i < t.count; i++) row[i] = mass[i] * at[i];
      memcpy(share, row, (size_t)t.count * sizeof *share);
    }
    wal_tile_move_bar(t, shape->outcomes, a->prospect.outcome, bar, mass, pi_bar);
    add_outcome_bars(a, t, a->share, pi);
  } else {
    if (shape->action_outcome)
      memset(a->outcome_bar, 0, (size_t)(shape->outcomes * t.actions) * sizeof *a->outcome_bar);
    for (int k = 0; k < shape->outcomes; k++) {
      reach(a, slab, tile, k, reached, a->got);
      wal_tile_reach_bar(t, chance(a, slab, k), mass, pi, a->got, pi_bar, mass_bar);
      if (shape->action_outcome)
        for (int b = 0; b < t.actions; b++)
          for (int64_t i = 0; i < t.count; i++)
            a->outcome_bar[k * t.actions + b] += a->got[b * t.stride + i];
      else
        memcpy(a->outcome_bar + k * pairs, a->got, (size_t)pairs * sizeof *a->got);
    }
  }
  game->type->stage_vjp(game->self, slab, mass, pi, wal_flow_statistic(flow, slab->stage), NULL,
                        a->outcome_bar, mass_bar, pi_bar, share_of(a, tile));
}

static void seed_tile(wal_adjoint *a, const wal_flow *flow, const wal_adjoint_seed *seed,
                      const wal_slab *slab, int64_t tile, const double *pi) {
  const wal_space *space = a->space;
  const wal_adjoint_tile now = {
      .slab = *slab,
      .tile = tile,
      .mass = wal_flow_mass(flow, slab->stage) + (slab->first - space->states.first),
      .pi = pi,
      .statistic = wal_flow_statistic(flow, slab->stage),
      .mass_bar = mass_bar_of(a, slab),
      .pi_bar = a->pi_bar + slab->stage * space->pairs + wal_space_pair(space, tile),
      .statistic_bar = share_of(a, tile)};
  seed->tile(seed->user, &now);
}

/* What the statistic's bars say of masses and policy; then all is known of the tile's policy. */
static void couple_tile(wal_adjoint *a, const wal_flow *flow, const wal_policy *policy,
                        const wal_adjoint_request *request, int stage, int64_t tile) {
  const wal_space *space = a->space;
  const wal_game *game = space->game;
  const wal_shape *shape = &game->shape;
  const wal_slab slab = wal_space_slab(space, stage, tile);
  const int64_t own = slab.first - space->states.first;
  const int64_t at = stage * space->pairs + wal_space_pair(space, tile);
  const double *pi = wal_policy_read(policy, &slab, tile, a->pi, NULL), *bars = bars_of(a, stage);
  double *mass_bar = mass_bar_of(a, &slab);
  if (shape->whole) {
    const double *of = bars + shape->statistic + shape->settled + slab.first;
    for (int64_t i = 0; i < slab.count; i++) mass_bar[i] += of[i];
  }
  if (shape->statistic > 0)
    game->type->couple_vjp(game->self, &slab, wal_flow_mass(flow, stage) + own, pi, bars, mass_bar,
                           a->pi_bar + at);
  wal_tile_softmax_bar(wal_tile_of(space, &slab), pi, a->pi_bar + at, request->keep,
                       request->logits_bar + at);
}

static wal_status reverse_flow(wal_adjoint *a, const wal_flow *flow, const wal_policy *policy,
                               const wal_adjoint_request *request) {
  const wal_space *space = a->space;
  const wal_game *game = space->game;
  const wal_adjoint_seed *seed = request->seed;
  // Of a game with a toll that is what is designed, and not its own parameters.
  double *own_bar = a->charge_bar ? NULL : request->parameters_bar;
  wal_prospect_renew(&a->prospect);
  for (int h = game->shape.horizon - 1; h >= 0; h--) {
    const double *reached = NULL;
    if (h + 1 < game->shape.horizon)
      WAL_TRY(wal_space_pull(space, h, a->mass_bar + (h + 1) * space->row, a->post, &reached));
    if (a->sums) wal_block_sum_start(a->sums);
    if (seed && seed->stage) seed->stage(seed->user, h, wal_flow_statistic(flow, h), bars_of(a, h));
    for (int64_t tile = 0; tile < space->tiles; tile++) {
      if (!reached && !(seed && seed->tile)) break;
      const wal_slab slab = wal_space_slab(space, h, tile);
      const double *pi = wal_policy_read(policy, &slab, tile, a->pi, NULL);
      if (seed && seed->tile) seed_tile(a, flow, seed, &slab, tile, pi);
      if (reached) move_tile(a, flow, &slab, tile, pi, reached);
    }
    WAL_TRY(add_shares(a, h));
    if (game->shape.settled > 0)
      game->type->settle_vjp(game->self, h, flow->statistics, a->statistic_bar, own_bar);
    for (int64_t tile = 0; tile < space->tiles; tile++)
      couple_tile(a, flow, policy, request, h, tile);
  }
  return WAL_OK;
}

wal_status wal_adjoint_run(wal_adjoint *a, const wal_flow *flow, wal_values *values,
                           const wal_policy *policy, const wal_adjoint_request *request) {
  const wal_space *space = a->space;
  const int64_t horizon = space->game->shape.horizon;
  memset(a->mass_bar, 0, (size_t)(horizon * space->row) * sizeof *a->mass_bar);
  memset(a->statistic_bar, 0,
         (size_t)(horizon * wal_game_statistics(space->game)) * sizeof *a->statistic_bar);
  if (request->q_bar)
    WAL_TRY(reverse_values(a, flow, values, policy, request));
  else
    memset(a->pi_bar, 0, (size_t)(horizon * space->pairs) * sizeof *a->pi_bar);
  return reverse_flow(a, flow, policy, request);
}

/* The bars of the charges are spread as the states are. */
static wal_status flush_toll(wal_adjoint *a, double *bar) {
  const wal_space *space = a->space;
  const wal_toll *toll = &space->game->toll;
  const int64_t rows = toll->count / toll->states, own = space->states.count;
  double *whole = NULL;
  wal_gather *gather = NULL;
  WAL_TRY_ALL(space->ctx, wal_acquire(space->ctx, "toll", toll->count, sizeof *whole, &whole));
  wal_status status = wal_gather_create(space->ctx, &space->states, &gather);
  for (int64_t r = 0; status == WAL_OK && r < rows; r++)
    status = wal_gather_run(gather, a->charge_bar + r * own, whole + r * toll->states);
  if (status == WAL_OK) wal_toll_pull_back(toll, whole, bar);
  memset(a->charge_bar, 0, (size_t)(rows * own) * sizeof *a->charge_bar);
  wal_gather_destroy(&gather);
  wal_release(space->ctx, &whole);
  return status;
}

wal_status wal_adjoint_flush(wal_adjoint *a, double *parameters_bar) {
  const wal_game *game = a->space->game;
  if (a->charge_bar) return flush_toll(a, parameters_bar);
  if (game->type->flush_vjp) game->type->flush_vjp(game->self, parameters_bar);
  return WAL_OK;
}
