// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_TESTS_CONFORMANCE_SETTINGS_H
#define WALRAS_TESTS_CONFORMANCE_SETTINGS_H

#include "tests/support/make_game.h"

/** A game as conformance tests set it: with its defaults, or a second, larger setting (a new game
 *  without one is tested with its defaults twice). */
wal_node *settings_describe(const char *game, bool second);

/** How many settings a game is tested in: two; batched_auction with every mechanism. */
int settings_count(const char *game);

/** Makes the game of settings_describe() (setting 0: defaults), of one that needs functions or
 *  components from a Lua text. */
wal_status settings_create(wal_ctx *ctx, const char *game, int setting, wal_test_game *out);

/** A mechanism as Lua text, as "first_price {}": with its defaults, or a second setting for markets
 *  of any rounds and bids whose goods are 1.1 (a new one without it is tested with its defaults
 *  twice). Returns `buffer`. */
const char *settings_mechanism(const char *name, bool second, char *buffer, size_t size);
/** Writes a file for the game `tabulated`, one a rank, and gives its name to the component. */
void settings_write_tables(wal_node *component, bool second);

#endif
