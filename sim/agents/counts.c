// SPDX-License-Identifier: GPL-3.0-or-later
/* Agents of a group who are in the same state are alike: how many of them do what is multinomial,
 * whoever they are. The law of all counts is that of agents drawn one by one, at a cost that does
 * not depend on how many they are. */
#include <string.h>

#include "sim/agents/binomial.h"
#include "sim/agents/crowd.h"
#include "sim/agents/lottery.h"
#include "sim/core/memory.h"

/* What is drawn: of a group and ... */
enum {
  DRAW_START = 1, /* a population */
  DRAW_ACTION,    /* a state */
  DRAW_OUTCOME,   /* a pair */
  DRAW_TARGET,    /* a post-decision state */
  WHAT_SHIFT = 60
};

/* Outcome of those of a contest who play an action: the only one, or: */
enum { SHARED_OUT = -1 };

typedef struct counts {
  int64_t posts;    /**< M, or S */
  int64_t *in;      /**< [groups][S]: agents in each state */
  int64_t *at;      /**< [groups][posts]: agents in each post-decision state */
  double *initial;  /**< [S / P]: of one population */
  int64_t *drawn;   /**< of one multinomial: as many as states of a population, outcomes, terms */
  int32_t *state;   /**< [S]: states by contest */
  int64_t *first;   /**< [C + 1]: where those of a contest begin */
  int *sole;        /**< [C * A]: outcome, or SHARED_OUT */
  int64_t *members; /**< [groups * states of a contest]: who has not got an outcome yet */
  int64_t *gets;    /**< as members: who gets one */
} counts;

static const wal_shape *shape_of(const wal_crowd *crowd) {
  return &crowd->plan.arena->space->game->shape;
}

/* Each multinomial has a stream of its own. */
static wal_stream stream_of(const wal_crowd *crowd, int what, int stage, int64_t which) {
  return (wal_stream){.seed = crowd->seed,
                      .purpose = WAL_PURPOSE_COUNTS,
                      .item = (uint64_t)what << WHAT_SHIFT | (uint64_t)which,
                      .stage = (uint32_t)stage};
}

// ---- Made -------------------------------------------------------------------------------------

static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

/* The most things that a multinomial is over, but for actions: those are drawn where they stand. */
static int64_t most_drawn(const wal_crowd *crowd) {
  const wal_shape *shape = shape_of(crowd);
  return larger(larger(shape->states / shape->populations, shape->outcomes), shape->noise_terms);
}

static wal_status make_contests(wal_crowd *crowd, counts *c) {
  const wal_shape *shape = shape_of(crowd);
  const int *contest = crowd->plan.arena->contest;
  const int64_t contests = shape->contests, states = shape->states;
  wal_ctx *ctx = crowd->ctx;
  if (contests == 0) return WAL_OK;
  const int64_t classes = crowd->plan.groups * states;
  if (classes > INT32_MAX)
    return wal_fail(ctx, WAL_EINPUT,
                    "agents: %d groups of %lld states are more than a contest is shared among",
                    crowd->plan.groups, (long long)states);
  WAL_TRY(wal_acquire(ctx, "contests", states, sizeof *c->state, &c->state));
  WAL_TRY(wal_acquire(ctx, "contests", contests + 1, sizeof *c->first, &c->first));
  WAL_TRY(wal_acquire(ctx, "contests", contests * shape->actions, sizeof *c->sole, &c->sole));
  WAL_TRY(wal_acquire(ctx, "contests", classes, sizeof *c->members, &c->members));
  WAL_TRY(wal_acquire(ctx, "contests", classes, sizeof *c->gets, &c->gets));
  if (wal_ctx_planning(ctx)) return WAL_OK;
  // Counted one place further on; then first[k + 1] runs from where contest k begins to its end.
  for (int64_t s = 0; s < states; s++)
    if (contest[s] >= 0 && contest[s] + 1 < contests) c->first[contest[s] + 2]++;
  for (int64_t k = 2; k <= contests; k++) c->first[k] += c->first[k - 1];
  for (int64_t s = 0; s < states; s++)
    if (contest[s] >= 0) c->state[c->first[contest[s] + 1]++] = (int32_t)s;
  return WAL_OK;
}

static wal_status make(wal_crowd *crowd, counts *c) {
  const wal_shape *shape = shape_of(crowd);
  const int64_t groups = crowd->plan.groups;
  wal_ctx *ctx = crowd->ctx;
  c->posts = shape->post_states > 0 ? shape->post_states : shape->states;
  WAL_TRY(wal_acquire(ctx, "agents", groups * shape->states, sizeof *c->in, &c->in));
  WAL_TRY(wal_acquire(ctx, "agents", groups * c->posts, sizeof *c->at, &c->at));
  WAL_TRY(wal_acquire(ctx, "agents", shape->states / shape->populations, sizeof *c->initial,
                      &c->initial));
  WAL_TRY(wal_acquire(ctx, "agents", most_drawn(crowd), sizeof *c->drawn, &c->drawn));
  return make_contests(crowd, c);
}

