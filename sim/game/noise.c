// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/game/noise.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#include "sim/core/block_sum.h"
#include "sim/core/hot.h"
#include "sim/core/memory.h"
#include "sim/core/sum.h"
#include "sim/game/stencil.h"

struct wal_noise {
  wal_ctx *ctx;
  wal_noise_form form;
  int stage;  // that its rows are of
  wal_partition post, states;
  wal_halo *halo;
  // source of a run is the own post-decision state; for rows: one run an entry, ordered by source
  wal_run *runs;
  double *weights;
  int64_t run_count, weight_capacity;
  int64_t *block_runs;  // [own blocks], and the end: where the runs of each begin
  // runs: those of equal stride go through stencils, of which each own block is a part; kept as
  // runs are only those that do not, and behind them (from loose_end) those that lead away
  wal_stencil *pull, *push;
  int64_t *loose_end;  // [own blocks]
  // rows
  int64_t *row_start;
  int32_t *row_target;
  // dense
  double *matrix;  // [own post states][leading]
  int64_t leading;
  double *whole;  // values of all states, in their order
  wal_block_sum *partial;
};

/* Some rows of a block, as the game gives them. */
typedef struct rows {
  int64_t first, count;
  int terms;
  int64_t *target;  // [terms][count]
  double *weight;
} rows;

static const double ROW_TOLERANCE = 1e-9;

/* Room for the rows that are read at a time: as many as fit at their longest, so that a game with
   one row of all states does not take the room of a dense kernel. */
enum { ROWS_ROOM = 1 << 20 };

/* Reads the rows from `first` on, up to the end of the block. */
static wal_status read_rows(wal_noise *n, const wal_game *game, int64_t block, int64_t first,
                            rows *r) {
  const wal_game_type *type = game->type;
  const int64_t left = wal_partition_cut(&n->post, block + 1) - first;
  const int64_t most = ROWS_ROOM / game->shape.noise_terms;
  r->first = first;
  r->count = most < 1 ? 1 : most < left ? most : left;
  r->terms = game->shape.noise_terms;
  if (type->row_length) r->terms = type->row_length(game->self, n->stage, first, r->count);
  WAL_TRY(wal_acquire(n->ctx, "kernel", r->count * r->terms, sizeof *r->target, &r->target));
  WAL_TRY(wal_acquire(n->ctx, "kernel", r->count * r->terms, sizeof *r->weight, &r->weight));
  game->type->noise(game->self, n->stage, r->first, r->count, r->target, r->weight);
  for (int64_t i = 0; i < r->count; i++) {
    double sum = 0;
    bool sound = true;
    for (int e = 0; e < r->terms; e++) {
      int64_t at = e * r->count + i;
      sum += r->weight[at];
      sound = sound && r->weight[at] >= 0;
      if (r->weight[at] == 0)
        r->target[at] = -1;
      else
        sound = sound && r->target[at] >= 0 && r->target[at] < n->states.size;
    }
    if (!sound || !(fabs(sum - 1) <= ROW_TOLERANCE))
      return wal_fail(n->ctx, WAL_EINTERNAL,
                      "game %s: the noise row of post-decision state %lld is not a distribution "
                      "over its %lld states (sum %.17g)",
                      game->type->component.name, (long long)(r->first + i),
                      (long long)n->states.size, sum);
  }
  return WAL_OK;
}

static void free_rows(wal_ctx *ctx, rows *r) {
  wal_release(ctx, &r->target);
  wal_release(ctx, &r->weight);
}

/* Adds term e of rows i0..i1 (of one weight) as runs, and their weight beside them. */
static wal_status add_piece(wal_noise *n, wal_reach *reach, const rows *r, int e, int64_t i0,
                            int64_t i1) {
  WAL_TRY(
      wal_reach_add(reach, r->first - n->post.first + i0, i1 - i0, r->target + e * r->count + i0));
  int64_t now = wal_reach_mark(reach);
  if (now > n->weight_capacity) {
    double *fresh = NULL;
    int64_t capacity = 2 * now + 64;
    WAL_TRY(wal_acquire(n->ctx, "kernel", capacity, sizeof *fresh, &fresh));
    if (n->run_count > 0) memcpy(fresh, n->weights, (size_t)n->run_count * sizeof *fresh);
    wal_release(n->ctx, &n->weights);
    n->weights = fresh;
    n->weight_capacity = capacity;
  }
  for (; n->run_count < now; n->run_count++)
    n->weights[n->run_count] = r->weight[e * r->count + i0];
  return WAL_OK;
}

