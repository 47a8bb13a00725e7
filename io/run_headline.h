// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_IO_RUN_HEADLINE_H
#define WALRAS_IO_RUN_HEADLINE_H

#include "io/hdf5_helpers.h"

/** Prints what an open run file comes to in a line or two: task, game, learner, iterations,
 *  exploitability and whether it converged, totals of an auction; of a sweep how many runs;
 *  of a steering the gaps. What a file lacks or cannot be read is left out, and fails nothing. */
void wal_run_headline_print(hid_t file, FILE *out);

#endif
