// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_GAME_NOISE_H
#define WALRAS_SIM_GAME_NOISE_H

#include "sim/game/game.h"
#include "sim/game/reach.h"

/** How a noise kernel is kept. All forms give the same numbers up to rounding. */
typedef enum wal_noise_form {
  WAL_NOISE_AUTO,  /**< whichever fits the entries best */
  WAL_NOISE_RUNS,  /**< runs of equal weight: stencils on grids; almost no memory */
  WAL_NOISE_ROWS,  /**< sparse rows: 12 bytes an entry */
  WAL_NOISE_DENSE, /**< full rows, worked by CBLAS */
} wal_noise_form;

/** The kernel N(s'|m) from post-decision states to next states, rows distributed over ranks. */
typedef struct wal_noise wal_noise;

/**
 * Asks the game for its noise after a stage and plans the exchange.
 * @collective ctx. WAL_EINTERNAL if a row is not a distribution or leads outside the states.
 */
wal_status wal_noise_create(wal_ctx *ctx, const wal_game *game, int stage,
                            const wal_partition *post, const wal_partition *states,
                            wal_noise_form form, wal_noise **out);
/** Frees it and sets *noise to NULL; NULL is let pass. Rank-local. */
void wal_noise_destroy(wal_noise **noise);

/** The form in use; never WAL_NOISE_AUTO. */
wal_noise_form wal_noise_form_of(const wal_noise *noise);
/** Exchange of arrays over states. */
wal_halo *wal_noise_halo(const wal_noise *noise);

/** What this rank exchanges in a push (or else a pull). */
wal_traffic wal_noise_traffic(const wal_noise *noise, bool push);

/** next[s'] = sum_m N(s'|m) post[m] for own s'. `next` is a halo array over states, overwritten;
 *  `post` holds the own post-decision states. @collective */
wal_status wal_noise_push(wal_noise *noise, const double *post, double *next);

/** post[m] = sum_s' N(s'|m) next[s'] for own m. `next` is a halo array whose own part is given and
 *  whose away part is filled here. @collective */
wal_status wal_noise_pull(wal_noise *noise, double *next, double *post);

#endif
