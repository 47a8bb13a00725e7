// SPDX-License-Identifier: GPL-3.0-or-later
#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/lua_sandbox.h"

enum { TEXT_LENGTH = 160, PLACE_LENGTH = 640, NAME_SHOWN = 300 };

static const char ARRAY_TYPE[] = "walras array";

// ---- Arrays -----------------------------------------------------------------------------------

/* What a script reads in place as array[0], array[1], ... Every array is a new object, so that one
 * that a script kept does not come to life again. */
typedef struct wal_lua_array {
  const double *numbers; /**< NULL once the call is over */
  int64_t count;
} wal_lua_array;

static int refuse_index(lua_State *L, const wal_lua_array *array) {
  char got[TEXT_LENGTH];
  if (!array->numbers)
    return luaL_error(L, "an array can be read only while the function that it was given to runs");
  wal_lua_describe(L, 2, got, sizeof got);
  return luaL_error(L, "expected an index from 0 to %d, got %s", (int)array->count - 1, got);
}

// __index. Its first argument is always an array: nobody else can reach it.
static int read_element(lua_State *L) {
  const wal_lua_array *array = lua_touserdata(L, 1);
  int whole = 0;
  if (lua_type(L, 2) != LUA_TNUMBER) return refuse_index(L, array);
  lua_Integer i = lua_tointegerx(L, 2, &whole);
  if (!whole || (lua_Unsigned)i >= (lua_Unsigned)array->count) return refuse_index(L, array);
  lua_pushnumber(L, array->numbers[i]);
  return 1;
}

static int refuse_change(lua_State *L) {
  return luaL_error(L, "an array that a function is given cannot be changed");
}

static int count_elements(lua_State *L) {
  const wal_lua_array *array = lua_touserdata(L, 1);
  if (!array->numbers) return refuse_index(L, array);
  lua_pushinteger(L, array->count);
  return 1;
}

static int array_text(lua_State *L) {
  const wal_lua_array *array = lua_touserdata(L, 1);
  lua_pushfstring(L, "array of %d numbers", (int)array->count);
  return 1;
}

void wal_lua_open_arrays(lua_State *L) {
  static const luaL_Reg METHODS[] = {{"__index", read_element},
                                     {"__len", count_elements},
                                     {"__newindex", refuse_change},
                                     {"__tostring", array_text},
                                     {NULL, NULL}};
  luaL_newmetatable(L, ARRAY_TYPE);
  luaL_setfuncs(L, METHODS, 0);
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 1);
  lua_pushboolean(L, 0);
  wal_lua_of(L)->array_reference = luaL_ref(L, LUA_REGISTRYINDEX);
}

// Protected, as it takes memory.
static int make_array(lua_State *L) {
  wal_lua *lua = wal_lua_of(L);
  wal_lua_array *array = lua_newuserdatauv(L, sizeof *array, 0);
  *array = (wal_lua_array){.numbers = NULL};
  luaL_setmetatable(L, ARRAY_TYPE);
  lua_rawseti(L, LUA_REGISTRYINDEX, lua->array_reference);
  lua->array = array;
  return 0;
}

static void release(const wal_function *function) {
  wal_lua *lua = function->owner;
  if (lua->array) *lua->array = (wal_lua_array){.numbers = NULL};
  lua->array = NULL;
}

// Pushes the call's array. LUA_OK, or a status with an error text on the stack.
static int push_array(const wal_function *function, const wal_call *call) {
  wal_lua *lua = function->owner;
  const wal_lua_array *now = lua->array;
  if (!now || now->numbers != call->array || now->count != call->array_count) {
    release(function);
    lua_pushcfunction(lua->state, make_array);
    int status = lua_pcall(lua->state, 0, 0, 0);
    if (status != LUA_OK) return status;
    *lua->array = (wal_lua_array){.numbers = call->array, .count = call->array_count};
  }
  lua_rawgeti(lua->state, LUA_REGISTRYINDEX, lua->array_reference);
  return LUA_OK;
}

