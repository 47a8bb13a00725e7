// SPDX-License-Identifier: GPL-3.0-or-later
#include "rlhf/bandit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "rlhf/exact.h"
#include "sim/core/memory.h"
#include "sim/core/random.h"
#include "sim/core/vector_math.h"

/* Ratios of policies reach exp(2 R / beta), their squares twice that. */
static const double MOST_RATIO_LOG = 60;

// ---- List -------------------------------------------------------------------------------------

static const wal_bandit_type *const TYPES[] = {
#define WAL_BANDIT_ENTRY(name) &wal_bandit_##name,
    WAL_BANDIT_LIST(WAL_BANDIT_ENTRY)
#undef WAL_BANDIT_ENTRY
};

int64_t wal_bandit_type_count(void) { return (int64_t)(sizeof TYPES / sizeof TYPES[0]); }

const wal_bandit_type *wal_bandit_type_at(int64_t index) { return TYPES[index]; }

const wal_bandit_type *wal_bandit_type_find(const char *name) {
  for (int64_t i = 0; i < wal_bandit_type_count(); i++)
    if (strcmp(TYPES[i]->component.name, name) == 0) return TYPES[i];
  return NULL;
}

// ---- Checks -----------------------------------------------------------------------------------

static wal_status check_numbers(wal_ctx *ctx, const wal_bandit_arrays *a) {
  if (a->prompts < 1 || a->responses < 2 || a->features < 0 || (a->features == 0) != !a->phi)
    return wal_fail(ctx, WAL_EINPUT,
                    "shape: expected at least 1 prompt, 2 responses and, with features, 1 of them, "
                    "got %lld, %lld and %lld",
                    (long long)a->prompts, (long long)a->responses, (long long)a->features);
  if (!(a->beta > 0) || !isfinite(a->beta))
    return wal_fail(ctx, WAL_EINPUT, "beta: expected more than 0, got %g", a->beta);
  if (!(a->reward_bound > 0) || !isfinite(a->reward_bound))
    return wal_fail(ctx, WAL_EINPUT, "reward_bound: expected more than 0, got %g", a->reward_bound);
  if (!(2 * a->reward_bound / a->beta < MOST_RATIO_LOG))
    return wal_fail(ctx, WAL_EINPUT,
                    "reward_bound: expected 2 * reward_bound / beta below %g, beyond which "
                    "e^(2 * reward_bound / beta) is too large to compute with, got 2 * %g / %g",
                    MOST_RATIO_LOG, a->reward_bound, a->beta);
  if (!(a->ridge >= 0) || !isfinite(a->ridge))
    return wal_fail(ctx, WAL_EINPUT, "ridge: expected at least 0, got %g", a->ridge);
  return WAL_OK;
}

static wal_status check_distribution(wal_ctx *ctx, const char *name, const char *what, int64_t row,
                                     int64_t count, const double *p, bool positive) {
  const double sum_off = 1e-9;
  char of[64] = "";
  double sum = 0;
  if (row >= 0) snprintf(of, sizeof of, " of prompt %lld", (long long)row);
  for (int64_t i = 0; i < count; i++) {
    if (!isfinite(p[i]) || p[i] < 0 || (positive && !(p[i] > 0)))
      return wal_fail(ctx, WAL_EINPUT, "%s: expected %s probabilities, got %g for %s %lld%s", name,
                      positive ? "positive" : "non-negative", p[i], what, (long long)i, of);
    sum += p[i];
  }
  if (!(fabs(sum - 1) <= sum_off))
    return wal_fail(ctx, WAL_EINPUT, "%s: expected probabilities that sum to 1, got %.12g%s", name,
                    sum, of);
  return WAL_OK;
}

