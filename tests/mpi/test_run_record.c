// SPDX-License-Identifier: GPL-3.0-or-later
#define _XOPEN_SOURCE 700

/* Run files that are kept in memory as calls, and those whose size is planned. With WALRAS_KEEP in
 * the environment the files compared are made in that folder, and stay. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/run_compare.h"
#include "io/run_file.h"
#include "sim/core/memory.h"
#include "tests/mpi/run_content.h"
#include "tests/support/harness.h"

static const char PREFIX[] = "/runs/run_000007";

static wal_ctx *ctx;
static wal_ctx *alone; /* of this rank */
static char folder[256], direct[300], replayed[300];

static int set_up(void **state) {
  (void)state;
  ctx = wal_test_ctx(1);
  const char *keep = getenv("WALRAS_KEEP");
  snprintf(folder, sizeof folder, "%s", keep ? keep : "run-record-XXXXXX");
  int made = wal_ctx_rank(ctx) != 0 || keep || mkdtemp(folder) != NULL;
  MPI_Bcast(folder, (int)sizeof folder, MPI_CHAR, 0, wal_ctx_comm(ctx));
  snprintf(direct, sizeof direct, "%s/direct.h5", folder);
  snprintf(replayed, sizeof replayed, "%s/replayed.h5", folder);
  return made && wal_ctx_create(MPI_COMM_SELF, 1, &alone) == WAL_OK ? 0 : -1;
}

static int tear_down(void **state) {
  (void)state;
  MPI_Barrier(wal_ctx_comm(ctx));
  if (wal_ctx_rank(ctx) == 0 && !getenv("WALRAS_KEEP")) {
    unlink(direct);
    unlink(replayed);
    rmdir(folder);
  }
  wal_ctx_destroy(&alone);
  wal_ctx_destroy(&ctx);
  return 0;
}

typedef wal_status (*content)(wal_run_file *file, wal_ctx *in, const char *prefix);

/** The record of a content made by the first `ranks` ranks, on rank 0; the file lives on. */
static wal_status record(int ranks, content write, wal_run_file **file, wal_ctx **in) {
  MPI_Comm some = MPI_COMM_NULL;
  const int rank = wal_ctx_rank(ctx);
  wal_status status = WAL_OK;
  *file = NULL;
  *in = NULL;
  MPI_Comm_split(wal_ctx_comm(ctx), rank < ranks ? 0 : MPI_UNDEFINED, rank, &some);
  if (some == MPI_COMM_NULL) return WAL_OK;
  status = wal_ctx_create(some, 1, in);
  if (status == WAL_OK) status = wal_run_file_record(*in, file);
  if (status == WAL_OK) status = write(*file, *in, "");
  if (status != WAL_OK && *in) print_error("%s\n", wal_ctx_error(*in));
  MPI_Comm_free(&some);
  return status;
}

/** Writes the content with ordinary calls on this rank alone, below a prefix. */
static wal_status write_direct(content write, const char *prefix) {
  wal_run_file *file = NULL;
  WAL_TRY(wal_run_file_create(alone, direct, true, &file));
  wal_status status = prefix[0] ? wal_run_file_group(file, "/runs") : WAL_OK;
  if (status == WAL_OK && prefix[0]) status = wal_run_file_group(file, prefix);
  if (status == WAL_OK) status = write(file, alone, prefix);
  if (status == WAL_OK) return wal_run_file_commit(&file);
  wal_run_file_discard(&file);
  return status;
}

static wal_status write_replayed(const char *group, const void *bytes, int64_t length) {
  wal_run_file *file = NULL;
  WAL_TRY(wal_run_file_create(alone, replayed, true, &file));
  wal_status status = strcmp(group, "/") != 0 ? wal_run_file_group(file, "/runs") : WAL_OK;
  if (status == WAL_OK) status = wal_run_file_replay(file, group, bytes, length);
  if (status == WAL_OK) return wal_run_file_commit(&file);
  wal_run_file_discard(&file);
  return status;
}

