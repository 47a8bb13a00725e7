// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/agents/individual.h"

#include <string.h>

#include "sim/agents/alias.h"
#include "sim/agents/cuts.h"
#include "sim/core/hot.h"
#include "sim/core/memory.h"
#include "sim/core/random.h"

/* An agent is one number, s * A + a. What happens to it between choosing at one stage and having
 * chosen at the next (outcome, target, action) takes one draw of Philox, counted by the agent and
 * the next stage, and one pass over the agents, block by block through the first-level cache. */
enum {
  BLOCK = 512,
  LINE = 16, /* agents in a line of the cache */
  WORD_ACTION = 0,
  WORD_OUTCOME = 1, /* also the lot of contests */
  WORD_TARGET = 2,
  WORD_FINER = 3,
  COPIES = 4, /* agents side by side are counted in different tables: no waiting for the last sum */
  LINEAR = 8, /* with more outcomes than that, cumulative probabilities are searched by halves */
};
static const int64_t COPIED = 1 << 14; /* pairs up to which tables are counted in copies */
static const int64_t COUNTED = INT64_C(1) << 30; /* agents that are counted in 32 bits */
static const int64_t CACHE = INT64_C(64) << 20;  /* bytes of action tables worth keeping */

/* An entry of a row of the noise kernel, as a cell of an alias table. */
typedef struct jump {
  uint32_t threshold;
  uint32_t own, alias; /* next states */
} jump;

typedef struct individuals {
  int64_t total;        /* agents of the groups */
  int64_t first, count; /* of this rank */
  uint32_t *pair;       /* [count] */
  int64_t *played;      /* [groups][pairs]: own agents */
  uint32_t *count_of;   /* [copies][pairs]: agents of one group, until they are added to those */
  int64_t copy;         /* from one copy to the next; 0: there is one */
  bool kept;            /* tables of all stages; else of one */
  wal_alias *choice;    /* [stages][groups][pairs] */
  wal_alias *start;     /* [S]: places of population 0, of population 1, ... */
  jump **jump;          /* [kernels][row[M]]; NULL without noise */
  uint32_t *cumulative; /* [pairs * (K - 1)], in 2^-31; NULL if K = 1 */
  wal_alias_room room;
  wal_alias *row;
  wal_cuts cuts;
} individuals;

typedef struct block {
  uint32_t word[4][BLOCK];
  uint32_t place[BLOCK], close[BLOCK];
} block;

/* What an agent meets on its way from stage - 1 to stage. */
typedef struct way {
  const individuals *self;
  uint32_t stage;
  int outcomes;
  const int32_t *post;
  const int64_t *row;
  const jump *jump;
} way;

/* A group at the stage that agents come to. */
typedef struct choice {
  const wal_alias *table;
  uint32_t actions;
  int64_t pairs, copy;
  uint32_t *count_of; /* as that of individuals */
  int64_t *played;    /* [pairs] */
} choice;

static individuals *self_of(const wal_crowd *crowd) { return crowd->self; }

// ---- Made -------------------------------------------------------------------------------------

static int64_t end_of_block(int64_t total, int64_t blocks, int rank, int ranks) {
  const int64_t end = blocks / ranks * rank + blocks % ranks * rank / ranks;
  return end * BLOCK < total ? end * BLOCK : total;
}

/* Deals blocks of agents over the ranks, contiguous runs of them. */
static wal_status deal(wal_crowd *crowd, individuals *self) {
  const wal_shape *shape = &crowd->plan.arena->space->game->shape;
  const int rank = wal_ctx_rank(crowd->ctx), ranks = wal_ctx_size(crowd->ctx);
  for (int g = 0; g < crowd->plan.groups; g++)
    for (int p = 0; p < shape->populations; p++) self->total += crowd->plan.group[g].agents[p];
  const int64_t blocks = (self->total + BLOCK - 1) / BLOCK;
  self->first = end_of_block(self->total, blocks, rank, ranks);
  self->count = end_of_block(self->total, blocks, rank + 1, ranks) - self->first;
  return wal_acquire(crowd->ctx, "agents", self->count, sizeof *self->pair, &self->pair);
}

