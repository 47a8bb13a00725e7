// SPDX-License-Identifier: GPL-3.0-or-later
#define _XOPEN_SOURCE 700

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/run_file.h"
#include "io/run_file_private.h"
#include "sim/core/memory.h"
#include "tests/mpi/run_content.h"
#include "tests/support/harness.h"

enum { PATH_LENGTH = 512 };

/* A folder of the test's own, the same on all ranks. */
static wal_ctx *ctx;
static char folder[PATH_LENGTH / 2];

static int set_up(void **state) {
  (void)state;
  ctx = wal_test_ctx(1);
  snprintf(folder, sizeof folder, "run-file-XXXXXX");
  int made = wal_ctx_rank(ctx) != 0 || mkdtemp(folder) != NULL;
  MPI_Bcast(folder, (int)sizeof folder, MPI_CHAR, 0, wal_ctx_comm(ctx));
  return made ? 0 : -1;
}

/** Number of names in the folder; with `remove_them`, it and they are gone afterwards. */
static int names_in_folder(bool remove_them) {
  int count = 0;
  if (wal_ctx_rank(ctx) == 0) {
    DIR *list = opendir(folder);
    for (struct dirent *entry; list && (entry = readdir(list)) != NULL;) {
      if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
      char path[PATH_LENGTH * 2];
      snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
      if (remove_them) remove(path);
      count++;
    }
    if (list) closedir(list);
    if (remove_them) rmdir(folder);
  }
  MPI_Bcast(&count, 1, MPI_INT, 0, wal_ctx_comm(ctx));
  return count;
}

static int tear_down(void **state) {
  (void)state;
  MPI_Barrier(wal_ctx_comm(ctx));
  names_in_folder(true);
  wal_ctx_destroy(&ctx);
  return 0;
}

static const char *in_folder(char path[PATH_LENGTH], const char *name) {
  snprintf(path, PATH_LENGTH, "%s/%s", folder, name);
  return path;
}

/** Makes a small file on rank 0. */
static void put_file(const char *path, const char *text) {
  if (wal_ctx_rank(ctx) == 0) {
    FILE *out = fopen(path, "w");
    if (out) {
      fputs(text, out);
      fclose(out);
    }
  }
  MPI_Barrier(wal_ctx_comm(ctx));
}

/** What a file holds, on rank 0; to be freed. */
static char *slurp(const char *path, size_t *size) {
  *size = 0;
  FILE *in = fopen(path, "rb");
  if (!in) return NULL;
  fseek(in, 0, SEEK_END);
  *size = (size_t)ftell(in);
  rewind(in);
  char *bytes = malloc(*size + 1);
  if (bytes && fread(bytes, 1, *size, in) != *size) *size = 0;
  fclose(in);
  if (bytes) bytes[*size] = '\0';
  return bytes;
}

/* ---- run files with something of every kind ---- */

static wal_status write_run(wal_ctx *in, const char *path, bool force) {
  wal_run_file *file = NULL;
  WAL_TRY(wal_run_file_create(in, path, force, &file));
  wal_status status = content_write(file, in, "");
  if (status == WAL_OK) return wal_run_file_commit(&file);
  wal_run_file_discard(&file);
  return status;
}

/** The file of one rank is written by 1, 2, 3, 4 and 7 of the ranks, twice each. */
static void bytes_do_not_depend_on_ranks(void **state) {
  (void)state;
  const int counts[] = {1, 2, 3, 4, 7};
  char reference[PATH_LENGTH], path[PATH_LENGTH];
  in_folder(reference, "one.h5");
  for (int i = 0; i < 10; i++) {
    int ranks = counts[i / 2], rank = wal_ctx_rank(ctx);
    if (ranks > wal_ctx_size(ctx)) break;
    in_folder(path, i == 0 ? "one.h5" : "more.h5");
    MPI_Comm some = MPI_COMM_NULL;
    MPI_Comm_split(wal_ctx_comm(ctx), rank < ranks ? 0 : MPI_UNDEFINED, rank, &some);
    wal_status status = WAL_OK;
    if (some != MPI_COMM_NULL) {
      wal_ctx *in = NULL;
      status = wal_ctx_create(some, 1, &in);
      if (status == WAL_OK) status = write_run(in, path, true);
      if (status != WAL_OK) print_error("%s\n", in ? wal_ctx_error(in) : "no context");
      wal_ctx_destroy(&in);
      MPI_Comm_free(&some);
    }
    WAL_ASSERT_ALL(ctx, status == WAL_OK);
    bool same = true;
    if (rank == 0) {
      size_t size_a = 0, size_b = 0;
      char *a = slurp(reference, &size_a), *b = slurp(path, &size_b);
      same = a && b && size_a == size_b && size_a > 1000000 && memcmp(a, b, size_a) == 0;
      if (!same) print_error("%d ranks: %zu bytes against %zu\n", ranks, size_b, size_a);
      free(a);
      free(b);
    }
    WAL_ASSERT_ALL(ctx, same);
  }
}

