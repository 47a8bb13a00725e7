// SPDX-License-Identifier: GPL-3.0-or-later
#include <ctype.h>
#include <string.h>

#include "cli/commands.h"
#include "sim/core/status.h"

/*
 * The manual page and the completions of shells, from the tables of commands and options, as --help
 * is. What stands in docs/ was printed by this, which a test compares.
 */

// ---- Tables -----------------------------------------------------------------------------------

static bool takes(const wal_command *command, const wal_option *option) {
  return !option->commands || (option->commands & command->bit);
}

/** What the operands of a command are, by how its usage calls them. */
typedef enum operand { SCENARIO, RUN, KIND, NAME, WORDS } operand;

static operand operand_of(const wal_command *command) {
  if (strstr(command->operands, ".h5")) return RUN;
  if (strstr(command->operands, "KIND")) return KIND;
  if (strstr(command->operands, "NAME")) return NAME;
  return strchr(command->operands, '|') ? WORDS : SCENARIO;
}

/** Whether an option's argument is a file. */
static bool wants_file(const wal_option *option) {
  return option->argument && strcmp(option->argument, "FILE") == 0;
}

/** Whether an option's argument is a word to be written as it is. */
static bool wants_word(const wal_option *option) {
  return option->argument && islower((unsigned char)option->argument[0]);
}

// ---- Manual page ------------------------------------------------------------------------------

/** Text for roff: what it would take for commands is escaped. */
static void print_roff(const char *text) {
  for (const char *c = text; *c; c++) {
    if (*c == '-' || *c == '\\')
      printf(*c == '-' ? "\\-" : "\\e");
    else if (c == text && (*c == '.' || *c == '\''))
      printf("\\&%c", *c);
    else
      putchar(*c);
  }
}

static void print_lines(const char *const *lines) {
  for (; *lines; lines++) printf("%s\n", *lines);
}

static void print_option(const wal_option *option) {
  printf(".TP\n");
  if (option->letter) printf("\\fB\\-%c\\fR, ", option->letter);
  printf("\\fB\\-\\-");
  print_roff(option->name);
  printf("\\fR");
  if (option->argument) printf(" \\fI%s\\fR", option->argument);
  printf("\n");
  print_roff(option->meaning);
  const char *before = " (";
  for (int i = 0; option->commands && i < wal_command_count(); i++) {
    if (!takes(wal_command_at(i), option)) continue;
    printf("%s%s", before, wal_command_at(i)->name);
    before = ", ";
  }
  printf("%s\n", option->commands ? ")" : "");
}

static void print_manual(void) {
  static const char *const MORE[] = {
      ".SH ENVIRONMENT",
      ".TP\n.B NO_COLOR\nIf it is set and not empty, there is no progress bar, and no control "
      "sequence is\nwritten to a terminal.",
      ".TP\n.B WALRAS_PAGER, PAGER\nThe program that shows help, lists, descriptions and "
      "\\fBinfo\\fR a screen at a time where they\ndo not fit on a terminal (default: less "
      "\\-FRX); empty or \\fBcat\\fR: none.",
      ".TP\n.B OPENBLAS_NUM_THREADS\nThreads of dense algebra on each rank; 1 is best where there "
      "are as many ranks as cores.",
      ".SH FILES",
      ".TP\n.I RUN.h5\nThe run file, which appears when the run is complete.",
      ".TP\n.I RUN.checkpoint\\-N.h5\nThe newest checkpoints of a run that goes on or was stopped.",
      ".TP\n.I RUN.progress.jsonl\nThe live view of a run that goes on or was stopped, a JSON "
      "object "
      "a line.",
      ".TP\n.I RUN.STOP\nMade by you: the run writes a checkpoint and stops.",
      ".SH EXAMPLES",
      ".EX\necho 'return solve { game = beach_bar {} }' > first.lua\nwalras run first.lua\n"
      "walras info first.h5\nmpirun \\-n 4 walras run first.lua \\-P game.states=100 \\-o wide.h5\n"
      "walras diff first.h5 wide.h5\n.EE",
      ".SH SEE ALSO",
      ".BR mpirun (1),\n.BR h5dump (1)",
      NULL};
  printf(
      ".\\\" Printed by walras generate man.\n.TH WALRAS 1 \"\" \"walras %s\" \"User Commands\"\n",
      WAL_VERSION);
  printf(
      ".SH NAME\nwalras \\- simulate very large strategic populations, design the rules they play "
      "under\n.SH SYNOPSIS\n");
  for (int i = 0; i < wal_command_count(); i++) {
    const wal_command *c = wal_command_at(i);
    printf("%s.B walras %s\n.RI [ options ]\n.I ", i ? ".br\n" : "", c->name);
    print_roff(c->operands);
    printf("\n");
  }
  printf(
      ".SH DESCRIPTION\nScenarios, short Lua files, say what is to be computed; results are "
      "printed and left in an\nHDF5 file. Under \\fBmpirun\\fR the work is spread over the ranks; "
      "the results are the same\non any number of them.\n.SH COMMANDS\n");
  for (int i = 0; i < wal_command_count(); i++) {
    const wal_command *c = wal_command_at(i);
    printf(".TP\n\\fB%s\\fR \\fI", c->name);
    print_roff(c->operands);
    printf("\\fR\n");
    print_roff(c->summary);
    printf("\n");
  }
  printf(".SH OPTIONS\n");
  for (int i = 0; i < wal_option_count(); i++) print_option(wal_option_at(i));
  printf(".SH EXIT STATUS\n");
  for (int i = 0; i < WAL_STATUS_COUNT; i++)
    printf(".TP\n.B %d\n%s\n", wal_status_exit((wal_status)i), wal_status_text((wal_status)i));
  print_lines(MORE);
}

