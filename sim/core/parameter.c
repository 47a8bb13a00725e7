// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/core/parameter.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/core/parameter_private.h"

enum { FILE_SHOWN = 300, TEXT_LENGTH = 1024 };

const wal_component *wal_catalogue_find(const wal_catalogue *catalogue, const char *name) {
  for (int64_t i = 0; catalogue && i < catalogue->count; i++)
    if (strcmp(catalogue->components[i]->name, name) == 0) return catalogue->components[i];
  return NULL;
}

bool wal_kind_is(const char *kind, const char *kinds) {
  const size_t n = strlen(kind);
  for (const char *at = kinds; at; at = strchr(at, '|')) {
    if (*at == '|') at++;
    if (strncmp(at, kind, n) == 0 && (at[n] == '\0' || at[n] == '|')) return true;
  }
  return false;
}

const wal_component *wal_catalogue_find_kind(const wal_catalogue *catalogue, const char *name,
                                             const char *kinds) {
  for (int64_t i = 0; catalogue && i < catalogue->count; i++)
    if (strcmp(catalogue->components[i]->name, name) == 0 &&
        wal_kind_is(catalogue->components[i]->kind, kinds))
      return catalogue->components[i];
  return NULL;
}

const char *wal_catalogue_written(const wal_catalogue *catalogue, const char *name,
                                  const char *kinds) {
  for (int64_t i = 0; catalogue && i < catalogue->other_count; i++)
    if (strcmp(catalogue->other_names[i].name, name) == 0 &&
        (!kinds || wal_kind_is(catalogue->other_names[i].kind, kinds)))
      return catalogue->other_names[i].written;
  return NULL;
}

const char *wal_kinds_text(const char *kinds, char *buffer, size_t size) {
  size_t length = 0;
  buffer[0] = '\0';
  for (const char *at = kinds; *at && length < size;) {
    const int n = (int)strcspn(at, "|");
    length += (size_t)snprintf(buffer + length, size - length, "%s%s %.*s",
                               at == kinds ? "" : " or ", strchr("aeio", *at) ? "an" : "a", n, at);
    at += n + (at[n] == '|');
  }
  return buffer;
}

static char *copy_text(const char *text) {
  size_t size = strlen(text) + 1;
  char *copy = malloc(size);
  if (copy) memcpy(copy, text, size);
  return copy;
}

wal_params *wal_params_create(const char *file, const char *owner, const char *prefix,
                              const wal_component *component, int line) {
  int64_t count = 0;
  while (component->params && component->params[count].name) count++;
  wal_params *params = calloc(1, sizeof *params);
  if (!params) return NULL;
  params->component = component;
  params->owner = owner;
  params->line = line;
  params->count = count;
  params->file = copy_text(file);
  params->prefix = copy_text(prefix);
  params->values = calloc((size_t)count + 1, sizeof *params->values);
  if (!params->file || !params->prefix || !params->values) wal_params_destroy(&params);
  return params;
}

void wal_params_destroy(wal_params **params) {
  if (!params || !*params) return;
  wal_params *p = *params;
  for (int64_t i = 0; p->values && i < p->count; i++) {
    free(p->values[i].text);
    free(p->values[i].numbers);
    wal_params_destroy(&p->values[i].child);
    wal_node_destroy(p->values[i].node);
  }
  free(p->values);
  free(p->prefix);
  free(p->file);
  free(p);
  *params = NULL;
}

const wal_component *wal_params_component(const wal_params *params) { return params->component; }

const char *wal_params_file(const wal_params *params) { return params->file; }

static int64_t place_of(const wal_params *params, const char *name) {
  for (int64_t i = 0; i < params->count; i++)
    if (strcmp(params->component->params[i].name, name) == 0) return i;
  return -1;
}

wal_param_value *wal_param_find(const wal_params *params, const char *name, wal_param_type type,
                                const wal_param **param) {
  int64_t place = place_of(params, name);
  if (place < 0 || params->component->params[place].type != type) abort();
  if (param) *param = &params->component->params[place];
  return &params->values[place];
}

int64_t wal_params_integer(const wal_params *params, const char *name) {
  return (int64_t)wal_param_find(params, name, WAL_INTEGER, NULL)->number;
}

double wal_params_real(const wal_params *params, const char *name) {
  return wal_param_find(params, name, WAL_REAL, NULL)->number;
}

bool wal_params_flag(const wal_params *params, const char *name) {
  return wal_param_find(params, name, WAL_FLAG, NULL)->number != 0.0;
}

const char *wal_params_text(const wal_params *params, const char *name) {
  return wal_param_find(params, name, WAL_TEXT, NULL)->text;
}

const wal_function *wal_params_function(const wal_params *params, const char *name) {
  const wal_param_value *value = wal_param_find(params, name, WAL_FUNCTION, NULL);
  return value->given ? &value->function : NULL;
}

wal_status wal_params_fill_text(wal_ctx *ctx, wal_params *params, const char *name,
                                const char *value) {
  wal_param_value *place = wal_param_find(params, name, WAL_TEXT, NULL);
  char *text = copy_text(value);
  if (!text) return wal_params_no_memory(ctx, params, name);
  free(place->text);
  place->text = text;
  place->given = true;
  return WAL_OK;
}

void wal_params_fill_integer(wal_params *params, const char *name, int64_t value) {
  wal_param_value *place = wal_param_find(params, name, WAL_INTEGER, NULL);
  place->number = (double)value;
  place->given = true;
}

