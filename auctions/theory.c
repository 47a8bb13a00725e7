// SPDX-License-Identifier: GPL-3.0-or-later
#include "auctions/theory.h"

#include <gsl/gsl_cdf.h>
#include <math.h>

#include "auctions/quadrature.h"
#include "sim/core/memory.h"

// ---- Closed forms -----------------------------------------------------------------------------

double wal_theory_first_price_bid(int64_t n, double v) { return wal_theory_crra_bid(n, 1, v); }

double wal_theory_second_price_bid(int64_t n, double v) { return n >= 1 ? v : NAN; }

double wal_theory_third_price_bid(int64_t n, double v) {
  return n >= 3 ? (double)(n - 1) / (double)(n - 2) * v : NAN;
}

double wal_theory_all_pay_bid(int64_t n, double v) {
  return n >= 1 ? (double)(n - 1) / (double)n * pow(v, (double)n) : NAN;
}

double wal_theory_revenue(int64_t n) { return wal_theory_units_revenue(n, 1); }

double wal_theory_crra_bid(int64_t n, double rho, double v) {
  return n >= 1 && rho > 0 ? (double)(n - 1) * v / ((double)(n - 1) + rho) : NAN;
}

double wal_theory_crra_revenue(int64_t n, double rho) {
  return wal_theory_crra_bid(n, rho, (double)n / (double)(n + 1));  // of the highest value
}

/* Virtual values 2v - 1 of those above r (Myerson 1981). */
double wal_theory_reserve_revenue(int64_t n, double r) {
  if (n < 1 || !(r >= 0 && r <= 1)) return NAN;
  const double m = (double)n;
  return 2 * m / (m + 1) * (1 - pow(r, m + 1)) - (1 - pow(r, m));
}

double wal_theory_optimal_reserve(void) { return 0.5; }

double wal_theory_optimal_reserve_revenue(int64_t n) { return wal_theory_reserve_revenue(n, 0.5); }

double wal_theory_units_revenue(int64_t n, int64_t k) {
  return k >= 1 && k <= n ? (double)k * (double)(n - k) / (double)(n + 1) : NAN;
}

double wal_theory_tullock_effort(int64_t n) {
  return n >= 1 ? (double)(n - 1) / ((double)n * (double)n) : NAN;
}

double wal_theory_double_auction_buyer(double v) { return 2 * v / 3 + 1.0 / 12; }
double wal_theory_double_auction_seller(double c) { return 2 * c / 3 + 0.25; }
double wal_theory_double_auction_gains(void) { return 9.0 / 64; }

double wal_theory_mean_field_price(double g) { return g >= 0 && g <= 1 ? 1 - g : NAN; }
double wal_theory_mean_field_revenue(double g) { return g * wal_theory_mean_field_price(g); }

// ---- Who wins ---------------------------------------------------------------------------------

/* I_u(a, b), the incomplete beta function, from the side where it is small. */
static double incomplete_beta(double a, double b, double u, double w) {
  if (u <= 0) return 0;
  if (w <= 0) return 1;
  if (u <= a / (a + b)) return gsl_cdf_beta_P(u, a, b);
  return 1 - gsl_cdf_beta_P(w, b, a);
}

/* Fewer than k of n - 1 above u: at least n - k of them below, I_u(n-k, k). */
double wal_theory_win(int64_t n, int64_t k, double u, double w) {
  if (k >= n) return 1;
  if (k == 1) return u < 0.5 ? pow(u, (double)(n - 1)) : exp((double)(n - 1) * log1p(-w));
  return incomplete_beta((double)(n - k), (double)k, u, w);
}

static double log_choose(double n, double k) {
  return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1);
}

double wal_theory_log_win(int64_t n, int64_t k, double u, double w) {
  if (k >= n) return 0;
  const double log_u = u < 0.5 ? log(u) : log1p(-w);
  if (k == 1) return (double)(n - 1) * log_u;
  const double win = wal_theory_win(n, k, u, w);
  if (win > 1e-280) return log(win);
  // So far below, that the terms j < k of the binomial sum fall quickly from the last one on.
  const double m = (double)(n - 1), odds = w > 0 ? u / w : HUGE_VAL;
  double sum = 1, term = 1;
  for (int64_t j = k - 1; j > 0; j--) {
    term *= (double)j / (m - (double)j + 1) * odds;
    sum += term;
    if (term < 1e-17 * sum) break;
  }
  const double last = (double)(k - 1);
  return log_choose(m, last) + last * log(w) + (m - last) * log_u + log(sum);
}

