// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/core/parameter_private.h"

enum { TEXT_LENGTH = 160, LIST_LENGTH = 480, MOST_CHOICES = 64 };

static const double TWO_TO_53 = 9007199254740992.0;

// What one tree is resolved with.
typedef struct resolver {
  wal_ctx *ctx;
  const char *file;
  const wal_catalogue *catalogue;
} resolver;

static wal_status resolve(const resolver *r, const char *owner, const char *prefix,
                          const wal_component *component, const wal_node *node, int line,
                          wal_params **out);

// ---- Texts ------------------------------------------------------------------------------------

// A list of names that grows until it is full; then "..." ends it.
typedef struct name_list {
  char text[LIST_LENGTH];
  size_t length;
  int64_t count;
} name_list;

static void add_name(name_list *list, const char *name) {
  static const char MORE[] = ", ...";
  const char *comma = list->count++ == 0 ? "" : ", ";
  if (list->length + strlen(comma) + strlen(name) + sizeof MORE < sizeof list->text)
    list->length += (size_t)snprintf(list->text + list->length, sizeof list->text - list->length,
                                     "%s%s", comma, name);
  else
    snprintf(list->text + list->length, sizeof list->text - list->length, "%s", MORE);
}

// The words of "a|b|c".
typedef struct word_list {
  char text[LIST_LENGTH];
  const char *words[MOST_CHOICES];
  int64_t count;
} word_list;

static void split_choices(const char *choices, word_list *list) {
  snprintf(list->text, sizeof list->text, "%s", choices);
  list->count = 0;
  char *word = list->text;
  while (word && list->count < MOST_CHOICES) {
    char *bar = strchr(word, '|');
    if (bar) *bar = '\0';
    list->words[list->count++] = word;
    word = bar ? bar + 1 : NULL;
  }
}

static const char *word_at(const void *user, int64_t i) {
  return ((const word_list *)user)->words[i];
}

static const char *param_at(const void *user, int64_t i) {
  return ((const wal_params *)user)->component->params[i].name;
}

// The components of one kind.
typedef struct kind_names {
  const wal_catalogue *catalogue;
  const char *kind;
} kind_names;

static const char *name_of_kind(const void *user, int64_t i) {
  const kind_names *names = user;
  const wal_component *component = names->catalogue->components[i];
  return wal_kind_is(component->kind, names->kind) ? component->name : "";
}

const char *wal_param_expectation(const wal_param *param, char *buffer, size_t size) {
  static const char *const LISTS[] = {"a list of numbers", "a list of lists of numbers",
                                      "a list of lists of lists of numbers"};
  switch (param->type) {
    case WAL_INTEGER:
      snprintf(buffer, size, "a whole number");
      break;
    case WAL_REAL:
      snprintf(buffer, size, "a number");
      break;
    case WAL_FLAG:
      snprintf(buffer, size, "true or false");
      break;
    case WAL_TEXT:
      snprintf(buffer, size, "%s", param->choices ? "a word" : "a text");
      break;
    case WAL_ARRAY:
      snprintf(buffer, size, "%s%s or a function", param->spreads ? "a number, " : "",
               LISTS[param->rank - 1]);
      break;
    case WAL_COMPONENT:
      wal_kinds_text(param->choices, buffer, size);
      break;
    case WAL_FUNCTION:
      snprintf(buffer, size, "a function");
      break;
    case WAL_RECORD:
      snprintf(buffer, size, "a table with names");
      break;
    case WAL_ANY:
      snprintf(buffer, size, "%s", param->choices ? param->choices : "a value");
      break;
  }
  return buffer;
}

const char *wal_param_wrapped(const wal_param *param, const wal_catalogue *catalogue,
                              const char *lists, const char *functions) {
  const wal_component *component =
      param->wraps ? wal_catalogue_find_kind(catalogue, param->wraps, param->choices) : NULL;
  if (!component) return "";
  if (component->params[0].type == WAL_ANY) return " or a list";
  return component->params[0].type == WAL_ARRAY ? lists : functions;
}

static wal_status wrong_type(const resolver *r, const wal_params *params, const wal_param *param,
                             const wal_node *got) {
  char expected[TEXT_LENGTH];
  char text[TEXT_LENGTH];
  return wal_params_fail_at(r->ctx, params, param->name, got->line, "expected %s, got %s",
                            wal_param_expectation(param, expected, sizeof expected),
                            wal_node_describe(got, text, sizeof text));
}

