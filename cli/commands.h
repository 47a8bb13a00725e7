// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_COMMANDS_H
#define WALRAS_CLI_COMMANDS_H

#include "cli/options.h"

/* One function a command, in cli/command_*.c; each returns the program's exit status. */
int wal_command_run(const wal_options *options, int argc, char **argv);
int wal_command_resume(const wal_options *options, int argc, char **argv);
int wal_command_check(const wal_options *options, int argc, char **argv);
int wal_command_list(const wal_options *options, int argc, char **argv);
int wal_command_describe(const wal_options *options, int argc, char **argv);
int wal_command_info(const wal_options *options, int argc, char **argv);
int wal_command_report(const wal_options *options, int argc, char **argv);
int wal_command_diff(const wal_options *options, int argc, char **argv);
int wal_command_generate(const wal_options *options, int argc, char **argv);

#endif
