// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/learn/implicit.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "sim/core/block_sum.h"
#include "sim/core/hot.h"
#include "sim/core/memory.h"
#include "sim/core/sum.h"

enum {
  RESTART = 30, /* directions that GMRES keeps */
  DEPTH = 10,   /* differences that Anderson's acceleration keeps */
  PLACES = 6,   /* further arrays that it needs; all lie in GMRES' basis */
  APART = 5,    /* plain steps between looks at the residual, and after acceleration first failed */
  STALL = 15,   /* accelerated steps in which the residual has to fall to half */
};

_Static_assert(2 * DEPTH + PLACES <= RESTART + 1, "acceleration needs more arrays than there are");

/* Far from the equilibrium, differences of steps tell nothing of its neighbourhood: acceleration is
   for residuals (changes of probabilities) below NEAR that have not grown by more than GROWTH; it
   pauses LONGER after each failure. */
static const double NEAR = 0.3, GROWTH = 3, LONGER = 1.5;

/* Plain steps are y <- (1 - beta) y + beta q / entropy, from beta = FAST, if the learner's own rate
   * entropy is not larger, down to that: halved where the residual has not come to FALLEN times
   itself in PATIENCE / beta steps. */
static const double FAST = 0.15, FALLEN = 0.8, PATIENCE = 3;

struct wal_implicit {
  const wal_space *space;
  wal_implicit_options options;
  wal_policy policy;
  wal_flow flow;
  wal_values values;
  wal_adjoint *adjoint;
  double residual;  // last seen
  double rate;      // of the steps
  int64_t size;     // numbers of a policy
  double *m;        // [size]
  double *target;   // [size]: dg/dy
  double *basis;    // [RESTART + 1][size]
  wal_block_sum *sums;
  double total[RESTART + 2];
  wal_implicit_work work;
  /* acceleration */
  bool begun;     // there is an iterate before
  int64_t taken;  // differences since it began
  double gram[DEPTH][DEPTH];
};

static wal_status check(wal_ctx *ctx, const wal_space *space, const wal_implicit_options *o) {
  WAL_TRY(wal_adjoint_check(ctx, space->game));
  if (o->entropy > 0) return WAL_OK;
  return wal_fail(ctx, WAL_EINPUT,
                  "expected entropy > 0 for derivatives of the equilibrium, got %g", o->entropy);
}

static wal_status acquire(wal_implicit *i) {
  const wal_space *space = i->space;
  wal_ctx *ctx = space->ctx;
  const int64_t one = sizeof(double);
  i->size = space->game->shape.horizon * space->pairs;
  WAL_TRY(wal_acquire(ctx, "adjoint", (RESTART + 1) * i->size, one, &i->basis));
  WAL_TRY(wal_acquire(ctx, "adjoint", i->size, one, &i->m));
  WAL_TRY(wal_acquire(ctx, "adjoint", i->size, one, &i->target));
  return wal_policy_create(space, WAL_POLICY_LOGITS, &i->policy);
}

wal_status wal_implicit_create(const wal_space *space, const wal_implicit_options *options,
                               wal_implicit **out) {
  wal_ctx *ctx = space->ctx;
  wal_implicit *i = NULL;
  *out = NULL;
  wal_status status = check(ctx, space, options);
  if (status == WAL_OK) status = wal_acquire(ctx, "learner", 1, sizeof *i, &i);
  if (status == WAL_OK) {
    i->space = space;
    i->options = *options;
    status = acquire(i);
  }
  status = wal_agree(ctx, status);
  if (status == WAL_OK) status = wal_flow_create(space, wal_policy_rereads(&i->policy), &i->flow);
  if (status == WAL_OK)
    status =
        wal_values_create(space, 1u << WAL_VALUE_SOFT_POLICY, WAL_VALUE_SOFT_POLICY, &i->values);
  if (status == WAL_OK) status = wal_adjoint_create(space, &i->adjoint);
  if (status == WAL_OK) status = wal_block_sum_create(ctx, &space->states, RESTART + 2, &i->sums);
  if (status == WAL_OK)
    *out = i;
  else
    wal_implicit_destroy(&i);
  return status;
}

