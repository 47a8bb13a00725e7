// SPDX-License-Identifier: GPL-3.0-or-later
#include "rlhf/fit.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#include "rlhf/cholesky.h"
#include "sim/core/memory.h"
#include "sim/core/vector_math.h"

enum { CHUNK = 512 }; /* rows that are weighted and multiplied at once */

typedef struct row {
  int64_t first, second; /* pairs of prompt and response */
  double sign;
} row;

struct wal_fit {
  wal_ctx *ctx;
  const wal_bandit_known *known;
  const wal_preferences *data;
  int64_t prompts, responses, features, pairs;
  int64_t blocks, width; /* of the matrix; blocks * width numbers in theta */
  int64_t dimension, room, rows;
  row *row;
  double *x;                          /* [room][d]: phi(first) - phi(second); tabular: none */
  double *margin;                     /* [room] */
  double *pull;                       /* [room]: derivatives by the margins */
  double *weight;                     /* [room]: second derivatives */
  double *packed;                     /* [max(CHUNK, S A)][d]; tabular: [A][A] */
  double *matrix;                     /* [blocks][width][width], lower triangles */
  double *reward, *log_p, *p, *log_z; /* [S * A], and [S] */
  double *gradient, *step, *trial, *trial_gradient; /* [dimension] */
  double *mean;                                     /* [max(d, A)] */
};

static bool is_tabular(const wal_fit *f) { return f->features == 0; }

// ---- Made -------------------------------------------------------------------------------------

static wal_status acquire_parts(wal_ctx *ctx, wal_fit *f) {
  const int64_t d = f->features, room = f->room > 0 ? f->room : 1;
  const int64_t most = f->pairs > CHUNK ? f->pairs : CHUNK;
  int64_t matrix = 0, packed = 0, rows = 0;
  if (!wal_multiply(f->blocks, f->width, &matrix) || !wal_multiply(matrix, f->width, &matrix))
    matrix = INT64_MAX;
  if (!wal_multiply(is_tabular(f) ? f->width : most, f->width, &packed)) packed = INT64_MAX;
  if (!wal_multiply(room, d, &rows)) rows = INT64_MAX;
  WAL_TRY(wal_acquire(ctx, "matrix of a fit", matrix, sizeof(double), &f->matrix));
  WAL_TRY(wal_acquire(ctx, "fit", packed, sizeof(double), &f->packed));
  WAL_TRY(wal_acquire(ctx, "features of comparisons", rows, sizeof(double), &f->x));
  WAL_TRY(wal_acquire(ctx, "comparisons", room, sizeof *f->row, &f->row));
  WAL_TRY(wal_acquire(ctx, "comparisons", room, sizeof(double), &f->margin));
  WAL_TRY(wal_acquire(ctx, "comparisons", room, sizeof(double), &f->pull));
  WAL_TRY(wal_acquire(ctx, "comparisons", room, sizeof(double), &f->weight));
  WAL_TRY(wal_acquire(ctx, "fit", f->pairs, sizeof(double), &f->reward));
  WAL_TRY(wal_acquire(ctx, "fit", f->pairs, sizeof(double), &f->log_p));
  WAL_TRY(wal_acquire(ctx, "fit", f->pairs, sizeof(double), &f->p));
  WAL_TRY(wal_acquire(ctx, "fit", f->prompts, sizeof(double), &f->log_z));
  WAL_TRY(wal_acquire(ctx, "fit", f->dimension, sizeof(double), &f->gradient));
  WAL_TRY(wal_acquire(ctx, "fit", f->dimension, sizeof(double), &f->step));
  WAL_TRY(wal_acquire(ctx, "fit", f->dimension, sizeof(double), &f->trial));
  WAL_TRY(wal_acquire(ctx, "fit", f->dimension, sizeof(double), &f->trial_gradient));
  return wal_acquire(ctx, "fit", f->width, sizeof(double), &f->mean);
}

wal_status wal_fit_create(wal_ctx *ctx, const wal_bandit_known *known, int64_t room,
                          wal_fit **out) {
  wal_fit *f = NULL;
  *out = NULL;
  WAL_TRY(wal_acquire(ctx, "fit", 1, sizeof *f, &f));
  *f = (wal_fit){.ctx = ctx,
                 .prompts = known->prompts,
                 .responses = known->responses,
                 .features = known->features,
                 .pairs = known->prompts * known->responses,
                 .room = room};
  f->blocks = is_tabular(f) ? f->prompts : 1;
  f->width = is_tabular(f) ? f->responses : f->features;
  f->dimension = f->blocks * f->width;
  const wal_status status = acquire_parts(ctx, f);
  if (status == WAL_OK)
    *out = f;
  else
    wal_fit_destroy(&f);
  return status;
}

