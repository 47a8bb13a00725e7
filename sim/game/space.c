// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/game/space.h"

#include "sim/core/memory.h"

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
  s->states =
      wal_partition_states(ctx, shape->states, shape->actions, shape->group, options->block);
  s->post = wal_partition_derive(&s->states, shape->post_states);
  s->tiles = wal_partition_tiles(&s->states);
  s->pairs = wal_space_pair(s, s->tiles);
  wal_status status = wal_moves_create(ctx, game, &s->states, &s->post, &s->moves);
  if (status == WAL_OK && shape->noise_terms > 0)
    status = wal_noise_create(ctx, game, &s->post, &s->states, options->form, &s->noise);
  if (status != WAL_OK) {
    wal_space_destroy(&s);
    return status;
  }
  s->halo = s->post.count + wal_halo_away(wal_moves_halo(s->moves));
  if (s->noise) {
    int64_t states = s->states.count + wal_halo_away(wal_noise_halo(s->noise));
    if (states > s->halo) s->halo = states;
  }
  *out = s;
  return WAL_OK;
}

void wal_space_destroy(wal_space **space) {
  if (!space || !*space) return;
  wal_ctx *ctx = (*space)->ctx;
  wal_moves_destroy(&(*space)->moves);
  wal_noise_destroy(&(*space)->noise);
  wal_release(ctx, space);
}

wal_status wal_space_push(const wal_space *space, double *post, double *next, const double **mass) {
  WAL_TRY(wal_halo_push(wal_moves_halo(space->moves), post));
  *mass = post;
  if (!space->noise) return WAL_OK;
  *mass = next;
  return wal_noise_push(space->noise, post, next);
}

wal_status wal_space_pull(const wal_space *space, double *next, double *post,
                          const double **value) {
  double *reached = next;
  if (space->noise) {
    WAL_TRY(wal_noise_pull(space->noise, next, post));
    reached = post;
  }
  *value = reached;
  return wal_halo_pull(wal_moves_halo(space->moves), reached);
}

wal_slab wal_space_slab(const wal_space *space, int stage, int64_t tile) {
  const wal_partition *p = &space->states;
  int64_t at = tile * p->tile;
  int64_t count = p->count - at < p->tile ? p->count - at : p->tile;
  return (wal_slab){.stage = stage, .first = p->first + at, .count = count, .stride = p->tile};
}
