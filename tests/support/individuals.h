// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_TESTS_SUPPORT_INDIVIDUALS_H
#define WALRAS_TESTS_SUPPORT_INDIVIDUALS_H

#include <stdio.h>
#include <stdlib.h>

#include "sim/agents/individual.h"
#include "tests/support/make_game.h"

enum { WAL_TEST_GROUPS = 3 };

/** A game with a policy of its own that plays every legal action, and a crowd in it. */
typedef struct wal_test_world {
  wal_ctx *ctx, *self;
  wal_test_game made;
  wal_space *space;
  wal_arena arena;
  double *numbers;       /**< [2][H][pairs]: two policies */
  const double **policy; /**< [2][H] */
  wal_crowd_group group[WAL_TEST_GROUPS];
  wal_crowd *crowd;
} wal_test_world;

static inline const wal_shape *wal_test_world_shape(const wal_test_world *w) {
  return &w->made.game.shape;
}

/** Probabilities 1, 2, 3 to 1 in turn, from the state and the stage; about every fifth action but 0
 *  gets none, nor does what is not legal. */
static inline void wal_test_fill_policy(const wal_game *game, int stage, int which, double *p) {
  const int actions = game->shape.actions;
  for (int64_t s = 0; s < game->shape.states; s++, p += actions) {
    double sum = 0, all = 0;
    for (int a = 0; a < actions; a++) {
      unsigned char legal = 1;
      if (game->type->legal) game->type->legal(game->self, a, s, 1, &legal);
      const int64_t number = s + 3 * stage + 7 * a + which;
      p[a] = !legal || (number % 5 == 0 && a > 0) ? 0 : 1 + (double)(number % 3);
      sum += p[a];
      all += legal;
    }
    assert_true(sum > 0 && all > 0);
    for (int a = 0; a < actions; a++) p[a] /= sum;
  }
}

/** @param text    of the game; NULL: it is `game`
 *  @param agents  [groups], of each population
 *  @param alone   the crowd is of this rank */
static inline void wal_test_world_create(wal_test_world *w, const char *text, const wal_game *game,
                                         int groups, const int64_t *agents, bool alone) {
  char whole[2048];
  memset(w, 0, sizeof *w);
  snprintf(whole, sizeof whole, "return %s", text ? text : "");
  w->ctx = wal_test_ctx(11);
  WAL_ASSERT_OK(w->ctx, wal_ctx_create(MPI_COMM_SELF, 11, &w->self));
  if (text)
    WAL_ASSERT_OK(w->self, wal_test_game_script(w->self, whole, &w->made));
  else
    w->made.game = *game;
  WAL_ASSERT_OK(w->self, wal_space_create(w->self, &w->made.game, NULL, &w->space));
  WAL_ASSERT_OK(w->self, wal_arena_create(w->space, &w->arena));
  const int horizon = wal_test_world_shape(w)->horizon;
  w->numbers = calloc((size_t)(2 * horizon * w->arena.pairs), sizeof *w->numbers);
  w->policy = calloc((size_t)(2 * horizon), sizeof *w->policy);
  for (int i = 0; i < 2 * horizon; i++) {
    w->policy[i] = w->numbers + i * w->arena.pairs;
    wal_test_fill_policy(&w->made.game, i % horizon, i / horizon, w->numbers + i * w->arena.pairs);
  }
  for (int g = 0; g < groups; g++) {
    w->group[g].policy = w->policy + (int64_t)(g % 2) * horizon;
    for (int p = 0; p < wal_test_world_shape(w)->populations; p++)
      w->group[g].agents[p] = agents[g];
  }
  const wal_crowd_plan plan = {.arena = &w->arena, .groups = groups, .group = w->group};
  wal_ctx *ctx = alone ? w->self : w->ctx;
  WAL_ASSERT_OK(ctx, wal_crowd_create(ctx, &wal_crowd_individual, &plan, &w->crowd));
}

static inline void wal_test_world_destroy(wal_test_world *w) {
  wal_crowd_destroy(&w->crowd);
  wal_arena_destroy(&w->arena);
  wal_space_destroy(&w->space);
  wal_test_game_destroy(w->self, &w->made);
  free(w->numbers), free(w->policy);
  wal_ctx_destroy(&w->self);
  wal_ctx_destroy(&w->ctx);
}

#endif
