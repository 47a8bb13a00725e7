// SPDX-License-Identifier: GPL-3.0-or-later
#define _POSIX_C_SOURCE 200809L  // clock_gettime

#include "io/lua_sandbox.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
  HOOK_INTERVAL = 10000,
  BYTES_A_STEP = 8,
  SMALL_BLOCK = 1 << 16,
  TEXT_LENGTH = 1024,
  NAME_SHOWN = 300,
};

static const char NO_MEMORY[] = "not enough memory";  // Lua's own text

// ---- Limits -----------------------------------------------------------------------------------

// Called by Lua for all its memory. A refusal makes Lua collect its garbage and ask once more.
static void *allocate(void *user, void *block, size_t old_size, size_t size) {
  wal_lua *lua = user;
  bool text = !block && old_size == LUA_TSTRING;  // of a new block, Lua gives the kind
  if (!block) old_size = 0;
  if (size == 0) {
    free(block);
    lua->memory -= old_size;
    return NULL;
  }
  if (size > old_size) {
    size_t growth = size - old_size;
    lua->steps += growth / BYTES_A_STEP;
    bool long_text = text && size > WAL_LUA_TEXT;
    // Small blocks are left to on_count(): raising its error takes memory too.
    bool out_of_steps = lua->steps > WAL_LUA_STEPS && growth > SMALL_BLOCK;
    if (long_text) lua->stop = WAL_LUA_LONG_TEXT;
    if (out_of_steps) lua->stop = WAL_LUA_OUT_OF_STEPS;
    if (long_text || out_of_steps || growth > WAL_LUA_MEMORY - lua->memory) return NULL;
  }
  void *moved = realloc(block, size);
  if (moved) lua->memory = lua->memory - old_size + size;
  return moved;
}

wal_lua *wal_lua_of(lua_State *L) {
  void *lua = NULL;
  lua_getallocf(L, &lua);
  return lua;
}

static const char *stop_text(wal_lua_stop stop) {
  switch (stop) {
    case WAL_LUA_OUT_OF_STEPS:
      return "stopped after 10^9 steps; does a loop never end?";
    case WAL_LUA_OUT_OF_TIME:
      return "stopped after 30 seconds; does a loop never end?";
    case WAL_LUA_LONG_TEXT:
      return "a text longer than 1 MiB is not possible here";
    case WAL_LUA_RUNS:
      break;
  }
  return "more than 256 MiB of memory would be needed";
}

