// SPDX-License-Identifier: GPL-3.0-or-later
/* Preference bandits: identities and bounds of exact quantities on random instances; fits against
 * central differences, normal equations and rates. */
#include "rlhf/fit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "rlhf/cholesky.h"
#include "rlhf/learner.h"
#include "sim/core/power_law.h"
#include "sim/core/random.h"
#include "tests/support/harness.h"
#include "tests/support/make_transfer.h"

WAL_TEST_CTX(3)

static double uniform(uint64_t item, uint32_t draw) {
  return wal_random_uniform(17, WAL_PURPOSE_TEST, item, 0, draw);
}

static double normal(uint64_t item, uint32_t draw) {
  return wal_random_normal(uniform(item, draw));
}

// ---- Exact quantities -------------------------------------------------------------------------

enum { PROMPTS = 2, RESPONSES = 5, PAIRS = PROMPTS * RESPONSES };

static void random_distributions(uint64_t item, uint32_t draw, double spread, double *out) {
  for (int s = 0; s < PROMPTS; s++) {
    double sum = 0;
    for (int a = 0; a < RESPONSES; a++) {
      const int i = s * RESPONSES + a;
      sum += out[i] = exp(spread * normal(item, draw + (uint32_t)i));
    }
    for (int a = 0; a < RESPONSES; a++) out[s * RESPONSES + a] /= sum;
  }
}

typedef struct instance {
  wal_bandit bandit;
  wal_responder source, other;
  double reward[PAIRS], of_source[PAIRS], reference[PAIRS], weight[PROMPTS];
} instance;

static void open_instance(uint64_t item, instance *x) {
  const double bound = 0.5 + 3.5 * uniform(item, 0), beta = 0.15 + 2 * uniform(item, 1);
  double p[PAIRS], log_p[PAIRS];
  for (int i = 0; i < PAIRS; i++) {
    x->reward[i] = bound * uniform(item, 10 + (uint32_t)i);
    x->of_source[i] = bound * uniform(item, 30 + (uint32_t)i);
  }
  random_distributions(item, 50, 1.5, x->reference);
  x->weight[0] = uniform(item, 2);
  x->weight[1] = 1 - x->weight[0];
  const wal_bandit_arrays arrays = {.prompts = PROMPTS,
                                    .responses = RESPONSES,
                                    .reward = x->reward,
                                    .reference = x->reference,
                                    .weight = x->weight,
                                    .beta = beta,
                                    .reward_bound = bound};
  WAL_ASSERT_OK(ctx, wal_bandit_of_arrays(ctx, &arrays, &x->bandit));
  WAL_ASSERT_OK(ctx, wal_responder_create(ctx, &x->bandit.known, &x->source));
  WAL_ASSERT_OK(ctx, wal_responder_create(ctx, &x->bandit.known, &x->other));
  wal_responder_gibbs(&x->bandit.known, x->of_source, &x->source, NULL);
  random_distributions(item, 70, 2, p);
  for (int i = 0; i < PAIRS; i++) log_p[i] = log(p[i]);
  wal_responder_of_logs(&x->bandit.known, log_p, &x->other);
}

static void close_instance(instance *x) {
  wal_responder_destroy(ctx, &x->source);
  wal_responder_destroy(ctx, &x->other);
  wal_bandit_destroy(&x->bandit);
}

/* J(pi) by its definition. */
static double plain_value(const instance *x, const wal_responder *pi) {
  double value = 0;
  for (int i = 0; i < PAIRS; i++)
    value += x->weight[i / RESPONSES] * pi->p[i] *
             (x->reward[i] - x->bandit.known.beta * log(pi->p[i] / x->reference[i]));
  return value;
}

static double plain_coverage(const instance *x, const wal_responder *pi) {
  double chi = 0;
  for (int i = 0; i < PAIRS; i++) {
    const double off = x->bandit.best.p[i] - pi->p[i];
    chi += x->weight[i / RESPONSES] * off * off / pi->p[i];
  }
  return 1 + chi;
}