static wal_status make_tables(wal_crowd *crowd, individuals *self) {
  const wal_arena *arena = crowd->plan.arena;
  const wal_shape *shape = &arena->space->game->shape;
  wal_ctx *ctx = crowd->ctx;
  const int64_t of_stage = crowd->plan.groups * arena->pairs;
  const int64_t places = shape->states / shape->populations;
  int64_t longest = places > shape->actions ? places : shape->actions;
  if (arena->row && shape->noise_terms > longest) longest = shape->noise_terms;
  self->copy = arena->pairs <= COPIED && self->count > arena->pairs ? arena->pairs : 0;
  self->kept = of_stage <= CACHE / (int64_t)sizeof *self->choice / shape->horizon;
  WAL_TRY(wal_acquire(ctx, "agents", of_stage, sizeof *self->played, &self->played));
  WAL_TRY(wal_acquire(ctx, "agents", arena->pairs * (self->copy > 0 ? COPIES : 1),
                      sizeof *self->count_of, &self->count_of));
  WAL_TRY(wal_acquire(ctx, "actions of agents", of_stage * (self->kept ? shape->horizon : 1),
                      sizeof *self->choice, &self->choice));
  WAL_TRY(wal_acquire(ctx, "agents", shape->states, sizeof *self->start, &self->start));
  WAL_TRY(wal_acquire(ctx, "agents", longest, sizeof *self->room.share, &self->room.share));
  WAL_TRY(wal_acquire(ctx, "agents", longest, sizeof *self->room.order, &self->room.order));
  WAL_TRY(wal_acquire(ctx, "agents", longest, sizeof *self->row, &self->row));
  if (shape->outcomes > 1)
    WAL_TRY(wal_acquire(ctx, "outcomes of agents", arena->pairs * (shape->outcomes - 1),
                        sizeof *self->cumulative, &self->cumulative));
  if (arena->row) {
    const int64_t rows = shape->post_states > 0 ? shape->post_states : shape->states;
    WAL_TRY(wal_acquire(ctx, "noise of agents", arena->space->kernels, sizeof *self->jump,
                        &self->jump));
    for (int k = 0; k < arena->space->kernels; k++)
      WAL_TRY(wal_acquire(ctx, "noise of agents", arena->row[k][rows], sizeof **self->jump,
                          &self->jump[k]));
  }
  return wal_cuts_create(crowd, &self->cuts);
}

static void fill_jumps(const wal_arena *arena, int kernel, individuals *self) {
  const wal_shape *shape = &arena->space->game->shape;
  const int64_t rows = shape->post_states > 0 ? shape->post_states : shape->states;
  const int64_t *row = arena->row[kernel];
  for (int64_t m = 0; m < rows; m++) {
    const int64_t first = row[m], count = row[m + 1] - first;
    const uint32_t *target = (const uint32_t *)arena->target[kernel] + first;
    if (count == 0) continue;
    wal_alias_build(count, arena->weight[kernel] + first, 1, &self->room, self->row);
    for (int64_t e = 0; e < count; e++)
      self->jump[kernel][first + e] =
          (jump){self->row[e].threshold, target[e], target[self->row[e].alias]};
  }
}

static wal_alias *table_of(const wal_crowd *crowd, int group, int stage) {
  const individuals *self = self_of(crowd);
  const int64_t row = self->kept ? stage : 0;
  return self->choice + (row * crowd->plan.groups + group) * crowd->plan.arena->pairs;
}

static void fill_choices(const wal_crowd *crowd, int stage) {
  const wal_arena *arena = crowd->plan.arena;
  const int actions = arena->space->game->shape.actions;
  for (int g = 0; g < crowd->plan.groups; g++) {
    wal_alias *table = table_of(crowd, g, stage);
    for (int64_t at = 0; at < arena->pairs; at += actions)
      wal_alias_build(actions, crowd->plan.group[g].policy[stage] + at, 1, &self_of(crowd)->room,
                      table + at);
  }
}

static void fill(wal_crowd *crowd, individuals *self) {
  const wal_arena *arena = crowd->plan.arena;
  const wal_shape *shape = &arena->space->game->shape;
  const int64_t places = shape->states / shape->populations;
  for (int p = 0; p < shape->populations; p++)
    wal_alias_build(places, arena->initial + p, shape->populations, &self->room,
                    self->start + p * places);
  for (int k = 0; self->jump && k < arena->space->kernels; k++) fill_jumps(arena, k, self);
  for (int h = 0; self->kept && h < shape->horizon; h++) fill_choices(crowd, h);
}

