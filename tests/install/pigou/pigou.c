// SPDX-License-Identifier: GPL-3.0-or-later
// Two roads lead home. The wide one takes an hour, the narrow one x hours if a share x takes it:
// all take it, for an hour, where half of them should (Pigou 1920). Which toll makes them?
#include <stdio.h>
#include <walras.h>

enum { FORK, WIDE, NARROW, STATES };

static wal_status create(wal_ctx *ctx, wal_params *params, wal_shape *shape, void **self) {
  shape->horizon = 2, shape->states = STATES, shape->actions = 2, shape->state_reward = true;
  return WAL_OK;
}
static void initial(const void *self, int64_t first, int64_t count, double *mass) {
  for (int64_t i = 0; i < count; i++) mass[i] = first + i == FORK;
}
static void move(const void *self, int stage, int outcome, int action, int64_t first, int64_t count,
                 int64_t *next) {
  for (int64_t i = 0; i < count; i++) next[i] = first + i == FORK ? WIDE + action : first + i;
}
static void stage(const void *self, const wal_slab *slab, const double *mass, const double *policy,
                  const double *statistic, double *reward, double *outcome) {
  for (int64_t i = 0, s = slab->first; reward && i < slab->count; i++, s++)
    reward[i] = s == FORK ? 0 : s == WIDE ? -1 : -mass[i];
}
static void stage_vjp(const void *self, const wal_slab *slab, const double *mass,
                      const double *policy, const double *statistic, const double *reward_bar,
                      const double *outcome_bar, double *mass_bar, double *policy_bar,
                      double *statistic_bar) {
  for (int64_t i = 0, s = slab->first; reward_bar && i < slab->count; i++, s++)
    if (s == NARROW) mass_bar[i] -= reward_bar[i];  // of -mass[i]
}
static const wal_param PARAMS[] = {WAL_TOLL_PARAM, {0}};
static const wal_game_type ROADS = {
    sizeof ROADS, {"roads", "game", "a wide road and a narrow one", "Pigou 1920", PARAMS},
    create,       wal_game_free,
    initial,      move,
    stage,        .stage_vjp = stage_vjp};

int main(int argc, char **argv) {
  const char *design =
      "return design { game = roads { toll = toll { max = 1 } }, steps = 60,"
      " objective = congestion { sharpness = 20 }, optimizer = adam { rate = 0.1, decay = 0.1 },"
      " learner = mirror_descent { rate = 0.5, entropy = 0.01 } }";
  wal_ctx *ctx = NULL;
  wal_study *study = NULL;
  wal_assessment before, after;
  if (wal_ctx_open(&argc, &argv, 1, &ctx) != WAL_OK) return 70;
  const wal_game_type *const games[] = {&ROADS, NULL};
  wal_status status = wal_study_create(ctx, "roads.lua", design, games, &study);
  if (status == WAL_OK) status = wal_study_run(study, &before, &after);
  if (status != WAL_OK) fprintf(stderr, "pigou: %s\n", wal_ctx_error(ctx));
  if (status == WAL_OK && wal_ctx_rank(ctx) == 0) {
    const double *toll = wal_problem_game(study->problem)->toll.charge;
    printf("toll: %.3f h more on the narrow road\n", toll[NARROW] - toll[WIDE]);
    printf("congestion %.3f without a toll, %.3f with it\n", -before.objective, -after.objective);
  }
  wal_study_destroy(&study);
  wal_ctx_close(&ctx);
  return wal_status_exit(status);
}
