// SPDX-License-Identifier: GPL-3.0-or-later
#include "games/map.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sim/core/memory.h"

enum { TEXT_LENGTH = 400, QUOTE_LENGTH = 80 };

/* Names of maps. */

static const char *name_at(const void *names, int64_t i) {
  return ((const wal_map_name *)names)[i].name;
}

wal_status wal_map_find(wal_ctx *ctx, const wal_params *params, const char *parameter,
                        const wal_map_name *names, const wal_map_name **out) {
  const char *text = wal_params_text(params, parameter);
  char list[TEXT_LENGTH] = "";
  int64_t count = 0;
  *out = NULL;
  for (size_t length = 0; names[count].name; count++) {
    if (strcmp(names[count].name, text) == 0) *out = &names[count];
    length += (size_t)snprintf(list + length, sizeof list - length, "%s\"%s\"",
                               count > 0 ? ", " : "", names[count].name);
  }
  bool named = text[0] != '\0' && text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_")] == 0;
  if (*out || !named) return WAL_OK;
  char quoted[QUOTE_LENGTH];
  wal_quoted_text(text, quoted, sizeof quoted);
  const char *nearest = wal_nearest_name(text, count, name_at, names);
  if (nearest)
    return wal_params_fail(ctx, params, parameter,
                           "expected a map or one of %s, got %s; did you mean \"%s\"?", list,
                           quoted, nearest);
  return wal_params_fail(ctx, params, parameter, "expected a map or one of %s, got %s", list,
                         quoted);
}

/* Lines of a text. */

typedef struct line {
  const char *text;
  size_t length; /**< without blanks at the end; 0: a line of blanks */
  size_t indent; /**< blanks in front */
} line;

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

/** The line at `at`, and the place behind it: NULL after the last one. */
static const char *next_line(const char *at, line *out) {
  size_t length = strcspn(at, "\n"), indent = 0;
  const char *behind = at[length] == '\n' ? at + length + 1 : NULL;
  while (length > 0 && is_blank(at[length - 1])) length--;
  while (indent < length && is_blank(at[indent])) indent++;
  *out = (line){at, length, indent};
  return behind;
}

/** The map's lines: from the first one that is not of blanks to the last one. */
typedef struct span {
  const char *first;
  int lines;
  int rows;      /**< lines that are not of blanks */
  size_t indent; /**< blanks that all of them have in front */
} span;

static span find_span(const char *text) {
  span e = {.first = NULL};
  line l;
  int number = 0;
  for (const char *at = text; at;) {
    const char *begin = at;
    at = next_line(at, &l);
    if (e.first) number++;
    if (l.length == 0) continue;
    if (!e.first) {
      e.first = begin;
      e.indent = l.indent;
    }
    if (l.indent < e.indent) e.indent = l.indent;
    e.lines = number + 1;
    e.rows++;
  }
  return e;
}

/* Reading. */

typedef struct reader {
  wal_ctx *ctx;
  const wal_params *params;
  const char *parameter;
  const wal_map_rules *rules;
  wal_map *map;
  int64_t rows;       /**< read so far, on all floors */
  int64_t floor_rows; /**< read so far on this floor */
  int floor_line;     /**< where this floor begins */
} reader;

/** "got" of an unknown character: all bytes of one outside ASCII. */
static wal_status unknown(const reader *r, int number, const line *l, size_t at) {
  char character[8] = {l->text[at]}, quoted[QUOTE_LENGTH], known[QUOTE_LENGTH];
  size_t bytes = 1;
  while (bytes < 4 && at + bytes < l->length && ((unsigned char)l->text[at + bytes] & 0xC0) == 0x80)
    character[bytes] = l->text[at + bytes], bytes++;
  wal_quoted_text(character, quoted, sizeof quoted);
  wal_quoted_text(r->rules->alphabet, known, sizeof known);
  return wal_params_fail(r->ctx, r->params, r->parameter,
                         "line %d, column %zu: expected one of %s, got %s", number, at + 1, known,
                         quoted);
}

static wal_status read_row(reader *r, int number, const line *l) {
  wal_grid *grid = &r->map->grid;
  for (size_t i = 0; i < l->length; i++)
    if (!strchr(r->rules->alphabet, l->text[i])) return unknown(r, number, l, i);
  if (r->rows == 0) grid->columns = (int64_t)l->length;
  if ((int64_t)l->length != grid->columns)
    return wal_params_fail(r->ctx, r->params, r->parameter,
                           "line %d: expected %lld columns as in line 1, got %zu", number,
                           (long long)grid->columns, l->length);
  memcpy(r->map->cells + r->rows * grid->columns, l->text, l->length);
  r->map->line[r->rows++] = number;
  if (r->floor_rows++ == 0) r->floor_line = number;
  return WAL_OK;
}