static wal_status create(wal_crowd *crowd) {
  const wal_arena *arena = crowd->plan.arena;
  individuals *self = NULL;
  wal_status status = WAL_OK;
  if (arena->pairs > UINT32_MAX)
    status = wal_fail(crowd->ctx, WAL_EINPUT,
                      "agents: mode \"individual\" takes at most %lld pairs of state and action, "
                      "got %lld",
                      (long long)UINT32_MAX, (long long)arena->pairs);
  if (status == WAL_OK) status = wal_acquire(crowd->ctx, "agents", 1, sizeof *self, &self);
  if (status == WAL_OK) {
    crowd->self = self;
    status = deal(crowd, self);
  }
  if (status == WAL_OK) status = make_tables(crowd, self);
  WAL_TRY(wal_agree(crowd->ctx, status));
  if (!wal_ctx_planning(crowd->ctx)) fill(crowd, self);
  return WAL_OK;
}

static void destroy(wal_crowd *crowd) {
  individuals *self = self_of(crowd);
  wal_ctx *ctx = crowd->ctx;
  if (!self) return;
  for (int k = 0; self->jump && k < crowd->plan.arena->space->kernels; k++)
    wal_release(ctx, &self->jump[k]);
  wal_release(ctx, &self->jump);
  wal_release(ctx, &self->pair);
  wal_release(ctx, &self->played);
  wal_release(ctx, &self->count_of);
  wal_release(ctx, &self->choice);
  wal_release(ctx, &self->start);
  wal_release(ctx, &self->cumulative);
  wal_release(ctx, &self->room.share);
  wal_release(ctx, &self->room.order);
  wal_release(ctx, &self->row);
  wal_cuts_destroy(crowd, &self->cuts);
  wal_release(ctx, &crowd->self);
}

// ---- A block of agents ------------------------------------------------------------------------

static void choose(const choice *c, int64_t count, const block *b, uint32_t *pair) {
  const uint32_t actions = c->actions, *word = b->word[WORD_ACTION];
  for (int64_t i = 0; i < count; i++) {
    const uint32_t first = b->place[i] * actions;
    pair[i] = first + wal_alias_draw(c->table + first, actions, word[i]);
  }
  uint32_t *count_of[COPIES];
  for (int k = 0; k < COPIES; k++) count_of[k] = c->count_of + k * c->copy;
  int64_t i = 0;
  for (; i + COPIES <= count; i += COPIES)
    for (int k = 0; k < COPIES; k++) count_of[k][pair[i + k]]++;
  for (; i < count; i++) count_of[0][pair[i]]++;
}

static choice choice_of(const wal_crowd *crowd, int group, int stage) {
  const individuals *self = self_of(crowd);
  const wal_arena *arena = crowd->plan.arena;
  return (choice){.table = table_of(crowd, group, stage),
                  .actions = (uint32_t)arena->space->game->shape.actions,
                  .pairs = arena->pairs,
                  .copy = self->copy,
                  .count_of = self->count_of,
                  .played = self->played + group * arena->pairs};
}

/* Adds what was counted to the group's numbers and begins anew. */
static void add_counts(const choice *c) {
  const int copies = c->copy > 0 ? COPIES : 1;
  for (int k = 0; k < copies; k++)
    for (int64_t i = 0; i < c->pairs; i++) c->played[i] += c->count_of[k * c->copy + i];
  memset(c->count_of, 0, (size_t)(copies * c->pairs) * sizeof *c->count_of);
}

/* The number of cumulative probabilities that a lot is not below. */
static int64_t count_below(const uint32_t *cumulative, int64_t count, uint32_t lot) {
  int64_t low = 0;
  if (count <= LINEAR) {
    for (int64_t k = 0; k < count; k++) low += lot >= cumulative[k];
    return low;
  }
  while (count > 0) {
    const int64_t half = count / 2;
    const bool above = lot >= cumulative[low + half];
    low = above ? low + half + 1 : low;
    count = above ? count - half - 1 : half;
  }
  return low;
}