static wal_status add_runs(wal_noise *n, wal_reach *reach, const rows *r) {
  for (int e = 0; e < r->terms; e++) {
    const double *weight = r->weight + e * r->count;
    for (int64_t i = 0, j; i < r->count; i = j) {
      for (j = i + 1; j < r->count && weight[j] == weight[i];) j++;
      WAL_TRY(add_piece(n, reach, r, e, i, j));
    }
  }
  return WAL_OK;
}

static wal_status add_sparse(wal_noise *n, wal_reach *reach, const rows *r) {
  for (int64_t i = 0; i < r->count; i++) {
    for (int e = 0; e < r->terms; e++) WAL_TRY(add_piece(n, reach, r, e, i, i + 1));
    n->row_start[r->first - n->post.first + i + 1] = wal_reach_mark(reach);
  }
  return WAL_OK;
}

static void add_dense(wal_noise *n, const rows *r) {
  for (int64_t i = 0; i < r->count; i++) {
    double *row = n->matrix + (r->first - n->post.first + i) * n->leading;
    for (int e = 0; e < r->terms; e++) {
      int64_t at = e * r->count + i;
      if (r->target[at] >= 0) row[r->target[at]] += r->weight[at];
    }
  }
}

/* For dense rows the first block asks for all values outside its home range, once for all blocks.
 */
static wal_status reach_all(wal_noise *n, wal_reach *reach) {
  for (int64_t s = 0; s < n->states.size; s++)
    if (s < n->states.first || s >= n->states.first + n->states.count)
      WAL_TRY(wal_reach_add(reach, 0, 1, &s));
  return WAL_OK;
}

static void count_rows(const rows *r, int64_t counts[2]) {
  for (int e = 0; e < r->terms; e++)
    for (int64_t i = 0; i < r->count; i++) {
      int64_t at = e * r->count + i;
      if (r->target[at] < 0) continue;
      counts[0]++;
      bool follows = i > 0 && r->weight[at - 1] == r->weight[at] &&
                     (r->target[at] == r->target[at - 1] + 1 || r->target[at] == r->target[at - 1]);
      counts[1] += !follows;
    }
}

/* Counts that decide the form: entries, runs that they make. Integers, summed over the ranks. */
static wal_status count_entries(wal_noise *n, const wal_game *game, int64_t counts[2]) {
  wal_status status = WAL_OK;
  counts[0] = counts[1] = 0;
  for (int64_t b = n->post.first_block; b < n->post.end_block && status == WAL_OK; b++) {
    const int64_t end = wal_partition_cut(&n->post, b + 1);
    rows r = {.first = wal_partition_cut(&n->post, b)};
    for (; r.first < end && status == WAL_OK; r.first += r.count) {
      status = read_rows(n, game, b, r.first, &r);
      if (status == WAL_OK) count_rows(&r, counts);
      free_rows(n->ctx, &r);
    }
  }
  WAL_TRY_ALL(n->ctx, status);
  return wal_ctx_sum_integers(n->ctx, 2, counts);
}

static wal_status choose_form(wal_noise *n, const wal_game *game) {
  if (n->form != WAL_NOISE_AUTO) return WAL_OK;
  int64_t counts[2];
  WAL_TRY(count_entries(n, game, counts));
  double whole = (double)n->post.size * (double)n->states.size;
  if ((double)counts[0] >= 0.4 * whole && n->states.size >= 16)
    n->form = WAL_NOISE_DENSE;
  else
    n->form = counts[0] < 3 * counts[1] ? WAL_NOISE_ROWS : WAL_NOISE_RUNS;
  return WAL_OK;
}

static wal_status build(wal_noise *n, const wal_game *game, wal_reach *reach) {
  const int64_t blocks = n->post.end_block - n->post.first_block;
  WAL_TRY(wal_acquire(n->ctx, "kernel", blocks + 1, sizeof *n->block_runs, &n->block_runs));
  if (n->form == WAL_NOISE_ROWS)
    WAL_TRY(wal_acquire(n->ctx, "kernel", n->post.count + 1, sizeof *n->row_start, &n->row_start));
  if (n->form == WAL_NOISE_DENSE) {
    n->leading = wal_round_up(n->states.size, 8);
    WAL_TRY(wal_acquire(n->ctx, "dense kernel", n->post.count * n->leading, sizeof *n->matrix,
                        &n->matrix));
    WAL_TRY(wal_acquire(n->ctx, "kernel", n->leading, sizeof *n->whole, &n->whole));
  }
  wal_status status = WAL_OK;
  for (int64_t b = n->post.first_block; b < n->post.end_block && status == WAL_OK; b++) {
    const int64_t end = wal_partition_cut(&n->post, b + 1);
    rows r = {.first = wal_partition_cut(&n->post, b)};
    status = wal_reach_block(reach, b);
    if (status == WAL_OK && n->form == WAL_NOISE_DENSE && b == n->post.first_block)
      status = reach_all(n, reach);
    for (; r.first < end && status == WAL_OK; r.first += r.count) {
      status = read_rows(n, game, b, r.first, &r);
      if (status == WAL_OK && n->form == WAL_NOISE_RUNS) status = add_runs(n, reach, &r);
      if (status == WAL_OK && n->form == WAL_NOISE_ROWS) status = add_sparse(n, reach, &r);
      if (status == WAL_OK && n->form == WAL_NOISE_DENSE) add_dense(n, &r);
      free_rows(n->ctx, &r);
    }
    n->block_runs[b + 1 - n->post.first_block] = wal_reach_mark(reach);
  }
  return status == WAL_OK ? wal_reach_block(reach, -1) : status;
}