/** Rank 0's bytes on the last rank, as messages carry them. */
static char *carry(const void *bytes, int64_t *length) {
  const int rank = wal_ctx_rank(ctx), last = wal_ctx_size(ctx) - 1;
  MPI_Bcast(length, 1, MPI_INT64_T, 0, wal_ctx_comm(ctx));
  char *copy = malloc((size_t)*length + 1);
  if (last == 0) memcpy(copy, bytes, (size_t)*length);
  if (last != 0 && rank == 0) MPI_Send(bytes, (int)*length, MPI_BYTE, last, 1, wal_ctx_comm(ctx));
  if (last != 0 && rank == last)
    MPI_Recv(copy, (int)*length, MPI_BYTE, 0, 1, wal_ctx_comm(ctx), MPI_STATUS_IGNORE);
  return copy;
}

static bool same_bytes(const char *a, const char *b) {
  FILE *x = fopen(a, "rb"), *y = fopen(b, "rb");
  bool same = x && y;
  for (int c = 0; same && c != EOF;) {
    c = fgetc(x);
    same = c == fgetc(y);
  }
  if (x) fclose(x);
  if (y) fclose(y);
  return same;
}

static bool compares_equal(void) {
  wal_run_comparison found;
  wal_status status = wal_run_compare(alone, direct, replayed, &found);
  if (status != WAL_OK) print_error("%s\n", wal_ctx_error(alone));
  if (found.first[0]) print_error("%s\n", found.first);
  return status == WAL_OK && found.differing == 0 && found.datasets > 15;
}

/** What 1, 2, 3 and all ranks record, the last rank replays: as the file itself and below a group
 *  it is what ordinary calls write. */
static void a_replay_equals_the_file_written(void **state) {
  (void)state;
  const int rank = wal_ctx_rank(ctx), all = wal_ctx_size(ctx), counts[] = {1, 2, 3, all};
  for (int i = 0; i < 4; i++) {
    if (counts[i] > all || (i == 3 && all <= 3)) continue;
    wal_run_file *file = NULL;
    wal_ctx *in = NULL;
    const void *bytes = NULL;
    int64_t length = 0;
    WAL_ASSERT_ALL(ctx, record(counts[i], content_write, &file, &in) == WAL_OK);
    bool good = !file || wal_run_file_recorded(file, &bytes, &length) == WAL_OK;
    WAL_ASSERT_ALL(ctx, good && (rank == 0) == (bytes != NULL && length > 1000000));
    char *copy = carry(bytes, &length);
    wal_run_file_discard(&file);
    wal_ctx_destroy(&in);
    if (rank == all - 1)
      good = write_direct(content_write, "") == WAL_OK &&
             write_replayed("/", copy, length) == WAL_OK && same_bytes(direct, replayed) &&
             write_direct(content_write, PREFIX) == WAL_OK &&
             write_replayed(PREFIX, copy, length) == WAL_OK && compares_equal();
    if (!good) print_error("%d ranks: %s\n", counts[i], wal_ctx_error(alone));
    free(copy);
    WAL_ASSERT_ALL(ctx, good);
  }
}

/** A file of the root and one with two replays of it, which tests/cli/test_stored.py reads. */
static void kept_for_others(void **state) {
  (void)state;
  wal_run_file *file = NULL, *into = NULL;
  const void *bytes = NULL;
  int64_t length = 0;
  wal_status status = WAL_OK;
  WAL_ASSERT_OK(ctx, wal_run_file_record(ctx, &file));
  WAL_ASSERT_OK(ctx, content_write(file, ctx, ""));
  WAL_ASSERT_OK(ctx, wal_run_file_recorded(file, &bytes, &length));
  if (wal_ctx_rank(ctx) == 0) {
    status = write_direct(content_write, "");
    if (status == WAL_OK) status = wal_run_file_create(alone, replayed, true, &into);
    if (status == WAL_OK) status = wal_run_file_group(into, "/runs");
    if (status == WAL_OK) status = wal_run_file_replay(into, PREFIX, bytes, length);
    if (status == WAL_OK) status = wal_run_file_replay(into, "/runs/run_000008", bytes, length);
    if (status == WAL_OK) status = wal_run_file_commit(&into);
  }
  WAL_ASSERT_ALL(ctx, status == WAL_OK);
  wal_run_file_discard(&file);
}

