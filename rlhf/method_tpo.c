// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <string.h>

#include "rlhf/learner.h"
#include "sim/core/memory.h"

/*
 * Transfer policy optimization: rounds go to the candidate of the highest value, which is bounded
 * from above for sources and from below for the policy that is distilled from all data so far
 * (RPO); every 1/alpha-th goes to an online learner (XPO). Values are without E_ref r, so that
 * shifts of the reward do not matter. With E_w phi = lead_w + E_ref phi and the fitted theta,
 *   width: theta' lead_w - beta KL_w + z |lead_w| + b_w, and for the distilled policy - z |lead|,
 * in the norm of the inverse of H = ridge I + sum sigma (1 - sigma) x x'; b_w = shrinkage ridge S
 * |H^{-1} lead_w|_2, S = sqrt(dimension / ridge): theta is drawn towards 0, which takes theta_*'
 * (ridge H^{-1} lead_w) off a value, and a good source's lead points along theta_*, whose length is
 * S under the prior. It fades as 1/n; count: theta' lead_w - beta KL_w + bonus / sqrt(uses of w),
 * and for the distilled policy u(theta_D) + (L(theta_D) - L(theta)) / eta - slack / (eta n), L the
 * mean loss. theta_D minimizes n L + ridge |.|^2 / 2 + eta n u(theta), u = beta E_s log Z - E_ref
 * theta' phi, eta = pessimism / sqrt(n).
 */

enum { FITTED, DISTILLED, ONLINE, MODELS };

typedef struct tpo {
  wal_model model[MODELS];
  bool counts; /* mode */
  int64_t period, trials;
  double z, shrinkage, pessimism, bonus, slack, exploration;
  double *value; /* [W + 1]: of sources and the distilled policy; without bonuses of counts */
  double *partition, *linear, *lead;
} tpo;

static const wal_param PARAMS[] = {
    {.name = "mode",
     .type = WAL_TEXT,
     .text = "width",
     .choices = "width|count",
     .meaning = "how values are bounded: by one matrix of information, or by how often a source "
                "was used"},
    {.name = "alpha",
     .type = WAL_REAL,
     .number = 0.1,
     .low = 0,
     .high = 1,
     .meaning = "share of the rounds that go to the online learner"},
    {.name = "trials",
     .type = WAL_INTEGER,
     .number = 20,
     .low = 0,
     .high = 1e12,
     .meaning = "rounds of sources by turns before they are compared"},
    {.name = "z",
     .type = WAL_REAL,
     .number = 2,
     .low = 0,
     .high = HUGE_VAL,
     .meaning = "standard deviations of the bounds with mode=\"width\""},
    {.name = "shrinkage",
     .type = WAL_REAL,
     .number = 0.3,
     .low = 0,
     .high = HUGE_VAL,
     .meaning = "share of what the ridge may take off a source's value that its bound puts back, "
                "with mode=\"width\"; 0: widths alone"},
    {.name = "pessimism",
     .type = WAL_REAL,
     .number = 1,
     .low = 0,
     .high = HUGE_VAL,
     .meaning = "weight of the value in the fit of the distilled policy, times sqrt(comparisons)"},
    {.name = "bonus",
     .type = WAL_REAL,
     .number = 1,
     .low = 0,
     .high = HUGE_VAL,
     .meaning = "with mode=\"count\": bonus of a source, over sqrt(its uses)"},
    {.name = "slack",
     .type = WAL_REAL,
     .number = 1,
     .low = 0,
     .high = HUGE_VAL,
     .meaning = "what likelihoods may differ by, in the distilled policy's bound with "
                "mode=\"count\""},
    {.name = "exploration",
     .type = WAL_REAL,
     .number = 0.002,
     .low = 0,
     .high = HUGE_VAL,
     .meaning = "how much the online learner explores, as alpha of xpo; 0: it is greedy, against "
                "the reference policy"},
    {0}};

/* Memory: three thetas, then uses of sources. */
static double *theta(const wal_transfer_method *m, int model) {
  return m->memory + model * wal_fit_dimension(m->setup.fit);
}

static double *uses(const wal_transfer_method *m) { return theta(m, MODELS); }

