// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/agents/enumeration.h"

#include <math.h>
#include <string.h>

#include "sim/core/memory.h"

enum { OTHERS = WAL_ENUMERATION_AGENTS - 1 };

static const double MOST_STEPS = 1e8;

/* A way to go through everything. */
typedef struct walk {
  wal_arena *arena;
  const double *const *own, *const *policy;
  int others, stage;
  int64_t states, actions, outcomes, places; /* places: ways in which the others may stand */
  int64_t *played;                           /* [pairs] */
  double *value, *best;                      /* [places][S]: V of the stage behind */
  double *value_now, *best_now;              /* and of this one */
  int64_t *left;                             /* [K * C * A]: quotas that are still to be given */
  /* the agents now: the one who thinks is the last */
  int32_t at[OTHERS + 1];
  int action[OTHERS + 1];
  /* E over what follows, of both values */
  double sum[2];
  wal_status status;
} walk;

/* Sorted tuples of `others` states are numbered as multisets: with s_1 <= s_2 <= ..., the number is
 * sum_i binomial(s_i + i - 1, i). */
static int64_t choose(int64_t n, int64_t k) {
  int64_t product = 1;
  for (int64_t i = 1; i <= k; i++) product = product * (n - k + i) / i;
  return n < k ? 0 : product;
}

static int64_t place_of(int others, const int32_t *at) {
  int32_t sorted[OTHERS + 1];
  for (int i = 0; i < others; i++) {
    int j = i;
    for (; j > 0 && sorted[j - 1] > at[i]; j--) sorted[j] = sorted[j - 1];
    sorted[j] = at[i];
  }
  int64_t place = 0;
  for (int i = 0; i < others; i++) place += choose(sorted[i] + i, i + 1);
  return place;
}

/* The tuple of a place. */
static void stand(int others, int64_t place, int32_t *at) {
  for (int i = others - 1; i >= 0; i--) {
    int32_t s = 0;
    while (choose(s + 1 + i, i + 1) <= place) s++;
    at[i] = s;
    place -= choose(s + i, i + 1);
  }
}

static double ways(double choices, int64_t agents) {
  double product = 1;
  for (int64_t i = 0; i < agents; i++) product *= choices;
  return product;
}

bool wal_enumeration_possible(const wal_space *space, int64_t agents) {
  const wal_shape *shape = &space->game->shape;
  if (agents < 1 || agents > WAL_ENUMERATION_AGENTS || shape->populations > 1) return false;
  if (shape->horizon > 1 && shape->settled > 0) return false;
  const double terms = space->noise ? shape->noise_terms : 1;
  const double places = ways((double)shape->states, agents);
  const double each = ways((double)shape->actions, agents) *
                      (ways(terms * shape->outcomes, agents) + (double)shape->states * 20);
  return places * each * shape->horizon <= MOST_STEPS;
}

// ---- Moves ------------------------------------------------------------------------------------

static void move_next(walk *w, int agent, double probability);

/* An agent's outcome is k: where it goes from there. */
static void land(walk *w, int agent, int64_t pair, int k, double probability) {
  const wal_arena *arena = w->arena;
  const int kernel = wal_arena_kernel(arena, w->stage);
  const int32_t post = arena->post[kernel][pair * w->outcomes + k], before = w->at[agent];
  if (!arena->row) {
    w->at[agent] = post;
    move_next(w, agent + 1, probability);
  } else {
    for (int64_t e = arena->row[kernel][post]; e < arena->row[kernel][post + 1]; e++) {
      w->at[agent] = arena->target[kernel][e];
      move_next(w, agent + 1, probability * arena->weight[kernel][e]);
    }
  }
  w->at[agent] = before;
}