/** Numbers in the record have the size that they have in the file. */
static void single_precision_stays_single(void **state) {
  (void)state;
  wal_run_file *file = NULL;
  const void *bytes = NULL;
  int64_t length[2] = {0, 0};
  for (int single = 0; single < 2; single++) {
    WAL_ASSERT_OK(ctx, wal_run_file_record(ctx, &file));
    wal_dataset d = CONTENT_POLICY;
    d.stored = single ? WAL_STORED_SINGLE : WAL_STORED_DOUBLE;
    memset(d.scale, 0, sizeof d.scale);
    d.path = "/policy";
    WAL_ASSERT_OK(ctx, content_spread(file, ctx, "", &d, 1));
    WAL_ASSERT_OK(ctx, wal_run_file_recorded(file, &bytes, &length[single]));
    wal_run_file_discard(&file);
  }
  WAL_ASSERT_ALL(ctx, wal_ctx_rank(ctx) != 0 || length[0] - length[1] == 4 * 4 * 40 * 3);
}

/** Two columns of a group, one a scale of the other, and something elsewhere. With `part` only what
 *  a replay of the group without `skipped` should have. */
static wal_status two_columns(wal_run_file *file, const char *group, bool part) {
  char x[32], y[32], skipped[32];
  const int64_t numbers[2] = {3, 5};
  snprintf(x, sizeof x, "%s/x", group);
  snprintf(y, sizeof y, "%s/y", group);
  snprintf(skipped, sizeof skipped, "%s/skipped", group);
  const wal_dataset scale = {
      .path = x, .units = "1", .long_name = "x", .rank = 1, .extent = {2}, .is_scale = true};
  wal_dataset column = {.path = y, .units = "1", .long_name = "y", .rank = 1, .extent = {2}};
  if (!part) WAL_TRY(wal_run_file_attribute_integer(file, "/", "seed", 1));
  if (!part) WAL_TRY(wal_run_file_group(file, "/elsewhere"));
  WAL_TRY(wal_run_file_group(file, group));
  WAL_TRY(wal_run_file_attribute_integer(file, group, "best", 7));
  WAL_TRY(wal_run_file_integers(file, &scale, numbers));
  column.scale[0] = x;
  WAL_TRY(wal_run_file_integers(file, &column, numbers));
  column.path = skipped;
  if (!part) WAL_TRY(wal_run_file_integers(file, &column, numbers));
  if (!part) WAL_TRY(wal_run_file_link(file, x, "/elsewhere/x"));
  if (!part) WAL_TRY(wal_run_file_attribute_text(file, "/elsewhere", "name", "more"));
  return WAL_OK;
}

static bool is_not_skipped(const char *path) { return strcmp(path, "/part/skipped") != 0; }

/** A part is replayed as if it had been written alone, at its new place. */
static void a_part_is_replayed_at_its_place(void **state) {
  (void)state;
  wal_run_file *file[3] = {NULL};
  const void *bytes[3] = {NULL};
  int64_t length[3] = {0};
  bool good = true;
  for (int i = 0; i < 3; i++) good = good && wal_run_file_record(alone, &file[i]) == WAL_OK;
  good = good && two_columns(file[0], "/part", false) == WAL_OK &&
         two_columns(file[1], "/place", true) == WAL_OK;
  for (int i = 0; i < 2; i++)
    good = good && wal_run_file_recorded(file[i], &bytes[i], &length[i]) == WAL_OK;
  good = good && wal_run_file_replay_part(file[2], "/part", "/place", is_not_skipped, bytes[0],
                                          length[0]) == WAL_OK;
  good = good && wal_run_file_recorded(file[2], &bytes[2], &length[2]) == WAL_OK;
  good = good && length[1] == length[2] && memcmp(bytes[1], bytes[2], (size_t)length[1]) == 0;
  for (int i = 0; i < 3; i++) wal_run_file_discard(&file[i]);
  WAL_ASSERT_ALL(ctx, good);
}

/** Replays bytes in memory: into a plan or, with `again`, into a record. */
static wal_status replay_in_memory(const void *bytes, int64_t length, bool again) {
  wal_run_file *file = NULL;
  WAL_TRY(again ? wal_run_file_record(alone, &file) : wal_run_file_plan(alone, &file));
  wal_status status = wal_run_file_replay(file, "/run", bytes, length);
  wal_run_file_discard(&file);
  return status;
}

