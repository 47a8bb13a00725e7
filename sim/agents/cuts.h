// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_AGENTS_CUTS_H
#define WALRAS_SIM_AGENTS_CUTS_H

#include "sim/agents/crowd.h"

/**
 * Who gets what in the contests of agents that are known one by one, without a list of them. Every
 * agent has a number of 31 random bits, its lot. Of those in a contest who play an action (a
 * class), the ones with the smallest lots get the first outcome, and so on: outcomes are cut off by
 * lots. Cuts are looked for by the upper bits of lots, of which a table is counted; the few agents
 * between whom a cut runs hold a lottery (lottery.h). A class of which all get the same needs no
 * counting. Lots are independent of all else, so that every way to deal the outcomes out is equally
 * likely.
 */
enum { WAL_LOT_BITS = 31 };

/** Agents of this rank: those with the numbers first + i. */
typedef struct wal_cut_members {
  int64_t first, count;
  int64_t total;        /**< of all ranks */
  const uint32_t *pair; /**< [count]: s * A + a */
  uint32_t stage;       /**< of the words that lots are read from */
} wal_cut_members;

typedef struct wal_cuts {
  uint32_t *cut;  /**< [C * A][K - 1]: outcomes are the numbers of cuts that the lot is not below */
  uint32_t width; /**< nobody is set aside whose lot is so far beyond the last cut, or more; 0:
                     there is nobody to be set aside */
  /* agents for whom that is not so, set aside in ascending order */
  int64_t exceptions;
  int64_t *agent;   /**< [exceptions] */
  uint32_t *pair;   /**< [exceptions] */
  int32_t *outcome; /**< [exceptions], when they have been dealt out */
  struct wal_cuts_scratch *scratch;
} wal_cuts;

/** Lets a game without contests pass, as the others do. Rank-local. */
wal_status wal_cuts_create(const wal_crowd *crowd, wal_cuts *out);
void wal_cuts_destroy(const wal_crowd *crowd, wal_cuts *cuts);

/** Finds the cuts, from crowd->left and crowd->rivals. @collective crowd->ctx; a pass over the
 *  agents if somebody ties. */
wal_status wal_cuts_find(const wal_crowd *crowd, const wal_cut_members *members, wal_cuts *cuts);

/** Sets an agent aside if a cut runs between those that have its upper bits; to be called for all
 *  within `width` beyond a cut. Rank-local. */
wal_status wal_cuts_set_aside(const wal_crowd *crowd, int64_t agent, uint32_t pair, uint32_t lot,
                              wal_cuts *cuts);

/** Outcomes of those set aside, unless width is 0. @collective crowd->ctx */
wal_status wal_cuts_deal_out(const wal_crowd *crowd, wal_cuts *cuts);

/** The lot of an agent from word 1 of its draw. */
static inline uint32_t wal_lot_of(uint32_t word) { return word >> (32 - WAL_LOT_BITS); }

#endif
