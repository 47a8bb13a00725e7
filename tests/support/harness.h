// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_TESTS_SUPPORT_HARNESS_H
#define WALRAS_TESTS_SUPPORT_HARNESS_H

/* cmocka.h wants these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/core/context.h"

/**
 * cmocka under MPI, on any number of ranks (one, started without mpirun, too). A test program ends:
 *
 *   static const struct CMUnitTest tests[] = {cmocka_unit_test(mass_is_kept)};
 *   WAL_TEST_MAIN(tests)
 *
 * A failed assertion jumps out of the test. On several ranks therefore assert only what is the same
 * on all of them; what a rank knows alone goes through WAL_ASSERT_ALL. The program's first
 * argument, if any, selects tests by name, with * and ? as in the shell.
 */
#define WAL_TEST_MAIN(tests)                                          \
  int main(int argc, char **argv) {                                   \
    wal_test_begin(&argc, &argv);                                     \
    return wal_test_end(cmocka_run_group_tests((tests), NULL, NULL)); \
  }

/** For tests that share a context: `ctx`, and open_ctx() and close_ctx() for
 *  cmocka_run_group_tests(). */
#define WAL_TEST_CTX(seed)             \
  static wal_ctx *ctx;                 \
  static int open_ctx(void **state) {  \
    (void)state;                       \
    ctx = wal_test_ctx(seed);          \
    return 0;                          \
  }                                    \
  static int close_ctx(void **state) { \
    (void)state;                       \
    wal_ctx_destroy(&ctx);             \
    return 0;                          \
  }

/** MPI_Init; silences stdout of all ranks but 0 (stderr, where failures are told, stays). */
void wal_test_begin(int *argc, char ***argv);
/** MPI_Finalize; 1 on every rank if any rank had failures, else 0. */
int wal_test_end(int failures);

/** A context on all ranks; ends the program if it cannot be made. @collective MPI_COMM_WORLD */
wal_ctx *wal_test_ctx(uint64_t seed);

/** Fails on all ranks unless `condition` holds on all; names the ranks where it does not.
 *  @collective ctx */
#define WAL_ASSERT_ALL(ctx, condition) \
  wal_test_all((ctx), (condition), #condition, __FILE__, __LINE__)

/** The call must return WAL_OK; otherwise shows the context's error text. */
#define WAL_ASSERT_OK(ctx, expr) wal_test_status((ctx), WAL_OK, (expr), #expr, __FILE__, __LINE__)
/** The call must return `expected`. */
#define WAL_ASSERT_STATUS(ctx, expected, expr) \
  wal_test_status((ctx), (expected), (expr), #expr, __FILE__, __LINE__)

/** |actual - expected| <= tolerance * max(|actual|, |expected|); NaN is near nothing. */
#define WAL_ASSERT_NEAR(actual, expected, tolerance) \
  wal_test_near((actual), (expected), (tolerance), #actual, __FILE__, __LINE__)
/** |actual - expected| <= tolerance. */
#define WAL_ASSERT_WITHIN(actual, expected, tolerance) \
  wal_test_within((actual), (expected), (tolerance), #actual, __FILE__, __LINE__)
/** The same bits (so 0.0 is not -0.0, and a NaN is itself). */
#define WAL_ASSERT_SAME(actual, expected) \
  wal_test_same((actual), (expected), #actual, __FILE__, __LINE__)
/** As WAL_ASSERT_NEAR, element by element; names the worst one. */
#define WAL_ASSERT_ALL_NEAR(count, actual, expected, tolerance) \
  wal_test_all_near((count), (actual), (expected), (tolerance), #actual, __FILE__, __LINE__)

/** `text` must contain `part`; otherwise shows both. */
#define WAL_ASSERT_CONTAINS(text, part) wal_test_contains((text), (part), __FILE__, __LINE__)

void wal_test_all(wal_ctx *ctx, bool condition, const char *what, const char *file, int line);
void wal_test_status(const wal_ctx *ctx, wal_status expected, wal_status actual, const char *what,
                     const char *file, int line);
void wal_test_near(double actual, double expected, double tolerance, const char *what,
                   const char *file, int line);
void wal_test_within(double actual, double expected, double tolerance, const char *what,
                     const char *file, int line);
void wal_test_same(double actual, double expected, const char *what, const char *file, int line);
void wal_test_all_near(int64_t count, const double *actual, const double *expected,
                       double tolerance, const char *what, const char *file, int line);
void wal_test_contains(const char *text, const char *part, const char *file, int line);

#endif
