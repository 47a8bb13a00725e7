// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_UNITS_H
#define WALRAS_CLI_UNITS_H

#include "cli/component_list.h"
#include "cli/task.h"

/**
 * Work that is done in units: each of some components (mediators, methods) with each of the seeds.
 * All of them go on by the same steps (episodes, rounds), and none needs another one. Components
 * lie inside seeds; every rank has a run of units and does them alone. A unit's flat memory is all
 * that it leaves behind from one step to the next, and so what checkpoints hold.
 */
typedef struct wal_units {
  /* to be given: */
  wal_job *job;
  wal_ctx *alone;      /**< of this rank: where units are done */
  const char *task;    /**< its name */
  const char *subject; /**< what live views are told that it is about */
  const char *noun;    /**< of a step */
  const char *figure;  /**< name of what now() tells */
  int64_t steps;       /**< T */
  int64_t slice;       /**< steps between two pauses, at least 1 */
  int64_t components, seeds;
  int64_t start[WAL_COMPONENT_LIST_MOST + 1]; /**< where a component's memory begins in that of a
                                                   seed; and where that ends */
  void *user;
  /** Memory before the first step. Rank-local, as all of these; failures in `alone`. */
  wal_status (*begin)(void *user, int64_t component, uint64_t seed, double *memory);
  /** Goes on with a unit until it has made `until` steps. */
  wal_status (*run)(void *user, int64_t component, uint64_t seed, int64_t until, double *memory);
  /** A figure of the unit, of which `played` > 0 steps have been made. */
  double (*now)(void *user, int64_t played, const double *memory);
  /** Tells all ranks of a failure in `alone`, and what it was. @collective job->ctx */
  wal_status (*agree)(void *user, wal_status status);
  /* made by wal_units_deal(): */
  int64_t count;      /**< of all */
  int64_t first, own; /**< this rank's are first .. first + own - 1 */
  double *memory;     /**< of these */
  int64_t played;     /**< steps that all of them have made */
} wal_units;

/** Deals units to ranks and acquires the memory of this one's; to be freed with wal_units_free(),
 *  also after a failure. Rank-local, in `alone`. */
wal_status wal_units_deal(wal_units *units);
void wal_units_free(wal_units *units);

static inline int64_t wal_units_component(const wal_units *u, int64_t unit) {
  return unit % u->components;
}
/** Which of the seeds, 0 .. seeds - 1. */
static inline int64_t wal_units_seed(const wal_units *u, int64_t unit) {
  return unit / u->components;
}
static inline bool wal_units_are_own(const wal_units *u, int64_t unit) {
  return unit >= u->first && unit < u->first + u->own;
}
/** The seed itself: that of the task, or one of those that follow it. */
uint64_t wal_units_seed_at(const wal_units *units, int64_t seed);
/** Units of the rank that has most. */
int64_t wal_units_most(const wal_units *units);
/** The rank that has a unit. */
int wal_units_rank(const wal_units *units, int64_t unit);
/** The memory of an own unit. */
double *wal_units_memory(const wal_units *units, int64_t unit);

/**
 * Makes all steps of all units, or those that a checkpoint leaves; reports, saves and stops on the
 * way (cli/saving.h), after which it fails with WAL_ESTOPPED. @collective job->ctx
 */
wal_status wal_units_run(wal_units *units);

/** Brings what every unit came to to all ranks: read(user, memory, out) of own units.
 *  @param out  [components][seeds][size]. @collective job->ctx */
wal_status wal_units_share(const wal_units *units, int64_t size,
                           void (*read)(void *user, const double *memory, double *out),
                           double *out);

#endif
