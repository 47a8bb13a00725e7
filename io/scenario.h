// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_IO_SCENARIO_H
#define WALRAS_IO_SCENARIO_H

#include "sim/core/parameter.h"

/**
 * A scenario: a sandboxed Lua 5.4 file that returns a task, as `return solve { game = ... }`, or a
 * list of tasks, which stands for sweep { runs = list } where the catalogue has a "sweep"; or the
 * canonical JSON of a resolved one (a name ending in .json). It lives as long as functions of
 * it may be called.
 */
typedef struct wal_scenario wal_scenario;

/**
 * Reads, broadcasts and evaluates a scenario. Rank 0 alone touches the file.
 * In the sandbox every component of the catalogue is a constructor that takes exactly one table
 * (mirror_descent{} or mirror_descent { rate = 1 }); base, math, string and table are there,
 * `pairs` walks keys in sorted order, table.sort is stable; load*, dofile, require, print, next,
 * collectgarbage, math.random*, pattern matching and bytecode are not. A scenario may be 16 MiB
 * long, take 256 MiB, strings of 1 MiB and 10^9 steps (about ten seconds; 30 s of processor time
 * where steps are dear), each later call of a function as many, and nest tables 64 deep.
 * @collective ctx
 * @param catalogue  must outlive the scenario
 * Errors: WAL_ENOTFOUND (missing or unreadable file, or no regular one), WAL_EINPUT with
 * `file:line: ...`.
 */
wal_status wal_scenario_load(wal_ctx *ctx, const char *path, const wal_catalogue *catalogue,
                             wal_scenario **out);

/** As wal_scenario_load(), from a text that every rank has. Rank-local. `name` stands in errors. */
wal_status wal_scenario_parse(wal_ctx *ctx, const char *name, const char *text, size_t length,
                              const wal_catalogue *catalogue, wal_scenario **out);

/** As wal_scenario_parse(), from the canonical JSON of the resolved scenario `name`, whatever its
 *  ending: errors of functions have the name and the lines of the file that they come from. */
wal_status wal_scenario_parse_resolved(wal_ctx *ctx, const char *name, const char *text,
                                       const wal_catalogue *catalogue, wal_scenario **out);

/**
 * Sets one value, as -P does: "game.states=37", "learner=fictitious_play{rate=0.1}". The value is a
 * Lua expression in the scenario's sandbox; a lone word is a string or, if it is a constructor,
 * that component without parameters; nil takes the value away. On the way, records and components
 * that were left out are made if the catalogue knows their defaults. An unknown last name is found
 * out when the parameters are resolved. Rank-local, same on all ranks. Errors: WAL_EUSAGE (no
 * path=value), WAL_EINPUT, with `-P path: ...`.
 */
wal_status wal_scenario_override(wal_ctx *ctx, wal_scenario *scenario, const char *assignment);

/**
 * What an override does, on the tree of any task: sets the value at a path such as "game.states".
 * Rank-local. Takes `value` over, whatever happens; NULL takes what is there away.
 * @param task   WAL_NODE_COMPONENT
 * @param where  what error texts begin with, as "-P game.states"
 */
wal_status wal_scenario_set(wal_ctx *ctx, const wal_catalogue *catalogue, wal_node *task,
                            const char *path, wal_node *value, const char *where);

/** The task as written, overrides applied: a WAL_NODE_COMPONENT. Owned by the scenario. */
const wal_node *wal_scenario_root(const wal_scenario *scenario);
/** File name as given, for error texts. */
const char *wal_scenario_name(const wal_scenario *scenario);
/** Text as read. */
const char *wal_scenario_source(const wal_scenario *scenario);
/** The Lua text that its functions come from: the source, of a JSON text the script that it holds,
 *  NULL if there is none. */
const char *wal_scenario_script(const wal_scenario *scenario);

/** Frees it and sets *scenario to NULL; NULL is let pass. Its functions may no longer be called. */
void wal_scenario_destroy(wal_scenario **scenario);

#endif
