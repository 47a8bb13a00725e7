// SPDX-License-Identifier: GPL-3.0-or-later
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "io/json.h"
#include "io/lua_sandbox.h"

enum { DEEPEST = 64, MOST_VALUES = 10000000, PATH_LENGTH = 100, TEXT_LENGTH = 160 };

static const char COMPONENT_TYPE[] = "walras component";
static const lua_Integer TWO_TO_53 = (lua_Integer)1 << 53;

// ---- Constructors -----------------------------------------------------------------------------

wal_lua_component *wal_lua_to_component(lua_State *L, int index) {
  return luaL_testudata(L, index, COMPONENT_TYPE);
}

static int construct(lua_State *L);

const wal_component *wal_lua_constructed(lua_State *L, int index) {
  if (lua_tocfunction(L, index) != construct) return NULL;
  lua_getupvalue(L, index, 1);
  const wal_component *component = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return component;
}

const char *wal_lua_describe(lua_State *L, int index, char *buffer, size_t size) {
  const wal_lua_component *made = wal_lua_to_component(L, index);
  const wal_component *constructor = wal_lua_constructed(L, index);
  if (made)
    snprintf(buffer, size, "%s{...}", made->component->name);
  else if (constructor)
    snprintf(buffer, size, "%s without its table", constructor->name);
  else if (lua_type(L, index) == LUA_TSTRING)
    wal_quoted_text(lua_tostring(L, index), buffer, size);
  else if (lua_type(L, index) == LUA_TNUMBER)
    wal_number_text(lua_tonumber(L, index), buffer, size);
  else if (lua_type(L, index) == LUA_TBOOLEAN)
    snprintf(buffer, size, "%s", lua_toboolean(L, index) ? "true" : "false");
  else if (lua_isnoneornil(L, index))
    snprintf(buffer, size, "nil");
  else
    snprintf(buffer, size, "a %s", luaL_typename(L, index));
  return buffer;
}

// Whether the table at index 1 has items only and its component begins with an array, for which
// they stand: mixtures{0.9, 0.4}.
static bool is_first_array(lua_State *L, const wal_component *component) {
  if (!component->params || component->params[0].type != WAL_ARRAY || lua_rawlen(L, 1) == 0)
    return false;
  for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1))
    if (lua_type(L, -2) == LUA_TSTRING) {
      lua_pop(L, 2);
      return false;
    }
  return true;
}

// Every constructor: its component is upvalue 1. The table is copied, so that a table used for
// several components and changed in between gives each what it was at the time.
static int construct(lua_State *L) {
  const wal_component *component = lua_touserdata(L, lua_upvalueindex(1));
  char got[TEXT_LENGTH];
  int count = lua_gettop(L);
  if (count == 0) return luaL_error(L, "%s: expected one table, got nothing", component->name);
  if (count > 1)
    return luaL_error(L, "%s: expected one table, got %d values", component->name, count);
  if (!lua_istable(L, 1))
    return luaL_error(L, "%s: expected one table, got %s", component->name,
                      wal_lua_describe(L, 1, got, sizeof got));
  wal_lua_component *made = lua_newuserdatauv(L, sizeof *made, 1);
  *made = (wal_lua_component){.component = component};
  lua_newtable(L);
  uint64_t fields = 0;
  const bool items = is_first_array(L, component);
  for (lua_pushnil(L); lua_next(L, 1); fields++) {
    if (!items && lua_type(L, -2) != LUA_TSTRING)
      return luaL_error(L, "%s: expected names (name = value), got a value without one (%s)",
                        component->name, wal_lua_describe(L, -1, got, sizeof got));
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, 3);
  }
  if (items) {
    lua_createtable(L, 0, 1);
    lua_insert(L, 3);
    lua_setfield(L, 3, component->params[0].name);
  }
  wal_lua_charge(L, fields);
  lua_setiuservalue(L, 2, 1);
  lua_Debug where;
  if (lua_getstack(L, 1, &where) && lua_getinfo(L, "l", &where) && where.currentline > 0)
    made->line = where.currentline;
  luaL_setmetatable(L, COMPONENT_TYPE);
  return 1;
}

static int component_text(lua_State *L) {
  char text[TEXT_LENGTH];
  lua_pushstring(L, wal_lua_describe(L, 1, text, sizeof text));
  return 1;
}