void wal_fit_destroy(wal_fit **fit) {
  if (!fit || !*fit) return;
  wal_fit *f = *fit;
  double **const parts[] = {&f->x,      &f->margin,         &f->pull,     &f->weight,
                            &f->packed, &f->matrix,         &f->reward,   &f->log_p,
                            &f->p,      &f->log_z,          &f->gradient, &f->step,
                            &f->trial,  &f->trial_gradient, &f->mean};
  wal_ctx *ctx = f->ctx;
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) wal_release(ctx, parts[i]);
  wal_release(ctx, &f->row);
  wal_release(ctx, fit);
}

void wal_fit_attach(wal_fit *f, const wal_bandit_known *known, const wal_preferences *data) {
  f->known = known;
  f->data = data;
  f->rows = 0;
}

int64_t wal_fit_dimension(const wal_fit *f) { return f->dimension; }

wal_loss wal_fit_logistic(const wal_fit *f, int64_t count) {
  return (wal_loss){.end = count, .scale = 1, .ridge = f->known->ridge, .divisor = f->known->beta};
}

/* Rows of the first `end` comparisons. */
static void read_rows(wal_fit *f, int64_t end) {
  const int64_t d = f->features;
  for (; f->rows < end; f->rows++) {
    const wal_preference seen = wal_preferences_at(f->data, f->rows);
    const int64_t from = seen.prompt * f->responses;
    f->row[f->rows] =
        (row){.first = from + seen.first, .second = from + seen.second, .sign = seen.won ? 1 : -1};
    if (is_tabular(f)) continue;
    const double *a = f->known->phi + (from + seen.first) * d;
    const double *b = f->known->phi + (from + seen.second) * d;
    for (int64_t k = 0; k < d; k++) f->x[f->rows * d + k] = a[k] - b[k];
  }
}

// ---- Features ---------------------------------------------------------------------------------

void wal_fit_reward(wal_fit *f, const double *theta, double *reward) {
  if (is_tabular(f))
    memcpy(reward, theta, (size_t)f->pairs * sizeof *reward);
  else
    cblas_dgemv(CblasRowMajor, CblasNoTrans, (int)f->pairs, (int)f->features, 1, f->known->phi,
                (int)f->features, theta, 1, 0, reward, 1);
}

/* out += sum over pairs of weight * phi. */
static void add_features(const wal_fit *f, const double *weight, double *out) {
  if (is_tabular(f))
    for (int64_t i = 0; i < f->pairs; i++) out[i] += weight[i];
  else
    cblas_dgemv(CblasRowMajor, CblasTrans, (int)f->pairs, (int)f->features, 1, f->known->phi,
                (int)f->features, weight, 1, 1, out, 1);
}

void wal_fit_mean(wal_fit *f, const double *p, double *out) {
  for (int64_t i = 0; i < f->pairs; i++) f->reward[i] = f->known->weight[i / f->responses] * p[i];
  memset(out, 0, (size_t)f->dimension * sizeof *out);
  add_features(f, f->reward, out);
}

void wal_fit_lead(wal_fit *f, const double *p, double *out) {
  for (int64_t i = 0; i < f->pairs; i++)
    f->reward[i] = f->known->weight[i / f->responses] * (p[i] - f->known->reference[i]);
  memset(out, 0, (size_t)f->dimension * sizeof *out);
  add_features(f, f->reward, out);
}

void wal_fit_add_feature(const wal_fit *f, int64_t pair, double factor, double *out) {
  if (is_tabular(f))
    out[pair] += factor;
  else
    cblas_daxpy((int)f->features, factor, f->known->phi + pair * f->features, 1, out, 1);
}

// ---- Comparisons ------------------------------------------------------------------------------

/* margin[i] = +- scale x_i' theta */
static void find_margins(wal_fit *f, const wal_loss *loss, const double *theta) {
  const int64_t d = f->features, count = loss->end - loss->first;
  if (!is_tabular(f) && count > 0)
    cblas_dgemv(CblasRowMajor, CblasNoTrans, (int)count, (int)d, 1, f->x + loss->first * d, (int)d,
                theta, 1, 0, f->margin + loss->first, 1);
  for (int64_t i = loss->first; i < loss->end; i++) {
    const row *r = &f->row[i];
    const double difference = is_tabular(f) ? theta[r->first] - theta[r->second] : f->margin[i];
    f->margin[i] = r->sign * loss->scale * difference;
  }
}

