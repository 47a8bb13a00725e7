// SPDX-License-Identifier: GPL-3.0-or-later
#include "auctions/quantile_table.h"

#include <gsl/gsl_integration.h>
#include <gsl/gsl_math.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/core/memory.h"

/* Levels below 1/2 are told by u, the others by w = 1 - u, which is exact for the doubles of
 * wal_random_real(): so cells may be narrower than the spacing of doubles near 1. */

enum {
  OCTAVES = 54,    /* levels are multiples of 2^-53 */
  PER_OCTAVE = 16, /* cells */
  SHIFT = 52 - 4,  /* of a double's bits, which leaves exponent and 4 bits: 16 an octave */
  BUCKETS = OCTAVES * PER_OCTAVE,
  POINTS = 6,
  START_OCTAVES = 40,
  START_PER_OCTAVE = 8
};

/* f = sum over k of c[k] t^k, t = (x - middle) * scale in [-1, 1], x being u or w. */
typedef struct cell {
  double middle, scale, c[POINTS];
} cell;

/* A level: u below 1/2, else w. */
typedef struct edge {
  double x;
  bool upper;
} edge;

struct wal_quantile_table {
  double start;
  int64_t cells, lower; /* of which so many are below 1/2 */
  cell *cell;
  double *end;         /* of each cell: u, or w */
  int32_t *first[2];   /* [upper][bucket]: first cell that has levels of the bucket */
  int64_t least, most; /* bucket of the smallest x, of 1/2 */
};

static int64_t bucket_of(double x) {
  int64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits >> SHIFT;
}

static edge edge_of(double u, double w) { return u < 0.5 ? (edge){u, false} : (edge){w, true}; }

static double level(edge e) { return e.upper ? 1 - e.x : e.x; }
static double above(edge e) { return e.upper ? e.x : 1 - e.x; }

static int compare_edges(const void *a, const void *b) {
  const edge *x = a, *y = b;
  if (x->upper != y->upper) return x->upper ? 1 : -1;
  if (x->x == y->x) return 0;
  return (x->x < y->x) == !x->upper ? -1 : 1;
}

/* All places where cells meet, sorted, none twice, between start and 1. */
static int64_t make_edges(double start, int64_t count, const double *cuts, edge *edges) {
  const edge begin = edge_of(start, 1 - start);
  int64_t n = 0;
  edges[n++] = begin;
  edges[n++] = (edge){0.5, true};
  edges[n++] = (edge){0, true};
  for (int octave = 2; octave <= OCTAVES; octave++)
    for (int i = 0; i < PER_OCTAVE; i++) {
      const double x = ldexp(1 + (double)i / PER_OCTAVE, -octave);
      edges[n++] = (edge){x, false};
      edges[n++] = (edge){x, true};
    }
  for (int octave = 2; start > 0 && octave <= START_OCTAVES; octave++)
    for (int i = 0; i < START_PER_OCTAVE; i++) {
      const double more = (1 - start) * ldexp(1 + (double)i / START_PER_OCTAVE, -octave);
      edges[n++] = edge_of(start + more, 1 - start - more);
    }
  for (int64_t i = 0; i < count; i++)
    if (cuts[i] > 0 && cuts[i] < 1) edges[n++] = edge_of(cuts[i], 1 - cuts[i]);
  qsort(edges, (size_t)n, sizeof *edges, compare_edges);
  int64_t kept = 0;
  for (int64_t i = 0; i < n; i++) {
    if (compare_edges(&edges[i], &begin) < 0) continue;
    const bool near = kept > 0 && edges[i].upper == edges[kept - 1].upper &&
                      fabs(edges[i].x - edges[kept - 1].x) <=
                          1e-13 * (edges[i].x > edges[kept - 1].x ? edges[i].x : edges[kept - 1].x);
    if (!near) edges[kept++] = edges[i];
  }
  return kept;
}

/* The polynomial through values at the Chebyshev points: coefficients of Chebyshev polynomials,
 * then of powers. */
static void fit(const double *value, double *c) {
  static const double T[POINTS][POINTS] = {{1, 0, 0, 0, 0, 0},  {0, 1, 0, 0, 0, 0},
                                           {-1, 0, 2, 0, 0, 0}, {0, -3, 0, 4, 0, 0},
                                           {1, 0, -8, 0, 8, 0}, {0, 5, 0, -20, 0, 16}};
  for (int k = 0; k < POINTS; k++) c[k] = 0;
  for (int j = 0; j < POINTS; j++) {
    double a = 0;
    for (int i = 0; i < POINTS; i++) a += value[i] * cos(M_PI * j * (i + 0.5) / POINTS);
    a *= (j == 0 ? 1.0 : 2.0) / POINTS;
    for (int k = 0; k < POINTS; k++) c[k] += a * T[j][k];
  }
}