// ---- bash -------------------------------------------------------------------------------------

static const char KINDS[] = "walras list 2>/dev/null | sed -n 's/^\\([a-z_]*\\)$/\\1/p'";
static const char NAMES[] = "walras list 2>/dev/null | sed -n 's/^  \\([a-z0-9_]*\\) .*/\\1/p'";

static void print_words(const char *text) {
  for (const char *c = text; *c; c++) putchar(*c == '|' ? ' ' : *c);
}

static void print_bash_operand(const wal_command *command) {
  switch (operand_of(command)) {
    case RUN:
      printf("_walras_files h5");
      return;
    case KIND:
      printf("COMPREPLY=($(compgen -W \"$(%s)\" -- \"$cur\"))", KINDS);
      return;
    case NAME:
      printf("COMPREPLY=($(compgen -W \"$(%s)\" -- \"$cur\"))", NAMES);
      return;
    case WORDS:
      printf("COMPREPLY=($(compgen -W \"");
      print_words(command->operands);
      printf("\" -- \"$cur\"))");
      return;
    case SCENARIO:
      printf("_walras_files lua json");
      return;
  }
}

/** The options that a command takes (all of them if it is NULL), as words. */
static void print_options(const wal_command *command) {
  const char *before = "";
  for (int i = 0; i < wal_option_count(); i++) {
    const wal_option *o = wal_option_at(i);
    if (command ? !takes(command, o) : o->commands != 0) continue;
    printf("%s--%s", before, o->name);
    if (o->letter) printf(" -%c", o->letter);
    before = " ";
  }
}

static void print_bash(void) {
  printf(
      "# Completion of walras for bash; printed by walras generate bash.\n\n"
      "_walras_files() {\n"
      "  local IFS=$'\\n' suffix\n"
      "  compopt -o filenames 2>/dev/null\n"
      "  COMPREPLY=($(compgen -d -- \"$cur\"))\n"
      "  for suffix; do COMPREPLY+=($(compgen -f -X \"!*.$suffix\" -- \"$cur\")); done\n"
      "}\n\n_walras() {\n"
      "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command= word\n"
      "  COMPREPLY=()\n"
      "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
      "    case $word in\n      ");
  for (int i = 0; i < wal_command_count(); i++)
    printf("%s%s", i ? "|" : "", wal_command_at(i)->name);
  printf(") command=$word; break ;;\n    esac\n  done\n  case $prev in\n");
  for (int i = 0; i < wal_option_count(); i++) {
    const wal_option *o = wal_option_at(i);
    if (!o->argument) continue;
    printf("    --%s", o->name);
    if (o->letter) printf("|-%c", o->letter);
    if (wants_word(o))
      printf(") COMPREPLY=($(compgen -W %s -- \"$cur\")); return ;;\n", o->argument);
    else
      printf(") %sreturn ;;\n", wants_file(o) ? "_walras_files h5; " : "");
  }
  printf("  esac\n  case $command:$cur in\n    :-*) COMPREPLY=($(compgen -W \"");
  print_options(NULL);
  printf("\" -- \"$cur\")) ;;\n    :*) COMPREPLY=($(compgen -W \"");
  for (int i = 0; i < wal_command_count(); i++)
    printf("%s%s", i ? " " : "", wal_command_at(i)->name);
  printf("\" -- \"$cur\")) ;;\n");
  for (int i = 0; i < wal_command_count(); i++) {
    const wal_command *c = wal_command_at(i);
    printf("    %s:-*) COMPREPLY=($(compgen -W \"", c->name);
    print_options(c);
    printf("\" -- \"$cur\")) ;;\n    %s:*) ", c->name);
    print_bash_operand(c);
    printf(" ;;\n");
  }
  printf("  esac\n}\n\ncomplete -F _walras walras\n");
}

