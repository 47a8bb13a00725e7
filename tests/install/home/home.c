// SPDX-License-Identifier: GPL-3.0-or-later
// A game of the library, solved: everyone turns left or right, where company costs twice as much.
#include <stdio.h>
#include <walras.h>

int main(int argc, char **argv) {
  const char *solve =
      "return solve { game = left_right {}, learner = fictitious_play {},"
      " stop = { iterations = 1000, every = 100 } }";
  wal_ctx *ctx = NULL;
  wal_study *study = NULL;
  double mass[3];  // in the centre, on the left, on the right
  if (wal_ctx_open(&argc, &argv, 1, &ctx) != WAL_OK) return 70;
  wal_status status = wal_study_create(ctx, "home.lua", solve, NULL, &study);
  if (status == WAL_OK) status = wal_study_solve(study);
  if (status == WAL_OK) status = wal_study_mass(study, 1, mass);
  if (status != WAL_OK) fprintf(stderr, "home: %s\n", wal_ctx_error(ctx));
  if (status == WAL_OK && wal_ctx_rank(ctx) == 0) {
    const wal_measure *start = study->trace.rows, *end = start + study->trace.count - 1;
    printf("left %.3f, right %.3f\n", mass[1], mass[2]);
    printf("everyone gets %.3f, and %.3f at the start\n", end->value, start->value);
    printf("one could still gain %.4f, and %.4f at the start\n", end->exploitability,
           start->exploitability);
  }
  wal_study_destroy(&study);
  wal_ctx_close(&ctx);
  return wal_status_exit(status);
}
