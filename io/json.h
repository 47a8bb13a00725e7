// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_IO_JSON_H
#define WALRAS_IO_JSON_H

#include "sim/core/parameter.h"

/** A text that grows. Zero-initialize; free with wal_text_free(). */
typedef struct wal_text {
  char *bytes; /**< NUL-terminated once anything was added */
  size_t length, capacity;
  bool failed; /**< memory ran out, and something is missing */
} wal_text;

void wal_text_add(wal_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void wal_text_free(wal_text *text);

/** Adds a JSON string with quotes and escapes; what is not UTF-8 becomes U+FFFD. */
void wal_json_string(wal_text *text, const char *value);
/** Adds a number in the shortest form that reads back as the same double (whole numbers below 2^53
 *  without fraction); null if it is not finite. */
void wal_json_number(wal_text *text, double value);

/**
 * Canonical JSON of resolved parameters: {"solve": {"game": {"beach_bar": {"horizon": 3, ...}},
 * ...}}. A component is an object whose one key is its name, a record a plain object; parameters
 * stand in order of declaration, two blanks a level, short arrays of numbers on one line; no
 * newline ends it. A scenario named *.json with this text gives the same run. An array that is
 * still a function (not yet asked for with wal_params_array()) stands as null, which reads as left
 * out.
 */
void wal_json_params(wal_text *text, const wal_params *params);

/** As wal_json_params(), of a task. If it has functions that are called while it runs, they stand as
 *  {"function": "game.reward"}, their place in the scenario, and the root object gets a second key
 *  "script" with `script`, the text of that scenario. A script that is not UTF-8 is not kept byte by
 *  byte (see wal_json_string()). */
void wal_json_task(wal_text *text, const wal_params *params, const char *script);

/** The tree that such a JSON text holds (component objects told by the catalogue: an object with
 * one key that names a component and has an object for value). A null reads as a value left out.
 *  WAL_EINPUT with `name:line: ...`; the nodes have no lines. Rank-local. */
wal_status wal_json_read(wal_ctx *ctx, const char *name, const char *text, size_t length,
                         const wal_catalogue *catalogue, wal_node **out);

/** True if all bytes are well-formed UTF-8 (RFC 3629) and none is NUL. */
bool wal_text_is_utf8(const char *bytes, size_t length);

#endif