static wal_status create(const wal_params *params, wal_transfer_method *m) {
  wal_ctx *ctx = m->setup.ctx;
  const int64_t dimension = wal_fit_dimension(m->setup.fit);
  const double alpha = wal_params_real(params, "alpha");
  tpo *self = NULL;
  WAL_TRY(wal_acquire(ctx, "method", 1, sizeof *self, &m->self));
  self = m->self;
  m->memory_count = MODELS * dimension + m->setup.sources;
  self->counts = wal_params_text(params, "mode")[0] == 'c';
  self->period = alpha * (double)m->setup.rounds < 1 ? 0 : (int64_t)ceil(1 / alpha);
  self->trials = wal_params_integer(params, "trials");
  self->z = wal_params_real(params, "z");
  self->shrinkage = wal_params_real(params, "shrinkage");
  self->pessimism = wal_params_real(params, "pessimism");
  self->bonus = wal_params_real(params, "bonus");
  self->slack = wal_params_real(params, "slack");
  self->exploration = wal_params_real(params, "exploration");
  for (int i = 0; i < MODELS; i++) WAL_TRY(wal_model_create(&m->setup, &self->model[i]));
  WAL_TRY(wal_acquire(ctx, "method", m->setup.sources + 1, sizeof(double), &self->value));
  WAL_TRY(wal_acquire(ctx, "method", m->setup.known->prompts, sizeof(double), &self->partition));
  WAL_TRY(wal_acquire(ctx, "method", dimension, sizeof(double), &self->linear));
  return wal_acquire(ctx, "method", dimension, sizeof(double), &self->lead);
}

static void destroy(wal_transfer_method *m) {
  wal_ctx *ctx = m->setup.ctx;
  tpo *self = m->self;
  for (int i = 0; i < MODELS; i++) wal_model_destroy(ctx, &self->model[i]);
  wal_release(ctx, &self->value);
  wal_release(ctx, &self->partition);
  wal_release(ctx, &self->linear);
  wal_release(ctx, &self->lead);
}

static wal_status refit(wal_transfer_method *m) {
  tpo *self = m->self;
  wal_fit *fit = m->setup.fit;
  const wal_loss plain = wal_fit_logistic(fit, m->fitted);
  wal_loss loss = plain;
  WAL_TRY(wal_fit_minimize(fit, &plain, theta(m, FITTED)));
  wal_loss_tilt(m, self->pessimism * sqrt((double)m->fitted), self->partition, self->linear, &loss);
  WAL_TRY(wal_fit_minimize(fit, &loss, theta(m, DISTILLED)));
  if (self->period == 0) return WAL_OK;
  loss = plain;
  if (self->exploration > 0)
    wal_loss_exploration(m, self->exploration, self->partition, self->linear, &loss);
  return wal_fit_minimize(fit, &loss, theta(m, ONLINE));
}

/* theta' lead - beta KL, and the lead's length */
static double value_of(wal_transfer_method *m, const wal_responder *pi, double *width) {
  tpo *self = m->self;
  const double *fitted = theta(m, FITTED);
  double value = -m->problem.known->beta * pi->kl;
  wal_fit_lead(m->setup.fit, pi->p, self->lead);
  for (int64_t k = 0; k < wal_fit_dimension(m->setup.fit); k++) value += fitted[k] * self->lead[k];
  if (width) *width = wal_fit_width(m->setup.fit, self->lead);
  return value;
}

/* b of the policy whose lead was found last: what the ridge may have taken off its value. */
static double bias_of(wal_transfer_method *m) {
  tpo *self = m->self;
  const int64_t dimension = wal_fit_dimension(m->setup.fit);
  const double ridge = m->problem.known->ridge;
  double square = 0;
  wal_fit_solve(m->setup.fit, self->lead, self->linear);
  for (int64_t k = 0; k < dimension; k++) square += self->linear[k] * self->linear[k];
  return self->shrinkage * sqrt(ridge * (double)dimension * square);
}

