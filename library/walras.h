// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_H
#define WALRAS_H

/**
 * @mainpage walras
 * The library that the program walras is made of. This header and all those that it leads to are
 * installed; docs/library.md tells how they are found, and has an example.
 *
 * Everywhere: a function marked collective is called by all ranks of its context in the same order,
 * and fails on all of them or on none; all else is rank-local. Every failure is a wal_status, its
 * one line in wal_ctx_error(). What allocates fails with WAL_EINPUT where memory or the context's
 * limit does not suffice, what is collective with WAL_EINTERNAL where MPI fails; other failures
 * stand at each function. After a failure `*out` is NULL or zeroed, or may be destroyed as it is. A
 * pointer that a function gives through `out` belongs to the caller, who frees it by the function
 * `..._destroy()` of its type; one that it returns belongs to what it was asked of. Sizes stand in
 * brackets, slowest index first: `[A][S]`, with H stages, S states, A actions, K outcomes, P
 * populations of the game. Rewards are pure numbers, in the unit that the game gives them; masses
 * sum to 1 in each population; seconds are those of wal_clock().
 */

#include "games/common.h"    /* what games share */
#include "games/game_list.h" /* the library's games */
#include "incentives/design/design.h"
#include "incentives/design/gradient_check.h"
#include "io/scenario.h"
#include "library/study.h" /* a design or a solve from a text: the short way */
#include "sim/agents/population.h"
#include "sim/core/context.h"
#include "sim/core/hot.h"
#include "sim/core/memory.h"
#include "sim/game/game.h" /* what a game is */
#include "sim/learn/solve.h"

#endif