/** Small things of every kind, to be damaged. */
static wal_status write_little(wal_run_file *file, wal_ctx *in, const char *prefix) {
  (void)in;
  const char *words[] = {"one", "two"};
  const double numbers[] = {1, 2};
  const wal_dataset scale = {.path = "/a/word",
                             .units = "1",
                             .long_name = "words",
                             .rank = 1,
                             .extent = {2},
                             .is_scale = true};
  const wal_dataset d = {.path = "/a/numbers",
                         .units = "m",
                         .long_name = "numbers",
                         .rank = 2,
                         .extent = {1, 2},
                         .scale = {NULL, "/a/word"}};
  WAL_TRY(prefix[0] ? WAL_EINTERNAL : wal_run_file_group(file, "/a"));
  WAL_TRY(wal_run_file_attribute_text(file, "/", "t", "text"));
  WAL_TRY(wal_run_file_attribute_integer(file, "/a", "i", 1));
  WAL_TRY(wal_run_file_attribute_real(file, "/a", "r", 0.5));
  WAL_TRY(wal_run_file_texts(file, &scale, words));
  WAL_TRY(wal_run_file_reals(file, &d, numbers));
  return wal_run_file_link(file, "/a/numbers", "/a/further");
}

static void damaged_records_are_refused(void **state) {
  (void)state;
  wal_run_file *file = NULL;
  const void *bytes = NULL;
  int64_t length = 0;
  WAL_ASSERT_OK(alone, wal_run_file_record(alone, &file));
  WAL_ASSERT_OK(alone, write_little(file, alone, ""));
  WAL_ASSERT_OK(alone, wal_run_file_recorded(file, &bytes, &length));
  WAL_ASSERT_OK(alone, replay_in_memory(bytes, length, true));
  bool good = true;
  for (int64_t size = 0; good && size < length; size++) {
    // A copy of this size, so that reading beyond its end is seen.
    char *copy = malloc((size_t)size + 1);
    memcpy(copy, bytes, (size_t)size);
    good = replay_in_memory(copy, size, true) == WAL_EINTERNAL;
    if (good && size >= 16) {
      memcpy(copy + 8, &size, sizeof size);
      // The end of a call is an end like any other.
      wal_status status = replay_in_memory(copy, size, true);
      good = status == WAL_EINTERNAL || (status == WAL_OK && size % 8 == 0);
    }
    free(copy);
  }
  WAL_ASSERT_ALL(ctx, good);
  char *copy = malloc((size_t)length);
  for (int64_t i = 0; good && i < 8 * length; i++) {
    memcpy(copy, bytes, (size_t)length);
    copy[i / 8] = (char)(copy[i / 8] ^ (1 << i % 8));
    wal_status status = replay_in_memory(copy, length, i % 2 == 0);
    // What stands in texts and numbers may be anything.
    good = status == WAL_OK || status == WAL_EINTERNAL;
    if (!good) print_error("bit %lld: %s\n", (long long)i, wal_ctx_error(alone));
  }
  WAL_ASSERT_ALL(ctx, good);
  memcpy(copy, bytes, (size_t)length);
  copy[0] = 'w';
  WAL_ASSERT_STATUS(alone, WAL_EINTERNAL, replay_in_memory(copy, length, true));
  WAL_ASSERT_CONTAINS(wal_ctx_error(alone), "/run: a recorded run is damaged");
  free(copy);
  wal_run_file_discard(&file);
}

static void misuse_is_told(void **state) {
  (void)state;
  const wal_dataset d = {.path = "/x", .units = "1", .long_name = "x"};
  const double one = 1;
  double planned = 0;
  const void *bytes = NULL;
  int64_t length = 0;
  wal_run_file *file = NULL, *other = NULL;
  WAL_ASSERT_OK(ctx, wal_run_file_record(ctx, &file));
  WAL_ASSERT_OK(ctx, wal_run_file_reals(file, &d, &one));
  WAL_ASSERT_STATUS(ctx, WAL_EINTERNAL, wal_run_file_reals(file, &d, &one));
  WAL_ASSERT_CONTAINS(wal_ctx_error(ctx), "/x: exists already");
  WAL_ASSERT_STATUS(ctx, WAL_EINTERNAL, wal_run_file_group(file, "/y/z"));
  WAL_ASSERT_STATUS(ctx, WAL_EINTERNAL, wal_run_file_attribute_text(file, "/x", "units", "m"));
  WAL_ASSERT_STATUS(ctx, WAL_EINTERNAL, wal_run_file_planned(file, &planned));
  WAL_ASSERT_OK(ctx, wal_run_file_recorded(file, &bytes, &length));
  if (wal_ctx_size(ctx) > 1) {
    WAL_ASSERT_OK(ctx, wal_run_file_record(ctx, &other));
    WAL_ASSERT_STATUS(ctx, WAL_EINTERNAL, wal_run_file_replay(other, "/r", bytes, length));
    WAL_ASSERT_CONTAINS(wal_ctx_error(ctx), "expected a run file of one rank");
    wal_run_file_discard(&other);
  }
  WAL_ASSERT_STATUS(ctx, WAL_EINTERNAL, wal_run_file_commit(&file));
  WAL_ASSERT_ALL(ctx, file == NULL);
  WAL_ASSERT_OK(ctx, wal_run_file_plan(ctx, &file));
  WAL_ASSERT_STATUS(ctx, WAL_EINTERNAL, wal_run_file_recorded(file, &bytes, &length));
  WAL_ASSERT_STATUS(ctx, WAL_EINTERNAL, wal_run_file_commit(&file));
}