static void fill_cell(cell *to, edge from, edge end, wal_quantile_function f, void *user) {
  const double a = from.x, b = end.x;  // 1/2 is the same both ways
  const bool upper = from.upper;
  double value[POINTS];
  to->middle = 0.5 * (a + b);
  to->scale = 2 / fabs(b - a);
  f(user, level(from), above(from));
  for (int i = 0; i < POINTS; i++) {  // ascending u: t falls where x is w
    const double t = (upper ? 1 : -1) * cos(M_PI * (i + 0.5) / POINTS);
    const edge at = {to->middle + t / to->scale, upper};
    value[upper ? i : POINTS - 1 - i] = f(user, level(at), above(at));
  }
  fit(value, to->c);
}

static void fill_buckets(wal_quantile_table *t) {
  for (int upper = 0; upper < 2; upper++)
    for (int64_t b = t->least; b <= t->most; b++) {
      const int64_t bits = (upper ? b + 1 : b) << SHIFT;  // its lowest level
      double x;
      memcpy(&x, &bits, sizeof x);
      int64_t i = upper ? t->lower : 0;
      while (i + 1 < (upper ? t->cells : t->lower) && (upper ? t->end[i] >= x : t->end[i] <= x))
        i++;
      t->first[upper][b - t->least] = (int32_t)i;
    }
}

wal_status wal_quantile_table_create(wal_ctx *ctx, double start, int64_t count, const double *cuts,
                                     wal_quantile_function f, void *user,
                                     wal_quantile_table **out) {
  const int64_t most = 2 * BUCKETS + START_OCTAVES * START_PER_OCTAVE + count + 3;
  wal_quantile_table *t = NULL;
  edge *edges = NULL;
  *out = NULL;
  wal_status status = wal_acquire(ctx, "table", 1, sizeof *t, &t);
  if (status != WAL_OK) return status;
  WAL_TRY_GOTO(wal_acquire(ctx, "table", most, sizeof *edges, &edges));
  t->cells = make_edges(start, count, cuts, edges) - 1;
  t->start = start;
  t->least = bucket_of(ldexp(1, -OCTAVES));
  t->most = bucket_of(0.5);
  WAL_TRY_GOTO(wal_acquire(ctx, "table", t->cells, sizeof *t->cell, &t->cell));
  WAL_TRY_GOTO(wal_acquire(ctx, "table", t->cells, sizeof *t->end, &t->end));
  for (int upper = 0; upper < 2; upper++)
    WAL_TRY_GOTO(
        wal_acquire(ctx, "table", t->most - t->least + 1, sizeof **t->first, &t->first[upper]));
  for (int64_t i = 0; i < t->cells; i++) {
    fill_cell(&t->cell[i], edges[i], edges[i + 1], f, user);
    t->end[i] = edges[i + 1].x;
    t->lower += !edges[i].upper;
  }
  fill_buckets(t);
  *out = t;
  t = NULL;

cleanup:
  wal_quantile_table_destroy(ctx, &t);
  wal_release(ctx, &edges);
  return status;
}

void wal_quantile_table_destroy(wal_ctx *ctx, wal_quantile_table **table) {
  if (!*table) return;
  wal_release(ctx, &(*table)->cell);
  wal_release(ctx, &(*table)->end);
  wal_release(ctx, &(*table)->first[0]);
  wal_release(ctx, &(*table)->first[1]);
  wal_release(ctx, table);
}

static double at_cell(const cell *p, double x) {
  const double t = (x - p->middle) * p->scale;
  return ((((p->c[5] * t + p->c[4]) * t + p->c[3]) * t + p->c[2]) * t + p->c[1]) * t + p->c[0];
}

void wal_quantile_table_look_up(const wal_quantile_table *table, int64_t count, const double *u,
                                double *f) {
  const wal_quantile_table t = *table;
  for (int64_t i = 0; i < count; i++) {
    const double within = u[i] < t.start ? t.start : u[i];
    const bool upper = within >= 0.5;
    const double x = upper ? 1 - within : within;
    int64_t bucket = bucket_of(x);
    if (bucket < t.least) bucket = t.least;
    int64_t at = t.first[upper][bucket - t.least];
    if (upper)
      while (x <= t.end[at] && at + 1 < t.cells) at++;
    else
      while (x >= t.end[at] && at + 1 < t.lower) at++;
    f[i] = at_cell(&t.cell[at], x);
  }
}

double wal_quantile_table_integrate(const wal_quantile_table *table,
                                    double (*g)(void *user, double u, double w, double f),
                                    void *user) {
  gsl_integration_glfixed_table *rule = gsl_integration_glfixed_table_alloc(8);
  double sum = 0, lost = 0;
  for (int64_t i = 0; rule && i < table->cells; i++) {
    const cell *p = &table->cell[i];
    double part = 0;
    for (size_t k = 0; k < rule->n; k++) {
      double t, weight;
      gsl_integration_glfixed_point(-1, 1, k, &t, &weight, rule);
      const double x = p->middle + t / p->scale;
      const bool upper = i >= table->lower;
      part += weight * g(user, upper ? 1 - x : x, upper ? x : 1 - x, at_cell(p, x));
    }
    const double more = part / p->scale - lost, next = sum + more;  // Kahan 1965
    lost = (next - sum) - more;
    sum = next;
  }
  if (!rule) return NAN;
  gsl_integration_glfixed_table_free(rule);
  return sum;
}
