// SPDX-License-Identifier: GPL-3.0-or-later
#define _POSIX_C_SOURCE 200809L  // open, fstat

#include "io/scenario.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/json.h"
#include "io/lua_sandbox.h"

enum { LONGEST_TEXT = 16 << 20, NAME_LENGTH = 128, GOT_LENGTH = 160 };

struct wal_scenario {
  char *name, *source;
  char *script; /**< that a JSON text holds, or NULL */
  bool json;
  const wal_catalogue *catalogue;
  wal_node *root;
  wal_lua *lua;
};

const wal_node *wal_scenario_root(const wal_scenario *scenario) { return scenario->root; }
const char *wal_scenario_name(const wal_scenario *scenario) { return scenario->name; }
const char *wal_scenario_source(const wal_scenario *scenario) { return scenario->source; }

const char *wal_scenario_script(const wal_scenario *scenario) {
  return scenario->json ? scenario->script : scenario->source;
}

void wal_scenario_destroy(wal_scenario **scenario) {
  if (!scenario || !*scenario) return;
  wal_scenario *s = *scenario;
  wal_node_destroy(s->root);
  wal_lua_destroy(&s->lua);
  free(s->name);
  free(s->source);
  free(s->script);
  free(s);
  *scenario = NULL;
}

static char *copy_bytes(const char *bytes, size_t length) {
  char *copy = malloc(length + 1);
  if (!copy) return NULL;
  memcpy(copy, bytes, length);
  copy[length] = '\0';
  return copy;
}

static bool is_json(const char *name) {
  static const char ENDING[] = ".json";
  size_t length = strlen(name);
  size_t ending = strlen(ENDING);
  return length >= ending && strcmp(name + length - ending, ENDING) == 0;
}

static wal_status no_memory(wal_ctx *ctx, const char *name) {
  return wal_fail(ctx, WAL_EINPUT, "%s: not enough memory", name);
}

// ---- A text -----------------------------------------------------------------------------------

// A list of tasks is short for a sweep over them.
static wal_status make_sweep(wal_ctx *ctx, wal_scenario *s) {
  static const char NAME[] = "sweep";
  wal_node *list = s->root;
  s->root = wal_node_create(WAL_NODE_COMPONENT, list->items[0]->line);
  if (!s->root || !wal_node_set_text(s->root, NAME, strlen(NAME))) {
    wal_node_destroy(list);
    return no_memory(ctx, s->name);
  }
  return wal_node_set_field(s->root, "runs", list) ? WAL_OK : no_memory(ctx, s->name);
}

static wal_status read_lua(wal_ctx *ctx, wal_scenario *s, const char *text, size_t length,
                           wal_node **root) {
  static const char BYTE_ORDER_MARK[] = "\xEF\xBB\xBF";
  static const char PRECOMPILED[] = "\x1BLua";
  if (length >= 4 && memcmp(text, PRECOMPILED, 4) == 0)
    return wal_fail(ctx, WAL_EINPUT, "%s:1: expected a text, got compiled Lua", s->name);
  if (memchr(text, '\0', length))
    return wal_fail(ctx, WAL_EINPUT, "%s:1: expected a text, got a binary file", s->name);
  if (length >= 3 && memcmp(text, BYTE_ORDER_MARK, 3) == 0) {
    text += 3;
    length -= 3;
  }
  if (length > 0 && text[0] == '#') {  // a first line for the shell
    size_t line = strcspn(text, "\r\n");
    text += line;
    length -= line;
  }
  return wal_lua_evaluate(ctx, s->lua, s->name, text, length, false, root);
}

/* The function at this place ("game.reward", "tasks[2].game.reward") of a scenario's tree, NULL if
 * there is none. Names of fields may have dots in them: every one that fits is tried. */
