// SPDX-License-Identifier: GPL-3.0-or-later
#include "io/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_CAPACITY = 256, NUMBERS_A_LINE = 16 };

// ---- A text that grows ------------------------------------------------------------------------

static bool reserve(wal_text *text, size_t more) {
  size_t needed = text->length + more + 1;
  if (text->failed) return false;
  if (needed <= text->capacity) return true;
  size_t capacity = 2 * text->capacity > LEAST_CAPACITY ? 2 * text->capacity : LEAST_CAPACITY;
  if (capacity < needed) capacity = needed;
  char *bytes = realloc(text->bytes, capacity);
  if (!bytes) {
    text->failed = true;
    return false;
  }
  text->bytes = bytes;
  text->capacity = capacity;
  return true;
}

static void add_bytes(wal_text *text, const char *bytes, size_t length) {
  if (!reserve(text, length)) return;
  memcpy(text->bytes + text->length, bytes, length);
  text->length += length;
  text->bytes[text->length] = '\0';
}

void wal_text_add(wal_text *text, const char *format, ...) {
  va_list args;
  va_start(args, format);
  int length = vsnprintf(NULL, 0, format, args);
  va_end(args);
  if (length < 0 || !reserve(text, (size_t)length)) return;
  va_start(args, format);
  vsnprintf(text->bytes + text->length, (size_t)length + 1, format, args);
  va_end(args);
  text->length += (size_t)length;
}

void wal_text_free(wal_text *text) {
  free(text->bytes);
  *text = (wal_text){.bytes = NULL};
}

// ---- Strings and numbers ----------------------------------------------------------------------

// Bytes of the well-formed UTF-8 character at `s`, 0 if there is none (RFC 3629, section 4).
static size_t character_length(const unsigned char *s, size_t left) {
  if (s[0] < 0x80U) return 1;
  size_t length = s[0] >= 0xF0U ? 4 : s[0] >= 0xE0U ? 3 : 2;
  if (s[0] < 0xC2U || s[0] > 0xF4U || length > left) return 0;
  for (size_t i = 1; i < length; i++)
    if ((s[i] & 0xC0U) != 0x80U) return 0;
  bool overlong = (s[0] == 0xE0U && s[1] < 0xA0U) || (s[0] == 0xF0U && s[1] < 0x90U);
  bool surrogate = s[0] == 0xEDU && s[1] > 0x9FU;
  bool too_large = s[0] == 0xF4U && s[1] > 0x8FU;
  return overlong || surrogate || too_large ? 0 : length;
}

bool wal_text_is_utf8(const char *bytes, size_t length) {
  const unsigned char *s = (const unsigned char *)bytes;
  for (size_t i = 0; i < length;) {
    size_t step = s[i] == 0 ? 0 : character_length(s + i, length - i);
    if (step == 0) return false;
    i += step;
  }
  return true;
}

static void add_escaped(wal_text *text, unsigned char byte) {
  static const char SHORT[] = "\"\"\\\\\bb\ff\nn\rr\tt";
  for (const char *pair = SHORT; *pair; pair += 2) {
    if (byte != (unsigned char)pair[0]) continue;
    wal_text_add(text, "\\%c", pair[1]);
    return;
  }
  wal_text_add(text, "\\u%04x", (unsigned)byte);
}

void wal_json_string(wal_text *text, const char *value) {
  const unsigned char *s = (const unsigned char *)value;
  size_t length = strlen(value);
  add_bytes(text, "\"", 1);
  for (size_t i = 0; i < length;) {
    size_t step = character_length(s + i, length - i);
    if (step == 0)
      add_bytes(text, "\xEF\xBF\xBD", 3);  // U+FFFD, as it comes back when the text is read again
    else if (s[i] < 0x20U || s[i] == '"' || s[i] == '\\' || s[i] == 0x7FU)
      add_escaped(text, s[i]);
    else
      add_bytes(text, value + i, step);
    i += step == 0 ? 1 : step;
  }
  add_bytes(text, "\"", 1);
}

void wal_json_number(wal_text *text, double value) {
  char buffer[32];
  bool finite = value - value == 0.0;
  if (finite) wal_number_text(value, buffer, sizeof buffer);
  wal_text_add(text, "%s", finite ? buffer : "null");
}

// ---- Resolved parameters ----------------------------------------------------------------------

typedef struct json_writer {
  wal_text *text;
  int depth;
  bool first;     /**< nothing stands yet in the innermost object */
  bool functions; /**< a function was written */
  const char *script;
} json_writer;

static void new_line(json_writer *w) { wal_text_add(w->text, "\n%*s", 2 * w->depth, ""); }

static void begin_member(json_writer *w, const char *name) {
  if (!w->first) add_bytes(w->text, ",", 1);
  new_line(w);
  wal_json_string(w->text, name);
  add_bytes(w->text, ": ", 2);
  w->first = false;
}

static void begin_object(json_writer *w) {
  add_bytes(w->text, "{", 1);
  w->depth++;
  w->first = true;
}

static void end_object(json_writer *w) {
  w->depth--;
  if (!w->first) new_line(w);
  add_bytes(w->text, "}", 1);
  w->first = false;
}

