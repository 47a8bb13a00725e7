// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/game/game.h"

#include <string.h>

#include "sim/core/memory.h"

enum { MOST_STATES = INT32_MAX };

static wal_status check_shape(wal_ctx *ctx, const wal_params *params, const wal_game_type *type,
                              const wal_shape *shape) {
  int64_t pairs = 0, all = 0;
  if (shape->states < 1 || shape->states > MOST_STATES)
    return wal_params_fail(ctx, params, NULL, "expected 1 to %d states, got %lld", MOST_STATES,
                           (long long)shape->states);
  if (shape->post_states < 1 || shape->post_states > MOST_STATES)
    return wal_params_fail(ctx, params, NULL, "expected 1 to %d post-decision states, got %lld",
                           MOST_STATES, (long long)shape->post_states);
  if (!wal_multiply(shape->states, (int64_t)shape->actions * shape->outcomes, &pairs) ||
      !wal_multiply(pairs, 8 * (int64_t)shape->horizon, &all))
    return wal_params_fail(ctx, params, NULL,
                           "%d stages of %lld states and %d actions overflow the address space",
                           shape->horizon, (long long)shape->states, shape->actions);
  bool sound = shape->horizon >= 1 && shape->actions >= 1 && shape->outcomes >= 1 &&
               shape->populations >= 1 && shape->populations <= WAL_POPULATIONS &&
               shape->group >= 1 && shape->group % shape->populations == 0 &&
               shape->states % shape->populations == 0 && shape->noise_terms >= 0 &&
               shape->statistic >= 0 && shape->settled >= 0 &&
               (shape->statistic == 0 || type->couple) && (shape->settled == 0 || type->settle) &&
               (shape->noise_terms == 0 || type->noise) && shape->axes <= WAL_AXES &&
               shape->contests >= 0 && (shape->contests == 0 || (type->contest && type->quota));
  int64_t product = 1;
  for (int i = 0; i < shape->axes; i++) product *= shape->axis[i].size;
  if (!sound || (shape->axes > 0 && product != shape->states))
    return wal_fail(ctx, WAL_EINTERNAL, "game %s declares a shape that does not hold together",
                    type->component.name);
  return WAL_OK;
}

/* Every registered game takes one; those of tests may not. */
static bool has_toll(const wal_component *component) {
  for (const wal_param *p = component->params; p && p->name; p++)
    if (strcmp(p->name, "toll") == 0) return true;
  return false;
}

const wal_game_type *wal_game_of(const wal_params *params) {
  const char *component = (const char *)wal_params_component(params);
  return (const wal_game_type *)(const void *)(component - offsetof(wal_game_type, component));
}

wal_status wal_game_create(wal_ctx *ctx, const wal_game_type *type, wal_params *params,
                           wal_game *out) {
  memset(out, 0, sizeof *out);
  wal_shape shape = {.populations = 1, .outcomes = 1, .group = 1};
  void *self = NULL;
  if (type->struct_size != sizeof(wal_game_type) || !type->create || !type->destroy ||
      !type->initial || !type->move || !type->stage || (type->report && !type->conclude))
    return wal_fail(ctx, WAL_EINTERNAL,
                    "a game's table of operations is of another version or lacks a required one");
  WAL_TRY(type->create(ctx, params, &shape, &self));
  if (type->operations) type = type->operations(self);
  if (shape.post_states == 0) shape.post_states = shape.states;
  if (shape.axes == 0) {
    shape.axes = 1;
    shape.axis[0] = (wal_axis){.name = "state", .size = shape.states};
  }
  *out = (wal_game){.type = type, .self = self, .shape = shape};
  wal_status status = check_shape(ctx, params, type, &shape);
  if (status == WAL_OK && has_toll(&type->component))
    status = wal_toll_create(ctx, wal_params_child(params, "toll"), shape.states, shape.actions,
                             &out->toll);
  if (status != WAL_OK) wal_game_destroy(ctx, out);
  return status;
}

void wal_game_destroy(wal_ctx *ctx, wal_game *game) {
  if (game->type) game->type->destroy(ctx, game->self);
  wal_toll_destroy(ctx, &game->toll);
  memset(game, 0, sizeof *game);
}

void wal_game_parameters(const wal_game *game, wal_parameters *out) {
  const wal_toll *toll = &game->toll;
  *out = (wal_parameters){0};
  if (toll->count > 0)
    *out = (wal_parameters){
        .values = toll->xi,
        .count = toll->count,
        .parts = 1,
        .part = {toll->by_action ? (wal_parameter_part){"toll", 2, {toll->actions, toll->states}}
                                 : (wal_parameter_part){"toll", 1, {toll->states, 0}}}};
  else if (game->type->parameters)
    game->type->parameters(game->self, out);
}

void wal_game_designed(wal_game *game) {
  wal_toll_renew(&game->toll);
  if (game->type->designed) game->type->designed(game->self);
}

void wal_game_spread_reward(const wal_game *game, const wal_slab *slab, double *reward) {
  for (int a = 1; a < game->shape.actions; a++)
    memcpy(reward + a * slab->stride, reward, (size_t)slab->count * sizeof *reward);
}

/* From [K][A] to [K][A][stride] in place: the last row first, none of which reaches an earlier one.
 */
static void spread_outcome(const wal_game *game, const wal_slab *slab, double *outcome) {
  for (int row = game->shape.outcomes * game->shape.actions - 1; row >= 0; row--) {
    const double chance = outcome[row];
    for (int64_t i = 0; i < slab->count; i++) outcome[row * slab->stride + i] = chance;
  }
}

void wal_game_stage(const wal_game *game, const wal_slab *slab, const double *mass,
                    const double *policy, const double *statistic, double *reward,
                    double *outcome) {
  game->type->stage(game->self, slab, mass, policy, statistic, reward, outcome);
  if (reward && game->shape.state_reward) wal_game_spread_reward(game, slab, reward);
  if (reward)
    wal_toll_take(&game->toll, game->shape.actions, slab->first, slab->count, slab->stride, reward);
  if (outcome && game->shape.action_outcome) spread_outcome(game, slab, outcome);
}
