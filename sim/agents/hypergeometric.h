// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_AGENTS_HYPERGEOMETRIC_H
#define WALRAS_SIM_AGENTS_HYPERGEOMETRIC_H

#include "sim/agents/stream.h"

/**
 * How many of `draws` agents, chosen without replacement from good + bad, are among the good ones.
 *
 * The method is exact: inversion from the mode outwards where the variance is at most 256, else
 * rejection from the hat that dominates every log-concave distribution (Devroye 1987). What keeps
 * it from being so to the last bit are doubles: probabilities are off by less than 10^-12 of
 * themselves, and what is rarer than 2^-53 may not occur.
 *
 * @param good,bad  >= 0, with a sum of at most 2^53
 * @param draws     0 .. good + bad
 * Cost: one to four microseconds, whatever the numbers.
 */
int64_t wal_hypergeometric(wal_stream *stream, int64_t good, int64_t bad, int64_t draws);

/** Logarithm of the probability that it is k; -HUGE_VAL where it cannot be. */
double wal_hypergeometric_log(int64_t good, int64_t bad, int64_t draws, int64_t k);

#endif