// ---- Numbers and texts ------------------------------------------------------------------------

static const char *range_text(const wal_param *param, char *buffer, size_t size) {
  char low[32];
  char high[32];
  wal_number_text(param->low, low, sizeof low);
  wal_number_text(param->high, high, sizeof high);
  if (isinf(param->high))
    snprintf(buffer, size, "of at least %s", low);
  else if (isinf(param->low))
    snprintf(buffer, size, "of at most %s", high);
  else
    snprintf(buffer, size, "in [%s, %s]", low, high);
  return buffer;
}

wal_status wal_param_check_number(wal_ctx *ctx, const wal_params *params, const wal_param *param,
                                  int line, const char *where, double number) {
  const char *noun = param->type == WAL_INTEGER ? "whole number" : "number";
  char range[TEXT_LENGTH];
  char got[32];
  wal_number_text(number, got, sizeof got);
  if (!isfinite(number))
    return wal_params_fail_at(ctx, params, param->name, line, "%sexpected a finite number, got %s",
                              where, got);
  if (param->type == WAL_INTEGER && number != trunc(number))
    return wal_params_fail_at(ctx, params, param->name, line, "%sexpected a whole number, got %s",
                              where, got);
  bool bounded = param->low != 0.0 || param->high != 0.0;
  if (bounded && !(number >= param->low && number <= param->high))
    return wal_params_fail_at(ctx, params, param->name, line, "%sexpected a %s %s, got %s", where,
                              noun, range_text(param, range, sizeof range), got);
  if (param->type == WAL_INTEGER && fabs(number) > TWO_TO_53)
    return wal_params_fail_at(ctx, params, param->name, line,
                              "%sexpected a whole number within 2^53 of 0, got %s", where, got);
  return WAL_OK;
}

static wal_status read_text(const resolver *r, const wal_params *params, const wal_param *param,
                            const wal_node *node, wal_param_value *value) {
  if (node->kind != WAL_NODE_TEXT) return wrong_type(r, params, param, node);
  const char *text = node->text ? node->text : "";
  if (param->choices) {
    word_list list;
    split_choices(param->choices, &list);
    bool known = false;
    name_list names = {.count = 0};
    for (int64_t i = 0; i < list.count; i++) {
      known = known || strcmp(list.words[i], text) == 0;
      add_name(&names, list.words[i]);
    }
    char quoted[TEXT_LENGTH];
    wal_quoted_text(text, quoted, sizeof quoted);
    const char *nearest = wal_nearest_name(text, list.count, word_at, &list);
    if (!known && nearest)
      return wal_params_fail_at(r->ctx, params, param->name, node->line,
                                "expected one of %s, got %s; did you mean \"%s\"?", names.text,
                                quoted, nearest);
    if (!known)
      return wal_params_fail_at(r->ctx, params, param->name, node->line,
                                "expected one of %s, got %s", names.text, quoted);
  }
  size_t size = strlen(text) + 1;
  value->text = malloc(size);
  if (!value->text) return wal_params_no_memory(r->ctx, params, param->name);
  memcpy(value->text, text, size);
  return WAL_OK;
}

// Only functions of the scenario itself: a run file keeps its text, by which they are found again.
static wal_status read_function(const resolver *r, const wal_params *params, const wal_param *param,
                                const wal_node *node, wal_param_value *value) {
  if (node->kind != WAL_NODE_FUNCTION) return wrong_type(r, params, param, node);
  if (!node->text)
    return wal_params_fail_at(r->ctx, params, param->name, node->line,
                              "expected a function written in the scenario, got one from elsewhere "
                              "(-P), which a run file could not keep");
  size_t size = strlen(node->text) + 1;
  value->text = malloc(size);
  if (!value->text) return wal_params_no_memory(r->ctx, params, param->name);
  memcpy(value->text, node->text, size);
  value->function = node->function;
  return WAL_OK;
}

// ---- Components and records -------------------------------------------------------------------

/* What is written where a component is wanted: a constructor's or a word's name, or that of JSON's
   {"name": {...}}, which is taken for a table when the name is unknown. */
static const char *written_name(const wal_node *node) {
  if (node->kind == WAL_NODE_FIELDS && node->count == 1) return node->keys[0];
  return node->text ? node->text : "";
}