/* Whether a run is a stretch of a stencil. */
static bool is_stretch(const wal_run *run) { return run->step == 1 || run->count == 1; }

/* The stencils' stretches of one block from its runs; what stays a run is moved to `kept`. */
static wal_status add_stencils(wal_noise *n, int64_t block, const int64_t *all, int64_t *kept) {
  const int64_t b = block - n->post.first_block, states = n->states.count;
  wal_stretch *stretches = NULL;
  wal_status status = WAL_OK;
  WAL_TRY(wal_acquire(n->ctx, "kernel", all[1] - all[0], sizeof *stretches, &stretches));
  for (int push = 0; push < 2; push++) {
    int64_t count = 0;
    for (int64_t i = all[0]; i < all[1]; i++) {
      const wal_run *run = &n->runs[i];
      if (!is_stretch(run) || (push && run->target >= states)) continue;
      stretches[count++] = push
                               ? (wal_stretch){run->target, run->source, run->count, n->weights[i]}
                               : (wal_stretch){run->source, run->target, run->count, n->weights[i]};
    }
    const wal_partition *to = push ? &n->states : &n->post;
    WAL_TRY_GOTO(wal_stencil_add(push ? n->push : n->pull, wal_partition_cut(to, block) - to->first,
                                 wal_partition_cut(to, block + 1) - to->first, count, stretches));
  }
  wal_release(n->ctx, &stretches);
  wal_run *away = NULL;  // put behind the loose ones
  double *away_weight = NULL;
  WAL_TRY_GOTO(wal_acquire(n->ctx, "kernel", all[1] - all[0], sizeof *away, &away));
  WAL_TRY_GOTO(wal_acquire(n->ctx, "kernel", all[1] - all[0], sizeof *away_weight, &away_weight));
  int64_t away_count = 0;
  n->block_runs[b] = *kept;
  for (int64_t i = all[0]; i < all[1]; i++) {
    const wal_run run = n->runs[i];
    const double weight = n->weights[i];
    if (!is_stretch(&run)) {
      n->weights[*kept] = weight;
      n->runs[(*kept)++] = run;
    } else if (run.target >= states) {
      away_weight[away_count] = weight;
      away[away_count++] = run;
    }
  }
  n->loose_end[b] = *kept;
  for (int64_t i = 0; i < away_count; i++) {
    n->weights[*kept] = away_weight[i];
    n->runs[(*kept)++] = away[i];
  }
cleanup:
  wal_release(n->ctx, &stretches);
  wal_release(n->ctx, &away);
  wal_release(n->ctx, &away_weight);
  return status;
}

/* Keeps the first `kept` runs only. */
static wal_status shrink_runs(wal_noise *n, int64_t kept) {
  wal_run *runs = NULL;
  double *weights = NULL;
  WAL_TRY(wal_acquire(n->ctx, "kernel", kept, sizeof *runs, &runs));
  wal_status status = wal_acquire(n->ctx, "kernel", kept, sizeof *weights, &weights);
  if (status != WAL_OK) {
    wal_release(n->ctx, &runs);
    return status;
  }
  if (kept > 0) {
    memcpy(runs, n->runs, (size_t)kept * sizeof *runs);
    memcpy(weights, n->weights, (size_t)kept * sizeof *weights);
  }
  wal_release(n->ctx, &n->runs);
  wal_release(n->ctx, &n->weights);
  n->runs = runs;
  n->weights = weights;
  n->run_count = kept;
  return WAL_OK;
}

