// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_GAME_GAME_H
#define WALRAS_SIM_GAME_GAME_H

#include "sim/game/toll.h"

/**
 * A mean-field game: H stages, S states, A actions. At stage h a representative agent in state s
 * plays action a with probability pi_h(a|s); mu_h(s) is the mass of the state and
 * L_h(s,a) = mu_h(s) pi_h(a|s). A stage happens in four steps:
 *
 *   couple   every slab of states adds its share of the stage's statistic z_h; one reduction
 *   settle   z_h is completed once for all (a market clears, a mechanism answers)
 *   stage    rewards r_h(s,a) and probabilities c_{h,k}(s,a) of the outcomes k, from z_h and own L
 *   move     outcome k takes the agent to the post-decision state m = t_k(s,a), from where a fixed
 *            noise kernel draws the next state:
 *              mu_{h+1}(s') = sum_{s,a,k} L_h(s,a) c_{h,k}(s,a) N(s' | t_k(s,a))
 *              q_h(s,a)     = r_h(s,a) + sum_k c_{h,k}(s,a) (N V_{h+1})(t_k(s,a))
 *
 * Maps and noise do not depend on the population, only the probabilities do. A deterministic game
 * has no noise; sparse or dense transition rows of (s,a) are noise from the post-decision states m
 * = s*A + a.
 */

enum { WAL_AXES = 4, WAL_POPULATIONS = 8 };

/** One coordinate of a state: states are numbered row-major over the axes, the last one fastest. */
typedef struct wal_axis {
  const char *name;    /**< "row", "column", "inventory", ...; a static string */
  int64_t size;        /**< places on it */
  const double *label; /**< [size]: what stands at its places, as values of a grid (NaN: nothing);
                            lives as long as the game. NULL: 0, 1, 2, ... */
  const char *unit;    /**< of the labels; NULL: "1" */
} wal_axis;

/** Sizes of a game, filled by its create(). */
typedef struct wal_shape {
  int horizon;         /**< decision stages H >= 1 */
  int64_t states;      /**< S, 1 .. 2^31 - 1 */
  int actions;         /**< A */
  int outcomes;        /**< K; with K = 1 the one outcome has probability 1 */
  int populations;     /**< P: state s belongs to population s mod P; each has mass 1 */
  int64_t post_states; /**< M; 0 means that the maps give next states themselves (M = S) */
  int noise_terms;     /**< most entries in a row of the noise kernel; 0 without noise */
  int group;           /**< states g*group .. (g+1)*group-1 stand in one slab; a multiple of P */
  int statistic;       /**< numbers in z_h that couple() sums */
  int settled;         /**< further numbers behind them that settle() computes */
  bool whole;          /**< behind these z_h holds mu_h of all S states: a gathering a stage and
                            H * S numbers on every rank; a statistic is far cheaper */
  bool state_reward;   /**< rewards do not depend on the action: stage() writes one a state */
  bool action_outcome; /**< with K > 1: probabilities of outcomes depend on the action only, not on
                            the state: stage() writes outcome [K][A] */
  bool reads_policy;   /**< what stage() writes depends on the policy itself, not only through
                            masses and statistics */
  bool varies;         /**< maps and noise differ from stage to stage: H - 1 kernels are kept */
  int contests;        /**< C: what agents of a finite population contest, see quota() */
  int axes;            /**< coordinates of a state; 0: one, called "state" */
  wal_axis axis[WAL_AXES]; /**< [axes]; their sizes multiply to S */
  wal_axis action; /**< what the actions are, if they are places on an axis (with labels); else
                        its name is NULL */
} wal_shape;

/** A number that a game reports of every stage. */
typedef struct wal_report_column {
  const char *name, *unit, *meaning; /**< [a-z][a-z0-9_]*; "1" without; one line; all static */
  bool adds;                         /**< its sum over the stages means something, too */
} wal_report_column;

/** A row of numbers that a game reports of every stage: part of z_h. */
typedef struct wal_report_table {
  const char *name, *unit, *meaning; /**< as those of a column */
  int row;                           /**< it is z_h[row * A] and those behind, one an action */
} wal_report_table;

enum { WAL_REPORT_COLUMNS = 12, WAL_REPORT_TABLES = 4 };

