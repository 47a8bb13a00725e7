// SPDX-License-Identifier: GPL-3.0-or-later
#define _XOPEN_SOURCE 700

#include "io/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/checkpoint_parts.h"
#include "io/run_file.h"
#include "sim/core/memory.h"

enum { KEPT = 2, FIELD_PATH = 96 };

static const char MARK[] = ".checkpoint-", ENDING[] = ".h5";

// ---- Names ------------------------------------------------------------------------------------

int wal_run_stem_length(const char *run) {
  const size_t length = strlen(run), ending = sizeof ENDING - 1;
  const bool ends = length > ending && strcmp(run + length - ending, ENDING) == 0;
  return (int)(ends ? length - ending : length);
}

const char *wal_checkpoint_name(const char *run, int64_t iteration, char *out) {
  snprintf(out, WAL_CHECKPOINT_PATH, "%.*s%s%lld%s", wal_run_stem_length(run), run, MARK,
           (long long)iteration, ENDING);
  return out;
}

/* Iteration in the name of a file that is a checkpoint of the run, else -1. */
static int64_t iteration_of(const char *run, const char *name) {
  const char *slash = strrchr(run, '/');
  const char *base = slash ? slash + 1 : run;
  const size_t stem = (size_t)(wal_run_stem_length(run) - (base - run));
  if (strncmp(name, base, stem) != 0 || strncmp(name + stem, MARK, sizeof MARK - 1) != 0) return -1;
  const char *digits = name + stem + sizeof MARK - 1;
  char *end = NULL;
  const long long iteration = strtoll(digits, &end, 10);
  const bool good = *digits >= '0' && *digits <= '9' && end != digits && strcmp(end, ENDING) == 0;
  return good ? (int64_t)iteration : -1;
}

/* On this rank; -1 if there is none. */
static int64_t find_newest(const char *run, int64_t before) {
  int64_t newest = -1;
  DIR *list = wal_checkpoint_folder(run);
  for (struct dirent *entry; list && (entry = readdir(list)) != NULL;) {
    const int64_t iteration = iteration_of(run, entry->d_name);
    if (iteration < before && iteration > newest) newest = iteration;
  }
  if (list) closedir(list);
  return newest;
}

wal_status wal_checkpoint_newest(wal_ctx *ctx, const char *run, int64_t before, int64_t *out) {
  *out = INT64_MAX;
  if (wal_ctx_rank(ctx) == 0) *out = find_newest(run, before);
  return wal_ctx_least_integer(ctx, out);
}

/* On this rank: all older than `before`. */
static void remove_older(const char *run, int64_t before) {
  char path[WAL_CHECKPOINT_PATH];
  for (int64_t i = find_newest(run, before); i >= 0; i = find_newest(run, i))
    unlink(wal_checkpoint_name(run, i, path));
}

static bool always(void *user, int64_t number) {
  (void)user;
  return number >= 0;
}

static bool is_checkpoint(const char *run, const char *name) {
  return iteration_of(run, name) >= 0;
}

void wal_checkpoint_sweep(wal_ctx *ctx, const char *run) {
  if (wal_ctx_rank(ctx) == 0) wal_run_file_sweep(run, is_checkpoint);
}

void wal_checkpoint_remove_all(wal_ctx *ctx, const char *run) {
  if (wal_ctx_rank(ctx) != 0) return;
  remove_older(run, INT64_MAX);
  wal_checkpoint_parts_remove(run, "run", always, NULL);
  wal_checkpoint_parts_remove(run, "part", always, NULL);
  wal_checkpoint_sweep(ctx, run);
}

// ---- Writing ----------------------------------------------------------------------------------

