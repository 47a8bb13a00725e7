// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_OPTIONS_H
#define WALRAS_CLI_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/control.h"

enum { WAL_OPERANDS = 2, WAL_OVERRIDES = 256 };

/** What a command line says. Strings point into argv. */
typedef struct wal_options {
  const struct wal_command *command; /**< NULL: none given */
  bool help, version;
  int operands;
  const char *operand[WAL_OPERANDS];
  const char *output; /**< -o */
  int overrides;
  const char *override[WAL_OVERRIDES]; /**< -P path=value */
  const char *seed;                    /**< --seed */
  bool force, dry_run, quiet, json, schema;
  int64_t gradients;            /**< --gradients; 0: not given */
  wal_cadence checkpoint_every; /**< --checkpoint-every */
  wal_cadence max_walltime;     /**< --max-walltime; its iterations are 0 */
} wal_options;

/** One option of the command line: the table is where parsing and --help come from. */
typedef struct wal_option {
  char letter;          /**< 0 if it has none */
  const char *name;     /**< without dashes */
  const char *argument; /**< name of its argument, NULL if it takes none */
  const char *meaning;
  unsigned commands; /**< bits of the commands that take it; 0: all */
} wal_option;

/** Bits of the commands that options name. */
enum {
  WAL_COMMAND_RUN = 1u << 0,
  WAL_COMMAND_CHECK = 1u << 1,
  WAL_COMMAND_OTHER = 1u << 2,
  WAL_COMMAND_RESUME = 1u << 3,
  WAL_COMMAND_REPORT = 1u << 4,
  WAL_COMMAND_INFO = 1u << 5
};

/** One command. */
typedef struct wal_command {
  const char *name, *operands, *summary;
  int least, most; /**< operands */
  unsigned bit;    /**< of the command in wal_option.commands */
  bool starts_mpi; /**< if not, main() runs it on one process alone */
  bool pages;      /**< main() shows its output through a pager */
  int (*run)(const wal_options *options, int argc, char **argv);
} wal_command;

/** Fills `out`. On a mistake writes one line into `error` and returns false. */
bool wal_options_parse(int argc, char **argv, wal_options *out, char *error, size_t size);

/** Whether a launcher such as mpirun started this process, by what launchers leave in the
 *  environment. */
bool wal_options_launched(void);

/** Whether the command line asks for JSON on stderr, however wrong the rest of it is. */
bool wal_options_json(int argc, char **argv);

/** Prints the help of one command, or of the program if `command` is NULL. */
void wal_options_help(const wal_command *command, FILE *out);

/** Prints what one does who has not used the program yet. */
void wal_options_first_steps(FILE *out);

/** The table of options. */
const wal_option *wal_option_at(int index);
int wal_option_count(void);

/** The table of commands (cli/commands.c). */
const wal_command *wal_command_at(int index);
int wal_command_count(void);

#endif