void wal_implicit_destroy(wal_implicit **implicit) {
  if (!implicit || !*implicit) return;
  wal_implicit *i = *implicit;
  wal_ctx *ctx = i->space->ctx;
  wal_policy_destroy(&i->policy);
  wal_flow_destroy(&i->flow);
  wal_values_destroy(&i->values);
  wal_adjoint_destroy(&i->adjoint);
  wal_block_sum_destroy(&i->sums);
  wal_release(ctx, &i->m);
  wal_release(ctx, &i->target);
  wal_release(ctx, &i->basis);
  wal_release(ctx, implicit);
}

const wal_policy *wal_implicit_policy(const wal_implicit *i) { return &i->policy; }
const wal_flow *wal_implicit_flow(const wal_implicit *i) { return &i->flow; }
wal_implicit_work wal_implicit_last(const wal_implicit *i) { return i->work; }

void wal_implicit_declare(wal_implicit *i, wal_state *state) {
  wal_policy_declare(i->space, i->policy.values, "equilibrium", state);
  wal_policy_declare(i->space, i->m, "equilibrium_adjoint", state);
}

// ---- Arrays of policy size --------------------------------------------------------------------

/* total[k] = <vector k, w> for k < count, and total[count] = <w, w>. */
static wal_status dots(wal_implicit *i, int count, const double *vectors, const double *w) {
  const wal_space *space = i->space;
  const int actions = space->game->shape.actions;
  wal_block_sum_start(i->sums);
  for (int h = 0; h < space->game->shape.horizon; h++)
    for (int64_t tile = 0; tile < space->tiles; tile++) {
      const wal_slab slab = wal_space_slab(space, h, tile);
      const int64_t at = h * space->pairs + wal_space_pair(space, tile);
      double *row = wal_block_sum_row(i->sums, wal_space_block(space, tile));
      for (int k = 0; k <= count; k++) {
        const double *v = k < count ? vectors + k * i->size : w;
        if (slab.count == slab.stride)
          row[k] += wal_dot(actions * slab.stride, v + at, w + at);
        else
          for (int a = 0; a < actions; a++)
            row[k] += wal_dot(slab.count, v + at + a * slab.stride, w + at + a * slab.stride);
      }
    }
  return wal_block_sum_finish(i->sums, i->total);
}

WAL_HOT static void add_scaled(int64_t n, double factor, const double *restrict x,
                               double *restrict y) {
  for (int64_t j = 0; j < n; j++) y[j] += factor * x[j];
}

WAL_HOT static void scale(int64_t n, double factor, double *x) {
  for (int64_t j = 0; j < n; j++) x[j] *= factor;
}

// ---- To the equilibrium -----------------------------------------------------------------------

/* With d = q - entropy y and f = d - mean of d over pi: z = y + rate f, r = pi f; returns the
   largest |r|, entropy times the change of probabilities that is left, to first order. */
WAL_HOT static double residual_of(wal_tile t, double entropy, double rate,
                                  const double *restrict pi, const double *restrict q,
                                  const double *restrict y, double *restrict z,
                                  double *restrict r) {
  double largest = 0;
  for (int64_t i = 0; i < t.count; i++) {
    double mean = 0;
    for (int a = 0; a < t.actions; a++) {
      const int64_t at = a * t.stride + i;
      if (pi[at] > 0) mean += pi[at] * (q[at] - entropy * y[at]);
    }
    for (int a = 0; a < t.actions; a++) {
      const int64_t at = a * t.stride + i;
      const double f = y[at] > 0.5 * WAL_FORBIDDEN ? q[at] - entropy * y[at] - mean : 0;
      z[at] = y[at] + rate * f;
      r[at] = pi[at] * f;
      if (!(fabs(r[at]) <= largest)) largest = fabs(r[at]);
    }
  }
  return largest;
}

/* In the basis: the last differences of z, those of r; z and r, now and before; the best z since
   acceleration began, and the best y of all. */