/* Outcomes of an agent in a contest, of those that the ones before it have left. */
static void contest(walk *w, int agent, int64_t pair, int number, double probability) {
  const wal_shape *shape = &w->arena->space->game->shape;
  const int64_t layer = (int64_t)shape->contests * w->actions;
  int64_t *left = w->left + number * w->actions + w->action[agent], rivals = 0;
  for (int k = 0; k < w->outcomes; k++) rivals += left[k * layer];
  for (int k = 0; k < w->outcomes; k++) {
    const int64_t of_this = left[k * layer];
    if (of_this == 0) continue;
    left[k * layer]--;
    land(w, agent, pair, k, probability * (double)of_this / (double)rivals);
    left[k * layer]++;
  }
}

/* All moves of the agents from this one on; then what is reached. */
static void move_next(walk *w, int agent, double probability) {
  const wal_arena *arena = w->arena;
  if (agent > w->others) {
    const int64_t reached = place_of(w->others, w->at) * w->states + w->at[w->others];
    w->sum[0] += probability * w->value[reached];
    w->sum[1] += probability * w->best[reached];
    return;
  }
  const int64_t pair = w->at[agent] * w->actions + w->action[agent];
  const int number = arena->contest ? arena->contest[w->at[agent]] : -1;
  if (number >= 0) {
    contest(w, agent, pair, number, probability);
    return;
  }
  for (int k = 0; k < w->outcomes; k++) {
    const double of_this = w->outcomes > 1 ? arena->outcome[pair * w->outcomes + k] : 1;
    if (of_this > 0) land(w, agent, pair, k, probability * of_this);
  }
}

// ---- Actions ----------------------------------------------------------------------------------

/* Everybody has chosen: what the one who thinks gets now, and what follows. */
static void meet(walk *w, double probability) {
  wal_arena *arena = w->arena;
  const wal_shape *shape = &arena->space->game->shape;
  memset(w->played, 0, (size_t)arena->pairs * sizeof *w->played);
  for (int i = 0; i <= w->others; i++) w->played[w->at[i] * w->actions + w->action[i]]++;
  const wal_status status = wal_arena_stage(arena, w->stage, w->played, w->policy[w->stage]);
  if (status != WAL_OK) w->status = status;
  const double reward = arena->reward[w->at[w->others] * w->actions + w->action[w->others]];
  w->sum[0] += probability * reward;
  w->sum[1] += probability * reward;
  if (w->stage + 1 == shape->horizon) return;
  if (w->left)
    memcpy(w->left, arena->quota,
           (size_t)(shape->contests * w->actions * w->outcomes) * sizeof *w->left);
  move_next(w, 0, probability);
}

/* All actions of the others from this one on. */
static void act_next(walk *w, int agent, double probability) {
  if (agent == w->others) {
    meet(w, probability);
    return;
  }
  const double *pi = w->policy[w->stage] + w->at[agent] * w->actions;
  for (int a = 0; a < w->actions; a++) {
    if (!(pi[a] > 0)) continue;
    w->action[agent] = a;
    act_next(w, agent + 1, probability * pi[a]);
  }
}

/* V_h(s, n) of the agents as they stand. */
static void think(walk *w, const unsigned char *legal, double *value, double *best) {
  const double *pi = w->own[w->stage] + w->at[w->others] * w->actions;
  *value = 0;
  *best = -HUGE_VAL;
  for (int a = 0; a < w->actions; a++) {
    if (legal && !legal[w->at[w->others] * w->actions + a]) continue;
    w->action[w->others] = a;
    w->sum[0] = w->sum[1] = 0;
    act_next(w, 0, 1);
    *value += pi[a] * w->sum[0];
    if (w->sum[1] > *best) *best = w->sum[1];
  }
}

// ---- All --------------------------------------------------------------------------------------

