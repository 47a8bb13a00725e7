// SPDX-License-Identifier: GPL-3.0-or-later
#include "incentives/design/draws.h"

#include <math.h>
#include <string.h>

#include "sim/core/memory.h"

enum { KEY_SHOWN = 160 };

// ---- Which numbers ----------------------------------------------------------------------------

/* Under a key, word 0 is the seed of all that the game itself draws, the others are the numbers. */
static wal_random_words words(const wal_draw_key *key, int64_t which) {
  const uint64_t item = ((uint64_t)key->restart << 40) + (uint64_t)key->draw;
  return wal_random(key->seed, key->purpose, item, (uint32_t)key->step, (uint32_t)which);
}

wal_draw_key wal_draw_of_step(const wal_ctx *ctx, int64_t restart, int64_t step, int64_t draw) {
  return (wal_draw_key){.seed = wal_ctx_seed(ctx),
                        .purpose = WAL_PURPOSE_DESIGN_DRAW,
                        .restart = restart,
                        .step = step,
                        .draw = draw};
}

wal_draw_key wal_draw_held_out(int64_t draw) {
  return (wal_draw_key){.purpose = WAL_PURPOSE_DESIGN_HELD_OUT, .draw = draw};
}

double wal_draws_number(const wal_draws *draws, const wal_draw_key *key, int64_t index) {
  const wal_drawn_number *n = &draws->number[index];
  const wal_random_words drawn = words(key, index + 1);
  const double u = wal_random_real(&drawn, 0);
  const bool whole = n->param && n->param->type == WAL_INTEGER;
  const double found =
      whole ? n->low + floor(u * (n->high - n->low + 1)) : n->low + u * (n->high - n->low);
  return fmin(found, n->high);  // rounding
}

static void exchange(wal_drawn_number *n) {
  if (n->owner) wal_params_exchange(n->owner, n->param, &n->given, &n->number);
}

void wal_draws_begin(wal_draws *draws, wal_ctx *ctx, const wal_draw_key *key) {
  const wal_random_words drawn = words(key, 0);
  draws->seed = wal_ctx_seed(ctx);
  wal_ctx_set_seed(ctx, (uint64_t)drawn.word[1] << 32 | drawn.word[0]);
  wal_ctx_silence(ctx, true);  // the games at the ends of the ranges have warned
  for (int64_t i = 0; i < draws->count; i++) {
    draws->number[i].given = true;
    draws->number[i].number = wal_draws_number(draws, key, i);
    exchange(&draws->number[i]);
  }
}

void wal_draws_end(wal_draws *draws, wal_ctx *ctx) {
  for (int64_t i = draws->count - 1; i >= 0; i--) exchange(&draws->number[i]);
  wal_ctx_silence(ctx, false);
  wal_ctx_set_seed(ctx, draws->seed);
}

// ---- Read -------------------------------------------------------------------------------------

static const char *name_at(const void *user, int64_t i) {
  const wal_param *params = user;
  return params[i].name;
}

static wal_status unknown(wal_ctx *ctx, const wal_params *task, const char *name, const char *key,
                          const wal_params *owner, const char *rest) {
  const wal_component *component = wal_params_component(owner);
  const size_t length = strcspn(rest, ".");
  char asked[KEY_SHOWN], shown[KEY_SHOWN];
  int64_t count = 0;
  while (component->params && component->params[count].name) count++;
  wal_quoted_text(key, shown, sizeof shown);
  memcpy(asked, rest, length < sizeof asked ? length : sizeof asked - 1);
  asked[length < sizeof asked ? length : sizeof asked - 1] = '\0';
  const char *nearest = wal_nearest_name(asked, count, name_at, component->params);
  if (nearest && strcmp(nearest, asked) == 0)
    return wal_params_fail(ctx, task, name, "%s: %s of %s has no parts", shown, asked,
                           component->name);
  if (nearest)
    return wal_params_fail(ctx, task, name,
                           "%s: %s has no parameter of this name; did you mean \"%s\"?", shown,
                           component->name, nearest);
  return wal_params_fail(ctx, task, name, "%s: %s has no parameter of this name", shown,
                         component->name);
}

static wal_status read_range(wal_ctx *ctx, const wal_params *task, const char *name,
                             const char *key, const wal_node *node, wal_drawn_number *out) {
  char shown[KEY_SHOWN], got[KEY_SHOWN], low[32], high[32];
  wal_quoted_text(key, shown, sizeof shown);
  if (node->kind != WAL_NODE_NUMBERS || node->count != 2)
    return wal_params_fail(ctx, task, name, "%s: expected a range as {0.6, 1.2}, got %s", shown,
                           wal_node_describe(node, got, sizeof got));
  out->low = node->numbers[0];
  out->high = node->numbers[1];
  if (!(out->low <= out->high))
    return wal_params_fail(ctx, task, name,
                           "%s: expected a range from its lower end to its upper, got {%s, %s}",
                           shown, wal_number_text(out->low, low, sizeof low),
                           wal_number_text(out->high, high, sizeof high));
  return WAL_OK;
}