static double *difference(const wal_implicit *i, int k) { return i->basis + k * i->size; }
static double *residual_difference(const wal_implicit *i, int k) {
  return i->basis + (DEPTH + k) * i->size;
}
static double *place(const wal_implicit *i, int k) { return i->basis + (2 * DEPTH + k) * i->size; }

static void look(void *user, const wal_value_tile *tile) {
  wal_implicit *i = user;
  const wal_tile t = wal_tile_of(i->space, &tile->slab);
  const int64_t at = tile->slab.stage * i->space->pairs + wal_space_pair(i->space, tile->tile);
  const double x =
      residual_of(t, i->options.entropy, i->rate, tile->pi, tile->q[WAL_VALUE_SOFT_POLICY],
                  i->policy.values + at, place(i, 0) + at, place(i, 1) + at);
  if (!(x <= i->residual)) i->residual = x;
}

typedef enum pass { STEP, LOOK } pass;

/* The sweeps at y. STEP: y is then the next one. LOOK: the residual is known, and what follows y
   stands in its place. */
static wal_status sweep(wal_implicit *i, pass what) {
  const wal_implicit_options *o = &i->options;
  const wal_logit_step go = {1 - i->rate * o->entropy, i->rate};
  const wal_value_request request = {.which = 1u << WAL_VALUE_SOFT_POLICY,
                                     .visits = what == LOOK ? 1u << WAL_VALUE_SOFT_POLICY : 0,
                                     .keep = WAL_VALUE_SOFT_POLICY,
                                     .entropy = o->entropy,
                                     .visit = what == LOOK ? look : NULL,
                                     .user = i,
                                     .step = what == STEP ? &go : NULL};
  wal_value_totals totals;
  if (what == LOOK) i->residual = 0;
  WAL_TRY(wal_flow_run(&i->flow, &i->policy));
  WAL_TRY(wal_values_run(&i->values, &i->flow, &i->policy, &request, &totals));
  return what == LOOK ? wal_ctx_largest_real(i->space->ctx, &i->residual) : WAL_OK;
}

/* gram x = x in place, by Cholesky's decomposition; false if it is singular. */
static bool solve_small(int n, double gram[DEPTH][DEPTH], double *x) {
  double l[DEPTH][DEPTH];
  for (int a = 0; a < n; a++)
    for (int b = 0; b <= a; b++) {
      double sum = gram[a][b];
      for (int k = 0; k < b; k++) sum -= l[a][k] * l[b][k];
      if (a == b && !(sum > 1e-14 * gram[a][a])) return false;
      l[a][b] = a == b ? sqrt(sum) : sum / l[b][b];
    }
  for (int a = 0; a < n; a++) {
    for (int k = 0; k < a; k++) x[a] -= l[a][k] * x[k];
    x[a] /= l[a][a];
  }
  for (int a = n - 1; a >= 0; a--) {
    for (int k = a + 1; k < n; k++) x[a] -= l[k][a] * x[k];
    x[a] /= l[a][a];
  }
  return true;
}

WAL_HOT static void subtract(int64_t n, const double *restrict x, const double *restrict y,
                             double *restrict out) {
  for (int64_t j = 0; j < n; j++) out[j] = x[j] - y[j];
}

static void set_policy(wal_implicit *i, const double *y) {
  memcpy(i->policy.values, y, (size_t)i->size * sizeof *y);
  wal_policy_restored(&i->policy);
}

static void forget(wal_implicit *i) {
  i->taken = 0;
  i->begun = false;
}

static int differences(const wal_implicit *i) { return i->taken < DEPTH ? (int)i->taken : DEPTH; }