// ---- Error texts ------------------------------------------------------------------------------

// "scenario.lua:3: ", the place of the function's text.
static void find_place(const wal_function *function, char *buffer, size_t size) {
  wal_lua *lua = function->owner;
  lua_State *L = lua->state;
  lua_Debug where = {.linedefined = 0};
  lua_settop(L, 0);
  lua_rawgeti(L, LUA_REGISTRYINDEX, function->reference);
  lua_getinfo(L, ">S", &where);
  char shown[WAL_LUA_SHOWN];
  bool ours = strcmp(where.short_src, wal_lua_shown(lua->name, shown)) == 0;
  size_t length = strlen(lua->name);
  const char *name = length > NAME_SHOWN ? lua->name + length - NAME_SHOWN : lua->name;
  const char *cut = name == lua->name ? "" : "...";
  if (where.linedefined <= 0)
    snprintf(buffer, size, "%s%s: ", cut, name);
  else if (ours)
    snprintf(buffer, size, "%s%s:%d: ", cut, name, where.linedefined);
  else
    snprintf(buffer, size, "%s%s: %s:%d: ", cut, name, where.short_src, where.linedefined);
}

static const char *list_arguments(int count, const char *const *names, const double *arguments,
                                  char *buffer, size_t size) {
  char number[32];
  size_t length = 0;
  buffer[0] = '\0';
  for (int i = 0; i < count && length < size - 40; i++)
    length += (size_t)snprintf(buffer + length, size - length, "%s%s%s%s", i == 0 ? "" : ", ",
                               names ? names[i] : "", names ? "=" : "",
                               wal_number_text(arguments[i], number, sizeof number));
  return buffer;
}

// "custom: reward(h=0, s=3, a=1): "
static void describe_call(const wal_call *call, char *buffer, size_t size) {
  char list[TEXT_LENGTH];
  snprintf(buffer, size, "%s: %s(%s): ", call->owner, call->name,
           list_arguments(call->argument_count, call->argument_name, call->arguments, list,
                          sizeof list));
}

static const char *place(const wal_function *function, const wal_call *call, char *buffer,
                         size_t size) {
  char what[PLACE_LENGTH];
  find_place(function, buffer, size);
  describe_call(call, what, sizeof what);
  size_t length = strlen(buffer);
  snprintf(buffer + length, size - length, "%s", what);
  return buffer;
}

// ---- Results ----------------------------------------------------------------------------------

static const char *describe_value(lua_State *L, int index, char *got, size_t size) {
  if (luaL_testudata(L, index, ARRAY_TYPE))
    snprintf(got, size, "an array");
  else
    wal_lua_describe(L, index, got, size);
  return got;
}

static const char *describe_count(bool list, lua_Unsigned count, char *got, size_t size) {
  if (count == 0)
    snprintf(got, size, "%s", list ? "an empty list" : "nothing");
  else
    snprintf(got, size, list ? "a list of %llu" : "%llu value%s", (unsigned long long)count,
             count == 1 ? "" : "s");
  return got;
}

// NULL: there is room for so many results.
static const char *reserve(wal_lua *lua, lua_Unsigned count) {
  if (count <= (lua_Unsigned)lua->results_capacity) return NULL;
  size_t capacity = (size_t)count + 16;
  double *fresh = realloc(lua->results, capacity * sizeof *fresh);
  if (!fresh) return "more than the memory holds";
  lua->results = fresh;
  lua->results_capacity = (int64_t)capacity;
  return NULL;
}

