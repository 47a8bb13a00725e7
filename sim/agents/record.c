// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/agents/record.h"

#include <string.h>

#include "sim/agents/individual.h"
#include "sim/core/memory.h"

enum { COLUMNS = 5 };

int64_t wal_record_cost(const wal_space *space, int64_t count) {
  return count * space->game->shape.horizon * COLUMNS * (int64_t)sizeof(int64_t);
}

/* i * total / count, of which the product may be too large. */
static int64_t number_of(int64_t i, int64_t count, int64_t total) {
  return total / count * i + total % count * i / count;
}

/* Every agent is on one rank, which fills in what it does; all others leave zeros. */
static void see(void *user, const wal_crowd *crowd, int stage) {
  const wal_record *r = user;
  const wal_arena *arena = crowd->plan.arena;
  const wal_shape *shape = &arena->space->game->shape;
  for (int64_t row = stage; row < r->rows; row += shape->horizon) {
    int32_t state;
    int action;
    if (!wal_individual_look(crowd, r->agent[row], &state, &action)) continue;
    r->state[row] = state;
    r->action[row] = action;
    r->reward[row] = arena->reward[state * (int64_t)shape->actions + action];
  }
}

/* From each row's own rank to all: sums of numbers of which all but one are 0. Reals go as words.
 */
static wal_status share(wal_ctx *ctx, const wal_record *r, int64_t *words) {
  const int64_t most = 1 << 24;
  memcpy(words, r->reward, (size_t)r->rows * sizeof *words);
  int64_t *const columns[] = {r->state, r->action, words};
  for (int c = 0; c < 3; c++)
    for (int64_t done = 0; done < r->rows; done += most)
      WAL_TRY(wal_ctx_sum_integers(ctx, (int)(r->rows - done < most ? r->rows - done : most),
                                   columns[c] + done));
  memcpy(r->reward, words, (size_t)r->rows * sizeof *words);
  return WAL_OK;
}

static wal_status acquire(wal_ctx *ctx, wal_record *r) {
  int64_t **const columns[] = {&r->agent, &r->stage, &r->state, &r->action};
  for (int c = 0; c < 4; c++)
    WAL_TRY(wal_acquire(ctx, "record", r->rows, sizeof(int64_t), columns[c]));
  return wal_acquire(ctx, "record", r->rows, sizeof(double), &r->reward);
}

wal_status wal_record_play(wal_population *population, int64_t agents, int64_t count,
                           wal_record *out) {
  wal_ctx *ctx = population->ctx;
  const wal_population_plan *plan = &population->plan;
  const wal_shape *shape = &plan->space->game->shape;
  const wal_crowd_watch watch = {see, out};
  wal_crowd_group *group = NULL;
  wal_crowd *crowd = NULL;
  int64_t *words = NULL;
  *out = (wal_record){.rows = count * shape->horizon};
  wal_status status = acquire(ctx, out);
  if (status == WAL_OK) status = wal_acquire(ctx, "record", out->rows, sizeof *words, &words);
  if (status == WAL_OK) status = wal_acquire(ctx, "groups", plan->groups, sizeof *group, &group);
  WAL_TRY_GOTO(wal_agree(ctx, status));
  for (int64_t row = 0; row < out->rows; row++) {
    out->agent[row] = number_of(row / shape->horizon, count, agents * shape->populations);
    out->stage[row] = row % shape->horizon;
  }
  for (int g = 0; g < plan->groups; g++) {
    group[g].policy = plan->group[g].policy;
    for (int p = 0; p < shape->populations; p++)
      group[g].agents[p] = wal_population_group_size(population, agents, g);
  }
  const wal_crowd_plan all = {.arena = &population->arena, .groups = plan->groups, .group = group};
  WAL_TRY_GOTO(wal_crowd_create(ctx, &wal_crowd_individual, &all, &crowd));
  WAL_TRY_GOTO(wal_crowd_play(crowd, 0, &watch));
  status = share(ctx, out, words);
cleanup:
  wal_crowd_destroy(&crowd);
  wal_release(ctx, &words);
  wal_release(ctx, &group);
  if (status != WAL_OK) wal_record_free(ctx, out);
  return status;
}

void wal_record_free(wal_ctx *ctx, wal_record *record) {
  wal_release(ctx, &record->agent);
  wal_release(ctx, &record->stage);
  wal_release(ctx, &record->state);
  wal_release(ctx, &record->action);
  wal_release(ctx, &record->reward);
  *record = (wal_record){0};
}
