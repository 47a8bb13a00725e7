// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/agents/population.h"

#include <math.h>
#include <string.h>

#include "sim/core/gather.h"
#include "sim/core/memory.h"

enum {
  BATCH = 64,      /* episodes between two rests, at most */
  SHARED = 200000, /* agents one by one of whom ranks share an episode */
};

/* An episode as it is summed up while it is played. */
typedef struct tally {
  const wal_population *population;
  double value;        /* summed over the stages */
  double *group_value; /* [groups] */
  double *distance;    /* [H] */
} tally;

struct wal_population_scratch {
  wal_ctx *alone;                   /* of this rank: that of plan.space */
  double *group_mass;               /* [groups][S] */
  double *group_value;              /* [groups], of an episode */
  double *distance;                 /* [H] */
  wal_crowd_group *group, *without; /* [groups] */
  wal_guest guest;
  wal_policy of_group, of_best; /* policies that values are taken of */
  wal_values values;
};

// ---- Places in a row --------------------------------------------------------------------------

int wal_population_group_return(const wal_population *population, int group) {
  (void)population;
  return WAL_POPULATION_QUANTITIES + group;
}

int wal_population_group_gain(const wal_population *population, int group) {
  return WAL_POPULATION_QUANTITIES + population->plan.groups + group;
}

int wal_population_group_control(const wal_population *population, int group) {
  return WAL_POPULATION_QUANTITIES + 2 * population->plan.groups + group;
}

int wal_population_stage_distance(const wal_population *population, int stage) {
  const int groups = population->plan.groups;
  return WAL_POPULATION_QUANTITIES + groups * (population->plan.deviates ? 3 : 1) + stage;
}

int wal_population_width(const wal_population *population) {
  return wal_population_stage_distance(population, population->plan.space->game->shape.horizon);
}

// ---- Values -----------------------------------------------------------------------------------

/* From rows of pairs to the tiles of a policy. */
static void set_policy(const wal_space *space, const double *const *from, wal_policy *to) {
  const wal_shape *shape = &space->game->shape;
  for (int h = 0; h < shape->horizon; h++)
    for (int64_t tile = 0; tile < space->tiles; tile++) {
      const wal_slab slab = wal_space_slab(space, h, tile);
      double *values = wal_policy_tile(to, h, tile);
      for (int64_t i = 0; i < slab.count; i++)
        for (int a = 0; a < shape->actions; a++)
          values[a * slab.stride + i] = from[h][(slab.first + i) * shape->actions + a];
    }
}

/* Of each population what a policy is worth in the arena's flow, from the true first states. */
static wal_status worth(wal_population *p, const wal_policy *policy, double *value) {
  const wal_space *space = p->plan.space;
  const wal_shape *shape = &space->game->shape;
  wal_values *values = &p->scratch->values;
  const wal_value_request request = {.which = 1u << WAL_VALUE_POLICY, .keep = WAL_VALUE_POLICY};
  wal_value_totals totals;
  WAL_TRY(wal_values_run(values, &p->arena.flow, policy, &request, &totals));
  const double *v = wal_values_kept(values, 0);
  for (int q = 0; q < shape->populations; q++) value[q] = 0;
  for (int64_t s = 0; s < shape->states; s++)
    value[s % shape->populations] += p->arena.initial[s] * v[s];
  return WAL_OK;
}

typedef struct response {
  const wal_space *space;
  double **best;
  double *room;
} response;

static void respond(void *user, const wal_value_tile *tile) {
  const response *r = user;
  const int actions = r->space->game->shape.actions;
  const wal_slab *slab = &tile->slab;
  wal_tile_best_response(wal_tile_of(r->space, slab), WAL_TIES_FIRST, tile->q[WAL_VALUE_BEST],
                         r->room);
  for (int64_t i = 0; i < slab->count; i++)
    for (int a = 0; a < actions; a++)
      r->best[slab->stage][(slab->first + i) * actions + a] = r->room[a * slab->stride + i];
}

