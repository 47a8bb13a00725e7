// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/harness.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void wal_test_begin(int *argc, char ***argv) {
  int rank = 0;
  MPI_Init(argc, argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  if (rank != 0 && freopen("/dev/null", "w", stdout) == NULL) {
    MPI_Abort(MPI_COMM_WORLD, EXIT_FAILURE);
  }
  if (*argc > 1) cmocka_set_test_filter((*argv)[1]);
}

int wal_test_end(int failures) {
  int failed = failures != 0;
  MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
  MPI_Finalize();
  return failed;
}

wal_ctx *wal_test_ctx(uint64_t seed) {
  wal_ctx *ctx = NULL;
  if (wal_ctx_create(MPI_COMM_WORLD, seed, &ctx) != WAL_OK) {
    MPI_Abort(MPI_COMM_WORLD, EXIT_FAILURE);
  }
  return ctx;
}

void wal_test_all(wal_ctx *ctx, bool condition, const char *what, const char *file, int line) {
  int holds = condition ? 1 : 0;
  if (!condition) print_error("rank %d: expected %s\n", wal_ctx_rank(ctx), what);
  MPI_Allreduce(MPI_IN_PLACE, &holds, 1, MPI_INT, MPI_MIN, wal_ctx_comm(ctx));
  if (!holds) _fail(file, line);
}

void wal_test_status(const wal_ctx *ctx, wal_status expected, wal_status actual, const char *what,
                     const char *file, int line) {
  if (actual == expected) return;
  print_error("%s: expected %s, got %s (%s)\n", what, wal_status_name(expected),
              wal_status_name(actual), ctx == NULL ? "" : wal_ctx_error(ctx));
  _fail(file, line);
}

static bool near(double actual, double expected, double tolerance) {
  if (actual == expected) return true;
  return fabs(actual - expected) <= tolerance * fmax(fabs(actual), fabs(expected));
}

void wal_test_near(double actual, double expected, double tolerance, const char *what,
                   const char *file, int line) {
  if (near(actual, expected, tolerance)) return;
  print_error("%s: expected %.17g, got %.17g: off by %.3g of it, allowed %.3g\n", what, expected,
              actual, fabs(actual - expected) / fmax(fabs(actual), fabs(expected)), tolerance);
  _fail(file, line);
}

void wal_test_within(double actual, double expected, double tolerance, const char *what,
                     const char *file, int line) {
  if (fabs(actual - expected) <= tolerance) return;
  print_error("%s: expected %.17g, got %.17g: off by %.3g, allowed %.3g\n", what, expected, actual,
              fabs(actual - expected), tolerance);
  _fail(file, line);
}

void wal_test_same(double actual, double expected, const char *what, const char *file, int line) {
  if (memcmp(&actual, &expected, sizeof actual) == 0) return;
  print_error("%s: expected the bits of %.17g (%a), got %.17g (%a)\n", what, expected, expected,
              actual, actual);
  _fail(file, line);
}

void wal_test_all_near(int64_t count, const double *actual, const double *expected,
                       double tolerance, const char *what, const char *file, int line) {
  int64_t worst = 0;
  int64_t failed = 0;
  double worst_gap = -1;
  for (int64_t i = 0; i < count; i++) {
    if (near(actual[i], expected[i], tolerance)) continue;
    failed++;
    double gap = fabs(actual[i] - expected[i]);
    if (isnan(gap)) gap = INFINITY;
    if (gap > worst_gap) {
      worst = i;
      worst_gap = gap;
    }
  }
  if (failed == 0) return;
  print_error("%" PRId64 " of %" PRId64 " numbers differ; the worst:\n", failed, count);
  char name[256];
  snprintf(name, sizeof name, "%s[%" PRId64 "]", what, worst);
  wal_test_near(actual[worst], expected[worst], tolerance, name, file, line);
}

void wal_test_contains(const char *text, const char *part, const char *file, int line) {
  if (text != NULL && strstr(text, part) != NULL) return;
  print_error("expected a text with \"%s\", got \"%s\"\n", part, text == NULL ? "(none)" : text);
  _fail(file, line);
}
