// SPDX-License-Identifier: GPL-3.0-or-later
#include "auctions/mechanism_neural.h"

#include <math.h>
#include <string.h>

#include "auctions/dense.h"
#include "auctions/mechanism_neural_adjoint.h"
#include "sim/core/memory.h"
#include "sim/core/random.h"
#include "sim/core/sum.h"
#include "sim/core/vector_math.h"

/* A network that sees the round, the bids and the goods left (Corecco et al. 2025, section 4 and
 * appendix F; activations, slope cap and starting weights are ours):
 *
 *   x      = (one-hot(h), nu_h, left_h)
 *   x1     = relu(W1 x + b1)
 *   f      = relu(W2 x1 + b2 + V2 x + c2)
 *   goods  = left_h sigmoid(w_g . f + b_g)
 *   y      = relu(W3 f + b3)
 *   p_h(0) = 0,   p_h(a) = p_h(a - 1) + s((W4 y + b4)_a) / bids,
 *
 * where s = sigmoid (capped: no payment above the bid) or softplus (free).
 *
 * In single precision the products with matrices round weights, vectors and sums; what is added to
 * them, s and the answer are in double, and so the answer keeps what it promises. */

static const wal_param PARAMS[] = {
    {.name = "hidden",
     .type = WAL_INTEGER,
     .number = 256,
     .low = 1,
     .high = 16384,
     .meaning = "units of each hidden layer"},
    {.name = "slope",
     .type = WAL_TEXT,
     .text = "capped",
     .choices = "capped|free",
     .meaning = "whether payments rise at most as fast as bids, and so are never above them"},
    {.name = "seed",
     .type = WAL_INTEGER,
     .number = 0,
     .low = 0,
     .high = 0xffffffffp0,
     .meaning = "which network of those drawn with the task's seed"},
    {.name = "precision",
     .type = WAL_TEXT,
     .text = "single",
     .choices = "single|double",
     .meaning = "in which the network's layers are computed; all else is in double"},
    {0}};

wal_neural_layout wal_neural_layout_make(int rounds, int bids, int hidden) {
  wal_neural_layout at = {.rounds = rounds, .bids = bids, .hidden = hidden};
  const int64_t d = hidden, rises = bids - 1;
  at.inputs = rounds + bids + 1;
  at.b1 = at.w1 + d * at.inputs;
  at.w2 = at.b1 + d;
  at.b2 = at.w2 + d * d;
  at.v2 = at.b2 + d;
  at.c2 = at.v2 + d * at.inputs;
  at.w3 = at.c2 + d;
  at.b3 = at.w3 + d * d;
  at.w4 = at.b3 + d;
  at.b4 = at.w4 + rises * d;
  at.wg = at.b4 + rises;
  at.bg = at.wg + d;
  at.count = at.bg + 1;
  return at;
}

double *wal_neural_parameters(const wal_mechanism *mechanism, wal_neural_layout *layout) {
  const wal_neural *m = mechanism->self;
  *layout = m->at;
  return m->parameter;
}

/* Normal deviates with He's variance, scale^2 * 2 / inputs: two from the words of one draw. */
static void draw(uint64_t seed, uint32_t which, wal_neural *m, int64_t first, int64_t count,
                 int inputs, double scale) {
  const double deviation = scale * sqrt(2.0 / inputs);
  for (int64_t i = first; i < first + count; i++) {
    const wal_random_words words =
        wal_random(seed, WAL_PURPOSE_NETWORK, (uint64_t)(i / 2), which, 0);
    m->parameter[i] = deviation * wal_random_normal(wal_random_real(&words, (int)(i % 2)));
  }
}

static void draw_all(uint64_t seed, uint32_t which, wal_neural *m) {
  const wal_neural_layout *at = &m->at;
  const int64_t d = at->hidden;
  draw(seed, which, m, at->w1, d * at->inputs, at->inputs, 1);
  draw(seed, which, m, at->v2, d * at->inputs, at->inputs, 1);
  draw(seed, which, m, at->w2, d * d, at->hidden, 1);
  draw(seed, which, m, at->w3, d * d, at->hidden, 1);
  draw(seed, which, m, at->w4, d * (at->bids - 1), at->hidden, 0.1);
  draw(seed, which, m, at->wg, d, at->hidden, 0.1);
}

/* Hands out the parts of a block; from NULL it only counts. */
typedef struct share {
  double *block;
  int64_t used;
} share;

static double *take(share *from, int64_t numbers) {
  double *part = from->block ? from->block + from->used : NULL;
  from->used += wal_round_up(numbers, 8);
  return part;
}