static wal_status check_arrays(wal_ctx *ctx, const wal_bandit_arrays *a) {
  const int64_t pairs = a->prompts * a->responses;
  for (int64_t i = 0; i < pairs * a->features; i++)
    if (!isfinite(a->phi[i]))
      return wal_fail(ctx, WAL_EINPUT,
                      "features: expected finite numbers, got %g for prompt %lld, response %lld, "
                      "feature %lld",
                      a->phi[i], (long long)(i / a->features / a->responses),
                      (long long)(i / a->features % a->responses), (long long)(i % a->features));
  for (int64_t i = 0; i < pairs; i++)
    if (!(a->reward[i] >= 0 && a->reward[i] <= a->reward_bound))
      return wal_fail(ctx, WAL_EINPUT,
                      "reward: expected numbers from 0 to reward_bound, which is %g, got %g for "
                      "prompt %lld, response %lld",
                      a->reward_bound, a->reward[i], (long long)(i / a->responses),
                      (long long)(i % a->responses));
  for (int64_t s = 0; s < a->prompts && a->reference; s++)
    WAL_TRY(check_distribution(ctx, "reference", "response", s, a->responses,
                               a->reference + s * a->responses, true));
  if (a->weight)
    WAL_TRY(check_distribution(ctx, "weights", "prompt", -1, a->prompts, a->weight, false));
  return WAL_OK;
}

// ---- Made -------------------------------------------------------------------------------------

/* sum_a (x_a - mean)^2 / A of numbers `stride` apart */
static double variance(int64_t count, const double *x, int64_t stride) {
  double mean = 0, sum = 0;
  for (int64_t i = 0; i < count; i++) mean += x[i * stride];
  mean /= (double)count;
  for (int64_t i = 0; i < count; i++) sum += (x[i * stride] - mean) * (x[i * stride] - mean);
  return sum / (double)count;
}

/* 1 / sigma^2 at which E_s Var_a theta' phi under the prior is E_s Var_a r*. */
static double true_scale(const wal_bandit_known *known, const double *reward) {
  const int64_t n = known->responses, d = known->features;
  double of_reward = 0, of_features = 0;
  for (int64_t s = 0; s < known->prompts; s++) {
    double sum = d == 0 ? 1 - 1 / (double)n : 0; /* of unit vectors */
    for (int64_t k = 0; k < d; k++) sum += variance(n, known->phi + s * n * d + k, d);
    of_features += known->weight[s] * sum;
    of_reward += known->weight[s] * variance(n, reward + s * n, 1);
  }
  return of_reward > 0 && of_features > 0 ? of_features / of_reward : 1;
}

wal_status wal_bandit_of_arrays(wal_ctx *ctx, const wal_bandit_arrays *a, wal_bandit *out) {
  *out = (wal_bandit){.ctx = ctx};
  WAL_TRY(check_numbers(ctx, a));
  WAL_TRY(check_arrays(ctx, a));
  const int64_t pairs = a->prompts * a->responses;
  int64_t of_phi = 0, all = 0;
  if (!wal_multiply(pairs, a->features, &of_phi) || !wal_multiply(pairs, 5, &all) ||
      of_phi > INT64_MAX - all - a->prompts)
    return wal_fail(ctx, WAL_EINPUT, "shape: the numbers of the bandit do not fit into memory");
  WAL_TRY(wal_acquire(ctx, "bandit", of_phi + all + a->prompts, sizeof(double), &out->block));
  double *phi = out->block, *reference = phi + of_phi, *log_reference = reference + pairs;
  double *weight = log_reference + 4 * pairs;
  out->reward = log_reference + pairs;
  out->best = (wal_responder){.log_p = out->reward + pairs, .p = out->reward + 2 * pairs};
  out->known = (wal_bandit_known){.prompts = a->prompts,
                                  .responses = a->responses,
                                  .features = a->features,
                                  .phi = a->features > 0 ? phi : NULL,
                                  .weight = weight,
                                  .reference = reference,
                                  .log_reference = log_reference,
                                  .beta = a->beta,
                                  .reward_bound = a->reward_bound,
                                  .ridge = a->ridge};
  if (of_phi > 0) memcpy(phi, a->phi, (size_t)of_phi * sizeof *phi);
  memcpy(out->reward, a->reward, (size_t)pairs * sizeof *phi);
  for (int64_t i = 0; i < pairs; i++)
    reference[i] = a->reference ? a->reference[i] : 1 / (double)a->responses;
  for (int64_t s = 0; s < a->prompts; s++)
    weight[s] = a->weight ? a->weight[s] : 1 / (double)a->prompts;
  wal_vector_log(pairs, reference, log_reference);
  if (!(a->ridge > 0)) out->known.ridge = true_scale(&out->known, out->reward);
  out->best_value = wal_responder_gibbs(&out->known, out->reward, &out->best, NULL);
  return WAL_OK;
}

void wal_bandit_destroy(wal_bandit *bandit) {
  if (bandit->ctx) wal_release(bandit->ctx, &bandit->block);
  *bandit = (wal_bandit){0};
}