void wal_lua_open_components(lua_State *L, int globals) {
  luaL_newmetatable(L, COMPONENT_TYPE);
  lua_pushcfunction(L, component_text);
  lua_setfield(L, -2, "__tostring");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 1);
  const wal_catalogue *catalogue = wal_lua_of(L)->catalogue;
  for (int64_t i = 0; catalogue && i < catalogue->count; i++) {
    const wal_component *component = catalogue->components[i];
    void *pointer = NULL;
    memcpy(&pointer, &component, sizeof pointer);  // Lua's pointers are not const
    lua_pushlightuserdata(L, pointer);
    lua_pushcclosure(L, construct, 1);
    lua_setfield(L, globals, component->name);
  }
}

// ---- Values to trees --------------------------------------------------------------------------

typedef struct converter {
  lua_State *L;
  wal_lua_tree *tree;
  int64_t values;
  int depth;
  int line; /**< of the component that is being read */
  const void *open[DEEPEST + 1];
  char path[PATH_LENGTH]; /**< as game.starts[2]; what is too long for it is left out */
  size_t path_length;     /**< of the whole path */
} converter;

static void convert(converter *c, wal_node *parent, const char *key);

static void fail(converter *c, const char *text) {
  lua_State *L = c->L;
  const char *colon = c->path_length == 0 ? "" : c->path_length < PATH_LENGTH ? ": " : "...: ";
  if (c->path_length < PATH_LENGTH) c->path[c->path_length] = '\0';
  if (c->line > 0)
    lua_pushfstring(L, "%s:%d: %s%s%s", c->tree->shown, c->line, c->path, colon, text);
  else
    lua_pushfstring(L, "%s%s%s", c->path, colon, text);
  lua_error(L);
}

static size_t extend_path(converter *c, const char *before, const char *part, const char *after) {
  size_t length = c->path_length;
  size_t more = strlen(before) + strlen(part) + strlen(after);
  if (length + more < PATH_LENGTH)
    snprintf(c->path + length, PATH_LENGTH - length, "%s%s%s", before, part, after);
  c->path_length += more;
  return length;
}

// A node that hangs in the tree from the start: a Lua error may leave at any time.
static wal_node *attach(converter *c, wal_node *parent, const char *key, wal_node_kind kind) {
  if (++c->values > MOST_VALUES) fail(c, "expected at most 10^7 values, got more");
  wal_node *node = wal_node_create(kind, c->tree->lines ? c->line : 0);
  bool attached = node != NULL;
  if (!parent)
    c->tree->root = node;
  else if (key)
    attached = wal_node_set_field(parent, key, node);
  else
    attached = wal_node_add_item(parent, node);
  if (!attached) fail(c, "not enough memory");
  return node;
}

static void set_text(converter *c, wal_node *node, const char *text, size_t length) {
  if (!wal_text_is_utf8(text, length)) fail(c, "expected a text in UTF-8, got other bytes");
  if (!wal_node_set_text(node, text, length)) fail(c, "not enough memory");
}

static double read_number(converter *c, int index) {
  if (lua_isinteger(c->L, index)) {
    lua_Integer whole = lua_tointeger(c->L, index);
    if (whole > TWO_TO_53 || whole < -TWO_TO_53)
      fail(c, "expected a whole number within 2^53 of 0, got a larger one");
  }
  return lua_tonumber(c->L, index);
}

// Number of elements if the table at the top is a list (keys 1..n), -1 if it has names.
static lua_Integer list_length(converter *c) {
  lua_State *L = c->L;
  lua_Integer count = 0;
  lua_Integer largest = 0;
  bool names = false;
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
    if (lua_type(L, -2) == LUA_TSTRING) {
      names = true;
    } else if (lua_isinteger(L, -2) && lua_tointeger(L, -2) > 0) {
      count++;
      if (lua_tointeger(L, -2) > largest) largest = lua_tointeger(L, -2);
    } else {
      char text[2 * TEXT_LENGTH];
      char key[TEXT_LENGTH];
      snprintf(text, sizeof text, "expected names, or a list counted from 1, got the key %s",
               wal_lua_describe(L, -2, key, sizeof key));
      fail(c, text);
    }
    if (names && count > 0) fail(c, "expected either names or a list, got both");
  }
  if (largest != count) fail(c, "expected a list without gaps, got one with nil between");
  wal_lua_charge(L, (uint64_t)count);
  return names ? -1 : count;
}