static int64_t processor_time(void) {
  struct timespec now = {0, 0};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

// Raises an error at the line of the running function (level 0 in a hook, 1 in a C function).
static void stop_here(lua_State *L, int level) {
  lua_Debug where;
  lua_pushstring(L, stop_text(wal_lua_of(L)->stop));
  if (lua_getstack(L, level, &where) && lua_getinfo(L, "Sl", &where) && where.currentline > 0) {
    lua_pushfstring(L, "%s:%d: ", where.short_src, where.currentline);
    lua_insert(L, -2);
    lua_concat(L, 2);
  }
  lua_error(L);
}

static void on_count(lua_State *L, lua_Debug *activation) {
  (void)activation;
  wal_lua *lua = wal_lua_of(L);
  lua->steps += HOOK_INTERVAL;
  int64_t now = processor_time();
  if (lua->start < 0) lua->start = now;
  if (lua->steps > WAL_LUA_STEPS)
    lua->stop = WAL_LUA_OUT_OF_STEPS;
  else if (now - lua->start > (int64_t)WAL_LUA_SECONDS * 1000000000)
    lua->stop = WAL_LUA_OUT_OF_TIME;
  if (lua->stop != WAL_LUA_RUNS) stop_here(L, 0);
}

void wal_lua_charge(lua_State *L, uint64_t steps) {
  wal_lua *lua = wal_lua_of(L);
  lua->steps += steps < WAL_LUA_STEPS ? steps : WAL_LUA_STEPS + 1;
  if (lua->steps <= WAL_LUA_STEPS) return;
  lua->stop = WAL_LUA_OUT_OF_STEPS;
  stop_here(L, 1);
}

void wal_lua_begin(wal_lua *lua) {
  lua->steps = 0;
  lua->start = -1;
  lua->stop = WAL_LUA_RUNS;
}

static bool out_of_memory(lua_State *L, int status) {
  const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
  return status == LUA_ERRMEM || strcmp(text, NO_MEMORY) == 0;
}

bool wal_lua_is_final(lua_State *L, int status) {
  return wal_lua_of(L)->stop != WAL_LUA_RUNS || out_of_memory(L, status);
}

// ---- Error texts ------------------------------------------------------------------------------

const char *wal_lua_shown(const char *chunk, char buffer[WAL_LUA_SHOWN]) {
  size_t length = strlen(chunk);
  if (length < WAL_LUA_SHOWN)
    memcpy(buffer, chunk, length + 1);
  else
    snprintf(buffer, WAL_LUA_SHOWN, "...%s", chunk + length - (WAL_LUA_SHOWN - 4));
  return buffer;
}

// Length of "SHOWN:LINE: " at the start of a text, 0 if it does not stand there.
static size_t position_length(const char *text, const char *shown) {
  size_t length = strlen(shown);
  if (strncmp(text, shown, length) != 0 || text[length] != ':') return 0;
  size_t digits = strspn(text + length + 1, "0123456789");
  const char *rest = text + length + 1 + digits;
  return digits > 0 && rest[0] == ':' && rest[1] == ' ' ? (size_t)(rest + 2 - text) : 0;
}

wal_status wal_lua_fail(wal_ctx *ctx, const wal_lua *lua, const char *chunk, bool override,
                        int status) {
  return wal_lua_fail_in(ctx, lua, chunk, "", override, status);
}

wal_status wal_lua_fail_in(wal_ctx *ctx, const wal_lua *lua, const char *chunk, const char *what,
                           bool override, int status) {
  lua_State *L = lua->state;
  char shown[WAL_LUA_SHOWN];
  char text[TEXT_LENGTH];
  wal_lua_shown(chunk, shown);
  if (out_of_memory(L, status))
    snprintf(text, sizeof text, "%s", stop_text(lua->stop));
  else if (lua_type(L, -1) == LUA_TSTRING)
    snprintf(text, sizeof text, "%s", lua_tostring(L, -1));
  else
    snprintf(text, sizeof text, "an error was raised with a %s, not with a text",
             lua_typename(L, lua_type(L, -1)));
  for (char *c = text; *c; c++)
    if ((unsigned char)*c < 0x20U || *c == 0x7F) *c = ' ';

  // An error raised anew (error(message)) has several positions; the innermost is where it was.
  const char *rest = text;
  size_t position = position_length(rest, shown);
  while (position > 0 && position_length(rest + position, shown) > 0) {
    rest += position;
    position = position_length(rest, shown);
  }
  size_t length = strlen(chunk);
  const char *name = length > NAME_SHOWN ? chunk + length - NAME_SHOWN : chunk;
  const char *cut = name == chunk ? "" : "...";
  size_t line = position > 0 && !override ? strlen(shown) : position;  // ":LINE: " is told
  if (line < position)
    return wal_fail(ctx, WAL_EINPUT, "%s%s%.*s%s%s", cut, name, (int)(position - line), rest + line,
                    what, rest + position);
  return wal_fail(ctx, WAL_EINPUT, "%s%s: %s%s", cut, name, what, rest + position);
}

// ---- The state --------------------------------------------------------------------------------

wal_status wal_lua_create(wal_ctx *ctx, const char *name, const wal_catalogue *catalogue,
                          wal_lua **out) {
  *out = NULL;
  wal_lua *lua = calloc(1, sizeof *lua);
  size_t size = strlen(name) + 1;
  if (lua) {
    lua->catalogue = catalogue;
    lua->name = malloc(size);
    lua->state = lua->name ? lua_newstate(allocate, lua) : NULL;
  }
  if (!lua || !lua->state) {
    wal_lua_destroy(&lua);
    return wal_fail(ctx, WAL_EINPUT, "%s: not enough memory", name);
  }
  memcpy(lua->name, name, size);
  wal_lua_begin(lua);
  lua_pushcfunction(lua->state, wal_lua_open_library);
  int status = lua_pcall(lua->state, 0, 0, 0);
  if (status != LUA_OK) {
    wal_lua_fail(ctx, lua, name, false, status);
    wal_lua_destroy(&lua);
    return WAL_EINPUT;
  }
  lua_sethook(lua->state, on_count, LUA_MASKCOUNT, HOOK_INTERVAL);
  *out = lua;
  return WAL_OK;
}

void wal_lua_destroy(wal_lua **lua) {
  if (!lua || !*lua) return;
  if ((*lua)->state) lua_close((*lua)->state);
  free((*lua)->results);
  free((*lua)->name);
  free(*lua);
  *lua = NULL;
}

// ---- Evaluation -------------------------------------------------------------------------------

// Whether the value at the top is a list that begins with a component, and lists stand for sweeps.
static bool is_list_of_tasks(lua_State *L) {
  if (!lua_istable(L, -1) || !wal_catalogue_find(wal_lua_of(L)->catalogue, "sweep")) return false;
  lua_rawgeti(L, -1, 1);
  bool task = wal_lua_to_component(L, -1) != NULL;
  lua_pop(L, 1);
  return task;
}

// Calls the chunk (argument 1) and converts its one result (into the tree, argument 2).
static int evaluate(lua_State *L) {
  wal_lua_tree *tree = lua_touserdata(L, 2);
  bool task = tree->lines;
  lua_pushvalue(L, 1);
  lua_call(L, 0, LUA_MULTRET);
  int results = lua_gettop(L) - 2;
  const char *expected = task ? "one task, as return solve { ... }" : "one value";
  if (results == 0) return luaL_error(L, "expected %s, got nothing", expected);
  if (results > 1) return luaL_error(L, "expected %s, got %d values", expected, results);
  if (task && !wal_lua_to_component(L, -1) && !is_list_of_tasks(L)) {
    char got[128];
    return luaL_error(L, "expected %s, got %s", expected, wal_lua_describe(L, -1, got, sizeof got));
  }
  if (!lua_isnil(L, -1)) wal_lua_convert(L, tree);
  return 0;
}

wal_status wal_lua_evaluate(wal_ctx *ctx, wal_lua *lua, const char *chunk, const char *text,
                            size_t length, bool override, wal_node **out) {
  lua_State *L = lua->state;
  char shown[WAL_LUA_SHOWN];
  char source[WAL_LUA_SHOWN + 1];
  wal_lua_tree tree = {.shown = wal_lua_shown(chunk, shown), .lines = !override};
  snprintf(source, sizeof source, "=%s", shown);
  *out = NULL;
  wal_lua_begin(lua);
  lua_settop(L, 0);
  lua_pushcfunction(L, evaluate);
  int status = luaL_loadbufferx(L, text, length, source, "t");
  if (status == LUA_OK) {
    lua_pushlightuserdata(L, &tree);
    status = lua_pcall(L, 2, 0, 0);
  }
  wal_status outcome = WAL_OK;
  if (status != LUA_OK) {
    outcome = wal_lua_fail(ctx, lua, chunk, override, status);
    wal_node_destroy(tree.root);
  } else {
    *out = tree.root;
  }
  lua_settop(L, 0);
  lua_gc(L, LUA_GCCOLLECT);  // the tree has it all, but for functions and what they refer to
  return outcome;
}