/* P(pi preferred to other) by its definition. */
static double plain_win_rate(const instance *x, const wal_responder *pi,
                             const wal_responder *other) {
  double rate = 0;
  for (int i = 0; i < PAIRS; i++)
    for (int j = i / RESPONSES * RESPONSES; j < (i / RESPONSES + 1) * RESPONSES; j++)
      rate += x->weight[i / RESPONSES] * pi->p[i] * other->p[j] /
              (1 + exp(x->reward[j] - x->reward[i]));
  return rate;
}

static void values_and_bounds_on_random_instances(void **state) {
  (void)state;
  double closest = 0, closest_rate = 0;
  for (uint64_t item = 0; item < 10000; item++) {
    instance x;
    open_instance(item, &x);
    const wal_bandit *b = &x.bandit;
    const double beta = b->known.beta, gap = wal_exact_gap(b, &x.source);
    WAL_ASSERT_WITHIN(gap, plain_value(&x, &b->best) - plain_value(&x, &x.source), 1e-11);
    WAL_ASSERT_WITHIN(wal_exact_gap(b, &x.other),
                      plain_value(&x, &b->best) - plain_value(&x, &x.other), 1e-11);
    WAL_ASSERT_WITHIN(b->best_value, plain_value(&x, &b->best), 1e-11);
    WAL_ASSERT_WITHIN(wal_exact_value(&b->known, x.reward, &x.other), plain_value(&x, &x.other),
                      1e-11);
    const double coverage = wal_exact_coverage(&b->known, &b->best, &x.source);
    WAL_ASSERT_NEAR(coverage, plain_coverage(&x, &x.source), 1e-10);
    /* Lemma 3.1, with the largest ratio there is and with the largest there can be */
    const double ratio = wal_exact_ratio(&b->known, &b->best, &x.source);
    const double bound = 1 + wal_exact_kappa(ratio) * gap / beta;
    assert_true(coverage <= bound * (1 + 1e-10));
    assert_true(ratio <= exp(2 * b->known.reward_bound / beta) * (1 + 1e-10));
    assert_true(coverage <=
                1 + wal_exact_kappa(exp(2 * b->known.reward_bound / beta)) * gap / beta + 1e-10);
    closest = fmax(closest, (coverage - 1) / (bound - 1));
    /* win rates against somebody else */
    const double p = wal_exact_win_rate(b, &x.source, &x.other);
    const double q = wal_exact_win_rate(b, &b->best, &x.other);
    WAL_ASSERT_NEAR(p, plain_win_rate(&x, &x.source, &x.other), 1e-11);
    WAL_ASSERT_NEAR(p, 1 - wal_exact_win_rate(b, &x.other, &x.source), 1e-11);
    const double told = wal_exact_coverage_bound(p, q);
    assert_true(told <= coverage * (1 + 1e-10));
    closest_rate = fmax(closest_rate, (told - 1) / (coverage - 1));
    close_instance(&x);
  }
  /* both bounds are of some use */
  assert_true(closest > 0.5 && closest <= 1);
  assert_true(closest_rate > 0.05 && closest_rate <= 1);
}

static void kappa_is_smooth_at_one(void **state) {
  (void)state;
  WAL_ASSERT_NEAR(wal_exact_kappa(1), 2, 1e-15);
  for (int side = -1; side <= 1; side += 2) {
    const double e = side * 1e-4;
    /* just inside and just outside the series */
    WAL_ASSERT_NEAR(wal_exact_kappa(1 + 0.999 * e), wal_exact_kappa(1 + 1.001 * e), 1e-6);
  }
  WAL_ASSERT_NEAR(wal_exact_kappa(10), 81 / (9 - log(10)), 1e-14);
  assert_true(wal_exact_kappa(0.5) < 2 && wal_exact_kappa(2) > 2);
}

// ---- Fits -------------------------------------------------------------------------------------

enum { FEATURES = 4, DATA = 40 };

typedef struct fit_bench {
  wal_bandit bandit;
  wal_preferences data;
  double *memory;
  wal_fit *fit;
  int64_t dimension;
} fit_bench;

