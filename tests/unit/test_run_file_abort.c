// SPDX-License-Identifier: GPL-3.0-or-later
#define _XOPEN_SOURCE 700

/*
 * What happens when the disk is full: the program that writes is this one again, as a child that
 * may not make files larger than a limit. Started without mpirun; the library needs no rank but one
 * to fail.
 */

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/run_file.h"
#include "tests/support/harness.h"

static void fill_rows(void *user, int64_t i, double *out) {
  for (int64_t k = 0; k < 20000; k++) out[k] = (double)(i + k) + *(double *)user;
}

/** The child: writes about 3.2 MB to `path`. Returns only if that succeeds. */
static int write_large(const char *path) {
  wal_run_file *file = NULL;
  wal_ctx *ctx = wal_test_ctx(1);
  double shift = 0.5;
  const wal_dataset large = {
      .path = "/large", .units = "1", .long_name = "large", .rank = 2, .extent = {20, 20000}};
  wal_status status = wal_run_file_create(ctx, path, true, &file);
  if (status == WAL_OK) status = wal_run_file_spread(file, &large, 1, 0, 20000, fill_rows, &shift);
  if (status == WAL_OK) status = wal_run_file_commit(&file);
  wal_ctx_destroy(&ctx);
  return wal_status_exit(status);
}

/** Runs the child with files limited to `limit` bytes; its exit status and what it says. */
static int run_child(const char *self, const char *path, rlim_t limit, char *said, size_t size) {
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  pid_t child = fork();
  if (child == 0) {
    char digits[32];
    snprintf(digits, sizeof digits, "%llu", (unsigned long long)limit);
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
    execl(self, self, "write", path, digits, (char *)NULL);
    _exit(127);
  }
  close(ends[1]);
  size_t used = 0;
  for (ssize_t got = 1; got > 0 && used + 1 < size; used += got > 0 ? (size_t)got : 0)
    got = read(ends[0], said + used, size - 1 - used);
  said[used] = '\0';
  close(ends[0]);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int names_in(const char *folder) {
  int count = -2;  // . and ..
  DIR *list = opendir(folder);
  while (list && readdir(list)) count++;
  if (list) closedir(list);
  return count;
}

static const char *self;

static void a_full_disk_ends_the_job(void **state) {
  (void)state;
  char folder[] = "run-file-abort-XXXXXX", path[64], said[16384], expected[128];
  assert_non_null(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/x.h5", folder);
  snprintf(expected, sizeof expected, "walras: %s: write failed: ", path);
  // From a file in which only the first bytes fit to one that fails in the end.
  const rlim_t limits[] = {1000, 100000, 2000000, 3200000, 3202000};
  for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
    int status = run_child(self, path, limits[i], said, sizeof said);
    assert_int_equal(status, wal_status_exit(WAL_EIO));
    WAL_ASSERT_CONTAINS(said, expected);
    assert_null(strstr(strstr(said, "walras: ") + 1, "walras: "));
    assert_int_equal(names_in(folder), 0);
  }
  assert_int_equal(run_child(self, path, 10000000, said, sizeof said), 0);
  assert_int_equal(names_in(folder), 1);
  // The old file is intact if the next one fails.
  assert_int_equal(run_child(self, path, 2000000, said, sizeof said), wal_status_exit(WAL_EIO));
  assert_int_equal(names_in(folder), 1);
  assert_int_equal(remove(path), 0);
  assert_int_equal(rmdir(folder), 0);
}

int main(int argc, char **argv) {
  if (argc == 4 && strcmp(argv[1], "write") == 0) {
    MPI_Init(&argc, &argv);  // makes files of its own, so the limit comes later
    rlim_t limit = (rlim_t)strtoull(argv[3], NULL, 10);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){limit, limit});
    signal(SIGXFSZ, SIG_IGN);  // writes fail instead
    int status = write_large(argv[2]);
    MPI_Finalize();
    return status;
  }
  self = argv[0];
  if (argc > 1) cmocka_set_test_filter(argv[1]);
  static const struct CMUnitTest tests[] = {cmocka_unit_test(a_full_disk_ends_the_job)};
  return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
