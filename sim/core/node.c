// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/core/node.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_CAPACITY = 4 };

static const double TWO_TO_53 = 9007199254740992.0;

// An array of `count` elements has room for the next power of two; room for one more is made here.
static bool make_room(void *array, int64_t count, size_t size) {
  if (count != 0 && (count < LEAST_CAPACITY || (count & (count - 1)) != 0)) return true;
  size_t capacity = count == 0 ? LEAST_CAPACITY : 2 * (size_t)count;
  void *block = NULL;
  memcpy(&block, array, sizeof block);
  block = realloc(block, capacity * size);
  if (!block) return false;
  memcpy(array, &block, sizeof block);
  return true;
}

static char *copy_text(const char *text, size_t length) {
  char *copy = malloc(length + 1);
  if (!copy) return NULL;
  memcpy(copy, text, length);
  copy[length] = '\0';
  return copy;
}

wal_node *wal_node_create(wal_node_kind kind, int line) {
  wal_node *node = calloc(1, sizeof *node);
  if (!node) return NULL;
  node->kind = kind;
  node->line = line;
  return node;
}

void wal_node_destroy(wal_node *node) {
  if (!node) return;
  for (int64_t i = 0; node->items && i < node->count; i++) wal_node_destroy(node->items[i]);
  for (int64_t i = 0; node->keys && i < node->count; i++) free(node->keys[i]);
  free(node->items);
  free(node->keys);
  free(node->numbers);
  free(node->text);
  free(node);
}

bool wal_node_set_text(wal_node *node, const char *text, size_t length) {
  const char *end = memchr(text, '\0', length);
  char *copy = copy_text(text, end ? (size_t)(end - text) : length);
  if (!copy) return false;
  free(node->text);
  node->text = copy;
  return true;
}

bool wal_node_add_number(wal_node *node, double number) {
  if (!make_room(&node->numbers, node->count, sizeof *node->numbers)) return false;
  node->numbers[node->count++] = number;
  return true;
}

bool wal_node_add_item(wal_node *node, wal_node *item) {
  if (!item) return false;
  if (!make_room(&node->items, node->count, sizeof(wal_node *))) {
    wal_node_destroy(item);
    return false;
  }
  node->items[node->count++] = item;
  return true;
}

