// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/game/space.h"

#include <string.h>

#include "sim/core/memory.h"

/* States of one row of the grid that the axes describe: from one place to the next along the last
   axis but one, populations (innermost) not counted as an axis. 1 if there is one axis only. */
static int64_t grid_row(const wal_shape *shape) {
  int last = shape->axes - 1;
  int64_t row = 1;
  if (last > 0 && shape->populations > 1 && shape->axis[last].size == shape->populations)
    row = shape->axis[last--].size;
  return last > 0 ? row * shape->axis[last].size : 1;
}

/* Asks which pairs are legal and checks that every state has one. Rank-local.
   @param all_legal  receives 1 if all are, else 0 */
static wal_status find_legal(wal_space *s, int64_t *all_legal) {
  const wal_game *game = s->game;
  const int actions = game->shape.actions;
  *all_legal = 1;
  WAL_TRY(wal_acquire(s->ctx, "legal actions", s->pairs, 1, &s->legal));
  for (int64_t tile = 0; tile < s->tiles; tile++) {
    const wal_slab slab = wal_space_slab(s, 0, tile);
    unsigned char *legal = s->legal + wal_space_pair(s, tile);
    for (int a = 0; a < actions; a++)
      game->type->legal(game->self, a, slab.first, slab.count, legal + a * slab.stride);
    for (int64_t i = 0; i < slab.count; i++) {
      int count = 0;
      for (int a = 0; a < actions; a++) count += legal[a * slab.stride + i] != 0;
      if (count < actions) *all_legal = 0;
      if (count == 0)
        return wal_fail(s->ctx, WAL_EINTERNAL, "game %s: state %lld has no legal action",
                        game->type->component.name, (long long)(slab.first + i));
    }
  }
  return WAL_OK;
}

/* Learners round differently where actions may be illegal: all ranks know of it, or none. */
static wal_status agree_on_legal(wal_space *s) {
  int64_t all_legal = 1;
  WAL_TRY_ALL(s->ctx, find_legal(s, &all_legal));
  WAL_TRY(wal_ctx_least_integer(s->ctx, &all_legal));
  if (all_legal) wal_release(s->ctx, &s->legal);
  return WAL_OK;
}

static wal_status create_kernels(wal_space *s, wal_noise_form form) {
  const bool noisy = s->game->shape.noise_terms > 0;
  s->kernels = wal_game_kernels(s->game);
  wal_status status = wal_acquire(s->ctx, "kernel", s->kernels, sizeof(wal_moves *), &s->moves);
  if (status == WAL_OK && noisy)
    status = wal_acquire(s->ctx, "kernel", s->kernels, sizeof(wal_noise *), &s->noise);
  WAL_TRY_ALL(s->ctx, status);
  for (int h = 0; h < s->kernels; h++) {
    WAL_TRY(wal_moves_create(s->ctx, s->game, h, &s->states, &s->post, &s->moves[h]));
    int64_t halo = s->post.count + wal_halo_away(wal_moves_halo(s->moves[h]));
    if (halo > s->halo) s->halo = halo;
    if (!noisy) continue;
    WAL_TRY(wal_noise_create(s->ctx, s->game, h, &s->post, &s->states, form, &s->noise[h]));
    halo = s->states.count + wal_halo_away(wal_noise_halo(s->noise[h]));
    if (halo > s->halo) s->halo = halo;
  }
  return WAL_OK;
}

wal_status wal_space_create(wal_ctx *ctx, const wal_game *game, const wal_space_options *options,
                            wal_space **out) {
  *out = NULL;
  wal_space *s = NULL;
  WAL_TRY_ALL(ctx, wal_acquire(ctx, "space", 1, sizeof *s, &s));
  const wal_shape *shape = &game->shape;
  const wal_space_options usual = {0};
  if (!options) options = &usual;
  s->ctx = ctx;
  s->game = game;
  s->states = wal_partition_states(ctx, shape->states, shape->actions, shape->group,
                                   grid_row(shape), options->block);
  s->post = wal_partition_derive(&s->states, shape->post_states);
  s->tiles = wal_partition_tiles(&s->states);
  s->pairs = wal_space_pair(s, s->tiles);
  wal_status status = WAL_OK;
  if (game->type->legal) status = agree_on_legal(s);
  if (status == WAL_OK) status = create_kernels(s, options->form);
  s->row = wal_round_up(s->halo, 8);
  if (status != WAL_OK)
    wal_space_destroy(&s);
  else
    *out = s;
  return status;
}

void wal_space_destroy(wal_space **space) {
  if (!space || !*space) return;
  wal_space *s = *space;
  wal_ctx *ctx = s->ctx;
  for (int h = 0; s->moves && h < s->kernels; h++) wal_moves_destroy(&s->moves[h]);
  for (int h = 0; s->noise && h < s->kernels; h++) wal_noise_destroy(&s->noise[h]);
  wal_release(ctx, &s->moves);
  wal_release(ctx, &s->noise);
  wal_release(ctx, &s->legal);
  wal_release(ctx, space);
}

/* The noise after a stage, NULL if there is none. */
static wal_noise *noise_of(const wal_space *space, int stage) {
  return space->noise ? space->noise[space->kernels > 1 ? stage : 0] : NULL;
}

void wal_space_clear_away(const wal_space *space, int stage, double *post) {
  int64_t away = wal_halo_away(wal_moves_halo(wal_space_moves(space, stage)));
  memset(post + space->post.count, 0, (size_t)away * sizeof *post);
}

void wal_space_clear_block(const wal_space *space, int64_t block, double *post) {
  int64_t first = wal_partition_cut(&space->post, block);
  int64_t end = wal_partition_cut(&space->post, block + 1);
  memset(post + first - space->post.first, 0, (size_t)(end - first) * sizeof *post);
}

wal_status wal_space_push(const wal_space *space, int stage, double *post, double *next) {
  wal_noise *noise = noise_of(space, stage);
  WAL_TRY(wal_halo_push(wal_moves_halo(wal_space_moves(space, stage)), post));
  return noise ? wal_noise_push(noise, post, next) : WAL_OK;
}

wal_status wal_space_pull(const wal_space *space, int stage, double *next, double *post,
                          const double **value) {
  wal_noise *noise = noise_of(space, stage);
  double *reached = noise ? post : next;
  if (noise) WAL_TRY(wal_noise_pull(noise, next, post));
  *value = reached;
  return wal_halo_pull(wal_moves_halo(wal_space_moves(space, stage)), reached);
}

void wal_space_add_traffic(const wal_space *space, int stage, bool push, wal_traffic *sum) {
  const wal_noise *noise = noise_of(space, stage);
  wal_traffic now = wal_halo_traffic(wal_moves_halo(wal_space_moves(space, stage)), push);
  sum->bytes += now.bytes;
  sum->messages += now.messages;
  if (!noise) return;
  now = wal_noise_traffic(noise, push);
  sum->bytes += now.bytes;
  sum->messages += now.messages;
  sum->collectives += now.collectives;
}

wal_slab wal_space_slab(const wal_space *space, int stage, int64_t tile) {
  const wal_partition *p = &space->states;
  const int64_t block = p->first_block + tile / p->block_tiles;
  const int64_t first = block * p->block + tile % p->block_tiles * p->tile;
  const int64_t left = wal_partition_cut(p, block + 1) - first;
  const int64_t count = left < p->tile ? left : p->tile;
  return (wal_slab){.stage = stage, .first = first, .count = count, .stride = p->tile};
}
