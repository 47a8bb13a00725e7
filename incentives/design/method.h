// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_INCENTIVES_DESIGN_METHOD_H
#define WALRAS_INCENTIVES_DESIGN_METHOD_H

#include "incentives/design/problem.h"
#include "sim/core/random.h"
#include "sim/core/state.h"

/** A method at work. */
typedef struct wal_method wal_method;

/** What a method found out at theta. */
typedef struct wal_method_result {
  double objective;     /**< G(theta), or an estimate of it */
  double gradient_norm; /**< of the direction; NaN without one */
  double residual;      /**< how far the learner is from the equilibrium that the method asks for:
                             change of probabilities that is left; NaN if it asks for none */
  bool exact;           /**< the objective is that of theta itself, and not of games of this step */
} wal_method_result;

/**
 * Where a design goes next. A method either gives a direction of ascent, from which an optimizer
 * makes a step, or moves the parameters itself. A new one is one file that defines
 * wal_method_NAME, and a line in the list below. What is drawn depends on the context's seed, the
 * restart and the step only, never on ranks.
 */
typedef struct wal_method_type {
  size_t struct_size;      /**< sizeof(wal_method_type) where it was compiled */
  wal_component component; /**< kind "method" */
  bool moves;              /**< moves the parameters: needs no optimizer */
  bool exact;              /**< its direction is the gradient of its objective */
  int memory;              /**< numbers that a step leaves behind for the next one */
  /** Reads the parameters into method->option[], and makes the problem ready. @collective */
  wal_status (*create)(const wal_params *params, wal_method *method);
  /** At theta: G, and either the direction (`out`) or the next parameters (`out`, which holds theta
   *  on entry). @collective */
  wal_status (*step)(wal_method *method, int64_t step, const double *theta, double *out,
                     wal_method_result *result);
} wal_method_type;

enum { WAL_METHOD_OPTIONS = 4 };

/** A method at work on a problem. */
struct wal_method {
  const wal_method_type *type;       /**< its operations */
  wal_problem *problem;              /**< not its own */
  int64_t restart;                   /**< which of several designs that differ in what they draw */
  double option[WAL_METHOD_OPTIONS]; /**< the type's parameters */
  double *drawn, *tried;             /**< [count] each: scratch */
  /* state */
  double *memory;                    /**< [type->memory] */
  int64_t memory_count, memory_room; /**< numbers of memory, and room for them */
};

/** WAL_EINPUT, with the methods that can be used, if this one needs derivatives that the game does
 * not have. Rank-local. */
wal_status wal_method_check(wal_ctx *ctx, const wal_method_type *type, const wal_params *params,
                            const wal_game *game);

/** @param problem  must outlive the method. @collective
 *  WAL_EINPUT if the method cannot be used on it, as one with gradients on a game without. */
wal_status wal_method_create(wal_problem *problem, const wal_method_type *type,
                             const wal_params *params, int64_t restart, wal_method **out);
/** Frees it and sets *method to NULL; NULL is let pass. Rank-local. */
void wal_method_destroy(wal_method **method);

/** Declares what a step leaves behind for the next one, in the problem, too. */
void wal_method_declare(wal_method *method, wal_state *state);

/** One step of the type. @collective. WAL_ENONFINITE if something is not finite. */
wal_status wal_method_step(wal_method *method, int64_t step, const double *theta, double *out,
                           wal_method_result *result);

/** Normal deviates, independent for every (restart, step, draw, i). [count] */
void wal_method_draw(const wal_method *method, wal_purpose purpose, int64_t step, int64_t draw,
                     double *out);

/** All methods, in the order of `walras list methods`. */
#define WAL_METHOD_LIST(X) \
  X(amid)                  \
  X(implicit)              \
  X(zeroth_order)          \
  X(anneal)

#define WAL_METHOD_DECLARE(name) extern const wal_method_type wal_method_##name;
WAL_METHOD_LIST(WAL_METHOD_DECLARE)
#undef WAL_METHOD_DECLARE

/** Number of methods. */
int64_t wal_method_count(void);
/** One of them, 0 <= index < wal_method_count(). */
const wal_method_type *wal_method_at(int64_t index);
/** Method by name, NULL if there is none. */
const wal_method_type *wal_method_find(const char *name);

#endif