static void open_fit(int64_t prompts, int64_t responses, int64_t features, int64_t count,
                     uint64_t seed, fit_bench *f) {
  char text[256];
  wal_scenario *scenario;
  wal_params *params;
  *f = (fit_bench){0};
  if (features > 0)
    snprintf(text, sizeof text, "log_linear{prompts=%d, responses=%d, features=%d}", (int)prompts,
             (int)responses, (int)features);
  else
    snprintf(text, sizeof text, "tabular{prompts=%d, responses=%d}", (int)prompts, (int)responses);
  WAL_ASSERT_OK(ctx, bench_params(ctx, text, &scenario, &params));
  WAL_ASSERT_OK(ctx, wal_bandit_draw(ctx, params, seed, &f->bandit));
  wal_params_destroy(&params);
  wal_scenario_destroy(&scenario);
  f->memory = calloc((size_t)wal_preferences_size(count), sizeof *f->memory);
  f->data = (wal_preferences){.responses = responses, .arms = 2, .memory = f->memory};
  WAL_ASSERT_OK(ctx, wal_fit_create(ctx, &f->bandit.known, count, &f->fit));
  wal_fit_attach(f->fit, &f->bandit.known, &f->data);
  f->dimension = wal_fit_dimension(f->fit);
  for (int64_t i = 0; i < count; i++) {
    const uint64_t item = seed * 1000003 + (uint64_t)i;
    wal_preference seen = {.prompt = (int64_t)(uniform(item, 0) * (double)prompts),
                           .first = (int64_t)(uniform(item, 1) * (double)responses),
                           .second = (int64_t)(uniform(item, 2) * (double)responses),
                           .arm = (int)(i % 2)};
    const double *r = f->bandit.reward + seen.prompt * responses;
    seen.won = uniform(item, 3) < 1 / (1 + exp(r[seen.second] - r[seen.first]));
    wal_preferences_add(&f->data, &seen);
  }
}

static void close_fit(fit_bench *f) {
  wal_fit_destroy(&f->fit);
  wal_bandit_destroy(&f->bandit);
  free(f->memory);
}

enum { LOSSES = 6, MOST = 32 };

/* Losses of the methods: likelihood, a part of it, RPO, VPO, XPO, DPO. */
static wal_loss loss_of(const fit_bench *f, int which, double *partition, double *linear) {
  const wal_bandit_known *known = &f->bandit.known;
  wal_loss loss = wal_fit_logistic(f->fit, DATA);
  if (which == 1) loss.first = DATA / 3;
  if (which == 5) loss.scale = known->beta;
  if (which == 2 || which == 3) {
    const double tilt = which == 2 ? 6.5 : -1.5;
    wal_fit_mean(f->fit, known->reference, linear);
    for (int64_t k = 0; k < f->dimension; k++) linear[k] *= tilt;
    for (int64_t s = 0; s < known->prompts; s++)
      partition[s] = tilt * known->beta * known->weight[s];
  }
  if (which == 4) {
    wal_transfer_method m = {.setup = {.fit = f->fit},
                             .problem = {.known = known, .data = f->data}};
    wal_loss_exploration(&m, 0.1, partition, linear, &loss);
  }
  if (which >= 2 && which <= 4) {
    loss.partition = partition;
    loss.linear = linear;
  }
  return loss;
}

static void gradients_and_matrices_are_those_of_the_losses(void **state) {
  (void)state;
  const double h = 1e-5;
  for (int tabular = 0; tabular < 2; tabular++) {
    fit_bench f;
    open_fit(3, 6, tabular ? 0 : FEATURES, DATA, 5, &f);
    for (int which = 0; which < LOSSES; which++) {
      double partition[3], linear[MOST], theta[MOST], gradient[MOST], there[MOST], back[MOST];
      const wal_loss loss = loss_of(&f, which, partition, linear);
      for (int64_t k = 0; k < f.dimension; k++) theta[k] = normal((uint64_t)k, 9);
      wal_fit_loss(f.fit, &loss, theta, gradient);
      for (int64_t k = 0; k < f.dimension; k++) {
        const double at = theta[k];
        theta[k] = at + h;
        const double up = wal_fit_loss(f.fit, &loss, theta, there);
        theta[k] = at - h;
        const double down = wal_fit_loss(f.fit, &loss, theta, back);
        theta[k] = at;
        WAL_ASSERT_WITHIN(gradient[k], (up - down) / (2 * h), 1e-7);
        /* a row of the matrix */
        const double *matrix;
        const int64_t width = tabular ? 6 : FEATURES, block = k / width, row = k % width;
        assert_int_equal(wal_fit_matrix(f.fit, &loss, theta, block, &matrix), width);
        for (int64_t j = 0; j <= row; j++)
          WAL_ASSERT_WITHIN(matrix[row * width + j],
                            (there[block * width + j] - back[block * width + j]) / (2 * h), 1e-6);
      }
    }
    close_fit(&f);
  }
}

