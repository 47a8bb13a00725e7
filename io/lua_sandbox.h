// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_IO_LUA_SANDBOX_H
#define WALRAS_IO_LUA_SANDBOX_H

/* Lua for the lua_*.c files and scenario.c only. */

#include <lua.h>

#include "sim/core/parameter.h"

/** Bytes that a scenario's values may take. */
#define WAL_LUA_MEMORY ((size_t)256 << 20)
/** Bytes of one string. Comparing and copying strings is one instruction each, whatever their size.
 */
#define WAL_LUA_TEXT ((size_t)1 << 20)
/** Steps of one evaluation (of the file, or of one call of a function): an instruction is one, and
 *  so are 8 bytes of memory taken and each element that table.insert and the like may move. */
#ifndef WAL_LUA_STEPS  // fuzz targets have less
#define WAL_LUA_STEPS ((uint64_t)1000000000)
#endif
/** Processor time of one evaluation, for instructions that cost far more than others. */
#define WAL_LUA_SECONDS 30

typedef enum wal_lua_stop {
  WAL_LUA_RUNS,
  WAL_LUA_OUT_OF_STEPS,
  WAL_LUA_OUT_OF_TIME,
  WAL_LUA_LONG_TEXT,
} wal_lua_stop;

/** A Lua state without access to anything, limited in memory and time. */
typedef struct wal_lua {
  lua_State *state;
  const wal_catalogue *catalogue;
  char *name; /**< of the scenario, for error texts */
  size_t memory;
  uint64_t steps;
  struct wal_lua_array *array; /**< that functions now read, NULL: none */
  int array_reference;
  double *results; /**< of the last call */
  int64_t results_capacity;
  int64_t start; /**< processor time in ns when the evaluation was first looked at, -1 before */
  wal_lua_stop stop;
} wal_lua;

/** @param catalogue  its components are the constructors; must outlive the state */
wal_status wal_lua_create(wal_ctx *ctx, const char *name, const wal_catalogue *catalogue,
                          wal_lua **out);
void wal_lua_destroy(wal_lua **lua);

/** Evaluates a text and turns its one result into a tree.
 *  @param chunk  what error texts call it: the scenario's name, or "-P game.states"
 *  @param override  the text is the value of an override: it may give nil (*out is then NULL), and
 *                   has no lines that anybody could look up */
wal_status wal_lua_evaluate(wal_ctx *ctx, wal_lua *lua, const char *chunk, const char *text,
                            size_t length, bool override, wal_node **out);

/* For the lua_*.c files. */

wal_lua *wal_lua_of(lua_State *L);
/** Starts the limits of one evaluation afresh. */
void wal_lua_begin(wal_lua *lua);
/** Counts steps of a function written in C; raises an error beyond the limit. */
void wal_lua_charge(lua_State *L, uint64_t steps);
/** True if the error at the top of the stack is one that a script must not catch. */
bool wal_lua_is_final(lua_State *L, int status);
/** Records the error at the top of the stack as `CHUNK:LINE: ...`, once, on one line. */
wal_status wal_lua_fail(wal_ctx *ctx, const wal_lua *lua, const char *chunk, bool override,
                        int status);
/** The same with `what` between the position and the text. */
wal_status wal_lua_fail_in(wal_ctx *ctx, const wal_lua *lua, const char *chunk, const char *what,
                           bool override, int status);

enum { WAL_LUA_SHOWN = LUA_IDSIZE - 4 };
/** What Lua calls a chunk of this name in its errors: the name, or the end of a long one. */
const char *wal_lua_shown(const char *chunk, char buffer[WAL_LUA_SHOWN]);

/** Protected function: fills the state with what scenarios may use. */
int wal_lua_open_library(lua_State *L);
/** Adds pairs and table.sort to the tables at these stack places. */
void wal_lua_open_order(lua_State *L, int globals, int table_library);
/** Adds the constructors to the table at this stack place. */
void wal_lua_open_components(lua_State *L, int globals);
/** Pushes a list of the keys of the table at this stack place: numbers ascending, strings in byte
 *  order, booleans; an error for others. */
void wal_lua_push_sorted_keys(lua_State *L, int table);

/** Makes what arrays given to functions are to scripts. */
void wal_lua_open_arrays(lua_State *L);
/** Keeps the Lua function at the top of the stack, which stays there, as a wal_function. */
wal_function wal_lua_function(lua_State *L);

/** A component made by a constructor: its table is user value 1. */
typedef struct wal_lua_component {
  const wal_component *component;
  int line;
} wal_lua_component;

wal_lua_component *wal_lua_to_component(lua_State *L, int index);
/** The component that the function at this stack place constructs, NULL if it is another function.
 */
const wal_component *wal_lua_constructed(lua_State *L, int index);
/** "a table", "beach_bar{...}": for error texts. */
const char *wal_lua_describe(lua_State *L, int index, char *buffer, size_t size);

/** Where wal_lua_convert() puts its tree: whole or, after an error, in part. */
typedef struct wal_lua_tree {
  wal_node *root;
  const char *shown; /**< wal_lua_shown() of the chunk */
  bool lines;        /**< give nodes the lines of their constructors */
} wal_lua_tree;

/** Turns the value at the top of the stack into a tree; raises Lua errors. */
void wal_lua_convert(lua_State *L, wal_lua_tree *tree);

#endif
