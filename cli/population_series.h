// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_POPULATION_SERIES_H
#define WALRAS_CLI_POPULATION_SERIES_H

#include <stdio.h>

#include "cli/population_file.h"

/* A game played with several numbers of agents, one after the other: what `simulate` does, and what
 * a design or a solve does at its end. Its parameters are `agents`, `episodes` and `mode`. */

/** What is played, and how far it has come. Zeroed, it is empty. */
typedef struct wal_population_series {
  int64_t count, *agents; /**< [count] */
  int64_t episodes;       /**< with each number */
  wal_population population;
  int64_t row; /**< of agents[], at which it stands */
  wal_population_rows rows;
  int64_t done; /**< estimates that are complete: row * width */
  int64_t room;
  wal_population_estimate *estimate;
} wal_population_series;

/** How agents are kept. Rank-local, as all down to wal_population_series_done(). */
const wal_crowd_type *wal_population_series_mode(const wal_params *params);
/** Fills what was left out and finds mistakes. */
wal_status wal_population_series_check(wal_ctx *ctx, wal_params *params);
/** Takes the numbers from parameters that were checked. */
wal_status wal_population_series_read(wal_ctx *ctx, wal_params *params, wal_population_series *out);
void wal_population_series_free(wal_ctx *ctx, wal_population_series *series);
/** The largest number of agents. */
int64_t wal_population_series_most(const wal_population_series *series);
/** What work it is: stages of an agent, all episodes together. */
double wal_population_series_stages(const wal_population_series *series, const wal_shape *shape);
/** Refuses a population that makes a process need more memory than it may have.
 *  @param bytes  that it needs in all */
wal_status wal_population_series_fits(wal_ctx *ctx, const wal_params *params, double bytes);
/** Episodes so far, of all numbers. */
int64_t wal_population_series_done(const wal_population_series *series);
/** For a checkpoint; the population is made before. */
void wal_population_series_declare(wal_population_series *series, wal_state *state);

/** Plays all that is left. The population is made before. @collective the population's ctx */
wal_status wal_population_series_play(wal_population_series *series,
                                      const wal_population_watch *watch);

/** What has come of it all, and what is known exactly of few agents. Its rows are to be released.
 *  @collective ctx, which is the population's */
wal_status wal_population_series_results(wal_ctx *ctx, wal_population_series *series,
                                         wal_population_results *out);

/** The table: a line for each number of agents, and what goes with it. */
void wal_population_series_print(const wal_population_results *results, FILE *out);

/** A failure in the context of this rank alone, told to all. @collective ctx */
wal_status wal_population_series_agree(wal_ctx *ctx, const wal_ctx *alone, wal_status status);

#endif
