// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_TESTS_MPI_RUN_CONTENT_H
#define WALRAS_TESTS_MPI_RUN_CONTENT_H

#include "io/run_file.h"

/* Run files with something of every kind, for tests. Paths may have a prefix: with "/runs/a" the
   attributes of the root are those of the group of that name, which exists, and all lies below. */

typedef struct content_share {
  int64_t inner, first, count;
  bool rows; /**< spread along dimension 0: one row of `inner` an index */
} content_share;

/** What spread arrays hold, as matrices of dimension 0 and the others. */
double content_entry(int64_t row, int64_t column);
void content_fill(void *user, int64_t i, double *out);

extern const wal_dataset CONTENT_POLICY, CONTENT_LARGE, CONTENT_EVEN, CONTENT_DEEP, CONTENT_ROWS,
    CONTENT_SINGLE, CONTENT_LONG;

/** Writes an array unevenly spread over the ranks. */
wal_status content_spread(wal_run_file *file, wal_ctx *in, const char *prefix,
                          const wal_dataset *what, int split);
wal_status content_axes(wal_run_file *file, const char *prefix);
/** Everything but the large arrays. */
wal_status content_small(wal_run_file *file, wal_ctx *in, const char *prefix);
/** Everything. */
wal_status content_write(wal_run_file *file, wal_ctx *in, const char *prefix);

#endif