static int64_t larger(int64_t x, int64_t y) { return x > y ? x : y; }
static int least(int64_t most, int64_t room) { return (int)(room < most ? room : most); }

static float *take_floats(share *from, int64_t numbers) {
  return (float *)(void *)take(from, (numbers + 1) / 2);
}

/* Lays out all arrays behind the structs. */
static void lay_out(share *from, bool single, wal_neural *m, wal_neural_held *held) {
  const int d = m->at.hidden, seen = m->at.bids + 1;
  const int64_t held_size = 6 * d + 2 * seen;
  m->parameter = take(from, m->at.count);
  m->run_size = 8 + 3 * wal_round_up(d, 8) + 3 * wal_round_up(seen, 8);
  m->runs = 1 + least(m->at.rounds - 1, WAL_NEURAL_ROOM / 8 / m->run_size);
  m->run = take(from, m->runs * m->run_size);
  m->x_bar = take(from, seen);
  m->index = (int *)(void *)take(from, (d > seen ? d : seen) / 2 + 1);
  held->room = 8 + least(248, WAL_NEURAL_ROOM / 8 / held_size);
  held->round = (int *)(void *)take(from, held->room);
  held->x = take(from, (int64_t)held->room * seen);
  held->x1 = take(from, (int64_t)held->room * d);
  held->f = take(from, (int64_t)held->room * d);
  held->y = take(from, (int64_t)held->room * d);
  held->d1 = take(from, (int64_t)held->room * d);
  held->df = take(from, (int64_t)held->room * d);
  held->dy = take(from, (int64_t)held->room * d);
  held->ds = take(from, (int64_t)held->room * seen);
  held->dg = take(from, held->room);
  if (!single) return;
  m->single = take_floats(from, m->at.count);
  const int64_t row = larger(d, seen), product = larger(row, WAL_NEURAL_PRODUCT);
  held->narrow = take_floats(from, 2 * held->room * row + product);
}

/* What was run with other parameters is forgotten. */
static void designed(void *self) {
  wal_neural *m = self;
  for (int r = 0; r < m->runs; r++) m->run[r * m->run_size] = 0;
  for (int64_t i = 0; m->single && i < m->at.count; i++) m->single[i] = (float)m->parameter[i];
}

static wal_status create(wal_ctx *ctx, wal_params *params, const wal_market *market, void **self) {
  const int hidden = (int)wal_params_integer(params, "hidden");
  wal_neural made = {.at = wal_neural_layout_make(market->rounds, market->bids, hidden),
                     .free = strcmp(wal_params_text(params, "slope"), "free") == 0};
  wal_neural_held held = {0};
  share count = {0};
  const bool single = strcmp(wal_params_text(params, "precision"), "single") == 0;
  lay_out(&count, single, &made, &held);
  const int64_t front = wal_round_up((int64_t)(sizeof made + sizeof held), 64);
  char *block;
  WAL_TRY(wal_acquire(ctx, "neural", front + count.used * (int64_t)sizeof(double), 1, &block));
  *self = block;
  share from = {.block = (double *)(void *)(block + front)};
  lay_out(&from, single, &made, &held);
  made.held = (wal_neural_held *)(void *)(block + sizeof made);
  *made.held = held;
  wal_neural *m = *self;
  *m = made;
  if (wal_ctx_planning(ctx)) return WAL_OK;
  draw_all(wal_ctx_seed(ctx), (uint32_t)wal_params_integer(params, "seed"), m);
  designed(m);
  return WAL_OK;
}

void wal_neural_add(const wal_neural *m, int64_t weights, int rows, int count, const double *x,
                    double *out) {
  if (m->single)
    wal_dense_add_single(rows, m->single + weights, count, m->index, x, out);
  else
    wal_dense_add(rows, m->parameter + weights, count, m->index, x, out);
}

void wal_neural_add_transposed(const wal_neural *m, int64_t weights, int rows, int count,
                               const double *x, double *out) {
  if (m->single)
    wal_dense_add_transposed_single(rows, m->single + weights, count, m->index, x, out);
  else
    wal_dense_add_transposed(rows, m->parameter + weights, count, m->index, x, out);
}

static void rectify(int count, double *x) {
  for (int i = 0; i < count; i++) x[i] = x[i] > 0 ? x[i] : 0;
}

/* x[i] = 1 / (1 + exp(-x[i])). */
static void squash(int count, double *x) {
  for (int i = 0; i < count; i++) x[i] = -x[i];
  wal_vector_exp(count, x, x);
  for (int i = 0; i < count; i++) x[i] = 1 / (1 + x[i]);
}