/** Reads a dataset whole as doubles and compares it with entry(). */
static bool holds_entries(hid_t file, const wal_dataset *what) {
  int64_t rows = what->extent[0], columns = 1;
  for (int d = 1; d < what->rank; d++) columns *= what->extent[d];
  double *values = malloc((size_t)(rows * columns) * sizeof *values);
  hid_t dataset = H5Dopen2(file, what->path, H5P_DEFAULT);
  bool good =
      values && H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0;
  for (int64_t i = 0; good && i < rows * columns; i++) {
    double expected = content_entry(i / columns, i % columns);
    good = values[i] == (what->stored == WAL_STORED_SINGLE ? (double)(float)expected : expected);
    if (!good) print_error("%s: item %lld: %g\n", what->path, (long long)i, values[i]);
  }
  H5Dclose(dataset);
  free(values);
  return good;
}

static bool holds_small(hid_t file) {
  int64_t iteration[5] = {0};
  double gap[5] = {0};
  char *action[3] = {NULL, NULL, NULL};
  hid_t text = H5Tcopy(H5T_C_S1), space = H5Screate_simple(1, &(hsize_t){3}, NULL);
  H5Tset_size(text, H5T_VARIABLE);
  H5Tset_cset(text, H5T_CSET_UTF8);
  hid_t d = H5Dopen2(file, "/trace/iteration", H5P_DEFAULT);
  H5Dread(d, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, iteration);
  H5Dclose(d);
  d = H5Dopen2(file, "/trace/exploitability", H5P_DEFAULT);
  H5Dread(d, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, gap);
  H5Dclose(d);
  d = H5Dopen2(file, "/solution/action", H5P_DEFAULT);
  H5Dread(d, text, H5S_ALL, H5S_ALL, H5P_DEFAULT, action);
  H5Dclose(d);
  bool good = iteration[3] == 3 && iteration[4] == INT64_MIN && gap[1] == 0.5 && signbit(gap[2]) &&
              isnan(gap[3]) && isinf(gap[4]) && action[0] && strcmp(action[0], "left") == 0 &&
              action[2] && strcmp(action[2], "nach rechts \xE2\x86\x92") == 0;
  H5Dvlen_reclaim(text, space, H5P_DEFAULT, action);
  H5Sclose(space);
  H5Tclose(text);
  return good;
}

static void what_is_written_is_read(void **state) {
  (void)state;
  char path[PATH_LENGTH];
  WAL_ASSERT_OK(ctx, write_run(ctx, in_folder(path, "read.h5"), false));
  bool good = true;
  if (wal_ctx_rank(ctx) == 0) {
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    const wal_dataset *all[] = {&CONTENT_POLICY, &CONTENT_LARGE,  &CONTENT_EVEN, &CONTENT_DEEP,
                                &CONTENT_ROWS,   &CONTENT_SINGLE, &CONTENT_LONG};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
      good = holds_entries(file, all[i]) && good;
    good = holds_small(file) && good;
    H5Fclose(file);
  }
  WAL_ASSERT_ALL(ctx, good);
  assert_int_equal(names_in_folder(false), 1);
}

