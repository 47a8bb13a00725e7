// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdio.h>

#include "cli/options.h"
#include "sim/core/status.h"

int main(int argc, char **argv) {
  wal_options options;
  char error[512];
  if (!wal_options_parse(argc, argv, &options, error, sizeof error)) {
    fprintf(stderr, "%s\n", error);
    return wal_status_exit(WAL_EUSAGE);
  }
  if (options.version) {
    printf("walras %s\n", WAL_VERSION);
    return 0;
  }
  if (options.help || !options.command) {
    wal_options_help(options.command, options.help ? stdout : stderr);
    return options.help ? 0 : wal_status_exit(WAL_EUSAGE);
  }
  return options.command->run(&options, argc, argv);
}
