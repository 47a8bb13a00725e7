// SPDX-License-Identifier: GPL-3.0-or-later
/* Time to write a checkpoint, against `dd conv=fsync` of as many bytes to the same folder, in
 * turns: [mpirun -n RANKS] snapshot MIB TURNS FOLDER */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "io/checkpoint.h"
#include "sim/core/memory.h"

enum { ROWS = 16, PATH = 4096 };

/* User and system time of this process, or of dd. */
static double cpu_seconds(int who) {
  struct rusage used;
  getrusage(who, &used);
  return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         1e-6 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

static double time_dd(const char *folder, long mib) {
  char command[PATH];
  snprintf(command, sizeof command,
           "dd if=/dev/zero of='%s/plain' bs=1M count=%ld conv=fsync 2> /dev/null", folder, mib);
  const double start = wal_clock();
  const int status = system(command);
  const double seconds = wal_clock() - start;
  snprintf(command, sizeof command, "%s/plain", folder);
  unlink(command);
  return status == 0 ? seconds : 0;
}

static wal_status measure(wal_ctx *ctx, const char *folder, long mib, int turns) {
  char run[PATH];
  double *values = NULL;
  const int ranks = wal_ctx_size(ctx), rank = wal_ctx_rank(ctx);
  const int64_t block = 8192, whole = ((int64_t)mib << 17) / ROWS / block * block;
  const int64_t blocks = whole / block, first = blocks * rank / ranks * block;
  const int64_t own = blocks * (rank + 1) / ranks * block - first;
  snprintf(run, sizeof run, "%s/snapshot.h5", folder);
  WAL_TRY_ALL(ctx, wal_acquire(ctx, "the state", ROWS * own, sizeof *values, &values));
  for (int64_t i = 0; i < ROWS * own; i++) values[i] = 1.0 / (double)(i + 1 + rank);
  wal_state state = wal_state_start(ctx);
  wal_state_add_spread(&state, "policy", values, ROWS, own, whole, first, own);
  for (int i = 0; i < turns; i++) {
    const wal_checkpoint_head head = {
        .task = "solve", .source = "", .resolved = "{}", .scenario_file = "", .iteration = i};
    double plain_cpu = cpu_seconds(RUSAGE_CHILDREN);
    double plain = rank == 0 ? time_dd(folder, mib) : 0;
    plain_cpu = cpu_seconds(RUSAGE_CHILDREN) - plain_cpu;
    WAL_TRY(wal_agree(ctx, WAL_OK));
    const double start = wal_clock(), cpu = cpu_seconds(RUSAGE_SELF);
    WAL_TRY(wal_checkpoint_write(run, &head, &state));
    const double seconds = wal_clock() - start, own_cpu = cpu_seconds(RUSAGE_SELF) - cpu;
    if (rank == 0)
      printf(
          "snapshot of %ld MiB, %d ranks, turn %d: %.2f s (%.0f MB/s), dd %.2f s, ratio %.2f; "
          "CPU of rank 0 %.2f s, of dd %.2f s\n",
          mib, ranks, i + 1, seconds, (double)mib * 1.048576 / seconds, plain, plain / seconds,
          own_cpu, plain_cpu);
    wal_checkpoint_remove_all(ctx, run);
  }
  wal_release(ctx, &values);
  return WAL_OK;
}

int main(int argc, char **argv) {
  wal_ctx *ctx = NULL;
  mallopt(M_MMAP_THRESHOLD, 32 << 20);  // as cli/main.c
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
  if (argc != 4 || wal_ctx_open(&argc, &argv, 1, &ctx) != WAL_OK) return 64;
  const wal_status status = measure(ctx, argv[3], strtol(argv[1], NULL, 10), atoi(argv[2]));
  if (status != WAL_OK) fprintf(stderr, "%s\n", wal_ctx_error(ctx));
  wal_ctx_close(&ctx);
  return wal_status_exit(status);
}
