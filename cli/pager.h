// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_PAGER_H
#define WALRAS_CLI_PAGER_H

#include <stdio.h>

/** Text for a terminal, held back until it is whole: one that does not fit on the screen is shown
 *  by a program that stops at every page. */
typedef struct wal_pager {
  FILE *held;   /**< what was printed; NULL: it goes out as it is */
  int terminal; /**< what stdout was */
} wal_pager;

/** Holds back what is printed to stdout from here on, if stdout is a terminal other than TERM=dumb
 *  and a pager is wanted. */
void wal_pager_open(wal_pager *pager);

/**
 * Gives stdout back and shows what was held: as it is if it fits on the screen, else by the program
 * that WALRAS_PAGER, or else PAGER, names (words apart by blanks; empty or "cat": none is wanted),
 * or else by `less -FRX`, and waits for its end. If that program cannot be started, the text is
 * printed. That the reader leaves before the end is no error.
 */
void wal_pager_close(wal_pager *pager);

#endif