/* The best response to the limit, which the arena holds. */
static wal_status find_best(wal_population *p) {
  const wal_space *space = p->plan.space;
  wal_ctx *ctx = space->ctx;
  wal_values values = {0};
  response r = {.space = space, .best = p->best};
  const unsigned best = 1u << WAL_VALUE_BEST;
  const wal_value_request request = {
      .which = best, .visits = best, .keep = WAL_VALUE_BEST, .visit = respond, .user = &r};
  wal_value_totals totals;
  wal_status status =
      wal_acquire(ctx, "best response", wal_space_tile_pairs(space), sizeof(double), &r.room);
  if (status == WAL_OK) status = wal_values_create(space, best, WAL_VALUE_BEST, &values);
  if (status == WAL_OK)
    status = wal_values_run(&values, &p->arena.flow, &p->arena.policy, &request, &totals);
  wal_values_destroy(&values);
  wal_release(ctx, &r.room);
  return status;
}

/* What a group's agent gains by the best response if nobody notices: of each population. */
static wal_status gain_unnoticed(wal_population *p, int group, const double *of_best,
                                 double *gain) {
  struct wal_population_scratch *s = p->scratch;
  double of_group[WAL_POPULATIONS];
  set_policy(p->plan.space, p->plan.group[group].policy, &s->of_group);
  WAL_TRY(worth(p, &s->of_group, of_group));
  for (int q = 0; q < p->plan.space->game->shape.populations; q++)
    gain[q] = of_best[q] - of_group[q];
  return WAL_OK;
}

// ---- The limit --------------------------------------------------------------------------------

/* What agents collect in the stage that the arena holds, a group having these masses. */
static double collect(const wal_arena *arena, const double *mass, const double *policy) {
  const wal_shape *shape = &arena->space->game->shape;
  double sum = 0;
  for (int64_t s = 0; s < shape->states; s++) {
    double of_state = 0;
    for (int a = 0; a < shape->actions; a++)
      of_state += policy[s * shape->actions + a] * arena->reward[s * shape->actions + a];
    sum += mass[s] * of_state;
  }
  return sum;
}

static void see_limit(void *user, const wal_arena *arena, int stage, const double *group_mass) {
  wal_population *p = user;
  const wal_shape *shape = &arena->space->game->shape;
  memcpy(p->mass + stage * shape->states, wal_flow_mass(&arena->flow, stage),
         (size_t)shape->states * sizeof *p->mass);
  for (int g = 0; g < p->plan.groups; g++)
    p->group_value[g] +=
        collect(arena, group_mass + g * shape->states, p->plan.group[g].policy[stage]);
}

static wal_status find_limit(wal_population *p) {
  const wal_population_plan *plan = &p->plan;
  const int groups = plan->groups;
  wal_ctx *ctx = plan->space->ctx;
  double *share = NULL;
  const double *const **policy = NULL;
  wal_status status = wal_acquire(ctx, "groups", groups, sizeof *share, &share);
  if (status == WAL_OK) status = wal_acquire(ctx, "groups", groups, sizeof *policy, &policy);
  for (int g = 0; g < groups && status == WAL_OK; g++) {
    share[g] = plan->group[g].share;
    policy[g] = plan->group[g].policy;
  }
  const wal_arena_watch watch = {see_limit, p};
  if (status == WAL_OK)
    status = wal_arena_limit(&p->arena, groups, share, policy, p->scratch->group_mass, &watch);
  if (status == WAL_OK && plan->objective.measure)
    status = plan->objective.measure(plan->objective.user, &p->arena, &p->objective);
  p->value = 0;
  for (int g = 0; g < groups && status == WAL_OK; g++) p->value += share[g] * p->group_value[g];
  wal_release(ctx, &share);
  wal_release(ctx, &policy);
  return status;
}