/* XPO's term by its definition: alpha sum_i log pi_theta(b_i | s_i). */
static void exploration_is_the_likelihood_of_second_responses(void **state) {
  (void)state;
  fit_bench f;
  open_fit(3, 6, FEATURES, DATA, 6, &f);
  double partition[3], linear[MOST], theta[MOST], reward[18], sum = 0;
  wal_responder pi;
  const wal_loss plain = wal_fit_logistic(f.fit, DATA);
  const wal_loss loss = loss_of(&f, 4, partition, linear);
  WAL_ASSERT_OK(ctx, wal_responder_create(ctx, &f.bandit.known, &pi));
  for (int64_t k = 0; k < f.dimension; k++) theta[k] = normal((uint64_t)k, 8);
  wal_fit_reward(f.fit, theta, reward);
  wal_responder_gibbs(&f.bandit.known, reward, &pi, NULL);
  for (int64_t i = 0; i < DATA; i++) {
    const wal_preference seen = wal_preferences_at(&f.data, i);
    const int64_t at = seen.prompt * 6 + seen.second;
    sum += 0.1 * (pi.log_p[at] - f.bandit.known.log_reference[at]);
  }
  WAL_ASSERT_NEAR(
      wal_fit_loss(f.fit, &loss, theta, NULL) - wal_fit_loss(f.fit, &plain, theta, NULL), sum,
      1e-10);
  wal_responder_destroy(ctx, &pi);
  close_fit(&f);
}

static void rpo_is_convex_and_its_minimum_is_found(void **state) {
  (void)state;
  for (int tabular = 0; tabular < 2; tabular++) {
    fit_bench f;
    open_fit(3, 6, tabular ? 0 : FEATURES, DATA, 7, &f);
    double partition[3], linear[MOST], x[MOST], y[MOST], middle[MOST], gradient[MOST];
    const wal_loss loss = loss_of(&f, 2, partition, linear);
    wal_loss bare = loss;
    bare.ridge = 0;
    for (uint64_t pair = 0; pair < 200; pair++) {
      for (int64_t k = 0; k < f.dimension; k++) {
        x[k] = 4 * normal(pair * MOST + (uint64_t)k, 20);
        y[k] = 4 * normal(pair * MOST + (uint64_t)k, 21);
        middle[k] = (x[k] + y[k]) / 2;
      }
      const double ends = wal_fit_loss(f.fit, &bare, x, NULL) + wal_fit_loss(f.fit, &bare, y, NULL);
      assert_true(wal_fit_loss(f.fit, &bare, middle, NULL) <= ends / 2 + 1e-10);
      WAL_ASSERT_OK(ctx, wal_fit_factor(f.fit, &loss, x)); /* ridge I + what is not negative */
    }
    memset(x, 0, sizeof x);
    WAL_ASSERT_OK(ctx, wal_fit_minimize(f.fit, &loss, x));
    const double least = wal_fit_loss(f.fit, &loss, x, gradient);
    for (int64_t k = 0; k < f.dimension; k++) WAL_ASSERT_WITHIN(gradient[k], 0, 1e-7);
    WAL_ASSERT_OK(ctx, wal_fit_minimize(f.fit, &loss, y));
    WAL_ASSERT_NEAR(wal_fit_loss(f.fit, &loss, y, NULL), least, 1e-12);
    close_fit(&f);
  }
}

