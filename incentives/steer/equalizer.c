// SPDX-License-Identifier: GPL-3.0-or-later
#include "incentives/steer/equalizer.h"

#include <math.h>
#include <string.h>

#include "sim/core/memory.h"
#include "sim/core/vector_math.h"

static double log_of(double x) {
  double y;
  wal_vector_log(1, &x, &y);
  return y;
}

// ---- Made -------------------------------------------------------------------------------------

static wal_status create_reward(const wal_params *params, wal_mediator *m, wal_equalizer *e) {
  static const struct {
    const char *name;
    wal_density_feature feature;
  } FEATURES[] = {{"none", WAL_DENSITY_NONE},
                  {"linear", WAL_DENSITY_LINEAR},
                  {"log", WAL_DENSITY_LOG},
                  {"all", WAL_DENSITY_ALL}};
  size_t f = 0;
  while (strcmp(FEATURES[f].name, wal_params_text(params, "density")) != 0) f++;
  return wal_regression_create(&m->setup, FEATURES[f].feature, wal_params_real(params, "ridge"),
                               wal_params_real(params, "floor"),
                               wal_params_flag(params, "pooled_rewards"), &e->regression);
}

static wal_status create_model(const wal_params *params, wal_mediator *m, wal_equalizer *e) {
  const wal_mediator_setup *s = &m->setup;
  const bool given = wal_params_given(params, "pooled");
  const bool pooled = given ? wal_params_flag(params, "pooled") : !s->varies;
  if (pooled && s->varies)
    return wal_params_fail(s->ctx, params, "pooled",
                           "expected false: transitions of this game differ from stage to stage");
  const int kernels = pooled || s->horizon < 3 ? 1 : s->horizon - 1;
  return wal_counts_create(s->ctx, s->states, s->actions, kernels, &e->counts);
}

static wal_status create_parts(const wal_params *params, wal_mediator *m, wal_equalizer *e) {
  wal_ctx *ctx = m->setup.ctx;
  const int64_t pairs = m->setup.states * m->setup.actions, all = m->setup.horizon * pairs;
  const bool model = e->model == WAL_KNOWLEDGE_ESTIMATED;
  const bool reward = e->reward == WAL_KNOWLEDGE_ESTIMATED;
  const double count = 2 * (double)all * (double)m->setup.episodes;
  e->log_term = log_of(e->rigorous ? count * m->setup.trajectories / e->failure : count);
  WAL_TRY(wal_acquire(ctx, "mediator", all, sizeof(double), &e->reward_bound));
  WAL_TRY(wal_acquire(ctx, "mediator", pairs, sizeof(double), &e->expected));
  WAL_TRY(wal_acquire(ctx, "mediator", 2 * m->setup.actions, sizeof(double), &e->estimate));
  if (model) {
    WAL_TRY(create_model(params, m, e));
    WAL_TRY(wal_acquire(ctx, "mediator", all, sizeof(double), &m->expected_bound));
    m->memory_count += wal_counts_size(&e->counts);
  }
  if (reward) {
    WAL_TRY(create_reward(params, m, e));
    e->regression.keeps_det = e->rigorous;
    WAL_TRY(wal_acquire(ctx, "mediator", all, sizeof(double), &m->reward_bound));
    m->memory_count += wal_regression_size(&e->regression);
  }
  return WAL_OK;
}

wal_status wal_equalizer_create(const wal_params *params, wal_mediator *m,
                                const wal_equalizer *like) {
  wal_equalizer *e = NULL;
  WAL_TRY(wal_acquire(m->setup.ctx, "mediator", 1, sizeof *e, &e));
  *e = *like;
  m->self = e;
  m->equalizes = true;
  return create_parts(params, m, e);
}

void wal_equalizer_destroy(wal_mediator *m) {
  wal_equalizer *e = m->self;
  wal_ctx *ctx = m->setup.ctx;
  if (!e) return;
  wal_counts_destroy(ctx, &e->counts);
  wal_regression_destroy(ctx, &e->regression);
  wal_release(ctx, &e->reward_bound);
  wal_release(ctx, &e->expected);
  wal_release(ctx, &e->estimate);
}

// ---- Memory -----------------------------------------------------------------------------------

static void attach(wal_mediator *m) {
  wal_equalizer *e = m->self;
  double *at = m->memory;
  if (e->model == WAL_KNOWLEDGE_ESTIMATED) {
    wal_counts_attach(&e->counts, at);
    at += wal_counts_size(&e->counts);
  }
  if (e->reward == WAL_KNOWLEDGE_ESTIMATED) wal_regression_attach(&e->regression, at);
}