// Takes numbers off the stack: as many values, or one list of them. NULL, or what was got instead.
static const char *read_numbers(lua_State *L, bool listed, int64_t least, int64_t most,
                                int64_t *count, char *got, size_t size) {
  wal_lua *lua = wal_lua_of(L);
  int values = lua_gettop(L);
  bool list = listed && values == 1 && lua_istable(L, 1);
  lua_Unsigned given = list ? lua_rawlen(L, 1) : (lua_Unsigned)values;
  if (values == 1 && !list && lua_type(L, 1) != LUA_TNUMBER) return describe_value(L, 1, got, size);
  if (given < (lua_Unsigned)least || given > (lua_Unsigned)most)
    return describe_count(list, given, got, size);
  const char *short_of = reserve(lua, given);
  if (short_of) return short_of;
  for (lua_Unsigned i = 0; i < given; i++) {
    int at = list ? -1 : (int)i + 1;
    if (list) lua_rawgeti(L, 1, (lua_Integer)i + 1);
    if (lua_type(L, at) != LUA_TNUMBER) return describe_value(L, at, got, size);
    lua->results[i] = lua_tonumber(L, at);
    if (list) lua_pop(L, 1);
  }
  *count = (int64_t)given;
  return NULL;
}

// One row from the top of the stack, which stays there.
static const char *read_row(lua_State *L, int row, double *results, char *got, size_t size) {
  if (!lua_istable(L, -1)) return describe_value(L, -1, got, size);
  if (lua_rawlen(L, -1) != (lua_Unsigned)row)
    return describe_count(true, lua_rawlen(L, -1), got, size);
  for (int i = 0; i < row; i++) {
    if (lua_rawgeti(L, -1, i + 1) != LUA_TNUMBER) {
      describe_value(L, -1, got, size);
      size_t length = strlen(got);
      snprintf(got + length, size - length, " inside");
      return got;
    }
    results[i] = lua_tonumber(L, -1);
    lua_pop(L, 1);
  }
  return NULL;
}

static const char *read_rows(lua_State *L, wal_call *call, char *got, size_t size) {
  wal_lua *lua = wal_lua_of(L);
  int values = lua_gettop(L);
  if (values != 1) return describe_count(false, (lua_Unsigned)values, got, size);
  if (call->alone && lua_type(L, 1) == LUA_TNUMBER) {
    call->count = 0;
    if (reserve(lua, 1)) return "more than the memory holds";
    lua->results[0] = lua_tonumber(L, 1);
    return NULL;
  }
  if (!lua_istable(L, 1)) return describe_value(L, 1, got, size);
  lua_Unsigned rows = lua_rawlen(L, 1);
  if (rows < (lua_Unsigned)call->least || rows > (lua_Unsigned)call->most)
    return describe_count(true, rows, got, size);
  const char *short_of = reserve(lua, rows * (lua_Unsigned)call->row);
  if (short_of) return short_of;
  for (lua_Unsigned i = 0; i < rows; i++) {
    char inner[TEXT_LENGTH - 40];
    lua_rawgeti(L, 1, (lua_Integer)i + 1);
    if (read_row(L, call->row, lua->results + i * (lua_Unsigned)call->row, inner, sizeof inner)) {
      snprintf(got, size, "%s as element %llu", inner, (unsigned long long)i + 1);
      return got;
    }
    lua_pop(L, 1);
  }
  call->count = (int64_t)rows;
  return NULL;
}

// ---- Calls ------------------------------------------------------------------------------------

/* Functions that fill arrays get reals, so that no arithmetic on their arguments is a whole
 * number's, which wraps around and fails at a division by zero. The functions of a scripted game
 * get whole numbers, of which texts can be made (`s .. ","`) that name what loops have named. */
static int start_call(const wal_function *function, int argument_count, const double *arguments,
                      bool whole) {
  wal_lua *lua = function->owner;
  lua_State *L = lua->state;
  wal_lua_begin(lua);
  lua_settop(L, 0);
  if (!lua_checkstack(L, argument_count + 10)) return LUA_ERRMEM;
  lua_rawgeti(L, LUA_REGISTRYINDEX, function->reference);
  for (int i = 0; i < argument_count; i++)
    if (whole && arguments[i] == trunc(arguments[i]))
      lua_pushinteger(L, (lua_Integer)arguments[i]);
    else
      lua_pushnumber(L, arguments[i]);
  return LUA_OK;
}

