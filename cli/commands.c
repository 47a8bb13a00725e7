// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/commands.h"

#include "cli/options.h"

static const wal_command COMMANDS[] = {
    {"run", "FILE", "run a scenario and write its run file", 1, 1, WAL_COMMAND_RUN, true, false,
     wal_command_run},
    {"resume", "RUN.h5", "go on with a run that was stopped or killed", 1, 1, WAL_COMMAND_RESUME,
     true, false, wal_command_resume},
    {"check", "FILE", "validate a scenario and print it with all defaults filled in", 1, 1,
     WAL_COMMAND_CHECK, true, false, wal_command_check},
    {"list", "[KIND]", "list games, learners, tasks and all else that scenarios are made of", 0, 1,
     WAL_COMMAND_OTHER, false, true, wal_command_list},
    {"describe", "NAME", "explain a name of the list: parameters, an example, the source", 1, 1,
     WAL_COMMAND_OTHER, false, true, wal_command_describe},
    {"info", "RUN.h5", "show what a run file holds, or where its run stands", 0, 1,
     WAL_COMMAND_INFO, true, false, wal_command_info},
    {"report", "A.h5 [B.h5]", "make a page with figures of a run file, or of two to compare", 1, 2,
     WAL_COMMAND_REPORT, true, false, wal_command_report},
    {"diff", "A.h5 B.h5", "compare two run files: exit 0 if equal, 1 if not", 2, 2,
     WAL_COMMAND_OTHER, true, false, wal_command_diff},
    {"generate", "man|bash|zsh", "print the manual page, or completions for a shell", 1, 1,
     WAL_COMMAND_OTHER, false, true, wal_command_generate},
};

const wal_command *wal_command_at(int index) { return &COMMANDS[index]; }
int wal_command_count(void) { return (int)(sizeof COMMANDS / sizeof COMMANDS[0]); }
