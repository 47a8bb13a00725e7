// SPDX-License-Identifier: GPL-3.0-or-later
#include "games/common.h"

#include <stdio.h>
#include <string.h>

#include "sim/core/hot.h"
#include "sim/core/memory.h"
#include "sim/core/vector_math.h"

void wal_game_free(wal_ctx *ctx, void *self) { wal_release(ctx, &self); }

void wal_game_start(const double *distribution, int64_t states, int64_t first, int64_t count,
                    double *mass) {
  double share = 1 / (double)states;
  for (int64_t i = 0; i < count; i++) mass[i] = distribution ? distribution[first + i] : share;
}

WAL_HOT static void add(int64_t n, const double *restrict x, double offset, double *restrict y) {
  for (int64_t i = 0; i < n; i++) y[i] = x[i] + offset;
}

WAL_HOT static void negate(int64_t n, double *restrict x) {
  for (int64_t i = 0; i < n; i++) x[i] = -x[i];
}

void wal_game_aversion(int64_t count, const double *mass, double offset, double *reward) {
  enum { CHUNK = 512 };  // the three passes stay in the first cache
  for (int64_t i = 0; i < count; i += CHUNK) {
    int64_t n = count - i < CHUNK ? count - i : CHUNK;
    add(n, mass + i, offset, reward + i);
    wal_vector_log(n, reward + i, reward + i);
    negate(n, reward + i);
  }
}

WAL_HOT void wal_game_sum_rows(int rows, int64_t stride, int64_t count, const double *restrict x,
                               double *restrict sum) {
  for (int64_t i = 0; i < count; i++) sum[i] = x[i];
  for (int row = 1; row < rows; row++)
    for (int64_t i = 0; i < count; i++) sum[i] += x[row * stride + i];
}

WAL_HOT void wal_game_add_scaled(int64_t count, double factor, const double *restrict x,
                                 double *restrict y) {
  for (int64_t i = 0; i < count; i++) y[i] += factor * x[i];
}

WAL_HOT static void pull_log(int64_t n, double weight, const double *restrict mass, double offset,
                             const double *restrict bar, double *restrict mass_bar) {
  for (int64_t i = 0; i < n; i++) mass_bar[i] -= weight * bar[i] / (mass[i] + offset);
}

void wal_game_aversion_vjp(int rows, int64_t stride, int64_t count, double weight,
                           const double *mass, double offset, const double *reward_bar,
                           double *mass_bar) {
  enum { CHUNK = 512 };
  double total[CHUNK];
  for (int64_t i = 0; i < count; i += CHUNK) {
    const int64_t n = count - i < CHUNK ? count - i : CHUNK;
    if (rows > 1) wal_game_sum_rows(rows, stride, n, reward_bar + i, total);
    pull_log(n, weight, mass + i, offset, rows > 1 ? total : reward_bar + i, mass_bar + i);
  }
}

WAL_HOT void wal_game_raised_aversion_vjp(int64_t count, double weight, const double *restrict mass,
                                          double low, const double *restrict reward_bar,
                                          double *restrict mass_bar) {
  for (int64_t i = 0; i < count; i++) {
    const double change = weight * reward_bar[i] / mass[i];  // divided in any case: no branch
    mass_bar[i] -= mass[i] > low ? change : 0;
  }
}

WAL_HOT void wal_game_scale(int64_t count, double factor, double *restrict x) {
  for (int64_t i = 0; i < count; i++) x[i] *= factor;
}

void wal_game_label(const char *const *names, int action, char *buffer, size_t size) {
  snprintf(buffer, size, "%s", names[action]);
}
