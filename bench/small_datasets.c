// SPDX-License-Identifier: GPL-3.0-or-later
/* Times how a sweep writes small runs into one file, on one rank: processor time a dataset of 100
 * numbers with its attributes and scale, 20 of them a run.
 *
 *   small_datasets [RUNS]
 *
 * By ordinary calls; recorded, and replayed into the file; and to finish the file. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "io/run_file.h"

enum { DATASETS = 20, NUMBERS = 100 };

static double processor(void) { return (double)clock() / CLOCKS_PER_SEC; }

static wal_status write_run(wal_run_file *file, const char *prefix) {
  char path[64], scale[64];
  double values[NUMBERS];
  for (int i = 0; i < NUMBERS; i++) values[i] = 1.0 / (i + 1);
  snprintf(scale, sizeof scale, "%s/d0", prefix);
  WAL_TRY(wal_run_file_attribute_text(file, prefix[0] ? prefix : "/", "task", "solve"));
  WAL_TRY(wal_run_file_attribute_integer(file, prefix[0] ? prefix : "/", "seed", 1));
  for (int i = 0; i < DATASETS; i++) {
    snprintf(path, sizeof path, "%s/d%d", prefix, i);
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

static wal_status write_runs(wal_ctx *ctx, int runs, bool recorded, double seconds[2]) {
  wal_run_file *file = NULL, *record = NULL;
  const void *bytes = NULL;
  int64_t length = 0;
  seconds[0] = seconds[1] = 0;
  WAL_TRY(wal_run_file_create(ctx, "small_datasets.h5", true, &file));
  wal_status status = wal_run_file_group(file, "/runs");
  for (int i = 0; status == WAL_OK && i < runs; i++) {
    char group[32];
    snprintf(group, sizeof group, "/runs/run_%06d", i);
    double start = processor();
    if (recorded) {
      status = wal_run_file_record(ctx, &record);
      if (status == WAL_OK) status = write_run(record, "");
      if (status == WAL_OK) status = wal_run_file_recorded(record, &bytes, &length);
      seconds[0] += processor() - start;
      start = processor();
      if (status == WAL_OK) status = wal_run_file_replay(file, group, bytes, length);
      wal_run_file_discard(&record);
      seconds[1] += processor() - start;
    } else {
      status = wal_run_file_group(file, group);
      if (status == WAL_OK) status = write_run(file, group);
      seconds[0] += processor() - start;
    }
  }
  double start = processor();
  if (status == WAL_OK)
    status = wal_run_file_commit(&file);
  else
    wal_run_file_discard(&file);
  if (!recorded) seconds[1] = processor() - start;
  remove("small_datasets.h5");
  return status;
}

int main(int argc, char **argv) {
  wal_ctx *ctx = NULL;
  double ordinary[2], recorded[2];
  if (wal_ctx_open(&argc, &argv, 1, &ctx) != WAL_OK) return 1;
  const int runs = argc > 1 ? atoi(argv[1]) : 1000;
  const double scale = 1e3 / ((double)runs * DATASETS);
  wal_status status = write_runs(ctx, runs, false, ordinary);
  if (status == WAL_OK) status = write_runs(ctx, runs, true, recorded);
  if (status != WAL_OK)
    fprintf(stderr, "%s\n", wal_ctx_error(ctx));
  else
    printf(
        "%d runs of %d datasets, ms a dataset: written %.4f; recorded %.4f, replayed %.4f; "
        "finished %.4f\n",
        runs, DATASETS, ordinary[0] * scale, recorded[0] * scale, recorded[1] * scale,
        ordinary[1] * scale);
  wal_ctx_close(&ctx);
  return status != WAL_OK;
}