static const wal_node *find_function(const wal_node *node, const char *path) {
  if (*path == '\0') return node->kind == WAL_NODE_FUNCTION ? node : NULL;
  if (*path == '.') path++;
  for (int64_t i = 0; i < node->count && node->kind != WAL_NODE_NUMBERS; i++) {
    char index[32];
    const char *name = index;
    if (node->keys)
      name = node->keys[i];
    else
      snprintf(index, sizeof index, "[%lld]", (long long)i + 1);
    size_t length = strlen(name);
    if (strncmp(path, name, length) != 0 || !strchr(".[", path[length])) continue;
    const wal_node *found = find_function(node->items[i], path + length);
    if (found) return found;
  }
  return NULL;
}

// Puts functions of the script's tree where the JSON text has their places.
static wal_status place_functions(wal_ctx *ctx, const wal_scenario *s, const wal_node *script,
                                  wal_node *node) {
  char quoted[GOT_LENGTH];
  const wal_node *place =
      node->kind == WAL_NODE_FIELDS && node->count == 1 ? wal_node_field(node, "function") : NULL;
  if (place && place->kind == WAL_NODE_TEXT) {
    const char *path = place->text ? place->text : "";
    const wal_node *function = find_function(script, path);
    if (!function)
      return wal_fail(ctx, WAL_EINPUT, "%s: its script has no function %s", s->name,
                      wal_quoted_text(path, quoted, sizeof quoted));
    if (!wal_node_set_text(node, function->text, strlen(function->text)))
      return no_memory(ctx, s->name);
    wal_node_remove_field(node, "function");
    node->kind = WAL_NODE_FUNCTION;
    node->function = function->function;
    return WAL_OK;
  }
  for (int64_t i = 0; i < node->count && node->kind != WAL_NODE_NUMBERS; i++)
    WAL_TRY(place_functions(ctx, s, script, node->items[i]));
  return WAL_OK;
}

/* {"solve": {...}, "script": "..."}: the task becomes the root, its functions are the script's. */
static wal_status read_script(wal_ctx *ctx, wal_scenario *s) {
  wal_status status = WAL_OK;
  wal_node *script = NULL;
  wal_node *task = NULL;
  const wal_node *text = s->root->kind == WAL_NODE_FIELDS && s->root->count == 2
                             ? wal_node_field(s->root, "script")
                             : NULL;
  if (!text || text->kind != WAL_NODE_TEXT || !text->text) return WAL_OK;
  int64_t other = strcmp(s->root->keys[0], "script") == 0;
  const char *name = s->root->keys[other];
  if (!wal_catalogue_find(s->catalogue, name) || s->root->items[other]->kind != WAL_NODE_FIELDS)
    return WAL_OK;
  s->script = copy_bytes(text->text, strlen(text->text));
  task = wal_node_copy(s->root->items[other]);
  if (!s->script || !task || !wal_node_set_text(task, name, strlen(name)))
    WAL_TRY_GOTO(no_memory(ctx, s->name));
  task->kind = WAL_NODE_COMPONENT;
  WAL_TRY_GOTO(read_lua(ctx, s, s->script, strlen(s->script), &script));
  WAL_TRY_GOTO(place_functions(ctx, s, script, task));
  wal_node_destroy(s->root);
  s->root = task;
  task = NULL;

cleanup:
  wal_node_destroy(script);
  wal_node_destroy(task);
  return status;
}

static wal_status read_json(wal_ctx *ctx, wal_scenario *s, const char *text, size_t length) {
  char got[GOT_LENGTH];
  WAL_TRY(wal_json_read(ctx, s->name, text, length, s->catalogue, &s->root));
  WAL_TRY(read_script(ctx, s));
  if (s->root->kind == WAL_NODE_COMPONENT) return WAL_OK;
  if (s->root->kind == WAL_NODE_ITEMS && s->root->items[0]->kind == WAL_NODE_COMPONENT &&
      wal_catalogue_find(s->catalogue, "sweep"))
    return WAL_OK;
  return wal_fail(ctx, WAL_EINPUT, "%s: expected one task, as {\"solve\": {...}}, got %s", s->name,
                  wal_node_describe(s->root, got, sizeof got));
}