static wal_status find_gain(wal_population *p) {
  double of_best[WAL_POPULATIONS], gain[WAL_POPULATIONS];
  WAL_TRY(find_best(p));
  set_policy(p->plan.space, (const double *const *)p->best, &p->scratch->of_best);
  WAL_TRY(worth(p, &p->scratch->of_best, of_best));
  for (int g = 0; g < p->plan.groups; g++) {
    WAL_TRY(gain_unnoticed(p, g, of_best, gain));
    for (int q = 0; q < p->plan.space->game->shape.populations; q++)
      p->deviation_gain += p->plan.group[g].share * gain[q];
  }
  return WAL_OK;
}

// ---- Made -------------------------------------------------------------------------------------

static wal_status acquire_deviation(wal_population *p) {
  const wal_space *space = p->plan.space;
  const int horizon = space->game->shape.horizon;
  struct wal_population_scratch *s = p->scratch;
  WAL_TRY(wal_acquire(space->ctx, "best response", horizon, sizeof *p->best, &p->best));
  for (int h = 0; h < horizon; h++)
    WAL_TRY(wal_acquire(space->ctx, "best response", p->arena.pairs, sizeof(double), &p->best[h]));
  WAL_TRY(wal_policy_create(space, WAL_POLICY_PROBABILITIES, &s->of_group));
  WAL_TRY(wal_policy_create(space, WAL_POLICY_PROBABILITIES, &s->of_best));
  return wal_values_create(space, 1u << WAL_VALUE_POLICY, WAL_VALUE_POLICY, &s->values);
}

static wal_status acquire(wal_population *p) {
  const wal_space *space = p->plan.space;
  const wal_shape *shape = &space->game->shape;
  wal_ctx *ctx = space->ctx;
  const int groups = p->plan.groups;
  WAL_TRY(wal_acquire(ctx, "population", 1, sizeof *p->scratch, &p->scratch));
  struct wal_population_scratch *s = p->scratch;
  s->alone = ctx;
  WAL_TRY(wal_arena_create(space, &p->arena));
  WAL_TRY(wal_acquire(ctx, "population", groups, sizeof(double), &p->group_value));
  WAL_TRY(wal_acquire(ctx, "mean field", shape->horizon * shape->states, sizeof(double), &p->mass));
  WAL_TRY(wal_acquire(ctx, "population", groups * shape->states, sizeof(double), &s->group_mass));
  WAL_TRY(wal_acquire(ctx, "population", groups, sizeof(double), &s->group_value));
  WAL_TRY(wal_acquire(ctx, "population", shape->horizon, sizeof(double), &s->distance));
  WAL_TRY(wal_acquire(ctx, "population", groups, sizeof *s->group, &s->group));
  WAL_TRY(wal_acquire(ctx, "population", groups, sizeof *s->without, &s->without));
  return p->plan.deviates ? acquire_deviation(p) : WAL_OK;
}

wal_status wal_population_create(wal_ctx *ctx, const wal_population_plan *plan,
                                 wal_population *out) {
  const wal_game *game = plan->space->game;
  *out = (wal_population){.ctx = ctx, .plan = *plan, .objective = NAN, .deviation_gain = NAN};
  if (plan->deviates && game->shape.reads_policy)
    return wal_fail(ctx, WAL_EINPUT,
                    "%s: its rewards depend on the policy itself, so that what an agent gains by "
                    "another one is not defined: expected deviation = false",
                    game->type->component.name);
  wal_status status = acquire(out);
  if (status == WAL_OK && !wal_ctx_planning(plan->space->ctx)) {
    status = find_limit(out);
    if (plan->deviates) out->deviation_gain = 0;
    if (status == WAL_OK && plan->deviates) status = find_gain(out);
  }
  if (status != WAL_OK && ctx != plan->space->ctx)
    status = wal_fail(ctx, status, "%s", wal_ctx_error(plan->space->ctx));
  status = wal_agree(ctx, status);
  if (status != WAL_OK) wal_population_destroy(out);
  return status;
}

