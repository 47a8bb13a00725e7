// SPDX-License-Identifier: GPL-3.0-or-later
#include "rlhf/exact.h"

#include <math.h>
#include <string.h>

#include "sim/core/memory.h"
#include "sim/core/vector_math.h"

// ---- Policies ---------------------------------------------------------------------------------

static int64_t pairs_of(const wal_bandit_known *known) { return known->prompts * known->responses; }

wal_status wal_responder_create(wal_ctx *ctx, const wal_bandit_known *known, wal_responder *out) {
  *out = (wal_responder){0};
  WAL_TRY(wal_acquire(ctx, "policy", pairs_of(known), sizeof(double), &out->log_p));
  return wal_acquire(ctx, "policy", pairs_of(known), sizeof(double), &out->p);
}

void wal_responder_destroy(wal_ctx *ctx, wal_responder *responder) {
  wal_release(ctx, &responder->log_p);
  wal_release(ctx, &responder->p);
}

/* sum_i p_i (x_i - y_i), which are logarithms */
static double divergence(int64_t n, const double *p, const double *x, const double *y) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += p[i] * (x[i] - y[i]);
  return sum;
}

/* Normalizes logarithms in place, in every prompt; those of the sums go into log_z. */
static void normalize(const wal_bandit_known *known, wal_responder *out, double *log_z) {
  const int64_t responses = known->responses;
  out->kl = 0;
  out->version++;
  for (int64_t s = 0; s < known->prompts; s++) {
    double *l = out->log_p + s * responses, *p = out->p + s * responses;
    double most = -INFINITY, sum = 0;
    for (int64_t a = 0; a < responses; a++) most = l[a] > most ? l[a] : most;
    for (int64_t a = 0; a < responses; a++) l[a] -= most;
    wal_vector_exp(responses, l, p);
    for (int64_t a = 0; a < responses; a++) sum += p[a];
    const double log_sum = log(sum), inverse = 1 / sum;
    for (int64_t a = 0; a < responses; a++) {
      l[a] -= log_sum;
      p[a] *= inverse;
    }
    if (log_z) log_z[s] = most + log_sum;
    out->kl += known->weight[s] * divergence(responses, p, l, known->log_reference + s * responses);
  }
}

void wal_responder_reference(const wal_bandit_known *known, wal_responder *out) {
  memcpy(out->log_p, known->log_reference, (size_t)pairs_of(known) * sizeof(double));
  memcpy(out->p, known->reference, (size_t)pairs_of(known) * sizeof(double));
  out->kl = 0;
  out->version++;
}

double wal_responder_gibbs(const wal_bandit_known *known, const double *reward, wal_responder *out,
                           double *log_z) {
  const double inverse = 1 / known->beta;
  double value = 0, mean = 0;
  for (int64_t i = 0; i < pairs_of(known); i++)
    out->log_p[i] = known->log_reference[i] + reward[i] * inverse;
  normalize(known, out, log_z);
  for (int64_t s = 0; s < known->prompts; s++) {
    mean = 0;
    for (int64_t i = s * known->responses; i < (s + 1) * known->responses; i++)
      mean += out->p[i] * reward[i];
    value += known->weight[s] * mean;
  }
  return value - known->beta * out->kl;
}

void wal_responder_tilt(const wal_bandit_known *known, const double *base_log_p, const double *tilt,
                        wal_responder *out) {
  for (int64_t i = 0; i < pairs_of(known); i++) out->log_p[i] = base_log_p[i] + tilt[i];
  normalize(known, out, NULL);
}

void wal_responder_of_logs(const wal_bandit_known *known, const double *log_p, wal_responder *out) {
  memcpy(out->log_p, log_p, (size_t)pairs_of(known) * sizeof(double));
  normalize(known, out, NULL);
}

// ---- Quantities -------------------------------------------------------------------------------

double wal_exact_value(const wal_bandit_known *known, const double *reward,
                       const wal_responder *pi) {
  double value = 0;
  for (int64_t s = 0; s < known->prompts; s++) {
    double mean = 0;
    for (int64_t i = s * known->responses; i < (s + 1) * known->responses; i++)
      mean += pi->p[i] * reward[i];
    value += known->weight[s] * mean;
  }
  return value - known->beta * pi->kl;
}

double wal_exact_divergence(const wal_bandit_known *known, const wal_responder *pi,
                            const wal_responder *other) {
  const int64_t n = known->responses;
  double sum = 0;
  for (int64_t s = 0; s < known->prompts; s++)
    sum += known->weight[s] * divergence(n, pi->p + s * n, pi->log_p + s * n, other->log_p + s * n);
  return sum;
}

double wal_exact_gap(const wal_bandit *bandit, const wal_responder *pi) {
  return bandit->known.beta * wal_exact_divergence(&bandit->known, pi, &bandit->best);
}

double wal_exact_coverage(const wal_bandit_known *known, const wal_responder *target,
                          const wal_responder *pi) {
  double sum = 0;
  for (int64_t s = 0; s < known->prompts; s++) {
    double mean = 0;
    for (int64_t i = s * known->responses; i < (s + 1) * known->responses; i++)
      mean += target->p[i] * exp(target->log_p[i] - pi->log_p[i]);
    sum += known->weight[s] * mean;
  }
  return sum;
}

double wal_exact_win_rate(const wal_bandit *bandit, const wal_responder *pi,
                          const wal_responder *other) {
  const wal_bandit_known *known = &bandit->known;
  double rate = 0;
  for (int64_t s = 0; s < known->prompts; s++) {
    const int64_t from = s * known->responses, end = from + known->responses;
    double here = 0;
    for (int64_t a = from; a < end; a++) {
      double against = 0;
      for (int64_t b = from; b < end; b++)
        against += other->p[b] / (1 + exp(bandit->reward[b] - bandit->reward[a]));
      here += pi->p[a] * against;
    }
    rate += known->weight[s] * here;
  }
  return rate;
}

// ---- Bounds -----------------------------------------------------------------------------------

double wal_exact_kappa(double x) {
  const double e = x - 1;
  /* e^2 / (e - log(1 + e)) cancels at 0: by its series 2 + 4 e / 3 - e^2 / 9 + ... there */
  if (fabs(e) < 1e-4) return 2 + 4 * e / 3 - e * e / 9;
  return e * e / (e - log1p(e));
}

double wal_exact_ratio(const wal_bandit_known *known, const wal_responder *target,
                       const wal_responder *pi) {
  double most = -INFINITY;
  for (int64_t i = 0; i < pairs_of(known); i++) {
    const double log_ratio = target->log_p[i] - pi->log_p[i];
    most = log_ratio > most ? log_ratio : most;
  }
  return exp(most);
}

double wal_exact_coverage_bound(double win_rate, double target_win_rate) {
  const double p = win_rate, q = target_win_rate;
  return q * q / p + (1 - q) * (1 - q) / (1 - p);
}
