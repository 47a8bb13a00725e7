// SPDX-License-Identifier: GPL-3.0-or-later
#include "rlhf/cholesky.h"

#include <cblas.h>
#include <math.h>

enum { BLOCK = 32 };

/* One block, of which `size` rows are there, inside a matrix of rows of n. */
static bool factor_block(int64_t size, int64_t n, double *a) {
  for (int64_t j = 0; j < size; j++) {
    double pivot = a[j * n + j];
    for (int64_t k = 0; k < j; k++) pivot -= a[j * n + k] * a[j * n + k];
    if (!(pivot > 0) || !isfinite(pivot)) return false;
    const double root = sqrt(pivot);
    a[j * n + j] = root;
    for (int64_t i = j + 1; i < size; i++) {
      double sum = a[i * n + j];
      for (int64_t k = 0; k < j; k++) sum -= a[i * n + k] * a[j * n + k];
      a[i * n + j] = sum / root;
    }
  }
  return true;
}

bool wal_cholesky(int64_t n, double *a) {
  for (int64_t at = 0; at < n; at += BLOCK) {
    const int64_t size = n - at < BLOCK ? n - at : BLOCK, below = n - at - size;
    double *diagonal = a + at * n + at, *panel = diagonal + size * n;
    if (!factor_block(size, n, diagonal)) return false;
    if (below == 0) break;
    cblas_dtrsm(CblasRowMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit, (int)below,
                (int)size, 1, diagonal, (int)n, panel, (int)n);
    cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, (int)below, (int)size, -1, panel, (int)n,
                1, panel + size, (int)n);
  }
  return true;
}