/* sum -log sigma(margin), with its first and second derivatives by x' theta */
static double find_logistic(wal_fit *f, const wal_loss *loss) {
  double sum = 0;
  for (int64_t from = loss->first; from < loss->end; from += CHUNK) {
    const int64_t count = loss->end - from < CHUNK ? loss->end - from : CHUNK;
    double e[CHUNK], log_1_e[CHUNK];
    for (int64_t i = 0; i < count; i++) e[i] = -fabs(f->margin[from + i]);
    wal_vector_exp(count, e, e);
    for (int64_t i = 0; i < count; i++) log_1_e[i] = 1 + e[i];
    wal_vector_log(count, log_1_e, log_1_e);
    for (int64_t i = 0; i < count; i++) {
      const double m = f->margin[from + i], scale = loss->scale, inverse = 1 / (1 + e[i]);
      sum += log_1_e[i] + (m < 0 ? -m : 0);
      f->pull[from + i] = -f->row[from + i].sign * scale * (m < 0 ? 1 : e[i]) * inverse;
      f->weight[from + i] = scale * scale * e[i] * inverse * inverse;
    }
  }
  return sum;
}

static void add_comparisons_gradient(const wal_fit *f, const wal_loss *loss, double *out) {
  const int64_t d = f->features, count = loss->end - loss->first;
  if (is_tabular(f))
    for (int64_t i = loss->first; i < loss->end; i++) {
      out[f->row[i].first] += f->pull[i];
      out[f->row[i].second] -= f->pull[i];
    }
  else if (count > 0)
    cblas_dgemv(CblasRowMajor, CblasTrans, (int)count, (int)d, 1, f->x + loss->first * d, (int)d,
                f->pull + loss->first, 1, 1, out, 1);
}

/* matrix += sum of weight x x' over comparisons */
static void add_comparisons_matrix(wal_fit *f, int64_t first, int64_t end) {
  const int64_t d = f->features, n = f->responses;
  for (int64_t i = first; is_tabular(f) && i < end; i++) {
    const row *r = &f->row[i];
    const int64_t s = r->first / n, a = r->first % n, b = r->second % n;
    double *m = f->matrix + s * n * n;
    if (a == b) continue;
    m[a * n + a] += f->weight[i];
    m[b * n + b] += f->weight[i];
    m[(a > b ? a : b) * n + (a > b ? b : a)] -= f->weight[i];
  }
  for (int64_t from = first; !is_tabular(f) && from < end; from += CHUNK) {
    const int64_t count = end - from < CHUNK ? end - from : CHUNK;
    for (int64_t i = 0; i < count; i++) {
      const double root = sqrt(f->weight[from + i]), *x = f->x + (from + i) * d;
      for (int64_t k = 0; k < d; k++) f->packed[i * d + k] = root * x[k];
    }
    cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, (int)d, (int)count, 1, f->packed, (int)d, 1,
                f->matrix, (int)d);
  }
}

// ---- Partition functions ----------------------------------------------------------------------

/* p and log Z of all prompts at theta; returns sum_s partition log Z. */
static double find_partition(wal_fit *f, const wal_loss *loss, const double *theta) {
  const double inverse = 1 / loss->divisor;
  double sum = 0;
  wal_fit_reward(f, theta, f->reward);
  for (int64_t s = 0; s < f->prompts; s++) {
    const int64_t from = s * f->responses, end = from + f->responses;
    double most = -INFINITY, mass = 0;
    for (int64_t i = from; i < end; i++) {
      f->log_p[i] = f->known->log_reference[i] + f->reward[i] * inverse;
      most = f->log_p[i] > most ? f->log_p[i] : most;
    }
    for (int64_t i = from; i < end; i++) f->log_p[i] -= most;
    wal_vector_exp(f->responses, f->log_p + from, f->p + from);
    for (int64_t i = from; i < end; i++) mass += f->p[i];
    for (int64_t i = from; i < end; i++) f->p[i] /= mass;
    f->log_z[s] = most + log(mass);
    sum += loss->partition[s] * f->log_z[s];
  }
  return sum;
}

static void add_partition_gradient(wal_fit *f, const wal_loss *loss, double *out) {
  for (int64_t i = 0; i < f->pairs; i++)
    f->reward[i] = loss->partition[i / f->responses] / loss->divisor * f->p[i];
  add_features(f, f->reward, out);
}

/* matrix += sum_s partition / divisor^2 Cov_p(phi), of all prompts or of those where that is not
   negative */
