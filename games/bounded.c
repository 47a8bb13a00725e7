// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <string.h>

#include "games/common.h"
#include "games/game_list.h"
#include "sim/core/hot.h"
#include "sim/core/memory.h"

/* Another game with its rewards x mapped to [0,1]: r = min(max((x - low) / (high - low), 0), 1).
 * Everything else is that game's own. Its toll, if it has one, is part of x; the toll of bounded is
 * taken from r, as from the rewards of every game. */

static const wal_param PARAMS[] = {{.name = "game",
                                    .type = WAL_COMPONENT,
                                    .required = true,
                                    .choices = "game",
                                    .meaning = "the game whose rewards are mapped to [0,1]"},
                                   {.name = "low",
                                    .type = WAL_REAL,
                                    .required = true,
                                    .unit = "reward",
                                    .meaning = "reward that becomes 0, as do those below it"},
                                   {.name = "high",
                                    .type = WAL_REAL,
                                    .required = true,
                                    .unit = "reward",
                                    .meaning = "reward that becomes 1, as do those above it"},
                                   WAL_TOLL_PARAM,
                                   {.name = NULL}};

enum { BELOW, ABOVE, SUMS }; /* masses of those whose rewards are clipped */

/* What is not the game but work on it: pullbacks and reports need the rewards once more. */
typedef struct bounded_work {
  double *reward;
  int64_t room;
  wal_held_failure failure;
} bounded_work;

typedef struct bounded {
  wal_ctx *ctx;
  wal_game inner;
  wal_game_type operations;
  bool state_reward; /**< of bounded; a toll of the game inside may be by action */
  double low, high;
  bounded_work *work;
} bounded;

static void destroy(wal_ctx *ctx, void *self) {
  bounded *game = self;
  if (!game) return;
  wal_game_destroy(ctx, &game->inner);
  if (game->work) wal_release(ctx, &game->work->reward);
  wal_release(ctx, &game->work);
  wal_release(ctx, &self);
}

/* The rewards before the map, as many rows as bounded writes. */
static void inner_stage(const bounded *game, const wal_slab *slab, const double *mass,
                        const double *policy, const double *statistic, double *reward,
                        double *outcome) {
  const wal_game *inner = &game->inner;
  const int rows = game->state_reward ? 1 : inner->shape.actions;
  inner->type->stage(inner->self, slab, mass, policy, statistic, reward, outcome);
  if (!reward) return;
  if (inner->shape.state_reward && !game->state_reward) wal_game_spread_reward(inner, slab, reward);
  wal_toll_take(&inner->toll, rows, slab->first, slab->count, slab->stride, reward);
}

WAL_HOT static void map(int64_t n, double low, double width, double *restrict x) {
  for (int64_t i = 0; i < n; i++) {
    const double y = (x[i] - low) / width;
    const double raised = y < 0 ? 0 : y;  // NaN stays
    x[i] = raised > 1 ? 1 : raised;
  }
}

static void stage(const void *self, const wal_slab *slab, const double *mass, const double *policy,
                  const double *statistic, double *reward, double *outcome) {
  const bounded *game = self;
  inner_stage(game, slab, mass, policy, statistic, reward, outcome);
  if (!reward) return;
  const int rows = game->state_reward ? 1 : game->inner.shape.actions;
  for (int row = 0; row < rows; row++)
    map(slab->count, game->low, game->high - game->low, reward + row * slab->stride);
}

/* The rewards before the map in room of its own, NULL if there is no memory for them. */
static double *again(const bounded *game, const wal_slab *slab, const double *mass,
                     const double *policy, const double *statistic) {
  const int64_t pairs = game->inner.shape.actions * slab->stride;
  bounded_work *work = game->work;
  const wal_status status = wal_grow(game->ctx, "bounded: rewards", &work->reward, 0, pairs,
                                     &work->room, sizeof *work->reward);
  wal_failure_hold(game->ctx, status, &work->failure);
  if (status != WAL_OK) return NULL;
  inner_stage(game, slab, mass, policy, statistic, work->reward, NULL);
  return work->reward;
}

/* The bar of x from x and the bar of r, in the place of x. */
WAL_HOT static void pull_map(int64_t n, double low, double high, const double *restrict bar,
                             double *restrict x) {
  const double width = high - low;
  for (int64_t i = 0; i < n; i++) {
    const bool inside = x[i] > low && x[i] < high;
    x[i] = inside ? bar[i] / width : 0;
  }
}