// Place of the first key that is not below `key`; the last place is looked at first.
static int64_t key_place(const wal_node *node, const char *key) {
  int64_t low = 0;
  int64_t high = node->count;
  if (high > 0 && strcmp(node->keys[high - 1], key) < 0) return high;
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    if (strcmp(node->keys[middle], key) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static bool key_is_at(const wal_node *node, int64_t place, const char *key) {
  return place < node->count && strcmp(node->keys[place], key) == 0;
}

bool wal_node_set_field(wal_node *node, const char *key, wal_node *value) {
  if (!value) return false;
  int64_t place = key_place(node, key);
  if (key_is_at(node, place, key)) {
    wal_node_destroy(node->items[place]);
    node->items[place] = value;
    return true;
  }
  char *copy = copy_text(key, strlen(key));
  if (!copy || !make_room(&node->keys, node->count, sizeof(char *)) ||
      !make_room(&node->items, node->count, sizeof(wal_node *))) {
    free(copy);
    wal_node_destroy(value);
    return false;
  }
  size_t after = (size_t)(node->count - place);
  memmove(node->keys + place + 1, node->keys + place, after * sizeof(char *));
  memmove(node->items + place + 1, node->items + place, after * sizeof(wal_node *));
  node->keys[place] = copy;
  node->items[place] = value;
  node->count++;
  return true;
}

static bool has_fields(const wal_node *node) {
  return node->kind == WAL_NODE_FIELDS || node->kind == WAL_NODE_COMPONENT;
}

wal_node *wal_node_field(const wal_node *node, const char *key) {
  if (!has_fields(node)) return NULL;
  int64_t place = key_place(node, key);
  return key_is_at(node, place, key) ? node->items[place] : NULL;
}

void wal_node_remove_field(wal_node *node, const char *key) {
  if (!has_fields(node)) return;
  int64_t place = key_place(node, key);
  if (!key_is_at(node, place, key)) return;
  free(node->keys[place]);
  wal_node_destroy(node->items[place]);
  size_t after = (size_t)(node->count - place - 1);
  memmove(node->keys + place, node->keys + place + 1, after * sizeof(char *));
  memmove(node->items + place, node->items + place + 1, after * sizeof(wal_node *));
  node->count--;
}

wal_node *wal_node_copy(const wal_node *node) {
  wal_node *copy = wal_node_create(node->kind, node->line);
  if (!copy) return NULL;
  copy->flag = node->flag;
  copy->number = node->number;
  copy->function = node->function;
  bool copied = !node->text || wal_node_set_text(copy, node->text, strlen(node->text));
  for (int64_t i = 0; copied && i < node->count; i++) {
    if (node->kind == WAL_NODE_NUMBERS)
      copied = wal_node_add_number(copy, node->numbers[i]);
    else if (has_fields(node))
      copied = wal_node_set_field(copy, node->keys[i], wal_node_copy(node->items[i]));
    else
      copied = wal_node_add_item(copy, wal_node_copy(node->items[i]));
  }
  if (copied) return copy;
  wal_node_destroy(copy);
  return NULL;
}

const char *wal_number_text(double value, char *buffer, size_t size) {
  bool negative_zero = value == 0.0 && signbit(value);
  if (isnan(value)) {
    snprintf(buffer, size, "nan");
  } else if (isinf(value)) {
    snprintf(buffer, size, "%s", value > 0 ? "inf" : "-inf");
  } else if (fabs(value) < TWO_TO_53 && value == trunc(value) && !negative_zero) {
    snprintf(buffer, size, "%.0f", value);
  } else {
    for (int digits = 15; digits <= 17; digits++) {
      snprintf(buffer, size, "%.*g", digits, value);
      if (strtod(buffer, NULL) == value) break;
    }
    // A program around this library may have set a locale that writes a comma.
    for (char *c = buffer; *c; c++)
      if (!strchr("+-.0123456789e", *c)) *c = '.';
  }
  return buffer;
}

const char *wal_quoted_text(const char *text, char *buffer, size_t size) {
  static const char CUT[] = "...";
  size_t length = strlen(text);
  size_t room = size - 3;  // without both marks and the NUL
  bool cut = length > room;
  if (cut) {
    length = room - strlen(CUT);
    while (length > 0 && ((unsigned char)text[length] & 0xC0U) == 0x80U) length--;
  }
  char *to = buffer;
  *to++ = '"';
  for (size_t i = 0; i < length; i++) {
    unsigned char byte = (unsigned char)text[i];
    *to++ = byte < 0x20U || byte == 0x7FU ? '?' : text[i];
  }
  snprintf(to, size - (size_t)(to - buffer), "%s\"", cut ? CUT : "");
  return buffer;
}

const char *wal_node_describe(const wal_node *node, char *buffer, size_t size) {
  long long count = (long long)node->count;
  const char *plural = count == 1 ? "" : "s";
  switch (node->kind) {
    case WAL_NODE_FLAG:
      snprintf(buffer, size, "%s", node->flag ? "true" : "false");
      break;
    case WAL_NODE_NUMBER:
      wal_number_text(node->number, buffer, size);
      break;
    case WAL_NODE_TEXT:
      wal_quoted_text(node->text ? node->text : "", buffer, size);
      break;
    case WAL_NODE_NUMBERS:
      if (count == 0)
        snprintf(buffer, size, "an empty list");
      else
        snprintf(buffer, size, "a list of %lld number%s", count, plural);
      break;
    case WAL_NODE_ITEMS:
      snprintf(buffer, size, "a list of %lld item%s", count, plural);
      break;
    case WAL_NODE_FIELDS:
      snprintf(buffer, size, "a table with names");
      break;
    case WAL_NODE_COMPONENT:
      snprintf(buffer, size, "%s{...}", node->text ? node->text : "");
      break;
    case WAL_NODE_FUNCTION:
      snprintf(buffer, size, "a function");
      break;
  }
  return buffer;
}