static void convert_list(converter *c, wal_node *parent, const char *key, lua_Integer count) {
  lua_State *L = c->L;
  bool numbers = true;
  for (lua_Integer i = 1; numbers && i <= count; i++) {
    numbers = lua_rawgeti(L, -1, i) == LUA_TNUMBER;
    lua_pop(L, 1);
  }
  wal_node *node = attach(c, parent, key, numbers ? WAL_NODE_NUMBERS : WAL_NODE_ITEMS);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, -1, i);
    if (numbers) {
      if (++c->values > MOST_VALUES) fail(c, "expected at most 10^7 values, got more");
      if (!wal_node_add_number(node, read_number(c, -1))) fail(c, "not enough memory");
    } else {
      char index[32];
      snprintf(index, sizeof index, "%lld", (long long)i);
      size_t length = extend_path(c, "[", index, "]");
      convert(c, node, NULL);
      c->path_length = length;
    }
    lua_pop(L, 1);
  }
}

// The fields of the table at the top, in byte order of their names.
static void convert_fields(converter *c, wal_node *node) {
  lua_State *L = c->L;
  wal_lua_push_sorted_keys(L, -1);
  lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, -1, i);
    size_t key_length = 0;
    const char *key = lua_tolstring(L, -1, &key_length);
    if (!wal_text_is_utf8(key, key_length)) fail(c, "expected names in UTF-8, got other bytes");
    lua_pushvalue(L, -1);
    lua_rawget(L, -4);
    size_t length = extend_path(c, c->path_length > 0 ? "." : "", key, "");
    convert(c, node, key);
    c->path_length = length;
    lua_pop(L, 2);
  }
  lua_pop(L, 1);
}

static void convert_table(converter *c, wal_node *parent, const char *key) {
  lua_Integer count = list_length(c);
  if (count >= 0)
    convert_list(c, parent, key, count);
  else
    convert_fields(c, attach(c, parent, key, WAL_NODE_FIELDS));
}

static void convert_component(converter *c, wal_node *parent, const char *key) {
  const wal_lua_component *made = wal_lua_to_component(c->L, -1);
  if (!made) fail(c, "expected a value, got a foreign object");
  int line = c->line;
  c->line = c->tree->lines ? made->line : 0;
  wal_node *node = attach(c, parent, key, WAL_NODE_COMPONENT);
  set_text(c, node, made->component->name, strlen(made->component->name));
  lua_getiuservalue(c->L, -1, 1);
  convert_fields(c, node);
  lua_pop(c->L, 1);
  c->line = line;
}

static void convert_function(converter *c, wal_node *parent, const char *key) {
  const wal_component *constructor = wal_lua_constructed(c->L, -1);
  if (constructor) {
    char text[TEXT_LENGTH];
    snprintf(text, sizeof text, "expected a value, got a constructor; write %s{}",
             constructor->name);
    fail(c, text);
  }
  wal_node *node = attach(c, parent, key, WAL_NODE_FUNCTION);
  node->function = wal_lua_function(c->L);
  // By its place a function is found again when its text comes from a run file.
  if (c->tree->lines && c->path_length < PATH_LENGTH) set_text(c, node, c->path, c->path_length);
}

// Into the tree below `parent` goes the value at the top of the stack, which stays there.
static void convert(converter *c, wal_node *parent, const char *key) {
  lua_State *L = c->L;
  int type = lua_type(L, -1);
  luaL_checkstack(L, 10, NULL);
  if (type == LUA_TTABLE || type == LUA_TUSERDATA) {
    const void *identity = lua_topointer(L, -1);
    for (int i = 0; i < c->depth; i++)
      if (c->open[i] == identity) fail(c, "expected a value, got a table that contains itself");
    if (c->depth == DEEPEST) fail(c, "expected at most 64 levels of tables, got more");
    c->open[c->depth++] = identity;
    if (type == LUA_TTABLE)
      convert_table(c, parent, key);
    else
      convert_component(c, parent, key);
    c->depth--;
  } else if (type == LUA_TFUNCTION) {
    convert_function(c, parent, key);
  } else if (type == LUA_TSTRING) {
    size_t length = 0;
    const char *text = lua_tolstring(L, -1, &length);
    set_text(c, attach(c, parent, key, WAL_NODE_TEXT), text, length);
  } else if (type == LUA_TNUMBER) {
    double number = read_number(c, -1);
    attach(c, parent, key, WAL_NODE_NUMBER)->number = number;
  } else {
    attach(c, parent, key, WAL_NODE_FLAG)->flag = lua_toboolean(L, -1);
  }
}

void wal_lua_convert(lua_State *L, wal_lua_tree *tree) {
  converter c = {.L = L, .tree = tree};
  convert(&c, NULL, NULL);
}