static wal_status parse(wal_ctx *ctx, const char *name, bool json, const char *text, size_t length,
                        const wal_catalogue *catalogue, wal_scenario **out) {
  wal_status status = WAL_OK;
  *out = NULL;
  if (length > LONGEST_TEXT)
    return wal_fail(ctx, WAL_EINPUT, "%s: expected at most 16 MiB, got %.1f", name,
                    (double)length / (1 << 20));
  wal_scenario *s = calloc(1, sizeof *s);
  if (!s) return no_memory(ctx, name);
  s->catalogue = catalogue;
  s->name = copy_bytes(name, strlen(name));
  s->source = copy_bytes(text, length);
  if (!s->name || !s->source) WAL_TRY_GOTO(no_memory(ctx, name));
  WAL_TRY_GOTO(wal_lua_create(ctx, name, catalogue, &s->lua));
  s->json = json;
  if (s->json)
    WAL_TRY_GOTO(read_json(ctx, s, s->source, length));
  else
    WAL_TRY_GOTO(read_lua(ctx, s, s->source, length, &s->root));
  if (s->root->kind != WAL_NODE_COMPONENT) WAL_TRY_GOTO(make_sweep(ctx, s));
  *out = s;
  return WAL_OK;

cleanup:
  wal_scenario_destroy(&s);
  return status;
}

wal_status wal_scenario_parse(wal_ctx *ctx, const char *name, const char *text, size_t length,
                              const wal_catalogue *catalogue, wal_scenario **out) {
  return parse(ctx, name, is_json(name), text, length, catalogue, out);
}

wal_status wal_scenario_parse_resolved(wal_ctx *ctx, const char *name, const char *text,
                                       const wal_catalogue *catalogue, wal_scenario **out) {
  return parse(ctx, name, true, text, strlen(text), catalogue, out);
}

// ---- A file -----------------------------------------------------------------------------------

static wal_status not_readable(wal_ctx *ctx, const char *path, const char *why) {
  if (strcmp(why, strerror(ENOENT)) == 0)
    return wal_fail(ctx, WAL_ENOTFOUND, "%s: no such file", path);
  return wal_fail(ctx, WAL_ENOTFOUND, "%s: cannot be read: %s", path, why);
}

static wal_status read_all(wal_ctx *ctx, const char *path, int file, char *text, size_t room,
                           size_t *length) {
  size_t got = 0;
  while (got < room) {
    ssize_t step = read(file, text + got, room - got);
    if (step < 0 && errno == EINTR) continue;
    if (step < 0) return not_readable(ctx, path, strerror(errno));
    if (step == 0) break;
    got += (size_t)step;
  }
  if (got > LONGEST_TEXT)
    return wal_fail(ctx, WAL_EINPUT, "%s: expected at most 16 MiB, got more", path);
  *length = got;
  return WAL_OK;
}

// What is not a regular file is never opened, or (if it was put there in between) never waited for.
static wal_status read_file(wal_ctx *ctx, const char *path, char **text, size_t *length) {
  struct stat facts;
  if (stat(path, &facts) != 0) return not_readable(ctx, path, strerror(errno));
  if (S_ISDIR(facts.st_mode)) return not_readable(ctx, path, "it is a folder");
  if (!S_ISREG(facts.st_mode)) return not_readable(ctx, path, "it is not a regular file");
  int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  if (file < 0) return not_readable(ctx, path, strerror(errno));
  size_t room = (size_t)LONGEST_TEXT + 1;
  if (fstat(file, &facts) == 0 && facts.st_size >= 0 && facts.st_size < LONGEST_TEXT)
    room = (size_t)facts.st_size + 1;
  wal_status status = WAL_OK;
  *text = malloc(room);
  if (*text)
    status = read_all(ctx, path, file, *text, room, length);
  else
    status = no_memory(ctx, path);
  close(file);
  if (status == WAL_OK) return WAL_OK;
  free(*text);
  *text = NULL;
  return status;
}