/* The least value that rewards leave it which fit the data about as well as the best. */
static double worst_value(wal_transfer_method *m) {
  tpo *self = m->self;
  wal_fit *fit = m->setup.fit;
  const wal_model *distilled = &self->model[DISTILLED];
  const double n = (double)m->fitted, eta = self->pessimism / sqrt(n);
  wal_loss loss = wal_fit_logistic(fit, m->fitted);
  double here = 0;
  if (!(eta > 0)) return -INFINITY;
  wal_fit_lead(fit, distilled->policy.p, self->lead);
  for (int64_t k = 0; k < wal_fit_dimension(fit); k++)
    here += theta(m, DISTILLED)[k] * self->lead[k];
  here -= m->problem.known->beta * distilled->policy.kl; /* u(theta_D) */
  loss.ridge = 0;
  const double worse = wal_fit_loss(fit, &loss, theta(m, DISTILLED), NULL) -
                       wal_fit_loss(fit, &loss, theta(m, FITTED), NULL);
  return here + worse / (eta * n) - self->slack / (eta * n);
}

static wal_status derive(wal_transfer_method *m) {
  tpo *self = m->self;
  const int64_t sources = m->setup.sources;
  const wal_loss plain = wal_fit_logistic(m->setup.fit, m->fitted);
  double width = 0;
  for (int i = 0; i < MODELS; i++) wal_model_derive(m, theta(m, i), &self->model[i]);
  if (self->counts) {
    for (int64_t w = 0; w < sources; w++) self->value[w] = value_of(m, &m->problem.source[w], NULL);
    self->value[sources] = m->fitted > 0 ? worst_value(m) : -INFINITY;
    return WAL_OK;
  }
  WAL_TRY(wal_fit_factor(m->setup.fit, &plain, theta(m, FITTED)));
  for (int64_t w = 0; w < sources; w++) {
    self->value[w] = value_of(m, &m->problem.source[w], &width);
    self->value[w] += self->z * width + bias_of(m);
  }
  self->value[sources] = value_of(m, &self->model[DISTILLED].policy, &width);
  self->value[sources] -= self->z * width;
  return WAL_OK;
}

/* A source, or as many as there are: the distilled policy. */
static int64_t choose(const wal_transfer_method *m) {
  const tpo *self = m->self;
  const int64_t sources = m->setup.sources;
  int64_t best = sources, least = 0;
  double most = self->value[sources], tried = 0;
  for (int64_t w = 0; w < sources; w++) {
    const double used = uses(m)[w];
    const double value =
        self->value[w] + (self->counts ? self->bonus / sqrt(used > 1 ? used : 1) : 0);
    if (value > most) best = w;
    most = value > most ? value : most;
    if (used < uses(m)[least]) least = w;
    tried += used;
  }
  return sources > 0 && tried < (double)self->trials ? least : best;
}

static void propose(wal_transfer_method *m, int64_t round, wal_proposal *out) {
  const tpo *self = m->self;
  const int64_t sources = m->setup.sources;
  *out = (wal_proposal){.second = &m->reference};
  if (self->period > 0 && round % self->period == 0) {
    out->arm = (int)sources;
    out->first = &self->model[ONLINE].policy;
    return;
  }
  const int64_t chosen = choose(m);
  out->arm = (int)(chosen < sources ? chosen : sources + 1);
  out->first = chosen < sources ? &m->problem.source[chosen] : &self->model[DISTILLED].policy;
}

static void observe(wal_transfer_method *m, int64_t round, const wal_proposal *proposal,
                    const wal_outcome *seen) {
  (void)round, (void)seen;
  if (proposal->arm < m->setup.sources) uses(m)[proposal->arm]++;
}

static const wal_responder *finish(wal_transfer_method *m) {
  return &((const tpo *)m->self)->model[DISTILLED].policy;
}

const wal_transfer_method_type wal_transfer_method_tpo = {
    .struct_size = sizeof(wal_transfer_method_type),
    .component = {.name = "tpo",
                  .kind = "transfer_method",
                  .summary = "transfers from the best of sources and what is distilled so far",
                  .source = "Huang et al. 2025, arXiv 2502.19255, sections 3 and 4; "
                            "docs/transfer.md",
                  .params = PARAMS},
    .create = create,
    .destroy = destroy,
    .refit = refit,
    .derive = derive,
    .propose = propose,
    .observe = observe,
    .finish = finish};