/* The gradient of (1/8) sum (+- x' theta - beta/(2 tau))^2 + ridge |theta|^2 / 2, written out. */
static void ipo_solves_its_normal_equations(void **state) {
  (void)state;
  fit_bench f;
  open_fit(3, 6, FEATURES, DATA, 8, &f);
  const wal_bandit_known *known = &f.bandit.known;
  double theta[FEATURES], gradient[FEATURES] = {0};
  const double tau = 0.17;
  WAL_ASSERT_OK(ctx, wal_fit_ipo(f.fit, DATA, tau, theta));
  for (int64_t i = 0; i < DATA; i++) {
    const wal_preference seen = wal_preferences_at(&f.data, i);
    const int64_t better = seen.prompt * 6 + (seen.won ? seen.first : seen.second);
    const int64_t worse = seen.prompt * 6 + (seen.won ? seen.second : seen.first);
    double h = 0;
    for (int k = 0; k < FEATURES; k++)
      h += theta[k] * (known->phi[better * FEATURES + k] - known->phi[worse * FEATURES + k]);
    for (int k = 0; k < FEATURES; k++)
      gradient[k] += (h - known->beta / (2 * tau)) / 4 *
                     (known->phi[better * FEATURES + k] - known->phi[worse * FEATURES + k]);
  }
  for (int k = 0; k < FEATURES; k++)
    WAL_ASSERT_WITHIN(gradient[k] + known->ridge * theta[k], 0, 1e-10);
  close_fit(&f);
}

static void factors_and_widths_are_those_of_the_inverse(void **state) {
  (void)state;
  enum { N = 70, WIDE = 5 };
  double *a = calloc(N * N, sizeof *a), *l = calloc(N * N, sizeof *l);
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      for (int k = 0; k < N; k++)
        a[i * N + j] += normal((uint64_t)(i * N + k), 30) * normal((uint64_t)(j * N + k), 30);
  for (int i = 0; i < N; i++) a[i * N + i] += 1;
  memcpy(l, a, N * N * sizeof *a);
  assert_true(wal_cholesky(N, l));
  for (int i = 0; i < N; i++)
    for (int j = 0; j <= i; j++) {
      double sum = 0;
      for (int k = 0; k <= j; k++) sum += l[i * N + k] * l[j * N + k];
      WAL_ASSERT_WITHIN(sum, a[i * N + j], 1e-10 * N);
    }
  a[40 * N + 40] = -1;
  assert_false(wal_cholesky(N, a));
  free(a);
  free(l);
  for (int tabular = 0; tabular < 2; tabular++) {
    fit_bench f;
    open_fit(2, WIDE, tabular ? 0 : FEATURES, DATA, 9, &f);
    const wal_loss loss = wal_fit_logistic(f.fit, DATA);
    double theta[MOST] = {0}, v[MOST], solved[MOST], bonus[2 * WIDE], inner = 0;
    for (int64_t k = 0; k < f.dimension; k++) v[k] = normal((uint64_t)k, 31);
    WAL_ASSERT_OK(ctx, wal_fit_factor(f.fit, &loss, theta));
    wal_fit_solve(f.fit, v, solved);
    for (int64_t k = 0; k < f.dimension; k++) inner += v[k] * solved[k];
    WAL_ASSERT_NEAR(wal_fit_width(f.fit, v), sqrt(inner), 1e-12);
    wal_fit_bonus(f.fit, bonus);
    for (int pair = 0; pair < 2 * WIDE; pair++) {
      memset(v, 0, sizeof v);
      wal_fit_add_feature(f.fit, pair, 1, v);
      for (int a2 = 0; a2 < WIDE; a2++) {
        const int64_t at = pair / WIDE * WIDE + a2;
        wal_fit_add_feature(f.fit, at, -f.bandit.known.reference[at], v);
      }
      WAL_ASSERT_NEAR(bonus[pair], wal_fit_width(f.fit, v), 1e-12);
    }
    close_fit(&f);
  }
}

/* The distilled policy's lower bound holds in at least 95 % of runs, with data of the reference
   policy's neighbourhood: bounded by widths, and by likelihoods with chi^2's quantile as slack. */