static wal_status call_function(wal_ctx *ctx, const wal_function *function, const char *what,
                                int argument_count, const double *arguments, int result_count,
                                double *results) {
  wal_lua *lua = function->owner;
  lua_State *L = lua->state;
  char got[TEXT_LENGTH], list[TEXT_LENGTH], where[PLACE_LENGTH];
  if (start_call(function, argument_count, arguments, false) != LUA_OK)
    return wal_fail(ctx, WAL_EINPUT, "%s: expected fewer arguments, got %d", lua->name,
                    argument_count);
  int status = lua_pcall(L, argument_count, LUA_MULTRET, 0);
  if (status == LUA_OK && !lua_checkstack(L, 10)) status = LUA_ERRMEM;
  int64_t count = 0;
  wal_status outcome = WAL_OK;
  list_arguments(argument_count, NULL, arguments, list, sizeof list);
  if (status != LUA_OK) {
    char call[PLACE_LENGTH];
    snprintf(call, sizeof call, "%s(%s): ", what, list);
    outcome = wal_lua_fail_in(ctx, lua, lua->name, call, false, status);
  } else if (!read_numbers(L, true, result_count, result_count, &count, got, sizeof got)) {
    memcpy(results, lua->results, (size_t)count * sizeof *results);
  } else {
    find_place(function, where, sizeof where);
    outcome = wal_fail(ctx, WAL_EINPUT, "%s%s(%s): expected %d number%s, got %s", where, what, list,
                       result_count, result_count == 1 ? "" : "s", got);
  }
  lua_settop(L, 0);
  return outcome;
}

static wal_status invoke(wal_ctx *ctx, const wal_function *function, wal_call *call) {
  wal_lua *lua = function->owner;
  lua_State *L = lua->state;
  char got[TEXT_LENGTH], what[PLACE_LENGTH];
  int status = start_call(function, call->argument_count, call->arguments, true);
  if (status == LUA_OK && call->array) status = push_array(function, call);
  if (status == LUA_OK)
    status = lua_pcall(L, call->argument_count + (call->array ? 1 : 0), LUA_MULTRET, 0);
  if (status == LUA_OK && call->row == 0 && lua_gettop(L) == 1 && call->least <= 1 &&
      lua->results_capacity > 0 && lua_type(L, 1) == LUA_TNUMBER) {  // by far the most frequent
    lua->results[0] = lua_tonumber(L, 1);
    call->results = lua->results;
    call->count = 1;
    return WAL_OK;
  }
  if (status == LUA_OK && !lua_checkstack(L, 10)) status = LUA_ERRMEM;
  wal_status outcome = WAL_OK;
  if (status != LUA_OK) {
    describe_call(call, what, sizeof what);
    outcome = wal_lua_fail_in(ctx, lua, lua->name, what, false, status);
  } else {
    const char *wrong = call->row > 0 ? read_rows(L, call, got, sizeof got)
                                      : read_numbers(L, call->most > 1, call->least, call->most,
                                                     &call->count, got, sizeof got);
    if (wrong)
      outcome = wal_fail(ctx, WAL_EINPUT, "%sexpected %s, got %s",
                         place(function, call, what, sizeof what), call->expected, wrong);
    call->results = lua->results;
  }
  lua_settop(L, 0);
  return outcome;
}

wal_function wal_lua_function(lua_State *L) {
  lua_pushvalue(L, -1);
  return (wal_function){.owner = wal_lua_of(L),
                        .reference = luaL_ref(L, LUA_REGISTRYINDEX),
                        .call = call_function,
                        .invoke = invoke,
                        .release = release,
                        .place = place};
}