static void write_open(void *user, const char *name, const wal_component *component, bool record) {
  json_writer *w = user;
  if (name) begin_member(w, name);
  begin_object(w);
  if (record) return;
  begin_member(w, component->name);
  begin_object(w);
}

static void write_flag(void *user, const char *name, bool value) {
  json_writer *w = user;
  begin_member(w, name);
  wal_text_add(w->text, "%s", value ? "true" : "false");
}

static void write_number(void *user, const char *name, double value, bool whole) {
  json_writer *w = user;
  (void)whole;
  begin_member(w, name);
  wal_json_number(w->text, value);
}

static void write_text(void *user, const char *name, const char *value) {
  json_writer *w = user;
  begin_member(w, name);
  wal_json_string(w->text, value);
}

static void write_close(void *user, bool record) {
  json_writer *w = user;
  end_object(w);
  if (record) return;
  if (w->depth == 1 && w->functions && w->script) write_text(w, "script", w->script);
  end_object(w);
}

static void write_place(json_writer *w, const char *path) {
  add_bytes(w->text, "{\"function\": ", 13);
  wal_json_string(w->text, path);
  add_bytes(w->text, "}", 1);
  w->functions = true;
}

static void write_function(void *user, const char *name, const char *path) {
  json_writer *w = user;
  begin_member(w, name);
  write_place(w, path);
}

// One level of a row-major array; `stride` numbers lie from one row to the next.
static void write_level(json_writer *w, int rank, const int64_t *extent, const double *values) {
  int64_t stride = 1;
  for (int i = 1; i < rank; i++) stride *= extent[i];
  bool broken = rank > 1 ? extent[0] > 0 : extent[0] > NUMBERS_A_LINE;
  add_bytes(w->text, "[", 1);
  w->depth++;
  for (int64_t i = 0; i < extent[0]; i++) {
    if (i > 0) add_bytes(w->text, ",", 1);
    if (broken && (rank > 1 || i % NUMBERS_A_LINE == 0))
      new_line(w);
    else if (i > 0)
      add_bytes(w->text, " ", 1);
    if (rank > 1)
      write_level(w, rank - 1, extent + 1, values + i * stride);
    else
      wal_json_number(w->text, values[i]);
  }
  w->depth--;
  if (broken) new_line(w);
  add_bytes(w->text, "]", 1);
}

static void write_array(void *user, const char *name, int rank, const int64_t extent[3],
                        const double *values) {
  json_writer *w = user;
  begin_member(w, name);
  if (values)
    write_level(w, rank, extent, values);
  else
    add_bytes(w->text, "null", 4);
}

static void write_node(json_writer *w, const wal_node *node);

static void write_items(json_writer *w, const wal_node *node) {
  add_bytes(w->text, "[", 1);
  w->depth++;
  for (int64_t i = 0; i < node->count; i++) {
    if (i > 0) add_bytes(w->text, ",", 1);
    new_line(w);
    write_node(w, node->items[i]);
  }
  w->depth--;
  if (node->count > 0) new_line(w);
  add_bytes(w->text, "]", 1);
}

static void write_fields(json_writer *w, const wal_node *node) {
  begin_object(w);
  if (node->kind == WAL_NODE_COMPONENT) {
    begin_member(w, node->text);
    begin_object(w);
  }
  for (int64_t i = 0; i < node->count; i++) {
    begin_member(w, node->keys[i]);
    write_node(w, node->items[i]);
  }
  end_object(w);
  if (node->kind == WAL_NODE_COMPONENT) end_object(w);
}

// A tree as it was written.
static void write_node(json_writer *w, const wal_node *node) {
  switch (node->kind) {
    case WAL_NODE_FLAG:
      wal_text_add(w->text, "%s", node->flag ? "true" : "false");
      break;
    case WAL_NODE_NUMBER:
      wal_json_number(w->text, node->number);
      break;
    case WAL_NODE_TEXT:
      wal_json_string(w->text, node->text ? node->text : "");
      break;
    case WAL_NODE_NUMBERS:
      write_level(w, 1, &node->count, node->numbers);
      break;
    case WAL_NODE_ITEMS:
      write_items(w, node);
      break;
    case WAL_NODE_FIELDS:
    case WAL_NODE_COMPONENT:
      write_fields(w, node);
      break;
    case WAL_NODE_FUNCTION:
      write_place(w, node->text ? node->text : "");
      break;
  }
}

static void write_tree(void *user, const char *name, const wal_node *node) {
  json_writer *w = user;
  begin_member(w, name);
  write_node(w, node);
}

void wal_json_params(wal_text *text, const wal_params *params) {
  wal_json_task(text, params, NULL);
}

void wal_json_task(wal_text *text, const wal_params *params, const char *script) {
  json_writer writer = {.text = text, .first = true, .script = script};
  wal_params_visitor visitor = {.user = &writer,
                                .open = write_open,
                                .close = write_close,
                                .flag = write_flag,
                                .number = write_number,
                                .text = write_text,
                                .array = write_array,
                                .function = write_function,
                                .node = write_tree};
  wal_params_visit(params, &visitor);
}
