// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <string.h>

#include "sim/core/hot.h"
#include "sim/core/vector_math.h"
#include "sim/game/tile.h"

/* The multiplicative step on probabilities in signed form (tile.h). It is taken relative to the
   last action, whose factor is then 1, so that no maximum has to be found first; where actions may
   be illegal, relative to the best action. */

enum { CHUNK = 64 };  // states whose weights lie in first-level cache

static const double LEAST = 1e-300;  // smaller probabilities are kept as logarithms
static const double LOG_LEAST = -690.7755278982137;
static const double FAR = 300;           // exponents beyond are not taken relative to an action
static const double LEAST_SUM = 1e-250;  // weights of at most e^FAR: sums from here are accurate

int64_t wal_tile_tilt_room(int actions) { return (int64_t)CHUNK * actions; }

static double log_of(double x) {
  double y;
  wal_vector_log(1, &x, &y);
  return y;
}

/* Signed form of the probability with this logarithm. */
static double signed_form(double log_p) {
  if (!(log_p >= LOG_LEAST)) return log_p;
  double p;
  wal_vector_exp(1, &log_p, &p);
  return p;
}

/* One state, all in logarithms: whatever the sizes. q and p have the tile's stride. */
static void tilt_in_logs(wal_tile t, double rate, const double *q, double *p) {
  double top = -HUGE_VAL, sum = 0;
  for (int a = 0; a < t.actions; a++) {
    double *to = p + a * t.stride;
    if (*to == 0) continue;
    *to = (*to > 0 ? log_of(*to) : *to) + rate * q[a * t.stride];
    if (*to > top) top = *to;
  }
  for (int a = 0; a < t.actions; a++) {
    if (p[a * t.stride] == 0) continue;
    double shifted = p[a * t.stride] - top, e;
    wal_vector_exp(1, &shifted, &e);
    sum += e;
  }
  const double log_sum = log_of(sum);
  for (int a = 0; a < t.actions; a++)
    if (p[a * t.stride] != 0) p[a * t.stride] = signed_form(p[a * t.stride] - top - log_sum);
}

/* One state whose weights (every CHUNK-th number) relative to an action with value `base` stand
   ready; with_base: the last action is that one, and has no weight. */
static void tilt_one(wal_tile t, double rate, const double *q, double *p, double base,
                     bool with_base, const double *weight) {
  const int last = t.actions - 1;
  double sum = with_base && p[last * t.stride] > 0 ? p[last * t.stride] : 0;
  bool far = false;
  for (int a = 0; a < t.actions - with_base; a++) {
    if (weight[(int64_t)a * CHUNK] > 0) sum += weight[(int64_t)a * CHUNK];
    // of a logarithm too: one that grows by more may weigh something again
    far = far || !(p[a * t.stride] == 0 || fabs(rate * (q[a * t.stride] - base)) <= FAR);
  }
  if (far || !(sum >= LEAST_SUM)) {
    tilt_in_logs(t, rate, q, p);
    return;
  }
  const double share = 1 / sum, log_sum = log_of(sum);
  for (int a = 0; a < t.actions; a++) {
    double *to = p + a * t.stride;
    if (*to == 0) continue;
    const double own = with_base && a == last ? *to : weight[(int64_t)a * CHUNK];
    if (*to > 0 && own >= LEAST && own * share >= LEAST) {  // smaller ones have lost digits
      *to = own * share;
      continue;
    }
    double old = *to > 0 ? log_of(*to) : *to;
    *to = signed_form(old + rate * (q[a * t.stride] - base) - log_sum);
  }
}

WAL_HOT static double start_sums(int64_t n, const double *restrict p, double *restrict sum) {
  double least = HUGE_VAL;
  for (int64_t i = 0; i < n; i++) {
    sum[i] = p[i] > 0 ? p[i] : 0;
    least = p[i] < least ? p[i] : least;
  }
  return least;
}

WAL_HOT static double largest(int64_t n, const double *x) {
  double most = x[0];
  for (int64_t i = 1; i < n; i++) most = x[i] > most ? x[i] : most;
  return most;
}

WAL_HOT static void share_out(wal_tile t, bool with_base, const double *restrict sum,
                              const double *restrict weight, double *restrict p) {
  double share[CHUNK];
  for (int64_t i = 0; i < t.count; i++) share[i] = 1 / sum[i];
  for (int a = 0; a < t.actions; a++) {
    const bool base = with_base && a == t.actions - 1;
    const double *from = base ? p + a * t.stride : weight + (int64_t)a * CHUNK;
    double *to = p + a * t.stride;
    for (int64_t i = 0; i < t.count; i++) to[i] = from[i] * share[i];
  }
}

/* Asks for the same chunk of the tile that follows in memory: the exponentials leave the memory
   idle, and the next tile begins by reading it. */
static void fetch_next(wal_tile t, const double *p) {
  enum { LINE = 64 / sizeof(double) };
  const double *next = p + t.actions * t.stride;
  for (int a = 0; a < t.actions; a++)
    for (int64_t i = 0; i < t.count; i += LINE) __builtin_prefetch(next + a * t.stride + i, 0, 2);
}

/* A chunk at work: the values that the step is taken relative to, sums of weights, what follows. */
typedef struct chunk {
  wal_tile t;
  double rate;
  bool with_base; /* the last action is the base, and has no weight */
  const double *q, *base;
  double *p, *weight;
  double sum[CHUNK], share[CHUNK], log_sum[CHUNK], odd[CHUNK];
} chunk;