static double size_of(const char *path) {
  struct stat info;
  return stat(path, &info) == 0 ? (double)info.st_size : -1;
}

/** Plans equal the files in size: metadata alone, some KiB, many MiB, several replays. */
static void plans_tell_the_size(void **state) {
  (void)state;
  const content contents[] = {write_little, content_small, content_write};
  for (int i = 0; i < 3; i++) {
    wal_run_file *file = NULL;
    double planned = 0, size = 0;
    WAL_ASSERT_OK(ctx, wal_run_file_plan(ctx, &file));
    WAL_ASSERT_OK(ctx, contents[i](file, ctx, ""));
    WAL_ASSERT_OK(ctx, wal_run_file_planned(file, &planned));
    WAL_ASSERT_OK(ctx, wal_run_file_planned(file, &planned));
    wal_run_file_discard(&file);
    if (wal_ctx_rank(ctx) == 0)
      size = write_direct(contents[i], "") == WAL_OK ? size_of(direct) : -1;
    MPI_Bcast(&size, 1, MPI_DOUBLE, 0, wal_ctx_comm(ctx));
    if (wal_ctx_rank(ctx) == 0)
      print_message("planned %.0f bytes, written %.0f: %+.2f%%\n", planned, size,
                    100 * (planned / size - 1));
    WAL_ASSERT_ALL(ctx, planned > 0.95 * size && planned < 1.05 * size);
  }
}

static void not_to_be_called(void *user, int64_t i, double *out) {
  (void)i;
  (void)out;
  *(bool *)user = true;
}

static void plans_of_what_fits_nowhere(void **state) {
  (void)state;
  const int64_t stages = 1000, states = (int64_t)1 << 32;
  bool called = false;
  double planned = 0;
  const wal_dataset large = {
      .path = "/large", .units = "1", .long_name = "32 TB", .rank = 2, .extent = {stages, states}};
  const wal_dataset column = {
      .path = "/column", .units = "1", .long_name = "8 GB", .rank = 1, .extent = {1000000000}};
  wal_run_file *file = NULL;
  WAL_ASSERT_OK(ctx, wal_run_file_plan(ctx, &file));
  WAL_ASSERT_OK(ctx, wal_run_file_spread(file, &large, 1, 0, 0, not_to_be_called, &called));
  WAL_ASSERT_OK(ctx, wal_run_file_reals(file, &column, NULL));
  WAL_ASSERT_OK(ctx, wal_run_file_planned(file, &planned));
  wal_run_file_discard(&file);
  const double expected = 8.0 * ((double)stages * (double)states + 1e9);
  WAL_ASSERT_ALL(ctx, !called && planned > expected && planned < 1.01 * expected);
  WAL_ASSERT_ALL(ctx, wal_ctx_peak_memory(ctx) < 1 << 20);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(a_replay_equals_the_file_written, set_up, tear_down),
    cmocka_unit_test_setup_teardown(kept_for_others, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_part_is_replayed_at_its_place, set_up, tear_down),
    cmocka_unit_test_setup_teardown(single_precision_stays_single, set_up, tear_down),
    cmocka_unit_test_setup_teardown(damaged_records_are_refused, set_up, tear_down),
    cmocka_unit_test_setup_teardown(misuse_is_told, set_up, tear_down),
    cmocka_unit_test_setup_teardown(plans_tell_the_size, set_up, tear_down),
    cmocka_unit_test_setup_teardown(plans_of_what_fits_nowhere, set_up, tear_down),
};

WAL_TEST_MAIN(tests)