/* x[i] = log(1 + exp(x[i])) = max(x[i], 0) + log(1 + exp(-|x[i]|)). */
static void soften(int count, double *x, double *scratch) {
  for (int i = 0; i < count; i++) scratch[i] = -fabs(x[i]);
  wal_vector_exp(count, scratch, scratch);
  for (int i = 0; i < count; i++) scratch[i] += 1;
  wal_vector_log(count, scratch, scratch);
  for (int i = 0; i < count; i++) x[i] = (x[i] > 0 ? x[i] : 0) + scratch[i];
}

wal_neural_run wal_neural_run_at(const wal_neural *m, int round) {
  const int64_t unit = wal_round_up(m->at.hidden, 8), seen = wal_round_up(m->at.bids + 1, 8);
  wal_neural_run run = {.round = m->run + round % m->runs * m->run_size};
  run.x = run.round + 8;
  run.x1 = run.x + seen;
  run.f = run.x1 + unit;
  run.y = run.f + unit;
  run.s = run.y + unit;
  run.answer = run.s + seen;
  return run;
}

/* Leaves (W4 y + b4) in s[0 .. bids-2] and w_g . f + b_g behind them. */
static void run_weights(const wal_neural *m, int round, wal_neural_run *run) {
  const wal_neural_layout *at = &m->at;
  const double *p = m->parameter;
  const int d = at->hidden, bids = at->bids;
  const int64_t column = (int64_t)round * d, dense = (int64_t)at->rounds * d;
  int *index = m->index, active = wal_dense_active(bids + 1, run->x, index);
  for (int i = 0; i < d; i++) run->x1[i] = p[at->b1 + i] + p[at->w1 + column + i];
  for (int i = 0; i < d; i++) run->f[i] = p[at->b2 + i] + p[at->c2 + i] + p[at->v2 + column + i];
  wal_neural_add(m, at->w1 + dense, d, active, run->x, run->x1);
  wal_neural_add(m, at->v2 + dense, d, active, run->x, run->f);
  rectify(d, run->x1);
  active = wal_dense_active(d, run->x1, index);
  wal_neural_add(m, at->w2, d, active, run->x1, run->f);
  rectify(d, run->f);
  active = wal_dense_active(d, run->f, index);
  memcpy(run->y, p + at->b3, (size_t)d * sizeof *run->y);
  wal_neural_add(m, at->w3, d, active, run->f, run->y);
  rectify(d, run->y);
  active = wal_dense_active(d, run->y, index);
  memcpy(run->s, p + at->b4, (size_t)(bids - 1) * sizeof *run->s);
  wal_neural_add(m, at->w4, bids - 1, active, run->y, run->s);
  run->s[bids - 1] = p[at->bg] + wal_dot(d, p + at->wg, run->f);
}

void wal_neural_run_layers(const wal_neural *m, const wal_round *round, wal_neural_run *run) {
  const int bids = m->at.bids;
  *run->round = round->round + 1;
  memcpy(run->x, round->bid_mass, (size_t)bids * sizeof *run->x);
  run->x[bids] = round->left;
  run_weights(m, round->round, run);
  squash(1, run->s + bids - 1);
  if (m->free)
    soften(bids - 1, run->s, run->answer);
  else
    squash(bids - 1, run->s);
  double levels = 0;  // of at most 1 each: never above the bid, not even by rounding
  for (int a = 0; a < bids; a++) {
    run->answer[a] = levels / bids;
    levels += run->s[a];
  }
  run->answer[bids] = round->left * run->s[bids - 1];
}

static void answer(const void *self, const wal_round *round, wal_answer *out) {
  const wal_neural *m = self;
  wal_neural_run run = wal_neural_run_at(m, round->round);
  wal_neural_run_layers(m, round, &run);
  out->goods = run.answer[m->at.bids];
  out->reserve = 0;
  memcpy(out->payment, run.answer, (size_t)m->at.bids * sizeof *out->payment);
}

const wal_mechanism_type wal_mechanism_neural = {
    .struct_size = sizeof(wal_mechanism_type),
    .component = {.name = "neural",
                  .kind = "mechanism",
                  .summary = "a network sets payments and goods from bids, round and what is left",
                  .source = "Corecco et al. 2025, section 4 and appendix F",
                  .params = PARAMS},
    .monotone = true,
    .create = create,
    .answer = answer,
    .answer_vjp = wal_neural_answer_vjp,
    .flush_vjp = wal_neural_flush_vjp,
    .parameters = wal_neural_list_parameters,
    .designed = designed};
