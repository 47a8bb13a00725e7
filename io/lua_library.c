// SPDX-License-Identifier: GPL-3.0-or-later
#include <lauxlib.h>
#include <lualib.h>
#include <stdlib.h>
#include <string.h>

#include "io/lua_sandbox.h"

/* What a scenario may use: a list of what is let in, so that nothing else ever is. Left out are
 * functions that read, run or print something, that differ between ranks (next, addresses in
 * tostring, random numbers), and that one call can keep busy without end (patterns). The step hook
 * does not fire inside C functions, in finalizers (__gc), and in message handlers (xpcall): the
 * versions here make up for that. */

static const char *const BASE[] = {"error",    "getmetatable", "ipairs", "rawequal",
                                   "rawget",   "rawlen",       "rawset", "select",
                                   "tonumber", "type",         NULL};
static const char *const MATH[] = {
    "abs",  "acos", "asin", "atan", "ceil",      "cos",        "deg",        "exp",  "floor",
    "fmod", "huge", "log",  "max",  "min",       "maxinteger", "mininteger", "modf", "pi",
    "rad",  "sin",  "sqrt", "tan",  "tointeger", "type",       "ult",        NULL};
static const char *const STRING[] = {"byte",    "char", "len",   "lower",
                                     "reverse", "sub",  "upper", NULL};

/* Functions of the library behind a check. Upvalue 1 is the library's own function (these have no
 * upvalues themselves), called in the same frame so that its errors keep their position. */

static int call_original(lua_State *L) { return lua_tocfunction(L, lua_upvalueindex(1))(L); }

// Finalizers run where no hook can stop them.
static int set_metatable(lua_State *L) {
  if (lua_istable(L, 2)) {
    lua_pushliteral(L, "__gc");
    if (lua_rawget(L, 2) != LUA_TNIL) return luaL_error(L, "__gc is not possible here");
    lua_pop(L, 1);
  }
  return call_original(L);
}

// Functions that walk a table: as many steps as elements. Upvalue 2 is the argument at which a
// range stands, or 0. A metatable's __len could make the list endless.
static int walk_table(lua_State *L) {
  int range = (int)lua_tointeger(L, lua_upvalueindex(2));
  if (lua_istable(L, 1)) {
    if (luaL_getmetafield(L, 1, "__len") != LUA_TNIL)
      return luaL_error(L, "a table with __len is not possible here");
    wal_lua_charge(L, lua_rawlen(L, 1));
  }
  if (range > 0 && lua_isnumber(L, range) && lua_isnumber(L, range + 1)) {
    lua_Integer first = lua_tointeger(L, range);
    lua_Integer last = lua_tointeger(L, range + 1);
    if (last > first) wal_lua_charge(L, (lua_Unsigned)last - (lua_Unsigned)first);
  }
  return call_original(L);
}

// string.rep: the limit on strings would refuse a long result only once it was made, and nothing
// at all can be repeated without end.
static int repeat(lua_State *L) {
  size_t length = 0;
  size_t separator = 0;
  luaL_checklstring(L, 1, &length);
  lua_Integer count = luaL_checkinteger(L, 2);
  luaL_optlstring(L, 3, "", &separator);
  size_t unit = length + separator;
  if (count > 0 && unit > 0 && (lua_Unsigned)count > WAL_LUA_TEXT / unit)
    return luaL_error(L, "string.rep: expected a result of at most 1 MiB, got a longer one");
  if (unit > 0) return call_original(L);
  lua_pushliteral(L, "");
  return 1;
}

// Replaces a value whose text would be an address by the name of its type.
static void hide_address(lua_State *L, int index) {
  switch (lua_type(L, index)) {
    case LUA_TNIL:
    case LUA_TBOOLEAN:
    case LUA_TNUMBER:
    case LUA_TSTRING:
      return;
    default:
      if (luaL_getmetafield(L, index, "__tostring") != LUA_TNIL) {
        lua_pop(L, 1);
        return;
      }
      lua_pushstring(L, luaL_typename(L, index));
      lua_replace(L, index);
  }
}

static int to_string(lua_State *L) {
  luaL_checkany(L, 1);
  hide_address(L, 1);
  luaL_tolstring(L, 1, NULL);
  return 1;
}

static int format(lua_State *L) {
  const char *text = luaL_checkstring(L, 1);
  for (const char *c = strchr(text, '%'); c && c[1]; c = strchr(c + 2, '%'))
    if (c[1 + strspn(c + 1, "-+ #0123456789.")] == 'p')
      return luaL_error(L, "string.format: %%p is not possible here");
  int count = lua_gettop(L);
  luaL_checkstack(L, 2, NULL);
  for (int i = 2; i <= count; i++) hide_address(L, i);
  return call_original(L);
}

// As in Lua, but the message gets a position, as error() gives it.
static int check(lua_State *L) {
  luaL_checkany(L, 1);
  if (lua_toboolean(L, 1)) return lua_gettop(L);
  if (lua_gettop(L) == 1) return luaL_error(L, "assertion failed");
  if (lua_type(L, 2) == LUA_TSTRING) return luaL_error(L, "%s", lua_tostring(L, 2));
  lua_settop(L, 2);
  return lua_error(L);
}

// Calls the function at stack place `first` with what stands above it; leaves true and its results
// or false and the error from there on. What exceeded a limit goes on through every pcall.
static int protect(lua_State *L, int first) {
  int status = lua_pcall(L, lua_gettop(L) - first, LUA_MULTRET, 0);
  if (status != LUA_OK && wal_lua_is_final(L, status)) return lua_error(L);
  luaL_checkstack(L, 3, NULL);
  lua_pushboolean(L, status == LUA_OK);
  lua_insert(L, first);
  return status;
}

