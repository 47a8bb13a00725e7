// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_AGENTS_LOTTERY_H
#define WALRAS_SIM_AGENTS_LOTTERY_H

#include "sim/core/context.h"

/**
 * Who of those that tie gets what there is not enough of: so many winners, drawn uniformly without
 * replacement. Whoever wins depends on the seed, the stage, the lot's number and the agent only,
 * neither on the order of agents nor on the ranks that they are on.
 */
typedef struct wal_lot {
  uint64_t seed;
  uint32_t stage;
  uint32_t draw;   /**< 0; another one for another draw among the same agents (a third outcome) */
  uint64_t number; /**< of this lot among those of the stage, as an action */
} wal_lot;

/**
 * Holds lotteries among agents that are known one by one and spread over the ranks: each has a key
 * of 128 random bits, and the agents with the smallest keys of their lot win (so that winners[] of
 * one more add one, and take nobody out).
 * @param lots      lotteries, the same on all ranks
 * @param lot       [lots]
 * @param winners   [lots], the same on all ranks: 0 .. agents of the lot on all ranks
 * @param count     agents of this rank
 * @param agent     [count]: numbers of the agents; in no lot twice
 * @param lot_of    [count]: 0 .. lots-1
 * @param won       [count]: 1 or 0
 * @collective ctx. Two to four sums of about 2^15 integers for any number of agents. WAL_EINTERNAL
 * if there are more winners than agents, or agents that are in a lot twice.
 */
wal_status wal_lottery_hold(wal_ctx *ctx, int lots, const wal_lot *lot, const int64_t *winners,
                            int64_t count, const int64_t *agent, const int32_t *lot_of,
                            unsigned char *won);

/**
 * Holds one lottery among agents that are only counted: of members[i] in class i (a state, a block
 * of states), drawn[i] win, which is the multivariate hypergeometric distribution. Classes are
 * halved again and again, each time with the winners of the half by wal_hypergeometric(), so that
 * classes can be shared out: once over blocks of states, then over the states of each block.
 * Rank-local.
 * @param set      which of several such sharings of the same lot it is: 0 over the blocks, 1 + b in
 *                 block b; another set is drawn independently
 * @param count    classes, 1 .. 2^31 - 1
 * @param members  >= 0, with a sum of at most 2^53
 * @param winners  0 .. sum of members
 * Cost: that of wal_hypergeometric() a class.
 */
void wal_lottery_share(const wal_lot *lot, uint32_t set, int64_t count, const int64_t *members,
                       int64_t winners, int64_t *drawn);

#endif