/** What a game reports of a policy in its own mean field, beyond the solution itself. */
typedef struct wal_report_form {
  const char *group;                            /**< of the run file, as "auction" */
  const char *stage;                            /**< what a stage is called: "round" */
  int sums;                                     /**< numbers that measure() adds up */
  int columns, tables;                          /**< how many there are */
  wal_report_column column[WAL_REPORT_COLUMNS]; /**< in the order of the printed table */
  wal_report_table table[WAL_REPORT_TABLES];    /**< [tables] */
} wal_report_form;

enum { WAL_PARAMETER_PARTS = 16 };

/** Parameters that belong together, as the weights of a layer. */
typedef struct wal_parameter_part {
  const char *name;  /**< [a-z][a-z0-9_]*, a static string */
  int rank;          /**< 1 or 2 */
  int64_t extent[2]; /**< row-major; the second is 0 if the rank is 1 */
} wal_parameter_part;

/** The numbers of a game that a designer may choose. */
typedef struct wal_parameters {
  double *values; /**< [count]; the game's own: changes count from wal_game_designed() on */
  int64_t count;  /**< of values; 0: there is nothing to design */
  int parts;      /**< one after the other they make up the values */
  wal_parameter_part part[WAL_PARAMETER_PARTS]; /**< [parts] */
} wal_parameters;

/**
 * A run of states that an operation works on. Arrays over states start at its first state; arrays
 * over (state, action) are [action][stride] with the slab's states in front, arrays over outcomes
 * [outcome][action][stride].
 */
typedef struct wal_slab {
  int stage;      /**< h */
  int64_t first;  /**< global index of the first state */
  int64_t count;  /**< states */
  int64_t stride; /**< >= count */
} wal_slab;

/** A kind of game: its operations, below. */
typedef struct wal_game_type wal_game_type;

/**
 * Operations of a game. All are rank-local, are called per slab, never per state, and may be called
 * in any order of slabs. `struct_size` is sizeof(wal_game_type) where the game was compiled.
 */
struct wal_game_type {
  size_t struct_size;      /**< sizeof(wal_game_type) where it was compiled */
  wal_component component; /**< name, parameters; kind "game" */

  /* required */

  /** Reads the parameters (WAL_EINPUT by wal_params_fail() where they do not fit together), fills
   *  `shape` (zeroed before; populations, outcomes, group default to 1) and makes the game's own
   *  data. Rank-local, same result on all ranks. */
  wal_status (*create)(wal_ctx *ctx, wal_params *params, wal_shape *shape, void **self);
  void (*destroy)(wal_ctx *ctx, void *self); /**< frees what create() made */
  /** mass[i] of states first+i at stage 0; sums to 1 in each population. */
  void (*initial)(const void *self, int64_t first, int64_t count, double *mass);
  /** post[i] = t_k(first+i, action) after stage `stage` (of 0 .. H-2; always 0 unless
   *  shape.varies). Asked once, when the kernels are built. */
  void (*move)(const void *self, int stage, int outcome, int action, int64_t first, int64_t count,
               int64_t *post);
  /** Writes reward [A][stride] (with state_reward [count]) and, if K > 1, outcome [K][A][stride]
   *  (with action_outcome [K][A], the same for every slab; asked for once a stage). Either may be
   * NULL: not wanted. `statistic` is z_h, completed. `policy` is pi_h, [A][stride]. */
  void (*stage)(const void *self, const wal_slab *slab, const double *mass, const double *policy,
                const double *statistic, double *reward, double *outcome);

  /* optional: NULL selects the default */