// Everybody gets rank 0's text. @collective ctx
static wal_status share_text(wal_ctx *ctx, const char *path, char **text, size_t *length) {
  MPI_Comm comm = wal_ctx_comm(ctx);
  int64_t bytes = (int64_t)*length;
  if (MPI_Bcast(&bytes, 1, MPI_INT64_T, 0, comm) != MPI_SUCCESS)
    return wal_fail(ctx, WAL_EINTERNAL, "MPI_Bcast failed");
  *length = (size_t)bytes;
  wal_status status = WAL_OK;
  if (wal_ctx_rank(ctx) != 0) {
    *text = malloc(*length + 1);
    if (!*text) status = no_memory(ctx, path);
  }
  WAL_TRY_ALL(ctx, status);
  if (MPI_Bcast(*text, (int)bytes, MPI_BYTE, 0, comm) != MPI_SUCCESS)
    return wal_fail(ctx, WAL_EINTERNAL, "MPI_Bcast failed");
  return WAL_OK;
}

// FNV-1a, 64 bits.
static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t length) {
  const unsigned char *b = bytes;
  for (size_t i = 0; i < length; i++) hash = (hash ^ b[i]) * UINT64_C(1099511628211);
  return hash;
}

static uint64_t hash_text(uint64_t hash, const char *text) {
  return text ? hash_bytes(hash, text, strlen(text) + 1) : hash;
}

static uint64_t hash_tree(uint64_t hash, const wal_node *node) {
  int facts[3] = {(int)node->kind, node->line, node->flag};
  hash = hash_bytes(hash, facts, sizeof facts);
  hash = hash_bytes(hash, &node->number, sizeof node->number);
  hash = hash_bytes(hash, &node->count, sizeof node->count);
  hash = hash_text(hash, node->text);
  if (node->kind == WAL_NODE_NUMBERS && node->count > 0)
    return hash_bytes(hash, node->numbers, (size_t)node->count * sizeof *node->numbers);
  for (int64_t i = 0; i < node->count; i++) {
    if (node->keys) hash = hash_text(hash, node->keys[i]);
    hash = hash_tree(hash, node->items[i]);
  }
  return hash;
}

// A scenario that could tell ranks apart would lead them different ways. @collective ctx
static wal_status compare_trees(wal_ctx *ctx, const wal_scenario *s) {
  uint64_t hash = hash_tree(UINT64_C(14695981039346656037), s->root);
  uint64_t range[2] = {hash, ~hash};  // the least of ~x is ~ of the greatest
  if (MPI_Allreduce(MPI_IN_PLACE, range, 2, MPI_UINT64_T, MPI_MIN, wal_ctx_comm(ctx)) !=
      MPI_SUCCESS)
    return wal_fail(ctx, WAL_EINTERNAL, "MPI_Allreduce failed");
  if (range[0] == ~range[1]) return WAL_OK;
  return wal_fail(ctx, WAL_EINPUT, "%s: its values differ between ranks", s->name);
}

wal_status wal_scenario_load(wal_ctx *ctx, const char *path, const wal_catalogue *catalogue,
                             wal_scenario **out) {
  wal_scenario *s = NULL;
  char *text = NULL;
  size_t length = 0;
  wal_status status = WAL_OK;
  *out = NULL;
  if (wal_ctx_rank(ctx) == 0) status = read_file(ctx, path, &text, &length);
  WAL_TRY_GOTO(wal_agree(ctx, status));
  WAL_TRY_GOTO(share_text(ctx, path, &text, &length));
  status = wal_scenario_parse(ctx, path, text, length, catalogue, &s);
  WAL_TRY_GOTO(wal_agree(ctx, status));
  WAL_TRY_GOTO(compare_trees(ctx, s));
  *out = s;
  s = NULL;

cleanup:
  wal_scenario_destroy(&s);
  free(text);
  return status;
}

// ---- Overrides --------------------------------------------------------------------------------

// One assignment: path, where in the path the walk stands, and the value's text.
typedef struct assignment {
  wal_ctx *ctx;
  const wal_catalogue *catalogue;
  const char *path;  /**< "game.states" */
  const char *where; /**< what error texts begin with: "-P game.states" */
} assignment;

