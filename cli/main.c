// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdio.h>

#include "cli/error.h"
#include "cli/options.h"

static int run_alone(const wal_options *options, int argc, char **argv) {
  if (options->version) {
    printf("walras %s\n", WAL_VERSION);
    return 0;
  }
  if (options->help || !options->command) {
    wal_options_help(options->command, options->help ? stdout : stderr);
    return options->help ? 0 : wal_status_exit(WAL_EUSAGE);
  }
  return options->command->run(options, argc, argv);
}

int main(int argc, char **argv) {
  wal_options options;
  char error[512];
  const bool sound = wal_options_parse(argc, argv, &options, error, sizeof error);
  const bool alone =
      !sound || options.version || options.help || !options.command || !options.command->starts_mpi;
  // Without MPI the processes of a launcher do not know each other: all but the first are silent.
  if (alone && !wal_options_speaks() &&
      (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr)))
    return wal_status_exit(WAL_EIO);
  if (!sound) {
    wal_error_print(wal_options_json(argc, argv), WAL_EUSAGE, error);
    return wal_status_exit(WAL_EUSAGE);
  }
  const int exit_status = run_alone(&options, argc, argv);
  return exit_status == 0 && alone && wal_output_lost(true) ? wal_status_exit(WAL_EIO)
                                                            : exit_status;
}
