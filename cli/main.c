// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdio.h>
#ifdef __linux__
#include <malloc.h>
#endif

#include "cli/error.h"
#include "cli/options.h"
#include "cli/pager.h"
#include "sim/core/context.h"

/* The long answers, through a pager on a terminal. */
static int tell(const wal_options *options, int argc, char **argv) {
  wal_pager pager = {NULL, -1};  // under a launcher the terminal is not this process's own
  int exit_status = 0;
  const wal_command *command = options->command;
  if ((options->help || command->pages) && !wal_options_launched()) wal_pager_open(&pager);
  if (options->help)
    wal_options_help(command, stdout);
  else
    exit_status = command->run(options, argc, argv);
  wal_pager_close(&pager);
  return exit_status;
}

/* What needs no MPI: help, lists, mistakes on the command line. */
static int answer(const wal_options *options, const char *error, int argc, char **argv) {
  if (error) {
    wal_error_print(wal_options_json(argc, argv), WAL_EUSAGE, error);
    return wal_status_exit(WAL_EUSAGE);
  }
  int exit_status = 0;
  if (options->version) {
    printf("walras %s\n", WAL_VERSION);
  } else if (!options->command && !options->help) {
    wal_options_first_steps(stderr);
    exit_status = wal_status_exit(WAL_EUSAGE);
  } else {
    exit_status = tell(options, argc, argv);
  }
  return wal_output_lost(exit_status == 0) ? wal_status_exit(WAL_EIO) : exit_status;
}

/* HDF5 takes and gives back a few MiB with every write; what is given to the system comes back page
 * by page, cleared. */
static void keep_memory(void) {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
#endif
}

int main(int argc, char **argv) {
  keep_memory();
  wal_options options;
  char error[512];
  const bool sound = wal_options_parse(argc, argv, &options, error, sizeof error);
  const bool special = options.version || options.help || !options.command;
  if (sound && !special && options.command->starts_mpi)
    return options.command->run(&options, argc, argv);

  // Alone it starts at once. Under a launcher only the first process speaks, and none leaves before
  // it has: a launcher kills the others as soon as one ends with an error.
  wal_ctx *ctx = NULL;
  bool speaks = true;
  if (wal_options_launched()) {
    if (wal_ctx_open(&argc, &argv, 0, &ctx) != WAL_OK) return wal_status_exit(WAL_EINTERNAL);
    speaks = wal_ctx_rank(ctx) == 0;
  }
  int exit_status = 0;
  if (speaks) exit_status = answer(&options, sound ? NULL : error, argc, argv);
  int64_t least = -exit_status;  // the first process knows it, all end with it
  if (ctx) {
    wal_ctx_least_integer(ctx, &least);
    wal_ctx_close(&ctx);
  }
  return (int)-least;
}