/* Rank-local. */
static wal_status make_stencils(wal_noise *n) {
  const int64_t blocks = n->post.end_block - n->post.first_block;
  int64_t kept = 0;
  WAL_TRY(wal_acquire(n->ctx, "kernel", blocks + 1, sizeof *n->loose_end, &n->loose_end));
  WAL_TRY(wal_stencil_create(n->ctx, &n->pull));
  WAL_TRY(wal_stencil_create(n->ctx, &n->push));
  int64_t start = 0;
  for (int64_t b = 0; b < blocks; b++) {
    const int64_t all[2] = {start, n->block_runs[b + 1]};
    start = all[1];
    WAL_TRY(add_stencils(n, n->post.first_block + b, all, &kept));
  }
  n->block_runs[blocks] = kept;
  return shrink_runs(n, kept);
}

wal_status wal_noise_create(wal_ctx *ctx, const wal_game *game, int stage,
                            const wal_partition *post, const wal_partition *states,
                            wal_noise_form form, wal_noise **out) {
  wal_noise *n = NULL;
  wal_reach *reach = NULL;
  *out = NULL;
  wal_status status = wal_acquire(ctx, "kernel", 1, sizeof *n, &n);
  WAL_TRY_ALL(ctx, status);
  n->ctx = ctx;
  n->form = form;
  n->stage = stage;
  n->post = *post;
  n->states = *states;
  WAL_TRY_GOTO(choose_form(n, game));
  status = wal_reach_create(ctx, states, &reach);
  if (status == WAL_OK) status = build(n, game, reach);
  WAL_TRY_GOTO(wal_agree(ctx, status));
  n->run_count = wal_reach_mark(reach);
  WAL_TRY_GOTO(wal_reach_finish(reach, &n->runs, &n->halo));
  if (n->form == WAL_NOISE_DENSE)
    WAL_TRY_GOTO(wal_block_sum_create(ctx, post, n->leading, &n->partial));
  if (n->form == WAL_NOISE_RUNS) WAL_TRY_GOTO(wal_agree(ctx, make_stencils(n)));
  if (n->form == WAL_NOISE_ROWS) {  // one run an entry: keep only its target
    status = wal_acquire(ctx, "kernel", n->run_count, sizeof *n->row_target, &n->row_target);
    for (int64_t i = 0; status == WAL_OK && i < n->run_count; i++)
      n->row_target[i] = n->runs[i].target;
    wal_release(ctx, &n->runs);
    status = wal_agree(ctx, status);
  }
cleanup:
  wal_reach_destroy(&reach);
  if (status == WAL_OK)
    *out = n;
  else
    wal_noise_destroy(&n);
  return status;
}

void wal_noise_destroy(wal_noise **noise) {
  if (!noise || !*noise) return;
  wal_noise *n = *noise;
  wal_ctx *ctx = n->ctx;
  wal_halo_destroy(&n->halo);
  wal_block_sum_destroy(&n->partial);
  wal_release(ctx, &n->runs);
  wal_release(ctx, &n->block_runs);
  wal_release(ctx, &n->loose_end);
  wal_stencil_destroy(&n->pull);
  wal_stencil_destroy(&n->push);
  wal_release(ctx, &n->weights);
  wal_release(ctx, &n->row_start);
  wal_release(ctx, &n->row_target);
  wal_release(ctx, &n->matrix);
  wal_release(ctx, &n->whole);
  wal_release(ctx, noise);
}

wal_noise_form wal_noise_form_of(const wal_noise *noise) { return noise->form; }
wal_halo *wal_noise_halo(const wal_noise *noise) { return noise->halo; }

wal_traffic wal_noise_traffic(const wal_noise *n, bool push) {
  if (n->form != WAL_NOISE_DENSE || !push) return wal_halo_traffic(n->halo, push);
  const wal_partition *p = &n->post;  // the rows' sums are gathered
  if (p->ranks == 1) return (wal_traffic){0};
  const int64_t others = p->blocks - (p->end_block - p->first_block);
  return (wal_traffic){.bytes = others * n->leading * (int64_t)sizeof(double), .collectives = 1};
}

/* Runs [from, end), of one block. */
WAL_HOT static void push_runs(const wal_noise *n, int64_t from, int64_t end,
                              const double *restrict post, double *restrict next) {
  for (int64_t r = from; r < end; r++) {
    const wal_run run = n->runs[r];
    const double weight = n->weights[r];
    const double *source = post + run.source;
    double *to = next + run.target;
    if (run.step == 1)
      for (int32_t i = 0; i < run.count; i++) to[i] += weight * source[i];
    else if (run.step == 0)
      to[0] += weight * wal_sum(run.count, source);
    else
      for (int32_t i = 0; i < run.count; i++) to[(int64_t)i * run.step] += weight * source[i];
  }
}