/** Chunk shape and checksum of a dataset: 0 chunks if contiguous. */
static bool has_layout(hid_t file, const char *path, int rank, const hsize_t *chunk) {
  hid_t dataset = H5Dopen2(file, path, H5P_DEFAULT);
  hid_t list = H5Dget_create_plist(dataset);
  hsize_t actual[4] = {0};
  bool good = true;
  H5O_info_t info;
  H5Oget_info2(dataset, &info, H5O_INFO_TIME);
  if (info.mtime != 0 || info.ctime != 0) good = false;
  if (!chunk) {
    good = good && H5Pget_layout(list) == H5D_CONTIGUOUS && H5Pget_nfilters(list) == 0;
  } else {
    unsigned flags = 0;
    size_t none = 0;
    good = good && H5Pget_layout(list) == H5D_CHUNKED && H5Pget_nfilters(list) == 1 &&
           H5Pget_filter2(list, 0, &flags, &none, NULL, 0, NULL, NULL) == H5Z_FILTER_FLETCHER32;
    good = good && H5Pget_chunk(list, 4, actual) == rank;
    for (int d = 0; good && d < rank; d++) good = actual[d] == chunk[d];
  }
  if (!good)
    print_error("%s: chunk %d x %d x %d\n", path, (int)actual[0], (int)actual[1], (int)actual[2]);
  H5Pclose(list);
  H5Dclose(dataset);
  return good;
}

static void large_arrays_have_chunks_and_checksums(void **state) {
  (void)state;
  char path[PATH_LENGTH];
  WAL_ASSERT_OK(ctx, write_run(ctx, in_folder(path, "layout.h5"), false));
  bool good = true;
  if (wal_ctx_rank(ctx) == 0) {
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    good = has_layout(file, "/solution/policy", 3, NULL) &&
           has_layout(file, "/trace/exploitability", 1, NULL) &&
           has_layout(file, "/plain/large", 3, (const hsize_t[]){1, 26215, 5}) &&
           has_layout(file, "/plain/even", 2, (const hsize_t[]){1, 40000}) &&
           has_layout(file, "/plain/deep", 2, (const hsize_t[]){188, 700}) &&
           has_layout(file, "/plain/single", 4, (const hsize_t[]){3, 1001, 7, 5}) &&
           has_layout(file, "/plain/whole", 2, (const hsize_t[]){70000, 3});
    H5Fclose(file);
  }
  WAL_ASSERT_ALL(ctx, good);
}

/** Chunks divide its dimension 2. */
static const wal_dataset WIDE = {.path = "/plain/wide",
                                 .units = "1",
                                 .long_name = "wide",
                                 .rank = 4,
                                 .extent = {2, 3, 40001, 5}};

/** Writes arrays from functions or from memory, where lines are longer than what is written. */
static wal_status write_arrays(const char *path, bool in_memory) {
  const wal_dataset *all[] = {&CONTENT_POLICY, &CONTENT_LARGE, &CONTENT_EVEN,   &CONTENT_DEEP,
                              &CONTENT_ROWS,   &CONTENT_LONG,  &CONTENT_SINGLE, &WIDE};
  wal_run_file *file = NULL;
  double *values = NULL;
  const int64_t ranks = wal_ctx_size(ctx), rank = wal_ctx_rank(ctx);
  wal_status status = wal_run_file_create(ctx, path, true, &file);
  if (status == WAL_OK) status = wal_run_file_group(file, "/plain");
  if (status == WAL_OK) status = wal_run_file_group(file, "/solution");
  for (int split = 0; status == WAL_OK && split < 2; split++) {
    for (size_t i = 0; status == WAL_OK && i < sizeof all / sizeof *all; i++) {
      wal_dataset d = *all[i];
      char name[128];
      if (split >= d.rank) continue;
      snprintf(name, sizeof name, "%s_%d", d.path, split);
      d.path = name;
      for (int k = 0; k < 4; k++) d.scale[k] = NULL;
      const int64_t size = d.extent[split], first = size * rank / ranks;
      content_share own = {.inner = wal_run_file_items(&d, split + 1),
                           .first = first,
                           .count = size * (rank + 1) / ranks - first,
                           .rows = split == 0};
      const int64_t rows = split == 0 ? own.count : d.extent[0];
      const int64_t stride = own.inner * (split == 0 ? 1 : own.count) + 3;
      status = wal_agree(ctx, wal_acquire(ctx, "test", rows * stride, sizeof *values, &values));
      for (int64_t r = 0; status == WAL_OK && r < rows; r++)
        content_fill(&own, r + (split == 0 ? first : 0), values + r * stride);
      if (status == WAL_OK && in_memory)
        status = wal_run_file_spread_array(file, &d, split, first, own.count, values, stride);
      else if (status == WAL_OK)
        status = wal_run_file_spread(file, &d, split, first, own.count, content_fill, &own);
      wal_release(ctx, &values);
    }
  }
  if (status == WAL_OK) return wal_run_file_commit(&file);
  wal_run_file_discard(&file);
  return status;
}

