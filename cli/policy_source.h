// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_POLICY_SOURCE_H
#define WALRAS_CLI_POLICY_SOURCE_H

#include "cli/task.h"
#include "sim/game/policy.h"

/* Where a policy comes from that is played, not learned: components of the kind "policy":
 * uniform{}, equilibrium{learner=, stop=}, from{file=}, given{probability=}, and those that make
 * targets to steer to: softmax_target{scale=, seed=}, deterministic_target{seed=},
 * equilibrium_target{learner=, stop=}. */

int64_t wal_policy_source_count(void);
const wal_component *wal_policy_source_at(int64_t index);

/** A policy of all states on every rank: stage[h][s * A + a]. */
typedef struct wal_policy_table {
  double **stage; /**< [H] of [S * A]; each of wal_acquire() */
  int horizon;
} wal_policy_table;

/** Finds mistakes in the source's own parameters. Rank-local. */
wal_status wal_policy_source_check(wal_ctx *ctx, const wal_params *source);

/** Whether it is found by solving the game, not there already. Rank-local. */
bool wal_policy_source_solves(const wal_params *source);

/**
 * Makes the policy that a source describes; solves the game if it is an equilibrium. A file must
 * have a policy of the game's shape, of a game of its name; if it is a design's, the game is given
 * the parameters of its best design.
 * @param source  NULL: uniform
 * @param game    that of both spaces
 * @param space  of the game, over the job's ranks
 * @param whole  of the same game, of this rank alone
 * @collective job->ctx. WAL_EINPUT, WAL_ENOTFOUND, WAL_EIO about the file, by name.
 */
wal_status wal_policy_source_make(wal_job *job, wal_params *source, wal_game *game,
                                  const wal_space *space, const wal_space *whole,
                                  wal_policy_table *out);
/** The table of a policy that is spread over the ranks, as from{} would read it out of a run file
 *  that stores all digits. @collective ctx */
wal_status wal_policy_table_gather(wal_ctx *ctx, const wal_policy *policy, wal_policy_table *out);
void wal_policy_table_free(wal_ctx *ctx, wal_policy_table *table);

#endif
