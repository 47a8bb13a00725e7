// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_RLHF_SOURCE_H
#define WALRAS_RLHF_SOURCE_H

#include "rlhf/exact.h"

/** Imperfect reward models, and the policies that are best for them. Rank-local; owns its memory.
 */
typedef struct wal_sources {
  wal_ctx *ctx;
  int64_t count;         /**< W, which may be 0 */
  double *reward;        /**< [W][S * A], in [0, R] */
  wal_responder *policy; /**< [W]: proportional to pi_ref exp(r_w / beta) */
  double *block;
} wal_sources;

/** Copies of rewards [W][S * A]; those outside [0, R] (after a shift of each source, for which
 *  policies do not care) fail with WAL_EINPUT. */
wal_status wal_sources_of_arrays(wal_ctx *ctx, const wal_bandit_known *known, int64_t count,
                                 const double *reward, wal_sources *out);
void wal_sources_destroy(wal_sources *sources);

/** r_w = mean + m (r* - mean) + sqrt(1 - m^2) sd N(0,1), within [0, R], for each of the m: mean and
 *  standard deviation are those of r*. */
extern const wal_component wal_mixtures_component;
/** Rewards as given. */
extern const wal_component wal_tables_component;

/** How many sources the parameters (of kind "source") describe; NULL: none. */
int64_t wal_sources_count(const wal_params *params);
/** The sources for a bandit, of a seed. WAL_EINPUT by wal_params_fail(). To be called once while
 *  the scenario lives. @param params  NULL: there are none */
wal_status wal_sources_draw(wal_ctx *ctx, wal_params *params, const wal_bandit *bandit,
                            uint64_t seed, wal_sources *out);

#endif