void wal_population_destroy(wal_population *population) {
  if (!population->ctx) return;
  const wal_space *space = population->plan.space;
  wal_ctx *ctx = space->ctx;
  struct wal_population_scratch *s = population->scratch;
  wal_arena_destroy(&population->arena);
  wal_release(ctx, &population->group_value);
  wal_release(ctx, &population->mass);
  for (int h = 0; population->best && h < space->game->shape.horizon; h++)
    wal_release(ctx, &population->best[h]);
  wal_release(ctx, &population->best);
  if (s) {
    wal_release(ctx, &s->group_mass);
    wal_release(ctx, &s->group_value);
    wal_release(ctx, &s->distance);
    wal_release(ctx, &s->group);
    wal_release(ctx, &s->without);
    if (s->of_group.space) wal_policy_destroy(&s->of_group);
    if (s->of_best.space) wal_policy_destroy(&s->of_best);
    wal_values_destroy(&s->values);
  }
  wal_release(ctx, &population->scratch);
  *population = (wal_population){0};
}

// ---- An episode -------------------------------------------------------------------------------

int64_t wal_population_group_size(const wal_population *population, int64_t agents, int group) {
  double before = 0;  // groups end at the rounded sums of shares: sizes are right to one agent
  for (int g = 0; g < group; g++) before += population->plan.group[g].share;
  const double after = before + population->plan.group[group].share;
  const bool last = group + 1 == population->plan.groups;
  const int64_t first = (int64_t)floor(before * (double)agents + 0.5);
  const int64_t end = last ? agents : (int64_t)floor(after * (double)agents + 0.5);
  return end > first ? end - first : 0;
}

static void see_stage(void *user, const wal_crowd *crowd, int stage) {
  tally *t = user;
  const wal_arena *arena = crowd->plan.arena;
  const wal_shape *shape = &arena->space->game->shape;
  const double *mass = wal_flow_mass(&arena->flow, stage);
  const double *limit = t->population->mass + stage * shape->states;
  const int64_t pairs = arena->pairs;
  double distance = 0;
  for (int64_t s = 0; s < shape->states; s++) distance += fabs(mass[s] - limit[s]);
  t->distance[stage] = distance;
  for (int g = 0; g < crowd->plan.groups; g++) {
    double sum = 0;
    for (int64_t i = 0; i < pairs; i++)
      if (crowd->played[g * pairs + i] > 0)
        sum += (double)crowd->played[g * pairs + i] * arena->reward[i];
    t->value += sum / (double)crowd->agents;
    const int64_t size = crowd->plan.group[g].agents[0];
    t->group_value[g] += size > 0 ? sum / (double)size : 0;
  }
}

/* What the crowd's guest gets more by the best response than by its group's policy, both times with
 * the same draws. */
static wal_status notice(wal_population *p, wal_crowd *crowd, int64_t episode, int group,
                         double *out) {
  wal_guest *guest = &p->scratch->guest;
  double got[2];
  for (int best = 0; best < 2; best++) {
    guest->policy = best ? (const double *const *)p->best : p->plan.group[group].policy;
    WAL_TRY(wal_crowd_play(crowd, episode, NULL));
    got[best] = guest->reward;
  }
  *out += got[1] - got[0];
  return WAL_OK;
}

/* What it would get by the one and by the other in the episode that the arena holds. */
static wal_status visit(wal_population *p, uint64_t seed, int group, double *out) {
  wal_guest *guest = &p->scratch->guest;
  double got[2];
  for (int best = 0; best < 2; best++) {
    guest->policy = best ? (const double *const *)p->best : p->plan.group[group].policy;
    WAL_TRY(wal_guest_visit(&p->arena, seed, guest));
    got[best] = guest->reward;
  }
  *out += got[1] - got[0];
  return WAL_OK;
}

