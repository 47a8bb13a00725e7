// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_INCENTIVES_DESIGN_OPTIMIZER_H
#define WALRAS_INCENTIVES_DESIGN_OPTIMIZER_H

#include "sim/core/parameter.h"
#include "sim/core/state.h"

/** An optimizer at work. */
typedef struct wal_optimizer wal_optimizer;

/**
 * How a step is made of a direction of ascent. A new one is one file that defines
 * wal_optimizer_NAME, and a line in the list below.
 *
 * GSL's multivariate minimizers search along lines, for which the objective must be evaluated often
 * and without noise; none takes a step from one gradient. Hence these.
 */
typedef struct wal_optimizer_type {
  size_t struct_size;      /**< sizeof(wal_optimizer_type) where it was compiled */
  wal_component component; /**< kind "optimizer"; has the parameters of WAL_OPTIMIZER_PARAMS */
  int memory;              /**< numbers a parameter that steps leave behind for the next one */
  /** Reads further parameters into optimizer->option[]. NULL: none. */
  void (*create)(const wal_params *params, wal_optimizer *optimizer);
  /** theta += ...; `rate` is that of this step. Rank-local. */
  void (*step)(wal_optimizer *optimizer, double rate, const double *direction, double *theta);
} wal_optimizer_type;

enum { WAL_OPTIMIZER_OPTIONS = 4 };

/** An optimizer at work on `count` parameters, the same on all ranks. */
struct wal_optimizer {
  const wal_optimizer_type *type; /**< its operations */
  wal_ctx *ctx;                   /**< not its own */
  int64_t count;                  /**< parameters */
  double rate, decay; /**< of the first step; share of it that is left at the last one */
  int64_t planned;    /**< steps that it will take */
  double option[WAL_OPTIMIZER_OPTIONS]; /**< the type's further parameters */
  /* state */
  int64_t steps;                     /**< taken */
  double *memory;                    /**< [type->memory][count] */
  int64_t memory_count, memory_room; /**< numbers of memory, and room for them */
};

/** The rate of step k of n is rate * decay^(k / n): it falls to `decay` times itself. */
#define WAL_OPTIMIZER_PARAMS(rate_)                                                           \
  {.name = "rate",                                                                            \
   .type = WAL_REAL,                                                                          \
   .number = (rate_),                                                                         \
   .low = 0,                                                                                  \
   .high = HUGE_VAL,                                                                          \
   .meaning = "size of the first step"},                                                      \
  {                                                                                           \
    .name = "decay", .type = WAL_REAL, .number = 1, .low = 1e-12, .high = 1,                  \
    .meaning =                                                                                \
        "share of the rate that is left at the last step; it falls by the same factor a step" \
  }

/** @param steps  that it will take: what the decay goes by. Rank-local, same on all ranks. */
wal_status wal_optimizer_create(wal_ctx *ctx, const wal_optimizer_type *type,
                                const wal_params *params, int64_t count, int64_t steps,
                                wal_optimizer **out);
/** Frees it and sets *optimizer to NULL; NULL is let pass. Rank-local. */
void wal_optimizer_destroy(wal_optimizer **optimizer);

/** Declares what a step leaves behind for the next one. */
void wal_optimizer_declare(wal_optimizer *optimizer, wal_state *state);

/** One step upwards. Rank-local. */
void wal_optimizer_step(wal_optimizer *optimizer, const double *direction, double *theta);

/** base^exponent for base >= 0, the same bits on every CPU, which pow() does not promise. */
double wal_optimizer_power(double base, double exponent);

/** All optimizers, in the order of `walras list optimizers`. */
#define WAL_OPTIMIZER_LIST(X) \
  X(adam)                     \
  X(sgd)

#define WAL_OPTIMIZER_DECLARE(name) extern const wal_optimizer_type wal_optimizer_##name;
WAL_OPTIMIZER_LIST(WAL_OPTIMIZER_DECLARE)
#undef WAL_OPTIMIZER_DECLARE

/** Number of optimizers. */
int64_t wal_optimizer_count(void);
/** One of them, 0 <= index < wal_optimizer_count(). */
const wal_optimizer_type *wal_optimizer_at(int64_t index);
/** Optimizer by name, NULL if there is none. */
const wal_optimizer_type *wal_optimizer_find(const char *name);

#endif
