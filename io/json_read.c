// SPDX-License-Identifier: GPL-3.0-or-later
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/json.h"

enum { DEEPEST = 64, TEXT_LENGTH = 200 };

typedef struct json_reader {
  wal_ctx *ctx;
  const char *name;
  const wal_catalogue *catalogue;
} json_reader;

static wal_status read_value(const json_reader *r, const char *key, int depth, json_t *value,
                             wal_node **out);

static wal_status no_memory(const json_reader *r) {
  return wal_fail(r->ctx, WAL_EINPUT, "%s: not enough memory", r->name);
}

static int compare_keys(const void *a, const void *b) {
  const char *first = NULL;
  const char *second = NULL;
  memcpy(&first, a, sizeof first);
  memcpy(&second, b, sizeof second);
  return strcmp(first, second);
}

// The keys in byte order, as the tree holds them; NULL where memory is short.
static const char **sorted_keys(json_t *object) {
  size_t count = json_object_size(object);
  const char **keys = malloc((count + 1) * sizeof *keys);
  if (!keys) return NULL;
  size_t i = 0;
  const char *key = NULL;
  json_t *value = NULL;
  json_object_foreach(object, key, value) keys[i++] = key;
  qsort(keys, count, sizeof *keys, compare_keys);
  return keys;
}

static wal_status read_fields(const json_reader *r, int depth, json_t *object, wal_node *node) {
  wal_status status = WAL_OK;
  size_t count = json_object_size(object);
  const char **keys = sorted_keys(object);
  if (!keys) return no_memory(r);
  for (size_t i = 0; i < count; i++) {
    json_t *value = json_object_get(object, keys[i]);
    if (json_is_null(value)) continue;
    wal_node *field = NULL;
    WAL_TRY_GOTO(read_value(r, keys[i], depth + 1, value, &field));
    if (!wal_node_set_field(node, keys[i], field)) WAL_TRY_GOTO(no_memory(r));
  }

cleanup:
  free(keys);
  return status;
}

static wal_status read_object(const json_reader *r, int depth, json_t *object, wal_node **out) {
  if (json_object_size(object) == 1) {
    void *only = json_object_iter(object);
    const char *key = json_object_iter_key(only);
    json_t *value = json_object_iter_value(only);
    if (json_is_object(value) && wal_catalogue_find(r->catalogue, key)) {
      *out = wal_node_create(WAL_NODE_COMPONENT, 0);
      if (!*out || !wal_node_set_text(*out, key, strlen(key))) return no_memory(r);
      return read_fields(r, depth + 1, value, *out);
    }
  }
  *out = wal_node_create(WAL_NODE_FIELDS, 0);
  return *out ? read_fields(r, depth, object, *out) : no_memory(r);
}

static wal_status read_list(const json_reader *r, const char *key, int depth, json_t *list,
                            wal_node **out) {
  size_t count = json_array_size(list);
  size_t numbers = 0;
  for (size_t i = 0; i < count; i++) numbers += json_is_number(json_array_get(list, i)) ? 1U : 0U;
  bool all_numbers = numbers == count;
  *out = wal_node_create(all_numbers ? WAL_NODE_NUMBERS : WAL_NODE_ITEMS, 0);
  if (!*out) return no_memory(r);
  for (size_t i = 0; i < count; i++) {
    json_t *value = json_array_get(list, i);
    if (all_numbers) {
      if (!wal_node_add_number(*out, json_number_value(value))) return no_memory(r);
    } else {
      wal_node *item = NULL;
      WAL_TRY(read_value(r, key, depth + 1, value, &item));
      if (!wal_node_add_item(*out, item)) return no_memory(r);
    }
  }
  return WAL_OK;
}

static wal_status fill(const json_reader *r, const char *key, int depth, json_t *value,
                       wal_node **out) {
  char quoted[TEXT_LENGTH];
  if (depth > DEEPEST)
    return wal_fail(r->ctx, WAL_EINPUT, "%s: expected at most %d levels of brackets, got more",
                    r->name, DEEPEST);
  switch (json_typeof(value)) {
    case JSON_OBJECT:
      return read_object(r, depth, value, out);
    case JSON_ARRAY:
      return read_list(r, key, depth, value, out);
    case JSON_STRING:
      *out = wal_node_create(WAL_NODE_TEXT, 0);
      if (*out && wal_node_set_text(*out, json_string_value(value), json_string_length(value)))
        return WAL_OK;
      return no_memory(r);
    case JSON_INTEGER:
    case JSON_REAL:
      *out = wal_node_create(WAL_NODE_NUMBER, 0);
      if (*out) (*out)->number = json_number_value(value);
      break;
    case JSON_TRUE:
    case JSON_FALSE:
      *out = wal_node_create(WAL_NODE_FLAG, 0);
      if (*out) (*out)->flag = json_is_true(value);
      break;
    case JSON_NULL:
      return wal_fail(r->ctx, WAL_EINPUT, "%s: %s: expected a value, got null", r->name,
                      wal_quoted_text(key, quoted, sizeof quoted));
  }
  return *out ? WAL_OK : no_memory(r);
}

static wal_status read_value(const json_reader *r, const char *key, int depth, json_t *value,
                             wal_node **out) {
  *out = NULL;
  wal_status status = fill(r, key, depth, value, out);
  if (status == WAL_OK) return WAL_OK;
  wal_node_destroy(*out);
  *out = NULL;
  return status;
}

wal_status wal_json_read(wal_ctx *ctx, const char *name, const char *text, size_t length,
                         const wal_catalogue *catalogue, wal_node **out) {
  static const char BYTE_ORDER_MARK[] = "\xEF\xBB\xBF";
  const json_reader r = {.ctx = ctx, .name = name, .catalogue = catalogue};
  *out = NULL;
  if (length >= 3 && memcmp(text, BYTE_ORDER_MARK, 3) == 0) {
    text += 3;
    length -= 3;
  }
  json_error_t error;
  size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL;
  json_t *root = json_loadb(text, length, flags, &error);
  if (!root) {
    for (char *c = error.text; *c; c++)
      if ((unsigned char)*c < 0x20U) *c = ' ';
    return wal_fail(ctx, WAL_EINPUT, "%s:%d: %s", name, error.line > 0 ? error.line : 1,
                    error.text);
  }
  wal_status status = read_value(&r, "the text", 0, root, out);
  json_decref(root);
  return status;
}