/* Crowds of a number of agents: of all, and of all but one guest for every group and population. */
typedef struct company {
  wal_ctx *ctx; /* whose ranks share an episode */
  wal_crowd *all;
  wal_crowd **without; /* [groups][populations]; NULL where the group is empty */
} company;

/* The gains of all groups in the episode that the arena holds, which is overwritten. A guest's
 * draws decide most of what it gains. So its gain is found once more, by a visit with the very same
 * draws to the episode as it was without them, where nobody notices; there its mean is known, too.
 * What the visit brought less that mean is the control. */
static wal_status measure_gains(wal_population *p, company *c, int64_t episode, double *gain,
                                double *control) {
  const int populations = p->plan.space->game->shape.populations;
  double of_best[WAL_POPULATIONS], unnoticed[WAL_POPULATIONS];
  WAL_TRY(worth(p, &p->scratch->of_best, of_best));
  for (int g = 0; g < p->plan.groups; g++) {
    gain[g] = control[g] = 0;
    WAL_TRY(gain_unnoticed(p, g, of_best, unnoticed));
    for (int q = 0; q < populations; q++) {
      if (!c->without[g * populations + q]) continue;
      p->scratch->guest = (wal_guest){.population = q};
      control[g] -= unnoticed[q];
      WAL_TRY(visit(p, c->all->seed, g, &control[g]));
    }
  }
  for (int g = 0; g < p->plan.groups; g++)
    for (int q = 0; q < populations; q++) {
      p->scratch->guest = (wal_guest){.population = q};
      if (c->without[g * populations + q])
        WAL_TRY(notice(p, c->without[g * populations + q], episode, g, &gain[g]));
    }
  return WAL_OK;
}

static wal_status play(wal_population *p, company *c, int64_t episode, double *row) {
  const int groups = p->plan.groups, horizon = p->plan.space->game->shape.horizon;
  struct wal_population_scratch *s = p->scratch;
  tally t = {.population = p, .group_value = s->group_value, .distance = s->distance};
  const wal_crowd_watch watch = {see_stage, &t};
  memset(s->group_value, 0, (size_t)groups * sizeof *s->group_value);
  WAL_TRY(wal_crowd_play(c->all, episode, &watch));
  double distance = 0;
  for (int h = 0; h < horizon; h++) distance += s->distance[h] / horizon;
  row[WAL_POPULATION_RETURN] = t.value;
  row[WAL_POPULATION_RETURN_GAP] = fabs(t.value - p->value);
  row[WAL_POPULATION_OBJECTIVE] = row[WAL_POPULATION_OBJECTIVE_GAP] = NAN;
  row[WAL_POPULATION_DISTANCE] = distance;
  row[WAL_POPULATION_GAIN] = row[WAL_POPULATION_CONTROL] = NAN;
  for (int g = 0; g < groups; g++) row[wal_population_group_return(p, g)] = t.group_value[g];
  for (int h = 0; h < horizon; h++) row[wal_population_stage_distance(p, h)] = s->distance[h];
  if (p->plan.objective.measure) {
    double *objective = &row[WAL_POPULATION_OBJECTIVE];
    WAL_TRY(p->plan.objective.measure(p->plan.objective.user, &p->arena, objective));
    row[WAL_POPULATION_OBJECTIVE_GAP] = fabs(*objective - p->objective);
  }
  if (!isfinite(t.value))
    return wal_fail(s->alone, WAL_ENONFINITE, "episode %lld of %lld agents: its return is %g",
                    (long long)episode, (long long)c->all->agents, t.value);
  if (!p->plan.deviates) return WAL_OK;
  double *gain = row + wal_population_group_gain(p, 0);
  double *control = row + wal_population_group_control(p, 0);
  WAL_TRY(measure_gains(p, c, episode, gain, control));
  row[WAL_POPULATION_GAIN] = row[WAL_POPULATION_CONTROL] = 0;
  for (int g = 0; g < groups; g++) {
    row[WAL_POPULATION_GAIN] += p->plan.group[g].share * gain[g];
    row[WAL_POPULATION_CONTROL] += p->plan.group[g].share * control[g];
  }
  return WAL_OK;
}