static wal_status create(wal_crowd *crowd) {
  counts *c = NULL;
  wal_status status = wal_acquire(crowd->ctx, "agents", 1, sizeof *c, &c);
  crowd->self = c;
  if (status == WAL_OK) status = make(crowd, c);
  return wal_agree(crowd->ctx, status);
}

static void destroy(wal_crowd *crowd) {
  counts *c = crowd->self;
  if (!c) return;
  wal_release(crowd->ctx, &c->in);
  wal_release(crowd->ctx, &c->at);
  wal_release(crowd->ctx, &c->initial);
  wal_release(crowd->ctx, &c->drawn);
  wal_release(crowd->ctx, &c->state);
  wal_release(crowd->ctx, &c->first);
  wal_release(crowd->ctx, &c->sole);
  wal_release(crowd->ctx, &c->members);
  wal_release(crowd->ctx, &c->gets);
  wal_release(crowd->ctx, &crowd->self);
}

// ---- First states and actions -----------------------------------------------------------------

static wal_status begin(wal_crowd *crowd) {
  const counts *c = crowd->self;
  const wal_shape *shape = shape_of(crowd);
  const int populations = shape->populations;
  const int64_t places = shape->states / populations;
  for (int p = 0; p < populations; p++) {
    for (int64_t i = 0; i < places; i++)
      c->initial[i] = crowd->plan.arena->initial[i * populations + p];
    for (int64_t g = 0; g < crowd->plan.groups; g++) {
      wal_stream stream = stream_of(crowd, DRAW_START, 0, g * populations + p);
      int64_t *in = c->in + g * shape->states;
      wal_multinomial(&stream, crowd->plan.group[g].agents[p], places, c->initial, c->drawn);
      for (int64_t i = 0; i < places; i++) in[i * populations + p] = c->drawn[i];
    }
  }
  return WAL_OK;
}

static wal_status act(wal_crowd *crowd, int stage, int64_t *played) {
  const counts *c = crowd->self;
  const wal_shape *shape = shape_of(crowd);
  const int64_t states = shape->states, actions = shape->actions;
  for (int64_t g = 0; g < crowd->plan.groups; g++) {
    const double *policy = crowd->plan.group[g].policy[stage];
    for (int64_t s = 0; s < states; s++) {
      wal_stream stream = stream_of(crowd, DRAW_ACTION, stage, g * states + s);
      wal_multinomial(&stream, c->in[g * states + s], actions, policy + s * actions,
                      played + (g * states + s) * actions);
    }
  }
  return WAL_OK;
}

// ---- Outcomes ---------------------------------------------------------------------------------

/* Where those of a pair who get an outcome go. */
static int64_t *post_of(const wal_crowd *crowd, int stage, int64_t g, int64_t pair, int k) {
  const counts *c = crowd->self;
  const wal_arena *arena = crowd->plan.arena;
  const int32_t *post = arena->post[wal_arena_kernel(arena, stage)];
  return c->at + g * c->posts + post[pair * shape_of(crowd)->outcomes + k];
}

/* Contests where everybody gets the same need no lottery. */
static void find_sole(const wal_crowd *crowd) {
  const counts *c = crowd->self;
  const wal_shape *shape = shape_of(crowd);
  const int64_t layer = (int64_t)shape->contests * shape->actions;
  for (int64_t i = 0; i < layer; i++) {
    c->sole[i] = SHARED_OUT;
    for (int k = 0; k < shape->outcomes; k++)
      if (crowd->left[k * layer + i] == crowd->rivals[i]) c->sole[i] = k;
  }
}

/* Who of those of all groups that play an action in a contest gets what: one outcome after the
 * other among those who are left. */
