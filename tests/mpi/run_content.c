// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/mpi/run_content.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/core/memory.h"

double content_entry(int64_t row, int64_t column) {
  return (double)row * 1e6 + (double)column * 0.125 + 1.0 / 3.0;
}

void content_fill(void *user, int64_t i, double *out) {
  const content_share *own = user;
  int64_t first = own->rows ? 0 : own->first * own->inner;
  int64_t count = own->rows ? own->inner : own->count * own->inner;
  for (int64_t k = 0; k < count; k++) out[k] = content_entry(i, first + k);
}

/* A dataset whose paths have a prefix. */
typedef struct placed {
  wal_dataset what;
  char path[128], scale[4][128];
} placed;

static const wal_dataset *place(placed *out, const char *prefix, const wal_dataset *what) {
  out->what = *what;
  snprintf(out->path, sizeof out->path, "%s%s", prefix, what->path);
  out->what.path = out->path;
  for (int d = 0; d < what->rank; d++) {
    if (!what->scale[d]) continue;
    snprintf(out->scale[d], sizeof out->scale[d], "%s%s", prefix, what->scale[d]);
    out->what.scale[d] = out->scale[d];
  }
  return &out->what;
}

static wal_status reals(wal_run_file *file, const char *prefix, const wal_dataset *what,
                        const double *values) {
  placed p;
  return wal_run_file_reals(file, place(&p, prefix, what), values);
}

static wal_status integers(wal_run_file *file, const char *prefix, const wal_dataset *what,
                           const int64_t *values) {
  placed p;
  return wal_run_file_integers(file, place(&p, prefix, what), values);
}

static wal_status texts(wal_run_file *file, const char *prefix, const wal_dataset *what,
                        const char *const *values) {
  placed p;
  return wal_run_file_texts(file, place(&p, prefix, what), values);
}

static wal_status group(wal_run_file *file, const char *prefix, const char *path) {
  char full[128];
  snprintf(full, sizeof full, "%s%s", prefix, path);
  return wal_run_file_group(file, full);
}

static wal_status link_to(wal_run_file *file, const char *prefix, const char *existing,
                          const char *path) {
  char from[128], to[128];
  snprintf(from, sizeof from, "%s%s", prefix, existing);
  snprintf(to, sizeof to, "%s%s", prefix, path);
  return wal_run_file_link(file, from, to);
}

wal_status content_spread(wal_run_file *file, wal_ctx *in, const char *prefix,
                          const wal_dataset *what, int split) {
  placed p;
  int64_t size = what->extent[split], ranks = wal_ctx_size(in), rank = wal_ctx_rank(in);
  // Uneven, and with more than two ranks the second has nothing.
  int64_t first = size * rank / ranks, end = size * (rank + 1) / ranks;
  if (ranks > 2 && rank == 1) end = first;
  if (ranks > 2 && rank == 2) first = size / ranks;
  content_share own = {.inner = 1, .first = first, .count = end - first, .rows = split == 0};
  for (int d = split + 1; d < what->rank; d++) own.inner *= what->extent[d];
  return wal_run_file_spread(file, place(&p, prefix, what), split, first, end - first, content_fill,
                             &own);
}

const wal_dataset CONTENT_POLICY = {.path = "/solution/policy",
                                    .units = "1",
                                    .long_name = "probability of the action",
                                    .rank = 3,
                                    .extent = {4, 40, 3},
                                    .scale = {"/axes/stage", "/axes/state", "/axes/action"}};
// 110017 is prime: the last chunk of every stage sticks out of the dataset.
const wal_dataset CONTENT_LARGE = {.path = "/plain/large",
                                   .units = "m",
                                   .long_name = "large",
                                   .rank = 3,
                                   .extent = {2, 110017, 5}};
const wal_dataset CONTENT_EVEN = {
    .path = "/plain/even", .units = "m", .long_name = "even", .rank = 2, .extent = {3, 40000}};
const wal_dataset CONTENT_DEEP = {
    .path = "/plain/deep", .units = "1", .long_name = "deep", .rank = 2, .extent = {1009, 700}};
const wal_dataset CONTENT_ROWS = {
    .path = "/plain/rows", .units = "1", .long_name = "rows", .rank = 2, .extent = {1013, 800}};
const wal_dataset CONTENT_SINGLE = {.path = "/plain/single",
                                    .units = "1",
                                    .long_name = "in single precision",
                                    .rank = 4,
                                    .extent = {3, 1001, 7, 5},
                                    .stored = WAL_STORED_SINGLE};
const wal_dataset CONTENT_LONG = {
    .path = "/plain/long", .units = "1", .long_name = "a column", .rank = 1, .extent = {600011}};

wal_status content_axes(wal_run_file *file, const char *prefix) {
  WAL_TRY(group(file, prefix, "/axes"));
  int64_t stage[4], state[40];
  for (int64_t i = 0; i < 4; i++) stage[i] = i;
  for (int64_t i = 0; i < 40; i++) state[i] = i;
  const char *action[3] = {"left", "stay", "nach rechts \xE2\x86\x92"};
  WAL_TRY(integers(file, prefix,
                   &(wal_dataset){.path = "/axes/stage",
                                  .units = "1",
                                  .long_name = "stage",
                                  .rank = 1,
                                  .extent = {4},
                                  .is_scale = true},
                   stage));
  WAL_TRY(integers(file, prefix,
                   &(wal_dataset){.path = "/axes/state",
                                  .units = "1",
                                  .long_name = "state",
                                  .rank = 1,
                                  .extent = {40},
                                  .is_scale = true},
                   state));
  return texts(file, prefix,
               &(wal_dataset){.path = "/axes/action",
                              .units = "1",
                              .long_name = "action",
                              .rank = 1,
                              .extent = {3},
                              .is_scale = true},
               action);
}

