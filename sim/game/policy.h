// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_GAME_POLICY_H
#define WALRAS_SIM_GAME_POLICY_H

#include "sim/core/state.h"
#include "sim/game/space.h"
#include "sim/game/tile.h"

/** What the stored numbers of a policy are. */
typedef enum wal_policy_kind {
  WAL_POLICY_LOGITS,        /**< pi = softmax of them; probabilities are made tile by tile */
  WAL_POLICY_PROBABILITIES, /**< pi itself */
  WAL_POLICY_SIGNED,        /**< pi in the signed form of sim/game/tile.h; below 1e-300 read as 0 */
} wal_policy_kind;

/** A policy for all stages, the own states of a rank: one array of policy size, two with a memo. */
typedef struct wal_policy {
  const wal_space *space; /**< not its own */
  wal_policy_kind kind;   /**< what `values` are */
  double *values;         /**< [H][space->pairs] */
  /* Memo of logits: what wal_policy_read() would compute again, for tiles that are known. It takes
     another array of policy size and saves one of two exponentials an action and iteration; not
     kept where the array is large (policy.c). Same bits with and without. */
  double *probabilities; /**< [H][space->pairs], or NULL */
  double *log_norms;     /**< [H][tiles][tile size] */
  unsigned char *known;  /**< [H][tiles] */
} wal_policy;

/** Stored in place of the logit of an action that is not legal, and added to its reward: whatever
 * is weighed against it, its exponential is 0, and products of it with 0 stay 0. */
#define WAL_FORBIDDEN (-1e300)

/** The policy that plays all legal actions alike, of any kind. Rank-local. */
wal_status wal_policy_create(const wal_space *space, wal_policy_kind kind, wal_policy *out);
/** Frees what it holds; a zeroed policy is let pass. Rank-local. */
void wal_policy_destroy(wal_policy *policy);

/** Declares an array of policy size, tile by tile as it stands in memory: tiles do not depend on
 * the number of ranks. */
void wal_policy_declare(const wal_space *space, double *values, const char *name, wal_state *state);
/** To be called when a policy's values have been read back. */
void wal_policy_restored(wal_policy *policy);

/** The tile that a slab is, for the arithmetic of sim/game/tile.h. */
static inline wal_tile wal_tile_of(const wal_space *space, const wal_slab *slab) {
  return (wal_tile){slab->count, slab->stride, space->game->shape.actions};
}

/** The stored numbers of a tile. */
static inline double *wal_policy_tile(const wal_policy *policy, int stage, int64_t tile) {
  return policy->values + stage * policy->space->pairs + wal_space_pair(policy->space, tile);
}

/** What is remembered of a tile's logits; zeroes if nothing is kept. */
typedef struct wal_policy_memo {
  double *probabilities; /**< [A][stride] */
  double *log_norm;      /**< [stride] */
  unsigned char *known;  /**< whether the two hold; NULL: nothing is kept */
} wal_policy_memo;
/** That of a tile of this rank. */
wal_policy_memo wal_policy_memo_of(const wal_policy *policy, int stage, int64_t tile);

/** To be told whenever a tile's stored numbers have been changed: what is remembered is void. */
static inline void wal_policy_changed(const wal_policy *policy, int stage, int64_t tile) {
  if (policy->known) policy->known[stage * policy->space->tiles + tile] = 0;
}

/** Whether wal_policy_read() takes no exponential for tiles that have been read before. */
static inline bool wal_policy_rereads(const wal_policy *policy) {
  return policy->kind != WAL_POLICY_LOGITS || policy->probabilities;
}

/** Takes from a tile's actions that are not legal what an update gave them, and scales the
 *  probabilities of the others to the sum 1. */
void wal_policy_forbid(const wal_policy *policy, int stage, int64_t tile);

/** Puts WAL_FORBIDDEN in place of the rewards [A][stride] of a tile's actions that are not legal.
 */
void wal_space_forbid(const wal_space *space, int64_t tile, double *reward);

/**
 * Probabilities of a tile, [A][stride].
 * @param scratch   room for a tile; used unless the probabilities stand somewhere
 * @param log_norm  NULL, or receives log sum_a exp(y) per state (logits only)
 */
const double *wal_policy_read(const wal_policy *policy, const wal_slab *slab, int64_t tile,
                              double *scratch, double *log_norm);

/** Probabilities of the own states at one stage, row-major [states.count][A], as run files hold
 *  them. */
void wal_policy_export(const wal_policy *policy, int stage, double *out);

#endif