static wal_status write_field(wal_run_file *file, const wal_field *field) {
  char path[FIELD_PATH];
  wal_field f = *field;
  snprintf(path, sizeof path, "/checkpoint/%s", f.name);
  if (f.kind == WAL_FIELD_INTEGER)
    return wal_run_file_attribute_integer(file, "/checkpoint", f.name, *f.integer);
  wal_dataset d = {.path = path, .units = "1", .long_name = "state of the task", .rank = 2};
  if (f.kind == WAL_FIELD_ITEMS) {
    d.extent[0] = *f.integer;
    d.extent[1] = (int64_t)(f.item / sizeof(int64_t));
    return wal_run_file_integers(file, &d, *(int64_t *const *)f.array);
  }
  d.extent[0] = f.rows;
  d.extent[1] = f.whole;
  return wal_run_file_spread_array(file, &d, 1, f.first, f.count, f.values, f.stride);
}

static wal_status write_head(wal_run_file *file, const char *run, const wal_checkpoint_head *head) {
  const char *slash = strrchr(run, '/');
  const wal_dataset source = {
      .path = "/scenario/source", .units = "1", .long_name = "scenario as given"};
  const wal_dataset resolved = {.path = "/scenario/resolved",
                                .units = "1",
                                .long_name = "scenario with all defaults, as JSON"};
  WAL_TRY(wal_run_file_attribute_text(file, "/", "task", head->task));
  WAL_TRY(wal_run_file_attribute_integer(file, "/", "seed", head->seed));
  WAL_TRY(wal_run_file_group(file, "/scenario"));
  WAL_TRY(wal_run_file_attribute_text(file, "/scenario", "file", head->scenario_file));
  WAL_TRY(wal_run_file_texts(file, &source, &head->source));
  WAL_TRY(wal_run_file_texts(file, &resolved, &head->resolved));
  WAL_TRY(wal_run_file_group(file, "/checkpoint"));
  WAL_TRY(wal_run_file_attribute_text(file, "/checkpoint", "run", slash ? slash + 1 : run));
  return wal_run_file_attribute_integer(file, "/checkpoint", "at", head->iteration);
}

double wal_checkpoint_bytes(const wal_checkpoint_head *head, const wal_state *state) {
  // Chunks stick out of a dataset by some, and there is the index of them.
  const double texts = (double)strlen(head->source) + (double)strlen(head->resolved);
  return 1.01 * wal_state_bytes(state) + texts + 0x1p16;
}

/* What stands where a checkpoint is to be written was passed over if it is damaged, and may not
 * look like a run file any more. A whole one stays until the new one takes its place. */
static void remove_damaged(wal_ctx *ctx, const char *path) {
  if (access(path, F_OK) == 0 && wal_run_file_verify(ctx, path) != WAL_OK) unlink(path);
}

wal_status wal_checkpoint_write(const char *run, const wal_checkpoint_head *head,
                                const wal_state *state) {
  char path[WAL_CHECKPOINT_PATH];
  wal_run_file *file = NULL;
  wal_checkpoint_name(run, head->iteration, path);
  wal_checkpoint_sweep(state->ctx, run);
  wal_status status = wal_run_file_space(state->ctx, path, wal_checkpoint_bytes(head, state));
  if (status == WAL_ECREATE) {  // in the midst of a run it is a failure to write
    char why[512];
    snprintf(why, sizeof why, "%s", wal_ctx_error(state->ctx));
    status = wal_fail(state->ctx, WAL_EIO, "%s", why);
  }
  if (status == WAL_OK && wal_ctx_rank(state->ctx) == 0) remove_damaged(state->ctx, path);
  if (status == WAL_OK) status = wal_run_file_create(state->ctx, path, true, &file);
  if (status == WAL_OK) status = write_head(file, run, head);
  for (int i = 0; status == WAL_OK && i < state->count; i++)
    status = write_field(file, &state->field[i]);
  if (status == WAL_OK)
    status = wal_run_file_commit(&file);
  else
    wal_run_file_discard(&file);
  if (status == WAL_OK && wal_ctx_rank(state->ctx) == 0) {
    const int64_t before = find_newest(run, head->iteration);
    if (before >= 0) remove_older(run, before);
  }
  return status;
}