/* Notes by what z and r differ from those before, which they become. */
static wal_status note_differences(wal_implicit *i) {
  double *z = place(i, 0), *r = place(i, 1), *z_before = place(i, 2), *r_before = place(i, 3);
  const size_t bytes = (size_t)i->size * sizeof *z;
  if (i->begun) {
    const int slot = (int)(i->taken % DEPTH);
    subtract(i->size, z, z_before, difference(i, slot));
    subtract(i->size, r, r_before, residual_difference(i, slot));
    i->taken++;
    const int n = differences(i);
    WAL_TRY(dots(i, n, residual_difference(i, 0), residual_difference(i, slot)));
    for (int k = 0; k < n; k++) i->gram[slot][k] = i->gram[k][slot] = i->total[k];
  }
  i->begun = true;
  memcpy(z_before, z, bytes);
  memcpy(r_before, r, bytes);
  return WAL_OK;
}

/* Anderson's acceleration (Anderson 1965; Walker and Ni 2011) of the step y <- z(y): with the
   differences dz_k and dr_k of the last iterates, y <- z - sum_k x_k dz_k, where x makes the
   smallest r - sum_k x_k dr_k. Residuals are weighed by the policy: logits of what is never played
   are slow, but do not matter. */
static wal_status accelerate(wal_implicit *i) {
  WAL_TRY(note_differences(i));
  set_policy(i, place(i, 0));
  const int n = differences(i);
  double x[DEPTH];
  if (n == 0) return WAL_OK;
  WAL_TRY(dots(i, n, residual_difference(i, 0), place(i, 1)));
  memcpy(x, i->total, sizeof x);
  if (!solve_small(n, i->gram, x)) {
    forget(i);
    return WAL_OK;
  }
  for (int k = 0; k < n; k++) add_scaled(i->size, -x[k], difference(i, k), i->policy.values);
  return WAL_OK;
}

/* What the way to the equilibrium remembers; residuals with the steps in which they were seen. */
typedef struct search {
  double beta;
  double least;   // at the best y of all
  double fallen;  // of plain steps, since beta was last changed
  double halved;  // of accelerated steps
  double best;    // of them, where they can begin again
  int64_t fallen_at, halved_at;
  int64_t plain;  // steps before the next look
  double pause;   // after the next failure of acceleration
} search;

static void note_least(wal_implicit *i, search *s) {
  if (!(i->residual < s->least)) return;
  s->least = i->residual;
  memcpy(place(i, 5), i->policy.values, (size_t)i->size * sizeof(double));
}

/* Plain steps go on from z, slower ones if the residual does not fall. False: nor do the slowest
   make it fall, and what there is is accepted. */
static bool go_on(wal_implicit *i, search *s) {
  const wal_implicit_options *o = &i->options;
  const double slowest = o->rate * o->entropy;
  set_policy(i, place(i, 0));
  s->plain = APART;
  if (i->residual < FALLEN * s->fallen) {
    s->fallen = i->residual;
    s->fallen_at = i->work.steps;
  } else if ((double)(i->work.steps - s->fallen_at) > PATIENCE / s->beta) {
    if (s->beta <= slowest && s->least <= o->accepted * o->entropy) return false;
    s->beta = fmax(s->beta / 2, slowest);
    s->fallen = HUGE_VAL;
    s->fallen_at = i->work.steps;
  }
  return true;
}

static bool has_failed(const wal_implicit *i, const search *s) {
  return i->begun && (i->residual > GROWTH * s->best || i->work.steps - s->halved_at > STALL);
}

/* Back to where acceleration was best. */
static void back_off(wal_implicit *i, search *s) {
  set_policy(i, place(i, 4));
  s->plain = (int64_t)s->pause;
  s->pause *= LONGER;
}

static wal_status go_near(wal_implicit *i, search *s) {
  if (!i->begun) s->best = s->halved = HUGE_VAL;
  if (!i->begun || i->residual <= 0.5 * s->halved) {
    s->halved = i->residual;
    s->halved_at = i->work.steps;
  }
  if (i->residual <= s->best) {
    s->best = i->residual;
    memcpy(place(i, 4), place(i, 0), (size_t)i->size * sizeof(double));
  }
  return accelerate(i);
}