static void add_partition_matrix(wal_fit *f, const wal_loss *loss, bool all) {
  const int64_t d = f->features, n = f->responses;
  const double square = loss->divisor * loss->divisor;
  for (int64_t s = 0; s < f->prompts; s++) {
    const double z = loss->partition[s] / square, *p = f->p + s * n;
    double *m = f->matrix + s * n * n;
    if (!(z > 0) && !(all && z < 0)) continue;
    for (int64_t a = 0; is_tabular(f) && a < n; a++) {
      for (int64_t b = 0; b <= a; b++) m[a * n + b] -= z * p[a] * p[b];
      m[a * n + a] += z * p[a];
    }
    if (is_tabular(f)) continue;
    const double *phi = f->known->phi + s * n * d;
    memset(f->mean, 0, (size_t)d * sizeof *f->mean);
    cblas_dgemv(CblasRowMajor, CblasTrans, (int)n, (int)d, 1, phi, (int)d, p, 1, 0, f->mean, 1);
    for (int64_t a = 0; a < n; a++) {
      const double root = sqrt(fabs(z) * p[a]);
      for (int64_t k = 0; k < d; k++) f->packed[a * d + k] = root * (phi[a * d + k] - f->mean[k]);
    }
    cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, (int)d, (int)n, z > 0 ? 1 : -1, f->packed,
                (int)d, 1, f->matrix, (int)d);
  }
}

// ---- Loss -------------------------------------------------------------------------------------

double wal_fit_loss(wal_fit *f, const wal_loss *loss, const double *theta, double *gradient) {
  double value = 0, square = 0;
  read_rows(f, loss->end);
  find_margins(f, loss, theta);
  value = find_logistic(f, loss);
  for (int64_t k = 0; k < f->dimension; k++) square += theta[k] * theta[k];
  value += loss->ridge * square / 2;
  if (loss->partition) value += find_partition(f, loss, theta);
  for (int64_t k = 0; loss->linear && k < f->dimension; k++) value -= loss->linear[k] * theta[k];
  if (!gradient) return value;
  for (int64_t k = 0; k < f->dimension; k++)
    gradient[k] = loss->ridge * theta[k] - (loss->linear ? loss->linear[k] : 0);
  add_comparisons_gradient(f, loss, gradient);
  if (loss->partition) add_partition_gradient(f, loss, gradient);
  return value;
}

/* The matrix at the theta of the last wal_fit_loss(). */
static void find_matrix(wal_fit *f, const wal_loss *loss, bool all) {
  memset(f->matrix, 0, (size_t)(f->dimension * f->width) * sizeof *f->matrix);
  for (int64_t k = 0; k < f->dimension; k++) f->matrix[k * f->width + k % f->width] = loss->ridge;
  add_comparisons_matrix(f, loss->first, loss->end);
  if (loss->partition) add_partition_matrix(f, loss, all);
}

static bool try_factor(wal_fit *f, const wal_loss *loss, bool all) {
  bool positive = true;
  find_matrix(f, loss, all);
  for (int64_t b = 0; b < f->blocks && positive; b++)
    positive = wal_cholesky(f->width, f->matrix + b * f->width * f->width);
  return positive;
}

static wal_status factor(wal_fit *f, const wal_loss *loss) {
  if (try_factor(f, loss, false)) return WAL_OK;
  return wal_fail(f->ctx, WAL_ENONFINITE,
                  "fit: the matrix of second derivatives is not positive definite");
}

int64_t wal_fit_matrix(wal_fit *f, const wal_loss *loss, const double *theta, int64_t block,
                       const double **out) {
  wal_fit_loss(f, loss, theta, NULL);
  find_matrix(f, loss, true);
  *out = f->matrix + block * f->width * f->width;
  return f->width;
}

wal_status wal_fit_factor(wal_fit *f, const wal_loss *loss, const double *theta) {
  wal_fit_loss(f, loss, theta, NULL);
  return factor(f, loss);
}

// ---- With the factor held ---------------------------------------------------------------------

static void solve_triangle(const wal_fit *f, bool transposed, double *v) {
  for (int64_t b = 0; b < f->blocks; b++)
    cblas_dtrsv(CblasRowMajor, CblasLower, transposed ? CblasTrans : CblasNoTrans, CblasNonUnit,
                (int)f->width, f->matrix + b * f->width * f->width, (int)f->width, v + b * f->width,
                1);
}