// ---- zsh --------------------------------------------------------------------------------------

/** Text inside single quotes of a specification: quotes, colons and brackets are escaped. */
static void print_zsh_text(const char *text) {
  for (const char *c = text; *c; c++) {
    if (*c == '\'')
      printf("'\\''");
    else
      printf(strchr(":[]\\", *c) ? "\\%c" : "%c", *c);
  }
}

static void print_zsh_option(const wal_option *o) {
  printf("        ");
  if (o->letter)
    printf("'%s'{-%c,--%s}'", strcmp(o->name, "parameter") == 0 ? "*" : "", o->letter, o->name);
  else
    printf("'--%s", o->name);
  printf("[");
  print_zsh_text(o->meaning);
  printf("]");
  if (wants_word(o))
    printf(":%s:(%s)", o->name, o->argument);
  else if (o->argument)
    printf(":%s:%s", o->argument, wants_file(o) ? "_files" : " ");
  printf("' \\\n");
}

static void print_zsh_operand(const wal_command *c) {
  switch (operand_of(c)) {
    case RUN:
      printf("'*:run file:_files -g \"*.h5\"'");
      return;
    case KIND:
      printf("\"*:kind:($(%s))\"", KINDS);
      return;
    case NAME:
      printf("\"*:name:($(%s))\"", NAMES);
      return;
    case WORDS:
      printf("'*:what:(");
      print_words(c->operands);
      printf(")'");
      return;
    case SCENARIO:
      printf("'*:scenario:_files -g \"*.(lua|json)\"'");
      return;
  }
}

static void print_zsh(void) {
  printf(
      "#compdef walras\n# Completion of walras for zsh; printed by walras generate zsh.\n\n"
      "_walras() {\n  local -a commands\n  commands=(\n");
  for (int i = 0; i < wal_command_count(); i++) {
    printf("    '%s:", wal_command_at(i)->name);
    print_zsh_text(wal_command_at(i)->summary);
    printf("'\n");
  }
  printf(
      "  )\n  if (( CURRENT == 2 )); then\n    _describe command commands\n    return\n  fi\n"
      "  local command=$words[2]\n  shift words\n  (( CURRENT-- ))\n  case $command in\n");
  for (int i = 0; i < wal_command_count(); i++) {
    const wal_command *c = wal_command_at(i);
    printf("    %s)\n      _arguments \\\n", c->name);
    for (int k = 0; k < wal_option_count(); k++)
      if (takes(c, wal_option_at(k))) print_zsh_option(wal_option_at(k));
    printf("        ");
    print_zsh_operand(c);
    printf(" ;;\n");
  }
  printf("  esac\n}\n\n_walras \"$@\"\n");
}

int wal_command_generate(const wal_options *options, int argc, char **argv) {
  (void)argc;
  (void)argv;
  const char *what = options->operand[0];
  if (strcmp(what, "man") == 0) {
    print_manual();
  } else if (strcmp(what, "bash") == 0) {
    print_bash();
  } else if (strcmp(what, "zsh") == 0) {
    print_zsh();
  } else {
    fprintf(stderr, "walras generate: expected man, bash or zsh, got \"%s\"\n", what);
    return wal_status_exit(WAL_EUSAGE);
  }
  return 0;
}
