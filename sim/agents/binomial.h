// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_AGENTS_BINOMIAL_H
#define WALRAS_SIM_AGENTS_BINOMIAL_H

#include "sim/agents/stream.h"

/**
 * How many of n agents do what each of them does with probability p, independently.
 *
 * The method is exact: inversion where n min(p, 1-p) is below 10, else the transformed rejection of
 * Hoermann 1993 (BTRS), its hat and squeeze counted from the mode so that they hold for 64 bits.
 * What keeps it from being so to the last bit are doubles: probabilities are off by less than
 * 10^-12 of themselves, and what is rarer than 2^-53 may not occur.
 *
 * @param n  0 .. 2^53
 * @param p  0 .. 1; exactly 0 or n at the ends
 * Cost: 0.1 to 0.3 microseconds, whatever the numbers; 0.03 where n p is small, less below 2^-53.
 */
int64_t wal_binomial(wal_stream *stream, int64_t n, double p);

/** Logarithm of the probability that it is k; -HUGE_VAL where it cannot be. */
double wal_binomial_log(int64_t n, double p, int64_t k);

/**
 * How many of n agents do each of `count` things: out[i] with probability p[i] over the sum of all.
 * Things are halved again and again, each time with the agents of the half by wal_binomial(), until
 * nobody is left.
 * @param count  at least 1
 * @param p      >= 0, one of them > 0; where it is 0 nobody is
 * Cost: that of wal_binomial() a thing that anybody does, beside reading p.
 */
void wal_multinomial(wal_stream *stream, int64_t n, int64_t count, const double *p, int64_t *out);

#endif