static wal_status read_number(wal_ctx *ctx, const wal_params *task, const char *name,
                              const char *key, const wal_node *node, wal_params *game, bool lenient,
                              wal_drawn_number *out) {
  char shown[KEY_SHOWN];
  const char *rest;
  const size_t size = strlen(key) + 1;
  wal_params *owner;
  WAL_TRY(wal_acquire(ctx, "draws", (int64_t)size, 1, &out->path));
  memcpy(out->path, key, size);
  WAL_TRY(read_range(ctx, task, name, key, node, out));
  const wal_param *param = wal_params_at(game, key, &owner, &rest);
  if (!param && lenient) return WAL_OK;
  if (!param) return unknown(ctx, task, name, key, owner, rest);
  if (param->type != WAL_INTEGER && param->type != WAL_REAL)
    return wal_params_fail(
        ctx, task, name, "%s: expected the path of a number, but %s of %s is none",
        wal_quoted_text(key, shown, sizeof shown), param->name, wal_params_component(owner)->name);
  WAL_TRY(wal_params_check_number(ctx, owner, param, node->line, "in draw: ", out->low));
  WAL_TRY(wal_params_check_number(ctx, owner, param, node->line, "in draw: ", out->high));
  out->owner = owner;
  out->param = param;
  return WAL_OK;
}

static wal_status read_all(wal_ctx *ctx, const wal_params *task, const char *name, wal_params *game,
                           bool lenient, wal_draws *out) {
  char got[KEY_SHOWN];
  const wal_node *node = wal_params_node(task, name);
  if (node->kind == WAL_NODE_NUMBERS && node->count == 0) return WAL_OK;  // an empty table
  if (node->kind != WAL_NODE_FIELDS)
    return wal_params_fail(ctx, task, name,
                           "expected a table of ranges, as { goods = {0.6, 1.2} }, got %s",
                           wal_node_describe(node, got, sizeof got));
  WAL_TRY(wal_acquire(ctx, "draws", node->count, sizeof *out->number, &out->number));
  out->count = node->count;
  for (int64_t i = 0; i < node->count; i++)
    WAL_TRY(read_number(ctx, task, name, node->keys[i], node->items[i], game, lenient,
                        &out->number[i]));
  return WAL_OK;
}

wal_status wal_draws_create(wal_ctx *ctx, const wal_params *task, const char *name,
                            wal_params *game, bool lenient, wal_draws **out) {
  wal_draws *draws = NULL;
  *out = NULL;
  WAL_TRY(wal_acquire(ctx, "draws", 1, sizeof *draws, &draws));
  const wal_status status = read_all(ctx, task, name, game, lenient, draws);
  if (status == WAL_OK)
    *out = draws;
  else
    wal_draws_destroy(ctx, &draws);
  return status;
}

void wal_draws_destroy(wal_ctx *ctx, wal_draws **draws) {
  if (!draws || !*draws) return;
  wal_draws *d = *draws;
  for (int64_t i = 0; i < d->count; i++) wal_release(ctx, &d->number[i].path);
  wal_release(ctx, &d->number);
  wal_release(ctx, draws);
}

// ---- Checked ----------------------------------------------------------------------------------

typedef struct sizes {
  int64_t of[6];
} sizes;

static wal_status measure(wal_ctx *ctx, const wal_game_type *type, wal_params *params, sizes *out) {
  wal_game game = {0};
  wal_parameters parameters;
  WAL_TRY(wal_game_create(ctx, type, params, &game));
  wal_game_parameters(&game, &parameters);
  const wal_shape *s = &game.shape;
  *out = (sizes){{s->horizon, s->states, s->actions, s->statistic, s->settled, parameters.count}};
  wal_game_destroy(ctx, &game);
  return WAL_OK;
}

wal_status wal_draws_check(wal_ctx *ctx, wal_draws *draws, const wal_params *task, const char *name,
                           const wal_game_type *type, wal_params *game) {
  sizes written, drawn;
  char shown[KEY_SHOWN];
  WAL_TRY(measure(ctx, type, game, &written));
  for (int64_t i = 0; i < 2 * draws->count; i++) {
    wal_drawn_number *n = &draws->number[i / 2];
    n->given = true;
    n->number = i % 2 == 0 ? n->low : n->high;
    exchange(n);
    const wal_status status = measure(ctx, type, game, &drawn);
    exchange(n);
    WAL_TRY(status);
    if (memcmp(&drawn, &written, sizeof drawn) != 0)
      return wal_params_fail(ctx, task, name,
                             "%s: expected a number that stages, states, actions and parameters do "
                             "not depend on",
                             wal_quoted_text(n->path, shown, sizeof shown));
  }
  return WAL_OK;
}