static void arrays_in_memory_are_written_as_others(void **state) {
  (void)state;
  char called[PATH_LENGTH], there[PATH_LENGTH];
  WAL_ASSERT_OK(ctx, write_arrays(in_folder(called, "called.h5"), false));
  WAL_ASSERT_OK(ctx, write_arrays(in_folder(there, "there.h5"), true));
  bool same = true;
  if (wal_ctx_rank(ctx) == 0) {
    size_t size_a = 0, size_b = 0;
    char *a = slurp(called, &size_a), *b = slurp(there, &size_b);
    same = a && b && size_a == size_b && size_a > 10000000 && memcmp(a, b, size_a) == 0;
    if (!same) print_error("%zu bytes against %zu\n", size_a, size_b);
    free(a);
    free(b);
    hid_t file = H5Fopen(there, H5F_ACC_RDONLY, H5P_DEFAULT);
    wal_dataset deep = CONTENT_DEEP, rows = CONTENT_ROWS, wide[2] = {WIDE, WIDE};
    deep.path = "/plain/deep_0";
    rows.path = "/plain/rows_1";
    wide[0].path = "/plain/wide_0";
    wide[1].path = "/plain/wide_1";
    same = holds_entries(file, &deep) && holds_entries(file, &rows) && same;
    same = holds_entries(file, &wide[0]) && holds_entries(file, &wide[1]) && same;
    H5Fclose(file);
  }
  WAL_ASSERT_ALL(ctx, same);
}

static void places_that_cannot_be_written_are_refused(void **state) {
  (void)state;
  char path[PATH_LENGTH], name[400], plain[PATH_LENGTH];
  put_file(in_folder(plain, "plain"), "a file");
  const int before = names_in_folder(false);
  memset(name, 'n', 300);
  name[300] = '\0';
  char deep[5000];
  memset(deep, 'd', sizeof deep - 1);
  deep[sizeof deep - 1] = '\0';
  char under[PATH_LENGTH + 8];
  snprintf(under, sizeof under, "%s/x.h5", plain);
  const struct {
    const char *path, *text;
  } wrong[] = {
      {in_folder(path, "missing/x.h5"), "does not exist"},
      {under, "is not a folder"},
      {plain, "file exists (use --force to overwrite it)"},
      {folder, "it is a folder"},
      {"", "empty"},
      {name, "too long (300 bytes, at most 255)"},
      {deep, "too long"},
      {"/proc/x.h5", "cannot create /proc/x.h5: "},
      {"/dev/null", "not a regular file"},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    bool force = strstr(wrong[i].text, "regular") != NULL;
    WAL_ASSERT_STATUS(ctx, WAL_ECREATE, wal_run_file_check(ctx, wrong[i].path, force));
    WAL_ASSERT_CONTAINS(wal_ctx_error(ctx), wrong[i].text);
    WAL_ASSERT_CONTAINS(wal_ctx_error(ctx), "cannot create ");
    wal_run_file *file = NULL;
    WAL_ASSERT_STATUS(ctx, WAL_ECREATE, wal_run_file_create(ctx, wrong[i].path, force, &file));
    assert_null(file);
  }
  WAL_ASSERT_OK(ctx, wal_run_file_check(ctx, plain, true));
  WAL_ASSERT_OK(ctx, wal_run_file_check(ctx, in_folder(path, "fine.h5"), false));
  assert_int_equal(names_in_folder(false), before);
}