/* Which pairs are legal; NULL: all. */
static wal_status find_legal(const wal_space *space, unsigned char **out) {
  const wal_shape *shape = &space->game->shape;
  unsigned char *row = NULL;
  if (!space->legal) return WAL_OK;
  WAL_TRY(wal_acquire(space->ctx, "agents", shape->states * shape->actions, 1, out));
  WAL_TRY(wal_acquire(space->ctx, "agents", shape->states, 1, &row));
  for (int a = 0; a < shape->actions; a++) {
    space->game->type->legal(space->game->self, a, 0, shape->states, row);
    for (int64_t s = 0; s < shape->states; s++) (*out)[s * shape->actions + a] = row[s];
  }
  wal_release(space->ctx, &row);
  return WAL_OK;
}

static wal_status acquire(walk *w) {
  wal_ctx *ctx = w->arena->space->ctx;
  const wal_shape *shape = &w->arena->space->game->shape;
  double **const arrays[] = {&w->value, &w->best, &w->value_now, &w->best_now};
  for (int i = 0; i < 4; i++)
    WAL_TRY(wal_acquire(ctx, "agents", w->places * w->states, sizeof(double), arrays[i]));
  WAL_TRY(wal_acquire(ctx, "agents", w->arena->pairs, sizeof *w->played, &w->played));
  if (shape->contests == 0) return WAL_OK;
  return wal_acquire(ctx, "agents", shape->contests * w->actions * w->outcomes, sizeof *w->left,
                     &w->left);
}

static void free_walk(walk *w) {
  wal_ctx *ctx = w->arena->space->ctx;
  wal_release(ctx, &w->value);
  wal_release(ctx, &w->best);
  wal_release(ctx, &w->value_now);
  wal_release(ctx, &w->best_now);
  wal_release(ctx, &w->played);
  wal_release(ctx, &w->left);
}

static void go_back(walk *w, const unsigned char *legal) {
  for (int h = w->arena->space->game->shape.horizon - 1; h >= 0 && w->status == WAL_OK; h--) {
    w->stage = h;
    for (int64_t place = 0; place < w->places; place++)
      for (int64_t s = 0; s < w->states; s++) {
        stand(w->others, place, w->at);
        w->at[w->others] = (int32_t)s;
        think(w, legal, &w->value_now[place * w->states + s], &w->best_now[place * w->states + s]);
      }
    double *swap = w->value;
    w->value = w->value_now;
    w->value_now = swap;
    swap = w->best;
    w->best = w->best_now;
    w->best_now = swap;
  }
}

/* E over the first states of all: the probability of a place is multinomial. */
static void begin(const walk *w, wal_enumeration *out) {
  const double *initial = w->arena->initial;
  int32_t at[OTHERS + 1];
  *out = (wal_enumeration){0};
  for (int64_t place = 0; place < w->places; place++) {
    double probability = 1;
    int run = 0;
    stand(w->others, place, at);
    for (int i = 0; i < w->others; i++) {  // (i + 1) / (length of the run so far), each
      run = i > 0 && at[i] == at[i - 1] ? run + 1 : 1;
      probability *= initial[at[i]] * (i + 1) / run;
    }
    for (int64_t s = 0; s < w->states; s++) {
      out->value += probability * initial[s] * w->value[place * w->states + s];
      out->best += probability * initial[s] * w->best[place * w->states + s];
    }
  }
}

wal_status wal_enumeration_run(wal_arena *arena, int64_t agents, const double *const *own,
                               const double *const *policy, wal_enumeration *out) {
  const wal_shape *shape = &arena->space->game->shape;
  unsigned char *legal = NULL;
  walk w = {.arena = arena,
            .own = own,
            .policy = policy,
            .others = (int)agents - 1,
            .states = shape->states,
            .actions = shape->actions,
            .outcomes = shape->outcomes,
            .places = choose(shape->states + agents - 2, agents - 1)};
  w.status = acquire(&w);
  if (w.status == WAL_OK) w.status = find_legal(arena->space, &legal);
  if (w.status == WAL_OK) {
    wal_arena_begin(arena, agents);
    go_back(&w, legal);
  }
  if (w.status == WAL_OK) begin(&w, out);
  wal_release(arena->space->ctx, &legal);
  free_walk(&w);
  return w.status;
}