static wal_status end_floor(reader *r) {
  wal_grid *grid = &r->map->grid;
  if (r->map->floors++ == 0) grid->rows = r->floor_rows;
  if (r->floor_rows != grid->rows)
    return wal_params_fail(r->ctx, r->params, r->parameter,
                           "line %d: expected %lld rows on floor %lld as on floor 0, got %lld",
                           r->floor_line, (long long)grid->rows, (long long)r->map->floors - 1,
                           (long long)r->floor_rows);
  r->floor_rows = 0;
  return WAL_OK;
}

static wal_status read_lines(reader *r, const span *e) {
  line l;
  const char *at = e->first;
  for (int number = 1; number <= e->lines; number++) {
    at = next_line(at, &l);
    if (l.length == 0) {
      if (!r->rules->floors)
        return wal_params_fail(r->ctx, r->params, r->parameter,
                               "line %d: expected %lld columns as in line 1, got an empty line",
                               number, (long long)r->map->grid.columns);
      if (r->floor_rows > 0) WAL_TRY(end_floor(r));
      continue;
    }
    l.text += e->indent;
    l.length -= e->indent;
    WAL_TRY(read_row(r, number, &l));
  }
  WAL_TRY(end_floor(r));
  const wal_map *map = r->map;
  for (int64_t i = 0; i < wal_map_cells(map); i++)
    if (!wal_map_is_wall(map, i)) return WAL_OK;
  return wal_params_fail(r->ctx, r->params, r->parameter,
                         "expected at least one cell that is no wall, got only \"%c\"",
                         WAL_MAP_WALL);
}

wal_status wal_map_read(wal_ctx *ctx, const wal_params *params, const char *parameter,
                        const wal_map_rules *rules, const char *text, wal_map *out) {
  wal_status status = WAL_OK;
  const span e = find_span(text);
  reader r = {.ctx = ctx, .params = params, .parameter = parameter, .rules = rules, .map = out};
  *out = (wal_map){.floors = 0};
  if (e.rows == 0)
    return wal_params_fail(ctx, params, parameter, "expected a map, got no lines but empty ones");
  WAL_TRY(wal_acquire(ctx, "map", (int64_t)strlen(text), 1, &out->cells));
  WAL_TRY_GOTO(wal_acquire(ctx, "map", e.rows, sizeof *out->line, &out->line));
  WAL_TRY_GOTO(read_lines(&r, &e));
  return WAL_OK;
cleanup:
  wal_map_free(ctx, out);
  return status;
}

void wal_map_free(wal_ctx *ctx, wal_map *map) {
  wal_release(ctx, &map->cells);
  wal_release(ctx, &map->line);
  *map = (wal_map){.floors = 0};
}

int64_t wal_map_count(const wal_map *map, const char *set) {
  int64_t count = 0;
  for (int64_t i = 0; i < wal_map_cells(map); i++) count += strchr(set, wal_map_at(map, i)) ? 1 : 0;
  return count;
}

wal_status wal_map_fail(wal_ctx *ctx, const wal_params *params, const char *parameter,
                        const wal_map *map, int64_t cell, const char *format, ...) {
  char text[TEXT_LENGTH];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  return wal_params_fail(ctx, params, parameter, "line %d, column %lld: %s",
                         map->line[cell / map->grid.columns],
                         (long long)(cell % map->grid.columns) + 1, text);
}

/* Lists of cells. */

wal_status wal_map_read_places(wal_ctx *ctx, wal_params *params, const char *parameter,
                               const wal_map *map, wal_map_places *out) {
  int64_t extent[3];
  *out = (wal_map_places){.count = 0};
  if (!wal_params_given(params, parameter)) return WAL_OK;
  wal_params_extent(params, parameter, extent);
  if (extent[0] < 1 || (extent[1] != 2 && extent[1] != 3))
    return wal_params_fail(ctx, params, parameter,
                           "expected a list of cells {row, column} or {row, column, value}, got "
                           "%s",
                           extent[0] < 1 ? "a function or no cells" : "rows of another length");
  out->count = extent[0];
  out->width = (int)extent[1];
  WAL_TRY(wal_params_array(ctx, params, parameter, out->count, out->width, 0, &out->row));
  for (int64_t i = 0; i < out->count; i++) {
    double row = out->row[i * out->width], column = out->row[i * out->width + 1];
    if (row != floor(row) || column != floor(column) || row < 0 || column < 0 ||
        row > (double)(map->grid.rows - 1) || column > (double)(map->grid.columns - 1))
      return wal_params_fail(ctx, params, parameter,
                             "expected cells of the %lld x %lld map (counted from 0), got (%g, %g)",
                             (long long)map->grid.rows, (long long)map->grid.columns, row, column);
  }
  return WAL_OK;
}
