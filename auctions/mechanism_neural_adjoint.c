// SPDX-License-Identifier: GPL-3.0-or-later
#include "auctions/mechanism_neural_adjoint.h"

#include <cblas.h>
#include <string.h>

#include "auctions/dense.h"
#include "sim/core/vector_math.h"

/* The reverse of the network in mechanism_neural.c. With delta the bar of what a rectifier or s is
 * given:
 *
 *   delta_s(k) = s'(k) (bars of p(k + 1), p(k + 2), ... summed) / bids
 *   delta_g    = goods' bar * left * share (1 - share)
 *   delta_y    = [y > 0] W4^T delta_s
 *   delta_f    = [f > 0] (W3^T delta_y + w_g delta_g)
 *   delta_1    = [x1 > 0] W2^T delta_f
 *   bar of x   = V2^T delta_f + W1^T delta_1,   left also: goods' bar * share
 *
 * The gradient of a layer's weights is its delta times its input, transposed. One by one these are
 * updates of rank one, each of which reads and writes all weights; so inputs and deltas are held,
 * and many runs are turned into one product. */

void wal_neural_list_parameters(const void *self, wal_parameters *out) {
  const wal_neural *m = self;
  const int64_t d = m->at.hidden, inputs = m->at.inputs, rises = m->at.bids - 1;
  const wal_parameter_part all[] = {
      {"w1", 2, {inputs, d}}, {"b1", 1, {d}},     {"w2", 2, {d, d}},   {"b2", 1, {d}},
      {"v2", 2, {inputs, d}}, {"c2", 1, {d}},     {"w3", 2, {d, d}},   {"b3", 1, {d}},
      {"w4", 2, {d, rises}},  {"b4", 1, {rises}}, {"w_goods", 1, {d}}, {"b_goods", 1, {1}}};
  *out = (wal_parameters){.values = m->parameter, .count = m->at.count};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    const bool empty = rises == 0 && (strcmp(all[i].name, "w4") == 0 || all[i].extent[0] == 0);
    if (!empty) out->part[out->parts++] = all[i];
  }
}

// ---- Weights ----------------------------------------------------------------------------------

static void narrow(int64_t count, const double *restrict from, float *restrict to) {
  for (int64_t i = 0; i < count; i++) to[i] = (float)from[i];
}

/* As add_products(); some columns at a time. */
static void add_products_single(const wal_neural_held *held, int rows, int outputs,
                                const double *delta, int inputs, const double *input,
                                double *restrict weights) {
  const int most = WAL_NEURAL_PRODUCT / outputs > 1 ? WAL_NEURAL_PRODUCT / outputs : 1;
  float *d = held->narrow, *x = d + (int64_t)rows * outputs;
  float *restrict product = x + (int64_t)rows * inputs;
  narrow((int64_t)rows * outputs, delta, d);
  narrow((int64_t)rows * inputs, input, x);
  for (int j = 0; j < inputs; j += most, weights += (int64_t)most * outputs) {
    const int columns = inputs - j < most ? inputs - j : most;
    cblas_sgemm(CblasColMajor, CblasNoTrans, CblasTrans, outputs, columns, rows, 1, d, outputs,
                x + j, inputs, 0, product, outputs);
    for (int64_t i = 0; i < (int64_t)columns * outputs; i++) weights[i] += (double)product[i];
  }
}

/* weights += sum over rows r of delta[r] input[r]^T. */
static void add_products(const wal_neural *m, int outputs, const double *delta, int inputs,
                         const double *input, double *weights) {
  const int rows = m->held->count;
  if (outputs == 0) return;
  if (m->single)
    add_products_single(m->held, rows, outputs, delta, inputs, input, weights);
  else
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasTrans, outputs, inputs, rows, 1, delta, outputs,
                input, inputs, 1, weights, outputs);
}

static void add_rows(int rows, int count, const double *delta, double *bias) {
  for (int r = 0; r < rows; r++)
    for (int i = 0; i < count; i++) bias[i] += delta[(int64_t)r * count + i];
}

/* The one-hot round takes its delta to one column. */
static void add_rounds(const wal_neural_held *held, int d, const double *delta, double *weights) {
  for (int r = 0; r < held->count; r++) {
    double *column = weights + (int64_t)held->round[r] * d;
    for (int i = 0; i < d; i++) column[i] += delta[(int64_t)r * d + i];
  }
}