  /** Row m = first+i of the noise kernel: target[e*count+i], weight[e*count+i] for e < noise_terms
   *  (or row_length());
   *  weights are >= 0 and sum to 1; entries of weight 0 are passed over. `stage` as in move().
   *  Default: no noise. */
  void (*noise)(const void *self, int stage, int64_t first, int64_t count, int64_t *target,
                double *weight);
  /** The most entries among rows first .. first+count-1 of the noise kernel, which noise() then
   *  writes for these rows. Worth having where a few rows are far longer than the others. Default:
   *  shape.noise_terms. */
  int (*row_length)(const void *self, int stage, int64_t first, int64_t count);
  /** legal[i] = 1 if the action may be played in state first+i, else 0; every state has an action
   *  that may. Policies give the others probability 0. Asked once. Default: all may. */
  void (*legal)(const void *self, int action, int64_t first, int64_t count, unsigned char *legal);
  /** Adds the slab's share to statistic[0..shape.statistic). Required if shape.statistic > 0. */
  void (*couple)(const void *self, const wal_slab *slab, const double *mass, const double *policy,
                 double *statistic);
  /** Computes statistic[shape.statistic ..] of `stage`. `statistics` holds z of all stages
   *  [H][numbers in z_h], those before `stage` completed. Every rank calls it with the same
   *  numbers. Required if shape.settled > 0. */
  void (*settle)(const void *self, int stage, double *statistics);
  /** Name of an action into buffer (at most size bytes), as "up". Default: actions have no names.
   */
  void (*action_name)(const void *self, int action, char *buffer, size_t size);
  /** What the game reports. Default: nothing. */
  const wal_report_form *report;
  /** Adds the slab's share to sums[0..form.sums): numbers that need the states, as couple(), but
   *  of the end only. `statistic` is z_h, completed. Required if report->sums > 0. */
  void (*measure)(const void *self, const wal_slab *slab, const double *mass, const double *policy,
                  const double *statistic, double *sums);
  /** Fills the report's columns of a stage from z_h and what measure() summed. Required if there
   *  are columns. */
  void (*conclude)(const void *self, int stage, const double *statistic, const double *sums,
                   double *column);

  /* optional: finite populations. N agents draw the stage's outcomes independently, agent i with
   * the probabilities c_{h,k}(s_i,a_i) that stage() gives in the agents' empirical masses; unless
   * the number of agents who get an outcome is fixed (goods that are sold, seats, quotas): */

  /** contest[i] of states first+i: the contest 0 .. shape.contests-1 that agents in this state take
   *  part in, or -1: none, their outcomes are independent. Asked once. Required with quota(). */
  void (*contest)(const void *self, int64_t first, int64_t count, int *contest);
  /**
   * How many agents each outcome happens to; takes the place of settle(). Of agents[p] >= 1 agents
   * of population p, played[c*A + a] are in contest c and play action a; exactly
   * quota[(k*C + c)*A + a] of these get outcome k, drawn uniformly without replacement whatever
   * their states are. Over k that sums to played[c*A + a].
   * `statistics` is as in settle(), z_h of this stage summed by couple() from the empirical masses.
   * They are completed such that stage() tells of these very agents: c_{h,k} of a contested (s,a)
   * is quota / played, rewards are means over the draw, and later stages see what happened. The
   * summed numbers may be replaced by what the counts say exactly.
   * Every rank calls it with the same numbers: `played` counts over all ranks. N may be 10^12.
   * Required if shape.contests > 0.
   */
  void (*quota)(const void *self, int stage, const int64_t *agents, const int64_t *played,
                double *statistics, int64_t *quota);

  /* optional: derivatives, for design by adjoints (docs/theory). The *bar* of x is the derivative
   * of one number by x, an array of the same shape. Each operation below is given the bars of what
   * the operation of its name writes, and adds what follows to the bars of what that reads. Where
   * the operation has a kink, the derivative from either side. A game that lacks one that it needs
   * has no derivatives; nothing is needed for operations that it lacks. */

