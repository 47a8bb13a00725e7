// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static wal_ctx *the_ctx;
static char paths[4][64];

wal_ctx *fuzz_ctx(void) { return the_ctx; }
const char *fuzz_path(int i) { return paths[i]; }

static void remove_files(void) {
  for (int i = 0; i < 4; i++) unlink(paths[i]);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  struct stat memory;
  const bool shared = stat("/dev/shm", &memory) == 0 && access("/dev/shm", W_OK) == 0;
  for (int i = 0; i < 4; i++)
    snprintf(paths[i], sizeof paths[i], "%s/walras-fuzz-%ld-%d.h5", shared ? "/dev/shm" : "/tmp",
             (long)getpid(), i);
  atexit(remove_files);
  // libFuzzer wants the signals for itself, and a lone process needs no daemon beside it.
  setenv("OMPI_MCA_opal_signal", "", 1);
  setenv("OMPI_MCA_ess_singleton_isolated", "1", 1);
  if (MPI_Init(argc, argv) != MPI_SUCCESS) return 1;
  return wal_ctx_create(MPI_COMM_WORLD, 1, &the_ctx) == WAL_OK ? 0 : 1;
}

void fuzz_write(const char *path, const void *bytes, size_t count) {
  FILE *file = fopen(path, "wb");
  const bool good = file && fwrite(bytes, 1, count, file) == count;
  if (!file || fclose(file) != 0 || !good) {
    perror(path);
    _exit(1);
  }
}

void fuzz_failed(const char *condition, const char *file, int line) {
  fprintf(stderr, "%s:%d: expected %s\n  last error: %s\n", file, line, condition,
          wal_ctx_error(the_ctx));
  abort();
}

void fuzz_check_failure(const wal_ctx *ctx, wal_status status) {
  const char *text = wal_ctx_error(ctx);
  FUZZ_CHECK(status == WAL_EINPUT || status == WAL_EIO || status == WAL_ENOTFOUND);
  FUZZ_CHECK(*text);
  for (const char *c = text; *c; c++) FUZZ_CHECK((unsigned char)*c >= ' ' && *c != 127);
}
