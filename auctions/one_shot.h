// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_AUCTIONS_ONE_SHOT_H
#define WALRAS_AUCTIONS_ONE_SHOT_H

#include "auctions/quantile_table.h"
#include "auctions/theory.h"
#include "auctions/value_law.h"
#include "sim/core/parameter.h"

/*
 * Auctions in which each of n bidders bids once for one good, of which there are k, with values
 * drawn independently from one law (docs/one-shot-auctions.md). The k highest bids of at least the
 * reserve win; who of equal bids gets the last goods is drawn at random. A bid below the reserve is
 * no bid: it pays nothing.
 */

typedef enum wal_one_shot_format {
  WAL_FIRST_PRICE,
  WAL_SECOND_PRICE,
  WAL_THIRD_PRICE,
  WAL_ALL_PAY,
  WAL_UNIFORM_PRICE,
  WAL_PAY_AS_BID,
} wal_one_shot_format;

/** How bids come about. */
typedef enum wal_one_shot_rule {
  WAL_BID_VALUE,    /**< the value itself */
  WAL_BID_STRAIGHT, /**< offset + factor * value */
  WAL_BID_POWER,    /**< u^(n-1) (offset + factor * u), u being the value's level */
  WAL_BID_TABLE,    /**< by the value's level */
  WAL_BID_SCRIPT,   /**< a function of the scenario */
} wal_one_shot_rule;

typedef struct wal_one_shot {
  wal_one_shot_format format;
  int64_t bidders, units;
  double reserve;
  double risk; /**< r: utility of a gain x >= 0 is x^(1-r) / (1-r), of a loss minus that of -x */
  wal_value_law *law;
  wal_one_shot_rule rule;
  double start; /**< levels below this do not bid in equilibrium */
  double offset, factor;
  wal_quantile_table *table;
  const wal_function *script;
  int deviations; /**< bids of the grid on which the best deviation is looked for; 0: it is not */
  const wal_params *params;
} wal_one_shot;

/** The auction, kind "auction", and what it is made of: value laws and ways to bid. */
extern const wal_component wal_one_shot_component;
int64_t wal_one_shot_part_count(void);
const wal_component *wal_one_shot_part_at(int64_t index);

/** Reads and checks everything, works out equilibrium bids. Rank-local. `params` must outlive it.
 */
wal_status wal_one_shot_create(wal_ctx *ctx, wal_params *params, wal_one_shot *out);
void wal_one_shot_destroy(wal_ctx *ctx, wal_one_shot *auction);

/** Whether a higher value never bids less, for all that is known. */
static inline bool wal_one_shot_rises(const wal_one_shot *a) { return a->rule != WAL_BID_SCRIPT; }

/** b[i] = bid of the value v[i] at level u[i]; -1: none. Within 1e-9 of the law's scale of the
 *  equilibrium bid at levels above 1e-6. WAL_EINPUT, WAL_ENONFINITE from scripts only. */
wal_status wal_one_shot_bids(wal_ctx *ctx, const wal_one_shot *a, int64_t count, const double *u,
                             const double *v, double *b);

/** y[i] = utility of the gain x[i]; y may be x. */
void wal_one_shot_utilities(const wal_one_shot *a, int64_t count, const double *x, double *y);

/** What theory expects of it, NaN where it does not know. */
wal_status wal_one_shot_theory(wal_ctx *ctx, const wal_one_shot *a, wal_theory_amounts *out);

/* Of one_shot_bids.c. */
wal_status wal_one_shot_find_equilibrium(wal_ctx *ctx, wal_one_shot *a);

#endif