wal_params *wal_params_child(const wal_params *params, const char *name) {
  int64_t place = place_of(params, name);
  wal_param_type type = place < 0 ? WAL_COMPONENT : params->component->params[place].type;
  return wal_param_find(params, name, type == WAL_RECORD ? WAL_RECORD : WAL_COMPONENT, NULL)->child;
}

const wal_node *wal_params_node(const wal_params *params, const char *name) {
  return wal_param_find(params, name, WAL_ANY, NULL)->node;
}

bool wal_params_given(const wal_params *params, const char *name) {
  int64_t place = place_of(params, name);
  if (place < 0) abort();
  return params->values[place].given;
}

void wal_params_extent(const wal_params *params, const char *name, int64_t extent[3]) {
  const wal_param_value *value = wal_param_find(params, name, WAL_ARRAY, NULL);
  memcpy(extent, value->extent, sizeof value->extent);
}

const char *wal_param_title(const wal_params *params, const char *name, char *buffer, size_t size) {
  const size_t prefix = strlen(params->prefix);
  if (name && !(prefix > 0 && params->prefix[prefix - 1] == '='))
    snprintf(buffer, size, "%s: %s%s", params->owner, params->prefix, name);
  else if (prefix > 0)
    snprintf(buffer, size, "%s: %.*s", params->owner, (int)prefix - 1, params->prefix);
  else
    snprintf(buffer, size, "%s", params->owner);
  return buffer;
}

/* "s.lua:7: batched_auction: prior: TEXT" */
static void full_text(const wal_params *params, const char *name, int line, const char *text,
                      char *out, size_t size) {
  char what[2 * TEXT_LENGTH];
  char place[32] = "";
  if (line == 0) line = params->line;
  if (line > 0) snprintf(place, sizeof place, "%d:", line);
  // The end of a very long path says more than its beginning, and the text must have room.
  size_t length = strlen(params->file);
  const char *file = length > FILE_SHOWN ? params->file + length - FILE_SHOWN : params->file;
  snprintf(out, size, "%s%s:%s %s: %s", file == params->file ? "" : "...", file, place,
           wal_param_title(params, name, what, sizeof what), text);
}

static wal_status fail_v(wal_ctx *ctx, const wal_params *params, const char *name, int line,
                         const char *format, va_list args) {
  char text[TEXT_LENGTH], full[4 * TEXT_LENGTH];
  vsnprintf(text, sizeof text, format, args);
  full_text(params, name, line, text, full, sizeof full);
  return wal_fail(ctx, WAL_EINPUT, "%s", full);
}

void wal_params_warn(wal_ctx *ctx, const wal_params *params, const char *name, const char *format,
                     ...) {
  char text[TEXT_LENGTH], full[4 * TEXT_LENGTH];
  const int64_t place = name ? place_of(params, name) : -1;
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  full_text(params, name, place < 0 ? 0 : params->values[place].line, text, full, sizeof full);
  wal_warn(ctx, "%s", full);
}

wal_status wal_params_fail_at(wal_ctx *ctx, const wal_params *params, const char *name, int line,
                              const char *format, ...) {
  va_list args;
  va_start(args, format);
  wal_status status = fail_v(ctx, params, name, line, format, args);
  va_end(args);
  return status;
}

wal_status wal_params_fail(wal_ctx *ctx, const wal_params *params, const char *name,
                           const char *format, ...) {
  int64_t place = name ? place_of(params, name) : -1;
  va_list args;
  va_start(args, format);
  wal_status status =
      fail_v(ctx, params, name, place < 0 ? 0 : params->values[place].line, format, args);
  va_end(args);
  return status;
}

wal_status wal_params_no_memory(wal_ctx *ctx, const wal_params *params, const char *name) {
  return wal_params_fail_at(ctx, params, name, 0, "not enough memory");
}

static void visit_child(const wal_params *params, const char *name, bool record,
                        const wal_params_visitor *visitor);

static void visit_value(const wal_param *param, const wal_param_value *value,
                        const wal_params_visitor *visitor) {
  void *user = visitor->user;
  switch (param->type) {
    case WAL_INTEGER:
    case WAL_REAL:
      if (visitor->number)
        visitor->number(user, param->name, value->number, param->type == WAL_INTEGER);
      break;
    case WAL_FLAG:
      if (visitor->flag) visitor->flag(user, param->name, value->number != 0.0);
      break;
    case WAL_TEXT:
      if (visitor->text) visitor->text(user, param->name, value->text);
      break;
    case WAL_ARRAY:
      if (value->is_number && visitor->number)
        visitor->number(user, param->name, value->number, false);
      else if (visitor->array)
        visitor->array(user, param->name, param->rank, value->extent, value->numbers);
      break;
    case WAL_FUNCTION:
      if (visitor->function) visitor->function(user, param->name, value->text);
      break;
    case WAL_COMPONENT:
    case WAL_RECORD:
      visit_child(value->child, param->name, param->type == WAL_RECORD, visitor);
      break;
    case WAL_ANY:
      if (visitor->node) visitor->node(user, param->name, value->node);
      break;
  }
}

static void visit_child(const wal_params *params, const char *name, bool record,
                        const wal_params_visitor *visitor) {
  if (visitor->open) visitor->open(visitor->user, name, params->component, record);
  for (int64_t i = 0; i < params->count; i++)
    if (params->values[i].given)
      visit_value(&params->component->params[i], &params->values[i], visitor);
  if (visitor->close) visitor->close(visitor->user, record);
}

void wal_params_visit(const wal_params *params, const wal_params_visitor *visitor) {
  visit_child(params, NULL, false, visitor);
}
