// SPDX-License-Identifier: GPL-3.0-or-later
#include <gsl/gsl_integration.h>
#include <math.h>

#include "auctions/one_shot.h"
#include "sim/core/memory.h"

/*
 * Equilibrium bids, tabulated by the level u of the value q(u). G(u) is the probability that fewer
 * than k of the n - 1 rivals have higher levels.
 *
 * Winners pay their bids, utility x^alpha: maximizing G(z)^(1/alpha) (v - b(z)) over z gives
 * d(G^p b) = q d(G^p) with p = 1/alpha, so that from one level to the next
 * b(u) = (G(t)/G(u))^p b(t) + integral from t to u of q d(G^p) / G(u)^p: a weighted mean.
 * All pay: db = q dG.
 */

typedef struct builder {
  const wal_one_shot *a;
  gsl_integration_glfixed_table *rule;
  double power;         /* p */
  double u, w, log_win; /* where it stands */
  double bid;
  bool falls; /* a third-price bid that falls: no equilibrium */
  double last;
} builder;

/* Exact enough everywhere, and quick. */
static double value_at(const wal_value_law *law, double u, double w) {
  double v = u;
  if (law->kind == WAL_LAW_BETA)
    wal_value_law_values(law, 1, &u, &v);
  else
    v = wal_value_law_quantile(law, u, w);
  return v;
}

/* Goes to level u = 1 - w in one step: weights G^p (p = 1 and not divided where all pay). */
static void step(builder *s, double u, double w) {
  const wal_one_shot *a = s->a;
  const bool pays = a->format == WAL_ALL_PAY;
  const double log_win = wal_theory_log_win(a->bidders, a->units, u, w);
  double sum = 0, mean = 0;
  for (size_t i = 0; i < s->rule->n; i++) {
    double x, weight;
    gsl_integration_glfixed_point(0, 1, i, &x, &weight, s->rule);
    const double ut = s->u + (u - s->u) * x, wt = s->w + (w - s->w) * x;
    double share = wal_theory_win_slope(a->bidders, a->units, ut, wt);
    if (!pays) {  // d(G^p) / G(u)^p, also where G itself is no double
      const double at = wal_theory_log_win(a->bidders, a->units, ut, wt);
      const double rate = wal_theory_log_slope(a->bidders, a->units, ut, wt) - at;
      share = s->power * exp(rate + s->power * (at - log_win));
    }
    sum += weight * share;
    mean += weight * share * value_at(a->law, ut, wt);
  }
  if (pays) {
    s->bid += mean * (s->w - w > u - s->u ? s->w - w : u - s->u);
  } else {
    const double kept = exp(s->power * (s->log_win - log_win));
    s->bid = sum > 0 ? kept * s->bid + (1 - kept) * mean / sum : s->bid;
  }
  s->u = u;
  s->w = w;
  s->log_win = log_win;
}

/* In as many steps as the weight rises by factors of e; the lowest do not count. */
static double advance(void *user, double u, double w) {
  enum { MOST = 40 };
  builder *s = user;
  if (u <= s->u && w >= s->w) return s->bid;
  const wal_one_shot *a = s->a;
  if (s->u <= 0 && a->format != WAL_ALL_PAY) {  // as if the values were uniform so far below
    const double m = s->power * (double)(a->bidders - a->units);
    s->bid = a->law->low + m / (m + 1) * (value_at(a->law, u, w) - a->law->low);
    s->u = u;
    s->w = w;
    s->log_win = wal_theory_log_win(a->bidders, a->units, u, w);
    return s->bid;
  }
  const double log_win = wal_theory_log_win(a->bidders, a->units, u, w);
  const double rise = s->u > 0 ? s->power * (log_win - s->log_win) : 1;
  const double steps = rise > 1 ? ceil(rise) : 1, from_u = s->u, from_w = s->w;
  const double skipped = steps > MOST ? steps - MOST : 0;
  if (skipped > 0 && a->format != WAL_ALL_PAY) {
    s->u = from_u + (u - from_u) * skipped / steps;
    s->w = from_w + (w - from_w) * skipped / steps;
    s->bid = value_at(a->law, s->u, s->w);
    s->log_win = wal_theory_log_win(a->bidders, a->units, s->u, s->w);
  }
  const double left = steps - skipped;
  const double base_u = s->u, base_w = s->w;
  for (double i = 1; i <= left; i++)
    step(s, i == left ? u : base_u + (u - base_u) * i / left,
         i == left ? w : base_w + (w - base_w) * i / left);
  return s->bid;
}

static double third(void *user, double u, double w) {
  builder *s = user;
  const double bid =
      u > 0 ? wal_theory_third_price_law_bid(s->a->law, s->a->bidders, u, w) : s->a->law->low;
  if (bid < s->last - 1e-9 * fabs(s->last)) s->falls = true;
  s->last = bid;
  return bid;
}

/* Levels where cells shall meet: those of the law's knots, and where G is steep. */
static wal_status tabulate(wal_ctx *ctx, wal_one_shot *a, wal_quantile_function f, builder *s) {
  double steep[WAL_THEORY_CUTS], *cuts = NULL;
  const int more = wal_theory_cuts(a->bidders, a->units, steep);
  const int64_t count = a->law->knots + more;
  WAL_TRY(wal_acquire(ctx, "bids", count, sizeof *cuts, &cuts));
  for (int64_t i = 0; i < count; i++) cuts[i] = i < more ? steep[i] : a->law->level[i - more];
  a->rule = WAL_BID_TABLE;
  wal_status status = wal_quantile_table_create(ctx, a->start, count, cuts, f, s, &a->table);
  wal_release(ctx, &cuts);
  return status;
}