static wal_status write_small(wal_run_file *file, const char *prefix) {
  const char *root = prefix[0] ? prefix : "/";
  char trace[128], column_path[128];
  snprintf(trace, sizeof trace, "%s/trace", prefix);
  snprintf(column_path, sizeof column_path, "%s/trace/exploitability", prefix);
  WAL_TRY(group(file, prefix, "/scenario"));
  const char *source = "return solve {\n  game = beach_bar { states = 40 },\n}\n";
  WAL_TRY(texts(
      file, prefix,
      &(wal_dataset){.path = "/scenario/source", .units = "1", .long_name = "scenario as given"},
      &source));
  enum { LONG_TEXT = 300000 };
  char *resolved = calloc(LONG_TEXT + 1, 1);
  if (!resolved) return WAL_EINTERNAL;
  memset(resolved, 'r', LONG_TEXT);
  const char *value = resolved;
  wal_status status = texts(
      file, prefix,
      &(wal_dataset){.path = "/scenario/resolved", .units = "1", .long_name = "resolved"}, &value);
  free(resolved);  // the file has its own copy
  WAL_TRY(status);
  WAL_TRY(group(file, prefix, "/trace"));
  int64_t iteration[5] = {0, 1, 2, 3, INT64_MIN};
  double gap[5] = {1, 0.5, -0.0, NAN, INFINITY};
  wal_dataset column = {.path = "/trace/iteration",
                        .units = "1",
                        .long_name = "iteration",
                        .rank = 1,
                        .extent = {5},
                        .is_scale = true};
  WAL_TRY(integers(file, prefix, &column, iteration));
  column = (wal_dataset){.path = "/trace/exploitability",
                         .units = "reward",
                         .long_name = "gap",
                         .rank = 1,
                         .extent = {5},
                         .scale = {"/trace/iteration"}};
  WAL_TRY(reals(file, prefix, &column, gap));
  // What has no scales stays apart: h5netcdf opens no group with such arrays.
  WAL_TRY(group(file, prefix, "/plain"));
  column = (wal_dataset){
      .path = "/plain/none", .units = "1", .long_name = "no rows", .rank = 2, .extent = {0, 3}};
  WAL_TRY(reals(file, prefix, &column, gap));
  WAL_TRY(texts(
      file, prefix,
      &(wal_dataset){.path = "/plain/no_texts", .units = "1", .long_name = "no texts", .rank = 1},
      NULL));
  column = (wal_dataset){.path = "/plain/scalar", .units = "1", .long_name = "one"};
  WAL_TRY(reals(file, prefix, &column, &(double){0.1}));
  column.path = "/plain/scalar_single";
  column.stored = WAL_STORED_SINGLE;
  WAL_TRY(reals(file, prefix, &column, &(double){0.1}));
  WAL_TRY(wal_run_file_attribute_text(file, root, "task", "solve"));
  WAL_TRY(wal_run_file_attribute_integer(file, root, "seed", 7));
  WAL_TRY(wal_run_file_attribute_text(file, trace, "empty", ""));
  return wal_run_file_attribute_real(file, column_path, "floor", 1e-3);
}

wal_status content_small(wal_run_file *file, wal_ctx *in, const char *prefix) {
  WAL_TRY(content_axes(file, prefix));
  WAL_TRY(write_small(file, prefix));
  WAL_TRY(group(file, prefix, "/solution"));
  WAL_TRY(link_to(file, prefix, "/axes/stage", "/solution/stage"));
  WAL_TRY(link_to(file, prefix, "/axes/state", "/solution/state"));
  WAL_TRY(link_to(file, prefix, "/axes/action", "/solution/action"));
  return content_spread(file, in, prefix, &CONTENT_POLICY, 1);
}

wal_status content_write(wal_run_file *file, wal_ctx *in, const char *prefix) {
  WAL_TRY(content_small(file, in, prefix));
  WAL_TRY(content_spread(file, in, prefix, &CONTENT_LARGE, 1));
  WAL_TRY(content_spread(file, in, prefix, &CONTENT_EVEN, 1));
  WAL_TRY(content_spread(file, in, prefix, &CONTENT_DEEP, 1));
  WAL_TRY(content_spread(file, in, prefix, &CONTENT_ROWS, 0));
  WAL_TRY(content_spread(file, in, prefix, &CONTENT_SINGLE, 1));
  WAL_TRY(content_spread(file, in, prefix, &CONTENT_LONG, 0));
  // What rank 0 has whole may be large, too.
  double *many = NULL;
  wal_dataset large = {
      .path = "/plain/whole", .units = "1", .long_name = "whole", .rank = 2, .extent = {70000, 3}};
  WAL_TRY(wal_acquire(in, "test", 210000, sizeof *many, &many));
  for (int64_t i = 0; i < 210000; i++) many[i] = content_entry(i / 3, i % 3);
  wal_status status = reals(file, prefix, &large, many);
  wal_release(in, &many);
  return status;
}
