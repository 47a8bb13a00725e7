// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_GAME_STENCIL_H
#define WALRAS_SIM_GAME_STENCIL_H

#include "sim/core/context.h"

/**
 * A linear map made of shifted stretches, as noise on a grid is: out[i] = sum_e w_e in[i + d_e],
 * with the same terms for long stretches of i. Every output is written once, its terms added in the
 * order in which they were given.
 */
typedef struct wal_stencil wal_stencil;

/** out[to + i] gets weight * in[from + i], i < count. */
typedef struct wal_stretch {
  int64_t to, from, count;
  double weight;
} wal_stretch;

wal_status wal_stencil_create(wal_ctx *ctx, wal_stencil **out);
void wal_stencil_destroy(wal_stencil **stencil);

/**
 * Adds a part: the outputs first .. end-1, those that no stretch reaches being 0. Parts are
 * numbered from 0 in the order of these calls.
 * @param stretches  of this part, not kept. Rank-local
 */
wal_status wal_stencil_add(wal_stencil *stencil, int64_t first, int64_t end, int64_t count,
                           const wal_stretch *stretches);

/** Writes the outputs of one part. in and out do not overlap. */
void wal_stencil_apply(const wal_stencil *stencil, int64_t part, const double *in, double *out);

#endif
