// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_IO_SCENARIO_H
#define WALRAS_IO_SCENARIO_H

#include "sim/core/parameter.h"

/**
 * A scenario: a sandboxed Lua 5.4 file that returns a task, as `return solve { game = ... }`, or the
 * canonical JSON of a resolved one (a name ending in .json). It lives as long as functions of it
 * may be called.
 */
typedef struct wal_scenario wal_scenario;

/**
 * Reads, broadcasts and evaluates a scenario. Rank 0 alone touches the file.
 * In the sandbox every component of the catalogue is a constructor that takes exactly one table
 * (mirror_descent{} or mirror_descent { rate = 1 }); base, math, string and table are there, `pairs`
 * walks keys in sorted order; load*, dofile, require, print, collectgarbage, math.random*, pattern
 * matching and bytecode are not; memory and instructions are limited.
 * @collective ctx
 * Errors: WAL_ENOTFOUND (missing or unreadable file), WAL_EINPUT with `file:line: ...`.
 */
wal_status wal_scenario_load(wal_ctx *ctx, const char *path, const wal_catalogue *catalogue,
                             wal_scenario **out);

/** As wal_scenario_load(), from a text that every rank has. Rank-local. `name` stands in errors. */
wal_status wal_scenario_parse(wal_ctx *ctx, const char *name, const char *text, size_t length,
                              const wal_catalogue *catalogue, wal_scenario **out);

/**
 * Sets one value, as -P does: "game.states=37", "learner=fictitious_play{rate=0.1}". The value is a
 * Lua expression in the scenario's sandbox; a lone word that is no constructor is a string.
 * Unknown names are found out when the parameters are resolved. Rank-local, same on all ranks.
 */
wal_status wal_scenario_override(wal_ctx *ctx, wal_scenario *scenario, const char *assignment);

/** The task as written, overrides applied: a WAL_NODE_COMPONENT. Owned by the scenario. */
const wal_node *wal_scenario_root(const wal_scenario *scenario);
/** File name as given, for error texts. */
const char *wal_scenario_name(const wal_scenario *scenario);
/** Text as read. */
const char *wal_scenario_source(const wal_scenario *scenario);

void wal_scenario_destroy(wal_scenario **scenario);

#endif