double wal_theory_log_slope(int64_t n, int64_t k, double u, double w) {
  if (k >= n) return -HUGE_VAL;
  const double a = (double)(n - k), b = (double)k;
  const double log_u = u < 0.5 ? log(u) : log1p(-w), log_w = w < 0.5 ? log(w) : log1p(-u);
  const double rest = (a > 1 ? (a - 1) * log_u : 0) + (b > 1 ? (b - 1) * log_w : 0);
  return log_choose((double)(n - 1), b - 1) + log(a) + rest;
}

double wal_theory_win_slope(int64_t n, int64_t k, double u, double w) {
  return exp(wal_theory_log_slope(n, k, u, w));
}

int wal_theory_cuts(int64_t n, int64_t k, double cuts[WAL_THEORY_CUTS]) {
  if (k >= n) return 0;
  enum { PER_DEVIATION = 8 };
  const double m = (double)n, middle = (double)(n - k) / m;
  const double deviation = sqrt(middle * (double)k / m / m);
  int count = 0;
  for (int i = 0; i < WAL_THEORY_CUTS; i++) {
    const double u = middle + deviation * (i - WAL_THEORY_CUTS / 2) / PER_DEVIATION;
    if (u > 0 && u < 1) cuts[count++] = u;
  }
  return count;
}

// ---- Integrals --------------------------------------------------------------------------------

/* What an integrand over values knows. */
typedef struct setting {
  const wal_value_law *law;
  int64_t n, k;
  double alpha, log_at; /* 1/power of G, and ln G at the upper end */
} setting;

/* Over values from low to high, cut at the law's knots and where the winner is decided. */
static wal_status integrate(wal_ctx *ctx, wal_integrand f, const setting *s, double low,
                            double high, double *out) {
  enum { EVERY = 20 };  // a few of the steep levels do for adaptive integration
  const wal_value_law *law = s->law;
  double levels[WAL_THEORY_CUTS], *cuts = NULL;
  const int count = wal_theory_cuts(s->n, s->k, levels);
  const int64_t room = law->knots + count / EVERY + 1;
  setting copy = *s;
  WAL_TRY(wal_acquire(ctx, "integral", room, sizeof *cuts, &cuts));
  int64_t steep = 0, used = 0;
  for (int64_t i = 0; i < law->knots || steep * EVERY < count;) {
    const double next = steep * EVERY < count ? wal_value_law_quantile(law, levels[steep * EVERY],
                                                                       1 - levels[steep * EVERY])
                                              : HUGE_VAL;
    const bool knot = i < law->knots && law->knot[i] <= next;
    cuts[used++] = knot ? law->knot[i++] : next;
    steep += !knot;
  }
  wal_status status = wal_integrate(ctx, f, &copy, low, high, used, cuts, out);
  wal_release(ctx, &cuts);
  return status;
}

/* P(the j-th highest of n is above v): at least j of n levels above. */
static double order_above(const wal_value_law *law, int64_t n, int64_t j, double v) {
  return incomplete_beta((double)j, (double)(n - j + 1), wal_value_law_above(law, v),
                         wal_value_law_cdf(law, v));
}

static double order_integrand(double v, void *user) {
  const setting *s = user;
  return order_above(s->law, s->n, s->k, v);
}

wal_status wal_theory_order_statistic(wal_ctx *ctx, const wal_value_law *law, int64_t n, int64_t j,
                                      double *out) {
  const setting s = {.law = law, .n = n, .k = j};
  double above;
  WAL_TRY(integrate(ctx, order_integrand, &s, law->low, law->high, &above));
  *out = law->low + above;
  return WAL_OK;
}

/* E[min(k, values above v)] = sum over j <= k of P(j-th highest above v)
 * = k P(at least k+1 above) + sum over j <= k of j P(exactly j above)
 * = k P(at least k+1 of n above) + n p P(at most k-1 of the other n-1 above). */
static double goods_above(const setting *s, double above, double below) {
  const int64_t n = s->n, k = s->k;
  if (k >= n) return (double)n * above;
  const double excess = (double)k * incomplete_beta((double)(k + 1), (double)(n - k), above, below);
  return excess + (double)n * above * wal_theory_win(n, k, below, above);
}