static void stage_vjp(const void *self, const wal_slab *slab, const double *mass,
                      const double *policy, const double *statistic, const double *reward_bar,
                      const double *outcome_bar, double *mass_bar, double *policy_bar,
                      double *statistic_bar) {
  const bounded *game = self;
  const wal_game *inner = &game->inner;
  const int rows = game->state_reward ? 1 : inner->shape.actions;
  double *bar = reward_bar ? again(game, slab, mass, policy, statistic) : NULL;
  for (int row = 0; bar && row < rows; row++)
    pull_map(slab->count, game->low, game->high, reward_bar + row * slab->stride,
             bar + row * slab->stride);
  if (bar && inner->shape.state_reward && !game->state_reward)
    for (int row = 1; row < rows; row++)
      wal_game_add_scaled(slab->count, 1, bar + row * slab->stride, bar);
  inner->type->stage_vjp(inner->self, slab, mass, policy, statistic, bar, outcome_bar, mass_bar,
                         policy_bar, statistic_bar);
}

/* The report: how many are paid what the map cut off. */

static const wal_report_form REPORT = {
    .group = "bounded",
    .stage = "stage",
    .sums = SUMS,
    .columns = SUMS,
    .column = {
        {.name = "clipped_low",
         .unit = "mass",
         .meaning = "agents whose reward was below `low`, all populations together",
         .adds = true},
        {.name = "clipped_high",
         .unit = "mass",
         .meaning = "agents whose reward was above `high`",
         .adds = true},
    }};

static void measure(const void *self, const wal_slab *slab, const double *mass,
                    const double *policy, const double *statistic, double *sums) {
  const bounded *game = self;
  const double *reward = again(game, slab, mass, policy, statistic);
  for (int a = 0; reward && a < game->inner.shape.actions; a++) {
    const double *x = reward + (game->state_reward ? 0 : a * slab->stride);
    const double *pi = policy + a * slab->stride;
    for (int64_t i = 0; i < slab->count; i++) {
      if (x[i] < game->low) sums[BELOW] += mass[i] * pi[i];
      if (x[i] > game->high) sums[ABOVE] += mass[i] * pi[i];
    }
  }
}

static void conclude(const void *self, int h, const double *statistic, const double *sums,
                     double *column) {
  (void)self, (void)h, (void)statistic;
  memcpy(column, sums, SUMS * sizeof *column);
}

/* What is the other game's own, handed on. */

#define INNER(self) (&((const bounded *)(self))->inner)

static void initial_mass(const void *self, int64_t first, int64_t count, double *mass) {
  INNER(self)->type->initial(INNER(self)->self, first, count, mass);
}

static void move(const void *self, int h, int outcome, int action, int64_t first, int64_t count,
                 int64_t *post) {
  INNER(self)->type->move(INNER(self)->self, h, outcome, action, first, count, post);
}

static void noise(const void *self, int h, int64_t first, int64_t count, int64_t *target,
                  double *weight) {
  INNER(self)->type->noise(INNER(self)->self, h, first, count, target, weight);
}

static int row_length(const void *self, int h, int64_t first, int64_t count) {
  return INNER(self)->type->row_length(INNER(self)->self, h, first, count);
}

static void legal(const void *self, int action, int64_t first, int64_t count,
                  unsigned char *allowed) {
  INNER(self)->type->legal(INNER(self)->self, action, first, count, allowed);
}

static void couple(const void *self, const wal_slab *slab, const double *mass, const double *policy,
                   double *statistic) {
  INNER(self)->type->couple(INNER(self)->self, slab, mass, policy, statistic);
}

static void settle(const void *self, int h, double *statistics) {
  INNER(self)->type->settle(INNER(self)->self, h, statistics);
}

static void action_name(const void *self, int action, char *buffer, size_t size) {
  INNER(self)->type->action_name(INNER(self)->self, action, buffer, size);
}

static void contest(const void *self, int64_t first, int64_t count, int *contests) {
  INNER(self)->type->contest(INNER(self)->self, first, count, contests);
}

static void quota(const void *self, int h, const int64_t *agents, const int64_t *played,
                  double *statistics, int64_t *quotas) {
  INNER(self)->type->quota(INNER(self)->self, h, agents, played, statistics, quotas);
}

static void couple_vjp(const void *self, const wal_slab *slab, const double *mass,
                       const double *policy, const double *statistic_bar, double *mass_bar,
                       double *policy_bar) {
  INNER(self)->type->couple_vjp(INNER(self)->self, slab, mass, policy, statistic_bar, mass_bar,
                                policy_bar);
}