/* Steps until the residual is small enough (found), or nothing more can be hoped for. */
static wal_status search_on(wal_implicit *i, search *s, bool *found) {
  const wal_implicit_options *o = &i->options;
  for (; i->work.steps < o->iterations; i->work.steps++) {
    const bool looks = s->plain-- <= 0;
    i->rate = (looks ? fmin(2 * s->beta, 1) : s->beta) / o->entropy;
    WAL_TRY(sweep(i, looks ? LOOK : STEP));
    if (!looks) continue;
    if (!isfinite(i->residual)) return WAL_OK;
    *found = i->residual <= o->tolerance * o->entropy;
    if (*found) return WAL_OK;
    note_least(i, s);
    const bool failed = has_failed(i, s);
    if (!failed && i->residual <= NEAR * o->entropy) {
      WAL_TRY(go_near(i, s));
      continue;
    }
    forget(i);
    if (failed)
      back_off(i, s);
    else if (!go_on(i, s))
      return WAL_OK;
  }
  return WAL_OK;
}

wal_status wal_implicit_forward(wal_implicit *i) {
  const wal_implicit_options *o = &i->options;
  const char *name = i->space->game->type->component.name;
  search s = {.beta = fmax(o->rate * o->entropy, FAST),
              .least = HUGE_VAL,
              .fallen = HUGE_VAL,
              .pause = APART};
  bool found = false;
  i->work = (wal_implicit_work){0};
  wal_policy_restored(&i->policy);  // its values may have been read back
  forget(i);
  WAL_TRY(search_on(i, &s, &found));
  if (!found && isfinite(i->residual)) {
    set_policy(i, place(i, 5));
    WAL_TRY(sweep(i, LOOK));  // flow and values of it
  }
  if (!isfinite(i->residual))
    return wal_fail(i->space->ctx, WAL_ENONFINITE, "%s: the learner's value is not finite", name);
  i->work.residual = i->residual / o->entropy;
  i->work.found = found;
  if (found || i->work.residual <= o->accepted) return WAL_OK;
  return wal_fail(i->space->ctx, WAL_ENOCONV,
                  "%s: the learner has not found its equilibrium after %" PRId64
                  " iterations: a residual of %.1e is left",
                  name, i->work.steps, i->work.residual);
}

// ---- The linear system ------------------------------------------------------------------------

/* out = (entropy I - J)^T v */
static wal_status multiply(wal_implicit *i, double *v, double *out) {
  const wal_adjoint_request request = {
      .entropy = i->options.entropy, .q_bar = v, .scale = 1, .logits_bar = out};
  i->work.products++;
  WAL_TRY(wal_adjoint_run(i->adjoint, &i->flow, &i->values, &i->policy, &request));
  scale(i->size, -1, out);
  add_scaled(i->size, i->options.entropy, v, out);
  return WAL_OK;
}

/* The least squares problem of GMRES, in the form of Givens rotations. */
typedef struct hessenberg {
  double column[RESTART][RESTART + 1];
  double cosine[RESTART], sine[RESTART], right[RESTART + 1];
} hessenberg;

/* Takes w = A v_j off the basis into its next vector; column j. Classical Gram-Schmidt, a second
   time where much was taken off. */
static wal_status orthogonalize(wal_implicit *i, int j, double *column) {
  double *w = i->basis + (j + 1) * i->size, before = 0, after = 0;
  for (int k = 0; k <= j + 1; k++) column[k] = 0;
  for (int round = 0; round < 2; round++) {
    WAL_TRY(dots(i, j + 1, i->basis, w));
    before = i->total[j + 1];
    after = before;
    for (int k = 0; k <= j; k++) {
      column[k] += i->total[k];
      after -= i->total[k] * i->total[k];
      add_scaled(i->size, -i->total[k], i->basis + k * i->size, w);
    }
    if (after > 0.1 * before) break;
  }
  WAL_TRY(dots(i, 0, NULL, w));
  column[j + 1] = sqrt(i->total[0]);
  if (column[j + 1] > 0) scale(i->size, 1 / column[j + 1], w);
  return WAL_OK;
}