static double welfare_integrand(double v, void *user) {
  const setting *s = user;
  return goods_above(s, wal_value_law_above(s->law, v), wal_value_law_cdf(s->law, v));
}

/* R = n s G(s) P(V >= s) + k integral from s of P(at least k+1 of n above x), and the first term's
 * share of the second, by parts of n E[s G(s) + integral of x dG(x) up to V, V >= s]. */
wal_status wal_theory_efficient(wal_ctx *ctx, const wal_value_law *law, int64_t n, int64_t k,
                                double least, wal_theory_amounts *out) {
  *out = (wal_theory_amounts){0};
  const double s = least > law->low ? least : law->low;
  const double below = wal_value_law_below(law, s), enter = s > law->high ? 0 : 1 - below;
  const setting welfare = {.law = law, .n = n, .k = k};
  if (enter <= 0) return WAL_OK;
  double more = 0;
  WAL_TRY(integrate(ctx, welfare_integrand, &welfare, s, law->high, &more));
  out->welfare = s * goods_above(&welfare, enter, below) + more;
  double rise = 0;
  if (k < n) {
    const setting revenue = {.law = law, .n = n, .k = k + 1};
    WAL_TRY(integrate(ctx, order_integrand, &revenue, s, law->high, &rise));
    out->revenue = (double)k * rise +
                   s * (double)k * incomplete_beta((double)(k + 1), (double)(n - k), enter, below);
  }
  // Where fewer than k rivals enter, least is paid; without a reserve that is nothing.
  out->revenue += (double)n * (k < n ? s : least) * wal_theory_win(n, k, below, enter) * enter;
  out->utility = (out->welfare - out->revenue) / (double)n;
  return WAL_OK;
}

static double paid_integrand(double x, void *user) {
  const setting *s = user;
  const double u = wal_value_law_cdf(s->law, x), w = wal_value_law_above(s->law, x);
  return exp((wal_theory_log_win(s->n, s->k, u, w) - s->log_at) / s->alpha);
}

wal_status wal_theory_paid_bid(wal_ctx *ctx, const wal_value_law *law, int64_t n, int64_t k,
                               double r, double alpha, double v, double *out) {
  const double u = wal_value_law_cdf(law, v), w = wal_value_law_above(law, v);
  const setting s = {
      .law = law, .n = n, .k = k, .alpha = alpha, .log_at = wal_theory_log_win(n, k, u, w)};
  const double from = k < n && r < law->low ? law->low : r;  // rivals there are none below low
  double gain = 0;
  *out = v;
  if (!(v > from) || isinf(s.log_at)) return WAL_OK;
  WAL_TRY(integrate(ctx, paid_integrand, &s, from, v, &gain));
  *out = v - gain;
  return WAL_OK;
}

static double win_integrand(double x, void *user) {
  const setting *s = user;
  return wal_theory_win(s->n, s->k, wal_value_law_cdf(s->law, x), wal_value_law_above(s->law, x));
}

static double win_at(const wal_value_law *law, int64_t n, int64_t k, double v) {
  return wal_theory_win(n, k, wal_value_law_cdf(law, v), wal_value_law_above(law, v));
}

wal_status wal_theory_all_pay_law_bid(wal_ctx *ctx, const wal_value_law *law, int64_t n, int64_t k,
                                      double entry, double v, double *out) {
  const setting s = {.law = law, .n = n, .k = k};
  double gain = 0;
  WAL_TRY(integrate(ctx, win_integrand, &s, entry, v, &gain));
  *out = v * win_at(law, n, k, v) - gain;
  return WAL_OK;
}

double wal_theory_all_pay_entry(const wal_value_law *law, int64_t n, int64_t k, double r) {
  if (r <= 0) return 0;
  double low = 0, high = law->high;
  if (isinf(high))
    for (high = fmax(r, law->a); high * win_at(law, n, k, high) < r;) high *= 2;
  if (high * win_at(law, n, k, high) < r) return HUGE_VAL;
  while (true) {  // to the last bit
    const double middle = 0.5 * (low + high);
    if (!(middle > low && middle < high)) return high;
    if (middle * win_at(law, n, k, middle) < r)
      low = middle;
    else
      high = middle;
  }
}

double wal_theory_third_price_law_bid(const wal_value_law *law, int64_t n, double u, double w) {
  return wal_value_law_quantile(law, u, w) + u * wal_value_law_slope(law, u, w) / (double)(n - 2);
}