static void long_names_are_written(void **state) {
  (void)state;
  char name[256], path[PATH_LENGTH];
  memset(name, 'n', 255);
  name[255] = '\0';
  const int before = names_in_folder(false);
  wal_run_file *file = NULL;
  WAL_ASSERT_OK(ctx, wal_run_file_create(ctx, in_folder(path, name), false, &file));
  WAL_ASSERT_OK(ctx, wal_run_file_commit(&file));
  assert_int_equal(names_in_folder(false), before + 1);
}

static void nothing_is_left_behind(void **state) {
  (void)state;
  char path[PATH_LENGTH], stale[PATH_LENGTH], host[48] = "", name[128];
  in_folder(path, "left.h5");
  // A job that was killed left this; its process is gone (numbers end below 2^22).
  gethostname(host, sizeof host);
  host[sizeof host - 1] = '\0';
  snprintf(name, sizeof name, ".left.h5.partial-%s-4194305-0", host);
  put_file(in_folder(stale, name), "partial");
  const int before = names_in_folder(false);

  wal_run_file *file = NULL;
  WAL_ASSERT_OK(ctx, wal_run_file_create(ctx, path, false, &file));
  assert_int_equal(names_in_folder(false), before);  // one went, one came
  WAL_ASSERT_OK(ctx, wal_run_file_group(file, "/a"));
  wal_run_file_discard(&file);
  assert_null(file);
  wal_run_file_discard(&file);
  assert_int_equal(names_in_folder(false), before - 1);

  WAL_ASSERT_OK(ctx, wal_run_file_create(ctx, path, false, &file));
  struct stat info;
  assert_int_not_equal(stat(path, &info), 0);  // not under its name before all is well
  WAL_ASSERT_OK(ctx, wal_run_file_commit(&file));
  assert_null(file);
  assert_int_equal(names_in_folder(false), before);
  bool there = stat(path, &info) == 0;
  WAL_ASSERT_ALL(ctx, there);
}

static void an_old_file_stays_until_the_new_one_is_complete(void **state) {
  (void)state;
  char path[PATH_LENGTH];
  put_file(in_folder(path, "old.h5"), "old");
  wal_run_file *file = NULL;
  size_t size = 0;
  WAL_ASSERT_OK(ctx, wal_run_file_create(ctx, path, true, &file));
  WAL_ASSERT_OK(ctx, wal_run_file_group(file, "/a"));
  char *bytes = slurp(path, &size);
  WAL_ASSERT_ALL(ctx, bytes && strcmp(bytes, "old") == 0);
  free(bytes);
  MPI_Barrier(wal_ctx_comm(ctx));
  WAL_ASSERT_OK(ctx, wal_run_file_commit(&file));
  bytes = slurp(path, &size);
  WAL_ASSERT_ALL(ctx, bytes && memcmp(bytes, "\211HDF", 4) == 0);
  free(bytes);
}

/** A file that appears while the run goes on is not overwritten, and the results are not lost. */
static void a_file_that_appears_meanwhile_is_kept(void **state) {
  (void)state;
  char path[PATH_LENGTH], other[PATH_LENGTH];
  wal_run_file *file = NULL;
  in_folder(path, "race.h5");
  WAL_ASSERT_OK(ctx, wal_run_file_create(ctx, path, false, &file));
  put_file(path, "mine");
  const int before = names_in_folder(false);
  WAL_ASSERT_STATUS(ctx, WAL_ECREATE, wal_run_file_commit(&file));
  WAL_ASSERT_CONTAINS(wal_ctx_error(ctx), "the results are in");
  assert_null(file);
  assert_int_equal(names_in_folder(false), before);  // the partial file got another name
  bool there = access(in_folder(other, "race.h5.1"), R_OK) == 0;
  WAL_ASSERT_ALL(ctx, there);
}

