// SPDX-License-Identifier: GPL-3.0-or-later
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "io/lua_sandbox.h"

/* Lua walks and sorts tables in orders that depend on addresses and on the clock. Here both orders
 * depend on the values only, so that every rank and every run sees the same scenario. */

enum { LARGEST_SORT = 1 << 28 };

typedef enum key_kind { NUMBER_KEY, TEXT_KEY, FLAG_KEY } key_kind;

typedef struct table_key {
  key_kind kind;
  bool whole;
  lua_Integer integer; /**< of whole numbers; of flags 0 or 1 */
  lua_Number number;   /**< of all numbers */
  const char *text;    /**< owned by the table */
  size_t length;
} table_key;

static int sign(bool less, bool greater) { return greater - less; }

static int compare_keys(const void *first, const void *second) {
  const table_key *a = first;
  const table_key *b = second;
  if (a->kind != b->kind) return sign(a->kind<b->kind, a->kind> b->kind);
  if (a->kind == TEXT_KEY) {
    size_t common = a->length < b->length ? a->length : b->length;
    int order = memcmp(a->text, b->text, common);
    return order != 0 ? order : sign(a->length<b->length, a->length> b->length);
  }
  if (a->kind == FLAG_KEY || (a->whole && b->whole))
    return sign(a->integer<b->integer, a->integer> b->integer);
  if (a->number != b->number) return sign(a->number<b->number, a->number> b->number);
  return sign(a->whole, b->whole);  // 2^60 + 1 and the number nearest to it
}

static void read_key(lua_State *L, int index, table_key *key) {
  *key = (table_key){.kind = NUMBER_KEY};
  switch (lua_type(L, index)) {
    case LUA_TNUMBER:
      key->whole = lua_isinteger(L, index);
      key->number = lua_tonumber(L, index);
      if (key->whole) key->integer = lua_tointeger(L, index);
      break;
    case LUA_TSTRING:
      key->kind = TEXT_KEY;
      key->text = lua_tolstring(L, index, &key->length);
      break;
    case LUA_TBOOLEAN:
      key->kind = FLAG_KEY;
      key->integer = lua_toboolean(L, index);
      break;
    default:
      luaL_error(L, "expected numbers, texts and booleans as keys of a table, got a %s",
                 luaL_typename(L, index));
  }
}

static void push_key(lua_State *L, const table_key *key) {
  if (key->kind == TEXT_KEY)
    lua_pushlstring(L, key->text, key->length);
  else if (key->kind == FLAG_KEY)
    lua_pushboolean(L, (int)key->integer);
  else if (key->whole)
    lua_pushinteger(L, key->integer);
  else
    lua_pushnumber(L, key->number);
}

void wal_lua_push_sorted_keys(lua_State *L, int table) {
  luaL_checkstack(L, 5, NULL);
  table = lua_absindex(L, table);
  size_t count = 0;
  for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) count++;
  wal_lua_charge(L, 16 * (uint64_t)count);
  table_key *keys = lua_newuserdatauv(L, (count + 1) * sizeof *keys, 0);
  size_t i = 0;
  for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) read_key(L, -2, &keys[i++]);
  qsort(keys, count, sizeof *keys, compare_keys);
  lua_createtable(L, (int)count, 0);  // 256 MiB do not hold INT_MAX values
  for (i = 0; i < count; i++) {
    push_key(L, &keys[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_remove(L, -2);
}

// The step of pairs. Upvalues: the table, its sorted keys, the place reached.
static int next_pair(lua_State *L) {
  lua_Integer place = lua_tointeger(L, lua_upvalueindex(3));
  for (;;) {
    lua_settop(L, 0);
    int type = lua_rawgeti(L, lua_upvalueindex(2), ++place);
    lua_pushinteger(L, place);
    lua_replace(L, lua_upvalueindex(3));
    if (type == LUA_TNIL) return 1;
    lua_pushvalue(L, 1);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 2;  // else it was removed meanwhile
  }
}

static int pairs(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  wal_lua_push_sorted_keys(L, 1);
  lua_pushinteger(L, 0);
  lua_pushcclosure(L, next_pair, 3);
  return 1;
}

// Whether element i of the list at `list` comes before element j. The function, if any, is at 2.
static bool comes_before(lua_State *L, int list, lua_Integer i, lua_Integer j) {
  bool before = false;
  if (lua_isnil(L, 2)) {
    lua_rawgeti(L, list, i);
    lua_rawgeti(L, list, j);
    before = lua_compare(L, -2, -1, LUA_OPLT);
    lua_pop(L, 2);
  } else {
    lua_pushvalue(L, 2);
    lua_rawgeti(L, list, i);
    lua_rawgeti(L, list, j);
    lua_call(L, 2, 1);
    before = lua_toboolean(L, -1);
    lua_pop(L, 1);
  }
  return before;
}

static void copy_list(lua_State *L, int from, int to, lua_Integer count) {
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, from, i);
    lua_rawseti(L, to, i);
  }
}

// Merges the sorted runs [low, middle) and [middle, high) of one list into another.
static void merge_runs(lua_State *L, int from, int to, lua_Integer low, lua_Integer middle,
                       lua_Integer high) {
  lua_Integer left = low;
  lua_Integer right = middle;
  for (lua_Integer place = low; place < high; place++) {
    bool take_right =
        right < high && (left == middle || comes_before(L, from, right, left));  // stable
    lua_rawgeti(L, from, take_right ? right++ : left++);
    lua_rawseti(L, to, place);
  }
}

// table.sort as a stable merge sort.
static int sort(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  if (!lua_isnoneornil(L, 2)) luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_settop(L, 2);
  lua_Unsigned length = lua_rawlen(L, 1);
  luaL_argcheck(L, length < LARGEST_SORT, 1, "list too long");
  lua_Integer count = (lua_Integer)length;
  int from = 3;
  int to = 4;
  lua_createtable(L, (int)count, 0);
  lua_createtable(L, (int)count, 0);
  copy_list(L, 1, from, count);
  for (lua_Integer width = 1; width < count; width *= 2) {
    wal_lua_charge(L, 2 * (uint64_t)count);
    for (lua_Integer low = 1; low <= count; low += 2 * width) {
      lua_Integer middle = low + width < count + 1 ? low + width : count + 1;
      lua_Integer high = low + 2 * width < count + 1 ? low + 2 * width : count + 1;
      merge_runs(L, from, to, low, middle, high);
    }
    int swap = from;
    from = to;
    to = swap;
  }
  copy_list(L, from, 1, count);
  return 0;
}

void wal_lua_open_order(lua_State *L, int globals, int table_library) {
  lua_pushcfunction(L, pairs);
  lua_setfield(L, globals, "pairs");
  lua_pushcfunction(L, sort);
  lua_setfield(L, table_library, "sort");
}
