// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_TESTS_SUPPORT_BIDDING_H
#define WALRAS_TESTS_SUPPORT_BIDDING_H

#include "sim/game/game.h"

/** A small auction, to try the engine with: not in the list of games. States are values and, as the
 *  last one, those who have won; actions are bids; the outcomes are to lose and to win. Its
 *  parameters `by_action`, `drift` (noise that varies), `climb` (who loses with an odd bid has a
 *  higher value next), `caps` (bids above the value are not legal) and `populations` (1 or 2)
 * choose what the engine has to cope with. */
extern const wal_game_type wal_test_bidding;

#endif
