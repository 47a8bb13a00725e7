// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_INCENTIVES_DESIGN_OBJECTIVE_H
#define WALRAS_INCENTIVES_DESIGN_OBJECTIVE_H

#include "sim/game/adjoint.h"

/** An objective on a game. */
typedef struct wal_objective wal_objective;

/** What an objective reads of one tile of one stage. */
typedef struct wal_objective_tile {
  wal_slab slab;           /**< its stage and states */
  const double *mass;      /**< [count] */
  const double *pi;        /**< [A][stride] */
  const double *statistic; /**< z_h, completed */
} wal_objective_tile;

/**
 * What a designer wants more of: a number of the flow, and of the policy, summed over the stages,
 *
 *   g = sum_h conclude(h, z_h, sums_h),   sums_h = sum over tiles of add(h, tile).
 *
 * A new one is one file that defines wal_objective_NAME, and a line in the list below. All
 * operations are rank-local but begin(); those with `_vjp` are derivatives, as sim/game/game.h has
 * them, and are needed only by methods that use gradients.
 */
typedef struct wal_objective_type {
  size_t struct_size;      /**< sizeof(wal_objective_type) where it was compiled */
  wal_component component; /**< kind "objective" */
  /** Columns of the game's report that it needs: names, ending with NULL; NULL: none. */
  const char *const *columns;
  /** Reads the parameters, sets `sums`, may make `self`: one block from wal_acquire(). Of the space
   *  it may need the game alone; what else it has may be 0, as in wal_objective_check(). */
  wal_status (*create)(wal_ctx *ctx, wal_params *params, wal_objective *objective);
  /** Before the tiles of a stage; NULL: nothing. @collective */
  wal_status (*begin)(wal_objective *objective, const wal_flow *flow, int stage);
  /** Adds the tile's share to sums[0..objective->sums). */
  void (*add)(const wal_objective *objective, const wal_objective_tile *tile, double *sums);
  /** What the stage gives, from the sums over all tiles. Every rank with the same numbers. */
  double (*conclude)(const wal_objective *objective, int stage, const double *statistic,
                     const double *sums);
  /** Of conclude(). */
  void (*conclude_vjp)(const wal_objective *objective, int stage, const double *statistic,
                       const double *sums, double *statistic_bar, double *sums_bar);
  /** Of add(). */
  void (*add_vjp)(const wal_objective *objective, const double *sums_bar,
                  const wal_adjoint_tile *tile);
} wal_objective_type;

/** An objective on a game, and what it measured last. */
struct wal_objective {
  const wal_objective_type *type; /**< its operations */
  const wal_space *space;         /**< of the game; not its own */
  int sums;                       /**< numbers that add() adds up; set by create() */
  void *self;                     /**< the type's own */
  /* of the flow last measured */
  double *stage_sums;          /**< [H][sums] */
  double *sums_bar;            /**< [sums], of the stage that is being differentiated */
  double *room;                /**< a tile of the policy */
  struct wal_block_sum *adder; /**< room for sums over blocks */
  wal_adjoint_seed seed;       /**< its derivatives, for adjoint sweeps */
};

/**
 * Puts an objective on a game. WAL_EINPUT, with the objectives that the game has, if it lacks a
 * column of the report that this one needs.
 * @param space   must outlive the objective
 * @param params  resolved parameters of type->component; must outlive it, too
 * @collective
 */
wal_status wal_objective_create(const wal_space *space, const wal_objective_type *type,
                                wal_params *params, wal_objective **out);
/** Frees it and sets *objective to NULL; NULL is let pass. Rank-local. */
void wal_objective_destroy(wal_objective **objective);

/** Finds the mistakes that wal_objective_create() would find, and tabulates functions. Rank-local.
 */
wal_status wal_objective_check(wal_ctx *ctx, const wal_game *game, const wal_objective_type *type,
                               wal_params *params);

/** WAL_EINPUT if the game's report has no derivatives that the objective needs. Rank-local. */
wal_status wal_objective_check_derivatives(const wal_objective *objective);

/** g of a policy and its flow, the same bits on every number of ranks. @collective.
 *  Cost: one read of the policy and a gathering of block sums a stage. */
wal_status wal_objective_measure(wal_objective *objective, const wal_flow *flow,
                                 const wal_policy *policy, double *out);

/** The derivatives of g at the flow last measured, for wal_adjoint_run() with that flow. */
const wal_adjoint_seed *wal_objective_seed(wal_objective *objective);

/** All objectives, in the order of `walras list objectives`. */
#define WAL_OBJECTIVE_LIST(X) \
  X(revenue)                  \
  X(efficiency)               \
  X(mix)                      \
  X(congestion)               \
  X(target_flow)              \
  X(weights)

#define WAL_OBJECTIVE_DECLARE(name) extern const wal_objective_type wal_objective_##name;
WAL_OBJECTIVE_LIST(WAL_OBJECTIVE_DECLARE)
#undef WAL_OBJECTIVE_DECLARE

/** Number of objectives. */
int64_t wal_objective_count(void);
/** One of them, 0 <= index < wal_objective_count(). */
const wal_objective_type *wal_objective_at(int64_t index);
/** Objective by name, NULL if there is none. */
const wal_objective_type *wal_objective_find(const char *name);

#endif