/* Rotates column j into the triangle; returns what is left of the residual. */
static double rotate(hessenberg *g, int j) {
  double *c = g->column[j];
  for (int k = 0; k < j; k++) {
    const double x = g->cosine[k] * c[k] + g->sine[k] * c[k + 1];
    c[k + 1] = g->cosine[k] * c[k + 1] - g->sine[k] * c[k];
    c[k] = x;
  }
  const double length = sqrt(c[j] * c[j] + c[j + 1] * c[j + 1]);
  g->cosine[j] = length > 0 ? c[j] / length : 1;
  g->sine[j] = length > 0 ? c[j + 1] / length : 0;
  c[j] = length;
  g->right[j + 1] = -g->sine[j] * g->right[j];
  g->right[j] *= g->cosine[j];
  return fabs(g->right[j + 1]);
}

/* m += basis * (triangle^-1 right) */
static void add_solution(wal_implicit *i, hessenberg *g, int columns) {
  for (int k = columns - 1; k >= 0; k--) {
    for (int j = k + 1; j < columns; j++) g->right[k] -= g->column[j][k] * g->right[j];
    g->right[k] = g->column[k][k] != 0 ? g->right[k] / g->column[k][k] : 0;
  }
  for (int k = 0; k < columns; k++) add_scaled(i->size, g->right[k], i->basis + k * i->size, i->m);
}

/* (entropy I - J)^T m = target, from the m that is there. */
static wal_status solve(wal_implicit *i) {
  hessenberg g;
  WAL_TRY(dots(i, 0, NULL, i->target));
  const double enough = i->options.tolerance * sqrt(i->total[0]);
  if (enough == 0) memset(i->m, 0, (size_t)i->size * sizeof *i->m);
  for (;;) {
    double *r = i->basis;
    WAL_TRY(multiply(i, i->m, r));
    scale(i->size, -1, r);
    add_scaled(i->size, 1, i->target, r);
    WAL_TRY(dots(i, 0, NULL, r));
    double left = sqrt(i->total[0]);
    if (left <= enough) return WAL_OK;
    if (!isfinite(left))
      return wal_fail(i->space->ctx, WAL_ENONFINITE, "%s: the derivatives are not finite",
                      i->space->game->type->component.name);
    if (i->work.products >= i->options.iterations)
      return wal_fail(i->space->ctx, WAL_ENOCONV,
                      "%s: the derivatives of the equilibrium are not found after %" PRId64
                      " products: a residual of %.1e is left",
                      i->space->game->type->component.name, i->work.products,
                      left / enough * i->options.tolerance);
    scale(i->size, 1 / left, r);
    g.right[0] = left;
    int j = 0;
    while (j < RESTART && left > 0.5 * enough) {
      WAL_TRY(multiply(i, i->basis + j * i->size, i->basis + (j + 1) * i->size));
      WAL_TRY(orthogonalize(i, j, g.column[j]));
      left = rotate(&g, j);
      j++;
    }
    add_solution(i, &g, j);
  }
}

wal_status wal_implicit_backward(wal_implicit *i, const wal_adjoint_seed *seed, double *gradient) {
  const wal_adjoint_request start = {.entropy = i->options.entropy,
                                     .seed = seed,
                                     .logits_bar = i->target,
                                     .parameters_bar = gradient};
  const wal_adjoint_request end = {.entropy = i->options.entropy,
                                   .q_bar = i->m,
                                   .scale = 1,
                                   .logits_bar = i->basis,
                                   .parameters_bar = gradient};
  WAL_TRY(wal_adjoint_run(i->adjoint, &i->flow, &i->values, &i->policy, &start));
  WAL_TRY(wal_adjoint_flush(i->adjoint, gradient));
  WAL_TRY(solve(i));
  WAL_TRY(wal_adjoint_run(i->adjoint, &i->flow, &i->values, &i->policy, &end));
  WAL_TRY(wal_adjoint_flush(i->adjoint, gradient));
  const wal_game *game = i->space->game;
  return game->type->failure
             ? wal_agree(i->space->ctx, game->type->failure(i->space->ctx, game->self))
             : WAL_OK;
}