static wal_status wrong_component(const resolver *r, const wal_params *params,
                                  const wal_param *param, const wal_node *node) {
  const char *kind = param->choices;
  const char *written = written_name(node);
  const wal_component *known = wal_catalogue_find(r->catalogue, written);
  const bool tell = known && node->kind != WAL_NODE_FIELDS;  // else it is a table that is told of
  char got[TEXT_LENGTH], wanted[TEXT_LENGTH];
  wal_kinds_text(kind, wanted, sizeof wanted);
  const char *otherwise = known ? NULL : wal_catalogue_written(r->catalogue, written, kind);
  if (otherwise)
    return wal_params_fail_at(r->ctx, params, param->name, node->line,
                              "unknown %.*s \"%s\"; write %s", (int)strcspn(kind, "|"), kind,
                              written, otherwise);
  if (written[0] && !known) {
    kind_names names = {r->catalogue, kind};
    int64_t count = r->catalogue ? r->catalogue->count : 0;
    const char *nearest = wal_nearest_name(written, count, name_of_kind, &names);
    wal_quoted_text(written, got, sizeof got);
    if (nearest && nearest[0])
      return wal_params_fail_at(r->ctx, params, param->name, node->line,
                                "unknown %.*s %s; did you mean \"%s\"?", (int)strcspn(kind, "|"),
                                kind, got, nearest);
  }
  name_list list = {.count = 0};
  for (int64_t i = 0; r->catalogue && i < r->catalogue->count; i++)
    if (wal_kind_is(r->catalogue->components[i]->kind, kind))
      add_name(&list, r->catalogue->components[i]->name);
  wal_node_describe(node, got, sizeof got);
  return wal_params_fail_at(
      r->ctx, params, param->name, node->line, "expected %s (%s)%s, got %s%s%s", wanted, list.text,
      wal_param_wrapped(param, r->catalogue, ", a list or a function", " or a function"),
      tell ? known->kind : "", tell ? " " : "", got);
}

/* What stands for the component that the parameter wraps it in. */
static wal_status read_wrapped(const resolver *r, const wal_params *params, const wal_param *param,
                               const wal_node *node, wal_param_value *value) {
  const wal_component *component =
      wal_catalogue_find_kind(r->catalogue, param->wraps, param->choices);
  const size_t size = strlen(params->prefix) + strlen(param->name) + 2;
  char *prefix = malloc(size);
  wal_node *fields = wal_node_create(WAL_NODE_COMPONENT, node->line);
  wal_node *data = wal_node_copy(node);
  const bool made = prefix && fields &&
                    wal_node_set_text(fields, param->wraps, strlen(param->wraps)) &&
                    wal_node_set_field(fields, component->params[0].name, data);
  if (!prefix || !fields) wal_node_destroy(data);
  if (prefix) snprintf(prefix, size, "%s%s=", params->prefix, param->name);
  wal_status status =
      made ? resolve(r, params->owner, prefix, component, fields, node->line, &value->child)
           : wal_params_no_memory(r->ctx, params, param->name);
  wal_node_destroy(fields);
  free(prefix);
  return status;
}

static bool is_data(const wal_node *node) {
  return node->kind == WAL_NODE_NUMBERS || node->kind == WAL_NODE_ITEMS ||
         node->kind == WAL_NODE_FUNCTION;
}

static wal_status read_component(const resolver *r, const wal_params *params,
                                 const wal_param *param, const wal_node *node,
                                 wal_param_value *value) {
  if (param->wraps && is_data(node)) return read_wrapped(r, params, param, node, value);
  const bool word = node->kind == WAL_NODE_TEXT;
  const wal_component *component =
      word || node->kind == WAL_NODE_COMPONENT
          ? wal_catalogue_find_kind(r->catalogue, node->text, param->choices)
          : NULL;
  if (!component) return wrong_component(r, params, param, node);
  return resolve(r, component->name, "", component, word ? NULL : node, node->line, &value->child);
}

