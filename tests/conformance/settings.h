// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_TESTS_CONFORMANCE_SETTINGS_H
#define WALRAS_TESTS_CONFORMANCE_SETTINGS_H

#include "tests/support/make_game.h"

/** A game as conformance tests set it: with its defaults, or a second, larger setting (a new game
 *  without one is tested with its defaults twice). */
wal_node *settings_describe(const char *game, bool second);

/** Makes the game of settings_describe(), of one that needs functions from a Lua text. */
wal_status settings_create(wal_ctx *ctx, const char *game, bool second, wal_test_game *out);
/** Writes a file for the game `tabulated`, one a rank, and gives its name to the component. */
void settings_write_tables(wal_node *component, bool second);

#endif
