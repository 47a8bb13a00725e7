// SPDX-License-Identifier: GPL-3.0-or-later
#include "incentives/design/objective.h"

#include <stdio.h>
#include <string.h>

#include "sim/core/block_sum.h"
#include "sim/core/memory.h"

static const wal_objective_type *const OBJECTIVES[] = {
#define WAL_OBJECTIVE_ENTRY(name) &wal_objective_##name,
    WAL_OBJECTIVE_LIST(WAL_OBJECTIVE_ENTRY)
#undef WAL_OBJECTIVE_ENTRY
};

int64_t wal_objective_count(void) { return (int64_t)(sizeof OBJECTIVES / sizeof OBJECTIVES[0]); }

const wal_objective_type *wal_objective_at(int64_t index) { return OBJECTIVES[index]; }

const wal_objective_type *wal_objective_find(const char *name) {
  for (int64_t i = 0; i < wal_objective_count(); i++)
    if (strcmp(OBJECTIVES[i]->component.name, name) == 0) return OBJECTIVES[i];
  return NULL;
}

// ---- Which objectives a game has --------------------------------------------------------------

static bool reports(const wal_game_type *game, const char *column) {
  for (int c = 0; game->report && c < game->report->columns; c++)
    if (strcmp(game->report->column[c].name, column) == 0) return true;
  return false;
}

/* The first column that the game does not report; NULL: none. */
static const char *missing(const wal_game_type *game, const wal_objective_type *type) {
  for (const char *const *name = type->columns; name && *name; name++)
    if (!reports(game, *name)) return *name;
  return NULL;
}

static wal_status check_columns(wal_ctx *ctx, const wal_game_type *game,
                                const wal_objective_type *type, const wal_params *params) {
  const char *column = missing(game, type);
  char list[256] = "";
  if (!column) return WAL_OK;
  for (int64_t i = 0; i < wal_objective_count(); i++) {
    if (missing(game, OBJECTIVES[i])) continue;
    const size_t used = strlen(list);
    snprintf(list + used, sizeof list - used, "%s%s", used > 0 ? ", " : "",
             OBJECTIVES[i]->component.name);
  }
  return wal_params_fail(ctx, params, NULL,
                         "expected an objective that the game %s has (%s): it reports no %s",
                         game->component.name, list, column);
}

wal_status wal_objective_check(wal_ctx *ctx, const wal_game *game, const wal_objective_type *type,
                               wal_params *params) {
  const wal_space space = {.ctx = ctx, .game = game};  // of which create() reads no more
  wal_objective o = {.type = type, .space = &space};
  WAL_TRY(check_columns(ctx, game->type, type, params));
  const wal_status status = type->create(ctx, params, &o);
  wal_release(ctx, &o.self);
  return status;
}

wal_status wal_objective_check_derivatives(const wal_objective *o) {
  const wal_game_type *game = o->space->game->type;
  if (!o->type->columns) return WAL_OK;
  if (game->conclude_vjp && (game->report->sums == 0 || game->measure_vjp)) return WAL_OK;
  return wal_fail(o->space->ctx, WAL_EINPUT,
                  "the game %s has no derivatives of its %s: it cannot be designed for that by "
                  "gradients",
                  game->component.name, o->type->columns[0]);
}

// ---- Made and measured ------------------------------------------------------------------------

static void seed_stage(void *user, int stage, const double *statistic, double *statistic_bar) {
  wal_objective *o = user;
  memset(o->sums_bar, 0, (size_t)o->sums * sizeof *o->sums_bar);
  o->type->conclude_vjp(o, stage, statistic, o->stage_sums + (int64_t)stage * o->sums,
                        statistic_bar, o->sums_bar);
}

static void seed_tile(void *user, const wal_adjoint_tile *tile) {
  const wal_objective *o = user;
  o->type->add_vjp(o, o->sums_bar, tile);
}

static wal_status acquire(wal_objective *o) {
  wal_ctx *ctx = o->space->ctx;
  const int64_t horizon = o->space->game->shape.horizon, one = sizeof(double);
  WAL_TRY(wal_acquire(ctx, "objective", horizon * o->sums, one, &o->stage_sums));
  WAL_TRY(wal_acquire(ctx, "objective", o->sums, one, &o->sums_bar));
  return wal_acquire(ctx, "objective", wal_space_tile_pairs(o->space), one, &o->room);
}

wal_status wal_objective_create(const wal_space *space, const wal_objective_type *type,
                                wal_params *params, wal_objective **out) {
  wal_ctx *ctx = space->ctx;
  wal_objective *o = NULL;
  *out = NULL;
  wal_status status = check_columns(ctx, space->game->type, type, params);
  if (status == WAL_OK) status = wal_acquire(ctx, "objective", 1, sizeof *o, &o);
  if (status == WAL_OK) {
    o->type = type;
    o->space = space;
    o->seed = (wal_adjoint_seed){seed_stage, seed_tile, o};
    status = type->create(ctx, params, o);
  }
  if (status == WAL_OK) status = acquire(o);
  status = wal_agree(ctx, status);
  if (status == WAL_OK && o->sums > 0)
    status = wal_block_sum_create(ctx, &space->states, o->sums, &o->adder);
  if (status == WAL_OK)
    *out = o;
  else
    wal_objective_destroy(&o);
  return status;
}

void wal_objective_destroy(wal_objective **objective) {
  if (!objective || !*objective) return;
  wal_objective *o = *objective;
  wal_ctx *ctx = o->space->ctx;
  wal_release(ctx, &o->self);
  wal_release(ctx, &o->stage_sums);
  wal_release(ctx, &o->sums_bar);
  wal_release(ctx, &o->room);
  wal_block_sum_destroy(&o->adder);
  wal_release(ctx, objective);
}

static wal_status sum_stage(wal_objective *o, const wal_flow *flow, const wal_policy *policy,
                            int stage, double *sums) {
  const wal_space *space = o->space;
  if (o->type->begin) WAL_TRY(o->type->begin(o, flow, stage));
  if (o->sums == 0) return WAL_OK;
  wal_block_sum_start(o->adder);
  for (int64_t tile = 0; tile < space->tiles; tile++) {
    const wal_slab slab = wal_space_slab(space, stage, tile);
    const wal_objective_tile now = {
        .slab = slab,
        .mass = wal_flow_mass(flow, stage) + (slab.first - space->states.first),
        .pi = wal_policy_read(policy, &slab, tile, o->room, NULL),
        .statistic = wal_flow_statistic(flow, stage)};
    o->type->add(o, &now, wal_block_sum_row(o->adder, wal_space_block(space, tile)));
  }
  return wal_block_sum_finish(o->adder, sums);
}

wal_status wal_objective_measure(wal_objective *o, const wal_flow *flow, const wal_policy *policy,
                                 double *out) {
  const wal_game *game = o->space->game;
  *out = 0;
  for (int h = 0; h < game->shape.horizon; h++) {
    double *sums = o->stage_sums + (int64_t)h * o->sums;
    WAL_TRY(sum_stage(o, flow, policy, h, sums));
    *out += o->type->conclude(o, h, wal_flow_statistic(flow, h), sums);
  }
  return game->type->failure
             ? wal_agree(o->space->ctx, game->type->failure(o->space->ctx, game->self))
             : WAL_OK;
}

const wal_adjoint_seed *wal_objective_seed(wal_objective *o) { return &o->seed; }
