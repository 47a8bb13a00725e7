// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_RLHF_CHOLESKY_H
#define WALRAS_RLHF_CHOLESKY_H

#include <stdbool.h>
#include <stdint.h>

/** Replaces the lower triangle of a symmetric matrix a [n][n] by that of L, a = L L'; what stands
 *  above it is left alone. False if the matrix is not positive definite. By blocks, on CBLAS. */
bool wal_cholesky(int64_t n, double *a);

#endif
