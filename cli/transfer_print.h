// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_TRANSFER_PRINT_H
#define WALRAS_CLI_TRANSFER_PRINT_H

#include "cli/transfer_summary.h"

/** The tables of a transfer: regrets, what they are beside those of the baseline, what became of
 *  policies and sources, win rates. */
void wal_transfer_print(const wal_transfer_results *results);

#endif