  /** Of stage(). Required unless stage() reads neither mass nor policy nor statistic.
   *  @param reward_bar    [A][stride] (with state_reward [count]); NULL: 0
   *  @param outcome_bar   [K][A][stride] (with action_outcome the slab's share of [K][A]); NULL: 0
   *  @param statistic_bar [numbers in z_h]: the slab's share */
  void (*stage_vjp)(const void *self, const wal_slab *slab, const double *mass,
                    const double *policy, const double *statistic, const double *reward_bar,
                    const double *outcome_bar, double *mass_bar, double *policy_bar,
                    double *statistic_bar);
  /** Of couple(); `statistic_bar` is that of the numbers that it sums. */
  void (*couple_vjp)(const void *self, const wal_slab *slab, const double *mass,
                     const double *policy, const double *statistic_bar, double *mass_bar,
                     double *policy_bar);
  /** Of settle(), called for stages descending, by every rank with the same numbers: adds to
   *  bars[stage][0 .. shape.statistic), to the bars of earlier stages and to those of the
   *  parameters (NULL: not wanted). `statistics` are completed. What is dear may be put off until
   * flush_vjp(). */
  void (*settle_vjp)(const void *self, int stage, const double *statistics, double *bars,
                     double *parameters_bar);
  /** Adds to the parameters' bars what settle_vjp() put off. NULL: nothing. */
  void (*flush_vjp)(const void *self, double *parameters_bar);
  /** Of measure(). Required for objectives that are columns of the report. */
  void (*measure_vjp)(const void *self, const wal_slab *slab, const double *mass,
                      const double *policy, const double *statistic, const double *sums_bar,
                      double *mass_bar, double *policy_bar, double *statistic_bar);
  /** Of conclude(). */
  void (*conclude_vjp)(const void *self, int stage, const double *statistic, const double *sums,
                       const double *column_bar, double *statistic_bar, double *sums_bar);
  /** WAL_OK, or WAL_EINPUT with a text that names the part of this very game that has no
   *  derivatives (a script's function). Default: it has them if the operations are there. */
  wal_status (*differentiable)(wal_ctx *ctx, const void *self);
  /** What a designer may choose; the same on all ranks. Default: nothing. */
  void (*parameters)(const void *self, wal_parameters *out);
  /** Called when they have been changed. Default: nothing to do. */
  void (*designed)(void *self);

  /** The operations of this very game, made by create() and living as long as it, where they differ
   *  from those of its kind: a game around another one has those that the other one has. The kind's
   *  own is then a table of all that there may be. Default: the kind's. */
  const wal_game_type *(*operations)(const void *self);
  /** The game inside, of a game around another one. Default: there is none. */
  const struct wal_game *(*inside)(const void *self);

  /** WAL_OK, or the first failure of an operation above that has no way to return one (a script's
   *  function), with its text. Asked at the end of every sweep. Default: they do not fail. */
  wal_status (*failure)(wal_ctx *ctx, const void *self);
};

/** A game with its parameters. */
typedef struct wal_game {
  const wal_game_type *type; /**< of its kind, or what its operations() gives */
  void *self;                /**< the game's own, as create() gave it */
  wal_shape shape;           /**< its sizes */
  wal_toll toll;             /**< count 0: none */
} wal_game;

/** The game whose component `params` are of, known to the library or not: it is the one that holds
 *  the component, whose kind must be "game". */
const wal_game_type *wal_game_of(const wal_params *params);

/**
 * Makes a game and checks its shape. Rank-local, same on all ranks.
 * @param params  resolved parameters of type->component; must outlive the game
 * @param out     freed with wal_game_destroy()
 * @return WAL_EINPUT, as `file:line: ...`, for parameters that do not fit together; WAL_EINTERNAL
 * for a table of operations of another version or a shape that is none
 */
wal_status wal_game_create(wal_ctx *ctx, const wal_game_type *type, wal_params *params,
                           wal_game *out);
/** Frees what wal_game_create() made; a zeroed game is let pass. */
void wal_game_destroy(wal_ctx *ctx, wal_game *game);

/** Numbers in z_h: summed ones, settled ones, and with `whole` the masses of all states. */
static inline int64_t wal_game_statistics(const wal_game *game) {
  const wal_shape *shape = &game->shape;
  return (int64_t)shape->statistic + shape->settled + (shape->whole ? shape->states : 0);
}

/** What a designer may choose in a game: its toll if it has one, else what the game itself offers;
 *  count 0 if that is nothing. The values are the same on all ranks. */
void wal_game_parameters(const wal_game *game, wal_parameters *out);
/** To be called when they have been changed. */
void wal_game_designed(wal_game *game);

/** The stage() operation with the toll taken, rewards [A][stride] and outcomes [K][A][stride] in
 * any case. */
void wal_game_stage(const wal_game *game, const wal_slab *slab, const double *mass,
                    const double *policy, const double *statistic, double *reward, double *outcome);

/** From one row of rewards that stage() wrote with state_reward: all rows [A][stride]. */
void wal_game_spread_reward(const wal_game *game, const wal_slab *slab, double *reward);

/** Different kernels (maps and noise) of a game: one, or one a move. */
static inline int wal_game_kernels(const wal_game *game) {
  return game->shape.varies && game->shape.horizon > 2 ? game->shape.horizon - 1 : 1;
}

#endif