void wal_equalizer_start(wal_mediator *m) {
  wal_equalizer *e = m->self;
  attach(m);
  if (e->reward == WAL_KNOWLEDGE_ESTIMATED) wal_regression_start(&e->regression);
}

void wal_equalizer_restored(wal_mediator *m) { attach(m); }

void wal_equalizer_learn(wal_mediator *m, const wal_observation *seen) {
  wal_equalizer *e = m->self;
  const int horizon = m->setup.horizon, actions = m->setup.actions;
  for (int n = 0; n < seen->trajectories; n++) {
    const wal_visit *visit = seen->visits + (int64_t)n * horizon;
    for (int h = 0; h < horizon; h++) {
      if (e->model == WAL_KNOWLEDGE_ESTIMATED && h + 1 < horizon)
        wal_counts_add(&e->counts, h, (int64_t)visit[h].state * actions + visit[h].action,
                       visit[h + 1].state);
      if (e->reward == WAL_KNOWLEDGE_ESTIMATED)
        wal_regression_add(&e->regression, seen->density, h, visit[h].state, visit[h].action,
                           visit[h].reward);
    }
  }
}

// ---- Incentives -------------------------------------------------------------------------------

static void state_incentive(const wal_equalizer *e, int actions, const double *target,
                            const double *played, double *out) {
  double mean = 0;
  switch (e->incentive) {
    case WAL_INCENTIVE_NONE:
      break;
    case WAL_INCENTIVE_CENTRED:
      for (int a = 0; a < actions; a++) mean += played[a] * (target[a] - played[a]);
      for (int a = 0; a < actions; a++) out[a] = e->eta * (target[a] - played[a] - mean);
      break;
    case WAL_INCENTIVE_UNCENTRED:
      for (int a = 0; a < actions; a++) out[a] = e->eta * fmax(target[a] - played[a], 0);
      break;
    case WAL_INCENTIVE_BRIBE:
      for (int a = 0; a < actions; a++) out[a] = e->eta * target[a];
      break;
  }
}

/* Where nobody is, nobody is told from those who play the target; where the target does not lead,
   it does not matter what is played. */
void wal_equalizer_incentives(wal_mediator *m, const wal_observation *seen) {
  const wal_equalizer *e = m->self;
  const int actions = m->setup.actions;
  if (e->incentive == WAL_INCENTIVE_NONE) return;
  for (int64_t i = 0; i < m->setup.horizon * m->setup.states; i++) {
    double *out = m->incentive + i * actions;
    const bool bribes = e->incentive == WAL_INCENTIVE_BRIBE;
    memset(out, 0, (size_t)actions * sizeof *out);
    if (m->setup.aimed[i] && (bribes || seen->density[i] > 0))
      state_incentive(e, actions, m->setup.target + i * actions, seen->policy + i * actions, out);
  }
}

// ---- Rewards ----------------------------------------------------------------------------------

static double clip(double x) { return x < 0 ? 0 : x > 1 ? 1 : x; }

/* The factor of the elliptical widths: practical k sqrt(L); else, with S cells and theta no longer
   than sqrt(d), sigma sqrt(2 log(cells / p) + log det) + sqrt(ridge d) (Abbasi-Yadkori et al.
   2011, theorem 2). */
static double width_factor(const wal_mediator *m, const wal_equalizer *e, int stage, int64_t s) {
  const wal_regression *r = &e->regression;
  if (!e->rigorous) return e->reward_bonus * sqrt(e->log_term);
  const double det = wal_regression_log_det(r, stage, s);
  return m->setup.noise * sqrt(2 * log_of(2 * (double)r->cells / e->failure) + det) +
         sqrt(r->ridge * (double)r->width);
}

static void estimate_rewards(wal_mediator *m, wal_equalizer *e, const wal_observation *seen) {
  const int actions = m->setup.actions;
  double *estimate = e->estimate, *width = e->estimate + actions;
  wal_regression_density(&e->regression, seen->density);
  for (int h = 0; h < m->setup.horizon; h++)
    for (int64_t s = 0; s < m->setup.states; s++) {
      double *bound = e->reward_bound + (h * m->setup.states + s) * actions;
      const double side = e->upper ? -1 : 1, factor = side * width_factor(m, e, h, s);
      wal_regression_predict(&e->regression, seen->density, h, s, estimate, width);
      for (int a = 0; a < actions; a++) bound[a] = clip(estimate[a] - factor * width[a]);
    }
  memcpy(m->reward_bound, e->reward_bound,
         (size_t)(m->setup.horizon * m->setup.states * actions) * sizeof(double));
}