static void the_distilled_value_is_pessimistic(void **state) {
  (void)state;
  enum { RUNS = 200, D = 12, N = 300 };
  int by_width = 0, by_likelihood = 0;
  for (uint64_t run = 0; run < RUNS; run++) {
    fit_bench f;
    double theta[D] = {0}, rpo[D] = {0}, partition[4], linear[D], lead[D], reward[120];
    wal_responder pi;
    open_fit(4, 30, D, N, 100 + run, &f);
    const wal_bandit_known *known = &f.bandit.known;
    const wal_responder reference = {.log_p = (double *)known->log_reference,
                                     .p = (double *)known->reference};
    WAL_ASSERT_OK(ctx, wal_responder_create(ctx, known, &pi));
    wal_loss plain = wal_fit_logistic(f.fit, N), loss = plain;
    wal_transfer_method m = {.setup = {.fit = f.fit}, .problem = {.known = known, .data = f.data}};
    wal_loss_tilt(&m, sqrt(N), partition, linear, &loss);
    WAL_ASSERT_OK(ctx, wal_fit_minimize(f.fit, &plain, theta));
    WAL_ASSERT_OK(ctx, wal_fit_minimize(f.fit, &loss, rpo));
    wal_fit_reward(f.fit, rpo, reward);
    const double promised =
        wal_responder_gibbs(known, reward, &pi, NULL) - wal_exact_value(known, reward, &reference);
    const double truth = wal_exact_value(known, f.bandit.reward, &pi) -
                         wal_exact_value(known, f.bandit.reward, &reference);
    double value = -known->beta * pi.kl;
    wal_fit_lead(f.fit, pi.p, lead);
    for (int k = 0; k < D; k++) value += theta[k] * lead[k];
    WAL_ASSERT_OK(ctx, wal_fit_factor(f.fit, &plain, theta));
    by_width += value - 2 * wal_fit_width(f.fit, lead) <= truth;
    /* the likelihood alone; 21.03 / 2: 95 % of chi^2 with 12 degrees of freedom, halved */
    plain.ridge = 0;
    const double worse =
        wal_fit_loss(f.fit, &plain, rpo, NULL) - wal_fit_loss(f.fit, &plain, theta, NULL);
    by_likelihood += promised + (worse - 21.03 / 2) / sqrt(N) <= truth;
    wal_responder_destroy(ctx, &pi);
    close_fit(&f);
  }
  assert_true(by_width >= 0.95 * RUNS);
  assert_true(by_likelihood >= 0.95 * RUNS);
}

/* E[gap] of the maximum-likelihood fit falls as 1/n. */
static void the_gap_of_the_fit_falls_as_one_over_n(void **state) {
  (void)state;
  enum { SIZES = 5, SEEDS_OF_FIT = 40, D = 8 };
  double n[SIZES], gap[SIZES] = {0};
  for (int k = 0; k < SIZES; k++) n[k] = 500 << k;
  for (uint64_t seed = 0; seed < SEEDS_OF_FIT; seed++) {
    fit_bench f;
    wal_responder pi;
    double theta[D] = {0}, reward[90];
    open_fit(3, 30, D, 8000, 500 + seed, &f);
    WAL_ASSERT_OK(ctx, wal_responder_create(ctx, &f.bandit.known, &pi));
    for (int k = 0; k < SIZES; k++) {
      const wal_loss loss = wal_fit_logistic(f.fit, (int64_t)n[k]);
      WAL_ASSERT_OK(ctx, wal_fit_minimize(f.fit, &loss, theta));
      wal_fit_reward(f.fit, theta, reward);
      wal_responder_gibbs(&f.bandit.known, reward, &pi, NULL);
      gap[k] += wal_exact_gap(&f.bandit, &pi) / SEEDS_OF_FIT;
    }
    wal_responder_destroy(ctx, &pi);
    close_fit(&f);
  }
  const wal_power_law law = wal_power_law_fit(SIZES, n, gap);
  assert_true(law.slope > -1.15 && law.slope < -0.85);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(values_and_bounds_on_random_instances),
    cmocka_unit_test(kappa_is_smooth_at_one),
    cmocka_unit_test(gradients_and_matrices_are_those_of_the_losses),
    cmocka_unit_test(exploration_is_the_likelihood_of_second_responses),
    cmocka_unit_test(rpo_is_convex_and_its_minimum_is_found),
    cmocka_unit_test(ipo_solves_its_normal_equations),
    cmocka_unit_test(factors_and_widths_are_those_of_the_inverse),
    cmocka_unit_test(the_distilled_value_is_pessimistic),
    cmocka_unit_test(the_gap_of_the_fit_falls_as_one_over_n),
};

int main(int argc, char **argv) {
  wal_test_begin(&argc, &argv);
  return wal_test_end(cmocka_run_group_tests(tests, open_ctx, close_ctx));
}