static int protected_call(lua_State *L) {
  luaL_checkany(L, 1);
  protect(L, 1);
  return lua_gettop(L);
}

// The handler runs after the error, not inside it: there the hook is off.
static int protected_call_with_handler(lua_State *L) {
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 2);
  lua_replace(L, 1);
  lua_replace(L, 2);  // handler, f, ...
  if (protect(L, 2) != LUA_OK) {
    lua_pushvalue(L, 1);
    lua_insert(L, -2);
    lua_call(L, 1, 1);
  }
  return lua_gettop(L) - 1;
}

// ---- Unknown names ----------------------------------------------------------------------------

typedef struct name_list {
  lua_State *L;
  int keys; /**< stack place of a sorted list of names */
} name_list;

static const char *name_at(const void *user, int64_t i) {
  const name_list *names = user;
  lua_rawgeti(names->L, names->keys, (lua_Integer)i + 1);
  const char *name = lua_type(names->L, -1) == LUA_TSTRING ? lua_tostring(names->L, -1) : "";
  lua_pop(names->L, 1);
  return name;  // owned by the list
}

// __index of the globals: what is asked for was never set.
static int unknown_name(lua_State *L) {
  if (lua_type(L, 2) != LUA_TSTRING)
    return luaL_error(L, "expected a name, got a %s", luaL_typename(L, 2));
  char quoted[80];
  wal_quoted_text(lua_tostring(L, 2), quoted, sizeof quoted);
  wal_lua_push_sorted_keys(L, 1);
  name_list names = {L, lua_gettop(L)};
  const char *nearest =
      wal_nearest_name(lua_tostring(L, 2), (int64_t)lua_rawlen(L, names.keys), name_at, &names);
  const char *otherwise = wal_catalogue_written(wal_lua_of(L)->catalogue, lua_tostring(L, 2), NULL);
  if (otherwise) return luaL_error(L, "unknown name %s; write %s", quoted, otherwise);
  if (!nearest || !nearest[0]) return luaL_error(L, "unknown name %s", quoted);
  return luaL_error(L, "unknown name %s; did you mean \"%s\"?", quoted, nearest);
}

// ---- Putting it together ----------------------------------------------------------------------

static void copy_names(lua_State *L, int from, int to, const char *const *names) {
  for (; *names; names++) {
    lua_getfield(L, from, *names);
    lua_setfield(L, to, *names);
  }
}

// to.name = check(original from.name), with `range` as upvalue 2.
static void put_behind(lua_State *L, int from, int to, const char *name, lua_CFunction check_first,
                       int range) {
  lua_getfield(L, from, name);
  lua_pushinteger(L, range);
  lua_pushcclosure(L, check_first, 2);
  lua_setfield(L, to, name);
}

// Opens one of Lua's libraries and leaves its table on the stack, known to nobody else.
static int open_hidden(lua_State *L, lua_CFunction opener) {
  lua_pushcfunction(L, opener);
  lua_call(L, 0, 1);
  return lua_gettop(L);
}

static int new_library(lua_State *L, int globals, const char *name) {
  lua_newtable(L);
  lua_pushvalue(L, -1);
  lua_setfield(L, globals, name);
  return lua_gettop(L);
}

static void open_base(lua_State *L, int globals) {
  int base = open_hidden(L, luaopen_base);
  copy_names(L, base, globals, BASE);
  put_behind(L, base, globals, "setmetatable", set_metatable, 0);
  static const luaL_Reg OWN[] = {{"assert", check},
                                 {"pcall", protected_call},
                                 {"tostring", to_string},
                                 {"xpcall", protected_call_with_handler},
                                 {NULL, NULL}};
  lua_pushvalue(L, globals);
  luaL_setfuncs(L, OWN, 0);
  lua_setfield(L, globals, "_G");
}

static void open_strings(lua_State *L, int globals) {
  int strings = open_hidden(L, luaopen_string);
  int own = new_library(L, globals, "string");
  copy_names(L, strings, own, STRING);
  put_behind(L, strings, own, "rep", repeat, 0);
  put_behind(L, strings, own, "format", format, 0);
  // All strings share a metatable, through which ("x"):find() would be found.
  lua_pushliteral(L, "");
  lua_getmetatable(L, -1);
  lua_pushvalue(L, own);
  lua_setfield(L, -2, "__index");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
}

static void open_tables(lua_State *L, int globals) {
  int tables = open_hidden(L, luaopen_table);
  int own = new_library(L, globals, "table");
  put_behind(L, tables, own, "concat", walk_table, 3);
  put_behind(L, tables, own, "insert", walk_table, 0);
  put_behind(L, tables, own, "move", walk_table, 2);
  put_behind(L, tables, own, "pack", call_original, 0);
  put_behind(L, tables, own, "remove", walk_table, 0);
  put_behind(L, tables, own, "unpack", walk_table, 2);
  wal_lua_open_order(L, globals, own);
}

int wal_lua_open_library(lua_State *L) {
  luaL_checkstack(L, 30, NULL);
  lua_newtable(L);
  int globals = lua_gettop(L);
  open_base(L, globals);
  open_strings(L, globals);
  open_tables(L, globals);
  int math = open_hidden(L, luaopen_math);
  copy_names(L, math, new_library(L, globals, "math"), MATH);
  wal_lua_open_components(L, globals);
  wal_lua_open_arrays(L);
  lua_createtable(L, 0, 2);
  lua_pushcfunction(L, unknown_name);
  lua_setfield(L, -2, "__index");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_setmetatable(L, globals);
  // Chunks find their globals here; Lua's own table of them is gone.
  lua_pushvalue(L, globals);
  lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
  return 0;
}