void wal_neural_flush_vjp(const void *self, double *bar) {
  const wal_neural *m = self;
  const wal_neural_layout *at = &m->at;
  wal_neural_held *held = m->held;
  const int rows = held->count, d = at->hidden, rises = at->bids - 1, seen = at->bids + 1;
  const int64_t dense = (int64_t)at->rounds * d;
  if (rows == 0 || !bar) return;
  add_rounds(held, d, held->d1, bar + at->w1);
  add_rounds(held, d, held->df, bar + at->v2);
  add_products(m, d, held->d1, seen, held->x, bar + at->w1 + dense);
  add_products(m, d, held->df, seen, held->x, bar + at->v2 + dense);
  add_products(m, d, held->df, d, held->x1, bar + at->w2);
  add_products(m, d, held->dy, d, held->f, bar + at->w3);
  add_products(m, rises, held->ds, d, held->y, bar + at->w4);
  add_rows(rows, d, held->d1, bar + at->b1);
  add_rows(rows, d, held->df, bar + at->b2);
  add_rows(rows, d, held->df, bar + at->c2);
  add_rows(rows, d, held->dy, bar + at->b3);
  add_rows(rows, rises, held->ds, bar + at->b4);
  add_rows(rows, 1, held->dg, bar + at->bg);
  for (int r = 0; r < rows; r++)
    for (int i = 0; i < d; i++) bar[at->wg + i] += held->dg[r] * held->f[(int64_t)r * d + i];
  held->count = 0;
}

// ---- A run ------------------------------------------------------------------------------------

/* The run that gave this answer: the one that is kept, if it is of the same round and the answer is
 * the same, or another. The answer tells whether the weights are still those of the run. */
static wal_neural_run recall(const wal_neural *m, const wal_round *round,
                             const wal_answer *answer) {
  const int bids = m->at.bids;
  const size_t row = (size_t)bids * sizeof(double);
  wal_neural_run run = wal_neural_run_at(m, round->round);
  const bool same = *run.round == round->round + 1 && run.x[bids] == round->left &&
                    run.answer[bids] == answer->goods &&
                    memcmp(run.answer, answer->payment, row) == 0 &&
                    memcmp(run.x, round->bid_mass, row) == 0;
  if (!same) wal_neural_run_layers(m, round, &run);
  return run;
}

/* delta_s and delta_g. */
static void begin(const wal_neural *m, const wal_neural_run *run, const wal_answer_bar *bar,
                  double *ds, double *dg) {
  const int bids = m->at.bids;
  const double share = run->s[bids - 1];
  for (int k = 0; k < bids - 1; k++) ds[k] = -run->s[k];
  if (m->free) wal_vector_exp(bids - 1, ds, ds);  // 1 - exp(-s) is the derivative of softplus
  double sum = 0;
  for (int k = bids - 2; k >= 0; k--) {
    sum += bar->payment[k + 1];
    ds[k] = sum / bids * (m->free ? 1 - ds[k] : run->s[k] * (1 - run->s[k]));
  }
  *dg = bar->goods * run->x[bids] * share * (1 - share);
}

/* delta = [input > 0] W^T of the delta above, added to what it is. */
static void descend(const wal_neural *m, int64_t weights, int rows, const double *above,
                    const double *input, double *delta) {
  const int active = wal_dense_active(m->at.hidden, input, m->index);
  wal_neural_add_transposed(m, weights, rows, active, above, delta);
}

static void hold(int count, const double *from, double *rows, int row) {
  memcpy(rows + (int64_t)row * count, from, (size_t)count * sizeof *from);
}

void wal_neural_answer_vjp(const void *self, const wal_round *round, const wal_answer *answer,
                           const wal_answer_bar *answer_bar, wal_round_bar *round_bar,
                           double *parameters_bar) {
  const wal_neural *m = self;
  const wal_neural_layout *at = &m->at;
  wal_neural_held *held = m->held;
  if (held->count + 1 == held->room) wal_neural_flush_vjp(m, parameters_bar);
  const int row = held->count, d = at->hidden, bids = at->bids;
  const int64_t first = (int64_t)row * d, dense = (int64_t)at->rounds * d;
  const wal_neural_run run = recall(m, round, answer);
  double *d1 = held->d1 + first, *df = held->df + first, *dy = held->dy + first;
  double *ds = held->ds + (int64_t)row * (bids - 1), *dg = held->dg + row;
  begin(m, &run, answer_bar, ds, dg);
  memset(dy, 0, (size_t)d * sizeof *dy);
  descend(m, at->w4, bids - 1, ds, run.y, dy);
  for (int i = 0; i < d; i++) df[i] = run.f[i] > 0 ? m->parameter[at->wg + i] * *dg : 0;
  descend(m, at->w3, d, dy, run.f, df);
  memset(d1, 0, (size_t)d * sizeof *d1);
  descend(m, at->w2, d, df, run.x1, d1);
  memset(m->x_bar, 0, (size_t)(bids + 1) * sizeof *m->x_bar);
  for (int i = 0; i <= bids; i++) m->index[i] = i;
  wal_neural_add_transposed(m, at->v2 + dense, d, bids + 1, df, m->x_bar);
  wal_neural_add_transposed(m, at->w1 + dense, d, bids + 1, d1, m->x_bar);
  for (int a = 0; a < bids; a++) round_bar->bid_mass[a] += m->x_bar[a];
  round_bar->left += m->x_bar[bids] + answer_bar->goods * run.s[bids - 1];
  if (!parameters_bar) return;
  held->count++;
  held->round[row] = round->round;
  hold(bids + 1, run.x, held->x, row);
  hold(d, run.x1, held->x1, row);
  hold(d, run.f, held->f, row);
  hold(d, run.y, held->y, row);
}