// A record's node may be NULL: all defaults.
static wal_status read_record(const resolver *r, const wal_params *params, const wal_param *param,
                              const wal_node *node, wal_param_value *value) {
  bool empty = node && node->kind == WAL_NODE_NUMBERS && node->count == 0;  // {} is both
  if (node && node->kind != WAL_NODE_FIELDS && !empty) return wrong_type(r, params, param, node);
  size_t size = strlen(params->prefix) + strlen(param->name) + 2;
  char *prefix = malloc(size);
  if (!prefix) return wal_params_no_memory(r->ctx, params, param->name);
  snprintf(prefix, size, "%s%s.", params->prefix, param->name);
  int line = node && node->line ? node->line : params->line;
  wal_status status =
      resolve(r, params->owner, prefix, param->record, empty ? NULL : node, line, &value->child);
  free(prefix);
  return status;
}

// ---- All values of one component --------------------------------------------------------------

// Whether all functions in a tree are known by their place in the scenario.
static bool has_places(const wal_node *node) {
  if (node->kind == WAL_NODE_FUNCTION) return node->text != NULL;
  bool placed = true;
  for (int64_t i = 0; node->items && i < node->count && placed; i++)
    placed = has_places(node->items[i]);
  return placed;
}

static wal_status read_any(const resolver *r, const wal_params *params, const wal_param *param,
                           const wal_node *node, wal_param_value *value) {
  if (!has_places(node))
    return wal_params_fail_at(r->ctx, params, param->name, node->line,
                              "expected functions in the scenario only, got one from -P, or one in "
                              "a place that takes more than 100 characters to name");
  value->node = wal_node_copy(node);
  return value->node ? WAL_OK : wal_params_no_memory(r->ctx, params, param->name);
}

static wal_status read_value(const resolver *r, const wal_params *params, const wal_param *param,
                             const wal_node *node, wal_param_value *value) {
  value->given = true;
  value->line = node->line;
  switch (param->type) {
    case WAL_INTEGER:
    case WAL_REAL:
      if (node->kind != WAL_NODE_NUMBER) return wrong_type(r, params, param, node);
      value->number = node->number;
      return wal_param_check_number(r->ctx, params, param, node->line, "", node->number);
    case WAL_FLAG:
      if (node->kind != WAL_NODE_FLAG) return wrong_type(r, params, param, node);
      value->number = node->flag ? 1.0 : 0.0;
      return WAL_OK;
    case WAL_TEXT:
      return read_text(r, params, param, node, value);
    case WAL_ARRAY:
      return wal_param_read_array(r->ctx, params, param, node, value);
    case WAL_FUNCTION:
      return read_function(r, params, param, node, value);
    case WAL_COMPONENT:
      return read_component(r, params, param, node, value);
    case WAL_RECORD:
      return read_record(r, params, param, node, value);
    case WAL_ANY:
      return read_any(r, params, param, node, value);
  }
  return WAL_OK;
}

static wal_status default_text(const resolver *r, const wal_params *params, const wal_param *param,
                               wal_param_value *value) {
  size_t size = strlen(param->text) + 1;
  value->text = malloc(size);
  if (!value->text) return wal_params_no_memory(r->ctx, params, param->name);
  memcpy(value->text, param->text, size);
  return WAL_OK;
}

static wal_status default_array(const resolver *r, const wal_params *params, const wal_param *param,
                                wal_param_value *value) {
  int64_t volume = 0;
  wal_param_volume(param, param->extent, &volume);
  WAL_TRY(wal_param_numbers(r->ctx, params, param, param->extent, &value->numbers));
  if (volume > 0) memcpy(value->numbers, param->array, (size_t)volume * sizeof(double));
  for (int axis = 0; axis < param->rank; axis++) value->extent[axis] = param->extent[axis];
  return WAL_OK;
}

static wal_status default_component(const resolver *r, const wal_params *params,
                                    const wal_param *param, wal_param_value *value) {
  const wal_component *component =
      wal_catalogue_find_kind(r->catalogue, param->text, param->choices);
  if (!component)
    return wal_params_fail_at(r->ctx, params, param->name, 0,
                              "its default, %s, is no known component", param->text);
  return resolve(r, component->name, "", component, NULL, params->line, &value->child);
}

