// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_CORE_EXPONENTIAL_H
#define WALRAS_SIM_CORE_EXPONENTIAL_H

#include <stdint.h>
#include <string.h>

#include "sim/core/hot.h"

/**
 * exp(x) for x <= 0 (and a little above), within 1 ulp; below -708.7 it is 0, so that no number is
 * subnormal; of a NaN, NaN. For the inner loops of softmax and its like: it is inlined there, and
 * the compiler makes vector code of it for the loop's instruction set, which takes two thirds of
 * what calling a vector library takes. Plain additions and multiplications in a fixed order:
 * the same bits on every CPU.
 *
 * x = n ln 2 + r with |r| <= ln 2 / 2, and exp(x) = 2^n (1 + r + r^2 (1/2 + r P(r))). P, of degree
 * 9, is the one for which the largest error relative to exp(r) is least (Remez exchange): 1.6e-19
 * before its coefficients are rounded.
 */
WAL_INLINE double wal_exp_inline(double x) {
  const double least = -709;        // where n = -1023, whose power of 2 comes out as 0 below
  const double rounder = 0x1.8p52;  // adding it rounds to whole numbers
  const double held = x < least ? least : x;
  const double shifted = held * 0x1.71547652b82fep+0 + rounder;  // 1 / ln 2
  const double n = shifted - rounder;
  const double r = (held - n * 0x1.62e42fee00000p-1) - n * 0x1.a39ef35793c76p-33;  // ln 2, in parts
  const double r2 = r * r, r4 = r2 * r2;
  const double c23 = 0.5 + r * 0x1.5555555555558p-3;
  const double c45 = 0x1.5555555555556p-5 + r * 0x1.111111110f809p-7;
  const double c67 = 0x1.6c16c16c15f3bp-10 + r * 0x1.a01a01b009961p-13;
  const double c89 = 0x1.a01a01a8bcbaep-16 + r * 0x1.71ddf6bb1f269p-19;
  const double c1011 = 0x1.27e4d5d9dce51p-22 + r * 0x1.af631d79c5005p-26;
  const double low = c23 + r2 * c45, middle = c67 + r2 * c89;
  const double high = c1011 + r2 * 0x1.1f7d96113f92fp-29;
  const double q = low + r4 * (middle + r4 * high);
  const double power = 1 + (r + r2 * q);
  uint64_t bits;  // n stands in the last bits of `shifted`
  memcpy(&bits, &shifted, sizeof bits);
  bits = (bits + 1023) << 52;
  double scale;
  memcpy(&scale, &bits, sizeof scale);
  return power * scale;
}

#endif