/* Of two outcomes, which is what most games have. With `close`, those near a cut are found. */
WAL_INLINE int64_t get_two_outcomes(const way *w, int64_t count, const uint32_t *pair, bool close,
                                    block *b) {
  const uint32_t *cumulative = w->self->cumulative, *word = b->word[WORD_OUTCOME];
  const uint32_t width = w->self->cuts.width;
  int64_t found = 0;
  for (int64_t i = 0; i < count; i++) {
    const uint32_t lot = wal_lot_of(word[i]), cut = cumulative[pair[i]];
    b->place[i] = (uint32_t)w->post[2 * (int64_t)pair[i] + (lot >= cut)];
    if (close) {
      b->close[found] = (uint32_t)i;
      found += lot - cut < width;
    }
  }
  return found;
}

static int64_t get_many_outcomes(const way *w, int64_t count, const uint32_t *pair, block *b) {
  const int64_t outcomes = w->outcomes, cuts = outcomes - 1;
  int64_t found = 0;
  for (int64_t i = 0; i < count; i++) {
    const uint32_t lot = wal_lot_of(b->word[WORD_OUTCOME][i]);
    const uint32_t *cumulative = w->self->cumulative + pair[i] * cuts;
    const int64_t k = count_below(cumulative, cuts, lot);
    b->place[i] = (uint32_t)w->post[pair[i] * outcomes + k];
    b->close[found] = (uint32_t)i;
    found += k > 0 && lot - cumulative[k - 1] < w->self->cuts.width;
  }
  return found;
}

/* Outcomes: from pairs to post-decision states. Returns how many of the block, b->close, stand
 * close beyond a cut. */
static int64_t get_outcomes(const way *w, int64_t count, const uint32_t *pair, block *b) {
  if (w->outcomes > 2) return get_many_outcomes(w, count, pair, b);
  if (w->outcomes == 2 && w->self->cuts.width > 0) return get_two_outcomes(w, count, pair, true, b);
  if (w->outcomes == 2) return get_two_outcomes(w, count, pair, false, b);
  for (int64_t i = 0; i < count; i++) b->place[i] = (uint32_t)w->post[pair[i]];
  return 0;
}

/* Noise: from a post-decision state to the next state. */
WAL_INLINE uint32_t target_of(const way *w, uint32_t post, uint32_t word) {
  const int64_t first = w->row[post];
  const uint64_t terms = (uint64_t)(w->row[post + 1] - first), at = word * terms;
  const jump *cell = w->jump + first + (int64_t)(at >> 32);
  const uint32_t own = (uint32_t)0 - (uint32_t)((uint32_t)at < cell->threshold);
  return cell->alias ^ ((cell->alias ^ cell->own) & own);
}

static void get_targets(const way *w, int64_t count, block *b) {
  for (int64_t i = 0; i < count; i++)
    b->place[i] = target_of(w, b->place[i], b->word[WORD_TARGET][i]);
}

// ---- An episode -------------------------------------------------------------------------------

/* Own agents among those with the numbers from `first` on: through *from and the result. */
static int64_t own_part(const individuals *self, int64_t first, int64_t count, int64_t *from) {
  const int64_t last = first + count, end = self->first + self->count;
  *from = first > self->first ? first : self->first;
  return (last < end ? last : end) - *from;
}

static void draw_words(uint64_t seed, int64_t first, int64_t count, uint32_t stage, bool outcome,
                       bool target, bool finer, block *b) {
  uint32_t *const word[4] = {b->word[WORD_ACTION], outcome ? b->word[WORD_OUTCOME] : NULL,
                             target ? b->word[WORD_TARGET] : NULL,
                             finer ? b->word[WORD_FINER] : NULL};
  wal_random_arrays(seed, WAL_PURPOSE_AGENT, (uint64_t)first, NULL, count, stage, 0, word);
}

static void enter(wal_crowd *crowd, int group, int population, int64_t from, int64_t count) {
  const wal_shape *shape = &crowd->plan.arena->space->game->shape;
  const individuals *self = self_of(crowd);
  const choice c = choice_of(crowd, group, 0);
  const uint32_t populations = (uint32_t)shape->populations;
  const uint32_t places = (uint32_t)shape->states / populations;
  const wal_alias *start = self->start + (int64_t)population * places;
  block b;
  for (int64_t done = 0; done < count; done += BLOCK) {
    const int64_t here = count - done < BLOCK ? count - done : BLOCK;
    draw_words(crowd->seed, from + done, here, 0, false, true, true, &b);
    for (int64_t i = 0; i < here; i++)
      b.place[i] =
          wal_alias_draw_fine(start, places, b.word[WORD_TARGET][i], b.word[WORD_FINER][i]) *
              populations +
          (uint32_t)population;
    choose(&c, here, &b, self->pair + (from + done - self->first));
    if ((done + BLOCK) % COUNTED == 0) add_counts(&c);
  }
  add_counts(&c);
}