// ---- Many episodes ----------------------------------------------------------------------------

static void leave(wal_population *p, company *c) {
  const int crowds = p->plan.groups * p->plan.space->game->shape.populations;
  for (int i = 0; c->without && i < crowds; i++) wal_crowd_destroy(&c->without[i]);
  wal_release(p->plan.space->ctx, &c->without);
  wal_crowd_destroy(&c->all);
}

static wal_status gather_company(wal_population *p, int64_t agents, company *c) {
  struct wal_population_scratch *s = p->scratch;
  const int groups = p->plan.groups, populations = p->plan.space->game->shape.populations;
  const bool shared = p->plan.mode == &wal_crowd_individual && agents >= SHARED;
  c->ctx = shared ? p->ctx : s->alone;
  for (int g = 0; g < groups; g++) {
    s->group[g].policy = p->plan.group[g].policy;
    for (int q = 0; q < populations; q++)
      s->group[g].agents[q] = wal_population_group_size(p, agents, g);
  }
  wal_crowd_plan plan = {.arena = &p->arena, .groups = groups, .group = s->group};
  WAL_TRY(wal_crowd_create(c->ctx, p->plan.mode, &plan, &c->all));
  if (!p->plan.deviates) return WAL_OK;
  WAL_TRY_ALL(c->ctx, wal_acquire(s->alone, "groups", groups * populations, sizeof *c->without,
                                  &c->without));
  plan.group = s->without;
  plan.guests = 1;
  plan.guest = &s->guest;
  for (int g = 0; g < groups; g++)
    for (int q = 0; q < populations; q++) {
      if (s->group[g].agents[q] == 0) continue;
      memcpy(s->without, s->group, (size_t)groups * sizeof *s->without);
      s->without[g].agents[q]--;
      s->guest = (wal_guest){.population = q};
      WAL_TRY(wal_crowd_create(c->ctx, p->plan.mode, &plan, &c->without[g * populations + q]));
    }
  return WAL_OK;
}

wal_status wal_population_cost(wal_ctx *ctx, const wal_population_plan *plan, int64_t agents,
                               int64_t *bytes) {
  wal_ctx *alone = plan->space->ctx;
  wal_population p = {0};
  company c = {0};
  wal_ctx_plan_begin(ctx);
  if (alone != ctx) wal_ctx_plan_begin(alone);
  wal_status status = wal_population_create(ctx, plan, &p);
  if (status == WAL_OK) {
    status = gather_company(&p, agents, &c);
    if (status != WAL_OK && c.ctx != ctx)
      status = wal_fail(ctx, status, "%s", wal_ctx_error(c.ctx));
    status = wal_agree(ctx, status);
    leave(&p, &c);
  }
  wal_population_destroy(&p);
  *bytes = wal_ctx_plan_end(ctx);
  if (alone != ctx) *bytes += wal_ctx_plan_end(alone);
  return status;
}

/* Every rank has the rows of its own episodes of a batch: all get all. */
static wal_status share_rows(wal_population *p, wal_gather *gather, const wal_partition *batch,
                             const double *own, double *rows) {
  const int width = wal_population_width(p);
  double column[BATCH], whole[BATCH];
  for (int i = 0; i < width; i++) {
    for (int64_t e = 0; e < batch->count; e++) column[e] = own[e * width + i];
    WAL_TRY(wal_gather_run(gather, column, whole));
    for (int64_t e = 0; e < batch->size; e++) rows[e * width + i] = whole[e];
  }
  return WAL_OK;
}