static wal_status fill_default(const resolver *r, const wal_params *params, const wal_param *param,
                               wal_param_value *value) {
  if (param->required) {
    char expected[TEXT_LENGTH];
    return wal_params_fail_at(r->ctx, params, param->name, 0, "expected %s, got nothing (%s)",
                              wal_param_expectation(param, expected, sizeof expected),
                              param->meaning ? param->meaning : "it has no default");
  }
  if (param->optional) return WAL_OK;
  value->given = true;
  switch (param->type) {
    case WAL_INTEGER:
    case WAL_REAL:
    case WAL_FLAG:
      value->number = param->number;
      return WAL_OK;
    case WAL_TEXT:
      if (param->text) return default_text(r, params, param, value);
      break;
    case WAL_ARRAY:
      if (param->array) return default_array(r, params, param, value);
      value->is_number = param->spreads && !param->optional;
      value->number = param->number;
      if (value->is_number) return WAL_OK;
      break;
    case WAL_COMPONENT:
      if (param->text) return default_component(r, params, param, value);
      break;
    case WAL_FUNCTION:
      break;
    case WAL_RECORD:
      return read_record(r, params, param, NULL, value);
    case WAL_ANY:
      break;
  }
  value->given = false;  // no default was declared
  return WAL_OK;
}

/* The record among the parameters that has one of this name; NULL if none has. */
static const char *record_with(const wal_params *params, const char *name) {
  for (const wal_param *p = params->component->params; p && p->name; p++)
    for (const wal_param *q = p->type == WAL_RECORD ? p->record->params : NULL; q && q->name; q++)
      if (strcmp(q->name, name) == 0) return p->name;
  return NULL;
}

static wal_status refuse_unknown(const resolver *r, const wal_params *params,
                                 const wal_node *node) {
  for (int64_t i = 0; i < node->count; i++) {
    const char *key = node->keys[i];
    bool known = false;
    for (int64_t j = 0; j < params->count && !known; j++)
      known = strcmp(param_at(params, j), key) == 0;
    if (known) continue;
    char quoted[TEXT_LENGTH];
    wal_quoted_text(key, quoted, sizeof quoted);
    int line = node->items[i]->line;
    const char *record = record_with(params, key);
    if (record)
      return wal_params_fail_at(r->ctx, params, NULL, line,
                                "unknown parameter %s; it belongs in %s = { %s = ... }", quoted,
                                record, key);
    const char *nearest = wal_nearest_name(key, params->count, param_at, params);
    if (nearest)
      return wal_params_fail_at(r->ctx, params, NULL, line,
                                "unknown parameter %s; did you mean \"%s\"?", quoted, nearest);
    if (params->count == 0)
      return wal_params_fail_at(r->ctx, params, NULL, line,
                                "unknown parameter %s; it takes no parameters", quoted);
    name_list list = {.count = 0};
    for (int64_t j = 0; j < params->count; j++) add_name(&list, param_at(params, j));
    return wal_params_fail_at(r->ctx, params, NULL, line, "unknown parameter %s; it takes %s",
                              quoted, list.text);
  }
  return WAL_OK;
}

static wal_status resolve(const resolver *r, const char *owner, const char *prefix,
                          const wal_component *component, const wal_node *node, int line,
                          wal_params **out) {
  wal_status status = WAL_OK;
  wal_params *params = wal_params_create(r->file, owner, prefix, component, line);
  if (!params) return wal_fail(r->ctx, WAL_EINPUT, "%s: not enough memory", r->file);
  if (node) WAL_TRY_GOTO(refuse_unknown(r, params, node));
  for (int64_t i = 0; i < params->count; i++) {
    const wal_param *param = &component->params[i];
    const wal_node *field = node ? wal_node_field(node, param->name) : NULL;
    WAL_TRY_GOTO(field ? read_value(r, params, param, field, &params->values[i])
                       : fill_default(r, params, param, &params->values[i]));
  }
  *out = params;
  return WAL_OK;

cleanup:
  wal_params_destroy(&params);
  return status;
}

wal_status wal_params_resolve(wal_ctx *ctx, const char *file, const wal_component *component,
                              const wal_node *node, const wal_catalogue *catalogue,
                              wal_params **out) {
  resolver r = {.ctx = ctx, .file = file, .catalogue = catalogue};
  *out = NULL;
  bool fits = node->kind == WAL_NODE_FIELDS ||
              (node->kind == WAL_NODE_COMPONENT && strcmp(node->text, component->name) == 0);
  if (!fits) {
    char got[TEXT_LENGTH];
    return wal_fail(ctx, WAL_EINPUT, "%s: expected %s{...}, got %s", file, component->name,
                    wal_node_describe(node, got, sizeof got));
  }
  return resolve(&r, component->name, "", component, node, node->line, out);
}