WAL_HOT static void pull_runs(const wal_noise *n, int64_t from, int64_t end,
                              const double *restrict next, double *restrict post) {
  for (int64_t r = from; r < end; r++) {
    const wal_run run = n->runs[r];
    const double weight = n->weights[r];
    const double *source = next + run.target;
    double *to = post + run.source;
    if (run.step == 1)
      for (int32_t i = 0; i < run.count; i++) to[i] += weight * source[i];
    else
      for (int32_t i = 0; i < run.count; i++) to[i] += weight * source[(int64_t)i * run.step];
  }
}

static void push_rows(const wal_noise *n, const double *restrict post, double *restrict next) {
  for (int64_t m = 0; m < n->post.count; m++)
    for (int64_t e = n->row_start[m]; e < n->row_start[m + 1]; e++)
      next[n->row_target[e]] += n->weights[e] * post[m];
}

static void pull_rows(const wal_noise *n, const double *restrict next, double *restrict post) {
  for (int64_t m = 0; m < n->post.count; m++) {
    double sum = 0;
    for (int64_t e = n->row_start[m]; e < n->row_start[m + 1]; e++)
      sum += n->weights[e] * next[n->row_target[e]];
    post[m] = sum;
  }
}

static wal_status push_dense(wal_noise *n, const double *post, double *next) {
  wal_block_sum_start(n->partial);
  for (int64_t b = n->post.first_block; b < n->post.end_block; b++) {
    int64_t first = wal_partition_cut(&n->post, b) - n->post.first;
    int64_t count = wal_partition_cut(&n->post, b + 1) - n->post.first - first;
    if (count > 0)
      cblas_dgemv(CblasRowMajor, CblasTrans, (int)count, (int)n->states.size, 1,
                  n->matrix + first * n->leading, (int)n->leading, post + first, 1, 0,
                  wal_block_sum_row(n->partial, b), 1);
  }
  WAL_TRY(wal_block_sum_finish(n->partial, n->whole));
  memcpy(next, n->whole + n->states.first, (size_t)n->states.count * sizeof *next);
  return WAL_OK;
}

static void pull_dense(wal_noise *n, const double *next, double *post) {
  const wal_partition *s = &n->states;
  const double *away = next + s->count;  // states before the own ones, then those behind
  if (n->post.count == 0) return;
  memcpy(n->whole, away, (size_t)s->first * sizeof *next);
  memcpy(n->whole + s->first, next, (size_t)s->count * sizeof *next);
  memcpy(n->whole + s->first + s->count, away + s->first,
         (size_t)(s->size - s->first - s->count) * sizeof *next);
  for (int64_t b = n->post.first_block; b < n->post.end_block; b++) {
    int64_t first = wal_partition_cut(&n->post, b) - n->post.first;
    int64_t count = wal_partition_cut(&n->post, b + 1) - n->post.first - first;
    if (count > 0)
      cblas_dgemv(CblasRowMajor, CblasNoTrans, (int)count, (int)s->size, 1,
                  n->matrix + first * n->leading, (int)n->leading, n->whole, 1, 0, post + first, 1);
  }
}

wal_status wal_noise_push(wal_noise *n, const double *post, double *next) {
  if (n->form == WAL_NOISE_DENSE) return push_dense(n, post, next);
  memset(next + n->states.count, 0, (size_t)wal_halo_away(n->halo) * sizeof *next);
  if (n->form == WAL_NOISE_ROWS) {
    memset(next, 0, (size_t)n->states.count * sizeof *next);
    push_rows(n, post, next);
  }
  const int64_t blocks = n->post.end_block - n->post.first_block;
  for (int64_t b = 0; n->form == WAL_NOISE_RUNS && b < blocks; b++) {
    wal_stencil_apply(n->push, b, post, next);
    push_runs(n, n->block_runs[b], n->block_runs[b + 1], post, next);
  }
  return wal_halo_push(n->halo, next);
}

wal_status wal_noise_pull(wal_noise *n, double *next, double *post) {
  WAL_TRY(wal_halo_pull(n->halo, next));
  const int64_t blocks = n->post.end_block - n->post.first_block;
  for (int64_t b = 0; n->form == WAL_NOISE_RUNS && b < blocks; b++) {
    wal_stencil_apply(n->pull, b, next, post);
    pull_runs(n, n->block_runs[b], n->loose_end[b], next, post);
  }
  if (n->form == WAL_NOISE_ROWS) pull_rows(n, next, post);
  if (n->form == WAL_NOISE_DENSE) pull_dense(n, next, post);
  return WAL_OK;
}