// ---- Drawn ------------------------------------------------------------------------------------

enum { STAGE_REFERENCE = 0 };

void wal_bandit_normals(uint64_t seed, uint32_t stage, int64_t count, double scale, double *out) {
  enum { MOST = 256 };
  double second[MOST];
  for (int64_t from = 0; from < count; from += MOST) {
    const int64_t here = count - from < MOST ? count - from : MOST;
    wal_random_reals(seed, WAL_PURPOSE_BANDIT, (uint64_t)from, here, stage, 0, out + from, second);
    for (int64_t i = from; i < from + here; i++) out[i] = scale * wal_random_normal(out[i]);
  }
}

/* Onto [0, bound], all of it. */
static void rescale(int64_t count, double bound, double *x) {
  double least = INFINITY, most = -INFINITY;
  for (int64_t i = 0; i < count; i++) {
    least = x[i] < least ? x[i] : least;
    most = x[i] > most ? x[i] : most;
  }
  for (int64_t i = 0; i < count; i++)
    x[i] = most > least ? bound * ((x[i] - least) / (most - least)) : 0;
}

/* pi_ref proportional to exp(N(0,1) - 2 r* / R): worse than none, as what is to be tuned is. */
static void draw_reference(uint64_t seed, const wal_bandit_arrays *a, double *out) {
  wal_bandit_normals(seed, STAGE_REFERENCE, a->prompts * a->responses, 1, out);
  for (int64_t s = 0; s < a->prompts; s++) {
    double *row = out + s * a->responses, sum = 0;
    for (int64_t i = 0; i < a->responses; i++)
      row[i] -= 2 * a->reward[s * a->responses + i] / a->reward_bound;
    wal_vector_exp(a->responses, row, row);
    for (int64_t i = 0; i < a->responses; i++) sum += row[i];
    for (int64_t i = 0; i < a->responses; i++) row[i] /= sum;
  }
}

static wal_status finish(wal_ctx *ctx, wal_params *params, uint64_t seed, wal_bandit_arrays *a,
                         double *raw, double *reference, wal_bandit *out) {
  const double *given = NULL;
  a->beta = wal_params_real(params, "beta");
  a->reward_bound = wal_params_real(params, "reward_bound");
  if (wal_params_given(params, "ridge")) a->ridge = wal_params_real(params, "ridge");
  wal_status status = check_numbers(ctx, a);
  WAL_TRY(status);
  WAL_TRY(wal_params_array(ctx, params, "reward", a->prompts, a->responses, 0, &given));
  if (!given) rescale(a->prompts * a->responses, a->reward_bound, raw);
  a->reward = given ? given : raw;
  WAL_TRY(wal_params_weights(ctx, params, "reference", a->prompts, a->responses, &a->reference));
  if (!a->reference) {
    draw_reference(seed, a, reference);
    a->reference = reference;
  }
  WAL_TRY(wal_params_weights(ctx, params, "weights", 0, a->prompts, &a->weight));
  return wal_bandit_of_arrays(ctx, a, out);
}

wal_status wal_bandit_finish_draw(wal_ctx *ctx, wal_params *params, uint64_t seed,
                                  wal_bandit_arrays *arrays, double *raw, wal_bandit *out) {
  double *reference = NULL;
  WAL_TRY(wal_acquire(ctx, "bandit", arrays->prompts * arrays->responses, sizeof *reference,
                      &reference));
  const wal_status status = finish(ctx, params, seed, arrays, raw, reference, out);
  wal_release(ctx, &reference);
  return status;
}

wal_status wal_bandit_draw(wal_ctx *ctx, wal_params *params, uint64_t seed, wal_bandit *out) {
  char text[WAL_ERROR_LENGTH];
  const wal_component *component = wal_params_component(params);
  *out = (wal_bandit){0};
  const wal_status status = wal_bandit_type_find(component->name)->draw(ctx, params, seed, out);
  if (status == WAL_OK) return WAL_OK;
  wal_bandit_destroy(out);
  snprintf(text, sizeof text, "%s", wal_ctx_error(ctx));
  /* What was found by the parameters tells its place already. */
  const char *file = wal_params_file(params);
  if (strncmp(text, file, strlen(file)) == 0) return status;
  return wal_params_fail(ctx, params, NULL, "%s", text);
}