static void clear(const wal_crowd *crowd) {
  memset(self_of(crowd)->played, 0,
         (size_t)(crowd->plan.groups * crowd->plan.arena->pairs) * sizeof(int64_t));
}

static wal_status begin(wal_crowd *crowd) {
  const wal_shape *shape = &crowd->plan.arena->space->game->shape;
  individuals *self = self_of(crowd);
  int64_t first = 0;
  if (!self->kept) fill_choices(crowd, 0);
  clear(crowd);
  for (int g = 0; g < crowd->plan.groups; g++)
    for (int p = 0; p < shape->populations; p++) {
      int64_t from;
      const int64_t count = own_part(self, first, crowd->plan.group[g].agents[p], &from);
      enter(crowd, g, p, from, count);
      first += crowd->plan.group[g].agents[p];
    }
  return WAL_OK;
}

/* Actions have been chosen, and counted, on the way into the stage. */
static wal_status act(wal_crowd *crowd, int stage, int64_t *played) {
  (void)stage;
  const int64_t all = crowd->plan.groups * crowd->plan.arena->pairs, most = 1 << 24;
  memcpy(played, self_of(crowd)->played, (size_t)all * sizeof *played);
  for (int64_t done = 0; done < all; done += most)
    WAL_TRY(wal_ctx_sum_integers(crowd->ctx, (int)(all - done < most ? all - done : most),
                                 played + done));
  return WAL_OK;
}

/* Cumulative probabilities of a pair's outcomes, in 2^-31. The last outcome that is possible gets
 * what rounding leaves. */
static void accumulate(int outcomes, const double *probability, uint32_t *cumulative) {
  const uint32_t end = UINT32_C(1) << WAL_LOT_BITS;
  double sum = 0;
  int last = 0;
  for (int k = 0; k < outcomes; k++)
    if (probability[k] > 0) last = k;
  for (int k = 0; k + 1 < outcomes; k++) {
    sum += probability[k] > 0 ? probability[k] : 0;
    cumulative[k] = k >= last || sum >= 1 ? end : (uint32_t)(sum * end + 0.5);
  }
}

static void fill_cumulative(const wal_crowd *crowd, individuals *self) {
  const wal_arena *arena = crowd->plan.arena;
  const wal_shape *shape = &arena->space->game->shape;
  const int64_t outcomes = shape->outcomes, cuts = outcomes - 1, actions = shape->actions;
  for (int64_t s = 0; s < shape->states; s++) {
    const int64_t contest = arena->contest ? arena->contest[s] : -1;
    if (contest >= 0) {
      memcpy(self->cumulative + s * actions * cuts, self->cuts.cut + contest * actions * cuts,
             (size_t)(actions * cuts) * sizeof *self->cumulative);
      continue;
    }
    for (int64_t pair = s * actions; pair < (s + 1) * actions; pair++)
      accumulate((int)outcomes, arena->outcome + pair * outcomes, self->cumulative + pair * cuts);
  }
}

/* Memory is asked for early: in between, the processor has much else to do. */
static void fetch(const uint32_t *pair, int64_t left) {
  for (int64_t i = BLOCK; i < 2 * BLOCK && i < left; i += LINE) __builtin_prefetch(pair + i, 1);
}

/* All go on as their lots say; who is close to a cut may have to go on otherwise in the end. */
static wal_status go_on(const wal_crowd *crowd, const way *w, const choice *c, int64_t from,
                        int64_t count) {
  individuals *self = self_of(crowd);
  block b;
  for (int64_t done = 0; done < count; done += BLOCK) {
    const int64_t here = count - done < BLOCK ? count - done : BLOCK;
    uint32_t *pair = self->pair + (from + done - self->first);
    fetch(pair, count - done);
    draw_words(crowd->seed, from + done, here, w->stage, w->outcomes > 1, w->row, false, &b);
    const int64_t close = get_outcomes(w, here, pair, &b);
    for (int64_t i = 0; i < close; i++)
      WAL_TRY(wal_cuts_set_aside(crowd, from + done + b.close[i], pair[b.close[i]],
                                 wal_lot_of(b.word[WORD_OUTCOME][b.close[i]]), &self->cuts));
    if (w->row) get_targets(w, here, &b);
    choose(c, here, &b, pair);
    if ((done + BLOCK) % COUNTED == 0) add_counts(c);
  }
  add_counts(c);
  return WAL_OK;
}