static void misuse_is_told_on_all_ranks(void **state) {
  (void)state;
  char path[PATH_LENGTH];
  wal_run_file *file = NULL;
  WAL_ASSERT_OK(ctx, wal_run_file_create(ctx, in_folder(path, "misuse.h5"), false, &file));
  WAL_ASSERT_OK(ctx, content_axes(file, ""));
  const char *groups[] = {"/axes", "/no/group", "noslash", "/Upper",        "/a//b",
                          "/a/",   "/",         "",        "/axes/stage/x", "/1st"};
  for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
    WAL_ASSERT_STATUS(ctx, WAL_EINTERNAL, wal_run_file_group(file, groups[i]));
  double x[4] = {0};
  wal_dataset d = {.path = "/axes/x",
                   .units = "1",
                   .long_name = "x",
                   .rank = 1,
                   .extent = {4},
                   .scale = {"/axes/state"}};
  WAL_ASSERT_STATUS(ctx, WAL_EINTERNAL, wal_run_file_reals(file, &d, x));
  WAL_ASSERT_CONTAINS(wal_ctx_error(ctx), "expected a dimension scale of 4 items");
  d.scale[0] = "/axes/nowhere";
  WAL_ASSERT_STATUS(ctx, WAL_EINTERNAL, wal_run_file_reals(file, &d, x));
  d.scale[0] = NULL;
  d.units = NULL;
  WAL_ASSERT_STATUS(ctx, WAL_EINTERNAL, wal_run_file_reals(file, &d, x));
  d.units = "1";
  d.extent[0] = INT64_MAX / 4;
  WAL_ASSERT_STATUS(ctx, WAL_EINTERNAL, wal_run_file_reals(file, &d, x));
  d.extent[0] = 4;
  WAL_ASSERT_OK(ctx, wal_run_file_reals(file, &d, x));
  WAL_ASSERT_STATUS(ctx, WAL_EINTERNAL, wal_run_file_reals(file, &d, x));
  WAL_ASSERT_CONTAINS(wal_ctx_error(ctx), "/axes/x: exists already");
  WAL_ASSERT_STATUS(ctx, WAL_EINTERNAL, wal_run_file_attribute_integer(file, "/", "complete", 1));
  WAL_ASSERT_STATUS(ctx, WAL_EINTERNAL, wal_run_file_attribute_integer(file, "/y", "a", 1));
  WAL_ASSERT_STATUS(ctx, WAL_EINTERNAL, wal_run_file_link(file, "/y", "/axes/y"));
  WAL_ASSERT_STATUS(ctx, WAL_EINTERNAL, wal_run_file_link(file, "/axes/x", "/axes/state"));
  // Ranges that leave a hole.
  content_share own = {.inner = 1};
  d.path = "/axes/holes";
  d.extent[0] = 100;
  WAL_ASSERT_STATUS(ctx, WAL_EINTERNAL,
                    wal_run_file_spread(file, &d, 0, wal_ctx_rank(ctx), 1, content_fill, &own));
  WAL_ASSERT_STATUS(ctx, WAL_EINTERNAL,
                    wal_run_file_spread(file, &d, 1, wal_ctx_rank(ctx), 1, content_fill, &own));
  WAL_ASSERT_OK(ctx, wal_run_file_commit(&file));
}

static const struct CMUnitTest TESTS[] = {
    cmocka_unit_test_setup_teardown(bytes_do_not_depend_on_ranks, set_up, tear_down),
    cmocka_unit_test_setup_teardown(what_is_written_is_read, set_up, tear_down),
    cmocka_unit_test_setup_teardown(large_arrays_have_chunks_and_checksums, set_up, tear_down),
    cmocka_unit_test_setup_teardown(arrays_in_memory_are_written_as_others, set_up, tear_down),
    cmocka_unit_test_setup_teardown(places_that_cannot_be_written_are_refused, set_up, tear_down),
    cmocka_unit_test_setup_teardown(long_names_are_written, set_up, tear_down),
    cmocka_unit_test_setup_teardown(nothing_is_left_behind, set_up, tear_down),
    cmocka_unit_test_setup_teardown(an_old_file_stays_until_the_new_one_is_complete, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(a_file_that_appears_meanwhile_is_kept, set_up, tear_down),
    cmocka_unit_test_setup_teardown(misuse_is_told_on_all_ranks, set_up, tear_down),
};

WAL_TEST_MAIN(TESTS)