static void hold_contest(const wal_crowd *crowd, int stage, int contest, int action) {
  const counts *c = crowd->self;
  const wal_shape *shape = shape_of(crowd);
  const int64_t actions = shape->actions, layer = (int64_t)shape->contests * actions;
  const int64_t which = contest * actions + action, pairs = crowd->plan.arena->pairs;
  const int64_t first = c->first[contest], states = c->first[contest + 1] - first;
  const int64_t classes = crowd->plan.groups * states;
  for (int64_t g = 0; g < crowd->plan.groups; g++)
    for (int64_t i = 0; i < states; i++)
      c->members[g * states + i] =
          crowd->played[g * pairs + c->state[first + i] * actions + action];
  for (int k = 0; k < shape->outcomes; k++) {
    const int64_t winners = crowd->left[k * layer + which];
    const wal_lot lot = {.seed = crowd->seed,
                         .stage = (uint32_t)stage,
                         .draw = (uint32_t)k,
                         .number = (uint64_t)which};
    if (winners == 0) continue;
    wal_lottery_share(&lot, 0, classes, c->members, winners, c->gets);
    for (int64_t i = 0; i < classes; i++) {
      if (c->gets[i] == 0) continue;
      const int64_t pair = c->state[first + i % states] * actions + action;
      *post_of(crowd, stage, i / states, pair, k) += c->gets[i];
      c->members[i] -= c->gets[i];
    }
  }
}

static void draw_outcomes(const wal_crowd *crowd, int stage, int64_t g, int64_t pair,
                          int64_t agents) {
  const counts *c = crowd->self;
  const wal_arena *arena = crowd->plan.arena;
  const int outcomes = shape_of(crowd)->outcomes;
  wal_stream stream = stream_of(crowd, DRAW_OUTCOME, stage, g * arena->pairs + pair);
  wal_multinomial(&stream, agents, outcomes, arena->outcome + pair * outcomes, c->drawn);
  for (int k = 0; k < outcomes; k++)
    if (c->drawn[k] > 0) *post_of(crowd, stage, g, pair, k) += c->drawn[k];
}

/* Those of a group: all but those who share out something with the other groups. */
static void find_posts(const wal_crowd *crowd, int stage, int64_t g) {
  const counts *c = crowd->self;
  const wal_shape *shape = shape_of(crowd);
  const wal_arena *arena = crowd->plan.arena;
  const int64_t *played = crowd->played + g * arena->pairs;
  for (int64_t s = 0; s < shape->states; s++) {
    if (c->in[g * shape->states + s] == 0) continue;
    const int contest = arena->contest ? arena->contest[s] : -1;
    const int *sole = contest >= 0 ? c->sole + (int64_t)contest * shape->actions : NULL;
    for (int a = 0; a < shape->actions; a++) {
      const int64_t pair = s * shape->actions + a;
      if (played[pair] == 0) continue;
      if (!sole && shape->outcomes > 1)
        draw_outcomes(crowd, stage, g, pair, played[pair]);
      else if (!sole || sole[a] != SHARED_OUT)
        *post_of(crowd, stage, g, pair, sole ? sole[a] : 0) += played[pair];
    }
  }
}

// ---- Next states ------------------------------------------------------------------------------

static void draw_targets(const wal_crowd *crowd, int stage, int64_t g) {
  const counts *c = crowd->self;
  const wal_arena *arena = crowd->plan.arena;
  const int kernel = wal_arena_kernel(arena, stage);
  const int64_t *row = arena->row[kernel], states = shape_of(crowd)->states;
  const int64_t *at = c->at + g * c->posts;
  int64_t *in = c->in + g * states;
  memset(in, 0, (size_t)states * sizeof *in);
  for (int64_t m = 0; m < c->posts; m++) {
    if (at[m] == 0) continue;
    const int64_t first = row[m], terms = row[m + 1] - first;
    const int32_t *target = arena->target[kernel] + first;
    wal_stream stream = stream_of(crowd, DRAW_TARGET, stage, g * c->posts + m);
    wal_multinomial(&stream, at[m], terms, arena->weight[kernel] + first, c->drawn);
    for (int64_t e = 0; e < terms; e++) in[target[e]] += c->drawn[e];
  }
}

static wal_status move(wal_crowd *crowd, int stage) {
  counts *c = crowd->self;
  const wal_shape *shape = shape_of(crowd);
  const int groups = crowd->plan.groups;
  memset(c->at, 0, (size_t)(groups * c->posts) * sizeof *c->at);
  if (shape->contests > 0) find_sole(crowd);
  for (int g = 0; g < groups; g++) find_posts(crowd, stage, g);
  for (int i = 0; i < shape->contests; i++)
    for (int a = 0; a < shape->actions; a++)
      if (c->sole[i * (int64_t)shape->actions + a] == SHARED_OUT) hold_contest(crowd, stage, i, a);
  if (crowd->plan.arena->row) {
    for (int g = 0; g < groups; g++) draw_targets(crowd, stage, g);
  } else {
    int64_t *before = c->in;
    c->in = c->at;
    c->at = before;
  }
  return WAL_OK;
}

const wal_crowd_type wal_crowd_counts = {.name = "counts",
                                         .most = INT64_C(1) << 53,
                                         .create = create,
                                         .destroy = destroy,
                                         .begin = begin,
                                         .act = act,
                                         .move = move};