void wal_equalizer_rewards(wal_mediator *m, const wal_observation *seen) {
  wal_equalizer *e = m->self;
  const int64_t pairs = m->setup.states * m->setup.actions;
  if (e->reward == WAL_KNOWLEDGE_ESTIMATED) estimate_rewards(m, e, seen);
  for (int h = 0; h < m->setup.horizon && e->reward == WAL_KNOWLEDGE_EXACT; h++)
    m->known.reward(m->known.user, h, e->reward_bound + h * pairs);
}

// ---- Equalizing value iteration ---------------------------------------------------------------

/* Bernstein's bound with practical constants, or Weissman's of the L1 distance of frequencies from
   probabilities times half the range of the values, which is at most H (1 + 2 eta). */
static double bonus_of(const wal_mediator *m, const wal_equalizer *e, int stage, double n,
                       double variance) {
  const double horizon = m->setup.horizon, count = n > 1 ? n : 1;
  if (e->rigorous) {
    const double log_two = 0.69314718055994530942;
    const double range = horizon * (1 + 2 * e->eta);
    return range * sqrt(((double)m->setup.states * log_two + e->log_term) / (2 * count));
  }
  return e->model_bonus *
         (sqrt(2 * variance * e->log_term / count) + (horizon - stage) * e->log_term / (3 * count));
}

/* Lower bounds of P V_{h+1}. */
static void estimate_expected(wal_mediator *m, const wal_equalizer *e, int stage,
                              const double *next) {
  const int64_t states = m->setup.states, pairs = states * m->setup.actions;
  double sum = 0, squares = 0;
  for (int64_t s = 0; s < states; s++) sum += next[s];
  const double all = sum / (double)states;  // of pairs never seen
  for (int64_t s = 0; s < states; s++) squares += (next[s] - all) * (next[s] - all);
  for (int64_t i = 0; i < pairs; i++) {
    double mean = all, variance = squares / (double)states;
    const double n = wal_counts_expect(&e->counts, stage, i, next, &mean, &variance);
    e->expected[i] = mean - bonus_of(m, e, stage, n, variance);
  }
  memcpy(m->expected_bound + stage * pairs, e->expected, (size_t)pairs * sizeof(double));
}

/* X = max(0, r + P V) - incentive, V = max X, payment = V - X; what is not centred cannot be taken
   from X, which would no longer be sure to have a V >= 0: it is paid on top. */
static void pay_state(wal_mediator *m, const wal_equalizer *e, int stage, int64_t s) {
  const int actions = m->setup.actions;
  const int64_t first = s * actions, at = stage * m->setup.states * actions + first;
  const bool last = stage + 1 == m->setup.horizon;
  const bool centred = e->incentive == WAL_INCENTIVE_CENTRED;
  double *payment = m->payment + at, best = 0;
  bool any = false;
  for (int a = 0; a < actions; a++) {
    const double x = e->reward_bound[at + a] + (last ? 0 : e->expected[first + a]);
    payment[a] = (x > 0 ? x : 0) - (centred ? m->incentive[at + a] : 0);
    if (!wal_mediator_legal(m, first + a)) continue;
    if (!any || payment[a] > best) best = payment[a];
    any = true;
  }
  m->potential[stage * m->setup.states + s] = best;
  for (int a = 0; a < actions; a++) {
    payment[a] = best - payment[a] + (centred ? 0 : m->incentive[at + a]);
    if (!wal_mediator_legal(m, first + a)) payment[a] = 0;
  }
}

void wal_equalizer_pay(wal_mediator *m, const wal_observation *seen) {
  const wal_equalizer *e = m->self;
  const int64_t states = m->setup.states;
  wal_equalizer_incentives(m, seen);
  wal_equalizer_rewards(m, seen);
  for (int h = m->setup.horizon - 1; h >= 0; h--) {
    const double *next = m->potential + (h + 1) * states;
    if (h + 1 < m->setup.horizon && e->model == WAL_KNOWLEDGE_ESTIMATED)
      estimate_expected(m, e, h, next);
    else if (h + 1 < m->setup.horizon)
      m->known.expect(m->known.user, h, next, e->expected);
    for (int64_t s = 0; s < states; s++) pay_state(m, e, h, s);
  }
}
