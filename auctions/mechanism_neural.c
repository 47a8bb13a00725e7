// SPDX-License-Identifier: GPL-3.0-or-later
#include "auctions/mechanism_neural.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#include "sim/core/memory.h"
#include "sim/core/random.h"
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
 * where s = sigmoid (capped: no payment above the bid) or softplus (free). */

typedef struct neural {
  wal_neural_layout at;
  bool free;          /**< softplus increments */
  double *parameter;  /**< [at.count] */
  double *x;          /**< [bids + 1]: the dense part of the input */
  double *x1, *f, *y; /**< [hidden] */
  double *rise; /**< [bids]: (W4 y + b4) and the input of the goods' sigmoid; then s of them */
} neural;

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
  const neural *m = mechanism->self;
  *layout = m->at;
  return m->parameter;
}

/* Normal deviates with He's variance, scale^2 * 2 / inputs: two from the words of one draw. */
static void draw(uint64_t seed, uint32_t which, neural *m, int64_t first, int64_t count, int inputs,
                 double scale) {
  const double deviation = scale * sqrt(2.0 / inputs);
  for (int64_t i = first; i < first + count; i++) {
    const wal_random_words words =
        wal_random(seed, WAL_PURPOSE_NETWORK, (uint64_t)(i / 2), which, 0);
    m->parameter[i] = deviation * wal_random_normal(wal_random_real(&words, (int)(i % 2)));
  }
}

static void draw_all(uint64_t seed, uint32_t which, neural *m) {
  const wal_neural_layout *at = &m->at;
  const int64_t d = at->hidden;
  draw(seed, which, m, at->w1, d * at->inputs, at->inputs, 1);
  draw(seed, which, m, at->v2, d * at->inputs, at->inputs, 1);
  draw(seed, which, m, at->w2, d * d, at->hidden, 1);
  draw(seed, which, m, at->w3, d * d, at->hidden, 1);
  draw(seed, which, m, at->w4, d * (at->bids - 1), at->hidden, 0.1);
  draw(seed, which, m, at->wg, d, at->hidden, 0.1);
}

static wal_status create(wal_ctx *ctx, wal_params *params, const wal_market *market, void **self) {
  const int hidden = (int)wal_params_integer(params, "hidden");
  const wal_neural_layout at = wal_neural_layout_make(market->rounds, market->bids, hidden);
  const int64_t front = wal_round_up((int64_t)sizeof(neural), 64);
  const int64_t room = wal_round_up(at.count, 8), unit = wal_round_up(hidden, 8);
  const int64_t seen = wal_round_up(market->bids + 1, 8);
  const int64_t numbers = room + 3 * unit + 2 * seen;
  char *block;
  WAL_TRY(wal_acquire(ctx, "neural", front + numbers * (int64_t)sizeof(double), 1, &block));
  *self = block;
  neural *m = (neural *)(void *)block;
  m->at = at;
  m->free = strcmp(wal_params_text(params, "slope"), "free") == 0;
  m->parameter = (double *)(void *)(block + front);
  m->x1 = m->parameter + room;
  m->f = m->x1 + unit;
  m->y = m->f + unit;
  m->x = m->y + unit;
  m->rise = m->x + seen;
  if (!wal_ctx_planning(ctx))
    draw_all(wal_ctx_seed(ctx), (uint32_t)wal_params_integer(params, "seed"), m);
  return WAL_OK;
}

/* out += W x. */
static void add_product(int rows, int columns, const double *w, const double *x, double *out) {
  if (rows > 0)
    cblas_dgemv(CblasColMajor, CblasNoTrans, rows, columns, 1, w, rows, x, 1, 1, out, 1);
}

/* out += W (one-hot(round), x): no product with the zeros. */
static void add_input(const neural *m, int64_t weights, int round, double *out) {
  const int d = m->at.hidden;
  const double *w = m->parameter + weights, *column = w + (int64_t)round * d;
  for (int i = 0; i < d; i++) out[i] += column[i];
  add_product(d, m->at.bids + 1, w + (int64_t)m->at.rounds * d, m->x, out);
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

/* Leaves (W4 y + b4) in rise[0 .. bids-2] and w_g . f + b_g behind them. */
static void run_layers(const neural *m, const wal_round *round) {
  const wal_neural_layout *at = &m->at;
  const double *p = m->parameter;
  const int d = at->hidden, bids = at->bids;
  memcpy(m->x, round->bid_mass, (size_t)bids * sizeof *m->x);
  m->x[bids] = round->left;
  memcpy(m->x1, p + at->b1, (size_t)d * sizeof *m->x1);
  add_input(m, at->w1, round->round, m->x1);
  rectify(d, m->x1);
  for (int i = 0; i < d; i++) m->f[i] = p[at->b2 + i] + p[at->c2 + i];
  add_input(m, at->v2, round->round, m->f);
  add_product(d, d, p + at->w2, m->x1, m->f);
  rectify(d, m->f);
  memcpy(m->y, p + at->b3, (size_t)d * sizeof *m->y);
  add_product(d, d, p + at->w3, m->f, m->y);
  rectify(d, m->y);
  memcpy(m->rise, p + at->b4, (size_t)(bids - 1) * sizeof *m->rise);
  add_product(bids - 1, d, p + at->w4, m->y, m->rise);
  m->rise[bids - 1] = p[at->bg] + cblas_ddot(d, p + at->wg, 1, m->f, 1);
}

static void answer(const void *self, const wal_round *round, wal_answer *out) {
  const neural *m = self;
  const int bids = m->at.bids;
  run_layers(m, round);
  squash(1, m->rise + bids - 1);
  out->goods = round->left * m->rise[bids - 1];
  out->reserve = 0;
  if (m->free)
    soften(bids - 1, m->rise, m->x);
  else
    squash(bids - 1, m->rise);
  double levels = 0;  // of at most 1 each: never above the bid, not even by rounding
  for (int a = 0; a < bids; a++) {
    out->payment[a] = levels / bids;
    levels += m->rise[a];
  }
}

const wal_mechanism_type wal_mechanism_neural = {
    .struct_size = sizeof(wal_mechanism_type),
    .component = {.name = "neural",
                  .kind = "mechanism",
                  .summary = "a network sets payments and goods from the bids, the round and what "
                             "is left",
                  .source = "Corecco et al. 2025, section 4 and appendix F",
                  .params = PARAMS},
    .monotone = true,
    .create = create,
    .answer = answer};
