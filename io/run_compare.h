// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_IO_RUN_COMPARE_H
#define WALRAS_IO_RUN_COMPARE_H

#include "sim/core/context.h"

/** How two run files differ. */
typedef struct wal_run_comparison {
  int64_t datasets;  /**< compared, outside /run */
  int64_t differing; /**< objects that differ in any way */
  char first[512];   /**< the first difference in order of names, a whole line of text:
                          "/solution/policy[0,3,1]: 0.25 against 0.5", "only in A: /x",
                          "/: attribute seed: 1 against 2" */
  char largest[512]; /**< the largest absolute difference of numbers in datasets, a line as
                          `first`, "" if none; one side NaN counts as infinite */
  double largest_difference;
} wal_run_comparison;

/** Compares two run files outside /run and /scenario/source (how a run was made and how its
 *  scenario was spelled may differ between equal runs): names, types, shapes, attributes, values
 * bit by bit (two NaNs of the same bits are equal; an object of several names is compared under
 * each). Lists of dimension scales are compared by the names of the scales. Reads pieces of at most
 *  16 MiB. Rank-local: call on one rank. WAL_ENOTFOUND if a file is missing, WAL_EIO (naming the
 *  dataset) if one is unreadable or not a walras run file. */
wal_status wal_run_compare(wal_ctx *ctx, const char *a, const char *b, wal_run_comparison *out);

#endif
