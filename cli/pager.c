// SPDX-License-Identifier: GPL-3.0-or-later
#define _DEFAULT_SOURCE  // TIOCGWINSZ, O_CLOEXEC

#include "cli/pager.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { LENGTH = 1024, WORDS = 32 };

/* The words of the pager's command line and a NULL; false if none is wanted. */
static bool command_of(char line[LENGTH], char *words[WORDS]) {
  const char *term = getenv("TERM"), *wanted = getenv("WALRAS_PAGER");
  if (!wanted) wanted = getenv("PAGER");
  if (!wanted) wanted = "less -FRX";
  if (!term || strcmp(term, "dumb") == 0 || strlen(wanted) >= LENGTH) return false;
  strcpy(line, wanted);
  char *rest = NULL;
  int count = 0;
  for (char *word = strtok_r(line, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
    if (count == WORDS - 1) return false;
    words[count++] = word;
  }
  words[count] = NULL;
  return count > 0 && strcmp(words[0], "cat") != 0;
}

void wal_pager_open(wal_pager *pager) {
  char line[LENGTH], *words[WORDS];
  *pager = (wal_pager){NULL, -1};
  if (!isatty(STDOUT_FILENO) || !command_of(line, words)) return;
  fflush(stdout);
  pager->held = tmpfile();
  pager->terminal = pager->held ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3) : -1;
  if (pager->terminal >= 0 && dup2(fileno(pager->held), STDOUT_FILENO) >= 0) return;
  if (pager->terminal >= 0) close(pager->terminal);
  if (pager->held) fclose(pager->held);
  pager->held = NULL;
}

/* Whether a text fits on the terminal, with a line left for the prompt. */
static bool fits(FILE *text) {
  struct winsize size = {.ws_row = 0};
  ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
  const int rows = size.ws_row > 0 ? size.ws_row : 24, columns = size.ws_col > 0 ? size.ws_col : 80;
  int row = 1, column = 0;
  rewind(text);
  for (int c = getc(text); c != EOF && row < rows; c = getc(text)) {
    column = c == '\n' ? 0 : column + 1;
    const bool wrapped = column > columns;
    if (wrapped) column = 1;
    row += c == '\n' || wrapped;
  }
  return row < rows || feof(text);
}

/* Lets the pager show a text that is its stdin; false if it cannot be started. */
static bool show(FILE *text) {
  char line[LENGTH], *words[WORDS];
  posix_spawn_file_actions_t actions;
  pid_t process = 0;
  if (!command_of(line, words) || lseek(fileno(text), 0, SEEK_SET) != 0) return false;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, fileno(text), STDIN_FILENO);
  const int error = posix_spawnp(&process, words[0], &actions, NULL, words, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error) return false;
  signal(SIGINT, SIG_IGN);  // keys that interrupt are the pager's, which gives the terminal back
  signal(SIGQUIT, SIG_IGN);
  while (waitpid(process, NULL, 0) < 0 && errno == EINTR) continue;
  signal(SIGINT, SIG_DFL);
  signal(SIGQUIT, SIG_DFL);
  return true;
}

void wal_pager_close(wal_pager *pager) {
  if (!pager->held) return;
  fflush(stdout);
  dup2(pager->terminal, STDOUT_FILENO);
  close(pager->terminal);
  if (fits(pager->held) || !show(pager->held)) {
    rewind(pager->held);
    for (int c = getc(pager->held); c != EOF; c = getc(pager->held)) putchar(c);
  }
  fclose(pager->held);
  pager->held = NULL;
}
