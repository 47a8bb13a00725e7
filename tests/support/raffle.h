// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_TESTS_SUPPORT_RAFFLE_H
#define WALRAS_TESTS_SUPPORT_RAFFLE_H

#include "sim/game/game.h"

/** Four outcomes: players 0 .. 3 are in contest s mod 2; who gets outcome k stands in 4 + k next
 * and then, in no contest, draws one with the probabilities k/6 and is player k. Quotas are what
 * `split` makes of the members. */
enum { PLAYERS = 4, OUTCOMES = 4, ACTIONS = 3, CONTESTS = 2, STATES = 8, HORIZON = 6 };
enum { LAYER = CONTESTS * ACTIONS };

typedef struct raffle {
  int kind;
  bool together; /**< all begin in one state */
} raffle;

static inline void raffle_destroy(wal_ctx *ctx, void *self) { (void)ctx, (void)self; }

static inline void raffle_initial(const void *self, int64_t first, int64_t count, double *mass) {
  const raffle *r = self;
  for (int64_t i = 0; i < count; i++) {
    const int64_t s = first + i;
    mass[i] = r->together ? (double)(s == 2) : s < PLAYERS ? 0.1 * (double)(s + 1) : 0;
  }
}

static inline void raffle_move(const void *self, int stage, int outcome, int action, int64_t first,
                               int64_t count, int64_t *post) {
  (void)self, (void)stage, (void)action;
  for (int64_t i = 0; i < count; i++) post[i] = first + i < PLAYERS ? PLAYERS + outcome : outcome;
}

static inline void raffle_play_stage(const void *self, const wal_slab *slab, const double *mass,
                                     const double *policy, const double *statistic, double *reward,
                                     double *outcome) {
  (void)self, (void)mass, (void)policy, (void)statistic;
  for (int a = 0; a < ACTIONS; a++)
    for (int64_t i = 0; i < slab->count; i++) {
      if (reward) reward[a * slab->stride + i] = 0;
      for (int k = 0; k < OUTCOMES && outcome; k++)
        outcome[(k * ACTIONS + a) * slab->stride + i] = k / 6.0;
    }
}

static inline void raffle_contest(const void *self, int64_t first, int64_t count, int *out) {
  (void)self;
  for (int64_t i = 0; i < count; i++) out[i] = first + i < PLAYERS ? (int)((first + i) % 2) : -1;
}

static inline void raffle_split(int kind, int64_t class, int64_t members, int64_t *quota) {
  const int64_t third = members / 3;
  const int64_t ways[][OUTCOMES] = {{third, third, 0, members - 2 * third},
                                    {0, members - third, 0, third},
                                    {1, 0, members - 2, 1},
                                    {members, 0, 0, 0},
                                    {0, 0, 0, members},
                                    {2, 3, members - 9, 4}};
  const int64_t *way = ways[(class + kind) % 6];
  bool fits = true;
  for (int k = 0; k < OUTCOMES; k++) fits = fits && way[k] >= 0;
  for (int k = 0; k < OUTCOMES; k++) quota[k * LAYER] = fits ? way[k] : k == 1 ? members : 0;
}

static inline void raffle_make_quota(const void *self, int stage, const int64_t *agents,
                                     const int64_t *played, double *statistics, int64_t *quota) {
  const raffle *r = self;
  (void)stage, (void)agents, (void)statistics;
  for (int64_t class = 0; class < LAYER; class ++)
    raffle_split(r->kind, class, played[class], quota + class);
}

static const wal_game_type raffle_type = {.struct_size = sizeof(wal_game_type),
                                          .component = {.name = "raffle"},
                                          .destroy = raffle_destroy,
                                          .initial = raffle_initial,
                                          .move = raffle_move,
                                          .stage = raffle_play_stage,
                                          .contest = raffle_contest,
                                          .quota = raffle_make_quota};

static inline wal_game raffle_game(raffle *self) {
  return (wal_game){.type = &raffle_type,
                    .self = self,
                    .shape = {.horizon = HORIZON,
                              .states = STATES,
                              .actions = ACTIONS,
                              .outcomes = OUTCOMES,
                              .populations = 1,
                              .group = 1,
                              .post_states = STATES,
                              .contests = CONTESTS}};
}

#endif
