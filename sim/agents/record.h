// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_AGENTS_RECORD_H
#define WALRAS_SIM_AGENTS_RECORD_H

#include "sim/agents/population.h"

/** What some agents do in an episode, a row for each agent and stage, agent by agent. Zeroed, it is
 *  empty. */
typedef struct wal_record {
  int64_t rows;                            /**< agents followed, times stages */
  int64_t *agent, *stage, *state, *action; /**< [rows] */
  double *reward;                          /**< [rows] */
} wal_record;

/** Bytes that following so many agents takes. */
int64_t wal_record_cost(const wal_space *space, int64_t count);

/**
 * Plays the first episode of N agents one by one again and follows `count` of them, spread evenly
 * over their numbers (groups and populations have them by their sizes): agents of a group and a
 * population are alike, so that these are a sample of all.
 * @param count  1 .. N times the populations. Freed with wal_record_free()
 * @collective of the population's context. The same on every rank and number of ranks.
 */
wal_status wal_record_play(wal_population *population, int64_t agents, int64_t count,
                           wal_record *out);
void wal_record_free(wal_ctx *ctx, wal_record *record);

#endif
