// SPDX-License-Identifier: GPL-3.0-or-later
/* How long a run file of many small runs takes, as a sweep writes them: RUNS groups (first
 * argument, 1000) of 20 datasets of 100 numbers with their attributes and scales. One rank. */
#include <stdio.h>
#include <stdlib.h>

#include "io/run_file.h"

enum { DATASETS = 20, NUMBERS = 100 };

static wal_status write_one(wal_run_file *file, const char *group) {
  char path[64], scale[64];
  double values[NUMBERS];
  for (int i = 0; i < NUMBERS; i++) values[i] = 1.0 / (i + 1);
  snprintf(scale, sizeof scale, "%s/d0", group);
  WAL_TRY(wal_run_file_group(file, group));
  WAL_TRY(wal_run_file_attribute_text(file, group, "task", "solve"));
  WAL_TRY(wal_run_file_attribute_integer(file, group, "seed", 1));
  for (int i = 0; i < DATASETS; i++) {
    snprintf(path, sizeof path, "%s/d%d", group, i);
    const wal_dataset d = {.path = path,
                           .units = "reward",
                           .long_name = "what stands in this column",
                           .rank = 1,
                           .extent = {NUMBERS},
                           .scale = {i ? scale : NULL},
                           .is_scale = i == 0};
    WAL_TRY(wal_run_file_reals(file, &d, values));
  }
  return WAL_OK;
}

int main(int argc, char **argv) {
  wal_ctx *ctx = NULL;
  wal_run_file *file = NULL;
  if (wal_ctx_open(&argc, &argv, 1, &ctx) != WAL_OK) return 1;
  const int runs = argc > 1 ? atoi(argv[1]) : 1000;
  double start = wal_clock();
  wal_status status = wal_run_file_create(ctx, "small_datasets.h5", true, &file);
  if (status == WAL_OK) status = wal_run_file_group(file, "/runs");
  for (int i = 0; status == WAL_OK && i < runs; i++) {
    char group[32];
    snprintf(group, sizeof group, "/runs/run_%06d", i);
    status = write_one(file, group);
  }
  double written = wal_clock();
  if (status == WAL_OK) status = wal_run_file_commit(&file);
  double end = wal_clock();
  if (status != WAL_OK) fprintf(stderr, "%s\n", wal_ctx_error(ctx));
  printf("%d runs: %.4f ms a dataset to write, %.4f ms to finish\n", runs,
         1e3 * (written - start) / runs / DATASETS, 1e3 * (end - written) / runs / DATASETS);
  wal_ctx_close(&ctx);
  return status != WAL_OK;
}