static wal_status build(wal_ctx *ctx, wal_one_shot *a, double bid) {
  builder s = {.a = a,
               .power = a->format == WAL_ALL_PAY ? 1 : 1 / (1 - a->risk),
               .u = a->start,
               .w = 1 - a->start,
               .bid = bid};
  s.log_win = wal_theory_log_win(a->bidders, a->units, s.u, s.w);
  s.rule = gsl_integration_glfixed_table_alloc(8);
  if (!s.rule) return wal_fail(ctx, WAL_EINPUT, "not enough memory");
  wal_status status = tabulate(ctx, a, advance, &s);
  gsl_integration_glfixed_table_free(s.rule);
  return status;
}

static wal_status paid_bids(wal_ctx *ctx, wal_one_shot *a) {
  const wal_value_law *law = a->law;
  a->start = wal_value_law_below(law, a->reserve);
  if (a->start >= 1 || a->units >= a->bidders) {  // nobody bids, or nobody is in the way
    a->rule = WAL_BID_STRAIGHT;
    a->offset = a->reserve;
    return WAL_OK;
  }
  const double m = (double)(a->bidders - 1);
  if (law->kind == WAL_LAW_UNIFORM && a->start == 0 && a->risk == 0 && a->units == 1) {
    a->rule = WAL_BID_STRAIGHT;
    a->factor = m / (m + 1);
    a->offset = law->low / (m + 1);
    return WAL_OK;
  }
  return build(ctx, a, a->reserve > law->low ? a->reserve : law->low);
}

static wal_status all_pay_bids(wal_ctx *ctx, wal_one_shot *a) {
  const double entry = wal_theory_all_pay_entry(a->law, a->bidders, a->units, a->reserve);
  a->start = wal_value_law_below(a->law, entry);
  if (a->start >= 1 || a->units >= a->bidders) {
    a->rule = WAL_BID_STRAIGHT;
    a->offset = a->reserve;
    return WAL_OK;
  }
  if (a->law->kind == WAL_LAW_UNIFORM && a->reserve == 0 && a->units == 1) {
    const double n = (double)a->bidders;
    a->rule = WAL_BID_POWER;
    a->offset = a->law->low;
    a->factor = (a->law->high - a->law->low) * (n - 1) / n;
    return WAL_OK;
  }
  return build(ctx, a, a->reserve);
}

static wal_status third_price_bids(wal_ctx *ctx, wal_one_shot *a) {
  const wal_value_law *law = a->law;
  const double rest = (double)(a->bidders - 2);
  if (law->kind == WAL_LAW_UNIFORM) {
    a->rule = WAL_BID_STRAIGHT;
    a->factor = (rest + 1) / rest;
    a->offset = -law->low / rest;
    return WAL_OK;
  }
  builder s = {.a = a, .last = law->low};
  WAL_TRY(tabulate(ctx, a, third, &s));
  if (!s.falls) return WAL_OK;
  return wal_params_fail(ctx, a->params, "values",
                         "expected a law for which the third-price bid v + F(v)/((n-2) f(v)) rises "
                         "with v, or it is no equilibrium; give bids as a function");
}

wal_status wal_one_shot_find_equilibrium(wal_ctx *ctx, wal_one_shot *a) {
  const char *format = wal_params_text(a->params, "format");
  a->rule = WAL_BID_VALUE;
  if (a->format == WAL_SECOND_PRICE || a->format == WAL_UNIFORM_PRICE) return WAL_OK;
  if (a->law->atoms)
    return wal_params_fail(ctx, a->params, "values",
                           "expected a law without atoms (values of positive probability), for "
                           "which the equilibrium of %s is known; give bids as a function",
                           format);
  const bool paid = a->format == WAL_FIRST_PRICE || a->format == WAL_PAY_AS_BID;
  if (paid) return paid_bids(ctx, a);
  if (a->risk > 0)
    return wal_params_fail(
        ctx, a->params, "risk",
        "expected 0: no equilibrium of %s with risk aversion is known; give bids "
        "as a function",
        format);
  if (a->format == WAL_ALL_PAY) return all_pay_bids(ctx, a);
  if (a->reserve > a->law->low)
    return wal_params_fail(ctx, a->params, "reserve",
                           "expected at most the least value (%g): no equilibrium of third_price "
                           "with a reserve is known; give bids as a function",
                           a->law->low);
  return third_price_bids(ctx, a);
}

// ---- What theory expects ----------------------------------------------------------------------

static double revenue_at(void *user, double u, double w, double bid) {
  const wal_one_shot *a = user;
  return (double)a->bidders * wal_theory_win(a->bidders, a->units, u, w) * bid;
}

static double utility_at(void *user, double u, double w, double bid) {
  const wal_one_shot *a = user;
  double gain = value_at(a->law, u, w) - bid;
  wal_one_shot_utilities(a, 1, &gain, &gain);
  return wal_theory_win(a->bidders, a->units, u, w) * gain;
}

wal_status wal_one_shot_theory(wal_ctx *ctx, const wal_one_shot *a, wal_theory_amounts *out) {
  *out = (wal_theory_amounts){NAN, NAN, NAN};
  if (a->rule == WAL_BID_SCRIPT) return WAL_OK;
  const double least = a->format == WAL_ALL_PAY
                           ? wal_theory_all_pay_entry(a->law, a->bidders, a->units, a->reserve)
                           : a->reserve;
  WAL_TRY(wal_theory_efficient(ctx, a->law, a->bidders, a->units, least, out));
  if (a->risk == 0) return WAL_OK;
  out->utility = NAN;
  if (a->rule != WAL_BID_TABLE) return WAL_OK;
  wal_one_shot copy = *a;
  out->revenue = wal_quantile_table_integrate(a->table, revenue_at, &copy);
  out->utility = wal_quantile_table_integrate(a->table, utility_at, &copy);
  return WAL_OK;
}