static bool is_word(const char *text) {
  static const char LETTERS[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
  size_t letters = strspn(text, LETTERS);
  if (letters == 0) return false;
  while (*text && (strchr(LETTERS, *text) || strchr("0123456789", *text))) text++;
  return *text == '\0';
}

// The value as a tree: NULL for nil. Lone words are strings, or constructors without parameters.
static wal_status evaluate(const assignment *a, const char *text, wal_lua *lua, wal_node **out) {
  wal_status status = WAL_OK;
  char *source = NULL;
  const char *value = text + strspn(text, " \t");
  size_t length = strlen(value);
  while (length > 0 && strchr(" \t", value[length - 1])) length--;
  char *word = copy_bytes(value, length);
  size_t source_size = length + sizeof "return {}";
  *out = NULL;
  source = malloc(source_size);
  if (!word || !source) WAL_TRY_GOTO(no_memory(a->ctx, a->where));
  bool constructor = wal_catalogue_find(a->catalogue, word) != NULL;
  bool literal =
      strcmp(word, "true") == 0 || strcmp(word, "false") == 0 || strcmp(word, "nil") == 0;
  if (is_word(word) && !constructor && !literal) {
    *out = wal_node_create(WAL_NODE_TEXT, 0);
    if (!*out || !wal_node_set_text(*out, word, length)) WAL_TRY_GOTO(no_memory(a->ctx, a->where));
  } else {
    snprintf(source, source_size, "return %s%s", word, constructor ? "{}" : "");
    WAL_TRY_GOTO(wal_lua_evaluate(a->ctx, lua, a->where, source, strlen(source), true, out));
  }

cleanup:
  if (status != WAL_OK) {
    wal_node_destroy(*out);
    *out = NULL;
  }
  free(word);
  free(source);
  return status;
}

static const wal_param *find_param(const wal_component *component, const char *name) {
  for (const wal_param *p = component ? component->params : NULL; p && p->name; p++)
    if (strcmp(p->name, name) == 0) return p;
  return NULL;
}

// What may follow a name: the parameters that are declared, or else the fields that are there.
typedef struct names_here {
  const wal_component *component;
  const wal_node *node;
} names_here;

static const char *name_here(const void *user, int64_t i) {
  const names_here *names = user;
  return names->component ? names->component->params[i].name : names->node->keys[i];
}

static wal_status absent(const assignment *a, const wal_component *component, const wal_node *node,
                         const char *name) {
  names_here names = {component && component->params ? component : NULL, node};
  int64_t count = names.component ? 0 : node->count;
  while (names.component && names.component->params[count].name) count++;
  const char *nearest = wal_nearest_name(name, count, name_here, &names);
  if (nearest && strcmp(nearest, name) != 0)
    return wal_fail(a->ctx, WAL_EINPUT, "%s: nothing is named \"%s\"; did you mean \"%s\"?",
                    a->where, name, nearest);
  char list[3 * NAME_LENGTH] = "";
  size_t length = 0;
  for (int64_t i = 0; i < node->count && length < sizeof list - NAME_LENGTH; i++)
    length += (size_t)snprintf(list + length, NAME_LENGTH, "%s%.*s", i == 0 ? "" : ", ",
                               NAME_LENGTH - 4, node->keys[i]);
  return wal_fail(a->ctx, WAL_EINPUT, "%s: nothing is named \"%s\"; there is %s", a->where, name,
                  node->count > 0 ? list : "nothing");
}

// What an intermediate name stands for that the scenario left out: a record, or the component that
// is the default. NULL if the name must be given first.
static wal_node *create_default(const wal_param *param) {
  if (!param) return NULL;
  if (param->type == WAL_RECORD) return wal_node_create(WAL_NODE_FIELDS, 0);
  if (param->type != WAL_COMPONENT || !param->text) return NULL;
  wal_node *node = wal_node_create(WAL_NODE_COMPONENT, 0);
  if (node && wal_node_set_text(node, param->text, strlen(param->text))) return node;
  wal_node_destroy(node);
  return NULL;
}

// Goes from *node (described by *component, NULL if nothing is known of it) to its field `name`.
static wal_status descend(const assignment *a, const char *name, wal_node **node,
                          const wal_component **component) {
  const wal_param *param = find_param(*component, name);
  wal_node *child = wal_node_field(*node, name);
  if (!child) {
    child = create_default(param);
    if (!child && param && param->type != WAL_COMPONENT)
      return wal_fail(a->ctx, WAL_EINPUT, "%s: expected a table as \"%s\", got a value", a->where,
                      name);
    if (!child) return absent(a, *component, *node, name);
    if (!wal_node_set_field(*node, name, child)) return no_memory(a->ctx, a->where);
  }
  if (child->kind == WAL_NODE_NUMBERS && child->count == 0) child->kind = WAL_NODE_FIELDS;  // {}
  if (child->kind != WAL_NODE_FIELDS && child->kind != WAL_NODE_COMPONENT) {
    char got[GOT_LENGTH];
    return wal_fail(a->ctx, WAL_EINPUT, "%s: expected a table as \"%s\", got %s", a->where, name,
                    wal_node_describe(child, got, sizeof got));
  }
  if (child->kind == WAL_NODE_COMPONENT)
    *component = param && param->type == WAL_COMPONENT
                     ? wal_catalogue_find_kind(a->catalogue, child->text, param->choices)
                     : wal_catalogue_find(a->catalogue, child->text);
  else
    *component = param && param->type == WAL_RECORD ? param->record : NULL;
  *node = child;
  return WAL_OK;
}

static wal_status assign(const assignment *a, wal_node *root, wal_node **value) {
  wal_node *node = root;
  const wal_component *component = wal_catalogue_find(a->catalogue, root->text);
  char name[NAME_LENGTH];
  const char *rest = a->path;
  for (;;) {
    size_t length = strcspn(rest, ".");
    if (length == 0 || length >= sizeof name)
      return wal_fail(a->ctx, WAL_EUSAGE,
                      "%s: expected names with dots between them, as game.states", a->where);
    memcpy(name, rest, length);
    name[length] = '\0';
    if (rest[length] == '\0') break;
    rest += length + 1;
    WAL_TRY(descend(a, name, &node, &component));
  }
  const wal_param *param = find_param(component, name);
  // One of the scenario, as a sweep may set, has its place there.
  const bool placed = *value && (*value)->kind == WAL_NODE_FUNCTION && (*value)->text;
  if (*value && !placed && param && param->type == WAL_FUNCTION)
    return wal_fail(a->ctx, WAL_EINPUT,
                    "%s: a function that is called while the game runs is set in the scenario "
                    "only",
                    a->where);
  if (!*value) {
    wal_node_remove_field(node, name);
    return WAL_OK;
  }
  wal_node *given = *value;
  *value = NULL;
  return wal_node_set_field(node, name, given) ? WAL_OK : no_memory(a->ctx, a->where);
}

wal_status wal_scenario_set(wal_ctx *ctx, const wal_catalogue *catalogue, wal_node *task,
                            const char *path, wal_node *value, const char *where) {
  const assignment a = {.ctx = ctx, .catalogue = catalogue, .path = path, .where = where};
  wal_status status = assign(&a, task, &value);
  wal_node_destroy(value);
  return status;
}

wal_status wal_scenario_override(wal_ctx *ctx, wal_scenario *scenario, const char *text) {
  const char *equals = strchr(text, '=');
  if (!equals) {
    char quoted[GOT_LENGTH];
    return wal_fail(ctx, WAL_EUSAGE, "-P: expected path=value, as game.states=37, got %s",
                    wal_quoted_text(text, quoted, sizeof quoted));
  }
  size_t length = (size_t)(equals - text);
  while (length > 0 && strchr(" \t", text[length - 1])) length--;
  char *where = malloc(length + sizeof "-P ");
  if (!where) return no_memory(ctx, "-P");
  snprintf(where, length + sizeof "-P ", "-P %s", text);
  const assignment a = {
      .ctx = ctx, .catalogue = scenario->catalogue, .path = where + strlen("-P "), .where = where};
  wal_node *value = NULL;
  wal_status status = evaluate(&a, equals + 1, scenario->lua, &value);
  if (status == WAL_OK) status = assign(&a, scenario->root, &value);
  wal_node_destroy(value);
  free(where);
  return status;
}