/* Lets agents that were set aside go on as the lottery says, with the same words. */
static void mend(const wal_crowd *crowd, const way *w) {
  individuals *self = self_of(crowd);
  const wal_cuts *cuts = &self->cuts;
  int group = 0;
  for (int64_t e = 0; e < cuts->exceptions; e++) {
    const int64_t agent = cuts->agent[e];
    while (agent >= wal_individual_first(crowd, group + 1, 0)) group++;
    const choice c = choice_of(crowd, group, (int)w->stage);
    const wal_random_words words =
        wal_random(crowd->seed, WAL_PURPOSE_AGENT, (uint64_t)agent, w->stage, 0);
    uint32_t place = (uint32_t)w->post[(int64_t)cuts->pair[e] * w->outcomes + cuts->outcome[e]];
    if (w->row) place = target_of(w, place, words.word[WORD_TARGET]);
    uint32_t *pair = &self->pair[agent - self->first];
    c.played[*pair]--;
    *pair = place * c.actions;
    *pair += wal_alias_draw(c.table + *pair, c.actions, words.word[WORD_ACTION]);
    c.played[*pair]++;
  }
}

static wal_status move_groups(const wal_crowd *crowd, const way *w) {
  const individuals *self = self_of(crowd);
  int64_t first = 0;
  for (int g = 0; g < crowd->plan.groups; g++) {
    const int64_t end = wal_individual_first(crowd, g + 1, 0);
    const choice c = choice_of(crowd, g, (int)w->stage);
    int64_t from;
    const int64_t count = own_part(self, first, end - first, &from);
    WAL_TRY(go_on(crowd, w, &c, from, count));
    first = end;
  }
  return WAL_OK;
}

static wal_status move(wal_crowd *crowd, int stage) {
  const wal_arena *arena = crowd->plan.arena;
  const int kernel = wal_arena_kernel(arena, stage);
  individuals *self = self_of(crowd);
  const wal_cut_members members = {.first = self->first,
                                   .count = self->count,
                                   .total = self->total,
                                   .pair = self->pair,
                                   .stage = (uint32_t)stage + 1};
  WAL_TRY(wal_cuts_find(crowd, &members, &self->cuts));
  if (self->cumulative) fill_cumulative(crowd, self);
  if (!self->kept) fill_choices(crowd, stage + 1);
  clear(crowd);
  const way w = {.self = self,
                 .stage = (uint32_t)stage + 1,
                 .outcomes = arena->space->game->shape.outcomes,
                 .post = arena->post[kernel],
                 .row = arena->row ? arena->row[kernel] : NULL,
                 .jump = self->jump ? self->jump[kernel] : NULL};
  const wal_status status = move_groups(crowd, &w);
  if (self->cuts.width == 0) return status;
  WAL_TRY_ALL(crowd->ctx, status);
  WAL_TRY(wal_cuts_deal_out(crowd, &self->cuts));
  mend(crowd, &w);
  return WAL_OK;
}

// ---- Looked at --------------------------------------------------------------------------------

int64_t wal_individual_first(const wal_crowd *crowd, int group, int population) {
  const int populations = crowd->plan.arena->space->game->shape.populations;
  int64_t first = 0;
  for (int g = 0; g <= group; g++)
    for (int p = 0; p < (g < group ? populations : population); p++)
      first += crowd->plan.group[g].agents[p];
  return first;
}

bool wal_individual_look(const wal_crowd *crowd, int64_t agent, int32_t *state, int *action) {
  const individuals *self = self_of(crowd);
  const uint32_t actions = (uint32_t)crowd->plan.arena->space->game->shape.actions;
  if (agent < self->first || agent >= self->first + self->count) return false;
  const uint32_t pair = self->pair[agent - self->first];
  *state = (int32_t)(pair / actions);
  *action = (int)(pair % actions);
  return true;
}

const wal_crowd_type wal_crowd_individual = {.name = "individual",
                                             .most = INT64_C(1) << 40,
                                             .create = create,
                                             .destroy = destroy,
                                             .begin = begin,
                                             .act = act,
                                             .move = move};
