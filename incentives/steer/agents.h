// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_INCENTIVES_STEER_AGENTS_H
#define WALRAS_INCENTIVES_STEER_AGENTS_H

#include "sim/core/parameter.h"
#include "sim/game/tile.h"

typedef struct wal_agents wal_agents;

/**
 * How an agent learns from one episode to the next: from the values of its actions in what the
 * others play, with payments. A new rule is one file that defines wal_agents_<name>, and a line in
 * the list below. It remembers a number a pair of state and action, from which its policy follows.
 * Rank-local.
 */
typedef struct wal_agents_type {
  size_t struct_size;
  wal_component component; /**< kind "agent" */
  wal_status (*create)(wal_ctx *ctx, const wal_params *params, wal_agents *agents);
  /** Step after episode t = 1, 2, ... on a tile: memory [A][stride] by q [A][stride], at most
   *  WAL_FORBIDDEN / 2 where an action is not legal. */
  void (*step)(const wal_agents *agents, int64_t t, wal_tile tile, const double *q, double *memory);
  /** pi [A][stride] that memory stands for. */
  void (*read)(const wal_agents *agents, wal_tile tile, const double *memory, double *pi);
  bool remembers_policy; /**< memory is the policy itself; else it begins with 0 */
} wal_agents_type;

struct wal_agents {
  const wal_agents_type *type;
  double rate, entropy;
  double share;        /**< create() may leave -1: 1 / T */
  double horizon_rate; /**< rate / sqrt(T) if steps are of one size, for which create() leaves 1;
                            0: they are of rate / sqrt(t) */
};

/** The size of the step after episode t. */
double wal_agents_rate(const wal_agents *agents, int64_t t);

/** @param episodes  T */
wal_status wal_agents_create(wal_ctx *ctx, const wal_agents_type *type, const wal_params *params,
                             int64_t episodes, wal_agents *out);

#define WAL_AGENTS_RATE_PARAM                                                  \
  {                                                                            \
    .name = "rate", .type = WAL_REAL, .number = 1, .low = 0, .high = HUGE_VAL, \
    .meaning = "size of the first step"                                        \
  }
#define WAL_AGENTS_SCHEDULE_PARAM                                                              \
  {                                                                                            \
    .name = "schedule", .type = WAL_TEXT, .text = "anytime", .choices = "anytime|horizon",     \
    .meaning = "steps of rate / sqrt(t) after episode t, or of rate / sqrt(T) with T episodes" \
  }

/** All rules, in the order of `walras list agents`. */
#define WAL_AGENTS_LIST(X) \
  X(hedge)                 \
  X(fixed_share)           \
  X(mirror_descent)

#define WAL_AGENTS_DECLARE(name) extern const wal_agents_type wal_agents_##name;
WAL_AGENTS_LIST(WAL_AGENTS_DECLARE)
#undef WAL_AGENTS_DECLARE

int64_t wal_agents_count(void);
const wal_agents_type *wal_agents_at(int64_t index);
const wal_agents_type *wal_agents_find(const char *name);

#endif