/* Episodes first .. first + count - 1, rows of which are behind those that are there. */
static wal_status play_batch(wal_population *p, company *c, int64_t count,
                             wal_population_rows *rows) {
  wal_ctx *ctx = p->ctx;
  const int width = wal_population_width(p);
  const int64_t first = rows->count;
  wal_gather *gather = NULL;
  double *own = NULL;
  WAL_TRY_ALL(ctx, wal_grow(ctx, "episodes", &rows->values, first, first + count, &rows->room,
                            (size_t)width * sizeof *rows->values));
  wal_partition batch = wal_partition_states(ctx, count, 1, 1, 1, 1);
  wal_status status = wal_acquire(ctx, "episodes", BATCH * width, sizeof *own, &own);
  if (c->ctx == ctx) {
    batch.first = 0;
    batch.count = count;
  }
  for (int64_t e = 0; e < batch.count && status == WAL_OK; e++)
    status = play(p, c, first + batch.first + e, own + e * width);
  if (status != WAL_OK && c->ctx != ctx)
    status = wal_fail(ctx, status, "%s", wal_ctx_error(c->ctx));
  status = wal_agree(ctx, status);
  if (status == WAL_OK && c->ctx == ctx) {
    memcpy(rows->values + first * width, own, (size_t)(count * width) * sizeof *own);
  } else if (status == WAL_OK) {
    status = wal_gather_create(ctx, &batch, &gather);
    if (status == WAL_OK) status = share_rows(p, gather, &batch, own, rows->values + first * width);
    wal_gather_destroy(&gather);
  }
  if (status == WAL_OK) rows->count += count;
  wal_release(ctx, &own);
  return status;
}

/* Episodes until the next rest: rests are wanted a few times a second. That changes no result. */
static wal_status adapt(const wal_population *p, const company *c, double started, int64_t *batch) {
  const double often = 0.25;
  int64_t quick = wal_clock() - started < often;
  if (c->ctx == p->ctx) return WAL_OK;
  WAL_TRY(wal_ctx_least_integer(p->ctx, &quick));
  if (quick) *batch = *batch * 2 < BATCH ? *batch * 2 : BATCH;
  return WAL_OK;
}

wal_status wal_population_run(wal_population *population, int64_t agents, int64_t episodes,
                              const wal_population_watch *watch, wal_population_rows *rows) {
  wal_ctx *ctx = population->ctx;
  company c = {0};
  const uint64_t seed = wal_ctx_seed(ctx);
  wal_ctx_set_seed(population->scratch->alone, seed);
  wal_status status = gather_company(population, agents, &c);
  if (status != WAL_OK && c.ctx != ctx) status = wal_fail(ctx, status, "%s", wal_ctx_error(c.ctx));
  status = wal_agree(ctx, status);
  int64_t batch = c.ctx == ctx ? 1 : wal_ctx_size(ctx) < BATCH ? wal_ctx_size(ctx) : BATCH;
  while (status == WAL_OK && rows->count < episodes) {
    const int64_t left = episodes - rows->count;
    const double started = wal_clock();
    bool stop = false;
    status = play_batch(population, &c, left < batch ? left : batch, rows);
    if (status == WAL_OK) status = adapt(population, &c, started, &batch);
    if (status == WAL_OK && watch && watch->pause) status = watch->pause(watch->user, rows, &stop);
    if (status == WAL_OK && stop) status = wal_fail(ctx, WAL_ESTOPPED, "stopped on request");
  }
  leave(population, &c);
  return status;
}

void wal_population_rows_declare(const wal_population *population, wal_population_rows *rows,
                                 wal_state *state) {
  wal_state_add_items(state, "episodes", &rows->values, &rows->count, &rows->room,
                      (size_t)wal_population_width(population) * sizeof *rows->values);
}

void wal_population_rows_free(wal_ctx *ctx, wal_population_rows *rows) {
  wal_release(ctx, &rows->values);
  *rows = (wal_population_rows){0};
}