/* The next number of one pair, unless its state is odd. */
WAL_INLINE double next_number(const chunk *c, double old, double weight, double q, int64_t i) {
  const double in_logs = old + c->rate * (q - c->base[i]) - c->log_sum[i];
  const double plain = weight * c->share[i];
  return old > 0 ? plain : old < 0 ? in_logs : 0;
}

/* Marks the states that tilt_one() must look after: a probability that becomes a logarithm, or the
   other way round, or sizes that are not safe relative to the base. */
WAL_HOT static double find_odd(chunk *c) {
  double all = 0;
  for (int64_t i = 0; i < c->t.count; i++) c->odd[i] = c->sum[i] >= LEAST_SUM ? 0 : 1;
  for (int a = 0; a < c->t.actions; a++) {
    const double *p = c->p + a * c->t.stride, *q = c->q + a * c->t.stride;
    const double *weight =
        c->with_base && a == c->t.actions - 1 ? p : c->weight + (int64_t)a * CHUNK;
    for (int64_t i = 0; i < c->t.count; i++) {
      const double next = next_number(c, p[i], weight[i], q[i], i);
      const double reach = fabs(c->rate * (q[i] - c->base[i]));
      const double sound = ((weight[i] >= LEAST) & (next >= LEAST) & (reach <= FAR)) ? 1 : 0;
      const double away = next < LOG_LEAST ? 1 : 0;
      const double fine = p[i] > 0 ? sound : p[i] < 0 ? away : 1;
      c->odd[i] = fine > 0 ? c->odd[i] : 1;
    }
  }
  for (int64_t i = 0; i < c->t.count; i++) all += c->odd[i];
  return all;
}

WAL_HOT static void write_even(chunk *c) {
  for (int a = 0; a < c->t.actions; a++) {
    double *p = c->p + a * c->t.stride;
    const double *q = c->q + a * c->t.stride;
    const double *weight =
        c->with_base && a == c->t.actions - 1 ? p : c->weight + (int64_t)a * CHUNK;
    for (int64_t i = 0; i < c->t.count; i++) {
      const double next = next_number(c, p[i], weight[i], q[i], i);
      p[i] = c->odd[i] > 0 ? p[i] : next;
    }
  }
}

/* A chunk with logarithms, or with probabilities that may become some. */
static void tilt_carefully(chunk *c) {
  for (int64_t i = 0; i < c->t.count; i++) c->share[i] = 1 / c->sum[i];
  wal_vector_log(c->t.count, c->sum, c->log_sum);
  const double odd = find_odd(c);
  write_even(c);
  for (int64_t i = 0; odd > 0 && i < c->t.count; i++)
    if (c->odd[i] > 0)
      tilt_one(c->t, c->rate, c->q + i, c->p + i, c->base[i], c->with_base, c->weight + i);
}

static void tilt_chunk(wal_tile t, double rate, unsigned which, const double *q, double *p,
                       double *weight) {
  const int64_t last = (t.actions - 1) * t.stride;
  const bool illegal = which & WAL_TILT_ILLEGAL;
  double best[CHUNK], range[2] = {HUGE_VAL, 0};
  chunk
      c;  // its arrays are written before they are read: emptying them would take as long as a step
  c.t = t;
  c.rate = rate;
  c.with_base = !illegal;
  c.q = q;
  c.base = illegal ? best : q + last;
  c.p = p;
  c.weight = weight;
  fetch_next(t, p);
  if (illegal) {
    wal_tile_max(t, q, best);
    memset(c.sum, 0, sizeof c.sum);
  } else {
    range[0] = start_sums(t.count, p + last, c.sum);
  }
  for (int a = 0; a < t.actions - !illegal; a++)
    wal_vector_tilt(t.count, rate, q + a * t.stride, c.base, p + a * t.stride,
                    weight + (int64_t)a * CHUNK, c.sum, range);
  const double most = largest(t.count, c.sum);
  const bool plain = !(which & WAL_TILT_LOGS) && range[0] >= LEAST_SUM &&
                     range[0] >= 2 * LEAST * most && range[1] <= FAR;
  if (plain)
    share_out(t, !illegal, c.sum, weight, p);
  else
    tilt_carefully(&c);
}

void wal_tile_tilt(wal_tile t, double rate, unsigned which, const double *q, double *p,
                   double *room) {
  for (int64_t at = 0; at < t.count; at += CHUNK) {
    const int64_t left = t.count - at;
    const wal_tile c = {left < CHUNK ? left : CHUNK, t.stride, t.actions};
    tilt_chunk(c, rate, which, q + at, p + at, room);
  }
}

WAL_HOT bool wal_tile_has_logs(wal_tile t, const double *p) {
  double least = 0;
  for (int a = 0; a < t.actions; a++)
    for (int64_t i = 0; i < t.count; i++) {
      double x = p[a * t.stride + i];
      least = x < least ? x : least;
    }
  return least < 0;
}

WAL_HOT void wal_tile_drop_logs(wal_tile t, const double *restrict p, double *restrict out) {
  for (int a = 0; a < t.actions; a++)
    for (int64_t i = 0; i < t.count; i++) {
      double x = p[a * t.stride + i];
      out[a * t.stride + i] = x < 0 ? 0 : x;
    }
}