static void settle_vjp(const void *self, int h, const double *statistics, double *bars,
                       double *parameters_bar) {
  INNER(self)->type->settle_vjp(INNER(self)->self, h, statistics, bars, parameters_bar);
}

static void flush_vjp(const void *self, double *parameters_bar) {
  INNER(self)->type->flush_vjp(INNER(self)->self, parameters_bar);
}

static wal_status differentiable(wal_ctx *ctx, const void *self) {
  return INNER(self)->type->differentiable(ctx, INNER(self)->self);
}

static void parameters(const void *self, wal_parameters *out) {
  INNER(self)->type->parameters(INNER(self)->self, out);
}

static void designed(void *self) { INNER(self)->type->designed(INNER(self)->self); }

static wal_status failure(wal_ctx *ctx, const void *self) {
  const wal_game *inner = INNER(self);
  const wal_status own = wal_failure_raise(ctx, &((const bounded *)self)->work->failure);
  const wal_status other = inner->type->failure ? inner->type->failure(ctx, inner->self) : WAL_OK;
  return own != WAL_OK ? own : other;
}

/* Operations that are optional are there if the other game has them. */
static wal_game_type operations_on(const wal_game_type *inner) {
  wal_game_type type = wal_game_bounded;
#define ONLY_AS_INSIDE(name) \
  if (!inner->name) type.name = NULL
  ONLY_AS_INSIDE(noise);
  ONLY_AS_INSIDE(row_length);
  ONLY_AS_INSIDE(legal);
  ONLY_AS_INSIDE(couple);
  ONLY_AS_INSIDE(settle);
  ONLY_AS_INSIDE(action_name);
  ONLY_AS_INSIDE(contest);
  ONLY_AS_INSIDE(quota);
  ONLY_AS_INSIDE(stage_vjp);
  ONLY_AS_INSIDE(couple_vjp);
  ONLY_AS_INSIDE(settle_vjp);
  ONLY_AS_INSIDE(flush_vjp);
  ONLY_AS_INSIDE(differentiable);
  ONLY_AS_INSIDE(parameters);
  ONLY_AS_INSIDE(designed);
#undef ONLY_AS_INSIDE
  return type;
}

static const wal_game_type *operations(const void *self) {
  return &((const bounded *)self)->operations;
}

static const wal_game *inside(const void *self) { return INNER(self); }

static wal_status create(wal_ctx *ctx, wal_params *params, wal_shape *shape, void **self) {
  const double low = wal_params_real(params, "low"), high = wal_params_real(params, "high");
  wal_params *of_inner = wal_params_child(params, "game");
  bounded *game = NULL;
  if (!(high > low) || !isfinite(high - low))
    return wal_params_fail(ctx, params, "high", "expected more than low, %.15g, got %.15g", low,
                           high);
  WAL_TRY(wal_acquire(ctx, "bounded", 1, sizeof *game, &game));
  wal_status status = wal_acquire(ctx, "bounded", 1, sizeof *game->work, &game->work);
  if (status == WAL_OK)
    status = wal_game_create(ctx, wal_game_of(of_inner), of_inner, &game->inner);
  if (status != WAL_OK) {
    destroy(ctx, game);
    return status;
  }
  const wal_toll *toll = &game->inner.toll;
  game->ctx = ctx;
  game->low = low;
  game->high = high;
  game->state_reward = game->inner.shape.state_reward && !(toll->count > 0 && toll->by_action);
  game->operations = operations_on(game->inner.type);
  *shape = game->inner.shape;
  shape->state_reward = game->state_reward;
  *self = game;
  return WAL_OK;
}

const wal_game_type wal_game_bounded = {
    .struct_size = sizeof(wal_game_type),
    .component = {.name = "bounded",
                  .kind = "game",
                  .summary =
                      "play another game with its rewards mapped to [0, 1] and clipped there",
                  .source = "the usual assumption of regret bounds; see docs/games.md",
                  .params = PARAMS},
    .create = create,
    .destroy = destroy,
    .operations = operations,
    .inside = inside,
    .initial = initial_mass,
    .move = move,
    .stage = stage,
    .noise = noise,
    .row_length = row_length,
    .legal = legal,
    .couple = couple,
    .settle = settle,
    .action_name = action_name,
    .report = &REPORT,
    .measure = measure,
    .conclude = conclude,
    .contest = contest,
    .quota = quota,
    .stage_vjp = stage_vjp,
    .couple_vjp = couple_vjp,
    .settle_vjp = settle_vjp,
    .flush_vjp = flush_vjp,
    .differentiable = differentiable,
    .parameters = parameters,
    .designed = designed,
    .failure = failure};