double wal_fit_width(wal_fit *f, const double *v) {
  double square = 0;
  memcpy(f->step, v, (size_t)f->dimension * sizeof *v);
  solve_triangle(f, false, f->step);
  for (int64_t k = 0; k < f->dimension; k++) square += f->step[k] * f->step[k];
  return sqrt(square);
}

void wal_fit_solve(wal_fit *f, const double *v, double *out) {
  memmove(out, v, (size_t)f->dimension * sizeof *v);
  solve_triangle(f, false, out);
  solve_triangle(f, true, out);
}

void wal_fit_bonus(wal_fit *f, double *out) {
  const int64_t n = f->responses, width = f->width;
  for (int64_t s = 0; s < f->prompts; s++) {
    const double *reference = f->known->reference + s * n;
    if (!is_tabular(f)) {
      const double *phi = f->known->phi + s * n * width;
      cblas_dgemv(CblasRowMajor, CblasTrans, (int)n, (int)width, 1, phi, (int)width, reference, 1,
                  0, f->mean, 1);
      for (int64_t i = 0; i < n * width; i++) f->packed[i] = phi[i] - f->mean[i % width];
    } else {
      for (int64_t i = 0; i < n * n; i++) f->packed[i] = (i / n == i % n) - reference[i % n];
    }
    /* rows v' L'^-1, whose length is that of L^-1 v */
    cblas_dtrsm(CblasRowMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit, (int)n, (int)width,
                1, f->matrix + (is_tabular(f) ? s * width * width : 0), (int)width, f->packed,
                (int)width);
    for (int64_t a = 0; a < n; a++) {
      double square = 0;
      for (int64_t k = 0; k < width; k++)
        square += f->packed[a * width + k] * f->packed[a * width + k];
      out[s * n + a] = sqrt(square);
    }
  }
}

// ---- Minima -----------------------------------------------------------------------------------

/* theta + size * step by Armijo's rule from `value` with this slope; the new value and gradient. */
static double search_line(wal_fit *f, const wal_loss *loss, double *theta, double value,
                          double slope, bool *moved) {
  const double sufficient = 1e-4, rounding = 1e-13;
  double size = 1;
  *moved = false;
  for (int tries = 0; tries < 40; tries++, size /= 2) {
    for (int64_t k = 0; k < f->dimension; k++) f->trial[k] = theta[k] + size * f->step[k];
    const double there = wal_fit_loss(f, loss, f->trial, f->trial_gradient);
    if (!(there <= value + sufficient * size * slope + rounding * fabs(value))) continue;
    memcpy(theta, f->trial, (size_t)f->dimension * sizeof *theta);
    memcpy(f->gradient, f->trial_gradient, (size_t)f->dimension * sizeof *theta);
    *moved = true;
    return there;
  }
  return value;
}

wal_status wal_fit_minimize(wal_fit *f, const wal_loss *loss, double *theta) {
  /* Newton's steps square the error: after one with this decrement what is left is rounding. */
  const double small = 1e-9;
  bool moved = true;
  double value = wal_fit_loss(f, loss, theta, f->gradient);
  for (int steps = 0; steps < 100 && moved; steps++) {
    double slope = 0;
    /* where it is convex the whole matrix, whose steps are far better */
    if (!try_factor(f, loss, true)) WAL_TRY(factor(f, loss));
    wal_fit_solve(f, f->gradient, f->step);
    for (int64_t k = 0; k < f->dimension; k++) {
      f->step[k] = -f->step[k];
      slope += f->step[k] * f->gradient[k];
    }
    if (!isfinite(value) || !isfinite(slope))
      return wal_fail(f->ctx, WAL_ENONFINITE, "fit: the loss is not finite");
    value = search_line(f, loss, theta, value, slope, &moved);
    if (-slope <= small) break;
  }
  return WAL_OK;
}

wal_status wal_fit_ipo(wal_fit *f, int64_t count, double tau, double *theta) {
  /* Weight and target are one step of Newton's method from 0 in the logistic loss with
     tau = beta / 4. */
  const wal_loss loss = wal_fit_logistic(f, count);
  const double target = f->known->beta / (2 * tau);
  memset(theta, 0, (size_t)f->dimension * sizeof *theta);
  WAL_TRY(wal_fit_factor(f, &loss, theta));
  memset(f->gradient, 0, (size_t)f->dimension * sizeof *theta);
  for (int64_t i = 0; i < count; i++) f->pull[i] = f->row[i].sign * target / 4;
  add_comparisons_gradient(f, &loss, f->gradient);
  wal_fit_solve(f, f->gradient, theta);
  return WAL_OK;
}
