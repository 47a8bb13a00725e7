// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_CORE_HOT_H
#define WALRAS_SIM_CORE_HOT_H

/**
 * Marks an inner loop to be compiled once for the base instruction set and once for AVX2, the right
 * one chosen when the program starts. No fused multiply-add is generated anywhere
 * (-ffp-contract=off), so both give the same bits. Builds with sanitizers leave it out.
 */
#if defined(WAL_MULTIVERSION) && defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define WAL_HOT __attribute__((target_clones("avx2", "default")))
#else
#define WAL_HOT
#endif

/** A helper of hot loops: always inlined, so that it is compiled with its caller's instruction set.
 */
#define WAL_INLINE static inline __attribute__((always_inline))

#endif
